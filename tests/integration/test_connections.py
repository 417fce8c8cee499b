"""DatabaseConnections as their owners see them: what they tell, when they heal, and that they go after their users."""

import json
import socket
import threading
import time

import pytest

from cluster.certificates import Certificates
from cluster.mysql import start_mariadb
from cluster.processes import free_port, wait_until

from . import system as sys_
from .system import (MYSQL_PASSWORD, RISINGWAVE_PASSWORD, assert_no_secret, condition_of, connection_manifest,
                     secret_manifest)

NAMESPACE = "connections"
CONNECTIONS = "databaseconnections"
FINALIZER = "tablesync.dev/in-use"
QUICK = {"backoffBase": "200ms", "backoffMax": "1s"}
MANY = 20
SOON_S = 15


class Maria:
    """A MariaDB of this module's own, with TLS."""

    def __init__(self, folder):
        self.made = Certificates(folder / "certificates")
        self.server = start_mariadb(folder / "data", tls=self.made.server("127.0.0.1"))
        self.port = self.server.port

    def denied(self) -> int:
        return int(self.server.execute("SHOW GLOBAL STATUS LIKE 'Access_denied_errors'")[0][1])

    def logins(self) -> int:
        """Of others than this module's own account."""
        return int(self.server.execute("SELECT SUM(total_connections) FROM information_schema.user_statistics"
                                       " WHERE user = 'cdc'")[0][0] or 0)


class Counting:
    """A server that hangs up on everybody, and counts them."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.calls = 0
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        while True:
            try:
                caller, _ = self.socket.accept()
            except OSError:
                return
            self.calls += 1
            caller.close()

    def stop(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(10)


@pytest.fixture(scope="module")
def maria(tmp_path_factory):
    made = Maria(tmp_path_factory.mktemp("maria"))
    with made.server:
        sys_.prepare_mysql(made.server)
        made.server.execute("SET GLOBAL userstat = 1", "CREATE DATABASE shop",
                            "CREATE TABLE shop.t (id INT PRIMARY KEY, v INT)", "INSERT INTO shop.t VALUES (1, 10)")
        yield made


@pytest.fixture(scope="module")
def place(running, maria):
    """A namespace with the three usual connections, MySQL's being this module's MariaDB."""
    running.connect(NAMESPACE, mysql=maria.server)
    yield running
    running.clear(NAMESPACE)


def status_of(place, name):
    return place.get(name, CONNECTIONS, NAMESPACE)["status"]


def wait_for(place, name, kind, status, reason, timeout_s=SOON_S):
    """The condition's message once it stands so."""
    return place.wait_condition(name, kind, status, reason, timeout_s, NAMESPACE, CONNECTIONS)["message"]


def wait_ready(place, name, timeout_s=SOON_S):
    return wait_for(place, name, "Ready", "True", "Connected", timeout_s)


def sync(name, **more):
    """A TableSync of the one table into a table of its own; it only plans unless told otherwise."""
    return sys_.sync_manifest(name, "shop", "t", namespace=NAMESPACE, **{
        "target": {"table": name}, "retry": QUICK, "plan": {"mode": "Manual"}, **more})


def let_go(place, *names):
    place.plane.kubectl("delete", CONNECTIONS, *names, "-n", NAMESPACE, "--timeout=30s", "--ignore-not-found",
                        timeout_s=60)


# --- what it tells ---------------------------------------------------------------------------------------------------

def test_a_connection_tells_what_its_server_is(place):
    """Version, capabilities, live backends and users, in status and in `kubectl get`."""
    place.apply(sync("told"))
    for name in ("shop-mysql", "rw", "warehouse"):
        wait_until(f"{name} knows its user", lambda n=name: status_of(place, n).get("users") == ["told"], SOON_S)
        wait_ready(place, name)
    mysql, rw, warehouse = (status_of(place, n) for n in ("shop-mysql", "rw", "warehouse"))
    assert mysql["serverVersion"].startswith("10.") and mysql["inUseBy"] == 1
    assert mysql["capabilities"]["binlogFormat"] == "ROW" and mysql["capabilities"]["rowImage"] == "FULL"
    assert rw["serverVersion"] and rw["capabilities"]["parallelism"] >= 1
    assert warehouse["serverVersion"]  # this account may not list backends
    assert condition_of({"status": mysql}, "CdcCapable")["status"] == "True"
    assert condition_of({"status": rw}, "CdcCapable")["reason"] == "NotMySQL"
    shown = place.plane.kubectl("get", CONNECTIONS, "shop-mysql", "-n", NAMESPACE).stdout.splitlines()
    assert shown[0].split()[:5] == ["NAME", "TYPE", "HOST", "READY", "VERSION"]
    assert "True" in shown[1] and mysql["serverVersion"] in shown[1]
    place.delete("told", namespace=NAMESPACE)
    wait_until("no user is left", lambda: "users" not in status_of(place, "rw"), SOON_S)


def test_a_calm_connection_writes_nothing(place, maria):
    """Further looks, each a login that MariaDB counts, and none of the three has another resourceVersion."""
    def versions():
        return {n: c["metadata"]["resourceVersion"] for n, c in place.listed(NAMESPACE, CONNECTIONS).items()
                if n in ("shop-mysql", "rw", "warehouse")}

    def calm():
        before, logins = versions(), maria.logins()
        wait_until("it is looked at again", lambda: maria.logins() >= logins + 4, 30)
        return versions() == before

    wait_until("connections are calm", calm, 60)


def test_missing_grants_are_told_at_once_and_heal(place, maria):
    """All that is missing in one message with the statement to run; running it heals without touching a resource."""
    maria.server.execute("CREATE USER 'poor'@'%' IDENTIFIED BY 'poor-password'", "GRANT SELECT ON shop.* TO 'poor'@'%'")
    place.apply(secret_manifest("poor", "poor", "poor-password", NAMESPACE),
                connection_manifest("poor", "MySQL", maria.port, NAMESPACE))
    message = wait_for(place, "poor", "CdcCapable", "False", "MissingGrant")
    for word in ("GRANT", "REPLICATION SLAVE", "REPLICATION CLIENT"):
        assert word in message, message
    assert wait_for(place, "poor", "Ready", "False", "MissingGrant") == message
    wait_for(place, "poor", "CredentialsValid", "True", "LoggedIn")
    maria.server.execute("GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'poor'@'%'")
    wait_ready(place, "poor")
    let_go(place, "poor")


# --- faults and recovery ---------------------------------------------------------------------------------------------

def test_a_wrong_new_password_tears_nothing_down(place):
    """The connection says AuthFailed, what exists stays as it is, and going back heals within seconds."""
    place.apply(secret_manifest("turned", "tablesync", RISINGWAVE_PASSWORD, NAMESPACE),
                connection_manifest("turned", "RisingWave", place.rw.port, NAMESPACE))
    place.apply(sync("turned", plan={"mode": "Auto"}, rw="turned", deletionPolicy="Delete"))
    place.wait_ready("turned", namespace=NAMESPACE)
    before = place.catalogs()
    place.apply(secret_manifest("turned", "tablesync", "not-the-password", NAMESPACE))
    wait_for(place, "turned", "CredentialsValid", "False", "AuthFailed")
    wait_for(place, "turned", "Reachable", "True", "Connected")
    place.wait_condition("turned", "ConnectionsReady", "False", "AuthFailed", namespace=NAMESPACE)
    assert place.catalogs() == before
    place.apply(secret_manifest("turned", "tablesync", RISINGWAVE_PASSWORD, NAMESPACE))
    wait_ready(place, "turned")
    place.wait_ready("turned", SOON_S, namespace=NAMESPACE)
    assert place.catalogs() == before
    place.told("turned", "Connected", NAMESPACE)
    told = [(e["type"], e["reason"]) for e in place.events("turned", NAMESPACE)
            if e["regarding"]["kind"] == "DatabaseConnection"]
    assert ("Warning", "AuthFailed") in told and ("Normal", "Connected") in told
    assert len(told) == 2, told
    place.delete("turned", namespace=NAMESPACE)
    let_go(place, "turned")


def test_an_account_that_demands_tls_needs_a_mode_for_risingwave(place, maria):
    """Our own login is encrypted with Prefer as well; RisingWave's snapshot reader is not, and would try for ever."""
    maria.server.execute("CREATE USER 'sealed'@'%' IDENTIFIED BY 'sealed-password' REQUIRE SSL",
                         "GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'sealed'@'%'")
    place.apply(secret_manifest("sealed", "sealed", "sealed-password", NAMESPACE),
                connection_manifest("sealed", "MySQL", maria.port, NAMESPACE))
    message = wait_for(place, "sealed", "CdcCapable", "False", "TLSRequired")
    assert "REQUIRE SSL" in message and "spec.tls.mode" in message
    place.apply(connection_manifest("sealed", "MySQL", maria.port, NAMESPACE, tls={"mode": "Require"}))
    wait_ready(place, "sealed")
    let_go(place, "sealed")


def test_a_secret_that_comes_later_is_seen(place, maria):
    """Missing Secret, missing key, then right: seconds after each change, by watch."""
    place.apply(connection_manifest("later", "MySQL", maria.port, NAMESPACE))
    message = wait_for(place, "later", "CredentialsValid", "False", "SecretNotFound")
    assert f"'{NAMESPACE}/later' (spec.credentialsSecretRef)" in message and "create it" in message
    place.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "later", "namespace": NAMESPACE},
                 "stringData": {"username": "cdc"}})
    assert "'password'" in wait_for(place, "later", "CredentialsValid", "False", "SecretKeyMissing")
    wait_for(place, "later", "Reachable", "Unknown", "NotTried")
    place.apply(secret_manifest("later", "cdc", MYSQL_PASSWORD, NAMESPACE))
    wait_ready(place, "later")
    let_go(place, "later")


def test_an_address_that_is_put_right_heals(place, maria):
    closed = free_port()
    place.apply(secret_manifest("moved", "cdc", MYSQL_PASSWORD, NAMESPACE),
                connection_manifest("moved", "MySQL", closed, NAMESPACE))
    assert str(closed) in wait_for(place, "moved", "Reachable", "False", "Unreachable")
    wait_for(place, "moved", "CredentialsValid", "Unknown", "NotTried")
    place.apply(connection_manifest("moved", "MySQL", maria.port, NAMESPACE, host="no-such-host.invalid"))
    assert "no-such-host.invalid" in wait_for(place, "moved", "Reachable", "False", "UnknownHost")
    place.apply(connection_manifest("moved", "MySQL", maria.port, NAMESPACE))
    wait_ready(place, "moved")
    let_go(place, "moved")


# --- TLS -------------------------------------------------------------------------------------------------------------

def authority(text):
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "authority", "namespace": NAMESPACE},
            "stringData": {"ca.crt": text}}


def test_each_fault_of_tls_is_told_and_heals(place, maria):
    """Wrong authority, no PEM, expired, another host's: each by its own reason, and each mended where the fault is."""
    ca = maria.made.ca.read_text()
    def verifying(mode, host="127.0.0.1"):
        return connection_manifest("tls", "MySQL", maria.port, NAMESPACE, host=host,
                                   tls={"mode": mode, "caSecretRef": {"name": "authority"}})

    place.apply(secret_manifest("tls", "cdc", MYSQL_PASSWORD, NAMESPACE), authority(maria.made.foreign.ca.read_text()),
                verifying("VerifyFull"))
    assert "spec.tls.caSecretRef" in wait_for(place, "tls", "Reachable", "False", "TLSUntrusted")
    place.apply(authority("no certificate at all"))
    wait_for(place, "tls", "Reachable", "False", "TLSMaterialInvalid")
    place.apply(authority(ca))  # nothing but the CA's Secret changes
    wait_ready(place, "tls")
    maria.server.show(maria.made.expired("127.0.0.1"))
    wait_for(place, "tls", "Reachable", "False", "TLSExpired", 30)
    maria.server.show(maria.made.server("127.0.0.1"))
    wait_ready(place, "tls", 60)
    place.apply(verifying("VerifyFull", "localhost"))
    wait_for(place, "tls", "Reachable", "False", "TLSHostMismatch")
    place.apply(verifying("VerifyCA", "localhost"))
    wait_ready(place, "tls")
    place.plane.kubectl("delete", "secret", "authority", "-n", NAMESPACE)
    assert "spec.tls.caSecretRef" in wait_for(place, "tls", "CredentialsValid", "False", "SecretNotFound")
    let_go(place, "tls")


# --- many behind one dead server -------------------------------------------------------------------------------------

def test_many_wait_for_a_server_without_hammering_it(place, maria):
    """Each TableSync tries again and again; the server hears of it a few times, and all go on soon after it is back."""
    dead = Counting()
    names = [f"many-{i}" for i in range(MANY)]
    mine = {}

    def tried(times, reason=None):
        mine.clear()
        mine.update({n: o for n, o in place.listed(NAMESPACE).items() if n in names})
        return len(mine) == MANY and all(
            o.get("status", {}).get("retries", 0) >= times
            and (reason is None or condition_of(o, "ConnectionsReady").get("reason") == reason) for o in mine.values())

    def connected():
        found = place.listed(NAMESPACE)
        return all(condition_of(found[n], "ConnectionsReady").get("status") == "True" for n in names)

    place.apply(secret_manifest("many", "cdc", "not-the-password", NAMESPACE),
                connection_manifest("many", "MySQL", dead.port, NAMESPACE))
    place.apply(*(sync(n, mysql="many") for n in names))
    began = time.monotonic()
    sys_.patiently("everybody tries again and again", lambda: tried(4), 90)
    # A pause of 1, 2, 4 ... 30 s between two tries, whoever makes them.
    fair = 6 + (time.monotonic() - began) / 15
    assert dead.calls <= fair, f"{dead.calls} calls of {MANY} TableSyncs, with {MANY * 4} tries"
    before = maria.denied()
    place.apply(connection_manifest("many", "MySQL", maria.port, NAMESPACE))
    began = time.monotonic()
    sys_.patiently("everybody is refused", lambda: tried(4, "AuthFailed"), 90)
    fair = 6 + (time.monotonic() - began) / 15
    assert 1 <= maria.denied() - before <= fair
    place.apply(secret_manifest("many", "cdc", MYSQL_PASSWORD, NAMESPACE))
    sys_.patiently("everybody goes on", connected, SOON_S)
    assert status_of(place, "many")["inUseBy"] == MANY
    dead.stop()
    place.plane.kubectl("delete", "tablesync", *names, "-n", NAMESPACE, "--timeout=60s", timeout_s=90)
    let_go(place, "many")


# --- deletion --------------------------------------------------------------------------------------------------------

def test_a_connection_goes_after_its_users(place):
    """`kubectl delete` waits: it names the users, they clean up through it, and then it is gone."""
    place.apply(secret_manifest("held", "tablesync", RISINGWAVE_PASSWORD, NAMESPACE),
                connection_manifest("held", "RisingWave", place.rw.port, NAMESPACE))
    wait_ready(place, "held")
    assert FINALIZER not in place.get("held", CONNECTIONS, NAMESPACE)["metadata"].get("finalizers", [])
    before = place.catalogs()
    place.apply(sync("held-a", plan={"mode": "Auto"}, rw="held", deletionPolicy="Delete"), sync("held-b", rw="held"))
    place.wait_ready("held-a", namespace=NAMESPACE)
    wait_until("it is held", lambda: FINALIZER in place.get("held", CONNECTIONS, NAMESPACE)["metadata"].get(
        "finalizers", []), SOON_S)
    place.plane.kubectl("delete", CONNECTIONS, "held", "-n", NAMESPACE, "--wait=false")
    message = wait_for(place, "held", "Ready", "False", "InUse")
    assert "2 TableSyncs (held-a, held-b)" in message and "delete them" in message
    wait_for(place, "held", "Reachable", "True", "Connected")
    assert status_of(place, "held")["users"] == ["held-a", "held-b"]
    assert [e["type"] for e in place.told("held", "InUse", NAMESPACE)] == ["Warning"]
    # What streams goes on; nothing new begins.
    place.apply(sync("held-c", rw="held"))
    place.wait_condition("held-c", "ConnectionsReady", "False", "ConnectionDeleting", namespace=NAMESPACE)
    assert condition_of(place.get("held-a", namespace=NAMESPACE), "Ready")["status"] == "True"
    place.delete("held-b", "held-c", namespace=NAMESPACE)
    wait_until("one user is left", lambda: status_of(place, "held").get("users") == ["held-a"], SOON_S)
    place.delete("held-a", namespace=NAMESPACE)
    wait_until("the connection is gone", lambda: "held" not in place.listed(NAMESPACE, CONNECTIONS), SOON_S)
    after = place.catalogs()
    assert not any(after[kind] - before[kind] for kind in ("relations", "tables"))


def test_an_unused_connection_goes_at_once(place):
    place.apply(secret_manifest("free", "tablesync", RISINGWAVE_PASSWORD, NAMESPACE),
                connection_manifest("free", "RisingWave", place.rw.port, NAMESPACE))
    wait_ready(place, "free")
    place.plane.kubectl("delete", CONNECTIONS, "free", "-n", NAMESPACE, "--timeout=10s", timeout_s=20)


def test_a_used_connection_is_let_go_of_when_its_user_is_gone(place):
    """Without anybody deleting the connection, too: what nobody uses is not held."""
    place.apply(sync("guest"))

    def held():
        return FINALIZER in place.get("warehouse", CONNECTIONS, NAMESPACE)["metadata"].get("finalizers", [])

    wait_until("it is held", held, SOON_S)
    place.delete("guest", namespace=NAMESPACE)
    wait_until("it is let go of", lambda: not held(), SOON_S)
    assert_no_secret(json.dumps(place.listed(NAMESPACE, CONNECTIONS)), "what is shown of connections")
