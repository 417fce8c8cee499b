"""A sink's SELECT: which columns it yields, and their values for changed rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlglot import exp

from .catalog import Column
from .errors import PgError, not_implemented
from .expressions import Binder, Bound
from .exprparse import Item, Node, select
from .printer import expression_text
from .query import folded, parse
from .rwtypes import BOOLEAN

_REFUSED = {"joins": "JOIN", "group": "GROUP BY", "having": "HAVING", "limit": "LIMIT",
            "distinct": "DISTINCT", "order": "ORDER BY", "with": "WITH", "with_": "WITH"}


class Projection:
    """Compiled against the columns its table had when the sink was created."""

    def __init__(self, inputs: Sequence[Column], query: str | None, table_name: str):
        self.query = query
        self.table_name = table_name
        self.inputs = [(column.name, column.type) for column in inputs]
        self.places = list(range(len(self.inputs)))  # of the inputs in the table's rows
        self.outputs: list[Column] = []
        self.stored_names: list[str] = []  # of the log store's columns
        self._compile()

    def __getstate__(self) -> dict[str, Any]:
        """What is compiled is not saved but made again."""
        compiled = ("runs", "keep", "used")
        return {key: value for key, value in self.__dict__.items() if key not in compiled}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._compile()

    def _compile(self) -> None:
        binder = Binder(self.inputs)
        items, condition = _items(self.query, [name for name, _ in self.inputs])
        nodes = [(item.node or Node("null"), item.alias) for item in items]
        bound = [binder.bind(node) for node, _ in nodes]
        self.outputs = [Column(alias or _output_name(node), item.kind)
                        for (node, alias), item in zip(nodes, bound)]
        self.runs = [item.run for item in bound]
        self.keep = _condition(binder, condition)
        self.used = binder.used
        expressions = iter(range(1, len(items) + 1))
        self.stored_names = [
            f"{self.table_name}_{node.text}" if node.kind == "column"
            else f"$expr{next(expressions)}" for node, _ in nodes]

    def rebind(self, columns: Sequence[Column]) -> None:
        """Follows the table's columns, of which some were added or dropped meanwhile."""
        names = [column.name for column in columns]
        self.places = [names.index(name) if name in names else -1 for name, _ in self.inputs]

    def apply(self, rows: Sequence[Sequence[Any]]) -> list[tuple | None]:
        """One output row per input row; None where WHERE drops it."""
        found: list[tuple | None] = []
        for row in rows:
            inputs = [None if place < 0 else row[place] for place in self.places]
            keeps = self.keep is None or self.keep(inputs) is True
            found.append(tuple(run(inputs) for run in self.runs) if keeps else None)
        return found


def _items(query: str | None, names: list[str]) -> tuple[list[Item], Node | None]:
    """The SELECT's items, stars written out; of no query, all columns."""
    items, condition = select(query) if query is not None else ([Item(None, None)], None)
    expanded: list[Item] = []
    for item in items:
        star = [Item(Node("column", name), None) for name in names]
        expanded += star if item.node is None else [item]
    return expanded, condition


def _condition(binder: Binder, node: Node | None) -> Callable[[Sequence[Any]], Any] | None:
    if node is None:
        return None
    bound: Bound = binder.bind(node)
    if bound.kind is not BOOLEAN:
        raise PgError("Invalid input syntax: argument of WHERE must be boolean, not type "
                      f"{bound.kind.name}")
    return bound.run


def _output_name(node: Node) -> str:
    """PostgreSQL names an output after its column or its function."""
    while node.kind == "cast":
        node = node.args[0]
    if node.kind in ("column", "call"):
        return node.text
    return node.kind if node.kind == "case" else "?column?"


def source_of(query: str) -> tuple[str | None, str]:
    """The one table a sink's SELECT reads. Raises for what is not described."""
    tree = parse(query)
    if not isinstance(tree, exp.Select):
        raise not_implemented("CREATE SINK AS SELECT with a set operation")
    for key, word in _REFUSED.items():
        if tree.args.get(key):
            raise not_implemented(f"CREATE SINK AS SELECT with {word}")
    if any(tree.find_all(exp.Parameter)):
        raise not_implemented("CREATE SINK AS SELECT with parameters")
    if any(tree.find_all(exp.AggFunc)) or any(tree.find_all(exp.Window)) \
            or any(tree.find_all(exp.Subquery)):
        raise not_implemented("CREATE SINK AS SELECT with aggregates or subqueries")
    source = tree.args.get("from") or tree.args.get("from_")
    table = source.this if source is not None else None
    if not isinstance(table, exp.Table):
        raise PgError("Bind error: CREATE SINK AS SELECT needs a table")
    return folded(table.args.get("db")), folded(table.this) or ""


def printed(query: str) -> str:
    return expression_text(parse(query))
