"""A small HTTP/1.1 server: keep-alive, chunked bodies, `Expect: 100-continue`.

The handler sees a request before its body is read, because the FE answers a
load with a redirect without ever taking the body.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import json
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

_REASONS = {200: "OK", 307: "Temporary Redirect", 400: "Bad Request", 401: "Unauthorized",
            404: "Not Found", 405: "Method Not Allowed", 413: "Payload Too Large"}
_MAX_HEADER_BYTES = 64 * 1024
_MAX_DRAINED_BYTES = 128 * 1024 * 1024


class BadRequest(Exception):
    pass


@dataclass
class Response:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def json_response(content: Any, status: int = 200) -> Response:
    body = json.dumps(content, indent=4, ensure_ascii=False).encode()
    return Response(status, body, {"Content-Type": "application/json"})


class Request:
    def __init__(self, method: str, path: str, headers: dict[str, str],
                 reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self.method = method
        self.path = path
        self.headers = headers
        self._reader = reader
        self._writer = writer
        self.body_taken = not self.has_body

    @property
    def has_body(self) -> bool:
        return (self.headers.get("content-length", "0") != "0"
                or "chunked" in self.headers.get("transfer-encoding", ""))

    @property
    def local_host(self) -> str:
        return str((self._writer.get_extra_info("sockname") or ("127.0.0.1",))[0])

    def credentials(self) -> tuple[str, str] | None:
        """User and password of Basic authentication."""
        kind, _, encoded = self.headers.get("authorization", "").partition(" ")
        if kind.lower() != "basic":
            return None
        try:
            user, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return (user, password) if colon else None

    async def body(self, limit: int) -> bytes:
        """Reads the whole body; sends 100 Continue first when the client waits for it."""
        if not self.has_body:
            return b""
        if self.headers.get("expect", "").lower() == "100-continue":
            self._writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            await self._writer.drain()
        self.body_taken = True
        if "chunked" in self.headers.get("transfer-encoding", ""):
            return await self._chunks(limit)
        size = int(self.headers["content-length"])
        if size > limit:
            raise BadRequest(f"body size {size} exceed limit: {limit}")
        return await self._reader.readexactly(size)

    async def drain(self) -> None:
        """Takes a body nobody asked for, unless the client still waits to be told to send it."""
        if not self.body_taken and self.headers.get("expect", "").lower() != "100-continue":
            await self.body(_MAX_DRAINED_BYTES)

    async def _chunks(self, limit: int) -> bytes:
        parts: list[bytes] = []
        total = 0
        while True:
            size = int((await self._reader.readline()).split(b";")[0] or b"x", 16)
            if size == 0:
                while (await self._reader.readline()).strip():
                    pass
                return b"".join(parts)
            total += size
            if total > limit:
                raise BadRequest(f"body size {total} exceed limit: {limit}")
            parts.append(await self._reader.readexactly(size))
            await self._reader.readexactly(2)


Handler = Callable[[Request], Awaitable[Response]]


async def serve(handler: Handler, connection: socket.socket) -> None:
    reader, writer = await asyncio.open_connection(sock=connection, limit=1 << 20)
    try:
        while True:
            request = await _read_request(reader, writer)
            if request is None:
                break
            response = await handler(request)
            await request.drain()
            keep = (request.body_taken
                    and request.headers.get("connection", "").lower() != "close")
            _write(writer, response, keep)
            await writer.drain()
            if not keep:
                break
    except BadRequest as error:
        _write(writer, Response(413, str(error).encode()), keep=False)
    except (asyncio.IncompleteReadError, ConnectionError, ValueError):
        pass
    except asyncio.CancelledError:
        writer.transport.abort()
        raise
    finally:
        writer.close()
        with contextlib.suppress(Exception):
            await writer.wait_closed()


async def _read_request(reader: asyncio.StreamReader,
                        writer: asyncio.StreamWriter) -> Request | None:
    line = await reader.readline()
    if not line.strip():
        return None
    method, target, _ = line.decode("latin-1").split(" ", 2)
    headers: dict[str, str] = {}
    total = 0
    while True:
        line = await reader.readline()
        total += len(line)
        if total > _MAX_HEADER_BYTES:
            raise ValueError("headers too large")
        if not line.strip():
            break
        name, _, value = line.partition(b":")
        headers[name.decode("latin-1").strip().lower()] = _text(value.strip())
    return Request(method, target.split("?")[0], headers, reader, writer)


def _text(value: bytes) -> str:
    """Header values are UTF-8 when they can be: column names travel in one."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _write(writer: asyncio.StreamWriter, response: Response, keep: bool) -> None:
    lines = [f"HTTP/1.1 {response.status} {_REASONS.get(response.status, 'Unknown')}"]
    headers = {**response.headers, "Content-Length": str(len(response.body)),
               "Connection": "keep-alive" if keep else "close"}
    lines += [f"{name}: {value}" for name, value in headers.items()]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode() + response.body)
