"""Consents, and the lenders that they are given to."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from api.http.fields import By, Day, EnterpriseCode, Moment, Month, Text
from api.http.paging import NumberedPageQuery, page_of
from scoring.access.consents import PURPOSES

MONTH = r"^[12][0-9]{3}-(0[1-9]|1[0-2])$"
VERDICTS = ("found", "missing")


class ConsentRequest(Schema):
    """A consent to be registered."""

    subject_id = EnterpriseCode(required=True)
    lender = Text(longest=100, metadata={"description": "Who may ask; a lender's key leaves it out"})
    reference = Text(
        longest=100,
        metadata={"description": "The number of the signed document; required of a lender, else made here"},
    )
    document_sha256 = Text(
        longest=64, metadata={"description": "SHA-256 (hex) of the signed document; required of a lender"}
    )
    purposes = fields.List(
        fields.String(validate=validate.OneOf(list(PURPOSES))),
        required=True,
        validate=validate.Length(1, len(PURPOSES)),
    )
    valid_from = Day(required=True)
    valid_until = Day(required=True, metadata={"description": "The last day on which it holds"})


class ConsentSchema(Schema):
    """A registered consent."""

    id = fields.Integer(required=True)
    lender = fields.String(required=True)
    subject_id = fields.String(required=True)
    reference = fields.String(required=True, metadata={"description": "By which a check names it"})
    document_sha256 = fields.String(required=True, allow_none=True)
    purposes = fields.List(fields.String(), required=True)
    valid_from = fields.Date(required=True)
    valid_until = fields.Date(required=True)
    registered_at = fields.DateTime(required=True)
    registered_by = By()
    registered_role = fields.String(required=True)
    withdrawn_at = fields.DateTime(required=True, allow_none=True)
    withdrawn_by = By()
    withdrawn_why = fields.String(required=True, allow_none=True)
    judged_at = fields.DateTime(required=True, allow_none=True)
    judged_by = By()
    verdict = fields.String(required=True, allow_none=True, metadata={"enum": [*VERDICTS, None]})


class ConsentsQuery(NumberedPageQuery):
    """Which consents are wanted."""

    lender = Text(longest=100)
    subject_id = Text(longest=100)


class ReasonRequest(Schema):
    """Why something is done."""

    reason = Text(longest=500, required=True)


class JudgementRequest(Schema):
    """What an audit found."""

    verdict = fields.String(required=True, validate=validate.OneOf(VERDICTS))
    reason = Text(longest=500, required=True)
    instead_of = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.OneOf(VERDICTS),
        metadata={"description": "The verdict that was read and is replaced; null: none was given until now"},
    )


class SampleRequest(Schema):
    """Of which lender and month consents are drawn."""

    lender = Text(longest=100, required=True)
    month = Month(MONTH, required=True, metadata={"example": "2026-10"})
    seed = Text(longest=100, required=True, metadata={"description": "Whoever knows it can draw again"})


class SampleSchema(Schema):
    """The consents that were drawn, in the order of their lots."""

    drawn = fields.List(fields.Nested(ConsentSchema), required=True)


class LenderReasonRequest(ReasonRequest):
    """Which lender is meant, and why."""

    lender = Text(longest=100, required=True)


class LiftRequest(LenderReasonRequest):
    """Which stop of a lender is lifted, and why."""

    stopped_at = Moment(
        required=True, metadata={"description": "Of the stop that was seen; another is not lifted"}
    )


class LenderSchema(Schema):
    """How a lender stands."""

    name = fields.String(required=True)
    consents = fields.Integer(required=True)
    by_subject = fields.Integer(required=True)
    by_district = fields.Integer(required=True)
    by_lender = fields.Integer(required=True)
    withdrawn = fields.Integer(required=True)
    found = fields.Integer(required=True)
    missing = fields.Integer(required=True)
    stopped_at = fields.DateTime(required=True, allow_none=True)
    stopped_by = fields.String(required=True, allow_none=True)
    stopped_why = fields.String(required=True, allow_none=True)


class LendersSchema(Schema):
    """All lenders that have consents, or were stopped."""

    lenders = fields.List(fields.Nested(LenderSchema), required=True)


ConsentPage = page_of(ConsentSchema, "Consent")
