"""MySQL tables and servers that cannot be captured: refused before anything is created, with the way out."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from cluster.mysql import start_mariadb, start_oracle56
from cluster.processes import wait_until

from . import system as sys_
from .system import MYSQL_PASSWORD, Told, audit, connection_manifest, secret_manifest

NAMESPACE = "bad-source"
DATABASE = "bad_source"
QUICK = {"backoffBase": "200ms", "backoffMax": "2s"}
ANNOTATE = "tablesync.dev/retry=now"
PASSWORD = "narrow'pw"

# name -> (table, what makes it, reason, words of the message)
TABLES = {
    "no-key": ("nokey", "CREATE TABLE nokey (a INT, b INT)", "NoPrimaryKey",
               (f"{DATABASE}.nokey", "no primary key", "ADD PRIMARY KEY")),
    "a-view": ("v", "CREATE VIEW v AS SELECT 1 AS id", "NotABaseTable", (f"{DATABASE}.v", "VIEW", "name a table")),
    "set-column": ("sets", "CREATE TABLE sets (id INT PRIMARY KEY, s SET('x','y'))", "UnsupportedType",
                   ("'s'", "set('x','y')")),
    "float-key": ("floats", "CREATE TABLE floats (price DOUBLE PRIMARY KEY)", "UnsupportedKey",
                  ("'price'", "double", "use a primary key of")),
    "table-space": ("a b", "CREATE TABLE `a b` (id INT PRIMARY KEY)", "UnsupportedName", ("'a b'", "rename the table")),
    "table-dollar": ("a$b", "CREATE TABLE `a$b` (id INT PRIMARY KEY)", "UnsupportedName", ("'a$b'", "rename the table")),
    "table-letters": ("größe", "CREATE TABLE `größe` (id INT PRIMARY KEY)", "UnsupportedName", ("'größe'", "rename the table")),
    "table-quote": ("a'b", "CREATE TABLE `a'b` (id INT PRIMARY KEY)", "UnsupportedName", ("'a'b'", "rename the table")),
    "column-comma": ("commas", "CREATE TABLE commas (id INT PRIMARY KEY, `a,b` INT)", "UnsupportedName",
                     ("'a,b'", "comma", "rename it")),
    "column-quote": ("quotes", "CREATE TABLE quotes (id INT PRIMARY KEY, `a\"b` INT)", "UnsupportedName",
                     ("'a\"b'", "double quote", "rename it")),
    "column-backquote": ("backs", "CREATE TABLE backs (id INT PRIMARY KEY, `a``b` INT)", "UnsupportedName",
                         ("'a`b'", "back-quote", "rename it")),
}
# What time heals: name -> (database, table, reason, words)
ABSENT = {
    "no-database": ("nowhere", "t", "DatabaseNotFound", ("'nowhere'", "'cdc'", "grant SELECT")),
    "no-table": (DATABASE, "later", "TableNotFound", ("'later'", f"'{DATABASE}'", "spec.source.table", "grant SELECT")),
}
# Accounts that lack something: name -> (grants it has, statements the message must hold)
ACCOUNTS = {
    "bare": ((), ("GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'bare'@'%'",
                  f"GRANT SELECT ON `{DATABASE}`.* TO 'bare'@'%'")),
    "reader": (("GRANT SELECT ON *.* TO 'reader'@'%'",),
               ("GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'reader'@'%'",)),
    "blind": (("GRANT REPLICATION SLAVE ON *.* TO 'blind'@'%'", f"GRANT SELECT ON {DATABASE}.* TO 'blind'@'%'"),
              ("GRANT REPLICATION CLIENT ON *.* TO 'blind'@'%'",)),
}
SERVERS = {
    "statements": ("BinlogNotRow", ("binlog_format is STATEMENT", "SET GLOBAL binlog_format = 'ROW'",
                                    "binlog_row_image is MINIMAL", "SET GLOBAL binlog_row_image = 'FULL'")),
    "silent": ("BinlogOff", ("the binary log is off", "log_bin", "restart")),
}
# The same database and table on every server, with a row that tells which.
GOOD_TABLE = ("CREATE TABLE good (id INT PRIMARY KEY, v INT)", "INSERT INTO good VALUES (1, @@port)")


def sync(name, table, database=DATABASE, **more):
    target = "t_" + name.replace("-", "_")
    return sys_.sync_manifest(name, database, table, namespace=NAMESPACE, target={"table": target},
                              deletionPolicy="Delete", **more)


def make_server(start, folder, **options):
    server = start(folder, **options)
    sys_.prepare_mysql(server)
    server.execute(f"CREATE DATABASE {DATABASE}", f"USE {DATABASE}", *GOOD_TABLE)
    return server


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    """A server that logs statements and minimal images, and one that logs nothing."""
    work = tmp_path_factory.mktemp("bad-source")
    with ThreadPoolExecutor() as pool:
        statements = pool.submit(make_server, start_mariadb, work / "statements", binlog_format="STATEMENT",
                                 binlog_row_image="MINIMAL")
        silent = pool.submit(make_server, start_oracle56, work / "silent", log_bin=False)
    yield {"statements": statements.result(), "silent": silent.result()}
    statements.result().stop()
    silent.result().stop()


@pytest.fixture(scope="module")
def bad(running, servers):
    running.mysql.execute(f"CREATE DATABASE {DATABASE}", f"USE {DATABASE}", *(t[1] for t in TABLES.values()), *GOOD_TABLE)
    running.connect(NAMESPACE)
    for name, (grants, _) in ACCOUNTS.items():
        quoted = PASSWORD.replace("'", "''")
        running.mysql.execute(f"CREATE USER '{name}'@'%' IDENTIFIED BY '{quoted}'", *grants)
        running.apply(secret_manifest(name, name, PASSWORD, NAMESPACE),
                      connection_manifest(name, "MySQL", running.mysql.port, NAMESPACE))
    running.apply(*(o for name, server in servers.items()
                    for o in (secret_manifest(name, "cdc", MYSQL_PASSWORD, NAMESPACE),
                              connection_manifest(name, "MySQL", server.port, NAMESPACE))))
    running.apply(*(sync(name, case[0]) for name, case in TABLES.items()),
                  *(sync(name, case[1], case[0], retry=QUICK) for name, case in ABSENT.items()),
                  *(sync(name, "good", mysql=name, retry=QUICK) for name in (*ACCOUNTS, *SERVERS)))
    yield running
    running.clear(NAMESPACE)


@pytest.fixture(scope="module")
def told(bad):
    expected = {name: case[2] for name, case in (*TABLES.items(), *ABSENT.items())}
    expected.update({name: "MissingGrant" for name in ACCOUNTS})
    expected.update({name: case[0] for name, case in SERVERS.items()})
    return Told(bad, NAMESPACE, expected, frozenset(TABLES))


@pytest.mark.parametrize("name", TABLES)
def test_a_table_that_cannot_be_captured_stalls(told, name):
    _, _, reason, words = TABLES[name]
    told.check(name, reason, words, "SourceSchemaResolved")


@pytest.mark.parametrize("name", ABSENT)
def test_what_is_missing_is_named(told, name):
    _, _, reason, words = ABSENT[name]
    told.check(name, reason, words, "SourceSchemaResolved")


@pytest.mark.parametrize("name", ACCOUNTS)
def test_one_message_lists_every_missing_grant(told, name):
    """The statements are ready to run, and none is asked for that is there."""
    message = told.check(name, "MissingGrant", ACCOUNTS[name][1], "SourceSchemaResolved")
    assert message.count("GRANT ") == len(ACCOUNTS[name][1])


@pytest.mark.parametrize("name", SERVERS)
def test_every_wrong_setting_is_told_at_once(told, name):
    reason, words = SERVERS[name]
    told.check(name, reason, words, "SourceSchemaResolved")


def test_nothing_was_created_for_any_of_them(bad, told):
    """Neither in RisingWave nor in StarRocks, nor does a status claim so."""
    assert all(o["status"].get("objects", []) == [] for o in told.objects.values())
    assert not [name for (name,) in bad.rw.query("SELECT name FROM rw_catalog.rw_relations") if "bad_source" in name]
    tables = {name for (name,) in bad.starrocks.query("SELECT table_name FROM information_schema.tables"
                                                      " WHERE table_schema = 'ods'")}
    assert not tables & {"t_" + name.replace("-", "_") for name in told.objects}


def test_the_connection_says_whether_it_can_be_captured(bad, told):
    """CdcCapable has the same reason; accounts are judged by the replication rights they lack."""
    for name, (reason, _) in SERVERS.items():
        found = bad.wait_condition(name, "CdcCapable", "False", reason, 20, NAMESPACE, "databaseconnection")
        assert found["message"]
        bad.wait_condition(name, "Ready", "False", reason, 20, NAMESPACE, "databaseconnection")


def test_the_statements_of_the_message_heal_it(bad, told):
    """What the message says to run is run as it stands."""
    for name in ACCOUNTS:
        message = bad.condition(name, "Ready", NAMESPACE)["message"]
        statements = re.findall(r"GRANT .+? TO '\w+'@'%'", message)
        assert statements
        bad.mysql.execute(*statements)
    for name in ACCOUNTS:
        bad.wait_ready(name, namespace=NAMESPACE)


def test_settings_heal_one_after_the_other(bad, told, servers):
    """binlog_format first; then only the row image is left to tell; then rows arrive."""
    servers["statements"].execute("SET GLOBAL binlog_format = 'ROW'")
    bad.wait_condition("statements", "Ready", "False", "RowImageNotFull", namespace=NAMESPACE)
    assert "binlog_format" not in bad.condition("statements", "Ready", NAMESPACE)["message"]
    servers["statements"].execute("SET GLOBAL binlog_row_image = 'FULL'")
    bad.wait_ready("statements", namespace=NAMESPACE)


def test_servers_with_equal_names_are_kept_apart(bad, told, servers):
    """Same database, same table, two servers: a source each, and each target holds its own server's row."""
    for name in ("statements", "reader"):
        bad.wait_ready(name, namespace=NAMESPACE)
    assert bad.target_rows("ods.t_statements") == [(1, servers["statements"].port)]
    assert bad.target_rows("ods.t_reader") == [(1, bad.mysql.port)]
    sources = {o["name"] for name in ("statements", "reader") for o in bad.get(name, namespace=NAMESPACE)["status"]["objects"]
               if o["kind"] == "Source"}
    assert len(sources) == 2


def test_what_appears_later_heals_by_itself(bad, told):
    bad.mysql.execute(f"CREATE TABLE {DATABASE}.later (id INT PRIMARY KEY)", f"INSERT INTO {DATABASE}.later VALUES (7)",
                      "CREATE DATABASE nowhere", "CREATE TABLE nowhere.t (id INT PRIMARY KEY)")
    for name in ABSENT:
        bad.wait_ready(name, namespace=NAMESPACE)
    assert bad.target_rows("ods.t_no_table") == [(7,)]


REPAIRS = {
    "no-key": "ALTER TABLE nokey ADD PRIMARY KEY (a)",
    "set-column": "ALTER TABLE sets MODIFY s VARCHAR(10)",
    "float-key": "ALTER TABLE floats MODIFY price DECIMAL(10,2)",
    "column-comma": "ALTER TABLE commas CHANGE `a,b` ab INT",
}


def test_a_stalled_resource_waits_for_the_retry_annotation(bad, told):
    """Repairing the table alone moves nothing: MySQL is not asked again and again. The annotation does, once."""
    bad.mysql.execute(f"USE {DATABASE}", *REPAIRS.values())
    before = bad.listed(NAMESPACE)
    assert all(before[name]["metadata"]["resourceVersion"] == told.objects[name]["metadata"]["resourceVersion"]
               for name in TABLES)
    bad.plane.kubectl("annotate", "tablesyncs", *REPAIRS, "table-space", "-n", NAMESPACE, ANNOTATE)
    for name in REPAIRS:
        bad.wait_ready(name, namespace=NAMESPACE)
    found = bad.get("no-key", namespace=NAMESPACE)
    assert "tablesync.dev/retry" not in found["metadata"].get("annotations", {})
    assert found["status"]["handledRetry"] == "now" and "Stalled" not in {c["type"] for c in found["status"]["conditions"]}

    def tried_again():
        body = bad.get("table-space", namespace=NAMESPACE)
        return "tablesync.dev/retry" not in body["metadata"].get("annotations", {}) and \
            body["status"]["lastRun"]["id"] != told.objects["table-space"]["status"]["lastRun"]["id"]

    wait_until("the hopeless one was tried again", tried_again, 20)
    assert bad.condition("table-space", "Stalled", NAMESPACE)["reason"] == "UnsupportedName"
    assert "Manual" in {r["trigger"] for r in audit(bad, "table-space", NAMESPACE, "runs")}


def test_a_change_upstream_is_told_and_heals_when_undone(bad, told):
    """A policy that takes no change: it is named, nothing is touched, and undoing it is enough."""
    bad.mysql.execute(f"USE {DATABASE}", "CREATE TABLE grows (id INT PRIMARY KEY)", "INSERT INTO grows VALUES (1)")
    bad.apply(sync("grows", "grows", retry=QUICK, schemaChange={"policy": "Fail"}))
    bad.wait_ready("grows", namespace=NAMESPACE)
    before = bad.get("grows", namespace=NAMESPACE)["status"]["objects"]
    bad.mysql.execute(f"ALTER TABLE {DATABASE}.grows ADD COLUMN extra INT")
    message = bad.wait_condition("grows", "Ready", "False", "ChangeBlockedByPolicy", namespace=NAMESPACE)["message"]
    for word in ("'extra'", "was added", "Undo the change"):
        assert word in message, message
    assert bad.condition("grows", "SchemaInSync", NAMESPACE)["reason"] == "ChangeBlockedByPolicy"
    bad.mysql.execute(f"ALTER TABLE {DATABASE}.grows DROP COLUMN extra")
    bad.wait_ready("grows", namespace=NAMESPACE)
    assert [o.get("id") for o in bad.get("grows", namespace=NAMESPACE)["status"]["objects"]] == [o.get("id") for o in before]
