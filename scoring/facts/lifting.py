"""Consequences end with the record that they rest on, in the transaction in which it ends."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.calendar import today
from scoring.store.batches import parts
from scoring.store.consequences import ConsequenceRow

STANDS = ("effective", "disputed")
"""The statuses of a record on which a consequence may go on to rest."""


@dataclass(frozen=True, slots=True)
class Lift:
    """By what consequences are lifted.

    :param by: who did it.
    :param because: in a person's words; None where the office has changed the record, or
        taken it back.
    :param mark_id: the mark that did.
    """

    by: str
    because: str | None = None
    mark_id: int | None = None


def lift_on_records(session: Session, vocabulary_id: str, record_ids: Sequence[str], lift: Lift) -> None:
    """Lift everything that rests on some records."""
    for some in parts(record_ids):
        session.execute(
            sa.update(ConsequenceRow)
            .where(_stands(vocabulary_id), ConsequenceRow.record_id.in_(some))
            .values(
                lifted_on=today(),
                lifted_at=dt.datetime.now(dt.UTC),
                lifted_by=lift.by,
                lifted_because=lift.because,
                mark_id=lift.mark_id,
            )
        )


def resting_on(vocabulary_id: str) -> sa.Select[Any]:
    """The records that consequences rest on."""
    return sa.select(ConsequenceRow.record_id).where(
        _stands(vocabulary_id), ConsequenceRow.record_id.is_not(None)
    )


def _stands(vocabulary_id: str) -> sa.ColumnElement[bool]:
    return sa.and_(ConsequenceRow.vocabulary == vocabulary_id, ConsequenceRow.lifted_at.is_(None))
