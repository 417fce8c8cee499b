"""Reads a table's present rows from MySQL, page by page, in a thread of its own."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Any

import pymysql

from . import mysql
from . import rwtypes as t
from .catalog import Table
from .values import MyColumn, parse_snapshot, to_risingwave

RETRY_S = 1.0
_IDLE_S = 0.05
_AHEAD = 20  # pages that may wait for a barrier
# A thousand tables must not take all of MySQL's connections; 3.0.3 reads the position for
# ten tables at a time.
_readers = threading.BoundedSemaphore(10)


def _quote(name: str) -> str:
    return f"`{name}`"


class Snapshot(threading.Thread):
    """`pages` fill up; `finished` when the last one is in. Retries for ever."""

    def __init__(self, table: Table, props: dict[str, str], batch_size: int):
        super().__init__(daemon=True)
        self.table = table
        self.props = props
        self.batch_size = batch_size
        self.columns = list(table.columns)
        self.types = {column.name: column.type for column in table.columns}
        self.pages: deque[list[list]] = deque()
        self.offset: dict[str, Any] | None = None
        self.finished = False
        self.stopping = False
        self.after: tuple[Any, ...] | None = None  # the last page's last key

    def stop(self) -> None:
        self.stopping = True

    def run(self) -> None:
        while not self.stopping:
            if self._paused():
                time.sleep(_IDLE_S)
                continue
            try:
                with _readers:
                    self.finished = not self._read()
                if self.finished:
                    return
            except (pymysql.err.MySQLError, mysql.Invalid, OSError, ValueError):
                time.sleep(RETRY_S)

    def _paused(self) -> bool:
        """A rate limit of 0 gives the connection back, once the position is known."""
        return self.table.rate_limit == 0 and self.offset is not None

    def _read(self) -> bool:
        """Reads on; whether there may be more rows when it ends."""
        connection = mysql.connect_snapshot(self.props)
        try:
            if self.offset is None:
                self.offset = mysql.position(connection)
            found = mysql.read_columns(connection, *self.table.upstream)
            connection.decoders = {}  # type: ignore[assignment]
            more = True
            while more and not self.stopping and not self._paused():
                if self.after is not None and any(
                        self.types[name] is t.BYTEA for name in self.table.key):
                    raise ValueError("unsupported primary key data type: bytea")
                more = self._page(connection, found)
            return more
        finally:
            connection.close()

    def _page(self, connection: pymysql.connections.Connection, found: list[MyColumn]) -> bool:
        """Reads one page; whether there may be more."""
        limit = self._allowed()
        if limit == 0:
            time.sleep(_IDLE_S)
            return True
        by_name = {column.name.lower(): column for column in found}
        key = [by_name[name.lower()] for name in self.table.key]
        order = ", ".join(_quote(column.name) for column in key)
        where, arguments = "", []
        if self.after is not None:
            wanted = order.replace("%", "%%")
            where = f" WHERE ({wanted}) > ({', '.join(['%s'] * len(key))})"
            arguments = list(self.after)
        selected = ", ".join(self._expression(column) for column in found)
        database, name = self.table.upstream
        sql = f"SELECT {selected} FROM {_quote(database)}.{_quote(name)}"
        if arguments:
            sql = sql.replace("%", "%%")
            order = order.replace("%", "%%")
        sql += f"{where} ORDER BY {order} LIMIT {limit}"
        with connection.cursor() as cursor:
            cursor.execute(sql, arguments or None)
            raw_rows = cursor.fetchall()
        if raw_rows:
            self.pages.append([self._row(raw, found) for raw in raw_rows])
            places = [found.index(column) for column in key]
            self.after = tuple(_key_value(raw_rows[-1][place], found[place]) for place in places)
        return len(raw_rows) == limit

    def _allowed(self) -> int:
        """Rows the next page may have: the rate limit, and no more than barriers consume."""
        if len(self.pages) >= _AHEAD:
            return 0
        rate = self.table.rate_limit
        if rate < 0:
            return self.batch_size
        if rate > 0:
            time.sleep(min(1.0, self.batch_size / rate))
        return min(rate, self.batch_size)

    @staticmethod
    def _expression(column: MyColumn) -> str:
        # MySQL prints a FLOAT with six digits; as a double it is whole.
        name = _quote(column.name)
        return f"{name} + 0e0" if column.data_type == "float" else name

    def _row(self, raw: tuple, found: list[MyColumn]) -> list:
        values = {}
        for column, value in zip(found, raw):
            try:
                values[column.name.lower()] = column, parse_snapshot(value, column)
            except ValueError:
                values[column.name.lower()] = column, None
        row = []
        for column in self.columns:
            if column.meta:
                row.append(meta_value(column.meta, self.table, 0))
                continue
            upstream, value = values.get(column.name.lower(), (None, None))
            row.append(None if upstream is None else to_risingwave(
                value, upstream, column.type, live=False, precise=False))
        return row


def _key_value(raw: Any, column: MyColumn) -> Any:
    """Numbers must be compared as numbers: MySQL compares a text as a double."""
    if column.data_type.endswith("int") or column.data_type in ("decimal", "float", "double"):
        return parse_snapshot(raw, column)
    return raw


def meta_value(meta: str, table: Table, time_s: int) -> Any:
    import datetime
    if meta == "timestamp":
        return datetime.datetime.fromtimestamp(time_s, datetime.UTC)
    return table.upstream[0] if meta == "database_name" else table.upstream[1]
