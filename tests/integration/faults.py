"""What a FaultProxy can do to a request: each fault is a class, and what it does not say passes as it is.

before() may answer instead of the server; after() may change an answer; line() sees each line of a watch and gives
those that go on; write() puts bytes on the wire. Close, Reset and Hang may be raised anywhere: the connection ends,
ends as if the peer had died, or stays open and silent until the rule is cleared.
"""

import gzip
import json
import threading
from collections.abc import Callable, Iterator

END_OF_INITIAL = b"k8s.io/initial-events-end"


class Close(Exception):
    """The connection ends in good order for TCP and TLS."""


class Reset(Exception):
    """RST."""


class Hang(Exception):
    """Nothing comes any more, and the connection stays open."""


class Fault:
    """Does nothing: everything passes."""

    tick_s: float | None = None  # how often idle() is asked during a watch; None: never

    def __init__(self) -> None:
        self.over = threading.Event()

    def before(self, request):
        return None

    def after(self, request, answer):
        return answer

    def line(self, connection, line: bytes) -> Iterator[bytes]:
        yield line

    def idle(self, connection) -> Iterator[bytes]:
        return iter(())

    def write(self, connection, data: bytes) -> None:
        connection.send(data)


def status_body(code: int, reason: str, message: str = "as the test wants it", **details) -> bytes:
    return json.dumps({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "reason": reason,
                       "code": code, "details": details}).encode()


class Answer(Fault):
    """An answer instead of the server's; the server never sees the request."""

    def __init__(self, status: int, body: bytes = b"", **headers: str):
        super().__init__()
        self.status, self.body = status, body
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def before(self, request):
        from .faultproxy import Response
        kind = "application/json" if self.body[:1] == b"{" else "text/html"
        return Response(self.status, "As Told", {"content-type": kind, **self.headers}, self.body)


class Lose(Fault):
    """Carried out by the server, and the answer never arrives: `how` is Close, Reset or Hang."""

    def __init__(self, how: type[Exception] = Reset):
        super().__init__()
        self.how = how

    def after(self, request, answer):
        raise self.how


class Refuse(Fault):
    """The connection ends before the server has seen the request."""

    def __init__(self, how: type[Exception] = Reset):
        super().__init__()
        self.how = how

    def before(self, request):
        raise self.how


class Change(Fault):
    """`change` gets the body (gzip undone) and gives another."""

    def __init__(self, change: Callable[[bytes], bytes], status: int | None = None, **headers: str):
        super().__init__()
        self.change, self.status, self.headers = change, status, headers

    def after(self, request, answer):
        body = answer.body
        if answer.headers.pop("content-encoding", "") == "gzip":
            body = gzip.decompress(body)
        answer.body = self.change(body)
        answer.status = self.status or answer.status
        answer.headers.update(self.headers)
        return answer


class CutBody(Fault):
    """The first `part` of the answer's bytes, and then the connection ends."""

    def __init__(self, part: float = 0.5, how: type[Exception] = Reset):
        super().__init__()
        self.part, self.how = part, how

    def write(self, connection, data: bytes) -> None:
        connection.send(data[:int(len(data) * self.part)])
        raise self.how


class Slow(Fault):
    """Slow loris: `size` bytes, a pause, and so on. `patience` is how many pauses before the rest comes at once."""

    def __init__(self, size: int, pause_s: float, patience: int = 10**9):
        super().__init__()
        self.size, self.pause_s, self.patience = size, pause_s, patience

    def write(self, connection, data: bytes) -> None:
        while data and self.patience > 0 and not self.over.is_set():
            connection.send(data[:self.size])
            data = data[self.size:]
            self.patience -= 1
            self.over.wait(self.pause_s)
        connection.send(data)


class Delay(Fault):
    """The server gets the request so much later."""

    def __init__(self, seconds: float):
        super().__init__()
        self.seconds = seconds

    def before(self, request):
        self.over.wait(self.seconds)


class Meanwhile(Fault):
    """`act` is called with the request before the server gets it: somebody else was quicker."""

    def __init__(self, act: Callable):
        super().__init__()
        self.act = act

    def before(self, request):
        self.act(request)


class Lines(Fault):
    """For watches: `each` gets a line and gives a list of lines; it may also raise.

    `first` are lines that come before all others.
    """

    def __init__(self, each: Callable[[bytes], list[bytes]] = lambda line: [line], first: tuple[bytes, ...] = ()):
        super().__init__()
        self.each, self.first = each, list(first)

    def line(self, connection, line: bytes) -> Iterator[bytes]:
        yield from self.idle(connection)
        yield from self.each(line)

    tick_s = 0.05

    def idle(self, connection) -> Iterator[bytes]:
        first, self.first = self.first, []
        yield from first


class EndAt(Fault):
    """A watch ends within the line that `wanted` is in: `how`, after `part` of the line's bytes."""

    def __init__(self, wanted: bytes, how: type[Exception] = Reset, part: float = 0.5):
        super().__init__()
        self.wanted, self.how, self.part = wanted, how, part

    def line(self, connection, line: bytes) -> Iterator[bytes]:
        if self.wanted not in line:
            yield line
            return
        # The chunk's head promises all of it, so that the cut is within the chunk as well.
        connection.send(b"%x\r\n%b" % (len(line), line[:int(len(line) * self.part)]))
        raise self.how


class Switch(Fault):
    """A watch passes until `event` is set; then it hangs, half open."""

    tick_s = 0.05

    def __init__(self) -> None:
        super().__init__()
        self.off = threading.Event()

    def line(self, connection, line: bytes) -> Iterator[bytes]:
        if self.off.is_set():
            raise Hang
        yield line

    def idle(self, connection) -> Iterator[bytes]:
        if self.off.is_set():
            raise Hang
        return iter(())


class Pieces(Fault):
    """Every byte on the wire in a TLS record and a TCP segment of its own size, odd and small."""

    def __init__(self, size: int):
        super().__init__()
        self.size = size

    def write(self, connection, data: bytes) -> None:
        for at in range(0, len(data), self.size):
            connection.send(data[at:at + self.size])


def event(type_: str, /, **content) -> bytes:
    """A line of a watch."""
    return json.dumps({"type": type_, "object": content}).encode() + b"\n"


def error_event(code: int, reason: str, **details) -> bytes:
    return event("ERROR", **json.loads(status_body(code, reason, **details)))
