"""What a sink's SELECT may compute: values, types, refusals, without any server.

Types and signatures are those of RisingWave 3.0.3's src/expr/impl; semantics PostgreSQL's.
Casts the contract names: risingwave.md 4.4 and verified.md, "Types accepted end to end".
"""

from __future__ import annotations

import datetime
import decimal
import pickle
from typing import Any

import pytest

from standins.risingwave import rwtypes as t
from standins.risingwave.catalog import Column
from standins.risingwave.errors import PgError
from standins.risingwave.projection import Projection, source_of

D = decimal.Decimal
_UTC = datetime.timezone.utc
_COLUMNS = {
    "id": t.BIGINT, "i": t.INTEGER, "s": t.SMALLINT, "v": t.VARCHAR, "d": t.NUMERIC, "r": t.REAL,
    "f": t.DOUBLE, "b": t.BOOLEAN, "by": t.BYTEA, "da": t.DATE, "ti": t.TIME, "ts": t.TIMESTAMP,
    "tz": t.TIMESTAMPTZ, "j": t.JSONB, "n": t.VARCHAR, "Odd": t.INTEGER}
_ROW: list[Any] = [
    7, -7, 3, "Héllo wOrld", D("12.345"), 1.5, 2.5, True, b"ab\xff", datetime.date(2024, 2, 29),
    datetime.time(1, 2, 3, 500000), datetime.datetime(2024, 2, 29, 1, 2, 3, 456789),
    datetime.datetime(2024, 2, 29, 1, 2, 3, tzinfo=_UTC), '{"a": 1}', "42", 5]
_NULLS: list[Any] = [None] * len(_ROW)


def _projection(select: str) -> Projection:
    query = f"SELECT {select} FROM t"
    source_of(query)
    return Projection([Column(name, kind) for name, kind in _COLUMNS.items()], query, "t")


def _value(expression: str, row: list[Any] | None = None) -> tuple[Any, t.Type]:
    projection = _projection(f"{expression} AS x")
    (found,) = projection.apply([row or _ROW])
    assert found is not None
    return found[0], projection.outputs[0].type


@pytest.mark.parametrize(("expression", "value", "kind"), [
    # casts the type table of the contract uses
    ("id::BIGINT", 7, t.BIGINT), ("id::VARCHAR", "7", t.VARCHAR),
    ("CAST(i AS SMALLINT)", -7, t.SMALLINT), ("s::INT", 3, t.INTEGER),
    ("d::VARCHAR", "12.345", t.VARCHAR), ("ti::VARCHAR", "01:02:03.500", t.VARCHAR),
    ("tz AT TIME ZONE 'UTC'", datetime.datetime(2024, 2, 29, 1, 2, 3), t.TIMESTAMP),
    ("tz AT TIME ZONE 'Asia/Shanghai'", datetime.datetime(2024, 2, 29, 9, 2, 3), t.TIMESTAMP),
    ("encode(by, 'hex')", "6162ff", t.VARCHAR), ("encode(by, 'base64')", "YWL/", t.VARCHAR),
    ("decode('6162', 'hex')", b"ab", t.BYTEA), ("n::INT", 42, t.INTEGER),
    ("v::JSONB", None, t.JSONB), ("'[1]'::JSONB", "[1]", t.JSONB), ("b::INT", 1, t.INTEGER),
    ("i::BOOLEAN", True, t.BOOLEAN), ("b::VARCHAR", "true", t.VARCHAR),
    ("by::VARCHAR", "\\x6162ff", t.VARCHAR), ("ts::DATE", datetime.date(2024, 2, 29), t.DATE),
    ("ts::VARCHAR", "2024-02-29 01:02:03.456789", t.VARCHAR),
    ("tz::VARCHAR", "2024-02-29 01:02:03+00:00", t.VARCHAR),
    ("da::TIMESTAMP", datetime.datetime(2024, 2, 29), t.TIMESTAMP),
    ("DATE '2024-01-02'", datetime.date(2024, 1, 2), t.DATE),
    # numeric to integer rounds half away from zero, double to integer to even
    ("2.5::INT", 3, t.INTEGER), ("f::INT", 2, t.INTEGER), ("(-2.5)::INT", -3, t.INTEGER),
    # text
    ("lower(v)", "héllo world", t.VARCHAR), ("upper(v)", "HÉLLO WORLD", t.VARCHAR),
    ("trim('  x ')", "x", t.VARCHAR), ("ltrim('xxy', 'x')", "y", t.VARCHAR),
    ("rtrim('yxx', 'x')", "y", t.VARCHAR), ("btrim('xyx', 'x')", "y", t.VARCHAR),
    ("trim(BOTH 'x' FROM 'xyx')", "y", t.VARCHAR),
    ("trim(LEADING 'x' FROM 'xyx')", "yx", t.VARCHAR), ("length(v)", 11, t.INTEGER),
    ("char_length(v)", 11, t.INTEGER), ("octet_length(v)", 12, t.INTEGER),
    ("octet_length(by)", 3, t.INTEGER), ("concat(v, n, NULL, b)", "Héllo wOrld42t", t.VARCHAR),
    ("concat_ws('-', n, NULL, i)", "42--7", t.VARCHAR), ("v || i", "Héllo wOrld-7", t.VARCHAR),
    ("b || 'x'", "truex", t.VARCHAR), ("substr(v, 2, 3)", "éll", t.VARCHAR),
    ("substring(v, 2)", "éllo wOrld", t.VARCHAR),
    ("substring(v FROM 2 FOR 3)", "éll", t.VARCHAR), ("substr(v, -1, 4)", "Hé", t.VARCHAR),
    ("substr(v, 2, -1)", None, t.VARCHAR), ("replace(v, 'l', 'L')", "HéLLo wOrLd", t.VARCHAR),
    ("left(v, 3)", "Hél", t.VARCHAR), ("left(v, -8)", "Hél", t.VARCHAR),
    ("right(v, 2)", "ld", t.VARCHAR), ("right(v, -9)", "ld", t.VARCHAR),
    ("lpad(n, 5, 'xy')", "xyx42", t.VARCHAR), ("lpad(v, 2)", "Hé", t.VARCHAR),
    ("rpad(n, 5)", "42   ", t.VARCHAR), ("split_part('a,b', ',', 2)", "b", t.VARCHAR),
    ("split_part('a,b', ',', -2)", "a", t.VARCHAR), ("split_part('a', ',', 9)", "", t.VARCHAR),
    ("split_part('a', ',', 0)", None, t.VARCHAR), ("reverse('añb')", "bña", t.VARCHAR),
    ("md5('MySQL')", "62a004b95946bb97541afa471dcca73a", t.VARCHAR),
    ("position('l' IN v)", 3, t.INTEGER), ("strpos(v, 'zz')", 0, t.INTEGER),
    ("starts_with(v, 'Hé')", True, t.BOOLEAN), ("v LIKE 'H_l%'", True, t.BOOLEAN),
    ("initcap('hello wOrld')", "Hello World", t.VARCHAR),
    ("convert_to('é', 'UTF8')", b"\xc3\xa9", t.BYTEA),
    ("convert_from(by, 'UTF8')", None, t.VARCHAR),
    ("encode(sha1(convert_to('a', 'UTF8')), 'hex')",
     "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8", t.VARCHAR),
    ("length(sha256(by))", 32, t.INTEGER), ("length(sha512(by))", 64, t.INTEGER),
    ("j -> 'a'", "1", t.JSONB), ("j ->> 'a'", "1", t.VARCHAR), ("j -> 'b'", None, t.JSONB),
    ("'[1, null]'::JSONB ->> 1", None, t.VARCHAR), ("'[1, null]'::JSONB -> -1", "null", t.JSONB),
    ("('{\"a\": {\"b\": \"x\"}}'::JSONB -> 'a') ->> 'b'", "x", t.VARCHAR),
    # numbers: the result's type is the wider one, division of integers is whole
    ("i + s", -4, t.INTEGER), ("i * id", -49, t.BIGINT), ("s + s", 6, t.SMALLINT),
    ("i / 2", -3, t.INTEGER), ("i % 3", -1, t.INTEGER), ("mod(i, 3)", -1, t.INTEGER),
    ("d / 3", D("4.115"), t.NUMERIC), ("1.0 / 3", D("0.3333333333333333333333333333"), t.NUMERIC),
    ("i - d", D("-19.345"), t.NUMERIC), ("d + f", 14.845, t.DOUBLE), ("f / 2", 1.25, t.DOUBLE),
    ("1 / 0", None, t.INTEGER), ("f / 0", None, t.DOUBLE), ("2147483647 + 1", None, t.INTEGER),
    ("32767::SMALLINT + 1::SMALLINT", None, t.SMALLINT), ("abs(i)", 7, t.INTEGER),
    ("-i", 7, t.INTEGER), ("- d * 2", D("-24.690"), t.NUMERIC), ("round(d)", D("12"), t.NUMERIC),
    ("round(d, 2)", D("12.35"), t.NUMERIC), ("round(125.0, -1)", D("130"), t.NUMERIC),
    ("round(f)", 2.0, t.DOUBLE), ("floor(-d)", D("-13"), t.NUMERIC),
    ("ceil(d)", D("13"), t.NUMERIC), ("trunc(-d)", D("-12"), t.NUMERIC),
    ("ceiling(f)", 3.0, t.DOUBLE), ("power(i, 2)", 49.0, t.DOUBLE),
    ("power(d, 2)", D("152.399025"), t.NUMERIC), ("power(-8, 0.5)", None, t.NUMERIC),
    ("sqrt(f)", 2.5 ** 0.5, t.DOUBLE), ("sqrt(i)", None, t.DOUBLE), ("sign(d)", D(1), t.NUMERIC),
    # times
    ("date_trunc('month', ts)", datetime.datetime(2024, 2, 1), t.TIMESTAMP),
    ("date_trunc('week', ts)", datetime.datetime(2024, 2, 26), t.TIMESTAMP),
    # only timestamp and timestamptz have one: a date becomes the preferred of the two
    ("date_trunc('year', da)", datetime.datetime(2024, 1, 1, tzinfo=_UTC), t.TIMESTAMPTZ),
    ("date_trunc('nosuch', ts)", None, t.TIMESTAMP),
    ("extract(YEAR FROM ts)", D(2024), t.NUMERIC),
    ("extract(SECOND FROM ts)", D("3.456789"), t.NUMERIC),
    ("extract(EPOCH FROM tz)", D("1709168523.000000"), t.NUMERIC),
    ("date_part('dow', da)", 4.0, t.DOUBLE),
    ("to_char(ts, 'YYYY-MM-DD HH24:MI:SS.US')", "2024-02-29 01:02:03.456789", t.VARCHAR),
    ("to_char(ts, 'YYYYMMDD\"T\"HH12 AM')", '20240229"T"01 AM', t.VARCHAR),
    ("da - DATE '2024-02-01'", 28, t.INTEGER), ("da + 1", datetime.date(2024, 3, 1), t.DATE),
    # truth and choice
    ("i > 0", False, t.BOOLEAN), ("v = 'x'", False, t.BOOLEAN),
    ("da >= '2024-01-01'", True, t.BOOLEAN), ("NOT b OR i < 0", True, t.BOOLEAN),
    ("NULL AND FALSE", False, t.BOOLEAN), ("NULL OR b", True, t.BOOLEAN),
    ("NULL AND b", None, t.BOOLEAN), ("n IS NOT NULL", True, t.BOOLEAN),
    ("b IS TRUE", True, t.BOOLEAN), ("i IN (1, -7)", True, t.BOOLEAN),
    ("i IN (1, NULL)", None, t.BOOLEAN), ("i NOT IN (1, 2)", True, t.BOOLEAN),
    ("i BETWEEN -8 AND -6", True, t.BOOLEAN),
    ("CASE WHEN i > 0 THEN 'p' WHEN i < 0 THEN 'n' END", "n", t.VARCHAR),
    ("CASE i WHEN -7 THEN 1 ELSE 2.5 END", D(1), t.NUMERIC),
    ("coalesce(NULL, n, 'x')", "42", t.VARCHAR), ("nullif(i, -7)", None, t.INTEGER),
    ("greatest(i, id, NULL)", 7, t.BIGINT), ("least(s, d)", D(3), t.NUMERIC),
    # precedence
    ("1 + 2 * 3 - -4", 11, t.INTEGER), ("'a' || 1 + 2", "a3", t.VARCHAR),
    ("-n::INT", -42, t.INTEGER), ("NOT i = -7 AND b", False, t.BOOLEAN),
    ("\"Odd\" + 1", 6, t.INTEGER), ("t.i", -7, t.INTEGER), ("99999999999", 99999999999, t.BIGINT),
    ("1e2", D("100"), t.NUMERIC), ("'it''s'", "it's", t.VARCHAR), ("NULL", None, t.VARCHAR),
])
def test_values_and_types(expression: str, value: Any, kind: t.Type) -> None:
    found, found_kind = _value(expression)
    assert (found, found_kind.name) == (value, kind.name)
    assert type(found) is type(value)


@pytest.mark.parametrize("expression", [
    "lower(v)", "v || 'x'", "i + 1", "d / 3", "-i", "round(d, 1)", "tz AT TIME ZONE 'UTC'",
    "encode(by, 'hex')", "i > 0", "v LIKE 'x'", "NOT b", "date_trunc('day', ts)", "ti::VARCHAR",
    "split_part(v, ',', 1)", "md5(v)", "extract(YEAR FROM ts)", "nullif(v, 'x')"])
def test_null_in_null_out(expression: str) -> None:
    assert _value(expression, _NULLS)[0] is None


def test_what_leaves_out_nulls() -> None:
    assert _value("concat(v, i)", _NULLS)[0] == ""
    assert _value("coalesce(v, 'none')", _NULLS)[0] == "none"
    assert _value("CASE WHEN i > 0 THEN 1 ELSE 2 END", _NULLS)[0] == 2
    assert _value("v IS NULL", _NULLS)[0] is True


def test_a_value_that_cannot_be_computed_is_null_at_its_place() -> None:
    """The node that fails is NULL, what stands around it goes on."""
    assert _value("v::INT")[0] is None
    assert _value("coalesce(v::INT, -1)")[0] == -1
    assert _value("concat('x', 1 / 0)")[0] == "x"
    assert _value("tz AT TIME ZONE 'No/Where'")[0] is None
    assert _value("rpad('9', 40, '9')::DECIMAL")[0] is None  # beyond 28 digits


@pytest.mark.parametrize(("select", "cause"), [
    ("nosuch", "Item not found: Invalid column: nosuch"),
    ("\"ODD\"", "Item not found: Invalid column: ODD"),
    ("nosuch(v)", "function nosuch(character varying) does not exist"),
    ("lower(i)", "function lower(integer) does not exist"),
    ("trunc(d, 2)", "function trunc(numeric, integer) does not exist"),
    ("now()", "function now() does not exist"),
    ("random()", "function random() does not exist"),
    ("v + 1", "function +(character varying, integer) does not exist"),
    ("s::BOOLEAN", 'cannot cast type "smallint" to "boolean" in Explicit context'),
    ("ts::INT", 'cannot cast type "timestamp without time zone" to "integer" in Explicit context'),
    ("coalesce(v, i)", "types Varchar and Int32 cannot be matched"),
    ("CASE WHEN i THEN 1 END", 'cannot cast type "integer" to "boolean" in Implicit context'),
    ("'x'::INT", "Parse error: invalid digit found in string"),
    ("i = 'x'", "Parse error: invalid digit found in string"),
    ("v::VARCHAR(5)", "sql parser error"),
    ("d::DECIMAL(10, 2)", "unsupported data type: NUMERIC(10,2)"),
    ("position(v, 'l')", "sql parser error: expected IN, found: ,"),
    ("j #> 'a'", "sql parser error"),
    ("(SELECT 1)", "CREATE SINK AS SELECT with aggregates or subqueries"),
    ("sum(i)", "CREATE SINK AS SELECT with aggregates or subqueries"),
    ("concat_ws(v)", "takes at least 2 arguments (1 given)"),
])
def test_refused(select: str, cause: str) -> None:
    with pytest.raises(PgError) as caught:
        _projection(f"{select} AS x")
    assert cause in "\n".join(caught.value.causes)


def test_where_needs_a_truth_and_drops_the_rest() -> None:
    columns = [Column("i", t.INTEGER)]
    projection = Projection(columns, "SELECT i FROM t WHERE i > 1", "t")
    assert projection.apply([[0], [2], [None]]) == [None, (2,), None]
    with pytest.raises(PgError):
        Projection(columns, "SELECT i FROM t WHERE i", "t")


def test_names_of_outputs() -> None:
    projection = _projection("i, lower(v), i::BIGINT, i + 1, \"Odd\" AS \"New Name\", v w, t.*")
    names = [column.name for column in projection.outputs]
    assert names[:6] == ["i", "lower", "i", "?column?", "New Name", "w"]
    assert names[6:] == list(_COLUMNS)
    assert projection.stored_names[:5] == ["t_i", "$expr1", "$expr2", "$expr3", "t_Odd"]


def test_a_projection_survives_being_saved_and_a_column_more_or_less() -> None:
    projection = Projection([Column("a", t.INTEGER), Column("b", t.INTEGER)],
                            "SELECT b + 1 AS b FROM t", "t")
    loaded = pickle.loads(pickle.dumps(projection))
    loaded.rebind([Column("b", t.INTEGER), Column("c", t.INTEGER)])  # a dropped, c added
    assert loaded.apply([[5, 9]]) == [(6,)]
    assert loaded.used == {"b"}
