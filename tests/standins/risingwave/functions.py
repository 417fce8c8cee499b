"""Operators and functions over numbers, truths and JSON; takes in those of the other files."""

from __future__ import annotations

import decimal
import json
import math
import operator
from collections.abc import Callable
from typing import Any

from . import rwtypes as t
from . import textfunctions, timefunctions  # noqa: F401 - they fill the table
from .casts import INTEGER_BITS, NUMERIC_CONTEXT, EvalError, fit_integer, fit_numeric, single
from .signatures import add
from .values import canonical_json

_INTEGERS = (t.SMALLINT, t.INTEGER, t.BIGINT)
_FLOATS = (t.REAL, t.DOUBLE)


def _widest(kinds: tuple[t.Type, ...], one: t.Type, other: t.Type) -> t.Type:
    return kinds[max(kinds.index(one), kinds.index(other))]


def _checked(kind: t.Type, compute: Callable[..., Any]) -> Callable[..., Any]:
    """Brings a result into its type, or fails as out of range."""
    def run(*values: Any) -> Any:
        found = compute(*values)
        if kind in INTEGER_BITS:
            return fit_integer(found, kind)
        if kind is t.NUMERIC:
            return fit_numeric(found)
        if not math.isfinite(found) and all(math.isfinite(value) for value in values):
            raise EvalError("numeric out of range")
        return single(found) if kind is t.REAL else found
    return run


def _divide(one: Any, other: Any) -> Any:
    if other == 0:
        raise EvalError("Division by zero")
    if isinstance(one, int):
        found = abs(one) // abs(other)
        return found if (one < 0) == (other < 0) else -found
    return NUMERIC_CONTEXT.divide(one, other) if isinstance(one, decimal.Decimal) else one / other


def _modulus(one: Any, other: Any) -> Any:
    if other == 0:
        raise EvalError("Division by zero")
    return int(math.copysign(1, one)) * (abs(one) % abs(other)) if isinstance(one, int) \
        else NUMERIC_CONTEXT.remainder(one, other)


def _power(one: Any, other: Any) -> Any:
    if one == 0 and other < 0 or one < 0 and other != int(other):
        raise EvalError("Invalid parameter rhs")
    return NUMERIC_CONTEXT.power(one, other) if isinstance(one, decimal.Decimal) else one ** other


def _sqrt(value: Any) -> Any:
    if value < 0:
        raise EvalError("Invalid parameter sqrt input: input cannot be negative value")
    return value.sqrt(NUMERIC_CONTEXT) if isinstance(value, decimal.Decimal) else math.sqrt(value)


def _whole(mode: str) -> Callable[[decimal.Decimal], decimal.Decimal]:
    return lambda value: value.to_integral_value(mode)


def _round_to(value: decimal.Decimal, digits: int) -> decimal.Decimal:
    """Never adds digits; a negative count rounds left of the point."""
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)
    if digits >= -exponent:
        return value
    wide = decimal.Context(prec=100, rounding=decimal.ROUND_HALF_UP)
    found = value.quantize(decimal.Decimal(1).scaleb(-digits), context=wide)
    return found.quantize(decimal.Decimal(1), context=wide) if digits < 0 else found


def _pairs(kinds: tuple[t.Type, ...]) -> list[tuple[t.Type, t.Type]]:
    return [(one, other) for one in kinds for other in kinds]


for _symbol, _compute in (("+", operator.add), ("-", operator.sub), ("*", operator.mul),
                          ("/", _divide)):
    for _one, _other in [*_pairs(_INTEGERS), *_pairs(_FLOATS), (t.NUMERIC, t.NUMERIC)]:
        _result = t.NUMERIC if _one is t.NUMERIC else _widest(
            _INTEGERS if _one in _INTEGERS else _FLOATS, _one, _other)
        add(_symbol, (_one, _other), _result, _checked(_result, _compute))
for _one, _other in [*_pairs(_INTEGERS), (t.NUMERIC, t.NUMERIC)]:
    _result = t.NUMERIC if _one is t.NUMERIC else _widest(_INTEGERS, _one, _other)
    add("% mod", (_one, _other), _result, _checked(_result, _modulus))
for _kind in (*_INTEGERS, t.NUMERIC, *_FLOATS):
    add("negative", (_kind,), _kind, _checked(_kind, operator.neg))
    add("abs", (_kind,), _kind, _checked(_kind, abs))
for _kind in (t.NUMERIC, t.DOUBLE):
    add("power pow", (_kind, _kind), _kind, _checked(_kind, _power))
    add("sqrt", (_kind,), _kind, _checked(_kind, _sqrt))
    add("sign", (_kind,), _kind,
         lambda value: type(value)(0 if value == 0 else 1 if value > 0 else -1))
add("round", (t.NUMERIC,), t.NUMERIC, _whole(decimal.ROUND_HALF_UP))
add("round", (t.NUMERIC, t.INTEGER), t.NUMERIC, lambda v, digits: fit_numeric(_round_to(v, digits)))
add("floor", (t.NUMERIC,), t.NUMERIC, _whole(decimal.ROUND_FLOOR))
add("ceil ceiling", (t.NUMERIC,), t.NUMERIC, _whole(decimal.ROUND_CEILING))
add("trunc", (t.NUMERIC,), t.NUMERIC, _whole(decimal.ROUND_DOWN))
for _name, _compute in (("round", round), ("floor", math.floor), ("ceil ceiling", math.ceil),
                        ("trunc", math.trunc)):
    add(_name, (t.DOUBLE,), t.DOUBLE,
         lambda v, compute=_compute: float(compute(v)) if math.isfinite(v) else v)


for _kind in (t.BOOLEAN, *_INTEGERS, t.NUMERIC, *_FLOATS, t.VARCHAR, t.BYTEA, t.DATE, t.TIME,
              t.TIMESTAMP, t.TIMESTAMPTZ):
    for _symbol, _compute in (("=", operator.eq), ("<>", operator.ne), ("<", operator.lt),
                              ("<=", operator.le), (">", operator.gt), (">=", operator.ge)):
        add(_symbol, (_kind, _kind), t.BOOLEAN, _compute)


def _json_at(value: str, key: Any) -> tuple[bool, Any]:
    """Whether a member or element is there, and it."""
    content = json.loads(value)
    if isinstance(key, str):
        there = isinstance(content, dict) and key in content
        return there, content[key] if there else None
    there = isinstance(content, list) and -len(content) <= key < len(content)
    return there, content[key] if there else None


def _json_member(value: str, key: Any) -> str | None:
    there, found = _json_at(value, key)
    return canonical_json(json.dumps(found)) if there else None


def _json_text(value: str, key: Any) -> str | None:
    _, found = _json_at(value, key)
    if found is None or isinstance(found, str):
        return found
    return canonical_json(json.dumps(found))


for _kind in (t.VARCHAR, t.INTEGER):
    add("->", (t.JSONB, _kind), t.JSONB, _json_member)
    add("->>", (t.JSONB, _kind), t.VARCHAR, _json_text)


def variadic(name: str) -> bool:
    """Functions that take any number of values of one type, or of any type."""
    return name in ("coalesce", "greatest", "least", "nullif", "concat", "concat_ws")
