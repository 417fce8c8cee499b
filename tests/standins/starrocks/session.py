"""One client's session: who it is, where it stands, and what a statement does."""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from . import alter, ddl, show, variables
from .catalog import Database, Table
from .errors import SqlError, analyzing, plain
from .parse import Statement, parse
from .query import run_query
from .results import Outcome, ResultSet
from .state import State
from .tree import (AdminSet, AlterTable, CancelAlter, CreateDatabase, CreateTable,
                   CreateTableLike, CreateView, DropDatabase, DropTable, Grant, Kill, Name,
                   Nothing, Query, Recover, Refused, RoleChange, SetVariables, Show, Transaction,
                   Truncate, Use, UserChange)
from .users import Accounts, Identity

_IN_TRANSACTION = (Transaction, Query, SetVariables, Nothing)


@dataclass
class Session:
    state: State
    who: Identity
    host: str
    thread_id: int
    db: str | None = None
    variables: dict[str, str] = field(default_factory=dict)
    user_variables: dict[str, str] = field(default_factory=dict)
    transaction: tuple[str, int] | None = None
    started: float = field(default_factory=time.time)
    running: str | None = None
    killed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def accounts(self) -> Accounts:
        return self.state.accounts

    def variable(self, name: str) -> str:
        return variables.value(self, name)

    async def execute(self, text: str) -> AsyncIterator[tuple[Outcome | ResultSet, bool]]:
        """Yields (outcome, is_last) per statement; an error ends the list by raising."""
        statements = parse(text)
        for number, statement in enumerate(statements, 1):
            self.running = text
            try:
                yield await self.run(statement), number == len(statements)
            finally:
                self.running = None

    async def run(self, statement: Statement) -> Outcome | ResultSet:
        if self.transaction and not isinstance(statement, _IN_TRANSACTION):
            raise analyzing("Explicit transaction only support begin/commit/rollback/insert/"
                            "update/delete/set/select statements", 5305)
        if isinstance(statement, Query):
            return await run_query(self, statement)
        if isinstance(statement, Show):
            return show.run(self, statement)
        handler = _HANDLERS[type(statement)]
        outcome: Outcome | None = handler(self, statement)
        return outcome or Outcome()

    # Names

    def table(self, name: Name, missing: str = "not found") -> tuple[Database, Table]:
        """Finds a table; `missing` chooses which of the FE's two texts says it is not there."""
        database, table_name = self.state.catalog.resolve(name, self.db)
        table = database.tables.get(table_name)
        if table is not None:
            return database, table
        if missing == "not found":
            raise analyzing(f"Table {table_name} is not found")
        shown = f"{database.name}.{table_name}" if missing == "qualified" else table_name
        raise analyzing(f"Unknown table '{shown}'", 5502)

    def use(self, name: str) -> None:
        """USE, COM_INIT_DB and the database of a login; the texts are not wrapped."""
        database = self.state.catalog.databases.get(name)
        if database is None:
            raise plain(f"Unknown database '{name}'", 5501)
        if not self.accounts.sees_database(self.who, database):
            raise self.accounts.denial(self.who, "ANY", "DATABASE", database)
        self.db = name

    def init_db(self, text: str) -> None:
        parts = re.split(r"[\s.]", text, maxsplit=1)
        self.use(parts[1] if len(parts) == 2 and parts[0] == "default_catalog" else text)


def _use(session: Session, statement: Use) -> None:
    if statement.catalog and statement.catalog != "default_catalog":
        raise plain(f"Unknown catalog '{statement.catalog}'", 5064)
    session.use(statement.db)


def _alter_table(session: Session, statement: AlterTable) -> None:
    name, catalog = statement.name, session.state.catalog
    if name.db is not None and name.db not in catalog.databases:
        raise analyzing(f"Database default_catalog.{name.db} is not found")
    database, table = session.table(name)
    if table.is_view:
        raise analyzing("Do not support alter non-native table/materialized-view"
                        f"[{database.name}.{table.name}]")
    alter.check(statement, table, session.state)
    session.accounts.need(session.who, "ALTER", "TABLE", database, table)
    alter.run(session.state, database, table, statement)


def _cancel(session: Session, statement: CancelAlter) -> None:
    database, table = session.table(statement.name)
    session.accounts.need(session.who, "ALTER", "TABLE", database, table)
    alter.cancel(session.state, table)


def _user(session: Session, statement: UserChange) -> None:
    own = statement.action == "alter" and statement.user in (None, session.who.user)
    if not own:
        session.accounts.need(session.who, "GRANT", "SYSTEM")
    statement.user = statement.user or session.who.user
    session.accounts.change_user(statement)


def _role(session: Session, statement: RoleChange) -> None:
    if statement.action == "activate":
        user = session.accounts.get(session.who.user)
        session.who.active_roles = session.accounts.expand(user, statement.roles)
        return
    session.accounts.need(session.who, "GRANT", "SYSTEM")
    session.accounts.change_role(statement)


def _grant(session: Session, statement: Grant) -> None:
    session.accounts.need(session.who, "GRANT", "SYSTEM")
    session.accounts.change_grant(statement, session.db)


def _admin_set(session: Session, statement: AdminSet) -> None:
    session.accounts.need(session.who, "OPERATE", "SYSTEM")
    config = session.state.frontend_config
    if statement.key not in config:
        raise plain(f"Config '{statement.key}' does not exist or is not mutable")
    if not statement.value.isdigit():
        raise plain(f"Failed to set config '{statement.key}'. err: For input string: "
                    f'"{statement.value}"')
    config[statement.key] = statement.value


def _kill(session: Session, statement: Kill) -> None:
    target = session.state.sessions.get(statement.thread)
    if target is None:
        raise plain(f"Unknown thread id: {statement.thread}", 1094)
    if target.who.user != session.who.user:
        session.accounts.need(session.who, "OPERATE", "SYSTEM")
    if not statement.query:
        target.killed.set()


def _transaction(session: Session, statement: Transaction) -> Outcome | None:
    if statement.action == "begin":
        if session.transaction is None:
            session.transaction = (str(uuid.uuid4()), session.state.catalog.new_transaction())
        return _transaction_outcome(session.transaction, "PREPARE")
    if session.transaction is None:
        return None
    finished, session.transaction = session.transaction, None
    return _transaction_outcome(
        finished, "VISIBLE" if statement.action == "commit" else "ABORTED")


def _transaction_outcome(transaction: tuple[str, int], status: str) -> Outcome:
    label, number = transaction
    return Outcome(info=f"{{'label':'{label}', 'status':'{status}', 'txnId':'{number}'}}")


def _refused(session: Session, statement: Refused) -> None:
    raise SqlError(statement.code, statement.message)


_HANDLERS: dict[type, Callable[[Session, Any], Outcome | None]] = {
    CreateDatabase: ddl.create_database, DropDatabase: ddl.drop_database,
    CreateTable: ddl.create_table, CreateTableLike: ddl.create_like, CreateView: ddl.create_view,
    DropTable: ddl.drop_table, Truncate: ddl.truncate, Recover: ddl.recover, Use: _use,
    AlterTable: _alter_table, CancelAlter: _cancel, UserChange: _user, RoleChange: _role,
    Grant: _grant, SetVariables: variables.assign, AdminSet: _admin_set, Kill: _kill,
    Transaction: _transaction, Refused: _refused, Nothing: lambda session, statement: None,
}
