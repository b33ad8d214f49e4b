"""A subject's grade as a timeline: what hits it and what it is graded, on every day of a period.

Points of hits stand before caps. What a hit keeps under a cap, and what a dimension comes to, is told of one
day at a time, here and nowhere else: it is computed when it is read, and never kept.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar

from rules.model import Dimension, Rule
from scoring.judging.lines import Line
from scoring.judging.period import Period
from scoring.judging.pools import Pool, pool_of

Number = TypeVar("Number", int, Decimal)


@dataclass(frozen=True, slots=True)
class Span:
    """A rule met because of one record, or of the subject itself (``record`` None), from a day to a day.

    As long as points and dates stay the same: another span of the same rule and record may follow.

    :param begins, ends: the days on which it hits, from the first to before the second (None for no end).
    :param points: hundredths, before caps.
    :param counts_from, counts_until: as people read it; None leaves an end open.
    """

    rule: Rule
    record: Any
    begins: dt.date
    ends: dt.date | None
    points: int
    counts_from: dt.date | None
    counts_until: dt.date | None


@dataclass(frozen=True, slots=True)
class Segment:
    """The days on which a subject's grade stays the same.

    :param score: hundredths.
    :param band: the tier by points alone.
    :param veto: the rule that forces the tier, or would if the points were better.
    :param known, total: how many of the inputs of the rules in force were known, and how many there are.
    """

    begins: dt.date
    ends: dt.date | None
    score: int
    tier: str
    band: str
    veto: str | None
    known: int
    total: int


@dataclass(frozen=True, slots=True)
class Hit:
    """A span on one of its days, with the points that it keeps under its cap (hundredths)."""

    rule: Rule
    record_id: Any
    points_before: int
    points: int
    counts_from: dt.date | None
    counts_until: dt.date | None


@dataclass(frozen=True, slots=True)
class Timeline:
    """A subject in a period.

    :param segments: in the order of days; none on days on which no pack is in force.
    :param measures: the measures that rules read, by name.

    >>> from datetime import date
    >>> from rules.library.loader import find_pack
    >>> from scoring.judging.one import Judge
    >>> subject = {"subject_id": "A", "state": "operating", "established_on": date(2024, 10, 1)}
    >>> timeline = Judge(find_pack("tourism-credit", date(2026, 8, 31))).judge(subject, [])
    >>> timeline.on(date(2026, 8, 31)).score, timeline.next_change(date(2026, 8, 31)).isoformat()
    (7500, '2026-10-01')
    >>> [(hit.rule.id, hit.points) for hit in timeline.hits(date(2026, 10, 1))]
    [('clean.two-years', 300)]
    """

    period: Period
    spans: tuple[Span, ...]
    segments: tuple[Segment, ...]
    measures: Mapping[str, Line] = field(default_factory=dict)

    def on(self, day: dt.date) -> Segment | None:
        """The grade on a day; None where no pack is in force, or the day is not in the period."""
        number = bisect_right(self.segments, day, key=lambda segment: segment.begins) - 1
        return self.segments[number] if number >= 0 and _is_open(self.segments[number], day) else None

    def next_change(self, day: dt.date) -> dt.date | None:
        """The first later day on which grade, completeness, any hit or the pack in force differs.

        None where there is none in the period.
        """
        until = self.period.until or dt.date.max
        parts: tuple[Span | Segment, ...] = (*self.segments, *self.spans)
        bounds = (bound for part in parts for bound in (part.begins, part.ends))
        ahead = (bound for bound in bounds if bound is not None and day < bound)
        return min((bound for bound in ahead if bound < until or self.period.until is None), default=None)

    def hits(self, day: dt.date) -> tuple[Hit, ...]:
        """What hits on a day."""
        return hits_of(span for span in self.spans if _is_open(span, day))

    def values(self, day: dt.date) -> dict[str, Any]:
        """The measures on a day, None where unknown; none at all where no pack is in force."""
        known = self.on(day) is not None
        return {name: line.on(day) for name, line in self.measures.items()} if known else {}


def _is_open(part: Span | Segment, day: dt.date) -> bool:
    return part.begins <= day and (part.ends is None or day < part.ends)


def hits_of(spans: Iterable[Span]) -> tuple[Hit, ...]:
    """The spans of one day as hits: each keeps what the running sum, held at the cap, grows by.

    Under a cap they are taken by the day from which they count, then by record id (those without a record
    first), then by rule id.
    """
    pools: dict[Pool, list[Span]] = defaultdict(list)
    for span in spans:
        pools[pool_of(span.rule)].append(span)
    return tuple(hit for pool, found in pools.items() for hit in _shares(pool.cap, found))


def dimensions_of(dimensions: Sequence[Dimension], hits: Iterable[Hit]) -> dict[str, tuple[int, int]]:
    """By dimension with a hit: its points before and within its floor and ceiling."""
    sums: dict[str, int] = defaultdict(int)
    for hit in hits:
        if hit.rule.dimension is not None:
            sums[hit.rule.dimension] += hit.points
    return {d.id: (sums[d.id], within(d, sums[d.id])) for d in dimensions if d.id in sums}


def within(dimension: Dimension, points: int) -> int:
    """Points held between a dimension's floor and ceiling."""
    return held(points, dimension.floor, dimension.ceiling)


def capped(points: Number, cap: Number | None) -> Number:
    """Points, or a value, held at a cap: a negative one is the least that they come to, a positive one the
    most."""
    if cap is None:
        return points
    return max(points, cap) if cap < 0 else min(points, cap)


def held(points: int, low: int | None, high: int | None) -> int:
    """Points held between two bounds; None for no bound."""
    points = points if high is None else min(points, high)
    return points if low is None else max(points, low)


def _order(span: Span) -> tuple[dt.date, bool, Any, str]:
    of_record = span.record is not None
    return span.counts_from or dt.date.min, of_record, span.record if of_record else 0, span.rule.id


def _shares(cap: int | None, spans: Iterable[Span]) -> Iterator[Hit]:
    running = 0
    for span in spans if cap is None else sorted(spans, key=_order):
        before, running = running, running + span.points
        share = capped(running, cap) - capped(before, cap)
        yield Hit(span.rule, span.record, span.points, share, span.counts_from, span.counts_until)
