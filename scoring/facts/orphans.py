"""Records of codes that no subject has: they are kept, and count for nobody until the subject is known."""

from __future__ import annotations

from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.model import Vocabulary
from scoring.facts.merging import AUTHORITY
from scoring.store import Store
from scoring.store.base import table_of
from scoring.store.inside import ValueIn
from scoring.store.models import IngestedFile, RecordVersion, SubjectVersion

SHOWN = 20
"""So many of a file's codes are named, and so many of a code's records."""


@dataclass(frozen=True, slots=True)
class Orphans:
    """The records of a file whose codes no subject has.

    :param codes: how many codes these are.
    :param first: the first :data:`SHOWN` of them.
    """

    records: int = 0
    codes: int = 0
    first: tuple[str, ...] = ()


NO_ORPHANS = Orphans()


@dataclass(frozen=True, slots=True)
class Orphan:
    """A code that no subject has, though records speak of it.

    :param records: how many.
    :param first: the numbers of the first :data:`SHOWN` of them, each with whose record it is.
    """

    code: str
    records: int
    first: tuple[tuple[str, str | None], ...]


def orphans_among(
    connection: sa.Connection, vocabulary_id: str, rows: sa.Table, *which: sa.ColumnElement[bool]
) -> Orphans:
    """Those among the rows of a table with a column of codes.

    :param which: of its rows; by default all.
    """
    code = rows.c.subject_id
    query = sa.select(code, sa.func.count()).where(*which, ~_is_known(vocabulary_id, code))
    found = NO_ORPHANS
    for text, number in connection.execute(query.group_by(code).order_by(code)):
        first = (*found.first, text) if found.codes < SHOWN else found.first
        found = replace(found, records=found.records + number, codes=found.codes + 1, first=first)
    return found


def orphans_of_file(session: Session, vocabulary_id: str, file_id: int) -> Orphans:
    """Those among the current records that a file, in whichever sending of the same one, was the last to say
    anything new of, as subjects are known now."""
    rows, files = table_of(RecordVersion), table_of(IngestedFile)
    sent = sa.select(files.c.sha256).where(files.c.id == file_id).scalar_subquery()
    same = sa.select(files.c.id).where(files.c.vocabulary == vocabulary_id, files.c.sha256 == sent)
    of_file = rows.c.file_id.in_(same), rows.c.known_until.is_(None)
    return orphans_among(session.connection(), vocabulary_id, rows, *of_file)


def list_orphans(
    store: Store, vocabulary: Vocabulary, after: str = "", limit: int | None = None
) -> list[Orphan]:
    """The codes of current records that no subject has, in their order.

    :param after: only greater codes: the last of the page before.

    >>> from fixtures.small import small_store
    >>> from rules.library.loader import load_vocabulary
    >>> list_orphans(small_store(), load_vocabulary("tourism"))
    []
    """
    with store.reading() as session:
        codes = session.scalars(_codes(vocabulary.id, after).limit(limit)).all()
        return [_orphan(session, vocabulary.id, code) for code in codes]


def _codes(vocabulary_id: str, after: str) -> sa.Select[str]:
    """The codes, found from one to the next by the index: what it costs goes with codes, not with records."""
    own, next_own = table_of(RecordVersion), table_of(RecordVersion).alias()
    first = sa.select(sa.func.min(own.c.subject_id).label("code"))
    codes = first.where(own.c.vocabulary == vocabulary_id, own.c.subject_id > after).cte(recursive=True)
    greater = sa.select(sa.func.min(next_own.c.subject_id)).where(
        next_own.c.vocabulary == vocabulary_id, next_own.c.subject_id > codes.c.code
    )
    codes = codes.union_all(sa.select(greater.scalar_subquery()).where(codes.c.code.is_not(None)))
    current = sa.select(1).where(*_current_of(vocabulary_id, codes.c.code))
    return (
        sa.select(codes.c.code)
        .where(codes.c.code.is_not(None), ~_is_known(vocabulary_id, codes.c.code), current.exists())
        .order_by(codes.c.code)
    )


def _orphan(session: Session, vocabulary_id: str, code: str) -> Orphan:
    r, current = RecordVersion, _current_of(vocabulary_id, sa.literal(code))
    records = session.scalar(sa.select(sa.func.count()).where(*current)) or 0
    query = sa.select(r.record_id, ValueIn(r.data, AUTHORITY)).where(*current).order_by(r.record_id + "")
    found = tuple((number, authority) for number, authority in session.execute(query.limit(SHOWN)))
    return Orphan(code, records, found)


def _current_of(vocabulary_id: str, code: sa.ColumnElement[str]) -> tuple[sa.ColumnElement[bool], ...]:
    r = RecordVersion
    return r.vocabulary == vocabulary_id, r.subject_id == code, r.known_until.is_(None)


def _is_known(vocabulary_id: str, code: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Whether there is a subject of a code."""
    s = SubjectVersion
    current = s.vocabulary == vocabulary_id, s.subject_id == code, s.known_until.is_(None)
    return sa.select(1).where(*current).exists()
