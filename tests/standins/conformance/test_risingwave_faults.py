"""What goes wrong around RisingWave, and how little of it RisingWave says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cluster.mysql import Server

from .lab import Lab, new_database
from .pgraw import PgRaw, fields, kinds
from .process import StandIn
from .sources import either, mariadb, oracle  # noqa: F401 - fixtures

_TARGET = ("CREATE TABLE ods.t (id INT NOT NULL, v VARCHAR(80)) PRIMARY KEY (id) DISTRIBUTED BY "
           "HASH (id) PROPERTIES ('replication_num' = '1')")
_TABLE = "CREATE TABLE t (id INT, v VARCHAR, PRIMARY KEY (id)) FROM src TABLE '{}.t'"


def _database(server: Server, name: str, rows: int = 2) -> None:
    values = ", ".join(f"({n}, 'v{n}')" for n in range(1, rows + 1))
    new_database(server, name, "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(40))",
                 f"INSERT INTO t VALUES {values}")


def _with_table(lab: Lab, database: str) -> None:
    lab.create_source(database)
    lab.do(_TABLE.format(database))
    lab.snapshot_done("t")


def _with_sink(lab: Lab, database: str) -> str:
    """Table and sink, drained; the log store's name."""
    _with_table(lab, database)
    lab.on_starrocks("CREATE DATABASE ods", _TARGET)
    lab.do(f"CREATE SINK k FROM t WITH ({lab.sink_options('t')})")
    log = f'"{lab.log_store("k")}"'
    lab.eventually(f"SELECT count(*) FROM {log} WHERE kv_log_store_row_op <> 6", [[0]])
    return log


def test_starrocks_down(oracle: Server, starrocks: StandIn) -> None:
    """verified.md 13: events, nothing in the catalog, rows kept in the log store."""
    _database(oracle, "down")
    with Lab(oracle, starrocks) as lab:
        log = _with_sink(lab, "down")
        starrocks.stop()
        oracle.execute("USE down", "INSERT INTO t VALUES (3,'new')", "DELETE FROM t WHERE id = 1")
        lab.eventually(f"SELECT kv_log_store_row_op, t_id FROM {log} WHERE "
                       "kv_log_store_row_op <> 6 ORDER BY 1", [[1, 3], [2, 1]])
        lab.eventually("SELECT count(*) > 0 FROM rw_catalog.rw_event_logs WHERE event_type = "
                       "'SINK_FAIL'", [[True]])
        info = lab.value("SELECT info FROM rw_catalog.rw_event_logs WHERE event_type = 'SINK_FAIL'")
        assert info["sinkFail"]["sinkName"] == "k"
        assert info["sinkFail"]["error"].startswith(
            "Doris/Starrocks connect error: sending stream load request failed: error sending "
            "request for url (http://127.0.0.1:")
        assert "Connection refused (os error 111)" in info["sinkFail"]["error"]
        assert lab.rows("SELECT status FROM rw_catalog.rw_streaming_jobs WHERE name = 'k'") == [
            ["CREATED"]]
        lab.do("DROP SINK k")


def test_a_target_that_vanished_fails_the_sink(oracle: Server, starrocks: StandIn) -> None:
    _database(oracle, "gone")
    with Lab(oracle, starrocks) as lab:
        _with_sink(lab, "gone")
        lab.on_starrocks("DROP TABLE ods.t FORCE")
        oracle.execute("INSERT INTO gone.t VALUES (3,'new')")
        lab.eventually("SELECT count(*) > 0 FROM rw_catalog.rw_event_logs WHERE event_type = "
                       "'SINK_FAIL'", [[True]])
        lab.on_starrocks(_TARGET)
        lab.starrocks_has("SELECT id FROM ods.t ORDER BY id", [[3]])


def test_log_store_and_lag(oracle: Server, starrocks: StandIn) -> None:
    """verified.md 36: barriers, undelivered rows, the oldest undelivered moment."""
    _database(oracle, "lag")
    with Lab(oracle, starrocks) as lab:
        log = _with_sink(lab, "lag")
        lab.do("ALTER SINK k SET sink_rate_limit TO 0")
        oracle.execute("USE lag", "BEGIN", "INSERT INTO t VALUES (101,'x'),(102,'y')",
                       "UPDATE t SET v = 'z' WHERE id = 101", "DELETE FROM t WHERE id = 102",
                       "COMMIT")
        lab.eventually(f"SELECT kv_log_store_row_op, t_id, t_v FROM {log} WHERE "
                       "kv_log_store_row_op <> 6", [[1, 101, "z"]])
        lab.barriers(20)
        assert lab.value(f"SELECT count(*) FROM {log} WHERE kv_log_store_row_op = 6") >= 20 * 256
        oldest = ("SELECT extract(epoch FROM now() - to_timestamp(((min(kv_log_store_epoch) + "
                  f"9223372036854775807 + 1) >> 16) / 1000.0 + 1617235200)) FROM {log}")
        assert 0.9 < float(lab.value(oldest)) < 120
        described = [row[0] for row in lab.rows(f"DESCRIBE {log}")]
        assert described[:6] == ["kv_log_store_epoch", "kv_log_store_seq_id", "kv_log_store_vnode",
                                 "kv_log_store_row_op", "t_id", "t_v"]
        lab.do("ALTER SINK k SET sink_rate_limit TO default")
        lab.starrocks_has("SELECT v FROM ods.t WHERE id = 101", [["z"]])
        lab.eventually(f"SELECT count(*) <= 20 * 256 FROM {log}", [[True]])


def test_backfill_progress_and_cancel(oracle: Server, starrocks: StandIn) -> None:
    """verified.md 35."""
    _database(oracle, "back", rows=600)
    with Lab(oracle, starrocks) as lab:
        _with_table(lab, "back")
        lab.on_starrocks("CREATE DATABASE ods", _TARGET)
        lab.do("SET background_ddl = true", "SET backfill_rate_limit = 20",
               f"CREATE SINK k FROM t WITH ({lab.sink_options('t')})")
        (progress,) = lab.rows("SELECT job_name, upstream_table_name, progress FROM "
                               "rw_catalog.rw_fragment_backfill_progress")
        assert progress[:2] == ["public.k", "public.t"] and progress[2].endswith("/600)")
        (job,) = lab.rows("SHOW JOBS")
        assert job[2] == "BACKGROUND" and "starrocks.password = ''" in job[1]
        assert lab.rows("SELECT create_type, backfill_type FROM rw_catalog.rw_ddl_progress") == [
            ["BACKGROUND", "SNAPSHOT_BACKFILL"]]
        lab.eventually("SELECT progress LIKE '0% (0/600)' FROM "
                       "rw_catalog.rw_fragment_backfill_progress", [[False]])
        lab.do(f"CANCEL JOBS {job[0]}")
        assert lab.rows("SELECT name FROM rw_catalog.rw_sinks") == []
        assert lab.rows("SHOW JOBS") == []
        lab.do(f"CREATE SINK k FROM t WITH ({lab.sink_options('t')}, snapshot='false')")
        assert lab.value("SELECT status FROM rw_catalog.rw_streaming_jobs WHERE name='k'") == \
            "CREATED"


def test_a_bad_server_id_brings_recovery(oracle: Server) -> None:
    """verified.md 9."""
    _database(oracle, "bad")
    with Lab(oracle) as lab:
        lab.create_source("bad")
        text = lab.refused(
            "CREATE SOURCE e6 WITH (connector='mysql-cdc', hostname='127.0.0.1', "
            f"port='{oracle.port}', username='root', password='', database.name='bad', "
            "server.id='notanumber')")
        assert text.endswith("2: failed to wait streaming job finish: failed over: database 1 "
                             "report failure from 2")
        text = lab.refused(_TABLE.format("bad"))
        assert text.endswith("2: The cluster is recovering\n  3: database 1 report failure from 2")
        lab.do("CREATE SCHEMA allowed_meanwhile")
        lab.eventually("SELECT recovery_state FROM rw_catalog.rw_recovery_info", [["RUNNING"]])
        lab.do(_TABLE.format("bad"))


def test_recovery_by_the_control_port(oracle: Server) -> None:
    _database(oracle, "rec")
    with Lab(oracle) as lab:
        _with_table(lab, "rec")
        lab.server.control("/recovering", {"on": True})
        assert lab.value("SELECT recovery_state FROM rw_catalog.rw_recovery_info") == "RECOVERING"
        assert "The cluster is recovering" in lab.refused(
            "ALTER TABLE t ADD COLUMN n INT")
        assert "The cluster is recovering" in lab.refused(
            "CREATE SINK b FROM t WITH (connector='blackhole')")
        oracle.execute("INSERT INTO rec.t VALUES (3,'c')")
        lab.barriers(5)
        assert lab.value("SELECT count(*) FROM t") == 2
        lab.server.control("/recovering", {"on": False})
        lab.eventually("SELECT count(*) FROM t", [[3]])
        lab.do("DROP TABLE t")


def test_secrets_need_the_license(oracle: Server) -> None:
    _database(oracle, "sec")
    source = ("CREATE SOURCE src WITH (connector='mysql-cdc', hostname='127.0.0.1', "
              f"port='{oracle.port}', username='root', password = secret pw, database.name='sec', "
              "server.id='5602')")
    with Lab(oracle) as lab:
        assert "feature SecretManagement is not available due to license error" in lab.refused(
            "CREATE SECRET pw WITH (backend='meta') AS ''")
        assert lab.value("SELECT available FROM rw_catalog.rw_features WHERE name = "
                         "'SecretManagement'") is False
        assert "secret not found: pw" in lab.refused(source)
        lab.server.control("/license", {"available": True})
        lab.do("CREATE SECRET pw WITH (backend='meta') AS ''", source, _TABLE.format("sec"))
        lab.eventually("SELECT count(*) FROM t", [[2]])
        shown = lab.value("SELECT connector_props FROM rw_catalog.rw_sources")
        assert shown["password"] == {"type": "secret", "value": {"value": "pw"}}
        assert "SECRET pw" in lab.value("SELECT definition FROM rw_catalog.rw_sources")


def test_an_altered_source_pauses_two_minutes_of_barriers(oracle: Server) -> None:
    """verified.md 12: nothing is lost, everything is late."""
    _database(oracle, "late")
    with Lab(oracle, barrier_ms=20) as lab:
        _with_table(lab, "late")
        lab.do(f"ALTER SOURCE src CONNECTOR WITH (port='{oracle.port}')")
        oracle.execute("INSERT INTO late.t VALUES (3,'late')")
        lab.barriers(100)
        assert lab.value("SELECT count(*) FROM t") == 2
        lab.eventually("SELECT count(*) FROM t", [[3]])


def test_a_wrong_new_password_changes_nothing(oracle: Server) -> None:
    """verified.md 37: old tables stream on, new tables are refused, the right one heals."""
    _database(oracle, "rot")
    oracle.execute("CREATE USER rotate@'%' IDENTIFIED BY 'one'", "GRANT ALL ON *.* TO rotate@'%'")
    with Lab(oracle, barrier_ms=20) as lab:
        lab.do("CREATE SOURCE src WITH (connector='mysql-cdc', hostname='127.0.0.1', "
               f"port='{oracle.port}', username='rotate', password='one', database.name='rot', "
               "server.id='5603')", _TABLE.format("rot"))
        lab.snapshot_done("t")
        oracle.execute("SET PASSWORD FOR rotate@'%' = PASSWORD('two')",
                       "INSERT INTO rot.t VALUES (3,'old connection')")
        lab.eventually("SELECT count(*) FROM t", [[3]])
        assert "Access denied for user 'rotate'" in lab.refused(
            _TABLE.format("rot").replace("TABLE t", "TABLE t2", 1))
        assert "Access denied for user 'rotate'" in lab.refused(
            "ALTER SOURCE src CONNECTOR WITH (password='three')")
        assert "'one'" in lab.value("SELECT definition FROM rw_catalog.rw_sources")
        lab.do("ALTER SOURCE src CONNECTOR WITH (password='two')",
               _TABLE.format("rot").replace("TABLE t", "TABLE t2", 1))
        assert "'''two'''" in lab.value("SELECT definition FROM rw_catalog.rw_sources")
        oracle.execute("INSERT INTO rot.t VALUES (4,'after')")
        lab.eventually("SELECT (SELECT count(*) FROM t), (SELECT count(*) FROM t2)", [[4, 4]])


def test_paused_source(oracle: Server) -> None:
    _database(oracle, "pause")
    with Lab(oracle, barrier_ms=20) as lab:
        _with_table(lab, "pause")
        lab.do("ALTER SOURCE src SET source_rate_limit TO 0")
        oracle.execute("INSERT INTO pause.t VALUES (3,'paused')")
        lab.barriers(10)
        assert lab.value("SELECT count(*) FROM t") == 2
        assert lab.rows("SELECT fragment_type, rate_limit FROM rw_catalog.rw_rate_limit") == [
            [["SOURCE"], 0]]
        lab.do("ALTER SOURCE src SET source_rate_limit TO default")
        lab.eventually("SELECT count(*) FROM t", [[3]])


@pytest.mark.parametrize("skip", [True, False])
def test_ddl_the_connector_cannot_parse(mariadb: Server, skip: bool) -> None:
    """verified.md 8: without the option one UUID column stops the stream of every table."""
    _database(mariadb, "odd")
    options = "debezium.schema.history.internal.skip.unparseable.ddl='true'" if skip else ""
    with Lab(mariadb) as lab:
        lab.create_source("odd", options=options)
        lab.do(_TABLE.format("odd"))
        lab.snapshot_done("t")
        mariadb.execute("USE odd", "CREATE TABLE odd_type (id INT PRIMARY KEY, u UUID)",
                        "INSERT INTO t VALUES (3,'after')")
        if skip:
            lab.eventually("SELECT count(*) FROM t", [[3]])
            return
        lab.barriers(60)
        assert lab.value("SELECT count(*) FROM t") == 2
        text = lab.refused(
            "CREATE SOURCE second WITH (connector='mysql-cdc', hostname='127.0.0.1', "
            f"port='{mariadb.port}', username='root', password='', database.name='odd', "
            "server.id='5604')")
        assert "failed to wait streaming job finish: failed over" in text


def test_a_quote_in_the_table_name_panics(oracle: Server) -> None:
    new_database(oracle, "pan", "CREATE TABLE `qu'ote` (id INT PRIMARY KEY)")
    with Lab(oracle) as lab:
        lab.create_source("pan")
        client = PgRaw(lab.port)
        client.start()
        messages = client.query(
            "CREATE TABLE n6 (id int, primary key(id)) FROM src TABLE 'pan.qu''ote'")
        assert kinds(messages) == "E", "and then the connection is gone"
        text = fields(messages[0][1])["M"]
        assert text.startswith("Panicked when handling the request: normalized SQL should be "
                               'parsable: TokenizerError("Unterminated string literal at line 1')
        assert "TABLE 'pan.qu'ote'" in text
        assert lab.value("SELECT count(*) FROM rw_catalog.rw_tables") == 0


def test_restart_keeps_everything_on_mysql(oracle: Server, starrocks: StandIn,
                                           tmp_path: Path) -> None:
    """verified.md 7 and 36: position, rows, log store and a rate limit of 0 survive."""
    _database(oracle, "keep")
    with Lab(oracle, starrocks, data=tmp_path) as lab:
        log = _with_sink(lab, "keep")
        lab.do("ALTER SINK k SET sink_rate_limit TO 0")
        oracle.execute("INSERT INTO keep.t VALUES (3,'before')")
        lab.eventually(f"SELECT count(*) FROM {log} WHERE kv_log_store_row_op = 1", [[1]])
        lab.stop()
        oracle.execute("USE keep", "UPDATE t SET v = 'while down' WHERE id = 1",
                       "INSERT INTO t VALUES (4,'d')")
        lab.start()
        lab.eventually("SELECT id, v FROM t ORDER BY id",
                       [[1, "while down"], [2, "v2"], [3, "before"], [4, "d"]])
        assert lab.value("SELECT rate_limit FROM rw_catalog.rw_rate_limit") == 0
        lab.do("ALTER SINK k SET sink_rate_limit TO default")
        lab.starrocks_has("SELECT id, v FROM ods.t ORDER BY id",
                          [[1, "while down"], [2, "v2"], [3, "before"], [4, "d"]])


def test_restart_on_mariadb_skips_a_row(mariadb: Server, tmp_path: Path) -> None:
    """verified.md 7."""
    _database(mariadb, "skip")
    with Lab(mariadb, data=tmp_path) as lab:
        _with_table(lab, "skip")
        mariadb.execute("INSERT INTO skip.t VALUES (3,'c')")
        lab.eventually("SELECT count(*) FROM t", [[3]])
        lab.stop()
        mariadb.execute("USE skip", "INSERT INTO t VALUES (4,'lost')",
                        "INSERT INTO t VALUES (5,'kept')")
        lab.start()
        lab.eventually("SELECT id FROM t ORDER BY id", [[1], [2], [3], [5]])


def test_a_purged_binlog_says_nothing(oracle: Server, tmp_path: Path) -> None:
    """verified.md 1: the only trace is the saved position."""
    _database(oracle, "purged")
    with Lab(oracle, barrier_ms=20, data=tmp_path) as lab:
        _with_table(lab, "purged")
        lab.stop()
        oracle.execute("INSERT INTO purged.t VALUES (3,'lost')", "FLUSH LOGS", "FLUSH LOGS")
        last = oracle.execute("SHOW MASTER STATUS")[0][0]
        oracle.execute(f"PURGE BINARY LOGS TO '{last}'", "INSERT INTO purged.t VALUES (4,'late')")
        lab.start()
        lab.barriers(30)
        assert lab.value("SELECT count(*) FROM t") == 2
        assert lab.rows("SELECT DISTINCT status FROM rw_catalog.rw_streaming_jobs") == [["CREATED"]]
        assert lab.value("SELECT recovery_state FROM rw_catalog.rw_recovery_info") == "RUNNING"
        saved = _offset(lab)
        assert oracle.execute(f"SELECT GTID_SUBSET(@@gtid_purged, '{saved['gtids']}')") == ((0,),)
        lab.do("ALTER SOURCE src RESET")
        oracle.execute("INSERT INTO purged.t VALUES (5,'again')")
        lab.eventually("SELECT id FROM t ORDER BY id", [[1], [2], [5]])


def _offset(lab: Lab) -> dict:
    name = lab.value("SELECT name FROM rw_catalog.rw_internal_tables "
                     "WHERE name LIKE '%\\_source\\_%'")
    info = lab.value(f'SELECT offset_info FROM "{name}"')
    return json.loads(info["split_info"]["mysql_split"]["inner"]["start_offset"])["sourceOffset"]


def test_saved_position_moves_with_the_changes(either: Server) -> None:
    _database(either, "pos")
    with Lab(either) as lab:
        _with_table(lab, "pos")
        before = _offset(lab)
        either.execute("INSERT INTO pos.t VALUES (3,'c')")
        lab.eventually("SELECT count(*) FROM t", [[3]])
        after = _offset(lab)
        status = either.execute("SHOW MASTER STATUS")[0]
        assert (after["file"], after["pos"]) == (status[0], status[1]) != (
            before["file"], before["pos"])
        assert ("gtids" in after) == (either.kind != "mariadb")


@pytest.mark.parametrize(("statement", "text"), [
    ("SET GLOBAL binlog_format = 'STATEMENT'", "MySQL binlog_format should be 'ROW'.\nPlease"),
    ("SET GLOBAL binlog_row_image = 'MINIMAL'",
     "MySQL binlog_row_image should be 'FULL'.\\nPlease")])
def test_binlog_settings_are_checked(oracle: Server, statement: str, text: str) -> None:
    _database(oracle, "sett")
    variable = statement.split()[2]
    before = oracle.variable(variable)
    with Lab(oracle) as lab:
        try:
            oracle.execute(statement)
            assert text in lab.refused(
                "CREATE SOURCE s WITH (connector='mysql-cdc', hostname='127.0.0.1', "
                f"port='{oracle.port}', username='root', password='', database.name='sett', "
                "server.id='5605')")
        finally:
            oracle.execute(f"SET GLOBAL {variable} = '{before}'")


def test_missing_grants(either: Server) -> None:
    _database(either, "gra")
    either.execute("CREATE USER poor@'%' IDENTIFIED BY 'p'", "GRANT SELECT ON *.* TO poor@'%'")
    with Lab(either) as lab:
        text = lab.refused(
            "CREATE SOURCE s WITH (connector='mysql-cdc', hostname='127.0.0.1', "
            f"port='{either.port}', username='poor', password='p', database.name='gra', "
            "server.id='5606')")
        assert ("MySQL user doesn't have enough privileges: "
                "[REPLICATION SLAVE, REPLICATION CLIENT]") in text
