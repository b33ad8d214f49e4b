"""Runs, the jobs that make them, and how two of them differ."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from api.http.fields import Day, Halves, Points, Text, WholeNumber
from api.http.paging import NumberedPageQuery, PageQuery, page_of
from scoring.runs.proposals import MOST_DAYS

LARGEST_ID = 2**53
FORMATS = ("ndjson", "csv", "parquet")
TABLES = ("scores", "dimension_scores", "hits")


class RunSchema(Schema):
    """A published run; it never changes."""

    id = fields.Integer(required=True)
    pack_id = fields.String(required=True)
    pack_hash = fields.String(required=True)
    vocabulary = fields.String(required=True)
    as_of = fields.Date(required=True)
    known_at = fields.DateTime(
        required=True, metadata={"description": "The state of knowledge that was graded"}
    )
    engine = fields.String(required=True)
    started_at = fields.DateTime(required=True)
    published_at = fields.DateTime(required=True)
    subjects = fields.Integer(required=True)
    records = fields.Integer(required=True)
    orphans = fields.Integer(
        required=True, metadata={"description": "Records of subjects that are not known"}
    )
    snapshot_hash = fields.String(required=True)


class TieredRunSchema(RunSchema):
    """A run with how many subjects have each tier."""

    tiers = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)


class RunsQuery(NumberedPageQuery):
    """Which runs are wanted."""

    pack = Text(longest=100)


class RunRequest(Schema):
    """A run that is wanted."""

    pack = Text(longest=100, metadata={"description": "By default the server's"})
    as_of = Day(metadata={"description": "By default today in Asia/Shanghai"})
    propose_days = WholeNumber(
        validate=validate.Range(1, MOST_DAYS),
        metadata={"description": "Propose it first: for so many days those who would fall may answer"},
    )


class JobSchema(Schema):
    """A run that was asked for."""

    id = fields.Integer(required=True)
    pack_id = fields.String(required=True)
    as_of = fields.Date(required=True)
    state = fields.String(
        required=True,
        validate=validate.OneOf(
            ["queued", "snapshot", "grading", "publishing", "published", "proposed", "failed"]
        ),
    )
    rows = fields.Integer(
        required=True, allow_none=True, metadata={"description": "Subjects and records graded"}
    )
    run_id = fields.Integer(required=True, allow_none=True)
    problem = Halves(allow_none=True)
    requested_by = fields.String(required=True)
    requested_at = fields.DateTime(required=True)
    changed_at = fields.DateTime(required=True)
    propose_days = fields.Integer(required=True, allow_none=True)
    proposal_id = fields.Integer(
        required=True, allow_none=True, metadata={"description": "What it proposed, or publishes"}
    )


class AgainstQuery(Schema):
    """With which run to compare."""

    against = fields.Integer(
        required=True, validate=validate.Range(1, LARGEST_ID), metadata={"description": "The earlier run"}
    )


class MovesQuery(AgainstQuery, PageQuery):
    """Which page of the subjects that moved is wanted."""


class TransitionSchema(Schema):
    """How many subjects went from a tier to a tier; null: they are in one of the runs alone."""

    tier_before = fields.String(required=True, allow_none=True)
    tier = fields.String(required=True, allow_none=True)
    subjects = fields.Integer(required=True)


class ComparisonSchema(Schema):
    """How two runs differ."""

    run = fields.Nested(RunSchema, required=True)
    against = fields.Nested(RunSchema, required=True)
    transitions = fields.List(fields.Nested(TransitionSchema), required=True)


class MoveSchema(Schema):
    """A subject whose tier differs."""

    subject_id = fields.String(required=True)
    tier_before = fields.String(required=True)
    tier = fields.String(required=True)
    score_before = Points(required=True)
    score = Points(required=True)


class ExportQuery(Schema):
    """What of a run is wanted, and how."""

    table = fields.String(load_default="scores", validate=validate.OneOf(TABLES))
    format = fields.String(load_default="ndjson", validate=validate.OneOf(FORMATS))


RunPage = page_of(RunSchema, "Run")
JobPage = page_of(JobSchema, "Job")
MovePage = page_of(MoveSchema, "Move")
