"""One batch from store to store: what was known is graded by a pack and published as a run.

A pack, a date and what was known have one run: who comes second, or again, is given that of the first.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import duckdb
import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.calendar import today
from rules.identity import identity
from rules.loader import in_force
from rules.model import Pack
from rules.problems import UnknownPackError
from scoring.engine import grade
from scoring.store import Store, StoreError
from scoring.store.models import Run
from scoring.store.packs import PackText, keep_pack
from scoring.store.publish import publish, wait_to_publish
from scoring.store.snapshot import Snapshot, take_snapshot
from scoring.store.workspace import workspace

_LAST_PUBLISHED = (Run.published_at.desc(), Run.id.desc())

Progress = Callable[[str, int], None]
"""Told the step (snapshot, grade, scores, dimension_scores, hits) and how many of its rows are done."""

Confirm = Callable[[Session, int], None]
"""Given the number of a run in the transaction that publishes it."""


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A published run: see :class:`scoring.store.models.Run` for the fields."""

    id: int
    pack_hash: str
    pack_id: str
    vocabulary: str
    as_of: dt.date
    known_at: dt.datetime
    engine: str
    started_at: dt.datetime
    published_at: dt.datetime
    subjects: int
    records: int
    orphans: int
    snapshot_hash: str

    def __hash__(self) -> int:
        """By its number, which no other run of the store has."""
        return self.id


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a batch.

    :param is_new: whether it was published now, and not before.
    """

    run: RunSummary
    is_new: bool


def run(
    store: Store,
    pack: Pack,
    as_of: dt.date,
    known_at: dt.datetime | None = None,
    progress: Progress = lambda step, rows: None,
    text: PackText | None = None,
    again: bool = False,
    confirm: Confirm = lambda session, run_id: None,
) -> Outcome:
    """Grade every subject of the pack's vocabulary and publish the results, unless they are published.

    The run is seen with all of its results or, where anything stops it, not at all.

    :param known_at: grade what was known at this moment (with its time zone); None for now.
    :param text: where the pack comes from, if not from its file.
    :param again: publish another run of the same.
    :param confirm: called with the run's number at the end of the transaction that publishes it, or finds it
        published; where it raises, nothing is published.
    :raises UnknownPackError: where the pack is not in force on ``as_of``.
    :raises StoreError: where the store has no subjects, fails or is full, or memory and disk do not suffice.
    """
    started_at = dt.datetime.now(dt.UTC)
    if not in_force(pack, as_of):
        span = f"from {pack.in_force_from} until {pack.in_force_until or 'further notice'}"
        raise UnknownPackError(f"{pack.id} {pack.version} is not in force on {as_of}, but {span}")
    with workspace() as duck:
        snapshot = take_snapshot(store, pack.vocabulary, duck, known_at)
        progress("snapshot", snapshot.subjects + snapshot.records)
        if not again and (published := _found(store, pack, as_of, snapshot, confirm)):
            return Outcome(published, is_new=False)
        grade(duck, pack, as_of, records="records" if pack.vocabulary.records else None)
        progress("grade", snapshot.subjects)
        with store.writing() as session:
            wait_to_publish(session, pack.id, as_of)
            if not again and (published := _published(session, pack, as_of, snapshot)):
                confirm(session, published.id)
                return Outcome(published, is_new=False)
            row = _row(pack, keep_pack(session, pack, text), as_of, started_at, snapshot)
            publish(session, row, duck, progress)
            row.published_at = dt.datetime.now(dt.UTC)
            session.flush()
            confirm(session, row.id)
    return Outcome(_summary(row), is_new=True)


def _found(
    store: Store, pack: Pack, as_of: dt.date, snapshot: Snapshot, confirm: Confirm
) -> RunSummary | None:
    """The run of the same, if there is one: nothing need be graded again."""
    with store.writing() as session:
        published = _published(session, pack, as_of, snapshot)
        if published is not None:
            confirm(session, published.id)
    return published


def _published(session: Session, pack: Pack, as_of: dt.date, snapshot: Snapshot) -> RunSummary | None:
    """The last run of the pack for the date, if it is by these rules and of what is known now."""
    query = sa.select(Run).where(Run.pack_id == pack.id, Run.as_of == as_of).order_by(*_LAST_PUBLISHED)
    row = session.scalar(query.limit(1))
    if row is None or (row.pack_hash, row.snapshot_hash) != (identity(pack), snapshot.hash):
        return None
    return _summary(row)


def latest_run(store: Store, pack_id: str, as_of: dt.date | None = None) -> RunSummary | None:
    """The run that says how things stand: of the latest date, and of those the one published last.

    :param as_of: leave out runs that speak about a later date.
    """
    query = sa.select(Run).where(Run.pack_id == pack_id)
    if as_of is not None:
        query = query.where(Run.as_of <= as_of)
    with store.reading() as session:
        row = session.scalar(query.order_by(Run.as_of.desc(), *_LAST_PUBLISHED).limit(1))
        return None if row is None else _summary(row)


def current_run(store: Store, pack_id: str) -> RunSummary | None:
    """The run by which people are shown how things stand: the latest up to today, or of those to come.

    A run of a day to come says how things will stand: it is shown, with its date, while there is no other.
    """
    return latest_run(store, pack_id, today()) or latest_run(store, pack_id)


def list_runs(
    store: Store, pack_id: str | None = None, before: int | None = None, limit: int = 100
) -> list[RunSummary]:
    """Runs, the newest first.

    :param pack_id: of this pack alone.
    :param before: only runs with a smaller id: the last of the page before.
    """
    query = sa.select(Run).order_by(Run.id.desc()).limit(limit)
    if pack_id is not None:
        query = query.where(Run.pack_id == pack_id)
    if before is not None:
        query = query.where(Run.id < before)
    with store.reading() as session:
        return [_summary(row) for row in session.scalars(query)]


def get_run(store: Store, run_id: int) -> RunSummary:
    """The run of that id.

    :raises StoreError: where there is none.
    """
    with store.reading() as session:
        row = session.get(Run, run_id)
        if row is None:
            raise StoreError(f"the store {store.address} has no run {run_id}. Those it has: xinheng runs")
        return _summary(row)


def _row(pack: Pack, digest: str, as_of: dt.date, started_at: dt.datetime, snapshot: Snapshot) -> Run:
    return Run(
        pack_hash=digest,
        pack_id=pack.id,
        vocabulary=pack.vocabulary.id,
        as_of=as_of,
        known_at=snapshot.known_at,
        engine=f"duckdb {duckdb.__version__}",
        started_at=started_at,
        published_at=dt.datetime.now(dt.UTC),
        subjects=snapshot.subjects,
        records=snapshot.records,
        orphans=snapshot.orphans,
        snapshot_hash=snapshot.hash,
    )


def _summary(row: Run) -> RunSummary:
    return RunSummary(**{name: getattr(row, name) for name in RunSummary.__slots__})
