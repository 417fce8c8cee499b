"""The controller is killed (-9) at every write that leaves it: before the server has it, or before the answer comes back.

However that hits, the next process finishes the work: one object of each kind, every row, nothing of nobody's, and an
audit that says what was under way. Each kill has a TableSync of its own; the next process, which is about to be
killed for another one, already mends it. Of every other kind of call that the simulation knows (tests/sim/calls.def) one
is hit before and one after: a death at a read or a login loses nothing that was done.
"""

import itertools
import re
import sqlite3
from contextlib import closing
from functools import partial

import pytest

from cluster.processes import wait_until

from . import leaving
from . import system as sys_
from .crowd import Crowd
from .system import assert_no_secret, condition_of, connection_manifest, grant_starrocks, sync_manifest
from .wirekill import AFTER, BEFORE, Call, Trap, Wire, is_event, kinds, mentions

NAMESPACE = "crash"
COUNT = 44
ALONE = 8  # the first so many have a MySQL database of their own, and so a source
PATIENCE_S = 90


class Yard:
    """A system whose controllers meet every server through relays, and the TableSyncs to be killed with."""

    def __init__(self, system: sys_.System, wire: Wire, controller: sys_.Controller, crowd: Crowd):
        self.system, self.wire, self.controller, self.crowd = system, wire, controller, crowd
        self.names = [f"c{n:03}x" for n in range(COUNT)]
        self.fresh = iter(self.names)
        self.made: list[str] = []
        self.kills: list[tuple[str, Call]] = []  # and the call it died at

    def database(self, name: str) -> str:
        return f"crash_{name}" if self.names.index(name) < ALONE else "crash_all"

    def manifest(self, name: str, **spec) -> dict:
        return sync_manifest(name, self.database(name), name, target_database="crash", namespace=NAMESPACE,
                             drift={"interval": "5s"}, retry={"backoffBase": "100ms", "backoffMax": "1s"},
                             deletionPolicy="Delete", schemaChange={"policy": "AddOnly"}, **spec)

    def get(self, name: str) -> dict | None:
        return self.crowd.get("tablesyncs", NAMESPACE, name)

    def streams(self, name: str) -> bool:
        found = self.get(name)
        return found is not None and (condition_of(found, "Ready").get("reason") == "Streaming" and not condition_of(found, "Reconciling")
                and found["status"]["observedGeneration"] == found["metadata"]["generation"])

    def relations(self) -> dict[str, list[str]]:
        """Names in RisingWave by kind."""
        found: dict[str, list[str]] = {"source": [], "table": [], "sink": []}
        for name, kind in self.system.rw.query("SELECT name, relation_type FROM rw_catalog.rw_relations"):
            if kind in found:
                found[kind].append(name)
        return found

    def audit(self, sql: str, *values) -> list[tuple]:
        with closing(sqlite3.connect(f"file:{self.controller.audit}?mode=ro", uri=True, timeout=10)) as log:
            return log.execute(sql, values).fetchall()

    def kill_once(self, name: str, trap: Trap, done, kind: str = "") -> bool:
        """Runs a controller into the trap; False when everything was done before it sprang. `kind`: of the call, for messages."""
        self.wire.start(self.controller, trap)
        try:
            wait_until(f"{name}: killed {trap.moment} call {trap.nth} {kind}, or done", lambda: trap.sprung.is_set() or done(name), PATIENCE_S)
        finally:
            self.controller.daemon.kill()
        if trap.sprung.is_set():
            self.kills.append((name, trap.call))
        return trap.sprung.is_set()

    def rest(self, name: str, yes: bool) -> None:
        """Nobody looks at it while it rests: the processes to come are for others, and have time for them."""
        self.crowd.call("PATCH", self.crowd.path("tablesyncs", NAMESPACE, name), {"metadata": {"annotations": {
            "tablesync.dev/pause-reconcile": "true" if yes else None}}}, "application/merge-patch+json", accept=(200, 404))

    def kill_at_every_write(self, begin, done, names, thorough: bool) -> list[str]:
        """Kills at the first write for an object, the second of another one, ...; returns the objects.

        Before and after each statement. Thorough: also before and after each change of the resource, and before or after
        each Event, which changes nothing for anybody; else before or after each change of the resource.
        """
        used: list[str] = []

        def run(nth: int, moment: str) -> Call | None:
            name = next(names)
            used.append(name)
            if len(used) > 2:
                self.rest(used[-3], True)
            self.rest(name, False)
            begin(name)
            trap = Trap(nth, moment, lambda call: mentions(call, name) and (thorough or not is_event(call)))
            return trap.call if self.kill_once(name, trap, done) else None

        for nth in itertools.count(1):
            first, second = (BEFORE, AFTER) if nth % 2 else (AFTER, BEFORE)
            call = run(nth, first)
            if call is None:
                return used
            if call.server != "kubernetes" or (thorough and not is_event(call)):
                run(nth, second)

    def rest_all(self) -> None:
        self.controller.daemon.kill()
        self.crowd.each(lambda name: self.rest(name, True), self.made)

    def settle(self, names: list[str], settled) -> None:
        """A process that nobody kills: everything gets to its end."""
        self.crowd.each(lambda name: self.rest(name, False), names)
        self.wire.start(self.controller)
        waiting = set(names)

        def all_settled() -> bool:
            waiting.difference_update({name for name in sorted(waiting)[:8] if settled(name)})
            return not waiting

        try:
            wait_until("everything converges", all_settled, 4 * PATIENCE_S)
        except TimeoutError as late:
            states = {name: (self.get(name) or {}).get("status", {}).get("conditions") for name in sorted(waiting)[:3]}
            raise AssertionError(f"{late}: {sorted(waiting)}: {states}") from late

    def check(self, versions: str = "1") -> None:
        """One source for each database, one table and one sink for each TableSync; every row."""
        there = self.relations()
        sources = {self.database(name) for name in self.made}
        assert len(there["source"]) == len(sources), there["source"]
        for kind in ("table", "sink"):
            owners = sorted(re.search(r"_(c\d{3}x)_", name)[1] for name in there[kind])
            assert owners == sorted(self.made), f"{kind}s: {there[kind]}"
        tables = {name for (name,) in self.system.starrocks.query(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'crash'")}
        assert tables == set(self.made)
        for name in self.made:
            self.system.wait_rows(f"{self.database(name)}.{name}", f"crash.{name}", "*")

    def check_audit(self) -> None:
        """Every run has an end, what a kill hit is Interrupted, and no statement went out without its intent."""
        wait_until("no run is open", lambda: not self.audit("SELECT id FROM task_runs WHERE result IS NULL"), 30)
        assert not self.audit("SELECT id FROM task_steps WHERE result IS NULL")
        assert {r for (r,) in self.audit("SELECT DISTINCT result FROM task_runs")} <= {
            "Succeeded", "Failed", "Interrupted", "Cancelled"}
        for name, call in self.kills:
            if call.server in ("risingwave", "starrocks") and call.write:
                hit = [s for (s,) in self.audit(
                    "SELECT statement_redacted FROM task_steps WHERE result = 'Interrupted' AND run_id IN "
                    "(SELECT id FROM task_runs WHERE name = ? AND result = 'Interrupted')", name)]
                assert any(same_statement(s, call.what) for s in hit), f"{call} is not among the interrupted: {hit}"
        for name in self.names:
            sent = [c.what for c in self.wire.calls_of(name) if c.server in ("risingwave", "starrocks")]
            written = [s for (s,) in self.audit("SELECT statement_redacted FROM task_steps WHERE run_id IN "
                                                "(SELECT id FROM task_runs WHERE name = ?)", name)]
            for what in sent:
                match = next((s for s in written if same_statement(s, what)), None)
                assert match, f"{name}: no intent for {what[:200]}"
                written.remove(match)


def same_statement(written: str, sent: str) -> bool:
    """What the audit shows of a statement is the statement, but for secrets and the run's tag."""
    return _bare(written)[:60] == _bare(sent)[:60]


def _bare(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"/\*.*?\*/", "", text, flags=re.S)).strip()


@pytest.fixture(scope="module")
def yard(oracle56, tmp_path_factory):
    work = tmp_path_factory.mktemp("crash")
    with leaving.own_system(oracle56, work) as system, Wire(system, work) as wire, Crowd(system.plane) as crowd:
        leaving.furnish(system, NAMESPACE, mysql=wire.mysql.port, rw=wire.rw.port, starrocks=wire.starrocks.port)
        grant_starrocks(system.starrocks, "crash")
        controller = sys_.Controller(system.plane, work, "--poll-interval", "100ms", kubeconfig=wire.kubeconfig)
        made = Yard(system, wire, controller, crowd)
        databases = sorted({made.database(name) for name in made.names})
        oracle56.execute(*(f"CREATE DATABASE {database}" for database in databases), *(
            sql for name in made.names for sql in (
                f"CREATE TABLE {made.database(name)}.{name} (id INT PRIMARY KEY, v VARCHAR(10))",
                f"INSERT INTO {made.database(name)}.{name} VALUES (1, 'a'), (2, 'b')")))
        yield made
        controller.daemon.kill()
        assert_no_secret(controller.log_text(), "the controller's log")
        oracle56.execute(*(f"DROP DATABASE {database}" for database in databases))


def test_create(yard):
    """Every object of a new TableSync is made once."""
    def begin(name):
        yard.crowd.create("tablesyncs", NAMESPACE, [yard.manifest(name)])

    yard.made = yard.kill_at_every_write(begin, yard.streams, yard.fresh, thorough=True)
    assert len(yard.kills) >= 20, [call.what[:60] for _, call in yard.kills]
    yard.settle(yard.made, yard.streams)
    yard.check()
    yard.check_audit()
    yard.rest_all()


def connect(yard, name: str) -> None:
    """A connection that comes, is held by a TableSync that rests, and whose first look is an Event."""
    connection = connection_manifest(name, "MySQL", yard.wire.mysql.port, NAMESPACE, secret="shop-mysql")
    idle = yard.manifest(yard.names[0], state="Paused") | {"metadata": {
        "name": name, "namespace": NAMESPACE, "annotations": {"tablesync.dev/pause-reconcile": "true"}}}
    idle["spec"]["source"]["connectionRef"]["name"] = name
    yard.crowd.create("databaseconnections", NAMESPACE, [connection])
    yard.crowd.create("tablesyncs", NAMESPACE, [idle])


def is_held(yard, name: str) -> bool:
    """The connection was looked at, and its user is known."""
    found = yard.crowd.get("databaseconnections", NAMESPACE, name)
    return (condition_of(found, "Ready").get("status") == "True"
            and found["metadata"].get("finalizers") == ["tablesync.dev/in-use"])


def test_every_kind_of_call(yard):
    """Those that no write of a new TableSync is: nothing is lost that was done, and nothing is done twice."""
    there, connections = kinds(), []
    for (kind, is_of), moment in itertools.product(there.items(), (BEFORE, AFTER)):
        if any(is_of(call) and call.killed == moment for _, call in yard.kills):
            continue
        name, counts = yard.made[0], is_of
        if kind in ("KUBE_HOLD_CONN", "KUBE_STATUS_CONN", "KUBE_EVENT"):
            name = f"k{len(connections)}x"
            connections.append(name)
            connect(yard, name)
            counts = partial(lambda name, is_of, call: is_of(call) and mentions(call, name), name, is_of)
        assert yard.kill_once(name, Trap(1, moment, counts), lambda name: False, kind), f"{moment} {kind}"
    covered = {(kind, call.killed) for kind, is_of in there.items() for _, call in yard.kills if is_of(call)}
    assert covered == set(itertools.product(there, (BEFORE, AFTER)))
    assert all(sum(is_of(call) for is_of in there.values()) == 1 for _, call in yard.kills)
    ran = yard.audit("SELECT count(*) FROM task_steps")
    yard.settle(yard.made, yard.streams)
    yard.check()
    assert yard.audit("SELECT count(*) FROM task_steps") == ran
    wait_until("connections are held", lambda: all(is_held(yard, name) for name in connections), PATIENCE_S)
    for name in connections:
        yard.crowd.delete("tablesyncs", NAMESPACE, name)
        yard.crowd.delete("databaseconnections", NAMESPACE, name)
    wait_until("connections are gone", lambda: not any(
        yard.crowd.get("databaseconnections", NAMESPACE, name) for name in connections), PATIENCE_S)
    yard.rest_all()


def test_a_changed_table(yard):
    """ADD COLUMN in MySQL: the column is there once, and what is written to it arrives."""
    def begin(name):
        yard.system.mysql.execute(f"ALTER TABLE {yard.database(name)}.{name} ADD COLUMN extra VARCHAR(10) NULL")

    def done(name):
        columns = yard.system.starrocks.query(f"SELECT column_name FROM information_schema.columns WHERE table_schema = 'crash'"
                                              f" AND table_name = '{name}'")
        return ("extra",) in columns and yard.streams(name)

    before = len(yard.kills)
    used = yard.kill_at_every_write(begin, done, iter(yard.made), thorough=False)
    assert len(yard.kills) - before >= 20
    yard.settle(used, done)
    for name in used:
        yard.system.mysql.execute(f"UPDATE {yard.database(name)}.{name} SET extra = 'new' WHERE id = 1",
                                  f"INSERT INTO {yard.database(name)}.{name} VALUES (3, 'c', 'newer')")
    yard.check()
    yard.check_audit()
    yard.rest_all()


def test_a_token(yard):
    """It is acted on once: one new CDC table, one new sink, whatever died on the way."""
    def begin(name):
        yard.crowd.patch("tablesyncs", NAMESPACE, name, {"spec": {"resyncToken": "once", "resyncMode": "Recreate"}})

    def done(name):
        resync = yard.get(name)["status"].get("resync", {})
        return (resync.get("token"), resync.get("state")) == ("once", "Done") and yard.streams(name)

    before = len(yard.kills)
    used = yard.kill_at_every_write(begin, done, iter(yard.made), thorough=False)
    assert len(yard.kills) - before >= 16
    yard.settle(used, done)
    assert {name: yard.get(name)["status"]["resync"]["tableVersion"] for name in used} == dict.fromkeys(used, 2)
    for name in used:
        made = yard.audit("SELECT count(DISTINCT statement_redacted) FROM task_steps WHERE statement_redacted LIKE 'CREATE TABLE %'"
                          " AND target = 'RisingWave' AND run_id IN (SELECT id FROM task_runs WHERE name = ?)", name)
        assert made == [(2,)], f"{name}: {made}"
    yard.check()
    yard.check_audit()
    yard.rest_all()


def test_deletion(yard):
    """Nothing is left of it, and nothing of others is touched."""
    def begin(name):
        yard.crowd.delete("tablesyncs", NAMESPACE, name)

    before = len(yard.kills)
    used = yard.kill_at_every_write(begin, lambda name: yard.get(name) is None, iter(yard.made), thorough=True)
    assert len(yard.kills) - before >= 8
    yard.settle(used, lambda name: yard.get(name) is None)
    yard.made = [name for name in yard.made if name not in used]
    yard.check()
    for name in yard.made:
        yard.rest(name, False)
        begin(name)
    wait_until("all are gone", lambda: not yard.crowd.list("tablesyncs", NAMESPACE), PATIENCE_S)
    assert yard.relations() == {"source": [], "table": [], "sink": []}
    assert yard.system.starrocks.query("SELECT table_name FROM information_schema.tables WHERE table_schema = 'crash'") == []
    yard.made = []
    yard.check_audit()
