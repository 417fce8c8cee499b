"""Schemas, secrets, DROP, RENAME, ALTER SYSTEM and INSERT."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import duck, users
from . import statements as ast
from .catalog import SYSTEM_SCHEMAS, Relation, Schema, Secret, Sink, Source, Table
from .ddl_source import need_license
from .errors import PgError, denied, exists, invalid_syntax, meta_call, not_found

if TYPE_CHECKING:
    from .session import Session

_KINDS: dict[str, type[Relation]] = {"source": Source, "table": Table, "sink": Sink}
_SYSTEM_PARAMETERS = {"barrier_interval_ms", "checkpoint_frequency", "backup_storage_url",
                      "backup_storage_directory", "max_concurrent_creating_streaming_jobs",
                      "pause_on_next_bootstrap", "enable_tracing", "license_key",
                      "time_travel_retention_ms", "per_database_isolation", "enforce_secret"}
_IMMUTABLE = {"state_store", "data_directory", "sstable_size_mb", "block_size_kb",
              "parallel_compact_size_mb", "bloom_false_positive"}


def create_schema(session: Session, statement: ast.CreateSchema) -> str:
    name = statement.name
    if name in session.catalog.schemas:
        if not statement.if_not_exists:
            raise exists("schema", name)
        session.notice(f'schema "{name}" exists, skipping')
        return "CREATE_SCHEMA"
    if name.startswith("pg_"):
        raise PgError("Protocol error: unacceptable schema name, The prefix `pg_` is reserved for "
                      "system schemas")
    if not session.catalog.may_in_database(session.user, "CREATE"):
        raise denied(f'permission denied for database "{session.database}": "CREATE"')
    session.catalog.schemas[name] = Schema(next(session.catalog.ids), name, session.user)
    session.catalog.changed()
    return "CREATE_SCHEMA"


async def drop(session: Session, statement: ast.Drop) -> str:
    if statement.kind == "schema":
        return await _drop_schema(session, statement)
    if statement.kind == "secret":
        return _drop_secret(session, statement)
    if statement.kind == "user":
        return users.drop(session, statement)
    tag = f"DROP_{statement.kind.upper()}"
    kind = _KINDS[statement.kind]
    relation = session.find(kind, statement.name)
    if relation is None:
        other = session.find(Relation, statement.name)
        if other is not None:
            raise invalid_syntax(f"Use `DROP {other.kind.upper()}` to drop a {other.kind}.")
        if not statement.if_exists:
            raise not_found(statement.kind, statement.name.name)
        session.notice(f'{statement.kind} "{statement.name.name}" does not exist, skipping')
        return tag
    session.catalog.need_owner(session.user, relation)
    await _drop_relation(session, relation, statement.cascade)
    return tag


async def _drop_relation(session: Session, relation: Any, cascade: bool) -> None:
    dependants = session.catalog.dependants(relation)
    if dependants and not cascade:
        raise session.catalog.refuse_used(relation.kind, dependants)
    for dependant in dependants:
        await _drop_relation(session, dependant, True)
    await session.server.drop(relation)


async def _drop_schema(session: Session, statement: ast.Drop) -> str:
    name = statement.name.name
    if name not in session.catalog.schemas:
        if not statement.if_exists:
            raise not_found("schema", name)
        session.notice(f'schema "{name}" does not exist, skipping')
        return "DROP_SCHEMA"
    schema = session.catalog.schema(name)
    if name in SYSTEM_SCHEMAS:
        raise PgError(f"Protocol error: cannot drop schema {name} because it is required by the "
                      "database system")
    if not session.user.is_super and schema.owner is not session.user:
        raise denied(f'permission denied for schema "{name}": must be owner')
    inside = [r for r in session.catalog.relations.values() if r.schema is schema]
    if inside and not statement.cascade:
        raise denied("PermissionDenied: schema is not empty")
    for relation in inside:
        if relation.id in session.catalog.relations:
            await _drop_relation(session, relation, True)
    del session.catalog.schemas[name]
    session.catalog.changed()
    return "DROP_SCHEMA"


def rename(session: Session, statement: ast.Rename) -> str:
    relation = session.owned(_KINDS[statement.kind], statement.name)
    other = session.catalog.check_free(relation.schema, statement.new_name)
    if other is not None:
        raise session.catalog.refuse_existing(other)
    relation.name = statement.new_name
    session.catalog.changed()
    return f"ALTER_{statement.kind.upper()}"


def set_parallelism(session: Session, statement: ast.SetParallelism) -> str:
    relation = session.owned(_KINDS[statement.kind], statement.name)
    relation.parallelism = statement.value.lower()
    session.catalog.changed()
    return f"ALTER_{statement.kind.upper()}"


def alter_system(session: Session, statement: ast.AlterSystem) -> str:
    if not session.user.is_super:
        raise denied("must be superuser to execute ALTER SYSTEM command")
    call = "meta.SystemParamsService/SetSystemParam"
    if statement.name in _IMMUTABLE:
        raise meta_call(call, f'SystemParams error: "{statement.name}" is immutable')
    if statement.name not in _SYSTEM_PARAMETERS:
        raise meta_call(call, f'SystemParams error: unrecognized system parameter '
                        f'"{statement.name}"')
    return "ALTER_SYSTEM"


def create_secret(session: Session, statement: ast.CreateSecret) -> str:
    need_license(session, "SecretManagement")
    schema = session.writable_schema(statement.name)
    if session.catalog.find_secret(schema.name, statement.name.name) is not None:
        if not statement.if_not_exists:
            raise exists("secret", statement.name.name)
        session.notice(f'secret "{statement.name.name}" exists, skipping')
        return "CREATE_SECRET"
    number = next(session.catalog.ids)
    session.catalog.secrets[number] = Secret(number, statement.name.name, session.user,
                                             schema=schema, value=statement.value)
    session.catalog.changed()
    return "CREATE_SECRET"


def _secret(session: Session, name: ast.Name) -> Secret | None:
    return session.catalog.find_secret(name.schema or session.schema_name(), name.name)


def alter_secret(session: Session, statement: ast.AlterSecret) -> str:
    need_license(session, "SecretManagement")
    secret = _secret(session, statement.name)
    if secret is None:
        raise not_found("secret", statement.name.name)
    secret.value = statement.value
    session.catalog.changed()
    return "ALTER_SECRET"


def _drop_secret(session: Session, statement: ast.Drop) -> str:
    need_license(session, "SecretManagement")
    secret = _secret(session, statement.name)
    if secret is None:
        if not statement.if_exists:
            raise not_found("secret", statement.name.name)
        session.notice(f'secret "{statement.name.name}" does not exist, skipping')
        return "DROP_SECRET"
    used = [relation for relation in session.catalog.relations.values()
            if any(prop.secret is secret for prop in relation.props.values())]
    if used:
        raise session.catalog.refuse_used("secret", used)
    del session.catalog.secrets[secret.id]
    session.catalog.changed()
    return "DROP_SECRET"


async def insert(session: Session, statement: ast.Insert) -> str:
    """Rows of literals; RisingWave allows it on a CDC table (verified.md 3)."""
    table = session.find(Table, statement.table)
    if table is None:
        raise not_found("table", statement.table.name)
    if not session.catalog.may(session.user, table, "INSERT"):
        raise denied(f'permission denied for table "{table.name}": "INSERT"')
    names = statement.columns or [column.name for column in table.columns]
    types = {column.name: column.type for column in table.columns}
    for name in names:
        if name not in types:
            raise PgError("Failed to bind expression: " + name,
                          f"Item not found: Invalid column: {name}")
    casts = ", ".join(f"{duck.quote(f'c{place}')}::{types[name].duck}"
                      for place, name in enumerate(names))
    shape = ", ".join(duck.quote(f"c{place}") for place in range(len(names)))
    try:
        _, rows = duck.run(session.server.engine.con,
                           f"SELECT {casts} FROM ({statement.values}) AS v({shape})")
    except duck.duckdb.Error as error:
        raise PgError("Expr error", str(error).splitlines()[0]) from error
    places = table.key_positions()
    for values in rows:
        given = dict(zip(names, values))
        row = [given.get(column.name) for column in table.columns]
        table.rows[tuple(row[place] for place in places)] = row
    table.version += 1
    return f"INSERT 0 {len(rows)}"
