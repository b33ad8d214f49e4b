"""Problems in the store: opened, moved, evaluated, reminded of, listed.

Each move is decided by the statechart, to which the problem's whole life is told again. A step, the problem's
new state and the record of the department that it belongs to are kept together or not at all.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.calendar import today
from rules.loader import load_vocabulary
from scoring.live.supervisor import Engine, shared_engine
from scoring.problems.case import Case, Step, after, case_of, message, messages
from scoring.problems.chart import AT_WORK, EVALUATED, WAYS, Actor, moves, request_of
from scoring.problems.clock import DAYS
from scoring.problems.feed import VOCABULARY, feed
from scoring.store import Store
from scoring.store.documents import decode
from scoring.store.models import SubjectVersion
from scoring.store.problems import Problem, ProblemStep


class UnknownProblemError(LookupError):
    """There is no problem of that number."""


class MoveRefusedError(Exception):
    """The move is not allowed now, or not to this actor; the message says what is."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """A problem: what it is about, its state, and the steps that led there."""

    id: int
    number: str
    title: str
    source: str
    counterpart: str | None
    case: Case
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Move:
    """What somebody asks for.

    :param request: one of :data:`scoring.problems.chart.REQUESTS`.
    :param by: who asks: a name, or the prefix of a key.
    :param on: the date on which it was done; by default today.
    :param owner, urgency: of an assignment: the body that has to solve it, and how fast.
    :param satisfied: of an evaluation.
    """

    request: str
    actor: Actor
    by: str
    on: dt.date | None = None
    note: str | None = None
    owner: str | None = None
    urgency: str | None = None
    satisfied: bool | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """What a problem is about.

    :param source: a code of the vocabulary's column ``source``.
    :param counterpart: the credit code of the enterprise that has it.
    """

    title: str
    source: str
    counterpart: str | None = None


def open_problem(store: Store, about: Subject, move: Move, engine: Engine | None = None) -> Ticket:
    """Collect a problem.

    :raises MoveRefusedError: where the actor may not, or what it says can't be.
    """
    sources = load_vocabulary(VOCABULARY).records
    if sources is None or about.source not in sources.columns["source"].values:
        raise MoveRefusedError(f"no source is called {about.source}")
    step = _decided(engine or shared_engine(), (), move)
    with store.writing() as session:
        row = Problem(
            title=about.title,
            source=about.source,
            counterpart=about.counterpart,
            **_state(after(Case(), step)),
        )
        session.add(row)
        session.flush()
        row.number = f"WT-{row.id:06}"
        session.add(_step_row(row.id, step))
        return _ticket(row, (step,))


def move_problem(
    store: Store, problem_id: int, move: Move, engine: Engine | None = None, body: str | None = None
) -> Ticket:
    """Do something about a problem.

    :param body: only if the problem is this body's.
    :raises UnknownProblemError: where there is no such problem, or it is another body's.
    :raises MoveRefusedError: where it is not allowed now or to this actor, or others were faster.
    """
    before = show_problem(store, problem_id, body)
    if move.request == "assign":
        _check_assignment(store, move)
    step = _decided(engine or shared_engine(), before.steps, move)
    try:
        with store.writing() as session:
            return _keep(session, before, step)
    except sa.exc.IntegrityError:
        raise MoveRefusedError("somebody else moved it at this moment; look at it again") from None


def tick(store: Store, on: dt.date | None = None, engine: Engine | None = None) -> list[tuple[Ticket, Step]]:
    """Let the clock look at every problem whose due date runs: it reminds, and escalates.

    :param on: the day; by default today.
    """
    day = on or today()
    done = []
    with store.reading() as session:
        waiting = list(
            session.scalars(sa.select(Problem.id).where(Problem.stage.in_(AT_WORK)).order_by(Problem.id))
        )
    for problem_id in waiting:
        move = Move("tick", Actor.CLOCK, "clock", day)
        while True:
            try:
                ticket = move_problem(store, problem_id, move, engine)
            except MoveRefusedError:
                break
            done.append((ticket, ticket.steps[-1]))
    return done


def show_problem(store: Store, problem_id: int, body: str | None = None) -> Ticket:
    """A problem with its steps.

    :param body: only if it is this body's.
    :raises UnknownProblemError: where there is none, or it is another body's.
    """
    with store.reading() as session:
        row = session.get(Problem, problem_id)
        if row is None or (body is not None and row.owner != body):
            raise UnknownProblemError(f"there is no problem {problem_id}")
        query = sa.select(ProblemStep).where(ProblemStep.problem_id == problem_id).order_by(ProblemStep.no)
        return _ticket(row, tuple(map(_step, session.scalars(query))))


def list_problems(
    store: Store,
    *,
    stage: str | None = None,
    owner: str | None = None,
    overdue_on: dt.date | None = None,
    is_closed: bool | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[Ticket]:
    """Problems without their steps, the newest first.

    :param overdue_on: those not closed whose due date is before this day.
    :param before: only problems with a smaller id: the last of the page before.
    """
    query = sa.select(Problem)
    if stage is not None:
        query = query.where(Problem.stage == stage)
    if owner is not None:
        query = query.where(Problem.owner == owner)
    if overdue_on is not None:
        query = query.where(Problem.stage.in_(AT_WORK), Problem.due_on < overdue_on)
    if is_closed is not None:
        query = query.where((Problem.stage == EVALUATED) == sa.literal(is_closed))
    if before is not None:
        query = query.where(Problem.id < before)
    with store.reading() as session:
        return [_ticket(row, ()) for row in session.scalars(query.order_by(Problem.id.desc()).limit(limit))]


def body_called(store: Store, name: str) -> str | None:
    """The number of the public body of that name or number."""
    query = sa.select(SubjectVersion.subject_id, SubjectVersion.data).where(
        SubjectVersion.vocabulary == VOCABULARY, SubjectVersion.known_until.is_(None)
    )
    columns = load_vocabulary(VOCABULARY).subject
    with store.reading() as session:
        for subject_id, data in session.execute(query):
            if name in (subject_id, decode(data, columns).get("name")):
                return str(subject_id)
    return None


# Deciding


def _decided(engine: Engine, steps: Sequence[Step], move: Move) -> Step:
    """The step that the statechart makes of a request."""
    case, day = case_of(steps), move.on or today()
    if steps and day < steps[-1].on:
        raise MoveRefusedError(f"{day} is before its last step, {steps[-1].on}")
    asked = message(case, move.request, move.actor, day, move.satisfied)
    *_, found = moves(engine, [*messages(steps), asked])
    if found is None:
        raise MoveRefusedError(_allowed(case.stage, move))
    now = dt.datetime.now(dt.UTC)
    return Step(len(steps) + 1, found, move.actor, move.by, day, now, move.note, move.owner, move.urgency)


def _allowed(stage: str, move: Move) -> str:
    ways = [way for way in WAYS[stage] if Actor.CLOCK not in way.actors]
    listed = "; ".join(f"{request_of(w.move)} ({' or '.join(w.actors)})" for w in ways)
    return (
        f"{move.request} by {move.actor} is not allowed while it is {stage}. Allowed: {listed or 'nothing'}"
    )


def _check_assignment(store: Store, move: Move) -> None:
    if move.urgency is not None and move.urgency not in DAYS:
        raise MoveRefusedError(f"no urgency is called {move.urgency}; there are {', '.join(DAYS)}")
    with store.reading() as session:
        body = session.scalar(
            sa.select(SubjectVersion.id).where(
                SubjectVersion.vocabulary == VOCABULARY,
                SubjectVersion.subject_id == (move.owner or ""),
                SubjectVersion.known_until.is_(None),
            )
        )
    if body is None:
        raise MoveRefusedError(f"an assignment names a public body by its number; {move.owner} is none")


# Keeping


def _keep(session: Session, before: Ticket, step: Step) -> Ticket:
    row = session.get_one(Problem, before.id)
    case = after(before.case, step)
    session.add(_step_row(before.id, step))
    session.flush()  # fails where another step has taken the number
    for name, value in _state(case).items():
        setattr(row, name, value)
    feed(session, row, before.case, case)
    return _ticket(row, (*before.steps, step))


def _state(case: Case) -> dict[str, Any]:
    return {field.name: getattr(case, field.name) for field in fields(Case)}


def _step_row(problem_id: int, step: Step) -> ProblemStep:
    values = {field.name: getattr(step, field.name) for field in fields(Step)}
    return ProblemStep(problem_id=problem_id, **(values | {"actor": step.actor.value}))


def _step(row: ProblemStep) -> Step:
    values = {field.name: getattr(row, field.name) for field in fields(Step)}
    return Step(**(values | {"actor": Actor(row.actor)}))


def _ticket(row: Problem, steps: tuple[Step, ...]) -> Ticket:
    case = Case(**{field.name: getattr(row, field.name) for field in fields(Case)})
    return Ticket(row.id, row.number or "", row.title, row.source, row.counterpart, case, steps)
