"""Subjects: their grades, and what these rest on."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from flask import Response, current_app, jsonify
from werkzeug.http import generate_etag, quote_etag

from api.around import journal
from api.around.auth import who
from api.around.context import pack_id, run_of, store
from api.around.naming import subject_of, vocabulary_of
from api.http.openapi import Blueprint
from api.http.paging import NumberedPageQuery, page
from api.schemas.consents import ConsentPage
from api.schemas.lender_checks import CheckNotePage
from api.schemas.subjects import (
    MOST_CHECKS,
    AnyDayQuery,
    ExplanationSchema,
    ForecastQuery,
    ForecastSchema,
    GradePage,
    GradeQuery,
    GradeSchema,
    GradesQuery,
    HistorySchema,
    PackQuery,
    PathsQuery,
    PathsSchema,
    SubjectSchema,
    SubjectsQuery,
)
from rules.calendar import today
from rules.library.loader import load_vocabulary
from rules.model import Title
from scoring.access import audit
from scoring.access.audit import Entry
from scoring.access.consents import list_consents
from scoring.access.lending import ACTION, check_note, own_note
from scoring.answers.explain import explain, explain_day, explain_now
from scoring.answers.explanation_json import explanation_document
from scoring.answers.forecast import forecast
from scoring.answers.forecast_json import forecast_document
from scoring.answers.paths import paths_of
from scoring.answers.paths_json import paths_document
from scoring.answers.timelines import no_result, unknown_subject
from scoring.facts.ingest.keys import ENTERPRISES
from scoring.facts.objections import list_marks
from scoring.facts.records import subject_attributes
from scoring.runs import results
from scoring.runs.published import RunSummary
from scoring.store import Store

GRADES_REMEMBERED = 50_000
"""How many a process keeps at hand."""

blueprint = Blueprint(
    "subjects",
    __name__,
    url_prefix="/v1/subjects",
    description="Who is graded; a subject's own key sees itself alone",
)


@blueprint.get("")
@blueprint.query(SubjectsQuery)
@blueprint.answers(200, GradePage)
def list_subjects(query: dict[str, Any]) -> dict[str, Any]:
    """Subjects of a run by their id: by tier, veto, score or coming change."""
    run = run_of(query)
    filters = results.Filters(**{name: query.get(name) for name in results.Filters.__slots__})
    found = page(
        lambda limit: results.list_grades(store(), run, filters, query.get("cursor"), limit),
        query,
        lambda grade: grade.subject_id,
    )
    journal.detail(run=run.id, subjects=[grade.subject_id for grade in found["items"]])
    return found


@blueprint.get("/<key:subject_id>")
@blueprint.query(PackQuery)
@blueprint.answers(200, SubjectSchema)
def get_subject(query: dict[str, Any], subject_id: str) -> dict[str, Any]:
    """What is known of a subject now, with its current grade."""
    run = run_of(query)
    subject_id = subject_of(run.vocabulary, subject_id)
    attributes = subject_attributes(store(), load_vocabulary(run.vocabulary), subject_id)
    if attributes is None:
        title = Title(f"没有{run.vocabulary}主体{subject_id}", f"there is no {run.vocabulary} {subject_id}")
        with store().reading() as session:
            raise unknown_subject(session, run.vocabulary, subject_id, title)
    return {
        "subject_id": subject_id,
        "vocabulary": run.vocabulary,
        "attributes": attributes,
        "grade": results.grade_of(store(), run, subject_id),
    }


@blueprint.get("/<key:subject_id>/grade")
@blueprint.query(GradeQuery)
@blueprint.answers(200, GradeSchema)
def get_grade(query: dict[str, Any], subject_id: str) -> Response:
    """A subject's grade: the current one, or as of a date."""
    run = run_of(query)
    subject_id = subject_of(run.vocabulary, subject_id)
    written = _written(store(), run, subject_id)
    if written is None:
        raise no_result(store(), run, subject_id)
    body, etag = written
    return Response(body, headers=etag, content_type="application/json")


@lru_cache(maxsize=GRADES_REMEMBERED)
def _written(found: Store, run: RunSummary, subject_id: str) -> tuple[bytes, dict[str, str]] | None:
    """A grade as it is sent, with its ETag; remembered, for a published run never changes."""
    grade = results.grade_of(found, run, subject_id)
    if grade is None:
        return None
    body = current_app.json.dumps(_GRADE.dump(grade)).encode()
    return body, {"ETag": quote_etag(generate_etag(body), weak=True)}


_GRADE = GradeSchema()


@blueprint.get("/<key:subject_id>/grades")
@blueprint.query(GradesQuery)
@blueprint.answers(200, GradePage)
def list_grades(query: dict[str, Any], subject_id: str) -> dict[str, Any]:
    """A subject's grades in all runs, the newest first."""
    subject_id = subject_of(vocabulary_of(pack_id(query)), subject_id)
    return page(
        lambda limit: results.grade_history(store(), pack_id(query), subject_id, query.get("cursor"), limit),
        query,
        lambda grade: grade.run_id,
    )


@blueprint.get("/<key:subject_id>/explanation")
@blueprint.query(AnyDayQuery)
@blueprint.answers(200, ExplanationSchema)
def get_explanation(query: dict[str, Any], subject_id: str) -> Response:
    """Why the subject has its grade: each hit with its record and source, and what kept other rules out.

    For a day and a moment: as published where a run has said it, else computed, with no run. Where neither
    these nor a run are given, and a record that counted is shown no more since, it is computed for today.
    """
    if query.get("as_of") or query.get("known_at"):
        name = pack_id(query)
        subject_id = subject_of(vocabulary_of(name), subject_id)
        found = explain_day(store(), name, subject_id, query.get("as_of"), query.get("known_at"))
    else:
        run = run_of(query)
        subject_id = subject_of(run.vocabulary, subject_id)
        found = (
            explain(store(), run.pack_id, subject_id, run.id)
            if query.get("run")
            else explain_now(store(), run.pack_id, subject_id, run.id)
        )
    return jsonify(explanation_document(found))


@blueprint.get("/<key:subject_id>/forecast")
@blueprint.query(ForecastQuery)
@blueprint.answers(200, ForecastSchema)
def get_forecast(query: dict[str, Any], subject_id: str) -> Response:
    """The subject's grade on every day to come, with nothing new known, and why it changes."""
    name = pack_id(query)
    subject_id = subject_of(vocabulary_of(name), subject_id)
    found = forecast(store(), name, subject_id, query["months"])
    return jsonify(forecast_document(found))


@blueprint.get("/<key:subject_id>/paths")
@blueprint.query(PathsQuery)
@blueprint.answers(200, PathsSchema)
def get_paths(query: dict[str, Any], subject_id: str) -> Response:
    """The smallest sets of lawful steps that reach a better tier, and on which day each does."""
    name = pack_id(query)
    subject_id = subject_of(vocabulary_of(name), subject_id)
    found = paths_of(store(), name, subject_id, query.get("tier"), today())
    return jsonify(paths_document(found))


@blueprint.get("/<key:subject_id>/history")
@blueprint.query(PackQuery)
@blueprint.answers(200, HistorySchema)
def get_history(query: dict[str, Any], subject_id: str) -> dict[str, Any]:
    """The subject's grade over time, objections to and repairs of its records, and which lenders asked last.

    Where lenders asked more often than is shown, `next_lender_checks` is the cursor by which
    `/lender-checks` of the subject goes on.
    """
    run = run_of(query)
    subject_id = subject_of(run.vocabulary, subject_id)
    checks = audit.entries(store(), subject_id=subject_id, action=ACTION, limit=MOST_CHECKS + 1)
    shown = checks[:MOST_CHECKS]
    return {
        "grades": results.grade_line(store(), run, subject_id),
        "marks": list_marks(store(), run.vocabulary, subject_id=subject_id),
        "lender_checks": _notes(shown),
        "next_lender_checks": shown[-1].seq if len(checks) > MOST_CHECKS else None,
    }


@blueprint.get("/<key:subject_id>/consents")
@blueprint.query(NumberedPageQuery)
@blueprint.answers(200, ConsentPage)
def list_subject_consents(query: dict[str, Any], subject_id: str) -> dict[str, Any]:
    """The consents that a subject gave to lenders, the newest first."""
    subject_id = subject_of(ENTERPRISES, subject_id)
    return page(
        lambda limit: list_consents(store(), subject_id=subject_id, before=query.get("cursor"), limit=limit),
        query,
        lambda consent: consent.id,
    )


@blueprint.get("/<key:subject_id>/lender-checks")
@blueprint.query(NumberedPageQuery)
@blueprint.answers(200, CheckNotePage)
def list_subject_checks(query: dict[str, Any], subject_id: str) -> dict[str, Any]:
    """Which lenders asked about a subject, under which consent, the newest first."""
    subject_id = subject_of(ENTERPRISES, subject_id)
    found = page(
        lambda limit: audit.entries(
            store(), subject_id=subject_id, action=ACTION, before=query.get("cursor"), limit=limit
        ),
        query,
        lambda entry: entry.seq,
    )
    return {**found, "items": _notes(found["items"])}


def _notes(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """The checks of lenders as the caller may be told of them."""
    told = check_note if who().subject is None else own_note
    return [told(entry) for entry in entries]
