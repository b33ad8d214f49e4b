"""The batch: a pack, a day, subjects and records in; scores, dimension scores and hits out.

The engine runs inside a DuckDB connection of the caller's, so that the caller decides where the data come
from, where the results go, and how much memory there is.
"""

from __future__ import annotations

import datetime as dt

import duckdb
import pyarrow as pa

from rules.expressions import literal
from rules.model import Pack
from rules.plan import Plan, compile_plan
from scoring import measures
from scoring.joins import Join, with_cut_offs
from scoring.pools import pool_table, rule_table
from scoring.sql import DUCKDB_MACROS, date, quoted

LAST_DAY = dt.date.max
_WORK = ("xh_frame", "xh_matches", "xh_by_pool", "xh_by_dimension", "xh_over", "xh_rules", "xh_pools")


def grade(
    connection: duckdb.DuckDBPyConnection,
    pack: Pack,
    as_of: dt.date,
    subjects: str = "subjects",
    records: str | None = "records",
) -> None:
    """Grades every subject.

    :param connection: holds the tables or views ``subjects`` and ``records`` with the vocabulary's columns,
        typed as :func:`scoring.sql.sql_type` says, their keys unique. Records of unknown subjects take no
            part.
    :param subjects: the name of the table of subjects.
    :param records: the name of the table of records; None where the vocabulary has none.

    Leaves three tables in the connection, replacing those of an earlier call (points in hundredths):

    - ``scores``: subject_id, score, tier, band (the tier by points alone), veto (rule id or null),
      next_change_on, inputs_known, inputs_total; one row a subject.
    - ``dimension_scores``: subject_id, dimension, points_before, points (within floor and ceiling); one row a
      subject and dimension with hits.
    - ``hits``: subject_id, rule, record_id (null for a rule on the subject), points_before, points (after the
      cap), counts_from, counts_until; one row a hit.
    """
    run = _Run(connection, compile_plan(pack, as_of), quoted(subjects), records and quoted(records))
    run.prepare()
    run.match()
    run.score()
    run.explain()
    run.tidy()


class _Run:
    def __init__(
        self, connection: duckdb.DuckDBPyConnection, plan: Plan, subjects: str, records: str | None
    ) -> None:
        self.connection, self.plan = connection, plan
        self.subjects, self.records = subjects, records
        self.inputs = plan.inputs
        self.day = date(plan.as_of)
        self.counting = f"coalesce(counts_from <= {self.day}, true)"
        self.key = quoted(plan.pack.vocabulary.subject.key)
        self.joins = [Join(plan, with_cut_offs(group), f"xh_rows_{n}") for n, group in enumerate(plan.groups)]

    def prepare(self) -> None:
        """The frame (subjects with their measures) and the rule rows."""
        for macro in (*DUCKDB_MACROS, *measures.MACROS):
            self.connection.execute(macro)
        measured = measures.frame_sql(self.plan, self.subjects, self.records)
        columns = dict.fromkeys([self.key, *(quoted(name.name) for name in self.inputs), "_change_on"])
        self._table("xh_frame", f"select {', '.join(columns)} from ({measured})")
        self._rows("xh_rules", rule_table(self.plan))
        self._rows("xh_pools", pool_table(self.plan))
        for join in self.joins:
            self._rows(join.table, join.relation())

    def match(self) -> None:
        """``xh_matches``: what the rules hit on the day, and what they will hit later."""
        queries = [join.query("xh_frame", self.records) for join in self.joins]
        found = " union all ".join(queries) or _NO_MATCHES
        self._table(
            "xh_matches",
            f"select m.* from ({found}) m join (select {self.key} as subject_id from {self.subjects}) s"
            " on s.subject_id = m.subject_id",
        )

    def score(self) -> None:
        """``dimension_scores`` and ``scores``."""
        self._table(
            "xh_by_pool",
            "select subject_id, pool, cast(sum(greatest(points, 0)) as bigint) as gained,"
            " cast(sum(least(points, 0)) as bigint) as lost,"
            " min(least(counts_until, next_step_on)) as next_change_on"
            f" from xh_matches where {self.counting} group by subject_id, pool",
        )
        self._table(
            "xh_by_dimension",
            f"select subject_id, dimension, cast(sum({_capped('(gained + lost)', 'bound')}) as bigint)"
            " as points_before, min(next_change_on) as next_change_on"
            " from xh_by_pool join xh_pools using (pool) group by subject_id, dimension",
        )
        self._table(
            "dimension_scores",
            f"select subject_id, {self._dimension_id()} as dimension, points_before,"
            f" {self._within_dimension()} as points from xh_by_dimension where dimension is not null",
        )
        self._table("scores", self._scores())

    def _scores(self) -> str:
        score, known = self.plan.pack.score, self._inputs_known()
        total = f"greatest({score.min}, least({score.max}, {score.start} + coalesce(t.points, 0)))"
        return (
            "with t as (select subject_id, min(next_change_on) as next_change_on,"
            f" cast(sum({self._within_dimension()}) as bigint) as points"
            " from xh_by_dimension group by subject_id),"
            " v as (select subject_id, min(veto) as veto from xh_matches join xh_rules using (rule)"
            f" where {self.counting} and veto is not null group by subject_id),"
            " a as (select subject_id, min(counts_from) as begins_on from xh_matches"
            f" where counts_from > {self.day} group by subject_id),"
            f" s as (select f.{self.key} as subject_id, cast({total} as bigint) as score, v.veto,"
            f" least(t.next_change_on, a.begins_on, f._change_on, {self._next_version()}) as next_change_on,"
            f" {known} as inputs_known from xh_frame f left join t on t.subject_id = f.{self.key}"
            f" left join v on v.subject_id = f.{self.key} left join a on a.subject_id = f.{self.key}),"
            f" b as (select *, {self._band('score')} as band_rank from s)"
            f" select subject_id, score, {self._tier('greatest(band_rank, r.tier)')} as tier,"
            f" {self._tier('band_rank')} as band, r.id as veto,"
            f" {_at_most('next_change_on', date(LAST_DAY))} as next_change_on,"
            f" cast(inputs_known as integer) as inputs_known, {len(self.inputs)} as inputs_total"
            " from b left join xh_rules r on r.veto = b.veto"
        )

    def explain(self) -> None:
        """``hits``: where a cap binds, the hits that keep their points are chosen in the stated order."""
        self._table(
            "xh_over",
            "select subject_id, pool, bound from xh_by_pool join xh_pools using (pool)"
            " where case when bound < 0 then lost < bound else gained > bound end",
        )
        counted = f"(select * from xh_matches join xh_rules using (rule) where {self.counting})"
        listed = (
            "subject_id, id as rule, record_id, points as points_before, {points} as points, counts_from,"
            f" {_at_most('counts_until', date(LAST_DAY))} as counts_until"
        )
        running = (
            "sum(points) over (partition by subject_id, pool order by counts_from nulls first, record_id, id"
            " rows unbounded preceding)"
        )
        kept = f"cast({_capped('running', 'bound')} - {_capped('(running - points)', 'bound')} as bigint)"
        self._table(
            "hits",
            f"select {listed.format(points='points')} from {counted}"
            " anti join xh_over using (subject_id, pool)"
            f" union all select {listed.format(points=kept)}"
            f" from (select *, {running} as running from {counted} join xh_over using (subject_id, pool))",
        )

    def tidy(self) -> None:
        """Leaves the results alone."""
        for table in (*_WORK, *(join.table for join in self.joins)):
            self.connection.execute(f"drop table if exists {table}")

    def _table(self, name: str, query: str) -> None:
        self.connection.execute(f"create or replace temp table {name} as {query}")

    def _rows(self, name: str, rows: pa.Table) -> None:
        """Arrow rows as a table of the engine's own."""
        self.connection.register("xh_arrow", rows)
        self._table(name, "select * from xh_arrow")
        self.connection.unregister("xh_arrow")

    def _dimension_id(self) -> str:
        ids = [(n, literal(d.id)) for n, d in enumerate(self.plan.pack.dimensions)]
        return _choice("dimension", ids, "varchar")

    def _within_dimension(self) -> str:
        """A dimension's points between its floor and ceiling."""
        bounded = "points_before"
        lows = [(n, str(d.floor)) for n, d in enumerate(self.plan.pack.dimensions) if d.floor is not None]
        highs = [
            (n, str(d.ceiling)) for n, d in enumerate(self.plan.pack.dimensions) if d.ceiling is not None
        ]
        if highs:
            bounded = f"least({bounded}, {_choice('dimension', highs, 'bigint')})"
        if lows:
            bounded = f"greatest({bounded}, {_choice('dimension', lows, 'bigint')})"
        return bounded

    def _band(self, score: str) -> str:
        grades = self.plan.pack.grades
        branches = " ".join(f"when {score} >= {g.lowest} then {n}" for n, g in enumerate(grades[:-1]))
        return f"case {branches} else {len(grades) - 1} end" if branches else "0"

    def _tier(self, rank: str) -> str:
        return _choice(rank, [(n, literal(tier)) for n, tier in enumerate(self.plan.pack.tiers)], "varchar")

    def _next_version(self) -> str:
        day = self.plan.next_version_on
        return date(day) if day else "cast(null as date)"

    def _inputs_known(self) -> str:
        terms = [f"(case when f.{quoted(n.name)} is null then 0 else 1 end)" for n in self.inputs]
        return " + ".join(terms) or "0"


_NO_MATCHES = (
    "select null as subject_id, 0 as rule, 0 as pool, null as record_id, 0 as points,"
    " current_date as counts_from, current_date as counts_until, current_date as next_step_on where false"
)


def _capped(points: str, bound: str) -> str:
    """Points held at a cap: a negative cap is the least, a positive one the most; no cap leaves them."""
    return (
        f"case when {bound} < 0 then greatest({points}, {bound})"
        f" when {bound} >= 0 then least({points}, {bound}) else {points} end"
    )


def _at_most(day: str, last: str) -> str:
    """A date held at the calendar's end; an open one stays open."""
    return f"cast(case when {day} > {last} then {last} else {day} end as date)"


def _choice(number: str, values: list[tuple[int, str]], kind: str) -> str:
    branches = " ".join(f"when {n} then {value}" for n, value in values)
    return f"cast(case {number} {branches} end as {kind})" if branches else f"cast(null as {kind})"
