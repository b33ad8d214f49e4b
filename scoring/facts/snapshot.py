"""What was known at a moment, as the typed tables ``subjects`` and ``records`` of a DuckDB."""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.model import Table, Title, Vocabulary
from scoring.facts.columns import ORPHANS, ColumnsError, Facts, Sum, load_columns
from scoring.facts.typed import typed_columns
from scoring.judging.coded import RECORDS, SIGNATURES, SUBJECTS, code_facts
from scoring.judging.sql import quoted
from scoring.store import bulk
from scoring.store.batches import parts
from scoring.store.connection import Store
from scoring.store.errors import StoreError
from scoring.store.models import RecordVersion, SubjectVersion, last_ingest
from scoring.store.models import known_at as was_known

_HASH = "content hash"  # with a space: no column of a vocabulary is called so
FEW = 10_000
"""Fewer versions than these are read in no time: they have no copy."""
_LOG = logging.getLogger("xinheng.store")
_NOT_USED = (
    "%s在库%s旁的列存副本无法使用,改为读取库中全部版本,用时较长 "
    "the columns of %s beside the store %s can't be used, and all of its versions are read instead, "
    "which takes longer: %s"
)
_DOCUMENTS = pa.schema([("data", pa.string()), (_HASH, pa.string())])


class NothingKnownError(StoreError):
    """Nothing is known of those whom a pack grades."""


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
    """Make tables of what was known: ``subjects`` and, where the vocabulary has any, ``records``.

    Beside them come the coded tables of :mod:`scoring.judging.coded`. Where there are many facts, these are
    read from the copy (:mod:`scoring.facts.columns`), and the plain ones are views of them; where it can't be
    used, a warning says why, and the versions are read.

    :param known_at: a moment with its time zone; None for now.
    :raises StoreError: where nothing was known of any subject, a value is not of its column's type, or the
        database fails.

    >>> import duckdb
    >>> from fixtures.small import small_store
    >>> from rules.library.loader import load_vocabulary
    >>> duck = duckdb.connect()
    >>> found = take_snapshot(small_store(), load_vocabulary("tourism"), duck)
    >>> found.subjects, found.records, found.orphans
    (2, 3, 0)
    >>> duck.execute("select record_id, kind from records order by all").fetchall()
    [('LY-1', 'award'), ('LY-2', 'penalty'), ('LY-3', 'safety_check')]
    """
    with store.reading() as session:
        moment = moment_known(store, session, vocabulary, known_at)
        connection = session.connection()
        many = any(_has_many(connection, v, vocabulary.id) for v in (SubjectVersion, RecordVersion))
    if many:
        try:
            return _snapshot(vocabulary, moment, load_columns(store, vocabulary, duck, moment))
        except (ColumnsError, OSError, duckdb.Error) as error:
            _LOG.warning(_NOT_USED, vocabulary.id, store.address, vocabulary.id, store.address, _why(error))
    return snapshot_of_versions(store, vocabulary, duck, moment)


def _why(error: Exception) -> str:
    if isinstance(error, ColumnsError):
        return str(error.title)
    return (str(error) or type(error).__name__).splitlines()[0]


def snapshot_of_versions(
    store: Store, vocabulary: Vocabulary, duck: duckdb.DuckDBPyConnection, moment: dt.datetime
) -> Snapshot:
    """The same from the versions alone.

    :param moment: of a file.
    :raises StoreError: as :func:`take_snapshot`.
    """
    with store.reading() as session:
        connection = session.connection()
        _load(
            duck, "subjects", vocabulary.subject, _documents(connection, SubjectVersion, vocabulary, moment)
        )
        if vocabulary.records is not None:
            _load(
                duck, "records", vocabulary.records, _documents(connection, RecordVersion, vocabulary, moment)
            )
    subjects, records, orphans = _fingerprint(duck, "subjects"), Sum(), 0
    if vocabulary.records is not None:
        records, orphans = _fingerprint(duck, "records"), _orphans(duck, vocabulary)
    code_facts(duck, vocabulary)
    return _snapshot(vocabulary, moment, Facts(subjects, records, orphans))


def take_some(
    store: Store,
    vocabulary: Vocabulary,
    duck: duckdb.DuckDBPyConnection,
    moment: dt.datetime,
    subject_ids: Sequence[str],
) -> None:
    """Make the tables of what was known of some subjects, plain and coded.

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
    code_facts(duck, vocabulary)


def forget_snapshot(duck: duckdb.DuckDBPyConnection) -> None:
    """Drop the tables and views of an earlier snapshot, if there are any."""
    names = ("records", "subjects", RECORDS, ORPHANS, SIGNATURES, SUBJECTS)
    made = dict(duck.execute("select table_name, table_type from information_schema.tables").fetchall())
    for name in names:
        if name in made:
            duck.execute(f"drop {'view' if made[name] == 'VIEW' else 'table'} {name}")


def _documents_of(
    connection: sa.Connection,
    version: type[SubjectVersion] | type[RecordVersion],
    vocabulary: Vocabulary,
    moment: dt.datetime,
    subject_ids: Sequence[str],
) -> Iterator[pa.RecordBatch]:
    for some in parts(subject_ids):
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

    :raises NothingKnownError: where nothing was known then, or no subject of the vocabulary.
    """
    last = last_ingest(session, known_at)
    if last is None:
        at = known_at.isoformat() if known_at else ""
        raise NothingKnownError(
            Title(
                f"库{store.address}{at and f'在{at}'}没有任何内容。请先导入文件:xinheng ingest",
                f"nothing was known{at and f' at {at}'} in the store {store.address}. Take files in with: "
                "xinheng ingest",
            )
        )
    some = (
        sa.select(1)
        .where(SubjectVersion.vocabulary == vocabulary.id, was_known(SubjectVersion, last))
        .limit(1)
    )
    if session.scalar(some) is None:
        raise NothingKnownError(
            Title(
                f"库{store.address}在{last.isoformat()}没有{vocabulary.title.zh}主体。"
                "请先导入文件:xinheng ingest",
                f"the store {store.address} knew no subject of {vocabulary.id} at {last.isoformat()}. "
                "Take files in with: xinheng ingest",
            )
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
    many = _has_many(connection, version, vocabulary_id)
    return (version.vocabulary + "" if many else version.vocabulary) == vocabulary_id


def _has_many(
    connection: sa.Connection, version: type[SubjectVersion] | type[RecordVersion], vocabulary_id: str
) -> bool:
    some = sa.select(sa.literal(1)).where(version.vocabulary == vocabulary_id).limit(FEW).subquery()
    return connection.scalar(sa.select(sa.func.count()).select_from(some)) == FEW


def _load(duck: duckdb.DuckDBPyConnection, name: str, table: Table, documents: pa.RecordBatchReader) -> None:
    columns = [*typed_columns(table), duckdb.ColumnExpression(_HASH)]
    try:
        duck.from_arrow(documents).select(*columns).create(name)
    except (duckdb.ConversionException, duckdb.InvalidInputException) as error:
        raise StoreError(
            Title(
                f"库中的{_TABLES.get(name, name)}与其词汇表不符:{error}",
                f"the {name} in the store do not fit their vocabulary: {error}",
            )
        ) from error


_TABLES = {"subjects": "主体", "records": "记录"}


def _snapshot(vocabulary: Vocabulary, moment: dt.datetime, facts: Facts) -> Snapshot:
    subjects, records = facts.subjects, facts.records
    prints = f"{subjects.xor:032x}", f"{records.xor:032x}" if vocabulary.records is not None else ""
    return Snapshot(vocabulary.id, moment, subjects.count, records.count, facts.orphans, prints)


def _orphans(duck: duckdb.DuckDBPyConnection, vocabulary: Vocabulary) -> int:
    link, key = quoted(vocabulary.record_subject), quoted(vocabulary.subject.key)
    number: int = _one(
        duck.execute(f"select count(*) from records r anti join subjects s on r.{link} = s.{key}")
    )[0]
    return number


def _fingerprint(duck: duckdb.DuckDBPyConnection, name: str) -> Sum:
    """Of the rows; the column of hashes goes."""
    rows = duck.execute(f"select count(*), bit_xor(md5_number({quoted(_HASH)})) from {name}")
    number, xor = _one(rows)
    duck.execute(f"alter table {name} drop column {quoted(_HASH)}")
    return Sum(number, int(xor or 0))


def _one(result: duckdb.DuckDBPyConnection) -> tuple[Any, ...]:
    row = result.fetchone()
    if row is None:
        raise AssertionError("an aggregate gives one row")
    return row
