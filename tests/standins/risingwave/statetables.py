"""The internal tables that can be read: snapshot progress, source offset, log store."""

from __future__ import annotations

import json
from typing import Any

import duckdb

from . import duck
from . import rwtypes as t
from .catalog import Internal, Sink, Source, Table
from .logstore import BARRIER, VNODES, stored_epoch
from .query import Relation

LOG_COLUMNS = [("kv_log_store_epoch", t.BIGINT), ("kv_log_store_seq_id", t.INTEGER),
               ("kv_log_store_vnode", t.SMALLINT), ("kv_log_store_row_op", t.SMALLINT)]


def relation(internal: Internal) -> Relation:
    job = internal.job
    if isinstance(job, Table):
        return Relation(columns(internal), lambda: _snapshot_rows(job))
    if isinstance(job, Source):
        return Relation(columns(internal), lambda: [(str(job.id), offset_info(job))])
    assert isinstance(job, Sink)
    if internal.suffix == "sink":
        return Relation(columns(internal), None, fill=lambda con, name: _fill_log(con, name, job))
    return Relation(columns(internal), lambda: [])


def columns(internal: Internal) -> list[tuple[str, t.Type]]:
    job = internal.job
    if isinstance(job, Table):
        types = {column.name: column.type for column in job.columns}
        return [("split_id", t.VARCHAR), *((name, types[name]) for name in job.key),
                ("backfill_finished", t.BOOLEAN), ("row_count", t.BIGINT), ("cdc_offset", t.JSONB)]
    if isinstance(job, Source):
        return [("partition_id", t.VARCHAR), ("offset_info", t.JSONB)]
    assert isinstance(job, Sink)
    if internal.suffix == "sink":
        names = job.projection.stored_names
        return [*LOG_COLUMNS, *((name, column.type) for name, column in zip(names, job.columns))]
    return [("vnode", t.SMALLINT), ("epoch", t.BIGINT), ("row_count", t.BIGINT),
            ("is_finished", t.BOOLEAN)]


def key(internal: Internal) -> str:
    if isinstance(internal.job, Table):
        return "split_id"
    if isinstance(internal.job, Source):
        return "partition_id"
    if internal.suffix == "sink":
        return "kv_log_store_epoch, kv_log_store_seq_id, kv_log_store_vnode"
    return "vnode"


def _snapshot_rows(table: Table) -> list[tuple]:
    progress = table.progress
    if progress.skipped or not progress.started:
        return []
    last = progress.last_key or (None,) * len(table.key)
    offset = progress.offset
    shown = json.dumps({"MySql": {"filename": offset["file"], "position": offset["pos"]}}) \
        if offset else None
    return [(str(table.id), *last, progress.finished, progress.row_count, shown)]


def offset_info(source: Source) -> str:
    """Debezium's offset, a JSON text inside JSON."""
    offset: dict[str, Any] = {"ts_sec": source.offset.get("ts_sec", 0),
                              "file": source.offset.get("file"), "pos": source.offset.get("pos")}
    for name in ("gtids", "row", "server_id", "event"):
        if name in source.offset:
            offset[name] = source.offset[name]
    text = json.dumps({"sourcePartition": {"server": f"RW_CDC_{source.id}"},
                       "sourceOffset": offset, "isHeartbeat": source.heartbeat},
                      separators=(",", ":"))
    inner = {"snapshot_done": False, "split_id": source.id, "start_offset": text}
    return json.dumps({"split_info": {
        "citus_split": None, "mongodb_split": None, "mysql_split": {"inner": inner},
        "pg_split": None, "sql_server_split": None}, "split_type": "mysql-cdc"})


def _fill_log(con: duckdb.DuckDBPyConnection, name: str, sink: Sink) -> None:
    shape = [*LOG_COLUMNS, *((stored, column.type) for stored, column in
                             zip(sink.projection.stored_names, sink.columns))]
    entries = [(stored_epoch(e.epoch), e.seq_id, e.vnode, e.op, *e.row) for e in sink.log.entries]
    duck.fill(con, name, shape, entries)
    if sink.log.barriers:
        nulls = ", NULL" * len(sink.columns)
        con.execute(
            f"INSERT INTO {duck.quote(name)} SELECT epoch, NULL, vnode, {BARRIER}{nulls} FROM "
            f"(SELECT unnest(?::BIGINT[]) AS epoch), range({VNODES}) AS vnodes(vnode)",
            [[stored_epoch(epoch) for epoch in sink.log.barriers]])
