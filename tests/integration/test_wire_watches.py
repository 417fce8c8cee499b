"""Whatever happens to a watch: no change is lost, no list is asked for without need, and nobody asks in a hot loop."""

import json
import time

import pytest

from cluster.processes import wait_until

from .faults import END_OF_INITIAL, Answer, Close, EndAt, Hang, Lines, Pieces, Refuse, Reset, Switch, error_event, event, status_body
from .wire import Stage, gaps, streams_list, versions

SYNCS = {"resource": "tablesyncs"}
WATCH = {"verb": "watch", **SYNCS}
LIST = {"verb": "list", **SYNCS}


@pytest.fixture(scope="module")
def place(wire_plane, tmp_path_factory):
    return wire_plane, tmp_path_factory.mktemp("wire-watches")


def plain(request) -> bool:
    return not streams_list(request)


def begin(stage, fault, times=1):
    """One object is known and watched, through the fault, which comes over the first watch."""
    rule = stage.proxy.on(fault, times=times, when=plain, **WATCH)
    made = stage.create()
    stage.start()
    stage.wait_hits(rule)
    stage.wait_shown(made)
    return rule, made


# name: (fault, whether a list must follow, what the log says)
REFUSED = {
    "401": (lambda: Answer(401, status_body(401, "Unauthorized")), False, "Unauthorized"),
    "403": (lambda: Answer(403, status_body(403, "Forbidden")), False, 'verbs: [\\"watch\\"]'),
    "404": (lambda: Answer(404, b"404 page not found"), True, "NotServed"),
    "410": (lambda: Answer(410, status_body(410, "Expired")), True, None),
    "429": (lambda: Answer(429, status_body(429, "TooManyRequests")), False, "TooManyRequests"),
    "500": (lambda: Answer(500, status_body(500, "InternalError")), False, "ServerError"),
    "502": (lambda: Answer(502, b"<html></html>"), False, "BadGateway"),
    "503": (lambda: Answer(503, b""), False, "Unavailable"),
    "504": (lambda: Answer(504, status_body(504, "Timeout")), False, "Timeout"),
    "504 too large": (lambda: Answer(504, status_body(504, "Timeout", causes=[{
        "reason": "ResourceVersionTooLarge", "message": "Too large resource version"}])), True, "ResourceVersionTooLarge"),
    "an end at once": (lambda: Answer(200, b""), False, "ShortWatch"),
    "a redirect": (lambda: Answer(307, b"", location="/elsewhere"), True, "Redirected"),
    "a page": (lambda: Answer(200, b"<html>\n<body>no watch</body>\n</html>\n"), True, "cannot be read"),
    # Over a connection that was used before: the library asks once more by itself.
    "a reset": (lambda: Refuse(Reset), False, None),
}


@pytest.mark.together
@pytest.mark.parametrize("name", REFUSED)
def test_a_watch_that_does_not_begin(place, name):
    make, relists, words = REFUSED[name]
    with Stage(*place) as stage:
        begin(stage, make())
        stage.works()
        lists, watches = stage.proxy.requests(**LIST), stage.proxy.requests(**WATCH)
        assert len(lists) == (2 if relists else 1), stage.passed()
        watches = [w for w in watches if plain(w)]
        assert len(watches) <= 3, stage.passed()
        if not relists:
            assert len(set(versions(watches))) == 1, stage.passed()
        if words:
            assert relists or gaps(watches)[-1] >= 0.7, stage.passed()
            assert stage.logged("reflector failed", words) == 1, stage.tail()
        assert stage.proxy.count(path="/elsewhere") == 0


# name: (what comes within the stream, whether a list must follow)
WITHIN = {
    "410 Expired": (error_event(410, "Expired"), True),
    "410 Gone": (error_event(410, "Gone"), True),
    "Expired with another code": (error_event(500, "Expired"), True),
    "500": (error_event(500, "InternalError"), True),
    "429": (error_event(429, "TooManyRequests", retryAfterSeconds=1), False),
    "504": (error_event(504, "Timeout"), False),
    "504 too large": (error_event(504, "Timeout", causes=[{"reason": "ResourceVersionTooLarge"}]), True),
    "no JSON": (b"{\"type\":\"MODIFIED\",\"object\":{\"metadata\":\n", True),
    "no version": (event("MODIFIED", kind="TableSync", metadata={"name": "x", "namespace": "y"}), True),
    "a line without an end": (b'{"type":"MODIFIED","object":"' + b"x" * 9_000_000 + b'"}\n', True),
}


@pytest.mark.together
@pytest.mark.parametrize("name", WITHIN)
def test_within_a_watch(place, name):
    """What was made while nothing was watched is seen afterwards."""
    line, relists = WITHIN[name]
    with Stage(*place) as stage:
        began = time.monotonic()
        begin(stage, Lines(first=(line,)))
        wait_until("the next watch", lambda: len([w for w in stage.proxy.requests(**WATCH) if plain(w)]) >= 2, 15)
        stage.works()
        assert stage.proxy.count(**LIST) == (2 if relists else 1), stage.passed()
        assert stage.rate(began, **SYNCS) < 15, stage.passed()


HARMLESS = {
    "an unknown type": event("SOMETHING", kind="TableSync", metadata={"name": "x", "namespace": "y", "resourceVersion": "3"}),
    "5000 bookmarks": b"".join(event("BOOKMARK", kind="TableSync", metadata={"resourceVersion": "VERSION"}) for _ in range(5000)),
    "an empty line": b"\n",
}


@pytest.mark.together
@pytest.mark.parametrize("name", HARMLESS)
def test_what_a_watch_passes_over(place, name):
    """The same watch goes on."""
    with Stage(*place) as stage:
        made = stage.create()
        version = stage.get(made)["metadata"]["resourceVersion"].encode()
        rule = stage.proxy.on(Lines(first=(HARMLESS[name].replace(b"VERSION", version),)), when=plain, **WATCH)
        stage.start()
        stage.wait_hits(rule)
        stage.wait_shown(made)
        stage.works()
        assert (stage.proxy.count(**LIST), len([w for w in stage.proxy.requests(**WATCH) if plain(w)])) == (1, 1), stage.passed()
        assert stage.logged("reflector failed") == 0, stage.tail()


@pytest.mark.together
@pytest.mark.parametrize("how", (Reset, Close))
@pytest.mark.parametrize("part", (0.0, 0.4, 0.999))
def test_cut_within_a_line(place, how, part):
    """The change whose line was cut is seen by the next watch, from the version before it, without a list."""
    with Stage(*place) as stage:
        rule, made = begin(stage, EndAt(b"interval\":\"31s", how, part))
        stage.edit(made, drift={"interval": "31s"})
        stage.wait_shown(made)
        stage.works()
        watches = [w for w in stage.proxy.requests(**WATCH) if plain(w)]
        assert stage.proxy.count(**LIST) == 1 and 2 <= len(watches) <= 3, stage.passed()
        assert rule.hits == 1


@pytest.mark.together
@pytest.mark.parametrize("size", (1, 977, 65536))
def test_lines_in_pieces(place, size):
    """A line of more than 64 KiB, split anywhere, is one event."""
    with Stage(*place) as stage:
        rule, _ = begin(stage, Pieces(size))
        large = stage.create(filler="x" * (3000 if size == 1 else 200_000))
        stage.wait_shown(large)
        stage.works()
        assert (stage.proxy.count(**LIST), rule.hits) == (1, 1), stage.passed()
        assert stage.logged("reflector failed") == 0, stage.tail()


@pytest.mark.together
def test_watches_that_end_at_once_for_ever(place):
    """No hot loop: each is followed by a longer pause, and none by a list."""
    with Stage(*place) as stage:
        rule, _ = begin(stage, Answer(200, b""), times=4)
        stage.wait_hits(rule, 4)
        found = gaps(rule.requests)
        assert all(least <= gap for least, gap in zip((0.7, 1.5, 3.1), found)), found
        stage.works()
        assert stage.proxy.count(**LIST) == 1, stage.passed()


@pytest.mark.together
def test_versions_that_always_expire(place):
    """One 410 is followed by a list at once; one after the other, by pauses as well."""
    with Stage(*place) as stage:
        rule, _ = begin(stage, Answer(410, status_body(410, "Expired")), times=5)
        stage.wait_hits(rule, 5)
        found = gaps(rule.requests)
        assert found[0] < 0.7 and all(least <= gap for least, gap in zip((0.7, 1.5, 3.1), found[1:])), found
        stage.works()


@pytest.mark.together
def test_half_open(place):
    """Silence for longer than --watch-idle-timeout: the watch is opened anew, and what happened meanwhile is seen."""
    with Stage(*place, "--watch-idle-timeout", "5s") as stage:
        switch = Switch()
        rule, made = begin(stage, switch)
        switch.off.set()
        silent = time.monotonic()
        stage.edit(made, drift={"interval": "31s"})
        vanished = stage.create()
        stage.wait_shown(made, 12)
        stage.wait_shown(vanished, 12)
        assert 3 < time.monotonic() - silent < 12
        stage.works()
        assert (stage.proxy.count(**LIST), rule.hits) == (1, 1), stage.passed()


# --- lists that are streamed ---

@pytest.mark.together
def test_a_streamed_list_is_the_watch(place):
    """One request for each type, and it goes on."""
    with Stage(*place, stream=True) as stage:
        made = stage.create()
        stage.start()
        stage.wait_shown(made)
        stage.works()
        found = stage.proxy.requests(**SYNCS)
        reads = [r for r in found if r.verb in ("list", "watch")]
        assert [streams_list(r) for r in reads] == [True], stage.passed()


CUT = {
    "a reset": (lambda: EndAt(END_OF_INITIAL, Reset), "list"),
    "an end mid-line": (lambda: EndAt(END_OF_INITIAL, Close), "list"),
    "410": (lambda: Answer(410, status_body(410, "Expired")), None),
    "429": (lambda: Answer(429, status_body(429, "TooManyRequests")), "TooManyRequests"),
    "500": (lambda: Answer(500, status_body(500, "InternalError")), "ServerError"),
    "403": (lambda: Answer(403, status_body(403, "Forbidden")), "Forbidden"),
    "410 within": (lambda: Lines(first=(error_event(410, "Expired"),)), None),
    "500 within": (lambda: Lines(first=(error_event(500, "InternalError"),)), "ServerError"),
}


@pytest.mark.together
@pytest.mark.parametrize("name", CUT)
def test_a_streamed_list_that_breaks(place, name):
    """Half a state is believed to be none; the next one is streamed too."""
    make, words = CUT[name]
    with Stage(*place, stream=True) as stage:
        made = [stage.create() for _ in range(3)]
        rule = stage.proxy.on(make(), when=streams_list, **SYNCS)
        stage.start(ready=False)
        stage.wait_hits(rule)
        for each in made:
            stage.wait_shown(each)
        stage.works()
        streamed = [r for r in stage.proxy.requests(**SYNCS) if streams_list(r)]
        assert 2 <= len(streamed) <= 3 and stage.proxy.count(**LIST) == 0, stage.passed()
        if words:
            assert stage.logged("reflector failed", words) >= 1, stage.tail()
            assert gaps(streamed)[-1] >= 0.7, stage.passed()


@pytest.mark.together
def test_a_streamed_list_without_its_end(place):
    """It is not believed to be whole, however long it lasts; the controller is not ready and asks again."""
    with Stage(*place, "--watch-idle-timeout", "5s", stream=True) as stage:
        made = stage.create()
        lost = stage.proxy.on(Lines(lambda line: [] if END_OF_INITIAL in line else [line]), when=streams_list, **SYNCS)
        stage.start(ready=False)
        stage.wait_hits(lost)
        assert not stage.controller.ready() and not stage.shown(made)
        stage.wait_shown(made, 20)
        assert stage.controller.ready()
        stage.works()


@pytest.mark.together
def test_deleted_while_the_stream_was_cut(place):
    """A state that is streamed anew removes what it does not name: nothing is kept that has gone."""
    with Stage(*place, stream=True) as stage:
        gone, stays = stage.create(), stage.create()
        stage.start()
        stage.wait_shown(gone)
        stage.wait_shown(stays)
        stage.proxy.stop()
        stage.admin("PATCH", f"{stage.path}/{gone}", {"metadata": {"finalizers": None}}, "application/merge-patch+json")
        stage.delete(gone)
        expired = stage.proxy.on(Answer(410, status_body(410, "Expired")), when=plain, **WATCH)
        stage.proxy.start()
        stage.wait_hits(expired)
        stage.works()
        wait_until("one is left", lambda: stage.controller.metric('tablesync_resources{kind="TableSync"}') == 1, 10)
        assert json.dumps(stage.get(stays)) and stage.get(gone) is None


@pytest.mark.together
def test_a_silent_connection_at_the_start(place):
    """The server takes the request and says nothing at all: given up after the idle time, not for ever."""
    with Stage(*place, "--watch-idle-timeout", "5s", stream=True) as stage:
        made = stage.create()
        silent = stage.proxy.on(Refuse(Hang), when=streams_list, **SYNCS)
        stage.start(ready=False)
        stage.wait_hits(silent)
        stage.wait_shown(made, 20)
        stage.works()
