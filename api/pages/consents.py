"""Withdrawing a consent; consents are shown on the page of their subject."""

from __future__ import annotations

from flask import redirect, url_for
from werkzeug.wrappers import Response

from api.around import journal
from api.around.auth import who
from api.around.context import clock, settings, store
from api.http.problems import fail
from api.pages.blueprint import blueprint
from api.pages.forms import FormError, filled_in
from api.resources.consents import told
from api.resources.runs import NUMBER
from api.schemas.consents import ReasonRequest
from scoring.access.consents import get_consent, withdraw


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
