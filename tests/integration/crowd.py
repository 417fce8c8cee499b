"""Many objects, fast: the API over connections that stay open, several at a time.

    with Crowd(plane) as crowd:
        crowd.create("tablesyncs", "many", [manifest, ...])
        crowd.patch("tablesyncs", "many", "one", {"spec": {...}})
"""

import http.client
import json
import queue
import ssl
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterable

from cluster.controlplane import ADMIN, ControlPlane

GROUP = "/apis/tablesync.dev/v1alpha1"
THREADS = 8
TRIES = 20


class ApiError(RuntimeError):
    """An answer that is none of the expected; `status` is its number."""

    def __init__(self, method: str, path: str, status: int, body: bytes):
        super().__init__(f"{method} {path}: {status} {body[:500].decode(errors='replace')}")
        self.status = status


class Crowd:
    """As administrator. Every thread that calls gets a connection of its own."""

    def __init__(self, plane: ControlPlane):
        self._plane = plane
        self._trust = ssl.create_default_context(cafile=str(plane.ca_file))
        self._token = plane.token_for(ADMIN)
        self._own = threading.local()
        self._all: list[http.client.HTTPSConnection] = []

    def __enter__(self) -> "Crowd":
        return self

    def __exit__(self, *exc_info) -> None:
        for connection in self._all:
            connection.close()

    def call(self, method: str, path: str, body: dict | None = None, kind: str = "application/json",
             accept: tuple[int, ...] = (200, 201, 202)) -> dict:
        """One request; a server that asks for patience gets it."""
        data = None if body is None else json.dumps(body)
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": kind}
        for _ in range(TRIES):
            connection = self._connection()
            try:
                connection.request(method, path, data, headers)
                answer = connection.getresponse()
                text = answer.read()
            except (OSError, http.client.HTTPException):
                connection.close()  # the server closed it meanwhile; the next request opens it again
                continue
            if answer.status == 429:
                time.sleep(float(answer.headers.get("Retry-After", "1")))
                continue
            if answer.status not in accept:
                raise ApiError(method, path, answer.status, text)
            return json.loads(text) if text else {}
        raise TimeoutError(f"{method} {path}: the API server does not take it")

    def path(self, plural: str, namespace: str, name: str = "", sub: str = "") -> str:
        parts = [GROUP, "namespaces", namespace, plural, name, sub]
        return "/".join(part if part.startswith("/") else urllib.parse.quote(part) for part in parts if part)

    def get(self, plural: str, namespace: str, name: str) -> dict | None:
        """None: there is none."""
        answer = self.call("GET", self.path(plural, namespace, name), accept=(200, 404))
        return None if answer.get("kind") == "Status" else answer

    def list(self, plural: str, namespace: str) -> dict[str, dict]:
        """By name; from the server's cache, in pages."""
        found, more = {}, ""
        while True:
            query = urllib.parse.urlencode({"limit": 1000, **({"continue": more} if more else {})})
            page = self.call("GET", f"{self.path(plural, namespace)}?{query}")
            found.update({item["metadata"]["name"]: item for item in page["items"]})
            more = page["metadata"].get("continue", "")
            if not more:
                return found

    def patch(self, plural: str, namespace: str, name: str, body: dict) -> dict:
        return self.call("PATCH", self.path(plural, namespace, name), body, "application/merge-patch+json")

    def delete(self, plural: str, namespace: str, name: str) -> None:
        self.call("DELETE", self.path(plural, namespace, name), accept=(200, 202, 404))

    def create(self, plural: str, namespace: str, manifests: Iterable[dict]) -> float:
        """All of them, THREADS at a time; returns the seconds it took."""
        return self.each(lambda body: self.call("POST", self.path(plural, namespace), body, accept=(201, 409)), manifests)

    def each(self, do: Callable, items: Iterable) -> float:
        """Does it with every item, THREADS at a time; the first error is raised."""
        waiting: queue.SimpleQueue = queue.SimpleQueue()
        for item in items:
            waiting.put(item)
        errors: list[BaseException] = []

        def work() -> None:
            while not errors:
                try:
                    do(waiting.get_nowait())
                except queue.Empty:
                    return
                except BaseException as error:  # handed to the caller
                    errors.append(error)

        started = time.monotonic()
        threads = [threading.Thread(target=work) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]
        return time.monotonic() - started

    def _connection(self) -> http.client.HTTPSConnection:
        if not hasattr(self._own, "connection"):
            self._own.connection = http.client.HTTPSConnection("127.0.0.1", self._plane.port, timeout=60, context=self._trust)
            self._all.append(self._own.connection)
        return self._own.connection
