"""What follows from the arrival of records: the subject's grade as it now stands, and its alerts.

Each subject is judged afresh from the records that the store holds at that moment. So it does not matter in
which order they came, whether several came together, or whether the process died between the record and its
judgment: the next event of the subject, or :func:`scoring.live.scanning.rescan`, makes up for it.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from rules.calendar import today
from rules.identity import identity
from rules.model import Pack
from scoring.answers.group_measures import measures_of_group, of_subject
from scoring.judging import one
from scoring.judging.lines import Line
from scoring.judging.period import Period
from scoring.judging.timeline import Hit, Segment, dimensions_of
from scoring.live.growing import About, Alerts, Changed
from scoring.live.patterns import Patterns
from scoring.live.supervisor import Engine, shared_engine
from scoring.store import Store
from scoring.store.base import insert_of, table_of
from scoring.store.documents import decode
from scoring.store.live import LiveGradeRow
from scoring.store.models import RecordVersion, SubjectVersion, last_ingest
from scoring.store.rulebook import known_ruling

AT_ONCE = 20
"""A request that changes no more subjects than this waits for them; of more, the others follow behind it."""

_LOG = structlog.get_logger("xinheng.live")
_IDS_AT_ONCE = 500
_PACKS_KEPT = 16


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a subject's event led to: its grade, and how many alerts opened, were withdrawn, history, grew."""

    grade: Segment
    raised: int = 0
    withdrawn: int = 0
    history: int = 0
    grown: int = 0


class Judge:
    """A pack at work on events."""

    def __init__(self, pack: Pack, engine: Engine | None = None) -> None:
        engine = engine or shared_engine()
        self.pack, self.digest = pack, identity(pack)
        self.grader, self.patterns = one.Judge(pack), Patterns(pack, engine)

    def judge(
        self,
        store: Store,
        subject_id: str,
        as_of: dt.date | None = None,
        cause: str | None = None,
        past: dt.date | None = None,
    ) -> Outcome | None:
        """Judge a subject by what is known now, and keep the result.

        None where the subject is not known, or the pack not in force.

        :param as_of: by default today.
        :param cause: the record that led to it.
        :param past: a new alert whose last record is of before this day is history.
        """
        return next(iter(self.judge_some(store, [subject_id], as_of, cause, past)), None)

    def judge_some(
        self,
        store: Store,
        subject_ids: Sequence[str],
        as_of: dt.date | None = None,
        cause: str | None = None,
        past: dt.date | None = None,
        with_it: Callable[[Session], object] = lambda session: None,
    ) -> list[Outcome]:
        """As :meth:`judge`, of several subjects; what is found is kept of all of them or of none.

        The alerts of who is not known any more are withdrawn.

        :param with_it: what is kept in the same transaction.
        """
        seen = _facts(store, self.pack, subject_ids)
        found = self._found(store, seen, as_of or today(), cause)
        matches = [self.patterns.matches(one.facts.attributes, one.facts.records) for one in found]
        outcomes = []
        with store.writing() as session:
            kept = _kept(session, [one.row for one in found])
            gone = _gone(session, self.pack, seen)
            alerts = Alerts(session, self.pack.id, kept | gone)
            for name in gone:
                unknown = About(self.pack.id, self.digest, name, {}, None)
                alerts.reconcile(unknown, (), dt.datetime.now(dt.UTC), past)
            for one, own in zip(found, matches, strict=True):
                changed = Changed()
                if one.facts.subject_id in kept:
                    changed = alerts.reconcile(self._about(one.facts), own, one.row["graded_at"], past)
                outcomes.append(Outcome(one.grade, *changed))
            alerts.tell()
            with_it(session)
        return outcomes

    def _about(self, facts: _Facts) -> About:
        """One without a date is in no match."""
        words = self.pack.vocabulary
        key, date = words.records.key if words.records else "", words.record_date
        dates = {str(row[key]): on for row in facts.records if (on := row.get(date)) is not None}
        return About(self.pack.id, self.digest, facts.subject_id, dates, facts.attributes.get("town"))

    def look(self, store: Store, subject_id: str, as_of: dt.date, cause: str | None) -> LiveGradeRow | None:
        """As :meth:`judge`, of a day on which nothing has happened: nothing is kept, and nobody alerted."""
        found = self._found(store, _facts(store, self.pack, [subject_id]), as_of, cause)
        return LiveGradeRow(**found[0].row) if found else None

    def _found(self, store: Store, seen: _Seen, day: dt.date, cause: str | None) -> list[_Found]:
        """Those that are known, while the pack is in force."""
        found = []
        for facts in seen.facts:
            of_group = self._of_group(store, facts, day)
            timeline = self.grader.judge(facts.attributes, facts.records, Period.of(day), of_group)
            grade = timeline.on(day)
            if grade is not None:
                moment = {"as_of": day, "graded_at": dt.datetime.now(dt.UTC), "cause": cause}
                found.append(_Found(facts, grade, _row(self, facts, grade, timeline.hits(day)) | moment))
        return found

    def _of_group(self, store: Store, facts: _Facts, day: dt.date) -> dict[str, Line]:
        """What depends on other subjects: the whole group is measured."""
        if not self.grader.over_group:
            return {}
        measures = measures_of_group(store, self.pack, day, facts.known_at)
        values = of_subject(measures, self.pack, facts.subject_id)
        return {name: Line.of([(day, values.get(name))]) for name in self.grader.over_group}


# Arrivals


def records_arrived(store: Store, vocabulary_id: str, record_ids: Sequence[str], wait: bool = True) -> None:
    """Judge the subjects of records that have just been taken in or changed, by every pack in force.

    Nothing that goes wrong here is the sender's business: it is logged, and the records are safe in the
    store.

    :param wait: whether the first subjects are judged before this comes back; the others follow behind.
    """
    try:
        subjects = list(_subjects_of(store, vocabulary_id, record_ids).items())
    except Exception as error:
        _LOG.error("arrivals were not seen", vocabulary=vocabulary_id, exc_info=error)
        return
    first = AT_ONCE if wait else 0
    _judge_many(store, vocabulary_id, subjects[:first])
    if subjects[first:]:
        _behind.submit(_judge_many, store, vocabulary_id, subjects[first:])


def live_grade(store: Store, pack: Pack, subject_id: str, day: dt.date) -> LiveGradeRow | None:
    """A subject's grade on a day, after its last event; None where there was none, or no pack is in force.

    Grades age: windows close and points decay at midnight, and packs change. So one that was kept on another
    day, or by another pack, is judged anew for the day that is asked for.

    >>> from fixtures.small import AS_OF, RESTAURANT, small_store
    >>> from rules.library.loader import find_pack
    >>> from scoring.live.scanning import rescan
    >>> store, pack = small_store(), find_pack("tourism-credit", AS_OF)
    >>> rescan(store, pack).subjects
    2
    >>> found = live_grade(store, pack, RESTAURANT, AS_OF)
    >>> found.score, found.tier
    (6700, 'C')
    """
    judge = judge_of(pack)
    with store.reading() as session:
        row = session.get(LiveGradeRow, (pack.id, subject_id))
    if row is None or (row.as_of, row.pack_hash) == (day, judge.digest):
        return row
    return judge.look(store, subject_id, day, row.cause)


def judge_of(pack: Pack) -> Judge:
    """The pack's judge in this process."""
    with _judging:
        judge = _judges.get(id(pack))
        if judge is None:
            if len(_judges) >= _PACKS_KEPT:
                _judges.clear()
            judge = _judges[id(pack)] = Judge(pack)
        return judge


_judges: dict[int, Judge] = {}
_judging = Lock()


def _judge_all(store: Store, packs: Sequence[Pack], day: dt.date, subject_id: str, cause: str | None) -> None:
    """By every pack; one that fails does not stop the others."""
    for pack in packs:
        try:
            judge_of(pack).judge(store, subject_id, day, cause)
        except Exception as error:
            _LOG.error("a subject could not be judged", pack=pack.id, record=cause, exc_info=error)


def _judge_many(store: Store, vocabulary_id: str, subjects: Iterable[tuple[str, str]]) -> None:
    """By every pack in force; where the store can't say which those are, nobody is judged."""
    day = today()
    try:
        packs = [pack for pack in known_ruling(store, day) if pack.vocabulary.id == vocabulary_id]
    except Exception as error:
        _LOG.error("subjects could not be judged", vocabulary=vocabulary_id, exc_info=error)
        return
    for subject_id, cause in subjects:
        _judge_all(store, packs, day, subject_id, cause)


_behind = ThreadPoolExecutor(1, thread_name_prefix="xinheng-live")
"""Work behind requests, in its turn; it is done before the process ends."""


# The store


@dataclass(frozen=True, slots=True)
class _Facts:
    """What is known of a subject, and the moment of the last file that counted."""

    subject_id: str
    known_at: dt.datetime
    attributes: Mapping[str, Any]
    records: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class _Found:
    """What is known of a subject, its grade, and the grade as it is kept."""

    facts: _Facts
    grade: Segment
    row: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is known of subjects at a moment, None where nothing is of anybody.

    :param unknown: those of whom nothing is, or nothing any more.
    """

    moment: dt.datetime | None
    facts: Sequence[_Facts]
    unknown: Sequence[str]


def _facts(store: Store, pack: Pack, subject_ids: Sequence[str]) -> _Seen:
    """What is known of subjects."""
    vocabulary, records = pack.vocabulary, defaultdict[str, list[Mapping[str, Any]]](list)
    with store.reading() as session:
        moment = last_ingest(session)
        if moment is None:
            return _Seen(None, (), ())
        subjects = dict(session.execute(_current(SubjectVersion, vocabulary.id, subject_ids)).all())
        if vocabulary.records is not None:
            for subject_id, data in session.execute(_current(RecordVersion, vocabulary.id, subject_ids)):
                records[subject_id].append(decode(data, vocabulary.records))
    known = [
        _Facts(name, moment, decode(subjects[name], vocabulary.subject), records[name])
        for name in subject_ids
        if name in subjects
    ]
    return _Seen(moment, known, [name for name in subject_ids if name not in subjects])


def _current(version: Any, vocabulary_id: str, subject_ids: Sequence[str]) -> Any:
    return sa.select(version.subject_id, version.data).where(
        version.vocabulary == vocabulary_id,
        version.subject_id.in_(subject_ids),
        version.known_until.is_(None),
    )


def _subjects_of(store: Store, vocabulary_id: str, record_ids: Sequence[str]) -> dict[str, str]:
    """The subjects that any version of the records is about, each with one of the records."""
    found: dict[str, str] = {}
    with store.reading() as session:
        for start in range(0, len(record_ids), _IDS_AT_ONCE):
            query = sa.select(RecordVersion.subject_id, RecordVersion.record_id).where(
                RecordVersion.vocabulary == vocabulary_id,
                RecordVersion.record_id.in_(record_ids[start : start + _IDS_AT_ONCE]),
            )
            found.update((subject, record) for subject, record in session.execute(query))
    return found


def _row(judge: Judge, facts: _Facts, grade: Segment, hits: Sequence[Hit]) -> dict[str, Any]:
    return {
        "pack_id": judge.pack.id,
        "subject_id": facts.subject_id,
        "pack_hash": judge.digest,
        "known_at": facts.known_at,
        **{name: getattr(grade, name) for name in ("score", "tier", "band", "veto")},
        "inputs_known": grade.known,
        "inputs_total": grade.total,
        "dimensions": json.dumps(dimensions_of(judge.pack.dimensions, hits)),
        "hits": json.dumps([_plain(hit) for hit in hits], ensure_ascii=False),
    }


def _plain(hit: Hit) -> dict[str, Any]:
    return {
        "rule": hit.rule.id,
        "record_id": None if hit.record_id is None else str(hit.record_id),
        "points_before": hit.points_before,
        "points": hit.points,
        "counts_from": hit.counts_from and hit.counts_from.isoformat(),
        "counts_until": hit.counts_until and hit.counts_until.isoformat(),
    }


def _kept(session: Session, rows: Sequence[Mapping[str, Any]]) -> set[str]:
    """Keep grades; whose, without those of which one is kept already that saw more."""
    if not rows:
        return set()
    kept = session.execute(_keep(session.get_bind().dialect.name), rows)
    return set(kept.scalars())


def _gone(session: Session, pack: Pack, seen: _Seen) -> set[str]:
    """Of those who are unknown, who was judged when they were known: whoever saw them then comes too late."""
    if not seen.unknown:
        return set()
    table = table_of(LiveGradeRow)
    mine = table.c.pack_id == pack.id, table.c.subject_id.in_(seen.unknown), table.c.known_at <= seen.moment
    return set(
        session.scalars(
            sa.update(table).where(*mine).values(known_at=seen.moment).returning(table.c.subject_id)
        )
    )


@cache
def _keep(dialect: str) -> Any:
    """The statement, made once: it has many columns."""
    table, keys = table_of(LiveGradeRow), ["pack_id", "subject_id"]
    insert = insert_of(dialect, LiveGradeRow)
    return insert.on_conflict_do_update(
        index_elements=keys,
        set_={column.name: insert.excluded[column.name] for column in table.c if column.name not in keys},
        where=table.c.known_at <= insert.excluded.known_at,
    ).returning(table.c.subject_id)
