"""A sink is replaced while rows change: no gap, no ghost row, no older value over a newer one, whatever happens on the way.

A writer updates, deletes and inserts all the time. In the end the target holds exactly what MySQL holds.
"""

import random
import threading

import pymysql
import pytest

from cluster.mysql import start_oracle56

from . import system as sys_
from .leaving import own_system
from .system import Group, condition_of

ROWS = 3000
# Statements of one replacement: two ALTERs, mark, new sink, pause, old sink dropped, resume; for a re-sync the table
# that takes over, its mark, sink, pause, drop, resume, and the old table.
STATEMENTS = 7


class Writer(threading.Thread):
    """Changes random rows of a table until it is stopped."""

    def __init__(self, group: Group, table: str, seed: int):
        super().__init__(daemon=True)
        self.group, self.table, self.random = group, table, random.Random(seed)
        self.ended, self.changes, self.failure = threading.Event(), 0, None

    def run(self) -> None:
        try:
            with self.group.mysql.connect(self.group.database) as session, session.cursor() as cursor:
                while not self.ended.wait(0.004):
                    self.change(cursor)
                    self.changes += 1
        except pymysql.err.MySQLError as error:
            self.failure = error

    def change(self, cursor) -> None:
        number, kind = self.random.randrange(ROWS), self.random.random()
        if kind < 0.3:
            cursor.execute(f"DELETE FROM {self.table} WHERE id = {number}")
        elif kind < 0.6:
            cursor.execute(f"INSERT IGNORE INTO {self.table} (id, v, n) VALUES ({number}, 'again', {self.changes})")
        else:
            cursor.execute(f"UPDATE {self.table} SET v = 'changed', n = {self.changes} WHERE id = {number}")

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exc_info) -> None:
        self.ended.set()
        self.join(30)
        assert not self.is_alive() and self.failure is None and self.changes > 100, (self.failure, self.changes)


@pytest.fixture(scope="module")
def group(tmp_path_factory):
    """Of a system of its own: every source that others left behind would read all that the writers write."""
    work = tmp_path_factory.mktemp("swaps")
    with start_oracle56(work / "mysql") as mysql:
        sys_.prepare_mysql(mysql)
        with own_system(mysql, work) as system:
            system.controller = sys_.Controller(system.plane, work).start()
            yield Group(system, "swaps")
            log = system.controller.log_text()
            system.controller.stop()
    sys_.assert_no_secret(log, "the controller's log")


def fill(group: Group, *tables: str) -> None:
    for table in tables:
        group.sql(f"CREATE TABLE {table} (id INT PRIMARY KEY, v VARCHAR(20), n INT)")
        with group.mysql.connect(group.database) as session, session.cursor() as cursor:
            cursor.executemany(f"INSERT INTO {table} VALUES (%s, 'first', 0)", [(n,) for n in range(ROWS)])


def check(group: Group, name: str) -> None:
    """One CDC table, one sink, and row by row what MySQL holds."""
    group.wait_settled(name)
    columns = ", ".join(row[0] for row in group.sql(f"SHOW COLUMNS FROM {name}"))
    group.wait_rows(name, columns=columns)


class Watched(threading.Thread):
    """What was to be seen of a resource meanwhile."""

    def __init__(self, group: Group, name: str):
        super().__init__(daemon=True)
        self.group, self.name, self.ended = group, name, threading.Event()
        self.ready, self.working, self.sinks = set(), set(), set()

    def run(self) -> None:
        while not self.ended.wait(0.02):
            resource = self.group.get(self.name)
            self.ready.add((condition_of(resource, "Ready")["status"], condition_of(resource, "Ready")["reason"]))
            self.working.add(condition_of(resource, "Reconciling").get("reason"))
            self.sinks.add(len(self.group.streams(self.name)[1]))

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exc_info) -> None:
        self.ended.set()
        self.join(30)


@pytest.mark.parametrize("name, change", [("grows", "alter"), ("reloads", "resync"), ("twice", "both")])
def test_nothing_is_lost_while_a_sink_is_replaced(group, name, change):
    """The old sink delivers late, so that whoever drops it too early leaves ghosts behind. Status says that it goes on."""
    fill(group, name)
    group.apply({name: {"sink": {"commitCheckpointInterval": 40}}})
    group.wait_ready(name)
    with Writer(group, name, 11), Watched(group, name) as watched:
        group.wait(name, "rows are being changed", lambda _: group.rows(name, "max(n)")[0][0] > 10)
        before = group.streams(name)
        if change != "resync":
            group.sql(f"ALTER TABLE {name} ADD COLUMN note VARCHAR(10) NULL")
        if change != "alter":
            group.patch(name, resyncToken="again")
        group.wait(name, "the change is being carried through",
                   lambda r: condition_of(r, "Ready").get("reason") == "Updating")
        group.wait(name, "another sink took over", lambda _: group.streams(name) != before
                   and len(group.streams(name)[1]) == 1)
        group.wait_settled(name)
        if change != "resync":
            group.sql(f"UPDATE {name} SET note = 'new' WHERE id % 3 = 0")
    check(group, name)
    assert ("False", "Updating") in watched.ready and ("True", "Streaming") in watched.ready, watched.ready
    assert {reason for _, reason in watched.ready} <= {"Updating", "Streaming", "Snapshotting"}, watched.ready
    assert "Progressing" in watched.working, watched.working
    assert watched.sinks == {1, 2}, watched.sinks


def test_the_controller_may_die_at_any_statement(group):
    """Killed at each statement of a replacement in turn, begun or just done: it goes on where it was."""
    fill(group, "added", "loaded")
    group.apply({"added": {}, "loaded": {}})
    group.wait_ready("added", "loaded")
    controller = group.system.controller
    with Writer(group, "added", 12), Writer(group, "loaded", 13):
        for number in range(1, STATEMENTS + 1):
            begun, done = group.counted("added", done=False), group.counted("loaded")
            group.sql(f"ALTER TABLE added ADD COLUMN c{number} INT NULL")
            group.patch("loaded", resyncToken=f"again-{number}")
            for name, count, finished in (("added", begun + number, False), ("loaded", done + number, True)):
                group.kill_at(name, count, finished)
                controller.start()
            group.wait("added", "the column is there", lambda _: f"c{number}" in group.target_columns("added"))  # noqa: B023
            group.wait("loaded", "the re-sync is done",
                       lambda r: r["status"]["resync"]["state"] == "Done"
                       and r["status"]["resync"]["token"] == f"again-{number}")  # noqa: B023
            for name in ("added", "loaded"):
                group.wait_settled(name)
    check(group, "added")
    check(group, "loaded")
    # A statement whose outcome nobody saw is not run twice: each version was made once.
    made = [s.split('"')[3] for s in group.statements("added") if s.startswith("CREATE SINK")]
    assert len(made) == len(set(made)), made
