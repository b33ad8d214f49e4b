"""Repairs (信用修复): apply for one, follow it, decide it, undo it, and the figures by office."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import redirect, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from api.around import journal
from api.around.auth import caller, own_data, who
from api.around.context import store, vocabulary
from api.around.naming import own_records
from api.pages.blueprint import blueprint, page
from api.pages.cases import ROWS, case_page, list_page, mark_asked, state_asked, wanted_cases
from api.pages.forms import FormError, filled_in
from api.pages.graded import kind_asked, kinds_of_records
from api.pages.story import facts
from api.resources.runs import NUMBER
from api.schemas.repairs import ApplicationForm, RepairStepForm
from rules.calendar import today
from rules.library.loader import load_vocabulary
from rules.model import Title, Vocabulary
from scoring.access.keys import Role
from scoring.answers.search import names_of
from scoring.facts.desk import Wanted
from scoring.facts.ingest.keys import ENTERPRISES
from scoring.facts.merging import REPAIRED
from scoring.facts.objections import Kind, Mark, mark_record
from scoring.facts.records import Record, RecordError, UnknownRecordError, get_record, records_table
from scoring.facts.repair_case import STAGE_TITLES, WAYS
from scoring.facts.repair_desk import DESK, Application, repair_figures
from scoring.facts.repairs import Commitment, is_repairable, term_of
from scoring.live.events import records_arrived

REQUESTS: dict[str, tuple[Kind, str, Title]] = {
    "admit": ("admission", "", Title("受理", "Admit")),
    "return": ("return", "", Title("退回申请", "Return the application")),
    "repair": ("repair", REPAIRED, Title("准予修复", "Repair the record")),
    "refuse": ("refusal", "", Title("不予修复", "Refuse the repair")),
    "undo": ("breach", "effective", Title("虚假承诺，撤销修复", "False commitment: undo the repair")),
}
"""What the form may ask for: the mark, the record's status after it, and what the button says."""

COMMITMENT = (
    "本单位承诺：失信行为已纠正，相关义务已履行完毕；所提交的材料真实、合法、有效；"
    "如未履行承诺，愿意承担相应责任。"
)
"""The words that the form begins with: what order 36 asks of a commitment."""


@blueprint.get("/repairs")
def repairs() -> Response:
    """Applications that wait for an office, the longest waiting first; or those that are late, or all.

    Who is graded sees its own alone, all of them at first.
    """
    kinds = _repairable()
    words = vocabulary(kind_asked(kinds))
    own = own_records(words.id)
    state = state_asked(own)
    found = DESK.list(store(), words.id, wanted_cases("repairs", state, own), ROWS + 1)
    return list_page("repairs", words, found, state, STAGE_TITLES, kinds)


@blueprint.get("/repairs/new")
def new_repair() -> Response:
    """The form by which a repair is applied for."""
    given = {"commitment": COMMITMENT, "committed_on": today().isoformat(), "vocabulary": ENTERPRISES}
    return _form(MultiDict(given | request.args.to_dict()), 200)


@blueprint.post("/repairs")
def apply_for_repair() -> Response:
    """Apply for the repair of a record."""
    try:
        mark = _apply()
    except FormError as error:
        return _form(request.form, 422, error.messages)
    except (RecordError, UnknownRecordError) as error:
        return _form(request.form, 409, [error.title])
    return redirect(url_for("pages.repair", application_id=mark.id), 303)


@blueprint.get(f"/repairs/{NUMBER}application_id>")
def repair(application_id: int) -> Response:
    """An application for repair: what was done, and what may be done."""
    return _repair(_found(application_id), 200)


@blueprint.post(f"/repairs/{NUMBER}application_id>/steps")
def move_repair(application_id: int) -> Response:
    """Admit or return an application, decide it, or undo the repair."""
    found = _found(application_id)
    journal.subject(found.subject_id)
    try:
        body = filled_in(RepairStepForm)
        kind, status, _ = REQUESTS[body["request"]]
        wanted = mark_asked(kind, status, body)
        words = load_vocabulary(found.vocabulary)
        mark_record(store(), words, found.record_id, wanted, own_data())
    except FormError as error:
        return _repair(found, 422, error.messages)
    except RecordError as error:
        return _repair(_found(application_id), 409, [error.title])
    records_arrived(store(), found.vocabulary, [found.record_id])
    return redirect(url_for("pages.repair", application_id=application_id), 303)


@blueprint.get("/repairs/figures")
def figures_of_repairs() -> Response:
    """How each office deals with applications for the repair of its records."""
    words = vocabulary(request.args.get("vocabulary", ENTERPRISES))
    return page("repair_figures", offices=repair_figures(store(), words.id, today()))


def _found(application_id: int) -> Application:
    return DESK.show(store(), application_id, who().subject, own_data())


def _apply() -> Mark:
    body = filled_in(ApplicationForm)
    commitment = Commitment(body["commitment"], body["committed_on"])
    wanted = mark_asked("application", "", body, commitment)
    words = vocabulary(body["vocabulary"])
    own = own_records(words.id)
    mark = mark_record(store(), words, body["record"], wanted, own.authority, own.subject_id)
    journal.subject(mark.subject_id)
    return mark


def _form(given: MultiDict[str, str], status: int, refused: Sequence[Title] = ()) -> Response:
    kinds = _repairable()
    kind = given.get("vocabulary", "")
    about = _about(kind, given.get("record", "")) if kind in kinds else None
    return page("repair_form", status, given=given, refused=refused, kinds=kinds, about=about)


def _about(vocabulary_id: str, record_id: str) -> dict[str, Any] | None:
    """The record whose repair is applied for, and from when on; None where no such one is the visitor's."""
    words = vocabulary(vocabulary_id)
    table, own = records_table(words), own_records(words.id)
    try:
        found = get_record(store(), words, record_id, own.authority, own.subject_id)[0]
    except (RecordError, UnknownRecordError):
        return None
    journal.subject(found.subject_id)
    with store().reading() as session:
        term = term_of(session, words, found.subject_id, found.data, today())
    return {
        "record_id": found.record_id,
        "subject_id": found.subject_id,
        "name": names_of(store(), words.id, [found.subject_id]).get(found.subject_id, found.subject_id),
        "facts": facts(found.data, table.columns, (table.key, words.record_subject)),
        "term": term,
        "is_over": term is None or term.is_over(today()),
        "under_way": _under_way(words, found),
    }


def _under_way(words: Vocabulary, found: Record) -> Application | None:
    """What has been applied for about a record already."""
    under_way = DESK.list(store(), words.id, Wanted(found.subject_id, is_open=True))
    return next((one for one in under_way if one.record_id == found.record_id), None)


def _repairable() -> dict[str, Title]:
    """The kinds of records of which any can be repaired."""
    kinds = kinds_of_records(today(), who().subject)
    return {name: title for name, title in kinds.items() if is_repairable(load_vocabulary(name))}


def _repair(found: Application, status: int, refused: Sequence[Title] = ()) -> Response:
    ways = WAYS[found.case.stage] if caller().role is not Role.SUBJECT else ()
    requests = {name: title for name, (kind, _, title) in REQUESTS.items() if kind in ways}
    own = own_records(found.vocabulary)
    return case_page("repair", found, status, refused, own, stages=STAGE_TITLES, open_requests=requests)
