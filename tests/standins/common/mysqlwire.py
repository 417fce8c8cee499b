"""The MySQL client/server protocol, server side: packets in, packets out.

Only framing and encoding live here; what to answer is the caller's business.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass

TINY, SHORT, LONG, FLOAT, DOUBLE = 1, 2, 3, 4, 5
LONGLONG, DATE, DATETIME, NEWDECIMAL = 8, 10, 12, 246
BLOB, VAR_STRING, STRING = 252, 253, 254

CLIENT_LONG_FLAG = 0x4
CLIENT_CONNECT_WITH_DB = 0x8
CLIENT_PROTOCOL_41 = 0x200
CLIENT_SSL = 0x800
CLIENT_SECURE_CONNECTION = 0x8000
CLIENT_PLUGIN_AUTH = 0x80000
CLIENT_CONNECT_ATTRS = 0x100000
CLIENT_PLUGIN_AUTH_LENENC = 0x200000

SERVER_MORE_RESULTS_EXISTS = 0x0008
NATIVE_PASSWORD = "mysql_native_password"

_MAX_PAYLOAD = 0xFFFFFF
# A ceiling for one command, so that a broken client cannot take all memory.
MAX_COMMAND_BYTES = 128 * 1024 * 1024


@dataclass(frozen=True)
class Field:
    """One column of a result as it is described on the wire."""

    name: str
    type: int
    length: int
    charset: int = 33
    decimals: int = 0
    table: str = ""
    db: str = ""


@dataclass
class Login:
    capabilities: int
    charset: int
    user: str
    answer: bytes
    database: str
    plugin: str


def lenenc_int(value: int) -> bytes:
    if value < 251:
        return bytes([value])
    if value < 1 << 16:
        return b"\xfc" + struct.pack("<H", value)
    if value < 1 << 24:
        return b"\xfd" + struct.pack("<I", value)[:3]
    return b"\xfe" + struct.pack("<Q", value)


def lenenc_bytes(value: bytes) -> bytes:
    return lenenc_int(len(value)) + value


def lenenc_text(value: str) -> bytes:
    return lenenc_bytes(value.encode("utf-8", "surrogateescape"))


class ProtocolError(Exception):
    """The client sent something that is not a MySQL packet."""


class PacketStream:
    """Reads and writes packets, with the sequence numbers of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self.reader = reader
        self.writer = writer
        self.sequence = 0

    async def read(self) -> bytes:
        """Returns one payload; raises IncompleteReadError when the peer is gone."""
        parts: list[bytes] = []
        total = 0
        while True:
            header = await self.reader.readexactly(4)
            size = int.from_bytes(header[:3], "little")
            self.sequence = (header[3] + 1) & 0xFF
            total += size
            if total > MAX_COMMAND_BYTES:
                raise ProtocolError("command too large")
            parts.append(await self.reader.readexactly(size))
            if size < _MAX_PAYLOAD:
                return b"".join(parts)

    def write(self, payload: bytes) -> None:
        start = 0
        while True:
            piece = payload[start:start + _MAX_PAYLOAD]
            header = len(piece).to_bytes(3, "little") + bytes([self.sequence])
            self.writer.write(header + piece)
            self.sequence = (self.sequence + 1) & 0xFF
            start += len(piece)
            if len(piece) < _MAX_PAYLOAD:
                return

    async def flush(self) -> None:
        await self.writer.drain()


def greeting(version: str, thread_id: int, scramble: bytes, capabilities: int,
             charset: int, status: int) -> bytes:
    return b"".join([
        b"\x0a", version.encode(), b"\0", struct.pack("<I", thread_id), scramble[:8], b"\0",
        struct.pack("<H", capabilities & 0xFFFF), bytes([charset]), struct.pack("<H", status),
        struct.pack("<H", capabilities >> 16), bytes([len(scramble) + 1]), b"\0" * 10,
        scramble[8:], b"\0", NATIVE_PASSWORD.encode(), b"\0",
    ])


def new_scramble() -> bytes:
    """20 bytes without NUL and without '$', as servers send them."""
    return bytes(33 + byte % 90 for byte in os.urandom(20)).replace(b"$", b"%")


def is_ssl_request(payload: bytes) -> bool:
    return len(payload) == 32 and bool(int.from_bytes(payload[:4], "little") & CLIENT_SSL)


def parse_login(payload: bytes) -> Login:
    try:
        capabilities, _, charset = struct.unpack_from("<IIB", payload, 0)
        if not capabilities & CLIENT_PROTOCOL_41:
            raise ProtocolError("client without PROTOCOL_41")
        user, at = _nul_text(payload, 32)
        if capabilities & CLIENT_PLUGIN_AUTH_LENENC:
            size, at = _lenenc(payload, at)
        else:
            size, at = payload[at], at + 1
        answer, at = payload[at:at + size], at + size
        database = plugin = ""
        if capabilities & CLIENT_CONNECT_WITH_DB and at < len(payload):
            database, at = _nul_text(payload, at)
        if capabilities & CLIENT_PLUGIN_AUTH and at < len(payload):
            plugin, at = _nul_text(payload, at)
    except (IndexError, struct.error) as error:
        raise ProtocolError(f"bad login packet: {error}") from error
    return Login(capabilities, charset, user, answer, database, plugin)


def _nul_text(payload: bytes, at: int) -> tuple[str, int]:
    end = payload.find(b"\0", at)
    end = len(payload) if end < 0 else end
    return payload[at:end].decode("utf-8", "replace"), end + 1


def _lenenc(payload: bytes, at: int) -> tuple[int, int]:
    first = payload[at]
    if first < 251:
        return first, at + 1
    width = {0xFC: 2, 0xFD: 3, 0xFE: 8}[first]
    return int.from_bytes(payload[at + 1:at + 1 + width], "little"), at + 1 + width


def auth_switch_request(scramble: bytes) -> bytes:
    return b"\xfe" + NATIVE_PASSWORD.encode() + b"\0" + scramble + b"\0"


def native_hash(password: str) -> bytes:
    """What the server keeps of a password: SHA1(SHA1(password))."""
    return hashlib.sha1(hashlib.sha1(password.encode()).digest()).digest()


def native_matches(answer: bytes, scramble: bytes, stored: bytes) -> bool:
    """Checks a mysql_native_password answer; an empty password answers nothing."""
    if not stored or not answer:
        return not stored and not answer
    if len(answer) != 20:
        return False
    mask = hashlib.sha1(scramble + stored).digest()
    stage1 = bytes(a ^ b for a, b in zip(answer, mask))
    return hashlib.sha1(stage1).digest() == stored


def ok_packet(affected: int = 0, status: int = 0, info: str = "") -> bytes:
    tail = lenenc_text(info) if info else b""
    return b"\0" + lenenc_int(affected) + b"\0" + struct.pack("<HH", status, 0) + tail


def err_packet(code: int, sqlstate: str, message: str) -> bytes:
    return (b"\xff" + struct.pack("<H", code) + b"#" + sqlstate.encode()
            + message.encode("utf-8", "surrogateescape"))


def eof_packet(status: int = 0) -> bytes:
    return b"\xfe" + struct.pack("<HH", 0, status)


def field_packet(field: Field, with_default: bool = False) -> bytes:
    packet = b"".join([
        lenenc_text("def"), lenenc_text(field.db), lenenc_text(field.table),
        lenenc_text(field.table), lenenc_text(field.name), lenenc_text(field.name),
        b"\x0c", struct.pack("<HIBHB", field.charset, field.length, field.type, 0,
                             field.decimals), b"\0\0",
    ])
    return packet + b"\xfb" if with_default else packet


def text_row(values: Sequence[bytes | None]) -> bytes:
    return b"".join(b"\xfb" if value is None else lenenc_bytes(value) for value in values)


_BINARY_INTEGERS = {TINY: "<b", SHORT: "<h", LONG: "<i", LONGLONG: "<q"}


def binary_row(fields: Sequence[Field], values: Sequence[bytes | None]) -> bytes:
    """A row for COM_STMT_EXECUTE; only numbers have a form of their own here."""
    bitmap = bytearray((len(values) + 9) // 8)
    body = b""
    for number, (field, value) in enumerate(zip(fields, values)):
        if value is None:
            bitmap[(number + 2) // 8] |= 1 << (number + 2) % 8
        elif field.type in _BINARY_INTEGERS:
            body += struct.pack(_BINARY_INTEGERS[field.type], int(value))
        elif field.type == DOUBLE:
            body += struct.pack("<d", float(value))
        elif field.type == FLOAT:
            body += struct.pack("<f", float(value))
        elif field.type in (DATE, DATETIME):
            body += _binary_time(value.decode())
        else:
            body += lenenc_bytes(value)
    return b"\0" + bytes(bitmap) + body


def _binary_time(text: str) -> bytes:
    date, _, clock = text.partition(" ")
    year, month, day = map(int, date.split("-"))
    packed = struct.pack("<HBB", year, month, day)
    if clock:
        seconds, _, fraction = clock.partition(".")
        packed += bytes(map(int, seconds.split(":")))
        if fraction:
            packed += struct.pack("<I", int(fraction.ljust(6, "0")))
    return bytes([len(packed)]) + packed
