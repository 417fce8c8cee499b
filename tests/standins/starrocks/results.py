"""What a statement gives back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..common import mysqlwire as wire

Cell = str | bytes | None


@dataclass
class Outcome:
    """An OK packet."""

    affected: int = 0
    info: str = ""


@dataclass
class ResultSet:
    fields: list[wire.Field]
    rows: list[list[bytes | None]] = field(default_factory=list)


def texts(names: Sequence[str], rows: Sequence[Sequence[Cell]], length: int = 90) -> ResultSet:
    """A result whose columns are all VAR_STRING, as SHOW statements give."""
    fields = [wire.Field(name, wire.VAR_STRING, length) for name in names]
    return ResultSet(fields, [[encoded(cell) for cell in row] for row in rows])


def encoded(cell: Cell) -> bytes | None:
    if cell is None or isinstance(cell, bytes):
        return cell
    return cell.encode("utf-8", "surrogateescape")
