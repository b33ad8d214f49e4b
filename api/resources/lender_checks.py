"""Lender checks (信易贷): tier and lane of a subject that consented."""

from __future__ import annotations

from typing import Any

from api import journal
from api.auth import caller, is_regulator
from api.context import settings, store
from api.idempotency import PARAMETER
from api.openapi import Blueprint
from api.paging import NumberedPageQuery, page
from api.problems import fail
from api.schemas.lender_checks import BatchRequest, BatchSchema, CheckNotePage, CheckRequest, CheckSchema
from rules.calendar import today
from scoring.audit import Entry, entries
from scoring.lending import Answer, Check, Consent, answer_checks

blueprint = Blueprint("lender_checks", __name__, url_prefix="/v1/lender-checks", description="For lenders")
ACTION = "lender.check"


@blueprint.post("")
@blueprint.body(CheckRequest)
@blueprint.answers(200, CheckSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_check(body: dict[str, Any]) -> Answer:
    """Tier, date, validity and lane of one subject. Without a valid consent 403 says why."""
    journal.subject(body["subject_id"])
    answer = _answers([body])[0]
    if answer.outcome == "refused":
        fail("consent-invalid", str(answer.reason))
    if answer.outcome == "unknown":
        fail("not-found", str(answer.reason))
    return answer


@blueprint.post("/batch")
@blueprint.body(BatchRequest)
@blueprint.answers(200, BatchSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_batch(body: dict[str, Any]) -> dict[str, Any]:
    """Up to 1,000 checks in one call, each answered by itself."""
    return {"answers": _answers(body["checks"])}


@blueprint.get("")
@blueprint.query(NumberedPageQuery)
@blueprint.answers(200, CheckNotePage)
def list_checks(query: dict[str, Any]) -> dict[str, Any]:
    """The checks that this key made, the newest first; a regulator sees those of all lenders."""
    actor = None if is_regulator() else caller().prefix
    found = page(
        lambda limit: entries(store(), actor=actor, action=ACTION, before=query.get("cursor"), limit=limit),
        query,
        lambda entry: entry.seq,
    )
    return {**found, "items": [_note(entry) for entry in found["items"]]}


def _answers(bodies: list[dict[str, Any]]) -> list[Answer]:
    checks = [_check(body) for body in bodies]
    answers = answer_checks(store(), settings().pack, checks, today())
    for check, answer in zip(checks, answers, strict=True):
        journal.note(
            ACTION,
            check.subject_id,
            lender=caller().organisation,
            consent=check.consent.reference,
            outcome=answer.outcome,
            tier=answer.tier,
        )
    return answers


def _check(body: dict[str, Any]) -> Check:
    consent = body["consent"]
    return Check(body["subject_id"], Consent(**(consent | {"scope": tuple(consent["scope"])})))


def _note(entry: Entry) -> dict[str, Any]:
    return {"at": entry.at, "key": entry.actor, "subject_id": entry.subject_id, **entry.details}
