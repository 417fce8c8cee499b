"""`tablesync check`, and the pre-flight of the controller: all that servers and accounts lack, at once, before anything is made."""

import pytest

from cluster.processes import free_port

from .looking import FAILED, OK, Looker
from .system import (MYSQL_PASSWORD, RISINGWAVE_PASSWORD, STARROCKS_PASSWORD, connection_manifest, secret_manifest,
                     sync_manifest)

NAMESPACE = "check"
DATABASE = "checked"
# Three accounts that may log in and nothing more.
BARE = {"bare-mysql": "mysql'bare", "bare-rw": "rw'bare", "bare-sr": "sr'bare"}
STATEMENTS = ("GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'barely'@'%'",
              f"GRANT SELECT ON `{DATABASE}`.* TO 'barely'@'%'",
              'GRANT CREATE ON DATABASE "dev" TO "barely"',
              "GRANT CREATE TABLE ON DATABASE `lacking` TO USER 'barely'@'%'",
              "GRANT SELECT, INSERT, UPDATE, DELETE, ALTER ON ALL TABLES IN DATABASE `lacking` TO USER 'barely'@'%'")


def sync(name, table="orders", **more):
    return sync_manifest(name, DATABASE, table, **{"namespace": NAMESPACE, "target": {"table": name}, **more})


def lacking(name):
    return sync(name, target={"database": "lacking", "table": name}, mysql="bare-mysql", rw="bare-rw", warehouse="bare-sr",
                retry={"backoffBase": "1s", "backoffMax": "2s"})


def bare_secrets():
    return [secret_manifest(name, "barely", password, NAMESPACE) for name, password in BARE.items()]


def bare_connections(system):
    return [connection_manifest("bare-mysql", "MySQL", system.mysql.port, NAMESPACE),
            connection_manifest("bare-rw", "RisingWave", system.rw.port, NAMESPACE, risingWave={"schema": "bare"}),
            connection_manifest("bare-sr", "StarRocks", system.starrocks.port, NAMESPACE,
                                starRocks={"httpPort": system.starrocks.ports["http-port"]})]


@pytest.fixture(scope="module")
def check(running, tmp_path_factory):
    running.mysql.execute(f"CREATE DATABASE {DATABASE}", f"CREATE TABLE {DATABASE}.orders (id INT PRIMARY KEY, v VARCHAR(10))",
                          f"INSERT INTO {DATABASE}.orders VALUES (1, 'a')", f"CREATE TABLE {DATABASE}.keyless (v INT)",
                          "CREATE USER 'barely'@'%' IDENTIFIED BY 'mysql''bare'")
    running.rw.query("CREATE USER barely WITH PASSWORD 'rw''bare'")
    running.rw.query("GRANT CONNECT ON DATABASE dev TO barely")
    running.starrocks.query("CREATE DATABASE lacking")
    running.starrocks.query("CREATE USER 'barely'@'%' IDENTIFIED BY 'sr\\'bare'")
    running.connect(NAMESPACE)
    yield Looker("check", tmp_path_factory.mktemp("check"), running.plane.admin_kubeconfig)
    running.clear(NAMESPACE)


def findings(shown, level):
    return [(f["system"], f["reason"]) for f in shown["findings"] if f["level"] == level]


def test_a_file_that_is_fine(check):
    """Each connection once, whatever names it; what a plan would do; nothing touched."""
    path = check.write(sync("fine"), sync("fine-too"))
    shown = check.json("-f", path)
    assert shown["ok"] is True
    assert [(c["name"], c["type"], c["reachable"], c["login"], c["tls"]) for c in shown["connections"]] == [
        ("rw", "RisingWave", True, True, "Prefer"), ("shop-mysql", "MySQL", True, True, "Prefer"),
        ("warehouse", "StarRocks", True, True, "Prefer")]
    assert all(c["version"] and findings(c, "Missing") == [] for c in shown["connections"])
    assert shown["connections"][1]["facts"]["binlogFormat"] == "ROW"
    first, second = shown["tableSyncs"]
    assert (first["name"], first["source"], first["target"]) == ("fine", f"{DATABASE}.orders", "ods.fine")
    assert first["table"] == {"found": True, "columns": 2, "primaryKey": ["id"]}
    assert first["plan"]["statements"] >= 4 and first["plan"]["needsApproval"] is False and "error" not in second
    text = check.good("-f", path)
    assert f"DatabaseConnection {NAMESPACE}/rw: RisingWave at 127.0.0.1:" in text
    assert "  reachable: yes, login as 'cdc': yes, TLS mode Prefer, version " in text
    assert f"TableSync {NAMESPACE}/fine: {DATABASE}.orders -> ods.fine\n  table: found, 2 columns, primary key id\n  plan: " in text
    assert text.endswith("nothing is missing\n") and "missing:" not in text


def test_all_that_three_servers_lack(check, running):
    """Connections and Secrets in the file: no cluster is needed. Nothing is created on the way."""
    before = running.catalogs()
    path = check.write(*bare_secrets(), *bare_connections(running), lacking("bad"))
    done = check.run("-f", path, cluster=False)
    assert done.returncode == FAILED and done.stderr.startswith("tablesync: no cluster (")
    for statement in STATEMENTS:
        assert statement in done.stdout, done.stdout
    assert done.stdout.endswith("something is missing, see above\n")
    shown = check.json("-f", path, code=FAILED, cluster=False)
    assert shown["ok"] is False
    bad = shown["tableSyncs"][0]
    assert findings(bad, "Missing") == [("MySQL", "MissingGrant"), ("RisingWave", "SchemaDenied"),
                                         ("StarRocks", "DatabaseMissing")]
    assert {c["name"]: findings(c, "Missing") for c in shown["connections"]} == {
        "bare-mysql": [("MySQL", "MissingGrant")], "bare-rw": [("RisingWave", "SchemaDenied")], "bare-sr": []}
    # Without a right on the database the table cannot be seen, which stops nothing else from being told.
    assert bad["table"] == {"found": False} and bad["error"]["reason"] in ("DatabaseNotFound", "TableNotFound")
    assert running.catalogs() == before


def test_each_server_that_is_away_is_told(check, running):
    """One dead port, one wrong password, one Secret that is missing: all three, and the resource that needs them."""
    dead = free_port()
    path = check.write(
        connection_manifest("dead", "MySQL", dead, NAMESPACE, secret="shop-mysql"),
        secret_manifest("wrong", "tablesync", "not it", NAMESPACE),
        connection_manifest("wrong", "RisingWave", running.rw.port, NAMESPACE),
        connection_manifest("nameless", "StarRocks", running.starrocks.port, NAMESPACE, secret="nowhere"),
        sync("away", mysql="dead", rw="wrong", warehouse="nameless"))
    shown = check.json("-f", path, code=FAILED)
    seen = {c["name"]: (c.get("reachable"), c.get("login"), c["error"]["reason"]) for c in shown["connections"]}
    assert seen == {"dead": (False, False, "Unreachable"), "wrong": (True, False, "AuthFailed"),
                    "nameless": (None, None, "SecretNotFound")}
    assert shown["tableSyncs"][0]["error"]["reason"] in ("Unreachable", "AuthFailed", "SecretNotFound")
    text = check.run("-f", path).stdout
    assert f"127.0.0.1:{dead}" in text and "reachable: not tried" in text and "missing: AuthFailed: " in text


def test_tables_that_cannot_be_synced(check):
    shown = check.json("-f", check.write(sync("keyless", "keyless"), sync("gone", "gone"), sync("fine")), code=FAILED)
    assert [s.get("error", {}).get("reason") for s in shown["tableSyncs"]] == ["NoPrimaryKey", "TableNotFound", None]
    assert [s["table"]["found"] for s in shown["tableSyncs"]] == [True, False, True]


def test_a_connection_that_does_not_exist(check):
    shown = check.json("-f", check.write(sync("lost", rw="nowhere")), code=FAILED)
    assert shown["tableSyncs"][0]["error"]["reason"] == "ConnectionNotFound"
    assert "'nowhere'" in shown["tableSyncs"][0]["error"]["message"]


def test_usage(check):
    assert "-f FILE" in check.refused(cluster=False)
    assert "'yaml'; check prints table or json" in check.refused("-f", "-", "-o", "yaml", cluster=False)
    assert "no document of kind TableSync or DatabaseConnection" in check.refused(
        "-f", "-", given="kind: Secret\nmetadata: {name: x}", cluster=False)
    wrong = sync("wrong")
    wrong["spec"]["source"] = {"connectionRef": {"name": "shop-mysql"}}
    assert "spec.source.table" in check.refused("-f", check.write(wrong))


def test_the_controller_tells_all_of_it_at_once(check, running):
    """One message in the condition, nothing created; what it says, run as it stands, makes rows flow."""
    before = running.catalogs()
    running.apply(*bare_secrets())
    running.apply(*bare_connections(running))
    running.apply(lacking("lacking"))
    told = running.wait_condition("lacking", "ConnectionsReady", "False", "RequirementsMissing", namespace=NAMESPACE)
    assert told["message"].startswith("3 servers lack what is needed. MySQL: ")
    for statement in STATEMENTS:
        assert statement in told["message"], told["message"]
    ready = running.condition("lacking", "Ready", NAMESPACE)
    assert (ready["status"], ready["reason"], ready["message"]) == ("False", "RequirementsMissing", told["message"])
    assert running.catalogs() == before
    assert running.get("lacking", namespace=NAMESPACE)["status"].get("objects", []) == []
    running.mysql.execute(*STATEMENTS[:2])
    running.rw.query(STATEMENTS[2])
    # StarRocks alone is left, which is told in its own condition; a database without any right cannot be seen.
    alone = running.wait_condition("lacking", "TargetTableReady", "False", "DatabaseMissing", namespace=NAMESPACE)
    assert alone["message"].startswith("StarRocks lacks what is needed: ") and "MySQL" not in alone["message"]
    for statement in STATEMENTS[3:]:
        running.starrocks.query(statement)
    running.wait_ready("lacking", namespace=NAMESPACE)
    assert running.target_rows("lacking.lacking") == [(1, "a")]


def test_a_resource_that_streams(check, running):
    """It is looked at as anew, and there is nothing to do."""
    running.apply(sync("calm"))
    running.wait_ready("calm", namespace=NAMESPACE)
    shown = check.json("-f", check.write(sync("calm")))
    assert shown["tableSyncs"][0]["plan"] == {"statements": 0, "needsApproval": False}
    assert "plan: nothing to do" in check.good("-f", check.write(sync("calm")))


def test_no_password_is_printed(check, running):
    """In either form, with the accounts of the file or of the cluster."""
    everything = ""
    for arguments in ((), ("-o", "json")):
        for path in (check.write(sync("fine")), check.write(*bare_secrets(), *bare_connections(running), lacking("bad"))):
            done = check.run("-f", path, *arguments)
            assert done.returncode in (OK, FAILED)
            everything += done.stdout + done.stderr
    for secret in (MYSQL_PASSWORD, RISINGWAVE_PASSWORD, STARROCKS_PASSWORD, *BARE.values()):
        assert secret not in everything
