"""/metrics over TLS and for chosen bearers, slow and wrong clients, and no other door.

Tokens are real ones of service accounts, made by the kube-apiserver and reviewed by it.
"""

import os
import re
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

from cluster.certificates import Certificates
from cluster.processes import Daemon, free_port, wait_until

from . import system as sys_
from .faultproxy import FaultProxy
from .system import Controller

NAMESPACE = "metrics-readers"
REVIEWS = ("tokenreviews", "subjectaccessreviews")
REQUEST_S = 15  # from the first byte of a connection to its end
RENEWED_S = 10
LISTENING = "0A"  # /proc/net/tcp


class Guarded(Controller):
    """A controller whose metrics have a port of their own; `token` and `ca` are what its reader uses."""

    def __init__(self, plane, workdir, *arguments, **more):
        self.probe_port = free_port()
        super().__init__(plane, workdir, "--health-probe-bind-address", f"127.0.0.1:{self.probe_port}", *arguments, **more)

    def ready(self):
        try:
            return fetch(f"http://127.0.0.1:{self.probe_port}/readyz")[0] == 200
        except OSError:
            return False


def fetch(url, token=None, ca=None, method="GET", data=None, headers=()):
    """(status, text), whatever the status is."""
    request = urllib.request.Request(url, data=data, method=method, headers=dict(headers))
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    trust = ssl.create_default_context(cafile=str(ca)) if ca else None
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust))
    try:
        with opener.open(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


@contextmanager
def started(plane, workdir, *arguments, **more):
    controller = Guarded(plane, workdir, *arguments, **more).start()
    try:
        yield controller
    finally:
        controller.stop()


@pytest.fixture(scope="module")
def readers(control_plane):
    """Two service accounts, one of them bound to the role of manifests/roles.yaml; their tokens by name."""
    control_plane.kubectl("create", "namespace", NAMESPACE)
    tokens = {}
    for name in ("prometheus", "nobody", "later"):
        control_plane.kubectl("create", "serviceaccount", name, "-n", NAMESPACE)
        tokens[name] = control_plane.kubectl("create", "token", name, "-n", NAMESPACE).stdout.strip()
    bind(control_plane, "prometheus")
    yield tokens
    control_plane.kubectl("delete", "namespace", NAMESPACE, "--wait=false")
    for name in ("prometheus", "later"):
        control_plane.kubectl("delete", "clusterrolebinding", f"reads-{name}", "--ignore-not-found")


def bind(plane, account):
    plane.kubectl("create", "clusterrolebinding", f"reads-{account}", "--clusterrole=tablesync-metrics-reader",
                  f"--serviceaccount={NAMESPACE}:{account}")


@pytest.fixture(scope="module")
def proxy(control_plane, tmp_path_factory):
    with FaultProxy(control_plane, tmp_path_factory.mktemp("proxy")) as made:
        yield made


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("metrics-ca"))


def serve(pair, folder):
    """The pair as a mounted Secret shows it: two files that are replaced."""
    folder.mkdir(exist_ok=True)
    for name, origin in (("tls.crt", pair.cert), ("tls.key", pair.key)):
        fresh = folder / f"{name}.new"
        fresh.write_bytes(origin.read_bytes())
        os.replace(fresh, folder / name)
    return ("--metrics-cert-file", str(folder / "tls.crt"), "--metrics-key-file", str(folder / "tls.key"))


@pytest.fixture(scope="module")
def guarded(control_plane, readers, proxy, certificates, tmp_path_factory):
    """TLS and authorization together, through the proxy to the API server. It takes no work from the other controller."""
    work = tmp_path_factory.mktemp("guarded")
    pair = certificates.server("127.0.0.1")
    with started(control_plane, work, *serve(pair, work / "tls"), "--metrics-authorization",
                 kubeconfig=proxy.kubeconfig(sys_.SERVICE_ACCOUNT), namespace=NAMESPACE) as controller:
        controller.tls, controller.ca, controller.readers = work / "tls", certificates.ca, readers
        yield controller
        sys_.assert_no_secret(controller.log_text(), "the controller's log")


def metrics(controller, token=None, **more):
    return fetch(f"https://127.0.0.1:{controller.port}/metrics", token, controller.ca, **more)


# --- who may read ---

def test_without_a_token(guarded):
    status, text = metrics(guarded)
    assert status == 401 and "bearer token" in text and "tablesync_" not in text


@pytest.mark.parametrize("header", ["Bearer garbage", "Bearer ", "Bearer", "Basic dXNlcjpwYXNz", "Bearer " + "x" * 17000,
                                    "a.b.c"], ids=["garbage", "empty", "nothing", "basic", "huge", "no-scheme"])
def test_with_what_is_no_token(guarded, header):
    status, text = metrics(guarded, headers={"Authorization": header})
    assert status == 401 and "tablesync_" not in text


def test_a_header_that_is_a_token_of_nobody_says_how_to_ask(guarded):
    request = urllib.request.Request(f"https://127.0.0.1:{guarded.port}/metrics")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=10, context=ssl.create_default_context(cafile=str(guarded.ca)))
    assert refused.value.headers["WWW-Authenticate"] == "Bearer"


def test_with_the_role(guarded, readers):
    status, text = metrics(guarded, readers["prometheus"])
    assert status == 200 and "tablesync_resources{" in text


def test_the_scheme_is_not_case_sensitive(guarded, readers):
    assert metrics(guarded, headers={"Authorization": f"bEARER {readers['prometheus']}"})[0] == 200


def test_without_the_role(guarded, readers):
    status, text = metrics(guarded, readers["nobody"])
    assert status == 403 and "/metrics" in text and "tablesync_" not in text


def test_other_paths_are_not_there_for_anybody(guarded, readers):
    for path in ("/", "/healthz", "/readyz", "/debug/pprof", "/metrics/", "/metrics/../metrics", "//metrics"):
        assert fetch(f"https://127.0.0.1:{guarded.port}{path}", readers["prometheus"], guarded.ca)[0] == 404, path


def test_probes_need_no_token(guarded):
    for path in ("/healthz", "/livez", "/readyz"):
        wait_until(f"{path} is well", lambda path=path: fetch(f"http://127.0.0.1:{guarded.probe_port}{path}")[0] == 200, 30)
    assert fetch(f"http://127.0.0.1:{guarded.probe_port}/metrics")[0] == 404


def test_a_yes_is_remembered_and_asked_once(control_plane, guarded, readers):
    """Not two reviews for each scrape. Once the role is taken a token that was not asked about is refused at once; how
    long a yes lasts is tests/unit/loop/test_reviews.c's."""
    def allowed():
        return control_plane.kubectl("auth", "can-i", "get", "/metrics", "--as", f"system:serviceaccount:{NAMESPACE}:later",
                                     check=False).returncode == 0

    assert metrics(guarded, readers["nobody"])[0] == 403
    bind(control_plane, "later")
    wait_until("the role counts", allowed, 20)
    assert metrics(guarded, readers["later"])[0] == 200
    asked = reviews(control_plane)
    for _ in range(5):
        assert metrics(guarded, readers["later"])[0] == 200
        assert metrics(guarded, readers["nobody"])[0] == 403
    assert reviews(control_plane) == asked
    control_plane.kubectl("delete", "clusterrolebinding", "reads-later")
    wait_until("the role is taken", lambda: not allowed(), 20)
    fresh = control_plane.kubectl("create", "token", "later", "-n", NAMESPACE, "--duration=30m").stdout.strip()
    assert metrics(guarded, fresh)[0] == 403
    assert reviews(control_plane) == asked + len(REVIEWS)


def reviews(plane):
    """How many reviews the controller had."""
    mine = plane.requests(sys_.SERVICE_ACCOUNT)
    return sum(event["objectRef"]["resource"] in REVIEWS for event in mine if "objectRef" in event)


def test_the_api_server_is_not_there(control_plane, guarded, readers, proxy):
    """503 for tokens not asked about yet; what was allowed goes on, probes too; it heals by itself."""
    assert metrics(guarded, readers["prometheus"])[0] == 200
    unseen = control_plane.kubectl("create", "token", "prometheus", "-n", NAMESPACE, "--duration=20m").stdout.strip()
    proxy.stop()
    try:
        begun = time.monotonic()
        status, text = metrics(guarded, unseen)
        assert status == 503 and "tablesync_" not in text
        assert time.monotonic() - begun < REQUEST_S
        assert metrics(guarded, readers["prometheus"])[0] == 200
        assert fetch(f"http://127.0.0.1:{guarded.probe_port}/healthz")[0] == 200
    finally:
        proxy.start()
    wait_until("the API server is asked again", lambda: metrics(guarded, unseen)[0] == 200, 30)
    assert "reader of metrics not reviewed" in guarded.log_text()
    assert unseen not in guarded.log_text()


# --- what is asked wrongly, or too slowly ---

@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_only_get(guarded, readers, method):
    data = b"x" * 1000 if method in ("POST", "PUT", "PATCH") else None
    assert metrics(guarded, readers["prometheus"], method=method, data=data)[0] == 405
    url = f"http://127.0.0.1:{guarded.probe_port}/healthz"
    assert fetch(url, method=method, data=data)[0] == 405


def test_a_huge_body_is_not_read(guarded, readers):
    """The answer comes, or the connection ends, long before two gigabytes are sent; others are served."""
    with tls_socket(guarded) as raw:
        raw.sendall(b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000000\r\n\r\n" + b"y" * 100)
        assert b"405" in read_all(raw)
    assert metrics(guarded, readers["prometheus"])[0] == 200


def tls_socket(controller):
    plain = socket.create_connection(("127.0.0.1", controller.port), 30)
    return ssl.create_default_context(cafile=str(controller.ca)).wrap_socket(plain, server_hostname="127.0.0.1")


def read_all(raw):
    got = b""
    try:
        while part := raw.recv(4096):
            got += part
    except OSError:
        pass  # cut
    return got


@pytest.mark.parametrize("head", [b"GET /metrics HTTP/1.1\r\nHost: x\r\nX-Big: " + b"z" * 40000,
                                  b"GET /" + b"m" * 40000, b"z" * 40000],
                         ids=["header", "path", "garbage"])
def test_a_big_head_is_refused(guarded, head):
    for raw in (tls_socket(guarded), socket.create_connection(("127.0.0.1", guarded.probe_port), 30)):
        with raw:
            try:
                raw.sendall(head + b"\r\n\r\n")
            except OSError:
                pass  # refused already
            answer = read_all(raw)
            assert not answer or re.match(rb"HTTP/1\.[01] 4(00|13|14|31) ", answer), answer[:100]
            assert b"tablesync_" not in answer


def test_one_request_for_each_connection(guarded, readers):
    request = f"GET /metrics HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {readers['prometheus']}\r\n\r\n".encode()
    with tls_socket(guarded) as raw:
        raw.sendall(request + request)
        answer = read_all(raw)
    assert answer.count(b"HTTP/1.1 200") == 1 and b"connection: close" in answer.lower()


def drip(raw, begun, until_s):
    """A byte each second until it is cut; returns after how many seconds that was, None when it was not."""
    raw.settimeout(1)
    for byte in b"GET /metrics HTTP/1.1\r\nHost: " + b"s" * 60:
        if time.monotonic() - begun > until_s:
            return None
        try:
            raw.sendall(bytes([byte]))
            if raw.recv(1) == b"":
                return time.monotonic() - begun
        except TimeoutError:
            continue
        except OSError:
            return time.monotonic() - begun
    return None


def test_who_drips_is_cut_and_others_are_served(guarded, readers):
    """A byte each second, on ten connections, to both ports, before and after TLS."""
    begun = time.monotonic()
    slow = [socket.create_connection(("127.0.0.1", guarded.probe_port), 30) for _ in range(5)]
    slow += [socket.create_connection(("127.0.0.1", guarded.port), 30) for _ in range(3)]  # no TLS hello
    slow += [tls_socket(guarded) for _ in range(2)]
    assert metrics(guarded, readers["prometheus"])[0] == 200
    assert fetch(f"http://127.0.0.1:{guarded.probe_port}/healthz")[0] == 200
    cut = drip(slow[-1], begun, REQUEST_S + 5)
    assert cut is not None and cut <= REQUEST_S + 3
    wait_until("none of the silent ones is left", lambda: not descriptors(guarded, guarded.port)
               and not descriptors(guarded, guarded.probe_port), 5)
    for raw in slow:
        raw.close()
    assert metrics(guarded, readers["prometheus"])[0] == 200


def test_a_flood_leaves_the_probes_alone(guarded):
    """As many connections as it takes: those beyond the limit are closed, and the probes have a port of their own."""
    flood = []
    try:
        for _ in range(100):
            flood.append(socket.create_connection(("127.0.0.1", guarded.port), 30))
        assert fetch(f"http://127.0.0.1:{guarded.probe_port}/healthz")[0] == 200
        open_ = descriptors(guarded, guarded.port)
        assert len(open_) <= 64
    finally:
        for raw in flood:
            raw.close()
    wait_until("readers are served again", lambda: served(guarded), 30)


def served(controller):
    try:
        return metrics(controller, controller.readers["prometheus"])[0] == 200
    except OSError:
        return False


# --- listeners ---

def sockets_of(controller):
    links = []
    for entry in Path(f"/proc/{controller.daemon.pid}/fd").iterdir():
        try:
            links.append(os.readlink(entry))
        except OSError:
            continue  # closed meanwhile
    return {link[8:-1] for link in links if link.startswith("socket:[")}


def tcp(controller):
    """(state, local port) of each TCP socket of the process."""
    mine = sockets_of(controller)
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{controller.daemon.pid}/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[9] in mine:
                yield words[3], int(words[1].rsplit(":", 1)[1], 16)


def descriptors(controller, port):
    return [state for state, local in tcp(controller) if local == port and state != LISTENING]


def test_two_listeners_and_no_other(guarded):
    assert sorted(port for state, port in tcp(guarded) if state == LISTENING) == sorted((guarded.port, guarded.probe_port))
    mine = sockets_of(guarded)
    for table in ("udp", "udp6", "raw", "raw6"):
        lines = Path(f"/proc/{guarded.daemon.pid}/net/{table}").read_text().splitlines()[1:]
        assert not [line for line in lines if line.split()[9] in mine], table
    unix = Path(f"/proc/{guarded.daemon.pid}/net/unix").read_text().splitlines()[1:]
    bound = [line for line in unix if line.split()[6] in mine and line.split()[3] == "00010000"]
    assert not bound


# --- TLS ---

def test_plain_http_is_not_answered(guarded, readers):
    with socket.create_connection(("127.0.0.1", guarded.port), 30) as raw:
        raw.sendall(f"GET /metrics HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {readers['prometheus']}\r\n\r\n".encode())
        assert b"tablesync_" not in read_all(raw)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1")
@pytest.mark.parametrize("version,offered", [(ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True),
                                             (ssl.TLSVersion.TLSv1_3, True)])
def test_versions_of_tls(guarded, version, offered):
    trust = ssl.create_default_context(cafile=str(guarded.ca))
    trust.set_ciphers("DEFAULT:@SECLEVEL=0")
    trust.minimum_version = trust.maximum_version = version
    with socket.create_connection(("127.0.0.1", guarded.port), 30) as plain:
        try:
            with trust.wrap_socket(plain, server_hostname="127.0.0.1") as raw:
                assert offered, raw.version()
        except ssl.SSLError:
            assert not offered


def serial(controller):
    """The certificate that is served now; None while nothing is."""
    try:
        with socket.create_connection(("127.0.0.1", controller.port), 5) as plain:
            trust = ssl.create_default_context(cafile=str(controller.ca))
            with trust.wrap_socket(plain, server_hostname="127.0.0.1") as raw:
                return raw.getpeercert()["serialNumber"]
    except OSError:
        return None


def test_renewed_files_are_taken_up(guarded, certificates, readers):
    """Within ten seconds, on the same port; a pair that does not fit keeps the old one, without an interruption."""
    before = serial(guarded)
    other = certificates.server("127.0.0.1")
    (guarded.tls / "tls.crt").write_bytes(other.cert.read_bytes())  # the key comes later
    refused = "do not fit"
    wait_until("the half pair is told", lambda: refused in guarded.log_text(), RENEWED_S + 3)
    assert serial(guarded) == before
    assert metrics(guarded, readers["prometheus"])[0] == 200
    told = guarded.log_text().count(refused)
    begun = time.monotonic()
    while time.monotonic() - begun < RENEWED_S + 1.5:  # the next look too leaves what is served alone
        assert serial(guarded) == before
    assert guarded.log_text().count(refused) == told, "told at each look"
    (guarded.tls / "tls.key").write_bytes(other.key.read_bytes())
    wait_until("the new certificate is served", lambda: serial(guarded) not in (before, None), RENEWED_S + 3)
    assert metrics(guarded, readers["prometheus"])[0] == 200
    renewed = serial(guarded)
    (guarded.tls / "tls.key").unlink()
    wait_until("the missing file is told", lambda: "tls.key" in guarded.log_text(), RENEWED_S + 3)
    assert serial(guarded) == renewed and metrics(guarded, readers["prometheus"])[0] == 200
    serve(other, guarded.tls)


def refused_start(plane, workdir, *arguments, **env):
    """(exit code, stderr) of a controller that must not start."""
    command = [os.environ["TABLESYNC_BIN"], "controller", "--kubeconfig", str(plane.kubeconfig_for(sys_.SERVICE_ACCOUNT)),
               "--audit-db", str(workdir / "audit.db"), "--metrics-bind-address", f"127.0.0.1:{free_port()}",
               "--health-probe-bind-address", f"127.0.0.1:{free_port()}", *arguments]
    done = subprocess.run(command, env={**os.environ, **env}, text=True, capture_output=True, timeout=30, check=False)
    return done.returncode, done.stderr


def test_a_bad_pair_at_the_start_is_refused(control_plane, certificates, tmp_path):
    good, other = certificates.server("127.0.0.1"), certificates.server("127.0.0.1")
    (tmp_path / "text").write_text("no certificate\n")
    (tmp_path / "broken").write_text("-----BEGIN CERTIFICATE-----\nZm9v\n-----END CERTIFICATE-----\n")
    (tmp_path / "empty").write_text("")
    for cert, key in ((good.cert, other.key), (tmp_path / "text", good.key), (good.cert, tmp_path / "text"),
                      (tmp_path / "broken", good.key), (good.cert, tmp_path / "broken"), (tmp_path / "gone", good.key),
                      (good.cert, tmp_path / "gone"), (tmp_path / "empty", good.key), (tmp_path, good.key)):
        code, said = refused_start(control_plane, tmp_path, "--metrics-cert-file", str(cert), "--metrics-key-file", str(key))
        assert code in (1, 2), (cert, key, said)
        wrong = key if cert == good.cert else cert
        assert str(wrong) in said, said
        assert "PRIVATE KEY" not in said
    code, said = refused_start(control_plane, tmp_path, "--metrics-cert-file", str(good.cert))
    assert code == 2 and "--metrics-key-file" in said and "go together" in said


def test_a_shared_port_knows_neither(control_plane, certificates, tmp_path):
    pair = certificates.server("127.0.0.1")
    address = f"127.0.0.1:{free_port()}"
    for arguments in (("--metrics-authorization",), serve(pair, tmp_path / "tls")):
        code, said = refused_start(control_plane, tmp_path, "--metrics-bind-address", address,
                                   "--health-probe-bind-address", address, *arguments)
        assert code == 2 and address in said and "--health-probe-bind-address" in said


# --- the switch ---

def test_the_environment_says_no(control_plane, tmp_path):
    """`false` is off, and everybody may read; nobody is asked about."""
    controller = Guarded(control_plane, tmp_path)
    controller.daemon = Daemon("tablesync", controller.daemon.command, controller.log,
                               env={"TABLESYNC_METRICS_AUTHORIZATION": "false"})
    controller.start()
    try:
        status, text = fetch(f"http://127.0.0.1:{controller.port}/metrics")
        assert status == 200 and "tablesync_resources{" in text
    finally:
        controller.stop()


@pytest.mark.parametrize("value", ["yes", "1", "TRUE", "on"])
def test_the_environment_says_something_else(control_plane, tmp_path, value):
    """Never taken for a no: a door left open by a spelling."""
    code, said = refused_start(control_plane, tmp_path, TABLESYNC_METRICS_AUTHORIZATION=value)
    assert code == 2 and "TABLESYNC_METRICS_AUTHORIZATION" in said and f"'{value}'" in said


def test_the_flag_has_its_value_as_well(control_plane, tmp_path):
    code, said = refused_start(control_plane, tmp_path, "--metrics-authorization=maybe")
    assert code == 2 and "'maybe'" in said


# --- what is in it ---

def test_metrics_name_resources_and_nothing_of_their_data(running, control_plane, tmp_path):
    """Databases, tables, hosts, users and passwords are nobody's business there; names of resources, if wanted."""
    running.mysql.execute("CREATE DATABASE metrics_private", "CREATE TABLE metrics_private.secret_orders (id INT PRIMARY KEY)")
    running.apply(sys_.sync_manifest("very-private", "metrics_private", "secret_orders"))
    running.wait_ready("very-private")
    text = running.controller.get("/metrics")
    sys_.assert_no_secret(text, "/metrics")
    labels = {name for name, _ in re.findall(r'(\w+)="([^"]*)"', text)}
    assert labels == {"action", "code", "controller", "host", "kind", "le", "level", "method", "name", "namespace", "phase",
                      "priority", "resource", "result", "state", "status", "system", "type", "verb"}
    assert 'name="very-private"' in text
    for word in ("metrics_private", "secret_orders", "cdc", f":{running.mysql.port}", f":{running.rw.port}"):
        assert word not in text, word
    with started(control_plane, tmp_path, "--metrics-per-resource", "0", kubeconfig=None) as silent:
        def seen():
            text = fetch(f"http://127.0.0.1:{silent.port}/metrics")[1]
            return text if re.search(r"^tablesync_resources_without_series [1-9]", text, re.M) else None

        wait_until("it has looked at resources", seen, 30)
        assert "very-private" not in seen() and "namespace=" not in seen() and "shop-mysql" not in seen()
    running.delete("very-private")
