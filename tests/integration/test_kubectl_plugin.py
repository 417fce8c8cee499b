"""`kubectl tablesync` through the real kubectl, on the real API server, beside the running controller.

plugin.py says what stands in for `kubectl port-forward`, which needs a node.
"""

import json
import os
import pty
import re
import select
import stat
import subprocess
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from cluster.processes import wait_until

from . import system as sys_
from .plugin import CONTROLLER_NAMESPACE, DEBUG, Plugin, delete_pod, make_lease, make_pod
from .system import ROOT, SECRETS, VIEWER, Group, condition_of

NAMESPACE = "plug"
POD = "tablesync-plugin-0"
GOLDEN = ROOT / "tests" / "golden" / "kubectl-status"
FAILED, USAGE, NOT_FOUND, DENIED, UNREACHABLE, CHANGED = 1, 2, 4, 5, 6, 7


class Bench:
    """The plugin, a namespace with a table that streams, and the Pod that the controller is said to be."""

    def __init__(self, running, plane, work: Path):
        self.system, self.plane = running, plane
        self.plugin = Plugin(plane, work / "bin", running.debug, running.controller.port)
        self.group = Group(running, NAMESPACE)
        self.viewer = str(plane.kubeconfig_for(VIEWER))
        make_pod(plane, POD)
        self.group.sql("CREATE TABLE orders (id INT PRIMARY KEY, v VARCHAR(10))", "INSERT INTO orders VALUES (1,'a'),(2,'b')")
        self.group.apply({"orders": {}})
        self.group.wait_ready("orders")

    def run(self, *words: str, code: int | None = 0, **environment: str) -> subprocess.CompletedProcess:
        return self.plugin.run(*words, "-n", NAMESPACE, code=code, **environment)

    def complains(self, code: int, *words: str, **environment: str) -> str:
        """What it says on standard error when it ends with that code, in one line."""
        done = self.run(*words, code=code, **environment)
        assert done.stdout == "" and done.stderr.startswith("tablesync: "), done
        return done.stderr

    def stop(self) -> None:
        delete_pod(self.plane, POD)
        self.plane.kubectl("delete", "clusterrole,clusterrolebinding", "plugin-viewer", "--ignore-not-found")
        self.plane.kubectl("delete", "lease", "plugin-lease", "-n", CONTROLLER_NAMESPACE, "--ignore-not-found")
        self.system.clear(NAMESPACE)

    def allow(self, *rules: tuple[str, str, str]) -> None:
        """What the viewer may do: (group, resource, verbs), and nothing else."""
        self.plane.kubectl("apply", "-f", "-", input="\n---\n".join(json.dumps(o) for o in (
            {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "plugin-viewer"},
             "rules": [{"apiGroups": [group], "resources": [resource], "verbs": verbs.split(",")}
                       for group, resource, verbs in rules]},
            {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "plugin-viewer"},
             "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "plugin-viewer"},
             "subjects": [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": VIEWER}]})))


@pytest.fixture(scope="module")
def bench(running, control_plane, tmp_path_factory):
    made = Bench(running, control_plane, tmp_path_factory.mktemp("plugin"))
    yield made
    made.stop()


def on_terminal(command: list[str], environment: dict, answer=None, timeout_s: float = 60) -> tuple[int, str]:
    """Runs it on a terminal; answer(text so far) gives what is typed once it is not None. (exit code, all it showed)."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(command[0], command, environment)
    shown, typed, deadline = "", False, time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                piece = os.read(terminal, 65536)
            except OSError:  # the other side is closed
                break
            if not piece:
                break
            shown += piece.decode()
        word = answer(shown) if answer and not typed else None
        if word is not None:
            os.write(terminal, word.encode())
            typed = True
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown


def ended(pid: str) -> bool:
    """No such process, or one that was only not waited for yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] in "ZX"
    except OSError:
        return True


# --- what is drawn ---

@pytest.mark.parametrize("case", sorted(path.stem for path in GOLDEN.glob("*.json")))
def test_the_picture(case):
    """Of recorded resources, without any cluster; and nothing that a server said moves the cursor."""
    drawn = subprocess.run([os.environ["TABLESYNC_BIN"], "kubectl", "status", "-f", str(GOLDEN / f"{case}.json")],
                           capture_output=True, text=True, check=False)
    assert drawn.stdout == (GOLDEN / f"{case}.txt").read_text()
    assert drawn.returncode == (0 if case == "streaming" else FAILED)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", drawn.stdout) and not re.search(r" $", drawn.stdout, re.M)


def test_yaml_says_what_json_says(tmp_path):
    """Whatever the strings hold: read back by a YAML parser."""
    words = ["true", "No", "1", "1.5", "0x1f", "-", "", " a", "a ", "a: b", "a #b", "@a", "é\u2028", "\u009b\x1b\x7f", "\ufeff\uffff", "~", "null",
             "two\nlines", "two\nlines\n", "two\n\n\nlines\n\n", "\nfirst", " indented\nline", "tab\there\nx", "2026-11-23"]
    picture = {"tableSync": {"status": {"words": words, "empty": [], "none": {}, "nested": [[1, [2]], {"a": {"b": [None, True]}}],
                                        "keys": {word: 1 for word in words}}}}
    given = tmp_path / "given.json"
    given.write_text(json.dumps(picture))

    def convert(path: Path, form: str) -> str:
        return subprocess.run([os.environ["TABLESYNC_BIN"], "kubectl", "status", "-f", str(path), "-o", form],
                              capture_output=True, text=True, check=False).stdout

    again = tmp_path / "again.yaml"
    again.write_text(convert(given, "yaml"))
    assert "\x1b" not in again.read_text() and json.loads(convert(again, "json")) == picture


def test_status_draws_what_flows(bench):
    shown = bench.run("status", "tsync/orders").stdout
    lines = {line.split()[0]: line for line in shown.splitlines()}
    assert shown.splitlines()[0] == f"{NAMESPACE}/orders  Streaming  Ready"
    assert "shop-mysql (5.6" in lines["Source"] and f"{NAMESPACE}.orders  2 columns  PK id" in lines["Source"]
    assert f"tablesync.src_{NAMESPACE}_" in lines["Stream"] and "server.id" in lines["Stream"]
    assert "snapshot Done  2 rows" in lines["Table"] and "Running" in lines["Sink"]
    assert f"{NAMESPACE}.orders  PRIMARY KEY(id)  HASH(id)" in lines["Target"] and " Spec ok " in lines["Runs"]
    assert "\x1b" not in shown
    recorded = bench.plugin.json("status", "orders", "-n", NAMESPACE)
    assert {c["metadata"]["name"] for c in recorded["connections"]} == {"shop-mysql", "rw", "warehouse"}
    assert "managedFields" not in json.dumps(recorded) and recorded["runs"][0]["name"] == "orders"


def test_the_port_forward_ends_with_the_command(bench):
    bench.run("runs", "orders")
    last = bench.plugin.forwards()[-1]
    assert last[1:] == ["port-forward", "--namespace", CONTROLLER_NAMESPACE, "--address=127.0.0.1", f"pod/{POD}", f":{DEBUG}"]
    assert ended(last[0])
    # Also when the command is killed and can do nothing any more: this one waits for an answer that does not come.
    before = len(bench.plugin.forwards())
    os.kill(bench.system.controller.daemon.pid, 19)
    try:
        asking = subprocess.Popen([str(bench.plugin.folder / "kubectl-tablesync"), "runs", "-n", NAMESPACE],
                                  env=bench.plugin.environment, stdout=subprocess.DEVNULL)
        wait_until("a port is forwarded", lambda: len(bench.plugin.forwards()) > before, 20)
        asking.kill()
        asking.wait()
        wait_until("the port-forward is gone", lambda: ended(bench.plugin.forwards()[-1][0]), 10)
    finally:
        os.kill(bench.system.controller.daemon.pid, 18)


def test_status_lists_all(bench):
    shown = bench.run("status").stdout.splitlines()
    assert shown[0].split() == ["NAME", "SOURCE", "TARGET", "PHASE", "LAG", "READY"] and shown[1].split()[0] == "orders"
    everywhere = bench.plugin.run("status", "-A").stdout.splitlines()
    assert everywhere[0].startswith("NAMESPACE") and any(line.split()[:2] == [NAMESPACE, "orders"] for line in everywhere)
    nothing = bench.plugin.run("status", "-n", "default")
    assert nothing.stdout == "" and nothing.stderr == "No TableSyncs found in namespace default.\n"


def test_colours_are_for_terminals(bench):
    command = [str(bench.plugin.folder / "kubectl"), "tablesync", "status", "orders", "-n", NAMESPACE]
    code, shown = on_terminal(command, bench.plugin.environment)
    assert code == 0 and "\x1b[32mReady\x1b[0m" in shown
    for more, environment in (([], {"NO_COLOR": "1"}), ([], {"TERM": "dumb"}), (["--no-color"], {})):
        code, shown = on_terminal([*command, *more], {**bench.plugin.environment, **environment})
        assert code == 0 and "Ready" in shown and "\x1b" not in shown


# --- the audit log ---

def test_runs_and_logs_are_those_of_the_file(bench):
    """What the running controller answers is what its file says, however it is asked."""
    file = ("--audit-db", str(bench.system.controller.audit))
    for words in (["runs", "orders"], ["logs", "orders"], ["runs", "orders", "--limit", "1"], ["logs", "orders", "--limit", "1"]):
        asked = bench.plugin.json(*words, "-n", NAMESPACE)
        assert asked and asked == bench.plugin.json(*words, "-n", NAMESPACE, *file), words
    run = bench.plugin.json("runs", "orders", "-n", NAMESPACE)[-1]
    assert bench.plugin.json("runs", "-n", NAMESPACE, "--run", str(run["id"])) == [run]
    assert {step["run"] for step in bench.plugin.json("logs", "-A", "--run", str(run["id"]))["steps"]} == {run["id"]}
    assert bench.plugin.json("runs", "orders", "-n", "default") == []
    shown = bench.run("logs", "orders").stdout
    assert "CREATE SINK" in shown and not any(secret in shown for secret in SECRETS)
    forwarded = len(bench.plugin.forwards())
    bench.run("runs", "orders", *file)
    assert len(bench.plugin.forwards()) == forwarded
    assert bench.run("runs", "orders", "-oyaml").stdout.startswith("- id: ")


def audit_page(bench, path: str, host: str = "127.0.0.1") -> tuple[int, str]:
    request = urllib.request.Request(f"http://127.0.0.1:{bench.system.debug}{path}", headers={"Host": host})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def test_the_audit_is_served_in_pages(bench):
    status, text = audit_page(bench, f"/audit/runs?namespace={NAMESPACE}&limit=1")
    first = json.loads(text)
    assert status == 200 and len(first["runs"]) == 1 and first["next"] == first["runs"][0]["id"]
    seen, page = [first["runs"][0]["id"]], first
    while "next" in page:
        page = json.loads(audit_page(bench, f"/audit/runs?namespace={NAMESPACE}&limit=1&before={page['next']}")[1])
        seen += [run["id"] for run in page["runs"]]
    assert seen == [run["id"] for run in bench.plugin.json("runs", "-n", NAMESPACE)] == sorted(seen, reverse=True)
    logs = json.loads(audit_page(bench, f"/audit/logs?namespace={NAMESPACE}&name=orders&limit=1&before={seen[0] + 1}")[1])
    assert {step["run"] for step in logs["steps"]} <= {seen[0]} and logs["next"] == seen[0]
    for bad in ("limit=0", "limit=1001", "run=x", "before=-1"):
        assert audit_page(bench, f"/audit/runs?{bad}")[0] == 400
    assert audit_page(bench, "/audit/runs", host="rebound.example")[0] == 403
    assert audit_page(bench, "/audit")[0] == 404


def test_the_leader_is_who_is_asked(bench):
    """The Lease names it; without a Lease two that run cannot be told apart."""
    other = "tablesync-plugin-1"
    lease = ("--leader-election-id", "plugin-lease")
    make_pod(bench.plane, other, "controller", "--debug-bind-address", f"localhost:{DEBUG}")
    try:
        said = bench.complains(UNREACHABLE, "runs", *lease)
        assert POD in said and other in said and "--leader-election-id" in said
        make_lease(bench.plane, f"{other}_6ba7b810-9dad-11d1-80b4-00c04fd430c8", "plugin-lease")
        bench.run("runs", *lease)
        assert f"pod/{other}" in bench.plugin.forwards()[-1]
    finally:
        delete_pod(bench.plane, other)
    bench.run("runs", *lease)  # the Lease's Pod is gone, and one is left
    assert f"pod/{POD}" in bench.plugin.forwards()[-1]


def test_what_is_in_the_way_is_said(bench):
    made = bench.plugin
    assert f"kubectl could not forward a port of Pod {CONTROLLER_NAMESPACE}/{POD}" in bench.complains(
        UNREACHABLE, "runs", REAL_FORWARD="1")
    assert "--controller-namespace" in bench.complains(UNREACHABLE, "runs", "--controller-namespace", "default")
    alone = made.folder.parent / "alone"
    alone.mkdir(exist_ok=True)
    (alone / "kubectl-tablesync").unlink(missing_ok=True)
    (alone / "kubectl-tablesync").symlink_to(os.environ["TABLESYNC_BIN"])
    done = subprocess.run([str(alone / "kubectl-tablesync"), "runs", "-n", NAMESPACE], capture_output=True, text=True,
                          env={**made.environment, "PATH": str(alone)}, check=False)
    assert done.returncode == UNREACHABLE and "'kubectl' is not in PATH" in done.stderr
    off = "tablesync-plugin-off"
    delete_pod(bench.plane, POD)
    try:
        make_pod(bench.plane, off, "controller")
        said = bench.complains(UNREACHABLE, "runs")
        assert "--debug-bind-address=localhost:6060" in said and "--audit-db" in said and off in said
        bench.run("runs", "--debug-port", str(DEBUG))
        delete_pod(bench.plane, off)
        make_pod(bench.plane, off, "controller", "--debug-bind-address=localhost:6061")
        said = bench.complains(UNREACHABLE, "runs")
        assert "nothing answers at port 6061" in said and "connection refused" in said.lower()
        assert "the audit log was not read: nothing answers" in bench.run("status", "orders").stdout
    finally:
        delete_pod(bench.plane, off)
        make_pod(bench.plane, POD)


def test_rights_are_those_of_the_caller(bench):
    own = {"KUBECONFIG": bench.viewer, "REAL_FORWARD": "1"}
    tables = ("tablesync.dev", "tablesyncs", "get,list")
    bench.allow(("", "nothing", "get"))
    wait_until("the rights are gone", lambda: bench.run("status", "orders", code=None, **own).returncode == DENIED, 10)
    assert "is forbidden" in bench.complains(DENIED, "pause", "orders", **own)
    bench.allow(tables)
    wait_until("it may read", lambda: bench.run("status", "orders", code=None, **own).returncode == 0, 10)
    shown = bench.run("status", "orders", **own).stdout
    assert "Ready" in shown and "the audit log was not read" in shown
    bench.complains(DENIED, "runs", **own)
    bench.complains(DENIED, "resync", "orders", **own)
    bench.allow(tables, ("", "pods", "get,list"))
    wait_until("it may see Pods", lambda: "pods/portforward" in bench.run("runs", code=None, **own).stderr, 10)
    said = bench.complains(DENIED, "runs", **own)
    assert f"ask for the right to create pods/portforward in namespace {CONTROLLER_NAMESPACE}" in said


# --- acts ---

def test_pause_and_resume(bench):
    assert bench.run("pause", "orders").stdout == "tablesync.tablesync.dev/orders paused: changes wait in RisingWave\n"
    bench.group.wait_condition("orders", "Paused", "True", "Requested")
    assert "was paused already" in bench.run("pause", "orders").stdout
    bench.run("pause", "orders", "--controller-only")
    assert bench.group.get("orders")["metadata"]["annotations"]["tablesync.dev/pause-reconcile"] == "true"
    assert "resumed" in bench.run("resume", "orders").stdout
    left = bench.group.get("orders")
    assert left["spec"]["state"] == "Running" and "tablesync.dev/pause-reconcile" not in left["metadata"].get("annotations", {})
    assert "was not paused" in bench.run("resume", "orders").stdout
    bench.group.wait_ready("orders")
    managers = {entry["manager"] for entry in left["metadata"]["managedFields"]}
    assert "kubectl-tablesync" in managers


def test_resync(bench):
    said = bench.complains(USAGE, "resync", "orders", "--mode", "Truncate")
    assert f"{NAMESPACE}.orders is emptied" in said and "--yes" in said
    assert "resyncToken" not in bench.group.get("orders")["spec"] or not bench.group.get("orders")["spec"]["resyncToken"]
    assert "InPlace, Truncate or Recreate" in bench.complains(USAGE, "resync", "orders", "--mode", "truncate")
    bench.run("resync", "orders", "--mode", "Truncate", "--yes", "--token", "once-more")
    bench.group.wait("orders", "resync done", lambda r: r["status"].get("resync", {}) == {
        **r["status"].get("resync", {}), "token": "once-more", "mode": "Truncate", "state": "Done"})
    assert "was used already" in bench.complains(USAGE, "resync", "orders", "--token", "once-more")
    bench.group.wait_ready("orders")
    bench.run("resync", "orders", "--mode", "InPlace")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:]+Z", bench.group.get("orders")["spec"]["resyncToken"])
    bench.group.wait_settled("orders")


def wait_for_plan(bench, name: str, other_than: str = "") -> str:
    found = bench.group.wait(name, "a plan waits", lambda r: condition_of(r, "PlanApproved").get("status") == "False"
                             and r["status"].get("plan", {}).get("hash", other_than) != other_than)
    return found["status"]["plan"]["hash"]


def test_approve(bench):
    """What was shown is what is approved, and nothing that came in its place."""
    group = bench.group
    group.sql("CREATE TABLE held (id INT PRIMARY KEY)", "INSERT INTO held VALUES (1)")
    group.apply({"held": {"plan": {"mode": "Manual"}}})
    digest = wait_for_plan(bench, "held")
    assert "not approved: kubectl tablesync approve held" in bench.run("status", "held", code=FAILED).stdout
    shown = bench.run("plan", "held").stdout
    assert "CREATE SINK" in shown and shown.endswith(f"-- plan {digest}\n")
    assert bench.plugin.json("plan", "held", "-n", NAMESPACE)["hash"] == digest
    done = bench.run("approve", "held", code=USAGE)
    assert "CREATE SINK" in done.stdout and "add --yes to agree" in done.stderr
    assert digest in bench.complains(CHANGED, "approve", "held", "--hash", "sha256:0123456789")
    bench.complains(CHANGED, "approve", "held", "--hash", digest[:10])  # too short to mean it

    def answer(text: str) -> str | None:
        """Somebody changes the resource while the question stands there."""
        if "[y/N]" not in text:
            return None
        group.patch("held", sink={"commitCheckpointInterval": 3})
        answered.append(wait_for_plan(bench, "held", digest))
        return "y\n"

    answered: list[str] = []
    command = [str(bench.plugin.folder / "kubectl"), "tablesync", "approve", "held", "-n", NAMESPACE]
    code, text = on_terminal(command, bench.plugin.environment, answer)
    assert code == CHANGED and "nothing was approved" in text, text
    assert "tablesync.dev/approve-plan" not in group.get("held")["metadata"].get("annotations", {})
    code, text = on_terminal(command, bench.plugin.environment, lambda t: "n\n" if "[y/N]" in t else None)
    assert code == FAILED and "nothing was changed" in text

    def label(text: str) -> str | None:
        if "[y/N]" not in text:
            return None
        group.annotate("held", **{"other": "x"})  # a write that changes no plan is no obstacle
        return "y\n"

    code, text = on_terminal(command, bench.plugin.environment, label)
    assert code == 0 and f"approved: plan {answered[0]}" in text, text
    group.wait_ready("held")
    assert "no plan waits" in bench.complains(FAILED, "approve", "held")
    assert bench.run("plan", "held").stdout == f"-- TableSync {NAMESPACE}/held: no plan waits for an approval\n"


def test_plan_of_a_file_and_live(bench, tmp_path):
    document = tmp_path / "more.yaml"
    document.write_text(json.dumps(bench.group.manifest("more")))
    bench.group.sql("CREATE TABLE IF NOT EXISTS more (id INT PRIMARY KEY)")
    assert "CREATE TABLE" in bench.run("plan", "-f", str(document)).stdout
    assert f"-- TableSync {NAMESPACE}/orders: " in bench.run("plan", "orders", "--live").stdout
    assert "exclude each other" in bench.complains(USAGE, "plan", "orders", "-f", str(document))


def test_tables_and_discover(bench):
    listed = bench.run("tables", "shop-mysql", "--database", NAMESPACE).stdout
    assert [NAMESPACE, "orders"] in [line.split()[:2] for line in listed.splitlines()[1:]]
    written = bench.run("discover", "--database", NAMESPACE, "--connection", "shop-mysql").stdout
    assert bench.plane.kubectl("apply", "--dry-run=server", "-f", "-", input=written).returncode == 0
    assert f'name: "{NAMESPACE}-orders"' in written


# --- the bundle ---

def test_report(bench, tmp_path):
    target = tmp_path / "bundle.yaml"
    done = bench.run("report", "--to", str(target))
    assert done.stdout == f"{target}\n" and done.stderr == ""
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    text = target.read_text()
    for part in ("generatedAt:", "program:", "kubernetes:", "gitVersion:", "tableSyncs:", "databaseConnections:", "events:",
                 "runs:", "logs:", "state:", "metrics: |", "controller:", "CREATE SINK", f"name: {POD}"):
        assert part in text, part
    assert not any(secret in text or json.dumps(secret)[1:-1] in text for secret in SECRETS)
    assert "problems: []" in text and "managedFields" not in text and not re.search(r"kind: Secret$", text, re.M)
    assert "File exists" in bench.run("report", "--to", str(target), code=FAILED).stderr


def test_report_without_a_controller(bench):
    """What there is, is there; what is missing is named."""
    done = bench.run("report", "--to", "-", "--controller-namespace", "default")
    assert "name: orders" in done.stdout and "not in the report: controller: no controller runs" in done.stderr
    assert "problems:\n" in done.stdout
    own = {"KUBECONFIG": bench.viewer}
    bench.allow(("", "nothing", "get"))
    wait_until("the rights are gone", lambda: bench.run("report", "--to", "-", code=None, **own).returncode == FAILED, 10)


def test_report_hides_credentials(bench):
    bench.group.annotate("orders", note="mysql://root:hunter2secret@db/x", more="password='opensesame9'")
    shown = bench.run("report", "--to", "-").stdout
    assert "hunter2secret" not in shown and "opensesame9" not in shown and "tablesync.dev/note" in shown


# --- manners ---

def test_exit_codes_and_words(bench):
    assert "there is no TableSync nobody" in bench.complains(NOT_FOUND, "status", "nobody")
    bench.complains(NOT_FOUND, "pause", "nobody")
    for words in (["approve"], ["status", "a", "b"], ["runs", "--limit", "x"], ["status", "pod/x"], ["status", "-o", "wide"],
                  ["pause", "orders", "--yes"], ["completion", "tcsh"]):
        assert bench.plugin.run(*words, code=USAGE).stderr.startswith("tablesync: "), words
    bench.plugin.run(code=USAGE)
    assert "kubectl tablesync nonsense" in bench.plugin.run("nonsense", code=USAGE).stderr
    assert "exclude each other" in bench.plugin.run("status", "orders", "-A", code=USAGE).stderr
    nowhere = bench.plugin.folder.parent / "nowhere"
    nowhere.write_text(Path(bench.plugin.environment["KUBECONFIG"]).read_text().replace(str(bench.plane.port), "1"))
    bench.complains(UNREACHABLE, "status", KUBECONFIG=str(nowhere))


def test_help(bench):
    text = bench.plugin.run("help").stdout
    names = re.findall(r"^  (\w+) ", text, re.M)
    assert {"status", "runs", "logs", "plan", "approve", "resync", "verify", "pause", "resume", "tables", "discover", "report",
            "completion", "help"} == set(names)
    for name in names[:-1]:
        shown = bench.plugin.run(name, "--help").stdout
        assert shown.startswith(f"kubectl tablesync {name}") and "Exit codes:" in shown and f"tablesync {name} " in shown
        assert bench.plugin.run("help", name).stdout == shown
    same = subprocess.run([os.environ["TABLESYNC_BIN"], "kubectl", "help"], capture_output=True, text=True, check=True).stdout
    assert same == text


def test_kubectl_completes_it(bench):
    """As kubectl's own completion asks, through kubectl_complete-tablesync."""
    def offered(*words: str) -> list[str]:
        done = subprocess.run([str(bench.plugin.folder / "kubectl"), "__complete", "tablesync", *words],
                              env=bench.plugin.environment, capture_output=True, text=True, timeout=60, check=True)
        lines = done.stdout.splitlines()
        assert lines[-1] in (":0", ":4")
        return [line.split("\t")[0] for line in lines[:-1]]

    assert {"status", "help"} <= set(offered("")) and set(offered("re")) == {"report", "resume", "resync"}
    assert "orders" in offered("status", "-n", NAMESPACE, "") and offered("pause", "-n", NAMESPACE, "or") == ["orders"]
    assert offered("tables", "-n", NAMESPACE, "shop") == ["shop-mysql"]
    assert offered("resync", "orders", "--mode", "") == ["InPlace", "Truncate", "Recreate"]
    assert NAMESPACE in offered("status", "-n", "") and "--no-color" in offered("status", "--no")


def test_bash_completes_it(bench):
    script = bench.plugin.run("completion", "bash").stdout
    asked = script + ('\nCOMP_WORDS=(kubectl-tablesync status -n %s o); COMP_CWORD=4; _kubectl_tablesync 2>/dev/null;'
                      ' printf "%%s\\n" "${COMPREPLY[@]}"' % NAMESPACE)
    done = subprocess.run(["bash", "-c", asked], env=bench.plugin.environment, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["orders"], done
    for shell in ("zsh", "fish"):
        assert "kubectl-tablesync __complete" in bench.plugin.run("completion", shell).stdout


def test_a_login_that_only_kubectl_can_make(bench, tmp_path):
    """Clouds log in by programs (exec plugins): then kubectl itself carries the calls."""
    token = bench.plane.token_for("admin")
    helper = tmp_path / "login"
    helper.write_text("#!/bin/sh\necho '" + json.dumps({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
                                                         "status": {"token": token}}) + "'\n")
    helper.chmod(0o755)
    config = json.loads(Path(bench.plugin.environment["KUBECONFIG"]).read_text())
    config["users"][0]["user"] = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(helper),
                                           "interactiveMode": "Never"}}
    config["contexts"][0]["context"]["namespace"] = NAMESPACE
    path = tmp_path / "exec.yaml"
    path.write_text(json.dumps(config))
    own = {"KUBECONFIG": str(path)}
    assert "Ready" in bench.plugin.run("status", "orders", **own).stdout
    assert "was not read" not in bench.plugin.run("status", "orders", **own).stdout
    assert bench.plugin.run("pause", "orders", "--controller-only", **own).stdout.startswith("tablesync.tablesync.dev/orders paused")
    assert bench.plugin.run("resume", "orders", **own).stdout == "tablesync.tablesync.dev/orders resumed\n"
    assert bench.plugin.run("status", "nobody", code=NOT_FOUND, **own).stdout == ""
