"""The drivers on what an account may do, what a server holds, and what rotation asks for."""

import contextlib

import pytest

from cluster.processes import wait_until
from standins.conformance.connections import MySqlConn, PostgresConn
from standins.conformance.process import StandIn

from .probe import PASSWORD, USER, Probe, refused


@contextlib.contextmanager
def admin_of(connection):
    """Runs statements that must succeed."""
    def run(*statements):
        for sql in statements:
            answer = connection.execute(sql)
            assert answer.error is None, (sql, answer.error)
        return answer
    try:
        yield run
    finally:
        connection.close()


# --- MySQL ---

def test_source_lists_databases(source):
    source.execute("DROP DATABASE IF EXISTS `Zoo`", "CREATE DATABASE `Zoo`")
    try:
        with Probe("MySQL", source.port) as probe:
            names = probe.value("databases")["names"]
        assert {"Zoo", "shop"} <= set(names) and names == sorted(names)
        assert not {"mysql", "information_schema", "performance_schema", "sys"} & set(names)
        with Probe("MySQL", source.port, user="narrow", password="narrow-pw") as probe:
            assert "Zoo" not in probe.value("databases")["names"]
            assert "shop" in probe.value("databases")["names"]
    finally:
        source.execute("DROP DATABASE `Zoo`")


def test_source_lists_tables(source):
    source.execute("DROP DATABASE IF EXISTS `li st`", "CREATE DATABASE `li st`",
                   "CREATE TABLE `li st`.plain (id BIGINT PRIMARY KEY, v INT, UNIQUE KEY (v))",
                   "CREATE TABLE `li st`.`Two Keys` (a INT, b INT, c INT, PRIMARY KEY (c, a))",
                   "CREATE TABLE `li st`.keyless (v INT, UNIQUE KEY (v))",
                   "CREATE VIEW `li st`.seen AS SELECT 1 AS one", "INSERT INTO `li st`.plain VALUES (1, 1), (2, 2)",
                   "ANALYZE TABLE `li st`.plain")
    try:
        with Probe("MySQL", source.port) as probe:
            probe.value("table", database="li st", table="plain")  # asks for fresh statistics
            found = probe.value("tables", database="li st")["tables"]
            assert [(t["name"], t["type"], t["key"]) for t in found] == [
                ("Two Keys", "BASE TABLE", ["c", "a"]), ("keyless", "BASE TABLE", []), ("plain", "BASE TABLE", ["id"]),
                ("seen", "VIEW", [])]
            assert found[2]["rows"] == 2
            assert probe.value("tables", database="no such") == {"tables": []}
    finally:
        source.execute("DROP DATABASE `li st`")


def test_source_unparseable_columns(maria, oracle):
    maria.execute("DROP DATABASE IF EXISTS odd", "CREATE DATABASE odd",
                  "CREATE TABLE odd.b (id INT PRIMARY KEY, `ip 6` INET6)",
                  "CREATE TABLE odd.a (id UUID PRIMARY KEY, v INT, ip INET4)",
                  "CREATE TABLE odd.fine (id INT PRIMARY KEY)")
    try:
        with Probe("MySQL", maria.port) as probe:
            assert probe.value("unparseable", database="odd")["columns"] == [
                "a.id (uuid)", "a.ip (inet4)", "b.ip 6 (inet6)"]
            assert probe.value("unparseable", database="nowhere") == {"columns": []}
    finally:
        maria.execute("DROP DATABASE odd")
    with Probe("MySQL", oracle.port) as probe:
        assert probe.value("unparseable", database="shop") == {"columns": []}


# --- StarRocks ---

def test_target_grants(starrocks):
    port = starrocks.ports["mysql"]
    with Probe("StarRocks", port, user="root", password="") as probe:
        told = probe.value("probe")
        assert told["root"] is True and told["grants"] == ["GRANT 'root' TO 'root'@'%'"]
    with admin_of(MySqlConn("127.0.0.1", port, "root")) as run:
        run("CREATE USER 'granted'@'%' IDENTIFIED BY 'granted-pw'", "CREATE DATABASE granted",
            "GRANT CREATE TABLE ON DATABASE granted TO USER 'granted'@'%'",
            "GRANT SELECT, INSERT ON ALL TABLES IN DATABASE granted TO USER 'granted'@'%'")
        with Probe("StarRocks", port, user="granted", password="granted-pw") as probe:
            told = probe.value("probe")
            assert told["root"] is False
            assert told["grants"] == [
                "GRANT INSERT, SELECT ON ALL TABLES IN DATABASE granted TO USER 'granted'@'%'",
                "GRANT CREATE TABLE ON DATABASE granted TO USER 'granted'@'%'"]
            # Another one's role is of no use before it is active.
            run("GRANT root TO USER 'granted'@'%'")
            told = probe.value("probe")
            assert told["root"] is False and told["grants"][0] == "GRANT 'root' TO 'granted'@'%'"
        run("SET DEFAULT ROLE ALL TO 'granted'@'%'")
        with Probe("StarRocks", port, user="granted", password="granted-pw") as probe:
            assert probe.value("probe")["root"] is True


# --- RisingWave ---

def test_stream_account(risingwave):
    port = risingwave.ports["port"]
    with Probe("RisingWave", port, user="root", password="", database="dev") as probe:
        told = probe.value("probe")
        assert (told["superuser"], told["mayCreate"], told["mayConnect"]) == (True, 1, 1)
        assert told["license"] == "no licensed features"
        assert {"SecretManagement", "CdcAutoSchemaChange"} <= set(told["unavailableFeatures"])
        risingwave.control("/license", {"available": True})
        try:
            told = probe.value("probe")
            assert (told["license"], told["unavailableFeatures"]) == ("all features", [])
        finally:
            risingwave.control("/license", {"available": False})
    name = "lo,wly-1"  # the catalog's list quotes it
    with admin_of(PostgresConn("127.0.0.1", port, "root")) as run:
        run(f'CREATE USER "{name}" WITH PASSWORD \'lowly-pw\'')
        with Probe("RisingWave", port, user=name, password="lowly-pw", database="dev") as probe:
            told = probe.value("probe")
            assert (told["superuser"], told["mayCreate"], told["mayConnect"]) == (False, 0, 1)
            assert told["actors"] >= 0 and told["parallelism"] == 2
            run(f'GRANT CREATE, CONNECT ON DATABASE dev TO "{name}"')
            told = probe.value("probe")
            assert (told["superuser"], told["mayCreate"], told["mayConnect"]) == (False, 1, 1)


@pytest.fixture
def empty_stream():
    with StandIn("standins.risingwave", "--port", "0", "--control-port", "0", "--barrier-ms", "100",
                 "--restart-barriers", "5", "--cores", "3") as server:
        yield server


def _digest(probe, schema):
    catalog = probe.value("catalog", schema=schema)
    return ({source["name"]: source.get("passwordDigest") for source in catalog["sources"]},
            {name: sink.get("passwordDigest") for name, sink in catalog["sinks"].items()})


def test_stream_rotation(empty_stream, maria, starrocks):
    """Digests follow the passwords, actors the jobs, and the log store gives up what nobody deleted."""
    maria.execute("DROP TABLE IF EXISTS shop.ghosts", "CREATE TABLE shop.ghosts (id BIGINT PRIMARY KEY, v INT)",
                  "INSERT INTO shop.ghosts VALUES (1, 1), (2, 2), (3, 3), (30, 30)",
                  "GRANT ALL ON *.* TO 'spin'@'%' IDENTIFIED BY 'one'")
    port = empty_stream.ports["port"]
    ports = starrocks.ports
    with admin_of(MySqlConn("127.0.0.1", ports["mysql"], "root")) as run:
        run("CREATE DATABASE spin", "CREATE TABLE spin.ghosts (id BIGINT NOT NULL, v INT) PRIMARY KEY (id) "
            "DISTRIBUTED BY HASH (id) PROPERTIES ('replication_num' = '1')", "CREATE USER spin IDENTIFIED BY 'one'",
            "GRANT SELECT, INSERT ON ALL TABLES IN DATABASE spin TO spin")
    with Probe("RisingWave", port, user="root", password="", database="dev") as probe, \
            admin_of(PostgresConn("127.0.0.1", port, "root")) as run:
        assert (probe.value("probe")["actors"], probe.value("probe")["parallelism"]) == (0, 3)
        run("CREATE SCHEMA spin",
            "CREATE SOURCE spin.src WITH (connector='mysql-cdc', hostname='127.0.0.1', "
            f"port='{maria.port}', username='spin', password='one', database.name='shop', server.id='5790')",
            "CREATE TABLE spin.t (id BIGINT, v INT, PRIMARY KEY (id)) FROM spin.src TABLE 'shop.ghosts'",
            "CREATE SINK spin.k FROM spin.t WITH (connector='starrocks', type='upsert', primary_key='id', "
            f"starrocks.host='127.0.0.1', starrocks.mysqlport='{ports['mysql']}', "
            f"starrocks.httpport='{ports['http']}', "
            "starrocks.user='spin', starrocks.password='one', starrocks.database='spin', starrocks.table='ghosts')")
        assert probe.value("probe")["actors"] > 3
        sources, sinks = _digest(probe, "spin")
        assert sources["src"] == sinks["k"], "the same password has the same digest"
        assert len(sources["src"]) == 16 and "one" not in sources["src"]

        maria.execute("SET PASSWORD FOR 'spin'@'%' = PASSWORD('two')")
        run("ALTER SOURCE spin.src CONNECTOR WITH (password='two')")
        changed, _ = _digest(probe, "spin")
        assert changed["src"] not in (None, sources["src"])

        internals = probe.value("catalog", schema="spin")["internals"]
        log = next(name for name in internals if name.startswith("__internal_k_") and "_sink_" in name)
        offset = next(name for name in internals if name.startswith("__internal_src_"))
        assert probe.value("logColumns", schema="spin", name=log) == {"columns": ["t_id", "t_v"]}

        def ghosts(**arguments):
            return probe.call("ghostKeys", schema="spin", name=log, table="t", column="t_id", **arguments)

        wait_until("rows in the table", lambda: probe.value("rows", schema="spin", name="t")["rows"] == 4, 30)
        wait_until("a drained sink", lambda: probe.value("backlog", schema="spin", name=log)["undelivered"] == 0, 60)
        assert ghosts()["value"] == {"width": 1, "cells": []}
        run("ALTER SINK spin.k SET sink_rate_limit TO 0")
        maria.execute("DELETE FROM shop.ghosts WHERE id <> 1", "INSERT INTO shop.ghosts VALUES (30, 31)")
        # What is in the log, and not yet in the table, would look like a deletion.
        wait_until("the insertion in the table", lambda: probe.value("rows", schema="spin", name="t")["rows"] == 2, 30)
        wait_until("deletions in the log", lambda: ghosts()["value"]["cells"] == ["2", "3"], 60)
        assert ghosts(offset=1)["value"]["cells"] == ["3"]
        refused(ghosts(width=2), "Bug", "InternalError", "1 columns were read, 2 belong to the key")

        seen = probe.value("offset", schema="spin", name=offset)
        assert seen["file"].startswith("mysql-bin.")
        now_ms = probe.value("backlog", schema="spin", name=log)["nowMs"]
        assert 0 <= now_ms - seen["eventMs"] < 600_000 and seen["eventMs"] % 1000 == 0


def test_stream_missing_log_store(empty_stream):
    with Probe("RisingWave", empty_stream.ports["port"], user="root", password="", database="dev") as probe:
        refused(probe.call("logColumns", schema="public", name="__internal_gone_1_sink_2"), "Refused", "Blocked",
                "__internal_gone_1_sink_2", "log store")


def test_secrets_show_no_digest(empty_stream, maria):
    empty_stream.control("/license", {"available": True})
    port = empty_stream.ports["port"]
    quoted = PASSWORD.replace("'", "''")
    with admin_of(PostgresConn("127.0.0.1", port, "root")) as run:
        run("CREATE SCHEMA hidden", f"CREATE SECRET hidden.pw WITH (backend = 'meta') AS '{quoted}'",
            "CREATE SOURCE hidden.src WITH (connector='mysql-cdc', hostname='127.0.0.1', "
            f"port='{maria.port}', username='{USER}', password=SECRET hidden.pw, database.name='shop', "
            "server.id='5791')")
    with Probe("RisingWave", port, user="root", password="", database="dev") as probe:
        assert _digest(probe, "hidden") == ({"src": None}, {})
