"""The wall clock jumps by hours, there and back: it is shown to people, and nothing waits by it.

The clock is clockshift.c's, preloaded: only the controller it is preloaded into sees it jump. It is never behind the
true time, so that certificates made by this run are valid at all times.
"""

import os
import re
import struct
import subprocess
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from cluster.processes import free_port, wait_until

from .election import LEASE_S, RETRY_S, SLACK_S, WRITES, Stage, electorate
from .system import connection_manifest, sync_manifest

HERE = Path(__file__).resolve().parent
RETRY_MAX_S = 1  # of the resource that cannot reach its server, and what jitter adds
TOLD_S = 5


class WallClock:
    """As one controller shall see it."""

    def __init__(self, shim: Path, file: Path, ahead_h: int):
        self.file = file
        self.jump_to(ahead_h)
        # A sanitizer else insists on coming first.
        self.env = {"LD_PRELOAD": str(shim), "CLOCKSHIFT_FILE": str(file),
                    "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}

    def jump_to(self, ahead_h: int) -> None:
        self.ahead = timedelta(hours=ahead_h)
        with open(self.file, "r+b" if self.file.exists() else "wb") as file:
            file.write(struct.pack("=q", ahead_h * 3_600_000))

    def now(self) -> datetime:
        return datetime.now(timezone.utc) + self.ahead


@pytest.fixture(scope="module")
def own(oracle56, tmp_path_factory):
    with electorate(oracle56, tmp_path_factory.mktemp("clock")) as made:
        yield made


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    made = tmp_path_factory.mktemp("shim") / "clockshift.so"
    subprocess.run(["cc", "-std=gnu17", "-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC", "-o", made, HERE / "clockshift.c"],
                   check=True, timeout=60)
    return made


@pytest.fixture
def stage(own, tmp_path):
    made = Stage(own, tmp_path)
    yield made
    made.close()


def parse(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def status(stage, name: str) -> dict:
    return stage.system.listed(stage.namespace)[name].get("status", {})


def shows_a_retry(stage, clock: WallClock, name: str) -> None:
    """It goes on trying, and what it says of the next time is soon by the clock that it sees: not hours away."""
    def soon() -> bool:
        told = status(stage, name).get("nextRetryAt")
        return told is not None and abs(parse(told) - clock.now()) < timedelta(seconds=RETRY_MAX_S * 1.5 + TOLD_S)

    try:
        wait_until("it has tried since", soon, 40)
    except TimeoutError as late:
        raise AssertionError(f"{late}: {status(stage, name)}, and it is {clock.now()}") from late


def test_jumps_of_hours(stage, shim):
    """One writer, no wait that grew, no change missed, whichever clock jumps; and the Lease is handed on as ever."""
    clock, other = WallClock(shim, stage.work / "first.ms", 7), WallClock(shim, stage.work / "second.ms", 0)
    first = stage.start("first", env=clock.env)
    wait_until("the first leads", first.leads, LEASE_S + SLACK_S)
    second = stage.start("second", env=other.env)
    stage.system.apply(connection_manifest("nobody", "MySQL", free_port(), stage.namespace, secret="shop-mysql"),
                       sync_manifest("held", "shop", "t", namespace=stage.namespace, mysql="nobody",
                                     retry={"backoffBase": "200ms", "backoffMax": f"{RETRY_MAX_S}s"}))
    stage.apply("zero")
    stage.ready("zero")
    pid, transitions = first.pid, stage.lease()["leaseTransitions"]
    before = len(first.controller.log_text())
    for number, (leaders_h, followers_h) in enumerate(((14, 11), (0, 0)), 1):
        clock.jump_to(leaders_h)
        other.jump_to(followers_h)
        jumped = time.monotonic()
        renewed = first.proxy.count(verb="update", resource="leases")
        stage.apply(f"after{number}")
        stage.ready(f"after{number}", "zero")
        shows_a_retry(stage, clock, "held")
        wait_until("it has renewed for longer than a Lease lasts", lambda: time.monotonic() - jumped > LEASE_S + 2 * RETRY_S
                   and first.proxy.count(verb="update", resource="leases") >= renewed + LEASE_S // RETRY_S, 30)
        assert abs(parse(stage.lease()["renewTime"]) - clock.now()) < timedelta(seconds=TOLD_S)
        assert (first.leads(), second.leads(), first.pid) == (True, False, pid)
    assert stage.lease()["leaseTransitions"] == transitions
    assert stage.changed(second) == [] and [r for r in second.proxy.requests() if r.verb in WRITES] == []
    assert not re.search(r'"msg":"(reflector failed|hot loop)', first.controller.log_text()[before:])
    first.controller.daemon.kill()
    wait_until("the second leads", second.leads, LEASE_S + 2.2 * RETRY_S + SLACK_S)
    stage.apply("later")
    stage.ready("later", "zero")
    stage.check_one_after_the_other(first, second)
