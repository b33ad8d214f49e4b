"""Judges of timelines against the reference, asked anew on every day: the same grades, hits and next changes.

A judge is a function of a pack, a period, subjects and records; it gives a timeline by the subject's key.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple
from typing import Any

import pytest
import reference
from hypothesis import event, given, settings
from hypothesis import strategies as st
from strategies import Case, Data, cases
from test_differential import EXAMPLES, expected, in_order, load, thorough
from timeline_cases import EXAMPLES as BY_EXAMPLE
from timeline_cases import grouped

from rules.loader import in_force
from rules.model import OVER_GROUP, Pack
from scoring.judging import one
from scoring.judging.lines import Line
from scoring.judging.timeline import Period, Timeline, dimensions_of

Judge = Callable[[Pack, Period, Sequence[Data], Sequence[Data]], Mapping[Any, Timeline]]

some = settings(thorough, max_examples=EXAMPLES // 6)


def one_by_one(
    pack: Pack, period: Period, subjects: Sequence[Data], records: Sequence[Data]
) -> dict[Any, Timeline]:
    """The judge of one subject; the reference says what depends on the others."""
    key, link = pack.vocabulary.subject.key, pack.vocabulary.record_subject
    judge, of_group = one.Judge(pack), group_lines(pack, period, subjects, records)
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
            lines[key][name] = Line.of((day, _whole(people[key][name])) for day, people in steps)
    return lines


def _whole(place: Any) -> int | None:
    return None if place is None else int(place)


JUDGES: Mapping[str, Judge] = {"one": one_by_one}
judges = pytest.mark.parametrize("judge", JUDGES.values(), ids=JUDGES)


def days_of(period: Period) -> list[dt.date]:
    """Every day of a period."""
    return [period.first + dt.timedelta(days=n) for n in range((period.until - period.first).days)]


def score_on(pack: Pack, key: Any, timeline: Timeline, day: dt.date) -> reference.Score | None:
    """A timeline on a day, in the reference's form."""
    segment, found = timeline.on(day), timeline.hits(day)
    if segment is None:
        assert found == ()
        return None
    assert segment.begins <= day < segment.ends
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
