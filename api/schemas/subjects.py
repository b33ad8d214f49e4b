"""Subjects, their grades, and what the grades rest on."""

from __future__ import annotations

import datetime as dt
from typing import Any, get_args

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from api.http.fields import By, Day, Halves, Moment, Points, Text, TitleField, Values
from api.http.paging import NumberCursor, NumberedPageQuery, PageQuery, page_of
from api.schemas.lender_checks import CheckNoteSchema
from api.schemas.runs import RunSchema
from rules.calendar import SHANGHAI
from rules.titles import Title, halves
from scoring.answers.forecast import Cause
from scoring.facts.objections import Kind

LARGEST_ID = 2**53
MOST_MONTHS = 1200
MOST_CHECKS = 1000


class PackQuery(Schema):
    """By which pack."""

    pack = Text(longest=100, metadata={"description": "The pack; by default the server's"})


class GradeQuery(PackQuery):
    """Which of a subject's grades is wanted."""

    as_of = Day(metadata={"description": "What the latest run up to this date says of it"})


class GradesQuery(PackQuery, NumberedPageQuery):
    """Which page of a subject's grades is wanted."""


class ExplanationQuery(PackQuery):
    """Which of a subject's grades is to be explained."""

    run = fields.Integer(
        validate=validate.Range(1, LARGEST_ID), metadata={"description": "By default the latest"}
    )


class AnyDayQuery(ExplanationQuery):
    """Which of a subject's grades is to be explained: one of a run, or of any day by what was known then."""

    as_of = Day(metadata={"description": "Any day, published or not; today where only a moment is given"})
    known_at = Moment(
        default_timezone=SHANGHAI,
        validate=validate.Range(*(dt.datetime(year, 1, 1, tzinfo=dt.UTC) for year in (1900, 9000))),
        metadata={"description": "By what was known at this moment; now where only a day is given"},
    )

    @validates_schema
    def _one_way(self, data: dict[str, Any], **_: Any) -> None:
        if "run" in data and ("as_of" in data or "known_at" in data):
            en = "a run has a day and a moment of its own: leave out as_of and known_at"
            raise ValidationError([Title("评价有自己的日期和时刻,不填as_of和known_at", en)], "run")


class SubjectsQuery(ExplanationQuery, PageQuery):
    """Which subjects are wanted."""

    tier = Text(longest=20)
    veto = Text(longest=100, metadata={"description": "Those that this veto holds down"})
    score_from = Points()
    score_to = Points()
    changes_by = Day(metadata={"description": "Those whose grade changes by itself up to this date"})


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


class StretchSchema(Schema):
    """Months or years that follow one another."""

    first = fields.Date(required=True, metadata={"description": "First day of the first of them"})
    last = fields.Date(required=True, metadata={"description": "First day of the last of them"})


class HitSchema(Schema):
    """A rule that hit, and what it gave."""

    rule = fields.Nested(RuleSchema, required=True)
    record_id = fields.String(required=True, allow_none=True)
    record = Values(required=True, allow_none=True)
    measures = Values(required=True)
    runs = fields.Dict(
        keys=fields.String(),
        values=fields.Nested(StretchSchema),
        required=True,
        metadata={"description": "Of measures that count months or years in a row, which they are"},
    )
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


class ReasonCodeSchema(Schema):
    """A rule or table that gave fewer points than its baseline."""

    id = fields.String(required=True)
    title = TitleField(required=True)
    points = Points(required=True, metadata={"description": "After its cap"})
    baseline = Points(required=True, metadata={"description": "What is expected; 0 by default"})
    lost = Points(required=True, metadata={"description": "How far points are below the baseline"})


class PackVersionSchema(Schema):
    """A version of a pack."""

    id = fields.String(required=True)
    version = fields.String(required=True)


class ExplanationSchema(Schema):
    """Why a subject has its grade, and why not another."""

    subject_id = fields.String(required=True)
    as_of = fields.Date(required=True, metadata={"description": "The date that the grade speaks about"})
    known_at = fields.DateTime(
        required=True, metadata={"description": "The moment of the last file that counted"}
    )
    pack = fields.Nested(PackVersionSchema, required=True)
    run = fields.Nested(
        RunSchema,
        required=True,
        allow_none=True,
        metadata={"description": "The run that published it; null where it was computed and never published"},
    )
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
    reasons = fields.List(
        fields.Nested(ReasonCodeSchema),
        required=True,
        metadata={"description": "What cost most points, the most first"},
    )
    dimensions = fields.List(fields.Nested(DimensionSchema), required=True)
    hits = fields.List(fields.Nested(HitSchema), required=True)
    misses = fields.List(fields.Nested(MissSchema), required=True)


class ForecastQuery(PackQuery):
    """How far to look."""

    months = fields.Integer(
        load_default=24,
        validate=validate.Range(1, MOST_MONTHS),
        metadata={"description": "From the latest run's day on"},
    )


class ReasonSchema(Schema):
    """Why a grade will be another one from a day on."""

    cause = fields.String(required=True, validate=validate.OneOf([cause.value for cause in Cause]))
    rule = fields.Nested(RuleSchema, required=True, allow_none=True)
    record_id = fields.String(required=True, allow_none=True)
    points_before = Points(required=True, metadata={"description": "Until then, before the cap"})
    points = Points(required=True, metadata={"description": "From then on, before the cap"})
    version = fields.String(
        required=True, allow_none=True, metadata={"description": "Of the pack, where that is what changes"}
    )


class ForecastStepSchema(Schema):
    """Days on which a grade stays the same."""

    begins = fields.Date(required=True)
    ends = fields.Date(
        required=True, allow_none=True, metadata={"description": "Null where nothing changes any more"}
    )
    version = fields.String(
        required=True, allow_none=True, metadata={"description": "Of the pack; null where none is in force"}
    )
    score = Points(required=True, allow_none=True)
    tier = fields.String(required=True, allow_none=True)
    band = fields.String(required=True, allow_none=True)
    veto = fields.String(required=True, allow_none=True)
    reasons = fields.List(fields.Nested(ReasonSchema), required=True)


class ForecastSchema(Schema):
    """A subject's grade on every day to come, with nothing new known of it."""

    subject_id = fields.String(required=True)
    pack_id = fields.String(required=True)
    run_id = fields.Integer(required=True, metadata={"description": "The run whose facts these are"})
    known_at = fields.DateTime(required=True)
    first = fields.Date(required=True)
    until = fields.Date(required=True)
    steps = fields.List(fields.Nested(ForecastStepSchema), required=True)


class PathsQuery(PackQuery):
    """Which tier is to be reached."""

    tier = Text(longest=20, metadata={"description": "By default the one above the subject's own"})


class RemedyStepSchema(Schema):
    """A remedy that is open to the subject for one of its records."""

    remedy = fields.String(required=True)
    title = TitleField(required=True)
    record_id = fields.String(required=True)
    on = fields.Date(required=True, metadata={"description": "The first day on which it may be done"})
    needs = fields.List(TitleField(), required=True)
    citations = fields.List(fields.Nested(CitationSchema), required=True)


class PathSchema(Schema):
    """A set of steps that reaches the tier; a part of it reaches it later, or not."""

    steps = fields.List(
        fields.Integer(),
        required=True,
        metadata={"description": "Places in the list of steps; none: it is enough to wait"},
    )
    reached_on = fields.Date(required=True)
    until = fields.Date(
        required=True,
        allow_none=True,
        metadata={"description": "When the tier is lost again"},
    )
    score = Points(required=True)
    tier = fields.String(required=True)


class NearestSchema(Schema):
    """The best grade that a set of steps gives where none reaches the tier."""

    steps = fields.List(
        fields.Integer(), required=True, metadata={"description": "Places in the list of steps"}
    )
    on = fields.Date(required=True)
    score = Points(required=True)
    lowest = Points(
        required=True,
        allow_none=True,
        metadata={"description": "That the tier asked for needs; null where the pack in force has none"},
    )
    tier = fields.String(required=True)
    veto = fields.Nested(
        RuleSchema,
        required=True,
        allow_none=True,
        metadata={"description": "What forces the tier, if anything"},
    )


class NamedSchema(Schema):
    """A measure."""

    id = fields.String(required=True)
    title = TitleField(required=True)


class PathsSchema(Schema):
    """What leads to a better tier."""

    subject_id = fields.String(required=True)
    pack_id = fields.String(required=True)
    run_id = fields.Integer(required=True, metadata={"description": "The run whose facts these are"})
    as_of = fields.Date(required=True)
    tier = fields.String(required=True)
    target = fields.String(
        required=True, allow_none=True, metadata={"description": "Null where the subject has the best tier"}
    )
    steps = fields.List(fields.Nested(RemedyStepSchema), required=True)
    paths = fields.List(fields.Nested(PathSchema), required=True)
    nearest = fields.Nested(
        NearestSchema,
        required=True,
        allow_none=True,
        metadata={"description": "Why there is no path: the best grade of all sets that were judged"},
    )
    complete = fields.Boolean(
        required=True,
        metadata={
            "description": "Whether these are all paths; if not, there were too many sets to try, and others "
            "may have fewer steps or an earlier day"
        },
    )
    tried = fields.Integer(required=True, metadata={"description": "How many sets were judged"})
    tried_to = fields.Integer(
        required=True, metadata={"description": "Every set of at most so many steps was tried"}
    )
    held = fields.List(
        fields.Nested(NamedSchema),
        required=True,
        metadata={
            "description": "Ranks and numbers of peers that are held as they stand, although a step may move "
            "them: then paths are not exact"
        },
    )


class MarkSchema(Schema):
    """An objection, an application for repair, a step of either's case, or what a regulator settled."""

    id = fields.Integer(required=True)
    record_id = fields.String(required=True)
    subject_id = fields.String(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(get_args(Kind)))
    status_before = fields.String(required=True)
    status_after = fields.String(required=True)
    effective_on = fields.Date(required=True)
    reason = Halves(halves)
    evidence = fields.List(fields.Dict(keys=fields.String(), values=fields.String()), required=True)
    made_by = By()
    made_at = fields.DateTime(required=True)
    commitment = fields.String(
        required=True, allow_none=True, metadata={"description": "Of an application for repair"}
    )
    committed_on = fields.Date(required=True, allow_none=True)


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
    lender_checks = fields.List(
        fields.Nested(CheckNoteSchema),
        required=True,
        validate=validate.Length(max=MOST_CHECKS),
        metadata={"description": "The newest"},
    )
    next_lender_checks = NumberCursor(
        required=True,
        allow_none=True,
        metadata={
            "description": "`cursor` of the subject's lender checks behind these; null: there are none"
        },
    )


GradePage = page_of(GradeSchema, "Grade")
