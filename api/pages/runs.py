"""Runs by button: everybody is graded in the background, and whoever comes back sees how far it is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from api.around.auth import caller
from api.around.context import pack_id, settings, store
from api.pages.blueprint import blueprint, page
from api.pages.forms import FormError, filled_in, number
from api.schemas.runs import RunRequest
from rules.calendar import today
from rules.fault import UnknownPackError
from rules.library.loader import ruling_among
from rules.model import Pack, Title
from scoring.access.keys import owners_of
from scoring.runs import jobs
from scoring.runs.leases import Job, JobConflictError
from scoring.runs.proposals import MOST_DAYS
from scoring.runs.proposed import HeldError
from scoring.runs.published import current_runs, runs_called
from scoring.store.rulebook import edited, known_packs

ROWS = 20
STEPS = {
    "queued": Title("等待开始", "Waits to begin"),
    "snapshot": Title("读取数据", "Reads what is known"),
    "grading": Title("计算等级", "Grades"),
    "publishing": Title("发布", "Publishes"),
}
"""The states of a job that is under way, in their order."""

ENDS = {
    "published": Title("已发布", "Published"),
    "proposed": Title("已公开征求意见", "Proposed"),
    "failed": Title("未能完成", "Failed"),
}


_TO_COME = Title(
    "评价基准日不能晚于今天;今后的等级见各主体的等级预测",
    "the day is still to come; what grades will be then, the forecasts say",
)


@blueprint.get("/runs")
def runs() -> Response:
    """Start a run, see how the one under way goes, and what became of those before."""
    return _runs(200)


@blueprint.post("/runs")
def start_run() -> Response:
    """Have everybody graded by a pack, and that published, or proposed first."""
    try:
        wanted = filled_in(RunRequest)
        days = wanted.get("propose_days")
        as_of = wanted.get("as_of") or today()
        if as_of > today():
            return _runs(422, [_TO_COME])
        jobs.request_run(store(), pack_id(wanted), as_of, caller().prefix, propose_days=days)
    except FormError as error:
        return _runs(422, error.messages)
    except UnknownPackError as error:
        return _runs(422, [error.title])
    except (HeldError, JobConflictError) as error:
        return _runs(409, [error.title])
    return redirect(url_for("pages.runs"), 303)


def _runs(status: int, refused: Sequence[Title] = ()) -> Response:
    found = jobs.list_jobs(store(), number("before"), ROWS + 1)
    shown, known = found[:ROWS], known_packs(store())
    return page(
        "runs",
        status,
        jobs=shown,
        working=next((job for job in shown if job.state in STEPS), None),
        before=shown[-1].id if len(found) > ROWS else None,
        owners=owners_of(store(), {job.requested_by for job in shown}),
        steps=STEPS,
        states=STEPS | ENDS,
        titles={pack.id: pack.title for pack in ruling_among(known, today())},
        title_then=partial(_title_then, known),
        results=runs_called(store(), {job.run_id for job in shown if job.run_id is not None}),
        current={run.id for run in current_runs(store())},
        today=today(),
        given={"pack": settings().pack, "as_of": str(today()), **request.form.to_dict()},
        most_days=MOST_DAYS,
        edited=edited(store()),
        refused=refused,
    )


def _title_then(known: Sequence[Pack], job: Job) -> Title:
    """What the pack of a job was called on the day of which it speaks."""
    then = (pack.title for pack in ruling_among(known, job.as_of) if pack.id == job.pack_id)
    return next(then, Title(job.pack_id, job.pack_id))
