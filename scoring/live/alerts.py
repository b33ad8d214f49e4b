"""Alerts in the store: listed, acknowledged by a regulator, assigned to one.

How they come about, grow and are withdrawn: :mod:`scoring.live.growing`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.model import Vocabulary
from rules.titles import Title, TitledError, UnknownError
from scoring.access.keys import owners_in, regulators
from scoring.facts.records import records_table
from scoring.live.growing import HISTORY, found_at, records_of
from scoring.store import Store
from scoring.store.batches import parts
from scoring.store.documents import decode
from scoring.store.live import AlertRow
from scoring.store.models import RecordVersion

State = Literal["open", "acknowledged", "withdrawn"]
STATES: Mapping[State, Title] = {
    "open": Title("待处理", "Open"),
    "acknowledged": Title("已确认", "Acknowledged"),
    "withdrawn": Title("已撤回", "Withdrawn"),
}
Seen = Mapping[int, int | None]
"""Alerts by their numbers, each with the version that somebody saw; None: as it stands."""


class UnknownAlertError(UnknownError):
    """There is no alert of that number."""


class AlertsRefusedError(TitledError):
    """Something that can't be done to alerts as they stand: nothing was done to any of them."""


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert: see :class:`scoring.store.live.AlertRow`.

    :param records: the ids of its records in order; the last one completed the pattern.
    :param found_at: when each record that completed the pattern was found to do so; the first: it was raised.
    :param last_on: the day of its last record; None of one that no scan has seen since it is kept.
    """

    id: int
    pack_id: str
    pack_hash: str
    alert: str
    subject_id: str
    records: tuple[str, ...]
    found_at: Mapping[str, dt.datetime]
    version: int
    raised_at: dt.datetime
    last_on: dt.date | None
    town: str | None
    follows: int | None
    joined: int | None
    acknowledged_at: dt.datetime | None
    acknowledged_by: str | None
    note: str | None
    withdrawn_at: dt.datetime | None
    assigned_to: str | None
    assigned_by: str | None
    assigned_at: dt.datetime | None

    @property
    def state(self) -> State:
        """``open`` until somebody has acknowledged it; ``withdrawn`` while it does not stand."""
        if self.withdrawn_at is not None:
            return "withdrawn"
        return "open" if self.acknowledged_at is None else "acknowledged"

    @property
    def grown(self) -> Mapping[str, dt.datetime]:
        """The records by which it has grown since it was raised, and when."""
        return {record: at for record, at in self.found_at.items() if at > self.raised_at}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which alerts are wanted.

    :param alert: of the pattern of this id.
    :param town: of subjects of this town.
    :param since, until: whose last record is of these days, or between.
    :param assigned_to: of this person; of nobody where it is empty.
    :param state: of this state alone; by default those that stand.
    :param is_history: of those that are acknowledged: whether they are history, which nobody has looked at.
    """

    pack_id: str | None = None
    subject_id: str | None = None
    alert: str | None = None
    town: str | None = None
    since: dt.date | None = None
    until: dt.date | None = None
    assigned_to: str | None = None
    state: State | None = None
    is_history: bool | None = None


def list_alerts(
    store: Store, wanted: Wanted | None = None, before: int | None = None, limit: int = 100
) -> list[Alert]:
    """Alerts, the newest first.

    :param before: only alerts with a smaller number: the last of the page before.
    """
    wanted = wanted or Wanted()
    query = sa.select(AlertRow).where(*_meant(wanted))
    if before is not None:
        query = query.where(AlertRow.id < before)
    number: sa.ColumnElement[int] = AlertRow.id.expression
    if wanted.since or wanted.until:
        number += 0  # else SQLite reads all alerts in the order of their numbers, for those of a few days
    with store.reading() as session:
        return [_alert(row) for row in session.scalars(query.order_by(number.desc()).limit(limit))]


def get_alert(store: Store, number: int) -> Alert:
    """The alert of a number.

    :raises UnknownAlertError: where there is none.
    """
    with store.reading() as session:
        return _alert(_row(session, number))


def acknowledge(store: Store, seen: Seen, by: str, note: str | None = None) -> list[Alert]:
    """Note that somebody has seen alerts, all of them or none; of each the first who did stays.

    :param note: what was found or done; one that would be lost, because another stands, is refused.
    :raises UnknownAlertError: where there is one of none of the numbers.
    :raises AlertsRefusedError: where one does not stand, has changed since it was seen, or was acknowledged
        with another note or by another person; which, the message says.
    """

    def is_refused(alert: Alert) -> bool:
        is_lost = note is not None and (alert.acknowledged_by, alert.note) != (by, note)
        return alert.state == "withdrawn" or (alert.state == "acknowledged" and is_lost)

    with store.writing() as session:
        rows = _unchanged(session, seen)
        if refused := [alert for alert in map(_alert, rows) if is_refused(alert)]:
            raise _refused(session, refused)
        for row in rows:
            if row.acknowledged_at is None:
                row.acknowledged_at, row.acknowledged_by, row.note = dt.datetime.now(dt.UTC), by, note
                row.version += 1
        return [_alert(row) for row in rows]


def assign(store: Store, seen: Seen, to: str | None, by: str) -> list[Alert]:
    """Give open alerts to a regulator, all of them or none.

    :param to: the owner of a regulator's key that works; None: to nobody any more.
    :raises UnknownAlertError: where there is one of none of the numbers.
    :raises AlertsRefusedError: where there is no such person, one is not open, or has changed since it was
        seen; which, the message says.
    """
    with store.writing() as session:
        people = [name for name, works in regulators(session).items() if works]
        if to is not None and to not in people:
            en = f"no regulator is called {to}; there are {', '.join(people) or 'none'}"
            raise AlertsRefusedError(Title(f"没有监管人员{to}；现有：{'、'.join(people) or '无'}", en))
        rows = _unchanged(session, seen)
        if closed := [row for row in map(_alert, rows) if row.state != "open"]:
            raise _refused(session, closed)
        for row in rows:
            if row.assigned_to != to:
                row.assigned_to, row.assigned_by, row.assigned_at = to, by, dt.datetime.now(dt.UTC)
                row.version += 1
        return [_alert(row) for row in rows]


def records_called(
    store: Store, vocabulary: Vocabulary, record_ids: Iterable[str]
) -> dict[str, Mapping[str, Any]]:
    """What is known now of records, by their ids; those that are not known any more are left out."""
    version, table, found = RecordVersion, records_table(vocabulary), dict[str, Mapping[str, Any]]()
    with store.reading() as session:
        for some in parts(sorted(record_ids)):
            query = sa.select(version.record_id, version.data).where(
                version.vocabulary == vocabulary.id,
                version.record_id.in_(some),
                version.known_until.is_(None),
            )
            found |= {record_id: decode(data, table) for record_id, data in session.execute(query)}
    return found


def _unchanged(session: Session, seen: Seen) -> list[AlertRow]:
    """The alerts as they were seen, and as nobody else can change them now."""
    query = sa.select(AlertRow).where(AlertRow.id.in_(seen)).order_by(AlertRow.id).with_for_update()
    rows = list(session.scalars(query))
    for number in sorted(seen.keys() - {row.id for row in rows}):
        raise _unknown(number)
    if changed := [_alert(row) for row in rows if seen[row.id] not in (None, row.version)]:
        raise _refused(session, changed)
    return rows


def _refused(session: Session, changed: list[Alert]) -> AlertsRefusedError:
    owners = owners_in(session, (by for alert in changed if (by := alert.acknowledged_by) is not None))
    said = [_stands(alert, owners) for alert in changed]
    zh, en = "；".join(one.zh for one in said), "; ".join(one.en for one in said)
    return AlertsRefusedError(
        Title(
            f"{zh}。所选预警均未办理，请看过现在的内容再办理",
            f"{en}. Nothing was done to any of those chosen: look at them as they are now",
        )
    )


def _stands(alert: Alert, owners: Mapping[str, str]) -> Title:
    """How an alert stands that is not as it was seen."""
    zh, en = f"预警{alert.id}", f"alert {alert.id}"
    if alert.joined is not None:
        return Title(f"{zh}已并入预警{alert.joined}", f"{en} was joined to alert {alert.joined}")
    if alert.withdrawn_at is not None:
        return Title(f"{zh}已撤回", f"{en} was withdrawn")
    if alert.acknowledged_by is not None:
        by = owners.get(alert.acknowledged_by, alert.acknowledged_by)
        return Title(f"{zh}已由{by}确认", f"{en} was acknowledged by {by}")
    return Title(f"{zh}有新的变动", f"{en} has changed")


def _row(session: Session, number: int) -> AlertRow:
    row = session.get(AlertRow, number)
    if row is None:
        raise _unknown(number)
    return row


def _unknown(number: int) -> UnknownAlertError:
    return UnknownAlertError(Title(f"没有预警{number}", f"there is no alert {number}"))


_STANDS, _SEEN = AlertRow.withdrawn_at.is_(None), AlertRow.acknowledged_at
_IN_STATE: dict[State | None, tuple[sa.ColumnElement[bool], ...]] = {
    None: (_STANDS,),
    "open": (_STANDS, _SEEN.is_(None)),
    "acknowledged": (_STANDS, _SEEN.is_not(None)),
    "withdrawn": (AlertRow.withdrawn_at.is_not(None),),
}


def _meant(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    equal = {name: getattr(wanted, name) for name in ("pack_id", "subject_id", "alert", "town")}
    if wanted.assigned_to is not None:
        equal["assigned_to"] = wanted.assigned_to or sa.null()
    found = [getattr(AlertRow, name) == value for name, value in equal.items() if value is not None]
    if wanted.since is not None:
        found.append(AlertRow.last_on >= wanted.since)
    if wanted.until is not None:
        found.append(AlertRow.last_on <= wanted.until)
    if wanted.is_history is not None:
        by_nobody = AlertRow.acknowledged_by == HISTORY
        found.append(by_nobody if wanted.is_history else ~by_nobody)
    return [*found, *_IN_STATE[wanted.state]]


_READ = {"records", "found_at"}


def _alert(row: AlertRow) -> Alert:
    values = {name: getattr(row, name) for name in Alert.__slots__ if name not in _READ}
    found = {record: dt.datetime.fromisoformat(at) for record, at in found_at(row).items()}
    return Alert(**values, records=tuple(records_of(row)), found_at=found)
