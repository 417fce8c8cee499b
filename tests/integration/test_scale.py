"""Ten thousand TableSyncs: every status is written, an edit does not wait for the others, memory stays small.

They name a connection that does not exist, so that each costs the controller an attempt and a status and no database.
CI makes 1,000 of them; SCALE=10000 makes the ten thousand.
"""

import os
import time

import pytest

from cluster.controlplane import start_control_plane
from cluster.processes import wait_until

from . import system as sys_
from .crowd import Crowd
from .system import SERVICE_ACCOUNT, condition_of, patiently, sync_manifest

pytestmark = pytest.mark.quiet
NAMESPACE = "crowd"
COUNT = int(os.environ.get("SCALE", "1000"))
SYNCED_S, EDIT_S, RSS_MIB = 30, 5, 64
# Every status is a write to the API server, whose time that is.
WRITTEN_S = 60 + COUNT / 10


@pytest.fixture(scope="module")
def plane(tmp_path_factory):
    with start_control_plane(tmp_path_factory.mktemp("scale") / "plane", users=[SERVICE_ACCOUNT]) as made:
        sys_.install(made)
        made.kubectl("create", "namespace", NAMESPACE)
        yield made


def name_of(number):
    return f"sync-{number:05}"


def memory_mib(pid, what):
    with open(f"/proc/{pid}/status", encoding="ascii") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(what)) / 1024


def told(resource):
    """The status is about this very generation."""
    return (condition_of(resource, "Ready").get("reason") == "ConnectionNotFound"
            and resource["status"]["observedGeneration"] == resource["metadata"]["generation"])


def test_many(plane, tmp_path, capsys):
    with Crowd(plane) as crowd:
        made_s = crowd.create("tablesyncs", NAMESPACE, (
            sync_manifest(name_of(n), "shop", f"t{n}", namespace=NAMESPACE, drift={"interval": "10m"},
                          retry={"backoffBase": "5m", "backoffMax": "10m"}) for n in range(COUNT)))
        controller = sys_.Controller(plane, tmp_path)
        started = time.monotonic()
        controller.daemon.start(controller.ready, SYNCED_S)
        synced_s = time.monotonic() - started
        assert controller.metric('tablesync_resources{kind="TableSync"}') == COUNT

        # While all of them wait for their first attempt, somebody edits the last.
        def edit(number):
            crowd.patch("tablesyncs", NAMESPACE, name_of(number), {"spec": {"retry": {"backoffMax": "9m"}}})
            began = time.monotonic()
            wait_until("the edit is seen", lambda: told(crowd.get("tablesyncs", NAMESPACE, name_of(number))), EDIT_S)
            return time.monotonic() - began

        edits = sorted(edit(COUNT - 1 - n) for n in range(10))
        waiting = sum(float(line.rsplit(" ", 1)[1]) for line in controller.get("/metrics").splitlines()
                      if line.startswith("workqueue_depth{"))
        # Counted there: to list them again and again would be most of the API server's work.
        patiently("every status is written", lambda: controller.metric("tablesync_status_writes_total") >= COUNT, WRITTEN_S)
        written_s = time.monotonic() - started
        patiently("every status is told", lambda: all(map(told, crowd.list("tablesyncs", NAMESPACE).values())), EDIT_S)
        assert controller.ready()
        peak, now = (memory_mib(controller.daemon.pid, what) for what in ("VmHWM:", "VmRSS:"))
        with capsys.disabled():
            print(f"\n{COUNT} TableSyncs: made in {made_s:.1f} s, synced in {synced_s:.2f} s, written in {written_s:.1f} s, "
                  f"edits {edits[len(edits) // 2]:.2f} s (longest {edits[-1]:.2f} s, {waiting:.0f} waited behind), "
                  f"peak {peak:.1f} MiB, at the end {now:.1f} MiB")
        assert peak < RSS_MIB

        # Calm afterwards: what nothing happens to is not written again.
        writes = controller.metric("tablesync_status_writes_total")
        crowd.patch("tablesyncs", NAMESPACE, name_of(0), {"spec": {"retry": {"backoffMax": "8m"}}})
        wait_until("one more is written", lambda: told(crowd.get("tablesyncs", NAMESPACE, name_of(0))), EDIT_S)
        assert controller.metric("tablesync_status_writes_total") <= writes + 3

        # And all of them go at once.
        crowd.each(lambda n: crowd.delete("tablesyncs", NAMESPACE, name_of(n)), range(0, COUNT, 10))
        patiently("a tenth is gone", lambda: controller.metric('tablesync_resources{kind="TableSync"}')
                  == COUNT - len(range(0, COUNT, 10)), 60)
        controller.stop()
        assert controller.daemon.exit_code == 0
