"""Row storage: every table is a DuckDB table, named by the table's id.

Primary keys are kept unique by deleting before inserting; renames and swaps of
tables need nothing here because ids do not change.
"""

from __future__ import annotations

import decimal
from collections.abc import Sequence
from typing import Any

import duckdb

from .catalog import Column, Table
from .types import SqlType

Row = Sequence[str | None]


def _crc32_macro() -> str:
    """zlib's CRC-32 over the bytes of a text: data checks use it, DuckDB lacks it."""
    table = []
    for number in range(256):
        for _ in range(8):
            number = number >> 1 ^ (0xEDB88320 if number & 1 else 0)
        table.append(str(number))
    values = f"[{','.join(table)}]::BIGINT[]"
    octets = ("list_transform(range(0, strlen(s)), lambda i: "
              "('0x' || substr(hex(encode(s)), 2 * i + 1, 2))::BIGINT)")
    step = f"lambda acc, b: xor(({values})[(xor(acc, b) & 255) + 1], acc >> 8)"
    return ("CREATE MACRO crc32(s) AS xor(list_reduce(list_prepend(4294967295::BIGINT, "
            f"{octets}), {step}), 4294967295::BIGINT)")


_CRC32 = _crc32_macro()


def wide_decimal(text: str, precision: int, scale: int) -> str | None:
    """A DECIMAL of more digits than DuckDB has, in the form in which it is stored."""
    try:
        value = decimal.Decimal(text).quantize(decimal.Decimal(1).scaleb(-scale),
                                               context=decimal.Context(prec=precision))
    except decimal.InvalidOperation:
        return None
    return format(value, "f")


def duck_name(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def literal(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'"


class Store:
    def __init__(self) -> None:
        self.connection = duckdb.connect(":memory:", config={"threads": 1})
        self.connection.execute("SET timezone = 'UTC'")
        self.connection.execute(_CRC32)
        # Materialized catalog views by what they depend on, oldest first.
        self.views: dict[Any, str] = {}
        self._view_count = 0

    def next_view(self) -> int:
        self._view_count += 1
        return self._view_count

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        return self.connection.execute(sql, list(parameters))

    @staticmethod
    def table(table: Table) -> str:
        return f"t{table.id}"

    def create(self, table: Table) -> None:
        columns = ", ".join(f"{duck_name(column.name)} {column.type.duck()}"
                            for column in table.columns)
        self.execute(f"CREATE TABLE {self.table(table)} ({columns})")

    def drop(self, table: Table) -> None:
        self.execute(f"DROP TABLE IF EXISTS {self.table(table)}")

    def truncate(self, table: Table) -> None:
        self.execute(f"DELETE FROM {self.table(table)}")

    def rename_column(self, table: Table, old: str, new: str) -> None:
        self.execute(f"ALTER TABLE {self.table(table)} RENAME COLUMN {duck_name(old)} "
                     f"TO {duck_name(new)}")

    def reshape(self, table: Table, columns: list[Column]) -> None:
        """Rewrites the table for a new column list; columns are matched by their id."""
        old = {column.column_id.lower(): column for column in table.columns}
        items = []
        for column in columns:
            source = old.get(column.column_id.lower())
            if source is None:
                value = column.default_text()
                if column.default and column.default.kind == "now":
                    value_sql = "CAST(now() AS TIMESTAMP)"
                else:
                    value_sql = "NULL" if value is None else literal(value)
            else:
                value_sql = _conversion(source, column)
            items.append(f"CAST({value_sql} AS {column.type.duck()}) AS {duck_name(column.name)}")
        name = self.table(table)
        self.execute(f"CREATE TABLE new_{name} AS SELECT {', '.join(items)} FROM {name}")
        self.execute(f"DROP TABLE {name}")
        self.execute(f"ALTER TABLE new_{name} RENAME TO {name}")
        for column in columns:
            source = old.get(column.column_id.lower())
            if column.type.duck() == "VARCHAR" and column.type.name == "DECIMAL" and (
                    source is None or source.type != column.type):
                self._widen(name, column)

    def _widen(self, name: str, column: Column) -> None:
        """Brings texts into the form of a DECIMAL that DuckDB has no type for."""
        kind, shown = column.type, duck_name(column.name)
        found = self.execute(f"SELECT rowid, {shown} FROM {name} WHERE {shown} IS NOT NULL")
        rows = found.fetchall()
        if not rows:
            return
        values = [wide_decimal(text, kind.precision, kind.scale) for _, text in rows]
        self.execute(f"UPDATE {name} SET {shown} = n.text FROM (SELECT unnest(?::BIGINT[]) AS id, "
                     f"unnest(?::VARCHAR[]) AS text) n WHERE {name}.rowid = n.id",
                     [[number for number, _ in rows], values])

    def count(self, table: Table) -> int:
        found = self.execute(f"SELECT count(*) FROM {self.table(table)}").fetchone()
        return int(found[0])

    def upsert(self, table: Table, rows: Sequence[Row]) -> None:
        """Full rows in column order, values as text; the last row of a key wins."""
        keys = [number for number, column in enumerate(table.columns) if column.key]
        if table.model == "PRIMARY_KEYS":
            latest = {tuple(row[number] for number in keys): row for row in rows}
            rows = list(latest.values())
            self.delete(table, [[row[number] for number in keys] for row in rows])
        if rows:
            self.execute(f"INSERT INTO {self.table(table)} SELECT * FROM "
                         f"({_unnested(table.columns)})", _by_column(rows, len(table.columns)))

    def merge(self, table: Table, rows: Sequence[Row], kept: Sequence[Column]) -> None:
        """As upsert, but rows that exist keep the `kept` columns."""
        if not rows:
            return
        name = self.table(table)
        same = " AND ".join(f"n.{duck_name(column.name)} = t.{duck_name(column.name)}"
                            for column in table.key_columns())
        self.execute(f"CREATE TABLE merged AS {_unnested(table.columns)}",
                     _by_column(rows, len(table.columns)))
        if kept:
            taken = ", ".join(f"{duck_name(column.name)} = t.{duck_name(column.name)}"
                              for column in kept)
            self.execute(f"UPDATE merged n SET {taken} FROM {name} t WHERE {same}")
        self.execute(f"DELETE FROM {name} t USING merged n WHERE {same}")
        self.execute(f"INSERT INTO {name} SELECT * FROM merged")
        self.execute("DROP TABLE merged")

    def delete(self, table: Table, keys: Sequence[Row]) -> None:
        columns = table.key_columns()
        if not keys:
            return
        matches = " AND ".join(f"t.{duck_name(column.name)} = k.{duck_name(column.name)}"
                               for column in columns)
        self.execute(f"DELETE FROM {self.table(table)} t USING ({_unnested(columns)}) k "
                     f"WHERE {matches}", _by_column(keys, len(columns)))


def _unnested(columns: Sequence[Column]) -> str:
    """A SELECT with one list parameter of texts per column."""
    items = [f"CAST({_from_text('unnest(?::VARCHAR[])', column.type)} AS {column.type.duck()}) "
             f"AS {duck_name(column.name)}" for column in columns]
    return f"SELECT {', '.join(items)}"


def _from_text(expression: str, kind: SqlType) -> str:
    return f"unhex({expression})" if kind.name == "VARBINARY" else expression


def _by_column(rows: Sequence[Row], width: int) -> list[list[str | None]]:
    return [[row[number] for row in rows] for number in range(width)]


def _conversion(source: Column, target: Column) -> str:
    """A value of a schema change; what cannot be converted becomes NULL, as in the BE."""
    name = duck_name(source.name)
    if source.type == target.type:
        return name
    if target.type.name == "VARCHAR" and source.type.name in ("FLOAT", "DOUBLE"):
        return f"regexp_replace(CAST({name} AS VARCHAR), '\\.0$', '')"
    return f"TRY_CAST({name} AS {target.type.duck()})"
