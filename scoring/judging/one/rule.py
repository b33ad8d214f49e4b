"""A rule at work on one subject: on which days it hits because of what, and with how many points."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from operator import itemgetter
from typing import Any

from rules.exact import quotient
from rules.language.evaluate import Counting, Function, Row, add_months, compiled
from rules.language.expressions import Level
from rules.model import Rule, Table, Window
from rules.plan import LARGEST_HIT, round_half_away
from scoring.judging.lines import Days, Line, Opened, cut, mapped
from scoring.judging.one.terms import Terms, coded_columns, days_counted, measures_in
from scoring.judging.period import ALL_OF_TIME, day_of
from scoring.judging.timeline import Span, held

FOREVER = ALL_OF_TIME.days

_Shown = tuple[int, dt.date | None, dt.date | None]
"""Points, and the days from and until which they are said to count."""


@dataclass(frozen=True, slots=True)
class Found:
    """What is to be a span.

    :param number: the rule's, by its place in the pack.
    :param record: the key of the record that it is because of; None of a rule about the subject.
    """

    number: int
    rule: Rule
    record: Any
    begins: int
    ends: int
    points: int
    counts_from: dt.date | None
    counts_until: dt.date | None


def span_of(found: Found) -> Span:
    """As a timeline says it."""
    return Span(
        found.rule,
        found.record,
        date_of(found.begins),
        day_of(found.ends),
        found.points,
        found.counts_from,
        found.counts_until,
    )


@dataclass(frozen=True, slots=True)
class Ruled:
    """A rule, compiled.

    :param values: the stretches on which it is in force, each with its points by the steps of its decay.
    :param read: the measures that its hits' days and points depend on, beside whether it hits at all.
    """

    number: int
    rule: Rule
    of_record: bool
    terms: Terms
    counting: Counting
    per: Function | None
    values: tuple[Opened[tuple[int, ...]], ...]
    read: tuple[str, ...]

    @classmethod
    def of(cls, number: int, rule: Rule, records: Table | None) -> Ruled:
        when = rule.when
        terms = Terms.of(when.condition, frozenset(coded_columns(records)))
        dates = (rule.window.start, rule.window.until) if rule.window else ()
        return cls(
            number=number,
            rule=rule,
            of_record=rule.level is Level.RECORD and records is not None,
            terms=terms,
            counting=Counting.of(rule.window, when),
            per=compiled(rule.per) if rule.per is not None else None,
            values=tuple(
                (b, e, _by_step(points, rule.window))
                for b, e, points in stretches(rule)
                if points is not None
            ),
            read=tuple(sorted(terms.row_reads | measures_in(rule.per, *dates, *when.begins, *when.ends))),
        )

    def pieces(self, subject: Row, lines: Mapping[str, Line], days: Days) -> list[Opened[Row]]:
        """The days on which what the subject itself must be is met, with the measures that its hits read."""
        if self.terms.own(subject) is not True:
            return []
        asked = tuple(self.terms.moving_reads)
        if not asked and not self.read:
            return [(*days, {})]

        def values(*of_all: Any) -> tuple[Any, ...] | None:
            given = dict(zip((*asked, *self.read), of_all, strict=True))
            met = self.terms.moving({**subject, **given}) is True
            return tuple(given[name] for name in self.read) if met else None

        line = mapped(values, *(lines[name] for name in (*asked, *self.read)))
        return [
            (begins, ends, dict(zip(self.read, found, strict=True)))
            for begins, ends, found in line.pieces(days.until)
            if found is not None
        ]

    def found(self, row: Row, record: Any, pieces: Sequence[Opened[Row]]) -> Iterable[Found]:
        """The spans of a row, which its codes let it meet."""
        if len(pieces) == 1 or not self.read:
            (*_, values) = pieces[0]
            hits = self._hits({**row, **values} if values else row, pieces)
        else:
            hits = [hit for piece in pieces for hit in self._hits({**row, **piece[2]}, (piece,))]
        for begins, ends, as_shown in _merged(hits):
            yield Found(self.number, self.rule, record, begins, ends, *as_shown)

    def _hits(self, row: Row, pieces: Sequence[Opened[Row]]) -> list[Opened[_Shown]]:
        if self.terms.row(row) is not True:
            return []
        counted = self.counting.on(row)
        per = self.per(row) if self.per else 1
        if counted is None or per is None:
            return []
        return [
            (begins, ends, (_multiplied(points, per) if self.per else points, counted.first, counted.until))
            for first, until, _ in pieces
            for since, till, by_step in cut(*days_counted(counted, first, until), self.values)
            for begins, ends, points in cut(since, till, self._steps(counted.start, by_step))
        ]

    def _steps(self, start: dt.date | None, points: tuple[int, ...]) -> Iterable[Opened[int]]:
        """The points as they decay."""
        if start is None or len(points) == 1:
            return ((*FOREVER, points[0]),)
        decay = self.rule.window.decay if self.rule.window else ()
        marks = [FOREVER.first, *(add_months(start, s.months).toordinal() for s in decay), FOREVER.until]
        return ((begins, ends, p) for (begins, ends), p in zip(pairwise(marks), points, strict=True))


def _merged(hits: Iterable[Opened[Any]]) -> list[Opened[Any]]:
    """Spans in order; neighbours of one value are one."""
    merged: list[Opened[Any]] = []
    for begins, ends, value in hits:
        if merged and merged[-1][1] == begins and merged[-1][2] == value:
            merged[-1] = (merged[-1][0], ends, value)
        else:
            merged.append((begins, ends, value))
    return merged


def _by_step(points: int, window: Window | None) -> tuple[int, ...]:
    """The points before a window's decay and after each of its steps."""
    decay = window.decay if window else ()
    return tuple(_at_most(round_half_away(points * keep)) for keep in (Fraction(1), *(s.keep for s in decay)))


def _multiplied(points: int, per: Any) -> int:
    return _at_most(quotient(points * per, 1))


def _at_most(points: int) -> int:
    return held(points, -LARGEST_HIT, LARGEST_HIT)


def stretches(rule: Rule) -> Iterator[Opened[int | None]]:
    """The days on which a rule has each of its values; a veto is always in force, with no points."""
    if rule.is_veto or rule.points is None:
        return iter([(*FOREVER, 0 if rule.is_veto else None)])
    steps = sorted(rule.points.steps, key=itemgetter(0))
    days = [max(start.toordinal(), FOREVER.first) for start, _ in steps]
    return Line(days, [points for _, points in steps]).pieces(FOREVER.until)


def date_of(day: int) -> dt.date:
    """The date of an ordinal."""
    return dt.date.fromordinal(day)
