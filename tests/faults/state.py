"""What a store says, without what differs between two that went the same way: numbers, moments, secrets.

Numbers are counted anew in their order (PostgreSQL leaves gaps), moments of files become the file's number,
other moments only that there is one.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from typing import Any

import sqlalchemy as sa

from scoring.access.audit import verify
from scoring.store import Store, open_store
from scoring.store.base import Moment
from scoring.store.schema import METADATA

State = dict[str, Counter[str]]

_LEFT_OUT = {
    "store_identity",
    "audit_head",
    "graded_rules",
    "graded_subjects",
    "page_sessions",
    "kept_answers",
}
"""What tells one store from another, and numbers that are given before they are used."""
_NUMBERED = {
    "file_id": "ingested_files",
    "undoes": "ingested_files",
    "mark_id": "record_marks",
    "run_id": "runs",
    "run": "runs",
    "base": "runs",
    "problem_id": "problems",
    "alert_id": "alerts",
    "follows": "alerts",
    "joined": "alerts",
}
_OWN = {"hash", "engine", "made_by", "id_hash"}
"""Columns of a store's own."""
_ANCHORED = re.compile(r'"file":"[0-9a-f]{16}"|"number":\d+(?=}$)')
"""Of an anchor: a line of which the log does not know does no harm, and counts."""
_TICKET = re.compile(r"WT-0*(\d+)")


def state(url: str) -> State:
    """All rows of all tables."""
    with closing(open_store(url)) as store, store.reading() as session:
        return _State(session.connection()).tables()


def faults(store: Store) -> list[str]:
    """What is wrong with a store by itself."""
    found = [f"audit log: {fault}" for fault in verify(store).faults]
    if store.is_sqlite:
        with store.engine.connect() as connection:
            for pragma in ("integrity_check", "foreign_key_check"):
                rows = [tuple(row) for row in connection.exec_driver_sql(f"PRAGMA {pragma}")]
                found += [f"{pragma}: {row}" for row in rows if row != ("ok",)]
    return found


_COMPILED: dict[Any, Any] = {}
"""Statements as SQL: every engine would make its own of them again."""


class _State:
    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection.execution_options(compiled_cache=_COMPILED)
        self._ranks = {name: self._rank(name) for name in {*_NUMBERED.values()}}
        self._subjects = self._named("graded_subjects", "number", "subject_id")
        self._rules = self._named("graded_rules", "number", "rule")
        files = METADATA.tables["ingested_files"]
        rows = self._connection.execute(sa.select(files.c.ingested_at, files.c.id))
        self._moments = {moment: self._ranks["ingested_files"][number] for moment, number in rows}

    def tables(self) -> State:
        return {name: self._table(table) for name, table in METADATA.tables.items() if name not in _LEFT_OUT}

    def _rank(self, name: str) -> dict[int, int]:
        key = METADATA.tables[name].c.id
        numbers = self._connection.execute(sa.select(key).order_by(key)).scalars()
        return {number: rank for rank, number in enumerate(numbers, start=1)}

    def _named(self, name: str, key: str, value: str) -> dict[int, str]:
        columns = METADATA.tables[name].c
        return dict(self._connection.execute(sa.select(columns[key], columns[value])).tuples().all())

    def _table(self, table: sa.Table) -> Counter[str]:
        own_rank = self._ranks.get(table.name, {})
        ways = [self._way(table, column, own_rank) for column in table.columns]
        return Counter(
            repr([way(value) for way, value in zip(ways, row, strict=True) if way is not None])
            for row in map(self._distinct, self._connection.execute(sa.select(table)))
        )

    def _distinct(self, row: sa.Row[Any]) -> list[Any]:
        """The hashes of files that a program made up are not compared."""
        values = row._mapping
        if "sha256" in values and values["source"] != "file":
            return [None if name == "sha256" else value for name, value in values.items()]
        return list(values.values())

    def _way(
        self, table: sa.Table, column: sa.Column[Any], own_rank: dict[int, int]
    ) -> Callable[[Any], Any] | None:
        name = column.name
        if name == "id":
            return own_rank.get if own_rank else None
        if name in _OWN:
            return None
        if name in _NUMBERED:
            ranks = self._ranks[_NUMBERED[name]]
            return lambda number: ranks.get(number, number and "?")
        if table.name in ("touches", "segments", "spans") and name == "subject":
            return self._subjects.get
        if table.name == "spans" and name == "rule":
            return self._rules.get
        if isinstance(column.type, Moment):
            return self._moment
        return self._plain

    def _moment(self, moment: dt.datetime | None) -> Any:
        return None if moment is None else self._moments.get(moment, "a moment")

    def _plain(self, value: Any) -> Any:
        if isinstance(value, str):
            ranks = self._ranks["problems"]
            value = _TICKET.sub(lambda found: f"WT {ranks.get(int(found[1]))}", value)
            return _ANCHORED.sub("", value)
        return value


def difference(one: State, other: State) -> str:
    """What is in one of two states alone, in short."""
    told = []
    for name in one:
        for sign, rows in (("-", one[name] - other[name]), ("+", other[name] - one[name])):
            told += [f"{sign} {name} {row[:300]}" for row in list(rows.elements())[:4]]
    return "\n".join(told[:30])
