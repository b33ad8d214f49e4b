"""Proves a plan: each promise judged from the plan and the facts alone, not from how the plan was made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from scoring.inspections.plan import PARTY, Inspector, Plan, Population, Request, monthly_quota


def faults(
    plan: Plan, people: Population, requests: Iterable[Request], inspectors: Iterable[Inspector]
) -> Iterator[str]:
    """Every promise that a plan breaks, as a sentence; none for a plan that keeps to all."""
    yield from _visits(plan, people)
    yield from _requests(plan, set(requests))
    yield from _inspectors(plan, {i.inspector_id: i for i in inspectors})
    yield from _quotas(plan, people)


def _visits(plan: Plan, people: Population) -> Iterator[str]:
    times = Counter(visit.subject_id for visit in plan.visits)
    for subject, count in times.items():
        if count > 1:
            yield f"{subject} has {count} visits in the month"
    for visit in plan.visits:
        rules = people.supervision[visit.tier]
        if people.tiers.get(visit.subject_id) != visit.tier:
            yield f"{visit.subject_id} is not of tier {visit.tier}"
        total = people.visits.get(visit.subject_id, 0) + 1
        if rules.visits_per_year is not None and total > rules.visits_per_year:
            yield f"{visit.subject_id} has {total} visits in the year, more than {rules.visits_per_year}"
        if not rules.unprompted_visits and not visit.complaint:
            yield f"{visit.subject_id} of tier {visit.tier} is visited though nobody complained"
        if not visit.drawn and not visit.requests:
            yield f"{visit.subject_id} was neither drawn nor asked for"


def _requests(plan: Plan, requests: set[Request]) -> Iterator[str]:
    """Each request is answered once: by a visit of its enterprise, or by a refusal."""
    answered = Counter(r for visit in plan.visits for r in visit.requests)
    answered.update(refusal.request for refusal in plan.refusals if refusal.request)
    for request in requests:
        if answered[request] != 1:
            yield f"request {request.record_id} is answered {answered[request]} times"
    for request in answered:
        if request not in requests:
            yield f"request {request.record_id} was never made"
    for visit in plan.visits:
        if any(r.subject_id != visit.subject_id for r in visit.requests) or any(
            r.authority not in visit.authorities for r in visit.requests
        ):
            yield f"the visit of {visit.subject_id} answers a request for another enterprise or department"


def _inspectors(plan: Plan, inspectors: dict[str, Inspector]) -> Iterator[str]:
    load: Counter[str] = Counter()
    for visit in plan.visits:
        load.update(visit.inspectors)
        if len(set(visit.inspectors)) != PARTY or not set(visit.inspectors) <= set(inspectors):
            yield f"the visit of {visit.subject_id} has not {PARTY} inspectors of the pool"
        elif any(inspectors[i].authority not in visit.authorities for i in visit.inspectors):
            yield f"the visit of {visit.subject_id} has an inspector of a department that does not go"
    for inspector, visits in load.items():
        if inspector in inspectors and visits > inspectors[inspector].monthly_visits:
            yield f"{inspector} has {visits} visits, more than {inspectors[inspector].monthly_visits}"


def _quotas(plan: Plan, people: Population) -> Iterator[str]:
    """No tier is drawn beyond its share."""
    sizes = Counter(people.tiers.values())
    drawn = Counter(visit.tier for visit in plan.visits if visit.drawn)
    for tier, rules in people.supervision.items():
        quota = monthly_quota(rules, sizes[tier], plan.month) if rules.unprompted_visits else 0
        if drawn[tier] > quota:
            yield f"{drawn[tier]} of tier {tier} are drawn, more than the month's {quota}"
