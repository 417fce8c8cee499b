"""The comparison itself: it must see every difference that counts, and only those."""

from __future__ import annotations

from pathlib import Path

import pytest

from .connections import Result
from .replay import Replay, Step, differences, load_steps

_STEP: Step = {
    "on": "starrocks", "sql": "SELECT JobId, State, CreateTime FROM x",
    "columns": [["JobId", 253], ["State", 253], ["CreateTime", 253]],
    "rows": [["16680", "FINISHED", "2026-11-23 12:02:01"]]}
_COLUMNS = [("JobId", 253), ("State", 253), ("CreateTime", 253)]


def result(*row: str | None) -> Result:
    return Result(columns=list(_COLUMNS), rows=[list(row)])


def test_shapes_may_differ() -> None:
    assert differences(_STEP, result("7", "FINISHED", "2026-11-23 01:00:00")) == []


@pytest.mark.parametrize("other", [
    result("x", "FINISHED", "2026-11-23 12:02:01"), result("1", "RUNNING", "2026-11-23 12:02:01"),
    result("1", "FINISHED", None), result("1", "FINISHED", "2020-01-01 00:00:00"),
    Result(columns=_COLUMNS, rows=[]), Result(columns=_COLUMNS[::-1], rows=[["1", "FINISHED", ""]]),
    Result(columns=[("JobId", 8), *_COLUMNS[1:]], rows=[["1", "FINISHED", "2026-11-23 12:02:01"]]),
    Result(error={"code": 1064, "message": "no"}),
])
def test_differences_are_seen(other: Result) -> None:
    assert differences(_STEP, other)


@pytest.mark.parametrize(("field", "value"), [
    ("tag", "CREATE_TABLE"), ("affected", 1), ("notices", ["NOTICE:  other"]),
    ("error", {"sqlstate": "42704", "message": "gone"})])
def test_other_answers_are_seen(field: str, value: object) -> None:
    step = {"on": "risingwave", "sql": "DROP TABLE t", "tag": "DROP_TABLE", "affected": 0}
    good = Result(tag="DROP_TABLE", affected=0)
    assert differences(step, good) == []
    setattr(good, field, value)
    assert differences(step, good)


def test_error_texts_are_exact() -> None:
    step = {"on": "x", "sql": "q", "error": {"code": 1064, "message": "Table t is not found."}}
    same = Result(error={"code": 1064, "message": "Table t is not found."})
    assert differences(step, same) == []
    assert differences(step, Result(error={"code": 1064, "message": "Table u is not found."}))
    assert differences(step, Result(error={"code": 5502, "message": "Table t is not found."}))
    assert differences(step, Result(affected=0))


class _Server:
    """Answers the same name until asked often enough, then another one."""

    def __init__(self, *answers: Result):
        self.answers = list(answers)
        self.asked: list[str] = []

    def execute(self, sql: str) -> Result:
        self.asked.append(sql)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def test_replay_learns_internal_names() -> None:
    step = {"on": "x", "sql": "SELECT name", "columns": [["name", 1043]],
            "rows": [["__internal_t_7_streamcdcscan_5"]]}
    follower = {"on": "x", "sql": 'SELECT * FROM "__internal_t_7_streamcdcscan_5"',
                "columns": [["name", 1043]], "rows": [["__internal_t_7_streamcdcscan_5"]]}
    name = "__internal_t_31_streamcdcscan_9"
    server = _Server(Result(columns=[("name", 1043)], rows=[[name]]))
    Replay({"x": server}).run([step, follower])
    assert server.asked[1] == f'SELECT * FROM "{name}"'


def test_replay_waits_only_after_a_pause() -> None:
    late = [Result(columns=[("n", 20)], rows=[[0]]), Result(columns=[("n", 20)], rows=[[1]])]
    step = {"on": "x", "sql": "SELECT n", "columns": [["n", 20]], "rows": [[1]]}
    Replay({"x": _Server(*late)}).run([{"wait_seconds": 1.0}, step])
    with pytest.raises(AssertionError):
        Replay({"x": _Server(*late)}).run([step])


def test_every_recorded_step_is_read() -> None:
    steps = load_steps(Path(__file__).parent / "lifecycle.jsonl")
    assert len(steps) == 134
    assert sum("error" in step for step in steps) == 36
    assert len(load_steps(Path(__file__).parent / "lifecycle.jsonl", on="starrocks")) == 26 + 9
