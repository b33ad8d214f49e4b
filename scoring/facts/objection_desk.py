"""Objections in the store: listed with their due dates, escalated, and counted by office.

What is done about one is a mark (:func:`scoring.facts.objections.mark_record`).
"""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from statistics import median
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from rules.model import Vocabulary
from rules.titles import Title, UnknownError
from rules.workdays import workdays_between
from scoring.facts.bodies import register
from scoring.facts.merging import AUTHORITY
from scoring.facts.objection_case import DISPUTED, Case, cases, last_case
from scoring.facts.objections import Mark, MarkRequest, current_version, mark_of, put_mark
from scoring.facts.records import records_table
from scoring.facts.versions import wait_for_turn
from scoring.store import Store
from scoring.store.access import RecordMark
from scoring.store.batches import parts
from scoring.store.documents import decode
from scoring.store.models import RecordVersion

CLOCK = "clock"


class UnknownObjectionError(UnknownError):
    """There is no objection of that number, or not for who asks."""


@dataclass(frozen=True, slots=True)
class Objection:
    """An objection with everything that was done about it while the record was about its subject.

    :param id: the number of its first mark.
    :param authority: whose record it is, as the record says now; None where it says nothing.
    """

    id: int
    vocabulary: str
    record_id: str
    subject_id: str
    authority: str | None
    case: Case
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which objections are wanted.

    :param authority: those to this authority's records, by whichever of its names.
    :param overdue_on: those of which something is late on this day.
    :param after: those with a greater id.
    """

    subject_id: str | None = None
    authority: str | None = None
    is_open: bool = False
    overdue_on: dt.date | None = None
    after: int = 0


@dataclass(frozen=True, slots=True)
class Figures:
    """How objections to an office's records were dealt with.

    :param office: what it is called now; None of records that name none.
    :param upheld: of those decided, by the last decision on each.
    :param median_days: working days from the objection to the first decision; None where none was decided.
    """

    office: str | None
    filed: int
    open: int
    overdue: int
    decided: int
    upheld: int
    reviewed: int
    median_days: float | None


def list_objections(
    store: Store, vocabulary_id: str, wanted: Wanted, limit: int | None = None
) -> list[Objection]:
    """Objections in the order in which they came: the longest waiting first.

    >>> import datetime as dt
    >>> from fixtures.small import small_store
    >>> from rules.library.loader import load_vocabulary
    >>> from scoring.facts.objections import MarkRequest, mark_record
    >>> filed = MarkRequest("objection", "disputed", dt.date(2026, 9, 24), "已向法院起诉", (), "李专员")
    >>> store = small_store()
    >>> mark = mark_record(store, load_vocabulary("tourism"), "LY-2", filed)
    >>> [found] = list_objections(store, "tourism", Wanted(is_open=True))
    >>> found.record_id, str(found.case.stage), found.case.due_on.isoformat()
    ('LY-2', 'filed', '2026-09-30')
    """
    with store.reading() as session:
        return list(islice(_objections(session, vocabulary_id, wanted), limit))


def show_objection(store: Store, objection_id: int, subject_id: str | None = None) -> Objection:
    """An objection.

    :param subject_id: only if it is about this subject's record.
    :raises UnknownObjectionError: where there is none, or it is another subject's.
    """
    with store.reading() as session:
        mark = session.get(RecordMark, objection_id)
        if mark is None or mark.kind != "objection" or subject_id not in (None, mark.subject_id):
            en = f"there is no objection {objection_id}"
            raise UnknownObjectionError(Title(f"没有编号为{objection_id}的异议", en))
        (found,) = _folded(session, mark.vocabulary, [objection_id])
    return found


def figures(store: Store, vocabulary_id: str, on: dt.date, since: dt.date | None = None) -> list[Figures]:
    """By office, how many objections were made and upheld, and how long they took; the most first.

    :param on: the day on which they are open or overdue.
    :param since: only those made on this day or later.
    """
    by_office: dict[str | None, list[Case]] = defaultdict(list)
    with store.reading() as session:
        offices = register(session)
        for found in _objections(session, vocabulary_id, Wanted()):
            if since is None or since <= found.case.filed_on:
                office = None if found.authority is None else offices.title(found.authority)
                by_office[office].append(found.case)
    counted = [_figures(office, of_office, on) for office, of_office in by_office.items()]
    return sorted(counted, key=lambda one: (-one.filed, one.office or ""))


def tick(store: Store, vocabulary: Vocabulary, on: dt.date) -> list[Objection]:
    """Let the clock look at what is overdue: it escalates once, and once more a working week later.

    :return: what it escalated.
    """
    late = list_objections(store, vocabulary.id, Wanted(overdue_on=on))
    done = [found.id for found in late if _escalate(store, vocabulary, found.record_id, on)]
    return [show_objection(store, number) for number in done]


def _escalate(store: Store, vocabulary: Vocabulary, record_id: str, on: dt.date) -> bool:
    """Note that an objection is overdue, if it still is and that has not been noted; whether it was."""
    table, is_done = records_table(vocabulary), False
    with store.writing() as session:
        wait_for_turn(session)
        current = current_version(session, vocabulary, record_id)
        while current and (case := last_case(session, current)) is not None and case.escalates(on):
            reason = f"应于{case.due_on}前办理，已逾期 overdue: it was due on {case.due_on}"
            request = MarkRequest("escalation", DISPUTED, on, reason, (), CLOCK)
            put_mark(session, current, decode(current.data, table), request)
            is_done = True
    return is_done


def _figures(office: str | None, found: Sequence[Case], on: dt.date) -> Figures:
    days = [workdays_between(case.filed_on, case.decided_on) for case in found if case.decided_on is not None]
    return Figures(
        office,
        len(found),
        sum(case.is_open for case in found),
        sum(case.is_overdue(on) for case in found),
        len(days),
        sum(case.outcome == "upheld" for case in found),
        sum(case.reviewed_on is not None for case in found),
        float(median(days)) if days else None,
    )


def _objections(session: Session, vocabulary_id: str, wanted: Wanted) -> Iterator[Objection]:
    names = None if wanted.authority is None else register(session).names(wanted.authority)
    for numbers in parts(_filed(session, vocabulary_id, wanted)):
        for found in _folded(session, vocabulary_id, numbers):
            case = found.case
            if wanted.is_open and not case.is_open:
                continue
            if wanted.overdue_on is not None and not case.is_overdue(wanted.overdue_on):
                continue
            if names is None or found.authority in names:
                yield found


def _filed(session: Session, vocabulary_id: str, wanted: Wanted) -> Sequence[int]:
    """The numbers of objections; of the open ones those that nothing has ended since, which a seek tells."""
    filed, later = RecordMark, aliased(RecordMark)
    query = sa.select(filed.id).where(
        filed.vocabulary == vocabulary_id, filed.kind == "objection", filed.id > wanted.after
    )
    if wanted.subject_id is not None:
        query = query.where(filed.subject_id == wanted.subject_id)
    if wanted.is_open or wanted.overdue_on is not None:
        last = (
            sa.select(later.status_after)
            .where(later.vocabulary == filed.vocabulary, later.record_id == filed.record_id)
            .order_by(later.id.desc())
            .limit(1)
            .correlate(filed)
            .scalar_subquery()
        )
        query = query.where(last == DISPUTED)
    return session.scalars(query.order_by(filed.id)).all()


def _folded(session: Session, vocabulary_id: str, numbers: Sequence[int]) -> Iterable[Objection]:
    """Objections with what the marks after them made of them."""
    of_record = sa.select(RecordMark.record_id).where(RecordMark.id.in_(numbers))
    marks = session.scalars(
        sa.select(RecordMark)
        .where(RecordMark.vocabulary == vocabulary_id, RecordMark.record_id.in_(of_record))
        .order_by(RecordMark.record_id, RecordMark.id)
    )
    wanted = set(numbers)
    found: dict[int, tuple[Case, tuple[RecordMark, ...]]] = {}
    for _, own in groupby(marks, key=lambda mark: mark.record_id):
        found.update((marks[0].id, (case, marks)) for case, marks in cases(own) if marks[0].id in wanted)
    authorities = _authorities(session, vocabulary_id, numbers)
    for number in numbers:
        case, own_marks = found[number]
        first = own_marks[0]
        yield Objection(
            number,
            vocabulary_id,
            first.record_id,
            first.subject_id,
            authorities.get(first.record_id),
            case,
            tuple(mark_of(mark) for mark in own_marks if mark.subject_id == first.subject_id),
        )


def _authorities(session: Session, vocabulary_id: str, numbers: Sequence[int]) -> dict[str, Any]:
    query = sa.select(RecordVersion.record_id, RecordVersion.data).where(
        RecordVersion.vocabulary == vocabulary_id,
        RecordVersion.record_id.in_(sa.select(RecordMark.record_id).where(RecordMark.id.in_(numbers))),
        RecordVersion.known_until.is_(None),
    )
    return {record_id: json.loads(data).get(AUTHORITY) for record_id, data in session.execute(query)}
