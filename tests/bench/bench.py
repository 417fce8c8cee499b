"""`make bench`: the figures of README and DESIGN. Prints, never asserts.

Real programs as in the integration tests: kube-apiserver, etcd, kubectl, Oracle MySQL; RisingWave and
StarRocks are the stand-ins, so a time to Ready says what the controller adds and how it waits, not how
fast the real servers load. The controller runs with its default intervals unless a line says otherwise.
Results go to standard output, progress to standard error.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.relay import Mysql, Postgres, Relay  # noqa: E402
from cluster.controlplane import ControlPlane, start_control_plane  # noqa: E402
from cluster.mysql import Server, start_oracle56  # noqa: E402
from integration import system as sys_  # noqa: E402

DEFAULTS = ("--resync-interval", "60s", "--poll-interval", "2s")
ROWS = 1000
REPEATS = 3
STARTS = 5
# The stand-ins are Python programs: all tables in one of them would measure it, not the controller.
RESOURCES, SHARDS = 1000, 10
PROVISION_S = 300
RESTART_S = 60
CONVERGED_LOOKS = 20
CONVERGED_RESYNC = "2s"
WATCH_S = 30
POLL_S = 2  # a scrape reads every resource: asking more often would show in the figures
DEFAULT_PACE_MS, FAST_PACE_MS = 1000, 50
RECONCILE_TIME = 'controller_runtime_reconcile_time_seconds_sum{controller="tablesync"}'
RECONCILES = 'controller_runtime_reconcile_total{controller="tablesync",result="requeue_after"}'

results: list[tuple[str, str]] = []


def progress(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


def result(name: str, value: float | str, unit: str = "") -> None:
    text = value if isinstance(value, str) else f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    results.append((name, f"{text} {unit}".rstrip()))
    progress(f"  {name}: {results[-1][1]}")


def print_results() -> None:
    width = max(len(name) for name, _ in results) + 1
    for name, value in results:
        print(f"{name + ':':<{width}} {value}")


class Bench:
    def __init__(self, stack: ExitStack, work: Path):
        self.stack, self.work = stack, work
        progress("starting kube-apiserver and etcd")
        self.plane: ControlPlane = stack.enter_context(
            start_control_plane(work / "plane", users=[sys_.SERVICE_ACCOUNT]))
        sys_.install(self.plane)
        self.controllers = 0

    def controller(self, *arguments: str) -> sys_.Controller:
        """One with an audit database of its own; stop() it before the next."""
        self.controllers += 1
        folder = self.work / f"controller{self.controllers}"
        folder.mkdir()
        made = sys_.Controller(self.plane, folder, *DEFAULTS, *arguments)
        self.stack.callback(made.stop)
        return made

    def start_databases(self) -> None:
        progress("starting Oracle MySQL 5.6 and the stand-ins")
        self.mysql: Server = self.stack.enter_context(start_oracle56(self.work / "mysql"))
        sys_.prepare_mysql(self.mysql)
        self.starrocks = self.standin(sys_.StarRocks(self.work))
        sys_.prepare_starrocks(self.starrocks)

    def standin(self, server):
        self.stack.callback(server.stop)
        return server.start()

    def risingwave(self, name: str, pace_ms: int) -> sys_.RisingWave:
        folder = self.work / name
        folder.mkdir()
        rw = self.standin(sys_.RisingWave(folder, barrier_ms=pace_ms))
        sys_.prepare_risingwave(rw)
        return rw

    def system(self, namespace: str, pace_ms: int) -> sys_.System:
        """A RisingWave of the given pace, and a namespace with connections to everything."""
        made = sys_.System(self.plane, self.mysql, self.risingwave(namespace, pace_ms), self.starrocks)
        made.connect(namespace)
        return made


def wait_calmly(ready: Callable[[], bool], timeout_s: float) -> bool:
    """Asks every POLL_S; says whether it came true in time."""
    until = time.monotonic() + timeout_s
    while not ready():
        if time.monotonic() > until:
            return False
        time.sleep(POLL_S)
    return True


def memory_kib(controller: sys_.Controller) -> dict[str, int]:
    """VmRSS and the part of it that is the process's own, RssAnon."""
    found = {}
    for line in Path(f"/proc/{controller.daemon.pid}/status").read_text().splitlines():
        name, _, rest = line.partition(":")
        if name in ("VmRSS", "RssAnon"):
            found[name] = int(rest.split()[0])
    return found


def report_memory(controller: sys_.Controller, what: str) -> None:
    """Once it stands still for two seconds, or after some time of moving."""
    seen: list[dict[str, int]] = []

    def still() -> bool:
        seen.append(memory_kib(controller))
        return len(seen) > 1 and seen[-2] == seen[-1]

    if not wait_calmly(still, 20):
        what += " (still moving)"
    result(f"{what}: resident memory", seen[-1]["VmRSS"] / 1024, "MiB")
    result(f"{what}: private part of it", seen[-1]["RssAnon"] / 1024, "MiB")


def timed_start(controller: sys_.Controller) -> float:
    """Seconds from exec to the first good /readyz, asked every 2 ms."""
    began = time.monotonic()
    took: list[float] = []

    def ready() -> bool:
        while controller.daemon.alive() and time.monotonic() < began + 30:
            if controller.ready():
                took.append(time.monotonic() - began)
                return True
            time.sleep(0.002)
        return False

    controller.daemon.start(ready, 30)
    return took[0]


def measure_binary(work: Path) -> None:
    binary = Path(os.environ["TABLESYNC_BIN"])
    stripped = work / "stripped"
    subprocess.run(["strip", "-o", stripped, binary], check=True)
    result("binary, with symbols", binary.stat().st_size / 1024, "KiB")
    result("binary, stripped", stripped.stat().st_size / 1024, "KiB")


def measure_idle(bench: Bench) -> None:
    progress(f"start-up and memory without resources, {STARTS} starts")
    took = []
    for number in range(STARTS):
        controller = bench.controller()
        took.append(timed_start(controller))
        if number == STARTS - 1:
            report_memory(controller, "no resources")
        controller.stop()
    result(f"no resources: start to /readyz, median of {STARTS}", statistics.median(took) * 1000, "ms")


def make_table(mysql: Server, database: str, table: str, rows: int) -> None:
    mysql.execute(f"CREATE DATABASE IF NOT EXISTS {database}",
                  f"CREATE TABLE {database}.{table} (id BIGINT NOT NULL AUTO_INCREMENT, customer VARCHAR(64) NOT NULL,"
                  " amount DECIMAL(10,2), note TEXT, created_at DATETIME(3), PRIMARY KEY (id))",
                  f"INSERT INTO {database}.{table} (customer, amount, note, created_at) VALUES "
                  + ",".join(f"('customer {n}', {n}.50, 'a note', '2026-01-01 00:00:00.5')" for n in range(rows)))


def time_to_ready(made: sys_.System, name: str, namespace: str) -> tuple[float, int]:
    """Seconds from the start of `kubectl apply` to the end of `kubectl wait`; rows in the target by then."""
    manifest = sys_.sync_manifest(name, namespace, name, target={"table": f"{namespace}_{name}"}, namespace=namespace)
    began = time.monotonic()
    made.apply(manifest)
    made.plane.kubectl("wait", "--for=condition=Ready", f"tsync/{name}", "-n", namespace, "--timeout=180s",
                       timeout_s=200)
    took = time.monotonic() - began
    arrived = made.target_rows(f"ods.{namespace}_{name}", "count(*)")[0][0]
    progress(f"  {name}: {took:.2f} s, {arrived} rows in the target")
    return took, arrived


def measure_ready(bench: Bench) -> None:
    controller = bench.controller().start()
    for pace_ms in (DEFAULT_PACE_MS, FAST_PACE_MS):
        namespace = f"pace{pace_ms}"
        progress(f"apply to Ready, {ROWS} rows, RisingWave stand-in with --barrier-ms {pace_ms}")
        made = bench.system(namespace, pace_ms)
        seen = []
        for number in range(REPEATS):
            make_table(bench.mysql, namespace, f"t{number}", ROWS)
            seen.append(time_to_ready(made, f"t{number}", namespace))
        about = f"{ROWS:,} rows, --barrier-ms {pace_ms}"
        result(f"{about}: apply to Ready, median of {REPEATS}", statistics.median(took for took, _ in seen), "s")
        result(f"{about}: apply to Ready, first (makes the shared source)", seen[0][0], "s")
        result(f"{about}: rows in the target just after Ready, fewest of {REPEATS}", min(rows for _, rows in seen))
        bench.plane.kubectl("delete", "tablesync", "--all", "-n", namespace, timeout_s=120)
    controller.stop()


def measure_converged(bench: Bench) -> None:
    """One resource through relays; what a look costs when nothing has changed."""
    progress(f"cost of a look at a converged resource, every {CONVERGED_RESYNC}")
    namespace = "calm"
    made = bench.system(namespace, FAST_PACE_MS)
    relays = {"MySQL": Relay(made.mysql.port, Mysql), "RisingWave": Relay(made.rw.port, Postgres),
              "StarRocks": Relay(made.starrocks.port, Mysql)}
    for relay in relays.values():
        bench.stack.callback(relay.close)
    # RisingWave follows MySQL through the relay, too, but asks nothing while it follows.
    made.apply(*(sys_.connection_manifest(name, kind, relays[kind].port, namespace, **more) for name, kind, more in (
        ("shop-mysql", "MySQL", {}), ("rw", "RisingWave", {}),
        ("warehouse", "StarRocks", {"starRocks": {"httpPort": made.starrocks.ports["http-port"]}}))))
    controller = bench.controller("--resync-interval", CONVERGED_RESYNC).start()
    make_table(bench.mysql, namespace, "t", ROWS)
    time_to_ready(made, "t", namespace)
    wait_calmly(lambda: False, 5 * POLL_S)
    cost = Cost(bench, controller)
    queries = {k: len(r.queries) for k, r in relays.items()}
    wait_calmly(lambda: cost.looks() >= CONVERGED_LOOKS, 120)
    count = cost.looks()
    cost.report("converged")
    for kind, relay in relays.items():
        fresh = relay.queries[queries[kind]:]
        result(f"converged: queries to {kind}, per look (with the connection's own looks)", len(fresh) / count)
        for text, times in Counter(q.split("FROM")[-1].strip()[:70] for q in fresh).most_common(8):
            progress(f"    {times:4} {text}")
    bench.plane.kubectl("delete", "tablesync", "--all", "-n", namespace, timeout_s=120)
    controller.stop()


def requests_so_far(bench: Bench) -> Counter:
    """The controller's requests by verb and resource, watches apart."""
    found: Counter = Counter()
    for event in bench.plane.requests(sys_.SERVICE_ACCOUNT):
        about = event.get("objectRef") or {}
        sub = f"/{about['subresource']}" if about.get("subresource") else ""
        found[f"{event['verb']} {about.get('resource', event['requestURI'])}{sub}"] += 1
    return found


class Cost:
    """What the controller does from here on, and what a look costs."""

    def __init__(self, bench: Bench, controller: sys_.Controller):
        self.bench, self.controller = bench, controller
        self.before = self._now()

    def _now(self) -> dict[str, float]:
        metric = self.controller.metric
        return {"looks": metric(RECONCILES), "cpu_s": metric("process_cpu_seconds_total"),
                "statements": metric("tablesync_statements_total"), "took_s": metric(RECONCILE_TIME),
                "requests": requests_so_far(self.bench)}

    def looks(self) -> float:
        return self.controller.metric(RECONCILES) - self.before["looks"]

    def report(self, what: str) -> None:
        now = self._now()
        spent = {name: now[name] - self.before[name] for name in now}
        looks, found = spent["looks"] or 1, spent["requests"]
        watches = sum(n for name, n in found.items() if name.startswith("watch "))
        reads = sum(n for name, n in found.items() if name.startswith(("get ", "list ")))
        result(f"{what}: looks", spent["looks"])
        result(f"{what}: statements that change a database, per look", spent["statements"] / looks)
        result(f"{what}: API writes, per look", (found.total() - watches - reads) / looks)
        result(f"{what}: API reads, per look", reads / looks)
        result(f"{what}: time of a look, mean", spent["took_s"] / looks * 1000, "ms")
        result(f"{what}: CPU of the whole process, per look", spent["cpu_s"] / looks * 1000, "ms")
        for name, times in found.most_common():
            progress(f"    {times:4} {name}")


def make_many(bench: Bench, namespace: str) -> tuple[sys_.System, list[dict]]:
    """Connections and tables for RESOURCES TableSyncs, spread over SHARDS RisingWaves; the TableSyncs."""
    progress(f"{SHARDS} RisingWave stand-ins and {RESOURCES} MySQL tables")
    made = bench.system(namespace, FAST_PACE_MS)
    objects = []
    for shard in range(SHARDS):
        database, stream, target = f"{namespace}{shard}", f"rw{shard}", f"warehouse{shard}"
        made.apply(sys_.connection_manifest(stream, "RisingWave", bench.risingwave(database, FAST_PACE_MS).port,
                                            namespace, secret="rw"),
                   sys_.connection_manifest(target, "StarRocks", bench.starrocks.port, namespace, secret="warehouse",
                                            starRocks={"httpPort": bench.starrocks.ports["http-port"]}))
        sys_.grant_starrocks(bench.starrocks, database)
        tables = [f"t{number:04}" for number in range(shard, RESOURCES, SHARDS)]
        bench.mysql.execute(f"CREATE DATABASE {database}", *(
            f"CREATE TABLE {database}.{table} (id INT PRIMARY KEY, v VARCHAR(20))" for table in tables))
        objects += [sys_.sync_manifest(table, database, table, rw=stream, warehouse=target, target_database=database,
                                       namespace=namespace) for table in tables]
    return made, sorted(objects, key=lambda one: one["metadata"]["name"])


def wait_all_ready(controller: sys_.Controller) -> int:
    """Until all are Ready or the time is over; says how many are."""
    began = told = time.monotonic()

    def done() -> bool:
        nonlocal told
        ready = int(controller.metric("tablesync_ready_resources"))
        if time.monotonic() - told > 20:
            told = time.monotonic()
            progress(f"    {told - began:.0f} s: {ready} Ready, {memory_kib(controller)['VmRSS'] // 1024} MiB")
        return ready >= RESOURCES

    wait_calmly(done, PROVISION_S)
    return int(controller.metric("tablesync_ready_resources"))


def report_phases(bench: Bench, namespace: str, about: str) -> None:
    items = bench.plane.get("tablesyncs", "-n", namespace)["items"]
    phases = Counter(one.get("status", {}).get("phase", "not looked at yet") for one in items)
    result(f"{about}: phases", ", ".join(f"{times} {phase}" for phase, times in phases.most_common()))


def measure_many(bench: Bench) -> None:
    namespace = "many"
    made, objects = make_many(bench, namespace)
    controller = bench.controller().start()
    began = time.monotonic()
    progress(f"kubectl apply of {RESOURCES} TableSyncs in one file")
    made.plane.kubectl("apply", "-f", "-", input="\n---\n".join(map(json.dumps, objects)), timeout_s=300)
    about = f"{RESOURCES:,} TableSyncs on {SHARDS} RisingWaves"
    result(f"{about}: kubectl apply of one file", time.monotonic() - began, "s")
    ready = wait_all_ready(controller)
    result(f"{about}: {ready} Ready after", time.monotonic() - began, "s")
    result(f"{about}: CPU until then", controller.metric("process_cpu_seconds_total"), "s")
    report_phases(bench, namespace, about)
    about = f"{RESOURCES:,} TableSyncs, {ready} Ready"
    report_memory(controller, about)
    progress(f"watching the next {WATCH_S} s")
    cost = Cost(bench, controller)
    wait_calmly(lambda: False, WATCH_S)
    cost.report(f"{about}, next {WATCH_S} s")
    controller.stop()
    progress("the same resources, a new process")
    controller = bench.controller()
    result(f"{about}: start to /readyz", timed_start(controller) * 1000, "ms")
    wait_calmly(lambda: controller.metric(RECONCILES) >= RESOURCES, RESTART_S)
    result(f"{about}: looks in the first {RESTART_S} s of a new process", controller.metric(RECONCILES))
    report_memory(controller, f"{about}, new process")
    controller.stop()


PARTS: dict[str, Callable[[Bench], None]] = {
    "idle": measure_idle, "ready": measure_ready, "converged": measure_converged, "many": measure_many}


def main() -> int:
    wanted = sys.argv[1:] or list(PARTS)
    with tempfile.TemporaryDirectory(prefix="tablesync-bench-") as folder, ExitStack() as stack:
        measure_binary(Path(folder))
        bench = Bench(stack, Path(folder))
        if "idle" in wanted:
            measure_idle(bench)
        bench.start_databases()
        for name in wanted:
            if name != "idle":
                PARTS[name](bench)
    print_results()
    return 0


if __name__ == "__main__":
    sys.exit(main())
