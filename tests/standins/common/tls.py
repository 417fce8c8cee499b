"""A server's TLS that says why it ends a handshake.

asyncio drops the connection without a word when a handshake fails; real servers send the alert that
names the cause, and a client that shows the wrong certificate, or none, learns it by that alone. The
files are read for every connection, so that a certificate can be replaced under a running server.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from dataclasses import dataclass
from os import PathLike
from typing import Any

FAREWELL_S = 2


@dataclass(frozen=True)
class ServerTls:
    cert: str | PathLike[str]
    key: str | PathLike[str]
    client_ca: str | PathLike[str] | None = None  # every client has to show a certificate of it

    def context(self, connection: socket.socket) -> ssl.SSLContext:
        """For this one connection; `connection` may be what asyncio calls a transport's socket."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.cert, self.key)
        if self.client_ca:
            context.load_verify_locations(self.client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
        context.sslobject_class = type("Telling", (_Telling,), {"fd": connection.fileno()})
        return context


class _Telling(ssl.SSLObject):
    """Sends the alert of a failed handshake; asyncio would throw it away."""

    fd: int
    outgoing: ssl.MemoryBIO

    @classmethod
    def _create(cls, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, *rest: Any, **named: Any) -> Any:
        made = super()._create(incoming, outgoing, *rest, **named)  # type: ignore[misc]
        made.outgoing = outgoing
        return made

    def do_handshake(self) -> None:
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError:
            _say(socket.socket(fileno=socket.dup(self.fd)), self.outgoing.read())
            raise


def _say(line: socket.socket, alert: bytes) -> None:
    """Sends it, and waits elsewhere until the client leaves: closing on what it still sends would
    reset the connection, alert and all."""
    def linger() -> None:
        with contextlib.closing(line), contextlib.suppress(OSError):
            line.settimeout(FAREWELL_S)
            line.sendall(alert)
            line.shutdown(socket.SHUT_WR)
            while line.recv(4096):
                pass
    threading.Thread(target=linger, daemon=True).start()
