"""No byte that the controller ever wrote holds a password.

One long story (creation, errors that repeat what was said, wrong passwords, rotation, deletion after the Secret) is played
once, at log level debug, with passwords that are hard to write; then everything that the controller wrote anywhere is
searched. Each password holds NUCLEUS, letters and digits that no escaping changes, so that a leak shows in any spelling.
"""

import base64
import json
import os
import re
import secrets
import shutil
import subprocess
import tempfile
import urllib.parse
from pathlib import Path

import pytest

from cluster.processes import Daemon, wait_until

from . import system as sys_
from .faultproxy import FaultProxy
from .echoproxy import MARK, EchoProxy
from .system import Controller, Group, System, connection_manifest, control, secret_manifest

NUCLEUS = "cnry7QxZ"
NAMESPACE = "canary"
QUOTES = f"ca'{NUCLEUS}\"'' \\\\'quo tes%25 {NUCLEUS}\\"
SQL = f"{NUCLEUS}'); DROP TABLE ods.sentinel; -- \" OR '1'='1 {NUCLEUS}"
FOREIGN = f"pä$$wörd-{NUCLEUS}-密码-🔑é{NUCLEUS}ü"
LONG = (f"L0ng 'q\" \\ %s {{}} ${{x}} {NUCLEUS}" * 10)[:200]
PLAIN = f"{NUCLEUS}=a&b=c@host/{NUCLEUS}?x:y"
WRONG = f"wrong '{NUCLEUS}\" \\ ü"
PASSWORDS = {"quotes": QUOTES, "sql": SQL, "foreign": FOREIGN, "long": LONG, "plain": PLAIN, "wrong": WRONG}
FIRST = {"shop-mysql": QUOTES, "rw": FOREIGN, "warehouse": LONG}
SECOND = {"shop-mysql": LONG, "rw": SQL, "warehouse": SQL}
THIRD = {"shop-mysql": SQL, "rw": PLAIN, "warehouse": FOREIGN}
ACCOUNT = "canary"
NOBODY = 65532


def forms(password):
    """How it may be spelt: in SQL, in JSON, in URLs, one in another, in base64 and in hexadecimal."""
    doubled, slashed = password.replace("'", "''"), password.replace("\\", "\\\\").replace("'", "\\'")
    sql = {password, doubled, slashed, slashed.replace('"', '\\"'), doubled.replace("\\", "\\\\")}
    spelt = sql | {json.dumps(s, ensure_ascii=a)[1:-1] for s in sql for a in (True, False)}
    spelt |= {json.dumps(s, ensure_ascii=False)[1:-1] for s in spelt}
    spelt |= {urllib.parse.quote(password, safe=""), urllib.parse.quote_plus(password), urllib.parse.quote(password)}
    found = {s.encode() for s in spelt}
    for text in (password, f"{ACCOUNT}:{password}"):
        raw = text.encode()
        found |= {base64.b64encode(raw).rstrip(b"="), base64.urlsafe_b64encode(raw).rstrip(b"="), raw.hex().encode()}
    return found


def needles():
    """What may stand nowhere: each password in each form, and the nucleus as bytes, in base64 at any offset, in UTF-16."""
    found = set().union(*(forms(p) for p in PASSWORDS.values()))
    nucleus = NUCLEUS.encode()
    found |= {nucleus, nucleus.hex().encode(), NUCLEUS.encode("utf-16-le")}
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + nucleus)
        found.add(whole[4 if before else 0:(before + len(nucleus)) // 3 * 4])  # the rest depends on what stands beside it
    return found


NEEDLES = needles()


def leaks(data):
    return [needle for needle in NEEDLES if needle in data]


def test_the_search_finds_what_it_looks_for():
    for password in PASSWORDS.values():
        assert NUCLEUS in password
        for form in (password.encode(), base64.b64encode(b"xy" + password.encode()), base64.b64encode(password.encode()),
                     json.dumps({"a": password}).encode(), urllib.parse.quote(password).encode(),
                     password.encode().hex().encode()):
            assert leaks(b"around " + form + b" it"), form
    assert len(LONG) == 200 and not leaks(b"nothing of that kind, cnry7Qx")


def my(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def pg(text):
    return "'" + text.replace("'", "''") + "'"


class Story(Group):
    """The group of the canaries: connections with accounts of its own, RisingWave through an echo."""

    def __init__(self, system, workdir, *flags):
        self.workdir, self.written = workdir, {}
        self.made_on_servers(system)
        self.echo = EchoProxy(system.rw.port)
        super().__init__(system, NAMESPACE)
        for sql in (f"GRANT CREATE TABLE ON DATABASE `{self.database}` TO USER '{ACCOUNT}'@'%'",
                    "GRANT SELECT, INSERT, UPDATE, DELETE, ALTER, DROP ON ALL TABLES IN DATABASE "
                    f"`{self.database}` TO USER '{ACCOUNT}'@'%'"):
            system.starrocks.query(sql)
        for name, password in FIRST.items():
            self.secret(name, password)
        system.plane.kubectl("delete", "databaseconnection", "rw", "-n", NAMESPACE)
        system.apply(connection_manifest("rw", "RisingWave", self.echo.port, NAMESPACE, risingWave={"schema": ACCOUNT}))
        key = workdir / "key"
        key.write_text(base64.b64encode(secrets.token_bytes(32)).decode() + "\n")
        key.chmod(0o600)
        self.proxy = FaultProxy(system.plane, workdir / "proxy").start()
        system.controller = self.controller = Controller(
            system.plane, workdir, "--log-level", "debug", "--encryption-key-file", str(key), *flags,
            kubeconfig=self.proxy.kubeconfig(sys_.SERVICE_ACCOUNT), namespace=NAMESPACE).start()

    def made_on_servers(self, system):
        system.mysql.execute(f"CREATE USER '{ACCOUNT}'@'%' IDENTIFIED BY {my(FIRST['shop-mysql'])}",
                             f"GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO '{ACCOUNT}'@'%'")
        system.rw.query(f"CREATE USER {ACCOUNT} WITH PASSWORD {pg(FIRST['rw'])}")
        system.rw.query(f"GRANT CREATE, CONNECT ON DATABASE dev TO {ACCOUNT}")
        system.starrocks.query(f"CREATE USER '{ACCOUNT}'@'%' IDENTIFIED BY {my(FIRST['warehouse'])}")

    def secret(self, name, password):
        self.system.apply(secret_manifest(name, ACCOUNT, password, NAMESPACE))

    def rotate(self, passwords):
        """On the servers, then wrong ones in the Secrets, then the right ones."""
        self.mysql.execute(f"SET PASSWORD FOR '{ACCOUNT}'@'%' = PASSWORD({my(passwords['shop-mysql'])})")
        self.system.rw.query(f"ALTER USER {ACCOUNT} WITH PASSWORD {pg(passwords['rw'])}")
        self.system.starrocks.query(f"ALTER USER '{ACCOUNT}'@'%' IDENTIFIED BY {my(passwords['warehouse'])}")
        for name in passwords:
            self.secret(name, WRONG)
        for name in passwords:
            self.system.wait_condition(name, "Ready", "False", "AuthFailed", 60, NAMESPACE, "databaseconnection")
        self.collect("wrong passwords")
        for name, password in passwords.items():
            self.secret(name, password)

    def keep(self, place, data):
        self.written.setdefault(place, []).append(data if isinstance(data, bytes) else data.encode())

    def collect(self, moment):
        """What is only there for a moment: status, Events, metrics, files, command output."""
        self.keep("moments", moment)
        read = self.system.read
        for plural in ("tablesyncs", "databaseconnections"):
            found = read(f"/apis/tablesync.dev/v1alpha1/namespaces/{NAMESPACE}/{plural}")
            self.keep("status", json.dumps(found, ensure_ascii=False))
        self.keep("events", json.dumps(read(f"/apis/events.k8s.io/v1/namespaces/{NAMESPACE}/events"), ensure_ascii=False))
        self.keep("metrics", self.controller.get("/metrics"))
        for file in sorted(self.workdir.glob("audit.db*")):
            self.keep("sqlite", file.read_bytes())
        for name in ("cmdline", "environ"):
            self.keep("process", Path(f"/proc/{self.controller.daemon.pid}/{name}").read_bytes())
        self.commands()

    def commands(self):
        """The other commands, from the audit file and from the cluster."""
        audit = ("--audit-db", str(self.controller.audit), "-n", NAMESPACE)
        cluster = ("--kubeconfig", str(self.system.plane.admin_kubeconfig), "-n", NAMESPACE)
        sync = self.workdir / "sync.json"
        sync.write_text(json.dumps(self.manifest("one")))
        named = ("--connection", "shop-mysql", "--risingwave-connection", "rw", "--target-connection", "warehouse")
        for arguments in (("runs", *audit), ("runs", *audit, "-o", "json"), ("logs", *audit), ("logs", *audit, "-o", "json"),
                          ("plan", "-f", str(sync), *cluster), ("plan", "-f", str(sync), *cluster, "-o", "json"),
                          ("check", "-f", str(sync), *cluster), ("check", "-f", str(sync), *cluster, "-o", "json"),
                          ("discover", *named, *cluster, "-o", "yaml")):
            done = subprocess.run([os.environ["TABLESYNC_BIN"], *arguments], capture_output=True, timeout=60, check=False)
            self.keep("commands", done.stdout + b"\n" + done.stderr)

    def end(self):
        """The last look, at what lies on the disk after the end too."""
        self.controller.stop()
        for file in sorted(self.workdir.glob("audit.db*")):
            self.keep("sqlite", file.read_bytes())
        self.keep("log", self.controller.log_text())
        for connection in self.proxy.sent():
            self.keep("requests", connection)
            self.keep("requests", urllib.parse.unquote_to_bytes(connection))


def play(story):
    story.sql("CREATE TABLE one (id INT PRIMARY KEY, v VARCHAR(20))", "INSERT INTO one VALUES (1, 'a'), (2, 'b')",
              "CREATE TABLE two (id INT PRIMARY KEY)", "CREATE TABLE three (id INT PRIMARY KEY)")
    story.echo.noticed = re.compile("password", re.I)
    for name in FIRST:
        story.system.wait_condition(name, "Ready", "True", None, 60, NAMESPACE, "databaseconnection")
    story.apply({"one": {"deletionPolicy": "DeleteStream", "sink": {"commitCheckpointInterval": 2}}})
    story.wait_ready("one")
    story.wait_rows("one")
    story.collect("creation")
    # RisingWave refuses and repeats the definition; StarRocks refuses and repeats its client's password.
    story.echo.refused = re.compile("CREATE SINK")
    story.apply({"two": {}})
    wait_until("the sink's refusal is told", lambda: any(MARK in json.dumps(s.get("status", {}))
                                                         for s in story.system.listed(NAMESPACE).values()), 60)
    story.collect("a definition in an error")
    story.echo.refused = None
    story.wait_ready("two")
    doors = story.system.starrocks.ports["control-port"]
    control(doors, "/create", {"fail": f"Unexpected exception: login canary:{LONG}, password={LONG}, {MARK}"})
    story.apply({"three": {}})
    wait_until("the table's refusal is told", lambda: MARK in json.dumps(story.status("three")), 60)
    story.collect("a password in a server's error")
    control(doors, "/create", {"fail": None})
    control(doors, "/load", {"fail": f"[E1008] {MARK}: stream load of canary:{LONG}@be"})
    story.sql("INSERT INTO one VALUES (3, 'c')")
    story.looks(20)
    story.collect("a password in a sink's error")
    control(doors, "/load", {"fail": None})
    story.wait_ready("three")
    story.wait_rows("one")
    story.rotate(SECOND)
    # The source is altered and refused once; the server repeats the new password.
    story.echo.refused = re.compile("ALTER SOURCE")
    wait_until("the alteration's refusal is told", lambda: any("ALTER SOURCE" in json.dumps(s.get("status", {}))
                                                              for s in story.system.listed(NAMESPACE).values()), 90)
    story.collect("a password in an alteration's error")
    story.echo.refused = None
    story.wait_ready("one", "two", "three")
    story.sql("INSERT INTO one VALUES (4, 'd')", "DELETE FROM one WHERE id = 1")
    story.wait_rows("one")
    story.collect("rotation")
    story.rotate(THIRD)
    story.wait_ready("one", "two", "three")
    story.sql("INSERT INTO one VALUES (5, 'e')")
    story.wait_rows("one")
    story.collect("rotation again")
    # Deletion with what was kept: the Secrets go first.
    story.system.plane.kubectl("delete", "secret", "rw", "shop-mysql", "warehouse", "-n", NAMESPACE)
    story.system.plane.kubectl("delete", "tablesync", "one", "-n", NAMESPACE, "--wait=false")
    story.system.wait_gone("one", 60, NAMESPACE)
    story.collect("deletion")
    for name, password in THIRD.items():
        story.secret(name, password)
    story.delete("two", "three")


@pytest.fixture(scope="module")
def story(system, tmp_path_factory):
    own = System(system.plane, system.mysql, system.rw, system.starrocks)
    told = Story(own, tmp_path_factory.mktemp("canary"))
    try:
        play(told)
        told.end()
        yield told
    finally:
        for door, body in (("/create", {"fail": None}), ("/load", {"fail": None})):
            control(system.starrocks.ports["control-port"], door, body)
        told.controller.stop()
        told.proxy.stop()
        told.echo.stop()
        told.system.clear(NAMESPACE)


PLACES = ("log", "requests", "sqlite", "metrics", "status", "events", "commands", "process")


@pytest.mark.parametrize("place", PLACES)
def test_no_password_stands_in(story, place):
    found = story.written[place]
    assert sum(map(len, found)) > 100, f"nothing of {place} was kept"
    for data in found:
        for needle in leaks(data):
            at = data.index(needle)
            pytest.fail(f"{place} holds {needle!r}: ...{data[max(0, at - 300):at + 100]!r}")


def test_every_place_was_searched(story):
    """What was kept is what it is said to be: it shows accounts and texts that stand beside the passwords."""
    text = {place: b"\n".join(found) for place, found in story.written.items()}
    assert set(text) == {*PLACES, "moments"}
    assert b'"level":"debug"' in text["log"] and MARK.encode() in text["log"]
    for part in (b"Authorization: Bearer", b"/status?", MARK.encode()):
        assert part in text["requests"]
    # A text may lie across two pages of the file: one of those that stand there often is whole.
    assert b"SQLite format 3" in text["sqlite"]
    assert any(part in text["sqlite"] for part in (b"CREATE SOURCE", b"CREATE SINK", MARK.encode()))
    assert b"CREATE SINK" in text["commands"] and b"'***'" in text["commands"]
    assert MARK.encode() in text["status"] and b"AuthFailed" in text["events"]
    assert any("CREATE SOURCE" in s for s in story.echo.echoed) and any("CREATE SINK" in s for s in story.echo.echoed)


def test_the_echo_held_the_passwords(story):
    """Otherwise this would have proved nothing."""
    echoed = "\n".join(story.echo.echoed)
    for password in (QUOTES, LONG, SQL, FOREIGN):
        assert pg(password) in echoed, password


def test_credentials_were_kept_encrypted(story):
    """They are in the file, or the deletion after the Secret could not have worked: and no byte of them is readable."""
    done = [json.loads(data) for data in story.written["commands"] if data.startswith(b"{") and b"DROP SINK" in data]
    assert done
    assert b"KeptCredentialsUsed" in b"".join(story.written["events"])


# --- memory and core files ---

def as_nobody(*command, **options):
    ids = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] if os.getuid() == 0 else []
    return subprocess.run([*ids, *command], capture_output=True, timeout=30, check=False, **options)


@pytest.fixture
def unprivileged(control_plane):
    """A controller that runs as the user of the manifests, in a folder that this user can read."""
    folder = Path(tempfile.mkdtemp(prefix="tablesync-nobody-"))
    binary, config = folder / "tablesync", folder / "kubeconfig"
    shutil.copy(os.environ["TABLESYNC_BIN"], binary)
    shutil.copy(control_plane.kubeconfig_for(sys_.SERVICE_ACCOUNT), config)
    for path in (folder, binary, config):
        path.chmod(0o755)
        if os.getuid() == 0:
            os.chown(path, NOBODY, NOBODY)
    ids = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] if os.getuid() == 0 else []
    log = folder / "log"
    daemon = Daemon("tablesync", ["prlimit", "--core=unlimited", *ids, str(binary), "controller", "--kubeconfig", str(config),
                                  "--audit-db", str(folder / "audit.db"), "--metrics-bind-address", "0",
                                  "--health-probe-bind-address", "0"], log)
    daemon.start(lambda: log.exists() and '"started"' in log.read_text(), 30)
    yield daemon
    daemon.stop()
    shutil.rmtree(folder)


def test_memory_is_nobody_elses(unprivileged):
    """No core file, and no other process of the same user may look: not into memory, environment or open files."""
    process = Path(f"/proc/{unprivileged.pid}")
    assert f"Uid:\t{NOBODY if os.getuid() == 0 else os.getuid()}" in (process / "status").read_text()
    limits = (process / "limits").read_text()
    assert re.search(r"^Max core file size\s+0\s+0\s", limits, re.M), limits
    address = "-".join((process / "maps").read_text().split("-")[:1]) if os.getuid() == 0 else "0"
    for command in (["cat", f"{process}/environ"], ["ls", f"{process}/fd"], ["cat", f"{process}/maps"],
                    ["dd", f"if={process}/mem", "bs=1", "count=1", "iflag=skip_bytes", f"skip={int(address, 16)}"]):
        done = as_nobody(*command)
        assert done.returncode != 0 and b"Permission denied" in done.stderr, (command, done)
    assert as_nobody("cat", f"{process}/status").returncode == 0  # the look as such is possible
