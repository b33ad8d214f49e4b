"""Conditions judged for one record and subject in plain Python: for explanations and for live events.

The batch does not use this; a differential test holds both to the same meaning.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from rules.calendar import add_days, add_months
from rules.exact import EXACT
from rules.expressions import (
    And,
    Arithmetic,
    AsOf,
    Call,
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
    Shift,
    Value,
)
from rules.model import Window

Row = Mapping[str, Value | None]
_OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "+": EXACT.add,
    "-": EXACT.subtract,
    "*": EXACT.multiply,
}

_CHOICES: Mapping[str, Callable[[list[Any]], Any]] = {
    "coalesce": lambda known: known[0],
    "least": min,
    "greatest": max,
}


def evaluate(node: Expression, row: Row, as_of: dt.date) -> Any:
    """The value of an expression; None where it is unknown (SQL's three-valued logic).

    :param row: name → value, for every name that the expression reads; an absent name is unknown.
    """
    match node:
        case Literal():
            return node.value
        case Name():
            return row.get(node.name)
        case AsOf():
            return as_of
        case Compare() | Arithmetic():
            left, right = evaluate(node.left, row, as_of), evaluate(node.right, row, as_of)
            return None if left is None or right is None else _OPERATORS[node.op](_exact(left), _exact(right))
        case And():
            return _all([evaluate(part, row, as_of) for part in node.parts])
        case Or():
            return _negated(_all([_negated(evaluate(part, row, as_of)) for part in node.parts]))
        case Not():
            return _negated(evaluate(node.operand, row, as_of))
        case IsNull():
            return evaluate(node.operand, row, as_of) is None
        case IsTrue():
            return evaluate(node.operand, row, as_of) is True
        case _:
            return _function(node, row, as_of)


def _function(node: Expression, row: Row, as_of: dt.date) -> Any:
    match node:
        case In():
            value = evaluate(node.operand, row, as_of)
            return None if value is None else any(value == v.value for v in node.values)
        case Like():
            value = evaluate(node.operand, row, as_of)
            return None if value is None else _pattern(node.pattern).fullmatch(value) is not None
        case Shift():
            day = evaluate(node.operand, row, as_of)
            return None if day is None else add_days(add_months(day, node.months), node.days)
        case Call(function="abs"):
            value = evaluate(node.arguments[0], row, as_of)
            return None if value is None else EXACT.abs(value)
        case Call(function="start_of_year" | "start_of_month" as function):
            day = evaluate(node.arguments[0], row, as_of)
            return (
                None
                if day is None
                else day.replace(month=1 if function == "start_of_year" else day.month, day=1)
            )
        case Call():
            known = [v for a in node.arguments if (v := evaluate(a, row, as_of)) is not None]
            return _CHOICES[node.function](known) if known else None
        case _:
            raise AssertionError(node)


def window_on(window: Window, row: Row, as_of: dt.date) -> tuple[dt.date, dt.date | None] | None:
    """The days on which a record counts, from the first to before the second (None: open); None: never."""
    start = evaluate(window.start, row, as_of)
    if start is None:
        return None
    ends = [add_months(start, window.months)] if window.months else []
    ends += [add_days(start, window.days)] if window.days else []
    until = evaluate(window.until, row, as_of) if window.until else None
    return start, min([*ends, *([until] if until is not None else [])], default=None)


def _exact(value: Any) -> Any:
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _all(values: list[Any]) -> bool | None:
    if False in values:
        return False
    return None if None in values else True


def _negated(value: Any) -> bool | None:
    return None if value is None else not value


def _pattern(text: str) -> re.Pattern[str]:
    parts = {"%": ".*", "_": "."}
    return re.compile("".join(parts.get(c, re.escape(c)) for c in text), re.DOTALL)
