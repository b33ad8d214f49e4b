"""Contradictions between what was decided here about a record and what an office's row says of its status."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Literal

import sqlalchemy as sa

from scoring.store.base import table_of
from scoring.store.bulk import parts
from scoring.store.findings import ContradictionRow
from scoring.store.merging import Claim

Outcome = Literal["agreed", "confirmed", "accepted", "replaced", "marked", "undone"]


def raise_contradictions(
    connection: sa.Connection, vocabulary_id: str, claims: Sequence[Claim], file_id: int, at: dt.datetime
) -> None:
    """Note claims, each once; a new one takes the place of another of its record."""
    for some in parts(claims):
        standing = dict(_open(connection, vocabulary_id, [claim.record_id for claim in some]))
        news = [claim for claim in some if standing.get(claim.record_id) != claim.claimed]
        close_contradictions(connection, vocabulary_id, [c.record_id for c in news], "replaced", at)
        if news:
            connection.execute(
                sa.insert(table_of(ContradictionRow)),
                [_row(vocabulary_id, claim, file_id, at) for claim in news],
            )


def close_contradictions(
    connection: sa.Connection,
    vocabulary_id: str,
    record_ids: Sequence[str],
    outcome: Outcome,
    at: dt.datetime,
    by: str | None = None,
) -> None:
    """Close what is open about some records."""
    for some in parts(record_ids):
        connection.execute(
            sa.update(ContradictionRow)
            .where(_is_open(vocabulary_id), ContradictionRow.record_id.in_(some))
            .values(closed_at=at, outcome=outcome, closed_by=by)
        )


def close_undone(connection: sa.Connection, file_id: int, at: dt.datetime) -> None:
    """Close what a file's rows contradicted: the file is taken back."""
    row = ContradictionRow
    query = sa.update(row).where(row.file_id == file_id, row.closed_at.is_(None))
    connection.execute(query.values(closed_at=at, outcome="undone"))


def _open(
    connection: sa.Connection, vocabulary_id: str, record_ids: Sequence[str]
) -> Iterable[tuple[str, str]]:
    query = sa.select(ContradictionRow.record_id, ContradictionRow.claimed)
    rows = connection.execute(
        query.where(_is_open(vocabulary_id), ContradictionRow.record_id.in_(record_ids))
    )
    return [(record_id, claimed) for record_id, claimed in rows]


def _is_open(vocabulary_id: str) -> sa.ColumnElement[bool]:
    return sa.and_(ContradictionRow.vocabulary == vocabulary_id, ContradictionRow.closed_at.is_(None))


def _row(vocabulary_id: str, claim: Claim, file_id: int, at: dt.datetime) -> dict[str, object]:
    return {
        "vocabulary": vocabulary_id,
        **{name: getattr(claim, name) for name in Claim.__slots__},
        "file_id": file_id,
        "raised_at": at,
    }
