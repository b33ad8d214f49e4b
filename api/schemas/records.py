"""Records, and what is noted about them."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, post_load, validate

from api.http.fields import Day, Halves, Text, Values
from api.http.paging import PageQuery, page_of
from api.schemas.subjects import MarkSchema
from scoring.facts.ingest.keys import ENTERPRISES, LONGEST_KEY
from scoring.facts.repairs import Commitment

MOST_ROWS = 10_000


class VocabularyQuery(Schema):
    """In which vocabulary."""

    vocabulary = Text(longest=100, load_default=ENTERPRISES)


class RecordsQuery(VocabularyQuery, PageQuery):
    """Which records are wanted."""

    subject_id = Text(longest=LONGEST_KEY)


class RecordVersionSchema(Schema):
    """A record as it was known from one moment to another."""

    record_id = fields.String(required=True)
    subject_id = fields.String(required=True)
    data = Values(required=True)
    known_from = fields.DateTime(required=True)
    known_until = fields.DateTime(required=True, allow_none=True)


class Version(fields.String):
    """The version of a record and of what was done about it."""

    def __init__(self) -> None:
        said = (
            "Another after each change of the record and each step that somebody takes; "
            "whoever takes one says which they saw"
        )
        super().__init__(required=True, metadata={"description": said})


class Seen(Schema):
    """Which version was seen by who takes a step."""

    version = Text(
        longest=100,
        required=True,
        metadata={"description": "The version of the record and its case that was seen; another is refused"},
    )


class RecordSchema(Schema):
    """A record with all of its versions, the current one first, and what was noted about it."""

    versions = fields.List(fields.Nested(RecordVersionSchema), required=True)
    marks = fields.List(fields.Nested(MarkSchema), required=True)
    version = Version()


class RecordsRequest(Schema):
    """Records to be taken in."""

    vocabulary = Text(longest=100, load_default=ENTERPRISES)
    records = fields.List(
        fields.Dict(keys=fields.String()),
        required=True,
        validate=validate.Length(1, MOST_ROWS),
        metadata={
            "description": "By the vocabulary's columns; codes by code or title, dates as YYYY-MM-DD. "
            "null clears a column; one that is left out, or empty, stays as it is. Where the subject's "
            "code is empty or a filler, the attributes of find_by (enterprise: registration_number, name) "
            "say who it is"
        },
    )


class RowFaultSchema(Schema):
    """Why a row was not taken, or what is odd about one that was."""

    row_no = fields.Integer(required=True, metadata={"description": "From 1"})
    column = fields.String(required=True, allow_none=True)
    value = fields.String(required=True, allow_none=True)
    reason = Halves()


class OrphansSchema(Schema):
    """Records of codes that no subject has."""

    records = fields.Integer(required=True)
    codes = fields.Integer(required=True, metadata={"description": "How many codes these are"})
    first = fields.List(fields.String(), required=True, metadata={"description": "The first of the codes"})


class SubmissionSchema(Schema):
    """What became of the rows."""

    new = fields.Integer(required=True)
    changed = fields.Integer(required=True)
    unchanged = fields.Integer(required=True)
    rejected = fields.Integer(required=True)
    held = fields.Integer(
        required=True,
        metadata={"description": "Rows that say another status than a decision made here; it stands"},
    )
    problems = fields.List(fields.Nested(RowFaultSchema), attribute="faults", required=True)
    warnings = fields.List(
        fields.Nested(RowFaultSchema),
        required=True,
        metadata={"description": "What is odd about rows that were taken"},
    )
    orphans = fields.Nested(
        OrphansSchema,
        required=True,
        metadata={
            "description": "Of rows that were taken, those whose subject is not known: they count "
            "for nobody until it is"
        },
    )


class EvidenceSchema(Schema):
    """A document that something rests on."""

    title = Text(required=True)
    reference = Text(required=True, metadata={"description": "Number or address under which it can be seen"})


class MarkBody(VocabularyQuery):
    """What an objection, a decision or a repair rests on."""

    reason = Text(longest=2000, required=True)
    evidence = fields.List(fields.Nested(EvidenceSchema), required=True, validate=validate.Length(1, 20))
    effective_on = Day(required=True, metadata={"description": "When it was filed or completed"})


class SeenBody(Seen, MarkBody):
    """What is noted about a case that was seen."""


class StepBody(SeenBody):
    """What is noted about a case; nothing need go with it."""

    evidence = fields.List(fields.Nested(EvidenceSchema), load_default=list, validate=validate.Length(0, 20))


class DecisionBody(SeenBody):
    """How an objection was decided, or its rejection reviewed."""

    outcome = fields.String(
        required=True,
        validate=validate.OneOf(["upheld", "rejected"]),
        metadata={"description": "upheld: the record is revoked; rejected: it is effective again"},
    )


class CommitmentSchema(Schema):
    """A credit commitment (信用承诺): that what is handed in is true, and who answers for a breach."""

    text = Text(longest=2000, required=True)
    made_on = Day(required=True)

    @post_load
    def _commitment(self, data: dict[str, Any], **_: Any) -> Commitment:
        return Commitment(**data)


class ApplicationBody(MarkBody):
    """What an application for repair needs: what was done, documents that show it, and a commitment."""

    commitment = fields.Nested(CommitmentSchema, required=True)


class AdmissionBody(StepBody):
    """Whether an application for repair is admitted."""

    outcome = fields.String(required=True, validate=validate.OneOf(["admitted", "returned"]))


class RepairBody(SeenBody):
    """How an application for repair is decided."""

    outcome = fields.String(load_default="repaired", validate=validate.OneOf(["repaired", "refused"]))


RecordPage = page_of(RecordVersionSchema, "Record")
