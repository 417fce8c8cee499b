"""A sink's SELECT: which columns it yields, and their values for changed rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlglot import exp

from . import duck
from .catalog import Column
from .errors import PgError, not_implemented
from .printer import expression_text
from .query import Engine, check_names, folded, output_name, parse, rewrite
from .rwtypes import BIGINT

_INPUT, _NUMBER, _KEEP = "rw_sink_input", "rw_sink_number", "rw_sink_keep"
_REFUSED = {"joins": "JOIN", "group": "GROUP BY", "having": "HAVING", "limit": "LIMIT",
            "distinct": "DISTINCT", "order": "ORDER BY", "with": "WITH", "with_": "WITH"}


class Projection:
    """Compiled against the columns its table had when the sink was created."""

    def __init__(self, engine: Engine, inputs: Sequence[Column], query: str | None,
                 table_name: str):
        self.query = query
        self.table_name = table_name
        self.inputs = [(column.name, column.type) for column in inputs]
        self.outputs: list[Column] = []
        self.stored_names: list[str] = []  # of the log store's columns
        self.plain: list[int] | None = None
        self.sql = ""
        self.filters = False
        if query is None:
            self._identity()
        else:
            self._compile(engine, query)

    def _identity(self) -> None:
        self.outputs = [Column(name, kind) for name, kind in self.inputs]
        self.stored_names = [f"{self.table_name}_{name}" for name, _ in self.inputs]
        self.plain = list(range(len(self.inputs)))

    def _compile(self, engine: Engine, query: str) -> None:
        tree = parse(query)
        assert isinstance(tree, exp.Select)
        names = [name for name, _ in self.inputs]
        check_names(tree, set(names))
        items: list[exp.Expression] = []
        for item in tree.expressions:
            star = item.is_star
            items += [exp.column(name, quoted=True) for name in names] if star else [item]
        output_names = [item.alias or output_name(item) for item in items]
        bodies = [item.unalias() for item in items]
        plain = [names.index(folded(body.this) or "") if isinstance(body, exp.Column) else -1
                 for body in bodies]
        where = tree.args.get("where")
        self.filters = where is not None
        self.plain = plain if min(plain) >= 0 and not self.filters else None
        self.sql = self._statement(bodies, output_names, where)
        duck.fill(engine.con, _INPUT, [*self.inputs, (_NUMBER, BIGINT)], [])
        columns, _ = duck.run(engine.con, self.sql)
        self.outputs = [Column(name, kind) for name, (_, kind) in
                        zip(output_names, columns[1:])]
        for place, output in zip(plain, self.outputs):
            if place >= 0:
                output.type = self.inputs[place][1]
        expressions = iter(range(1, len(items) + 1))
        self.stored_names = [
            f"{self.table_name}_{names[place]}" if place >= 0 else f"$expr{next(expressions)}"
            for place in plain]

    @staticmethod
    def _statement(bodies: list[exp.Expression], names: list[str], where: Any) -> str:
        reads = []
        for number, body in enumerate(bodies):
            wrapped = exp.Paren(this=body.copy()).transform(_unqualified).transform(rewrite, {})
            reads.append(f"{wrapped.transform(_lenient).sql('duckdb')} AS c{number}")
        keep = "TRUE"
        if where is not None:
            keep = where.this.copy().transform(_unqualified).transform(rewrite, {}).sql("duckdb")
        return (f"SELECT {_NUMBER}, {', '.join(reads)}, ({keep}) AS {_KEEP} FROM {_INPUT} "
                f"ORDER BY {_NUMBER}")

    def apply(self, engine: Engine, rows: Sequence[Sequence[Any]]) -> list[tuple | None]:
        """One output row per input row; None where WHERE drops it."""
        if not rows:
            return []
        if self.plain is not None:
            return [tuple(row[place] for place in self.plain) for row in rows]
        width = len(self.inputs)
        numbered = [[*row[:width], number] for number, row in enumerate(rows)]
        duck.fill(engine.con, _INPUT, [*self.inputs, (_NUMBER, BIGINT)], numbered)
        _, found = duck.run(engine.con, self.sql)
        return [tuple(row[1:-1]) if row[-1] else None for row in found]


def _unqualified(node: exp.Expression) -> exp.Expression:
    if isinstance(node, exp.Column):
        return exp.column(folded(node.this) or "", quoted=True)
    return node


def _lenient(node: exp.Expression) -> exp.Expression:
    """An expression that fails in a stream yields NULL."""
    if isinstance(node, exp.Cast) and not isinstance(node, exp.TryCast):
        return exp.TryCast(this=node.this, to=node.to)
    return node


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


