"""From MySQL's values to RisingWave's, with the losses RisingWave has.

A value that RisingWave cannot hold becomes None without a word, as contract
verified.md 1-8 says; the tests of the controller depend on these losses.
"""

from __future__ import annotations

import datetime
import decimal
import json
import re
from dataclasses import dataclass
from typing import Any

from . import rwtypes as t

_INTEGERS = {t.SMALLINT: 15, t.INTEGER: 31, t.BIGINT: 63}
_MAX_MANTISSA = (1 << 96) - 1
_MAX_SCALE = 28
_DAY = datetime.timedelta(days=1)
_MIDNIGHT = datetime.datetime(1970, 1, 1)
_LABEL = re.compile(r"'((?:[^']|'')*)'")
# MySQL prints labels with doubled quotes and these escapes.
_ESCAPED = re.compile(r"(?:'|\\)(['\\nr0])")
_PLAIN = {"n": "\n", "r": "\r", "0": "\0"}
_CODECS = {"utf8": "utf-8", "utf8mb3": "utf-8", "utf8mb4": "utf-8", "latin1": "cp1252",
           "ucs2": "utf-16-be", "utf16": "utf-16-be", "utf16le": "utf-16-le",
           "utf32": "utf-32-be", "sjis": "shift_jis", "ujis": "euc_jp", "eucjpms": "euc_jp",
           "euckr": "euc_kr", "koi8r": "koi8_r", "koi8u": "koi8_u", "tis620": "tis_620",
           "latin2": "iso8859_2", "latin5": "iso8859_9", "latin7": "iso8859_13",
           "greek": "iso8859_7", "hebrew": "iso8859_8"}


@dataclass(frozen=True)
class MyColumn:
    """A row of MySQL's information_schema.COLUMNS."""

    name: str
    data_type: str
    column_type: str
    charset: str | None
    in_key: bool

    @property
    def unsigned(self) -> bool:
        return "unsigned" in self.column_type.lower()

    @property
    def labels(self) -> list[str]:
        return [_ESCAPED.sub(lambda found: _PLAIN.get(found.group(1), found.group(1)), label)
                for label in _LABEL.findall(self.column_type)]

    @property
    def length(self) -> int:
        found = re.search(r"\((\d+)", self.column_type)
        return int(found.group(1)) if found else 1


def parse_snapshot(value: Any, column: MyColumn) -> Any:
    """The text protocol's value as a plain Python value. Raises ValueError."""
    if value is None:
        return None
    kind = column.data_type
    if kind == "bit":
        return int.from_bytes(value, "big")
    if isinstance(value, bytes) and not kind.endswith(("blob", "binary")):
        value = value.decode("utf-8")
    if kind.endswith("int") or kind == "year":
        return int(value)
    if kind in ("float", "double"):
        return float(value)
    if kind == "decimal":
        return decimal.Decimal(value)
    if kind == "date":
        return datetime.date.fromisoformat(value)
    if kind in ("datetime", "timestamp"):
        return datetime.datetime.fromisoformat(value)
    if kind == "time":
        return _parse_time(value)
    return value


def _parse_time(text: str) -> datetime.timedelta:
    hours, minutes, seconds = text.lstrip("-").split(":")
    found = datetime.timedelta(hours=int(hours), minutes=int(minutes),
                               microseconds=round(float(seconds) * 1e6))
    return -found if text.startswith("-") else found


def parse_image(raw: Any, column: MyColumn) -> Any:
    """A row image's raw value as a plain Python value."""
    if raw is None:
        return None
    kind = column.data_type
    if kind.endswith("int"):
        return raw % (1 << _width(kind)) if column.unsigned else raw
    if kind == "enum":
        return column.labels[raw - 1] if raw else ""
    if kind == "set":
        return ",".join(label for i, label in enumerate(column.labels) if raw >> i & 1)
    if kind == "binary":
        return raw.ljust(column.length, b"\0")  # the log drops trailing zero bytes
    if isinstance(raw, bytes) and column.charset:
        return _decode(raw, column.charset)
    if kind == "json":
        return _binary_json(raw)
    return raw


def _width(kind: str) -> int:
    return {"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32}.get(kind, 64)


def _decode(raw: bytes, charset: str) -> str:
    codec = _CODECS.get(charset, charset)
    try:
        return raw.decode(codec)
    except UnicodeDecodeError:  # MySQL's latin1 defines the five bytes cp1252 lacks
        return raw.decode("latin-1" if charset == "latin1" else codec, "replace")


def _binary_json(raw: bytes) -> str:
    from pymysqlreplication.json_binary import parse_json
    return json.dumps(_decoded(parse_json(raw[0], raw[1:])) if raw else None)


def _decoded(value: Any) -> Any:
    if isinstance(value, dict):
        return {_decoded(key): _decoded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_decoded(inner) for inner in value]
    if isinstance(value, bytes):
        return value.decode("utf-8")
    return str(value) if isinstance(value, (decimal.Decimal, datetime.datetime)) else value


def to_risingwave(value: Any, column: MyColumn, wanted: t.Type, live: bool, precise: bool) -> Any:
    """`value` as RisingWave stores it in a column of type `wanted`; None if it cannot."""
    if value is None:
        return None
    try:
        if live and column.data_type == "bigint" and column.unsigned:
            return _live_unsigned(value, wanted, precise)
        if wanted in _INTEGERS and isinstance(value, int):
            return _integer(value, column, wanted)
        if not t.mysql_accepts(column.data_type, column.column_type, wanted):
            return None
        return _CONVERT[wanted](value, column)
    except (ValueError, decimal.InvalidOperation, OverflowError):
        return None


def _live_unsigned(value: int, wanted: t.Type, precise: bool) -> Any:
    """Debezium sends a decimal in precise mode, else the same 64 bits as a signed number."""
    if precise:
        return decimal.Decimal(value) if wanted is t.NUMERIC else None
    signed = value - (1 << 64) if value >> 63 else value
    if wanted is t.NUMERIC:
        return decimal.Decimal(signed)
    return signed if wanted is t.BIGINT else None


def _integer(value: int, column: MyColumn, wanted: t.Type) -> int | None:
    if column.data_type == "bit":
        return None
    if column.unsigned and column.data_type == "bigint" and wanted is t.BIGINT and value >> 63:
        return value - (1 << 64)
    limit = 1 << _INTEGERS[wanted]
    return value if -limit <= value < limit else None


def _boolean(value: Any, _: MyColumn) -> bool | None:
    return bool(value) if value in (0, 1) else None


def _numeric(value: Any, _: MyColumn) -> decimal.Decimal | None:
    """96 bits of mantissa and a scale of at most 28."""
    number = decimal.Decimal(value)
    _, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int) or -exponent > _MAX_SCALE:
        return None
    mantissa = int("".join(map(str, digits))) * 10 ** max(exponent, 0)
    return number if mantissa <= _MAX_MANTISSA else None


def _bytes(value: Any, column: MyColumn) -> bytes:
    if column.data_type == "bit":
        return int(value).to_bytes((column.length + 7) // 8, "big")
    return value.encode() if isinstance(value, str) else bytes(value)


def _time(value: datetime.timedelta, _: MyColumn) -> datetime.time | None:
    if value < datetime.timedelta(0) or value >= _DAY:
        return None
    return (_MIDNIGHT + value).time()


def _instant(value: datetime.datetime, _: MyColumn) -> datetime.datetime:
    return value.replace(tzinfo=datetime.UTC)


def _same(value: Any, _: MyColumn) -> Any:
    return value


def canonical_json(text: str) -> str:
    """jsonb's text: sorted keys, a blank after comma and colon."""
    return json.dumps(json.loads(text), sort_keys=True, ensure_ascii=False)


_CONVERT = {
    t.BOOLEAN: _boolean, t.REAL: lambda v, _: float(v), t.DOUBLE: lambda v, _: float(v),
    t.NUMERIC: _numeric, t.VARCHAR: lambda v, _: str(v), t.BYTEA: _bytes, t.DATE: _same,
    t.TIME: _time, t.TIMESTAMP: _same, t.TIMESTAMPTZ: _instant,
    t.JSONB: lambda v, _: canonical_json(v)}
