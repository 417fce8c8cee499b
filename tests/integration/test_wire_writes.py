"""Writes that are refused, that fail and whose answer is lost: done once in the end, and never blindly sent again."""

import json
import time

import pytest

from cluster.processes import wait_until

from .faults import Answer, Change, Close, CutBody, Hang, Lose, Meanwhile, Refuse, Reset, Switch, status_body
from .system import SERVICE_ACCOUNT
from .wire import Stage, gaps

FINALIZER = "tablesync.dev/cleanup"
HTML = b"<html><body>somebody's load balancer</body></html>"
STATUS = {"verb": "patch", "resource": "tablesyncs", "subresource": "status"}
FINALIZERS = {"verb": "patch", "resource": "tablesyncs", "subresource": ""}
EVENTS = {"verb": "create", "resource": "events"}


@pytest.fixture(scope="module")
def place(wire_plane, tmp_path_factory):
    return wire_plane, tmp_path_factory.mktemp("wire-writes")


def carried_out(stage, name: str, subresource: str = "") -> list[dict]:
    """Patches of the object that the API server carried out, whatever the controller was told."""
    wanted = ("tablesyncs", stage.namespace, name, subresource or None)
    return [e for e in stage.plane.requests(SERVICE_ACCOUNT)
            if e["verb"] == "patch" and e["responseStatus"]["code"] == 200
            and tuple(e["objectRef"].get(k) for k in ("resource", "namespace", "name", "subresource")) == wanted]


def wait_carried_out(stage, name: str, number: int, subresource: str = "") -> list[dict]:
    """The audit log is a moment late."""
    wait_until(f"{number} patches are carried out", lambda: len(carried_out(stage, name, subresource)) >= number, 10)
    return carried_out(stage, name, subresource)


# name: (fault, what the log says of it)
REFUSED = {
    "401": (lambda: Answer(401, status_body(401, "Unauthorized")), "Unauthorized"),
    "403": (lambda: Answer(403, status_body(403, "Forbidden")),
            'resources: [\\"tablesyncs/status\\"], verbs: [\\"patch\\"]'),
    "404 of a load balancer": (lambda: Answer(404, HTML), "NotServed"),
    "409": (lambda: Answer(409, status_body(409, "Conflict")), None),
    "413": (lambda: Answer(413, HTML), "RequestTooLarge"),
    "422": (lambda: Answer(422, status_body(422, "Invalid", "", causes=[{"field": "status.phase", "message": "too odd"}])),
            "status.phase: too odd"),
    "429": (lambda: Answer(429, status_body(429, "TooManyRequests"), retry_after="1"), "TooManyRequests"),
    "500": (lambda: Answer(500, status_body(500, "InternalError")), "ServerError"),
    "502": (lambda: Answer(502, HTML), "BadGateway"),
    "503": (lambda: Answer(503, b""), "Unavailable"),
    "504": (lambda: Answer(504, status_body(504, "Timeout")), "Timeout"),
    "a redirect": (lambda: Answer(308, b"", location="/elsewhere"), "Redirected"),
    "a page": (lambda: Answer(200, HTML), "web page"),
    "a Status": (lambda: Answer(200, status_body(500, "InternalError")), "WrongKind"),
    "a reset": (lambda: Refuse(Reset), "ConnectionLost"),
}


@pytest.mark.together
@pytest.mark.parametrize("name", REFUSED)
def test_a_status_write_that_is_refused(place, name):
    """Told once with its cause, tried again after a pause; other resources are reconciled meanwhile."""
    make, words = REFUSED[name]
    with Stage(*place) as stage:
        stage.start()
        before = stage.create()
        stage.wait_shown(before)
        rule = stage.proxy.on(make(), when=lambda r: r.name == made, **STATUS)
        made = "t1"
        assert stage.create() == made
        stage.wait_hits(rule)
        if name != "429":  # which is asked of this kind of write, whatever it is about
            stage.edit(before)
            stage.wait_shown(before, 5)
        stage.wait_shown(made, 6)
        said = stage.logged("status not written", made, words or "")
        assert said == (1 if words else 0) or (name == "429" and said == 2), stage.tail()
        mine = stage.proxy.requests(name=made, **STATUS)
        assert len(mine) <= 4 and gaps(mine)[0] >= 0.15, stage.passed()
        assert stage.proxy.count(path="/elsewhere") == 0
        stage.works()


LOST = {
    "a reset": lambda: Lose(Reset),
    "an end": lambda: Lose(Close),
    "half an answer": lambda: CutBody(0.7, Close),
    "garbage": lambda: Change(lambda body: body[:-40]),
    "a page": lambda: Change(lambda body: HTML),
    "504 of a load balancer": lambda: Change(lambda body: HTML, 504),
    "silence": lambda: Lose(Hang),
}


@pytest.mark.together
@pytest.mark.parametrize("name", LOST)
def test_a_status_write_whose_answer_is_lost(place, name):
    """The server carried it out and nobody was told: what follows does not do it a second time."""
    with Stage(*place) as stage:
        lost = stage.proxy.on(LOST[name](), **STATUS)
        stage.start()
        made = stage.create()
        stage.wait_hits(lost)
        told = json.loads(lost.requests[0].body)["status"]
        stage.wait_shown(made, 25)
        done = wait_carried_out(stage, made, 1, "status")
        sent = [json.loads(r.body) for r in stage.proxy.requests(name=made, **STATUS)]
        seen = [json.dumps(body["status"], sort_keys=True) for body in sent]
        guards = [body["metadata"]["resourceVersion"] for body in sent]
        # The same words were never stored twice: each write bears the version it was computed from.
        assert len(done) == len(set(seen)) or len(done) < len(sent), stage.passed()
        assert len(set(guards)) == len([r for r in stage.proxy.requests(name=made, **STATUS) if r.status != 409]), guards
        assert told["observedGeneration"] == 1
        stage.works()


@pytest.mark.together
@pytest.mark.parametrize("name", [n for n in LOST if n != "silence"])
def test_a_finalizer_whose_answer_is_lost(place, name):
    """It is there once, and goes once."""
    with Stage(*place) as stage:
        added = stage.proxy.on(LOST[name](), **FINALIZERS)
        stage.connect()
        stage.start()
        made = stage.create(held=True)
        stage.wait_hits(added)
        stage.wait_shown(made)
        assert stage.get(made)["metadata"]["finalizers"] == [FINALIZER]
        assert len(wait_carried_out(stage, made, 1)) == 1, stage.passed()
        removed = stage.proxy.on(LOST[name](), **FINALIZERS)
        stage.delete(made)
        stage.wait_hits(removed)
        stage.wait_gone(made)
        assert len(wait_carried_out(stage, made, 2)) == 2, stage.passed()
        stage.works()


@pytest.mark.together
def test_422_of_a_json_patch_test(place):
    """Somebody else's finalizer came between reading and writing: the server's own refusal is a conflict, re-read soon."""
    with Stage(*place) as stage:
        rule = stage.proxy.on(Meanwhile(lambda request: stage.admin(
            "PATCH", f"{stage.path}/{request.name}", {"metadata": {"finalizers": ["test/other"]}},
            "application/merge-patch+json")), **FINALIZERS)
        stage.connect()
        stage.start()
        made = stage.create(held=True)
        stage.wait_hits(rule)
        stage.wait_shown(made)
        assert stage.proxy.requests(name=made, **FINALIZERS)[0].status == 422, stage.passed()
        assert stage.get(made)["metadata"]["finalizers"] == ["test/other", FINALIZER]
        assert stage.proxy.count(verb="get", name=made, status=200) == 1, stage.passed()
        stage.admin("PATCH", f"{stage.path}/{made}", {"metadata": {"finalizers": [FINALIZER]}}, "application/merge-patch+json")
        stage.works()


@pytest.mark.together
def test_a_conflict_while_the_watch_is_silent(place):
    """The object is read again by itself: no storm of conflicts until somebody notices that the watch is dead."""
    with Stage(*place) as stage:
        switch = Switch()
        stage.proxy.on(switch, resource="tablesyncs", verb="watch")

        def edit(request):
            switch.off.set()
            stage.edit(request.name)

        stage.proxy.on(Meanwhile(edit), **STATUS)
        stage.start()
        made = stage.create()
        stage.wait_shown(made, 10)
        assert stage.get(made)["metadata"]["generation"] == 2
        assert stage.proxy.count(name=made, status=409, **STATUS) == 1, stage.passed()
        assert stage.proxy.count(verb="get", name=made) == 1, stage.passed()


@pytest.mark.together
def test_retry_after_of_a_status_write(place):
    """No status is written earlier; finalizers, events, lists and watches do not wait with it."""
    with Stage(*place) as stage:
        stage.connect()
        stage.start()
        rule = stage.proxy.on(Answer(429, status_body(429, "TooManyRequests"), retry_after="4"), **STATUS)
        first = stage.create()
        stage.wait_hits(rule)
        at = rule.requests[0].at
        second = stage.create(held=True)
        wait_until("the finalizer of the second", lambda: stage.proxy.count(at, name=second, status=200, **FINALIZERS), 3)
        stage.wait_shown(first)
        stage.wait_shown(second)
        assert stage.proxy.requests(at + 0.001, **STATUS)[0].at - at >= 3.95, stage.passed()
        stage.works()


@pytest.mark.together
@pytest.mark.parametrize("status", (403, 404, 429, 500))
def test_events_that_are_refused(place, status):
    """They are the best of efforts: nothing waits for them, and each refusal is told."""
    reasons = {403: "Forbidden", 404: "NotFound", 429: "TooManyRequests", 500: "InternalError"}
    with Stage(*place) as stage:
        rule = stage.proxy.on(Answer(status, status_body(status, reasons[status])), times=None, **EVENTS)
        stage.start()
        stage.works(10)
        stage.wait_hits(rule)
        assert rule.hits <= 6, stage.passed()


# --- credentials ---

def bearer(token: str):
    return lambda request: request.headers.get("authorization") == f"Bearer {token}"


@pytest.mark.together
def test_401_and_then_a_new_token(place, tmp_path_factory):
    """The file has changed: one request is answered 401, the next one bears the new token; nobody is told of a failure."""
    plane = place[0]
    token_file = tmp_path_factory.mktemp("token") / "token"
    token_file.write_text(plane.token_for(SERVICE_ACCOUNT) + " \n")
    with Stage(*place, token_file=token_file) as stage:
        stage.start()
        stage.works()
        # The server knows one token; the proxy says when it is worth nothing, and what another one is worth.
        old, new = plane.token_for(SERVICE_ACCOUNT), "the-new-one"
        refused = stage.proxy.on(Answer(401, status_body(401, "Unauthorized")), times=None, when=bearer(old))
        token_file.write_text(new)
        stage.proxy.translate(new, old)
        stage.works(10)
        assert 1 <= refused.hits <= 8, stage.passed()  # one for each connection that asked with the old one
        assert stage.logged("Unauthorized") == 0, stage.tail()


@pytest.mark.together
def test_401_with_no_new_token(place):
    """Told with what to check, at a bounded rate; once the token is good again everything goes on without a restart."""
    with Stage(*place) as stage:
        stage.start()
        refused = stage.proxy.on(Answer(401, status_body(401, "Unauthorized")), times=None)
        stage.proxy.cut()
        began = time.monotonic()
        stage.wait_logged("Unauthorized", "check that the token or client certificate is valid for this cluster")
        made = stage.create()
        wait_until("a while of it", lambda: refused.hits >= 6, 30)
        assert stage.rate(began, status=401) < 5, stage.passed()
        refused.left = 0
        stage.wait_shown(made, 40)
        stage.works()


@pytest.mark.together
def test_what_waits_for_a_connection_costs_one_status_and_one_event(place):
    """Nothing can have been made for it: no finalizer holds it, and it goes at once."""
    with Stage(*place) as stage:
        stage.start()
        made = stage.create()
        stage.wait_shown(made)
        wait_until("its Event", lambda: stage.proxy.count(**EVENTS) == 1, 10)
        stage.works()
        assert len(stage.proxy.requests(name=made, **STATUS)) == 1, stage.passed()
        assert stage.proxy.count(**FINALIZERS) == 0, stage.passed()
        stage.delete(made)
        assert stage.get(made) is None
