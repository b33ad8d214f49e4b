"""A month's joint inspections: what a plan promises, for any population, and that a broken one is seen."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.model import Supervision
from scoring.inspections.check import faults
from scoring.inspections.plan import (
    PARTY,
    Inspector,
    Plan,
    Population,
    Reason,
    Refusal,
    Request,
    Visit,
    monthly_quota,
    plan_month,
)

AUGUST = dt.date(2026, 8, 1)
OFFICES = ("market", "environment", "safety")


def tier(name: str, share: str, cap: int | None, unprompted: bool = True) -> Supervision:
    return Supervision(name, Decimal(share), cap, unprompted, "normal", 6, ())


SUPERVISION = {s.tier: s for s in (tier("A", "0.5", 1, False), tier("B", "0.6", 2), tier("D", "1", None))}


def people(tiers: dict[str, str], visits: dict[str, int] | None = None) -> Population:
    return Population(tiers, visits or {}, SUPERVISION)


def ask(number: int, subject: str, authority: str = "market", reason: Reason = Reason.DUE) -> Request:
    return Request(f"Q{number}", subject, authority, reason)


def inspectors(each: int = 20, visits: int = 50) -> list[Inspector]:
    return [Inspector(f"{office}-{n}", office, visits) for office in OFFICES for n in range(each)]


subjects = st.integers(0, 60).map("E{:03}".format)
populations = st.builds(
    people,
    st.dictionaries(subjects, st.sampled_from("ABD"), min_size=1, max_size=60),
    st.dictionaries(subjects, st.integers(0, 3)),
)
wishes = st.lists(st.tuples(subjects, st.sampled_from(OFFICES), st.sampled_from(list(Reason))), max_size=40)
pools = st.lists(st.tuples(st.sampled_from(OFFICES), st.integers(0, 4)), max_size=12)


@settings(max_examples=150, deadline=None)
@given(populations, wishes, pools, st.integers(1, 12), st.text(max_size=5))
def test_every_plan_keeps_every_promise(
    population: Population,
    wished: list[tuple[str, str, Reason]],
    pool: list[tuple[str, int]],
    month: int,
    seed: str,
) -> None:
    requests = [ask(n, *wish) for n, wish in enumerate(wished)]
    party = [Inspector(f"I{n}", office, visits) for n, (office, visits) in enumerate(pool)]
    plan = plan_month(dt.date(2026, month, 1), seed, population, requests, party)
    assert list(faults(plan, population, requests, party)) == []
    shuffled = plan_month(dt.date(2026, month, 1), seed, population, requests[::-1], party[::-1])
    assert shuffled == plan, "the order of requests and inspectors changes nothing"


def test_requests_of_several_departments_become_one_visit() -> None:
    requests = [ask(1, "E1", "market"), ask(2, "E1", "safety"), ask(3, "E1", "environment")]
    plan = plan_month(AUGUST, "s", people({"E1": "B"}, {"E1": 1}), requests, inspectors())
    [visit] = plan.visits
    assert visit.authorities == ("environment", "market", "safety")
    assert [r.record_id for r in visit.requests] == ["Q3", "Q1", "Q2"]
    assert len(visit.inspectors) == PARTY


def test_the_best_tier_is_left_alone_unless_somebody_complained() -> None:
    tiers = {f"E{n}": "A" for n in range(100)}
    due, complaint = ask(1, "E1"), ask(2, "E2", reason=Reason.COMPLAINT)
    plan = plan_month(AUGUST, "s", people(tiers), [due, complaint], inspectors())
    assert [visit.subject_id for visit in plan.visits] == ["E2"]
    [refusal] = plan.refusals
    assert (refusal.request, "无事不扰" in refusal.reason) == (due, True)


def test_no_enterprise_is_visited_beyond_its_yearly_cap() -> None:
    plan = plan_month(AUGUST, "s", people({"E1": "B"}, {"E1": 2}), [ask(1, "E1")], inspectors())
    assert plan.visits == ()
    assert "2 visits a year" in plan.refusals[0].reason


def test_a_request_nobody_is_free_for_is_listed() -> None:
    alone = [Inspector("I1", "market", 5)]
    plan = plan_month(AUGUST, "s", people({"E1": "B"}, {"E1": 1}), [ask(1, "E1")], alone)
    assert plan.visits == ()
    assert "fewer than 2 inspectors of market" in plan.refusals[0].reason


def test_the_twelve_months_draw_the_yearly_share() -> None:
    for size in (1, 7, 100, 1001):
        for rules in SUPERVISION.values():
            year = sum(monthly_quota(rules, size, dt.date(2026, m, 1)) for m in range(1, 13))
            assert year == int(rules.sample_share * size)


def test_another_seed_draws_others_and_the_same_seed_the_same() -> None:
    population = people({f"E{n}": "B" for n in range(400)})
    drawn = [
        {visit.subject_id for visit in plan_month(AUGUST, seed, population, [], inspectors()).visits}
        for seed in ("one", "one", "two")
    ]
    assert drawn[0] == drawn[1] != drawn[2]


def test_the_draw_favours_nobody() -> None:
    population = people({f"E{n}": "B" for n in range(20)})
    times = Counter(
        visit.subject_id
        for seed in range(1500)
        for visit in plan_month(AUGUST, str(seed), population, [], inspectors()).visits
    )
    expected = sum(times.values()) / 20
    assert all(abs(times[f"E{n}"] - expected) < 6 * expected**0.5 for n in range(20))


REQUESTS = [ask(1, "E1"), ask(2, "E2", "environment", Reason.COMPLAINT)]
FACTS = people({"E1": "B", "E2": "A", "E3": "B"}, {"E3": 2})
POOL = inspectors(each=2, visits=1)


def good_plan() -> Plan:
    plan = plan_month(AUGUST, "s", FACTS, REQUESTS, POOL)
    assert [visit.subject_id for visit in plan.visits] == ["E1", "E2"]
    return plan


def altered(plan: Plan, **changes: object) -> Plan:
    first, second = plan.visits
    return replace(plan, visits=(replace(first, **changes), second))  # type: ignore[arg-type]


def extra(subject: str, tier_of: str, drawn: bool = True) -> Visit:
    return Visit(subject, tier_of, drawn, (), ("safety",), ("safety-0", "safety-1"))


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (lambda p: replace(p, visits=(*p.visits, p.visits[0])), "has 2 visits in the month"),
        (lambda p: replace(p, visits=(*p.visits, extra("E3", "B"))), "3 visits in the year"),
        (lambda p: altered(p, tier="D"), "is not of tier D"),
        (
            lambda p: replace(p, visits=(p.visits[0], replace(p.visits[1], requests=()))),
            "though nobody complained",
        ),
        (lambda p: altered(p, requests=(), drawn=False), "neither drawn nor asked for"),
        (lambda p: replace(p, visits=p.visits[1:]), "request Q1 is answered 0 times"),
        (lambda p: altered(p, requests=(*p.visits[0].requests, ask(9, "E1"))), "request Q9 was never made"),
        (lambda p: altered(p, requests=(REQUESTS[1],)), "another enterprise or department"),
        (lambda p: altered(p, inspectors=("market-0",)), "has not 2 inspectors"),
        (lambda p: altered(p, inspectors=("market-0", "nobody")), "has not 2 inspectors"),
        (lambda p: altered(p, inspectors=("safety-0", "market-0")), "of a department that does not go"),
        (lambda p: altered(p, inspectors=p.visits[1].inspectors), "more than 1"),
        (lambda p: altered(p, drawn=True), "are drawn, more than the month's 0"),
        (lambda p: altered(p, authorities=("market", "safety")), "a department that did not ask for it"),
        (lambda p: refused(p, "已达年度上限 all planned already"), "is refused a visit that tier B allows"),
        (lambda p: refused(p, "无事不扰 nobody complained"), "is refused a visit that tier B allows"),
        (lambda p: refused(p, "无人可派 nobody is free"), "for which market-0, market-1 are free"),
    ],
)
def test_the_checker_sees_a_broken_promise(broken: object, said: str) -> None:
    plan = broken(good_plan())  # type: ignore[operator]
    assert any(said in fault for fault in faults(plan, FACTS, REQUESTS, POOL)), said


def refused(plan: Plan, reason: str) -> Plan:
    """The first visit refused instead."""
    first, *others = plan.visits
    refusals = tuple(Refusal(first.subject_id, request, reason) for request in first.requests)
    return replace(plan, visits=tuple(others), refusals=(*plan.refusals, *refusals))


CROWD = people({f"E{n:03}": "B" for n in range(60)}, {f"E{n:03}": 1 for n in range(1, 60, 2)})
"""Three are drawn a month; every other one has been visited this year, of the others nothing is said."""


def drawn_plan() -> Plan:
    plan = plan_month(AUGUST, "s", CROWD, [], inspectors())
    assert [CROWD.visits.get(visit.subject_id, 0) for visit in plan.visits] == [0, 0, 0]
    assert list(faults(plan, CROWD, [], inspectors())) == []
    return plan


def test_the_checker_sees_that_somebody_visited_before_was_not_spared() -> None:
    plan = drawn_plan()
    visited = replace(plan.visits[0], subject_id="E001")
    broken = replace(plan, visits=(visited, *plan.visits[1:]))
    assert any("has more visits this year" in fault for fault in faults(broken, CROWD, [], inspectors()))


def test_the_checker_sees_that_too_few_are_drawn() -> None:
    broken = replace(drawn_plan(), visits=drawn_plan().visits[1:])
    assert list(faults(broken, CROWD, [], inspectors())) == [
        "2 of tier B are drawn, fewer than the month's 3"
    ]


@pytest.mark.parametrize("later", [None, Reason.DUE])
def test_the_checker_sees_that_a_complaint_did_not_come_first(later: Reason | None) -> None:
    """Two inspectors for one visit: it went to somebody of whom nobody complained."""
    pool = inspectors(each=2, visits=1)[:2]
    population = people({"E1": "B", **{f"F{n}": "D" for n in range(12)}}, {"E1": 1})
    complaint = ask(1, "E1", reason=Reason.COMPLAINT)
    requests = [complaint] if later is None else [complaint, ask(2, "F1", reason=later)]
    plan = plan_month(AUGUST, "s", population, requests, pool)
    assert [visit.subject_id for visit in plan.visits] == ["E1"]
    assert list(faults(plan, population, requests, pool)) == []
    [staffed] = plan.visits
    other = next(r for r in plan.refusals if (r.request is None) == (later is None))
    visit = Visit(
        other.subject_id, "D", later is None, (other.request,) if other.request else (), ("market",),
        staffed.inspectors,
    )  # fmt: skip
    others = tuple(r for r in plan.refusals if r is not other)
    broken = replace(
        plan, visits=(visit,), refusals=(*others, Refusal("E1", complaint, "无人可派 nobody is free"))
    )
    said = list(faults(broken, population, requests, pool))
    assert said == ["E1 is refused a visit for which market-0, market-1 are free"]
