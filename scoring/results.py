"""What published runs say: grades as they stand, as they stood, and how they moved."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from scoring.published import RunSummary, latest_run, list_runs
from scoring.store import Store, bulk
from scoring.store.base import table_of
from scoring.store.models import DimensionScore, Hit, Run, Score

RESULT_TABLES = {"scores": Score, "dimension_scores": DimensionScore, "hits": Hit}
"""The tables of a run, by name."""

_ARROW = {
    "run_id": pa.int64(),
    "no": pa.int64(),
    "score": pa.int64(),
    "points": pa.int64(),
    "points_before": pa.int64(),
    "inputs_known": pa.int32(),
    "inputs_total": pa.int32(),
    "next_change_on": pa.date32(),
    "counts_from": pa.date32(),
    "counts_until": pa.date32(),
}


@dataclass(frozen=True, slots=True)
class GradeRow:
    """A subject's result in a run; the score in hundredths."""

    subject_id: str
    run_id: int
    pack_id: str
    as_of: dt.date
    published_at: dt.datetime
    score: int
    tier: str
    band: str
    veto: str | None
    next_change_on: dt.date | None
    inputs_known: int
    inputs_total: int


@dataclass(frozen=True, slots=True)
class Filters:
    """Which results of a run are wanted; None leaves a thing open. Scores in hundredths.

    :param changes_by: those that change by themselves up to this date.
    """

    tier: str | None = None
    veto: str | None = None
    score_from: int | None = None
    score_to: int | None = None
    changes_by: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """A subject whose tier differs between two runs."""

    subject_id: str
    tier_before: str
    tier: str
    score_before: int
    score: int


def find_run(store: Store, run_id: int) -> RunSummary | None:
    """The run of that id."""
    found = list_runs(store, before=run_id + 1, limit=1)
    return found[0] if found and found[0].id == run_id else None


def grade_of(store: Store, run: RunSummary, subject_id: str) -> GradeRow | None:
    """A subject's result in a run."""
    with store.reading() as session:
        row = session.execute(_ONE, {"run": run.id, "subject": subject_id}).one_or_none()
    return None if row is None else _grade(run, row)


def grades_of(store: Store, run: RunSummary, subject_ids: Sequence[str]) -> dict[str, GradeRow]:
    """Several subjects' results in a run; those that it has none of are left out."""
    query = sa.select(*_SCORE_COLUMNS).where(Score.run_id == run.id, Score.subject_id.in_(subject_ids))
    with store.reading() as session:
        return {row.subject_id: _grade(run, row) for row in session.execute(query)}


def current_grade(
    store: Store, pack_id: str, subject_id: str, as_of: dt.date | None = None
) -> GradeRow | None:
    """A subject's result in the latest run of a pack, or in the latest of those up to the date ``as_of``."""
    run = latest_run(store, pack_id, as_of)
    return None if run is None else grade_of(store, run, subject_id)


def grade_history(
    store: Store, pack_id: str, subject_id: str, before: int | None = None, limit: int = 100
) -> list[GradeRow]:
    """A subject's results in the runs of a pack, the newest run first.

    :param before: only runs with a smaller id: the last of the page before.
    """
    query = (
        sa.select(*_RUN_COLUMNS, *_SCORE_COLUMNS)
        .join_from(Score, Run, Run.id == Score.run_id)
        .where(Run.pack_id == pack_id, Score.subject_id == subject_id)
        .order_by(Run.id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(Run.id < before)
    with store.reading() as session:
        return [GradeRow(**row._mapping) for row in session.execute(query)]


def list_grades(
    store: Store, run: RunSummary, filters: Filters, after: str | None = None, limit: int = 100
) -> list[GradeRow]:
    """Results of a run by subject.

    :param after: only subjects with a greater id: the last of the page before.
    """
    query = sa.select(*_SCORE_COLUMNS).where(Score.run_id == run.id, *_conditions(filters))
    if after is not None:
        query = query.where(Score.subject_id > after)
    with store.reading() as session:
        return [_grade(run, row) for row in session.execute(query.order_by(Score.subject_id).limit(limit))]


def tier_counts(store: Store, run_id: int) -> dict[str, int]:
    """How many subjects have each tier in a run."""
    query = (
        sa.select(Score.tier, sa.func.count().label("number"))
        .where(Score.run_id == run_id)
        .group_by(Score.tier)
    )
    with store.reading() as session:
        return {row.tier: row.number for row in session.execute(query)}


def transitions(store: Store, before_id: int, run_id: int) -> list[tuple[str | None, str | None, int]]:
    """From which tier to which, and how many subjects; None for those that are in one of the runs alone."""
    with store.reading() as session:
        rows = [
            *session.execute(_pairs(before_id, run_id)),
            *((None, tier, number) for tier, _, number in session.execute(_pairs(run_id, before_id, True))),
        ]
    return sorted(
        ((before, after, number) for before, after, number in rows),
        key=lambda row: (row[0] or "", row[1] or ""),
    )


def moves(
    store: Store, before_id: int, run_id: int, after: str | None = None, limit: int = 100
) -> list[Move]:
    """The subjects whose tier differs between two runs, by subject.

    :param after: only subjects with a greater id: the last of the page before.
    """
    old, new = sa.orm.aliased(Score), sa.orm.aliased(Score)
    query = (
        sa.select(
            new.subject_id,
            old.tier.label("tier_before"),
            new.tier,
            old.score.label("score_before"),
            new.score,
        )
        .join_from(new, old, new.subject_id == old.subject_id)
        .where(new.run_id == run_id, old.run_id == before_id, new.tier != old.tier)
        .order_by(new.subject_id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(new.subject_id > after)
    with store.reading() as session:
        return [Move(**row._mapping) for row in session.execute(query)]


def _pairs(run_id: int, other_id: int, is_alone: bool = False) -> sa.Executable:
    """Each tier of a run, the tiers that its subjects have in another one, and how many subjects that are.

    An outer join each way: SQLite goes through one run by its key and finds the other's row by key, which a
    full join keeps it from.

    :param is_alone: only those that the other run has no result for.
    """
    here, there = sa.orm.aliased(Score), sa.orm.aliased(Score)
    same = sa.and_(there.run_id == other_id, there.subject_id == here.subject_id)
    query = (
        sa.select(here.tier, there.tier, sa.func.count())
        .outerjoin_from(here, there, same)
        .where(here.run_id == run_id)
        .group_by(here.tier, there.tier)
    )
    return query.where(there.subject_id.is_(None)) if is_alone else query


def result_schema(table: str) -> pa.Schema:
    """Names and types of the columns of one of :data:`RESULT_TABLES`. Points are hundredths."""
    columns = table_of(RESULT_TABLES[table]).columns
    return pa.schema([(column.name, _ARROW.get(column.name, pa.string())) for column in columns])


def stream_results(store: Store, run_id: int, table: str) -> Iterator[pa.RecordBatch]:
    """A table of a run's results in the order of its key, a batch at a time.

    :param table: one of :data:`RESULT_TABLES`.
    """
    columns = table_of(RESULT_TABLES[table])
    query = sa.select(*columns.c).where(columns.c.run_id == run_id).order_by(*columns.primary_key.columns)
    with store.reading() as session:
        yield from bulk.stream(session.connection(), query, result_schema(table))


def _conditions(filters: Filters) -> list[sa.ColumnElement[bool]]:
    wanted = (
        (filters.tier, Score.tier.__eq__),
        (filters.veto, Score.veto.__eq__),
        (filters.score_from, Score.score.__ge__),
        (filters.score_to, Score.score.__le__),
        (filters.changes_by, Score.next_change_on.__le__),
    )
    return [compare(value) for value, compare in wanted if value is not None]


def _grade(run: RunSummary, row: Any) -> GradeRow:
    return GradeRow(
        run_id=run.id, pack_id=run.pack_id, as_of=run.as_of, published_at=run.published_at, **row._mapping
    )


_SCORE_COLUMNS = (
    Score.subject_id,
    Score.score,
    Score.tier,
    Score.band,
    Score.veto,
    Score.next_change_on,
    Score.inputs_known,
    Score.inputs_total,
)
_RUN_COLUMNS = (Run.id.label("run_id"), Run.pack_id, Run.as_of, Run.published_at)
_ONE = sa.select(*_SCORE_COLUMNS).where(
    Score.run_id == sa.bindparam("run"), Score.subject_id == sa.bindparam("subject")
)
