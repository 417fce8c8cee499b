"""Every supported type with its bounds, from both dialects, by snapshot and by later changes; keys of every kind.

A value arrives as it is, or changed exactly as `tablesync types` says. The same rows are written before and after
the TableSync exists, since RisingWave reads the two ways with different code.
"""

import datetime as dt
import json
import os
import subprocess
from dataclasses import dataclass
from decimal import Decimal

import pytest

from cluster.processes import wait_until

from .system import MYSQL_PASSWORD, Told, connection_manifest, secret_manifest, sync_manifest

NAMESPACE = "types"
DATABASE = "every_type"
KEYS = "every_key"
# Neither the server's zone nor UTC, so that a value read in the wrong one shows.
SESSION_ZONE = "+05:30"
SERVER_ZONE = "-08:00"
EMOJI = "😀"
TRICKY = "it's \"q\" \\ \\n \t `b` 100%s {} ; -- /* */ \r\n€ " + EMOJI
LIVE = 1000  # what is added to the id of a row written later


@dataclass(frozen=True)
class Field:
    """A column: its row of the type table, its MySQL and StarRocks types, and values, or (written, arrives) pairs."""

    name: str
    row: str
    mysql: str
    target: str
    values: tuple


@dataclass(frozen=True)
class Changed:
    written: object
    arrives: object


def utc(text: str) -> Changed:
    """A TIMESTAMP as the session writes it, and the same moment in UTC."""
    local = dt.datetime.fromisoformat(text)
    return Changed(text, local - dt.timedelta(hours=5, minutes=30))


def as_hex(value: bytes) -> Changed:
    return Changed(value, value.hex())


def time(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


FIELDS = (
    Field("c_tinyint", "TINYINT, TINYINT(1), BOOL", "TINYINT", "smallint(6)", (-128, 127, 0, None)),
    Field("c_tinyint1", "TINYINT, TINYINT(1), BOOL", "TINYINT(1)", "smallint(6)", (0, 1, 2, -1, -128, None)),
    Field("c_bool", "TINYINT, TINYINT(1), BOOL", "BOOL NOT NULL DEFAULT TRUE", "smallint(6)", (0, 1, 127, 0, 0, 0, 0, 0)),
    Field("c_tinyint_u", "TINYINT UNSIGNED", "TINYINT UNSIGNED", "smallint(6)", (0, 255, 128, None)),
    Field("c_smallint", "SMALLINT", "SMALLINT", "smallint(6)", (-32768, 32767, None)),
    Field("c_smallint_u", "SMALLINT UNSIGNED", "SMALLINT UNSIGNED", "int(11)", (0, 65535, 32768, None)),
    Field("c_mediumint", "MEDIUMINT", "MEDIUMINT", "int(11)", (-8388608, 8388607, None)),
    Field("c_mediumint_u", "MEDIUMINT UNSIGNED", "MEDIUMINT UNSIGNED", "bigint(20)", (0, 16777215, 8388608, None)),
    Field("c_int", "INT", "INT", "int(11)", (-2147483648, 2147483647, None)),
    Field("c_int_u", "INT UNSIGNED", "INT UNSIGNED", "bigint(20)", (0, 4294967295, 2147483648, None)),
    Field("c_int_zerofill", "ZEROFILL", "INT(6) ZEROFILL", "bigint(20)", (7, 4294967295, None)),
    Field("c_bigint", "BIGINT", "BIGINT", "bigint(20)", (-2**63, 2**63 - 1, None)),
    Field("c_bigint_u", "BIGINT UNSIGNED", "BIGINT UNSIGNED", "decimal(20, 0)",
          (Decimal(0), Decimal(2**64 - 1), Decimal(2**63), None)),
    Field("c_decimal", "DECIMAL(p,s), p <= 38", "DECIMAL(10,2)", "decimal(10, 2)",
          (Decimal("99999999.99"), Decimal("-99999999.99"), Decimal("0.00"), Decimal("-0.01"), None)),
    Field("c_decimal_default", "DECIMAL(p,s), p <= 38", "DECIMAL", "decimal(10, 0)", (Decimal(9999999999), Decimal(-1), None)),
    Field("c_decimal28", "DECIMAL(p,s), p <= 38", "DECIMAL(28,10)", "decimal(28, 10)",
          (Decimal("999999999999999999.9999999999"), Decimal("-999999999999999999.9999999999"),
           Decimal("0.0000000001"), None)),
    Field("c_decimal40", "DECIMAL(p,s), p > 38", "DECIMAL(40,2)", "decimal(40, 2)",
          (Decimal("12345678901234567890123456.78"), Decimal("-0.01"), None)),
    Field("c_decimal38", "DECIMAL(p,s), p <= 38", "DECIMAL(38,4)", "decimal(38, 4)",
          (Decimal("999999999999999999999999.9999"), Decimal("-123456789012345678901234.5678"),
           Changed(Decimal("9999999999999999999999999999999999.9999"), None),
           Changed(Decimal("-1234567890123456789012345678901234.5678"), None), None)),
    Field("c_float", "FLOAT", "FLOAT", "float", (0.0, -0.0, 0.1, -1.5, 3.40282e38, -3.40282e38, 1.17549e-38, None)),
    Field("c_double", "DOUBLE", "DOUBLE", "double",
          (0.0, -0.0, 0.1, 1.7976931348623157e308, -1.7976931348623157e308, 2.2250738585072014e-308, 1e300, None)),
    Field("c_bit1", "BIT(1)", "BIT(1)", "tinyint(1)", (0, 1, None)),
    Field("c_bit10", "BIT(n), n > 1", "BIT(10)", "varchar(4)",
          (Changed(0, "0000"), Changed(1023, "03ff"), Changed(513, "0201"), None)),
    Field("c_bit64", "BIT(n), n > 1", "BIT(64)", "varchar(16)",
          (Changed(2**64 - 1, "f" * 16), Changed(1, "0" * 15 + "1"), Changed(2**63, "8" + "0" * 15), None)),
    Field("c_char", "CHAR(n)", "CHAR(10)", "varchar(40)",
          ("", EMOJI * 10, "  lead", Changed("trail  ", "trail"), "NULL", None)),
    Field("c_varchar", "VARCHAR(n)", "VARCHAR(64)", "varchar(256)",
          ("", EMOJI * 64, TRICKY, "trail  ", "NULL", "\\N", None)),
    Field("c_varchar0", "VARCHAR(n)", "VARCHAR(0)", "varchar(1)", ("", None)),
    Field("c_utf8", "VARCHAR(n)", "VARCHAR(20) CHARACTER SET utf8", "varchar(60)", ("€" * 20, "日本語", "", None)),
    Field("c_latin1", "VARCHAR(n)", "VARCHAR(20) CHARACTER SET latin1", "varchar(60)",
          ("€" * 20, "àéîõüÿ ¿½", "it's \\", "", None)),
    Field("c_gbk", "VARCHAR(n)", "VARCHAR(20) CHARACTER SET gbk", "varchar(60)", ("中" * 20, "简体中文 a\\b'c", "", None)),
    Field("c_ucs2", "CHAR(n)", "CHAR(5) CHARACTER SET ucs2", "varchar(15)", ("中" * 5, "ab", "", None)),
    Field("c_tinytext", "TINYTEXT", "TINYTEXT", "varchar(255)", ("€" * 85, "x" * 255, "", None)),
    Field("c_tinytext_latin1", "TINYTEXT", "TINYTEXT CHARACTER SET latin1", "varchar(765)", ("€" * 255, "", None)),
    Field("c_text", "TEXT", "TEXT", "varchar(65535)", ("x" * 65535, EMOJI * 16383, TRICKY, "", None)),
    Field("c_text_latin1", "TEXT", "TEXT CHARACTER SET latin1", "varchar(196605)", ("€" * 65535, "", None)),
    # The large ones in a row each: a statement has 4 MiB.
    Field("c_mediumtext", "MEDIUMTEXT", "MEDIUMTEXT", "varchar(1048576)", (TRICKY, EMOJI * 262144, "", None)),
    Field("c_longtext", "LONGTEXT, MariaDB JSON", "LONGTEXT", "varchar(1048576)", (TRICKY, "", "y" * 1048576, None)),
    Field("c_enum", "ENUM", "ENUM('','new','it''s','a,b','\\\\','€')", "varchar(256)",
          ("", "new", "it's", "a,b", "\\", "€", None)),
    Field("c_enum_long", "ENUM", f"ENUM('{'€' * 100}','x')", "varchar(400)", ("€" * 100, "x", None)),
    Field("c_enum_latin1", "ENUM", "ENUM('Größe','€') CHARACTER SET latin1", "varchar(256)", ("Größe", "€", None)),
    Field("c_date", "DATE", "DATE", "date",
          (dt.date(1000, 1, 1), dt.date(9999, 12, 31), dt.date(2024, 2, 29), Changed("0000-00-00", None), None)),
    Field("c_datetime", "DATETIME(n)", "DATETIME", "datetime",
          (time("1000-01-01 00:00:00"), time("9999-12-31 23:59:59"), Changed("0000-00-00 00:00:00", None), None)),
    Field("c_datetime3", "DATETIME(n)", "DATETIME(3)", "datetime", (time("2026-01-01 00:00:00.500"), None)),
    Field("c_datetime6", "DATETIME(n)", "DATETIME(6)", "datetime",
          (time("9999-12-31 23:59:59.999999"), time("1000-01-01 00:00:00.000001"), None)),
    # In no zone but UTC does 1970-01-01 00:00:01 begin MySQL's range.
    Field("c_timestamp", "TIMESTAMP(n)", "TIMESTAMP NULL", "datetime",
          (utc("1970-01-01 05:30:01"), utc("2038-01-19 08:44:07"), utc("2024-02-29 03:00:00"),
           Changed("0000-00-00 00:00:00", None), None)),
    Field("c_timestamp6", "TIMESTAMP(n)", "TIMESTAMP(6) NULL", "datetime",
          (utc("2038-01-19 08:44:07.999999"), utc("2026-03-29 02:30:00.000001"), None)),
    Field("c_year", "YEAR", "YEAR", "int(11)", (1901, 2155, 2026, None)),
    Field("c_time", "TIME(n)", "TIME", "varchar(17)",
          ("00:00:00", "23:59:59", Changed("-00:00:01", None), Changed("24:00:00", None), Changed("838:59:59", None), None)),
    Field("c_time3", "TIME(n)", "TIME(3)", "varchar(17)", ("12:30:00.500", Changed("12:30:00.000", "12:30:00"), None)),
    Field("c_time6", "TIME(n)", "TIME(6)", "varchar(17)",
          ("23:59:59.999999", "00:00:00.000001", Changed("-838:59:59", None), None)),
    Field("c_binary", "BINARY(n)", "BINARY(4)", "varchar(8)",
          (Changed(b"ab", "61620000"), Changed(b"", "00000000"), as_hex(b"\xff\x00\x27\x5c"), None)),
    Field("c_varbinary", "VARBINARY(n)", "VARBINARY(8)", "varchar(16)",
          (as_hex(b""), as_hex(b"\0" * 8), as_hex(b"\xff" * 8), as_hex(b"'\\\n"), None)),
    Field("c_tinyblob", "TINYBLOB", "TINYBLOB", "varchar(510)", (as_hex(b"\x80" * 255), as_hex(b""), None)),
    Field("c_blob", "BLOB", "BLOB", "varchar(131070)", (as_hex(b"\x01" * 65535), as_hex(b"\xf0\x9f"), None)),
    Field("c_mediumblob", "MEDIUMBLOB", "MEDIUMBLOB", "varchar(1048576)", (as_hex(b""), None, None, as_hex(b"\xfe" * 524288))),
    Field("c_longblob", "LONGBLOB", "LONGBLOB", "varchar(1048576)", (as_hex(b"\0"), None, None, None, as_hex(b"\xfd" * 524288))),
)
MARIADB_FIELDS = (
    Field("c_json", "LONGTEXT, MariaDB JSON", "JSON", "varchar(1048576)",
          ('{"b": 1,  "a": [1.50, "it\'s \\\\ 😀", null]}', "[]", '"text"', "null", None)),
    Field("c_uuid_text", "CHAR(n)", "CHAR(36)", "varchar(144)", ("123e4567-e89b-12d3-a456-426655440000", None)),
)
# Columns that MySQL computes: what comes of the other columns' values.
GENERATED = (
    ("g_sum", "BIGINT AS (c_int + c_smallint) STORED", "bigint(20)",
     lambda row: None if None in (row["c_int"], row["c_smallint"]) else row["c_int"] + row["c_smallint"]),
    ("g_text", "VARCHAR(80) AS (CONCAT(c_varchar, '!')) STORED", "varchar(320)",
     lambda row: None if row["c_varchar"] is None else row["c_varchar"] + "!"),
)


class Table:
    """The table of one dialect, the rows written to it and what must arrive."""

    def __init__(self, name, server, fields, generated=()):
        self.name, self.server, self.fields, self.generated = name, server, fields, generated
        self.rows = [{f.name: f.values[i] if i < len(f.values) else None for f in fields}
                     for i in range(max(len(f.values) for f in fields))]
        self.columns = ["id", *(f.name for f in fields), *(g[0] for g in generated)]
        self.expected = {}

    def create(self):
        definitions = ["id INT", *(f"{f.name} {f.mysql}" for f in self.fields),
                       *(f"{name} {definition}" for name, definition, *_ in self.generated), "PRIMARY KEY (id)"]
        with self.session() as session, session.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {DATABASE} DEFAULT CHARACTER SET utf8mb4")
            cursor.execute(f"CREATE TABLE {DATABASE}.t ({', '.join(definitions)})")

    def session(self):
        # Zero dates are what old tables hold; no strict mode would let them in.
        return self.server.connect(init_command=f"SET time_zone = '{SESSION_ZONE}', sql_mode = 'STRICT_TRANS_TABLES'")

    def insert(self, base):
        names = ", ".join(["id", *(f.name for f in self.fields)])
        marks = ", ".join(["%s"] * (len(self.fields) + 1))
        with self.session() as session, session.cursor() as cursor:
            for number, row in enumerate(self.rows, base):
                cursor.execute(f"INSERT INTO {DATABASE}.t ({names}) VALUES ({marks})",
                               [number, *(written(value) for value in row.values())])
                self.expected[number] = self.arriving(row)

    def rotate(self, base):
        """Every column of every row gets the value of the next row."""
        sets = ", ".join(f"{f.name} = %s" for f in self.fields)
        with self.session() as session, session.cursor() as cursor:
            for number in range(base, base + len(self.rows)):
                row = self.rows[(number - base + 1) % len(self.rows)]
                cursor.execute(f"UPDATE {DATABASE}.t SET {sets} WHERE id = %s",
                               [*(written(value) for value in row.values()), number])
                self.expected[number] = self.arriving(row)

    def delete(self, *numbers):
        self.server.execute(f"DELETE FROM {DATABASE}.t WHERE id IN ({', '.join(map(str, numbers))})")
        for number in numbers:
            del self.expected[number]

    def arriving(self, row):
        arrived = {name: arrives(value) for name, value in row.items()}
        arrived.update({name: rule(arrived) for name, _, _, rule in self.generated})
        return arrived

    def manifest(self):
        return sync_manifest(self.name, DATABASE, "t", mysql=self.name, namespace=NAMESPACE, target={"table": self.name})

    def wait_equal(self, system):
        """Waits until the target holds what is expected; then compares value by value."""
        found = {}

        def read():
            names = ", ".join(self.columns)
            rows = system.target_rows(f"ods.{self.name}", names)
            found.clear()
            found.update({row[0]: dict(zip(self.columns[1:], row[1:])) for row in rows})
            return found == self.expected

        try:
            wait_until("the rows arrive", read, 60)
        except TimeoutError as late:
            raise AssertionError("\n".join([str(late), *differences(self.expected, found)])) from late


def written(value):
    return value.written if isinstance(value, Changed) else value


def arrives(value):
    return value.arrives if isinstance(value, Changed) else value


def short(value):
    text = repr(value)
    return text if len(text) < 100 else f"{text[:60]}... ({len(text)} characters)"


def differences(expected, found):
    if set(expected) != set(found):
        yield f"rows {sorted(found)}, expected {sorted(expected)}"
    for number in sorted(set(expected) & set(found)):
        for name, value in expected[number].items():
            if found[number][name] != value:
                yield f"row {number} {name}: {short(found[number][name])}, expected {short(value)}"


@pytest.fixture(scope="module")
def mariadb_elsewhere(mariadb):
    """MariaDB in another zone than UTC."""
    was = mariadb.variable("time_zone")
    mariadb.execute(f"SET GLOBAL time_zone = '{SERVER_ZONE}'")
    yield mariadb
    mariadb.execute(f"SET GLOBAL time_zone = '{was}'")


@pytest.fixture(scope="module")
def typed(running, mariadb_elsewhere):
    """The namespace with connections to both dialects, under the names of their tables."""
    running.connect(NAMESPACE)
    servers = {"oracle": running.mysql, "mariadb": mariadb_elsewhere}
    for name, server in servers.items():
        running.apply(secret_manifest(name, "cdc", MYSQL_PASSWORD, NAMESPACE),
                      connection_manifest(name, "MySQL", server.port, NAMESPACE))
    yield running
    running.clear(NAMESPACE)


@pytest.fixture(scope="module")
def tables(typed, mariadb_elsewhere):
    """Both tables, filled before their TableSyncs exist; Ready."""
    made = {"oracle": Table("oracle", typed.mysql, FIELDS),
            "mariadb": Table("mariadb", mariadb_elsewhere, FIELDS + MARIADB_FIELDS, GENERATED)}
    for table in made.values():
        table.create()
        table.insert(1)
    typed.apply(*(table.manifest() for table in made.values()))
    for name in made:
        typed.wait_ready(name, namespace=NAMESPACE)
    return made


DIALECTS = ("oracle", "mariadb")


def types_of_target(system, table):
    """Column names and types of a table in ods, by name."""
    return dict(system.starrocks.query("SELECT column_name, column_type FROM information_schema.columns"
                                       f" WHERE table_schema = 'ods' AND table_name = '{table}'"))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_column_has_its_documented_type(typed, tables, dialect):
    table = tables[dialect]
    wanted = {"id": "int(11)", **{f.name: f.target for f in table.fields}, **{g[0]: g[2] for g in table.generated}}
    assert types_of_target(typed, dialect) == wanted


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_snapshot_brings_every_value(typed, tables, dialect):
    tables[dialect].wait_equal(typed)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_later_changes_bring_every_value(typed, tables, dialect):
    """Inserts, updates of every column of rows old and new, deletes of both."""
    table = tables[dialect]
    table.insert(LIVE)
    table.wait_equal(typed)
    table.rotate(1)
    table.rotate(LIVE)
    table.delete(2, LIVE + 1)
    table.wait_equal(typed)


def test_every_row_of_the_type_table_is_tried():
    """The rows of `tablesync types` that replicate are those of FIELDS, except JSON, which neither server here has."""
    shown = subprocess.run([os.environ["TABLESYNC_BIN"], "types", "-o", "json"], check=True, capture_output=True, text=True)
    supported = {row["mysql"] for row in json.loads(shown.stdout) if row["risingWave"] != "refused"}
    assert supported == {f.row for f in FIELDS + MARIADB_FIELDS} | {
        "JSON", "STORED generated columns", "SERIAL", "INVISIBLE columns"}


@dataclass(frozen=True)
class Key:
    """A table whose key is of one kind.

    `rows` are there before, `later` come afterwards; the first of either is deleted, the second gets the key `moved`.
    """

    columns: str
    key: str
    target: tuple  # name and type of the target's columns, in order
    rows: tuple
    later: tuple
    moved: tuple
    arrives: object = tuple  # how a key arrives


def text_key(values):
    return tuple(str(value) for value in values)


ONE = ("v", "int(11)")
KEY_KINDS = {
    "int-unsigned": Key("v INT, k INT UNSIGNED NOT NULL", "k", (("k", "bigint(20)"), ONE),
                        ((0,), (4294967295,), (7,)), ((4294967294,), (2147483648,)), (4294967293,)),
    "bigint-fits": Key("k BIGINT UNSIGNED NOT NULL AUTO_INCREMENT, v INT", "k", (("k", "bigint(20)"), ONE),
                       ((1,), (2**53 + 1,), (2**62,)), ((2**62 + 1,), (2**62 + 2,)), (2**63 - 2,)),
    "bigint-large": Key("k BIGINT UNSIGNED NOT NULL, v INT", "k", (("k", "varchar(20)"), ONE),
                        ((1,), (2**63,), (2**64 - 1,)), ((2**64 - 2,), (2,)), (2**63 + 5,), text_key),
    "decimal": Key("k DECIMAL(10,2) NOT NULL, v INT", "k", (("k", "varchar(13)"), ONE),
                   ((Decimal("-99999999.99"),), (Decimal("0.50"),), (Decimal("-0.01"),)),
                   ((Decimal("99999999.99"),), (Decimal("1.00"),)), (Decimal("0.00"),), text_key),
    "decimal-28": Key("k DECIMAL(28,0) NOT NULL, v INT", "k", (("k", "varchar(31)"), ONE),
                      ((10**28 - 1,), (-10**28 + 1,), (0,)), ((1,), (10**28 - 2,)), (10**28 - 3,), text_key),
    "char": Key("v INT, k CHAR(32) NOT NULL", "k", (("k", "varchar(128)"), ONE),
                (("it's \\ \"q\"",), ("0f" * 16,), (EMOJI * 32,)), (("中",), ("b" * 32,)), ("",)),
    "uuid": Key("k CHAR(36) CHARACTER SET latin1 NOT NULL, v INT", "k", (("k", "varchar(108)"), ONE),
                *((tuple((f"123e4567-e89b-12d3-a456-4266554400{number:02d}",) for number in numbers)
                   for numbers in ((1, 2, 3), (4, 5)))), ("ffffffff-ffff-ffff-ffff-ffffffffffff",)),
    "date": Key("k DATE NOT NULL, v INT", "k", (("k", "date"), ONE),
                ((dt.date(1000, 1, 1),), (dt.date(9999, 12, 31),), (dt.date(2024, 2, 29),)),
                ((dt.date(2025, 1, 1),), (dt.date(2026, 1, 1),)), (dt.date(1970, 1, 1),)),
    "moments": Key("k DATETIME(6) NOT NULL, t TIME(3) NOT NULL, y YEAR NOT NULL, b BIT(1) NOT NULL, v INT", "k, t, y, b",
                   (("k", "datetime"), ("t", "varchar(17)"), ("y", "int(11)"), ("b", "tinyint(1)"), ONE),
                   ((time("2026-01-01 00:00:00.000001"), "23:59:59.999", 2155, 1), (time("2026-01-01"), "00:00:00", 1901, 0),
                    (time("2026-01-01"), "00:00:00", 1901, 1)),
                   ((time("9999-12-31"), "01:02:03.004", 2000, 0), (time("1000-01-01"), "12:00:00", 2000, 1)),
                   (time("2026-01-01 00:00:00.000002"), "00:00:01", 1902, 0)),
    "enum": Key("k ENUM('b','a','it''s') NOT NULL, n SMALLINT NOT NULL, v INT", "k, n",
                (("k", "varchar(256)"), ("n", "smallint(6)"), ONE),
                (("b", -32768), ("a", 0), ("it's", 32767)), (("a", 1), ("b", 1)), ("it's", 1)),
    "composite": Key("v INT, a INT NOT NULL, b VARCHAR(10) NOT NULL, c BIGINT UNSIGNED NOT NULL, d DECIMAL(4,1) NOT NULL",
                     "d, b, a, c", (("d", "varchar(7)"), ("b", "varchar(40)"), ("a", "int(11)"), ("c", "bigint(20)"), ONE),
                     ((Decimal("1.5"), "x", 1, 1), (Decimal("1.5"), "x", 1, 2), (Decimal("1.5"), "", -1, 2)),
                     ((Decimal("-1.5"), "x", 1, 1), (Decimal("1.5"), "y'\\", 1, 2)), (Decimal("-999.9"), EMOJI * 10, 0, 0),
                     lambda key: (str(key[0]), *key[1:])),
}


class Keyed:
    """The table of one kind of key and what must be in the target."""

    def __init__(self, name, kind, server):
        self.table, self.kind, self.server = name.replace("-", "_"), kind, server
        self.expected = set()

    def names(self):
        return [name for name, _ in self.kind.target]

    def create(self):
        self.server.execute(f"CREATE TABLE {KEYS}.{self.table} ({self.kind.columns}, PRIMARY KEY ({self.kind.key}))"
                            " DEFAULT CHARSET=utf8mb4")

    def put(self, keys, value):
        marks = ", ".join(["%s"] * len(self.names()))
        with self.server.connect() as session, session.cursor() as cursor:
            for key in keys:
                cursor.execute(f"INSERT INTO {KEYS}.{self.table} ({', '.join(self.names())}) VALUES ({marks})",
                               [*key, value])
                self.expected.add((*self.kind.arrives(key), value))

    def change(self, old, new=None):
        """Deletes the row of key `old`, or gives it the key `new`."""
        where = " AND ".join(f"{name} = %s" for name in self.names()[:-1])
        with self.server.connect() as session, session.cursor() as cursor:
            if new is None:
                changed = cursor.execute(f"DELETE FROM {KEYS}.{self.table} WHERE {where}", old)
            else:
                sets = ", ".join(f"{name} = %s" for name in self.names()[:-1])
                changed = cursor.execute(f"UPDATE {KEYS}.{self.table} SET {sets} WHERE {where}", [*new, *old])
            assert changed == 1
        before = next(row for row in self.expected if row[:-1] == self.kind.arrives(old))
        self.expected.remove(before)
        if new is not None:
            self.expected.add((*self.kind.arrives(new), before[-1]))

    def wait_equal(self, system):
        found = []

        def read():
            found[:] = system.target_rows(f"ods.key_{self.table}", ", ".join(self.names()))
            return len(found) == len(self.expected) and set(found) == self.expected

        try:
            wait_until("the rows arrive", read, 60)
        except TimeoutError as late:
            raise AssertionError(f"{late}: {self.table}\nfound    {sorted(found, key=str)}"
                                 f"\nexpected {sorted(self.expected, key=str)}") from late


@pytest.fixture(scope="module")
def keyed(typed):
    typed.mysql.execute(f"CREATE DATABASE {KEYS}")
    made = {name: Keyed(name, kind, typed.mysql) for name, kind in KEY_KINDS.items()}
    for table in made.values():
        table.create()
        table.put(table.kind.rows, 1)
    typed.apply(*(sync_manifest(f"key-{name}", KEYS, table.table, mysql="oracle", namespace=NAMESPACE,
                                target={"table": f"key_{table.table}"}) for name, table in made.items()))
    for name in made:
        typed.wait_ready(f"key-{name}", namespace=NAMESPACE)
    return made


@pytest.mark.parametrize("name", KEY_KINDS)
def test_a_key_of_each_kind(typed, keyed, name):
    """Key columns first in the key's order; rows are found again by their key when it changes or goes."""
    table = keyed[name]
    shown = typed.starrocks.query("SELECT column_name, column_type, column_key FROM information_schema.columns"
                                  f" WHERE table_schema = 'ods' AND table_name = 'key_{table.table}'"
                                  " ORDER BY ordinal_position")
    assert [row[:2] for row in shown] == list(table.kind.target)
    assert [row[2] for row in shown] == ["PRI"] * (len(shown) - 1) + [""]
    table.wait_equal(typed)
    table.put(table.kind.later, 2)
    table.wait_equal(typed)
    table.change(table.kind.rows[0])
    table.change(table.kind.rows[1], table.kind.moved)
    table.change(table.kind.later[0])
    table.wait_equal(typed)


REFUSED = "every_refused"
# name -> (server, columns and key, reason, words of the message: column, type, way out)
REFUSALS = {
    "set": ("oracle", "id INT PRIMARY KEY, tags SET('x','y')", "UnsupportedType",
            ("'tags'", "set('x','y')", "change it to VARCHAR")),
    "set-mariadb": ("mariadb", "id INT PRIMARY KEY, tags SET('x','y')", "UnsupportedType",
                    ("'tags'", "set('x','y')", "change it to VARCHAR")),
    "point": ("oracle", "id INT PRIMARY KEY, place POINT", "UnsupportedType", ("'place'", "point", "store it as text")),
    "point-mariadb": ("mariadb", "id INT PRIMARY KEY, place POINT", "UnsupportedType", ("'place'", "point", "store it as text")),
    "geometry": ("oracle", "id INT PRIMARY KEY, place GEOMETRY", "UnsupportedType", ("'place'", "geometry", "store it as text")),
    "uuid": ("mariadb", "id INT PRIMARY KEY, u UUID", "UnsupportedType", ("'u'", "uuid", "change it to CHAR(36)")),
    "uuid-key": ("mariadb", "u UUID PRIMARY KEY, v INT", "UnsupportedType", ("'u'", "uuid", "change it to CHAR(36)")),
    "inet6": ("mariadb", "id INT PRIMARY KEY, a INET6", "UnsupportedType", ("'a'", "inet6", "change it to VARCHAR(45)")),
    "inet4": ("mariadb", "id INT PRIMARY KEY, a INET4", "UnsupportedType", ("'a'", "inet4", "change it to VARCHAR(15)")),
    "virtual": ("mariadb", "id INT PRIMARY KEY, v INT AS (id * 2) VIRTUAL", "UnsupportedType",
                ("'v'", "int(11)", "VIRTUAL", "make it STORED or drop it")),
    "binary-key": ("oracle", "k BINARY(16) PRIMARY KEY, v INT", "UnsupportedKey",
                   ("'k'", "binary(16)", "use a primary key of integer, date or short text columns")),
    "varbinary-key": ("oracle", "k VARBINARY(8) PRIMARY KEY, v INT", "UnsupportedKey",
                      ("'k'", "varbinary(8)", "use a primary key of")),
    "blob-key": ("oracle", "k BLOB, PRIMARY KEY (k(10))", "UnsupportedKey", ("'k'", "blob", "use a primary key of")),
    "text-key": ("mariadb", "k TEXT, PRIMARY KEY (k(10))", "UnsupportedKey", ("'k'", "text", "use a primary key of")),
    "bits-key": ("oracle", "k BIT(8) PRIMARY KEY, v INT", "UnsupportedKey", ("'k'", "bit(8)", "use a primary key of")),
    "float-key": ("oracle", "k FLOAT PRIMARY KEY, v INT", "UnsupportedKey", ("'k'", "float", "use a primary key of")),
    "double-key": ("mariadb", "a INT, k DOUBLE, PRIMARY KEY (a, k)", "UnsupportedKey",
                   ("'k'", "double", "use a primary key of")),
    "decimal-29-key": ("oracle", "k DECIMAL(29,0) PRIMARY KEY, v INT", "UnsupportedKey",
                       ("'k'", "decimal(29,0)", "use a primary key of")),
    # One message tells them all: one ALTER, not one after the other.
    "many": ("mariadb", "k FLOAT PRIMARY KEY, s SET('a'), u UUID, p POLYGON", "UnsupportedKey",
             ("'k'", "float", "'s'", "set('a')", "VARCHAR", "'u'", "uuid", "CHAR(36)", "'p'", "polygon", "as text")),
}


@pytest.fixture(scope="module")
def refused(typed, mariadb_elsewhere):
    """What the catalogs held before, and what users are told."""
    servers = {"oracle": typed.mysql, "mariadb": mariadb_elsewhere}
    for name, server in servers.items():
        server.execute(f"CREATE DATABASE {REFUSED}", f"USE {REFUSED}",
                       *(f"CREATE TABLE `{table}` ({case[1]})" for table, case in REFUSALS.items() if case[0] == name))
    before = typed.catalogs()
    typed.apply(*(sync_manifest(f"refused-{name}", REFUSED, name, mysql=case[0], namespace=NAMESPACE,
                                target={"table": f"refused_{name}"}) for name, case in REFUSALS.items()))
    names = {f"refused-{name}": case[2] for name, case in REFUSALS.items()}
    return before, Told(typed, NAMESPACE, names, frozenset(names))


@pytest.mark.parametrize("name", REFUSALS)
def test_what_cannot_be_carried_stalls(refused, name):
    _, told = refused
    _, _, reason, words = REFUSALS[name]
    told.check(f"refused-{name}", reason, words, "SourceSchemaResolved")


def test_nothing_is_created_for_what_cannot_be_carried(typed, refused):
    before, told = refused
    assert typed.catalogs() == before
    assert all(told.objects[f"refused-{name}"]["status"].get("objects", []) == [] for name in REFUSALS)
