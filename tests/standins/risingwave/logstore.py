"""A decoupled sink's log store: what the table has sent and StarRocks has not."""

from __future__ import annotations

import time
import zlib
from dataclasses import dataclass, field
from typing import Any

UPSERT, DELETE, BARRIER = 1, 2, 6
VNODES = 256
IDLE_EPOCHS = 3  # what a healthy, idle sink was seen to keep
_EPOCH_ZERO_S = 1617235200  # 2021-04-01, where RisingWave's epochs begin
_SIGN = 1 << 63


def new_epoch() -> int:
    return int((time.time() - _EPOCH_ZERO_S) * 1000) << 16


def stored_epoch(epoch: int) -> int:
    """The signed form in which the log store's key holds an epoch."""
    return epoch - _SIGN


def vnode_of(key: Any) -> int:
    return zlib.crc32(repr(key).encode()) % VNODES


@dataclass
class Entry:
    epoch: int
    seq_id: int
    vnode: int
    op: int
    row: tuple


@dataclass
class LogStore:
    entries: list[Entry] = field(default_factory=list)
    barriers: list[int] = field(default_factory=list)

    def append(self, epoch: int, changes: list[tuple[int, Any, tuple]]) -> None:
        """Adds one epoch's (op, key, row)."""
        for seq_id, (op, key, row) in enumerate(changes):
            self.entries.append(Entry(epoch, seq_id, vnode_of(key), op, row))

    def barrier(self, epoch: int) -> None:
        self.barriers.append(epoch)

    def until(self, epoch: int) -> list[Entry]:
        return [entry for entry in self.entries if entry.epoch <= epoch]

    def truncate(self, epoch: int) -> None:
        """Everything up to `epoch` is delivered."""
        self.entries = [entry for entry in self.entries if entry.epoch > epoch]
        kept = [barrier for barrier in self.barriers if barrier > epoch]
        self.barriers = kept if len(kept) >= IDLE_EPOCHS else self.barriers[-IDLE_EPOCHS:]
