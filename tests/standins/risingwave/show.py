"""SHOW, DESCRIBE and CANCEL JOBS."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from . import ddl_sink, relations, statetables, variables
from . import statements as ast
from .catalog import Relation, Sink, Source, Table
from .errors import NOT_FOUND, catalog_error, not_found
from .rwtypes import INTEGER, TIMESTAMPTZ, VARCHAR, Type

if TYPE_CHECKING:
    from .session import Answer, Session

_RESERVED = {"owner", "connector", "columns", "format", "position", "timestamp", "parallelism",
             "resource_group", "type", "fragments", "language", "link", "order", "user", "table"}
_PARAMETERS = """\
barrier_interval_ms|1000|The interval of periodic barrier.|t
checkpoint_frequency|1|There will be a checkpoint for every n barriers.|t
sstable_size_mb|256|Target size of the Sstable.|f
parallel_compact_size_mb|512|The size of parallel task for one compact/flush job.|f
block_size_kb|64|Size of each block in bytes in SST.|f
bloom_false_positive|0.001|False positive probability of bloom filter.|f
data_directory|hummock_001|Remote directory for storing data and metadata objects.|f
backup_storage_directory|hummock_001/backup|Remote directory for storing snapshots.|t
max_concurrent_creating_streaming_jobs|1|Max number of concurrent creating streaming jobs.|t
pause_on_next_bootstrap|false|Whether to pause all data sources on next bootstrap.|t
enable_tracing|false|Whether to enable distributed tracing.|t
use_new_object_prefix_strategy|true|Whether to split object prefix.|f
license_key|<default>|The license key to activate enterprise features.|t
time_travel_retention_ms|600000|The data retention period for time travel.|t
per_database_isolation|true|Whether per database isolation is enabled|t
enforce_secret|false|Whether to enforce secret on cloud.|t"""


def _answer(tag: str, names: Iterable[str], rows: Iterable[tuple],
            kinds: dict[str, Type] | None = None) -> Answer:
    from .session import Answer
    return Answer(tag, [(name, (kinds or {}).get(name, VARCHAR)) for name in names], list(rows))


def variable(session: Session, statement: ast.ShowVariable) -> Answer:
    if statement.name == "all":
        return _answer("SHOW_VARIABLE", ("Name", "Setting", "Description"),
                       [(name, value, "") for name, value in session.variables.items()])
    name = variables.known(session.variables, statement.name)
    return _answer("SHOW_VARIABLE", ("Name",), [(session.variables[name],)])


def _schemas_shown(session: Session, statement: ast.ShowObjects) -> list[str]:
    if statement.schema is not None:
        return [session.catalog.schema(statement.schema).name]
    return session.search_path()


def _relation_names(kind: type[Relation]) -> Callable[[Session, ast.ShowObjects], list[tuple]]:
    def names(session: Session, statement: ast.ShowObjects) -> list[tuple]:
        shown = _schemas_shown(session, statement)
        return [(f"{_quoted(r.schema.name)}.{_quoted(r.name)}",) for r in session.catalog.of(kind)
                if r.schema.name in shown and (kind is Source
                                               or session.catalog.sees(session.user, r))]
    return names


def _internal_names(session: Session, statement: ast.ShowObjects) -> list[tuple]:
    shown = _schemas_shown(session, statement)
    return [(f"{i.job.schema.name}.{i.name}",) for i in session.catalog.internals()
            if i.job.schema.name in shown and session.catalog.sees(session.user, i.job)]


def _quoted(name: str) -> str:
    plain = name.isascii() and name.replace("_", "a").isalnum() and name == name.lower() \
        and not name[0].isdigit()
    return name if plain else f'"{name}"'


def _jobs(session: Session, _: ast.ShowObjects) -> list[tuple]:
    return [(sink.id, sink.definition, relations.create_type(sink), sink.backfill.percent())
            for sink in relations.creating(session.server)]


def _cluster(session: Session, _: ast.ShowObjects) -> list[tuple]:
    return [(row[0], f"{row[1]}:{row[2]}", row[3], row[4], row[5], row[6], row[7], row[12])
            for row in relations.rows(session.server, "rw_worker_nodes", session.user)]


def _parameters(session: Session, _: ast.ShowObjects) -> list[tuple]:
    return [tuple(line.split("|")) for line in _PARAMETERS.splitlines()]


def _process_list(session: Session, _: ast.ShowObjects) -> list[tuple]:
    return [("3", f"3:{session.number}", session.user.name, "127.0.0.1", session.database, "0ms",
             "SHOW PROCESSLIST")]


_NAME = ("Name",)
_SHOWN: dict[str, tuple[tuple[str, ...], Callable[[Session, ast.ShowObjects], list[tuple]]]] = {
    "sources": (_NAME, _relation_names(Source)), "tables": (_NAME, _relation_names(Table)),
    "sinks": (_NAME, _relation_names(Sink)), "internal tables": (_NAME, _internal_names),
    "materialized views": (_NAME, lambda *_: []), "connections": (_NAME, lambda *_: []),
    "schemas": (_NAME, lambda s, _: [(name,) for name in s.catalog.schemas]),
    "databases": (_NAME, lambda s, _: [(s.catalog.database,)]),
    "secrets": (_NAME, lambda s, _: [(secret.name,) for secret in s.catalog.secrets.values()]),
    "users": (_NAME, lambda s, _: [(name,) for name in s.catalog.users]),
    "jobs": (("Id", "Statement", "Create Type", "Progress"), _jobs),
    "cluster": (("Id", "Addr", "Type", "State", "Parallelism", "Is Streaming", "Is Serving",
                 "Started At"), _cluster),
    "parameters": (("Name", "Value", "Description", "Mutable"), _parameters),
    "processlist": (("Worker Id", "Id", "User", "Host", "Database", "Time", "Info"),
                    _process_list)}


def objects(session: Session, statement: ast.ShowObjects) -> Answer:
    names, maker = _SHOWN[statement.what]
    rows = maker(session, statement)
    if statement.like is not None:
        pattern = statement.like.replace("%", "*").replace("_", "?")
        rows = [row for row in rows if fnmatch.fnmatchcase(str(row[0]), pattern)]
    kinds = {"Id": INTEGER, "Started At": TIMESTAMPTZ} if statement.what == "cluster" else None
    if statement.what == "jobs":
        kinds = {"Id": INTEGER}
    return _answer("SHOW_COMMAND", names, rows, kinds)


_KINDS: dict[str, type[Relation]] = {"source": Source, "table": Table, "sink": Sink}


def create(session: Session, statement: ast.ShowCreate) -> Answer:
    relation = session.find(_KINDS[statement.kind], statement.name)
    if relation is None or (not isinstance(relation, Source)
                            and not session.catalog.sees(session.user, relation)):
        raise not_found(statement.kind, statement.name.name)
    name = f"{relation.schema.name}.{relation.name}"
    return _answer("SHOW_COMMAND", ("Name", "Create Sql"), [(name, relation.definition)])


def describe(session: Session, statement: ast.Describe) -> Answer:
    columns, key, distribution, name = _shape(session, statement.name)
    rows: list[tuple[Any, ...]] = [
        (f'"{column}"' if column in _RESERVED else column, kind.name, str(hidden).lower(), about)
        for column, kind, hidden, about in columns]
    if key:
        rows.append(("primary key", key, "", None))
    if distribution:
        rows.append(("distribution key", distribution, "", None))
    rows.append(("table description", name, "", None))
    return _answer("DESCRIBE", ("Name", "Type", "Is Hidden", "Description"), rows)


Shape = tuple[list[tuple[str, Type, bool, str | None]], str, str, str]


def _shape(session: Session, name: ast.Name) -> Shape:
    if name.schema == "rw_catalog":
        found = relations.SHAPES.get(name.name)
        if found is None:
            raise catalog_error("table, source, sink or view not found: "
                                f"{name.schema}.{name.name}", NOT_FOUND)
        return [(c, kind, False, None) for c, kind in found.columns], found.key, "", name.name
    stored = ("_rw_timestamp", TIMESTAMPTZ, True, None)
    for schema in [name.schema] if name.schema else session.search_path():
        internal = session.catalog.find_internal(schema, name.name)
        if internal is not None:
            columns = [(c, kind, False, None) for c, kind in statetables.columns(internal)]
            return [*columns, stored], statetables.key(internal), "", name.name
    relation = session.find(Relation, name)
    if relation is None:
        shown = f"{name.schema}.{name.name}" if name.schema else name.name
        raise catalog_error(f"table, source, sink or view not found: {shown}", NOT_FOUND)
    if isinstance(relation, Source):
        source = [(c, kind, place > 0, None) for place, (c, kind) in
                  enumerate(relations.SOURCE_COLUMNS)]
        return source, "_row_id", "", relation.name
    assert isinstance(relation, (Table, Sink))
    columns = [(c.name, c.type, False, c.comment) for c in relation.columns]
    if isinstance(relation, Sink):
        return columns, relation.option("primary_key"), "", relation.name
    key = ", ".join(relation.key)
    return [*columns, stored], key, key, relation.comment or relation.name


async def cancel(session: Session, statement: ast.CancelJobs) -> Answer:
    done = await ddl_sink.cancel(session, statement)
    return _answer("CANCEL_COMMAND", ("Id",), [(str(number),) for number in done])
