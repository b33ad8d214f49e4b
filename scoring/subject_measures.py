"""The measures of one subject, by the batch's own query."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from contextlib import closing
from functools import lru_cache
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from rules.model import OVER_GROUP, Table
from rules.plan import Plan
from scoring import measures as measure_sql
from scoring.sql import DUCKDB_MACROS, quoted, sql_type
from scoring.store import Store
from scoring.store.snapshot import take_snapshot
from scoring.store.workspace import workspace

Values = Mapping[str, Any]
_KEY = "subject key"  # with a space: no measure is called so


def subject_measures(
    store: Store,
    plan: Plan,
    known_at: dt.datetime | None,
    subject_id: str,
    attributes: Values,
    records: Sequence[Values],
) -> dict[str, Any]:
    """The measures of a subject, None where unknown; a rank needs its whole group.

    :param known_at: when the whole group was so known; None for now.
    :param attributes, records: what is known of the subject.
    :raises StoreError: where the group can't be read.
    """
    if not over_group(plan):
        return measures_among(plan, subject_id, [attributes], records)
    return of_subject(group_measures(store, plan, known_at), subject_id)


def over_group(plan: Plan) -> bool:
    """Whether a measure depends on other subjects."""
    return any(m.measure.aggregate in OVER_GROUP for m in plan.measures)


def group_measures(store: Store, plan: Plan, known_at: dt.datetime | None) -> pa.Table:
    """Everybody's measures, as they were known at a moment, for :func:`of_subject`.

    :raises StoreError: where nothing was known.
    """
    with workspace() as duck:
        take_snapshot(store, plan.pack.vocabulary, duck, known_at)
        measures: pa.Table = _with_macros(duck).sql(_query(plan)).to_arrow_table()
        return measures


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
        return of_subject(duck.sql(_query(plan)).to_arrow_table(), subject_id)


def of_subject(measures: pa.Table, subject_id: str) -> dict[str, Any]:
    """One subject's measures among everybody's; none where the subject is not among them."""
    found = measures.filter(pc.equal(measures[_KEY], subject_id)).to_pylist()
    return {name: value for name, value in found[0].items() if name != _KEY} if found else {}


def _query(plan: Plan) -> str:
    key = quoted(plan.pack.vocabulary.subject.key)
    listed = [f"cast({key} as varchar) as {quoted(_KEY)}", *(quoted(m.measure.id) for m in plan.measures)]
    return f"select {', '.join(listed)} from ({measure_sql.frame_sql(plan, 'subjects', 'records')})"


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
