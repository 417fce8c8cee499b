"""Grammar of table definitions: column types, columns, CREATE TABLE, ALTER TABLE.

Clause order and error places follow the contract's starrocks.md 1.1, 1.2 and 3.1
and the statements recorded in the FE transcript.
"""

from __future__ import annotations

from . import partition
from .cursor import Cursor, most_similar
from .errors import plain, syntax
from .tree import (AlterTable, Clause, ColumnDef, CreateTable, CreateTableLike, Default,
                   Distribution, Name)
from .types import MAX_VARCHAR, STRING_LENGTH, SqlType

_SIMPLE = {"BOOLEAN": "BOOLEAN", "TINYINT": "TINYINT", "SMALLINT": "SMALLINT", "INT": "INT",
           "INTEGER": "INT", "BIGINT": "BIGINT", "LARGEINT": "LARGEINT", "FLOAT": "FLOAT",
           "DOUBLE": "DOUBLE", "DATE": "DATE", "DATETIME": "DATETIME", "TIME": "TIME",
           "JSON": "JSON", "BITMAP": "BITMAP", "HLL": "HLL", "PERCENTILE": "PERCENTILE"}
_WITH_WIDTH = {"TINYINT", "SMALLINT", "INT", "INTEGER", "BIGINT", "LARGEINT"}
_DECIMALS = {"DECIMAL", "NUMERIC", "NUMBER", "DECIMALV2", "DECIMAL32", "DECIMAL64",
             "DECIMAL128", "DECIMAL256"}
_TYPE_NAMES = sorted([*_SIMPLE, "ARRAY", "BINARY", "CHAR", "DECIMAL", "MAP", "STRING", "STRUCT",
                      "TEXT", "VARBINARY", "VARCHAR"])
_LIST_END = ["','", "')'"]


def qualified_name(cursor: Cursor, no_viable_from: int | None = None) -> Name:
    first = cursor.identifier(no_viable_from)
    if not cursor.take_symbol("."):
        return Name(None, first)
    second = cursor.identifier()
    if cursor.take_symbol("."):
        if first != "default_catalog":
            raise plain(f"Unknown catalog '{first}'", 5064)
        return Name(second, cursor.identifier())
    return Name(first, second)


def column_type(cursor: Cursor) -> SqlType:
    word = cursor.token.upper
    if word in _SIMPLE and not (word == "DATETIME" and cursor.peek().text == "("):
        cursor.next()
        if word in _WITH_WIDTH and cursor.take_symbol("("):
            cursor.number()
            cursor.need_symbol(")")
        return SqlType(_SIMPLE[word])
    if word in _DECIMALS:
        cursor.next()
        return _decimal(cursor)
    if word in ("CHAR", "VARCHAR", "BINARY", "VARBINARY"):
        cursor.next()
        return _sized("VARBINARY" if word == "BINARY" else word, _argument(cursor))
    if word in ("STRING", "TEXT"):
        cursor.next()
        return SqlType("VARCHAR", STRING_LENGTH)
    if word == "ARRAY":
        cursor.next()
        cursor.need_symbol("<")
        inner = column_type(cursor)
        cursor.need_symbol(">")
        return SqlType("ARRAY", inner=inner)
    if cursor.is_identifier():
        # The real grammar takes an unknown word for an aggregate function here.
        cursor.next()
        cursor.need_symbol("(")
        cursor.fail([f"'{name}'" for name in most_similar(cursor.token.text, _TYPE_NAMES, 5)])
    cursor.fail(_LIST_END)
    raise AssertionError("unreachable")


def _argument(cursor: Cursor) -> int | None:
    if not cursor.take_symbol("("):
        return None
    value = cursor.number()
    cursor.need_symbol(")")
    return value


def _sized(name: str, length: int | None) -> SqlType:
    """Sizes above the limit are kept: the analyzer refuses them by column."""
    if name == "VARBINARY":
        return SqlType(name, MAX_VARCHAR if length is None else length)
    return SqlType(name, max(length or 1, 1))


def _decimal(cursor: Cursor) -> SqlType:
    precision, scale = 10, 0
    if cursor.take_symbol("("):
        precision = max(cursor.number(), 1)
        if cursor.take_symbol(","):
            scale = cursor.number()
        cursor.need_symbol(")")
    if precision > 76:
        raise plain("DECIMAL's precision should range from 1 to 76")
    if scale > precision:
        raise plain("DECIMAL(P[,S]) type P must be greater than or equal to the value of S")
    return SqlType("DECIMAL", precision=precision, scale=scale)


def column_def(cursor: Cursor, name: str, start_index: int) -> ColumnDef:
    column = ColumnDef(name, column_type(cursor), start=cursor.tokens[start_index].at)
    if cursor.take_words("CHARACTER", "SET") or cursor.take_word("CHARSET"):
        column.charset = cursor.identifier()
    column.key = bool(cursor.take_word("KEY"))
    if cursor.take_words("NOT", "NULL"):
        column.nullable = False
    elif cursor.take_word("NULL"):
        column.nullable = True
    if cursor.take_word("DEFAULT"):
        column.default = _default(cursor)
    elif cursor.take_word("AUTO_INCREMENT"):
        column.auto_increment = True
    elif cursor.take_word("AS"):
        column.generated = True
        _parentheses(cursor)
    if cursor.is_word("COMMENT") and cursor.peek().kind == "string":
        cursor.next()
        column.comment = cursor.string()
    column.stop = cursor.tokens[cursor.at - 1].at
    return column


def _parentheses(cursor: Cursor) -> None:
    cursor.need_symbol("(")
    depth = 1
    while depth:
        if cursor.token.kind == "end":
            cursor.fail(["')'"])
        depth += {"(": 1, ")": -1}.get(cursor.next().text, 0)


def _default(cursor: Cursor) -> Default:
    token = cursor.token
    if token.kind == "string":
        return Default("literal", cursor.next().value)
    if cursor.take_word("NULL"):
        return Default("null")
    if cursor.is_word("CURRENT_TIMESTAMP", "NOW"):
        cursor.next()
        if cursor.take_symbol("("):
            if not cursor.is_symbol(")"):
                cursor.number()
            cursor.need_symbol(")")
        return Default("now")
    if cursor.take_symbol("("):
        function = cursor.identifier()
        cursor.need_symbol("(")
        cursor.need_symbol(")")
        cursor.need_symbol(")")
        return Default("function", f"{function.lower()}()")
    cursor.take_symbol("-")
    if cursor.token.kind == "number":
        return Default("unsupported", f"{_literal_class(cursor.next().text)}")
    if cursor.take_word("TRUE", "FALSE"):
        return Default("unsupported", "BoolLiteral{type=BOOLEAN}")
    cursor.fail(["'NULL'", "CURRENT_TIMESTAMP", "'('"])
    raise AssertionError("unreachable")


def _literal_class(text: str) -> str:
    if not text.isdigit():
        return "DecimalLiteral{type=DECIMAL64}"
    for name, bits in (("TINYINT", 7), ("SMALLINT", 15), ("INT", 31), ("BIGINT", 63)):
        if int(text) < 1 << bits:
            return f"IntLiteral{{type={name}}}"
    return "LargeIntLiteral{type=LARGEINT}"


def properties(cursor: Cursor) -> dict[str, str]:
    cursor.need_symbol("(")
    found: dict[str, str] = {}
    while True:
        key = cursor.string()
        cursor.need_symbol("=")
        found[key] = cursor.string()
        if not cursor.take_symbol(","):
            break
    cursor.need_symbol(")")
    return found


def identifier_list(cursor: Cursor) -> list[str]:
    cursor.need_symbol("(")
    names = [cursor.identifier()]
    while cursor.take_symbol(","):
        names.append(cursor.identifier())
    if not cursor.take_symbol(")"):
        cursor.fail(_LIST_END)
    return names


def create_table(cursor: Cursor, start: int) -> CreateTable | CreateTableLike:
    """The cursor stands after CREATE TABLE; `start` is where the statement begins."""
    lenient = cursor.take_words("IF", "NOT", "EXISTS")
    name = qualified_name(cursor, start)
    if cursor.take_word("LIKE"):
        source = qualified_name(cursor)
        cursor.need_end()
        return CreateTableLike(name, lenient, source)
    if not cursor.is_symbol("("):
        cursor.no_viable(start)
    cursor.next()
    if not cursor.is_identifier():
        cursor.no_viable(start)
    statement = CreateTable(name, lenient, _column_list(cursor))
    _table_clauses(cursor, statement)
    cursor.need_end()
    return statement


def _column_list(cursor: Cursor) -> list[ColumnDef]:
    columns: list[ColumnDef] = []
    comma = cursor.at
    while True:
        first = cursor.at
        columns.append(column_def(cursor, cursor.identifier(comma), first))
        comma = cursor.at
        if cursor.is_identifier() and cursor.token.kind == "word":
            # Again taken for an aggregate function, as in `v int zerofill`.
            if cursor.token.upper not in ("DEFAULT", "COMMENT"):
                cursor.next()
                cursor.fail(["'('"])
        if cursor.take_symbol(")"):
            return columns
        if not cursor.take_symbol(","):
            cursor.fail(_LIST_END)


def _table_clauses(cursor: Cursor, statement: CreateTable) -> None:
    if cursor.take_word("ENGINE"):
        cursor.need_symbol("=")
        statement.engine = cursor.identifier()
    cursor.take_words("DEFAULT") if cursor.peek().upper in ("CHARSET", "CHARACTER") else None
    if cursor.take_words("CHARACTER", "SET") or cursor.take_word("CHARSET"):
        cursor.take_symbol("=")
        statement.charset = cursor.identifier()
    for kind in ("PRIMARY", "DUPLICATE"):
        if cursor.take_words(kind, "KEY"):
            statement.keys = (kind, identifier_list(cursor))
    if cursor.take_word("COMMENT"):
        statement.comment = cursor.string()
    if cursor.take_words("PARTITION", "BY"):
        statement.partition = partition.parse(cursor)
    if cursor.is_word("DISTRIBUTED"):
        statement.distribution = _distribution(cursor)
    if cursor.take_words("ORDER", "BY"):
        statement.order_by = identifier_list(cursor)
    if cursor.take_word("PROPERTIES"):
        statement.properties = properties(cursor)


def _distribution(cursor: Cursor) -> Distribution:
    start = cursor.next().at
    cursor.need_word("BY")
    kind = cursor.need_word("HASH", "RANDOM")
    columns = identifier_list(cursor) if kind == "HASH" else []
    buckets = cursor.number() if cursor.take_word("BUCKETS") else 0
    return Distribution(kind, columns, buckets, start, cursor.tokens[cursor.at - 1].at)


def alter_table(cursor: Cursor, start: int) -> AlterTable:
    """The cursor stands after ALTER TABLE."""
    name = qualified_name(cursor)
    clauses = [_clause(cursor, start)]
    while cursor.take_symbol(","):
        clauses.append(_clause(cursor, cursor.at))
    cursor.need_end()
    return AlterTable(name, clauses)


def _clause(cursor: Cursor, statement: int) -> Clause:
    first = cursor.at
    word = cursor.take_word("ADD", "DROP", "MODIFY", "RENAME", "SWAP", "SET", "COMMENT", "ORDER")
    clause = _clause_body(cursor, word, first, statement)
    clause.start = cursor.tokens[first].at
    clause.stop = cursor.tokens[cursor.at - 1].at
    return clause


def _clause_body(cursor: Cursor, word: str, first: int, statement: int) -> Clause:
    if word == "ADD":
        if not cursor.take_word("COLUMN"):
            cursor.no_viable(statement)
        return _add_column(cursor, first)
    if word == "DROP":
        if not cursor.take_word("COLUMN"):
            cursor.no_viable(statement)
        return Clause("drop_column", name=cursor.identifier())
    if word == "MODIFY":
        return _modify_column(cursor, first)
    if word == "RENAME":
        if cursor.take_word("COLUMN"):
            old = cursor.identifier()
            cursor.need_word("TO")
            return Clause("rename_column", name=old, new_name=cursor.identifier())
        return Clause("rename", new_name=cursor.identifier(first))
    if word == "SWAP":
        cursor.need_word("WITH")
        return Clause("swap", new_name=cursor.identifier())
    if word == "SET":
        return Clause("set", properties=properties(cursor))
    if word == "COMMENT":
        cursor.need_symbol("=")
        return Clause("comment", text=cursor.string())
    if word == "ORDER":
        cursor.need_word("BY")
        return Clause("order_by", names=identifier_list(cursor))
    cursor.fail(["<EOF>", "';'"])
    raise AssertionError("unreachable")


def _place(cursor: Cursor, clause: Clause) -> Clause:
    if cursor.take_word("FIRST"):
        clause.first = True
    elif cursor.take_word("AFTER"):
        clause.after = cursor.identifier()
    return clause


def _refuse_auto_increment(column: ColumnDef) -> None:
    if column.auto_increment:
        where = (f" from line {column.start[0]}, column {column.start[1]}"
                 f" to line {column.stop[0]}, column {column.stop[1]}")
        error = syntax(f"Column '{column.name}' can not be AUTO_INCREMENT when ADD COLUMN")
        error.message = error.message.replace("syntax error", f"syntax error{where}", 1)
        raise error


def _add_column(cursor: Cursor, first: int) -> Clause:
    if cursor.take_symbol("("):
        columns = []
        while True:
            start = cursor.at
            columns.append(column_def(cursor, cursor.identifier(), start))
            if not cursor.take_symbol(","):
                break
        cursor.need_symbol(")")
        return Clause("add_column", columns=columns)
    start = cursor.at
    column = column_def(cursor, cursor.identifier(first), start)
    _refuse_auto_increment(column)
    return _place(cursor, Clause("add_column", columns=[column]))


def _modify_column(cursor: Cursor, first: int) -> Clause:
    if not cursor.take_word("COLUMN"):
        cursor.no_viable(first)
    start = cursor.at
    name = cursor.identifier()
    if cursor.is_word("COMMENT"):
        cursor.next()
        return Clause("comment_column", name=name, text=cursor.string())
    column = column_def(cursor, name, start)
    return _place(cursor, Clause("modify_column", columns=[column]))
