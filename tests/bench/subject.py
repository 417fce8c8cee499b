"""The controllers under comparison: how each is started, when it is ready, what it has used."""

import os
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cluster.controlplane import ControlPlane
from cluster.processes import Daemon, free_port
from integration import system as sys_

TICKS = os.sysconf("SC_CLK_TCK")
POLL_S = 0.001
START_S = 60
LOOK_S = 60


@dataclass(frozen=True)
class Subject:
    """`command` gets the control plane, a folder and a kubeconfig; `probe` the port of /readyz, if it has one."""

    title: str
    binary: Path
    command: Callable[[Path, Path, int], list[str]]
    has_readyz: bool = True


def tablesync(title: str, *more: str) -> Subject:
    binary = Path(os.environ["TABLESYNC_BIN"])

    def command(folder: Path, kubeconfig: Path, port: int) -> list[str]:
        return [str(binary), "controller", "--kubeconfig", str(kubeconfig), "--audit-db", str(folder / "audit.db"),
                "--metrics-bind-address", f"127.0.0.1:{port}", "--health-probe-bind-address", f"127.0.0.1:{port}",
                "--resync-interval", f"{LOOK_S}s", *more]

    return Subject(title, binary, command)


def go_peer(title: str, binary: Path) -> Subject:
    def command(_folder: Path, kubeconfig: Path, port: int) -> list[str]:
        return [str(binary), "--kubeconfig", str(kubeconfig), "--health-probe-bind-address", f"127.0.0.1:{port}",
                "--metrics-bind-address", f"127.0.0.1:{free_port()}", "--resync-interval", f"{LOOK_S}s"]

    return Subject(title, binary, command)


def rust_peer(title: str, binary: Path) -> Subject:
    return Subject(title, binary, lambda _folder, _kubeconfig, _port: [str(binary), str(LOOK_S)], has_readyz=False)


class Running:
    """One run of a subject, from its start."""

    def __init__(self, subject: Subject, plane: ControlPlane, folder: Path, server: str) -> None:
        kubeconfig = plane.kubeconfig_for(sys_.SERVICE_ACCOUNT, server=server)
        self._subject, self._port, self._log = subject, free_port(), folder / "subject.log"
        self._log.unlink(missing_ok=True)
        self._daemon = Daemon(subject.title, subject.command(folder, kubeconfig, self._port), self._log,
                              env={"KUBECONFIG": str(kubeconfig)})
        self.began = time.monotonic()
        self._daemon.start(self._wait_ready, START_S)
        self.ready_s = self._ready_at - self.began

    def stop(self) -> None:
        self._daemon.stop()

    def since_start_s(self) -> float:
        return time.monotonic() - self.began

    def cpu_s(self) -> float:
        """User and system time of all its threads, those that have ended included."""
        fields = Path(f"/proc/{self._daemon.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory_mib(self, field: str) -> float:
        """VmRSS: resident now; VmHWM: the most so far."""
        for line in Path(f"/proc/{self._daemon.pid}/status").read_text().splitlines():
            if line.startswith(f"{field}:"):
                return int(line.split()[1]) / 1024
        raise RuntimeError(f"no {field} of {self._subject.title}")

    def _wait_ready(self) -> bool:
        """Asks oftener than Daemon.start() does: start-up is measured in milliseconds."""
        ready = self._good_readyz if self._subject.has_readyz else self._said_synced
        while self._daemon.alive() and self.since_start_s() < START_S:
            if ready():
                self._ready_at = time.monotonic()
                return True
            time.sleep(POLL_S)
        return False

    def _good_readyz(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self._port), timeout=5) as asked:
                asked.sendall(b"GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n")
                return asked.recv(64).split(b" ")[1:2] == [b"200"]
        except OSError:
            return False

    def _said_synced(self) -> bool:
        return b"synced\n" in self._log.read_bytes()


def binary_mib(subject: Subject, work: Path) -> tuple[float, float]:
    """The binary without symbols; the same with every shared library that it loads."""
    stripped = work / "stripped"
    subprocess.run(["strip", "-o", stripped, subject.binary], check=True)
    alone = stripped.stat().st_size
    # A static program has no libraries, says ldd, and ends with an error.
    said = subprocess.run(["ldd", subject.binary], capture_output=True, text=True, check=False).stdout
    libraries = {Path(word).resolve() for line in said.splitlines() for word in line.split() if word.startswith("/")}
    return alone / 2**20, (alone + sum(path.stat().st_size for path in libraries)) / 2**20
