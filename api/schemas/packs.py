"""Packs as they are installed."""

from __future__ import annotations

from marshmallow import Schema, fields

from api.http.fields import Day, Points, Text, TitleField
from api.schemas.subjects import CitationSchema
from rules.model import Authority


class PackVersionQuery(Schema):
    """Which version of a pack is wanted."""

    as_of = Day(metadata={"description": "The version in force on this date; by default today"})
    version = Text(longest=50, metadata={"description": "The version of this name, in force or not"})


class PackSummarySchema(Schema):
    """A version of a pack."""

    id = fields.String(required=True)
    version = fields.String(required=True)
    hash = fields.String(required=True, metadata={"description": "Its identity: what runs name"})
    title = TitleField(required=True)
    authority = fields.String(
        required=True,
        allow_none=True,
        metadata={
            "enum": [*map(str, Authority), None],
            "description": "Who makes the grade, where it says so",
        },
    )
    note = TitleField(
        required=True, allow_none=True, metadata={"description": "What people must know before they use it"}
    )
    vocabulary = fields.String(required=True)
    in_force_from = fields.Date(required=True)
    in_force_until = fields.Date(required=True, allow_none=True)
    in_force = fields.Boolean(required=True, metadata={"description": "Whether it is in force today"})
    rules = fields.Integer(required=True, metadata={"description": "How many"})


class PackRuleSchema(Schema):
    """A rule of a pack."""

    id = fields.String(required=True)
    title = TitleField(required=True)
    dimension = fields.String(required=True, allow_none=True)
    when = fields.String(required=True)
    points = Points(
        required=True, allow_none=True, metadata={"description": "In force on the date asked for"}
    )
    tier = fields.String(
        required=True, allow_none=True, metadata={"description": "Of a veto: what it forces"}
    )
    lowers = fields.Integer(
        required=True, allow_none=True, metadata={"description": "Of a veto: by how many tiers it lowers"}
    )
    below = fields.Dict(
        keys=fields.String(),
        values=Points(),
        required=True,
        metadata={"description": "Of a veto: below which score or points of dimensions it holds"},
    )
    citations = fields.List(fields.Nested(CitationSchema), required=True)


class TierSchema(Schema):
    """A tier, what reaches it and what it leads to."""

    tier = fields.String(required=True)
    title = TitleField(required=True)
    lowest = Points(
        required=True, allow_none=True, metadata={"description": "None where vetoes alone give the tier"}
    )
    sample_share = fields.Float(required=True, allow_none=True)
    visits_per_year = fields.Integer(required=True, allow_none=True)
    unprompted_visits = fields.Boolean(required=True, allow_none=True)
    lending = fields.String(required=True, allow_none=True)
    valid_months = fields.Integer(required=True, allow_none=True)
    measures = fields.List(TitleField(), required=True)


class PackSchema(PackSummarySchema):
    """A version of a pack with its rules and tiers."""

    rule_list = fields.List(fields.Nested(PackRuleSchema), required=True)
    tiers = fields.List(fields.Nested(TierSchema), required=True)
