"""The resources of the comparison, and control planes that hold them.

They are made once and the etcd that holds them is copied, so that each controller meets the same ones untouched.
Each is as large as a real one is served, some 4 KiB: names and expressions of columns, kubectl's copy of what was
applied, managedFields. They name connections that do not exist: a controller has a status to write, and no
database to talk to.
"""

import http.client
import json
import shutil
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from cluster.controlplane import ADMIN, ControlPlane, start_control_plane
from integration import system as sys_

NAMESPACE = "crowd"
SYNCS = f"/apis/tablesync.dev/v1alpha1/namespaces/{NAMESPACE}/tablesyncs"
MAKERS = 8
COLUMNS, OVERRIDES = 7, 2
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
# Every look of every controller comes at this interval, also ours at what it cannot carry out.
LOOK = "1m"


def tablesync(number: int) -> dict:
    """As `kubectl apply` sends it."""
    columns = [f"order_column_{n:02}" for n in range(COLUMNS)]
    made = sys_.sync_manifest(
        f"orders-{number:05}", f"shop{number % 100}", f"orders_{number:05}", mysql="mysql-to-come", rw="rw-to-come",
        warehouse="warehouse-to-come", namespace=NAMESPACE,
        columns={"include": ["order_id", *columns], "overrides": [
            {"name": name, "targetName": f"{name}_text", "targetType": "VARCHAR(255)", "expression": f"upper({name})"}
            for name in columns[:OVERRIDES]]},
        target={"table": f"orders_{number:05}", "properties": {"replication_num": "3"}, "buckets": 8},
        drift={"interval": LOOK}, retry={"backoffBase": LOOK, "backoffMax": LOOK})
    made["metadata"]["labels"] = {"app.kubernetes.io/part-of": "shop", "team": f"team-{number % 20}"}
    made["metadata"]["annotations"] = {LAST_APPLIED: json.dumps(made, separators=(",", ":")) + "\n"}
    return made


class Administrator:
    """One kept connection to the API server."""

    def __init__(self, plane: ControlPlane) -> None:
        trust = ssl.create_default_context(cafile=str(plane.ca_file))
        self._token = plane.token_for(ADMIN)
        self._connection = http.client.HTTPSConnection("127.0.0.1", plane.port, context=trust, timeout=60)

    def open(self, method: str, path: str, body: dict | None = None) -> http.client.HTTPResponse:
        """The answer, not yet read. RuntimeError for one that is not good."""
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        self._connection.request(method, path, None if body is None else json.dumps(body), {
            "Authorization": f"Bearer {self._token}", "Content-Type": kind, "User-Agent": "kubectl"})
        answer = self._connection.getresponse()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {answer.read(2000).decode(errors='replace')}")
        return answer

    def ask(self, method: str, path: str, body: dict | None = None) -> dict:
        return json.loads(self.open(method, path, body).read())

    def close(self) -> None:
        self._connection.close()


def create(plane: ControlPlane, numbers: range) -> None:
    def share(first: int) -> None:
        administrator = Administrator(plane)
        for number in numbers[first::MAKERS]:
            administrator.ask("POST", f"{SYNCS}?fieldManager=kubectl-client-side-apply", tablesync(number))
        administrator.close()

    with ThreadPoolExecutor(MAKERS) as pool:
        list(pool.map(share, range(MAKERS)))


def served_bytes(plane: ControlPlane) -> int:
    """The size of one of them."""
    return len(Administrator(plane).open("GET", f"{SYNCS}/orders-00000").read())


class Crowd:
    """etcd's data with each number of resources, below `work`."""

    def __init__(self, work: Path, sizes: list[int]) -> None:
        self._work, self._runs = work, 0
        self.object_bytes = 0
        with start_control_plane(work / "made") as plane:
            sys_.install(plane)
            plane.kubectl("create", "namespace", NAMESPACE)
            self._keep(plane, 0)
            for fewer, size in zip([0, *sizes], sizes, strict=False):
                create(plane, range(fewer, size))
                self.object_bytes = served_bytes(plane)
                self._keep(plane, size)

    def _keep(self, plane: ControlPlane, size: int) -> None:
        """A copy of etcd's files while nobody writes them."""
        plane.stop()
        shutil.copytree(plane.workdir / "etcd", self._work / f"etcd-{size}")
        plane.start()

    @contextmanager
    def plane(self, size: int) -> Iterator[ControlPlane]:
        """A control plane of its own with so many resources that no controller has seen."""
        self._runs += 1
        folder = self._work / f"run{self._runs}"
        shutil.copytree(self._work / f"etcd-{size}", folder / "etcd")
        with start_control_plane(folder, users=[sys_.SERVICE_ACCOUNT]) as plane:
            yield plane
        shutil.rmtree(folder)
