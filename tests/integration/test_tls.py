"""TLS to the three servers: every mode against every kind of wrong certificate, at the drivers' own level.

MariaDB is real; RisingWave and StarRocks are the stand-ins. Each server runs once, with its certificate: `name` is for
localhost and `address` for 127.0.0.1 alone, so that a mismatch is a matter of the host one connects to.
"""

import contextlib
import socket
import ssl
import struct
import threading

import psycopg2
import pymysql
import pytest

from cluster.certificates import Certificates, encrypted
from cluster.mysql import start_mariadb
from standins.conformance.process import StandIn

from .drivers.probe import Probe, refused

PASSWORD = "tls-pa'ss \\ w$rd"
KINDS = ["MySQL", "RisingWave", "StarRocks"]
MODES = ["Disable", "Prefer", "Require", "VerifyCA", "VerifyFull"]
DEMANDING = MODES[2:]
VERIFYING = MODES[3:]
WAKE_MS = 1000
ARGUMENTS = {"RisingWave": ("standins.risingwave", "--port", "0"),
             "StarRocks": ("standins.starrocks", "--mysql-port", "0")}
ENFORCE = {"RisingWave": "--tls-enforce", "StarRocks": "--tls-require"}
CREATE_USER = {"RisingWave": "CREATE USER cdc WITH PASSWORD '{}'",
               "StarRocks": "CREATE USER 'cdc'@'%' IDENTIFIED BY '{}'"}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def pairs(made):
    """Certificates by what is peculiar about them."""
    return {"name": made.server("localhost"), "address": made.server("127.0.0.1"), "expired": made.expired(),
            "client": made.client(), "foreign client": made.foreign.client(), "expired client": made.expired_client()}


PASSWORD_LITERAL = PASSWORD.replace("\\", "\\\\").replace("'", "''")  # MySQL and StarRocks


class Servers:
    """The servers by kind and certificate, each started when it is first asked for."""

    def __init__(self, folder, made, pairs, stack):
        self.folder, self.made, self.pairs, self.stack = folder, made, pairs, stack
        self.running = {}
        self.shown = None  # the one MariaDB with TLS shows any certificate

    def endpoint(self, kind, shows, special=""):
        """Arguments of Probe. shows "" is a server without TLS; special is "enforce" or "client CA"."""
        about = {"kind": kind, "user": "cdc", "password": PASSWORD, "database": "dev" if kind == "RisingWave" else ""}
        if kind == "MySQL":
            user = {"enforce": "encrypted", "client CA": "certified"}.get(special, "cdc")
            return {**about, "user": user, "port": self._maria(shows)}
        return {**about, "port": self._standin(kind, shows, special)}

    def _maria(self, shows):
        if shows == "" and "plain" not in self.running:
            folder = self.folder / "plain"
            server = self.stack.enter_context(start_mariadb(folder / "data"))
            server.execute(f"CREATE USER 'cdc'@'%' IDENTIFIED BY '{PASSWORD_LITERAL}'")
            self.running["plain"] = server
        if shows == "":
            return self.running["plain"].port
        if "tls" not in self.running:
            server = self.stack.enter_context(start_mariadb(self.folder / "tls", tls=self.made.server()))
            for user, terms in {"cdc": "", "encrypted": "REQUIRE SSL", "certified": "REQUIRE X509"}.items():
                server.execute(f"CREATE USER '{user}'@'%' IDENTIFIED BY '{PASSWORD_LITERAL}' {terms}")
            self.running["tls"] = server
        server = self.running["tls"]
        if self.shown != shows:
            server.show(self.pairs[shows])
            self.shown = shows
        return server.port

    def _standin(self, kind, shows, special):
        key = (kind, shows, special)
        if key not in self.running:
            arguments = [*ARGUMENTS[kind], *(self.pairs[shows].arguments() if shows else [])]
            if special == "enforce":
                arguments.append(ENFORCE[kind])
            if special == "client CA":
                arguments += ["--tls-client-ca", str(self.made.ca)]
            server = self.stack.enter_context(StandIn(*arguments))
            self.running[key] = server.ports["port" if kind == "RisingWave" else "mysql"]
            self._make_user(kind, self.running[key], bool(shows))
        return self.running[key]

    def _make_user(self, kind, port, encrypted_):
        client = self.pairs["client"]
        if kind == "RisingWave":
            session = psycopg2.connect(host="127.0.0.1", port=port, user="root", dbname="dev", sslcert=str(client.cert),
                                       sslkey=str(client.key), sslmode="require" if encrypted_ else "disable")
            session.autocommit = True
            password = PASSWORD.replace("'", "''")
        else:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            context.load_cert_chain(client.cert, client.key)
            session = pymysql.connect(host="127.0.0.1", port=port, user="root", autocommit=True,
                                      ssl=context if encrypted_ else None, ssl_disabled=not encrypted_)
            password = PASSWORD_LITERAL
        with contextlib.closing(session), session.cursor() as cursor:
            cursor.execute(CREATE_USER[kind].format(password))


@pytest.fixture(scope="module")
def servers(tmp_path_factory, made, pairs):
    with contextlib.ExitStack() as stack:
        yield Servers(tmp_path_factory.mktemp("tls-servers"), made, pairs, stack)


def opened(endpoint, mode, *, ca=None, client=None, **more):
    """What opening the connection answers; a good one also has to answer a question."""
    texts = {"ca": ca.read_text() if ca else None, "cert": client.cert.read_text() if client else None,
             "key": client.key.read_text() if client else None}
    given = {name: text for name, text in texts.items() if text is not None}
    with Probe(**{**endpoint, "tls": mode, **given, **more}) as probe:
        if probe.opened["ok"]:
            assert probe.value("probe")["version"]
        if client:
            body = client.key.read_text().splitlines()[1].encode()
            assert body not in probe.raw
        return probe.opened


def fails(answer, reason, endpoint, *words, cls="Unavailable"):
    refused(answer, cls, reason, f"{endpoint['kind']} {endpoint.get('host', '127.0.0.1')}:{endpoint['port']}", *words)
    # A word on what to do next ends every message.
    assert answer["text"].rstrip().endswith(".") and answer["text"].count(". ") >= 1, answer


# --- the matrix ---

@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", KINDS)
def test_plaintext_server(servers, made, kind, mode):
    endpoint = servers.endpoint(kind, "")
    answer = opened(endpoint, mode, ca=made.ca)
    if mode in DEMANDING:
        fails(answer, "TLSNotOffered", endpoint, "spec.tls.mode")
    else:
        assert answer["ok"], answer


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", KINDS)
def test_server_that_wants_tls(servers, made, kind, mode):
    """All but Disable log in where nobody may without TLS: so TLS it was."""
    endpoint = servers.endpoint(kind, "address", "enforce")
    answer = opened(endpoint, mode, ca=made.ca)
    if mode != "Disable":
        assert answer["ok"], answer
    elif kind == "MySQL":
        fails(answer, "AuthFailed", endpoint, cls="Denied")  # all that MariaDB says
    else:
        fails(answer, "TLSFailed", endpoint, "set spec.tls.mode to Require")


@pytest.mark.parametrize("mode", MODES[1:])
@pytest.mark.parametrize("kind", KINDS)
def test_wrong_ca(servers, made, kind, mode):
    endpoint = servers.endpoint(kind, "address", "enforce")
    answer = opened(endpoint, mode, ca=made.foreign.ca)
    if mode in VERIFYING:
        fails(answer, "TLSUntrusted", endpoint, "certificate verify failed", "spec.tls.caSecretRef")
    else:
        assert answer["ok"], answer


@pytest.mark.parametrize("mode", MODES[1:])
@pytest.mark.parametrize("kind", KINDS)
def test_expired_certificate(servers, made, kind, mode):
    endpoint = servers.endpoint(kind, "expired")
    answer = opened(endpoint, mode, ca=made.ca)
    if mode in VERIFYING:
        fails(answer, "TLSExpired", endpoint, "certificate has expired", "Renew")
    else:
        assert answer["ok"], answer


@pytest.mark.parametrize("mode", MODES[1:])
@pytest.mark.parametrize("shows, host", [("name", "127.0.0.1"), ("address", "localhost"), ("name", "localhost"),
                                         ("address", "127.0.0.1")])
@pytest.mark.parametrize("kind", KINDS)
def test_host_of_the_certificate(servers, made, kind, shows, host, mode):
    """Both hosts lead to one address: what is compared is what the resource says."""
    special = "enforce" if shows == "address" else ""
    endpoint = {**servers.endpoint(kind, shows, special), "host": host}
    answer = opened(endpoint, mode, ca=made.ca)
    fits = (shows, host) in [("name", "localhost"), ("address", "127.0.0.1")]
    if mode == "VerifyFull" and not fits:
        fails(answer, "TLSHostMismatch", endpoint, "spec.host")
    else:
        assert answer["ok"], answer


@pytest.mark.parametrize("mode", MODES[1:])
@pytest.mark.parametrize("client, reason", [("client", None), (None, "TLSClientRefused"),
                                            ("foreign client", "TLSClientRefused"),
                                            ("expired client", "TLSClientRefused")])
@pytest.mark.parametrize("kind", KINDS)
def test_client_certificate(servers, made, pairs, kind, client, reason, mode):
    endpoint = servers.endpoint(kind, "address", "client CA")
    answer = opened(endpoint, mode, ca=made.ca, client=pairs[client] if client else None)
    if reason is None:
        assert answer["ok"], answer
    elif kind == "MySQL" and client is None:
        # MariaDB asks for it after TLS is up, and refuses as it refuses a wrong password.
        fails(answer, "AuthFailed", endpoint, "spec.tls.clientCertSecretRef", cls="Denied")
    else:
        fails(answer, reason, endpoint, "spec.tls.clientCertSecretRef")


@pytest.mark.parametrize("kind", KINDS)
def test_client_certificate_nobody_asked_for(servers, made, pairs, kind):
    answer = opened(servers.endpoint(kind, "address", "enforce"), "VerifyFull", ca=made.ca, client=pairs["client"])
    assert answer["ok"], answer


# --- the system's certificates ---

@pytest.mark.parametrize("kind", KINDS)
def test_without_a_ca_the_systems_count(servers, made, kind, monkeypatch, tmp_path):
    endpoint = servers.endpoint(kind, "address", "enforce")
    fails(opened(endpoint, "VerifyFull"), "TLSUntrusted", endpoint, "spec.tls.caSecretRef")
    monkeypatch.setenv("SSL_CERT_FILE", str(made.ca))
    answer = opened(endpoint, "VerifyFull")
    assert answer["ok"], answer
    # A CA of the connection's own counts alone.
    fails(opened(endpoint, "VerifyFull", ca=made.foreign.ca), "TLSUntrusted", endpoint)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    fails(opened(endpoint, "VerifyCA"), "TLSMaterialInvalid", endpoint, "none.pem", "spec.tls.caSecretRef")


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_read_from_a_home_directory(servers, made, pairs, kind, monkeypatch, tmp_path):
    """libpq would take CA, certificate and key from ~/.postgresql, and all it needs from its variables."""
    home = tmp_path / ".postgresql"
    home.mkdir()
    for name, file in {"root.crt": made.foreign.ca, "postgresql.crt": pairs["foreign client"].cert,
                       "postgresql.key": pairs["foreign client"].key}.items():
        (home / name).write_bytes(file.read_bytes())
        (home / name).chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PGSSLROOTCERT", str(made.foreign.ca))
    monkeypatch.setenv("PGSSLCERT", str(pairs["foreign client"].cert))
    monkeypatch.setenv("PGSSLKEY", str(pairs["foreign client"].key))
    for mode in ("Require", "VerifyFull"):
        answer = opened(servers.endpoint(kind, "address", "enforce"), mode, ca=made.ca)
        assert answer["ok"], answer


# --- what a Secret may hold by mistake ---

@pytest.mark.parametrize("kind", KINDS)
def test_texts_that_are_no_pem(made, pairs, kind):
    """Nothing listens there: what is wrong is said before anybody is asked."""
    client, other = pairs["client"], pairs["foreign client"]
    endpoint = {"kind": kind, "port": 1, "user": "cdc", "password": PASSWORD}
    cert, key, ca = client.cert.read_text(), client.key.read_text(), made.ca.read_text()
    for given, field, word in [
            ({"ca": ""}, "caSecretRef", "no PEM certificate"),
            ({"ca": "not a certificate"}, "caSecretRef", "no PEM certificate"),
            ({"ca": key}, "caSecretRef", "no PEM certificate"),
            ({"ca": ca + ca.replace("MII", "!!!")}, "caSecretRef", "damaged"),
            ({"ca": ca, "cert": "junk", "key": key}, "clientCertSecretRef", "tls.crt holds no"),
            ({"ca": ca, "cert": cert, "key": "junk"}, "clientCertSecretRef", "tls.key holds no"),
            ({"ca": ca, "cert": cert, "key": cert}, "clientCertSecretRef", "tls.key holds no"),
            ({"ca": ca, "cert": cert, "key": encrypted(client.key)}, "clientCertSecretRef", "passphrase"),
            ({"ca": ca, "cert": cert, "key": other.key.read_text()}, "clientCertSecretRef", "does not belong"),
            ({"ca": ca, "cert": cert}, "clientCertSecretRef", "tls.crt alone")]:
        with Probe(**endpoint, tls="VerifyFull", **given) as probe:
            refused(probe.opened, "Unavailable", "TLSMaterialInvalid", f"{kind} 127.0.0.1:1", f"spec.tls.{field}", word)
            assert "BEGIN EC" not in probe.opened["text"] and key.splitlines()[1] not in probe.opened["text"]


# --- what a server that should not be trusted gets to see ---

class Listener:
    """Accepts connections and hands each to `talk`, in threads; `heard` is what the talks return."""

    def __init__(self, talk):
        self.talk, self.heard, self.open = talk, [], []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                peer, _ = self.socket.accept()
                self.open.append(peer)
                peer.settimeout(10)
                self.heard.append(self.talk(peer))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join()
        for peer in self.open:
            peer.close()


def greeting(tls):
    capabilities = 0x38820c | 0x8000 | 0x80000 | 0x200 | (0x800 if tls else 0)
    body = (b"\x0a8.0.33\0" + struct.pack("<I", 5) + b"12345678\0"
            + struct.pack("<HBHHB", capabilities & 0xffff, 33, 2, capabilities >> 16, 21) + bytes(10)
            + b"123456789012\0mysql_native_password\0")
    return struct.pack("<I", len(body))[:3] + b"\0" + body


def everything(peer):
    """What the client says until it leaves."""
    data = b""
    with contextlib.suppress(OSError):
        while piece := peer.recv(4096):
            data += piece
    return data


def begin_tls(kind, peer):
    """The plain bytes before the handshake; the client's are returned."""
    if kind == "RisingWave":
        asked = peer.recv(8, socket.MSG_WAITALL)
        peer.sendall(b"S")
        return asked
    peer.sendall(greeting(tls=True))
    return peer.recv(36, socket.MSG_WAITALL)


def impostor(kind, pair):
    """A talk: TLS with this certificate, then nothing; returns what came inside of it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.cert, pair.key)

    def talk(peer):
        begin_tls(kind, peer)
        with contextlib.suppress(OSError, ssl.SSLError):
            return everything(context.wrap_socket(peer, server_side=True))
        return b""
    return talk


def plain_server(kind):
    def talk(peer):
        if kind == "RisingWave":
            first = peer.recv(8, socket.MSG_WAITALL)
            assert struct.unpack("!ii", first) == (8, 80877103)  # a request for TLS, which tells nothing
            peer.sendall(b"N")
        else:
            peer.sendall(greeting(tls=False))
        return everything(peer)
    return talk


@pytest.mark.parametrize("mode", DEMANDING)
@pytest.mark.parametrize("kind", KINDS)
def test_plaintext_server_hears_nothing(made, kind, mode):
    with Listener(plain_server(kind)) as server:
        endpoint = {"kind": kind, "port": server.port, "user": "cdc", "password": PASSWORD}
        fails(opened(endpoint, mode, ca=made.ca), "TLSNotOffered", endpoint)
    assert server.heard == [b""]


@pytest.mark.parametrize("shows, mode, reason", [("foreign", "VerifyCA", "TLSUntrusted"),
                                                 ("foreign", "VerifyFull", "TLSUntrusted"),
                                                 ("name", "VerifyFull", "TLSHostMismatch"),
                                                 ("expired", "VerifyFull", "TLSExpired")])
@pytest.mark.parametrize("kind", KINDS)
def test_impostor_hears_nothing(made, pairs, kind, shows, mode, reason):
    pair = made.foreign.server() if shows == "foreign" else pairs[shows]
    with Listener(impostor(kind, pair)) as server:
        endpoint = {"kind": kind, "port": server.port, "user": "cdc", "password": PASSWORD}
        fails(opened(endpoint, mode, ca=made.ca), reason, endpoint)
    assert server.heard == [b""]


def test_greeting_in_pieces(made):
    """A greeting without TLS that comes byte by byte is still seen before it is answered."""
    def talk(peer):
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError):  # it may leave before the last byte: the flags come first
            for byte in greeting(tls=False):
                peer.sendall(bytes([byte]))
        return everything(peer)
    with Listener(talk) as server:
        endpoint = {"kind": "MySQL", "port": server.port, "user": "cdc", "password": PASSWORD}
        fails(opened(endpoint, "Require"), "TLSNotOffered", endpoint)
    assert server.heard == [b""]


# --- servers that stop halfway ---

def mute(kind, where):
    def talk(peer):
        if where == "handshake":
            begin_tls(kind, peer)
        return everything(peer)
    return talk


@pytest.mark.parametrize("where", ["greeting", "handshake"])
@pytest.mark.parametrize("mode", ["Prefer", "Require", "VerifyFull"])
@pytest.mark.parametrize("kind", KINDS)
def test_mute_server(made, kind, mode, where):
    with Listener(mute(kind, where)) as server:
        endpoint = {"kind": kind, "port": server.port, "user": "cdc", "password": PASSWORD}
        late = opened(endpoint, mode, ca=made.ca, timeoutMs=400)
        refused(late, "Unavailable", "Timeout")
        assert 400 <= late["ms"] < 400 + WAKE_MS
        stopped = opened(endpoint, mode, ca=made.ca, timeoutMs=20000, cancelAfterMs=200)
        refused(stopped, "Cancelled", "Cancelled")
        assert 200 <= stopped["ms"] < 200 + WAKE_MS
