"""A living schema: ALTERs on both sides of a CDC table, sinks that replace each other.

Rules: verified.md 2, 3, 15, 35, 36 and 38, risingwave.md 4.2 and 6.4, chain.md "ADD COLUMN
upstream" and "Sinks: two on one table".
"""

from __future__ import annotations

import hashlib

from cluster.mysql import Server

from .lab import Lab, new_database, wait_until
from .process import StandIn
from .sources import either, mariadb, oracle  # noqa: F401 - fixtures

_REPLICAS = "PROPERTIES ('replication_num' = '1')"


def _table(lab: Lab, upstream: str, columns: str, name: str = "t") -> None:
    lab.do(f"CREATE TABLE {name} ({columns}) FROM src TABLE '{upstream}'")
    lab.snapshot_done(name)


def _target(lab: Lab, columns: str, key: str, name: str = "t") -> None:
    lab.on_starrocks("CREATE DATABASE IF NOT EXISTS ods", f"CREATE TABLE ods.{name} ({columns}) "
                     f"PRIMARY KEY ({key}) DISTRIBUTED BY HASH ({key}) {_REPLICAS}")


def _sink(lab: Lab, name: str, target: str = "t", body: str = "FROM t", key: str = "id",
          options: str = "commit_checkpoint_interval = '2'") -> None:
    lab.do(f"CREATE SINK {name} {body} WITH ({lab.sink_options(target, key)}, {options})")


def _undelivered(lab: Lab, sink: str) -> int:
    return lab.value(f'SELECT count(*) FROM "{lab.log_store(sink)}" '
                     "WHERE kv_log_store_row_op <> 6")


def _drained(lab: Lab, sink: str) -> None:
    lab.eventually(f'SELECT count(*) FROM "{lab.log_store(sink)}" '
                   "WHERE kv_log_store_row_op <> 6", [[0]])


# Upstream ALTERs


def test_truncate_and_a_swapped_table(either: Server) -> None:
    """verified.md 2: neither raises anything; what comes later arrives by the table's name."""
    new_database(either, "sw", "CREATE TABLE a (id INT PRIMARY KEY, v VARCHAR(9), w INT)",
                 "INSERT INTO a VALUES (1,'one',1)")
    with Lab(either) as lab:
        lab.create_source("sw")
        _table(lab, "sw.a", "id INT, v VARCHAR, w INT, PRIMARY KEY (id)")
        either.execute("USE sw", "TRUNCATE TABLE a", "INSERT INTO a VALUES (2,'two',2)")
        lab.eventually("SELECT id FROM t ORDER BY id", [[1], [2]])
        # An online schema change: another table, with its columns in another order.
        either.execute("USE sw", "CREATE TABLE a_new (id INT PRIMARY KEY, w INT, v VARCHAR(9), "
                       "x INT)", "INSERT INTO a_new VALUES (8,8,'eight',8)",
                       "RENAME TABLE a TO a_old, a_new TO a",
                       "INSERT INTO a VALUES (3,3,'three',3)",
                       "INSERT INTO a_old VALUES (9,'old',9)", "UPDATE a SET w = 80 WHERE id = 8")
        lab.eventually("SELECT * FROM t ORDER BY id",
                       [[1, "one", 1], [2, "two", 2], [3, "three", 3], [8, "eight", 80]])
        assert lab.rows("SELECT event_type FROM rw_catalog.rw_event_logs WHERE event_type NOT IN "
                        "('BARRIER_COMPLETE', 'META_NODE_START') "
                        "AND event_type NOT LIKE '%RECOVERY%'") == []


def test_a_widened_column_loses_what_does_not_fit(either: Server) -> None:
    """verified.md 2 and 5: the CDC column keeps its type, larger values read NULL."""
    new_database(either, "wi", "CREATE TABLE w (id INT PRIMARY KEY, n INT, v VARCHAR(3))",
                 "INSERT INTO w VALUES (1, 1, 'abc')")
    with Lab(either) as lab:
        lab.create_source("wi")
        _table(lab, "wi.w", "id INT, n INT, v VARCHAR, PRIMARY KEY (id)")
        either.execute("USE wi", "ALTER TABLE w MODIFY n BIGINT",
                       "ALTER TABLE w MODIFY v VARCHAR(300)",
                       "INSERT INTO w VALUES (2, 7, 'fits'), (3, 2147483648, 'longer than three')")
        lab.eventually("SELECT * FROM t ORDER BY id",
                       [[1, 1, "abc"], [2, 7, "fits"], [3, None, "longer than three"]])


def test_a_renamed_and_a_dropped_column_read_null(either: Server) -> None:
    """verified.md 2."""
    new_database(either, "re", "CREATE TABLE r (id INT PRIMARY KEY, v INT, w INT)",
                 "INSERT INTO r VALUES (1, 1, 1)")
    with Lab(either) as lab:
        lab.create_source("re")
        _table(lab, "re.r", "id INT, v INT, w INT, PRIMARY KEY (id)")
        either.execute("USE re", "ALTER TABLE r CHANGE v v2 INT", "INSERT INTO r VALUES (2, 2, 2)")
        lab.eventually("SELECT * FROM t WHERE id = 2", [[2, None, 2]])
        either.execute("USE re", "ALTER TABLE r DROP COLUMN w", "UPDATE r SET v2 = 9 WHERE id = 1")
        lab.eventually("SELECT * FROM t WHERE id = 1", [[1, None, None]])


# ALTER TABLE in RisingWave


def test_added_columns_take_values_from_then_on(either: Server) -> None:
    """verified.md 3: old rows NULL; a type CREATE would refuse reads NULL for ever."""
    new_database(either, "ad", "CREATE TABLE a (id INT PRIMARY KEY, n INT, d DECIMAL(9,2), "
                 "dt DATETIME, s VARCHAR(9))", "INSERT INTO a VALUES (1, 1, 1, '2024-01-01', 'a')")
    with Lab(either) as lab:
        lab.create_source("ad")
        _table(lab, "ad.a", "id INT, PRIMARY KEY (id)")
        lab.do("ALTER TABLE t ADD COLUMN n BIGINT", "ALTER TABLE t ADD COLUMN d DECIMAL",
               "ALTER TABLE t ADD COLUMN dt TIMESTAMP", "ALTER TABLE t ADD COLUMN s INT",
               "ALTER TABLE t ADD COLUMN nosuch VARCHAR")
        assert "already exists" in lab.refused("ALTER TABLE t ADD COLUMN n INT")
        either.execute("INSERT INTO ad.a VALUES (2, 2, 2.50, '2024-02-02', 'b')")
        lab.eventually("SELECT * FROM t ORDER BY id", [
            [1, None, None, None, None, None],
            [2, 2, "2.50", "2024-02-02 00:00:00", None, None]])
        either.execute("UPDATE ad.a SET n = 11 WHERE id = 1")
        lab.eventually("SELECT n, d FROM t WHERE id = 1", [[11, "1.00"]])
        # A table created now reads all of it again.
        _table(lab, "ad.a", "id INT, n INT, s VARCHAR, PRIMARY KEY (id)", "again")
        assert lab.rows("SELECT * FROM again ORDER BY id") == [[1, 11, "a"], [2, 2, "b"]]
        either.execute("DELETE FROM ad.a WHERE id = 2")
        for name in ("t", "again"):
            lab.eventually(f"SELECT id FROM {name}", [[1]])


def test_a_column_that_a_sink_reads_stays(oracle: Server, starrocks: StandIn) -> None:
    """risingwave.md 6.4; a star means the columns there were when the sink was created."""
    new_database(oracle, "dc", "CREATE TABLE d (id INT PRIMARY KEY, a INT, b INT, c INT)",
                 "INSERT INTO d VALUES (1, 1, 1, 1)")
    with Lab(oracle, starrocks) as lab:
        lab.create_source("dc")
        _table(lab, "dc.d", "id INT, a INT, b INT, PRIMARY KEY (id)")
        _target(lab, "id INT, a INT, b INT", "id")
        _sink(lab, "k", body="AS SELECT * FROM t")
        lab.do("ALTER TABLE t ADD COLUMN c INT")
        refusal = lab.refused("ALTER TABLE t DROP COLUMN b")
        assert ("unable to drop the column due to being referenced by downstream materialized "
                "views or sinks") in refusal
        lab.do("ALTER TABLE t ADD COLUMN e INT", "ALTER TABLE t DROP COLUMN c")
        oracle.execute("INSERT INTO dc.d VALUES (2, 2, 2, 2)")
        lab.starrocks_has("SELECT * FROM ods.t ORDER BY id", [[1, 1, 1], [2, 2, 2]])
        lab.do("DROP SINK k", "ALTER TABLE t DROP COLUMN b")
        assert lab.rows("SELECT * FROM t WHERE id = 2") == [[2, 2, None]]


def test_counts_within_a_limit(oracle: Server) -> None:
    new_database(oracle, "co", "CREATE TABLE c (id INT PRIMARY KEY)",
                 "INSERT INTO c VALUES (1), (2), (3)")
    with Lab(oracle) as lab:
        lab.do("CREATE SCHEMA s")
        lab.create_source("co")
        lab.do("CREATE TABLE s.t (id INT, PRIMARY KEY (id)) FROM src TABLE 'co.c'")
        lab.eventually("SELECT count(*) FROM s.t", [[3]])
        assert lab.value('SELECT count(*) FROM (SELECT 1 FROM "s"."t" LIMIT 2) x') == 2
        assert lab.value("SELECT count(*) FROM (SELECT 1 FROM s.t LIMIT 9) x") == 3


# Several sinks into one table


def test_a_new_sink_version_takes_over(oracle: Server, starrocks: StandIn) -> None:
    """product.md 2.8: the new one first, the old dropped when drained; nothing is lost."""
    new_database(oracle, "tw", "CREATE TABLE t (id INT PRIMARY KEY, v INT)",
                 "INSERT INTO t VALUES (1, 1), (2, 2), (3, 3)")
    with Lab(oracle, starrocks) as lab:
        lab.create_source("tw")
        _table(lab, "tw.t", "id INT, v INT, PRIMARY KEY (id)")
        _target(lab, "id INT, v INT, w INT", "id")
        lab.do("SET background_ddl = true")
        _sink(lab, "k_v1", body="AS SELECT id, v FROM t")
        lab.starrocks_has("SELECT count(*) FROM ods.t", [[3]])
        oracle.execute("USE tw", "ALTER TABLE t ADD COLUMN w INT", "UPDATE t SET w = 7")
        lab.do("ALTER TABLE t ADD COLUMN w INT")
        oracle.execute("USE tw", "UPDATE t SET w = 8 WHERE id = 1", "DELETE FROM t WHERE id = 2")
        lab.do("SET backfill_rate_limit = 1")
        _sink(lab, "k_v2", body="AS SELECT id, v, w FROM t")
        assert lab.rows("SELECT name, status FROM rw_catalog.rw_streaming_jobs "
                        "WHERE name LIKE 'k\\_%' ORDER BY name") == [
            ["k_v1", "CREATED"], ["k_v2", "CREATING"]]
        assert lab.rows("SELECT job_name, upstream_table_name FROM "
                        "rw_catalog.rw_fragment_backfill_progress") == [
            ["public.k_v2", "public.t"]]
        assert lab.log_store("k_v1") != lab.log_store("k_v2")
        oracle.execute("USE tw", "INSERT INTO t VALUES (4, 4, 4)", "DELETE FROM t WHERE id = 3")
        lab.eventually("SELECT status FROM rw_catalog.rw_streaming_jobs WHERE name = 'k_v2'",
                       [["CREATED"]])
        _drained(lab, "k_v1")
        lab.do("DROP SINK k_v1")
        oracle.execute("UPDATE tw.t SET v = 40 WHERE id = 4")
        lab.starrocks_has("SELECT * FROM ods.t ORDER BY id", [[1, 1, 8], [4, 40, 4]])


def test_a_lagging_sink_leaves_its_older_value(oracle: Server, starrocks: StandIn) -> None:
    """Every sink delivers for itself, so the order between two is nobody's promise."""
    new_database(oracle, "la", "CREATE TABLE t (id INT PRIMARY KEY, v INT)",
                 "INSERT INTO t VALUES (1, 1)")
    with Lab(oracle, starrocks) as lab:
        lab.create_source("la")
        _table(lab, "la.t", "id INT, v INT, PRIMARY KEY (id)")
        _target(lab, "id INT, v INT", "id")
        _sink(lab, "k_v1")
        lab.starrocks_has("SELECT v FROM ods.t", [[1]])
        lab.do("ALTER SINK k_v1 SET sink_rate_limit TO 0")
        oracle.execute("UPDATE la.t SET v = 2 WHERE id = 1")
        lab.eventually("SELECT v FROM t", [[2]])
        _sink(lab, "k_v2")
        lab.starrocks_has("SELECT v FROM ods.t", [[2]])
        assert _undelivered(lab, "k_v1") == 1
        # The newest value is written past the old sink, as by a repair in the target.
        lab.on_starrocks("UPDATE ods.t SET v = 3 WHERE id = 1")
        lab.do("ALTER SINK k_v1 SET sink_rate_limit TO default")
        lab.starrocks_has("SELECT v FROM ods.t", [[2]])
        _drained(lab, "k_v1")


def test_a_dropped_sink_takes_its_undelivered_deletes_along(oracle: Server,
                                                             starrocks: StandIn) -> None:
    """verified.md 38: a new sink's backfill carries no deletes, so the row stays."""
    new_database(oracle, "gh", "CREATE TABLE t (id INT PRIMARY KEY, v INT)",
                 "INSERT INTO t VALUES (1, 1), (2, 2)")
    with Lab(oracle, starrocks) as lab:
        lab.create_source("gh")
        _table(lab, "gh.t", "id INT, v INT, PRIMARY KEY (id)")
        _target(lab, "id INT, v INT", "id")
        _sink(lab, "k_v1")
        lab.starrocks_has("SELECT count(*) FROM ods.t", [[2]])
        lab.do("ALTER SINK k_v1 SET sink_rate_limit TO 0")
        oracle.execute("DELETE FROM gh.t WHERE id = 2")
        lab.eventually("SELECT id FROM t", [[1]])
        log = lab.log_store("k_v1")
        assert lab.rows(f'SELECT kv_log_store_row_op, t_id FROM "{log}" '
                        "WHERE kv_log_store_row_op <> 6") == [[2, 2]]
        _sink(lab, "k_v2")
        lab.do("DROP SINK k_v1")
        oracle.execute("INSERT INTO gh.t VALUES (3, 3)")
        lab.starrocks_has("SELECT id FROM ods.t ORDER BY id", [[1], [2], [3]])


def test_one_sink_stands_while_another_runs(oracle: Server, starrocks: StandIn) -> None:
    new_database(oracle, "pa", "CREATE TABLE t (id INT PRIMARY KEY, v INT)",
                 "INSERT INTO t VALUES (1, 1)")
    with Lab(oracle, starrocks) as lab:
        lab.create_source("pa")
        _table(lab, "pa.t", "id INT, v INT, PRIMARY KEY (id)")
        for name in ("one", "two"):
            _target(lab, "id INT, v INT", "id", name)
            _sink(lab, f"k_{name}", name)
        lab.do("ALTER SINK k_one SET sink_rate_limit TO 0")
        oracle.execute("INSERT INTO pa.t VALUES (2, 2)")
        lab.starrocks_has("SELECT id FROM ods.two ORDER BY id", [[1], [2]])
        assert lab.on_starrocks("SELECT id FROM ods.one") == [[1]]
        lab.do("DROP SINK k_two", "ALTER SINK k_one SET sink_rate_limit TO default")
        lab.starrocks_has("SELECT id FROM ods.one ORDER BY id", [[1], [2]])


def test_commits_every_so_many_checkpoints(oracle: Server, starrocks: StandIn) -> None:
    """risingwave.md 4.5: rows are loaded at once and appear with the commit."""
    new_database(oracle, "cm", "CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    with Lab(oracle, starrocks) as lab:
        lab.create_source("cm")
        _table(lab, "cm.t", "id INT, PRIMARY KEY (id)")
        _target(lab, "id INT", "id")
        lab.do("SET background_ddl = true")
        _sink(lab, "k", options="commit_checkpoint_interval = '100000'")
        wait_until(lambda: any(txn["loads"] > 0 for txn in starrocks.control("/loads")["running"]),
                   lambda: str(starrocks.control("/loads")))
        lab.eventually("SELECT status FROM rw_catalog.rw_streaming_jobs WHERE name = 'k'",
                       [["CREATED"]])
        assert lab.on_starrocks("SELECT count(*) FROM ods.t") == [[0]]
        lab.do("ALTER SINK k CONNECTOR WITH (commit_checkpoint_interval = '1')")
        lab.starrocks_has("SELECT id FROM ods.t", [[1]])


# The sink's columns and key


def test_another_key_moves_rows_by_delete_and_insert(either: Server, starrocks: StandIn) -> None:
    """A sink keyed by another unique column: an update of it must not leave the old row."""
    new_database(either, "pk", "CREATE TABLE t (id INT PRIMARY KEY, code VARCHAR(9) NOT NULL "
                 "UNIQUE, v INT)", "INSERT INTO t VALUES (1,'a',1),(2,'b',2),(3,'c',3)")
    with Lab(either, starrocks) as lab:
        lab.create_source("pk")
        _table(lab, "pk.t", "id INT, code VARCHAR, v INT, PRIMARY KEY (id)")
        _target(lab, "code_key VARCHAR(36), id INT, v INT", "code_key")
        _sink(lab, "k", body="AS SELECT upper(code) AS code_key, id, v FROM t", key="code_key")
        lab.starrocks_has("SELECT code_key FROM ods.t ORDER BY 1", [["A"], ["B"], ["C"]])
        either.execute("USE pk", "UPDATE t SET code = 'z' WHERE id = 1", "BEGIN",
                       "UPDATE t SET code = 'tmp' WHERE id = 2",
                       "UPDATE t SET code = 'b' WHERE id = 3",
                       "UPDATE t SET code = 'c' WHERE id = 2", "COMMIT")
        lab.starrocks_has("SELECT * FROM ods.t ORDER BY 1",
                          [["B", 3, 3], ["C", 2, 2], ["Z", 1, 1]])
        either.execute("DELETE FROM pk.t WHERE id = 3")
        lab.starrocks_has("SELECT code_key FROM ods.t ORDER BY 1", [["C"], ["Z"]])


def test_expressions_and_names_of_a_sink(oracle: Server, starrocks: StandIn) -> None:
    new_database(oracle, "ex", "CREATE TABLE t (id INT PRIMARY KEY, mail VARCHAR(30), n INT, "
                 "ts TIMESTAMP NULL)", "INSERT INTO t VALUES (1, 'A@B.C', 7, NULL), "
                 "(2, NULL, NULL, '2024-01-02 03:04:05')")
    with Lab(oracle, starrocks) as lab:
        lab.create_source("ex")
        _table(lab, "ex.t", "id INT, mail VARCHAR, n INT, ts TIMESTAMPTZ, PRIMARY KEY (id)")
        _target(lab, "`Key` INT, mail VARCHAR(128), half INT, label VARCHAR(8), ts DATETIME",
                "`Key`")
        select = ("AS SELECT id AS \"Key\", md5(lower(mail)) AS mail, n / 2 AS half, CASE WHEN "
                  "n IS NULL THEN 'none' ELSE n::VARCHAR END AS label, "
                  "ts AT TIME ZONE 'UTC' AS ts FROM t")
        assert 'Column type don\'t match, column name is "half"' in lab.refused(
            f"CREATE SINK k {select.replace('n / 2', 'n / 2.0')} "
            f"WITH ({lab.sink_options('t', 'Key')})")
        assert "Sink primary key column not found: id" in lab.refused(
            f"CREATE SINK k {select} WITH ({lab.sink_options('t', 'id')})")
        _sink(lab, "k", body=select, key="Key")
        lab.starrocks_has("SELECT mail, half, label FROM ods.t ORDER BY `Key`",
                          [[_md5("a@b.c"), 3, "7"], [None, None, "none"]])


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def test_a_partial_update_leaves_other_columns(oracle: Server, starrocks: StandIn) -> None:
    """risingwave.md 4.2: the option is sent as the header."""
    new_database(oracle, "pu", "CREATE TABLE t (id INT PRIMARY KEY, v INT)",
                 "INSERT INTO t VALUES (1, 1)")
    for number, (option, kept) in enumerate((("true", 5), ("false", None))):
        with Lab(oracle, starrocks) as lab:
            lab.create_source("pu")
            _table(lab, "pu.t", "id INT, v INT, PRIMARY KEY (id)")
            name = f"p{number}"
            _target(lab, "id INT, v INT, mine INT", "id", name)
            lab.on_starrocks(f"INSERT INTO ods.{name} VALUES (1, 0, 5)")
            _sink(lab, "k", name, options=f"starrocks.partial_update = '{option}'")
            lab.starrocks_has(f"SELECT * FROM ods.{name}", [[1, 1, kept]])
