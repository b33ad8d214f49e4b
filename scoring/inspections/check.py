"""Proves a plan: each promise judged from the plan and the facts alone, not from how the plan was made.

The promises are those that :mod:`scoring.inspections.plan` lists; each function here holds some of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from scoring.inspections.plan import (
    NOBODY_FREE,
    PARTY,
    Inspector,
    Plan,
    Population,
    Reason,
    Refusal,
    Request,
    Visit,
    monthly_quota,
)


def faults(
    plan: Plan, people: Population, requests: Iterable[Request], inspectors: Iterable[Inspector]
) -> Iterator[str]:
    """Every promise that a plan breaks, as a sentence; none for a plan that keeps to all."""
    asked, pool = set(requests), {i.inspector_id: i for i in inspectors}
    yield from _visits(plan, people)
    yield from _requests(plan, asked)
    yield from _inspectors(plan, pool)
    yield from _draw(plan, people)
    yield from _refusals(plan, people, asked)
    yield from _first_served(plan, asked, pool)


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
        if visit.subject_id in people.visited:
            yield f"{visit.subject_id} has a visit of the month already"
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
    for visit in plan.visits:
        if len(set(visit.inspectors)) != PARTY or not set(visit.inspectors) <= set(inspectors):
            yield f"the visit of {visit.subject_id} has not {PARTY} inspectors of the pool"
            continue
        going = {inspectors[i].authority for i in visit.inspectors}
        if not going <= set(visit.authorities):
            yield f"the visit of {visit.subject_id} has an inspector of a department that does not go"
        if set(visit.authorities) != ({r.authority for r in visit.requests} or going):
            yield f"the visit of {visit.subject_id} has a department that did not ask for it"
    for inspector, visits in _load(plan.visits).items():
        if inspector in inspectors and visits > inspectors[inspector].monthly_visits:
            yield f"{inspector} has {visits} visits, more than {inspectors[inspector].monthly_visits}"


def _draw(plan: Plan, people: Population) -> Iterator[str]:
    """Of each tier its share is drawn, no more and, of those who may be visited, no less; few visits first.

    A drawn enterprise for which nobody is free is refused. Where departments asked for it as well, the plan
    does not say that it was drawn: then it may have been.
    """
    sizes = Counter(people.tiers.values())
    nobody = [refusal for refusal in plan.refusals if refusal.reason.startswith(NOBODY_FREE)]
    drawn = {v.subject_id for v in plan.visits if v.drawn} | {r.subject_id for r in nobody if not r.request}
    perhaps = {refusal.subject_id for refusal in nobody} - drawn
    for tier, rules in people.supervision.items():
        quota = monthly_quota(rules, sizes[tier], plan.month) if rules.unprompted_visits else 0
        members = {subject for subject, of in people.tiers.items() if of == tier}
        free = {subject for subject in members if _may_be_visited(people, subject)}
        if (many := len(drawn & members)) > quota:
            yield f"{many} of tier {tier} are drawn, more than the month's {quota}"
        if (most := len((drawn | perhaps) & members)) < min(quota, len(free)):
            yield f"{most} of tier {tier} are drawn, fewer than the month's {min(quota, len(free))}"
        spared = free - drawn - perhaps
        times = people.visits
        if any(times.get(d, 0) > times.get(s, 0) for d in drawn & members for s in spared):
            yield f"of tier {tier} somebody is drawn who has more visits this year than one who is not"


def _may_be_visited(people: Population, subject: str) -> bool:
    most = people.supervision[people.tiers[subject]].visits_per_year
    if subject in people.visited:
        return False
    return most is None or people.visits.get(subject, 0) < most


def _refusals(plan: Plan, people: Population, requests: set[Request]) -> Iterator[str]:
    """Nothing is refused that the caps allow, but for want of inspectors."""
    complaints = {request.subject_id for request in requests if request.reason is Reason.COMPLAINT}
    for refusal in plan.refusals:
        tier = people.tiers.get(refusal.subject_id)
        if refusal.reason.startswith(NOBODY_FREE) or tier is None:
            continue
        prompted = people.supervision[tier].unprompted_visits or refusal.subject_id in complaints
        if prompted and _may_be_visited(people, refusal.subject_id):
            yield f"{refusal.subject_id} is refused a visit that tier {tier} allows: {refusal.reason}"


def _first_served(plan: Plan, requests: set[Request], inspectors: dict[str, Inspector]) -> Iterator[str]:
    """Who is refused for want of inspectors would lack them too if only the more urgent were visited.

    Complaints come first, then other requests, then drawn visits.
    """
    asked: dict[str, list[Request]] = {}
    for request in requests:
        asked.setdefault(request.subject_id, []).append(request)
    for refusal in plan.refusals:
        if not refusal.reason.startswith(NOBODY_FREE):
            continue
        wanted = _wanted(refusal, asked)
        load = _load(visit for visit in plan.visits if _urgency(visit.requests) <= _urgency(wanted))
        theirs = {request.authority for request in wanted}
        free = [
            i.inspector_id
            for i in inspectors.values()
            if (not theirs or i.authority in theirs) and load[i.inspector_id] < i.monthly_visits
        ]
        if len(free) >= PARTY:
            some = ", ".join(sorted(free)[:PARTY])
            yield f"{refusal.subject_id} is refused a visit for which {some} are free"


def _wanted(refusal: Refusal, asked: dict[str, list[Request]]) -> list[Request]:
    """All that was asked of an enterprise: they would have been one visit."""
    return asked.get(refusal.subject_id, []) if refusal.request else []


def _urgency(requests: Iterable[Request]) -> int:
    reasons = {request.reason for request in requests}
    return 0 if Reason.COMPLAINT in reasons else 1 if reasons else 2


def _load(visits: Iterable[Visit]) -> Counter[str]:
    return Counter(inspector for visit in visits for inspector in visit.inspectors)
