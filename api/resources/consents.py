"""Consents (授权): registered, withdrawn, drawn for audit and judged."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import url_for

from api.around import journal
from api.around.auth import who
from api.around.context import clock, settings, store
from api.around.idempotency import PARAMETER
from api.http.openapi import Blueprint
from api.http.paging import page
from api.http.problems import Problem, fail
from api.resources.runs import NUMBER
from api.schemas.consents import (
    ConsentPage,
    ConsentRequest,
    ConsentSchema,
    ConsentsQuery,
    JudgementRequest,
    ReasonRequest,
    SampleRequest,
    SampleSchema,
)
from scoring.access import consents
from scoring.access.consents import (
    Consent,
    ConsentConflictError,
    ConsentError,
    Registration,
)

blueprint = Blueprint("consents", __name__, url_prefix="/v1/consents", description="Consents to lenders")


@contextmanager
def told() -> Iterator[None]:
    """Answer what can't be done with consents and lenders as a problem."""
    try:
        yield
    except ConsentError as error:
        errors = [
            {"location": "json", "field": field, "message": title} for field, title in error.faults.items()
        ]
        raise Problem("invalid", error.title, errors) from None
    except ConsentConflictError as error:
        fail("conflict", error.title)


@blueprint.get("")
@blueprint.query(ConsentsQuery)
@blueprint.answers(200, ConsentPage)
def list_consents(query: dict[str, Any]) -> dict[str, Any]:
    """Consents, the newest first; a lender sees its own alone."""
    wanted: dict[str, Any] = {
        "lender": who().lender or query.get("lender"),
        "subject_id": query.get("subject_id"),
    }
    found = page(
        lambda limit: consents.list_consents(store(), **wanted, before=query.get("cursor"), limit=limit),
        query,
        lambda consent: consent.id,
    )
    journal.detail(subjects=sorted({consent.subject_id for consent in found["items"]}))
    return found


@blueprint.get(f"/{NUMBER}consent_id>")
@blueprint.answers(200, ConsentSchema)
def get_consent(consent_id: int) -> Consent:
    """A consent; a lender and a subject see their own alone."""
    with told():
        found = consents.get_consent(store(), who(), consent_id)
    journal.subject(found.subject_id)
    return found


@blueprint.post("")
@blueprint.body(ConsentRequest)
@blueprint.answers(201, ConsentSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_consent(body: dict[str, Any]) -> tuple[Consent, int, dict[str, str]]:
    """Register a consent of one subject to one lender.

    A lender registers consents to itself, with number and SHA-256 of the signed document, and is audited by
    sample; a subject registers its own; the district any.
    """
    journal.subject(consents.subject_key(body["subject_id"]))
    with told():
        made = consents.register(store(), who(), Registration(**body), settings().consent_months, clock())
    return made, 201, {"Location": url_for("consents.get_consent", consent_id=made.id)}


@blueprint.post(f"/{NUMBER}consent_id>/withdrawal")
@blueprint.body(ReasonRequest)
@blueprint.answers(200, ConsentSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_withdrawal(body: dict[str, Any], consent_id: int) -> Consent:
    """End a consent: from now on no check is answered under it."""
    with told():
        return consents.withdraw(store(), who(), consent_id, body["reason"], clock())


@blueprint.post(f"/{NUMBER}consent_id>/judgement")
@blueprint.body(JudgementRequest)
@blueprint.answers(200, ConsentSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_judgement(body: dict[str, Any], consent_id: int) -> Consent:
    """Whether the signed document was found. One that is missing stops the lender.

    Where somebody has judged already, 409 says what stands; who replaces that verdict names it.
    """
    is_found = body["verdict"] == "found"
    with told():
        return consents.judge(
            store(), who(), consent_id, is_found, body["reason"], body["instead_of"], clock()
        )


@blueprint.post("/sample")
@blueprint.body(SampleRequest)
@blueprint.answers(200, SampleSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_sample(body: dict[str, Any]) -> dict[str, Any]:
    """Draw, of what a lender registered in a month, the consents whose documents it must show."""
    month = dt.date.fromisoformat(f"{body['month']}-01")
    with told():
        return {"drawn": consents.sample(store(), who(), body["lender"], month, body["seed"], clock())}
