"""Which tables and columns a query means, and whether the user may read them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp

from ..common import mysqlwire as wire
from . import infoschema
from .catalog import Column, Table
from .errors import SqlError, analyzing, plain
from .store import Store

if TYPE_CHECKING:
    from .session import Session


@dataclass
class Source:
    """One table of the query under the name the query gives it."""

    node: exp.Table
    alias: str
    table: Table | None = None
    view: str | None = None

    def columns(self) -> list[str]:
        if self.table is not None:
            return [column.name for column in self.table.columns]
        assert self.view is not None
        return [name for name, _, _ in infoschema.DEFINITIONS[self.view].columns]


@dataclass
class Sources:
    items: list[Source] = field(default_factory=list)
    needs_backend: bool = False
    by_frontend: bool = False

    def _candidates(self, node: exp.Column) -> list[Source]:
        return [source for source in self.items
                if not node.table or source.alias.lower() == node.table.lower()]

    def column(self, node: exp.Column) -> Column | None:
        for source in self._candidates(node):
            found = source.table.column(node.name) if source.table else None
            if found:
                return found
        return None

    def field(self, node: exp.Column, label: str) -> wire.Field | None:
        found = self.column(node)
        if found:
            return found.type.field(label)
        for source in self._candidates(node):
            if source.view and node.name.lower() in (n.lower() for n in source.columns()):
                return infoschema.DEFINITIONS[source.view].field(node.name, label)
        return None

    def attach(self, session: Session, tree: exp.Expression) -> None:
        """Puts DuckDB's table names in the place of the user's."""
        for source in self.items:
            if source.table is not None and source.table.is_view:
                inner = sqlglot.parse_one(_view_sql(session, source.table), dialect="duckdb")
                node: exp.Expression = exp.Subquery(this=inner, alias=exp.TableAlias(
                    this=exp.to_identifier(source.alias, True)))
            else:
                name = (Store.table(source.table) if source.table is not None
                        else infoschema.materialize(session, source.view or "",
                                                    self.by_frontend))
                node = exp.Table(this=exp.to_identifier(name, True),
                                 alias=exp.TableAlias(this=exp.to_identifier(source.alias, True)),
                                 joins=source.node.args.get("joins"))
            source.node.replace(node)
        for column in tree.find_all(exp.Column):
            column.set("db", None)
            column.set("catalog", None)


def _view_sql(session: Session, view: Table) -> str:
    from .lexer import Lexer
    from .query import _prepare, parse_tree
    from .tree import Query
    tree, text = parse_tree(Query("SELECT", Lexer(view.view_text or "").tokens()))
    return _prepare(session, tree, text).sql


def resolve(session: Session, tree: exp.Expression, privilege: str = "SELECT") -> Sources:
    """Finds every table of the query; raises for missing ones before denied ones."""
    named = {cte.alias for cte in tree.find_all(exp.CTE)}
    found = Sources()
    for node in list(tree.find_all(exp.Table)):
        if not node.db and (node.name in named or _is_dual(node)):
            if node.name not in named:
                _drop_from(node)
            continue
        found.items.append(_source(session, node))
    for source in found.items:
        if source.table is not None:
            database = session.state.catalog.database(source.node.db or session.db or "")
            session.accounts.need(session.who, privilege, "TABLE", database, source.table)
    _plan(tree, found)
    return found


def _is_dual(node: exp.Table) -> bool:
    return node.name.lower() == "dual" and not node.args["this"].args.get("quoted")


def _drop_from(node: exp.Table) -> None:
    parent = node.find_ancestor(exp.Select)
    if parent is not None:
        parent.set("from_", None)
        parent.set("from", None)


def _source(session: Session, node: exp.Table) -> Source:
    if not node.name:
        raise plain("Unknown error")
    db = node.db or session.db
    if not db:
        raise analyzing("No database selected", 1046)
    database = session.state.catalog.database(db)
    alias = node.alias or node.name
    if db == infoschema.NAME:
        view = node.name.lower()
        if view not in infoschema.DEFINITIONS:
            raise analyzing(f"Unknown table '{db}.{node.name}'", 5502)
        return Source(node, alias, view=view)
    table = database.tables.get(node.name)
    if table is None:
        raise analyzing(f"Unknown table '{db}.{node.name}'", 5502)
    return Source(node, alias, table)


def _plan(tree: exp.Expression, found: Sources) -> None:
    """Decides whether the FE answers alone, as it does for simple looks at `tables`."""
    views = [source.view for source in found.items if source.view]
    simple = (len(found.items) == 1 and views == ["tables"] and isinstance(tree, exp.Select)
              and not tree.args.get("group") and _only_equalities(tree.args.get("where")))
    found.by_frontend = simple
    found.needs_backend = bool(found.items) and not simple and views != ["schemata"]


def _only_equalities(where: exp.Expression | None) -> bool:
    if where is None:
        return False
    parts = list(where.this.flatten()) if isinstance(where.this, exp.And) else [where.this]
    return all(isinstance(part, exp.EQ) and isinstance(part.this, exp.Column)
               and part.this.name.upper() in ("TABLE_SCHEMA", "TABLE_NAME")
               and isinstance(part.expression, exp.Literal) for part in parts)


def expand_stars(outer: exp.Select, origin: Sources) -> None:
    """Writes out `*` and `t.*` so that every result column has a known origin."""
    inside = [source for source in origin.items
              if source.node.find_ancestor(exp.Select) is outer]
    if not inside or outer.find(exp.Subquery) or outer.args.get("with_") or outer.args.get("with"):
        return
    expanded: list[exp.Expression] = []
    for item in outer.expressions:
        qualifier = item.table if isinstance(item, exp.Column) else ""
        if not (isinstance(item, exp.Star) or (isinstance(item, exp.Column)
                                               and isinstance(item.this, exp.Star))):
            expanded.append(item)
            continue
        for source in inside:
            if qualifier and qualifier.lower() != source.alias.lower():
                continue
            expanded += [exp.column(exp.to_identifier(name, True),
                                    exp.to_identifier(source.alias, True))
                         for name in source.columns()]
    outer.set("expressions", expanded)


def check_columns(tree: exp.Expression, origin: Sources) -> None:
    known = {name.lower() for source in origin.items for name in source.columns()}
    known |= {alias.alias.lower() for alias in tree.find_all(exp.Alias)}
    aliases = {source.alias.lower() for source in origin.items}
    aliases |= {sub.alias.lower() for sub in tree.find_all(exp.Subquery, exp.CTE) if sub.alias}
    for subquery in tree.find_all(exp.Subquery, exp.CTE):
        known |= {name.lower() for name in getattr(subquery.this, "named_selects", [])}
    for column in tree.find_all(exp.Column):
        if isinstance(column.this, exp.Star):
            continue
        shown = ".".join(part.name for part in column.parts)
        if column.name.lower() not in known:
            raise unresolved(shown)
        if column.table and column.table.lower() not in aliases:
            raise unresolved(shown)


def unresolved(name: str) -> SqlError:
    return analyzing(f"Column '{name}' cannot be resolved")
