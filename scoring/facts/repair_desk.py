"""Applications for repair in the store: listed with their due dates, escalated, and counted by office."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import sqlalchemy as sa

from rules.titles import Title
from rules.workdays import workdays_between
from scoring.facts.desk import Desk, Filed, Marks
from scoring.facts.repair_case import COURSE, RepairCase, Stage
from scoring.store import Store

Application = Filed[RepairCase]
_OVER = ("return", "repair", "refusal")


def _is_undecided(filed: Marks, later: Marks) -> sa.ColumnElement[bool]:
    of_record = later.vocabulary == filed.vocabulary, later.record_id == filed.record_id
    over = sa.select(later.id).where(*of_record, later.id > filed.id, later.kind.in_(_OVER))
    return ~over.correlate(filed).exists()


DESK = Desk(Title("修复申请", "application for repair"), COURSE, _is_undecided)


@dataclass(frozen=True, slots=True)
class RepairFigures:
    """How applications for the repair of an office's records were dealt with.

    :param office: what it is called now; None of records that name none.
    :param repaired: those after which the record was repaired; of these, how many were undone since.
    :param median_days: working days from the application to the decision; None where none was decided.
    """

    office: str | None
    filed: int
    open: int
    overdue: int
    returned: int
    repaired: int
    refused: int
    undone: int
    median_days: float | None


def repair_figures(
    store: Store, vocabulary_id: str, on: dt.date, since: dt.date | None = None
) -> list[RepairFigures]:
    """By office, how many repairs were applied for and granted, and how long that took; the most first.

    :param on: the day on which they are open or overdue.
    :param since: only those applied for on this day or later.
    """
    by_office = DESK.by_office(store, vocabulary_id, since)
    counted = [_figures(office, found, on) for office, found in by_office.items()]
    return sorted(counted, key=lambda one: (-one.filed, one.office or ""))


def _figures(office: str | None, found: Sequence[RepairCase], on: dt.date) -> RepairFigures:
    days = [workdays_between(case.filed_on, case.decided_on) for case in found if case.decided_on is not None]
    stages = [case.stage for case in found]
    undone = stages.count(Stage.UNDONE)
    return RepairFigures(
        office,
        len(found),
        sum(case.is_open for case in found),
        sum(case.is_overdue(on) for case in found),
        stages.count(Stage.RETURNED),
        stages.count(Stage.REPAIRED) + undone,
        stages.count(Stage.REFUSED),
        undone,
        float(median(days)) if days else None,
    )
