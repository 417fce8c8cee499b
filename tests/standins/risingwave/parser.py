"""Text to statements; refuses what the contract does not describe."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import parser_alter, parser_create
from . import statements as ast
from .errors import not_implemented
from .lexer import STRING, WORD, Cursor, split_statements
from .parser_create import object_name

_SHOW_OBJECTS = ("jobs", "sources", "tables", "sinks", "schemas", "databases", "secrets",
                 "connections", "cluster", "processlist", "parameters", "users")


def parse(sql: str) -> list[Any]:
    """All statements of a message. An error anywhere means that none runs."""
    return [_statement(Cursor(text)) for text in split_statements(sql)]


def _statement(cursor: Cursor) -> Any:
    word = cursor.token.text if cursor.token.kind == WORD else cursor.token.text
    if word in ("select", "with", "values", "("):
        return ast.Query(cursor.sql.rstrip().removesuffix(";"))
    handler = _HANDLERS.get(word)
    if handler is None:
        raise cursor.expected("statement")
    cursor.next()
    statement = handler(cursor)
    cursor.end()
    return statement


def _drop(cursor: Cursor) -> ast.Drop:
    for kind in ("source", "table", "sink", "schema", "secret", "user"):
        if cursor.take(kind):
            break
    else:
        raise cursor.expected("one of SCHEMA or SECRET or SINK or SOURCE or TABLE or USER "
                              "after DROP")
    if_exists = cursor.take("if", "exists")
    name = object_name(cursor)
    cascade = cursor.take("cascade")
    if not cascade:
        cursor.take("restrict")
    return ast.Drop(kind, name, if_exists, cascade)


def _comment(cursor: Cursor) -> ast.Comment:
    cursor.need("on")
    on_column = cursor.take("column")
    if not on_column and not cursor.take("table"):
        raise cursor.expected("comment object_type")
    if on_column:
        parts = [cursor.name()]
        while cursor.take_symbol("."):
            parts.append(cursor.name())
        table = ast.Name(parts[-3] if len(parts) > 2 else None, parts[-2])
        column = parts[-1]
    else:
        table, column = object_name(cursor), None
    cursor.need("is")
    text = None if cursor.take("null") else cursor.string()
    return ast.Comment(table, column, text)


def _set(cursor: Cursor) -> ast.SetVariable:
    cursor.take("session")
    if cursor.take("time", "zone"):
        return ast.SetVariable("timezone", _values(cursor))
    name = cursor.name().lower()
    if not cursor.take_symbol("="):
        cursor.need("to")
    return ast.SetVariable(name, _values(cursor))


def _values(cursor: Cursor) -> str:
    values = [_value(cursor)]
    while cursor.take_symbol(","):
        values.append(_value(cursor))
    return ", ".join(values)


def _value(cursor: Cursor) -> str:
    sign = "-" if cursor.take_symbol("-") else ""
    if cursor.token.kind == "symbol" or cursor.token.kind == "end":
        raise cursor.expected("variable value")
    value = cursor.next().text
    if cursor.take_symbol("("):  # bounded(4), ratio(0.5)
        value += f"({cursor.next().text})"
        cursor.need_symbol(")")
    return sign + value


def _show(cursor: Cursor) -> Any:
    if cursor.take("create"):
        for kind in ("source", "table", "sink"):
            if cursor.take(kind):
                return ast.ShowCreate(kind, object_name(cursor))
        raise cursor.expected("one of SINK or SOURCE or TABLE")
    if cursor.take("materialized", "views"):
        what = "materialized views"
    elif cursor.take("internal", "tables"):
        what = "internal tables"
    elif cursor.token.text in _SHOW_OBJECTS:
        what = cursor.next().text
    else:
        return _show_variable(cursor)
    schema = cursor.name() if cursor.take("from") or cursor.take("in") else None
    like = cursor.string() if cursor.take("like") or cursor.take("ilike") else None
    if cursor.is_word("where"):
        raise not_implemented("WHERE clause in SHOW statement")
    return ast.ShowObjects(what, schema, like)


def _show_variable(cursor: Cursor) -> ast.ShowVariable:
    words = []
    while cursor.token.kind in (WORD, STRING, "quoted"):
        words.append(cursor.next().text.lower())
    return ast.ShowVariable("timezone" if words == ["time", "zone"] else " ".join(words))


def _describe(cursor: Cursor) -> ast.Describe:
    return ast.Describe(object_name(cursor))


def _cancel(cursor: Cursor) -> ast.CancelJobs:
    if not cursor.take("jobs"):
        cursor.need("job")
    ids = []
    while True:
        if cursor.token.kind != "number":
            raise cursor.expected("literal int")
        ids.append(int(cursor.next().text))
        if not cursor.take_symbol(","):
            return ast.CancelJobs(ids)


def _insert(cursor: Cursor) -> ast.Insert:
    cursor.need("into")
    table = object_name(cursor)
    columns = []
    if cursor.take_symbol("("):
        columns.append(cursor.name())
        while cursor.take_symbol(","):
            columns.append(cursor.name())
        cursor.need_symbol(")")
    start = cursor.token.start
    if not cursor.is_word("values"):
        raise not_implemented("INSERT with a query")
    while cursor.token.kind != "end":
        cursor.next()
    return ast.Insert(table, columns, cursor.sql[start:cursor.token.start])


def _grant(cursor: Cursor) -> ast.Grant:
    return _privileges(cursor, revoke=False)


def _revoke(cursor: Cursor) -> ast.Grant:
    return _privileges(cursor, revoke=True)


def _privileges(cursor: Cursor, revoke: bool) -> ast.Grant:
    privileges = []
    while not cursor.take("on"):
        if cursor.token.kind != WORD:
            raise cursor.expected("a privilege keyword")
        privileges.append(cursor.next().text.upper())
        cursor.take_symbol(",")
    if "ALL" in privileges:
        privileges = ["ALL"]
    kind = _grant_object(cursor)
    names = [object_name(cursor)]
    while cursor.take_symbol(","):
        names.append(object_name(cursor))
    cursor.need("from" if revoke else "to")
    users = [cursor.name()]
    while cursor.take_symbol(","):
        users.append(cursor.name())
    return ast.Grant(revoke, privileges, kind, names, users)


def _grant_object(cursor: Cursor) -> str:
    if cursor.take("all"):
        kind = f"all {cursor.name()}"
        cursor.need("in", "schema")
        return kind
    for kind in ("database", "schema", "table", "source", "sink", "secret"):
        if cursor.take(kind):
            return kind
    return "table"


def _word(word: str) -> Callable[[Cursor], ast.Word]:
    def read(cursor: Cursor) -> ast.Word:
        for extra in ("transaction", "work", "read", "only", "write", "sink"):
            cursor.take(extra)
        if word == "wait" and cursor.token.kind != "end":
            object_name(cursor)
        return ast.Word(word)
    return read


_HANDLERS: dict[str, Callable[[Cursor], Any]] = {
    "create": parser_create.create, "alter": parser_alter.alter, "drop": _drop,
    "comment": _comment, "set": _set, "show": _show, "describe": _describe, "desc": _describe,
    "cancel": _cancel, "insert": _insert, "grant": _grant, "revoke": _revoke,
    **{word: _word(word) for word in (
        "flush", "wait", "recover", "begin", "start", "commit", "rollback")}}
