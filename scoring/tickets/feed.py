"""A ticket as a record of the body that has to solve it: the department pack grades by it."""

from __future__ import annotations

from sqlalchemy.orm import Session

from scoring.facts.one_record import put_record
from scoring.store.tickets import TicketRow
from scoring.tickets.case import Case
from scoring.tickets.chart import EVALUATED

VOCABULARY = "department"
KINDS = {"dinner_talk": "demand", "specialist": "specialist_problem"}
"""The kind of record by the ticket's source; of every other source it is a problem."""


def feed(session: Session, ticket: TicketRow, before: Case, case: Case) -> None:
    """Have the owner's record say how the ticket stands. What was returned is on nobody's record any more.

    :param before, case: the state before and after the step.
    """
    owner = case.owner or before.owner
    if owner is None:
        return
    status = "closed" if case.stage == EVALUATED else "under_way"
    data = {
        "record_id": ticket.number,
        "subject_id": owner,
        "kind": KINDS.get(ticket.source, "problem"),
        "title": ticket.title,
        "source": ticket.source,
        "counterpart": ticket.counterpart,
        "occurred_on": case.opened_on,
        "urgency": case.urgency,
        "stage": case.stage,
        "status": status if case.owner else "revoked",
        "due_on": case.due_on,
        "closed_on": case.closed_on,
        "reopened": case.reopened,
        "satisfied": case.satisfied,
    }
    put_record(session, VOCABULARY, str(ticket.number), owner, data, f"problem {ticket.number}")
