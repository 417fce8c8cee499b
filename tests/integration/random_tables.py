"""Random MySQL tables for test_random_schema.py, and what must become of them: the type table, told once more in Python.

What is expected is derived from what MySQL says of a table and its rows, never from the controller.
"""

import datetime as dt
import random
from decimal import Decimal

from .test_names import COLUMNS
from .test_types import FIELDS, MARIADB_FIELDS, SESSION_ZONE, written

SHORT = 70000  # bytes: longer values are test_types' affair
MEBIBYTE = 1048576
# UTF-8 bytes that a character takes at most, and whether a TEXT's bytes are those of UTF-8.
CHARSETS = {"utf8mb4": 4, "utf8": 3, "utf8mb3": 3, "ascii": 1, "latin1": 3, "gbk": 3, "ucs2": 3, "utf16": 4, "koi8r": 3, "cp1251": 3}
PLAIN = ("utf8mb4", "utf8", "utf8mb3", "ascii")
ALPHABETS = {"utf8mb4": "aZ9 '\"\\%€名😀", "utf8": "aZ9 '\"\\%€名", "ascii": "aZ9 '\"\\%_", "latin1": "aé€'\\", "gbk": "a中文'\\",
             "ucs2": "a中é'", "utf16": "a😀中'", "koi8r": "aжд'", "cp1251": "aжд'"}
INTEGERS = {"tinyint": ("smallint(6)", "smallint(6)"), "smallint": ("smallint(6)", "int(11)"), "mediumint": ("int(11)", "bigint(20)"),
            "int": ("int(11)", "bigint(20)"), "bigint": ("bigint(20)", "decimal(20, 0)")}
BITS = {"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "bigint": 64}
TEXTS = {"tinytext": 255, "text": 65535, "mediumtext": 16777215, "longtext": 4294967295}
BLOBS = {"tinyblob": 255, "blob": 65535, "mediumblob": 16777215, "longblob": 4294967295}
REFUSED = ("set", "geometry", "point", "linestring", "polygon", "multipoint", "uuid", "inet4", "inet6")


# --- what is expected ---

def target_type(column: dict, key: bool) -> str | None:
    """The StarRocks type as information_schema spells it; None: the column is left out."""
    kind, full = column["DATA_TYPE"], column["COLUMN_TYPE"]
    if kind in REFUSED or "VIRTUAL" in column["EXTRA"].upper():
        return None
    if kind in INTEGERS:
        wide = "unsigned" in full or "zerofill" in full
        found = INTEGERS[kind][wide]
        return "bigint(20)" if key and found.startswith("decimal") else found
    if kind in TEXTS:
        return f"varchar({min(TEXTS[kind] * (1 if column['CHARACTER_SET_NAME'] in PLAIN else 3), MEBIBYTE)})"
    if kind in BLOBS:
        return f"varchar({min(BLOBS[kind] * 2, MEBIBYTE)})"
    digits, scale, length = (column[name] for name in ("NUMERIC_PRECISION", "NUMERIC_SCALE", "CHARACTER_MAXIMUM_LENGTH"))
    if kind in ("char", "varchar"):
        return f"varchar({max(length * CHARSETS[column['CHARACTER_SET_NAME']], 1)})"
    if kind == "enum":
        return f"varchar({max(length * CHARSETS[column['CHARACTER_SET_NAME']], 256)})"
    if kind == "decimal":
        return f"varchar({digits + 3})" if key else f"decimal({digits}, {scale})"
    if kind == "bit":
        return "tinyint(1)" if digits == 1 else f"varchar({2 * ((digits + 7) // 8)})"
    if kind in ("binary", "varbinary"):
        return f"varchar({2 * length})"
    return {"float": "float", "double": "double", "year": "int(11)", "date": "date", "datetime": "datetime", "timestamp": "datetime",
            "time": "varchar(17)"}[kind]


def clock(value: dt.timedelta) -> str | None:
    """RisingWave's text of a time; what lies outside a day is lost."""
    if not dt.timedelta(0) <= value < dt.timedelta(days=1):
        return None
    micros = value.microseconds
    fraction = "" if micros == 0 else f".{micros // 1000:03}" if micros % 1000 == 0 else f".{micros:06}"
    return f"{value.seconds // 3600:02}:{value.seconds // 60 % 60:02}:{value.seconds % 60:02}{fraction}"


def delivered(column: dict, key: bool, value):
    """The value of a row of MySQL as it must stand in StarRocks."""
    kind = column["DATA_TYPE"]
    if value is None:
        return None
    if kind in ("date", "datetime", "timestamp"):
        return None if isinstance(value, str) else value  # a zero date is no date
    if kind == "time":
        return clock(value)
    if kind == "bit" and column["NUMERIC_PRECISION"] == 1:
        return value[-1]
    if kind == "bit" or kind in BLOBS or kind in ("binary", "varbinary"):
        return value.hex()
    if kind == "decimal":
        lost = len(value.as_tuple().digits) > 28
        return None if lost else format(value, "f") if key else value
    return value


# --- tables ---

class Column:
    """A random column: its definition without the name, and values that MySQL takes for it."""

    def __init__(self, definition: str, values: list, default: bool = False):
        self.definition, self.values, self.default = definition, values, default


def letters(rng: random.Random, charset: str, length: int) -> str:
    text = "".join(rng.choice(ALPHABETS[charset]) for _ in range(length))
    return text.rstrip(" ") or "x"


def literal(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def integer(rng: random.Random) -> Column:
    kind = rng.choice(list(BITS))
    low, high = -2**(BITS[kind] - 1), 2**(BITS[kind] - 1) - 1
    sign = rng.choice(("", "", " UNSIGNED", " ZEROFILL"))
    if sign:
        low, high = 0, 2**BITS[kind] - 1
    default = rng.choice((None, rng.randint(low, high)))
    return Column(f"{kind.upper()}{rng.choice(('', '(4)'))}{sign}" + (f" NOT NULL DEFAULT {default}" if default is not None else ""),
                  [low, high, 0, 1, rng.randint(low, high)] + ([] if default is not None else [None]), default is not None)


def number(rng: random.Random) -> Column:
    scale = rng.randint(0, 12)
    digits = rng.choice((rng.randint(max(scale, 1), 28), rng.randint(30, 65)))
    values = [Decimal(f"{rng.choice('-+')}{rng.randint(0, 10**min(digits, 28) - 1)}E-{scale}") for _ in range(4)]
    if digits >= 30:
        values.append(Decimal(f"{'9' * digits}E-{scale}"))
    return Column(f"DECIMAL({digits},{scale})", [*values, Decimal(0), None])


def text(rng: random.Random) -> Column:
    charset, length = rng.choice([c for c in ALPHABETS if c in CHARSETS]), rng.randint(1, 40)
    values = [letters(rng, charset, rng.randint(1, length)) for _ in range(3)] + [letters(rng, charset, length), ""]
    kind = rng.choice((f"VARCHAR({length})", f"CHAR({length})", "TINYTEXT", "TEXT"))
    default = letters(rng, charset, length) if kind.endswith(")") and rng.random() < 0.4 else None
    return Column(f"{kind} CHARACTER SET {charset}" + (f" DEFAULT {literal(default)}" if default else ""), [*values, None], bool(default))


def labels(rng: random.Random) -> Column:
    """MySQL before 8 shows labels in three-byte UTF-8, so that no reader of definitions learns of others."""
    names = list(dict.fromkeys(letters(rng, "utf8", rng.randint(1, 70)).strip().lower() or "y" for _ in range(rng.randint(1, 6))))
    names = list({name.casefold().replace("\\", "").replace("'", ""): name for name in names}.values())
    return Column(f"ENUM({', '.join(map(literal, names))}) COLLATE utf8mb4_bin", [*names, None])


def octets(rng: random.Random) -> Column:
    length = rng.randint(1, 20)
    kind = rng.choice(("BINARY", "VARBINARY"))
    return Column(f"{kind}({length})", [rng.randbytes(length), rng.randbytes(rng.randint(0, length)), b"\0'\\"[:length], None])


def bits(rng: random.Random) -> Column:
    count = rng.randint(1, 64)
    return Column(f"BIT({count})", [0, 2**count - 1, rng.getrandbits(count), None])


def moment(rng: random.Random) -> Column:
    fraction = rng.randint(0, 6)
    base = dt.datetime(rng.randint(1000, 9999), rng.randint(1, 12), rng.randint(1, 28), rng.randint(0, 23), 59, 1)
    values = [base, "9999-12-31 23:59:59", "1000-01-01 00:00:00", "0000-00-00 00:00:00", None]
    return rng.choice((Column(f"DATETIME({fraction})", values), Column("DATE", [value and str(value)[:10] for value in values]),
                       Column(f"TIME({fraction})", ["00:00:00", "23:59:59", "-00:00:01", "838:59:59", "12:34:56.789012", None])))


def refused(rng: random.Random, maria: bool) -> Column:
    kinds = ["SET('x','y')", "POINT", "GEOMETRY", "LINESTRING"] + (["UUID", "INET6"] if maria else [])
    return Column(rng.choice(kinds), [None])


def as_listed(rng: random.Random, maria: bool) -> Column:
    """A column of test_types, with its boundary values."""
    fields = [f for f in FIELDS + (MARIADB_FIELDS if maria else ())
              if all(len(str(written(v))) < SHORT for v in f.values) and "NOT NULL" not in f.mysql]
    field = rng.choice(fields)
    return Column(field.mysql, [*(written(value) for value in field.values), None])


def any_column(rng: random.Random, maria: bool) -> Column:
    kind = rng.choice((integer, number, text, text, labels, octets, bits, moment, None, None, None, refused))
    if kind is None:
        return as_listed(rng, maria)
    return refused(rng, maria) if kind is refused else kind(rng)


# Columns of keys with their n-th value; short enough for StarRocks' 128 bytes, three at a time.
KEYS = (
    ("TINYINT UNSIGNED NOT NULL", lambda n: n % 256), ("SMALLINT NOT NULL", lambda n: n - 300), ("INT UNSIGNED NOT NULL", lambda n: 2**32 - 1 - n),
    ("BIGINT NOT NULL", lambda n: n - 2**63), ("BIGINT UNSIGNED NOT NULL", lambda n: 2**62 + n), ("DECIMAL(12,3) NOT NULL", lambda n: Decimal(n - 5) / 8),
    ("CHAR(6) NOT NULL", lambda n: f"é{n}'\\"), ("VARCHAR(8) CHARACTER SET latin1 NOT NULL", lambda n: f"{n} €"),
    ("DATE NOT NULL", lambda n: dt.date(2000, 1, 1) + dt.timedelta(days=n)), ("DATETIME(6) NOT NULL", lambda n: dt.datetime(2026, 1, 1, 0, 0, 0, n + 1)),
    ("TIME(3) NOT NULL", lambda n: f"{n % 24:02}:00:00.{n % 1000:03}"), ("YEAR NOT NULL", lambda n: 1901 + n % 200),
)


class Table:
    """A table of random columns under hostile names; its rows are numbered, and the number makes the key."""

    def __init__(self, rng: random.Random, server, database: str, name: str):
        self.rng, self.server, self.database, self.name = rng, server, database, name
        self.maria = server.kind == "mariadb"
        self.names = [name for name in COLUMNS if name == name.strip()]
        rng.shuffle(self.names)
        self.keys = {self.name_column(): kind for kind in rng.sample(KEYS, rng.randint(1, 3))}
        self.columns = {self.name_column(): any_column(rng, self.maria) for _ in range(rng.randint(3, 9))}
        self.extra = {}
        if self.maria and rng.random() < 0.7:  # MySQL 5.6 computes nothing
            key, (definition, _) = next(iter(self.keys.items()))
            value = f"MOD(`{key}`, 97)" if "INT" in definition else f"IF(`{key}` IS NULL, 1, 2)"
            # What it reads of a CHAR depends on sql_mode: MariaDB does not store it.
            kept = "VIRTUAL" if definition.startswith("CHAR") else rng.choice(("STORED", "VIRTUAL"))
            self.extra[self.name_column()] = f"INT AS ({value}) {kept}"
        self.number = 0

    def name_column(self) -> str:
        return self.names.pop()

    def session(self, zone: str = SESSION_ZONE):
        """Zero dates are let in; values of test_types are written in its time zone, and read in UTC."""
        return self.server.connect(self.database, init_command=f"SET time_zone = '{zone}', sql_mode = 'STRICT_TRANS_TABLES'")

    def execute(self, statement: str, arguments=None):
        with self.session("+00:00") as session, session.cursor() as cursor:
            cursor.execute(statement, arguments)
            return cursor.fetchall()

    def create(self) -> None:
        definitions = [(name, column.definition) for name, column in self.columns.items()]
        at = self.rng.randint(0, len(definitions))
        definitions[at:at] = [(name, definition) for name, (definition, _) in self.keys.items()]
        listed = ", ".join(f"`{name}` {definition}" for name, definition in [*definitions, *self.extra.items()])
        key = ", ".join(f"`{name}`" for name in self.keys)
        self.execute(f"CREATE TABLE `{self.name}` ({listed}, PRIMARY KEY ({key})) DEFAULT CHARSET=utf8mb4")

    def key_of(self, number: int) -> list:
        return [value(number) for _, value in self.keys.values()]

    def insert(self, count: int) -> None:
        with self.session() as session, session.cursor() as cursor:
            for _ in range(count):
                self.number += 1
                given = {name: self.rng.choice(c.values) for name, c in self.columns.items() if not c.default or self.rng.random() < 0.6}
                names = [*self.keys, *given]
                cursor.execute(f"INSERT INTO `{self.name}` ({', '.join(quoted(name) for name in names)}) VALUES"
                               f" ({', '.join(['%s'] * len(names))})", [*self.key_of(self.number), *given.values()])

    def change(self) -> None:
        """Some rows get other values, some go."""
        where = " AND ".join(f"{quoted(name)} = %s" for name in self.keys)
        with self.session() as session, session.cursor() as cursor:
            for number in range(1, self.number + 1):
                kind = self.rng.random()
                if kind < 0.2:
                    cursor.execute(f"DELETE FROM `{self.name}` WHERE {where}", self.key_of(number))
                elif kind < 0.7:
                    given = {name: self.rng.choice(column.values) for name, column in self.columns.items()}
                    sets = ", ".join(f"{quoted(name)} = %s" for name in given)
                    cursor.execute(f"UPDATE `{self.name}` SET {sets} WHERE {where}", [*given.values(), *self.key_of(number)])

    def described(self) -> tuple[list[dict], list[str]]:
        """MySQL's columns, and the names of those of its key."""
        names = ("COLUMN_NAME", "DATA_TYPE", "COLUMN_TYPE", "EXTRA", "CHARACTER_SET_NAME", "NUMERIC_PRECISION", "NUMERIC_SCALE",
                 "CHARACTER_MAXIMUM_LENGTH")
        which = f"table_schema = '{self.database}' AND table_name = '{self.name}'"
        found = self.execute(f"SELECT {', '.join(names)} FROM information_schema.columns WHERE {which} ORDER BY ordinal_position")
        key = self.execute(f"SELECT column_name FROM information_schema.key_column_usage WHERE {which} AND constraint_name = 'PRIMARY'"
                           " ORDER BY ordinal_position")
        return [dict(zip(names, row)) for row in found], [row[0] for row in key]

    def wanted(self) -> tuple[dict[str, str], set[tuple]]:
        """Columns with types, and rows, as they must be in StarRocks."""
        columns, key = self.described()
        columns.sort(key=lambda c: (key.index(c["COLUMN_NAME"]) if c["COLUMN_NAME"] in key else len(key)))
        types = {c["COLUMN_NAME"]: target_type(c, c["COLUMN_NAME"] in key) for c in columns}
        columns = [c for c in columns if types[c["COLUMN_NAME"]] is not None]
        listed = ", ".join(f"`{c['COLUMN_NAME']}`" for c in columns)
        rows = {tuple(delivered(c, c["COLUMN_NAME"] in key, value) for c, value in zip(columns, row))
                for row in self.execute(f"SELECT {listed} FROM `{self.name}`")}
        return {name: kind for name, kind in types.items() if kind is not None}, rows


def quoted(name: str) -> str:
    """For statements with arguments, where a percent sign is doubled."""
    return f"`{name.replace('%', '%%')}`"
