"""Facts over time: the rows of a file become versions, set by set, in one transaction a file."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Literal

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.orm import Session

from scoring.store import bulk
from scoring.store.base import Moment, table_of
from scoring.store.connection import Store
from scoring.store.documents import content_hash
from scoring.store.models import IngestedFile, Quarantined, RecordVersion, SubjectVersion
from scoring.store.workspace import temporary_directory

TableName = Literal["subject", "record"]
Level = Literal["error", "warning"]
"""An error keeps its row out of the store; a row with warnings alone is taken."""
_ROWS = pa.schema(
    [(name, pa.string()) for name in ("key", "subject_id", "data", "content_hash")] + [("row_no", pa.int64())]
)
_QUARANTINE = pa.schema(
    [("file_id", pa.int64()), ("row_no", pa.int64())]
    + [(name, pa.string()) for name in ("column", "value", "reason", "level")]
)


@dataclass(frozen=True, slots=True)
class FileInfo:
    """What makes a file the same file.

    :param sha256: hex digest of its bytes, and of whatever else decides how it is read (its mapping).
    :param name: as people know it.
    """

    sha256: str
    name: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """One thing that kept a row out, or that is odd about a row that was taken. A row may have several.

    :param column: as headed in the file; None where the whole row is meant.
    :param value: as it stands in the file.
    :param level: ``warning`` where the row was taken.
    """

    row_no: int
    column: str | None
    value: str | None
    reason: str
    level: Level = "error"


@dataclass(frozen=True, slots=True)
class IngestResult:
    """What a file changed: numbers of rows. ``rejected`` rows are in the quarantine.

    :param file_id: the file in ``ingested_files``, under which the quarantine holds its rows.
    :param warned: rows that were taken although something about them is odd; the quarantine says what.
    """

    file_id: int
    new: int
    changed: int
    unchanged: int
    rejected: int
    warned: int = 0


def ingest_rows(
    store: Store,
    vocabulary_id: str,
    table: TableName,
    rows: pa.Table | pa.RecordBatchReader,
    file: FileInfo,
    rejected: Iterable[Rejected] = (),
    key_column: str | None = None,
) -> IngestResult:
    """Take the good rows of a file into the store, and its bad rows into the quarantine.

    A row of a new key adds a version, a row with other content closes the current version and adds one, the
    same content adds nothing. Of rows with one key the first stays; later ones with other content go to the
    quarantine. A file that is in the store already changes nothing, and its rows are not read.

    :param rows: columns ``key`` (of the subject or record) and ``subject_id`` as text, ``data`` (the row's
        document, see :mod:`scoring.store.documents`) and ``row_no`` (the row in the file).
    :param rejected: errors and warnings; read after the last of ``rows``, so that one pass over the file can
        give both.
    :param key_column: what the key is called in the quarantine of double keys.
    :raises StoreError: where the database fails; nothing of the file is kept then.
    """
    with store.reading() as session:
        known = _known_file(session, vocabulary_id, table, file)
    if known is not None:
        return known
    with _spooled(rows) as arrived, store.writing() as session:
        wait_for_turn(session)
        known = _known_file(session, vocabulary_id, table, file)
        if known is not None:
            return known
        entry = new_file(session, vocabulary_id, table, file)
        target = _Target(RecordVersion if table == "record" else SubjectVersion, vocabulary_id, entry)
        result = _take(session.connection(), target, arrived, rejected, key_column)
        entry.rows_good = result.new + result.changed + result.unchanged
        entry.rows_bad = result.rejected
        return result


def last_ingest(session: Session, at: dt.datetime | None = None) -> dt.datetime | None:
    """When the last file became known, of all or of those up to a moment; None before the first."""
    last = sa.select(sa.func.max(IngestedFile.ingested_at))
    return session.scalar(last if at is None else last.where(IngestedFile.ingested_at <= at))


def known_at(
    version: type[SubjectVersion] | type[RecordVersion], moment: dt.datetime
) -> sa.ColumnElement[bool]:
    """The condition that a version was what was known at a moment."""
    return sa.and_(
        version.known_from <= moment, sa.or_(version.known_until.is_(None), version.known_until > moment)
    )


def wait_for_turn(session: Session) -> None:
    """Files are taken one by one, so that the moment at which one becomes known is after all earlier ones.

    In SQLite a writer is alone anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text("LOCK TABLE ingested_files IN SHARE ROW EXCLUSIVE MODE"))


def _known_file(
    session: Session, vocabulary_id: str, table: TableName, file: FileInfo
) -> IngestResult | None:
    """What to say of a file that is in the store already."""
    same = sa.select(IngestedFile).filter_by(sha256=file.sha256, vocabulary=vocabulary_id, table=table)
    known = session.scalar(same)
    if known is None:
        return None
    return IngestResult(
        known.id,
        0,
        0,
        unchanged=known.rows_good,
        rejected=known.rows_bad,
        warned=_noted_rows(session.connection(), known.id, "warning"),
    )


@contextmanager
def _spooled(rows: pa.Table | pa.RecordBatchReader) -> Iterator[pa.RecordBatchReader]:
    """The rows with their hashes, from a temporary file, so that the store is free while a file is read."""
    with tempfile.TemporaryFile(dir=temporary_directory()) as spool:
        with pa.ipc.new_stream(spool, _ROWS) as sink:
            for batch in rows.to_batches(bulk.BATCH_ROWS) if isinstance(rows, pa.Table) else rows:
                sink.write_batch(_hashed(batch))
        spool.seek(0)
        yield pa.ipc.open_stream(spool)


def _hashed(batch: pa.RecordBatch) -> pa.RecordBatch:
    hashes = [content_hash(document) for document in batch.column("data").to_pylist()]
    return batch.append_column("content_hash", pa.array(hashes, pa.string())).select(_ROWS.names).cast(_ROWS)


def new_file(session: Session, vocabulary_id: str, table: TableName, file: FileInfo) -> IngestedFile:
    now, last = dt.datetime.now(dt.UTC), last_ingest(session)
    if last is not None and last >= now:
        now = last + dt.timedelta(microseconds=1)
    entry = IngestedFile(
        sha256=file.sha256,
        name=file.name,
        vocabulary=vocabulary_id,
        table=table,
        rows_good=0,
        rows_bad=0,
        ingested_at=now,
    )
    session.add(entry)
    session.flush()
    return entry


def _arriving() -> sa.Table:
    """The staging table: the file's rows, in this transaction alone."""
    return sa.Table(
        "arriving",
        sa.MetaData(),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("subject_id", sa.Text, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("content_hash", sa.Text, nullable=False),
        sa.Column("row_no", sa.Integer, nullable=False),
        prefixes=["TEMPORARY"],
        postgresql_on_commit="DROP",
    )


@dataclass(frozen=True, slots=True)
class _Target:
    """Where a file's rows go: the versions of one vocabulary, and the file they come from."""

    version: type[SubjectVersion] | type[RecordVersion]
    vocabulary_id: str
    file: IngestedFile

    @property
    def key(self) -> sa.Column[str]:
        """The column of the key."""
        return table_of(self.version).c["record_id" if self.version is RecordVersion else "subject_id"]

    @property
    def is_current(self) -> sa.ColumnElement[bool]:
        """The condition that a version is the vocabulary's current one."""
        return sa.and_(self.version.vocabulary == self.vocabulary_id, self.version.known_until.is_(None))


def _take(
    connection: sa.Connection,
    target: _Target,
    rows: pa.RecordBatchReader,
    rejected: Iterable[Rejected],
    key_column: str | None,
) -> IngestResult:
    arriving = _arriving()
    arriving.create(connection, checkfirst=False)
    staged = bulk.append(connection, arriving, rows)
    sa.Index("arriving_key", arriving.c.key, arriving.c.row_no).create(connection)
    bulk.append(connection, table_of(Quarantined), _quarantine(target.file.id, rejected))
    other = _drop_repeats(connection, arriving, target.file.id, key_column)
    changed = _close_changed(connection, arriving, target)
    added = _add(connection, arriving, target)
    arriving.drop(connection, checkfirst=False)
    return IngestResult(
        target.file.id,
        new=added - changed,
        changed=changed,
        unchanged=staged - other - added,
        rejected=_noted_rows(connection, target.file.id, "error"),
        warned=_noted_rows(connection, target.file.id, "warning"),
    )


def _quarantine(file_id: int, rejected: Iterable[Rejected]) -> Iterator[pa.RecordBatch]:
    waiting = iter(rejected)
    while some := list(islice(waiting, bulk.BATCH_ROWS)):
        rows = [{"file_id": file_id, **asdict(row)} for row in some]
        yield pa.RecordBatch.from_pylist(rows, _QUARANTINE)


def _drop_repeats(connection: sa.Connection, arriving: sa.Table, file_id: int, key_column: str | None) -> int:
    """Leave the first row of each key; how many others had other content and went to quarantine."""
    keys = sa.select(sa.func.count() - sa.func.count(arriving.c.key.distinct())).select_from(arriving)
    if connection.scalar(keys) == 0:
        return 0
    repeats = _repeats(arriving)
    is_other = repeats.c.content_hash != repeats.c.first_hash
    other = connection.scalar(sa.select(sa.func.count()).where(is_other)) or 0
    doubles = sa.select(
        sa.literal(file_id),
        repeats.c.row_no,
        sa.literal(key_column, sa.String),
        repeats.c.key,
        _double(repeats),
        sa.literal("error"),
    ).where(is_other)
    connection.execute(sa.insert(Quarantined).from_select(_QUARANTINE.names, doubles))
    connection.execute(sa.delete(arriving).where(arriving.c.row_no.in_(sa.select(repeats.c.row_no))))
    return other


def _repeats(arriving: sa.Table) -> sa.Subquery:
    """The rows whose key stands in an earlier row, with that row's number and content."""
    a = arriving.c
    earlier = sa.func.first_value
    ranked = sa.select(
        a.row_no,
        a.key,
        a.content_hash,
        earlier(a.row_no).over(partition_by=a.key, order_by=a.row_no).label("first_row_no"),
        earlier(a.content_hash).over(partition_by=a.key, order_by=a.row_no).label("first_hash"),
    ).subquery()
    return sa.select(ranked).where(ranked.c.row_no > ranked.c.first_row_no).subquery()


def _double(repeats: sa.Subquery) -> sa.ColumnElement[str]:
    row = sa.cast(repeats.c.first_row_no, sa.String)
    zh = sa.literal("编号与第 ") + row + sa.literal(" 行相同而内容不同")
    return zh + sa.literal(" the same key as in row ") + row + sa.literal(" with other content")


def _close_changed(connection: sa.Connection, arriving: sa.Table, target: _Target) -> int:
    """End the current versions of rows with other content; how many."""
    version = target.version
    changed = (
        sa.select(version.id)
        .join_from(arriving, version, sa.and_(target.key == arriving.c.key, target.is_current))
        .where(version.content_hash != arriving.c.content_hash)
    )
    close = sa.update(version).where(version.id.in_(changed)).values(known_until=target.file.ingested_at)
    return connection.execute(close).rowcount


def _add(connection: sa.Connection, arriving: sa.Table, target: _Target) -> int:
    """Add a version of every row whose key has no current one (any more); how many."""
    a = arriving.c
    current = sa.select(1).where(target.is_current, target.key == a.key).correlate(arriving)
    columns = {
        "vocabulary": sa.literal(target.vocabulary_id),
        "subject_id": a.subject_id,
        "data": a.data,
        "content_hash": a.content_hash,
        "row_no": a.row_no,
        "known_from": sa.literal(target.file.ingested_at, Moment),
        "file_id": sa.literal(target.file.id),
        target.key.key: a.key,
    }
    rows = sa.select(*columns.values()).where(~current.exists()).order_by(a.row_no)
    insert = sa.insert(table_of(target.version)).from_select(list(columns), rows)
    return connection.execute(insert, execution_options={"preserve_rowcount": True}).rowcount


def _noted_rows(connection: sa.Connection, file_id: int, level: Level) -> int:
    """The rows of a file that have an error, or those that were taken with a warning."""
    noted = sa.select(Quarantined.row_no).filter_by(file_id=file_id, level=level)
    if level == "warning":
        errors = sa.select(Quarantined.row_no).filter_by(file_id=file_id, level="error")
        noted = noted.where(Quarantined.row_no.not_in(errors))
    return connection.scalar(sa.select(sa.func.count()).select_from(noted.distinct().subquery())) or 0
