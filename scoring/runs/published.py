"""The published runs: which there are, and by which of them people are shown how things stand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.calendar import SHANGHAI, add_days, today
from rules.titles import Title
from scoring.store import Store, StoreError
from scoring.store.models import Run

NIGHTLY = dt.time(0, 20)
"""When everybody is graded, in Shanghai: as ``deploy/xinheng-score.timer`` has it."""

LAST_PUBLISHED = (Run.published_at.desc(), Run.id.desc())


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
    kind: str
    touched: int

    def __hash__(self) -> int:
        """By its number, which no other run of the store has."""
        return self.id

    @property
    def source(self) -> tuple[str, ...]:
        """What tells it from every other run, also of a store that was put back to an earlier moment."""
        moments = (self.known_at, self.published_at)
        return str(self.id), self.pack_hash, str(self.as_of), *(moment.isoformat() for moment in moments)


def latest_run(store: Store, pack_id: str, as_of: dt.date | None = None) -> RunSummary | None:
    """The run that says how things stand: of the latest date, and of those the one published last.

    :param as_of: leave out runs that speak about a later date. A run that was published before its own day
        came says how things stand only where none came after it: later runs have told of that day by more.

    >>> from fixtures.small import small_store
    >>> found = latest_run(small_store(), "tourism-credit")
    >>> found.as_of.isoformat(), found.subjects, found.records
    ('2026-08-31', 2, 3)
    """
    query = sa.select(Run).where(Run.pack_id == pack_id).order_by(Run.as_of.desc(), *LAST_PUBLISHED).limit(1)
    if as_of is not None:
        query = query.where(Run.as_of <= as_of)
    with store.reading() as session:
        row = session.scalar(query)
        while as_of is not None and row is not None and (later := _overtaking(session, query, row)):
            row = later
        return None if row is None else summary_of(row)


def _overtaking(session: Session, query: sa.Select[Run], run: Run) -> Run | None:
    """The run that came after one whose day was still to come, and spoke of that day by more."""
    published = run.published_at.astimezone(SHANGHAI).date()
    if run.as_of <= published:
        return None
    return session.scalar(query.where(Run.published_at > run.published_at, Run.as_of >= published))


def current_run(store: Store, pack_id: str) -> RunSummary | None:
    """The run by which people are shown how things stand: the latest up to today, or of those to come.

    A run of a day to come says how things will stand: it is shown, with its date, while there is no other.
    """
    return latest_run(store, pack_id, today()) or latest_run(store, pack_id)


def next_run(moment: dt.datetime) -> dt.datetime:
    """When everybody is graded next, by the timer.

    >>> from datetime import datetime
    >>> from rules.calendar import SHANGHAI
    >>> next_run(datetime(2026, 9, 30, 23, 0, tzinfo=SHANGHAI)).isoformat()
    '2026-10-01T00:20:00+08:00'
    """
    here = moment.astimezone(SHANGHAI)
    day = here.date() if here.time() < NIGHTLY else add_days(here.date(), 1)
    return dt.datetime.combine(day, NIGHTLY, SHANGHAI)


def current_runs(store: Store) -> list[RunSummary]:
    """The current run of each pack of which there is one, by the pack's id."""
    with store.reading() as session:
        packs = session.scalars(sa.select(Run.pack_id).distinct().order_by(Run.pack_id)).all()
    return [run for pack_id in packs if (run := current_run(store, pack_id)) is not None]


def list_runs(
    store: Store, pack_id: str | None = None, before: int | None = None, limit: int | None = None
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
        return [summary_of(row) for row in session.scalars(query)]


def runs_called(store: Store, run_ids: Collection[int]) -> dict[int, RunSummary]:
    """The runs of these ids, those that there are."""
    with store.reading() as session:
        return {row.id: summary_of(row) for row in session.scalars(sa.select(Run).where(Run.id.in_(run_ids)))}


def get_run(store: Store, run_id: int) -> RunSummary:
    """The run of that id.

    :raises StoreError: where there is none.
    """
    with store.reading() as session:
        row = session.get(Run, run_id)
        if row is None:
            raise StoreError(
                Title(
                    f"库{store.address}没有批次{run_id}。已有批次见:xinheng runs",
                    f"the store {store.address} has no run {run_id}. Those it has: xinheng runs",
                )
            )
        return summary_of(row)


def summary_of(row: Run) -> RunSummary:
    """A run's row as others see it."""
    return RunSummary(**{name: getattr(row, name) for name in RunSummary.__slots__})
