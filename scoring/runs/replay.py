"""A published run had again, from the facts at its moment and its pack's text, and compared row by row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import duckdb
import pyarrow as pa

from rules.identity import identity
from rules.model import Pack
from scoring.facts.snapshot import take_snapshot
from scoring.judging.engine import grade_coded
from scoring.judging.sql import quoted
from scoring.runs.published import RunSummary, get_run
from scoring.runs.result_tables import RESULT_SCHEMAS, stream_results
from scoring.runs.said import DAY_KIND
from scoring.runs.terms import piece_on, terms_of
from scoring.store import Store
from scoring.store.packs import stored_text
from scoring.store.workspace import workspace

Progress = Callable[[str, int], None]
"""Told the step (snapshot, grade, scores, dimension_scores, hits) and how many of its rows are done."""

_NOT_OF_THE_RESULT = ("run_id", "no")
_KEYS = {"scores": (), "dimension_scores": ("dimension",), "hits": ("rule", "record_id")}


@dataclass(frozen=True, slots=True)
class Difference:
    """A thing in which a run and its replay differ.

    :param table: scores, dimension_scores, hits; ``run`` for what the run as a whole rests on.
    :param subject_id: None where it is about the whole run.
    :param row: what names the row among the subject's.
    :param column: None where one of them has no such row.
    :param stored, replayed: None for no row, or no value.
    """

    table: str
    subject_id: str | None
    row: str
    column: str | None
    stored: str | None
    replayed: str | None


@dataclass(frozen=True, slots=True)
class Replay:
    """What came of having a run again.

    :param rows: how many rows were compared, by table.
    :param differing: how many rows differ.
    :param differences: the first of them, as many as were asked for.
    """

    run: RunSummary
    rows: dict[str, int]
    differing: int
    differences: tuple[Difference, ...]


def replay(
    store: Store, run_id: int, most: int = 1000, progress: Progress = lambda step, rows: None
) -> Replay:
    """Grade again what a run graded, and compare every row of it.

    :param most: how many differences to name.
    :raises StoreError: where there is no such run, or the facts of its moment can't be had.
    :raises PackError: where the stored text of its pack can no longer be read.

    >>> from fixtures.small import small_store
    >>> found = replay(small_store(), 1)
    >>> found.rows, found.differing
    ({'scores': 2, 'dimension_scores': 3, 'hits': 4}, 0)
    """
    run = get_run(store, run_id)
    pack = stored_text(store, run.pack_hash).load()
    found = []
    if identity(pack) != run.pack_hash:
        found.append(Difference("run", None, "", "pack_hash", run.pack_hash, identity(pack)))
    with workspace() as duck:
        snapshot = take_snapshot(store, pack.vocabulary, duck, run.known_at)
        progress("snapshot", snapshot.subjects + snapshot.records)
        for name, stored, again in (
            ("snapshot_hash", run.snapshot_hash, snapshot.hash),
            ("subjects", str(run.subjects), str(snapshot.subjects)),
            ("records", str(run.records), str(snapshot.records)),
            ("orphans", str(run.orphans), str(snapshot.orphans)),
        ):
            if stored != again:
                found.append(Difference("run", None, "", name, stored, again))
        grade_coded(duck, _until_replaced(store, run, pack), run.as_of)
        progress("grade", snapshot.subjects)
        compared = [_Compared(store, duck, run, table) for table in RESULT_SCHEMAS]
        rows = {part.table: part.rows for part in compared}
        for part in compared:
            found += part.differences(most)
            progress(part.table, part.rows)
        differing = len([d for d in found if d.table == "run"]) + sum(part.differing for part in compared)
    return Replay(run, rows, differing, tuple(found[:most]))


def _until_replaced(store: Store, run: RunSummary, pack: Pack) -> Pack:
    """The pack until the day on which the run has another version rule: by then every grade changes."""
    if run.kind == DAY_KIND:
        return pack
    piece = piece_on(terms_of(store, run.pack_id, run.id), run.as_of)
    return pack if piece is None else replace(pack, in_force_until=piece.ends)


class _Compared:
    """A table of a run beside the same of its replay; a row counts as often as it is there."""

    def __init__(self, store: Store, duck: duckdb.DuckDBPyConnection, run: RunSummary, table: str) -> None:
        self.table, self._duck = table, duck
        self._columns = [name for name in RESULT_SCHEMAS[table].names if name not in _NOT_OF_THE_RESULT]
        batches = stream_results(store, run, table)
        reader = pa.RecordBatchReader.from_batches(RESULT_SCHEMAS[table], batches)
        duck.register("xh_arrow", reader)
        shown = ", ".join(map(quoted, self._columns))
        duck.execute(f"create or replace temp table xh_stored as select {shown} from xh_arrow")
        duck.unregister("xh_arrow")
        counted = f"select {shown}, count(*) as _times from {{}} group by all"
        again = ", ".join(f"cast({quoted(c)} as {_type(table, c)}) as {quoted(c)}" for c in self._columns)
        duck.execute(f"create or replace temp table xh_again as select {again} from {quoted(table)}")
        for side, other in (("stored", "again"), ("again", "stored")):
            duck.execute(
                f"create or replace temp table xh_only_{side}_{table} as"
                f" ({counted.format(f'xh_{side}')}) except ({counted.format(f'xh_{other}')})"
            )
        self.rows = self._number("xh_stored")
        self.differing = max(self._number(f"xh_only_{side}_{table}") for side in ("stored", "again"))

    def _number(self, table: str) -> int:
        (number,) = self._duck.execute(f"select count(*) from {quoted(table)}").fetchall()[0]
        return int(number)

    def differences(self, most: int) -> Iterator[Difference]:
        """The columns in which rows of one key differ, and the rows that one side alone has."""
        keys = ("subject_id", *_KEYS[self.table])
        rest = [name for name in (*self._columns, "_times") if name not in keys]
        same = " and ".join(f"s.{quoted(k)} is not distinct from a.{quoted(k)}" for k in keys)
        named = ", ".join(f"coalesce(s.{quoted(k)}, a.{quoted(k)})" for k in keys)
        values = ", ".join(f"s.{quoted(c)}, a.{quoted(c)}" for c in rest)
        rows = self._duck.execute(
            f"select s._times, a._times, {named}, {values} from xh_only_stored_{self.table} s"
            f" full join xh_only_again_{self.table} a on {same} order by 3, 4 limit {most}"
        ).fetchall()
        for stored, again, subject, *found in rows:
            row = " ".join(str(part) for part in found[: len(keys) - 1] if part is not None)
            pairs = found[len(keys) - 1 :]
            if stored is None or again is None:
                yield Difference(self.table, subject, row, None, _text(stored), _text(again))
                continue
            for name, before, after in zip(rest, pairs[::2], pairs[1::2], strict=True):
                if before != after:
                    yield Difference(self.table, subject, row, name, _text(before), _text(after))


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _type(table: str, column: str) -> str:
    """A column's type in DuckDB."""
    kind = RESULT_SCHEMAS[table].field(column).type
    return {pa.int64(): "bigint", pa.int32(): "integer", pa.date32(): "date"}.get(kind, "varchar")
