"""Keeps one CDC table's rows: first the snapshot, then the changes of its source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .binlog import STREAMABLE, Row, Transaction
from .catalog import Table
from .snapshot import Snapshot, meta_value
from .values import to_risingwave

if TYPE_CHECKING:
    from .server import Server

PRECISE = "debezium.bigint.unsigned.handling.mode"
Net = dict[tuple, tuple[list | None, list | None]]  # key: row before, row now


class TableJob:
    def __init__(self, server: Server, table: Table):
        self.server = server
        self.table = table
        self.snapshot: Snapshot | None = None
        self.buffered: list[Transaction] = []
        self.streams = bool(STREAMABLE.fullmatch(".".join(table.upstream)))
        self.changed: Net = {}

    def start(self) -> None:
        """Begins the snapshot, unless it is finished or not wanted."""
        progress = self.table.progress
        if progress.finished or progress.skipped:
            return
        props = {key: prop.resolved() for key, prop in self.table.source.props.items()}
        batch = int(self.table.option("snapshot.batch_size", "1000"))
        self.snapshot = Snapshot(self.table, props, batch)
        self.snapshot.start()

    def stop(self) -> None:
        if self.snapshot is not None:
            self.snapshot.stop()

    def barrier(self, transactions: list[Transaction]) -> Net:
        """Applies what arrived; what it changed, key by key."""
        self.changed = {}
        mine = [t for t in transactions
                if any(change.table == self.table.upstream for change in t.changes)]
        if self.snapshot is not None:
            self.buffered += mine
            self._read_snapshot(self.snapshot)
        else:
            for transaction in mine:
                self._apply(transaction)
        if self.changed:
            self.table.version += 1
        return {key: pair for key, pair in self.changed.items() if pair[0] != pair[1]}

    def _read_snapshot(self, snapshot: Snapshot) -> None:
        progress = self.table.progress
        finished = snapshot.finished
        if snapshot.offset is not None:
            progress.started = True
            progress.offset = snapshot.offset
        places = self.table.key_positions()
        while snapshot.pages:
            for row in snapshot.pages.popleft():
                row = self._fit(snapshot, row)
                key = tuple(row[place] for place in places)
                self._put(key, row)
                progress.row_count += 1
                progress.last_key = key
        if finished and not snapshot.pages:
            self.snapshot = None
            progress.finished = True
            for transaction in self.buffered:
                if _position(transaction.offset) > _position(progress.offset or {}):
                    self._apply(transaction)
            self.buffered = []

    def _fit(self, snapshot: Snapshot, row: list) -> list:
        """A column added while the snapshot runs is not read again."""
        if len(snapshot.columns) == len(self.table.columns):
            return row
        values = dict(zip((column.name for column in snapshot.columns), row))
        return [values.get(column.name) for column in self.table.columns]

    def _apply(self, transaction: Transaction) -> None:
        if not self.streams:
            return
        for change in transaction.changes:
            if change.table != self.table.upstream:
                continue
            old_key = self._key(change.before)
            if change.after is None:
                self._remove(old_key)
                continue
            row = self._row(change.after, transaction.time_s)
            key = tuple(row[place] for place in self.table.key_positions())
            if old_key is not None and old_key != key:
                self._remove(old_key)
            self._put(key, row)

    def _row(self, image: Row, time_s: int) -> list:
        precise = self.table.source.option(PRECISE) == "precise"
        row: list[Any] = []
        for column in self.table.columns:
            if column.meta:
                row.append(meta_value(column.meta, self.table, time_s))
                continue
            upstream, value = image.get(column.name.lower(), (None, None))
            row.append(None if upstream is None else to_risingwave(
                value, upstream, column.type, live=True, precise=precise))
        return row

    def _key(self, image: Row | None) -> tuple | None:
        if image is None:
            return None
        row = self._row(image, 0)
        return tuple(row[place] for place in self.table.key_positions())

    def _put(self, key: tuple, row: list) -> None:
        self._note(key)
        self.table.rows[key] = row
        self.changed[key] = self.changed[key][0], row

    def _remove(self, key: tuple | None) -> None:
        if key is None or key not in self.table.rows:
            return
        self._note(key)
        del self.table.rows[key]
        self.changed[key] = self.changed[key][0], None

    def _note(self, key: tuple) -> None:
        if key not in self.changed:
            self.changed[key] = self.table.rows.get(key), None


def _position(offset: dict[str, Any]) -> tuple[str, int]:
    return offset.get("file", ""), offset.get("pos", 0)
