"""What grades foresaw, and what has shifted since."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from api.http.fields import Day, Text, TitleField
from api.schemas.runs import LARGEST_ID
from api.schemas.subjects import PackQuery
from scoring.answers.validation.backtest import Verdict
from scoring.answers.validation.drift import Size

LONGEST_CONDITION = 2000


class BacktestQuery(PackQuery):
    """Which grades are tested, and by what."""

    as_of = Day(required=True, metadata={"description": "The day whose grades are tested"})
    months = fields.Integer(
        load_default=12,
        validate=validate.Range(1, 120),
        metadata={"description": "For how long after it what is found counts"},
    )
    drawn = fields.Boolean(
        load_default=False, metadata={"description": "Of visits that plans drew at random alone"}
    )
    among = Text(
        longest=LONGEST_CONDITION,
        metadata={"description": "A condition about records: of subjects with such a record alone"},
    )
    found = Text(
        longest=LONGEST_CONDITION,
        metadata={
            "description": "A condition about records: what counts as found; else an inspection not passed"
        },
    )
    known = fields.String(
        load_default="then",
        validate=validate.OneOf(["then", "now"]),
        metadata={"description": "Whether to grade by what was known on the day, or by what is known now"},
    )


class ShareSchema(Schema):
    """How many of a sample something was found of, with the 95 % interval of the share."""

    found = fields.Integer(required=True)
    of = fields.Integer(required=True)
    share = fields.Float(required=True, allow_none=True, metadata={"description": "Null of nobody"})
    low = fields.Float(required=True)
    high = fields.Float(required=True)


class TierFoundSchema(ShareSchema):
    """What was found of those with a tier."""

    tier = fields.String(required=True)
    graded = fields.Integer(required=True, metadata={"description": "How many had it, looked at or not"})
    lift = fields.Float(
        required=True, allow_none=True, metadata={"description": "Times as often as in the whole sample"}
    )


class RuleFoundSchema(Schema):
    """What was found of those whom a rule hit, and of the others."""

    rule = fields.String(required=True)
    title = TitleField(required=True)
    points = fields.Float(required=True, metadata={"description": "That it gave all of them, before caps"})
    hit = fields.Nested(ShareSchema, required=True)
    others = fields.Nested(ShareSchema, required=True)
    apart_low = fields.Float(
        required=True, allow_none=True, metadata={"description": "By how much more is found, at least (95 %)"}
    )
    apart_high = fields.Float(required=True, allow_none=True, metadata={"description": "Likewise, at most"})
    verdict = fields.String(required=True, validate=validate.OneOf([one.value for one in Verdict]))


class BacktestSchema(Schema):
    """What was found after a day of those who were graded on it."""

    pack_id = fields.String(required=True)
    version = fields.String(required=True)
    pack_hash = fields.String(required=True)
    as_of = fields.Date(required=True)
    until = fields.Date(required=True)
    known_at = fields.DateTime(
        required=True, allow_none=True, metadata={"description": "Whose knowledge graded; null for now"}
    )
    drawn = fields.Boolean(required=True)
    among = fields.String(required=True, allow_none=True)
    found = fields.String(required=True, allow_none=True)
    sample = fields.Nested(ShareSchema, required=True)
    concordance = fields.Float(
        required=True,
        allow_none=True,
        metadata={
            "description": "How often the lower score is of whom something was found; 0.5 says nothing"
        },
    )
    tiers = fields.List(fields.Nested(TierFoundSchema), required=True)
    rules = fields.List(fields.Nested(RuleFoundSchema), required=True)


class DriftQuery(PackQuery):
    """Which runs are compared."""

    before = fields.Integer(
        validate=validate.Range(1, LARGEST_ID),
        metadata={"description": "A run; by default the latest of a month or more before the other"},
    )
    after = fields.Integer(
        validate=validate.Range(1, LARGEST_ID), metadata={"description": "A later run; by default the latest"}
    )


class DriftRunSchema(Schema):
    """One of the two runs."""

    run_id = fields.Integer(required=True)
    as_of = fields.Date(required=True)
    known_at = fields.DateTime(required=True)


class ClassSchema(Schema):
    """A class of values, and how many subjects are in it."""

    known = fields.Boolean(required=True, metadata={"description": "False for those of whom it is unknown"})
    code = fields.String(required=True, allow_none=True)
    low = fields.Float(required=True, allow_none=True, metadata={"description": "Of numbers, from this on"})
    high = fields.Float(required=True, allow_none=True, metadata={"description": "To before this"})
    before = fields.Integer(required=True)
    after = fields.Integer(required=True)


class SilentSchema(Schema):
    """Who sends no longer what."""

    authority = fields.String(required=True)
    kind = fields.String(required=True, allow_none=True)


class ShiftSchema(Schema):
    """How something is distributed in the two runs."""

    name = fields.String(required=True)
    title = TitleField(required=True)
    index = fields.Float(required=True, metadata={"description": "The population stability index"})
    size = fields.String(required=True, validate=validate.OneOf([one.value for one in Size]))
    classes = fields.List(fields.Nested(ClassSchema), required=True)
    silent = fields.List(
        fields.Nested(SilentSchema), required=True, metadata={"description": "Of what a measure counts"}
    )


class FeedShiftSchema(SilentSchema):
    """Records by who decided: of the last three months, and of the same months a year before."""

    before = fields.Integer(required=True)
    after = fields.Integer(required=True)
    fell_silent = fields.Boolean(required=True)


class DriftSchema(Schema):
    """Two runs beside one another; what has shifted most comes first."""

    pack_id = fields.String(required=True)
    before = fields.Nested(DriftRunSchema, required=True)
    after = fields.Nested(DriftRunSchema, required=True)
    score = fields.Nested(ShiftSchema, required=True)
    tier = fields.Nested(ShiftSchema, required=True)
    inputs = fields.List(fields.Nested(ShiftSchema), required=True)
    feeds = fields.List(
        fields.Nested(FeedShiftSchema),
        required=True,
        metadata={"description": "Those with less than half or more than twice as many as a year before"},
    )
