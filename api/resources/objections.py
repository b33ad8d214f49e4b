"""Objections: listed with their due dates, followed, and counted by office."""

from __future__ import annotations

from typing import Any

from api.around import journal
from api.around.context import store, vocabulary
from api.around.naming import Own, own_records
from api.http.openapi import Blueprint
from api.http.paging import page
from api.resources.runs import NUMBER
from api.schemas.cases import CasesQuery, case_view
from api.schemas.objections import (
    FiguresQuery,
    ObjectionFiguresSchema,
    ObjectionPage,
    ObjectionSchema,
    either_way_view,
)
from rules.calendar import today
from scoring.answers.either_way import either_way
from scoring.facts import objection_desk
from scoring.facts.desk import Wanted
from scoring.facts.objection_desk import Objection

blueprint = Blueprint(
    "objections", __name__, url_prefix="/v1", description="Objections, their terms and their outcomes"
)


@blueprint.get("/objections")
@blueprint.query(CasesQuery)
@blueprint.answers(200, ObjectionPage)
def list_objections(query: dict[str, Any]) -> dict[str, Any]:
    """Objections with what was done about each, the longest waiting first.

    A department sees those to its own records, and its own to the findings about it; a subject its own.
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
        lambda limit: objection_desk.list_objections(store(), words.id, wanted, limit),
        query,
        lambda objection: objection.id,
    )
    journal.detail(subjects=sorted({objection.subject_id for objection in found["items"]}))
    return {**found, "items": [case_view(objection, day) for objection in found["items"]]}


@blueprint.get(f"/objections/{NUMBER}objection_id>")
@blueprint.answers(200, ObjectionSchema)
def get_objection(objection_id: int) -> dict[str, Any]:
    """An objection, and what the subject's grade would be if it were upheld, and if it were rejected.

    A subject sees its own alone; a department its own, and without grades those to its records.
    """
    day = today()
    found, own = shown_objection(objection_id)
    journal.subject(found.subject_id)
    words = vocabulary(found.vocabulary)
    sees_grade = own.authority is None
    ways = either_way(store(), words, found.subject_id, found.record_id, day) if sees_grade else ()
    return case_view(found, day) | {"grades": either_way_view(ways)}


def shown_objection(objection_id: int) -> tuple[Objection, Own]:
    """An objection for those who may see it, and whose records alone they see.

    :raises UnknownCaseError: where there is none, or it is another's.
    """
    own = own_records(objection_desk.show_objection(store(), objection_id).vocabulary)
    return objection_desk.show_objection(store(), objection_id, own.subject_id, own.authority), own


@blueprint.get("/objection-figures")
@blueprint.query(FiguresQuery)
@blueprint.answers(200, ObjectionFiguresSchema)
def get_figures(query: dict[str, Any]) -> dict[str, Any]:
    """By office: objections to its records, how many were upheld, and how long they took."""
    words = vocabulary(query["vocabulary"])
    return {"offices": objection_desk.figures(store(), words.id, today(), query.get("since"))}
