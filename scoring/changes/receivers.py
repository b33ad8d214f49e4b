"""Proof of who was told that a record does not count any more: repaired, or revoked upon an objection."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scoring.access.keys import Role
from scoring.changes.feed import OF_RECORDS, Place
from scoring.changes.subscriptions import Subscription, subscription_of
from scoring.facts.bodies import register
from scoring.store import Store
from scoring.store.changes import ChangeRow, DeliveryRow, SubscriptionRow


@dataclass(frozen=True, slots=True)
class Told:
    """How a receiver stands to a change of a record.

    :param way: ``webhook`` or ``feed``.
    :param told_at: the first attempt that got an answer; of who reads the feed, the acknowledgement.
    :param attempts: how often it was sent, with an answer or without.
    """

    subscription: int
    receiver: str
    way: str
    told_at: dt.datetime | None
    acknowledged_at: dt.datetime | None
    attempts: int


@dataclass(frozen=True, slots=True)
class Proof:
    """A change of a record, and who was told of it.

    :param change: the id of its item in the feed.
    """

    change: str
    kind: str
    at: dt.datetime
    day: dt.date | None
    outcome: str | None
    receivers: tuple[Told, ...]


def proofs_of(store: Store, vocabulary_id: str, record_id: str) -> list[Proof]:
    """Each repair of a record, and each of its objections that was upheld, with the receivers that were to be
    told; the newest first. What was before this store kept changes has none.
    """
    query = sa.select(ChangeRow).where(
        ChangeRow.vocabulary == vocabulary_id,
        ChangeRow.record_id == record_id,
        ChangeRow.kind.in_(OF_RECORDS),
        ChangeRow.outcome.is_distinct_from("rejected"),
    )
    with store.reading() as session:
        return [
            Proof(str(row.id), row.kind, row.at, row.day, row.outcome, tuple(_told(session, row)))
            for row in session.scalars(query.order_by(ChangeRow.id.desc()))
        ]


def _told(session: Session, change: ChangeRow) -> Iterator[Told]:
    offices = register(session)
    for row in session.scalars(sa.select(SubscriptionRow).order_by(SubscriptionRow.id)):
        found = subscription_of(row)
        is_own = found.organisation and change.authority in offices.names(found.organisation)
        if change.kind not in found.kinds or not (found.role is Role.REGULATOR or is_own):
            continue
        attempts = _attempts(session, found.id, change.id)
        if attempts or (found.ended_at is None and Place.read(found.begins).id < change.id):
            yield _told_by(found, attempts)


def _attempts(session: Session, subscription: int, change: int) -> Sequence[DeliveryRow]:
    query = sa.select(DeliveryRow).where(
        DeliveryRow.subscription_id == subscription,
        DeliveryRow.after_id < change,
        DeliveryRow.until_id >= change,
    )
    return session.scalars(query.order_by(DeliveryRow.id)).all()


def _told_by(found: Subscription, attempts: Sequence[DeliveryRow]) -> Told:
    acknowledged = [row.acknowledged_at for row in attempts if row.acknowledged_at is not None]
    got = [row.begun_at for row in attempts if row.status is not None or row.acknowledged_at is not None]
    return Told(
        found.id,
        found.receiver,
        "feed" if found.address is None else "webhook",
        min(got, default=None),
        min(acknowledged, default=None),
        0 if found.address is None else len(attempts),
    )
