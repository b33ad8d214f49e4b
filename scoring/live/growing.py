"""How a subject's matches become alerts: those that share records are one alert, which grows.

What was settled stays as it was settled: a further match opens a new alert that names it. So the open alerts
of a subject depend on its records and on what was settled, and not on the order in which records came.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scoring.live.patterns import Match
from scoring.store.changes import note_change
from scoring.store.live import AlertRow

HISTORY = "history"
"""Who has acknowledged an alert that a scan found long after its last record: nobody needs to."""

Chain = Mapping[str, tuple[str, ...]]
"""Matches by the records that completed them: the ids of their records in order."""


@dataclass(frozen=True, slots=True)
class About:
    """Whose matches they are, by which pack, as the subject was judged.

    :param town: the subject's, where it has one.
    :param dates: of its records, by their ids.
    """

    pack_id: str
    pack_hash: str
    subject_id: str
    dates: Mapping[str, dt.date]
    town: str | None = None

    def place(self, record_id: str) -> tuple[dt.date, str]:
        """By which records are in order."""
        return self.dates[record_id], record_id


class Changed(NamedTuple):
    """How many alerts were raised, withdrawn, found as history, and have grown."""

    raised: int = 0
    withdrawn: int = 0
    history: int = 0
    grown: int = 0


class Alerts:
    """The alerts of some subjects by one pack, in one transaction: nobody else changes them meanwhile.

    :param session: of a transaction that writes.
    """

    def __init__(self, session: Session, pack_id: str, subject_ids: Iterable[str]) -> None:
        self._session = session
        self._known: dict[tuple[str, str], list[AlertRow]] = defaultdict(list)
        self._new: list[tuple[AlertRow, str, dt.datetime]] = []
        query = sa.select(AlertRow).where(AlertRow.pack_id == pack_id, AlertRow.subject_id.in_(subject_ids))
        for row in session.scalars(query.order_by(AlertRow.id).with_for_update()):
            self._known[row.subject_id, row.alert].append(row)

    def reconcile(
        self, about: About, matches: Iterable[Match], now: dt.datetime, past: dt.date | None = None
    ) -> Changed:
        """Make a subject's standing alerts those of its matches. Where they are so already, nothing changes.

        An alert that comes back is the same one; so is one whose earlier records have changed.

        :param past: a new alert whose last record is of before this day is history: it is kept as
            acknowledged, and nobody is told of it.
        """
        wanted: dict[str, dict[str, tuple[str, ...]]] = defaultdict(dict)
        for match in sorted(matches, key=lambda m: about.place(str(m.records[-1]))):
            wanted[match.alert][str(match.records[-1])] = tuple(map(str, match.records))
        known = {alert for subject_id, alert in self._known if subject_id == about.subject_id}
        grower = _Grower(self._session, about, now, past)
        for alert in sorted(known | wanted.keys()):
            grower.grow(alert, self._known.get((about.subject_id, alert), ()), wanted[alert])
        self._new += grower.new
        return Changed(**grower.counted)

    def tell(self) -> None:
        """Note what is new for those who are told: each alert that opened or grew, by its last new record.

        It comes last: others wait for their turn meanwhile.
        """
        self._session.flush()
        for row, record_id, at in self._new:
            said = {name: getattr(row, name) for name in ("pack_id", "pack_hash", "subject_id", "alert")}
            said |= {"record_id": record_id, "alert_id": row.id}
            note_change(self._session, "alert_opened", at, **said)


class _Grower:
    """One reconciliation; what it did is counted.

    :ivar new: the alerts that opened or grew, each with its last new record.
    """

    def __init__(self, session: Session, about: About, now: dt.datetime, past: dt.date | None) -> None:
        self._session, self._about, self._now, self._past = session, about, now, past
        self.new: list[tuple[AlertRow, str, dt.datetime]] = []
        self.counted: Counter[str] = Counter()

    def grow(self, alert: str, rows: Sequence[AlertRow], wanted: Chain) -> None:
        """Make the alerts of one pattern those of its matches."""
        before = [(row.id, set(records_of(row))) for row in rows]
        for row, chain in _shares(rows, wanted):
            if row is None:
                self._open(alert, chain, before)
            elif chain:
                self._keep(row, chain, wanted)
            else:
                self._withdraw(row, wanted, rows)

    def _open(self, alert: str, chain: Chain, before: Iterable[tuple[int, set[str]]]) -> None:
        records = self._in_order(chain)
        row = AlertRow(
            pack_id=self._about.pack_id,
            subject_id=self._about.subject_id,
            alert=alert,
            raised_at=self._now,
            version=1,
            follows=max((number for number, old in before if not old.isdisjoint(records)), default=None),
        )
        self._session.add(row)
        self._write(row, records, dict.fromkeys(chain, self._now.isoformat()))
        if self._past is not None and row.last_on is not None and row.last_on < self._past:
            row.acknowledged_at, row.acknowledged_by = self._now, HISTORY
            self.counted["history"] += 1
        else:
            self.new.append((row, records[-1], self._now))
            self.counted["raised"] += 1

    def _keep(self, row: AlertRow, chain: Chain, wanted: Chain) -> None:
        was, stood, known = records_of(row), row.withdrawn_at is None, found_at(row)
        records = self._in_order(chain) if row.acknowledged_at is None else was
        new = [end for end in chain if end not in known]
        left = {end: at for end, at in known.items() if end in chain or end not in wanted}
        self._write(row, records, left | dict.fromkeys(new, self._now.isoformat()))
        row.withdrawn_at = row.joined = None
        if not stood or was != records:
            row.version += 1
        if row.acknowledged_at is None and (new or not stood):
            self.new.append((row, new[-1] if new else records[-1], self._now))
            self.counted["grown" if stood else "raised"] += 1

    def _withdraw(self, row: AlertRow, wanted: Chain, rows: Sequence[AlertRow]) -> None:
        """Nothing completes it any more, or it was joined to another alert, which goes to who had it."""
        own = found_at(row).keys() & wanted.keys()
        heirs = (o for o in rows if o.withdrawn_at is None and not own.isdisjoint(found_at(o)))
        if row.withdrawn_at is None:
            row.withdrawn_at = self._now
            row.version += 1
            self.counted["withdrawn"] += 1
        heir, was = next(heirs, None), row.joined
        row.joined = None if heir is None else heir.id
        if heir is None or heir.id == was:
            return
        if heir.assigned_to is None and heir.acknowledged_at is None:
            heir.assigned_to, heir.assigned_by, heir.assigned_at = (
                row.assigned_to,
                row.assigned_by,
                row.assigned_at,
            )

    def _write(self, row: AlertRow, records: Sequence[str], found: Mapping[str, str]) -> None:
        row.records, row.last_on = json.dumps(records), self._about.dates.get(records[-1], row.last_on)
        row.matches, row.pack_hash, row.town = json.dumps(found), self._about.pack_hash, self._about.town

    def _in_order(self, chain: Chain) -> list[str]:
        """The records of matches, each once, in the order of their dates, then of their ids."""
        return sorted(set().union(*chain.values()), key=self._about.place)


def records_of(row: AlertRow) -> list[str]:
    """The ids of an alert's records, in order."""
    return list(json.loads(row.records))


def found_at(row: AlertRow) -> dict[str, str]:
    """The records that completed an alert's matches, and when each was found (ISO 8601)."""
    return dict(json.loads(row.matches))


def _shares(rows: Sequence[AlertRow], wanted: Chain) -> list[tuple[AlertRow | None, Chain]]:
    """Which matches are whose: a settled alert keeps its own; of all others those that share records are
    one, and are the oldest open alert that has one of them, or a new one (None).
    """
    left, shares = dict(wanted), list[tuple[AlertRow | None, Chain]]()
    for row in rows:
        if row.acknowledged_at is not None:
            shares.append((row, {end: left.pop(end) for end in found_at(row) if end in left}))
    unsettled = [row for row in rows if row.acknowledged_at is None]
    for chain in _chains(left):
        own = next((row for row in unsettled if not chain.keys().isdisjoint(found_at(row))), None)
        if own is not None:
            unsettled.remove(own)
        shares.append((own, chain))
    return [*shares, *((row, {}) for row in unsettled)]


def _chains(matches: Chain) -> list[dict[str, tuple[str, ...]]]:
    """Matches that share records, directly or by others between them, together."""
    chains: list[tuple[set[str], dict[str, tuple[str, ...]]]] = []
    for end, records in matches.items():
        touched = [chain for chain in chains if not chain[0].isdisjoint(records)]
        names, together = set(records), dict[str, tuple[str, ...]]()
        for others, chain in touched:
            names |= others
            together |= chain
        chains = [chain for chain in chains if chain not in touched]
        chains.append((names, {**together, end: records}))
    return [chain for _, chain in chains]
