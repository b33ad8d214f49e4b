"""The measures of one subject, by the batch's own query."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from contextlib import closing
from functools import lru_cache
from typing import Any

import duckdb
import pyarrow as pa

from rules.model import OVER_GROUP, Table
from rules.plan import Plan
from scoring import measures as measure_sql
from scoring.sql import DUCKDB_MACROS, quoted, sql_type
from scoring.store import Store
from scoring.store.snapshot import take_snapshot
from scoring.store.workspace import workspace

Values = Mapping[str, Any]


def subject_measures(
    store: Store,
    plan: Plan,
    known_at: dt.datetime | None,
    subject_id: str,
    attributes: Values,
    records: Sequence[Values],
) -> dict[str, Any]:
    """The values of the plan's measures for one subject, None where unknown.

    :param known_at: where a rank needs the whole group: as it was known then; None for now.
    :param attributes, records: what is known of the subject.
    :raises StoreError: where the group can't be read.
    """
    if not plan.measures:
        return {}
    if not any(m.measure.aggregate in OVER_GROUP for m in plan.measures):
        return measures_among(plan, subject_id, [attributes], records)
    with workspace() as duck:
        take_snapshot(store, plan.pack.vocabulary, duck, known_at)
        return _measured(_with_macros(duck), plan, subject_id)


def measures_among(
    plan: Plan, subject_id: str, subjects: Sequence[Values], records: Sequence[Values]
) -> dict[str, Any]:
    """The measures of one of these subjects with these records."""
    if not plan.measures:
        return {}
    with closing(_duckdb().cursor()) as duck:  # temporary tables are a cursor's own
        duck.execute("pragma disable_optimizer")  # it would take longer than these few rows do
        _fill(duck, "subjects", plan.pack.vocabulary.subject, subjects)
        _fill(duck, "records", plan.pack.vocabulary.records, records)
        return _measured(duck, plan, subject_id)


def _measured(duck: duckdb.DuckDBPyConnection, plan: Plan, subject_id: str) -> dict[str, Any]:
    listed = ", ".join(quoted(m.measure.id) for m in plan.measures)
    frame = measure_sql.frame_sql(plan, "subjects", "records")
    key = quoted(plan.pack.vocabulary.subject.key)
    duck.execute(f"select {listed} from ({frame}) where cast({key} as varchar) = ?", [subject_id])
    row = duck.fetchone() or ()
    return dict(zip((m.measure.id for m in plan.measures), row, strict=False))


@lru_cache(maxsize=1)
def _duckdb() -> duckdb.DuckDBPyConnection:
    """One for the process: opening another takes longer than a subject's measures do."""
    return _with_macros(duckdb.connect(config={"threads": 1}))


def _with_macros(duck: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    for macro in (*DUCKDB_MACROS, *measure_sql.MACROS):
        duck.execute(macro)
    return duck


def _fill(duck: duckdb.DuckDBPyConnection, name: str, table: Table | None, rows: Sequence[Values]) -> None:
    columns = table.columns if table else {}
    declared = ", ".join(f"{quoted(column)} {sql_type(columns[column].type)}" for column in columns)
    duck.execute(f"create temp table {name} ({declared or 'nothing integer'})")
    if rows:
        given = {column: pa.array([row.get(column) for row in rows]) for column in columns}
        duck.register("given", pa.table(given))
        duck.execute(f"insert into {name} from given")
