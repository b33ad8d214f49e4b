"""Measures as lines: what each is on every day of a period, for every subject.

A line is a table of ``_s``, ``day`` and ``v`` (:mod:`scoring.judging.operations`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import duckdb

from rules.language.expressions import TOTAL, Expression, Kind, Level, Name, Type, names, render
from rules.model import DERIVED, NEVER_UNKNOWN, OVER_GROUP, Aggregate, Measure
from rules.plan import Group, Plan
from scoring.judging.coded import SUBJECTS
from scoring.judging.match import Choice, Match, Signatures, make_rows
from scoring.judging.operations import best, changes_of, longest_runs, running, summed
from scoring.judging.period import Period
from scoring.judging.sql import all_of, date, quoted, sql_type, to_sql, typed

MACROS = (
    "create or replace macro scaled4(x) as cast(cast(x as decimal(34, 4)) * 10000 as hugeint)",
    f"create or replace macro unscaled4(n) as"
    f" cast(try_cast(n as decimal(28, 0)) * 0.0001 as {sql_type(TOTAL)})",
)
"""Exact quotients by integer arithmetic, rounded half away from zero to 4 decimals; none past 24 digits."""

NOWHERE: Mapping[str, str] = MappingProxyType({})

_SUMS = Type(Kind.NUMBER, 30, 4)
"""Wide enough for every sum."""

_ROWS = "xh_measure_rows"
_OWN = ("_s", "_owner")
_SUMMED = {Aggregate.COUNT, Aggregate.SUM, Aggregate.MEAN}


class Lines:
    """The lines of a plan's measures in a DuckDB that holds coded facts.

    :param places: of all to whom subjects are compared, where these are not all here: the first of measures
        that put the same in order → a relation as :func:`places_of` makes it.
    :param rounds: only the measures for which no more than so many of :func:`rounds_of` are needed.
    """

    def __init__(
        self,
        duck: duckdb.DuckDBPyConnection,
        plan: Plan,
        period: Period,
        signatures: Signatures,
        places: Mapping[str, str] = NOWHERE,
        rounds: int | None = None,
    ) -> None:
        self._duck, self._plan, self._period, self._places = duck, plan, period, places
        self._first, self._until = period.first_sql, period.until_sql
        self._made: list[str] = []
        self._lines: dict[str, str] = {}
        self._alike: dict[str, Sequence[int]] = {}
        self._pieces: dict[tuple[str, ...], str] = {}
        records = plan.pack.vocabulary.records
        self._records_key = _column(records.key if records else "")
        matches = self._matches()
        if matches:
            make_rows(duck, matches, signatures, period)
            self._made.append(_ROWS)
        for match in matches:
            self._measure(match)
        self._day = self._table("xh_day", self._pivoted()) if period.is_one_day else ""
        depths = _depths(plan)
        derived = [m for m in plan.measures if m.aggregate in DERIVED]
        if rounds is not None:
            derived = [measure for measure in derived if depths[measure.id] <= rounds]
        for measure in plan.measures:
            if measure.aggregate not in DERIVED and measure.id not in self._lines:  # no record can take part
                nothing = f"(select _s, {self._first} as day, null as v from {SUBJECTS} where false)"
                self._lines[measure.id] = nothing
        if period.is_one_day:
            self._derive_on_the_day(derived)
        else:
            self._derive(derived)

    def pieces(self, wanted: Collection[str]) -> str:
        """The table of pieces on which these measures stay the same: ``_s``, ``_begins``, ``_ends`` and each
        measure by its name, on a day alone the others as well. The pieces of a subject follow one another
        through the whole period."""
        if self._period.is_one_day:
            return self._day
        key = tuple(sorted(wanted))
        if key not in self._pieces:
            measures = [self._plan.measure(name) for name in key]
            self._pieces[key] = self._table("xh_pieces", self._aligned(measures))
        return self._pieces[key]

    def on_the_first_day(self) -> str:
        """A query of everybody's measures on the period's first day: ``_s``, and each by its name, in the
        plan's order."""
        if self._period.is_one_day:
            listed = "".join(f", {quoted(measure.id)}" for measure in self._plan.measures)
            return f"select _s{listed} from {self._day}"
        columns, joins = ["s._s"], []
        for n, measure in enumerate(self._plan.measures):
            columns.append(f"{_carried(measure, f'l{n}.v')} as {quoted(measure.id)}")
            line = f"(select _s, v from {self._lines[measure.id]} where day = {self._first})"
            joins.append(f"left join {line} l{n} on l{n}._s = s._s")
        return f"select {', '.join(columns)} from {SUBJECTS} s {' '.join(joins)}"

    def known(self, measure: Measure) -> str:
        """The spans, ``_s``, ``begins`` and ``ends``, in which a measure that nothing adds up to is known."""
        if self._period.is_one_day:
            name = quoted(measure.id)
            return f"select _s, _begins as begins, _ends as ends from {self._day} where {name} is not null"
        line = self._lines[measure.id]
        following = f"lead(day, 1, {self._until}) over (partition by _s order by day)"
        pieces = f"select _s, day as begins, {following} as ends, v from {line}"
        return f"select * from ({pieces}) where v is not null"

    def counts(self, ordered: Sequence[Measure]) -> str:
        """By how much it changes on a day how many have a value by which they are compared.

        :param ordered: measures that put the same in order.
        :return: a query of ``g`` (the group), ``x`` (the value), ``day`` and ``n``.
        """
        taking = f"(from ({self._compared(ordered[0], self.pieces(_measures_read(ordered[0])))}) where is_in)"
        changes = changes_of(_each_once(taking), ["g", "x"], ["n"], self._period)
        if self._period.is_one_day:
            changes = f"select g, x, {self._first} as day, n from ({changes})"
        return f"select g, x, day, cast(sum(n) as bigint) as n from ({changes}) group by g, x, day"

    def drop(self) -> None:
        """Drop the tables that were made."""
        for table in self._made:
            self._duck.execute(f"drop table {table}")

    def _pivoted(self) -> str:
        """Every subject with its measures that are made of records, on a day alone."""
        columns, joins = [f"s._s, {self._first} as _begins, {self._until} as _ends"], []
        for number, (table, owners) in enumerate(self._alike.items()):
            measures = {owner: self._plan.measures[owner] for owner in owners}
            values = (
                f"max({_value(measure)}) filter (where _owner = {owner}) as v{owner}"
                for owner, measure in measures.items()
            )
            joins.append(
                f"left join (select _s, {', '.join(values)} from {table} group by _s) l{number}"
                f" on l{number}._s = s._s"
            )
            columns += [f"{_carried(m, f'v{owner}')} as {quoted(m.id)}" for owner, m in measures.items()]
        of_records = (m for m in self._plan.measures if m.aggregate not in DERIVED)
        columns += [f"{_carried(m, 'null')} as {quoted(m.id)}" for m in of_records if m.id not in self._lines]
        return f"select {', '.join(columns)} from {SUBJECTS} s {' '.join(joins)}"

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
        latest = [f"max(v{n}) as v{n}, max(k{n}) as k{n}" for n in range(len(measures))]
        values = [f", {_carried(m, _last(m, n))} as {quoted(m.id)}" for n, m in enumerate(measures)]
        return (
            f"select _s, day as _begins, lead(day, 1, {self._until}) over changes as _ends"
            f"{''.join(values)} from (select _s, day{''.join(f', {c}' for c in latest)}"
            f" from ({' union all '.join(changes)}) group by _s, day)"
            " window changes as (partition by _s order by day)"
        )

    # Measures made of records

    def _matches(self) -> list[Match]:
        """The groups of the plan, those parts apart of which sums alone are made: what other measures read of
        a record is not kept of theirs."""
        groups = []
        for group in self._plan.measured:
            for plain in (True, False):
                rows = [r for r in group.rows if _is_plain(self._plan.measures[r.owner]) is plain]
                if rows:
                    groups.append(replace(group, rows=tuple(rows)))
        return [self._match(number, group) for number, group in enumerate(groups)]

    def _match(self, number: int, group: Group) -> Match:
        """A group, and what is read of the records that take part."""
        measures = [self._plan.measures[owner] for owner in sorted({row.owner for row in group.rows})]
        read = [m.operand for m in measures] + [m.by for m in measures]
        if any(m.aggregate is Aggregate.LATEST for m in measures):
            read.append(self._records_key)
        shown = tuple((_alias(e), e) for e in Choice.of(read).expressions)
        return Match(self._plan.pack.vocabulary, self._plan.measures, group, _ROWS, number, shown)

    def _measure(self, match: Match) -> None:
        """The lines of the measures of a group: first who takes part, then what is made of them, together for
        the measures that are made alike."""
        found = self._table("xh_taking", self._taking_part(match))
        alike: dict[Any, dict[int, Measure]] = {}
        for owner in sorted({row.owner for row in match.group.rows}):
            measure = self._plan.measures[owner]
            how = _is_plain(measure) or (
                measure.aggregate,
                measure.operand,
                measure.by,
                measure.take,
                measure.each,
            )
            alike.setdefault(how, {})[owner] = measure
        dates = match.group.dates
        fixed = not (dates.until or dates.begins or dates.ends)
        for measures in alike.values():
            table = self._table("xh_line", self._made_of(found, measures, fixed))
            self._alike[table] = tuple(measures)
            for owner, measure in measures.items():
                line = f"(select _s, day, {_value(measure)} as v from {table} where _owner = {owner})"
                self._lines[measure.id] = line

    def _made_of(self, found: str, measures: Mapping[int, Measure], fixed: bool) -> str:
        """The lines of measures that are made alike, by ``_owner``; of plain ones their sums.

        :param fixed: whether the windows of a measure are of one length.
        """
        one = next(iter(measures.values()))
        taking = f"(from {found} where _owner in ({', '.join(map(str, measures))}))"
        if _is_plain(one):
            return self._sums(taking, measures, _OWN)
        if one.by is None:
            return self._best(one, taking, _OWN, fixed)
        return self._of_groups(measures, taking, fixed)

    def _taking_part(self, match: Match) -> str:
        """The records that take part: ``_s``, ``_owner``, ``_starts_on``, ``begins``, ``ends`` and what is
        read of them."""
        begins, ends = f"greatest(_begins_on, {self._first})", "_ends_on"
        if self._period.is_one_day:
            begins, ends = self._first, date(None)
        shown = "".join(f", {alias}" for alias, _ in match.shown)
        query = match.query(self._period, self.pieces)
        return f"select _s, _owner, _starts_on, {begins} as begins, {ends} as ends{shown} from ({query})"

    def _sums(self, taking: str, measures: Mapping[int, Measure], keys: Sequence[str]) -> str:
        """How many records take part (``n``), and their total (``x``) where a measure asks. A mean knows
        only those whose value is known."""
        operands = {owner: _alias(m.operand) for owner, m in measures.items() if m.operand is not None}
        numbers = {"n": "1"}
        if operands:
            branches = (f"when {owner} then {_as_total(value)}" for owner, value in operands.items())
            numbers["x"] = f"case _owner {' '.join(branches)} end"
        unknown = [
            f"not (_owner = {owner} and {operands[owner]} is null)"
            for owner, m in measures.items()
            if m.aggregate is Aggregate.MEAN
        ]
        given = ", ".join(f"{value} as {name}" for name, value in numbers.items())
        spans = f"(select {', '.join(keys)}, begins, ends, {given} from {taking} where {all_of(unknown)})"
        return summed(spans, keys, tuple(numbers), self._period)

    def _best(self, measure: Measure, taking: str, keys: Sequence[str], fixed: bool) -> str:
        assert measure.operand is not None
        value, by = _alias(measure.operand), ", ".join(keys)
        known = f"from {taking} where {value} is not null"
        if measure.aggregate is not Aggregate.LATEST:
            spans = f"(select {by}, begins, ends, {value} as v {known})"
            return best(spans, keys, str(measure.aggregate), self._period)
        latest = f"_starts_on, {_alias(self._records_key)}"
        if self._period.is_one_day:
            last = f"arg_max({value}, row({latest}))"
            return f"select {by}, {self._first} as day, {last} as v {known} group by {by}"
        if fixed:
            return self._latest_of_fixed(value, known, keys, latest)
        spans = f"(select {by}, begins, ends, row({latest}, {value}) as v {known})"
        return f"select {by}, day, v[3] as v from ({best(spans, keys, 'max', self._period)})"

    def _latest_of_fixed(self, value: str, known: str, keys: Sequence[str], latest: str) -> str:
        """Where windows are of one length, who starts later also ends later: each gives way to the next."""
        by = ", ".join(keys)
        following = f"lead(begins) over (partition by {by} order by {latest})"
        spans = f"(select {by}, begins, ends, {value} as v, {following} as next {known})"
        return (
            f"select {by}, begins as day, v from {spans} where next is null or begins < next"
            f" union all select {by}, ends, null from {spans}"
            f" where ends < {self._until} and (next is null or ends < next)"
        )

    def _of_groups(self, measures: Mapping[int, Measure], taking: str, fixed: bool) -> str:
        """A line for each value of ``by``, and of these the one value that ``take`` makes."""
        one = next(iter(measures.values()))
        assert one.by is not None
        group = _alias(one.by)
        keys = [*_OWN, group]
        of_group = f"(from {taking} where {group} is not null)"
        if one.aggregate in _SUMMED:
            value = f"case when n > 0 then {_of_sums(one.aggregate)} end"
            line = (
                f"select {', '.join(keys)}, day, {value} as v from ({self._sums(of_group, measures, keys)})"
            )
        else:
            line = self._best(one, of_group, keys, fixed)
        ends = f"lead(day) over (partition by {', '.join(keys)} order by day)"
        if self._period.is_one_day:
            ends = date(None)
        pieces = f"select _s, _owner, {group} as period, day as begins, {ends} as ends, v from ({line})"
        spans = f"(select * replace ({_held('v', one.each)} as v) from ({pieces}) where v is not null)"
        take = one.take
        if take is Aggregate.RUN:
            months = f"(select *, 12 * year(period) + month(period) as number from {spans})"
            return longest_runs(months, _OWN, one.months_long or 1, self._period)
        if take in _SUMMED:
            amount = 0 if take is Aggregate.COUNT else _as_total("v")
            added = f"(select _s, _owner, begins, ends, 1 as n, {amount} as x from {spans})"
            sums = summed(added, _OWN, ("n", "x"), self._period)
            return f"select _s, _owner, day, {_of_sums(take)} as v from ({sums})"
        line = best(spans, _OWN, str(take), self._period)
        return f"select _s, _owner, day, coalesce(v, 0) as v from ({line})" if adds_up(one) else line

    # Measures made of measures

    def _derive_on_the_day(self, derived: Sequence[Measure]) -> None:
        """Add them to the table of the day, at once all those whose parts are there."""
        while derived:
            waiting = {measure.id for measure in derived}
            ready = [measure for measure in derived if not _measures_read(measure) & waiting]
            self._day = self._table("xh_day", self._with_derived(ready))
            derived = [measure for measure in derived if measure.id not in {found.id for found in ready}]

    def _with_derived(self, measures: Sequence[Measure]) -> str:
        """The table of the day with measures that are made of those in it: those that a subject's own give,
        and those that other subjects decide."""
        own, columns, joins = ["p.*"], ["q.*"], []
        for measure in measures:
            if measure.aggregate not in OVER_GROUP:
                own.append(f"{_carried(measure, _derived(measure))} as {quoted(measure.id)}")
        for number, ordered in enumerate(_ordered_alike(measures)):
            columns += [f"{_carried(m, f'l{number}.v{n}')} as {quoted(m.id)}" for n, m in enumerate(ordered)]
            joins.append(f"left join ({self._among_peers(ordered, self._day)}) l{number} using (_s)")
        source = f"select {', '.join(own)} from {self._day} p join {SUBJECTS} a using (_s)"
        return f"select {', '.join(columns)} from ({source}) q {' '.join(joins)}"

    def _derive(self, derived: Sequence[Measure]) -> None:
        """Make their lines, in one table those that put the same in order."""
        ordered_alike = {ordered[0].id: ordered for ordered in _ordered_alike(derived)}
        for measure in derived:
            if measure.id in self._lines:
                continue
            pieces = self.pieces(_measures_read(measure))
            if measure.aggregate in OVER_GROUP:
                ordered = ordered_alike[measure.id]
                values = [f"v{number}" for number in range(len(ordered))]
                table = self._table("xh_line", _changes(self._among_peers(ordered, pieces), values))
                for value, one in zip(values, ordered, strict=True):
                    self._lines[one.id] = f"(select _s, day, {value} as v from {table})"
            else:
                source = f"{pieces} p join {SUBJECTS} a using (_s)"
                line = f"select _s, _begins as day, {_derived(measure)} as v from {source}"
                self._lines[measure.id] = self._table("xh_line", _changes(line, ["v"]))

    def _among_peers(self, ordered: Sequence[Measure], pieces: str) -> str:
        """Ranks, or how many are ranked: ``v0`` and so on for measures that put the same in order.

        It is the one step that reads other subjects.
        """
        values = ", ".join(f"v{n}" for n in range(len(ordered)))
        nothing = ", ".join("null" for _ in ordered)
        placed = self._places.get(ordered[0].id)
        if placed is None:
            changes = changes_of(_each_once("taking"), ["g", "x"], ["n"], self._period)
            placed = f"({places_of(f'({changes})', ordered, self._period)})"
        return (
            f"with own as ({self._compared(ordered[0], pieces)}), taking as (select * from own where is_in)"
            f" select _s, placed.day, {values} from taking join {placed} placed"
            " on placed.g = taking.g and placed.x = taking.x"
            " and placed.day >= taking.begins and placed.day < taking.ends"
            f" union all select _s, begins, {nothing} from own where not is_in"
        )

    def _compared(self, one: Measure, pieces: str) -> str:
        """The group of each subject and its value there, and whether it takes part."""
        ranked, group = quoted(one.parts[0]), _group(one)
        takes_part = f"{_takes_part(one)} and {ranked} is not null"
        takes_part += f" and {group} is not null" if one.by else ""
        return (
            f"select _s, _begins as begins, _ends as ends, {takes_part} as is_in, {group} as g, {ranked} as x"
            f" from (select p.*, a.* exclude (_s) from {pieces} p join {SUBJECTS} a using (_s))"
        )

    def _table(self, kind: str, query: str) -> str:
        """Make a table, and say its name."""
        name = f"{kind}_{len(self._made)}"
        self._duck.execute(f"create or replace temp table {name} as {query}")
        self._made.append(name)
        return name


def places_of(counts: str, ordered: Sequence[Measure], period: Period) -> str:
    """The place of each value in its group on each day on which one of the group changes, and how many have a
    place: ``g``, ``x``, ``day``, and ``v0`` and so on. It costs days of change × values of each group.

    :param counts: a relation as :meth:`Lines.counts` gives it, of everybody.
    :param ordered: measures that put the same in order.
    """
    places = (f"cast({_place(m)} as {sql_type(m.type)}) as v{n}" for n, m in enumerate(ordered))
    return (
        f"with counts as ({running(counts, ['g', 'x'], ['n'], period)}),"
        " days as (select distinct g, day from counts), seen as (select distinct g, x from counts),"
        " filled as (select g, x, day, coalesce(last_value(n ignore nulls) over"
        " (partition by g, x order by day), 0) as n from (select g, x, day from days join seen using (g))"
        " left join counts using (g, x, day))"
        f" select g, x, day, {', '.join(places)} from filled where n > 0"
    )


def rounds_of(plan: Plan) -> tuple[tuple[tuple[Measure, ...], ...], ...]:
    """The measures that other subjects decide, together those that put the same in order; each round needs
    what those before it give."""
    depths = _depths(plan)
    rounds = range(1, 1 + max(depths.values(), default=0))
    found = [[m for m in plan.measures if depths[m.id] == number] for number in rounds]
    return tuple(tuple(map(tuple, _ordered_alike(measures))) for measures in found)


def _depths(plan: Plan) -> dict[str, int]:
    """How many rounds, one after the other, each measure needs."""
    depths: dict[str, int] = {}
    for measure in plan.measures:
        before = max((depths[name] for name in _measures_read(measure)), default=0)
        depths[measure.id] = before + (measure.aggregate in OVER_GROUP)
    return depths


def _each_once(taking: str) -> str:
    return f"(select g, x, begins, ends, 1 as n from {taking})"


def _is_plain(measure: Measure) -> bool:
    """Whether it is made of how many records take part, and their total."""
    return measure.by is None and measure.aggregate in _SUMMED


def _measures_read(measure: Measure) -> set[str]:
    """The measures that a measure is made of, or that its condition reads."""
    read = names(measure.where.condition)
    return {*measure.parts, *(name.name for name in read if name.level is Level.MEASURE)}


def _takes_part(measure: Measure) -> str:
    return f"coalesce({to_sql(measure.where.condition)}, false)"


def _derived(measure: Measure) -> str:
    """The value of a measure by those of the subject's own that it is made of."""
    takes_part = _takes_part(measure)
    if measure.aggregate is Aggregate.RATIO:
        part, whole = (f"scaled4({quoted(p)})" for p in measure.parts)
        quotient = f"unscaled4(half_away({part} * 10000, {whole}))"
        return f"case when {takes_part} and {whole} <> 0 then {quotient} end"
    assert measure.operand is not None
    return f"case when {takes_part} then {typed(measure.operand, measure.type)} end"


def _ordered_alike(measures: Sequence[Measure]) -> list[list[Measure]]:
    """Those that other subjects decide, together those that put the same of the same subjects in order."""
    alike: dict[Any, list[Measure]] = {}
    for measure in measures:
        if measure.aggregate in OVER_GROUP:
            how = (measure.parts[0], measure.by, measure.bands, render(measure.where.condition))
            alike.setdefault(how, []).append(measure)
    return list(alike.values())


def _place(measure: Measure) -> str:
    """Of a value among those of its group on a day, or how many have a place there."""
    number = "sum(n) over (partition by g, day)"
    if measure.aggregate is Aggregate.PEERS:
        return number
    if measure.aggregate is Aggregate.RANK:
        return f"1 + {_before('desc' if measure.descending else 'asc')}"
    worse, others = f"({_before('asc' if measure.descending else 'desc')})", f"({number} - 1)"
    rounded = f"(2000000 * {worse} + {others}) // (2 * {others})"
    return f"case when {number} >= {measure.fewest or 2} then cast({rounded} as decimal(7, 0)) * 0.0001 end"


def _before(order: str) -> str:
    """How many of the group come before a value on a day."""
    return f"sum(n) over (partition by g, day order by x {order} rows unbounded preceding) - n"


def _group(measure: Measure) -> str:
    """The group in which a subject is compared: unknown in none."""
    if measure.by is None:
        return "true"
    value = to_sql(measure.by)
    bands = [f"when {value} >= {bound:f} then {n}" for n, bound in enumerate(measure.bands)]
    return f"case {' '.join(reversed(bands))} end" if bands else value


def _changes(line: str, values: Sequence[str]) -> str:
    """A line of these values without days on which none of them changes."""
    listed = ", ".join(values)
    last = " or ".join(f"{value} is distinct from lag({value}) over own" for value in values)
    return (
        f"select _s, day, {listed} from ({line}) window own as (partition by _s order by day)"
        f" qualify lag(day) over own is null or {last}"
    )


def _value(measure: Measure) -> str:
    """A measure's value in a row of its table of lines."""
    return _of_sums(measure.aggregate) if _is_plain(measure) else "v"


def _carried(measure: Measure, value: str) -> str:
    """A measure's value where its line says this. A count and a sum are never unknown."""
    return f"cast({f'coalesce({value}, 0)' if adds_up(measure) else value} as {sql_type(measure.type)})"


def _last(measure: Measure, number: int) -> str:
    """What a line said last, which may be that nothing is known."""
    value, is_known = (f"last_value({what}{number} ignore nulls) over changes" for what in "vk")
    return value if adds_up(measure) else f"case when {is_known} then {value} end"


def adds_up(measure: Measure) -> bool:
    """Whether the measure of nothing is 0, and not unknown."""
    return bool({measure.aggregate, measure.take} & NEVER_UNKNOWN)


def _column(name: str) -> Name:
    """A column of records; of what type does not matter here."""
    return Name(name, Level.RECORD, TOTAL)


def _held(value: str, each: Decimal | None) -> str:
    """A group's value, known, held at a cap."""
    return value if each is None else f"{'least' if each > 0 else 'greatest'}({value}, {each:f})"


def _alias(read: Expression) -> str:
    """The name under which a match shows what an expression reads of a record."""
    return quoted(f"= {render(read)}")


def _as_total(value: str) -> str:
    return f"cast({value} as {sql_type(_SUMS)})"


def _of_sums(aggregate: Aggregate | None) -> str:
    match aggregate:
        case Aggregate.COUNT:
            return "cast(n as bigint)"
        case Aggregate.SUM:
            return "coalesce(x, 0)"
        case _:
            return "case when n > 0 then unscaled4(half_away(scaled4(x), cast(n as hugeint))) end"
