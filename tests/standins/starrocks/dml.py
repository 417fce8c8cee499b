"""INSERT, UPDATE and DELETE by hand; the sink itself loads over HTTP."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from . import functions, sources, values
from .catalog import Column, Database, Table
from .errors import SqlError, analyzing, plain
from .render import plain_text
from .results import Outcome
from .store import Row, Store, duck_name
from .tree import Name
from .types import INTEGER_BITS

if TYPE_CHECKING:
    from .session import Session


def run(session: Session, tree: exp.Expression, text: str) -> Outcome:
    if session.transaction:
        raise plain("Writes inside an explicit transaction are not supported here")
    functions.remember_names(tree, text)
    if isinstance(tree, exp.Insert):
        count, verb = _insert(session, tree), "insert"
    elif isinstance(tree, exp.Update):
        count, verb = _update(session, tree), "update"
    else:
        assert isinstance(tree, exp.Delete)
        count, verb = _delete(session, tree), "delete"
    number = session.state.catalog.new_transaction()
    info = f"{{'label':'{verb}_{uuid.uuid4()}', 'status':'VISIBLE', 'txnId':'{number}'}}"
    return Outcome(count, info)


def _target(session: Session, node: exp.Expression, privilege: str) -> tuple[Database, Table]:
    if not isinstance(node, exp.Table):
        raise plain("Unknown error")
    database, table = session.table(Name(node.db or None, node.name), "qualified")
    session.accounts.need(session.who, privilege, "TABLE", database, table)
    if table.is_view:
        raise analyzing(f"Table '{table.name}' is not a OLAP table")
    return database, table


def _need_replicas(session: Session, table: Table) -> None:
    if session.state.alive_backends:
        return
    raise analyzing(
        f"Tablet lost replicas. Check if any backend is down or not. tablet_id: {table.id + 3}, "
        f"replicas: 10001:2/-1/2/0:NORMAL:DEAD,. Check quorum number failed(OlapTableSink): "
        "BeReplicaSize:0, quorum:1")


def _insert(session: Session, tree: exp.Insert) -> int:
    target = tree.this
    names = [item.name for item in target.expressions] if isinstance(target, exp.Schema) else None
    _, table = _target(session, target.this if names is not None else target, "INSERT")
    columns = _insert_columns(table, names)
    rows = _insert_rows(session, tree.expression)
    prepared = [_complete(table, columns, row) for row in rows]
    _need_replicas(session, table)
    _check_keys(table, prepared)
    problem = table.add_partitions(prepared)
    if problem:
        raise plain(problem)
    session.state.store.upsert(table, prepared)
    return len(prepared)


def _insert_columns(table: Table, names: list[str] | None) -> list[Column]:
    if names is None:
        return list(table.columns)
    found = []
    for name in names:
        column = table.column(name)
        if column is None:
            raise analyzing(f"Unknown column '{name}' in '{table.name}'")
        found.append(column)
    if table.model == "PRIMARY_KEYS":
        missing = [column.name for column in table.key_columns()
                   if column not in found and not column.auto_increment]
        if missing:
            raise analyzing(f"missing key columns:{','.join(missing)} for primary key table", 6014)
    return found


def _insert_rows(session: Session, source: exp.Expression | None) -> list[list[Any]]:
    if isinstance(source, exp.Values):
        return [[_cell(session, cell) for cell in row.expressions] for row in source.expressions]
    if isinstance(source, (exp.Select, exp.SetOperation)):
        from .query import select
        result = select(session, source, source.sql(dialect="starrocks"))
        return [[None if cell is None else cell.decode() for cell in row] for row in result.rows]
    raise plain("Unknown error")


_DEFAULT = object()


def _cell(session: Session, node: exp.Expression) -> Any:
    if isinstance(node, exp.Literal):
        return node.name if node.is_string else values.Number(node.name)
    if isinstance(node, exp.Neg) and isinstance(node.this, exp.Literal):
        return values.Number(f"-{node.this.name}")
    if isinstance(node, exp.Boolean):
        return bool(node.this)
    if isinstance(node, exp.Null):
        return None
    if isinstance(node, (exp.Column, exp.Var)):
        if node.name.upper() == "DEFAULT":
            return _DEFAULT
        raise sources.unresolved(node.name)
    from .query import select
    tree = exp.select(node.copy())
    value = select(session, tree, tree.sql(dialect="starrocks")).rows[0][0]
    return None if value is None else value.decode()


def _complete(table: Table, columns: list[Column], row: list[Any]) -> Row:
    """A full row in table order, converted as strict as INSERT is."""
    if len(row) != len(columns):
        raise analyzing("Column count doesn't match value count")
    given = {column.column_id: value for column, value in zip(columns, row)}
    return [_strict(table, column, given.get(column.column_id, _DEFAULT))
            for column in table.columns]


def _strict(table: Table, column: Column, value: Any) -> str | None:
    if value is _DEFAULT:
        value = default_value(table, column)
    result = None if value is None else values.converted(column.type, value)
    if value is not None and result is None:
        if column.type.name in INTEGER_BITS or column.type.name in ("FLOAT", "DOUBLE"):
            raise analyzing(f"Invalid number format: {value}")
        raise filtered(f"Value '{value}' is out of range. The type of '{column.name}' is "
                       f"{column.type.java_text()}'")
    try:
        return values.checked(column, result)
    except values.BadRow as bad:
        raise filtered(str(bad)) from None


def filtered(reason: str) -> SqlError:
    return plain(f"Insert has filtered data : {reason}", 5610)


def default_value(table: Table, column: Column) -> str | None:
    """What a column gets that nobody wrote."""
    if column.auto_increment:
        table.next_auto += 1
        return str(table.next_auto - 1)
    default = column.default
    if default is None:
        return None
    if default.kind == "now":
        import datetime
        return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
    return str(uuid.uuid4()) if default.kind == "function" else default.text


def _check_keys(table: Table, rows: list[Row]) -> None:
    if table.model != "PRIMARY_KEYS":
        return
    keys = [(number, column) for number, column in enumerate(table.columns) if column.key]
    columns = [column for _, column in keys]
    for row in rows:
        size = values.key_bytes(columns, [row[number] for number, _ in keys])
        if size > values.MAX_KEY_BYTES:
            raise plain(values.KEY_TOO_LONG)


def _condition(session: Session, tree: exp.Expression, table: Table, verb: str) -> str:
    where = tree.args.get("where")
    if where is None:
        raise analyzing(f"{verb} must specify where clause to prevent full table {verb.lower()}")
    for column in where.find_all(exp.Column):
        if table.column(column.name) is None:
            raise sources.unresolved(column.name)
        column.set("table", None)
        column.set("db", None)
    return str(functions.rewrite(session, where).this.sql(dialect="duckdb"))


def _delete(session: Session, tree: exp.Delete) -> int:
    _, table = _target(session, tree.this, "DELETE")
    condition = _condition(session, tree, table, "Delete")
    session.state.need_backend()
    from .query import execute
    found = execute(session, f"DELETE FROM {Store.table(table)} WHERE {condition}").fetchone()
    return int(found[0])


def _update(session: Session, tree: exp.Update) -> int:
    """Reads the rows with their new values and writes them back through the checks."""
    _, table = _target(session, tree.this, "UPDATE")
    changes: dict[str, exp.Expression] = {}
    for item in tree.expressions:
        column = table.column(item.this.name)
        if column is None:
            raise analyzing(f"table '{table.name}' do not existing column '{item.this.name}'")
        if column.key:
            raise analyzing(f"primary key column cannot be updated: {column.name}")
        for inner in item.expression.find_all(exp.Column):
            if table.column(inner.name) is None:
                raise sources.unresolved(inner.name)
        changes[column.column_id] = functions.rewrite(session, item.expression)
    condition = _condition(session, tree, table, "Update")
    session.state.need_backend()
    items = [changes[column.column_id].sql(dialect="duckdb") if column.column_id in changes
             else duck_name(column.name) for column in table.columns]
    from .query import execute
    found = execute(session, f"SELECT {', '.join(items)} FROM {Store.table(table)} "
                    f"WHERE {condition}").fetchall()
    rows = [_complete(table, table.columns, [_loaded(value) for value in row]) for row in found]
    session.state.store.upsert(table, rows)
    return len(rows)


def _loaded(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else plain_text(value)
