"""Tokens of StarRocks SQL, with the quirks a client can run into.

Characters the real lexer does not know ('#', a backslash, NUL outside literals)
are dropped without a word; back-quotes inside a quoted name disappear; only `--`
and `/* */` start comments. Source: the contract's verified.md 26 and 27.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .errors import Position

_RESERVED_TEXT = """
ADD ALL ALTER ANALYZE AND ARRAY AS ASC ASOF BETWEEN BIGINT BITMAP BITSHIFTLEFT BITSHIFTRIGHT
BITSHIFTRIGHTLOGICAL BOTH BY CASE CHAR CHARACTER CHECK COLLATE COLUMN COMPACTION CONVERT CREATE
CROSS CUBE CURRENT_DATE CURRENT_GROUP CURRENT_ROLE CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER
CURRENT_WAREHOUSE DATABASE DATABASES DECIMAL DECIMAL128 DECIMAL256 DECIMAL32 DECIMAL64 DECIMALV2
DEFAULT DEFERRED DELETE DENSE_RANK DESC DESCRIBE DISTINCT DIV DOUBLE DROP DUAL ELSE EXISTS EXPLAIN
FALSE FILES FIRST_VALUE FLOAT FOR FORCE FROM FULL FUNCTION GIN GRANT GROUP GROUPING GROUPING_ID
GROUPS HAVING HLL IF IGNORE IMMEDIATE IN INDEX INFILE INNER INSERT INT INTEGER INTERSECT INTO
INVOKER IS JOIN JSON KEY KEYS KILL LAG LARGEINT LAST_VALUE LATERAL LEAD LEFT LIKE LIMIT LOAD
LOCALTIME LOCALTIMESTAMP MAXVALUE MICROSECOND MILLISECOND MOD NOT NTILE NULL ON OPTIMIZE OR ORDER
OUTER OUTFILE OVER PARTITION PERCENTILE PREPARE PRIMARY PROCEDURE RANGE READ REGEXP RELEASE RENAME
REPLACE REVOKE RIGHT RLIKE ROWS ROW_NUMBER SCHEMA SCHEMAS SELECT SET SET_VAR SHOW SMALLINT TABLE
TERMINATED TEXT THEN TINYINT TO TRUE UNION UNIQUE UNSIGNED UPDATE USE USING VALUES VARCHAR VARIANT
WHEN WHERE WITH
"""
RESERVED = frozenset(_RESERVED_TEXT.split())

_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "0": "\0", "Z": "\x1a"}
_NUMBER = re.compile(r"\d+\.\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|\d+[eE][+-]?\d+(?!\w)|\d+")
_WORD = re.compile(r"[A-Za-z0-9_]+", re.ASCII)
_SYMBOLS = ("<=>", ":=", "!=", "<>", "<=", ">=", "||", "&&", "->", "@@")
_ORDINARY = re.compile(r"[^\\'\"]+")
_SINGLE = set("(),.;=<>+-*/%&|^~![]{}@:?")


@dataclass
class Token:
    kind: str  # word, quoted (back-quotes), string, number, symbol, end
    text: str  # as written; for a symbol or word what messages show
    value: str  # a name or literal without quotes and escapes
    at: Position
    gap: str = ""  # blanks and comments before it, for messages and SELECT text

    @property
    def upper(self) -> str:
        return self.value.upper() if self.kind == "word" else ""


class Lexer:
    def __init__(self, text: str):
        self.text = text
        self.pos = 0
        self.line = 1
        self.line_start = 0

    def tokens(self) -> list[Token]:
        found: list[Token] = []
        gap = ""
        while self.pos < len(self.text):
            skipped = self._skip()
            if skipped is not None:
                gap += skipped
                continue
            token = self._token()
            if token is not None:
                token.gap, gap = gap, ""
                found.append(token)
        found.append(Token("end", "<EOF>", "", self._position(), gap))
        return found

    def _position(self) -> Position:
        return self.line, self.pos - self.line_start

    def _take(self, size: int) -> str:
        piece = self.text[self.pos:self.pos + size]
        newlines = piece.count("\n")
        if newlines:
            self.line += newlines
            self.line_start = self.pos + piece.rfind("\n") + 1
        self.pos += size
        return piece

    def _skip(self) -> str | None:
        """Takes blanks or one comment; None when a token starts here."""
        rest = self.text
        if rest[self.pos].isspace():
            return self._take(1)
        if rest.startswith("--", self.pos):
            end = rest.find("\n", self.pos)
            self._take((len(rest) if end < 0 else end) - self.pos)
            return ""
        if rest.startswith("/*", self.pos):
            end = rest.find("*/", self.pos + 2)
            self._take((len(rest) if end < 0 else end + 2) - self.pos)
            return " "
        return None

    def _token(self) -> Token | None:
        at = self._position()
        char = self.text[self.pos]
        if char in "'\"":
            return self._string(char, at)
        if char == "`":
            return self._quoted(at)
        number = _NUMBER.match(self.text, self.pos)
        word = _WORD.match(self.text, self.pos)
        if number and (not word or number.end() >= word.end()):
            text = self._take(len(number.group()))
            return Token("number", text, text, at)
        if word:
            text = self._take(len(word.group()))
            return Token("word", text, text, at)
        for symbol in _SYMBOLS:
            if self.text.startswith(symbol, self.pos) and symbol != ":=":
                return Token("symbol", self._take(len(symbol)), symbol, at)
        self._take(1)
        return Token("symbol", char, char, at) if char in _SINGLE else None

    def _string(self, quote: str, at: Position) -> Token:
        start, pos, out = self.pos, self.pos + 1, []
        text = self.text
        while pos < len(text):
            char = text[pos]
            if char == "\\" and pos + 1 < len(text):
                follower = text[pos + 1]
                if follower in "_%":
                    out.append("\\" + follower)
                else:
                    out.append(_ESCAPES.get(follower, follower))
                pos += 2
            elif char == quote:
                if text.startswith(quote, pos + 1):
                    out.append(quote)
                    pos += 2
                else:
                    break
            else:
                run = _ORDINARY.match(text, pos)
                end = run.end() if run else pos + 1
                out.append(text[pos:end])
                pos = end
        raw = self._take(min(pos + 1, len(text)) - start)
        return Token("string", raw, "".join(out), at)

    def _quoted(self, at: Position) -> Token:
        """A doubled back-quote does not end the name, and no back-quote stays in it."""
        pos = self.pos + 1
        while pos < len(self.text):
            if self.text[pos] == "`":
                if not self.text.startswith("`", pos + 1) or pos == self.pos + 1:
                    break
                pos += 1
            pos += 1
        raw = self._take(min(pos + 1, len(self.text)) - self.pos)
        return Token("quoted", raw, raw.replace("`", ""), at)


def canonical(tokens: list[Token]) -> str:
    """Writes tokens back as SQL that a MySQL-like parser reads the same way.

    Two strings in a row are a value and its alias; words that start with a digit
    or an underscore are names, never hexadecimal numbers or charset introducers.
    """
    out: list[str] = []
    previous = Token("symbol", "", "", (1, 0))
    for token in tokens:
        is_hex = token.kind == "string" and not token.gap and previous.upper == "X"
        if (token.gap or "symbol" not in (previous.kind, token.kind)) and not is_hex:
            out.append(" ")
        if token.kind == "string" and previous.kind == "string":
            out.append(f"AS `{token.value.replace('`', '')}`")
        else:
            out.append(_written(token))
        previous = token
    return "".join(out).strip()


def _written(token: Token) -> str:
    if token.kind == "string":
        text = token.value.replace("\\", "\\\\").replace("'", "''")
        return f"'{text}'"
    if token.kind == "quoted" or (token.kind == "word" and token.value[0] in "0123456789_"):
        return f"`{token.value}`"
    return "" if token.kind == "end" else token.text
