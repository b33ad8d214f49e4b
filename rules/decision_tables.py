"""Scorecards and decision tables: cells become conditions, hit policies are settled when a pack is loaded.

A cell is a set of values or an interval, so whether two rows can match together is decidable. ``unique`` is
proved here; a row of a ``first`` table excludes just those earlier rows that it overlaps. After this every
row is an ordinary rule, and no engine knows of tables. Hit policies as in OMG DMN 1.3, 8.2.10.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from rules.conditions import ConditionError, Scope, parse_condition
from rules.expressions import Expression, IsTrue, Kind, Not, Value, conjunction, literal, render

_COMPARISON = re.compile(r"(>=|<=|<>|>|<|=)\s*(-?\d+(?:\.\d+)?|\d{4}-\d{2}-\d{2})")
_RANGE = re.compile(r"(-?\d+(?:\.\d+)?|\d{4}-\d{2}-\d{2})\s*\.\.\s*(-?\d+(?:\.\d+)?|\d{4}-\d{2}-\d{2})")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
Comparable = Decimal | dt.date


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell matches: anything, any of ``values``, or an interval with closed or open ends.

    :param tests: operator and value pairs that together say the same, for the condition.
    """

    values: frozenset[Value] | None = None
    low: Comparable | None = None
    low_closed: bool = True
    high: Comparable | None = None
    high_closed: bool = False
    tests: tuple[tuple[str, Value], ...] = ()

    @property
    def anything(self) -> bool:
        return self.values is None and not self.tests

    def holds(self, value: Value) -> bool:
        """Whether a known value matches."""
        if self.values is not None:
            return value in self.values
        above = self.low is None or value > self.low or (self.low_closed and value == self.low)  # type: ignore[operator]
        below = self.high is None or value < self.high or (self.high_closed and value == self.high)  # type: ignore[operator]
        return above and below

    def overlaps(self, other: Cell) -> bool:
        """Whether some value matches both cells."""
        if self.anything or other.anything:
            return True
        if self.values is not None:
            return any(other.holds(value) for value in self.values)
        if other.values is not None:
            return any(self.holds(value) for value in other.values)
        return _meet(self, other) and _meet(other, self)


def _meet(lower: Cell, upper: Cell) -> bool:
    """Whether ``upper`` begins before ``lower`` ends."""
    if lower.high is None or upper.low is None:
        return True
    if lower.high == upper.low:
        return lower.high_closed and upper.low_closed
    return upper.low < lower.high  # type: ignore[operator]


def read_cell(written: object) -> Cell:
    """The cell as written in a pack.

    :raises ConditionError: on anything but a value, a list of values, a comparison, a range or ``"-"``.
    """
    if isinstance(written, list) and written and all(_is_value(v) for v in written):
        return Cell(values=frozenset(written))
    if not _is_value(written):
        raise ConditionError("not a cell", 'A, [A, B], ">= 90", "70..90" or "-"')
    if not isinstance(written, str):
        return Cell(values=frozenset([written]))  # type: ignore[list-item]
    if written == "-":
        return Cell()
    if found := _COMPARISON.fullmatch(written.strip()):
        return _comparison(found[1], _value(found[2]))
    if found := _RANGE.fullmatch(written.strip()):
        low, high = _value(found[1]), _value(found[2])
        if type(low) is not type(high) or low >= high:  # type: ignore[operator]
            raise ConditionError("an empty range", '"70..90" with the smaller end first')
        return Cell(low=low, high=high, tests=((">=", low), ("<", high)))
    if written.lstrip().startswith((">", "<", "=")):
        raise ConditionError("not a comparison", '">= 90" or "< 2026-01-01"')
    return Cell(values=frozenset([written]))


def _is_value(written: object) -> bool:
    return isinstance(written, str | int | Decimal | dt.date)


def _value(text: str) -> Comparable:
    if not _DATE.fullmatch(text):
        return Decimal(text)
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise ConditionError(f"'{text}' is not a date", "a date such as 2026-01-31") from None


def _comparison(op: str, value: Comparable) -> Cell:
    if op == "=":
        return Cell(values=frozenset([value]))
    if op == "<>":
        raise ConditionError("'<>' in a cell", "a list of the values that match, or a rule of its own")
    tests = ((op, value),)
    if op in (">", ">="):
        return Cell(low=value, low_closed=op == ">=", tests=tests)
    return Cell(high=value, high_closed=op == "<=", tests=tests)


def cell_condition(cell: Cell, operand: Expression, scope: Scope) -> tuple[Expression, ...]:
    """The condition that the cell puts on an input, as terms of an ``and``; none where it matches anything.

    :raises ConditionError: where the cell's values don't fit the input's type or codes.
    """
    subject = render(operand)
    if cell.values is not None:
        listed = ", ".join(_literal(value, operand) for value in sorted(cell.values, key=str))
        text = f"({subject}) in ({listed})" if len(cell.values) > 1 else f"({subject}) = {listed}"
        return (parse_condition(text, scope),)
    return tuple(parse_condition(f"({subject}) {op} {literal(value)}", scope) for op, value in cell.tests)


def _literal(value: Value, operand: Expression) -> str:
    if operand.type.kind is Kind.TEXT and not isinstance(value, str):
        raise ConditionError(f"{value} beside a text", f"in quotes: '{value}'")
    return literal(value)


def clash(rows: Sequence[Sequence[Cell]]) -> tuple[int, int] | None:
    """The first two rows (by index) that can match together."""
    for later in range(len(rows)):
        for earlier in range(later):
            if _rows_overlap(rows[earlier], rows[later]):
                return earlier, later
    return None


def _rows_overlap(one: Sequence[Cell], other: Sequence[Cell]) -> bool:
    return all(a.overlaps(b) for a, b in zip(one, other, strict=True))


def first_only(rows: Sequence[Sequence[Cell]], conditions: Sequence[Expression], index: int) -> Expression:
    """The condition of a row where no earlier row holds, for the hit policy ``first``."""
    overlapped = (i for i in range(index) if _rows_overlap(rows[i], rows[index]))
    return conjunction((conditions[index], *(Not(IsTrue(conditions[i])) for i in overlapped)))
