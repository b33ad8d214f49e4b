"""Registering and withdrawing a consent; consents are shown on the page of their subject."""

from __future__ import annotations

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from api.around import journal
from api.around.auth import who
from api.around.context import clock, settings, store
from api.http.fields import Text
from api.http.problems import fail
from api.pages.blueprint import blueprint
from api.pages.forms import FormError, filled_in, ticked
from api.pages.grades import subject_page
from api.resources.consents import told
from api.resources.runs import NUMBER
from api.schemas.consents import ConsentRequest, ReasonRequest
from scoring.access.consents import (
    PURPOSES,
    ConsentError,
    Registration,
    get_consent,
    register,
    withdraw,
)


class ConsentForm(ConsentRequest):
    """An enterprise's own consent, as the form says it: it names itself, and each purpose has its box."""

    class Meta:
        """What the form does not ask."""

        exclude = ("subject_id", "reference", "document_sha256", "purposes")

    lender = Text(longest=100, required=True)
    pack = Text(longest=100, load_default=None)


@blueprint.post("/consents")
def register_consent() -> Response:
    """Register a consent of an enterprise to a lender, by its own key."""
    own = str(who().subject)
    pack_id = request.form.get("pack") or settings().pack
    try:
        body = filled_in(ConsentForm)
        purposes = ticked(PURPOSES, "purpose")
        wanted = Registration(own, purposes, body["valid_from"], body["valid_until"], body["lender"])
        register(store(), who(), wanted, settings().consent_months, clock())
    except FormError as error:
        return subject_page(pack_id, own, 422, error.fields)
    except ConsentError as error:
        return subject_page(pack_id, own, 422, {error.field: error.title})
    return redirect(url_for("pages.subject", pack_id=pack_id, subject_id=own) + "#consents", 303)


@blueprint.post(f"/consents/{NUMBER}consent_id>/withdrawal")
def withdraw_consent(consent_id: int) -> Response:
    """End a consent: from now on no check is answered under it."""
    found = get_consent(store(), who(), consent_id)
    journal.subject(found.subject_id)
    try:
        body = filled_in(ReasonRequest)
    except FormError as error:
        fail("invalid", error.messages[0])
    with told():
        withdraw(store(), who(), consent_id, body["reason"], clock())
    place = url_for("pages.subject", pack_id=settings().pack, subject_id=found.subject_id)
    return redirect(url_for("pages.own") if who().subject else place, 303)
