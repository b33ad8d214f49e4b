"""Tickets of enterprises: collected, assigned, coordinated, supervised, evaluated and closed."""

from __future__ import annotations

from typing import Any

from flask import url_for

from api.around import journal
from api.around.auth import caller, who
from api.around.context import store
from api.around.idempotency import PARAMETER
from api.around.naming import own_body, own_tickets, subject_of
from api.http.openapi import Blueprint
from api.http.paging import page
from api.http.problems import fail
from api.resources.runs import NUMBER
from api.schemas.tickets import (
    StepRequest,
    TicketPage,
    TicketRequest,
    TicketSchema,
    TicketsQuery,
)
from rules.calendar import today
from scoring.access.keys import Role
from scoring.facts.ingest.keys import ENTERPRISES
from scoring.live.events import records_arrived
from scoring.tickets import desk
from scoring.tickets.chart import Actor
from scoring.tickets.desk import Move, MoveRefusedError, Subject, Ticket
from scoring.tickets.feed import VOCABULARY

blueprint = Blueprint("tickets", __name__, url_prefix="/v1/tickets", description="The closed loop")
Created = tuple[Ticket, int, dict[str, str]]


@blueprint.get("")
@blueprint.query(TicketsQuery)
@blueprint.answers(200, TicketPage)
def list_tickets(query: dict[str, Any]) -> dict[str, Any]:
    """Tickets, the newest first; a department sees its own alone, and so does an enterprise."""
    wanted: dict[str, Any] = {
        "stage": query.get("stage"),
        "owner": own_body() or query.get("owner"),
        "counterpart": who().subject,
    }
    overdue = today() if query["overdue"] else None
    return page(
        lambda limit: desk.list_tickets(
            store(), **wanted, overdue_on=overdue, before=query.get("cursor"), limit=limit
        ),
        query,
        lambda ticket: ticket.id,
    )


@blueprint.get(f"/{NUMBER}ticket_id>")
@blueprint.answers(200, TicketSchema)
def get_ticket(ticket_id: int) -> Ticket:
    """A ticket with everything that was done about it.

    An enterprise does not read what offices noted for one another, nor who at an office did something.
    """
    return desk.show_ticket(store(), ticket_id, **own_tickets())


@blueprint.post("")
@blueprint.body(TicketRequest)
@blueprint.answers(201, TicketSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_ticket(body: dict[str, Any]) -> Created:
    """Collect a ticket; an enterprise opens its own."""
    try:
        ticket = desk.open_ticket(store(), *opening(body))
    except MoveRefusedError as error:
        fail("invalid", error.title)
    return _created(ticket)


@blueprint.post(f"/{NUMBER}ticket_id>/steps")
@blueprint.body(StepRequest)
@blueprint.answers(201, TicketSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_step(body: dict[str, Any], ticket_id: int) -> Created:
    """Do something about a ticket; 409 where its stage does not allow it. The owner's record follows.

    An enterprise evaluates its own. What it opened itself is evaluated for it only after its silence.
    """
    actor = acts_as(Actor(body.get("actor") or Actor.OFFICE))
    move = Move(**(body | {"actor": actor, "by": caller().prefix}))
    try:
        ticket = desk.move_ticket(store(), ticket_id, move, **own_tickets())
    except MoveRefusedError as error:
        fail("conflict", error.title)
    journal.detail(move=ticket.steps[-1].move, owner=ticket.case.owner)
    records_arrived(store(), VOCABULARY, [ticket.number], wait=False)
    return _created(ticket)


def opening(body: dict[str, Any]) -> tuple[Subject, Move]:
    """What a new ticket is about, and who collects it: the desk for everybody, an enterprise its own."""
    own = who().subject
    if own is None:
        about = Subject(body["title"], body.get("source", ""), body.get("counterpart"))
    else:
        about = Subject(body["title"], desk.ONLINE, subject_of(ENTERPRISES, body.get("counterpart", own)))
    actor = Actor.DESK if own is None else Actor.ENTERPRISE
    return about, Move("open", actor, caller().prefix, note=body.get("note"))


def acts_as(named: Actor) -> Actor:
    """In whose name the caller moves a ticket: a department and an enterprise in their own.

    :param named: what a regulator says.
    """
    return {Role.DEPARTMENT: Actor.OWNER, Role.SUBJECT: Actor.ENTERPRISE}.get(caller().role, named)


def _created(ticket: Ticket) -> Created:
    return ticket, 201, {"Location": url_for("tickets.get_ticket", ticket_id=ticket.id)}
