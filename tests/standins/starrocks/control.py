"""The control port: how tests break the stand-in and look inside it.

    POST /backends {"alive": 0}                    backends the FE believes alive
    POST /load {"fail": "text", "on": "prepare"}   that step of every load fails
    POST /load {"fail": null}                      loads work again
    POST /create {"fail": "text"}                  CREATE TABLE fails with this text
    POST /alter {"hold": true, "fail": "text"}     jobs stand still, or are cancelled
    POST /alter {"step": 1}                        one round of the scheduler, also when held
    POST /outage {"down": true}                    ports closed, connections cut, state kept
    GET  /loads                                    counters and running transactions
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from . import alter
from .http import Request, Response, json_response
from .load_server import LoadServer
from .state import State

_STEPS = ("begin", "load", "prepare", "commit", "rollback")


class Control:
    def __init__(self, state: State, loads: LoadServer,
                 set_down: Callable[[bool], Awaitable[None]]):
        self.state = state
        self.loads = loads
        self.set_down = set_down

    async def handle(self, request: Request) -> Response:
        if request.method == "GET" and request.path == "/loads":
            return json_response(self._loads())
        try:
            given = json.loads(await request.body(1 << 20) or b"{}")
            if request.path == "/outage":
                await self.set_down(bool(given["down"]))
                return json_response({"ok": True})
            changed = isinstance(given, dict) and self._change(request.path, given)
        except (KeyError, TypeError, ValueError) as error:
            return json_response({"error": f"bad request: {error!r}"}, 400)
        return json_response({"ok": True}) if changed else Response(404)

    def _change(self, path: str, given: dict[str, Any]) -> bool:
        faults = self.state.faults
        if path == "/backends":
            alive = int(given["alive"])
            if not 0 <= alive <= self.state.config.backends:
                raise ValueError(f"alive must be between 0 and {self.state.config.backends}")
            self.state.alive_backends = alive
        elif path == "/load":
            step = given.get("on", "load")
            if step not in _STEPS:
                raise ValueError(f"on must be one of {_STEPS}")
            if given["fail"] is None:
                faults.load.clear()
            else:
                faults.load[step] = str(given["fail"])
        elif path == "/create":
            faults.create = given["fail"]
        elif path == "/alter":
            faults.hold_jobs = bool(given.get("hold", faults.hold_jobs))
            faults.alter = given.get("fail", faults.alter)
            for _ in range(int(given.get("step", 0))):
                alter.tick(self.state, self.loads.transactions.older_than)
        else:
            return False
        return True

    def _loads(self) -> dict[str, Any]:
        transactions = self.loads.transactions
        running = [{"label": txn.label, "db": txn.db, "table": txn.table_name,
                    "state": txn.state, "loads": txn.loads}
                   for txn in transactions.running()]
        return {"committed": transactions.committed, "rows": transactions.committed_rows,
                "failed": transactions.failed, "running": running}
