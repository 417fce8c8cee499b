"""One client's session: runs statements for one user."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from . import (
    ddl_misc,
    ddl_sink,
    ddl_source,
    ddl_table,
    relations,
    show,
    statetables,
    users,
    variables,
)
from . import statements as ast
from .catalog import VERSION_TEXT, Relation, Schema, Sink, Source, Table, User
from .errors import PgError, denied, not_found
from .query import Relation as Queried
from .rwtypes import Type

if TYPE_CHECKING:
    from .server import Server

_SLEEP = re.compile(r"\s*select\s+pg_sleep\s*\(\s*([\d.]+)\s*\)\s*", re.I)
Found = TypeVar("Found", bound=Relation)


@dataclass
class Answer:
    tag: str
    columns: list[tuple[str, Type]] | None = None
    rows: Sequence[Sequence[Any]] = field(default_factory=list)


class Session:
    def __init__(self, server: Server, user: User, database: str, number: int = 0):
        self.server = server
        self.user = user
        self.database = database
        self.number = number
        self.variables = variables.defaults()
        self.notices: list[str] = []

    @property
    def catalog(self):  # type: ignore[no-untyped-def]
        return self.server.catalog

    def notice(self, text: str) -> None:
        self.notices.append(text)

    def flag(self, name: str) -> bool:
        return self.variables[name] == "true"

    def parallelism(self, kind: str, bound: int) -> str:
        own = self.variables[f"streaming_parallelism_for_{kind}"]
        shared = self.variables["streaming_parallelism"]
        chosen = own if own != "default" else shared
        return f"bounded({bound})" if chosen == "default" else chosen

    def sink_decoupled(self, connector: str) -> bool:
        chosen = self.variables["sink_decouple"]
        return connector == "starrocks" if chosen == "default" else chosen == "enable"

    # Names

    def search_path(self) -> list[str]:
        parts = [part.strip().strip('"') for part in self.variables["search_path"].split(",")]
        return [self.user.name if part == "$user" else part for part in parts]

    def schema_name(self) -> str:
        for name in self.search_path():
            if name in self.catalog.schemas:
                return name
        return "public"

    def writable_schema(self, name: ast.Name) -> Schema:
        schema = self.catalog.schema(name.schema or self.schema_name())
        self.catalog.need_create(self.user, schema)
        return schema

    def find(self, kind: type[Found], name: ast.Name) -> Found | None:
        schemas = [name.schema] if name.schema else self.search_path()
        for schema in schemas:
            if name.schema:
                self.catalog.schema(schema)
            relation = self.catalog.find(schema, name.name)
            if isinstance(relation, kind):
                return relation
        return None

    def owned(self, kind: type[Found], name: ast.Name) -> Found:
        """The relation, if this user may alter it."""
        relation = self.find(kind, name)
        if relation is None:
            raise not_found(kind.__name__.lower(), name.name)
        self.catalog.need_owner(self.user, relation)
        return relation

    # Statements

    async def execute(self, statement: Any, params: Sequence[str | None] = ()) -> Answer:
        if isinstance(statement, ast.Query):
            return await self._query(statement.sql, params)
        handler = _HANDLERS.get(type(statement))
        if handler is None:
            raise PgError(f"Feature is not yet implemented: {type(statement).__name__}")
        result = handler(self, statement)
        if asyncio.iscoroutine(result):
            result = await result
        return Answer(result) if isinstance(result, str) else result

    async def _query(self, sql: str, params: Sequence[str | None]) -> Answer:
        if slept := _SLEEP.fullmatch(sql):
            await asyncio.sleep(float(slept.group(1)))
            from .rwtypes import VARCHAR
            return Answer("SELECT 1", [("pg_sleep", VARCHAR)], [("",)])
        columns, rows = self.server.engine.select(sql, self._resolve, self._constants(), params)
        return Answer(f"SELECT {len(rows)}", columns, rows)

    def _constants(self) -> dict[str, str]:
        return {"version": VERSION_TEXT, "current_user": self.user.name, "user": self.user.name,
                "session_user": self.user.name, "current_database": self.database,
                "current_schema": self.schema_name()}

    def _resolve(self, schema: str | None, name: str) -> Queried | None:
        if schema == "rw_catalog" or (schema is None and name in relations.SHAPES):
            shape = relations.SHAPES.get(name)
            if shape is None:
                return None
            version = None
            if name in relations.OF_CATALOG:
                version = (self.catalog.version, self.user.id)
            return Queried(shape.columns, lambda: relations.rows(self.server, name, self.user),
                           version)
        for candidate in [schema] if schema else self.search_path():
            found = self._relation(candidate, name)
            if found is not None:
                return found
        return None

    def _relation(self, schema: str, name: str) -> Queried | None:
        internal = self.catalog.find_internal(schema, name)
        if internal is not None:
            self._may_read(internal.job)
            return statetables.relation(internal)
        relation = self.catalog.find(schema, name)
        if isinstance(relation, Source):
            raise PgError("Not supported: Should not create MATERIALIZED VIEW or SELECT directly "
                          "on shared CDC source\nHINT: create TABLE from the source instead.")
        if not isinstance(relation, Table):
            return None
        self._may_read(relation)
        columns = [(column.name, column.type) for column in relation.columns]
        return Queried(columns, lambda: list(relation.rows.values()),
                       (relation.id, relation.version, len(columns)))

    def _may_read(self, relation: Relation) -> None:
        if not self.catalog.may(self.user, relation, "SELECT"):
            raise denied(f'permission denied for {relation.kind} "{relation.name}": "SELECT"')


def _set(session: Session, statement: ast.SetVariable) -> str:
    variables.assign(session.variables, statement.name, statement.value)
    return "SET_VARIABLE"


async def _alter_connector(session: Session, statement: ast.AlterConnector) -> str:
    if statement.kind == "table":
        raise PgError("Only table with connector can use ALTER TABLE CONNECTOR syntax.")
    module = ddl_source if statement.kind == "source" else ddl_sink
    return await module.alter_connector(session, statement)


async def _alter_rate(session: Session, statement: ast.AlterRateLimit) -> str:
    module = {"source": ddl_source, "table": ddl_table, "sink": ddl_sink}[statement.kind]
    return await module.alter_rate(session, statement)


async def _word(session: Session, statement: ast.Word) -> str:
    word = statement.word
    if word in ("begin", "start"):
        session.notice("Read-write transaction is not supported yet. Please specify `READ ONLY` to "
                       "start a read-only transaction.")
        return "BEGIN"
    if word == "flush":
        await session.server.wait_barrier()
    elif word == "wait":
        while any(sink.status == "CREATING" for sink in session.catalog.of(Sink)):
            await session.server.wait_barrier()
    elif word == "recover":
        if not session.user.is_super:
            raise denied("only superuser can trigger adhoc recovery")
        session.server.begin_recovery()
    return word.upper()


_HANDLERS: dict[type, Callable[[Session, Any], Answer | str | Awaitable[Any]]] = {
    ast.CreateSource: ddl_source.create, ast.CreateTable: ddl_table.create,
    ast.CreateSink: ddl_sink.create, ast.ResetSource: ddl_source.reset,
    ast.AlterConnector: _alter_connector, ast.AlterRateLimit: _alter_rate,
    ast.AlterColumn: ddl_table.alter_column, ast.Comment: ddl_table.comment,
    ast.CreateSchema: ddl_misc.create_schema, ast.Drop: ddl_misc.drop, ast.Rename: ddl_misc.rename,
    ast.SetParallelism: ddl_misc.set_parallelism, ast.AlterSystem: ddl_misc.alter_system,
    ast.CreateSecret: ddl_misc.create_secret, ast.AlterSecret: ddl_misc.alter_secret,
    ast.Insert: ddl_misc.insert, ast.CreateUser: users.create, ast.AlterUser: users.alter,
    ast.Grant: users.grant, ast.SetVariable: _set, ast.ShowVariable: show.variable,
    ast.ShowObjects: show.objects, ast.ShowCreate: show.create, ast.Describe: show.describe,
    ast.CancelJobs: show.cancel, ast.Word: _word}
