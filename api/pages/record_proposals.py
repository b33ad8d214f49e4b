"""What the law proposes of records and a person confirms, or says otherwise: a penalty's gravest class."""

from __future__ import annotations

from collections.abc import Sequence

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from api.around import journal
from api.around.auth import caller, own_data
from api.around.context import store, vocabulary
from api.pages.blueprint import blueprint, page
from api.pages.forms import FormError, filled_in, number, ticked_numbers
from api.resources.runs import NUMBER
from api.schemas.settling import ClassificationRequest, ConfirmationRequest
from rules.calendar import today
from rules.library.loader import load_vocabulary
from rules.model import Title
from scoring.access.keys import owners_of
from scoring.answers.search import names_of
from scoring.facts.cases import STEP_TITLES
from scoring.facts.ingest.keys import ENTERPRISES
from scoring.facts.merging import STATUS
from scoring.facts.records import RecordError
from scoring.facts.settling import Ruling, list_proposals, settle_proposal, settle_proposals, show_proposal
from scoring.live.events import records_arrived

ROWS = 50


@blueprint.get("/record-proposals")
def record_proposals() -> Response:
    """What waits for a person's word, the longest waiting first; a department sees its own records' alone."""
    return _proposals(200)


@blueprint.post("/record-proposals/classifications")
def classify_records() -> Response:
    """Confirm what is proposed of each record that is ticked; of all or none."""
    words = vocabulary(request.args.get("vocabulary", ENTERPRISES))
    try:
        body, numbers = filled_in(ConfirmationRequest), ticked_numbers("confirm")
        if not numbers:
            raise FormError([Title("请勾选要确认的记录", "tick the records to be confirmed")])
        ruling = Ruling(body["reason"], caller().prefix, today())
        marks = settle_proposals(store(), words, numbers, None, ruling, own_data())
    except FormError as error:
        return _proposals(422, error.messages)
    except RecordError as error:
        return _proposals(409, [error.title])
    journal.detail(subjects=sorted({mark.subject_id for mark in marks}), confirmed=len(marks))
    records_arrived(store(), words.id, [mark.record_id for mark in marks])
    return redirect(url_for("pages.record_proposals", vocabulary=words.id), 303)


def _proposals(status: int, refused: Sequence[Title] = ()) -> Response:
    words = vocabulary(request.args.get("vocabulary", ENTERPRISES))
    found = list_proposals(store(), words, authority=own_data(), after=number("after") or 0, limit=ROWS + 1)
    shown = found[:ROWS]
    journal.detail(subjects=sorted({one.subject_id for one in shown}))
    return page(
        "record_proposals",
        status,
        given=request.form,
        refused=refused,
        proposals=shown,
        after=shown[-1].id if len(found) > ROWS else None,
        names=names_of(store(), words.id, {one.subject_id for one in shown}),
        columns=words.records.columns if words.records else {},
        vocabulary=words.id,
    )


@blueprint.get(f"/record-proposals/{NUMBER}proposal_id>")
def record_proposal(proposal_id: int) -> Response:
    """A record with what is proposed of it, the clause, and what may be said."""
    return _proposal(proposal_id, 200)


@blueprint.post(f"/record-proposals/{NUMBER}proposal_id>/classifications")
def classify_record(proposal_id: int) -> Response:
    """Confirm what is proposed, or say another code."""
    name, found = show_proposal(store(), proposal_id, own_data())
    journal.subject(found.subject_id)
    words = load_vocabulary(name)
    try:
        body = filled_in(ClassificationRequest)
        ruling = Ruling(body["reason"], caller().prefix, today())
        settle_proposal(store(), words, proposal_id, body["request"], ruling, own_data(), body["seen"])
    except FormError as error:
        return _proposal(proposal_id, 422, error.messages)
    except RecordError as error:
        return _proposal(proposal_id, 409, [error.title])
    records_arrived(store(), words.id, [found.record_id])
    return redirect(url_for("pages.record_proposals", vocabulary=words.id), 303)


def _proposal(proposal_id: int, status: int, refused: Sequence[Title] = ()) -> Response:
    name, found = show_proposal(store(), proposal_id, own_data())
    words = load_vocabulary(name)
    journal.subject(found.subject_id)
    columns = words.records.columns if words.records else {}
    return page(
        "record_proposal",
        status,
        found=found,
        name=names_of(store(), words.id, [found.subject_id]).get(found.subject_id, found.subject_id),
        columns=columns,
        steps=STEP_TITLES,
        owners=owners_of(store(), (mark.made_by for mark in found.marks)),
        status_column=columns.get(STATUS),
        given=request.form,
        refused=refused,
        vocabulary=words.id,
    )
