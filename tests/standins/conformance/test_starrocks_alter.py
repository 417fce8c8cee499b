"""A table's life under ALTER, and partitions, over the MySQL port.

Rules: starrocks.md 1.3-1.10, 3.3-3.9, 4.1; verified.md 31; for PARTITION BY StarRocks 4.1
PartitionDescAnalyzer.java and its documentation, "Expression partitioning".
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from .conftest import STARROCKS_OPTIONS
from .lab import wait_until
from .process import StandIn
from .rawclient import RawClient
from .test_starrocks_load import Loader

_TAIL = 'distributed by hash(id) properties("replication_num"="1")'


@pytest.fixture()
def sql(starrocks: StandIn) -> RawClient:
    client = RawClient(starrocks.ports["mysql"])
    assert client.query("create database d")[0].error is None
    assert client.query("use d")[0].error is None
    return client


@pytest.fixture(scope="module")
def shared() -> Iterator[RawClient]:
    """One server for the tests that only ask whether a definition is legal."""
    with StandIn("standins.starrocks", *STARROCKS_OPTIONS) as running:
        client = RawClient(running.ports["mysql"])
        assert client.query("create database d; use d")[0].error is None
        yield client


def run(sql: RawClient, *statements: str) -> None:
    for statement in statements:
        (reply,) = sql.query(statement)
        assert reply.error is None, f"{statement}\n{reply.error}"


def rows(sql: RawClient, query: str) -> list[list[str | None]]:
    (reply,) = sql.query(query)
    assert reply.error is None, reply.error
    return reply.rows


def refusal(sql: RawClient, statement: str) -> str:
    (reply,) = sql.query(statement)
    assert reply.error is not None, f"accepted: {statement}"
    return reply.error[2]


def states(sql: RawClient, table: str) -> list[str | None]:
    (reply,) = sql.query(f'show alter table column from d where TableName = "{table}" '
                         "order by JobId")
    return [row[reply.columns.index("State")] for row in reply.rows]


def settled(sql: RawClient, table: str) -> None:
    wait_until(lambda: set(states(sql, table)) <= {"FINISHED", "CANCELLED"},
               lambda: str(states(sql, table)))


# ADD, DROP, MODIFY


def test_added_columns_give_existing_rows_their_default(sql: RawClient) -> None:
    """Fast schema evolution: done when ALTER returns, listed as FINISHED."""
    run(sql, f"create table t (id int, v int) primary key(id) {_TAIL}",
        "insert into t values (1, 1)",
        'alter table t add column a varchar(9) default "x" comment "note", '
        'add column b decimal(50, 4) not null default "1.5"',
        'alter table t add column (c date null, e boolean default "true")',
        'alter table t add column f int after id')
    assert states(sql, "t") == ["FINISHED"] * 3
    assert rows(sql, "select * from t") == [["1", None, "1", "x", "1.5000", None, "1"]]
    assert rows(sql, "select column_name, column_default, is_nullable, column_type, column_comment "
                "from information_schema.columns where table_name = 't' "
                "order by ordinal_position") == [
        ["id", None, "NO", "int(11)", ""], ["f", None, "YES", "int(11)", ""],
        ["v", None, "YES", "int(11)", ""], ["a", "x", "YES", "varchar(9)", "note"],
        ["b", "1.5", "NO", "decimal(50, 4)", ""], ["c", None, "YES", "date", ""],
        ["e", "1", "YES", "tinyint(1)", ""]]
    run(sql, "alter table t drop column f, drop column c", 'alter table t comment = "mark"')
    assert rows(sql, "select * from t") == [["1", "1", "x", "1.5000", "1"]]
    assert rows(sql, "select table_comment from information_schema.tables "
                "where table_name = 't'") == [["mark"]]
    assert "Can not drop key column in primary data model table" in refusal(
        sql, "alter table t drop column id")


# From, to, whether it is allowed (starrocks.md 3.4).
_MATRIX = [
    ("tinyint", "smallint", True), ("tinyint", "decimal(9,0)", False), ("smallint", "int", True),
    ("smallint", "tinyint", False), ("int", "bigint", True), ("int", "largeint", True),
    ("int", "double", True), ("int", "date", True), ("int", "varchar(20)", True),
    ("int", "float", False), ("bigint", "largeint", True), ("bigint", "int", False),
    ("bigint", "decimal(20,0)", False), ("bigint", "double", True),
    ("largeint", "varchar(50)", True),
    ("largeint", "decimal(38,0)", False), ("float", "double", True), ("double", "float", False),
    ("double", "varchar(30)", True), ("varchar(5)", "varchar(9)", True),
    ("varchar(9)", "varchar(5)", False), ("varchar(9)", "json", True), ("varchar(9)", "int", True),
    ("varchar(9)", "date", True), ("varchar(9)", "datetime", False),
    ("varchar(9)", "decimal(9,2)", True), ("varchar(9)", "char(9)", False),
    ("char(5)", "varchar(9)", True), ("json", "varchar(1024)", True),
    ("json", "varchar(80)", False),
    ("date", "datetime", True), ("datetime", "date", True), ("datetime", "varchar(30)", False),
    ("decimal(10,2)", "decimal(12,2)", True), ("decimal(10,2)", "decimal(10,4)", False),
    ("decimal(10,2)", "decimal(76,2)", True), ("decimal(10,2)", "varchar(20)", True),
    ("decimal(10,2)", "bigint", False), ("boolean", "int", False)]


@pytest.mark.parametrize(("number", "old", "new", "allowed"), [
    (number, *case) for number, case in enumerate(_MATRIX)])
def test_modify_matrix(shared: RawClient, number: int, old: str, new: str, allowed: bool) -> None:
    run(shared, f"create table m{number} (id int, v {old}) primary key(id) {_TAIL}")
    statement = f"alter table m{number} modify column v {new}"
    if allowed:
        run(shared, statement)
        assert states(shared, f"m{number}") != []
    else:
        message = refusal(shared, statement)
        assert message.startswith(("Can not change ", "Cannot shorten string length",
                                   "JSON needs minimum length of 1024")), message
        assert states(shared, f"m{number}") == []


def test_values_through_a_modify(sql: RawClient) -> None:
    run(sql, "create table t (id int, a int, b varchar(9), c decimal(5,2), e date) primary key(id) "
        f"{_TAIL}", "insert into t values (1, 7, '12', 1.25, '2024-01-02'), "
        "(2, null, 'no', null, null)",
        "alter table t modify column a bigint, modify column b int, modify column c decimal(9,4), "
        "modify column e datetime")
    settled(sql, "t")
    assert rows(sql, "select * from t order by id") == [
        ["1", "7", "12", "1.2500", "2024-01-02 00:00:00"], ["2", None, None, None, None]]
    run(sql, "alter table t modify column c decimal(60,6)")
    settled(sql, "t")
    assert rows(sql, "select c from t order by id") == [["1.250000"], [None]]
    run(sql, "alter table t modify column c varchar(80)")
    settled(sql, "t")
    assert rows(sql, "select c from t order by id") == [["1.250000"], [None]]


def test_a_running_job_refuses_everything_else(starrocks: StandIn, sql: RawClient) -> None:
    """verified.md 31; loads go on and are there when it ends."""
    starrocks.control("/alter", {"hold": True})
    run(sql, f"create table t (id int, v varchar(5)) primary key(id) {_TAIL}",
        f"create table u (id int) primary key(id) {_TAIL}", "insert into t values (1, 'a')",
        "alter table t modify column v varchar(50)")
    assert states(sql, "t") == ["PENDING"]
    for statement in ("alter table t add column w int", "alter table t drop column v",
                      "alter table t modify column v varchar(60)", "alter table t rename x",
                      'alter table t comment = "x"', "alter table t swap with u",
                      'alter table t set ("replication_num" = "1")', "truncate table t",
                      'alter table t modify column v comment "x"', "alter table u swap with t"):
        assert refusal(sql, statement).startswith(
            "A schema change operation is in progress on the table t. Please wait until the "
            "current operation completes. To check the status of the operation, see "), statement
    starrocks.control("/alter", {"step": 1})
    assert states(sql, "t") == ["RUNNING"]
    loaded = Loader(starrocks, "t", ["id", "v"]).whole({"id": 2, "v": "b", "__op": "0"})
    assert loaded["Status"] == "OK"
    starrocks.control("/alter", {"step": 1})
    assert states(sql, "t") == ["FINISHED"]
    assert rows(sql, "select * from t order by id") == [["1", "a"], ["2", "b"]]
    run(sql, "alter table t add column w int", "alter table t swap with u", "truncate table t",
        "alter table t rename x", "drop table x force")
    assert refusal(sql, "drop table x").endswith("Unknown table 'x'.")


def test_a_job_cancelled_or_failed_changes_nothing(starrocks: StandIn, sql: RawClient) -> None:
    starrocks.control("/alter", {"hold": True})
    run(sql, f"create table t (id int, v varchar(5)) primary key(id) {_TAIL}",
        "alter table t modify column v varchar(50)", "cancel alter table column from t",
        "alter table t modify column v varchar(60)")
    starrocks.control("/alter", {"fail": "disk full", "step": 3})
    assert states(sql, "t") == ["CANCELLED", "CANCELLED"]
    assert rows(sql, "select column_type from information_schema.columns where table_name = 't' "
                "and column_name = 'v'") == [["varchar(5)"]]


# CREATE TABLE


def test_keys_distribution_and_wide_types(sql: RawClient) -> None:
    run(sql, "create table t (a int, b varchar(9), c date, v largeint, w tinyint, "
        "x decimal(76,30)) "
        'primary key(a, b, c) distributed by hash(b) buckets 3 properties("replication_num"="1")')
    assert rows(sql, "select primary_key, distribute_key, distribute_bucket, partition_key from "
                "information_schema.tables_config where table_name = 't'") == [
        ["`a`, `b`, `c`", "`b`", "3", ""]]
    whole = "1234567890123456789012345678901234567890123456"
    run(sql, f"insert into t values (1, 'b', '2024-01-01', 170141183460469231731687303715884105727,"
        f" -128, '{whole}.5')")
    assert rows(sql, "select v, w, x from t") == [
        ["170141183460469231731687303715884105727", "-128", f"{whole}.5{'0' * 29}"]]
    assert "is not key column" in refusal(
        sql, 'create table u (a int, v int) primary key(a) distributed by hash(v) '
        'properties("replication_num"="1")')


@pytest.mark.parametrize(("definition", "shown", "key"), [
    ("partition by date_trunc('day', dt)", "PARTITION BY date_trunc('day', dt)", "`dt`"),
    ("partition by date_trunc('HOUR', DT)", "PARTITION BY date_trunc('hour', dt)", "`dt`"),
    ("partition by time_slice(dt, interval 7 day)", "PARTITION BY time_slice(dt, 7, 'day', "
     "'floor')", "`dt`"),
    ("partition by time_slice(dt, interval 15 minute, floor)",
     "PARTITION BY time_slice(dt, 15, 'minute', 'floor')", "`dt`"),
    ("partition by (dt, id)", "PARTITION BY (`dt`,`id`)", "`dt`, `id`"),
    ("partition by id", "PARTITION BY (`id`)", "`id`")])
def test_partitions_are_shown(sql: RawClient, definition: str, shown: str, key: str) -> None:
    run(sql, f"create table t (id int, dt datetime, v int) primary key(id, dt) {definition} "
        "distributed by hash(id) buckets 2 " + 'properties("replication_num"="1")')
    text = rows(sql, "show create table t")[0][1] or ""
    assert f"PRIMARY KEY(`id`, `dt`)\n{shown}\nDISTRIBUTED BY HASH(`id`) BUCKETS 2 \n" in text
    assert rows(sql, "select partition_key from information_schema.tables_config") == [[key]]
    assert len(rows(sql, "select column_name from information_schema.columns "
                    "where table_name = 't'")) == 3
    run(sql, "insert into t values (1, '2024-01-01 10:00:00', 1), (1, '2024-02-01 10:00:00', 2)",
        "alter table t add column w int", "alter table t rename column dt to day",
        "create table u like t", "truncate table t")
    assert shown.replace("dt", "day") in (rows(sql, "show create table u")[0][1] or "")


@pytest.mark.parametrize(("definition", "message"), [
    ("partition by v", "The partition column could not be aggregated column and unique table's "
     "partition column must be key column"),
    ("partition by date_trunc('day', w)", "The partition column could not be aggregated column and "
     "unique table's partition column must be key column"),
    ("partition by nosuch", "Partition column[nosuch] does not exist in column list."),
    ("partition by (D, id)", "Partition column[D] does not exist in column list."),
    ("partition by d, d", "Duplicated partition column d"),
    ("partition by date_trunc('day', id)",
     "Unsupported partition type INT for function date_trunc('day', id)"),
    ("partition by time_slice(d, interval 1 day)",
     "Unsupported partition type DATE for function time_slice(d, 1, 'day', 'floor')"),
    ("partition by date_trunc('hour', d)",
     "date_trunc function can't support argument other than year|quarter|month|week|day")])
def test_partitions_that_are_refused(shared: RawClient, definition: str, message: str) -> None:
    assert refusal(shared, "create table p (id int, d date, v int, w datetime) primary key(id, d) "
                   f"{definition} {_TAIL}") == (
        f"Getting analyzing error. Detail message: {message}.")


@pytest.mark.parametrize("definition", [
    "partition by date_trunc('week', d)", "partition by substr(d, 1, 4)", "partition by list(d)",
    "partition by range(d) ()", "partition by date_trunc('day', d), id",
    "partition by time_slice(d, interval 1 week)",
    "partition by time_slice(w, interval 1 day, ceil)"])
def test_partitions_that_are_not_modelled(shared: RawClient, definition: str) -> None:
    assert refusal(shared, "create table p (id int, d date, w datetime) primary key(id, d, w) "
                   f"{definition} {_TAIL}") != ""


def test_too_many_buckets_and_partitions(starrocks: StandIn, sql: RawClient) -> None:
    """starrocks.md 1.3: 1024 buckets count only with PARTITION BY."""
    many = 'distributed by hash(id) buckets 1025 properties("replication_num"="1")'
    run(sql, f"create table t (id int) primary key(id) {many}")
    (reply,) = sql.query(f"create table p (id int) primary key(id) partition by id {many}")
    assert reply.error is not None and reply.error[:2] == (5510, "42000")
    run(sql, f"create table p (id int) primary key(id) partition by id {_TAIL}")
    body = b"".join(json.dumps({"id": number, "__op": "0"}).encode() for number in range(4097))
    loader = Loader(starrocks, "p", ["id"])
    loader.call("begin")
    loader.call("load", body)
    assert "Automatically created partitions exceeded the maximum limit: 4096" in loader.call(
        "prepare")["Message"]
    assert rows(sql, "select count(*) from p") == [["0"]]


def test_slices_are_counted_from_year_one() -> None:
    """As recorded in the server's own tests of time_slice partitions."""
    from standins.starrocks.partition import Partition, name_of
    cases = [("day", 4, "2023-02-16 12:31:07", "p20230214"),
             ("day", 4, "2023-02-19 12:31:07", "p20230218"),
             ("month", 4, "2023-04-14 12:31:07", "p202301"),
             ("month", 4, "2023-07-14 12:31:07", "p202305"),
             ("year", 2, "2024-02-16 12:31:07", "p2023"),
             ("year", 2, "2026-02-19 12:31:07", "p2025")]
    for unit, count, moment, name in cases:
        assert name_of(Partition(["c"], "time_slice", unit, count), [moment]) == name
    assert name_of(Partition(["a", "b"]), ["2022-04-01", "hangzhou"]) == "p20220401_hangzhou"


@pytest.mark.parametrize("property_text", [
    '"compression" = "ZSTD"', '"compression" = "zstd(9)"', '"write_quorum" = "ONE"',
    '"bloom_filter_columns" = "v"', '"storage_medium" = "HDD"', '"replicated_storage" = "false"',
    '"fast_schema_evolution" = "false"'])
def test_properties_that_exist(shared: RawClient, property_text: str) -> None:
    run(shared, "drop table if exists pr", "create table pr (id int, v varchar(9)) primary key(id) "
        f'distributed by hash(id) properties("replication_num"="1", {property_text})')


@pytest.mark.parametrize(("property_text", "message"), [
    ('"compression" = "RAR"', "unknown compression type: RAR"),
    ('"write_quorum" = "SOME"', "unknown write quorum: SOME"),
    ('"storage_medium" = "TAPE"', "Invalid storage medium: TAPE"),
    ('"bloom_filter_columns" = "v,nosuch"',
     "Bloom filter column does not exist in table. invalid column: nosuch"),
    ('"nosuch" = "1"', "Unknown properties: {nosuch=1}")])
def test_properties_that_are_refused(shared: RawClient, property_text: str, message: str) -> None:
    assert refusal(shared, "create table pb (id int, v varchar(9)) primary key(id) distributed by "
                   f'hash(id) properties("replication_num"="1", {property_text})') == message
