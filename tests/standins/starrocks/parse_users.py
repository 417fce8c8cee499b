"""Grammar of users, roles, GRANT and REVOKE."""

from __future__ import annotations

from .cursor import Cursor
from .errors import analyzing
from .lexer import Token
from .tree import Grant, RoleChange, UserChange, UserName

TABLE_PRIVILEGES = ["DELETE", "DROP", "INSERT", "SELECT", "ALTER", "EXPORT", "UPDATE", "REFRESH"]
DATABASE_PRIVILEGES = ["CREATE TABLE", "DROP", "ALTER", "CREATE VIEW", "CREATE FUNCTION",
                       "CREATE MATERIALIZED VIEW", "CREATE PIPE"]
CATALOG_PRIVILEGES = ["USAGE", "CREATE DATABASE", "DROP", "ALTER"]
SYSTEM_PRIVILEGES = ["GRANT", "NODE", "OPERATE"]
BY_OBJECT = {"TABLE": TABLE_PRIVILEGES, "DATABASE": DATABASE_PRIVILEGES,
             "CATALOG": CATALOG_PRIVILEGES, "SYSTEM": SYSTEM_PRIVILEGES}
_ALL = sorted({name for names in BY_OBJECT.values() for name in names}, key=lambda n: -len(n))


def user_name(cursor: Cursor) -> UserName:
    user = _text(cursor)
    host = "%"
    if cursor.take_symbol("@"):
        host = _text(cursor)
    return UserName(user, host)


def _text(cursor: Cursor) -> str:
    if cursor.token.kind == "string":
        return cursor.next().value
    return cursor.identifier()


def _password(cursor: Cursor) -> str:
    cursor.need_word("IDENTIFIED")
    cursor.need_word("BY")
    return cursor.string()


def create_user(cursor: Cursor) -> UserChange:
    lenient = cursor.take_words("IF", "NOT", "EXISTS")
    user = user_name(cursor)
    password = _password(cursor) if cursor.is_word("IDENTIFIED") else ""
    return UserChange("create", user, password, lenient)


def alter_user(cursor: Cursor) -> UserChange:
    lenient = cursor.take_words("IF", "EXISTS")
    user = user_name(cursor)
    return UserChange("alter", user, _password(cursor), lenient)


def drop_user(cursor: Cursor, lenient: bool) -> UserChange:
    return UserChange("drop", user_name(cursor), None, lenient)


def create_role(cursor: Cursor) -> RoleChange:
    lenient = cursor.take_words("IF", "NOT", "EXISTS")
    return RoleChange("create", [_text(cursor)], lenient=lenient)


def drop_role(cursor: Cursor, lenient: bool) -> RoleChange:
    return RoleChange("drop", [_text(cursor)], lenient=lenient)


def set_for_users(cursor: Cursor) -> UserChange | RoleChange | None:
    """SET PASSWORD, SET ROLE and SET DEFAULT ROLE; None for every other SET."""
    if cursor.is_word("PASSWORD") and (cursor.peek().text == "=" or cursor.peek().upper == "FOR"):
        cursor.next()
        user = user_name(cursor) if cursor.take_word("FOR") else None
        cursor.need_symbol("=")
        if cursor.take_word("PASSWORD"):
            cursor.need_symbol("(")
            password = cursor.string()
            cursor.need_symbol(")")
        else:
            password = cursor.string()
        return UserChange("alter", user, password)
    if cursor.take_words("DEFAULT", "ROLE"):
        roles = _roles(cursor)
        cursor.need_word("TO")
        cursor.take_word("USER")
        return RoleChange("default", roles, user_name(cursor))
    if cursor.is_word("ROLE") and cursor.peek().text != "=":
        cursor.next()
        return RoleChange("activate", _roles(cursor))
    return None


def _roles(cursor: Cursor) -> list[str]:
    if word := cursor.take_word("ALL", "NONE", "DEFAULT"):
        return [word]
    names = [_text(cursor)]
    while cursor.take_symbol(","):
        names.append(_text(cursor))
    return names


def grant(cursor: Cursor, start: int) -> Grant | RoleChange:
    return _grant(cursor, start, revoke=False)


def revoke(cursor: Cursor, start: int) -> Grant | RoleChange:
    return _grant(cursor, start, revoke=True)


def _grant(cursor: Cursor, start: int, revoke: bool) -> Grant | RoleChange:
    """GRANT role TO ... has no ON; a privilege list without ON is no statement at all."""
    towards = "FROM" if revoke else "TO"
    if not any(token.upper == "ON" for token in _rest(cursor)):
        roles = _roles(cursor)
        cursor.need_word(towards)
        user, role = _grantee(cursor)
        return RoleChange("revoke" if revoke else "grant", roles, user, role)
    privileges = _privileges(cursor, start)
    cursor.need_word("ON")
    kind, db, table = _object(cursor)
    cursor.need_word(towards)
    user, role = _grantee(cursor)
    allowed = BY_OBJECT[kind]
    if privileges == ["ALL"]:
        privileges = list(allowed)
    for privilege in privileges:
        if privilege not in allowed:
            raise analyzing(f"Cannot grant or revoke {privilege} on '{kind}' type object")
    return Grant(revoke, privileges, kind, db, table, user, role)


def _rest(cursor: Cursor) -> list[Token]:
    rest = []
    for token in cursor.tokens[cursor.at:]:
        if token.kind == "end" or token.text == ";":
            break
        rest.append(token)
    return rest


def _privileges(cursor: Cursor, start: int) -> list[str]:
    if cursor.take_word("ALL"):
        cursor.take_word("PRIVILEGES")
        return ["ALL"]
    names: list[str] = []
    while True:
        for name in _ALL:
            if cursor.take_words(*name.split()):
                names.append(name)
                break
        else:
            cursor.next()
            cursor.no_viable(start)
        if not cursor.take_symbol(","):
            return names


def _grantee(cursor: Cursor) -> tuple[UserName | None, str | None]:
    if cursor.take_word("ROLE"):
        return None, _text(cursor)
    cursor.take_word("USER")
    return user_name(cursor), None


def _object(cursor: Cursor) -> tuple[str, str | None, str | None]:
    """Object type, database and table; None means all of them."""
    if cursor.take_word("SYSTEM"):
        return "SYSTEM", None, None
    if cursor.take_word("CATALOG"):
        cursor.identifier()
        return "CATALOG", None, None
    if cursor.take_words("ALL", "DATABASES"):
        return "DATABASE", None, None
    if cursor.take_word("DATABASE"):
        return "DATABASE", cursor.identifier(), None
    if cursor.take_words("ALL", "TABLES", "IN"):
        if cursor.take_words("ALL", "DATABASES"):
            return "TABLE", None, None
        cursor.need_word("DATABASE")
        return "TABLE", cursor.identifier(), None
    cursor.take_word("TABLE")
    return _table_object(cursor)


def _table_object(cursor: Cursor) -> tuple[str, str | None, str | None]:
    """db.t, db.*, *.* and t; a name without database is marked by an empty one."""
    if cursor.take_symbol("*"):
        cursor.need_symbol(".")
        cursor.need_symbol("*")
        return "TABLE", None, None
    first = cursor.identifier()
    if not cursor.take_symbol("."):
        return "TABLE", "", first
    if cursor.take_symbol("*"):
        return "TABLE", first, None
    return "TABLE", first, cursor.identifier()
