"""How a subject would be graded by what is known now, beside what was published."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from rules.model import Rule
from scoring.answers.explain import ExplainedHit, Explanation, Result, grade_day
from scoring.answers.timelines import UnknownSubjectError
from scoring.judging.timeline import Hit
from scoring.runs.proposed import held_until
from scoring.runs.published import next_run
from scoring.store import Store


@dataclass(frozen=True, slots=True)
class Change:
    """A rule whose points for a record are others now.

    :param before, after: hundredths; None where it did not hit, or does not any more.
    """

    rule: Rule
    record_id: str | None
    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True)
class Newer:
    """A grade that is not published, and what makes it another one.

    :param publishes: when the next run does, by the timer.
    :param held_until: while a proposal of the pack is open, the last day for answers: no run comes before.
    """

    grade: Result
    changes: tuple[Change, ...]
    publishes: dt.datetime
    held_until: dt.date | None


def newer_grade(store: Store, published: Explanation, day: dt.date, at: dt.datetime) -> Newer | None:
    """The grade of a day by all that is known at a moment; None where that is the published one."""
    try:
        grade = grade_day(store, published.pack.id, published.subject_id, day, at)
    except UnknownSubjectError:
        return None
    veto = published.veto.id if published.veto else None
    if (grade.score, grade.tier, grade.veto) == (published.score, published.tier, veto):
        return None
    held = held_until(store, published.pack.id)
    return Newer(grade, tuple(_changes(published, grade)), next_run(at), held)


def _changes(published: Explanation, now: Result) -> list[Change]:
    before, after = _points(published.hits), _points(now.hits)
    rules = {hit.rule.id: hit.rule for hit in published.hits} | {hit.rule.id: hit.rule for hit in now.hits}
    return [
        Change(rules[rule], record_id, before.get((rule, record_id)), after.get((rule, record_id)))
        for rule, record_id in dict.fromkeys((*before, *after))
        if before.get((rule, record_id)) != after.get((rule, record_id))
    ]


def _points(hits: Iterable[ExplainedHit | Hit]) -> dict[tuple[str, str | None], int]:
    return {(hit.rule.id, None if hit.record_id is None else str(hit.record_id)): hit.points for hit in hits}
