"""`kubectl tablesync` as a user has it: kubectl and the plugin's names in PATH.

There is no node here, so no port can be forwarded: the kubectl in PATH is a script that answers `port-forward` with the
ports on which the controller under test listens, as long as it is told to, and hands everything else to the real one.
"""

import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from cluster.controlplane import ControlPlane

from .system import ROOT

CONTROLLER_NAMESPACE = "tablesync-system"
DEBUG, METRICS = 6060, 8080  # in the Pod
SCRIPT = """#!/bin/sh
for word in "$@"; do
    [ "$word" = port-forward ] && [ -z "$REAL_FORWARD" ] && forward=yes
done
[ -z "$forward" ] && exec {real} "$@"
echo "$$ $*" >> {log}
for word in "$@"; do
    case $word in
    :{debug_remote}) echo "Forwarding from 127.0.0.1:{debug} -> {debug_remote}" ;;
    :{metrics_remote}) echo "Forwarding from 127.0.0.1:{metrics} -> {metrics_remote}" ;;
    :*) echo "Forwarding from 127.0.0.1:1 -> ${{word#:}}" ;;
    esac
done
exec sleep 600
"""


@dataclass
class Plugin:
    plane: ControlPlane
    folder: Path
    debug: int
    metrics: int
    environment: dict = field(default_factory=dict)

    def __post_init__(self):
        self.folder.mkdir()
        self.log = self.folder.parent / "forwards"
        for name in ("kubectl-tablesync", "kubectl_complete-tablesync", "tablesync"):
            (self.folder / name).symlink_to(os.environ["TABLESYNC_BIN"])
        self.real = self.plane.kubectl("version", "--client").args[0]
        kubectl = self.folder / "kubectl"
        kubectl.write_text(SCRIPT.format(real=self.real, log=self.log, debug=self.debug, metrics=self.metrics,
                                         debug_remote=DEBUG, metrics_remote=METRICS))
        kubectl.chmod(0o755)
        self.environment = {**os.environ, "PATH": f"{self.folder}:{os.environ['PATH']}", "HOME": str(self.folder.parent),
                            "KUBECONFIG": str(self.plane.admin_kubeconfig), "TERM": "xterm",
                            "KUBECACHEDIR": str(self.plane.workdir / "kubectl-cache")}
        self.environment.pop("NO_COLOR", None)

    def run(self, *words: str, code: int | None = 0, timeout_s: float = 60, **environment: str) -> subprocess.CompletedProcess:
        """`kubectl tablesync WORDS`; it must end with the code."""
        done = subprocess.run([str(self.folder / "kubectl"), "tablesync", *words], env={**self.environment, **environment},
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout_s, check=False,
                              cwd=self.folder.parent)
        assert code is None or done.returncode == code, f"exit {done.returncode}:\n{done.stdout}\n{done.stderr}"
        return done

    def json(self, *words: str, code: int = 0, **environment: str):
        return json.loads(self.run(*words, "-o", "json", code=code, **environment).stdout)

    def forwards(self) -> list[list[str]]:
        """Every port-forward so far: its pid and its words."""
        return [line.split() for line in self.log.read_text().splitlines()] if self.log.exists() else []


def make_pod(plane: ControlPlane, name: str, *arguments: str) -> None:
    """A Pod as the Deployment of manifests/ would make it; nobody runs it, and it says that it runs."""
    made = plane.kubectl("create", "--dry-run=client", "-o", "json", "-f", str(ROOT / "manifests" / "deployment.yaml")).stdout
    decoder, at, documents = json.JSONDecoder(), 0, {}
    while at < len(made.rstrip()):
        document, at = decoder.raw_decode(made, at)
        at += len(made[at:]) - len(made[at:].lstrip())
        for each in document.get("items", [document]):
            documents[each["kind"]] = each
    pod = {"apiVersion": "v1", "kind": "Pod", **documents["Deployment"]["spec"]["template"]}
    pod["metadata"].update(name=name, namespace=CONTROLLER_NAMESPACE)
    if arguments:
        pod["spec"]["containers"][0]["args"] = list(arguments)
    plane.kubectl("apply", "-f", "-", input=json.dumps(pod))
    plane.kubectl("patch", "pod", name, "-n", CONTROLLER_NAMESPACE, "--subresource=status", "--type=merge", "-p",
                  json.dumps({"status": {"phase": "Running"}}))


def delete_pod(plane: ControlPlane, name: str) -> None:
    plane.kubectl("delete", "pod", name, "-n", CONTROLLER_NAMESPACE, "--ignore-not-found", "--grace-period=0", "--force")


def make_lease(plane: ControlPlane, holder: str, name: str = "tablesync-controller") -> None:
    plane.kubectl("apply", "-f", "-", input=json.dumps({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": name, "namespace": CONTROLLER_NAMESPACE},
        "spec": {"holderIdentity": holder}}))
