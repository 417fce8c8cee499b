"""Transaction Stream Load over HTTP: the FE redirects, the BE does the work.

Begin, load and prepare go to the BE by a 307; commit and rollback of a prepared
or finished transaction are answered by the FE itself. Answers follow the
contract's starrocks.md 6.2 and 6.4.
"""

from __future__ import annotations

import re
import time
from typing import Any

from ..common.mysqlwire import native_hash
from .catalog import Table
from .errors import SqlError
from .http import BadRequest, Request, Response, json_response
from .state import State
from .transactions import MAX_BODY_BYTES, LoadError, Transaction, Transactions
from .users import Identity

_PREFIX = "/api/transaction/"
_OPERATIONS = {"begin": "POST", "load": "PUT", "prepare": "POST", "commit": "POST",
               "rollback": "POST"}


class LoadServer:
    def __init__(self, state: State):
        self.state = state
        self.transactions = Transactions(state)

    async def frontend(self, request: Request) -> Response:
        operation = _operation(request)
        if operation is None:
            return _health(request)
        who = self._authenticate(request)
        if who is None:
            return _unauthorized()
        try:
            return self._frontend_answer(request, operation, who)
        except LoadError as error:
            return _failure(request, error)

    def _frontend_answer(self, request: Request, operation: str, who: Identity) -> Response:
        if operation not in _OPERATIONS:
            raise LoadError("FAILED", f"Unknown transaction operation: {operation}")
        db, table_name, label = _names(request)
        if not db:
            raise LoadError("FAILED", "No database selected.")
        if not label:
            raise LoadError("FAILED", "Empty label.")
        if db not in self.state.catalog.databases:
            raise LoadError("FAILED", f"Database[{db}] does not exist.")
        if operation in ("commit", "rollback"):
            txn = self.transactions.find(db, label)
            if txn is None:
                raise LoadError("FAILED", "com.starrocks.common.StarRocksException: No transaction "
                                f"found with db[{db}] and label[{label}]")
            if txn.state != "PREPARE":
                return self._finish(operation, txn)
        if operation == "begin":
            self._need_insert(who, db, table_name)
        if self.state.alive_backends == 0:
            raise LoadError("FAILED", "No backend alive.")
        host = request.local_host
        location = f"http://{host}:{self.state.config.be_http_port}{request.path}"
        return Response(307, headers={"Location": location})

    def _finish(self, operation: str, txn: Transaction) -> Response:
        """The FE's own answer to commit and rollback."""
        self._injected(operation)
        message = ""
        if operation == "commit":
            if txn.state == "VISIBLE":
                message = (f"Transaction {txn.id} has already committed, "
                           f"label is {txn.label}")
            self.transactions.commit(txn)
        else:
            if txn.state == "ABORTED":
                message = f"Transaction {txn.id} has already aborted, label is {txn.label}"
            self.transactions.rollback(txn)
        return json_response({"Status": "OK", "Message": message, "TxnId": txn.id,
                              "Label": txn.label})

    async def backend(self, request: Request) -> Response:
        operation = _operation(request)
        if operation is None:
            return _health(request)
        who = self._authenticate(request)
        if who is None:
            return json_response({"Status": "INTERNAL_ERROR",
                                  "Message": "no valid Basic authorization"})
        try:
            if operation not in _OPERATIONS:
                raise LoadError("FAILED", f"Unknown transaction operation: {operation}")
            if request.method != _OPERATIONS[operation]:
                return Response(405)
            return json_response(await self._backend_answer(request, operation, who))
        except LoadError as error:
            return _failure(request, error, self.state)
        except BadRequest as error:
            return _failure(request, LoadError("INTERNAL_ERROR", str(error)), self.state)

    async def _backend_answer(self, request: Request, operation: str,
                              who: Identity) -> dict[str, Any]:
        started = time.monotonic()
        db, table_name, label = _names(request)
        if self.state.alive_backends == 0:
            raise LoadError("SERVICE_UNAVAILABLE", "backend is not alive")
        answer: dict[str, Any] = {"Label": label, "Status": "OK", "Message": "", "Db": db,
                                  "Table": table_name}
        if operation == "begin":
            self._injected(operation)
            table = self._need_insert(who, db, table_name)
            partial = request.headers.get("partial_update", "false").lower() == "true"
            txn = self.transactions.begin(db, table, label, _columns(request), partial)
            return {**answer, "TxnId": txn.id, "BeginTxnTimeMs": _ms(started)}
        if operation == "load":
            body = await request.body(MAX_BODY_BYTES)
            self._injected(operation)
            txn = self.transactions.get(db, label, table_name)
            self.transactions.load(txn, body)
            return {"TxnId": txn.id, **answer, "LoadBytes": len(body),
                    "StreamLoadPlanTimeMs": 0, "ReceivedDataTimeMs": _ms(started)}
        txn = self.transactions.get(db, label, table_name or None)
        self._injected(operation)
        if operation == "prepare":
            self.transactions.prepare(txn)
        elif operation == "commit":
            self.transactions.commit(txn)
        else:
            self.transactions.rollback(txn)
            return {"TxnId": txn.id, **answer}
        return {"TxnId": txn.id, **answer, "NumberTotalRows": txn.rows,
                "NumberLoadedRows": txn.rows, "NumberFilteredRows": 0,
                "NumberUnselectedRows": 0, "LoadBytes": txn.load_bytes,
                "LoadTimeMs": int((time.time() - txn.started) * 1000),
                "StreamLoadPlanTimeMs": 0, "ReceivedDataTimeMs": 0,
                "WriteDataTimeMs": _ms(started), "CommitAndPublishTimeMs": _ms(started)}

    def _injected(self, operation: str) -> None:
        message = self.state.faults.load.get(operation)
        if message is not None:
            self.transactions.failed += 1
            raise LoadError("INTERNAL_ERROR", message)

    def _authenticate(self, request: Request) -> Identity | None:
        given = request.credentials()
        user = self.state.accounts.find(given[0]) if given else None
        if given is None or user is None:
            return None
        expected = native_hash(given[1]) if given[1] else b""
        return self.state.accounts.login(user) if expected == user.password else None

    def _need_insert(self, who: Identity, db: str, name: str) -> Table:
        database = self.state.catalog.databases.get(db)
        if database is None:
            raise LoadError("FAILED", f"Database[{db}] does not exist.")
        table = database.tables.get(name)
        if table is None:
            raise LoadError("FAILED", f"Table[{db}.{name}] does not exist.")
        try:
            self.state.accounts.need(who, "INSERT", "TABLE", database, table)
        except SqlError as error:
            raise LoadError("FAILED", error.message) from None
        return table


def _operation(request: Request) -> str | None:
    return request.path[len(_PREFIX):] if request.path.startswith(_PREFIX) else None


def _health(request: Request) -> Response:
    if request.path == "/api/health":
        return json_response({"status": "OK", "msg": "To Be Added"})
    return Response(404)


def _names(request: Request) -> tuple[str, str, str]:
    headers = request.headers
    return headers.get("db", ""), headers.get("table", ""), headers.get("label", "")


def _columns(request: Request) -> list[str]:
    """Names of the `columns` header; back-quotes are not escaped in it."""
    text = request.headers.get("columns", "")
    found = re.findall(r"\s*(`[^`]*`|[^,]+)\s*(?:,|$)", text)
    return [name.strip().strip("`") for name in found]


def _ms(started: float) -> int:
    return int((time.monotonic() - started) * 1000)


def _unauthorized() -> Response:
    response = json_response({"Status": "FAILED", "Message": "Access denied"}, 401)
    response.headers["WWW-Authenticate"] = 'Basic realm=""'
    return response


def _failure(request: Request, error: LoadError, state: State | None = None) -> Response:
    db, table, label = _names(request)
    more = dict(error.more)
    reason = more.pop("reason", None)
    answer: dict[str, Any] = {"Status": error.status, "Message": error.message}
    if state is not None:
        answer.update({"Db": db, "Table": table, "Label": label, **more})
        if reason is not None:
            # The real server serves the rejected rows there; here the reason is in the text.
            answer["Message"] = f"{error.message}. {reason}"
            answer["ErrorURL"] = (f"http://{request.local_host}:{state.config.be_http_port}"
                                  f"/api/_load_error_log?file=error_log_{label}")
    else:
        answer["Label"] = label
    return json_response(answer)
