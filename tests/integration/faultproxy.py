"""A man in the middle of the controller and the kube-apiserver: keeps what passed, and does to it what tests say.

    with FaultProxy(plane, tmp_path / "proxy") as proxy:
        Controller(plane, tmp_path, kubeconfig=proxy.kubeconfig(SERVICE_ACCOUNT))
        storm = proxy.on(Answer(500), verb="list", resource="tablesyncs", times=5)
        proxy.on(SwallowAfter(lines=1), verb="watch")
        wait_until("it was hit", lambda: storm.hits == 5, 10)
        proxy.count(verb="list", resource="tablesyncs", status=200)
        proxy.sent()           # requests of all connections, heads and bodies, decrypted

It ends TLS itself, with an authority of its own that only its kubeconfig trusts, and speaks HTTP/1.1 on both sides.
Each connection of a client has one thread, which also holds the connection to the server: a TLS object is never used
from two threads. stop() refuses connections and cuts those that are open; start() serves on the same port again.
What can be done to a request is in faults.py.
"""

import base64
import json
import select
import socket
import ssl
import threading
import time
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path

from cluster.certificates import Certificates
from cluster.controlplane import ControlPlane
from cluster.processes import POLL_S, free_port

from .faults import Close, Fault, Hang, Reset

CHUNK_BYTES = 65536
CONNECT_S = 10
CACHE_BEGINS = b"storage is (re)initializing"
VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


@dataclass
class Request:
    """One request as it came, and what it means to Kubernetes; `status` is what the client was told (0: nothing)."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    head: bytes
    at: float = field(default_factory=time.monotonic)
    status: int = 0
    encoding: str = ""

    def __post_init__(self):
        split = urllib.parse.urlsplit(self.path)
        self.query = {k: v[0] for k, v in urllib.parse.parse_qs(split.query, keep_blank_values=True).items()}
        parts = [urllib.parse.unquote(p) for p in split.path.strip("/").split("/")]
        parts = parts[2:] if parts[0] == "api" else parts[3:]
        self.namespace = ""
        if len(parts) > 1 and parts[0] == "namespaces":
            self.namespace, parts = parts[1], parts[2:]
        self.resource, self.name, self.subresource = (*parts, "", "", "")[:3]
        self.verb = VERBS.get(self.method) or ("watch" if "watch" in self.query else "get" if self.name else "list")

    def fits(self, **wanted) -> bool:
        return all(getattr(self, key) == value for key, value in wanted.items())


@dataclass
class Response:
    status: int
    reason: str
    headers: dict[str, str]
    body: bytes = b""


class Rule:
    """A fault and the requests it is for: the `times` next ones (all, if None) after the first `skip`."""

    def __init__(self, fault: Fault, times: int | None, skip: int, when, wanted: dict):
        self.fault, self.left, self.skip, self.when, self.wanted = fault, times, skip, when, wanted
        self.requests: list[Request] = []

    @property
    def hits(self) -> int:
        return len(self.requests)

    def takes(self, request: Request) -> bool:
        if self.left == 0 or not request.fits(**self.wanted) or (self.when and not self.when(request)):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.left = None if self.left is None else self.left - 1
        self.requests.append(request)
        return True


class FaultProxy:
    def __init__(self, plane: ControlPlane, workdir: Path):
        self.plane, self.port, self.workdir = plane, free_port(), workdir
        self._issued = 0
        self.issue()
        self._trust = ssl.create_default_context(cafile=str(plane.ca_file))
        self._lock = threading.Lock()
        self._recorded: list[bytearray] = []
        self._requests: list[Request] = []
        self._rules: list[Rule] = []
        self._open: set[Connection] = set()
        self._cuts = 0
        self._tokens: dict[bytes, bytes] = {}
        self._listener: socket.socket | None = None
        self._acceptor: threading.Thread | None = None

    def issue(self) -> Path:
        """A certificate by a new authority, from the next connection on; returns the authority's."""
        self._issued += 1
        made = Certificates(self.workdir / f"authority-{self._issued}", f"the proxy's CA {self._issued}")
        pair = made.server("127.0.0.1")
        served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)  # another one: it resumes no session of the old
        served.load_cert_chain(pair.cert, pair.key)
        self.ca, self._served = made.ca, served
        return made.ca

    def kubeconfig(self, user: str, token_file: Path | None = None, ca_file: Path | None = None) -> Path:
        """With the user's token, or with a file that holds one; so with the authority that is trusted."""
        path = self.workdir / "kubeconfig.json"
        login = {"tokenFile": str(token_file)} if token_file else {"token": self.plane.token_for(user)}
        trust = ({"certificate-authority": str(ca_file)} if ca_file else
                 {"certificate-authority-data": base64.b64encode(self.ca.read_bytes()).decode()})
        path.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {
                "server": f"https://127.0.0.1:{self.port}", **trust}}],
            "users": [{"name": "user", "user": login}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "user"}}]}))
        return path

    def on(self, fault: Fault, *, times: int | None = 1, skip: int = 0, when=None, **wanted) -> Rule:
        """From now on; the first rule that takes a request is alone with it. `wanted`: attributes of Request."""
        rule = Rule(fault, times, skip, when, wanted)
        with self._lock:
            self._rules.append(rule)
        return rule

    def translate(self, token: str, into: str) -> None:
        """A bearer token that the server does not know becomes one that it does."""
        self._tokens[f"Bearer {token}".encode()] = f"Bearer {into}".encode()

    def translated(self, head: bytes) -> bytes:
        for token, known in self._tokens.items():
            head = head.replace(token, known)
        return head

    def clear(self) -> None:
        """No rule any more, and what hangs by one is let go."""
        with self._lock:
            rules, self._rules = self._rules, []
        for rule in rules:
            rule.left = 0
            rule.fault.over.set()

    def requests(self, since: float = 0, **wanted) -> list[Request]:
        """What was asked, oldest first, the same attributes as for on()."""
        with self._lock:
            return [r for r in self._requests if r.at >= since and r.fits(**wanted)]

    def count(self, since: float = 0, **wanted) -> int:
        return len(self.requests(since, **wanted))

    def sent(self) -> list[bytes]:
        """What clients sent so far, one entry for each connection."""
        with self._lock:
            return [bytes(each) for each in self._recorded]

    def start(self) -> "FaultProxy":
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._acceptor = threading.Thread(target=self._accept, args=(self._listener,), daemon=True)
        self._acceptor.start()
        return self

    def stop(self) -> None:
        listener, self._listener = self._listener, None
        if listener:
            listener.shutdown(socket.SHUT_RDWR)  # close() alone leaves accept() waiting, and the port open
            listener.close()
            self._acceptor.join()
        self.cut()

    def cut(self) -> None:
        """Ends every connection, one that still shakes hands too: no request of any of them is taken from now on."""
        with self._lock:
            open_now, self._open = self._open, set()
            self._cuts += 1
        for each in open_now:
            try:
                socket.socket.shutdown(each.client, socket.SHUT_RDWR)  # SSLSocket's own would touch what another thread uses
            except OSError:
                pass  # it ended by itself

    def __enter__(self) -> "FaultProxy":
        return self.start()

    def __exit__(self, *exc_info) -> None:
        self.clear()
        self.stop()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client, self._cuts), daemon=True).start()

    def _serve(self, plain: socket.socket, cuts: int) -> None:
        connection = None
        try:
            plain.settimeout(CONNECT_S)
            client = self._served.wrap_socket(plain, server_side=True)
            connection = Connection(self, client)
            with self._lock:
                if self._cuts != cuts:
                    return
                self._recorded.append(connection.record)
                self._open.add(connection)
            connection.serve()
        except (OSError, ValueError, EOFError):
            pass  # the client went, or what it sent is no HTTP
        finally:
            if connection:
                with self._lock:
                    self._open.discard(connection)
                connection.close()
            plain.close()

    def take(self, request: Request, connection: "Connection") -> Rule | None:
        """The rule for a request, if there is one. EOFError: its connection was cut before the request was read."""
        with self._lock:
            if connection not in self._open:
                raise EOFError
            self._requests.append(request)
            for rule in self._rules:
                if rule.takes(request):
                    return rule
        return None

    def connect(self) -> ssl.SSLSocket:
        plain = socket.create_connection(("127.0.0.1", self.plane.port), CONNECT_S)
        return self._trust.wrap_socket(plain, server_hostname="127.0.0.1")

    def keep(self, record: bytearray, data: bytes) -> None:
        with self._lock:
            record += data


class Connection:
    """A client's connection, served by one thread from its first byte to its last."""

    def __init__(self, proxy: FaultProxy, client: ssl.SSLSocket):
        self.proxy, self.client = proxy, client
        self.record = bytearray()
        self._server: ssl.SSLSocket | None = None
        self._in, self._from_server = b"", b""

    def serve(self) -> None:
        while request := self._read_request():
            rule = self.proxy.take(request, self)
            try:
                if not self._exchange(request, rule.fault if rule else Fault()):
                    return
            except Close:
                return
            except Reset:
                # To the kernel this is a peer that died: RST, without TLS's own good-bye.
                self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
                socket.socket(fileno=self.client.detach()).close()
                return
            except Hang:
                rule.fault.over.wait()
                return

    def close(self) -> None:
        for each in (self._server, self.client):
            if each:
                each.close()

    def send(self, data: bytes) -> None:
        self.client.sendall(data)

    def _exchange(self, request: Request, fault: Fault) -> bool:
        """One request and its answer; False when the connection must not go on."""
        answer = fault.before(request)
        if answer is None:
            answer = self._ask(request)
            if _is_stream(request, answer):
                request.status = answer.status
                return self._stream(answer, fault)
            answer = fault.after(request, answer)
        request.status = answer.status
        request.encoding = answer.headers.get("content-encoding", "")
        answer.headers.pop("transfer-encoding", None)
        answer.headers.pop("content-length", None)
        head = _head(answer, {"content-length": str(len(answer.body))})
        fault.write(self, head + answer.body)
        return answer.headers.get("connection", "").lower() != "close"

    def _ask(self, request: Request) -> Response:
        """The server's answer, with its body unless that is a stream. A server whose cache of a kind begins anew (a new
        definition, an etcd that was slow) refuses for a moment; what tests count are the refusals they ask for."""
        deadline = time.monotonic() + CONNECT_S
        while True:
            answer = self._forward(request)
            if _is_stream(request, answer):
                return answer
            answer.body = self._read_body(answer)
            if answer.status != 429 or CACHE_BEGINS not in answer.body or time.monotonic() > deadline:
                return answer
            time.sleep(POLL_S)

    def _forward(self, request: Request) -> Response:
        data = self.proxy.translated(request.head) + request.body
        for fresh in (self._server is None, True):
            try:
                if fresh:
                    self._server, self._from_server = self.proxy.connect(), b""
                    self._server.settimeout(60)
                self._server.sendall(data)
                return self._read_response()
            except (OSError, EOFError):
                if fresh:  # else it was one that the server had closed meanwhile
                    raise EOFError from None
        raise EOFError

    def _stream(self, answer: Response, fault: Fault) -> bool:
        """A watch, line by line, until one of the sides ends it."""
        self.send(_head(answer, {"transfer-encoding": "chunked"}))
        chunks, line = Chunks(self._from_server), b""
        while True:
            for data in chunks.take():
                line += data
                *whole, line = line.split(b"\n")
                for each in whole:
                    for out in fault.line(self, each + b"\n"):
                        fault.write(self, _chunk(out))
            if chunks.ended:
                self.send(b"0\r\n\r\n")
                self._from_server = chunks.rest
                return True
            for out in fault.idle(self):
                fault.write(self, _chunk(out))
            if self._wait(fault.tick_s):
                data = self._server.recv(CHUNK_BYTES)
                if not data:
                    return False
                chunks.feed(data)

    def _wait(self, timeout_s: float | None) -> bool:
        """Until the server has something to say; EOFError when the client has gone."""
        if self._server.pending():
            return True
        poller = select.poll()
        poller.register(self._server, select.POLLIN)
        poller.register(self.client, select.POLLIN)
        ready = {fd for fd, _ in poller.poll(None if timeout_s is None else timeout_s * 1000)}
        if self.client.fileno() in ready and not self._server.fileno() in ready:
            self.client.settimeout(0.2)
            try:
                data = self.client.recv(CHUNK_BYTES)
            except (ssl.SSLWantReadError, TimeoutError):
                return False  # a record of TLS itself
            finally:
                self.client.settimeout(CONNECT_S)
            if not data:
                raise EOFError
            self.proxy.keep(self.record, data)
            self._in += data
        return self._server.fileno() in ready

    def _read_request(self) -> Request | None:
        self.client.settimeout(None)
        while b"\r\n\r\n" not in self._in:
            data = self.client.recv(CHUNK_BYTES)
            if not data:
                return None
            self.proxy.keep(self.record, data)
            self._in += data
        self.client.settimeout(CONNECT_S)
        head, _, rest = self._in.partition(b"\r\n\r\n")
        first, headers = _parse(head)
        method, path, _ = first.split(" ")
        length = int(headers.get("content-length", 0))
        while len(rest) < length:
            data = self.client.recv(CHUNK_BYTES)
            if not data:
                return None
            self.proxy.keep(self.record, data)
            rest += data
        self._in = rest[length:]
        return Request(method, path, headers, rest[:length], head + b"\r\n\r\n")

    def _read_response(self) -> Response:
        while b"\r\n\r\n" not in self._from_server:
            self._more()
        head, _, self._from_server = self._from_server.partition(b"\r\n\r\n")
        first, headers = _parse(head)
        _, status, *reason = first.split(" ", 2)
        return Response(int(status), reason[0] if reason else "", headers)

    def _read_body(self, answer: Response) -> bytes:
        if answer.headers.get("transfer-encoding") == "chunked":
            chunks, body = Chunks(self._from_server), b""
            while True:
                body += b"".join(chunks.take())
                if chunks.ended:
                    self._from_server = chunks.rest
                    return body
                chunks.feed(self._server.recv(CHUNK_BYTES) or _end())
        length = int(answer.headers.get("content-length", 0))
        while len(self._from_server) < length:
            self._more()
        body, self._from_server = self._from_server[:length], self._from_server[length:]
        return body

    def _more(self) -> None:
        self._from_server += self._server.recv(CHUNK_BYTES) or _end()


def _is_stream(request: Request, answer: Response) -> bool:
    return answer.headers.get("transfer-encoding") == "chunked" and request.verb == "watch" and answer.status == 200


class Chunks:
    """Takes a chunked body apart (RFC 9112 7.1), as it arrives."""

    def __init__(self, data: bytes):
        self.rest, self.ended = data, False

    def feed(self, data: bytes) -> None:
        self.rest += data

    def take(self) -> list[bytes]:
        found = []
        while not self.ended:
            size, line, rest = self.rest.partition(b"\r\n")
            if not line:
                break
            length = int(size.split(b";")[0], 16)
            if len(rest) < length + 2:
                break
            self.ended = length == 0
            found.append(rest[:length])
            self.rest = rest[length + 2:]
        return found


def _end() -> bytes:
    raise EOFError


def _parse(head: bytes) -> tuple[str, dict[str, str]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    return first, {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _head(answer: Response, more: dict[str, str]) -> bytes:
    lines = [f"{name}: {value}" for name, value in {**answer.headers, **more}.items()]
    return "\r\n".join([f"HTTP/1.1 {answer.status} {answer.reason}", *lines, "", ""]).encode("latin-1")


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""
