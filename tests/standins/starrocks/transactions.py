"""Transactions of Stream Load: labels, states, staged rows.

States are PREPARE, PREPARED, VISIBLE and ABORTED; COMMITTED is passed at once
because there is nothing to publish slowly. Source: the contract's starrocks.md
6.2-6.5.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import Any

from . import values
from .catalog import Table
from .dml import default_value
from .state import State
from .store import Row

MAX_BODY_BYTES = 100 * 1024 * 1024
PREPARE_SECONDS = 600.0
MAX_RUNNING = 1000
_KEEP_LABELS = 1000
_LABEL = re.compile(r"[-\w]{1,128}", re.ASCII)


class LoadError(Exception):
    """An answer that is not OK: its Status, Message and further members."""

    def __init__(self, status: str, message: str, **more: Any):
        super().__init__(message)
        self.status = status
        self.message = message
        self.more = more


@dataclass
class Transaction:
    id: int
    label: str
    db: str
    table_name: str
    table_id: int
    columns: list[str]
    partial: bool = False  # columns that are not written keep what they hold
    state: str = "PREPARE"
    started: float = field(default_factory=time.time)
    loads: int = 0
    load_bytes: int = 0
    objects: list[dict[str, Any]] = field(default_factory=list)
    filtered: int = 0
    rows: int = 0
    error: str | None = None


class Transactions:
    def __init__(self, state: State):
        self.state = state
        self.by_label: dict[tuple[str, str], Transaction] = {}
        self.committed = 0
        self.committed_rows = 0
        self.failed = 0

    def running(self) -> list[Transaction]:
        return [txn for txn in self.by_label.values() if txn.state in ("PREPARE", "PREPARED")]

    def older_than(self, moment: float) -> bool:
        """Whether a transaction begun before then still holds back a schema change."""
        return any(txn.started < moment for txn in self.running())

    def find(self, db: str, label: str) -> Transaction | None:
        txn = self.by_label.get((db, label))
        if txn and txn.state == "PREPARE" and time.time() - txn.started > PREPARE_SECONDS:
            self._abort(txn, "timeout by txn manager")
        return txn

    def get(self, db: str, label: str, table: str | None = None) -> Transaction:
        txn = self.find(db, label)
        if txn is None:
            raise LoadError("TXN_NOT_EXISTS", f"transaction with label {label} not exists")
        if table is not None and table != txn.table_name:
            raise LoadError("INVALID_ARGUMENT", f"Request table {table} not equal transaction "
                            f"table {txn.table_name}")
        return txn

    def begin(self, db: str, table: Table, label: str, columns: list[str],
              partial: bool = False) -> Transaction:
        if not label:
            raise LoadError("FAILED", "Empty label.")
        if not _LABEL.fullmatch(label):
            raise LoadError("FAILED", "Label format error. regex: ^[-\\w]{1,128}$, "
                            f"label: {label}")
        known = self.find(db, label)
        if known is not None and known.state != "ABORTED":
            status = "RUNNING" if known.state == "PREPARE" else "FINISHED"
            raise LoadError("LABEL_ALREADY_EXISTS", f"Label [{label}] has already been used, "
                            f"relate to txn [{known.id}]", ExistingJobStatus=status)
        running = sum(txn.db == db for txn in self.running())
        if running >= MAX_RUNNING:
            raise LoadError("FAILED", f"current running txns on db {db} is {running}, "
                            f"larger than limit {MAX_RUNNING}")
        txn = Transaction(self.state.catalog.new_transaction(), label, db, table.name, table.id,
                          columns, partial)
        self.by_label[db, label] = txn
        self._forget_old()
        return txn

    def _forget_old(self) -> None:
        finished = [key for key, txn in self.by_label.items()
                    if txn.state in ("VISIBLE", "ABORTED")]
        for key in finished[:-_KEEP_LABELS]:
            del self.by_label[key]

    def load(self, txn: Transaction, body: bytes) -> None:
        if txn.state != "PREPARE":
            raise LoadError("TXN_IN_PROCESSING", f"Transaction in processing, please retry later, "
                            f"label {txn.label}, state {txn.state}")
        try:
            objects = values.read_json(body.decode("utf-8"))
        except ValueError as error:
            self._abort(txn, "parse error")
            raise LoadError("DATA_QUALITY_ERROR", f"parse error: {error}") from None
        txn.loads += 1
        txn.load_bytes += len(body)
        for item in objects:
            if not isinstance(item, dict):
                txn.filtered += 1
                txn.error = txn.error or "Value is not an object"
            else:
                txn.objects.append(item)

    def prepare(self, txn: Transaction) -> None:
        """Checks every row; one filtered row fails the whole transaction."""
        if txn.state != "PREPARE":
            raise LoadError("TXN_IN_PROCESSING", f"transaction {txn.label} is {txn.state}")
        if txn.loads == 0:
            raise LoadError("INVALID_ARGUMENT",
                            f"transaction {txn.label} hasn't send any data yet")
        table = self._table(txn)
        upserts: list[Row] = []
        for item in txn.objects:
            try:
                is_delete, row = _row(table, txn, item)
                if not is_delete:
                    upserts.append(row)
            except values.BadRow as bad:
                txn.filtered += 1
                txn.error = txn.error or str(bad)
            except KeyTooLong:
                self._abort(txn, values.KEY_TOO_LONG)
                raise LoadError("INTERNAL_ERROR", values.KEY_TOO_LONG) from None
        txn.rows = len(txn.objects) + (txn.filtered if not txn.objects else 0)
        if txn.filtered:
            reason = txn.error or ""
            self._abort(txn, "too many filtered rows")
            raise LoadError("INTERNAL_ERROR", "too many filtered rows", reason=reason,
                            NumberTotalRows=txn.rows, NumberFilteredRows=txn.filtered)
        problem = table.add_partitions(upserts)
        if problem:
            self._abort(txn, problem)
            raise LoadError("INTERNAL_ERROR", problem)
        txn.state = "PREPARED"

    def _table(self, txn: Transaction) -> Table:
        found = self.state.catalog.find_table_by_id(txn.table_id)
        if found is None:
            self._abort(txn, "table dropped")
            raise LoadError("FAILED", f"unknown table {txn.db}.{txn.table_name}")
        return found[1]

    def commit(self, txn: Transaction) -> None:
        """Makes the rows visible; commit of a committed one is not an error."""
        if txn.state == "VISIBLE":
            return
        if txn.state != "PREPARED":
            raise LoadError("FAILED", f"Can not commit {txn.state} transaction {txn.id}, "
                            f"label is {txn.label}")
        table = self._table(txn)
        upserts: dict[tuple[str | None, ...], Row] = {}
        deletes: dict[tuple[str | None, ...], bool] = {}
        keys = [number for number, column in enumerate(table.columns) if column.key]
        for number, item in enumerate(txn.objects):
            is_delete, row = _row(table, txn, item)
            key = (tuple(row[position] for position in keys) if table.model == "PRIMARY_KEYS"
                   else (str(number),))
            upserts.pop(key, None)
            deletes.pop(key, None)
            if is_delete:
                deletes[key] = True
            else:
                upserts[key] = row
        self.state.store.delete(table, list(deletes))
        if txn.partial:
            written = {name.lower() for name in txn.columns}
            kept = [column for column in table.columns if column.name.lower() not in written]
            self.state.store.merge(table, list(upserts.values()), kept)
        else:
            self.state.store.upsert(table, list(upserts.values()))
        txn.state = "VISIBLE"
        txn.objects = []
        self.committed += 1
        self.committed_rows += txn.rows

    def rollback(self, txn: Transaction) -> None:
        if txn.state == "VISIBLE":
            raise LoadError("FAILED", f"Can not abort VISIBLE transaction {txn.id}, "
                            f"label is {txn.label}")
        self._abort(txn, "user abort")

    def _abort(self, txn: Transaction, reason: str) -> None:
        if txn.state != "ABORTED" and reason != "user abort":
            self.failed += 1
        txn.state, txn.error, txn.objects = "ABORTED", txn.error or reason, []


class KeyTooLong(Exception):
    """The encoded primary key has more than 128 bytes."""


def _row(table: Table, txn: Transaction, item: dict[str, Any]) -> tuple[bool, Row]:
    """Whether a row deletes, and its values in table order."""
    given = {name.lower(): name for name in txn.columns or item}
    operation = str(item.get("__op", 0)) if "__op" in given else "0"
    if operation not in ("0", "1", "upsert", "delete"):
        raise values.BadRow(f"invalid __op value: {operation}")
    is_delete = operation in ("1", "delete")
    row: list[str | None] = []
    for column in table.columns:
        name = given.get(column.name.lower())
        if is_delete and not column.key:
            row.append(None)
        elif name is not None:
            row.append(values.load_value(column, item.get(name)))
        else:
            unwritten = default_value(table, column)
            # A partial update leaves the column alone, where the row exists.
            row.append(unwritten if txn.partial else values.checked(column, unwritten))
    keys = table.key_columns()
    if table.model == "PRIMARY_KEYS":
        size = values.key_bytes(keys, [row[table.columns.index(key)] for key in keys])
        if size > values.MAX_KEY_BYTES:
            raise KeyTooLong
    return is_delete, row
