"""rw_event_logs: the last ten events of each type."""

from __future__ import annotations

import datetime
import json
import uuid
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Any

from .catalog import utc_now

KEPT = 10


@dataclass
class Event:
    kind: str
    info: dict[str, Any]
    time: datetime.datetime = field(default_factory=utc_now)
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def row(self) -> tuple:
        time = self.time.replace(microsecond=self.time.microsecond // 1000 * 1000)
        return self.id, time, self.kind, json.dumps(self.info)


class EventLog:
    def __init__(self) -> None:
        self.by_kind: dict[str, deque[Event]] = defaultdict(lambda: deque(maxlen=KEPT))
        self.add("META_NODE_START", {"metaNodeStart": {
            "advertiseAddr": "127.0.0.1:5690", "listenAddr": "127.0.0.1:5690", "opts": "{}"}})
        self.add("GLOBAL_RECOVERY_START", {"recovery": {"globalStart": {"reason": "bootstrap"}}})
        self.add("GLOBAL_RECOVERY_SUCCESS", {"recovery": {"globalSuccess": {
            "durationSecs": 0.4, "reason": "bootstrap", "recoveringDatabaseIds": [1]}}})

    def add(self, kind: str, info: dict[str, Any]) -> None:
        self.by_kind[kind].append(Event(kind, info))

    def barrier_complete(self, epoch: int, previous: int) -> None:
        self.add("BARRIER_COMPLETE", {"barrierComplete": {
            "barrierKind": "Checkpoint", "command": "barrier", "curEpoch": str(epoch),
            "databaseId": 1, "durationSec": 0.035, "prevEpoch": str(previous)}})

    def sink_fail(self, sink_id: int, name: str, error: str) -> None:
        self.add("SINK_FAIL", {"sinkFail": {"connector": "starrocks", "error": error,
                                            "sinkId": sink_id, "sinkName": name}})

    def create_fail(self, job_id: int, name: str, definition: str, error: str) -> None:
        self.add("CREATE_STREAM_JOB_FAIL", {"createStreamJobFail": {
            "definition": definition, "error": error, "id": job_id, "name": name}})

    def recovery(self, started: bool) -> None:
        word = "Start" if started else "Success"
        self.add(f"DATABASE_RECOVERY_{word.upper()}",
                 {"recovery": {f"database{word}": {"databaseId": 1}}})

    def rows(self) -> list[tuple]:
        return [event.row() for events in self.by_kind.values() for event in events]
