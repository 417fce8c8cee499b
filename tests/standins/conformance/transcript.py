"""Cases taken from the FE transcript, as the real server answered them on the wire.

starrocks_cases.jsonl holds one object a line, in the order of the recording:
`sql` with what came back (`expect`: OK packets, errors with SQLSTATE, result sets
with field descriptions where they were recorded), `user` when it was not root,
`line` in the transcript. `control` lines bring about what the recorder did out of
sight (a backend that dies), `jobs` waits for schema changes. Texts that list the
"most similar" words are compared without the list; verified.md 34 says why.
"""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

from .process import StandIn
from .rawclient import RawClient, Reply
from .shapes import same_value

Case = dict[str, Any]

PASSWORDS = {"ctl": "secret", "low": "lowpw", "u1": "p1", "u2": "p2"}
_SIMILAR = re.compile(r"the most similar (input is|variables are) \{[^}]*\}")
_LABEL = re.compile(r"'label':'[\w-]+'|'txnId':'\d+'")
_SIGNATURE = re.compile(r"signature: \d+|tablet_id: \d+")


def load_cases(path: Path, group: str) -> list[Case]:
    lines = path.read_text(encoding="utf-8").splitlines()
    cases: list[Case] = [json.loads(line) for line in lines]
    return [case for case in cases if case["group"] == group]


class Runner:
    """Sends cases in order, each over the connection of its user."""

    def __init__(self, server: StandIn):
        self.server = server
        self.clients: dict[str, RawClient] = {}

    def client(self, who: str) -> RawClient:
        if who not in self.clients:
            user = who.partition("#")[0]
            user = user if user in PASSWORDS else "root"
            self.clients[who] = RawClient(self.server.ports["mysql"], user,
                                          PASSWORDS.get(user, ""),
                                          "d1" if user == "ctl" else "")
        return self.clients[who]

    def run(self, case: Case) -> list[str]:
        """Returns what differs; control and waiting differ in nothing."""
        if "control" in case:
            self.server.control(*case["control"])
            return []
        if "jobs" in case:
            self.wait_for_jobs()
            return []
        replies = self.client(case.get("user") or "root").query(case["sql"])
        if len(replies) != len(case["expect"]):
            return [f"expected {len(case['expect'])} answers, got {replies}"]
        found = []
        for expected, reply in zip(case["expect"], replies):
            found += differences(case["sql"], expected, reply)
        return found

    def wait_for_jobs(self, seconds: float = 20.0) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            reply = self.client("root").query("show alter table column from d1")[0]
            states = {row[reply.columns.index("State")] for row in reply.rows}
            if states <= {"FINISHED", "CANCELLED"} or self._only_orphans(reply):
                return
            time.sleep(0.02)
        raise AssertionError("schema change jobs did not end")

    def _only_orphans(self, reply: Reply) -> bool:
        """The job of a dropped table stays PENDING for ever."""
        names = {row[0] for row in self.client("root").query("show tables from d1")[0].rows}
        return all(row[1] not in names for row in reply.rows
                   if row[9] not in ("FINISHED", "CANCELLED"))


def differences(sql: str, expected: dict[str, Any], reply: Reply) -> list[str]:
    if "error" in expected:
        return _error_differences(expected["error"], reply)
    if reply.error is not None:
        return [f"unexpected error {reply.error}"]
    if reply.status != expected["status"]:
        return [f"status: expected {expected['status']:#x}, got {reply.status:#x}"]
    if "ok" in expected:
        return _ok_differences(expected, reply)
    if reply.columns != expected["columns"]:
        return [f"columns: expected {expected['columns']}, got {reply.columns}"]
    if "fields" in expected and [list(f) for f in reply.fields] != expected["fields"]:
        return [f"field: expected {want}, got {got}"
                for want, got in zip(expected["fields"], reply.fields) if want != list(got)]
    if len(reply.rows) != len(expected["rows"]):
        return [f"rows: expected {len(expected['rows'])}, got {len(reply.rows)}: {reply.rows}"]
    statement = sql.strip().upper()
    wanted, rows = expected["rows"], reply.rows
    if "INFORMATION_SCHEMA" in statement and "ORDER BY" not in statement:
        # The real server lists tables in the order of a hash map.
        wanted, rows = sorted(wanted, key=str), _sorted_like(rows)
    return [f"{name}: expected {want!r}, got {got!r}"
            for row, actual in zip(wanted, rows)
            for name, want, got in zip(expected["columns"], row, actual)
            if not _same_cell(name, want, got, statement)]


def _sorted_like(rows: list[list[str | None]]) -> list[list[str | None]]:
    """Sorts rows by the form the recorder gave their texts."""
    return sorted(rows, key=lambda row: str([cell if cell is None else _printed(cell)[1]
                                             for cell in row]))


def _error_differences(expected: list[Any], reply: Reply) -> list[str]:
    code, sqlstate, message = expected
    if reply.error is None:
        return [f"expected error {expected}, got {reply}"]
    if (code, sqlstate, _plain(message)) != (*reply.error[:2], _plain(reply.error[2])):
        return [f"expected error {expected}", f"           got {reply.error}"]
    return []


def _ok_differences(expected: dict[str, Any], reply: Reply) -> list[str]:
    if reply.ok is None:
        return [f"expected OK, got {reply}"]
    # The recorder's backends reported 1000 rows for every INSERT.
    affected = reply.ok if expected["ok"] == 1000 else expected["ok"]
    if reply.ok != affected:
        return [f"affected: expected {expected['ok']}, got {reply.ok}"]
    want, got = (_LABEL.sub("#", text) for text in (expected.get("info", ""), reply.info))
    return [] if want == got else [f"info: expected {want!r}, got {got!r}"]


def _plain(text: str) -> str:
    return _SIGNATURE.sub("#", _SIMILAR.sub("SIMILAR", text))


def _same_cell(name: str, want: str | None, got: str | None, statement: str) -> bool:
    """The recorder wrote control characters and backslashes as escapes in rows."""
    if want is None or got is None:
        return same_value(name, want, got, statement)
    if _plain(want) in (_plain(form) for form in _printed(got)):
        return True
    return same_value(name, want, got, statement)


def _printed(text: str) -> list[str]:
    escaped = text.replace("\\", "\\\\")
    for char, shown in (("\n", "\\n"), ("\t", "\\t"), ("\0", "\\0")):
        escaped = escaped.replace(char, shown)
    return [text, escaped, text.replace("\0", "<0x00>"), escaped.replace("\x1a", "<0x1a>")]
