"""Scorecards and decision tables: cells become conditions, hit policies are settled when a pack is loaded.

The condition of a row is one box, so whether two rows can match together is decidable. ``unique`` is
proved here; a row of a ``first`` table excludes just those earlier rows that it overlaps. After this every
row is an ordinary rule, and no engine knows of tables. Hit policies as in OMG DMN 1.3, 8.2.10.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from rules.language.boxes import Box, Boxes, boxes, overlap
from rules.language.expressions import (
    ONE,
    Arithmetic,
    Call,
    Case,
    Expression,
    IsTrue,
    Kind,
    Level,
    Literal,
    Name,
    Not,
    Or,
    Type,
    Value,
    conjunction,
    literal,
    render,
)
from rules.language.parse import ConditionError, Scope, parse_condition

_LITERAL = r"-?\d+(?:\.\d+)?|\d{4}-\d{2}-\d{2}"
_BOUND = rf"{_LITERAL}|[a-z][a-z0-9_]*"
_COMPARISON = re.compile(rf"(>=|<=|<>|>|<|=)\s*({_BOUND})")
_RANGE = re.compile(rf"({_LITERAL})\s*\.\.\s*({_LITERAL})")
_ANY_RANGE = re.compile(rf"([\[\](]?)\s*({_BOUND})\s*\.\.\s*({_BOUND})\s*([\[\])]?)")
_ZERO = Literal(0, ONE.type)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_AND = re.compile(r"\s+and\s+")
_ORDERED = (Kind.NUMBER, Kind.DATE)
_CELLS = 'A, [A, B], {not: A}, ">= 90", "70..90", "[70..90]", null or "-"'
_IN_BRACKETS = '"[{0}..{1}]" in quotes: both ends are in; "{0}..{1}": from {0} to below {1}'


@dataclass(frozen=True, slots=True)
class Named:
    """Another column or measure, as the bound of a cell."""

    name: str


Comparable = Decimal | dt.date
Bound = Comparable | Named


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell matches: any of ``values``, what passes all ``tests``, or what any cell of ``among`` does;
    with none of these, anything.

    :param tests: operators and what they compare with.
    :param unknown: whether it is about an unknown value, and no other.
    :param negated: whether it matches the known values that it otherwise would not.
    """

    values: frozenset[Value] | None = None
    tests: tuple[tuple[str, Bound], ...] = ()
    among: tuple[Cell, ...] = ()
    unknown: bool = False
    negated: bool = False

    @property
    def anything(self) -> bool:
        return self == Cell()

    @property
    def reads_names(self) -> bool:
        """Whether it compares with another column or measure."""
        own = any(isinstance(end, Named) for _, end in self.tests)
        return own or any(cell.reads_names for cell in self.among)


def read_cell(written: object, kind: Kind) -> Cell:
    """The cell as written in a pack.

    :param kind: of the input: for a text, and in a list of texts, most that is written is a value.
    :raises ConditionError: on anything but a value, a list, a comparison or several, a range, ``null``,
        ``{not: …}`` or ``"-"``.

    >>> from rules.language.expressions import Kind
    >>> read_cell("10 .. 20", Kind.NUMBER).tests
    (('>=', Decimal('10')), ('<', Decimal('20')))
    >>> cell = read_cell({"not": [10, 11]}, Kind.NUMBER)
    >>> sorted(cell.values), cell.negated
    ([10, 11], True)
    """
    if isinstance(written, dict):
        return _without(written, kind)
    if isinstance(written, list) and written:
        return _listed(written, kind)
    return _single(written, kind)


def _single(written: object, kind: Kind) -> Cell:
    if written is None:
        return Cell(unknown=True)
    if not _is_value(written):
        raise ConditionError("not a cell", _CELLS)
    if not isinstance(written, str):
        return Cell(values=frozenset([written]))  # type: ignore[list-item]
    if written == "-":
        return Cell()
    text = written.strip()
    compared = [_COMPARISON.fullmatch(part) for part in _AND.split(text)]
    if all(compared):
        return _compared([(found[1], _value(found[2])) for found in compared if found])
    ranged = (_ANY_RANGE if kind in _ORDERED else _RANGE).fullmatch(text)
    if ranged:
        return _range(*(ranged.groups() if kind in _ORDERED else ("", *ranged.groups(), "")))
    if text.startswith((">", "<", "=")):
        raise ConditionError("not a comparison", '">= 90", "< 2026-01-01", "> 1 and < 5" or "<= a_column"')
    return Cell(values=frozenset([written]))


def _listed(written: Sequence[object], kind: Kind) -> Cell:
    """Any of the cells of a list; those that are values are one."""
    values: set[Value] = set()
    others: list[Cell] = []
    for item in written:
        if not (item is None or _is_value(item)):
            raise ConditionError("not a cell", _CELLS)
        is_read = item is None or kind in _ORDERED
        cell = _single(item, kind) if is_read else Cell(frozenset([item]))  # type: ignore[list-item]
        if cell.values is None:
            others.append(cell)
        else:
            values |= cell.values
    if any(cell.anything for cell in others):
        raise ConditionError("'-' in a list", '"-", alone in its cell')
    if len(written) == 1 and others and (found := _ANY_RANGE.fullmatch(str(written[0]))):
        raise ConditionError("a range in brackets without quotes", _IN_BRACKETS.format(found[2], found[3]))
    among = ([Cell(frozenset(values))] if values else []) + others
    return among[0] if len(among) == 1 else Cell(among=tuple(among))


def _without(written: Mapping[object, object], kind: Kind) -> Cell:
    inner = read_cell(written["not"], kind) if set(written) == {"not"} else Cell(negated=True)
    if inner.negated or inner.anything:
        raise ConditionError("not a cell", "{not: A}, {not: [A, B]} or {not: null}")
    return replace(inner, negated=True)


def _is_value(written: object) -> bool:
    return isinstance(written, str | int | Decimal | dt.date)


def _value(text: str) -> Bound:
    if text == "as_of":
        raise ConditionError("as_of in a cell", "where: established_on + interval 12 month <= as_of")
    if text[0].isalpha():
        return Named(text)
    if not _DATE.fullmatch(text):
        return Decimal(text)
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise ConditionError(f"'{text}' is not a date", "a date such as 2026-01-31") from None


def _compared(tests: Sequence[tuple[str, Bound]]) -> Cell:
    (op, value), *others = tests
    if not others and not isinstance(value, Named):
        if op == "=":
            return Cell(values=frozenset([value]))
        if op == "<>":
            raise ConditionError("'<>' in a cell", f"{{not: {value}}}")
    return Cell(tests=tuple(tests))


def _range(opening: str, start: str, end: str, closing: str) -> Cell:
    """From the first to below the second; with brackets as they say."""
    if bool(opening) is not bool(closing):
        raise ConditionError("half a range", _IN_BRACKETS.format(start, end))
    low, high = _value(start), _value(end)
    above, below = ">=" if opening in ("", "[") else ">", "<=" if closing == "]" else "<"
    if not isinstance(low, Named) and not isinstance(high, Named):
        one = above == ">=" and below == "<="
        if type(low) is not type(high) or not (low <= high if one else low < high):  # type: ignore[operator]
            raise ConditionError("an empty range", '"70..90" with the smaller end first')
    return Cell(tests=((above, low), (below, high)))


def cell_condition(cell: Cell, operand: Expression, scope: Scope) -> tuple[Expression, ...]:
    """The condition that the cell puts on an input, as terms of an ``and``; none where it matches anything.

    :raises ConditionError: where the cell's values don't fit the input's type or codes.
    """
    subject = render(operand)
    if cell.negated:
        if cell.values is not None and len(cell.values) == 1:
            [value] = cell.values
            return (parse_condition(f"({subject}) <> {_literal(value, operand)}", scope),)
        return (Not(conjunction(cell_condition(replace(cell, negated=False), operand, scope))),)
    if cell.among:
        return (Or(tuple(conjunction(cell_condition(part, operand, scope)) for part in cell.among)),)
    if cell.unknown:
        return (parse_condition(f"({subject}) is null", scope),)
    if cell.values is not None:
        listed = ", ".join(_literal(value, operand) for value in sorted(cell.values, key=str))
        text = f"({subject}) in ({listed})" if len(cell.values) > 1 else f"({subject}) = {listed}"
        return (parse_condition(text, scope),)
    ends = ((op, end.name if isinstance(end, Named) else literal(end)) for op, end in cell.tests)
    return tuple(parse_condition(f"({subject}) {op} {end}", scope) for op, end in ends)


def _literal(value: Value, operand: Expression) -> str:
    """A value as SQL.

    :raises ConditionError: where its type is not the input's.
    """
    if operand.type.kind is Kind.NUMBER and isinstance(value, str):
        hint = 'a number, a comparison or a range: 90, ">= 90", "70..90"'
        raise ConditionError("a number beside a text", hint)
    if operand.type.kind is Kind.TEXT and not isinstance(value, str):
        raise ConditionError(f"{value} beside a text", f"in quotes: '{value}'")
    return literal(value)


def clash(conditions: Sequence[Expression], results: Sequence[object] = ()) -> tuple[int, int] | None:
    """The first two rows (by index) that can match together and, of these results, give another."""
    for later, earlier in enumerate(_overlapped(conditions)):
        apart = [row for row in earlier if not results or results[row] != results[later]]
        if apart:
            return apart[0], later
    return None


def first_only(conditions: Sequence[Expression], order: Sequence[int] | None = None) -> list[Expression]:
    """The rows' conditions where no row before them holds.

    :param order: of the rows, by index; None: as they stand.
    """
    order = range(len(conditions)) if order is None else order
    ordered = [conditions[row] for row in order]
    chosen = {
        row: conjunction((own, *(Not(IsTrue(ordered[i])) for i in earlier)))
        for row, own, earlier in zip(order, ordered, _overlapped(ordered), strict=True)
    }
    return [chosen[row] for row in range(len(conditions))]


def none_of(conditions: Sequence[Expression]) -> Expression:
    """Where no row matches."""
    return conjunction(tuple(Not(IsTrue(condition)) for condition in conditions))


Branch = tuple[Expression, Literal]
"""The condition of a row and what the row gives."""


def decided(branches: Sequence[Branch], take: str | None, default: Literal | None) -> Expression:
    """What a table gives, as one expression.

    :param branches: of a table of which one row counts, the row that counts before others first.
    :param take: what is made of all the rows that match: ``sum``, ``min``, ``max`` or ``count``.
    """
    if take == "count":
        return _total([Case(((condition, ONE),), _ZERO, ONE.type) for condition, _ in branches])
    kinds = [value.type for _, value in branches] + ([default.type] if default else [])
    kind = Type(kinds[0].kind, max(k.whole for k in kinds), max(k.scale for k in kinds))
    if take is None:
        return Case(tuple(branches), default, kind)
    if take == "sum":
        taken = _total([Case((branch,), _ZERO, kind) for branch in branches])
    else:
        values = tuple(Case((branch,), None, kind) for branch in branches)
        taken = Call("least" if take == "min" else "greatest", values, kind) if values[1:] else values[0]
    return Case(((Or(tuple(condition for condition, _ in branches)), taken),), default, taken.type)


def _total(parts: Sequence[Expression]) -> Expression:
    """The sum, by halves: a sum one by one would be as deep as a table is long."""
    if len(parts) == 1:
        return parts[0]
    left, right = _total(parts[: len(parts) // 2]), _total(parts[len(parts) // 2 :])
    whole, scale = max(left.type.whole, right.type.whole) + 1, left.type.scale
    return Arithmetic("+", left, right, Type(Kind.NUMBER, whole, scale))


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
