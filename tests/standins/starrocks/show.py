"""SHOW and DESC: answered by the FE alone, so they work without any backend."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from . import show_cluster, variables
from .catalog import Column, Database, Table
from .errors import analyzing
from .results import Cell, ResultSet, texts
from .tree import Show

if TYPE_CHECKING:
    from .session import Session

_JOB_COLUMNS = ["JobId", "TableName", "CreateTime", "FinishTime", "IndexName", "IndexId",
                "OriginIndexId", "SchemaVersion", "TransactionId", "State", "Msg", "Progress",
                "Timeout"]
_FILTERS = {"tablename": 1, "createtime": 2, "finishtime": 3, "state": 9}
# SHOW prints times in the FE's fixed zone, whatever the session's is.
_FE_ZONE = datetime.timezone(datetime.timedelta(hours=8))


def like_pattern(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"(\\.|%|_)", pattern, flags=re.DOTALL)
    wild = {"%": ".*", "_": "."}
    joined = "".join(re.escape(part[1:]) if len(part) == 2 and part[0] == "\\"
                     else wild.get(part, re.escape(part)) for part in parts)
    return re.compile(joined, re.DOTALL)


def matching(names: list[str], like: str | None) -> list[str]:
    """Sorted as Java sorts strings, filtered by LIKE without regard to case."""
    ordered = sorted(names, key=lambda name: name.encode("utf-16-be"))
    if like is None:
        return ordered
    pattern = re.compile(like_pattern(like).pattern, re.DOTALL | re.IGNORECASE)
    return [name for name in ordered if pattern.fullmatch(name)]


def fe_time(moment: float | None) -> str | None:
    if moment is None:
        return None
    return datetime.datetime.fromtimestamp(moment, _FE_ZONE).strftime("%Y-%m-%d %H:%M:%S")


def session_time(session: Session, moment: float) -> str:
    zone = variables.zone(session.variable("time_zone"))
    return datetime.datetime.fromtimestamp(moment, zone).strftime("%Y-%m-%d %H:%M:%S")


def run(session: Session, statement: Show) -> ResultSet:
    handler = _HANDLERS.get(statement.what)
    if handler is not None:
        return handler(session, statement)
    return show_cluster.run(session, statement)


def _database(session: Session, name: str | None) -> Database:
    chosen = name if name is not None else session.db
    if not chosen:
        raise analyzing("No database selected", 1046)
    return session.state.catalog.database(chosen)


def _databases(session: Session, statement: Show) -> ResultSet:
    names = [database.name for database in session.state.catalog.databases.values()
             if session.accounts.sees_database(session.who, database)]
    return texts(["Database"], [[name] for name in matching(names, statement.like)], 60)


def visible_tables(session: Session, database: Database) -> list[Table]:
    return [table for table in database.tables.values()
            if session.accounts.sees_table(session.who, database, table)]


def _tables(session: Session, statement: Show) -> ResultSet:
    database = _database(session, statement.db)
    tables = {table.name: table for table in visible_tables(session, database)}
    names = matching(list(tables), statement.like)
    columns = [f"Tables_in_{database.name}"]
    if not statement.full:
        return texts(columns, [[name] for name in names], 60)
    return texts([*columns, "Table_type"],
                 [[name, "VIEW" if tables[name].is_view else "BASE TABLE"] for name in names], 60)


def _table_status(session: Session, statement: Show) -> ResultSet:
    database = _database(session, statement.db)
    tables = {table.name: table for table in visible_tables(session, database)}
    columns = ["Name", "Engine", "Version", "Row_format", "Rows", "Avg_row_length", "Data_length",
               "Max_data_length", "Index_length", "Data_free", "Auto_increment", "Create_time",
               "Update_time", "Check_time", "Collation", "Checksum", "Create_options", "Comment"]
    rows: list[list[Cell]] = []
    for name in matching(list(tables), statement.like):
        table = tables[name]
        rows.append([name, "StarRocks", None, "", "0", "0", "0", None, None, None, None,
                     session_time(session, table.created), session_time(session, table.updated),
                     None, "utf8_general_ci", None, "", table.comment])
    return texts(columns, rows)


def _need_any(session: Session, database: Database, table: Table) -> None:
    session.accounts.need(session.who, "ANY", "TABLE", database, table)


def _yes(value: bool) -> str:
    return "YES" if value else "NO"


def _desc(session: Session, statement: Show) -> ResultSet:
    assert statement.name is not None
    database, name = session.state.catalog.resolve(statement.name, session.db)
    table = database.tables.get(name)
    if table is None:
        # Only DESC takes a table of another case when there is no exact match.
        table = next((t for t in database.tables.values() if t.name.lower() == name.lower()), None)
    if table is None:
        raise analyzing(f"Unknown table '{name}'", 5502)
    _need_any(session, database, table)
    rows: list[list[Cell]] = []
    for column in table.columns:
        default, extra = column.default_text(), ""
        if default == "CURRENT_TIMESTAMP":
            if column.added_at is None:
                extra = "DEFAULT_GENERATED"
            else:
                default = session_time(session, column.added_at)
        is_key = column.key and not table.is_view
        rows.append([column.name, column.type.desc_text(), _yes(column.nullable),
                     "true" if is_key else "false", default, extra])
    return texts(["Field", "Type", "Null", "Key", "Default", "Extra"], rows)


def _columns(session: Session, statement: Show) -> ResultSet:
    assert statement.name is not None
    database, table = session.table(statement.name, "qualified")
    _need_any(session, database, table)
    kept = set(matching([column.name for column in table.columns], statement.like))
    shown = [column for column in table.columns if column.name in kept]

    def plain_row(column: Column) -> list[Cell]:
        return [column.name, column.type.desc_text(), _yes(column.nullable), _yes(column.key),
                column.default_text(), ""]

    if not statement.full:
        return texts(["Field", "Type", "Null", "Key", "Default", "Extra"],
                     [plain_row(column) for column in shown], 60)
    rows: list[list[Cell]] = []
    for column in shown:
        cells = plain_row(column)
        rows.append([*cells[:2], "", *cells[2:], "", column.comment])
    names = ["Field", "Type", "Collation", "Null", "Key", "Default", "Extra", "Privileges",
             "Comment"]
    result = texts(names, rows, 60)
    from dataclasses import replace
    result.fields[7] = replace(result.fields[7], length=240)
    return result


def _create_table(session: Session, statement: Show) -> ResultSet:
    assert statement.name is not None
    database, table = session.table(statement.name)
    _need_any(session, database, table)
    if not table.is_view:
        return texts(["Table", "Create Table"], [[table.name, table.create_text()]])
    columns = ", ".join(f"`{column.name}`" for column in table.columns)
    text = f"CREATE VIEW `{table.name}` ({columns}) SECURITY NONE AS {table.view_text};"
    return texts(["View", "Create View", "character_set_client", "collation_connection"],
                 [[table.name, text, "utf8", "utf8_general_ci"]])


def _create_database(session: Session, statement: Show) -> ResultSet:
    database = _database(session, statement.db)
    session.accounts.need(session.who, "ANY", "DATABASE", database)
    return texts(["Database", "Create Database"],
                 [[database.name, f"CREATE DATABASE `{database.name}`"]])


def _alter_column(session: Session, statement: Show) -> ResultSet:
    """Jobs are shown to everybody, also to a user without any grant (verified.md 25)."""
    database = _database(session, statement.db)
    for name, operator, _ in statement.where:
        if name.lower() not in _FILTERS:
            raise analyzing("The columns of TableName/CreateTime/FinishTime/State are supported.",
                            5064)
        if operator == "LIKE":
            raise analyzing("The operator =|>=|<=|>|<|!= are supported.", 5064)
    rows: list[list[Cell]] = []
    for job in session.state.catalog.jobs:
        if job.db_id == database.id:
            rows.append([str(job.id), job.table_name, fe_time(job.created), fe_time(job.finished),
                         job.table_name, str(job.index_id), str(job.origin_index_id),
                         job.schema_version, str(job.txn_id), job.state, job.message,
                         job.progress, str(job.timeout)])
    for name, operator, wanted in statement.where:
        number = _FILTERS[name.lower()]
        rows = [row for row in rows if _holds(str(row[number] or ""), operator, wanted)]
    if statement.order_by:
        column, descending = statement.order_by
        if column not in _JOB_COLUMNS:
            raise analyzing(f"Table name or column name not found: {column}")
        number = _JOB_COLUMNS.index(column)
        rows.sort(key=lambda row: _sort_key(str(row[number] or "")), reverse=descending)
    return texts(_JOB_COLUMNS, rows[:statement.limit])


def _sort_key(text: str) -> tuple[int, str]:
    return (int(text), "") if text.isdigit() else (0, text)


def _holds(value: str, operator: str, wanted: str) -> bool:
    tests: dict[str, Callable[[str, str], bool]] = {
        "=": str.__eq__, "!=": str.__ne__, ">": str.__gt__, "<": str.__lt__,
        ">=": str.__ge__, "<=": str.__le__}
    return tests[operator](value, wanted)


def _variables(session: Session, statement: Show) -> ResultSet:
    known = dict(variables.listed(session, statement.full))
    return texts(["Variable_name", "Value"],
                 [[name, known[name]] for name in matching(list(known), statement.like)], 60)


def _index(session: Session, statement: Show) -> ResultSet:
    assert statement.name is not None
    database, table = session.table(statement.name, "qualified")
    _need_any(session, database, table)
    return texts(["Table", "Non_unique", "Key_name", "Seq_in_index", "Column_name", "Collation",
                  "Cardinality", "Sub_part", "Packed", "Null", "Index_type", "Comment"], [])


_HANDLERS: dict[str, Callable[[Session, Show], ResultSet]] = {
    "databases": _databases, "tables": _tables, "table status": _table_status, "desc": _desc,
    "columns": _columns, "create table": _create_table, "create database": _create_database,
    "alter column": _alter_column, "variables": _variables, "index": _index,
}
