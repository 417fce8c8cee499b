"""The columns a row image has, followed through the log's DDL (Debezium's schema history)."""

from __future__ import annotations

import pytest

from cluster.mysql import Server
from standins.risingwave.schemahistory import History
from standins.risingwave.values import MyColumn

from .lab import Lab, new_database
from .sources import either, mariadb, oracle  # noqa: F401 - fixtures

T = ("d", "t")


def _history(*names: str) -> History:
    history = History(charsets={"d": "latin1"})
    history.put(T, [MyColumn(name, "int", "int(11)", None, False) for name in names])
    return history


def _names(history: History, table: tuple[str, str] = T) -> list[str] | None:
    columns = history.current(table)
    return None if columns is None else [column.name for column in columns]


@pytest.mark.parametrize(("sql", "names"), [
    ("ALTER TABLE t ADD c INT", "a b c"), ("alter table `t` add column c int first", "c a b"),
    ("ALTER TABLE d.t ADD COLUMN c DECIMAL(9,2) NOT NULL DEFAULT '1,2' AFTER a", "a c b"),
    ("ALTER TABLE t ADD (c INT, e INT DEFAULT (1 + 2))", "a b c e"),
    ("ALTER TABLE t ADD COLUMN IF NOT EXISTS b INT", "a b"), ("ALTER TABLE t DROP a", "b"),
    ("ALTER TABLE t DROP COLUMN `a`, ADD c INT", "b c"), ("ALTER TABLE t DROP INDEX a", "a b"),
    ("ALTER TABLE t ADD UNIQUE KEY k (a), ADD INDEX (b)", "a b"),
    ("ALTER TABLE t CHANGE a z VARCHAR(9) COMMENT 'x, FIRST'", "z b"),
    ("ALTER TABLE t CHANGE COLUMN b z INT FIRST", "z a"),
    ("ALTER TABLE t MODIFY b INT FIRST", "b a"), ("ALTER TABLE t MODIFY a INT AFTER b", "b a"),
    ("ALTER TABLE t RENAME COLUMN a TO z", "z b"), ("ALTER TABLE t ENGINE = InnoDB", "a b"),
    ("ALTER TABLE t ALTER COLUMN a SET DEFAULT 1, COMMENT = 'ADD COLUMN x'", "a b"),
    ("/* gh-ost */ ALTER /* x */ TABLE t -- y\n ADD c INT", "a b c"),
    ("CREATE TABLE other (x INT)", "a b"), ("TRUNCATE TABLE t", "a b")])
def test_statements(sql: str, names: str) -> None:
    history = _history("a", "b")
    history.apply("d", sql, ("log", 1), {})
    assert _names(history) == names.split()


def test_tables_come_move_and_go() -> None:
    history = _history("a", "b")
    history.apply("d", "CREATE TABLE n (`x y` INT UNSIGNED, e ENUM('q,r','s') CHARACTER SET utf8, "
                  "s VARCHAR(9), PRIMARY KEY (`x y`), KEY (e))", ("log", 1), {})
    assert history.current(("d", "n")) == [
        MyColumn("x y", "int", "int unsigned", None, False),
        MyColumn("e", "enum", "enum('q,r','s')", "utf8", False),
        MyColumn("s", "varchar", "varchar(9)", "latin1", False)]
    history.apply("d", "RENAME TABLE t TO o, n TO t", ("log", 2), {})
    assert (_names(history), _names(history, ("d", "o")), _names(history, ("d", "n"))) == (
        ["x y", "e", "s"], ["a", "b"], None)
    history.apply("d", "RENAME TABLE t TO o, n TO t", ("log", 2), {})  # read again
    assert _names(history) == ["x y", "e", "s"]
    history.apply("d", "CREATE TABLE IF NOT EXISTS c LIKE o", ("log", 3), {})
    history.apply("d", "ALTER TABLE o RENAME TO p, ADD z INT", ("log", 4), {})
    history.apply("d", "DROP TABLE IF EXISTS `t`", ("log", 5), {})
    assert (_names(history), _names(history, ("d", "c")), _names(history, ("d", "p"))) == (
        None, ["a", "b"], ["a", "b", "z"])


def test_the_catalog_fills_in_what_a_statement_does_not_say() -> None:
    history = _history("a", "b")
    known = MyColumn("c", "varchar", "varchar(9)", "utf8mb4", False)
    latest = {T: [*(history.current(T) or []), known]}
    history.apply("d", "ALTER TABLE t ADD c VARCHAR(9)", ("log", 1), latest)
    assert (history.current(T) or [])[2] is known
    # A statement with no way to follow it: the present has to do.
    history.apply("d", "CREATE TABLE t SELECT 1 AS x", ("log", 2), {T: [known]})
    assert _names(history) == ["c"]


def test_rows_are_read_with_the_columns_of_their_time(either: Server) -> None:
    """All of it is in the log before the reader, restarted, sees any of it."""
    new_database(either, "hi", "CREATE TABLE h (id INT PRIMARY KEY, a INT, b INT)")
    with Lab(either) as lab:
        lab.create_source("hi")
        lab.do("CREATE TABLE t (id INT, a INT, b INT, PRIMARY KEY (id)) FROM src TABLE 'hi.h'")
        lab.snapshot_done("t")
        either.execute("INSERT INTO hi.h VALUES (7,7,7)")
        lab.eventually("SELECT id FROM t", [[7]])
        lab.do("ALTER SOURCE src CONNECTOR WITH (password='')")
        either.execute(
            "USE hi", "INSERT INTO h VALUES (1,1,1)", "ALTER TABLE h CHANGE a x INT",
            "INSERT INTO h VALUES (2,2,2)", "ALTER TABLE h CHANGE x a INT",
            "INSERT INTO h VALUES (3,3,3)", "ALTER TABLE h ADD c INT FIRST",
            "INSERT INTO h VALUES (0,4,4,4)", "ALTER TABLE h DROP c",
            "CREATE TABLE n (id INT PRIMARY KEY, b INT, a INT)",
            "RENAME TABLE h TO o, n TO h", "INSERT INTO h VALUES (5,50,5)",
            "RENAME TABLE h TO n, o TO h", "INSERT INTO h VALUES (6,6,60)")
        lab.eventually("SELECT * FROM t ORDER BY id", [
            [1, 1, 1], [2, None, 2], [3, 3, 3], [4, 4, 4], [5, 5, 50], [6, 6, 60],
            [7, 7, 7]], 60)
