"""Consequences: which office applied which measure to whom, because of what, until when."""

from __future__ import annotations

from marshmallow import Schema, fields

from api.http.fields import Day, Text, TitleField
from api.http.paging import NumberedPageQuery, page_of
from api.schemas.records import VocabularyQuery
from scoring.facts.ingest.keys import LONGEST_KEY


class ConsequencesQuery(VocabularyQuery, NumberedPageQuery):
    """Which consequences are wanted."""

    subject_id = Text(longest=LONGEST_KEY)
    standing = fields.Boolean(
        load_default=False, metadata={"description": "Only those that are still applied"}
    )


class LedgerEntrySchema(Schema):
    """A measure that an office applied to a subject."""

    id = fields.Integer(required=True)
    vocabulary = fields.String(required=True)
    subject_id = fields.String(required=True)
    office = fields.String(required=True)
    clause = fields.String(required=True, metadata={"description": "Of the national list: GET /v1/sanctions"})
    told = TitleField(required=True, metadata={"description": "What the list said when it was entered"})
    record_id = fields.String(required=True, allow_none=True, metadata={"description": "It rests on this"})
    run_id = fields.Integer(
        required=True, allow_none=True, metadata={"description": "Or it rests on the grade in this run"}
    )
    tier = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True)
    begins_on = fields.Date(required=True)
    ends_on = fields.Date(
        required=True,
        allow_none=True,
        metadata={"description": "The first day on which its record is no longer used, without a repair"},
    )
    entered_by = fields.String(required=True)
    entered_at = fields.DateTime(required=True)
    stands = fields.Boolean(required=True)
    lifted_on = fields.Date(required=True, allow_none=True)
    lifted_by = fields.String(required=True, allow_none=True)
    lifted_because = TitleField(required=True, allow_none=True)
    mark_id = fields.Integer(
        required=True, allow_none=True, metadata={"description": "The repair or decision that lifted it"}
    )


class ConsequenceBody(VocabularyQuery):
    """A measure that an office applies, on one ground: a record, or the grade by a pack."""

    subject_id = Text(longest=LONGEST_KEY, required=True)
    office = Text(metadata={"description": "Who applies it; a department's key names its own alone"})
    clause = Text(required=True, metadata={"description": "Of the national list: GET /v1/sanctions"})
    record_id = Text(longest=LONGEST_KEY, metadata={"description": "The record that it rests on"})
    pack = Text(metadata={"description": "Or the pack by whose latest grade it is applied"})
    reason = Text(longest=2000, required=True)
    begins_on = Day(required=True)


class LiftBody(Schema):
    """Why and when a measure is lifted."""

    reason = Text(longest=2000, required=True)
    on = Day(required=True)


class ClauseSchema(Schema):
    """A clause by which an office may apply a measure."""

    id = fields.String(required=True)
    number = fields.Integer(required=True, metadata={"description": "Of the measure, in the list"})
    measure = TitleField(required=True)
    reduces = fields.Boolean(
        required=True, metadata={"description": "Takes rights away: it rests on a record, never on a grade"}
    )
    basis = fields.String(required=True)
    what = TitleField(required=True)
    records = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.String()),
        required=True,
        metadata={
            "description": "The kinds of records on which alone it rests, with their levels; empty: any"
        },
    )


class SanctionsSchema(Schema):
    """The national list of measures against bad faith."""

    title = TitleField(required=True)
    source = fields.String(required=True)
    checked = fields.Boolean(
        required=True,
        attribute="is_checked",
        metadata={"description": "Whether it was compared with the published text"},
    )
    clauses = fields.List(fields.Nested(ClauseSchema), required=True)


ConsequencePage = page_of(LedgerEntrySchema, "LedgerEntry")
