"""One TableSync's whole life against a real MySQL and both stand-ins, as recorded."""

from __future__ import annotations

import json
import time
from pathlib import Path

from cluster.mysql import Server, start_oracle56

from .connections import MySqlConn, PostgresConn
from .process import StandIn
from .replay import Replay, Step, is_pause, load_steps

_HERE = Path(__file__).parent
_SCHEMA = "tablesync"
QUIET_S = 60


class Lifecycle(Replay):
    """A recorded pause is over once everything that was sent has arrived."""

    def run_one(self, step: Step):
        found = super().run_one(step)
        if is_pause(step):
            deadline = time.monotonic() + QUIET_S
            while not self._quiet():
                assert time.monotonic() < deadline, f"line {step['line']}: not quiet in {QUIET_S} s"
                time.sleep(0.05)
        return found

    def _quiet(self) -> bool:
        creating = self._value("risingwave", "SELECT count(*) FROM rw_catalog.rw_streaming_jobs "
                               "WHERE status <> 'CREATED'")
        return creating == 0 and self._source_position() == self._mysql_position()

    def _source_position(self) -> tuple[str, int]:
        name = self._value("risingwave", "SELECT name FROM rw_catalog.rw_internal_tables "
                           "WHERE name LIKE '%\\_source\\_%'")
        info = self._value("risingwave", f'SELECT offset_info FROM {_SCHEMA}."{name}"')
        offset = json.loads(info["split_info"]["mysql_split"]["inner"]["start_offset"])
        return offset["sourceOffset"]["file"], offset["sourceOffset"]["pos"]

    def _mysql_position(self) -> tuple[str, int]:
        row = self.conns["mysql"].execute("SHOW MASTER STATUS").rows[0]
        return row[0], int(row[1])

    def _value(self, on: str, sql: str):
        answer = self.conns[on].execute(sql)
        assert answer.error is None, answer.error
        return answer.rows[0][0]


def test_lifecycle(tmp_path: Path) -> None:
    with start_oracle56(tmp_path / "mysql") as mysql, \
            StandIn("standins.risingwave", "--port", "0", "--barrier-ms", "400") as risingwave, \
            StandIn("standins.starrocks", "--mysql-port", "0", "--http-port", "0",
                    "--be-http-port", "0", "--tick-ms", "100") as starrocks:
        conns = {
            "risingwave": PostgresConn("127.0.0.1", risingwave.ports["port"], "root"),
            # root@localhost, as in the recording, is who comes through the socket.
            "mysql": MySqlConn(mysql.host, mysql.port, mysql.root_user,
                               unix_socket=str(mysql.socket)),
            "starrocks": MySqlConn("127.0.0.1", starrocks.ports["mysql"], "root")}
        Lifecycle(conns, _replaced(mysql, starrocks)).run(load_steps(_HERE / "lifecycle.jsonl"))


def _replaced(mysql: Server, starrocks: StandIn) -> dict[str, str]:
    """Ports, and the name MySQL gives the client: it resolves none here."""
    found = {"3317": str(mysql.port), "'cdc2'@'localhost'": "'cdc2'@'127.0.0.1'"}
    for recorded, name in (("9030", "mysql"), ("8131", "http")):
        for quote in ("'", '"'):
            found[f"{quote}{recorded}{quote}"] = f"{quote}{starrocks.ports[name]}{quote}"
    return found
