"""HTTP/1.1 as RisingWave's loader speaks it: `Expect: 100-continue`, chunked bodies."""

from __future__ import annotations

import asyncio
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass

CHUNK = 63 * 1024


class RequestFailed(Exception):
    """The server could not be reached or broke off."""


@dataclass
class Response:
    status: int
    headers: dict[str, str]
    body: bytes


async def request(method: str, url: str, headers: Mapping[str, str], body: bytes | None,
                  timeout_s: float) -> Response:
    """One request on a connection of its own. `body` None: no body at all."""
    parts = urllib.parse.urlsplit(url)
    try:
        async with asyncio.timeout(timeout_s):
            return await _exchange(parts, method, headers, body)
    except TimeoutError:
        raise RequestFailed(f"error sending request for url ({url}): "
                            "operation timed out: deadline has elapsed") from None
    except ConnectionRefusedError:
        raise RequestFailed(f"error sending request for url ({url}): client error (Connect): tcp "
                            "connect error: Connection refused (os error 111)") from None
    except (OSError, EOFError, ValueError) as error:
        raise RequestFailed(f"error sending request for url ({url}): client error (SendRequest): "
                            f"connection closed before message completed ({error})") from error


async def _exchange(parts: urllib.parse.SplitResult, method: str, headers: Mapping[str, str],
                    body: bytes | None) -> Response:
    reader, writer = await asyncio.open_connection(
        parts.hostname, parts.port or (443 if parts.scheme == "https" else 80),
        ssl=parts.scheme == "https" or None)
    try:
        sent = {"host": parts.netloc.rpartition("@")[2], **headers, "accept": "*/*"}
        if body is not None:
            sent["transfer-encoding"] = "chunked"
        else:
            sent["content-length"] = "0"
        head = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
        writer.write(f"{method} {parts.path} HTTP/1.1\r\n{head}\r\n".encode())
        await writer.drain()
        if body is None:
            status, found = await _head(reader)
        else:
            status, found = await _send_body(reader, writer, body)
        return Response(status, found, await _body(reader, found))
    finally:
        writer.close()


async def _send_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter,
                     body: bytes) -> tuple[int, dict[str, str]]:
    """Waits for 100 Continue a moment, as clients do, then sends the chunks."""
    early = asyncio.ensure_future(_one_head(reader))
    done, _ = await asyncio.wait({early}, timeout=1.0)
    if done and early.result()[0] != 100:
        return early.result()
    for at in range(0, len(body), CHUNK):
        chunk = body[at:at + CHUNK]
        writer.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        await writer.drain()
    writer.write(b"0\r\n\r\n")
    await writer.drain()
    status, headers = await early
    return await _head(reader) if status == 100 else (status, headers)


async def _one_head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    line = (await reader.readuntil(b"\r\n")).decode("latin-1")
    headers: dict[str, str] = {}
    while (raw := await reader.readuntil(b"\r\n")) != b"\r\n":
        name, _, value = raw.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    return int(line.split(" ")[1]), headers


async def _head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    status, headers = await _one_head(reader)
    return (status, headers) if status != 100 else await _head(reader)


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        found = b""
        while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
            found += await reader.readexactly(size)
            await reader.readexactly(2)
        return found
    if "content-length" in headers:
        return await reader.readexactly(int(headers["content-length"]))
    return await reader.read()
