"""Which columns are delivered and as what: chosen, renamed, retyped, computed, keyed and spread as the spec says, or refused
before anything is created, with the rule of the server that would have refused it."""

import datetime as dt
import json
from decimal import Decimal

import pytest

from .system import Group

pytestmark = pytest.mark.together

EVERYTHING = ("id INT PRIMARY KEY, v VARCHAR(10), n INT, flag TINYINT(1), amount DECIMAL(10,2), day DATE, doc TEXT, note TEXT,"
              " secret VARCHAR(10)")
VALUES = ("INSERT INTO {} VALUES (1, 'a', 1, 1, 1.25, '2026-01-02', '{{\"k\": 1}}', NULL, 's1'),"
          " (2, 'Bb', -5, 0, -0.5, NULL, NULL, 'text', 's2')")


def override(name, **how):
    return {"name": name, **how}


def overrides(*entries, **more):
    return {"columns": {"overrides": list(entries), **more}}


# What works: name -> (server, MySQL columns, rows, spec, the target's columns, its rows)
MOMENT = dt.datetime(2026, 1, 2, 3, 4, 5)
GOOD = {
    "included": ("oracle", EVERYTHING, VALUES, {"columns": {"include": ["V", "id", "note"]}},
                 {"id": "int(11)", "v": "varchar(40)", "note": "varchar(65535)"}, [(1, "a", None), (2, "Bb", "text")]),
    "excluded": ("oracle", "id INT PRIMARY KEY, v INT, place POINT, tags SET('x','y'), secret INT",
                 "INSERT INTO {} VALUES (1, 1, NULL, 'x', 7), (2, 2, NULL, '', 8)",
                 {"columns": {"exclude": ["place", "TAGS", "secret"]}}, {"id": "int(11)", "v": "int(11)"}, [(1, 1), (2, 2)]),
    "renamed": ("oracle", "id INT, k VARCHAR(5), v INT, PRIMARY KEY (k, id)", "INSERT INTO {} VALUES (1, 'x', 3), (2, 'y', 4)",
                overrides(override("id", targetName="The Key"), override("v", targetName="名前")),
                {"k": "varchar(20)", "The Key": "int(11)", "名前": "int(11)"}, [("x", 1, 3), ("y", 2, 4)]),
    "exchanged": ("oracle", "id INT PRIMARY KEY, a INT, b VARCHAR(5)", "INSERT INTO {} VALUES (1, 5, 'x'), (2, 6, 'y')",
                  overrides(override("a", targetName="b"), override("b", targetName="a")),
                  {"id": "int(11)", "b": "int(11)", "a": "varchar(20)"}, [(1, 5, "x"), (2, 6, "y")]),
    "retyped": ("oracle", EVERYTHING, VALUES,
                overrides(override("v", targetType="varchar(500)"), override("n", targetType="BIGINT"),
                          override("flag", targetType="BOOLEAN"), override("amount", targetType="Decimal( 20, 4 )"),
                          override("day", targetType="DATETIME"), override("doc", targetType="JSON"),
                          override("note", targetType="STRING"), override("secret", targetType="VARCHAR(10)")),
                {"id": "int(11)", "v": "varchar(500)", "n": "bigint(20)", "flag": "tinyint(1)", "amount": "decimal(20, 4)",
                 "day": "datetime", "doc": "json", "note": "varchar(65533)", "secret": "varchar(10)"},
                [(1, "a", 1, 1, Decimal("1.2500"), dt.datetime(2026, 1, 2), {"k": 1}, None, "s1"),
                 (2, "Bb", -5, 0, Decimal("-0.5000"), None, None, "text", "s2")]),
    "astext": ("oracle", EVERYTHING, VALUES,
               overrides(*(override(name, targetType="VARCHAR(64)") for name in ("n", "amount", "day", "flag")),
                         include=["id", "n", "amount", "day", "flag"]),
               {"id": "int(11)", "n": "varchar(64)", "flag": "varchar(64)", "amount": "varchar(64)", "day": "varchar(64)"},
               [(1, "1", "1", "1.25", "2026-01-02"), (2, "-5", "0", "-0.50", None)]),
    "computed": ("oracle", EVERYTHING, VALUES,
                 overrides(override("v", expression="upper(v) || '-' || secret"),
                           override("n", expression="CASE WHEN n > 0 THEN 'plus' ELSE 'minus' END", targetName="sign"),
                           override("amount", expression="(amount * 2)", targetType="DECIMAL(12,2)"),
                           override("note", expression="coalesce(note, 'it''s none; -- ')"),
                           override("flag", expression="flag = 1"), override("doc", expression="doc::jsonb ->> 'k'"),
                           override("day", expression="day IS NULL"), exclude=["secret"]),
                 {"id": "int(11)", "v": "varchar(65533)", "sign": "varchar(65533)", "flag": "tinyint(1)",
                  "amount": "decimal(12, 2)", "day": "tinyint(1)", "doc": "varchar(65533)", "note": "varchar(65533)"},
                 [(1, "A-s1", "plus", 1, Decimal("2.50"), 0, "1", "it's none; -- "),
                  (2, "BB-s2", "minus", 0, Decimal("-1.00"), 1, None, "text")]),
    "skipped": ("mariadb", "id INT PRIMARY KEY, u UUID, a INET6, tags SET('x'), place POINT, g INT AS (id * 2) VIRTUAL, v INT",
                "INSERT INTO {} (id, u, v) VALUES (1, UUID(), 5), (2, NULL, 6)", {"columns": {"unsupported": "Skip"}},
                {"id": "int(11)", "v": "int(11)"}, [(1, 5), (2, 6)]),
    "narrow": ("oracle", "id INT PRIMARY KEY, v VARCHAR(10), c CHAR(3), e ENUM('a','b')",
               "INSERT INTO {} VALUES (1, '0123456789', 'abc', 'a'), (2, NULL, NULL, NULL)",
               {"columns": {"charBytesPerCharacter": 1}},
               {"id": "int(11)", "v": "varchar(10)", "c": "varchar(3)", "e": "varchar(256)"},
               [(1, "0123456789", "abc", "a"), (2, None, None, None)]),
    "spread": ("oracle", "id INT, at DATETIME, region VARCHAR(5), v INT, PRIMARY KEY (id, at, region)",
               f"INSERT INTO {{}} VALUES (1, '{MOMENT}', 'eu', 3), (2, '{MOMENT}', 'us', 4)",
               {"target": {"distributedBy": ["REGION"], "buckets": 3, "partitionBy": "date_trunc('day', at)",
                           "properties": {"replication_num": "1", "enable_persistent_index": "true"}}},
               {"id": "int(11)", "at": "datetime", "region": "varchar(20)", "v": "int(11)"},
               [(1, MOMENT, "eu", 3), (2, MOMENT, "us", 4)]),
    "listed": ("oracle", "id INT, region VARCHAR(5), v INT, PRIMARY KEY (id, region)",
               "INSERT INTO {} VALUES (1, 'eu', 3), (2, 'us', 4)",
               {"target": {"partitionBy": "Area", "distributedBy": ["id"]},
                **overrides(override("region", targetName="Area"))},
               {"id": "int(11)", "Area": "varchar(20)", "v": "int(11)"}, [(1, "eu", 3), (2, "us", 4)]),
}
KEYED = "id INT PRIMARY KEY, code VARCHAR(10) NOT NULL, region INT NOT NULL, v INT, loose INT, UNIQUE KEY pair (region, code)," \
        " UNIQUE KEY maybe (loose), KEY plain (v)"
# What is refused: name -> (MySQL columns, spec, reason, words)
BAD = {
    "absent": (EVERYTHING, {"columns": {"include": ["id", "secrets"]}}, "InvalidColumns",
               ("spec.columns.include names column 'secrets'", "it has secret, id")),
    "absentout": (EVERYTHING, {"columns": {"exclude": ["nope"]}}, "InvalidColumns", ("spec.columns.exclude names column 'nope'",)),
    "absentover": (EVERYTHING, overrides(override("nope", targetType="INT")), "InvalidColumns",
                   ("spec.columns.overrides names column 'nope'",)),
    "nokey": (EVERYTHING, {"columns": {"exclude": ["id"]}}, "InvalidColumns", ("Key column(id) doesn't exist.",)),
    "twice": (EVERYTHING, overrides(override("v", targetName="NOTE")), "InvalidColumns", ("Duplicate column name",)),
    "notype": (EVERYTHING, overrides(override("v", targetType="MAP<INT,INT>")), "InvalidOverride",
               ("'MAP<INT,INT>' is no type for a StarRocks column", "LARGEINT")),
    "toolong": (EVERYTHING, overrides(override("v", targetType="VARCHAR(1048577)")), "InvalidOverride", ("1048576",)),
    "misfit": (EVERYTHING, overrides(override("n", targetType="DATE")), "InvalidOverride",
               ("spec.columns.overrides['n'].targetType", "Column type don't match")),
    "keydouble": (EVERYTHING, overrides(override("id", targetType="DOUBLE")), "InvalidOverride", ("['id'].targetType",)),
    "keynarrow": (EVERYTHING, overrides(override("id", targetType="SMALLINT")), "InvalidOverride", ("['id'].targetType",)),
    "keycomputed": (EVERYTHING, overrides(override("id", expression="id + 1")), "InvalidOverride",
                    ("['id'].expression", "two rows could become one")),
    "nofunction": (EVERYTHING, overrides(override("v", expression="pg_read_file(v)")), "InvalidOverride",
                   ("['v'].expression", "pg_read_file", "coalesce")),
    "nocolumn": (EVERYTHING, overrides(override("v", expression="other.v || 'x'")), "InvalidOverride", ("['v'].expression",)),
    "subquery": (EVERYTHING, overrides(override("v", expression="(SELECT note FROM other LIMIT 1)")), "InvalidOverride",
                 ("['v'].expression",)),
    "statement": (EVERYTHING, overrides(override("v", expression="v; DROP TABLE t")), "InvalidOverride", ("['v'].expression",)),
    "mistyped": (EVERYTHING, overrides(override("v", expression="v + n")), "InvalidOverride", ("['v'].expression",)),
    "zoned": (EVERYTHING, overrides(override("day", expression="now()")), "InvalidOverride", ("['day'].expression",)),
    "nounique": (KEYED, {"primaryKey": ["v"]}, "InvalidColumns",
                 ("spec.primaryKey (v) is no UNIQUE key", "PRIMARY (id)", "pair (region, code)")),
    "nullable": (KEYED, {"primaryKey": ["loose"]}, "InvalidColumns", ("spec.primaryKey (loose) is no UNIQUE key",)),
    "halfkey": (KEYED, {"primaryKey": ["code"]}, "InvalidColumns", ("spec.primaryKey (code) is no UNIQUE key",)),
    "keyabsent": (KEYED, {"primaryKey": ["codes"]}, "InvalidColumns", ("spec.primaryKey names column 'codes'", "it has code")),
    "keyout": (KEYED, {"primaryKey": ["region", "code"], "columns": {"exclude": ["code"]}}, "InvalidColumns",
               ("spec.columns.exclude names 'code'", "Key column(code) doesn't exist.")),
    "nodistribution": (EVERYTHING, {"target": {"distributedBy": ["v"]}}, "InvalidColumns", (
        "spec.target.distributedBy", "Distribution column[v] is not key column")),
    "distributionabsent": (EVERYTHING, {"target": {"distributedBy": ["x"]}}, "InvalidColumns", (
        "Distribution column(x) doesn't exist.",)),
    "nopartition": (EVERYTHING, {"target": {"partitionBy": "day"}}, "InvalidColumns", (
        "spec.target.partitionBy", "'day' is not part of the key", "partition columns must be part of the primary key")),
    "nounit": ("id INT, at DATETIME, PRIMARY KEY (id, at)", {"target": {"partitionBy": "date_trunc('week', at)"}}, "InvalidColumns",
               ("'week' is no unit StarRocks partitions by",)),
    "nodate": (EVERYTHING, {"target": {"partitionBy": "date_trunc('day', id)"}}, "InvalidColumns",
               ("date_trunc needs a column of type DATE or DATETIME",)),
    "nogrammar": (EVERYTHING, {"target": {"partitionBy": "id) PROPERTIES ('x' = 'y'"}}, "InvalidColumns", ("spec.target.partitionBy",)),
    "several": (EVERYTHING, overrides(override("nay", targetType="INT"), exclude=["id", "no"]), "InvalidColumns",
                ("'id'", "'no'", "'nay'")),
    "severaltypes": (EVERYTHING, overrides(override("v", targetType="NOPE"), override("n", targetType="DATE"),
                                           override("day", expression="x")), "InvalidOverride", ("'NOPE'", "['n']", "['day']")),
}


@pytest.fixture(scope="module")
def groups(running, mariadb):
    """The two servers with all tables, and all TableSyncs at once."""
    made = {"oracle": Group(running, "columns"), "mariadb": Group(running, "columns-maria", mariadb)}
    for name, (server, columns, rows, *_) in GOOD.items():
        made[server].sql(f"CREATE TABLE {name} ({columns})", rows.format(name))
    oracle = made["oracle"]
    oracle.sql(f"CREATE TABLE bykey ({KEYED})", "INSERT INTO bykey VALUES (1, 'a', 1, 10, NULL), (2, 'b', 1, 20, 5), (3, 'a', 2, 30, 6)",
               f"CREATE TABLE later ({EVERYTHING})", VALUES.format("later"))
    for name, (columns, *_) in BAD.items():
        oracle.sql(f"CREATE TABLE {name} ({columns})")
    oracle.before = oracle.system.catalogs()
    oracle.apply({name: spec for name, (_, spec, *_) in BAD.items()})
    # Before anything good exists: what is refused changes nothing anywhere.
    for name in BAD:
        oracle.wait(name, "it is refused", lambda r: r.get("status", {}).get("phase") == "Stalled")
    oracle.after = oracle.system.catalogs()
    for server, group in made.items():
        group.apply({name: case[3] for name, case in GOOD.items() if case[0] == server})
    oracle.apply({"bykey": {"primaryKey": ["code", "region"]}, "later": {"columns": {"exclude": ["secret", "doc"]}}})
    yield made
    for group in made.values():
        group.finish()


@pytest.mark.parametrize("name", BAD)
def test_a_bad_combination_is_refused_with_the_rule(groups, name):
    """Before the connection to anything is used for more than reading, and in words that show what to change."""
    _, _, reason, words = BAD[name]
    groups["oracle"].wait_stalled(name, reason, "SourceSchemaResolved", words)
    assert groups["oracle"].streams(name) == ([], []) and groups["oracle"].target_columns(name) == {}


def test_nothing_was_created_for_any_of_them(groups):
    assert groups["oracle"].before == groups["oracle"].after


def documents(rows):
    """StarRocks prints JSON as it likes."""
    return [tuple(json.loads(value) if isinstance(value, str) and value.startswith("{") else value for value in row) for row in rows]


@pytest.mark.parametrize("name", GOOD)
def test_what_is_chosen_is_delivered(groups, name):
    """From the snapshot, and from changes: every row is written again."""
    server, _, _, _, columns, rows = GOOD[name]
    group = groups[server]
    group.wait_ready(name)
    assert group.target_columns(name) == columns
    listed = ", ".join(f"`{column}`" for column in columns)
    group.wait(name, "the rows arrive", lambda _: documents(group.rows(name, listed)) == rows)
    text = next(row[0] for row in group.sql(f"SHOW COLUMNS FROM {name}") if row[3] == "PRI")
    saved = group.sql(f"SELECT * FROM {name} ORDER BY {text}")
    group.sql(f"DELETE FROM {name}")
    group.wait_rows(name, [], listed)
    fields = [row[0] for row in group.sql(f"SHOW COLUMNS FROM {name}") if "GENERATED" not in row[5]]
    places = [i for i, row in enumerate(group.sql(f"SHOW COLUMNS FROM {name}")) if "GENERATED" not in row[5]]
    with group.mysql.connect(group.database) as session, session.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {name} ({', '.join(f'`{f}`' for f in fields)}) VALUES ({', '.join(['%s'] * len(fields))})",
                           [tuple(row[i] for i in places) for row in saved])
    group.wait(name, "the rows arrive again", lambda _: documents(group.rows(name, listed)) == rows)


def test_what_is_not_chosen_is_not_even_read(groups):
    """The CDC table has neither excluded columns nor those of other types; what an expression reads it has."""
    group = groups["oracle"]

    def stream(name):
        group.wait_ready(name)
        return {column for (column,) in group.system.rw.query(
            "SELECT c.name FROM rw_catalog.rw_columns c JOIN rw_catalog.rw_relations r ON r.id = c.relation_id"
            f" WHERE r.name LIKE 't_{group.database}_{name}_%'") if not column.startswith("_")}

    assert stream("included") == {"id", "v", "note"}
    assert stream("excluded") == {"id", "v"}
    assert "secret" in stream("computed")


def test_a_skipped_column_is_told(groups):
    group = groups["mariadb"]
    group.wait_ready("skipped")
    notes = [e["note"] for e in group.events("skipped", "ValuesMayBeLost")]
    for column in ("u", "a", "tags", "place", "g"):
        assert any(f"column '{column}' is left out" in note for note in notes), (column, notes)


def test_the_table_is_spread_as_asked(groups):
    group = groups["oracle"]
    group.wait_ready("spread", "listed")
    shown = group.system.starrocks.query(f"SHOW CREATE TABLE {group.database}.spread")[0][1]
    for part in ("DISTRIBUTED BY HASH(`region`) BUCKETS 3", "PARTITION BY date_trunc('day', at)", '"enable_persistent_index" = "true"'):
        assert part in shown, shown
    shown = group.system.starrocks.query(f"SHOW CREATE TABLE {group.database}.listed")[0][1]
    assert "PARTITION BY (`Area`)" in shown and "DISTRIBUTED BY HASH(`id`)" in shown, shown


def test_another_key_tells_rows_apart(groups):
    """A row whose chosen key changes moves: its old place is empty, also where two rows exchange their keys."""
    group, columns = groups["oracle"], "code, region, id, v"
    group.wait_ready("bykey")
    assert list(group.target_columns("bykey"))[:2] == ["code", "region"]
    group.wait_rows("bykey", [("a", 1, 1, 10), ("a", 2, 3, 30), ("b", 1, 2, 20)], f"{columns}")
    group.sql("UPDATE bykey SET code = 'z' WHERE id = 1", "UPDATE bykey SET id = 9 WHERE id = 3", "DELETE FROM bykey WHERE id = 2")
    group.wait_rows("bykey", [("a", 2, 9, 30), ("z", 1, 1, 10)], columns)
    with group.mysql.connect(group.database) as session, session.cursor() as cursor:
        session.begin()
        for change in ("code = 'tmp' WHERE id = 1", "code = 'z', region = 1 WHERE id = 9", "code = 'a', region = 2 WHERE id = 1"):
            cursor.execute(f"UPDATE bykey SET {change}")
        session.commit()
    group.wait_rows("bykey", [("a", 2, 1, 10), ("z", 1, 9, 30)], columns)


def test_the_choice_may_change_later(groups):
    """A column that is taken in comes like one that was added; one that is left out would turn NULL, and waits for a yes."""
    group, name = groups["oracle"], "later"
    group.wait_ready(name)
    group.patch(name, columns={"exclude": ["doc"]})
    group.wait_condition(name, "SchemaInSync", "True", "UnloadedColumns")
    group.wait_settled(name)
    group.sql(f"UPDATE {name} SET secret = 'new' WHERE id = 2")
    group.wait_rows(name, [(1, None), (2, "new")], "id, secret")
    group.patch(name, columns={"exclude": ["doc", "v"]})
    group.wait_stalled(name, "DestructiveChange", "PlanApproved")
    group.sql(f"UPDATE {name} SET v = 'still' WHERE id = 1")
    group.wait_rows(name, [(1, "still"), (2, "Bb")], "id, v")
    group.patch(name, columns={"exclude": ["doc"]})
    group.wait_settled(name)
    group.wait_rows(name, [(1, "still"), (2, "Bb")], "id, v")
