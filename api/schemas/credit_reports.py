"""Credit reports: as they are issued, and as anybody verifies them."""

from __future__ import annotations

from marshmallow import Schema, fields

from api.http.fields import Text


class VerificationQuery(Schema):
    """What stands on the paper."""

    code = Text(longest=60, required=True, metadata={"description": "The report's check code"})


class VerifiedReportSchema(Schema):
    """A report that was issued: what its paper is to say, and the fingerprint of its file."""

    number = fields.String(required=True)
    subject_id = fields.String(required=True)
    name = fields.String(required=True, metadata={"description": "Of whom it speaks, as on the paper"})
    issued_at = fields.DateTime(required=True)
    known_at = fields.DateTime(required=True, metadata={"description": "The moment of its facts"})
    sha256 = fields.String(
        required=True, metadata={"description": "Of the file: another one is not what was issued"}
    )


class IssuedReportSchema(VerifiedReportSchema):
    """A report with its check code."""

    code = fields.String(required=True)
