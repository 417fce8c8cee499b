"""What the parser makes of a statement."""

from __future__ import annotations

from dataclasses import dataclass, field

from .rwtypes import Type


@dataclass
class Name:
    schema: str | None
    name: str
    printed: str = ""

    def __str__(self) -> str:
        return self.printed


@dataclass
class Option:
    key: str
    value: str
    printed: str
    secret: Name | None = None


@dataclass
class ColumnDef:
    name: str
    type: Type
    printed: str


@dataclass
class Query:
    """SELECT and what else goes to the query engine."""

    sql: str


@dataclass
class CreateSchema:
    name: str
    if_not_exists: bool


@dataclass
class CreateSource:
    name: Name
    if_not_exists: bool
    options: list[Option]
    definition: str


@dataclass
class CreateTable:
    name: Name
    if_not_exists: bool
    wildcard: bool
    columns: list[ColumnDef]
    key: list[str]
    includes: list[tuple[str, str, str]]  # meta, alias, printed
    options: list[Option]
    source: Name
    upstream: str
    not_null: bool
    default: bool
    inline_key: bool
    key_printed: list[str] = field(default_factory=list)


@dataclass
class CreateSink:
    name: Name
    if_not_exists: bool
    upstream: Name | None
    query: str | None
    options: list[Option]


@dataclass
class CreateSecret:
    name: Name
    if_not_exists: bool
    value: str


@dataclass
class AlterSecret:
    name: Name
    value: str


@dataclass
class CreateUser:
    name: str
    password: str | None
    flags: dict[str, bool]


@dataclass
class AlterUser:
    name: str
    password: str | None


@dataclass
class Drop:
    kind: str  # source, table, sink, schema, secret, user
    name: Name
    if_exists: bool
    cascade: bool


@dataclass
class Comment:
    table: Name
    column: str | None
    text: str | None


@dataclass
class AlterConnector:
    kind: str  # source or sink
    name: Name
    options: list[Option]


@dataclass
class AlterRateLimit:
    kind: str  # source, sink, table
    name: Name
    limit: str  # source_rate_limit, sink_rate_limit, backfill_rate_limit
    value: int  # -1: default


@dataclass
class AlterColumn:
    table: Name
    drop: bool
    column: ColumnDef


@dataclass
class Rename:
    kind: str
    name: Name
    new_name: str


@dataclass
class SetParallelism:
    kind: str
    name: Name
    value: str


@dataclass
class ResetSource:
    name: Name


@dataclass
class Grant:
    revoke: bool
    privileges: list[str]  # upper case, ALL for all
    kind: str  # database, schema, table, source, sink, all tables, ...
    names: list[Name]
    users: list[str]


@dataclass
class SetVariable:
    name: str
    value: str


@dataclass
class AlterSystem:
    name: str
    value: str | None


@dataclass
class ShowVariable:
    name: str


@dataclass
class ShowObjects:
    what: str  # jobs, sources, tables, ...
    schema: str | None = None
    like: str | None = None


@dataclass
class ShowCreate:
    kind: str
    name: Name


@dataclass
class Describe:
    name: Name


@dataclass
class CancelJobs:
    ids: list[int]


@dataclass
class Insert:
    table: Name
    columns: list[str]
    values: str


@dataclass
class Word:
    """FLUSH, WAIT, RECOVER, BEGIN, COMMIT, ROLLBACK."""

    word: str
