"""The measures of everybody, by the judge of many: for those that depend on other subjects."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from rules.identity import identity
from rules.model import Pack
from rules.plan import compile_plan
from scoring.facts.snapshot import take_snapshot
from scoring.judging.coded import SUBJECTS
from scoring.judging.judge import measures_on, prepare
from scoring.judging.lines import Line
from scoring.judging.measures import Lines
from scoring.judging.period import Period
from scoring.judging.sql import quoted
from scoring.store import Store
from scoring.store.computed import computed_table, is_computed
from scoring.store.workspace import workspace


def measures_of_group(
    store: Store, pack: Pack, day: dt.date, known_at: dt.datetime | None, shown: Collection[str] = ()
) -> pa.Table:
    """Everybody's attributes and measures on a day, as they were known at a moment (None: now).

    :param shown: measures that are wanted beside those that the pack's rules read.
    :raises StoreError: where nothing was known.
    """
    with workspace() as duck:
        take_snapshot(store, pack.vocabulary, duck, known_at)
        return measures_on(duck, compile_plan(pack, tuple(shown)), day)


def lines_of_group(
    store: Store, pack: Pack, names: Collection[str], period: Period, known_at: dt.datetime
) -> pa.Table:
    """Measures of everybody on all days of a period: by subject and ``_begins``, from which day on they stay;
    computed once.

    :param names: all that depend on others: :attr:`scoring.judging.one.Judge.over_group`.
    :param period: days on which the pack is in force.
    :raises StoreError: where nothing was known.
    """

    def make() -> pa.Table:
        key = quoted(pack.vocabulary.subject.key)
        with workspace() as duck:
            take_snapshot(store, pack.vocabulary, duck, known_at)
            plan = compile_plan(pack)
            lines = Lines(duck, plan, period, prepare(duck, plan))
            shown = ", ".join(map(quoted, names))
            return duck.sql(
                f"select s.{key}, _begins, {shown} from {lines.pieces(names)} join {SUBJECTS} s using (_s)"
                " order by _begins"
            ).to_arrow_table()

    return computed_table(store, _lines(pack, period, known_at), make)


def has_lines(store: Store, pack: Pack, period: Period, known_at: dt.datetime) -> bool:
    """Whether :func:`lines_of_group` has been computed for a period."""
    return is_computed(store, _lines(pack, period, known_at))


def _lines(pack: Pack, period: Period, known_at: dt.datetime) -> tuple[str, ...]:
    return "lines of a group", identity(pack), f"{period.first} {period.until}", known_at.isoformat()


def lines_of_subject(lines: pa.Table, pack: Pack, subject_id: str) -> dict[str, Line]:
    """One subject's lines among everybody's; none where the subject is not among them."""
    key = pack.vocabulary.subject.key
    rows = lines.filter(pc.equal(lines[key].cast(pa.string()), subject_id)).to_pylist()
    names = [name for name in lines.column_names if name not in (key, "_begins")] if rows else []
    return {name: Line.of((row["_begins"], row[name]) for row in rows) for name in names}


def of_subject(measures: pa.Table, pack: Pack, subject_id: str) -> dict[str, Any]:
    """One subject's row among everybody's; empty where the subject is not among them."""
    key = measures[pack.vocabulary.subject.key].cast(pa.string())
    found = measures.filter(pc.equal(key, subject_id)).to_pylist()
    return found[0] if found else {}
