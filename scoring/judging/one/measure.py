"""A measure of one subject's records, or of its other measures, as a line of days."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import compress
from operator import itemgetter
from typing import Any

from rules.exact import quotient
from rules.language.evaluate import Counting, Function, Row, compiled
from rules.language.expressions import Kind, Type
from rules.model import DERIVED, NEVER_UNKNOWN, Aggregate, Measure, Table
from scoring.judging.lines import Days, Line, Opened, best, constant, mapped, summed
from scoring.judging.one.terms import Terms, coded_columns, days_counted, measures_in
from scoring.judging.timeline import capped


@dataclass(frozen=True, slots=True)
class Part:
    """A record that takes part in a measure.

    :param order: of ``latest``: the greatest one's value is the measure's.
    """

    begins: int
    ends: int
    group: Any
    value: Any
    order: Any


@dataclass(frozen=True, slots=True)
class Measured:
    """A measure, compiled.

    :param codes, where: what decides whether a record takes part: its codes, and the rest of the condition.
    :param read: the measures that it is made of.
    """

    measure: Measure
    codes: Function
    where: Function
    counting: Counting
    operand: Function | None
    group: Function | None
    key: str
    read: tuple[str, ...]

    @classmethod
    def of(cls, measure: Measure, records: Table | None) -> Measured:
        where = measure.where
        terms = Terms.of(where.condition, frozenset(coded_columns(records)))
        derived = measure.aggregate in DERIVED
        return cls(
            measure=measure,
            codes=terms.codes,
            where=compiled(where.condition) if derived else terms.row,
            counting=Counting.of(measure.window, where),
            operand=compiled(measure.operand) if measure.operand is not None else None,
            group=compiled(measure.by) if measure.by is not None else None,
            key=records.key if records else "",
            read=tuple(sorted({*measure.parts, *measures_in(where.condition)})),
        )

    @property
    def of_records(self) -> bool:
        return self.measure.aggregate not in DERIVED

    def part(self, record: Row, days: Days) -> Part | None:
        """How a record whose codes fit takes part; None where it does not."""
        if self.where(record) is not True:
            return None
        counted = self.counting.on(record)
        group = self.group(record) if self.group else True
        if counted is None or group is None:
            return None
        begins, ends = days_counted(counted, *days)
        if begins >= ends:
            return None
        value = self.operand(record) if self.operand else 1
        return Part(begins, ends, group, value, (counted.start, record[self.key]))

    def line(self, parts: Sequence[Part], days: Days) -> Line:
        """The measure of records, from those that take part."""
        measure = self.measure
        if measure.by is None:
            line = _aggregate(measure.aggregate, parts, days)
        elif measure.take is Aggregate.RUN:
            line = mapped(len, self.runs(parts, days))
        else:
            spans = [span for group in _grouped(parts).values() for span in self._present(group, days)]
            line = _combined(measure.take, spans, days)
        if {measure.aggregate, measure.take} & NEVER_UNKNOWN:
            return mapped(lambda value: 0 if value is None else value, line)
        return line

    def _present(self, group: Sequence[Part], days: Days) -> Iterator[Opened[Any]]:
        """A group's value while it has one: a sum is one also of amounts that are all unknown."""
        line = _aggregate(self.measure.aggregate, group, days)
        if self.measure.aggregate in NEVER_UNKNOWN:
            size = summed(((part.begins, part.ends, 1) for part in group), days)
            line = mapped(lambda value, count: value if count else None, line, size)
        each = self.measure.each
        return ((b, e, capped(v, each)) for b, e, v in line.pieces(days.until) if v is not None)

    def runs(self, parts: Sequence[Part], days: Days) -> Line:
        """The most months or years with a value that follow one another, each by its first day."""
        groups, step = _grouped(parts), self.measure.months_long or 1
        months = sorted(groups)
        there = (summed(((b, e, 1) for b, e, _ in self._present(groups[m], days)), days) for m in months)
        return mapped(
            lambda _, *known: longest_run(list(compress(months, known)), step), constant(None, days), *there
        )

    def derived(self, subject: Row, lines: Mapping[str, Line], days: Days) -> Line:
        """A measure made of measures."""
        measure, read = self.measure, self.read

        def value(*values: Any) -> Any:
            row = {**subject, **dict(zip(read, values, strict=True))}
            if self.where(row) is not True:
                return None
            return self.operand(row) if self.operand else _ratio(*(row[part] for part in measure.parts))

        return mapped(
            lambda _, *values: value(*values), constant(None, days), *(lines[name] for name in read)
        )


def _grouped(parts: Iterable[Part]) -> dict[Any, list[Part]]:
    groups: dict[Any, list[Part]] = defaultdict(list)
    for part in parts:
        groups[part.group].append(part)
    return groups


def longest_run(months: Sequence[dt.date], step: int) -> Sequence[dt.date]:
    """The longest unbroken sequence, the last one of several.

    :param months: first days of months, in order.
    :param step: how many months one comes after the other.

    >>> from datetime import date
    >>> [day.month for day in longest_run([date(2025, month, 1) for month in (1, 3, 4, 6, 7, 9)], 1)]
    [6, 7]
    """
    numbers = [12 * day.year + day.month for day in months]
    first, longest = 0, (0, 0)
    for n, number in enumerate(numbers):
        if n and number != numbers[n - 1] + step:
            first = n
        longest = max(longest, (first, n + 1), key=lambda run: (run[1] - run[0], run))
    return months[slice(*longest)]


def _aggregate(how: Aggregate, parts: Sequence[Part], days: Days) -> Line:
    known = [part for part in parts if part.value is not None]
    if how is Aggregate.LATEST:
        known.sort(key=lambda part: part.order, reverse=True)
        return best([(part.begins, part.ends, part.value) for part in known], days)
    return _combined(how, [(part.begins, part.ends, part.value) for part in known], days)


def _combined(how: Aggregate | None, spans: Sequence[Opened[Any]], days: Days) -> Line:
    """What an aggregate makes of known values."""
    if how is Aggregate.COUNT:
        return summed(((begins, ends, 1) for begins, ends, _ in spans), days)
    if how is Aggregate.SUM:
        return summed(spans, days)
    if how is Aggregate.MEAN:
        count = summed(((begins, ends, 1) for begins, ends, _ in spans), days)
        return mapped(_mean, summed(spans, days), count)
    return best(sorted(spans, key=itemgetter(2), reverse=how is Aggregate.MAX), days)


def typed(value: Any, kind: Type) -> Any:
    """A number with as many decimals as its type has, so that sums of whole numbers are sums as well."""
    if value is None or kind.kind is not Kind.NUMBER:
        return value
    return Decimal(value).quantize(Decimal(1).scaleb(-kind.scale)) if kind.scale else int(value)


def _mean(total: Any, count: int) -> Any:
    return _quotient(total, count) if count else None


def _ratio(part: Any, whole: Any) -> Any:
    if part is None or not whole:
        return None
    found = _quotient(part, whole)
    return found if abs(found) < 10**24 else None


def _quotient(part: Any, whole: Any) -> Decimal:
    return Decimal(quotient(part, whole, 4)).scaleb(-4)
