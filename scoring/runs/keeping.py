"""Judging for keeps: whom something changed for is judged, and those whose timeline differs are written.

The tables that are made in a DuckDB, by the numbers of :class:`scoring.store.timelines.GradedSubject` and
``GradedRule``, with days as numbers of days since 1970 and null for no end:

- ``kept_numbers``: number, subject_id; of all who are judged or may have to be told off;
- ``kept_segments``, ``kept_spans``: their timelines from the run's day on, as the store has them;
- ``old_segments``, ``old_spans``: what was said of these days before;
- ``kept_touches``: the subjects that are written;
- ``kept_tallies``: begins, tier, delta.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import duckdb
import pyarrow as pa

from rules.language.expressions import literal
from rules.model import Vocabulary
from rules.plan import compile_plan
from scoring.judging.coded import RECORDS, SUBJECTS
from scoring.judging.grades import SEGMENTS, choice
from scoring.judging.judge import judge
from scoring.judging.period import FOREVER, Period
from scoring.judging.spans import SPANS
from scoring.judging.sql import quoted
from scoring.runs.terms import Piece

_SEGMENT = "subject, begins, ends, score, tier, band, veto, known, total"
_SPAN = "subject, rule, record_id, begins, ends, points, counts_from, counts_until"
_EPOCH = "date '1970-01-01'"
_LAST = 10_000_000
"""A number of a day that is after all days."""

_SEGMENTS_TABLE = (
    "subject integer, begins integer, ends integer, score bigint, tier varchar, band varchar, veto varchar,"
    " known integer, total integer"
)
_SPANS_TABLE = (
    "subject integer, rule integer, record_id varchar, begins integer, ends integer, points bigint,"
    " counts_from integer, counts_until integer"
)


def make_timelines(
    duck: duckdb.DuckDBPyConnection,
    pieces: Sequence[Piece],
    rules: Mapping[str, int],
    load: Callable[[Vocabulary], None],
) -> None:
    """Make ``kept_segments`` and ``kept_spans``.

    :param pieces: from the run's day on.
    :param rules: the number of each rule of these packs.
    :param load: makes the coded facts (:mod:`scoring.judging.coded`) and ``kept_numbers``.
    """
    duck.execute(f"create table kept_segments({_SEGMENTS_TABLE})")
    duck.execute(f"create table kept_spans({_SPANS_TABLE})")
    loaded = None
    for piece in pieces:
        if piece.pack.vocabulary != loaded:
            loaded = piece.pack.vocabulary
            load(loaded)
        judge(duck, compile_plan(piece.pack), Period(piece.begins, piece.ends))
        _keep(duck, piece, rules)


def _keep(duck: duckdb.DuckDBPyConnection, piece: Piece, rules: Mapping[str, int]) -> None:
    """Add what was judged."""
    pack, vocabulary = piece.pack, piece.pack.vocabulary
    key = quoted(vocabulary.subject.key)
    subjects = (
        f"(select s._s, k.number as subject from {SUBJECTS} s"
        f" join kept_numbers k on k.subject_id = cast(s.{key} as varchar))"
    )
    tiers = [(n, literal(tier)) for n, tier in enumerate(pack.tiers)]
    vetoes = [(n, literal(rule.id)) for n, rule in enumerate(pack.rules) if rule.is_veto]
    duck.execute(
        f"insert into kept_segments select subject, {_day('begins')}, {_day('ends')}, score,"
        f" {choice('tier', tiers, 'varchar')}, {choice('band', tiers, 'varchar')},"
        f" {choice('veto', vetoes, 'varchar')}, known, total from {SEGMENTS} join {subjects} using (_s)"
    )
    if vocabulary.records is None:
        records = "(select null::integer as _s, null::integer as _r, null::varchar as record_id where false)"
    else:
        name = quoted(vocabulary.records.key)
        records = f"(select _s, _r, cast({name} as varchar) as record_id from {RECORDS})"
    numbers = pa.table({"rule": list(range(len(pack.rules))), "number": [rules[r.id] for r in pack.rules]})
    duck.register("xh_numbers", numbers)
    duck.execute(
        f"insert into kept_spans select subject, number, record_id, {_day('begins')}, {_day('ends')}, points,"
        f" {_day('counts_from')}, {_day('counts_until')} from {SPANS} join {subjects} using (_s)"
        f" join xh_numbers using (rule) left join {records} using (_s, _r)"
    )
    duck.unregister("xh_numbers")


def take_old(duck: duckdb.DuckDBPyConnection, part: str, as_of: int, rows: pa.RecordBatchReader) -> None:
    """Make ``old_segments``, or ``old_spans``, of the days from the run's on.

    :param part: ``segments`` or ``spans``.
    :param as_of: the run's day as a number.
    :param rows: as :func:`scoring.runs.said.visible` has them.
    """
    columns, table = {"segments": (_SEGMENT, _SEGMENTS_TABLE), "spans": (_SPAN, _SPANS_TABLE)}[part]
    within = columns.replace(
        "begins, ends", f"greatest(begins, from_day, {as_of}) as begins, {_ends()} as ends"
    )
    duck.execute(f"create table old_{part}({table}, run bigint)")
    duck.register("xh_old", rows)
    duck.execute(
        f"insert into old_{part} select * from (select {within}, run from xh_old)"
        f" where begins < coalesce(ends, {_LAST})"
    )
    duck.unregister("xh_old")


def _ends() -> str:
    """The end of a row of an older run: where a later one hides it, or its own."""
    return f"nullif(least(coalesce(ends, {_LAST}), coalesce(hidden_from, {_LAST})), {_LAST})"


def choose_all(duck: duckdb.DuckDBPyConnection) -> None:
    """Everybody is written, also those who are not judged: they are told off."""
    duck.execute("create table kept_touches as select number as subject from kept_numbers")


def choose_differing(duck: duckdb.DuckDBPyConnection) -> None:
    """Those are written of whom something else was said, or of whose days several runs had the word."""
    several = "select subject from old_segments group by subject having count(distinct run) > 1"
    sides = [
        f"select subject from (select {columns} from {one} except all select {columns} from {other})"
        for columns, one, other in (
            (_SEGMENT, "kept_segments", "old_segments"),
            (_SEGMENT, "old_segments", "kept_segments"),
            (_SPAN, "kept_spans", "old_spans"),
            (_SPAN, "old_spans", "kept_spans"),
        )
    ]
    duck.execute(f"create table kept_touches as {' union '.join([several, *sides])}")


def make_tallies(duck: duckdb.DuckDBPyConnection) -> None:
    """Make ``kept_tallies``: what the subjects that are written had is taken off, what they have is added."""
    changes = [
        f"select {day} as begins, tier, {sign}1 as delta from {table} semi join kept_touches using (subject)"
        for table, signs in (("kept_segments", ("", "-")), ("old_segments", ("-", "")))
        for day, sign in zip(("begins", "ends"), signs, strict=True)
    ]
    duck.execute(
        "create table kept_tallies as select begins, tier, cast(sum(delta) as integer) as delta"
        f" from ({' union all '.join(changes)}) where begins is not null group by all having sum(delta) <> 0"
    )


def _day(name: str) -> str:
    return f"case when {name} < {FOREVER} then {name} - {_EPOCH} end"
