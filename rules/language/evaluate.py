"""Expressions and windows as Python functions of a row: for judging one subject, and for explanations.

Many subjects are judged in DuckDB; a differential test holds both to the same meaning.
"""

from __future__ import annotations

import datetime as dt
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from rules import calendar
from rules.calendar import add_days
from rules.exact import EXACT, quotient
from rules.language.expressions import (
    DATE,
    And,
    Arithmetic,
    AsOf,
    Call,
    Case,
    Compare,
    Expression,
    In,
    IsNull,
    IsTrue,
    Like,
    Literal,
    Name,
    Not,
    Or,
    Round,
    Shift,
    Value,
)
from rules.model import ALWAYS, When, Window

Row = Mapping[str, Value | None]
"""Name → value, for every name that an expression reads, ``as_of`` too; an absent name is unknown."""

Function = Callable[[Row], Any]
"""Gives an expression's value for a row; None where it is unknown (SQL's three-valued logic)."""

add_months = lru_cache(maxsize=65_536)(calendar.add_months)
"""Dates recur: a record's is asked by every rule that may count it."""

_OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "+": EXACT.add,
    "-": EXACT.subtract,
    "*": EXACT.multiply,
}

_CHOICES: Mapping[str, Callable[[list[Any]], Any]] = {
    "coalesce": lambda known: known[0],
    "least": min,
    "greatest": max,
}

_OF_KNOWN: Mapping[str, Callable[[Any], Any]] = {
    "abs": EXACT.abs,
    "start_of_year": lambda day: day.replace(month=1, day=1),
    "start_of_month": lambda day: day.replace(day=1),
}


def evaluate(node: Expression, row: Row, as_of: dt.date) -> Any:
    """The value of an expression for one row on a day; of many rows, see :func:`compiled`.

    >>> from datetime import date
    >>> from rules.language.expressions import INTEGER, Level, Name
    >>> from rules.language.parse import Scope, parse_condition
    >>> scope = Scope({"beds": Name("beds", Level.SUBJECT, INTEGER)}, {})
    >>> condition = parse_condition("beds >= 10", scope)
    >>> [evaluate(condition, {"beds": beds}, date(2026, 8, 31)) for beds in (12, 8, None)]
    [True, False, None]
    """
    return compiled(node)({**row, "as_of": as_of})


def compiled(node: Expression) -> Function:
    """The expression as a function.

    >>> from rules.language.expressions import INTEGER, Level, Name
    >>> from rules.language.parse import Scope, parse_condition
    >>> scope = Scope({"beds": Name("beds", Level.SUBJECT, INTEGER)}, {})
    >>> small = compiled(parse_condition("beds < 10", scope))
    >>> [small({"beds": beds}) for beds in (12, 8, None)]
    [False, True, None]
    """
    match node:
        case Literal():
            value = node.value
            return lambda row: value
        case Name():
            name = node.name
            return lambda row: row.get(name)
        case AsOf():
            return lambda row: row.get("as_of")
        case Arithmetic(left=left, right=right) if left.type == DATE:
            return _of_two(lambda later, earlier: (later - earlier).days, left, right)
        case Round():
            return _of_two(_rounding(node), node.operand, node.divisor)
        case Compare() | Arithmetic():
            return _of_two(_OPERATORS[node.op], node.left, node.right)
        case And():
            return _decided(node.parts, decisive=False)
        case Or():
            return _decided(node.parts, decisive=True)
        case IsNull():
            operand = compiled(node.operand)
            return lambda row: operand(row) is None
        case IsTrue():
            operand = compiled(node.operand)
            return lambda row: operand(row) is True
        case Case():
            return _first_true(node)
        case Call(function="coalesce" | "least" | "greatest"):
            return _chosen(_CHOICES[node.function], node.arguments)
        case _:
            return _of_one(node)


def _of_one(node: Expression) -> Function:
    match node:
        case Not():
            return _of_known(operator.not_, node.operand)
        case In():
            return _of_known(frozenset(v.value for v in node.values).__contains__, node.operand)
        case Like():
            matches = _pattern(node.pattern).fullmatch
            return _of_known(lambda text: matches(text) is not None, node.operand)
        case Shift():
            months, days = node.months, node.days
            return _of_known(lambda day: add_days(add_months(day, months), days), node.operand)
        case Call():
            return _of_known(_OF_KNOWN[node.function], node.arguments[0])
        case _:
            raise AssertionError(node)


def _of_known(function: Callable[[Any], Any], operand: Expression) -> Function:
    """What a function gives of a value that is known."""
    given = compiled(operand)
    return lambda row: None if (value := given(row)) is None else function(value)


def _of_two(function: Callable[[Any, Any], Any], left: Expression, right: Expression) -> Function:
    one = compiled(left)
    if isinstance(right, Literal):
        constant = right.value
        return lambda row: None if (value := one(row)) is None else function(value, constant)
    other = compiled(right)

    def of_both(row: Row) -> Any:
        first, second = one(row), other(row)
        return None if first is None or second is None else function(first, second)

    return of_both


def _rounding(node: Round) -> Callable[[Any, Any], Any]:
    """The quotient of two known values."""
    digits, past = node.digits, 10 ** (node.type.whole + node.digits)

    def rounded(part: Any, whole: Any) -> Any:
        size = quotient(part, whole, digits) if whole else past
        if abs(size) >= past:
            return None
        return Decimal(size).scaleb(-digits, EXACT) if digits else size

    return rounded


def _decided(parts: Sequence[Expression], decisive: bool) -> Function:
    """One part that is false decides an ``and``, one that is true an ``or``."""
    functions = [compiled(part) for part in parts]

    def decided(row: Row) -> Any:
        answer: Any = not decisive
        for part in functions:
            value = part(row)
            if value is decisive:
                return decisive
            if value is None:
                answer = None
        return answer

    return decided


def _chosen(choose: Callable[[list[Any]], Any], arguments: Sequence[Expression]) -> Function:
    functions = [compiled(argument) for argument in arguments]

    def chosen(row: Row) -> Any:
        known = [value for argument in functions if (value := argument(row)) is not None]
        return choose(known) if known else None

    return chosen


def _first_true(node: Case) -> Function:
    branches = [(compiled(condition), compiled(value)) for condition, value in node.branches]
    otherwise = (lambda row: None) if node.otherwise is None else compiled(node.otherwise)

    def first_true(row: Row) -> Any:
        for condition, value in branches:
            if condition(row) is True:
                return value(row)
        return otherwise(row)

    return first_true


def _pattern(text: str) -> re.Pattern[str]:
    parts = {"%": ".*", "_": "."}
    return re.compile("".join(parts.get(c, re.escape(c)) for c in text), re.DOTALL)


# Windows


class Counted(NamedTuple):
    """The days on which a row counts: from ``first`` to before ``until``; None leaves an end open.

    :param start: the start of the window, from which decay is counted; None where there is no window.
    """

    start: dt.date | None
    first: dt.date | None
    until: dt.date | None


@dataclass(frozen=True, slots=True)
class Counting:
    """A window and a condition's terms about the day, as functions: the one place that computes a window.

    :param begins: each must be known; the window's start is the first of them.
    :param ends: each must be known.
    :param until: the window's, which may be unknown.
    """

    window: Window | None
    begins: tuple[Function, ...]
    ends: tuple[Function, ...]
    until: Function | None

    @classmethod
    def of(cls, window: Window | None, when: When = ALWAYS) -> Counting:
        """What a window (None: always) and a condition's terms about the day say."""
        starts = (window.start, *when.begins) if window else when.begins
        until = compiled(window.until) if window and window.until else None
        return cls(window, tuple(map(compiled, starts)), tuple(map(compiled, when.ends)), until)

    def on(self, row: Row) -> Counted | None:
        """When a row counts; None: never, for something is unknown."""
        window = self.window
        begins, ends = [begin(row) for begin in self.begins], [end(row) for end in self.ends]
        if None in begins or None in ends:
            return None
        if window is None:
            return Counted(None, max(begins, default=None), min(ends, default=None))
        start = begins[0]
        if window.months:
            ends.append(add_months(start, window.months))
        if window.days:
            ends.append(add_days(start, window.days))
        if self.until is not None and (until := self.until(row)) is not None:
            ends.append(until)
        return Counted(start, max(begins), min(ends, default=None))
