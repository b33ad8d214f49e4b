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
from scoring.runs.results import GradeRow, official_grade
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
    """Grades of a day that are others than the published one, and what makes them so.

    :param official: what the published run says of the day, where that is another grade: what holds, and what
        lenders are told.
    :param grade: by all that is known, published or not.
    :param publishes: when the next run does, by the timer.
    :param held_until: while a proposal of the pack is open, the last day for answers: no run comes before.
    """

    official: GradeRow | None
    grade: Result
    changes: tuple[Change, ...]
    publishes: dt.datetime
    held_until: dt.date | None

    @property
    def is_by_news(self) -> bool:
        """Whether the grade is none that the published run says of the day."""
        return self.official is None or _verdict(self.official) != _verdict(self.grade)


def newer_grade(store: Store, published: Explanation, day: dt.date, at: dt.datetime) -> Newer | None:
    """The grades of a day by the published run and by all that is known at a moment; None where both are the
    published one.
    """
    try:
        grade = grade_day(store, published.pack.id, published.subject_id, day, at)
    except UnknownSubjectError:
        return None
    official = official_grade(store, published.pack.id, published.subject_id, day) if published.run else None
    shown = (published.score, published.tier, published.veto.id if published.veto else None)
    if official and _verdict(official) == shown:
        official = None
    if official is None and _verdict(grade) == shown:
        return None
    held = held_until(store, published.pack.id)
    return Newer(official, grade, tuple(_changes(published, grade)), next_run(at), held)


def _verdict(grade: Result | GradeRow) -> tuple[int, str, str | None]:
    return grade.score, grade.tier, grade.veto


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
