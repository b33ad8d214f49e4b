"""Objections in the store: listed with their due dates, escalated, and counted by office.

What is done about one is a mark (:func:`scoring.facts.objections.mark_record`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import sqlalchemy as sa

from rules.model import Vocabulary
from rules.titles import Title
from rules.workdays import workdays_between
from scoring.facts.desk import Desk, Filed, Marks, Wanted
from scoring.facts.objection_case import COURSE, DISPUTED, Case
from scoring.store import Store

Objection = Filed[Case]


def _is_disputed(filed: Marks, later: Marks) -> sa.ColumnElement[bool]:
    last = (
        sa.select(later.status_after)
        .where(later.vocabulary == filed.vocabulary, later.record_id == filed.record_id)
        .order_by(later.id.desc())
        .limit(1)
        .correlate(filed)
        .scalar_subquery()
    )
    return last == DISPUTED


_DESK = Desk(Title("异议", "objection"), COURSE, _is_disputed)


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
) -> Sequence[Objection]:
    """Objections in the order in which they came: the longest waiting first.

    >>> import datetime as dt
    >>> from fixtures.small import small_store
    >>> from rules.library.loader import load_vocabulary
    >>> from scoring.facts.desk import Wanted
    >>> from scoring.facts.objections import MarkRequest, mark_record
    >>> filed = MarkRequest("objection", "disputed", dt.date(2026, 9, 24), "已向法院起诉", (), "李专员")
    >>> store = small_store()
    >>> mark = mark_record(store, load_vocabulary("tourism"), "LY-2", filed)
    >>> [found] = list_objections(store, "tourism", Wanted(is_open=True))
    >>> found.record_id, str(found.case.stage), found.case.due_on.isoformat()
    ('LY-2', 'filed', '2026-09-30')
    """
    return _DESK.list(store, vocabulary_id, wanted, limit)


def show_objection(
    store: Store, objection_id: int, subject_id: str | None = None, authority: str | None = None
) -> Objection:
    """An objection.

    :param subject_id: only if it is about this subject's record.
    :param authority: only if it is about this authority's record.
    :raises UnknownCaseError: where there is none, or it is another's.
    """
    return _DESK.show(store, objection_id, subject_id, authority)


def figures(store: Store, vocabulary_id: str, on: dt.date, since: dt.date | None = None) -> list[Figures]:
    """By office, how many objections were made and upheld, and how long they took; the most first.

    :param on: the day on which they are open or overdue.
    :param since: only those made on this day or later.
    """
    by_office = _DESK.by_office(store, vocabulary_id, since)
    counted = [_figures(office, of_office, on) for office, of_office in by_office.items()]
    return sorted(counted, key=lambda one: (-one.filed, one.office or ""))


def tick(store: Store, vocabulary: Vocabulary, on: dt.date) -> Sequence[Objection]:
    """Let the clock look at what is overdue: it escalates once, and once more a working week later.

    :return: what it escalated.
    """
    return _DESK.tick(store, vocabulary, on)


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
