"""Inspection plans in the store: made from a run, the month's requests and the inspectors, and kept."""

from __future__ import annotations

import datetime as dt
import json
from calendar import monthrange
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.calendar import add_months, today
from rules.library.loader import load_vocabulary
from rules.model import Pack, Title
from rules.titles import TitledError, UnknownError
from scoring.facts.bodies import register
from scoring.facts.publicity import INTERNAL as REQUEST
from scoring.inspections.check import faults
from scoring.inspections.plan import Inspector, Plan, Population, Reason, Refusal, Request, Visit, plan_month
from scoring.runs.published import RunSummary, latest_run
from scoring.runs.said import said
from scoring.store import Store, bulk
from scoring.store.base import table_of
from scoring.store.batches import BATCH_ROWS
from scoring.store.documents import decode
from scoring.store.inspections import InspectionPlan, PlannedVisit, RefusedVisit
from scoring.store.models import RecordVersion, Run, SubjectVersion
from scoring.store.packs import stored_pack
from scoring.store.timelines import GradedSubject, Segment
from scoring.store.visits import VisitRow, counts, lock_visits

INSPECTORS = "inspector"
MONTHS_AHEAD = 12
"""How far ahead visits may be planned: what is planned counts against the year's cap."""

GONE = ("cancelled", "revoked")
_REQUEST_COLUMNS = {"kind", "level", "authority", "occurred_on"}


class PlanError(TitledError):
    """A plan that can't be made; the message says why, and what would help."""


class PlanStandsError(PlanError):
    """The month has another plan in force than the one that is to be replaced.

    :ivar plan_id: of the plan in force.
    """

    def __init__(self, title: Title, plan_id: int) -> None:
        super().__init__(title)
        self.plan_id = plan_id


class UnknownPlanError(UnknownError):
    """There is no inspection plan of that number."""


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """A plan that the store keeps, without its visits."""

    id: int
    pack_id: str
    month: dt.date
    seed: str
    run_id: int
    made_at: dt.datetime
    visits: int
    refusals: int


def make_plan(
    store: Store,
    pack_id: str,
    month: dt.date,
    seed: str,
    on: dt.date | None = None,
    instead_of: int | None = None,
) -> StoredPlan:
    """Plans the joint inspections of a month and keeps the plan.

    :param month: any day of it, which is not over, and at most :data:`MONTHS_AHEAD` from now.
    :param on: the day on which it is made; by default today.
    :param instead_of: the plan in force in that month, which it replaces; None where there is none.
    :raises PlanStandsError: where another is in force: nobody draws anew unseen until the lot suits.
    :raises PlanError: where the month is over or later, there is no run to take tiers from, the pack says
        nothing of supervision, there are no inspectors, or visits of the month's plan have their codes.
    """
    first = month.replace(day=1)
    on = on or today()
    if first < on.replace(day=1):
        en = f"the month {first:%Y-%m} is over, and no visit of it is still made; plan {on:%Y-%m} or later"
        raise PlanError(Title(f"{first:%Y-%m}已过,不再计划;请计划{on:%Y-%m}或以后的月份", en))
    if first > (latest := add_months(on, MONTHS_AHEAD)):
        en = f"{month} is too far ahead: plans rest on today's tiers and go up to {latest:%Y-%m}"
        raise PlanError(Title(f"{month}太远:计划依据今天的等级,最远到{latest:%Y-%m}", en))
    last = first.replace(day=monthrange(first.year, first.month)[1])
    run = latest_run(store, pack_id, last)
    if run is None:
        en = f"there is no run of {pack_id} to take tiers from; start one"
        title = Title(f"{pack_id}还没有评价结果可供取用等级;请先评价", en)
        raise PlanError(title, "xinheng score")
    pack = stored_pack(store, run.pack_hash)
    if not pack.supervision:
        en = f"{pack.id} {pack.version} does not say how its tiers are supervised"
        raise PlanError(Title(f"{pack.id} {pack.version}没有写明各等级如何监管", en))
    with store.reading() as session:
        people = _population(session, run, pack, first, on)
        requests = list(_requests(session, run, pack, first))
        inspectors = list(_inspectors(session, run))
    if not inspectors:
        command = f"xinheng ingest --vocabulary {INSPECTORS} FILE"
        en = f"the store has no inspectors on duty; take them in with: {command}"
        raise PlanError(Title(f"没有在岗的检查人员;请先导入:{command}", en))
    plan = plan_month(first, seed, people, requests, inspectors)
    broken = list(faults(plan, people, requests, inspectors))
    if broken:
        raise AssertionError(f"the plan breaks its promises: {'; '.join(broken[:3])}")
    return _keep(store, pack_id, run, plan, instead_of)


def list_plans(store: Store, pack_id: str, limit: int = 100) -> list[StoredPlan]:
    """The plans of a pack, the newest first."""
    query = sa.select(InspectionPlan).where(InspectionPlan.pack_id == pack_id)
    with store.reading() as session:
        return [
            _stored(row) for row in session.scalars(query.order_by(InspectionPlan.id.desc()).limit(limit))
        ]


def get_plan(store: Store, plan_id: int) -> StoredPlan:
    """The plan of that id.

    :raises UnknownPlanError: where there is none.
    """
    with store.reading() as session:
        row = session.get(InspectionPlan, plan_id)
        if row is None:
            raise unknown_plan(plan_id)
        return _stored(row)


def unknown_plan(plan_id: int) -> UnknownPlanError:
    """What to raise where a plan is not there."""
    return UnknownPlanError(Title(f"没有检查计划{plan_id}", f"the store has no inspection plan {plan_id}"))


def in_force(pack_id: str, month: dt.date) -> sa.Select[int]:
    """The number of the plan that is in force in a month, given by its first day: the last one made."""
    plan = InspectionPlan
    return sa.select(sa.func.max(plan.id)).where(plan.pack_id == pack_id, plan.month == month)


def plan_visits(
    store: Store, plan_id: int, after: str = "", limit: int | None = None
) -> list[dict[str, Any]]:
    """The visits of a plan by enterprise.

    Each has subject_id, name, tier, drawn, complaint, requests, authorities and inspectors.

    :param after: only enterprises with a greater id: the last of the page before.
    """
    vocabulary = sa.select(Run.vocabulary).join(InspectionPlan).where(InspectionPlan.id == plan_id)
    name = sa.select(SubjectVersion.data).where(
        SubjectVersion.vocabulary == vocabulary.scalar_subquery(),
        SubjectVersion.subject_id == PlannedVisit.subject_id,
        SubjectVersion.known_until.is_(None),
    )
    query = (
        sa.select(PlannedVisit, name.scalar_subquery())
        .where(PlannedVisit.plan_id == plan_id, PlannedVisit.subject_id > after)
        .order_by(PlannedVisit.subject_id)
        .limit(limit)
    )
    with store.reading() as session:
        return [
            {
                "subject_id": visit.subject_id,
                "name": json.loads(data or "{}").get("name"),
                "tier": visit.tier,
                "drawn": visit.drawn,
                "complaint": visit.complaint,
                **{key: json.loads(getattr(visit, key)) for key in ("requests", "authorities", "inspectors")},
            }
            for visit, data in session.execute(query)
        ]


@dataclass(frozen=True, slots=True)
class OwnVisit:
    """A visit to one enterprise, without its reason and its inspectors: what that enterprise is told of it.

    :param month: its first day.
    """

    month: dt.date
    authorities: tuple[str, ...]


def visits_to(store: Store, pack_id: str, subject_id: str, until: dt.date | None = None) -> list[OwnVisit]:
    """The visits to an enterprise by the plans in force that never had a code, the latest month first.

    Those that have one are facts (:func:`scoring.inspections.visits.list_visits`).

    :param until: only of months that are over on this day, for who must not learn of a visit before.
    """
    in_force = sa.select(sa.func.max(InspectionPlan.id)).where(InspectionPlan.pack_id == pack_id)
    if until is not None:
        in_force = in_force.where(InspectionPlan.month < until.replace(day=1))
    query = (
        _without_code(in_force.group_by(InspectionPlan.month), until or today())
        .with_only_columns(InspectionPlan.month, PlannedVisit.authorities)
        .where(PlannedVisit.subject_id == subject_id)
        .order_by(InspectionPlan.month.desc())
    )
    with store.reading() as session:
        return [OwnVisit(month, tuple(json.loads(bodies))) for month, bodies in session.execute(query)]


def plan_refusals(
    store: Store, plan_id: int, after: int | None = None, limit: int | None = None
) -> list[dict[str, Any]]:
    """What the plan could not have, in its order: no, subject_id, record_id, authority, reason.

    :param after: only those with a greater number: that of the last of the page before.
    """
    query = sa.select(RefusedVisit).where(RefusedVisit.plan_id == plan_id).order_by(RefusedVisit.no)
    if after is not None:
        query = query.where(RefusedVisit.no > after)
    with store.reading() as session:
        return [
            {key: getattr(row, key) for key in ("no", "subject_id", "record_id", "authority", "reason")}
            for row in session.scalars(query.limit(limit))
        ]


def _population(session: Session, run: RunSummary, pack: Pack, month: dt.date, on: dt.date) -> Population:
    subject = GradedSubject.subject_id
    graded = said(Segment, run.pack_id, run.id, run.as_of, subject, Segment.tier)
    tiers = session.execute(graded.where(subject.not_in(gone(run))).order_by(subject)).all()
    planned = (
        sa.select(sa.func.max(InspectionPlan.id))
        .where(
            InspectionPlan.pack_id == pack.id,
            InspectionPlan.month >= month.replace(month=1),
            InspectionPlan.month < add_months(month.replace(month=1), 12),
            InspectionPlan.month != month,
        )
        .group_by(InspectionPlan.month)
    )
    codes = _codes(session, month, on)
    visits = Counter({subject: sum(months.values()) for subject, months in codes.items()})
    visits.update(session.scalars(_without_code(planned, on)))
    return Population(
        tiers=dict(tiers),
        visits=dict(visits),
        supervision={s.tier: s for s in pack.supervision},
        visited=frozenset(subject for subject, months in codes.items() if month in months),
    )


def _codes(session: Session, month: dt.date, on: dt.date) -> dict[str, Counter[dt.date]]:
    """The visits of a month's year that have a code and count: by enterprise and month, whoever went."""
    year = month.replace(month=1)
    query = sa.select(VisitRow.subject_id, VisitRow.begins_on).where(
        VisitRow.begins_on >= year, VisitRow.begins_on < add_months(year, 12), counts(on)
    )
    found: dict[str, Counter[dt.date]] = defaultdict(Counter)
    for subject, begins_on in session.execute(query):
        found[subject][begins_on.replace(day=1)] += 1
    return found


def _without_code(planned: sa.Select[int], on: dt.date) -> sa.Select[str]:
    """The visits of plans that never had a code. Once a plan has codes, none is made without after its month.

    :param planned: the numbers of the plans.
    """
    own = sa.select(1).where(VisitRow.plan_id == PlannedVisit.plan_id)
    coded = own.where(VisitRow.subject_id == PlannedVisit.subject_id)
    may_be_made = sa.or_(InspectionPlan.month >= on.replace(day=1), ~own.correlate(PlannedVisit).exists())
    return (
        sa.select(PlannedVisit.subject_id)
        .join(InspectionPlan, InspectionPlan.id == PlannedVisit.plan_id)
        .where(PlannedVisit.plan_id.in_(planned), ~coded.correlate(PlannedVisit).exists(), may_be_made)
    )


def gone(run: RunSummary) -> Any:
    """Those who are no longer in business: there is nobody to visit."""
    written = (SubjectVersion.data.like(f'%"state":"{state}"%') for state in GONE)
    return sa.select(SubjectVersion.subject_id).where(
        SubjectVersion.vocabulary == run.vocabulary, SubjectVersion.known_until.is_(None), sa.or_(*written)
    )


def _requests(session: Session, run: RunSummary, pack: Pack, month: dt.date) -> Iterable[Request]:
    """The requests dated in the month, of what is known now."""
    records = pack.vocabulary.records
    if records is None or not records.columns.keys() >= _REQUEST_COLUMNS:
        return
    bodies = register(session)
    for row in session.scalars(_current(RecordVersion, run.vocabulary, f'%"kind":"{REQUEST}"%')):
        record = decode(row.data, records)
        if record["kind"] == REQUEST and record["occurred_on"].replace(day=1) == month:
            authority = bodies.title(record["authority"] or "")
            yield Request(row.record_id, row.subject_id, authority, _reason(record))


def _reason(record: Mapping[str, Any]) -> Reason:
    """What the level of a request's record says; anything else is a special check."""
    return Reason(record["level"]) if record["level"] in set(Reason) else Reason.SPECIAL


def _inspectors(session: Session, run: RunSummary) -> Iterable[Inspector]:
    table, bodies = load_vocabulary(INSPECTORS).subject, register(session)
    for row in session.scalars(_current(SubjectVersion, INSPECTORS)):
        person = decode(row.data, table)
        if person["state"] in (None, "active"):
            authority = bodies.title(person["authority"] or "")
            yield Inspector(row.subject_id, authority, person["monthly_visits"] or 0)


def _current(version: Any, vocabulary: str, like: str | None = None) -> Any:
    query = sa.select(version).where(version.vocabulary == vocabulary, version.known_until.is_(None))
    return query.where(version.data.like(like)) if like else query


def _keep(store: Store, pack_id: str, run: RunSummary, plan: Plan, instead_of: int | None) -> StoredPlan:
    with store.writing() as session:
        lock_visits(session)
        plans = sa.select(InspectionPlan.id).where(
            InspectionPlan.pack_id == pack_id, InspectionPlan.month == plan.month
        )
        coded = session.scalar(sa.select(VisitRow.plan_id).where(VisitRow.plan_id.in_(plans)).limit(1))
        if coded is not None:
            en = f"visits of plan {coded} have their codes: {plan.month:%Y-%m} is not planned anew"
            raise PlanError(Title(f"计划{coded}的检查码已发出,{plan.month:%Y-%m}不再重新计划", en))
        standing = session.scalar(in_force(pack_id, plan.month))
        if standing is not None and standing != instead_of:
            en = f"{plan.month:%Y-%m} has a plan, {standing}: to draw anew, say plan {standing} is replaced"
            zh = f"{plan.month:%Y-%m}已有计划{standing};如需重新抽取,须写明替换计划{standing}"
            raise PlanStandsError(Title(zh, en), standing)
        row = InspectionPlan(
            pack_id=pack_id,
            month=plan.month,
            seed=plan.seed,
            run_id=run.id,
            made_at=dt.datetime.now(dt.UTC),
            visits=len(plan.visits),
            refusals=len(plan.refusals),
        )
        session.add(row)
        session.flush()
        connection = session.connection()
        for model, rows in (
            (PlannedVisit, _visit_rows(row.id, plan.visits)),
            (RefusedVisit, _refusal_rows(row.id, plan.refusals)),
        ):
            if rows:
                bulk.append(connection, table_of(model), pa.Table.from_pylist(rows).to_batches(BATCH_ROWS))
    return _stored(row)


def _visit_rows(plan_id: int, visits: Iterable[Visit]) -> list[dict[str, Any]]:
    return [
        {
            "plan_id": plan_id,
            "subject_id": visit.subject_id,
            "tier": visit.tier,
            "drawn": visit.drawn,
            "complaint": visit.complaint,
            "requests": _json(request.record_id for request in visit.requests),
            "authorities": _json(visit.authorities),
            "inspectors": _json(visit.inspectors),
        }
        for visit in visits
    ]


def _refusal_rows(plan_id: int, refusals: Iterable[Refusal]) -> list[dict[str, Any]]:
    return [
        {
            "plan_id": plan_id,
            "no": number,
            "subject_id": refusal.subject_id,
            "record_id": refusal.request and refusal.request.record_id,
            "authority": refusal.request and refusal.request.authority,
            "reason": refusal.reason,
        }
        for number, refusal in enumerate(refusals, start=1)
    ]


def _json(values: Iterable[str]) -> str:
    return json.dumps(list(values), ensure_ascii=False)


def _stored(row: InspectionPlan) -> StoredPlan:
    return StoredPlan(**{name: getattr(row, name) for name in StoredPlan.__slots__})
