"""API keys and the audit log."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from api.http.fields import Moment, Text, TitleField, WholeNumber
from api.http.paging import NumberedPageQuery, page_of
from scoring.access.keys import Role
from scoring.facts.ingest.keys import LONGEST_KEY

ROLES = [role.value for role in Role]


class KeySchema(Schema):
    """A key without its secret."""

    prefix = fields.String(required=True)
    role = fields.String(required=True, validate=validate.OneOf(ROLES))
    owner = fields.String(required=True)
    organisation = fields.String(required=True, allow_none=True)
    state = fields.String(required=True, validate=validate.OneOf(["active", "expired", "revoked"]))
    created_at = fields.DateTime(required=True)
    expires_at = fields.DateTime(required=True, allow_none=True)
    revoked_at = fields.DateTime(required=True, allow_none=True)
    replaces = fields.String(required=True, allow_none=True)


class NewKeySchema(Schema):
    """A key just made. The token is shown this once."""

    key = fields.Nested(KeySchema, required=True)
    token = fields.String(required=True)
    doubt = TitleField(
        required=True,
        allow_none=True,
        metadata={"description": "Why it may open less than is meant: no body is called so, nobody is known"},
    )


class KeyRequest(Schema):
    """A key that is wanted."""

    role = fields.String(required=True, validate=validate.OneOf(ROLES))
    owner = Text(longest=100, required=True, metadata={"description": "Who holds it"})
    organisation = Text(
        longest=100,
        metadata={
            "description": "Of a department's or lender's key: which one; of a subject's: its number; of a "
            "regulator's: its office, if any, on whose records it decides no objection"
        },
    )
    expires_at = Moment(metadata={"description": "With its offset from UTC; by default never"})


class RotationRequest(Schema):
    """How a key is replaced."""

    overlap_hours = WholeNumber(
        load_default=0,
        validate=validate.Range(0, 24 * 30),
        metadata={"description": "For how long the old key goes on working"},
    )


class EntriesQuery(NumberedPageQuery):
    """Which entries of the audit log are wanted."""

    subject_id = Text(longest=LONGEST_KEY)
    actor = Text(longest=100, metadata={"description": "The prefix of a key"})
    action = Text(longest=100)


class EntrySchema(Schema):
    """An entry of the audit log."""

    seq = fields.Integer(required=True)
    at = fields.DateTime(required=True)
    actor = fields.String(required=True)
    role = fields.String(required=True)
    action = fields.String(required=True)
    subject_id = fields.String(required=True, allow_none=True)
    request_id = fields.String(required=True, allow_none=True)
    details = fields.Dict(keys=fields.String(), required=True)
    hash = fields.String(required=True)


class FaultSchema(Schema):
    """Something wrong with the log."""

    seq = fields.Integer(required=True)
    message = fields.String(required=True)


class AnchorSchema(Schema):
    """An entry's number and hash."""

    seq = fields.Integer(required=True)
    hash = fields.String(required=True)


class VerificationSchema(Schema):
    """What a check of the log found."""

    intact = fields.Boolean(required=True)
    entries = fields.Integer(required=True)
    head = fields.Nested(AnchorSchema, required=True)
    faults = fields.List(fields.Nested(FaultSchema), required=True)


KeyPage = page_of(KeySchema, "Key")
EntryPage = page_of(EntrySchema, "Entry")
