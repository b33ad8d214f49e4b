"""What pages of cases about records share: lists by state, and a case with its steps and the next one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import request
from werkzeug.wrappers import Response

from api.around import journal
from api.around.auth import caller
from api.around.context import store
from api.around.naming import Own
from api.http.problems import fail
from api.pages.blueprint import page
from api.pages.forms import number
from rules.calendar import today
from rules.library.loader import load_vocabulary
from rules.model import Title, Vocabulary
from scoring.access.keys import owners_of
from scoring.answers.search import names_of
from scoring.facts import objection_case, repair_case
from scoring.facts.cases import STEP_TITLES
from scoring.facts.desk import Filed, Wanted
from scoring.facts.objections import STATUS, Kind, Mark, MarkRequest
from scoring.facts.records import Record, UnknownRecordError, get_record
from scoring.facts.repairs import Commitment

ROWS = 50
STATES = {"open": Title("待办", "Open"), "overdue": Title("逾期", "Overdue"), "all": Title("全部", "All")}


def state_asked(own: Own) -> str:
    """Which cases are asked for: at first those that wait for an office; who is graded sees all its own."""
    return request.args.get("state", "open" if own.subject_id is None else "all")


def wanted_cases(what: str, state: str, own: Own) -> Wanted:
    """Which cases a list shows: the caller's own, from the place that the address names.

    :param what: what the cases are called in English.
    :param state: one of :data:`STATES`; 400 for any other.
    """
    if state not in STATES:
        fail("bad-request", Title(f"没有名为{state}的状态", f"no state of {what} is called {state}"))
    overdue_on = today() if state == "overdue" else None
    return Wanted(own.subject_id, own.authority, state == "open", overdue_on, number("after") or 0)


def list_page(
    template: str,
    words: Vocabulary,
    found: Sequence[Filed[Any]],
    state: str,
    stages: Mapping[Any, Title],
    kinds: Mapping[str, Title],
) -> Response:
    """A list of cases, which the template knows by its own name.

    :param found: at most one more than :data:`ROWS`.
    :param kinds: those of records that are offered.
    """
    shown, day = found[:ROWS], today()
    journal.detail(subjects=sorted({one.subject_id for one in shown}))
    return page(
        template,
        200,
        **{template: shown},
        after=shown[-1].id if len(found) > ROWS else None,
        names=names_of(store(), words.id, {one.subject_id for one in shown}),
        state=state,
        states=STATES,
        stages=stages,
        vocabulary=words.id,
        kinds=kinds,
        today=day,
        objection=objection_case,
        repair=repair_case,
    )


def case_page(
    template: str,
    found: Filed[Any],
    status: int,
    refused: Sequence[Title],
    own: Own,
    others: Sequence[Mark] = (),
    **more: Any,
) -> Response:
    """A case with everything that was done about it, and what else the template needs.

    :param own: what of it the visitor may see.
    :param others: what else was done about its record that whoever decides has to know.
    """
    words = load_vocabulary(found.vocabulary)
    journal.subject(found.subject_id)
    columns = words.records.columns if words.records else {}
    return page(
        template,
        status,
        found=found,
        marks=sorted((*others, *found.marks), key=lambda mark: mark.id),
        owners=owners_of(store(), (mark.made_by for mark in (*others, *found.marks))),
        name=names_of(store(), words.id, [found.subject_id]).get(found.subject_id, found.subject_id),
        steps=STEP_TITLES,
        record=_record(found, words, own),
        columns=columns,
        status_column=columns.get(STATUS),
        given=request.form,
        refused=refused,
        today=today(),
        **more,
    )


def _record(found: Filed[Any], words: Vocabulary, own: Own) -> dict[str, object]:
    """What is known of the record now, where the visitor may see it."""
    try:
        return known(get_record(store(), words, found.record_id, own.authority, own.subject_id)[0])
    except UnknownRecordError:
        return {}


def known(record: Record) -> dict[str, object]:
    """What is known of a record, column by column."""
    return {name: value for name, value in record.data.items() if value is not None}


def mark_asked(
    kind: Kind, status: str, body: Mapping[str, Any], commitment: Commitment | None = None
) -> MarkRequest:
    """The mark that a form asks for, of today.

    :param body: why, the number or address of what it rests on, and of a step the version that was seen.
    """
    key, document = caller(), body.get("evidence")
    evidence = ({"title": document, "reference": document},) if document else ()
    by = key.prefix, key.organisation
    return MarkRequest(kind, status, today(), body["reason"], evidence, *by, commitment, body.get("version"))
