"""A real Kubernetes node on this machine: containerd, kubelet, and images that no registry gave.

    with start_control_plane(tmp_path / "plane", nodes=True) as plane, \\
            start_node(plane, tmp_path / "node") as node:
        node.load(archive)                   # of Builder.export()
        plane.kubectl("apply", "-f", "pod.yaml")

Needs root, and the packages of tests/bootstrap/apt-node.txt. All of it, containers too, lives in
a process and a mount namespace of its own: when the first process of it ends, the kernel ends the
rest and takes every mount away. On the machine nothing is changed but cgroups, which stop()
removes.

Pods need hostNetwork, dnsPolicy Default and KUBERNETES_SERVICE_HOST and _PORT of the control plane
(`node.reach`): there is no network for pods, no DNS and no kube-proxy.
"""

import contextlib
import json
import os
import shutil
import subprocess
from pathlib import Path

from . import cache, image, programs
from .controlplane import ControlPlane
from .processes import Daemon, StartError, free_port, wait_until

NAME = "localhost"
PAUSE = "localhost/pause:1"
PAUSE_SOURCE = "#include <unistd.h>\nint main(void) { for (;;) pause(); }\n"
START_TIMEOUT_S = 120
STOP_TIMEOUT_S = 30
CGROUPS = Path("/sys/fs/cgroup")
# Private to the node: its sockets are where a path cannot be too long for one.
RUN = "/run/containerd"
SOCKET = f"{RUN}/containerd.sock"
# The first process of the node. It reaps what loses its parent, and ends when either server does.
INIT = f"""\
set -eu
PATH=$PATH:/usr/sbin:/sbin
mkdir -p {RUN}
for hidden in {RUN} /var/lib /var/log; do mount -t tmpfs tmpfs "$hidden"; done
work=$1; shift
containerd --config "$work/containerd.toml" >>"$work/containerd.log" 2>&1 &
until ctr --address {SOCKET} version >/dev/null 2>&1; do
    kill -0 $! || exit 1
    sleep 0.1
done
"$@" >>"$work/kubelet.log" 2>&1 &
wait -n
exit 1
"""
CONTAINERD = """\
version = 2
root = "{work}/containerd"
state = "{run}/state"
[grpc]
  address = "{socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  # A machine may refuse to lower a process' score: every sandbox would fail.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{work}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "{snapshotter}"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
"""
# Without one the node is not Ready, though no pod here uses it.
NETWORK = {"cniVersion": "0.4.0", "name": "pods", "plugins": [
    {"type": "bridge", "bridge": "tablesync0", "isGateway": True, "ipMasq": False,
     "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.88.77.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
    {"type": "portmap", "capabilities": {"portMappings": True}}]}


class Node:
    """A running node; made by start_node()."""

    def __init__(self, plane: ControlPlane, workdir: Path) -> None:
        self.plane, self.work = plane, workdir
        self.port = free_port()
        self._cgroup = f"tablesync-{os.getpid()}-{self.port}"
        self._write_settings()
        command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
                   "bash", "-c", INIT, "init", str(workdir), str(programs.path("kubelet")),
                   f"--config={workdir / 'kubelet.yaml'}", f"--kubeconfig={plane.admin_kubeconfig}",
                   f"--root-dir={workdir / 'kubelet'}", f"--cert-dir={workdir / 'certs'}",
                   # A name that resolves everywhere: the API server reaches it for logs and exec.
                   f"--hostname-override={NAME}"]
        self.daemon = Daemon("node", command, workdir / "node.log")

    @property
    def reach(self) -> dict[str, str]:
        """The environment with which a pod's process finds the API server."""
        return {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(self.plane.port)}

    def load(self, archive: Path) -> None:
        """Gives containerd an image, as a pull would."""
        self.ctr("--namespace", "k8s.io", "images", "import", "--snapshotter", self._snapshotter, str(archive))

    def ctr(self, *arguments: str) -> str:
        return cache.run(f"ctr {' '.join(arguments[:4])}", [*self._inside(), "ctr", "--address", SOCKET, *arguments],
                         timeout_s=120).stdout

    def processes(self, program: str) -> list[int]:
        """Of all containers: those that run the program with this path, as this machine numbers them."""
        parents = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError, IndexError):
                    stat = (entry / "stat").read_text(encoding="utf-8", errors="replace")
                    parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
        return [pid for pid in parents if self._is_ours(pid, parents) and _link(pid, "exe") == program]

    def start(self) -> None:
        try:
            self.daemon.start(self._ready, START_TIMEOUT_S)
            self._load_pause()
        except StartError as error:
            self.stop()
            raise StartError(f"{error}\n{_tail(self.work / 'containerd.log')}\n"
                             f"{_tail(self.work / 'kubelet.log')}") from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """As when the power goes: nothing of it runs on. Its files stay, without what was mounted."""
        self.daemon.kill()
        with contextlib.suppress(TimeoutError):
            wait_until("the cgroups to be empty", self._remove_cgroups, STOP_TIMEOUT_S)
        shutil.rmtree(self.work / "containerd", ignore_errors=True)

    def __enter__(self) -> "Node":
        return self

    def __exit__(self, *exc_info) -> None:
        self.stop()

    @property
    def _init(self) -> int:
        """The node's first process, as this machine numbers it."""
        children = Path(f"/proc/{self.daemon.pid}/task/{self.daemon.pid}/children")
        return int(children.read_text(encoding="utf-8").split()[0])

    def _inside(self) -> list[str]:
        return ["nsenter", "--target", str(self._init), "--mount", "--pid"]

    def _is_ours(self, pid: int, parents: dict[int, int]) -> bool:
        while pid and pid != self.daemon.pid:
            pid = parents.get(pid, 0)
        return pid != 0

    def _ready(self) -> bool:
        done = self.plane.kubectl("get", "node", NAME, "-o", "json", check=False)
        if done.returncode != 0:
            return False
        conditions = json.loads(done.stdout).get("status", {}).get("conditions", [])
        return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)

    def _load_pause(self) -> None:
        source, program = self.work / "pause.c", self.work / "pause"
        source.write_text(PAUSE_SOURCE, encoding="utf-8")
        cache.run("compile pause", ["gcc", "-static", "-Os", "-s", "-o", str(program), str(source)], timeout_s=60)
        archive = self.work / "pause.tar"
        image.make(PAUSE, archive, self.work / "pause-storage", program)
        self.load(archive)

    def _write_settings(self) -> None:
        work = self.work
        for folder in ("cni", "containerd", "kubelet", "certs", "plugins", "pod-logs"):
            (work / folder).mkdir(parents=True, exist_ok=True)
        self._snapshotter = "overlayfs" if image.overlay_works(work) else "native"
        (work / "containerd.toml").write_text(CONTAINERD.format(
            work=work, run=RUN, socket=SOCKET, pause=PAUSE, snapshotter=self._snapshotter), encoding="utf-8")
        (work / "cni" / "10-pods.conflist").write_text(json.dumps(NETWORK), encoding="utf-8")
        for hierarchy in _hierarchies():
            (hierarchy / self._cgroup).mkdir(exist_ok=True)
        (work / "kubelet.yaml").write_text(json.dumps({
            "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
            "address": "127.0.0.1", "port": self.port, "readOnlyPort": 0, "healthzPort": 0,
            "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
            "authorization": {"mode": "AlwaysAllow"},
            "containerRuntimeEndpoint": f"unix://{SOCKET}",
            "cgroupDriver": "cgroupfs", "cgroupRoot": f"/{self._cgroup}", "failCgroupV1": False,
            "enforceNodeAllocatable": [], "failSwapOn": False, "makeIPTablesUtilChains": False,
            "podLogsDir": str(work / "pod-logs"), "volumePluginDir": str(work / "plugins"),
            "imageGCHighThresholdPercent": 100,
            "evictionHard": {"memory.available": "10Mi", "nodefs.available": "1%", "nodefs.inodesFree": "1%",
                             "imagefs.available": "1%"}}), encoding="utf-8")

    def _remove_cgroups(self) -> bool:
        """Whether none is left; one that still has a process cannot be removed."""
        left = False
        for hierarchy in _hierarchies():
            for folder, _, _ in os.walk(hierarchy / self._cgroup, topdown=False):
                try:
                    os.rmdir(folder)
                except OSError:
                    left = True
        return not left


def start_node(plane: ControlPlane, workdir: Path) -> Node:
    """Starts one in `workdir` (made if missing), with logs there; Ready when it returns.

    The control plane was started with nodes=True. Raises StartError with the ends of the logs,
    or CacheError when something is not installed.
    """
    workdir = Path(workdir).absolute()
    workdir.mkdir(parents=True, exist_ok=True)
    node = Node(plane, workdir)
    node.start()
    return node


def _hierarchies() -> list[Path]:
    """Where a cgroup has to be made: one place with cgroup v2, one for each controller with v1."""
    if (CGROUPS / "cgroup.controllers").exists():
        return [CGROUPS]
    return sorted({each.resolve() for each in CGROUPS.iterdir() if (each / "cgroup.procs").exists()})


def _link(pid: int, name: str) -> str:
    try:
        return os.readlink(f"/proc/{pid}/{name}")
    except OSError:
        return ""


def _tail(log: Path) -> str:
    done = subprocess.run(["tail", "-n", "40", str(log)], capture_output=True, text=True, check=False)
    return f"end of {log}:\n{done.stdout}"
