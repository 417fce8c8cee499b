"""Values on their way into a table: conversion, limits, key length.

A load (strict_mode=false) turns what cannot be converted into NULL and filters
rows that break a limit; every filtered row fails the load. Sources: the
contract's starrocks.md 1.5, 2.2, 2.3 and 6.3.
"""

from __future__ import annotations

import datetime
import decimal
import json
import math
import re
import struct
from typing import Any

from .catalog import Column
from .types import INTEGER_BITS, SqlType

MAX_KEY_BYTES = 128
MAX_JSON_BYTES = 16 * 1024 * 1024
KEY_TOO_LONG = "primary key size exceed the limit."
_FIXED_BYTES = {"BOOLEAN": 1, "TINYINT": 1, "SMALLINT": 2, "INT": 4, "BIGINT": 8,
                "LARGEINT": 16, "DATE": 4, "DATETIME": 8}
_TIME = re.compile(r"(\d{4})-(\d\d?)-(\d\d?)(?:[ T](\d\d?):(\d\d?)(?::(\d\d?)(?:\.(\d+))?)?)?")
_CONTEXT = decimal.Context(prec=120)


class Number(str):
    """A JSON number with a fraction or exponent, kept as it was written."""


class BadRow(Exception):
    """A row the writer filters; the text is what the error log says."""


def read_json(text: str, decoder: json.JSONDecoder = json.JSONDecoder(
        parse_float=Number, parse_constant=Number)) -> list[Any]:
    """JSON values one after another, with or without blanks between them."""
    values: list[Any] = []
    at = 0
    while True:
        while at < len(text) and text[at].isspace():
            at += 1
        if at == len(text):
            return values
        value, at = decoder.raw_decode(text, at)
        values.append(value)


def load_value(column: Column, value: Any) -> str | None:
    """The text stored for a loaded JSON value."""
    text = None if value is None else converted(column.type, value)
    return checked(column, text)


def checked(column: Column, text: str | None) -> str | None:
    """Applies the limits of the writer."""
    if text is None:
        if not column.nullable:
            raise BadRow(f"NULL value in non-nullable column '{column.name}'")
        return None
    kind = column.type
    if kind.name in ("CHAR", "VARCHAR"):
        size = len(text.encode("utf-8", "surrogatepass"))
        if size > kind.length:
            raise BadRow(f"String '{text[:100]}'(length={size}) is too long. The max length of "
                         f"'{column.name}' is {kind.length}")
    elif kind.name == "VARBINARY" and len(text) // 2 > kind.length:
        raise BadRow(f"String '{text[:100]}'(length={len(text) // 2}) is too long. The max "
                     f"length of '{column.name}' is {kind.length}")
    elif kind.name == "DECIMAL":
        return _checked_decimal(column, text)
    elif kind.name == "JSON" and len(text) > MAX_JSON_BYTES:
        raise BadRow(f"JSON value of '{column.name}' is larger than {MAX_JSON_BYTES} bytes")
    return text


def _checked_decimal(column: Column, text: str) -> str:
    kind = column.type
    value = decimal.Decimal(text)
    rounded = value.quantize(decimal.Decimal(1).scaleb(-kind.scale),
                             decimal.ROUND_HALF_UP, _CONTEXT)
    if abs(rounded) >= decimal.Decimal(10) ** (kind.precision - kind.scale):
        raise BadRow(f"Decimal '{text}' is out of range. The type of '{column.name}' is "
                     f"{kind.java_text()}'")
    return format(rounded, "f")


def converted(kind: SqlType, value: Any) -> str | None:
    """None when the value cannot be converted."""
    if kind.name in INTEGER_BITS:
        return _integer(kind.name, value)
    if kind.name == "BOOLEAN":
        return _boolean(value)
    if kind.name in ("FLOAT", "DOUBLE"):
        return _float(kind.name, value)
    if kind.name == "DECIMAL":
        return _decimal(value)
    if kind.name in ("DATE", "DATETIME"):
        return time_text(kind.name, str(value))
    if kind.name in ("JSON", "ARRAY"):
        return json_text(value)
    text = _plain_text(value)
    return text.encode("utf-8").hex() if kind.name == "VARBINARY" else text


def _plain_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return json_text(value) if isinstance(value, (dict, list)) else str(value)


def _integer(name: str, value: Any) -> str | None:
    if isinstance(value, bool):
        return str(int(value))
    try:
        number = int(decimal.Decimal(str(value).strip()))
    except (ArithmeticError, ValueError):
        return None
    bits = INTEGER_BITS[name]
    return str(number) if -(1 << bits - 1) <= number < 1 << bits - 1 else None


def _boolean(value: Any) -> str | None:
    known = {"true": "true", "false": "false", "1": "true", "0": "false"}
    return known.get(str(value).strip().lower())


def _float(name: str, value: Any) -> str | None:
    try:
        number = float(value)
        if name == "FLOAT" and math.isfinite(number):
            struct.pack("<f", number)
    except (TypeError, ValueError, OverflowError):
        return None
    return repr(number) if math.isfinite(number) else None


def _decimal(value: Any) -> str | None:
    if isinstance(value, bool):
        return str(int(value))
    try:
        number = decimal.Decimal(str(value).strip())
    except decimal.InvalidOperation:
        return None
    return str(number) if number.is_finite() else None


def time_text(name: str, text: str) -> str | None:
    """A date or time in the form it is stored, or None when it is none."""
    match = _TIME.fullmatch(text.strip())
    if not match:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    micros = (match.group(7) or "")[:6].ljust(6, "0")
    try:
        moment = datetime.datetime(year, month, day, hour, minute, second, int(micros))
    except ValueError:
        return None
    form = "{:%m-%d}" if name == "DATE" else "{:%m-%d %H:%M:%S.%f}"
    return f"{moment.year:04d}-" + form.format(moment)


def json_text(value: Any) -> str:
    """JSON as the server prints it: one blank after ':' and ','."""
    if isinstance(value, dict):
        items = (f"{json.dumps(key, ensure_ascii=False)}: {json_text(item)}"
                 for key, item in value.items())
        return "{" + ", ".join(items) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(json_text(item) for item in value) + "]"
    if isinstance(value, Number):
        number = repr(float(value))
        return number[:-2] if number.endswith(".0") else number
    return json.dumps(value, ensure_ascii=False)


def key_bytes(columns: list[Column], values: list[str | None]) -> int:
    """Size of an encoded primary key; above MAX_KEY_BYTES the load fails."""
    if len(columns) == 1 and columns[0].type.name == "VARCHAR":
        return len((values[0] or "").encode())
    total = 0
    for number, (column, value) in enumerate(zip(columns, values)):
        fixed = _FIXED_BYTES.get(column.type.name)
        if fixed is not None:
            total += fixed
            continue
        raw = (value or "").encode()
        is_last = number == len(columns) - 1
        total += len(raw) if is_last else len(raw) + raw.count(b"\0") + 2
    return total
