"""Names of every shape: those that work stream end to end, those that lose data or crash are refused before anything exists.

What works and what does not was seen on real servers: RisingWave streams tables with hyphens, dots and upper case, and
columns with nearly anything; other table names load a snapshot and then never a change, and a quote crashes it.
"""

import pytest

from cluster.processes import wait_until

from . import system as sys_
from .system import MYSQL_PASSWORD, Told, connection_manifest, secret_manifest, sync_manifest

NAMESPACE, NEIGHBOUR = "names", "names-next-door"
DATABASE = "Names-EU"
TARGET = "Ods-EU"
LONGEST = 64  # characters of a MySQL name
LONG_DATABASE = "d" * LONGEST
NAME_BYTES = 63  # of what is created in RisingWave

# resource -> (database, table, table of the target or None for the same)
TABLES = {
    "hyphen": (DATABASE, "or-ders", None),
    "dot": (DATABASE, "or.ders.2024", None),
    "upper": (DATABASE, "ORDERS", None),
    "mixed": (DATABASE, "Orders", None),
    "lower": (DATABASE, "orders", None),
    "digit": (DATABASE, "2024orders", None),
    "digits": (DATABASE, "2024", None),
    "reserved": (DATABASE, "select", None),
    "all-kinds": (DATABASE, "-.Table_1.-", None),
    "renamed": (DATABASE, "plain", "It's another-table 表 $ % ; a.b"),
    "long-a": (LONG_DATABASE, "t" * (LONGEST - 1) + "a", None),
    "long-b": (LONG_DATABASE, "t" * (LONGEST - 1) + "b", None),
    "long-upper": (LONG_DATABASE, "T" * (LONGEST - 1) + "A", None),
}
COLUMNS = ("with space", "it's", "''", "a.b", "semi;colon", "do$llar", " leading", "  two", "1digit", "42", "名前", "größe",
           "ключ", "UPPER", "CamelCase", "select", "order", "primary", "null", "user", "hy-phen", "back\\slash", "per%cent",
           "%s", "#hash --", "// no comment", "(paren)", "[bracket]", "{brace}", "a:b", "a?b", "a@b", "a&b", "a|b", "a~b",
           "tab-less", "_under", "__double", "rw", "XMIN", "c" * LONGEST, "名" * LONGEST)
KEY_COLUMNS = ("The Key", "2nd", "it's", "键")


def quoted(name):
    return f"`{name}`"


def columns_table():
    return ", ".join(["`id` INT PRIMARY KEY", *(f"{quoted(name)} VARCHAR(20)" for name in COLUMNS)])


def execute(server, statement, arguments=None):
    with server.connect() as session, session.cursor() as cursor:
        cursor.execute(statement, arguments)
        return cursor.fetchall()


@pytest.fixture(scope="module")
def named(running):
    running.connect(NAMESPACE)
    sys_.grant_starrocks(running.starrocks, TARGET)
    running.mysql.execute(f"CREATE DATABASE {quoted(DATABASE)} DEFAULT CHARACTER SET utf8mb4",
                          f"CREATE DATABASE {quoted(LONG_DATABASE)} DEFAULT CHARACTER SET utf8mb4")
    yield running
    running.clear(NAMESPACE)


def sync(name, database, table, target=None, namespace=NAMESPACE, **more):
    return sync_manifest(name, database, table, namespace=namespace, target_database=TARGET,
                         target={"table": target} if target else {}, **more)


@pytest.fixture(scope="module")
def streams(named):
    """A TableSync for each of TABLES, with a row of its own, Ready."""
    for name, (database, table, _) in TABLES.items():
        named.mysql.execute(f"CREATE TABLE {quoted(database)}.{quoted(table)} (id INT PRIMARY KEY, v VARCHAR(80))",
                            f"INSERT INTO {quoted(database)}.{quoted(table)} VALUES (1, 'snapshot {name}'), (2, 'goes')")
    named.apply(*(sync(name, *case) for name, case in TABLES.items()))
    for name in TABLES:
        named.wait_ready(name, namespace=NAMESPACE)
    return named


def wait_target(system, table, columns, expected, database=TARGET):
    """Waits until the target's rows are these; the message of a timeout shows what is there."""
    found = []

    def read():
        found[:] = system.target_rows(f"{quoted(database)}.{quoted(table)}", columns)
        return found == expected

    try:
        wait_until("the rows arrive", read, 60)
    except TimeoutError as late:
        raise AssertionError(f"{late}: {table}: {found}, expected {expected}") from late


@pytest.mark.parametrize("name", TABLES)
def test_a_table_of_that_name_streams(streams, name):
    database, table, target = TABLES[name]
    source = f"{quoted(database)}.{quoted(table)}"
    wait_target(streams, target or table, "id, v", [(1, f"snapshot {name}"), (2, "goes")])
    execute(streams.mysql, f"INSERT INTO {source} VALUES (3, 'live {name}')")
    execute(streams.mysql, f"UPDATE {source} SET v = 'changed {name}' WHERE id = 1")
    execute(streams.mysql, f"DELETE FROM {source} WHERE id = 2")
    wait_target(streams, target or table, "id, v", [(1, f"changed {name}"), (3, f"live {name}")])


def test_what_is_created_has_short_and_distinct_names(streams):
    """At most 63 bytes, whatever MySQL's are; also for names that differ by case or by the last letter only."""
    made = {}
    listed = streams.listed(NAMESPACE)
    for name in TABLES:
        for item in listed[name]["status"]["objects"]:
            if item["kind"] != "TargetTable":
                made.setdefault(item["name"].removeprefix("tablesync."), set()).add((item["kind"], name))
    assert max(len(name.encode()) for name in made) <= NAME_BYTES
    sources = {name: users for name, users in made.items() if name.startswith("src_")}
    assert len(sources) == 2 and all(kind == "Source" for users in sources.values() for kind, _ in users)
    assert all(len(users) == 1 for name, users in made.items() if name not in sources)
    assert len(made) == 2 + 2 * len(TABLES)
    there = {name for (name,) in streams.rw.query("SELECT name FROM rw_catalog.rw_relations")}
    assert set(made) <= there


def test_columns_of_any_name(named):
    """Snapshot, insert, update and delete; the target's columns are spelt as MySQL's."""
    table = f"{quoted(DATABASE)}.`columns`"
    named.mysql.execute(f"CREATE TABLE {table} ({columns_table()})")

    def row(number, mark):
        return (number, *(f"{mark} {place}" for place in range(len(COLUMNS))))

    marks = ", ".join(["%s"] * (len(COLUMNS) + 1))
    for number in (1, 2):
        execute(named.mysql, f"INSERT INTO {table} VALUES ({marks})", row(number, "snapshot"))
    named.apply(sync("columns", DATABASE, "columns"))
    named.wait_ready("columns", namespace=NAMESPACE)
    shown = named.starrocks.query("SELECT column_name FROM information_schema.columns WHERE table_schema = "
                                  f"'{TARGET}' AND table_name = 'columns' ORDER BY ordinal_position")
    assert tuple(name for (name,) in shown) == ("id", *COLUMNS)
    wait_target(named, "columns", "*", [row(1, "snapshot"), row(2, "snapshot")])
    execute(named.mysql, f"INSERT INTO {table} VALUES ({marks})", row(3, "live"))
    sets = ", ".join(quoted(name).replace("%", "%%") + " = %s" for name in COLUMNS)
    execute(named.mysql, f"UPDATE {table} SET {sets} WHERE id = 1", row(1, "changed")[1:])
    execute(named.mysql, f"DELETE FROM {table} WHERE id = 2")
    wait_target(named, "columns", "*", [row(1, "changed"), row(3, "live")])


def test_key_columns_of_any_name(named):
    table = f"{quoted(DATABASE)}.`keys`"
    names = ", ".join(quoted(name) for name in KEY_COLUMNS)
    named.mysql.execute(f"CREATE TABLE {table} (v INT, {', '.join(quoted(name) + ' INT' for name in KEY_COLUMNS)},"
                        f" PRIMARY KEY ({names}))",
                        f"INSERT INTO {table} (v, {names}) VALUES (1, 1, 1, 1, 1), (2, 1, 1, 1, 2)")
    named.apply(sync("keys", DATABASE, "keys"))
    named.wait_ready("keys", namespace=NAMESPACE)
    execute(named.mysql, f"UPDATE {table} SET `2nd` = 7 WHERE v = 1")
    execute(named.mysql, f"DELETE FROM {table} WHERE v = 2")
    execute(named.mysql, f"INSERT INTO {table} (v, {names}) VALUES (3, 9, 9, 9, 9)")
    wait_target(named, "keys", f"{names}, v", [(1, 7, 1, 1, 1), (9, 9, 9, 9, 3)])


LOSES = "never receives a change"
# name -> (database, table, columns, target table, words of the message)
REFUSALS = {
    "table-space": (DATABASE, "a b", "id INT PRIMARY KEY", None, ("table name 'a b'", LOSES, "rename the table")),
    "table-dollar": (DATABASE, "a$b", "id INT PRIMARY KEY", None, ("table name 'a$b'", LOSES, "rename the table")),
    "table-plus": (DATABASE, "a+b", "id INT PRIMARY KEY", None, ("table name 'a+b'", LOSES, "rename the table")),
    "table-umlaut": (DATABASE, "größe", "id INT PRIMARY KEY", None, ("table name 'größe'", LOSES, "rename the table")),
    "table-cjk": (DATABASE, "表", "id INT PRIMARY KEY", None, ("table name '表'", LOSES, "rename the table")),
    "table-quote": (DATABASE, "a'b", "id INT PRIMARY KEY", None, ("table name 'a'b'", "crashes", "rename the table")),
    "table-double": (DATABASE, 'a"b', "id INT PRIMARY KEY", "named_otherwise",
                     ("table name 'a\"b'", "quote", "rename the table")),
    "database-space": ("bad names", "t1", "id INT PRIMARY KEY", None, ("database name 'bad names'", LOSES, "rename the database")),
    "database-dot": ("bad.names", "t2", "id INT PRIMARY KEY", None, ("database name 'bad.names'", "dot", "rename the database")),
    "database-cjk": ("数据", "t3", "id INT PRIMARY KEY", None, ("database name '数据'", LOSES, "rename the database")),
    "column-double": (DATABASE, "c_double", 'id INT PRIMARY KEY, `a"b` INT', None, ("'a\"b'", "double quote", "rename it")),
    "column-back": (DATABASE, "c_back", "id INT PRIMARY KEY, `a``b` INT", None, ("'a`b'", "back-quote", "rename it")),
    "column-comma": (DATABASE, "c_comma", "id INT PRIMARY KEY, `a,b` INT", None, ("'a,b'", "comma", "rename it")),
    "column-equal": (DATABASE, "c_equal", "id INT PRIMARY KEY, `a=b` INT, `c>d` INT", None,
                     ("'a=b'", "'c>d'", "= < > ! *", "rename it")),
    "column-control": (DATABASE, "c_control", "id INT PRIMARY KEY, `a\tb` INT", None, ("control characters", "rename it")),
    "column-op": (DATABASE, "c_op", "id INT PRIMARY KEY, `__OP` INT", None, ("'__OP'", "reserves", "rename it")),
    "column-system": (DATABASE, "c_system", "id INT PRIMARY KEY, `_rw_timestamp` INT, `xmin` INT", None,
                      ("'_rw_timestamp'", "'xmin'", "reserves", "rename it")),
    "key-blank": (DATABASE, "c_blank", "` id` INT PRIMARY KEY", None, ("' id'", "blank", "rename it")),
    "target-double": (DATABASE, "t_double", "id INT PRIMARY KEY", 'a"b', ("'a\"b'", "double quotes", "spec.target.table")),
    "target-backslash": (DATABASE, "t_back", "id INT PRIMARY KEY", "a\\b", ("'a\\b'", "backslashes", "spec.target.table")),
}


@pytest.fixture(scope="module")
def refused(named):
    for database in sorted({case[0] for case in REFUSALS.values()} - {DATABASE}):
        execute(named.mysql, f"CREATE DATABASE {quoted(database)}")
    for database, table, columns, *_ in REFUSALS.values():
        execute(named.mysql, f"CREATE TABLE {quoted(database)}.{quoted(table)} ({columns})")
    before = named.catalogs()
    names = {f"refused-{name}": "UnsupportedName" for name in REFUSALS}
    named.apply(*(sync(f"refused-{name}", database, table, target)
                  for name, (database, table, _, target, _) in REFUSALS.items()))
    return before, Told(named, NAMESPACE, names, frozenset(names))


@pytest.mark.parametrize("name", REFUSALS)
def test_a_name_that_loses_data_is_refused(refused, name):
    _, told = refused
    told.check(f"refused-{name}", "UnsupportedName", REFUSALS[name][4], "SourceSchemaResolved")


def test_nothing_is_created_for_a_refused_name(named, refused):
    before, told = refused
    assert named.catalogs() == before
    assert all(told.objects[f"refused-{name}"]["status"].get("objects", []) == [] for name in REFUSALS)


@pytest.mark.parametrize("field,wrong", [
    ("source.table", "a`b"), ("source.table", "ends "), ("source.table", "x" * 65), ("source.database", "a`b"),
    ("source.database", "mysql"), ("target.table", "a`b"), ("target.table", "a\nb"), ("target.database", "1st"),
    ("target.database", "数据"), ("target.database", "a.b")])
def test_the_api_refuses_what_can_never_work(named, field, wrong):
    """kubectl apply fails at once and names the field."""
    part, name = field.split(".")
    manifest = sync("never", DATABASE, "orders")
    manifest["spec"][part][name] = wrong
    done = named.apply(manifest, check=False)
    assert done.returncode != 0 and f"spec.{field}" in done.stderr


def test_two_servers_with_equal_names_do_not_collide(named, mariadb):
    """The same database and table on Oracle MySQL and MariaDB: two sources, each target with its own server's rows."""
    database = "Same-Name"
    servers = {"shop-mysql": named.mysql, "mariadb": mariadb}
    named.apply(secret_manifest("mariadb", "cdc", MYSQL_PASSWORD, NAMESPACE),
                connection_manifest("mariadb", "MySQL", mariadb.port, NAMESPACE))
    for connection, server in servers.items():
        server.execute(f"CREATE DATABASE {quoted(database)}", f"CREATE TABLE {quoted(database)}.t (id INT PRIMARY KEY, v TEXT)",
                       f"INSERT INTO {quoted(database)}.t VALUES (1, 'of {connection}')")
    named.apply(*(sync(f"same-{connection}", database, "t", f"same_{connection}", mysql=connection) for connection in servers))
    for connection, server in servers.items():
        named.wait_ready(f"same-{connection}", namespace=NAMESPACE)
        server.execute(f"INSERT INTO {quoted(database)}.t VALUES (2, 'later of {connection}')")
    for connection in servers:
        wait_target(named, f"same_{connection}", "id, v", [(1, f"of {connection}"), (2, f"later of {connection}")])
    assert not shared(named, ((f"same-{c}", NAMESPACE) for c in servers))


def shared(system, resources):
    """Names of RisingWave objects that more than one of the resources (name, namespace) uses."""
    seen, twice = set(), set()
    for name, namespace in resources:
        for item in system.get(name, namespace=namespace)["status"]["objects"]:
            if item["kind"] != "TargetTable":
                twice |= {item["name"]} & seen
                seen.add(item["name"])
    return twice


def test_two_namespaces_with_equal_names_do_not_collide(named):
    """Resource, connections, database and table are called alike; each namespace has objects of its own."""
    database = "both_spaces"
    named.mysql.execute(f"CREATE DATABASE {database}", f"CREATE TABLE {database}.t (id INT PRIMARY KEY, v INT)",
                        f"INSERT INTO {database}.t VALUES (1, 10)")
    named.connect(NEIGHBOUR)
    spaces = {NAMESPACE: "space_one", NEIGHBOUR: "space_two"}
    try:
        named.apply(*(sync("twin", database, "t", target, namespace, deletionPolicy="DeleteStream")
                      for namespace, target in spaces.items()))
        for namespace in spaces:
            named.wait_ready("twin", namespace=namespace)
        execute(named.mysql, f"INSERT INTO {database}.t VALUES (2, 20)")
        for target in spaces.values():
            wait_target(named, target, "id, v", [(1, 10), (2, 20)])
        assert not shared(named, (("twin", namespace) for namespace in spaces))
        named.delete("twin", namespace=NEIGHBOUR)
        execute(named.mysql, f"DELETE FROM {database}.t WHERE id = 1")
        wait_target(named, spaces[NAMESPACE], "id, v", [(2, 20)])
        assert named.target_rows(f"{quoted(TARGET)}.{spaces[NEIGHBOUR]}", "id, v") == [(1, 10), (2, 20)]
    finally:
        named.clear(NEIGHBOUR)
