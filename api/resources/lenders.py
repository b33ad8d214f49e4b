"""Lenders: how their consents stand, and whether their checks are answered."""

from __future__ import annotations

from typing import Any

from api.around.auth import who
from api.around.context import clock, store
from api.around.idempotency import PARAMETER
from api.http.openapi import Blueprint
from api.resources.consents import told
from api.schemas.consents import LenderReasonRequest, LendersSchema, LiftRequest
from scoring.access import consents

blueprint = Blueprint("lenders", __name__, url_prefix="/v1/lenders", description="Lenders and their consents")


@blueprint.get("")
@blueprint.answers(200, LendersSchema)
def list_lenders() -> dict[str, Any]:
    """Every lender with its consents counted by who registered them and by what became of them."""
    return {"lenders": consents.list_lenders(store())}


@blueprint.post("/stop")
@blueprint.body(LenderReasonRequest)
@blueprint.answers(200, LendersSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_stop(body: dict[str, Any]) -> dict[str, Any]:
    """Refuse all checks of a lender until the stop is lifted."""
    with told():
        consents.stop_lender(store(), who(), body["lender"], body["reason"], clock())
    return {"lenders": consents.list_lenders(store())}


@blueprint.post("/lift")
@blueprint.body(LiftRequest)
@blueprint.answers(200, LendersSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_lift(body: dict[str, Any]) -> dict[str, Any]:
    """Answer a lender's checks again."""
    with told():
        consents.lift_stop(store(), who(), body["lender"], body["reason"], clock(), body["stopped_at"])
    return {"lenders": consents.list_lenders(store())}
