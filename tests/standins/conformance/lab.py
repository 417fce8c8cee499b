"""A source, both stand-ins and what a test asks of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cluster.mysql import Server

from .connections import MySqlConn, PostgresConn, Result
from .process import StandIn

BARRIER_MS = 50
PATIENCE_S = 20
CDC_OPTIONS = ("debezium.bigint.unsigned.handling.mode='precise', "
               "debezium.schema.history.internal.skip.unparseable.ddl='true'")
CDC_GRANTS = "SELECT, REPLICATION SLAVE, REPLICATION CLIENT"


class Lab:
    """RisingWave's stand-in between a MySQL and StarRocks' stand-in."""

    def __init__(self, mysql: Server, starrocks: StandIn | None = None,
                 barrier_ms: int = BARRIER_MS, data: Path | None = None, arguments: tuple = ()):
        self.mysql = mysql
        self.starrocks = starrocks
        kept = ("--data", str(data)) if data else ()
        self.command = ("standins.risingwave", "--port", "0", "--control-port", "0",
                        "--barrier-ms", str(barrier_ms), *kept, *arguments)
        self.start()

    def start(self) -> None:
        self.server = StandIn(*self.command)
        self.port = self.server.ports["port"]
        self.root = self.login("root")

    def stop(self) -> None:
        self.root.close()
        self.server.stop()

    def __enter__(self) -> Lab:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def login(self, user: str, password: str = "", **options: Any) -> PostgresConn:
        return PostgresConn("127.0.0.1", self.port, user, password, **options)

    def ask(self, sql: str, by: PostgresConn | None = None) -> Result:
        return (by or self.root).execute(sql)

    def do(self, *statements: str) -> None:
        for sql in statements:
            answer = self.ask(sql)
            assert answer.error is None, f"{sql}\n{answer.error}"

    def rows(self, sql: str) -> list[list[Any]]:
        answer = self.ask(sql)
        assert answer.error is None, f"{sql}\n{answer.error}"
        return answer.rows

    def value(self, sql: str) -> Any:
        return self.rows(sql)[0][0]

    def refused(self, sql: str, by: PostgresConn | None = None) -> str:
        answer = self.ask(sql, by)
        assert answer.error is not None, f"accepted: {sql}"
        return answer.error["message"]

    def eventually(self, sql: str, wanted: Any, patience_s: float = PATIENCE_S) -> None:
        """Until a query's rows are `wanted`."""
        wait_until(lambda: self.rows(sql) == wanted,
                   lambda: f"{sql}\nwanted {wanted}\nhas {self.rows(sql)}", patience_s)

    def barriers(self, count: int) -> None:
        """Waits until the stand-in has counted that many barriers more."""
        for _ in range(count):
            self.do("FLUSH")

    # What most tests begin with

    def create_source(self, database: str, options: str = CDC_OPTIONS, name: str = "src",
                      server_id: int = 5601) -> None:
        options = f", {options}" if options else ""
        self.do(f"CREATE SOURCE {name} WITH (connector='mysql-cdc', hostname='{self.mysql.host}', "
                f"port='{self.mysql.port}', username='root', password='', "
                f"database.name='{database}', server.id='{server_id}'{options})")

    def snapshot_done(self, table: str) -> None:
        name = self.value("SELECT i.name FROM rw_catalog.rw_internal_tables i JOIN "
                          f"rw_catalog.rw_tables t ON i.job_id = t.id WHERE t.name = '{table}'")
        self.eventually(f'SELECT backfill_finished FROM "{name}"', [[True]])

    def log_store(self, sink: str) -> str:
        return self.value("SELECT i.name FROM rw_catalog.rw_internal_tables i JOIN "
                          f"rw_catalog.rw_sinks k ON i.job_id = k.id WHERE k.name = '{sink}' "
                          "AND i.name LIKE '%\\_sink\\_%'")

    def sink_options(self, table: str, key: str = "id", database: str = "ods") -> str:
        assert self.starrocks is not None
        ports = self.starrocks.ports
        return ("connector='starrocks', type='upsert', "
                f"primary_key='{key}', starrocks.host='127.0.0.1', "
                f"starrocks.mysqlport='{ports['mysql']}', starrocks.httpport='{ports['http']}', "
                f"starrocks.user='root', starrocks.password='', starrocks.database='{database}', "
                f"starrocks.table='{table}'")

    def sr(self) -> MySqlConn:
        assert self.starrocks is not None
        return MySqlConn("127.0.0.1", self.starrocks.ports["mysql"], "root")

    def on_starrocks(self, *statements: str) -> list[list[Any]]:
        connection = self.sr()
        try:
            rows: list[list[Any]] = []
            for sql in statements:
                answer = connection.execute(sql)
                assert answer.error is None, f"{sql}\n{answer.error}"
                rows = answer.rows
            return rows
        finally:
            connection.close()

    def starrocks_has(self, sql: str, wanted: Any, patience_s: float = PATIENCE_S) -> None:
        wait_until(lambda: self.on_starrocks(sql) == wanted,
                   lambda: f"{sql}\nwanted {wanted}\nhas {self.on_starrocks(sql)}", patience_s)


def wait_until(holds: Callable[[], bool], report: Callable[[], str],
               patience_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < deadline, report()
        time.sleep(0.05)


def new_database(server: Server, name: str, *statements: str) -> None:
    server.execute(f"DROP DATABASE IF EXISTS {name}", f"CREATE DATABASE {name}")
    server.execute(f"USE {name}", *statements)
