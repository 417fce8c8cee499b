"""What exists is compared with what was applied: put right where nothing can be lost, told where it cannot, never in circles."""

import json
import socket
import socketserver
import threading

import pytest

from cluster.processes import free_port, wait_until

from .system import Group, condition_of, connection_manifest

# resource -> (spec.drift.policy, what is done to it). All at once: catalogs are read every ten seconds at most while all is
# calm.
DAMAGES = {
    "sink": ("Correct", "sink"), "stream": ("Correct", "stream"), "rate": ("Correct", "rate"), "pace": ("Correct", "pace"),
    "mark": ("Correct", "mark"), "holed": ("Correct", "column"), "gone": ("Correct", "table"), "claimed": ("Correct", "comment"),
    "seensink": ("Observe", "sink"), "seenrate": ("Observe", "rate"), "leftsink": ("Ignore", "sink"), "leftgone": ("Ignore", "table"),
    "war": ("Correct", None),
}


def rw(group, sql):
    return group.system.rw.query(sql)


def names(group, name):
    """The CDC table and the sink in RisingWave."""
    objects = {o["kind"]: o["name"].split(".")[1] for o in group.status(name)["objects"]}
    return f'tablesync."{objects["Table"]}"', f'tablesync."{objects["Sink"]}"'


def damage(group, name, kind):
    table, sink = names(group, name)
    target = f"{group.database}.{name}"
    if kind in ("sink", "stream"):
        rw(group, f"DROP SINK {sink}")
        group.sql(f"DELETE FROM {name} WHERE id = 50", f"UPDATE {name} SET v = 'meanwhile' WHERE id = 1")
    if kind == "stream":
        rw(group, f"DROP TABLE {table}")
    elif kind == "rate":
        rw(group, f"ALTER SINK {sink} SET sink_rate_limit TO 0")
    elif kind == "pace":
        rw(group, f"ALTER SINK {sink} CONNECTOR WITH (commit_checkpoint_interval = '37')")
    elif kind == "mark":
        rw(group, f"COMMENT ON TABLE {table} IS 'a comment of mine'")
    elif kind == "column":
        group.system.starrocks.query(f"ALTER TABLE {target} DROP COLUMN v")
    elif kind == "table":
        group.system.starrocks.query(f"DROP TABLE {target} FORCE")
    elif kind == "comment":
        group.system.starrocks.query(f"ALTER TABLE {target} COMMENT = 'mine now'")


@pytest.fixture(scope="module")
def group(running):
    """Everything streams; then somebody meddles with everything in one moment."""
    made = Group(running, "drift")
    for name in DAMAGES:
        made.sql(f"CREATE TABLE {name} (id INT PRIMARY KEY, v VARCHAR(10))",
                 f"INSERT INTO {name} VALUES (1, 'a'), (2, 'b'), (50, 'ghost')")
    made.apply({name: {"drift": {"policy": policy, "interval": "1s"}} for name, (policy, _) in DAMAGES.items()})
    made.wait_ready(*DAMAGES)
    made.sinks = {name: made.streams(name)[1] for name in DAMAGES}
    for name in DAMAGES:
        made.wait_rows(name)
    for name, (_, kind) in DAMAGES.items():
        damage(made, name, kind)
    yield made
    made.finish()


# --- put right ---

@pytest.mark.together
@pytest.mark.parametrize("name", ["sink", "stream"])
def test_what_was_dropped_comes_back(group, name):
    """With every row; and what no backfill can know, rows deleted meanwhile, is told together with the way out."""
    group.wait_rows(name, [(1, "meanwhile"), (2, "b"), (50, "ghost")])
    group.wait_settled(name)
    assert [e["type"] for e in group.events(name, "DriftDetected")] == ["Warning"]
    notes = [e["note"] for e in group.events(name, "PlanNote")]
    assert len(notes) == 1 and "rows deleted in MySQL meanwhile" in notes[0] and "Truncate" in notes[0], notes
    group.wait_condition(name, "InSync", "True", "NoDrift")
    group.patch(name, resyncToken="no-ghosts", resyncMode="Truncate")
    group.wait_rows(name, [(1, "meanwhile"), (2, "b")])
    group.wait_settled(name)


@pytest.mark.together
def test_a_rate_limit_set_by_hand_is_taken_back(group):
    name = "rate"
    group.sql(f"INSERT INTO {name} VALUES (3, 'c')")
    group.wait_rows(name)
    group.wait_ready(name)
    assert group.streams(name)[1] == group.sinks[name]
    assert rw(group, "SELECT count(*) FROM rw_catalog.rw_rate_limit WHERE rate_limit = 0 AND table_id = (SELECT id FROM"
                     f" rw_catalog.rw_sinks WHERE name = '{names(group, name)[1].split(chr(34))[1]}')") == [(0,)]


@pytest.mark.together
def test_a_commit_interval_set_by_hand_is_taken_back(group):
    name = "pace"
    sink = names(group, name)[1].split('"')[1]

    def found(_):
        properties = rw(group, f"SELECT connector_props FROM rw_catalog.rw_sinks WHERE name = '{sink}'")[0][0]
        return (properties if isinstance(properties, dict) else json.loads(properties))["commit_checkpoint_interval"]["value"] == "10"

    group.wait(name, "the interval is 10 again", found)
    assert group.streams(name)[1] == group.sinks[name]


@pytest.mark.together
def test_our_mark_is_written_again(group):
    name = "mark"
    table = names(group, name)[0].split('"')[1]

    def found(_):
        return any(str(text).startswith("tablesync:v1 uid=") for (text,) in rw(
            group, "SELECT description FROM rw_catalog.rw_description d JOIN rw_catalog.rw_relations r ON r.id = d.objoid"
                   f" WHERE r.name = '{table}'"))

    group.wait(name, "the mark is back", found)
    group.wait_settled(name)
    group.sql(f"INSERT INTO {name} VALUES (3, 'c')", f"DELETE FROM {name} WHERE id = 1")
    group.wait_rows(name)


# --- told only ---

@pytest.mark.together
@pytest.mark.parametrize("name, words", [("seensink", "create the sink"), ("seenrate", "resume the sink")])
def test_observe_tells_and_does_nothing(group, name, words):
    """InSync says what would be done; it is done once the policy allows it."""
    message = group.wait_condition(name, "InSync", "False", "StreamObjectMissing")["message"]
    assert "spec.drift.policy is Observe" in message and words in message, message
    statements = group.counted(name)
    group.looks(20)
    assert group.counted(name) == statements
    assert condition_of(group.get(name), "InSync")["status"] == "False"
    group.patch(name, drift={"policy": "Correct"})
    group.wait_condition(name, "InSync", "True", "NoDrift")
    group.sql(f"INSERT INTO {name} VALUES (3, 'c')")
    group.wait(name, "rows flow again", lambda _: (3, "c") in group.rows(name))
    group.wait_settled(name)


@pytest.mark.together
@pytest.mark.parametrize("name", ["leftsink", "leftgone"])
def test_ignore_does_nothing_about_it(group, name):
    """Neither what could be put right nor what could not."""
    message = group.wait_condition(name, "InSync", "Unknown", "Ignored")["message"]
    assert "spec.drift.policy is Ignore" in message, message
    statements = group.counted(name)
    group.looks(20)
    assert group.counted(name) == statements and not condition_of(group.get(name), "Stalled")
    assert not group.events(name, "DriftDetected")


@pytest.mark.together
@pytest.mark.parametrize("name, reason, words", [
    ("holed", "TargetDrift", ("column 'v' is missing (varchar(40) needed)", "alter it", "spec.resyncMode Recreate")),
    ("gone", "TargetDrift", ("is gone while sink", "restore it", "spec.resyncMode Recreate"))])
def test_the_target_is_never_repaired_behind_its_owners_back(group, name, reason, words):
    """A new column or table would lack the values of before. A re-sync is the owner's own word."""
    group.wait_refused(name, reason, "InSync", (f"{group.database}.{name}", *words))
    statements = group.counted(name)
    group.looks(20)
    assert group.counted(name) == statements
    assert [e["type"] for e in group.events(name, "TargetDrift")] == ["Warning"]
    group.patch(name, resyncToken="repair", resyncMode="Recreate")
    group.wait_rows(name)
    group.wait_settled(name)
    group.wait_condition(name, "InSync", "True", "NoDrift")


@pytest.mark.together
def test_a_table_without_our_mark_is_not_ours(group):
    """Whoever wrote another comment is asked; the mark by hand, or Recreate elsewhere, are the ways out."""
    name = "claimed"
    group.wait_stalled(name, "AlreadyExists", "TargetTableReady", (f"{group.database}.{name}", "not created by this TableSync"))
    mark = f"tablesync:v1 uid={group.get(name)['metadata']['uid']} hash=000000000000"
    group.system.starrocks.query(f"ALTER TABLE {group.database}.{name} COMMENT = 'mine, but {mark}'")
    group.annotate(name, retry="now")
    group.wait_ready(name)


@pytest.mark.together
def test_somebody_who_drops_it_every_time_is_not_fought_for_ever(group):
    """Three times within ten minutes; then it is told that somebody does it, and what to do."""
    name = "war"
    for _ in range(3):
        sink = names(group, name)[1]
        rw(group, f"DROP SINK {sink}")
        group.annotate(name, retry="now")
        group.wait(name, "the sink is back", lambda _: len(group.streams(name)[1]) == 1)
        group.wait_ready(name)
    rw(group, f"DROP SINK {names(group, name)[1]}")
    group.annotate(name, retry="again")
    group.wait_refused(name, "StreamObjectMissing", "InSync", ("each time somebody undid it", "spec.drift.policy", "create the sink"))
    assert group.streams(name)[1] == []


# --- at what price ---

class Counter(socketserver.ThreadingTCPServer):
    """Passes everything on and counts what clients ask."""

    allow_reuse_address, daemon_threads = True, True

    def __init__(self, port: int, words: tuple[bytes, ...]):
        self.upstream, self.counts, self.lock = port, dict.fromkeys(words, 0), threading.Lock()
        super().__init__(("127.0.0.1", free_port()), Passage)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def count(self, data: bytes) -> None:
        with self.lock:
            for word in self.counts:
                self.counts[word] += data.count(word)


class Passage(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        with socket.create_connection(("127.0.0.1", self.server.upstream)) as upstream:
            back = threading.Thread(target=self.copy, args=(upstream, self.request, None), daemon=True)
            back.start()
            self.copy(self.request, upstream, self.server.count)
            back.join()

    @staticmethod
    def copy(source, to, seen) -> None:
        try:
            while data := source.recv(65536):
                if seen:
                    seen(data)
                to.sendall(data)
        except OSError:
            pass
        finally:
            for end in (source, to):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass


MANY, ROUNDS = 12, 10
CATALOG, LOOK = b"FROM rw_catalog.rw_streaming_jobs", b"min(kv_log_store_epoch)"
COLUMNS, ALTERS = b"information_schema.columns", b"SHOW ALTER TABLE COLUMN"


@pytest.fixture
def many(running):
    """Twelve resources whose servers can be listened to."""
    made = Group(running, "many")
    made.ears = {"RisingWave": Counter(running.rw.port, (CATALOG, LOOK)),
                 "StarRocks": Counter(running.starrocks.port, (COLUMNS, ALTERS))}
    running.apply(connection_manifest("rw-heard", "RisingWave", made.ears["RisingWave"].server_address[1], made.namespace,
                                      secret="rw"),
                  connection_manifest("sr-heard", "StarRocks", made.ears["StarRocks"].server_address[1], made.namespace,
                                      secret="warehouse", starRocks={"httpPort": running.starrocks.ports["http-port"]}))
    tables = [f"t{number}" for number in range(MANY)]
    for name in tables:
        made.sql(f"CREATE TABLE {name} (id INT PRIMARY KEY, v INT)", f"INSERT INTO {name} VALUES (1, 1)")
    running.apply(*({**manifest, "spec": {
        **manifest["spec"], "risingWave": {"connectionRef": {"name": "rw-heard"}},
        "target": {**manifest["spec"]["target"], "connectionRef": {"name": "sr-heard"}}}}
        for manifest in (made.manifest(name) for name in tables)))
    made.wait_ready(*tables)
    for name in tables:
        made.wait_rows(name)
    yield made
    made.finish()
    for ear in made.ears.values():
        ear.shutdown()
        ear.server_close()


def test_calm_resources_cost_one_catalog_query_and_no_write(many):
    """However many there are; every one of them is looked at, and nothing is written anywhere."""
    ears = many.ears

    def settled():
        before = {name: r["metadata"]["resourceVersion"] for name, r in many.system.listed(many.namespace).items()}
        heard(MANY * 2)
        return before == {name: r["metadata"]["resourceVersion"] for name, r in many.system.listed(many.namespace).items()}

    def heard(looks):
        goal = ears["RisingWave"].counts[LOOK] + looks
        wait_until(f"{looks} looks", lambda: ears["RisingWave"].counts[LOOK] >= goal, 60)

    wait_until("everything has been said once", settled, 60)
    assert all(count > 0 for ear in ears.values() for count in ear.counts.values()), [ear.counts for ear in ears.values()]
    was = {name: r for name, r in many.system.listed(many.namespace).items()}
    catalogs, statements = many.system.catalogs(), {name: many.counted(name, done=False) for name in was}
    counts = {kind: dict(ear.counts) for kind, ear in ears.items()}
    heard(MANY * ROUNDS)
    for kind, ear in ears.items():
        for word in (set(ear.counts) - {LOOK}):
            asked = ear.counts[word] - counts[kind][word]
            assert asked <= ROUNDS, f"{asked} times {word!r} for {MANY * ROUNDS} looks"
    now = many.system.listed(many.namespace)
    assert {name: r["metadata"]["resourceVersion"] for name, r in now.items()} == {
        name: r["metadata"]["resourceVersion"] for name, r in was.items()}
    assert many.system.catalogs() == catalogs
    assert {name: many.counted(name, done=False) for name in was} == statements
