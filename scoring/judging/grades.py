"""Spans to grades: pools held at their caps, dimensions, the score, vetoes, and how much was known.

The table ``xh_segments``: ``_s``, ``begins``, ``ends``, ``score`` (hundredths), ``tier`` and ``band``
(numbers, 0 the best), ``veto`` (the number of the rule, null for none), ``known`` and ``total`` (inputs). A
subject's segments follow one another through the period; neighbours differ.
"""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

import duckdb
import pyarrow as pa

from rules.language.expressions import Level
from rules.model import SCORE, Measure, Pack
from rules.plan import Plan
from scoring.judging.coded import SUBJECTS
from scoring.judging.match import from_arrow
from scoring.judging.measures import Lines, adds_up
from scoring.judging.operations import best, changes_of, merged, running, summed
from scoring.judging.period import Period
from scoring.judging.pools import Pool, pool_of, vetoes_in_order
from scoring.judging.spans import SPANS
from scoring.judging.sql import date, quoted

SEGMENTS = "xh_segments"
RULES = "xh_rules"
_CUT = "xh_cut"


def rule_table(pack: Pack) -> pa.Table:
    """The rules as Arrow: rule (its number), id, pool, dimension (numbers; null for no points), bound (the
    cap), tier (the number of the tier that a veto forces), order (of these: the first that holds decides),
    lowers (by how many tiers a veto lowers), lowering (the order of these)."""
    pools: dict[Pool, int] = {}
    dimensions = {dimension.id: number for number, dimension in enumerate(pack.dimensions)}
    order, lowering = ({number: n for n, number in enumerate(found)} for found in vetoes_in_order(pack))
    rows = [
        {
            "rule": number,
            "id": rule.id,
            "pool": pools.setdefault(pool_of(rule), len(pools)),
            "dimension": dimensions.get(rule.dimension or ""),
            "bound": rule.cap,
            "tier": None if rule.tier is None else pack.tiers.index(rule.tier),
            "order": order.get(number),
            "lowers": rule.lowers,
            "lowering": lowering.get(number),
        }
        for number, rule in enumerate(pack.rules)
    ]
    numbers = ("rule", "pool", "dimension", "tier", "order", "lowers", "lowering")
    fields = {"id": pa.string(), "bound": pa.int64()} | {name: pa.int32() for name in numbers}
    return pa.Table.from_pylist(rows, schema=pa.schema(fields))


def make_segments(duck: duckdb.DuckDBPyConnection, plan: Plan, period: Period, lines: Lines) -> None:
    """Make the table ``xh_segments`` of the spans of a plan.

    :param period: that of the spans and lines, or its first day alone.
    """
    from_arrow(duck, RULES, rule_table(plan.pack))
    duck.execute(f"create or replace temp table {SEGMENTS} as {_Grades(plan, period, lines).segments()}")
    duck.execute(f"drop table {RULES}")


def cut_vetoes(duck: duckdb.DuckDBPyConnection, plan: Plan, period: Period, lines: Lines) -> None:
    """Leave of the spans of vetoes that ask for points the days on which these are as low as that.

    :param period: that of the spans.
    """
    asked = [(n, *low) for n, rule in enumerate(plan.rules) for low in rule.below]
    if not asked:
        return
    from_arrow(duck, RULES, rule_table(plan.pack))
    grades = _Grades(plan, period, lines)
    for number, name, bound in asked:
        duck.execute(f"create or replace temp table {_CUT} as {grades.below(number, name, bound)}")
        duck.execute(f"delete from {SPANS} where rule = {number}")
        duck.execute(f"insert into {SPANS} by name from {_CUT}")
        duck.execute(f"drop table {_CUT}")
    duck.execute(f"drop table {RULES}")


def changes_of_inputs(plan: Plan, period: Period, lines: Lines) -> str:
    """``_s`` and ``day`` of each day after the first on which how much is known or asked for changes."""
    grades = _Grades(plan, period, lines)
    first, *later = grades.totals()
    asked = " union all ".join(f"select _s, {date(day)} as day from {SUBJECTS}" for day in later)
    known = f"select _s, day from ({grades.known()}) where day > {date(first)}"
    known += " group by _s, day having sum(known) <> 0"
    return f"{known} union all {asked}" if asked else known


class _Grades:
    def __init__(self, plan: Plan, period: Period, lines: Lines) -> None:
        self._plan, self._pack, self._period, self._lines = plan, plan.pack, period, lines
        self._first, self._until = period.first_sql, period.until_sql
        forcing, lowering = vetoes_in_order(plan.pack)
        self._step = len(forcing) + 1
        self._lowers = {plan.pack.rules[number].lowers or 0 for number in lowering}
        self._spans = f"(from {SPANS} join {RULES} using (rule) where begins < {self._until})"

    def below(self, rule: int, name: str, bound: int) -> str:
        """The spans of a rule, cut by the days on which the score or a dimension is below a bound."""
        changes = self._points("_s, dimension, day")
        value = self._score("points") if name == SCORE else "points"
        if name != SCORE:
            number = next(n for n, d in enumerate(self._pack.dimensions) if d.id == name)
            changes = f"from ({changes}) where dimension = {number}"
        begun = f"select _s, {self._first} as day, 0 as points from {SUBJECTS}"
        line = running(
            f"(select _s, day, points from ({changes}) union all {begun})", ["_s"], ["points"], self._period
        )
        ends = f"lead(day, 1, {self._until}) over (partition by _s order by day)"
        low = merged(
            f"(select _s, day as begins, ends from (select *, {ends} as ends from ({line}))"
            f" where {value} < {bound})",
            ["_s"],
        )
        begins, ends = "greatest(s.begins, low.begins)", "least(s.ends, low.ends)"
        return (
            f"select s.* replace ({begins} as begins, {ends} as ends)"
            f" from {SPANS} s join ({low}) low using (_s)"
            f" where s.rule = {rule} and {begins} < {ends}"
        )

    def _points(self, shown: str = "_s, day") -> str:
        """By how much dimensions change: changes of pools held at their caps, summed and held."""
        columns = "_s, pool, dimension, bound, begins, ends, points"
        spans = f"(select {columns} from {self._spans} where dimension is not null)"
        free, bound = (f"(from {spans} where bound is {known})" for known in ("null", "not null"))
        pools = summed(bound, ["_s", "dimension", "pool", "bound"], ["points"], self._period)
        before, after = (capped(points, "bound") for points in ("points - points_step", "points"))
        changes = changes_of(free, ["_s", "dimension"], ["points"], self._period)
        changes += f" union all select _s, dimension, day, ({after}) - ({before}) from ({pools})"
        dimensions = running(f"({changes})", ["_s", "dimension"], ["points"], self._period)
        before, after = (within_bounds(self._pack, points) for points in ("points - points_step", "points"))
        return (
            f"from (select {shown}, ({after}) - ({before}) as points from ({dimensions})) where points <> 0"
        )

    def _vetoes(self) -> str:
        """By how much the number of the vetoes that decide changes. The first that forces a tier has 1,
        none has 0; those that lower count in steps of so many that both can be told from the sum."""
        line = self._deciding('"order" + 1', '"order"')
        if not self._lowers:
            return line
        return f"{line} union all {self._deciding(f'(lowering + 1) * {self._step}', 'lowering')}"

    def _deciding(self, number: str, order: str) -> str:
        """By how much the number of the first veto that holds of one kind changes."""
        spans = f"(select _s, begins, ends, {number} as v from {self._spans} where {order} is not null)"
        line = f"select _s, day, coalesce(v, 0) as v from ({best(spans, ['_s'], 'min', self._period)})"
        if self._period.is_one_day:
            return line
        return f"select _s, day, v - lag(v, 1, 0) over (partition by _s order by day) as v from ({line})"

    def known(self) -> str:
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

    def totals(self) -> dict[dt.date, int]:
        """How many inputs are asked for, from each day on which that changes."""
        asked = self._plan.inputs.values()
        first, until = self._period.first, self._period.until or dt.date.max
        ends = sorted({day for spans in asked for span in spans for day in span if day is not None})
        days = [first, *(day for day in ends if first < day and (day < until or self._period.until is None))]
        totals = [(day, sum(_holds(spans, day) for spans in asked)) for day in days]
        return dict([totals[0], *(later for earlier, later in pairwise(totals) if earlier[1] != later[1])])

    def segments(self) -> str:
        """What changes of each subject, summed by day, then day by day, to grades that differ from the day
        before."""
        totals = self.totals()
        days = " union all ".join(f"select {date(day)} as day" for day in totals)
        changes = (
            f"select _s, day, points, 0 as veto, 0 as known from ({self._points()})"
            f" union all select _s, day, 0, v, 0 from ({self._vetoes()})"
            f" union all select _s, day, 0, 0, known from ({self.known()})"
            f" union all select _s, _days.day, 0, 0, 0 from {SUBJECTS}, ({days}) as _days"
        )
        lines = running(f"({changes})", ["_s"], ["points", "veto", "known"], self._period)
        score, before = (self._score(points) for points in ("points", "points - points_step"))
        graded = (
            f"select _s, day, {score} as score, veto, known, {_from_each(totals)} as total from ({lines})"
        )
        if self._period.is_one_day:
            return self._named(graded)
        return self._named(
            f"{graded} where day in ({', '.join(map(date, totals))})"
            f" or veto_step <> 0 or known_step <> 0 or {score} <> {before}"
        )

    def _score(self, points: str) -> str:
        score = self._pack.score
        return f"greatest({score.min}, least({score.max}, {score.start} + {points}))"

    def _named(self, graded: str) -> str:
        """Grades with their tiers, each until the next."""
        begins, ends = "day", f"lead(day, 1, {self._until}) over (partition by _s order by day)"
        if self._period.is_one_day:
            begins, ends = self._first, self._until
        forced, lowered = "coalesce(r.tier, 0)", self._lowered()
        tiers = ", ".join((self._band(), forced, *lowered))
        veto = f"case when {lowered[0]} > {forced} then l.rule else r.rule end" if lowered else "r.rule"
        number = f"g.veto % {self._step}" if lowered else "g.veto"
        named = (
            f"select _s, {begins} as begins, {ends} as ends, cast(score as bigint) as score,"
            f" cast(greatest({tiers}) as utinyint) as tier,"
            f" cast({self._band()} as utinyint) as band, {veto} as veto, cast(known as integer) as known,"
            f' total from ({graded}) g left join {RULES} r on r."order" + 1 = {number}'
        )
        if not lowered:
            return named
        named += f" left join {RULES} l on l.lowering + 1 = g.veto // {self._step}"
        said = ["_s", "score", "tier", "band", "veto", "known", "total"]
        return merged(f"({named})", said)  # one kind of veto may change while the other decides

    def _lowered(self) -> tuple[str, ...]:
        """The place of the tier that the score gives once it is lowered, 0 where nothing lowers it; none
        where no veto can."""
        by = " ".join(f"when {by} then {self._band(by)}" for by in sorted(self._lowers))
        return (f"case l.lowers {by} else 0 end",) if by else ()

    def _band(self, lowered: int = 0) -> str:
        *better, (last, _) = self._pack.bands
        branches = " ".join(
            f"when score >= {lowest} then {self._pack.lowered(n, lowered)}" for n, lowest in better
        )
        return f"case {branches} else {last} end" if branches else str(last)


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


def _from_each(values: dict[dt.date, int]) -> str:
    """The value of the last of these days that has come."""
    branches = "".join(f" when day >= {date(day)} then {values[day]}" for day in sorted(values, reverse=True))
    return f"cast(case{branches} end as integer)"


def choice(number: str, values: list[tuple[int, str]], kind: str) -> str:
    """The value of a number; null for others."""
    branches = " ".join(f"when {n} then {value}" for n, value in values)
    return f"cast(case {number} {branches} end as {kind})" if branches else f"cast(null as {kind})"
