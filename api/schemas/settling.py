"""What only a person settles about records."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from api.http.fields import Day, Text, TitleField, Values, WholeNumber
from api.http.paging import LARGEST_PAGE, NumberedPageQuery, page_of
from api.schemas.records import VocabularyQuery
from api.schemas.runs import LARGEST_ID
from api.schemas.subjects import MarkSchema


class SettlingQuery(VocabularyQuery, NumberedPageQuery):
    """In which vocabulary."""


class ContradictionSchema(Schema):
    """An office's row that says another status than a decision made here, which stands."""

    id = fields.Integer(required=True)
    record_id = fields.String(required=True)
    subject_id = fields.String(required=True)
    mark_kind = fields.String(required=True, metadata={"description": "The mark by which the status stands"})
    status = fields.String(required=True, metadata={"description": "The status that stands"})
    claimed = fields.String(required=True, metadata={"description": "The status that the office gives"})
    ours = Values(required=True, metadata={"description": "What is known of the record"})
    theirs = Values(required=True, metadata={"description": "The record as the office's row would have it"})
    file_id = fields.Integer(required=True)
    row_no = fields.Integer(required=True)
    raised_at = fields.DateTime(required=True)


class RulingBody(VocabularyQuery):
    """Why, and on which day."""

    reason = Text(longest=2000, required=True)
    effective_on = Day(metadata={"description": "By default today"})


class ResolutionBody(RulingBody):
    """Which status is right."""

    outcome = fields.String(
        required=True,
        validate=validate.OneOf(["confirm", "accept"]),
        metadata={
            "description": "confirm: ours stands; accept: the office's, and its later rows count again"
        },
    )


class TwinsSchema(Schema):
    """Two records of a subject that may be one decision under two numbers."""

    id = fields.Integer(required=True)
    subject_id = fields.String(required=True)
    records = fields.Dict(
        keys=fields.String(), values=Values(), required=True, metadata={"description": "By their numbers"}
    )
    found_at = fields.DateTime(required=True)


class SettlementBody(RulingBody):
    """Which of the two counts."""

    keep = Text(
        longest=100,
        required=True,
        allow_none=True,
        metadata={"description": "The record that counts; the other is revoked. null: two decisions"},
    )


class SettlementSchema(Schema):
    """What became of twins."""

    revoked = fields.String(required=True, allow_none=True)


class RecordProposalSchema(Schema):
    """What the law proposes of a record, and a person has not confirmed: a penalty's gravest class."""

    id = fields.Integer(required=True)
    record_id = fields.String(required=True)
    subject_id = fields.String(required=True)
    column = fields.String(required=True, metadata={"description": "Of the record; nobody has said it"})
    proposed = fields.String(required=True, metadata={"description": "Its code by the law"})
    meanwhile = fields.String(required=True, metadata={"description": "The code that holds until then"})
    because = TitleField(required=True, metadata={"description": "The clause"})
    record = Values(required=True, metadata={"description": "What is known of the record"})
    raised_at = fields.DateTime(required=True)
    version = fields.Integer(
        required=True, metadata={"description": "Of the record: whoever says something names the one seen"}
    )


class ClassificationBody(RulingBody):
    """What a person says of the record."""

    code = Text(longest=100, required=True, metadata={"description": "The one proposed, or another"})
    version = WholeNumber(
        required=True, metadata={"description": "The version of the record that was seen; another is refused"}
    )


class SeenProposalSchema(Schema):
    """What is proposed of a record, and the version of the record that was seen."""

    id = WholeNumber(required=True, validate=validate.Range(1, LARGEST_ID))
    version = WholeNumber(required=True)


class ClassificationsBody(RulingBody):
    """What a person says of several records: of all of them or of none."""

    proposals = fields.List(
        fields.Nested(SeenProposalSchema), required=True, validate=validate.Length(1, LARGEST_PAGE)
    )
    code = Text(
        longest=100,
        load_default=None,
        allow_none=True,
        metadata={"description": "Of all of them; null: of each the one proposed"},
    )


class ClassificationsSchema(Schema):
    """The marks, one a record."""

    items = fields.List(fields.Nested(MarkSchema), required=True)


class ConfirmationRequest(Schema):
    """Why a person confirms what is proposed, as the form of the page has it."""

    reason = Text(longest=2000, required=True)


class ClassificationRequest(ConfirmationRequest):
    """What a person says of the record, as the form of the page has it."""

    request = fields.String(required=True)
    seen = fields.Integer(required=True)


ContradictionPage = page_of(ContradictionSchema, "Contradiction")
TwinsPage = page_of(TwinsSchema, "Twins")
RecordProposalPage = page_of(RecordProposalSchema, "RecordProposal")
