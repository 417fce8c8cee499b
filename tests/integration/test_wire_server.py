"""The API server itself goes, comes back, and forgets rights: with a server of this module's own, which is broken here."""

import json
import time

import pytest

from cluster.controlplane import start_control_plane
from cluster.processes import wait_until

from . import system as sys_
from .system import SERVICE_ACCOUNT
from .wire import Stage, streams_list


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    work = tmp_path_factory.mktemp("wire-server")
    with start_control_plane(work / "plane", users=[SERVICE_ACCOUNT]) as plane:
        sys_.install(plane)
        yield plane, work


def role(stage) -> dict:
    return stage.admin("GET", "/apis/rbac.authorization.k8s.io/v1/clusterroles/tablesync-controller")


def test_a_right_is_taken_and_given_back(place):
    """The real 403: told with the rule that is missing, others go on, and no restart is needed when it is back."""
    with Stage(*place, stream=True) as stage:
        stage.connect()
        stage.start()
        stage.works()
        path, whole = "/apis/rbac.authorization.k8s.io/v1/clusterroles/tablesync-controller", role(stage)
        less = [rule for rule in whole["rules"] if "tablesyncs/status" not in rule["resources"]]
        assert len(less) == len(whole["rules"]) - 1
        stage.admin("PATCH", path, {"rules": less}, "application/merge-patch+json")
        try:
            wait_until("the server has forgotten it", lambda: not may_patch_status(stage), 10)
            made = stage.create(held=True)
            stage.wait_logged("status not written", made,
                              'grant it with the rule {apiGroups: [\\"tablesync.dev\\"], resources: [\\"tablesyncs/status\\"], verbs: [\\"patch\\"]}')
            assert stage.get(made)["metadata"]["finalizers"]  # what is allowed is done
            began = time.monotonic()
            doomed = stage.create(held=True)
            wait_until("its finalizer", lambda: stage.get(doomed)["metadata"].get("finalizers"), 10)
            stage.delete(doomed)
            stage.wait_gone(doomed)
            assert stage.rate(began - 1, status=403) < 10, stage.passed()
        finally:
            stage.admin("PATCH", path, {"rules": whole["rules"]}, "application/merge-patch+json")
        stage.wait_shown(made)
        stage.works()


def may_patch_status(stage) -> bool:
    review = stage.admin("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", {"spec": {
        "user": SERVICE_ACCOUNT, "resourceAttributes": {"verb": "patch", "group": "tablesync.dev", "resource": "tablesyncs",
                                                        "subresource": "status", "namespace": stage.namespace}}})
    return review["status"]["allowed"]


def told(stage, name) -> list[str]:
    """The reasons of its Events."""
    events = stage.admin("GET", f"/apis/events.k8s.io/v1/namespaces/{stage.namespace}/events")["items"]
    return [e["reason"] for e in events if e["regarding"]["name"] == name]


@pytest.mark.parametrize("through", ("proxy", "refused"))
def test_restart(place, through):
    """Killed, and started a while later: the same process sees what was there, and what comes; nothing is told twice.

    Behind a proxy, as behind a load balancer, connections end; without one, they are refused.
    """
    with Stage(*place, stream=True) as stage:
        stage.start()
        kept, doomed = stage.create(), stage.create()
        stage.wait_shown(kept)
        stage.wait_shown(doomed)
        wait_until("its Event", lambda: told(stage, kept), 20)  # it follows the status, and is lost with the server
        pid = stage.controller.daemon.pid
        if through == "refused":
            stage.proxy.stop()
        stage.plane.apiserver.kill()
        began = time.monotonic()
        wait_until("it is told", lambda: stage.logged("reflector failed") > 0, 20)
        stage.plane.start_apiserver()
        stage.edit(kept)
        stage.delete(doomed)
        if through == "refused":
            stage.proxy.start()
        stage.wait_shown(kept)
        stage.wait_gone(doomed)
        stage.works()
        assert stage.controller.daemon.pid == pid and stage.controller.daemon.alive()
        assert stage.rate(began, resource="tablesyncs") < 10, stage.passed()
        assert told(stage, kept).count("ConnectionNotFound") == 1, told(stage, kept)
        lists = [r for r in stage.proxy.requests(resource="tablesyncs") if streams_list(r) or r.verb == "list"]
        assert len(lists) <= 6, json.dumps([r.path for r in lists])
