"""A PostgreSQL client that shows every message a server sends. For these tests only."""

from __future__ import annotations

import hashlib
import socket
import ssl
import struct

Message = tuple[str, bytes]


class PgRaw:
    def __init__(self, port: int, tls: ssl.SSLContext | None = None):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        if tls is not None:
            assert self.negotiate(80877103) == b"S"
            self.socket = tls.wrap_socket(self.socket, server_hostname="127.0.0.1")

    def negotiate(self, code: int) -> bytes:
        """An SSL or GSS request; the one byte that answers it."""
        self.socket.sendall(struct.pack("!ii", 8, code))
        return self.socket.recv(1)

    def start(self, password: str | None = None, **parameters: str) -> list[Message]:
        """Logs in; all messages up to ReadyForQuery or the end of the connection."""
        given = {"user": "root", "database": "dev", **parameters}
        body = struct.pack("!i", 196608) + b"".join(
            part.encode() + b"\0" for pair in given.items() for part in pair) + b"\0"
        self.socket.sendall(struct.pack("!i", len(body) + 4) + body)
        found = self.read()
        if found and found[-1][0] == "R" and struct.unpack("!i", found[-1][1][:4])[0] == 5:
            inner = hashlib.md5(((password or "") + given["user"]).encode()).hexdigest()
            answer = "md5" + hashlib.md5(inner.encode() + found[-1][1][4:]).hexdigest()
            self.send("p", answer.encode() + b"\0")
            found += self.read()
        return found

    def send(self, kind: str, body: bytes = b"") -> None:
        self.socket.sendall(kind.encode() + struct.pack("!i", len(body) + 4) + body)

    def query(self, sql: str) -> list[Message]:
        self.send("Q", sql.encode() + b"\0")
        return self.read()

    def execute(self, sql: str, *params: str) -> list[Message]:
        """Parse, Bind, Describe, Execute, Sync as libpq's PQexecParams sends them."""
        self.send("P", b"\0" + sql.encode() + b"\0" + struct.pack("!h", 0))
        body = b"\0\0" + struct.pack("!hh", 0, len(params))
        for value in params:
            body += struct.pack("!i", len(value.encode())) + value.encode()
        self.send("B", body + struct.pack("!h", 0))
        self.send("D", b"P\0")
        self.send("E", b"\0" + struct.pack("!i", 0))
        self.send("S")
        return self.read()

    def read(self) -> list[Message]:
        """Until ReadyForQuery, a request for a password, or the end."""
        found: list[Message] = []
        while True:
            head = self._exactly(5)
            if len(head) < 5:
                return found
            kind = head[:1].decode()
            body = self._exactly(struct.unpack("!i", head[1:])[0] - 4)
            found.append((kind, body))
            if kind == "Z" or (kind == "R" and struct.unpack("!i", body[:4])[0] != 0):
                return found

    def _exactly(self, size: int) -> bytes:
        found = b""
        while len(found) < size:
            part = self.socket.recv(size - len(found))
            if not part:
                return found
            found += part
        return found

    def close(self) -> None:
        self.socket.close()


def fields(body: bytes) -> dict[str, str]:
    """An ErrorResponse's or NoticeResponse's fields."""
    return {part[:1].decode(): part[1:].decode() for part in body.split(b"\0") if part}


def kinds(messages: list[Message]) -> str:
    return "".join(kind for kind, _ in messages)


def row_texts(messages: list[Message]) -> list[list[str | None]]:
    """The text values of all DataRow messages."""
    rows = []
    for kind, body in messages:
        if kind != "D":
            continue
        at, row = 2, []
        for _ in range(struct.unpack("!h", body[:2])[0]):
            size = struct.unpack("!i", body[at:at + 4])[0]
            at += 4
            row.append(None if size < 0 else body[at:at + size].decode())
            at += max(size, 0)
        rows.append(row)
    return rows
