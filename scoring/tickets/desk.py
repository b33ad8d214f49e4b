"""Tickets in the store: opened, moved, evaluated, reminded of, listed.

Each move is decided by the statechart, to which the ticket's whole life is told again. A step, the ticket's
new state and the record of the department that it belongs to are kept together or not at all.

Steps stand in the order in which they came. The date that a step names is the day on which it comes, or, for
those who see all departments' tickets, an earlier one within :data:`BACK_DAYS`: nobody moves their own
clock.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.calendar import SHANGHAI, add_days
from rules.library.loader import load_vocabulary
from rules.titles import Title, TitledError, UnknownError
from rules.workdays import workdays_between
from scoring.facts.bodies import UnknownBodyError, body_called
from scoring.facts.ingest.keys import ENTERPRISES, KeyFormError, key_of, subject_key
from scoring.live.supervisor import Engine, shared_engine
from scoring.store import Store
from scoring.store.tickets import StepRow, TicketRow
from scoring.tickets.case import Case, Step, after, case_of, history, message, messages
from scoring.tickets.chart import (
    AT_WORK,
    CORRECT,
    EVALUATED,
    MAY_CORRECT,
    WAYS,
    Actor,
    moves,
    request_of,
)
from scoring.tickets.clock import DAYS
from scoring.tickets.feed import VOCABULARY, feed
from scoring.tickets.words import ACTORS, MOVES, column_of

BACK_DAYS = 30
"""How far back a regulator, or whoever has the command line, may date a step. A department may not at all."""


ONLINE = "online"
"""The source of a ticket that the enterprise opened itself."""

ANSWER_WITHIN = 15
"""Working days after which the office may evaluate for an enterprise that opened its ticket itself and is
silent: our own choice."""


class UnknownTicketError(UnknownError):
    """There is no ticket of that number."""


class MoveRefusedError(TitledError):
    """The move is not allowed now, or not to this actor; the message says what is."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket: what it is about, its state, and the steps that led there."""

    id: int
    number: str
    title: str
    source: str
    counterpart: str | None
    case: Case
    steps: tuple[Step, ...]

    @property
    def version(self) -> int:
        """Grows with everything that somebody does about it; the clock's reminders change nothing."""
        return sum(step.actor is not Actor.CLOCK for step in self.steps)


@dataclass(frozen=True, slots=True)
class Move:
    """What somebody asks for.

    :param request: one of :data:`scoring.tickets.chart.REQUESTS`, or ``correct``.
    :param by: who asks: a name, or the prefix of a key.
    :param on: the date on which it was done; by default the day on which it comes.
    :param owner, urgency: of an assignment: the body that has to solve it, and how fast.
    :param satisfied: of an evaluation.
    :param corrects: of a correction: the number of the step that it takes back.
    :param seen: the ticket's version that was seen; None where none was shown.
    :param at: when it comes; by default now.
    """

    request: str
    actor: Actor
    by: str
    on: dt.date | None = None
    note: str | None = None
    owner: str | None = None
    urgency: str | None = None
    satisfied: bool | None = None
    corrects: int | None = None
    seen: int | None = None
    at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """What a ticket is about.

    :param source: a code of the vocabulary's column ``source``.
    :param counterpart: the credit code of the enterprise that has it.
    """

    title: str
    source: str
    counterpart: str | None = None


def open_ticket(store: Store, about: Subject, move: Move, engine: Engine | None = None) -> Ticket:
    """Collect a ticket.

    :raises MoveRefusedError: where the actor may not, or what it says can't be.

    >>> import datetime as dt
    >>> from fixtures.small import small_store
    >>> from scoring.tickets.chart import Actor
    >>> noon = dt.datetime(2026, 8, 31, 4, tzinfo=dt.UTC)
    >>> by_desk = Move("open", Actor.DESK, "李专员", at=noon)
    >>> ticket = open_ticket(small_store(), Subject("门前路灯不亮", "hotline"), by_desk)
    >>> ticket.id, ticket.case.stage, len(ticket.steps)
    (1, 'collected', 1)
    """
    sources = load_vocabulary(VOCABULARY).records
    if sources is None or about.source not in sources.columns["source"].values:
        known = ", ".join(sources.columns["source"].values) if sources else ""
        en = f"no source is called {about.source}; there are {known}"
        raise MoveRefusedError(Title(f"没有名为{about.source}的来源;可用:{known}", en))
    counterpart = _counterpart(about)
    step = _decided(engine or shared_engine(), (), move)
    with store.writing() as session:
        row = TicketRow(
            title=about.title,
            source=about.source,
            counterpart=counterpart,
            **_state(after(Case(), step)),
        )
        session.add(row)
        session.flush()
        row.number = f"WT-{row.id:06}"
        session.add(_step_row(row.id, step))
        return _ticket(row, (step,))


def move_ticket(
    store: Store,
    ticket_id: int,
    move: Move,
    engine: Engine | None = None,
    body: str | None = None,
    enterprise: str | None = None,
) -> Ticket:
    """Do something about a ticket.

    :param body: only if the ticket is this body's; it dates nothing back.
    :param enterprise: only if this enterprise has it; likewise.
    :raises UnknownTicketError: where there is no such ticket, or it is another's.
    :raises MoveRefusedError: where it is not allowed now or to this actor, its date can't be, or others were
        faster.
    """
    before = show_ticket(store, ticket_id, body, enterprise)
    if move.seen not in (None, before.version):
        raise MoveRefusedError(_MOVED_SINCE)
    at = move.at or now()
    if move.actor is Actor.ENTERPRISE and enterprise is None and not may_answer_for(before, at):
        raise MoveRefusedError(_BY_ITSELF)
    if move.request == "assign":
        move = _assignment(store, move)
    back = BACK_DAYS if body is None and enterprise is None else 0
    step = _decided(engine or shared_engine(), before.steps, replace(move, at=at), back)
    try:
        with store.writing() as session:
            return _keep(session, before, step)
    except sa.exc.IntegrityError:
        raise MoveRefusedError(_MOVED_SINCE) from None


def tick(
    store: Store, at: dt.datetime | None = None, engine: Engine | None = None
) -> list[tuple[Ticket, Step]]:
    """Let the clock look at every ticket whose due date runs: it reminds, and escalates.

    :param at: the moment; by default now.
    """
    done = []
    with store.reading() as session:
        query = sa.select(TicketRow).where(TicketRow.stage.in_(AT_WORK)).order_by(TicketRow.id)
        waiting = [_ticket(row, ()) for row in session.scalars(query)]
    for kept in waiting:
        _put_right(store, kept)
        move = Move("tick", Actor.CLOCK, "clock", at=at)
        while True:
            try:
                ticket = move_ticket(store, kept.id, move, engine)
            except MoveRefusedError:
                break
            done.append((ticket, ticket.steps[-1]))
    return done


def _put_right(store: Store, kept: Ticket) -> None:
    """Have a ticket's state be what its steps say: it was kept otherwise while dates to come were taken."""
    if show_ticket(store, kept.id).case == kept.case:
        return
    with store.writing() as session:
        row = session.get_one(TicketRow, kept.id, with_for_update=not store.is_sqlite)
        _set_state(session, row, kept.case, _ticket(row, _steps(session, row.id)).case)


def show_ticket(
    store: Store, ticket_id: int, body: str | None = None, enterprise: str | None = None
) -> Ticket:
    """A ticket with its steps.

    :param body: only if it is this body's.
    :param enterprise: only if this enterprise has it; notes that offices wrote for one another are left out.
    :raises UnknownTicketError: where there is none, or it is another's.
    """
    with store.reading() as session:
        row = session.get(TicketRow, ticket_id)
        if row is None or body not in (None, row.owner) or enterprise not in (None, row.counterpart):
            raise UnknownTicketError(Title(f"没有问题{ticket_id}", f"there is no ticket {ticket_id}"))
        steps = _steps(session, ticket_id)
    return _ticket(row, steps if enterprise is None else tuple(map(_told, steps)))


def may_answer_for(ticket: Ticket, at: dt.datetime) -> bool:
    """Whether an office may evaluate in the enterprise's name: not what the enterprise opened itself, unless
    it has been silent for more than :data:`ANSWER_WITHIN` working days."""
    last = [step.day for step in ticket.steps if step.actor is not Actor.CLOCK][-1]
    is_silent = workdays_between(last, at.astimezone(SHANGHAI).date()) > ANSWER_WITHIN
    return ticket.steps[0].actor is not Actor.ENTERPRISE or is_silent


def list_tickets(
    store: Store,
    *,
    stage: str | None = None,
    owner: str | None = None,
    counterpart: str | None = None,
    overdue_on: dt.date | None = None,
    is_closed: bool | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[Ticket]:
    """Tickets without their steps, the newest first.

    :param counterpart: those that this enterprise has.
    :param overdue_on: those not closed whose due date is before this day.
    :param before: only tickets with a smaller id: the last of the page before.
    """
    query = sa.select(TicketRow)
    if stage is not None:
        query = query.where(TicketRow.stage == stage)
    if owner is not None:
        query = query.where(TicketRow.owner == subject_key(VOCABULARY, owner))
    if counterpart is not None:
        query = query.where(TicketRow.counterpart == subject_key(ENTERPRISES, counterpart))
    if overdue_on is not None:
        query = query.where(TicketRow.stage.in_(AT_WORK), TicketRow.due_on < overdue_on)
    if is_closed is not None:
        query = query.where(TicketRow.stage.in_([EVALUATED] if is_closed else _NOT_CLOSED))
    if before is not None:
        query = query.where(TicketRow.id < before)
    with store.reading() as session:
        return [_ticket(row, ()) for row in session.scalars(query.order_by(TicketRow.id.desc()).limit(limit))]


_MOVED_SINCE = Title(
    "查看之后他人已办理此问题,请重新查看后再办理",
    "since you saw it somebody else has moved it: look at it again",
)
_BY_ITSELF = Title(
    f"此问题由企业自行提出，由企业自行评价；{ANSWER_WITHIN}个工作日未答复的，方可代为评价",
    f"the enterprise opened this ticket and judges it itself; for it only after {ANSWER_WITHIN} working days "
    "of silence",
)
_NOT_CLOSED = tuple(stage for stage in WAYS if stage != EVALUATED)


def _told(step: Step) -> Step:
    """A step as the enterprise is told of it."""
    return step if step.actor in (Actor.DESK, Actor.ENTERPRISE) else replace(step, note=None)


# Deciding


def _counterpart(about: Subject) -> str | None:
    """The enterprise's key, as the store keeps it."""
    if about.counterpart is None:
        return None
    enterprises = load_vocabulary(ENTERPRISES).subject
    try:
        return key_of(enterprises.columns[enterprises.key], about.counterpart)
    except KeyFormError as error:
        raise MoveRefusedError(
            Title(
                f"企业{about.counterpart}的统一社会信用代码有误",
                f"the enterprise {about.counterpart}: {error}",
            )
        ) from None


def now() -> dt.datetime:
    """The moment at which a step comes that does not say so itself."""
    return dt.datetime.now(dt.UTC)


def _decided(engine: Engine, steps: Sequence[Step], move: Move, back: int = BACK_DAYS) -> Step:
    """The step that comes of a request: what the statechart makes of it, or a correction."""
    at = move.at or now()
    day = _dated(steps, move, at.astimezone(SHANGHAI).date(), back)
    step = Step(
        len(steps) + 1,
        CORRECT,
        move.actor,
        move.by,
        day,
        at,
        move.note,
        move.owner,
        move.urgency,
        move.corrects,
    )
    if move.request == CORRECT:
        _check_correction(engine, steps, step)
        return step
    case = case_of(steps)
    asked = message(case, move.request, move.actor, day, move.satisfied)
    *_, found = moves(engine, [*messages(steps), asked])
    if found is None:
        raise MoveRefusedError(_allowed(case.stage, move))
    return replace(step, move=found, corrects=None)


def _dated(steps: Sequence[Step], move: Move, today: dt.date, back: int) -> dt.date:
    """The date of a step.

    :param back: how many days before today it may be.
    """
    day = move.on or today
    last = steps[-1].day if steps else dt.date.min
    if day > today:
        raise MoveRefusedError(
            Title(
                f"{day}尚未到来:办理日期最迟为{today}",
                f"{day} is still to come: a step is dated when it was done, at the latest {today}",
            )
        )
    if day < add_days(today, -back):
        allowed = f"at most {back} days back" if back else f"on the day on which it comes, {today}"
        zh = f"最多可倒填{back}天" if back else f"只能填当日{today}"
        raise MoveRefusedError(
            Title(f"{day}过早:办理日期{zh}", f"{day} is too far back: a step is dated {allowed}")
        )
    if day < last and move.on is not None:
        raise MoveRefusedError(
            Title(f"{day}早于上一步的日期{last}", f"{day} is before its last step, {last}")
        )
    return max(day, last)


def _check_correction(engine: Engine, steps: Sequence[Step], step: Step) -> None:
    """A correction takes back a step that stands, without which what else was done could still be done."""
    if step.actor not in MAY_CORRECT:
        raise MoveRefusedError(
            Title(
                f"步骤由{_named(MAY_CORRECT)}更正,{ACTORS[step.actor].zh}不能更正",
                f"a step is corrected by {' or '.join(MAY_CORRECT)}, not by {step.actor}",
            )
        )
    standing = [kept.no for _, kept in history(steps) if kept.actor is not Actor.CLOCK][1:]
    taking = [kept.no for kept in steps if kept.move == CORRECT]
    if step.corrects not in (*standing, *taking):
        raise MoveRefusedError(
            Title(
                f"更正须写明所撤回步骤的序号,首步和自动步骤除外;{step.corrects}不可撤回。"
                f"可撤回:{'、'.join(map(str, standing)) or '无'}",
                f"a correction names the step that it takes back by its number, after the first and none of "
                f"the clock's; {step.corrects} is none. Those that stand: "
                f"{', '.join(map(str, standing)) or 'none'}",
            )
        )
    left = [kept for _, kept in history((*steps, step))]
    for kept, found in zip(left, moves(engine, messages((*steps, step))), strict=True):
        if found != kept.move:
            raise MoveRefusedError(
                Title(
                    f"撤回第{step.corrects}步后,第{kept.no}步({MOVES[kept.move].zh})不能成立,请先更正该步",
                    f"without step {step.corrects}, step {kept.no} ({kept.move}) could not have been: "
                    f"correct that first",
                )
            )


def _allowed(stage: str, move: Move) -> Title:
    ways = [way for way in WAYS[stage] if Actor.CLOCK not in way.actors]
    listed = "; ".join(dict.fromkeys(f"{request_of(w.move)} ({' or '.join(w.actors)})" for w in ways))
    named = ";".join(f"{MOVES[w.move].zh}({_named(w.actors)})" for w in ways)
    asked = MOVES[move.request].zh if move.request in MOVES else move.request
    return Title(
        f"目前处于{_stage_zh(stage)}阶段,{ACTORS[move.actor].zh}不能办理“{asked}”。可办理:{named or '无'}",
        f"{move.request} by {move.actor} is not allowed while it is {stage}. Allowed: {listed or 'nothing'}",
    )


def _stage_zh(stage: str) -> str:
    titles = column_of("stage").values
    return titles[stage].zh if stage in titles else stage


def _named(actors: Sequence[Actor]) -> str:
    return "或".join(ACTORS[actor].zh for actor in actors)


def _assignment(store: Store, move: Move) -> Move:
    """The assignment with its body by number."""
    if move.urgency is not None and move.urgency not in DAYS:
        known = ", ".join(DAYS)
        raise MoveRefusedError(
            Title(
                f"没有名为{move.urgency}的紧急程度;可用:{known}",
                f"no urgency is called {move.urgency}; there are {known}",
            )
        )
    try:
        return replace(move, owner=body_called(store, move.owner or "").subject_id)
    except UnknownBodyError as error:
        named = f"an assignment names a public body by its number or name; {move.owner} is none"
        raise MoveRefusedError(
            Title(f"交办须写明承办单位的编号或名称:{error.title.zh}", f"{named}: {error}")
        ) from None


# Keeping


def _keep(session: Session, before: Ticket, step: Step) -> Ticket:
    row = session.get_one(TicketRow, before.id)
    case = case_of((*before.steps, step))
    session.add(_step_row(before.id, step))
    session.flush()  # fails where another step has taken the number
    _set_state(session, row, before.case, case)
    return _ticket(row, (*before.steps, step))


def _set_state(session: Session, row: TicketRow, before: Case, case: Case) -> None:
    for name, value in _state(case).items():
        setattr(row, name, value)
    feed(session, row, before, case)


def _steps(session: Session, ticket_id: int) -> tuple[Step, ...]:
    query = sa.select(StepRow).where(StepRow.ticket_id == ticket_id).order_by(StepRow.no)
    return tuple(map(_step, session.scalars(query)))


def _state(case: Case) -> dict[str, Any]:
    return {field.name: getattr(case, field.name) for field in fields(Case)}


def _step_row(ticket_id: int, step: Step) -> StepRow:
    values = {field.name: getattr(step, field.name) for field in fields(Step)}
    return StepRow(ticket_id=ticket_id, **(values | {"actor": step.actor.value}))


def _step(row: StepRow) -> Step:
    values = {field.name: getattr(row, field.name) for field in fields(Step)}
    return Step(**(values | {"actor": Actor(row.actor)}))


def _ticket(row: TicketRow, steps: tuple[Step, ...]) -> Ticket:
    kept = Case(**{field.name: getattr(row, field.name) for field in fields(Case)})
    case = case_of(steps) if steps else kept
    return Ticket(row.id, row.number or "", row.title, row.source, row.counterpart, case, steps)
