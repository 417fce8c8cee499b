"""A MySQL table that lives: columns come, go, grow and change, tables are emptied and exchanged.

What a policy carries through is there with every row; what none carries stalls with a reason and a way out, and rows
go on flowing meanwhile. All tables are changed in one moment, then looked at one by one.
"""

from decimal import Decimal

import pytest

from .system import Group, condition_of

pytestmark = pytest.mark.together
ADD_ONLY, EVOLVE = {"policy": "AddOnly"}, {"policy": "Evolve"}
TWO_ROWS = "INSERT INTO {} (id, v) VALUES (1, 'a'), (2, 'b')"

# name -> (columns, rows, spec.schemaChange, statements that change it)
TABLES = {
    "addnull": ("id INT PRIMARY KEY, v VARCHAR(10)", TWO_ROWS, ADD_ONLY, ("ALTER TABLE {} ADD COLUMN note VARCHAR(10) NULL",)),
    "adddefault": ("id INT PRIMARY KEY, v VARCHAR(10)", TWO_ROWS, ADD_ONLY,
                   ("ALTER TABLE {} ADD COLUMN qty INT NOT NULL DEFAULT 7",)),
    "addmany": ("id INT PRIMARY KEY, v VARCHAR(10)", TWO_ROWS, ADD_ONLY,
                ("ALTER TABLE {} ADD COLUMN a DECIMAL(10,2) NULL FIRST, ADD COLUMN `b c` DATETIME(3) NULL AFTER id,"
                 " ADD COLUMN d ENUM('x','y') NULL",)),
    "dropkept": ("id INT PRIMARY KEY, v VARCHAR(10), gone VARCHAR(10) NOT NULL DEFAULT 'old'", TWO_ROWS, ADD_ONLY,
                 ("ALTER TABLE {} DROP COLUMN gone",)),
    "growth": ("id INT PRIMARY KEY, v VARCHAR(4), amount DECIMAL(6,2)", TWO_ROWS, ADD_ONLY,
               ("ALTER TABLE {} MODIFY v VARCHAR(300), MODIFY amount DECIMAL(12,4)",
                f"INSERT INTO {{}} (id, v) VALUES (3, '{'€' * 300}')")),
    "wider": ("id INT PRIMARY KEY, v VARCHAR(10), n INT", TWO_ROWS, ADD_ONLY,
              ("ALTER TABLE {} MODIFY n BIGINT", "UPDATE {} SET n = 9000000000 WHERE id = 1",
               "INSERT INTO {} VALUES (3, 'c', -9000000000)", "DELETE FROM {} WHERE id = 2")),
    "renamed": ("id INT PRIMARY KEY, v VARCHAR(10), n INT", TWO_ROWS, ADD_ONLY, ("ALTER TABLE {} CHANGE v w VARCHAR(10)",)),
    "newkey": ("id INT, v VARCHAR(10), PRIMARY KEY (id)", TWO_ROWS, ADD_ONLY,
               ("ALTER TABLE {} DROP PRIMARY KEY, ADD PRIMARY KEY (id, v)",)),
    "emptied": ("id INT PRIMARY KEY, v VARCHAR(10)", TWO_ROWS, ADD_ONLY, ("TRUNCATE TABLE {}",)),
    "narrowed": ("id INT PRIMARY KEY, v VARCHAR(10)", TWO_ROWS, ADD_ONLY, ("ALTER TABLE {} MODIFY v VARCHAR(5)",)),
    "retyped": ("id INT PRIMARY KEY, v VARCHAR(10), d DATE", TWO_ROWS, ADD_ONLY, ("ALTER TABLE {} MODIFY d VARCHAR(20)",)),
    "failadd": ("id INT PRIMARY KEY, v VARCHAR(10)", TWO_ROWS, {"policy": "Fail"}, ("ALTER TABLE {} ADD COLUMN note INT",)),
    "faildrop": ("id INT PRIMARY KEY, v VARCHAR(10), gone INT", TWO_ROWS, {"policy": "Fail"},
                 ("ALTER TABLE {} DROP COLUMN gone",)),
    "failwide": ("id INT PRIMARY KEY, v VARCHAR(10)", TWO_ROWS, {"policy": "Fail"}, ("ALTER TABLE {} MODIFY v VARCHAR(99)",)),
    "ignored": ("id INT PRIMARY KEY, v VARCHAR(10)", TWO_ROWS, {"policy": "Ignore"},
                ("ALTER TABLE {} ADD COLUMN note INT NOT NULL DEFAULT 5",)),
    "beside": ("id INT PRIMARY KEY, v VARCHAR(10), d DATE DEFAULT '2026-01-02'", TWO_ROWS, EVOLVE,
               ("ALTER TABLE {} MODIFY d VARCHAR(20)", "UPDATE {} SET d = 'soon' WHERE id = 2")),
    "retold": ("id INT PRIMARY KEY, v VARCHAR(10), n INT DEFAULT 8", TWO_ROWS, EVOLVE,
               ("ALTER TABLE {} MODIFY n VARCHAR(20)", "UPDATE {} SET n = 'eight' WHERE id = 2")),
    "dropped": ("id INT PRIMARY KEY, v VARCHAR(10), gone VARCHAR(10) DEFAULT 'old'", TWO_ROWS,
                {"policy": "Evolve", "dropColumn": "Drop"}, ("ALTER TABLE {} DROP COLUMN gone",)),
}
MARIA = ("adddefault", "wider", "dropkept", "renamed", "emptied")
DIALECTS = ("evolve-oracle", "evolve-maria")


def run(group, name, *statements):
    group.sql(*(statement.format(name) for statement in statements))


def swap(group, name):
    """What gh-ost and pt-online-schema-change do."""
    group.sql(f"CREATE TABLE _{name}_gho LIKE {name}", f"ALTER TABLE _{name}_gho ADD COLUMN note INT NOT NULL DEFAULT 3",
              f"INSERT INTO _{name}_gho (id, v) SELECT id, v FROM {name}",
              f"RENAME TABLE {name} TO _{name}_del, _{name}_gho TO {name}")


@pytest.fixture(scope="module")
def groups(running, mariadb):
    """Both dialects with their tables, streaming and then changed all at once."""
    made = {"evolve-oracle": Group(running, "evolve-oracle"), "evolve-maria": Group(running, "evolve-maria", mariadb)}
    for namespace, group in made.items():
        names = [*(TABLES if namespace == "evolve-oracle" else MARIA), "swapped"]
        for name in names:
            columns, rows, *_ = TABLES.get(name, ("id INT PRIMARY KEY, v VARCHAR(10)", TWO_ROWS))
            run(group, name, f"CREATE TABLE {{}} ({columns})", rows)
        group.apply({name: {"schemaChange": TABLES[name][2] if name in TABLES else ADD_ONLY} for name in names})
    for namespace, group in made.items():
        names = list(group.system.listed(namespace))
        group.wait_ready(*names)
        group.before = {name: group.streams(name) for name in names}
        group.hashes = {name: group.status(name)["source"]["schemaHash"] for name in names}
    for group in made.values():
        for name in group.before:
            if name == "swapped":
                swap(group, name)
            else:
                run(group, name, *TABLES[name][3])
    yield made
    for group in made.values():
        group.finish()


@pytest.fixture(scope="module")
def oracle(groups):
    return groups["evolve-oracle"]


def untouched(group, name):
    """Not one object of the stream was replaced."""
    return group.streams(name) == group.before[name] == (["1"], ["1"])


# --- columns that come ---

def test_a_nullable_column_is_added(oracle):
    """In the target and in the stream; no row holds a value yet, so there is nothing to load."""
    oracle.wait(name := "addnull", "the column is there", lambda _: oracle.target_columns(name).get("note") == "varchar(40)")
    assert oracle.wait_settled(name)[0] == "1"
    run(oracle, name, "INSERT INTO {} VALUES (3, 'c', 'n')", "UPDATE {} SET note = 'x' WHERE id = 1",
        "DELETE FROM {} WHERE id = 2")
    oracle.wait_rows(name, [(1, "a", "x"), (3, "c", "n")])
    oracle.wait_condition(name, "SchemaInSync", "True", "Match")
    assert "unloadedColumns" not in oracle.status(name)["source"]
    assert [e["type"] for e in oracle.events(name, "SchemaChangeDetected")] == ["Normal"]


@pytest.mark.parametrize("namespace", DIALECTS)
def test_a_column_with_values_is_told_and_loaded_by_a_resync(groups, namespace):
    """Rows loaded before hold NULL, whatever MySQL says of them: a person decides to load them again."""
    group, name = groups[namespace], "adddefault"
    message = group.wait_condition(name, "SchemaInSync", "True", "UnloadedColumns")["message"]
    assert "'qty'" in message and "spec.resyncToken" in message
    assert group.status(name)["source"]["unloadedColumns"] == ["qty"]
    told = group.events(name, "ColumnNotLoaded")
    assert [e["type"] for e in told] == ["Warning"] and "'qty'" in told[0]["note"]
    run(group, name, "INSERT INTO {} VALUES (3, 'c', 9)", "UPDATE {} SET v = 'bb' WHERE id = 2")
    group.wait_rows(name, [(1, "a", None), (2, "bb", 7), (3, "c", 9)])
    assert group.wait_settled(name)[0] == "1"
    group.patch(name, resyncToken="load-qty")
    group.wait_rows(name, [(1, "a", 7), (2, "bb", 7), (3, "c", 9)])
    group.wait_condition(name, "SchemaInSync", "True", "Match")
    assert group.wait_settled(name)[0] == "2"
    assert "unloadedColumns" not in group.status(name)["source"]


def test_several_columns_come_at_once(oracle):
    """In one change of the target and with one new sink, wherever MySQL put them."""
    name = "addmany"
    oracle.wait(name, "the columns are there", lambda _: len(oracle.target_columns(name)) == 5)
    assert oracle.wait_settled(name) == ("1", "2")
    assert oracle.target_columns(name) == {"id": "int(11)", "v": "varchar(40)", "a": "decimal(10, 2)", "b c": "datetime",
                                           "d": "varchar(256)"}
    run(oracle, name, "INSERT INTO {} (id, v, a, `b c`, d) VALUES (3, 'c', 1.25, '2026-01-02 03:04:05.678', 'y')",
        "UPDATE {} SET d = 'x' WHERE id = 1")
    oracle.wait_rows(name, columns="id, v, a, `b c`, d")
    assert sum("ADD COLUMN" in s and s.startswith("ALTER TABLE `") for s in oracle.statements(name)) == 1


# --- columns that go ---

@pytest.mark.parametrize("namespace", DIALECTS)
def test_a_dropped_column_keeps_what_it_held(groups, namespace):
    """Rows that change afterwards hold NULL; the next sink, which sends every row again, destroys nothing either."""
    group, name = groups[namespace], "dropkept"
    group.wait(name, "the column is known to be kept", lambda r: r["status"]["source"].get("keptColumns") == ["gone"])
    run(group, name, "UPDATE {} SET v = 'bb' WHERE id = 2", "INSERT INTO {} VALUES (3, 'c')")
    group.wait_rows(name, [(1, "a", "old"), (2, "bb", None), (3, "c", None)], "id, v, gone")
    group.wait_ready(name)
    run(group, name, "ALTER TABLE {} ADD COLUMN later INT NULL")
    group.wait(name, "the later column is there", lambda _: "later" in group.target_columns(name))
    group.wait_settled(name)
    run(group, name, "INSERT INTO {} VALUES (4, 'd', 1)")
    group.wait_rows(name, [(1, "a", "old", None), (2, "bb", None, None), (3, "c", None, None), (4, "d", None, 1)],
                    "id, v, gone, later")
    assert group.streams(name)[0] == ["1"]
    assert group.status(name)["source"]["keptColumns"] == ["gone"]
    assert "'gone'" in group.wait_condition(name, "SchemaInSync", "True", "Match")["message"]


def test_a_dropped_column_is_dropped_once_that_is_approved(oracle):
    """dropColumn: Drop, and a yes to exactly these statements; until then rows flow on into the old table."""
    name = "dropped"
    message = oracle.wait_stalled(name, "DestructiveChange", "PlanApproved", ("kubectl annotate", "approve-plan"))
    plan = oracle.status(name)["plan"]
    assert plan["hash"] in message
    assert {s["risk"] for s in plan["statements"]} == {"Safe", "Destructive"}
    assert all("DROP COLUMN" in s["sql"] for s in plan["statements"] if s["risk"] == "Destructive")
    run(oracle, name, "INSERT INTO {} VALUES (3, 'c')")
    oracle.wait_rows(name, [(1, "a", "old"), (2, "b", "old"), (3, "c", None)], "id, v, gone")
    oracle.annotate(name, approve_plan=plan["hash"])
    oracle.wait_rows(name, [(1, "a"), (2, "b"), (3, "c")])
    oracle.wait_settled(name)
    columns = oracle.system.rw.query("SELECT c.name FROM rw_catalog.rw_columns c JOIN rw_catalog.rw_relations r ON"
                                     f" r.id = c.relation_id WHERE r.name LIKE 't_{oracle.database}_{name}_%'")
    assert ("v",) in columns and ("gone",) not in columns
    run(oracle, name, "UPDATE {} SET v = 'z' WHERE id = 1")
    oracle.wait_rows(name, [(1, "z"), (2, "b"), (3, "c")])
    assert "plan" not in oracle.status(name)


# --- types that change ---

def test_longer_values_find_room(oracle):
    """VARCHAR and DECIMAL grow by ALTER in StarRocks; the stream itself stays as it is."""
    name = "growth"
    oracle.wait(name, "the columns grew", lambda _: oracle.target_columns(name) == {
        "id": "int(11)", "v": "varchar(1200)", "amount": "decimal(12, 4)"})
    run(oracle, name, "UPDATE {} SET amount = 12345678.9012 WHERE id = 2")
    oracle.wait_rows(name, [(1, "a", None), (2, "b", Decimal("12345678.9012")), (3, "€" * 300, None)])
    oracle.wait_ready(name)
    assert untouched(oracle, name)


@pytest.mark.parametrize("namespace", DIALECTS)
def test_a_wider_integer_is_loaded_anew_beside_the_old_one(groups, namespace):
    """RisingWave cannot change a column's type: another CDC table takes over, and nothing of the old one stays."""
    group, name = groups[namespace], "wider"
    group.wait_rows(name, [(1, "a", 9000000000), (3, "c", -9000000000)])
    assert group.wait_settled(name)[0] == "2"
    assert group.target_columns(name)["n"] == "bigint(20)"
    run(group, name, "UPDATE {} SET n = 9000000001 WHERE id = 3", "INSERT INTO {} VALUES (4, 'd', 9223372036854775807)")
    group.wait_rows(name)
    kinds = {o["kind"]: o["name"] for o in group.status(name)["objects"]}
    assert len(group.status(name)["objects"]) == 4 and kinds["Table"].endswith("_v2")


def test_a_narrower_text_changes_nothing(oracle):
    """Every value still has its place: nothing is done, nothing stalls."""
    name = "narrowed"
    oracle.wait(name, "the new definition was read", lambda r: r["status"]["source"]["schemaHash"] != oracle.hashes[name])
    run(oracle, name, "INSERT INTO {} VALUES (3, 'ccccc')")
    oracle.wait_rows(name)
    oracle.wait_condition(name, "SchemaInSync", "True", "Match")
    assert untouched(oracle, name) and oracle.target_columns(name)["v"] == "varchar(40)"


def test_another_type_is_not_carried_by_addonly(oracle):
    """Told with both types; other columns flow on. The types that RisingWave reads wrongly never reach the target."""
    name = "retyped"
    oracle.wait_stalled(name, "ChangeUnsupported", "SchemaInSync", ("'d'", "varchar(20)", "Evolve", "spec.resyncToken"))
    run(oracle, name, "INSERT INTO {} VALUES (3, 'c', 'x')")
    oracle.wait_rows(name, [(1, "a", None), (2, "b", None), (3, "c", None)])
    assert untouched(oracle, name)


def test_evolve_puts_what_does_not_fit_into_a_new_column(oracle):
    """StarRocks cannot turn DATE into text: the old column stays, another one holds the values."""
    name = "beside"
    oracle.wait_rows(name, [(1, "2026-01-02"), (2, "soon")], "id, d__v2")
    oracle.wait_settled(name)
    assert oracle.target_columns(name) == {"id": "int(11)", "v": "varchar(40)", "d": "date", "d__v2": "varchar(80)"}
    run(oracle, name, "INSERT INTO {} VALUES (3, 'c', 'later')", "UPDATE {} SET d = 'now' WHERE id = 1")
    oracle.wait_rows(name, [(1, "a", "now"), (2, "b", "soon"), (3, "c", "later")], "id, v, d__v2")
    notes = [e["note"] for e in oracle.events(name, "PlanNote")]
    assert any("'d'" in note and "'d__v2'" in note for note in notes), notes


def test_evolve_changes_the_type_where_starrocks_can(oracle):
    """INT to text: the same column."""
    name = "retold"
    oracle.wait_rows(name, [(1, "a", "8"), (2, "b", "eight")])
    assert oracle.wait_settled(name)[0] == "2"
    assert oracle.target_columns(name)["n"] == "varchar(80)"


# --- names and keys ---

@pytest.mark.parametrize("namespace", DIALECTS)
def test_a_rename_stalls_and_an_override_carries_it(groups, namespace):
    """RisingWave would read NULL for ever. Nothing is touched before somebody says where the values go."""
    group, name = groups[namespace], "renamed"
    group.wait_stalled(name, "ChangeUnsupported", "SchemaInSync", ("'v' is gone", "'w' is new", "rename", "Evolve",
                                                                   "{name: w, targetName: v}"))
    run(group, name, "INSERT INTO {} VALUES (3, 'c', 5)")
    group.wait_rows(name, [(1, None), (2, None), (3, 5)], "id, n")
    assert group.rows(name, "id, v")[:2] == [(1, "a"), (2, "b")]
    assert untouched(group, name)
    group.patch(name, schemaChange=EVOLVE, columns={"overrides": [{"name": "w", "targetName": "v"}]})
    group.wait_rows(name, [(1, "a", None), (2, "b", None), (3, "c", 5)], "id, v, n")
    assert group.wait_settled(name)[0] == "2"
    run(group, name, "UPDATE {} SET w = 'bb' WHERE id = 2")
    group.wait_rows(name, [(1, "a", None), (2, "bb", None), (3, "c", 5)], "id, v, n")
    assert list(group.target_columns(name)) == ["id", "v", "n"]


def test_another_key_stalls_and_a_recreating_resync_leads_out(oracle):
    name = "newkey"
    oracle.wait_stalled(name, "ChangeUnsupported", "SchemaInSync", ("primary key is now (id, v)", "made with (id)",
                                                                    "spec.resyncToken", "Recreate"))
    assert untouched(oracle, name)
    run(oracle, name, "INSERT INTO {} VALUES (1, 'also')")
    oracle.patch(name, resyncToken="by-both", resyncMode="Recreate")
    oracle.wait_rows(name, [(1, "a"), (1, "also"), (2, "b")], timeout_s=60)
    oracle.wait_settled(name)
    keys = oracle.system.starrocks.query("SELECT column_name FROM information_schema.columns WHERE column_key = 'PRI' AND"
                                         f" table_schema = '{oracle.database}' AND table_name = '{name}'"
                                         " ORDER BY ordinal_position")
    assert keys == [("id",), ("v",)]
    run(oracle, name, "DELETE FROM {} WHERE v = 'a'")
    oracle.wait_rows(name, [(1, "also"), (2, "b")])


# --- tables that are emptied and exchanged ---

@pytest.mark.parametrize("namespace", DIALECTS)
def test_an_emptied_table_stalls_and_a_resync_empties_the_target(groups, namespace):
    """RisingWave hears nothing of TRUNCATE; what it still holds is not taken for the truth."""
    group, name = groups[namespace], "emptied"
    group.wait_stalled(name, "TableReplaced", "SchemaInSync", ("2 rows", "0 rows", "TRUNCATE", "spec.resyncToken"))
    assert group.rows(name) == [(1, "a"), (2, "b")]
    run(group, name, "INSERT INTO {} VALUES (7, 'g')")
    group.patch(name, resyncToken="empty", resyncMode="Truncate")
    group.wait_rows(name, [(7, "g")])
    assert group.wait_settled(name)[0] == "2"
    run(group, name, "INSERT INTO {} VALUES (8, 'h')", "DELETE FROM {} WHERE id = 7")
    group.wait_rows(name, [(8, "h")])


@pytest.mark.parametrize("namespace", DIALECTS)
def test_an_online_schema_change_stalls_and_a_resync_leads_out(groups, namespace):
    """The table behind the name is another one: its twin is named, and the new one loaded as it is."""
    group, name = groups[namespace], "swapped"
    group.wait_stalled(name, "TableReplaced", "SchemaInSync", ("exchanged", f"_{name}_del", "spec.resyncToken"))
    assert untouched(group, name)
    group.patch(name, resyncToken="swapped", resyncMode="Truncate")
    group.wait_rows(name, [(1, "a", 3), (2, "b", 3)])
    group.wait_settled(name)
    group.wait_condition(name, "SchemaInSync", "True", "Match")
    run(group, name, "INSERT INTO {} VALUES (3, 'c', 4)", "UPDATE {} SET note = 0 WHERE id = 1")
    group.wait_rows(name, [(1, "a", 0), (2, "b", 3), (3, "c", 4)])


# --- policies that hold back ---

@pytest.mark.parametrize("name, words", [("failadd", "'note' was added"), ("faildrop", "'gone' was dropped"),
                                         ("failwide", "'v' is varchar(40), varchar(396) needed")])
def test_fail_stops_and_rows_flow_on_in_the_old_shape(oracle, name, words):
    oracle.wait_stalled(name, "ChangeBlockedByPolicy", "SchemaInSync", (words, "spec.schemaChange.policy is Fail", "AddOnly"))
    run(oracle, name, "INSERT INTO {} (id, v) VALUES (3, 'c')", "UPDATE {} SET v = 'bb' WHERE id = 2",
        "DELETE FROM {} WHERE id = 1")
    oracle.wait_rows(name, [(2, "bb"), (3, "c")], "id, v")
    assert untouched(oracle, name)
    oracle.patch(name, schemaChange=ADD_ONLY)
    run(oracle, name, f"INSERT INTO {{}} (id, v) VALUES (4, '{'d' * (99 if name == 'failwide' else 1)}')")
    oracle.wait_rows(name, columns="id, v, note" if name == "failadd" else "id, v")
    oracle.wait_settled(name)


def test_ignore_leaves_a_new_column_out(oracle):
    """Said in the condition, though nothing is wrong; and carried once the policy asks for it."""
    name = "ignored"
    message = oracle.wait_condition(name, "SchemaInSync", "True", "IgnoredColumns")["message"]
    assert "'note'" in message
    assert condition_of(oracle.get(name), "Ready")["status"] == "True"
    run(oracle, name, "INSERT INTO {} VALUES (3, 'c', 6)")
    oracle.wait_rows(name, [(1, "a"), (2, "b"), (3, "c")])
    assert untouched(oracle, name)
    oracle.patch(name, schemaChange=ADD_ONLY)
    oracle.wait_condition(name, "SchemaInSync", "True", "UnloadedColumns")
    run(oracle, name, "INSERT INTO {} VALUES (4, 'd', 7)")
    # The row of before was read while the column was left out.
    oracle.wait_rows(name, [(1, "a", None), (2, "b", None), (3, "c", None), (4, "d", 7)])
