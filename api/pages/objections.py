"""Objections: which are open and until when, what was done about each, its two outcomes, and the figures."""

from __future__ import annotations

from collections.abc import Sequence

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from api.around import journal
from api.around.auth import is_regulator, who
from api.around.context import store, vocabulary
from api.around.naming import Own, own_records
from api.http.problems import fail
from api.pages.blueprint import blueprint, page
from api.pages.cases import ROWS, case_page, known, list_page, mark_asked, state_asked, wanted_cases
from api.pages.forms import FormError, filled_in
from api.pages.graded import kind_asked, kinds_of_records
from api.resources.objections import shown_objection
from api.resources.runs import NUMBER
from api.schemas.objections import ObjectionRequest, ObjectionStepRequest
from rules.calendar import today
from rules.library.loader import load_vocabulary
from rules.model import Title
from scoring.answers.either_way import either_way
from scoring.answers.search import names_of
from scoring.facts.ingest.keys import ENTERPRISES
from scoring.facts.objection_case import (
    ACKNOWLEDGE_WITHIN,
    DECIDE_WITHIN,
    OUTCOME_TITLES,
    OUTCOMES,
    STAGE_TITLES,
    WAYS,
    Stage,
)
from scoring.facts.objection_desk import Objection, figures, list_objections
from scoring.facts.objections import Kind, Mark, list_marks, mark_record
from scoring.facts.records import RecordError, get_record
from scoring.live.events import records_arrived

REQUESTS: dict[str, tuple[Kind, str, Title]] = {
    "acknowledge": ("acknowledgement", "disputed", Title("受理", "Acknowledge")),
    "uphold": ("decision", OUTCOMES["upheld"], Title("异议成立，撤销记录", "Uphold: the record is revoked")),
    "reject": ("decision", OUTCOMES["rejected"], Title("驳回异议，维持记录", "Reject: the record stands")),
    "appeal": ("appeal", "disputed", Title("申请复核", "Ask for a review")),
}
"""What the form may ask for: the mark, the record's status after it, and what the button says."""


@blueprint.get("/objections")
def objections() -> Response:
    """Objections that wait for an office, the longest waiting first; or those that are late, or all.

    Who is graded sees its own alone; an office its own, and those to its records.
    """
    kinds = kinds_of_records(today(), who().subject)
    words = vocabulary(kind_asked(kinds))
    own = own_records(words.id)
    state = state_asked(own)
    found = list_objections(store(), words.id, wanted_cases("objections", state, own), ROWS + 1)
    return list_page("objections", words, found, state, STAGE_TITLES, kinds)


@blueprint.get("/objections/new")
def new_objection() -> Response:
    """The form in which an objection to a record is filed."""
    return _form(200)


@blueprint.post("/objections")
def file_objection() -> Response:
    """File an objection; a regulator does so for who is graded, and an office to whose record it is."""
    try:
        mark = _file()
    except FormError as error:
        return _form(422, error.messages)
    except RecordError as error:
        return _form(409, [error.title])
    journal.subject(mark.subject_id)
    records_arrived(store(), request.form.get("vocabulary", ENTERPRISES), [mark.record_id])
    return redirect(url_for("pages.objection", objection_id=mark.id), 303)


@blueprint.get(f"/objections/{NUMBER}objection_id>")
def objection(objection_id: int) -> Response:
    """An objection: what was done, the record, what the grade would be either way, and what may be done."""
    return _objection(*shown_objection(objection_id), 200)


@blueprint.post(f"/objections/{NUMBER}objection_id>/steps")
def move_objection(objection_id: int) -> Response:
    """Acknowledge, decide or review an objection, or note that the review is asked for."""
    found, own = shown_objection(objection_id)
    journal.subject(found.subject_id)
    try:
        _move(found, own)
    except FormError as error:
        return _objection(found, own, 422, error.messages)
    except RecordError as error:
        return _objection(*shown_objection(objection_id), 409, [error.title])
    records_arrived(store(), found.vocabulary, [found.record_id])
    return redirect(url_for("pages.objection", objection_id=objection_id), 303)


@blueprint.get("/objections/figures")
def objection_figures() -> Response:
    """How each office deals with objections to its records."""
    words = vocabulary(request.args.get("vocabulary", ENTERPRISES))
    return page("objection_figures", offices=figures(store(), words.id, today()))


def _form(status: int, refused: Sequence[Title] = ()) -> Response:
    words = vocabulary(request.values.get("vocabulary", ENTERPRISES))
    own, number = own_records(words.id), request.values.get("record", "")
    found = get_record(store(), words, number, own.authority, own.subject_id)[0]
    journal.subject(found.subject_id)
    return page(
        "new_objection",
        status,
        found=found,
        name=names_of(store(), words.id, [found.subject_id]).get(found.subject_id, found.subject_id),
        vocabulary=words.id,
        record=known(found),
        columns=words.records.columns if words.records else {},
        acknowledge_within=ACKNOWLEDGE_WITHIN,
        decide_within=DECIDE_WITHIN,
        given=request.form,
        refused=refused,
    )


def _file() -> Mark:
    body = filled_in(ObjectionRequest)
    words = vocabulary(body["vocabulary"])
    wanted = mark_asked("objection", "disputed", body)
    own = own_records(words.id)
    return mark_record(store(), words, body["record"], wanted, own.authority, own.subject_id)


def _move(found: Objection, own: Own) -> None:
    body = filled_in(ObjectionStepRequest)
    if not is_regulator() and body["request"] != "appeal":
        fail("forbidden", Title("此事项由信用监管机构办理", "this is for the office to do"))
    kind, status, _ = REQUESTS[body["request"]]
    words = load_vocabulary(found.vocabulary)
    wanted = mark_asked(kind, status, body)
    mark_record(store(), words, found.record_id, wanted, own.authority, own.subject_id)


def _objection(found: Objection, own: Own, status: int, refused: Sequence[Title] = ()) -> Response:
    words = load_vocabulary(found.vocabulary)
    sees_grade = own.authority is None and not found.case.is_final(today())
    return case_page(
        "objection",
        found,
        status,
        refused,
        own,
        others=_said_of_class(found),
        stages=STAGE_TITLES,
        outcomes=OUTCOME_TITLES,
        ways=either_way(store(), words, found.subject_id, found.record_id, today()) if sees_grade else (),
        open_requests=_open_requests(found),
    )


def _said_of_class(found: Objection) -> list[Mark]:
    """Who said of which class the record is: they may decide (own choice), and so it is told."""
    marks = list_marks(store(), found.vocabulary, subject_id=found.subject_id, record_id=found.record_id)
    return [mark for mark in marks if mark.kind in _OF_CLASS]


_OF_CLASS = ("classification", "lapse")


def _open_requests(found: Objection) -> dict[str, Title]:
    """What may be done now: by a regulator, or by who may object."""
    if found.case.stage is Stage.DECIDED and found.case.is_final(today()):
        return {}
    kinds = {"decision" if kind == "review" else kind for kind in WAYS[found.case.stage]}
    if not is_regulator():
        kinds &= {"appeal"}
    return {name: title for name, (kind, _, title) in REQUESTS.items() if kind in kinds}
