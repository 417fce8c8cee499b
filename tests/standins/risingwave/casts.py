"""Which casts there are, and how a value changes in one.

Source: RisingWave 3.0.3 type_inference/cast.rs and expr/impl/src/scalar/cast.rs.
"""

from __future__ import annotations

import datetime
import decimal
import json
import math
import re
import struct
from collections.abc import Callable
from typing import Any

from . import rwtypes as t
from .duck import text
from .values import canonical_json

IMPLICIT, ASSIGN, EXPLICIT = "Implicit", "Assign", "Explicit"
_RANK = {IMPLICIT: 0, ASSIGN: 1, EXPLICIT: 2}
NUMBERS = (t.SMALLINT, t.INTEGER, t.BIGINT, t.NUMERIC, t.REAL, t.DOUBLE)
INTEGER_BITS = {t.SMALLINT: 15, t.INTEGER: 31, t.BIGINT: 63}
TIMES = (t.DATE, t.TIMESTAMP, t.TIMESTAMPTZ)
NUMERIC_CONTEXT = decimal.Context(prec=28, rounding=decimal.ROUND_HALF_UP, Emax=10**6,
                                  Emin=-10**6)
_SCALARS = (t.BOOLEAN, *NUMBERS, *TIMES, t.TIME, t.JSONB, t.BYTEA)
_MANTISSA = 1 << 96
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?")
_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


class EvalError(Exception):
    """A value an expression cannot work with; in a stream the result is then NULL."""


def context_of(source: t.Type, target: t.Type) -> str | None:
    """The least context in which the cast is allowed; None when there is no such cast."""
    if source is target:
        return IMPLICIT
    for chain in (NUMBERS, TIMES):
        if source in chain and target in chain:
            return IMPLICIT if chain.index(source) < chain.index(target) else ASSIGN
    if target is t.VARCHAR:
        return ASSIGN if source in _SCALARS else None
    if source is t.VARCHAR:
        return EXPLICIT if target in _SCALARS else None
    if {source, target} == {t.BOOLEAN, t.INTEGER}:
        return EXPLICIT
    if source in (t.TIMESTAMP, t.TIMESTAMPTZ) and target is t.TIME:
        return ASSIGN
    if source is t.JSONB and (target is t.BOOLEAN or target in NUMBERS):
        return EXPLICIT
    return None


def allowed(source: t.Type, target: t.Type, context: str) -> bool:
    least = context_of(source, target)
    return least is not None and _RANK[least] <= _RANK[context]


def convert(value: Any, source: t.Type, target: t.Type) -> Any:
    """A value (not NULL) of type `source` as `target`. Raises EvalError."""
    if source is target:
        return value
    try:
        if target is t.VARCHAR:
            return to_text(value, source)
        if source is t.VARCHAR:
            return _PARSERS[target](value.strip() if target is not t.BYTEA else value)
        if source is t.JSONB:
            return _from_json(json.loads(value), target)
        if target in NUMBERS:
            return _number(value, target)
        if target is t.BOOLEAN:
            return value != 0
        return _moment(value, target)
    except (ArithmeticError, ValueError) as error:
        raise EvalError(str(error)) from error


def to_text(value: Any, source: t.Type) -> str:
    if source is t.BOOLEAN:
        return "true" if value else "false"
    return text(value, source) or ""


def fit_integer(value: int, kind: t.Type) -> int:
    limit = 1 << INTEGER_BITS[kind]
    if not -limit <= value < limit:
        raise EvalError("numeric out of range")
    return value


def fit_numeric(value: decimal.Decimal) -> decimal.Decimal:
    """96 bits of mantissa and a scale of at most 28; what is beyond the scale is rounded."""
    if not value.is_finite():
        raise EvalError("numeric out of range")
    _, digits, exponent = value.as_tuple()
    scale = max(-int(exponent), 0)
    mantissa = int("".join(map(str, digits)) or "0")
    while scale > t.MAX_SCALE or scale and mantissa >= _MANTISSA:
        mantissa, rest = divmod(mantissa, 10)
        mantissa += rest >= 5
        scale -= 1
    if mantissa * 10 ** max(int(exponent), 0) >= _MANTISSA:
        raise EvalError("numeric out of range")
    sign = -1 if value.is_signed() else 1
    wide = decimal.Context(prec=100)
    if int(exponent) > 0:
        return value.quantize(decimal.Decimal(1), context=wide)
    return decimal.Decimal(sign * mantissa).scaleb(-scale, wide)


def single(value: float) -> float:
    try:
        return struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError as error:
        raise EvalError("float out of range") from error


def _number(value: Any, target: t.Type) -> Any:
    if target in INTEGER_BITS:
        if isinstance(value, float):
            if not math.isfinite(value):
                raise EvalError("casting to out of range")
            value = round(value)  # ties to even
        elif isinstance(value, decimal.Decimal):
            value = int(value.to_integral_value(decimal.ROUND_HALF_UP))
        return fit_integer(int(value), target)
    if target is t.NUMERIC:
        if isinstance(value, float):
            value = decimal.Decimal(repr(value)) if math.isfinite(value) else \
                decimal.Decimal("NaN")
        return fit_numeric(decimal.Decimal(value))
    return single(float(value)) if target is t.REAL else float(value)


def _moment(value: Any, target: t.Type) -> Any:
    if isinstance(value, datetime.datetime):
        naive = value.astimezone(datetime.UTC).replace(tzinfo=None) if value.tzinfo else value
    else:
        naive = datetime.datetime.combine(value, datetime.time())
    if target is t.DATE:
        return naive.date()
    if target is t.TIME:
        return naive.time()
    return naive if target is t.TIMESTAMP else naive.replace(tzinfo=datetime.UTC)


def _from_json(value: Any, target: t.Type) -> Any:
    if target is t.BOOLEAN:
        if not isinstance(value, bool):
            raise EvalError("cannot cast jsonb to type boolean")
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise EvalError("cannot cast jsonb to type number")
    return _number(float(value), target)


def _parse_bool(value: str) -> bool:
    lowered = value.lower()
    for words, found in ((_TRUE, True), (_FALSE, False)):
        # Any beginning that only one word has; "o" begins two.
        if lowered and lowered != "o" and any(word.startswith(lowered) for word in words):
            return found
    raise EvalError("Invalid bool")


def _parse_integer(kind: t.Type) -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not re.fullmatch(r"[+-]?\d+", value, re.ASCII):
            raise EvalError("invalid digit found in string")
        return fit_integer(int(value), kind)
    return parse


def _parse_numeric(value: str) -> decimal.Decimal:
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", value, re.ASCII):
        raise EvalError("invalid decimal")
    return fit_numeric(decimal.Decimal(value))


def _parse_float(value: str) -> float:
    if "_" in value or not value.isascii():
        raise EvalError("invalid float literal")
    return float(value)


def _parse_date(value: str) -> datetime.date:
    found = re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T].*)?", value, re.ASCII)
    if not found:
        raise EvalError("Can't cast string to date (expected format is YYYY-MM-DD)")
    return datetime.date(*(int(part) for part in found.groups()))


def _parse_time(value: str) -> datetime.time:
    found = _TIME.fullmatch(value)
    if not found:
        raise EvalError("Can't cast string to time (expected format is HH:MM:SS[.D+{up to 6 "
                        "digits}] or HH:MM)")
    hour, minute, second, fraction = found.groups()
    micros = int(((fraction or "") + "000000")[:6])
    return datetime.time(int(hour), int(minute), int(second or 0), micros)


def _parse_timestamp(value: str) -> datetime.datetime:
    day, _, clock = value.replace("T", " ", 1).partition(" ")
    moment = _parse_time(clock.strip()) if clock.strip() else datetime.time()
    return datetime.datetime.combine(_parse_date(day), moment)


def _parse_instant(value: str) -> datetime.datetime:
    found = re.fullmatch(r"(.*?)\s*(Z|UTC|[+-]\d{2}(?::?\d{2})?)?", value)
    assert found is not None
    moment, zone = _parse_timestamp(found.group(1)), found.group(2)
    offset = datetime.timedelta()
    if zone and zone[0] in "+-":
        digits = zone[1:].replace(":", "").ljust(4, "0")
        offset = datetime.timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        offset = -offset if zone[0] == "-" else offset
    return (moment - offset).replace(tzinfo=datetime.UTC)


def parse_bytes(value: str) -> bytes:
    """The hex form `\\x6162`, or text with `\\\\` and octal escapes."""
    if value.startswith("\\x"):
        return bytes.fromhex(value[2:])
    out = bytearray()
    at = 0
    raw = value.encode()
    while at < len(raw):
        if raw[at:at + 1] != b"\\":
            out.append(raw[at])
            at += 1
        elif raw[at + 1:at + 2] == b"\\":
            out.append(0x5C)
            at += 2
        elif re.fullmatch(rb"[0-3][0-7]{2}", raw[at + 1:at + 4]):
            out.append(int(raw[at + 1:at + 4], 8))
            at += 4
        else:
            raise EvalError("invalid input syntax for type bytea")
    return bytes(out)


_PARSERS: dict[t.Type, Callable[[str], Any]] = {
    t.BOOLEAN: _parse_bool, t.SMALLINT: _parse_integer(t.SMALLINT),
    t.INTEGER: _parse_integer(t.INTEGER), t.BIGINT: _parse_integer(t.BIGINT),
    t.NUMERIC: _parse_numeric, t.REAL: lambda value: single(_parse_float(value)),
    t.DOUBLE: _parse_float, t.DATE: _parse_date, t.TIME: _parse_time,
    t.TIMESTAMP: _parse_timestamp, t.TIMESTAMPTZ: _parse_instant, t.JSONB: canonical_json,
    t.BYTEA: parse_bytes}
