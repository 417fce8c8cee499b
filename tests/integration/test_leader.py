"""Two controllers, one Lease: whatever happens to the one that leads, the other goes on, and never do both write."""

import json
import os
import re
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest

from cluster.processes import wait_until

from .election import ELECT, LEASE, LEASE_S, LOST, RENEW_S, RETRY_S, SLACK_S, WRITES, Candidate, Stage, electorate
from .faults import Answer, Fault, status_body
from .system import SERVICE_ACCOUNT


@pytest.fixture(scope="module")
def own(oracle56, tmp_path_factory):
    with electorate(oracle56, tmp_path_factory.mktemp("leader")) as made:
        yield made


@pytest.fixture
def stage(own, tmp_path):
    made = Stage(own, tmp_path)
    yield made
    made.close()


def exited(candidate: Candidate, code: int, timeout_s: float) -> None:
    wait_until(f"{candidate.controller.log.parent.name} ends", lambda: not candidate.controller.daemon.alive(), timeout_s)
    assert candidate.controller.daemon.exit_code == code, candidate.controller.log_text()[-2000:]


def recorded(audit: Path) -> int:
    """How many runs the audit holds."""
    with closing(sqlite3.connect(f"file:{audit}?mode=ro", uri=True, timeout=10)) as log:
        return log.execute("SELECT count(*) FROM task_runs").fetchone()[0]


def test_a_follower_is_warm_and_silent(stage):
    first, second = stage.pair()
    stage.apply("one", "two")
    stage.ready("one", "two")
    wait_until("the follower knows both", lambda: second.controller.metric('tablesync_resources{kind="TableSync"}') == 2, 10)
    assert "ok" in second.controller.get("/healthz") and "ok" in second.controller.get("/readyz")
    assert (first.leads(), second.leads()) == (True, False)
    # It has asked for the Lease several times by now, reading alone.
    wait_until("it goes on asking", lambda: second.proxy.count(verb="get", resource="leases") >= 3, 10)
    assert [r for r in second.proxy.requests() if r.verb in WRITES] == []
    assert stage.changed(second) == [] and not second.controller.audit.exists()
    spec = stage.lease()
    assert re.fullmatch(r"first_[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", spec["holderIdentity"])
    assert (spec["leaseDurationSeconds"], spec["leaseTransitions"]) == (LEASE_S, 0)
    for field in ("acquireTime", "renewTime"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", spec[field])
    agents = {r.headers["user-agent"] for r in first.proxy.requests(resource="leases")}
    assert len(agents) == 1 and agents.pop().endswith("/leader-election")


def test_the_rules_are_for_one_lease(own):
    """manifests/rbac.yaml: no other Lease may be read or changed."""
    def may(verb: str, name: str) -> bool:
        return own.plane.kubectl("auth", "can-i", verb, f"leases.coordination.k8s.io/{name}", "-n", "tablesync-system", "-q",
                                 kubeconfig=own.plane.kubeconfig_for(SERVICE_ACCOUNT), check=False).returncode == 0

    assert may("get", "tablesync-controller") and may("update", "tablesync-controller")
    for verb, name in (("get", "other"), ("update", "other"), ("delete", "tablesync-controller"),
                       ("patch", "tablesync-controller")):
        assert not may(verb, name), (verb, name)


def test_a_killed_leader_is_replaced(stage):
    first, second = stage.pair()
    names = ("one", "two")
    stage.apply(*names)
    stage.begun(first)
    first.controller.daemon.kill()
    killed = time.monotonic()
    wait_until("the second leads", second.leads, LEASE_S + 2.2 * RETRY_S + SLACK_S)
    assert time.monotonic() - killed > RENEW_S, "it did not wait for the lease to run out"
    stage.ready(*names)
    stage.check_objects(*names)
    stage.check_one_after_the_other(first, second)
    assert stage.lease()["leaseTransitions"] == 1


def take_over_from_stopped(stage, first, second) -> float:
    """The first is stopped already; returns the moment at which it goes on."""
    stage.apply("later")
    wait_until("the second leads", second.leads, LEASE_S + 2.2 * RETRY_S + SLACK_S)
    stage.ready("one", "later")
    resumed = time.monotonic()
    first.controller.daemon.resume()
    exited(first, LOST, 10)
    assert '"msg":"leader election lost"' in first.controller.log_text()
    return resumed


def check_silent(stage, first, second, resumed: float) -> None:
    assert stage.changed(first, resumed) == []
    assert [r.verb for r in first.proxy.requests(resumed) if r.verb in WRITES] == []  # nor to the Lease
    stage.check_one_after_the_other(first, second)
    assert stage.lease()["holderIdentity"].startswith("second_")


def test_a_stopped_leader_writes_nothing_when_it_goes_on(stage):
    first, second = stage.pair()
    stage.apply("one")
    stage.begun(first)
    first.controller.daemon.pause()
    check_silent(stage, first, second, take_over_from_stopped(stage, first, second))
    stage.check_objects("one", "later")


@pytest.mark.parametrize(("server", "words"), [
    ("rw", b"SET application_name"),  # the statement itself follows, in the same call of the driver
    ("starrocks", b"CREATE TABLE"),  # the next step of the plan follows
])
def test_a_leader_stopped_within_an_attempt_does_not_go_on_with_it(stage, server, words):
    first, second = stage.pair()
    witness = getattr(stage, server)
    witness.hold(first.pid, words)
    stage.apply("one")
    assert witness.held.wait(60), f"it never came that far\n{first.controller.log_text()[-3000:]}"
    first.controller.daemon.pause()
    witness.let_go()  # the answer waits for it
    check_silent(stage, first, second, take_over_from_stopped(stage, first, second))
    stage.check_objects("one", "later")


def test_clocks_of_others_do_not_matter(stage):
    """A Lease that somebody else made, with times of another century, is waited for by one's own clock."""
    made = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": {"name": "tablesync-controller", "namespace": "tablesync-system", "labels": {"team": "data"}},
            "spec": {"holderIdentity": "go-client_7f", "leaseDurationSeconds": LEASE_S, "leaseTransitions": 4,
                     "acquireTime": "2099-01-01T00:00:00.000000Z", "renewTime": "2099-01-01T00:00:00.000000Z"}}
    stage.system.apply(made)
    began = time.monotonic()
    first = stage.start("first")
    wait_until("the first leads", first.leads, LEASE_S + 2.2 * RETRY_S + SLACK_S)
    assert time.monotonic() - began > LEASE_S - 1
    assert stage.lease()["leaseTransitions"] == 5
    assert stage.system.read(LEASE)["metadata"]["labels"] == {"team": "data"}
    second = stage.start("second")
    until = time.monotonic() + LEASE_S + 2
    while time.monotonic() < until:  # longer than the lease: whoever believed the time would take over
        for skewed in ("2001-01-01T00:00:00.000000Z", "2099-01-01T00:00:00.000000Z"):
            stage.patch_lease(renewTime=skewed)
            assert not second.leads()
    assert first.leads() and stage.lease()["leaseTransitions"] == 5
    stage.patch_lease(renewTime="2099-01-01T00:00:00.000000Z")
    first.controller.daemon.kill()
    wait_until("the second leads", second.leads, LEASE_S + 2.2 * RETRY_S + SLACK_S)


def test_a_leader_that_ends_hands_over_at_once(stage):
    shared = stage.work / "audit.db"
    first, second = stage.pair("--audit-db", str(shared))
    stage.apply("one")
    stage.begun(first)
    first.controller.stop()
    before = recorded(shared)
    ended = time.monotonic()
    assert first.controller.daemon.exit_code == 0
    wait_until("the second leads", second.leads, 2.2 * RETRY_S + 1)
    assert time.monotonic() - ended < RENEW_S
    assert '"msg":"lease released"' in first.controller.log_text()
    released = first.proxy.requests(verb="update", resource="leases")[-1]
    spec = json.loads(released.body)["spec"]
    assert (spec["holderIdentity"], spec["leaseDurationSeconds"]) == ("", 1)
    assert stage.changed(first, released.at) == [], "it wrote after it had released the Lease"
    stage.ready("one")
    stage.check_one_after_the_other(first, second)
    # One file for both, one after the other.
    assert before > 0
    wait_until("the second records in the same file", lambda: recorded(shared) > before, 10)
    assert "audit" not in [json.loads(line)["msg"] for line in second.controller.log_text().splitlines() if line[:1] == "{"]


def test_a_leader_cut_off_from_the_api_ends_in_time(stage):
    first, second = stage.pair()
    stage.apply("one")
    stage.begun(first)
    first.proxy.stop()
    cut = time.monotonic()
    exited(first, LOST, RENEW_S + SLACK_S)
    assert time.monotonic() - cut < LEASE_S, "it stayed longer than the others wait"
    wait_until("the second leads", second.leads, LEASE_S + 2.2 * RETRY_S + SLACK_S)
    stage.ready("one")
    stage.check_one_after_the_other(first, second)


def test_lease_calls_answered_429_are_tried_again(stage):
    first, second = stage.pair()
    busy = first.proxy.on(Answer(429, status_body(429, "TooManyRequests"), retry_after="60"), resource="leases", times=3)
    wait_until("it was told to wait", lambda: busy.hits == 3, RENEW_S + SLACK_S)
    answered = time.monotonic()
    wait_until("it has renewed since", lambda: first.proxy.count(answered, verb="update", resource="leases", status=200) >= 2,
               RENEW_S + SLACK_S)
    assert first.leads() and not second.leads()
    assert stage.lease()["leaseTransitions"] == 0 and '"msg":"leader election lost"' not in first.controller.log_text()


class Mute(Fault):
    """A watch that says nothing more once `muted` is set, and stays open."""

    def __init__(self):
        super().__init__()
        self.muted, self.last = False, b""

    def line(self, connection, line):
        if not self.muted:
            self.last = line
            yield line


def test_a_successor_with_an_old_cache_makes_nothing_anew(stage):
    """What was deleted meanwhile is still in its cache, and its objects are missing: they are not made again."""
    mute = Mute()
    first, second = stage.pair(second_fault=mute)
    stage.apply("one")
    stage.ready("one")
    wait_until("the second knows it as ready", lambda: b'"phase":"Streaming"' in mute.last, 10)
    mute.muted = True
    stage.system.plane.kubectl("delete", "tsync", "one", "-n", stage.namespace, "--timeout=30s")
    first.controller.daemon.kill()
    wait_until("the second leads", second.leads, LEASE_S + 2.2 * RETRY_S + SLACK_S)
    wait_until("it has tried to say what it is about to do",
               lambda: any(r.status in (404, 409) for r in second.proxy.requests(verb="patch", resource="tablesyncs")), 20)
    mute.muted = False
    second.proxy.cut()  # it lists anew
    wait_until("it knows", lambda: second.controller.metric('tablesync_resources{kind="TableSync"}') == 0, 20)
    assert stage.statements(second) == []


def test_flags_that_cannot_work_are_refused(stage):
    def said(*flags: str) -> str:
        done = subprocess.run([os.environ["TABLESYNC_BIN"], "controller", "--kubeconfig",
                               str(stage.system.plane.kubeconfig_for(SERVICE_ACCOUNT)), "--audit-db", str(stage.work / "x.db"),
                               "--leader-elect", *flags], capture_output=True, text=True, timeout=20)
        assert done.returncode == 2
        return done.stderr

    assert "must be longer than --leader-election-renew-deadline" in said("--leader-election-lease-duration", "20s")
    assert "1.2 times --leader-election-retry-period" in said("--leader-election-retry-period", "17s")
    assert "whole seconds" in said("--leader-election-lease-duration", "30500ms")
    assert "name of a Lease" in said("--leader-election-id", "Not A Name")
