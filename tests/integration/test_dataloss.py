"""What the pipeline would change without a word is said before it happens, with the column and the number of rows."""

import datetime as dt
from decimal import Decimal

import pytest

from .system import Group, condition_of

pytestmark = pytest.mark.together
MEBIBYTE = 1048576
# name -> (column, values, what the message says of it, how they arrive, what a corrected row holds; None: only without it)
LOSSES = {
    "times": ("x TIME", ["'-00:00:01'", "'24:00:00'", "'23:59:59'", "NULL"],
              "in 2 rows 'x' (time) lies outside 00:00:00 to 23:59:59 and is delivered as NULL",
              [None, None, "23:59:59", None], "'12:00:00'"),
    "digits": ("x DECIMAL(38,4)", ["9999999999999999999999999999999999.9999", "1.5", "-1234567890123456789012345678901.5"],
               "in 2 rows 'x' (decimal(38,4)) has more than 28 digits and is delivered as NULL",
               [None, Decimal("1.5000"), None], "2.5"),
    "widest": ("x DECIMAL(65,30)", [f"{'9' * 35}.{'9' * 30}", "1.5", "NULL"],
               "in 2 rows 'x' (decimal(65,30)) has more than 28 digits and is delivered as NULL", [None, None, None], None),
    "dates": ("x DATE", ["'0000-00-00'", "'2026-00-10'", "'2026-01-02'"],
              "in 2 rows 'x' (date) holds a zero date and is delivered as NULL", [None, None, dt.date(2026, 1, 2)],
              "'2026-01-03'"),
    "moments": ("x DATETIME(3)", ["'0000-00-00'", "'2026-01-02 03:04:05.678'"],
                "in 1 row 'x' (datetime(3)) holds a zero date and is delivered as NULL",
                [None, dt.datetime(2026, 1, 2, 3, 4, 5, 678000)], "'2026-01-03'"),
    "stamps": ("x TIMESTAMP NULL", ["'0000-00-00'", "'2026-01-02 03:04:05'"],
               "in 1 row 'x' (timestamp) holds a zero date and is delivered as NULL",
               [None, dt.datetime(2026, 1, 2, 3, 4, 5)], "'2026-01-03'"),
    "texts": ("x MEDIUMTEXT", [f"REPEAT('y', {MEBIBYTE + 1})", f"REPEAT('y', {MEBIBYTE})"],
              f"in 1 row 'x' (mediumtext) is longer than {MEBIBYTE} bytes and stops the sink", None, "'short'"),
    "blobs": ("x LONGBLOB", [f"REPEAT('y', {MEBIBYTE // 2 + 1})", f"REPEAT('y', {MEBIBYTE // 2})"],
              f"in 1 row 'x' (longblob) is longer than {MEBIBYTE // 2} bytes and stops the sink", None, "'short'"),
}
# What stops the sink is tried with Fail alone: a row that cannot be loaded holds up all others.
WARNED = [name for name in LOSSES if name not in ("texts", "blobs")]
KEY_LIMIT = 2**63


def insert(group, name, values):
    group.sql("SET sql_mode = '', time_zone = '+00:00'",
              *(f"INSERT INTO {name} VALUES ({number}, {value})" for number, value in enumerate(values, 1)))


@pytest.fixture(scope="module")
def group(running):
    made = Group(running, "dataloss")
    specs = {}
    for name, (column, values, *_) in LOSSES.items():
        for policy in ("Warn", "Fail") if name in WARNED else ("Fail",):
            made.sql(f"CREATE TABLE {name + policy.lower()} (id INT PRIMARY KEY, {column})")
            insert(made, name + policy.lower(), values)
            specs[name + policy.lower()] = {"dataLoss": policy}
    made.sql("CREATE TABLE harmless (id INT PRIMARY KEY, a TIME, b DECIMAL(38,4), c DATE)",
             "INSERT INTO harmless VALUES (1, '01:00:00', 1, '2026-01-01'), (2, NULL, NULL, NULL)",
             "CREATE TABLE plain (id INT PRIMARY KEY, v INT)",
             "CREATE TABLE several (id INT PRIMARY KEY, `the time` TIME, d DATE)",
             "CREATE TABLE counted (k BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, v VARCHAR(10))",
             f"INSERT INTO counted VALUES (1, 'a'), ({2**62}, 'b')")
    made.sql("SET sql_mode = ''", "INSERT INTO several VALUES (1, '99:00:00', '0000-00-00'), (2, '-1:00:00', '2026-01-01')")
    specs.update(harmless={"dataLoss": "Fail"}, plain={"dataLoss": "Fail"}, several={}, counted={})
    made.apply(specs)
    yield made
    made.finish()


@pytest.mark.parametrize("name", WARNED)
def test_warned_of_and_delivered_as_documented(group, name):
    """A condition, a Warning Event, and the values as the table of types has them."""
    _, _, words, arrive, _ = LOSSES[name]
    name += "warn"
    group.wait_ready(name)
    found = condition_of(group.get(name), "DataLoss")
    assert (found["status"], found["reason"]) == ("True", "ValuesAffected") and words in found["message"], found
    told = group.events(name, "ValuesMayBeLost")
    assert {e["type"] for e in told} == {"Warning"} and any(words in e["note"] for e in told), told
    group.wait_rows(name, list(enumerate(arrive, 1)))


@pytest.mark.parametrize("name", LOSSES)
def test_refused_before_anything_exists(group, name):
    """dataLoss: Fail. With the rows put right, it goes on."""
    _, values, words, _, right = LOSSES[name]
    name += "fail"
    group.wait_stalled(name, "RefusedByPolicy", "DataLoss", (words, "spec.dataLoss", "tablesync.dev/retry=now",
                                                             "spec.columns.exclude"))
    assert group.streams(name) == ([], []) and group.target_columns(name) == {}
    assert group.status(name).get("objects", []) == []
    if right is None:
        group.patch(name, columns={"exclude": ["x"]})
    else:
        group.sql("SET sql_mode = '', time_zone = '+00:00'", f"UPDATE {name} SET x = {right}")
        group.annotate(name, retry="now")
    group.wait_ready(name)
    assert condition_of(group.get(name), "DataLoss")["reason"] == "NoneFound"
    group.wait(name, "every row arrives", lambda _: len(group.rows(name, "id")) == len(values))
    if right is not None:
        assert len({row[1] for row in group.rows(name)}) == 1 and group.rows(name)[0][1] is not None


def test_every_column_is_told_in_one_message(group):
    group.wait_ready("several")
    message = condition_of(group.get("several"), "DataLoss")["message"]
    assert "in 2 rows 'the time' (time)" in message and "in 1 row 'd' (date)" in message, message


@pytest.mark.parametrize("name, words", [("harmless", "in 2 rows"), ("plain", "no column can lose values")])
def test_nothing_to_lose_is_no_reason_to_refuse(group, name, words):
    group.wait_ready(name)
    found = condition_of(group.get(name), "DataLoss")
    assert (found["status"], found["reason"]) == ("False", "NoneFound") and words in found["message"], found
    assert not [e["note"] for e in group.events(name, "ValuesMayBeLost") if "looked at" in e["note"]]


def test_an_unsigned_key_is_a_bigint_as_long_as_it_fits(group):
    """Its largest value is told and watched: once AUTO_INCREMENT is past 2^63 it stalls, and a re-sync makes it text."""
    name = "counted"
    group.wait_ready(name)
    message = condition_of(group.get(name), "DataLoss")["message"]
    assert "'k'" in message and str(2**62) in message and "2^63" in message, message
    assert group.target_columns(name)["k"] == "bigint(20)"
    group.wait_rows(name)
    group.sql(f"ALTER TABLE {name} AUTO_INCREMENT = {KEY_LIMIT}")
    group.wait_stalled(name, "IncompatibleSchema", "TargetTableReady", ("'k'", "bigint(20), varchar(20) needed", "Recreate"))
    group.sql(f"DELETE FROM {name} WHERE k = 1")
    group.wait_rows(name)
    group.patch(name, resyncToken="as-text", resyncMode="Recreate")
    group.wait(name, "the key is text", lambda _: group.target_columns(name).get("k") == "varchar(20)")
    group.sql(f"INSERT INTO {name} (v) VALUES ('large')")
    group.wait_rows(name, [(str(2**62), "b"), (str(KEY_LIMIT), "large")])
    group.wait_settled(name)
