"""Passwords change and servers move while rows are inserted, updated and deleted, as administrators do it: on the server
first, in the Secret or the connection somewhat later.

Every test has accounts of its own on both servers, so that none takes another one's password away.
"""

import json
import random
import re
import threading
import time
from contextlib import contextmanager

import pytest

from cluster.processes import wait_until

from .system import Group, audit, condition_of, control, secret_manifest

pytestmark = pytest.mark.together
OLD, NEW, NEVER = "old'p\\w\"%s", "new ï\"p'w\\", "never'used"


def quoted(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


class Rotating(Group):
    """A group whose connections log in with accounts that nobody else uses."""

    def __init__(self, system, namespace, *tables, **spec):
        super().__init__(system, namespace)
        self.account = self.database.replace("_", "")[:16]
        self.mysql.execute(f"CREATE USER '{self.account}'@'%' IDENTIFIED BY {quoted(OLD)}",
                           f"GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO '{self.account}'@'%'")
        for sql in (f"CREATE USER '{self.account}'@'%' IDENTIFIED BY {quoted(OLD)}",
                    f"GRANT CREATE TABLE ON DATABASE `{self.database}` TO USER '{self.account}'@'%'",
                    "GRANT SELECT, INSERT, UPDATE, DELETE, ALTER, DROP ON ALL TABLES IN DATABASE "
                    f"`{self.database}` TO USER '{self.account}'@'%'"):
            system.starrocks.query(sql)
        for secret in ("shop-mysql", "warehouse"):
            self.secret(secret, OLD)
        for table in tables:
            self.sql(f"CREATE TABLE {table} (id INT PRIMARY KEY, v VARCHAR(20), n INT)",
                     f"INSERT INTO {table} VALUES " + ", ".join(f"({i}, 'first', 0)" for i in range(1, 61)))
        self.apply({table: {"sink": {"commitCheckpointInterval": 2}, **spec} for table in tables})
        self.wait_ready(*tables)
        for table in tables:
            self.wait_rows(table)
        self.tables = tables

    def secret(self, name, password):
        self.system.apply(secret_manifest(name, self.account, password, self.namespace))

    def mysql_password(self, password):
        self.mysql.execute(f"SET PASSWORD FOR '{self.account}'@'%' = PASSWORD({quoted(password)})")

    def starrocks_password(self, password):
        self.system.starrocks.query(f"ALTER USER '{self.account}'@'%' IDENTIFIED BY {quoted(password)}")

    def move(self, connection, host):
        self.system.plane.kubectl("patch", "dbconn", connection, "-n", self.namespace, "--type=merge", "-p",
                                  json.dumps({"spec": {"host": host}}))

    @contextmanager
    def load(self):
        """Inserts, updates and deletes rows 1001 and up of every table for as long as the block lasts."""
        ended, failures = threading.Event(), []

        def write():
            dice = random.Random(self.namespace)
            try:
                with self.mysql.connect(database=self.database) as session, session.cursor() as cursor:
                    while not ended.wait(0.02):
                        table, row = dice.choice(self.tables), dice.randint(1001, 1100)
                        if dice.random() < 0.3:
                            cursor.execute(f"DELETE FROM {table} WHERE id = {row}")
                        else:
                            cursor.execute(f"INSERT INTO {table} VALUES ({row}, 'new', 1) ON DUPLICATE KEY UPDATE n = n + 1")
                        session.commit()
            except Exception as error:  # told where the block ends
                failures.append(error)

        thread = threading.Thread(target=write)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
        assert not failures, failures

    def run_in_all(self, part):
        """Statements with this part that succeeded, of all tables."""
        return [s for table in self.tables for s in self.statements(table) if part in s]

    def sinks(self):
        return {table: self.streams(table)[1] for table in self.tables}

    def cdc_tables(self):
        return {table: self.streams(table)[0] for table in self.tables}

    def check_hidden(self):
        """No password and no key of a row stands in the audit."""
        for table in self.tables:
            told = json.dumps(audit(self.system, table, self.namespace), ensure_ascii=False)
            for password in (OLD, NEW, NEVER):
                assert json.dumps(password, ensure_ascii=False)[1:-1] not in told and password not in told


@contextmanager
def rotating(system, namespace, *tables, **spec):
    group = Rotating(system, namespace, *tables, **spec)
    try:
        yield group
        group.check_hidden()
    finally:
        group.finish()
        system.starrocks.query(f"DROP USER '{group.account}'@'%'")
        group.mysql.execute(f"DROP USER '{group.account}'@'%'")


@contextmanager
def slow_restart(system):
    """A source's reader that starts anew takes half a minute, as a real one takes two: time enough to see it, for each table."""
    port = system.rw.ports["control-port"]
    control(port, "/restart-barriers", {"barriers": 600})
    try:
        yield
    finally:
        control(port, "/restart-barriers", {"barriers": 120})


def is_ready(resource):
    return condition_of(resource, "Ready").get("status") == "True"


def test_the_mysql_password_rotates_under_load(running):
    """One ALTER SOURCE for all tables, no new snapshot, no row lost, and nobody is called failed meanwhile."""
    with rotating(running, "rotate-mysql", "ma", "mb", "mc") as group:
        before = group.cdc_tables(), group.sinks()
        with group.load(), slow_restart(running):
            group.mysql_password(NEW)
            group.sql("INSERT INTO ma VALUES (2001, 'old', 1)")
            group.wait("ma", "rows flow on the open connection", lambda _: (2001,) in group.rows("ma", "id"))
            group.secret("shop-mysql", NEW)
            for table in group.tables:
                late = group.wait(table, "it catches up", lambda found: condition_of(found, "SourceReady").get("reason") == "CatchingUp")
                assert is_ready(late) and late["status"]["phase"] == "Streaming"
                assert "none is lost" in condition_of(late, "SourceReady")["message"]
            for table in group.tables:
                group.wait_condition(table, "SourceReady", "True", "Shared")
        for table in group.tables:
            group.wait_rows(table)
        group.wait_ready(*group.tables)
        assert (group.cdc_tables(), group.sinks()) == before
        altered = group.run_in_all("ALTER SOURCE")
        assert len(altered) == 1 and "password='***'" in altered[0], altered
        group.sql("CREATE TABLE md (id INT PRIMARY KEY, v VARCHAR(20))", "INSERT INTO md VALUES (1, 'later')")
        group.apply({"md": {}})
        group.wait_ready("md")
        group.wait_rows("md", [(1, "later")])


def test_the_starrocks_password_rotates_while_the_old_one_is_dead(running):
    """The next sink takes over, and what only the old one knew to be deleted is deleted."""
    with rotating(running, "rotate-starrocks", "sa", "sb") as group:
        before = group.cdc_tables()
        with group.load():
            group.starrocks_password(NEW)
            for table in group.tables:
                group.sql(f"DELETE FROM {table} WHERE id BETWEEN 11 AND 20", f"UPDATE {table} SET v = 'meanwhile' WHERE id = 1",
                          f"INSERT INTO {table} VALUES (500, 'meanwhile', 0), (501, 'gone', 0)",
                          f"DELETE FROM {table} WHERE id = 501")
            group.secret("warehouse", NEW)
            for table in group.tables:
                group.wait(table, "another sink", lambda _, table=table: group.streams(table)[1] == ["2"])
                group.wait_ready(table)
        for table in group.tables:
            group.wait_rows(table)
            assert group.wait_settled(table) == ("1", "2")
            deleted = [s for s in group.statements(table) if s.startswith("DELETE FROM")]
            whole = rf"DELETE FROM `{group.database}`\.`{table}` WHERE `id` IN \(\d+ rows?\)"
            assert deleted and all(re.fullmatch(whole, s) for s in deleted), deleted
            told = [e["note"] for e in group.events(table, "DeleteGhosts")]
            assert len(told) == 1 and "deleted in MySQL while the sink could not deliver" in told[0], told
        assert group.cdc_tables() == before


@pytest.mark.parametrize("secret", ["shop-mysql", "warehouse"])
def test_a_wrong_password_tears_nothing_down(running, secret):
    """The connection says so itself, rows flow on, and the old password heals it without a statement."""
    namespace = f"rotate-wrong-{secret[-4:]}"
    with rotating(running, namespace, "wa") as group:
        before, sent = group.streams("wa"), group.counted("wa", done=False)
        group.secret(secret, NEVER)
        running.wait_condition(secret, "CredentialsValid", "False", "AuthFailed", 60, namespace, "dbconn")
        running.wait_condition(secret, "Ready", "False", None, 60, namespace, "dbconn")
        group.wait_condition("wa", "ConnectionsReady", "False", "AuthFailed")
        group.sql("INSERT INTO wa VALUES (3001, 'flows', 1)", "DELETE FROM wa WHERE id = 5")
        group.wait_rows("wa")
        group.secret(secret, OLD)
        group.wait_ready("wa")
        running.wait_condition(secret, "Ready", "True", None, 60, namespace, "dbconn")
        assert group.streams("wa") == before and group.counted("wa", done=False) == sent


def test_servers_move(running):
    """The source is told the new address; the sink, which cannot be, is replaced."""
    with rotating(running, "rotate-move", "ha") as group:
        with group.load(), slow_restart(running):
            group.move("shop-mysql", "localhost")
            group.wait_condition("ha", "SourceReady", "True", "CatchingUp")
            group.wait_condition("ha", "SourceReady", "True", "Shared")
            assert group.streams("ha") == (["1"], ["1"])
            group.move("warehouse", "localhost")
            group.wait("ha", "another sink", lambda _: group.streams("ha")[1] == ["2"])
            group.wait_ready("ha")
        group.wait_rows("ha")
        assert group.wait_settled("ha") == ("1", "2")
        altered = group.run_in_all("ALTER SOURCE")
        assert len(altered) == 1 and "hostname='localhost'" in altered[0], altered


def test_a_changed_secret_is_acted_upon_within_seconds(running):
    """By its watch: the resource itself is looked at every ten minutes."""
    with rotating(running, "rotate-watch", "ea", drift={"interval": "10m"}) as group:
        group.mysql_password(NEW)
        began = time.monotonic()
        group.secret("shop-mysql", NEW)
        wait_until("the source is altered", lambda: group.run_in_all("ALTER SOURCE"), 15)
        assert time.monotonic() - began < 15
        assert group.status("ea")["lastRun"]["trigger"] == "Secret"
