"""Transaction Stream Load as RisingWave speaks it, and what arrives in the table.

Rules: the contract's starrocks.md 1.5, 2.3 and 6, verified.md 14.
"""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlparse

import pytest

from .process import StandIn
from .rawclient import RawClient

_COLUMNS = ["id", "v", "n", "d", "ts", "da", "j", "b", "f", "dd", "nn"]
_DDL = """create table d.t (id bigint not null, v varchar(5), n int, d decimal(6,2), ts datetime,
  da date, j json, b boolean, f float, dd double, nn varchar(10) not null default "df")
  primary key(id) properties("replication_num"="1")"""


class Loader:
    """One sink writer: the same headers on every request, redirects followed."""

    def __init__(self, server: StandIn, table: str = "t", columns: Iterable[str] = _COLUMNS,
                 label: str = "rw-txn-1", user: str = "root", password: str = "", db: str = "d"):
        self.port = server.ports["http"]
        listed = ",".join(f"`{name}`" for name in [*columns, "__op"])
        secret = base64.b64encode(f"{user}:{password}".encode()).decode()
        self.headers = {"Authorization": f"Basic {secret}", "label": label, "db": db,
                        "table": table, "expect": "100-continue", "format": "json",
                        "partial_update": "false", "columns": listed}

    def send(self, port: int, method: str, operation: str,
             body: bytes | None = None) -> tuple[int, dict[str, Any], str]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        headers = dict(self.headers)
        if body is None:
            connection.request(method, f"/api/transaction/{operation}", headers=headers)
        else:
            pieces = (body[at:at + 63 * 1024] for at in range(0, len(body), 63 * 1024))
            connection.request(method, f"/api/transaction/{operation}", body=pieces,
                               headers=headers, encode_chunked=True)
        answer = connection.getresponse()
        text = answer.read()
        content = json.loads(text) if text else {}
        location = answer.getheader("Location") or ""
        connection.close()
        return answer.status, content, location

    def call(self, operation: str, body: bytes | None = None) -> dict[str, Any]:
        """Asks the FE without body, then the BE it names, as RisingWave does."""
        method = "PUT" if operation == "load" else "POST"
        status, content, location = self.send(self.port, method, operation)
        if status == 307:
            target = urlparse(location)
            assert target.port != self.port and target.path == f"/api/transaction/{operation}"
            status, content, _ = self.send(target.port or 0, method, operation, body)
        assert status == 200
        return content

    def whole(self, *rows: dict[str, Any]) -> dict[str, Any]:
        """begin, load, prepare, commit; the first answer that is not OK ends it."""
        body = "".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()
        for operation in ("begin", "load", "prepare", "commit"):
            answer = self.call(operation, body if operation == "load" else None)
            if answer["Status"] != "OK":
                return answer
        return answer


@pytest.fixture()
def sql(starrocks: StandIn) -> RawClient:
    client = RawClient(starrocks.ports["mysql"])
    for statement in ("create database d", _DDL):
        assert client.query(statement)[0].error is None
    return client


def rows(sql: RawClient, query: str = "select * from d.t order by id") -> list[list[str | None]]:
    reply = sql.query(query)[0]
    assert reply.error is None, reply.error
    return reply.rows


def row(number: int, operation: str = "0", **more: Any) -> dict[str, Any]:
    return {"id": number, "nn": "x", **more, "__op": operation}


def test_rows_appear_with_the_commit(starrocks: StandIn, sql: RawClient) -> None:
    loader = Loader(starrocks)
    answer = loader.call("begin")
    assert (answer["Status"], answer["Label"]) == ("OK", "rw-txn-1") and answer["TxnId"] > 0
    body = json.dumps(row(1)).encode() + json.dumps(row(2)).encode()
    assert loader.call("load", body)["LoadBytes"] == len(body)
    assert loader.call("prepare")["NumberLoadedRows"] == 2
    assert rows(sql) == []
    answer = loader.call("commit")
    assert (answer["Status"], answer["Label"]) == ("OK", "rw-txn-1")
    assert [line[0] for line in rows(sql)] == ["1", "2"]
    assert "has already committed" in loader.call("commit")["Message"]
    assert starrocks.control("/loads") == {"committed": 1, "rows": 2, "failed": 0, "running": []}


def test_values_read_back_in_the_servers_form(starrocks: StandIn, sql: RawClient) -> None:
    answer = Loader(starrocks).whole(row(
        1, v="é表", n=-5, d="12.345", ts="2026-01-01 00:00:00.500000", da="2026-01-02",
        j={"b": 1, "a": [1, 2.5, None, "é"]}, b=True, f=1.1, dd=1e300), row(
        2, v=None, ts="2026-01-01 00:00:00.000000", b=False, f=100000, dd=0.1, j="s"))
    assert answer["Status"] == "OK"
    assert rows(sql) == [
        ["1", "é表", "-5", "12.35", "2026-01-01 00:00:00.500000", "2026-01-02",
         '{"b": 1, "a": [1, 2.5, null, "é"]}', "1", "1.1", "1e+300", "x"],
        ["2", None, None, None, "2026-01-01 00:00:00", None, '"s"', "0", "100000", "0.1", "x"]]


def test_upsert_and_delete(starrocks: StandIn, sql: RawClient) -> None:
    Loader(starrocks, label="a").whole(row(1, v="a"), row(2, v="b"), row(3, v="c"))
    Loader(starrocks, label="b").whole(
        row(1, v="A"), row(2, "1"), row(3, "1"), row(3, v="C"), row(4, v="d"), row(4, "1"))
    assert rows(sql, "select id, v from d.t order by id") == [["1", "A"], ["3", "C"]]


def test_large_chunked_body(starrocks: StandIn, sql: RawClient) -> None:
    answer = Loader(starrocks).whole(*(row(number, v="x") for number in range(20000)))
    assert answer["Status"] == "OK"
    assert rows(sql, "select count(*), sum(id), max(v) from d.t") == [
        ["20000", str(sum(range(20000))), "x"]]


def test_unconvertible_values_become_null(starrocks: StandIn, sql: RawClient) -> None:
    """strict_mode is false: only limits filter a row, not conversions."""
    answer = Loader(starrocks).whole(row(1, n="abc", d="x", ts="2026-13-01", da="never", b="?",
                                         f="q", dd={}), row(2, n=3_000_000_000))
    assert answer["Status"] == "OK"
    assert rows(sql, "select n, d, ts, da, b, f, dd from d.t") == [[None] * 7, [None] * 7]


@pytest.mark.parametrize(("bad", "reason"), [
    ({"v": "éééé"}, "String 'éééé'(length=8) is too long. The max length of 'v' is 5"),
    ({"nn": None}, "NULL value in non-nullable column 'nn'"),
    ({"id": "x"}, "NULL value in non-nullable column 'id'"),
    ({"d": "12345.6"}, "Decimal '12345.6' is out of range. The type of 'd' is DECIMAL64(6,2)'"),
])
def test_one_filtered_row_fails_the_load(starrocks: StandIn, sql: RawClient, bad: dict[str, Any],
                                         reason: str) -> None:
    answer = Loader(starrocks).whole(row(1), row(2, **bad))
    assert answer["Status"] == "INTERNAL_ERROR"
    assert answer["Message"] == f"too many filtered rows. {reason}"
    assert answer["NumberFilteredRows"] == 1 and answer["ErrorURL"].startswith("http://")
    assert rows(sql) == []
    assert Loader(starrocks, label="next").whole(row(1))["Status"] == "OK"


def test_key_of_more_than_128_bytes(starrocks: StandIn, sql: RawClient) -> None:
    sql.query('create table d.k (a varchar(300) not null, b int not null, c varchar(300) not null) '
              'primary key(a,b,c) properties("replication_num"="1")')
    # a: bytes + 2, b: 4, c: bytes.
    fits = {"a": "x" * 100, "b": 1, "c": "y" * 22, "__op": "0"}
    assert Loader(starrocks, "k", "abc").whole(fits)["Status"] == "OK"
    answer = Loader(starrocks, "k", "abc", "two").whole({**fits, "c": "y" * 23})
    assert (answer["Status"], answer["Message"]) == (
        "INTERNAL_ERROR", "primary key size exceed the limit.")
    assert rows(sql, "select count(*) from d.k") == [["1"]]


def test_columns_left_out_take_their_default(starrocks: StandIn, sql: RawClient) -> None:
    loader = Loader(starrocks, columns=["id", "v"])
    assert loader.whole({"id": 1, "v": "a", "__op": "0"})["Status"] == "OK"
    assert rows(sql, "select id, v, n, nn from d.t") == [["1", "a", None, "df"]]


def test_rollback_discards(starrocks: StandIn, sql: RawClient) -> None:
    loader = Loader(starrocks)
    for operation in ("begin", "load", "prepare", "rollback", "rollback"):
        body = json.dumps(row(1)).encode() if operation == "load" else None
        assert loader.call(operation, body)["Status"] == "OK"
    assert rows(sql) == []
    answer = loader.call("commit")
    assert answer["Status"] == "FAILED"
    assert answer["Message"].startswith("Can not commit ABORTED transaction")
    Loader(starrocks, label="done").whole(row(1))
    assert Loader(starrocks, label="done").call("rollback")["Status"] == "FAILED"


def test_labels(starrocks: StandIn, sql: RawClient) -> None:
    assert Loader(starrocks, label="one").call("begin")["Status"] == "OK"
    again = Loader(starrocks, label="one").call("begin")
    assert (again["Status"], again["ExistingJobStatus"]) == ("LABEL_ALREADY_EXISTS", "RUNNING")
    assert Loader(starrocks, label="bad label").call("begin")["Message"].startswith(
        "Label format error. regex:")
    assert Loader(starrocks, label="").call("begin")["Message"] == "Empty label."
    assert Loader(starrocks, label="unknown").call("load")["Status"] == "TXN_NOT_EXISTS"
    assert Loader(starrocks, label="unknown").call("commit")["Message"].endswith(
        "No transaction found with db[d] and label[unknown]")
    assert Loader(starrocks, table="other", label="one").call("load")["Message"] == (
        "Request table other not equal transaction table t")


def test_wrong_requests(starrocks: StandIn, sql: RawClient) -> None:
    assert Loader(starrocks, db="").call("begin")["Message"] == "No database selected."
    assert Loader(starrocks, db="nosuch").call("begin")["Message"] == (
        "Database[nosuch] does not exist.")
    assert Loader(starrocks, table="nosuch").call("begin")["Status"] == "FAILED"
    assert Loader(starrocks).call("nosuch")["Message"] == "Unknown transaction operation: nosuch"
    loader = Loader(starrocks)
    loader.call("begin")
    assert loader.call("prepare")["Message"].endswith("hasn't send any data yet")
    assert "parse error" in loader.call("load", b'{"id":1')["Message"]


def test_redirect_of_a_request_that_already_carries_its_body(starrocks: StandIn,
                                                             sql: RawClient) -> None:
    """Without `expect` the body is on its way: it is taken, and the connection lives on."""
    loader = Loader(starrocks)
    del loader.headers["expect"]
    connection = http.client.HTTPConnection("127.0.0.1", starrocks.ports["http"], timeout=20)
    for _ in range(2):
        connection.request("PUT", "/api/transaction/load", body=b"x" * 3_000_000,
                           headers=loader.headers)
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (307, b"")
        assert urlparse(answer.getheader("Location")).port == starrocks.ports["be_http"]
    connection.close()


def test_authentication_and_privilege(starrocks: StandIn, sql: RawClient) -> None:
    sql.query("create user rw identified by 'pw'")
    assert Loader(starrocks, user="rw", password="no").send(
        starrocks.ports["http"], "POST", "begin")[0] == 401
    loader = Loader(starrocks, user="rw", password="pw")
    denied = loader.call("begin")
    assert denied["Status"] == "FAILED" and "the INSERT privilege(s) on TABLE t" in denied["Message"]
    sql.query("grant insert on all tables in database d to rw")
    assert loader.whole(row(1))["Status"] == "OK"


def test_open_load_holds_back_a_schema_change(starrocks: StandIn, sql: RawClient) -> None:
    """A job waits for loads that began before it; the load writes the new schema's table."""
    loader = Loader(starrocks)
    loader.call("begin")
    assert sql.query("alter table d.t modify column v varchar(9)")[0].error is None
    starrocks.control("/alter", {"hold": True, "step": 3})
    query = "show alter table column from d"
    assert rows(sql, query)[0][9] == "WAITING_TXN"
    loader.call("load", json.dumps(row(1, v="a")).encode())
    loader.call("prepare")
    loader.call("commit")
    starrocks.control("/alter", {"step": 2})
    assert rows(sql, query)[0][9] == "FINISHED"
    assert rows(sql, "select id, v from d.t") == [["1", "a"]]


@pytest.mark.parametrize("operation", ["begin", "load", "prepare", "commit"])
def test_injected_failures(starrocks: StandIn, sql: RawClient, operation: str) -> None:
    starrocks.control("/load", {"fail": "disk full", "on": operation})
    answer = Loader(starrocks).whole(row(1))
    assert (answer["Status"], answer["Message"]) == ("INTERNAL_ERROR", "disk full")
    starrocks.control("/load", {"fail": None})
    assert Loader(starrocks, label="later").whole(row(1))["Status"] == "OK"


def test_no_backend(starrocks: StandIn, sql: RawClient) -> None:
    starrocks.control("/backends", {"alive": 0})
    assert Loader(starrocks).call("begin")["Status"] == "FAILED"
    error = sql.query("select count(*) from d.t")[0].error
    assert error == (1064, "HY000", "Backend node not found. Check if any backend node is down."
                     "backend: [127.0.0.10 alive: false inBlacklist: false] ")
    starrocks.control("/backends", {"alive": 1})
    assert Loader(starrocks).whole(row(1))["Status"] == "OK"
