"""SELECT: RisingWave's SQL through sqlglot to DuckDB, over copies of the relations."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from . import duck
from .errors import NOT_FOUND, PgError, catalog_error
from .printer import expression_text
from .rwtypes import Type

_SYSTEM = ("pg_catalog", "information_schema", "rw_catalog")


@dataclass
class Relation:
    """What a name in FROM stands for. `version` None: copied anew for every query."""

    columns: list[tuple[str, Type]]
    rows: Callable[[], Sequence[Sequence[Any]]] | None
    version: Any = None
    fill: Callable[[duckdb.DuckDBPyConnection, str], None] | None = None


Resolver = Callable[[str | None, str], Relation | None]


class Engine:
    def __init__(self) -> None:
        self.con = duck.connect()
        self.copies: dict[str, Any] = {}

    def select(self, sql: str, resolve: Resolver, constants: dict[str, str],
               params: Sequence[str | None] = ()) -> tuple[list[tuple[str, Type]], list[tuple]]:
        """Runs a query. `constants` answers functions such as current_user."""
        tree = parse(sql)
        _bind_parameters(tree, params)
        known = self._bind_tables(tree, resolve)
        check_names(tree, known)
        _name_outputs(tree)
        tree = tree.transform(rewrite, constants)
        try:
            return duck.run(self.con, tree.sql("duckdb"))
        except duckdb.Error as error:
            raise _translated(error, sql) from error

    def _bind_tables(self, tree: exp.Expression, resolve: Resolver) -> set[str]:
        """Points every table at its copy; the names of all columns."""
        ctes = {cte.alias_or_name for cte in tree.find_all(exp.CTE)}
        known: set[str] = set()
        for table in list(tree.find_all(exp.Table)):
            schema = folded(table.args.get("db"))
            name = folded(table.this) or ""
            if not schema and name in ctes or not isinstance(table.this, exp.Identifier):
                continue
            relation = resolve(schema, name)
            if relation is None:
                raise _in_subquery(table, missing(schema, name))
            known.update(column for column, _ in relation.columns)
            copy = self._copy(f"{schema or ''}.{name}", relation)
            if not table.alias:
                table.set("alias", exp.TableAlias(this=exp.to_identifier(name, quoted=True)))
            table.set("this", exp.to_identifier(copy, quoted=True))
            table.set("db", None)
            table.set("catalog", None)
        return known

    def _copy(self, name: str, relation: Relation) -> str:
        version = relation.version
        if version is not None and self.copies.get(name) == version:
            return name
        if relation.fill:
            relation.fill(self.con, name)
        else:
            duck.fill(self.con, name, relation.columns, relation.rows() if relation.rows else [])
        self.copies[name] = version
        return name


def parse(sql: str) -> exp.Expression:
    try:
        tree = sqlglot.parse_one(sql, read="risingwave")
    except SqlglotError as error:
        raise PgError("sql parser error: " + str(error).splitlines()[0]) from error
    if not isinstance(tree, (exp.Select, exp.SetOperation, exp.Subquery, exp.Values)):
        raise PgError("Feature is not yet implemented: unsupported statement")
    return tree


def missing(schema: str | None, name: str) -> PgError:
    if schema in _SYSTEM:
        return PgError(
            f"Feature is not yet implemented: {schema}.{name} is not supported, please use `SHOW` "
            "commands for now.\n`SHOW TABLES`,\n`SHOW MATERIALIZED VIEWS`,\n`DESCRIBE <table>`,\n"
            "`SHOW COLUMNS FROM [table]`\n\n"
            "Tracking issue: https://github.com/risingwavelabs/risingwave/issues/1695")
    return catalog_error(f"table or source not found: {name}", NOT_FOUND)


def _in_subquery(table: exp.Table, error: PgError) -> PgError:
    """A scalar subquery's error names the subquery first."""
    outer = table.find_ancestor(exp.Subquery)
    if outer is None or outer.find_ancestor(exp.Select) is None \
            or isinstance(outer.parent, (exp.From, exp.Join)):
        return error
    return PgError(f"Failed to bind expression: {expression_text(outer.unalias())}",
                   *error.causes, code=error.code)


def folded(identifier: Any) -> str | None:
    if not isinstance(identifier, exp.Identifier):
        return None
    return identifier.name if identifier.args.get("quoted") else identifier.name.lower()


def _bind_parameters(tree: exp.Expression, params: Sequence[str | None]) -> None:
    for found in list(tree.find_all(exp.Parameter)):
        number = int(found.name)
        if number > len(params):
            raise PgError("Bind error: the number of parameters does not match")
        value = params[number - 1]
        found.replace(exp.null() if value is None else exp.Literal.string(value))


def check_names(tree: exp.Expression, known: set[str]) -> None:
    """Every column must be a relation's, or named by the query itself."""
    named = {alias.alias for alias in tree.find_all(exp.Alias)}
    named |= {alias.name for alias in tree.find_all(exp.TableAlias) if alias.name}
    for cte in tree.find_all(exp.TableAlias):
        named |= {column.name for column in cte.columns}
    for column in tree.find_all(exp.Column):
        if isinstance(column.this, exp.Star):
            continue
        name = folded(column.this)
        if name in known or name in named or name in ("current_user", "current_schema"):
            continue
        outer: exp.Expression = column
        while outer.parent is not None and not isinstance(
                outer.parent, (exp.Select, exp.Where, exp.Order, exp.Group, exp.Having, exp.Alias)):
            outer = outer.parent
        raise PgError(f"Failed to bind expression: {expression_text(outer)}",
                      f"Item not found: Invalid column: {name}")


def _name_outputs(tree: exp.Expression) -> None:
    """PostgreSQL names an unnamed output after its function."""
    select = tree.find(exp.Select)
    for item in list(select.expressions) if select is not None else []:
        if isinstance(item, (exp.Alias, exp.Column, exp.Star)):
            continue
        item.replace(exp.alias_(item.copy(), output_name(item), quoted=True))


def output_name(item: exp.Expression) -> str:
    inner = item
    while isinstance(inner, (exp.Filter, exp.Cast, exp.Paren)):
        inner = inner.this
    if isinstance(inner, exp.Column):
        return inner.name
    if isinstance(inner, (exp.Binary, exp.Unary)) or not isinstance(inner, exp.Func):
        return "?column?"
    return inner.name if isinstance(inner, exp.Anonymous) else _function_name(inner)


def _function_name(item: exp.Expression) -> str:
    found = re.match(r"\w+", expression_text(item))
    return found.group().lower() if found else "?column?"


def rewrite(node: exp.Expression, constants: dict[str, str]) -> exp.Expression:
    """What DuckDB calls otherwise."""
    if isinstance(node, (exp.JSONExtractScalar, exp.JSONExtract)):
        return _json_path(node)
    if isinstance(node, (exp.JSONBExtract, exp.JSONBExtractScalar)):
        return _json_steps(node)
    if isinstance(node, exp.Encode):
        return exp.Anonymous(this="rw_encode", expressions=[node.this, node.args["charset"]])
    if isinstance(node, exp.Anonymous) and node.name.lower() == "encode":
        return exp.Anonymous(this="rw_encode", expressions=node.expressions)
    if isinstance(node, exp.Cast) and node.to.is_type("text", "varchar"):
        return exp.Anonymous(this="rw_text", expressions=[node.this])
    if isinstance(node, (exp.Like, exp.ILike)) and not isinstance(node.parent, exp.Escape):
        return exp.Escape(this=node, expression=exp.Literal.string("\\"))
    name = expression_text(node).lower().removesuffix("()") if isinstance(node, exp.Func) else ""
    if name in constants and not node.args.get("expressions"):
        return exp.Literal.string(constants[name])
    return node


def _json_path(node: exp.Expression) -> exp.Expression:
    path = node.expression
    keys = [step.this for step in path.expressions if not isinstance(step, exp.JSONPathRoot)] \
        if isinstance(path, exp.JSONPath) else [path]
    return _steps(node.this, keys, isinstance(node, exp.JSONExtractScalar))


def _json_steps(node: exp.Expression) -> exp.Expression:
    keys = node.expression.name.strip("{}").split(",")
    return _steps(node.this, keys, isinstance(node, exp.JSONBExtractScalar))


def _steps(value: exp.Expression, keys: list[Any], scalar: bool) -> exp.Expression:
    for number, key in enumerate(keys, 1):
        function = "rw_json_text" if scalar and number == len(keys) else "rw_json"
        literal = key if isinstance(key, exp.Expression) else exp.Literal.string(str(key))
        value = exp.Anonymous(this=function, expressions=[value, literal])
    return value


def _translated(error: duckdb.Error, sql: str) -> PgError:
    text = str(error).splitlines()[0]
    if found := re.search(r'Referenced column "([^"]+)" not found', text):
        return PgError(f"Failed to bind expression: {found.group(1)}",
                       f"Item not found: Invalid column: {found.group(1)}")
    if found := re.search(r"Scalar Function with name (\w+) does not exist", text):
        return PgError("Failed to bind expression",
                       f"Feature is not yet implemented: function {found.group(1)}")
    return PgError("Expr error", text)
