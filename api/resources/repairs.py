"""Applications for repair: listed with their due dates, followed, and counted by office."""

from __future__ import annotations

from typing import Any

from api.around import journal
from api.around.auth import own_data, who
from api.around.context import store, vocabulary
from api.around.naming import own_records
from api.http.openapi import Blueprint
from api.http.paging import page
from api.resources.runs import NUMBER
from api.schemas.cases import CasesQuery, case_view
from api.schemas.repairs import (
    ApplicationPage,
    ApplicationSchema,
    RepairFiguresQuery,
    RepairFiguresSchema,
)
from rules.calendar import today
from scoring.facts.desk import Wanted
from scoring.facts.repair_desk import DESK, repair_figures

blueprint = Blueprint(
    "repairs", __name__, url_prefix="/v1", description="Repairs that were applied for, and their terms"
)


@blueprint.get("/repairs")
@blueprint.query(CasesQuery)
@blueprint.answers(200, ApplicationPage)
def list_repairs(query: dict[str, Any]) -> dict[str, Any]:
    """Applications for repair with what was done about each, the longest waiting first.

    A department sees those about its own records, a subject its own.
    """
    words, day = vocabulary(query["vocabulary"]), today()
    own = own_records(words.id)
    wanted = Wanted(
        own.subject_id,
        own.authority,
        query["open"],
        day if query["overdue"] else None,
        query.get("cursor") or 0,
    )
    found = page(
        lambda limit: DESK.list(store(), words.id, wanted, limit), query, lambda application: application.id
    )
    journal.detail(subjects=sorted({application.subject_id for application in found["items"]}))
    return {**found, "items": [case_view(application, day) for application in found["items"]]}


@blueprint.get(f"/repairs/{NUMBER}application_id>")
@blueprint.answers(200, ApplicationSchema)
def get_repair(application_id: int) -> dict[str, Any]:
    """An application for repair. A department sees those about its own records, a subject its own."""
    found = DESK.show(store(), application_id, who().subject, own_data())
    journal.subject(found.subject_id)
    return case_view(found, today())


@blueprint.get("/repair-figures")
@blueprint.query(RepairFiguresQuery)
@blueprint.answers(200, RepairFiguresSchema)
def get_repair_figures(query: dict[str, Any]) -> dict[str, Any]:
    """By office: applications for the repair of its records, how they ended, and how long they took."""
    words = vocabulary(query["vocabulary"])
    return {"offices": repair_figures(store(), words.id, today(), query.get("since"))}
