"""Kills the controller at the nth call that leaves it, whichever server it goes to.

    with Wire(system, work) as wire:
        controller = wire.controller(...)
        wire.arm(Trap(7, AFTER, wire.writes_of("orders")))
        controller.start()
        trap.sprung.wait(30)

Relays stand in front of all four servers and count in one sequence: requests to the API server, queries to MySQL,
RisingWave and StarRocks. At its call a trap kills (-9) either before the server has it, or when the server has carried
it out and before the controller hears of that. From then on nothing of that controller passes any more.
"""

import os
import re
import signal
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench.relay import Mysql, Postgres

from . import system as sys_
from .faultproxy import FaultProxy
from .faults import Close, Fault

BEFORE, AFTER = "before", "after"
LOGIN = "LOGIN"
WRITES = re.compile(r"\s*(?:/\*.*?\*/\s*)*(CREATE|ALTER|DROP|INSERT|UPDATE|DELETE|TRUNCATE|SUBMIT|CANCEL|REFRESH)\b", re.I | re.S)
CALLS = Path(__file__).resolve().parent.parent / "sim" / "calls.def"
BORN_S = 10  # from the first call of a process to the moment in which we know its number


@dataclass
class Call:
    """One call to a server: `what` is the SQL text, LOGIN, or method, path and body."""

    number: int
    server: str
    what: str
    write: bool
    killed: str = ""  # BEFORE or AFTER, when it was the one


@dataclass
class Trap:
    """Springs at the nth call that `counts` says is one to count."""

    nth: int
    moment: str
    counts: Callable[[Call], bool]
    sprung: threading.Event = field(default_factory=threading.Event)
    seen: int = 0
    call: Call | None = None


class Killed(Exception):
    """The controller is dead: nothing passes."""


class Sequence:
    """The calls to all servers, in the order in which they came."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._trap: Trap | None = None
        self._pid: int | None = None
        self._born = threading.Event()
        self._dead = False
        self.calls: list[Call] = []

    def arm(self, trap: Trap | None) -> None:
        """For the next process; born() tells which that is."""
        with self._lock:
            self._born.clear()
            self._trap, self._dead = trap, False

    def born(self, pid: int) -> None:
        self._pid = pid
        self._born.set()

    def owns(self, client: socket.socket) -> bool:
        """Whether the controller holds the other end: RisingWave, too, meets MySQL and StarRocks through the relays."""
        self._born.wait(BORN_S)
        mine, theirs = client.getsockname()[1], client.getpeername()[1]
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            fields = line.split()
            if [int(end.split(":")[1], 16) for end in fields[1:3]] == [theirs, mine]:
                return _holds(self._pid, f"socket:[{fields[9]}]")
        return False

    def begins(self, server: str, what: str, write: bool) -> Call:
        """A call is about to be passed on. Raises Killed when it must not be."""
        self._born.wait(BORN_S)
        with self._lock:
            if self._dead:
                raise Killed
            call = Call(len(self.calls), server, what, write)
            self.calls.append(call)
            trap = self._trap
            if trap and not trap.call and trap.counts(call):
                trap.seen += 1
                if trap.seen == trap.nth:
                    trap.call = call
                    if trap.moment == BEFORE:
                        self._kill(trap)
            return call

    def ends(self, call: Call) -> None:
        """Its answer has come. Raises Killed when it must not be passed on."""
        with self._lock:
            if self._dead:
                raise Killed
            if self._trap and self._trap.call is call and self._trap.moment == AFTER:
                self._kill(self._trap)

    def _kill(self, trap: Trap) -> None:
        os.kill(self._pid, signal.SIGKILL)
        self._dead = True
        trap.call.killed = trap.moment
        trap.sprung.set()
        raise Killed


class _Counting(Fault):
    """Every request to the API server but the watches, which never end."""

    def __init__(self, sequence: Sequence):
        super().__init__()
        self._sequence = sequence
        self._open: dict[int, Call] = {}

    def before(self, request):
        what = f"{request.method} {request.path} {request.body.decode(errors='replace')}"
        self._open[id(request)] = self._guard(lambda: self._sequence.begins("kubernetes", what, request.method != "GET"))

    def after(self, request, answer):
        self._guard(lambda: self._sequence.ends(self._open.pop(id(request))))
        return answer

    def _guard(self, do):
        try:
            return do()
        except Killed:
            raise Close from None


class PostgresAnswer:
    """What RisingWave sends: complete when it is ready for the next query."""

    def __init__(self) -> None:
        self._rest = b""

    def ends(self, data: bytes) -> bool:
        if not self._rest and data == b"N":
            return False  # no encryption: the one answer that is no message
        self._rest += data
        ended = False
        while len(self._rest) >= 5:
            size = 1 + int.from_bytes(self._rest[1:5], "big")
            if len(self._rest) < size:
                break
            ended = ended or self._rest[:1] == b"Z"
            self._rest = self._rest[size:]
        return ended


class MysqlAnswer:
    """What MySQL and StarRocks send: a statement's answer is one packet, and rows begin with one; a login's is OK or an error."""

    def __init__(self) -> None:
        self._rest, self._in = b"", False

    def ends(self, data: bytes) -> bool:
        if self._in:
            return True
        self._rest += data
        while len(self._rest) > 4:
            whole = 4 + int.from_bytes(self._rest[:3], "little")
            if len(self._rest) < whole:
                break
            number, kind = self._rest[3], self._rest[4]
            self._in = self._in or (number > 0 and kind in (0x00, 0xFF))  # the greeting is number 0
            self._rest = self._rest[whole:]
        return self._in


class Relay:
    """In front of a database, on a port of its own: each query is a call."""

    def __init__(self, sequence: Sequence, server: str, port: int, protocol: type, answer: type):
        self._sequence, self._server, self._to = sequence, server, port
        self._protocol, self._answer = protocol, answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._to), timeout=10)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._sequence.owns(client):
                _Session(self._sequence, self._server, client, server, self._protocol(), self._answer()).start()
            else:
                _Through(client, server).start()


def _holds(pid: int, target: str) -> bool:
    """The process has that open."""
    try:
        return any(os.readlink(link) == target for link in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return False  # it just died, or closed something while we looked


class _Through:
    """Bytes, both ways, until one side ends."""

    def __init__(self, client: socket.socket, server: socket.socket):
        self._client, self._server = client, server

    def start(self) -> None:
        for pump in (self._ask, self._reply):
            threading.Thread(target=self._run, args=(pump,), daemon=True).start()

    def _run(self, pump: Callable[[], None]) -> None:
        try:
            pump()
        except (OSError, Killed):
            pass  # one of the two went, or must
        for each in (self._client, self._server):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _ask(self) -> None:
        while data := self._client.recv(65536):
            self._server.sendall(data)

    def _reply(self) -> None:
        while data := self._server.recv(65536):
            self._client.sendall(data)


class _Session(_Through):
    """The controller's: its queries are calls."""

    def __init__(self, sequence: Sequence, name: str, client: socket.socket, server: socket.socket, protocol, answer):
        super().__init__(client, server)
        self._sequence, self._name = sequence, name
        self._protocol, self._answer = protocol, answer
        self._call: Call | None = None

    def _ask(self) -> None:
        """Message by message, so that nothing of a query that must not pass has passed."""
        waiting = b""
        self._call = self._sequence.begins(self._name, LOGIN, False)
        while data := self._client.recv(65536):
            waiting += data
            while len(waiting) >= self._protocol.head:
                head = waiting[:self._protocol.head]
                whole = self._protocol.head + self._protocol.size(head)
                if len(waiting) < whole:
                    break
                body, message, waiting = waiting[len(head):whole], waiting[:whole], waiting[whole:]
                if self._protocol.is_query(head, body):
                    text = body.strip(b"\0\3").decode(errors="replace")
                    self._call = self._sequence.begins(self._name, text, bool(WRITES.match(text)))
                self._server.sendall(message)

    def _reply(self) -> None:
        while data := self._server.recv(65536):
            call, ended = self._call, self._answer.ends(data)
            if call and ended:
                self._call = None
                self._sequence.ends(call)
            self._client.sendall(data)


class Wire:
    """All four relays, and controllers that know no other way."""

    def __init__(self, system: sys_.System, work: Path):
        self.system, self.work = system, work
        self.sequence = Sequence()
        self.mysql = Relay(self.sequence, "mysql", system.mysql.port, Mysql, MysqlAnswer)
        self.rw = Relay(self.sequence, "risingwave", system.rw.port, Postgres, PostgresAnswer)
        self.starrocks = Relay(self.sequence, "starrocks", system.starrocks.port, Mysql, MysqlAnswer)
        self.api = FaultProxy(system.plane, work / "proxy").start()
        self.api.on(_Counting(self.sequence), times=None, when=lambda request: request.verb != "watch")
        self.kubeconfig = self.api.kubeconfig(sys_.SERVICE_ACCOUNT)

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *exc_info) -> None:
        self.api.clear()
        self.api.stop()
        for each in (self.mysql, self.rw, self.starrocks):
            each.close()

    def start(self, controller: sys_.Controller, trap: Trap | None = None) -> None:
        """Starts it with the trap armed: it may be dead before it is ready."""
        self.sequence.arm(trap)
        controller.daemon.start(lambda: True)
        self.sequence.born(controller.daemon.pid)

    def calls_of(self, name: str, since: int = 0) -> list[Call]:
        """Writes that name this object, in whatever way."""
        return [call for call in self.sequence.calls[since:] if mentions(call, name)]


def kinds() -> dict[str, Callable[[Call], bool]]:
    """The kinds of calls that the simulation knows, each with what tells whether a call is of that kind."""
    rows = re.findall(r'^CALL\((\w+), \d+, "(\w+)", "(.*)"\)$', CALLS.read_text(encoding="utf-8"), re.M)

    def tells(server: str, pattern: str) -> Callable[[Call], bool]:
        wanted = re.compile(pattern.replace("\\\\", "\\"))
        return lambda call: call.server == server and wanted.match(
            "STATEMENT" if call.write and call.server != "kubernetes" else call.what) is not None

    return {kind: tells(server, pattern) for kind, server, pattern in rows}


def is_event(call: Call) -> bool:
    return call.server == "kubernetes" and "/events" in call.what.split(" ", 2)[1]


def mentions(call: Call, name: str) -> bool:
    """A write that is about the object of this name: a statement, a change of the resource itself, an Event on it."""
    where = call.what if call.server != "kubernetes" or is_event(call) else call.what.split(" ", 2)[1]
    return call.write and re.search(rf"(?<![a-z0-9]){re.escape(name)}(?![a-z0-9])", where) is not None
