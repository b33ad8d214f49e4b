"""The checks of lenders."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from api.fields import Text
from api.paging import page_of

MOST_CHECKS = 1000
LANES = ("fast", "normal", "careful", "none")


class ConsentSchema(Schema):
    """A subject's authorisation, as the lender holds it."""

    reference = Text(longest=100, required=True)
    scope = fields.List(
        Text(longest=50),
        required=True,
        validate=validate.Length(1, 20),
        metadata={"description": "What it covers; a check needs `credit-tier`"},
    )
    valid_from = fields.Date(required=True)
    valid_until = fields.Date(required=True, metadata={"description": "The last day on which it holds"})


class CheckRequest(Schema):
    """A question about one subject."""

    subject_id = Text(longest=100, required=True, metadata={"description": "Unified social credit code"})
    consent = fields.Nested(ConsentSchema, required=True)


class BatchRequest(Schema):
    """Questions about several subjects."""

    checks = fields.List(fields.Nested(CheckRequest), required=True, validate=validate.Length(1, MOST_CHECKS))


class CheckSchema(Schema):
    """What a lender learns of a subject."""

    subject_id = fields.String(required=True)
    tier = fields.String(required=True)
    graded_on = fields.Date(required=True, metadata={"description": "The date that the grade speaks about"})
    valid_until = fields.Date(
        required=True,
        allow_none=True,
        metadata={"description": "The last day to rely on it; null: none stated"},
    )
    lane = fields.String(required=True, allow_none=True, metadata={"enum": [*LANES, None]})


class BatchAnswerSchema(Schema):
    """What became of one of several checks."""

    subject_id = fields.String(required=True)
    outcome = fields.String(required=True, validate=validate.OneOf(["answered", "refused", "unknown"]))
    reason = fields.String(required=True, allow_none=True)
    tier = fields.String(required=True, allow_none=True)
    graded_on = fields.Date(required=True, allow_none=True)
    valid_until = fields.Date(required=True, allow_none=True)
    lane = fields.String(required=True, allow_none=True, metadata={"enum": [*LANES, None]})


class BatchSchema(Schema):
    """The answers, in the order of the checks."""

    answers = fields.List(fields.Nested(BatchAnswerSchema), required=True)


class CheckNoteSchema(Schema):
    """That a check was made."""

    at = fields.DateTime(required=True)
    key = fields.String(required=True)
    lender = fields.String(required=True)
    subject_id = fields.String(required=True)
    consent = fields.String(required=True)
    outcome = fields.String(required=True)


CheckNotePage = page_of(CheckNoteSchema, "CheckNote")
