"""CREATE SOURCE and its ALTERs."""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING, Any

from . import mysql
from . import statements as ast
from .catalog import Prop, Source
from .errors import PgError, ddl_call, invalid_syntax, meta_call, not_found

if TYPE_CHECKING:
    from .session import Session

_ALTERABLE = {"hostname", "port", "username", "password",
              "cdc.source.wait.streaming.start.timeout", "debezium.max.queue.size",
              "debezium.queue.memory.ratio"}
_TIMEOUT = "cdc.source.wait.streaming.start.timeout"
_SKIP_DDL = "debezium.schema.history.internal.skip.unparseable.ddl"
_ALTER_CALL = "meta.StreamManagerService/AlterConnectorProps"
_WILDCARD_NOTICE = (
    'Neither wildcard ("*") nor regular (non-generated) columns appear in the user-defined schema '
    "from SQL. For backward compatibility, all columns from the source will be included at the "
    'beginning. For clarity, consider adding a wildcard ("*") to indicate where the columns from '
    "the source should be included, or specifying the columns you want to include from the source.")
LICENSE_CAUSE = (
    "a valid license key is set, but it is currently not effective because the memory in the "
    "cluster (23.54 GiB) exceeds the maximum allowed by the license key (20.00 GiB); consider "
    "removing some nodes or acquiring a new license key with a higher limit")


def need_license(session: Session, feature: str) -> None:
    if not session.server.licensed:
        raise PgError(f"feature {feature} is not available due to license error", LICENSE_CAUSE)


def properties(session: Session, options: list[ast.Option]) -> dict[str, Prop]:
    """Options with their secrets looked up."""
    found = {}
    for option in options:
        secret = None
        if option.secret is not None:
            schema = option.secret.schema or session.schema_name()
            secret = session.catalog.find_secret(schema, option.secret.name)
            if secret is None:
                raise not_found("secret", option.secret.name)
        found[option.key] = Prop(option.value, secret)
    return found


async def create(session: Session, statement: ast.CreateSource) -> str:
    schema = session.writable_schema(statement.name)
    existing = session.catalog.check_free(schema, statement.name.name)
    if existing is not None:
        if not statement.if_not_exists:
            raise session.catalog.refuse_existing(existing)
        session.notice(f'relation "{existing.name}" already exists, skipping')
        return "CREATE_SOURCE"
    given = {option.key: option.value for option in statement.options}
    _check_options(session, given)
    session.notice(_WILDCARD_NOTICE)
    props = properties(session, statement.options)
    timeout = session.variables["cdc_source_wait_streaming_start_timeout"]
    props.setdefault(_TIMEOUT, Prop(timeout))
    props.setdefault("server.id", Prop(str(random.randrange(1, 2 ** 32 - 2))))
    props["debezium.snapshot.mode"] = Prop("rw_cdc_backfill")
    props["rw.sharing.mode.enable"] = Prop("true")
    props["transactional"] = Prop("true")
    source = Source(**session.catalog.reserve(1), name=statement.name.name, owner=session.user,
                    schema=schema, definition=statement.definition, props=props,
                    parallelism=session.parallelism("source", 4))
    session.server.check_running("ddl_service.DdlService/CreateSource")
    async with session.server.permit:
        await _check_and_start(session, source)
    return "CREATE_SOURCE"


def _check_options(session: Session, given: dict[str, str]) -> None:
    if given.get("auto.schema.change") not in (None, "true", "false"):
        raise PgError("invalid value of 'auto.schema.change' option")
    if given.get("auto.schema.change") == "true":
        need_license(session, "CdcAutoSchemaChange")
    for key in (_TIMEOUT, "debezium.max.queue.size"):
        if key in given and not given[key].isdigit():
            raise invalid_syntax(f"Invalid value `{given[key]}` for `{key}`")
    ratio = given.get("debezium.queue.memory.ratio")
    if ratio is not None and not _between(ratio, 0.01, 0.8):
        raise invalid_syntax(f"Invalid value `{ratio}` for `debezium.queue.memory.ratio`")


def _between(text: str, low: float, high: float) -> bool:
    try:
        return low <= float(text) <= high
    except ValueError:
        return False


async def _check_and_start(session: Session, source: Source) -> None:
    props = {key: prop.resolved() for key, prop in source.props.items()}
    try:
        offset, parseable = await asyncio.to_thread(_inspect, props)
    except mysql.Invalid as invalid:
        raise ddl_call("CreateSource", "failed to create source worker",
                       "failed to create SplitEnumerator", "source cannot pass validation",
                       str(invalid)) from invalid
    if not parseable or not props["server.id"].isdigit():
        session.server.begin_recovery()
        raise ddl_call("CreateSource", "failed to wait streaming job finish: failed over: "
                       "database 1 report failure from 2")
    source.offset = {"ts_sec": int(time.time()), "server_id": 0, **offset}
    session.catalog.add(source, "source")
    session.server.add_source(source)
    await session.server.wait_barrier()


def _inspect(props: dict[str, str]) -> tuple[dict[str, Any], bool]:
    """The validator's checks, the log's end and whether the schemas can be parsed."""
    with mysql.open_checked(props) as connection:
        mysql.check_server(connection, props)
        offset = mysql.position(connection)
        if mysql.is_mariadb(connection):
            offset["mariadb"] = True
        parseable = props.get(_SKIP_DDL) == "true" or not mysql.has_unparseable(
            connection, props["database.name"])
        return offset, parseable


async def alter_connector(session: Session, statement: ast.AlterConnector) -> str:
    source = session.owned(Source, statement.name)
    changed = properties(session, statement.options)
    for key in changed:
        if key == "connector":
            raise invalid_syntax("Cannot change connector type from 'mysql-cdc' to "
                                 f"'{changed[key].value}'. Drop and recreate the source instead.")
        if key not in _ALTERABLE:
            raise meta_call(_ALTER_CALL, f"Field '{key}' is not allowed to be altered on the fly "
                            "for connector: mysql-cdc")
    session.server.check_running(_ALTER_CALL)
    props = {**source.props, **changed}
    resolved = {key: prop.resolved() for key, prop in props.items()}
    try:
        await asyncio.to_thread(_inspect, resolved)
    except mysql.Invalid as invalid:
        raise meta_call(_ALTER_CALL, "failed to create SplitEnumerator",
                        "source cannot pass validation", str(invalid)) from invalid
    source.props = props
    source.definition = _reprinted(source)
    session.server.sources[source.id].restart()
    session.catalog.changed()
    return "ALTER_SOURCE"


def _reprinted(source: Source) -> str:
    """The odd form a definition has after ALTER: every value in three quotes."""
    quoted = {"source", "wait", "start", "connector", "database", "bigint", "schema", "internal",
              "snapshot"}
    shown = []
    for key in sorted(source.props):
        prop = source.props[key]
        name = ".".join(f'"{part}"' if part in quoted else part for part in key.split("."))
        text = prop.value.replace("'", "''")
        value = f"SECRET {prop.secret.name}" if prop.secret else f"'''{text}'''"
        shown.append(f"{name} = {value}")
    name = source.definition.split(" ")[2]
    return f"CREATE SOURCE {name} WITH ({', '.join(shown)})"


async def alter_rate(session: Session, statement: ast.AlterRateLimit) -> str:
    source = session.owned(Source, statement.name)
    if statement.limit != "source_rate_limit":
        raise PgError(f"ALTER {statement.limit.upper()} is not for source")
    source.rate_limit = statement.value
    session.server.sources[source.id].restart()
    session.catalog.changed()
    return "ALTER_SOURCE"


async def reset(session: Session, statement: ast.ResetSource) -> str:
    source = session.owned(Source, statement.name)
    props = {key: prop.resolved() for key, prop in source.props.items()}
    session.server.check_running("ddl_service.DdlService/ResetSource")
    try:
        offset, _ = await asyncio.to_thread(_inspect, props)
    except mysql.Invalid as invalid:
        raise ddl_call("ResetSource", "source cannot pass validation", str(invalid)) from invalid
    source.offset = {"ts_sec": int(time.time()), "server_id": 0, **offset}
    session.server.sources[source.id].restart()
    session.catalog.changed()
    return "ALTER_SOURCE"


