"""The inspections of a month: planned, given their codes, and some of them reported and rated."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from rules.calendar import today
from scoring.access.keys import Role
from scoring.cli.demo.people import OFFICE, People
from scoring.facts.visit_results import PARTY, Rating, Result, enter_rating, enter_result
from scoring.inspections.codes import Days, OutsideVisit, issue_outside, issue_plan
from scoring.inspections.office import INSPECTORS, list_plans, make_plan
from scoring.inspections.visits import CodedVisit, State, Wanted, find_visit, list_visits
from scoring.live.events import records_arrived
from scoring.store import Store
from scoring.store.models import SubjectVersion

_SEED = "样例-417"
_RESULTS: tuple[tuple[str, str | None, int | None], ...] = (
    ("passed", None, 5),
    ("rectify", "样例：进货台账不全", 4),
    ("passed", None, None),
    ("unreachable", None, None),
)
"""The outcome, what was found and the enterprise's rating, of the first visits of the office."""


def inspect(store: Store, pack_id: str, people: People) -> None:
    """Plan the present month where nothing is planned yet, report some of its visits, make another one."""
    if not list_plans(store, pack_id, limit=1):
        make_plan(store, pack_id, today(), _SEED)
    (plan,) = list_plans(store, pack_id, limit=1)
    if plan.seed == _SEED and plan.month == today().replace(day=1):
        issue_plan(store, plan.id, people[Role.REGULATOR].prefix, today())
        found = list_visits(store, Wanted(plan.month, OFFICE), today())[::-1]
        _report_some(store, people, [visit for visit in found if visit.plan_id == plan.id])
    _advise(store, pack_id, people)


def _report_some(store: Store, people: People, visits: Sequence[CodedVisit]) -> None:
    for visit, (outcome, findings, rating) in zip(visits, _RESULTS, strict=False):
        if visit.state(today()) is not State.ISSUED:
            continue
        _report(store, people, visit, Result(today(), outcome, findings))
        if rating is not None:
            by = people[Role.REGULATOR].prefix
            enter_rating(store, visit.code, Rating(rating, "样例：企业书面评价"), by)


def _advise(store: Store, pack_id: str, people: People) -> None:
    """Visit the enterprise for which one of the people speaks, who has asked for it and may rate it."""
    subject, office = str(people[Role.SUBJECT].organisation), people[Role.DEPARTMENT]
    if list_visits(store, Wanted(subject_id=subject), today(), 1):
        return
    why, days = "样例：企业申请上门指导", Days(today(), today())
    wanted = OutsideVisit(subject, "request", why, (OFFICE,), _party(store), days)
    visit = issue_outside(store, pack_id, wanted, office.prefix, today(), office.organisation)
    _report(store, people, visit, Result(today(), "passed"))


def _party(store: Store) -> tuple[str, ...]:
    """Inspectors of the office who are on duty, as many as go."""
    person = SubjectVersion
    on_duty = (person.data.like(f'%"authority":"{OFFICE}"%'), person.data.like('%"state":"active"%'))
    query = sa.select(person.subject_id).where(
        person.vocabulary == INSPECTORS, person.known_until.is_(None), *on_duty
    )
    with store.reading() as session:
        return tuple(session.scalars(query.order_by(person.subject_id).limit(PARTY)))


def _report(store: Store, people: People, visit: CodedVisit, result: Result) -> None:
    office = people[Role.DEPARTMENT]
    enter_result(store, visit.code, result, office.prefix, today(), office.organisation)
    made = find_visit(store, visit.code)
    if made.record_id is not None:
        records_arrived(store, made.vocabulary, [made.record_id])
