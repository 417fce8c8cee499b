"""One DuckDB in memory that answers queries over copies of the stand-in's relations."""

from __future__ import annotations

import datetime
import decimal
import re
from collections.abc import Callable, Sequence
from typing import Any

import duckdb

from . import rwtypes as t

_MACROS = (
    # A key may hold dots, so no JSON path but a pointer.
    "CREATE MACRO rw_pointer(k) AS '/' || replace(replace(k::VARCHAR, '~', '~0'), '/', '~1')",
    "CREATE MACRO rw_json(j, k) AS json_extract(j, rw_pointer(k))",
    "CREATE MACRO rw_json_text(j, k) AS CASE WHEN json_type(j, rw_pointer(k)) = 'NULL' THEN NULL "
    "ELSE json_extract_string(j, rw_pointer(k)) END",
    # RisingWave prints no, three or six digits of a second's fraction.
    "CREATE MACRO rw_fraction(s) AS CASE WHEN regexp_matches(s, '\\.\\d$|\\.\\d{4}$') "
    "THEN s || '00' WHEN regexp_matches(s, '\\.\\d\\d$|\\.\\d{5}$') THEN s || '0' ELSE s END",
    "CREATE MACRO rw_text(x) AS CASE WHEN typeof(x) IN ('TIME', 'TIMESTAMP') "
    "THEN rw_fraction(x::VARCHAR) WHEN typeof(x) IN ('DOUBLE', 'FLOAT') "
    "THEN regexp_replace(x::VARCHAR, '\\.0$', '') ELSE x::VARCHAR END",
    "CREATE MACRO rw_encode(b, f) AS CASE f WHEN 'hex' THEN lower(hex(b)) "
    "WHEN 'base64' THEN base64(b) END",
)
_BY_DUCK = {"BOOLEAN": t.BOOLEAN, "TINYINT": t.SMALLINT, "SMALLINT": t.SMALLINT,
            "UTINYINT": t.SMALLINT, "USMALLINT": t.INTEGER, "INTEGER": t.INTEGER,
            "UINTEGER": t.BIGINT, "BIGINT": t.BIGINT, "UBIGINT": t.NUMERIC, "HUGEINT": t.NUMERIC,
            "UHUGEINT": t.NUMERIC, "FLOAT": t.REAL, "DOUBLE": t.DOUBLE, "VARCHAR": t.VARCHAR,
            "BLOB": t.BYTEA, "DATE": t.DATE, "TIME": t.TIME, "TIMESTAMP": t.TIMESTAMP,
            "TIMESTAMP_S": t.TIMESTAMP, "TIMESTAMP_MS": t.TIMESTAMP,
            "TIMESTAMP WITH TIME ZONE": t.TIMESTAMPTZ, "JSON": t.JSONB, "INTERVAL": t.INTERVAL,
            '"NULL"': t.VARCHAR, "NULL": t.VARCHAR, "VARCHAR[]": t.VARCHAR_LIST,
            "INTEGER[]": t.INTEGER_LIST, "SMALLINT[]": t.SMALLINT_LIST}

Columns = Sequence[tuple[str, t.Type]]


def connect() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(config={"threads": 1})
    con.execute("SET TimeZone = 'UTC'")
    # It would add the two constants of `x + 9223372036854775807 + 1` first, and overflow.
    con.execute("SET disabled_optimizers = 'expression_rewriter'")
    for macro in _MACROS:
        con.execute(macro)
    return con


def risingwave_type(duck_type: Any) -> t.Type:
    text = str(duck_type)
    if text.startswith("DECIMAL"):
        return t.NUMERIC
    return _BY_DUCK.get(text, t.VARCHAR)


def quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def fill(con: duckdb.DuckDBPyConnection, table: str, columns: Columns,
         rows: Sequence[Sequence[Any]]) -> None:
    """Makes a table of `rows`; numerics get one scale for the whole column."""
    values = [[row[i] for row in rows] for i in range(len(columns))]
    ducks = [duck_type(column_type, column) for (_, column_type), column in zip(columns, values)]
    shape = ", ".join(f"{quote(name)} {duck}" for (name, _), duck in zip(columns, ducks))
    con.execute(f"CREATE OR REPLACE TEMP TABLE {quote(table)} ({shape})")
    if rows:
        reads = ", ".join(f"unnest(?::{duck}[])" for duck in ducks)
        con.execute(f"INSERT INTO {quote(table)} SELECT {reads}", values)


def duck_type(column_type: t.Type, values: Sequence[Any]) -> str:
    if column_type is not t.NUMERIC:
        return column_type.duck
    scale = max((-int(value.as_tuple().exponent) for value in values if value is not None),
                default=0)
    return f"DECIMAL(38,{min(max(scale, 0), t.MAX_SCALE)})"


def run(con: duckdb.DuckDBPyConnection,
        sql: str) -> tuple[list[tuple[str, t.Type]], list[tuple]]:
    con.execute(sql)
    columns = [(name, risingwave_type(kind)) for name, kind, *_ in con.description or []]
    return columns, con.fetchall()


# Text output

_FORMAT: dict[t.Type, Callable[[Any], str]] = {}


def text(value: Any, kind: t.Type) -> str | None:
    """A value as RisingWave sends it in text format."""
    if value is None:
        return None
    if kind in _FORMAT:
        return _FORMAT[kind](value)
    if isinstance(value, (list, tuple)):
        return "{" + ",".join(_array_item(item) for item in value) + "}"
    return str(value)


def _array_item(item: Any) -> str:
    if item is None:
        return "NULL"
    shown = str(item)
    if re.search(r'[{},"\\\s]', shown) or not shown:
        return '"' + shown.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return shown


def _fraction(micros: int) -> str:
    """RisingWave prints no, three or six digits."""
    if micros == 0:
        return ""
    return f".{micros // 1000:03d}" if micros % 1000 == 0 else f".{micros:06d}"


def _timestamp(value: datetime.datetime) -> str:
    return value.strftime("%Y-%m-%d %H:%M:%S").rjust(19, "0") + _fraction(value.microsecond)


def _timestamptz(value: datetime.datetime) -> str:
    return _timestamp(value.astimezone(datetime.UTC)) + "+00:00"


def _number(value: Any) -> str:
    return format(value, "f") if isinstance(value, decimal.Decimal) else str(value)


def _double(value: float) -> str:
    shown = repr(float(value))
    if shown in ("inf", "-inf", "nan"):
        return {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}[shown]
    return shown.removesuffix(".0")


def shortest_real(value: float) -> float:
    """The decimal fraction that a 4-byte float stands for."""
    import struct
    for digits in range(6, 10):
        shown = float(f"{value:.{digits}g}")
        if struct.pack("<f", shown) == struct.pack("<f", value):
            return shown
    return value


def _json(value: Any) -> str:
    from .values import canonical_json
    return canonical_json(value) if isinstance(value, str) else str(value)


_FORMAT.update({
    t.BOOLEAN: lambda v: "t" if v else "f", t.NUMERIC: _number, t.DOUBLE: _double,
    t.REAL: lambda v: _double(shortest_real(v)), t.BYTEA: lambda v: "\\x" + v.hex(),
    t.TIMESTAMP: _timestamp, t.TIMESTAMPTZ: _timestamptz, t.JSONB: _json,
    t.TIME: lambda v: v.strftime("%H:%M:%S") + _fraction(v.microsecond)})
