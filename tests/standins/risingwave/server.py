"""The stand-in's state and its heartbeat: the barrier."""

from __future__ import annotations

import asyncio
import logging
import math
import pickle
from pathlib import Path

from .catalog import Catalog, Sink, Source, Table, utc_now
from .errors import RECOVERING, PgError, meta_call
from .events import EventLog
from .logstore import DELETE, UPSERT, new_epoch
from .query import Engine
from .sinkjob import SinkJob
from .sourcejob import RESTART, SourceJob
from .tablejob import Net, TableJob

log = logging.getLogger("risingwave")

BACKFILL_ROWS = 20000  # per barrier without a rate limit
MIN_BACKFILL_BARRIERS = 3
RECOVERY_BARRIERS = 8
SAVE_EVERY = 5


class Server:
    def __init__(self, barrier_ms: int, data: Path | None, restart_barriers: int = RESTART,
                 cores: int = 2):
        self.barrier_ms = barrier_ms
        self.restart_barriers = restart_barriers  # what a restart of a source's reader costs
        self.cores = cores  # the compute node's parallelism
        self.data = data
        self.catalog = Catalog()
        self.engine = Engine()
        self.events = EventLog()
        self.started_at = utc_now()
        self.port = 0
        self.tick = 0
        self.epoch = new_epoch()
        self.licensed = False
        self.recovering = False
        self.recovering_until = 0
        self.sources: dict[int, SourceJob] = {}
        self.tables: dict[int, TableJob] = {}
        self.sinks: dict[int, SinkJob] = {}
        self.barrier_done = asyncio.Event()
        self.permit = asyncio.Semaphore(1)  # max_concurrent_creating_streaming_jobs
        self.task: asyncio.Task | None = None

    # Life

    def start(self) -> None:
        if self.data is not None and self._file().exists():
            self._restore()
        self.task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
        for sink in self.sinks.values():
            await sink.stop()
        for job in (*self.sources.values(), *self.tables.values()):
            job.stop()
        self._save()

    def _file(self) -> Path:
        assert self.data is not None
        return self.data / "state.pickle"

    def _save(self) -> None:
        if self.data is None:
            return
        self.data.mkdir(parents=True, exist_ok=True)
        scratch = self._file().with_suffix(".new")
        scratch.write_bytes(pickle.dumps(self.catalog))
        scratch.rename(self._file())

    def _restore(self) -> None:
        self.catalog = pickle.loads(self._file().read_bytes())
        for source in self.catalog.of(Source):
            self.sources[source.id] = SourceJob(self, source, resumed=True)
        for table in self.catalog.of(Table):
            self.add_table(table)
        for sink in self.catalog.of(Sink):
            self.sinks[sink.id] = SinkJob(self, sink)

    # Jobs

    def add_source(self, source: Source) -> None:
        self.sources[source.id] = SourceJob(self, source)

    def add_table(self, table: Table) -> None:
        self.tables[table.id] = TableJob(self, table)
        self.tables[table.id].start()

    def add_sink(self, sink: Sink) -> None:
        """Takes the table's present rows as the sink's backfill."""
        self.sinks[sink.id] = SinkJob(self, sink)
        sink.backfill.started_at = self.tick
        if sink.option("snapshot") == "false":
            return
        sink.status = "CREATING"
        rows = sink.upstream.rows
        projected = sink.projection.apply(list(rows.values()))
        sink.backfill.pending = {key: row for key, row in zip(rows, projected)
                                 if row is not None}
        sink.backfill.total = len(sink.backfill.pending)

    async def drop(self, relation: Source | Table | Sink) -> None:
        self.catalog.remove(relation)
        if isinstance(relation, Sink):
            await self.sinks.pop(relation.id).stop()
        elif isinstance(relation, Table):
            self.tables.pop(relation.id).stop()
        else:
            self.sources.pop(relation.id).stop()

    # Recovery

    def is_recovering(self) -> bool:
        return self.recovering or self.tick < self.recovering_until

    def begin_recovery(self) -> None:
        """A failing actor resets the whole database."""
        self.events.add("COLLECT_BARRIER_FAIL", {"collectBarrierFail": {
            "error": "database 1 report failure from 2"}})
        self.events.recovery(started=True)
        self.recovering_until = self.tick + RECOVERY_BARRIERS

    def set_recovering(self, on: bool) -> None:
        if on != self.recovering:
            self.recovering = on
            self.events.recovery(started=on)

    def check_running(self, call: str) -> None:
        if self.is_recovering():
            raise meta_call(call, *RECOVERING)

    # The barrier

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due = max(due + self.barrier_ms / 1000, loop.time())
            await asyncio.sleep(due - loop.time())
            try:
                self._barrier()
            except PgError:
                log.exception("barrier")
            self.barrier_done.set()
            self.barrier_done.clear()

    async def wait_barrier(self) -> None:
        await self.barrier_done.wait()

    def _barrier(self) -> None:
        self.tick += 1
        if self.tick == self.recovering_until:
            self.events.recovery(started=False)
        previous, self.epoch = self.epoch, max(new_epoch(), self.epoch + (1 << 16))
        if not self.is_recovering():
            self._flow()
        for job in self.sinks.values():
            job.sink.log.barrier(self.epoch)
            job.barrier(self.epoch)
        self.events.barrier_complete(self.epoch, previous)
        if self.tick % SAVE_EVERY == 0:
            self._save()

    def _flow(self) -> None:
        arrived = {number: job.barrier() for number, job in list(self.sources.items())}
        readers: dict[int, list[Sink]] = {}
        for sink in self.catalog.of(Sink):
            readers.setdefault(sink.upstream.id, []).append(sink)
        for job in list(self.tables.values()):
            net = job.barrier(arrived.get(job.table.source.id, []))
            for sink in readers.get(job.table.id, []):
                self._feed(sink, net)

    def _feed(self, sink: Sink, net: Net) -> None:
        backfill = sink.backfill
        if net:
            for key in net:
                if backfill.pending.pop(key, None) is not None:
                    backfill.done += 1
            sink.log.append(self.epoch, self._project(sink, net))
        if sink.status == "CREATING":
            self._backfill(sink)

    @staticmethod
    def _project(sink: Sink, net: Net) -> list[tuple]:
        """(op, key, row) for each changed row, deletes with the row that was.

        A row whose sink key changed leaves its old key: where the table's key is not the
        sink's, that comes as a delete, and deletes come first (sink.rs, "stream key and
        sink pk mismatch")."""
        pairs = [*net.values()]
        old = sink.projection.apply([before or after for before, after in pairs])
        new = sink.projection.apply([after or before for before, after in pairs])
        places = sink.key_places()
        deletes, upserts = {}, {}
        for key, (before, after), was, now in zip(net, pairs, old, new):
            if before is not None and was is not None:
                deletes[_sink_key(was, places, key)] = (DELETE, key, was)
            if after is not None and now is not None:
                upserts[_sink_key(now, places, key)] = (UPSERT, key, now)
        gone = [entry for key, entry in deletes.items() if key not in upserts]
        return [*gone, *upserts.values()]

    def _backfill(self, sink: Sink) -> None:
        backfill = sink.backfill
        age = self.tick - backfill.started_at
        if age < 2:
            return
        count = BACKFILL_ROWS
        if backfill.rate_limit >= 0:
            count = math.ceil(backfill.rate_limit * self.barrier_ms / 1000)
        keys = list(backfill.pending)[:count]
        sink.log.append(self.epoch, [(UPSERT, key, backfill.pending.pop(key)) for key in keys])
        backfill.done += len(keys)
        if not backfill.pending and age >= MIN_BACKFILL_BARRIERS:
            sink.status = "CREATED"


def _sink_key(row: tuple, places: list[int], key: tuple) -> tuple:
    return tuple(row[place] for place in places) if places else key
