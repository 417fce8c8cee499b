"""How far a snapshot or a backfill is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class SnapshotProgress:
    """One row of `__internal_<table>_.._streamcdcscan_..`."""

    started: bool = False  # no row before the first barrier
    skipped: bool = False  # snapshot='false': never a row
    finished: bool = False
    row_count: int = 0
    last_key: tuple[Any, ...] = ()
    offset: dict[str, Any] | None = None


@dataclass
class BackfillProgress:
    """A sink's reading of the rows its table already had."""

    total: int = 0
    done: int = 0
    pending: dict[tuple, tuple] = field(default_factory=dict)  # by the key of the row
    rate_limit: int = -1
    started_at: Any = None

    def percent(self) -> str:
        """As SHOW JOBS prints it."""
        share = 100 * self.done / self.total if self.total else 0
        return f"Snapshot [{share:.2f}% ({self.done}/{self.total})]"

    def exact_percent(self) -> str:
        """As rw_fragment_backfill_progress prints it: a decimal of 28 digits."""
        from decimal import Decimal, getcontext
        getcontext().prec = 28
        share = Decimal(100 * self.done) / Decimal(self.total) if self.total else Decimal(0)
        return f"{share.normalize() if share == share.to_integral() else share}% " \
               f"({self.done}/{self.total})"
