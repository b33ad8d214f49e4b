"""Visits with a code: issued, verified by whoever has the code, reported, rated, counted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from flask import url_for

from api.around import journal
from api.around.auth import caller, own_data, who
from api.around.context import pack_id, store
from api.around.idempotency import PARAMETER
from api.http.openapi import Blueprint
from api.http.paging import page
from api.http.problems import fail
from api.resources.runs import NUMBER
from api.schemas.visits import (
    CancellationRequest,
    CodesRequest,
    CodesSchema,
    IssuedVisitPage,
    IssuedVisitSchema,
    IssuedVisitsQuery,
    OutsideVisitRequest,
    RatingRequest,
    ResultRequest,
    VerifiedVisitSchema,
    VisitFiguresQuery,
    VisitFiguresSchema,
    verified_view,
    visit_view,
)
from rules.calendar import today
from rules.model import Title
from scoring.access.keys import Role
from scoring.answers.search import names_of
from scoring.facts.visit_results import Rating, Result, VisitRefusedError, enter_rating, enter_result
from scoring.inspections import visits
from scoring.inspections.codes import Days, OutsideVisit, cancel_visit, issue_outside, issue_plan
from scoring.inspections.office import get_plan
from scoring.inspections.visits import CodedVisit, State, Wanted
from scoring.live.events import records_arrived

blueprint = Blueprint("visits", __name__, url_prefix="/v1", description="No visit without a code")
Created = tuple[dict[str, Any], int, dict[str, str]]


@blueprint.get("/visits")
@blueprint.query(IssuedVisitsQuery)
@blueprint.answers(200, IssuedVisitPage)
def list_visits(query: dict[str, Any]) -> dict[str, Any]:
    """Visits that have a code, the one issued last first.

    A department sees those in which it takes part, without the enterprise's rating; a subject its own,
    without what led to them.
    """
    day, office = today(), _office()
    wanted = Wanted(
        month=_month(query),
        office=office or query.get("office"),
        state=State(query["state"]) if "state" in query else None,
        subject_id=who().subject or query.get("subject_id"),
        before=query.get("cursor"),
    )
    found = page(lambda limit: visits.list_visits(store(), wanted, day, limit), query, lambda visit: visit.id)
    journal.detail(subjects=sorted({visit.subject_id for visit in found["items"]}))
    return {**found, "items": _views(found["items"], day)}


@blueprint.post("/visits")
@blueprint.body(OutsideVisitRequest)
@blueprint.answers(201, IssuedVisitSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_visit(body: dict[str, Any]) -> Created:
    """Issue the code of a visit outside the plan, with its ground. It is not bound by the caps, and counts.

    A department issues codes for visits that it makes alone.
    """
    own = _office()
    authorities = body.get("authorities") or [name for name in (caller().organisation,) if name]
    if not authorities:
        en = "authorities: say which offices go; the key names none"
        fail("invalid", Title("authorities:请写明检查单位,此密钥不属于任何单位", en))
    wanted = OutsideVisit(
        body["subject_id"],
        body["ground"],
        body["why"],
        tuple(authorities),
        tuple(body["inspectors"]),
        Days(body["begins_on"], body["ends_on"]),
    )
    try:
        visit = issue_outside(store(), pack_id(body), wanted, caller().prefix, today(), own)
    except VisitRefusedError as error:
        fail("conflict", error.title)
    return _created(visit)


@blueprint.post(f"/inspection-plans/{NUMBER}plan_id>/codes")
@blueprint.body(CodesRequest)
@blueprint.answers(200, CodesSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_codes(body: dict[str, Any], plan_id: int) -> dict[str, Any]:
    """Give the visits of a plan their codes, within the caps; those that have one are left as they are."""
    day = today()
    month = get_plan(store(), plan_id).month
    days = None
    if body.keys() & {"begins_on", "ends_on"}:
        begins_on = body.get("begins_on", max(day, month))
        days = Days(begins_on, body.get("ends_on", visits.month_end(begins_on)))
    try:
        done = issue_plan(store(), plan_id, caller().prefix, day, days, body.get("subject_id"))
    except VisitRefusedError as error:
        fail("conflict", error.title)
    journal.detail(subjects=[visit.subject_id for visit in done.visits])
    refused = [{"subject_id": subject, "reason": why} for subject, why in done.refused.items()]
    return {"issued": _views(done.visits, day), "refused": refused}


@blueprint.get("/visits/<code>")
@blueprint.answers(200, VerifiedVisitSchema)
def verify_visit(code: str) -> dict[str, Any]:
    """Who may come to whom, when, and on what ground: for whoever has the code, without a key."""
    visit = visits.find_visit(store(), code)
    return verified_view(visit, today(), *_names([visit]))


@blueprint.get("/visits/<code>/details")
@blueprint.answers(200, IssuedVisitSchema)
def get_visit(code: str) -> dict[str, Any]:
    """A visit and what came of it; a department's own, a subject's own."""
    visit = visits.find_visit(store(), code, _office(), who().subject)
    journal.subject(visit.subject_id)
    return _views([visit], today())[0]


@blueprint.post("/visits/<code>/results")
@blueprint.body(ResultRequest)
@blueprint.answers(201, IssuedVisitSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_result(body: dict[str, Any], code: str) -> Created:
    """Enter what came of a visit, once: it is an inspection among the enterprise's records from then on."""
    went = tuple(body.get("inspectors", ()))
    result = Result(body["done_on"], body["outcome"], body.get("findings"), body.get("measures"), went)
    try:
        enter_result(store(), code, result, caller().prefix, today(), _office())
    except VisitRefusedError as error:
        fail("conflict", error.title)
    visit = visits.find_visit(store(), code)
    if visit.record_id is not None:
        records_arrived(store(), visit.vocabulary, [visit.record_id])
    return _created(visit)


@blueprint.post("/visits/<code>/ratings")
@blueprint.body(RatingRequest)
@blueprint.answers(201, IssuedVisitSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_rating(body: dict[str, Any], code: str) -> Created:
    """Enter what the enterprise says of a visit that was made, once; a regulator enters it from paper."""
    rating = Rating(body["rating"], body.get("words"))
    try:
        enter_rating(store(), code, rating, caller().prefix, who().subject)
    except VisitRefusedError as error:
        fail("conflict", error.title)
    return _created(visits.find_visit(store(), code))


@blueprint.post("/visits/<code>/cancellations")
@blueprint.body(CancellationRequest)
@blueprint.answers(201, IssuedVisitSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_cancellation(body: dict[str, Any], code: str) -> Created:
    """Say that a visit will not be made, and why; its code is void, and it counts no longer."""
    try:
        cancel_visit(store(), code, body["reason"], caller().prefix, today(), _office())
    except VisitRefusedError as error:
        fail("conflict", error.title)
    return _created(visits.find_visit(store(), code))


@blueprint.get("/visit-figures")
@blueprint.query(VisitFiguresQuery)
@blueprint.answers(200, VisitFiguresSchema)
def get_figures(query: dict[str, Any]) -> dict[str, Any]:
    """Visits by office, and inspectors whose last three visits or more had no finding.

    A department sees itself alone.
    """
    office = _office()
    wanted = Wanted(month=_month(query), office=office)
    return {
        "offices": visits.figures(store(), wanted, today()),
        "idle_inspectors": visits.idle_inspectors(store(), office),
    }


def _office() -> str | None:
    """The office whose visits alone a department's key touches."""
    return own_data() if caller().role is Role.DEPARTMENT else None


def _month(query: dict[str, Any]) -> dt.date | None:
    return dt.date.fromisoformat(f"{query['month']}-01") if "month" in query else None


def _created(visit: CodedVisit) -> Created:
    journal.subject(visit.subject_id)
    place = url_for("visits.get_visit", code=visit.code)
    return _views([visit], today())[0], 201, {"Location": place}


def _views(found: Sequence[CodedVisit], on: dt.date) -> list[dict[str, Any]]:
    names = _names(found)
    return [visit_view(visit, on, *names, caller().role) for visit in found]


def _names(found: Sequence[CodedVisit]) -> tuple[dict[str, str], dict[str, str]]:
    """What the enterprises and the inspectors of visits are called."""
    firms: dict[str, str] = {}
    for vocabulary in {visit.vocabulary for visit in found}:
        own = {visit.subject_id for visit in found if visit.vocabulary == vocabulary}
        firms |= names_of(store(), vocabulary, own)
    return firms, visits.inspector_names(store(), {one for visit in found for one in visit.inspectors})
