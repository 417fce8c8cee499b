"""What passes between a controller and the API server, counted; and the least that reading it can take.

The pipe hands bytes on without looking at them: TLS goes through, and HTTP/2 with it. Its threads splice inside the
kernel, so it costs each controller the same few microseconds.
"""

import fcntl
import os
import socket
import subprocess
import threading
import time

from cluster.controlplane import ADMIN, ControlPlane
from cluster.processes import wait_until

PIPE_BYTES = 1 << 20
SYNCS = "/apis/tablesync.dev/v1alpha1/tablesyncs"
CONNECTIONS = "/apis/tablesync.dev/v1alpha1/databaseconnections"
STREAMED = "?watch=1&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan"
READ_TIMEOUT_S = 60


class Pipe:
    """Listens on a port of its own and passes everything on to `port` of this machine."""

    def __init__(self, port: int) -> None:
        self.sent = self.received = 0  # by the controller
        self._port, self._lock = port, threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._port))
            for one in (client, server):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for source, sink, name in ((client, server, "sent"), (server, client, "received")):
                threading.Thread(target=self._pass, args=(source, sink, name), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, name: str) -> None:
        drain, fill = os.pipe()
        fcntl.fcntl(fill, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        try:
            while count := os.splice(source.fileno(), fill, PIPE_BYTES):
                with self._lock:
                    setattr(self, name, getattr(self, name) + count)
                while count:
                    count -= os.splice(drain, sink.fileno(), count)
        except OSError:
            pass
        finally:
            os.close(drain)
            os.close(fill)
            for one in (source, sink):
                try:
                    one.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass


def wait_warm(plane: ControlPlane, pipe: Pipe) -> None:
    """Until the API server's own cache is filled: before, it answers a streamed list with 429."""
    for path in (SYNCS, CONNECTIONS):
        wait_until(f"the API server streams {path}", lambda path=path: _read_stream(plane, pipe, path), READ_TIMEOUT_S)


def curl_stream_s(plane: ControlPlane, pipe: Pipe) -> float:
    """Seconds until curl has read the streamed list up to the bookmark that ends it."""
    began = time.monotonic()
    if not _read_stream(plane, pipe, SYNCS):
        raise RuntimeError(f"curl of {SYNCS}{STREAMED} ended early")
    return time.monotonic() - began


def curl_list_s(plane: ControlPlane, pipe: Pipe) -> float:
    """Seconds until curl has the whole list, compressed by the API server."""
    began = time.monotonic()
    with _curl(plane, pipe, f"{SYNCS}?resourceVersion=0", "--header", "Accept-Encoding: gzip", "--output",
               "/dev/null") as reading:
        if reading.wait(READ_TIMEOUT_S) != 0:
            raise RuntimeError(f"curl of {SYNCS} ended with {reading.returncode}")
    return time.monotonic() - began


def _read_stream(plane: ControlPlane, pipe: Pipe, path: str) -> bool:
    with _curl(plane, pipe, path + STREAMED) as reading:
        # grep ends at the mark, while curl would read on for ever.
        found = subprocess.run(["grep", "--quiet", "--max-count=1", "k8s.io/initial-events-end"],
                               stdin=reading.stdout, check=False, timeout=READ_TIMEOUT_S)
        reading.kill()
    return found.returncode == 0


def _curl(plane: ControlPlane, pipe: Pipe, path: str, *more: str) -> subprocess.Popen:
    """Through the pipe, over HTTP/1.1 as tablesync reads."""
    command = ["curl", "--silent", "--no-buffer", "--fail", "--http1.1", "--cacert", str(plane.ca_file), *more,
               "--header", f"Authorization: Bearer {plane.token_for(ADMIN)}", pipe.url + path]
    return subprocess.Popen(command, stdout=subprocess.PIPE)
