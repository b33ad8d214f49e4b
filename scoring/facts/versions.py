"""Facts over time: the rows of a file become versions, set by set, in one transaction a file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from rules.calendar import today
from rules.model import Title
from scoring.facts.confirming import Confirmer, Confirming
from scoring.facts.contradictions import close_contradictions, raise_contradictions
from scoring.facts.entries import FileInfo, new_file, wait_for_turn
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
    Move,
    SameBody,
    Standing,
)
from scoring.facts.noted import Rejected, count_noted, fault_bad_rows, first_noted, note
from scoring.facts.orphans import NO_ORPHANS, Orphans, orphans_among, orphans_of_file
from scoring.facts.sifting import Check, Place, drop_refused, drop_repeats, drop_short, refused_by
from scoring.facts.staging import ROWS, Arrivals, TableName, Target, clear_stage, hashed, spooled, stage
from scoring.facts.twins import Known, Likeness, note_twins
from scoring.store import bulk
from scoring.store.access import STEPS, RecordMark
from scoring.store.base import Moment, table_of
from scoring.store.batches import BATCH_ROWS, parts
from scoring.store.changes import note_repairs
from scoring.store.connection import Store
from scoring.store.documents import content_hash
from scoring.store.findings import ContradictionRow, ProposalRow
from scoring.store.inside import ValueIn
from scoring.store.models import IngestedFile, RecordVersion, SubjectVersion


@dataclass(frozen=True, slots=True)
class Moved:
    """How many records of a body are another's by a file; nobody's where ``after`` is None."""

    before: str
    after: str | None
    records: int

    @property
    def now(self) -> Title:
        """Whose they are from now on."""
        return now_of(self.after)


def now_of(after: str | None) -> Title:
    """Whose a record is from now on; nobody's where None."""
    return Title(f"改属{after}", f"{after}'s") if after else Title("改为未注明机关", "nobody's")


@dataclass(frozen=True, slots=True)
class IngestResult:
    """What a file changed: numbers of rows. ``rejected`` rows are in the quarantine.

    :param file_id: the file in ``ingested_files``, under which the quarantine holds its rows.
    :param warned: rows that were taken although something about them is odd; the quarantine says what.
    :param held: rows of records whose status a mark gave; they say another, and it stands.
    :param columns: what rows of known keys said, by column.
    :param noted: of a check, what would be in the quarantine, the first of it
        (:data:`scoring.facts.noted.CHECK_SHOWN`).
    :param confirmed: the records of which a row says what waited for a person's word.
    :param orphans: the good rows whose subject is not known.
    :param moved: the records that another body has from now on.
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
    moved: tuple[Moved, ...] = ()


Follow = Callable[[Session, IngestedFile], None]
"""What follows from the rows of a file, in the transaction that has kept them."""

Log = Callable[[Session, IngestResult], None]
"""Notes what a file changed, in the transaction that changes it."""


@dataclass(frozen=True, slots=True)
class Handling:
    """What is looked for, noted and done as the rows of a file are taken; by default nothing is.

    :param key_column: what the key is called in the quarantine of double keys.
    :param checks: rows that they refuse go to the quarantine. Nothing can come between check and change.
    :param judge: says what speaks against laying a row over what is known of its key; such a row goes to the
        quarantine.
    :param header: what a column is called where the rows come from.
    :param same_body: whether two names are one public body's.
    :param twins: by what records may be one decision under two numbers.
    :param confirming: how to note what waits for a person's word, and what persons said.
    :param feeding: how to note whose rows they are.
    :param follow: called once the rows are kept.
    :param log: called last, where the file changes the store.
    """

    key_column: str | None = None
    checks: Sequence[Check] = ()
    judge: Judge = lambda known, merged: ()
    header: Callable[[str], str] = str
    same_body: SameBody = str.__eq__
    twins: Likeness | None = None
    confirming: Confirming | None = None
    feeding: Feeding | None = None
    follow: Follow = lambda session, file: None
    log: Log = lambda session, result: None


def ingest_rows(
    store: Store,
    vocabulary_id: str,
    table: TableName,
    rows: Arrivals,
    file: FileInfo,
    rejected: Iterable[Rejected] = (),
    handling: Handling = Handling(),
    check: bool = False,
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
        not say and a new key needs (:func:`scoring.facts.noted.as_lacks`): it keeps the row out where its key
        is not known.
    :param rejected: errors and warnings; read after the last of ``rows``, so that one pass over the file can
        give both.
    :param check: say what the file would change, and change nothing.
    :raises StoreError: where the database fails; nothing of the file is kept then.
    """
    with store.reading() as session:
        known = _known_file(session, vocabulary_id, table, file, check)
    if known is not None:
        return known
    with spooled(rows) as spool, store.writing() as session:
        wait_for_turn(session)
        known = _known_file(session, vocabulary_id, table, file, check)
        if known is not None:
            return known
        entry = new_file(session, vocabulary_id, table, file)
        arrived = spool or hashed(rows(session))
        target = Target(RecordVersion if table == "record" else SubjectVersion, vocabulary_id, entry)
        result = _take(session, target, arrived, rejected, handling)
        handling.follow(session, entry)
        if check:
            noted = first_noted(session, entry.id)
            session.rollback()
            return replace(result, noted=noted)
        entry.rows_good = result.new + result.changed + result.unchanged
        entry.rows_bad = result.rejected
        if table == "record" and result.changed:
            note_repairs(session, _repaired(entry), entry.ingested_at)
        handling.log(session, result)
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
        warned=count_noted(session.connection(), known.id, "warning"),
        orphans=orphans_of_file(session, vocabulary_id, known.id) if table == "record" else NO_ORPHANS,
        noted=first_noted(session, known.id) if check else (),
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


def _take(
    session: Session,
    target: Target,
    rows: Iterable[pa.RecordBatch],
    rejected: Iterable[Rejected],
    handling: Handling,
) -> IngestResult:
    connection, file = session.connection(), target.file
    is_of_records = target.version is RecordVersion
    arriving, changing, staged = stage(connection, rows)
    note(connection, file.id, rejected)
    dropped, same = _sift(session, arriving, target, handling)
    confirmer = Confirmer(connection, arriving, file, handling.confirming) if handling.confirming else None
    merger = Merger(handling.judge, handling.same_body, *((confirmer.anew,) if confirmer else ()))
    differing = _merge(connection, arriving, changing, target, merger)
    dropped += drop_refused(connection, arriving, target, merger.refused, same)
    claims = _note_claims(connection, arriving, target, merger)
    changed = _close(connection, changing, target) if differing else 0
    moves = merger.moves if is_of_records else []
    note(connection, file.id, (_move(one, handling.header(AUTHORITY)) for one in moves))
    if changed and is_of_records:
        _lift(session, changing, target)
    if differing:  # of an empty table PostgreSQL takes it that it has some pages, and reads all that is known
        _add(connection, changing, target)
    new = _add(connection, arriving, target)
    bulk.take_stock(connection, table_of(target.version), new + changed)
    if handling.twins is not None and is_of_records and new + changed:
        note(connection, file.id, _twins(connection, arriving, target, handling.twins))
    if confirmer is not None:
        told = [Rejected(t.row_no, t.column, None, t.reason, "warning", t.sheet) for t in confirmer.note()]
        note(connection, file.id, told)
    bad = count_noted(connection, file.id, "error")
    if bad:
        fault_bad_rows(connection, file.id)
    if handling.feeding is not None:
        amiss = {"corrected": merger.corrected, "contradicted": Counter(map(_whose_claim, claims))}
        note_feed(connection, file, (arriving, changing), handling.feeding, amiss)
    orphans = orphans_among(connection, target.vocabulary_id, arriving) if is_of_records else NO_ORPHANS
    clear_stage(connection, arriving, changing)
    return IngestResult(
        file.id,
        new=new,
        changed=changed,
        unchanged=staged - dropped - new - changed,
        rejected=bad,
        warned=count_noted(connection, file.id, "warning"),
        held=merger.held,
        columns=merger.columns,
        confirmed=tuple(confirmer.confirmed) if confirmer else (),
        orphans=orphans,
        moved=tuple(Moved(*pair, number) for pair, number in _pairs_of(moves).items()),
    )


def _pairs_of(moves: Iterable[Move]) -> Counter[tuple[str, str | None]]:
    return Counter((move.before, move.after) for move in moves)


def _move(move: Move, header: str) -> Rejected:
    """The warning of a record that another body has from now on."""
    now = now_of(move.after)
    reason = Title(f"记录原属{move.before},{now.zh}", f"the record was {move.before}'s, and is {now.en} now")
    return Rejected(move.row_no, header, move.after, reason.both, "warning", move.sheet)


def _sift(
    session: Session, arriving: sa.Table, target: Target, handling: Handling
) -> tuple[int, Mapping[int, Sequence[Place]]]:
    """Take out the rows that may not be kept, whatever is known; how many, and which others say the same."""
    connection = session.connection()
    short = drop_short(connection, arriving, target)
    others, same = drop_repeats(connection, arriving, target.file.id, handling.key_column)
    refused = refused_by(session, arriving, target, handling.checks)
    return short + others + drop_refused(connection, arriving, target, refused, same), same


def _merge(
    connection: sa.Connection, arriving: sa.Table, changing: sa.Table, target: Target, merger: Merger
) -> int:
    """Lay rows of known keys over what is known; how many change it, and go to the table of changing rows."""
    result = connection.execute(_differing(arriving, target), execution_options={"yield_per": BATCH_ROWS})
    differing = bulk.append(connection, changing, (_merged(merger, rows) for rows in result.partitions()))
    sa.Index("changing_key", changing.c.key).create(connection)  # so PostgreSQL learns how many they are
    return differing


def _differing(arriving: sa.Table, target: Target) -> sa.Select[*tuple[Any, ...]]:
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
    return pa.RecordBatch.from_pylist(changed, ROWS)


def _note_claims(
    connection: sa.Connection, arriving: sa.Table, target: Target, merger: Merger
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


def _lift(session: Session, changing: sa.Table, target: Target) -> None:
    """Lift the consequences that rested on records which an office's rows now say stand no longer."""
    resting = sa.select(changing.c.key, changing.c.data).where(
        changing.c.key.in_(resting_on(target.vocabulary_id))
    )
    gone = [key for key, data in session.execute(resting) if json.loads(data).get(STATUS) not in STANDS]
    lift_on_records(session, target.vocabulary_id, gone, Lift(target.file.name))


def _whose_claim(claim: Claim) -> str:
    return json.loads(claim.data).get(AUTHORITY) or ""


def _twins(
    connection: sa.Connection, arriving: sa.Table, target: Target, alike: Likeness
) -> Sequence[Rejected]:
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
    return [_twin(one, other, alike, sheets.get(one.record_id)) for one, other in own]


def _twin(one: Known, other: Known, alike: Likeness, sheet: str | None) -> Rejected:
    """The number of another authority's record is not the office's to know."""
    own = alike.value(one.data, AUTHORITY) == alike.value(other.data, AUTHORITY)
    zh, en = (other.record_id, other.record_id) if own else ("其他单位的一条记录", "another authority's")
    reason = Title(f"可能与{zh}是同一决定", f"may be the same decision as {en}")
    return Rejected(one.row_no, None, one.record_id, reason.both, "warning", sheet)


def _close(connection: sa.Connection, changing: sa.Table, target: Target) -> int:
    """End the current versions of changing rows; how many."""
    version = target.version
    known = sa.select(version.id).where(target.key == changing.c.key, target.is_current)
    changed = sa.select(known.correlate(changing).scalar_subquery()).select_from(changing)
    close = sa.update(version).where(version.id.in_(changed)).values(known_until=target.file.ingested_at)
    return connection.execute(close).rowcount


def _add(connection: sa.Connection, rows_of: sa.Table, target: Target) -> int:
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
