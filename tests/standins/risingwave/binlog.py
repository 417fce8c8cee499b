"""Follows one MySQL server's binary log in a thread of its own."""

from __future__ import annotations

import logging
import re
import socket
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pymysql
from pymysqlreplication import BinLogStreamReader
from pymysqlreplication.event import (
    GtidEvent,
    HeartbeatLogEvent,
    MariadbGtidEvent,
    QueryEvent,
    RotateEvent,
    XidEvent,
)
from pymysqlreplication.row_event import DeleteRowsEvent, UpdateRowsEvent, WriteRowsEvent

from . import mysql
from .gtid import GtidSet
from .rowimage import RowReader
from .schemahistory import Columns, History, Table, latest_of
from .values import MyColumn, parse_image

logging.getLogger("pymysqlreplication").setLevel(logging.CRITICAL)

HEARTBEAT_S = 2.0
_DDL = re.compile(r"\s*(?:/\*.*?\*/\s*)*(CREATE|ALTER|DROP|RENAME|TRUNCATE)\b", re.I | re.S)
_ODD_TYPES = re.compile(rf"\b({'|'.join(mysql.UNPARSEABLE)})\b", re.I)
_SKIP_DDL = "debezium.schema.history.internal.skip.unparseable.ddl"
# Debezium's topic names allow only these; events of other tables find no reader.
STREAMABLE = re.compile(r"[A-Za-z0-9._\-]+")

Row = dict[str, tuple[MyColumn, Any]]  # by lower-case name


@dataclass
class Change:
    table: tuple[str, str]
    before: Row | None
    after: Row | None


@dataclass
class Transaction:
    changes: list[Change] = field(default_factory=list)
    offset: dict[str, Any] = field(default_factory=dict)  # where the log goes on after it
    time_s: int = 0
    server_id: int = 0


class PositionLost(Exception):
    """The saved position is no longer in the server's logs."""


class Stuck(Exception):
    """The connector's parser met a DDL it does not know."""


class Reader(threading.Thread):
    """Reads from `offset` on; finished transactions wait in `done`."""

    def __init__(self, props: Mapping[str, str], offset: Mapping[str, Any],
                 skip_first_row: bool = False, history: History | None = None):
        super().__init__(daemon=True)
        self.props = props
        self.databases = {name.strip() for name in props["database.name"].split(",")}
        self.offset = dict(offset)
        self.gtids = GtidSet(offset.get("gtids", ""))
        self.with_gtids = "gtids" in offset
        self.skip_first_row = skip_first_row  # MariaDB after a restart, verified.md 7
        self.done: deque[Transaction] = deque()
        self.error: Exception | None = None
        self.connections: list[pymysql.connections.Connection] = []
        self.history = history if history is not None else History()
        self.stopping = False
        self.connected = threading.Event()

    def stop(self) -> None:
        self.stopping = True
        for connection in self.connections:
            try:
                connection._sock.shutdown(socket.SHUT_RDWR)  # type: ignore[attr-defined]
            except (OSError, AttributeError):
                pass

    def run(self) -> None:
        try:
            self._read()
        except Exception as error:  # noqa: BLE001 - whatever it is, the source retries
            self.error = error
        finally:
            self.connected.set()

    def _connect(self, **options: Any) -> pymysql.connections.Connection:
        if self.stopping or len(self.connections) >= 4:
            raise pymysql.err.OperationalError(2013, "reader stopped")
        wanted = {key: options[key] for key in ("cursorclass", "db") if key in options}
        connection = mysql.connect(self.props, **wanted)
        self.connections.append(connection)
        return connection

    def _read(self) -> None:
        control = self._connect()
        self._check_position(control)
        self._begin_history(control)
        stream = BinLogStreamReader(
            {}, int(self.props["server.id"]), blocking=True, resume_stream=True,
            log_file=self.offset["file"], log_pos=self.offset["pos"],
            only_events=[GtidEvent, MariadbGtidEvent, QueryEvent, XidEvent, RotateEvent,
                         HeartbeatLogEvent, WriteRowsEvent, UpdateRowsEvent, DeleteRowsEvent],
            pymysql_wrapper=self._once(), slave_heartbeat=HEARTBEAT_S, enable_logging=False)
        transaction = Transaction()
        for event in stream:
            self.connected.set()
            transaction = self._take(control, stream, event, transaction)
            if self.stopping:
                return

    def _once(self) -> Any:
        """Lets the library connect once for the stream and once for its control session:
        a reconnect of its own would resume in the middle of a transaction."""
        left = [2]

        def connect(**options: Any) -> pymysql.connections.Connection:
            left[0] -= 1
            if left[0] < 0:
                raise pymysql.err.OperationalError(2013, "stream lost")
            return self._connect(**options)
        return connect

    def _check_position(self, control: pymysql.connections.Connection) -> None:
        logs = [row[0] for row in mysql.query(control, "SHOW BINARY LOGS")]
        if self.offset["file"] not in logs:
            raise PositionLost(self.offset["file"])
        if self.with_gtids and mysql.query(
                control, "SELECT GTID_SUBSET(@@gtid_purged, %s)", str(self.gtids))[0][0] == 0:
            raise PositionLost(str(self.gtids))

    def _latest(self, control: pymysql.connections.Connection) -> dict[Table, Columns]:
        """The tables as they are now, which may be later than the place in the log."""
        found: dict[Table, Columns] = {}
        for database in self.databases:
            rows = mysql.query(
                control, "SELECT TABLE_NAME, COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, "
                "CHARACTER_SET_NAME, COLUMN_KEY FROM information_schema.COLUMNS "
                "WHERE TABLE_SCHEMA = %s ORDER BY TABLE_NAME, ORDINAL_POSITION", database)
            found.update(latest_of(rows, database))
        return found

    def _begin_history(self, control: pymysql.connections.Connection) -> None:
        """Takes over what no earlier reader has followed yet."""
        for name, charset in mysql.query(
                control, "SELECT SCHEMA_NAME, DEFAULT_CHARACTER_SET_NAME FROM "
                "information_schema.SCHEMATA"):
            self.history.charsets[name] = charset
        for table, columns in self._latest(control).items():
            if self.history.current(table) is None:
                self.history.put(table, columns)

    def _take(self, control: pymysql.connections.Connection, stream: Any, event: Any,
              transaction: Transaction) -> Transaction:
        if isinstance(event, GtidEvent):
            self.gtids.add(event.gtid)
        elif isinstance(event, (WriteRowsEvent, UpdateRowsEvent, DeleteRowsEvent)):
            if event.schema in self.databases:
                transaction.changes += self._changes(control, event)
            transaction.time_s = event.timestamp
            transaction.server_id = event.packet.server_id
        elif isinstance(event, XidEvent):
            return self._finish(stream, transaction)
        elif isinstance(event, QueryEvent):
            text = event.query if isinstance(event.query, str) else event.query.decode()
            if text.strip().upper() == "COMMIT":
                return self._finish(stream, transaction)
            if _DDL.match(text):
                self._ddl(control, stream, event, text)
                return self._finish(stream, transaction)
        return transaction

    def _finish(self, stream: Any, transaction: Transaction) -> Transaction:
        transaction.offset = {"file": stream.log_file, "pos": stream.log_pos}
        if self.with_gtids:
            transaction.offset["gtids"] = str(self.gtids)
        self.done.append(transaction)
        return Transaction()

    def _ddl(self, control: pymysql.connections.Connection, stream: Any, event: Any,
             text: str) -> None:
        schema = event.schema.decode() if isinstance(event.schema, bytes) else event.schema
        concerns_us = schema in self.databases or any(name in text for name in self.databases)
        if concerns_us and _ODD_TYPES.search(text) and self.props.get(_SKIP_DDL) != "true":
            raise Stuck(text)
        self.history.apply(schema, text, (stream.log_file, stream.log_pos),
                           self._latest(control))

    def _changes(self, control: pymysql.connections.Connection, event: Any) -> list[Change]:
        table = (event.schema, event.table)
        columns = self._columns(control, table, event.number_of_columns)
        reader = RowReader(event.packet.read(event.event_size - event.packet.read_bytes),
                           event.columns)
        changes = []
        while reader.more():
            image = self._row(reader.image(event.columns_present_bitmap), columns)
            if isinstance(event, UpdateRowsEvent):
                after = self._row(reader.image(event.columns_present_bitmap2), columns)
                changes.append(Change(table, image, after))
            elif isinstance(event, DeleteRowsEvent):
                changes.append(Change(table, image, None))
            else:
                changes.append(Change(table, None, image))
        if self.skip_first_row and changes:
            self.skip_first_row = False
            del changes[0]
        return changes

    def _columns(self, control: pymysql.connections.Connection, table: Table,
                 count: int) -> Columns:
        found = self.history.matching(table, count)
        if found is None:
            latest = self._latest(control).get(table)
            if latest is None or len(latest) != count:
                return []
            self.history.put(table, latest)
            found = latest
        return found

    @staticmethod
    def _row(image: list[Any], columns: list[MyColumn]) -> Row:
        return {column.name.lower(): (column, parse_image(raw, column))
                for column, raw in zip(columns, image)}
