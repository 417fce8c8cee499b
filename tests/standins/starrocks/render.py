"""Values on their way out: wire descriptions and the text form of every type."""

from __future__ import annotations

import datetime
import decimal
import struct
from typing import Any

from sqlglot import exp

from ..common import mysqlwire as wire
from .types import SqlType

_DUCK_FIELDS = {
    "BOOLEAN": SqlType("BOOLEAN"), "TINYINT": SqlType("TINYINT"), "SMALLINT": SqlType("SMALLINT"),
    "INTEGER": SqlType("INT"), "BIGINT": SqlType("BIGINT"), "HUGEINT": SqlType("LARGEINT"),
    "UBIGINT": SqlType("LARGEINT"), "UINTEGER": SqlType("BIGINT"), "FLOAT": SqlType("FLOAT"),
    "DOUBLE": SqlType("DOUBLE"), "DATE": SqlType("DATE"), "TIMESTAMP": SqlType("DATETIME"),
    "TIMESTAMP WITH TIME ZONE": SqlType("DATETIME"), "JSON": SqlType("JSON"),
    "BLOB": SqlType("VARBINARY", 1048576),
}


def field_of_duck(name: str, label: str) -> wire.Field:
    if name.startswith("DECIMAL("):
        precision, scale = (int(part) for part in name[8:-1].split(","))
        return SqlType("DECIMAL", precision=precision, scale=scale).field(label)
    kind = _DUCK_FIELDS.get(name)
    return kind.field(label) if kind else wire.Field(label, wire.VAR_STRING, 192)


def field_of_literal(node: exp.Expression, label: str) -> wire.Field | None:
    """Integer literals take the smallest type; NULL is sent as a boolean."""
    if isinstance(node, exp.Null):
        return SqlType("BOOLEAN").field(label)
    if isinstance(node, exp.Paren):
        return field_of_literal(node.this, label)
    if isinstance(node, exp.Literal) and not node.is_string and node.name.isdigit():
        for name, bits in (("TINYINT", 7), ("SMALLINT", 15), ("INT", 31), ("BIGINT", 63)):
            if int(node.name) < 1 << bits:
                return SqlType(name).field(label)
        return SqlType("LARGEINT").field(label)
    return None


def cells(field: wire.Field, value: Any) -> bytes | None:
    """One value as the text protocol sends it."""
    if value is None or isinstance(value, bytes):
        return value
    return plain_text(value, field.type == wire.FLOAT).encode("utf-8", "surrogateescape")


def plain_text(value: Any, single: bool = False) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        return _float_text(value, single)
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, datetime.datetime):
        form = f"{value.year:04d}-{value:%m-%d %H:%M:%S}"
        return f"{form}.{value.microsecond:06d}" if value.microsecond else form
    if isinstance(value, datetime.date):
        return f"{value.year:04d}-{value:%m-%d}"
    return str(value)


def _float_text(value: float, single: bool) -> str:
    """The shortest text that reads back as the same number."""
    text = repr(value)
    if single:
        shorter = (float(f"{value:.{digits}g}") for digits in range(1, 10))
        text = repr(next((number for number in shorter if _is_single(number, value)), value))
    return text[:-2] if text.endswith(".0") else text


def _is_single(number: float, value: float) -> bool:
    """Whether both are the same float; near the largest one, a rounded number is none at all."""
    try:
        return struct.pack("<f", number) == struct.pack("<f", value)
    except OverflowError:
        return False
