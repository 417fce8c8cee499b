"""Queries and writes by hand against the StarRocks stand-in: what users and tests do."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import pytest

from .conftest import STARROCKS_OPTIONS
from .process import StandIn
from .rawclient import RawClient, Reply

_ODD_NAMES = ["a b", "it's", "a.b", "a;b", "a$b", "A", "列", "select", "1x", " lead", 'a"b', "a,b",
              "😀", "back\\slash"]


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    with StandIn("standins.starrocks", *STARROCKS_OPTIONS) as running:
        yield running


@pytest.fixture()
def client(server: StandIn) -> Iterator[RawClient]:
    made = RawClient(server.ports["mysql"])
    for sql in ("drop database if exists d force", "create database d", "use d",
                'create table t (id int, v varchar(5), x int default "4") primary key(id) '
                'properties("replication_num"="1")',
                "insert into t values (1, 'a', null), (12, 'b', 3)"):
        assert made.query(sql)[0].error is None
    yield made
    made.close()


def rows(client: RawClient, sql: str) -> list[list[str | None]]:
    reply: Reply = client.query(sql)[0]
    assert reply.error is None, reply.error
    return reply.rows


def error(client: RawClient, sql: str) -> str:
    found = client.query(sql)[0].error
    assert found is not None
    return found[2]


@pytest.mark.parametrize(("sql", "expected"), [
    ("select * from t order by id", [["1", "a", None], ["12", "b", "3"]]),
    ("select count(*), sum(id), max(v), avg(x) from t", [["2", "13", "b", "3"]]),
    ("select id from t where v = 'a' or x > 2 order by id desc limit 1", [["12"]]),
    ("select id from t where x is null", [["1"]]),
    ("select v, count(*) from t group by v having count(*) > 0 order by v", [["a", "1"], ["b", "1"]]),
    ("select a.v from t a join d.t b on a.id = b.id where b.id = 12", [["b"]]),
    ("select id from t where id in (select id from t where v = 'a')", [["1"]]),
    ("with c as (select id from t) select count(*) from c", [["2"]]),
    ("select id from t where id like '1\\_%' or id like '12'", [["12"]]),
    ("select length('é表'), char_length('é表'), 7 / 2, 1 / 0", [["5", "2", "3.5", None]]),
    ("select concat_ws('#', id, v, x) from t order by id", [["1#a"], ["12#b#3"]]),
])
def test_select(client: RawClient, sql: str, expected: list[list[str | None]]) -> None:
    assert rows(client, sql) == expected


def test_crc32_is_zlibs(client: RawClient) -> None:
    """The values starrocks.md 4.5 names, and any text in UTF-8."""
    assert rows(client, "select crc32('MySQL'), crc32('starrocks')") == [
        ["3259397556", "2312449062"]]
    assert rows(client, "select crc32('é表😀')") == [[str(zlib.crc32("é表😀".encode()))]]
    fields = client.query("select sum(crc32(v)) from t")[0].fields
    assert fields[0][1] == "LONGLONG"


def test_odd_column_names(client: RawClient) -> None:
    columns = ", ".join(f"`{name}` int" for name in _ODD_NAMES)
    ddl = f'create table odd (id int, {columns}) primary key(id) properties("replication_num"="1")'
    assert client.query(ddl)[0].error is None
    names = ", ".join(f"`{name}`" for name in ["id", *_ODD_NAMES])
    values = ", ".join(str(number) for number in range(len(_ODD_NAMES) + 1))
    assert client.query(f"insert into odd ({names}) values ({values})")[0].ok == 1
    reply = client.query(f"select {names} from d.odd where `a\"b` = 11")[0]
    assert reply.columns == ["id", *_ODD_NAMES]
    assert reply.rows == [[str(number) for number in range(len(_ODD_NAMES) + 1)]]
    assert client.query("select * from odd")[0].columns == ["id", *_ODD_NAMES]


def test_insert_is_an_upsert(client: RawClient) -> None:
    reply = client.query("insert into t (id, v) values (1, 'A'), (3, 'c'), (3, 'C')")[0]
    assert reply.ok == 3 and "'status':'VISIBLE'" in reply.info
    assert rows(client, "select * from t order by id") == [
        ["1", "A", "4"], ["3", "C", "4"], ["12", "b", "3"]]


@pytest.mark.parametrize(("sql", "message"), [
    ("insert into t values (1, 'toolong', 1)", "Insert has filtered data : String 'toolong'"
     "(length=7) is too long. The max length of 'v' is 5"),
    ("insert into t values (null, 'a', 1)",
     "Insert has filtered data : NULL value in non-nullable column 'id'"),
    ("insert into t values ('x', 'a', 1)",
     "Getting analyzing error. Detail message: Invalid number format: x."),
    ("insert into t (nosuch) values (1)",
     "Getting analyzing error. Detail message: Unknown column 'nosuch' in 't'."),
    ("insert into t (v) values ('a')",
     "Getting analyzing error. Detail message: missing key columns:id for primary key table."),
    ("update t set id = 2 where id = 1",
     "Getting analyzing error. Detail message: primary key column cannot be updated: id."),
    ("delete from t", "Getting analyzing error. Detail message: Delete must specify where clause "
     "to prevent full table delete."),
    ("select nosuch from t",
     "Getting analyzing error. Detail message: Column 'nosuch' cannot be resolved."),
    ("select t.nosuch from t",
     "Getting analyzing error. Detail message: Column 't.nosuch' cannot be resolved."),
])
def test_refused(client: RawClient, sql: str, message: str) -> None:
    assert error(client, sql) == message
    assert rows(client, "select count(*) from t") == [["2"]]


def test_update_and_delete(client: RawClient) -> None:
    assert client.query("update t set v = 'z', x = id + 1 where id > 1")[0].ok == 1
    assert rows(client, "select * from t where id = 12") == [["12", "z", "13"]]
    assert client.query("delete from t where v = 'z'")[0].ok == 1
    assert rows(client, "select id from t") == [["1"]]


def test_data_follows_the_tables_id(client: RawClient) -> None:
    for sql in ("create table u like t", "alter table t swap with u", "alter table u rename w",
                "alter table w rename column v to vv", "alter table w add column n varchar(3) "
                'default "q"'):
        assert client.query(sql)[0].error is None
    assert rows(client, "select * from w order by id") == [
        ["1", "a", None, "q"], ["12", "b", "3", "q"]]
    assert client.query("select vv from w limit 0")[0].columns == ["vv"]
    assert rows(client, "select count(*) from t") == [["0"]]
    client.query("drop table w")
    assert client.query("recover table w")[0].error is None
    assert rows(client, "select count(*) from w") == [["2"]]
    client.query("truncate table w")
    assert rows(client, "select count(*) from w") == [["0"]]


def test_schema_change_converts_rows(server: StandIn, client: RawClient) -> None:
    assert client.query("alter table t modify column x varchar(20) default \"4\"")[0].error is None
    server.control("/alter", {"step": 2})
    assert rows(client, "select x from t order by id") == [[None], ["3"]]
    reply = client.query("select x from t")[0]
    assert reply.fields[0][:3] == ("x", "VAR_STRING", 60)


def test_statements_of_one_query(client: RawClient) -> None:
    """A run-time error stops the rest; a syntax error lets nothing run."""
    replies = client.query("insert into t values (5,'e',5); select nosuch from t; select 1")
    assert [reply.error is None for reply in replies] == [True, False]
    assert error(client, "delete from t where id = 5; selec 1").startswith("Getting syntax error")
    assert rows(client, "select count(*) from t") == [["3"]]
