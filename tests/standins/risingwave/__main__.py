"""A stand-in for RisingWave 3.0.3: `python -m standins.risingwave --port 0`.

It speaks PostgreSQL's protocol, refuses what the contract does not describe with
RisingWave's texts, reads MySQL's snapshot and binary log, and loads StarRocks by
transaction stream load. State is in memory, or also in a folder with --data.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
from pathlib import Path

from ..common.tls import ServerTls
from . import control
from .server import Server
from .sourcejob import RESTART
from .wire import Connection


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="standins.risingwave")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=4566, help="0: a free one")
    parser.add_argument("--barrier-ms", type=int, default=1000, help="scales every pace")
    parser.add_argument("--tls-cert", type=Path)
    parser.add_argument("--tls-key", type=Path)
    parser.add_argument("--tls-client-ca", type=Path, help="ask every client for a certificate of it")
    parser.add_argument("--tls-enforce", action="store_true", help="RW_SSL_ENFORCE")
    parser.add_argument("--control-port", type=int, help="HTTP for tests; 0: a free one")
    parser.add_argument("--restart-barriers", type=int, default=RESTART,
                        help="what a restart of a source's reader costs")
    parser.add_argument("--cores", type=int, default=2, help="the compute node's parallelism")
    parser.add_argument("--data", type=Path, help="keep the state here over a restart")
    return parser.parse_args()


def _tls(arguments: argparse.Namespace) -> ServerTls | None:
    if not (arguments.tls_cert and arguments.tls_key):
        return None
    return ServerTls(arguments.tls_cert, arguments.tls_key, arguments.tls_client_ca)


async def _main(arguments: argparse.Namespace) -> None:
    server = Server(arguments.barrier_ms, arguments.data, arguments.restart_barriers,
                    arguments.cores)
    tls = _tls(arguments)
    clients: set[asyncio.Task] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        clients.add(task)
        try:
            await Connection(server, reader, writer, tls, arguments.tls_enforce).run()
        except asyncio.CancelledError:
            pass  # the server stops
        finally:
            clients.discard(task)

    listener = await asyncio.start_server(serve, arguments.host, arguments.port)
    server.port = listener.sockets[0].getsockname()[1]
    door = "-"
    if arguments.control_port is not None:
        extra = await asyncio.start_server(
            lambda reader, writer: control.handle(server, reader, writer), arguments.host,
            arguments.control_port)
        door = str(extra.sockets[0].getsockname()[1])
    server.start()
    print(f"ready port={server.port} control={door}", flush=True)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
    listener.close()
    for task in list(clients):
        task.cancel()
    await asyncio.gather(*clients, return_exceptions=True)
    await server.stop()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    asyncio.run(_main(_arguments()))
