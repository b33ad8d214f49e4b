"""The grade of one subject in plain Python: docs/rule-language.md, "Meaning"."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, NamedTuple

from rules.calendar import months_elapsed
from rules.evaluate import Row, evaluate, window_on
from rules.expressions import Level
from rules.model import Pack, Rule, When, Window
from rules.plan import LARGEST_HIT, round_half_away
from scoring.day_plan import DayPlan, compile_day
from scoring.live.conditions import Conditions
from scoring.live.supervisor import Engine
from scoring.pools import Pool, pool_of
from scoring.subject_measures import SubjectMeasures


@dataclass(frozen=True, slots=True)
class LiveHit:
    """A hit as the batch's: see :func:`scoring.engine.grade`."""

    rule: Rule
    record_id: Any
    points_before: int
    points: int
    counts_from: dt.date | None
    counts_until: dt.date | None


@dataclass(frozen=True, slots=True)
class LiveGrade:
    """A subject's grade on a day, from what is known now. It is no part of a published run.

    :param score: hundredths.
    :param dimensions: dimension → points before and within its bounds, where it has hits.
    """

    score: int
    tier: str
    band: str
    veto: str | None
    inputs_known: int
    inputs_total: int
    dimensions: Mapping[str, tuple[int, int]]
    hits: tuple[LiveHit, ...]


@dataclass(frozen=True, slots=True)
class Day:
    """A pack on one day.

    :param in_force: the rules that have a value on the day, by id.
    :param inputs: the attributes and measures that they read.
    """

    plan: DayPlan
    measures: SubjectMeasures
    in_force: Mapping[str, Rule]
    inputs: tuple[str, ...]


class Judged(NamedTuple):
    """A record with its subject's values, its id, and the conditions that it meets."""

    row: Row
    record_id: Any
    met: frozenset[str]


class Grader:
    """Grades subjects by one pack."""

    def __init__(self, pack: Pack, engine: Engine) -> None:
        self.pack = pack
        self._conditions = {level: Conditions(pack, level, engine) for level in (Level.RECORD, Level.SUBJECT)}
        self._timed = {rule.id: rule.when for rule in pack.rules}
        self._day: Day | None = None

    def day(self, as_of: dt.date) -> Day:
        """The pack on a day."""
        day = self._day
        if day is None or day.plan.as_of != as_of:
            plan = compile_day(self.pack, as_of)
            inputs = tuple(name.name for name in plan.inputs)
            day = self._day = Day(plan, SubjectMeasures(plan), {rule.id: rule for rule in plan.rules}, inputs)
        return day

    def judged(self, subject: Row, records: Sequence[Row]) -> list[Judged]:
        """What each record of a subject meets, rules and events of alerts.

        :param subject: its attributes and measures.
        """
        vocabulary = self.pack.vocabulary
        own = subject.get(vocabulary.subject.key)
        rows = [{**record, **subject, vocabulary.subject.key: own} for record in records]
        key = vocabulary.records.key if vocabulary.records else ""
        met = self._conditions[Level.RECORD].met(rows)
        return [Judged(*found) for found in zip(rows, (r.get(key) for r in records), met, strict=True)]

    def grade(self, day: Day, subject: Row, judged: Sequence[Judged]) -> LiveGrade:
        """The grade of a subject.

        :param subject: its attributes and measures.
        :param judged: the records about it.
        """
        (met,) = self._conditions[Level.SUBJECT].met([subject])
        hits = [
            hit
            for row, record_id, true in [*judged, Judged(subject, None, met)]
            for rule in (day.in_force[name] for name in sorted(true) if name in day.in_force)
            for hit in self._hit(rule, row, record_id, day.plan.as_of)
        ]
        return _graded(day, subject, _within_caps(hits))

    def forget(self) -> None:
        """Ask durable_rules anew of everything."""
        for conditions in self._conditions.values():
            conditions.forget()

    def _hit(self, rule: Rule, row: Row, record_id: Any, as_of: dt.date) -> Iterable[LiveHit]:
        span = _span(rule.window, self._timed[rule.id], row, as_of)
        per = evaluate(rule.per, row, as_of) if rule.per else 1
        if span is not None and per is not None:
            full = (rule.points.on(as_of) if rule.points else 0) or 0
            exact = full * Fraction(per) * _kept(rule.window, row, as_of)
            points = max(-LARGEST_HIT, min(LARGEST_HIT, round_half_away(exact)))
            yield LiveHit(rule, record_id, points, points, *span)


def _span(
    window: Window | None, timed: When, row: Row, day: dt.date
) -> tuple[dt.date | None, dt.date | None] | None:
    """From when and until when a hit counts; None where it does not count on the day."""
    begins = [evaluate(begin, row, day) for begin in timed.begins]
    ends = [evaluate(end, row, day) for end in timed.ends]
    if None in begins or None in ends:
        return None
    if window is not None:
        counted = window_on(window, row, day)
        if counted is None:
            return None
        begins.append(counted[0])
        ends += [counted[1]] if counted[1] is not None else []
    start, end = max(begins, default=None), min(ends, default=None)
    counts = (start is None or start <= day) and (end is None or day < end)
    return (start, end) if counts else None


def _kept(window: Window | None, row: Row, day: dt.date) -> Fraction:
    """The part of the points that the months since the window's start have left."""
    if window is None or not window.decay:
        return Fraction(1)
    elapsed = months_elapsed(evaluate(window.start, row, day), day)
    return next((step.keep for step in reversed(window.decay) if step.months <= elapsed), Fraction(1))


def _within_caps(hits: Iterable[LiveHit]) -> tuple[LiveHit, ...]:
    """Each hit keeps what the running sum, held at the cap, grows by: by day, record id and rule id."""
    pools: dict[Pool, list[LiveHit]] = defaultdict(list)
    for hit in hits:
        pools[pool_of(hit.rule)].append(hit)
    held = (found if pool.cap is None else _held(found, pool.cap) for pool, found in pools.items())
    return tuple(hit for found in held for hit in found)


def _held(hits: Sequence[LiveHit], cap: int) -> Iterable[LiveHit]:
    running = 0
    bounds = (cap, None) if cap < 0 else (None, cap)
    for hit in sorted(hits, key=_order):
        before, running = running, running + hit.points_before
        yield replace(hit, points=_between(running, *bounds) - _between(before, *bounds))


def _order(hit: LiveHit) -> tuple[dt.date, bool, Any, str]:
    return hit.counts_from or dt.date.min, hit.record_id is not None, hit.record_id or 0, hit.rule.id


def _graded(day: Day, subject: Row, hits: tuple[LiveHit, ...]) -> LiveGrade:
    pack = day.plan.pack
    dimensions = {}
    for dimension in pack.dimensions:
        own = [hit.points for hit in hits if hit.rule.dimension == dimension.id]
        if own:
            dimensions[dimension.id] = sum(own), _between(sum(own), dimension.floor, dimension.ceiling)
    total = pack.score.start + sum(points for _, points in dimensions.values())
    score = _between(total, pack.score.min, pack.score.max)
    band = next((n for n, g in enumerate(pack.grades) if score >= g.lowest), len(pack.grades) - 1)
    vetoes = sorted((-pack.tiers.index(h.rule.tier), h.rule.id) for h in hits if h.rule.tier is not None)
    tier = max([band, *(-rank for rank, _ in vetoes)])
    return LiveGrade(
        score=score,
        tier=pack.tiers[tier],
        band=pack.tiers[band],
        veto=vetoes[0][1] if vetoes else None,
        inputs_known=sum(subject.get(name) is not None for name in day.inputs),
        inputs_total=len(day.inputs),
        dimensions=dimensions,
        hits=hits,
    )


def _between(points: int, low: int | None, high: int | None) -> int:
    points = points if high is None else min(points, high)
    return points if low is None else max(points, low)
