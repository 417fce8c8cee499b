"""GitOps tools understand our resources, and nobody fights over their fields.

The objects are those that the real controller writes. They are recorded, so that a change of what tools read shows as a
difference: TABLESYNC_RECORD=1 writes tests/integration/recorded/ anew.
"""

import json
import urllib.request

import pytest

from . import judges, readme
from .system import MYSQL_PASSWORD, Group, condition_of, connection_manifest, control, secret_manifest

# What kstatus and Argo CD are to say of each recorded object.
VERDICTS = {
    "unseen": ("InProgress", "Progressing"),
    "provisioning": ("InProgress", "Progressing"),
    "ready": ("Current", "Healthy"),
    "changed": ("InProgress", "Progressing"),
    "paused": ("InProgress", "Suspended"),
    "left-alone": ("Current", "Suspended"),
    "waiting-for-approval": ("Failed", "Suspended"),
    "stalled": ("Failed", "Degraded"),
    "no-connection": ("InProgress", "Progressing"),
    "failing": ("InProgress", "Degraded"),
    "sink-failed": ("InProgress", "Degraded"),
    "deleting": ("Terminating", "Progressing"),
    "connection-unseen": ("InProgress", "Progressing"),
    "connection-ready": ("Current", "Healthy"),
    "connection-without-secret": ("InProgress", "Progressing"),
    "connection-refused": ("InProgress", "Degraded"),
    "connection-in-use": ("Terminating", "Progressing"),
}
OFFERED = {
    "unseen": {"pause", "resync", "retry"},
    "ready": {"pause", "resync", "retry"},
    "paused": {"resume", "retry"},
    "waiting-for-approval": {"approve", "pause", "resync", "retry"},
    "stalled": {"pause", "resync", "retry"},
    "deleting": {"retry"},
}
# With a number of replicas, as a first run without one is refused and tried again, sometimes.
ONE = {"target": {"properties": {"replication_num": "1"}}}


@pytest.fixture(scope="module")
def group(running):
    made = Group(running, "gitops")
    for name in ("flow", "fought", "manual", "acted", "full"):
        made.sql(f"CREATE TABLE {name} (id INT PRIMARY KEY, v VARCHAR(10))", f"INSERT INTO {name} VALUES (1, 'a'), (2, 'b')")
    made.sql("CREATE TABLE keyless (v INT)")
    yield made
    made.finish()


def created(group, manifest):
    """As the API server stores it, before any controller has seen it."""
    return json.loads(group.system.plane.kubectl("create", "-o", "json", "-f", "-", input=json.dumps(manifest)).stdout)


def patched(group, name, patch, kind="tsync"):
    return json.loads(group.system.plane.kubectl("patch", kind, name, "-n", group.namespace, "--type=merge", "-o", "json", "-p",
                                                 json.dumps(patch)).stdout)


def history(group, name, since):
    """Every state that the API server has stored since that version, in order."""
    path = (f"/apis/tablesync.dev/v1alpha1/namespaces/{group.namespace}/tablesyncs?watch=1&timeoutSeconds=1"
            f"&fieldSelector=metadata.name%3D{name}&resourceVersion={since}")
    request = urllib.request.Request(group.system.plane.url + path)
    request.add_header("Authorization", f"Bearer {group.system.plane.token_for('admin')}")
    with group.system.opener.open(request, timeout=30) as answer:
        return [json.loads(line)["object"] for line in answer]


def deleted(group, name, kind="tablesyncs"):
    """The object as it is once somebody has asked for its end."""
    path = f"/apis/tablesync.dev/v1alpha1/namespaces/{group.namespace}/{kind}/{name}"
    return json.loads(group.system.plane.kubectl("delete", "--raw", path).stdout)


def judge(name, resource):
    """The object is the recorded one, and both tools say of it what they should."""
    judges.compare(name, resource)
    (status,), ((health, message),) = judges.kstatus(resource), judges.argo(resource)
    assert (status, health) == VERDICTS[name], message
    return message


# --- states ---

def test_from_nothing_to_ready(group):
    """Whatever the tools see on the way: work that goes on, and at its end, once, that it is done."""
    new = created(group, group.manifest("flow", **ONE))
    assert new["status"]["observedGeneration"] == -1
    judge("unseen", new)
    group.wait_ready("flow")
    states = history(group, "flow", new["metadata"]["resourceVersion"])
    judge("provisioning", next(s for s in states if condition_of(s, "Ready").get("reason") == "Provisioning"))
    verdicts = list(zip(judges.kstatus(*states), [health for health, _ in judges.argo(*states)]))
    ends = verdicts.index(("Current", "Healthy"))
    assert ends > 0 and set(verdicts[:ends]) == {("InProgress", "Progressing")}
    assert set(verdicts[ends:]) == {("Current", "Healthy")}
    judge("ready", group.get("flow"))


def test_a_change_is_work_until_it_is_seen(group):
    changed = patched(group, "flow", {"spec": {"sink": {"commitCheckpointInterval": 5}}})
    judge("changed", changed)
    group.wait_ready("flow")


def test_paused(group):
    patched(group, "flow", {"spec": {"state": "Paused"}})
    group.wait_condition("flow", "Paused", "True", "Requested")
    judge("paused", group.get("flow"))
    patched(group, "flow", {"spec": {"state": "Running"}})
    group.wait_ready("flow")


def test_left_alone(group):
    group.annotate("flow", pause_reconcile="true")
    group.wait_condition("flow", "Paused", "True", "ReconciliationPaused")
    judge("left-alone", group.get("flow"))
    patched(group, "flow", {"metadata": {"annotations": {"tablesync.dev/pause-reconcile": None}}})
    group.wait_ready("flow")
    wait = group.wait("flow", "no longer paused", lambda resource: not condition_of(resource, "Paused"))
    assert judges.argo(wait)[0][0] == "Healthy"


def test_what_waits_for_a_person(group):
    group.apply({"manual": {"plan": {"mode": "Manual"}, **ONE}, "keyless": {}})
    group.wait_condition("manual", "Stalled", "True", "WaitingForApproval")
    assert "approve-plan" in judge("waiting-for-approval", group.get("manual"))
    group.wait_condition("keyless", "Stalled", "True", "NoPrimaryKey")
    assert "primary key" in judge("stalled", group.get("keyless"))


def test_what_is_tried_again(group):
    """A connection that comes later must not fail a sync; what failed again and again is shown as bad."""
    group.system.apply(group.manifest("orphaned", source={"connectionRef": {"name": "nobody"}}), group.manifest("missing"))
    group.wait_condition("orphaned", "Ready", "False", "ConnectionNotFound")
    judge("no-connection", group.get("orphaned"))
    first = group.wait("missing", "failed", lambda r: condition_of(r, "Ready").get("reason") == "TableNotFound")
    if first["status"]["retries"] < judges.PATIENCE:
        assert judges.argo(first)[0][0] == "Progressing"
    failing = group.wait("missing", "failed often", lambda r: r["status"].get("retries", 0) >= judges.PATIENCE)
    judge("failing", failing)
    assert judges.argo(_with(failing, retries=judges.PATIENCE - 1))[0][0] == "Progressing"


def _with(resource, **status):
    return {**resource, "status": {**resource["status"], **status}}


def test_a_sink_that_cannot_deliver(group):
    port = group.system.starrocks.ports["control-port"]
    control(port, "/load", {"fail": "the disk is full", "on": "load"})
    try:
        group.apply({"full": ONE})
        group.wait_condition("full", "Ready", "False", "SinkFailed")
        made = group.wait("full", "the sink has been made", lambda full: "Creating" not in {
            each["state"] for each in full["status"]["objects"]})
        assert "the disk is full" in judge("sink-failed", made)
    finally:
        control(port, "/load", {"fail": None})
    group.wait_ready("full")


def test_connections(group):
    new = created(group, connection_manifest("late", "MySQL", group.mysql.port, group.namespace))
    judge("connection-unseen", new)

    def ready(status, reason):
        group.system.wait_condition("late", "Ready", status, reason, namespace=group.namespace, resource="dbconn")
        return group.system.get("late", "dbconn", group.namespace)

    assert "late" in judge("connection-without-secret", ready("False", "SecretNotFound"))
    group.system.apply(secret_manifest("late", "cdc", "wrong", group.namespace))
    judge("connection-refused", ready("False", "AuthFailed"))
    group.system.apply(secret_manifest("late", "cdc", MYSQL_PASSWORD, group.namespace))
    judge("connection-ready", ready("True", "Connected"))
    group.system.apply(group.manifest("holder", source={"connectionRef": {"name": "late"}}))


# --- actions ---

def test_actions_are_offered_where_they_make_sense():
    for name, wanted in OFFERED.items():
        assert judges.offered(judges.recorded(name)) == wanted, name
    assert {each["name"] for each in judges.actions()["definitions"]} == set().union(*OFFERED.values())


def press(group, name, action):
    return patched(group, name, judges.action(action, group.get(name)))


def test_approving(group):
    assert judges.argo(group.get("manual"))[0][0] == "Suspended"
    press(group, "manual", "approve")
    group.wait_ready("manual")
    group.wait_rows("manual")


def test_pausing_resyncing_retrying(group):
    """Each action changes what it is for, and nothing else of the object."""
    group.apply({"acted": ONE})
    group.wait_ready("acted")
    before = group.get("acted")["spec"]
    assert judges.action("pause", group.get("acted")) == {"spec": {"state": "Paused"}}
    press(group, "acted", "pause")
    group.wait_condition("acted", "Paused", "True", "Requested")
    press(group, "acted", "resume")
    group.wait_ready("acted")
    assert group.get("acted")["spec"] == before
    token = press(group, "acted", "resync")["spec"]["resyncToken"]
    group.wait("acted", "loaded anew", lambda r: r["status"].get("resync", {}).get("state") == "Done"
               and r["status"]["resync"]["token"] == token)
    assert press(group, "acted", "retry")["metadata"]["annotations"]["tablesync.dev/retry"] == "now"
    group.wait("acted", "the request was taken", lambda r: "tablesync.dev/retry" not in r["metadata"].get("annotations", {}))


# --- Argo CD's own configuration ---

def test_the_patch_fits_the_config_map(group, tmp_path):
    """By README's command: what stands there stays, and kubectl patch and kustomize add the same."""
    group.system.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "argocd"}},
                       {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm", "namespace": "argocd"},
                        "data": {"url": "https://argocd.example.com"}})
    block, = readme.commands("test_gitops.py")
    readme.run(block, judges.ROOT, readme.environment(tmp_path, group.system.plane.admin_kubeconfig))
    found = group.system.plane.get("configmap", "argocd-cm", "-n", "argocd")["data"]
    assert found == {"url": "https://argocd.example.com", **judges.customizations()}


# --- fields ---

MANAGERS = ("argocd-controller", "kustomize-controller")


def applied(group, manifest, manager, verb="apply"):
    return group.system.plane.kubectl(verb, "--server-side", f"--field-manager={manager}", "-f", "-",
                                      input=json.dumps(manifest), check=False)


def owned(resource, manager):
    """(operation, subresource, fields) of what a manager owns; fields as dotted names, two deep."""
    found = set()
    for entry in resource["metadata"].get("managedFields", []):
        if entry["manager"] == manager:
            for top, below in entry["fieldsV1"].items():
                found |= {(entry["operation"], entry.get("subresource", ""), f"{top}.{name}" if top == "f:metadata" else top)
                          for name in below}
    return found


def test_two_tools_and_the_controller_do_not_fight(group):
    """Applied again and again, while the controller works and once it is done: no conflict, no other generation, nothing
    to put right."""
    manifest = group.manifest("fought", **ONE)
    for _ in range(3):
        for manager in MANAGERS:
            done = applied(group, manifest, manager)
            assert done.returncode == 0, done.stderr
    group.wait_ready("fought")
    before = group.get("fought")
    assert before["metadata"]["generation"] == 1
    looks = group.system.controller.metric_sum("tablesync_status_writes_total")
    for _ in range(3):
        for manager in MANAGERS:
            done = applied(group, manifest, manager)
            assert done.returncode == 0, done.stderr
            shown = applied(group, manifest, manager, "diff")
            assert (shown.returncode, shown.stdout) == (0, ""), shown
    group.looks(6)
    after = group.get("fought")
    assert after["metadata"]["generation"] == 1 and after["spec"] == before["spec"]
    assert after["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"], looks


def test_the_controller_owns_status_and_finalizer_alone(group):
    resource = group.get("fought")
    managers = {entry["manager"] for entry in resource["metadata"]["managedFields"]}
    ours, = managers - set(MANAGERS)
    assert owned(resource, ours) == {("Apply", "status", "f:status"), ("Update", "", "f:metadata.f:finalizers")}
    for manager in MANAGERS:
        assert {field for _, _, field in owned(resource, manager)} == {"f:spec"}


# --- the end ---

def test_deletion(group):
    """What is on its way out is neither healthy nor failed; it waits for a server in words."""
    group.system.apply(group.manifest("flow", **ONE))
    group.wait_ready("flow")
    group.system.plane.kubectl("delete", "secret", "rw", "-n", group.namespace)
    group.wait_condition("flow", "Ready", "False", "SecretNotFound")
    judge("deleting", deleted(group, "flow"))
    blocked = group.wait("flow", "blocked", lambda r: condition_of(r, "Ready").get("reason") == "DeletionBlocked")
    assert judges.kstatus(blocked) == ["Terminating"] and judges.argo(blocked)[0][0] == "Progressing"
    assert "Secret" in judges.argo(blocked)[0][1]
    deleted(group, "late", "databaseconnections")
    held = group.system.wait_condition("late", "Ready", "False", "InUse", namespace=group.namespace, resource="dbconn")
    assert "holder" in held["message"]
    judge("connection-in-use", group.system.get("late", "dbconn", group.namespace))


def test_every_recorded_object_is_judged():
    """No fixture is left over, and each says the same when it is read back."""
    assert {path.stem for path in judges.RECORDED.glob("*.json")} == set(VERDICTS)
    names = sorted(VERDICTS)
    objects = [judges.recorded(name) for name in names]
    found = zip(judges.kstatus(*objects), [health for health, _ in judges.argo(*objects)])
    assert dict(zip(names, found)) == VERDICTS
