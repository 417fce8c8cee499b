"""kustomize: the base, and every component by itself and together, as README's overlay takes them."""

import json
import shutil

import pytest
import yaml

from cluster.controlplane import start_control_plane

from . import readme
from .system import ROOT, connection_manifest, secret_manifest, sync_manifest

MANIFESTS = ROOT / "manifests"
COMPONENTS = {"ha": MANIFESTS / "components/ha", "no-volume": MANIFESTS / "components/no-volume",
              "namespaced": MANIFESTS / "components/namespaced", "prometheus": MANIFESTS / "prometheus",
              "grafana": MANIFESTS / "grafana"}
OPERATORS = {"PodMonitor", "PrometheusRule"}
TEAM = "system:serviceaccount:team:tablesync"


@pytest.fixture(scope="module")
def render(control_plane, tmp_path_factory):
    """`render(component, ..., **more)`: the objects of an overlay by (kind, name)."""
    def made(*components, **more):
        folder = tmp_path_factory.mktemp("overlay")
        body = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization",
                "resources": [relative(MANIFESTS, folder)],
                "components": [relative(COMPONENTS[name], folder) for name in components], **more}
        (folder / "kustomization.yaml").write_text(json.dumps(body), encoding="utf-8")
        text = control_plane.kubectl("kustomize", folder).stdout
        return {(each["kind"], each["metadata"]["name"]): each for each in yaml.safe_load_all(text)}
    return made


def relative(path, start):
    """kustomize takes no other paths of folders."""
    return "../" * len(start.resolve().parts[1:]) + str(path.resolve())[1:]


def container(objects):
    pod = objects["Deployment", "tablesync"]["spec"]["template"]["spec"]
    return pod, pod["containers"][0]


@pytest.mark.parametrize("components", [(), ("ha",), ("no-volume",), ("namespaced",), ("ha", "namespaced"),
                                        ("ha", "namespaced", "prometheus", "grafana")], ids="+".join)
def test_the_api_server_takes_it(render, control_plane, components):
    """In place of the base that is installed, and as a new installation by server-side apply; all but the resources of an
    operator that is not here."""
    for namespace, how in (("tablesync-system", ()), ("fresh", ("--server-side", "--force-conflicts"))):
        objects = render(*components, namespace=namespace)
        taken = [json.dumps(each) for (kind, _), each in objects.items() if kind not in OPERATORS]
        control_plane.kubectl("create", "namespace", namespace, check=False)
        done = control_plane.kubectl("apply", "--dry-run=server", *how, "-f", "-", input="\n---\n".join(taken), check=False)
        assert done.returncode == 0, done.stderr
        assert len(done.stdout.splitlines()) == len(taken)
        assert OPERATORS <= {kind for kind, _ in objects} or "prometheus" not in components


def test_no_volume(render):
    objects = render("no-volume")
    pod, _ = container(objects)
    assert not [name for kind, name in objects if kind == "PersistentVolumeClaim"]
    assert [set(volume) for volume in pod["volumes"] if volume["name"] == "audit"] == [{"name", "emptyDir"}]


def test_two_replicas(render):
    """A leader, a follower, and neither waits for a volume of the other's node."""
    objects = render("ha")
    pod, first = container(objects)
    deployment = objects["Deployment", "tablesync"]["spec"]
    assert deployment["replicas"] == 2 and deployment["strategy"]["type"] == "RollingUpdate"
    assert {"name": "TABLESYNC_LEADER_ELECT", "value": "true"} in first["env"]
    labels = deployment["template"]["metadata"]["labels"]
    for selector in (objects["PodDisruptionBudget", "tablesync"]["spec"]["selector"],
                     pod["topologySpreadConstraints"][0]["labelSelector"], deployment["selector"]):
        assert selector["matchLabels"].items() <= labels.items()
    assert not [name for kind, name in objects if kind == "PersistentVolumeClaim"]


def test_one_namespace_and_no_rights_elsewhere(render, control_plane):
    """Its controller may do there what it needs, and nothing in any other namespace."""
    objects = render("namespaced", namespace="team")
    kubectl = control_plane.kubectl
    assert not [name for kind, name in objects if kind == "ClusterRoleBinding"]
    _, first = container(objects)
    assert [one["valueFrom"] for one in first["env"] if one["name"] == "TABLESYNC_WATCH_NAMESPACE"] == [
        {"fieldRef": {"fieldPath": "metadata.namespace"}}]
    taken = [each for (kind, _), each in objects.items() if kind in ("Namespace", "ServiceAccount", "Role", "RoleBinding")]
    assert {each["metadata"].get("namespace", each["metadata"]["name"]) for each in taken} == {"team"}
    kubectl("apply", "-f", "-", input="\n---\n".join(map(json.dumps, taken)))

    def may(namespace, *what):
        return kubectl("auth", "can-i", *what, "-n", namespace, "--as", TEAM, check=False).stdout.strip() == "yes"

    for what in (("patch", "tablesyncs.tablesync.dev"), ("patch", "tablesyncs.tablesync.dev", "--subresource=status"),
                 ("watch", "databaseconnections.tablesync.dev"), ("list", "secrets"), ("create", "events.events.k8s.io"),
                 ("update", "leases.coordination.k8s.io/tablesync-controller")):
        assert may("team", *what), what
        assert not may("default", *what), what
    kubectl("delete", "namespace", "team", "--wait=false")


def test_scraping_and_dashboard(render):
    """The monitor finds the pod and its port; the dashboard comes whole."""
    objects = render("prometheus", "grafana")
    monitor, (_, first) = objects["PodMonitor", "tablesync"]["spec"], container(objects)
    labels = objects["Deployment", "tablesync"]["spec"]["template"]["metadata"]["labels"]
    assert monitor["selector"]["matchLabels"].items() <= labels.items()
    endpoint, = monitor["podMetricsEndpoints"]
    assert endpoint["port"] in {port["name"] for port in first["ports"]} and endpoint["honorLabels"] is True
    dashboard = objects["ConfigMap", "tablesync-dashboard"]
    assert dashboard["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert dashboard["data"]["tablesync.json"] == (MANIFESTS / "grafana/tablesync.json").read_text(encoding="utf-8")


@pytest.fixture
def clone(tmp_path):
    """A folder as README's commands expect it, with README's own overlay; its monitors need an operator that is not here."""
    folder = tmp_path / "clone"
    for name in ("manifests", "crd"):
        shutil.copytree(ROOT / name, folder / name)
    block, = [each for each in readme.BLOCKS if (each.mark, each.argument) == ("file", "deploy/kustomization.yaml")]
    assert "- ../manifests/components/ha\n" in block.text
    (folder / "deploy").mkdir()
    (folder / "deploy/kustomization.yaml").write_text(block.text.replace("- ../manifests/prometheus\n", ""), encoding="utf-8")
    return folder


def shape(plane):
    """What the components change in the Deployment."""
    spec = plane.get("deployment", "tablesync", "-n", "tablesync-system")["spec"]
    volume, = spec["template"]["spec"]["volumes"]
    return spec["replicas"], spec["strategy"]["type"], set(volume) - {"name"}


BEFORE, AFTER = (1, "Recreate", {"persistentVolumeClaim"}), (2, "RollingUpdate", {"emptyDir"})


def test_from_client_side_to_server_side_apply(clone, tmp_path):
    """There and back in one way needs no force. Between the ways README's commands lead, and what it warns of is so: the change
    is refused, and with --force-conflicts in other words."""
    def apply(folder, *how, check=True):
        return plane.kubectl("apply", *how, "-k", clone / folder, check=check)

    with start_control_plane(tmp_path / "plane") as plane:
        for folder, expected in (("manifests", BEFORE), ("deploy", AFTER), ("manifests", BEFORE)):
            apply(folder)
            assert shape(plane) == expected
        refused = apply("deploy", "--server-side", check=False)
        assert refused.returncode != 0 and 'conflicts with "kubectl-client-side-apply"' in refused.stderr
        refused = apply("deploy", "--server-side", "--force-conflicts", check=False)
        assert refused.returncode != 0 and "may not specify more than 1 volume type" in refused.stderr
        block, = readme.commands("test_components.py")
        readme.run(block, clone, readme.environment(tmp_path, plane.admin_kubeconfig))
        assert shape(plane) == AFTER
        for folder, expected in (("manifests", BEFORE), ("deploy", AFTER)):
            apply(folder, "--server-side")
            assert shape(plane) == expected


def test_readme_s_uninstall_leaves_nothing(clone, tmp_path):
    with start_control_plane(tmp_path / "plane", controller_manager=True,
                             controllers=["persistentvolumeclaim-protection-controller"]) as plane:
        plane.kubectl("apply", "-k", clone / "manifests")
        plane.kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd/tablesyncs.tablesync.dev",
                      "crd/databaseconnections.tablesync.dev")
        plane.kubectl("create", "namespace", "shop")
        plane.kubectl("apply", "-f", "-", input="\n---\n".join(map(json.dumps, (
            secret_manifest("rw", "user", "secret", "shop"), connection_manifest("rw", "RisingWave", 4566, "shop"),
            sync_manifest("orders", "shop", "orders", namespace="shop")))))
        block, = readme.commands("test_components.py", "uninstall")
        printed = readme.run(block, clone, readme.environment(tmp_path, plane.admin_kubeconfig))
        assert 'tablesync.tablesync.dev "orders" deleted' in printed
        left = plane.kubectl("get", "crd,clusterroles,clusterrolebindings,namespaces", "-o", "name").stdout
        assert not [name for name in left.split() if "tablesync" in name]
