"""A ticket as its steps have made it: nothing about its state is known but by them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from rules.calendar import SHANGHAI
from rules.workdays import workdays_between
from scoring.tickets.chart import (
    ACTORS,
    ASSIGNED,
    AT_WORK,
    COLLECTED,
    COORDINATED,
    CORRECT,
    EVALUATED,
    NEW,
    REQUESTS,
    SUPERVISED,
    Actor,
    Message,
    request_of,
    walk_on,
)
from scoring.tickets.clock import due_on


@dataclass(frozen=True, slots=True)
class Step:
    """Something that was done: see :class:`scoring.store.tickets.StepRow`.

    :param on: the date that it names.
    :param at: when it came.
    :param corrects: the number of the step that it takes back.
    """

    no: int
    move: str
    actor: Actor
    by: str
    on: dt.date
    at: dt.datetime
    note: str | None = None
    owner: str | None = None
    urgency: str | None = None
    corrects: int | None = None

    @property
    def day(self) -> dt.date:
        """The date from which it counts: nothing was done later than it came here."""
        return min(self.on, self.at.astimezone(SHANGHAI).date())


@dataclass(frozen=True, slots=True)
class Case:
    """The state of a ticket: see :class:`scoring.store.tickets.Ticket`.

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
    """The state that the steps have led to, in the order in which they came."""
    found = Case()
    for case, _ in history(steps):
        found = case
    return found


def history(steps: Iterable[Step]) -> Iterator[tuple[Case, Step]]:
    """Each step that stands, with the state that it led to.

    What the clock did does not stand where, after a correction, there was nothing to remind of.
    """
    case = Case()
    for step in _not_taken_back(steps):
        told = message(case, request_of(step.move), step.actor, step.day)
        if step.actor is Actor.CLOCK and walk_on(case.stage, told) is None:
            continue
        case = after(case, step)
        yield case, step


def _not_taken_back(steps: Iterable[Step]) -> list[Step]:
    """All but corrections and what they take back; a correction that is taken back itself takes nothing."""
    gone: set[int | None] = set()
    kept = []
    for step in reversed(list(steps)):
        if step.no in gone:
            continue
        if step.move == CORRECT:
            gone.add(step.corrects)
        else:
            kept.append(step)
    return kept[::-1]


def after(case: Case, step: Step) -> Case:
    """The state after one more step that is no correction."""
    return _AFTER[step.move](case, step)


def message(case: Case, request: str, actor: Actor, on: dt.date, satisfied: bool | None = None) -> Message:
    """What the statechart is told of a request."""
    return {
        "request": REQUESTS.index(request),
        "actor": ACTORS.index(actor),
        "satisfied": int(bool(satisfied)),
        "left": workdays_between(on, case.due_on) if case.due_on else 0,
        "reminded": int(case.reminded),
        "escalations": case.escalations,
    }


def messages(steps: Iterable[Step]) -> list[Message]:
    """What the statechart was told in the ticket's life."""
    told, before = [], Case()
    for case, step in history(steps):
        told.append(message(before, request_of(step.move), step.actor, step.day, step.move == "close"))
        before = case
    return told


def _opened(case: Case, step: Step) -> Case:
    return replace(case, stage=COLLECTED, opened_on=step.day)


def _assigned(case: Case, step: Step) -> Case:
    urgency = step.urgency or "ordinary"
    return _started(replace(case, owner=step.owner, urgency=urgency), step.day)


def _returned(case: Case, step: Step) -> Case:
    return replace(case, stage=COLLECTED, owner=None, due_on=None)


def _closed(case: Case, step: Step) -> Case:
    return replace(case, stage=EVALUATED, satisfied=True, closed_on=step.day)


def _reopened(case: Case, step: Step) -> Case:
    again = replace(case, reopened=case.reopened + 1, satisfied=False, closed_on=None)
    return _started(again, step.day)


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
