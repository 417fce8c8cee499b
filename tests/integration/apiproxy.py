"""A man in the middle of the controller and the kube-apiserver who keeps every byte that the controller sent.

    with ApiProxy(plane, tmp_path / "proxy") as proxy:
        Controller(plane, tmp_path, kubeconfig=proxy.kubeconfig(SERVICE_ACCOUNT))
        proxy.sent()           # requests of all connections, heads and bodies, decrypted

It ends TLS itself, with an authority of its own that only its kubeconfig trusts. It offers no HTTP/2, so that what
passes is readable. stop() refuses connections and cuts those that are open; start() serves on the same port again.
"""

import base64
import json
import select
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

from cluster.certificates import Certificates
from cluster.controlplane import ControlPlane
from cluster.processes import free_port

CHUNK_BYTES = 65536
CONNECT_S = 10


class ApiProxy:
    def __init__(self, plane: ControlPlane, workdir: Path):
        self.plane, self.port, self.workdir = plane, free_port(), workdir
        made = Certificates(workdir, "the proxy's CA")
        pair = made.server("127.0.0.1")
        self._ca = made.ca
        self._served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._served.load_cert_chain(pair.cert, pair.key)
        self._trust = ssl.create_default_context(cafile=str(plane.ca_file))
        self._lock = threading.Lock()
        self._recorded: list[bytearray] = []
        self._open: set[socket.socket] = set()
        self._listener: socket.socket | None = None

    def kubeconfig(self, user: str) -> Path:
        path = self.workdir / "kubeconfig.json"
        path.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {
                "server": f"https://127.0.0.1:{self.port}",
                "certificate-authority-data": base64.b64encode(self._ca.read_bytes()).decode()}}],
            "users": [{"name": "user", "user": {"token": self.plane.token_for(user)}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "user"}}]}))
        return path

    def sent(self) -> list[bytes]:
        """What clients sent so far, one entry for each connection."""
        with self._lock:
            return [bytes(each) for each in self._recorded]

    def start(self) -> "ApiProxy":
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()
        return self

    def stop(self) -> None:
        listener, self._listener = self._listener, None
        if listener:
            listener.shutdown(socket.SHUT_RDWR)  # close() alone leaves accept() waiting, and the port open
            listener.close()
        with self._lock:
            cut = list(self._open)
        for each in cut:
            _shut(each)

    def __enter__(self) -> "ApiProxy":
        return self.start()

    def __exit__(self, *exc_info) -> None:
        self.stop()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(client, listener), daemon=True).start()

    def _carry(self, client: socket.socket, listener: socket.socket) -> None:
        record = bytearray()
        pair: list[socket.socket] = [client]
        try:
            client.settimeout(CONNECT_S)
            pair[0] = self._served.wrap_socket(client, server_side=True)
            plain = socket.create_connection(("127.0.0.1", self.plane.port), CONNECT_S)
            pair.append(plain)
            pair[1] = self._trust.wrap_socket(plain, server_hostname="127.0.0.1")
            for each in pair:
                each.setblocking(False)
            with self._lock:
                if self._listener is not listener:
                    return
                self._recorded.append(record)
                self._open.update(pair)
            self._pump(pair[0], pair[1], record)
        except OSError:
            return
        finally:
            with self._lock:
                self._open.difference_update(pair)
            for each in pair:
                each.close()

    def _pump(self, client: ssl.SSLSocket, server: ssl.SSLSocket, record: bytearray) -> None:
        """Both ways in one thread, until either side ends: an SSL object is not for two threads at once."""
        other = {client: server, server: client}
        try:
            while True:  # first what came with the handshakes
                for origin in (client, server):
                    for data in _arrived(origin):
                        if origin is client:
                            with self._lock:
                                record += data
                        _send(other[origin], data)
                _wait(read=[client, server])
        except (OSError, ValueError, EOFError):
            pass
        for each in other:
            _shut(each)


def _wait(read: list[socket.socket], write: tuple[socket.socket, ...] = ()) -> None:
    poller = select.poll()
    for each in read:
        poller.register(each, select.POLLIN)
    for each in write:
        poller.register(each, select.POLLOUT)
    poller.poll()


def _arrived(origin: ssl.SSLSocket) -> Iterator[bytes]:
    """What can be read without waiting; EOFError at the end."""
    while True:
        try:
            data = origin.recv(CHUNK_BYTES)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        if not data:
            raise EOFError
        yield data


def _send(to: ssl.SSLSocket, data: bytes) -> None:
    left = memoryview(data)
    while left:
        try:
            left = left[to.send(left):]
        except ssl.SSLWantWriteError:
            _wait([], (to,))
        except ssl.SSLWantReadError:
            _wait([to])


def _shut(one: socket.socket) -> None:
    try:
        one.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it ended by itself
