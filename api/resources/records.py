"""Records: taking them in, looking them up, and objections and repairs."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from flask import url_for

from api.around import journal
from api.around.auth import caller, own_data, who
from api.around.context import store, vocabulary
from api.around.idempotency import PARAMETER
from api.around.naming import Own, own_records, subject_of
from api.http.openapi import Blueprint
from api.http.paging import page
from api.http.problems import Problem, fail
from api.schemas.records import (
    AdmissionBody,
    ApplicationBody,
    DecisionBody,
    MarkBody,
    RecordPage,
    RecordSchema,
    RecordsQuery,
    RecordsRequest,
    RepairBody,
    SeenBody,
    StepBody,
    SubmissionSchema,
    VocabularyQuery,
)
from api.schemas.subjects import MarkSchema
from rules.calendar import today
from rules.model import Title
from rules.titles import halves_of_old
from scoring.facts import objections, records
from scoring.facts.entries import FileInfo
from scoring.facts.objection_case import OUTCOMES
from scoring.facts.objections import OF_GRADED, Kind, Mark, MarkRequest
from scoring.facts.records import RecordError, Submission
from scoring.live.events import records_arrived

blueprint = Blueprint("records", __name__, url_prefix="/v1/records", description="Dated facts about subjects")


@blueprint.get("")
@blueprint.query(RecordsQuery)
@blueprint.answers(200, RecordPage)
def list_records(query: dict[str, Any]) -> dict[str, Any]:
    """Current records by their id; a department sees its own alone, and of the vocabulary `department` those
    about it; a subject those about it.

    What is repaired or revoked, and what is past the longest term of its class, is not among them: by its
    number the office whose record it is, and the regulator, still find it. An office's request to check a
    subject is not shown to it.
    """
    words, subject_id = vocabulary(query["vocabulary"]), query.get("subject_id")
    own = own_records(words.id)
    if own.subject_id is not None:
        given = subject_id or own.subject_id
        subject_id = subject_of(words, given)
        if subject_id != own.subject_id:
            fail("not-found", Title(f"没有主体{given}", f"there is no subject {given}"))
    wanted: dict[str, Any] = {
        "subject_id": subject_id,
        "authority": own.authority,
        "to_subject": who().subject is not None,
        "after": query.get("cursor"),
    }
    found = page(
        lambda limit: records.list_shown(store(), words, today(), **wanted, limit=limit),
        query,
        lambda record: record.record_id,
    )
    journal.detail(subjects=sorted({record.subject_id for record in found["items"]}))
    return found


@blueprint.get("/<key:record_id>")
@blueprint.query(VocabularyQuery)
@blueprint.answers(200, RecordSchema)
def get_record(query: dict[str, Any], record_id: str) -> dict[str, Any]:
    """A record with all of its versions, and what was noted about it; for a subject those about it."""
    name, own = query["vocabulary"], own_records(query["vocabulary"])
    version = objections.version_now(store(), vocabulary(name), record_id)
    versions = records.get_record(store(), vocabulary(name), record_id, own.authority, own.subject_id)
    found = versions[0]
    journal.subject(found.subject_id)
    marks = objections.list_marks(store(), name, subject_id=own.subject_id, record_id=found.record_id)
    return {"versions": versions, "marks": marks, "version": version}


@blueprint.post("")
@blueprint.body(RecordsRequest)
@blueprint.answers(200, SubmissionSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_records(body: dict[str, Any]) -> Submission:
    """Take records in: good rows are kept, of the others it is said why. 422 where no row is good.

    A record that is there already gets a new version if its content differs: `null` clears a column, one that
    is left out or empty stays. The status that an objection, a decision or a repair gave stands, whatever the
    row says. A department posts its own records alone; it may leave `authority` out. The number of another
    authority's record, or of one without authority, is refused in every spelling. A row without its subject's
    code, or with a filler, is taken for the one subject that goes by the registration number or name that it
    gives, with a warning; where none or several do, it is refused.
    """
    words, rows = vocabulary(body["vocabulary"]), body["records"]
    source = FileInfo(_digest(own_data(), words.id, rows), f"api: {caller().prefix}", "api")
    try:
        done = records.submit_records(store(), words, rows, source, own_data(), caller().prefix)
    except RecordError as error:
        fail("invalid", error.title)
    journal.detail(new=done.new, changed=done.changed, unchanged=done.unchanged, rejected=done.rejected)
    if done.confirmed:
        journal.detail(confirmed=list(done.confirmed))
    if done.rejected == len(rows):
        raise Problem("invalid", Title("没有一条记录可以接收", "no record could be taken"), _row_errors(done))
    records_arrived(store(), words.id, done.keys)
    return done


@blueprint.post("/<key:record_id>/objections")
@blueprint.body(MarkBody)
@blueprint.answers(201, MarkSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_objection(body: dict[str, Any], record_id: str) -> tuple[Mark, int, dict[str, str]]:
    """Note an objection: the record is disputed until it is decided. The grade follows at the next run.

    Who is graded objects to its own records, a department to the findings about it. One that was rejected is
    not made again: ask for its review.
    """
    return _mark("objection", "disputed", body, record_id)


@blueprint.post("/<key:record_id>/acknowledgements")
@blueprint.body(StepBody)
@blueprint.answers(201, MarkSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_acknowledgement(body: dict[str, Any], record_id: str) -> tuple[Mark, int, dict[str, str]]:
    """Acknowledge an objection: from then on it is to be decided within its term."""
    return _mark("acknowledgement", "disputed", body, record_id)


@blueprint.post("/<key:record_id>/appeals")
@blueprint.body(SeenBody)
@blueprint.answers(201, MarkSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_appeal(body: dict[str, Any], record_id: str) -> tuple[Mark, int, dict[str, str]]:
    """Ask for the one review of a rejected objection, within its term; the record is disputed again."""
    return _mark("appeal", "disputed", body, record_id)


@blueprint.post("/<key:record_id>/decisions")
@blueprint.body(DecisionBody)
@blueprint.answers(201, MarkSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_decision(body: dict[str, Any], record_id: str) -> tuple[Mark, int, dict[str, str]]:
    """Decide an objection, or review its rejection: the record is revoked, or effective again.

    409 for whoever brought the record in, a key of the office whose record it is, or whom it is about, and,
    at the review, whoever decided first: by whichever of their keys.
    """
    return _mark("decision", OUTCOMES[body["outcome"]], body, record_id)


@blueprint.post("/<key:record_id>/repair-applications")
@blueprint.body(ApplicationBody)
@blueprint.answers(201, MarkSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_application(body: dict[str, Any], record_id: str) -> tuple[Mark, int, dict[str, str]]:
    """Apply for the repair of a record: a subject for its own, an office for its own, a regulator for any.

    409 before the first day on which a remedy of a pack in force allows it (the shortest term), while another
    is open, and after a breach.
    """
    return _mark("application", "", body, record_id)


@blueprint.post("/<key:record_id>/repair-admissions")
@blueprint.body(AdmissionBody)
@blueprint.answers(201, MarkSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_admission(body: dict[str, Any], record_id: str) -> tuple[Mark, int, dict[str, str]]:
    """Admit an application for repair, which is then to be decided within its term; or return it."""
    return _mark("admission" if body["outcome"] == "admitted" else "return", "", body, record_id)


@blueprint.post("/<key:record_id>/repairs")
@blueprint.body(RepairBody)
@blueprint.answers(201, MarkSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_repair(body: dict[str, Any], record_id: str) -> tuple[Mark, int, dict[str, str]]:
    """Decide an application for repair that was admitted: the record is repaired, or that is refused.

    A repaired record is shown, shared and used no more, and the consequences that rested on it are lifted.
    409 for whoever brought the record in, by whichever of their keys.
    """
    if body["outcome"] == "refused":
        return _mark("refusal", "", body, record_id)
    return _mark("repair", "repaired", body, record_id)


@blueprint.post("/<key:record_id>/breaches")
@blueprint.body(SeenBody)
@blueprint.answers(201, MarkSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_breach(body: dict[str, Any], record_id: str) -> tuple[Mark, int, dict[str, str]]:
    """Undo a repair whose commitment was false or broken: the record is effective again, and stays so."""
    return _mark("breach", "effective", body, record_id)


def _mark(kind: Kind, status: str, body: dict[str, Any], record_id: str) -> tuple[Mark, int, dict[str, str]]:
    key = caller()
    request = MarkRequest(
        kind,
        status,
        body["effective_on"],
        body["reason"],
        tuple(body["evidence"]),
        key.prefix,
        key.organisation,
        body.get("commitment"),
        body.get("version"),
    )
    words = vocabulary(body["vocabulary"])
    own = own_records(words.id) if kind in OF_GRADED else Own(who().subject, own_data())
    try:
        mark = objections.mark_record(store(), words, record_id, request, own.authority, own.subject_id)
    except RecordError as error:
        fail("conflict", error.title)
    journal.subject(mark.subject_id)
    records_arrived(store(), words.id, [mark.record_id])
    return mark, 201, {"Location": url_for("records.get_record", record_id=mark.record_id)}


def _digest(sender: str | None, vocabulary_id: str, rows: Any) -> str:
    """What tells the same rows of the same sender, sent again."""
    said = json.dumps([sender, vocabulary_id, rows], sort_keys=True, default=str)
    return hashlib.sha256(said.encode()).hexdigest()


def _row_errors(done: Submission) -> list[dict[str, Any]]:
    return [
        {
            "location": "json",
            "field": f"records.{row.row_no - 1}.{row.column or ''}".rstrip("."),
            "message": halves_of_old(row.reason),
        }
        for row in done.faults
    ]
