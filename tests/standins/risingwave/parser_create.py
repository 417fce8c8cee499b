"""CREATE statements. Each also remembers how RisingWave prints it in a definition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import statements as ast
from .errors import PgError, not_implemented
from .lexer import END, NUMBER, QUOTED, STRING, WORD, Cursor
from .rwtypes import parse_type


def object_name(cursor: Cursor) -> ast.Name:
    start = cursor.at
    schema, name = cursor.object_name()
    printed = "".join(f'"{t.text}"' if t.kind == QUOTED else t.text
                      for t in cursor.tokens[start:cursor.at])
    return ast.Name(schema, name, printed)


def create(cursor: Cursor) -> Any:
    cursor.take("or", "replace")  # parsed and ignored, as 3.0.3 does
    for word, handler in _HANDLERS.items():
        if cursor.take(word):
            return handler(cursor)
    for word in ("materialized", "view", "index", "function", "connection", "database",
                 "subscription", "aggregate"):
        if cursor.is_word(word):
            raise not_implemented(f"CREATE {word.upper()}")
    raise cursor.expected("an object type after CREATE")


def _if_not_exists(cursor: Cursor) -> bool:
    return cursor.take("if", "not", "exists")


def _schema(cursor: Cursor) -> ast.CreateSchema:
    if_not_exists = _if_not_exists(cursor)
    return ast.CreateSchema(object_name(cursor).name, if_not_exists)


def options(cursor: Cursor) -> list[ast.Option]:
    """`( key = value, ... )`, keys being dotted names."""
    found: list[ast.Option] = []
    cursor.need_symbol("(")
    while not cursor.take_symbol(")"):
        option = _option(cursor)
        if any(other.key == option.key for other in found):
            raise PgError(f"sql parser error: Duplicated option: {option.key}")
        found.append(option)
        if not cursor.take_symbol(",") and not cursor.is_symbol(")"):
            raise cursor.expected(",")
    return found


def _option(cursor: Cursor) -> ast.Option:
    start = cursor.at
    parts = [cursor.name()]
    while cursor.take_symbol("."):
        parts.append(cursor.name())
    key = ".".join(f'"{t.text}"' if t.kind == QUOTED else t.text
                   for t in cursor.tokens[start:cursor.at:2])
    cursor.need_symbol("=")
    name = ".".join(parts)
    if cursor.take("secret"):
        secret = object_name(cursor)
        return ast.Option(name, "", f"{key} = SECRET {secret}", secret)
    token = cursor.next()
    if token.kind == STRING:
        printed = "'" + token.text.replace("'", "''") + "'"
    elif token.kind == NUMBER or (token.kind == WORD and token.text in ("true", "false")):
        printed = token.text
    else:
        raise PgError("Invalid input syntax: `with options` or `with properties` only support "
                      "single quoted string value and C style escaped string")
    return ast.Option(name, token.text, f"{key} = {printed}")


def printed_options(found: list[ast.Option]) -> str:
    return "WITH (" + ", ".join(option.printed for option in found) + ")"


def _source(cursor: Cursor) -> ast.CreateSource:
    if_not_exists = _if_not_exists(cursor)
    name = object_name(cursor)
    has_columns = cursor.is_symbol("(")
    if has_columns:
        _skip_parentheses(cursor)
    if not cursor.take("with"):
        raise PgError("missing WITH clause")
    found = options(cursor)
    connector = next((option.value for option in found if option.key == "connector"), None)
    if connector is None:
        raise PgError("missing field 'connector'")
    if connector.lower() != "mysql-cdc":
        if not cursor.is_word("format"):
            raise cursor.expected("description of the format")
        raise not_implemented(f"connector {connector}")
    if cursor.take("format"):
        if not cursor.take("plain", "encode", "json"):
            raise cursor.fail("Row format for CDC connectors should be either omitted or set to "
                              "`FORMAT PLAIN ENCODE JSON`")
    if has_columns:
        raise cursor.fail("CDC source cannot define columns and constraints")
    definition = f"CREATE SOURCE {name} {printed_options(found)}"
    return ast.CreateSource(name, if_not_exists, found, definition)


def _skip_parentheses(cursor: Cursor) -> None:
    depth = 0
    while True:
        if cursor.token.kind == END:
            raise cursor.expected(")")
        depth += cursor.is_symbol("(") - cursor.is_symbol(")")
        cursor.next()
        if depth == 0:
            return


def _table(cursor: Cursor) -> ast.CreateTable:
    if_not_exists = _if_not_exists(cursor)
    table = ast.CreateTable(object_name(cursor), if_not_exists, False, [], [], [], [],
                            ast.Name(None, ""), "", False, False, False)
    if not cursor.take_symbol("("):
        raise cursor.expected("end of statement")
    if cursor.take_symbol("*"):
        if cursor.is_symbol(","):
            raise PgError("Bind error: wildcard(*) and column definitions cannot be used together")
        table.wildcard = True
        cursor.need_symbol(")")
    else:
        while True:
            _column_or_key(cursor, table)
            if cursor.take_symbol(")"):
                break
            if not cursor.take_symbol(","):
                raise cursor.expected("',' or ')' after column definition")
    _after_columns(cursor, table)
    return table


def _column_or_key(cursor: Cursor, table: ast.CreateTable) -> None:
    if cursor.is_word("primary", "key"):
        cursor.need("primary", "key")
        cursor.need_symbol("(")
        while True:
            quote = cursor.token.kind == QUOTED
            name = cursor.name()
            table.key.append(name)
            table.key_printed.append(f'"{name}"' if quote else name)
            if not cursor.take_symbol(","):
                break
        cursor.need_symbol(")")
        return
    quote = cursor.token.kind == QUOTED
    name = cursor.name()
    if cursor.token.kind != WORD:
        raise cursor.fail("invalid data_type")
    found, printed = parse_type(cursor)
    shown = f'"{name}"' if quote else name
    column = ast.ColumnDef(name, found, f"{shown} {printed}")
    _column_options(cursor, table, column)
    table.columns.append(column)


def _column_options(cursor: Cursor, table: ast.CreateTable, column: ast.ColumnDef) -> None:
    while True:
        if cursor.take("primary", "key"):
            table.key.append(column.name)
            table.inline_key = True
            column.printed += " PRIMARY KEY"
        elif cursor.take("not", "null"):
            table.not_null = True
        elif cursor.take("null"):
            continue
        elif cursor.take("default"):
            table.default = True
            cursor.next()
        elif cursor.is_word("as"):
            raise not_implemented("generated columns")
        else:
            return


def _after_columns(cursor: Cursor, table: ast.CreateTable) -> None:
    if cursor.is_word("append"):
        raise PgError("Not supported: append only modifier on the table created from a CDC source"
                      "\nHINT: Remove the APPEND ONLY clause")
    while cursor.take("include"):
        meta = cursor.name()
        alias = cursor.name() if cursor.take("as") else f"_rw_mysql-cdc_{meta}"
        table.includes.append((meta, alias, f"INCLUDE {meta} AS {alias}"))
    if cursor.take("with"):
        table.options = options(cursor)
    if not cursor.take("from"):
        if any(option.key == "connector" for option in table.options) or cursor.is_word("format"):
            raise not_implemented("CREATE TABLE with a connector of its own")
        if cursor.token.kind != END:
            raise cursor.expected("end of statement")
        raise not_implemented("CREATE TABLE without FROM source")
    table.source = object_name(cursor)
    if not cursor.take("table"):
        raise cursor.expected("TABLE")
    table.upstream = cursor.string()
    if table.not_null:
        raise PgError("Not supported: CDC table with NOT NULL constraint is not supported"
                      "\nHINT: Please remove the NOT NULL constraint for columns")


def _sink(cursor: Cursor) -> ast.CreateSink:
    if_not_exists = _if_not_exists(cursor)
    name = object_name(cursor)
    upstream = query = None
    if cursor.take("from"):
        upstream = object_name(cursor)
    elif cursor.take("as"):
        query = _query_text(cursor)
    else:
        raise cursor.expected("FROM or AS after CREATE SINK sink_name")
    cursor.need("with")
    found = options(cursor)
    if cursor.is_word("format"):
        raise PgError("Bind error: connector starrocks is not supported by FORMAT ... ENCODE ... "
                      "syntax")
    return ast.CreateSink(name, if_not_exists, upstream, query, found)


def _query_text(cursor: Cursor) -> str:
    """Up to the WITH of the options: at depth 0 and followed by `(`."""
    start, depth = cursor.token.start, 0
    while not (depth == 0 and cursor.is_word("with") and cursor.peek().text == "("):
        if cursor.token.kind == END:
            raise cursor.expected("WITH")
        depth += cursor.is_symbol("(") - cursor.is_symbol(")")
        cursor.next()
    return cursor.sql[start:cursor.token.start].strip()


def _secret(cursor: Cursor) -> ast.CreateSecret:
    if_not_exists = _if_not_exists(cursor)
    name = object_name(cursor)
    return ast.CreateSecret(name, if_not_exists, secret_value(cursor))


def secret_value(cursor: Cursor) -> str:
    cursor.need("with")
    found = {option.key: option.value for option in options(cursor)}
    if found.get("backend") != "meta":
        raise PgError("Invalid input syntax: secret backend must be `meta`")
    cursor.need("as")
    escaped = cursor.sql[cursor.token.start:cursor.token.start + 2].lower() == "e'"
    if cursor.token.kind not in (STRING, QUOTED) or escaped:
        raise PgError("Invalid Parameter Value: secret value should be quoted by ' or \" ")
    return cursor.next().text


def _user(cursor: Cursor) -> ast.CreateUser:
    name = cursor.name()
    password, flags = None, {}
    cursor.take("with")
    while cursor.token.kind == WORD:
        word = cursor.next().text
        if word == "password":
            password = None if cursor.take("null") else cursor.string()
        elif word.removeprefix("no") in ("superuser", "createdb", "createuser", "login"):
            flags[word.removeprefix("no")] = not word.startswith("no")
        elif word != "encrypted":
            raise cursor.expected("a user option")
    return ast.CreateUser(name, password, flags)


_HANDLERS: dict[str, Callable[[Cursor], Any]] = {
    "schema": _schema, "source": _source, "table": _table, "sink": _sink, "secret": _secret,
    "user": _user}
