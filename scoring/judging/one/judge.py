"""The judge of one subject, in plain Python: for live events, explanations and paths.

Many are judged in DuckDB, to the same end. What a record's codes decide is decided once a combination of
codes, what the subject's own attributes decide once a subject, and what measures decide once a piece of their
lines.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import localcontext
from typing import Any

from rules.exact import EXACT
from rules.language.evaluate import Row
from rules.language.expressions import Level
from rules.model import DERIVED, OVER_GROUP, SCORE, Aggregate, Pack, Rule
from rules.plan import rule_names, used_measures
from scoring.judging.lines import Days, Line, Opened, aligned, best, constant, cut, joined, mapped, summed
from scoring.judging.one.measure import Measured, Part, typed
from scoring.judging.one.rule import FOREVER, Found, Ruled, date_of, span_of, stretches
from scoring.judging.one.terms import coded_columns
from scoring.judging.period import ALL_OF_TIME, Period, day_of
from scoring.judging.pools import pool_of, vetoes_in_order
from scoring.judging.timeline import Segment, Timeline, capped, held, within

_NOTHING: Mapping[str, Any] = {}
_MOST_REMEMBERED = 10_000


class Judge:
    """A pack, compiled once, at work on one subject at a time. Threads may share it.

    >>> from datetime import date
    >>> from rules.library.loader import find_pack
    >>> penalty = {"record_id": "LY-2", "kind": "penalty", "severity": "general", "status": "effective"}
    >>> penalty["occurred_on"] = date(2026, 6, 1)
    >>> judge = Judge(find_pack("tourism-credit", date(2026, 8, 31)))
    >>> timeline = judge.judge({"subject_id": "A"}, [penalty])
    >>> [(grade.begins.isoformat(), grade.score, grade.tier) for grade in timeline.segments[:3]]
    [('2026-01-01', 7500, 'B'), ('2026-06-01', 6900, 'C'), ('2026-07-01', 6950, 'C')]
    """

    def __init__(self, pack: Pack, shown: Iterable[str] = ()) -> None:
        """:param shown: measures that are wanted beside those that the rules read."""
        self.pack = pack
        records = pack.vocabulary.records
        self._coded = coded_columns(records)
        self._own_key = pack.vocabulary.subject.key
        self._record_key = records.key if records else ""
        self._measures = tuple(Measured.of(m, records) for m in used_measures(pack, pack.rules, shown))
        self._rules = tuple(Ruled.of(number, rule, records) for number, rule in enumerate(pack.rules))
        self._asked = _asked(pack)
        self._asked_total = summed(
            ((*days, 1) for intervals in self._asked.values() for days in intervals), FOREVER
        )
        self._vetoes = tuple(
            {number: order for order, number in enumerate(numbers)} for numbers in vetoes_in_order(pack)
        )
        self._candidates: dict[tuple[Any, ...], _Candidates] = {}

    def judge(
        self,
        subject: Row,
        records: Sequence[Row],
        period: Period = ALL_OF_TIME,
        group_lines: Mapping[str, Line] = _NOTHING,
    ) -> Timeline:
        """A subject's timeline.

        :param subject: its attributes.
        :param records: the records about it.
        :param group_lines: the measures that depend on other subjects, by name, on at least the days of the
            period on which the pack is in force; one that is missing is unknown.
        """
        days = _in_force(self.pack, period)
        if days.first >= days.until:
            return Timeline(period, (), ())
        with localcontext(EXACT):
            parts = (part for record in records for part in self._parts(record, days))
            lines = self._lines(subject, parts, days, group_lines)
            pieces = self._pieces(subject, lines, days)
            found = [hit for record in records for hit in self._of_record(subject, record, pieces)]
            found += self._of_subject(subject, pieces)
            found, segments = self._graded(subject, lines, found, days)
        return Timeline(period, tuple(map(span_of, found)), segments, lines)

    @property
    def over_group(self) -> tuple[str, ...]:
        """The measures that depend on other subjects."""
        return tuple(m.measure.id for m in self._measures if m.measure.aggregate in OVER_GROUP)

    def values(
        self, subject: Row, records: Sequence[Row], day: dt.date, of_group: Mapping[str, Any] = _NOTHING
    ) -> dict[str, Any]:
        """The measures that rules read on a day, in or out of force; None where unknown.

        :param of_group: those that depend on other subjects.
        """
        days = Days(day.toordinal(), day.toordinal() + 1)
        with localcontext(EXACT):
            parts = (part for record in records for part in self._parts(record, days))
            lines = self._lines(subject, parts, days, {n: constant(v, days) for n, v in of_group.items()})
            types = {m.measure.id: m.measure.type for m in self._measures}
            return {name: typed(line.values[0], types[name]) for name, line in lines.items()}

    def runs(self, records: Sequence[Row], day: dt.date) -> dict[str, tuple[dt.date, dt.date]]:
        """Of the measures that count months or years in a row, the first days of the first and of the last
        of them on a day; of several runs as long, the last. None where there is none."""
        measures = [m for m in self._measures if m.measure.take is Aggregate.RUN]
        if not measures:
            return {}
        days, parts = Days(day.toordinal(), day.toordinal() + 1), defaultdict(list)
        with localcontext(EXACT):
            for name, part in (found for record in records for found in self._parts(record, days)):
                parts[name].append(part)
            found = {m.measure.id: m.runs(parts[m.measure.id], days).values[0] for m in measures}
        return {name: (run[0], run[-1]) for name, run in found.items() if run}

    # Measures

    def _parts(self, record: Row, days: Days) -> list[tuple[str, Part]]:
        """How a record takes part in measures, by their names."""
        return [
            (measured.measure.id, part)
            for measured in self._met(record).measures
            if (part := measured.part(record, days)) is not None
        ]

    def _lines(
        self,
        subject: Row,
        taking_part: Iterable[tuple[str, Part]],
        days: Days,
        group_lines: Mapping[str, Line],
    ) -> dict[str, Line]:
        """Every measure."""
        parts: dict[str, list[Part]] = defaultdict(list)
        for name, part in taking_part:
            parts[name].append(part)
        lines: dict[str, Line] = {}
        for measured in self._measures:
            name = measured.measure.id
            if measured.measure.aggregate in OVER_GROUP:
                line = group_lines.get(name)
                lines[name] = constant(None, days) if line is None else line.within(days)
            elif measured.measure.aggregate in DERIVED:
                lines[name] = measured.derived(subject, lines, days)
            else:
                lines[name] = measured.line(parts[name], days)
        return lines

    def _met(self, record: Row) -> _Candidates:
        """What the record's codes let it meet."""
        codes = tuple(map(record.get, self._coded))
        found = self._candidates.get(codes)
        if found is None:
            if len(self._candidates) >= _MOST_REMEMBERED:
                self._candidates.clear()
            found = self._candidates[codes] = _Candidates(
                tuple(m for m in self._measures if m.of_records and m.codes(record) is True),
                tuple(r for r in self._rules if r.of_record and r.terms.codes(record) is True),
            )
        return found

    # Rules

    def _pieces(self, subject: Row, lines: Mapping[str, Line], days: Days) -> list[list[Opened[Row]]]:
        """By the rule's number: when the subject lets it hit."""
        return [rule.pieces(subject, lines, days) for rule in self._rules]

    def _of_record(self, subject: Row, record: Row, pieces: Sequence[Sequence[Opened[Row]]]) -> list[Found]:
        """What the rules hit because of a record."""
        found: list[Found] = []
        row: Row | None = None
        for rule in self._met(record).rules:
            if pieces[rule.number]:
                row = row or {**record, **subject, self._own_key: subject.get(self._own_key)}
                found += rule.found(row, record[self._record_key], pieces[rule.number])
        return found

    def _of_subject(self, subject: Row, pieces: Sequence[Sequence[Opened[Row]]]) -> list[Found]:
        """What the rules hit because of the subject itself."""
        return [
            hit
            for rule in self._rules
            if not rule.of_record and pieces[rule.number]
            for hit in rule.found(subject, None, pieces[rule.number])
        ]

    # Grades

    def _graded(
        self, subject: Row, lines: Mapping[str, Line], found: Sequence[Found], days: Days
    ) -> tuple[list[Found], tuple[Segment, ...]]:
        """What hits, vetoes on the days alone on which the points are as they ask, and the grades."""
        dimensions = self._dimensions(found, days)
        score = self._score(dimensions, days)
        found = [hit for one in found for hit in self._below(one, {**dimensions, SCORE: score}, days)]
        return found, self._segments(subject, lines, found, score, days)

    def _below(self, hit: Found, lines: Mapping[str, Line], days: Days) -> Iterator[Found]:
        """A hit on the days on which all points are as low as its rule asks."""
        if not hit.rule.below:
            yield hit
            return
        low = mapped(
            lambda *points: all(p < bound for p, (_, bound) in zip(points, hit.rule.below, strict=True)),
            *(lines.get(name) or constant(0, days) for name, _ in hit.rule.below),
        )
        for begins, ends, holds in cut(hit.begins, hit.ends, low.pieces(days.until)):
            if holds:
                yield replace(hit, begins=begins, ends=ends)

    def _segments(
        self, subject: Row, lines: Mapping[str, Line], found: Sequence[Found], score: Line, days: Days
    ) -> tuple[Segment, ...]:
        grades = aligned(
            [
                score,
                *(self._first(order, found, days) for order in self._vetoes),
                self._known(subject, lines, days),
                _within_days(self._asked_total, days),
            ]
        )
        steps = joined((day, self._grade(*values)) for day, values in grades)
        return tuple(
            Segment(date_of(begins), day_of(ends), *grade) for begins, ends, grade in steps.pieces(days.until)
        )

    def _grade(
        self, score: int, forcing: Rule | None, lowering: Rule | None, known: int, total: int
    ) -> tuple[int, str, str, str | None, int, int]:
        """What a segment says beside its days.

        :param forcing, lowering: the first of the vetoes that hold of either kind.
        """
        tiers, band = self.pack.tiers, self._band(score)
        forced = tiers.index(forcing.tier) if forcing and forcing.tier else 0
        lowered = self.pack.lowered(band, lowering.lowers) if lowering and lowering.lowers else 0
        veto = forcing if forcing and forced >= lowered else lowering
        tier = tiers[max(band, forced, lowered)]
        return score, tier, tiers[band], veto.id if veto else None, known, total

    def _dimensions(self, found: Sequence[Found], days: Days) -> dict[str, Line]:
        """The points of each dimension with a hit: the sum of its pools, all held where they must be."""
        pools: dict[Any, list[Opened[int]]] = defaultdict(list)
        for hit in found:
            if hit.points:
                pools[pool_of(hit.rule)].append((hit.begins, hit.ends, hit.points))
        sums: dict[str, list[Opened[int]]] = defaultdict(list)
        for pool, spans in pools.items():
            if pool.cap is None:
                sums[pool.dimension] += spans
            else:
                cap = pool.cap
                sums[pool.dimension] += mapped(lambda p, cap=cap: capped(p, cap), summed(spans, days)).pieces(
                    days.until
                )
        return {
            dimension.id: mapped(
                lambda points, d=dimension: within(d, points), summed(sums[dimension.id], days)
            )
            for dimension in self.pack.dimensions
            if dimension.id in sums
        }

    def _score(self, dimensions: Mapping[str, Line], days: Days) -> Line:
        """The start and the points of all dimensions, held between the least and the most."""
        score = self.pack.score
        return mapped(
            lambda *points: held(score.start + sum(points), score.min, score.max),
            constant(0, days),
            *dimensions.values(),
        )

    def _first(self, order: Mapping[int, int], found: Sequence[Found], days: Days) -> Line:
        """The first that holds of the vetoes that are in this order."""
        vetoes = [hit for hit in found if hit.number in order]
        vetoes.sort(key=lambda hit: order[hit.number])
        return best([(hit.begins, hit.ends, hit.rule) for hit in vetoes], days)

    def _known(self, subject: Row, lines: Mapping[str, Line], days: Days) -> Line:
        """How many of the inputs of the rules in force are known."""
        spans: list[Opened[int]] = []
        for name, intervals in self._asked.items():
            line = lines.get(name) or constant(subject.get(name), days)
            for interval in intervals:
                spans += ((b, e, 1) for b, e, v in cut(*interval, line.pieces(days.until)) if v is not None)
        return summed(spans, days)

    def _band(self, score: int) -> int:
        bands = self.pack.bands
        return next((n for n, lowest in bands if score >= lowest), bands[-1][0])


class Varied:
    """A subject that is judged again and again with some of its records changed.

    What a record comes to is worked out once, as long as what its rules read of measures stays the same.
    Records are told apart by where they are in memory: the same row is to be given again, unaltered. One
    thread at a time.
    """

    def __init__(
        self, judge: Judge, subject: Row, period: Period, group_lines: Mapping[str, Line] = _NOTHING
    ) -> None:
        self._judge, self._subject, self._group_lines = judge, subject, group_lines
        self._days = _in_force(judge.pack, period)
        self._parts: dict[int, tuple[Row, list[tuple[str, Part]]]] = {}
        self._hits: dict[int, list[Found]] = {}
        self._pieces: list[Any] = []

    def segments(self, records: Sequence[Row]) -> tuple[Segment, ...]:
        """The subject's grades, as :meth:`Judge.judge` gives them."""
        judge, subject, days = self._judge, self._subject, self._days
        if days.first >= days.until:
            return ()
        with localcontext(EXACT):
            parts = (part for record in records for part in self._parts_of(record))
            lines = judge._lines(subject, parts, days, self._group_lines)
            pieces = judge._pieces(subject, lines, days)
            of_records = [p for p, rule in zip(pieces, judge._rules, strict=True) if rule.of_record]
            if of_records != self._pieces:
                self._pieces, self._hits = of_records, {}
            found = [hit for record in records for hit in self._hits_of(record, pieces)]
            found += judge._of_subject(subject, pieces)
            return judge._graded(subject, lines, found, days)[1]

    def _parts_of(self, record: Row) -> list[tuple[str, Part]]:
        known = self._parts.get(id(record))
        if known is None:
            known = self._parts[id(record)] = record, self._judge._parts(record, self._days)
        return known[1]

    def _hits_of(self, record: Row, pieces: Sequence[Sequence[Opened[Row]]]) -> list[Found]:
        known = self._hits.get(id(record))
        if known is None:
            known = self._hits[id(record)] = self._judge._of_record(self._subject, record, pieces)
        return known


@dataclass(frozen=True, slots=True)
class _Candidates:
    measures: tuple[Measured, ...]
    rules: tuple[Ruled, ...]


def _in_force(pack: Pack, period: Period) -> Days:
    """The days of a period on which the pack is in force."""
    first, until = period.days
    last = Period(pack.in_force_from, pack.in_force_until).days.until
    return Days(max(first, pack.in_force_from.toordinal()), min(until, last))


def _asked(pack: Pack) -> dict[str, tuple[tuple[int, int], ...]]:
    """The attributes and measures that rules read, each with the days on which such a rule is in force."""
    spans: dict[str, list[Opened[int]]] = defaultdict(list)
    for rule in pack.rules:
        used = [(begins, ends, 1) for begins, ends, points in stretches(rule) if points is not None]
        for name in rule_names(rule):
            if name.level is not Level.RECORD:
                spans[name.name] += used
    lines = {name: mapped(bool, summed(found, FOREVER)) for name, found in spans.items()}
    return {
        name: tuple((begins, ends) for begins, ends, asked in line.pieces(FOREVER.until) if asked)
        for name, line in lines.items()
    }


def _within_days(line: Line, days: Days) -> Line:
    """The part of a line of all days."""
    return joined((begins, value) for begins, _, value in cut(*days, line.pieces(FOREVER.until)))
