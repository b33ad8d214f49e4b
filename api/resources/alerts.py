"""Alerts: patterns of several records, watched for as records arrive; and the grade after the last event."""

from __future__ import annotations

import datetime as dt
import json
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
    AlertPage,
    AlertSchema,
    AlertsQuery,
    LiveGradeQuery,
    LiveGradeSchema,
)
from rules.calendar import today
from rules.library.loader import find_pack
from rules.model import Title
from scoring.facts.ingest.keys import subject_key
from scoring.live import alerts
from scoring.live.alerts import Alert
from scoring.live.events import live_grade

blueprint = Blueprint("alerts", __name__, url_prefix="/v1", description="What records mean together")


@blueprint.get("/alerts")
@blueprint.query(AlertsQuery)
@blueprint.answers(200, AlertPage)
def list_alerts(query: dict[str, Any]) -> dict[str, Any]:
    """Alerts, the newest first; by default those that stand, acknowledged or not."""
    subject_id = query.get("subject_id")
    wanted: dict[str, Any] = {
        "pack_id": query.get("pack"),
        "subject_id": subject_id and subject_key(vocabulary_of(pack_id(query)), subject_id),
        "state": query.get("state"),
    }
    found = page(
        lambda limit: alerts.list_alerts(store(), **wanted, before=query.get("cursor"), limit=limit),
        query,
        lambda alert: alert.id,
    )
    journal.detail(subjects=sorted({alert.subject_id for alert in found["items"]}))
    return found


@blueprint.post(f"/alerts/{NUMBER}alert_id>/acknowledgements")
@blueprint.body(AcknowledgementBody)
@blueprint.answers(201, AlertSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_acknowledgement(body: dict[str, Any], alert_id: int) -> Alert:
    """Note that an alert has been seen. Who does so first stays."""
    alert = alerts.acknowledge(store(), alert_id, caller().prefix, body.get("note"))
    journal.subject(alert.subject_id)
    return alert


@blueprint.get("/subjects/<key:subject_id>/live-grade")
@blueprint.query(LiveGradeQuery)
@blueprint.answers(200, LiveGradeSchema)
def get_live_grade(query: dict[str, Any], subject_id: str) -> dict[str, Any]:
    """A subject's grade today, after its last event. It is in no published run: the next says what counts."""
    name = pack_id(query)
    subject_id = subject_of(vocabulary_of(name), subject_id)
    day = today()
    row = live_grade(store(), find_pack(name, day), subject_id, day)
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
