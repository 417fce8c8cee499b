"""A tiny HTTP door for tests: puts the stand-in into states SQL cannot."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .server import Server


def _recovering(server: Server, body: dict[str, Any]) -> None:
    server.set_recovering(bool(body["on"]))


def _license(server: Server, body: dict[str, Any]) -> None:
    server.licensed = bool(body["available"])


def _restart_barriers(server: Server, body: dict[str, Any]) -> None:
    """What the next restart of a source's reader costs."""
    server.restart_barriers = int(body["barriers"])


_ACTIONS = {"/recovering": _recovering, "/license": _license,
            "/restart-barriers": _restart_barriers}


async def handle(server: Server, reader: asyncio.StreamReader,
                 writer: asyncio.StreamWriter) -> None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        lines = head.split("\r\n")
        sizes = [line.split(":")[1] for line in lines if line.lower().startswith("content-length:")]
        body = await reader.readexactly(int(sizes[0]) if sizes else 0)
        status = _act(server, lines[0].split(" ")[1], body)
        writer.write(f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\n"
                     "content-length: 2\r\nconnection: close\r\n\r\n{}".encode())
        await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError, ValueError, IndexError):
        pass
    finally:
        writer.close()


def _act(server: Server, path: str, body: bytes) -> str:
    action = _ACTIONS.get(path)
    if action is None:
        return "404 Not Found"
    try:
        action(server, json.loads(body or b"{}"))
    except (ValueError, KeyError):
        return "400 Bad Request"
    return "200 OK"
