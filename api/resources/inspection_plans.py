"""Inspection plans: one joint visit an enterprise and month, within the caps of its tier."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import url_for

from api.around import journal
from api.around.context import pack_id, store
from api.around.idempotency import PARAMETER
from api.http.openapi import Blueprint
from api.http.paging import NumberedPageQuery, page
from api.http.problems import fail
from api.resources.runs import NUMBER
from api.schemas.subjects import PackQuery
from api.schemas.supervision import PlanRequest, PlanSchema, RefusalPage, VisitPage, VisitsQuery
from scoring.inspections.office import (
    PlanError,
    StoredPlan,
    make_plan,
    plan_refusals,
    plan_visits,
)
from scoring.inspections.office import get_plan as plan_of
from scoring.inspections.office import list_plans as plans_of

blueprint = Blueprint(
    "inspection_plans", __name__, url_prefix="/v1/inspection-plans", description="Who is visited, and by whom"
)


@blueprint.get("")
@blueprint.query(PackQuery)
@blueprint.answers(200, PlanSchema(many=True))
def list_plans(query: dict[str, Any]) -> list[StoredPlan]:
    """The plans of a pack, the newest first; the latest hundred."""
    return plans_of(store(), pack_id(query))


@blueprint.post("")
@blueprint.body(PlanRequest)
@blueprint.answers(201, PlanSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_plan(body: dict[str, Any]) -> tuple[StoredPlan, int, dict[str, str]]:
    """Make and keep a month's plan; the same seed and facts give the same plan.

    409 where the month has another plan in force than the one that `instead_of` names.
    """
    try:
        month = dt.date.fromisoformat(f"{body['month']}-01")
        plan = make_plan(store(), pack_id(body), month, body["seed"], instead_of=body.get("instead_of"))
    except PlanError as error:
        fail("conflict", error.title)
    return plan, 201, {"Location": url_for("inspection_plans.get_plan", plan_id=plan.id)}


@blueprint.get(f"/{NUMBER}plan_id>")
@blueprint.answers(200, PlanSchema)
def get_plan(plan_id: int) -> StoredPlan:
    """A plan, without its visits."""
    return plan_of(store(), plan_id)


@blueprint.get(f"/{NUMBER}plan_id>/visits")
@blueprint.query(VisitsQuery)
@blueprint.answers(200, VisitPage)
def list_visits(query: dict[str, Any], plan_id: int) -> dict[str, Any]:
    """A plan's visits by subject."""
    get_plan(plan_id)
    found = page(
        lambda limit: plan_visits(store(), plan_id, query.get("cursor") or "", limit),
        query,
        lambda visit: visit["subject_id"],
    )
    journal.detail(subjects=[visit["subject_id"] for visit in found["items"]])
    return found


@blueprint.get(f"/{NUMBER}plan_id>/refusals")
@blueprint.query(NumberedPageQuery)
@blueprint.answers(200, RefusalPage)
def list_refusals(query: dict[str, Any], plan_id: int) -> dict[str, Any]:
    """What a plan could not have, and why."""
    get_plan(plan_id)
    found = page(
        lambda limit: plan_refusals(store(), plan_id, query.get("cursor"), limit),
        query,
        lambda refusal: refusal["no"],
    )
    journal.detail(subjects=[refusal["subject_id"] for refusal in found["items"]])
    return found
