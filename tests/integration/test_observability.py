"""What the running controller tells about itself: metrics a parser reads, /debug, health, log lines and run ids.

A control plane, stand-ins and a controller of this module's own: it counts every request and every line.
"""

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import threading
import time
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from cluster.processes import free_port, wait_until

from . import leaving
from . import system as sys_
from .system import NAMESPACE, SERVICE_ACCOUNT, assert_no_secret, sync_manifest, unique

# A sanitizer has a heap of its own, which mallinfo2 does not know.
SANITIZED = "/asan/" in os.environ["TABLESYNC_BIN"]
ROOT = Path(__file__).resolve().parent.parent.parent
IDLE_S = 8
ALIKE_MAX = 100
ROWS = 7


@pytest.fixture(scope="module")
def own(oracle56, tmp_path_factory):
    work = tmp_path_factory.mktemp("observability")
    with leaving.own_system(oracle56, work) as made:
        made.connect()
        made.debug = f"localhost:{free_port()}"
        made.controller = sys_.Controller(made.plane, work, "--debug-bind-address", made.debug).start()
        yield made
        log = made.controller.log_text()
        made.controller.stop()
    assert_no_secret(log, "the controller's log")


@pytest.fixture(scope="module")
def stream(own):
    """One TableSync that streams; its name, which is also that of its MySQL database."""
    database = unique("obs")
    own.mysql.execute(f"CREATE DATABASE {database}", f"USE {database}", "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20))",
                      *(f"INSERT INTO t VALUES ({n}, 'v')" for n in range(ROWS)))
    own.apply(sync_manifest(database, database, "t", target={"table": database}))
    own.wait_ready(database)
    yield database


def families(own):
    """Every family of /metrics by name, as a scraper reads them."""
    return {family.name: family for family in text_string_to_metric_families(own.controller.get("/metrics"))}


def value(own, name, /, **labels):
    """Of the one sample that has these labels; None without one."""
    found = [s.value for family in families(own).values() for s in family.samples
             if s.name == name and labels.items() <= s.labels.items()]
    assert len(found) <= 1, f"{name} {labels}: {found}"
    return found[0] if found else None


def debug(own, path="/debug/state", method="GET", data=None, host=None):
    """(status, text)."""
    request = urllib.request.Request(f"http://{own.debug}{path}", method=method, data=data)
    if host:
        request.add_header("Host", host)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def log_lines(own):
    return [json.loads(line) for line in own.controller.log_text().splitlines()]


# --- the text ---

def test_a_parser_reads_it_and_promtool_would_not_complain(own, stream):
    text = own.controller.get("/metrics")
    seen, kinds, sample_lines = set(), {}, 0
    for line in text.splitlines():
        if line.startswith("# "):
            word, name = line.split()[1:3]
            assert word in ("HELP", "TYPE") and (word, name) not in seen, line
            assert word == "TYPE" or len(line.split(None, 3)[3]) >= 10, line
            seen.add((word, name))
            if word == "TYPE":
                kinds[name] = line.split()[3]
        else:
            sample_lines += 1
    assert {name for word, name in seen if word == "HELP"} == set(kinds)
    for name, kind in kinds.items():
        assert re.fullmatch(r"[a-z][a-z0-9_]*", name)
        assert (kind == "counter") == name.endswith("_total"), name
        assert not re.search(r"_(ms|milliseconds|minutes|kib|mib|percent)(_|$)", name), f"{name}: base units"
        if kind == "histogram":
            assert name.endswith(("_seconds", "_bytes"))
    samples = [(s.name, tuple(sorted(s.labels.items()))) for f in families(own).values() for s in f.samples]
    assert len(samples) == len(set(samples)) == sample_lines
    for name, labels in samples:
        for label, _ in labels:
            assert re.fullmatch(r"[a-z][a-z_]*", label) and (label != "le" or name.endswith("_bucket"))
    assert_no_secret(text, "/metrics")


def test_histograms_are_cumulative_and_complete(own, stream):
    found = 0
    for family in families(own).values():
        if family.type != "histogram":
            continue
        series = {}
        for sample in family.samples:
            labels = tuple(sorted((k, v) for k, v in sample.labels.items() if k != "le"))
            kind = sample.name.removeprefix(family.name)
            series.setdefault(labels, {}).setdefault(kind, []).append((sample.labels.get("le"), sample.value))
        for labels, parts in series.items():
            counts = [count for _, count in parts["_bucket"]]
            bounds = [float(bound) for bound, _ in parts["_bucket"]]
            assert counts == sorted(counts) and bounds == sorted(bounds) and bounds[-1] == float("inf"), family.name
            assert counts[-1] == parts["_count"][0][1] and parts["_sum"][0][1] >= 0, (family.name, labels)
            found += 1
    assert found >= 7


def test_what_is_declared_is_served_and_nothing_else(own):
    declared = re.findall(r'^METRIC\(\w+, "(\w+)", "(\w+)"', (ROOT / "reconciler/loop/metrics.def").read_text(), re.M)
    served = re.findall(r"^# TYPE (\w+) (\w+)$", own.controller.get("/metrics"), re.M)
    assert {(name, kind) for kind, name in declared} == set(served)


# --- values ---

def test_values_follow_the_work(own, stream):
    one = {"namespace": NAMESPACE, "name": stream}
    assert value(own, "tablesync_snapshot_rows", **one) == ROWS
    assert value(own, "tablesync_sink_state", **one, state="Running") == 1
    assert value(own, "tablesync_condition", **one, type="Ready", status="True") == 1
    assert value(own, "tablesync_condition", **one, type="Stalled", status="False") == 1
    assert value(own, "tablesync_resources_by_phase", phase="Streaming") == 1
    assert value(own, "tablesync_sinks", state="Running") == 1
    assert value(own, "tablesync_resources_without_series") == 0
    assert value(own, "tablesync_ready_resources") == 1
    assert value(own, "tablesync_resources", kind="DatabaseConnection") == 3
    assert value(own, "tablesync_replication_lag_seconds", **one) is not None
    for system, action in (("RisingWave", "CreateSink"), ("RisingWave", "CreateTable"), ("StarRocks", "CreateTarget")):
        assert value(own, "tablesync_statements_total", system=system, action=action, result="succeeded") == 1, action
    assert value(own, "tablesync_statement_duration_seconds_count", system="StarRocks") >= 1
    assert value(own, "rest_client_requests_total", method="PATCH", code="200") > 1
    assert value(own, "rest_client_response_size_bytes_sum", verb="PATCH") > 1000
    assert value(own, "workqueue_adds_total") >= 4 and value(own, "workqueue_depth", priority="0") is not None
    assert value(own, "workqueue_work_duration_seconds_count") >= 4
    assert value(own, "controller_runtime_reconcile_time_seconds_count", controller="tablesync") >= 2
    assert value(own, "controller_runtime_reconcile_time_seconds_count", controller="databaseconnection") >= 3
    assert value(own, "controller_runtime_reconcile_panics_total", controller="tablesync") == 0
    assert value(own, "tablesync_cache_objects", resource="tablesyncs") == 1
    assert value(own, "tablesync_cache_bytes", resource="databaseconnections") > 500
    assert 0 <= value(own, "tablesync_watch_last_event_seconds", resource="tablesyncs") < 120
    assert value(own, "tablesync_hot_loops_total") == 0
    assert (value(own, "tablesync_memory_allocated_bytes") > 100_000 or SANITIZED)
    open_fds = len(os.listdir(f"/proc/{own.controller.daemon.pid}/fd"))
    assert abs(value(own, "process_open_fds") - open_fds) <= 3  # its own connection, the folder


def test_connections_are_another_controller(own, stream):
    looks = value(own, "controller_runtime_reconcile_total", controller="databaseconnection", result="requeue_after")
    wait_until("connections are looked at again", lambda: value(
        own, "controller_runtime_reconcile_total", controller="databaseconnection", result="requeue_after") > looks, 20)


def test_failures_are_counted_and_what_is_gone_has_no_series(own, stream):
    name = unique("obsfail")
    own.apply(sync_manifest(name, stream, "t", target={"table": name}, mysql="nobody",
                            retry={"backoffBase": "200ms", "backoffMax": "1s"}))
    one = {"namespace": NAMESPACE, "name": name}
    errors = value(own, "controller_runtime_reconcile_errors_total", controller="tablesync")
    wait_until("it fails more than once", lambda: value(
        own, "controller_runtime_reconcile_errors_total", controller="tablesync") > errors + 2, 30)
    assert value(own, "tablesync_condition", **one, type="Ready", status="False") == 1
    assert value(own, "tablesync_sink_state", **one) is None
    own.delete(name)
    wait_until("its series are gone", lambda: value(own, "tablesync_condition", **one, type="Ready") is None, 20)


def test_drift_that_was_undone_is_counted(own, stream):
    before = value(own, "tablesync_drift_corrections_total")
    sink = own.rw.query("SELECT r.name FROM rw_catalog.rw_relations r WHERE r.relation_type = 'sink'"
                        f" AND r.name LIKE 'k_{stream}%'")[0][0]
    own.rw.query(f'DROP SINK tablesync."{sink}"')
    wait_until("it is made again", lambda: value(own, "tablesync_drift_corrections_total") > before, 60)
    own.wait_ready(stream)


def test_a_dead_server_shows_in_its_breaker(own, stream):
    """Open while nobody listens there, closed for the others; gone with the connection."""
    name = unique("obsdead")
    one = {"namespace": NAMESPACE, "name": name}
    own.apply(sys_.connection_manifest(name, "RisingWave", free_port(), secret="rw"))
    wait_until("its breaker opens", lambda: value(own, "tablesync_connection_breaker_state", **one) == 2, 30)
    shown = {entry["connection"]: entry for entry in json.loads(debug(own)[1])["connections"]}
    assert shown[f"{NAMESPACE}/{name}"]["breaker"] in ("open", "half-open")
    assert value(own, "tablesync_connection_breaker_state", namespace=NAMESPACE, name="rw") == 0
    assert value(own, "tablesync_parked_resources", **one) == 0
    own.plane.kubectl("delete", "databaseconnection", name, "-n", NAMESPACE, "--timeout=30s")
    wait_until("it is forgotten", lambda: value(own, "tablesync_connection_breaker_state", **one) is None, 30)


class Parrot:
    """A RisingWave that repeats the password it was told in its refusal."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port, self.heard = self.socket.getsockname()[1], []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                client = self.socket.accept()[0]
            except OSError:
                return
            with client, client.makefile("rwb") as stream:
                while int.from_bytes((head := stream.read(8))[4:], "big") != 196608:  # the protocol's version 3.0
                    stream.write(b"N")  # no TLS here
                    stream.flush()
                stream.read(int.from_bytes(head[:4], "big") - 8)
                stream.write(b"R\0\0\0\x08\0\0\0\x03")  # the password, please
                stream.flush()
                said = stream.read(int.from_bytes(stream.read(5)[1:], "big") - 4).rstrip(b"\0")
                self.heard.append(said.decode())
                text = b"SFATAL\0C28P01\0M'" + said + b"' is not the password\0\0"
                stream.write(b"E" + (len(text) + 4).to_bytes(4, "big") + text)

    def stop(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def test_a_refused_login_is_told_without_the_password(own, stream):
    """How it failed, when it is tried again, and sessions of those that are well."""
    def shown():
        text = debug(own)[1]
        assert wrong not in text and wrong not in own.controller.log_text()
        return {entry["connection"].split("/")[1]: entry for entry in json.loads(text)["connections"]}

    name, wrong, parrot = unique("obswrong"), f"wr0ng-{unique('pw')}", Parrot()
    own.apply(sys_.secret_manifest(name, "tablesync", wrong),
              sys_.connection_manifest(name, "RisingWave", parrot.port, tls={"mode": "Disable"}))
    try:
        wait_until("its failure is told", lambda: "lastFault" in shown().get(name, {}), 30)
        assert parrot.heard[0] == wrong
        entry = shown()[name]
        assert "is not the password" in entry["lastFault"] and "***" in entry["lastFault"]
        assert entry["breaker"] in ("open", "half-open") and entry["lastFaultMsAgo"] >= 0 and entry["sessionsIdle"] == 0
        seen = []
        wait_until("it is spared", lambda: seen.append(shown()[name]) or seen[-1]["breaker"] == "open", 30)
        assert 0 < seen[-1]["triesAgainInMs"] <= 30_000
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:]{8}Z", seen[-1]["triesAgainAt"])
        wait_until("sessions are kept for those that are well", lambda: shown()["rw"]["sessionsIdle"] > 0, 30)
        assert "lastFault" not in shown()["rw"] and shown()["rw"]["sessionsInUse"] >= 0
    finally:
        own.plane.kubectl("delete", "databaseconnection", name, "-n", NAMESPACE, "--timeout=30s")
        parrot.stop()


# --- health ---

def test_health_in_words(own):
    assert own.controller.get("/readyz") == "ok\n"
    assert own.controller.get("/readyz?verbose") == "[+]caches ok\n[+]audit ok\nreadyz check passed\n"
    assert own.controller.get("/livez?verbose").startswith("[+]workers ok\n")
    assert own.controller.get("/readyz/caches") == "ok\n" and own.controller.get("/healthz/workers") == "ok\n"
    assert "[+]caches excluded: ok" in own.controller.get("/readyz?verbose&exclude=caches")


# --- /debug ---

def test_the_state_is_told(own, stream):
    status, text = debug(own)
    state = json.loads(text)
    assert status == 200 and {"queue", "workers", "caches", "connections", "memory", "leader", "audit", "log"} <= set(state)
    assert state["queue"]["remembered"] >= 4
    caches = {cache["resource"]: cache for cache in state["caches"]}
    assert caches["tablesyncs"]["objects"] == 1 and caches["tablesyncs"]["synced"] is True
    assert 0 <= caches["tablesyncs"]["lastContactMsAgo"] < 120_000
    later = {entry["key"] for entry in state["queue"]["later"] + state["queue"]["waiting"] + state["workers"]["processing"]}
    assert later <= {f"TableSync/{NAMESPACE}/{stream}"} | {f"DatabaseConnection/{NAMESPACE}/{c}"
                                                          for c in ("shop-mysql", "rw", "warehouse")}
    assert {c["connection"]: c["breaker"] for c in state["connections"]} == {
        f"{NAMESPACE}/{c}": "closed" for c in ("shop-mysql", "rw", "warehouse")}
    assert (state["memory"]["usedBytes"] > 100_000 or SANITIZED) and state["leader"] == {"election": False}
    assert state["audit"]["degraded"] is False
    assert_no_secret(text, "/debug/state")


def test_pages_of_a_browser_are_refused(own):
    assert debug(own, host="rebound.example")[0] == 403
    assert debug(own, "/debug/log-level", "PUT", b"debug", host="rebound.example:80")[0] == 403
    assert debug(own, host="[::1]:1")[0] == 200
    assert debug(own, "/metrics")[0] == 404 and debug(own, method="POST", data=b"x")[0] == 405


@pytest.mark.parametrize("address", [":6060", "0.0.0.0:6060", "192.168.1.7:6060", "[::]:6060", "6060"])
def test_others_than_this_machine_cannot_be_let_in(own, tmp_path, address):
    command = [*own.controller.daemon.command, "--audit-db", str(tmp_path / "audit.db"), "--debug-bind-address", address]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == 2
    assert "--debug-bind-address" in ended.stderr and f"'{address}'" in ended.stderr and "localhost:PORT" in ended.stderr


# --- logs ---

def test_the_level_changes_while_it_runs(own, stream):
    def lines(level):
        return [line for line in log_lines(own) if line["level"] == level]

    assert debug(own, "/debug/log-level") == (200, "info") and not lines("debug")
    assert debug(own, "/debug/log-level", "PUT", b"debug") == (200, "debug")
    wait_until("attempts are told", lambda: any(line["msg"] == "reconciled" for line in lines("debug")), 20)
    told = next(line for line in lines("debug") if line["msg"] == "reconciled")
    assert {"controller", "reconcileID", "durationMs", "againMs"} <= set(told)
    assert debug(own, "/debug/log-level?level=info", "PUT", b"") == (200, "info")
    assert debug(own, "/debug/log-level", "PUT", b"chatty")[0] == 400
    settled = len(lines("debug"))
    os.kill(own.controller.daemon.pid, signal.SIGUSR1)
    wait_until("attempts are told again", lambda: len(lines("debug")) > settled + 2, 20)
    assert debug(own, "/debug/log-level") == (200, "debug")
    os.kill(own.controller.daemon.pid, signal.SIGUSR1)
    wait_until("it is quiet again", lambda: debug(own, "/debug/log-level") == (200, "info"), 10)


def test_one_run_has_one_name_everywhere(own, stream):
    """In status, in the audit, in the log and on the Event."""
    run = own.get(stream)["status"]["lastRun"]["runId"]
    with closing(sqlite3.connect(f"file:{own.controller.audit}?mode=ro", uri=True)) as database:
        runs = {run_id for (run_id,) in database.execute("SELECT run_id FROM task_runs WHERE name = ?", (stream,))}
    logged = {line["reconcileID"] for line in log_lines(own) if line.get("msg") == "statement succeeded"}
    named = {event["metadata"].get("annotations", {}).get("tablesync.dev/run-id") for event in own.events(stream)}
    assert run in runs
    assert logged and logged <= runs
    assert None not in named and named & runs


def test_lines_have_the_keys_of_controller_runtime(own, stream):
    line = next(line for line in log_lines(own) if line["msg"] == "statement succeeded")
    assert line["TableSync"] == {"name": stream, "namespace": NAMESPACE}
    assert (line["controller"], line["controllerGroup"], line["controllerKind"]) == ("tablesync", "tablesync.dev", "TableSync")
    assert (line["namespace"], line["name"], line["level"], line["logger"]) == (NAMESPACE, stream, "info", "tablesync")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line["ts"])


def test_nothing_is_said_and_nothing_written_when_nothing_changes(own, stream):
    own.wait_ready(stream)
    written = value(own, "tablesync_api_writes_total")

    def settled():
        nonlocal written
        before, written = written, value(own, "tablesync_api_writes_total")
        return before == written

    wait_until("it has settled", settled, 30)
    lines, writes = len(log_lines(own)), own_writes(own)
    looks = value(own, "controller_runtime_reconcile_time_seconds_count", controller="tablesync")
    time.sleep(IDLE_S)  # nothing can be waited for: the point is that nothing comes
    assert value(own, "controller_runtime_reconcile_time_seconds_count", controller="tablesync") > looks
    assert log_lines(own)[lines:] == []
    assert own_writes(own) == writes
    assert value(own, "tablesync_api_writes_total") == written


def own_writes(own):
    return sum(event["verb"] not in ("get", "list", "watch") for event in own.plane.requests(SERVICE_ACCOUNT))


def test_a_flood_of_errors_is_told_once(own, stream):
    """Many resources behind one mistake fail in the same words: a hundred lines, then a number."""
    names = [f"{unique('obsflood')}-{number}" for number in range(ALIKE_MAX + 40)]
    own.controller.stop()
    own.apply(*(sync_manifest(name, stream, "t", target={"table": name}, mysql="nobody") for name in names))
    own.controller.start()  # and finds them all at once
    try:
        wait_until("lines are left out", lambda: value(own, "tablesync_log_lines_suppressed_total") > 20, 60)
        failed = [line for line in log_lines(own) if line["msg"] == "reconcile failed" and line["name"] in names]
        minutes = {line["ts"][:16] for line in failed}
        assert len(failed) <= ALIKE_MAX * (len(minutes) + 1)
    finally:
        own.plane.kubectl("delete", "tablesyncs", *names, "-n", NAMESPACE, "--wait=false", timeout_s=90)
    left_out = value(own, "tablesync_log_lines_suppressed_total")
    own.controller.stop()  # which tells how many there were
    told = [line for line in log_lines(own) if line["msg"] == "lines like these were left out"]
    assert sum(line["lines"] for line in told) >= left_out and told[0]["suppressed"] == "reconcile failed"
    own.controller.start()

