"""Visits with a code: listed, issued, reported, rated, printed, and verified by whoever has the code."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence

from flask import redirect, request, url_for
from marshmallow import Schema, fields, validate
from werkzeug.wrappers import Response

from api.around import journal
from api.around.auth import caller, own_data, who
from api.around.context import public_address, settings, store
from api.http.fields import MONTH, Text
from api.http.problems import fail
from api.pages.blueprint import blueprint, page
from api.pages.forms import FormError, filled_in, number
from api.pages.inspections import show_plan
from api.resources.runs import NUMBER
from api.schemas.visits import (
    OUTCOMES,
    CancellationRequest,
    OutsideVisitRequest,
    RatingRequest,
    ResultRequest,
)
from rules.calendar import today
from rules.model import Title
from scoring.access.keys import Role
from scoring.answers.credit_report.paper import qr_code
from scoring.answers.search import names_of
from scoring.facts.visit_results import (
    RATINGS,
    Rating,
    Result,
    UnknownVisitError,
    VisitRefusedError,
    enter_rating,
    enter_result,
)
from scoring.inspections import visits as desk
from scoring.inspections.codes import (
    Days,
    OutsideVisit,
    cancel_visit,
    frequency,
    issue_outside,
    issue_plan,
)
from scoring.inspections.visits import (
    GROUNDS,
    IDLE_VISITS,
    OUTSIDE,
    STATE_TITLES,
    CodedVisit,
    State,
    Wanted,
)
from scoring.live.events import records_arrived

ROWS = 50
_BETWEEN = re.compile(r"[\s;；、,，]+")


class OutsideVisitForm(OutsideVisitRequest):
    """A visit outside the plan, as the form says it: lists in one line."""

    authorities = Text()  # type: ignore[assignment]
    inspectors = Text(required=True)  # type: ignore[assignment]


class ResultForm(ResultRequest):
    """What came of a visit, as the form says it."""

    inspectors = Text()  # type: ignore[assignment]


class StepForm(Schema):
    """Which of a visit's forms was sent."""

    request = fields.String(required=True, validate=validate.OneOf(["result", "rate", "cancel"]))


@blueprint.get("/visits")
def visits() -> Response:
    """Visits by month, office and state, figures by office, and inspectors who are flagged."""
    return _visits(200)


@blueprint.post("/visits")
def issue_visit() -> Response:
    """Issue the code of a visit outside the plan."""
    try:
        body = filled_in(OutsideVisitForm)
        own = _office()
        wanted = OutsideVisit(
            body["subject_id"],
            body["ground"],
            body["why"],
            _words(body.get("authorities") or own or ""),
            _words(body["inspectors"]),
            Days(body["begins_on"], body["ends_on"]),
        )
        visit = issue_outside(store(), settings().pack, wanted, caller().prefix, today(), own)
    except FormError as error:
        return _visits(422, error.messages)
    except VisitRefusedError as error:
        return _visits(409, [error.title])
    journal.subject(visit.subject_id)
    return redirect(url_for("pages.visit", code=visit.code), 303)


@blueprint.post(f"/inspections/{NUMBER}plan_id>/codes")
def issue_codes(plan_id: int) -> Response:
    """Give the visits of a plan their codes; where some get none, the plan is shown with the reasons."""
    try:
        done = issue_plan(store(), plan_id, caller().prefix, today())
    except VisitRefusedError as error:
        fail("conflict", error.title)
    journal.detail(subjects=[visit.subject_id for visit in done.visits])
    if done.refused:
        return show_plan(plan_id, done.refused)
    month = done.visits[0].begins_on if done.visits else None
    return redirect(url_for("pages.visits", month=month and f"{month:%Y-%m}"), 303)


@blueprint.get("/visits/<code>")
def visit(code: str) -> Response:
    """A visit: its code, large, who may come when, what came of it, and what may be done now."""
    return _visit(code, 200)


@blueprint.post("/visits/<code>/steps")
def move_visit(code: str) -> Response:
    """Enter a visit's result, its rating from paper, or that it will not be made."""
    found = desk.find_visit(store(), code, _office(), who().subject)
    journal.subject(found.subject_id)
    try:
        _STEPS[filled_in(StepForm)["request"]](code)
    except FormError as error:
        return _visit(code, 422, error.messages, error.fields)
    except VisitRefusedError as error:
        return _visit(code, 409, [error.title])
    return redirect(url_for("pages.visit", code=found.code), 303)


@blueprint.get("/verify")
def verify_visit() -> Response:
    """Who may come, for whoever has the code: nothing else is shown."""
    code = request.args.get("code", "").strip()
    try:
        found = desk.find_visit(store(), code) if code else None
    except UnknownVisitError as error:
        return page("verify", 404, code=code, found=None, refused=error.title)
    return page("verify", 200, code=code, found=found, refused=None, **about([found] if found else []))


def _visits(status: int, refused: Sequence[Title] = ()) -> Response:
    state, own = request.args.get("state", ""), _office()
    if state and state not in set(State):
        fail("bad-request", Title(f"没有名为{state}的状态", f"no state of visits is called {state}"))
    month, office = request.args.get("month", ""), request.args.get("office", "").strip()
    counted = Wanted(_first(month), own or office or None)
    wanted = Wanted(counted.month, counted.office, State(state) if state else None, None, number("before"))
    found = desk.list_visits(store(), wanted, today(), ROWS + 1)
    shown = found[:ROWS]
    journal.detail(subjects=sorted({one.subject_id for one in shown}))
    return page(
        "visits",
        status,
        visits=shown,
        before=shown[-1].id if len(found) > ROWS else None,
        query={name: text for name, text in (("month", month), ("office", office)) if text},
        months=_months(month),
        state=state,
        own=own,
        offices=desk.figures(store(), counted, today()),
        idle=desk.idle_inspectors(store(), own),
        most_idle=IDLE_VISITS,
        outside=[(ground, GROUNDS[ground]) for ground in OUTSIDE],
        given=request.form,
        refused=refused,
        **about(shown),
    )


def _visit(
    code: str, status: int, refused: Sequence[Title] = (), faults: Mapping[str, Title] | None = None
) -> Response:
    found = desk.find_visit(store(), code, _office(), who().subject)
    journal.subject(found.subject_id)
    is_own, sees_rating = who().subject is not None, caller().role is not Role.DEPARTMENT
    is_open = found.state(today()) is State.ISSUED and not is_own
    link = public_address("pages.verify_visit", code=found.code)
    return page(
        "visit",
        status,
        found=found,
        is_open=is_open,
        qr=qr_code(link, 4) if is_open and link else None,
        verified_at=public_address("pages.verify_visit") or url_for("pages.verify_visit"),
        frequency=frequency(store(), found, today()),
        may_report=is_open and found.begins_on <= today(),
        may_rate=sees_rating and found.outcome is not None and found.rating is None,
        sees_rating=sees_rating,
        is_own=is_own,
        ratings=RATINGS,
        given=request.form,
        refused=refused,
        faults=faults,
        **about([found]),
    )


def about(found: Sequence[CodedVisit]) -> dict[str, object]:
    """What enterprises, inspectors and states are called."""
    firms: dict[str, str] = {}
    for vocabulary in {one.vocabulary for one in found}:
        firms |= names_of(store(), vocabulary, {one.subject_id for one in found})
    return {
        "firms": firms,
        "people": desk.inspector_names(store(), {who for one in found for who in one.inspectors}),
        "grounds": GROUNDS,
        "states": STATE_TITLES,
        "outcomes": OUTCOMES,
        "today": today(),
    }


def _result(code: str) -> None:
    _is_for_offices()
    body = filled_in(ResultForm)
    went = _words(body.get("inspectors", ""))
    result = Result(body["done_on"], body["outcome"], body.get("findings"), body.get("measures"), went)
    enter_result(store(), code, result, caller().prefix, today(), _office())
    found = desk.find_visit(store(), code)
    if found.record_id is not None:
        records_arrived(store(), found.vocabulary, [found.record_id])


def _rate(code: str) -> None:
    if caller().role is Role.DEPARTMENT:
        en = "the enterprise rates it, or a regulator for it"
        fail("forbidden", Title("由企业评价，或由监管部门代录", en))
    body, own = filled_in(RatingRequest), who().subject
    rating = Rating(body["rating"], body.get("words"))
    try:
        enter_rating(store(), code, rating, caller().prefix, own)
    except VisitRefusedError:
        found = desk.find_visit(store(), code, subject_id=own)
        if (found.rating, found.rating_words) != (rating.rating, rating.words):
            raise  # to say the same once more changes nothing


def _cancel(code: str) -> None:
    _is_for_offices()
    body = filled_in(CancellationRequest)
    cancel_visit(store(), code, body["reason"], caller().prefix, today(), _office())


def _is_for_offices() -> None:
    if who().subject is not None:
        fail("forbidden", Title("此事项由检查单位办理", "this is for the office to do"))


_STEPS = {"result": _result, "rate": _rate, "cancel": _cancel}


def _office() -> str | None:
    """The office whose visits alone a department sees."""
    return own_data() if caller().role is Role.DEPARTMENT else None


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for word in _BETWEEN.split(text) if word)


def _months(asked: str) -> list[str]:
    """What may be chosen, such as 2026-08, with what a link asks for."""
    months = {f"{month:%Y-%m}" for month in desk.visit_months(store())}
    return sorted(months | ({asked} - {""}), reverse=True)


def _first(month: str) -> dt.date | None:
    """The first day of the month that the address names."""
    if not month:
        return None
    if not re.fullmatch(MONTH, month):
        fail("bad-request", Title(f"{month}不是月份,如2026-08", f"{month} is no month such as 2026-08"))
    return dt.date.fromisoformat(f"{month}-01")
