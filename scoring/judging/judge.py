"""The judge of many subjects: facts, a plan and a period in; spans and grades on every day of it out.

It is the only place that computes a window, a decay, a cap, a dimension, a veto or a score of many subjects.
It runs inside a DuckDB of the caller's, who decides where facts come from, where results go, and how much
memory there is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import duckdb
import pyarrow as pa

from rules.calendar import add_days
from rules.language.expressions import literal
from rules.model import Pack
from rules.plan import Plan
from scoring.judging import measures as measure_lines
from scoring.judging.coded import RECORDS, SIGNATURES, SUBJECTS
from scoring.judging.grades import (
    RULES,
    SEGMENTS,
    capped,
    changes_of_inputs,
    choice,
    cut_vetoes,
    make_segments,
    rule_table,
    within_bounds,
)
from scoring.judging.match import Signatures, from_arrow
from scoring.judging.measures import NOWHERE, Lines, places_of, rounds_of
from scoring.judging.period import FOREVER, Period
from scoring.judging.spans import SPANS, make_spans
from scoring.judging.sql import DUCKDB_MACROS, date, quoted


def judge(duck: duckdb.DuckDBPyConnection, plan: Plan, period: Period) -> None:
    """Make the tables ``xh_spans`` (:mod:`scoring.judging.spans`) and ``xh_segments``
    (:mod:`scoring.judging.grades`) of coded facts (:mod:`scoring.judging.coded`).

    :param duck: holds ``xh_subjects`` and, where the vocabulary has records, ``xh_records`` and
        ``xh_signatures``.
    :param period: days on which the pack is in force.

    >>> import duckdb
    >>> from fixtures.small import AS_OF, small_store
    >>> from rules.library.loader import find_pack
    >>> from rules.plan import compile_plan
    >>> from scoring.facts.snapshot import take_snapshot
    >>> from scoring.judging.period import FOREVER, Period
    >>> pack, duck = find_pack("tourism-credit", AS_OF), duckdb.connect()
    >>> facts = take_snapshot(small_store(), pack.vocabulary, duck)
    >>> judge(duck, compile_plan(pack), Period.of(AS_OF))
    >>> duck.execute("select _s, begins, score from xh_segments order by _s").fetchall()
    [(0, datetime.date(2026, 8, 31), 7950), (1, datetime.date(2026, 8, 31), 6700)]
    """
    lines = _found(duck, plan, period)
    make_segments(duck, plan, period, lines)
    lines.drop()


def _found(
    duck: duckdb.DuckDBPyConnection, plan: Plan, period: Period, places: Mapping[str, str] = NOWHERE
) -> Lines:
    """The spans, and the lines of measures of which they were made."""
    signatures = prepare(duck, plan)
    lines = Lines(duck, plan, period, signatures, places)
    make_spans(duck, plan, period, signatures, lines)
    cut_vetoes(duck, plan, period, lines)
    return lines


def measures_on(duck: duckdb.DuckDBPyConnection, plan: Plan, day: dt.date) -> pa.Table:
    """Every subject of coded facts with its attributes and the plan's measures on a day, as Arrow."""
    lines = Lines(duck, plan, Period(day, add_days(day, 1)), prepare(duck, plan))
    pieces = lines.pieces([measure.id for measure in plan.measures])
    columns = "a.* exclude (_s), p.* exclude (_s, _begins, _ends)"
    query = f"select {columns} from {SUBJECTS} a join {pieces} p using (_s)"
    found: pa.Table = duck.sql(query).to_arrow_table()
    lines.drop()
    return found


def ranked_in_rounds(plan: Plan) -> tuple[tuple[str, ...], ...]:
    """By what subjects are compared: of the measures that put the same in order the first, in rounds of which
    each needs the places that those before it give.

    >>> from datetime import date
    >>> from rules.library.loader import find_pack
    >>> from rules.plan import compile_plan
    >>> ranked_in_rounds(compile_plan(find_pack("department-credit", date(2026, 8, 31))))
    (('bodies_ranked', 'group_ranked', 'bodies_ranked_last_year'),)
    """
    return tuple(tuple(ordered[0].id for ordered in found) for found in rounds_of(plan))


@contextmanager
def counts_on(
    duck: duckdb.DuckDBPyConnection, plan: Plan, day: dt.date, number: int, places: Mapping[str, str]
) -> Iterator[dict[str, str]]:
    """What the subjects of coded facts have of that by which everybody is compared, for :func:`grade_on` of a
    day and later ones.

    :param number: of the round (:func:`ranked_in_rounds`), from 0.
    :param places: those that the rounds before have found.
    :return: the first of measures that put the same in order → a query (:meth:`Lines.counts`), which serves
        within the block.
    """
    lines = Lines(duck, plan, period_ahead(plan.pack, day), prepare(duck, plan), places, rounds=number)
    yield {ordered[0].id: lines.counts(ordered) for ordered in rounds_of(plan)[number]}
    lines.drop()


def places_on(plan: Plan, day: dt.date, measure: str, counts: str) -> str:
    """A query of the places of all that subjects have, for :func:`grade_on` of a day and later ones.

    :param measure: of :func:`ranked_in_rounds`.
    :param counts: what :func:`counts_on` gives of all parts, as one relation.
    """
    [ordered] = [one for found in rounds_of(plan) for one in found if one[0].id == measure]
    return places_of(counts, ordered, period_ahead(plan.pack, day))


def prepare(duck: duckdb.DuckDBPyConnection, plan: Plan) -> Signatures:
    """The signatures of the facts; what the judge's SQL calls is defined."""
    for macro in (*DUCKDB_MACROS, *measure_lines.MACROS):
        duck.execute(macro)
    if plan.pack.vocabulary.records is None:
        return Signatures([])
    found = duck.execute(f"from {SIGNATURES} order by _sig")
    names = [column[0] for column in found.description or ()]
    rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    return Signatures([(row.pop("_sig"), row) for row in rows])


def grade_on(
    duck: duckdb.DuckDBPyConnection,
    plan: Plan,
    day: dt.date,
    ahead: bool,
    places: Mapping[str, str] = NOWHERE,
    measured: bool = False,
) -> None:
    """Grades on one day, of coded facts. Replaces three tables (points in hundredths), or four:

    - ``scores``: subject_id, score, tier, band (the tier by points alone), veto (rule id or null),
      next_change_on, inputs_known, inputs_total; one row a subject.
    - ``dimension_scores``: subject_id, dimension, points_before, points (within floor and ceiling); one row a
      subject and dimension with hits.
    - ``hits``: subject_id, rule, record_id (null for a rule on the subject), points_before, points (after the
      cap), counts_from, counts_until; one row a hit.
    - ``measures``, where they are asked for: subject_id, and the plan's measures by their names, null where
      unknown; one row a subject.

    :param day: on which the pack is in force.
    :param ahead: whether later days are looked at, for ``next_change_on``; without them it is null.
    :param places: of all to whom subjects are compared, where these are not all here (:class:`Lines`); known
        with ``ahead`` alone.
    :param measured: whether measures are asked for.
    """
    in_force = period_ahead(plan.pack, day)
    period = in_force if ahead else Period.of(day)
    lines = _found(duck, plan, period, places)
    make_segments(duck, plan, Period.of(day), lines)
    changes = changes_of_inputs(plan, period, lines) if ahead else None
    _Day(duck, plan.pack, day, in_force.until if ahead else None, changes).make(
        lines.on_the_first_day() if measured else None
    )
    lines.drop()
    for table in (SPANS, SEGMENTS):
        duck.execute(f"drop table {table}")


def period_ahead(pack: Pack, day: dt.date) -> Period:
    """A day and those that follow, until the later day on which the pack is no longer in force."""
    until = pack.in_force_until
    return Period(day, until if until is not None and until > day else None)


class _Day:
    def __init__(
        self,
        duck: duckdb.DuckDBPyConnection,
        pack: Pack,
        day: dt.date,
        until: dt.date | None,
        changes_of_inputs: str | None,
    ) -> None:
        self._duck, self._pack, self._day, self._changes = duck, pack, date(day), changes_of_inputs
        self._next_version = date(until)
        self._open = (
            f"(from {SPANS} join {RULES} using (rule) where begins <= {self._day} and ends > {self._day})"
        )
        self._subjects = f"(select _s, {quoted(pack.vocabulary.subject.key)} as subject_id from {SUBJECTS})"

    def make(self, measures: str | None) -> None:
        """The tables.

        :param measures: a query of those of the day (:meth:`Lines.on_the_first_day`); None for no such table.
        """
        from_arrow(self._duck, RULES, rule_table(self._pack))
        made = {"scores": self._scores(), "hits": self._hits(), "dimension_scores": self._dimensions()}
        if measures is not None:
            made["measures"] = f"select * exclude (_s) from {self._subjects} join ({measures}) using (_s)"
        for table, query in made.items():
            self._duck.execute(f"create or replace temp table {table} as {query}")
        self._duck.execute(f"drop table {RULES}")

    def _scores(self) -> str:
        return (
            f"select subject_id, score, {self._tier('g.tier')} as tier, {self._tier('band')} as band,"
            f" r.id as veto, least(n.day, {self._next_version}) as next_change_on,"
            f" known as inputs_known, total as inputs_total"
            f" from {SEGMENTS} g join {self._subjects} s using (_s)"
            f" left join {RULES} r on r.rule = g.veto left join ({self._next()}) n using (_s)"
        )

    def _next(self) -> str:
        """The first later day on which a hit or what is known changes; the score can't without either."""
        if self._changes is None:
            return f"select null as _s, {date(None)} as day where false"
        hits = f"select _s, case when begins > {self._day} then begins else ends end as day from {SPANS}"
        changes = f"{hits} where ends > {self._day} union all {self._changes}"
        return f"select _s, nullif(min(day), {FOREVER}) as day from ({changes}) group by _s"

    def _hits(self) -> str:
        """The day's hits; where a cap binds, those that keep their points are chosen in the stated order."""
        over = (
            "select _s, pool from (select _s, pool, bound, sum(greatest(points, 0)) as gained,"
            f" sum(least(points, 0)) as lost from {self._open} where bound is not null group by all)"
            " where case when bound < 0 then lost < bound else gained > bound end"
        )
        running = (
            "sum(points) over (partition by _s, pool"
            " order by counts_from nulls first, record_id nulls first, id rows unbounded preceding)"
        )
        kept = f"{capped('running', 'bound')} - {capped('(running - points)', 'bound')}"
        columns = "_s, id, record_id, points as before, {} as points, counts_from, counts_until"
        return (
            f"with over as ({over}), named as ({self._named()}),"
            f" hits as (select {columns.format('points')} from named anti join over using (_s, pool)"
            f" union all select {columns.format(f'cast({kept} as bigint)')}"
            f" from (select *, {running} as running from named semi join over using (_s, pool)))"
            " select subject_id, id as rule, record_id, before as points_before, points,"
            f" counts_from, counts_until from hits join {self._subjects} s using (_s)"
        )

    def _named(self) -> str:
        """The open spans with their records' keys."""
        records = self._pack.vocabulary.records
        if records is None:
            return f"select *, cast(null as varchar) as record_id from {self._open}"
        keys = f"(select _r, {quoted(records.key)} as record_id from {RECORDS})"
        return f"from {self._open} left join {keys} using (_r)"

    def _dimensions(self) -> str:
        """What hits give together: those of a pool its sum, held at its cap."""
        ids = [(n, literal(d.id)) for n, d in enumerate(self._pack.dimensions)]
        pools = (
            f"select _s, dimension, {capped('sum(points)', 'bound')} as points from {self._open}"
            " where dimension is not null group by _s, dimension, pool, bound"
        )
        return (
            f"select subject_id, {choice('dimension', ids, 'varchar')} as dimension,"
            f" before as points_before, {within_bounds(self._pack, 'before')} as points"
            f" from (select _s, dimension, cast(sum(points) as bigint) as before from ({pools})"
            f" group by _s, dimension) join {self._subjects} s using (_s)"
        )

    def _tier(self, number: str) -> str:
        return choice(number, [(n, literal(tier)) for n, tier in enumerate(self._pack.tiers)], "varchar")
