"""Binary logs that MySQL deleted before RisingWave had read them (verified.md 1): RisingWave says nothing, the controller does.

Servers of this module's own: one that counts transactions (GTID) and one that only has files. Two tables share the source of
the first.
"""

import pytest

from cluster.mysql import start_mariadb, start_oracle56

from . import system as sys_
from .system import Group, condition_of

# A reader that is well saves its position every minute; the controller waits for two of these and a half.
TOLD_S = 150 + 60


@pytest.fixture(scope="module")
def place(running, tmp_path_factory):
    work = tmp_path_factory.mktemp("purged")
    rw = sys_.RisingWave(work, extra=("--data", str(work / "state"))).start()
    sys_.prepare_risingwave(rw)
    with start_oracle56(work / "oracle") as oracle, start_mariadb(work / "mariadb") as mariadb:
        groups = []
        for name, server in (("purgedgtid", oracle), ("purgedfile", mariadb)):
            sys_.prepare_mysql(server)
            groups.append(Group(sys_.System(running.plane, server, rw, running.starrocks), name))
            groups[-1].system.controller = running.controller
            groups[-1].sql(*(statement for table in ("one", "two") for statement in (
                f"CREATE TABLE {table} (id INT PRIMARY KEY, v VARCHAR(10))",
                f"INSERT INTO {table} VALUES (1, 'a'), (2, 'b'), (3, 'c')")))
        yield rw, *groups
        for group in groups:
            group.finish()
    rw.stop()


def purge(group: Group) -> str:
    """Changes nobody reads, and then their log is gone. Returns the oldest file that is left."""
    for table in ("one", "two"):
        group.sql(f"INSERT INTO {table} VALUES (4, 'lost')", f"UPDATE {table} SET v = 'lost' WHERE id = 1",
                  f"DELETE FROM {table} WHERE id = 2")
    group.mysql.execute("FLUSH LOGS", "FLUSH LOGS")
    last = group.mysql.execute("SHOW MASTER STATUS")[0][0]
    group.mysql.execute(f"PURGE BINARY LOGS TO '{last}'")
    return last


def wait_told(group: Group, name: str, words: str) -> None:
    group.wait_stalled(name, "BinlogPurged", "SourceReady", (words, "up to ", "spec.resyncToken", group.database), TOLD_S)


def heal(group: Group, name: str) -> None:
    group.patch(name, resyncToken="after-the-loss", resyncMode="Truncate")
    group.wait(name, "it was loaded anew", lambda found: found["status"].get("resync", {}).get("state") == "Done")
    group.wait_ready(name)
    group.wait_rows(name)


def test_a_purged_log_is_told_and_healed(place):
    """Whoever reads the source says that changes are missing, until its own rows were loaded anew."""
    rw, gtid, file = place
    gtid.apply({"one": {}, "two": {}})
    file.apply({"one": {}})
    gtid.wait_ready("one", "two")
    file.wait_ready("one")
    rw.stop()
    purge(gtid)
    oldest = purge(file)
    rw.start()
    wait_told(gtid, "one", "MySQL has purged transactions")
    wait_told(gtid, "two", "MySQL has purged transactions")
    wait_told(file, "one", f"MySQL's oldest one is {oldest}")
    heal(gtid, "one")
    assert condition_of(gtid.get("two"), "SourceReady")["reason"] == "BinlogPurged", "its rows still have a gap"
    heal(gtid, "two")
    heal(file, "one")
    assert sum(" RESET" in statement for name in ("one", "two") for statement in gtid.statements(name)) == 1
    file.sql("INSERT INTO two VALUES (5, 'skipped')")  # the first change after a restart, on MariaDB (verified.md 7)
    for group in (gtid, file):
        group.sql("INSERT INTO one VALUES (5, 'new')", "DELETE FROM one WHERE id = 4")
        group.wait_rows("one")
