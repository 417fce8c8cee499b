"""Kills, restarts, hanging servers and the switches of operators: it goes on where it was, and does nothing twice.

A control plane, stand-ins and a controller of this module's own: all of them get broken here.
"""

import os
import random
import signal
import sqlite3
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from contextlib import closing, contextmanager
from datetime import datetime, timezone

import pytest

from cluster.controlplane import start_control_plane
from cluster.processes import wait_until

from . import system as sys_
from .system import NAMESPACE, SERVICE_ACCOUNT, assert_no_secret, audit, condition_of, sync_manifest, unique

LOOKS = 'controller_runtime_reconcile_total{controller="tablesync",result="requeue_after"}'
KILLS = 10
HANGS_S = 3


@pytest.fixture(scope="module")
def own(oracle56, tmp_path_factory):
    work = tmp_path_factory.mktemp("resilience")
    with start_control_plane(work / "plane", users=[SERVICE_ACCOUNT]) as plane:
        sys_.install(plane)
        rw, starrocks = sys_.RisingWave(work).start(), sys_.StarRocks(work).start()
        sys_.prepare_risingwave(rw)
        sys_.prepare_starrocks(starrocks)
        made = sys_.System(plane, oracle56, rw, starrocks)
        made.connect()
        made.controller = sys_.Controller(plane, work)
        made.outages = []  # when the API server was down, or just up and not yet aware of its own roles
        yield made
        made.controller.stop()
        log = made.controller.log_text()
        rw.stop()
        starrocks.stop()
    assert_no_secret(log, "the controller's log")


@pytest.fixture
def running(own):
    """With the controller up, whatever the test before did to it."""
    if not own.controller.daemon.alive():
        own.controller.start()
    return own


def make_tables(system, count):
    database = unique("res")
    system.mysql.execute(f"CREATE DATABASE {database}", f"USE {database}", *(
        statement for n in range(count) for statement in (
            f"CREATE TABLE t{n} (id INT PRIMARY KEY, v VARCHAR(20))", f"INSERT INTO t{n} VALUES (1, 'a'), (2, 'b')")))
    return database


def syncs(database, count, **spec):
    return [sync_manifest(f"{database}-{n}", database, f"t{n}", target={"table": f"{database}_t{n}"},
                          retry={"backoffBase": "200ms", "backoffMax": "2s"}, **{"deletionPolicy": "Delete", **spec})
            for n in range(count)]


@pytest.fixture
def stream(running):
    """One TableSync that streams; its name, which is also the name of its database."""
    database = make_tables(running, 1)
    running.apply(*syncs(database, 1))
    running.wait_ready(f"{database}-0")
    yield database
    if running.controller.daemon.alive():
        running.delete(f"{database}-0")


@contextmanager
def outage(system):
    """The API server is down inside; for the last test, what it answers while it starts is another matter."""
    began = datetime.now(timezone.utc)
    system.plane.stop_apiserver()
    try:
        yield
    finally:
        system.plane.start_apiserver()
        system.outages.append((began, datetime.now(timezone.utc)))


def relations(system, kind):
    """Names in RisingWave of one kind, of this module's schema."""
    return sorted(name for (name,) in system.rw.query(
        f"SELECT r.name FROM rw_catalog.rw_relations r JOIN rw_catalog.rw_schemas s ON r.schema_id = s.id"
        f" WHERE s.name = 'tablesync' AND r.relation_type = '{kind}'"))


def target_tables(system):
    return {n for (n,) in system.starrocks.query("SELECT table_name FROM information_schema.tables WHERE table_schema='ods'")}


def statements(system):
    """How many statements the audit holds, in flight ones included."""
    with closing(sqlite3.connect(f"file:{system.controller.audit}?mode=ro", uri=True)) as database:
        return database.execute("SELECT count(*) FROM task_steps").fetchone()[0]


def wait_looks(system, count):
    """Until the controller has looked at things so many times more."""
    before = system.controller.metric(LOOKS)
    wait_until(f"{count} more looks", lambda: system.controller.metric(LOOKS) >= before + count, 60)


def kill_often(system, done, seed):
    """Kills and restarts the controller: in the middle of a statement, or after a random while; returns how often."""
    chance = random.Random(seed)
    for kill in range(KILLS):
        before = statements(system) if system.controller.audit.exists() else 0
        system.controller.start()
        if kill % 2:
            try:
                wait_until("a statement begins", lambda: statements(system) > before or done(), 10)  # noqa: B023
            except TimeoutError:
                pass  # nothing is left to run but waiting for rows
        else:
            threading.Event().wait(chance.uniform(0, 0.3))  # the moment itself is the stimulus
        system.controller.daemon.kill()
        if done():
            return kill + 1
    return KILLS


def test_kill_9_during_provisioning(own):
    """Whatever moment it hits: it converges afterwards, with one object of each kind and every run accounted for."""
    count = 4
    own.controller.start()
    database = make_tables(own, count)
    own.controller.daemon.kill()
    own.apply(*syncs(database, count))
    kills = kill_often(own, lambda: all(condition_of(o, "Ready").get("status") == "True" for o in own.listed().values()), 1)
    assert kills >= 3, "it was done before it could be killed"
    own.controller.start()
    for n in range(count):
        own.wait_ready(f"{database}-{n}")
        own.wait_rows(f"{database}.t{n}", f"ods.{database}_t{n}", "id, v")
    assert [len(relations(own, kind)) for kind in ("source", "table", "sink")] == [1, count, count]
    assert target_tables(own) == {f"{database}_t{n}" for n in range(count)}
    runs = [r for n in range(count) for r in audit(own, f"{database}-{n}", command="runs")]
    results = Counter(r["result"] for r in runs)
    assert results["Interrupted"] >= 1 and "Running" not in results, results
    steps = [s for n in range(count) for s in audit(own, f"{database}-{n}")["steps"]]
    assert {s["result"] for s in steps} <= {"Succeeded", "Failed", "Interrupted"}
    # Whatever exists was written down before it was made.
    for n in range(count):
        for kind in ("source", "table", "sink"):
            made = [o["name"].split(".")[1] for o in own.get(f"{database}-{n}")["status"]["objects"]
                    if o["kind"].lower() == kind]
            assert any(f'"{made[0]}"' in s["statement"] and s["statement"].startswith("CREATE") for s in steps)


def test_kill_9_during_deletion(own):
    """Nothing is left behind, neither of ours nor a resource that hangs."""
    names = list(own.listed())
    assert names
    if own.controller.daemon.alive():
        own.controller.daemon.kill()
    own.plane.kubectl("delete", "tablesync", *names, "-n", NAMESPACE, "--wait=false")
    kill_often(own, lambda: not own.listed(), 2)
    own.controller.start()
    wait_until("all are gone", lambda: not own.listed(), 60)
    assert [relations(own, kind) for kind in ("source", "table", "sink")] == [[], [], []]
    assert target_tables(own) == set()


def test_sigterm_while_a_server_hangs(running, stream):
    """Exit 0 within five seconds although RisingWave does not answer; the next start goes on."""
    database = make_tables(running, 1)
    running.rw.daemon.pause()
    try:
        running.apply(*syncs(database, 1))
        active = 'controller_runtime_active_workers{controller="tablesync"}'

        seen = {}

        def hangs():
            """Somebody is at it, and nobody has come to an end, for longer than any look takes: how many are let in to a
            server that has fallen silent depends on who came before it did."""
            looks = running.controller.metric(LOOKS)
            if looks != seen.get("looks") or running.controller.metric(active) < 1:
                seen.update(looks=looks, since=time.monotonic())
            return time.monotonic() - seen["since"] > HANGS_S

        wait_until("workers hang in a statement", hangs, 30)
        process = running.controller.daemon
        started = time.monotonic()
        os.kill(process.pid, signal.SIGTERM)
        wait_until("it has ended", lambda: process.exit_code is not None, 15)
        took = time.monotonic() - started
        assert process.exit_code == 0 and took < 5, (process.exit_code, took)
    finally:
        running.rw.daemon.resume()
    running.controller.start()
    running.wait_ready(f"{database}-0")
    assert "Running" not in {r["result"] for r in audit(running, f"{database}-0", command="runs")}
    running.delete(f"{database}-0")


def test_sigterm_when_idle(running, stream):
    """Exit 0, and everything goes on streaming without a controller."""
    process = running.controller.daemon
    os.kill(process.pid, signal.SIGTERM)
    wait_until("it has ended", lambda: process.exit_code is not None, 5)
    assert process.exit_code == 0
    running.mysql.execute(f"INSERT INTO {stream}.t0 VALUES (3, 'c')")
    running.wait_rows(f"{stream}.t0", f"ods.{stream}_t0", "id, v")
    running.controller.start()


def test_api_server_restart(running, stream):
    """The same process goes on: it sees what is created afterwards and what was there before."""
    pid = running.controller.daemon.pid
    with outage(running):
        pass
    database = make_tables(running, 1)
    running.apply(*syncs(database, 1))
    running.wait_ready(f"{database}-0")
    running.delete(f"{database}-0")
    assert running.controller.daemon.alive() and running.controller.daemon.pid == pid


def test_started_before_the_api_server(running, stream):
    """Alive and not ready until it has read everything; then it works."""
    running.controller.stop()
    with outage(running):
        running.controller.daemon.start(lambda: "ok" in answer(running, "/healthz")[1], 30)
        assert answer(running, "/readyz")[0] == 500
    wait_until("it is ready", running.controller.ready, 60)
    running.plane.kubectl("patch", "tsync", f"{stream}-0", "-n", NAMESPACE, "--type=merge", "-p", '{"spec":{"state":"Paused"}}')
    running.wait_condition(f"{stream}-0", "Paused", "True", "Requested")


def answer(system, path, method="GET"):
    request = urllib.request.Request(f"http://127.0.0.1:{system.controller.port}{path}", method=method)
    try:
        with urllib.request.urlopen(request, timeout=5) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError as error:
        return 0, str(error)


def test_probes_and_metrics(running, stream):
    for path in ("/healthz", "/livez", "/readyz"):
        assert answer(running, path)[0] == 200, path
    assert answer(running, "/nothing")[0] == 404
    assert answer(running, "/healthz", "POST")[0] == 405
    status, text = answer(running, "/metrics")
    assert status == 200
    assert_no_secret(text, "the metrics")
    wait_until("it counts what is ready", lambda: running.controller.metric("tablesync_ready_resources") == len(running.listed()), 10)
    assert running.controller.metric('tablesync_resources{kind="TableSync"}') == len(running.listed())
    assert running.controller.metric('tablesync_resources{kind="DatabaseConnection"}') == 3
    assert running.controller.metric("tablesync_audit_degraded") == 0
    helped = {line.split()[2] for line in text.splitlines() if line.startswith("# HELP ")}
    named = {line.split("{")[0].split()[0] for line in text.splitlines() if line and not line.startswith("#")}
    assert all(name in helped or name.rsplit("_", 1)[0] in helped for name in named)


def test_the_audit_is_read_while_it_is_written(running):
    """`runs` and `logs` never fail or block beside a busy controller."""
    count = 3
    database = make_tables(running, count)
    running.apply(*syncs(database, count))
    reads = 0

    def ready():
        return all(condition_of(o, "Ready").get("status") == "True" for n, o in running.listed().items() if database in n)

    while not ready() or reads < 10:
        for n in range(count):
            audit(running, f"{database}-{n}", command="runs")
            audit(running, f"{database}-{n}")
        reads += 1
        assert reads < 300, "never ready"
    table = subprocess.run([os.environ["TABLESYNC_BIN"], "runs", "--audit-db", str(running.controller.audit)], text=True,
                           capture_output=True, check=True, timeout=30).stdout
    assert table.splitlines()[0].split()[:3] == ["RUN", "STARTED", "RESOURCE"] and f"{NAMESPACE}/{database}-0" in table
    running.delete(*(f"{database}-{n}" for n in range(count)))


def test_the_audit_file_is_lost(running, stream):
    """It is a log and not the truth: without it nothing is done again, and a new one begins."""
    name = f"{stream}-0"
    running.controller.stop()
    for path in running.controller.audit.parent.glob("audit.db*"):
        path.unlink()
    running.controller.start()
    wait_looks(running, 2)
    running.wait_ready(name)
    assert running.controller.metric_sum("tablesync_statements_total") == 0
    running.plane.kubectl("patch", "tsync", name, "-n", NAMESPACE, "--type=merge", "-p",
                          '{"spec":{"sink":{"commitCheckpointInterval":5}}}')
    wait_until("the new audit file has the next statement",
               lambda: [s for s in audit(running, name)["steps"] if s["statement"].startswith("ALTER SINK")], 30)


# --- switches ---

def annotate(system, name, *annotations):
    system.plane.kubectl("annotate", "tsync", name, "-n", NAMESPACE, *annotations)


def test_pause_reconcile_leaves_it_alone(running, stream):
    """No statement and no look: what is broken by hand stays broken, until the annotation goes."""
    name, beacon = f"{stream}-0", make_tables(running, 1)
    running.apply(*syncs(beacon, 1))
    running.wait_ready(f"{beacon}-0")
    annotate(running, name, "tablesync.dev/pause-reconcile=true")
    running.wait_condition(name, "Paused", "True", "ReconciliationPaused")
    shown = running.plane.kubectl("get", "tsync", name, "-n", NAMESPACE).stdout.splitlines()[1].split()
    assert shown[3] == "Paused"
    running.mysql.execute(f"INSERT INTO {stream}.t0 VALUES (5, 'e')")
    running.wait_rows(f"{stream}.t0", f"ods.{stream}_t0", "id, v")  # rows flow all the same
    sink = [o["name"] for o in running.get(name)["status"]["objects"] if o["kind"] == "Sink"][0].split(".")[1]
    running.rw.query(f'DROP SINK tablesync."{sink}"')
    running.plane.kubectl("patch", "tsync", name, "-n", NAMESPACE, "--type=merge", "-p",
                          '{"spec":{"sink":{"commitCheckpointInterval":3}}}')
    wait_looks(running, 1)  # the edit has been met
    was, ran = running.get(name), len(audit(running, name)["steps"])
    wait_looks(running, 3)
    assert sink not in relations(running, "sink")
    now = running.get(name)
    assert now["metadata"]["resourceVersion"] == was["metadata"]["resourceVersion"]
    assert now["status"]["observedGeneration"] < now["metadata"]["generation"]
    assert len(audit(running, name)["steps"]) == ran
    annotate(running, name, "tablesync.dev/pause-reconcile-")
    wait_until("it is looked at again", lambda: sink in relations(running, "sink"), 30)
    running.wait_ready(name)
    assert not running.condition(name, "Paused")
    running.delete(f"{beacon}-0")


def test_an_edit_that_can_be_done_in_place(running, stream):
    """commitCheckpointInterval goes through ALTER SINK: the same sink, with its id and its backlog."""
    name = f"{stream}-0"
    before = {o["kind"]: o["id"] for o in running.get(name)["status"]["objects"] if "id" in o}
    running.plane.kubectl("patch", "tsync", name, "-n", NAMESPACE, "--type=merge", "-p",
                          '{"spec":{"sink":{"commitCheckpointInterval":4}}}')

    def altered():
        return [s for s in audit(running, name)["steps"] if s["statement"].startswith("ALTER SINK") and
                "commit_checkpoint_interval" in s["statement"] and s["result"] == "Succeeded"]

    wait_until("the sink is altered", altered, 30)
    assert "'4'" in altered()[0]["statement"] and len(altered()) == 1
    running.wait_ready(name)
    body = running.get(name)
    assert body["status"]["observedGeneration"] == body["metadata"]["generation"]
    assert {o["kind"]: o["id"] for o in body["status"]["objects"] if "id" in o} == before
    running.mysql.execute(f"INSERT INTO {stream}.t0 VALUES (6, 'f')")
    running.wait_rows(f"{stream}.t0", f"ods.{stream}_t0", "id, v")


def test_retry_on_a_healthy_resource_changes_nothing(running, stream):
    """The annotation is taken off and noted; no statement runs."""
    name = f"{stream}-0"
    ran = len(audit(running, name)["steps"])
    annotate(running, name, "tablesync.dev/retry=once-more")
    wait_until("it was seen", lambda: running.get(name)["status"].get("handledRetry") == "once-more", 20)
    assert "tablesync.dev/retry" not in running.get(name)["metadata"].get("annotations", {})
    running.wait_ready(name)
    assert len(audit(running, name)["steps"]) == ran


def test_a_dropped_sink_is_made_again(running, stream):
    """Somebody drops it in RisingWave: noticed by looking, told, and made again."""
    name = f"{stream}-0"
    sink = [o["name"] for o in running.get(name)["status"]["objects"] if o["kind"] == "Sink"][0].split(".")[1]
    running.rw.query(f'DROP SINK tablesync."{sink}"')
    wait_until("the sink is back", lambda: sink in relations(running, "sink"), 30)
    running.wait_ready(name)
    running.mysql.execute(f"INSERT INTO {stream}.t0 VALUES (7, 'g')")
    running.wait_rows(f"{stream}.t0", f"ods.{stream}_t0", "id, v")


# --- last: what all of the above asked of the API server ---

def test_every_api_call_is_one_the_manifests_allow(running):
    """Nothing was refused, and Secrets were read by name only.

    An API server that has just started refuses everything for a moment, until it has read its roles: those answers
    do not count.
    """
    seen = list(running.plane.requests(SERVICE_ACCOUNT))
    assert len(seen) > 100
    refused = [(e["verb"], e["requestURI"]) for e in seen if e.get("responseStatus", {}).get("code") in (401, 403)
               and not any(began <= datetime.fromisoformat(e["requestReceivedTimestamp"].replace("Z", "+00:00")) <= ended
                           for began, ended in running.outages)]
    assert refused == []
    secrets = [e for e in seen if e.get("objectRef", {}).get("resource") == "secrets"]
    assert {e["verb"] for e in secrets} <= {"get", "list", "watch"} and secrets
    for event in secrets:
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(event["requestURI"]).query)
        named = event["verb"] == "get" or query.get("fieldSelector", [""])[0].startswith("metadata.name=")
        assert named and event["objectRef"].get("namespace"), event["requestURI"]
    used = {(e["objectRef"].get("resource"), e["objectRef"].get("subresource", ""), e["verb"])
            for e in seen if "objectRef" in e}
    assert used <= {(resource, "", verb) for resource in ("tablesyncs", "databaseconnections")
                    for verb in ("list", "watch", "patch", "get")} | {
        (resource, "status", "patch") for resource in ("tablesyncs", "databaseconnections")} | {
        ("secrets", "", verb) for verb in ("get", "list", "watch")} | {
        ("events", "", verb) for verb in ("create", "patch")}, used
