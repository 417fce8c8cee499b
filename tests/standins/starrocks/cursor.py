"""The parser's view of the tokens, and the two ways a syntax error is worded."""

from __future__ import annotations

from .errors import SqlError, syntax
from .lexer import RESERVED, Token

END_OF_STATEMENT = ["<EOF>", "';'"]
LEGAL_IDENTIFIER = ["a legal identifier"]


class Cursor:
    def __init__(self, tokens: list[Token]):
        self.tokens = tokens
        self.at = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def peek(self, ahead: int = 1) -> Token:
        return self.tokens[min(self.at + ahead, len(self.tokens) - 1)]

    def next(self) -> Token:
        token = self.token
        if token.kind != "end":
            self.at += 1
        return token

    def is_word(self, *words: str) -> bool:
        return self.token.upper in words

    def is_symbol(self, symbol: str) -> bool:
        return self.token.kind == "symbol" and self.token.text == symbol

    def at_end(self) -> bool:
        return self.token.kind == "end" or self.is_symbol(";")

    def take_word(self, *words: str) -> str:
        """Takes one of the words and returns it in upper case; "" when it is not there."""
        if self.is_word(*words):
            return self.next().upper
        return ""

    def take_words(self, *words: str) -> bool:
        """Takes a sequence of words, all or none."""
        if all(self.peek(number).upper == word for number, word in enumerate(words)):
            self.at += len(words)
            return True
        return False

    def take_symbol(self, symbol: str) -> bool:
        if self.is_symbol(symbol):
            self.next()
            return True
        return False

    def need_word(self, *words: str) -> str:
        return self.take_word(*words) or self.fail([f"'{word}'" for word in words])

    def need_symbol(self, symbol: str) -> None:
        if not self.take_symbol(symbol):
            self.fail([f"'{symbol}'"])

    def need_end(self) -> None:
        if not self.at_end():
            self.fail(END_OF_STATEMENT)

    def is_identifier(self) -> bool:
        token = self.token
        return token.kind == "quoted" or (token.kind == "word" and token.upper not in RESERVED)

    def identifier(self, no_viable_from: int | None = None) -> str:
        if not self.is_identifier():
            if no_viable_from is not None:
                self.no_viable(no_viable_from)
            self.fail(LEGAL_IDENTIFIER)
        return self.next().value

    def string(self) -> str:
        if self.token.kind != "string":
            self.fail(["SINGLE_QUOTED_TEXT", "DOUBLE_QUOTED_TEXT"])
        return self.next().value

    def number(self) -> int:
        if self.token.kind != "number" or not self.token.text.isdigit():
            self.fail(["INTEGER_VALUE"])
        return int(self.next().text)

    def fail(self, expected: list[str]) -> str:
        """Raises for a token that cannot stand here."""
        raise self.unexpected(expected)

    def unexpected(self, expected: list[str]) -> SqlError:
        listed = ", ".join(expected)
        return syntax(f"Unexpected input '{self.token.text}', the most similar input is "
                      f"{{{listed}}}", self.token.at)

    def no_viable(self, start: int) -> None:
        """Raises for tokens of which no alternative of the grammar can be the start."""
        pieces = [self.tokens[start].text]
        pieces += [token.gap + token.text for token in self.tokens[start + 1:self.at + 1]]
        raise syntax(f"No viable statement for input '{''.join(pieces)}'", self.token.at)


def similarity(one: str, two: str) -> float:
    """Jaro-Winkler: what the real server sorts its suggestions by."""
    if one == two:
        return 1.0
    reach = max(len(one), len(two)) // 2 - 1
    taken: set[int] = set()
    first: list[str] = []
    for number, char in enumerate(one):
        for other in range(max(0, number - reach), min(len(two), number + reach + 1)):
            if other not in taken and two[other] == char:
                taken.add(other)
                first.append(char)
                break
    if not first:
        return 0.0
    second = [two[number] for number in sorted(taken)]
    swaps = sum(a != b for a, b in zip(first, second)) / 2
    common = len(first)
    jaro = (common / len(one) + common / len(two) + (common - swaps) / common) / 3
    prefix = 0
    for a, b in zip(one[:4], two[:4]):
        if a != b:
            break
        prefix += 1
    return jaro + prefix * 0.1 * (1 - jaro)


def most_similar(word: str, candidates: list[str], count: int) -> list[str]:
    return sorted(candidates, key=lambda name: -similarity(word.upper(), name.upper()))[:count]
