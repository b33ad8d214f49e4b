"""Alerts: patterns of several records, watched for as records arrive; and the grade after the last event."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

from api.around import journal
from api.around.auth import caller
from api.around.context import pack_id, store
from api.around.idempotency import PARAMETER
from api.around.naming import subject_of, vocabulary_of
from api.http.openapi import Blueprint
from api.http.paging import page
from api.http.problems import fail
from api.resources.runs import NUMBER
from api.schemas.alerts import (
    AcknowledgementBody,
    AcknowledgementsBody,
    AlertPage,
    AlertSchema,
    AlertsQuery,
    AlertsSchema,
    AssignmentsBody,
    LiveGradeQuery,
    LiveGradeSchema,
)
from rules.calendar import today
from rules.model import Title
from scoring.facts.ingest.keys import subject_key
from scoring.live import alerts
from scoring.live.alerts import Alert, AlertsRefusedError, Wanted
from scoring.live.events import live_grade
from scoring.store.rulebook import known_pack

blueprint = Blueprint("alerts", __name__, url_prefix="/v1", description="What records mean together")


@blueprint.get("/alerts")
@blueprint.query(AlertsQuery)
@blueprint.answers(200, AlertPage)
def list_alerts(query: dict[str, Any]) -> dict[str, Any]:
    """Alerts, the newest first; by default those that stand, acknowledged or not."""
    subject_id = query.get("subject_id")
    wanted = Wanted(
        pack_id=query.get("pack"),
        subject_id=subject_id and subject_key(vocabulary_of(pack_id(query)), subject_id),
        assigned_to="" if query.get("unassigned") else query.get("assigned_to"),
        **{name: query.get(name) for name in ("alert", "town", "since", "until", "state")},
    )
    found = page(
        lambda limit: alerts.list_alerts(store(), wanted, query.get("cursor"), limit),
        query,
        lambda alert: alert.id,
    )
    journal.detail(subjects=sorted({alert.subject_id for alert in found["items"]}))
    return found


@blueprint.get(f"/alerts/{NUMBER}alert_id>")
@blueprint.answers(200, AlertSchema)
def get_alert(alert_id: int) -> Alert:
    """An alert with its records, how it grew, and who has it."""
    alert = alerts.get_alert(store(), alert_id)
    journal.subject(alert.subject_id)
    return alert


@blueprint.post(f"/alerts/{NUMBER}alert_id>/acknowledgements")
@blueprint.body(AcknowledgementBody)
@blueprint.answers(201, AlertSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_acknowledgement(body: dict[str, Any], alert_id: int) -> Alert:
    """Note that an alert has been seen. Who does so first stays; a note beside theirs is refused."""
    seen = {alert_id: body.get("version")}
    (alert,) = _done(lambda: alerts.acknowledge(store(), seen, caller().prefix, body.get("note")))
    journal.subject(alert.subject_id)
    return alert


@blueprint.post("/alerts/acknowledgements")
@blueprint.body(AcknowledgementsBody)
@blueprint.answers(201, AlertsSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_acknowledgements(body: dict[str, Any]) -> dict[str, Any]:
    """Note of several alerts that they have been seen: of all, or of none where one has changed since."""
    found = _done(lambda: alerts.acknowledge(store(), _seen(body), caller().prefix, body["note"]))
    for alert in found:
        journal.note("alert.acknowledged", alert.subject_id, alert=alert.id)
    return {"items": found}


@blueprint.post("/alerts/assignments")
@blueprint.body(AssignmentsBody)
@blueprint.answers(201, AlertsSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_assignments(body: dict[str, Any]) -> dict[str, Any]:
    """Give open alerts to a person: all of them, or none where one has changed since it was seen."""
    found = _done(lambda: alerts.assign(store(), _seen(body), body["to"], caller().prefix))
    for alert in found:
        journal.note("alert.assigned", alert.subject_id, alert=alert.id, to=alert.assigned_to)
    return {"items": found}


def _seen(body: dict[str, Any]) -> dict[int, int | None]:
    return {alert["id"]: alert["version"] for alert in body["alerts"]}


def _done(act: Callable[[], list[Alert]]) -> list[Alert]:
    try:
        return act()
    except AlertsRefusedError as error:
        fail("conflict", error.title)


@blueprint.get("/subjects/<key:subject_id>/live-grade")
@blueprint.query(LiveGradeQuery)
@blueprint.answers(200, LiveGradeSchema)
def get_live_grade(query: dict[str, Any], subject_id: str) -> dict[str, Any]:
    """A subject's grade today, after its last event. It is in no published run: the next says what counts."""
    name = pack_id(query)
    subject_id = subject_of(vocabulary_of(name), subject_id)
    day = today()
    row = live_grade(store(), known_pack(store(), name, day), subject_id, day)
    if row is None:
        en = f"nothing has happened to {subject_id} that {name} has seen"
        fail("not-found", Title(f"{subject_id}没有{name}见到的新情况", en))
    known = {field: getattr(row, field) for field in _FIELDS}
    dimensions = [
        {"dimension": dimension, "points_before": before, "points": points}
        for dimension, (before, points) in json.loads(row.dimensions).items()
    ]
    return known | {
        "published": False,
        "dimensions": dimensions,
        "hits": [_hit(h) for h in json.loads(row.hits)],
    }


_FIELDS = [name for name in LiveGradeSchema().fields if name not in ("published", "dimensions", "hits")]


def _hit(hit: dict[str, Any]) -> dict[str, Any]:
    dates = {name: hit[name] and dt.date.fromisoformat(hit[name]) for name in ("counts_from", "counts_until")}
    return hit | dates
