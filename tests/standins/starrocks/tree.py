"""What the parser hands to the rest: one small class per statement."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .errors import Position
from .lexer import Token
from .types import SqlType

if TYPE_CHECKING:
    from .partition import Partition


@dataclass(frozen=True)
class Name:
    """A possibly qualified name; `db` is None when it was not written."""

    db: str | None
    name: str


@dataclass
class Default:
    kind: str  # literal, null, now, function, unsupported
    text: str = ""


@dataclass
class ColumnDef:
    name: str
    type: SqlType
    nullable: bool | None = None
    key: bool = False
    default: Default | None = None
    auto_increment: bool = False
    generated: bool = False
    comment: str = ""
    charset: str | None = None
    start: Position = (1, 0)
    stop: Position = (1, 0)


@dataclass
class Distribution:
    kind: str
    columns: list[str]
    buckets: int
    start: Position
    stop: Position


@dataclass
class CreateTable:
    name: Name
    if_not_exists: bool
    columns: list[ColumnDef]
    engine: str | None = None
    charset: str | None = None
    keys: tuple[str, list[str]] | None = None
    comment: str = ""
    partition: Partition | None = None
    distribution: Distribution | None = None
    order_by: list[str] = field(default_factory=list)
    properties: dict[str, str] = field(default_factory=dict)


@dataclass
class CreateTableLike:
    name: Name
    if_not_exists: bool
    source: Name


@dataclass
class CreateView:
    name: Name
    if_not_exists: bool
    text: str
    tokens: list[Token]


@dataclass
class CreateDatabase:
    name: str
    if_not_exists: bool


@dataclass
class DropDatabase:
    name: str
    if_exists: bool
    force: bool


@dataclass
class DropTable:
    name: Name
    if_exists: bool
    force: bool
    view: bool = False


@dataclass
class Recover:
    kind: str  # table, database
    name: Name


@dataclass
class Truncate:
    name: Name
    partition: str | None


@dataclass
class Clause:
    """One clause of ALTER TABLE; `kind` decides which fields are set."""

    kind: str
    columns: list[ColumnDef] = field(default_factory=list)
    name: str = ""
    new_name: str = ""
    after: str | None = None
    first: bool = False
    text: str = ""
    names: list[str] = field(default_factory=list)
    properties: dict[str, str] = field(default_factory=dict)
    start: Position = (1, 0)
    stop: Position = (1, 0)


@dataclass
class AlterTable:
    name: Name
    clauses: list[Clause]


@dataclass
class CancelAlter:
    name: Name


@dataclass
class Show:
    what: str
    name: Name | None = None
    db: str | None = None
    like: str | None = None
    full: bool = False
    where: list[tuple[str, str, str]] = field(default_factory=list)
    order_by: tuple[str, bool] | None = None
    limit: int | None = None
    user: "UserName | None" = None


@dataclass
class Use:
    catalog: str | None
    db: str


@dataclass(frozen=True)
class UserName:
    user: str
    host: str = "%"

    def __str__(self) -> str:
        return f"'{self.user}'@'{self.host}'"


@dataclass
class UserChange:
    """CREATE, ALTER and DROP USER, SET PASSWORD."""

    action: str
    user: UserName | None
    password: str | None = None
    lenient: bool = False


@dataclass
class RoleChange:
    """CREATE/DROP ROLE, GRANT/REVOKE of roles, SET ROLE, SET DEFAULT ROLE."""

    action: str
    roles: list[str]
    user: UserName | None = None
    role: str | None = None
    lenient: bool = False
    start: Position = (1, 0)


@dataclass
class Grant:
    revoke: bool
    privileges: list[str]
    object: str  # SYSTEM, CATALOG, DATABASE, TABLE
    db: str | None  # None: all databases
    table: str | None  # None: all tables
    user: UserName | None
    role: str | None


@dataclass
class SetVariables:
    items: list[tuple[str, str, Any]]  # scope (session, global, user, names), name, value


@dataclass
class AdminSet:
    key: str
    value: str


@dataclass
class Kill:
    query: bool
    thread: int


@dataclass
class Transaction:
    action: str  # begin, commit, rollback


@dataclass
class Nothing:
    """Accepted and without effect: LOCK TABLES, ANALYZE TABLE, an empty statement."""


@dataclass
class Query:
    """SELECT, INSERT, UPDATE, DELETE: handled by the tree of a general SQL parser."""

    verb: str
    tokens: list[Token]


@dataclass
class Refused:
    """Parsed far enough to know the real server's answer to it."""

    code: int
    message: str
