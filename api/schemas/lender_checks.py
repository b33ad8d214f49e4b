"""The checks of lenders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from api.http.fields import By, EnterpriseCode, InLanguage, Text
from api.http.paging import page_of
from api.http.problems import FieldErrorSchema
from scoring.access.consents import PURPOSES
from scoring.access.lending import OUTCOMES

MOST_CHECKS = 1000
LANES = ("fast", "normal", "careful", "none")
LANE = {"enum": [*LANES, None], "description": "advice: the lender decides for itself"}


class CheckRequest(Schema):
    """A question about one subject."""

    subject_id = EnterpriseCode(required=True)
    consent = Text(
        longest=100,
        required=True,
        metadata={"description": "The reference of a consent that this subject gave this lender"},
    )
    purpose = fields.String(
        required=True,
        validate=validate.OneOf(list(PURPOSES)),
        metadata={"description": "What the tier is asked for; the consent must cover it"},
    )


@dataclass(frozen=True, slots=True)
class Faulty:
    """A check that can't be made.

    :param messages: what is wrong, as marshmallow says it: field → messages.
    """

    subject_id: str | None
    messages: Any


class EachCheck(fields.Nested):
    """One of several checks: what is wrong with it is its own answer, and no other's."""

    def deserialize(self, value: Any, attr: str | None = None, data: Any = None, **kwargs: Any) -> Any:
        try:
            return super().deserialize(value, attr, data, **kwargs)
        except ValidationError as error:
            given = value.get("subject_id") if isinstance(value, dict) else None
            return Faulty(given if isinstance(given, str) else None, error.messages)


class BatchRequest(Schema):
    """Questions about several subjects."""

    checks = fields.List(EachCheck(CheckRequest), required=True, validate=validate.Length(1, MOST_CHECKS))


class CheckSchema(Schema):
    """What a lender learns of a subject."""

    subject_id = fields.String(required=True)
    outcome = fields.String(
        required=True,
        validate=validate.OneOf(["answered", "expired"]),
        metadata={"description": "expired: the grade is too old to rely on, and there is no lane"},
    )
    tier = fields.String(required=True)
    graded_on = fields.Date(required=True, metadata={"description": "The date that the grade speaks about"})
    valid_until = fields.Date(
        required=True,
        allow_none=True,
        metadata={"description": "The last day to rely on it; null: none stated"},
    )
    lane = fields.String(required=True, allow_none=True, metadata=LANE)


class BatchAnswerSchema(Schema):
    """What became of one of several checks."""

    subject_id = fields.String(required=True, allow_none=True)
    outcome = fields.String(required=True, validate=validate.OneOf([*OUTCOMES, "invalid"]))
    reason = InLanguage(required=True, allow_none=True, metadata={"description": "Why not answered"})
    errors = fields.List(
        fields.Nested(FieldErrorSchema), metadata={"description": "What is wrong with an invalid check"}
    )
    tier = fields.String(required=True, allow_none=True)
    graded_on = fields.Date(required=True, allow_none=True)
    valid_until = fields.Date(required=True, allow_none=True)
    lane = fields.String(required=True, allow_none=True, metadata=LANE)


class BatchSchema(Schema):
    """The answers, in the order of the checks."""

    answers = fields.List(fields.Nested(BatchAnswerSchema), required=True)


class CheckNoteSchema(Schema):
    """That a check was made."""

    at = fields.DateTime(required=True)
    key = By()
    lender = fields.String(required=True)
    subject_id = fields.String(required=True)
    consent = fields.String(
        required=True,
        allow_none=True,
        metadata={
            "description": "The reference that the lender gave; null for the subject where it is of none of "
            "its consents"
        },
    )
    consent_id = fields.Integer(
        metadata={"description": "The consent of that reference; null: there is none"}, allow_none=True
    )
    purpose = fields.String()
    outcome = fields.String(required=True)


CheckNotePage = page_of(CheckNoteSchema, "CheckNote")
