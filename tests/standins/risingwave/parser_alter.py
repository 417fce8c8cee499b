"""ALTER statements."""

from __future__ import annotations

from typing import Any

from . import statements as ast
from .errors import not_implemented
from .lexer import NUMBER, QUOTED, STRING, Cursor
from .parser_create import object_name, options, secret_value
from .rwtypes import parse_type


def alter(cursor: Cursor) -> Any:
    if cursor.take("system"):
        return _system(cursor)
    if cursor.take("user"):
        name = cursor.name()
        cursor.take("with")
        cursor.take("encrypted")
        cursor.need("password")
        return ast.AlterUser(name, None if cursor.take("null") else cursor.string())
    if cursor.take("secret"):
        return ast.AlterSecret(object_name(cursor), secret_value(cursor))
    for kind in ("source", "sink", "table"):
        if cursor.take(kind):
            return _relation(cursor, kind, object_name(cursor))
    raise cursor.expected("one of SECRET or SINK or SOURCE or SYSTEM or TABLE or USER after ALTER")


def _relation(cursor: Cursor, kind: str, name: ast.Name) -> Any:
    if cursor.take("connector"):
        cursor.need("with")
        return ast.AlterConnector(kind, name, options(cursor))
    if cursor.take("rename"):
        cursor.need("to")
        return ast.Rename(kind, name, object_name(cursor).name)
    if cursor.take("set"):
        return _set(cursor, kind, name)
    if kind == "source" and cursor.take("reset"):
        return ast.ResetSource(name)
    if kind == "table" and cursor.take("add"):
        return _add_column(cursor, name)
    if kind == "table" and cursor.take("drop"):
        cursor.take("column")
        column = cursor.name()
        cursor.take("restrict")
        from .rwtypes import VARCHAR
        return ast.AlterColumn(name, True, ast.ColumnDef(column, VARCHAR, ""))
    if cursor.is_word("owner") or cursor.is_word("swap") or cursor.is_word("alter") \
            or cursor.is_word("refresh"):
        raise not_implemented(f"ALTER {kind.upper()} {cursor.token.text.upper()}")
    raise cursor.expected("CONNECTOR, RENAME or SET after ALTER")


def _add_column(cursor: Cursor, name: ast.Name) -> ast.AlterColumn:
    cursor.take("column")
    quote = cursor.token.kind == QUOTED
    column = cursor.name()
    found, printed = parse_type(cursor)
    if cursor.is_word("default"):
        raise not_implemented("ALTER TABLE ADD COLUMN with a default")
    shown = f'"{column}"' if quote else column
    return ast.AlterColumn(name, False, ast.ColumnDef(column, found, f"{shown} {printed}"))


def _set(cursor: Cursor, kind: str, name: ast.Name) -> Any:
    for limit in ("sink_rate_limit", "source_rate_limit", "backfill_rate_limit"):
        if cursor.take(limit):
            return ast.AlterRateLimit(kind, name, limit, _limit(cursor))
    if cursor.take("parallelism"):
        _equals(cursor)
        token = cursor.next()
        return ast.SetParallelism(kind, name, token.text)
    if cursor.is_word("schema"):
        raise not_implemented(f"ALTER {kind.upper()} SET SCHEMA")
    raise cursor.expected("SCHEMA/PARALLELISM/SOURCE_RATE_LIMIT/BACKFILL_RATE_LIMIT after SET")


def _equals(cursor: Cursor) -> None:
    if not cursor.take_symbol("="):
        cursor.need("to")


def _limit(cursor: Cursor) -> int:
    _equals(cursor)
    if cursor.take("default"):
        return -1
    negative = cursor.take_symbol("-")
    if cursor.token.kind not in (NUMBER, STRING):
        raise cursor.expected("literal int or DEFAULT")
    value = int(cursor.next().text)
    return -1 if negative else value


def _system(cursor: Cursor) -> ast.AlterSystem:
    cursor.need("set")
    name = cursor.name()
    _equals(cursor)
    if cursor.take("default"):
        return ast.AlterSystem(name, None)
    return ast.AlterSystem(name, cursor.next().text)
