"""Delivers one sink's log store to StarRocks."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

from .catalog import Sink
from .loader import LoadFailed, Transaction
from .logstore import DELETE, Entry

if TYPE_CHECKING:
    from .server import Server

# Back-off after a failure, in barriers: a down StarRocks was seen to cost up to 180 s.
_FIRST_BACKOFF, _LAST_BACKOFF = 1, 180


class SinkJob:
    """Loads at every barrier that has rows, commits every so many checkpoints."""

    def __init__(self, server: Server, sink: Sink):
        self.server = server
        self.sink = sink
        self.transaction: Transaction | None = None
        self.loaded_epoch = 0
        self.checkpoints = 0
        self.backoff = _FIRST_BACKOFF
        self.rewind = False
        self.ticks: asyncio.Queue[int] = asyncio.Queue()
        self.task = asyncio.create_task(self._run())

    def barrier(self, epoch: int) -> None:
        self.ticks.put_nowait(epoch)

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self._roll_back()

    async def _run(self) -> None:
        while True:
            epoch = await self.ticks.get()
            while not self.ticks.empty():
                epoch = self.ticks.get_nowait()
                self.checkpoints += 1
            try:
                await self._deliver(epoch)
            except LoadFailed as failure:
                await self._failed(str(failure))

    async def _deliver(self, epoch: int) -> None:
        if self.sink.option("connector") == "blackhole":
            self.sink.log.truncate(epoch)
            return
        if self.rewind:
            self.rewind = False
            await self._roll_back()
        self.checkpoints += 1
        if self.sink.rate_limit != 0:
            await self._load_until(epoch)
        interval = int(self.sink.option("commit_checkpoint_interval", "10"))
        if self.transaction is None:
            self.sink.log.truncate(self.loaded_epoch)
        elif self.checkpoints >= interval:
            self.checkpoints = 0
            await self.transaction.commit()
            self.transaction = None
            self.backoff = _FIRST_BACKOFF
            self.sink.log.truncate(self.loaded_epoch)

    async def _load_until(self, epoch: int) -> None:
        """A rate limit of 0 ends the reading; what is loaded by then is still committed."""
        entries = [e for e in self.sink.log.until(epoch) if e.epoch > self.loaded_epoch]
        if entries:
            if self.transaction is None:
                self.transaction = Transaction(self.sink)
                await self.transaction.begin()
            await self._load(entries)
        self.loaded_epoch = epoch

    async def _load(self, entries: list[Entry]) -> None:
        assert self.transaction is not None
        force_append = self.sink.option("force_append_only") == "true"
        ignore = force_append or self.sink.option("ignore_delete") == "true"
        rows = [(e.op, e.row) for e in entries if not (ignore and e.op == DELETE)]
        await self.transaction.load(rows)

    async def _roll_back(self) -> None:
        """The log is read again from its beginning."""
        transaction, self.transaction = self.transaction, None
        self.loaded_epoch = 0
        if transaction is not None:
            try:
                await transaction.rollback()
            except LoadFailed:
                pass  # StarRocks ends it by its own timeout

    async def _failed(self, text: str) -> None:
        self.server.events.sink_fail(self.sink.id, self.sink.name, text)
        await self._roll_back()
        pause = self.backoff * random.uniform(0.8, 1.2) * self.server.barrier_ms / 1000
        self.backoff = min(self.backoff * 2, _LAST_BACKOFF)
        await asyncio.sleep(pause)
