"""A real Kubernetes API on 127.0.0.1: etcd, kube-apiserver, RBAC, kubectl.

    users = ["system:serviceaccount:tablesync-system:tablesync", ("eve", ["devs"])]
    with start_control_plane(tmp_path, users=users) as cluster:
        cluster.kubectl("apply", "-f", "crd/")
        cluster.kubectl("get", "secrets", kubeconfig=cluster.kubeconfig_for("eve"), check=False)

Nothing runs pods here, and workload controllers are absent. Only with
`controller_manager=True` do deleted namespaces vanish, owned objects get collected
and the aggregated roles (view, edit, admin) hold any rule. With `nodes=True` there are
all controllers, a scheduler and service accounts: what a node needs (see node.py).

Users are static tokens, known to the server when it starts. A service account's
name brings the groups that Kubernetes gives it, so what a test may do is what
the project's own RBAC grants. `admin` is in system:masters.
"""

import base64
import hashlib
import json
import os
import secrets
import ssl
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import programs
from .processes import Daemon, StartError, free_port

ADMIN = "admin"
START_TIMEOUT_S = 90
KUBECTL_TIMEOUT_S = 60
PROBE_TIMEOUT_S = 2
SERVICE_ACCOUNT = "system:serviceaccount:"
# What deleting a namespace or an owner takes, and what fills the roles view, edit and
# admin; no controller that wants nodes.
CONTROLLERS = ("namespace-controller", "garbage-collector-controller",
               "serviceaccount-controller", "clusterrole-aggregation-controller")

User = str | tuple[str, Sequence[str]]


class KubectlError(subprocess.CalledProcessError):
    """kubectl ended with an error; the text holds what it said."""

    def __str__(self) -> str:
        return f"kubectl {' '.join(self.cmd[1:])}: exit {self.returncode}\n{self.stderr}"


@dataclass(frozen=True)
class _Account:
    token: str
    groups: tuple[str, ...]


class ControlPlane:
    """A running control plane; made by start_control_plane()."""

    def __init__(self, workdir: Path, users: Iterable[User], controller_manager: bool,
                 apiserver_args: Sequence[str], controllers: Sequence[str] = (), nodes: bool = False) -> None:
        self.workdir = workdir
        self._nodes = nodes
        self.port = free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self.ca_file = workdir / "certs" / "apiserver.crt"
        self.audit_log = workdir / "audit.log"
        self._accounts = dict(_account(user) for user in [(ADMIN, ["system:masters"]), *users])
        self._kubectl = str(programs.path("kubectl"))
        self.etcd, self._etcd_url = self._make_etcd()
        self.apiserver = self._make_apiserver(apiserver_args)
        self.controller_manager: Daemon | None = None
        self.scheduler: Daemon | None = None
        self._wants_manager = controller_manager or nodes
        self._controllers = ["*"] if nodes else [*CONTROLLERS, *controllers]

    @property
    def admin_kubeconfig(self) -> Path:
        return self.kubeconfig_for(ADMIN)

    def token_for(self, user: str) -> str:
        """The user's bearer token. Raises KeyError for a user not declared at the start."""
        if user not in self._accounts:
            raise KeyError(f"no user {user!r}: declare it in users=; there are: "
                           f"{', '.join(self._accounts)}")
        return self._accounts[user].token

    def kubeconfig_for(self, user: str, *, server: str | None = None) -> Path:
        """A kubeconfig with the user's token. `server` names another way to the API, a proxy."""
        url = server or self.url
        token = self.token_for(user)
        name = hashlib.sha256(f"{user} {url} {token}".encode()).hexdigest()[:12]
        path = self.workdir / f"kubeconfig-{name}.yaml"
        if not path.exists():
            ca = base64.b64encode(self.ca_file.read_bytes()).decode()
            _write_private(path, json.dumps({
                "apiVersion": "v1", "kind": "Config", "current-context": "test",
                "clusters": [{"name": "test", "cluster": {"server": url,
                                                          "certificate-authority-data": ca}}],
                "users": [{"name": user, "user": {"token": token}}],
                "contexts": [{"name": "test", "context": {"cluster": "test", "user": user}}]},
                indent=1))
        return path

    def kubectl(self, *args: str | Path, input: str | None = None, check: bool = True,
                kubeconfig: Path | None = None,
                timeout_s: float = KUBECTL_TIMEOUT_S) -> subprocess.CompletedProcess:
        """Runs kubectl, as admin unless told otherwise. With check an error is a KubectlError."""
        # Ports come back in later runs; kubectl's own cache would answer for another cluster.
        env = {**os.environ, "KUBECACHEDIR": str(self.workdir / "kubectl-cache"),
               "KUBECONFIG": str(kubeconfig or self.admin_kubeconfig)}
        command = [self._kubectl, *map(str, args)]
        done = subprocess.run(command, input=input, text=True, env=env, timeout=timeout_s,
                              stdin=subprocess.DEVNULL if input is None else None,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if check and done.returncode != 0:
            raise KubectlError(done.returncode, command, done.stdout, done.stderr)
        return done

    def get(self, *args: str, **options) -> dict:
        """`kubectl get … -o json`, parsed."""
        return json.loads(self.kubectl("get", *args, "-o", "json", **options).stdout)

    def requests(self, user: str | None = None) -> Iterator[dict]:
        """The API server's audit events so far (one for each request), oldest first.

        Each has verb, requestURI, objectRef, responseStatus, user, userAgent. A watch
        counts when its answer begins.
        """
        if not self.audit_log.exists():
            return
        with open(self.audit_log, encoding="utf-8") as log:
            for line in log:
                if not line.endswith("\n"):
                    return
                event = json.loads(line)
                if user is None or event["user"]["username"] == user:
                    yield event

    def stop_apiserver(self) -> None:
        self.apiserver.stop()

    def start_apiserver(self) -> None:
        self.apiserver.start(self._ready, START_TIMEOUT_S)

    def restart_apiserver(self) -> None:
        """Same port, certificate, tokens and data."""
        self.stop_apiserver()
        self.start_apiserver()

    def start(self) -> None:
        """Brings up all of it; on failure nothing stays up."""
        try:
            self.etcd.start(lambda: _get_ok(f"{self._etcd_url}/health"), START_TIMEOUT_S)
            self.start_apiserver()
            if self._wants_manager:
                self._start_controller_manager()
            if self._nodes:
                self._start_scheduler()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Takes everything down, servers of others before the servers they use."""
        for daemon in (self.scheduler, self.controller_manager, self.apiserver, self.etcd):
            if daemon:
                daemon.stop()

    def __enter__(self) -> "ControlPlane":
        return self

    def __exit__(self, *exc_info) -> None:
        self.stop()

    def _ready(self) -> bool:
        """Ready for a user: healthy, and the namespace every cluster has is there."""
        if not self.ca_file.exists():
            return False
        try:
            trust = ssl.create_default_context(cafile=str(self.ca_file))
        except ssl.SSLError:  # it is just being written
            return False
        token = self.token_for(ADMIN)
        return (_get_ok(f"{self.url}/readyz", trust, token)
                and _get_ok(f"{self.url}/api/v1/namespaces/default", trust, token))

    def _make_etcd(self) -> tuple[Daemon, str]:
        client, peer = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
        command = [str(programs.path("etcd")), f"--data-dir={self.workdir / 'etcd'}",
                   f"--listen-client-urls={client}", f"--advertise-client-urls={client}",
                   f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}",
                   f"--initial-cluster=default={peer}", "--unsafe-no-fsync"]
        return Daemon("etcd", command, self.workdir / "etcd.log"), client

    def _make_apiserver(self, more: Sequence[str]) -> Daemon:
        work = self.workdir
        _write_signing_key(work / "sa.key")
        _write_private(work / "tokens.csv", "".join(
            f'{account.token},{name},{name},"{",".join(account.groups)}"\n'
            for name, account in self._accounts.items()))
        (work / "audit.yaml").write_text(json.dumps({
            "apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"],
            "rules": [{"level": "None", "nonResourceURLs": ["/readyz*"]},
                      # A watch's end says nothing that its beginning did not.
                      {"level": "Metadata", "verbs": ["watch"], "omitStages": ["ResponseComplete"]},
                      {"level": "Metadata"}]}), encoding="utf-8")
        command = [
            str(programs.path("kube-apiserver")), f"--etcd-servers={self._etcd_url}",
            f"--secure-port={self.port}", "--bind-address=127.0.0.1",
            # Otherwise it looks for a default route, which a sandbox may not have.
            "--advertise-address=127.0.0.1", f"--cert-dir={work / 'certs'}",
            "--service-cluster-ip-range=10.0.0.0/24", f"--token-auth-file={work / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={work / 'sa.key'}",
            f"--service-account-signing-key-file={work / 'sa.key'}",
            # It would hold back pods until a controller has made their accounts.
            *([] if self._nodes else ["--disable-admission-plugins=ServiceAccount"]),
            "--allow-privileged", "--endpoint-reconciler-type=none",
            # Else a stop waits for the watches of its clients, up to a minute.
            "--shutdown-watch-termination-grace-period=1s",
            f"--audit-log-path={self.audit_log}", f"--audit-policy-file={work / 'audit.yaml'}",
            *more]
        return Daemon("kube-apiserver", command, work / "kube-apiserver.log")

    def _start_controller_manager(self) -> None:
        work = self.workdir
        port = free_port()
        command = [str(programs.path("kube-controller-manager")),
                   f"--kubeconfig={self.admin_kubeconfig}", "--bind-address=127.0.0.1",
                   f"--secure-port={port}", f"--cert-dir={work / 'manager-certs'}",
                   f"--service-account-private-key-file={work / 'sa.key'}",
                   "--use-service-account-credentials=false", "--leader-elect=false",
                   f"--controllers={','.join(self._controllers)}"]
        if self._nodes:
            # What pods trust the API server by; without it they hang in ContainerCreating.
            command.append(f"--root-ca-file={self.ca_file}")
        self.controller_manager = Daemon("kube-controller-manager", command,
                                         work / "kube-controller-manager.log")
        self.controller_manager.start(lambda: _healthy(port), START_TIMEOUT_S)

    def _start_scheduler(self) -> None:
        port = free_port()
        command = [str(programs.path("kube-scheduler")), f"--kubeconfig={self.admin_kubeconfig}",
                   "--bind-address=127.0.0.1", f"--secure-port={port}",
                   f"--cert-dir={self.workdir / 'scheduler-certs'}", "--leader-elect=false",
                   f"--authentication-kubeconfig={self.admin_kubeconfig}",
                   f"--authorization-kubeconfig={self.admin_kubeconfig}"]
        self.scheduler = Daemon("kube-scheduler", command, self.workdir / "kube-scheduler.log")
        self.scheduler.start(lambda: _healthy(port), START_TIMEOUT_S)


def start_control_plane(workdir: Path, *, users: Iterable[User] = (),
                        controller_manager: bool = False,
                        apiserver_args: Sequence[str] = (),
                        controllers: Sequence[str] = (), nodes: bool = False) -> ControlPlane:
    """Starts one in `workdir` (made if missing), with logs there; ready when it returns.

    `users`: names, or (name, groups). `controllers`: more of the controller manager's.
    `nodes`: start_node() can add one, and all controllers run. Raises StartError with the
    end of a log, or CacheError when a program cannot be built.
    """
    workdir = Path(workdir).absolute()
    workdir.mkdir(parents=True, exist_ok=True)
    plane = ControlPlane(workdir, users, controller_manager, apiserver_args, controllers, nodes)
    plane.start()
    return plane


def _account(user: User) -> tuple[str, _Account]:
    name, groups = (user, ()) if isinstance(user, str) else user
    if name.startswith(SERVICE_ACCOUNT):
        namespace = name.removeprefix(SERVICE_ACCOUNT).split(":")[0]
        groups = [*groups, "system:serviceaccounts", f"system:serviceaccounts:{namespace}"]
    return name, _Account(secrets.token_hex(16), tuple(groups))


def _write_private(path: Path, text: str) -> None:
    """Whole or not at all: another thread may be about to read it."""
    handle, scratch = tempfile.mkstemp(dir=path.parent)
    with open(handle, "w", encoding="utf-8") as out:
        out.write(text)
    os.replace(scratch, path)


def _write_signing_key(path: Path) -> None:
    # In the form the API server also takes for the public half.
    done = subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout",
                           "-out", str(path)],
                          capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        raise StartError(f"openssl ecparam ended with {done.returncode}: {done.stderr}")


def _healthy(port: int) -> bool:
    """Of a server that made its own certificate."""
    trust_any = ssl.create_default_context()
    trust_any.check_hostname = False
    trust_any.verify_mode = ssl.CERT_NONE
    return _get_ok(f"https://127.0.0.1:{port}/healthz", trust_any)


def _get_ok(url: str, trust: ssl.SSLContext | None = None, token: str | None = None) -> bool:
    request = urllib.request.Request(url)
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}),
                                         urllib.request.HTTPSHandler(context=trust))
    try:
        with opener.open(request, timeout=PROBE_TIMEOUT_S) as answer:
            return answer.status == 200
    except (OSError, urllib.error.HTTPError):
        return False
