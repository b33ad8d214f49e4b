"""Spans to grades: pools held at their caps, dimensions, the score, vetoes, and how much was known.

The table ``xh_segments``: ``_s``, ``begins``, ``ends``, ``score`` (hundredths), ``tier`` and ``band``
(numbers, 0 the best), ``veto`` (the number of the rule, null for none), ``known`` and ``total`` (inputs). A
subject's segments follow one another through the period; neighbours differ.
"""

from __future__ import annotations

import datetime as dt

import duckdb
import pyarrow as pa

from rules.language.expressions import Level
from rules.model import Measure, Pack
from rules.plan import Plan
from scoring.judging.coded import SUBJECTS
from scoring.judging.measures import Lines, adds_up
from scoring.judging.operations import best, changes_of, running, summed
from scoring.judging.period import Period
from scoring.judging.pools import Pool, pool_of
from scoring.judging.spans import SPANS
from scoring.judging.sql import date, quoted

SEGMENTS = "xh_segments"
_RULES = "xh_rules"


def rule_table(pack: Pack) -> pa.Table:
    """The rules as Arrow: rule (its number), id, pool, dimension (numbers; null for no points), bound (the
    cap), tier (the number of the tier that a veto forces), order (of vetoes: the least names the result)."""
    pools: dict[Pool, int] = {}
    dimensions = {dimension.id: number for number, dimension in enumerate(pack.dimensions)}
    vetoes = [rule for rule in pack.rules if rule.tier is not None]
    order = {
        r.id: n for n, r in enumerate(sorted(vetoes, key=lambda r: (-pack.tiers.index(r.tier or ""), r.id)))
    }
    rows = [
        {
            "rule": number,
            "id": rule.id,
            "pool": pools.setdefault(pool_of(rule), len(pools)),
            "dimension": dimensions.get(rule.dimension or ""),
            "bound": rule.cap,
            "tier": None if rule.tier is None else pack.tiers.index(rule.tier),
            "order": order.get(rule.id),
        }
        for number, rule in enumerate(pack.rules)
    ]
    numbers = ("rule", "pool", "dimension", "tier", "order")
    fields = {"id": pa.string(), "bound": pa.int64()} | {name: pa.int32() for name in numbers}
    return pa.Table.from_pylist(rows, schema=pa.schema(fields))


def make_segments(duck: duckdb.DuckDBPyConnection, plan: Plan, period: Period, lines: Lines) -> None:
    """Make the table ``xh_segments`` of the spans of a plan."""
    _Grades(duck, plan, period, lines).make()


class _Grades:
    def __init__(self, duck: duckdb.DuckDBPyConnection, plan: Plan, period: Period, lines: Lines) -> None:
        self._duck, self._plan, self._pack, self._period, self._lines = duck, plan, plan.pack, period, lines
        self._first, self._until = period.first_sql, period.until_sql

    def make(self) -> None:
        self._duck.register("xh_arrow", rule_table(self._pack))
        self._table(_RULES, "select * from xh_arrow")
        self._duck.unregister("xh_arrow")
        self._table("xh_points", self._points())
        self._table("xh_vetoes", self._vetoes())
        self._table(SEGMENTS, self._segments())
        for table in (_RULES, "xh_points", "xh_vetoes"):
            self._duck.execute(f"drop table {table}")

    def _points(self) -> str:
        """By how much dimensions change: changes of pools held at their caps, summed and held."""
        columns = "_s, pool, dimension, bound, begins, ends, points"
        spans = f"(select {columns} from {SPANS} join {_RULES} using (rule) where dimension is not null)"
        free, bound = (f"(from {spans} where bound is {known})" for known in ("null", "not null"))
        changes = changes_of(free, ["_s", "dimension"], ["points"], self._period)
        pools = summed(bound, ["_s", "dimension", "pool", "bound"], ["points"], self._period)
        before, after = (capped(points, "bound") for points in ("points - points_step", "points"))
        changes += f" union all select _s, dimension, day, ({after}) - ({before}) from ({pools})"
        dimensions = running(f"({changes})", ["_s", "dimension"], ["points"], self._period)
        before, after = (within_bounds(self._pack, points) for points in ("points - points_step", "points"))
        held = f"select _s, day, ({after}) - ({before}) as points from ({dimensions})"
        return f"from ({held}) where points <> 0"

    def _vetoes(self) -> str:
        vetoes = f'{SPANS} join {_RULES} using (rule) where "order" is not null'
        spans = f'(select _s, begins, ends, "order" as v from {vetoes})'
        return best(spans, ["_s"], "min", self._period)

    def _known(self) -> str:
        """By how much the number of known inputs changes: attributes and counts are known always or never,
        other measures by their lines."""
        asked: dict[tuple[dt.date, dt.date | None], list[str]] = {}
        spans = []
        for name, days in self._plan.inputs.items():
            measure = self._plan.measure(name.name) if name.level is Level.MEASURE else None
            for first, until in days:
                if until is not None and until <= self._period.first:
                    continue
                within = (max(first, self._period.first), until)
                if measure is not None and not adds_up(measure):
                    spans.append(self._known_measure(measure, *within))
                else:
                    known = "1" if measure else f"cast({quoted(name.name)} is not null as integer)"
                    asked.setdefault(within, []).append(known)
        spans += [
            f"select _s, {date(first)} as begins, {date(until)} as ends, {' + '.join(known)} as known"
            f" from {SUBJECTS}"
            for (first, until), known in asked.items()
        ]
        if not spans:
            return "select 0 as _s, current_date as day, 0 as known where false"
        within_period = f"(from ({' union all '.join(spans)}) where begins < {self._until})"
        return changes_of(within_period, ["_s"], ["known"], self._period)

    def _known_measure(self, measure: Measure, first: dt.date, until: dt.date | None) -> str:
        """The spans in which a measure is known, while it is asked for."""
        lower, upper = f"greatest(begins, {date(first)})", f"least(ends, {date(until)})"
        return (
            f"select _s, {lower} as begins, {upper} as ends, 1 as known from"
            f" ({self._lines.known(measure)}) where {lower} < {upper}"
        )

    def _totals(self) -> list[tuple[dt.date, int]]:
        """How many inputs are asked for, from each day on which that changes."""
        first = self._period.first
        ends = {
            day for spans in self._plan.inputs.values() for span in spans for day in span if day is not None
        }
        last = self._period.until or dt.date.max
        days = [
            first,
            *sorted(day for day in ends if first < day and (day < last or self._period.until is None)),
        ]
        return [(day, sum(_holds(spans, day) for spans in self._plan.inputs.values())) for day in days]

    def _segments(self) -> str:
        score = self._pack.score
        totals = " union all ".join(
            f"select {date(day)} as day, {total} as total" for day, total in self._totals()
        )
        changes = (
            "select _s, day, points, null as veto, 0 as known, null as total from xh_points"
            " union all select _s, day, 0, coalesce(v, -1), 0, null from xh_vetoes"
            f" union all select _s, day, 0, null, known, null from ({self._known()})"
            f" union all select _s, day, 0, null, 0, total from (select _s from {SUBJECTS}), ({totals})"
        )
        lines = (
            "select _s, day, sum(sum(points)) over changes as points, sum(sum(known)) over changes as known,"
            " last_value(max(veto) ignore nulls) over changes as veto,"
            " last_value(max(total) ignore nulls) over changes as total"
            f" from ({changes}) group by _s, day window changes as (partition by _s order by day)"
        )
        if self._period.is_one_day:
            lines = (
                f"select _s, {self._first} as day, sum(points) as points, sum(known) as known,"
                f" max(veto) as veto, max(total) as total from ({changes}) group by _s"
            )
        graded = (
            f"select _s, day, greatest({score.min}, least({score.max},"
            f" {score.start} + points)) as score, nullif(veto, -1) as veto, known, total"
            f" from ({lines})"
        )
        shown = "(score, veto, known, total)"
        apart = (
            f"select * from ({graded}) window own as (partition by _s order by day)"
            f" qualify lag(day) over own is null or {shown} is distinct from lag({shown}) over own"
        )
        return (
            f"select _s, day as begins, lead(day, 1, {self._until}) over own as ends,"
            f" cast(score as bigint) as score,"
            f" cast(greatest({self._band()}, coalesce(r.tier, 0)) as utinyint) as tier,"
            f" cast({self._band()} as utinyint) as band, r.rule as veto, cast(known as integer) as known,"
            f' cast(total as integer) as total from ({apart}) g left join {_RULES} r on r."order" = g.veto'
            " window own as (partition by _s order by day)"
        )

    def _band(self) -> str:
        grades = self._pack.grades
        branches = " ".join(f"when score >= {g.lowest} then {n}" for n, g in enumerate(grades[:-1]))
        return f"case {branches} else {len(grades) - 1} end" if branches else "0"

    def _table(self, name: str, query: str) -> None:
        self._duck.execute(f"create or replace temp table {name} as {query}")


def _holds(spans: tuple[tuple[dt.date, dt.date | None], ...], day: dt.date) -> bool:
    return any(first <= day and (until is None or day < until) for first, until in spans)


def capped(points: str, bound: str) -> str:
    """Points held at a cap: a negative cap is the least, a positive one the most; no cap leaves them."""
    return (
        f"case when {bound} < 0 then greatest({points}, {bound})"
        f" when {bound} >= 0 then least({points}, {bound}) else {points} end"
    )


def within_bounds(pack: Pack, points: str) -> str:
    """A dimension's points between its floor and ceiling."""
    lows = [(n, str(d.floor)) for n, d in enumerate(pack.dimensions) if d.floor is not None]
    highs = [(n, str(d.ceiling)) for n, d in enumerate(pack.dimensions) if d.ceiling is not None]
    if highs:
        points = f"least({points}, {choice('dimension', highs, 'bigint')})"
    if lows:
        points = f"greatest({points}, {choice('dimension', lows, 'bigint')})"
    return points


def choice(number: str, values: list[tuple[int, str]], kind: str) -> str:
    """The value of a number; null for others."""
    branches = " ".join(f"when {n} then {value}" for n, value in values)
    return f"cast(case {number} {branches} end as {kind})" if branches else f"cast(null as {kind})"
