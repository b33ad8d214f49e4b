"""The batch: a pack, a day, subjects and records in; scores, dimension scores and hits out.

The engine runs inside a DuckDB connection of the caller's, so that the caller decides where the data come
from, where the results go, and how much memory there is.
"""

from __future__ import annotations

import datetime as dt

import duckdb

from rules.model import Pack
from rules.plan import Plan, compile_plan
from scoring import measures
from scoring.joins import NO_CAP, Join, cap_numbers
from scoring.sql import DUCKDB_MACROS, date, quoted

LAST_DAY = dt.date.max
_RESULTS = ("scores", "dimension_scores", "hits")
_WORK = ("xh_frame", "xh_matches", "xh_by_dimension", "xh_rules", "xh_caps")


def grade(
    connection: duckdb.DuckDBPyConnection,
    pack: Pack,
    as_of: dt.date,
    subjects: str = "subjects",
    records: str | None = "records",
) -> None:
    """Grades every subject.

    :param connection: holds the tables or views ``subjects`` and ``records`` with the vocabulary's columns,
        typed as :func:`scoring.sql.sql_type` says, their keys unique. Records of unknown subjects take no part.
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
        self.day = date(plan.as_of)
        self.key = quoted(plan.pack.vocabulary.subject.key)
        self.joins = [Join(plan, group, f"xh_rows_{n}") for n, group in enumerate(plan.groups)]

    def prepare(self) -> None:
        """The frame (subjects with their measures) and the rule rows."""
        for macro in (*DUCKDB_MACROS, *measures.MACROS):
            self.connection.execute(macro)
        self._table("xh_frame", measures.frame_sql(self.plan, self.subjects, self.records))
        for join in self.joins:
            self.connection.register(f"{join.table}_arrow", join.relation())
            self._table(join.table, f"select * from {join.table}_arrow")
            self.connection.unregister(f"{join.table}_arrow")
        self._rules()

    def _rules(self) -> None:
        self.connection.execute("create or replace temp table xh_rules (rule integer, id varchar)")
        self.connection.execute("create or replace temp table xh_caps (cap integer, bound bigint)")
        for number, rule in enumerate(self.plan.rules):
            self.connection.execute("insert into xh_rules values (?, ?)", [number, rule.id])
        for number, bound in sorted(set(cap_numbers(self.plan).values())):
            self.connection.execute("insert into xh_caps values (?, ?)", [number, bound])

    def match(self) -> None:
        """``xh_matches``: what the rules hit on the day, and what they will hit later."""
        queries = [join.query("xh_frame", self.records) for join in self.joins]
        found = " union all ".join(queries) or _NO_MATCHES
        self._table(
            "xh_matches",
            "select *, coalesce(counts_from <= " + self.day + ", true) as counting, case"
            f" when counts_from > {self.day} then counts_from else least(counts_until, next_step_on) end"
            f" as next_change_on from ({found}) m{self._known_subjects()}",
        )

    def _known_subjects(self) -> str:
        """A filter against records of unknown subjects, where there are any."""
        if self.records is None:
            return ""
        link = quoted(self.plan.pack.vocabulary.record_subject)
        orphans = f"select 1 from {self.records} r anti join {self.subjects} s on s.{self.key} = r.{link} limit 1"
        if not self.connection.execute(orphans).fetchone():
            return ""
        return f" where subject_id in (select {self.key} from {self.subjects})"

    def score(self) -> None:
        """``dimension_scores`` and ``scores``."""
        self._table(
            "xh_by_dimension",
            "with by_cap as (select subject_id, dimension, m.cap, any_value(bound) as bound,"
            " sum(points) filter (where counting) as points, min(tier) filter (where counting) as worst,"
            " max(tier) filter (where counting) as veto, min(next_change_on) as next_change_on,"
            " bool_or(counting) as counting"
            " from xh_matches m left join xh_caps c on c.cap = m.cap group by subject_id, dimension, m.cap)"
            " select subject_id, dimension, max(veto) as veto, min(next_change_on) as next_change_on,"
            f" bool_or(counting) as counting, cast(sum({_capped('points', 'bound')}) as bigint) as points_before"
            " from by_cap group by subject_id, dimension",
        )
        self._table(
            "dimension_scores",
            f"select subject_id, {self._dimension_id()} as dimension, points_before,"
            f" {self._within_dimension()} as points from xh_by_dimension"
            " where dimension is not null and counting",
        )
        self._table("scores", self._scores())

    def _scores(self) -> str:
        score, known = self.plan.pack.score, self._inputs_known()
        total = f"greatest({score.min}, least({score.max}, {score.start} + coalesce(t.points, 0)))"
        return (
            "with t as (select subject_id, max(veto) as veto, min(next_change_on) as next_change_on,"
            f" cast(sum({self._within_dimension()}) as bigint) as points from xh_by_dimension group by subject_id),"
            f" s as (select f.{self.key} as subject_id, cast({total} as bigint) as score, t.veto,"
            f" least(t.next_change_on, f.measures_change_on, {self._next_version()}) as next_change_on,"
            f" {known} as inputs_known from xh_frame f left join t on t.subject_id = f.{self.key}),"
            f" b as (select *, {self._band('score')} as band_rank from s)"
            f" select subject_id, score, {self._tier('greatest(band_rank, veto)')} as tier,"
            f" {self._tier('band_rank')} as band, {self._veto_rule()} as veto,"
            f" {_at_most('next_change_on', date(LAST_DAY))} as next_change_on,"
            f" cast(inputs_known as integer) as inputs_known, {len(self.plan.inputs)} as inputs_total"
            f" from b {self._veto_join()}"
        )

    def _veto_join(self) -> str:
        if not any(rule.tier for rule in self.plan.rules):
            return ""
        return (
            "left join (select subject_id as vetoed, tier as veto_rank, min(id) as veto_id from xh_matches"
            " join xh_rules using (rule) where tier is not null and counting group by all)"
            " on vetoed = subject_id and veto_rank = veto"
        )

    def _veto_rule(self) -> str:
        return "veto_id" if self._veto_join() else "cast(null as varchar)"

    def explain(self) -> None:
        """``hits``: where a cap binds, the hits that keep their points are chosen in the stated order."""
        last = date(LAST_DAY)
        listed = (
            "subject_id, id as rule, record_id, m.points as points_before, {points} as points, counts_from,"
            f" {_at_most('counts_until', last)} as counts_until"
        )
        hits = "xh_matches m join xh_rules using (rule)"
        capped = list(cap_numbers(self.plan))
        if not capped:
            self._table("hits", f"select {listed.format(points='m.points')} from {hits} where counting")
            return
        running = (
            "sum(m.points) over (partition by subject_id, m.cap order by counts_from nulls first, record_id, id"
            " rows unbounded preceding)"
        )
        over = (
            "select subject_id as over_subject, m.cap as over_cap, bound from xh_matches m join xh_caps c on c.cap = m.cap"
            " where counting group by all having sum(case when sign(points) = sign(bound) then points else 0 end)"
            " not between least(bound, 0) and greatest(bound, 0)"
        )
        kept = f"cast({_capped('running', 'bound')} - {_capped('(running - m.points)', 'bound')} as bigint)"
        self._table(
            "hits",
            f"with over as ({over}) select {listed.format(points='m.points')} from {hits} left join over"
            " on over_subject = subject_id and over_cap = m.cap where counting and over_cap is null"
            f" union all select {listed.format(points=kept)} from (select m.*, id, bound, {running} as running"
            f" from {hits} join over on over_subject = subject_id and over_cap = m.cap where counting) m",
        )

    def tidy(self) -> None:
        """Leaves the results alone."""
        for table in (*_WORK, *(join.table for join in self.joins)):
            self.connection.execute(f"drop table if exists {table}")

    def _table(self, name: str, query: str) -> None:
        self.connection.execute(f"create or replace temp table {name} as {query}")

    def _dimension_id(self) -> str:
        ids = [(n, _text(d.id)) for n, d in enumerate(self.plan.pack.dimensions)]
        return _choice("dimension", ids, "varchar")

    def _within_dimension(self) -> str:
        """A dimension's points between its floor and ceiling."""
        bounded = "points_before"
        lows = [(n, str(d.floor)) for n, d in enumerate(self.plan.pack.dimensions) if d.floor is not None]
        highs = [(n, str(d.ceiling)) for n, d in enumerate(self.plan.pack.dimensions) if d.ceiling is not None]
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
        return _choice(rank, [(n, _text(tier)) for n, tier in enumerate(self.plan.pack.tiers)], "varchar")

    def _next_version(self) -> str:
        day = self.plan.next_version_on
        return date(day) if day else "cast(null as date)"

    def _inputs_known(self) -> str:
        terms = [f"(case when f.{quoted(n.name)} is null then 0 else 1 end)" for n in self.plan.inputs]
        return " + ".join(terms) or "0"


_NO_MATCHES = (
    "select null as subject_id, 0 as rule, null as record_id, 0 as points, 0 as dimension,"
    f" {NO_CAP} as cap, 0 as tier, current_date as counts_from, current_date as counts_until,"
    " current_date as next_step_on where false"
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


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
