"""`make bench-peers`: tablesync beside controllers with the same job on controller-runtime and on kube-rs.

Each meets the same resources on a real API server of its own, through a pipe that counts bytes, and writes a status
for each. Prints a table, and with --write puts it into README.md; never asserts. Figures of a busy machine are worth
little, and least those of the wall clock: while statuses are written, that one is the API server's.
"""

import argparse
import json
import math
import os
import platform
import re
import statistics
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench import build, subject, wire  # noqa: E402
from bench.crowd import SYNCS, Administrator, Crowd  # noqa: E402
from bench.subject import Running, Subject  # noqa: E402
from cluster import programs  # noqa: E402
from cluster.controlplane import ControlPlane  # noqa: E402
from cluster.processes import wait_until  # noqa: E402
from integration import system as sys_  # noqa: E402

OURS = "tablesync"  # how the titles of its ways to run begin
BEGIN, END = "<!-- bench: peers -->\n", "<!-- end: peers -->"
STARTS, PATCHES = 5, 50
SETTLE_EMPTY_S, SETTLE_FEW_S, SETTLE_MOST_S = 3, 5, 20
WRITTEN_S, SEEN_S = 600, 30
PAUSE_S = 0.05
WRITES = ("create", "update", "patch", "delete")

Figures = dict[str, float]


@dataclass(frozen=True)
class Row:
    key: str
    label: str
    unit: str
    goal: float | None = None  # of tablesync, with the most resources


NOTHING = [
    Row("binary", "binary, stripped", "MiB"),
    Row("binary_all", "binary and its shared libraries", "MiB"),
    Row("start_ms", f"start to ready, median of {STARTS}", "ms", 30),
    Row("rss", "resident memory", "MiB", 6),
]
CROWDED = [
    Row("synced_s", "start to synced cache", "s"),
    Row("synced_cpu_s", "CPU until then", "s", 0.4),
    Row("synced_mb", "read until then", "MB", 6),
    Row("written_s", "start to all statuses written", "s"),
    Row("written_cpu_s", "CPU until then", "s", 2),
    Row("requests", "requests until then", ""),
    Row("read_mb", "read until then", "MB"),
    Row("sent_mb", "sent until then", "MB"),
    Row("peak", "resident memory, peak", "MiB", 24),
    Row("idle", "resident memory, settled", "MiB", 24),
    Row("p50_ms", "patch of a spec to its status, p50", "ms", 3),
    Row("p99_ms", "patch of a spec to its status, p99", "ms"),
]


def progress(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


class Requests:
    """What the controllers' user asked of one API server so far, read from the audit log as it grows."""

    def __init__(self, plane: ControlPlane) -> None:
        self.kinds: Counter = Counter()
        self.described: set[str] = set()  # resources whose status was written
        self._log = plane.audit_log
        self._offset = 0

    def read(self) -> None:
        with open(self._log, "rb") as log:
            log.seek(self._offset)
            for line in log:
                if not line.endswith(b"\n"):
                    break
                self._offset += len(line)
                if sys_.SERVICE_ACCOUNT.encode() in line:
                    self._count(json.loads(line))

    def writes(self) -> int:
        return sum(times for kind, times in self.kinds.items() if kind.split()[0] in WRITES)

    def _count(self, event: dict) -> None:
        about = event.get("objectRef", {})
        kind = "/".join(filter(None, (about.get("resource", event["requestURI"]), about.get("subresource"))))
        self.kinds[f"{event['verb']} {kind}"] += 1
        good = event.get("responseStatus", {}).get("code", 0) == 200
        if good and kind == "tablesyncs/status":
            self.described.add(about["name"])


def measure_nothing(crowd: Crowd, subjects: list[Subject], work: Path) -> dict[str, Figures]:
    """Without resources: size, start, memory."""
    found: dict[str, Figures] = {}
    with crowd.plane(0) as plane:
        for one in subjects:
            progress(f"{one.title}: {STARTS} starts without resources")
            took = []
            for number in range(STARTS):
                run = Running(one, plane, _folder(work), plane.url)
                took.append(run.ready_s)
                if number == STARTS - 1:
                    time.sleep(SETTLE_EMPTY_S)
                    rss = run.memory_mib("VmRSS")
                run.stop()
            alone, whole = subject.binary_mib(one, work)
            found[one.title] = {"binary": alone, "binary_all": whole, "rss": rss,
                                "start_ms": statistics.median(took) * 1000}
            progress(f"  {_brief(found[one.title])}")
    return found


def measure_crowded(crowd: Crowd, size: int, one: Subject, work: Path, idle_s: float) -> Figures:
    """One controller among `size` resources; `idle_s` 0: without the window in which nothing changes."""
    progress(f"{one.title}: {size:,} resources")
    with crowd.plane(size) as plane, ExitStack() as stack:
        pipe = wire.Pipe(plane.port)
        stack.callback(pipe.close)
        wire.wait_warm(plane, pipe)
        figures = {"curl_list_s": wire.curl_list_s(plane, pipe), "curl_stream_s": wire.curl_stream_s(plane, pipe)}
        read_before, sent_before = pipe.received, pipe.sent
        requests = Requests(plane)
        run = Running(one, plane, _folder(work), pipe.url)
        stack.callback(run.stop)
        figures |= {"synced_s": run.ready_s, "synced_cpu_s": run.cpu_s(),
                    "synced_mb": (pipe.received - read_before) / 1e6}

        def all_written() -> bool:
            requests.read()
            return len(requests.described) >= size

        wait_until(f"{one.title}: {size} statuses", all_written, WRITTEN_S)
        figures |= {"written_s": run.since_start_s(), "written_cpu_s": run.cpu_s(),
                    "requests": requests.kinds.total(), "read_mb": (pipe.received - read_before) / 1e6,
                    "sent_mb": (pipe.sent - sent_before) / 1e6}
        progress(f"  {', '.join(f'{times} {kind}' for kind, times in requests.kinds.most_common())}")
        time.sleep(SETTLE_MOST_S if idle_s else SETTLE_FEW_S)
        figures |= {"peak": run.memory_mib("VmHWM"), "idle": run.memory_mib("VmRSS")}
        if idle_s:
            figures |= measure_idle(run, requests, idle_s)
        figures |= measure_latency(plane, size)
        progress(f"  {_brief(figures)}")
        return figures


def measure_idle(run: Running, requests: Requests, idle_s: float) -> Figures:
    """What a controller does while nothing changes, looking at each resource every minute."""
    requests.read()
    writes, every, cpu_s = requests.writes(), requests.kinds.total(), run.cpu_s()
    time.sleep(idle_s)
    requests.read()
    return {"idle_writes": requests.writes() - writes, "idle_requests": requests.kinds.total() - every,
            "idle_cpu_s": run.cpu_s() - cpu_s}


def measure_latency(plane: ControlPlane, size: int) -> Figures:
    """From sending a patch of a spec until a watch shows a status that speaks of it."""
    name = f"orders-{size // 2:05}"
    writer, reader = Administrator(plane), Administrator(plane)
    events = reader.open("GET", f"{SYNCS}?watch=1&fieldSelector=metadata.name%3D{name}")
    took = []
    for number in range(PATCHES):
        began = time.monotonic()
        patched = writer.ask("PATCH", f"{SYNCS}/{name}", {"spec": {"snapshot": {"batchSize": 2000 + number}}})
        wanted = patched["metadata"]["generation"]
        while json.loads(events.readline())["object"].get("status", {}).get("observedGeneration", -1) < wanted:
            if time.monotonic() > began + SEEN_S:
                raise TimeoutError(f"no status of generation {wanted} of {name} within {SEEN_S} s")
        took.append((time.monotonic() - began) * 1000)
        time.sleep(PAUSE_S)
    reader.close()
    writer.close()
    took.sort()
    return {"p50_ms": statistics.median(took), "p99_ms": took[math.ceil(0.99 * len(took)) - 1]}


def _folder(work: Path) -> Path:
    """An empty folder for one run of a controller."""
    return Path(tempfile.mkdtemp(dir=work))


def _brief(figures: Figures) -> str:
    return ", ".join(f"{key} {_number(value)}" for key, value in figures.items())


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _cell(value: float, ours: float, unit: str) -> str:
    text = f"{_number(value)} {unit}".rstrip()
    return text if value is ours or ours == 0 else f"{text} ({value / ours:.2g}×)"


def _table(title: str, rows: list[Row], found: dict[str, Figures]) -> str:
    """One Markdown table: a row a figure, a column a controller, ratios to the first."""
    columns = list(found)
    ours = found[columns[0]]
    lines = [[title, *columns, "goal"], ["---"] * (len(columns) + 2)]
    for row in rows:
        goal = ""
        if row.goal is not None:
            meets = [one for one in columns if one.startswith(OURS) and found[one][row.key] <= row.goal]
            verdict = "met" if columns[0] in meets else f"met with {meets[0].split()[-1]}" if meets else "not met"
            goal = f"{'≤ ' if row.goal else ''}{_number(row.goal)} {row.unit}".rstrip() + f": {verdict}"
        lines.append([row.label, *(_cell(found[one][row.key], ours[row.key], row.unit) for one in columns), goal])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _crowded_rows(size: int, most: int, found: dict[str, Figures], idle_s: float) -> list[Row]:
    """Goals are of the most resources, where also the idle window is."""
    if size != most:
        return [Row(row.key, row.label, row.unit) for row in CROWDED]
    least = min(figures[key] for figures in found.values() for key in ("curl_list_s", "curl_stream_s"))
    idle = [Row("idle_writes", f"writes in {idle_s:.0f} s without a change", "", 0),
            Row("idle_requests", "requests of any kind in that time", ""),
            Row("idle_cpu_s", "CPU in that time", "s")]
    return [Row(row.key, row.label, row.unit, least + 0.1) if row.key == "synced_s" else row for row in CROWDED] + idle


def _machine() -> str:
    text = Path("/proc/cpuinfo").read_text()
    model = re.search(r"^model name\s*: (.*)$", text, re.MULTILINE)
    return f"{os.cpu_count()} cores ({model[1] if model else platform.machine()}), Linux {platform.release()}"


def _curl_line(size: int, found: dict[str, Figures]) -> str:
    listed, streamed = (statistics.median(figures[key] for figures in found.values())
                        for key in ("curl_list_s", "curl_stream_s"))
    return f"`curl` reads the compressed list of {size:,} in {listed:.2f} s and the streamed one in {streamed:.2f} s."


def report(nothing: dict[str, Figures], crowded: dict[int, dict[str, Figures]], object_bytes: int,
           idle_s: float) -> str:
    """The Markdown that stands between the marks in README.md."""
    most = max(crowded)
    parts = [f"{_machine()}; kube-apiserver {programs.version(programs.server())}; resources of {object_bytes:,} bytes as "
             "served; in brackets, how many times the first column.",
             _table("no resources", NOTHING, nothing)]
    for size in sorted(crowded):
        found = crowded[size]
        parts += [_table(f"{size:,} resources", _crowded_rows(size, most, found, idle_s), found),
                  _curl_line(size, found)]
    return "\n\n".join(parts) + "\n"


def write_readme(text: str) -> None:
    path = sys_.ROOT / "README.md"
    before = path.read_text(encoding="utf-8")
    begin, end = before.index(BEGIN) + len(BEGIN), before.index(END)
    path.write_text(f"{before[:begin]}\n{text}\n{before[end:]}", encoding="utf-8")


def subjects() -> list[Subject]:
    found = [subject.tablesync(OURS), subject.tablesync(f"{OURS} --initial-sync=list", "--initial-sync=list"),
             subject.go_peer(f"controller-runtime {build.version('go')}", build.go_peer())]
    if rust := build.rust_peer():
        found.append(subject.rust_peer(f"kube-rs {build.version('rust')}", rust))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", default="100,1000,10000", help="numbers of resources")
    parser.add_argument("--idle-seconds", type=float, default=float(os.environ.get("BENCH_IDLE_SECONDS") or 600),
                        help="length of the window without changes")
    parser.add_argument("--only", default="", help="controllers whose title begins so; the first column counts as ours")
    parser.add_argument("--write", action="store_true", help="put the table into README.md")
    options = parser.parse_args()
    sizes = sorted(int(size) for size in options.sizes.split(","))
    wanted = [one for one in subjects() if one.title.startswith(options.only)]
    with tempfile.TemporaryDirectory(prefix="tablesync-peers-") as folder:
        work = Path(folder)
        progress(f"making {sizes[-1]:,} resources")
        crowd = Crowd(work, sizes)
        nothing = measure_nothing(crowd, wanted, work)
        crowded = {size: {one.title: measure_crowded(crowd, size, one, work,
                                                     options.idle_seconds if size == sizes[-1] else 0)
                          for one in wanted} for size in sizes}
        text = report(nothing, crowded, crowd.object_bytes, options.idle_seconds)
    print(text)
    if options.write:
        write_readme(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
