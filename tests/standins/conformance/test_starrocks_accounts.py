"""What the controller asks of StarRocks about its account, and how ghost rows are deleted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .conftest import STARROCKS_OPTIONS
from .process import StandIn
from .rawclient import RawClient

_DENIED = ("Access denied; you need (at least one of) the {} privilege(s) on {} for this operation. Please ask the "
           "admin to grant permission(s) or try activating existing roles using <set [default] role>. Current "
           "role(s): NONE. Inactivated role(s): {}.")


@pytest.fixture()
def server() -> Iterator[StandIn]:
    with StandIn("standins.starrocks", *STARROCKS_OPTIONS) as running:
        yield running


@pytest.fixture()
def root(server: StandIn) -> RawClient:
    client = RawClient(server.ports["mysql"])
    _run(client, "create database d1", "use d1",
         'create table good (id bigint not null, v varchar(20)) primary key(id) properties("replication_num"="1")',
         "create user 'ctl'@'%' identified by 'secret'")
    return client


def _run(client: RawClient, *statements: str) -> None:
    for sql in statements:
        assert client.query(sql)[0].error is None, sql


def _error(client: RawClient, sql: str) -> tuple:
    error = client.query(sql)[0].error
    assert error is not None, sql
    return error


def _rows(client: RawClient, sql: str) -> list:
    reply = client.query(sql)[0]
    assert reply.error is None, sql
    return reply.rows


def test_grants_of_ones_own(server: StandIn, root: RawClient) -> None:
    """FE transcript 8: show grants; what is granted is what may be done."""
    ctl = RawClient(server.ports["mysql"], "ctl", "secret")
    assert _rows(root, "show grants") == [["'root'@'%'", None, "GRANT 'root' TO 'root'@'%'"]]
    assert _rows(ctl, "show grants") == []
    assert _error(ctl, "use d1")[0] == 5203
    _run(root, "grant create database on catalog default_catalog to user 'ctl'@'%'",
         "grant create table on database d1 to user 'ctl'@'%'",
         "grant select, insert, update, alter, drop on all tables in database d1 to user 'ctl'@'%'")
    assert _rows(ctl, "show grants") == [
        ["'ctl'@'%'", "default_catalog",
         "GRANT DROP, INSERT, SELECT, ALTER, UPDATE ON ALL TABLES IN DATABASE d1 TO USER 'ctl'@'%'"],
        ["'ctl'@'%'", "default_catalog", "GRANT CREATE TABLE ON DATABASE d1 TO USER 'ctl'@'%'"],
        ["'ctl'@'%'", "default_catalog", "GRANT CREATE DATABASE ON CATALOG default_catalog TO USER 'ctl'@'%'"]]
    _run(ctl, "use d1", "insert into good values (1, 'a')", "select * from good",
         'create table t2 (id int) primary key(id) properties("replication_num"="1")', "drop table t2")
    assert _error(ctl, "delete from good where id = 1")[0] == 5203
    assert _DENIED.format("DELETE", "TABLE good", "NONE") in _error(ctl, "delete from good where id = 1")
    assert _DENIED.format("DELETE", "TABLE good", "NONE") in _error(ctl, "truncate table good")
    assert _rows(root, "select count(*) from d1.good") == [["1"]]
    _run(root, "revoke insert on all tables in database d1 from user 'ctl'@'%'")
    assert _DENIED.format("INSERT", "TABLE good", "NONE") in _error(ctl, "insert into good values (2, 'b')")
    # Who creates a database owns nothing of it (verified.md 25).
    _run(ctl, "create database d3")
    assert _error(ctl, 'create table d3.t (id int) primary key(id) properties("replication_num"="1")')[0] == 5203


def test_a_role_that_is_not_active_gives_nothing(server: StandIn, root: RawClient) -> None:
    """verified.md 33."""
    _run(root, "grant root to user 'ctl'@'%'")
    ctl = RawClient(server.ports["mysql"], "ctl", "secret")
    assert _rows(ctl, "show grants") == [["'ctl'@'%'", None, "GRANT 'root' TO 'ctl'@'%'"]]
    assert _rows(ctl, "select current_role()") == [["NONE"]]
    assert _DENIED.format("CREATE DATABASE", "CATALOG default_catalog", "[root]") in _error(ctl, "create database d4")
    _run(root, "set default role all to 'ctl'@'%'")
    again = RawClient(server.ports["mysql"], "ctl", "secret")
    assert _rows(again, "select current_role()") == [["root"]]
    _run(again, "create database d4")


def test_passwords_change_for_new_connections(server: StandIn, root: RawClient) -> None:
    port = server.ports["mysql"]
    old = RawClient(port, "ctl", "secret")
    _run(root, "alter user 'ctl'@'%' identified by 'a''b\\\\\\\\c 密%'")
    assert _rows(old, "select 1") == [["1"]]
    refused = RawClient(port, "ctl", "secret").login.error
    assert refused is not None and refused[0] == 1045
    assert "Access denied for user 'ctl' (using password: YES)" in refused
    assert RawClient(port, "ctl", "a'b\\\\c 密%").login.error is None
    _run(root, "set password for 'ctl'@'%' = password('last')")
    assert RawClient(port, "ctl", "last").login.error is None


def test_rows_are_deleted_by_their_keys(root: RawClient) -> None:
    _run(root, "create table d1.pair (a int not null, b varchar(40) not null, c datetime not null, n bigint) "
         'primary key(a, b, c) properties("replication_num"="1")',
         "insert into d1.pair values (1, 'x', '2026-01-01 00:00:00', 1), (1, 'y', '2026-01-01 00:00:00.5', 2), "
         "(2, 'x', '2026-01-01 00:00:00', 3), (3, 'it''s \\\\ \"密\" %', '2026-01-02 00:00:00', 4)",
         "insert into d1.good values (1, 'a'), (2, 'b'), (3, 'c'), (-9223372036854775808, 'd')")
    assert root.query("delete from `d1`.`good` where `id` in (2, -9223372036854775808, 77)")[0].ok == 2
    assert _rows(root, "select id from d1.good order by id") == [["1"], ["3"]]
    reply = root.query("delete from `d1`.`pair` where "
                       "(`a` = 1 and `b` = 'y' and `c` = '2026-01-01 00:00:00.500000') or "
                       "(`a` = 3 and `b` = 'it''s \\\\ \"密\" %' and `c` = '2026-01-02 00:00:00') or "
                       "(`a` = 2 and `b` = 'X' and `c` = '2026-01-01 00:00:00')")[0]
    assert reply.error is None and reply.ok == 2
    assert _rows(root, "select n from d1.pair order by n") == [["1"], ["3"]]
    many = ", ".join(str(number) for number in range(3, 503))
    assert root.query(f"delete from d1.good where id in ({many})")[0].ok == 1
    ors = " or ".join(f"(`a` = {number} and `b` = 'x' and `c` = '2026-01-01 00:00:00')" for number in range(2, 502))
    assert root.query(f"delete from d1.pair where {ors}")[0].ok == 1
    assert _rows(root, "select n from d1.pair") == [["1"]]


def test_nothing_is_deleted_without_a_backend(server: StandIn, root: RawClient) -> None:
    server.control("/backends", {"alive": 0})
    assert root.query("delete from d1.good where id in (1)")[0].error is not None
