"""Servers that cannot be reached or logged in to: each says so in its own words, and heals by itself.

All wrong resources are applied at once and read once; what repairs them is tried one by one afterwards.
"""


import pytest

from cluster.processes import free_port, wait_until

from . import system as sys_
from .system import (MYSQL_PASSWORD, RISINGWAVE_PASSWORD, STARROCKS_PASSWORD, Told, condition_of, connection_manifest,
                     secret_manifest)

NAMESPACE = "bad-connections"
QUICK = {"backoffBase": "200ms", "backoffMax": "2s"}
ROLES = {"source": ("MySQL", "cdc", MYSQL_PASSWORD), "risingWave": ("RisingWave", "tablesync", RISINGWAVE_PASSWORD),
         "target": ("StarRocks", "tablesync", STARROCKS_PASSWORD)}
ARGUMENT = {"source": "mysql", "risingWave": "rw", "target": "warehouse"}
WRONG = "not-the-'password\\"


def port_of(system, role):
    return {"source": system.mysql.port, "risingWave": system.rw.port, "target": system.starrocks.port}[role]


def special(system, role):
    return {"starRocks": {"httpPort": system.starrocks.ports["http-port"]}} if role == "target" else {}


def case_name(kind, role):
    return f"{kind}-{role.lower()}"


# kind -> what differs from a good connection, the reason, words of the message
KINDS = {
    "password": ({}, "AuthFailed", ("Check the user name and the password", "Secret")),
    "host": ({"host": "no-such-host.invalid"}, "UnknownHost", ("no-such-host.invalid", "spec.host")),
    "port": ({"port": "closed"}, "Unreachable", ("spec.port",)),
    "tls": ({"tls": {"mode": "Require"}}, "TLSNotOffered", ("spec.tls.mode",)),
}
CASES = [(kind, role) for kind in KINDS for role in ROLES]
# name -> (spec of the TableSync that names it, reason, condition, words, whether only a person can help)
OTHERS = {
    "no-connection": ("ConnectionNotFound", ("'nowhere'", "spec.source.connectionRef.name", "create it"), False),
    "wrong-type": ("WrongConnectionType", ("'warehouse'", "StarRocks connection", "MySQL", "spec.source"), True),
    "no-secret": ("SecretNotFound", (f"'{NAMESPACE}/absent'", "create it with the keys 'username' and 'password'"), False),
    "no-key": ("SecretKeyMissing", (f"'{NAMESPACE}/half'", "no key 'password'", "add it"), False),
    "no-ca": ("SecretNotFound", (f"'{NAMESPACE}/authority'", "spec.tls.caSecretRef", "create it with the key 'ca.crt'"),
              False),
    "no-client-key": ("SecretKeyMissing",
                      (f"'{NAMESPACE}/half-client'", "no key 'tls.key'", "spec.tls.clientCertSecretRef"), False),
}
# What of spec.tls names the Secrets that are missing or half.
TLS = {"ca": {"mode": "VerifyCA", "caSecretRef": {"name": "authority"}},
       "client-key": {"mode": "Require", "clientCertSecretRef": {"name": "half-client"}}}


def bad_connection(system, kind, role):
    """The Secret and the connection of one case."""
    engine, user, password = ROLES[role]
    name = case_name(kind, role)
    spec = {**special(system, role), **KINDS[kind][0]}
    port = free_port() if spec.pop("port", None) else port_of(system, role)
    return (secret_manifest(name, user, WRONG if kind == "password" else password, NAMESPACE),
            connection_manifest(name, engine, port, NAMESPACE, **spec))


def sync(name, retry=True, **connections):
    """A TableSync of the one good table into a table of its own."""
    more = {"retry": QUICK} if retry else {}
    return sys_.sync_manifest(name, "bad_connections", "t", namespace=NAMESPACE, target={"table": name},
                              deletionPolicy="Delete", **more, **connections)


@pytest.fixture(scope="module")
def bad(running):
    """Every wrong connection of this module with a TableSync that uses it."""
    running.mysql.execute("CREATE DATABASE bad_connections", "CREATE TABLE bad_connections.t (id INT PRIMARY KEY, v INT)",
                          "INSERT INTO bad_connections.t VALUES (1, 10), (2, 20)")
    running.connect(NAMESPACE)
    objects = [o for kind, role in CASES for o in bad_connection(running, kind, role)]
    objects += [connection_manifest("absent", "MySQL", running.mysql.port, NAMESPACE),
                connection_manifest("half", "MySQL", running.mysql.port, NAMESPACE),
                {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "half", "namespace": NAMESPACE},
                 "stringData": {"username": "cdc"}},
                {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "half-client", "namespace": NAMESPACE},
                 "stringData": {"tls.crt": "not looked at before the key is there"}}]
    objects += [o for name, tls in TLS.items() for o in (
        secret_manifest(name, "cdc", MYSQL_PASSWORD, NAMESPACE),
        connection_manifest(name, "MySQL", running.mysql.port, NAMESPACE, tls=tls))]
    running.apply(*objects)
    running.apply(*(sync(case_name(kind, role), **{ARGUMENT[role]: case_name(kind, role)}) for kind, role in CASES),
                  sync("no-connection", mysql="nowhere"), sync("wrong-type", retry=False, mysql="warehouse"),
                  sync("no-secret", mysql="absent"), sync("no-key", mysql="half"),
                  *(sync(f"no-{name}", mysql=name) for name in TLS))
    yield running
    running.clear(NAMESPACE)


@pytest.fixture(scope="module")
def told(bad):
    expected = {case_name(kind, role): KINDS[kind][1] for kind, role in CASES}
    expected.update({name: reason for name, (reason, _, _) in OTHERS.items()})
    return Told(bad, NAMESPACE, expected, frozenset(n for n, o in OTHERS.items() if o[2]))


@pytest.mark.parametrize("kind,role", CASES)
def test_a_bad_connection_is_told(told, kind, role):
    """The message names the connection, its place in the spec, what is wrong and what to do."""
    name = case_name(kind, role)
    told.check(name, KINDS[kind][1], (f"'{name}'", f"spec.{role}", *KINDS[kind][2]), "ConnectionsReady")
    assert told.objects[name]["status"].get("objects", []) == []


@pytest.mark.parametrize("name", OTHERS)
def test_a_missing_or_wrong_resource_is_told(told, name):
    reason, words, _ = OTHERS[name]
    told.check(name, reason, words, "ConnectionsReady")
    assert told.objects[name]["status"].get("objects", []) == []


def test_the_connection_itself_says_it_too(bad, told):
    """Ready and the condition the failure belongs to; what was not tried is Unknown, never left as it was."""
    expected = {"password": ("True", "False"), "host": ("False", "Unknown"), "port": ("False", "Unknown"),
                "tls": ("False", "Unknown")}
    wrong = []

    def look() -> bool:
        wrong.clear()
        found = bad.listed(NAMESPACE, "databaseconnections")
        for kind, role in CASES:
            c = found[case_name(kind, role)]
            seen = tuple(condition_of(c, t).get("status") for t in ("Reachable", "CredentialsValid"))
            ready = condition_of(c, "Ready")
            if seen != expected[kind] or (ready.get("status"), ready.get("reason")) != ("False", KINDS[kind][1]):
                wrong.append((case_name(kind, role), seen, ready))
        for name, reason in (("absent", "SecretNotFound"), ("half", "SecretKeyMissing"), ("ca", "SecretNotFound"),
                             ("client-key", "SecretKeyMissing")):
            seen = [(condition_of(found[name], t).get("status"), condition_of(found[name], t).get("reason"))
                    for t in ("Reachable", "CredentialsValid", "CdcCapable")]
            if seen != [("Unknown", "NotTried"), ("False", reason), ("Unknown", "NotTried")]:
                wrong.append((name, seen))
        return not wrong

    try:
        wait_until("every connection says what is wrong with it", look, 10)
    except TimeoutError as error:
        raise AssertionError(f"{error}: {wrong}") from error
    shown = bad.plane.kubectl("get", "databaseconnections", "-n", NAMESPACE).stdout.splitlines()
    ready = {line.split()[0]: line.split()[3] for line in shown[1:]}
    assert all(ready[case_name(kind, role)] == "False" for kind, role in CASES)
    assert ready["shop-mysql"] == ready["rw"] == ready["warehouse"] == "True"


def test_a_server_that_comes_up_later_heals_it(bad, told, tmp_path):
    """Nobody touches a resource: time alone brings it to Ready."""
    late = sys_.RisingWave(tmp_path)
    bad.apply(secret_manifest("late", "tablesync", RISINGWAVE_PASSWORD, NAMESPACE),
              connection_manifest("late", "RisingWave", late.port, NAMESPACE))
    bad.apply(sync("late", rw="late"))
    bad.wait_condition("late", "ConnectionsReady", "False", "Unreachable", namespace=NAMESPACE)
    late.start()
    try:
        sys_.prepare_risingwave(late)
        bad.wait_ready("late", namespace=NAMESPACE)
        bad.delete("late", namespace=NAMESPACE)
    finally:
        late.stop()


@pytest.fixture(scope="module")
def repaired(bad, told):
    """Everything put right at once, as users would: the Secret, the connection, the missing object."""
    objects = []
    for kind, role in CASES:
        engine, user, password = ROLES[role]
        name = case_name(kind, role)
        objects += [secret_manifest(name, user, password, NAMESPACE),
                    connection_manifest(name, engine, port_of(bad, role), NAMESPACE, **special(bad, role),
                                        tls={"mode": "Prefer"})]
    objects += [secret_manifest(name, "cdc", MYSQL_PASSWORD, NAMESPACE) for name in ("absent", "half", "nowhere")]
    objects += [connection_manifest(name, "MySQL", bad.mysql.port, NAMESPACE, tls={"mode": "Prefer"}) for name in TLS]
    bad.apply(*objects, connection_manifest("nowhere", "MySQL", bad.mysql.port, NAMESPACE))
    return bad


@pytest.mark.parametrize("name", [case_name(*case) for case in CASES] + [
    "no-connection", "no-secret", "no-key", "no-ca", "no-client-key"])
def test_it_heals_when_the_cause_is_repaired(repaired, name):
    """Ready with all rows, and no trace of the failure left in status."""
    repaired.wait_ready(name, namespace=NAMESPACE)
    assert repaired.target_rows(f"ods.`{name}`") == [(1, 10), (2, 20)]
    status = repaired.get(name, namespace=NAMESPACE)["status"]
    assert status.get("retries", 0) == 0 and "nextRetryAt" not in status and status["phase"] == "Streaming"
    # Of a table without risky columns DataLoss says that there is none.
    assert {c["type"] for c in status["conditions"] if c["status"] == "False"} == {"DataLoss"}
    assert not {"Stalled", "Reconciling"} & {c["type"] for c in status["conditions"]}


def test_what_cannot_heal_is_left_alone(bad, told):
    """Another type of connection cannot become right by waiting: nothing is promised, and nothing written."""
    body = bad.get("wrong-type", namespace=NAMESPACE)
    assert "nextRetryAt" not in body["status"] and body["status"]["retries"] == 1
    assert body["metadata"]["resourceVersion"] == told.objects["wrong-type"]["metadata"]["resourceVersion"]
