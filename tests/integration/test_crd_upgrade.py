"""CRDs of a later version beside today's controller, on a real API server: what DESIGN.md promises of upgrades and rollbacks.

"Later" is today's CRD with a field more, and with a second version of the same schema.
"""

import copy
import json

import pytest
import yaml

from cluster.controlplane import start_control_plane
from cluster.processes import wait_until

from . import readme
from . import system as sys_
from .system import ROOT, condition_of
from .test_chart import furnish, is_looked_after

KINDS = ("tablesyncs", "databaseconnections")
TODAY = {kind: yaml.safe_load((ROOT / f"crd/{kind}.yaml").read_text(encoding="utf-8")) for kind in KINDS}
NOW, NEXT = "v1alpha1", "v1beta1"
NAMESPACE = "shop"
WAIT_S = 60


def later(*versions, storage=NOW):
    """Both CRDs with the field spec.later in all of the versions, which share a schema."""
    made = copy.deepcopy(TODAY)
    for crd in made.values():
        one, = crd["spec"]["versions"]
        one["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["later"] = {"type": "string", "maxLength": 10}
        crd["spec"]["versions"] = [{**one, "name": name, "storage": name == storage} for name in versions]
    return made


class Cluster:
    """Today's manifests, three connections to where nobody listens, the TableSync `orders`, and today's controller."""

    def __init__(self, plane, work):
        self.plane = plane
        sys_.install(plane)
        self.controller = sys_.Controller(plane, work).start()
        furnish(plane, NAMESPACE)
        wait_until("all is looked after", lambda: is_looked_after(plane, NAMESPACE), WAIT_S)

    def define(self, crds, check=True):
        """Replaces the CRDs as a chart would, and waits until the versions are served."""
        done = self.plane.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", check=check,
                                  input="\n---\n".join(map(json.dumps, crds.values())))
        if done.returncode == 0:
            wanted = {version["name"] for version in crds["tablesyncs"]["spec"]["versions"]}
            wait_until("they are served", lambda: self.served() == wanted, WAIT_S)
        return done

    def served(self):
        found = json.loads(self.plane.kubectl("get", "--raw", "/apis/tablesync.dev").stdout)
        return {version["version"] for version in found["versions"]}

    def apply(self, name, version=NOW, **spec):
        """Until the API server takes it: it serves new CRDs a moment after it has them."""
        made = {**sys_.sync_manifest(name, NAMESPACE, name, namespace=NAMESPACE, **spec), "apiVersion": f"tablesync.dev/{version}"}
        wait_until(f"{name} is taken", lambda: self.plane.kubectl("apply", "-f", "-", input=json.dumps(made), check=False).returncode == 0,
                   WAIT_S)

    def get(self, name, version=NOW):
        return self.plane.get(f"tablesyncs.{version}.tablesync.dev", name, "-n", NAMESPACE)

    def wait_reason(self, name, reason):
        """Waits until Ready has it, for the generation of now; its message."""
        def reached():
            seen = self.get(name)
            ready = condition_of(seen, "Ready")
            return ready.get("reason") == reason and ready["observedGeneration"] == seen["metadata"]["generation"]

        wait_until(f"{name} is {reason}", reached, WAIT_S)
        return condition_of(self.get(name), "Ready")["message"]

    def stored(self):
        return {kind: self.plane.get("crd", f"{kind}.tablesync.dev")["status"]["storedVersions"] for kind in KINDS}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    work = tmp_path_factory.mktemp("upgrade")
    with start_control_plane(work / "plane", users=[sys_.SERVICE_ACCOUNT]) as plane:
        made = Cluster(plane, work)
        yield made
        made.controller.stop()


def test_a_field_that_this_controller_does_not_know(cluster):
    """CRDs of a later version, then the controller goes back alone: the field is named, kept, and not ignored."""
    usual = condition_of(cluster.get("orders"), "Ready")["reason"]
    cluster.define(later(NOW))
    cluster.apply("orders", later="x")
    assert "spec.later is not a field of this version" in cluster.wait_reason("orders", "InvalidSpec")
    assert cluster.get("orders")["spec"]["later"] == "x"

    # The CRDs go back too: the field is out of sight at once, and lost with the next write of a status.
    cluster.define(TODAY)
    wait_until("the field is out of sight", lambda: "later" not in cluster.get("orders")["spec"], WAIT_S)
    cluster.plane.kubectl("annotate", "tsync", "orders", "-n", NAMESPACE, "tablesync.dev/retry=now")
    cluster.wait_reason("orders", usual)
    cluster.define(later(NOW))
    cluster.apply("witness", later="x")
    assert cluster.get("witness")["spec"]["later"] == "x" and "later" not in cluster.get("orders")["spec"]
    cluster.plane.kubectl("delete", "tsync", "witness", "-n", NAMESPACE, "--timeout=30s")


def test_crds_that_are_older_than_the_controller(cluster):
    """Its statuses are refused, and the log says why and what to do; with its own CRDs it goes on by itself."""
    older = copy.deepcopy(TODAY)
    properties = older["tablesyncs"]["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    del properties["spec"]["properties"]["dataLoss"], properties["status"]["properties"]["lastRun"]
    usual = condition_of(cluster.get("orders"), "Ready")["reason"]
    cluster.define(older)
    wait_until("they are in force", lambda: "dataLoss" not in cluster.get("orders")["spec"], WAIT_S)
    before = len(cluster.controller.log_text())
    cluster.apply("early")
    wait_until("the log says so", lambda: "the CustomResourceDefinition of tablesyncs is older than this program: apply the one that"
               in cluster.controller.log_text()[before:], WAIT_S)
    cluster.define(TODAY)
    cluster.wait_reason("early", usual)
    assert "lastRun" in cluster.get("early")["status"] and cluster.get("early")["spec"]["dataLoss"] == "Warn"
    cluster.plane.kubectl("delete", "tsync", "early", "-n", NAMESPACE, "--timeout=30s")


def test_another_version_comes_and_this_one_goes(cluster, tmp_path):
    plane = cluster.plane
    before = cluster.get("orders")
    cluster.define(later(NOW, NEXT))
    cluster.apply("items", NEXT)
    cluster.apply("prices", NEXT, later="x")
    usual = condition_of(before, "Ready")["reason"]
    cluster.wait_reason("items", usual)
    cluster.wait_reason("prices", "InvalidSpec")
    assert cluster.get("prices", NEXT)["spec"]["later"] == "x", "a status of the older version took a field away"

    # Stored in the new version from here on; one release back is possible, two are not.
    cluster.define(later(NOW, NEXT, storage=NEXT))
    assert cluster.stored() == {kind: [NOW, NEXT] for kind in KINDS}
    refused = cluster.define(TODAY, check=False)
    assert refused.returncode != 0 and "status.storedVersions" in refused.stderr, refused
    cluster.define(later(NOW, NEXT))
    cluster.define(later(NOW, NEXT, storage=NEXT))
    cluster.apply("prices", NEXT)
    cluster.wait_reason("prices", usual)

    # The end of the old version is refused until everything was written once.
    alone = later(NEXT, storage=NEXT)
    refused = cluster.define(alone, check=False)
    assert refused.returncode != 0 and "status.storedVersions" in refused.stderr, refused
    block, = readme.commands("test_crd_upgrade.py")
    known = readme.environment(tmp_path, plane.admin_kubeconfig)

    def is_rewritten():  # a resource that was just looked at is a conflict, and README says to do it again
        said = readme.shell(block, tmp_path, known).stdout
        stored = cluster.stored()
        assert all(stored[kind] == [NEXT] or "Conflict" in said for kind in KINDS), said
        return stored == {kind: [NEXT] for kind in KINDS}

    wait_until("all is written anew", is_rewritten, WAIT_S)
    cluster.wait_reason("orders", usual)
    cluster.controller.stop()
    cluster.define(alone)
    after = cluster.get("orders", NEXT)
    assert after["spec"] == before["spec"] and after["status"]["conditions"]
    for key in ("uid", "generation", "finalizers"):
        assert after["metadata"].get(key) == before["metadata"].get(key)
    assert {item["metadata"]["name"] for item in plane.get("tablesyncs", "-n", NAMESPACE)["items"]} == {"orders", "items", "prices"}


def test_a_controller_whose_version_is_gone_says_so(cluster):
    """It waits, without being ready, and the log says what is missing."""
    assert cluster.served() == {NEXT}
    before = len(cluster.controller.log_text())
    cluster.controller.daemon.start(
        lambda: "install the project's CustomResourceDefinitions" in cluster.controller.log_text()[before:], WAIT_S)
    assert not cluster.controller.ready()
