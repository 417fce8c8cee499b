"""CREATE SINK's checks against StarRocks: RisingWave 3.0.3 starrocks.rs, in its order."""

from __future__ import annotations

import pymysql

from . import rwtypes as t
from .catalog import Sink
from .errors import PgError, ddl_call

_REQUIRED = ("starrocks.host", ("starrocks.mysqlport", "starrocks.query_port"),
             ("starrocks.httpport", "starrocks.http_port"), "starrocks.user",
             "starrocks.password", "starrocks.database", "starrocks.table", "type")
_WORDS = {t.BOOLEAN: ("tinyint", "boolean"), t.SMALLINT: ("smallint",), t.INTEGER: ("int",),
          t.BIGINT: ("bigint",), t.REAL: ("float",), t.DOUBLE: ("double",),
          t.NUMERIC: ("decimal",), t.VARCHAR: ("varchar",), t.DATE: ("date",),
          t.TIMESTAMP: ("datetime",), t.JSONB: ("json",)}
_NEVER = {
    t.TIME: "TIME is not supported for Starrocks sink. Please convert to VARCHAR or other "
            "supported types.",
    t.TIMESTAMPTZ: "TIMESTAMP WITH TIMEZONE is not supported for Starrocks sink as Starrocks "
                   "doesn't store time values with timezone information. Please convert to "
                   "TIMESTAMP first.",
    t.BYTEA: "BYTEA is not supported for Starrocks sink. Please convert to VARCHAR or other "
             "supported types.",
    t.INTERVAL: "INTERVAL is not supported for Starrocks sink. Please convert to VARCHAR or other "
                "supported types."}
TIMEOUT_S = 10


def _config(text: str) -> PgError:
    return ddl_call("CreateSink", "Sink error", "config error", text)


def _invalid(*causes: str) -> PgError:
    return ddl_call("CreateSink", "failed to validate sink", *causes)


def _starrocks(text: str) -> PgError:
    return _invalid(f"Starrocks error: {text}")


def check_options(sink: Sink) -> None:
    """What the sink's configuration must say before any connection."""
    for names in _REQUIRED:
        names = (names,) if isinstance(names, str) else names
        if not any(name in sink.props for name in names):
            raise _config(f"missing field `{names[0]}`")
    for name in ("commit_checkpoint_interval", "starrocks.max_batch_size_bytes"):
        value = sink.option(name, "1")
        if not value.isdigit():
            raise _config(f"invalid digit found in string: {name}")
        if int(value) == 0:
            raise _config(f"`{name}` must be greater than 0")
    if not sink.decoupled and int(sink.option("commit_checkpoint_interval", "1")) > 1:
        raise _invalid("config conflict: `commit_checkpoint_interval` larger than 1 means that "
                       "sink decouple must be enabled, but session config sink_decouple is "
                       "disabled")


def check_target(sink: Sink) -> None:
    """Asks StarRocks for the table, over its MySQL port."""
    upsert = sink.option("type") == "upsert"
    key = [name.strip() for name in sink.option("primary_key").split(",") if name.strip()]
    if upsert and not key:
        raise _invalid("config error", "Primary key not defined for upsert starrocks sink (please "
                       "define in `primary_key` field)")
    model, columns = _ask(sink)
    table, database = sink.option("starrocks.table"), sink.option("starrocks.database")
    if not model:
        raise _starrocks(f'Can\'t find schema with table "{table}" and database "{database}"')
    if upsert:
        if model[0][0] != "PRIMARY_KEYS":
            raise _invalid("config error", "If you want to use upsert, please set the keysType of "
                           "starrocks to PRIMARY_KEY")
        for name in key:
            if name not in model[0][1]:
                raise _starrocks(f'Can\'t find pk "{name}" in starrocks')
    _check_columns(sink, dict(columns))


def _check_columns(sink: Sink, target: dict[str, str]) -> None:
    if len(sink.columns) > len(target):
        raise _starrocks("The columns of the sink must be equal to or a superset of the target "
                         "table's columns.")
    for column in sink.columns:
        if column.name not in target:
            raise _starrocks("Column name don't find in starrocks, risingwave is "
                             f'"{column.name}" ')
        if column.type in _NEVER:
            raise _starrocks(_NEVER[column.type])
        words = _WORDS.get(column.type, ())
        if not any(word in target[column.name] for word in words):
            raise _starrocks(f'Column type don\'t match, column name is "{column.name}". starrocks '
                             f'type is "{target[column.name]}" risingwave type is '
                             f"{column.type.rust} ")


def _ask(sink: Sink) -> tuple[list[tuple], list[tuple]]:
    table, database = sink.option("starrocks.table"), sink.option("starrocks.database")
    where = f'where table_name = "{table}" and table_schema = "{database}"'
    try:
        connection = pymysql.connect(
            host=sink.option("starrocks.host"),
            port=int(sink.option("starrocks.mysqlport") or sink.option("starrocks.query_port")),
            user=sink.option("starrocks.user"), password=sink.option("starrocks.password").encode(),
            database=database, charset="utf8mb4", autocommit=None, connect_timeout=TIMEOUT_S,
            read_timeout=TIMEOUT_S, ssl_disabled=True)
        with connection, connection.cursor() as cursor:
            cursor.execute("select table_model, primary_key, sort_key from "
                           f"information_schema.tables_config {where};")
            model = list(cursor.fetchall())
            cursor.execute("select column_name, column_type from "
                           f"information_schema.columns {where};")
            return model, list(cursor.fetchall())
    except (pymysql.err.MySQLError, OSError, ValueError) as error:
        raise _invalid("Doris/Starrocks connect error", *_causes(error)) from error


def _causes(error: Exception) -> tuple[str, ...]:
    code, text = (error.args + ("", ""))[:2]
    if code == 2003:
        reason = getattr(error, "original_exception", None)
        if isinstance(reason, ConnectionRefusedError):
            last = "Connection refused (os error 111)"
        elif isinstance(reason, OSError) and reason.errno and reason.errno < 0:
            last = "failed to lookup address information: Name or service not known"
        else:
            last = str(reason or text)
        return "Input/output error", "Input/output error", last
    if isinstance(code, int) and code < 2000 or isinstance(code, int) and code > 5000:
        state = "28000" if code == 1045 else "42000" if code == 1049 else "HY000"
        shown = f"ERROR {state} ({code}): {text}"
        return f"Server error: `{shown}'", shown
    return "Input/output error", str(text or error)
