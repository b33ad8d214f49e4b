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
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import pairwise
from operator import itemgetter
from typing import Any

from rules.exact import EXACT, quotient
from rules.language.evaluate import Counted, Counting, Function, Row, add_months, compiled
from rules.language.expressions import TRUE, Expression, Kind, Level, Type, conjunction, conjuncts, names
from rules.model import DERIVED, OVER_GROUP, SCORE, Aggregate, Measure, Pack, Rule, Table, Window
from rules.plan import LARGEST_HIT, round_half_away, rule_names, used_measures
from scoring.judging.lines import Days, Line, Opened, aligned, best, constant, cut, joined, mapped, summed
from scoring.judging.period import ALL_OF_TIME, Period, day_of
from scoring.judging.pools import pool_of, vetoes_in_order
from scoring.judging.timeline import Segment, Span, Timeline, capped, held, within

_NOTHING: Mapping[str, Any] = {}
_FOREVER = ALL_OF_TIME.days
_MOST_REMEMBERED = 10_000
_ADD_UP = frozenset({Aggregate.COUNT, Aggregate.SUM})


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
        self._coded = _coded(records)
        self._own_key = pack.vocabulary.subject.key
        self._record_key = records.key if records else ""
        self._measures = tuple(_Measured.of(m, records) for m in used_measures(pack, pack.rules, shown))
        self._rules = tuple(_Ruled.of(number, rule, records) for number, rule in enumerate(pack.rules))
        self._asked = _asked(pack)
        self._asked_total = summed(
            ((*days, 1) for intervals in self._asked.values() for days in intervals), _FOREVER
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
        return Timeline(period, tuple(map(_span, found)), segments, lines)

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
            return {name: _typed(line.values[0], types[name]) for name, line in lines.items()}

    # Measures

    def _parts(self, record: Row, days: Days) -> list[tuple[str, _Part]]:
        """How a record takes part in measures, by their names."""
        return [
            (measured.measure.id, part)
            for measured in self._met(record).measures
            if (part := measured.part(record, days)) is not None
        ]

    def _lines(
        self,
        subject: Row,
        taking_part: Iterable[tuple[str, _Part]],
        days: Days,
        group_lines: Mapping[str, Line],
    ) -> dict[str, Line]:
        """Every measure."""
        parts: dict[str, list[_Part]] = defaultdict(list)
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

    def _of_record(self, subject: Row, record: Row, pieces: Sequence[Sequence[Opened[Row]]]) -> list[_Found]:
        """What the rules hit because of a record."""
        found: list[_Found] = []
        row: Row | None = None
        for rule in self._met(record).rules:
            if pieces[rule.number]:
                row = row or {**record, **subject, self._own_key: subject.get(self._own_key)}
                found += rule.found(row, record[self._record_key], pieces[rule.number])
        return found

    def _of_subject(self, subject: Row, pieces: Sequence[Sequence[Opened[Row]]]) -> list[_Found]:
        """What the rules hit because of the subject itself."""
        return [
            hit
            for rule in self._rules
            if not rule.of_record and pieces[rule.number]
            for hit in rule.found(subject, None, pieces[rule.number])
        ]

    # Grades

    def _graded(
        self, subject: Row, lines: Mapping[str, Line], found: Sequence[_Found], days: Days
    ) -> tuple[list[_Found], tuple[Segment, ...]]:
        """What hits, vetoes on the days alone on which the points are as they ask, and the grades."""
        dimensions = self._dimensions(found, days)
        score = self._score(dimensions, days)
        found = [hit for one in found for hit in self._below(one, {**dimensions, SCORE: score}, days)]
        return found, self._segments(subject, lines, found, score, days)

    def _below(self, hit: _Found, lines: Mapping[str, Line], days: Days) -> Iterator[_Found]:
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
        self, subject: Row, lines: Mapping[str, Line], found: Sequence[_Found], score: Line, days: Days
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
            Segment(_date(begins), day_of(ends), *grade) for begins, ends, grade in steps.pieces(days.until)
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

    def _dimensions(self, found: Sequence[_Found], days: Days) -> dict[str, Line]:
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

    def _first(self, order: Mapping[int, int], found: Sequence[_Found], days: Days) -> Line:
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
        self._parts: dict[int, tuple[Row, list[tuple[str, _Part]]]] = {}
        self._hits: dict[int, list[_Found]] = {}
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

    def _parts_of(self, record: Row) -> list[tuple[str, _Part]]:
        known = self._parts.get(id(record))
        if known is None:
            known = self._parts[id(record)] = record, self._judge._parts(record, self._days)
        return known[1]

    def _hits_of(self, record: Row, pieces: Sequence[Sequence[Opened[Row]]]) -> list[_Found]:
        known = self._hits.get(id(record))
        if known is None:
            known = self._hits[id(record)] = self._judge._of_record(self._subject, record, pieces)
        return known


@dataclass(frozen=True, slots=True)
class _Candidates:
    measures: tuple[_Measured, ...]
    rules: tuple[_Ruled, ...]


# A condition taken apart


@dataclass(frozen=True, slots=True)
class _Terms:
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
    def of(cls, condition: Expression, coded: frozenset[str]) -> _Terms:
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
            moving_reads=_measures_in(terms.get("moving")),
            row_reads=_measures_in(terms.get("row")),
        )


def _reads(term: Expression, coded: frozenset[str]) -> str:
    read = names(term)
    levels = {name.level for name in read}
    if levels == {Level.RECORD}:
        return "codes" if {name.name for name in read} <= coded else "row"
    if Level.RECORD in levels:
        return "row"
    return "moving" if Level.MEASURE in levels else "own"


def _measures_in(*expressions: Expression | None) -> frozenset[str]:
    found = (name for part in expressions if part is not None for name in names(part))
    return frozenset(name.name for name in found if name.level is Level.MEASURE)


def _coded(records: Table | None) -> tuple[str, ...]:
    """The columns whose values are few."""
    columns = records.columns.values() if records else ()
    return tuple(c.name for c in columns if c.values or c.type.kind is Kind.BOOLEAN)


# Measures


@dataclass(frozen=True, slots=True)
class _Part:
    """A record that takes part in a measure.

    :param order: of ``latest``: the greatest one's value is the measure's.
    """

    begins: int
    ends: int
    group: Any
    value: Any
    order: Any


@dataclass(frozen=True, slots=True)
class _Measured:
    """A measure, compiled."""

    measure: Measure
    codes: Function
    where: Function
    counting: Counting
    operand: Function | None
    group: Function | None
    key: str
    read: tuple[str, ...]

    @classmethod
    def of(cls, measure: Measure, records: Table | None) -> _Measured:
        where = measure.where
        terms = _Terms.of(where.condition, frozenset(_coded(records)))
        derived = measure.aggregate in DERIVED
        return cls(
            measure=measure,
            codes=terms.codes,
            where=compiled(where.condition) if derived else terms.row,
            counting=Counting.of(measure.window, where),
            operand=compiled(measure.operand) if measure.operand is not None else None,
            group=compiled(measure.by) if measure.by is not None else None,
            key=records.key if records else "",
            read=tuple(sorted({*measure.parts, *_measures_in(where.condition)})),
        )

    @property
    def of_records(self) -> bool:
        return self.measure.aggregate not in DERIVED

    def part(self, record: Row, days: Days) -> _Part | None:
        """How a record whose codes fit takes part; None where it does not."""
        if self.where(record) is not True:
            return None
        counted = self.counting.on(record)
        group = self.group(record) if self.group else True
        if counted is None or group is None:
            return None
        begins, ends = _open(counted, *days)
        if begins >= ends:
            return None
        value = self.operand(record) if self.operand else 1
        return _Part(begins, ends, group, value, (counted.start, record[self.key]))

    def line(self, parts: Sequence[_Part], days: Days) -> Line:
        """The measure of records, from those that take part."""
        measure = self.measure
        if measure.by is None:
            line = _aggregate(measure.aggregate, parts, days)
        else:
            groups: dict[Any, list[_Part]] = defaultdict(list)
            for part in parts:
                groups[part.group].append(part)
            spans = [span for group in groups.values() for span in self._present(group, days)]
            line = _combined(measure.take, spans, days)
        if {measure.aggregate, measure.take} & _ADD_UP:
            return mapped(lambda value: 0 if value is None else value, line)
        return line

    def _present(self, group: Sequence[_Part], days: Days) -> Iterator[Opened[Any]]:
        """A group's value while it has one: a sum is one also of amounts that are all unknown."""
        line = _aggregate(self.measure.aggregate, group, days)
        if self.measure.aggregate in _ADD_UP:
            size = summed(((part.begins, part.ends, 1) for part in group), days)
            line = mapped(lambda value, count: value if count else None, line, size)
        each = self.measure.each
        return ((b, e, capped(v, each)) for b, e, v in line.pieces(days.until) if v is not None)

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


def _aggregate(how: Aggregate, parts: Sequence[_Part], days: Days) -> Line:
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


def _typed(value: Any, kind: Type) -> Any:
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


# Rules

_Shown = tuple[int, dt.date | None, dt.date | None]
"""Points, and the days from and until which they are said to count."""


@dataclass(frozen=True, slots=True)
class _Found:
    """What is to be a span."""

    number: int
    rule: Rule
    record: Any
    begins: int
    ends: int
    points: int
    counts_from: dt.date | None
    counts_until: dt.date | None


def _span(found: _Found) -> Span:
    return Span(
        found.rule,
        found.record,
        _date(found.begins),
        day_of(found.ends),
        found.points,
        found.counts_from,
        found.counts_until,
    )


@dataclass(frozen=True, slots=True)
class _Ruled:
    """A rule, compiled.

    :param values: the stretches on which it is in force, each with its points by the steps of its decay.
    :param read: the measures that its hits' days and points depend on, beside whether it hits at all.
    """

    number: int
    rule: Rule
    of_record: bool
    terms: _Terms
    counting: Counting
    per: Function | None
    values: tuple[Opened[tuple[int, ...]], ...]
    read: tuple[str, ...]

    @classmethod
    def of(cls, number: int, rule: Rule, records: Table | None) -> _Ruled:
        when = rule.when
        terms = _Terms.of(when.condition, frozenset(_coded(records)))
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
                for b, e, points in _stretches(rule)
                if points is not None
            ),
            read=tuple(sorted(terms.row_reads | _measures_in(rule.per, *dates, *when.begins, *when.ends))),
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

    def found(self, row: Row, record: Any, pieces: Sequence[Opened[Row]]) -> Iterable[_Found]:
        """The spans of a row, which its codes let it meet."""
        if len(pieces) == 1 or not self.read:
            (*_, values) = pieces[0]
            hits = self._hits({**row, **values} if values else row, pieces)
        else:
            hits = [hit for piece in pieces for hit in self._hits({**row, **piece[2]}, (piece,))]
        for begins, ends, as_shown in _merged(hits):
            yield _Found(self.number, self.rule, record, begins, ends, *as_shown)

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
            for since, till, by_step in cut(*_open(counted, first, until), self.values)
            for begins, ends, points in cut(since, till, self._steps(counted.start, by_step))
        ]

    def _steps(self, start: dt.date | None, points: tuple[int, ...]) -> Iterable[Opened[int]]:
        """The points as they decay."""
        if start is None or len(points) == 1:
            return ((*_FOREVER, points[0]),)
        decay = self.rule.window.decay if self.rule.window else ()
        marks = [_FOREVER.first, *(add_months(start, s.months).toordinal() for s in decay), _FOREVER.until]
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


def _stretches(rule: Rule) -> Iterator[Opened[int | None]]:
    """The days on which a rule has each of its values; a veto is always in force, with no points."""
    if rule.is_veto or rule.points is None:
        return iter([(*_FOREVER, 0 if rule.is_veto else None)])
    steps = sorted(rule.points.steps, key=itemgetter(0))
    days = [max(start.toordinal(), _FOREVER.first) for start, _ in steps]
    return Line(days, [points for _, points in steps]).pieces(_FOREVER.until)


# Days


def _in_force(pack: Pack, period: Period) -> Days:
    """The days of a period on which the pack is in force."""
    first, until = period.days
    last = Period(pack.in_force_from, pack.in_force_until).days.until
    return Days(max(first, pack.in_force_from.toordinal()), min(until, last))


def _open(counted: Counted, first: int, until: int) -> tuple[int, int]:
    """The days of a stretch on which a row counts."""
    begins = first if counted.first is None else max(first, counted.first.toordinal())
    return begins, until if counted.until is None else min(until, counted.until.toordinal())


def _asked(pack: Pack) -> dict[str, tuple[tuple[int, int], ...]]:
    """The attributes and measures that rules read, each with the days on which such a rule is in force."""
    spans: dict[str, list[Opened[int]]] = defaultdict(list)
    for rule in pack.rules:
        stretches = [(begins, ends, 1) for begins, ends, points in _stretches(rule) if points is not None]
        for name in rule_names(rule):
            if name.level is not Level.RECORD:
                spans[name.name] += stretches
    lines = {name: mapped(bool, summed(found, _FOREVER)) for name, found in spans.items()}
    return {
        name: tuple((begins, ends) for begins, ends, asked in line.pieces(_FOREVER.until) if asked)
        for name, line in lines.items()
    }


def _within_days(line: Line, days: Days) -> Line:
    """The part of a line of all days."""
    return joined((begins, value) for begins, _, value in cut(*days, line.pieces(_FOREVER.until)))


def _date(day: int) -> dt.date:
    return dt.date.fromordinal(day)
