"""What tests of deletions share: a system of their own, namespaces in it, and what is left of one."""

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from cluster.controlplane import start_control_plane
from cluster.mysql import Server
from cluster.processes import wait_until

from . import system as sys_
from .system import (MYSQL_PASSWORD, RISINGWAVE_PASSWORD, STARROCKS_PASSWORD, System, connection_manifest, secret_manifest,
                     sync_manifest)

ORPHAN = "tablesync.dev/orphan=true"
QUICK = {"backoffBase": "200ms", "backoffMax": "2s"}
LOGINS = {"shop-mysql": ("cdc", MYSQL_PASSWORD), "rw": ("tablesync", RISINGWAVE_PASSWORD),
          "warehouse": ("tablesync", STARROCKS_PASSWORD)}
TYPES = {"shop-mysql": "MySQL", "rw": "RisingWave", "warehouse": "StarRocks"}


@contextmanager
def own_system(mysql: Server, work: Path) -> Iterator[System]:
    """A control plane that deletes namespaces, and stand-ins; nobody else's controller watches it."""
    with start_control_plane(work / "plane", users=[sys_.SERVICE_ACCOUNT], controller_manager=True) as plane:
        sys_.install(plane)
        rw, starrocks = sys_.RisingWave(work).start(), sys_.StarRocks(work).start()
        sys_.prepare_risingwave(rw)
        sys_.prepare_starrocks(starrocks)
        try:
            yield System(plane, mysql, rw, starrocks)
        finally:
            rw.stop()
            starrocks.stop()


def write_keys(path: Path, *keys: str) -> Path:
    """A file as the controller wants it: a key a line."""
    path.write_text("".join(f"{key}\n" for key in keys), encoding="utf-8")
    path.chmod(0o600)
    return path


def new_key() -> str:
    return secrets.token_hex(32)


def secrets_of(namespace: str) -> list[dict]:
    return [secret_manifest(name, user, password, namespace) for name, (user, password) in LOGINS.items()]


def furnish(system: System, namespace: str, **ports: int) -> None:
    """Namespace, Secrets and connections. `ports`: mysql, rw or starrocks, where a server is met elsewhere."""
    port = {"shop-mysql": ports.get("mysql", system.mysql.port), "rw": ports.get("rw", system.rw.port),
            "warehouse": ports.get("starrocks", system.starrocks.port)}
    spec = {"warehouse": {"starRocks": {"httpPort": system.starrocks.ports["http-port"]}}}
    system.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}, *secrets_of(namespace))
    system.apply(*(connection_manifest(name, TYPES[name], port[name], namespace, **spec.get(name, {})) for name in LOGINS))


def begin(system: System, namespace: str, database: str, policy: str) -> None:
    """A TableSync called `one` of a MySQL table of the namespace's own into a StarRocks table of that name."""
    table = namespace.replace("-", "_")
    system.mysql.execute(f"CREATE TABLE {database}.{table} (id INT PRIMARY KEY, v INT)",
                         f"INSERT INTO {database}.{table} VALUES (1, 10)")
    system.apply(sync_manifest("one", database, table, namespace=namespace, deletionPolicy=policy, retry=QUICK))


def wait_kept(system: System, namespace: str, timeout_s: float = 60) -> None:
    """Until all three connections of the namespace are stored."""
    wait_until(f"the credentials of {namespace} are kept",
               lambda: {name for _, name, _ in kept(system, namespace)} == set(LOGINS), timeout_s)


def kept(system: System, namespace: str) -> list[tuple]:
    """(namespace, connection, key id) of what is stored."""
    with closing(sqlite3.connect(f"file:{system.controller.audit}?mode=ro", uri=True, timeout=10)) as log:
        return log.execute("SELECT ns, name, key_id FROM kept_credentials WHERE ns = ? ORDER BY name",
                           (namespace,)).fetchall()


def made(system: System, namespace: str) -> dict[str, str]:
    """kind -> bare name of what status says belongs to `one`."""
    return {o["kind"]: o["name"].split(".", 1)[1] for o in system.get("one", namespace=namespace)["status"]["objects"]}


def left(system: System, objects: dict[str, str]) -> set[str]:
    """Kinds of those objects that exist."""
    there = {name for (name,) in system.rw.query("SELECT name FROM rw_catalog.rw_relations")}
    tables = {name for (name,) in system.starrocks.query(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'ods'")}
    return {kind for kind, name in objects.items() if name in (tables if kind == "TargetTable" else there)}


def blocked_message(system: System, namespace: str) -> str:
    """What `one` says that blocks its deletion; empty: nothing, or it is gone."""
    found = system.listed(namespace).get("one", {}).get("status", {})
    if found.get("phase") != "Deleting":
        return ""
    return next((c["message"] for c in found["conditions"]
                 if (c["type"], c["reason"]) == ("Ready", "DeletionBlocked")), "")


def wait_blocked(system: System, namespace: str, *words: str, timeout_s: float = 60) -> str:
    """Waits for a message with all the words; returns it."""
    seen = {"message": ""}

    def said() -> bool:
        seen["message"] = blocked_message(system, namespace)
        return bool(seen["message"]) and all(word in seen["message"] for word in (*words, ORPHAN))

    try:
        wait_until(f"{namespace} says what blocks", said, timeout_s)
    except Exception as late:
        raise AssertionError(f"{late}: {words} are not all in: {seen['message']!r}\n"
                             f"{system.listed(namespace)}") from late
    return seen["message"]


def namespace_gone(system: System, namespace: str) -> bool:
    return system.plane.kubectl("get", "namespace", namespace, check=False).returncode != 0


def wait_gone(system: System, namespace: str, timeout_s: float = 120) -> None:
    try:
        system.wait_gone("one", timeout_s, namespace)
    except Exception as late:
        raise AssertionError(f"{late}\n{system.listed(namespace)}") from late


def on_disk(audit_file: Path) -> str:
    """Every byte of the database's files, as text."""
    return "".join(path.read_bytes().decode("latin-1") for path in sorted(audit_file.parent.glob(audit_file.name + "*")))
