"""Looking for alerts anew, by button: done in the background, and whoever comes back sees how far it is."""

from __future__ import annotations

from collections.abc import Sequence

from flask import redirect, url_for
from werkzeug.wrappers import Response

from api.around.auth import caller
from api.around.context import store
from api.pages.blueprint import blueprint, page
from api.pages.forms import number
from rules.model import Title
from scoring.access.keys import owners_of
from scoring.live.scan_jobs import list_scans, request_scan, told_of
from scoring.live.scanning import HISTORY_DAYS
from scoring.runs.leases import JobConflictError

ROWS = 20
STATES = {
    "queued": Title("等待开始", "Waits to begin"),
    "scanning": Title("正在复核", "Under way"),
    "scanned": Title("已完成", "Done"),
    "failed": Title("未能完成", "Failed"),
}
_UNDER_WAY = ("queued", "scanning")


@blueprint.get("/alerts/scans")
def scans() -> Response:
    """Have alerts looked for anew, see how far that is, and what became of those before."""
    return _scans(200)


@blueprint.post("/alerts/scans")
def start_scan() -> Response:
    """Look for alerts among those of whom something has changed since it was done last."""
    try:
        request_scan(store(), caller().prefix)
    except JobConflictError as error:
        return _scans(409, [error.title])
    return redirect(url_for("pages.scans"), 303)


def _scans(status: int, refused: Sequence[Title] = ()) -> Response:
    found = list_scans(store(), number("before"), ROWS + 1)
    shown = found[:ROWS]
    return page(
        "scans",
        status,
        jobs=[(job, told_of(job)) for job in shown],
        working=next(((job, told_of(job)) for job in shown if job.state in _UNDER_WAY), None),
        before=shown[-1].id if len(found) > ROWS else None,
        owners=owners_of(store(), {job.requested_by for job in shown}),
        states=STATES,
        history_days=HISTORY_DAYS,
        refused=refused,
    )
