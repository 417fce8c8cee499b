"""Re-sync: a new token loads every row once more, once, in the way that the mode says, also through crashes."""

import pytest

from .system import Group, condition_of

MODES = ("InPlace", "Truncate", "Recreate")
# What each of the two modes that clear the target runs, at the most: the CDC table, its mark, the old sink dropped, the
# target cleared (Recreate takes two), the new sink, the old CDC table dropped.
STATEMENTS = 6


def damage(group, name):
    """What only loading again puts right: a wrong value, a missing row, a row of nobody and, with Recreate, a column."""
    table = f"{group.database}.{name}"
    run = group.system.starrocks.query
    run(f"INSERT INTO {table} (id, v) VALUES (1, 'wrong'), (100, 'ghost')")
    run(f"DELETE FROM {table} WHERE id = 2")
    run(f"ALTER TABLE {table} ADD COLUMN byhand INT NULL")


@pytest.fixture(scope="module")
def group(running):
    made = Group(running, "resync")
    names = [*(mode.lower() for mode in MODES), *(f"once{mode.lower()}" for mode in MODES), "early", "killtruncate", "killrecreate", "held", "adopted"]
    running.starrocks.query("CREATE TABLE resync.adopted (id INT NOT NULL, v VARCHAR(40) NULL) PRIMARY KEY (id)"
                            " DISTRIBUTED BY HASH (id) PROPERTIES ('replication_num' = '1')")
    for name in names:
        made.sql(f"CREATE TABLE {name} (id INT PRIMARY KEY, v VARCHAR(10))",
                 f"INSERT INTO {name} VALUES (1, 'a'), (2, 'b'), (3, 'c')")
    specs = {name: {} for name in names}
    specs["early"] = {"resyncToken": "from-the-start", "resyncMode": "Recreate"}
    specs["adopted"] = {"target": {"existing": "Adopt"}}
    made.apply(specs)
    made.wait_ready(*names)
    yield made
    made.finish()


def resynced(group, name, token, timeout_s=60):
    """Waits until this token was acted on to the end."""
    def done(resource):
        resync = resource["status"].get("resync", {})
        return (resync.get("token"), resync.get("state")) == (token, "Done")

    status = group.wait(name, f"re-sync {token} is done", done, timeout_s)["status"]
    assert status["resyncTokenHandled"] == token
    return status


@pytest.mark.together
@pytest.mark.parametrize("mode", MODES)
def test_each_mode_loads_in_its_way(group, mode):
    """What is wrong is right again; ghost rows stay where readers are to see no gap, and only there."""
    name = mode.lower()
    damage(group, name)
    group.patch(name, resyncToken="2026-01-01", resyncMode=mode)
    status = resynced(group, name, "2026-01-01")
    assert status["resync"]["mode"] == mode and status["resync"]["tableVersion"] == 2
    rows = [(1, "a"), (2, "b"), (3, "c")]
    group.wait_rows(name, [*rows, (100, "ghost")] if mode == "InPlace" else rows, "id, v")
    assert ("byhand" in group.target_columns(name)) == (mode != "Recreate")
    assert group.wait_settled(name)[0] == "2"
    assert len(group.events(name, "ResyncStarted")) == len(group.events(name, "ResyncCompleted")) == 1
    group.sql(f"UPDATE {name} SET v = 'aa' WHERE id = 1", f"DELETE FROM {name} WHERE id = 3")
    group.wait_rows(name, [(1, "aa"), (2, "b"), *([(100, "ghost")] if mode == "InPlace" else [])], "id, v")


@pytest.mark.together
@pytest.mark.parametrize("mode", MODES)
def test_one_token_is_one_action(group, mode):
    """Looking again, another mode, another spec, a retry: nothing is loaded again. Another token is another action."""
    name = f"once{mode.lower()}"
    group.patch(name, resyncToken="2026-01-01", resyncMode=mode)
    resynced(group, name, "2026-01-01")
    streams, statements = group.wait_settled(name), group.counted(name)
    group.patch(name, resyncMode="Recreate" if mode == "InPlace" else "InPlace")
    group.annotate(name, retry="now")
    group.wait_ready(name)
    group.looks(10)
    assert (group.wait_settled(name), group.counted(name)) == (streams, statements)
    group.patch(name, resyncToken="2026-01-02", resyncMode="InPlace")
    assert resynced(group, name, "2026-01-02")["resync"]["tableVersion"] == 3
    assert group.wait_settled(name)[0] == "3"
    group.patch(name, resyncToken="")
    group.wait_ready(name)
    group.looks(10)
    assert group.wait_settled(name)[0] == "3"


@pytest.mark.together
def test_a_token_of_the_first_run_counts_as_seen(group):
    """Every row was just loaded."""
    status = resynced(group, "early", "from-the-start")
    assert group.wait_settled("early") == ("1", "1")
    assert not group.events("early", "ResyncStarted") and status["resync"].get("tableVersion", 0) == 0


@pytest.mark.together
def test_a_resync_under_way_keeps_its_mode(group):
    """What it was when the token was taken; changing one's mind needs another token."""
    name = "held"
    group.sql(*(f"INSERT INTO {name} SELECT id + {2**n} * 3, v FROM {name}" for n in range(9)))
    group.wait_rows(name)
    group.system.starrocks.query(f"INSERT INTO resync.{name} VALUES (1000000, 'ghost')")
    group.patch(name, snapshot={"rateLimit": 300}, resyncToken="slowly", resyncMode="InPlace")
    group.wait(name, "it has begun", lambda r: r["status"].get("resync", {}).get("state") == "InProgress")
    group.patch(name, resyncMode="Truncate")
    assert condition_of(group.get(name), "Ready")["reason"] == "Updating"
    assert group.rows(name, "count(*)")[0][0] == 3 * 2**9 + 1, "readers see a gap"
    assert resynced(group, name, "slowly")["resync"]["mode"] == "InPlace"
    group.wait_settled(name)
    assert group.rows(name)[-1] == (1000000, "ghost")


@pytest.mark.together
def test_a_table_taken_over_is_not_recreated_unasked(group):
    """The token asks for it, and the table is not ours to drop: it takes an approval of its own."""
    name = "adopted"
    group.system.starrocks.query(f"INSERT INTO resync.{name} VALUES (100, 'theirs')")
    group.patch(name, resyncToken="anew", resyncMode="Recreate")
    group.wait_stalled(name, "DestructiveChange", "PlanApproved", ("drop the target table",))
    assert group.rows(name)[-1] == (100, "theirs")
    group.annotate(name, approve_plan=group.status(name)["plan"]["hash"])
    resynced(group, name, "anew")
    group.wait_rows(name)
    assert group.wait_settled(name)[0] == "2"


def test_a_resync_survives_the_death_of_the_controller(group):
    """Killed at each statement of a clearing re-sync in turn, begun or just done: it goes on and ends once."""
    controller = group.system.controller
    names = ("killtruncate", "killrecreate")
    for number in range(1, STATEMENTS + 1):
        counts = {"killtruncate": group.counted("killtruncate", done=False) + number,
                  "killrecreate": group.counted("killrecreate") + number}
        for name, mode in zip(names, ("Truncate", "Recreate")):
            group.system.starrocks.query(f"INSERT INTO resync.{name} VALUES (100, 'ghost')")
            group.patch(name, resyncToken=f"token-{number}", resyncMode=mode)
        for name in names:
            group.kill_at(name, counts[name], name == "killrecreate")
            controller.start()
        for name in names:
            assert resynced(group, name, f"token-{number}")["resync"]["tableVersion"] == number + 1
            group.wait_rows(name, [(1, "a"), (2, "b"), (3, "c")])
            assert group.wait_settled(name)[0] == str(number + 1)
