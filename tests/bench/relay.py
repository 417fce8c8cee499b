"""A relay in front of a database that counts the queries passing through it.

Servers count what they ran for everybody; this counts what one client asked for, with the
same rule for all three: a `Q` message of PostgreSQL's protocol, a COM_QUERY of MySQL's.
"""

import socket
import threading
from collections.abc import Callable

COM_QUERY = 3
ENCRYPTION_REQUESTS = (80877103, 80877104)  # SSLRequest, GSSENCRequest: a start-up message follows


class Mysql:
    """What a client sends: packets of 3 bytes length, a number, the body."""

    head = 4

    def size(self, head: bytes) -> int:
        return int.from_bytes(head[:3], "little")

    def is_query(self, head: bytes, body: bytes) -> bool:
        return head[3] == 0 and body[:1] == bytes([COM_QUERY])


class Postgres:
    """What a client sends: a type, a length; until the start-up message there is no type."""

    def __init__(self) -> None:
        self.head = 4

    def size(self, head: bytes) -> int:
        return int.from_bytes(head[-4:], "big") - 4

    def is_query(self, head: bytes, body: bytes) -> bool:
        if len(head) == 5:
            return head[:1] == b"Q"
        if int.from_bytes(body[:4], "big") not in ENCRYPTION_REQUESTS:
            self.head = 5
        return False


class Relay:
    """Listens on a port of its own and passes everything on to `port`."""

    def __init__(self, port: int, protocol: Callable[[], Mysql | Postgres]) -> None:
        self.queries: list[str] = []
        self._server_port, self._protocol = port, protocol
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._server_port))
            except OSError:
                client.close()
                continue
            for source, sink, look in ((client, server, self._counter()), (server, client, None)):
                source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=_pass, args=(source, sink, look), daemon=True).start()

    def _counter(self) -> Callable[[bytes], None]:
        protocol, waiting = self._protocol(), bytearray()

        def look(data: bytes) -> None:
            waiting.extend(data)
            while len(waiting) >= protocol.head:
                head = bytes(waiting[:protocol.head])
                whole = protocol.head + protocol.size(head)
                if len(waiting) < whole:
                    return
                body = bytes(waiting[protocol.head:whole])
                del waiting[:whole]
                if protocol.is_query(head, body):
                    self.queries.append(body.strip(b"\0\3").decode(errors="replace"))

        return look


def _pass(source: socket.socket, sink: socket.socket, look: Callable[[bytes], None] | None) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
            if look:
                look(data)
    except OSError:
        pass
    finally:
        for one in (source, sink):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
