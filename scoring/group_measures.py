"""Measures that depend on other subjects, by the batch's own query over the whole group."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from rules.plan import Plan
from scoring import measures as measure_sql
from scoring.sql import DUCKDB_MACROS, quoted
from scoring.store import Store
from scoring.store.snapshot import take_snapshot
from scoring.store.workspace import workspace

_KEY = "subject key"  # with a space: no measure is called so


def measures_of_group(store: Store, plan: Plan, known_at: dt.datetime | None) -> pa.Table:
    """Everybody's measures as they were known at a moment (None: now), for :func:`of_subject`.

    :raises StoreError: where nothing was known.
    """
    with workspace() as duck:
        take_snapshot(store, plan.pack.vocabulary, duck, known_at)
        for macro in (*DUCKDB_MACROS, *measure_sql.MACROS):
            duck.execute(macro)
        measures: pa.Table = duck.sql(_query(plan)).to_arrow_table()
        return measures


def of_subject(measures: pa.Table, subject_id: str) -> dict[str, Any]:
    """One subject's measures among everybody's; none where the subject is not among them."""
    found = measures.filter(pc.equal(measures[_KEY], subject_id)).to_pylist()
    return {name: value for name, value in found[0].items() if name != _KEY} if found else {}


def _query(plan: Plan) -> str:
    """Each subject's key as a text, then its measures."""
    key = quoted(plan.pack.vocabulary.subject.key)
    listed = [f"cast({key} as varchar) as {quoted(_KEY)}", *(quoted(m.measure.id) for m in plan.measures)]
    return f"select {', '.join(listed)} from ({measure_sql.frame_sql(plan, 'subjects', 'records')})"
