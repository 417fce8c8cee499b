"""A MySQL client that shows everything a server sends: statuses, SQLSTATEs, field details.

Written for these tests only; libraries hide what must be compared here.
"""

from __future__ import annotations

import hashlib
import socket
import ssl
import struct
from dataclasses import dataclass, field

TYPE_NAMES = {1: "TINY", 2: "SHORT", 3: "LONG", 4: "FLOAT", 5: "DOUBLE", 8: "LONGLONG",
              10: "DATE", 12: "DATETIME", 246: "NEWDECIMAL", 252: "BLOB", 253: "VAR_STRING",
              254: "STRING"}
_FLAGS = 0x0008_8200 | 0x0020_0000 | 0x4


@dataclass
class Reply:
    """One OK packet, ERR packet or result set."""

    ok: int | None = None
    info: str = ""
    error: tuple[int, str, str] | None = None
    columns: list[str] = field(default_factory=list)
    fields: list[tuple[str, str, int, int, int]] = field(default_factory=list)
    rows: list[list[str | None]] = field(default_factory=list)
    status: int = 0


class RawClient:
    def __init__(self, port: int, user: str = "root", password: str = "", database: str = "",
                 plugin: str = "mysql_native_password", tls: ssl.SSLContext | None = None,
                 host: str = "127.0.0.1"):
        self.socket = socket.create_connection((host, port), timeout=30)
        self.sequence = 0
        self.greeting = self._read()
        self._parse_greeting()
        flags = _FLAGS | (0x8 if database else 0) | (0x800 if tls else 0)
        head = struct.pack("<IIB", flags, 1 << 24, 45) + b"\0" * 23
        if tls:
            self._write(head)
            self.socket = tls.wrap_socket(self.socket, server_hostname=host)
        native = plugin == "mysql_native_password"
        answer = self._answer(password) if native else b"\x01" * 32
        packet = head + user.encode() + b"\0" + bytes([len(answer)]) + answer
        packet += database.encode() + b"\0" if database else b""
        self._write(packet + plugin.encode() + b"\0")
        reply = self._read()
        self.switched = reply[:1] == b"\xfe"
        if self.switched:
            self._write(self._answer(password))
            reply = self._read()
        self.login = self._packet(reply)

    def _parse_greeting(self) -> None:
        version, _, rest = self.greeting[1:].partition(b"\0")
        self.version = version.decode()
        self.thread_id = struct.unpack_from("<I", rest)[0]
        low, self.charset, self.status, high = struct.unpack_from("<HBHH", rest, 13)
        self.capabilities = low | high << 16
        self.auth_length = rest[20]
        tail = rest[31:]
        self.plugin = tail.split(b"\0")[1].decode()
        self.scramble = rest[4:12] + tail.split(b"\0")[0]

    def _answer(self, password: str) -> bytes:
        if not password:
            return b""
        once = hashlib.sha1(password.encode()).digest()
        mask = hashlib.sha1(self.scramble + hashlib.sha1(once).digest()).digest()
        return bytes(a ^ b for a, b in zip(once, mask))

    def _exactly(self, size: int) -> bytes:
        data = bytearray(size)
        view, got = memoryview(data), 0
        while got < size:
            count = self.socket.recv_into(view[got:])
            if not count:
                raise ConnectionError("server closed the connection")
            got += count
        return bytes(data)

    def _read(self) -> bytes:
        header = self._exactly(4)
        self.sequence = header[3] + 1
        payload = self._exactly(int.from_bytes(header[:3], "little"))
        return payload + self._read() if len(payload) == 0xFFFFFF else payload

    def _write(self, payload: bytes) -> None:
        while True:
            piece, payload = payload[:0xFFFFFF], payload[0xFFFFFF:]
            header = len(piece).to_bytes(3, "little") + bytes([self.sequence & 0xFF])
            self.socket.sendall(header + piece)
            self.sequence += 1
            if len(piece) < 0xFFFFFF:
                return

    def command(self, number: int, body: bytes = b"") -> list[Reply]:
        self.sequence = 0
        self._write(bytes([number]) + body)
        replies = [self._reply(number == 4)]
        while replies[-1].status & 0x8 and replies[-1].error is None:
            replies.append(self._reply(False))
        return replies

    def query(self, sql: str) -> list[Reply]:
        return self.command(3, sql.encode("utf-8"))

    def _packet(self, payload: bytes) -> Reply:
        if payload[0] == 0xFF:
            code = struct.unpack_from("<H", payload, 1)[0]
            return Reply(error=(code, payload[4:9].decode(), payload[9:].decode()))
        affected, at = _lenenc(payload, 1)
        _, at = _lenenc(payload, at)
        status = struct.unpack_from("<H", payload, at)[0]
        info = ""
        if len(payload) > at + 4:
            size, at = _lenenc(payload, at + 4)
            info = payload[at:at + size].decode()
        return Reply(ok=affected, info=info, status=status)

    def _reply(self, is_field_list: bool) -> Reply:
        first = self._read()
        if first[0] in (0x00, 0xFF) and not is_field_list:
            return self._packet(first)
        if first[0] == 0xFF:
            return self._packet(first)
        reply = Reply()
        packet = first if is_field_list else self._read()
        while packet[0] != 0xFE or len(packet) > 8:
            described = _field(packet)
            reply.columns.append(described[0])
            reply.fields.append(described)
            packet = self._read()
        reply.status = struct.unpack_from("<H", packet, 3)[0]
        if is_field_list:
            return reply
        while True:
            packet = self._read()
            if packet[0] == 0xFE and len(packet) <= 8:
                reply.status = struct.unpack_from("<H", packet, 3)[0]
                return reply
            reply.rows.append(_row(packet))

    def prepare(self, sql: str) -> Reply:
        """COM_STMT_PREPARE; `ok` is the statement's id."""
        self.sequence = 0
        self._write(b"\x16" + sql.encode())
        first = self._read()
        if first[0] == 0xFF:
            return self._packet(first)
        number, columns, parameters = struct.unpack_from("<IHH", first, 1)
        reply = Reply(ok=number)
        for count in filter(None, (parameters, columns)):
            reply.fields += [_field(self._read()) for _ in range(count)]
            self._read()
        return reply

    def execute_raw(self, number: int) -> list[bytes]:
        """COM_STMT_EXECUTE without parameters: the packets of its rows."""
        self.sequence = 0
        self._write(b"\x17" + struct.pack("<IBI", number, 0, 1))
        count = self._read()[0]
        for _ in range(count + 1):
            self._read()
        rows = []
        while (packet := self._read())[0] != 0xFE:
            rows.append(packet)
        return rows

    def close(self) -> None:
        self.socket.close()


def _lenenc(payload: bytes, at: int) -> tuple[int, int]:
    width = {0xFC: 2, 0xFD: 3, 0xFE: 8}.get(payload[at], 0)
    if not width:
        return payload[at], at + 1
    return int.from_bytes(payload[at + 1:at + 1 + width], "little"), at + 1 + width


def _field(packet: bytes) -> tuple[str, str, int, int, int]:
    at, texts = 0, []
    for _ in range(6):
        size, at = _lenenc(packet, at)
        texts.append(packet[at:at + size].decode())
        at += size
    charset, length, kind, flags, decimals = struct.unpack_from("<HIBHB", packet, at + 1)
    assert flags == 0 and texts[0] == "def"
    return texts[4], TYPE_NAMES[kind], length, charset, decimals


def _row(packet: bytes) -> list[str | None]:
    at = 0
    values: list[str | None] = []
    while at < len(packet):
        if packet[at] == 0xFB:
            values.append(None)
            at += 1
            continue
        size, at = _lenenc(packet, at)
        values.append(packet[at:at + size].decode("utf-8", "replace"))
        at += size
    return values
