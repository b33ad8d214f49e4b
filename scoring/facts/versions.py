"""Facts over time: the rows of a file become versions, set by set, in one transaction a file."""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import islice
from operator import attrgetter
from typing import Any, Literal, TypeAlias

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from rules.calendar import today
from rules.model import Title
from scoring.characters.persons import without_persons
from scoring.facts.confirming import Confirmer, Confirming
from scoring.facts.contradictions import close_contradictions, raise_contradictions
from scoring.facts.feeding import Feeding, day_of, note_feed
from scoring.facts.lifting import STANDS, Lift, lift_on_records, resting_on
from scoring.facts.merging import (
    AUTHORITY,
    RELEASES,
    REPAIRED,
    STATUS,
    Arrival,
    Claim,
    ColumnChanges,
    Judge,
    Merger,
    Objection,
    Refusal,
    Standing,
    in_one_spelling,
)
from scoring.facts.orphans import NO_ORPHANS, Orphans, orphans_among, orphans_of_file
from scoring.facts.twins import Known, Likeness, note_twins
from scoring.store import bulk
from scoring.store.access import STEPS, RecordMark
from scoring.store.base import Moment, table_of
from scoring.store.batches import BATCH_ROWS, parts
from scoring.store.changes import note_repairs
from scoring.store.connection import Store
from scoring.store.documents import content_hash, split
from scoring.store.findings import ContradictionRow, ProposalRow
from scoring.store.inside import ValueIn
from scoring.store.models import IngestedFile, Quarantined, RecordVersion, SubjectVersion, last_ingest
from scoring.store.workspace import temporary_directory

TableName = Literal["subject", "record"]
Level = Literal["error", "warning"]
"""An error keeps its row out of the store; a row with warnings alone is taken."""
Source = Literal["file", "api", "mark", "program", "undo"]
CHECK_SHOWN = 1_000
"""Of what a check finds wrong, at most so much is said."""

_ROWS = pa.schema(
    [
        (name, pa.string())
        for name in (
            *("key", "subject_id", "data", "content_hash", "alike", "cleared", "proposed", "sheet", "lacks"),
        )
    ]
    + [(name, pa.int64()) for name in ("row_no", "order_no")]
)
_QUARANTINE = pa.schema(
    [("file_id", pa.int64()), ("row_no", pa.int64())]
    + [(name, pa.string()) for name in ("column", "value", "reason", "level", "sheet", "authority")]
)


@dataclass(frozen=True, slots=True)
class FileInfo:
    """What makes a file the same file.

    :param sha256: hex digest of its bytes, and of whatever else decides how it is read (its mapping); of a
        request that of what it says, by which repeats are told.
    :param name: as people know it, but for the number of a natural person.
    :param source: where it comes from.
    """

    sha256: str
    name: str
    source: Source = "file"

    def __post_init__(self) -> None:
        """Take persons' numbers out."""
        object.__setattr__(self, "name", without_persons(self.name, is_sure=True))


@dataclass(frozen=True, slots=True)
class Rejected:
    """One thing that kept a row out, or that is odd about a row that was taken. A row may have several.

    :param column: as headed in the file; None where the whole row is meant.
    :param value: as it stands in the file.
    :param level: ``warning`` where the row was taken.
    :param sheet: of the workbook, in which ``row_no`` counts.
    :param authority: whose record the row speaks of, as far as it says so.

    Whatever is said of a row goes through here, and no number of a natural person does.
    """

    row_no: int
    column: str | None
    value: str | None
    reason: str
    level: Level = "error"
    sheet: str | None = None
    authority: str | None = None

    def __post_init__(self) -> None:
        """Take persons' numbers out."""
        for name in ("column", "value", "reason", "authority"):
            said = getattr(self, name)
            if said is not None:
                object.__setattr__(self, name, without_persons(said))


@dataclass(frozen=True, slots=True)
class IngestResult:
    """What a file changed: numbers of rows. ``rejected`` rows are in the quarantine.

    :param file_id: the file in ``ingested_files``, under which the quarantine holds its rows.
    :param warned: rows that were taken although something about them is odd; the quarantine says what.
    :param held: rows of records whose status a mark gave; they say another, and it stands.
    :param columns: what rows of known keys said, by column.
    :param noted: of a check, what would be in the quarantine, at most :data:`CHECK_SHOWN`.
    :param confirmed: the records of which a row says what waited for a person's word.
    :param orphans: the good rows whose subject is not known.
    """

    file_id: int
    new: int
    changed: int
    unchanged: int
    rejected: int
    warned: int = 0
    held: int = 0
    columns: Mapping[str, ColumnChanges] = field(default_factory=dict)
    noted: tuple[Rejected, ...] = ()
    confirmed: tuple[str, ...] = ()
    orphans: Orphans = NO_ORPHANS


@dataclass(frozen=True, slots=True)
class Staged:
    """A row that is about to be kept.

    :param data: the document that will be kept.
    :param current: the document of its key's current version; None where there is none.
    :param sheet: of the workbook, in which ``row_no`` counts.
    """

    row_no: int
    key: str
    data: str
    current: str | None
    sheet: str | None = None


Arrivals: TypeAlias = pa.Table | pa.RecordBatchReader | Callable[[Session], pa.Table]
"""The rows of a file; or a function that makes them by what is known in the transaction that keeps them."""

Check = Callable[[Session, Sequence[Staged]], Iterable[Rejected]]
"""Looks at the rows of a file in the transaction that keeps them, and says which ones may not be kept."""

Follow = Callable[[Session, IngestedFile], None]
"""What follows from the rows of a file, in the transaction that has kept them."""

Log = Callable[[Session, IngestResult], None]
"""Notes what a file changed, in the transaction that changes it."""


def ingest_rows(
    store: Store,
    vocabulary_id: str,
    table: TableName,
    rows: Arrivals,
    file: FileInfo,
    rejected: Iterable[Rejected] = (),
    key_column: str | None = None,
    checks: Sequence[Check] = (),
    twins: Likeness | None = None,
    check: bool = False,
    judge: Judge = lambda known, merged: (),
    feeding: Feeding | None = None,
    follow: Follow = lambda session, file: None,
    confirming: Confirming | None = None,
    log: Log = lambda session, result: None,
) -> IngestResult:
    """Take the good rows of a file into the store, and its bad rows into the quarantine.

    A row of a new key adds a version, a row with other content closes the current version and adds one, the
    same content adds nothing. What a row does not speak of stays as it is (:mod:`scoring.facts.merging`). Of
    rows with one key the first stays; later ones with other content go to the quarantine. A file that was the
    last of its table changes nothing, and its rows are not read, but where some were set aside and may be
    right by now.

    :param rows: columns ``key`` (of the subject or record) and ``subject_id`` as text, ``data`` (the row's
        document, see :mod:`scoring.store.documents`) and ``row_no`` (the row in the file), and of a workbook
        ``sheet`` (in which the row counts). They come in the order of the file. ``lacks`` is what a row does
        not say and a new key needs (:func:`as_lacks`): it keeps the row out where its key is not known.
    :param rejected: errors and warnings; read after the last of ``rows``, so that one pass over the file can
        give both.
    :param key_column: what the key is called in the quarantine of double keys.
    :param checks: rows that they refuse go to the quarantine. Nothing can come between check and change.
    :param twins: by what records may be one decision under two numbers; None: they are not looked for.
    :param check: say what the file would change, and change nothing.
    :param judge: says what speaks against laying a row over what is known of its key; such a row goes to the
        quarantine.
    :param feeding: how to note whose rows they are; None: that is not noted.
    :param follow: called once the rows are kept.
    :param confirming: how to note what waits for a person's word, and what persons said; None: it is not.
    :param log: called last, where the file changes the store.
    :raises StoreError: where the database fails; nothing of the file is kept then.
    """
    with store.reading() as session:
        known = _known_file(session, vocabulary_id, table, file, check)
    if known is not None:
        return known
    with _spooled(rows) as spool, store.writing() as session:
        wait_for_turn(session)
        known = _known_file(session, vocabulary_id, table, file, check)
        if known is not None:
            return known
        entry = new_file(session, vocabulary_id, table, file)
        arrived = spool or _hashed(rows(session))
        target = _Target(RecordVersion if table == "record" else SubjectVersion, vocabulary_id, entry)
        result = _take(
            session, target, arrived, rejected, key_column, checks, twins, judge, feeding, confirming
        )
        follow(session, entry)
        if check:
            noted = _first_noted(session, entry.id)
            session.rollback()
            return replace(result, noted=noted)
        entry.rows_good = result.new + result.changed + result.unchanged
        entry.rows_bad = result.rejected
        if table == "record" and result.changed:
            note_repairs(session, _repaired(entry), entry.ingested_at)
        log(session, result)
        return result


def _repaired(file: IngestedFile) -> sa.Select[Any]:
    """The records that a file says are repaired, and that were not before."""
    came, went = RecordVersion, aliased(RecordVersion)
    is_before = sa.and_(
        went.vocabulary == came.vocabulary,
        went.record_id == came.record_id,
        went.known_until == came.known_from,
        ValueIn(went.data, STATUS).is_distinct_from(REPAIRED),
    )
    return (
        sa.select(came.vocabulary, came.record_id, came.subject_id)
        .add_columns(ValueIn(came.data, AUTHORITY).label("authority"), sa.literal(day_of(file)).label("day"))
        .join(went, is_before)
        .where(came.file_id == file.id, ValueIn(came.data, STATUS) == REPAIRED)
        .order_by(came.record_id)
    )


def noted_rows(session: Session, file_id: int, level: Level | None = None) -> Iterator[Rejected]:
    """What kept rows of a file out, and what is odd about others, by row; one of the two where it is said."""
    query = (
        sa.select(Quarantined)
        .filter_by(file_id=file_id, **({"level": level} if level else {}))
        .order_by(Quarantined.sheet, Quarantined.row_no, Quarantined.id)
    )
    for row in session.scalars(query.execution_options(yield_per=1_000)):
        yield Rejected(
            row.row_no,
            row.column,
            row.value,
            row.reason,
            row.level,  # type: ignore[arg-type]
            row.sheet,
            row.authority,
        )


def wait_for_turn(session: Session) -> None:
    """Files are taken one by one, so that the moment at which one becomes known is after all earlier ones.

    In SQLite a writer is alone anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text("LOCK TABLE ingested_files IN SHARE ROW EXCLUSIVE MODE"))


def _first_noted(session: Session, file_id: int) -> tuple[Rejected, ...]:
    return tuple(islice(noted_rows(session, file_id), CHECK_SHOWN))


def _known_file(
    session: Session, vocabulary_id: str, table: TableName, file: FileInfo, check: bool
) -> IngestResult | None:
    """What to say of a file that is the last word on its table; after any other it may be news.

    So may rows be that were set aside: another day, for dates may lie ahead, and records once more is known
    of subjects, by which theirs are found.
    """
    of_table = sa.select(IngestedFile).filter_by(vocabulary=vocabulary_id, table=table)
    known = session.scalar(of_table.order_by(IngestedFile.id.desc()).limit(1))
    if known is None or known.sha256 != file.sha256 or file.source != "file":
        return None
    if (known.rows_bad and _may_be_right_by_now(session, known)) or _is_said_since(session, known):
        return None
    return IngestResult(
        known.id,
        0,
        0,
        unchanged=known.rows_good,
        rejected=known.rows_bad,
        warned=_noted_rows(session.connection(), known.id, "warning"),
        orphans=orphans_of_file(session, vocabulary_id, known.id) if table == "record" else NO_ORPHANS,
        noted=_first_noted(session, known.id) if check else (),
    )


def _is_said_since(session: Session, known: IngestedFile) -> bool:
    """Whether a person has said something since of what a file's warnings say that it waits."""
    said = sa.and_(ProposalRow.vocabulary == known.vocabulary, ProposalRow.closed_at > known.ingested_at)
    return known.table == "record" and session.scalar(sa.select(1).where(said).limit(1)) is not None


def _may_be_right_by_now(session: Session, known: IngestedFile) -> bool:
    if day_of(known) != today():
        return True
    moments = SubjectVersion.known_from, SubjectVersion.known_until
    news = sa.or_(*(moment > known.ingested_at for moment in moments))
    query = sa.select(1).where(SubjectVersion.vocabulary == known.vocabulary, news).limit(1)
    return known.table == "record" and session.scalar(query) is not None


@contextmanager
def _spooled(rows: Arrivals) -> Iterator[pa.RecordBatchReader | None]:
    """The rows with their hashes, from a temporary file, so that the store is free while a file is read.

    None where they are made later.
    """
    if callable(rows):
        yield None
        return
    with tempfile.TemporaryFile(dir=temporary_directory()) as spool:
        with pa.ipc.new_stream(spool, _ROWS) as sink:
            for batch in _hashed(rows):
                sink.write_batch(batch)
        spool.seek(0)
        yield pa.ipc.open_stream(spool)


def _hashed(rows: pa.Table | pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    before = 0
    for batch in rows.to_batches(BATCH_ROWS) if isinstance(rows, pa.Table) else rows:
        yield _hashed_batch(batch, before)
        before += batch.num_rows


def _hashed_batch(batch: pa.RecordBatch, before: int) -> pa.RecordBatch:
    """The rows with their hashes and, as rows of several sheets have the same numbers, their order."""
    said = [split(document) for document in batch.column("data").to_pylist()]
    columns = {
        "data": [document for document, *_ in said],
        "content_hash": [content_hash(document) for document, *_ in said],
        "alike": [_alike_hash(document) for document, *_ in said],
        "cleared": [json.dumps(cleared) if cleared else None for _, cleared, _ in said],
        "proposed": [json.dumps(proposed) if proposed else None for *_, proposed in said],
    }
    order = pa.array(range(before, before + batch.num_rows), pa.int64())
    given = {name: batch.column(name) for name in batch.schema.names}
    given |= {name: pa.array(values, pa.string()) for name, values in columns.items()}
    nothing = pa.nulls(batch.num_rows, pa.string())
    arrays = [{**given, "order_no": order}.get(name, nothing) for name in _ROWS.names]
    return pa.RecordBatch.from_arrays(arrays, _ROWS.names).cast(_ROWS)


def _alike_hash(document: str) -> str | None:
    """The hash of a row that says what another one says in another spelling; None where it is its own."""
    alike = in_one_spelling(document)
    return content_hash(alike) if alike != document else None


def new_file(
    session: Session, vocabulary_id: str, table: TableName, file: FileInfo, undoes: int | None = None
) -> IngestedFile:
    """Enter a file; its moment is after those of all others, even where the clock was set back.

    :param undoes: the file that it takes back.
    """
    now, last = dt.datetime.now(dt.UTC), last_ingest(session)
    if last is not None:
        now = max(now, last + dt.timedelta(microseconds=1))
    entry = IngestedFile(
        sha256=file.sha256,
        name=file.name,
        vocabulary=vocabulary_id,
        table=table,
        rows_good=0,
        rows_bad=0,
        ingested_at=now,
        source=file.source,
        undoes=undoes,
    )
    session.add(entry)
    session.flush()
    return entry


@cache
def _staging(name: str, *indexed: str) -> sa.Table:
    """A table of the file's rows, in this transaction alone; one for all files, as are statements on it."""
    return sa.Table(
        name,
        sa.MetaData(),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("subject_id", sa.Text, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("content_hash", sa.Text, nullable=False),
        sa.Column("alike", sa.Text),
        sa.Column("cleared", sa.Text),
        sa.Column("proposed", sa.Text),
        sa.Column("sheet", sa.Text),
        sa.Column("lacks", sa.Text),
        sa.Column("row_no", sa.Integer, nullable=False),
        sa.Column("order_no", sa.Integer, nullable=False),
        *([sa.Index(f"{name}_{indexed[0]}", *indexed)] if indexed else []),
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

    def knows(self, rows: sa.Table) -> sa.ColumnElement[bool]:
        """The condition that a version is what is known of a staged row's key.

        The key is an expression, so that SQLite goes from rows that arrive to what is known, not back.
        """
        return sa.and_(self.key == rows.c.key + "", self.is_current)


def _take(
    session: Session,
    target: _Target,
    rows: Iterable[pa.RecordBatch],
    rejected: Iterable[Rejected],
    key_column: str | None,
    checks: Sequence[Check],
    twins: Likeness | None,
    judge: Judge,
    feeding: Feeding | None,
    confirming: Confirming | None,
) -> IngestResult:
    connection = session.connection()
    arriving, changing = _staging("arriving", "key", "order_no"), _staging("changing")
    connection.execute(sa.schema.CreateTable(arriving))
    connection.execute(sa.schema.CreateTable(changing))
    staged = bulk.append(connection, arriving, rows)
    for index in arriving.indexes:
        connection.execute(sa.schema.CreateIndex(index))
    bulk.append(connection, table_of(Quarantined), _quarantine(target.file.id, rejected))
    dropped = _drop_short(connection, arriving, target)
    others, same = _drop_repeats(connection, arriving, target.file.id, key_column)
    dropped += others
    dropped += _drop_refused(connection, arriving, target, _checked(session, arriving, target, checks), same)
    confirmer = Confirmer(connection, arriving, target.file, confirming) if confirming else None
    merger = Merger(judge, confirmer.anew) if confirmer else Merger(judge)
    differing = _merge(connection, arriving, changing, target, merger)
    dropped += _drop_refused(connection, arriving, target, merger.refused, same)
    claims = _note_claims(connection, arriving, target, merger)
    changed = _close(connection, changing, target) if differing else 0
    if changed and target.version is RecordVersion:
        _lift(session, changing, target)
    if differing:  # of an empty table PostgreSQL takes it that it has some pages, and reads all that is known
        _add(connection, changing, target)
    new = _add(connection, arriving, target)
    bulk.take_stock(connection, table_of(target.version), new + changed)
    if twins is not None and target.version is RecordVersion and new + changed:
        bulk.append(connection, table_of(Quarantined), _twins(connection, arriving, target, twins))
    if confirmer is not None:
        told = (Rejected(t.row_no, t.column, None, t.reason, "warning", t.sheet) for t in confirmer.note())
        bulk.append(connection, table_of(Quarantined), _quarantine(target.file.id, list(told)))
    bad = _noted_rows(connection, target.file.id, "error")
    if bad:
        _fault_bad_rows(connection, target.file.id)
    if feeding is not None:
        amiss = {"corrected": merger.corrected, "contradicted": Counter(map(_whose_claim, claims))}
        note_feed(connection, target.file, (arriving, changing), feeding, amiss)
    is_of_records = target.version is RecordVersion
    orphans = orphans_among(connection, target.vocabulary_id, arriving) if is_of_records else NO_ORPHANS
    arriving.drop(connection, checkfirst=False)
    changing.drop(connection, checkfirst=False)
    return IngestResult(
        target.file.id,
        new=new,
        changed=changed,
        unchanged=staged - dropped - new - changed,
        rejected=bad,
        warned=_noted_rows(connection, target.file.id, "warning"),
        held=merger.held,
        columns=merger.columns,
        confirmed=tuple(confirmer.confirmed) if confirmer else (),
        orphans=orphans,
    )


def _quarantine(file_id: int, rejected: Iterable[Rejected]) -> Iterator[pa.RecordBatch]:
    names = [name for name in _QUARANTINE.names if name != "file_id"]
    waiting = map(attrgetter(*names), rejected)
    while some := list(islice(waiting, BATCH_ROWS)):
        columns = dict(zip(names, zip(*some, strict=True), strict=True))
        yield pa.RecordBatch.from_pydict({"file_id": [file_id] * len(some), **columns}, _QUARANTINE)


def as_lacks(lacks: Iterable[Rejected]) -> str | None:
    """What a row lacks as a column of :func:`ingest_rows`; None where it is nothing."""
    return json.dumps([(lack.column, lack.value, lack.reason) for lack in lacks]) if lacks else None


def _drop_short(connection: sa.Connection, arriving: sa.Table, target: _Target) -> int:
    """Take out the rows of new keys that lack what such a row needs; how many went to quarantine."""
    a = arriving.c
    known = sa.select(1).where(target.is_current, target.key == a.key).correlate(arriving)
    is_short = sa.and_(a.lacks.is_not(None), ~known.exists())
    short = connection.execute(
        sa.select(a.row_no, a.sheet, a.lacks, _whose(a.data).label("authority"))
        .where(is_short)
        .order_by(a.order_no),
        execution_options={"yield_per": BATCH_ROWS},
    )
    faults = (
        Rejected(row.row_no, column, value, reason, sheet=row.sheet, authority=row.authority)
        for row in short
        for column, value, reason in json.loads(row.lacks)
    )
    bulk.append(connection, table_of(Quarantined), _quarantine(target.file.id, faults))
    return connection.execute(sa.delete(arriving).where(is_short)).rowcount


def _checked(
    session: Session, arriving: sa.Table, target: _Target, checks: Sequence[Check]
) -> Sequence[Refusal]:
    """The rows that a check does not allow."""
    if not checks:
        return ()
    a, version = arriving.c, target.version
    known = target.knows(arriving)
    query = sa.select(a.order_no, a.sheet, a.row_no, a.key, a.data, a.cleared, version.data.label("current"))
    rows = session.execute(query.join_from(arriving, version, known, isouter=True).order_by(a.order_no)).all()
    staged = [Staged(row.row_no, row.key, _laid_over(row), row.current, row.sheet) for row in rows]
    objections: dict[tuple[str | None, int], list[Objection]] = {}
    for fault in (fault for check in checks for fault in check(session, staged)):
        said = (fault.column or "", fault.value or "", fault.reason)
        objections.setdefault((fault.sheet, fault.row_no), []).append(said)
    return [
        Refusal(row.order_no, row.row_no, row.sheet, objections[row.sheet, row.row_no])
        for row in rows
        if (row.sheet, row.row_no) in objections
    ]


def _laid_over(row: sa.Row[Any]) -> str:
    """The document that a row makes of what is known of its key."""
    values = {**json.loads(row.current or "{}"), **json.loads(row.data)}
    for name in json.loads(row.cleared or "[]"):
        values.pop(name, None)
    return json.dumps(values, ensure_ascii=False)


def _drop_refused(
    connection: sa.Connection,
    arriving: sa.Table,
    target: _Target,
    refused: Sequence[Refusal],
    same: Mapping[int, Sequence[_Place]],
) -> int:
    """Take out the rows that may not be kept; how many went to quarantine.

    :param same: the rows that say the same again, which are refused with the first.
    """
    places = [((row.row_no, row.sheet), *same.get(row.order_no, ())) for row in refused]
    whose: dict[int, str | None] = {}
    for some in parts([row.order_no for row in refused]):
        query = sa.select(arriving.c.order_no, _whose(arriving.c.data))
        whose |= dict(connection.execute(query.where(arriving.c.order_no.in_(some))).all())
    faults = (
        Rejected(row_no, column, value, reason, sheet=sheet, authority=whose[row.order_no])
        for row, stands in zip(refused, places, strict=True)
        for row_no, sheet in stands
        for column, value, reason in row.objections
    )
    bulk.append(connection, table_of(Quarantined), _quarantine(target.file.id, faults))
    for some in parts([row.order_no for row in refused]):
        connection.execute(sa.delete(arriving).where(arriving.c.order_no.in_(some)))
    return sum(map(len, places))


_Place: TypeAlias = tuple[int, str | None]
"""Where a row stands: its number, and the sheet in which that counts."""


def _drop_repeats(
    connection: sa.Connection, arriving: sa.Table, file_id: int, key_column: str | None
) -> tuple[int, Mapping[int, Sequence[_Place]]]:
    """Leave the first row of each key.

    :returns: how many others had other content and went to quarantine; and where those that say the same
        stand, by the order of the first.
    """
    keys = sa.select(sa.func.count() - sa.func.count(arriving.c.key.distinct())).select_from(arriving)
    if connection.scalar(keys) == 0:
        return 0, {}
    repeats = _repeats(arriving)
    is_other = sa.or_(
        repeats.c.content_hash != repeats.c.first_hash, repeats.c.cleared != repeats.c.first_cleared
    )
    other = connection.scalar(sa.select(sa.func.count()).where(is_other)) or 0
    doubles = sa.select(
        sa.literal(file_id),
        repeats.c.row_no,
        sa.literal(key_column, sa.String),
        repeats.c.key,
        _double(repeats),
        sa.literal("error"),
        repeats.c.sheet,
        repeats.c.authority,
    ).where(is_other)
    connection.execute(sa.insert(Quarantined).from_select(_QUARANTINE.names, doubles))
    again = sa.select(repeats.c.first_order_no, repeats.c.row_no, repeats.c.sheet).where(~is_other)
    same: dict[int, list[_Place]] = {}
    for first, row_no, sheet in connection.execute(again.order_by(repeats.c.order_no)):
        same.setdefault(first, []).append((row_no, sheet))
    connection.execute(sa.delete(arriving).where(arriving.c.order_no.in_(sa.select(repeats.c.order_no))))
    return other, same


def _repeats(arriving: sa.Table) -> sa.Subquery:
    """The rows whose key stands in an earlier row, with that row's place and content."""
    a = arriving.c

    place = sa.func.coalesce(a.sheet + "!", "") + sa.cast(a.row_no, sa.String)  # 5, or 1月!5
    cleared, alike = sa.func.coalesce(a.cleared, ""), sa.func.coalesce(a.alike, a.content_hash)

    def first(column: sa.ColumnElement[Any], name: str) -> sa.Label[Any]:
        return sa.func.first_value(column).over(partition_by=a.key, order_by=a.order_no).label(name)

    ranked = sa.select(
        a.order_no,
        a.sheet,
        a.row_no,
        a.key,
        alike.label("content_hash"),
        cleared.label("cleared"),
        _whose(a.data).label("authority"),
        first(a.order_no, "first_order_no"),
        first(place, "first_place"),
        first(alike, "first_hash"),
        first(cleared, "first_cleared"),
    ).subquery()
    return sa.select(ranked).where(ranked.c.order_no > ranked.c.first_order_no).subquery()


def _double(repeats: sa.Subquery) -> sa.ColumnElement[str]:
    row = repeats.c.first_place
    zh = sa.literal(_DOUBLE) + row + sa.literal(f" 行相同而内容不同（{_DOUBLE_HINT.zh}）")
    en = sa.literal(f" with other content ({_DOUBLE_HINT.en})")
    return zh + sa.literal("\u2003the same key as in row ") + row + en


def is_double(reason: str) -> bool:
    """Whether a row was refused because its key stands in an earlier row."""
    return reason.startswith(_DOUBLE)


_DOUBLE = "编号与第 "
_DOUBLE_HINT = Title(
    "同一件只留正确的一行;另一件请另编号,无编号列的请加“记录编号”列",
    "of one matter the right row alone; another one has a number of its own, in a column 记录编号",
)


def _merge(
    connection: sa.Connection, arriving: sa.Table, changing: sa.Table, target: _Target, merger: Merger
) -> int:
    """Lay rows of known keys over what is known; how many change it, and go to the table of changing rows."""
    result = connection.execute(_differing(arriving, target), execution_options={"yield_per": BATCH_ROWS})
    differing = bulk.append(connection, changing, (_merged(merger, rows) for rows in result.partitions()))
    sa.Index("changing_key", changing.c.key).create(connection)  # so PostgreSQL learns how many they are
    return differing


def _differing(arriving: sa.Table, target: _Target) -> sa.Select[*tuple[Any, ...]]:
    """Rows whose content is another than what is known, with the latest mark of their record."""
    a, version = arriving.c, target.version
    query = (
        sa.select(
            *(a.key, a.subject_id, a.row_no, a.order_no, a.sheet, version.data, a.data),
            *(a.cleared, a.proposed),
        )
        .join_from(arriving, version, target.knows(arriving))
        .where(sa.or_(version.content_hash != a.content_hash, a.cleared.is_not(None)))
    )
    if target.version is SubjectVersion:
        return query
    latest = (
        sa.select(sa.func.max(RecordMark.id))
        .where(RecordMark.vocabulary == target.vocabulary_id, RecordMark.record_id == a.key)
        .where(RecordMark.kind.not_in(STEPS))
        .correlate(arriving)
        .scalar_subquery()
    )
    mark = (RecordMark.id, RecordMark.kind, RecordMark.status_before, RecordMark.status_after)
    return query.add_columns(*mark).outerjoin(RecordMark, RecordMark.id == latest)


def _merged(merger: Merger, rows: Iterable[Sequence[Any]]) -> pa.RecordBatch:
    changed = []
    for key, subject_id, row_no, order_no, sheet, known, said, cleared, proposed, *mark in rows:
        standing = Standing(*mark) if mark and mark[0] is not None and mark[1] != RELEASES else None
        cleared, proposed = json.loads(cleared or "[]"), json.loads(proposed or "[]")
        arrival = Arrival(key, subject_id, row_no, order_no, sheet, known, said, cleared, proposed, standing)
        document = merger.merge(arrival)
        if document != known:
            changed.append(
                {
                    "key": key,
                    "subject_id": subject_id,
                    "data": document,
                    "content_hash": content_hash(document),
                    "row_no": row_no,
                    "order_no": order_no,
                    "sheet": sheet,
                }
            )
    return pa.RecordBatch.from_pylist(changed, _ROWS)


def _note_claims(
    connection: sa.Connection, arriving: sa.Table, target: _Target, merger: Merger
) -> Sequence[Claim]:
    """Note what contradicts marks; where the office's row now says as the mark does, it is settled.

    :return: what contradicts them and did not before.
    """
    if target.version is SubjectVersion:
        return ()
    file, row = target.file, ContradictionRow
    ours = sa.select(RecordMark.status_after).where(RecordMark.id == row.mark_id).scalar_subquery()
    query = (
        sa.select(row.record_id, arriving.c.data, arriving.c.proposed, ours)
        .join_from(row, arriving, row.record_id == arriving.c.key)
        .where(row.vocabulary == target.vocabulary_id, row.closed_at.is_(None))
    )
    agreed = [
        key
        for key, said, proposed, ours in connection.execute(query)
        if json.loads(said).get(STATUS) == ours and STATUS not in json.loads(proposed or "[]")
    ]
    close_contradictions(connection, target.vocabulary_id, agreed, "agreed", file.ingested_at)
    return raise_contradictions(connection, target.vocabulary_id, merger.claims, file.id, file.ingested_at)


def _lift(session: Session, changing: sa.Table, target: _Target) -> None:
    """Lift the consequences that rested on records which an office's rows now say stand no longer."""
    resting = sa.select(changing.c.key, changing.c.data).where(
        changing.c.key.in_(resting_on(target.vocabulary_id))
    )
    gone = [key for key, data in session.execute(resting) if json.loads(data).get(STATUS) not in STANDS]
    lift_on_records(session, target.vocabulary_id, gone, Lift(target.file.name))


def _whose_claim(claim: Claim) -> str:
    return json.loads(claim.data).get(AUTHORITY) or ""


def _whose(document: Any) -> ValueIn:
    """Whose record a staged row speaks of."""
    return ValueIn(document, AUTHORITY)


def _twins(
    connection: sa.Connection, arriving: sa.Table, target: _Target, alike: Likeness
) -> Iterator[pa.RecordBatch]:
    """Warnings of this file's rows that may be a decision that is known under another number."""
    at, here = target.file.ingested_at, target.file.id
    news = sa.select(1).where(target.is_current, target.key == arriving.c.key, RecordVersion.file_id == here)
    subjects = sa.select(arriving.c.subject_id).where(news.correlate(arriving).exists())
    pairs = note_twins(connection, target.vocabulary_id, alike, at, subjects)
    both = [ordered for one, other in pairs for ordered in ((one, other), (other, one))]
    own = [(one, other) for one, other in both if one.file_id == here]
    sheets: dict[str, str | None] = {}
    for some in parts([one.record_id for one, _ in own]):
        query = sa.select(arriving.c.key, arriving.c.sheet).where(arriving.c.key.in_(some))
        sheets |= dict(connection.execute(query).all())
    return _quarantine(here, [_twin(one, other, alike, sheets.get(one.record_id)) for one, other in own])


def _twin(one: Known, other: Known, alike: Likeness, sheet: str | None) -> Rejected:
    """The number of another authority's record is not the office's to know."""
    own = alike.value(one.data, AUTHORITY) == alike.value(other.data, AUTHORITY)
    zh, en = (other.record_id, other.record_id) if own else ("其他单位的一条记录", "another authority's")
    reason = Title(f"可能与{zh}是同一决定", f"may be the same decision as {en}")
    return Rejected(one.row_no, None, one.record_id, reason.both, "warning", sheet)


def _close(connection: sa.Connection, changing: sa.Table, target: _Target) -> int:
    """End the current versions of changing rows; how many."""
    version = target.version
    known = sa.select(version.id).where(target.key == changing.c.key, target.is_current)
    changed = sa.select(known.correlate(changing).scalar_subquery()).select_from(changing)
    close = sa.update(version).where(version.id.in_(changed)).values(known_until=target.file.ingested_at)
    return connection.execute(close).rowcount


def _add(connection: sa.Connection, rows_of: sa.Table, target: _Target) -> int:
    """Add a version of every row whose key has no current one (any more); how many."""
    a = rows_of.c
    current = sa.select(1).where(target.is_current, target.key == a.key).correlate(rows_of)
    columns = {
        "vocabulary": sa.literal(target.vocabulary_id),
        "subject_id": a.subject_id,
        "data": a.data,
        "content_hash": a.content_hash,
        "row_no": a.row_no,
        "sheet": a.sheet,
        "known_from": sa.literal(target.file.ingested_at, Moment),
        "file_id": sa.literal(target.file.id),
        target.key.key: a.key,
    }
    rows = sa.select(*columns.values()).where(~current.exists()).order_by(a.order_no)
    insert = sa.insert(table_of(target.version)).from_select(list(columns), rows)
    return connection.execute(insert, execution_options={"preserve_rowcount": True}).rowcount


def _fault_bad_rows(connection: sa.Connection, file_id: int) -> None:
    """What is odd about a row that is set aside is one of its faults: the row was not taken."""
    row, other = aliased(Quarantined), aliased(Quarantined)
    same = sa.and_(other.row_no == row.row_no, other.sheet.is_not_distinct_from(row.sheet))
    is_bad = sa.exists().where(other.file_id == file_id, same, other.level == "error")
    odd = sa.select(row.id).where(row.file_id == file_id, row.level == "warning", is_bad)
    connection.execute(sa.update(Quarantined).where(Quarantined.id.in_(odd)).values(level="error"))


def _noted_rows(connection: sa.Connection, file_id: int, level: Level) -> int:
    """The rows of a file that have an error, or those that were taken with a warning."""
    worst = sa.func.min(Quarantined.level)  # by the alphabet, an error comes before a warning
    rows = sa.select(worst).filter_by(file_id=file_id).group_by(Quarantined.sheet, Quarantined.row_no)
    noted = rows.having(worst == level).subquery()
    return connection.scalar(sa.select(sa.func.count()).select_from(noted)) or 0
