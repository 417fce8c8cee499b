"""The main job: a TableSync applied with kubectl moves real rows, and says so."""

import json
import sqlite3
import subprocess
import os

import pytest

from cluster.processes import wait_until

from .system import NAMESPACE, assert_no_secret, secret_manifest, sync_manifest, unique

COLUMNS = "id, customer, amount, status, qty, flag, note, created_at"


def make_orders(mysql, database, rows=3):
    mysql.execute(f"CREATE DATABASE IF NOT EXISTS {database}",
                  f"CREATE TABLE {database}.orders (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT, customer VARCHAR(64) NOT NULL,"
                  " amount DECIMAL(10,2), status ENUM('new','paid') DEFAULT 'new', qty INT UNSIGNED, flag TINYINT(1),"
                  " note TEXT, created_at DATETIME(3), updated_at TIMESTAMP NULL, PRIMARY KEY (id))"
                  " DEFAULT CHARSET=utf8mb4")
    for number in range(1, rows + 1):
        mysql.execute(f"INSERT INTO {database}.orders (customer,amount,qty,flag,note,created_at,updated_at) VALUES"
                      f" ('c{number}', {number}.50, {number}, {number % 2}, 'n', '2026-01-01 00:00:00.5',"
                      " '2026-01-01 00:00:00')")


@pytest.fixture
def orders(running):
    database = unique("shop")
    make_orders(running.mysql, database)
    running.apply(sync_manifest(database, database, "orders", target={"table": database}))
    running.wait_ready(database)
    yield database
    running.plane.kubectl("delete", "tablesync", database, "-n", NAMESPACE, "--ignore-not-found", "--timeout=60s",
                          timeout_s=90)


def test_rows_arrive_and_follow(running, orders):
    """Snapshot, then an insert, an update and a delete."""
    first = running.wait_rows(f"{orders}.orders", f"ods.{orders}", COLUMNS)
    assert len(first) == 3
    running.mysql.execute(f"INSERT INTO {orders}.orders (customer, amount, qty) VALUES ('it''s \\\\ 😀', 9.99, 4000000000)",
                          f"UPDATE {orders}.orders SET status='paid', amount=100.25 WHERE id=1",
                          f"DELETE FROM {orders}.orders WHERE id=2")
    last = running.wait_rows(f"{orders}.orders", f"ods.{orders}", COLUMNS)
    assert [row[0] for row in last] == [1, 3, 4]


def test_kubectl_get_shows_the_columns(running, orders):
    shown = running.plane.kubectl("get", "tablesyncs", orders, "-n", NAMESPACE).stdout
    header, line = shown.splitlines()[:2]
    assert header.split() == ["NAME", "SOURCE", "TARGET", "PHASE", "READY", "ROWS", "LAG", "AGE"]
    fields = line.split()
    assert fields[1:6] == [f"{orders}.orders", f"ods.{orders}", "Streaming", "True", "3"]
    assert fields[6].startswith("<")


def test_kubectl_wait_works(running, orders):
    running.plane.kubectl("wait", "--for=condition=Ready", f"tsync/{orders}", "-n", NAMESPACE, "--timeout=30s")


def test_status_tells_the_truth(running, orders):
    body = running.get(orders)
    status = body["status"]
    assert status["observedGeneration"] == body["metadata"]["generation"]
    assert status["snapshot"]["state"] == "Done" and status["snapshot"]["rows"] == 3
    kinds = {o["kind"]: o for o in status["objects"]}
    assert set(kinds) == {"Source", "Table", "Sink", "TargetTable"}
    assert all(o["state"] == "Ready" for o in kinds.values())
    ids = {name: found for found, name in running.rw.query("SELECT id, name FROM rw_catalog.rw_relations")}
    assert kinds["Table"]["id"] == ids[kinds["Table"]["name"].split(".")[1]]
    assert status["lastRun"]["result"] == "Succeeded"
    assert status["stream"]["sourceOffset"].startswith("mysql-bin.")
    types = {c["type"] for c in status["conditions"]}
    assert {"Ready", "ConnectionsReady", "SourceSchemaResolved", "SourceReady", "TargetTableReady", "SinkReady",
            "SnapshotComplete", "PlanApproved", "InSync"} <= types
    assert not {"Stalled", "Reconciling"} & types


def test_events_tell_the_story(running, orders):
    """One Event per object created and per transition of Ready."""
    def reasons():
        listed = running.plane.get("events.events.k8s.io", "-n", NAMESPACE)["items"]
        return {e["reason"] for e in listed if e["regarding"]["name"] == orders}

    wait_until("the Streaming event", lambda: "Streaming" in reasons(), 10)
    assert "Provisioning" in reasons() or "Snapshotting" in reasons()


def test_possible_losses_are_said_before_they_happen(running):
    """RisingWave keeps 28 digits and nulls what is longer: a Warning Event says so, and the audit."""
    database = unique("lossy")
    running.mysql.execute(f"CREATE DATABASE {database}",
                          f"CREATE TABLE {database}.t (id INT PRIMARY KEY, wide DECIMAL(38,10), at TIME)")
    running.apply(sync_manifest(database, database, "t", target={"table": database}, deletionPolicy="Delete"))
    running.wait_ready(database)
    notes = [e["note"] for e in running.plane.get("events.events.k8s.io", "-n", NAMESPACE)["items"]
             if e["regarding"]["name"] == database and e["reason"] == "ValuesMayBeLost" and e["type"] == "Warning"]
    assert any("wide" in note and "28" in note for note in notes), notes
    running.delete(database)


def looks_at_leisure(running, number):
    """Waits for that many more looks at resources; returns how many status writes they cost."""
    reconciles = 'controller_runtime_reconcile_total{controller="tablesync",result="requeue_after"}'
    writes = running.controller.metric("tablesync_status_writes_total")
    goal = running.controller.metric(reconciles) + number
    wait_until(f"{number} more looks", lambda: running.controller.metric(reconciles) >= goal, 60)
    return running.controller.metric("tablesync_status_writes_total") - writes


def test_a_converged_resource_costs_no_write(running, orders):
    """Ten looks later: no statement, no API write, the same resourceVersion."""
    running.wait_rows(f"{orders}.orders", f"ods.{orders}", COLUMNS)
    # The connections still count their new user and find its source's server id.
    wait_until("everything has been said once", lambda: looks_at_leisure(running, 4) == 0, 60)
    was = running.get(orders)
    statements = running.controller.metric_sum("tablesync_statements_total")
    written = looks_at_leisure(running, 10)
    assert running.get(orders)["status"] == was["status"]
    assert running.get(orders)["metadata"]["resourceVersion"] == was["metadata"]["resourceVersion"]
    assert written == 0
    assert running.controller.metric_sum("tablesync_statements_total") == statements


def test_audit_has_every_statement_and_no_password(running, orders):
    """One row per statement, in order, with its result; readable while the controller writes."""
    binary = os.environ["TABLESYNC_BIN"]
    shown = subprocess.run([binary, "logs", "--audit-db", str(running.controller.audit), "-n", NAMESPACE,
                            "--name", orders, "-o", "json"], check=True, capture_output=True, text=True).stdout
    steps = json.loads(shown)["steps"]
    verbs = [" ".join(s["statement"].split()[:2]) for s in steps]
    assert verbs[-5:] == ["CREATE SOURCE", "CREATE TABLE", "COMMENT ON", "CREATE TABLE", "CREATE SINK"]
    assert all(s["result"] == "Succeeded" for s in steps)
    runs = subprocess.run([binary, "runs", "--audit-db", str(running.controller.audit), "--name", orders],
                          check=True, capture_output=True, text=True).stdout
    assert "Succeeded" in runs and "Spec" in runs
    assert_no_secret(shown + runs, "the audit log")
    with sqlite3.connect(f"file:{running.controller.audit}?mode=ro", uri=True) as audit:
        for table in ("task_runs", "task_steps", "task_logs"):
            for row in audit.execute(f"SELECT * FROM {table}"):
                assert_no_secret(" ".join(map(str, row)), f"the audit database's {table}")


def test_no_password_in_status_or_events(running, orders):
    shown = json.dumps(running.plane.get("tablesyncs,databaseconnections,events.events.k8s.io", "-n", NAMESPACE))
    assert_no_secret(shown, "resources or events")


def test_pause_and_resume(running, orders):
    """Paused keeps the changes in RisingWave; Running delivers them, the delete included."""
    running.wait_rows(f"{orders}.orders", f"ods.{orders}", COLUMNS)
    running.plane.kubectl("patch", "tsync", orders, "-n", NAMESPACE, "--type=merge", "-p", '{"spec":{"state":"Paused"}}')
    running.wait_condition(orders, "Paused", "True", "Requested")
    before = running.target_rows(f"ods.{orders}", "id")
    running.mysql.execute(f"DELETE FROM {orders}.orders WHERE id=1", f"INSERT INTO {orders}.orders (customer) VALUES ('late')")

    def waits_in_log_store():
        undelivered = running.get(orders)["status"].get("stream", {}).get("undelivered", 0)
        return undelivered > 0

    wait_until("undelivered changes show in status", waits_in_log_store, 30)
    assert running.target_rows(f"ods.{orders}", "id") == before
    running.plane.kubectl("patch", "tsync", orders, "-n", NAMESPACE, "--type=merge", "-p", '{"spec":{"state":"Running"}}')
    running.wait_ready(orders)
    running.wait_rows(f"{orders}.orders", f"ods.{orders}", COLUMNS)


def test_two_tables_share_one_source(running, orders):
    other = unique("cust")
    running.mysql.execute(f"CREATE TABLE {orders}.customers (id INT PRIMARY KEY, name VARCHAR(20))",
                          f"INSERT INTO {orders}.customers VALUES (1, 'a')")
    running.apply(sync_manifest(other, orders, "customers", target={"table": other}, deletionPolicy="Delete"))
    running.wait_ready(other)
    sources = {o["name"] for name in (orders, other) for o in running.get(name)["status"]["objects"]
               if o["kind"] == "Source"}
    assert len(sources) == 1
    running.delete(other)
    name = sources.pop().split(".")[1]
    assert (name,) in running.rw.query("SELECT name FROM rw_catalog.rw_sources")
    running.mysql.execute(f"INSERT INTO {orders}.orders (customer) VALUES ('still flows')")
    running.wait_rows(f"{orders}.orders", f"ods.{orders}", COLUMNS)


def test_the_connection_status_counts_its_users(running, orders):
    running.wait_condition("shop-mysql", "Ready", "True", resource="databaseconnection")

    def counted():
        status = running.get("shop-mysql", "databaseconnection")["status"]
        return status["inUseBy"] >= 1 and any(s["users"] >= 1 and s.get("serverId", 0) >= 5400 for s in status.get("sources", []))

    wait_until("users and sources are counted", counted, 30)
    status = running.get("shop-mysql", "databaseconnection")["status"]
    assert status["serverVersion"].startswith("5.6.24")
    assert status["capabilities"]["binlogFormat"] == "ROW"


def test_mariadb_as_source(running, mariadb):
    """The second dialect end to end, through a connection of its own."""
    database = unique("mdb")
    mariadb.execute(f"CREATE DATABASE {database}", f"CREATE TABLE {database}.t (id INT PRIMARY KEY, v VARCHAR(10), j JSON)",
                    f"INSERT INTO {database}.t VALUES (1, 'a', '{{\"k\": 1}}')")
    from .system import MYSQL_PASSWORD, connection_manifest
    running.apply(secret_manifest("mdb", "cdc", MYSQL_PASSWORD), connection_manifest("mdb", "MySQL", mariadb.port))
    running.apply(sync_manifest(database, database, "t", mysql="mdb", target={"table": database}))
    running.wait_ready(database)
    mariadb.execute(f"INSERT INTO {database}.t VALUES (2, 'b', NULL)", f"UPDATE {database}.t SET v='z' WHERE id=1")
    wait_until("rows of MariaDB arrive",
               lambda: running.target_rows(f"ods.{database}", "id, v") == [(1, "z"), (2, "b")], 60)
    running.delete(database)
