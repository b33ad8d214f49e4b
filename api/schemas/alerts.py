"""Alerts, and the grade after the last event."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from api.http.fields import Points, Text
from api.http.paging import NumberedPageQuery, page_of
from api.schemas.subjects import PackQuery
from scoring.facts.ingest.keys import LONGEST_KEY

STATES = ("open", "acknowledged", "withdrawn")


class AlertsQuery(NumberedPageQuery):
    """Which alerts are wanted; by default those that stand."""

    pack = Text(longest=100)
    subject_id = Text(longest=LONGEST_KEY)
    state = fields.String(validate=validate.OneOf(STATES))


class AlertSchema(Schema):
    """A pattern of several records of one subject."""

    id = fields.Integer(required=True)
    pack_id = fields.String(required=True)
    pack_hash = fields.String(required=True)
    alert = fields.String(required=True, metadata={"description": "The pattern's id in the pack"})
    subject_id = fields.String(required=True)
    records = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "In order; the last one completed the pattern"},
    )
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    raised_at = fields.DateTime(required=True)
    acknowledged_at = fields.DateTime(required=True, allow_none=True)
    acknowledged_by = fields.String(required=True, allow_none=True)
    note = fields.String(required=True, allow_none=True)
    withdrawn_at = fields.DateTime(
        required=True, allow_none=True, metadata={"description": "A corrected record undid it then"}
    )


class AcknowledgementBody(Schema):
    """What is said to an alert."""

    note = Text(longest=2000)


class LiveGradeQuery(PackQuery):
    """By which pack."""


class LiveHitSchema(Schema):
    """A rule met."""

    rule = fields.String(required=True)
    record_id = fields.String(required=True, allow_none=True)
    points_before = Points(required=True)
    points = Points(required=True)
    counts_from = fields.Date(required=True, allow_none=True)
    counts_until = fields.Date(required=True, allow_none=True)


class LiveDimensionSchema(Schema):
    """A part of the score."""

    dimension = fields.String(required=True)
    points_before = Points(required=True)
    points = Points(required=True)


class LiveGradeSchema(Schema):
    """A subject's grade after its last event: a look ahead, and part of no published run."""

    published = fields.Boolean(
        required=True, metadata={"description": "Always false: no run, no legal effect"}
    )
    subject_id = fields.String(required=True)
    pack_id = fields.String(required=True)
    pack_hash = fields.String(required=True)
    as_of = fields.Date(required=True)
    known_at = fields.DateTime(required=True)
    graded_at = fields.DateTime(required=True)
    cause = fields.String(
        required=True, allow_none=True, metadata={"description": "The record that led to it"}
    )
    score = Points(required=True)
    tier = fields.String(required=True)
    band = fields.String(required=True)
    veto = fields.String(required=True, allow_none=True)
    inputs_known = fields.Integer(required=True)
    inputs_total = fields.Integer(required=True)
    dimensions = fields.List(fields.Nested(LiveDimensionSchema), required=True)
    hits = fields.List(fields.Nested(LiveHitSchema), required=True)


AlertPage = page_of(AlertSchema, "Alert")
