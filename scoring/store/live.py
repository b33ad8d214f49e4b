"""The tables of live events: what was last seen of each subject, and the alerts."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from scoring.store.base import Base, BigId, Moment, Points, index_where


class LiveGradeRow(Base):
    """A subject's grade after the last event. It is no part of any run: the next run says what counts.

    :ivar known_at: the moment of the last file whose rows were seen.
    :ivar cause: the record whose arrival led to it.
    :ivar dimensions, hits: JSON.
    """

    __tablename__ = "live_grades"
    __table_args__ = ({"sqlite_with_rowid": False},)

    pack_id: Mapped[str] = mapped_column(primary_key=True)
    subject_id: Mapped[str] = mapped_column(primary_key=True)
    pack_hash: Mapped[str]
    as_of: Mapped[dt.date]
    known_at: Mapped[dt.datetime] = mapped_column(Moment)
    graded_at: Mapped[dt.datetime] = mapped_column(Moment)
    cause: Mapped[str | None]
    score: Mapped[int] = mapped_column(Points)
    tier: Mapped[str]
    band: Mapped[str]
    veto: Mapped[str | None]
    inputs_known: Mapped[int]
    inputs_total: Mapped[int]
    dimensions: Mapped[str] = mapped_column(sa.Text)
    hits: Mapped[str] = mapped_column(sa.Text)


def _in_state(name: str, state: str) -> sa.Index:
    """Alerts of a state that few are in, by number."""
    return index_where(state, name, "id")


class AlertRow(Base):
    """Matches of a pattern that share records: one alert, which grows. It stays when it is acknowledged,
    withdrawn or joined to another.

    :ivar alert: the id of the pattern in the pack.
    :ivar records: JSON: the ids of all its records in order.
    :ivar last_on: the day of the last of them.
    :ivar matches: JSON: each record that completed a match, and the moment at which that was found.
    :ivar version: grows whenever what it is about, or how it stands, changes.
    :ivar town: the subject's, as it was when it was judged last.
    :ivar follows: the alert that names some of its records and was settled before.
    :ivar joined: the alert to which its matches belong since a record connected the two.
    :ivar withdrawn_at: when a later version of a record undid it; None while it stands.
    :ivar assigned_to: the owner of a regulator's key.
    """

    __tablename__ = "alerts"
    __table_args__ = (
        sa.Index(None, "subject_id", "id"),
        sa.Index(None, "pack_id", "id"),
        sa.Index(None, "pack_id", "subject_id"),
        sa.Index(None, "alert", "id"),
        sa.Index(None, "town", "id"),
        sa.Index(None, "last_on", "id"),
        sa.Index(None, "assigned_to", "id"),
        _in_state("ix_alerts_open", "withdrawn_at IS NULL AND acknowledged_at IS NULL"),
        _in_state("ix_alerts_withdrawn", "withdrawn_at IS NOT NULL"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    pack_id: Mapped[str]
    pack_hash: Mapped[str]
    alert: Mapped[str]
    subject_id: Mapped[str]
    records: Mapped[str] = mapped_column(sa.Text)
    raised_at: Mapped[dt.datetime] = mapped_column(Moment)
    acknowledged_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    acknowledged_by: Mapped[str | None]
    note: Mapped[str | None] = mapped_column(sa.Text)
    withdrawn_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    last_on: Mapped[dt.date | None]
    matches: Mapped[str] = mapped_column(sa.Text)
    version: Mapped[int]
    town: Mapped[str | None]
    follows: Mapped[int | None] = mapped_column(BigId)
    joined: Mapped[int | None] = mapped_column(BigId)
    assigned_to: Mapped[str | None]
    assigned_by: Mapped[str | None]
    assigned_at: Mapped[dt.datetime | None] = mapped_column(Moment)


class LiveScan(Base):
    """Up to which moment all changes have been seen by a pack's live rules."""

    __tablename__ = "live_scans"

    pack_id: Mapped[str] = mapped_column(primary_key=True)
    pack_hash: Mapped[str]
    known_at: Mapped[dt.datetime] = mapped_column(Moment)


class LiveScanBegun(Base):
    """A scan that has not come to its end: it goes on from here.

    :ivar known_at: up to which moment it sees all changes.
    :ivar since: it looks at the subjects of which something changed after this moment; None: at everybody.
    :ivar done: the last subject that was judged; they are judged in the order of their ids.
    """

    __tablename__ = "live_scans_begun"

    pack_id: Mapped[str] = mapped_column(primary_key=True)
    pack_hash: Mapped[str]
    known_at: Mapped[dt.datetime] = mapped_column(Moment)
    since: Mapped[dt.datetime | None] = mapped_column(Moment)
    done: Mapped[str]
