"""A problem as its steps have made it: nothing about its state is known but by them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from scoring.problems.chart import (
    ACTORS,
    ASSIGNED,
    AT_WORK,
    COLLECTED,
    COORDINATED,
    EVALUATED,
    NEW,
    REQUESTS,
    SUPERVISED,
    Actor,
    Message,
    request_of,
)
from scoring.problems.clock import days_left, due_on


@dataclass(frozen=True, slots=True)
class Step:
    """Something that was done: see :class:`scoring.store.problems.ProblemStep`."""

    no: int
    move: str
    actor: Actor
    by: str
    on: dt.date
    at: dt.datetime
    note: str | None = None
    owner: str | None = None
    urgency: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """The state of a problem: see :class:`scoring.store.problems.Problem`.

    :param reminded: whether the clock has reminded of the present due date.
    :param escalations: how often it has been escalated since then.
    """

    stage: str = NEW
    owner: str | None = None
    urgency: str | None = None
    opened_on: dt.date | None = None
    due_on: dt.date | None = None
    closed_on: dt.date | None = None
    reopened: int = 0
    satisfied: bool | None = None
    reminded: bool = False
    escalations: int = 0

    @property
    def is_at_work(self) -> bool:
        """Whether a due date runs."""
        return self.stage in AT_WORK


def case_of(steps: Iterable[Step]) -> Case:
    """The state that the steps have led to."""
    case = Case()
    for step in steps:
        case = after(case, step)
    return case


def after(case: Case, step: Step) -> Case:
    """The state after one more step."""
    return _AFTER[step.move](case, step)


def message(case: Case, request: str, actor: Actor, on: dt.date, satisfied: bool | None = None) -> Message:
    """What the statechart is told of a request."""
    return {
        "request": REQUESTS.index(request),
        "actor": ACTORS.index(actor),
        "satisfied": int(bool(satisfied)),
        "left": days_left(on, case.due_on) if case.due_on else 0,
        "reminded": int(case.reminded),
        "escalations": case.escalations,
    }


def messages(steps: Iterable[Step]) -> list[Message]:
    """What the statechart was told in the problem's life."""
    told, case = [], Case()
    for step in steps:
        told.append(message(case, request_of(step.move), step.actor, step.on, step.move == "close"))
        case = after(case, step)
    return told


def _opened(case: Case, step: Step) -> Case:
    return replace(case, stage=COLLECTED, opened_on=step.on)


def _assigned(case: Case, step: Step) -> Case:
    urgency = step.urgency or "ordinary"
    return _started(replace(case, owner=step.owner, urgency=urgency), step.on)


def _returned(case: Case, step: Step) -> Case:
    return replace(case, stage=COLLECTED, owner=None, due_on=None)


def _closed(case: Case, step: Step) -> Case:
    return replace(case, stage=EVALUATED, satisfied=True, closed_on=step.on)


def _reopened(case: Case, step: Step) -> Case:
    again = replace(case, reopened=case.reopened + 1, satisfied=False, closed_on=None)
    return _started(again, step.on)


def _started(case: Case, on: dt.date) -> Case:
    """A new due date runs from that day on."""
    due = due_on(on, case.urgency or "ordinary")
    return replace(case, stage=ASSIGNED, due_on=due, reminded=False, escalations=0)


_AFTER: Mapping[str, Callable[[Case, Step], Case]] = {
    "open": _opened,
    "assign": _assigned,
    "return": _returned,
    "coordinate": lambda case, step: replace(case, stage=COORDINATED),
    "supervise": lambda case, step: replace(case, stage=SUPERVISED),
    "close": _closed,
    "reopen": _reopened,
    "remind": lambda case, step: replace(case, reminded=True),
    "escalate": lambda case, step: replace(case, escalations=1),
    "escalate_further": lambda case, step: replace(case, escalations=2),
}
