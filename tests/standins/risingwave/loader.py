"""StarRocks' transaction stream load, as RisingWave 3.0.3's sink uses it
(doris_starrocks_connector.rs, starrocks.rs; contract starrocks.md section 6)."""

from __future__ import annotations

import base64
import datetime
import json
import time
import urllib.parse
import uuid
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from . import rwtypes as t
from .duck import shortest_real
from .httpclient import RequestFailed, Response, request
from .logstore import DELETE

if TYPE_CHECKING:
    from .catalog import Sink

_LOCAL = ("localhost", "127.0.0.1")
_MAX_REDIRECTS = 2


class LoadFailed(Exception):
    """What SINK_FAIL says."""


class Transaction:
    """begin, any number of loads, prepare and commit; or rollback."""

    def __init__(self, sink: Sink):
        self.sink = sink
        self.host = sink.option("starrocks.host")
        self.scheme = "https" if sink.option("starrocks.use_https") == "true" else "http"
        self.port = sink.option("starrocks.httpport") or sink.option("starrocks.http_port")
        self.upsert = sink.option("type") == "upsert"
        self.timeout_s = int(sink.option("starrocks.stream_load.http.timeout.ms", "30000")) / 1000
        self.label = f"rw-txn-{uuid.uuid4()}-{int(time.time() * 1e6)}"
        names = [f"`{column.name}`" for column in sink.columns]
        login = f"{sink.option('starrocks.user')}:{sink.option('starrocks.password')}"
        self.headers = {
            "db": sink.option("starrocks.database"),
            "authorization": "Basic " + base64.b64encode(login.encode()).decode(),
            "format": "json", "table": sink.option("starrocks.table"), "expect": "100-continue",
            "partial_update": sink.option("starrocks.partial_update", "false"),
            "columns": ",".join(names + ["`__op`"] * self.upsert), "label": self.label}

    def _url(self, operation: str) -> str:
        return f"{self.scheme}://{self.host}:{self.port}/api/transaction/{operation}"

    async def begin(self) -> None:
        await self._meta("begin")

    async def load(self, rows: Sequence[tuple[int, tuple]]) -> None:
        """Rows as (operation, values). Sent without body first, to learn the backend."""
        for body in self._bodies(rows):
            await self._load_body(body)

    async def _load_body(self, body: bytes) -> None:
        url = self._url("load")
        first = await self._send("PUT", url, None)
        if first.status in (301, 302, 307):
            url = self._location(first)
        elif first.status != 200:
            raise LoadFailed("Doris/Starrocks connect error: Can't get doris BE url")
        response = await self._send("PUT", url, body)
        if response.status != 200:
            raise LoadFailed(f"Doris/Starrocks connect error: Failed connection {response.status},"
                             f"{response.body.decode('utf-8', 'replace')}")
        self._check(response, "Insert error", label=False)

    async def commit(self) -> None:
        await self._meta("prepare")
        await self._meta("commit")

    async def rollback(self) -> None:
        await self._meta("rollback")

    async def _meta(self, operation: str) -> None:
        url = self._url(operation)
        for _ in range(_MAX_REDIRECTS + 1):
            response = await self._send("POST", url, None)
            if response.status == 200:
                self._check(response, "transaction error", label=True)
                return
            if response.status not in (301, 302, 307):
                raise LoadFailed("Doris/Starrocks connect error: Can't get doris BE url")
            url = self._location(response)
        raise LoadFailed("Doris/Starrocks connect error: redirection occur more than twice when "
                         "sending stream load request")

    async def _send(self, method: str, url: str, body: bytes | None) -> Response:
        try:
            return await request(method, url, self.headers, body, self.timeout_s)
        except RequestFailed as error:
            raise LoadFailed("Doris/Starrocks connect error: sending stream load request failed: "
                             f"{error}") from error

    def _location(self, response: Response) -> str:
        """Where the redirect points; a backend that calls itself local is where the FE is."""
        parts = urllib.parse.urlsplit(response.headers.get("location", ""))
        if not parts.hostname:
            raise LoadFailed("Doris/Starrocks connect error: Can't get doris BE url")
        host = parts.hostname
        if host in _LOCAL and self.host not in _LOCAL:
            host = self.host
        return f"{parts.scheme}://{host}:{parts.port}{parts.path}"

    def _check(self, response: Response, what: str, label: bool) -> None:
        text = response.body.decode("utf-8", "replace")
        try:
            answer = json.loads(text)
        except ValueError:
            raise LoadFailed(f"Starrocks error: {what}: {text}") from None
        if answer.get("Status") != "OK":
            raise LoadFailed(f"Starrocks error: {what}: {answer.get('Status')}, "
                             f"{answer.get('Message')}, {answer.get('ErrorURL')}")
        if label and answer.get("Label") not in (None, self.label):
            raise LoadFailed(f"Starrocks error: {what}: label mismatch {answer.get('Label')}")

    def _bodies(self, rows: Sequence[tuple[int, tuple]]) -> Iterator[bytes]:
        """The rows as JSON objects without separators, within the size of a batch."""
        limit = int(self.sink.option("starrocks.max_batch_size_bytes", "0")) or None
        batch: list[bytes] = []
        size = 0
        for operation, row in rows:
            text = self._object(operation, row)
            if limit and len(text) > limit:
                raise LoadFailed(f"Starrocks error: single row payload size {len(text)} bytes "
                                 "exceeds `starrocks.max_batch_size_bytes` limit "
                                 f"{limit} bytes")
            if limit and batch and size + len(text) > limit:
                yield b"".join(batch)
                batch, size = [], 0
            batch.append(text)
            size += len(text)
        yield b"".join(batch)

    def _object(self, operation: int, row: tuple) -> bytes:
        shown = {column.name: json_value(value, column.type)
                 for column, value in zip(self.sink.columns, row)}
        if self.upsert:
            shown["__op"] = "1" if operation == DELETE else "0"
        return json.dumps(shown, ensure_ascii=False, allow_nan=False,
                          separators=(",", ":")).encode()


def json_value(value: Any, kind: t.Type) -> Any:
    """A value as the sink's JSON encoder writes it."""
    if value is None:
        return None
    if kind is t.NUMERIC:
        return format(value, "f")
    if kind in (t.REAL, t.DOUBLE):
        if value != value or value in (float("inf"), float("-inf")):
            return None
        return shortest_real(value) if kind is t.REAL else value
    if kind is t.JSONB:
        return json.loads(value)
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.%f").rjust(26, "0")
    if isinstance(value, datetime.date):
        return value.isoformat()
    return value
