"""rw_catalog: what each relation holds, for one user."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import actors
from . import rwtypes as t
from .catalog import VERSION_TEXT, Catalog, Relation, Sink, Source, Table, User

if TYPE_CHECKING:
    from .server import Server

_TYPES = {"int": t.INTEGER, "text": t.VARCHAR, "bool": t.BOOLEAN, "bigint": t.BIGINT,
          "smallint": t.SMALLINT, "timestamptz": t.TIMESTAMPTZ, "jsonb": t.JSONB,
          "text[]": t.VARCHAR_LIST, "int[]": t.INTEGER_LIST, "smallint[]": t.SMALLINT_LIST}
SOURCE_COLUMNS = (("payload", t.JSONB), ("_rw_offset", t.VARCHAR), ("_rw_table_name", t.VARCHAR),
                  ("_row_id", t.SERIAL))
FEATURES = tuple(line.split("|") for line in """\
TimeTravel|Query historical data within the retention period.
GlueSchemaRegistry|Use Schema Registry from AWS Glue rather than Confluent.
SnowflakeSink|Delivering data to SnowFlake.
RedisSinkStream|Delivering data to redis stream.
DynamoDbSink|Delivering data to DynamoDb.
OpenSearchSink|Delivering data to OpenSearch.
BigQuerySink|Delivering data to BigQuery.
ClickHouseSharedEngine|Delivering data to Shared tree on clickhouse cloud
SecretManagement|Secret management.
SqlServerSink|Sink data from RisingWave to SQL Server.
SqlServerCdcSource|CDC source connector for Sql Server.
CdcAutoSchemaChange|Auto replicate upstream DDL to CDC Table.
IcebergSinkWithGlue|Delivering data to Iceberg with Glue catalog.
ElasticDiskCache|Disk cache and refilling to boost performance and reduce object store access cost.
ResourceGroup|Resource group to isolate workload and failure.
DatabaseFailureIsolation|Failure isolation between databases.
IcebergCompaction|Auto iceberg compaction.
SinkAutoSchemaChange|Sink auto schema change.
StateTableMemoryPreload|Support state table memory preload for boosting performance.
LocalityBackfill|Support locality backfill for complex streaming queries.""".splitlines())


# Relations that change only when the catalog does: their copies are kept for a version.
OF_CATALOG = {"rw_sources", "rw_tables", "rw_sinks", "rw_columns", "rw_internal_tables",
              "rw_internal_table_info", "rw_description", "rw_depend", "rw_relations",
              "rw_fragments", "rw_schemas", "rw_users"}


class Shape:
    def __init__(self, columns: list[tuple[str, t.Type]], key: str):
        self.columns = columns
        self.key = key


def _load() -> dict[str, Shape]:
    shapes = {}
    text = (Path(__file__).parent / "relations.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line.startswith("#") or not line:
            continue
        head, _, body = line.partition(": ")
        name, _, key = head.partition(" ")
        columns = [item.rsplit(" ", 1) for item in body.split(", ")]
        shapes[name] = Shape([(column.strip('"'), _TYPES[kind]) for column, kind in columns],
                             key.strip("[]"))
    return shapes


SHAPES = _load()


def acl_text(catalog: Catalog, thing: Any) -> list[str]:
    return catalog.acl(thing, {"source": "r", "table": "arwd", "sink": "r"}.get(
        getattr(thing, "kind", ""), "UC"))


def rows(server: Server, name: str, user: User) -> list[tuple]:
    """The rows of one relation as `user` sees them."""
    maker = _MAKERS.get(name)
    if maker is None:
        return []
    return list(maker(server, user))


def _when(relation: Relation) -> tuple:
    moment = relation.created_at.replace(microsecond=0)
    return moment, moment, VERSION_TEXT, VERSION_TEXT


def props_json(relation: Relation) -> str:
    shown: dict[str, Any] = {}
    for key, prop in sorted(relation.props.items()):
        shown[key] = ({"type": "secret", "value": {"value": prop.secret.name}} if prop.secret
                      else {"type": "plaintext", "value": prop.value})
    return json.dumps(shown, ensure_ascii=False)


def _visible(server: Server, user: User, kind: type) -> list[Any]:
    return [relation for relation in server.catalog.of(kind)
            if server.catalog.sees(user, relation)]


def _sources(server: Server, _: User) -> Iterable[tuple]:
    for s in server.catalog.of(Source):
        yield (s.id, s.name, s.schema.id, s.owner.id, "MYSQL-CDC",
               [name for name, _ in SOURCE_COLUMNS], "FORMAT_TYPE_PLAIN", "ENCODE_TYPE_JSON", True,
               None, None, s.definition, acl_text(server.catalog, s), *_when(s), True,
               props_json(s), "{}")


def _tables(server: Server, user: User) -> Iterable[tuple]:
    for table in _visible(server, user, Table):
        yield (table.id, table.name, table.schema.id, table.owner.id, table.definition, False,
               False, acl_text(server.catalog, table), *_when(table))


def sink_type(sink: Sink) -> str:
    kind = sink.option("type", "upsert").upper().replace("-", "_")
    return f"SINK_TYPE_{kind}"


def _sinks(server: Server, user: User) -> Iterable[tuple]:
    for sink in _visible(server, user, Sink):
        yield (sink.id, sink.name, sink.schema.id, sink.owner.id,
               sink.option("connector").upper(), sink_type(sink), None, sink.definition, None,
               acl_text(server.catalog, sink), *_when(sink), sink.background, props_json(sink),
               None)


def _columns(server: Server, user: User) -> Iterable[tuple]:
    for source in server.catalog.of(Source):
        for place, (name, kind) in enumerate(SOURCE_COLUMNS, 1):
            yield _column(source.id, name, place, kind, place > 1, name == "_row_id")
    for table in _visible(server, user, Table):
        place = 0
        for place, column in enumerate(table.columns, 1):
            yield _column(table.id, column.name, place, column.type, False,
                          column.name in table.key)
        yield _column(table.id, "_rw_timestamp", place + 1, t.TIMESTAMPTZ, True, False)
    for sink in _visible(server, user, Sink):
        key = [name.strip() for name in sink.option("primary_key").split(",")]
        for place, column in enumerate(sink.columns, 1):
            yield _column(sink.id, column.name, place, column.type, False, column.name in key)


def _column(relation: int, name: str, place: int, kind: t.Type, hidden: bool, key: bool) -> tuple:
    return (relation, name, place, hidden, key, key, False, True, None, kind.name, kind.oid,
            kind.length, kind.duck.partition("(")[0].lower())


def _internal_tables(server: Server, user: User) -> Iterable[tuple]:
    for internal in server.catalog.internals():
        job = internal.job
        if server.catalog.sees(user, job):
            yield (internal.id, internal.name, job.schema.id, job.id, job.owner.id, "",
                   acl_text(server.catalog, job), *_when(job))


def _internal_table_info(server: Server, user: User) -> Iterable[tuple]:
    for internal in server.catalog.internals():
        job = internal.job
        if server.catalog.sees(user, job):
            yield (internal.id, internal.name, job.id, job.name, job.kind, job.schema.name,
                   job.owner.name)


def _streaming_jobs(server: Server, _: User) -> Iterable[tuple]:
    for job in server.catalog.relations.values():
        yield job.id, job.name, 1, job.status, job.parallelism, 256, "default"


def _description(server: Server, user: User) -> Iterable[tuple]:
    for table in _visible(server, user, Table):
        yield table.id, None, None, table.comment
        for place, column in enumerate(table.columns, 1):
            yield table.id, None, place, column.comment


def _depend(server: Server, _: User) -> Iterable[tuple]:
    for relation in server.catalog.relations.values():
        for dependant in server.catalog.dependants(relation):
            yield dependant.id, relation.id


def creating(server: Server) -> list[Sink]:
    return [sink for sink in server.catalog.of(Sink) if sink.status == "CREATING"]


def _ddl_progress(server: Server, _: User) -> Iterable[tuple]:
    for sink in creating(server):
        yield (sink.id, sink.definition, create_type(sink), sink.backfill.percent(),
               sink.created_at.replace(microsecond=0), False, "SNAPSHOT_BACKFILL")


def create_type(sink: Sink) -> str:
    return "BACKGROUND" if sink.background else "FOREGROUND"


def _fragment_progress(server: Server, _: User) -> Iterable[tuple]:
    for sink in creating(server):
        yield (sink.id, sink.fragment, f"{sink.schema.name}.{sink.name}",
               f"{sink.upstream.schema.name}.{sink.upstream.name}", sink.backfill.exact_percent())


def _rate_limit(server: Server, _: User) -> Iterable[tuple]:
    names = {"source": (["SOURCE"], "SOURCE"), "table": (["STREAM_SCAN"], "STREAM_CDC_SCAN"),
             "sink": (["SINK"], "SINK")}
    for relation in server.catalog.relations.values():
        if relation.rate_limit >= 0:
            flags, node = names[relation.kind]
            yield relation.fragment, flags, node, relation.id, relation.rate_limit


def _workers(server: Server, _: User) -> Iterable[tuple]:
    memory, started = 25276518400, server.started_at.replace(microsecond=0)
    about = ("3.0.3", memory, 2, started)
    yield (0, "127.0.0.1", "5690", "WORKER_TYPE_META", "RUNNING", None, None, None, None, *about,
           None, None)
    yield (1, "127.0.0.1", str(server.port), "WORKER_TYPE_FRONTEND", "RUNNING", None, None, None,
           "127.0.0.1:6786", *about, None, None)
    yield (actors.COMPUTE_NODE, "127.0.0.1", "5688", "WORKER_TYPE_COMPUTE_NODE", "RUNNING",
           server.cores, True, True, "", *about, "default", None)
    yield (3, "127.0.0.1", "6660", "WORKER_TYPE_COMPACTOR", "RUNNING", 6, None, None, "", *about,
           None, False)


def _recovery(server: Server, _: User) -> Iterable[tuple]:
    running = not server.is_recovering()
    yield (1, "dev", "RUNNING" if running else "RECOVERING",
           "UNKNOWN" if running else "RECOVERING", "RUNNING", running, not running)


def _users(server: Server, _: User) -> Iterable[tuple]:
    for u in server.catalog.users.values():
        yield u.id, u.name, u.is_super, u.create_db, u.create_user, u.can_login, u.is_admin


def _schemas(server: Server, _: User) -> Iterable[tuple]:
    for schema in server.catalog.schemas.values():
        yield schema.id, schema.name, schema.owner.id, acl_text(server.catalog, schema)


def _databases(server: Server, _: User) -> Iterable[tuple]:
    yield (1, "dev", 1, server.catalog.database_acl(), "default", server.barrier_ms, 1)


def _secrets(server: Server, _: User) -> Iterable[tuple]:
    for secret in server.catalog.secrets.values():
        yield secret.id, secret.schema.id, secret.name, secret.owner.id, None


def _relations(server: Server, user: User) -> Iterable[tuple]:
    for relation in server.catalog.relations.values():
        if isinstance(relation, Source) or server.catalog.sees(user, relation):
            yield (relation.id, relation.name, relation.kind, relation.schema.id,
                   relation.owner.id, relation.definition, acl_text(server.catalog, relation))


def _fragments(server: Server, _: User) -> Iterable[tuple]:
    flags = {"source": ["SOURCE"], "table": ["MVIEW", "CDC_FILTER"], "sink": ["SINK"]}
    for relation in server.catalog.relations.values():
        yield (relation.fragment, relation.id, "HASH", [i.id for i in relation.internal], [],
               flags[relation.kind], 1, 256, "inherit")


def _stats(server: Server, user: User) -> Iterable[tuple]:
    for table in _visible(server, user, Table):
        count = len(table.rows)
        yield table.id, count, count * 23, count * 43


def _sink_decouple(server: Server, user: User) -> Iterable[tuple]:
    for sink in _visible(server, user, Sink):
        yield sink.id, sink.decoupled, (1 if sink.decoupled else None)


def _log_stores(server: Server, user: User) -> Iterable[tuple]:
    for sink in _visible(server, user, Sink):
        for internal in sink.internal:
            if internal.suffix == "sink":
                yield sink.id, internal.id


_MAKERS: dict[str, Callable[[Server, User], Iterable[tuple]]] = {
    "rw_sources": _sources, "rw_tables": _tables, "rw_sinks": _sinks, "rw_columns": _columns,
    "rw_internal_tables": _internal_tables, "rw_internal_table_info": _internal_table_info,
    "rw_streaming_jobs": _streaming_jobs, "rw_description": _description, "rw_depend": _depend,
    "rw_ddl_progress": _ddl_progress, "rw_fragment_backfill_progress": _fragment_progress,
    "rw_rate_limit": _rate_limit, "rw_worker_nodes": _workers, "rw_recovery_info": _recovery,
    "rw_users": _users, "rw_schemas": _schemas, "rw_databases": _databases,
    "rw_secrets": _secrets, "rw_relations": _relations, "rw_fragments": _fragments,
    "rw_table_stats": _stats, "rw_sink_decouple": _sink_decouple,
    "rw_sink_log_store_tables": _log_stores,
    "rw_actors": lambda server, _: actors.rows(server),
    "rw_event_logs": lambda server, _: server.events.rows(),
    "rw_features": lambda server, _: [(name, about, server.licensed) for name, about in FEATURES]}
