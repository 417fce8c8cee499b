"""SELECT: parsed by sqlglot, resolved against the catalog, run by DuckDB."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from . import dml, functions, labels, sources
from .catalog import Column
from .errors import SqlError, analyzing, plain, syntax
from .lexer import Token, canonical
from .render import cells, field_of_duck, field_of_literal
from .results import Outcome, ResultSet
from .sources import Sources
from .tree import Query
from .types import SqlType

if TYPE_CHECKING:
    from .session import Session

# sqlglot warns on stderr about what DuckDB ignores; a server has nobody to tell.
logging.getLogger("sqlglot").setLevel(logging.ERROR)

_ROOTS = (exp.Select, exp.SetOperation, exp.Insert, exp.Update, exp.Delete, exp.Subquery)


async def run_query(session: Session, query: Query) -> ResultSet | Outcome:
    tree, text = parse_tree(query)
    if isinstance(tree, (exp.Insert, exp.Update, exp.Delete)):
        return dml.run(session, tree, text)
    pause = functions.sleep_seconds(tree)
    if pause is not None:
        await _sleep(session, pause)
    return select(session, tree, text)


async def _sleep(session: Session, seconds: float) -> None:
    limit = float(session.variable("query_timeout"))
    await asyncio.sleep(min(seconds, limit))
    if seconds > limit:
        raise plain(f"Query reached its timeout of {int(limit)} seconds, please increase the "
                    "'query_timeout' session variable and retry", 5024)


def parse_tree(query: Query) -> tuple[exp.Expression, str]:
    """The tree and the text its positions refer to."""
    text = canonical(query.tokens)
    for token in query.tokens:
        if token.kind == "symbol" and token.text == "?":
            raise _unexpected(token)
    try:
        tree = sqlglot.parse_one(text, dialect="starrocks")
    except RecursionError:
        raise plain("Unknown error") from None
    except SqlglotError as error:
        raise _syntax_error(query.tokens, error) from None
    if not isinstance(tree, _ROOTS) or (isinstance(tree, exp.Select) and not tree.expressions):
        raise _syntax_error(query.tokens, None)
    return tree, text


def _syntax_error(tokens: list[Token], error: SqlglotError | None) -> SqlError:
    """Names the token at which the general parser gave up."""
    details: Any = getattr(error, "errors", None) or [{}]
    highlight = str(details[0].get("highlight") or "")
    return _unexpected(next((t for t in tokens if t.text == highlight), tokens[-1]))


def _unexpected(token: Token) -> SqlError:
    return syntax(f"Unexpected input '{token.text}', the most similar input is "
                  "{<EOF>, ';'}", token.at)


def select(session: Session, tree: exp.Expression, text: str) -> ResultSet:
    prepared = _prepare(session, tree, text)
    result = execute(session, prepared.sql)
    fields = [_field(prepared, number, described)
              for number, described in enumerate(result.description)]
    rows = [[cells(field, value) for field, value in zip(fields, row)]
            for row in result.fetchall()]
    return ResultSet(fields, rows)


class _Prepared:
    def __init__(self, sql: str, projections: list[exp.Expression], names: list[str],
                 origin: Sources):
        self.sql = sql
        self.projections = projections
        self.names = names
        self.origin = origin


def _prepare(session: Session, tree: exp.Expression, text: str) -> _Prepared:
    origin = sources.resolve(session, tree)
    outer = tree if isinstance(tree, exp.Select) else _first_select(tree)
    sources.expand_stars(outer, origin)
    projections = [projection.copy() for projection in outer.expressions]
    functions.remember_names(tree, text)
    names = [labels.label(projection) for projection in outer.expressions]
    sources.check_columns(tree, origin)
    if origin.needs_backend or functions.needs_backend(tree):
        session.state.need_backend()
    functions.check_known(tree, text)
    origin.attach(session, tree)
    tree = functions.rewrite(session, tree)
    return _Prepared(tree.sql(dialect="duckdb"), projections, names, origin)


def _first_select(tree: exp.Expression) -> exp.Select:
    found = tree.find(exp.Select)
    if found is None:
        raise plain("Unknown error")
    return found


def execute(session: Session, sql: str) -> Any:
    try:
        return session.state.store.execute(sql)
    except duckdb.BinderException as error:
        if "expression depth" in str(error):
            raise plain("Unknown error") from None
        raise analyzing(_first_line(error)) from None
    except duckdb.Error as error:
        too_deep = "expression depth" in str(error)
        raise plain("Unknown error" if too_deep else _first_line(error)) from None


def _first_line(error: duckdb.Error) -> str:
    return str(error).splitlines()[0]


def _field(prepared: _Prepared, number: int, described: Any) -> Any:
    """The wire description: a column keeps its declared type, the rest follows DuckDB."""
    if any(isinstance(node, exp.Star) for node in prepared.projections):
        return field_of_duck(str(described[1]), described[0])
    name = prepared.names[number]
    if number < len(prepared.projections):
        node: Any = prepared.projections[number].unalias()
        if isinstance(node, exp.SessionParameter):
            from .variables import field
            return field(node.name, name)
        literal = field_of_literal(node, name)
        if literal is not None:
            return literal
        if isinstance(node, exp.Cast):
            declared = _cast_type(node)
            if declared is not None:
                return declared.field(name)
        if isinstance(node, exp.Sum) and str(described[1]) == "HUGEINT":
            return SqlType("BIGINT").field(name)
        if isinstance(node, exp.Column):
            found = prepared.origin.field(node, name)
            if found is not None:
                return found
    return field_of_duck(str(described[1]), name)


def _cast_type(node: exp.Cast) -> SqlType | None:
    from .cursor import Cursor
    from .lexer import Lexer
    from .parse_table import column_type
    try:
        return column_type(Cursor(Lexer(node.to.sql(dialect="starrocks")).tokens()))
    except SqlError:
        return None


def evaluate(session: Session, tokens: list[Token]) -> str | None:
    """The text value of one expression, as in SET x = concat(...)."""
    head = Token("word", "SELECT", "SELECT", (1, 0))
    first = replace(tokens[0], gap=" ")
    tree, text = parse_tree(Query("SELECT", [head, first, *tokens[1:]]))
    value = select(session, tree, text).rows[0][0]
    return None if value is None else value.decode()


def result_columns(session: Session, query: Query) -> list[Column]:
    """Columns a view would have; only plain columns keep a declared type."""
    tree, text = parse_tree(query)
    prepared = _prepare(session, tree, text)
    described = execute(session, f"SELECT * FROM ({prepared.sql}) LIMIT 0").description
    columns = []
    for number, item in enumerate(described):
        node = prepared.projections[number].unalias() if number < len(
            prepared.projections) else None
        found = prepared.origin.column(node) if isinstance(node, exp.Column) else None
        kind = found.type if found else SqlType("VARCHAR", 65533)
        columns.append(Column(prepared.names[number], kind, found.nullable if found else True,
                              column_id=item[0]))
    return columns


