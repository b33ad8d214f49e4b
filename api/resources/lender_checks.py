"""Lender checks (信易贷): tier and lane of a subject that consented."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from api.around import journal
from api.around.auth import who
from api.around.context import clock, settings, store
from api.http.openapi import Blueprint
from api.http.paging import NumberedPageQuery, page
from api.http.problems import fail, field_errors, told_fault
from api.schemas.lender_checks import (
    BatchRequest,
    BatchSchema,
    CheckNotePage,
    CheckRequest,
    CheckSchema,
    Faulty,
)
from scoring.access.consents import LenderStoppedError, subject_key
from scoring.access.lending import Answer, Check, answer_checks, check_note, checks_by

_PROBLEMS = {"refused": "consent-invalid", "unknown": "not-found"}

blueprint = Blueprint("lender_checks", __name__, url_prefix="/v1/lender-checks", description="For lenders")


@blueprint.post("")
@blueprint.body(CheckRequest)
@blueprint.answers(200, CheckSchema)
def post_check(body: dict[str, Any]) -> Answer:
    """Tier, date, validity and lane of one subject. Without a valid consent 403 says why.

    Asked again, it is a check again: under the consent as it then stands, and with an entry of its own.
    """
    journal.subject(subject_key(body["subject_id"]))
    (answer,) = _answers([Check(**body)])
    if answer.reason is not None and answer.outcome in _PROBLEMS:
        fail(_PROBLEMS[answer.outcome], answer.reason)
    return answer


@blueprint.post("/batch")
@blueprint.body(BatchRequest)
@blueprint.answers(200, BatchSchema)
def post_batch(body: dict[str, Any]) -> dict[str, Any]:
    """Up to 1,000 checks in one call, each under its own consent and answered by itself."""
    asked = body["checks"]
    answers = iter(_answers([Check(**check) for check in asked if not isinstance(check, Faulty)]))
    return {
        "answers": [
            _invalid(number, check) if isinstance(check, Faulty) else next(answers)
            for number, check in enumerate(asked)
        ]
    }


@blueprint.get("")
@blueprint.query(NumberedPageQuery)
@blueprint.answers(200, CheckNotePage)
def list_checks(query: dict[str, Any]) -> dict[str, Any]:
    """The checks that this lender made, by whichever of its keys, the newest first; a regulator sees those of
    all lenders.
    """
    found = page(
        lambda limit: checks_by(store(), who(), before=query.get("cursor"), limit=limit),
        query,
        lambda entry: entry.seq,
    )
    return {**found, "items": [check_note(entry) for entry in found["items"]]}


def _answers(checks: Sequence[Check]) -> list[Answer]:
    try:
        return answer_checks(store(), settings().pack, who(), checks, clock())
    except LenderStoppedError as error:
        fail("lender-stopped", error.title)


def _invalid(number: int, check: Faulty) -> dict[str, Any]:
    errors = list(map(told_fault, field_errors("json", check.messages, ("checks", str(number)))))
    reason = "; ".join(f"{error['field']}: {error['message']}" for error in errors)
    unanswered = dict.fromkeys(("tier", "graded_on", "valid_until", "lane"))
    return {
        "subject_id": check.subject_id,
        "outcome": "invalid",
        "reason": reason,
        "errors": errors,
        **unanswered,
    }
