"""Codes of visits: none is made without one, and the caps hold where they are issued, across all offices.

A code is issued before the visit takes place, for days of one month. A visit of a plan gets one where its
enterprise has had fewer visits this year than its tier allows, and none this month. A visit outside a plan
states its ground, is not bound by the caps and counts against them (国办发〔2024〕54号, 个案检查). What
counts is what was made and what may still be: a code that was cancelled, or of which no result came in time,
does not.

How long a code holds and until when a result is entered is our own choice.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session
from stdnum.iso7064 import mod_11_10

from rules.calendar import add_days, add_months
from rules.model import Supervision
from rules.titles import Title
from rules.workdays import workdays_later
from scoring.answers.timelines import unknown_subject
from scoring.facts.bodies import register
from scoring.facts.ingest.keys import subject_key
from scoring.facts.visit_results import PARTY, UnknownVisitError, VisitRefusedError, refuse_closed, visit_row
from scoring.inspections.office import GONE, INSPECTORS, in_force, unknown_plan
from scoring.inspections.visits import (
    GROUNDS,
    OUTSIDE,
    PLANNED,
    CodedVisit,
    current_subjects,
    month_end,
    visit_of,
)
from scoring.runs.published import LAST_PUBLISHED
from scoring.runs.said import said
from scoring.store import Store
from scoring.store.inspections import InspectionPlan, PlannedVisit
from scoring.store.models import Run
from scoring.store.packs import stored_pack
from scoring.store.timelines import GradedSubject, Segment
from scoring.store.visits import VisitRow, counts, lock_visits

REPORT_WITHIN = 5
"""Working days after a code's last day in which its result is entered."""

DAYS_AHEAD = 31
"""How far ahead a visit outside a plan gets its code."""


@dataclass(frozen=True, slots=True)
class Days:
    """On which days a visit may take place, both included."""

    begins_on: dt.date
    ends_on: dt.date


@dataclass(frozen=True, slots=True)
class OutsideVisit:
    """A visit outside the plan that somebody wants a code for.

    :param ground: one of :data:`OUTSIDE`.
    :param why: what led to it, for the office; whoever verifies the code does not see it.
    """

    subject_id: str
    ground: str
    why: str
    authorities: tuple[str, ...]
    inspectors: tuple[str, ...]
    days: Days


@dataclass(frozen=True, slots=True)
class Issued:
    """The codes of a plan's visits.

    :param refused: enterprise → why it got none.
    """

    visits: tuple[CodedVisit, ...]
    refused: Mapping[str, Title]


def issue_plan(
    store: Store,
    plan_id: int,
    by: str,
    on: dt.date,
    days: Days | None = None,
    subject_id: str | None = None,
) -> Issued:
    """Give the visits of a plan their codes; those that have one are left as they are.

    :param on: the day of issue.
    :param days: by default what is left of the plan's month.
    :param subject_id: for this enterprise's visit alone.
    :raises UnknownPlanError: where there is no such plan, or no such visit in it.
    :raises VisitRefusedError: where the days are not of its month or past, or a later plan is in force.
    """
    with store.writing() as session:
        lock_visits(session)
        plan = session.get(InspectionPlan, plan_id)
        if plan is None:
            raise unknown_plan(plan_id)
        if session.scalar(in_force(plan.pack_id, plan.month)) != plan.id:
            en = f"plan {plan_id} is not in force: a later one of its month is"
            raise VisitRefusedError(Title(f"计划{plan_id}已被同月的新计划取代", en))
        month, end = f"{plan.month:%Y-%m}", month_end(plan.month)
        if end < on:
            en = f"the month of plan {plan_id}, {month}, is over"
            raise VisitRefusedError(Title(f"计划{plan_id}的月份{month}已过", en))
        when = days or Days(max(on, plan.month), end)
        _check_days(when, on)
        if when.begins_on.replace(day=1) != plan.month:
            raise VisitRefusedError(Title(f"计划{plan_id}只适用于{month}", f"plan {plan_id} is of {month}"))
        office = _Office(store, session, plan.pack_id, on)
        issued, refused = [], {}
        for planned in _without_code(session, plan_id, subject_id, on):
            try:
                issued.append(office.issue_planned(planned, when, by))
            except VisitRefusedError as error:
                refused[planned.subject_id] = error.title
        return Issued(tuple(map(visit_of, issued)), refused)


def issue_outside(
    store: Store, pack_id: str, wanted: OutsideVisit, by: str, on: dt.date, office: str | None = None
) -> CodedVisit:
    """Give a visit outside the plan its code. The caps do not bind it; that it exceeds one is noted.

    :param pack_id: by whose tiers the enterprise is supervised.
    :param on: the day of issue.
    :param office: only if this office goes alone, by whichever of its names.
    :raises VisitRefusedError: where the ground is none, the days are past or too far ahead, there is no such
        enterprise, or fewer than two inspectors on duty of the offices are named.
    """
    if wanted.ground not in OUTSIDE:
        grounds = "、".join(f"{ground} {GROUNDS[ground].zh}" for ground in OUTSIDE)
        en = f"{wanted.ground} is no ground of a visit outside the plan: {', '.join(OUTSIDE)}"
        raise VisitRefusedError(Title(f"计划外检查须有下列事由之一:{grounds}", en))
    with store.writing() as session:
        lock_visits(session)
        _check_days(wanted.days, on)
        if office is not None and not set(wanted.authorities) <= register(session).names(office):
            en = f"a code for {office} alone: for several offices a regulator issues it"
            raise VisitRefusedError(Title(f"只能为{office}申领;联合检查由监管部门申领", en))
        if wanted.days.begins_on > (latest := add_days(on, DAYS_AHEAD)):
            en = f"a visit outside the plan begins by {latest}: it is issued when it is needed"
            raise VisitRefusedError(Title(f"计划外检查应在{latest}前开始", en))
        return visit_of(_Office(store, session, pack_id, on).issue_outside(wanted, by))


@dataclass(frozen=True, slots=True)
class Frequency:
    """How often an enterprise is visited, by whichever office.

    :param month, year: the visits that count in a visit's month and year, itself among them while it counts.
    :param tier: the enterprise's now; None without one that is supervised.
    :param most: how many its tier allows a year; None: any number.
    """

    month: int
    year: int
    tier: str | None
    most: int | None


def frequency(store: Store, visit: CodedVisit, on: dt.date) -> Frequency | None:
    """What counts against the caps of a visit's enterprise; None where no run says its tier any more.

    :param on: the day on which visits count.
    """
    with store.reading() as session:
        try:
            office = _Office(store, session, visit.pack_id, on)
        except VisitRefusedError:
            return None
        return office.frequency(visit.subject_id, visit.begins_on)


def cancel_visit(
    store: Store, code: str, reason: str, by: str, on: dt.date, office: str | None = None
) -> None:
    """Note that a visit will not be made; its code is void, and it counts no longer.

    :param office: only if this office takes part in it.
    :raises UnknownVisitError: where there is no such visit.
    :raises VisitRefusedError: where it was made, cancelled or has lapsed.
    """
    with store.writing() as session:
        lock_visits(session)
        row = visit_row(session, code, office)
        refuse_closed(row, on)
        row.cancel_reason, row.cancelled_by = reason, by
        row.cancelled_at = dt.datetime.now(dt.UTC)


# Issuing


class _Office:
    """Issues codes within one transaction, by the pack of the run that says how things stand.

    :ivar on: the day of issue.
    """

    def __init__(self, store: Store, session: Session, pack_id: str, on: dt.date) -> None:
        query = sa.select(Run).where(Run.pack_id == pack_id, Run.as_of <= on)
        run = session.scalar(query.order_by(Run.as_of.desc(), *LAST_PUBLISHED).limit(1))
        if run is None:
            en = f"there is no run of {pack_id} to take tiers from; start one"
            title = Title(f"{pack_id}还没有评价结果可供取用等级;请先评价", en)
            raise VisitRefusedError(title, "xinheng score")
        self._session, self._run, self.on = session, run, on
        self._supervision = {s.tier: s for s in stored_pack(store, run.pack_hash).supervision}

    def issue_planned(self, planned: PlannedVisit, days: Days, by: str) -> VisitRow:
        """The code of a visit of a plan.

        :raises VisitRefusedError: where a cap, or how the tier is supervised now, forbids it.
        """
        tier = self._tier(planned.subject_id)
        rules = self._supervision.get(tier or "")
        if rules is None:
            en = f"{planned.subject_id} has no tier that is supervised now"
            raise VisitRefusedError(Title("企业目前没有适用的等级", en))
        if not rules.unprompted_visits and not planned.complaint:
            en = f"tier {tier} is visited only where somebody complained"
            raise VisitRefusedError(Title(f"无事不扰:{tier}级仅因投诉检查", en))
        if reached := self._caps(planned.subject_id, rules, days):
            raise VisitRefusedError(reached[0])
        return self._issue(
            planned.subject_id, PLANNED, days, by,
            plan_id=planned.plan_id, tier=tier, over_cap=False, why=None,
            authorities=planned.authorities, inspectors=planned.inspectors,
        )  # fmt: skip

    def issue_outside(self, wanted: OutsideVisit, by: str) -> VisitRow:
        """The code of a visit outside the plan.

        :raises VisitRefusedError: where the enterprise or its visitors are not known.
        """
        subject = subject_key(self._run.vocabulary, wanted.subject_id)
        self._check_subject(subject)
        bodies = register(self._session)
        authorities = tuple(dict.fromkeys(bodies.title(name) for name in wanted.authorities))
        party = tuple(dict.fromkeys(wanted.inspectors))
        self._check_party(party, authorities)
        tier = self._tier(subject)
        return self._issue(
            subject, wanted.ground, wanted.days, by,
            plan_id=None, tier=tier, why=wanted.why,
            over_cap=bool(self._caps(subject, self._supervision.get(tier or ""), wanted.days)),
            authorities=_json(authorities), inspectors=_json(party),
        )  # fmt: skip

    def _issue(self, subject_id: str, ground: str, days: Days, by: str, **more: object) -> VisitRow:
        row = VisitRow(
            code=self._new_code(),
            pack_id=self._run.pack_id,
            vocabulary=self._run.vocabulary,
            subject_id=subject_id,
            ground=ground,
            begins_on=days.begins_on,
            ends_on=days.ends_on,
            report_until=workdays_later(days.ends_on, REPORT_WITHIN),
            issued_by=by,
            issued_at=dt.datetime.now(dt.UTC),
            **more,
        )
        self._session.add(row)
        self._session.flush()
        return row

    def _new_code(self) -> str:
        """Eleven digits by chance, which nobody can guess, and a check digit that tells a mistyped one.

        The first is no 0, which spreadsheets drop.
        """
        while True:
            digits = str(10**10 + secrets.randbelow(9 * 10**10))
            code = digits + str(mod_11_10.calc_check_digit(digits))
            if self._session.scalar(sa.select(VisitRow.id).where(VisitRow.code == code)) is None:
                return code

    def _tier(self, subject_id: str) -> str | None:
        run = self._run
        query = said(Segment, run.pack_id, run.id, run.as_of, Segment.tier)
        tier: str | None = self._session.scalar(query.where(GradedSubject.subject_id == subject_id))
        return tier

    def _caps(self, subject_id: str, rules: Supervision | None, days: Days) -> list[Title]:
        """The caps that the enterprise has reached, whoever visited it."""
        counted, reached = self.frequency(subject_id, days.begins_on), []
        if number := counted.month:
            en = f"{subject_id} has {number} visit this month already; all offices go together, once a month"
            reached.append(Title(f"本月已有{number}次检查:综合查一次,每月最多一次", en))
        most = rules.visits_per_year if rules else None
        number = counted.year
        if rules is not None and most is not None and number >= most:
            en = f"tier {rules.tier} allows {most} visits a year; {subject_id} has {number}"
            reached.append(Title(f"已达年度上限:{rules.tier}级每年{most}次,今年已有{number}次", en))
        return reached

    def frequency(self, subject_id: str, day: dt.date) -> Frequency:
        """What counts against the caps of an enterprise in a day's month and year."""
        month, year = day.replace(day=1), day.replace(month=1, day=1)
        tier = self._tier(subject_id)
        rules = self._supervision.get(tier or "")
        return Frequency(
            self._number(subject_id, month, add_months(month, 1)),
            self._number(subject_id, year, add_months(year, 12)),
            rules.tier if rules else None,
            rules.visits_per_year if rules else None,
        )

    def _number(self, subject_id: str, first: dt.date, until: dt.date) -> int:
        """How many visits count that begin from one day to before another, by whichever pack."""
        query = sa.select(sa.func.count()).where(
            VisitRow.subject_id == subject_id,
            VisitRow.begins_on >= first,
            VisitRow.begins_on < until,
            counts(self.on),
        )
        return self._session.scalar(query) or 0

    def _check_subject(self, subject_id: str) -> None:
        row = self._session.execute(current_subjects(self._run.vocabulary, [subject_id])).one_or_none()
        if row is None:
            title = Title(f"没有企业{subject_id}", f"there is no enterprise {subject_id}")
            known = unknown_subject(self._session, self._run.vocabulary, subject_id, title)
            raise VisitRefusedError(known.title)
        if (state := json.loads(row.data).get("state")) in GONE:
            en = f"{subject_id} is no longer in business ({state})"
            raise VisitRefusedError(Title(f"企业{subject_id}已注销或吊销", en))

    def _check_party(self, party: Sequence[str], authorities: Sequence[str]) -> None:
        if len(party) < PARTY:
            en = f"at least {PARTY} inspectors go (行政处罚法 art. 42)"
            raise VisitRefusedError(Title(f"检查人员不得少于{PARTY}人(行政处罚法第四十二条)", en))
        bodies = register(self._session)
        rows = self._session.execute(current_subjects(INSPECTORS, party)).all()
        known = {key: json.loads(data) for key, data in rows}
        on_duty = {
            key: bodies.title(person.get("authority") or "")
            for key, person in known.items()
            if person.get("state") != "away"
        }
        for inspector in party:
            if inspector not in on_duty:
                en = f"{inspector} is no inspector on duty; those are taken in with: xinheng ingest"
                raise VisitRefusedError(Title(f"{inspector}不是在岗执法检查人员", en))
            if on_duty[inspector] not in authorities:
                en = f"{inspector} is of {on_duty[inspector]}, which does not go"
                raise VisitRefusedError(Title(f"{inspector}属于{on_duty[inspector]},不在检查单位之中", en))


def _check_days(days: Days, on: dt.date) -> None:
    """A code is for days of one month, none of them past."""
    if days.begins_on < on:
        en = f"{days.begins_on} is past: a code is issued before the visit takes place"
        raise VisitRefusedError(Title(f"{days.begins_on}已过:检查码须在检查前取得", en))
    if not days.begins_on <= days.ends_on <= month_end(days.begins_on):
        en = f"{days.begins_on} to {days.ends_on} are not days of one month, in their order"
        raise VisitRefusedError(Title(f"{days.begins_on}至{days.ends_on}须在同一月内,先后有序", en))


def _without_code(
    session: Session, plan_id: int, subject_id: str | None, on: dt.date
) -> Sequence[PlannedVisit]:
    """The visits of a plan that have no code that is in use."""
    query = sa.select(PlannedVisit).where(PlannedVisit.plan_id == plan_id)
    if subject_id is not None:
        query = query.where(PlannedVisit.subject_id == subject_id)
        if session.scalar(query) is None:
            en = f"plan {plan_id} has no visit of {subject_id}"
            raise UnknownVisitError(Title(f"计划{plan_id}中没有对{subject_id}的检查", en))
    coded = sa.select(1).where(
        VisitRow.plan_id == plan_id, VisitRow.subject_id == PlannedVisit.subject_id, counts(on)
    )
    query = query.where(~coded.correlate(PlannedVisit).exists())
    return session.scalars(query.order_by(PlannedVisit.subject_id)).all()


def _json(values: Iterable[str]) -> str:
    return json.dumps(list(values), ensure_ascii=False)
