"""Texts that try to be SQL, at every place where text of others becomes SQL of ours, on all three dialects.

Whatever comes: what is in MySQL arrives byte for byte, or is refused with a reason before anything is made. Three sentinels,
one on each server, and lists of all that exists tell whether anything broke out. Names of many shapes are test_names.py's,
expressions and partitions test_columns.py's, types and their values test_types.py's.
"""

import json
import os
import subprocess

import pytest

from cluster.processes import wait_until

from .system import (MYSQL_PASSWORD, RISINGWAVE_PASSWORD, STARROCKS_PASSWORD, Group, condition_of, connection_manifest,
                     secret_manifest, sync_manifest)

NAMESPACE = "injection"
DROP = "DROP TABLE sentinel.t"
# Each would end a literal, a name or a comment of some dialect and go on with a statement.
TEXTS = (
    f"'; {DROP}; -- ", f'"; {DROP}; -- ', f"`; {DROP}; -- ", f"\\'; {DROP}; -- ", f"''; {DROP}; -- ", f"'); {DROP}; /*",
    f"*/ {DROP} /*", f"/*! {DROP} */", f"$$; {DROP}; $$", f"E'\\'; {DROP}; --", f"-- {DROP}", f"# {DROP}", "ends with \\",
    "'", "\\", '"', f"a\nb'\r\n; {DROP};\n--", f"tab\t'; {DROP}", f"\u00bf'; {DROP}; --", f"\u2019; {DROP}; \u02bc",
    f"%s %n %1$s {{0}} ${{x}} {DROP}",
    f"{{\"a\": \"'; {DROP}; --\"}}", f"\U0001f511'; {DROP}; --", "NULL", "\\N", "tablesync:v1 uid=0 hash=0",
)
# Column names: MySQL takes nearly all; RisingWave and StarRocks cannot write some, which are test_names.py's.
COLUMNS = (f"'; {DROP}; --", f"'); {DROP}; --", f"\\'; {DROP}; --", f"''; {DROP}; #", f"$$; {DROP}; $$", f"-- {DROP}",
           f"# {DROP}", f"; {DROP}", "%s%n", "ends with \\", "’; --")
CONTROL = f"\x01\x08\x1a'; {DROP}; --"


def my(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def pg(text):
    return "'" + text.replace("'", "''") + "'"


class World:
    """All that exists on the three servers apart from the group's own tables, and the sentinels with their rows."""

    def __init__(self, system):
        self.system = system
        system.mysql.execute("CREATE DATABASE sentinel", "CREATE TABLE sentinel.t (id INT PRIMARY KEY)",
                             "INSERT INTO sentinel.t VALUES (1)",
                             "CREATE USER 'sentinel'@'%' IDENTIFIED BY 'x'")
        system.rw.query("CREATE USER sentinel WITH PASSWORD 'x'")
        system.rw.query("CREATE SCHEMA sentinel")
        system.starrocks.query("CREATE DATABASE sentinel")
        system.starrocks.query("CREATE TABLE sentinel.t (id INT NOT NULL) PRIMARY KEY (id) DISTRIBUTED BY HASH (id)"
                               " PROPERTIES ('replication_num' = '1')")
        system.starrocks.query("INSERT INTO sentinel.t VALUES (1)")
        system.starrocks.query("CREATE USER 'sentinel'@'%' IDENTIFIED BY 'x'")

    def see(self):
        mysql, rw, starrocks = self.system.mysql.execute, self.system.rw.query, self.system.starrocks.query
        return {
            "mysql": sorted(mysql("SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema NOT IN"
                                  " ('information_schema', 'performance_schema')")),
            "mysql users": sorted(mysql("SELECT user, host FROM mysql.user")),
            "risingwave": sorted(rw("SELECT id, name, relation_type FROM rw_catalog.rw_relations")),
            "risingwave schemas": sorted(rw("SELECT id, name FROM rw_catalog.rw_schemas")),
            "risingwave users": sorted(rw("SELECT name FROM rw_catalog.rw_users")),
            "starrocks": sorted(starrocks("SELECT table_schema, table_name FROM information_schema.tables")),
            "starrocks databases": sorted(starrocks("SELECT schema_name FROM information_schema.schemata")),
            "starrocks users": sorted(str(row[0]) for row in starrocks("SHOW USERS")),
            "rows": (mysql("SELECT * FROM sentinel.t"), starrocks("SELECT * FROM sentinel.t")),
        }

    def added(self, before):
        """What exists now and did not; nothing may have gone."""
        now = self.see()
        assert now["rows"] == before["rows"] == (((1,),), [(1,)])
        for place, there in before.items():
            if place != "rows":
                assert set(there) <= set(now[place]), f"{place}: gone is {set(there) - set(now[place])}"
        return {place: set(now[place]) - set(there) for place, there in before.items() if place != "rows"
                and set(now[place]) - set(there)}


class Attacked(Group):
    def same(self, name):
        """Waits until target and source are equal; says which cells are not."""
        def differing():
            pairs = zip(sorted(self.rows(name)), sorted(self.source(name)), strict=False)
            return [(place, there, wanted) for target, source in pairs for place, (there, wanted) in
                    enumerate(zip(target, source, strict=True)) if there != wanted][:5]

        try:
            wait_until("rows are equal", lambda: len(self.rows(name)) == len(self.source(name)) and not differing(), 45)
        except TimeoutError as late:
            raise AssertionError(f"{late}: {differing()}, {len(self.rows(name))} rows of {len(self.source(name))}") from late

    def only(self, before, *names):
        """Nothing was added but what the TableSyncs say they have, and their MySQL tables."""
        added = self.world.added(before)
        objects = {o["name"].split(".", 1)[1] for n in names for o in self.status(n).get("objects", [])}
        assert {name for _, name, _ in added.pop("risingwave", set())} <= objects
        assert {name for _, name in added.pop("starrocks", set())} <= set(names)
        assert {name for _, name in added.pop("mysql", set())} <= set(names)
        assert {name for _, name in added.pop("risingwave schemas", set())} <= {"tablesync"}  # made for the first of all
        assert not added


@pytest.fixture(scope="module")
def group(running):
    made = Attacked(running, NAMESPACE)
    made.world = World(running)
    yield made
    made.finish()


def enum_value(text):
    """MySQL takes trailing blanks off ENUM values, and MySQL 5.6 tells a definition in characters of three bytes at most."""
    return "".join(c for c in text if ord(c) < 0x10000).rstrip(" ")


def execute(group, statement, *arguments):
    with group.mysql.connect(database=group.database) as session, session.cursor() as cursor:
        cursor.execute(statement, arguments or None)


def test_values_defaults_enums_and_comments(group):
    """In every text that MySQL keeps of a table: its comment, its columns' comments, ENUM values, DEFAULTs, rows."""
    before = group.world.see()
    columns = ["id INT PRIMARY KEY", "v VARCHAR(200)", f"e ENUM({', '.join(my(enum_value(text)) for text in TEXTS)})"]
    columns += [f"d{i} VARCHAR(100) DEFAULT {my(text)} COMMENT {my(text)}" for i, text in enumerate((*TEXTS, CONTROL))]
    execute(group, f"CREATE TABLE texts ({', '.join(columns)}) COMMENT {my(' '.join(TEXTS)[:1000])}")
    for number, text in enumerate(TEXTS, 1):
        execute(group, "INSERT INTO texts (id, v, e) VALUES (%s, %s, %s)", number, text, enum_value(text))
    group.apply({"texts": {}})
    group.wait_ready("texts")
    group.same("texts")
    for number, text in enumerate(TEXTS, 1):
        execute(group, "UPDATE texts SET v = %s, d0 = %s WHERE id = %s", text + text, text, number)
        execute(group, "INSERT INTO texts (id, v, e) VALUES (%s, %s, %s)", 1000 + number, text, enum_value(text))
    execute(group, "DELETE FROM texts WHERE id = 1")
    group.same("texts")
    rows = {row[0]: row for row in group.rows("texts")}
    assert [rows[1000 + n][1] for n in range(1, len(TEXTS) + 1)] == list(TEXTS)
    assert list(rows[1002][3:]) == [*TEXTS, CONTROL]
    group.only(before, "texts")


def test_a_column_that_comes_later(group):
    """ALTERs of ours carry names, comments and defaults too."""
    before = group.world.see()
    execute(group, "CREATE TABLE later (id INT PRIMARY KEY)")
    group.apply({"later": {"schemaChange": {"policy": "Evolve"}}})
    group.wait_ready("later")
    for number, name in enumerate(COLUMNS):
        execute(group, f"ALTER TABLE later ADD COLUMN `{name.replace('%', '%%')}` VARCHAR(90) DEFAULT %s COMMENT %s",
                TEXTS[number], TEXTS[number])
    execute(group, "INSERT INTO later (id) VALUES (1)")
    group.wait("later", "all columns are there", lambda _: len(group.target_columns("later")) == len(COLUMNS) + 1, 180)
    group.wait_ready("later")
    execute(group, "INSERT INTO later (id) VALUES (2)")
    group.wait(
        "later", "the row with defaults arrives", lambda _: [row for row in group.rows("later") if row[0] == 2]
        == [(2, *TEXTS[:len(COLUMNS)])], 60)
    assert list(group.target_columns("later")) == ["id", *COLUMNS]
    group.only(before, "later")


def test_column_names_and_keys(group):
    """Names in every statement that names columns: CDC table, sink, target, its key, its distribution."""
    before = group.world.see()
    key = COLUMNS[:3]
    columns = [f"`{name}` VARCHAR(60) NOT NULL" for name in COLUMNS]
    execute(group, f"CREATE TABLE named ({', '.join(columns)}, PRIMARY KEY ({', '.join(f'`{k}`' for k in key)}))")
    short = [text[:60] for text in TEXTS[:len(COLUMNS)]]
    marks = ", ".join(["%s"] * len(COLUMNS))
    execute(group, f"INSERT INTO named VALUES ({marks})", *short)
    execute(group, f"INSERT INTO named VALUES ({marks})", *reversed(short))
    group.apply({"named": {"target": {"distributedBy": [COLUMNS[1]], "buckets": 2}}})
    group.wait_ready("named")
    where = " AND ".join(f"`{k}` = %s".replace("%n", "%%n") for k in key)
    execute(group, f"DELETE FROM named WHERE {where}", *short[:3])
    execute(group, f"INSERT INTO named VALUES ({marks})", *(s + "!" if len(s) < 60 else s for s in short))
    group.wait("named", "rows are equal", lambda _: sorted(group.rows("named")) == sorted(group.source("named")), 60)
    assert len(group.rows("named")) == 2
    group.only(before, "named")


# user name for MySQL (16 characters), RisingWave and StarRocks, and the passwords
USERS = {"shop-mysql": "a'b\"`\\;-- x", "rw": "r'w; --", "warehouse": "s'r\"\\;/*"}


def test_accounts(group):
    """User names and passwords, which stand in CREATE SOURCE and CREATE SINK, and in the address of a login."""
    system, before = group.system, group.world.see()
    passwords = {"shop-mysql": f"'; {DROP}; -- \\", "rw": f"' OR 1=1; {DROP}; -- host=evil user=root",
                 "warehouse": f"\\'; {DROP}; -- \""}
    group.mysql.execute(f"CREATE USER {my(USERS['shop-mysql'])}@'%' IDENTIFIED BY {my(passwords['shop-mysql'])}",
                        f"GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO {my(USERS['shop-mysql'])}@'%'")
    system.rw.query(f'CREATE USER "{USERS["rw"]}" WITH PASSWORD {pg(passwords["rw"])}')
    system.rw.query(f'GRANT CREATE, CONNECT ON DATABASE dev TO "{USERS["rw"]}"')
    account = f"{my(USERS['warehouse'])}@'%'"
    system.starrocks.query(f"CREATE USER {account} IDENTIFIED BY {my(passwords['warehouse'])}")
    system.starrocks.query(f"GRANT CREATE TABLE ON DATABASE `{group.database}` TO USER {account}")
    system.starrocks.query("GRANT SELECT, INSERT, UPDATE, DELETE, ALTER, DROP ON ALL TABLES IN DATABASE "
                           f"`{group.database}` TO USER {account}")
    made = before | {k: v for k, v in group.world.see().items() if k.endswith("users")}
    names = {name: f"hostile-{name}" for name in USERS}
    group.system.apply(*(secret_manifest(names[n], USERS[n], passwords[n], NAMESPACE) for n in USERS))
    group.system.apply(
        connection_manifest(names["shop-mysql"], "MySQL", group.mysql.port, NAMESPACE),
        connection_manifest(names["rw"], "RisingWave", system.rw.port, NAMESPACE, risingWave={"schema": "hostile"}),
        connection_manifest(names["warehouse"], "StarRocks", system.starrocks.port, NAMESPACE,
                            starRocks={"httpPort": system.starrocks.ports["http-port"]}))
    execute(group, "CREATE TABLE accounts (id INT PRIMARY KEY)")
    execute(group, "INSERT INTO accounts VALUES (1), (2)")
    body = group.manifest("accounts")
    for part, name in (("source", "shop-mysql"), ("risingWave", "rw"), ("target", "warehouse")):
        body["spec"][part]["connectionRef"]["name"] = names[name]
    system.apply(body)
    group.wait_ready("accounts")
    execute(group, "INSERT INTO accounts VALUES (3)")
    group.wait_rows("accounts")
    added = group.world.added(made)
    assert {name for _, name in added.pop("risingwave schemas")} == {"hostile"}
    assert {name for _, name, _ in added["risingwave"]} == {o["name"].split(".")[1] for o in group.status("accounts")["objects"]
                                                          if o["kind"] != "TargetTable"}
    owners = {row[0] for row in system.rw.query(
        "SELECT u.name FROM rw_catalog.rw_relations r JOIN rw_catalog.rw_users u ON r.owner = u.id"
        f" WHERE r.name LIKE 't_{group.database}_accounts%'")}
    assert owners == {USERS["rw"]}
    group.delete("accounts")


def test_keys_that_are_deleted_by_us(group):
    """After a dead password the controller itself deletes rows by their keys: each key of TEXTS, and no other row."""
    system, before = group.system, group.world.see()
    system.starrocks.query("CREATE USER 'ghosts'@'%' IDENTIFIED BY 'first'")
    system.starrocks.query(f"GRANT CREATE TABLE ON DATABASE `{group.database}` TO USER 'ghosts'@'%'")
    system.starrocks.query("GRANT SELECT, INSERT, UPDATE, DELETE, ALTER, DROP ON ALL TABLES IN DATABASE "
                           f"`{group.database}` TO USER 'ghosts'@'%'")
    made = before | {"starrocks users": group.world.see()["starrocks users"]}
    system.apply(secret_manifest("ghosts", "ghosts", "first", NAMESPACE))
    system.apply(connection_manifest("ghosts", "StarRocks", system.starrocks.port, NAMESPACE,
                                     starRocks={"httpPort": system.starrocks.ports["http-port"]}))
    execute(group, "CREATE TABLE ghosts (k VARCHAR(100) PRIMARY KEY, v INT) COLLATE utf8mb4_bin")
    for text in TEXTS:
        execute(group, "INSERT INTO ghosts VALUES (%s, 1), (%s, 2)", text, "kept " + text)
    body = group.manifest("ghosts", sink={"commitCheckpointInterval": 2})
    body["spec"]["target"]["connectionRef"]["name"] = "ghosts"
    system.apply(body)
    group.wait_ready("ghosts")
    group.wait("ghosts", "the rows are there", lambda _: len(group.rows("ghosts")) == 2 * len(TEXTS), 60)
    system.starrocks.query("ALTER USER 'ghosts'@'%' IDENTIFIED BY 'second'")
    for text in TEXTS:
        execute(group, "DELETE FROM ghosts WHERE k = %s", text)
    system.apply(secret_manifest("ghosts", "ghosts", "second", NAMESPACE))
    kept = sorted((str("kept " + text), 2) for text in TEXTS)
    group.wait("ghosts", "what was deleted is gone, and nothing else", lambda _: sorted(group.rows("ghosts")) == kept, 150)
    group.wait_ready("ghosts")
    added = group.world.added(made)
    assert set(added) <= {"mysql", "risingwave", "starrocks"}
    group.delete("ghosts")


# --- what cannot work is refused ---

API = "refused by the API server"
BAD = f"x'; {DROP}; --"
# name -> (changes of the spec, reason or API, words of the message)
SPECS = {
    "target-database": ({"target": {"database": f"ods`; {DROP}; --"}}, API, ("spec.target.database",)),
    "target-table": ({"target": {"table": f"t`; {DROP}; --"}}, API, ("spec.target.table",)),
    "target-newline": ({"target": {"table": f"t\n; {DROP}"}}, API, ("spec.target.table",)),
    "source-database": ({"source": {"database": f"d`; {DROP}; --"}}, API, ("spec.source.database",)),
    "source-table": ({"source": {"table": f"t`; {DROP}; --"}}, API, ("spec.source.table",)),
    "source-quote": ({"source": {"table": BAD}}, "TableNotFound", ("DROP TABLE",)),
    "property-value": ({"target": {"properties": {"replication_num": f"1', 'a' = 'b'); {DROP}; --"}}}, None, ()),
    "property-key": ({"target": {"properties": {f"replication_num' = '1'); {DROP}; --": "1"}}}, None, ()),
    "distributed": ({"target": {"distributedBy": [f"id`) BUCKETS 1; {DROP}; --"]}}, None, ()),
    "partition": ({"target": {"partitionBy": f"date_trunc('day', id); {DROP}"}}, "InvalidColumns",
                  ("spec.target.partitionBy",)),
    "expression": ({"columns": {"overrides": [{"name": "v", "expression": f"v || '''; {DROP}; --"}]}}, "InvalidOverride",
                   ("['v'].expression",)),
    "target-name": ({"columns": {"overrides": [{"name": "v", "targetName": f"v`; {DROP}; --"}]}}, None, ()),
    "target-type": ({"columns": {"overrides": [{"name": "v", "targetType": f"VARCHAR(9)); {DROP}; --"}]}}, None, ()),
    "include": ({"columns": {"include": ["id", BAD]}}, None, ("DROP TABLE",)),
    "primary-key": ({"primaryKey": [f'id"); {DROP}; --']}, None, ()),
    "resync-token": ({"resyncToken": BAD, "target": {"properties": {"replication_num": "0"}}}, None, ()),
}


@pytest.mark.parametrize("name", SPECS)
def test_a_spec_that_breaks_out_is_refused(group, name):
    """By the API server or by the controller, with the field or the server's words; nothing exists afterwards."""
    change, reason, words = SPECS[name]
    table = f"spec_{name.replace('-', '_')}"
    execute(group, f"CREATE TABLE {table} (id INT PRIMARY KEY, v VARCHAR(20))")
    before = group.world.see()
    body = sync_manifest(f"spec-{name}", group.database, table, target_database=group.database, namespace=NAMESPACE,
                         retry={"backoffBase": "200ms", "backoffMax": "2s"})
    for part, values in change.items():
        body["spec"][part] = {**body["spec"].get(part, {}), **values} if isinstance(values, dict) else values
    done = group.system.apply(body, check=False)
    if done.returncode != 0:
        assert reason in (API, None), done.stderr
        assert all(word in done.stderr for word in words) and "spec." in done.stderr, done.stderr
    else:
        assert reason != API, "it was taken"
        message = ready_false(group, f"spec-{name}", reason)
        assert all(word in message for word in words), message
        group.delete(f"spec-{name}")
    added = group.world.added(before)
    assert set(added) <= {"risingwave"} and all(table in name for _, name, _ in added.get("risingwave", ())), added


def ready_false(group, name, reason):
    def refused(resource):
        c = condition_of(resource, "Ready")
        if c.get("status") != "False":
            return False
        return c.get("reason") == reason if reason else resource["status"].get("retries", 0) > 0

    return condition_of(group.wait(name, f"refused {reason or ''}", refused, 60), "Ready")["message"]


CONNECTIONS = {
    "host-conninfo": ("RisingWave", {"host": "127.0.0.1 user=root dbname=dev"}),
    "host-quote": ("RisingWave", {"host": "127.0.0.1' user='root"}),
    "host-comma": ("RisingWave", {"host": "127.0.0.1,127.0.0.2"}),
    "host-socket": ("RisingWave", {"host": "/tmp"}),
    "mysql-socket": ("MySQL", {"host": "localhost/../x"}),
    "rw-database": ("RisingWave", {"database": "dev' user='root"}),
    "rw-conninfo": ("RisingWave", {"database": "host=127.0.0.1 user=root dbname=dev"}),
    "rw-uri": ("RisingWave", {"database": "postgresql://root@127.0.0.1/dev"}),
    "rw-schema": ("RisingWave", {"risingWave": {"schema": f'x"; {DROP}; --'}}),
    "rw-schema-quote": ("RisingWave", {"risingWave": {"schema": f"x'; {DROP}; --"}}),
}


@pytest.mark.parametrize("name", CONNECTIONS)
def test_a_connection_that_breaks_out_is_refused(group, name):
    """Its parts are values: none of them becomes another option of a login or a statement."""
    kind, change = CONNECTIONS[name]
    before = group.world.see()
    port = group.mysql.port if kind == "MySQL" else group.system.rw.port
    secret = "shop-mysql" if kind == "MySQL" else "rw"
    done = group.system.apply(connection_manifest(f"conn-{name}", kind, port, NAMESPACE, secret=secret, **change), check=False)
    if done.returncode != 0:
        assert "spec." in done.stderr, done.stderr
    else:
        c = group.system.wait_condition(f"conn-{name}", "Ready", "False", None, 60, NAMESPACE, "databaseconnection")
        assert c["message"]
        group.system.plane.kubectl("delete", "databaseconnection", f"conn-{name}", "-n", NAMESPACE)
    assert group.world.added(before) == {}


TABLES = (f"t; {DROP}; --", f"t'; {DROP}; --", "t\\", f"t /* {DROP}", f"t */ {DROP}", f"t -- {DROP}", f"$$ {DROP}",
          f"t\n{DROP}", "%s%n")


def test_tables_of_such_names_are_refused(group):
    """MySQL has them; nothing is made of them."""
    names = {f"table-{i}": table for i, table in enumerate(TABLES)}
    for table in TABLES:
        execute(group, f"CREATE TABLE `{table}` (id INT PRIMARY KEY)")
    before = group.world.see()
    for name, table in names.items():
        body = sync_manifest(name, group.database, table, target_database=group.database, namespace=NAMESPACE,
                             target={"table": "plain"})
        done = group.system.apply(body, check=False)
        if done.returncode != 0:
            assert "spec.source.table" in done.stderr
            continue
        message = ready_false(group, name, "UnsupportedName")
        assert "rename" in message
        group.delete(name)
    assert group.world.added(before) == {}
    wait_until("they are gone", lambda: not set(names) & set(group.system.listed(NAMESPACE)), 60)


@pytest.mark.parametrize("field,value", [("name", f"x'; {DROP}; --"), ("namespace", f"x'; {DROP}; --"), ("name", "a\nb */"),
                                         ("name", "../../x"), ("name", 'A"`B'), ("name", "x" * 254)])
def test_plan_reads_names_that_no_api_server_has_seen(group, field, value, tmp_path):
    """`tablesync plan -f` refuses them, or its SQL is the same but for hashes: the name stands nowhere in it."""
    system, before = group.system, group.world.see()
    space = value if field == "namespace" else NAMESPACE
    secrets = {"shop-mysql": ("cdc", MYSQL_PASSWORD), "rw": ("tablesync", RISINGWAVE_PASSWORD),
               "warehouse": ("tablesync", STARROCKS_PASSWORD)}
    ports = {"shop-mysql": ("MySQL", group.mysql.port), "rw": ("RisingWave", system.rw.port),
             "warehouse": ("StarRocks", system.starrocks.port)}
    if not group.sql("SHOW TABLES LIKE 'planned'"):
        execute(group, "CREATE TABLE planned (id INT PRIMARY KEY)")
        before = group.world.see()
    body = group.manifest("planned")
    body["metadata"].update({"namespace": space, field: value})
    documents = [body, *(secret_manifest(n, *login, space) for n, login in secrets.items()),
                 *(connection_manifest(n, kind, port, space, **({"starRocks": {"httpPort": system.starrocks.ports["http-port"]}}
                                                               if kind == "StarRocks" else {}))
                   for n, (kind, port) in ports.items())]
    path = tmp_path / "sync.json"
    path.write_text("\n---\n".join(map(json.dumps, documents)))
    done = subprocess.run([os.environ["TABLESYNC_BIN"], "plan", "-f", str(path), "-o", "json"], text=True, capture_output=True,
                          timeout=60, check=False, env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)})
    if done.returncode == 0:
        shown = [step["sql"] for step in json.loads(done.stdout)["steps"]]
        assert len(shown) >= 4 and not [sql for sql in shown if value in sql or DROP in sql], shown
    else:
        assert (done.returncode, done.stdout) == (2, "") and f"metadata.{field}" in done.stderr, done
    assert group.world.added(before) == {}
