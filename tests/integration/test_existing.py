"""A StarRocks table that was there before: compared in so many words, used only if asked for, and never dropped unasked."""

import pytest

from .system import Group, condition_of

pytestmark = pytest.mark.together
NAMESPACE = "existing"
MYSQL = "id INT PRIMARY KEY, v VARCHAR(10), amount DECIMAL(10,2)"
FITS = "id INT NOT NULL, v VARCHAR(40) NULL, amount DECIMAL(10,2) NULL"
KEY = "PRIMARY KEY (id) {} DISTRIBUTED BY HASH (id) PROPERTIES ('replication_num' = '1')"
WIDER = "id INT NOT NULL, extra VARCHAR(9) NULL DEFAULT 'mine', v VARCHAR(99) NULL, amount DECIMAL(20,4) NULL"

# Tables that fit: name -> (columns, comment, spec.target.existing)
FITTING = {
    "adopted": (WIDER, "Sales, by the 'hour'", "Adopt"),
    "truncated": (WIDER, "", "Truncate"),
    "recreated": (WIDER, "old", "Recreate"),
}
# Tables that do not fit, all told by the name of what is wrong: name -> (definition, words of the report)
MISFITS = {
    "missing": (f"(id INT NOT NULL, v VARCHAR(40) NULL) {KEY.format('')}", ("column 'amount' is missing (decimal(10, 2) needed)",)),
    "narrow": (f"(id INT NOT NULL, v VARCHAR(39) NULL, amount DECIMAL(9,2) NULL) {KEY.format('')}",
               ("column 'v' is varchar(39), varchar(40) needed", "column 'amount' is decimal(9, 2), decimal(10, 2) needed")),
    "othertype": (f"(id INT NOT NULL, v INT NULL, amount DOUBLE NULL) {KEY.format('')}",
                  ("column 'v' is int(11), varchar(40) needed", "column 'amount' is double, decimal(10, 2) needed")),
    "otherkeytype": (f"(id BIGINT NOT NULL, v VARCHAR(40) NULL, amount DECIMAL(10,2) NULL) {KEY.format('')}",
                     ("column 'id' is bigint(20), int(11) needed",)),
    "notnull": (f"(id INT NOT NULL, v VARCHAR(40) NOT NULL, amount DECIMAL(10,2) NULL) {KEY.format('')}",
                ("column 'v' is NOT NULL",)),
    "unfilled": (f"({FITS}, must INT NOT NULL) {KEY.format('')}", ("column 'must' is NOT NULL and nothing fills it",)),
    "spelling": (f"(id INT NOT NULL, V VARCHAR(40) NULL, amount DECIMAL(10,2) NULL) {KEY.format('')}",
                 ("column 'v' is spelled 'V'",)),
    "otherkey": (f"(id INT NOT NULL, v VARCHAR(40) NOT NULL, amount DECIMAL(10,2) NULL) "
                 f"{KEY.format('').replace('(id)', '(id, v)')}", ("its primary key is not (id)",)),
    "duplicates": (f"({FITS}) {KEY.format('').replace('PRIMARY', 'DUPLICATE')}", ("model is", "PRIMARY_KEYS needed")),
}


def target(name):
    return f"{NAMESPACE}.`{name}`"


def comment(group, name):
    return group.system.starrocks.query("SELECT table_comment FROM information_schema.tables WHERE table_schema ="
                                        f" '{group.database}' AND table_name = '{name}'")[0][0]


def definition(group, name):
    """Everything of the StarRocks table that somebody could have changed."""
    return (group.target_columns(name), comment(group, name), group.rows(name),
            group.system.starrocks.query(f"SELECT create_time FROM information_schema.tables WHERE table_schema ="
                                         f" '{group.database}' AND table_name = '{name}'"))


@pytest.fixture(scope="module")
def group(running):
    """All tables on both sides, those in StarRocks with a row of their own, then all TableSyncs at once."""
    made = Group(running, NAMESPACE)
    create = running.starrocks.query
    for name, (columns, text, _) in FITTING.items():
        quoted = text.replace("'", "\\'")
        create(f"CREATE TABLE {target(name)} ({columns}) {KEY.format(f'COMMENT {chr(39)}{quoted}{chr(39)}' if text else '')}")
        create(f"INSERT INTO {target(name)} (id, v) VALUES (1, 'stale'), (100, 'theirs')")
    for name, (text, _) in MISFITS.items():
        for existing in ("fail", "adopt", "truncate"):
            create(f"CREATE TABLE {target(name + existing)} {text}")
    create(f"CREATE TABLE {target('remade')} {MISFITS['otherkey'][0]}")
    create(f"CREATE TABLE {target('fitting')} ({FITS}) {KEY.format('')}")
    create(f"CREATE VIEW {target('aview')} AS SELECT 1 AS id, 'x' AS v, 1.0 AS amount")
    specs = {name: {"target": {"existing": existing}} for name, (*_, existing) in FITTING.items()}
    specs.update({name + existing.lower(): {"target": {"existing": existing}}
                  for name in MISFITS for existing in ("Fail", "Adopt", "Truncate")})
    specs.update(remade={"target": {"existing": "Recreate"}}, fitting={}, aview={"target": {"existing": "Adopt"}})
    for name in specs:
        made.sql(f"CREATE TABLE {name} ({MYSQL})", f"INSERT INTO {name} VALUES (1, 'a', 1.5), (2, 'b', NULL)")
    made.before = {name: definition(made, name) for name in specs if name not in FITTING and name not in ("remade", "aview")}
    made.apply(specs)
    yield made
    made.finish()


@pytest.mark.parametrize("name", MISFITS)
def test_what_does_not_fit_is_reported_column_by_column(group, name):
    """The same report whether it is to be used or not; and the table stays as it was."""
    words = MISFITS[name][1]
    group.wait_stalled(name + "fail", "AlreadyExists", "TargetTableReady", ("would not fit", "spec.target.existing", *words))
    for existing in ("adopt", "truncate"):
        group.wait_stalled(name + existing, "IncompatibleSchema", "TargetTableReady", ("Recreate", *words))
    for existing in ("fail", "adopt", "truncate"):
        assert definition(group, name + existing) == group.before[name + existing]
        assert group.streams(name + existing) == ([], [])
        assert group.status(name + existing).get("objects", []) == []


def test_what_would_fit_is_said_and_left_alone(group):
    group.wait_stalled("fitting", "AlreadyExists", "TargetTableReady",
                       ("its columns would fit", "spec.target.existing to Adopt, Truncate or Recreate"))
    assert definition(group, "fitting") == group.before["fitting"]


def test_a_view_is_never_a_target(group):
    group.wait_stalled("aview", "AlreadyExists", "TargetTableReady", ("is a view",))


def test_an_adopted_table_keeps_what_is_its_own(group):
    """Rows, columns and the comment, which our mark follows; and it outlives its TableSync, whatever deletionPolicy says."""
    group.wait_ready("adopted")
    group.wait_rows("adopted", [(1, "a"), (2, "b"), (100, "theirs")], "id, v")
    uid = group.get("adopted")["metadata"]["uid"]
    text = comment(group, "adopted")
    assert text.startswith(f"Sales, by the 'hour' tablesync:v1 uid={uid} hash=") and text.endswith(" adopted")
    assert group.target_columns("adopted") == {"id": "int(11)", "extra": "varchar(9)", "v": "varchar(99)",
                                               "amount": "decimal(20, 4)"}
    status = group.status("adopted")
    assert condition_of({"status": status}, "TargetTableReady")["reason"] == "Adopted"
    assert [o.get("owned", False) for o in status["objects"] if o["kind"] == "TargetTable"] == [False]
    group.sql("UPDATE adopted SET v = 'aa' WHERE id = 1", "DELETE FROM adopted WHERE id = 2")
    group.wait_rows("adopted", [(1, "aa"), (100, "theirs")], "id, v")
    assert group.get("adopted")["spec"]["deletionPolicy"] == "Delete"
    group.delete("adopted")
    assert group.rows("adopted", "id, v") == [(1, "aa"), (100, "theirs")] and group.streams("adopted") == ([], [])


def test_a_truncated_table_loses_its_rows_and_nothing_else(group):
    group.wait_ready("truncated")
    group.wait_rows("truncated", columns="id, v, amount")
    assert "extra" in group.target_columns("truncated")
    assert comment(group, "truncated").startswith("tablesync:v1 uid=")
    group.delete("truncated")
    assert group.rows("truncated", "id, v") == [(1, "a"), (2, "b")], "what was not ours was dropped"


@pytest.mark.parametrize("name", ["recreated", "remade"])
def test_a_recreated_table_is_ours(group, name):
    """Whether it fitted or not: made anew, so that deletion drops it."""
    group.wait_ready(name)
    group.wait_rows(name)
    assert group.target_columns(name) == {"id": "int(11)", "v": "varchar(40)", "amount": "decimal(10, 2)"}
    assert [o["owned"] for o in group.status(name)["objects"] if o["kind"] == "TargetTable"] == [True]
    group.delete(name)
    assert group.target_columns(name) == {} and group.streams(name) == ([], [])


def test_a_table_with_a_dead_owner_is_taken_over_by_name(group):
    """The owner kept its table when it was deleted: the next one must say whose table it takes."""
    name, heir = "owner", "heir"
    group.sql(f"CREATE TABLE {name} ({MYSQL})", f"INSERT INTO {name} VALUES (1, 'a', 1), (2, 'b', 2)",
              f"CREATE TABLE {heir} ({MYSQL})", f"INSERT INTO {heir} VALUES (2, 'z', 3)")
    group.apply({name: {"deletionPolicy": "DeleteStream"}})
    group.wait_ready(name)
    uid = group.get(name)["metadata"]["uid"]
    group.delete(name)
    group.apply({heir: {"target": {"table": name, "existing": "Adopt"}}})
    group.wait_refused(heir, "OwnedByAnother", "TargetTableReady",
                       (uid, f"tablesync.dev/adopt={uid}", "was deleted"))
    group.annotate(heir, adopt="00000000-0000-0000-0000-000000000000")
    group.looks(4)
    assert condition_of(group.get(heir), "Ready")["reason"] == "OwnedByAnother"
    group.annotate(heir, adopt=uid)
    group.wait_ready(heir)
    group.wait_rows(name, [(1, "a", 1), (2, "z", 3)])
    new = group.get(heir)["metadata"]["uid"]
    assert f"uid={new}" in comment(group, name) and uid not in comment(group, name)


@pytest.mark.parametrize("existing", ["Adopt", "Truncate", "Recreate"])
def test_existing_counts_once(group, existing):
    """Changed afterwards it does nothing, however it reads."""
    name = f"later{existing.lower()}"
    group.sql(f"CREATE TABLE {name} ({MYSQL})", f"INSERT INTO {name} VALUES (1, 'a', 1)")
    group.apply({name: {}})
    group.wait_ready(name)
    group.wait_rows(name)
    group.system.starrocks.query(f"INSERT INTO {target(name)} VALUES (100, 'by hand', 0)")
    was, statements = definition(group, name), group.statements(name)
    group.patch(name, target={"existing": existing})
    group.wait_ready(name)
    group.looks(5)
    assert definition(group, name) == was and group.statements(name) == statements
