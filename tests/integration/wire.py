"""A stage for faults on the wire: the controller, a FaultProxy, the real API server, and a namespace of its own.

No database is needed: a TableSync that names a missing connection gets a status that says so, at once. That is what
shows that lists, watches and writes still work: something is made, edited and deleted, and each is answered in time.
"""

import json

import ssl
import time
import urllib.error
import urllib.request
from itertools import count
from pathlib import Path

from cluster.controlplane import ControlPlane
from cluster.processes import wait_until

from . import system as sys_
from .faultproxy import FaultProxy
from .faults import Answer, status_body
from .system import SERVICE_ACCOUNT, condition_of, status_text, sync_manifest

NO_WATCH_LIST = status_body(422, "Invalid", "ListOptions.meta.k8s.io \"\" is invalid: sendInitialEvents: Forbidden: "
                            "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled",
                            causes=[{"reason": "FieldValueForbidden", "message": "Forbidden", "field": "sendInitialEvents"}])
PATIENCE_S = 30
HELD_BY = {"mysql-off": "MySQL", "rw-off": "RisingWave", "warehouse-off": "StarRocks"}
_numbers = count()


def streams_list(request) -> bool:
    """Whether it is a WatchList: the state first, and then its changes."""
    return request.query.get("sendInitialEvents") == "true"


class Admin:
    """The API server, asked by an administrator past the proxy; cheap enough to poll."""

    def __init__(self, plane: ControlPlane):
        trust = ssl.create_default_context(cafile=str(plane.ca_file))
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust))
        self._url, self._token = plane.url, plane.token_for("admin")

    def __call__(self, method: str, path: str, body: dict | None = None, kind: str = "application/json") -> dict | None:
        """The object that is answered; None when there is none."""
        request = urllib.request.Request(self._url + path, None if body is None else json.dumps(body).encode(), method=method)
        request.add_header("Authorization", f"Bearer {self._token}")
        request.add_header("Content-Type", kind)
        try:
            with self._opener.open(request, timeout=20) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise AssertionError(f"{method} {path}: {error.code} {error.read().decode()}") from error


class Stage:
    def __init__(self, plane: ControlPlane, workdir: Path, *arguments: str, stream: bool = False,
                 token_file: Path | None = None, ca_file: Path | None = None):
        """`stream`: the server may stream lists; otherwise it says that it cannot. `ca_file`: where the authority shall be."""
        self.plane, self.admin = plane, Admin(plane)
        self.namespace = f"wire-{next(_numbers)}"
        self.path = f"/apis/tablesync.dev/v1alpha1/namespaces/{self.namespace}/tablesyncs"
        work = workdir / self.namespace
        work.mkdir(parents=True)
        self.proxy = FaultProxy(plane, work / "proxy")
        if not stream:
            self.proxy.on(Answer(422, NO_WATCH_LIST), times=None, when=streams_list)
        if ca_file:
            ca_file.write_bytes(self.proxy.ca.read_bytes())
        self.controller = sys_.Controller(plane, work, *arguments, namespace=self.namespace,
                                          kubeconfig=self.proxy.kubeconfig(SERVICE_ACCOUNT, token_file, ca_file))
        self._names = count()

    def __enter__(self) -> "Stage":
        self.admin("POST", "/api/v1/namespaces", {"metadata": {"name": self.namespace}})
        self.proxy.start()
        return self

    def __exit__(self, kind, *exc_info) -> None:
        self.controller.stop()
        self.proxy.__exit__()

    def start(self, ready: bool = True) -> None:
        """Starts the controller; `ready`: and waits until it has read everything."""
        daemon = self.controller.daemon
        daemon.start(self.controller.ready if ready else lambda: "started" in self.controller.log_text(), PATIENCE_S)

    def connect(self) -> None:
        """Three connections that nobody answers: what names them could have made something, and is held."""
        for name, kind in HELD_BY.items():
            self.admin("POST", f"/api/v1/namespaces/{self.namespace}/secrets",
                       sys_.secret_manifest(name, "nobody", "nothing", self.namespace))
            self.admin("POST", self.path.replace("tablesyncs", "databaseconnections"),
                       sys_.connection_manifest(name, kind, 1, self.namespace))

    def create(self, held: bool = False, **annotations: str) -> str:
        """`held`: it names the connections of connect(); otherwise one that is not there."""
        name = f"t{next(self._names)}"
        names = dict(zip(("mysql", "rw", "warehouse"), HELD_BY)) if held else {"mysql": "none"}
        body = sync_manifest(name, "shop", name, namespace=self.namespace, **names)
        body["metadata"]["annotations"] = {f"test/{key}": value for key, value in annotations.items()}
        body["spec"]["retry"] = {"backoffBase": "1s", "backoffMax": "5s"}
        self.admin("POST", self.path, body)
        return name

    def edit(self, name: str, **spec) -> None:
        self.admin("PATCH", f"{self.path}/{name}", {"spec": spec or {"drift": {"interval": "77s"}}},
                   "application/merge-patch+json")

    def delete(self, name: str) -> None:
        self.admin("DELETE", f"{self.path}/{name}")

    def get(self, name: str) -> dict | None:
        return self.admin("GET", f"{self.path}/{name}")

    def shown(self, name: str) -> bool:
        """Whether its status speaks of the spec as it is."""
        found = self.get(name)
        return (condition_of(found, "Ready").get("reason") in ("ConnectionNotFound", "Unreachable")
                and found["status"]["observedGeneration"] == found["metadata"]["generation"])

    def wait_shown(self, name: str, timeout_s: float = PATIENCE_S) -> None:
        try:
            wait_until(f"the status of {name}", lambda: self.shown(name), timeout_s)
        except TimeoutError as late:
            raise AssertionError(f"{late}\n{status_text((self.get(name) or {}).get('status'))}\n{self.tail()}") from late

    def wait_gone(self, name: str, timeout_s: float = PATIENCE_S) -> None:
        try:
            wait_until(f"{name} is gone", lambda: self.get(name) is None, timeout_s)
        except TimeoutError as late:
            raise AssertionError(f"{late}\n{status_text((self.get(name) or {}).get('status'))}\n{self.tail()}") from late

    def works(self, within_s: float = PATIENCE_S) -> None:
        """Something is made, edited and deleted, and each is seen."""
        name = self.create()
        self.wait_shown(name, within_s)
        self.edit(name)
        self.wait_shown(name, within_s)
        self.delete(name)
        self.wait_gone(name, within_s)

    def wait_hits(self, rule, number: int = 1, timeout_s: float = PATIENCE_S) -> None:
        try:
            wait_until(f"{number} requests met {type(rule.fault).__name__}", lambda: rule.hits >= number, timeout_s)
        except TimeoutError as late:
            raise AssertionError(f"{late}; {rule.hits} did\n{self.passed()}\n{self.tail()}") from late

    def logged(self, *words: str) -> int:
        """How many lines of the log hold all of the words."""
        return sum(all(word in line for word in words) for line in self.controller.log_text().splitlines())

    def wait_logged(self, *words: str, timeout_s: float = 10) -> None:
        try:
            wait_until(f"the log tells {words}", lambda: self.logged(*words) > 0, timeout_s)
        except TimeoutError as late:
            raise AssertionError(f"{late}\n{self.tail()}") from late

    def tail(self) -> str:
        return self.controller.daemon.log_tail()

    def passed(self) -> str:
        """The requests, a line each."""
        began = self.proxy.requests()
        return "\n".join(f"{r.at - began[0].at:7.2f} {r.status} {r.method} {r.path}" for r in began)

    def rate(self, since: float, **wanted) -> float:
        """Requests a second."""
        return self.proxy.count(since, **wanted) / (time.monotonic() - since)


def versions(requests) -> list[str]:
    return [r.query.get("resourceVersion", "") for r in requests]


def gaps(requests) -> list[float]:
    """The seconds between each request and the next."""
    return [after.at - before.at for before, after in zip(requests, requests[1:])]


