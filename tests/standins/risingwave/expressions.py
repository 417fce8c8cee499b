"""Binds a sink's expressions: every value has a type, every type a reason.

Rules: RisingWave 3.0.3 src/frontend/src/expr/type_inference. A value that an expression
cannot compute is NULL in a stream (src/expr/core/src/expr/non_strict.rs), at the very
node that fails.
"""

from __future__ import annotations

import decimal
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from . import functions
from . import rwtypes as t
from .casts import ASSIGN, EXPLICIT, IMPLICIT, EvalError, NUMBERS, TIMES, allowed, convert
from .duck import text
from .errors import PgError
from .exprparse import Node, bind_error
from .signatures import TABLE, Signature

Row = Sequence[Any]
_PREFERRED = (t.DOUBLE, t.BOOLEAN, t.VARCHAR, t.TIMESTAMPTZ)
_CATEGORIES = (NUMBERS, TIMES, (t.VARCHAR,), (t.BOOLEAN,), (t.BYTEA,), (t.TIME,), (t.JSONB,))


@dataclass
class Bound:
    """`type` None: a literal whose type the place decides; `literal` is its text then."""

    type: t.Type | None
    run: Callable[[Row], Any]
    literal: str | None = None

    @property
    def kind(self) -> t.Type:
        return self.type or t.VARCHAR


class Binder:
    """Compiles expressions over the columns of one table."""

    def __init__(self, inputs: Sequence[tuple[str, t.Type]]):
        self.places = {name: (place, kind) for place, (name, kind) in enumerate(inputs)}
        self.used: set[str] = set()

    def bind(self, node: Node) -> Bound:
        return getattr(self, f"_{node.kind}")(node)

    def _column(self, node: Node) -> Bound:
        if node.text not in self.places:
            raise bind_error(node, f"Item not found: Invalid column: {node.text}")
        self.used.add(node.text)
        place, kind = self.places[node.text]
        return Bound(kind, lambda row: row[place])

    def _number(self, node: Node) -> Bound:
        if node.text.isdigit() and int(node.text) < 1 << 63:
            number = int(node.text)
            return _constant(number, t.INTEGER if number < 1 << 31 else t.BIGINT)
        return _constant(decimal.Decimal(node.text), t.NUMERIC)

    def _string(self, node: Node) -> Bound:
        return Bound(None, lambda row: node.text, node.text)

    def _null(self, _: Node) -> Bound:
        return Bound(None, lambda row: None)

    def _bool(self, node: Node) -> Bound:
        return _constant(node.text == "true", t.BOOLEAN)

    def _cast(self, node: Node) -> Bound:
        assert node.type is not None
        return _cast(self.bind(node.args[0]), node.type, EXPLICIT, node)

    def _call(self, node: Node) -> Bound:
        bound = [self.bind(arg) for arg in node.args]
        if functions.variadic(node.text):
            return _VARIADIC[node.text](bound, node)
        return _resolve(node.text, bound, node)

    def _op(self, node: Node) -> Bound:
        left, right = (self.bind(arg) for arg in node.args)
        if node.text in ("and", "or"):
            return _logic(node, left, right)
        if node.text == "||":
            texts = [_cast(side, t.VARCHAR, EXPLICIT, node) for side in (left, right)]
            return _strict(t.VARCHAR, "".join, texts, spread=False)
        if node.text in ("=", "<>", "<", "<=", ">", ">=") and (left.type is None) != (
                right.type is None):
            # The literal takes the other side's type.
            kind = left.kind if left.type else right.kind
            left, right = (_cast(side, kind, IMPLICIT, node) for side in (left, right))
        return _resolve(node.text, [left, right], node)

    def _negative(self, node: Node) -> Bound:
        return _resolve("negative", [self.bind(node.args[0])], node)

    def _zone(self, node: Node) -> Bound:
        return _resolve("at_time_zone", [self.bind(arg) for arg in node.args], node)

    def _like(self, node: Node) -> Bound:
        return _resolve("like", [self.bind(arg) for arg in node.args], node)

    def _not(self, node: Node) -> Bound:
        inner = _cast(self.bind(node.args[0]), t.BOOLEAN, IMPLICIT, node)
        return _strict(t.BOOLEAN, lambda value: not value, [inner])

    def _is_null(self, node: Node) -> Bound:
        inner = self.bind(node.args[0]).run
        return Bound(t.BOOLEAN, lambda row: inner(row) is None)

    def _is_bool(self, node: Node) -> Bound:
        inner = _cast(self.bind(node.args[0]), t.BOOLEAN, IMPLICIT, node).run
        wanted = node.text == "true"
        return Bound(t.BOOLEAN, lambda row: inner(row) is wanted)

    def _in(self, node: Node) -> Bound:
        sides = _align([self.bind(arg) for arg in node.args], node)
        one, others = sides[0].run, [side.run for side in sides[1:]]

        def run(row: Row) -> Any:
            value, found = one(row), [other(row) for other in others]
            if value is None:
                return None
            return True if value in [item for item in found if item is not None] else (
                None if None in found else False)
        return Bound(t.BOOLEAN, run)

    def _case(self, node: Node) -> Bound:
        conditions = [_cast(self.bind(arg), t.BOOLEAN, IMPLICIT, node)
                      for arg in node.args[:-1:2]]
        results = _align([self.bind(arg) for arg in [*node.args[1::2], node.args[-1]]], node)

        def run(row: Row) -> Any:
            for condition, result in zip(conditions, results):
                if condition.run(row):
                    return result.run(row)
            return results[-1].run(row)
        return Bound(results[0].type, run)


def _constant(value: Any, kind: t.Type) -> Bound:
    return Bound(kind, lambda row: value)


def _strict(kind: t.Type, compute: Callable[..., Any], args: list[Bound],
            spread: bool = True) -> Bound:
    """NULL for a NULL argument, and for values `compute` cannot work with."""
    def run(row: Row) -> Any:
        values = [arg.run(row) for arg in args]
        if any(value is None for value in values):
            return None
        try:
            return compute(*values) if spread else compute(values)
        except (EvalError, ArithmeticError, ValueError):
            return None
    return Bound(kind, run)


def _cast(value: Bound, target: t.Type, context: str, node: Node) -> Bound:
    if value.type is None:
        if value.literal is None:
            return Bound(target, value.run)
        return _literal(value.literal, target, node)
    if value.type is target:
        return value
    source = value.type
    if not allowed(source, target, context):
        raise bind_error(node, f'Bind error: cannot cast type "{source.name}" to '
                         f'"{target.name}" in {context} context')
    return _strict(target, functools.partial(convert, source=source, target=target), [value])


def _literal(literal: str, target: t.Type, node: Node) -> Bound:
    """A text that stands for a value of `target`; a bad one is refused when it is bound."""
    try:
        return _constant(convert(literal, t.VARCHAR, target), target)
    except EvalError as error:
        raise bind_error(node, f"Expr error: Parse error: {error}") from error


def _align(values: list[Bound], node: Node) -> list[Bound]:
    """Brings values to their least restrictive type."""
    kind: t.Type | None = None
    for value in values:
        if value.type is None or value.type is kind:
            continue
        if kind is None or allowed(kind, value.type, IMPLICIT):
            kind = value.type
        elif not allowed(value.type, kind, IMPLICIT):
            raise bind_error(node, f"Bind error: types {kind.rust} and {value.type.rust} cannot "
                             "be matched")
    return [_cast(value, kind or t.VARCHAR, IMPLICIT, node) for value in values]


def _logic(node: Node, left: Bound, right: Bound) -> Bound:
    one, other = (_cast(side, t.BOOLEAN, IMPLICIT, node).run for side in (left, right))
    decisive = node.text == "or"

    def run(row: Row) -> Any:
        values = one(row), other(row)
        if decisive in values:
            return decisive
        return None if None in values else not decisive
    return Bound(t.BOOLEAN, run)


# Which signature


def _resolve(name: str, args: list[Bound], node: Node) -> Bound:
    known = TABLE.get(name, [])
    kinds = [arg.type for arg in args]
    candidates = _best([s for s in known if len(s.inputs) == len(args)], kinds)
    if len(candidates) > 1:
        candidates = _narrow(candidates, kinds)
    if not candidates:
        shown = ", ".join(kind.name if kind else "unknown" for kind in kinds)
        raise bind_error(node, f"function {node.text or name}({shown}) does not exist")
    if len(candidates) > 1:
        raise bind_error(node, f"Bind error: function {name} is not unique\nHINT:  Could not "
                         "choose a best candidate function. You might need to add explicit type "
                         "casts.")
    signature = candidates[0]
    fitted = [_cast(arg, kind, IMPLICIT, node) for arg, kind in zip(args, signature.inputs)]
    return _strict(signature.result, signature.run, fitted)


def _best(candidates: list[Signature],
          kinds: list[t.Type | None]) -> list[Signature]:
    """Those with the most exact types, then with the most preferred ones."""
    if len(kinds) == 2 and (kinds[0] is None) != (kinds[1] is None):
        same = kinds[0] or kinds[1]
        exact = [s for s in candidates if s.inputs == (same, same)]
        if exact:
            return exact
    best, ranked = (0, 0), []
    for signature in candidates:
        pairs = [(kind, formal) for kind, formal in zip(kinds, signature.inputs) if kind]
        if not all(allowed(kind, formal, IMPLICIT) for kind, formal in pairs):
            continue
        rank = (sum(kind is formal for kind, formal in pairs),
                sum(formal in _PREFERRED for _, formal in pairs))
        if rank > best:
            best, ranked = rank, []
        if rank == best:
            ranked.append(signature)
    return ranked


def _narrow(candidates: list[Signature],
            kinds: list[t.Type | None]) -> list[Signature]:
    """Decides for literals: text where one takes text, else the preferred type."""
    for place, kind in enumerate(kinds):
        if kind is not None:
            continue
        formals = [signature.inputs[place] for signature in candidates]
        if t.VARCHAR in formals:
            chosen = [s for s in candidates if s.inputs[place] is t.VARCHAR]
        elif any(set(formals) <= set(category) for category in _CATEGORIES):
            chosen = [s for s in candidates if s.inputs[place] in _PREFERRED]
        else:
            chosen = []
        candidates = chosen or candidates
    known = {kind for kind in kinds if kind}
    if len(candidates) > 1 and len(known) == 1:
        same = known.pop()
        candidates = [s for s in candidates if all(
            allowed(same, formal, IMPLICIT) for formal in s.inputs)] or candidates
    return candidates


# Functions of any number of arguments


def _need(args: list[Bound], least: int, node: Node) -> None:
    if len(args) < least:
        raise bind_error(node, f"Bind error: Function `{node.text}` takes at least {least} "
                         f"arguments ({len(args)} given)")


def _coalesce(args: list[Bound], node: Node) -> Bound:
    _need(args, 1, node)
    aligned = _align(args, node)
    runs = [arg.run for arg in aligned]
    return Bound(aligned[0].type, lambda row: next(
        (value for value in (run(row) for run in runs) if value is not None), None))


def _extreme(pick: Callable[..., Any]) -> Callable[[list[Bound], Node], Bound]:
    def bind(args: list[Bound], node: Node) -> Bound:
        _need(args, 1, node)
        aligned = _align(args, node)
        runs = [arg.run for arg in aligned]

        def run(row: Row) -> Any:
            values = [value for value in (run(row) for run in runs) if value is not None]
            return pick(values) if values else None
        return Bound(aligned[0].type, run)
    return bind


def _nullif(args: list[Bound], node: Node) -> Bound:
    if len(args) != 2:
        raise bind_error(node, "Expr error: unexpected arguments number")
    first = args[0]
    equal = _resolve("=", _align(args, node), node)
    return Bound(first.kind, lambda row: None if equal.run(row) else first.run(row))


def _joined(args: list[Bound], node: Node) -> Bound:
    """concat and concat_ws: NULLs are left out, values print as a query prints them."""
    separator = _constant("", t.VARCHAR)
    if node.text == "concat_ws":
        _need(args, 2, node)
        separator, args = _cast(args[0], t.VARCHAR, IMPLICIT, node), args[1:]
    _need(args, 1, node)
    for arg in args:
        if arg.type is not None and not allowed(arg.type, t.VARCHAR, ASSIGN):
            raise PgError(f'Bind error: cannot cast type "{arg.type.name}" to "character varying"')

    def run(row: Row) -> Any:
        between = separator.run(row)
        values = [(arg.run(row), arg.kind) for arg in args]
        shown = [text(value, kind) or "" for value, kind in values if value is not None]
        return None if between is None else between.join(shown)
    return Bound(t.VARCHAR, run)


_VARIADIC: dict[str, Callable[[list[Bound], Node], Bound]] = {
    "coalesce": _coalesce, "greatest": _extreme(max), "least": _extreme(min),
    "nullif": _nullif, "concat": _joined, "concat_ws": _joined}
