"""Replays recorded steps against servers and compares what comes back.

A step is one line of lifecycle.jsonl: the statement, the server it went to and
the answer a real server gave. `Replay` sends the statement again and compares.
Names, order and wire types of columns, error codes and texts, command tags and
notices must be equal. What differs from run to run (object ids, fragment ids in
internal table names, epochs, binlog positions, times of the run, ports, node
figures) must have the same shape, see shapes.py.

The simple door:

    steps = load_steps(path)
    result = run_step(conns, step)
    assert_same(step, result)

`conns` maps a step's "on" to an object with `execute(sql) -> Result`; the two
classes in connections.py wrap PyMySQL and psycopg2. `Replay` adds what a whole
run needs: replaced ports, internal table names learned from earlier answers and
pauses that end as soon as the next answer is right.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

from .connections import Result
from .shapes import INTERNAL_NAME, same_text, same_value

Step = dict[str, Any]

# A recorded pause is how long the real servers were given; stand-ins on a busy
# machine get this many times as much before a difference counts.
PAUSE_FACTOR = 4.0


class Conn(Protocol):
    def execute(self, sql: str) -> Result: ...


def load_steps(path: Path | str, on: str | None = None) -> list[Step]:
    """Reads a .jsonl file; with `on`, only that server's steps and the pauses."""
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    steps = [json.loads(line) for line in lines if line.strip()]
    for number, step in enumerate(steps, 1):
        step["line"] = number
    if on is None:
        return steps
    return [step for step in steps if step.get("on") == on or is_pause(step)]


def is_pause(step: Step) -> bool:
    return "wait_seconds" in step


def run_step(conn_by_name: Mapping[str, Conn], step: Step, sql: str | None = None) -> Result:
    """Sends one step (or `sql` in its place) over the connection it names."""
    if is_pause(step):
        raise ValueError("a pause has no statement; Replay handles it")
    return conn_by_name[step["on"]].execute(step["sql"] if sql is None else sql)


def differences(step: Step, result: Result) -> list[str]:
    """Every way in which `result` is not what the step recorded."""
    if "error" in step:
        return _error_differences(step["error"], result)
    if result.error is not None:
        return [f"unexpected error {result.error}"]
    found: list[str] = []
    for field in ("tag", "affected"):
        if field in step and step[field] != getattr(result, field):
            found.append(f"{field}: expected {step[field]!r}, got {getattr(result, field)!r}")
    found += _notice_differences(step.get("notices", []), result.notices)
    if "columns" in step:
        found += _row_differences(step, result)
    return found


def assert_same(step: Step, result: Result) -> None:
    found = differences(step, result)
    assert not found, f"line {step.get('line')}: {step.get('sql')}\n" + "\n".join(found)


def _error_differences(expected: Mapping[str, Any], result: Result) -> list[str]:
    if result.error is None:
        return [f"expected error {dict(expected)}, got rows={result.rows} tag={result.tag}"]
    found = []
    for key in ("code", "sqlstate"):
        if key in expected and expected[key] != result.error.get(key):
            found.append(f"{key}: expected {expected[key]!r}, got {result.error.get(key)!r}")
    if not same_text(expected["message"], result.error["message"]):
        found.append(f"message: expected {expected['message']!r}\n"
                     f"              got {result.error['message']!r}")
    return found


def _notice_differences(expected: list[str], actual: list[str]) -> list[str]:
    if len(expected) == len(actual) and all(map(same_text, expected, actual)):
        return []
    return [f"notices: expected {expected}, got {actual}"]


def _row_differences(step: Step, result: Result) -> list[str]:
    columns = [tuple(column) for column in step["columns"]]
    if columns != result.columns:
        return [f"columns: expected {columns}, got {result.columns}"]
    if len(step["rows"]) != len(result.rows):
        return [f"rows: expected {len(step['rows'])}, got {len(result.rows)}: {result.rows}"]
    found = []
    statement = step["sql"].upper()
    for number, (expected, actual) in enumerate(zip(step["rows"], result.rows)):
        for (name, _), want, got in zip(columns, expected, actual):
            if not same_value(name, want, got, statement):
                found.append(f"row {number} {name}: expected {want!r}, got {got!r}")
    return found


class Replay:
    """Runs steps in order, with what one run must remember.

    `replace` holds texts of the recording (ports, host names) and what stands in
    their place now; it is applied to statements and to expected answers.
    """

    def __init__(self, conns: Mapping[str, Conn], replace: Mapping[str, str] | None = None):
        self.conns = conns
        self.replace: dict[str, str] = dict(replace or {})
        self.patience = 0.0

    def run(self, steps: Iterable[Step]) -> None:
        for step in steps:
            self.run_one(step)

    def run_one(self, step: Step) -> Result | None:
        """Runs a step and asserts; after a pause, repeats reads until they agree."""
        if is_pause(step):
            self.patience += step["wait_seconds"] * PAUSE_FACTOR
            return None
        deadline = time.monotonic() + self.patience
        step = self._rewritten(step)
        while True:
            result = run_step(self.conns, step)
            found = differences(step, result)
            if not found or not self._worth_waiting(step, deadline):
                break
            time.sleep(0.05)
        self.patience = max(0.0, deadline - time.monotonic())
        assert_same(step, result)
        self._learn(step, result)
        return result

    @staticmethod
    def _worth_waiting(step: Step, deadline: float) -> bool:
        is_read = step["sql"].lstrip().upper().startswith(("SELECT", "SHOW"))
        return is_read and "error" not in step and time.monotonic() < deadline

    def _rewritten(self, step: Step) -> Step:
        text = json.dumps(step, ensure_ascii=False)
        for old, new in self.replace.items():
            text = text.replace(old, new)
        rewritten: Step = json.loads(text)
        return rewritten

    def _learn(self, step: Step, result: Result) -> None:
        """Internal table names carry fragment ids: later statements need ours."""
        for expected, actual in zip(step.get("rows", []), result.rows):
            for want, got in zip(expected, actual):
                if isinstance(want, str) and INTERNAL_NAME.fullmatch(want) and want != got:
                    self.replace[want] = str(got)
