"""Taking a file back: new versions say again what was known before it; nothing is deleted.

What a file is still the last word on is taken back. What others said later stays, and is named. Versions that
come back name the file that they first came from, so that it can be taken back as well; the undoing itself is
entered as a file, so that it can be undone. Contradictions of marks go the same way; twins are those of what
is known then.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.fault import UnknownPackError
from rules.library.loader import load_vocabulary
from rules.titles import Title
from scoring.facts.bodies import register
from scoring.facts.confirming import take_back as take_back_words
from scoring.facts.contradictions import effect_of, take_back
from scoring.facts.entries import FileInfo, new_file, wait_for_turn
from scoring.facts.feeding import take_back_feed
from scoring.facts.lifting import STANDS, Lift, lift_on_records, resting_on
from scoring.facts.merging import STATUS
from scoring.facts.twins import likeness, note_twins
from scoring.facts.visit_results import VOCABULARY as RESULTS
from scoring.facts.visit_results import tell_once
from scoring.store.base import Moment, table_of
from scoring.store.batches import parts
from scoring.store.connection import Store
from scoring.store.errors import StoreError
from scoring.store.models import IngestedFile, RecordVersion, SubjectVersion

_COPIED = ("vocabulary", "subject_id", "data", "content_hash", "row_no", "sheet", "file_id")


@dataclass(frozen=True, slots=True)
class Undone:
    """What became of a file that was taken back.

    :param file_id: of the undoing; None where there was nothing to take back (any more).
    :param restored: keys of which is known again what was known before.
    :param ended: keys that the file brought, and that are known no longer.
    :param left: keys of which something was said later, so that they stay as they are.
    :param contradictions: of marks, that the file had raised or closed, and that are closed or open again.
    """

    file_id: int | None
    name: str
    restored: int
    ended: int
    left: tuple[str, ...]
    contradictions: int = 0


@dataclass(frozen=True, slots=True)
class File:
    """A file that was taken in.

    :param source: file, api (a request), mark, program or undo.
    :param undone_by: the latest undoing of it.
    """

    id: int
    name: str
    vocabulary: str
    table: str
    rows_good: int
    rows_bad: int
    ingested_at: dt.datetime
    source: str
    undoes: int | None
    undone_by: int | None


Log = Callable[[Session, Undone], None]
"""Notes what a file that was taken back leaves, in the transaction that takes it back."""


def list_files(
    store: Store,
    everything: bool = False,
    limit: int | None = None,
    before: int | None = None,
    only: Collection[int] | None = None,
) -> list[File]:
    """Files and what took them back, the newest first.

    :param everything: also requests, marks and what the program itself put down.
    :param before: only files with a smaller number: the last of the page before.
    :param only: of these numbers, what takes these back, and what takes that back in turn.
    """
    undoing = sa.orm.aliased(IngestedFile)
    undone_by = sa.select(sa.func.max(undoing.id)).where(undoing.undoes == IngestedFile.id).scalar_subquery()
    query = sa.select(IngestedFile, undone_by).order_by(IngestedFile.id.desc()).limit(limit)
    if not everything:
        query = query.where(IngestedFile.source.in_(("file", "undo")))
    if before is not None:
        query = query.where(IngestedFile.id < before)
    if only is not None:
        named = sa.select(IngestedFile.id).where(IngestedFile.id.in_(only)).cte(recursive=True)
        further = sa.select(undoing.id).join(named, undoing.undoes == named.c.id)
        query = query.where(IngestedFile.id.in_(sa.select(named.union(further).c.id)))
    with store.reading() as session:
        return [
            File(**{name: getattr(file, name) for name in File.__slots__[:-1]}, undone_by=by)
            for file, by in session.execute(query)
        ]


def rows_of(store: Store, file: File) -> int:
    """How many rows taking a file back can touch; of an undoing those of the files that it goes back to."""
    rows, undoes = file.rows_good, file.undoes
    with store.reading() as session:
        while undoes is not None:
            before = session.get_one(IngestedFile, undoes)
            rows, undoes = max(rows, before.rows_good), before.undoes
    return rows


def undo_file(
    store: Store, file_id: int, by: str | None = None, log: Log = lambda session, done: None
) -> Undone:
    """Take a file back, or an undoing, in one transaction. Grades follow at the next run.

    A second time there is nothing left to take back, and nothing changes.

    :param by: who takes it back; by default the undoing stands for itself.
    :param log: called where something is taken back.
    :raises StoreError: where there is no such file, or it is a mark, which only another mark takes back.

    >>> from fixtures.small import small_store
    >>> store = small_store()
    >>> records = list_files(store)[0]
    >>> records.name, undo_file(store, records.id).ended
    ('records.csv', 3)
    """
    with store.writing() as session:
        wait_for_turn(session)
        file = session.get(IngestedFile, file_id)
        if file is None:
            raise StoreError(
                Title(
                    f"没有文件{file_id},已有文件见:xinheng ingest list",
                    f"there is no file {file_id}; see: xinheng ingest list",
                )
            )
        if file.source in ("mark", "program"):
            raise StoreError(
                Title(
                    f"{file_id}({file.name})不是文件,须以同类的另一操作撤回",
                    f"{file_id} ({file.name}) is not a file; another {file.source} takes it back",
                )
            )
        if file.vocabulary == RESULTS:
            raise StoreError(
                Title(
                    f"{file_id}({file.name})是检查结果,请改为对有关记录提出异议",
                    f"{file_id} ({file.name}) holds results of visits: object to the records instead",
                )
            )
        done = _Undoing(session, file, by).done()
        if done.file_id is not None:
            log(session, done)
        return done


class _Undoing:
    """The steps of taking one file back."""

    def __init__(self, session: Session, file: IngestedFile, by: str | None) -> None:
        self._session, self._file, self._by = session, file, by
        self._version = RecordVersion if file.table == "record" else SubjectVersion
        self._key = table_of(self._version).c["record_id" if file.table == "record" else "subject_id"]

    def done(self) -> Undone:
        """Take the steps."""
        standing, ended_before = self._standing(), self._ended()
        left = tuple(sorted(self._superseded() - standing.keys()))
        contradictions = effect_of(self._session.connection(), self._file)
        if not (standing or ended_before or contradictions):
            return Undone(None, self._file.name, 0, 0, left)
        info = FileInfo(uuid.uuid4().hex, f"undo: {self._file.name}", "undo")
        entry = new_file(self._session, self._file.vocabulary, self._file.table, info, self._file.id)  # type: ignore[arg-type]
        self._close(list(standing.values()), entry)
        keys = [*standing, *ended_before]
        restored = self._restore(keys, entry)
        entry.rows_good = restored
        take_back(self._session.connection(), contradictions, entry.ingested_at)
        self._note_twins(entry)
        self._lift(keys, entry)
        if entry.table == "record":
            take_back_words(self._session.connection(), self._file, entry, keys, self._by or entry.name)
        tell_once(self._session, self._file)
        take_back_feed(self._session.connection(), self._file.id, entry.id)
        ended = len(keys) - restored
        return Undone(entry.id, self._file.name, restored, ended, left, len(contradictions))

    def _of_file(self) -> sa.ColumnElement[bool]:
        """Versions that the file brought, or brought back."""
        v, file = self._version, self._file
        return sa.and_(
            v.vocabulary == file.vocabulary, sa.or_(v.file_id == file.id, v.known_from == file.ingested_at)
        )

    def _standing(self) -> dict[str, int]:
        """The keys of which the file is the last word, with their current versions."""
        query = sa.select(self._key, self._version.id).where(
            self._of_file(), self._version.known_until.is_(None)
        )
        return dict(self._session.execute(query).all())

    def _superseded(self) -> set[str]:
        """The keys of which the file's word ended by anything but an undoing of the file."""
        undoings = sa.select(IngestedFile.ingested_at).where(IngestedFile.undoes == self._file.id)
        moments = set(self._session.scalars(undoings))
        query = sa.select(self._key, self._version.known_until).where(self._of_file())
        rows = self._session.execute(query.order_by(self._version.known_from)).all()
        last: dict[str, dt.datetime | None] = dict(rows)
        return {key for key, until in last.items() if until is not None and until not in moments}

    def _ended(self) -> list[str]:
        """The keys that the file, an undoing, ended, and of which nothing was said since."""
        if self._file.undoes is None:
            return []
        later = sa.orm.aliased(table_of(self._version))
        since = sa.select(1).where(
            later.c.vocabulary == self._file.vocabulary,
            later.c[self._key.key] == self._key,
            later.c.known_from >= self._file.ingested_at,
        )
        query = sa.select(self._key).where(
            self._version.vocabulary == self._file.vocabulary,
            self._version.known_until == self._file.ingested_at,
            ~since.correlate(table_of(self._version)).exists(),
        )
        return list(self._session.scalars(query))

    def _close(self, versions: Sequence[int], entry: IngestedFile) -> None:
        for some in parts(versions):
            self._session.execute(
                sa.update(self._version)
                .where(self._version.id.in_(some))
                .values(known_until=entry.ingested_at)
                .execution_options(synchronize_session=False)
            )

    def _restore(self, keys: Sequence[str], entry: IngestedFile) -> int:
        """Add again the versions that the file ended; how many."""
        table, restored = table_of(self._version), 0
        names = [*_COPIED, *([self._key.key] if self._key.key not in _COPIED else [])]
        for some in parts(keys):
            before = sa.select(
                *(table.c[name] for name in names), sa.literal(entry.ingested_at, Moment)
            ).where(
                table.c.vocabulary == self._file.vocabulary,
                self._key.in_(some),
                table.c.known_until == self._file.ingested_at,
            )
            insert = sa.insert(table).from_select([*names, "known_from"], before)
            done = self._session.execute(insert, execution_options={"preserve_rowcount": True})
            restored += done.rowcount  # type: ignore[attr-defined]
        return restored

    def _lift(self, keys: Sequence[str], entry: IngestedFile) -> None:
        """Lift the consequences that rested on records of which nothing is known now, or that they stand no
        longer.
        """
        if entry.table != "record":
            return
        resting = sorted(set(self._session.scalars(resting_on(entry.vocabulary))).intersection(keys))
        standing: set[str] = set()
        for some in parts(resting):
            query = sa.select(RecordVersion.record_id, RecordVersion.data).where(
                RecordVersion.vocabulary == entry.vocabulary,
                RecordVersion.record_id.in_(some),
                RecordVersion.known_until.is_(None),
            )
            found = self._session.execute(query)
            standing |= {number for number, data in found if json.loads(data).get(STATUS) in STANDS}
        gone = [number for number in resting if number not in standing]
        lift_on_records(self._session, entry.vocabulary, gone, Lift(entry.name))

    def _note_twins(self, entry: IngestedFile) -> None:
        """Note the twins that records become by coming back; a pack's own vocabulary has none."""
        if entry.table != "record":
            return
        try:
            alike = likeness(load_vocabulary(entry.vocabulary), register(self._session).identity)
        except UnknownPackError:
            return
        back = sa.select(RecordVersion.subject_id).where(
            RecordVersion.vocabulary == entry.vocabulary, RecordVersion.known_from == entry.ingested_at
        )
        note_twins(self._session.connection(), entry.vocabulary, alike, entry.ingested_at, back)
