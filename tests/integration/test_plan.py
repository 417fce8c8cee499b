"""`tablesync plan`: the SQL a resource would run, the same that it then runs, and nothing touched anywhere."""

import json
import os
import re
import subprocess

import pytest

from cluster.processes import free_port

from .system import (MYSQL_PASSWORD, RISINGWAVE_PASSWORD, SERVICE_ACCOUNT, STARROCKS_PASSWORD, assert_no_secret,
                     connection_manifest, secret_manifest, sync_manifest)

NAMESPACE = "plan"
DATABASE = "planned"
OK, FAILED, USAGE = 0, 1, 2
READS = {"get", "list", "watch"}
WRITES = ("insert", "update", "delete", "replace", "create_table", "alter_table", "drop_table", "create_db", "create_user",
          "grant", "truncate")
TABLE = ("CREATE TABLE orders (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT, customer VARCHAR(64) NOT NULL COMMENT 'who''s',"
         " amount DECIMAL(10,2), made TIMESTAMP NULL, lasted TIME, raw VARBINARY(8), PRIMARY KEY (id)) DEFAULT CHARSET=utf8mb4")
# What MySQL says of that table, as the offline plan reads it.
SCHEMA = {"server": {"version": "5.6.24-log", "logBin": True, "binlogFormat": "ROW", "binlogRowImage": "FULL",
                     "currentUser": "cdc@%", "grants": ["GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO `cdc`@`%`"]},
          "table": {"database": DATABASE, "name": "orders", "primaryKey": ["id"], "columns": [
              {"name": "id", "columnType": "bigint(20) unsigned", "nullable": False, "key": "PRI", "extra": "auto_increment"},
              {"name": "customer", "columnType": "varchar(64)", "charset": "utf8mb4", "nullable": False, "comment": "who's"},
              {"name": "amount", "columnType": "decimal(10,2)"}, {"name": "made", "columnType": "timestamp"},
              {"name": "lasted", "columnType": "time"}, {"name": "raw", "columnType": "varbinary(8)"}]}}
STATEMENTS = ["CREATE SOURCE", "CREATE TABLE", "COMMENT ON", "CREATE TABLE", "CREATE SINK"]


class Planner:
    """Runs the command with files of its own and with no other way to a cluster than it is given."""

    def __init__(self, system, folder):
        self.system, self.folder = system, folder
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
        self.files = 0

    def write(self, *documents, text=None):
        self.files += 1
        path = self.folder / f"plan-{self.files}.yaml"
        path.write_text(text if text is not None else "\n---\n".join(json.dumps(d) for d in documents), encoding="utf-8")
        return path

    def run(self, *arguments, kubeconfig=None, given=None, **environment):
        """Whatever it prints holds no password."""
        more = ["--kubeconfig", str(kubeconfig)] if kubeconfig else []
        done = subprocess.run([os.environ["TABLESYNC_BIN"], "plan", *map(str, arguments), *more], input=given, text=True,
                              capture_output=True, timeout=60, env={**self.environment, **environment}, check=False)
        assert_no_secret(done.stdout + done.stderr, f"what plan {arguments} printed")
        return done

    def good(self, *arguments, **options):
        done = self.run(*arguments, **options)
        assert (done.returncode, done.stderr) == (OK, ""), done.stderr
        return done.stdout

    def steps(self, *arguments, **options):
        """The statements of the only resource in the file."""
        return json.loads(self.good(*arguments, "-o", "json", **options))["steps"]

    def fails(self, code, *arguments, **options):
        """It ends with this code, prints nothing, and says why in one line; returns the line."""
        done = self.run(*arguments, **options)
        assert (done.returncode, done.stdout) == (code, ""), done
        lines = done.stderr.splitlines()
        assert len(lines) == 1 and lines[0].startswith("tablesync: "), done.stderr
        return lines[0]


def sql_of(text):
    """The statements of the text form, without SET."""
    lines = [line for line in text.splitlines() if line and not line.startswith(("--", "SET "))]
    return [statement + ";" for statement in "\n".join(lines).removesuffix(";").split(";\n")]


def verbs(statements):
    return [" ".join(statement.split()[:2]) for statement in statements]


def secrets():
    return [secret_manifest("file-mysql", "cdc", MYSQL_PASSWORD, NAMESPACE),
            secret_manifest("file-rw", "tablesync", RISINGWAVE_PASSWORD, NAMESPACE),
            secret_manifest("file-sr", "tablesync", STARROCKS_PASSWORD, NAMESPACE)]


def connections(system):
    return [connection_manifest("file-mysql", "MySQL", system.mysql.port, NAMESPACE),
            connection_manifest("file-rw", "RisingWave", system.rw.port, NAMESPACE),
            connection_manifest("file-sr", "StarRocks", system.starrocks.port, NAMESPACE,
                                starRocks={"httpPort": system.starrocks.ports["http-port"]})]


FILE_CONNECTIONS = {"mysql": "file-mysql", "rw": "file-rw", "warehouse": "file-sr"}


def sync(name, table="orders", **more):
    return sync_manifest(name, DATABASE, table, **{"namespace": NAMESPACE, "target": {"table": name}, **more})


@pytest.fixture(scope="module")
def planner(running, tmp_path_factory):
    """A namespace with the three connections, Ready, and a RisingWave that has the controller's schema."""
    running.mysql.execute(f"CREATE DATABASE {DATABASE}", f"USE {DATABASE}", TABLE, "INSERT INTO orders (customer) VALUES ('a')",
                          "CREATE TABLE other (k CHAR(3) PRIMARY KEY)", "CREATE TABLE sets (id INT PRIMARY KEY, s SET('x'))")
    running.connect(NAMESPACE)
    running.apply(sync("first", "other"))
    running.wait_ready("first", namespace=NAMESPACE)
    for name in ("shop-mysql", "rw", "warehouse"):
        running.wait_condition(name, "Ready", "True", namespace=NAMESPACE, resource="databaseconnection")
    yield Planner(running, tmp_path_factory.mktemp("plan"))
    running.clear(NAMESPACE)


@pytest.fixture
def admin(planner):
    return planner.system.plane.admin_kubeconfig


def write_counts(mysql):
    """How many statements that change something this server has run."""
    names = ", ".join(f"'Com_{name}'" for name in WRITES)
    return mysql.execute(f"SHOW GLOBAL STATUS WHERE Variable_name IN ({names})")


@pytest.mark.parametrize("user", ["admin", SERVICE_ACCOUNT])
def test_it_plans_with_the_connections_of_the_cluster(planner, user):
    """The file has the TableSync only; the rights of the controller suffice. Nothing changes, nowhere."""
    system = planner.system
    path = planner.write(sync("cluster-only"))
    before = system.catalogs(), write_counts(system.mysql), len(list(system.plane.requests(user)))
    text = planner.good("-f", path, kubeconfig=system.plane.kubeconfig_for(user))
    assert (system.catalogs(), write_counts(system.mysql)) == before[:2]
    asked = [r for r in list(system.plane.requests(user))[before[2]:]
             if r.get("objectRef", {}).get("namespace") == NAMESPACE and r["userAgent"].startswith("tablesync/")]
    # The controller is the same user as the service account, but has nothing left to say about this namespace.
    assert {r["verb"] for r in asked} <= READS
    assert {r["objectRef"]["name"] for r in asked if r["objectRef"]["resource"] == "secrets" and r["verb"] == "get"} == {
        "shop-mysql", "rw", "warehouse"}
    assert verbs(sql_of(text)) == STATEMENTS[1:]
    assert f"-- TableSync {NAMESPACE}/cluster-only: {DATABASE}.orders -> ods.cluster-only, 4 statements" in text
    assert "the resource does not exist yet" in text
    assert "`cluster-only`" in text and "AT TIME ZONE 'UTC'" in text and "encode(\"raw\", 'hex')" in text
    assert "SET background_ddl = true;" in text


def test_text_and_json_say_the_same(planner, admin):
    path = planner.write(sync("forms"))
    text = planner.good("-f", path, kubeconfig=admin)
    shown = json.loads(planner.good("-f", path, "-o", "json", kubeconfig=admin))
    assert (shown["namespace"], shown["name"]) == (NAMESPACE, "forms") and re.fullmatch(r"sha256:\w{64}", shown["hash"])
    assert [step["sql"] + ";" for step in shown["steps"]] == sql_of(text)
    assert [step["system"] for step in shown["steps"]] == ["RisingWave", "RisingWave", "StarRocks", "RisingWave"]
    assert [step["action"] for step in shown["steps"]] == ["CreateTable", "CommentTable", "CreateTarget", "CreateSink"]
    assert {step["risk"] for step in shown["steps"]} == {"Safe"}
    assert [step["background"] for step in shown["steps"]] == [False, False, False, True]
    assert shown["steps"][2]["object"] == "ods.forms"
    assert shown["notes"] == [line.removeprefix("-- note: ") for line in text.splitlines() if line.startswith("-- note: ")]
    assert any(note.startswith("column 'raw'") and "hexadecimal" in note for note in shown["notes"])


def test_standard_input_and_the_namespace_flag(planner, admin):
    """Without a namespace of its own the document is in the one of the flag."""
    manifest = sync("piped")
    del manifest["metadata"]["namespace"]
    done = planner.steps("-f", "-", "-n", NAMESPACE, kubeconfig=admin, given=json.dumps(manifest))
    assert [step["action"] for step in done] == ["CreateTable", "CommentTable", "CreateTarget", "CreateSink"]


def test_everything_in_the_file_needs_no_cluster(planner):
    """Connections and Secrets, these also as stringData; only a warning says that there is no cluster."""
    system = planner.system
    plain = secrets()
    plain[0] = {**plain[0], "stringData": {"username": "cdc", "password": MYSQL_PASSWORD}}
    del plain[0]["data"]
    path = planner.write(*plain, *connections(system), sync("alone", **FILE_CONNECTIONS))
    before = system.catalogs(), write_counts(system.mysql)
    done = planner.run("-f", path)
    assert (system.catalogs(), write_counts(system.mysql)) == before
    assert done.returncode == OK and re.fullmatch(r"tablesync: no cluster \(.+\): .+ from the file only\n", done.stderr)
    assert verbs(sql_of(done.stdout)) == STATEMENTS[1:]
    assert "password='***'" in done.stdout


def test_the_file_comes_before_the_cluster(planner, admin):
    """A connection in the file is used instead of the cluster's of the same name, with the cluster's Secret."""
    dead = connection_manifest("shop-mysql", "MySQL", free_port(), NAMESPACE)
    path = planner.write(dead, sync("mixed"))
    line = planner.fails(FAILED, "-f", path, kubeconfig=admin)
    assert f"127.0.0.1:{dead['spec']['port']}" in line
    other = connection_manifest("other-mysql", "MySQL", planner.system.mysql.port, NAMESPACE, secret="shop-mysql")
    path = planner.write(other, sync("mixed", mysql="other-mysql"))
    assert [step["action"] for step in planner.steps("-f", path, kubeconfig=admin)][0] == "CreateTable"


def test_several_resources_in_one_file(planner, admin):
    path = planner.write(sync("one"), sync("two", "other"))
    text = planner.good("-f", path, kubeconfig=admin)
    assert [line.split()[2] for line in text.splitlines() if line.startswith("-- TableSync ")] == [
        f"{NAMESPACE}/one:", f"{NAMESPACE}/two:"]


def test_the_plan_is_what_the_controller_then_runs(planner, admin):
    """A resource that exists but is left alone: the plan has its final names; the audit log then has its statements."""
    system = planner.system
    database = "planned_first"  # so that the shared source is still to be made
    system.mysql.execute(f"CREATE DATABASE {database}", f"CREATE TABLE {database}.orders LIKE {DATABASE}.orders",
                         f"INSERT INTO {database}.orders (customer) VALUES ('a')")
    # Without a number given, the controller may learn it from a refusal of StarRocks, which a plan never asks for.
    manifest = sync_manifest("kept", database, "orders", namespace=NAMESPACE,
                             target={"table": "kept", "properties": {"replication_num": "1"}})
    manifest["metadata"]["annotations"] = {"tablesync.dev/pause-reconcile": "true"}
    system.apply(manifest)
    path = planner.write(manifest)
    text = planner.good("-f", path, kubeconfig=admin)
    assert "does not exist yet" not in text
    planned = [step["sql"] for step in planner.steps("-f", path, kubeconfig=admin)]
    assert verbs(planned) == STATEMENTS
    system.plane.kubectl("annotate", "tablesync", "kept", "-n", NAMESPACE, "tablesync.dev/pause-reconcile-")
    system.wait_ready("kept", namespace=NAMESPACE)
    shown = subprocess.run([os.environ["TABLESYNC_BIN"], "logs", "--audit-db", str(system.controller.audit), "-n", NAMESPACE,
                            "--name", "kept", "-o", "json"], check=True, capture_output=True, text=True).stdout
    steps = json.loads(shown)["steps"]
    assert [step["statement"] for step in steps] == planned
    assert {step["result"] for step in steps} == {"Succeeded"}
    assert planner.steps("-f", path, kubeconfig=admin) == []
    assert "-- nothing to do" in planner.good("-f", path, kubeconfig=admin)


def test_the_status_of_the_resource_counts(planner, admin):
    """A re-sync in progress goes on with its own CDC table; what the file says of a status does not matter."""
    system = planner.system
    manifest = sync("versioned")
    manifest["metadata"]["annotations"] = {"tablesync.dev/pause-reconcile": "true"}
    system.apply(manifest)
    resync = {"token": "", "mode": "InPlace", "state": "InProgress", "tableVersion": 7}
    system.plane.kubectl("patch", "tablesync", "versioned", "-n", NAMESPACE, "--subresource=status", "--type=merge", "-p",
                         json.dumps({"status": {"resync": resync}}))
    manifest["status"] = {"resync": {**resync, "tableVersion": 3}}
    steps = planner.steps("-f", planner.write(manifest), kubeconfig=admin)
    made = [step["object"] for step in steps if step["action"] == "CreateTable"]
    assert len(made) == 1 and re.search(r"_v7$", made[0])


def test_a_change_is_planned_alone(planner, admin):
    """Of a resource that streams, the plan has what an edit of its file would do: pausing alters the sink and no more."""
    path = planner.write(sync("first", "other", state="Paused"))
    steps = planner.steps("-f", path, kubeconfig=admin)
    assert [step["sql"].split(" SET ")[1] for step in steps] == ["sink_rate_limit TO 0"] and len(steps) == 1
    assert planner.system.get("first", namespace=NAMESPACE)["spec"].get("state", "Running") == "Running"


def test_offline_asks_nobody(planner):
    """The schema from a file, JSON or YAML; hosts that nobody listens at do not matter."""
    nowhere = [connection_manifest(name, kind, free_port(), NAMESPACE)
               for name, kind in (("shop-mysql", "MySQL"), ("rw", "RisingWave"), ("warehouse", "StarRocks"))]
    path = planner.write(*nowhere, sync("offline"))
    first = planner.good("-f", path, "--mysql-schema", planner.write(SCHEMA))
    assert verbs(sql_of(first)) == ["CREATE SCHEMA", *STATEMENTS]
    schema = planner.write(text="""
server: {version: 5.6.24-log, logBin: true, binlogFormat: ROW, binlogRowImage: FULL, currentUser: cdc@%,
         grants: ["GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO `cdc`@`%`"]}
table:
  database: planned
  name: orders
  primaryKey: [id]
  columns:
  - {name: id, columnType: bigint(20) unsigned, nullable: false, key: PRI, extra: auto_increment}
  - {name: customer, columnType: varchar(64), charset: utf8mb4, nullable: false, comment: "who's"}
  - {name: amount, columnType: "decimal(10,2)"}
  - {name: made, columnType: timestamp}
  - {name: lasted, columnType: time}
  - {name: raw, columnType: varbinary(8)}
""")
    assert planner.good("-f", path, "--mysql-schema", schema) == first
    assert [step["sql"] + ";" for step in planner.steps("-f", path, "--mysql-schema", schema)] == sql_of(first)


def test_offline_plans_the_same_tables_as_live(planner, admin):
    path = planner.write(sync("offline"))
    live = {step["action"]: step["sql"] for step in planner.steps("-f", path, kubeconfig=admin)}
    done = planner.run("-f", path, "--mysql-schema", planner.write(SCHEMA), "-o", "json")
    assert done.returncode == OK and done.stderr.count("assuming defaults") == 3
    offline = {step["action"]: step["sql"] for step in json.loads(done.stdout)["steps"]}
    def without_place(sql):
        return re.sub(r' FROM "tablesync"."src_\w+"', "", sql.split(" PROPERTIES ")[0])
    for action in ("CreateTable", "CommentTable", "CreateTarget"):
        assert without_place(offline[action]) == without_place(live[action])


BAD_FILES = {
    # name -> (text, words of the sentence)
    "typo": ("apiVersion: tablesync.dev/v1alpha1\nkind: TableSync\nmetadata: {name: x\nspec:\n  source: {}\n", ("line 4",)),
    "tab": ("apiVersion: tablesync.dev/v1alpha1\nkind: TableSync\nmetadata:\n\tname: x\n", ("line 4",)),
    "empty": ("", ("no document of kind TableSync",)),
    "other-kind": ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n", ("no document of kind TableSync",)),
    "not-an-object": ("- 1\n- 2\n", ("not an object",)),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_file_that_is_none(planner, admin, name):
    text, words = BAD_FILES[name]
    path = planner.write(text=text)
    line = planner.fails(USAGE, "-f", path, kubeconfig=admin)
    assert str(path) in line and all(word in line for word in words)


def test_a_file_that_is_not_there(planner, admin, tmp_path):
    line = planner.fails(FAILED, "-f", tmp_path / "absent.yaml", kubeconfig=admin)
    assert str(tmp_path / "absent.yaml") in line and "No such file" in line
    line = planner.fails(FAILED, "-f", tmp_path, kubeconfig=admin)
    assert str(tmp_path) in line and "directory" in line
    path = planner.write(sync("x"))
    line = planner.fails(FAILED, "-f", path, "--mysql-schema", tmp_path / "absent.json", kubeconfig=admin)
    assert str(tmp_path / "absent.json") in line


@pytest.mark.parametrize("arguments,words", [
    ((), ("plan needs -f FILE",)),
    (("-f", "x.yaml", "-o", "yaml"), ("--output", "'yaml'", "json")),
    (("-f", "x.yaml", "--limit", "3"), ("'--limit'", "--help")),
    (("-f",), ("-f", "value")),
    (("-f", "x.yaml", "surplus"), ("surplus",)),
])
def test_wrong_usage(planner, arguments, words):
    line = planner.fails(USAGE, *arguments)
    assert all(word in line for word in words), line


def broken(change):
    manifest = sync("broken")
    change(manifest)
    return manifest


BAD_SPECS = {
    "unknown-field": (lambda m: m["spec"].update(sorce={}), ("spec.sorce",)),
    "misspelt": (lambda m: m["spec"]["source"].update(tabel="x"), ("spec.source.tabel",)),
    "missing": (lambda m: m["spec"]["source"].pop("table"), ("spec.source.table",)),
    "enum": (lambda m: m["spec"].update(deletionPolicy="Forget"), ("spec.deletionPolicy", "Forget", "Retain")),
    "type": (lambda m: m["spec"]["source"].update(table=5), ("spec.source.table", "5", "must be a string")),
    "back-quote": (lambda m: m["spec"]["source"].update(table="a`b"), ("spec.source.table",)),
    "api-version": (lambda m: m.update(apiVersion="tablesync.dev/v2"), ("apiVersion", "tablesync.dev/v2")),
    "no-name": (lambda m: m["metadata"].pop("name"), ("metadata.name",)),
}


@pytest.mark.parametrize("name", BAD_SPECS)
def test_a_resource_that_is_wrong(planner, admin, name):
    change, words = BAD_SPECS[name]
    line = planner.fails(USAGE, "-f", planner.write(broken(change)), kubeconfig=admin)
    assert all(word in line for word in words), line


def test_what_is_missing_around_it(planner, admin):
    system = planner.system
    line = planner.fails(FAILED, "-f", planner.write(sync("x", mysql="nowhere")), kubeconfig=admin)
    assert "'nowhere'" in line and "DatabaseConnection" in line and "spec.source.connectionRef.name" in line
    no_secret = connection_manifest("no-secret", "MySQL", system.mysql.port, NAMESPACE, secret="absent")
    line = planner.fails(FAILED, "-f", planner.write(no_secret, sync("x", mysql="no-secret")), kubeconfig=admin)
    assert f"'{NAMESPACE}/absent'" in line and "Secret" in line
    line = planner.fails(FAILED, "-f", planner.write(sync("x", mysql="rw")), kubeconfig=admin)
    assert "'rw'" in line and "RisingWave connection" in line
    line = planner.fails(FAILED, "-f", planner.write(sync("x", "absent")), kubeconfig=admin)
    assert "'absent'" in line and "spec.source.table" in line
    line = planner.fails(FAILED, "-f", planner.write(sync("x", "sets")), kubeconfig=admin)
    assert "'s'" in line and "set('x')" in line and "change it to VARCHAR" in line


@pytest.mark.parametrize("role,kind", [("mysql", "MySQL"), ("rw", "RisingWave"), ("warehouse", "StarRocks")])
def test_a_server_that_is_down_or_refuses(planner, admin, role, kind):
    system = planner.system
    port = free_port()
    down = connection_manifest("down", kind, port, NAMESPACE, secret={"mysql": "shop-mysql"}.get(role, role))
    line = planner.fails(FAILED, "-f", planner.write(down, sync("x", **{role: "down"})), kubeconfig=admin)
    assert f"127.0.0.1:{port}" in line and "spec.port" in line
    ports = {"mysql": system.mysql.port, "rw": system.rw.port, "warehouse": system.starrocks.port}
    wrong = [secret_manifest("wrong", "cdc" if role == "mysql" else "tablesync", "not it", NAMESPACE),
             connection_manifest("wrong", kind, ports[role], NAMESPACE)]
    line = planner.fails(FAILED, "-f", planner.write(*wrong, sync("x", **{role: "wrong"})), kubeconfig=admin)
    assert "user name and the password" in line and "not it" not in line


def test_a_cluster_that_does_not_answer(planner, tmp_path):
    """With a kubeconfig given, a dead API server is an error, not a reason to go on without."""
    plane = planner.system.plane
    dead = plane.kubeconfig_for("admin", server=f"https://127.0.0.1:{free_port()}")
    line = planner.fails(FAILED, "-f", planner.write(sync("x")), kubeconfig=dead)
    assert "127.0.0.1" in line
    line = planner.fails(FAILED, "-f", planner.write(sync("x")), kubeconfig=tmp_path / "absent-kubeconfig")
    assert "absent-kubeconfig" in line


def test_a_configured_cluster_that_is_away_is_only_a_warning(planner):
    """KUBECONFIG of the shell, and everything in the file: planned as if new, and said so."""
    system = planner.system
    dead = system.plane.kubeconfig_for("admin", server=f"https://127.0.0.1:{free_port()}")
    path = planner.write(*secrets(), *connections(system), sync("away", "other", **FILE_CONNECTIONS))
    done = planner.run("-f", path, KUBECONFIG=str(dead))
    assert done.returncode == OK and "planning as if the resource did not exist yet" in done.stderr
    assert verbs(sql_of(done.stdout)) == STATEMENTS[1:]


def test_nothing_was_touched_by_any_of_them(planner):
    """Neither a TableSync nor a connection came to be, nor a run in the audit log, nor a table of those names."""
    system = planner.system
    assert set(system.listed(NAMESPACE)) == {"first", "kept", "versioned"}
    assert set(system.listed(NAMESPACE, "databaseconnections")) == {"shop-mysql", "rw", "warehouse"}
    made = {name for (name,) in system.starrocks.query("SELECT table_name FROM information_schema.tables"
                                                       " WHERE table_schema = 'ods'")}
    assert not made & {"cluster-only", "forms", "piped", "alone", "mixed", "one", "two", "offline", "x", "broken", "away", "versioned"}
