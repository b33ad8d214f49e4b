"""Judges of timelines against the reference, asked anew on every day: the same grades, hits and next changes.

A judge is a function of a pack, a period, subjects and records; it gives a timeline by the subject's key.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple
from decimal import Decimal
from itertools import pairwise
from typing import Any

import duckdb
import pytest
import reference
from hypothesis import event, given, settings
from hypothesis import strategies as st
from strategies import Case, Data, cases
from test_differential import EXAMPLES, arrow, expected, in_order, load, thorough
from timeline_cases import EXAMPLES as BY_EXAMPLE
from timeline_cases import grouped

from rules.library.loader import in_force
from rules.model import OVER_GROUP, Pack
from rules.plan import compile_plan
from scoring.judging import judge as many
from scoring.judging import one
from scoring.judging.coded import code_facts
from scoring.judging.lines import Line
from scoring.judging.period import Period
from scoring.judging.timeline import Segment, Span, Timeline, dimensions_of

Judge = Callable[[Pack, Period, Sequence[Data], Sequence[Data]], Mapping[Any, Timeline]]

some = settings(thorough, max_examples=EXAMPLES // 6)


def one_by_one(
    pack: Pack, period: Period, subjects: Sequence[Data], records: Sequence[Data]
) -> dict[Any, Timeline]:
    """The judge of one subject; the reference says what depends on the others, on some days more."""
    key, link = pack.vocabulary.subject.key, pack.vocabulary.record_subject
    first, until = period.days
    before, after = max(first - 3, dt.date.min.toordinal()), min(until + 3, dt.date.max.toordinal())
    longer = Period(
        dt.date.fromordinal(before), dt.date.fromordinal(after) if after > until else period.until
    )
    judge, of_group = one.Judge(pack), group_lines(pack, longer, subjects, records)
    return {
        subject[key]: judge.judge(
            subject, [r for r in records if r[link] == subject[key]], period, of_group[subject[key]]
        )
        for subject in subjects
    }


def group_lines(
    pack: Pack, period: Period, subjects: Sequence[Data], records: Sequence[Data]
) -> dict[Any, dict[str, Line]]:
    """By subject: ranks, and among how many, on the days on which the pack is in force."""
    names = [m.id for m in pack.measures if m.aggregate in OVER_GROUP]
    days = [day for day in days_of(period) if in_force(pack, day)] if names else []
    found = [reference.measured(pack, day, subjects, records) for day in days]
    lines: dict[Any, dict[str, Line]] = defaultdict(dict)
    for key in found[0] if found else ():
        for name in names:
            steps = zip(days, found, strict=True)
            lines[key][name] = Line.of((day, _exact(people[key][name])) for day, people in steps)
    return lines


def _exact(place: Any) -> Decimal | None:
    return None if place is None else Decimal(place.numerator) / place.denominator


def all_together(
    pack: Pack, period: Period, subjects: Sequence[Data], records: Sequence[Data]
) -> dict[Any, Timeline]:
    """The judge of many subjects, in DuckDB."""
    assert pack.vocabulary.records is not None
    first, until = (
        max(period.first, pack.in_force_from),
        min(period.until, pack.in_force_until or period.until),
    )
    if first >= until:
        return {subject[pack.vocabulary.subject.key]: Timeline(period, (), ()) for subject in subjects}
    with duckdb.connect(config={"threads": 1}) as duck:
        duck.register("subjects", arrow(pack.vocabulary.subject, list(subjects)))
        duck.register("records", arrow(pack.vocabulary.records, list(records)))
        code_facts(duck, pack.vocabulary)
        many.judge(duck, compile_plan(pack), Period(first, until))
        return {key: Timeline(period, *found) for key, found in timelines(duck, pack).items()}


def timelines(
    duck: duckdb.DuckDBPyConnection, pack: Pack
) -> dict[Any, tuple[tuple[Span, ...], tuple[Segment, ...]]]:
    """By subject: what the tables of the judge of many say."""
    key, record = pack.vocabulary.subject.key, pack.vocabulary.records
    assert record is not None
    spans, segments = defaultdict(list), defaultdict(list)
    query = f"""select s."{key}", m.rule, r."{record.key}", m.begins, m.ends, m.points, counts_from,
        counts_until from xh_spans m join xh_subjects s using (_s) left join xh_records r using (_r)
        order by all"""
    for subject, rule, *rest in duck.execute(query).fetchall():
        spans[subject].append(Span(pack.rules[rule], *rest))
    query = f"""select s."{key}", g.begins, g.ends, g.score, g.tier, band, veto, known, total
        from xh_segments g join xh_subjects s using (_s) order by 1, 2"""
    for subject, begins, ends, score, tier, band, veto, *inputs in duck.execute(query).fetchall():
        name = None if veto is None else pack.rules[veto].id
        segments[subject].append(
            Segment(begins, ends, score, pack.tiers[tier], pack.tiers[band], name, *inputs)
        )
    return {subject: (tuple(spans[subject]), tuple(found)) for subject, found in segments.items()}


JUDGES: Mapping[str, Judge] = {"one": one_by_one, "many": all_together}
judges = pytest.mark.parametrize("judge", JUDGES.values(), ids=JUDGES)


def days_of(period: Period) -> list[dt.date]:
    """Every day of a period."""
    first, until = period.days
    return [dt.date.fromordinal(day) for day in range(first, until)]


def score_on(pack: Pack, key: Any, timeline: Timeline, day: dt.date) -> reference.Score | None:
    """A timeline on a day, in the reference's form."""
    segment, found = timeline.on(day), timeline.hits(day)
    if segment is None:
        assert found == ()
        return None
    assert segment.begins <= day
    assert segment.ends is None or day < segment.ends
    hits = [
        reference.Hit(key, h.rule, h.record_id, h.points_before, h.points, h.counts_from, h.counts_until)
        for h in found
    ]
    _, _, *grade = astuple(segment)
    return reference.Score(*grade, dimensions_of(pack.dimensions, found), in_order(hits))


def check(judge: Judge, case: Case, length: int) -> Mapping[Any, Timeline]:
    """Hold a judge to the reference on every day from the case's on; what it gave."""
    pack = load(case)
    first = min(case.as_of, dt.date.max - dt.timedelta(days=length))
    period = Period(first, first + dt.timedelta(days=length))
    days = days_of(period)
    timelines = judge(pack, period, case.subjects, case.records)
    right = [expected(pack, case, day) if in_force(pack, day) else None for day in days]
    assert timelines.keys() == {subject[pack.vocabulary.subject.key] for subject in case.subjects}
    for key, timeline in timelines.items():
        assert all(astuple(one)[2:] != astuple(next_one)[2:] for one, next_one in pairwise(timeline.segments))
        change, after = None, None
        for day, everybody in reversed(list(zip(days, right, strict=True))):
            wanted = everybody and everybody[key]
            if after is not None and wanted != after[1]:
                change = after[0]
            assert score_on(pack, key, timeline, day) == wanted, f"{key!r} on {day}"
            assert timeline.next_change(day) == change, f"{key!r} after {day}"
            after = (day, wanted)
    return timelines


@judges
@some
@given(case=cases(), length=st.integers(60, 400))
def test_a_timeline_is_what_the_language_means_on_every_day(judge: Judge, case: Case, length: int) -> None:
    timelines = check(judge, case, length).values()
    event(f"segments: {min(4, max((len(t.segments) for t in timelines), default=0))}")
    event(f"spans: {min(8, sum(len(t.spans) for t in timelines))}")


@judges
@settings(some, max_examples=EXAMPLES // 30)
@given(case=grouped())
def test_groups_of_records_and_places_among_subjects_are_those_of_every_day(judge: Judge, case: Case) -> None:
    check(judge, case, 100)


@judges
@pytest.mark.parametrize("case", BY_EXAMPLE.values(), ids=BY_EXAMPLE)
def test_by_example(judge: Judge, case: Case) -> None:
    check(judge, case, 150)
