"""Repairs (信用修复): apply for one, follow it, decide it, undo it, and the figures by office."""

from __future__ import annotations

from collections.abc import Sequence

from flask import redirect, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from api.around import journal
from api.around.auth import caller, who
from api.around.context import store, vocabulary
from api.http.problems import fail
from api.pages.blueprint import blueprint, page
from api.pages.forms import FormError, filled_in, number
from api.resources.repairs import own_authority
from api.resources.runs import NUMBER
from api.schemas.repairs import ApplicationForm, RepairStepForm
from rules.calendar import today
from rules.library.loader import load_vocabulary, ruling_packs
from rules.model import Title
from rules.titles import TitledError
from scoring.access.keys import Role, owners_of
from scoring.answers.search import names_of
from scoring.facts.cases import STEP_TITLES
from scoring.facts.desk import Wanted
from scoring.facts.ingest.keys import ENTERPRISES
from scoring.facts.objections import STATUS, Kind, Mark, MarkRequest, mark_record
from scoring.facts.records import RecordError, UnknownRecordError
from scoring.facts.repair_case import STAGE_TITLES, WAYS
from scoring.facts.repair_desk import DESK, Application, repair_figures
from scoring.facts.repairs import REPAIRED, Commitment
from scoring.live.events import records_arrived

ROWS = 50
STATES = {"open": Title("待办", "Open"), "overdue": Title("逾期", "Overdue"), "all": Title("全部", "All")}
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
    "如违背承诺，愿意承担相应责任。"
)
"""The words that the form begins with: what order 36 asks of a commitment."""


@blueprint.get("/repairs")
def repairs() -> Response:
    """Applications that wait for an office, the longest waiting first; or those that are late, or all."""
    words, day = vocabulary(request.args.get("vocabulary", ENTERPRISES)), today()
    state = request.args.get("state", "open")
    if state not in STATES:
        fail("bad-request", Title(f"没有名为{state}的状态", f"no state of repairs is called {state}"))
    wanted = Wanted(
        who().subject,
        own_authority(),
        state == "open",
        day if state == "overdue" else None,
        number("after") or 0,
    )
    found = DESK.list(store(), words.id, wanted, ROWS + 1)
    shown = found[:ROWS]
    journal.detail(subjects=sorted({one.subject_id for one in shown}))
    return page(
        "repairs",
        repairs=shown,
        after=shown[-1].id if len(found) > ROWS else None,
        names=names_of(store(), words.id, {one.subject_id for one in shown}),
        state=state,
        states=STATES,
        stages=STAGE_TITLES,
        vocabulary=words.id,
        kinds={pack.vocabulary.id: pack.title for pack in ruling_packs(day) if pack.vocabulary.records},
        today=day,
    )


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
        return _form(request.form, 409, [_said(error)])
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
        wanted = _request(kind, status, body["reason"], body.get("evidence"))
        words = load_vocabulary(found.vocabulary)
        mark_record(store(), words, found.record_id, wanted, own_authority())
    except FormError as error:
        return _repair(found, 422, error.messages)
    except RecordError as error:
        return _repair(_found(application_id), 409, [_said(error)])
    records_arrived(store(), found.vocabulary, [found.record_id])
    return redirect(url_for("pages.repair", application_id=application_id), 303)


@blueprint.get("/repairs/figures")
def figures_of_repairs() -> Response:
    """How each office deals with applications for the repair of its records."""
    words = vocabulary(request.args.get("vocabulary", ENTERPRISES))
    return page("repair_figures", offices=repair_figures(store(), words.id, today()))


def _found(application_id: int) -> Application:
    return DESK.show(store(), application_id, who().subject, own_authority())


def _apply() -> Mark:
    body = filled_in(ApplicationForm)
    commitment = Commitment(body["commitment"], body["committed_on"])
    wanted = _request("application", "", body["reason"], body["evidence"], commitment)
    words = vocabulary(body["vocabulary"])
    mark = mark_record(store(), words, body["record"], wanted, own_authority(), who().subject)
    journal.subject(mark.subject_id)
    return mark


def _request(
    kind: Kind, status: str, reason: str, document: str | None, commitment: Commitment | None = None
) -> MarkRequest:
    evidence = ({"title": document, "reference": document},) if document else ()
    key = caller()
    return MarkRequest(kind, status, today(), reason, evidence, key.prefix, key.organisation, commitment)


def _said(error: Exception) -> Title:
    return error.title if isinstance(error, TitledError) else Title(f"记录现状不允许:{error}", str(error))


def _form(given: MultiDict[str, str], status: int, refused: Sequence[Title] = ()) -> Response:
    kinds = {pack.vocabulary.id: pack.title for pack in ruling_packs(today()) if pack.vocabulary.records}
    return page("repair_form", status, given=given, refused=refused, kinds=kinds)


def _repair(found: Application, status: int, refused: Sequence[Title] = ()) -> Response:
    words = load_vocabulary(found.vocabulary)
    journal.subject(found.subject_id)
    columns = words.records.columns if words.records else {}
    may_move = caller().role is not Role.SUBJECT
    ways = WAYS[found.case.stage] if may_move else ()
    return page(
        "repair",
        status,
        found=found,
        owners=owners_of(store(), (mark.made_by for mark in found.marks)),
        name=names_of(store(), words.id, [found.subject_id]).get(found.subject_id, found.subject_id),
        stages=STAGE_TITLES,
        steps=STEP_TITLES,
        status_column=columns.get(STATUS),
        open_requests={name: title for name, (kind, _, title) in REQUESTS.items() if kind in ways},
        given=request.form,
        refused=refused,
        today=today(),
    )
