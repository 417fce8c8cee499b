"""PARTITION BY: columns, date_trunc('unit', column) or time_slice(column, INTERVAL n unit).

Rules and texts: the contract's starrocks.md 1.3 and 1.4; StarRocks 4.1
PartitionDescAnalyzer.java, AnalyzerUtils.java and PartitionExprAnalyzer.java; its
documentation, "Expression partitioning". Other expressions the real server takes for
generated columns; they are refused here.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from .cursor import Cursor
from .errors import SqlError, analyzing, plain
from .tree import ColumnDef
from .types import SqlType

TRUNC, SLICE = "date_trunc", "time_slice"
_UNITS = {TRUNC: ("hour", "day", "month", "year"),
          SLICE: ("minute", "hour", "day", "month", "year")}
_NAME_FORMS = {"minute": "%Y%m%d%H%M", "hour": "%Y%m%d%H", "day": "%Y%m%d", "month": "%Y%m",
               "year": "%Y"}
MAX_BUCKETS = 1024  # max_bucket_number_per_partition
MAX_PARTITIONS = 4096  # max_automatic_partition_number


@dataclass
class Partition:
    """`function` is empty for a list of columns."""

    columns: list[str]
    function: str = ""
    unit: str = ""
    count: int = 1

    def text(self) -> str:
        """As SHOW CREATE TABLE writes it."""
        if not self.function:
            listed = ",".join(f"`{name}`" for name in self.columns)
            return f"PARTITION BY ({listed})"
        return f"PARTITION BY {self.call()}"

    def call(self) -> str:
        if self.function == TRUNC:
            return f"{TRUNC}('{self.unit}', {self.columns[0]})"
        return f"{SLICE}({self.columns[0]}, {self.count}, '{self.unit}', 'floor')"

    def rename(self, old: str, new: str) -> None:
        self.columns = [new if name == old else name for name in self.columns]


@dataclass
class Partitions:
    """The partitions that rows have made so far; an empty one is not taken away again."""

    names: set[str] = field(default_factory=set)

    def add(self, wanted: Iterable[str]) -> str | None:
        """Makes what is missing, or says why it cannot."""
        names = self.names | set(wanted)
        if len(names) > MAX_PARTITIONS:
            return (f"Automatically created partitions exceeded the maximum limit: "
                    f"{MAX_PARTITIONS}. You can modify this restriction on by setting "
                    "max_automatic_partition_number larger.")
        self.names = names
        return None


def parse(cursor: Cursor) -> Partition:
    """The cursor stands after PARTITION BY."""
    function = cursor.token.text.lower()
    if function in (TRUNC, SLICE) and cursor.peek().text == "(":
        cursor.next()
        cursor.next()
        found = _trunc(cursor) if function == TRUNC else _slice(cursor)
        cursor.need_symbol(")")
    else:
        grouped = cursor.take_symbol("(")
        found = Partition([_column(cursor)])
        while cursor.take_symbol(","):
            found.columns.append(_column(cursor))
        if grouped:
            cursor.need_symbol(")")
    if cursor.is_symbol("(") or cursor.is_symbol(","):
        raise _not_here()
    return found


def _not_here() -> SqlError:
    return plain("PARTITION BY with this expression is not supported here")


def _column(cursor: Cursor) -> str:
    if cursor.is_word("RANGE", "LIST"):
        raise _not_here()
    name = cursor.identifier()
    if cursor.is_symbol("("):
        raise _not_here()
    return name


def _trunc(cursor: Cursor) -> Partition:
    unit = cursor.string().lower()
    cursor.need_symbol(",")
    if unit not in _UNITS[TRUNC]:
        raise _not_here()
    return Partition([_column(cursor)], TRUNC, unit)


def _slice(cursor: Cursor) -> Partition:
    column = _column(cursor)
    cursor.need_symbol(",")
    cursor.need_word("INTERVAL")
    count = cursor.number()
    unit = cursor.need_word(*(unit.upper() for unit in _UNITS[SLICE])).lower()
    if cursor.take_symbol(",") and not cursor.take_word("FLOOR"):
        raise _not_here()
    if count == 0:
        raise _not_here()
    return Partition([column], SLICE, unit, count)


def check(partition: Partition, columns: list[ColumnDef], keys: int, primary: bool) -> None:
    """Refuses what the analyzer refuses; names columns as they are defined."""
    seen: set[str] = set()
    for number, name in enumerate(partition.columns):
        if name.lower() in seen:
            raise analyzing(f"Duplicated partition column {name}")
        seen.add(name.lower())
        # A list compares names with case, a function without.
        place = next((at for at, column in enumerate(columns) if column.name == name or (
            partition.function and column.name.lower() == name.lower())), None)
        if place is None:
            raise analyzing(f"Partition column[{name}] does not exist in column list.")
        _check_column(partition, columns[place], place < keys or not primary)
        partition.columns[number] = columns[place].name


def _check_column(partition: Partition, column: ColumnDef, usable: bool) -> None:
    if not usable:
        raise analyzing("The partition column could not be aggregated column and unique table's "
                        "partition column must be key column")
    kind = column.type
    if kind.name in ("FLOAT", "DOUBLE", "ARRAY", "JSON", "BITMAP", "HLL", "PERCENTILE") \
            or kind.name == "DECIMAL" and not partition.function:
        raise analyzing(f"Invalid partition column '{column.name}': invalid data type "
                        f"{kind.java_text()}")
    if partition.function:
        _check_time(partition, kind)


def _check_time(partition: Partition, kind: SqlType) -> None:
    fitting = ("DATE", "DATETIME") if partition.function == TRUNC else ("DATETIME",)
    if kind.name not in fitting:
        raise analyzing(f"Unsupported partition type {kind.java_text()} for function "
                        f"{partition.call()}")
    if kind.name == "DATE" and partition.unit == "hour":
        raise analyzing("date_trunc function can't support argument other than "
                        "year|quarter|month|week|day")


def name_of(partition: Partition, values: list[str | None]) -> str:
    """The partition of a row with these values in the partition's columns."""
    if not partition.function:
        parts = ("NULL" if value is None else re.sub(r"\W", "", value).replace("_", "")
                 for value in values)
        return "p" + "_".join(parts)
    if values[0] is None:
        return "pNULL"
    moment = datetime.datetime.fromisoformat(values[0])
    if partition.function == SLICE:
        moment = _slice_start(moment, partition.unit, partition.count)
    return "p" + moment.strftime(_NAME_FORMS[partition.unit])


def _slice_start(moment: datetime.datetime, unit: str, count: int) -> datetime.datetime:
    """Slices are counted from the first moment of year 1."""
    origin = datetime.datetime(1, 1, 1)
    if unit in ("month", "year"):
        months = (moment.year - 1) * 12 + moment.month - 1
        size = count * (12 if unit == "year" else 1)
        year, month = divmod(months // size * size, 12)
        return origin.replace(year=year + 1, month=month + 1)
    size = datetime.timedelta(**{f"{unit}s": count})
    return origin + (moment - origin) // size * size
