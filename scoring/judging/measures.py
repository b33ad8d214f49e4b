"""Measures as lines: what each is on every day of a period, for every subject.

A line is a table of ``_s``, ``day`` and ``v`` (:mod:`scoring.judging.operations`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import duckdb

from rules.language.expressions import TOTAL, Level, Name, names
from rules.model import DERIVED, Aggregate, Measure
from rules.plan import Group, Plan
from scoring.judging.coded import SUBJECTS
from scoring.judging.match import Match, Signatures
from scoring.judging.operations import best, summed
from scoring.judging.period import Period
from scoring.judging.sql import all_of, cast, date, quoted, sql_type, to_sql

MACROS = (
    "create or replace macro scaled4(x) as cast(cast(x as decimal(33, 4)) * 10000 as hugeint)",
    "create or replace macro half_away(n, d) as sign(n) * sign(d) * ((2 * abs(n) + abs(d)) // (2 * abs(d)))",
    f"create or replace macro unscaled4(n) as"
    f" cast(try_cast(n as decimal(28, 0)) * 0.0001 as {sql_type(TOTAL)})",
)
"""Exact quotients by integer arithmetic, rounded half away from zero to 4 decimals; none past 24 digits."""

_ADDS_UP = {Aggregate.COUNT, Aggregate.SUM}
_SUMMED = {Aggregate.COUNT, Aggregate.SUM, Aggregate.MEAN}


class Lines:
    """The lines of a plan's measures in a DuckDB that holds coded facts."""

    def __init__(
        self, duck: duckdb.DuckDBPyConnection, plan: Plan, period: Period, signatures: Signatures
    ) -> None:
        self._duck, self._plan, self._period, self._signatures = duck, plan, period, signatures
        self._first, self._until = period.first_sql, period.until_sql
        self._pieces: dict[tuple[str, ...], str] = {}
        self._made: list[str] = []
        self._lines: dict[str, str] = {}
        records = plan.pack.vocabulary.records
        self._records_key = records.key if records else ""
        for number, group in enumerate(plan.measured):
            self._measure_group(number, group)
        for measure in plan.measures:
            if measure.aggregate in DERIVED:
                self._line(measure, self._derived(measure))
            elif measure.id not in self._lines:  # no record can ever take part
                self._lines[measure.id] = (
                    f"(select _s, {self._first} as day, null as v from {SUBJECTS} where false)"
                )

    def _line(self, measure: Measure, query: str) -> None:
        """Keep a measure's line as a table."""
        self._lines[measure.id] = f"xh_line_{len(self._lines)}"
        self._table(self._lines[measure.id], query)

    def pieces(self, wanted: Collection[str]) -> str:
        """The table of pieces on which these measures stay the same: ``_s``, ``_begins``, ``_ends`` and each
        measure by its name. The pieces of a subject follow one another through the whole period."""
        key = tuple(sorted(wanted))
        if key not in self._pieces:
            self._pieces[key] = f"xh_pieces_{len(self._pieces)}"
            self._table(self._pieces[key], self._aligned([self._plan.measure(name) for name in key]))
        return self._pieces[key]

    def known(self, measure: Measure) -> str:
        """The spans, ``_s``, ``begins`` and ``ends``, in which a measure that nothing adds up to is known."""
        line = self._lines[measure.id]
        if self._period.is_one_day:
            return f"select _s, day as begins, {self._until} as ends from {line} where v is not null"
        following = f"lead(day, 1, {self._until}) over (partition by _s order by day)"
        pieces = f"select _s, day as begins, {following} as ends, v from {line}"
        return f"select * from ({pieces}) where v is not null"

    def drop(self) -> None:
        """Drop the tables that were made."""
        for table in self._made:
            self._duck.execute(f"drop table {table}")

    def _aligned(self, measures: Sequence[Measure]) -> str:
        """Each measure's last change up to each day on which one of them changes."""
        columns = [
            f"cast(null as {sql_type(m.type)}) as v{n}, cast(null as boolean) as k{n}"
            for n, m in enumerate(measures)
        ]
        changes = [f"select _s, {self._first} as day{''.join(f', {c}' for c in columns)} from {SUBJECTS}"]
        for number, measure in enumerate(measures):
            own = [*columns]
            own[number] = f"v as v{number}, v is not null as k{number}"
            changes.append(f"select _s, day, {', '.join(own)} from {self._lines[measure.id]}")
        values = [self._carried(n, m) for n, m in enumerate(measures)]
        latest = [f"max(v{n}) as v{n}, max(k{n}) as k{n}" for n in range(len(measures))]
        if self._period.is_one_day:
            return (
                f"select _s, {self._first} as _begins, {self._until} as _ends"
                f"{''.join(f', {v}' for v in values)} from ({' union all '.join(changes)}) group by _s"
            )
        return (
            f"select _s, day as _begins, lead(day, 1, {self._until}) over changes as _ends"
            f"{''.join(f', {v}' for v in values)} from (select _s, day{''.join(f', {c}' for c in latest)}"
            f" from ({' union all '.join(changes)}) group by _s, day)"
            " window changes as (partition by _s order by day)"
        )

    def _carried(self, number: int, measure: Measure) -> str:
        """A measure's value from its last change on. A count and a sum are never unknown."""
        if self._period.is_one_day:
            value, is_known = f"max(v{number})", "true"
        else:
            value = f"last_value(v{number} ignore nulls) over changes"
            is_known = f"last_value(k{number} ignore nulls) over changes"
        value = f"coalesce({value}, 0)" if adds_up(measure) else f"case when {is_known} then {value} end"
        return f"cast({value} as {sql_type(measure.type)}) as {quoted(measure.id)}"

    # Measures made of records

    def _measure_group(self, number: int, group: Group) -> None:
        """The lines of the measures of one group: first who takes part, then what is made of them."""
        measures = {row.owner: self._plan.measures[row.owner] for row in group.rows}
        plain = {owner: m for owner, m in measures.items() if m.by is None and m.aggregate in _SUMMED}
        others = {owner: m for owner, m in measures.items() if owner not in plain}
        if plain:
            found, sums = f"xh_counted_{number}", f"xh_sums_{number}"
            self._table(found, self._taking_part(f"xh_plain_{number}", _only(group, plain), plain))
            self._table(sums, self._sums(found, plain, ["_s", "_owner"]))
            for owner, measure in plain.items():
                value = _of_sums(measure.aggregate)
                self._lines[measure.id] = f"(select _s, day, {value} as v from {sums} where _owner = {owner})"
        if others:
            found = f"xh_taking_{number}"
            self._table(found, self._taking_part(f"xh_other_{number}", _only(group, others), others))
            fixed = not (group.dates.until or group.dates.begins or group.dates.ends)
            for owner, measure in others.items():
                made = self._of_groups if measure.by is not None else self._alone
                self._line(measure, made(owner, measure, found, fixed))

    def _taking_part(self, table: str, group: Group, measures: Mapping[int, Measure]) -> str:
        """The records that take part: ``_s``, ``_owner``, ``begins``, ``ends`` and what is read of them."""
        shown = {f"_v{owner}": m.operand for owner, m in measures.items() if m.operand is not None}
        shown |= {f"_g{owner}": _column(m.by) for owner, m in measures.items() if m.by is not None}
        begins, ends = f"greatest(_begins_on, {self._first})", "_ends_on"
        if self._period.is_one_day:
            begins, ends = self._first, date(None)
        columns = ["_s", "_owner", f"{begins} as begins", f"{ends} as ends", *shown]
        if any(m.aggregate is Aggregate.LATEST for m in measures.values()):
            shown["_key"] = _column(self._records_key)
            columns += ["_starts_on", "_key"]
        match = Match(self._plan.pack.vocabulary, self._plan.measures, group, table, tuple(shown.items()))
        self._duck.register("xh_arrow", match.relation(self._signatures, self._period))
        self._table(match.table, "select * from xh_arrow")
        self._duck.unregister("xh_arrow")
        return f"select {', '.join(columns)} from ({match.query(self._period, None)})"

    def _sums(self, found: str, measures: Mapping[int, Measure], keys: Sequence[str]) -> str:
        """How many records take part, and their total. A mean knows only those whose value is known."""
        branches = " ".join(
            f"when {owner} then {_as_total(f'_v{owner}')}"
            for owner, m in measures.items()
            if m.operand is not None
        )
        amount = f"case _owner {branches} end" if branches else f"cast(null as {sql_type(TOTAL)})"
        means = [owner for owner, m in measures.items() if m.aggregate is Aggregate.MEAN]
        where = [f"_owner in ({', '.join(map(str, measures))})"]
        where += [f"not (_owner = {owner} and _v{owner} is null)" for owner in means]
        values = f"begins, ends, 1 as n, {amount} as x"
        spans = f"(select {', '.join(keys)}, {values} from {found} where {all_of(where)})"
        return summed(spans, keys, ("n", "x"), self._period)

    def _alone(self, owner: int, measure: Measure, found: str, fixed: bool) -> str:
        return self._best(owner, measure, found, ["_s"], fixed)

    def _best(self, owner: int, measure: Measure, found: str, keys: Sequence[str], fixed: bool) -> str:
        value = f"_v{owner}"
        known = f"from {found} where _owner = {owner} and {value} is not null"
        if measure.aggregate is not Aggregate.LATEST:
            spans = f"(select {', '.join(keys)}, begins, ends, {value} as v {known})"
            return best(spans, keys, str(measure.aggregate), self._period)
        if fixed:
            return self._latest_of_fixed(value, known, keys)
        listed = ", ".join(keys)
        latest = f"{{'f': _starts_on, 'r': _key, 'v': {value}}}"
        spans = f"(select {listed}, begins, ends, {latest} as v {known})"
        return f"select {listed}, day, v.v as v from ({best(spans, keys, 'max', self._period)})"

    def _latest_of_fixed(self, value: str, known: str, keys: Sequence[str]) -> str:
        """Where windows are of one length, who starts later also ends later: each gives way to the next."""
        by = ", ".join(keys)
        following = f"lead(begins) over (partition by {by} order by _starts_on, _key)"
        spans = f"(select {by}, begins, ends, {value} as v, {following} as next {known})"
        return (
            f"select {by}, begins as day, v from {spans} where next is null or begins < next"
            f" union all select {by}, ends, null from {spans}"
            f" where ends < {self._until} and (next is null or ends < next)"
        )

    def _of_groups(self, owner: int, measure: Measure, found: str, fixed: bool) -> str:
        """A line for each value of ``by``, and of these the one value that ``take`` makes."""
        keys = ["_s", f"_g{owner}"]
        of_group = f"(select * from {found} where _g{owner} is not null)"
        if measure.aggregate in _SUMMED:
            sums = self._sums(of_group, {owner: measure}, keys)
            value = f"case when n > 0 then {_of_sums(measure.aggregate)} end"
            line = f"select {', '.join(keys)}, day, {value} as v from ({sums})"
        else:
            line = self._best(owner, measure, of_group, keys, fixed)
        following = f"lead(day) over (partition by {', '.join(keys)} order by day)"
        pieces = f"select _s, day as begins, {following} as ends, v from ({line})"
        spans = f"(from ({pieces}) where v is not null)"
        take = measure.take
        if take in _SUMMED:
            amount = 0 if take is Aggregate.COUNT else _as_total("v")
            added = f"(select _s, begins, ends, 1 as n, {amount} as x from {spans})"
            sums = summed(added, ["_s"], ("n", "x"), self._period)
            return f"select _s, day, {_of_sums(take)} as v from ({sums})"
        line = best(spans, ["_s"], str(take), self._period)
        return f"select _s, day, coalesce(v, 0) as v from ({line})" if adds_up(measure) else line

    # Measures made of measures

    def _derived(self, measure: Measure) -> str:
        condition = measure.where.condition
        read = {*measure.parts, *(n.name for n in names(condition) if n.level is Level.MEASURE)}
        source = f"(select p.*, a.* exclude (_s) from {self.pieces(read)} p join {SUBJECTS} a using (_s))"
        takes_part = f"coalesce({to_sql(condition)}, false)"
        match measure.aggregate:
            case Aggregate.RATIO:
                part, whole = (f"scaled4({quoted(p)})" for p in measure.parts)
                quotient = f"unscaled4(half_away({part} * 10000, {whole}))"
                value = f"case when {takes_part} and {whole} <> 0 then {quotient} end"
            case Aggregate.VALUE:
                assert measure.operand is not None
                value = f"case when {takes_part} then {cast(measure.operand, measure.type)} end"
            case _:
                return self._among_peers(measure, source, takes_part)
        return self._changes(f"select _s, _begins as day, {value} as v from {source}")

    def _among_peers(self, measure: Measure, source: str, takes_part: str) -> str:
        """Ranks, or how many are ranked, by how many of a group have each value on each day of change.

        It is the one step that reads other subjects; its cost is days of change × values of each group.
        """
        ranked = quoted(measure.parts[0])
        group = quoted(measure.by) if measure.by else "true"
        takes_part += f" and {ranked} is not null" + (f" and {group} is not null" if measure.by else "")
        order = "desc" if measure.descending else "asc"
        place = "sum(n) over (partition by g, day)"
        if measure.aggregate is Aggregate.RANK:
            better = f"partition by g, day order by x {order} rows unbounded preceding"
            place = f"1 + sum(n) over ({better}) - n"
        counts = summed("(select g, x, begins, ends, 1 as n from taking)", ["g", "x"], ["n"], self._period)
        return self._changes(
            f"with own as (select _s, _begins as begins, _ends as ends, {takes_part} as is_in,"
            f" {group} as g, {ranked} as x from {source}),"
            " taking as (select * from own where is_in),"
            f" counts as ({counts}),"
            " days as (select distinct g, day from counts), seen as (select distinct g, x from counts),"
            " filled as (select g, x, day, coalesce(last_value(n ignore nulls) over"
            " (partition by g, x order by day), 0) as n from (select g, x, day from days join seen using (g))"
            " left join counts using (g, x, day)),"
            f" placed as (select g, x, day, cast({place} as bigint) as v from filled)"
            " select _s, day, v from taking join placed on placed.g = taking.g and placed.x = taking.x"
            " and placed.day >= taking.begins and placed.day < taking.ends"
            " union all select _s, begins, null from own where not is_in"
        )

    def _changes(self, line: str) -> str:
        """A line without days on which nothing changes."""
        if self._period.is_one_day:
            return line
        return (
            f"select _s, day, v from ({line}) window own as (partition by _s order by day)"
            " qualify lag(day) over own is null or v is distinct from lag(v) over own"
        )

    def _table(self, name: str, query: str) -> None:
        self._duck.execute(f"create or replace temp table {name} as {query}")
        self._made.append(name)


def adds_up(measure: Measure) -> bool:
    """Whether the measure of nothing is 0, and not unknown."""
    return bool({measure.aggregate, measure.take} & _ADDS_UP)


def _only(group: Group, owners: Collection[int]) -> Group:
    return replace(group, rows=tuple(row for row in group.rows if row.owner in owners))


def _column(name: str) -> Name:
    """A column of records; of what type does not matter here."""
    return Name(name, Level.RECORD, TOTAL)


def _as_total(value: str) -> str:
    return f"cast({value} as {sql_type(TOTAL)})"


def _of_sums(aggregate: Aggregate | None) -> str:
    match aggregate:
        case Aggregate.COUNT:
            return "cast(n as bigint)"
        case Aggregate.SUM:
            return "coalesce(x, 0)"
        case _:
            total = f"scaled4(cast(x as {sql_type(TOTAL)}))"
            return f"case when n > 0 then unscaled4(half_away({total}, cast(n as hugeint))) end"
