"""`tablesync discover`: the tables of a MySQL connection, and TableSyncs for them that the API server takes as they are."""

import json
import re

import pytest

from cluster.mysql import start_mariadb

from .looking import FAILED, Looker
from .system import MYSQL_PASSWORD, connection_manifest, prepare_mysql, secret_manifest

NAMESPACE = "discover"
# How each is made, and why it cannot be synced.
TABLES = {
    "keyless": ("CREATE TABLE keyless (v INT)", "NoPrimaryKey"),
    "Orders_2024": ("CREATE TABLE Orders_2024 (id BIGINT UNSIGNED PRIMARY KEY, lasted TIME)", None),
    "orders-2024": ("CREATE TABLE `orders-2024` (a INT, b VARCHAR(10), PRIMARY KEY (b, a))", None),
    "places": ("CREATE TABLE places (id INT PRIMARY KEY, p POINT)", "UnsupportedType"),
    "two words": ("CREATE TABLE `two words` (id INT PRIMARY KEY)", "UnsupportedName"),
    "v": ("CREATE VIEW v AS SELECT 1 AS id", "NotABaseTable"),
    "x" * 64: (f"CREATE TABLE {'x' * 64} (id INT PRIMARY KEY)", None),
    "line\nbreak": ("CREATE TABLE `line\nbreak` (id INT PRIMARY KEY)", "InvalidSpec"),
    "注文": ("CREATE TABLE `注文` (id INT PRIMARY KEY)", "UnsupportedName"),
}
DNS_1123 = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


@pytest.fixture(scope="module")
def discover(running, tmp_path_factory):
    running.mysql.execute("CREATE DATABASE `found-a`", "USE `found-a`", *(made for made, _ in TABLES.values()),
                          "INSERT INTO Orders_2024 VALUES (1, '10:00:00'), (2, NULL)",
                          "CREATE DATABASE found_b", "CREATE TABLE found_b.Orders_2024 (id INT PRIMARY KEY)")
    running.connect(NAMESPACE)
    yield Looker("discover", tmp_path_factory.mktemp("discover"), running.plane.admin_kubeconfig)
    running.clear(NAMESPACE)


def documents_of(running, text):
    """As kubectl reads them."""
    rest = running.plane.kubectl("create", "--dry-run=client", "-o", "json", "-f", "-", input=text).stdout.strip()
    found = []
    while rest:
        document, end = json.JSONDecoder().raw_decode(rest)
        found += document["items"] if document["kind"] == "List" else [document]
        rest = rest[end:].strip()
    return found


def test_the_list(discover):
    shown = {t["table"]: t for t in discover.json("-n", NAMESPACE, "--database", "found-a")["tables"]}
    assert {name: t.get("reason") for name, t in shown.items()} == {name: why for name, (_, why) in TABLES.items()}
    assert all(t["syncable"] == (TABLES[name][1] is None) for name, t in shown.items())
    assert shown["orders-2024"]["primaryKey"] == ["b", "a"] and shown["Orders_2024"]["primaryKey"] == ["id"]
    assert "tableSync" not in shown["keyless"] and shown["keyless"]["message"]
    text = discover.good("-n", NAMESPACE, "--database", "found-a", "--connection", "shop-mysql")
    lines = text.splitlines()
    assert lines[0].split() == ["DATABASE", "TABLE", "ROWS", "KEY", "SYNC", "WHY"] and len(lines) == 1 + len(TABLES)
    assert {line.split()[1]: line.split()[4] for line in lines if line.split()[1] in ("Orders_2024", "keyless")} == {
        "Orders_2024": "yes", "keyless": "no"}


def test_every_database(discover):
    """Not MySQL's own ones."""
    found = {t["database"] for t in discover.json("-n", NAMESPACE)["tables"]}
    assert {"found-a", "found_b"} <= found and not found & {"mysql", "information_schema", "performance_schema", "sys"}


def test_the_manifests_can_be_applied(discover, running):
    """Nothing to fill in: the API server takes them, a plan can be made, and one of them streams."""
    text = discover.good("-n", NAMESPACE, "--database", "found-a", "--target-database", "ods", "-o", "yaml")
    documents = documents_of(running, text)
    assert sorted(d["spec"]["source"]["table"] for d in documents) == sorted(n for n, (_, why) in TABLES.items() if why is None)
    names = [d["metadata"]["name"] for d in documents]
    assert len(set(names)) == len(names) and all(DNS_1123.fullmatch(name) for name in names), names
    assert {"found-a-orders-2024"} < set(names) and any(n.startswith("found-a-orders-2024-") for n in names)
    assert all(d["metadata"]["namespace"] == NAMESPACE and d["spec"]["target"]["database"] == "ods" for d in documents)
    for name, (_, why) in TABLES.items():
        if why is not None:
            shown = name.replace("\n", "?")
            assert f"# found-a.{shown} cannot be synced: {why}: " in text
    assert "# note: column 'lasted'" in text
    dry = running.plane.kubectl("apply", "--dry-run=server", "-f", "-", input=text)
    assert dry.stdout.count("created (server dry run)") == len(documents)
    planned = discover.run("-f", "-", given=text, command="plan")
    assert planned.returncode == 0 and planned.stdout.count("-- TableSync ") == len(documents), planned
    kept = [d for d in documents if d["spec"]["source"]["table"] == "Orders_2024"]
    running.apply(*kept)
    running.wait_ready(kept[0]["metadata"]["name"], namespace=NAMESPACE)
    assert running.target_rows("ods.Orders_2024", "id") == [(1,), (2,)]


def test_two_databases_in_one_target(discover, running):
    """Tables of one name do not meet in one StarRocks table; names do not change from run to run."""
    arguments = ("-n", NAMESPACE, "--target-database", "ods", "-o", "yaml")
    text = discover.good(*arguments)
    targets = [(d["spec"]["target"].get("table") or d["spec"]["source"]["table"]) for d in documents_of(running, text)]
    assert len(set(targets)) == len(targets) and "found_b_Orders_2024" in targets
    assert discover.good(*arguments) == text


def test_the_target_is_named_as_the_database(discover):
    """Which StarRocks may refuse: then it is said, table by table."""
    shown = {(t["database"], t["table"]): t for t in discover.json("-n", NAMESPACE)["tables"]}
    assert shown["found_b", "Orders_2024"]["tableSync"]["spec"]["target"]["database"] == "found_b"


def test_which_connections_are_meant(discover, running):
    """The only one of a type needs no name; of two one must be named; what a flag names must exist and fit."""
    assert "--connection" not in discover.good("-n", NAMESPACE, "--database", "found_b")
    running.apply(connection_manifest("second-rw", "RisingWave", running.rw.port, NAMESPACE, secret="rw"))
    line = discover.refused("-n", NAMESPACE, "-o", "yaml")
    assert "--risingwave-connection" in line and "rw, second-rw" in line
    arguments = ("-n", NAMESPACE, "--database", "found_b", "-o", "yaml", "--risingwave-connection")
    document = documents_of(running, discover.good(*arguments, "second-rw"))[0]
    assert document["spec"]["risingWave"]["connectionRef"] == {"name": "second-rw"}
    assert "no DatabaseConnection 'third'" in discover.refused(*arguments, "third")
    assert "'warehouse' is of type StarRocks, not RisingWave" in discover.refused(*arguments, "warehouse")
    assert "no DatabaseConnection of type MySQL" in discover.refused("-n", "default")
    running.plane.kubectl("delete", "databaseconnection", "second-rw", "-n", NAMESPACE)


def test_usage_and_refusals(discover):
    assert "discover prints table, json or yaml" in discover.refused("-o", "wide", cluster=False)
    line = discover.refused("-n", NAMESPACE, "--database", "unheard_of", code=FAILED)
    assert "no database 'unheard_of'" in line and "'shop-mysql'" in line


def test_mariadb_from_a_file(discover, mariadb_apart):
    """Connections and Secrets from the file, no cluster; of MariaDB's own types the reason is told."""
    path = discover.write(secret_manifest("maria", "cdc", MYSQL_PASSWORD, "default"),
                          connection_manifest("maria", "MySQL", mariadb_apart.port, "default"),
                          connection_manifest("a-rw", "RisingWave", 1, "default"),
                          connection_manifest("a-sr", "StarRocks", 1, "default"))
    done = discover.run("-f", path, "--database", "odd", "-o", "json", cluster=False)
    assert done.returncode == 0 and "no cluster" in done.stderr
    shown = {t["table"]: t for t in json.loads(done.stdout)["tables"]}
    assert {name: t.get("reason") for name, t in shown.items()} == {"plain": None, "uuids": "UnsupportedType"}
    made = shown["plain"]["tableSync"]["spec"]
    assert made["risingWave"]["connectionRef"]["name"] == "a-rw" and made["target"]["connectionRef"]["name"] == "a-sr"


@pytest.fixture(scope="module")
def mariadb_apart(tmp_path_factory):
    with start_mariadb(tmp_path_factory.mktemp("discovered") / "data") as server:
        prepare_mysql(server)
        server.execute("CREATE DATABASE odd", "CREATE TABLE odd.plain (id INT PRIMARY KEY)",
                       "CREATE TABLE odd.uuids (id UUID PRIMARY KEY)")
        yield server
