"""The chart without a cluster: what it renders from the values that its README shows, and what it refuses.

UPDATE_GOLDEN=1 rewrites the expected files.
"""

import base64
import json
import os
import re
import subprocess

import pytest

from cluster.charts import Helm

from .system import ROOT

CHART = ROOT / "helm" / "tablesync"
GOLDEN = ROOT / "tests" / "integration" / "helm_golden"
EXAMPLE = re.compile(r"^<!-- values: (\w+) -->\n```yaml\n(.*?)^```$", re.M | re.S)
README = (CHART / "README.md").read_text(encoding="utf-8")
EXAMPLES = {"default": "", **dict(EXAMPLE.findall(README))}
KEY = re.compile(r"^  key: [A-Za-z0-9+/=]{60}$", re.M)
# The CRDs are their files, which tests/checks compares; the alerts and the dashboard have tests of their own.
ELSEWHERE = ("templates/crd-", "templates/prometheusrule.yaml", "templates/dashboard.yaml")


@pytest.fixture(scope="module")
def helm(tmp_path_factory):
    return Helm(tmp_path_factory.mktemp("helm"))


def template(helm, *args, values="", check=True):
    return helm.run("template", "tablesync", CHART, "--namespace", "tablesync-system", "-f", "-", *args, input=values, check=check)


def documents(text):
    """Rendered documents by the template they come from, in order."""
    found = {}
    for document in text.split("---\n"):
        source = re.match(r"# Source: tablesync/(\S+)\n", document)
        if source:
            found.setdefault(source[1], []).append(document)
    return found


def arguments(text):
    return re.findall(r"^ +- (--\S+|controller)$", "".join(documents(text)["templates/statefulset.yaml"]), re.M)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_linted(helm, name):
    helm.run("lint", "--strict", CHART, "-f", "-", input=EXAMPLES[name])


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_renders_as_before(helm, name):
    kept = {source: parts for source, parts in documents(template(helm, values=EXAMPLES[name]).stdout).items()
            if not source.startswith(ELSEWHERE)}
    text = KEY.sub("  key: RANDOM", "---\n".join(part for source in sorted(kept) for part in kept[source]))
    path = GOLDEN / f"{name}.yaml"
    if os.environ.get("UPDATE_GOLDEN") == "1":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_no_expected_file_is_left_over():
    assert {path.stem for path in GOLDEN.iterdir()} == set(EXAMPLES) and len(EXAMPLES) >= 6


def test_a_key_is_32_random_bytes_and_another_each_time(helm):
    keys = {base64.b64decode(KEY.search(template(helm).stdout)[0].split()[1]) for _ in range(2)}
    assert len(keys) == 2 and all(len(base64.b64decode(key, validate=True)) == 32 for key in keys)


def test_the_crds_are_kept_unless_asked_otherwise(helm):
    for flag, kept in (("true", True), ("false", False)):
        crds = {source: parts for source, parts in documents(template(helm, "--set", f"crds.keep={flag}").stdout).items()
                if source.startswith("templates/crd-")}
        assert len(crds) == 2
        assert all(("helm.sh/resource-policy: keep" in parts[0]) is kept for parts in crds.values())
    assert "CustomResourceDefinition" not in template(helm, "--set", "crds.install=false").stdout


def test_the_prometheus_rule_has_the_alerts_as_they_are(helm):
    """Prometheus has a template language of its own, which Helm must not run."""
    alerts = (CHART / "files/alerts.yaml").read_text(encoding="utf-8")
    assert "{{ $labels.name }}" in alerts
    for url, wanted in (("", "README.md"), ("https://wiki.example.com/tablesync",) * 2):
        done = template(helm, values=f"metrics: {{prometheusRule: {{enabled: true, runbookUrl: '{url}'}}}}")
        rendered = documents(done.stdout)["templates/prometheusrule.yaml"][0]
        assert (re.sub(r"^  ", "", rendered.split("\nspec:\n")[1], flags=re.M).strip()
                == alerts.replace("runbook_url: README.md#", f"runbook_url: {wanted}#").strip())


def test_the_dashboard_is_the_one_that_is_tested(helm):
    rendered = documents(template(helm, values="metrics: {dashboard: {enabled: true}}").stdout)["templates/dashboard.yaml"][0]
    head, _, text = rendered.partition("  tablesync.json: |\n")
    assert "kind: ConfigMap" in head and 'grafana_dashboard: "1"' in head
    dashboard = json.loads((ROOT / "manifests/grafana/tablesync.json").read_text(encoding="utf-8"))
    assert json.loads(text) == dashboard and "{{" in json.dumps(dashboard)


def test_the_debug_listener_is_never_the_node_s(helm):
    flag = "--debug-bind-address=localhost:6060"
    assert flag in arguments(template(helm).stdout)
    for values in ("hostNetwork: true", "debug: {port: 0}"):
        assert "debug-bind-address" not in template(helm, values=values).stdout


def test_every_flag_of_the_chart_exists_and_every_flag_can_be_given(helm):
    said = subprocess.run([os.environ["TABLESYNC_BIN"], "controller", "--help"], capture_output=True, text=True, check=True).stdout
    known = set(re.findall(r"--([a-z][\w-]*)", said))
    used = {word[2:].split("=")[0] for name in EXAMPLES for word in arguments(template(helm, values=EXAMPLES[name]).stdout)
            if word.startswith("--")}
    assert len(used) > 15 and used <= known
    given = arguments(template(helm, "--set-json", 'extraArgs=["--poll-interval=5s"]').stdout)
    assert given[0] == "controller" and given[-1] == "--poll-interval=5s"


@pytest.mark.parametrize(("values", "said"), [
    ("replica: 2", "at '': additional properties 'replica' not allowed"),
    ("image: {tags: latest}", "at '/image': additional properties 'tags' not allowed"),
    ("replicas: two", "at '/replicas': got string, want integer"),
    ("replicas: -1", "at '/replicas': minimum: got -1, want 0"),
    ("image: {pullPolicy: Sometimes}", "at '/image/pullPolicy': value must be one of 'Always', 'IfNotPresent', 'Never'"),
    ("image: {digest: latest}", "at '/image/digest': 'latest' does not match pattern"),
    ("image: {repository: 'Team/tablesync:1'}", "at '/image/repository': 'Team/tablesync:1' does not match pattern"),
    ("image: {pullSecrets: [login]}", "at '/image/pullSecrets/0': got string, want object"),
    ("watchNamespaces: shop", "at '/watchNamespaces': got string, want array"),
    ("watchNamespaces: [Shop]", "at '/watchNamespaces/0': 'Shop' does not match pattern"),
    ("watchNamespaces: [a, a]", "at '/watchNamespaces': items at 0 and 1 are equal"),
    ("controller: {workers: 65}", "at '/controller/workers': maximum: got 65, want 64"),
    ("controller: {logLevel: loud}", "at '/controller/logLevel': value must be one of 'debug', 'info', 'error'"),
    ("leaderElection: {leaseDuration: 1500ms}", "at '/leaderElection/leaseDuration': '1500ms' does not match pattern"),
    ("audit: {retention: 30}", "at '/audit/retention': got number, want string"),
    ("audit: {persistence: {size: big}}", "at '/audit/persistence/size': 'big' does not match pattern"),
    ("encryption: {key: c2VjcmV0}", "at '/encryption': additional properties 'key' not allowed"),
    ("metrics: {port: 70000}", "at '/metrics/port': maximum: got 70,000, want 65,535"),
    ("metrics: {serviceMonitor: {interval: soon}}", "at '/metrics/serviceMonitor/interval': 'soon' does not match pattern"),
    ("metrics: {prometheusRule: {runbookUrl: README.md}}", "at '/metrics/prometheusRule/runbookUrl': 'README.md' does not match pattern"),
    ("debug: {port: '6060'}", "at '/debug/port': got string, want integer"),
    ("dnsPolicy: None1", "at '/dnsPolicy': value must be one of"),
    ("extraArgs: [log-level=debug]", "at '/extraArgs/0': 'log-level=debug' does not match pattern"),
    ("extraEnv: {A: b}", "at '/extraEnv': got object, want array"),
    ("resources: {limit: {memory: 1Gi}}", "at '/resources': additional properties 'limit' not allowed"),
    ("tolerations: [{effect: Never}]", "at '/tolerations/0/effect': value must be one of"),
    ("podLabels: {app.kubernetes.io/name: mine}", "at '/podLabels/app.kubernetes.io~1name': false schema"),
    ("podDisruptionBudget: {minAvailable: most}", "'most' does not match pattern"),
    ("{watchNamespaces: [a], rbac: {secretNamespaces: [a]}}", "rbac.secretNamespaces is for a controller that watches all namespaces"),
    ("metrics: {port: 0, serviceMonitor: {enabled: true}}", "metrics.serviceMonitor.enabled needs metrics: metrics.port is 0"),
])
def test_a_wrong_value_is_refused_by_name(helm, values, said):
    done = template(helm, values=values, check=False)
    assert done.returncode != 0 and said in done.stderr.replace("jsonschema: ", ""), done.stderr


def test_the_schema_knows_every_value_and_no_object_of_ours_is_open():
    """A value that the schema does not know would be refused; one that is in an open object could be misspelt."""
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    text = (CHART / "values.yaml").read_text(encoding="utf-8")
    top = re.findall(r"^([A-Za-z]\w*):", text, re.M)
    assert set(schema["properties"]) == {*top, "global"}

    def closed(node, path):
        if "properties" in node:
            assert node.get("additionalProperties") is False, path
            for key, inner in node["properties"].items():
                yield (*path, key)
                yield from closed(inner, (*path, key))

    known = set(closed(schema, ()))
    assert len(known) > 100
    # Every key of values.yaml that README's table lists has its line in the schema.
    for name in re.findall(r"^\| `([\w.]+)` \|", README, re.M):
        assert tuple(name.split(".")) in known, name


def test_notes_tell_what_stays_and_what_comes_next(helm):
    notes = helm.run("install", "tablesync", CHART, "--dry-run=client", "--namespace", "ops", "--set", "watchNamespaces={shop,billing}",
                     "--set", "audit.persistence.enabled=false").stdout.split("NOTES:\n")[1]
    for word in ("shop, billing", "helm test -n ops tablesync", "kind: DatabaseConnection", "the Secret tablesync-encryption",
                 "its history ends with each pod"):
        assert word in notes, word
