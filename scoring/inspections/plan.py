"""A month's joint inspection plan (综合查一次、双随机、无事不扰), the same for the same seed and facts.

What the plan keeps to:

- An enterprise has at most one visit a month: a drawn inspection and the requests of all departments are one.
- No enterprise has more visits in a calendar year than its tier allows; plans of other months count, and so
  do visits that have a code. Who has one in the month has had the month's visit.
- A tier without unprompted visits is not drawn, and a request to check such an enterprise stands only where
  somebody complained.
- Of every other tier its yearly share is drawn, spread evenly over the twelve months, those with fewest
  visits this year first.
- Every visit has :data:`PARTY` inspectors, drawn from the departments that asked for it (all departments for
  a drawn visit); nobody has more visits in a month than their limit.
- Where inspectors do not suffice, complaints come first, then other requests, then drawn visits.
- Every request is answered, by a visit or by a refusal with its reason; nothing is refused that could be.

:mod:`scoring.inspections.check` proves each of them of every plan that is kept.

国办发〔2024〕54号 asks for yearly caps and published plans; shares and caps stand in the pack.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from rules.model import Supervision, Title
from scoring.facts.visit_results import PARTY as PARTY

NOBODY_FREE = "无人可派"
"""How the reason begins where inspectors do not suffice."""


class Reason(StrEnum):
    """Why a department wants to check an enterprise. The order is that in which inspectors are given out."""

    COMPLAINT = "complaint"
    DUE = "due"
    SPECIAL = "special"


@dataclass(frozen=True, slots=True)
class Request:
    """A department's wish to check an enterprise in the month.

    :param record_id: the record of the request.
    """

    record_id: str
    subject_id: str
    authority: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Inspector:
    """Somebody who may be drawn, and how many visits a month they can make."""

    inspector_id: str
    authority: str
    monthly_visits: int


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit of the plan.

    :param drawn: whether the random draw chose the enterprise.
    :param authorities: the departments that go together.
    """

    subject_id: str
    tier: str
    drawn: bool
    requests: tuple[Request, ...]
    authorities: tuple[str, ...]
    inspectors: tuple[str, ...]

    @property
    def complaint(self) -> bool:
        """Whether somebody complained of the enterprise."""
        return any(request.reason is Reason.COMPLAINT for request in self.requests)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the plan can't have, and why. Without a request it is a drawn visit that nobody is free for."""

    subject_id: str
    request: Request | None
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A month's visits and refusals, each in a fixed order."""

    month: dt.date
    seed: str
    visits: tuple[Visit, ...]
    refusals: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class Population:
    """Who can be visited.

    :param tiers: subject → tier.
    :param visits: subject → visits already planned in the year, or given a code; absent means none.
    :param supervision: what each tier allows.
    :param visited: those of whom a visit of the month has a code.
    """

    tiers: Mapping[str, str]
    visits: Mapping[str, int]
    supervision: Mapping[str, Supervision]
    visited: frozenset[str] = frozenset()


def plan_month(
    month: dt.date,
    seed: str,
    people: Population,
    requests: Iterable[Request],
    inspectors: Iterable[Inspector],
) -> Plan:
    """The plan of a month.

    :param month: its first day.
    :param seed: any text; whoever knows it can make the plan again.
    """
    wanted, refused = _judge(people, requests)
    drawn = set(_draw(month, seed, people))
    visits = [
        Visit(
            subject_id=subject,
            tier=people.tiers[subject],
            drawn=subject in drawn,
            requests=tuple(wanted.get(subject, ())),
            authorities=tuple(sorted({r.authority for r in wanted.get(subject, ())})),
            inspectors=(),
        )
        for subject in sorted(drawn | set(wanted))
    ]
    staffed, unstaffed = _staff(month, seed, visits, inspectors)
    return Plan(month, seed, tuple(staffed), (*refused, *unstaffed))


def _judge(people: Population, requests: Iterable[Request]) -> tuple[dict[str, list[Request]], list[Refusal]]:
    """The requests that stand, by enterprise, and those that don't."""
    by_subject: dict[str, list[Request]] = {}
    for request in sorted(requests, key=lambda r: (r.subject_id, r.authority, r.record_id)):
        by_subject.setdefault(request.subject_id, []).append(request)
    standing: dict[str, list[Request]] = {}
    refused: list[Refusal] = []
    for subject, asked in by_subject.items():
        why = _refusal(people, subject, asked)
        if why is None:
            standing[subject] = asked
        else:
            refused += [Refusal(subject, request, why.both) for request in asked]
    return standing, refused


def _refusal(people: Population, subject: str, asked: Sequence[Request]) -> Title | None:
    tier = people.tiers.get(subject)
    if tier is None:
        return Title("未评级", "the enterprise has no tier in the run")
    rules = people.supervision[tier]
    if not rules.unprompted_visits and all(r.reason is not Reason.COMPLAINT for r in asked):
        en = f"tier {tier} is visited only where somebody complained"
        return Title(f"无事不扰：等级{tier}的企业无投诉举报的不检查", en)
    if subject in people.visited:
        return Title("本月已有检查", "a visit of this month has its code already")
    if _spent(people, subject, rules):
        most = rules.visits_per_year
        en = f"tier {tier} allows {most} visits a year, all planned already"
        return Title(f"已达年度上限：等级{tier}每年至多检查{most}次，均已安排", en)
    return None


def _spent(people: Population, subject: str, rules: Supervision) -> bool:
    """Whether the month's visit, or the year's, are used up."""
    is_over = rules.visits_per_year is not None and people.visits.get(subject, 0) >= rules.visits_per_year
    return is_over or subject in people.visited


def _draw(month: dt.date, seed: str, people: Population) -> Iterable[str]:
    """Those whom the month's random draw chooses."""
    by_tier: dict[str, list[str]] = {}
    for subject, tier in people.tiers.items():
        by_tier.setdefault(tier, []).append(subject)
    for tier, subjects in sorted(by_tier.items()):
        rules = people.supervision[tier]
        quota = drawn_in(rules, len(subjects), month)
        free = (s for s in subjects if not _spent(people, s, rules))
        yield from sorted(free, key=lambda s: (people.visits.get(s, 0), _lot(seed, month, s)))[:quota]


def drawn_in(rules: Supervision, size: int, month: dt.date) -> int:
    """How many of a tier's subjects the month's plan draws where inspectors suffice and no cap is reached."""
    allowed = rules.unprompted_visits and rules.visits_per_year != 0
    return monthly_quota(rules, size, month) if allowed else 0


def monthly_quota(rules: Supervision, size: int, month: dt.date) -> int:
    """How many of a tier's subjects the month draws; the twelve months together draw ⌊share × size⌋."""
    numerator, denominator = rules.sample_share.as_integer_ratio()
    return numerator * size * month.month // (denominator * 12) - numerator * size * (month.month - 1) // (
        denominator * 12
    )


def _lot(seed: str, month: dt.date, subject: str) -> bytes:
    """The lot that a subject draws: nobody who lacks the seed can foretell it."""
    return hashlib.blake2b(f"{seed}\0{month:%Y-%m}\0{subject}".encode(), digest_size=16).digest()


def _staff(
    month: dt.date, seed: str, visits: Sequence[Visit], inspectors: Iterable[Inspector]
) -> tuple[list[Visit], list[Refusal]]:
    """Draws inspectors for the visits: complaints first, then requests, then drawn visits."""
    pool = _Pool(inspectors)
    staffed: list[Visit] = []
    refused: list[Refusal] = []
    order = sorted(visits, key=lambda v: (not v.complaint, not v.requests, _lot(seed, month, v.subject_id)))
    for visit in order:
        party = pool.draw(visit.authorities, random.Random(_lot(seed, month, visit.subject_id)))
        if party:
            authorities = visit.authorities or tuple(sorted({i.authority for i in party}))
            chosen = tuple(i.inspector_id for i in party)
            staffed.append(replace(visit, authorities=authorities, inspectors=chosen))
        else:
            whose = "、".join(visit.authorities)
            why = Title(
                f"{NOBODY_FREE}：{whose or '各部门'}可派的检查人员不足{PARTY}人",
                f"fewer than {PARTY} inspectors of {whose or 'any department'} are free",
            )
            refused += [Refusal(visit.subject_id, request, why.both) for request in visit.requests or (None,)]
    return sorted(staffed, key=lambda v: v.subject_id), sorted(refused, key=lambda r: r.subject_id)


class _Pool:
    """The inspectors who are still free, by department and all together."""

    def __init__(self, inspectors: Iterable[Inspector]) -> None:
        self.left: dict[str, int] = {}
        self.by_authority: dict[str, list[Inspector]] = {}
        self.everybody: list[Inspector] = []
        for inspector in sorted(inspectors, key=lambda i: i.inspector_id):
            self.left[inspector.inspector_id] = inspector.monthly_visits
            self.by_authority.setdefault(inspector.authority, []).append(inspector)
            self.everybody.append(inspector)

    def draw(self, authorities: Sequence[str], chance: random.Random) -> list[Inspector]:
        """A party of the departments, one of each while there are places; nobody where too few are free."""
        party: list[Inspector] = []
        for authority in chance.sample(authorities, len(authorities)):
            self._add(party, self.by_authority.get(authority, []), chance)
        asked = [i for authority in authorities for i in self.by_authority.get(authority, [])]
        asked = asked if authorities else self.everybody
        while len(party) < PARTY and self._add(party, asked, chance):
            pass
        if len(party) < PARTY:
            return []
        for inspector in party:
            self.left[inspector.inspector_id] -= 1
        return party

    def _add(self, party: list[Inspector], among: list[Inspector], chance: random.Random) -> bool:
        free = [i for i in among if self.left[i.inspector_id] > 0 and i not in party]
        if len(party) >= PARTY or not free:
            return False
        party.append(chance.choice(free))
        return True
