"""What is wrong with a file is said before it does anything: by kubectl, and by `tablesync plan`."""

import json
import os
import subprocess

import pytest

from cluster.processes import free_port

from . import system as sys_
from .system import (MYSQL_PASSWORD, NAMESPACE, RISINGWAVE_PASSWORD, STARROCKS_PASSWORD, assert_no_secret, connection_manifest,
                     secret_manifest, sync_manifest)

DATABASE = "bad_plan"
USAGE, FAILED = 2, 1


@pytest.fixture(scope="module")
def ready(system):
    """The servers, without a controller: nothing here needs one."""
    system.mysql.execute(f"CREATE DATABASE {DATABASE}", f"USE {DATABASE}", "CREATE TABLE t (id INT PRIMARY KEY)",
                         "CREATE TABLE nokey (a INT)", "CREATE TABLE sets (id INT PRIMARY KEY, s SET('x'))")
    return system


def documents(system):
    """A good set of documents: Secrets, connections and a TableSync by name."""
    made = [secret_manifest("shop-mysql", "cdc", MYSQL_PASSWORD), secret_manifest("rw", "tablesync", RISINGWAVE_PASSWORD),
            secret_manifest("warehouse", "tablesync", STARROCKS_PASSWORD),
            connection_manifest("shop-mysql", "MySQL", system.mysql.port),
            connection_manifest("rw", "RisingWave", system.rw.port),
            connection_manifest("warehouse", "StarRocks", system.starrocks.port,
                                starRocks={"httpPort": system.starrocks.ports["http-port"]}),
            sync_manifest("planned", DATABASE, "t", target={"table": "planned"})]
    return {(o["kind"], o["metadata"]["name"]): o for o in made}


def plan(text, tmp_path, *arguments):
    """`tablesync plan -f -` without any cluster."""
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    done = subprocess.run([os.environ["TABLESYNC_BIN"], "plan", "-f", "-", *arguments], input=text, text=True, env=env,
                          capture_output=True, timeout=60, check=False)
    assert_no_secret(done.stdout + done.stderr, "the plan")
    return done


def without(docs, *key):
    del docs[key]


def secret_key(docs):
    del docs["Secret", "rw"]["data"]["password"]


def spec(kind, name, **changes):
    def change(docs):
        for path, value in changes.items():
            at = docs[kind, name]["spec"]
            *parents, last = path.split("__")
            for parent in parents:
                at = at[parent]
            at[last] = value
    return change


CASES = {
    "connection": (lambda d: without(d, "DatabaseConnection", "rw"), FAILED, ("'rw'", "spec.risingWave.connectionRef.name")),
    "type": (spec("TableSync", "planned", risingWave__connectionRef={"name": "warehouse"}), FAILED,
             ("'warehouse'", "RisingWave", "StarRocks connection")),
    "secret": (lambda d: without(d, "Secret", "warehouse"), FAILED, ("'data/warehouse'", "create it with the keys")),
    "key": (secret_key, FAILED, ("'data/rw'", "no key 'password'")),
    "password": (lambda d: d["Secret", "shop-mysql"].update(secret_manifest("shop-mysql", "cdc", "wrong")), FAILED,
                 ("'shop-mysql'", "Access denied", "1045", "Secret")),
    "port": (spec("DatabaseConnection", "rw", port=free_port()), FAILED, ("'rw'", "refused", "spec.port")),
    "host": (spec("DatabaseConnection", "warehouse", host="no-such-host.invalid"), FAILED,
             ("'warehouse'", "no-such-host.invalid", "spec.host")),
    "tls": (spec("DatabaseConnection", "shop-mysql", tls={"mode": "Require"}), FAILED, ("'shop-mysql'", "spec.tls.mode")),
    "database": (spec("TableSync", "planned", source__database="nowhere"), FAILED, ("'nowhere'", "spec.source.database")),
    "table": (spec("TableSync", "planned", source__table="nothing"), FAILED, ("'nothing'", "spec.source.table")),
    "no-key": (spec("TableSync", "planned", source__table="nokey"), FAILED, (f"{DATABASE}.nokey", "primary key")),
    "set": (spec("TableSync", "planned", source__table="sets"), FAILED, ("'s'", "set('x')")),
    "target-database": (spec("TableSync", "planned", target__database="absent"), FAILED, ("absent", "CREATE DATABASE")),
    "spec": (spec("TableSync", "planned", source__table="x" * 65, deletionPolicy="Sometimes", target__database="1st"), USAGE,
             ("spec.source.table", "spec.deletionPolicy", "spec.target.database")),
    "resource": (lambda d: without(d, "TableSync", "planned"), USAGE, ("kind TableSync",)),
}


@pytest.mark.parametrize("case", CASES)
def test_plan_says_what_is_wrong(ready, tmp_path, case):
    """On stderr, with the resource's name, and an exit code that tells a wrong file from a wrong world; no SQL."""
    spoil, code, words = CASES[case]
    docs = documents(ready)
    spoil(docs)
    done = plan("\n---\n".join(json.dumps(d) for d in docs.values()), tmp_path)
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    for word in words:
        assert word in done.stderr, f"{word!r} is not in: {done.stderr}"
    if case != "resource":
        assert "TableSync" in done.stderr


def test_plan_of_a_good_file_touches_nothing(ready, tmp_path):
    """The same documents unspoilt print every statement, with secrets blacked out, and run none."""
    done = plan("\n---\n".join(json.dumps(d) for d in documents(ready).values()), tmp_path)
    assert done.returncode == 0, done.stderr
    assert "CREATE SOURCE" in done.stdout and "CREATE SINK" in done.stdout and "'***'" in done.stdout
    assert not [n for (n,) in ready.rw.query("SELECT name FROM rw_catalog.rw_relations") if DATABASE in n]
    assert ready.starrocks.query("SELECT count(*) FROM information_schema.tables WHERE table_name = 'planned'") == [(0,)]


@pytest.mark.parametrize("text,words", [
    ("spec: [\n", ("line 2",)),
    ("{}\n---\nkind: TableSync\n\tspec: 1", ("line 4",)),
    ("", ("TableSync",)),
])
def test_plan_of_a_broken_file_says_where(system, tmp_path, text, words):
    done = plan(text, tmp_path)
    assert (done.returncode, done.stdout) == (USAGE, ""), done.stderr
    for word in words:
        assert word in done.stderr


def test_plan_of_a_missing_file(tmp_path):
    done = subprocess.run([os.environ["TABLESYNC_BIN"], "plan", "-f", str(tmp_path / "gone.yaml")], text=True,
                          capture_output=True, timeout=30, check=False)
    assert done.returncode != 0 and "gone.yaml" in done.stderr and "No such file" in done.stderr


TOO_LONG = {
    "source-table": ({"source": {"table": "x" * 65}}, ("spec.source.table", "64")),
    "source-database": ({"source": {"database": "x" * 65}}, ("spec.source.database", "64")),
    "target-database": ({"target": {"database": "x" * 257}}, ("spec.target.database", "256")),
    "target-table": ({"target": {"table": "x" * 1025}}, ("spec.target.table", "1024")),
    "bad-database": ({"target": {"database": "größe"}}, ("spec.target.database", "StarRocks database name")),
    "back-quote": ({"target": {"table": "a`b"}}, ("spec.target.table", "back-quotes")),
    "misspelt": ({"deletionPolice": "Delete"}, ("spec.deletionPolice",)),
}


@pytest.mark.parametrize("name", TOO_LONG)
def test_kubectl_refuses_it_and_names_the_field(ready, name):
    """Strict validation and the CRD's rules: exit code 1, the field, the limit; nothing is stored."""
    changes, words = TOO_LONG[name]
    done = ready.apply(sync_manifest(f"refused-{name}", DATABASE, "t", **changes), check=False)
    assert done.returncode == 1
    for word in words:
        assert word in done.stderr, f"{word!r} is not in: {done.stderr}"
    assert f"refused-{name}" not in ready.listed(NAMESPACE)


def test_the_longest_names_work(ready, tmp_path):
    """64 characters in MySQL become 63 bytes in RisingWave, and no two of them one."""
    names = ["n" * 63 + end for end in "ab"]
    ready.mysql.execute(f"USE {DATABASE}", *(f"CREATE TABLE {n} (id INT PRIMARY KEY)" for n in names))
    docs = documents(ready)
    made = []
    for name in names:
        docs["TableSync", "planned"] = sync_manifest("planned", DATABASE, name)
        docs["TableSync", "planned"]["metadata"]["name"] = f"long-{name[-1]}"
        done = plan("\n---\n".join(json.dumps(d) for d in docs.values()), tmp_path, "-o", "json")
        assert done.returncode == 0, done.stderr
        made.append({s["object"] for s in json.loads(done.stdout)["steps"] if s["action"] in ("CreateTable", "CreateSink")})
    assert all(len(o.split(".", 1)[1].encode()) <= 63 for objects in made for o in objects)
    assert len(made[0]) == len(made[1]) == 2 and not made[0] & made[1]
