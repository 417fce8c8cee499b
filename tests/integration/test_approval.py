"""Nothing runs before somebody said yes to exactly that: plans in status, approvals by their hash."""

import json
import os
import subprocess

import pytest

from . import system as sys_
from .system import STARROCKS_PASSWORD, Group, assert_no_secret, condition_of, connection_manifest, secret_manifest

# With a number of replicas: without one it may be learned from a refusal of StarRocks, by the controller alone.
MANUAL = {"plan": {"mode": "Manual"}, "target": {"properties": {"replication_num": "1"}}}


@pytest.fixture(scope="module")
def group(running):
    made = Group(running, "approval")
    for name in ("manual", "living", "outdated", "planned", "learned"):
        made.sql(f"CREATE TABLE {name} (id INT PRIMARY KEY, v VARCHAR(10))", f"INSERT INTO {name} VALUES (1, 'a'), (2, 'b')")
    yield made
    made.finish()


def waiting(group, name):
    """The plan that waits, once it does."""
    message = group.wait_stalled(name, "WaitingForApproval", "PlanApproved")
    plan = group.status(name)["plan"]
    assert plan["hash"] in message and f"kubectl annotate tablesync {name} -n {group.namespace}" in message
    return plan


def approve(group, name, plan):
    group.annotate(name, approve_plan=plan["hash"])


def test_nothing_is_created_before_it_is_approved(group):
    """The whole plan is readable, without passwords; an approval of another one is refused by name."""
    name, before = "manual", group.system.catalogs()
    group.apply({name: MANUAL})
    plan = waiting(group, name)
    assert [s["sql"].split(" ")[0:2] for s in plan["statements"]][-3:] == [["COMMENT", "ON"], ["CREATE", "TABLE"],
                                                                        ["CREATE", "SINK"]]
    assert plan["statementsTotal"] == len(plan["statements"])
    assert {s["system"] for s in plan["statements"]} == {"RisingWave", "StarRocks"}
    assert {s["risk"] for s in plan["statements"]} == {"Safe"}
    text = json.dumps(plan)
    assert "password='***'" in text.replace(" ", "") or "***" in text
    assert_no_secret(json.dumps(group.get(name)), "the plan in status")
    group.looks(5)
    assert group.system.catalogs() == before
    assert group.status(name)["phase"] == "Stalled" and not condition_of(group.get(name), "Reconciling")
    wrong = "sha256:" + "0" * 64
    group.annotate(name, approve_plan=wrong)
    group.wait_stalled(name, "PlanOutdated", "PlanApproved", (wrong, plan["hash"], "--overwrite"))
    assert group.system.catalogs() == before
    group.annotate(name, approve_plan=plan["hash"])
    group.wait_ready(name)
    group.wait_rows(name)
    assert "annotations" not in group.get(name)["metadata"] or not [
        key for key in group.get(name)["metadata"]["annotations"] if key.endswith("approve-plan")]
    assert "plan" not in group.status(name)
    assert len(group.events(name, "PlanApproved")) == 1
    # Not counting what was there for other tables: the source's schema.
    assert len(group.statements(name)) == plan["statementsTotal"]


def test_the_command_line_shows_the_same_plan(group, tmp_path):
    """`tablesync plan` reads the file and the servers, and comes to the same statements and the same hash."""
    name = "planned"
    group.apply({name: MANUAL})
    plan = waiting(group, name)
    path = tmp_path / "sync.yaml"
    path.write_text(json.dumps(group.manifest(name, **MANUAL)), encoding="utf-8")
    done = subprocess.run([os.environ["TABLESYNC_BIN"], "plan", "-f", str(path), "-o", "json", "--kubeconfig",
                           str(group.system.plane.admin_kubeconfig)], capture_output=True, text=True, timeout=60, check=True)
    assert_no_secret(done.stdout + done.stderr, "the plan")
    shown = json.loads(done.stdout)
    assert shown["hash"] == plan["hash"] and shown["needsApproval"] is True
    assert [step["sql"] for step in shown["steps"]] == [s["sql"] for s in plan["statements"]]


def test_one_approval_carries_a_change_through_all_its_phases(group):
    """A replacement waits for StarRocks, for a backfill and for deliveries: one yes covers it to the end."""
    name = "living"
    group.apply({name: MANUAL})
    approve(group, name, waiting(group, name))
    group.wait_ready(name)
    group.sql(f"ALTER TABLE {name} ADD COLUMN note VARCHAR(10) NULL", f"ALTER TABLE {name} MODIFY v VARCHAR(100)")
    # Both changes may be noticed apart: the plan that waits in the end has both.
    group.wait(name, "the plan has both", lambda r: {"note", "v"} <= {
        word.strip('`",') for s in r["status"].get("plan", {}).get("statements", []) for word in s["sql"].split()})
    plan = waiting(group, name)
    group.sql(f"INSERT INTO {name} VALUES (3, 'c', 'n')")
    group.wait_rows(name, [(1, "a"), (2, "b"), (3, "c")])
    assert list(group.target_columns(name)) == ["id", "v"] and group.streams(name) == (["1"], ["1"])
    approve(group, name, plan)
    group.wait(name, "the change is carried through", lambda _: "note" in group.target_columns(name))
    assert group.wait_settled(name) == ("1", "2")
    assert group.target_columns(name)["v"] == "varchar(400)"
    assert len(group.events(name, "PlanApproved")) >= 1
    assert "plan" not in group.status(name)


def test_pausing_and_resuming_need_no_approval(group):
    """What a person asks for by spec.state, and what loses nothing."""
    name = "living"
    group.wait_settled(name)
    group.patch(name, state="Paused")
    group.wait_condition(name, "Paused", "True", "Requested")
    group.patch(name, sink={"commitCheckpointInterval": 5})
    group.patch(name, state="Running")
    group.wait_ready(name)
    assert "plan" not in group.status(name)


def test_a_plan_that_changed_meanwhile_must_be_read_again(group):
    """A yes to the plan of before is no yes to the plan of now."""
    name = "outdated"
    group.apply({name: MANUAL})
    approve(group, name, waiting(group, name))
    group.wait_ready(name)
    group.sql(f"ALTER TABLE {name} ADD COLUMN first INT NULL")
    first = waiting(group, name)
    group.sql(f"ALTER TABLE {name} ADD COLUMN second INT NULL")
    group.wait(name, "the plan is another one", lambda r: r["status"].get("plan", {}).get("hash") not in (None, first["hash"]))
    approve(group, name, first)
    group.wait_stalled(name, "PlanOutdated", "PlanApproved", (first["hash"],))
    assert list(group.target_columns(name)) == ["id", "v"]
    approve(group, name, group.status(name)["plan"])
    group.wait(name, "both are there", lambda _: {"first", "second"} <= set(group.target_columns(name)))
    group.wait_settled(name)


def test_a_yes_holds_although_starrocks_has_fewer_backends(group, tmp_path):
    """How many there are is told by a refusal alone: fewer replicas than the plan said are no other plan."""
    name = "learned"
    cluster = sys_.StarRocks(tmp_path).start()
    try:
        sys_.prepare_starrocks(cluster, group.database)
        group.system.apply(secret_manifest("fresh", "tablesync", STARROCKS_PASSWORD, group.namespace),
                           connection_manifest("fresh", "StarRocks", cluster.port, group.namespace,
                                               starRocks={"httpPort": cluster.ports["http-port"]}))
        manifest = group.manifest(name, plan={"mode": "Manual"})
        manifest["spec"]["target"]["connectionRef"]["name"] = "fresh"
        group.system.apply(manifest)
        approve(group, name, waiting(group, name))
        group.wait_ready(name)
        assert cluster.query(f"SELECT id, v FROM {group.database}.{name} ORDER BY id") == [(1, "a"), (2, "b")]
        group.delete(name)
    finally:
        cluster.stop()
