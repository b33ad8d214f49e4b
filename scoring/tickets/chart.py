"""The statechart of a ticket: what may follow what, and who may do it.

The table below is the whole of it. durable_rules is given it as a statechart; where that gives no answer, the
table itself is walked.

The five stages are 问题收集、分类交办、协调会商、跟踪督办、评估销号. Who moves what, and when the clock
reminds and escalates, is our own choice.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from scoring.live.supervisor import Engine, NoAnswerError


class Actor(StrEnum):
    """Who moves a ticket."""

    DESK = "desk"
    OFFICE = "office"
    OWNER = "owner"
    SUPERVISOR = "supervisor"
    ENTERPRISE = "enterprise"
    CLOCK = "clock"


ACTORS = tuple(Actor)
NEW, COLLECTED, ASSIGNED, COORDINATED, SUPERVISED, EVALUATED = (
    "new", "collected", "assigned", "coordinated", "supervised", "evaluated",
)  # fmt: skip
AT_WORK = (ASSIGNED, COORDINATED, SUPERVISED)

REQUESTS = ("open", "assign", "return", "coordinate", "supervise", "evaluate", "tick")
"""What is asked for. What comes of it is the move: an evaluation closes or reopens, a tick reminds or
escalates."""

CORRECT = "correct"
"""Takes back a step by its number. It is no way of the chart: the state is as if that step had not been."""

MAY_CORRECT = (Actor.OFFICE,)

REQUEST_OF = {
    "close": "evaluate",
    "reopen": "evaluate",
    "remind": "tick",
    "escalate": "tick",
    "escalate_further": "tick",
}
"""Moves that are called otherwise than the request for them."""

Message = dict[str, int]
Check = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Way:
    """A way out of a stage.

    :param checks: what else must be so: field of the message, operator, number.
    """

    move: str
    to: str
    actors: tuple[Actor, ...]
    checks: tuple[Check, ...] = ()


def _clock(stage: str) -> tuple[Way, ...]:
    """Reminded on the last working day; escalated when overdue, and once more a working week later."""
    times = (
        ("remind", (("left", "<=", 1), ("reminded", "=", 0))),
        ("escalate", (("left", "<", 0), ("reminded", "=", 1), ("escalations", "=", 0))),
        ("escalate_further", (("left", "<", -5), ("escalations", "=", 1))),
    )
    return tuple(Way(move, stage, (Actor.CLOCK,), checks) for move, checks in times)


_DISSATISFIED = Way("reopen", ASSIGNED, (Actor.ENTERPRISE,), (("satisfied", "=", 0),))
WAYS: Mapping[str, tuple[Way, ...]] = {
    NEW: (Way("open", COLLECTED, (Actor.DESK, Actor.ENTERPRISE)),),
    COLLECTED: (Way("assign", ASSIGNED, (Actor.OFFICE,)),),
    ASSIGNED: (
        Way("return", COLLECTED, (Actor.OWNER,)),
        Way("coordinate", COORDINATED, (Actor.OWNER, Actor.OFFICE)),
        Way("supervise", SUPERVISED, (Actor.SUPERVISOR,)),
        *_clock(ASSIGNED),
    ),
    COORDINATED: (Way("supervise", SUPERVISED, (Actor.SUPERVISOR,)), *_clock(COORDINATED)),
    SUPERVISED: (
        Way("close", EVALUATED, (Actor.ENTERPRISE,), (("satisfied", "=", 1),)),
        _DISSATISFIED,
        *_clock(SUPERVISED),
    ),
    EVALUATED: (_DISSATISFIED,),
}


def request_of(move: str) -> str:
    """The request that leads to a move."""
    return REQUEST_OF.get(move, move)


def moves(engine: Engine, messages: Sequence[Message]) -> list[str | None]:
    """What each message of a ticket's life leads to; from the first that is not allowed on, None."""
    try:
        found: list[str | None] = engine.ask(
            "tickets", {"kind": "chart", "states": _states()}, list(messages)
        )
    except NoAnswerError:
        return walk(messages)
    return found


def walk(messages: Sequence[Message]) -> list[str | None]:
    """The same by the table."""
    found: list[str | None] = []
    stage = NEW
    for message in messages:
        way = walk_on(stage, message)
        if way is None:
            break
        found.append(way.move)
        stage = way.to
    return found + [None] * (len(messages) - len(found))


def walk_on(stage: str, message: Message) -> Way | None:
    """The way that a message opens out of a stage."""
    return next((way for way in WAYS[stage] if _is_open(way, message)), None)


def _states() -> dict[str, Any]:
    """The table as durable_rules is given it; a way that several may go is several ways there."""
    return {
        stage: {
            f"{way.move}.{actor}": {"to": way.to, "when": _when(way, actor), "move": way.move}
            for way in ways
            for actor in way.actors
        }
        for stage, ways in WAYS.items()
    }


def _when(way: Way, actor: Actor) -> list[dict[str, Any]]:
    checks = [_part(*check) for check in way.checks]
    return [{"request": REQUESTS.index(request_of(way.move))}, {"actor": ACTORS.index(actor)}, *checks]


_DURABLE = {"<": "$lt", "<=": "$lte"}
_OPERATORS: Mapping[str, Callable[[int, int], bool]] = {"=": operator.eq, "<": operator.lt, "<=": operator.le}


def _part(field: str, op: str, number: int) -> dict[str, Any]:
    return {field: number} if op == "=" else {_DURABLE[op]: {field: number}}


def _is_open(way: Way, message: Message) -> bool:
    return (
        message["request"] == REQUESTS.index(request_of(way.move))
        and ACTORS[message["actor"]] in way.actors
        and all(_OPERATORS[op](message[field], number) for field, op, number in way.checks)
    )
