"""StarRocks tables and RisingWave clusters that cannot be used: refused, told, and nothing of others touched."""

import json
import re

import pytest

from cluster.processes import wait_until

from . import system as sys_
from .system import (RISINGWAVE_PASSWORD, STARROCKS_PASSWORD, Told, audit, condition_of, connection_manifest, control,
                     secret_manifest, unique)

NAMESPACE = "bad-target"
DATABASE = "bad_target"
QUICK = {"backoffBase": "200ms", "backoffMax": "2s"}
MODEL = "PRIMARY KEY (id) DISTRIBUTED BY HASH (id) PROPERTIES ('replication_num' = '1')"

# Tables that were there before: name -> (statement, words of the message)
EXISTING = {
    "other-columns": (f"CREATE TABLE ods.`other-columns` (id INT NOT NULL, x INT NOT NULL) {MODEL}",
                      ("ods.other-columns", "not created by this TableSync", "would not fit", "'v'", "'x'",
                       "spec.target.table")),
    "same-columns": (f"CREATE TABLE ods.`same-columns` (id INT NOT NULL, v INT NULL) {MODEL}",
                     ("ods.same-columns", "not created by this TableSync", "its columns would fit", "spec.target.table")),
    "a-view": ("CREATE VIEW ods.`a-view` AS SELECT 1 AS id", ("ods.a-view", "is a view", "spec.target.table")),
}
# name -> (spec, reason, condition, words, whether only a person can help)
WRONG = {
    "forbidden": ({"target": {"table": "forbidden", "create": "Never"}}, "CreateForbidden", "TargetTableReady",
                  ("ods.forbidden", "spec.target.create", "IfNotExists"), True),
    "bad-name": ({"target": {"table": 'a"b'}}, "UnsupportedName", "SourceSchemaResolved",
                 ("'a\"b'", "double quotes", "set spec.target.table"), True),
    "replicas": ({"target": {"table": "replicas", "properties": {"replication_num": "3"}}}, "ReplicationImpossible",
                 "TargetTableReady", ("ods.replicas", "replication", "spec.target.properties.replication_num"), False),
    "no-database": ({"target": {"database": "absent", "table": "t"}}, "DatabaseMissing", "TargetTableReady",
                    ("absent", "CREATE DATABASE `absent`", "spec.target.createDatabase"), False),
    "no-right": ({"target": {"database": "locked", "table": "t"}}, "MissingGrant", "TargetTableReady",
                 ("locked.t", "GRANT CREATE TABLE ON DATABASE `locked` TO USER",
                  "GRANT INSERT, UPDATE, DELETE, ALTER, DROP ON ALL TABLES IN DATABASE `locked`"), False),
    "own-database": ({"target": {"database": "fresh", "table": "t", "createDatabase": "IfNotExists"},
                      "warehouse": "founder"}, "MissingGrant", "TargetTableReady",
                     ("fresh.t", "GRANT CREATE TABLE ON DATABASE `fresh` TO USER", "5203"), False),
    "no-founder": ({"target": {"database": "unfounded", "table": "t", "createDatabase": "IfNotExists"}}, "MissingGrant",
                   "TargetTableReady", ("database unfounded", "GRANT CREATE DATABASE ON CATALOG default_catalog TO USER",
                                        "GRANT CREATE TABLE ON DATABASE `unfounded` TO USER"), False),
    "half-right": ({"target": {"database": "halved", "table": "t"}, "warehouse": "halver"}, "MissingGrant",
                   "TargetTableReady", ("halved.t", "GRANT SELECT, INSERT, UPDATE, DELETE"), False),
    "no-schema": ({"rw": "stranger"}, "SchemaDenied", "SourceReady", ('GRANT CREATE ON DATABASE "dev" TO "stranger"',),
                  False),
}


def sync(name, namespace=NAMESPACE, **spec):
    body = {"target": {"table": name}, "deletionPolicy": "Delete", **spec}
    return sys_.sync_manifest(name, DATABASE, "t", namespace=namespace, **body)


@pytest.fixture(scope="module")
def bad(running):
    running.mysql.execute(f"CREATE DATABASE {DATABASE}", f"CREATE TABLE {DATABASE}.t (id INT PRIMARY KEY, v INT)",
                          f"INSERT INTO {DATABASE}.t VALUES (1, 10)")
    running.connect(NAMESPACE)
    for statement, _ in EXISTING.values():
        running.starrocks.query(statement)
    running.starrocks.query("CREATE DATABASE locked")
    running.starrocks.query("GRANT SELECT ON ALL TABLES IN DATABASE locked TO USER 'tablesync'@'%'")
    running.starrocks.query("CREATE USER 'founder'@'%' IDENTIFIED BY 'founder-pw'")
    running.starrocks.query("GRANT CREATE DATABASE ON CATALOG default_catalog TO USER 'founder'@'%'")
    running.starrocks.query("CREATE DATABASE halved")
    running.starrocks.query("CREATE USER 'halver'@'%' IDENTIFIED BY 'halver-pw'")
    running.starrocks.query("GRANT CREATE TABLE ON DATABASE halved TO USER 'halver'@'%'")
    running.rw.query("CREATE USER stranger WITH PASSWORD 'stranger-pw'")
    running.apply(
        secret_manifest("founder", "founder", "founder-pw", NAMESPACE),
        connection_manifest("founder", "StarRocks", running.starrocks.port, NAMESPACE,
                            starRocks={"httpPort": running.starrocks.ports["http-port"]}),
        secret_manifest("halver", "halver", "halver-pw", NAMESPACE),
        connection_manifest("halver", "StarRocks", running.starrocks.port, NAMESPACE,
                            starRocks={"httpPort": running.starrocks.ports["http-port"]}),
        secret_manifest("stranger", "stranger", "stranger-pw", NAMESPACE),
        connection_manifest("stranger", "RisingWave", running.rw.port, NAMESPACE, risingWave={"schema": "strange"}))
    running.apply(*(sync(name) for name in EXISTING),
                  *(sync(name, **({} if case[4] else {"retry": QUICK}), **case[0]) for name, case in WRONG.items()))
    yield running
    running.clear(NAMESPACE)


@pytest.fixture(scope="module")
def told(bad):
    expected = {name: "AlreadyExists" for name in EXISTING} | {name: case[1] for name, case in WRONG.items()}
    return Told(bad, NAMESPACE, expected, frozenset([*EXISTING, *(n for n, case in WRONG.items() if case[4])]))


@pytest.mark.parametrize("name", EXISTING)
def test_a_table_of_others_is_left_alone(bad, told, name):
    """Whether or not it would fit: refused before anything is created, and not one column changed."""
    told.check(name, "AlreadyExists", EXISTING[name][1], "TargetTableReady")
    assert told.objects[name]["status"].get("objects", []) == []
    columns = bad.starrocks.query("SELECT column_name FROM information_schema.columns WHERE table_schema = 'ods'"
                                  f" AND table_name = '{name}' ORDER BY ordinal_position")
    assert columns == {"other-columns": [("id",), ("x",)], "same-columns": [("id",), ("v",)], "a-view": [("id",)]}[name]


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_target_is_told(told, name):
    _, reason, condition, words, _ = WRONG[name]
    told.check(name, reason, words, condition)


def test_what_was_made_before_the_refusal_is_on_record(bad, told):
    """Source and CDC table exist by then: status lists them with RisingWave's ids, the audit has their statements."""
    ids = {name: found for found, name in bad.rw.query("SELECT id, name FROM rw_catalog.rw_relations")}
    for name in ("replicas", "own-database"):
        def recorded(name=name):
            objects = {o["kind"]: o for o in bad.listed(NAMESPACE)[name]["status"].get("objects", [])}
            return {"Source", "Table"} <= set(objects) and all(
                objects[kind].get("id") == ids.get(objects[kind]["name"].split(".")[1]) and objects[kind]["state"] == "Ready"
                for kind in ("Source", "Table")) and objects["TargetTable"]["state"] == "Pending"

        wait_until(f"{name}: status lists what exists", recorded, 10)
        steps = audit(bad, name, NAMESPACE)["steps"]
        done = [s["statement"].split()[1] for s in steps if s["result"] == "Succeeded"]
        assert done.count("TABLE") == 1 and "SINK" not in done, done
        assert [s["code"] for s in steps if s["result"] == "Failed"].count("5203" if name == "own-database" else "1064") >= 2


def test_what_is_known_beforehand_stops_everything(bad, told):
    """Rights that are missing are seen in SHOW GRANTS and in RisingWave's catalog: not one statement is tried."""
    for name in ("no-right", "no-founder", "half-right", "no-schema"):
        assert bad.get(name, namespace=NAMESPACE)["status"].get("objects", []) == []
        assert audit(bad, name, NAMESPACE)["steps"] == []


def test_refusals_cause_one_event_each(bad, told):
    """Retrying says nothing new: a Warning when it failed first, and no to and fro afterwards."""
    for name in ("replicas", "no-right"):
        was = bad.get(name, namespace=NAMESPACE)["status"]["retries"]
        count = {e["metadata"]["name"]: e.get("series", {}).get("count", 1) for e in bad.events(name, NAMESPACE)}
        wait_until("two more attempts", lambda: bad.listed(NAMESPACE)[name]["status"]["retries"] >= was + 2, 20)  # noqa: B023
        assert {e["metadata"]["name"]: e.get("series", {}).get("count", 1) for e in bad.events(name, NAMESPACE)} == count


def test_it_heals_when_the_target_is_put_right(bad, told):
    """Rights as the message says, the database, fewer replicas, another choice in the spec."""
    for name in ("no-right", "own-database", "half-right"):
        message = bad.condition(name, "Ready", NAMESPACE)["message"]
        for statement in re.findall(r"GRANT .+? TO USER '\w+'@'%'", message):
            bad.starrocks.query(statement)
    sys_.grant_starrocks(bad.starrocks, "absent")
    bad.rw.query("GRANT CREATE, CONNECT ON DATABASE dev TO stranger")
    for name, change in (("replicas", {"properties": {"replication_num": "1"}}), ("forbidden", {"create": "IfNotExists"})):
        bad.plane.kubectl("patch", "tsync", name, "-n", NAMESPACE, "--type=merge", "-p", json.dumps({"spec": {"target": change}}))
    for name in ("no-right", "own-database", "half-right", "no-database", "replicas", "forbidden", "no-schema"):
        bad.wait_ready(name, namespace=NAMESPACE)
        target = bad.get(name, namespace=NAMESPACE)["status"]["target"]["display"]
        assert bad.target_rows(f"{target.split('.')[0]}.`{target.split('.')[1]}`") == [(1, 10)]


def test_a_stalled_target_goes_on_after_the_retry_annotation(bad, told):
    for name in EXISTING:
        bad.starrocks.query(f"DROP {'VIEW' if name == 'a-view' else 'TABLE'} ods.`{name}`")
    bad.plane.kubectl("annotate", "tablesyncs", *EXISTING, "-n", NAMESPACE, "tablesync.dev/retry=now")
    for name in EXISTING:
        bad.wait_ready(name, namespace=NAMESPACE)


def test_a_column_dropped_by_hand_is_told(bad, told):
    """The column is named; nobody repairs a table behind its owner's back; back again, it goes on."""
    name = "same-columns"
    bad.wait_ready(name, namespace=NAMESPACE)
    bad.starrocks.query(f"ALTER TABLE ods.`{name}` DROP COLUMN v")
    message = bad.wait_condition(name, "Ready", "False", "TargetDrift", namespace=NAMESPACE)["message"]
    for word in (f"ods.{name}", "'v' is missing"):
        assert word in message, message
    assert bad.condition(name, "Stalled", NAMESPACE)["status"] == "True"
    assert [c for (c,) in bad.starrocks.query("SELECT column_name FROM information_schema.columns WHERE table_schema = 'ods'"
                                              f" AND table_name = '{name}'")] == ["id"]
    bad.starrocks.query(f"ALTER TABLE ods.`{name}` ADD COLUMN v INT NULL")
    bad.wait_ready(name, namespace=NAMESPACE)  # at the next look: a stream that stalls is looked at like others


# --- two resources, one target ---

def test_the_older_of_two_resources_wins(bad):
    """The younger names it, touches nothing, and goes on when the older lets go."""
    older, younger = unique("older"), unique("younger")
    table = unique("rival")
    bad.apply(sync(older, target={"table": table}))
    bad.wait_ready(older, namespace=NAMESPACE)
    bad.apply(sync(younger, target={"table": table}, retry=QUICK))
    told = Told(bad, NAMESPACE, {younger: "OwnedByAnother"})
    told.check(younger, "OwnedByAnother", (f"TableSync {NAMESPACE}/{older}", f"ods.{table}", "older", "spec.target.table"),
               "TargetTableReady")
    assert told.objects[younger]["status"].get("objects", []) == []
    assert condition_of(told.objects[older], "Ready")["status"] == "True"
    bad.delete(older, namespace=NAMESPACE)
    bad.wait_ready(younger, namespace=NAMESPACE)
    assert bad.target_rows(f"ods.{table}") == [(1, 10)]


def test_between_namespaces_the_mark_decides(bad):
    """Whoever marked the table first keeps it, and the other is told the name behind the uid."""
    elsewhere, name = f"{NAMESPACE}-2", unique("guest")
    owner = unique("owner")
    bad.connect(elsewhere)
    try:
        bad.apply(sync(owner, target={"table": name}))
        bad.wait_ready(owner, namespace=NAMESPACE)
        bad.apply(sync(name, elsewhere, retry=QUICK))
        told = Told(bad, elsewhere, {name: "OwnedByAnother"})
        uid = bad.get(owner, namespace=NAMESPACE)["metadata"]["uid"]
        told.check(name, "OwnedByAnother", (f"ods.{name}", uid, f"TableSync {NAMESPACE}/{owner}", "spec.target.table"),
                   "TargetTableReady")
        assert told.objects[name]["status"].get("objects", []) == []
        bad.delete(owner, namespace=NAMESPACE)
        bad.wait_ready(name, namespace=elsewhere)
    finally:
        bad.clear(elsewhere)


# --- clusters of one test alone, put into bad states ---

@pytest.mark.parametrize("may_know", [True, False], ids=["may-list-backends", "may-not"])
def test_no_live_backend_is_waited_for(bad, tmp_path, may_know):
    """Nothing is created in StarRocks meanwhile; it goes on when a backend is back."""
    name = "backends" if may_know else "unknown"
    cluster = sys_.StarRocks(tmp_path).start()
    try:
        sys_.prepare_starrocks(cluster)
        if may_know:
            cluster.query("GRANT OPERATE ON SYSTEM TO USER 'tablesync'@'%'")
        control(cluster.ports["control-port"], "/backends", {"alive": 0})
        bad.apply(secret_manifest(f"dead-{name}", "tablesync", STARROCKS_PASSWORD, NAMESPACE),
                  connection_manifest(f"dead-{name}", "StarRocks", cluster.port, NAMESPACE,
                                      starRocks={"httpPort": cluster.ports["http-port"]}))
        bad.apply(sync(name, warehouse=f"dead-{name}", retry=QUICK))
        told = Told(bad, NAMESPACE, {name: "NoBackends"})
        told.check(name, "NoBackends", ("backend",), "TargetTableReady")
        control(cluster.ports["control-port"], "/backends", {"alive": 1})
        bad.wait_ready(name, namespace=NAMESPACE)
        assert cluster.query(f"SELECT id, v FROM ods.{name}") == [(1, 10)]
        bad.delete(name, namespace=NAMESPACE)
    finally:
        cluster.stop()


def test_ready_comes_after_the_first_delivery(bad):
    """A sink that commits every few seconds: the snapshot is complete long before, and Ready waits for the rows."""
    bad.apply(sync("slow", sink={"commitCheckpointInterval": 60}))
    bad.wait_condition("slow", "SnapshotComplete", "True", namespace=NAMESPACE)
    bad.wait_condition("slow", "SinkReady", "False", "BackfillRunning", namespace=NAMESPACE)
    bad.wait_ready("slow", namespace=NAMESPACE)
    assert bad.target_rows("ods.slow") == [(1, 10)]
    bad.delete("slow", namespace=NAMESPACE)


def test_a_sink_that_cannot_load_is_never_ready(bad, tmp_path):
    """The snapshot is complete and the sink exists, yet no row arrives: told in StarRocks' words, and healed by time."""
    cluster = sys_.StarRocks(tmp_path).start()
    try:
        sys_.prepare_starrocks(cluster)
        control(cluster.ports["control-port"], "/load", {"fail": "the disk is full", "on": "load"})
        bad.apply(secret_manifest("full", "tablesync", STARROCKS_PASSWORD, NAMESPACE),
                  connection_manifest("full", "StarRocks", cluster.port, NAMESPACE,
                                      starRocks={"httpPort": cluster.ports["http-port"]}))
        bad.apply(sync("full", warehouse="full", retry=QUICK))
        found = bad.wait_condition("full", "SinkReady", "False", "SinkFailed", namespace=NAMESPACE)
        assert "the disk is full" in found["message"]
        bad.wait_condition("full", "Ready", "False", "SinkFailed", namespace=NAMESPACE)
        wait_until("the Event", lambda: "SinkFailed" in {e["reason"] for e in bad.events("full", NAMESPACE)}, 10)
        assert "Streaming" not in {e["reason"] for e in bad.events("full", NAMESPACE)}, "it was Ready in between"
        control(cluster.ports["control-port"], "/load", {"fail": None})
        bad.wait_ready("full", namespace=NAMESPACE)
        assert cluster.query("SELECT id, v FROM ods.full") == [(1, 10)]
        bad.delete("full", namespace=NAMESPACE)
    finally:
        cluster.stop()


def test_a_recovering_risingwave_is_waited_for(bad, tmp_path):
    cluster = sys_.RisingWave(tmp_path).start()
    try:
        sys_.prepare_risingwave(cluster)
        bad.apply(secret_manifest("recovering", "tablesync", RISINGWAVE_PASSWORD, NAMESPACE),
                  connection_manifest("recovering", "RisingWave", cluster.port, NAMESPACE))
        control(cluster.ports["control-port"], "/recovering", {"on": True})
        bad.apply(sync("recovering", rw="recovering", retry=QUICK))
        told = Told(bad, NAMESPACE, {"recovering": "Recovering"})
        told.check("recovering", "Recovering", ("recovering",), "SourceReady")
        control(cluster.ports["control-port"], "/recovering", {"on": False})
        bad.wait_ready("recovering", namespace=NAMESPACE)
        bad.delete("recovering", namespace=NAMESPACE)
    finally:
        cluster.stop()
