"""500 TableSyncs behind a dead server hold up nobody, in whichever way it is dead; what only a change heals is not retried."""

import http.client
import json
import socket
import ssl
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from cluster.processes import free_port, wait_until

from . import system as sys_
from .system import RISINGWAVE_PASSWORD, condition_of, connection_manifest, secret_manifest, sync_manifest

pytestmark = pytest.mark.quiet

NAMESPACE = "lanes"
GROUP = f"/apis/tablesync.dev/v1alpha1/namespaces/{NAMESPACE}"
CROWD = 500
EDITS = 7
HOLDS_UP_S = 1.0
READY_FOR_QUERY = b"Z\0\0\0\x05I"


# --- servers that are dead -------------------------------------------------------------------------------------------

class Silent:
    """Accepts everybody and never says a word."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.open = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                self.open.append(self.socket.accept()[0])
            except OSError:
                return

    def stop(self):
        self.socket.close()
        for one in self.open:
            one.close()


class Mute:
    """A RisingWave that lets everybody log in, and then answers nothing."""

    def __init__(self, target: int):
        self.target = target
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.open = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                client = self.socket.accept()[0]
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.target))
            self.open += [client, server]
            threading.Thread(target=self._forward, args=(client, server), daemon=True).start()
            threading.Thread(target=self._answer, args=(server, client), daemon=True).start()

    @staticmethod
    def _forward(client, server):
        try:
            while data := client.recv(65536):
                server.sendall(data)
        except OSError:
            pass

    @staticmethod
    def _answer(server, client):
        seen = b""
        try:
            while READY_FOR_QUERY not in seen and (data := server.recv(65536)):
                client.sendall(data)
                seen = seen[-len(READY_FOR_QUERY):] + data
        except OSError:
            pass

    def stop(self):
        for one in (self.socket, *self.open):
            one.close()


# --- the API, without a process for each call ------------------------------------------------------------------------

class Api:
    """Many requests over one connection of each thread."""

    def __init__(self, plane):
        self.trust = ssl.create_default_context(cafile=str(plane.ca_file))
        self.port, self.token = plane.port, plane.token_for("admin")
        self.mine = threading.local()

    def call(self, method: str, path: str, body: dict | None = None, kind: str = "application/json") -> dict:
        if not hasattr(self.mine, "connection"):
            self.mine.connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=self.trust, timeout=30)
        self.mine.connection.request(method, path, None if body is None else json.dumps(body), {
            "Authorization": f"Bearer {self.token}", "Content-Type": kind})
        answer = self.mine.connection.getresponse()
        text = answer.read()
        assert answer.status < 300, f"{method} {path}: {answer.status} {text[:500]}"
        return json.loads(text)

    def syncs(self) -> dict[str, dict]:
        return {o["metadata"]["name"]: o for o in self.call("GET", f"{GROUP}/tablesyncs")["items"]}

    def create(self, manifests: list[dict]) -> None:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda body: self.call("POST", f"{GROUP}/tablesyncs", body), manifests))

    def patch(self, name: str, body: dict) -> None:
        self.call("PATCH", f"{GROUP}/tablesyncs/{name}", body, "application/merge-patch+json")


@pytest.fixture(scope="module")
def place(system, tmp_path_factory):
    """Shared servers, and a controller with four workers for this module's namespace."""
    work = tmp_path_factory.mktemp("lanes")
    system.mysql.execute("CREATE DATABASE lanes", "CREATE TABLE lanes.well (id INT PRIMARY KEY, v INT)",
                         "INSERT INTO lanes.well VALUES (1, 10), (2, 20)")
    system.connect(NAMESPACE)
    made = sys_.System(system.plane, system.mysql, system.rw, system.starrocks)
    made.api = Api(system.plane)
    made.controller = sys_.Controller(system.plane, work, "--workers", "4", namespace=NAMESPACE).start()
    made.apply(sync("well"))
    made.wait_ready("well", namespace=NAMESPACE)
    yield made
    for name in made.api.syncs():
        made.api.call("DELETE", f"{GROUP}/tablesyncs/{name}")
    sys_.patiently("all are gone", lambda: not made.api.syncs(), 60)
    made.plane.kubectl("delete", "namespace", NAMESPACE, "--wait=false")
    made.controller.stop()


def sync(name, **spec):
    return sync_manifest(name, "lanes", "well", namespace=NAMESPACE, target={"table": name.replace("-", "_")}, **spec)


def edit_takes(place, state: str) -> float:
    """Seconds until a change of spec.state, which needs a statement in RisingWave, is seen in status."""
    phase = "Paused" if state == "Paused" else "Streaming"
    began = time.monotonic()
    place.api.patch("well", {"spec": {"state": state}})
    wait_until(f"it is {phase}", lambda: place.api.call("GET", f"{GROUP}/tablesyncs/well")["status"]["phase"] == phase, 60)
    return time.monotonic() - began


def edits(place) -> list[float]:
    return [edit_takes(place, "Paused" if i % 2 == 0 else "Running") for i in range(EDITS)]


class Nobody:
    """Nobody listens there."""

    def __init__(self):
        self.port = free_port()

    def stop(self):
        pass


@contextmanager
def dead_server(place, kind: str):
    """What a TableSync names to be behind it; all else is the healthy servers of "well"."""
    make, field, type_, secret = {
        "refused": (Nobody, "mysql", "MySQL", "shop-mysql"),
        "silent": (Silent, "warehouse", "StarRocks", "warehouse"),
        "mute": (lambda: Mute(place.rw.port), "rw", "RisingWave", "rw"),
    }[kind]
    server = make()
    place.apply(connection_manifest(kind, type_, server.port, NAMESPACE, secret=secret))
    try:
        yield {field: kind}
    finally:
        server.stop()


def remove_crowd(place) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: place.api.call("DELETE", f"{GROUP}/tablesyncs/{name}"),
                      [n for n in place.api.syncs() if n != "well"]))
    sys_.patiently("all are gone", lambda: set(place.api.syncs()) == {"well"}, 60)


@pytest.mark.parametrize("kind", ["refused", "silent", "mute"])
def test_500_behind_a_dead_server_hold_up_nobody(place, kind):
    """An edit of another is as quick as ever, while they come and later."""
    alone = edits(place)
    with dead_server(place, kind) as names, ThreadPoolExecutor(1) as pool:
        coming = pool.submit(place.api.create, [sync(f"{kind}-{i}", **names) for i in range(CROWD)])
        wait_until("the first of them is looked at", lambda: any(
            o["metadata"].get("finalizers") for n, o in place.api.syncs().items() if n != "well"), 30)
        for moment in ("coming", "there"):
            crowded = edits(place)
            if moment == "coming":
                coming.result()
            assert statistics.median(crowded) <= statistics.median(alone) + HOLDS_UP_S, (
                f"alone {alone}, while {CROWD} others were {moment} {crowded}")
        closed = f'tablesync_connection_breaker_state{{namespace="{NAMESPACE}",name="{kind}"}} 0'
        wait_until("the breaker is open", lambda: closed not in place.controller.get("/metrics"), 60)
        remove_crowd(place)


def status_writes(place, name: str) -> int:
    """How often somebody wrote its status."""
    wanted = {"resource": "tablesyncs", "namespace": NAMESPACE, "name": name, "subresource": "status"}
    return sum(1 for r in place.plane.requests()
               if r["verb"] != "get" and wanted.items() <= r.get("objectRef", {}).items())


def test_what_only_a_change_heals_is_said_once(place):
    """A connection that is missing: one write for each TableSync, none at later looks, and all go on when it comes."""
    names = [f"orphan-{i}" for i in range(20)]
    place.api.create([sync(name, rw="later") for name in names])
    wait_until("all say what is missing", lambda: all(
        condition_of(o, "ConnectionsReady").get("reason") == "ConnectionNotFound"
        for name, o in place.api.syncs().items() if name in names), 100)
    versions = {n: o["metadata"]["resourceVersion"] for n, o in place.api.syncs().items()}
    looks = 'controller_runtime_reconcile_total{controller="tablesync",result="error"}'
    before = place.controller.metric(looks)
    wait_until("two more looks at each", lambda: place.controller.metric(looks) >= before + 2 * len(names), 30)
    after = place.api.syncs()
    assert {n: after[n]["metadata"]["resourceVersion"] for n in names} == {n: versions[n] for n in names}
    assert [status_writes(place, name) for name in names] == [1] * len(names)
    assert all(after[n]["status"]["retries"] == 1 and "nextRetryAt" not in after[n]["status"] for n in names)
    place.apply(secret_manifest("later", "tablesync", RISINGWAVE_PASSWORD, NAMESPACE),
                connection_manifest("later", "RisingWave", place.rw.port, NAMESPACE))
    sys_.patiently("all have what they were missing", lambda: all(
        condition_of(o, "ConnectionsReady").get("status") == "True"
        for name, o in place.api.syncs().items() if name in names), 100)
