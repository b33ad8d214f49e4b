"""Applications for repair: how they stand, what was done about them, and how each office deals with them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from marshmallow import Schema, fields, validate

from api.http.fields import Text
from api.http.paging import NumberedPageQuery, page_of
from api.schemas.records import VocabularyQuery
from api.schemas.subjects import MarkSchema
from scoring.facts.repair_case import Stage
from scoring.facts.repair_desk import Application


class RepairsQuery(VocabularyQuery, NumberedPageQuery):
    """Which applications are wanted."""

    open = fields.Boolean(
        load_default=False, metadata={"description": "Only those about which an office has to do something"}
    )
    overdue = fields.Boolean(load_default=False, metadata={"description": "Only those that are late"})


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


class ApplicationSchema(Schema):
    """An application for repair with everything that was done about it."""

    id = fields.Integer(required=True)
    record_id = fields.String(required=True)
    subject_id = fields.String(required=True)
    authority = fields.String(required=True, allow_none=True)
    overdue = fields.Boolean(required=True)
    case = fields.Nested(RepairCaseSchema, required=True)
    marks = fields.List(fields.Nested(MarkSchema), required=True)


class ApplicationForm(Schema):
    """An application for repair, as the form of the page says it."""

    record = Text(required=True)
    vocabulary = Text(required=True)
    reason = Text(longest=2000, required=True)
    evidence = Text(required=True)
    commitment = Text(longest=2000, required=True)
    committed_on = fields.Date(required=True)


class RepairStepForm(Schema):
    """What is to be done about an application, as the form of the page says it."""

    request = fields.String(
        required=True, validate=validate.OneOf(["admit", "return", "repair", "refuse", "undo"])
    )
    reason = Text(longest=2000, required=True)
    evidence = Text(metadata={"description": "Number or address of a document that it rests on"})


class RepairFiguresQuery(VocabularyQuery):
    """Which applications are counted."""

    since = fields.Date(metadata={"description": "Only those filed on this day or later"})


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


def application_view(found: Application, on: dt.date) -> dict[str, Any]:
    """An application as it stands on a day."""
    shown = ("id", "record_id", "subject_id", "authority", "case", "marks")
    return {name: getattr(found, name) for name in shown} | {"overdue": found.case.is_overdue(on)}
