"""The image on a real node, installed by the chart: what a user's cluster does to a controller, and nothing is lost.

One story in the order of the file: install, kill, delete, upgrade and roll back under load, uninstall, install again.
RisingWave and StarRocks are the stand-ins, MySQL is real. Everything listens on 127.0.0.1, so the pod uses the node's network.
"""

import json
import os
import re
import signal
import threading
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pymysql
import pytest

from cluster import image
from cluster.charts import Helm
from cluster.controlplane import start_control_plane
from cluster.node import start_node
from cluster.processes import free_port, wait_until

from . import readme
from . import system as sys_
from .plugin import Plugin

pytestmark = pytest.mark.node

CHART = image.ROOT / "helm" / "tablesync"
RELEASE, NAMESPACE, POD = "tablesync", "tablesync-system", "tablesync-0"
BINARY = "/usr/bin/tablesync"
NEXT = "next"  # another tag of the same image
USER = 65532
TABLES = [f"orders_{number}" for number in range(3)]
COLUMNS = "id, customer, amount"
ROWS = 200
PATIENCE_S = 90


class Stage:
    def __init__(self, plane, node, system, helm):
        self.plane, self.node, self.system, self.helm = plane, node, system, helm
        self.values = {
            "image": {"repository": sys_.IMAGE.split(":")[0], "tag": sys_.IMAGE.split(":")[1], "pullPolicy": "Never"},
            "hostNetwork": True, "dnsPolicy": "Default",
            "extraEnv": [{"name": name, "value": value} for name, value in node.reach.items()],
            "metrics": {"port": free_port()}, "health": {"port": free_port()},
            # The chart leaves the debug listener off on the node's network; here nobody else is on it.
            "extraArgs": ["--poll-interval=200ms", f"--debug-bind-address=127.0.0.1:{free_port()}"],
            # A leader that is killed cannot hand over: the next one waits as long as its Lease lasts.
            "leaderElection": {"leaseDuration": "6s", "renewDeadline": "4s", "retryPeriod": "1s"},
            "audit": {"persistence": {"size": "64Mi"}}, "terminationGracePeriodSeconds": 20}

    def install(self, command: str, **changes) -> None:
        values = {**self.values, **changes}
        self.helm.run(command, RELEASE, CHART, "--namespace", NAMESPACE, "--values", "-", "--wait", "--timeout", "90s",
                      *(["--create-namespace"] if command == "install" else []), input=json.dumps(values))

    def pod(self) -> dict:
        done = self.plane.kubectl("get", "pod", POD, "-n", NAMESPACE, "-o", "json", check=False)
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def is_ready(self, pod: dict) -> bool:
        conditions = pod.get("status", {}).get("conditions", [])
        return "deletionTimestamp" not in pod.get("metadata", {}) and any(
            each["type"] == "Ready" and each["status"] == "True" for each in conditions)

    def wait_pod(self, what: str, good) -> dict:
        """Waits for a pod that is ready and `good`."""
        seen = {}

        def reached() -> bool:
            seen["pod"] = self.pod()
            return self.is_ready(seen["pod"]) and good(seen["pod"])

        try:
            wait_until(what, reached, PATIENCE_S)
        except TimeoutError as late:
            described = self.plane.kubectl("describe", "pod", POD, "-n", NAMESPACE, check=False).stdout
            raise AssertionError(f"{late}\n{described}\n{self.logs()[-3000:]}") from late
        return seen["pod"]

    def process(self) -> int:
        [pid] = self.node.processes(BINARY)
        return pid

    def logs(self, *arguments: str) -> str:
        return self.plane.kubectl("logs", POD, "-n", NAMESPACE, *arguments, check=False).stdout

    def program(self, *arguments: str) -> str:
        """What a command of the program prints, run in the pod, where there is no shell."""
        return self.plane.kubectl("exec", POD, "-n", NAMESPACE, "--", BINARY, *arguments).stdout

    def change(self, number: int) -> None:
        """A row more, one changed and one less in each table."""
        for table in TABLES:
            self.system.mysql.execute(f"INSERT INTO shop.{table} (customer, amount) VALUES ('c{number}', {number})",
                                      f"UPDATE shop.{table} SET amount = amount + 1 WHERE id % 7 = {number % 7}",
                                      f"DELETE FROM shop.{table} WHERE id % 11 = {number % 11} ORDER BY id LIMIT 1")

    def check_rows(self) -> None:
        for table in TABLES:
            self.system.wait_rows(f"shop.{table}", f"ods.{table}", COLUMNS, PATIENCE_S)

    def sinks(self) -> list[tuple]:
        return sorted(self.system.rw.query("SELECT id, name FROM rw_catalog.rw_relations WHERE relation_type = 'sink'"))

    def runs(self) -> list[dict]:
        return json.loads(self.program("runs", "-o", "json", "--limit", "1000"))

    def check_ready(self) -> None:
        for table in TABLES:
            self.system.wait_ready(name_of(table), PATIENCE_S)


def name_of(table: str) -> str:
    return table.replace("_", "-")


def volume(folder: Path) -> dict:
    """What the chart's claim finds. A node does not change the owner of such a folder, so its owner is the pod's user."""
    folder.mkdir()
    os.chown(folder, USER, USER)
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "audit"},
            "spec": {"capacity": {"storage": "64Mi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": str(folder)},
                     "persistentVolumeReclaimPolicy": "Retain"}}


def shop(server) -> None:
    server.execute("CREATE DATABASE shop")
    for table in TABLES:
        rows = ", ".join(f"('customer {number}', {number})" for number in range(ROWS))
        server.execute(f"CREATE TABLE shop.{table} (id BIGINT PRIMARY KEY AUTO_INCREMENT, customer VARCHAR(64), amount INT)",
                       f"INSERT INTO shop.{table} (customer, amount) VALUES {rows}")


@pytest.fixture(scope="module")
def stage(built, oracle56, tmp_path_factory):
    work = tmp_path_factory.mktemp("node")
    with ExitStack() as stack:
        plane = stack.enter_context(start_control_plane(work / "plane", nodes=True))
        node = stack.enter_context(start_node(plane, work / "node"))
        built.export(sys_.IMAGE, work / "image.tar")
        node.load(work / "image.tar")
        node.ctr("--namespace", "k8s.io", "images", "tag", sys_.IMAGE, f"{sys_.IMAGE.split(':')[0]}:{NEXT}")
        rw, starrocks = sys_.RisingWave(work), sys_.StarRocks(work)
        for server in (rw, starrocks):
            stack.callback(server.stop)
            server.start()
        sys_.prepare_risingwave(rw)
        sys_.prepare_starrocks(starrocks)
        shop(oracle56)
        system = sys_.System(plane, oracle56, rw, starrocks)
        system.apply(volume(work / "audit"))
        yield Stage(plane, node, system, Helm(work, plane.admin_kubeconfig))


@contextmanager
def load(stage):
    """Changes in MySQL for as long as the block takes; yields how many there were so far."""
    done, failures = [], []
    end = threading.Event()

    def change() -> None:
        try:
            while not end.is_set():
                stage.change(len(done))
                done.append(time.monotonic())
        except pymysql.err.Error as failure:
            failures.append(failure)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        yield done
    finally:
        end.set()
        thread.join(PATIENCE_S)
    assert not failures, f"the load ended early: {failures}"


def test_install_and_rows_arrive(stage):
    stage.install("install")
    stage.system.connect()
    stage.system.apply(*(sys_.sync_manifest(name_of(table), "shop", table) for table in TABLES))
    stage.check_ready()
    stage.check_rows()
    shown = stage.plane.kubectl("get", "tablesyncs", "-n", sys_.NAMESPACE).stdout.splitlines()
    assert [line.split()[0] for line in shown] == ["NAME", *map(name_of, TABLES)]
    assert all("True" in line.split() for line in shown[1:]), shown
    assert len(stage.sinks()) == len(TABLES)


def test_helm_test_runs_the_program_in_a_pod_of_its_own(stage, tmp_path):
    """By README's commands, with what the pod said."""
    block, = readme.commands("test_node.py")
    said = readme.run(block, image.ROOT, readme.environment(tmp_path, stage.plane.admin_kubeconfig))
    assert "Phase:          Succeeded" in said and f"{POD}_" in said and said.rstrip().endswith("\nready"), said


def test_kubectl_tablesync_reads_the_history_through_the_api_server(stage, tmp_path):
    """The kubelet forwards the port of a listener that nobody outside the pod's network reaches."""
    plugin = Plugin(stage.plane, tmp_path / "bin", 0, 0)
    name = name_of(TABLES[0])
    told = json.loads(plugin.run("runs", name, "-n", sys_.NAMESPACE, "-o", "json", REAL_FORWARD="1").stdout)
    assert told and {run["id"] for run in told} <= {run["id"] for run in stage.runs()}
    drawn = plugin.run("status", name, "-n", sys_.NAMESPACE, REAL_FORWARD="1").stdout
    assert f"shop.{TABLES[0]}" in drawn and str(told[0]["id"]) in drawn, drawn


def test_the_pod_has_no_more_than_it_needs(stage):
    status = Path(f"/proc/{stage.process()}/status").read_text(encoding="utf-8")
    facts = dict(re.findall(r"^(\w+):\t(.+)$", status, re.M))
    assert facts["Uid"].split() == facts["Gid"].split() == [str(USER)] * 4
    assert (facts["CapPrm"], facts["CapBnd"]) == ("0" * 16, "0" * 16)
    assert (facts["NoNewPrivs"], facts["Seccomp"]) == ("1", "2")
    mounts = Path(f"/proc/{stage.process()}/mountinfo").read_text(encoding="utf-8").splitlines()
    [root] = [line.split()[5] for line in mounts if line.split()[4] == "/"]
    assert "ro" in root.split(","), root


def test_logs_can_be_read_and_hold_no_password(stage):
    log = stage.logs()
    assert {"started", "leader election won"} <= {json.loads(line)["msg"] for line in log.splitlines()}, log[-3000:]
    sys_.assert_no_secret(log, "kubectl logs")


def test_a_killed_process_is_started_again(stage):
    before, sinks = stage.pod(), stage.sinks()
    os.kill(stage.process(), signal.SIGKILL)
    stage.change(1)
    restarted = stage.wait_pod("the container runs again",
                               lambda pod: pod["status"]["containerStatuses"][0]["restartCount"] == 1)
    assert restarted["metadata"]["uid"] == before["metadata"]["uid"]
    assert '"msg":"leader election won"' in stage.logs("--previous") and '"msg":"stopped"' not in stage.logs("--previous")
    stage.check_rows()
    stage.check_ready()
    assert stage.sinks() == sinks


def test_a_deleted_pod_is_made_again_with_its_history(stage):
    before, sinks, runs = stage.pod(), stage.sinks(), stage.runs()
    assert runs
    stage.plane.kubectl("delete", "pod", POD, "-n", NAMESPACE, "--wait=false")
    stage.change(2)
    stage.wait_pod("another pod runs", lambda pod: pod["metadata"]["uid"] != before["metadata"]["uid"])
    stage.check_rows()
    stage.check_ready()
    assert stage.sinks() == sinks
    known = {run["id"]: run for run in stage.runs()}
    assert all(known[run["id"]]["uid"] == run["uid"] for run in runs), "the new pod has another history"


def test_an_upgrade_and_its_rollback_under_load(stage):
    sinks, before = stage.sinks(), stage.pod()
    with load(stage) as changes:
        stage.install("upgrade", image={**stage.values["image"], "tag": NEXT}, controller={"logLevel": "debug"})
        upgraded = stage.wait_pod("the upgraded pod runs", lambda pod: pod["metadata"]["uid"] != before["metadata"]["uid"])
        assert upgraded["spec"]["containers"][0]["image"].endswith(f":{NEXT}")
        # The new one does its work: a column that MySQL gets now.
        stage.system.mysql.execute(f"ALTER TABLE shop.{TABLES[0]} ADD COLUMN note VARCHAR(20)")
        wait_until("StarRocks has the new column", lambda: stage.system.starrocks.query(
            f"SELECT 1 FROM information_schema.columns WHERE table_schema = 'ods' AND table_name = '{TABLES[0]}'"
            " AND column_name = 'note'") != [], PATIENCE_S)
        stage.helm.run("rollback", RELEASE, "--namespace", NAMESPACE, "--wait", "--timeout", "90s")
        back = stage.wait_pod("the old version runs", lambda pod: pod["metadata"]["uid"] != upgraded["metadata"]["uid"])
        assert back["spec"]["containers"][0]["image"] == sys_.IMAGE
        stage.check_ready()
        seen = len(changes)
        wait_until("the load goes on", lambda: len(changes) > seen, PATIENCE_S)
    stage.check_rows()
    stage.check_ready()
    wait_until("one sink is left for each table", lambda: len(stage.sinks()) == len(TABLES), PATIENCE_S)
    untouched = [sink for sink in sinks if TABLES[0] not in sink[1]]
    assert len(untouched) == len(TABLES) - 1 and set(untouched) <= set(stage.sinks()), "a sink was made anew without need"


def test_the_history_has_everything_once(stage):
    """Over a kill, a deletion, an upgrade and a rollback."""
    wait_until("no run is open", lambda: all(run["result"] != "Running" for run in stage.runs()), PATIENCE_S)
    runs = stage.runs()
    assert sorted(run["id"] for run in runs) == list(range(1, len(runs) + 1)), "a run is missing"
    assert {run["result"] for run in runs} <= {"Succeeded", "Interrupted", "Blocked", "Failed", "Cancelled"}, runs
    for table in TABLES:
        steps = json.loads(stage.program("logs", "-n", sys_.NAMESPACE, "--name", name_of(table), "-o", "json",
                                         "--limit", "1000"))["steps"]
        made = [step["statement"] for step in steps if step["result"] == "Succeeded"
                and re.match(r"CREATE (SINK|TABLE)", step["statement"])]
        assert len(made) == len(set(made)), f"made twice: {made}"
        assert sum(statement.startswith("CREATE SINK") for statement in made) == (2 if table == TABLES[0] else 1), made
        sys_.assert_no_secret(json.dumps(steps), "the history")


def test_uninstall_stops_the_controller_and_nothing_else(stage):
    sinks, runs = stage.sinks(), len(stage.runs())
    stage.helm.run("uninstall", RELEASE, "--namespace", NAMESPACE, "--wait", "--timeout", "90s")
    wait_until("the program has ended", lambda: stage.node.processes(BINARY) == [], PATIENCE_S)
    assert sorted(stage.system.listed()) == sorted(map(name_of, TABLES)), "resources went with the release"
    stage.change(3)
    stage.check_rows()
    claims = stage.plane.kubectl("get", "persistentvolumeclaims", "-n", NAMESPACE, "-o", "name").stdout.split()
    assert claims == [f"persistentvolumeclaim/audit-{POD}"]
    stage.install("install")
    stage.check_ready()
    stage.change(4)
    stage.check_rows()
    assert stage.sinks() == sinks
    assert len(stage.runs()) >= runs, "the new release has another history"


def test_deleting_cleans_up_before_the_end(stage):
    stage.plane.kubectl("delete", "tablesyncs", "--all", "-n", sys_.NAMESPACE, "--timeout=60s", timeout_s=90)
    assert stage.system.target_rows(f"ods.{TABLES[1]}", COLUMNS) == stage.system.source_rows(f"shop.{TABLES[1]}", COLUMNS)
    stage.helm.run("uninstall", RELEASE, "--namespace", NAMESPACE, "--wait", "--timeout", "90s")
    wait_until("the program has ended", lambda: stage.node.processes(BINARY) == [], PATIENCE_S)
