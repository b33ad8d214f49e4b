"""Contradictions between what was decided here about a record and what an office's row says of its status."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa

from scoring.facts.merging import Claim
from scoring.store.access import STEPS, RecordMark
from scoring.store.base import Moment, table_of
from scoring.store.batches import parts
from scoring.store.findings import ContradictionRow
from scoring.store.models import IngestedFile

Outcome = Literal["agreed", "confirmed", "accepted", "replaced", "marked", "undone"]


def raise_contradictions(
    connection: sa.Connection, vocabulary_id: str, claims: Sequence[Claim], file_id: int, at: dt.datetime
) -> list[Claim]:
    """Note claims, each once; a new one takes the place of another of its record.

    :return: the new ones.
    """
    raised = []
    for some in parts(claims):
        standing = dict(_open(connection, vocabulary_id, [claim.record_id for claim in some]))
        news = [claim for claim in some if standing.get(claim.record_id) != claim.claimed]
        close_contradictions(connection, vocabulary_id, [c.record_id for c in news], "replaced", at)
        if news:
            connection.execute(
                sa.insert(table_of(ContradictionRow)),
                [_row(vocabulary_id, claim, file_id, at) for claim in news],
            )
        raised += news
    return raised


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


@dataclass(frozen=True, slots=True)
class Effect:
    """What a file did to contradictions, and nobody has changed since: their ids.

    :param raised: those that it raised, or opened again, and that are open.
    :param closed: those that it closed, and that would be open without it.
    """

    raised: tuple[int, ...]
    closed: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.raised) + len(self.closed)


def effect_of(connection: sa.Connection, file: IngestedFile) -> Effect:
    """What taking a file back would undo.

    What it closed stays closed where anything was said of the record since, save by files that were taken
    back, or where another mark stands.
    """
    row, later = ContradictionRow, sa.orm.aliased(ContradictionRow)
    since = sa.select(later.id).where(
        later.vocabulary == row.vocabulary,
        later.record_id == row.record_id,
        later.raised_at >= row.closed_at,
        later.outcome.is_distinct_from("undone"),
        ~_raised_by(file, later),
    )
    mark = sa.select(sa.func.max(RecordMark.id)).where(
        RecordMark.vocabulary == row.vocabulary,
        RecordMark.record_id == row.record_id,
        RecordMark.kind.not_in(STEPS),
    )
    closed = sa.select(row.id).where(
        row.vocabulary == file.vocabulary,
        row.closed_at == file.ingested_at,
        row.outcome.in_(("agreed", "replaced", "undone")),
        row.mark_id == mark.correlate(row).scalar_subquery(),
        ~since.correlate(row).exists(),
    )
    raised = sa.select(row.id).where(_raised_by(file, row))
    return Effect(tuple(connection.scalars(raised)), tuple(connection.scalars(closed)))


def take_back(connection: sa.Connection, effect: Effect, at: dt.datetime) -> None:
    """Close what a file raised, and open again what it closed, as a row of its own: nothing is rewritten."""
    table = table_of(ContradictionRow)
    for some in parts(effect.raised):
        close = sa.update(table).where(table.c.id.in_(some))
        connection.execute(close.values(closed_at=at, outcome="undone"))
    for some in parts(effect.closed):
        again = sa.select(*(table.c[name] for name in _REOPENED), sa.literal(at, Moment))
        again = again.where(table.c.id.in_(some)).order_by(table.c.id)
        connection.execute(sa.insert(table).from_select([*_REOPENED, "raised_at"], again))


_REOPENED = ("vocabulary", *Claim.__slots__, "file_id")


def _raised_by(file: IngestedFile, row: type[ContradictionRow]) -> sa.ColumnElement[bool]:
    """The condition that a contradiction is open by a file's rows, or by its undoing of another file."""
    return sa.and_(
        row.vocabulary == file.vocabulary,
        row.closed_at.is_(None),
        sa.or_(row.file_id == file.id, row.raised_at == file.ingested_at),
    )


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
