"""Prints parsed SQL as RisingWave's definitions do."""

from __future__ import annotations

from sqlglot import exp
from sqlglot.dialects.risingwave import RisingWave

_TYPES = {"VARCHAR": "CHARACTER VARYING", "TEXT": "CHARACTER VARYING", "DECIMAL": "NUMERIC",
          "DOUBLE": "DOUBLE", "INT": "INT", "TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE",
          "BLOB": "BYTEA", "VARBINARY": "BYTEA"}


class _Generator(RisingWave.Generator):
    def datatype_sql(self, expression: exp.DataType) -> str:
        name = expression.this.name if hasattr(expression.this, "name") else ""
        if name in _TYPES and not expression.expressions:
            return _TYPES[name]
        return super().datatype_sql(expression)

    def encode_sql(self, expression: exp.Encode) -> str:
        return f"encode({self.sql(expression, 'this')}, {self.sql(expression, 'charset')})"


def expression_text(node: exp.Expression) -> str:
    text = _Generator(normalize_functions=False).generate(node.copy())
    return text.replace("STRING_AGG(", "string_agg(").replace("COUNT(", "count(")
