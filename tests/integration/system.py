"""A whole TableSync system on this machine, made of real programs.

kube-apiserver and etcd, a MySQL source, the RisingWave and StarRocks stand-ins, and the controller under
test, which logs in with its own service account: the RBAC of manifests/ and nothing more. The same
pieces serve the integration tests, `make demo` and the figures.
"""

import base64
import json
import os
import re
import sqlite3
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path

import psycopg2
import pymysql

from cluster.controlplane import ControlPlane, KubectlError
from cluster.mysql import Server
from cluster.processes import Daemon, free_port, wait_until

ROOT = Path(__file__).resolve().parent.parent.parent
SERVICE_ACCOUNT = "system:serviceaccount:tablesync-system:tablesync"
VIEWER = "vera"  # somebody whom tests give rights of their own
NAMESPACE = "data"
IMAGE = "localhost/tablesync:tested"
# Passwords with what breaks careless quoting.
MYSQL_PASSWORD = "cdc'p\\w\"1"
RISINGWAVE_PASSWORD = "rw'pw 2"
STARROCKS_PASSWORD = "sr'p\\w\"3"
SECRETS = (MYSQL_PASSWORD, RISINGWAVE_PASSWORD, STARROCKS_PASSWORD)
PATIENCE_S = 240


def read_ready(log: Path) -> dict[str, str] | None:
    """The `ready key=value ...` line a stand-in prints, once it is there."""
    for line in log.read_text(errors="replace").splitlines() if log.exists() else ():
        if line.startswith("ready "):
            return dict(word.split("=", 1) for word in line.split()[1:])
    return None


class Standin:
    """One stand-in process with its ports, which stay the same over restarts."""

    def __init__(self, module: str, workdir: Path, ports: dict[str, int], extra: tuple[str, ...] = ()):
        self.ports = dict(ports)
        self.log = workdir / f"{module}.log"
        command = [sys.executable, "-m", f"standins.{module}", "--host", "127.0.0.1"]
        for flag, port in ports.items():
            command += [f"--{flag}", str(port)]
        environment = dict(os.environ, PYTHONPATH=str(ROOT / "tests"), PYTHONUNBUFFERED="1")
        self.daemon = Daemon(module, command + list(extra), self.log, env=environment)

    def start(self) -> "Standin":
        self.log.unlink(missing_ok=True)
        self.daemon.start(lambda: read_ready(self.log) is not None, 30)
        return self

    def stop(self) -> None:
        self.daemon.stop()


class RisingWave(Standin):
    def __init__(self, workdir: Path, barrier_ms: int = 50, extra: tuple[str, ...] = ()):
        super().__init__("risingwave", workdir, {"port": free_port(), "control-port": free_port()},
                         ("--barrier-ms", str(barrier_ms), *extra))

    @property
    def port(self) -> int:
        return self.ports["port"]

    def query(self, sql: str) -> list[tuple]:
        connection = psycopg2.connect(host="127.0.0.1", port=self.port, dbname="dev", user="root", sslmode="disable",
                                      connect_timeout=10)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()


class StarRocks(Standin):
    def __init__(self, workdir: Path, extra: tuple[str, ...] = ()):
        super().__init__("starrocks", workdir, {"mysql-port": free_port(), "http-port": free_port(),
                                                "be-http-port": free_port(), "control-port": free_port()},
                         ("--tick-ms", "200", *extra))

    @property
    def port(self) -> int:
        return self.ports["mysql-port"]

    def query(self, sql: str) -> list[tuple]:
        connection = pymysql.connect(host="127.0.0.1", port=self.port, user="root", password="", autocommit=True,
                                     connect_timeout=10, read_timeout=30)
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return list(cursor.fetchall())
        finally:
            connection.close()


def prepare_mysql(server: Server) -> None:
    """The account README documents for CDC: three grants and no more."""
    quoted = MYSQL_PASSWORD.replace("\\", "\\\\").replace("'", "\\'")
    server.execute(f"CREATE USER 'cdc'@'%' IDENTIFIED BY '{quoted}'",
                   "GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'cdc'@'%'")


def prepare_risingwave(server: RisingWave) -> None:
    quoted = RISINGWAVE_PASSWORD.replace("'", "''")
    server.query(f"CREATE USER tablesync WITH PASSWORD '{quoted}'")
    server.query("GRANT CREATE, CONNECT ON DATABASE dev TO tablesync")


def prepare_starrocks(server: StarRocks, database: str = "ods") -> None:
    quoted = STARROCKS_PASSWORD.replace("\\", "\\\\").replace("'", "\\'")
    server.query(f"CREATE USER 'tablesync'@'%' IDENTIFIED BY '{quoted}'")
    grant_starrocks(server, database)


def grant_starrocks(server: StarRocks, database: str) -> None:
    server.query(f"CREATE DATABASE IF NOT EXISTS `{database}`")
    server.query(f"GRANT CREATE TABLE ON DATABASE `{database}` TO USER 'tablesync'@'%'")
    server.query("GRANT SELECT, INSERT, UPDATE, DELETE, ALTER, DROP ON ALL TABLES IN DATABASE "
                 f"`{database}` TO USER 'tablesync'@'%'")


def install(plane: ControlPlane) -> None:
    """CRDs, namespace, service account and RBAC exactly as `kubectl apply -k manifests` gives them."""
    plane.kubectl("apply", "-k", str(ROOT / "manifests"))
    plane.kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd/tablesyncs.tablesync.dev",
                  "crd/databaseconnections.tablesync.dev")


class Controller:
    """The binary under test."""

    def __init__(self, plane: ControlPlane, workdir: Path, *arguments: str, kubeconfig: Path | None = None,
                 namespace: str | None = None, env: dict[str, str] | None = None):
        self.audit = workdir / "audit.db"
        self.log = workdir / "controller.log"
        self.port = free_port()
        command = [os.environ["TABLESYNC_BIN"], "controller", "--kubeconfig",
                   str(kubeconfig or plane.kubeconfig_for(SERVICE_ACCOUNT)), "--audit-db", str(self.audit),
                   "--metrics-bind-address", f"127.0.0.1:{self.port}",
                   "--health-probe-bind-address", f"127.0.0.1:{self.port}",
                   "--resync-interval", "2s", "--poll-interval", "200ms", *arguments]
        if namespace:
            command += ["--watch-namespace", namespace]
        self.daemon = Daemon("tablesync", command, self.log, env=env)

    def start(self) -> "Controller":
        self.daemon.start(self.ready, 30)
        return self

    def stop(self) -> None:
        self.daemon.stop()

    def get(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
            return answer.read().decode()

    def ready(self) -> bool:
        try:
            return "ok" in self.get("/readyz")
        except OSError:
            return False

    def metric(self, name: str) -> float:
        for line in self.get("/metrics").splitlines():
            if line.startswith(name + " "):
                return float(line.rsplit(" ", 1)[1])
        raise AssertionError(f"no metric {name}")

    def metric_sum(self, name: str) -> float:
        """Over all labels; 0 without any."""
        return sum(float(line.rsplit(" ", 1)[1]) for line in self.get("/metrics").splitlines()
                   if line.startswith((name + "{", name + " ")))

    def log_text(self) -> str:
        return self.log.read_text(errors="replace")


def secret_manifest(name: str, username: str, password: str, namespace: str = NAMESPACE) -> dict:
    def encode(text: str) -> str:
        return base64.b64encode(text.encode()).decode()

    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace},
            "data": {"username": encode(username), "password": encode(password)}}


def connection_manifest(name: str, kind: str, port: int, namespace: str = NAMESPACE, secret: str | None = None,
                        **spec) -> dict:
    body = {"type": kind, "host": "127.0.0.1", "port": port, "credentialsSecretRef": {"name": secret or name}}
    body.update(spec)
    return {"apiVersion": "tablesync.dev/v1alpha1", "kind": "DatabaseConnection",
            "metadata": {"name": name, "namespace": namespace}, "spec": body}


def sync_manifest(name: str, database: str, table: str, *, mysql: str = "shop-mysql", rw: str = "rw",
                  warehouse: str = "warehouse", target_database: str = "ods", namespace: str = NAMESPACE,
                  **spec) -> dict:
    body = {"source": {"connectionRef": {"name": mysql}, "database": database, "table": table},
            "risingWave": {"connectionRef": {"name": rw}},
            "target": {"connectionRef": {"name": warehouse}, "database": target_database},
            "drift": {"interval": "2s"}}
    for key, value in spec.items():
        if isinstance(value, dict) and isinstance(body.get(key), dict):
            body[key].update(value)
        else:
            body[key] = value
    return {"apiVersion": "tablesync.dev/v1alpha1", "kind": "TableSync",
            "metadata": {"name": name, "namespace": namespace}, "spec": body}

PLURALS = {kind: plural for plural, kinds in (("tablesyncs", ("tablesync", "tablesyncs", "tsync")),
                                              ("databaseconnections", ("databaseconnection", "databaseconnections", "dbconn")))
           for kind in kinds}


def status_text(status: dict | None) -> str:
    """For the message of a failed test: a line per condition, and one for all the rest."""
    conditions = (status or {}).get("conditions", [])
    rest = {key: value for key, value in (status or {}).items() if key != "conditions"}
    return "\n".join([*(f"  {each['type']}={each['status']} {each['reason']} ({each.get('observedGeneration')}, "
                        f"{each['lastTransitionTime']}): {each['message']}" for each in conditions), "  " + json.dumps(rest)])


class System:
    """The pieces together, with the words tests use."""

    def __init__(self, plane: ControlPlane, mysql: Server, rw: RisingWave, starrocks: StarRocks):
        self.plane, self.mysql, self.rw, self.starrocks = plane, mysql, rw, starrocks
        trust = ssl.create_default_context(cafile=str(plane.ca_file))
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust))

    def apply(self, *objects: dict, check: bool = True):
        text = "\n---\n".join(json.dumps(o) for o in objects)
        return self.plane.kubectl("apply", "-f", "-", input=text, check=check)

    def connect(self, namespace: str = NAMESPACE, mysql: Server | None = None) -> None:
        """Namespace, Secrets and the three connections every test may use."""
        source = mysql or self.mysql
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}},
                   secret_manifest("shop-mysql", "cdc", MYSQL_PASSWORD, namespace),
                   secret_manifest("rw", "tablesync", RISINGWAVE_PASSWORD, namespace),
                   secret_manifest("warehouse", "tablesync", STARROCKS_PASSWORD, namespace))
        self.apply(connection_manifest("shop-mysql", "MySQL", source.port, namespace),
                   connection_manifest("rw", "RisingWave", self.rw.port, namespace),
                   connection_manifest("warehouse", "StarRocks", self.starrocks.port, namespace,
                                       starRocks={"httpPort": self.starrocks.ports["http-port"]}))

    def get(self, name: str, kind: str = "tablesync", namespace: str = NAMESPACE) -> dict:
        """One resource. Tests wait by asking again and again, and a kubectl each time would be most of their work."""
        plural = PLURALS.get(kind)
        if plural is None:
            return self.plane.get(kind, name, "-n", namespace)
        path = f"/apis/tablesync.dev/v1alpha1/namespaces/{namespace}/{plural}/{name}"
        while True:
            try:
                return self.read(path)
            except urllib.error.HTTPError as refused:
                said = refused.read().decode(errors="replace")
                if refused.code != 429:
                    raise KubectlError(1, ["GET", path], "", f"HTTP {refused.code}: {said}") from None
                time.sleep(float(refused.headers.get("Retry-After") or 1))  # as kubectl does
            except OSError as failure:
                raise KubectlError(1, ["GET", path], "", str(failure)) from None

    def read(self, path: str) -> dict:
        """GET of an API path as administrator: cheap enough to poll, which kubectl is not."""
        request = urllib.request.Request(self.plane.url + path)
        request.add_header("Authorization", f"Bearer {self.plane.token_for('admin')}")
        with self.opener.open(request, timeout=10) as answer:
            return json.load(answer)

    def listed(self, namespace: str = NAMESPACE, plural: str = "tablesyncs") -> dict[str, dict]:
        """Every resource of the kind, by name."""
        path = f"/apis/tablesync.dev/v1alpha1/namespaces/{namespace}/{plural}"
        return {item["metadata"]["name"]: item for item in self.read(path)["items"]}

    def events(self, name: str, namespace: str = NAMESPACE) -> list[dict]:
        """The Events on the object."""
        items = self.read(f"/apis/events.k8s.io/v1/namespaces/{namespace}/events")["items"]
        return [e for e in items if e["regarding"]["name"] == name]

    def told(self, name: str, reason: str, namespace: str = NAMESPACE) -> list[dict]:
        """Those of one reason, once there is one: some follow the status that they are about."""
        found = []
        wait_until(f"Event {reason} on {name}",
                   lambda: found.extend(e for e in self.events(name, namespace) if e["reason"] == reason) or found, 10)
        return found

    def wait_gone(self, name: str, timeout_s: float = 60, namespace: str = NAMESPACE) -> None:
        """Waits until the API server no longer has the TableSync."""
        wait_until(f"tablesync {name} is gone", lambda: name not in self.listed(namespace), timeout_s)

    def clear(self, namespace: str) -> None:
        """Every TableSync of the namespace let go of at once, whatever holds it, and the namespace deleted."""
        if self.listed(namespace):
            self.plane.kubectl("annotate", "tablesyncs", "--all", "-n", namespace, "--overwrite",
                               "tablesync.dev/orphan=true", "tablesync.dev/pause-reconcile-")
            self.plane.kubectl("delete", "tablesyncs", "--all", "-n", namespace, "--wait=false")
            wait_until(f"no TableSync is left in {namespace}", lambda: not self.listed(namespace), 60)
        self.plane.kubectl("delete", "namespace", namespace, "--wait=false")

    def condition(self, name: str, kind: str, namespace: str = NAMESPACE, resource: str = "tablesync") -> dict:
        for condition in self.get(name, resource, namespace).get("status", {}).get("conditions", []):
            if condition["type"] == kind:
                return condition
        return {}

    def wait_condition(self, name: str, kind: str, status: str, reason: str | None = None, timeout_s: float = 60,
                       namespace: str = NAMESPACE, resource: str = "tablesync") -> dict:
        """Waits and returns the condition; on a timeout says what stands there instead."""
        def reached() -> bool:
            found = self.condition(name, kind, namespace, resource)
            return found.get("status") == status and (reason is None or found.get("reason") == reason)

        try:
            wait_until(f"{resource} {name}: {kind}={status} {reason or ''}", reached, timeout_s)
        except Exception as late:
            state = self.get(name, resource, namespace).get("status", {})
            raise AssertionError(f"{late}\n{status_text(state)}") from late
        return self.condition(name, kind, namespace, resource)

    def wait_ready(self, name: str, timeout_s: float = 90, namespace: str = NAMESPACE) -> None:
        self.wait_condition(name, "Ready", "True", "Streaming", timeout_s, namespace)

    def delete(self, *names: str, namespace: str = NAMESPACE) -> None:
        self.plane.kubectl("delete", "tablesync", *names, "-n", namespace, "--timeout=60s", timeout_s=90)

    def source_rows(self, table: str, columns: str = "*", order: str = "1") -> list[tuple]:
        return [tuple(row) for row in self.mysql.execute(f"SELECT {columns} FROM {table} ORDER BY {order}")]

    def target_rows(self, table: str, columns: str = "*", order: str = "1") -> list[tuple]:
        return [tuple(row) for row in self.starrocks.query(f"SELECT {columns} FROM {table} ORDER BY {order}")]

    def catalogs(self) -> dict[str, set[tuple]]:
        """Everything that exists in RisingWave and in StarRocks, to compare before and after."""
        return {"schemas": set(self.rw.query("SELECT id, name FROM rw_catalog.rw_schemas")),
                "relations": set(self.rw.query("SELECT id, name, relation_type FROM rw_catalog.rw_relations")),
                "databases": set(self.starrocks.query("SELECT schema_name FROM information_schema.schemata")),
                "tables": set(self.starrocks.query("SELECT table_schema, table_name, table_comment, create_time"
                                                   " FROM information_schema.tables"))}

    def wait_rows(self, source: str, target: str, columns: str, timeout_s: float = 60) -> list[tuple]:
        """Waits until the target holds exactly what the source holds; returns it."""
        seen: dict[str, list] = {}

        def equal() -> bool:
            seen["source"] = self.source_rows(source, columns)
            seen["target"] = self.target_rows(target, columns)
            return seen["source"] == seen["target"]

        try:
            wait_until(f"{target} equals {source}", equal, timeout_s)
        except Exception as late:
            raise AssertionError(f"{late}\nsource {seen.get('source')}\ntarget {seen.get('target')}") from late
        return seen["target"]


def condition_of(resource: dict, kind: str) -> dict:
    """The condition as the resource shows it; {} when it does not."""
    for condition in resource.get("status", {}).get("conditions", []):
        if condition["type"] == kind:
            return condition
    return {}


# Looked at calmly, and tried again as soon as the connection, the Secret or the spec changes.
HEALED_BY_CHANGE = frozenset({"ConnectionNotFound", "ConnectionInvalid", "ConnectionDeleting", "WrongConnectionType",
                              "SecretNotFound", "SecretKeyMissing", "InvalidSpec"})


class Told:
    """What users were told about every TableSync of a namespace, once all of them failed as expected.

    `expected` names the reason of each; those of `stalled` must wait for a person, the others must have been
    tried again at least once, unless what is missing (HEALED_BY_CHANGE) wakes them when it comes. Status, `kubectl get`,
    `kubectl describe` and the Events are read one time for all.
    """

    def __init__(self, system: System, namespace: str, expected: dict[str, str], stalled: frozenset[str] = frozenset(),
                 timeout_s: float = 30):
        self.stalled = stalled

        def missing() -> list[str]:
            found = system.listed(namespace)
            return [f"{name}: {condition_of(found[name], 'Ready').get('reason')}, not {reason}, "
                    f"retries {found[name]['status'].get('retries')}: {condition_of(found[name], 'Ready').get('message')}"
                    for name, reason in expected.items()
                    if condition_of(found[name], "Ready").get("reason") != reason
                    or found[name]["status"].get("retries", 0) < (1 if name in stalled or reason in HEALED_BY_CHANGE else 2)]

        try:
            wait_until("every failure is told", lambda: not missing(), timeout_s)
        except TimeoutError as error:
            raise AssertionError(f"{error}\n" + "\n".join(missing())) from error
        self.objects = system.listed(namespace)
        self.wide = {line.split()[0]: line for line in
                     system.plane.kubectl("get", "tablesyncs", "-n", namespace, "-o", "wide").stdout.splitlines()}
        self.header = self.wide.pop("NAME")
        self.described = {part.split("\n", 1)[0].strip(): part for part in re.split(
            r"^Name: ", system.plane.kubectl("describe", "tablesyncs", "-n", namespace).stdout, flags=re.M)[1:]}

    def column(self, name: str, title: str) -> str:
        """A column of `kubectl get -o wide`, by where its title stands."""
        at = self.header.index(title)
        return self.wide[name][at:].split()[0]

    def check(self, name: str, reason: str, words: tuple[str, ...], condition: str) -> str:
        """Asserts everything a user should see of a failure; returns the message."""
        status = self.objects[name]["status"]
        ready, domain = condition_of(self.objects[name], "Ready"), condition_of(self.objects[name], condition)
        assert (ready["status"], ready["reason"]) == ("False", reason)
        assert (domain["status"], domain["reason"]) == ("False", reason), domain
        for word in words:
            assert word in ready["message"], f"{word!r} is not in: {ready['message']}"
        assert (self.column(name, "READY"), self.column(name, "REASON")) == ("False", reason)
        event = [line for line in self.described[name].splitlines() if f"Warning  {reason} " in line]
        assert len(event) == 1, f"kubectl describe shows not one such Event:\n{self.described[name]}"
        assert status["lastRun"]["result"] == "Failed"
        working, stalled = condition_of(self.objects[name], "Reconciling"), condition_of(self.objects[name], "Stalled")
        if name in self.stalled:
            assert (stalled["status"], stalled["reason"]) == ("True", reason)
            assert not working and status["phase"] == "Stalled"
        else:
            assert not stalled and working["reason"] == "ProgressingWithRetry"
        assert ("nextRetryAt" in status) == (reason not in HEALED_BY_CHANGE)
        assert status["observedGeneration"] == self.objects[name]["metadata"]["generation"]
        assert_no_secret(json.dumps(self.objects[name]) + self.described[name], f"what is shown of {name}")
        return ready["message"]


def patiently(what: str, ready, timeout_s: float) -> None:
    """wait_until() for many at a time: it asks less often."""
    deadline = time.monotonic() + timeout_s
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {timeout_s:g} s")
        time.sleep(0.15)


class Group:
    """The TableSyncs of one test module, in a namespace and in databases of their own, which bear its name.

    A TableSync, its MySQL table and its StarRocks table are called the same. Names are letters and digits, so that
    what is made in RisingWave can be told apart.
    """

    def __init__(self, system: System, namespace: str, mysql: Server | None = None):
        self.system, self.namespace, self.mysql = system, namespace, mysql or system.mysql
        self.database = namespace.replace("-", "_")
        self.mysql.execute(f"CREATE DATABASE {self.database} DEFAULT CHARACTER SET utf8mb4")
        grant_starrocks(system.starrocks, self.database)
        system.connect(namespace, mysql=self.mysql)

    def manifest(self, name: str, **spec) -> dict:
        body = {"drift": {"interval": "1s"}, "retry": {"backoffBase": "200ms", "backoffMax": "2s"}, "deletionPolicy": "Delete"}
        return sync_manifest(name, self.database, name, target_database=self.database, namespace=self.namespace,
                             **{**body, **spec})

    def apply(self, specs: dict[str, dict]) -> None:
        self.system.apply(*(self.manifest(name, **spec) for name, spec in specs.items()))

    def sql(self, *statements: str) -> tuple:
        return self.mysql.execute(*statements, database=self.database)

    def get(self, name: str) -> dict:
        return self.system.read(f"/apis/tablesync.dev/v1alpha1/namespaces/{self.namespace}/tablesyncs/{name}")

    def status(self, name: str) -> dict:
        return self.get(name).get("status", {})

    def events(self, name: str, reason: str) -> list[dict]:
        return [e for e in self.system.events(name, self.namespace) if e["reason"] == reason]

    def told(self, name: str, reason: str) -> list[dict]:
        return self.system.told(name, reason, self.namespace)

    def patch(self, name: str, **spec) -> None:
        self.system.plane.kubectl("patch", "tsync", name, "-n", self.namespace, "--type=merge", "-p", json.dumps({"spec": spec}))

    def annotate(self, name: str, **values: str) -> None:
        """Sets annotations of ours; `approve_plan` is tablesync.dev/approve-plan."""
        self.system.plane.kubectl("annotate", "--overwrite", "tsync", name, "-n", self.namespace,
                                  *(f"tablesync.dev/{key.replace('_', '-')}={value}" for key, value in values.items()))

    def delete(self, *names: str) -> None:
        self.system.delete(*names, namespace=self.namespace)

    def wait(self, name: str, what: str, true, timeout_s: float = PATIENCE_S) -> dict:
        """Waits until true(resource); returns the resource."""
        seen: dict = {}

        def reached() -> bool:
            seen.update(found=self.get(name))
            return true(seen["found"])

        try:
            patiently(f"{name}: {what}", reached, timeout_s)
        except TimeoutError as late:
            raise AssertionError(f"{late}\n{status_text(seen['found'].get('status'))}\n"
                                 f"RisingWave: {self.streams(name)}") from late
        return seen["found"]

    def wait_condition(self, name: str, kind: str, status: str, reason: str, timeout_s: float = PATIENCE_S) -> dict:
        def reached(resource: dict) -> bool:
            found = condition_of(resource, kind)
            return (found.get("status"), found.get("reason")) == (status, reason)

        return condition_of(self.wait(name, f"{kind}={status} {reason}", reached, timeout_s), kind)

    def wait_refused(self, name: str, reason: str, condition: str, words: tuple[str, ...] = (), timeout_s: float = PATIENCE_S) -> str:
        """Waits until Ready and `condition` give the reason; returns the message, which must hold the words."""
        self.wait_condition(name, "Ready", "False", reason, timeout_s)
        message = self.wait_condition(name, condition, "True" if condition == "DataLoss" else "False", reason)["message"]
        for word in words:
            assert word in message, f"{word!r} is not in: {message}"
        return message

    def wait_stalled(self, name: str, reason: str, condition: str, words: tuple[str, ...] = (), timeout_s: float = PATIENCE_S) -> str:
        """The same, and only a person can help."""
        self.wait_condition(name, "Stalled", "True", reason, timeout_s)
        return self.wait_refused(name, reason, condition, words)

    def wait_ready(self, *names: str, timeout_s: float = PATIENCE_S) -> None:
        missing = set(names)

        def reached() -> bool:
            found = self.system.listed(self.namespace)
            missing.difference_update({n for n in missing if condition_of(found[n], "Ready").get("reason") == "Streaming"
                                       and found[n]["status"]["observedGeneration"] == found[n]["metadata"]["generation"]})
            return not missing

        try:
            patiently("everything streams", reached, timeout_s)
        except TimeoutError as late:
            states = [f"{name}:\n{status_text(self.status(name))}" for name in missing]
            raise AssertionError("\n".join([str(late), *states])) from late

    def rows(self, name: str, columns: str = "*") -> list[tuple]:
        return self.system.target_rows(f"{self.database}.`{name}`", columns)

    def source(self, name: str, columns: str = "*") -> list[tuple]:
        return [tuple(row) for row in self.sql(f"SELECT {columns} FROM `{name}` ORDER BY 1")]

    def wait_rows(self, name: str, rows: list[tuple] | None = None, columns: str = "*", timeout_s: float = PATIENCE_S) -> None:
        """Waits until the target holds these rows, or those of the MySQL table."""
        seen: dict = {}

        def equal() -> bool:
            try:
                seen["target"] = self.rows(name, columns)
            except pymysql.err.MySQLError as error:  # a table that is just being made anew, a column not added yet
                seen["target"] = error
            seen["wanted"] = self.source(name, columns) if rows is None else rows
            return seen["target"] == seen["wanted"]

        try:
            patiently(f"{name}: the rows arrive", equal, timeout_s)
        except TimeoutError as late:
            raise AssertionError(f"{late}\ntarget {str(seen['target'])[:2000]}\nwanted {str(seen['wanted'])[:2000]}\n"
                                 f"{status_text(self.status(name))}\nRisingWave: {self.streams(name)}") from late

    def target_columns(self, name: str) -> dict[str, str]:
        """Columns of the StarRocks table with their types, in order; {}: no such table."""
        return dict(self.system.starrocks.query(
            f"SELECT column_name, column_type FROM information_schema.columns WHERE table_schema = '{self.database}'"
            f" AND table_name = '{name}' ORDER BY ordinal_position"))

    def streams(self, name: str) -> tuple[list[str], list[str]]:
        """CDC tables and sinks of a TableSync in RisingWave, as "1", "2", ... by their versions."""
        names = [found for (found,) in self.system.rw.query("SELECT name FROM rw_catalog.rw_relations")]
        slug = re.escape(f"{self.database}_{name}".lower())
        tables = [re.fullmatch(rf"t_{slug}_[0-9a-f]{{8}}(?:_v(\d+))?", found) for found in names]
        sinks = [re.fullmatch(rf"k_{slug}_[0-9a-f]{{8}}_v(\d+)", found) for found in names]
        return (sorted(match[1] or "1" for match in tables if match), sorted(match[1] for match in sinks if match))

    def wait_settled(self, name: str, timeout_s: float = PATIENCE_S) -> tuple[str, str]:
        """Waits until it streams through one CDC table and one sink, as the newest spec wants; returns their versions."""
        def settled(resource: dict) -> bool:
            tables, sinks = self.streams(name)
            ready = condition_of(resource, "Ready")
            return (ready.get("reason") == "Streaming" and (len(tables), len(sinks)) == (1, 1)
                    and ready.get("observedGeneration") == resource["metadata"]["generation"]
                    and not condition_of(resource, "Reconciling"))

        self.wait(name, "one CDC table, one sink, and Ready", settled, timeout_s)
        tables, sinks = self.streams(name)
        return tables[0], sinks[0]

    def statements(self, name: str) -> list[str]:
        """Everything that was run for it with success, in order."""
        steps = audit(self.system, name, self.namespace)["steps"]
        return [step["statement"] for step in steps if step["result"] == "Succeeded"]

    def counted(self, name: str, done: bool = True) -> int:
        """How many statements were run for it with success, or were at least begun; cheap enough to poll."""
        with closing(sqlite3.connect(f"file:{self.system.controller.audit}?mode=ro", uri=True, timeout=10)) as log:
            return log.execute("SELECT count(*) FROM task_steps WHERE run_id IN (SELECT id FROM task_runs WHERE ns = ?"
                               " AND name = ?)" + (" AND result = 'Succeeded'" if done else ""),
                               (self.namespace, name)).fetchone()[0]

    def kill_at(self, name: str, count: int, done: bool, timeout_s: float = PATIENCE_S) -> None:
        """Kills the controller (-9) the moment its audit log holds that many statements for it."""
        deadline = time.monotonic() + timeout_s
        while self.counted(name, done) < count:
            assert time.monotonic() < deadline, (f"{name}: {self.counted(name, done)} statements, not {count}: "
                                                 f"{status_text(self.status(name))}")
            time.sleep(0.002)
        self.system.controller.daemon.kill()

    def looks(self, number: int = 10, timeout_s: float = PATIENCE_S) -> None:
        """Waits until the controller has looked at resources so many more times."""
        name = 'controller_runtime_reconcile_total{controller="tablesync",result="requeue_after"}'
        goal = self.system.controller.metric(name) + number
        patiently(f"{number} more looks", lambda: self.system.controller.metric(name) >= goal, timeout_s)

    def finish(self) -> None:
        """Lets go of everything and removes it, without waiting for the controller to do that one by one."""
        self.system.clear(self.namespace)
        left = self.system.rw.query("SELECT name, relation_type FROM rw_catalog.rw_relations")
        for kind in ("sink", "table", "source"):
            for name in (n for n, found in left if found == kind and re.match(rf"[a-z]+_{self.database}_", n)):
                self.system.rw.query(f'DROP {kind} tablesync."{name}"')
        self.system.starrocks.query(f"DROP DATABASE {self.database} FORCE")
        self.mysql.execute(f"DROP DATABASE {self.database}")


def audit(system: System, name: str, namespace: str = NAMESPACE, command: str = "logs") -> dict:
    """`tablesync logs` (or `runs`) of a resource, read beside the running controller."""
    done = subprocess.run([os.environ["TABLESYNC_BIN"], command, "--audit-db", str(system.controller.audit), "-n", namespace,
                           "--name", name, "-o", "json"], check=True, capture_output=True, text=True, timeout=30)
    assert_no_secret(done.stdout + done.stderr, f"the audit log of {name}")
    return json.loads(done.stdout)


def control(port: int, path: str, body: dict) -> None:
    """Puts a stand-in, by its control port, into a state that SQL cannot."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", json.dumps(body).encode(), method="POST")
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200, f"{path}: {answer.status}"


def unique(prefix: str) -> str:
    """A name no other test uses."""
    return f"{prefix}{time.monotonic_ns() % 10**10:x}"


def assert_no_secret(text: str, where: str) -> None:
    """No password, in no form it may take in SQL, JSON or base64, stands in `text`."""
    for secret in SECRETS:
        forms = {secret, secret.replace("'", "''"), secret.replace("\\", "\\\\").replace("'", "\\'"),
                 json.dumps(secret)[1:-1], base64.b64encode(secret.encode()).decode()}
        for form in forms:
            assert form not in text, f"a password stands in {where}"
    assert not re.search(r"password\s*=\s*'(?!\*\*\*')", text), f"an unredacted password option in {where}"
