"""A long time with churn: resources come, change and go, connections are cut, databases vanish and come back.

    python3 -m bench.soak [--seconds 1800]

Memory and descriptors of the controller are sampled every second. After a warm-up neither may grow: the line that
fits the samples best must end where it begins, but for a small bound. What is there at the end must stream.
"""

import argparse
import json
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from cluster.mysql import start_oracle56
from cluster.processes import free_port, wait_until
from integration import leaving
from integration import system as sys_
from integration.crowd import Crowd
from integration.faultproxy import FaultProxy
from integration.gate import Gate
from integration.system import condition_of, sync_manifest

NAMESPACE = "soak"
TABLES = 12
WARM_UP = 0.4  # of the time
SHORT_S = 300  # up to here caches are still being filled, and one session more or less counts
GROWTH_MIB, GROWTH_DESCRIPTORS = {True: 3.0, False: 1.5}, {True: 8.0, False: 3.0}
CUT_EVERY_S, OUTAGE_EVERY_S, OUTAGE_S = 7, 11, 2
SETTLED_S = 90


@dataclass
class Samples:
    at: list[float] = field(default_factory=list)
    memory_mib: list[float] = field(default_factory=list)
    descriptors: list[float] = field(default_factory=list)

    def take(self, pid: int, at: float) -> None:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
        self.at.append(at)
        self.memory_mib.append(int(status.split("VmRSS:")[1].split()[0]) / 1024)
        self.descriptors.append(len(os.listdir(f"/proc/{pid}/fd")))

    def warm(self) -> int:
        """The first sample after the warm-up."""
        return next(i for i, at in enumerate(self.at) if at >= self.at[-1] * WARM_UP)

    def lift(self, values: list[float]) -> float:
        """By how much the floor rose from the first half after the warm-up to the second: what comes and goes, as sessions
        do with an outage, stands upon it, and what leaks lifts it."""
        first = self.warm()
        middle = (first + len(values)) // 2
        return min(values[middle:]) - min(values[first:middle])

    def growth(self, values: list[float]) -> float:
        """Between the ends of the line that fits best, after the warm-up."""
        first = self.warm()
        xs, ys = self.at[first:], values[first:]
        middle_x, middle_y = sum(xs) / len(xs), sum(ys) / len(ys)
        slope = (sum((x - middle_x) * (y - middle_y) for x, y in zip(xs, ys))
                 / sum((x - middle_x) ** 2 for x in xs))
        return slope * (xs[-1] - xs[0])


class Churn:
    """What happens to a controller in a year, in minutes; everything by chance, from a seed."""

    def __init__(self, system: sys_.System, crowd: Crowd, proxy: FaultProxy, gates: list[Gate], seed: int):
        self.crowd, self.proxy, self.gates, self.system = crowd, proxy, gates, system
        self.chance = random.Random(seed)
        self.live: set[str] = set()
        self.done = {"created": 0, "edited": 0, "deleted": 0, "rows": 0, "cuts": 0, "outages": 0}
        self.over = threading.Event()
        self.errors: list[BaseException] = []

    def start(self) -> list[threading.Thread]:
        jobs = ((self._resources, 0.4), (self._rows, 0.5), (self._cut, CUT_EVERY_S), (self._outage, OUTAGE_EVERY_S))
        threads = [threading.Thread(target=self._repeat, args=job) for job in jobs]
        for thread in threads:
            thread.start()
        return threads

    def _repeat(self, do: Callable[[], None], every_s: float) -> None:
        while not self.over.wait(every_s):
            try:
                do()
            except BaseException as error:  # told at the end, by whoever waits
                self.errors.append(error)
                return

    def _resources(self) -> None:
        name = f"t{self.chance.randrange(TABLES)}"
        if name not in self.live:
            if self.crowd.get("tablesyncs", NAMESPACE, name) is None:  # else it is still about to go
                self.crowd.create("tablesyncs", NAMESPACE, [manifest(name)])
                self.live.add(name)
                self.done["created"] += 1
        elif self.chance.random() < 0.3:
            self.live.discard(name)
            self.crowd.delete("tablesyncs", NAMESPACE, name)
            self.done["deleted"] += 1
        else:
            self.crowd.patch("tablesyncs", NAMESPACE, name,
                             {"spec": {"sink": {"commitCheckpointInterval": self.chance.randrange(1, 9)}}})
            self.done["edited"] += 1

    def _rows(self) -> None:
        table = f"soak.t{self.chance.randrange(TABLES)}"
        self.system.mysql.execute(f"REPLACE INTO {table} VALUES ({self.chance.randrange(1000)}, {self.chance.randrange(10**6)})")
        self.done["rows"] += 1

    def _cut(self) -> None:
        self.proxy.cut()
        self.done["cuts"] += 1

    def _outage(self) -> None:
        gate = self.chance.choice(self.gates)
        gate.shut()
        self.over.wait(OUTAGE_S)
        gate.open()
        self.done["outages"] += 1


def manifest(name: str) -> dict:
    return sync_manifest(name, "soak", name, target_database="soak", namespace=NAMESPACE, deletionPolicy="Delete",
                         drift={"interval": "2s"}, retry={"backoffBase": "200ms", "backoffMax": "2s"})


def soak(system: sys_.System, work: Path, seconds: float, say: Callable[[str], None], seed: int = 1) -> Samples:
    """Runs it; AssertionError when something grows or does not stream at the end."""
    with ExitStack() as stack:
        proxy = stack.enter_context(FaultProxy(system.plane, work / "proxy"))
        crowd = stack.enter_context(Crowd(system.plane))
        gates = [Gate(free_port(), port) for port in (system.mysql.port, system.rw.port, system.starrocks.port)]
        for gate in gates:
            stack.callback(gate.shut)
        leaving.furnish(system, NAMESPACE, mysql=gates[0].port, rw=gates[1].port, starrocks=gates[2].port)
        sys_.grant_starrocks(system.starrocks, "soak")
        system.mysql.execute("CREATE DATABASE soak", *(
            f"CREATE TABLE soak.t{n} (id INT PRIMARY KEY, v INT)" for n in range(TABLES)))
        stack.callback(system.mysql.execute, "DROP DATABASE soak")
        controller = sys_.Controller(system.plane, work, kubeconfig=proxy.kubeconfig(sys_.SERVICE_ACCOUNT)).start()
        stack.callback(controller.stop)
        churn, samples = Churn(system, crowd, proxy, gates, seed), Samples()
        _sample(churn, controller, samples, seconds, say)
        for gate in gates:
            gate.open()
        _settle(churn)
        assert controller.daemon.alive(), controller.daemon.log_tail()
        sys_.assert_no_secret(controller.log_text(), "the controller's log")
        _judge(samples, say)
        return samples


def _sample(churn: Churn, controller: sys_.Controller, samples: Samples, seconds: float, say: Callable[[str], None]) -> None:
    threads, started, told = churn.start(), time.monotonic(), 0
    every_s = 60 if seconds > 120 else 15
    try:
        while (at := time.monotonic() - started) < seconds and not churn.errors:
            assert controller.daemon.alive(), f"it ended with {controller.daemon.exit_code}: {controller.daemon.log_tail()}"
            samples.take(controller.daemon.pid, at)
            if at // every_s > told:
                told = at // every_s
                say(f"{at:5.0f} s: {samples.memory_mib[-1]:.1f} MiB, {samples.descriptors[-1]:.0f} descriptors, "
                    f"{len(churn.live)} resources; " + ", ".join(f"{count} {what}" for what, count in churn.done.items()))
            churn.over.wait(1)
    finally:
        churn.over.set()
        for thread in threads:
            thread.join()
    if churn.errors:
        raise churn.errors[0]


def _settle(churn: Churn) -> None:
    def calm() -> bool:
        found = churn.crowd.list("tablesyncs", NAMESPACE)
        return found.keys() == churn.live and all(
            condition_of(o, "Ready").get("reason") == "Streaming"
            and o["status"]["observedGeneration"] == o["metadata"]["generation"] for o in found.values())

    try:
        wait_until("all that is left streams", calm, SETTLED_S)
    except TimeoutError as late:
        found = churn.crowd.list("tablesyncs", NAMESPACE)
        raise AssertionError(f"{late}: wanted {sorted(churn.live)}: "
                             f"{json.dumps({n: condition_of(o, 'Ready') for n, o in found.items()}, indent=1)}") from late
    for name in sorted(churn.live):
        churn.system.wait_rows(f"soak.{name}", f"soak.{name}", "id, v")


def _judge(samples: Samples, say: Callable[[str], None]) -> None:
    memory, descriptors = samples.growth(samples.memory_mib), samples.lift(samples.descriptors)
    say(f"after the warm-up: {memory:+.2f} MiB, {descriptors:+.1f} descriptors; at most {max(samples.memory_mib):.1f} MiB, "
        f"{max(samples.descriptors):.0f} descriptors")
    short = samples.at[-1] <= SHORT_S
    assert memory <= GROWTH_MIB[short], f"memory grew by {memory:.2f} MiB"
    assert descriptors <= GROWTH_DESCRIPTORS[short], f"{descriptors:.1f} more descriptors are open"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=1800)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tablesync-soak-") as folder, \
            start_oracle56(Path(folder) / "mysql") as mysql:
        sys_.prepare_mysql(mysql)
        with leaving.own_system(mysql, Path(folder)) as system:
            try:
                soak(system, Path(folder), arguments.seconds, lambda text: print(text, flush=True), arguments.seed)
            except AssertionError as failed:
                print(f"failed: {failed}", file=sys.stderr)
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
