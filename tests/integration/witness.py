"""A relay in front of a database server that knows which process sent what, and can keep an answer back.

    witness = Witness(server.port, lambda: [controller.daemon.pid])
    witness.hold(pid, b"CREATE SOURCE")    # what the server answers to that does not reach the process
    witness.held.wait(60)
    witness.let_go()
    witness.said(pid)                      # [(monotonic time, bytes), ...]
"""

import os
import socket
import threading
import time
from collections.abc import Callable

from cluster.processes import free_port

CHUNK_BYTES = 65536
ESTABLISHED = "01"


class Witness:
    def __init__(self, target: int, processes: Callable[[], list[int]]):
        """`processes`: those whose connections are told apart; what others send is nobody's."""
        self.port, self.target, self._processes = free_port(), target, processes
        self.held, self._free = threading.Event(), threading.Event()
        self._free.set()
        self._wanted: tuple[int, bytes] | None = None
        self._said: list[tuple[int | None, float, bytes]] = []
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self.let_go()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def said(self, pid: int, since: float = 0) -> list[tuple[float, bytes]]:
        with self._lock:
            return [(at, data) for who, at, data in self._said if who == pid and at >= since]

    def hold(self, pid: int, words: bytes) -> None:
        """Once the process has sent these, nothing reaches it over that connection before let_go()."""
        self.held.clear()
        self._free.clear()
        self._wanted = (pid, words)

    def let_go(self) -> None:
        self._wanted = None
        self._free.set()

    def _accept(self) -> None:
        while True:
            try:
                client, address = self._listener.accept()
            except OSError:
                return
            pid = self._owner(address[1])
            try:
                server = socket.create_connection(("127.0.0.1", self.target), timeout=10)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            gate = threading.Event()
            gate.set()
            threading.Thread(target=self._up, args=(client, server, pid, gate), daemon=True).start()
            threading.Thread(target=self._down, args=(server, client, gate), daemon=True).start()

    def _owner(self, port: int) -> int | None:
        """Which of the processes has the other end."""
        inode = _inode_of(port)
        for pid in self._processes():
            try:
                if any(_link(pid, fd) == f"socket:[{inode}]" for fd in os.listdir(f"/proc/{pid}/fd")):
                    return pid
            except OSError:
                continue  # it has ended
        return None

    def _up(self, client: socket.socket, server: socket.socket, pid: int | None, gate: threading.Event) -> None:
        try:
            while data := client.recv(CHUNK_BYTES):
                with self._lock:
                    self._said.append((pid, time.monotonic(), data))
                    wanted = self._wanted
                if wanted and wanted[0] == pid and wanted[1] in data:
                    gate.clear()  # before the server has the words: its answer comes too late to pass
                    self._wanted = None
                    self.held.set()
                server.sendall(data)
        except OSError:
            pass
        _shut(server)

    def _down(self, server: socket.socket, client: socket.socket, gate: threading.Event) -> None:
        try:
            while data := server.recv(CHUNK_BYTES):
                if not gate.is_set():
                    self._free.wait()
                    gate.set()
                client.sendall(data)
        except OSError:
            pass
        _shut(client)
        server.close()


def _inode_of(port: int) -> str:
    """Of the connection whose own end is at the port."""
    with open("/proc/net/tcp", encoding="ascii") as table:
        for line in table.readlines()[1:]:
            columns = line.split()
            if columns[1].endswith(f":{port:04X}") and columns[3] == ESTABLISHED:
                return columns[9]
    return ""


def _link(pid: int, fd: str) -> str:
    try:
        return os.readlink(f"/proc/{pid}/fd/{fd}")
    except OSError:
        return ""


def _shut(end: socket.socket) -> None:
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
