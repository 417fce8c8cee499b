"""Servers that tests start: free ports, readiness, logs, and a certain end.

No server outlives the run. The kernel kills each one when the process that
started it dies, even by SIGKILL; a signal handler or atexit hook could not
promise that. The parent whose death counts is a thread, so all servers are
started by one thread that lives as long as the process.
"""

import atexit
import contextlib
import os
import random
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

POLL_S = 0.05
LOG_TAIL_LINES = 100  # MySQL says why, and then each part of it that shuts down
PORT_TRIES = 1000
FIRST_PORT = 12000
LAST_PORT = 65000
LOG_TAIL_BYTES = 64 * 1024

_starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="servers")
_running: "set[Daemon]" = set()
_handed_out: set[int] = set()
_random = random.SystemRandom()
_port_lock = threading.Lock()


class StartError(RuntimeError):
    """A server did not come up; the message holds the end of its log."""


def _ephemeral_range() -> tuple[int, int]:
    try:
        low, high = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
        return int(low), int(high)
    except (OSError, ValueError):
        return 32768, 60999


def free_port(host: str = "127.0.0.1") -> int:
    """A port nobody listens on, never handed out twice by this process.

    Outside the range the kernel gives to outgoing connections: a client that
    keeps retrying a stopped server there could take the port, or even connect to
    itself, and the server could not come back.
    """
    low, high = _ephemeral_range()
    if low <= FIRST_PORT and high >= LAST_PORT:
        low = high = 0  # nothing is left outside it
    with _port_lock:
        for _ in range(PORT_TRIES):
            port = _random.randrange(FIRST_PORT, LAST_PORT + 1)
            if low <= port <= high or port in _handed_out:
                continue
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((host, port))
                except OSError:
                    continue
            _handed_out.add(port)
            return port
    raise StartError(f"no free port on {host} between {FIRST_PORT} and {LAST_PORT}")


def wait_until(what: str, ready: Callable[[], bool], timeout_s: float) -> None:
    """Polls until ready() holds; TimeoutError names what was waited for."""
    deadline = time.monotonic() + timeout_s
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {timeout_s:g} s")
        time.sleep(POLL_S)


def freeze(pid: int) -> None:
    """Stops a process; returns when no thread of it runs any more: the signal stops one, which stops the others."""
    os.kill(pid, signal.SIGSTOP)
    wait_until(f"process {pid} stands still", lambda: _states(pid) == {"T"}, 10)


def _states(pid: int) -> set[str]:
    found = set()
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):  # it has just ended
            found.add((task / "stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[0])
    return found


class Daemon:
    """One server process. start() and stop() may alternate any number of times."""

    def __init__(self, name: str, command: list[str], log: Path, *, cwd: Path | None = None,
                 env: Mapping[str, str] | None = None) -> None:
        self.name = name
        self.command = command
        self.log = log
        self._cwd = cwd
        self._env = {**os.environ, **(env or {})}
        self._process: subprocess.Popen | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def exit_code(self) -> int | None:
        """Of the last run; None before it and while it lasts, -9 after SIGKILL."""
        return self._process.poll() if self._process else None

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self, ready: Callable[[], bool], timeout_s: float = 60) -> None:
        """Starts it and waits until ready() holds; StartError with the log if not."""
        if self.alive():
            raise StartError(f"{self.name} is running already (pid {self.pid})")
        self._process = _starter.submit(self._spawn).result()
        _running.add(self)
        try:
            wait_until(self.name, lambda: not self.alive() or ready(), timeout_s)
        except BaseException as error:
            self.kill()
            if not isinstance(error, TimeoutError):
                raise
            raise StartError(f"{self.name} did not answer within {timeout_s:g} s; "
                             f"end of {self.log}:\n{self.log_tail()}") from error
        if not self.alive():
            raise StartError(f"{self.name} ended with {self.exit_code} before it answered; "
                             f"end of {self.log}:\n{self.log_tail()}")

    def _spawn(self) -> subprocess.Popen:
        # A session of its own: Ctrl-C in a terminal reaches the tests, which then
        # take the servers down in their order.
        with open(self.log, "ab") as out:
            return subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *self.command],
                                    stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                    cwd=self._cwd, env=self._env, start_new_session=True)

    def stop(self, timeout_s: float = 20) -> None:
        """Asks it to end, then makes it end. Does nothing when it is not running."""
        if self.alive():
            self._process.terminate()
            self.resume()
            try:
                self._process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                self.kill()
        _running.discard(self)

    def kill(self) -> None:
        """Ends it as a crash would (SIGKILL)."""
        if self.alive():
            self._process.kill()
            self._process.wait()
        _running.discard(self)

    def pause(self) -> None:
        """Freezes it: connections stay open and nothing answers."""
        freeze(self.pid)

    def resume(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def log_tail(self) -> str:
        try:
            with open(self.log, "rb") as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - LOG_TAIL_BYTES))
                text = log.read().decode(errors="replace")
        except OSError as error:
            return f"(no log: {error})"
        return "\n".join(text.splitlines()[-LOG_TAIL_LINES:])


@atexit.register
def _stop_all() -> None:
    for daemon in list(_running):
        daemon.kill()
