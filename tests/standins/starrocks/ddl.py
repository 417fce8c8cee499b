"""CREATE, DROP, TRUNCATE and RECOVER of databases, tables and views."""

from __future__ import annotations

import copy
import re
import time
from typing import TYPE_CHECKING

from . import create
from .catalog import Column, Database, Table, check_table_name
from .errors import analyzing, plain
from .partition import Partitions
from .tree import (CreateDatabase, CreateTable, CreateTableLike, CreateView, DropDatabase,
                   DropTable, Query, Recover, Truncate)

if TYPE_CHECKING:
    from .session import Session

_DATABASE_NAME = re.compile(r"([A-Za-z]|_[A-Za-z0-9])[\w\-~!@#$%^&<>=+]{0,255}", re.ASCII)


def create_database(session: Session, statement: CreateDatabase) -> None:
    catalog, name = session.state.catalog, statement.name
    # FeNameFormat counts 256 characters in all.
    if not _DATABASE_NAME.fullmatch(name) or len(name) > 256:
        raise analyzing(f"Incorrect database name '{name}'", 1102)
    session.accounts.need(session.who, "CREATE DATABASE", "CATALOG")
    if name in catalog.databases:
        if statement.if_not_exists:
            return
        raise plain(f"Can't create database '{name}'; database exists", 1007)
    catalog.databases[name] = Database(catalog.new_id(), name)
    catalog.changed()


def drop_database(session: Session, statement: DropDatabase) -> None:
    """Not refused when tables are in it, with or without FORCE."""
    catalog, name = session.state.catalog, statement.name
    database = catalog.databases.get(name)
    if database is None:
        if statement.if_exists:
            return
        raise plain(f"Can't drop database '{name}'; database doesn't exist", 1008)
    session.accounts.need(session.who, "DROP", "DATABASE", database)
    del catalog.databases[name]
    if statement.force:
        for table in database.tables.values():
            session.state.store.drop(table)
        database.erased = bool(database.tables)
    catalog.dropped_databases[name] = database
    catalog.changed()


def create_table(session: Session, statement: CreateTable) -> None:
    state = session.state
    database, name = state.catalog.resolve(statement.name, session.db)
    check_table_name(name)
    if name in database.tables and not statement.if_not_exists:
        raise analyzing(f"Table '{name}' already exists", 1050)
    columns = create.analyze(statement)
    session.accounts.need(session.who, "CREATE TABLE", "DATABASE", database)
    if name in database.tables:
        return
    if state.faults.create is not None:
        raise plain(state.faults.create)
    table = create.build(state.catalog, database, statement, columns, state.alive_ids(),
                         int(state.frontend_config["default_replication_num"]))
    _register(session, database, table)


def _register(session: Session, database: Database, table: Table) -> None:
    database.tables[table.name] = table
    if not table.is_view:
        session.state.store.create(table)
    session.state.catalog.changed(table)


def create_like(session: Session, statement: CreateTableLike) -> None:
    database, name = session.state.catalog.resolve(statement.name, session.db)
    _, source = session.table(statement.source)
    if name in database.tables:
        if statement.if_not_exists:
            return
        raise analyzing(f"Table '{name}' already exists", 1050)
    session.accounts.need(session.who, "CREATE TABLE", "DATABASE", database)
    table = copy.deepcopy(source)
    table.id, table.index_id = session.state.catalog.new_id(), session.state.catalog.new_id()
    table.name, table.job, table.schema_version = name, None, 0
    table.created, table.partitions = time.time(), Partitions()
    _register(session, database, table)


def create_view(session: Session, statement: CreateView) -> None:
    """A view keeps its text and the columns it has now; that is all a sync meets."""
    from .query import result_columns
    database, name = session.state.catalog.resolve(statement.name, session.db)
    check_table_name(name)
    if name in database.tables:
        if statement.if_not_exists:
            return
        raise analyzing(f"Table '{name}' already exists", 1050)
    session.accounts.need(session.who, "CREATE VIEW", "DATABASE", database)
    columns: list[Column] = result_columns(session, Query("SELECT", statement.tokens))
    view = Table(session.state.catalog.new_id(), 0, name, columns, model="", created=time.time(),
                 updated=time.time(), view_text=statement.text)
    _register(session, database, view)


def drop_table(session: Session, statement: DropTable) -> None:
    state = session.state
    database, name = state.catalog.resolve(statement.name, session.db)
    table = database.tables.get(name)
    if table is None:
        if statement.if_exists:
            return
        raise analyzing(f"Unknown table '{name}'", 5502)
    if table.is_view != statement.view:
        wanted = "VIEW" if statement.view else "TABLE"
        raise analyzing(f"'{database.name}'.'{name}' is not '{wanted}'", 1347)
    session.accounts.need(session.who, "DROP", "TABLE", database, table)
    del database.tables[name]
    if statement.force or table.is_view:
        state.store.drop(table)
        state.catalog.dropped_tables.pop((database.id, name), None)
    else:
        state.catalog.dropped_tables[database.id, name] = table
    state.catalog.changed()


def truncate(session: Session, statement: Truncate) -> None:
    name = statement.name
    if name.db is not None and name.db not in session.state.catalog.databases:
        raise plain(f"Unknown database '{name.db}'", 5501)
    database, table = session.table(name)
    session.accounts.need(session.who, "DELETE", "TABLE", database, table)
    if table.is_view:
        raise plain("Only support truncate OLAP table or LAKE table")
    table.need_normal()
    if statement.partition and statement.partition != table.name:
        raise plain(f"Partition {statement.partition} does not exist")
    session.state.store.truncate(table)
    session.state.catalog.changed(table)


def recover(session: Session, statement: Recover) -> None:
    catalog = session.state.catalog
    if statement.kind == "database":
        _recover_database(session, statement.name.name)
        return
    database, name = catalog.resolve(statement.name, session.db)
    session.accounts.need(session.who, "CREATE TABLE", "DATABASE", database)
    table = catalog.dropped_tables.get((database.id, name))
    if table is None:
        raise plain(f"Unknown table '{name}'", 5502)
    if name in database.tables:
        raise plain(f"Table '{name}' already exists", 1050)
    del catalog.dropped_tables[database.id, name]
    database.tables[name] = table
    catalog.changed(table)


def _recover_database(session: Session, name: str) -> None:
    catalog = session.state.catalog
    session.accounts.need(session.who, "CREATE DATABASE", "CATALOG")
    if name in catalog.databases:
        raise plain(f"Can't create database '{name}'; database exists", 1007)
    database = catalog.dropped_databases.get(name)
    if database is None:
        raise plain(f"Unknown database '{name}'", 5501)
    if database.erased:
        raise plain(f"Unable to recover database '{name}' because some tables have been deleted: "
                    + ", ".join(database.tables))
    catalog.databases[name] = catalog.dropped_databases.pop(name)
    catalog.changed()
