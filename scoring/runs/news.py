"""What changed in the facts between moments: whose, and what that makes of their sums.

Versions have numbers in the order in which they became known, so that new ones are sought by number; those
that ended, by when.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.orm import Session

from scoring.store import bulk
from scoring.store.base import table_of
from scoring.store.batches import parts
from scoring.store.models import RecordVersion, SubjectVersion, known_at

Version = type[SubjectVersion] | type[RecordVersion]

_ROWS = pa.schema(
    [("subject_id", pa.string()), ("content_hash", pa.string()), ("was", pa.int64()), ("now", pa.int64())]
)


@dataclass(frozen=True, slots=True)
class Change:
    """By how many rows there are more, and the exclusive or of what came and of what went."""

    rows: int
    xor: int


@dataclass(frozen=True, slots=True)
class News:
    """What changed.

    :param subject_ids: of whom something came or went at any of the moments between, known or not.
    :param subjects, records: how the sums of what is known differ.
    :param orphans: how many more records are about a subject that is not known.
    """

    subject_ids: Sequence[str]
    subjects: Change
    records: Change
    orphans: int


def news_between(
    session: Session,
    duck: duckdb.DuckDBPyConnection,
    vocabulary_id: str,
    before: dt.datetime,
    now: dt.datetime,
    others: Sequence[dt.datetime] = (),
) -> News:
    """What changed from one moment to another.

    :param others: further moments: of whom something changed between any of them, is told as well.
    """
    moments = (before, now, *others)
    first, last = min(moments), max(moments)
    changes, ids = [], set[str]()
    for version in (SubjectVersion, RecordVersion):
        rows = _changed(session, version, vocabulary_id, first, last, before, now)
        changes.append(_change(duck, rows))
        ids.update(rows.column("subject_id").to_pylist())
    known = sorted(ids)
    orphans = [_orphans(session, vocabulary_id, known, moment) for moment in (before, now)]
    return News(known, changes[0], changes[1], orphans[1] - orphans[0])


def _changed(
    session: Session,
    version: Version,
    vocabulary_id: str,
    first: dt.datetime,
    last: dt.datetime,
    before: dt.datetime,
    now: dt.datetime,
) -> pa.Table:
    """The versions that came or went after the first moment, up to the last."""
    columns = (
        version.subject_id,
        version.content_hash,
        sa.case((known_at(version, before), 1), else_=0).label("was"),
        sa.case((known_at(version, now), 1), else_=0).label("now"),
    )
    of_vocabulary = version.vocabulary + "" == vocabulary_id  # not by its index: there are few, by number
    came = sa.select(*columns).where(
        version.id >= _first_after(session, version, first), version.known_from <= last, of_vocabulary
    )
    went = sa.select(*columns).where(
        version.known_until > first, version.known_until <= last, version.known_from <= first, of_vocabulary
    )
    batches = [batch for query in (came, went) for batch in bulk.stream(session.connection(), query, _ROWS)]
    return pa.Table.from_batches(batches, _ROWS)


def _first_after(session: Session, version: Version, moment: dt.datetime) -> int:
    """A number up to which all versions were known by a moment, and after which none was."""
    table = table_of(version)
    low, high = 0, (session.scalar(sa.select(sa.func.max(table.c.id))) or 0) + 1
    while low < high:
        middle = (low + high) // 2
        query = sa.select(table.c.id, table.c.known_from).where(table.c.id >= middle).order_by(table.c.id)
        found = session.execute(query.limit(1)).one_or_none()
        if found is not None and found.known_from <= moment:
            low = found.id + 1
        else:
            high = middle
    return low


def _change(duck: duckdb.DuckDBPyConnection, rows: pa.Table) -> Change:
    if not rows.num_rows:
        return Change(0, 0)
    duck.register("xh_changed", rows)
    [(number, xor)] = duck.execute(
        'select sum("now" - was), bit_xor(case when "now" <> was then md5_number(content_hash) end)'
        " from xh_changed"
    ).fetchall()
    duck.unregister("xh_changed")
    return Change(int(number), int(xor or 0))


def _orphans(session: Session, vocabulary_id: str, subject_ids: Sequence[str], moment: dt.datetime) -> int:
    """How many records there were about those of the subjects that were not known."""
    subject = sa.select(1).where(
        SubjectVersion.vocabulary == vocabulary_id,
        SubjectVersion.subject_id == RecordVersion.subject_id,
        known_at(SubjectVersion, moment),
    )
    number = 0
    for some in parts(subject_ids):
        query = sa.select(sa.func.count()).where(
            RecordVersion.vocabulary == vocabulary_id,
            RecordVersion.subject_id.in_(some),
            known_at(RecordVersion, moment),
            ~subject.exists(),
        )
        number += session.scalar(query) or 0
    return number
