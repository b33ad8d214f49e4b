"""A run's results go from the DuckDB into the store: all of them, or none."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import partial

import duckdb
import sqlalchemy as sa
from sqlalchemy.orm import Session

from scoring.store import bulk
from scoring.store.base import table_of
from scoring.store.models import DimensionScore, Hit, Run, Score

Written = Callable[[str, int], None]

_QUERIES = (
    (
        Score,
        """select cast(? as bigint) as run_id, cast(subject_id as varchar) as subject_id, score, tier, band,
            veto, next_change_on, inputs_known, inputs_total
        from scores order by subject_id""",
    ),
    (
        DimensionScore,
        """select cast(? as bigint) as run_id, cast(subject_id as varchar) as subject_id, dimension,
            points_before, points
        from dimension_scores order by subject_id, dimension""",
    ),
    (
        Hit,
        """select cast(? as bigint) as run_id, subject as subject_id,
            row_number() over (order by subject, rule, counts_from, record_id) as no,
            rule, cast(record_id as varchar) as record_id, points_before, points, counts_from, counts_until
        from (select *, cast(subject_id as varchar) as subject from hits) order by no""",
    ),
)
"""In the order of the tables' keys, so that the rows are added at the end of each table."""


def wait_to_publish(session: Session, pack_id: str, as_of: dt.date) -> None:
    """Runs of one pack and date are published one by one, each after what the one before has published.

    In SQLite a writer is alone anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        key = sa.func.hashtextextended(f"run of {pack_id} on {as_of}", 0)
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))


def publish(
    session: Session,
    run: Run,
    duck: duckdb.DuckDBPyConnection,
    written: Written = lambda table, rows: None,
) -> None:
    """Add a run with the tables ``scores``, ``dimension_scores`` and ``hits`` of a DuckDB.

    Nothing of it is seen by others before the session's transaction ends well.

    :param written: told, after each batch, the table and how many of its rows are written.
    """
    session.add(run)
    session.flush()
    for model, query in _QUERIES:
        table = table_of(model)
        batches = duck.sql(query, params=[run.id]).to_arrow_reader(bulk.BATCH_ROWS)
        bulk.append(session.connection(), table, batches, partial(written, table.name))
