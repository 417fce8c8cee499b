"""information_schema as tables that a SELECT can read.

Rows are made from the catalog for the session's user and kept in DuckDB until
the catalog or the grants change. Sources: the contract's starrocks.md 4.1 and
4.2, sections 5 and 16 of the FE transcript.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..common import mysqlwire as wire
from .catalog import Database, Table, backquoted
from .store import duck_name
from .variables import zone

if TYPE_CHECKING:
    from .session import Session

NAME = "information_schema"
_KEEP = 8


@dataclass(frozen=True)
class Definition:
    """Columns as (name, kind, wire length); kind is text, big, int or time."""

    columns: list[tuple[str, str, int]]

    def field(self, name: str, label: str) -> wire.Field:
        _, kind, length = next(c for c in self.columns if c[0].lower() == name.lower())
        if kind == "text":
            return wire.Field(label, wire.VAR_STRING, length)
        types = {"big": (wire.LONGLONG, 20), "int": (wire.LONG, 11), "time": (wire.DATETIME, 19)}
        return wire.Field(label, *types[kind], 63)


def _define(text: str) -> Definition:
    columns = []
    for item in text.split():
        name, _, rest = item.partition(":")
        kind = rest if rest in ("big", "int", "time") else "text"
        columns.append((name, kind, int(rest) if rest.isdigit() else 20))
    return Definition(columns)


DEFINITIONS = {
    "schemata": _define("CATALOG_NAME:1536 SCHEMA_NAME:192 DEFAULT_CHARACTER_SET_NAME:96 "
                        "DEFAULT_COLLATION_NAME:96 SQL_PATH:1536"),
    "tables": _define(
        "TABLE_CATALOG:1536 TABLE_SCHEMA:6144 TABLE_NAME:6144 TABLE_TYPE:6144 ENGINE:6144 "
        "VERSION:big ROW_FORMAT:30 TABLE_ROWS:big AVG_ROW_LENGTH:big DATA_LENGTH:big "
        "MAX_DATA_LENGTH:big INDEX_LENGTH:big DATA_FREE:big AUTO_INCREMENT:big CREATE_TIME:time "
        "UPDATE_TIME:time CHECK_TIME:time TABLE_COLLATION:96 CHECKSUM:big CREATE_OPTIONS:765 "
        "TABLE_COMMENT:6144"),
    "columns": _define(
        "TABLE_CATALOG:1536 TABLE_SCHEMA:192 TABLE_NAME:192 COLUMN_NAME:192 ORDINAL_POSITION:big "
        "COLUMN_DEFAULT:3072 IS_NULLABLE:9 DATA_TYPE:192 CHARACTER_MAXIMUM_LENGTH:big "
        "CHARACTER_OCTET_LENGTH:big NUMERIC_PRECISION:big NUMERIC_SCALE:big "
        "DATETIME_PRECISION:big CHARACTER_SET_NAME:96 COLLATION_NAME:96 COLUMN_TYPE:96 "
        "COLUMN_KEY:9 EXTRA:81 PRIVILEGES:240 COLUMN_COMMENT:765 COLUMN_SIZE:big "
        "DECIMAL_DIGITS:big GENERATION_EXPRESSION:192 SRS_ID:big"),
    "tables_config": _define(
        "TABLE_SCHEMA:6144 TABLE_NAME:6144 TABLE_ENGINE:6144 TABLE_MODEL:6144 PRIMARY_KEY:6144 "
        "PARTITION_KEY:6144 DISTRIBUTE_KEY:6144 DISTRIBUTE_TYPE:6144 DISTRIBUTE_BUCKET:int "
        "SORT_KEY:6144 PROPERTIES:196605 TABLE_ID:big"),
    "statistics": _define(
        "TABLE_CATALOG:1536 TABLE_SCHEMA:192 TABLE_NAME:192 NON_UNIQUE:big INDEX_SCHEMA:192 "
        "INDEX_NAME:192 SEQ_IN_INDEX:big COLUMN_NAME:192 COLLATION:3 CARDINALITY:big SUB_PART:big "
        "PACKED:30 NULLABLE:9 INDEX_TYPE:48 COMMENT:48 INDEX_COMMENT:3072 EXPRESSION:192"),
    "key_column_usage": _define(
        "CONSTRAINT_CATALOG:1536 CONSTRAINT_SCHEMA:192 CONSTRAINT_NAME:192 TABLE_CATALOG:1536 "
        "TABLE_SCHEMA:192 TABLE_NAME:192 COLUMN_NAME:192 ORDINAL_POSITION:big "
        "POSITION_IN_UNIQUE_CONSTRAINT:big REFERENCED_TABLE_SCHEMA:192 "
        "REFERENCED_TABLE_NAME:192 REFERENCED_COLUMN_NAME:192"),
}
_DUCK = {"text": "VARCHAR", "big": "BIGINT", "int": "INTEGER", "time": "TIMESTAMP"}
Rows = list[list[Any]]


def materialize(session: Session, name: str, by_frontend: bool) -> str:
    """Returns the DuckDB table that holds what this session sees of one view."""
    store, state = session.state.store, session.state
    key = (name, by_frontend, state.catalog.version, state.accounts.version, session.who.user,
           tuple(session.who.active_roles), session.variable("time_zone"))
    cache = store.views
    if key in cache:
        cache[key] = cache.pop(key)
        return cache[key]
    definition = DEFINITIONS[name]
    rows = _SOURCES[name](session, by_frontend) if name in _SOURCES else []
    table = f"is_{name}_{store.next_view()}"
    columns = ", ".join(f"{duck_name(column)} {_DUCK[kind]}"
                        for column, kind, _ in definition.columns)
    store.execute(f"CREATE TABLE {table} ({columns})")
    if rows:
        items = ", ".join(f"CAST(unnest(?::VARCHAR[]) AS {_DUCK[kind]})"
                          for _, kind, _ in definition.columns)
        store.execute(f"INSERT INTO {table} SELECT {items}", _columnar(rows))
    cache[key] = table
    while len(cache) > _KEEP:
        store.execute(f"DROP TABLE {cache.pop(next(iter(cache)))}")
    return table


def _columnar(rows: Rows) -> list[list[str | None]]:
    return [[None if row[number] is None else str(row[number]) for row in rows]
            for number in range(len(rows[0]))]


def _visible(session: Session) -> list[tuple[Database, Table]]:
    """In the order of creation, views of a database first."""
    return [(database, table) for database in session.state.catalog.databases.values()
            for table in sorted(database.tables.values(), key=lambda table: not table.is_view)
            if session.accounts.sees_table(session.who, database, table)]


def _schemata(session: Session, by_frontend: bool) -> Rows:
    return [["def", database.name, "utf8", "utf8_general_ci", None]
            for database in session.state.catalog.databases.values()
            if session.accounts.sees_database(session.who, database)]


def _tables(session: Session, by_frontend: bool) -> Rows:
    """The FE and the BE answer the same question with small differences."""
    shown_zone = zone("UTC" if by_frontend else session.variable("time_zone"))
    rows: Rows = []
    for database, table in _visible(session):
        made, changed = (_time(moment, shown_zone) for moment in (table.created, table.updated))
        count = None if table.is_view else session.state.store.count(table)
        empty = None if by_frontend else ""
        rows.append([
            "def", database.name, table.name, "VIEW" if table.is_view else "BASE TABLE",
            None if table.is_view else "StarRocks", None, empty, count,
            None if table.is_view else 0, None if table.is_view else 0, None, None, None, None,
            made, changed, "1970-01-01 00:00:00" if by_frontend else None,
            "utf8_general_ci", None, empty, table.comment])
    return rows


def _time(moment: float, shown_zone: Any) -> str:
    import datetime
    return datetime.datetime.fromtimestamp(moment, shown_zone).strftime("%Y-%m-%d %H:%M:%S")


def _columns(session: Session, by_frontend: bool) -> Rows:
    rows: Rows = []
    for database, table in _visible(session):
        key_mark = {"PRIMARY_KEYS": "PRI", "DUP_KEYS": "DUP"}.get(table.model, "")
        for number, column in enumerate(table.columns, 1):
            kind = column.type
            length = kind.length if kind.name in ("CHAR", "VARCHAR") else None
            precision, scale = kind.numeric_facts()
            rows.append([
                None, database.name, table.name, column.name, number, column.default_text(),
                "YES" if column.nullable else "NO", kind.data_type(), length,
                None if length is None else 3 * length, precision, scale, None, None, None,
                kind.column_type(), key_mark if column.key else "", "", "", column.comment,
                length if length is not None else precision, scale, None, None])
    return rows


def _tables_config(session: Session, by_frontend: bool) -> Rows:
    rows: Rows = []
    for database, table in _visible(session):
        if table.is_view:
            rows.append([database.name, table.name, "VIEW", "", "", "", "", "", 0, "", "{}",
                         table.id])
            continue
        keys = backquoted(table.keys) if table.model == "PRIMARY_KEYS" else ""
        properties = json.dumps(dict(sorted(table.properties.items())), separators=(",", ":"))
        rows.append([database.name, table.name, "OLAP", table.model, keys,
                     backquoted(table.partition.columns) if table.partition else "",
                     backquoted(table.hash_columns), "HASH", table.buckets,
                     backquoted(table.sort_columns()), properties, table.id])
    return rows


_SOURCES: dict[str, Callable[[Session, bool], Rows]] = {
    "schemata": _schemata, "tables": _tables, "columns": _columns,
    "tables_config": _tables_config,
}
