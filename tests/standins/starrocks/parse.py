"""From the text of one COM_QUERY to its statements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import parse_users
from .cursor import Cursor, most_similar
from .errors import SqlError
from .lexer import Lexer, Token
from .parse_show import describe, show
from .parse_table import alter_table, create_table, properties, qualified_name
from .tree import (AdminSet, CancelAlter, CreateDatabase, CreateView, DropDatabase, DropTable,
                   Kill, Nothing, Query, Recover, Refused, SetVariables, Transaction, Truncate,
                   Use)

_STATEMENT_WORDS = [
    "ADMIN", "ALTER", "ANALYZE", "BEGIN", "CACHE", "CALL", "CANCEL", "CLEAN", "CLEAR", "COMMIT",
    "CREATE", "DEALLOCATE", "DELETE", "DESC", "DESCRIBE", "DROP", "ENABLE", "EXECUTE", "EXPLAIN",
    "EXPORT", "GRANT", "INSERT", "INSTALL", "KILL", "LOAD", "PAUSE", "PREPARE", "RECOVER",
    "REFRESH", "RESTORE", "RESUME", "REVOKE", "ROLLBACK", "SELECT", "SET", "SHOW", "START",
    "STOP", "SUBMIT", "SYNC", "TRANSLATE", "TRUNCATE", "UNINSTALL", "UPDATE", "USE", "WITH",
]
Statement = Any


def parse(text: str) -> list[Statement]:
    """All statements of a query; a syntax error anywhere raises before any of them runs."""
    cursor = Cursor(Lexer(text).tokens())
    found: list[Statement] = []
    if cursor.token.kind == "end":
        raise _not_a_statement(cursor, found)
    while cursor.token.kind != "end":
        if cursor.take_symbol(";"):
            found.append(Nothing())
            continue
        found.append(_statement(cursor, found))
        cursor.need_end()
        cursor.take_symbol(";")
    return found


def _statement(cursor: Cursor, before: list[Statement]) -> Statement:
    start = cursor.at
    word = cursor.token.upper
    if cursor.is_symbol("("):
        return _query(cursor, "SELECT")
    handler = _HANDLERS.get(word)
    if handler is None:
        raise _not_a_statement(cursor, before)
    if word not in ("SELECT", "WITH", "INSERT", "UPDATE", "DELETE"):
        cursor.next()
    return handler(cursor, start)


def _not_a_statement(cursor: Cursor, before: list[Statement]) -> SqlError:
    if cursor.token.kind == "end":
        words = ["EXPORT", "REVOKE", "RECOVER", "REFRESH", "RESTORE"]
    else:
        words = most_similar(cursor.token.text, _STATEMENT_WORDS, 5)
    expected = [f"'{word}'" for word in words] + (["<EOF>"] if before else [])
    return cursor.unexpected([*expected, "'('", "';'"])


def _create(cursor: Cursor, start: int) -> Statement:
    if cursor.take_word("TABLE"):
        return create_table(cursor, start)
    if cursor.take_word("DATABASE", "SCHEMA"):
        lenient = cursor.take_words("IF", "NOT", "EXISTS")
        name = cursor.identifier()
        cursor.take_words("DEFAULT") if cursor.peek().upper in ("CHARSET", "CHARACTER") else None
        if cursor.take_words("CHARACTER", "SET") or cursor.take_word("CHARSET"):
            cursor.take_symbol("=")
            cursor.identifier()
        if cursor.take_word("COLLATE"):
            cursor.take_symbol("=")
            cursor.identifier()
        cursor.need_end()
        return CreateDatabase(name, lenient)
    if cursor.take_word("VIEW"):
        return _create_view(cursor)
    if cursor.take_word("USER"):
        return parse_users.create_user(cursor)
    if cursor.take_word("ROLE"):
        return parse_users.create_role(cursor)
    cursor.no_viable(start)
    raise AssertionError("unreachable")


def _create_view(cursor: Cursor) -> CreateView:
    lenient = cursor.take_words("IF", "NOT", "EXISTS")
    name = qualified_name(cursor)
    cursor.need_word("AS")
    first = cursor.at
    query = _query(cursor, "SELECT")
    text = "".join((token.gap if number else "") + token.text
                   for number, token in enumerate(cursor.tokens[first:cursor.at]))
    return CreateView(name, lenient, text, query.tokens)


def _drop(cursor: Cursor, start: int) -> Statement:
    word = cursor.take_word("TABLE", "VIEW", "DATABASE", "SCHEMA", "USER", "ROLE")
    if not word:
        cursor.no_viable(start)
    lenient = cursor.take_words("IF", "EXISTS")
    if word == "USER":
        return parse_users.drop_user(cursor, lenient)
    if word == "ROLE":
        return parse_users.drop_role(cursor, lenient)
    if word in ("DATABASE", "SCHEMA"):
        return DropDatabase(cursor.identifier(), lenient, bool(cursor.take_word("FORCE")))
    name = qualified_name(cursor)
    force = word == "TABLE" and bool(cursor.take_word("FORCE"))
    return DropTable(name, lenient, force, view=word == "VIEW")


def _alter(cursor: Cursor, start: int) -> Statement:
    if cursor.take_word("TABLE"):
        return alter_table(cursor, start)
    if cursor.take_word("USER"):
        return parse_users.alter_user(cursor)
    cursor.no_viable(start)
    raise AssertionError("unreachable")


def _cancel(cursor: Cursor, start: int) -> Statement:
    if not cursor.take_words("ALTER", "TABLE", "COLUMN"):
        cursor.no_viable(start)
    cursor.need_word("FROM")
    return CancelAlter(qualified_name(cursor))


def _truncate(cursor: Cursor, start: int) -> Statement:
    if not cursor.take_word("TABLE"):
        cursor.no_viable(start)
    name = qualified_name(cursor)
    partition = None
    if cursor.take_word("PARTITION"):
        cursor.need_symbol("(")
        partition = cursor.identifier()
        cursor.need_symbol(")")
    return Truncate(name, partition)


def _recover(cursor: Cursor, start: int) -> Statement:
    word = cursor.need_word("TABLE", "DATABASE")
    return Recover(word.lower(), qualified_name(cursor))


def _use(cursor: Cursor, start: int) -> Statement:
    first = cursor.identifier()
    if cursor.take_symbol("."):
        return Use(first, cursor.identifier())
    return Use(None, first)


def _query(cursor: Cursor, verb: str) -> Query:
    """Takes everything up to the end of the statement, whatever it is."""
    first = cursor.at
    while not cursor.at_end():
        cursor.next()
    end = Token("end", "<EOF>", "", cursor.token.at)
    return Query(verb, [*cursor.tokens[first:cursor.at], end])


def _dml(cursor: Cursor, start: int) -> Statement:
    return _query(cursor, cursor.token.upper)


def _transaction(cursor: Cursor, start: int) -> Statement:
    word = cursor.tokens[start].upper
    if word == "START":
        cursor.need_word("TRANSACTION")
        cursor.take_words("WITH", "CONSISTENT", "SNAPSHOT")
    cursor.take_word("WORK")
    return Transaction("begin" if word == "START" else word.lower())


def _kill(cursor: Cursor, start: int) -> Statement:
    word = cursor.take_word("QUERY", "CONNECTION")
    return Kill(word == "QUERY", cursor.number())


def _admin(cursor: Cursor, start: int) -> Statement:
    word = cursor.need_word("SET", "SHOW")
    if not cursor.take_words("FRONTEND", "CONFIG"):
        cursor.no_viable(start)
    if word == "SHOW":
        from .tree import Show
        like = cursor.string() if cursor.take_word("LIKE") else None
        return Show("frontend config", like=like)
    key, value = next(iter(properties(cursor).items()))
    return AdminSet(key, value)


def _ignored(cursor: Cursor, start: int) -> Statement:
    """LOCK, UNLOCK and ANALYZE are answered OK without doing anything."""
    cursor.need_word("TABLE", "TABLES")
    while not cursor.at_end():
        cursor.next()
    return Nothing()


def _prepared(cursor: Cursor, start: int) -> Statement:
    """SQL-level prepared statements: nothing can ever have been prepared."""
    word = cursor.tokens[start].upper
    if word == "DEALLOCATE":
        cursor.need_word("PREPARE")
    name = cursor.identifier()
    if word == "PREPARE":
        cursor.need_word("FROM")
        words = most_similar(cursor.token.text.strip("\"'"), _STATEMENT_WORDS, 5)
        cursor.fail([*(f"'{item}'" for item in words), "'('"])
    if word == "EXECUTE":
        return Refused(1064, f"Could not execute, since `{name}` not exist")
    return Refused(1064, f"PrepareStatement `{name}` not exist")


def _set(cursor: Cursor, start: int) -> Statement:
    special = parse_users.set_for_users(cursor)
    if special is not None:
        return special
    if cursor.take_word("NAMES"):
        name = _charset(cursor)
        if cursor.take_word("COLLATE"):
            _charset(cursor)
        return SetVariables([("names", name, None)])
    if cursor.take_words("CHARACTER", "SET") or cursor.take_word("CHARSET"):
        return SetVariables([("names", _charset(cursor), None)])
    if cursor.peek().upper == "TRANSACTION" or cursor.is_word("TRANSACTION"):
        cursor.take_word("SESSION", "GLOBAL")
        while not cursor.at_end():
            cursor.next()
        return Nothing()
    items = [_assignment(cursor)]
    while cursor.take_symbol(","):
        items.append(_assignment(cursor))
    return SetVariables(items)


def _charset(cursor: Cursor) -> str:
    token = cursor.token
    if token.kind == "string" or cursor.is_identifier():
        return cursor.next().value
    if cursor.take_word("DEFAULT"):
        return "utf8"
    cursor.fail(["a legal identifier"])
    raise AssertionError("unreachable")


def _assignment(cursor: Cursor) -> tuple[str, str, Any]:
    scope = "session"
    if cursor.take_symbol("@@"):
        if cursor.is_word("SESSION", "GLOBAL") and cursor.peek().text == ".":
            scope = cursor.next().upper.lower()
            cursor.next()
    elif cursor.take_symbol("@"):
        scope = "user"
    elif cursor.is_word("SESSION", "GLOBAL", "LOCAL"):
        scope = "global" if cursor.next().upper == "GLOBAL" else "session"
    name = cursor.identifier()
    cursor.need_symbol("=")
    return scope, name, _value(cursor)


def _value(cursor: Cursor) -> Any:
    """A literal, a bare word, DEFAULT, or the tokens of an expression."""
    first, depth = cursor.at, 0
    while not cursor.at_end() and (depth or not cursor.is_symbol(",")):
        depth += {"(": 1, ")": -1}.get(cursor.token.text, 0)
        cursor.next()
    tokens = cursor.tokens[first:cursor.at]
    if not tokens:
        cursor.fail(["DEFAULT", "ON", "ALL"])
    if len(tokens) == 1:
        token = tokens[0]
        if token.kind == "string":
            return token.value
        if token.kind in ("number", "word", "quoted"):
            return None if token.upper == "DEFAULT" else token.value
    if len(tokens) == 2 and tokens[0].text == "-":
        return "-" + tokens[1].value
    return [*tokens, Token("end", "<EOF>", "", tokens[-1].at)]



def _call(cursor: Cursor, start: int) -> Statement:
    while not cursor.at_end():
        cursor.next()
    return Refused(1064, "This connector doesn't support getting procedure")


_HANDLERS: dict[str, Callable[[Cursor, int], Statement]] = {
    "CREATE": _create, "DROP": _drop, "ALTER": _alter, "CANCEL": _cancel,
    "TRUNCATE": _truncate, "RECOVER": _recover, "USE": _use, "SHOW": show,
    "DESC": describe, "DESCRIBE": describe, "SELECT": _dml, "WITH": _dml, "INSERT": _dml,
    "UPDATE": _dml, "DELETE": _dml, "SET": _set, "GRANT": parse_users.grant,
    "REVOKE": parse_users.revoke, "BEGIN": _transaction, "START": _transaction,
    "COMMIT": _transaction, "ROLLBACK": _transaction, "KILL": _kill, "ADMIN": _admin,
    "LOCK": _ignored, "UNLOCK": _ignored, "ANALYZE": _ignored, "PREPARE": _prepared,
    "EXECUTE": _prepared, "DEALLOCATE": _prepared, "CALL": _call,
}
