"""The tables of what others are told: changes in the order of their commits, receivers, attempts."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scoring.store.base import Base, BigId, Moment
from scoring.store.models import Run

Kind = Literal["tier_changed", "record_repaired", "objection_decided", "alert_opened"]


class ChangeRow(Base):
    """Something that others are told of, noted in the transaction that makes it so.

    A run is one row, however many tiers it changed: which, is read from what it and its ``base`` say.

    :ivar id: grows in the order in which the changes were committed (:func:`note_change`).
    :ivar run_id: the run that changed tiers; of all others the last that was published by then.
    :ivar base: the run that was told before; None of the first one, which moves nobody.
    :ivar day: the day that a tier is of, or on which a repair or decision was made.
    :ivar outcome: ``upheld`` or ``rejected``.
    :ivar alert: the id of the pattern in the pack.
    """

    __tablename__ = "changes"
    __table_args__ = (sa.Index(None, "vocabulary", "record_id"), sa.Index(None, "subject_id", "id"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str]
    at: Mapped[dt.datetime] = mapped_column(Moment)
    run_id: Mapped[int | None] = mapped_column(sa.ForeignKey(Run.id))
    base: Mapped[int | None] = mapped_column(BigId)
    pack_id: Mapped[str | None]
    pack_hash: Mapped[str | None]
    vocabulary: Mapped[str | None]
    subject_id: Mapped[str | None]
    record_id: Mapped[str | None]
    authority: Mapped[str | None]
    day: Mapped[dt.date | None]
    outcome: Mapped[str | None]
    alert: Mapped[str | None]
    alert_id: Mapped[int | None] = mapped_column(BigId)


class SubscriptionRow(Base):
    """Who is told, of what, how far they are, and how it goes.

    Places in the feed are texts (:class:`scoring.changes.feed.Place`).

    :ivar role: with ``organisation``: for whom: a regulator is told everything, a department of its own
        records, a lender of the tiers of subjects that consented.
    :ivar kinds: codes, with commas between.
    :ivar address: where it is sent to; None of a receiver that reads the feed and acknowledges.
    :ivar secret: by which what is sent is signed.
    :ivar begins: the place after which it begins.
    :ivar place: up to which everything is acknowledged.
    :ivar sending: up to which the message goes that is not acknowledged yet.
    :ivar tries: how often that was tried; it is tried again at ``next_at``.
    :ivar stopped_at: when it was given up, until somebody resumes it.
    :ivar claim: the sender that has it, until ``claimed_until``.
    """

    __tablename__ = "subscriptions"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    receiver: Mapped[str]
    role: Mapped[str]
    organisation: Mapped[str | None]
    kinds: Mapped[str]
    pack_id: Mapped[str | None]
    address: Mapped[str | None]
    secret: Mapped[str | None]
    begins: Mapped[str]
    place: Mapped[str]
    sending: Mapped[str | None]
    tries: Mapped[int]
    next_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    stopped_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    stopped_why: Mapped[str | None] = mapped_column(sa.Text)
    claim: Mapped[str | None]
    claimed_until: Mapped[dt.datetime | None] = mapped_column(Moment)
    created_at: Mapped[dt.datetime] = mapped_column(Moment)
    created_by: Mapped[str]
    ended_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    ended_by: Mapped[str | None]


class DeliveryRow(Base):
    """One attempt to tell a receiver what lies between two places; or its acknowledgement of what it read.

    :ivar after_id, until_id: the changes of the two places, by which attempts are sought.
    :ivar acknowledged_at: when a 2xx, or the acknowledgement, came.
    :ivar status: of the answer; None where there was none.
    :ivar problem: why there was none, or it is not taken for an acknowledgement.
    :ivar by: whose command or key it was.
    """

    __tablename__ = "deliveries"
    __table_args__ = (sa.Index(None, "subscription_id", "until_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    subscription_id: Mapped[int] = mapped_column(sa.ForeignKey(SubscriptionRow.id))
    after: Mapped[str]
    until: Mapped[str]
    after_id: Mapped[int] = mapped_column(BigId)
    until_id: Mapped[int] = mapped_column(BigId)
    items: Mapped[int]
    begun_at: Mapped[dt.datetime] = mapped_column(Moment)
    acknowledged_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    status: Mapped[int | None]
    problem: Mapped[str | None] = mapped_column(sa.Text)
    by: Mapped[str]


def note_change(session: Session, kind: Kind, at: dt.datetime, **columns: Any) -> None:
    """Note a change, as the last thing that a transaction waits for.

    Numbers are given one by one, and the next when the transaction has ended: who has read a number has read
    all smaller ones there will ever be. In SQLite a writer is alone anyway.

    :param columns: see :class:`ChangeRow`; without a run, the last one is named.
    """
    if "run_id" not in columns:
        columns = _last_run(session, columns) | columns
    _take_turn(session)
    session.add(ChangeRow(kind=kind, at=at, **columns))
    session.flush()


def note_repairs(session: Session, rows: sa.Select[Any], at: dt.datetime) -> None:
    """Note the repairs that a file brought.

    :param rows: vocabulary, record_id, subject_id, authority and day of each.
    """
    found = [dict(row) for row in session.execute(rows).mappings()]
    run = {"run_id": None} | _last_run(session, found[0]) if found else {}
    for columns in found:
        note_change(session, "record_repaired", at, **run, **columns)


def _last_run(session: Session, columns: dict[str, Any]) -> dict[str, Any]:
    query = sa.select(Run.id, Run.pack_id, Run.pack_hash).order_by(Run.id.desc()).limit(1)
    wanted = {name: columns[name] for name in ("vocabulary", "pack_id") if columns.get(name)}
    row = session.execute(query.filter_by(**wanted)).one_or_none()
    return {} if row is None else {"run_id": row.id, "pack_id": row.pack_id, "pack_hash": row.pack_hash}


def _take_turn(session: Session) -> None:
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended("changes", 0))))
