"""The ledger of consequences: measures entered by offices, and lifted."""

from __future__ import annotations

from typing import Any

from flask import url_for

from api.around import journal
from api.around.auth import caller, own_data, who
from api.around.context import store, vocabulary
from api.around.idempotency import PARAMETER
from api.http.openapi import Blueprint
from api.http.paging import page
from api.http.problems import fail
from api.resources.runs import NUMBER
from api.schemas.consequences import (
    ConsequenceBody,
    ConsequencePage,
    ConsequencesQuery,
    LedgerEntrySchema,
    LiftBody,
    SanctionsSchema,
)
from rules.library.sanctions import sanctions
from rules.titles import Title
from scoring.facts import consequences as ledger
from scoring.facts.consequences import Consequence, ConsequenceRefusedError, Grade, NewConsequence
from scoring.facts.ingest.keys import subject_key
from scoring.facts.records import RecordError
from scoring.runs.ground import published_grade

blueprint = Blueprint(
    "consequences", __name__, url_prefix="/v1", description="Measures applied because of grades and records"
)


@blueprint.get("/sanctions")
@blueprint.answers(200, SanctionsSchema)
def get_sanctions() -> dict[str, Any]:
    """The national list of measures, with the clauses by which offices may apply them."""
    found = sanctions()
    shown = {name: getattr(found, name) for name in ("title", "source", "is_checked")}
    return shown | {"clauses": list(found.clauses.values())}


@blueprint.get("/consequences")
@blueprint.query(ConsequencesQuery)
@blueprint.answers(200, ConsequencePage)
def list_consequences(query: dict[str, Any]) -> dict[str, Any]:
    """Measures in the order in which they were entered. A department sees its own, a subject its own."""
    words = vocabulary(query["vocabulary"])
    subject = who().subject or (query.get("subject_id") and subject_key(words, query["subject_id"]))
    found = page(
        lambda limit: ledger.list_consequences(
            store(),
            words.id,
            subject_id=subject,
            office=own_data(),
            standing=query["standing"],
            after=query.get("cursor") or 0,
            limit=limit,
        ),
        query,
        lambda one: one.id,
    )
    journal.detail(subjects=sorted({one.subject_id for one in found["items"]}))
    return found


@blueprint.get(f"/consequences/{NUMBER}consequence_id>")
@blueprint.answers(200, LedgerEntrySchema)
def get_consequence(consequence_id: int) -> Consequence:
    """A measure. A department sees its own, a subject its own."""
    found = ledger.show_consequence(store(), consequence_id, who().subject, own_data())
    journal.subject(found.subject_id)
    return found


@blueprint.post("/consequences")
@blueprint.body(ConsequenceBody)
@blueprint.answers(201, LedgerEntrySchema)
@blueprint.describe(parameters=[PARAMETER])
def post_consequence(body: dict[str, Any]) -> tuple[Consequence, int, dict[str, str]]:
    """Enter a measure that an office applies: a department its own, a regulator any office's.

    409 without a clause of the national list, without a ground that bears it, or where it is entered already.
    """
    try:
        found = entered(body)
    except RecordError as error:
        fail("conflict", error.title)
    journal.subject(found.subject_id)
    return found, 201, {"Location": url_for("consequences.get_consequence", consequence_id=found.id)}


@blueprint.post(f"/consequences/{NUMBER}consequence_id>/lifts")
@blueprint.body(LiftBody)
@blueprint.answers(201, LedgerEntrySchema)
@blueprint.describe(parameters=[PARAMETER])
def post_lift(body: dict[str, Any], consequence_id: int) -> Consequence:
    """Lift a measure: a department its own. What rests on a record is lifted with its repair by itself."""
    try:
        found = ledger.lift_consequence(
            store(), consequence_id, body["reason"], caller().prefix, body["on"], own_data()
        )
    except RecordError as error:
        fail("conflict", error.title)
    journal.subject(found.subject_id)
    return found


def entered(body: dict[str, Any]) -> Consequence:
    """Enter a measure for whoever asks.

    :raises ConsequenceRefusedError: as :func:`scoring.facts.consequences.enter_consequence`, and where no
        office, or not exactly one ground, is named.
    """
    own, given = own_data(), body.get("office")
    if own is not None and given not in (None, own):
        raise ConsequenceRefusedError(
            Title(f"只能登记本单位({own})的措施", f"you enter measures of your own office alone: {own}")
        )
    office = own or given
    if office is None:
        raise ConsequenceRefusedError(Title("未注明实施单位", "say which office applies the measure"))
    wanted = NewConsequence(
        body["subject_id"],
        office,
        body["clause"],
        _ground(body),
        body["reason"],
        body["begins_on"],
        caller().prefix,
    )
    return ledger.enter_consequence(store(), vocabulary(body["vocabulary"]), wanted)


def _ground(body: dict[str, Any]) -> str | Grade:
    record, pack = body.get("record_id"), body.get("pack")
    if (record is None) == (pack is None):
        raise ConsequenceRefusedError(
            Title("依据须为一条记录或一项评价,二者择一", "it rests on a record or a grade: name one of them")
        )
    return record if record is not None else published_grade(store(), str(pack), body["subject_id"])
