"""Visits with a code: what anybody may verify, what came of them, and how often each office goes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, fields, validate

from api.http.fields import Day, Month, Text, TitleField, WholeNumber
from api.http.paging import NumberedPageQuery, page_of
from scoring.access.keys import Role
from scoring.facts.ingest.keys import LONGEST_KEY
from scoring.facts.visit_results import PARTY, RATINGS, outcomes
from scoring.inspections.visits import GROUNDS, OUTSIDE, CodedVisit, State

OUTCOMES = outcomes()


class InspectorSchema(Schema):
    """Somebody who may come."""

    inspector_id = fields.String(required=True, metadata={"description": "执法证号"})
    name = fields.String(required=True, allow_none=True)


class VerifiedVisitSchema(Schema):
    """What whoever has a code may know: who may come to whom, when, and on what ground."""

    code = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf([state.value for state in State]))
    subject_id = fields.String(required=True)
    name = fields.String(required=True, allow_none=True)
    authorities = fields.List(fields.String(), required=True)
    inspectors = fields.List(fields.Nested(InspectorSchema), required=True)
    begins_on = fields.Date(required=True)
    ends_on = fields.Date(required=True)
    ground = fields.String(required=True, validate=validate.OneOf(list(GROUNDS)))
    clause = TitleField(required=True, metadata={"description": "What it rests on"})
    plan_id = fields.Integer(
        required=True, allow_none=True, metadata={"description": "Its plan; null outside plans"}
    )


class IssuedVisitSchema(VerifiedVisitSchema):
    """A visit that has a code, and what came of it."""

    id = fields.Integer(required=True)
    pack_id = fields.String(required=True)
    tier = fields.String(required=True, allow_none=True)
    over_cap = fields.Boolean(
        required=True, metadata={"description": "It exceeds a cap, as a visit outside the plan may"}
    )
    why = fields.String(
        required=True, allow_none=True, metadata={"description": "null: none, or not for the enterprise"}
    )
    issued_at = fields.DateTime(required=True)
    report_until = fields.Date(
        required=True, metadata={"description": "The last day on which its result is entered"}
    )
    done_on = fields.Date(required=True, allow_none=True)
    went = fields.List(fields.String(), required=True)
    outcome = fields.String(required=True, allow_none=True, validate=validate.OneOf(list(OUTCOMES)))
    findings = fields.String(required=True, allow_none=True)
    measures = fields.String(required=True, allow_none=True)
    record_id = fields.String(
        required=True, allow_none=True, metadata={"description": "The inspection among the records"}
    )
    cancel_reason = fields.String(required=True, allow_none=True)
    rating = fields.Integer(
        required=True, allow_none=True, metadata={"description": "null: none, or not for the office"}
    )
    rating_words = fields.String(required=True, allow_none=True)


class IssuedVisitsQuery(NumberedPageQuery):
    """Which visits are wanted."""

    month = Month(metadata={"description": "Such as 2026-08"})
    office = Text(metadata={"description": "One that takes part, by whichever of its names"})
    state = fields.String(validate=validate.OneOf([state.value for state in State]))
    subject_id = Text(longest=LONGEST_KEY)


class CodesRequest(Schema):
    """The visits of a plan that are to get their codes."""

    subject_id = Text(longest=LONGEST_KEY, metadata={"description": "By default all of them"})
    begins_on = Day(metadata={"description": "By default today, or the month's first day"})
    ends_on = Day(metadata={"description": "By default the month's last day"})


class RefusedCodeSchema(Schema):
    """A visit that gets no code, and why."""

    subject_id = fields.String(required=True)
    reason = TitleField(required=True)


class CodesSchema(Schema):
    """The codes that were issued, and what was refused one."""

    issued = fields.List(fields.Nested(IssuedVisitSchema), required=True)
    refused = fields.List(fields.Nested(RefusedCodeSchema), required=True)


class OutsideVisitRequest(Schema):
    """A visit outside the plan."""

    subject_id = Text(longest=LONGEST_KEY, required=True)
    ground = fields.String(required=True, validate=validate.OneOf(list(OUTSIDE)))
    why = Text(longest=2000, required=True, metadata={"description": "What led to it; for the office"})
    authorities = fields.List(
        Text(), validate=validate.Length(1, 20), metadata={"description": "By default the key's own office"}
    )
    inspectors = fields.List(Text(), required=True, validate=validate.Length(PARTY, 20))
    begins_on = Day(required=True)
    ends_on = Day(required=True)
    pack = Text(longest=100)


class ResultRequest(Schema):
    """What came of a visit."""

    done_on = Day(required=True)
    outcome = fields.String(required=True, validate=validate.OneOf(list(OUTCOMES)))
    findings = Text(longest=2000, metadata={"description": "Where something was found"})
    measures = Text(longest=2000)
    inspectors = fields.List(
        Text(), validate=validate.Length(PARTY, 20), metadata={"description": "Who came; by default all"}
    )


class CancellationRequest(Schema):
    """Why a visit will not be made."""

    reason = Text(longest=2000, required=True)


class RatingRequest(Schema):
    """What the enterprise says of a visit."""

    rating = WholeNumber(
        required=True,
        validate=validate.Range(min(RATINGS), max(RATINGS)),
        metadata={"description": "1 (bad) to 5 (good)"},
    )
    words = Text(longest=2000)


class VisitFiguresQuery(Schema):
    """Of which month the visits are counted."""

    month = Month(metadata={"description": "By default all"})


class OfficeVisitsSchema(Schema):
    """An office's visits; a joint one is among those of each office that took part."""

    office = fields.String(required=True)
    issued = fields.Integer(required=True)
    made = fields.Integer(required=True)
    lapsed = fields.Integer(required=True)
    cancelled = fields.Integer(required=True)
    over_cap = fields.Integer(required=True)
    found = fields.Integer(required=True, metadata={"description": "Of those made, with a finding"})
    rated = fields.Integer(required=True)
    mean_rating = fields.Float(required=True, allow_none=True)


class IdleInspectorSchema(InspectorSchema):
    """An inspector whose last visits, three or more, had no finding (own choice)."""

    authority = fields.String(required=True, allow_none=True)
    in_a_row = fields.Integer(required=True)
    codes = fields.List(fields.String(), required=True, metadata={"description": "Of the last three"})


class VisitFiguresSchema(Schema):
    """Visits by office, and inspectors who are flagged."""

    offices = fields.List(fields.Nested(OfficeVisitsSchema), required=True)
    idle_inspectors = fields.List(fields.Nested(IdleInspectorSchema), required=True)


IssuedVisitPage = page_of(IssuedVisitSchema, "IssuedVisit")


def verified_view(
    visit: CodedVisit, on: dt.date, firms: Mapping[str, str], people: Mapping[str, str]
) -> dict[str, Any]:
    """What whoever has the code may know.

    :param firms, people: what enterprises and inspectors are called.
    """
    same = ("code", "subject_id", "authorities", "begins_on", "ends_on", "ground", "clause", "plan_id")
    return {name: getattr(visit, name) for name in same} | {
        "state": visit.state(on).value,
        "name": firms.get(visit.subject_id),
        "inspectors": [{"inspector_id": one, "name": people.get(one)} for one in visit.inspectors],
    }


_FULL = (
    "id", "pack_id", "tier", "over_cap", "why", "issued_at", "report_until", "done_on", "went",
    "outcome", "findings", "measures", "record_id", "cancel_reason", "rating", "rating_words",
)  # fmt: skip
_HIDDEN: Mapping[Role, tuple[str, ...]] = {
    Role.SUBJECT: ("why",),
    Role.DEPARTMENT: ("rating", "rating_words"),
}
"""Who complained is not for the enterprise, nor is what it says of an office for that office."""


def visit_view(
    visit: CodedVisit, on: dt.date, firms: Mapping[str, str], people: Mapping[str, str], role: Role
) -> dict[str, Any]:
    """A visit as somebody of a role sees it."""
    shown = {name: getattr(visit, name) for name in _FULL} | dict.fromkeys(_HIDDEN.get(role, ()))
    return verified_view(visit, on, firms, people) | shown
