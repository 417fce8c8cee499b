"""PostgreSQL's protocol, version 3, as RisingWave 3.0.3 speaks it."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import ssl
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..common.tls import ServerTls
from . import duck, parser, users
from . import statements as ast
from .catalog import User
from .errors import NO_DATABASE, OTHER, LoginError, Panic, PgError
from .rwtypes import Type
from .session import Answer, Session

if TYPE_CHECKING:
    from .server import Server

log = logging.getLogger("risingwave")

_SSL, _GSS, _CANCEL, _V3 = 80877103, 80877104, 80877102, 196608
_MAX_MESSAGE = 64 << 20
_numbers = itertools.count(1)

SIMPLE, PREPARE, EXECUTE = ("Failed to run the query", "Failed to prepare the statement",
                            "Failed to execute the statement")


@dataclass
class Prepared:
    statement: Any
    param_types: Sequence[int]


@dataclass
class Portal:
    prepared: Prepared
    params: Sequence[str | None]
    answer: Answer | None = None


class Terminate(Exception):
    """The client leaves or must go."""


class Connection:
    def __init__(self, server: Server, reader: asyncio.StreamReader,
                 writer: asyncio.StreamWriter, tls: ServerTls | None,
                 tls_enforced: bool = False):
        self.server = server
        self.reader = reader
        self.writer = writer
        self.tls = tls
        self.tls_enforced = tls_enforced
        self.encrypted = False
        self.session: Session = None  # type: ignore[assignment]
        self.prepared: dict[str, Prepared] = {}
        self.portals: dict[str, Portal] = {}
        self.skipping = False  # after an error, until Sync

    # Messages out

    def send(self, kind: bytes, body: bytes = b"") -> None:
        self.writer.write(kind + struct.pack("!i", len(body) + 4) + body)

    def ready(self) -> None:
        self.send(b"Z", b"I")

    def report(self, kind: bytes, severity: str, code: str, message: str) -> None:
        """Severity, code and message; RisingWave sends no other field."""
        fields = (b"S" + severity.encode() + b"\0C" + code.encode() + b"\0M"
                  + message.encode() + b"\0\0")
        self.send(kind, fields)

    def error(self, failure: PgError, headline: str) -> None:
        self.report(b"E", "ERROR", failure.code, failure.text(headline))

    def flush_notices(self) -> None:
        for notice in self.session.notices:
            self.report(b"N", "NOTICE", "00000", notice)
        self.session.notices.clear()

    def row_description(self, columns: Sequence[tuple[str, Type]]) -> None:
        body = struct.pack("!h", len(columns))
        for name, kind in columns:
            body += name.encode() + b"\0" + struct.pack("!ihihih", 0, 0, kind.oid, kind.length, -1,
                                                        0)
        self.send(b"T", body)

    def data_rows(self, answer: Answer) -> None:
        kinds = [kind for _, kind in answer.columns or []]
        for row in answer.rows:
            body = struct.pack("!h", len(kinds))
            for value, kind in zip(row, kinds):
                text = duck.text(value, kind)
                if text is None:
                    body += b"\xff\xff\xff\xff"
                else:
                    raw = text.encode()
                    body += struct.pack("!i", len(raw)) + raw
            self.send(b"D", body)

    # Start

    async def run(self) -> None:
        try:
            await self._start()
            while True:
                await self._message()
        except (Terminate, asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        except LoginError as refused:
            self.report(b"E", "FATAL", OTHER, str(refused))
        except PgError as refused:
            self.report(b"E", "FATAL", refused.code,
                        refused.text("Failed to start a new session"))
        finally:
            try:
                await self.writer.drain()
                self.writer.close()
            except (ConnectionError, ssl.SSLError):
                pass

    async def _start(self) -> None:
        while True:
            size, = struct.unpack("!i", await self.reader.readexactly(4))
            if not 8 <= size <= 10000:
                raise Terminate
            body = await self.reader.readexactly(size - 4)
            version, = struct.unpack("!i", body[:4])
            if version == _SSL:
                await self._offer_tls()
            elif version == _GSS:
                self.writer.write(b"N")
                await self.writer.drain()
            elif version == _V3:
                break
            else:
                raise Terminate
        if self.tls_enforced and not self.encrypted:
            raise LoginError("SSL connection is required but not established")
        parts = body[4:].split(b"\0")
        given = {parts[i].decode(): parts[i + 1].decode() for i in range(0, len(parts) - 2, 2)}
        user = await self._log_in(given)
        self._open(user, given)
        await self.writer.drain()

    async def _offer_tls(self) -> None:
        self.writer.write(b"S" if self.tls else b"N")
        await self.writer.drain()
        if self.tls:
            await self.writer.start_tls(
                self.tls.context(self.writer.get_extra_info("socket")))
            self.encrypted = True

    async def _log_in(self, given: dict[str, str]) -> User:
        name = given.get("user", "")
        database = given.get("database", name)
        if database != self.server.catalog.database:
            raise PgError("Catalog error", f"database not found: {database}", code=NO_DATABASE)
        user = self.server.catalog.users.get(name)
        if user is None:
            raise LoginError(f"Failed to start a new session: Role {name} does not exist")
        if not user.can_login:
            raise LoginError(f"Failed to start a new session: {name} is not permitted to login")
        if not users.may_connect(self.server, user):
            raise LoginError("Failed to start a new session: User does not have CONNECT privilege.")
        if user.password is not None:
            await self._ask_password(user)
        self.send(b"R", struct.pack("!i", 0))
        return user

    async def _ask_password(self, user: User) -> None:
        """MD5, as RisingWave stores passwords given WITH PASSWORD."""
        salt = os.urandom(4)
        self.send(b"R", struct.pack("!i", 5) + salt)
        await self.writer.drain()
        kind, body = await self._read()
        given = body.rstrip(b"\0").decode("utf-8", "replace")
        if kind != b"p" or given != users.md5_response(user, salt):
            raise LoginError("Invalid password")

    def _open(self, user: User, given: dict[str, str]) -> None:
        self.session = Session(self.server, user, given.get("database", user.name), next(_numbers))
        status = {"client_encoding": "UTF8", "standard_conforming_strings": "on",
                  "server_version": "13.14.0", "TimeZone": "UTC"}
        if "application_name" in given:
            status["application_name"] = given["application_name"]
        for option in given.get("options", "").split("-c"):
            name, _, value = option.strip().partition("=")
            if value:
                from . import variables
                variables.assign(self.session.variables, name.strip().lower(), value.strip())
        if user.password is None:
            self.send(b"K", struct.pack("!ii", self.session.number, 0))
        for name, value in status.items():
            self.send(b"S", name.encode() + b"\0" + value.encode() + b"\0")
        self.ready()

    # Messages in

    async def _read(self) -> tuple[bytes, bytes]:
        kind = await self.reader.readexactly(1)
        size, = struct.unpack("!i", await self.reader.readexactly(4))
        if not 4 <= size <= _MAX_MESSAGE:
            raise Terminate
        return kind, await self.reader.readexactly(size - 4)

    async def _message(self) -> None:
        kind, body = await self._read()
        if kind == b"X":
            raise Terminate
        if kind == b"Q":
            await self._simple(body.rstrip(b"\0").decode())
        elif kind == b"S":
            self.skipping = False
            self.ready()
        elif not self.skipping:
            await self._extended(kind, body)
        if kind in b"QSH":
            await self.writer.drain()

    async def _simple(self, sql: str) -> None:
        try:
            statements = parser.parse(sql)
            if not statements:
                self.send(b"I")
            for statement in statements:
                answer = await self._execute(statement, ())
                if answer.columns is not None:
                    self.row_description(answer.columns)
                    self.data_rows(answer)
                self.send(b"C", answer.tag.encode() + b"\0")
        except PgError as failure:
            self.error(failure, SIMPLE)
        except Panic as panic:
            self.report(b"E", "ERROR", OTHER, panic.text())
            raise Terminate from panic
        self.ready()

    async def _execute(self, statement: Any, params: Sequence[str | None]) -> Answer:
        """Runs to its end even if the client leaves: DDL goes on in the meta node."""
        work = asyncio.ensure_future(self.session.execute(statement, params))
        try:
            return await asyncio.shield(work)
        except (PgError, Panic, asyncio.CancelledError):
            raise
        except Exception as error:
            log.exception("the stand-in cannot run: %s", statement)
            raise PgError(f"Internal error: stand-in: {error!r}") from error
        finally:
            self.flush_notices()

    async def _extended(self, kind: bytes, body: bytes) -> None:
        handler = {b"P": self._parse, b"B": self._bind, b"D": self._describe, b"E": self._run,
                   b"C": self._close, b"H": self._nothing}.get(kind)
        if handler is None:
            raise Terminate
        headline = EXECUTE if kind == b"E" else PREPARE
        try:
            await handler(_Fields(body))
        except PgError as failure:
            self.error(failure, headline)
            self.skipping = True
        except Panic as panic:
            self.report(b"E", "ERROR", OTHER, panic.text())
            raise Terminate from panic

    async def _nothing(self, _: _Fields) -> None:
        pass

    async def _parse(self, fields: _Fields) -> None:
        name, sql = fields.text(), fields.text()
        types = [fields.int32() for _ in range(fields.int16())]
        statements = parser.parse(sql)
        if len(statements) > 1:
            raise PgError("Protocol error: Only one statement is allowed in extended query mode")
        statement = statements[0] if statements else None
        if not isinstance(statement, ast.Query) and types:
            raise PgError("Feature is not yet implemented: parameters in this statement")
        self.prepared[name] = Prepared(statement, types)
        self.send(b"1")

    async def _bind(self, fields: _Fields) -> None:
        portal, name = fields.text(), fields.text()
        if name not in self.prepared:
            raise PgError(f"No statement found: {name}")
        formats = [fields.int16() for _ in range(fields.int16())]
        if any(formats):
            raise PgError("Feature is not yet implemented: binary parameters")
        params: list[str | None] = []
        for _ in range(fields.int16()):
            size = fields.int32()
            params.append(None if size < 0 else fields.raw(size).decode())
        if any(fields.int16() for _ in range(fields.int16())):
            raise PgError("Feature is not yet implemented: binary results")
        self.portals[portal] = Portal(self.prepared[name], params)
        self.send(b"2")

    async def _describe(self, fields: _Fields) -> None:
        kind, name = fields.raw(1), fields.text()
        if kind == b"S":
            prepared = self.prepared[name]
            count = max(len(prepared.param_types), _param_count(prepared.statement))
            types = [*prepared.param_types, *[0] * count][:count]
            self.send(b"t", struct.pack(f"!h{count}i", count, *(oid or 1043 for oid in types)))
            portal = Portal(prepared, [None] * count)
        else:
            portal = self.portals[name]
        if isinstance(portal.prepared.statement, (ast.Query, ast.ShowVariable, ast.ShowObjects,
                                                  ast.ShowCreate, ast.Describe)):
            portal.answer = await self._execute(portal.prepared.statement, portal.params)
            self.row_description(portal.answer.columns or [])
        else:
            self.send(b"n")

    async def _run(self, fields: _Fields) -> None:
        portal = self.portals.get(fields.text())
        if portal is None:
            raise PgError("No portal found")
        if portal.prepared.statement is None:
            self.send(b"I")
            return
        answer = portal.answer or await self._execute(portal.prepared.statement, portal.params)
        portal.answer = None
        if answer.columns is not None:
            self.data_rows(answer)
        self.send(b"C", answer.tag.encode() + b"\0")

    async def _close(self, fields: _Fields) -> None:
        kind, name = fields.raw(1), fields.text()
        (self.prepared if kind == b"S" else self.portals).pop(name, None)
        self.send(b"3")


def _param_count(statement: Any) -> int:
    import re
    if not isinstance(statement, ast.Query):
        return 0
    return max((int(number) for number in re.findall(r"\$(\d+)", statement.sql)), default=0)


class _Fields:
    """Reads the fields of one message."""

    def __init__(self, body: bytes):
        self.body = body
        self.at = 0

    def raw(self, size: int) -> bytes:
        self.at += size
        return self.body[self.at - size:self.at]

    def text(self) -> str:
        end = self.body.index(b"\0", self.at)
        found = self.body[self.at:end].decode()
        self.at = end + 1
        return found

    def int16(self) -> int:
        return struct.unpack("!h", self.raw(2))[0]

    def int32(self) -> int:
        return struct.unpack("!i", self.raw(4))[0]
