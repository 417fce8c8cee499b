"""CREATE SINK and its ALTERs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from . import actors, srcheck
from . import statements as ast
from .catalog import Prop, Sink, Table
from .ddl_source import need_license, properties
from .errors import (
    NOT_FOUND,
    PgError,
    catalog_error,
    denied,
    invalid_parameter,
    invalid_syntax,
    meta_call,
    not_implemented,
)
from .parser_create import printed_options
from .projection import Projection, printed, source_of

if TYPE_CHECKING:
    from .session import Session

_ALTERABLE = {"starrocks.stream_load.http.timeout.ms", "commit_checkpoint_interval",
              "starrocks.max_batch_size_bytes"}
_NOT_APPENDING = (
    "The sink of retract stream cannot be append-only. Please add \"force_append_only='true'\" in "
    "WITH options to force the sink to be append-only. Notice that this will cause the sink "
    "executor to drop DELETE messages and convert UPDATE messages to INSERT.")


async def create(session: Session, statement: ast.CreateSink) -> str:
    schema = session.writable_schema(statement.name)
    existing = session.catalog.check_free(schema, statement.name.name)
    if existing is not None:
        if not statement.if_not_exists:
            raise session.catalog.refuse_existing(existing)
        session.notice(f'relation "{existing.name}" already exists, skipping')
        return "CREATE_SINK"
    sink = _planned(session, statement)
    actors.check_limits(session)
    session.server.check_running("ddl_service.DdlService/CreateSink")
    async with session.server.permit:
        if sink.option("connector") == "starrocks":
            srcheck.check_options(sink)
            await asyncio.to_thread(srcheck.check_target, sink)
            sink.props.setdefault("commit_checkpoint_interval",
                                  Prop("10" if sink.decoupled else "1"))
        # A blackhole sink was seen with both, and yet without a rate limit (chain.md).
        logged = sink.decoupled or sink.option("connector") == "blackhole"
        suffixes = ("sink", "streamscan") if logged else ("streamscan",)
        session.catalog.add(sink, *suffixes)
        session.server.add_sink(sink)
        if not sink.background:
            await _finished(session, sink)
    return "CREATE_SINK"


async def _finished(session: Session, sink: Sink) -> None:
    while sink.status == "CREATING":
        await session.server.wait_barrier()
        if sink.id not in session.catalog.relations:
            raise meta_call("ddl_service.DdlService/CreateSink", "Cancelled")


def _planned(session: Session, statement: ast.CreateSink) -> Sink:
    """The sink with its columns, before StarRocks is asked."""
    props = properties(session, statement.options)
    connector = props["connector"].value if "connector" in props else None
    if connector is None:
        raise PgError("missing field 'connector'")
    if connector not in ("starrocks", "blackhole"):
        raise not_implemented(f"sink connector {connector}")
    table = _upstream(session, statement)
    if not session.catalog.may(session.user, table, "SELECT"):
        raise denied(f'permission denied for table "{table.name}": "SELECT"')
    if "snapshot" in props and statement.query is not None \
            and props["snapshot"].value == "false":
        raise invalid_syntax("`snapshot = false` only support `CREATE SINK FROM MV or TABLE`")
    if connector == "starrocks":
        _check_type(session, props)
    projection = Projection(table.columns, statement.query, table.name)
    body = f"AS {printed(statement.query)}" if statement.query else f"FROM {statement.upstream}"
    sink = Sink(**session.catalog.reserve(2), name=statement.name.name, owner=session.user,
                schema=session.catalog.schema(statement.name.schema or session.schema_name()),
                definition=f"CREATE SINK {statement.name} {body} "
                           f"{printed_options(statement.options)}",
                props=props, parallelism=session.parallelism("sink", 8), upstream=table,
                columns=projection.outputs, projection=projection,
                background=session.flag("background_ddl"),
                decoupled=session.sink_decoupled(connector))
    sink.rate_limit = int(session.variables["sink_rate_limit"])
    sink.backfill.rate_limit = int(session.variables["backfill_rate_limit"])
    _check_key(sink)
    return sink


def _upstream(session: Session, statement: ast.CreateSink) -> Table:
    if statement.query is not None:
        name = ast.Name(*source_of(statement.query))
    else:
        assert statement.upstream is not None
        name = statement.upstream
    table = session.find(Table, name)
    if table is None:
        raise catalog_error(f"table or source not found: {name.name}", NOT_FOUND)
    return table


def _check_type(session: Session, props: dict[str, Prop]) -> None:
    kind = props["type"].value if "type" in props else None
    if kind not in (None, "upsert", "append-only"):
        raise PgError("Sink error", "config error", f"sink type unsupported: {kind}")
    force = props.get("force_append_only", Prop("")).value == "true"
    if kind == "append-only" and not force:
        raise invalid_syntax(_NOT_APPENDING)
    if force and kind != "append-only":
        raise invalid_syntax("force_append_only can be only used for type = 'append-only'")
    if force and props.get("ignore_delete", Prop("")).value == "true":
        raise invalid_syntax("force_append_only and ignore_delete are mutually exclusive")
    if props.get("auto.schema.change", Prop("")).value == "true":
        need_license(session, "SinkAutoSchemaChange")
        raise PgError("starrocks sink does not support schema change")


def _check_key(sink: Sink) -> None:
    names = {column.name for column in sink.columns}
    for name in filter(None, (part.strip() for part in sink.option("primary_key").split(","))):
        if name not in names:
            raise PgError("Sink error", "config error", f"Sink primary key column not found: "
                          f"{name}. Please use ',' as the delimiter for different primary key "
                          "columns.")


async def alter_connector(session: Session, statement: ast.AlterConnector) -> str:
    sink = session.owned(Sink, statement.name)
    call = "meta.StreamManagerService/AlterConnectorProps"
    for option in statement.options:
        if option.key not in _ALTERABLE:
            raise meta_call(call, f"Field '{option.key}' is not allowed to be altered on the fly "
                            f"for sink: {sink.option('connector')}")
        if not option.value.isdigit() or int(option.value) == 0:
            raise meta_call(call, "Sink error", "config error",
                            f"`{option.key}` must be greater than 0")
    session.server.check_running(call)
    sink.props.update(properties(session, statement.options))
    body = sink.definition.partition(" WITH (")[0]
    own = {key: prop for key, prop in sink.props.items()}
    shown = ", ".join(f"{key} = '{prop.value}'" for key, prop in own.items())
    sink.definition = f"{body} WITH ({shown})"
    session.server.sinks[sink.id].rewind = True
    session.catalog.changed()
    return "ALTER_SINK"


async def alter_rate(session: Session, statement: ast.AlterRateLimit) -> str:
    sink = session.owned(Sink, statement.name)
    if statement.limit == "backfill_rate_limit":
        sink.backfill.rate_limit = statement.value
    elif statement.limit != "sink_rate_limit":
        raise PgError(f"ALTER {statement.limit.upper()} is not for sink")
    elif not sink.decoupled:
        raise invalid_parameter("sink rate limit is only supported for kv log store, please SET "
                                "sink_decouple = TRUE before CREATE SINK")
    else:
        sink.rate_limit = statement.value
    session.catalog.changed()
    return "ALTER_SINK"


async def cancel(session: Session, statement: ast.CancelJobs) -> list[int]:
    """Drops sinks that are still being created; the ids that were."""
    cancelled = []
    for number in statement.ids:
        sink = session.catalog.relations.get(number)
        if isinstance(sink, Sink) and sink.status == "CREATING":
            session.catalog.need_owner(session.user, sink)
            await session.server.drop(sink)
            cancelled.append(number)
    return cancelled
