"""The chart on a real API server: installed, upgraded, rolled back, removed and installed again, and what stays meanwhile.

There is no node here. What a node would do with the StatefulSet's pod template, `Pod` does on this machine: the program
with the template's own arguments, its Secrets as files, and a token of the service account that the chart made.
"""

import base64
import json
import os
import re
import shutil
import ssl
import subprocess
import urllib.error
import urllib.request

import pytest

from cluster.certificates import Certificates
from cluster.charts import Helm, HelmError
from cluster.controlplane import KubectlError, start_control_plane
from cluster.processes import Daemon, free_port, wait_until

from . import readme
from .system import ROOT, condition_of, connection_manifest, secret_manifest, sync_manifest

CHART = ROOT / "helm" / "tablesync"
HOME = "tablesync-system"
RELEASE = ("tablesync", "--namespace", HOME)
QUICK = ("--set", "leaderElection.leaseDuration=15s,leaderElection.renewDeadline=10s,leaderElection.retryPeriod=500ms",
         "--set", "controller.resyncInterval=2s")
CRDS = ("databaseconnections.tablesync.dev", "tablesyncs.tablesync.dev")
NEW_WORDS, OLD_WORDS = "description: Whether rows flow.", "description: As it was called before."
WAIT_S = 30


def start_plane(folder):
    # They make a StatefulSet's pods, which wait for a node for ever, and its claims, and let go of a claim that is deleted.
    return start_control_plane(folder, controller_manager=True,
                               controllers=["statefulset-controller", "persistentvolumeclaim-protection-controller"])


@pytest.fixture(scope="module")
def plane(tmp_path_factory):
    with start_plane(tmp_path_factory.mktemp("chart")) as made:
        yield made


def objects_of(plane, *arguments, text=None):
    """What kubectl understands of YAML, by kind, namespace and name."""
    printed = plane.kubectl("create", "--dry-run=client", "--validate=false", "-o", "json", *arguments, input=text).stdout.lstrip()
    found, decoder = {}, json.JSONDecoder()
    while printed:
        each, length = decoder.raw_decode(printed)
        printed = printed[length:].lstrip()
        for item in each.get("items", [each]):
            found[item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"]] = item
    return found


class Pod:
    """The first pod of a StatefulSet, without a node."""

    def __init__(self, plane, namespace, name, folder):
        self.plane, self.namespace, self.folder = plane, namespace, folder
        spec = plane.get("statefulset", name, "-n", namespace)["spec"]["template"]["spec"]
        self.account = f"system:serviceaccount:{namespace}:{spec['serviceAccountName']}"
        self.kubeconfig = self._log_in(spec["serviceAccountName"])
        container, = spec["containers"]
        folders = {each["mountPath"]: self._mount(next((v for v in spec["volumes"] if v["name"] == each["name"]), {}), each["name"])
                   for each in container["volumeMounts"]}
        self.ports = {}
        self.arguments = [self._local(word, folders) for word in container["args"]]
        fields = {"metadata.name": f"{name}-0", "metadata.namespace": namespace, "metadata.uid": "00000000-0000-4000-8000-000000000000"}
        given = {each["name"]: fields[each["valueFrom"]["fieldRef"]["fieldPath"]] for each in container["env"]}
        assert set(given) == {"POD_NAME", "POD_NAMESPACE", "POD_UID"}
        self.log = folder / "controller.log"
        self.daemon = Daemon("tablesync", [os.environ["TABLESYNC_BIN"], *self.arguments, "--kubeconfig", str(self.kubeconfig)],
                             self.log, env={**os.environ, **given})

    def _log_in(self, account):
        token = self.plane.kubectl("create", "token", account, "-n", self.namespace).stdout.strip()
        path = self.folder / "kubeconfig"
        self.folder.mkdir(parents=True, exist_ok=True)
        authority = base64.b64encode(self.plane.ca_file.read_bytes()).decode()
        path.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "pod",
            "clusters": [{"name": "c", "cluster": {"server": self.plane.url, "certificate-authority-data": authority}}],
            "users": [{"name": "u", "user": {"token": token}}],
            "contexts": [{"name": "pod", "context": {"cluster": "c", "user": "u", "namespace": self.namespace}}]}), encoding="utf-8")
        return path

    def _mount(self, volume, name):
        """A claim's folder outlives the pod; a Secret's files are those of now."""
        folder = self.folder / "volumes" / name
        folder.mkdir(parents=True, exist_ok=True)
        if "secret" in volume:
            data = self.plane.get("secret", volume["secret"]["secretName"], "-n", self.namespace)["data"]
            for item in volume["secret"].get("items", [{"key": key, "path": key} for key in data]):
                (folder / item["path"]).write_bytes(base64.b64decode(data[item["key"]]))
        return folder

    def _local(self, word, folders):
        flag, _, value = word.partition("=")
        for path, folder in folders.items():
            if value.startswith(path + "/"):
                return f"{flag}={folder}{value.removeprefix(path)}"
        if flag.endswith("-bind-address"):
            self.ports[flag] = free_port()
            return f"{flag}=127.0.0.1:{self.ports[flag]}"
        return word

    def is_ready(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ports['--health-probe-bind-address']}/readyz", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def __enter__(self):
        self.daemon.start(self.is_ready, WAIT_S)
        return self

    def __exit__(self, *_):
        self.daemon.stop()

    def refused(self):
        """What the API server forbade it."""
        return [(e["verb"], e["requestURI"]) for e in self.plane.requests(self.account) if e.get("responseStatus", {}).get("code") == 403]


def run_test_hook(helm, pod, *release, timeout="30s"):
    """What `helm test` runs in a pod: the arguments of its template."""
    hook, = objects_of(pod.plane, "-f", "-", text=helm.run("get", "hooks", *release).stdout).values()
    assert hook["metadata"]["annotations"]["helm.sh/hook"] == "test"
    arguments = [re.sub(r"--timeout=.*", f"--timeout={timeout}", word) for word in hook["spec"]["containers"][0]["args"]]
    return subprocess.run([os.environ["TABLESYNC_BIN"], *arguments, "--kubeconfig", str(pod.kubeconfig)], capture_output=True, text=True,
                          timeout=2 * WAIT_S, check=False)


def furnish(plane, namespace):
    """A connection to where nobody listens, and a TableSync that uses it: enough for the controller to say something."""
    plane.kubectl("create", "namespace", namespace)
    closed = free_port()
    wanted = [secret_manifest("login", "user", "secret", namespace)]
    wanted += [connection_manifest(name, kind, closed, namespace, secret="login")
               for name, kind in (("shop-mysql", "MySQL"), ("rw", "RisingWave"), ("warehouse", "StarRocks"))]
    wanted.append(sync_manifest("orders", "shop", "orders", namespace=namespace))

    def applied():  # a kind that was just made is not served at once
        done = plane.kubectl("apply", "-f", "-", input="\n---\n".join(map(json.dumps, wanted)), check=False)
        return done.returncode == 0

    wait_until(f"{namespace} is furnished", applied, WAIT_S)


def is_looked_after(plane, namespace):
    found = [plane.get("tablesync", "orders", "-n", namespace)] + plane.get("databaseconnections", "-n", namespace)["items"]
    return all(condition_of(each, "Ready").get("reason") not in (None, "Pending", "Unknown") for each in found)


def uids(plane):
    """Of everything that must outlive the release, and the key itself."""
    there = {(kind, name): plane.get(kind, name, *where)["metadata"]["uid"] for kind, name, *where in (
        ("crd", CRDS[0]), ("crd", CRDS[1]), ("tablesync", "orders", "-n", "shop"), ("databaseconnection", "rw", "-n", "shop"),
        ("secret", "tablesync-encryption", "-n", HOME), ("pvc", "audit-tablesync-0", "-n", HOME))}
    return there, plane.get("secret", "tablesync-encryption", "-n", HOME)["data"]["key"]


def words_of_crd(plane):
    columns = plane.get("crd", CRDS[1])["spec"]["versions"][0]["additionalPrinterColumns"]
    return "description: " + next(each["description"] for each in columns if each["name"] == "Ready")


@pytest.fixture
def before(tmp_path):
    """The chart of the version before, whose CRD lacks what this one's has."""
    chart = tmp_path / "before" / "tablesync"
    shutil.copytree(CHART, chart)
    for name, old, new in (("templates/crd-tablesyncs.yaml", NEW_WORDS, OLD_WORDS), ("Chart.yaml", "\nversion: ", "\nversion: 0.0.1-")):
        text = (chart / name).read_text(encoding="utf-8")
        assert text.count(old) == 1
        (chart / name).write_text(text.replace(old, new), encoding="utf-8")
    return chart


def test_a_release_comes_changes_and_goes_and_nothing_is_lost(tmp_path, before):
    with start_plane(tmp_path / "plane") as plane:
        helm = Helm(tmp_path, plane.admin_kubeconfig)
        pod_folder = tmp_path / "pod"

        helm.run("install", *RELEASE, before, "--create-namespace", *QUICK)
        furnish(plane, "shop")
        wait_until("the claim is made", lambda: plane.kubectl("get", "pvc", "audit-tablesync-0", "-n", HOME, check=False).returncode == 0,
                   WAIT_S)
        kept = uids(plane)
        assert words_of_crd(plane) == OLD_WORDS
        with Pod(plane, HOME, "tablesync", pod_folder) as pod:
            wait_until("resources have a status", lambda: is_looked_after(plane, "shop"), WAIT_S)
            done = run_test_hook(helm, pod, *RELEASE)
            assert done.returncode == 0 and "tablesync-0_" in done.stdout and done.stdout.endswith("\nready\n"), done
            assert pod.refused() == []
        done = run_test_hook(helm, pod, *RELEASE, timeout="2s")
        assert done.returncode == 1 and f"{HOME}/tablesync-controller" in done.stderr, done

        helm.run("upgrade", *RELEASE, CHART, *QUICK, "--set", "controller.logLevel=debug")
        assert words_of_crd(plane) == NEW_WORDS and uids(plane) == kept
        with Pod(plane, HOME, "tablesync", pod_folder) as pod:
            done = run_test_hook(helm, pod, *RELEASE)
            assert done.returncode == 0, done
            assert '"level":"debug"' in pod.log.read_text(encoding="utf-8") and pod.refused() == []

        # As README says of volumes: refused, and possible once the StatefulSet makes way.
        # 1.37 names the field, its forerunners those that are not refused.
        with pytest.raises(HelmError, match=r"updates to statefulset spec|spec\.volumeClaimTemplates: [^\n]*field is immutable"):
            helm.run("upgrade", *RELEASE, CHART, *QUICK, "--set", "audit.persistence.size=2Gi")
        plane.kubectl("delete", "statefulset", "tablesync", "-n", HOME, "--cascade=orphan")
        helm.run("upgrade", *RELEASE, CHART, *QUICK, "--set", "audit.persistence.size=2Gi")
        assert uids(plane) == kept
        plane.kubectl("delete", "statefulset", "tablesync", "-n", HOME, "--cascade=orphan")

        helm.run("rollback", *RELEASE[:1], "1", *RELEASE[1:])
        assert words_of_crd(plane) == OLD_WORDS and uids(plane) == kept
        helm.run("upgrade", *RELEASE, CHART, *QUICK)

        said = helm.run("uninstall", *RELEASE).stdout
        for name in (*CRDS, "tablesync-encryption"):
            assert name in said, said
        left = plane.kubectl("get", "statefulsets,serviceaccounts,roles,rolebindings,services", "-n", HOME, "-l",
                             "app.kubernetes.io/instance=tablesync", "-o", "name").stdout
        left += plane.kubectl("get", "clusterroles,clusterrolebindings", "-l", "app.kubernetes.io/instance=tablesync", "-o", "name").stdout
        assert left == "" and uids(plane) == kept

        helm.run("install", *RELEASE, CHART, *QUICK)
        assert words_of_crd(plane) == NEW_WORDS and uids(plane) == kept
        with Pod(plane, HOME, "tablesync", pod_folder) as pod:
            done = run_test_hook(helm, pod, *RELEASE)
            assert done.returncode == 0, done

        # Who renders without a cluster has another key, and is refused.
        blind = Helm(tmp_path / "blind").run("template", *RELEASE, CHART, "--show-only", "templates/encryption.yaml").stdout
        with pytest.raises(KubectlError, match="immutable"):
            plane.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", input=blind)
        assert uids(plane) == kept


def test_a_secret_without_a_key_is_named(plane, tmp_path):
    plane.kubectl("create", "namespace", "keyless")
    plane.kubectl("create", "secret", "generic", "tablesync-encryption", "-n", "keyless", "--from-literal=other=x")
    done = Helm(tmp_path, plane.admin_kubeconfig).run("install", "tablesync", CHART, "-n", "keyless", "--dry-run=server", check=False)
    assert done.returncode != 0
    assert "Secret keyless/tablesync-encryption exists without the entry 'key': delete it" in done.stderr


def test_the_rules_are_those_of_the_manifests(plane, tmp_path):
    rendered = Helm(tmp_path).run("template", *RELEASE, CHART, "--set", "metrics.authorization=true").stdout
    ours = objects_of(plane, "-f", "-", text=rendered)
    theirs = objects_of(plane, "-f", str(ROOT / "manifests/rbac.yaml"), "-f", str(ROOT / "manifests/roles.yaml"))

    def rights(objects):
        return {key: [o.get("rules"), o.get("roleRef"), o.get("subjects"),
                      {k: v for k, v in o["metadata"]["labels"].items() if "aggregate-to" in k}]
                for key, o in objects.items() if o["apiVersion"] == "rbac.authorization.k8s.io/v1"}

    assert len(rights(theirs)) == 13 and rights(ours) == rights(theirs)
    account = "ServiceAccount", HOME, "tablesync"
    assert ours[account]["automountServiceAccountToken"] is theirs[account]["automountServiceAccountToken"] is False


def test_what_manifests_made_is_taken_over(plane, tmp_path):
    helm = Helm(tmp_path, plane.admin_kubeconfig)
    plane.kubectl("apply", "-k", str(ROOT / "manifests"))
    with pytest.raises(HelmError, match="cannot be imported into the current release"):
        helm.run("install", *RELEASE, CHART)
    plane.kubectl("delete", "deployment/tablesync", "pvc/tablesync-audit", "-n", HOME)
    helm.run("install", *RELEASE, CHART, "--take-ownership", "--force-conflicts")
    owner = plane.get("clusterrole", "tablesync-controller")["metadata"]["annotations"]["meta.helm.sh/release-name"]
    assert owner == "tablesync" and plane.get("statefulset", "tablesync", "-n", HOME)


def scrape(pod, trust, token=None):
    request = urllib.request.Request(f"https://127.0.0.1:{pod.ports['--metrics-bind-address']}/metrics")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=10, context=trust) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code


def test_two_namespaces_are_looked_after_and_no_third(plane, tmp_path):
    """With Roles in those two and nothing else, and metrics over TLS for whoever may read them."""
    helm = Helm(tmp_path, plane.admin_kubeconfig)
    plane.kubectl("apply", "-k", str(ROOT / "crd"))
    for namespace in ("east", "west", "north"):
        furnish(plane, namespace)
    plane.kubectl("create", "namespace", "ops")
    certificates = Certificates(tmp_path / "certificates")
    pair = certificates.server("127.0.0.1")
    plane.kubectl("create", "secret", "tls", "metrics", "-n", "ops", f"--cert={pair.cert}", f"--key={pair.key}")
    release = ("regional", "--namespace", "ops")
    helm.run("install", *release, CHART, *QUICK, "--set", "watchNamespaces={east,west},crds.install=false,metrics.authorization=true",
             "--set", "metrics.tls.existingSecret=metrics")
    with Pod(plane, "ops", "regional-tablesync", tmp_path / "pod") as pod:
        for namespace in ("east", "west"):
            wait_until(f"{namespace} is looked after", lambda namespace=namespace: is_looked_after(plane, namespace), WAIT_S)
        for namespace in ("east", "west"):
            plane.kubectl("delete", "tablesync", "orders", "-n", namespace, "--timeout=20s")
        done = run_test_hook(helm, pod, *release)
        assert done.returncode == 0 and "tablesyncs in west: can be read" in done.stdout, done

        plane.kubectl("create", "clusterrolebinding", "scraper", "--clusterrole=regional-tablesync-metrics-reader",
                      "--serviceaccount=ops:default")
        trust = ssl.create_default_context(cafile=str(certificates.ca))
        reader = plane.kubectl("create", "token", "default", "-n", "ops").stdout.strip()
        line = 'tablesync_resources{kind="DatabaseConnection"} 6'
        wait_until("metrics can be read", lambda: line in str(scrape(pod, trust, reader)), WAIT_S)
        assert scrape(pod, trust) == 401

        assert pod.refused() == []
        asked = {re.search(r"/namespaces/([^/?]+)", e["requestURI"])[1] for e in plane.requests(pod.account)
                 if "/namespaces/" in e["requestURI"]}
        assert asked == {"east", "west", "ops"}
        assert "conditions" not in plane.get("tablesync", "orders", "-n", "north").get("status", {})
        allowed = plane.kubectl("get", "secret", "login", "-n", "north", kubeconfig=pod.kubeconfig, check=False)
        assert "forbidden" in allowed.stderr


def test_readme_s_commands_work(tmp_path):
    """Those of a release, in README's order; after the last nothing is left."""
    install, change, remove = readme.commands("test_chart.py")
    ready, = readme.commands("test_chart.py", "ready")
    (tmp_path / "clone").mkdir()
    shutil.copytree(CHART, tmp_path / "clone" / "helm" / "tablesync")
    with start_plane(tmp_path / "plane") as plane:
        environment = readme.environment(tmp_path, plane.admin_kubeconfig)

        def run(text):
            return readme.run(text, tmp_path / "clone", environment)

        run(install)
        image, = [c["image"] for c in plane.get("statefulset", "tablesync", "-n", HOME)["spec"]["template"]["spec"]["containers"]]
        assert re.fullmatch(r"registry\.example\.com/team/tablesync:\d+\.\d+\.\d+", image)
        wait_until("the claim is made", lambda: plane.get("pvc", "-n", HOME)["items"], WAIT_S)
        with Pod(plane, HOME, "tablesync", tmp_path / "pod"):
            assert run(ready).endswith("\nready\n")
        run(change)
        assert plane.get("statefulset", "tablesync", "-n", HOME)["spec"]["replicas"] == 1
        run(remove)
        assert not [name for name in plane.kubectl("get", "crd,clusterrole,clusterrolebinding", "-o", "name").stdout.split()
                    if "tablesync" in name]
        assert plane.kubectl("get", "pvc,secrets,statefulsets,serviceaccounts,services", "-n", HOME, "-l",
                             "app.kubernetes.io/part-of=tablesync", "-o", "name").stdout == ""
