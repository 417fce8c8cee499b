"""A stage for elections: controllers that compete for one Lease, seen from outside.

Each controller reaches the API server through a proxy of its own, and all databases through relays that know which
process sent what. So what each of them wrote, and when, is known.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cluster.controlplane import start_control_plane
from cluster.mysql import Server
from cluster.processes import wait_until

from . import system as sys_
from .faultproxy import FaultProxy
from .faults import Fault
from .leaving import furnish
from .system import SERVICE_ACCOUNT, Controller, System, assert_no_secret, condition_of, status_text, sync_manifest, unique
from .witness import Witness

LEASE_S, RENEW_S, RETRY_S = 7, 5, 0.5
ELECT = ("--leader-elect", "--leader-election-namespace", "tablesync-system", "--leader-election-lease-duration",
         f"{LEASE_S}s", "--leader-election-renew-deadline", f"{RENEW_S}s", "--leader-election-retry-period",
         f"{int(RETRY_S * 1000)}ms")
LEASE = "/apis/coordination.k8s.io/v1/namespaces/tablesync-system/leases/tablesync-controller"
STATUS = 'leader_election_master_status{name="tablesync-controller"}'
LOST = 3  # the exit code
SLACK_S = 3  # what a busy machine adds
CHANGES = re.compile(rb"(?<!SHOW )\b(CREATE|DROP|ALTER|INSERT|DELETE)\s", re.I)
WRITES = ("create", "update", "patch", "delete")


@contextmanager
def electorate(mysql: Server, work: Path) -> Iterator[System]:
    """A control plane and stand-ins of one's own."""
    with start_control_plane(work / "plane", users=[SERVICE_ACCOUNT]) as plane:
        sys_.install(plane)
        rw, starrocks = sys_.RisingWave(work).start(), sys_.StarRocks(work).start()
        sys_.prepare_risingwave(rw)
        sys_.prepare_starrocks(starrocks)
        made = System(plane, mysql, rw, starrocks)
        made.databases = []  # of the stages, each with a namespace of that name
        yield made
        rw.stop()
        starrocks.stop()
    mysql.execute(*(f"DROP DATABASE {name}" for name in made.databases))


@dataclass
class Candidate:
    controller: Controller
    proxy: FaultProxy

    @property
    def pid(self) -> int:
        return self.controller.daemon.pid

    def leads(self) -> bool:
        return self.controller.metric(STATUS) == 1

    def writes(self, since: float = 0) -> list[tuple[float, str]]:
        """Its writes to the API, the Lease's left out."""
        return [(r.at, f"{r.verb} {r.resource}") for r in self.proxy.requests(since)
                if r.verb in WRITES and r.resource != "leases"]


class Stage:
    """A namespace, two candidates that watch it, and relays in front of RisingWave and StarRocks."""

    def __init__(self, system: System, work: Path):
        self.system, self.work, self.namespace = system, work, unique("lead")
        self.started: list[Candidate] = []
        self.rw, self.starrocks = (Witness(port, self.pids) for port in (system.rw.port, system.starrocks.port))
        furnish(system, self.namespace, rw=self.rw.port, starrocks=self.starrocks.port)
        system.mysql.execute(f"CREATE DATABASE {self.namespace}")
        system.databases.append(self.namespace)
        system.plane.kubectl("delete", "lease", "tablesync-controller", "-n", "tablesync-system", "--ignore-not-found")

    def pids(self) -> list[int]:
        return [each.pid for each in self.started if each.pid]

    def start(self, name: str, *more: str, fault: Fault | None = None, env: dict[str, str] | None = None) -> Candidate:
        """`fault`: what happens to its watches of TableSyncs."""
        folder = self.work / name
        (folder / "proxy").mkdir(parents=True)
        proxy = FaultProxy(self.system.plane, folder / "proxy").start()
        if fault:
            proxy.on(fault, times=None, verb="watch", resource="tablesyncs")
        controller = Controller(self.system.plane, folder, *ELECT, "--instance", name, *more,
                                kubeconfig=proxy.kubeconfig(SERVICE_ACCOUNT), namespace=self.namespace, env=env)
        made = Candidate(controller, proxy)
        self.started.append(made)
        controller.start()
        return made

    def pair(self, *more: str, second_fault: Fault | None = None) -> tuple[Candidate, Candidate]:
        """The first leads, the second waits with full caches."""
        first = self.start("first", *more)
        wait_until("the first leads", first.leads, LEASE_S + SLACK_S)
        return first, self.start("second", *more, fault=second_fault)

    def apply(self, *names: str) -> None:
        for name in names:
            self.system.mysql.execute(f"CREATE TABLE {self.namespace}.{name} (id INT PRIMARY KEY, v INT)",
                                      f"INSERT INTO {self.namespace}.{name} VALUES (1, 10), (2, 20)")
        self.system.apply(*(sync_manifest(name, self.namespace, name, namespace=self.namespace,
                                          target={"table": f"{self.namespace}_{name}"}, deletionPolicy="Delete",
                                          retry={"backoffBase": "200ms", "backoffMax": "1s"}) for name in names))

    def ready(self, *names: str) -> None:
        def true() -> bool:
            found = self.system.listed(self.namespace)
            return all(condition_of(found[name], "Ready").get("status") == "True" for name in names)

        try:
            wait_until(f"{names} are ready", true, 60)
        except TimeoutError as late:
            found = self.system.listed(self.namespace)
            raise AssertionError("\n".join([str(late), *(f"{name}:\n{status_text(found[name].get('status'))}" for name in names)]) + "\n"
                                 + "\n".join(each.controller.log_text()[-3000:] for each in self.started)) from late

    def begun(self, candidate: Candidate) -> None:
        """Until it is in the midst of its work."""
        wait_until("statements are sent", lambda: self.statements(candidate), 30)

    def lease(self) -> dict:
        return self.system.read(LEASE)["spec"]

    def patch_lease(self, **spec) -> None:
        self.system.plane.kubectl("patch", "lease", "tablesync-controller", "-n", "tablesync-system", "--type=merge", "-p",
                                  json.dumps({"spec": spec}))

    def statements(self, candidate: Candidate, since: float = 0) -> list[tuple[float, str]]:
        """What the candidate sent to RisingWave and StarRocks that changes something."""
        return [(at, data.decode(errors="replace")) for witness in (self.rw, self.starrocks)
                for at, data in witness.said(candidate.pid, since) if CHANGES.search(data)]

    def changed(self, candidate: Candidate, since: float = 0) -> list[tuple[float, str]]:
        return sorted(candidate.writes(since) + self.statements(candidate, since))

    def check_one_after_the_other(self, first: Candidate, second: Candidate) -> None:
        """All that the first wrote, wherever, it wrote before anything that the second wrote."""
        before, after = self.changed(first), self.changed(second)
        assert before and after, "one of them wrote nothing: nothing is proven"
        assert before[-1][0] < after[0][0], f"two writers: {before[-1]} and {after[0]}"

    def check_objects(self, *names: str) -> None:
        """One CDC table, one sink and one target table each, and one source for all."""
        relations = [(name, kind) for name, kind in self.system.rw.query(
            "SELECT name, relation_type FROM rw_catalog.rw_relations") if self.namespace in name]
        kinds = {kind: [n for n, k in relations if k == kind] for kind in ("source", "table", "sink")}
        assert len(kinds["source"]) == 1, kinds
        for name in names:
            for kind in ("table", "sink"):
                assert len([n for n in kinds[kind] if f"_{name}_" in n]) == 1, (name, kinds)
        rows = {n for (n,) in self.system.starrocks.query(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'ods'") if self.namespace in n}
        assert rows == {f"{self.namespace}_{name}" for name in names}

    def close(self) -> None:
        self.rw.let_go()
        self.starrocks.let_go()
        for each in self.started:
            if each.controller.daemon.alive():
                each.controller.daemon.resume()
            each.proxy.clear()
            each.controller.stop()
            each.proxy.stop()
            assert_no_secret(each.controller.log_text(), "a controller's log")
        self.rw.close()
        self.starrocks.close()
