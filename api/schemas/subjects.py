"""Subjects, their grades, and what the grades rest on."""

from __future__ import annotations

from typing import get_args

from marshmallow import Schema, fields, validate

from api.fields import Points, Text, TitleField, Values
from api.paging import NumberedPageQuery, PageQuery, page_of
from api.schemas.lender_checks import CheckNoteSchema
from api.schemas.runs import RunSchema
from scoring.marks import Kind

LARGEST_ID = 2**53


class PackQuery(Schema):
    """By which pack."""

    pack = Text(longest=100, metadata={"description": "The pack; by default the server's"})


class GradeQuery(PackQuery):
    """Which of a subject's grades is wanted."""

    as_of = fields.Date(metadata={"description": "By the latest run that speaks about a date up to this one"})


class GradesQuery(PackQuery, NumberedPageQuery):
    """Which page of a subject's grades is wanted."""


class ExplanationQuery(PackQuery):
    """Which of a subject's grades is to be explained."""

    run = fields.Integer(
        validate=validate.Range(1, LARGEST_ID), metadata={"description": "By default the latest"}
    )


class SubjectsQuery(ExplanationQuery, PageQuery):
    """Which subjects are wanted."""

    tier = Text(longest=20)
    veto = Text(longest=100, metadata={"description": "Those that this veto holds down"})
    score_from = Points()
    score_to = Points()
    changes_by = fields.Date(metadata={"description": "Those whose grade changes by itself up to this date"})


class GradeSchema(Schema):
    """A subject's result in a run."""

    subject_id = fields.String(required=True)
    run_id = fields.Integer(required=True)
    pack_id = fields.String(required=True)
    as_of = fields.Date(required=True, metadata={"description": "The date that the grade speaks about"})
    published_at = fields.DateTime(required=True)
    score = Points(required=True)
    tier = fields.String(required=True)
    band = fields.String(required=True, metadata={"description": "The tier by points alone"})
    veto = fields.String(
        required=True, allow_none=True, metadata={"description": "The veto that decides the tier"}
    )
    next_change_on = fields.Date(
        required=True,
        allow_none=True,
        metadata={"description": "First date on which time alone may change it"},
    )
    inputs_known = fields.Integer(required=True)
    inputs_total = fields.Integer(required=True)


class SubjectSchema(Schema):
    """A subject as it is known now."""

    subject_id = fields.String(required=True)
    vocabulary = fields.String(required=True)
    attributes = Values(required=True)
    grade = fields.Nested(GradeSchema, required=True, allow_none=True)


class CitationSchema(Schema):
    """Where a rule comes from."""

    basis = fields.String(required=True)
    article = fields.String(required=True)
    document = fields.String(required=True, metadata={"description": "Title of the document"})


class RuleSchema(Schema):
    """A rule as an explanation names it."""

    id = fields.String(required=True)
    title = TitleField(required=True)
    dimension = fields.String(required=True, allow_none=True)
    citations = fields.List(fields.Nested(CitationSchema), required=True)


class HitSchema(Schema):
    """A rule that hit, and what it gave."""

    rule = fields.Nested(RuleSchema, required=True)
    record_id = fields.String(required=True, allow_none=True)
    record = Values(required=True, allow_none=True)
    measures = Values(required=True)
    points_before = Points(required=True, metadata={"description": "Before the cap"})
    points = Points(required=True)
    counts_from = fields.Date(required=True, allow_none=True)
    counts_until = fields.Date(required=True, allow_none=True)


class FailedSchema(Schema):
    """A term of a condition that was not true."""

    term = fields.String(required=True)
    found = Values(required=True)
    is_unknown = fields.Boolean(required=True, attribute="unknown", data_key="unknown")


class SpanSchema(Schema):
    """From a day until before another."""

    start = fields.Date(required=True)
    end = fields.Date(required=True, allow_none=True)


class MissSchema(Schema):
    """A rule that did not hit, and what kept it out."""

    rule = fields.Nested(RuleSchema, required=True)
    record_id = fields.String(required=True, allow_none=True)
    failed = fields.List(fields.Nested(FailedSchema), required=True)
    window = fields.Nested(SpanSchema, required=True, allow_none=True)


class DimensionSchema(Schema):
    """A dimension's points."""

    id = fields.String(required=True)
    title = TitleField(required=True)
    points_before = Points(required=True, metadata={"description": "Before floor and ceiling"})
    points = Points(required=True)


class ExplanationSchema(Schema):
    """Why a subject has its grade, and why not another."""

    subject_id = fields.String(required=True)
    run = fields.Nested(RunSchema, required=True)
    attributes = Values(required=True)
    measures = Values(required=True)
    score = Points(required=True)
    tier = fields.String(required=True)
    band = fields.String(required=True)
    veto = fields.Nested(RuleSchema, required=True, allow_none=True)
    next_change_on = fields.Date(required=True, allow_none=True)
    inputs_known = fields.Integer(required=True)
    inputs_total = fields.Integer(required=True)
    unmatched = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "Tables in force of which no row matched the subject"},
    )
    dimensions = fields.List(fields.Nested(DimensionSchema), required=True)
    hits = fields.List(fields.Nested(HitSchema), required=True)
    misses = fields.List(fields.Nested(MissSchema), required=True)


class MarkSchema(Schema):
    """An objection, the decision on it, a repair, or what a regulator settled about the record."""

    id = fields.Integer(required=True)
    record_id = fields.String(required=True)
    subject_id = fields.String(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(get_args(Kind)))
    status_before = fields.String(required=True)
    status_after = fields.String(required=True)
    effective_on = fields.Date(required=True)
    reason = fields.String(required=True)
    evidence = fields.List(fields.Dict(keys=fields.String(), values=fields.String()), required=True)
    made_by = fields.String(required=True)
    made_at = fields.DateTime(required=True)


class GradePieceSchema(Schema):
    """Days on which a subject's grade stayed the same."""

    begins = fields.Date(required=True)
    ends = fields.Date(required=True, metadata={"description": "The first day that is not among them"})
    run = fields.Integer(required=True, metadata={"description": "The run that says so, of the first day"})
    score = Points(required=True)
    tier = fields.String(required=True)


class HistorySchema(Schema):
    """A subject over time: its grade, objections and repairs, and the checks of lenders."""

    grades = fields.List(
        fields.Nested(GradePieceSchema),
        required=True,
        metadata={"description": "The grade of each day up to the latest run's, by the last word on the day"},
    )
    marks = fields.List(fields.Nested(MarkSchema), required=True)
    lender_checks = fields.List(fields.Nested(CheckNoteSchema), required=True)


GradePage = page_of(GradeSchema, "Grade")
