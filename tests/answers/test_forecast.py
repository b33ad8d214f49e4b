"""A forecast says of every day what will be so with nothing new known, and why it changes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import Case, cases
from test_differential import EXAMPLES, expected, load, thorough
from test_timeline import one_by_one
from timeline_cases import EXAMPLES as BY_EXAMPLE

from rules.library.loader import in_force
from rules.model import Pack
from scoring.answers.forecast import Step, steps_of
from scoring.answers.timelines import Ruled
from scoring.judging.period import Period

Given = dict[tuple[str, str | None], int]


def told(pack: Pack, case: Case, days: int) -> Mapping[Any, list[Step]]:
    """By subject: the steps from the case's day on."""
    first = min(case.as_of, dt.date.max - dt.timedelta(days))
    period = Period(first, first + dt.timedelta(days))
    timelines = one_by_one(pack, period, case.subjects, case.records)
    return {key: list(steps_of([Ruled(pack, timeline)], first)) for key, timeline in timelines.items()}


def points_given(score: reference.Score | None) -> Given:
    """What each rule that weighs gives for each record, before caps; vetoes as well."""
    if score is None:
        return {}
    return {
        (hit.rule.id, None if hit.record is None else str(hit.record)): hit.before
        for hit in score.hits
        if hit.before or hit.rule.is_veto
    }


def check(case: Case, length: int) -> None:
    """Hold the steps and their reasons to the reference, asked anew on every day."""
    pack = load(case)
    found = told(pack, case, length)
    day = min(case.as_of, dt.date.max - dt.timedelta(length))
    before: Mapping[Any, reference.Score | None] = {}
    for _ in range(length):
        right: Mapping[Any, reference.Score | None] = expected(pack, case, day) if in_force(pack, day) else {}
        for key, steps in found.items():
            step = next(s for s in steps if s.begins <= day and (s.ends is None or day < s.ends))
            wanted = right.get(key)
            shown = step.grade and (step.grade.score, step.grade.tier, step.grade.band, step.grade.veto)
            assert shown == (wanted and (wanted.score, wanted.tier, wanted.band, wanted.veto)), (key, day)
            if step.begins == day and step.reasons and wanted is not None and before.get(key) is not None:
                assert reasons(step) == differences(points_given(before[key]), points_given(wanted)), day
        before, day = right, day + dt.timedelta(1)


def reasons(step: Step) -> dict[tuple[str, str | None], tuple[int, int]]:
    """What a step says each rule and record gave and gives."""
    return {(r.rule.id, r.record_id): (r.points_before, r.points) for r in step.reasons if r.rule is not None}


def differences(before: Given, after: Given) -> dict[tuple[str, str | None], tuple[int, int]]:
    """What differs between two days."""
    return {
        key: (before.get(key, 0), after.get(key, 0))
        for key in {*before, *after}
        if (key in before) != (key in after) or before[key] != after[key]
    }


@settings(thorough, max_examples=EXAMPLES // 6)
@given(case=cases(), length=st.integers(30, 200))
def test_every_day_is_foretold_as_it_will_be_and_for_the_right_reasons(case: Case, length: int) -> None:
    check(case, length)


@pytest.mark.parametrize("case", BY_EXAMPLE.values(), ids=BY_EXAMPLE)
def test_by_example(case: Case) -> None:
    check(case, 150)
