"""How a subject's grade will change with nothing new known of it, and why on each day."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby, takewhile
from typing import Any

from rules.calendar import add_months
from rules.model import Pack, Rule, Title
from scoring.answers.timelines import Ruled, no_result, published, run_of, timeline_of
from scoring.facts.ingest.keys import subject_key
from scoring.judging.timeline import Segment, Span
from scoring.runs.published import RunSummary
from scoring.runs.said import DAY_KIND
from scoring.store import Store
from scoring.store.packs import stored_pack


class Cause(StrEnum):
    """What happens on a day on which a grade changes by itself."""

    BEGINS = "begins"
    DECAYS = "decays"
    ENDS = "ends"
    DATED = "dated"
    VALUE = "value"
    VERSION = "version"
    NO_PACK = "no_pack"


CAUSES = {
    Cause.BEGINS: Title("开始计入", "begins to count"),
    Cause.DECAYS: Title("分值递减", "decays"),
    Cause.ENDS: Title("计分期满", "counts no longer"),
    Cause.DATED: Title("规则分值调整", "the rule's points are others from this day on"),
    Cause.VALUE: Title("指标变化", "what it is counted by changes"),
    Cause.VERSION: Title("评价规则换版", "another version of the pack is in force"),
    Cause.NO_PACK: Title("评价规则停止施行", "no version of the pack is in force"),
}


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that happens on a day.

    :param rule: None where it is the pack that changes.
    :param points_before, points: hundredths that the rule gives until then and from then on, before caps.
    :param version: of the pack, where it is the pack that changes.
    """

    cause: Cause
    rule: Rule | None = None
    record_id: str | None = None
    points_before: int = 0
    points: int = 0
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """Days on which score, tier and veto stay the same.

    :param pack: the version in force; None with no grade.
    :param grade: of its first day.
    :param ends: None where it never changes again.
    :param reasons: why it is another one than before; none in the first step.
    """

    begins: dt.date
    ends: dt.date | None
    pack: Pack | None
    grade: Segment | None
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a subject's grade will be, by what was known to a run.

    :param until: the day before which it looks.
    """

    run: RunSummary
    subject_id: str
    first: dt.date
    until: dt.date
    steps: tuple[Step, ...]


def forecast(store: Store, pack_id: str, subject_id: str, months: int = 24) -> Forecast:
    """A subject's grade on every day from the latest run's on, with no new data, as the run has published it.

    What a run of before timelines were kept would have said is computed.

    :param months: how far to look.
    :raises UnknownSubjectError: where there is no run, or it has nothing of the subject.

    >>> from fixtures.small import HOMESTAY, small_store
    >>> for step in forecast(small_store(), "tourism-credit", HOMESTAY, months=36).steps:
    ...     causes = sorted({str(why.cause) for why in step.reasons})
    ...     print(step.begins, step.grade.score, step.grade.tier, causes)
    2026-08-31 7950 B []
    2026-12-01 7950 B ['version']
    2027-03-01 7875 B ['decays']
    2029-03-01 7800 B ['ends']
    """
    run = run_of(store, pack_id, None)
    subject_id = subject_key(stored_pack(store, run.pack_hash).vocabulary, subject_id)
    if run.kind == DAY_KIND:
        parts = timeline_of(store, pack_id, subject_id).parts
    else:
        parts = published(store, run, subject_id)
    if not parts:
        raise no_result(store, run, subject_id)
    until = add_months(run.as_of, months)
    steps = takewhile(lambda step: step.begins < until, steps_of(parts, run.as_of))
    return Forecast(run, subject_id, run.as_of, until, tuple(steps))


def steps_of(parts: Sequence[Ruled], first: dt.date) -> Iterator[Step]:
    """The steps from a day to the end of time.

    :param parts: the versions that rule, in the order of days.
    """
    days = _Changes(parts)
    alike = [list(group) for _, group in groupby(_graded(parts, first), _Graded.shown)]
    ends = [*(group[0].begins for group in alike[1:]), alike[-1][-1].ends] if alike else []
    before: Pack | None = None
    for (now, *_), end in zip(alike, ends, strict=True):
        is_first = now.begins == first
        yield Step(now.begins, end, now.pack, now.grade, () if is_first else days.on(now, before))
        before = now.pack


@dataclass(frozen=True, slots=True)
class _Graded:
    """Days with one grade, or without any."""

    begins: dt.date
    ends: dt.date | None
    pack: Pack | None = None
    grade: Segment | None = None

    def shown(self) -> tuple[Any, ...]:
        """What makes a step."""
        grade = self.grade
        return (id(self.pack), grade and (grade.score, grade.tier, grade.band, grade.veto))


def _graded(parts: Sequence[Ruled], first: dt.date) -> Iterator[_Graded]:
    reached: dt.date | None = first
    for part in parts:
        for segment in part.timeline.segments:
            if reached is None or (segment.ends is not None and segment.ends <= reached):
                continue
            if reached < segment.begins:
                yield _Graded(reached, segment.begins)
            yield _Graded(max(reached, segment.begins), segment.ends, part.pack, segment)
            reached = segment.ends
    if reached is not None:
        yield _Graded(reached, None)


@dataclass(frozen=True, slots=True)
class Change:
    """What a rule does on a day about all records together: reasons of one cause, their points added up.

    :param records: about which; none where the rule counts no record.
    """

    cause: Cause
    rule: Rule | None
    records: tuple[str, ...]
    points_before: int
    points: int
    version: str | None


def changes(reasons: Sequence[Reason]) -> list[Change]:
    """Reasons in as few lines as there are rules by title, what weighs most first: of two versions of a pack
    the rules of one title may have two ids.

    >>> changes([Reason(Cause.VERSION, version="2026.2")])[0].version
    '2026.2'
    """
    together = defaultdict[Any, list[Reason]](list)
    for reason in reasons:
        together[reason.cause, reason.rule and reason.rule.title].append(reason)
    found = [_change(alike) for alike in together.values()]
    return sorted(
        found, key=lambda one: (one.rule is not None, not _vetoes(one), -abs(one.points - one.points_before))
    )


def _change(alike: Sequence[Reason]) -> Change:
    records = dict.fromkeys(reason.record_id for reason in alike if reason.record_id is not None)
    before, points = sum(reason.points_before for reason in alike), sum(reason.points for reason in alike)
    return Change(alike[0].cause, alike[0].rule, tuple(records), before, points, alike[0].version)


class _Changes:
    """What begins and ends on each day."""

    def __init__(self, parts: Sequence[Ruled]) -> None:
        self._begins: dict[dt.date, dict[_Key, Span]] = defaultdict(dict)
        self._ends: dict[dt.date, dict[_Key, Span]] = defaultdict(dict)
        for span in (span for part in parts for span in part.timeline.spans if not span.rule.consequence):
            key = span.rule.id, span.record is not None, span.record
            self._begins[span.begins][key] = span
            if span.ends is not None:
                self._ends[span.ends][key] = span

    def on(self, now: _Graded, before: Pack | None) -> tuple[Reason, ...]:
        """Why the grade of this day is another one: what weighs most first.

        :param before: the version in force until then.
        """
        if now.pack is None:
            return (Reason(Cause.NO_PACK),)
        version = now.pack.version if now.pack is not before else None
        begun, ended = self._begins.get(now.begins, {}), self._ends.get(now.begins, {})
        found = [
            reason
            for key in sorted({*begun, *ended}, key=lambda key: (*key[:2], str(key[2])))
            if (reason := _reason(now.begins, ended.get(key), begun.get(key), version))
        ]
        found.sort(key=lambda reason: (not _vetoes(reason), -abs(reason.points - reason.points_before)))
        return (*([Reason(Cause.VERSION, version=version)] if version else ()), *found)


_Key = tuple[str, bool, Any]


def _vetoes(reason: Reason | Change) -> bool:
    return reason.rule is not None and reason.rule.is_veto


def _reason(day: dt.date, ended: Span | None, begun: Span | None, version: str | None) -> Reason | None:
    """What became of a rule and a record; None where it gives what it gave before, or nothing at all."""
    span = begun or ended
    assert span is not None
    before, points = ended.points if ended else 0, begun.points if begun else 0
    is_same = before == points and (not span.rule.is_veto or (ended and begun))
    if is_same:
        return None
    cause = Cause.VERSION if version else _cause(day, ended, begun, span.rule)
    record_id = None if span.record is None else str(span.record)
    return Reason(cause, span.rule, record_id, before, points, version)


def _cause(day: dt.date, ended: Span | None, begun: Span | None, rule: Rule) -> Cause:
    if rule.points is not None and any(start == day for start, _ in rule.points.steps):
        return Cause.DATED
    if ended is None or begun is None:
        return Cause.BEGINS if ended is None else Cause.ENDS
    return Cause.DECAYS if rule.window is not None and rule.window.decay else Cause.VALUE
