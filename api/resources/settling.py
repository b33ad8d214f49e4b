"""Contradictions, twins and the gravest class: what only a person settles about records."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from api.around import journal
from api.around.auth import caller, own_data
from api.around.context import store, vocabulary
from api.around.idempotency import PARAMETER
from api.http.openapi import Blueprint
from api.http.paging import page
from api.http.problems import fail
from api.resources.runs import NUMBER
from api.schemas.settling import (
    ClassificationBody,
    ClassificationsBody,
    ClassificationsSchema,
    ContradictionPage,
    RecordProposalPage,
    ResolutionBody,
    SettlementBody,
    SettlementSchema,
    SettlingQuery,
    TwinsPage,
)
from api.schemas.subjects import MarkSchema
from rules.calendar import today
from scoring.facts import settling
from scoring.facts.objections import Mark
from scoring.facts.records import RecordError
from scoring.facts.settling import Ruling
from scoring.live.events import records_arrived

blueprint = Blueprint(
    "settling", __name__, url_prefix="/v1", description="What only a person settles about records"
)
Found = TypeVar("Found")


@blueprint.get("/record-contradictions")
@blueprint.query(SettlingQuery)
@blueprint.answers(200, ContradictionPage)
def list_contradictions(query: dict[str, Any]) -> dict[str, Any]:
    """Rows of offices that say another status than a decision made here. It stands until you resolve them."""
    return _page(settling.list_contradictions, query)


@blueprint.post(f"/record-contradictions/{NUMBER}contradiction_id>/resolutions")
@blueprint.body(ResolutionBody)
@blueprint.answers(201, MarkSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_resolution(body: dict[str, Any], contradiction_id: int) -> Mark:
    """Confirm the status that stands, or accept the office's. Either is a mark."""
    words, accept = vocabulary(body["vocabulary"]), body["outcome"] == "accept"
    mark = _settled(
        lambda: settling.resolve_contradiction(store(), words, contradiction_id, accept, _ruling(body))
    )
    journal.subject(mark.subject_id)
    records_arrived(store(), words.id, [mark.record_id])
    return mark


@blueprint.get("/record-twins")
@blueprint.query(SettlingQuery)
@blueprint.answers(200, TwinsPage)
def list_twins(query: dict[str, Any]) -> dict[str, Any]:
    """Records that may be one decision under two numbers: the same document, or the same day, authority and
    amount. Both count until you say what they are.
    """
    return _page(settling.list_twins, query)


@blueprint.post(f"/record-twins/{NUMBER}twins_id>/settlements")
@blueprint.body(SettlementBody)
@blueprint.answers(201, SettlementSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_settlement(body: dict[str, Any], twins_id: int) -> dict[str, Any]:
    """Say which record counts: the other is revoked, with a mark. Or that they are two decisions."""
    words, keep = vocabulary(body["vocabulary"]), body["keep"]
    revoked = _settled(lambda: settling.settle_twins(store(), words, twins_id, keep, _ruling(body)))
    journal.detail(kept=keep, revoked=revoked)
    if revoked is not None:
        records_arrived(store(), words.id, [revoked])
    return {"revoked": revoked}


@blueprint.get("/record-proposals")
@blueprint.query(SettlingQuery)
@blueprint.answers(200, RecordProposalPage)
def list_proposals(query: dict[str, Any]) -> dict[str, Any]:
    """What the law proposes of records and a person must confirm: the gravest class of a penalty.

    Meanwhile the next one counts. A department sees those of its own records.
    """
    return _page(partial(settling.list_proposals, authority=own_data()), query)


@blueprint.post(f"/record-proposals/{NUMBER}proposal_id>/classifications")
@blueprint.body(ClassificationBody)
@blueprint.answers(201, MarkSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_classification(body: dict[str, Any], proposal_id: int) -> Mark:
    """Confirm what is proposed, or say another code. It is a mark, with the clause."""
    words, own, seen = vocabulary(body["vocabulary"]), own_data(), body["version"]
    mark = _settled(
        lambda: settling.settle_proposal(store(), words, proposal_id, body["code"], _ruling(body), own, seen)
    )
    journal.subject(mark.subject_id)
    records_arrived(store(), words.id, [mark.record_id])
    return mark


@blueprint.post("/record-proposals/classifications")
@blueprint.body(ClassificationsBody)
@blueprint.answers(201, ClassificationsSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_classifications(body: dict[str, Any]) -> dict[str, Any]:
    """Confirm what is proposed of several records, or say one other code of them: of all of them, or of none
    where one waits for nobody or has changed since it was seen.
    """
    words, own, code = vocabulary(body["vocabulary"]), own_data(), body["code"]
    seen = {one["id"]: one["version"] for one in body["proposals"]}
    marks = _settled(lambda: settling.settle_proposals(store(), words, seen, code, _ruling(body), own))
    journal.detail(subjects=sorted({mark.subject_id for mark in marks}), confirmed=len(marks))
    records_arrived(store(), words.id, [mark.record_id for mark in marks])
    return {"items": marks}


def _page(find: Callable[..., list[Any]], query: dict[str, Any]) -> dict[str, Any]:
    words, after = vocabulary(query["vocabulary"]), query.get("cursor") or 0
    try:
        found = page(
            lambda limit: find(store(), words, after=after, limit=limit), query, lambda item: item.id
        )
    except RecordError as error:
        fail("invalid", error.title)
    journal.detail(subjects=sorted({item.subject_id for item in found["items"]}))
    return found


def _settled(settle: Callable[[], Found]) -> Found:
    try:
        return settle()
    except RecordError as error:
        fail("conflict", error.title)


def _ruling(body: dict[str, Any]) -> Ruling:
    return Ruling(body["reason"], caller().prefix, body.get("effective_on") or today())
