"""Problems of enterprises: one overdue, one answered, one closed with satisfaction, two under way."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from scoring.access.keys import Role
from scoring.cli.demo.people import OFFICE, People
from scoring.store import Store
from scoring.tickets.chart import Actor
from scoring.tickets.desk import (
    ONLINE,
    Move,
    Subject,
    Ticket,
    list_tickets,
    move_ticket,
    now,
    open_ticket,
    show_ticket,
)

_KEYS = {Actor.ENTERPRISE: Role.SUBJECT, Actor.OWNER: Role.DEPARTMENT}
"""Whose keys they use; all others use the regulator's."""


@dataclass(frozen=True, slots=True)
class _Step:
    """What somebody does.

    :param days_ago: when it came.
    :param owner, urgency: of an assignment.
    """

    request: str
    actor: Actor
    days_ago: int
    note: str | None = None
    owner: str | None = None
    urgency: str | None = None


def _given(days_ago: int, urgency: str, owner: str = OFFICE) -> _Step:
    return _Step("assign", Actor.OFFICE, days_ago, None, owner, urgency)


_TICKETS: dict[str, tuple[_Step, ...]] = {
    "样例：连锁门店逐店办照，可否一次办理": (
        _Step("open", Actor.DESK, 34),
        _given(33, "urgent"),
    ),
    "样例：食品经营许可延续迟迟没有答复": (
        _Step("open", Actor.ENTERPRISE, 9),
        _given(8, "ordinary"),
        _Step("coordinate", Actor.OWNER, 5, "样例：材料已补正，许可证已寄出"),
        _Step("supervise", Actor.SUPERVISOR, 4, "样例：已电话核实"),
    ),
    "样例：同一事项多个科室重复检查": (
        _Step("open", Actor.DESK, 29),
        _given(28, "ordinary"),
        _Step("coordinate", Actor.OWNER, 20, "样例：已合并为一次联合检查"),
        _Step("supervise", Actor.SUPERVISOR, 19, "样例：回访属实"),
        _Step("evaluate", Actor.ENTERPRISE, 18, "样例：满意，感谢"),
    ),
    "样例：厂区门前路灯不亮": (
        _Step("open", Actor.DESK, 3),
        _given(2, "ordinary", "云衡区住房和城乡建设委员会"),
    ),
    "样例：用电增容排期过长": (_Step("open", Actor.DESK, 1),),
}


def hear_problems(store: Store, people: People, enterprise: str) -> None:
    """Have an enterprise's problems collected, given to offices, answered and judged."""
    kept = {ticket.title: ticket.id for ticket in list_tickets(store, counterpart=enterprise)}
    for title, steps in _TICKETS.items():
        ticket = show_ticket(store, kept[title]) if title in kept else None
        for step in steps[len(ticket.steps) if ticket else 0 :]:
            ticket = _taken(store, people, enterprise, title, ticket, step)


def _taken(
    store: Store, people: People, enterprise: str, title: str, ticket: Ticket | None, step: _Step
) -> Ticket:
    by = people[_KEYS.get(step.actor, Role.REGULATOR)].prefix
    move = Move(
        step.request,
        step.actor,
        by,
        note=step.note,
        owner=step.owner,
        urgency=step.urgency,
        satisfied=step.request == "evaluate" or None,
        at=now() - dt.timedelta(days=step.days_ago),
    )
    if ticket is None:
        source = ONLINE if step.actor is Actor.ENTERPRISE else "hotline"
        return open_ticket(store, Subject(title, source, enterprise), move)
    own = enterprise if step.actor is Actor.ENTERPRISE else None
    return move_ticket(store, ticket.id, move, enterprise=own)
