"""Functions over dates and times."""

from __future__ import annotations

import datetime
import decimal
import re
import zoneinfo
from collections.abc import Callable
from typing import Any

from . import rwtypes as t
from .casts import EvalError
from .signatures import add

_V, _I = t.VARCHAR, t.INTEGER


def _in_zone(value: datetime.datetime, zone: str) -> datetime.datetime:
    try:
        found = datetime.UTC if zone.upper() in ("UTC", "Z") else zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError) as error:
        raise EvalError(f"Invalid parameter time_zone: '{zone}'") from error
    if value.tzinfo is None:
        return value.replace(tzinfo=found).astimezone(datetime.UTC)
    return value.astimezone(found).replace(tzinfo=None)


_ZEROED = {"second": {}, "minute": {"second": 0}, "hour": {"minute": 0, "second": 0}}
_DAY = {"hour": 0, "minute": 0, "second": 0}


def _date_trunc(unit: str, value: datetime.datetime) -> datetime.datetime:
    unit = unit.lower()
    start = value.replace(microsecond=0)
    if unit == "microseconds":
        return value
    if unit == "milliseconds":
        return value.replace(microsecond=value.microsecond // 1000 * 1000)
    if unit in _ZEROED:
        return start.replace(**_ZEROED[unit])
    start = start.replace(**_DAY)
    if unit == "day":
        return start
    if unit == "week":
        return start - datetime.timedelta(days=start.weekday())
    start = start.replace(day=1)
    if unit == "month":
        return start
    if unit == "quarter":
        return start.replace(month=(start.month - 1) // 3 * 3 + 1)
    sizes = {"year": 1, "decade": 10, "century": 100, "millennium": 1000}
    if unit not in sizes:
        raise EvalError(f'Invalid parameter field: invalid field "{unit}"')
    size = sizes[unit]
    first = 0 if size <= 10 else 1  # centuries begin with their year 1
    return start.replace(month=1, year=(start.year - first) // size * size + first)


def _date_field(unit: str, value: datetime.date) -> int | None:
    iso = value.isocalendar()
    fields = {
        "millennium": (value.year - 1) // 1000 + 1, "century": (value.year - 1) // 100 + 1,
        "decade": value.year // 10, "year": value.year, "isoyear": iso.year,
        "quarter": (value.month - 1) // 3 + 1, "month": value.month, "week": iso.week,
        "day": value.day, "doy": value.timetuple().tm_yday, "dow": iso.weekday % 7,
        "isodow": iso.weekday}
    return fields.get(unit)


def _clock_field(unit: str, value: Any) -> decimal.Decimal | None:
    micros = value.second * 1_000_000 + value.microsecond
    fields = {"hour": (value.hour, 0), "minute": (value.minute, 0), "second": (micros, 6),
              "millisecond": (micros, 3), "microsecond": (micros, 0)}
    if unit not in fields:
        return None
    number, scale = fields[unit]
    return decimal.Decimal(number).scaleb(-scale)


def _extract(unit: str, value: Any) -> decimal.Decimal:
    unit = unit.lower()
    found: Any = None
    if unit == "epoch":
        found = _epoch(value)
    elif not isinstance(value, datetime.time):
        found = _date_field(unit, value)
    if found is None and isinstance(value, (datetime.time, datetime.datetime)):
        found = _clock_field(unit, value)
    if found is None:
        raise EvalError(f'unit "{unit}" not recognized')
    return decimal.Decimal(found)


def _epoch(value: Any) -> decimal.Decimal:
    if isinstance(value, datetime.time):
        value = datetime.datetime.combine(datetime.date(1970, 1, 1), value)
    elif not isinstance(value, datetime.datetime):
        return decimal.Decimal((value - datetime.date(1970, 1, 1)).days * 86400)
    since = value.replace(tzinfo=None) - datetime.datetime(1970, 1, 1)
    return decimal.Decimal(since // datetime.timedelta(microseconds=1)).scaleb(-6)


def _date_part(unit: str, value: Any) -> float:
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        value = datetime.datetime.combine(value, datetime.time())
    return float(_extract(unit, value))


_FIELDS: dict[str, Callable[[datetime.datetime], str]] = {
    "HH24": lambda v: f"{v.hour:02}", "HH12": lambda v: f"{(v.hour + 11) % 12 + 1:02}",
    "HH": lambda v: f"{(v.hour + 11) % 12 + 1:02}", "MI": lambda v: f"{v.minute:02}",
    "SS": lambda v: f"{v.second:02}", "YYYY": lambda v: f"{v.year:04}",
    "YY": lambda v: f"{v.year % 100:02}", "IYYY": lambda v: f"{v.isocalendar().year:04}",
    "IY": lambda v: f"{v.isocalendar().year % 100:02}", "MM": lambda v: f"{v.month:02}",
    "DD": lambda v: f"{v.day:02}", "NS": lambda v: f"{v.microsecond:06}000",
    "US": lambda v: f"{v.microsecond:06}", "MS": lambda v: f"{v.microsecond // 1000:03}",
    "TZH:TZM": lambda v: "+00:00", "TZHTZM": lambda v: "+0000", "TZH": lambda v: "+00"}
_FIELDS.update({name.lower(): field for name, field in list(_FIELDS.items())})
_FIELDS.update({
    "AM": lambda v: "PM" if v.hour >= 12 else "AM", "PM": lambda v: _FIELDS["AM"](v),
    "am": lambda v: _FIELDS["AM"](v).lower(), "pm": lambda v: _FIELDS["AM"](v).lower(),
    "Month": lambda v: v.strftime("%B"), "Mon": lambda v: v.strftime("%b")})
_PATTERN = re.compile("|".join(sorted(_FIELDS, key=len, reverse=True)))


def _to_char(value: datetime.datetime, form: str) -> str:
    return _PATTERN.sub(lambda found: _FIELDS[found.group()](value), form)


add("at_time_zone", (t.TIMESTAMPTZ, _V), t.TIMESTAMP, _in_zone)
add("at_time_zone", (t.TIMESTAMP, _V), t.TIMESTAMPTZ, _in_zone)
for _kind in (t.TIMESTAMP, t.TIMESTAMPTZ):
    add("date_trunc", (_V, _kind), _kind, _date_trunc)
    add("to_char", (_kind, _V), _V, _to_char)
for _kind in (t.DATE, t.TIME, t.TIMESTAMP, t.TIMESTAMPTZ):
    add("extract", (_V, _kind), t.NUMERIC, _extract)
    add("date_part", (_V, _kind), t.DOUBLE, _date_part)
add("-", (t.DATE, t.DATE), _I, lambda one, other: (one - other).days)
add("+", (t.DATE, _I), t.DATE, lambda day, count: day + datetime.timedelta(days=count))
add("-", (t.DATE, _I), t.DATE, lambda day, count: day - datetime.timedelta(days=count))
