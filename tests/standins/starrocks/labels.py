"""Names of result columns: how the FE prints an expression that has no alias."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

_UPPER_FUNCTIONS = {"database", "schema", "user", "current_user", "session_user",
                    "connection_id", "catalog", "current_role", "current_catalog"}
_OPERATORS = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%", exp.EQ: "=",
              exp.NEQ: "!=", exp.GT: ">", exp.GTE: ">=", exp.LT: "<", exp.LTE: "<=",
              exp.And: "AND", exp.Or: "OR"}


def label(node: exp.Expression) -> str:
    if isinstance(node, exp.Alias):
        return str(node.alias)
    if isinstance(node, exp.Column):
        return str(node.name)
    return text(node)


def text(node: exp.Expression) -> str:
    if isinstance(node, exp.Column):
        return str(node.name)
    if isinstance(node, exp.Literal):
        return _string(node.name) if node.is_string else str(node.name)
    if isinstance(node, exp.Boolean):
        return "TRUE" if node.this else "FALSE"
    if isinstance(node, exp.Null):
        return "NULL"
    if isinstance(node, exp.Star):
        return "*"
    if isinstance(node, exp.Paren):
        return f"({text(node.this)})" if _keeps_parentheses(node) else text(node.this)
    if isinstance(node, exp.Placeholder):
        return "(?)"
    if isinstance(node, exp.Neg):
        return f"-{text(node.this)}"
    if isinstance(node, exp.SessionParameter):
        kind = node.args.get("kind")
        scope = f"{str(kind).upper()}." if kind else ""
        return f"@@{scope}{node.name}"
    if isinstance(node, exp.Parameter):
        return f"@{node.name}"
    if isinstance(node, exp.Cast):
        return f"CAST({text(node.this)} AS {_type(node.to)})"
    for kind_of, sign in _OPERATORS.items():
        if isinstance(node, exp.Binary) and type(node).__name__ == kind_of.__name__:
            return f"{text(node.this)} {sign} {text(node.expression)}"
    if isinstance(node, exp.Func):
        return _function(node)
    return str(node.sql(dialect="starrocks"))


def _keeps_parentheses(node: exp.Paren) -> bool:
    return isinstance(node.parent, exp.Binary)


def _string(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _type(node: exp.DataType) -> str:
    if node.this == exp.DataType.Type.DECIMAL:
        parts = [int(part.name) for part in node.expressions]
        precision, scale = (parts + [10, 0])[:2] if len(parts) != 1 else (parts[0], 0)
        bits = next(b for p, b in ((18, 64), (38, 128), (76, 256)) if precision <= p)
        return f"DECIMAL{bits}({precision},{scale})"
    return str(node.sql(dialect="starrocks")).upper()


def function_name(node: Any) -> str:
    name = node.sql_name() if isinstance(node, exp.Func) else ""
    name = node.name if isinstance(node, exp.Anonymous) else name
    return str(name).lower()


def _function(node: exp.Func) -> str:
    name = written_name(node)
    arguments: list[exp.Expression] = []
    if isinstance(node, exp.Anonymous):
        arguments = list(node.expressions)
    else:
        for key in node.arg_types:
            value = node.args.get(key)
            if isinstance(value, list):
                arguments += [item for item in value if isinstance(item, exp.Expression)]
            elif isinstance(value, exp.Expression):
                arguments.append(value)
    shown = name.upper() if name in _UPPER_FUNCTIONS else name
    if name != function_name(node) and node.meta.get("arguments"):
        # The parser has given it another form; the statement still has its own.
        return f"{shown}{node.meta['arguments']}"
    inner = ", ".join(text(argument) for argument in arguments)
    distinct = isinstance(node, exp.Count) and isinstance(node.this, exp.Distinct)
    if distinct:
        inner = "DISTINCT " + ", ".join(text(item) for item in node.this.expressions)
    return f"{shown}({inner})"


def written_name(node: Any) -> str:
    """The name in the statement where the parser kept it, else its own."""
    written = node.meta.get("name")
    return str(written).lower() if written else function_name(node)
