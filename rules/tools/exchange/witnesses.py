"""Examples of a table that was read: for values at the ends of each row, what its source gives.

They are worked out from what was read, not from the pack, so that ``rules test`` holds the one to the other.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from rules.language.expressions import Value
from rules.tools.exchange.draft import Column, Row, Table
from rules.tools.exchange.matches import HIGHEST, LOWEST, Asked, Match, Span, one_value

_STEPS = (1, Decimal("0.01"), Decimal("0.0001"))


def examples(table: Table, day: dt.date) -> list[Mapping[str, Any]]:
    """Cases with the points or the value that the table gives, each another; none of a table that reads
    another.

    :param day: of the examples.
    """
    found: list[Mapping[str, Any]] = []
    if not all(read.column.is_given for read in table.inputs):
        return found
    for row in table.rows:
        for at_end in (False, True):
            given = _given(table, row, at_end)
            if given is None:
                continue
            matching = [other.points for other in table.rows if _matches(table, other, given)]
            if matching:
                key = "points" if table.gives is None else "value"
                example = {"given": given, "as_of": day, key: _given_by(table, matching)}
                if example not in found:
                    found.append(example)
    return found


def _given_by(table: Table, matching: Sequence[Decimal | str]) -> Decimal | str:
    """What a table gives of the rows that match."""
    if table.hit == "priority" and table.gives is not None:
        return min(matching, key=[*table.gives.codes].index)  # type: ignore[arg-type]
    if table.hit != "collect":
        return matching[0]
    numbers = [number for number in matching if isinstance(number, Decimal)]
    match table.take:
        case "count":
            return Decimal(len(numbers))
        case "min":
            return min(numbers)
        case "max":
            return max(numbers)
    return sum(numbers, Decimal(0))


def _given(table: Table, row: Row, at_end: bool) -> dict[str, Value] | None:
    """Values that match a row, those of unknown columns left out; None where none is found."""
    given: dict[str, Value] = {}
    for read, asked in zip(table.inputs, row.asked, strict=True):
        if asked is None or (asked.unknown and read.instead is None):
            continue
        values = list(_values(asked, read.column))
        if not values:
            return None
        given[read.column.name] = values[-1 if at_end else 0]
    return given


def _matches(table: Table, row: Row, given: Mapping[str, Value]) -> bool:
    pairs = zip(table.inputs, row.asked, strict=True)
    return all(_holds(asked, given.get(read.column.name, read.instead)) for read, asked in pairs)


def _holds(asked: Asked, value: Value | None) -> bool:
    if asked is None or value is None:
        return asked is None or asked.unknown
    return bool(asked & one_value(value))


def _values(asked: Match, column: Column) -> Iterator[Value]:
    """Values at the ends of what matches, in order."""
    yield from sorted(asked.values, key=str)
    for span in asked.spans:
        yield from (value for value in _ends(span) if _fits(value, span, column))


def _ends(span: Span) -> Sequence[Any]:
    low, high = span
    if (low, high) == (LOWEST, HIGHEST):
        return (Decimal(0), dt.date(2026, 1, 1))
    edge = low[1] if low != LOWEST else high[1]
    steps = [dt.timedelta(1)] if isinstance(edge, dt.date) else _STEPS
    above = [] if low == LOWEST else [low[1], *(low[1] + step for step in steps)]
    below = [] if high == HIGHEST else [*(high[1] - step for step in reversed(steps)), high[1]]
    return [*above, *below]


def _fits(value: Any, span: Span, column: Column) -> bool:
    is_date = isinstance(value, dt.date)
    if is_date != (column.kind == "date") or (column.kind == "integer" and value != int(value)):
        return False
    return bool(Match(spans=(span,)) & one_value(value))
