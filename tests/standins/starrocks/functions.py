"""Functions and variables inside a query: known ones, session ones, rewritten ones."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from sqlglot import exp

from . import variables
from .errors import analyzing
from .labels import written_name
from .state import MYSQL_VERSION, VERSION

if TYPE_CHECKING:
    from .session import Session

# What sqlglot does not know by itself but the server and DuckDB both have.
_SHARED = {"crc32", "md5", "hex", "strlen", "sleep", "current_version", "murmur_hash3_32"}
_SESSION = {"version", "database", "schema", "user", "session_user", "current_user",
            "connection_id", "catalog", "current_role", "current_version", "now", "sleep",
            "current_timestamp", "current_catalog"}
_MISSING = {"found_rows", "row_count", "last_insert_id", "get_lock", "release_lock", "load_file",
            "benchmark", "murmur_hash3_32"}


def remember_names(tree: exp.Expression, text: str) -> None:
    """Keeps the name a function was written with: length and char_length parse alike."""
    for node in tree.find_all(exp.Func):
        start, end = node.meta.get("start"), node.meta.get("end")
        if start is not None and end is not None:
            node.meta["name"] = text[start:end + 1]
            node.meta["arguments"] = text[end + 1:_closing(text, int(end)) + 1]


def sleep_seconds(tree: exp.Expression) -> float | None:
    for node in tree.find_all(exp.Anonymous):
        if node.name.lower() == "sleep" and len(node.expressions) == 1:
            argument = node.expressions[0]
            if isinstance(argument, exp.Literal):
                return float(argument.name)
    return None


def needs_backend(tree: exp.Expression) -> bool:
    return any(written_name(node) == "current_version" for node in tree.find_all(exp.Func))


def check_known(tree: exp.Expression, text: str) -> None:
    for node in tree.find_all(exp.Anonymous):
        name = node.name.lower()
        if name in _MISSING or name not in _SHARED | _SESSION:
            start = int(node.meta.get("start", 0))
            stop = _closing(text, int(node.meta.get("end", 0)))
            types = ", ".join(_argument_type(item) for item in node.expressions)
            raise analyzing(f"No matching function with signature: {name}({types})",
                            start=(1, start), stop=(1, stop))


def _closing(text: str, name_end: int) -> int:
    """Where the parenthesis that opens behind a function's name is closed."""
    depth, at = 0, name_end + 1
    while at < len(text):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if depth == 0:
            return at
        at += 1
    return at


def _argument_type(node: exp.Expression) -> str:
    if isinstance(node, exp.Literal) and not node.is_string and node.name.isdigit():
        return "tinyint(4)" if int(node.name) < 128 else "int(11)"
    return "varchar"


def rewrite(session: Session, tree: exp.Expression) -> exp.Expression:
    """Replaces what only the session knows, and what DuckDB names differently."""
    def change(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.SessionParameter):
            return _variable(session, node)
        if isinstance(node, exp.Parameter):
            known = session.user_variables.get(node.name.lower())
            return _number_or_text(known)
        if isinstance(node, exp.Func):
            return _function(session, node)
        if isinstance(node, exp.Like) and not isinstance(node.parent, exp.Escape):
            like = exp.Like(this=exp.cast(node.this.copy(), "VARCHAR"),
                            expression=node.expression.copy())
            return exp.Escape(this=like, expression=exp.Literal.string("\\"))
        if isinstance(node, exp.DataType) and node.this == exp.DataType.Type.INT128:
            return exp.DataType.build("HUGEINT", dialect="duckdb")
        return node

    return tree.transform(change)


def _variable(session: Session, node: exp.SessionParameter) -> exp.Expression:
    is_global = str(node.args.get("kind") or "").lower() == "global"
    text = variables.value(session, node.name, is_global)
    kind = variables.field(node.name, "").type
    return exp.Literal.string(text) if kind == 253 else exp.Literal.number(int(text))


def _number_or_text(text: str | None) -> exp.Expression:
    if text is None:
        return exp.Null()
    return exp.Literal.number(text) if text.isdigit() else exp.Literal.string(text)


def _function(session: Session, node: exp.Expression) -> exp.Expression:
    name = written_name(node)
    if name == "sleep":
        return exp.Boolean(this=True)
    if name == "connection_id":
        return exp.Literal.number(session.thread_id)
    if name in ("now", "current_timestamp"):
        zone = variables.zone(session.variable("time_zone"))
        moment = datetime.datetime.now(zone).strftime("%Y-%m-%d %H:%M:%S")
        return exp.cast(exp.Literal.string(moment), "TIMESTAMP")
    if name in _SESSION:
        return exp.Literal.string(_session_text(session, name))
    if name == "length":
        return exp.Anonymous(this="strlen", expressions=[exp.cast(node.this, "VARCHAR")])
    return node


def _session_text(session: Session, name: str) -> str:
    if name == "version":
        return MYSQL_VERSION
    if name == "current_version":
        return VERSION
    if name in ("database", "schema"):
        return session.db or ""
    if name in ("user", "session_user"):
        return f"'{session.who.user.user}'@'{session.host.rpartition(':')[0]}'"
    if name == "current_user":
        return str(session.who.user)
    if name == "current_role":
        return ", ".join(session.who.active_roles) or "NONE"
    return "default_catalog"
