"""What was known at a moment, as the typed tables ``subjects`` and ``records`` of a DuckDB."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.model import Table, Vocabulary
from scoring.sql import quoted
from scoring.store import bulk
from scoring.store.connection import Store
from scoring.store.documents import typed_columns
from scoring.store.errors import StoreError
from scoring.store.models import RecordVersion, SubjectVersion
from scoring.store.versions import known_at as was_known
from scoring.store.versions import last_ingest

_HASH = "content hash"  # with a space: no column of a vocabulary is called so
_FEW = 20_000
_DOCUMENTS = pa.schema([("data", pa.string()), (_HASH, pa.string())])


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was put into the DuckDB.

    :param known_at: the moment of the last file that counted; the same data can be had again with it.
    :param records: number of records.
    :param orphans: how many of them are about a subject that is not known; they are not graded.
    :param prints: of subjects and of records, the exclusive or of the hashes of their documents (hex); empty
        where the vocabulary has no records.
    """

    vocabulary: str
    known_at: dt.datetime
    subjects: int
    records: int
    orphans: int
    prints: tuple[str, str]

    @property
    def hash(self) -> str:
        """SHA-256 (hex) over the content; the same for the same rows in any order and any store."""
        subjects, records = self.prints
        text = f"{self.vocabulary} {self.subjects} {subjects} {self.records} {records}"
        return hashlib.sha256(text.encode()).hexdigest()


def take_snapshot(
    store: Store,
    vocabulary: Vocabulary,
    duck: duckdb.DuckDBPyConnection,
    known_at: dt.datetime | None = None,
) -> Snapshot:
    """Make the tables ``subjects`` and, where the vocabulary has any, ``records`` of what was known.

    :param known_at: a moment with its time zone; None for now.
    :raises StoreError: where nothing was known of any subject, a value is not of its column's type, or the
        database fails.
    """
    with store.reading() as session:
        moment = moment_known(store, session, vocabulary, known_at)
        connection = session.connection()
        _load(
            duck, "subjects", vocabulary.subject, _documents(connection, SubjectVersion, vocabulary, moment)
        )
        if vocabulary.records is not None:
            _load(
                duck, "records", vocabulary.records, _documents(connection, RecordVersion, vocabulary, moment)
            )
    return _describe(duck, vocabulary, moment)


def take_some(
    store: Store,
    vocabulary: Vocabulary,
    duck: duckdb.DuckDBPyConnection,
    moment: dt.datetime,
    subject_ids: Sequence[str],
) -> None:
    """Make the tables of what was known of some subjects.

    :param moment: of a file.
    :raises StoreError: where a value is not of its column's type, or the database fails.
    """
    tables: list[tuple[str, Table, type[SubjectVersion] | type[RecordVersion]]]
    tables = [("subjects", vocabulary.subject, SubjectVersion)]
    if vocabulary.records is not None:
        tables.append(("records", vocabulary.records, RecordVersion))
    with store.reading() as session:
        for name, table, version in tables:
            documents = _documents_of(session.connection(), version, vocabulary, moment, subject_ids)
            _load(duck, name, table, pa.RecordBatchReader.from_batches(_DOCUMENTS, documents))
            duck.execute(f"alter table {name} drop column {quoted(_HASH)}")


def _documents_of(
    connection: sa.Connection,
    version: type[SubjectVersion] | type[RecordVersion],
    vocabulary: Vocabulary,
    moment: dt.datetime,
    subject_ids: Sequence[str],
) -> Iterator[pa.RecordBatch]:
    for some in bulk.parts(subject_ids):
        query = sa.select(version.data, version.content_hash).where(
            version.vocabulary == vocabulary.id,
            version.subject_id.in_(some),
            was_known(version, moment),
        )
        yield from bulk.stream(connection, query, _DOCUMENTS)


def moment_known(
    store: Store, session: Session, vocabulary: Vocabulary, known_at: dt.datetime | None
) -> dt.datetime:
    """The last file's moment at ``known_at``: no file that comes later can change what was known then.

    :raises StoreError: where nothing was known then, or no subject of the vocabulary.
    """
    last = last_ingest(session, known_at)
    if last is None:
        when = f" at {known_at.isoformat()}" if known_at else ""
        raise StoreError(
            f"nothing was known{when} in the store {store.address}. Take files in with: xinheng ingest"
        )
    some = (
        sa.select(1)
        .where(SubjectVersion.vocabulary == vocabulary.id, was_known(SubjectVersion, last))
        .limit(1)
    )
    if session.scalar(some) is None:
        raise StoreError(
            f"the store {store.address} knew no subject of {vocabulary.id} at {last.isoformat()}. "
            "Take files in with: xinheng ingest"
        )
    return last


def _documents(
    connection: sa.Connection,
    version: type[SubjectVersion] | type[RecordVersion],
    vocabulary: Vocabulary,
    moment: dt.datetime,
) -> pa.RecordBatchReader:
    of_vocabulary = _of_vocabulary(connection, version, vocabulary.id)
    query = sa.select(version.data, version.content_hash).where(of_vocabulary, was_known(version, moment))
    return bulk.stream(connection, query, _DOCUMENTS)


def _of_vocabulary(
    connection: sa.Connection, version: type[SubjectVersion] | type[RecordVersion], vocabulary_id: str
) -> sa.ColumnElement[bool]:
    """The condition that a version is one of a vocabulary. Few are sought by the index over the column.

    Of many, SQLite would fetch each row from elsewhere: an expression has it read the table instead.
    """
    some = sa.select(sa.literal(1)).where(version.vocabulary == vocabulary_id).limit(_FEW).subquery()
    number = connection.scalar(sa.select(sa.func.count()).select_from(some)) or 0
    return (version.vocabulary if number < _FEW else version.vocabulary + "") == vocabulary_id


def _load(duck: duckdb.DuckDBPyConnection, name: str, table: Table, documents: pa.RecordBatchReader) -> None:
    columns = [*typed_columns(table), duckdb.ColumnExpression(_HASH)]
    try:
        duck.from_arrow(documents).select(*columns).create(name)
    except (duckdb.ConversionException, duckdb.InvalidInputException) as error:
        raise StoreError(f"the {name} in the store do not fit their vocabulary: {error}") from error


def _describe(duck: duckdb.DuckDBPyConnection, vocabulary: Vocabulary, moment: dt.datetime) -> Snapshot:
    subjects, subjects_print = _fingerprint(duck, "subjects")
    records, orphans, records_print = 0, 0, ""
    if vocabulary.records is not None:
        orphans = _orphans(duck, vocabulary)
        records, records_print = _fingerprint(duck, "records")
    return Snapshot(vocabulary.id, moment, subjects, records, orphans, (subjects_print, records_print))


def _orphans(duck: duckdb.DuckDBPyConnection, vocabulary: Vocabulary) -> int:
    link, key = quoted(vocabulary.record_subject), quoted(vocabulary.subject.key)
    number: int = _one(
        duck.execute(f"select count(*) from records r anti join subjects s on r.{link} = s.{key}")
    )[0]
    return number


def _fingerprint(duck: duckdb.DuckDBPyConnection, name: str) -> tuple[int, str]:
    """Number of rows, and the exclusive or of their 128-bit hashes; the column of hashes goes."""
    rows = duck.execute(f"select count(*), bit_xor(md5_number({quoted(_HASH)})) from {name}")
    number, xor = _one(rows)
    duck.execute(f"alter table {name} drop column {quoted(_HASH)}")
    return number, f"{xor or 0:032x}"


def _one(result: duckdb.DuckDBPyConnection) -> tuple[Any, ...]:
    row = result.fetchone()
    if row is None:
        raise AssertionError("an aggregate gives one row")
    return row
