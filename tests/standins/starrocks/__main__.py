"""Starts the StarRocks stand-in: python -m standins.starrocks --help"""

from __future__ import annotations

import argparse
import asyncio
import signal
import socket
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from ..common.tls import ServerTls
from . import alter, http
from .control import Control
from .load_server import LoadServer
from .mysql_server import MySqlServer
from .state import Config, State

Serve = Callable[[socket.socket], Coroutine[Any, Any, None]]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="standins.starrocks", description=(
        "A server that behaves like a StarRocks FE 4.1 with its backends; state is in memory."))
    parser.add_argument("--host", default="127.0.0.1")
    for name in ("mysql", "http", "be-http"):
        parser.add_argument(f"--{name}-port", type=int, default=0,
                            help="0 picks a free port, which the ready line names")
    parser.add_argument("--control-port", type=int, help="test control, off by default")
    parser.add_argument("--backends", type=int, default=1)
    parser.add_argument("--tls-cert")
    parser.add_argument("--tls-key")
    parser.add_argument("--tls-client-ca", help="ssl_truststore_location: ask every client for a "
                                                "certificate of it")
    parser.add_argument("--tls-require", action="store_true",
                        help="ssl_force_secure_transport, for connections from this host as well")
    parser.add_argument("--tick-ms", type=int, default=10_000,
                        help="interval of the schema change scheduler")
    return parser.parse_args()


class Process:
    def __init__(self, arguments: argparse.Namespace):
        self.arguments = arguments
        self.state = State(Config(host=arguments.host, backends=arguments.backends,
                                  tick_ms=arguments.tick_ms))
        self.loads = LoadServer(self.state)
        self.mysql = MySqlServer(self.state, _tls(arguments), arguments.tls_require)
        self.listeners: list[asyncio.Task[None]] = []
        self.tasks: set[asyncio.Task[None]] = set()

    def track(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def listen(self, port: int, serve: Serve) -> tuple[int, asyncio.Task[None]]:
        """Listens at once and accepts in a task of its own."""
        listener = socket.create_server((self.arguments.host, port), backlog=256)
        listener.setblocking(False)
        task = asyncio.create_task(self.accept(listener, serve))
        return int(listener.getsockname()[1]), task

    async def accept(self, listener: socket.socket, serve: Serve) -> None:
        loop = asyncio.get_running_loop()
        try:
            while True:
                connection, _ = await loop.sock_accept(listener)
                connection.setblocking(False)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.track(serve(connection))
        finally:
            listener.close()

    def open(self) -> None:
        """Opens the three ports of the product; a port once chosen is kept."""
        config = self.state.config
        config.mysql_port, mysql = self.listen(config.mysql_port, self.mysql.serve)
        config.http_port, frontend = self.listen(
            config.http_port, lambda c: http.serve(self.loads.frontend, c))
        config.be_http_port, backend = self.listen(
            config.be_http_port, lambda c: http.serve(self.loads.backend, c))
        self.listeners = [mysql, frontend, backend]

    async def close(self) -> None:
        """Closes ports and connections, as a crash would; the state stays."""
        stopped = [*self.listeners, *(task for task in self.tasks
                                      if task is not asyncio.current_task())]
        self.listeners = []
        for task in stopped:
            task.cancel()
        await asyncio.gather(*stopped, return_exceptions=True)

    async def set_down(self, down: bool) -> None:
        if down and self.listeners:
            await self.close()
        elif not down and not self.listeners:
            self.open()

    async def run(self) -> None:
        stopping = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        config, given = self.state.config, self.arguments
        config.mysql_port, config.http_port = given.mysql_port, given.http_port
        config.be_http_port = given.be_http_port
        self.open()
        background = [asyncio.create_task(self.tick())]
        control_port: int | str = "-"
        if given.control_port is not None:
            control = Control(self.state, self.loads, self.set_down)
            control_port, task = self.listen(
                given.control_port, lambda c: http.serve(control.handle, c))
            background.append(task)
        print(f"ready mysql={config.mysql_port} http={config.http_port} "
              f"be_http={config.be_http_port} control={control_port}", flush=True)
        await stopping.wait()
        for task in background:
            task.cancel()
        await self.close()

    async def tick(self) -> None:
        """The schema change scheduler looks at its jobs at fixed intervals."""
        while True:
            await asyncio.sleep(self.state.config.tick_ms / 1000)
            if not self.state.faults.hold_jobs:
                alter.tick(self.state, self.loads.transactions.older_than)


def _tls(arguments: argparse.Namespace) -> ServerTls | None:
    if not arguments.tls_cert:
        return None
    return ServerTls(arguments.tls_cert, arguments.tls_key, arguments.tls_client_ca)


if __name__ == "__main__":
    # Deeply nested expressions are legal; the parser recurses for each level.
    sys.setrecursionlimit(12_000)
    asyncio.run(Process(_arguments()).run())
