"""What MySQL's tables looked like at a place in its binary log.

A row image names no columns, and by the time it is read the table may have changed
again. So, as Debezium does, the columns are followed through the log's own DDL; only
where a statement is not understood the present catalog has to do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from .values import MyColumn

Table = tuple[str, str]
Columns = list[MyColumn]

_TOKEN = re.compile(
    r"\s+|--[^\n]*|#[^\n]*|/\*(?P<hint>![0-9]*)?.*?\*/|`(?P<quoted>(?:[^`]|``)*)`"
    r"|(?P<string>'(?:[^'\\]|''|\\.)*'|\"(?:[^\"\\]|\"\"|\\.)*\")"
    r"|(?P<word>[\w$]+)|(?P<symbol>.)", re.S)
_NO_COLUMN = {"INDEX", "KEY", "UNIQUE", "PRIMARY", "FULLTEXT", "SPATIAL", "CONSTRAINT", "FOREIGN",
              "CHECK", "PARTITION", "PERIOD", "SYSTEM"}
_ALIASES = {"integer": "int", "numeric": "decimal", "dec": "decimal", "fixed": "decimal",
            "real": "double", "bool": "tinyint", "boolean": "tinyint", "character": "char",
            "nchar": "char", "nvarchar": "varchar", "int4": "int", "int8": "bigint"}
_TEXTUAL = ("char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set")


@dataclass
class Token:
    kind: str  # quoted string word symbol
    text: str

    @property
    def upper(self) -> str:
        return self.text.upper() if self.kind == "word" else self.text \
            if self.kind == "symbol" else ""


class NotUnderstood(Exception):
    """A DDL of which the columns do not follow."""


@dataclass
class History:
    """`versions` of each table, the last one in force; kept while readers come and go."""

    versions: dict[Table, list[Columns]] = field(default_factory=dict)
    charsets: dict[str, str] = field(default_factory=dict)  # a database's default
    applied: tuple[str, int] = ("", 0)

    def current(self, table: Table) -> Columns | None:
        found = self.versions.get(table)
        return found[-1] if found else None

    def matching(self, table: Table, count: int) -> Columns | None:
        """The newest version with so many columns."""
        return next((columns for columns in reversed(self.versions.get(table, []))
                     if len(columns) == count), None)

    def put(self, table: Table, columns: Columns) -> None:
        found = self.versions.setdefault(table, [])
        if not found or found[-1] != columns:
            found.append(columns)

    def apply(self, database: str, sql: str, at: tuple[str, int],
              latest: dict[Table, Columns]) -> None:
        """Follows one statement of the log, which stands at `at`."""
        if at <= self.applied:
            return
        self.applied = at
        try:
            for table, columns in _effects(self, database, sql, latest):
                if columns is None:
                    self.versions.pop(table, None)
                else:
                    self.put(table, columns)
        except (NotUnderstood, StopIteration, IndexError):
            for table, columns in latest.items():
                self.put(table, columns)


def tokens(sql: str) -> list[Token]:
    found = []
    for match in _TOKEN.finditer(sql):
        kind = match.lastgroup
        if kind == "quoted":
            found.append(Token(kind, match.group(kind).replace("``", "`")))
        elif kind in ("string", "word", "symbol"):
            found.append(Token(kind, match.group(kind)))
    return found


class _Cursor:
    def __init__(self, items: list[Token]):
        self.items = items
        self.at = 0

    def is_word(self, *words: str) -> bool:
        return self.at < len(self.items) and self.items[self.at].upper in words

    def take(self, *words: str) -> bool:
        """Takes a sequence of words, all or none."""
        here = self.items[self.at:self.at + len(words)]
        if [token.upper for token in here] != list(words):
            return False
        self.at += len(words)
        return True

    def next(self) -> Token:
        if self.at >= len(self.items):
            raise NotUnderstood
        self.at += 1
        return self.items[self.at - 1]

    def skip_existence(self) -> None:
        self.take("IF", "NOT", "EXISTS") or self.take("IF", "EXISTS")

    def name(self) -> str:
        token = self.next()
        if token.kind not in ("quoted", "word"):
            raise NotUnderstood
        return token.text

    def table(self, database: str) -> Table:
        first = self.name()
        return (first, self.name()) if self.take(".") else (database, first)

    def rest(self) -> list[Token]:
        return self.items[self.at:]


def _split(items: list[Token]) -> list[list[Token]]:
    """At the commas outside of parentheses."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in items:
        depth += (token.upper == "(") - (token.upper == ")")
        if token.upper == "," and depth == 0:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _inside(items: list[Token]) -> list[Token]:
    """What stands in the parentheses that `items` begins with."""
    depth = 0
    for number, token in enumerate(items):
        depth += (token.upper == "(") - (token.upper == ")")
        if depth == 0:
            return items[1:number]
    raise NotUnderstood


def _effects(history: History, database: str, sql: str,
             latest: dict[Table, Columns]) -> Iterator[tuple[Table, Columns | None]]:
    cursor = _Cursor(tokens(sql))
    if cursor.take("RENAME", "TABLE"):
        yield from _renames(history, database, _split(cursor.rest()))
        return
    if cursor.take("CREATE"):
        cursor.take("OR", "REPLACE")
        if cursor.take("TABLE"):
            yield from _created(history, database, cursor, latest)
        return
    if cursor.take("DROP", "TABLE"):
        cursor.skip_existence()
        for part in _split(cursor.rest()):
            yield _Cursor(part).table(database), None
        return
    if cursor.take("ALTER"):
        cursor.take("ONLINE") or cursor.take("IGNORE")
        if cursor.take("TABLE"):
            yield from _altered(history, database, cursor, latest)


def _renames(history: History, database: str,
             parts: list[list[Token]]) -> Iterator[tuple[Table, Columns | None]]:
    """One after another, as MySQL does: a swap goes by way of a third name."""
    moved: dict[Table, Columns | None] = {}
    for part in parts:
        cursor = _Cursor(part)
        old = cursor.table(database)
        if not cursor.take("TO"):
            raise NotUnderstood
        new = cursor.table(database)
        moved[new] = moved[old] if old in moved else history.current(old)
        moved[old] = None
    yield from moved.items()


def _created(history: History, database: str, cursor: _Cursor,
             latest: dict[Table, Columns]) -> Iterator[tuple[Table, Columns | None]]:
    cursor.skip_existence()
    table = cursor.table(database)
    if cursor.take("LIKE") or cursor.take("(", "LIKE"):
        yield table, history.current(cursor.table(database))
        return
    items = cursor.rest()
    if not items or items[0].upper != "(":
        raise NotUnderstood
    columns = [_definition(history, table, _Cursor(part), latest)
               for part in _split(_inside(items)) if part and part[0].upper not in _NO_COLUMN]
    present = latest.get(table)
    same = present and [c.name for c in present] == [c.name for c in columns]
    yield table, present if same and present else columns


def _altered(history: History, database: str, cursor: _Cursor,
             latest: dict[Table, Columns]) -> Iterator[tuple[Table, Columns | None]]:
    cursor.skip_existence()
    table = cursor.table(database)
    columns = list(history.current(table) or latest.get(table) or [])
    renamed = None
    for part in _split(cursor.rest()):
        action = _Cursor(part)
        if action.take("RENAME", "TO") or action.take("RENAME", "AS"):
            renamed = action.table(database)
        elif action.is_word("RENAME") and len(part) in (2, 4):
            action.next()
            renamed = action.table(database)
        else:
            _alter(history, table, columns, action, latest)
    present = latest.get(table)
    if present and [c.name for c in present] == [c.name for c in columns]:
        columns = present  # with what the statement did not say: character sets, lengths
    if renamed is not None:
        yield table, None
    yield renamed or table, columns


def _alter(history: History, table: Table, columns: Columns, action: _Cursor,
           latest: dict[Table, Columns]) -> None:
    if action.take("ADD"):
        explicit = action.take("COLUMN")
        if not explicit and action.is_word(*_NO_COLUMN):
            return
        action.skip_existence()
        grouped = action.is_word("(")
        parts = _split(_inside(action.rest())) if grouped else [action.rest()]
        for part in parts:
            inner = _Cursor(part)
            column = _definition(history, table, inner, latest)
            if _place(columns, column.name) is None:
                columns.insert(_target(columns, inner, len(columns)), column)
    elif action.take("DROP"):
        if not action.take("COLUMN") and action.is_word(*_NO_COLUMN):
            return
        action.skip_existence()
        place = _place(columns, action.name())
        if place is not None:
            del columns[place]
    elif action.is_word("CHANGE", "MODIFY"):
        word = action.next().upper
        action.take("COLUMN")
        action.skip_existence()
        old = action.name() if word == "CHANGE" else action.items[action.at].text
        column = _definition(history, table, action, latest)
        place = _place(columns, old)
        if place is not None:
            del columns[place]
            columns.insert(_target(columns, action, place), column)
    elif action.take("RENAME", "COLUMN"):
        place, _, new = _place(columns, action.name()), action.next(), action.name()
        if place is not None:
            columns[place] = replace(columns[place], name=new)


def _place(columns: Columns, name: str) -> int | None:
    return next((number for number, column in enumerate(columns)
                 if column.name.lower() == name.lower()), None)


def _target(columns: Columns, cursor: _Cursor, otherwise: int) -> int:
    """Where FIRST or AFTER, at the definition's end, puts a column."""
    items = cursor.items
    if items[-1].upper == "FIRST":
        return 0
    if len(items) > 2 and items[-2].upper == "AFTER":
        place = _place(columns, items[-1].text)
        return otherwise if place is None else place + 1
    return otherwise


def _definition(history: History, table: Table, cursor: _Cursor,
                latest: dict[Table, Columns]) -> MyColumn:
    """A column as it is written, or as the catalog has it if that is the same one."""
    name = cursor.name()
    kind = cursor.name().lower()
    if kind == "double":
        cursor.take("PRECISION")
    kind = _ALIASES.get(kind, kind)
    full = kind
    if cursor.is_word("("):
        inner = _inside(cursor.rest())
        full += "(" + "".join(token.text for token in inner) + ")"
        cursor.at += len(inner) + 2
    words = [token.upper for token in cursor.rest()]
    if "UNSIGNED" in words or "ZEROFILL" in words:
        full += " unsigned"
    known = latest.get(table, [])
    place = _place(known, name)
    if place is not None and known[place].data_type == kind:
        return known[place]
    return MyColumn(name, kind, full, _charset(history, table, kind, cursor.rest()), False)


def _charset(history: History, table: Table, kind: str, items: list[Token]) -> str | None:
    if kind not in _TEXTUAL:
        return None
    for number, token in enumerate(items):
        if token.upper in ("CHARSET", "SET") and number + 1 < len(items):
            return items[number + 1].text.lower()
    return history.charsets.get(table[0], "utf8mb4")


def latest_of(rows: list[tuple[Any, ...]], database: str) -> dict[Table, Columns]:
    """Rows of information_schema.COLUMNS, by table."""
    found: dict[Table, Columns] = {}
    for table, name, kind, full, charset, key in rows:
        found.setdefault((database, table), []).append(
            MyColumn(name, kind.lower(), full, charset, key == "PRI"))
    return found
