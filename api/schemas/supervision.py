"""Rankings of departments with their consequences, inspection plans, simulations."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from api.http.fields import Day, Halves, Month, Points, Text, TitleField, Values, WholeNumber
from api.http.paging import PageQuery, page_of
from api.schemas.runs import LARGEST_ID, MoveSchema, RunSchema, TransitionSchema
from api.schemas.subjects import GradeSchema, PackQuery, RuleSchema
from scoring.inspections.foreseen import MOST_MONTHS

LONGEST_PACK = 1_000_000


class RankingQuery(Schema):
    """Which ranking is wanted."""

    run = fields.Integer(
        validate=validate.Range(1, LARGEST_ID), metadata={"description": "By default the latest"}
    )
    as_of = Day(metadata={"description": "Of the latest run that speaks about a date up to this one"})


class StandingSchema(Schema):
    """A body in the ranking."""

    subject_id = fields.String(required=True)
    attributes = Values(required=True)
    places = Values(
        required=True, metadata={"description": "Satisfaction, answers, place, and those of last year"}
    )
    grade = fields.Nested(GradeSchema, required=True)
    unranked = fields.List(TitleField(), required=True, metadata={"description": "Why it has no place"})


class ConsequenceSchema(Schema):
    """What a result leads to for a body."""

    subject_id = fields.String(required=True)
    rule = fields.Nested(RuleSchema, required=True)


class RankingSchema(Schema):
    """The ranked bodies by place, then the others; and what follows."""

    run = fields.Nested(RunSchema, required=True)
    standings = fields.List(fields.Nested(StandingSchema), required=True)
    consequences = fields.List(fields.Nested(ConsequenceSchema), required=True)


class PopulationQuery(PackQuery):
    """How far to look."""

    months = fields.Integer(
        load_default=36,
        validate=validate.Range(1, MOST_MONTHS),
        metadata={"description": "That end after the latest run's day"},
    )


class MonthSchema(Schema):
    """A month to come."""

    begins = fields.Date(required=True)
    ends = fields.Date(required=True)
    version = fields.String(
        required=True, allow_none=True, metadata={"description": "Of the pack on the last day"}
    )
    tiers = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        required=True,
        metadata={"description": "How many subjects have each tier on the last day"},
    )
    up = fields.Integer(
        required=True, metadata={"description": "Those with a better tier than a month before"}
    )
    down = fields.Integer(required=True)
    transitions = fields.List(fields.Nested(TransitionSchema), required=True)
    inspections = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        required=True,
        metadata={"description": "How many of each tier the month's plan will draw"},
    )


class PopulationForecastSchema(Schema):
    """How many subjects will have each tier at each month's end, with nothing new known of anybody."""

    pack_id = fields.String(required=True)
    run_id = fields.Integer(required=True, metadata={"description": "The run whose facts these are"})
    known_at = fields.DateTime(required=True)
    as_of = fields.Date(required=True)
    tiers = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    months = fields.List(fields.Nested(MonthSchema), required=True)


class PlanRequest(Schema):
    """An inspection plan that is wanted."""

    month = Month(required=True, metadata={"description": "Such as 2026-08"})
    seed = Text(
        longest=100, required=True, metadata={"description": "With it the same plan can be made again"}
    )
    instead_of = WholeNumber(
        validate=validate.Range(1, LARGEST_ID),
        metadata={"description": "The month's plan in force, which it replaces; none: left out"},
    )
    pack = Text(longest=100)


class PlanSchema(Schema):
    """A month's inspection plan."""

    id = fields.Integer(required=True)
    pack_id = fields.String(required=True)
    month = fields.Date(required=True)
    seed = fields.String(required=True)
    run_id = fields.Integer(required=True)
    made_at = fields.DateTime(required=True)
    visits = fields.Integer(required=True)
    refusals = fields.Integer(required=True)


class VisitSchema(Schema):
    """A joint visit."""

    subject_id = fields.String(required=True)
    name = fields.String(required=True, allow_none=True)
    tier = fields.String(required=True)
    drawn = fields.Boolean(required=True, metadata={"description": "Chosen by the random draw"})
    complaint = fields.Boolean(required=True)
    authorities = fields.List(fields.String(), required=True)
    inspectors = fields.List(fields.String(), required=True)


class RefusalSchema(Schema):
    """What a plan could not have, and why."""

    subject_id = fields.String(required=True)
    authority = fields.String(required=True, allow_none=True)
    reason = Halves()


class SimulationRequest(Schema):
    """What is to be tried: a draft as text, or an installed version."""

    text = fields.String(
        validate=validate.Length(1, LONGEST_PACK), metadata={"description": "A pack in YAML"}
    )
    pack = Text(longest=100, metadata={"description": "Or the id of an installed pack"})
    version = Text(longest=50, metadata={"description": "and its version"})
    as_of = Day(required=True)


class VersionSchema(Schema):
    """A pack that took part."""

    pack = fields.String(required=True)
    version = fields.String(required=True)
    title = TitleField(required=True)
    hash = fields.String(required=True)


class EffectSchema(Schema):
    """A rule whose hits differ."""

    rule = fields.String(required=True)
    title = TitleField(required=True)
    subjects = fields.Integer(required=True)
    movers = fields.Integer(required=True)
    hits_before = fields.Integer(required=True)
    hits_after = fields.Integer(required=True)
    points_before = Points(required=True)
    points_after = Points(required=True)


class MoverSchema(MoveSchema):
    """A subject that would change its tier."""

    rules = fields.List(fields.String(), required=True, metadata={"description": "Those whose hits differ"})


class SimulationSchema(Schema):
    """What a pack would do, against the one in force. Nothing is published."""

    as_of = fields.Date(required=True)
    before = fields.Nested(VersionSchema, required=True)
    after = fields.Nested(VersionSchema, required=True)
    subjects = fields.Integer(required=True)
    moved = fields.Integer(required=True)
    transitions = fields.List(fields.Nested(TransitionSchema), required=True)
    rules = fields.List(fields.Nested(EffectSchema), required=True)
    movers = fields.List(
        fields.Nested(MoverSchema), required=True, metadata={"description": "The first 1,000"}
    )


class VisitsQuery(PageQuery):
    """Which page of a plan's visits is wanted."""


VisitPage = page_of(VisitSchema, "Visit")
RefusalPage = page_of(RefusalSchema, "Refusal")
