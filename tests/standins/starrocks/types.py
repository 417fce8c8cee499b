"""Column types: how they are written, printed, sent and compared.

Sources: the contract's starrocks.md 2, 3.4 and 4.1, and the FE transcript.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..common import mysqlwire as wire

MAX_VARCHAR = 1048576
STRING_LENGTH = 65533

_WIDTHS = {"TINYINT": 4, "SMALLINT": 6, "INT": 11, "BIGINT": 20, "LARGEINT": 40}
KEY_TYPES = frozenset(["BOOLEAN", "TINYINT", "SMALLINT", "INT", "BIGINT", "LARGEINT",
                       "VARCHAR", "DATE", "DATETIME"])
INTEGER_BITS = {"TINYINT": 8, "SMALLINT": 16, "INT": 32, "BIGINT": 64, "LARGEINT": 128}

# From -> to, beyond the same family (starrocks.md 3.4).
_CHANGES = {
    "TINYINT": {"SMALLINT", "INT", "BIGINT", "LARGEINT", "DOUBLE", "VARCHAR"},
    "SMALLINT": {"INT", "BIGINT", "LARGEINT", "DOUBLE", "VARCHAR"},
    "INT": {"BIGINT", "LARGEINT", "DOUBLE", "DATE", "VARCHAR"},
    "BIGINT": {"LARGEINT", "DOUBLE", "VARCHAR"},
    "LARGEINT": {"VARCHAR"},
    "FLOAT": {"DOUBLE", "VARCHAR"},
    "DOUBLE": {"VARCHAR"},
    "CHAR": {"CHAR", "VARCHAR"},
    "VARCHAR": {"VARCHAR", "JSON", "TINYINT", "SMALLINT", "INT", "BIGINT", "LARGEINT", "FLOAT",
                "DOUBLE", "DATE", "DECIMAL"},
    "JSON": {"VARCHAR"},
    "DATE": {"DATETIME"},
    "DATETIME": {"DATE"},
    "DECIMAL": {"DECIMAL", "VARCHAR"},
}


@dataclass(frozen=True)
class SqlType:
    """`length` of CHAR/VARCHAR/VARBINARY counts bytes; `inner` is an array's element."""

    name: str
    length: int = 0
    precision: int = 0
    scale: int = 0
    inner: "SqlType | None" = None

    def create_text(self) -> str:
        """As SHOW CREATE TABLE prints it."""
        if self.name in _WIDTHS:
            return f"{self.name.lower()}({_WIDTHS[self.name]})"
        if self.name == "DECIMAL":
            return f"decimal({self.precision}, {self.scale})"
        if self.name in ("CHAR", "VARCHAR", "VARBINARY"):
            return f"{self.name.lower()}({self.length})"
        if self.inner:
            return f"array<{self.inner.create_text()}>"
        return "TIME" if self.name == "TIME" else self.name.lower()

    def desc_text(self) -> str:
        """As DESC and SHOW COLUMNS print it."""
        if self.name in _WIDTHS:
            return self.name.lower()
        if self.inner:
            return f"array<{self.inner.desc_text()}>"
        return self.create_text().replace(", ", ",")

    def column_type(self) -> str:
        """As information_schema.columns.COLUMN_TYPE prints it."""
        if self.name == "BOOLEAN":
            return "tinyint(1)"
        return "bigint(20) unsigned" if self.name == "LARGEINT" else self.create_text()

    def data_type(self) -> str:
        special = {"BOOLEAN": "tinyint", "LARGEINT": "bigint unsigned"}
        return special.get(self.name, "array" if self.inner else self.name.lower())

    def java_text(self) -> str:
        """As messages about type changes print it."""
        if self.name == "DECIMAL":
            bits = next(b for p, b in ((18, 64), (38, 128), (76, 256))
                        if self.precision <= p)
            return f"DECIMAL{bits}({self.precision},{self.scale})"
        if self.name in ("CHAR", "VARCHAR", "VARBINARY"):
            return f"{self.name}({self.length})"
        return f"ARRAY<{self.inner.java_text()}>" if self.inner else self.name

    def numeric_facts(self) -> tuple[int | None, int | None]:
        """NUMERIC_PRECISION and NUMERIC_SCALE."""
        if self.name == "DECIMAL":
            return self.precision, self.scale
        facts: dict[str, tuple[int | None, int | None]] = {
            "TINYINT": (3, 0), "SMALLINT": (5, 0), "INT": (10, 0), "BIGINT": (19, 0),
            "LARGEINT": (39, None), "BOOLEAN": (None, 0), "DOUBLE": (15, 15), "FLOAT": (7, 7)}
        return facts.get(self.name, (None, None))

    def field(self, name: str, table: str = "", db: str = "") -> wire.Field:
        kind, length, charset, decimals = self._wire()
        return wire.Field(name, kind, length, charset, decimals, table, db)

    def _wire(self) -> tuple[int, int, int, int]:
        if self.name == "DECIMAL":
            dot = 1 if self.scale else 0
            return wire.NEWDECIMAL, self.precision + dot + 3, 63, self.scale
        if self.name == "VARCHAR":
            return wire.VAR_STRING, 3 * self.length, 33, 0
        if self.name == "VARBINARY":
            return wire.BLOB, 3 * self.length, 63, 0
        return _WIRE.get(self.name, (wire.VAR_STRING, 192, 33, 0))

    def duck(self) -> str:
        """The DuckDB type that stores it."""
        if self.name == "DECIMAL" and self.precision <= 38:
            return f"DECIMAL({self.precision},{self.scale})"
        return _DUCK.get(self.name, "VARCHAR")


_WIRE = {
    "BOOLEAN": (wire.TINY, 1, 63, 0), "TINYINT": (wire.TINY, 4, 63, 0),
    "SMALLINT": (wire.SHORT, 6, 63, 0), "INT": (wire.LONG, 11, 63, 0),
    "BIGINT": (wire.LONGLONG, 20, 63, 0), "LARGEINT": (wire.STRING, 40, 33, 0),
    "FLOAT": (wire.FLOAT, 12, 63, 31), "DOUBLE": (wire.DOUBLE, 22, 63, 31),
    "DATE": (wire.DATE, 10, 63, 0), "DATETIME": (wire.DATETIME, 19, 63, 0),
    "JSON": (wire.STRING, 60, 33, 0), "CHAR": (wire.VAR_STRING, 192, 33, 0),
}
_DUCK = {
    "BOOLEAN": "BOOLEAN", "TINYINT": "TINYINT", "SMALLINT": "SMALLINT", "INT": "INTEGER",
    "BIGINT": "BIGINT", "LARGEINT": "HUGEINT", "FLOAT": "FLOAT", "DOUBLE": "DOUBLE",
    "DATE": "DATE", "DATETIME": "TIMESTAMP", "VARBINARY": "BLOB",
}


def change_problem(old: SqlType, new: SqlType) -> str | None:
    """Why MODIFY COLUMN cannot turn `old` into `new`, or None when it can."""
    if old == new:
        return None
    if old.name == "JSON" and new.name == "VARCHAR" and new.length < 1024:
        return "JSON needs minimum length of 1024"
    refused = f"Can not change {old.java_text()} to {new.java_text()}"
    if new.name not in _CHANGES.get(old.name, set()):
        return refused
    if old.name in ("CHAR", "VARCHAR") and new.name in ("CHAR", "VARCHAR"):
        return "Cannot shorten string length" if new.length < old.length else None
    if old.name == "DECIMAL" and new.name == "DECIMAL":
        wider = new.scale >= old.scale and (new.precision - new.scale
                                            >= old.precision - old.scale)
        return None if wider else refused
    if old.name == "DECIMAL" and new.name == "VARCHAR" and new.length < old.precision + 2:
        return refused
    return None
