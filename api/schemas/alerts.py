"""Alerts, and the grade after the last event."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from api.http.fields import Day, Points, Text, WholeNumber
from api.http.paging import LARGEST_PAGE, NumberedPageQuery, page_of
from api.schemas.subjects import LARGEST_ID, PackQuery
from rules.titles import Title
from scoring.facts.ingest.keys import LONGEST_KEY

STATES = ("open", "acknowledged", "withdrawn")


class AlertsQuery(NumberedPageQuery):
    """Which alerts are wanted; by default those that stand."""

    pack = Text(longest=100)
    subject_id = Text(longest=LONGEST_KEY)
    state = fields.String(validate=validate.OneOf(STATES))
    alert = Text(longest=100, metadata={"description": "The pattern's id in the pack"})
    town = Text(longest=100, metadata={"description": "Of subjects of this town"})
    since = Day(metadata={"description": "Whose last record is of this day or after it"})
    until = Day(metadata={"description": "Whose last record is of this day or before it"})
    assigned_to = Text(metadata={"description": "Of this person: the owner of a regulator's key"})
    unassigned = fields.Boolean(metadata={"description": "Of nobody yet; not with assigned_to"})

    @validates_schema
    def _one_of_two(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("unassigned") and "assigned_to" in data:
            said = Title("unassigned和assigned_to只能有一项", "Give one of the two: unassigned, assigned_to.")
            raise ValidationError([said], "unassigned")


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
    found_at = fields.Dict(
        keys=fields.String(),
        values=fields.DateTime(),
        required=True,
        metadata={"description": "Records that completed the pattern, and when: it grew by the later ones"},
    )
    version = fields.Integer(
        required=True, metadata={"description": "Grows with every change, for who says what was seen"}
    )
    last_on = fields.Date(
        required=True, allow_none=True, metadata={"description": "The day of its last record"}
    )
    town = fields.String(required=True, allow_none=True)
    follows = fields.Integer(
        required=True, allow_none=True, metadata={"description": "An alert that was settled before it"}
    )
    joined = fields.Integer(
        required=True, allow_none=True, metadata={"description": "The alert that it is a part of since"}
    )
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    raised_at = fields.DateTime(required=True)
    acknowledged_at = fields.DateTime(required=True, allow_none=True)
    acknowledged_by = fields.String(required=True, allow_none=True)
    note = fields.String(required=True, allow_none=True)
    withdrawn_at = fields.DateTime(
        required=True, allow_none=True, metadata={"description": "A corrected record undid it then"}
    )
    assigned_to = fields.String(required=True, allow_none=True)
    assigned_by = fields.String(required=True, allow_none=True)
    assigned_at = fields.DateTime(required=True, allow_none=True)


class AlertsSchema(Schema):
    """Alerts as they are now."""

    items = fields.List(fields.Nested(AlertSchema), required=True)


class AcknowledgementBody(Schema):
    """What is said to an alert."""

    note = Text(longest=2000)
    version = WholeNumber(metadata={"description": "The version that was seen; another is refused"})


class SeenAlertSchema(Schema):
    """An alert, and the version that was seen."""

    id = WholeNumber(required=True, validate=validate.Range(1, LARGEST_ID))
    version = WholeNumber(required=True)


class SeenAlertsBody(Schema):
    """Alerts to which the same is done: to all of them or to none."""

    alerts = fields.List(
        fields.Nested(SeenAlertSchema), required=True, validate=validate.Length(1, LARGEST_PAGE)
    )


class AcknowledgementsBody(SeenAlertsBody):
    """What is said to several alerts."""

    note = Text(longest=2000, required=True)


class AssignmentsBody(SeenAlertsBody):
    """Whose they are to be."""

    to = Text(
        required=True,
        allow_none=True,
        metadata={"description": "The owner of a regulator's key; null: nobody's any more"},
    )


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
