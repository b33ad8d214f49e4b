"""Consents to lenders: listed, registered and withdrawn. A subject sees its own on its own page."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from flask import redirect, request, url_for
from marshmallow import Schema
from werkzeug.wrappers import Response

from api.around import journal
from api.around.auth import is_regulator, who
from api.around.context import clock, settings, store
from api.http.fields import Text
from api.http.problems import fail
from api.pages.blueprint import blueprint, most_bytes, most_mib, page
from api.pages.forms import FormError, filled_in, number, ticked
from api.pages.grades import subject_page
from api.resources.consents import told
from api.resources.runs import NUMBER
from api.schemas.consents import ConsentRequest, ReasonRequest
from rules.calendar import add_days
from rules.model import Title
from scoring.access.consents import (
    PURPOSES,
    SOON_DAYS,
    Consent,
    ConsentConflictError,
    ConsentError,
    Registration,
    day_of,
    faults_in,
    get_consent,
    list_consents,
    register,
    subject_key,
    withdraw,
)
from scoring.answers.search import names_of
from scoring.facts.ingest.keys import ENTERPRISES

ROWS = 50


class DistrictForm(ConsentRequest):
    """A consent that the district registers, as the form says it: each purpose has its box, and the signed
    document is sent, of which nothing but the digest is kept."""

    class Meta:
        """What the form asks in another way."""

        exclude = ("purposes", "document_sha256")

    lender = Text(longest=100, required=True)


class LenderForm(ConsentRequest):
    """A consent that a lender registers, likewise: it names itself, and number and document."""

    class Meta:
        """What the form asks in another way."""

        exclude = ("purposes", "document_sha256", "lender")


class ConsentForm(ConsentRequest):
    """An enterprise's own consent, as the form says it: it names itself, and each purpose has its box."""

    class Meta:
        """What the form does not ask."""

        exclude = ("subject_id", "reference", "document_sha256", "purposes")

    lender = Text(longest=100, required=True)


@blueprint.get("/consents")
def consents() -> Response:
    """Consents, the newest first, and a form to register one; a lender sees its own alone."""
    return _list(200)


@blueprint.post("/consents")
def register_consent() -> Response:
    """Register a consent to a lender: an enterprise its own, a lender those to itself, a regulator any."""
    return _own(str(who().subject)) if who().subject else _signed()


def _signed() -> Response:
    """By a document that the subject has signed."""
    try:
        form = DistrictForm if is_regulator() else LenderForm
        made = _registered(form, document_sha256=_digest())
    except ConsentError as error:
        return _list(422, error.faults)
    except ConsentConflictError as error:
        return _list(409, {"reference": error.title})
    return redirect(url_for("pages.consents", done=made.id), 303)


def _registered(form: type[Schema], **said: str | None) -> Consent:
    """The consent that a form registers, with what it does not ask.

    :raises ConsentError: naming everything that is wrong with it, whoever finds it.
    """
    given: dict[str, Any] = {**said, "purposes": ticked(PURPOSES, "purpose")}
    months = settings().consent_months
    try:
        given |= filled_in(form)
    except FormError as error:
        others = faults_in(store(), who(), {**error.others, **given}, months, clock())
        raise ConsentError({**others, **error.fields}) from None
    journal.subject(subject_key(given["subject_id"]))
    return register(store(), who(), Registration(**given), months, clock())


def _digest() -> str | None:
    """SHA-256 of the document that was sent; None where none was."""
    given = request.files.get("document")
    if given is None or not given.filename:
        return None
    return hashlib.file_digest(given.stream, "sha256").hexdigest()  # type: ignore[arg-type]  # a file of bytes


def _too_large() -> Title:
    most = most_mib()
    en = f"the document has more than {most} MiB: make it smaller"
    return Title(f"授权书文件超过{most}MiB,请压缩后再传", en)


def _list(status: int, faults: Mapping[str, Title] | None = None) -> Response:
    day, done, ending = day_of(clock()()), number("done"), request.args.get("ending")
    found = list_consents(
        store(),
        lender=who().lender,
        ends=(day, add_days(day, SOON_DAYS)) if ending else None,
        before=number("before"),
        limit=ROWS + 1,
    )
    shown = found[:ROWS]
    ids = sorted({one.subject_id for one in shown})
    journal.detail(subjects=ids)
    return page(
        "all_consents",
        status,
        consents=shown,
        names=names_of(store(), ENTERPRISES, ids) if is_regulator() else {},
        before=shown[-1].id if len(found) > ROWS else None,
        done=get_consent(store(), who(), done) if done else None,
        ending=ending,
        soon=SOON_DAYS,
        purposes=PURPOSES,
        pack_id=settings().pack,
        consent_months=settings().consent_months,
        today=day,
        given=request.form,
        faults=faults,
        most_bytes=most_bytes(),
        too_large=_too_large(),
    )


def _own(own: str) -> Response:
    pack_id = request.form.get("pack") or settings().pack
    try:
        _registered(ConsentForm, subject_id=own)
    except ConsentError as error:
        return subject_page(pack_id, own, 422, error.faults)
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
    if who().lender:
        return redirect(url_for("pages.consents"), 303)
    place = url_for("pages.subject", pack_id=settings().pack, subject_id=found.subject_id)
    return redirect(url_for("pages.own") if who().subject else place, 303)
