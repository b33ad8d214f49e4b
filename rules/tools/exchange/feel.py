"""Unary tests of FEEL: the cells of DMN decision tables, read and written.

Source: OMG, DMN 1.3 (formal/2021-02-01), 7.3.3 and grammar rules 7 to 18, 10.3.1.2.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from decimal import Decimal

from rules.language.expressions import Value
from rules.language.parse import ConditionError
from rules.tools.exchange.matches import Asked, Kind, Match, Ordered, compared, one_value, others

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*")
    |(?:date\s*\(\s*"|@")(?P<date>\d{4}-\d{2}-\d{2})"(?:\s*\))?
    |(?P<number>-?(?:\d+(?:\.\d+)?|\.\d+)(?![\w.]*\w))
    |(?P<number_before>-?\d+(?:\.\d+)?)(?=\.\.)
    |(?P<word>[^\W\d][\w ]*\w|[^\W\d])
    |(?P<sign>\.\.|<=|>=|!=|[<>=\[\](),]))""",
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.))")
_WORDS: dict[str, Value | None] = {"true": True, "false": False, "null": None}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
_NAME = re.compile(r"[^\W\d][\w .'/-]*")
_HINT = '-, a value, < 3, [1..5), not(…), null, date("2026-01-31"), or several of these with commas'
_KIND_OF: dict[type, Kind] = {str: "text", Decimal: "decimal", dt.date: "date", bool: "boolean"}
NOT_A_TEST = "not a test of a value that the language has"


def is_name(text: str) -> bool:
    """Whether an expression is a name, and no computation."""
    return bool(_NAME.fullmatch(text)) and text not in _WORDS


def asked(text: str, kind: Kind, codes: Sequence[str] = (), code: Callable[[str], str] = str) -> Asked:
    """What a cell asks of an input; None where anything matches.

    :param kind: the type of the input.
    :param codes: all values of a text, where they are listed.
    :param code: gives the value that a text says.
    :raises ConditionError: on what is no unary test, or one that the language can't say.

    >>> asked('not("A")', "text", ["A", "B"])
    Match(values=frozenset({'B'}), spans=(), unknown=True)
    """
    if text in ("", "-"):
        return None
    return _Tests(text, kind, tuple(codes), code).whole()


def listed(text: str) -> tuple[Value, ...]:
    """The values in a list of literals, such as inputValues; none where it is anything else."""
    tokens = _tokens(text)
    values = tuple(value for is_value, value in tokens[::2] if is_value and value is not None)
    commas = all(token == (False, ",") for token in tokens[1::2])
    return values if commas and len(values) * 2 == len(tokens) + 1 else ()


def kinds(text: str) -> set[Kind]:
    """The types of the literals in a cell."""
    found = (value for is_value, value in _tokens(text) if is_value and value is not None)
    return {_KIND_OF[type(value)] for value in found}


def written(value: Value) -> str:
    r"""A value as FEEL has it.

    >>> from datetime import date
    >>> written('a "b"'), written(date(2026, 1, 31))
    ('"a \\"b\\""', 'date("2026-01-31")')
    """
    match value:
        case bool():
            return str(value).lower()
        case str():
            return '"' + re.sub(r'([\\"])', r"\\\1", value).replace("\n", "\\n") + '"'
        case dt.date():
            return f'date("{value}")'
    return str(value)


def _tokens(text: str) -> list[tuple[bool, Value | None]]:
    """Whether each token is a value, and the value or the sign; one that is neither stands as ``?``."""
    tokens: list[tuple[bool, Value | None]] = []
    at = 0
    while at < len(text.rstrip()):
        found = _TOKEN.match(text, at)
        if found is None:
            return [*tokens, (False, "?")]
        tokens.append(_token(found))
        at = found.end()
    return tokens


def _token(found: re.Match[str]) -> tuple[bool, Value | None]:
    number = found["number"] or found["number_before"]
    if number:
        return True, Decimal(number)
    if found["text"]:
        return True, _ESCAPE.sub(_unescaped, found["text"][1:-1])
    if found["date"]:
        try:
            return True, dt.date.fromisoformat(found["date"])
        except ValueError:
            return False, "?"
    word = found["word"]
    if word:
        return (True, _WORDS[word]) if word in _WORDS else (False, word)
    return False, found["sign"]


def _unescaped(found: re.Match[str]) -> str:
    return chr(int(found[1], 16)) if found[1] else _ESCAPES.get(found[2], found[2])


class _Tests:
    """One cell, token by token."""

    def __init__(self, text: str, kind: Kind, codes: tuple[str, ...], code: Callable[[str], str]) -> None:
        self.kind, self.codes, self.code = kind, codes, code
        self.tokens = _tokens(text)
        self.at = 0

    def whole(self) -> Match:
        if self.tokens[:2] == [(False, "not"), (False, "(")] and self.tokens[-1] == (False, ")"):
            self.at, end = 2, len(self.tokens) - 1
            literals = all(is_value or value == "," for is_value, value in self.tokens[2:end])
            inner = self._tests(end)
            outside = others(inner, self.kind, self.codes)
            # null is in no list of values but one with null; beside a comparison the answer is unknown
            return outside | Match(unknown=literals and not inner.unknown)
        return self._tests(len(self.tokens))

    def _tests(self, end: int) -> Match:
        found = self._test()
        while self.at < end:
            self._take(",")
            found |= self._test()
        if self.at != end:
            raise ConditionError(NOT_A_TEST, _HINT)
        return found

    def _test(self) -> Match:
        is_value, value = self._next()
        if is_value:
            return Match(unknown=True) if value is None else one_value(self._fitting(value))
        match value:
            case "=":
                return one_value(self._value())
            case "<" | "<=" | ">" | ">=" as sign:
                return compared(str(sign), self._ordered())
            case "[" | "(" | "]":
                return self._range(value == "[")
        raise ConditionError(NOT_A_TEST, _HINT)

    def _range(self, with_low: bool) -> Match:
        low = compared(">=" if with_low else ">", self._ordered())
        self._take("..")
        high = self._ordered()
        sign = self._take("]", ")", "[")
        found = low & compared("<=" if sign == "]" else "<", high)
        if not found:
            raise ConditionError("an empty range", "[70..90), with the smaller end first")
        return found

    def _next(self) -> tuple[bool, Value | None]:
        token = self.tokens[self.at] if self.at < len(self.tokens) else (False, "")
        self.at += 1
        return token

    def _take(self, *signs: str) -> str:
        is_value, value = self._next()
        if is_value or value not in signs:
            raise ConditionError(NOT_A_TEST, _HINT)
        return str(value)

    def _value(self) -> Value:
        is_value, value = self._next()
        if not is_value or value is None:
            raise ConditionError(NOT_A_TEST, _HINT)
        return self._fitting(value)

    def _ordered(self) -> Ordered:
        value = self._value()
        if isinstance(value, Decimal | dt.date):
            return value
        raise ConditionError("a comparison of what has no order", "numbers or dates")

    def _fitting(self, value: Value) -> Value:
        found = _KIND_OF[type(value)]
        wanted = "decimal" if self.kind == "integer" else self.kind
        if found != wanted:
            raise ConditionError(f"a {found} beside a {wanted}", "a value of the input's type")
        return self.code(value) if isinstance(value, str) else value
