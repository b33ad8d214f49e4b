"""The closed loop of tickets: how they stand, what was done, and what may be done now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from api.around import journal
from api.around.auth import caller, is_regulator
from api.around.context import settings, store
from api.around.naming import OwnTickets, own_body, own_tickets
from api.http.problems import fail
from api.pages import language
from api.pages.blueprint import blueprint, page
from api.pages.forms import FormError, filled_in, number
from api.resources.runs import NUMBER
from api.resources.tickets import acts_as, opening
from api.schemas.tickets import STAGES, StepRequest, TicketRequest
from rules.calendar import today
from rules.model import Column, Title
from scoring.access.keys import owners_of
from scoring.answers.departments import PACK as DEPARTMENTS
from scoring.answers.search import list_subjects, names_of
from scoring.facts.ingest.keys import ENTERPRISES
from scoring.live.events import records_arrived
from scoring.runs.published import current_run
from scoring.tickets import desk
from scoring.tickets.case import Case, history
from scoring.tickets.chart import CORRECT, MAY_CORRECT, WAYS, Actor, request_of
from scoring.tickets.desk import Move, MoveRefusedError, Ticket
from scoring.tickets.feed import VOCABULARY
from scoring.tickets.words import ACTORS, MOVES, column_of

ROWS = 100
MOST_BODIES = 500
ACTS_AS: Mapping[str, Actor] = {
    "assign": Actor.OFFICE,
    "coordinate": Actor.OFFICE,
    "supervise": Actor.SUPERVISOR,
    "evaluate": Actor.ENTERPRISE,
    CORRECT: Actor.OFFICE,
}
"""In whose name a regulator makes each request; departments and enterprises act for themselves."""


@dataclass(frozen=True, slots=True)
class Tab:
    """A part of the list.

    :param number: how many are in it, counted up to one more than :data:`ROWS`.
    """

    title: Title
    query: dict[str, str]
    number: int


@dataclass(frozen=True, slots=True)
class Station:
    """A stage on the track.

    :param on: when it was reached; None where the ticket has not been there on its present way.
    :param place: ``past``, ``present`` or ``ahead`` (also of a stage that was left out).
    """

    title: Title
    on: dt.date | None
    place: str


@blueprint.get("/tickets")
def tickets() -> Response:
    """Tickets by stage, the newest first; a department and an enterprise see their own alone."""
    return _board(200)


@blueprint.post("/tickets")
def open_ticket() -> Response:
    """Collect a ticket."""
    try:
        ticket = desk.open_ticket(store(), *opening(filled_in(TicketRequest)))
    except FormError as error:
        return _board(422, refused=error.messages)
    except MoveRefusedError as error:
        return _board(422, refused=[error.title])
    return redirect(url_for("pages.ticket", ticket_id=ticket.id), 303)


@blueprint.get(f"/tickets/{NUMBER}ticket_id>")
def ticket(ticket_id: int) -> Response:
    """A ticket: its track, its steps and the moves that are open."""
    return _ticket(ticket_id, 200)


@blueprint.post(f"/tickets/{NUMBER}ticket_id>/steps")
def move_ticket(ticket_id: int) -> Response:
    """Do something about a ticket. The owner's record follows."""
    try:
        ticket = desk.move_ticket(store(), ticket_id, _wanted(), **own_tickets())
    except FormError as error:
        return _ticket(ticket_id, 422, error.messages)
    except MoveRefusedError as error:
        return _ticket(ticket_id, 409, [error.title])
    journal.detail(move=ticket.steps[-1].move, owner=ticket.case.owner)
    records_arrived(store(), VOCABULARY, [ticket.number], wait=False)
    own = own_body()
    if own is not None and ticket.case.owner != own:  # what was returned is its own no more
        return redirect(url_for("pages.tickets"), 303)
    return redirect(url_for("pages.ticket", ticket_id=ticket_id), 303)


# The list


def _board(status: int, refused: Sequence[Title] | None = None) -> Response:
    stage, is_late = stage_called(request.args.get("stage")), "overdue" in request.args
    late = today() if is_late else None
    own = own_tickets()
    found = desk.list_tickets(
        store(),
        stage=stage,
        owner=own["body"],
        counterpart=own["enterprise"],
        overdue_on=late,
        before=number("before"),
        limit=ROWS + 1,
    )
    query = _query(stage, is_late)
    return page(
        "tickets",
        status,
        tickets=found[:ROWS],
        before=found[ROWS - 1].id if len(found) > ROWS else None,
        query=query,
        tabs=_tabs(own),
        most=ROWS,
        refused=refused or [],
        **_words({ticket.case.owner for ticket in found}),
    )


def stage_called(name: str | None) -> str | None:
    """The stage of that name, or 400; None for none."""
    if name and name not in STAGES:
        en = f"no stage is called {name}; there are {', '.join(STAGES)}"
        fail("bad-request", Title(f"没有名为{name}的阶段;可用:{'、'.join(STAGES)}", en))
    return name or None


def _query(stage: str | None, is_late: bool) -> dict[str, str]:
    wanted = {"stage": stage or "", "overdue": "yes" if is_late else ""}
    return {name: value for name, value in wanted.items() if value}


def _tabs(own: OwnTickets) -> list[Tab]:
    """All, each stage, and those overdue.

    :param own: whose alone.
    """

    def tab(title: Title, stage: str | None = None, is_late: bool = False) -> Tab:
        late = today() if is_late else None
        found = desk.list_tickets(
            store(),
            stage=stage,
            owner=own["body"],
            counterpart=own["enterprise"],
            overdue_on=late,
            limit=ROWS + 1,
        )
        return Tab(title, _query(stage, is_late), len(found))

    stages = column_of("stage").values
    return [
        tab(Title("全部", "All")),
        *(tab(stages[stage], stage) for stage in STAGES),
        tab(Title("逾期", "Overdue"), is_late=True),
    ]


# One ticket


def _ticket(ticket_id: int, status: int, refused: Sequence[Title] | None = None) -> Response:
    ticket = desk.show_ticket(store(), ticket_id, **own_tickets())
    counterpart = ticket.counterpart
    return page(
        "ticket",
        status,
        ticket=ticket,
        track=_track(ticket),
        open_moves=_open_moves(ticket),
        moves=MOVES,
        actors=ACTORS,
        bodies=_bodies() if is_regulator() else [],
        holders=owners_of(store(), (step.by for step in ticket.steps)),
        given=request.form,
        refused=refused or [],
        enterprise=names_of(store(), ENTERPRISES, [counterpart] if counterpart else []).get(
            counterpart or ""
        ),
        pack_id=settings().pack,
        **_words({ticket.case.owner, *(step.owner for step in ticket.steps)}),
    )


def _track(ticket: Ticket) -> list[Station]:
    """The five stages, with the dates on which the ticket came there on its present way."""
    before = Case()
    reached: dict[str, dt.date] = {}
    for case, step in history(ticket.steps):
        if case.stage != before.stage:
            earlier = STAGES[: STAGES.index(case.stage)]
            reached = {stage: on for stage, on in reached.items() if stage in earlier}
            reached[case.stage] = step.day
        before = case
    return [
        Station(title, reached.get(stage), _place(stage, reached, ticket.case))
        for stage, title in column_of("stage").values.items()
    ]


def _place(stage: str, reached: Mapping[str, dt.date], case: Case) -> str:
    if stage == case.stage:
        return "present"
    return "past" if stage in reached else "ahead"


def _open_moves(ticket: Ticket) -> dict[str, list[str]]:
    """The requests that are open to the visitor now, each with the moves that may come of it."""
    actors = {acts_as(actor) for actor in ACTS_AS.values()}
    if is_regulator() and not desk.may_answer_for(ticket, desk.now()):
        actors -= {Actor.ENTERPRISE}
    found: dict[str, list[str]] = {}
    for way in WAYS[ticket.case.stage]:
        if actors & set(way.actors):
            found.setdefault(request_of(way.move), []).append(way.move)
    if actors & set(MAY_CORRECT) and len(ticket.steps) > 1:
        found[CORRECT] = [CORRECT]
    return found


def _wanted() -> Move:
    """The move that the form asks for."""
    body = filled_in(StepRequest)
    if body["request"] == "evaluate" and "satisfied" not in body:
        raise FormError(
            [
                Title(
                    "评价须写明企业是否满意",
                    "satisfied: an evaluation says whether the enterprise is satisfied",
                )
            ]
        )
    actor = acts_as(ACTS_AS.get(body["request"], Actor.OFFICE))
    return Move(**(body | {"actor": actor, "by": caller().prefix}))


def _bodies() -> list[tuple[str, str]]:
    """Number and name of the bodies that were graded last, for the form to offer."""
    run = current_run(store(), DEPARTMENTS)
    rows = list_subjects(store(), run, limit=MOST_BODIES) if run else []
    return sorted((row.subject_id, row.name or row.subject_id) for row in rows)


# Both


def _words(owners: set[str | None]) -> dict[str, Any]:
    """What bodies and codes are called."""
    return {
        "owners": names_of(store(), VOCABULARY, [owner for owner in owners if owner]),
        "stage_column": column_of("stage"),
        "source_column": column_of("source"),
        "urgency_column": column_of("urgency"),
        "today": today(),
    }


def stage_column() -> Column:
    """What the stages are called."""
    return column_of("stage")


def word(column: str, code: str) -> str:
    """What a code of a ticket is called."""
    title = column_of(column).values.get(code)
    return language.plain(title.zh, title.en) if title else code
