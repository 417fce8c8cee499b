"""Errors as the FE sends them: number, SQLSTATE and text.

Texts raised while a statement is analyzed arrive wrapped ("Getting analyzing
error. Detail message: ... ."), those raised while it runs arrive plain. Sources:
the contract's starrocks.md 5.5 and the FE transcript.
"""

from __future__ import annotations

from collections.abc import Iterable

_SQLSTATES = {
    1007: "HY000", 1008: "HY000", 1045: "28000", 1046: "3D000", 1047: "08S01",
    1050: "42S01", 1060: "42S21", 1064: "HY000", 1094: "HY000", 1102: "42000",
    1104: "42000", 1113: "42000", 1115: "42000", 1117: "42000", 1166: "42000",
    1193: "HY000", 1231: "42000", 1295: "HY000", 1298: "HY000", 1347: "HY000",
    5024: "53400", 5063: "42000", 5064: "42000", 5203: "42000", 5205: "HY000",
    5305: "25P01", 5501: "3F000", 5502: "42602", 5509: "42S22", 5510: "42000",
    5610: "22000", 5907: "42000", 6014: "42000",
}

Position = tuple[int, int]


class SqlError(Exception):
    def __init__(self, code: int, message: str):
        super().__init__(message)
        self.code = code
        self.sqlstate = _SQLSTATES[code]
        self.message = message


def plain(message: str, code: int = 1064) -> SqlError:
    """An error raised while the statement runs."""
    return SqlError(code, message)


def analyzing(message: str, code: int = 1064, start: Position | None = None,
              stop: Position | None = None) -> SqlError:
    where = ""
    if start and stop:
        where = f" from line {start[0]}, column {start[1]} to line {stop[0]}, column {stop[1]}"
    return SqlError(code, f"Getting analyzing error{where}. Detail message: {message}.")


def syntax(message: str, at: Position | None = None) -> SqlError:
    where = f" at line {at[0]}, column {at[1]}" if at else ""
    return SqlError(1064, f"Getting syntax error{where}. Detail message: {message}.")


def unknown_database(name: str) -> SqlError:
    return analyzing(f"Unknown database '{name}'", 5501)


def unknown_table(name: str) -> SqlError:
    return analyzing(f"Unknown table '{name}'", 5502)


def table_not_found(name: str) -> SqlError:
    return analyzing(f"Table {name} is not found")


def no_database() -> SqlError:
    return analyzing("No database selected", 1046)


def denied(privilege: str, on: str, roles: Iterable[str], inactive: Iterable[str]) -> SqlError:
    def names(items: Iterable[str]) -> str:
        listed = ", ".join(sorted(items))
        return f"[{listed}]" if listed else "NONE"

    return SqlError(5203, (
        f"Access denied; you need (at least one of) the {privilege} privilege(s) on {on} for "
        "this operation. Please ask the admin to grant permission(s) or try activating existing "
        f"roles using <set [default] role>. Current role(s): {names(roles)}. "
        f"Inactivated role(s): {names(inactive)}."))
