"""Counting both sides: what is told of a match, of rows on their way, of ghosts and of servers that cannot count."""

import json

import pytest

from .plugin import Plugin
from .system import Group, audit, condition_of, control

NAMESPACE = "verify"
SETTLE_S = 2
COUNT = {"mode": "Count", "settleSeconds": SETTLE_S}
TABLES = {"loaded": {"verify": COUNT}, "ghost": {"verify": {**COUNT, "tolerance": 1}},
          "flight": {"verify": {"settleSeconds": 8}, "sink": {"commitCheckpointInterval": 300}},
          "twice": {}, "missed": {"verify": {**COUNT, "schedule": "0 3 * * *"}}, "asked": {"verify": {"settleSeconds": 1}},
          "held": {"state": "Paused"}, "blind": {}}


@pytest.fixture(scope="module")
def group(running):
    made = Group(running, NAMESPACE)
    for name in TABLES:
        made.sql(f"CREATE TABLE {name} (id INT PRIMARY KEY, v VARCHAR(10))", f"INSERT INTO {name} VALUES (1, 'a'), (2, 'b'), (3, 'c')")
    made.apply(TABLES)
    made.wait_ready(*(set(TABLES) - {"held"}))
    yield made
    made.finish()


def verification(group, name):
    return group.status(name).get("verification", {})


def wait_result(group, name, result, timeout_s=60, **rows):
    """Waits for a count that ended so, with these numbers; returns the resource."""
    def ended(resource):
        found = resource["status"].get("verification", {})
        return found.get("result") == result and rows.items() <= found.items()

    return group.wait(name, f"verification is {result} {rows}", ended, timeout_s)


def runs(group, name):
    return [r for r in audit(group.system, name, NAMESPACE, "runs") if r["trigger"] == "Verify"]


def handled(group, name):
    """Annotates with verify=now and waits until it was answered."""
    before = verification(group, name).get("at"), len(runs(group, name))
    group.annotate(name, verify="now")
    group.wait(name, "verify=now was answered",
               lambda r: "tablesync.dev/verify" not in r["metadata"].get("annotations", {})
               and "request" not in r["status"].get("verification", {}) and len(runs(group, name)) > before[1])
    return verification(group, name)


@pytest.mark.together
def test_what_was_loaded_is_counted(group):
    """Once, by itself; the statements are in the audit, and looking on writes nothing more."""
    found = wait_result(group, "loaded", "Match", sourceRows=3, targetRows=3)
    assert found["status"]["verification"]["mode"] == "Count" and "nextAt" not in found["status"]["verification"]
    assert condition_of(found, "Verified")["status"] == "True" and "3 rows" in condition_of(found, "Verified")["message"]
    assert len(runs(group, "loaded")) == 1
    statements = [s for s in group.statements("loaded") if "COUNT(*)" in s]
    assert len(statements) == 2 and all(s.endswith("FROM `verify`.`loaded`") for s in statements), statements
    assert len(group.told("loaded", "VerificationPassed")) == 1
    version = group.get("loaded")["metadata"]["resourceVersion"]
    group.looks(5)
    assert group.get("loaded")["metadata"]["resourceVersion"] == version and len(runs(group, "loaded")) == 1


@pytest.mark.together
def test_rows_of_nobody_are_a_mismatch(group):
    """Both numbers are named, Ready says nothing else, and tolerance, metric and re-sync do what they say."""
    wait_result(group, "ghost", "Match")
    group.system.starrocks.query("INSERT INTO verify.ghost (id, v) VALUES (100, 'x')")
    assert handled(group, "ghost")["result"] == "WithinTolerance"
    group.system.starrocks.query("INSERT INTO verify.ghost (id, v) VALUES (101, 'y')")
    assert handled(group, "ghost")["result"] == "Mismatch"
    found = wait_result(group, "ghost", "Mismatch", sourceRows=3, targetRows=5)
    verified = condition_of(found, "Verified")
    assert (verified["status"], verified["reason"]) == ("False", "Mismatch")
    for words in ("verify.ghost holds 3 rows", "verify.ghost 5, 2 more", "Truncate", f"within {SETTLE_S} s"):
        assert words in verified["message"]
    assert condition_of(found, "Ready")["status"] == "True" and condition_of(found, "Stalled") == {}
    [event] = group.told("ghost", "VerificationMismatch")
    assert event["type"] == "Warning" and "2 more" in event.get("note", event.get("message"))
    labels = '{namespace="verify",name="ghost"}'
    assert group.system.controller.metric("tablesync_verification_difference_rows" + labels) == 2
    assert group.system.controller.metric('tablesync_verifications_total{result="mismatch"}') >= 1
    group.patch("ghost", resyncToken="1", resyncMode="Truncate")
    wait_result(group, "ghost", "Match", sourceRows=3, targetRows=3)


@pytest.mark.together
def test_rows_on_their_way_are_waited_for(group):
    group.wait_settled("flight")
    group.sql("INSERT INTO flight VALUES (4, 'd'), (5, 'e')")
    assert handled(group, "flight")["result"] == "Match"
    wait_result(group, "flight", "Match", sourceRows=5, targetRows=5)
    told = json.dumps(audit(group.system, "flight", NAMESPACE))
    assert "rows may be on their way" in told and "5 rows and StarRocks table verify.flight 3, 2 fewer" in told


@pytest.mark.together
def test_each_request_is_one_count(group):
    """Whatever the mode; the same word twice is two, and one that comes during a count is not lost."""
    assert verification(group, "twice") == {} and condition_of(group.get("twice"), "Verified") == {}
    for count in (1, 2):
        found = handled(group, "twice")
        assert (found["result"], found["handledRequest"]) == ("Match", "now") and len(runs(group, "twice")) == count
    group.patch("twice", verify={"settleSeconds": 3})
    group.system.starrocks.query("DELETE FROM verify.twice WHERE id = 1")
    group.annotate("twice", verify="first")
    group.wait("twice", "the first is taken", lambda r: r["status"]["verification"].get("request") == "first")
    group.annotate("twice", verify="second")
    for token in ("first", "second"):
        group.wait("twice", f"{token} is answered", lambda r, t=token: r["status"]["verification"].get("handledRequest") == t)
        found = wait_result(group, "twice", "Mismatch", sourceRows=3, targetRows=2)
        assert "1 fewer" in found["status"]["verification"]["message"]
    assert len(runs(group, "twice")) == 6


@pytest.mark.together
def test_what_was_missed_is_made_up_for_once(group):
    """A schedule whose time passed while nobody was there."""
    first = wait_result(group, "missed", "Match")["status"]["verification"]
    assert first["nextAt"][11:13] == "03" and first["nextAt"] > first["at"] and len(runs(group, "missed")) == 1
    long_ago = {"snapshot": {"finishedAt": "2020-01-01T00:00:00Z"}, "verification": {"at": "2020-01-01T12:00:00Z"}}
    group.system.plane.kubectl("patch", "tsync", "missed", "-n", NAMESPACE, "--subresource=status", "--type=merge", "-p",
                               json.dumps({"status": long_ago}))
    again = group.wait("missed", "it was counted anew", lambda r: r["status"]["verification"]["at"] >= first["at"])
    assert again["status"]["verification"]["nextAt"] >= first["nextAt"]
    group.looks(3)
    assert len(runs(group, "missed")) == 2


@pytest.mark.together
def test_a_bad_schedule_is_refused(group):
    """By the API server where it is no five words, by the controller where they mean nothing."""
    for words, verify in (("five fields", {"mode": "Count", "schedule": "every day"}),
                          ("unless spec.verify.mode is Count", {"schedule": "0 3 * * *"}),
                          ("settleSeconds", {"mode": "Count", "settleSeconds": 0}),
                          ("Unsupported value", {"mode": "Checksum"})):
        with pytest.raises(Exception, match=words):
            group.apply({"refused": {"verify": verify}})
    group.sql("CREATE TABLE wrong (id INT PRIMARY KEY)")
    group.apply({"wrong": {"verify": {"mode": "Count", "schedule": "0 25 * * *"}}})
    message = group.wait_condition("wrong", "Ready", "False", "InvalidSpec")["message"]
    assert 'spec.verify.schedule is "0 25 * * *": its hour is "25", must be' in message


@pytest.fixture(scope="module")
def plugin(group, control_plane, tmp_path_factory):
    return Plugin(control_plane, tmp_path_factory.mktemp("verify-plugin") / "bin", group.system.debug, group.system.controller.port)


@pytest.mark.together
def test_kubectl_asks_and_waits(group, plugin):
    done = plugin.run("verify", "asked", "-n", NAMESPACE)
    assert done.stdout.split("\n")[:2] == ["Source   verify.asked  3 rows", "Target   verify.asked  3 rows"]
    assert done.stdout.split("\n")[2].startswith("Result   Match: ")
    group.system.starrocks.query("INSERT INTO verify.asked (id, v) VALUES (7, 'x')")
    found = plugin.json("verify", "tsync/asked", "-n", NAMESPACE, code=1)
    assert (found["result"], found["sourceRows"], found["targetRows"]) == ("Mismatch", 3, 4)
    wide = group.system.plane.kubectl("get", "tsync", "asked", "-n", NAMESPACE, "-o", "wide").stdout.splitlines()
    assert wide[1][wide[0].index("VERIFIED"):].split()[0] == "Mismatch"
    status = plugin.run("status", "asked", "-n", NAMESPACE, code=0).stdout
    assert "\nVerify   on request  3 and 4  Mismatch" in status


@pytest.mark.together
def test_kubectl_says_why_nothing_was_counted(group, plugin):
    """A paused stream is not counted; the request waits, and is answered when it runs again."""
    group.wait_condition("held", "Paused", "True", "Requested")
    done = plugin.run("verify", "held", "-n", NAMESPACE, "--timeout", "2s", code=1)
    assert done.stdout == "" and "is Paused" in done.stderr and "2s" in done.stderr
    group.wait_condition("held", "Verified", "Unknown", "NotRun")
    assert plugin.run("verify", "held", "-n", NAMESPACE, "--timeout", "soon", code=2).stderr.startswith("tablesync: ")
    assert plugin.run("verify", "nobody", "-n", NAMESPACE, code=4).stdout == ""
    group.patch("held", state="Running")
    wait_result(group, "held", "Match", sourceRows=3)


def test_a_server_that_cannot_count_changes_nothing_else(group):
    """Its words are told, and Ready stays; no password is in them."""
    group.wait_settled("blind")
    before = condition_of(group.get("blind"), "Ready")
    port = group.system.starrocks.ports["control-port"]
    counted = len(runs(group, "blind"))
    control(port, "/backends", {"alive": 0})
    try:
        found = handled(group, "blind")
        assert len(runs(group, "blind")) == counted + 1, "it was asked again and again"
        assert found["result"] == "Inconclusive" and found["sourceRows"] == 3 and "targetRows" not in found
        assert "the rows of StarRocks table verify.blind could not be counted" in found["message"]
        assert condition_of(group.get("blind"), "Verified")["status"] == "Unknown"
        assert condition_of(group.get("blind"), "Ready") == before
    finally:
        control(port, "/backends", {"alive": 1})
    assert [e["type"] for e in group.told("blind", "VerificationInconclusive")] == ["Warning"]
    assert handled(group, "blind")["result"] == "Match"
