"""RisingWave's types: names, OIDs, and what MySQL types they accept."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .errors import PgError, not_implemented
from .lexer import NUMBER, QUOTED, WORD, Cursor


@dataclass(frozen=True)
class Type:
    name: str  # as rw_columns and DESCRIBE print it
    oid: int
    length: int
    duck: str  # DuckDB's type
    sql: str  # as a definition prints it
    proto: str  # as the MySQL validator prints it
    rust: str  # as the sink's validator prints it


BOOLEAN = Type("boolean", 16, 1, "BOOLEAN", "BOOLEAN", "BOOLEAN", "Boolean")
SMALLINT = Type("smallint", 21, 2, "SMALLINT", "SMALLINT", "INT16", "Int16")
INTEGER = Type("integer", 23, 4, "INTEGER", "INT", "INT32", "Int32")
BIGINT = Type("bigint", 20, 8, "BIGINT", "BIGINT", "INT64", "Int64")
REAL = Type("real", 700, 4, "FLOAT", "REAL", "FLOAT", "Float32")
DOUBLE = Type("double precision", 701, 8, "DOUBLE", "DOUBLE", "DOUBLE", "Float64")
NUMERIC = Type("numeric", 1700, -1, "DECIMAL(38,0)", "NUMERIC", "DECIMAL", "Decimal")
VARCHAR = Type("character varying", 1043, -1, "VARCHAR", "CHARACTER VARYING", "VARCHAR", "Varchar")
BYTEA = Type("bytea", 17, -1, "BLOB", "BYTEA", "BYTEA", "Bytea")
DATE = Type("date", 1082, 4, "DATE", "DATE", "DATE", "Date")
TIME = Type("time without time zone", 1083, 8, "TIME", "TIME", "TIME", "Time")
TIMESTAMP = Type("timestamp without time zone", 1114, 8, "TIMESTAMP", "TIMESTAMP", "TIMESTAMP",
                 "Timestamp")
TIMESTAMPTZ = Type("timestamp with time zone", 1184, 8, "TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE",
                   "TIMESTAMPTZ", "Timestamptz")
JSONB = Type("jsonb", 3802, -1, "JSON", "JSONB", "JSONB", "Jsonb")
INTERVAL = Type("interval", 1186, 16, "INTERVAL", "INTERVAL", "INTERVAL", "Interval")
SERIAL = Type("serial", 20, 8, "BIGINT", "SERIAL", "SERIAL", "Serial")
VARCHAR_LIST = Type("character varying[]", 1015, -1, "VARCHAR[]", "CHARACTER VARYING[]", "LIST",
                    "List")
INTEGER_LIST = Type("integer[]", 1007, -1, "INTEGER[]", "INT[]", "LIST", "List")
SMALLINT_LIST = Type("smallint[]", 1005, -1, "SMALLINT[]", "SMALLINT[]", "LIST", "List")

MAX_SCALE = 28

BY_NAME = {t.name: t for t in (
    BOOLEAN, SMALLINT, INTEGER, BIGINT, REAL, DOUBLE, NUMERIC, VARCHAR, BYTEA, DATE, TIME,
    TIMESTAMP, TIMESTAMPTZ, JSONB, INTERVAL, SERIAL, VARCHAR_LIST, INTEGER_LIST, SMALLINT_LIST)}

_WORDS = {
    "decimal": NUMERIC, "numeric": NUMERIC, "dec": NUMERIC, "varchar": VARCHAR, "string": VARCHAR,
    "text": VARCHAR, "boolean": BOOLEAN, "bool": BOOLEAN, "smallint": SMALLINT, "int2": SMALLINT,
    "int": INTEGER, "integer": INTEGER, "int4": INTEGER, "bigint": BIGINT, "int8": BIGINT,
    "real": REAL, "float4": REAL, "double": DOUBLE, "float": DOUBLE, "float8": DOUBLE,
    "bytea": BYTEA, "jsonb": JSONB, "date": DATE, "time": TIME, "timestamp": TIMESTAMP,
    "timestamptz": TIMESTAMPTZ, "interval": INTERVAL}
_CUSTOM = {"uuid", "json", "datetime", "blob", "binary", "tinyint", "mediumint", "longtext",
           "mediumtext", "tinytext", "varbinary", "year", "enum", "set", "bit"}
_WITH_ARGUMENTS = {"decimal", "numeric", "dec"}


def parse_type(cursor: Cursor) -> tuple[Type, str]:
    """Reads a type; also how a definition prints it."""
    token = cursor.token
    if token.kind != WORD:
        raise cursor.fail("invalid data_type")
    cursor.next()
    word = token.text
    if word in ("char", "character"):
        return _character(cursor)
    if word == "serial":
        raise PgError("Bind error: Column type SERIAL is not supported")
    if word in _CUSTOM:
        raise not_implemented(f"unsupported data type: {word.upper()}")
    if word not in _WORDS:
        raise not_implemented(f"unsupported data type: {word}")
    found = _WORDS[word]
    if cursor.is_symbol("("):
        found = _arguments(cursor, word, found)
    if word == "double":
        cursor.take("precision")
    if word in ("time", "timestamp") and cursor.take("with"):
        cursor.need("time", "zone")
        if word == "time":
            raise not_implemented("unsupported data type: TIME WITH TIME ZONE")
        found = TIMESTAMPTZ
    elif word in ("time", "timestamp") and cursor.take("without"):
        cursor.need("time", "zone")
    return found, "TIMESTAMPTZ" if word == "timestamptz" else found.sql


def _character(cursor: Cursor) -> tuple[Type, str]:
    if cursor.take("varying"):
        return VARCHAR, VARCHAR.sql
    if cursor.take_symbol("("):
        cursor.next()
        cursor.need_symbol(")")
    raise PgError("Bind error: CHAR is not supported, please use VARCHAR instead")


def _arguments(cursor: Cursor, word: str, found: Type) -> Type:
    if word not in _WITH_ARGUMENTS and word != "float":
        return found  # the parenthesis is then the syntax error
    cursor.need_symbol("(")
    numbers = []
    while cursor.token.kind == NUMBER:
        numbers.append(cursor.next().text)
        cursor.take_symbol(",")
    cursor.need_symbol(")")
    if word == "float":
        return REAL if int(numbers[0]) <= 24 else DOUBLE
    raise not_implemented(f"unsupported data type: NUMERIC({','.join(numbers)})")


# MySQL's DATA_TYPE, "unsigned" behind a blank: the types the validator accepts.
_ACCEPTED: dict[str, tuple[Type, ...]] = {
    "tinyint": (BOOLEAN, SMALLINT, INTEGER, BIGINT),
    "tinyint unsigned": (SMALLINT, INTEGER, BIGINT),
    "smallint": (SMALLINT, INTEGER, BIGINT), "smallint unsigned": (INTEGER, BIGINT),
    "mediumint": (INTEGER, BIGINT), "mediumint unsigned": (BIGINT,),
    "int": (INTEGER, BIGINT), "int unsigned": (BIGINT,),
    "bigint": (BIGINT, NUMERIC), "bigint unsigned": (BIGINT, NUMERIC),
    "float": (REAL, DOUBLE), "double": (DOUBLE,), "decimal": (NUMERIC,),
    "char": (VARCHAR,), "varchar": (VARCHAR,), "tinytext": (VARCHAR,), "text": (VARCHAR,),
    "mediumtext": (VARCHAR,), "longtext": (VARCHAR, BYTEA), "enum": (VARCHAR,),
    "binary": (BYTEA,), "varbinary": (BYTEA,), "tinyblob": (BYTEA,), "blob": (BYTEA,),
    "mediumblob": (BYTEA,), "longblob": (BYTEA,), "date": (DATE,), "time": (TIME,),
    "datetime": (TIMESTAMP,), "timestamp": (TIMESTAMPTZ,), "year": (INTEGER,), "json": (JSONB,)}

_WILDCARD = {
    "tinyint": SMALLINT, "tinyint unsigned": SMALLINT, "smallint": SMALLINT,
    "smallint unsigned": INTEGER, "mediumint": INTEGER, "mediumint unsigned": INTEGER,
    "int": INTEGER, "int unsigned": BIGINT, "bigint": BIGINT, "bigint unsigned": NUMERIC,
    "float": REAL, "double": DOUBLE, "decimal": NUMERIC, "char": VARCHAR, "varchar": VARCHAR,
    "tinytext": VARCHAR, "text": VARCHAR, "mediumtext": VARCHAR, "longtext": VARCHAR,
    "enum": VARCHAR, "binary": BYTEA, "varbinary": BYTEA, "tinyblob": BYTEA, "blob": BYTEA,
    "mediumblob": BYTEA, "longblob": BYTEA, "date": DATE, "time": TIME, "datetime": TIMESTAMP,
    "timestamp": TIMESTAMPTZ, "year": INTEGER, "json": JSONB}

_SPATIAL = {"geometry": "GEOMETRY", "point": "POINT", "polygon": "POLYGON",
            "multipoint": "MULTI POINT", "multipolygon": "MULTI POLYGON",
            "geometrycollection": "GEOMETRY COLLECTION", "geomcollection": "GEOMETRY COLLECTION",
            "linestring": "LINE string", "multilinestring": "MULTI LINE STRING"}


def mysql_key(data_type: str, column_type: str) -> str:
    """The key of the tables above for one information_schema row."""
    return f"{data_type} unsigned" if "unsigned" in column_type.lower() and data_type.endswith(
        "int") else data_type


def mysql_accepts(data_type: str, column_type: str, wanted: Type) -> bool:
    """RisingWave 3.0.3 MySqlValidator.isDataTypeCompatible."""
    if data_type == "bit":
        return wanted is (BOOLEAN if _bits(column_type) == 1 else BYTEA)
    return wanted in _ACCEPTED.get(mysql_key(data_type, column_type), ())


def wildcard_type(data_type: str, column_type: str) -> Type:
    """What `(*)` makes of a MySQL column; RisingWave 3.0.3 external/mysql.rs."""
    if data_type == "bit" and _bits(column_type) == 1:
        return BOOLEAN
    found = _WILDCARD.get(mysql_key(data_type, column_type))
    if found:
        return found
    if data_type == "bit":
        text = f"BIT({_bits(column_type)}) type not supported"
    elif data_type == "set":
        text = "SET type not supported"
    elif data_type in _SPATIAL:
        text = f"{_SPATIAL[data_type]} type not supported"
    else:
        text = "Unknown MySQL data type"
    raise PgError("failed to auto derive table schema", text)


def _bits(column_type: str) -> int:
    found = re.search(r"\((\d+)\)", column_type)
    return int(found.group(1)) if found else 1


def quoted(name: str, was_quoted: bool) -> str:
    return f'"{name}"' if was_quoted else name


def is_quoted(cursor: Cursor) -> bool:
    return cursor.token.kind == QUOTED
