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

from rules.identity import identity
from rules.loader import in_force
from rules.model import Pack
from rules.problems import UnknownPackError
from scoring.engine import grade_coded
from scoring.published import LAST_PUBLISHED, RunSummary, summary_of
from scoring.store import Store
from scoring.store.models import Run
from scoring.store.packs import PackText, keep_pack
from scoring.store.publish import publish, wait_to_publish
from scoring.store.snapshot import Snapshot, take_snapshot
from scoring.store.workspace import workspace

Progress = Callable[[str, int], None]
"""Told the step (snapshot, grade, scores, dimension_scores, hits) and how many of its rows are done."""

Confirm = Callable[[Session, int], None]
"""Given the number of a run in the transaction that publishes it."""


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
        grade_coded(duck, pack, as_of)
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
    return Outcome(summary_of(row), is_new=True)


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
    query = sa.select(Run).where(Run.pack_id == pack.id, Run.as_of == as_of).order_by(*LAST_PUBLISHED)
    row = session.scalar(query.limit(1))
    if row is None or (row.pack_hash, row.snapshot_hash) != (identity(pack), snapshot.hash):
        return None
    return summary_of(row)


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
