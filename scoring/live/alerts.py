"""Alerts in the store: raised, acknowledged by a regulator, withdrawn when a corrected record undoes them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.titles import Title, UnknownError
from scoring.live.patterns import Match
from scoring.store import Store
from scoring.store.changes import note_change
from scoring.store.live import AlertRow

HISTORY = "history"
"""Who has acknowledged an alert that a scan found long after its last record: nobody needs to."""

State = Literal["open", "acknowledged", "withdrawn"]


class UnknownAlertError(UnknownError):
    """There is no alert of that number."""


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert: see :class:`scoring.store.live.AlertRow`.

    :param records: the ids of its records in order; the last one completed the pattern.
    """

    id: int
    pack_id: str
    pack_hash: str
    alert: str
    subject_id: str
    record_id: str
    records: tuple[str, ...]
    raised_at: dt.datetime
    acknowledged_at: dt.datetime | None
    acknowledged_by: str | None
    note: str | None
    withdrawn_at: dt.datetime | None

    @property
    def state(self) -> State:
        """``open`` until somebody has acknowledged it; ``withdrawn`` while it does not stand."""
        if self.withdrawn_at is not None:
            return "withdrawn"
        return "open" if self.acknowledged_at is None else "acknowledged"


class Changed(NamedTuple):
    """How many alerts were raised, withdrawn, and found as history."""

    raised: int
    withdrawn: int
    history: int


def reconcile(
    session: Session,
    pack_id: str,
    pack_hash: str,
    subject_id: str,
    matches: Iterable[Match],
    now: dt.datetime,
    is_past: Callable[[str], bool] = lambda record_id: False,
) -> Changed:
    """Make a subject's standing alerts those of its matches.

    An alert that comes back is the same one; so is one whose earlier records have changed.

    :param is_past: whether a record is so old that a new alert that it completes is history: it is kept as
        acknowledged, and nobody is told of it.
    """
    query = sa.select(AlertRow).where(AlertRow.pack_id == pack_id, AlertRow.subject_id == subject_id)
    known = {(row.alert, row.record_id): row for row in session.scalars(query)}
    wanted = {(m.alert, str(m.records[-1])): tuple(map(str, m.records)) for m in matches}
    gone = [row for key, row in known.items() if key not in wanted and row.withdrawn_at is None]
    for row in gone:
        row.withdrawn_at = now
    raised: list[AlertRow] = []
    history = 0
    for (alert, record_id), records in sorted(wanted.items()):
        row = known.get((alert, record_id)) or AlertRow(
            pack_id=pack_id, alert=alert, subject_id=subject_id, record_id=record_id, raised_at=now
        )
        if row.id is None and is_past(record_id):
            history += 1
            row.acknowledged_at, row.acknowledged_by, row.note = now, HISTORY, _OF_THE_PAST
        elif row.id is None or row.withdrawn_at is not None:
            raised.append(row)
        session.add(row)
        row.pack_hash, row.records, row.withdrawn_at = pack_hash, json.dumps(records), None
    session.flush()
    for row in raised:
        about = {"subject_id": subject_id, "record_id": row.record_id, "alert": row.alert, "alert_id": row.id}
        note_change(session, "alert_opened", now, pack_id=pack_id, pack_hash=pack_hash, **about)
    return Changed(len(raised), len(gone), history)


_OF_THE_PAST = "往期情形，无须处理 found long after its last record"


def list_alerts(
    store: Store,
    *,
    pack_id: str | None = None,
    subject_id: str | None = None,
    state: State | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[Alert]:
    """Alerts, the newest first.

    :param state: of this state alone; by default those that stand.
    :param before: only alerts with a smaller number: the last of the page before.
    """
    wanted = {"pack_id": pack_id, "subject_id": subject_id}
    query = sa.select(AlertRow).filter_by(
        **{name: value for name, value in wanted.items() if value is not None}
    )
    query = query.where(*_IN_STATE[state])
    if before is not None:
        query = query.where(AlertRow.id < before)
    with store.reading() as session:
        return [_alert(row) for row in session.scalars(query.order_by(AlertRow.id.desc()).limit(limit))]


def acknowledge(store: Store, alert_id: int, by: str, note: str | None = None) -> Alert:
    """Note that somebody has seen an alert; the first who did stays.

    :raises UnknownAlertError: where there is none.
    """
    with store.writing() as session:
        row = session.get(AlertRow, alert_id, with_for_update=not store.is_sqlite)
        if row is None:
            raise UnknownAlertError(Title(f"没有预警{alert_id}", f"there is no alert {alert_id}"))
        if row.acknowledged_at is None:
            row.acknowledged_at, row.acknowledged_by, row.note = dt.datetime.now(dt.UTC), by, note
        return _alert(row)


_STANDS, _SEEN = AlertRow.withdrawn_at.is_(None), AlertRow.acknowledged_at
_IN_STATE: dict[State | None, tuple[sa.ColumnElement[bool], ...]] = {
    None: (_STANDS,),
    "open": (_STANDS, _SEEN.is_(None)),
    "acknowledged": (_STANDS, _SEEN.is_not(None)),
    "withdrawn": (AlertRow.withdrawn_at.is_not(None),),
}


def _alert(row: AlertRow) -> Alert:
    values = {name: getattr(row, name) for name in Alert.__slots__}
    return Alert(**(values | {"records": tuple(json.loads(row.records))}))
