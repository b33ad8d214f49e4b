"""Tickets of enterprises, and what is done about them."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from api.http.fields import By, Day, Text, WholeNumber
from api.http.paging import NumberedPageQuery, page_of
from rules.library.loader import load_vocabulary
from scoring.facts.ingest.keys import LONGEST_KEY
from scoring.tickets.chart import CORRECT, REQUESTS, WAYS, Actor
from scoring.tickets.clock import DAYS
from scoring.tickets.desk import BACK_DAYS
from scoring.tickets.feed import VOCABULARY

_RECORDS = load_vocabulary(VOCABULARY).records
assert _RECORDS is not None, "public bodies have records"
SOURCES = tuple(_RECORDS.columns["source"].values)
STAGES = [stage for stage in WAYS if stage != "new"]
PEOPLE = [actor.value for actor in Actor if actor is not Actor.CLOCK]


class TicketsQuery(NumberedPageQuery):
    """Which tickets are wanted."""

    stage = fields.String(validate=validate.OneOf(STAGES))
    owner = Text(longest=LONGEST_KEY, metadata={"description": "The body that has to solve them, by number"})
    overdue = fields.Boolean(load_default=False)


class StepSchema(Schema):
    """Something that was done about a ticket."""

    no = fields.Integer(required=True)
    move = fields.String(required=True)
    actor = fields.String(required=True)
    by = By()
    on = fields.Date(required=True)
    at = fields.DateTime(required=True)
    note = fields.String(required=True, allow_none=True)
    owner = fields.String(required=True, allow_none=True)
    urgency = fields.String(required=True, allow_none=True)
    corrects = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "Of a correction: the step that it takes back"},
    )


class CaseSchema(Schema):
    """The state of a ticket."""

    stage = fields.String(required=True, validate=validate.OneOf(STAGES))
    owner = fields.String(required=True, allow_none=True)
    urgency = fields.String(required=True, allow_none=True)
    opened_on = fields.Date(required=True)
    due_on = fields.Date(required=True, allow_none=True)
    closed_on = fields.Date(required=True, allow_none=True)
    reopened = fields.Integer(required=True)
    satisfied = fields.Boolean(required=True, allow_none=True)
    escalations = fields.Integer(required=True)


class TicketSummarySchema(Schema):
    """A ticket without its steps."""

    id = fields.Integer(required=True)
    number = fields.String(
        required=True, metadata={"description": "Also the number of the department's record"}
    )
    title = fields.String(required=True)
    source = fields.String(required=True)
    counterpart = fields.String(required=True, allow_none=True)
    case = fields.Nested(CaseSchema, required=True)


class TicketSchema(TicketSummarySchema):
    """A ticket with everything that was done about it."""

    version = fields.Integer(
        required=True,
        metadata={
            "description": "Grows with every step that somebody takes; whoever takes one says which they saw"
        },
    )
    steps = fields.List(fields.Nested(StepSchema), required=True)


class TicketRequest(Schema):
    """A ticket that is collected."""

    title = Text(longest=500, required=True)
    source = fields.String(
        validate=validate.OneOf(list(SOURCES)),
        metadata={
            "description": "A code of the department vocabulary; an enterprise's own key leaves it out"
        },
    )
    counterpart = Text(longest=50, metadata={"description": "The enterprise's credit code"})
    note = Text(longest=2000)


class StepRequest(Schema):
    """What is to be done about a ticket."""

    request = fields.String(
        required=True,
        validate=validate.OneOf([*(r for r in REQUESTS if r not in ("open", "tick")), CORRECT]),
        metadata={"description": "correct takes back a step: the state is as if it had not been"},
    )
    version = WholeNumber(
        required=True,
        attribute="seen",
        metadata={"description": "The ticket's version that was seen; another is refused"},
    )
    actor = fields.String(
        validate=validate.OneOf(PEOPLE),
        metadata={
            "description": "In whose name a regulator acts; a department acts as the owner, an "
            "enterprise as itself"
        },
    )
    on = Day(
        metadata={
            "description": "When it was done; by default today in Asia/Shanghai. Never a day to come; a "
            f"regulator may name one up to {BACK_DAYS} days back, not before the step before it; "
            "a department or an enterprise none but today"
        }
    )
    note = Text(longest=2000)
    owner = Text(longest=LONGEST_KEY, metadata={"description": "Of an assignment: the body (number or name)"})
    urgency = fields.String(validate=validate.OneOf(list(DAYS)))
    satisfied = fields.Boolean(metadata={"description": "Of an evaluation"})
    corrects = WholeNumber(
        validate=validate.Range(1, 10**9),
        metadata={"description": "Of a correction, by the office alone: the number of the wrong step"},
    )


TicketPage = page_of(TicketSummarySchema, "TicketSummary")
