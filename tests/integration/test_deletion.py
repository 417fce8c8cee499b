"""What `kubectl delete` drops and what it leaves, by policy; and what is said when a server stands in the way."""

from contextlib import closing

import psycopg2
import pytest

from cluster.processes import wait_until

from . import system as sys_
from .system import (RISINGWAVE_PASSWORD, STARROCKS_PASSWORD, assert_no_secret, audit, connection_manifest, secret_manifest,
                     sync_manifest, unique)

NAMESPACE = "deletion"
QUICK = {"backoffBase": "200ms", "backoffMax": "2s"}
ORPHAN = "tablesync.dev/orphan=true"


@pytest.fixture(scope="module")
def home(running):
    running.connect(NAMESPACE)
    yield running
    running.clear(NAMESPACE)


@pytest.fixture
def shop(home):
    """A MySQL database of the test's own, with two tables of two rows."""
    name = unique("del")
    home.mysql.execute(f"CREATE DATABASE {name}", f"USE {name}", *(
        statement for table in ("one", "two") for statement in (
            f"CREATE TABLE {table} (id INT PRIMARY KEY, v INT)", f"INSERT INTO {table} VALUES (1, 10), (2, 20)")))
    return name


def make(home, database, policy, table="one", namespace=NAMESPACE, ready=True, **spec):
    """A TableSync of `table` into ods.<database>_<table>; returns its name."""
    name = f"{database}-{table}"
    home.apply(sync_manifest(name, database, table, namespace=namespace, target={"table": f"{database}_{table}"},
                             deletionPolicy=policy, retry=QUICK, **spec))
    if ready:
        home.wait_ready(name, namespace=namespace)
    return name


def objects(home, name, namespace=NAMESPACE):
    """kind -> bare name of what status says belongs to it."""
    return {o["kind"]: o["name"].split(".", 1)[1] for o in home.get(name, namespace=namespace)["status"]["objects"]}


def in_risingwave(home, *names):
    there = {name for (name,) in home.rw.query("SELECT name FROM rw_catalog.rw_relations")}
    return [name for name in names if name in there]


def tables_of(home, database="ods"):
    return {n for (n,) in home.starrocks.query(f"SELECT table_name FROM information_schema.tables WHERE table_schema='{database}'")}


def start_delete(home, name, namespace=NAMESPACE):
    home.plane.kubectl("delete", "tablesync", name, "-n", namespace, "--wait=false")


def orphan(home, name, namespace=NAMESPACE):
    home.plane.kubectl("annotate", "tablesync", name, "-n", namespace, ORPHAN)


def wait_blocked(home, name, *words, namespace=NAMESPACE, reason="DeletionBlocked"):
    message = home.wait_condition(name, "Ready", "False", reason, namespace=namespace)["message"]
    for word in (*words, ORPHAN):
        assert word in message, f"{word!r} is not in: {message}"
    assert home.get(name, namespace=namespace)["status"]["phase"] == "Deleting"
    return message


# --- the three policies ---

def test_retain_drops_nothing(home, shop):
    """Not one statement: every object is there, rows go on flowing, and the audit says what was kept."""
    name = make(home, shop, "Retain")
    made = objects(home, name)
    statements = len(audit(home, name, NAMESPACE)["steps"])
    home.delete(name, namespace=NAMESPACE)
    assert len(in_risingwave(home, made["Source"], made["Table"], made["Sink"])) == 3
    home.mysql.execute(f"INSERT INTO {shop}.one VALUES (3, 30)", f"DELETE FROM {shop}.one WHERE id = 1")
    home.wait_rows(f"{shop}.one", f"ods.{shop}_one", "id, v")
    record = audit(home, name, NAMESPACE)
    assert len(record["steps"]) == statements
    assert any("Retain keeps" in line["message"] and made["Sink"] in line["message"] for line in record["logs"])
    assert "Retained" in {e["reason"] for e in home.events(name, NAMESPACE)}


def test_delete_stream_leaves_the_rows(home, shop):
    """Sink, CDC table and the source nobody uses are gone; the StarRocks table stays as it is."""
    name = make(home, shop, "DeleteStream")
    made = objects(home, name)
    home.delete(name, namespace=NAMESPACE)
    assert in_risingwave(home, made["Source"], made["Table"], made["Sink"]) == []
    assert home.target_rows(f"ods.{shop}_one") == [(1, 10), (2, 20)]
    done = [s["statement"].split()[:2] for s in audit(home, name, NAMESPACE)["steps"] if s["statement"].startswith("DROP")]
    assert done == [["DROP", "SINK"], ["DROP", "TABLE"], ["DROP", "SOURCE"]]


def test_delete_drops_the_table_too(home, shop):
    name = make(home, shop, "Delete")
    made = objects(home, name)
    home.delete(name, namespace=NAMESPACE)
    assert in_risingwave(home, made["Source"], made["Table"], made["Sink"]) == []
    assert f"{shop}_one" not in tables_of(home)
    runs = audit(home, name, NAMESPACE, "runs")
    assert (runs[0]["trigger"], runs[0]["result"]) == ("Deletion", "Succeeded")


def test_the_last_user_takes_the_shared_source_along(home, shop):
    """Not the first: what is left streams on meanwhile."""
    one, two = make(home, shop, "Delete"), make(home, shop, "DeleteStream", "two")
    source = objects(home, one)["Source"]
    assert objects(home, two)["Source"] == source
    home.delete(one, namespace=NAMESPACE)
    assert in_risingwave(home, source) == [source]
    home.mysql.execute(f"INSERT INTO {shop}.two VALUES (3, 30)")
    home.wait_rows(f"{shop}.two", f"ods.{shop}_two", "id, v")
    home.delete(two, namespace=NAMESPACE)
    assert in_risingwave(home, source) == []


def test_a_resource_that_never_provisioned_owns_nothing(home, shop):
    """Policy Delete on a table of somebody else, through a RisingWave that never answered: gone at once."""
    home.starrocks.query(f"CREATE TABLE ods.{shop}_one (id INT NOT NULL) PRIMARY KEY (id) DISTRIBUTED BY HASH (id)"
                         " PROPERTIES ('replication_num' = '1')")
    foreign = make(home, shop, "Delete", ready=False)
    home.wait_condition(foreign, "Ready", "False", "AlreadyExists", namespace=NAMESPACE)
    home.apply(secret_manifest("nowhere", "u", "p", NAMESPACE),
               connection_manifest("nowhere", "RisingWave", 1, NAMESPACE, host="127.0.0.1"))
    lost = make(home, shop, "Delete", "two", ready=False, rw="nowhere")
    home.wait_condition(lost, "Ready", "False", "Unreachable", namespace=NAMESPACE)
    home.delete(foreign, lost, namespace=NAMESPACE)
    assert f"{shop}_one" in tables_of(home)
    assert [s for name in (foreign, lost) for s in audit(home, name, NAMESPACE)["steps"]] == []


def test_again_under_the_same_name_after_retain(home, shop):
    """The kept table bears the mark of the first one: told, with the way out, and nothing is doubled."""
    name = make(home, shop, "Retain")
    made, uid = objects(home, name), home.get(name, namespace=NAMESPACE)["metadata"]["uid"]
    home.delete(name, namespace=NAMESPACE)
    make(home, shop, "Retain", ready=False)
    message = home.wait_condition(name, "Ready", "False", "OwnedByAnother", namespace=NAMESPACE)["message"]
    for word in (f"ods.{shop}_one", uid, "its table kept", "spec.target.table", "drop the table"):
        assert word in message, message
    assert "objects" not in home.get(name, namespace=NAMESPACE)["status"]
    assert len(in_risingwave(home, made["Table"], made["Sink"])) == 2
    home.delete(name, namespace=NAMESPACE)


# --- others depend on it ---

def make_sink(home, user, schema, table, target):
    """A sink on our CDC table that somebody made by hand."""
    password = STARROCKS_PASSWORD.replace("'", "''")
    statements = (f"CREATE SCHEMA {schema}",
                  f"""CREATE SINK {schema}.theirs FROM tablesync."{table}" WITH (connector = 'starrocks', type = 'upsert',
        primary_key = 'id', starrocks.host = '127.0.0.1', starrocks.mysqlport = '{home.starrocks.port}',
        starrocks.httpport = '{home.starrocks.ports['http-port']}', starrocks.user = 'tablesync',
        starrocks.password = '{password}', starrocks.database = 'ods', starrocks.table = '{target}')""")
    with closing(psycopg2.connect(host="127.0.0.1", port=home.rw.port, dbname="dev", user=user, sslmode="disable",
                                  password=RISINGWAVE_PASSWORD if user == "tablesync" else None)) as session:
        session.autocommit = True
        with session.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)


@pytest.mark.parametrize("seen", [True, False], ids=["visible", "hidden"])
def test_a_sink_of_others_blocks_the_deletion(home, shop, seen):
    """It is named, by its id when our account may not see it; nothing is dropped, not even half; the deletion goes on
    by itself once it is gone."""
    name = make(home, shop, "Delete")
    made = objects(home, name)
    home.starrocks.query(f"CREATE TABLE ods.{shop}_copy (id INT NOT NULL, v INT) PRIMARY KEY (id)"
                         " DISTRIBUTED BY HASH (id) PROPERTIES ('replication_num' = '1')")
    schema, user = (f"s_{shop}", "tablesync") if seen else (f"h_{shop}", "root")
    make_sink(home, user, schema, made["Table"], f"{shop}_copy")
    (found,), = home.rw.query("SELECT id FROM rw_catalog.rw_relations WHERE name = 'theirs'")
    start_delete(home, name)
    message = wait_blocked(home, name, f"{schema}.theirs" if seen else f"object {found}", "drop them first",
                           reason="DependantsExist")
    assert_no_secret(message, "the message")
    assert len(in_risingwave(home, made["Source"], made["Table"], made["Sink"], "theirs")) == 4
    home.mysql.execute(f"INSERT INTO {shop}.one VALUES (3, 30)")
    home.wait_rows(f"{shop}.one", f"ods.{shop}_one", "id, v")
    home.rw.query(f"DROP SINK {schema}.theirs")
    home.wait_gone(name, namespace=NAMESPACE)
    assert in_risingwave(home, made["Source"], made["Table"], made["Sink"]) == []
    assert f"{shop}_copy" in tables_of(home) and f"{shop}_one" not in tables_of(home)


# --- servers and resources that are gone ---

@pytest.fixture
def cluster(home, tmp_path):
    """A RisingWave of the test's own that keeps its state over a restart."""
    rw = sys_.RisingWave(tmp_path, extra=("--data", str(tmp_path / "state"))).start()
    sys_.prepare_risingwave(rw)
    name = unique("rw")
    home.apply(secret_manifest(name, "tablesync", RISINGWAVE_PASSWORD, NAMESPACE),
               connection_manifest(name, "RisingWave", rw.port, NAMESPACE))
    rw.name = name
    yield rw
    rw.stop()


def test_risingwave_down_blocks_and_heals(home, shop, cluster):
    """It says what blocks and how to let go; back again, it goes on by itself and cleans up all."""
    name = make(home, shop, "Delete", rw=cluster.name)
    home.wait_rows(f"{shop}.one", f"ods.{shop}_one", "id, v")
    cluster.stop()
    start_delete(home, name)
    wait_blocked(home, name, f"'{cluster.name}'", str(cluster.port), "policy Delete")
    assert home.get(name, namespace=NAMESPACE)["status"]["nextRetryAt"]
    cluster.start()
    home.wait_gone(name, namespace=NAMESPACE)
    assert cluster.query("SELECT name FROM rw_catalog.rw_relations WHERE name LIKE '%' AND name ~ 'del'") == []
    assert f"{shop}_one" not in tables_of(home)


def test_orphan_lets_go_at_once(home, shop, cluster):
    """With RisingWave down; nothing is dropped anywhere, and the audit lists what is left behind."""
    name = make(home, shop, "Delete", rw=cluster.name)
    made = objects(home, name)
    cluster.daemon.kill()
    start_delete(home, name)
    wait_blocked(home, name)
    orphan(home, name)
    home.wait_gone(name, 10, NAMESPACE)
    assert f"{shop}_one" in tables_of(home)
    logs = audit(home, name, NAMESPACE)["logs"]
    assert any("without touching the databases" in line["message"] and made["Table"] in line["message"] for line in logs)


def test_a_secret_deleted_first(home, shop):
    """The deletion says what is missing, and that this controller kept nothing of it; it goes on when that is back, and
    orphan lets go without it."""
    secret = secret_manifest(shop, "tablesync", RISINGWAVE_PASSWORD, NAMESPACE)
    home.apply(secret, connection_manifest(shop, "RisingWave", home.rw.port, NAMESPACE))
    one, two = make(home, shop, "DeleteStream", rw=shop), make(home, shop, "Delete", "two", rw=shop)
    made = objects(home, one) | {"Table2": objects(home, two)["Table"], "Sink2": objects(home, two)["Sink"]}
    home.plane.kubectl("delete", "secret", shop, "-n", NAMESPACE)
    for name in (one, two):
        start_delete(home, name)
        wait_blocked(home, name, f"there is no Secret '{NAMESPACE}/{shop}'", "without --encryption-key-file")
    orphan(home, two)
    home.wait_gone(two, 10, NAMESPACE)
    assert len(in_risingwave(home, *made.values())) == 5
    home.apply(secret)
    home.wait_gone(one, namespace=NAMESPACE)
    assert sorted(in_risingwave(home, *made.values())) == sorted([made["Source"], made["Table2"], made["Sink2"]])


def test_a_connection_deleted_first(home, shop):
    """It stays for those who use it, what streams goes on, nothing new begins with it; with its last user it goes."""
    home.apply(secret_manifest(shop, "tablesync", RISINGWAVE_PASSWORD, NAMESPACE),
               connection_manifest(shop, "RisingWave", home.rw.port, NAMESPACE))
    one = make(home, shop, "Delete", rw=shop)
    made = objects(home, one)
    home.plane.kubectl("delete", "databaseconnection", shop, "-n", NAMESPACE, "--wait=false")
    home.mysql.execute(f"INSERT INTO {shop}.one VALUES (3, 30)")
    home.wait_rows(f"{shop}.one", f"ods.{shop}_one", "id, v")
    two = make(home, shop, "Delete", "two", rw=shop, ready=False)
    message = home.wait_condition(two, "Ready", "False", "ConnectionDeleting", namespace=NAMESPACE)["message"]
    assert f"'{shop}' (spec.risingWave.connectionRef.name)" in message
    assert audit(home, two, NAMESPACE)["steps"] == [] and f"{shop}_two" not in tables_of(home)
    home.delete(two, one, namespace=NAMESPACE)
    assert in_risingwave(home, *made.values()) == []
    wait_until("the connection is gone", lambda: shop not in home.listed(NAMESPACE, "databaseconnections"), 30)


# --- namespaces ---

def namespace_gone(home, name):
    return home.plane.kubectl("get", "namespace", name, check=False).returncode != 0


@pytest.fixture(scope="module", autouse=True)
def doomed(home):
    """Two namespaces being deleted: one with Retain, one whose resource needs a Secret that is gone.

    Deleting a namespace takes connections and Secrets whenever it likes; here they go first for certain. From the
    start of the module, because the controller manager takes its time.
    """
    database = unique("ns")
    home.mysql.execute(f"CREATE DATABASE {database}", f"USE {database}", "CREATE TABLE one (id INT PRIMARY KEY)",
                       "CREATE TABLE two (id INT PRIMARY KEY)")
    spaces = {"Retain": (f"{database}-ends", "one"), "DeleteStream": (f"{database}-stuck", "two")}
    names = {}
    for policy, (space, table) in spaces.items():
        home.connect(space)
        names[policy] = make(home, database, policy, table, space)
    made = {policy: objects(home, names[policy], space) for policy, (space, _) in spaces.items()}
    for space, _ in spaces.values():
        home.plane.kubectl("delete", "databaseconnections,secrets", "--all", "-n", space, "--wait=false")
        home.plane.kubectl("delete", "namespace", space, "--wait=false")
    return {policy: (space, names[policy], made[policy]) for policy, (space, _) in spaces.items()}


def test_a_namespace_with_retain_ends(home, doomed):
    """Retain needs no server and no connection."""
    space, _, made = doomed["Retain"]
    wait_until("the namespace is gone", lambda: namespace_gone(home, space), 60)
    assert len(in_risingwave(home, made["Source"], made["Table"], made["Sink"])) == 3


def test_a_namespace_that_cannot_end_says_why(home, doomed):
    """The namespace names the finalizer, the resource what it waits for; the annotation ends it."""
    space, name, made = doomed["DeleteStream"]
    wait_blocked(home, name, f"there is no Secret '{space}/rw'", namespace=space)

    def finalizer_named():
        status = home.read(f"/api/v1/namespaces/{space}")["status"]
        return any("tablesync.dev/cleanup" in c.get("message", "") for c in status.get("conditions", []))

    wait_until("the namespace names the finalizer", finalizer_named, 30)
    orphan(home, name, space)
    wait_until("the namespace is gone", lambda: namespace_gone(home, space), 60)
    assert len(in_risingwave(home, made["Table"], made["Sink"])) == 2
