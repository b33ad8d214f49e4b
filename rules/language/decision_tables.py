"""Scorecards and decision tables: cells become conditions, hit policies are settled when a pack is loaded.

The condition of a row is one box, so whether two rows can match together is decidable. ``unique`` is
proved here; a row of a ``first`` table excludes just those earlier rows that it overlaps. After this every
row is an ordinary rule, and no engine knows of tables. Hit policies as in OMG DMN 1.3, 8.2.10.
"""

from __future__ import annotations

import datetime as dt
import operator
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from rules.language.boxes import Box, Boxes, boxes, overlap
from rules.language.expressions import (
    Expression,
    IsTrue,
    Kind,
    Level,
    Name,
    Not,
    Value,
    conjunction,
    literal,
    render,
)
from rules.language.parse import ConditionError, Scope, parse_condition

_COMPARISON = re.compile(r"(>=|<=|<>|>|<|=)\s*(-?\d+(?:\.\d+)?|\d{4}-\d{2}-\d{2})")
_RANGE = re.compile(r"(-?\d+(?:\.\d+)?|\d{4}-\d{2}-\d{2})\s*\.\.\s*(-?\d+(?:\.\d+)?|\d{4}-\d{2}-\d{2})")
_BRACKETS = re.compile(rf"[\[\](]\s*{_RANGE.pattern}\s*[\[\])]")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_PASSES = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}
Comparable = Decimal | dt.date


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell matches: any of ``values``, or what passes all ``tests``; with neither, anything.

    :param tests: operators and what they compare with.
    """

    values: frozenset[Value] | None = None
    tests: tuple[tuple[str, Comparable], ...] = ()

    @property
    def anything(self) -> bool:
        return self.values is None and not self.tests

    def holds(self, value: Value) -> bool:
        """Whether a known value matches."""
        if self.values is not None:
            return value in self.values
        return all(_PASSES[op](value, end) for op, end in self.tests)


def read_cell(written: object) -> Cell:
    """The cell as written in a pack.

    :raises ConditionError: on anything but a value, a list of values, a comparison, a range or ``"-"``.

    >>> [read_cell(written).holds(12) for written in (">= 10", "10 .. 20", 12, "-", "< 10")]
    [True, True, True, True, False]
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
        return Cell(tests=((">=", low), ("<", high)))
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
    return Cell(tests=((op, value),))


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
    """A value as SQL.

    :raises ConditionError: where its type is not the input's.
    """
    if operand.type.kind in (Kind.NUMBER, Kind.DATE) and isinstance(value, str):
        _check_written(value.strip())
        if operand.type.kind is Kind.NUMBER:
            raise ConditionError(
                "a number beside a text", 'a number, a comparison or a range: 90, ">= 90", "70..90"'
            )
    if operand.type.kind is Kind.TEXT and not isinstance(value, str):
        raise ConditionError(f"{value} beside a text", f"in quotes: '{value}'")
    return literal(value)


def _check_written(text: str) -> None:
    """Refuses a text that was meant to be a range or a comparison, and says how that is written."""
    if found := _BRACKETS.fullmatch(text) or _RANGE.fullmatch(text):
        low, high = found.groups()
        raise ConditionError("a range in brackets", f'"{low}..{high}": from {low} to below {high}')
    if _COMPARISON.fullmatch(text):
        raise ConditionError("a comparison in a list", f'"{text}", alone in its cell')


def clash(conditions: Sequence[Expression]) -> tuple[int, int] | None:
    """The first two rows (by index) that can match together."""
    before = enumerate(_overlapped(conditions))
    return next(((earlier[0], later) for later, earlier in before if earlier), None)


def first_only(conditions: Sequence[Expression]) -> list[Expression]:
    """The rows' conditions where no earlier row holds, for the hit policy ``first``."""
    return [
        conjunction((own, *(Not(IsTrue(conditions[i])) for i in earlier)))
        for own, earlier in zip(conditions, _overlapped(conditions), strict=True)
    ]


def _overlapped(conditions: Sequence[Expression]) -> Iterator[list[int]]:
    """For each row the earlier ones that can match together with it."""
    named: dict[Expression, Name] = {}
    rows: list[Boxes] = []
    for condition in conditions:
        found = boxes(condition)
        for operand in {operand for box in found for operand in box.domains}:
            # A name is compared in a fraction of the time that an expression takes.
            named.setdefault(operand, Name(str(len(named)), Level.RECORD, operand.type))
        own = tuple(Box({named[o]: domain for o, domain in box.domains.items()}) for box in found)
        yield [index for index, earlier in enumerate(rows) if overlap(earlier, own)]
        rows.append(own)
