"""Keeps one shared source's reader running and remembers its position."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .binlog import PositionLost, Reader, Stuck, Transaction
from .catalog import Source
from .schemahistory import History

if TYPE_CHECKING:
    from .server import Server

# In barriers (verified.md 12 and 13): a restart of the reader costs two minutes, a
# reconnect to a server that went away about one; a lost position is retried each second.
# The first of them can be shortened for tests that wait for its end.
RESTART, RECONNECT, RETRY = 120, 60, 1
HEARTBEAT = 60


class SourceJob:
    def __init__(self, server: Server, source: Source, resumed: bool = False):
        self.server = server
        self.source = source
        self.reader: Reader | None = None
        self.start_at = 0
        self.resumed = resumed  # the process was restarted since the position was saved
        self.stuck = False
        self.ahead: dict[str, Any] = {}  # where the reader is, beyond the last change
        self.last_saved = 0
        self.history = History()  # outlives the readers

    def props(self) -> dict[str, str]:
        return {key: prop.resolved() for key, prop in self.source.props.items()}

    def restart(self) -> None:
        """What ALTER SOURCE costs."""
        self.stop()
        self.start_at = self.server.tick + self.server.restart_barriers

    def stop(self) -> None:
        if self.reader is not None:
            self.reader.stop()
            self.reader = None

    def barrier(self) -> list[Transaction]:
        """The transactions that arrived since the last barrier."""
        if self.source.rate_limit == 0 or self.stuck:
            return []
        if self.reader is None:
            if self.server.tick >= self.start_at:
                self._start()
            return []
        error = self.reader.error
        found = []
        while self.reader.done:
            found.append(self.reader.done.popleft())
        self._save(found)
        if error is not None:
            self._failed(error)
        return found

    def _start(self) -> None:
        skip = self.resumed and bool(self.source.offset.get("mariadb"))
        self.reader = Reader(self.props(), self.source.offset, skip, self.history)
        self.reader.start()

    def _failed(self, error: Exception) -> None:
        self.reader = None
        self.stuck = isinstance(error, Stuck)
        lost = isinstance(error, PositionLost)
        self.start_at = self.server.tick + (RETRY if lost else RECONNECT)

    def _save(self, transactions: list[Transaction]) -> None:
        changes = [t for t in transactions if t.changes]
        if transactions:
            self.resumed = False
            self.ahead = dict(transactions[-1].offset)
        if changes:
            last = changes[-1]
            self._store(self.ahead, last.time_s, False)
            self.source.offset.update(row=len(last.changes), server_id=last.server_id,
                                      event=2 * len(last.changes))
        elif self.ahead and self.server.tick - self.last_saved >= HEARTBEAT:
            self._store(self.ahead, int(time.time()), True)
            self.source.offset["server_id"] = 0

    def _store(self, where: Mapping[str, Any], time_s: int, heartbeat: bool) -> None:
        kept = {key: self.source.offset[key] for key in ("mariadb",) if key in self.source.offset}
        self.source.offset = {**kept, "ts_sec": time_s, **where}
        self.source.heartbeat = heartbeat
        self.last_saved = self.server.tick
