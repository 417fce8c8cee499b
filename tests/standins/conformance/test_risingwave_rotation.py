"""Rotated passwords: what takes them, what refuses them, and what is late meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster.mysql import Server

from .lab import CDC_OPTIONS, Lab, new_database
from .process import StandIn
from .sources import oracle  # noqa: F401 - fixture

_TABLE = "CREATE TABLE {} (id INT, v VARCHAR, PRIMARY KEY (id)) FROM src TABLE '{}.t'"
_TARGET = ("CREATE TABLE ods.t (id INT NOT NULL, v VARCHAR(80)) PRIMARY KEY (id) DISTRIBUTED BY HASH (id) "
           "PROPERTIES ('replication_num' = '1')")
_GHOSTS = ("SELECT DISTINCT l.\"t_id\"::VARCHAR AS \"k1\" FROM \"public\".\"{}\" AS l LEFT JOIN (SELECT "
           "(\"id\")::VARCHAR AS \"k1\" FROM \"public\".\"t\") AS c ON c.\"k1\" = l.\"t_id\"::VARCHAR WHERE "
           "l.kv_log_store_row_op IN (2, 4) AND c.\"k1\" IS NULL ORDER BY 1 LIMIT {} OFFSET {}")


def _account(mysql: Server, name: str, password: str) -> None:
    mysql.execute(f"GRANT ALL ON *.* TO {name}@'%' IDENTIFIED BY '{password}'")


def _source(lab: Lab, database: str, user: str, password: str) -> None:
    lab.do(f"CREATE SOURCE src WITH (connector='mysql-cdc', hostname='127.0.0.1', port='{lab.mysql.port}', "
           f"username='{user}', password='{password}', database.name='{database}', server.id='5620', {CDC_OPTIONS})",
           _TABLE.format("t", database))
    lab.snapshot_done("t")


@pytest.mark.parametrize("option", ["server.id='7777'", "ssl.mode='required'", "database.name='other'"])
def test_a_source_takes_only_address_and_account(oracle: Server, option: str) -> None:
    """verified.md 37, word for word."""
    new_database(oracle, "rotfix", "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(40))")
    with Lab(oracle) as lab:
        lab.create_source("rotfix")
        assert lab.refused(f"ALTER SOURCE src CONNECTOR WITH ({option})") == (
            "ERROR:  Failed to run the query\n\nCaused by these errors (recent errors listed first):\n"
            "  1: gRPC request to meta service (call `/meta.StreamManagerService/AlterConnectorProps`) failed: "
            f"Internal error\n  2: Field '{option.partition('=')[0]}' is not allowed to be altered on the fly for "
            "connector: mysql-cdc")


@pytest.mark.parametrize("option", ["starrocks.password='x'", "starrocks.host='other'", "starrocks.user='u'",
                                    "starrocks.mysqlport='1'", "primary_key='v'"])
def test_a_sink_takes_neither(oracle: Server, starrocks: StandIn, option: str) -> None:
    """verified.md 38."""
    new_database(oracle, "rotfix", "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(40))")
    with Lab(oracle, starrocks) as lab:
        lab.create_source("rotfix")
        lab.do(_TABLE.format("t", "rotfix"))
        lab.on_starrocks("CREATE DATABASE ods", _TARGET)
        lab.do(f"CREATE SINK k FROM t WITH ({lab.sink_options('t')})")
        assert (f"Field '{option.partition('=')[0]}' is not allowed to be altered on the fly for sink: starrocks"
                ) in lab.refused(f"ALTER SINK k CONNECTOR WITH ({option})")


def test_user_and_password_together_and_a_pause(oracle: Server) -> None:
    """chain.md: the new account is tried first; one restart for both; the pause is of a chosen length."""
    new_database(oracle, "rotsrc", "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(60))",
                 "INSERT INTO t VALUES (1, 'a')")
    _account(oracle, "rotone", "one")
    _account(oracle, "rottwo", "tw''o \\\\ 密")
    with Lab(oracle, arguments=("--restart-barriers", "1000")) as lab:
        _source(lab, "rotsrc", "rotone", "one")
        refusal = lab.refused("ALTER SOURCE src CONNECTOR WITH (username='rottwo', password='one')")
        assert ("`/meta.StreamManagerService/AlterConnectorProps`) failed: Internal error\n"
                "  2: failed to create SplitEnumerator\n  3: source cannot pass validation\n"
                "  4: Internal error: Access denied for user 'rottwo'@") in refusal
        oracle.execute("INSERT INTO rotsrc.t VALUES (2, 'not disturbed')")
        lab.eventually("SELECT count(*) FROM t", [[2]])
        lab.do("ALTER SOURCE src CONNECTOR WITH (username='rottwo', password='tw''o \\ 密')")
        oracle.execute("INSERT INTO rotsrc.t VALUES (3, 'late')")
        lab.barriers(20)
        assert lab.value("SELECT count(*) FROM t") == 2
        lab.server.control("/restart-barriers", {"barriers": 1})
        lab.do("ALTER SOURCE src CONNECTOR WITH (password='tw''o \\ 密')")
        lab.eventually("SELECT count(*) FROM t", [[3]])
        props = lab.value("SELECT connector_props FROM rw_catalog.rw_sources WHERE name = 'src'")
        assert (props["username"], props["password"]) == (
            {"type": "plaintext", "value": "rottwo"}, {"type": "plaintext", "value": "tw'o \\ 密"})


def test_stored_properties_are_used_after_a_restart(oracle: Server, tmp_path: Path) -> None:
    """An open connection outlives its password, a restart of RisingWave does not."""
    new_database(oracle, "rotres", "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(60))",
                 "INSERT INTO t VALUES (1, 'a')")
    _account(oracle, "rotres", "one")
    with Lab(oracle, barrier_ms=20, data=tmp_path / "rw", arguments=("--restart-barriers", "1")) as lab:
        _source(lab, "rotres", "rotres", "one")
        oracle.execute("SET PASSWORD FOR rotres@'%' = PASSWORD('two')", "INSERT INTO rotres.t VALUES (2, 'open')")
        lab.eventually("SELECT count(*) FROM t", [[2]])
        lab.stop()
        oracle.execute("INSERT INTO rotres.t VALUES (3, 'locked out')")
        lab.start()
        lab.barriers(50)
        assert lab.value("SELECT count(*) FROM t") == 2
        lab.do("ALTER SOURCE src CONNECTOR WITH (password='two')")
        lab.eventually("SELECT count(*) FROM t", [[3]])


def test_a_dead_starrocks_password(oracle: Server, starrocks: StandIn) -> None:
    """verified.md 38: the log store keeps what the old sink cannot deliver, deletes included; its successor's
    backfill brings every row but no delete, so the keys it lacks have to be deleted by hand."""
    new_database(oracle, "rotsnk", "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(40))",
                 "INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd')")
    with Lab(oracle, starrocks) as lab:
        lab.create_source("rotsnk")
        lab.do(_TABLE.format("t", "rotsnk"))
        lab.snapshot_done("t")
        lab.on_starrocks("CREATE DATABASE ods", _TARGET, "CREATE USER loader IDENTIFIED BY 'one'",
                         "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN DATABASE ods TO loader")
        account = lab.sink_options("t").replace("starrocks.user='root', starrocks.password=''",
                                                "starrocks.user='loader', starrocks.password='{}'")
        lab.do(f"CREATE SINK k_v1 FROM t WITH ({account.format('one')})")
        lab.starrocks_has("SELECT count(*) FROM ods.t", [[4]])
        log = lab.log_store("k_v1")
        pending = f'SELECT count(*) FROM "{log}" WHERE kv_log_store_row_op <> 6'
        lab.eventually(pending, [[0]])
        assert lab.rows(f'SELECT * FROM "{log}" WHERE kv_log_store_row_op = 2 LIMIT 1') == []
        empty = lab.ask(f'SELECT * FROM "{log}" WHERE kv_log_store_row_op = 2 LIMIT 1')
        assert [name for name, _ in empty.columns] == [
            "kv_log_store_epoch", "kv_log_store_seq_id", "kv_log_store_vnode", "kv_log_store_row_op", "t_id", "t_v"]

        lab.on_starrocks("ALTER USER loader IDENTIFIED BY 'two'")
        oracle.execute("USE rotsnk", "DELETE FROM t WHERE id IN (2, 3)", "UPDATE t SET v = 'aa' WHERE id = 1",
                       "INSERT INTO t VALUES (5, 'e')", "DELETE FROM t WHERE id = 4",
                       "INSERT INTO t VALUES (4, 'again')")
        lab.eventually("SELECT count(*) > 0 FROM rw_catalog.rw_event_logs WHERE event_type = 'SINK_FAIL'", [[True]])
        lab.eventually("SELECT id FROM t ORDER BY id", [[1], [4], [5]])
        assert lab.value(pending) >= 4
        assert "Access denied for user 'loader'" in lab.refused(
            f"CREATE SINK k_v2 FROM t WITH ({account.format('one')})")
        lab.do("ALTER SINK k_v1 SET sink_rate_limit TO 0")
        assert lab.rows(_GHOSTS.format(log, 10, 0)) == [["2"], ["3"]]
        assert lab.rows(_GHOSTS.format(log, 1, 1)) == [["3"]]
        assert lab.rows(_GHOSTS.format(log, 10, 2)) == []

        lab.do(f"CREATE SINK k_v2 FROM t WITH ({account.format('two')})")
        lab.starrocks_has("SELECT id, v FROM ods.t ORDER BY id",
                          [[1, "aa"], [2, "b"], [3, "c"], [4, "again"], [5, "e"]])
        lab.on_starrocks("DELETE FROM ods.t WHERE id IN (2, 3)")
        lab.do("DROP SINK k_v1")
        lab.starrocks_has("SELECT id FROM ods.t ORDER BY id", [[1], [4], [5]])
