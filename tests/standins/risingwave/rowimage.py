"""Decodes row images of MySQL's binary log.

The library reads the stream's events; their rows it can only decode where the
server logs full column metadata, which MySQL 5.6 cannot. Here the columns come
from the schema history instead, as in Debezium. Formats: MySQL internals manual,
"Rows event" and "Date and time data type representation".
"""

from __future__ import annotations

import datetime
import decimal
import struct
from typing import Any

from pymysqlreplication.constants import FIELD_TYPE as T

_DECIMAL_BYTES = (0, 1, 1, 2, 2, 3, 3, 4, 4, 4)


class RowReader:
    """Reads images from the body of one rows event."""

    def __init__(self, body: bytes, columns: list[Any]):
        self.body = body
        self.at = 0
        self.columns = columns

    def more(self) -> bool:
        return self.at < len(self.body)

    def read(self, size: int) -> bytes:
        found = self.body[self.at:self.at + size]
        if len(found) != size:
            raise ValueError("row image ends early")
        self.at += size
        return found

    def image(self, present: bytes) -> list[Any]:
        """One row, a raw value per column; None where absent or NULL."""
        used = [i for i in range(len(self.columns)) if present[i // 8] >> (i % 8) & 1]
        nulls = self.read((len(used) + 7) // 8)
        row: list[Any] = [None] * len(self.columns)
        for bit, index in enumerate(used):
            if not nulls[bit // 8] >> (bit % 8) & 1:
                row[index] = self._value(self.columns[index])
        return row

    def _uint(self, size: int) -> int:
        return int.from_bytes(self.read(size), "little")

    def _big(self, size: int) -> int:
        return int.from_bytes(self.read(size), "big")

    def _pascal(self, length_size: int) -> bytes:
        return self.read(self._uint(length_size))

    def _value(self, column: Any) -> Any:
        kind = column.type
        size = {T.TINY: 1, T.SHORT: 2, T.INT24: 3, T.LONG: 4, T.LONGLONG: 8}.get(kind)
        if size:
            return int.from_bytes(self.read(size), "little", signed=True)
        reader = getattr(self, f"_read_{_NAMES.get(kind, '')}", None)
        if reader is None:
            raise ValueError(f"column type {kind} in a row image")
        return reader(column)

    def _read_float(self, _: Any) -> float:
        return struct.unpack("<f", self.read(4))[0]

    def _read_double(self, _: Any) -> float:
        return struct.unpack("<d", self.read(8))[0]

    def _read_string(self, column: Any) -> bytes:
        return self._pascal(2 if column.max_length > 255 else 1)

    def _read_blob(self, column: Any) -> bytes:
        return self._pascal(column.length_size)

    def _read_json(self, column: Any) -> Any:
        return self._pascal(column.length_size)

    def _read_enum(self, column: Any) -> int:
        return self._uint(column.size)

    def _read_bit(self, column: Any) -> int:
        return self._big(column.bytes)

    def _read_year(self, _: Any) -> int:
        year = self._uint(1)
        return year + 1900 if year else 0

    def _read_date(self, _: Any) -> datetime.date | None:
        value = self._uint(3)
        return _date(value >> 9, value >> 5 & 15, value & 31)

    def _read_time(self, _: Any) -> datetime.timedelta:
        value = int.from_bytes(self.read(3), "little", signed=True)
        sign, value = (-1 if value < 0 else 1), abs(value)
        return sign * datetime.timedelta(hours=value // 10000, minutes=value // 100 % 100,
                                         seconds=value % 100)

    def _read_time2(self, column: Any) -> datetime.timedelta:
        fraction_bytes = (column.fsp + 1) // 2
        whole = self._big(3 + fraction_bytes) - (0x800000 << 8 * fraction_bytes)
        sign, whole = (-1 if whole < 0 else 1), abs(whole)
        part = whole & (1 << 8 * fraction_bytes) - 1
        seconds = whole >> 8 * fraction_bytes
        micros = part * 100 ** (3 - fraction_bytes)
        return sign * datetime.timedelta(hours=seconds >> 12 & 1023, minutes=seconds >> 6 & 63,
                                         seconds=seconds & 63, microseconds=micros)

    def _micros(self, fsp: int) -> int:
        size = (fsp + 1) // 2
        return self._big(size) * 100 ** (3 - size) if size else 0

    def _read_timestamp(self, _: Any) -> datetime.datetime | None:
        return _instant(self._uint(4), 0)

    def _read_timestamp2(self, column: Any) -> datetime.datetime | None:
        seconds = self._big(4)
        return _instant(seconds, self._micros(column.fsp))

    def _read_datetime(self, _: Any) -> datetime.datetime | None:
        value = self._uint(8)
        day, clock = divmod(value, 1000000)
        return _datetime(day // 10000, day // 100 % 100, day % 100, clock // 10000,
                         clock // 100 % 100, clock % 100, 0)

    def _read_datetime2(self, column: Any) -> datetime.datetime | None:
        value = self._big(5) - (1 << 39)
        micros = self._micros(column.fsp)
        month = value >> 22
        return _datetime(month // 13, month % 13, value >> 17 & 31, value >> 12 & 31,
                         value >> 6 & 63, value & 63, micros)

    def _read_decimal(self, column: Any) -> decimal.Decimal:
        whole_digits = column.precision - column.decimals
        size = _decimal_size(whole_digits) + _decimal_size(column.decimals)
        raw = bytearray(self.read(size))
        negative = not raw[0] & 0x80
        raw[0] ^= 0x80
        if negative:
            raw = bytearray(byte ^ 0xFF for byte in raw)
        digits = _groups(raw, whole_digits % 9, whole_digits // 9, leading=True)
        digits += _groups(raw, column.decimals % 9, column.decimals // 9, leading=False)
        sign = "-" if negative else ""
        return decimal.Decimal(f"{sign}{digits or '0'}e-{column.decimals}")


def _decimal_size(digits: int) -> int:
    return digits // 9 * 4 + _DECIMAL_BYTES[digits % 9]


def _groups(raw: bytearray, odd: int, full: int, leading: bool) -> str:
    """Nine digits to four bytes; the odd group stands at the number's outer end."""
    widths = [9] * full
    if odd:
        widths = [odd] + widths if leading else widths + [odd]
    digits = ""
    for width in widths:
        size = _DECIMAL_BYTES[width]
        digits += f"{int.from_bytes(raw[:size], 'big'):0{width}d}"
        del raw[:size]
    return digits


def _date(year: int, month: int, day: int) -> datetime.date | None:
    try:
        return datetime.date(year, month, day)
    except ValueError:  # zero dates
        return None


def _datetime(*parts: int) -> datetime.datetime | None:
    try:
        return datetime.datetime(*parts)  # type: ignore[arg-type]
    except ValueError:
        return None


def _instant(seconds: int, micros: int) -> datetime.datetime | None:
    if seconds == 0:  # 0000-00-00 00:00:00
        return None
    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return moment.replace(tzinfo=None, microsecond=micros)


_NAMES = {
    T.FLOAT: "float", T.DOUBLE: "double", T.NEWDECIMAL: "decimal", T.VARCHAR: "string",
    T.STRING: "string", T.VAR_STRING: "string", T.BLOB: "blob", T.GEOMETRY: "blob", T.JSON: "json",
    T.ENUM: "enum", T.SET: "enum", T.BIT: "bit", T.YEAR: "year", T.DATE: "date", T.TIME: "time",
    T.TIME2: "time2", T.TIMESTAMP: "timestamp", T.TIMESTAMP2: "timestamp2",
    T.DATETIME: "datetime", T.DATETIME2: "datetime2"}
