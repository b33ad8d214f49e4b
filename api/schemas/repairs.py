"""Applications for repair: how they stand, what was done about them, and how each office deals with them."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from api.http.fields import Day, Text
from api.http.paging import page_of
from api.schemas.cases import FiledSchema, StepForm
from api.schemas.records import VocabularyQuery
from scoring.facts.repair_case import Stage


class RepairCaseSchema(Schema):
    """The state of an application, as its marks say."""

    stage = fields.String(required=True, validate=validate.OneOf([stage.value for stage in Stage]))
    filed_on = fields.Date(required=True)
    due_on = fields.Date(
        required=True,
        allow_none=True,
        metadata={"description": "The last working day to admit or return it, then to decide it"},
    )
    decided_on = fields.Date(required=True, allow_none=True)
    escalations = fields.Integer(required=True)


class ApplicationSchema(FiledSchema):
    """An application for repair with everything that was done about it."""

    case = fields.Nested(RepairCaseSchema, required=True)


class ApplicationForm(Schema):
    """An application for repair, as the form of the page says it."""

    record = Text(required=True)
    vocabulary = Text(required=True)
    reason = Text(longest=2000, required=True)
    evidence = Text(required=True)
    commitment = Text(longest=2000, required=True)
    committed_on = fields.Date(required=True)


class RepairStepForm(StepForm):
    """What is to be done about an application, as the form of the page says it."""

    request = fields.String(
        required=True, validate=validate.OneOf(["admit", "return", "repair", "refuse", "undo"])
    )


class RepairFiguresQuery(VocabularyQuery):
    """Which applications are counted."""

    since = Day(metadata={"description": "Only those filed on this day or later"})


class OfficeRepairsSchema(Schema):
    """How applications for the repair of an office's records were dealt with."""

    office = fields.String(
        required=True, allow_none=True, metadata={"description": "null: records that name none"}
    )
    filed = fields.Integer(required=True)
    open = fields.Integer(required=True)
    overdue = fields.Integer(required=True)
    returned = fields.Integer(required=True)
    repaired = fields.Integer(required=True)
    refused = fields.Integer(required=True)
    undone = fields.Integer(
        required=True, metadata={"description": "Of those repaired: undone since, for a breach"}
    )
    median_days = fields.Float(
        required=True,
        allow_none=True,
        metadata={"description": "Working days from the application to the decision"},
    )


class RepairFiguresSchema(Schema):
    """How each office deals with applications for repair."""

    offices = fields.List(fields.Nested(OfficeRepairsSchema), required=True)


ApplicationPage = page_of(ApplicationSchema, "RepairApplication")
