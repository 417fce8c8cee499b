"""A RisingWave that tells what it was told: a door in front of a server that speaks PostgreSQL's protocol without TLS.

Each statement that matches `noticed` is repeated in a NOTICE before it runs. One that matches `refused` does not run: the
answer is an error whose text holds the statement as RisingWave shows definitions, plain, inside JSON and in Rust's debug form
(contract: definitions, event logs and error chains carry passwords as they were written).
"""

import json
import re
import socket
import struct
import threading

from cluster.processes import free_port

MARK = "the echo says"
SSL_REQUEST = 80877103


class EchoProxy:
    def __init__(self, port: int):
        self.upstream, self.port = port, free_port()
        self.noticed: re.Pattern | None = None
        self.refused: re.Pattern | None = None
        self.echoed: list[str] = []  # statements that were repeated
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        server = socket.create_connection(("127.0.0.1", self.upstream), 10)
        server.settimeout(None)
        try:
            start = _startup(client)
            while struct.unpack("!i", start[4:8])[0] == SSL_REQUEST:
                client.sendall(b"N")
                start = _startup(client)
            server.sendall(start)
            threading.Thread(target=_pump, args=(server, client), daemon=True).start()
            while True:
                kind, body = _message(client)
                if kind != b"Q" or not self._answer(client, body[:-1].decode()):
                    server.sendall(kind + struct.pack("!i", len(body) + 4) + body)
        except (OSError, EOFError):
            pass  # one of them went away
        finally:
            client.close()
            server.close()

    def _answer(self, client: socket.socket, statement: str) -> bool:
        """True when the statement was answered here, by an error."""
        if self.refused and self.refused.search(statement):
            self.echoed.append(statement)
            debug = json.dumps(statement, ensure_ascii=False)
            text = (f"Failed to run the query\n\nCaused by these errors (recent errors listed first):\n  1: {MARK}\n"
                    f"  2: {statement}\n  3: {json.dumps({'definition': statement})}\n  4: PbSink {{ definition: {debug} }}")
            client.sendall(_response(b"E", "ERROR", "XX000", text) + b"Z" + struct.pack("!i", 5) + b"I")
            return True
        if self.noticed and self.noticed.search(statement):
            self.echoed.append(statement)
            client.sendall(_response(b"N", "NOTICE", "00000", f"{MARK}: {statement}"))
        return False


def _response(kind: bytes, severity: str, code: str, text: str) -> bytes:
    fields = b"".join(name + value.encode() + b"\0" for name, value in ((b"S", severity), (b"V", severity), (b"C", code),
                                                                        (b"M", text))) + b"\0"
    return kind + struct.pack("!i", len(fields) + 4) + fields


def _exactly(origin: socket.socket, count: int) -> bytes:
    got = b""
    while len(got) < count:
        part = origin.recv(count - len(got))
        if not part:
            raise EOFError
        got += part
    return got


def _startup(client: socket.socket) -> bytes:
    size = _exactly(client, 4)
    return size + _exactly(client, struct.unpack("!i", size)[0] - 4)


def _message(client: socket.socket) -> tuple[bytes, bytes]:
    head = _exactly(client, 5)
    return head[:1], _exactly(client, struct.unpack("!i", head[1:])[0] - 4)


def _pump(origin: socket.socket, to: socket.socket) -> None:
    try:
        while part := origin.recv(65536):
            to.sendall(part)
        to.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
