"""A man in the middle of the controller and the kube-apiserver who keeps every byte that the controller sent.

    with ApiProxy(plane, tmp_path / "proxy") as proxy:
        Controller(plane, tmp_path, kubeconfig=proxy.kubeconfig(SERVICE_ACCOUNT))
        proxy.sent()           # requests of all connections, heads and bodies, decrypted

It ends TLS itself, with an authority of its own that only its kubeconfig trusts. It offers no HTTP/2, so that what
passes is readable. stop() refuses connections and cuts those that are open; start() serves on the same port again.
"""

import base64
import json
import socket
import ssl
import threading
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
                each.settimeout(None)
            with self._lock:
                if self._listener is not listener:
                    return
                self._recorded.append(record)
                self._open.update(pair)
            back = threading.Thread(target=self._pump, args=(pair[1], pair[0], None), daemon=True)
            back.start()
            self._pump(pair[0], pair[1], record)
            back.join()
        except OSError:
            return
        finally:
            with self._lock:
                self._open.difference_update(pair)
            for each in pair:
                each.close()

    def _pump(self, origin: socket.socket, to: socket.socket, record: bytearray | None) -> None:
        try:
            while data := origin.recv(CHUNK_BYTES):
                if record is not None:
                    with self._lock:
                        record += data
                to.sendall(data)
        except (OSError, ValueError):
            pass
        _shut(origin)
        _shut(to)


def _shut(one: socket.socket) -> None:
    try:
        one.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it ended by itself
