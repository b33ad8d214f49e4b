"""What the law proposes of records and a person confirms, or says otherwise: a penalty's gravest class."""

from __future__ import annotations

from collections.abc import Sequence

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from api.around import journal
from api.around.auth import caller, own_data
from api.around.context import store, vocabulary
from api.pages.blueprint import blueprint, page
from api.pages.forms import FormError, filled_in, number
from api.resources.runs import NUMBER
from api.schemas.settling import ClassificationRequest
from rules.calendar import today
from rules.library.loader import load_vocabulary
from rules.model import Title
from scoring.answers.search import names_of
from scoring.facts.ingest.keys import ENTERPRISES
from scoring.facts.records import RecordError
from scoring.facts.settling import Ruling, list_proposals, settle_proposal, show_proposal
from scoring.live.events import records_arrived

ROWS = 50


@blueprint.get("/record-proposals")
def record_proposals() -> Response:
    """What waits for a person's word, the longest waiting first; a department sees its own records' alone."""
    words = vocabulary(request.args.get("vocabulary", ENTERPRISES))
    found = list_proposals(store(), words, authority=own_data(), after=number("after") or 0, limit=ROWS + 1)
    shown = found[:ROWS]
    journal.detail(subjects=sorted({one.subject_id for one in shown}))
    return page(
        "record_proposals",
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
    return page(
        "record_proposal",
        status,
        found=found,
        name=names_of(store(), words.id, [found.subject_id]).get(found.subject_id, found.subject_id),
        columns=words.records.columns if words.records else {},
        given=request.form,
        refused=refused,
        vocabulary=words.id,
    )
