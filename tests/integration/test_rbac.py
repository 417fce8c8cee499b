"""Least privilege, proven from both sides: with the rules of manifests/rbac.yaml everything works, and without any one verb
of them something stops, in words that name the verb and the resource.

The control plane is one of its own, because its ClusterRoles are taken apart; each case has a namespace of its own.
"""

import copy
import json
import os
import re
import subprocess
import urllib.error
import urllib.request
from dataclasses import dataclass

import pytest

from cluster.controlplane import start_control_plane
from cluster.processes import free_port, wait_until

from . import system as sys_
from .system import MYSQL_PASSWORD, SERVICE_ACCOUNT, Controller, System, condition_of, secret_manifest, sync_manifest

OURS, EVENTS, CORE = "tablesync.dev", "events.k8s.io", ""
# verb, API group, resource, subresource: each line of the roles, taken apart. test_every_verb_has_a_case compares.
CASES = [
    ("get", OURS, "tablesyncs", ""), ("get", OURS, "databaseconnections", ""),
    ("list", OURS, "tablesyncs", ""), ("watch", OURS, "tablesyncs", ""), ("patch", OURS, "tablesyncs", ""),
    ("patch", OURS, "tablesyncs", "status"),
    ("list", OURS, "databaseconnections", ""), ("watch", OURS, "databaseconnections", ""),
    ("patch", OURS, "databaseconnections", ""), ("patch", OURS, "databaseconnections", "status"),
    ("create", EVENTS, "events", ""), ("patch", EVENTS, "events", ""),
    ("get", CORE, "secrets", ""), ("list", CORE, "secrets", ""), ("watch", CORE, "secrets", ""),
    ("create", "authentication.k8s.io", "tokenreviews", ""), ("create", "authorization.k8s.io", "subjectaccessreviews", ""),
]
STEP_S = 40
READER = "system:serviceaccount:default:scraper"
DATABASE = "least"


@pytest.fixture(scope="module")
def plane(tmp_path_factory):
    with start_control_plane(tmp_path_factory.mktemp("rbac"), users=[SERVICE_ACCOUNT, READER]) as made:
        sys_.install(made)
        made.kubectl("create", "clusterrolebinding", "scraper", "--clusterrole=tablesync-metrics-reader",
                     "--serviceaccount=default:scraper")
        yield made


@pytest.fixture(scope="module")
def home(plane, system):
    system.mysql.execute(f"CREATE DATABASE {DATABASE}")
    sys_.grant_starrocks(system.starrocks, DATABASE)
    made = System(plane, system.mysql, system.rw, system.starrocks)
    wait_until("both kinds are served", lambda: served(made), 30)
    return made


def served(system):
    """A kind that was just made answers 429 until its storage is there."""
    try:
        return all(system.listed("default", plural) == {} for plural in ("tablesyncs", "databaseconnections"))
    except urllib.error.HTTPError:
        return False


def roles(plane):
    """The ClusterRoles bound to the controller, by name, as manifests/rbac.yaml has them."""
    done = plane.kubectl("create", "--dry-run=client", "-o", "json", "-f", str(sys_.ROOT / "manifests/rbac.yaml"))
    objects, at, decoder = [], 0, json.JSONDecoder()
    while at < len(done.stdout.rstrip()):
        found, length = decoder.raw_decode(done.stdout[at:])
        objects.append(found)
        at += length + len(done.stdout[at + length:]) - len(done.stdout[at + length:].lstrip())
    ours = {"kind": "ServiceAccount", "name": "tablesync", "namespace": "tablesync-system"}
    bound = {o["roleRef"]["name"] for o in objects if o["kind"] == "ClusterRoleBinding" and ours in o["subjects"]}
    return {o["metadata"]["name"]: o for o in objects if o["kind"] == "ClusterRole" and o["metadata"]["name"] in bound}


def verbs_of(role):
    return {(verb, group, *(resource.split("/", 1) if "/" in resource else (resource, "")))
            for rule in role["rules"] for verb in rule["verbs"] for group in rule["apiGroups"] for resource in rule["resources"]}


def without(role, case):
    """The role with one verb of one resource fewer, everything else as it was."""
    less = copy.deepcopy(role)
    less["metadata"] = {"name": role["metadata"]["name"], "labels": role["metadata"].get("labels", {})}
    less["rules"] = [{"apiGroups": [group], "resources": [f"{resource}/{sub}" if sub else resource], "verbs": [verb]}
                     for verb, group, resource, sub in sorted(verbs_of(role)) if (verb, group, resource, sub) != case]
    return less


def test_every_verb_has_a_case(plane):
    """A rule that is added without a case here is a rule that nobody needs."""
    found = roles(plane)
    assert set().union(*(verbs_of(role) for role in found.values())) == set(CASES)
    for role in found.values():
        for rule in role["rules"]:
            assert "*" not in rule["verbs"] + rule["resources"] + rule["apiGroups"] and "nonResourceURLs" not in rule


def may(plane, verb, group, resource, sub, namespace):
    done = plane.kubectl("auth", "can-i", verb, f"{resource}.{group}" if group else resource, f"--subresource={sub}", "-n",
                         namespace, "-q", kubeconfig=plane.kubeconfig_for(SERVICE_ACCOUNT), check=False)
    return done.returncode == 0


@dataclass
class Stage:
    """One run of the controller in a namespace of its own, and what was said in it."""
    home: System
    controller: Controller
    namespace: str
    forbidden: re.Pattern
    console: str = ""  # what a command in the pod said

    def complaint(self):
        """The sentence that names verb and resource, in the log or in a status; None while there is none."""
        shown = [self.controller.log_text(), self.console]
        shown += [json.dumps(o.get("status", {})) for plural in ("tablesyncs", "databaseconnections")
                  for o in self.home.listed(self.namespace, plural).values()]
        for text in shown:
            match = self.forbidden.search(text)
            if match:
                return match.group()
        return None

    def reach(self, what, goal):
        """Waits for the goal, or for the complaint: then Refused, with the goal's name."""
        found = {}

        def either():
            found["goal"] = goal()
            found["complaint"] = None if found["goal"] else self.complaint()
            return found["goal"] or found["complaint"]

        try:
            wait_until(what, either, STEP_S)
        except TimeoutError as late:
            raise AssertionError(f"{late}, and nobody says why:\n{self.controller.log_text()[-3000:]}") from late
        if found["complaint"]:
            raise Refused(what, found["complaint"])

    def sync(self):
        return self.home.listed(self.namespace).get("one", {})

    def ready(self, plural, name, reason=None):
        c = condition_of(self.home.listed(self.namespace, plural).get(name, {}), "Ready")
        return c.get("reason") == reason if reason else c.get("status") == "True"

    def patch(self, kind, **spec):
        self.home.plane.kubectl("patch", kind, "one", "-n", self.namespace, "--type=merge", "-p", json.dumps({"spec": spec}))


class Refused(Exception):
    """The scenario stopped at a step because of a missing verb."""


def has_events(stage, count):
    """An Event, and for more than one also the same again, counted on the first."""
    found = stage.home.events("one", stage.namespace)
    return any(e.get("series", {}).get("count", 1) >= count for e in found)


def scrape(stage):
    """Metrics with a token; False while they are refused."""
    request = urllib.request.Request(f"http://127.0.0.1:{stage.controller.port}/metrics")
    request.add_header("Authorization", f"Bearer {stage.home.plane.token_for(READER)}")
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return b"tablesync_resources" in answer.read()
    except (OSError, urllib.error.HTTPError):
        return False


def plan(stage, manifest):
    """`tablesync plan`, as `kubectl exec` in the controller's pod runs it."""
    done = subprocess.run([os.environ["TABLESYNC_BIN"], "plan", "-f", "-", "--kubeconfig",
                           str(stage.home.plane.kubeconfig_for(SERVICE_ACCOUNT))], input=json.dumps(manifest), text=True,
                          capture_output=True, timeout=60, check=False)
    stage.console = done.stderr
    return done.returncode == 0 and "CREATE SINK" in done.stdout


def scenario(stage):
    """All that the controller needs the API server for, in the order in which a lack shows soonest."""
    home, space = stage.home, stage.namespace
    stage.reach("metrics with a token", lambda: scrape(stage))
    for name in ("shop-mysql", "rw", "warehouse"):
        stage.reach(f"connection {name} is Ready", lambda name=name: stage.ready("databaseconnections", name))
    # The Secret is watched as soon as the connection has been looked at: a wrong password shows at once, by its Event.
    home.apply(secret_manifest("shop-mysql", "cdc", "wrong", space))
    stage.reach("a changed Secret is noticed", lambda: stage.ready("databaseconnections", "shop-mysql", "AuthFailed"))
    home.apply(secret_manifest("shop-mysql", "cdc", MYSQL_PASSWORD, space))
    stage.reach("and the right one again", lambda: stage.ready("databaseconnections", "shop-mysql"))
    table = space.replace("-", "_")
    home.mysql.execute(f"CREATE TABLE {DATABASE}.{table} (id INT PRIMARY KEY)")
    wanted = sync_manifest("one", DATABASE, table, target_database=DATABASE, namespace=space, deletionPolicy="Delete")
    stage.reach("a plan in the pod", lambda: plan(stage, wanted))
    home.apply(wanted)
    stage.reach("a finalizer is held", lambda: "tablesync.dev/cleanup" in stage.sync()["metadata"].get("finalizers", []))
    stage.reach("the connection is held", lambda: home.listed(space, "databaseconnections")["rw"]["metadata"].get("finalizers"))
    stage.reach("the TableSync is Ready", lambda: stage.ready("tablesyncs", "one", "Streaming"))
    stage.reach("there is an Event", lambda: has_events(stage, 1))
    home.plane.kubectl("annotate", "tablesync", "one", "-n", space, "tablesync.dev/retry=now")
    stage.reach("the retry annotation is taken", lambda: "tablesync.dev/retry" not in
                stage.sync()["metadata"].get("annotations", {}))
    for state, reason in (("Paused", "Paused"), ("Running", "Streaming")) * 2:
        stage.patch("tablesync", state=state)
        stage.reach(f"the TableSync is {state}", lambda reason=reason: stage.ready("tablesyncs", "one", reason))
    stage.reach("an Event that came again", lambda: has_events(stage, 2))
    home.plane.kubectl("delete", "tablesync", "one", "-n", space, "--wait=false")
    stage.reach("the deletion ends", lambda: not stage.sync())
    home.plane.kubectl("delete", "databaseconnection", "rw", "-n", space, "--wait=false")
    stage.reach("the connection is let go", lambda: "rw" not in home.listed(space, "databaseconnections"))


def play(home, tmp_path, namespace, forbidden, *arguments):
    """Runs the scenario; returns the stage. Refused when it stopped."""
    home.connect(namespace)
    probes = free_port()
    controller = Controller(home.plane, tmp_path, "--metrics-authorization", "--health-probe-bind-address",
                            f"127.0.0.1:{probes}", *arguments, namespace=namespace)
    # Not start(): without `list` it never turns ready.
    controller.daemon.start(lambda: "started" in controller.log_text(), 30)
    stage = Stage(home, controller, namespace, forbidden)
    try:
        scenario(stage)
        return stage
    finally:
        controller.stop()


def test_with_every_verb_it_works(home, tmp_path):
    """And not one request was refused, known as a need or not."""
    stage = play(home, tmp_path, "rbac-all", re.compile(r'cannot \w+ resource'))
    assert "forbidden" not in stage.controller.log_text()
    refused = [e for e in home.plane.requests(SERVICE_ACCOUNT) if e.get("responseStatus", {}).get("code") == 403
               and e["verb"] != "create" and e.get("objectRef", {}).get("namespace") == "rbac-all"]
    assert not refused


@pytest.mark.parametrize("case", CASES, ids=lambda c: "-".join(filter(None, (c[0], c[2], c[3]))))
def test_without_one_verb_it_says_so(home, tmp_path, case):
    verb, group, resource, sub = case
    namespace = f"rbac-{CASES.index(case)}"
    whole = roles(home.plane)
    (name, role), = ((n, r) for n, r in whole.items() if case in verbs_of(r))
    home.plane.kubectl("replace", "-f", "-", input=json.dumps(without(role, case)))
    try:
        wait_until("the verb is gone", lambda: not may(home.plane, *case, namespace), 20)
        full = f"{resource}/{sub}" if sub else resource
        forbidden = re.compile(rf'cannot {verb} resource \\*"{full}\\*" in API group \\*"{re.escape(group)}\\*"')
        # A stream of everything needs `watch` alone; `list` is for servers that do not offer it.
        lists = ("--initial-sync", "list") if verb == "list" else ()
        with pytest.raises(Refused) as stopped:
            play(home, tmp_path, namespace, forbidden, *lists)
        assert stopped.value.args[1]
    finally:
        home.plane.kubectl("replace", "-f", "-", input=json.dumps(role))
        wait_until("the verb is back", lambda: may(home.plane, *case, namespace), 20)
