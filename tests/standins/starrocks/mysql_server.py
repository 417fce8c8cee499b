"""The FE's MySQL port: login, commands, answers.

Sources: the contract's starrocks.md 5.3 and 5.4, verified.md 22-24, FE
transcript 1, 8 (login errors), 10 and 14.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket

from ..common import mysqlwire as wire
from ..common.tls import ServerTls
from .errors import SqlError, plain
from .lexer import Lexer
from .parse import parse
from .results import Outcome, ResultSet
from .session import Session
from .state import MYSQL_VERSION, State
from .tree import Query

_CAPABILITIES = (wire.CLIENT_LONG_FLAG | wire.CLIENT_CONNECT_WITH_DB | wire.CLIENT_PROTOCOL_41
                 | wire.CLIENT_SECURE_CONNECTION | wire.CLIENT_PLUGIN_AUTH
                 | wire.CLIENT_CONNECT_ATTRS | wire.CLIENT_PLUGIN_AUTH_LENENC)
_UNSUPPORTED = {0x05: "Create DB", 0x06: "Drop DB", 0x07: "Refresh", 0x08: "Shutdown",
                0x09: "Statistics", 0x0A: "Processlist", 0x0C: "Kill", 0x0D: "Debug"}
(_QUIT, _INIT_DB, _QUERY, _FIELD_LIST, _PING, _CHANGE_USER) = (1, 2, 3, 4, 0x0E, 0x11)
(_PREPARE, _EXECUTE, _CLOSE, _RESET) = (0x16, 0x17, 0x19, 0x1A)
_RESET_CONNECTION = 0x1F


class _Refused(Exception):
    """The login failed; the answer has been written or there is none."""


class MySqlServer:
    def __init__(self, state: State, tls: ServerTls | None, tls_required: bool = False):
        self.state = state
        self.tls = tls
        self.tls_required = tls_required

    async def serve(self, connection: socket.socket) -> None:
        thread_id = self.state.new_thread_id()
        scramble = wire.new_scramble()
        writer = None
        try:
            payload = await self._greet(connection, thread_id, scramble)
            wants_tls = wire.is_ssl_request(payload) and self.tls is not None
            reader, writer = await _streams(connection, self.tls if wants_tls else None)
            stream = wire.PacketStream(reader, writer)
            stream.sequence = 2
            if wants_tls:
                payload = await stream.read()
            elif self.tls_required:
                await _refuse(stream, 5205, "HY000",
                              "Connections using insecure transport are prohibited")
            session = await self._login(stream, payload, thread_id, scramble)
            self.state.sessions[thread_id] = session
            await _Connection(session, stream).run()
        except (_Refused, wire.ProtocolError, asyncio.IncompleteReadError, OSError):
            pass
        except asyncio.CancelledError:
            if writer is not None:
                writer.transport.abort()
            raise
        finally:
            self.state.sessions.pop(thread_id, None)
            if writer is None:
                connection.close()
            else:
                writer.close()
                with contextlib.suppress(Exception):
                    await writer.wait_closed()

    async def _greet(self, connection: socket.socket, thread_id: int, scramble: bytes) -> bytes:
        """Sends the greeting and reads one packet and not a byte more.

        A client that wants TLS starts its handshake right behind that packet, and those
        bytes belong to TLS; buffered streams would have taken them already.
        """
        loop = asyncio.get_running_loop()
        capabilities = _CAPABILITIES | (wire.CLIENT_SSL if self.tls else 0)
        greeting = wire.greeting(MYSQL_VERSION, thread_id, scramble, capabilities, 33, 0)
        await loop.sock_sendall(connection, len(greeting).to_bytes(4, "little") + greeting)
        header = await _exactly(connection, 4)
        return await _exactly(connection, int.from_bytes(header[:3], "little"))

    async def _login(self, stream: wire.PacketStream, payload: bytes, thread_id: int,
                     scramble: bytes) -> Session:
        login = wire.parse_login(payload)
        answer = login.answer
        if login.plugin and login.plugin != wire.NATIVE_PASSWORD:
            stream.write(wire.auth_switch_request(scramble))
            await stream.flush()
            answer = await stream.read()
        user = self.state.accounts.find(login.user)
        if user is None or not wire.native_matches(answer, scramble, user.password):
            given = "YES" if answer else "NO"
            await _refuse(stream, 1045, "28000", f"Access denied for user '{login.user}' "
                                                 f"(using password: {given})")
        assert user is not None
        peer = stream.writer.get_extra_info("peername") or ("", 0)
        session = Session(self.state, self.state.accounts.login(user), f"{peer[0]}:{peer[1]}",
                          thread_id)
        if login.database:
            await self._first_database(session, stream, login.database)
        stream.write(wire.ok_packet())
        await stream.flush()
        return session

    @staticmethod
    async def _first_database(session: Session, stream: wire.PacketStream, name: str) -> None:
        """A forbidden database closes the socket without an error packet."""
        try:
            session.init_db(name)
        except SqlError as error:
            if error.code == 5203:
                raise _Refused from None
            await _refuse(stream, error.code, error.sqlstate, error.message)


async def _exactly(connection: socket.socket, size: int) -> bytes:
    loop, data = asyncio.get_running_loop(), b""
    while len(data) < size:
        piece = await loop.sock_recv(connection, size - len(data))
        if not piece:
            raise ConnectionError("client closed the connection")
        data += piece
    return data


async def _streams(connection: socket.socket, tls: ServerTls | None) -> tuple[
        asyncio.StreamReader, asyncio.StreamWriter]:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1 << 20)
    protocol = asyncio.StreamReaderProtocol(reader)
    context = tls.context(connection) if tls else None
    transport, _ = await loop.connect_accepted_socket(lambda: protocol, connection, ssl=context)
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


async def _refuse(stream: wire.PacketStream, code: int, sqlstate: str, message: str) -> None:
    stream.write(wire.err_packet(code, sqlstate, message))
    await stream.flush()
    raise _Refused


class _Connection:
    def __init__(self, session: Session, stream: wire.PacketStream):
        self.session = session
        self.stream = stream
        self.prepared: dict[int, tuple[Query, int]] = {}
        self.next_statement = 1

    async def run(self) -> None:
        while True:
            payload = await self._next_command()
            if payload is None or payload[:1] == bytes([_QUIT]):
                return
            try:
                await self._command(payload)
            except SqlError as error:
                self._error(error)
            await self.stream.flush()

    async def _next_command(self) -> bytes | None:
        """None when the session was killed or idle for longer than wait_timeout."""
        read = asyncio.ensure_future(self.stream.read())
        killed = asyncio.ensure_future(self.session.killed.wait())
        limit = float(self.session.variable("wait_timeout"))
        try:
            done, _ = await asyncio.wait({read, killed}, timeout=limit,
                                         return_when=asyncio.FIRST_COMPLETED)
            if read in done and not self.session.killed.is_set():
                return read.result()
            return None
        finally:
            killed.cancel()
            if not read.cancel():
                read.exception()

    def _error(self, error: SqlError) -> None:
        self.stream.write(wire.err_packet(error.code, error.sqlstate, error.message))

    async def _command(self, payload: bytes) -> None:
        command, body = payload[0] if payload else -1, payload[1:]
        if command == _QUERY:
            await self._query(body.decode("utf-8", "replace"))
        elif command == _INIT_DB:
            self.session.init_db(body.decode("utf-8", "replace"))
            self.stream.write(wire.ok_packet())
        elif command in (_PING, _RESET, _RESET_CONNECTION):
            if command == _RESET_CONNECTION:
                self.session.variables.clear()
                self.session.user_variables.clear()
            self.stream.write(wire.ok_packet())
        elif command == _FIELD_LIST:
            self._field_list(body.split(b"\0")[0].decode("utf-8", "replace"))
        elif command == _PREPARE:
            self._prepare(body.decode("utf-8", "replace"))
        elif command == _EXECUTE:
            await self._execute(int.from_bytes(body[:4], "little"))
        elif command == _CLOSE:
            self.prepared.pop(int.from_bytes(body[:4], "little"), None)
        elif command == _CHANGE_USER:
            raise plain("Unsupported command(Change user)")
        elif command in _UNSUPPORTED:
            raise plain(f"Unsupported command({_UNSUPPORTED[command]})")
        else:
            raise plain("Unknown command(null)", 1047)

    async def _query(self, text: str) -> None:
        try:
            async for result, is_last in self.session.execute(text):
                status = 0 if is_last else wire.SERVER_MORE_RESULTS_EXISTS
                self._result(result, status)
                await self.stream.flush()
        except RecursionError:
            raise plain("Unknown error") from None

    def _result(self, result: Outcome | ResultSet, status: int, binary: bool = False) -> None:
        if isinstance(result, Outcome):
            self.stream.write(wire.ok_packet(result.affected, status, result.info))
            return
        self.stream.write(wire.lenenc_int(len(result.fields)))
        for field in result.fields:
            self.stream.write(wire.field_packet(field))
        self.stream.write(wire.eof_packet(status))
        for row in result.rows:
            self.stream.write(wire.binary_row(result.fields, row) if binary
                              else wire.text_row(row))
        self.stream.write(wire.eof_packet(status))

    def _field_list(self, name: str) -> None:
        database = self.session.state.catalog.databases.get(self.session.db or "")
        if database is None:
            raise plain("No database selected", 1046)
        table = database.tables.get(name)
        if table is None:
            raise plain(f"Unknown table({name})")
        for column in table.columns:
            field = column.type.field(column.name, name, database.name)
            if column.type.name == "CHAR":
                field = wire.Field(column.name, wire.STRING, 3 * column.type.length, 33, 0, name,
                                   database.name)
            self.stream.write(wire.field_packet(field, with_default=True))
        self.stream.write(wire.eof_packet())

    def _prepare(self, text: str) -> None:
        """Only SELECT can be prepared; columns and parameters are described."""
        statements = parse(text)
        statement = statements[0]
        if not isinstance(statement, Query) or statement.verb not in ("SELECT", "WITH"):
            raise plain("This command is not supported in the prepared statement protocol yet",
                        1295)
        from .query import parse_tree, select
        parameters = sum(token.text == "?" for token in Lexer(text).tokens()
                         if token.kind == "symbol")
        probe = _without_parameters(statement)
        fields = select(self.session, *parse_tree(probe)).fields
        number, self.next_statement = self.next_statement, self.next_statement + 1
        self.prepared[number] = statement, parameters
        self.stream.write(b"\0" + number.to_bytes(4, "little")
                          + len(fields).to_bytes(2, "little")
                          + parameters.to_bytes(2, "little") + b"\0\0\0")
        if parameters:
            for position in range(parameters):
                self.stream.write(wire.field_packet(
                    wire.Field(f"${position}", wire.VAR_STRING, 192)))
            self.stream.write(wire.eof_packet())
        for field in fields:
            self.stream.write(wire.field_packet(field))
        self.stream.write(wire.eof_packet())

    async def _execute(self, number: int) -> None:
        if number not in self.prepared:
            raise plain(f"msg: Not Found prepared statement, stmtId: {number}")
        statement, parameters = self.prepared[number]
        if parameters:
            raise plain("Executing a prepared statement with parameters is not supported here")
        self._result(await self.session.run(statement), 0, binary=True)


def _without_parameters(statement: Query) -> Query:
    """The statement with NULL in the place of every `?`, to learn its columns."""
    from dataclasses import replace
    tokens = [replace(token, kind="word", text="NULL", value="NULL")
              if token.kind == "symbol" and token.text == "?" else token
              for token in statement.tokens]
    return Query(statement.verb, tokens)
