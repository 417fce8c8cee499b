"""Databases, tables and columns: what exists, and how it prints."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from .errors import analyzing, no_database, plain, unknown_database
from .partition import Partition, Partitions, name_of
from .tree import Default, Name
from .types import SqlType

SYSTEM_DATABASES = ("information_schema", "sys")
RESERVED_COLUMNS = {"__op", "__row", "___count___"}
SHADOW_PREFIX = "__starrocks_shadow_"


def quoted(text: str) -> str:
    """A comment or default as SHOW CREATE TABLE writes it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def backquoted(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


@dataclass
class Column:
    """`column_id` keeps the name the column was created with, also after a rename."""

    name: str
    type: SqlType
    nullable: bool = True
    key: bool = False
    default: Default | None = None
    auto_increment: bool = False
    comment: str = ""
    column_id: str = ""
    added_at: float | None = None

    def default_text(self) -> str | None:
        """The default as information_schema and SHOW print it."""
        if self.default is None or self.default.kind == "null":
            return None
        return "CURRENT_TIMESTAMP" if self.default.kind == "now" else self.default.text

    def create_text(self) -> str:
        parts = [f"`{self.name}`", self.type.create_text(),
                 "NULL" if self.nullable else "NOT NULL"]
        if self.auto_increment:
            parts.append("AUTO_INCREMENT")
        text = self.default_text()
        if self.default and text is not None:
            literal = self.default.kind == "literal"
            parts.append(f"DEFAULT {quoted(text) if literal else text}")
        parts.append(f"COMMENT {quoted(self.comment)}")
        return " ".join(parts)

    def same_definition(self, other: "Column") -> bool:
        return (self.name.lower() == other.name.lower() and self.type == other.type
                and self.nullable == other.nullable and self.comment == other.comment
                and self.default_text() == other.default_text())


@dataclass
class Job:
    """One row of SHOW ALTER TABLE COLUMN and, for a full job, what it will change."""

    id: int
    db_id: int
    table_id: int
    table_name: str
    index_id: int
    origin_index_id: int
    schema_version: str
    timeout: int
    created: float
    finished: float | None = None
    txn_id: int = -1
    state: str = "PENDING"
    message: str = ""
    progress: str | None = None
    columns: list[Column] = field(default_factory=list)
    sort_key: list[str] | None = None


@dataclass
class Table:
    id: int
    index_id: int
    name: str
    columns: list[Column]
    model: str = "PRIMARY_KEYS"
    keys: list[str] = field(default_factory=list)
    comment: str = ""
    hash_columns: list[str] = field(default_factory=list)
    buckets: int = 0
    sort_key: list[str] | None = None
    properties: dict[str, str] = field(default_factory=dict)
    created: float = 0.0
    updated: float = 0.0
    schema_version: int = 0
    schema_hash: int = 0
    job: Job | None = None
    view_text: str | None = None
    next_auto: int = 1
    partition: Partition | None = None
    partitions: Partitions = field(default_factory=Partitions)

    @property
    def is_view(self) -> bool:
        return self.view_text is not None

    def column(self, name: str) -> Column | None:
        lowered = name.lower()
        return next((c for c in self.columns if c.name.lower() == lowered), None)

    def key_columns(self) -> list[Column]:
        return [column for column in self.columns if column.key]

    def sort_columns(self) -> list[str]:
        if self.sort_key:
            return self.sort_key
        return self.keys if self.keys else [column.name for column in self.columns[:3]]

    def need_normal(self) -> None:
        """Every change of a table waits for a running schema change."""
        if self.job is not None:
            raise plain(
                f"A schema change operation is in progress on the table {self.name}. Please wait "
                "until the current operation completes. To check the status of the operation, see "
                "https://docs.starrocks.io/docs/sql-reference/sql-statements/"
                "table_bucket_part_index/SHOW_ALTER")

    def add_partitions(self, rows: Sequence[Sequence[str | None]]) -> str | None:
        """Makes the partitions that full rows need, or says why it cannot."""
        if self.partition is None:
            return None
        names = [column.name for column in self.columns]
        places = [names.index(name) for name in self.partition.columns]
        return self.partitions.add(name_of(self.partition, [row[place] for place in places])
                                   for row in rows)

    def take_schema(self, job: Job) -> None:
        """A finished job's schema version becomes the table's."""
        version, _, schema_hash = job.schema_version.partition(":")
        self.schema_version, self.schema_hash = int(version), int(schema_hash)

    def create_text(self) -> str:
        columns = ",\n".join(f"  {column.create_text()}" for column in self.columns)
        lines = [f"CREATE TABLE `{self.name}` (\n{columns}\n) ENGINE=OLAP ",
                 f"{'PRIMARY' if self.model == 'PRIMARY_KEYS' else 'DUPLICATE'} KEY"
                 f"({backquoted(self.keys)})"]
        if self.comment:
            lines.append(f"COMMENT {quoted(self.comment)}")
        if self.partition:
            lines.append(self.partition.text())
        buckets = f" BUCKETS {self.buckets} " if self.buckets else ""
        lines.append(f"DISTRIBUTED BY HASH({backquoted(self.hash_columns)}){buckets}")
        if self.sort_key:
            lines.append(f"ORDER BY({backquoted(self.sort_key)})")
        properties = ",\n".join(f'"{key}" = "{value}"'
                                for key, value in sorted(self.properties.items()))
        lines.append(f"PROPERTIES (\n{properties}\n);")
        return "\n".join(lines)


@dataclass
class Database:
    id: int
    name: str
    tables: dict[str, Table] = field(default_factory=dict)
    erased: bool = False

    @property
    def is_system(self) -> bool:
        return self.name in SYSTEM_DATABASES


class Catalog:
    """All objects; `version` rises with every change that a catalog query can see."""

    def __init__(self) -> None:
        self._ids = itertools.count(10004)
        self._transactions = itertools.count(2)
        self.version = 0
        self.databases = {name: Database(number, name)
                          for number, name in enumerate(SYSTEM_DATABASES, 1)}
        self.jobs: list[Job] = []
        self.dropped_databases: dict[str, Database] = {}
        self.dropped_tables: dict[tuple[int, str], Table] = {}
        self._random = random.Random(41)

    def new_id(self) -> int:
        return next(self._ids)

    def new_transaction(self) -> int:
        return next(self._transactions)

    def changed(self, table: Table | None = None) -> None:
        self.version += 1
        if table is not None:
            table.updated = time.time()

    def database(self, name: str) -> Database:
        found = self.databases.get(name)
        if found is None:
            raise unknown_database(name)
        return found

    def resolve(self, name: Name, current: str | None) -> tuple[Database, str]:
        """The database a name means: the written one or the session's."""
        db = name.db if name.db is not None else current
        if not db:
            raise no_database()
        return self.database(db), name.name

    def find_table_by_id(self, table_id: int) -> tuple[Database, Table] | None:
        for database in self.databases.values():
            for table in database.tables.values():
                if table.id == table_id:
                    return database, table
        return None

    def new_job(self, database: Database, table: Table, *, full: bool) -> Job:
        now = time.time()
        job_id = self.new_id()
        if full or not table.schema_hash:
            schema_hash = self._random.randrange(1, 1 << 31)
        else:
            schema_hash = table.schema_hash
        version = f"{table.schema_version + 1}:{schema_hash}"
        index = self.new_id() if full else table.index_id
        job = Job(job_id, database.id, table.id, table.name, index, table.index_id, version,
                  86400 if full else 1, now)
        if not full:
            job.state, job.finished, job.txn_id = "FINISHED", now, self.new_transaction()
            table.take_schema(job)
        self.jobs.append(job)
        return job


def check_column_name(name: str) -> None:
    bad = (not name or len(name) > 1024 or any(char in "\0=<>!*" for char in name)
           or name.startswith(SHADOW_PREFIX))
    if bad:
        raise analyzing(f"Incorrect column name '{name}'", 1166)
    if name.lower() in RESERVED_COLUMNS:
        raise analyzing(f"Column name [{name}] is a system reserved name. "
                        "Please choose a different one.")


def check_table_name(name: str) -> None:
    if not name:
        raise analyzing("Table name is null")
    if len(name) > 1024 or "\0" in name:
        raise analyzing(f"Incorrect table name '{name}'", 1104)
