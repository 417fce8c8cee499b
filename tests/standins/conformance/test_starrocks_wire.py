"""Handshake, commands and session rules of the StarRocks stand-in's MySQL port.

Expected values: FE transcript 1, 8 (login errors), 9, 10, 14, 16 and 17.
"""

from __future__ import annotations

import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import STARROCKS_OPTIONS
from .process import StandIn
from .rawclient import RawClient

_SETUP = ["create database d1", "create database d2", "use d1"]
_USERS = ["create user ctl identified by 'secret'", "create user low identified by 'l'"]
_TABLE = ('create table d1.good (id bigint not null, c_int int, c_char char(10), c_dec '
          'decimal(38,9), c_json json) primary key(id) properties("replication_num"="1")')


def _prepared(server: StandIn) -> RawClient:
    made = RawClient(server.ports["mysql"])
    for sql in [*_SETUP, _TABLE, *_USERS]:
        assert made.query(sql)[0].error is None
    return made


@pytest.fixture()
def client(starrocks: StandIn) -> RawClient:
    return _prepared(starrocks)


@pytest.fixture(scope="module")
def shared() -> Iterator[tuple[StandIn, RawClient]]:
    """One server for the tests that change nothing in it."""
    with StandIn("standins.starrocks", *STARROCKS_OPTIONS) as server:
        yield server, _prepared(server)


def test_greeting(client: RawClient) -> None:
    assert client.greeting[0] == 10
    assert (client.version, client.charset, client.status) == ("8.0.33", 33, 0)
    assert client.capabilities == 0x0038820C
    assert (client.auth_length, client.plugin) == (21, "mysql_native_password")
    assert client.thread_id >> 24 == 2
    login = client.login
    assert (login.ok, login.status, login.info) == (0, 0, "")


@pytest.mark.parametrize(("user", "password", "database", "expected"), [
    ("ctl", "wrong", "", (1045, "28000", "Access denied for user 'ctl' (using password: YES)")),
    ("ctl", "", "", (1045, "28000", "Access denied for user 'ctl' (using password: NO)")),
    ("nobody", "x", "", (1045, "28000", "Access denied for user 'nobody' (using password: YES)")),
    ("root", "x", "", (1045, "28000", "Access denied for user 'root' (using password: YES)")),
    ("", "", "", (1045, "28000", "Access denied for user '' (using password: NO)")),
    ("root", "", "nosuch", (5501, "3F000", "Unknown database 'nosuch'")),
    ("low", "l", "nosuch", (5501, "3F000", "Unknown database 'nosuch'")),
    ("ctl", "secret", "", None),
    ("root", "", "default_catalog.d1", None),
])
def test_login(shared: tuple[StandIn, RawClient], user: str, password: str, database: str,
               expected: tuple[int, str, str] | None) -> None:
    port = shared[0].ports["mysql"]
    assert RawClient(port, user, password, database).login.error == expected


def test_login_with_forbidden_database_closes_silently(starrocks: StandIn,
                                                       client: RawClient) -> None:
    with pytest.raises(ConnectionError):
        RawClient(starrocks.ports["mysql"], "low", "l", "d2")


def test_another_plugin_is_switched(starrocks: StandIn, client: RawClient) -> None:
    switched = RawClient(starrocks.ports["mysql"], "ctl", "secret",
                         plugin="caching_sha2_password")
    assert switched.switched and switched.login.error is None


@pytest.mark.parametrize(("number", "body", "expected"), [
    (0x0E, b"", None), (0x02, b"d2", None), (0x02, b"default_catalog.d2", None),
    (0x02, b"default_catalog d2", None), (0x1F, b"", None), (0x1A, b"\1\0\0\0", None),
    (0x02, b"nosuch", (5501, "3F000", "Unknown database 'nosuch'")),
    (0x02, b"`d1`", (5501, "3F000", "Unknown database '`d1`'")),
    (0x09, b"", (1064, "HY000", "Unsupported command(Statistics)")),
    (0x0D, b"", (1064, "HY000", "Unsupported command(Debug)")),
    (0x0C, b"\1\0\0\0", (1064, "HY000", "Unsupported command(Kill)")),
    (0x07, b"\1", (1064, "HY000", "Unsupported command(Refresh)")),
    (0x05, b"x", (1064, "HY000", "Unsupported command(Create DB)")),
    (0x0A, b"", (1064, "HY000", "Unsupported command(Processlist)")),
    (0x1B, b"\0\0", (1047, "08S01", "Unknown command(null)")),
    (0x50, b"", (1047, "08S01", "Unknown command(null)")),
    (0x04, b"nosuch\0", (1064, "HY000", "Unknown table(nosuch)")),
])
def test_commands(shared: tuple[StandIn, RawClient], number: int, body: bytes,
                  expected: tuple[int, str, str] | None) -> None:
    client = shared[1]
    assert client.command(number, body)[0].error == expected
    assert client.query("select 1")[0].rows == [["1"]]


def test_field_list(client: RawClient) -> None:
    fields = client.command(0x04, b"good\0")[0].fields
    assert fields == [("id", "LONGLONG", 20, 63, 0), ("c_int", "LONG", 11, 63, 0),
                      ("c_char", "STRING", 30, 33, 0), ("c_dec", "NEWDECIMAL", 42, 63, 9),
                      ("c_json", "STRING", 60, 33, 0)]


def test_only_select_can_be_prepared(client: RawClient) -> None:
    refused = (1295, "HY000",
               "This command is not supported in the prepared statement protocol yet")
    for sql in ("create table ps (id int) primary key(id)", "insert into good(id) values (?)",
                "show tables", "set names utf8"):
        assert client.prepare(sql).error == refused
    prepared = client.prepare("select id, c_int from good where id = ?")
    assert [field[:2] for field in prepared.fields] == [
        ("$0", "VAR_STRING"), ("id", "LONGLONG"), ("c_int", "LONG")]
    version = client.prepare("select @@version")
    assert version.ok is not None
    assert client.execute_raw(version.ok) == [bytes.fromhex("000006382e302e3333")]
    one = client.prepare("select 1")
    assert one.ok is not None and client.execute_raw(one.ok) == [bytes.fromhex("000001")]


def test_lexer_drops_what_it_does_not_know(client: RawClient) -> None:
    """NUL outside literals disappears; broken UTF-8 becomes replacement characters."""
    assert client.query("select 1\0 + 1")[0].rows == [["2"]]
    reply = client.command(3, b'select "\xff\xfe"')[0]
    assert (reply.columns, reply.rows) == (["'\ufffd\ufffd'"], [["\ufffd\ufffd"]])


def test_escapes_come_back_byte_for_byte(client: RawClient) -> None:
    """What mysql_real_escape_string writes for every ASCII byte is read back the same."""
    wanted = "".join(map(chr, range(128))) + "é表😀"
    escapes = {"\0": "\\0", "\n": "\\n", "\r": "\\r", "\\": "\\\\", "'": "\\'", '"': '\\"',
               "\x1a": "\\Z"}
    escaped = "".join(escapes.get(char, char) for char in wanted)
    for quote in "'\"":
        assert client.query(f"select {quote}{escaped}{quote}")[0].rows == [[wanted]]


def test_literals(client: RawClient) -> None:
    sql = r"""select 'it''s', 'a\\b', 'a\nb', "x\"y", 'a\'b', '\%', '\_', '\z', 'a\0b', '\Z'"""
    assert client.query(sql)[0].rows == [
        ["it's", "a\\b", "a\nb", 'x"y', "a'b", "\\%", "\\_", "z", "a\0b", "\x1a"]]


def test_packets_above_16_mb(client: RawClient) -> None:
    """Two packets each way, and max_allowed_packet is not enforced."""
    client.query("set max_allowed_packet=1000")
    reply = client.query("select length('" + "x" * 17_000_000 + "')")[0]
    assert reply.rows == [["17000000"]]
    assert client.query("select 1")[0].rows == [["1"]]


def test_deep_expressions(client: RawClient) -> None:
    assert client.query("select " + "(" * 100 + "1" + ")" * 100)[0].rows == [["1"]]
    too_deep = client.query("select " + "+".join(["1"] * 20000))[0]
    assert too_deep.error == (1064, "HY000", "Unknown error")
    assert client.query("select 1")[0].rows == [["1"]]


def test_query_timeout_leaves_the_connection_usable(client: RawClient) -> None:
    client.query("set query_timeout=1")
    assert client.query("select sleep(4)")[0].error == (
        5024, "53400", "Query reached its timeout of 1 seconds, please increase the "
        "'query_timeout' session variable and retry")
    assert client.query("select 1")[0].rows == [["1"]]


def test_kill_and_idle_timeout(starrocks: StandIn, client: RawClient) -> None:
    victim = RawClient(starrocks.ports["mysql"])
    assert client.query(f"kill {victim.thread_id}")[0].ok == 0
    with pytest.raises(ConnectionError):
        victim.query("select 1")
    idle = RawClient(starrocks.ports["mysql"])
    idle.query("set wait_timeout=1")
    started = time.monotonic()
    with pytest.raises(ConnectionError):
        idle._read()
    assert time.monotonic() - started < 10


def test_dropped_user_keeps_session_without_rights(starrocks: StandIn,
                                                   client: RawClient) -> None:
    client.query("grant select on all tables in database d1 to ctl")
    session = RawClient(starrocks.ports["mysql"], "ctl", "secret")
    assert session.query("select count(*) from d1.good")[0].rows == [["0"]]
    client.query("drop user ctl")
    assert session.query("select 1")[0].rows == [["1"]]
    error = session.query("desc d1.good")[0].error
    assert error is not None and error[0] == 5203


def test_changed_password(starrocks: StandIn, client: RawClient) -> None:
    client.query("alter user ctl identified by 'new'")
    port = starrocks.ports["mysql"]
    assert RawClient(port, "ctl", "secret").login.error is not None
    session = RawClient(port, "ctl", "new")
    assert session.query("set password = password('newer')")[0].ok == 0
    assert RawClient(port, "ctl", "newer").login.error is None


def test_tls(tmp_path: Path) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
                    "-subj", "/CN=starrocks", "-addext", "subjectAltName=IP:127.0.0.1",
                    "-keyout", str(key), "-out", str(certificate)],
                   check=True, capture_output=True)
    with StandIn("standins.starrocks", *STARROCKS_OPTIONS, "--tls-cert", str(certificate),
                 "--tls-key", str(key)) as server:
        port = server.ports["mysql"]
        secure = RawClient(port, tls=ssl.create_default_context(cafile=str(certificate)))
        assert secure.capabilities == 0x00388A0C
        assert secure.query("select 1")[0].rows == [["1"]]
        assert RawClient(port).query("select 1")[0].rows == [["1"]]
        with pytest.raises(ssl.SSLCertVerificationError):
            RawClient(port, tls=ssl.create_default_context())


def test_outage_keeps_ports_and_state(starrocks: StandIn, client: RawClient) -> None:
    starrocks.control("/outage", {"down": True})
    with pytest.raises(OSError):
        client.query("select 1")
    for port in ("mysql", "http", "be_http"):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", starrocks.ports[port]), timeout=5)
    starrocks.control("/outage", {"down": False})
    again = RawClient(starrocks.ports["mysql"], database="d1")
    assert again.query("show tables")[0].rows == [["good"]]


def test_stops_on_sigterm_with_open_connections(starrocks: StandIn) -> None:
    client = RawClient(starrocks.ports["mysql"])
    assert starrocks.stop() == 0
    with pytest.raises(OSError):
        client.query("select 1")
