"""DEFAULT values of columns: which are legal for which type.

Source: the contract's starrocks.md 1.10 and the "bd_" and "bx_" cases of the FE
transcript.
"""

from __future__ import annotations

import datetime
import decimal
import json
import math
import re

from .errors import syntax
from .tree import ColumnDef, Default
from .types import INTEGER_BITS, SqlType

_TRUTH = {"true": "1", "false": "0", "1": "1", "0": "0"}
_DATE_FORMS = ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f")


def problem(column: ColumnDef, nullable: bool) -> str | None:
    """The analyzer's sentence about a default, or None; brings booleans to 0 and 1."""
    default = column.default
    if default is None:
        return None
    head = f"Invalid default value for '{column.name}'"
    if default.kind == "null":
        return None if nullable else head
    if default.kind == "now":
        return None
    if default.kind == "unsupported":
        return f"{head}: Unsupported expr {default.text} for default value"
    if default.kind == "function":
        return _function_problem(head, default, column.type)
    reason = _literal_problem(column.type, default)
    return f"{head}: {reason}" if reason else None


def _function_problem(head: str, default: Default, kind: SqlType) -> str | None:
    legal = {"uuid()": "VARCHAR", "uuid_numeric()": "LARGEINT"}
    if legal.get(default.text) == kind.name:
        return None
    return f"{head}: Default function {default.text} for type {kind.java_text()} is not supported"


def _literal_problem(kind: SqlType, default: Default) -> str | None:
    text = default.text
    if kind.name in INTEGER_BITS:
        return _integer_problem(kind.name, text)
    if kind.name == "DECIMAL":
        return _decimal_problem(kind, text)
    if kind.name in ("FLOAT", "DOUBLE"):
        try:
            value = float(text)
        except ValueError:
            return f"Invalid number format: {text}"
        return "Invalid literal:Infinity" if math.isinf(value) else None
    if kind.name == "BOOLEAN":
        if text.lower() not in _TRUTH:
            return f"Invalid BOOLEAN literal: {text}"
        default.text = _TRUTH[text.lower()]
        return None
    if kind.name in ("DATE", "DATETIME"):
        return None if _is_time(text) else f"date literal [{text}] is invalid"
    if kind.name in ("CHAR", "VARCHAR"):
        return f"Default value is too long: {text}" if len(text) > kind.length else None
    if kind.name == "VARBINARY":
        return (f"Type '{kind.java_text()}' only supports empty string \"\" as default value"
                if text else None)
    if kind.name == "JSON":
        try:
            json.loads(text)
        except ValueError:
            return f"Invalid JSON literal: {text}"
        return None
    return f"Cannot add default value for type '{kind.java_text()}'"


def _integer_problem(name: str, text: str) -> str | None:
    if not re.fullmatch(r"[+-]?\d+", text):
        return f"Invalid number format: {text}"
    value, bits = int(text), INTEGER_BITS[name]
    # A text that is no 64-bit number fails before its range is looked at.
    if name != "LARGEINT" and not -(1 << 63) <= value < 1 << 63:
        return f"Invalid number format: {text}"
    if not -(1 << bits - 1) <= value < 1 << bits - 1:
        return f"Number out of range[{text}]. type: {name}"
    return None


def _decimal_problem(kind: SqlType, text: str) -> str | None:
    try:
        digits = decimal.Decimal(text).as_tuple()
    except decimal.InvalidOperation:
        return f"Invalid number format: {text}"
    exponent = digits.exponent
    if not isinstance(exponent, int):
        return f"Invalid number format: {text}"
    scale = max(-exponent, 0)
    precision = max(len(digits.digits) + max(exponent, 0), scale)
    if precision > kind.precision or scale > kind.scale:
        raise syntax(f"Type {kind.java_text()} is too narrow to hold the DecimalLiteral '{text}' "
                     f"(precision={precision}, scale={scale})")
    return None


def _is_time(text: str) -> bool:
    for form in _DATE_FORMS:
        try:
            datetime.datetime.strptime(text, form)
            return True
        except ValueError:
            continue
    return False
