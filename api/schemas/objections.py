"""Objections: how they stand, what was done about them, and how each office deals with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from marshmallow import Schema, fields, validate

from api.http.fields import Day, Points, Text
from api.http.paging import page_of
from api.schemas.cases import FiledSchema, StepForm
from api.schemas.records import VocabularyQuery
from scoring.answers.either_way import EitherWay
from scoring.facts.ingest.keys import LONGEST_KEY
from scoring.facts.objection_case import OUTCOMES, Stage


class ObjectionCaseSchema(Schema):
    """The state of an objection, as its marks say."""

    stage = fields.String(required=True, validate=validate.OneOf([stage.value for stage in Stage]))
    filed_on = fields.Date(required=True)
    due_on = fields.Date(
        required=True,
        allow_none=True,
        metadata={
            "description": "The last working day to acknowledge, decide or review it; of one that was "
            "rejected, to ask for its review"
        },
    )
    outcome = fields.String(required=True, allow_none=True, validate=validate.OneOf(list(OUTCOMES)))
    decided_on = fields.Date(required=True, allow_none=True)
    reviewed_on = fields.Date(required=True, allow_none=True)
    escalations = fields.Integer(required=True)


class ObjectionSummarySchema(FiledSchema):
    """An objection with everything that was done about it."""

    case = fields.Nested(ObjectionCaseSchema, required=True)


class EitherGradeSchema(Schema):
    """A grade."""

    score = Points(required=True)
    tier = fields.String(required=True)


class EitherWaySchema(Schema):
    """What the grade of today would be, by a pack, with nothing else new."""

    pack = fields.String(required=True)
    version = fields.String(required=True)
    now = fields.Nested(EitherGradeSchema, required=True)
    upheld = fields.Nested(EitherGradeSchema, required=True)
    rejected = fields.Nested(EitherGradeSchema, required=True)


class ObjectionSchema(ObjectionSummarySchema):
    """An objection, and the subject's grade either way."""

    grades = fields.List(fields.Nested(EitherWaySchema), required=True)


class ObjectionStepRequest(StepForm):
    """What is to be done about an objection, as the form of the page says it."""

    request = fields.String(
        required=True, validate=validate.OneOf(["acknowledge", "uphold", "reject", "appeal"])
    )


class ObjectionRequest(VocabularyQuery):
    """An objection to a record, as the form of the page says it."""

    record = Text(longest=LONGEST_KEY, required=True)
    reason = Text(longest=2000, required=True)
    evidence = Text(
        required=True, metadata={"description": "Number or address of a document that it rests on"}
    )


class FiguresQuery(VocabularyQuery):
    """Which objections are counted."""

    since = Day(metadata={"description": "Only those made on this day or later"})


class OfficeFiguresSchema(Schema):
    """How objections to an office's records were dealt with."""

    office = fields.String(
        required=True, allow_none=True, metadata={"description": "null: records that name none"}
    )
    filed = fields.Integer(required=True)
    open = fields.Integer(required=True)
    overdue = fields.Integer(required=True)
    decided = fields.Integer(required=True)
    upheld = fields.Integer(
        required=True, metadata={"description": "Of those decided, by the last decision on each"}
    )
    reviewed = fields.Integer(required=True)
    median_days = fields.Float(
        required=True,
        allow_none=True,
        metadata={"description": "Working days from the objection to the first decision"},
    )


class ObjectionFiguresSchema(Schema):
    """How each office deals with objections."""

    offices = fields.List(fields.Nested(OfficeFiguresSchema), required=True)


ObjectionPage = page_of(ObjectionSummarySchema, "ObjectionSummary")


def either_way_view(found: Sequence[EitherWay]) -> list[dict[str, Any]]:
    """Grades either way."""
    return [
        {
            "pack": way.pack.id,
            "version": way.pack.version,
            **{name: getattr(way, name) for name in ("now", *OUTCOMES)},
        }
        for way in found
    ]
