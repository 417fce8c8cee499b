"""A resource at which the controller crashes is left alone after the second time, and all others go on.

The crash is a real one: SIGSEGV for the very thread that is at work on the resource, which a locked table holds up.
"""

import ctypes
import signal
from contextlib import contextmanager
from pathlib import Path

import pytest

from cluster.processes import wait_until

from . import leaving
from . import system as sys_
from .system import NAMESPACE, assert_no_secret, condition_of, sync_manifest, unique

LIBC = ctypes.CDLL(None, use_errno=True)


@pytest.fixture(scope="module")
def own(oracle56, tmp_path_factory):
    work = tmp_path_factory.mktemp("quarantine")
    with leaving.own_system(oracle56, work) as system:
        system.connect()
        system.controller = sys_.Controller(system.plane, work, "--poll-interval", "100ms")
        system.controller.start()
        yield system
        system.controller.stop()
        assert_no_secret(system.controller.log_text(), "the controller's log")


def table(system):
    """A new table in a database of its own; its name. Values that could be lost are counted before anything is created."""
    name = unique("quar")
    system.mysql.execute(f"CREATE DATABASE {name}", f"CREATE TABLE {name}.t (id INT PRIMARY KEY, v INT, at TIME)",
                         f"INSERT INTO {name}.t VALUES (1, 10, '10:00:00')")
    return name


def apply(system, name):
    system.apply(sync_manifest(name, name, "t", target={"table": name}, deletionPolicy="Delete"))


@contextmanager
def locked(system, name):
    """Whoever reads the table's rows waits."""
    with system.mysql.connect() as session, session.cursor() as cursor:
        cursor.execute(f"LOCK TABLES {name}.t WRITE")
        yield


def thread_at(system, name):
    """The controller's thread that bears the resource's name, as far as Linux keeps it: 0 while there is none."""
    for task in Path(f"/proc/{system.controller.daemon.pid}/task").iterdir():
        try:
            if task.joinpath("comm").read_text().strip() == name[:15]:
                return int(task.name)
        except (FileNotFoundError, ProcessLookupError):  # it ended meanwhile
            continue
    return 0


def crash(system, name):
    """The thread that is at work on the resource dies of a bad access, and the controller with it."""
    wait_until(f"{name} is worked on", lambda: thread_at(system, name), 60)
    assert LIBC.tgkill(system.controller.daemon.pid, thread_at(system, name), signal.SIGSEGV) == 0, ctypes.get_errno()
    wait_until("the controller is dead", lambda: not system.controller.daemon.alive(), 30)


def test_what_crashes_twice_is_left_alone(own):
    before, poison = table(own), table(own)
    apply(own, before)
    own.wait_ready(before)
    with locked(own, poison):
        apply(own, poison)
        crash(own, poison)
        own.controller.start()
        crash(own, poison)
        own.controller.start()
        ready = own.wait_condition(poison, "Ready", "False", "QuarantinedAfterCrash")
        assert "crashed 2 times" in ready["message"] and "tablesync.dev/retry=now" in ready["message"]
        assert condition_of(own.get(poison), "Stalled")["status"] == "True"
        later = table(own)
        apply(own, later)
        own.wait_ready(later)
        assert condition_of(own.get(before), "Ready")["status"] == "True"
        # A connection knows that it is used, also by whom nobody dares to look at.
        wait_until("all three are users", lambda: own.get("shop-mysql", "dbconn")["status"]["inUseBy"] == 3, 30)
        assert own.controller.daemon.alive()
    own.plane.kubectl("annotate", "tablesync", poison, "-n", NAMESPACE, "tablesync.dev/retry=now")
    own.wait_ready(poison)
    own.wait_rows(f"{poison}.t", f"ods.{poison}", "id, v")
    own.delete(before, poison, later)


def test_kills_from_outside_accuse_nobody(own):
    name = table(own)
    with locked(own, name):
        apply(own, name)
        for _ in range(3):
            wait_until(f"{name} is worked on", lambda: thread_at(own, name), 60)
            own.controller.daemon.kill()
            own.controller.start()
    own.wait_ready(name)
    own.delete(name)
