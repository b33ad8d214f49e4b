"""Alerts: what records mean together, and noting that somebody has seen it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from api.around import journal
from api.around.auth import caller
from api.around.context import store
from api.http.problems import fail
from api.pages.blueprint import blueprint, page
from api.pages.forms import FormError, filled_in, number
from api.resources.runs import NUMBER
from api.schemas.alerts import AcknowledgementBody
from rules import model
from rules.identity import identity
from rules.library.loader import installed_packs
from rules.model import Pack, Title
from scoring.answers.search import names_of
from scoring.live.alerts import Alert, State, acknowledge, list_alerts
from scoring.store import StoreError
from scoring.store.packs import stored_pack

ROWS = 50
STATES: Mapping[State, Title] = {
    "open": Title("待处理", "Open"),
    "acknowledged": Title("已确认", "Acknowledged"),
    "withdrawn": Title("已撤回", "Withdrawn"),
}


@dataclass(frozen=True, slots=True)
class ShownAlert:
    """An alert with what its pack says of it.

    :param pack, pattern: as they were when it was raised; None where that pack is not known any more.
    :param name: what its subject is called; its number where that is not known.
    """

    alert: Alert
    pack: Pack | None
    pattern: model.Alert | None
    name: str

    @property
    def title(self) -> Title:
        """What the pack calls it; its id where that is not known."""
        return self.pattern.title if self.pattern else Title(self.alert.alert, self.alert.alert)


@blueprint.get("/alerts")
def alerts() -> Response:
    """Alerts of one state, the newest first."""
    return _listing(200, done=number("done"))


@blueprint.post(f"/alerts/{NUMBER}alert_id>/acknowledgements")
def acknowledge_alert(alert_id: int) -> Response:
    """Note that an alert has been seen. Who does so first stays."""
    try:
        note = filled_in(AcknowledgementBody).get("note")
        alert = acknowledge(store(), alert_id, caller().prefix, note)
    except FormError as error:
        return _listing(422, refused=error.messages)
    journal.subject(alert.subject_id)
    if alert.acknowledged_by != caller().prefix:
        return _listing(409, refused=[_before(alert)])
    return redirect(url_for("pages.alerts", done=alert_id), 303)


def _before(alert: Alert) -> Title:
    en = f"{alert.acknowledged_by} acknowledged alert {alert.id} before"
    return Title(f"预警{alert.id}已由{alert.acknowledged_by}确认", en)


def _listing(status: int, **values: Any) -> Response:
    state = state_called(request.args.get("state", "open"))
    before = number("before")
    found = list_alerts(store(), state=state, before=before, limit=ROWS + 1)
    journal.detail(subjects=sorted({alert.subject_id for alert in found[:ROWS]}))
    return page(
        "alerts",
        status,
        alerts=list(shown_alerts(found[:ROWS])),
        before=found[ROWS - 1].id if len(found) > ROWS else None,
        state=state,
        states=STATES,
        **{"refused": [], "done": None, **values},
    )


def state_called(name: str) -> State:
    """The state of alerts of that name, or 400."""
    return next((state for state in STATES if state == name), None) or fail(
        "bad-request",
        Title(
            f"没有名为{name}的预警状态;可用:{'、'.join(STATES)}",
            f"no state of alerts is called {name}; there are {', '.join(STATES)}",
        ),
    )


def shown_alerts(found: Iterable[Alert]) -> Iterator[ShownAlert]:
    """Alerts with what their packs say of them."""
    installed = {identity(pack): pack for pack in installed_packs()}
    for digest, group in groupby(found, key=lambda alert: alert.pack_hash):
        alerts, pack = list(group), installed.get(digest) or _stored(digest)
        patterns = {pattern.id: pattern for pattern in pack.alerts} if pack else {}
        subjects = {alert.subject_id for alert in alerts}
        names = names_of(store(), pack.vocabulary.id, subjects) if pack else {}
        for alert in alerts:
            name = names.get(alert.subject_id, alert.subject_id)
            yield ShownAlert(alert, pack, patterns.get(alert.alert), name)


def _stored(digest: str) -> Pack | None:
    """A pack that is installed no more, as a run has kept it."""
    try:
        return stored_pack(store(), digest)
    except StoreError:
        return None
