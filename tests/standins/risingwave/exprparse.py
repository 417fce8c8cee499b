"""The grammar of a sink's SELECT: items, one table, WHERE.

Operators bind as in RisingWave 3.0.3's parser, loosest first: OR, AND, NOT, IS, comparison,
LIKE and IN and BETWEEN, `||` and JSON's arrows, plus, times, AT TIME ZONE, sign, `::`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .errors import PgError, not_implemented
from .lexer import NUMBER, QUOTED, STRING, SYMBOL, WORD, Cursor
from .rwtypes import Type, parse_type

_COMPARISONS = ("=", "<>", "!=", "<", "<=", ">", ">=")
_OR, _AND, _NOT, _IS, _COMPARE, _LIKE, _OTHER, _PLUS, _TIMES, _AT, _SIGN = range(1, 12)
_BINARY = {**{symbol: _COMPARE for symbol in _COMPARISONS}, "||": _OTHER, "->": _OTHER,
           "->>": _OTHER, "+": _PLUS, "-": _PLUS, "*": _TIMES, "/": _TIMES, "%": _TIMES}
_RESERVED = {"from", "where", "as", "and", "or", "not", "is", "in", "like", "between", "then",
             "else", "when", "end", "case", "select", "with", "for", "on", "order", "group",
             "limit", "union", "having", "join"}


@dataclass
class Node:
    """`text` is a name, an operator or a literal; what `args` mean depends on `kind`."""

    kind: str  # column number string bool null call op cast zone case not negative is_null in like
    text: str = ""
    args: list[Node] = field(default_factory=list)
    type: Type | None = None


@dataclass
class Item:
    node: Node | None  # None: all columns
    alias: str | None


def select(sql: str) -> tuple[list[Item], Node | None]:
    """The items and the condition of `SELECT items FROM table [WHERE condition]`."""
    cursor = Cursor(sql)
    cursor.need("select")
    items = [_item(cursor)]
    while cursor.take_symbol(","):
        items.append(_item(cursor))
    cursor.need("from")
    cursor.object_name()
    if cursor.take("as") or cursor.token.kind in (WORD, QUOTED) and not cursor.is_word("where"):
        cursor.name()
    condition = expression(cursor) if cursor.take("where") else None
    cursor.end()
    return items, condition


def _item(cursor: Cursor) -> Item:
    if cursor.take_symbol("*"):
        return Item(None, None)
    if cursor.peek().text == "." and cursor.peek(2).text == "*" \
            and cursor.peek(2).kind == SYMBOL:
        cursor.name()
        cursor.at += 2
        return Item(None, None)
    node = expression(cursor)
    if cursor.take("as"):
        return Item(node, cursor.name())
    if cursor.token.kind == QUOTED or cursor.token.kind == WORD \
            and cursor.token.text not in _RESERVED:
        return Item(node, cursor.name())
    return Item(node, None)


def expression(cursor: Cursor, floor: int = 0) -> Node:
    left = _prefix(cursor)
    while True:
        found = _infix(cursor, left, floor)
        if found is None:
            return left
        left = found


def _infix(cursor: Cursor, left: Node, floor: int) -> Node | None:
    """`left` with the next operator, if that binds tighter than `floor`."""
    token = cursor.token
    if token.kind == SYMBOL:
        power = _BINARY.get(token.text, 0)
        if power > floor:
            cursor.next()
            symbol = "<>" if token.text == "!=" else token.text
            return Node("op", symbol, [left, expression(cursor, power)])
        return None
    for word, power in (("or", _OR), ("and", _AND)):
        if power > floor and cursor.take(word):
            return Node("op", word, [left, expression(cursor, power)])
    if _IS > floor and cursor.take("is"):
        return _is(cursor, left)
    if _AT > floor and cursor.take("at", "time", "zone"):
        return Node("zone", "", [left, expression(cursor, _AT)])
    return _membership(cursor, left) if _LIKE > floor else None


def _is(cursor: Cursor, left: Node) -> Node:
    negative = cursor.take("not")
    if cursor.take("null"):
        found = Node("is_null", "", [left])
    elif cursor.is_word("true") or cursor.is_word("false"):
        found = Node("is_bool", cursor.next().text, [left])
    else:
        raise cursor.expected("[NOT] NULL or TRUE|FALSE after IS")
    return Node("not", "", [found]) if negative else found


def _membership(cursor: Cursor, left: Node) -> Node | None:
    negative = cursor.is_word("not") and cursor.peek().text in ("in", "like", "between")
    if negative:
        cursor.next()
    if cursor.take("in"):
        found = Node("in", "", [left, *_arguments(cursor)])
    elif cursor.take("like"):
        found = Node("like", "", [left, expression(cursor, _LIKE)])
    elif cursor.take("between"):
        low = expression(cursor, _LIKE)
        cursor.need("and")
        found = Node("op", "and", [Node("op", ">=", [left, low]),
                                   Node("op", "<=", [left, expression(cursor, _LIKE)])])
    else:
        return None
    return Node("not", "", [found]) if negative else found


def _prefix(cursor: Cursor) -> Node:
    if cursor.take("not"):
        return Node("not", "", [expression(cursor, _NOT)])
    if cursor.take_symbol("-"):
        return Node("negative", "", [expression(cursor, _SIGN)])
    if cursor.take_symbol("+"):
        return expression(cursor, _SIGN)
    node = _primary(cursor)
    while cursor.take_symbol("::"):
        node = Node("cast", "", [node], parse_type(cursor)[0])
    return node


def _primary(cursor: Cursor) -> Node:
    token = cursor.token
    if token.kind in (NUMBER, STRING):
        cursor.next()
        return Node("number" if token.kind == NUMBER else "string", token.text)
    if cursor.take_symbol("("):
        if cursor.is_word("select"):
            raise not_implemented("CREATE SINK AS SELECT with aggregates or subqueries")
        node = expression(cursor)
        cursor.need_symbol(")")
        return node
    if token.kind == QUOTED:
        return _column(cursor)
    if token.kind == WORD:
        return _word(cursor)
    raise cursor.expected("an expression")


def _word(cursor: Cursor) -> Node:
    word = cursor.token.text
    if word in ("null", "true", "false"):
        cursor.next()
        return Node("null") if word == "null" else Node("bool", word)
    if cursor.take("case"):
        return _case(cursor)
    if word in _SPECIAL and cursor.peek().text == "(":
        cursor.next()
        cursor.need_symbol("(")
        node = _SPECIAL[word](cursor)
        cursor.need_symbol(")")
        return node
    if word in ("date", "time", "timestamp", "timestamptz") and cursor.peek().kind == STRING:
        found = parse_type(cursor)[0]
        return Node("cast", "", [Node("string", cursor.string())], found)
    if cursor.peek().kind == SYMBOL and cursor.peek().text == "(":
        cursor.next()
        return Node("call", word, _arguments(cursor))
    if word in _RESERVED:
        raise cursor.expected("an expression")
    return _column(cursor)


def _column(cursor: Cursor) -> Node:
    name = cursor.name()
    while cursor.take_symbol("."):
        name = cursor.name()
    return Node("column", name)


def _arguments(cursor: Cursor) -> list[Node]:
    cursor.need_symbol("(")
    if cursor.is_word("select"):
        raise not_implemented("CREATE SINK AS SELECT with aggregates or subqueries")
    found: list[Node] = []
    if not cursor.is_symbol(")"):
        found.append(expression(cursor))
        while cursor.take_symbol(","):
            found.append(expression(cursor))
    cursor.need_symbol(")")
    if cursor.is_word("over") or cursor.is_word("filter"):
        raise not_implemented("CREATE SINK AS SELECT with aggregates or subqueries")
    return found


def _case(cursor: Cursor) -> Node:
    """`args`: condition, result, condition, result, ..., and the ELSE."""
    operand = None if cursor.is_word("when") else expression(cursor)
    args: list[Node] = []
    while cursor.take("when"):
        condition = expression(cursor)
        if operand is not None:
            condition = Node("op", "=", [operand, condition])
        cursor.need("then")
        args += [condition, expression(cursor)]
    if not args:
        raise cursor.expected("WHEN")
    args.append(expression(cursor) if cursor.take("else") else Node("null"))
    cursor.need("end")
    return Node("case", "", args)


def _cast(cursor: Cursor) -> Node:
    node = expression(cursor)
    cursor.need("as")
    return Node("cast", "", [node], parse_type(cursor)[0])


def _extract(cursor: Cursor) -> Node:
    unit = cursor.next().text
    cursor.need("from")
    return Node("call", "extract", [Node("string", unit), expression(cursor)])


def _substring(cursor: Cursor) -> Node:
    args = [expression(cursor)]
    for word in ("from", "for"):
        if cursor.take(word) or cursor.take_symbol(","):
            args.append(expression(cursor))
        elif word == "from" and cursor.is_word("for"):
            args.append(Node("number", "1"))
    return Node("call", "substr", args)


def _position(cursor: Cursor) -> Node:
    wanted = expression(cursor, _LIKE)
    cursor.need("in")
    return Node("call", "strpos", [expression(cursor), wanted])


def _trim(cursor: Cursor) -> Node:
    name = "trim"
    for word, function in (("both", "trim"), ("leading", "ltrim"), ("trailing", "rtrim")):
        if cursor.take(word):
            name = function
    if cursor.take("from"):
        return Node("call", name, [expression(cursor)])
    first = expression(cursor)
    if cursor.take("from"):
        return Node("call", name, [expression(cursor), first])
    if cursor.take_symbol(","):
        return Node("call", name, [first, expression(cursor)])
    return Node("call", name, [first])


_SPECIAL = {"cast": _cast, "extract": _extract, "substring": _substring, "position": _position,
            "trim": _trim}


def text_of(node: Node) -> str:
    """A short form of an expression for messages."""
    inner = ", ".join(text_of(arg) for arg in node.args)
    if node.kind == "op":
        return f"({text_of(node.args[0])} {node.text.upper()} {text_of(node.args[1])})"
    if node.kind == "cast":
        assert node.type is not None
        return f"CAST({inner} AS {node.type.sql})"
    if node.kind == "string":
        return "'" + node.text.replace("'", "''") + "'"
    if node.kind == "call":
        return f"{node.text}({inner})"
    return node.text if not node.args else f"{node.kind.upper()}({inner})"


def bind_error(node: Node, cause: str) -> PgError:
    return PgError(f"Failed to bind expression: {text_of(node)}", cause)

