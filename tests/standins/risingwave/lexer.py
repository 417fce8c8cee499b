"""RisingWave's tokens, and the error that points at one of them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .errors import PgError

WORD, QUOTED, STRING, NUMBER, PARAM, SYMBOL, END = (
    "word", "quoted", "string", "number", "param", "symbol", "end")

_SPACE = re.compile(r"(?:\s+|--[^\n]*(?:\n|$))+")
_WORD = re.compile(r"[^\W\d][\w$]*")
_NUMBER = re.compile(r"\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?")
_PARAM = re.compile(r"\$\d+")
_SYMBOL = re.compile(r"::|->>|->|#>>|#>|<=|>=|<>|!=|\|\||>>|<<|=>|[-+*/%=<>(),.;:\[\]{}!~^&|#@?]")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


@dataclass(frozen=True)
class Token:
    kind: str
    text: str  # the value: folded word, content of quotes, digits
    start: int
    end: int

    def shown(self, sql: str) -> str:
        """As the parser's messages print it."""
        return sql[self.start:self.end] or "EOF"


def parse_error(message: str, sql: str, offset: int) -> PgError:
    """`sql parser error` with the line and a caret under `offset`."""
    line_start = sql.rfind("\n", 0, offset) + 1
    line_end = sql.find("\n", offset)
    number = sql.count("\n", 0, offset) + 1
    line = sql[line_start:] if line_end < 0 else sql[line_start:line_end]
    head = f"LINE {number}: "
    caret = " " * (len(head) + offset - line_start) + "^"
    return PgError(f"sql parser error: {message}\n{head}{line}\n{caret}")


def tokenize(sql: str) -> list[Token]:
    """All tokens and a last END token. Quoted identifiers know no escape."""
    tokens: list[Token] = []
    at = 0
    while True:
        at = _skip_space(sql, at)
        if at >= len(sql):
            tokens.append(Token(END, "", len(sql), len(sql)))
            return tokens
        token = _next(sql, at)
        tokens.append(token)
        at = token.end


def _skip_space(sql: str, at: int) -> int:
    while True:
        if space := _SPACE.match(sql, at):
            at = space.end()
        elif sql.startswith("/*", at):
            end = sql.find("*/", at + 2)
            if end < 0:
                raise parse_error("Unterminated multi-line comment", sql, at)
            at = end + 2
        else:
            return at


def _next(sql: str, at: int) -> Token:
    char = sql[at]
    if char == '"':
        end = sql.find('"', at + 1)
        if end < 0:
            raise parse_error("Unterminated identifier literal", sql, at)
        return Token(QUOTED, sql[at + 1:end], at, end + 1)
    if char == "'":
        return _string(sql, at, at + 1)
    if char in "eE" and sql[at + 1:at + 2] == "'":
        return _escaped_string(sql, at)
    for kind, pattern in ((WORD, _WORD), (NUMBER, _NUMBER), (PARAM, _PARAM), (SYMBOL, _SYMBOL)):
        if found := pattern.match(sql, at):
            text = found.group()
            return Token(kind, text.lower() if kind == WORD else text, at, found.end())
    raise parse_error(f"unexpected character: {char!r}", sql, at)


def _string(sql: str, start: int, at: int) -> Token:
    value = []
    while True:
        end = sql.find("'", at)
        if end < 0:
            raise parse_error("Unterminated string literal", sql, start)
        value.append(sql[at:end])
        if sql[end + 1:end + 2] != "'":
            return Token(STRING, "'".join(value), start, end + 1)
        at = end + 2


def _escaped_string(sql: str, start: int) -> Token:
    value = []
    at = start + 2
    while at < len(sql):
        char = sql[at]
        if char == "'":
            if sql[at + 1:at + 2] != "'":
                return Token(STRING, "".join(value), start, at + 1)
            at += 1
        elif char == "\\" and at + 1 < len(sql):
            at += 1
            char = _ESCAPES.get(sql[at], sql[at])
        value.append(char)
        at += 1
    raise parse_error("Unterminated string literal", sql, start)


class Cursor:
    """A reader of tokens for the statements with a grammar of their own."""

    def __init__(self, sql: str, tokens: list[Token] | None = None):
        self.sql = sql
        self.tokens = tokenize(sql) if tokens is None else tokens
        if len(self.tokens) > 1 and self.tokens[-2].text == ";" \
                and self.tokens[-2].kind == SYMBOL:
            semicolon = self.tokens[-2]
            self.tokens[-2:] = [Token(END, "", semicolon.start, semicolon.end)]
        self.at = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def peek(self, ahead: int = 1) -> Token:
        return self.tokens[min(self.at + ahead, len(self.tokens) - 1)]

    def next(self) -> Token:
        token = self.token
        if token.kind != END:
            self.at += 1
        return token

    def fail(self, message: str) -> PgError:
        return parse_error(message, self.sql, self.token.start)

    def expected(self, what: str) -> PgError:
        return self.fail(f"expected {what}, found: {self.token.shown(self.sql)}")

    def is_word(self, *words: str) -> bool:
        """Whether the next tokens are exactly these keywords."""
        return all(self.peek(i).kind == WORD and self.peek(i).text == word
                   for i, word in enumerate(words))

    def is_symbol(self, symbol: str) -> bool:
        return self.token.kind == SYMBOL and self.token.text == symbol

    def take(self, *words: str) -> bool:
        if not self.is_word(*words):
            return False
        self.at += len(words)
        return True

    def take_symbol(self, symbol: str) -> bool:
        if not self.is_symbol(symbol):
            return False
        self.at += 1
        return True

    def need(self, *words: str) -> None:
        for word in words:
            if not self.take(word):
                raise self.expected(word.upper())

    def need_symbol(self, symbol: str) -> None:
        if not self.take_symbol(symbol):
            raise self.expected(symbol)

    def name(self) -> str:
        if self.token.kind not in (WORD, QUOTED):
            raise self.expected("identifier")
        return self.next().text

    def string(self) -> str:
        if self.token.kind != STRING:
            raise self.expected("literal string")
        return self.next().text

    def object_name(self) -> tuple[str | None, str]:
        """`schema.name` or `name`; a database in front must be the session's own."""
        parts = [self.name()]
        while self.take_symbol("."):
            parts.append(self.name())
        if len(parts) > 3:
            raise self.fail("object name with more than three parts")
        return (parts[-2] if len(parts) > 1 else None), parts[-1]

    def end(self) -> None:
        if self.token.kind != END:
            raise self.expected("end of statement")


def split_statements(sql: str) -> list[str]:
    """The statements of one message, each with its semicolon."""
    statements, start, empty = [], 0, True
    for token in tokenize(sql):
        if token.kind == END or (token.kind == SYMBOL and token.text == ";"):
            if not empty:
                statements.append(sql[start:token.end].strip())
            start, empty = token.end, True
        else:
            empty = False
    return statements
