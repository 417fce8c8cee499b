"""CREATE TABLE ... FROM source, its ALTERs and comments."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from . import actors, mysql
from . import rwtypes as t
from . import statements as ast
from .catalog import Column, Sink, Source, Table
from .ddl_source import properties
from .errors import Panic, PgError, ddl_call, invalid_parameter, invalid_syntax, not_found
from .parser_create import printed_options
from .values import MyColumn

if TYPE_CHECKING:
    from .session import Session

_INCLUDABLE = ("table_name", "timestamp", "database_name", "schema_name")
_SYSTEM_COLUMNS = ("tableoid", "xmin", "cmin", "xmax", "cmax", "ctid")
_RESERVED_PREFIXES = ("_row_id", "_rw_")


async def create(session: Session, statement: ast.CreateTable) -> str:
    schema = session.writable_schema(statement.name)
    existing = session.catalog.check_free(schema, statement.name.name)
    if existing is not None:
        if not statement.if_not_exists:
            raise session.catalog.refuse_existing(existing)
        session.notice(f'relation "{existing.name}" already exists, skipping')
        return "CREATE_TABLE"
    source = session.find(Source, statement.source)
    if source is None:
        raise not_found("source", statement.source.name)
    _check_shape(statement)
    if "'" in statement.upstream:
        raise _panic(statement)
    upstream = _upstream(source, statement.upstream)
    _check_options(statement)
    table = Table(**session.catalog.reserve(1), name=statement.name.name, owner=session.user,
                  schema=schema, source=source, upstream=upstream,
                  props=properties(session, statement.options),
                  parallelism=session.parallelism("table", 4))
    actors.check_limits(session)
    session.server.check_running("ddl_service.DdlService/CreateTable")
    async with session.server.permit:
        await _check_and_start(session, statement, table)
    return "CREATE_TABLE"


def _check_shape(statement: ast.CreateTable) -> None:
    if statement.default:
        raise PgError("Not supported: Default value for columns defined on the table created from "
                      "a CDC source\nHINT: Remove the default value expression in the column "
                      "definitions")
    for column in statement.columns:  # only as spelt here: "XMIN" is a name like any other
        prefix = next((p for p in _RESERVED_PREFIXES if column.name.startswith(p)), None)
        if prefix:
            raise PgError(f'column name prefixed with "{prefix}" are reserved word.')
        if column.name in _SYSTEM_COLUMNS:
            raise invalid_syntax(f'column name "{column.name}" conflicts with a system column name')
    names = [column.name for column in statement.columns]
    for name in names:
        if names.count(name) > 1:
            raise invalid_syntax(f'column "{name}" specified more than once')
    if not statement.wildcard and not statement.key:
        raise PgError("Not supported: CDC table without primary key constraint is not supported"
                      "\nHINT: Please define a primary key")
    for name in statement.key:
        if not statement.wildcard and name not in names:
            raise PgError(f'Bind error: column "{name}" named in key does not exist')
    for meta, _, _ in statement.includes:
        if meta not in _INCLUDABLE:
            raise PgError("connector error", f"additional column type {meta} is not supported for "
                          'connector mysql-cdc, acceptable column types: {"table_name", '
                          '"timestamp", "database_name", "schema_name"}')


def _panic(statement: ast.CreateTable) -> Panic:
    """RisingWave prints the name without doubling its quote and cannot parse that."""
    definition = _definition(statement, "").replace(
        statement.upstream.replace("'", "''"), statement.upstream)
    column = definition.rfind("'") + 2
    caret = " " * (len("LINE 1: ") + column - 1) + "^"
    return Panic('normalized SQL should be parsable: TokenizerError("Unterminated string literal '
                 f'at line 1, column {column}\\nLINE 1: {definition}\\n{caret}")')


def _upstream(source: Source, name: str) -> tuple[str, str]:
    database, dot, table = name.partition(".")
    if not dot:
        raise PgError("The upstream table name must contain database name prefix, e.g. "
                      "'database.table'")
    databases = source.option("database.name")
    if database not in [part.strip() for part in databases.split(",")]:
        raise PgError(f"The database name `{database}` in the FROM clause is not included in the "
                      f"database name `{databases}` in source definition")
    return database, table


def _check_options(statement: ast.CreateTable) -> None:
    for option in statement.options:
        if option.key == "snapshot" and option.value.lower() not in ("true", "false"):
            raise PgError("Invalid value for snapshot")
        if option.key in ("snapshot.interval", "snapshot.batch_size", "backfill_rate_limit") \
                and not option.value.isdigit():
            raise PgError(f"Invalid value for {option.key}")


async def _check_and_start(session: Session, statement: ast.CreateTable, table: Table) -> None:
    try:
        found = await asyncio.to_thread(_inspect, table, statement)
    except mysql.Invalid as invalid:
        table.definition = _definition(statement, _columns_text(statement))
        session.server.events.create_fail(table.id, table.name, table.definition,
                                          f"source cannot pass validation: {invalid}")
        raise ddl_call("CreateTable", "source cannot pass validation", str(invalid)) from invalid
    if statement.wildcard:
        columns, table.key = mysql.derive(found)
        shown = [f"{name} {kind.sql}" for name, kind in columns]
        text = ", ".join([*shown, f"PRIMARY KEY ({', '.join(table.key)})"])
    else:
        columns = [(column.name, column.type) for column in statement.columns]
        table.key = list(statement.key)
        text = _columns_text(statement)
    table.columns = [Column(name, kind) for name, kind in columns]
    for meta, alias, _ in sorted(statement.includes, key=lambda include: include[0]):
        kind = t.TIMESTAMPTZ if meta == "timestamp" else t.VARCHAR
        table.columns.append(Column(alias, kind, meta))
    table.definition = _definition(statement, text)
    rate = table.option("backfill_rate_limit", session.variables["backfill_rate_limit"])
    table.rate_limit = int(rate)
    table.progress.skipped = table.option("snapshot").lower() == "false"
    session.catalog.add(table, "streamcdcscan")
    session.server.add_table(table)


def _inspect(table: Table, statement: ast.CreateTable) -> list[MyColumn]:
    props = {key: prop.resolved() for key, prop in table.source.props.items()}
    with mysql.open_checked(props) as connection:
        found = mysql.read_columns(connection, *table.upstream)
        if statement.wildcard:
            mysql.derive(found)
            return found
        mysql.check_server(connection, props)
        mysql.check_table(found, table.upstream[1],
                          [(column.name, column.type) for column in statement.columns],
                          statement.key)
        return found


def _columns_text(statement: ast.CreateTable) -> str:
    shown = [column.printed for column in statement.columns]
    if statement.key_printed:
        shown.append(f"PRIMARY KEY ({', '.join(statement.key_printed)})")
    return ", ".join(shown)


def _definition(statement: ast.CreateTable, columns: str) -> str:
    parts = [f"CREATE TABLE {statement.name} ({columns or _columns_text(statement)})"]
    parts += [printed for _, _, printed in statement.includes]
    if statement.options:
        parts.append(printed_options(statement.options))
    name = statement.upstream.replace("'", "''")
    parts.append(f"FROM {statement.source} TABLE '{name}'")
    return " ".join(parts)


async def alter_column(session: Session, statement: ast.AlterColumn) -> str:
    table = session.owned(Table, statement.table)
    session.server.check_running("ddl_service.DdlService/ReplaceJobPlan")
    session.catalog.reserve(1)  # the job that replaces the table's
    if statement.drop:
        _drop_column(session, table, statement.column.name)
    else:
        _add_column(table, statement)
    table.version += 1
    session.catalog.changed()
    return "ALTER_TABLE"


def _add_column(table: Table, statement: ast.AlterColumn) -> None:
    name = statement.column.name
    if any(column.name == name for column in table.columns):
        raise invalid_syntax(f'column "{name}" of table "{statement.table}" already exists')
    if any(column.meta for column in table.columns):
        raise PgError("Feature is not yet implemented: ALTER TABLE with INCLUDE columns")
    # Neither the name nor the type is checked against MySQL (verified.md 3).
    table.columns.append(Column(name, statement.column.type))
    for row in table.rows.values():
        row.append(None)
    body, _, rest = table.definition.partition(", PRIMARY KEY (")
    if rest:
        table.definition = f"{body}, {statement.column.printed}, PRIMARY KEY ({rest}"


def _drop_column(session: Session, table: Table, name: str) -> None:
    places = [place for place, column in enumerate(table.columns) if column.name == name]
    if not places:
        raise invalid_syntax(f'column "{name}" of table "{table.name}" does not exist')
    if name in table.key:
        raise PgError("Not supported: cannot drop a primary key column\nHINT: Try dropping the "
                      "table instead")
    sinks = [sink for sink in session.catalog.of(Sink) if sink.upstream is table]
    if any(name in sink.projection.used for sink in sinks):
        raise invalid_parameter("unable to drop the column due to being referenced by downstream "
                                "materialized views or sinks")
    del table.columns[places[0]]
    for row in table.rows.values():
        del row[places[0]]
    for sink in sinks:
        sink.projection.rebind(table.columns)


async def alter_rate(session: Session, statement: ast.AlterRateLimit) -> str:
    table = session.owned(Table, statement.name)
    if statement.limit == "source_rate_limit":
        raise PgError("ALTER SOURCE_RATE_LIMIT is not for table without source")
    if statement.limit != "backfill_rate_limit":
        raise PgError(f"ALTER {statement.limit.upper()} is not for table")
    table.rate_limit = statement.value
    session.catalog.changed()
    return "ALTER_TABLE"


async def comment(session: Session, statement: ast.Comment) -> str:
    table = session.owned(Table, statement.table)
    if statement.column is None:
        table.comment = statement.text
    else:
        for column in table.columns:
            if column.name == statement.column:
                column.comment = statement.text
                break
        else:
            raise PgError(f"Item not found: Invalid column: {statement.column}")
    session.catalog.changed()
    return "COMMENT"
