"""Problems of enterprises: collected, assigned, coordinated, supervised, evaluated and closed."""

from __future__ import annotations

from typing import Any

from flask import url_for

from api.around import journal
from api.around.auth import caller
from api.around.context import store
from api.around.idempotency import PARAMETER
from api.around.naming import own_body
from api.http.openapi import Blueprint
from api.http.paging import page
from api.http.problems import fail
from api.resources.runs import NUMBER
from api.schemas.problems import (
    ProblemPage,
    ProblemRequest,
    ProblemsQuery,
    ProblemTicketSchema,
    StepRequest,
)
from rules.calendar import today
from scoring.live.events import records_arrived
from scoring.problems import desk
from scoring.problems.chart import Actor
from scoring.problems.desk import Move, MoveRefusedError, Subject, Ticket, UnknownProblemError
from scoring.problems.feed import VOCABULARY

blueprint = Blueprint("problems", __name__, url_prefix="/v1/problems", description="The closed loop")
Created = tuple[Ticket, int, dict[str, str]]


@blueprint.get("")
@blueprint.query(ProblemsQuery)
@blueprint.answers(200, ProblemPage)
def list_problems(query: dict[str, Any]) -> dict[str, Any]:
    """Problems, the newest first; a department sees its own alone."""
    wanted: dict[str, Any] = {"stage": query.get("stage"), "owner": own_body() or query.get("owner")}
    overdue = today() if query["overdue"] else None
    return page(
        lambda limit: desk.list_problems(
            store(), **wanted, overdue_on=overdue, before=query.get("cursor"), limit=limit
        ),
        query,
        lambda ticket: ticket.id,
    )


@blueprint.get(f"/{NUMBER}problem_id>")
@blueprint.answers(200, ProblemTicketSchema)
def get_problem(problem_id: int) -> Ticket:
    """A problem with everything that was done about it."""
    try:
        return desk.show_problem(store(), problem_id, own_body())
    except UnknownProblemError as error:
        fail("not-found", str(error))


@blueprint.post("")
@blueprint.body(ProblemRequest)
@blueprint.answers(201, ProblemTicketSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_problem(body: dict[str, Any]) -> Created:
    """Collect a problem."""
    about = Subject(body["title"], body["source"], body.get("counterpart"))
    try:
        ticket = desk.open_problem(
            store(), about, Move("open", Actor.DESK, caller().prefix, note=body.get("note"))
        )
    except MoveRefusedError as error:
        fail("invalid", str(error))
    return _created(ticket)


@blueprint.post(f"/{NUMBER}problem_id>/steps")
@blueprint.body(StepRequest)
@blueprint.answers(201, ProblemTicketSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_step(body: dict[str, Any], problem_id: int) -> Created:
    """Do something about a problem; 409 where its stage does not allow it. The owner's record follows."""
    body_id = own_body()
    actor = Actor.OWNER if body_id else Actor(body.get("actor") or Actor.OFFICE)
    move = Move(**(body | {"actor": actor, "by": caller().prefix}))
    try:
        ticket = desk.move_problem(store(), problem_id, move, body=body_id)
    except UnknownProblemError as error:
        fail("not-found", str(error))
    except MoveRefusedError as error:
        fail("conflict", str(error))
    journal.detail(move=ticket.steps[-1].move, owner=ticket.case.owner)
    records_arrived(store(), VOCABULARY, [ticket.number], wait=False)
    return _created(ticket)


def _created(ticket: Ticket) -> Created:
    return ticket, 201, {"Location": url_for("problems.get_problem", problem_id=ticket.id)}
