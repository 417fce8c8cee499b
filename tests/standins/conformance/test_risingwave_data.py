"""What becomes of rows on their way: MySQL to RisingWave to StarRocks, losses included."""

from __future__ import annotations

import decimal
from typing import Any

from cluster.mysql import Server

from .lab import CDC_GRANTS, Lab, new_database
from .process import StandIn
from .sources import either, mariadb, oracle  # noqa: F401 - fixtures

_VALUES_TABLE = (
    "CREATE TABLE v (id BIGINT UNSIGNED PRIMARY KEY, ti TINYINT UNSIGNED, d DECIMAL(10,2), "
    "dn DECIMAL(65,30), t TIME, t3 TIME(3), dt DATETIME, dt3 DATETIME(3), ts TIMESTAMP NULL, "
    "ts6 TIMESTAMP(6) NULL, e ENUM('a','b'), bi BINARY(4), bl BLOB, tx TEXT, "
    "l1 VARCHAR(10) CHARSET latin1, gb VARCHAR(10) CHARSET gbk, f FLOAT, db DOUBLE, bt BIT(1), "
    "b10 BIT(10), y YEAR, da DATE, c CHAR(5), flag TINYINT(1))",)
_VALUES_SQL = (
    "(%s, 255, -12.5, 1.5, '-12:00:01', '12:34:56.789', '2020-01-02 03:04:05', "
    "'2020-01-02 03:04:05.678', '2020-01-02 03:04:05', '2020-01-02 03:04:05.678912', 'b', 'ab', "
    "'abc', 'h\u00e9 \u2713', 'h\u00e9', '\u8868', 1.1, 1e300, 1, 513, 2024, '2024-02-29', 'ab  ', "
    "2)")
_VALUES_COLUMNS = (
    "id DECIMAL, ti SMALLINT, d DECIMAL, dn DECIMAL, t TIME, t3 TIME, dt TIMESTAMP, "
    "dt3 TIMESTAMP, ts TIMESTAMPTZ, ts6 TIMESTAMPTZ, e VARCHAR, bi BYTEA, bl BYTEA, tx VARCHAR, "
    "l1 VARCHAR, gb VARCHAR, f REAL, db DOUBLE, bt BOOLEAN, b10 BYTEA, y INT, da DATE, c VARCHAR, "
    "flag BOOLEAN")
_VALUES: list[Any] = [
    255, "-12.50", None, None, "12:34:56.789000", "2020-01-02 03:04:05",
    "2020-01-02 03:04:05.678000", "2020-01-01 22:04:05+00:00", "2020-01-01 22:04:05.678912+00:00",
    "b", "61620000", "616263", "h\u00e9 \u2713", "h\u00e9", "\u8868", 1.1, 1e300, True, "0201",
    2024, "2024-02-29", "ab", None]


def _one_table(lab: Lab, definition: str, columns: str, name: str = "t",
               options: str = "") -> None:
    lab.do(f"CREATE TABLE {name} ({columns}) {options} FROM src TABLE '{definition}'")


def test_values_of_snapshot_and_stream_agree(either: Server) -> None:
    new_database(either, "vals", *_VALUES_TABLE)
    with either.connect("vals") as session, session.cursor() as cursor, Lab(either) as lab:
        cursor.execute("SET time_zone = '+05:00'")
        cursor.execute("INSERT INTO v VALUES " + _VALUES_SQL % "18446744073709551615")
        lab.create_source("vals")
        _one_table(lab, "vals.v", _VALUES_COLUMNS + ", PRIMARY KEY (id)")
        lab.snapshot_done("t")
        cursor.execute("INSERT INTO v VALUES " + _VALUES_SQL % "7")
        lab.eventually("SELECT * FROM t ORDER BY id",
                       [["7", *_VALUES], ["18446744073709551615", *_VALUES]])


def test_zero_dates_and_wide_decimals_become_null(either: Server) -> None:
    new_database(either, "zero", "SET sql_mode = ''",
                 "CREATE TABLE z (id INT PRIMARY KEY, d DATE, dt DATETIME, n DECIMAL(40,0))")
    row = "'0000-00-00', '0000-00-00 00:00:00', 99999999999999999999999999999999"
    either.execute("SET sql_mode = ''", f"INSERT INTO zero.z VALUES (1, {row})")
    with Lab(either) as lab:
        lab.create_source("zero")
        _one_table(lab, "zero.z", "id INT PRIMARY KEY, d DATE, dt TIMESTAMP, n DECIMAL")
        lab.snapshot_done("t")
        either.execute("SET sql_mode = ''", f"INSERT INTO zero.z VALUES (2, {row})")
        lab.eventually("SELECT * FROM t ORDER BY id",
                       [[1, None, None, None], [2, None, None, None]])


def test_unsigned_key_read_as_bigint_collapses(oracle: Server) -> None:
    """verified.md 4: precise mode and a key declared bigint."""
    new_database(oracle, "ub", "CREATE TABLE ub (id BIGINT UNSIGNED PRIMARY KEY, v VARCHAR(20))",
                 "INSERT INTO ub VALUES (1,'a'),(2,'b')")
    with Lab(oracle) as lab:
        lab.create_source("ub")
        _one_table(lab, "ub.ub", "id BIGINT, v VARCHAR, PRIMARY KEY (id)")
        lab.snapshot_done("t")
        oracle.execute("USE ub", "INSERT INTO ub VALUES (3,'live')",
                       "UPDATE ub SET v='a2' WHERE id=1", "DELETE FROM ub WHERE id=2",
                       "INSERT INTO ub VALUES (18446744073709551615,'over')")
        lab.eventually("SELECT * FROM t ORDER BY id", [[1, "a"], [2, "b"], [None, "over"]])


def test_unsigned_without_precise_turns_negative(oracle: Server) -> None:
    new_database(oracle, "neg", "CREATE TABLE n (id INT PRIMARY KEY, u BIGINT UNSIGNED)",
                 "INSERT INTO n VALUES (1, 18446744073709551615)")
    with Lab(oracle) as lab:
        lab.create_source("neg", options="")
        _one_table(lab, "neg.n", "id INT PRIMARY KEY, u DECIMAL")
        lab.eventually("SELECT * FROM t", [[1, "18446744073709551615"]])
        oracle.execute("INSERT INTO neg.n VALUES (2, 18446744073709551614)")
        lab.eventually("SELECT * FROM t ORDER BY id", [[1, "18446744073709551615"], [2, "-2"]])


def test_truncate_and_schema_changes_do_not_arrive(either: Server) -> None:
    """verified.md 2 and 3."""
    new_database(either, "ac", "CREATE TABLE ac (id INT PRIMARY KEY, v VARCHAR(20))",
                 "INSERT INTO ac VALUES (1,'a')")
    with Lab(either) as lab:
        lab.create_source("ac")
        _one_table(lab, "ac.ac", "id INT, v VARCHAR, PRIMARY KEY (id)")
        lab.snapshot_done("t")
        either.execute("USE ac", "TRUNCATE TABLE ac", "ALTER TABLE ac ADD COLUMN n INT DEFAULT 7",
                       "INSERT INTO ac VALUES (2,'b',22)")
        lab.eventually("SELECT * FROM t ORDER BY id", [[1, "a"], [2, "b"]])
        lab.do("ALTER TABLE t ADD COLUMN n INT", "ALTER TABLE t ADD COLUMN m VARCHAR")
        either.execute("INSERT INTO ac.ac VALUES (3,'c',33)")
        lab.eventually("SELECT id, n, m FROM t ORDER BY id",
                       [[1, None, None], [2, None, None], [3, 33, None]])
        lab.do("ALTER TABLE t DROP COLUMN n", "ALTER TABLE t ADD COLUMN n VARCHAR")
        either.execute("INSERT INTO ac.ac VALUES (4,'d',44)")
        lab.eventually("SELECT id, n FROM t WHERE id = 4", [[4, None]])
        either.execute("ALTER TABLE ac.ac DROP COLUMN n")
        either.execute("INSERT INTO ac.ac VALUES (5,'e')")
        lab.eventually("SELECT v, n FROM t WHERE id = 5", [["e", None]])
        either.execute("ALTER TABLE ac.ac CHANGE v w VARCHAR(20)")
        either.execute("INSERT INTO ac.ac VALUES (6,'f')")
        lab.eventually("SELECT v FROM t WHERE id = 6", [[None]])


def test_only_plain_table_names_stream(oracle: Server) -> None:
    """verified.md 6: of the others the snapshot arrives and no change ever does."""
    names = {"hyphen": "hy-phen", "space": "sp ace", "cjk": "\u8868\u683c", "upper": "UPper",
             "dollar": "dol$lar", "dot": "dot.ted"}
    new_database(oracle, "names", *(statement for name in names.values() for statement in (
        f"CREATE TABLE `{name}` (id INT PRIMARY KEY)", f"INSERT INTO `{name}` VALUES (1)")))
    with Lab(oracle) as lab:
        lab.create_source("names")
        for table, name in names.items():
            _one_table(lab, f"names.{name}", "id INT, PRIMARY KEY (id)", f"n_{table}")
            lab.snapshot_done(f"n_{table}")
        oracle.execute("USE names", *(f"INSERT INTO `{name}` VALUES (2)"
                                      for name in ("sp ace", "\u8868\u683c", "dol$lar", "hy-phen",
                                                   "UPper", "dot.ted")))
        lab.eventually("SELECT " + ", ".join(
            f"(SELECT count(*) FROM n_{table}) AS {table}" for table in names),
            [[2, 1, 1, 2, 1, 2]])


def test_odd_column_names_snapshot_and_stream(oracle: Server) -> None:
    names = ["order", "\u5217", "UPPER", "a.b", " lead", "semi;colon", "sp ace", "hy-phen", "dol$",
             "1digit", "qu'ote", "per%cent"]
    columns = ", ".join(f"`{name}` INT" for name in names)
    new_database(oracle, "cn", f"CREATE TABLE cn (`Id` INT PRIMARY KEY, {columns})",
                 "INSERT INTO cn VALUES (1" + ",1" * len(names) + ")")
    with Lab(oracle) as lab:
        lab.create_source("cn")
        declared = ", ".join(f'"{name}" INT' for name in names)
        _one_table(lab, "cn.cn", f'"Id" INT, {declared}, PRIMARY KEY ("Id")')
        lab.snapshot_done("t")
        oracle.execute("USE cn", "INSERT INTO cn VALUES (2" + ",2" * len(names) + ")",
                       "UPDATE cn SET `\u5217` = 5 WHERE Id = 1")
        first = [1, 1, 5, *[1] * 10]
        lab.eventually('SELECT * FROM t ORDER BY "Id"', [first, [2] * 13])


def test_composite_text_keys_page_correctly(either: Server) -> None:
    new_database(either, "ck", "CREATE TABLE ck (b VARCHAR(10) COLLATE utf8mb4_bin, a INT, v INT, "
                 "PRIMARY KEY (b, a))")
    rows = ", ".join(f"('k{n % 7}', {n}, {n})" for n in range(500))
    either.execute(f"INSERT INTO ck.ck VALUES {rows}")
    with Lab(either) as lab:
        lab.create_source("ck")
        _one_table(lab, "ck.ck", "b VARCHAR, a INT, v INT, PRIMARY KEY (a, b)",
                   options="WITH (snapshot.batch_size = '100')")
        lab.eventually("SELECT count(*), sum(v)::varchar, count(DISTINCT b) FROM t",
                       [[500, str(sum(range(500))), 7]])


def test_a_binary_key_never_pages(oracle: Server) -> None:
    """risingwave.md 2.7: a bytea key cannot be a resume position."""
    new_database(oracle, "bk", "CREATE TABLE bk (id BINARY(2) PRIMARY KEY)",
                 "INSERT INTO bk VALUES ('a'),('b'),('c')")
    with Lab(oracle) as lab:
        lab.create_source("bk")
        _one_table(lab, "bk.bk", "id BYTEA, PRIMARY KEY (id)",
                   options="WITH (snapshot.batch_size = '2')")
        lab.eventually("SELECT count(*) FROM t", [[2]])
        lab.barriers(10)
        assert lab.value("SELECT count(*) FROM t") == 2


def test_snapshot_waits_for_its_rate_limit(oracle: Server) -> None:
    rows = ", ".join(f"({n})" for n in range(400))
    new_database(oracle, "slow", "CREATE TABLE s (id INT PRIMARY KEY)",
                 f"INSERT INTO s VALUES {rows}")
    with Lab(oracle) as lab:
        lab.create_source("slow")
        _one_table(lab, "slow.s", "id INT, PRIMARY KEY (id)",
                   options="WITH (backfill_rate_limit = '0')")
        lab.barriers(5)
        assert lab.rows("SELECT node_name, rate_limit FROM rw_catalog.rw_rate_limit") == [
            ["STREAM_CDC_SCAN", 0]]
        name = lab.value("SELECT name FROM rw_catalog.rw_internal_tables "
                         "WHERE name LIKE '%cdcscan%'")
        assert lab.rows(f'SELECT backfill_finished, row_count FROM "{name}"') == [[False, 0]]
        lab.do("ALTER TABLE t SET backfill_rate_limit TO default")
        lab.eventually(f'SELECT backfill_finished, row_count, id FROM "{name}"', [[True, 400, 399]])


def test_without_snapshot_only_changes_arrive(oracle: Server) -> None:
    new_database(oracle, "ns", "CREATE TABLE n (id INT PRIMARY KEY)", "INSERT INTO n VALUES (1)")
    with Lab(oracle) as lab:
        lab.create_source("ns")
        _one_table(lab, "ns.n", "id INT, PRIMARY KEY (id)", options="WITH (snapshot = 'false')")
        lab.barriers(3)
        oracle.execute("INSERT INTO ns.n VALUES (2)")
        lab.eventually("SELECT id FROM t", [[2]])


def test_wildcard_and_include(oracle: Server) -> None:
    new_database(oracle, "wi", "CREATE TABLE w (Id INT PRIMARY KEY, Amount DECIMAL(10,2))",
                 "INSERT INTO w VALUES (1, 2.50)")
    with Lab(oracle) as lab:
        lab.create_source("wi")
        lab.do("CREATE TABLE t (*) FROM src TABLE 'wi.w'",
               "CREATE TABLE m (id INT PRIMARY KEY) INCLUDE timestamp AS ts INCLUDE table_name AS "
               "tn FROM src TABLE 'wi.w'")
        lab.eventually("SELECT id, amount FROM t", [[1, "2.50"]])
        lab.eventually("SELECT * FROM m", [[1, "w", "1970-01-01 00:00:00+00:00"]])
        described = lab.rows("DESCRIBE t")
        assert ["_rw_timestamp", "timestamp with time zone", "true", None] in described
        assert described[-3:] == [["primary key", "id", "", None],
                                  ["distribution key", "id", "", None],
                                  ["table description", "t", "", None]]


def test_rows_reach_starrocks(either: Server, starrocks: StandIn) -> None:
    """Insert, update, delete and a change of key, with every cast of the contract."""
    new_database(either, "shop2", "CREATE TABLE o (id BIGINT UNSIGNED PRIMARY KEY, "
                 "name VARCHAR(20), amount DECIMAL(10,2), ts TIMESTAMP NULL, dt DATETIME(3), "
                 "raw VARBINARY(4), t TIME(3), f FLOAT, ok BIT(1), js LONGTEXT)")
    row = ("'n', 12.50, '2026-01-01 00:00:00', '2026-01-02 03:04:05.678', X'0AFF', '01:02:03.5', "
           "1.1, 1, '{\"b\": [1, null], \"a\": \"x\"}'")
    either.execute("SET time_zone = '+00:00'", "USE shop2",
                   *(f"INSERT INTO o VALUES ({n}, {row})" for n in (1, 2, 3)))
    with Lab(either, starrocks) as lab:
        lab.on_starrocks(
            "CREATE DATABASE ods",
            "CREATE TABLE ods.o (id BIGINT NOT NULL, name VARCHAR(80), amount DECIMAL(10, 2), "
            "ts DATETIME, dt DATETIME, raw VARCHAR(8), t VARCHAR(17), f FLOAT, ok BOOLEAN, js JSON)"
            " PRIMARY KEY (id) DISTRIBUTED BY HASH (id) PROPERTIES ('replication_num' = '1')")
        lab.create_source("shop2")
        _one_table(lab, "shop2.o", "id DECIMAL, name VARCHAR, amount DECIMAL, ts TIMESTAMPTZ, "
                   "dt TIMESTAMP, raw BYTEA, t TIME, f REAL, ok BOOLEAN, js VARCHAR, "
                   "PRIMARY KEY (id)")
        lab.do("SET background_ddl = true",
               "CREATE SINK k AS SELECT id::BIGINT AS id, name, amount, ts AT TIME ZONE 'UTC' AS "
               "ts, dt, encode(raw, 'hex') AS raw, t::VARCHAR AS t, f, ok, js::JSONB AS js FROM t "
               f"WITH ({lab.sink_options('o')})")
        lab.starrocks_has("SELECT id FROM ods.o ORDER BY id", [[1], [2], [3]])
        (found,) = lab.on_starrocks("SELECT name, amount, ts, dt, raw, t FROM ods.o WHERE id = 1")
        assert found[:3] == ["n", "12.50", "2026-01-01 00:00:00"]
        assert str(found[3]).startswith("2026-01-02 03:04:05.678")
        assert found[4:] == ["0aff", "01:02:03.500"]
        either.execute("USE shop2", "UPDATE o SET amount = 20 WHERE id = 1",
                       "DELETE FROM o WHERE id = 2", "UPDATE o SET id = 30 WHERE id = 3")
        lab.starrocks_has("SELECT id, amount FROM ods.o ORDER BY id",
                          [[1, "20.00"], [30, "12.50"]])


def test_a_filtered_sink_deletes_what_leaves_the_filter(oracle: Server,
                                                        starrocks: StandIn) -> None:
    new_database(oracle, "fi", "CREATE TABLE f (id INT PRIMARY KEY, v INT)",
                 "INSERT INTO f VALUES (1, 1), (2, 5)")
    with Lab(oracle, starrocks) as lab:
        lab.on_starrocks("CREATE DATABASE ods", "CREATE TABLE ods.f (id INT NOT NULL, v INT) "
                         "PRIMARY KEY (id) DISTRIBUTED BY HASH (id) "
                         "PROPERTIES ('replication_num' = '1')")
        lab.create_source("fi")
        _one_table(lab, "fi.f", "id INT, v INT, PRIMARY KEY (id)")
        lab.snapshot_done("t")
        lab.do(f"CREATE SINK k AS SELECT id, v FROM t WHERE v < 4 WITH ({lab.sink_options('f')})")
        lab.starrocks_has("SELECT * FROM ods.f ORDER BY id", [[1, 1]])
        oracle.execute("USE fi", "UPDATE f SET v = 9 WHERE id = 1",
                       "UPDATE f SET v = 2 WHERE id = 2")
        lab.starrocks_has("SELECT * FROM ods.f ORDER BY id", [[2, 2]])


def test_big_transactions_and_many_rows(either: Server, starrocks: StandIn) -> None:
    new_database(either, "many",
                 "CREATE TABLE m (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(40))",
                 "INSERT INTO m (v) VALUES ('x')", *["INSERT INTO m (v) SELECT v FROM m"] * 12)
    with Lab(either, starrocks) as lab:
        lab.on_starrocks("CREATE DATABASE ods", "CREATE TABLE ods.m (id INT NOT NULL, "
                         "v VARCHAR(160)) PRIMARY KEY (id) DISTRIBUTED BY HASH (id) "
                         "PROPERTIES ('replication_num' = '1')")
        lab.create_source("many")
        _one_table(lab, "many.m", "id INT, v VARCHAR, PRIMARY KEY (id)")
        lab.do("SET background_ddl = true", f"CREATE SINK k FROM t WITH ({lab.sink_options('m')})")
        either.execute("UPDATE many.m SET v = CONCAT('y', id)")
        lab.starrocks_has("SELECT count(*) FROM ods.m WHERE v = CONCAT('y', id)", [[4096]])
        log = lab.log_store("k")
        lab.eventually(f'SELECT count(*) FROM "{log}" WHERE kv_log_store_row_op <> 6', [[0]])


def test_least_privilege(oracle: Server) -> None:
    """verified.md 39, and the recorded user `lowly`."""
    new_database(oracle, "low", "CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    oracle.execute("CREATE USER rot@'%' IDENTIFIED BY 'two'",
                   f"GRANT {CDC_GRANTS} ON *.* TO rot@'%'")
    with Lab(oracle) as lab:
        lab.create_source("low")
        _one_table(lab, "low.t", "id INT, PRIMARY KEY (id)", "hidden")
        lab.do("CREATE SINK hidden_sink FROM hidden WITH (connector='blackhole')",
               "CREATE USER lowly WITH PASSWORD 'pw'")
        lowly = lab.login("lowly", "pw")
        assert 'permission denied for database "dev": "CREATE"' in lab.refused(
            "CREATE SCHEMA lowly_s", lowly)
        lab.do("GRANT CREATE, CONNECT ON DATABASE dev TO lowly")
        for sql in (
                "create schema lowly_s",
                "create source lowly_s.s with (connector='mysql-cdc', hostname='127.0.0.1', "
                f"port='{oracle.port}', username='rot', password='two', database.name='low', "
                "server.id='6101')",
                "create table lowly_s.t (id int, primary key(id)) from lowly_s.s table 'low.t'",
                "comment on table lowly_s.t is 'mark'",
                "create sink lowly_s.k from lowly_s.t with (connector='blackhole')"):
            assert lab.ask(sql, lowly).error is None, sql
        assert lab.ask("select name from rw_catalog.rw_tables", lowly).rows == [["t"]]
        assert lab.ask("select name from rw_catalog.rw_sinks", lowly).rows == [["k"]]
        names = [row[0] for row in lab.ask("select name from rw_catalog.rw_internal_tables",
                                           lowly).rows]
        assert names and not any("hidden" in name for name in names)
        assert "Only the relation owner" in lab.refused("drop table hidden", lowly)
        assert "permission denied" in lab.refused("select * from hidden", lowly)
        assert "sink rate limit is only supported for kv log store" in lab.refused(
            "alter sink lowly_s.k set sink_rate_limit to 0", lowly)
        for sql in ("alter table lowly_s.t add column n int", "drop sink lowly_s.k",
                    "drop table lowly_s.t", "drop source lowly_s.s", "drop schema lowly_s"):
            assert lab.ask(sql, lowly).error is None, sql


def test_catalog_decimals(oracle: Server) -> None:
    new_database(oracle, "de", "CREATE TABLE d (d DECIMAL(10,2) PRIMARY KEY, f DOUBLE)",
                 "INSERT INTO d VALUES (1.50, 1), (2.5, 2), (10, 3)")
    with Lab(oracle) as lab:
        lab.create_source("de")
        _one_table(lab, "de.d", "d DECIMAL, f DOUBLE, PRIMARY KEY (d)")
        lab.eventually("SELECT * FROM t ORDER BY d",
                       [["1.50", 1.0], ["2.50", 2.0], ["10.00", 3.0]])
        assert decimal.Decimal(lab.value("SELECT sum(d) FROM t")) == decimal.Decimal("14")


def test_definitions_and_names_shown(oracle: Server, starrocks: StandIn) -> None:
    new_database(oracle, "sh", "CREATE TABLE s (id INT PRIMARY KEY, v VARCHAR(9))")
    with Lab(oracle, starrocks) as lab:
        lab.on_starrocks("CREATE DATABASE ods", "CREATE TABLE ods.s (id INT NOT NULL, v VARCHAR(36)) "
                         "PRIMARY KEY (id) DISTRIBUTED BY HASH (id) "
                         "PROPERTIES ('replication_num' = '1')")
        lab.create_source("sh", options="")
        lab.do('CREATE TABLE "T" (id int primary key, v varchar) FROM src TABLE \'sh.s\'',
               f'CREATE SINK k FROM "T" WITH ({lab.sink_options("s")})',
               "ALTER SINK k CONNECTOR WITH (commit_checkpoint_interval='2')")
        assert lab.rows("SHOW TABLES") == [['public."T"']]
        assert lab.rows("SHOW SOURCES") == [["public.src"]]
        assert lab.rows('SHOW CREATE TABLE "T"') == [[
            "public.T", 'CREATE TABLE "T" (id INT PRIMARY KEY, v CHARACTER VARYING) FROM src TABLE '
            "'sh.s'"]]
        (shown,) = lab.rows("SHOW CREATE SINK k")
        assert shown[1].startswith("CREATE SINK k FROM \"T\" WITH (connector = 'starrocks', type = ")
        assert shown[1].endswith(", commit_checkpoint_interval = '2')")
        assert lab.rows("DESCRIBE src") == [
            ["payload", "jsonb", "false", None], ["_rw_offset", "character varying", "true", None],
            ["_rw_table_name", "character varying", "true", None],
            ["_row_id", "serial", "true", None], ["primary key", "_row_id", "", None],
            ["table description", "src", "", None]]
