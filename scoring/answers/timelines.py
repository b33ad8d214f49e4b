"""A subject's grades as a timeline, by what was known at a moment.

What a run has published is read; what nobody has said is judged, from the facts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.calendar import SHANGHAI
from rules.model import Pack, Vocabulary
from rules.titles import Title, UnknownError
from scoring.facts.ingest.keys import doubt_of_key, near_codes, subject_key
from scoring.judging import one
from scoring.judging.lines import Line
from scoring.judging.period import ALL_OF_TIME, Period
from scoring.judging.timeline import Segment, Span, Timeline
from scoring.runs.published import RunSummary, current_run, get_run
from scoring.runs.said import visible
from scoring.runs.terms import Piece, since, terms_of
from scoring.store import Store
from scoring.store import timelines as rows
from scoring.store.documents import decode
from scoring.store.models import RecordVersion, SubjectVersion, last_ingest, last_ingest_of
from scoring.store.models import known_at as was_known
from scoring.store.packs import stored_pack
from scoring.store.timelines import GradedRule, GradedSubject, Touch


class UnknownSubjectError(UnknownError):
    """Nothing is known of that subject, or there is no run.

    :ivar doubt: why what was asked for can be nobody's code; None where it can.
    :ivar near: whose codes are one sign from the one that was asked for; only for who may list subjects.
    """

    def __init__(
        self, title: Title, doubt: Title | None = None, near: Sequence[str] = (), command: str = ""
    ) -> None:
        super().__init__(title, command)
        self.doubt = doubt
        self.near = tuple(near)

    @property
    def told(self) -> Title:
        """What it says, with what may have been meant."""
        if not self.near:
            return self.title
        zh, en = "、".join(self.near), ", ".join(self.near)
        return Title(f"{self.title.zh};是否为:{zh}", f"{self.title.en}; perhaps {en}")

    def __str__(self) -> str:
        return self.told.en


@dataclass(frozen=True, slots=True)
class Facts:
    """What was known of a subject.

    :param known_at: the moment of the last file that counted.
    :param records: by id.
    """

    subject_id: str
    known_at: dt.datetime
    attributes: Mapping[str, Any]
    records: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Ruled:
    """A version of the pack, and the subject's timeline on the days on which it rules."""

    pack: Pack
    timeline: Timeline


@dataclass(frozen=True, slots=True)
class TimelineAnswer:
    """A subject's grades.

    :param run: the run that knew these facts.
    :param terms: which version of the pack rules when, as that run has it.
    :param parts: one for each version of the pack that rules in the period, in the order of days.
    """

    pack_id: str
    facts: Facts
    run: RunSummary
    terms: Sequence[Piece]
    parts: tuple[Ruled, ...]

    def on(self, day: dt.date) -> Ruled | None:
        """The version that rules on a day, with the subject's timeline; None where none does."""
        return next((part for part in self.parts if part.timeline.on(day) is not None), None)


def timeline_of(store: Store, pack_id: str, subject_id: str) -> TimelineAnswer:
    """A subject's timeline on all days, judged by the facts and the rules of the latest run.

    :raises UnknownSubjectError: where there is no run, or nothing was known of the subject.
    """
    run = run_of(store, pack_id, None)
    terms = terms_of(store, pack_id, run.id)
    vocabulary = stored_pack(store, run.pack_hash).vocabulary
    with store.reading() as session:
        facts = facts_of(session, vocabulary, subject_id, run.known_at)
    return TimelineAnswer(pack_id, facts, run, terms, ruled_by(store, terms, facts, ALL_OF_TIME))


def published(store: Store, run: RunSummary, subject_id: str) -> tuple[Ruled, ...]:
    """What a run says of a subject from its own day on; nothing where it does not grade the subject.

    :param run: one that says more than its day.
    :param subject_id: as it is stored.
    """
    with store.reading() as session:
        number = session.scalar(
            sa.select(GradedSubject.number).where(
                GradedSubject.pack_id == run.pack_id, GradedSubject.subject_id == subject_id
            )
        )
        whom = Touch.subject == number
        segments = session.execute(visible(rows.Segment, whom, run.id, run.as_of)).all()
        spans = session.execute(visible(rows.Span, whom, run.id, run.as_of)).all()
        rules = dict(
            session.execute(
                sa.select(GradedRule.number, GradedRule.rule).where(GradedRule.pack_id == run.pack_id)
            ).all()
        )
    pieces = since(terms_of(store, run.pack_id, run.id), run.as_of)
    found = (Ruled(piece.pack, _kept(piece, run.as_of, segments, spans, rules)) for piece in pieces)
    return tuple(part for part in found if part.timeline.segments)


def _kept(
    piece: Piece, first: dt.date, segments: Sequence[Any], spans: Sequence[Any], rules: Mapping[int, str]
) -> Timeline:
    """What is kept of the days on which a version rules."""
    kept_segments = [
        Segment(days.first, days.until, row.score, row.tier, row.band, row.veto, row.known, row.total)
        for row in segments
        if (days := _shown(row, first, piece)) is not None
    ]
    kept_spans = [
        Span(
            piece.pack.rule(rules[row.rule]),
            row.record_id,
            days.first,
            days.until,
            row.points,
            row.counts_from,
            row.counts_until,
        )
        for row in spans
        if (days := _shown(row, first, piece)) is not None
    ]
    kept_segments.sort(key=lambda segment: segment.begins)
    return Timeline(piece.days, tuple(kept_spans), tuple(kept_segments))


def _shown(row: Any, first: dt.date, piece: Piece) -> Period | None:
    """The days of a row of :func:`scoring.runs.said.visible` that are in a piece."""
    until = min((day for day in (row.ends, row.hidden_from) if day is not None), default=None)
    begins = max(row.begins, row.from_day, first)
    return None if until is not None and until <= begins else piece.within(Period(begins, until))


def ruled_by(store: Store, terms: Sequence[Piece], facts: Facts, period: Period) -> tuple[Ruled, ...]:
    """The timeline of facts by each version on the days of the period on which it rules."""
    return tuple(
        Ruled(term.pack, timeline)
        for term in terms
        if (days := term.within(period)) is not None
        and (timeline := judged(store, term.pack, facts, days)).segments
    )


def judged(store: Store, pack: Pack, facts: Facts, period: Period) -> Timeline:
    """The timeline of facts by one version of a pack, on days on which it rules."""
    group = of_group(store, pack, facts, period)
    return judge_of(pack).judge(facts.attributes, list(facts.records.values()), period, group)


def of_group(store: Store, pack: Pack, facts: Facts, period: Period) -> dict[str, Line]:
    """The subject's measures that depend on other subjects, as these were known at the same moment.

    They are made for a day alone or for all days of the version, so that who asks of others finds them made;
    a day of a version whose days are all made is one of them.
    """
    judge = judge_of(pack)
    if not judge.over_group:
        return {}
    from scoring.answers.group_measures import has_lines, lines_of_subject  # DuckDB is loaded here alone

    days, known_at = _all_days(pack), _last_known(store, pack, facts.known_at)
    if period.is_one_day and not has_lines(store, pack, days, known_at):
        days = period
    lines = lines_of_subject(_of_everybody(store, judge, days, known_at), pack, facts.subject_id)
    return {name: line.within(period.days) for name, line in lines.items()} if period.is_one_day else lines


def compare_group(store: Store, run: RunSummary) -> None:
    """Make for all days what depends on others, as a run knew them, where its pack asks: once for all who ask
    later.
    """
    judge = judge_of(pack := stored_pack(store, run.pack_hash))
    if judge.over_group and run.subjects <= MOST_COMPARED:
        _of_everybody(store, judge, _all_days(pack), _last_known(store, pack, run.known_at))


MOST_COMPARED = 10_000
"""For so many all days are made before anybody asks (own choice)."""


def _all_days(pack: Pack) -> Period:
    return Period(pack.in_force_from, pack.in_force_until)


def _last_known(store: Store, pack: Pack, known_at: dt.datetime) -> dt.datetime:
    """The moment of the last news until then: what is made of it is found by it."""
    with store.reading() as session:
        return last_ingest_of(session, pack.vocabulary.id, known_at) or known_at


@lru_cache(maxsize=16)
def _of_everybody(store: Store, judge: one.Judge, period: Period, known_at: dt.datetime) -> Any:
    """What depends on others; what was known at a moment can't change any more.

    Of each version a page asks for a few days and for all days, as the last run knew them and as they are
    known now: of two versions all are kept.
    """
    from scoring.answers.group_measures import lines_of_group

    return lines_of_group(store, judge.pack, judge.over_group, period, known_at)


def facts_of(
    session: Session, vocabulary: Vocabulary, subject_id: str, known_at: dt.datetime | None = None
) -> Facts:
    """What was known of a subject.

    :param known_at: a moment with its time zone; None for now.
    :raises UnknownSubjectError: where nothing was.
    """
    subject_id = subject_key(vocabulary, subject_id)
    moment = last_ingest(session, known_at)
    subject = moment and session.scalar(_known(SubjectVersion, vocabulary, subject_id, moment))
    if not moment or not subject:
        when = known_at and f"{known_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
        title = Title(
            f"{f'截至{when}' if when else '目前'}没有{vocabulary.title.zh}{subject_id}的数据",
            f"nothing was known of {subject_id}, a subject of {vocabulary.id},"
            f" {f'at {when}' if when else 'yet'}",
        )
        raise unknown_subject(session, vocabulary, subject_id, title)
    records: dict[str, dict[str, Any]] = {}
    if vocabulary.records is not None:
        query = _known(RecordVersion, vocabulary, subject_id, moment).order_by(RecordVersion.record_id)
        records = {v.record_id: decode(v.data, vocabulary.records) for v in session.scalars(query)}
    return Facts(subject_id, moment, decode(subject.data, vocabulary.subject), records)


def judge_of(pack: Pack) -> one.Judge:
    """The judge of a pack, made once."""
    with _judging:
        found = _judges.get(id(pack))
        if found is None:
            if len(_judges) >= _JUDGES_KEPT:
                _judges.clear()
            found = _judges[id(pack)] = one.Judge(pack)
        return found


_judges: dict[int, one.Judge] = {}
"""By the pack's place in memory, which nothing else takes while its judge is here."""
_judging = Lock()
_JUDGES_KEPT = 16


def run_of(store: Store, pack_id: str, run_id: int | None) -> RunSummary:
    """A run of a pack.

    :param run_id: by default the latest.
    :raises UnknownSubjectError: where there is none, or it is of another pack.
    """
    run = get_run(store, run_id) if run_id is not None else current_run(store, pack_id)
    if run is None:
        title = Title(f"{pack_id}还没有评价结果;请先评价", f"there is no run of {pack_id} yet; start one")
        raise UnknownSubjectError(title, command="xinheng score")
    if run.pack_id != pack_id:
        en = f"run {run.id} is one of {run.pack_id}, not of {pack_id}"
        raise UnknownSubjectError(Title(f"评价{run.id}属于{run.pack_id},不属于{pack_id}", en))
    return run


def no_result(store: Store, run: RunSummary, subject_id: str) -> UnknownSubjectError:
    """The error that a run has nothing of a subject."""
    title = Title(
        f"{run.pack_id}的评价{run.id}中没有{subject_id}",
        f"run {run.id} of {run.pack_id} has no result for {subject_id}",
    )
    with store.reading() as session:
        return unknown_subject(session, run.vocabulary, subject_id, title)


def unknown_subject(
    session: Session, vocabulary: Vocabulary | str, subject_id: str, title: Title
) -> UnknownSubjectError:
    """The error that a subject is not there: also why what was asked for can be none's code, if so.

    :param title: what is not there.
    """
    doubt = doubt_of_key(vocabulary, subject_id)
    if doubt is None:
        return UnknownSubjectError(title)
    said = Title(f"{title.zh};{doubt.zh}", f"{title.en}: {doubt.en}")
    return UnknownSubjectError(said, doubt, near_subjects(session, vocabulary, subject_id))


def near_subjects(session: Session, vocabulary: Vocabulary | str, text: str) -> Sequence[str]:
    """The first few subjects whose codes are one sign from a text that can be no code."""
    name = vocabulary if isinstance(vocabulary, str) else vocabulary.id
    query = sa.select(SubjectVersion.subject_id).where(
        SubjectVersion.vocabulary == name,
        SubjectVersion.known_until.is_(None),
        SubjectVersion.subject_id.in_(near_codes(text)),
    )
    return session.scalars(query.order_by(SubjectVersion.subject_id).limit(_MOST_NEAR)).all()


_MOST_NEAR = 5


def _known(version: Any, vocabulary: Vocabulary, subject_id: str, moment: dt.datetime) -> Any:
    return sa.select(version).where(
        version.vocabulary == vocabulary.id, version.subject_id == subject_id, was_known(version, moment)
    )
