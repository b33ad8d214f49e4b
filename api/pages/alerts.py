"""Alerts: what records mean together; who has them, and noting that somebody has seen them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from flask import redirect, request, url_for
from marshmallow import Schema
from werkzeug.wrappers import Response

from api.around import journal
from api.around.auth import caller
from api.around.context import store
from api.http.fields import Text
from api.http.problems import fail
from api.pages.blueprint import blueprint, page
from api.pages.downloads import day_asked, say
from api.pages.forms import FormError, filled_in, number, ticked_numbers
from api.resources.runs import NUMBER
from rules import model
from rules.calendar import today
from rules.identity import identity
from rules.model import Column, Pack, Title
from scoring.access.keys import owners_of, regulators
from scoring.answers.search import facet_values, names_of
from scoring.live.alerts import (
    STATES,
    Alert,
    AlertsRefusedError,
    Seen,
    Wanted,
    acknowledge,
    assign,
    get_alert,
    list_alerts,
    records_called,
)
from scoring.live.growing import HISTORY
from scoring.runs.published import current_runs
from scoring.store import StoreError
from scoring.store.packs import stored_pack
from scoring.store.rulebook import known_packs, known_ruling

ROWS = 25
LISTS: Mapping[str, Title] = {
    "open": STATES["open"],
    "acknowledged": STATES["acknowledged"],
    HISTORY: Title("往期情形", "History"),
    "withdrawn": STATES["withdrawn"],
}
"""The lists by state; what a scan set aside as history stands apart from what people acknowledged."""
MINE, NOBODYS = "mine", "none"
"""Whose alerts are asked for, besides a person's: those of who asks, and those of nobody."""

_ACTS = {
    "acknowledged": Title("已确认预警：", "Alerts acknowledged:"),
    "assigned": Title("已分派预警：", "Alerts assigned:"),
}
_FILTERS = ("alert", "town", "since", "until", "assigned")
_COLUMNS = ("kind", "field", "amount", "authority", "level", "status")
"""Of a record, what a card shows besides its date, where its kind has them."""


@dataclass(frozen=True, slots=True)
class ShownRecord:
    """A record of an alert.

    :param values: as it is known now; nothing where it is not known any more.
    :param grown_at: when the alert grew by it; None of those with which it was raised.
    """

    id: str
    values: Mapping[str, Any]
    grown_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class ShownAlert:
    """An alert with what its pack says of it.

    :param pack, pattern: as they were when it was raised; None where that pack is not known any more.
    :param name: what its subject is called; its number where that is not known.
    :param records: in order.
    """

    alert: Alert
    pack: Pack | None
    pattern: model.Alert | None
    name: str
    records: Sequence[ShownRecord]

    @property
    def title(self) -> Title:
        """What the pack calls it; its id where that is not known."""
        return self.pattern.title if self.pattern else Title(self.alert.alert, self.alert.alert)

    @property
    def columns(self) -> Mapping[str, Column]:
        """What is shown of its records: their date, and those of a few columns that one of them has."""
        table = self.pack.vocabulary.records if self.pack else None
        if self.pack is None or table is None:
            return {}
        names = [self.pack.vocabulary.record_date, *_COLUMNS]
        has = {name for record in self.records for name, value in record.values.items() if value is not None}
        return {name: table.columns[name] for name in names if name in table.columns and name in has}


class NoteForm(Schema):
    """Why alerts are acknowledged."""

    note = Text(longest=2000, required=True)


class AssignmentForm(Schema):
    """Whose alerts are to be; nobody's where it is empty."""

    to = Text()


@blueprint.get("/alerts")
def alerts() -> Response:
    """Alerts of one state, the newest first; of one rule, town, person, and of some days."""
    return _listing(200)


@blueprint.get(f"/alerts/{NUMBER}alert_id>")
def alert(alert_id: int) -> Response:
    """An alert with all its records."""
    found = get_alert(store(), alert_id)
    journal.subject(found.subject_id)
    (shown,) = shown_alerts([found])
    return page("alert", item=shown, states=STATES, **_people([found]))


@blueprint.post("/alerts/acknowledgements")
def acknowledge_alerts() -> Response:
    """Note of the alerts that are ticked that they have been seen; of all or none."""
    return _acted(
        "acknowledged", NoteForm, "note", lambda seen, note, by: acknowledge(store(), seen, by, note)
    )


@blueprint.post("/alerts/assignments")
def assign_alerts() -> Response:
    """Give the alerts that are ticked to a person; all or none."""
    return _acted("assigned", AssignmentForm, "to", lambda seen, to, by: assign(store(), seen, to, by))


def _acted(
    what: str, form: type[Schema], field: str, act: Callable[[Seen, str | None, str], list[Alert]]
) -> Response:
    try:
        seen = ticked_numbers("alert")
        if not seen:
            raise FormError([Title("请勾选预警", "tick the alerts that are meant")])
        done = act(seen, filled_in(form).get(field), caller().prefix)
    except FormError as error:
        return _listing(422, error.messages)
    except AlertsRefusedError as error:
        return _listing(409, [error.title])
    for one in done:
        journal.note(f"alert.{what}", one.subject_id, alert=one.id, to=one.assigned_to)
    query: dict[str, Any] = {**kept_query(), "done": len(done), "act": what}
    return redirect(url_for("pages.alerts", **query), 303)


def _listing(status: int, refused: Sequence[Title] = ()) -> Response:
    wanted, before = wanted_alerts(), number("before")
    found = list_alerts(store(), wanted, before, ROWS + 1)
    shown = found[:ROWS]
    journal.detail(subjects=sorted({alert.subject_id for alert in shown}))
    return page(
        "alerts",
        status,
        alerts=list(shown_alerts(shown)),
        before=found[ROWS - 1].id if len(found) > ROWS else None,
        state=list_asked(),
        lists=LISTS,
        query=kept_query(),
        patterns=pattern_titles(),
        towns=_towns(),
        refused=refused,
        done=number("done"),
        act=_ACTS.get(request.args.get("act", "")),
        given=request.form,
        **_people(shown),
    )


def wanted_alerts() -> Wanted:
    """Which alerts this request's address names; 400 where it names none that there are."""
    assigned, asked = request.args.get("assigned", "").strip(), list_asked()
    return Wanted(
        state=next((state for state in STATES if state == asked), "acknowledged"),
        is_history=asked == HISTORY if asked in ("acknowledged", HISTORY) else None,
        alert=request.args.get("alert", "").strip() or None,
        town=request.args.get("town", "").strip() or None,
        since=day_asked("since"),
        until=day_asked("until"),
        assigned_to={"": None, MINE: caller().owner, NOBODYS: ""}.get(assigned, assigned),
    )


def kept_query() -> dict[str, str]:
    """What this request's address narrows the list to, without the place in it."""
    return {name: value for name in ("state", *_FILTERS) if (value := request.args.get(name, "").strip())}


def list_asked() -> str:
    """Which of :data:`LISTS` this request's address names."""
    name = request.args.get("state", "open")
    if name not in LISTS:
        fail(
            "bad-request",
            Title(
                f"没有名为{name}的预警状态;可用:{'、'.join(LISTS)}",
                f"no state of alerts is called {name}; there are {', '.join(LISTS)}",
            ),
        )
    return name


def pattern_titles() -> dict[str, Title]:
    """The patterns that the packs in force look for."""
    return {pattern.id: pattern.title for pack in known_ruling(store(), today()) for pattern in pack.alerts}


def _towns() -> list[str]:
    found = [facet_values(store(), run).get("town", []) for run in current_runs(store())]
    return sorted({town for towns in found for town in towns})


def _people(found: Iterable[Alert]) -> dict[str, Any]:
    """To whom alerts can be given, and who has acknowledged or given these."""
    with store().reading() as session:
        people = regulators(session)
    known = {by for one in found for by in (one.acknowledged_by, one.assigned_by) if by is not None}
    owners = {HISTORY: say(Title("系统（往期情形）", "the system (history)"))} | owners_of(store(), known)
    return {"people": people, "me": caller().owner, "owners": owners}


def shown_alerts(found: Iterable[Alert], with_records: bool = True) -> Iterator[ShownAlert]:
    """Alerts with what their packs say of them, and with what is known of their records."""
    installed = {identity(pack): pack for pack in known_packs(store())}
    for digest, group in groupby(found, key=lambda alert: alert.pack_hash):
        alerts, pack = list(group), installed.get(digest) or _stored(digest)
        patterns = {pattern.id: pattern for pattern in pack.alerts} if pack else {}
        subjects = {alert.subject_id for alert in alerts}
        names = names_of(store(), pack.vocabulary.id, subjects) if pack else {}
        ids = {record for alert in alerts for record in alert.records if with_records}
        records = records_called(store(), pack.vocabulary, ids) if pack else {}
        for alert in alerts:
            own = [ShownRecord(each, records.get(each, {}), alert.grown.get(each)) for each in alert.records]
            name = names.get(alert.subject_id, alert.subject_id)
            yield ShownAlert(alert, pack, patterns.get(alert.alert), name, own)


def _stored(digest: str) -> Pack | None:
    """A pack that is installed no more, as a run has kept it."""
    try:
        return stored_pack(store(), digest)
    except StoreError:
        return None
