"""The program driver_probe, one call at a time, so that a test can act in between."""

import json
import os
import select
import subprocess
from pathlib import Path

USER = "cdc"
PASSWORD = "pa'ss \\ w$rd"  # every dialect has to quote it
ANSWER_TIMEOUT_S = 60


class Probe:
    """One run with one endpoint. `opened` is the answer to opening it."""

    def __init__(self, kind: str, port: int, *, host: str = "127.0.0.1", user: str = USER,
                 password: str = PASSWORD, **endpoint):
        program = os.environ.get("DRIVER_PROBE")
        assert program and Path(program).is_file(), "DRIVER_PROBE does not name the built program"
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.password = password
        self.raw = b""
        self.opened = self._ask({"type": kind, "host": host, "port": port, "user": user,
                                 "password": password, **endpoint})

    def call(self, op: str, **arguments) -> dict:
        """The answer, good or bad."""
        return self._ask({"op": op, **arguments})

    def value(self, op: str, **arguments) -> dict:
        """What a call that must succeed returns."""
        assert self.opened["ok"], self.opened
        answer = self.call(op, **arguments)
        assert answer["ok"], answer
        return answer["value"]

    def _ask(self, line: dict) -> dict:
        self.process.stdin.write(json.dumps(line).encode() + b"\n")
        self.process.stdin.flush()
        ready, _, _ = select.select([self.process.stdout], [], [], ANSWER_TIMEOUT_S)
        assert ready, f"no answer within {ANSWER_TIMEOUT_S} s"
        answer = self.process.stdout.readline()
        assert answer, self.process.stderr.read().decode()
        self.raw += answer
        return json.loads(answer)

    def __enter__(self) -> "Probe":
        return self

    def __exit__(self, kind, *_) -> None:
        if kind is not None:
            self.process.kill()  # it may hang, which is what the test has found
        _, complaint = self.process.communicate(timeout=ANSWER_TIMEOUT_S)
        if kind is None:
            assert (self.process.returncode, complaint.decode()) == (0, "")
            if len(self.password) >= 3:
                assert self.password.encode() not in self.raw
                assert json.dumps(self.password)[1:-1].encode() not in self.raw


def refused(answer: dict, cls: str, reason: str, *fragments: str) -> None:
    assert not answer["ok"], answer
    assert (answer["class"], answer["reason"]) == (cls, reason), answer
    for fragment in fragments:
        assert fragment in answer["text"], answer
