"""The StarRocks stand-in against what a real FE 4.1 was recorded to answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import STARROCKS_OPTIONS
from .connections import MySqlConn
from .process import StandIn
from .replay import Replay, load_steps
from .transcript import Runner, load_cases

_HERE = Path(__file__).parent


def test_lifecycle(starrocks: StandIn) -> None:
    """Every StarRocks step of one TableSync's whole life, in order.

    The job of step 110 must still run when step 111 is refused because of it, so
    jobs only move once the recording has waited for them.
    """
    steps = load_steps(_HERE / "lifecycle.jsonl", on="starrocks")
    conn = MySqlConn("127.0.0.1", starrocks.ports["mysql"], "root")
    replay = Replay({"starrocks": conn})
    starrocks.control("/alter", {"hold": True})
    for step in steps:
        if step.get("wait_seconds") == 26.0:
            starrocks.control("/alter", {"hold": False})
        replay.run_one(step)
    conn.close()


@pytest.mark.parametrize(("group", "backends"), [("main", 1), ("three", 3), ("supplement", 1)])
def test_transcript(group: str, backends: int) -> None:
    """Every recorded statement of the FE transcript that does not need stored rows."""
    problems = []
    with StandIn("standins.starrocks", *STARROCKS_OPTIONS, "--backends", str(backends)) as running:
        runner = Runner(running)
        cases = load_cases(_HERE / "starrocks_cases.jsonl", group)
        for case in cases:
            found = runner.run(case)
            if found:
                shown = case.get("sql", "")[:200]
                problems.append("\n  ".join([f"{case.get('line')}: {shown}", *found]))
    assert cases and not problems, f"{len(problems)} differ:\n" + "\n".join(problems)
