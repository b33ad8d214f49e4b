"""Runs: asking for one, looking at them, comparing two, taking all results out."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Response, stream_with_context, url_for

from api.around import journal
from api.around.auth import caller, while_it_works
from api.around.context import pack_id, run, store
from api.around.idempotency import PARAMETER
from api.http.export import MEDIA_TYPES, encoded
from api.http.openapi import Blueprint
from api.http.paging import NumberedPageQuery, page
from api.http.problems import fail
from api.schemas.runs import (
    AgainstQuery,
    ComparisonSchema,
    ExportQuery,
    JobPage,
    JobSchema,
    MovePage,
    MovesQuery,
    RunPage,
    RunRequest,
    RunsQuery,
    TieredRunSchema,
)
from rules.calendar import today
from rules.fault import UnknownPackError
from scoring.runs import jobs, results
from scoring.runs.leases import Job, JobConflictError
from scoring.runs.proposed import HeldError
from scoring.runs.published import list_runs as runs_of
from scoring.runs.result_tables import RESULT_SCHEMAS, stream_results

blueprint = Blueprint(
    "runs", __name__, url_prefix="/v1", description="Batches: one pack, one date, all subjects"
)
NUMBER = f"<int(min=1, max={2**53}):"


@blueprint.get("/runs")
@blueprint.query(RunsQuery)
@blueprint.answers(200, RunPage)
def list_runs(query: dict[str, Any]) -> dict[str, Any]:
    """Published runs, the newest first."""
    return page(
        lambda limit: runs_of(store(), query.get("pack"), query.get("cursor"), limit),
        query,
        lambda item: item.id,
    )


@blueprint.post("/runs")
@blueprint.body(RunRequest)
@blueprint.answers(202, JobSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_run(wanted: dict[str, Any]) -> tuple[Job, int, dict[str, str]]:
    """Ask for a run. It goes on in the background, and is seen whole when it is published or not at all.

    With ``propose_days`` it is proposed first: those who would fall may answer before it is published.
    """
    try:
        job = jobs.request_run(
            store(),
            pack_id(wanted),
            wanted.get("as_of") or today(),
            caller().prefix,
            propose_days=wanted.get("propose_days"),
        )
    except UnknownPackError as error:
        fail("invalid", error.title)
    except HeldError as error:
        fail("conflict", error.title)
    except JobConflictError as error:
        fail("conflict", error.title)
    return job, 202, {"Location": url_for("runs.get_job", job_id=job.id)}


@blueprint.get(f"/runs/{NUMBER}run_id>")
@blueprint.answers(200, TieredRunSchema)
def get_run(run_id: int) -> dict[str, Any]:
    """A run, and how many subjects have each tier."""
    found = run(run_id)
    return {**asdict(found), "tiers": results.tier_counts(store(), found)}


@blueprint.get(f"/runs/{NUMBER}run_id>/comparison")
@blueprint.query(AgainstQuery)
@blueprint.answers(200, ComparisonSchema)
def compare_runs(query: dict[str, Any], run_id: int) -> dict[str, Any]:
    """How many subjects went from which tier to which since another run."""
    after, before = run(run_id), run(query["against"])
    rows = results.transitions(store(), before, after)
    return {
        "run": after,
        "against": before,
        "transitions": [{"tier_before": old, "tier": new, "subjects": number} for old, new, number in rows],
    }


@blueprint.get(f"/runs/{NUMBER}run_id>/moves")
@blueprint.query(MovesQuery)
@blueprint.answers(200, MovePage)
def list_moves(query: dict[str, Any], run_id: int) -> dict[str, Any]:
    """The subjects whose tier is another than in another run."""
    after, before = run(run_id), run(query["against"])
    found = page(
        lambda limit: results.moves(store(), before, after, query.get("cursor"), limit),
        query,
        lambda move: move.subject_id,
    )
    journal.detail(subjects=[move.subject_id for move in found["items"]])
    return found


@blueprint.get(f"/runs/{NUMBER}run_id>/export")
@blueprint.query(ExportQuery)
@blueprint.answers(200, {"type": "string"}, content_type=MEDIA_TYPES["ndjson"])
@blueprint.answers(200, {"type": "string"}, content_type=MEDIA_TYPES["csv"])
@blueprint.answers(200, {"type": "string", "format": "binary"}, content_type=MEDIA_TYPES["parquet"])
def export_results(query: dict[str, Any], run_id: int) -> Response:
    """All results of a run as a stream; points are hundredths there."""
    table, form = query["table"], query["format"]
    batches = stream_results(store(), run(run_id), table)
    name = f"run-{run_id}-{table}.{form}"
    return Response(
        stream_with_context(while_it_works(encoded(batches, RESULT_SCHEMAS[table], form))),
        content_type=MEDIA_TYPES[form],
        headers={"Content-Disposition": f"attachment; filename={name}"},
    )


@blueprint.get("/run-jobs")
@blueprint.query(NumberedPageQuery)
@blueprint.answers(200, JobPage)
def list_jobs(query: dict[str, Any]) -> dict[str, Any]:
    """Runs that were asked for, the newest first."""
    return page(lambda limit: jobs.list_jobs(store(), query.get("cursor"), limit), query, lambda job: job.id)


@blueprint.get(f"/run-jobs/{NUMBER}job_id>")
@blueprint.answers(200, JobSchema)
def get_job(job_id: int) -> Job:
    """How a run that was asked for goes."""
    return jobs.get_job(store(), job_id)
