"""Grammar of SHOW and DESC."""

from __future__ import annotations

from .cursor import Cursor
from .parse_table import qualified_name
from .parse_users import user_name
from .tree import Name, Show

# Statements without arguments that are answered with a fixed or empty list.
_PLAIN = {
    ("BACKENDS",), ("FRONTENDS",), ("COMPUTE", "NODES"), ("CATALOGS",), ("WAREHOUSES",),
    ("WARNINGS",), ("ERRORS",), ("ENGINES",), ("STATUS",), ("ROLES",), ("USERS",),
    ("PRIVILEGES",), ("CHARSET",), ("COLLATION",), ("PROCESSLIST",), ("FULL", "PROCESSLIST"),
    ("ALL", "AUTHENTICATION"), ("PLUGINS",), ("PROCEDURE", "STATUS"), ("EVENTS",), ("TRIGGERS",),
}


def describe(cursor: Cursor, start: int) -> Show:
    cursor.take_word("TABLE")
    return Show("desc", qualified_name(cursor))


def show(cursor: Cursor, start: int) -> Show:
    """The cursor stands after SHOW."""
    for words in _PLAIN:
        if cursor.take_words(*words):
            return Show(" ".join(words).lower().replace("full ", ""))
    full = bool(cursor.take_word("FULL"))
    if cursor.take_word("DATABASES", "SCHEMAS"):
        return _like(cursor, Show("databases"))
    if cursor.take_word("TABLES"):
        return _like(cursor, Show("tables", db=_from(cursor), full=full))
    if cursor.take_words("TABLE", "STATUS"):
        return _like(cursor, Show("table status", db=_from(cursor)))
    if cursor.take_word("COLUMNS", "FIELDS"):
        return _columns(cursor, full)
    if cursor.take_word("INDEX", "INDEXES", "KEYS"):
        return Show("index", _table_from(cursor))
    if cursor.take_word("PARTITIONS"):
        return Show("partitions", _table_from(cursor))
    if cursor.take_words("CREATE", "TABLE"):
        return Show("create table", qualified_name(cursor))
    if cursor.take_words("CREATE", "DATABASE"):
        return Show("create database", db=cursor.identifier())
    if cursor.take_words("ALTER", "TABLE"):
        return _alter_jobs(cursor)
    if cursor.take_words("ALTER", "MATERIALIZED", "VIEW"):
        return Show("alter rollup", db=_from(cursor))
    if cursor.take_word("GRANTS"):
        return Show("grants", user=user_name(cursor) if cursor.take_word("FOR") else None)
    scope = cursor.take_word("SESSION", "GLOBAL", "LOCAL")
    if cursor.take_word("VARIABLES"):
        return _like(cursor, Show("variables", full=scope == "GLOBAL"))
    if not cursor.at_end():
        cursor.no_viable(start)
    cursor.fail(["'DATABASES'", "'TABLES'", "'COLUMNS'", "'CREATE'", "'VARIABLES'"])
    raise AssertionError("unreachable")


def _from(cursor: Cursor) -> str | None:
    if not cursor.take_word("FROM", "IN"):
        return None
    name = cursor.identifier()
    if cursor.take_symbol("."):
        name = cursor.identifier()
    return name


def _like(cursor: Cursor, statement: Show) -> Show:
    if cursor.take_word("LIKE"):
        statement.like = cursor.string()
    return statement


def _table_from(cursor: Cursor) -> Name:
    cursor.need_word("FROM", "IN")
    name = qualified_name(cursor)
    db = _from(cursor)
    return Name(db, name.name) if db else name


def _columns(cursor: Cursor, full: bool) -> Show:
    return _like(cursor, Show("columns", _table_from(cursor), full=full))


def _alter_jobs(cursor: Cursor) -> Show:
    kind = cursor.need_word("COLUMN", "ROLLUP", "OPTIMIZE")
    statement = Show(f"alter {kind.lower()}", db=_from(cursor))
    if cursor.take_word("WHERE"):
        statement.where.append(_condition(cursor))
        while cursor.take_word("AND"):
            statement.where.append(_condition(cursor))
    if cursor.take_words("ORDER", "BY"):
        column = cursor.identifier()
        descending = cursor.take_word("ASC", "DESC") == "DESC"
        statement.order_by = (column, descending)
    if cursor.take_word("LIMIT"):
        statement.limit = cursor.number()
    return statement


def _condition(cursor: Cursor) -> tuple[str, str, str]:
    column = cursor.identifier()
    if cursor.take_word("LIKE"):
        return column, "LIKE", cursor.string()
    operator = cursor.token.text
    if operator not in ("=", ">=", "<=", ">", "<", "!="):
        cursor.fail(["'='"])
    cursor.next()
    return column, operator, cursor.string()
