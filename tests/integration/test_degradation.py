"""What the machine takes away: the audit's file and its disk, descriptors, memory. Reconciling goes on, and says so.

A control plane, stand-ins and controllers of this module's own.
"""

import json
import os
import resource
import sqlite3
import subprocess
import time
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from cluster.processes import wait_until

from . import leaving
from . import system as sys_
from .crowd import Crowd
from .system import NAMESPACE, assert_no_secret, audit, condition_of, sync_manifest, unique

POD = {"POD_NAME": "tablesync-0", "POD_NAMESPACE": "tablesync-system", "POD_UID": "0c7b6e0e-1111-4222-8333-444455556666"}
MEBIBYTE = 1 << 20


@pytest.fixture(scope="module")
def own(oracle56, tmp_path_factory):
    work = tmp_path_factory.mktemp("degradation")
    with leaving.own_system(oracle56, work) as system:
        system.connect()
        system.work = work
        yield system


@contextmanager
def controller(system, folder, *arguments, pod=True):
    """A controller whose audit is in `folder`; system.controller while it lasts."""
    log_folder = system.work / unique("c")
    log_folder.mkdir()
    made = sys_.Controller(system.plane, log_folder, "--poll-interval", "100ms", *arguments)
    made.audit = folder / "audit.db"
    command = made.daemon.command
    command[command.index("--audit-db") + 1] = str(made.audit)
    if pod:
        command[:0] = ["env", *(f"{key}={value}" for key, value in POD.items())]
    system.controller = made.start()
    try:
        yield made
    finally:
        made.stop()
        assert_no_secret(made.log_text(), "the controller's log")
    assert made.daemon.exit_code == 0, "it did not end when asked"


@contextmanager
def small_disk(folder, megabytes=1):
    """A file system of its own, which can be filled."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0700", "tablesync-test", str(folder)], check=True,
                   capture_output=True, text=True, timeout=30)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True, capture_output=True, timeout=30)


def stream(system):
    """A new TableSync that streams; its name. Its making is work that the audit is to record."""
    name = unique("deg")
    system.mysql.execute(f"CREATE DATABASE {name}", f"CREATE TABLE {name}.t (id INT PRIMARY KEY, v INT)",
                         f"INSERT INTO {name}.t VALUES (1, 10)")
    system.apply(sync_manifest(name, name, "t", target={"table": name}, deletionPolicy="Delete"))
    system.wait_ready(name)
    system.wait_rows(f"{name}.t", f"ods.{name}", "id, v")
    return name


def degraded(system, value=1):
    wait_until(f"tablesync_audit_degraded {value}", lambda: system.controller.metric("tablesync_audit_degraded") == value, 60)


def pod_events(system, reason):
    """The Events on the controller's Pod about its audit file."""
    items = system.read(f"/apis/events.k8s.io/v1/namespaces/{POD['POD_NAMESPACE']}/events")["items"]
    return [e for e in items if e["reason"] == reason and e["regarding"]["kind"] == "Pod"
            and e["regarding"]["uid"] == POD["POD_UID"] and str(system.controller.audit) in e["note"]]


def wait_told(system, reason, kind, *words):
    wait_until(f"the Event {reason}", lambda: pod_events(system, reason), 30)
    event = pod_events(system, reason)[0]
    assert event["type"] == kind and all(word in event["note"] for word in words), event


def lines(system, change):
    """Lines of the log about such a change of the audit."""
    found = [json.loads(line) for line in system.controller.log_text().splitlines() if line.startswith("{")]
    return [line for line in found if line.get("msg") == "audit" and line.get("change") == change]


def runs(system):
    with closing(sqlite3.connect(f"file:{system.controller.audit}?mode=ro", uri=True, timeout=10)) as log:
        log.row_factory = sqlite3.Row
        return log.execute("SELECT * FROM task_runs ORDER BY id").fetchall()


# --- the audit's file ---

def test_a_full_disk(own, tmp_path):
    """Told once, counted, and over by itself when there is room; what is missing stands in the log."""
    with small_disk(tmp_path / "disk") as disk, controller(own, disk) as made:
        degraded(own, 0)
        ballast = disk / "ballast"
        with open(ballast, "wb", buffering=0) as out, pytest.raises(OSError):
            while True:
                out.write(b"b" * 4096)
        names = [stream(own) for _ in range(2)]
        degraded(own)
        wait_told(own, "AuditDegraded", "Warning", "full", "reconciling goes on")
        assert len(lines(own, "audit degraded")) == 1 and made.metric("tablesync_audit_errors_total") >= 2
        assert made.ready() and "degraded: " in made.get("/readyz?verbose")
        ballast.unlink()
        degraded(own, 0)
        wait_told(own, "AuditRecovered", "Normal", "records were missed between")
        noted = [run["message"] for run in runs(own) if run["kind"] == "Audit"]
        assert len(noted) == 1 and "full" in noted[0] and int(noted[0].split()[0]) >= 2
        table = subprocess.run([os.environ["TABLESYNC_BIN"], "runs", "--audit-db", str(made.audit)], text=True,
                               capture_output=True, check=True, timeout=30).stdout
        assert [line for line in table.splitlines() if " (audit) " in line and "records were missed" in line], table
        names.append(stream(own))
        assert audit(own, names[-1])["steps"]
        assert not [run for run in runs(own) if run["result"] is None]
        own.delete(*names)


def test_a_file_that_may_not_grow(own, tmp_path):
    """RLIMIT_FSIZE, as a quota without a file system of one's own: no signal kills it."""
    with controller(own, tmp_path) as made:
        degraded(own, 0)
        limits = resource.prlimit(made.daemon.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
        name = stream(own)
        degraded(own)
        assert made.daemon.alive()
        resource.prlimit(made.daemon.pid, resource.RLIMIT_FSIZE, limits)
        degraded(own, 0)
        own.delete(name)


def test_a_read_only_disk(own, tmp_path):
    with small_disk(tmp_path / "disk") as disk:
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True, capture_output=True, timeout=30)
        with controller(own, disk):
            degraded(own)
            wait_told(own, "AuditDegraded", "Warning", "Read-only file system")
            name = stream(own)
            subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True, capture_output=True, timeout=30)
            degraded(own, 0)
            own.delete(name)
            assert [run for run in runs(own) if run["name"] == name]


def test_no_folder_and_no_pod(own, tmp_path):
    """Without a Pod to speak of, the TableSync whose record is missing says it."""
    folder = tmp_path / "later"
    with controller(own, folder, pod=False):
        degraded(own)
        name = stream(own)
        told = [e for e in own.events(name) if e["reason"] == "AuditDegraded"]
        assert len(told) == 1 and told[0]["type"] == "Warning" and "No such file or directory" in told[0]["note"], told
        folder.mkdir()
        degraded(own, 0)
        own.delete(name)
        assert [run for run in runs(own) if run["name"] == name]


@pytest.mark.parametrize("damage", ["all of it", "the middle"])
def test_a_damaged_file_is_set_aside(own, tmp_path, damage):
    """With every byte it had; a new one begins and says where the old one is."""
    file = tmp_path / "audit.db"
    if damage == "all of it":
        file.write_bytes(b"not a database " * 1000)
    else:
        with controller(own, tmp_path):
            own.delete(stream(own))
        content = bytearray(file.read_bytes())
        assert len(content) > 40960
        content[8192:32768] = os.urandom(24576)
        file.write_bytes(content)
    before = file.read_bytes()
    with controller(own, tmp_path):
        degraded(own, 0)
        aside = [path for path in tmp_path.glob("audit.db.corrupt-*") if not path.name.endswith(("-wal", "-shm"))]
        assert len(aside) == 1 and aside[0].read_bytes() == before
        wait_told(own, "AuditSetAside", "Warning", str(aside[0]), "Credentials")
        assert len(lines(own, "audit file set aside")) == 1
        assert str(aside[0]) in runs(own)[0]["message"]
        name = stream(own)
        assert audit(own, name)["steps"]
        own.delete(name)


def test_damage_while_it_runs(own, tmp_path):
    """Found by a statement of SQLite's: set aside there and then, without a restart; kept credentials are kept anew."""
    key = leaving.write_keys(tmp_path / "key", leaving.new_key())
    with controller(own, tmp_path, "--encryption-key-file", str(key)) as made:
        name = stream(own)
        leaving.wait_kept(own, NAMESPACE)
        with closing(sqlite3.connect(made.audit)) as other:
            other.execute("UPDATE task_runs SET plan_hash = plan_hash")  # makes it read again what it has read
            other.commit()
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with open(made.audit, "r+b") as file:
            file.seek(4096)
            file.write(os.urandom(made.audit.stat().st_size - 4096))
        own.plane.kubectl("annotate", "tsync", name, "-n", NAMESPACE, "tablesync.dev/retry=look")
        own.plane.kubectl("patch", "tsync", name, "-n", NAMESPACE, "--type=merge", "-p",
                          '{"spec":{"sink":{"commitCheckpointInterval":7}}}')
        wait_until("it is set aside", lambda: list(tmp_path.glob("audit.db.corrupt-*")), 60)
        degraded(own, 0)
        own.wait_ready(name)
        leaving.wait_kept(own, NAMESPACE)
        own.delete(name)


def test_a_rollback_leaves_the_newer_file_alone(own, tmp_path):
    """The older program records nothing and destroys nothing; the newer one finds all as it was."""
    file = tmp_path / "audit.db"
    with controller(own, tmp_path):
        own.delete(stream(own))
    with closing(sqlite3.connect(file)) as log:
        newer = log.execute("PRAGMA user_version").fetchone()[0] + 1
        log.execute(f"PRAGMA user_version = {newer}")
        log.commit()
    before = file.read_bytes()
    with controller(own, tmp_path):
        degraded(own)
        wait_told(own, "AuditDegraded", "Warning", f"has version {newer}", "newer program")
        own.delete(stream(own))
    assert file.read_bytes() == before and not list(tmp_path.glob("*corrupt*"))


def test_locked_by_another_program(own, tmp_path):
    """Somebody looks into it with sqlite3 and forgets to leave: nobody waits for that."""
    with controller(own, tmp_path) as made:
        degraded(own, 0)
        with closing(sqlite3.connect(made.audit, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            started = time.monotonic()
            name = stream(own)
            assert time.monotonic() - started < 30
            degraded(own)
            other.execute("ROLLBACK")
        degraded(own, 0)
        own.delete(name)


def test_the_file_is_removed(own, tmp_path):
    with controller(own, tmp_path) as made:
        degraded(own, 0)
        for path in tmp_path.glob("audit.db*"):
            path.unlink()
        wait_until("there is another one", made.audit.exists, 30)
        wait_told(own, "AuditReplaced", "Warning", "removed or replaced")
        name = stream(own)
        assert audit(own, name)["steps"]
        own.delete(name)


# --- descriptors and memory ---

def test_no_descriptor_is_left(own, tmp_path):
    """It lives, tells what it can, and goes on when there are some again."""
    with controller(own, tmp_path) as made:
        first = stream(own)
        pid = made.daemon.pid
        held = len(os.listdir(f"/proc/{pid}/fd"))
        limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (held, limits[1]))
        name = unique("deg")
        own.mysql.execute(f"CREATE DATABASE {name}", f"CREATE TABLE {name}.t (id INT PRIMARY KEY, v INT)",
                          f"INSERT INTO {name}.t VALUES (1, 10)")
        # A connection that nobody used yet: its sessions must be opened, and cannot.
        own.apply(sys_.connection_manifest("another", "MySQL", own.mysql.port, secret="shop-mysql"),
                  sync_manifest(name, name, "t", mysql="another", target={"table": name}, deletionPolicy="Delete"))
        wait_until("it says so", lambda: any("open files" in condition_of(own.get(*what), "Ready").get("message", "")
                                             for what in ((name,), ("another", "dbconn"))), 60)
        assert made.daemon.alive()
        resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
        own.wait_ready(name)
        own.wait_rows(f"{name}.t", f"ods.{name}", "id, v")
        assert made.daemon.pid == pid and made.ready()
        own.delete(first, name)


def test_no_memory_is_left(own, tmp_path):
    """It ends at once, as is documented, and the next process goes on where it was."""
    count = 8
    with controller(own, tmp_path) as made:
        own.delete(stream(own))
        used = int(Path(f"/proc/{made.daemon.pid}/statm").read_text().split()[0]) * resource.getpagesize()
        resource.prlimit(made.daemon.pid, resource.RLIMIT_AS, (used, resource.RLIM_INFINITY))
        name = unique("deg")
        own.mysql.execute(f"CREATE DATABASE {name}", *(
            sql for n in range(count) for sql in (f"CREATE TABLE {name}.t{n} (id INT PRIMARY KEY, v VARCHAR(100))",
                                                  f"INSERT INTO {name}.t{n} VALUES (1, 'a')")))
        own.apply(*(sync_manifest(f"{name}-{n}", name, f"t{n}", target={"table": f"{name}_{n}"}, deletionPolicy="Delete")
                    for n in range(count)))
        wait_until("it has ended", lambda: not made.daemon.alive(), 60)
        assert made.daemon.exit_code != 0
        made.start()
        for n in range(count):
            own.wait_ready(f"{name}-{n}")
            own.wait_rows(f"{name}.t{n}", f"ods.{name}_{n}", "id, v")
        assert not [run for run in runs(own) if run["result"] is None]
        own.delete(*(f"{name}-{n}" for n in range(count)))


def test_a_resource_as_large_as_can_be(own, tmp_path):
    """Over 1 MiB, as much as schema and etcd let in: it is told what is wrong with it, and nobody waits for that."""
    with controller(own, tmp_path) as made, Crowd(own.plane) as crowd:
        name = unique("deg")
        own.mysql.execute(f"CREATE DATABASE {name}", f"CREATE TABLE {name}.t (id INT PRIMARY KEY, v INT)")
        large = sync_manifest(name, name, "t", target={"table": name}, columns={"overrides": [
            {"name": f"column{n}", "expression": "'" + "\u6f22" * 1022 + "'"} for n in range(256)]})
        large["metadata"]["annotations"] = {"example.com/large": "x" * (256 * 1024 - 1000)}
        assert len(json.dumps(large, ensure_ascii=False).encode()) > MEBIBYTE
        started = time.monotonic()
        crowd.create("tablesyncs", NAMESPACE, [large])
        stream_after = stream(own)
        assert time.monotonic() - started < 30
        wait_until("it is told", lambda: condition_of(own.get(name), "Stalled").get("status") == "True", 30)
        assert "column" in condition_of(own.get(name), "Ready")["message"]
        assert made.ready()
        own.delete(name, stream_after)
