"""What one cell of another notation asks of one value, as sets; and the cells of a table that ask the same.

A cell of the language says less than one of FEEL or PMML: what takes several becomes several rows, which
never match together.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from rules.language import expressions
from rules.language.decision_tables import read_cell
from rules.language.expressions import Value
from rules.language.parse import ConditionError

Kind = Literal["text", "decimal", "integer", "date", "boolean"]
Ordered = Decimal | dt.date
Cut = tuple[int, Any, int]
"""A place between values: before all (-1), after all (1), or (0) just before a value (0) or after it (1)."""
Span = tuple[Cut, Cut]

LOWEST: Cut = (-1, 0, 0)
HIGHEST: Cut = (1, 0, 0)


@dataclass(frozen=True, slots=True)
class Match:
    """Which values match.

    :param values: of a text or boolean.
    :param spans: of numbers or dates: apart from each other, in order.
    :param unknown: whether an unknown value matches.
    """

    values: frozenset[str | bool] = frozenset()
    spans: tuple[Span, ...] = ()
    unknown: bool = False

    def __or__(self, other: Match) -> Match:
        spans = _joined([*self.spans, *other.spans])
        return Match(self.values | other.values, spans, self.unknown or other.unknown)

    def __and__(self, other: Match) -> Match:
        both = [(max(a[0], b[0]), min(a[1], b[1])) for a in self.spans for b in other.spans]
        return Match(self.values & other.values, _joined(both), self.unknown and other.unknown)

    def __bool__(self) -> bool:
        return bool(self.values or self.spans or self.unknown)


Asked = Match | None
"""None: anything matches, also an unknown value."""


def one_value(value: Value) -> Match:
    """What matches one value alone."""
    if isinstance(value, str | bool):
        return Match(values=frozenset([value]))
    number = Decimal(value) if isinstance(value, int) else value
    return Match(spans=(((0, number, 0), (0, number, 1)),))


def compared(sign: str, value: Ordered) -> Match:
    """What passes a comparison.

    >>> from decimal import Decimal
    >>> bool(compared("<=", Decimal(3)) & compared(">", Decimal(3)))
    False
    """
    cut: Cut = (0, value, 1 if sign in ("<=", ">") else 0)
    return Match(spans=((LOWEST, cut) if sign.startswith("<") else (cut, HIGHEST),))


def known(kind: Kind, codes: Sequence[str]) -> Match:
    """Every value that is known.

    :param codes: all values of a text, where they are listed.
    :raises ConditionError: where they are not.
    """
    if kind == "boolean":
        return Match(values=frozenset([True, False]))
    if kind == "text" and not codes:
        raise ConditionError("all but some values of a text, and no list of them all", 'inputValues: "A","B"')
    return Match(values=frozenset(codes)) if codes else Match(spans=((LOWEST, HIGHEST),))


def others(match: Match, kind: Kind, codes: Sequence[str]) -> Match:
    """The known values that do not match.

    :raises ConditionError: as :func:`known`.
    """
    every = known(kind, codes)
    edges = [LOWEST, *(cut for span in match.spans for cut in span), HIGHEST]
    outside = _joined(zip(edges[::2], edges[1::2], strict=True)) if every.spans else ()
    return Match(every.values - match.values, outside)


def both(one: Asked, other: Asked) -> Asked:
    """What matches both."""
    return other if one is None else one if other is None else one & other


def together(one: Asked, other: Asked) -> bool:
    """Whether some value matches both."""
    found = both(one, other)
    return found is None or bool(found)


def _joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    joined: list[Span] = []
    for low, high in sorted(spans):
        if joined and low <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        elif low < high:
            joined.append((low, high))
    return tuple(joined)


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells that ask one thing of one input.

    :param own: of the input itself.
    :param upper: of the input once more: a range whose ends a single cell can't say.
    :param unknown: of whether it is unknown; None where that is all one.
    """

    own: Any = "-"
    upper: str = "-"
    unknown: bool | None = None


def cells_for(asked: Asked) -> list[Cells]:
    """Cells that never match together, and match what is asked.

    >>> from decimal import Decimal
    >>> [cells.own for cells in cells_for(compared("<", Decimal(3)) | one_value(Decimal(7)))]
    [7, '< 3']
    """
    if asked is None:
        return [Cells()]
    single = [low[1] for low, high in asked.spans if _is_value(low, high)]
    listed = [_plain(value) for value in (*sorted(asked.values, key=str), *single)]
    cells = [Cells(_listed(listed), unknown=False)] if listed else []
    cells += [_range(low, high) for low, high in asked.spans if not _is_value(low, high)]
    return cells + [Cells(unknown=True)] * asked.unknown


def _is_value(low: Cut, high: Cut) -> bool:
    return low == (0, high[1], 0) and high[2] == 1


def _listed(values: Sequence[Any]) -> Any:
    """A value by itself where its cell is read as that, and no mark; else a list."""
    if len(values) > 1 or not _reads_as_value(values[0]):
        return list(values)
    return values[0]


def _reads_as_value(value: Any) -> bool:
    try:
        kind = expressions.Kind.TEXT if isinstance(value, str) else expressions.Kind.NUMBER
        return read_cell(value, kind).values == frozenset([value])
    except ConditionError:
        return False


def _range(low: Cut, high: Cut) -> Cells:
    above = f"{'>' if low[2] else '>='} {shown(low[1])}"
    below = f"{'<=' if high[2] else '<'} {shown(high[1])}"
    if (low, high) == (LOWEST, HIGHEST):
        return Cells(unknown=False)
    if low == LOWEST:
        return Cells(below, unknown=False)
    if high == HIGHEST:
        return Cells(above, unknown=False)
    if (low[2], high[2]) == (0, 0):
        return Cells(f"{shown(low[1])}..{shown(high[1])}", unknown=False)
    return Cells(above, below, False)


def shown(value: Value) -> str:
    """A number or date as a cell has it.

    >>> from decimal import Decimal
    >>> shown(Decimal("10.50"))
    '10.5'
    """
    value = _plain(value)
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _plain(value: Any) -> Any:
    """A number without zeros that say nothing."""
    if not isinstance(value, Decimal):
        return value
    return int(value) if value == value.to_integral_value() else value.normalize()
