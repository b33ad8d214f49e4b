"""The inspections of a month: planned, given their codes, and some of them reported and rated."""

from __future__ import annotations

from rules.calendar import today
from scoring.access.keys import Role
from scoring.cli.demo.people import OFFICE, People
from scoring.facts.visit_results import Rating, Result, enter_rating, enter_result
from scoring.inspections.codes import issue_plan
from scoring.inspections.office import list_plans, make_plan
from scoring.inspections.visits import CodedVisit, State, Wanted, find_visit, list_visits
from scoring.live.events import records_arrived
from scoring.store import Store

_SEED = "样例-417"
_RESULTS: tuple[tuple[str, str | None, int | None], ...] = (
    ("passed", None, 5),
    ("rectify", "样例：进货台账不全", 4),
    ("passed", None, None),
    ("unreachable", None, None),
)
"""The outcome, what was found and the enterprise's rating, of the first visits of the office."""


def inspect(store: Store, pack_id: str, people: People) -> None:
    """Plan the present month where nothing is planned yet, and report some of its visits."""
    if not list_plans(store, pack_id, limit=1):
        make_plan(store, pack_id, today(), _SEED)
    (plan,) = list_plans(store, pack_id, limit=1)
    if plan.seed != _SEED or plan.month != today().replace(day=1):
        return
    issue_plan(store, plan.id, people[Role.REGULATOR].prefix, today())
    visits = list_visits(store, Wanted(plan.month, OFFICE), today())[::-1]
    for visit, (outcome, findings, rating) in zip(visits, _RESULTS, strict=False):
        if visit.state(today()) is State.ISSUED:
            _report(store, people, visit, Result(today(), outcome, findings), rating)


def _report(store: Store, people: People, visit: CodedVisit, result: Result, rating: int | None) -> None:
    office, regulator = people[Role.DEPARTMENT], people[Role.REGULATOR]
    enter_result(store, visit.code, result, office.prefix, today(), office.organisation)
    if rating is not None:
        enter_rating(store, visit.code, Rating(rating, "样例：企业书面评价"), regulator.prefix)
    made = find_visit(store, visit.code)
    if made.record_id is not None:
        records_arrived(store, made.vocabulary, [made.record_id])
