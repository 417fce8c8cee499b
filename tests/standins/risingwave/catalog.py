"""Users, schemas and relations; who may see what, and what depends on what."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .errors import PgError, denied, exists, not_found
from .logstore import LogStore
from .progress import BackfillProgress, SnapshotProgress
from .rwtypes import TIMESTAMPTZ, Type

VERSION_TEXT = "PostgreSQL 13.14.0-RisingWave-3.0.3 (unknown)"
SYSTEM_SCHEMAS = ("pg_catalog", "information_schema", "rw_catalog")


def utc_now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


@dataclass
class User:
    id: int
    name: str
    password: str | None = None
    is_super: bool = False
    create_db: bool = False
    create_user: bool = False
    can_login: bool = True
    is_admin: bool = False
    may_grant_connect: bool = True  # as CREATE USER grants it


@dataclass
class Column:
    name: str
    type: Type
    meta: str | None = None  # INCLUDE: what it holds
    comment: str | None = None


@dataclass
class Granted:
    """Something with an owner; `grants` maps user ids to privilege names."""

    id: int
    name: str
    owner: User
    grants: dict[int, set[str]] = field(default_factory=dict)


@dataclass
class Schema(Granted):
    pass


@dataclass
class Secret(Granted):
    schema: Schema = None  # type: ignore[assignment]
    value: str = ""


@dataclass
class Prop:
    """A WITH option; `secret` names the secret that holds the value."""

    value: str
    secret: Secret | None = None

    def resolved(self) -> str:
        return self.secret.value if self.secret else self.value


@dataclass
class Relation(Granted):
    schema: Schema = None  # type: ignore[assignment]
    kind: str = ""
    definition: str = ""
    props: dict[str, Prop] = field(default_factory=dict)
    status: str = "CREATED"
    parallelism: str = "bounded(4)"
    fragment: int = 0
    internal: list[Internal] = field(default_factory=list)
    created_at: datetime.datetime = field(default_factory=utc_now)
    rate_limit: int = -1
    state_ids: list[int] = field(default_factory=list)  # for its state tables

    def option(self, key: str, default: str = "") -> str:
        prop = self.props.get(key)
        return prop.resolved() if prop else default


@dataclass
class Source(Relation):
    kind: str = "source"
    offset: dict[str, Any] = field(default_factory=dict)
    heartbeat: bool = True


@dataclass
class Table(Relation):
    kind: str = "table"
    columns: list[Column] = field(default_factory=list)
    key: list[str] = field(default_factory=list)
    source: Source = None  # type: ignore[assignment]
    upstream: tuple[str, str] = ("", "")
    comment: str | None = None
    rows: dict[tuple, list] = field(default_factory=dict)
    version: int = 0
    progress: SnapshotProgress = field(default_factory=SnapshotProgress)

    def key_positions(self) -> list[int]:
        names = [column.name for column in self.columns]
        return [names.index(name) for name in self.key]


@dataclass
class Sink(Relation):
    kind: str = "sink"
    upstream: Table = None  # type: ignore[assignment]
    columns: list[Column] = field(default_factory=list)
    projection: Any = None
    background: bool = False
    decoupled: bool = True
    log: LogStore = field(default_factory=LogStore)
    backfill: BackfillProgress = field(default_factory=BackfillProgress)

    def key_places(self) -> list[int]:
        """Where the sink's own key stands in its rows; empty without one."""
        names = [name.strip() for name in self.option("primary_key").split(",")]
        return [place for place, column in enumerate(self.columns) if column.name in names]


@dataclass
class Internal:
    """A state table that can be read with SELECT."""

    id: int
    name: str
    job: Relation
    suffix: str  # source, streamcdcscan, sink, streamscan


ROOT_USERS = ("root", "postgres", "rwadmin")
STORED_TIMESTAMP = Column("_rw_timestamp", TIMESTAMPTZ)


class Catalog:
    def __init__(self) -> None:
        self.ids = itertools.count(1)
        self.fragments = itertools.count(1)
        self.state_tables = itertools.count(0)
        self.version = 0
        self.users: dict[str, User] = {}
        for name in ROOT_USERS:
            self.users[name] = User(next(self.ids), name, None, True, True, True, True,
                                    name == "rwadmin")
        root = self.users["root"]
        self.database_id = 1
        self.database = "dev"
        self.database_grants: dict[int, set[str]] = {}
        self.schemas: dict[str, Schema] = {
            name: Schema(number, name, root)
            for number, name in enumerate(("public", "pg_catalog", "information_schema",
                                           "rw_catalog"), 2)}
        self.ids = itertools.count(6)
        self.relations: dict[int, Relation] = {}
        self.secrets: dict[int, Secret] = {}

    def changed(self) -> None:
        self.version += 1

    def of(self, kind: type) -> list[Any]:
        return [relation for relation in self.relations.values() if isinstance(relation, kind)]

    def internals(self) -> Iterator[Internal]:
        for relation in self.relations.values():
            yield from relation.internal

    def schema(self, name: str) -> Schema:
        if name not in self.schemas:
            raise not_found("schema", name)
        return self.schemas[name]

    def find(self, schema: str, name: str) -> Relation | None:
        for relation in self.relations.values():
            if relation.name == name and relation.schema.name == schema:
                return relation
        return None

    def find_internal(self, schema: str, name: str) -> Internal | None:
        for internal in self.internals():
            if internal.name == name and internal.job.schema.name == schema:
                return internal
        return None

    def find_secret(self, schema: str, name: str) -> Secret | None:
        for secret in self.secrets.values():
            if secret.name == name and secret.schema.name == schema:
                return secret
        return None

    def reserve(self, state_tables: int) -> dict[str, Any]:
        """The ids a CREATE uses up, also when its validation fails."""
        return {"id": next(self.ids), "state_ids": [next(self.ids) for _ in range(state_tables)]}

    def add(self, relation: Relation, *suffixes: str) -> None:
        """Puts a relation into the catalog with its fragment and state tables."""
        relation.fragment = next(self.fragments)
        for suffix in suffixes:
            name = (f"__internal_{relation.name}_{relation.fragment}_{suffix}_"
                    f"{next(self.state_tables)}")
            relation.internal.append(Internal(relation.state_ids.pop(0), name, relation, suffix))
        self.relations[relation.id] = relation
        self.changed()

    def remove(self, relation: Relation) -> None:
        self.relations.pop(relation.id, None)
        self.changed()

    def check_free(self, schema: Schema, name: str) -> Relation | None:
        """The relation that already has this name, whatever its kind."""
        return self.find(schema.name, name)

    def refuse_existing(self, relation: Relation) -> PgError:
        return exists(relation.kind, relation.name, relation.status == "CREATING")

    def dependants(self, relation: Relation) -> list[Relation]:
        if isinstance(relation, Source):
            return [table for table in self.of(Table) if table.source is relation]
        if isinstance(relation, Table):
            return [sink for sink in self.of(Sink) if sink.upstream is relation]
        return []

    def refuse_used(self, kind: str, dependants: list[Relation]) -> PgError:
        lines = "\n".join(
            f"{'materialized view' if isinstance(d, Table) else d.kind} "
            f"{d.schema.name}.{d.name} depends on it" for d in dependants)
        return denied(f"PermissionDenied: {kind} used by {len(dependants)} other objects. \n"
                      f"DETAIL: {lines}\n"
                      "HINT:  Use DROP ... CASCADE to drop the dependent objects too.")

    # Privileges

    def may(self, user: User, thing: Granted, privilege: str) -> bool:
        return (user.is_super or thing.owner is user
                or bool({privilege, "ALL"} & thing.grants.get(user.id, set())))

    def sees(self, user: User, relation: Relation) -> bool:
        """rw_tables, rw_sinks and the like hide what a user neither owns nor may use."""
        return user.is_super or relation.owner is user or bool(relation.grants.get(user.id))

    def may_in_database(self, user: User, privilege: str) -> bool:
        return user.is_super or bool(
            {privilege, "ALL"} & self.database_grants.get(user.id, set()))

    def need_create(self, user: User, schema: Schema) -> None:
        if not self.may(user, schema, "CREATE"):
            raise denied(f'permission denied for schema "{schema.name}": "CREATE"')

    def need_owner(self, user: User, relation: Relation) -> None:
        if not (user.is_super or relation.owner is user or relation.schema.owner is user):
            raise denied("Only the relation owner, the schema owner, and superuser can drop or "
                         "alter a relation.")

    def database_acl(self) -> list[str]:
        """Superusers may all; others what was granted (RisingWave 3.0.3 rw_databases.rs)."""
        entries = []
        for user in self.users.values():
            if user.is_super:
                entries.append(f"{user.name}=Cc/root")
                continue
            granted = self.database_grants.get(user.id, set())
            connect = "c*" if user.may_grant_connect else "c"
            letters = (connect if {"CONNECT", "ALL"} & granted else "") + \
                ("C" if {"CREATE", "ALL"} & granted else "")
            if letters:
                entries.append(f"{user.name}={letters}/root")
        return entries

    def acl(self, thing: Granted, letters: str) -> list[str]:
        entries = [f"{name}={letters}/root" for name in ROOT_USERS]
        for user in self.users.values():
            if not user.is_super and (thing.owner is user or thing.grants.get(user.id)):
                entries.append(f"{user.name}={letters}/{thing.owner.name}")
        return entries
