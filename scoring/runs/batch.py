"""One batch from store to store: what was known is judged by a pack, and what changed is published as a run.

A run publishes timelines: what is said of a day and all that follow. It builds on the last run whose day is
not after its own, and says something only of those for whom anything changed since (docs/time.md). A pack, a
date and what was known have one run: who comes second, or again, is given that of the first.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version

import duckdb
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.fault import UnknownPackError
from rules.identity import identity
from rules.library.loader import in_force
from rules.model import OVER_GROUP, Pack, Vocabulary
from rules.plan import compile_plan
from rules.titles import Title
from scoring.facts.snapshot import Snapshot, forget_snapshot, moment_known, take_snapshot, take_some
from scoring.judging.coded import RECORDS, SUBJECTS
from scoring.judging.sql import quoted
from scoring.runs import keeping
from scoring.runs.news import News, news_between
from scoring.runs.proposed import refuse_held
from scoring.runs.publish import (
    note_moves,
    number_rules,
    number_subjects,
    numbers_of,
    publish,
    visible_schema,
    wait_to_publish,
)
from scoring.runs.published import LAST_PUBLISHED, RunSummary, summary_of
from scoring.runs.said import DAY_KIND, visible, with_numbers
from scoring.runs.terms import (
    Piece,
    first_difference,
    keep_terms,
    piece_on,
    pieces_of,
    since,
    terms_by_no,
    versions_of,
)
from scoring.store import Store, bulk
from scoring.store.batches import BATCH_ROWS, parts
from scoring.store.models import Run
from scoring.store.packs import PackText, keep_pack
from scoring.store.rulebook import Standing, require_law, standing_in, standing_of
from scoring.store.timelines import GradedSubject, Segment, Span, Touch, day_number
from scoring.store.workspace import workspace

PROGRAM = f"xinheng {version('xinheng')}"
"""Another program may judge otherwise: its first run judges everybody."""

FEW = 5_000
"""Up to so many subjects are loaded by their keys; more, with all facts."""

Progress = Callable[[str, int], None]
"""Told the step (snapshot, grade, touches, segments, spans, tallies) and how many of its rows are done."""

Confirm = Callable[[Session, int], None]
"""Given the number of a run in the transaction that publishes it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a batch.

    :param is_new: whether it was published now, and not before.
    :param unexpected: of how many subjects a full run says something else although nothing changed for them,
        neither facts nor rules nor the program. There must be none.
    """

    run: RunSummary
    is_new: bool
    unexpected: int = 0


def run(
    store: Store,
    pack: Pack,
    as_of: dt.date,
    known_at: dt.datetime | None = None,
    progress: Progress = lambda step, rows: None,
    text: PackText | None = None,
    again: bool = False,
    confirm: Confirm = lambda session, run_id: None,
    full: bool = False,
    versions: Sequence[Pack] | None = None,
    decided_by: str = "",
    proposal: int | None = None,
) -> Outcome:
    """Judge those for whom something changed, and publish what is said of them, unless that is published.

    The run is seen with all of its results or, where anything stops it, not at all.

    :param known_at: judge what was known at this moment (with its time zone); None for now.
    :param text: where the pack comes from, if not from its file.
    :param again: publish another run of the same.
    :param confirm: called with the run's number at the end of the transaction that publishes it, or finds it
        published; where it raises, nothing is published.
    :param full: judge everybody; what differs is published.
    :param versions: the versions of the pack that are in force on other days; by default those that the store
        knows.
    :param decided_by: who says so, kept where other versions are in force than were before.
    :param proposal: the number of the proposal that is published; while one is open, nothing else is.
    :raises HeldError: where another proposal of the pack is open.
    :raises UnknownPackError: where the pack is not in force on ``as_of``, or a later version is.
    :raises StoreError: where the store has no subjects, fails or is full, or memory and disk do not suffice.

    >>> from datetime import date
    >>> from fixtures.small import AS_OF, small_store
    >>> from rules.library.loader import find_pack
    >>> store, pack = small_store(), find_pack("tourism-credit", AS_OF)
    >>> run(store, pack, AS_OF).is_new  # it is published already
    False
    >>> later = run(store, pack, date(2026, 9, 30))
    >>> later.is_new, later.run.subjects
    (True, 2)
    """
    while True:  # where another run was published, or a version approved, meanwhile: this one builds on it
        standing = None if versions is not None else standing_of(store, pack.id)
        pieces = ruled_by(store, pack, as_of, versions)
        wanted = _Wanted(
            store, pack, as_of, known_at, progress, text, again, confirm, full, pieces, standing, decided_by,
            proposal,
        )  # fmt: skip
        if (outcome := _Batch(wanted).done()) is not None:
            return outcome


def ruled_by(store: Store, pack: Pack, as_of: dt.date, versions: Sequence[Pack] | None = None) -> list[Piece]:
    """Which version rules when, for a run of a pack on a day.

    :param versions: those in force on other days; by default those that the store knows.
    :raises UnknownPackError: where the pack is not in force on the day, or a later version is.
    :raises DisagreementError: where the folder and the store disagree of its versions.
    """
    if versions is None:
        require_law(store, pack)
        versions = versions_of(store, pack)
    pieces = pieces_of(pack, versions)
    rules_then = piece_on(pieces, as_of)
    if rules_then is None or rules_then.pack is not pack:
        raise UnknownPackError(_not_ruling(pack, as_of, rules_then))
    return pieces


def _not_ruling(pack: Pack, day: dt.date, other: Piece | None) -> Title:
    """Why a version can't have a run for a day."""
    if other is not None and in_force(pack, day):
        later = f"{other.pack.version} is, since {other.pack.in_force_from}"
        return Title(
            f"{pack.id} {pack.version}在{day}已由{other.pack.version}取代",
            f"{pack.id} {pack.version} does not rule on {day} any more: {later}",
        )
    span = f"from {pack.in_force_from} until {pack.in_force_until or 'further notice'}"
    en = f"{pack.id} {pack.version} is not in force on {day}, but {span}"
    return Title(f"{pack.id} {pack.version}在{day}不生效", en)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What :func:`run` was asked for."""

    store: Store
    pack: Pack
    as_of: dt.date
    known_at: dt.datetime | None
    progress: Progress
    text: PackText | None
    again: bool
    confirm: Confirm
    full: bool
    pieces: list[Piece]
    standing: Standing | None
    decided_by: str
    proposal: int | None


class _Batch:
    """One attempt at a run, building on the runs that there are.

    :ivar before: the run that it builds on and all since, the newest first; those since speak of later days.
    """

    def __init__(self, wanted: _Wanted) -> None:
        self._w = wanted
        self._started_at = dt.datetime.now(dt.UTC)
        with wanted.store.reading() as session:
            refuse_held(session, wanted.pack.id, wanted.proposal)
            self._last = last_run(session, wanted.pack.id)
            self.before = _before(session, wanted.pack.id, wanted.as_of)
            self._moment = moment_known(wanted.store, session, wanted.pack.vocabulary, wanted.known_at)
            decided = terms_by_no(session, wanted.pack.id)
        self._pieces = since(wanted.pieces, wanted.as_of)
        self._base = self.before[-1] if self.before else None
        now = [piece.row for piece in wanted.pieces]
        self._same_terms = all(
            first_difference(decided.get(run.terms_no or 0, []), now, max(wanted.as_of, run.as_of)) is None
            for run in self.before
        )
        self._same_program = all(run.program == PROGRAM for run in self.before)
        self._unexpected = 0

    def done(self) -> Outcome | None:
        """The published run; None where another was published meanwhile."""
        w = self._w
        with workspace() as duck:
            news = self._news(duck)
            if news is not None and (found := self._found(self._after(news))) is not None:
                return found
            if self._is_for_all(news):
                return self._judged(duck, news)
            assert news is not None
            snapshot = self._after(news)
            if not news.subject_ids:
                w.progress("snapshot", snapshot.subjects + snapshot.records)
                w.progress("grade", 0)
                return self._published(snapshot, "touch", None, 0)
            return self._judged(duck, news)

    def _news(self, duck: duckdb.DuckDBPyConnection) -> News | None:
        """What changed in the facts since the base, and since any run that came after it."""
        if self._base is None:
            return None
        others = [run.known_at for run in self.before[:-1]]
        with self._w.store.reading() as session:
            vocabulary = self._w.pack.vocabulary.id
            return news_between(session, duck, vocabulary, self._base.known_at, self._moment, others)

    def _after(self, news: News) -> Snapshot:
        """What is known now, by what was known to the base and what changed."""
        base = self._base
        assert base is not None
        prints = [
            f"{int(before, 16) ^ change.xor:032x}" if before else ""
            for before, change in ((base.subjects_print, news.subjects), (base.records_print, news.records))
        ]
        return Snapshot(
            self._w.pack.vocabulary.id,
            self._moment,
            base.subjects + news.subjects.rows,
            base.records + news.records.rows,
            base.orphans + news.orphans,
            (prints[0], prints[1]),
        )

    def _found(self, snapshot: Snapshot) -> Outcome | None:
        """The run of the same, if there is one: nothing need be judged again."""
        w = self._w
        if w.again or w.full or not self._is_published(self._last_of_day(), snapshot):
            return None
        w.progress("snapshot", snapshot.subjects + snapshot.records)
        with w.store.writing() as session:
            row = _last_of_day(session, w.pack.id, w.as_of)
            if not self._is_published(row, snapshot):
                return None
            assert row is not None
            w.confirm(session, row.id)
            return Outcome(summary_of(row), is_new=False)

    def _last_of_day(self) -> Run | None:
        with self._w.store.reading() as session:
            return _last_of_day(session, self._w.pack.id, self._w.as_of)

    def _is_published(self, row: Run | None, snapshot: Snapshot) -> bool:
        """Whether the last run of the day is by these rules, of what is known now."""
        same = (identity(self._w.pack), snapshot.hash, PROGRAM)
        return (
            row is not None and (row.pack_hash, row.snapshot_hash, row.program) == same and self._same_terms
        )

    def _is_for_all(self, news: News | None) -> bool:
        """Whether something changed for everybody."""
        if news is None or self._w.full or not (self._same_terms and self._same_program):
            return True
        return bool(news.subject_ids) and any(_ranks(piece.pack) for piece in self._pieces)

    def _judged(self, duck: duckdb.DuckDBPyConnection, news: News | None) -> Outcome | None:
        """Judge everybody, or those for whom something changed, and publish what differs."""
        w, is_for_all = self._w, self._is_for_all(news)
        with w.store.writing() as session:
            wait_to_publish(session, w.pack.id)
            rules = {rule.id for piece in self._pieces for rule in piece.pack.rules}
            numbers = number_rules(session, w.pack.id, rules)
        facts = _Facts(w.store, w.pack.id, duck, self._moment, None if is_for_all else news)
        snapshots = []

        def load(vocabulary: Vocabulary) -> None:
            facts.load(vocabulary)
            snapshot = self._after(news) if facts.snapshot is None and news is not None else facts.snapshot
            assert snapshot is not None
            snapshots.append(snapshot)
            w.progress("snapshot", snapshot.subjects + snapshot.records)

        keeping.make_timelines(duck, self._pieces, numbers, load)
        self._choose(duck, news, is_for_all)
        [(judged,)] = duck.execute(f"select count(*) from {SUBJECTS}").fetchall()
        [(touched,)] = duck.execute("select count(*) from kept_touches").fetchall()
        w.progress("grade", judged)
        return self._published(snapshots[0], "full" if is_for_all else "touch", duck, touched)

    def _choose(self, duck: duckdb.DuckDBPyConnection, news: News | None, is_for_all: bool) -> None:
        """Make the tables of whom the run touches, and of the tallies."""
        compares = is_for_all and self._base is not None and self._same_terms
        with self._w.store.reading() as session:
            whom = self._whom(session, duck, is_for_all)
            self._take_old(session, duck, Segment, whom)
            self._take_old(session, duck, Span, whom if compares else [])
        if compares:
            keeping.choose_differing(duck)
            if self._same_program and news is not None:
                self._unexpected = _count_unexpected(duck, self._w.pack, news)
        else:
            keeping.choose_all(duck)
        keeping.make_tallies(duck)

    def _whom(
        self, session: Session, duck: duckdb.DuckDBPyConnection, is_for_all: bool
    ) -> list[sa.ColumnElement[bool]]:
        """The touches of those whom the run may touch."""
        if is_for_all:
            mine = sa.select(GradedSubject.number).where(GradedSubject.pack_id == self._w.pack.id)
            return [Touch.subject.in_(mine)] if self._last else []
        numbers = [
            number for (number,) in duck.execute("select number from kept_numbers order by 1").fetchall()
        ]
        return [Touch.subject.in_(some) for some in parts(numbers)]

    def _take_old(
        self,
        session: Session,
        duck: duckdb.DuckDBPyConnection,
        part: type[Segment] | type[Span],
        whom: list[sa.ColumnElement[bool]],
    ) -> None:
        """What was said until now."""
        as_of, schema = self._w.as_of, visible_schema(part)
        batches = (
            batch
            for some in whom
            for batch in bulk.stream(
                session.connection(), with_numbers(visible(part, some, self._last, as_of)), schema
            )
        )
        rows = pa.RecordBatchReader.from_batches(schema, batches)
        keeping.take_old(duck, part.__tablename__, day_number(as_of), rows)

    def _published(
        self, snapshot: Snapshot, kind: str, duck: duckdb.DuckDBPyConnection | None, touched: int
    ) -> Outcome | None:
        w = self._w
        with w.store.writing() as session:
            wait_to_publish(session, w.pack.id)
            refuse_held(session, w.pack.id, w.proposal)
            if last_run(session, w.pack.id) != self._last or not self._still_stands(session):
                return None
            if not (w.again or w.full) and self._is_published(
                row := _last_of_day(session, w.pack.id, w.as_of), snapshot
            ):
                assert row is not None
                w.confirm(session, row.id)
                return Outcome(summary_of(row), is_new=False)
            row = self._row(keep_pack(session, w.pack, w.text), snapshot, kind, touched)
            row.terms_no = keep_terms(session, w.pack.id, w.pieces, w.decided_by)
            publish(session, row, duck, w.progress)
            row.published_at = _moment_after(session, w.pack.id)
            session.flush()
            w.confirm(session, row.id)
            note_moves(session, row)
        return Outcome(summary_of(row), is_new=True, unexpected=self._unexpected)

    def _still_stands(self, session: Session) -> bool:
        """Whether the versions approved are those that were, when it was looked which rules when."""
        return self._w.standing in (None, standing_in(session, self._w.pack.id))

    def _row(self, digest: str, snapshot: Snapshot, kind: str, touched: int) -> Run:
        return Run(
            pack_hash=digest,
            pack_id=self._w.pack.id,
            vocabulary=self._w.pack.vocabulary.id,
            as_of=self._w.as_of,
            known_at=snapshot.known_at,
            engine=f"duckdb {duckdb.__version__}",
            started_at=self._started_at,
            published_at=dt.datetime.now(dt.UTC),
            subjects=snapshot.subjects,
            records=snapshot.records,
            orphans=snapshot.orphans,
            snapshot_hash=snapshot.hash,
            subjects_print=snapshot.prints[0],
            records_print=snapshot.prints[1],
            kind=kind,
            base=None if self._base is None else self._base.id,
            touched=touched,
            program=PROGRAM,
        )


class _Facts:
    """Loads the facts of everybody, or of those of whom there is news.

    :ivar snapshot: of everybody, once they are loaded.
    """

    def __init__(
        self,
        store: Store,
        pack_id: str,
        duck: duckdb.DuckDBPyConnection,
        moment: dt.datetime,
        news: News | None,
    ) -> None:
        self._store, self._pack_id, self._duck, self._moment = store, pack_id, duck, moment
        self._news = news
        self.snapshot: Snapshot | None = None

    def load(self, vocabulary: Vocabulary) -> None:
        """Make the coded facts, and ``kept_numbers``."""
        forget_snapshot(self._duck)  # a later version of the pack may have another vocabulary
        if self._news is not None and len(self._news.subject_ids) <= FEW:
            take_some(self._store, vocabulary, self._duck, self._moment, self._news.subject_ids)
        else:
            self.snapshot = take_snapshot(self._store, vocabulary, self._duck, self._moment)
            self._leave_out(vocabulary)
        self._number(vocabulary)

    def _leave_out(self, vocabulary: Vocabulary) -> None:
        """Those of whom there is no news."""
        if self._news is None:
            return
        self._duck.register("xh_due", pa.table({"id": pa.array(self._news.subject_ids, pa.string())}))
        key = f"cast({quoted(vocabulary.subject.key)} as varchar)"
        self._duck.execute(f"delete from {SUBJECTS} where {key} not in (from xh_due)")
        if vocabulary.records is not None:
            self._duck.execute(f"delete from {RECORDS} where _s not in (select _s from {SUBJECTS})")
        self._duck.unregister("xh_due")

    def _number(self, vocabulary: Vocabulary) -> None:
        """Give those who are judged a number; ``kept_numbers`` has all whose numbers may be needed."""
        whom = None if self._news is None else self._news.subject_ids
        key = f"cast({quoted(vocabulary.subject.key)} as varchar)"
        with self._store.writing() as session:
            wait_to_publish(session, self._pack_id)
            known = numbers_of(session, self._pack_id, whom)
            self._duck.register("xh_known", known)
            new = self._duck.sql(
                f"select ? as pack_id, {key} as subject_id from {SUBJECTS}"
                f" where {key} not in (select subject_id from xh_known) order by subject_id",
                params=[self._pack_id],
            ).to_arrow_table()
            if new.num_rows:
                number_subjects(session, self._pack_id, new.to_batches(BATCH_ROWS))
                self._duck.unregister("xh_known")
                self._duck.register("xh_known", numbers_of(session, self._pack_id, whom))
        self._duck.execute("create or replace table kept_numbers as from xh_known")
        self._duck.unregister("xh_known")


def _count_unexpected(duck: duckdb.DuckDBPyConnection, pack: Pack, news: News) -> int:
    """How many are written of whom there was no news; ranks change with the news of others."""
    if news.subject_ids and _ranks(pack):
        return 0
    duck.register("xh_due", pa.table({"id": pa.array(news.subject_ids, pa.string())}))
    [(number,)] = duck.execute(
        "select count(*) from kept_touches join kept_numbers on number = subject"
        " where subject_id not in (from xh_due)"
    ).fetchall()
    duck.unregister("xh_due")
    return int(number)


def _ranks(pack: Pack) -> bool:
    """Whether a rule reads a measure that depends on other subjects."""
    return any(measure.aggregate in OVER_GROUP for measure in compile_plan(pack).measures)


def last_run(session: Session, pack_id: str) -> int:
    """The number of the last run of a pack; 0 before the first."""
    return session.scalar(sa.select(sa.func.max(Run.id)).where(Run.pack_id == pack_id)) or 0


def _moment_after(session: Session, pack_id: str) -> dt.datetime:
    """Now, after the moments of all runs of a pack before, even where the clock was set back."""
    last = session.scalar(sa.select(sa.func.max(Run.published_at)).where(Run.pack_id == pack_id))
    now = dt.datetime.now(dt.UTC)
    return now if last is None or last < now else last + dt.timedelta(microseconds=1)


def _before(session: Session, pack_id: str, as_of: dt.date) -> list[Run]:
    """The last run whose day is not after this, and all since, the newest first; none without such a one."""
    kept = sa.select(Run).where(Run.pack_id == pack_id, Run.kind != DAY_KIND)
    base = session.scalar(kept.where(Run.as_of <= as_of).order_by(Run.id.desc()).limit(1))
    if base is None:
        return []
    return list(session.scalars(kept.where(Run.id >= base.id).order_by(Run.id.desc())))


def _last_of_day(session: Session, pack_id: str, as_of: dt.date) -> Run | None:
    query = sa.select(Run).where(Run.pack_id == pack_id, Run.as_of == as_of).order_by(*LAST_PUBLISHED)
    return session.scalar(query.limit(1))
