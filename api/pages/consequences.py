"""Consequences: the measures that offices apply, entered and lifted."""

from __future__ import annotations

from collections.abc import Sequence

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from api.around import journal
from api.around.auth import caller, own_data, who
from api.around.context import store, vocabulary
from api.pages.blueprint import blueprint, page
from api.pages.forms import FormError, filled_in, number
from api.pages.graded import graded_titles, kind_asked, kinds_of_records
from api.resources.consequences import entered
from api.resources.runs import NUMBER
from api.schemas.consequences import ConsequenceBody, LiftBody
from rules.calendar import today
from rules.library.sanctions import sanctions
from rules.model import Title
from scoring.access.keys import Role
from scoring.answers.search import names_of
from scoring.facts.consequences import lift_consequence, list_consequences
from scoring.facts.records import RecordError, UnknownRecordError

ROWS = 50


@blueprint.get("/consequences")
def consequences() -> Response:
    """The measures that are applied, or all that ever were, and the form to enter one."""
    return _ledger(200)


@blueprint.post("/consequences")
def enter_measure() -> Response:
    """Enter a measure."""
    try:
        found = entered(filled_in(ConsequenceBody))
    except FormError as error:
        return _ledger(422, error.messages)
    except (RecordError, UnknownRecordError) as error:
        return _ledger(409, [error.title])
    journal.subject(found.subject_id)
    return redirect(url_for("pages.consequences", vocabulary=found.vocabulary), 303)


@blueprint.post(f"/consequences/{NUMBER}consequence_id>/lifts")
def lift_measure(consequence_id: int) -> Response:
    """Lift a measure."""
    try:
        body = filled_in(LiftBody)
        found = lift_consequence(
            store(), consequence_id, body["reason"], caller().prefix, body["on"], own_data()
        )
    except FormError as error:
        return _ledger(422, error.messages)
    except RecordError as error:
        return _ledger(409, [error.title])
    journal.subject(found.subject_id)
    return redirect(url_for("pages.consequences", vocabulary=found.vocabulary), 303)


def _ledger(status: int, refused: Sequence[Title] = ()) -> Response:
    kinds = kinds_of_records(today(), who().subject)
    words = vocabulary(kind_asked(kinds))
    state = request.args.get("state", "standing")
    found = list_consequences(
        store(),
        words.id,
        subject_id=who().subject,
        office=own_data(),
        standing=state == "standing",
        after=number("after") or 0,
        limit=ROWS + 1,
    )
    shown = found[:ROWS]
    journal.detail(subjects=sorted({one.subject_id for one in shown}))
    return page(
        "consequences",
        status,
        found=shown,
        after=shown[-1].id if len(found) > ROWS else None,
        names=names_of(store(), words.id, {one.subject_id for one in shown}),
        state=state,
        vocabulary=words.id,
        kinds=kinds,
        packs=graded_titles(),
        sanctions=sanctions(),
        may_enter=caller().role is not Role.SUBJECT,
        own=own_data(),
        given=request.form,
        refused=refused,
        today=today(),
    )
