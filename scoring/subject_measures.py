"""The measures of one subject, by the batch's own query."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import lru_cache
from threading import Lock
from typing import Any

import duckdb
import pyarrow as pa

from rules.model import OVER_GROUP, Table, Vocabulary
from rules.plan import Plan
from scoring import measures as measure_sql
from scoring.sql import DUCKDB_MACROS, quoted, sql_type
from scoring.store import Store
from scoring.store.snapshot import take_snapshot
from scoring.store.workspace import workspace

Values = Mapping[str, Any]
_KEY = "subject key"  # with a space: no measure is called so


class SubjectMeasures:
    """A plan's measures for one subject at a time, by the batch's own query.

    The query is prepared once, over two small tables: planning it takes longer than such few rows do. Threads
    take turns.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._turn = Lock()
        self._duck = _duckdb().cursor()  # temporary tables and prepared queries are a cursor's own
        if plan.measures:
            self._prepare(plan.pack.vocabulary)

    @property
    def are_over_group(self) -> bool:
        """Whether a measure depends on other subjects."""
        return any(m.measure.aggregate in OVER_GROUP for m in self._plan.measures)

    def of_group(self, store: Store, known_at: dt.datetime | None) -> pa.Table:
        """Everybody's measures as they were known at a moment (None: now), for :func:`of_subject`.

        :raises StoreError: where nothing was known.
        """
        with workspace() as duck:
            take_snapshot(store, self._plan.pack.vocabulary, duck, known_at)
            measures: pa.Table = _with_macros(duck).sql(_query(self._plan)).to_arrow_table()
            return measures

    def among(self, subject_id: str, subjects: Sequence[Values], records: Sequence[Values]) -> dict[str, Any]:
        """The measures of one of these subjects with these records, None where unknown."""
        if not self._plan.measures:
            return {}
        vocabulary = self._plan.pack.vocabulary
        with self._turn:
            _fill(self._duck, "subjects", vocabulary.subject, subjects)
            _fill(self._duck, "records", vocabulary.records, records)
            found = self._duck.execute("execute measures")
            names, rows = [column[0] for column in found.description or ()], found.fetchall()
        return next((dict(zip(names[1:], row[1:], strict=True)) for row in rows if row[0] == subject_id), {})

    def _prepare(self, vocabulary: Vocabulary) -> None:
        self._duck.execute("pragma disable_optimizer")  # what it finds is not worth it for these few rows
        for name, table in (("subjects", vocabulary.subject), ("records", vocabulary.records)):
            columns = table.columns.items() if table else ()
            declared = ", ".join(f"{quoted(column)} {sql_type(what.type)}" for column, what in columns)
            self._duck.execute(f"create temp table {name} ({declared or 'nothing integer'})")
        self._duck.execute(f"prepare measures as {_query(self._plan)}")


def of_subject(measures: pa.Table, subject_id: str) -> dict[str, Any]:
    """One subject's measures among everybody's; none where the subject is not among them."""
    row = measures[_KEY].index(pa.scalar(subject_id)).as_py()
    if row < 0:
        return {}
    (found,) = measures.slice(row, 1).to_pylist()
    return {name: value for name, value in found.items() if name != _KEY}


def _query(plan: Plan) -> str:
    """Each subject's key as a text, then its measures."""
    key = quoted(plan.pack.vocabulary.subject.key)
    listed = [f"cast({key} as varchar) as {quoted(_KEY)}", *(quoted(m.measure.id) for m in plan.measures)]
    return f"select {', '.join(listed)} from ({measure_sql.frame_sql(plan, 'subjects', 'records')})"


@lru_cache(maxsize=1)
def _duckdb() -> duckdb.DuckDBPyConnection:
    """One for the process."""
    return _with_macros(duckdb.connect(config={"threads": 1}))


def _with_macros(duck: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    for macro in (*DUCKDB_MACROS, *measure_sql.MACROS):
        duck.execute(macro)
    return duck


def _fill(duck: duckdb.DuckDBPyConnection, name: str, table: Table | None, rows: Sequence[Values]) -> None:
    duck.execute(f"delete from {name}")
    if table and rows:
        given = {column: pa.array([row.get(column) for row in rows]) for column in table.columns}
        duck.from_arrow(pa.table(given)).insert_into(name)
