"""A condition taken apart by what its terms read, so that each is decided no oftener than it must be."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from rules.language.evaluate import Counted, Function, compiled
from rules.language.expressions import TRUE, Expression, Kind, Level, conjunction, conjuncts, names
from rules.model import Table


@dataclass(frozen=True, slots=True)
class Terms:
    """A condition without time, by what its terms read.

    :param codes: columns of closed lists alone: decided once a combination of codes.
    :param own: the subject's attributes alone: decided once a subject.
    :param moving: attributes and measures: decided once a piece.
    :param row: all others: decided once a record, and once a piece where they read measures.
    """

    codes: Function
    own: Function
    moving: Function
    row: Function
    moving_reads: frozenset[str]
    row_reads: frozenset[str]

    @classmethod
    def of(cls, condition: Expression, coded: frozenset[str]) -> Terms:
        """A rule's or measure's condition.

        :param coded: the record's columns of closed lists.
        """
        kinds: dict[str, list[Expression]] = defaultdict(list)
        for term in conjuncts(condition):
            kinds[_reads(term, coded)].append(term)
        terms = {kind: conjunction(tuple(found)) for kind, found in kinds.items()}

        def function(kind: str) -> Function:
            return compiled(terms.get(kind, TRUE))

        return cls(
            codes=function("codes"),
            own=function("own"),
            moving=function("moving"),
            row=function("row"),
            moving_reads=measures_in(terms.get("moving")),
            row_reads=measures_in(terms.get("row")),
        )


def _reads(term: Expression, coded: frozenset[str]) -> str:
    read = names(term)
    levels = {name.level for name in read}
    if levels == {Level.RECORD}:
        return "codes" if {name.name for name in read} <= coded else "row"
    if Level.RECORD in levels or not levels:  # whoever judges asks for the row's, not always for the others
        return "row"
    return "moving" if Level.MEASURE in levels else "own"


def measures_in(*expressions: Expression | None) -> frozenset[str]:
    """The measures that expressions read."""
    found = (name for part in expressions if part is not None for name in names(part))
    return frozenset(name.name for name in found if name.level is Level.MEASURE)


def coded_columns(records: Table | None) -> tuple[str, ...]:
    """The columns whose values are few."""
    columns = records.columns.values() if records else ()
    return tuple(c.name for c in columns if c.values or c.type.kind is Kind.BOOLEAN)


def days_counted(counted: Counted, first: int, until: int) -> tuple[int, int]:
    """The days of a stretch on which a row counts."""
    begins = first if counted.first is None else max(first, counted.first.toordinal())
    return begins, until if counted.until is None else min(until, counted.until.toordinal())
