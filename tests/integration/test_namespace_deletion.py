"""A namespace deleted by the real kube-controller-manager, in any order, with servers down: it ends, or says why not.

With an encryption key the controller goes on with the credentials that worked last; without one it waits for a person.
"""

from dataclasses import dataclass

import pytest

from cluster.mysql import start_oracle56
from cluster.processes import free_port, wait_until

from . import system as sys_
from .gate import Gate
from .leaving import (ORPHAN, begin, blocked_message, furnish, kept, left, made, namespace_gone, new_key, own_system,
                      wait_blocked, wait_gone, wait_kept, write_keys)
from .system import assert_no_secret, audit

STAYS = {"Retain": {"Source", "Table", "Sink", "TargetTable"}, "DeleteStream": {"TargetTable"}, "Delete": set()}
# The connection that stands in the way, by the server that is down.
NEEDED = {("rw", "DeleteStream"): "rw", ("rw", "Delete"): "rw", ("starrocks", "Delete"): "warehouse"}


@dataclass(frozen=True)
class Case:
    """What goes first, which server is down then, and the policy."""

    first: str
    down: str
    policy: str

    def __str__(self) -> str:
        return f"{self.first}-{self.down}-{self.policy.lower()}"

    @property
    def blocked_by(self) -> str | None:
        return NEEDED.get((self.down, self.policy))


CASES = [*(Case(first, "none", policy) for first in ("secrets", "connections", "syncs") for policy in STAYS),
         *(Case(first, "rw", "Delete") for first in ("secrets", "connections", "syncs")),
         *(Case(first, "starrocks", "Delete") for first in ("secrets", "connections", "syncs")),
         Case("secrets", "rw", "DeleteStream"), Case("secrets", "starrocks", "DeleteStream"),
         Case("secrets", "mysql", "Delete"), Case("connections", "all", "Retain")]


class Doomed:
    """The namespaces of all cases under one controller, deleted; and one beside them that stays."""

    def __init__(self, system, prefix, database):
        self.system, self.prefix, self.database = system, prefix, database
        self.gates: dict[Case, list[Gate]] = {}
        self.made: dict[Case, dict[str, str]] = {}

    def space(self, case) -> str:
        return f"{self.prefix}-{case}"

    def furnish(self, case) -> None:
        target = {"mysql": self.system.mysql.port, "rw": self.system.rw.port, "starrocks": self.system.starrocks.port}
        gates = {name: Gate(free_port(), port) for name, port in target.items() if case.down in (name, "all")}
        self.gates[case] = list(gates.values())
        furnish(self.system, self.space(case), **{name: gate.port for name, gate in gates.items()})
        begin(self.system, self.space(case), self.database, case.policy)

    def delete(self, case) -> None:
        kubectl, space = self.system.plane.kubectl, self.space(case)
        for gate in self.gates[case]:
            gate.shut()
        kind = {"secrets": "secrets", "connections": "databaseconnections", "syncs": "tablesyncs"}[case.first]
        kubectl("delete", kind, "--all", "-n", space, "--wait=false")
        kubectl("delete", "namespace", space, "--wait=false")

    def wait_ready(self, space) -> None:
        self.system.wait_ready("one", 120, space)

    def stop(self) -> None:
        for gate in (g for gates in self.gates.values() for g in gates):
            gate.shut()


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """With a MySQL of its own, that has room for the readers and sessions of twenty namespaces."""
    work = tmp_path_factory.mktemp("leaving")
    with start_oracle56(work / "mysql", max_connections=1000) as mysql:
        sys_.prepare_mysql(mysql)
        with own_system(mysql, work) as system:
            yield system


@pytest.fixture(scope="module", params=["with-key", "without-key"])
def doomed(request, own, tmp_path_factory):
    keyed = request.param == "with-key"
    work = tmp_path_factory.mktemp(request.param)
    more = ["--encryption-key-file", str(write_keys(work / "key", new_key()))] if keyed else []
    own.controller = sys_.Controller(own.plane, work, "--workers", "12", *more).start()
    database = "leave_key" if keyed else "leave_bare"
    own.mysql.execute(f"CREATE DATABASE {database}")
    world = Doomed(own, "k" if keyed else "b", database)
    world.keyed = keyed
    world.bystander = f"{world.prefix}-bystander"
    furnish(own, world.bystander)
    begin(own, world.bystander, database, "Delete")
    for case in CASES:
        world.furnish(case)
    for case in CASES:
        world.wait_ready(world.space(case))
        world.made[case] = made(own, world.space(case))
        if keyed:
            wait_kept(own, world.space(case))
    world.wait_ready(world.bystander)
    for case in CASES:
        world.delete(case)
    yield world
    world.stop()
    own.controller.stop()
    assert_no_secret(own.controller.log_text(), "the controller's log")


def reopen(doomed, case) -> None:
    for gate in doomed.gates[case]:
        gate.open()


def end(doomed, case) -> None:
    """Waits for the end; without a key a person has to help where the Secret went before its user."""
    system, space = doomed.system, doomed.space(case)
    if doomed.keyed or case.policy == "Retain":
        wait_gone(system, space)
        return
    wait_until(f"{space} ends or says why not", lambda: "one" not in system.listed(space)
               or "there is no Secret" in blocked_message(system, space), 120)
    if "one" in system.listed(space):
        message = wait_blocked(system, space, "there is no Secret", "--encryption-key-file")
        assert_no_secret(message, "the message")
        system.plane.kubectl("annotate", "tablesync", "one", "-n", space, ORPHAN, check=False)
        wait_gone(system, space)
        return
    assert left(system, doomed.made[case]) == STAYS[case.policy]


@pytest.mark.parametrize("case", [case for case in CASES if case.blocked_by], ids=str)
def test_what_stands_in_the_way_is_named(doomed, case):
    """With the annotation that lets go; and nothing is dropped, not even half. Back again, it goes on by itself."""
    system, space = doomed.system, doomed.space(case)
    # Without a key it may be the Secret that is missing first.
    words = [f"connection '{case.blocked_by}'"] if doomed.keyed else []
    message = wait_blocked(system, space, f"policy {case.policy}", *words)
    assert_no_secret(message, "the message")
    if doomed.keyed and case.first == "secrets":
        assert "with its last-known-good credentials" in message
    assert left(system, doomed.made[case]) == STAYS["Retain"]
    reopen(doomed, case)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_namespace_ends(doomed, case):
    """Objects go as the policy says, and no others; nothing that was kept stays behind."""
    system, space = doomed.system, doomed.space(case)
    if case.blocked_by:
        reopen(doomed, case)
    end(doomed, case)
    if doomed.keyed:
        assert left(system, doomed.made[case]) == STAYS[case.policy]
    wait_until(f"namespace {space} is gone", lambda: namespace_gone(system, space), 120)
    assert kept(system, space) == []


def test_the_use_of_kept_credentials_is_told(doomed):
    """By audit log and by Event reason; nobody's password is in either."""
    if not doomed.keyed:
        assert all("last-known-good" not in line["message"] for case in CASES
                   for line in audit(doomed.system, "one", doomed.space(case))["logs"])
        return
    logs = audit(doomed.system, "one", doomed.space(Case("secrets", "none", "Delete")))["logs"]
    for connection in ("rw", "warehouse"):
        assert any(f"last-known-good credentials of connection '{connection}'" in line["message"]
                   and "there is no Secret" in line["message"] for line in logs), logs


def test_nobody_else_lost_anything(doomed):
    """The TableSync beside them streams on: its objects, its rows, its credentials."""
    system, space = doomed.system, doomed.bystander
    table = space.replace("-", "_")
    system.mysql.execute(f"INSERT INTO {doomed.database}.{table} VALUES (2, 20)")
    system.wait_rows(f"{doomed.database}.{table}", f"ods.{table}", "id, v")
    assert left(system, made(system, space)) == STAYS["Retain"]
    assert len(kept(system, space)) == (3 if doomed.keyed else 0)
    system.plane.kubectl("delete", "namespace", space, "--wait=false")
