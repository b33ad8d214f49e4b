"""The groups of a plan as relations of rows, and the joins that find what meets them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import duckdb
import pyarrow as pa

from rules.calendar import add_days, first_start_still_open
from rules.language.evaluate import evaluate
from rules.language.expressions import (
    TRUE,
    Expression,
    Level,
    Name,
    Type,
    Value,
    conjuncts,
    names,
    render,
)
from rules.language.expressions import Kind as ValueKind
from rules.model import Measure, Rule, Vocabulary, Window
from rules.plan import Group, Row, closed_columns
from scoring.judging.coded import RECORDS, SIGNATURES, SUBJECTS
from scoring.judging.period import Period
from scoring.judging.sql import all_of, date, of, quoted, sql_type, to_sql

Owners = Sequence[Rule | Measure]


class Signatures:
    """The signatures that occur, and which of them meet a condition.

    :param rows: number → the values of the closed-list columns.
    """

    def __init__(self, rows: Sequence[tuple[int, dict[str, Value | None]]]) -> None:
        self._rows = rows
        self._all = (1 << len(rows)) - 1
        self._remembered: dict[Expression, int] = {}

    def meeting(self, condition: Expression) -> Iterator[int]:
        """The numbers of the signatures of which a condition is true."""
        bits = self._all
        for term in conjuncts(condition):
            bits &= self._bits(term)
        while bits:
            lowest = bits & -bits
            yield self._rows[lowest.bit_length() - 1][0]
            bits ^= lowest

    def _bits(self, term: Expression) -> int:
        """A bit for each signature of which a term is true; asked once for each value that the term reads."""
        found = self._remembered.get(term)
        if found is None:
            read = sorted(name.name for name in names(term))
            known: dict[tuple[Value | None, ...], bool] = {}
            found = 0
            for place, (_, values) in enumerate(self._rows):
                seen = tuple(values[name] for name in read)
                if seen not in known:
                    known[seen] = evaluate(term, values, dt.date.min) is True
                found |= known[seen] << place
            self._remembered[term] = found
        return found


@dataclass(frozen=True, slots=True)
class Choice:
    """The distinct expressions of a group, numbered: ``case n when 0 then … end``."""

    expressions: tuple[Expression, ...]

    @classmethod
    def of(cls, expressions: Iterable[Expression | None]) -> Choice:
        """Of these expressions, each once; an absent one is none of them."""
        return cls(tuple({render(e): e for e in expressions if e is not None}.values()))

    def number(self, expression: Expression | None) -> int | None:
        """The number of an expression."""
        return None if expression is None else self.expressions.index(expression)

    def sql(self, number: str, otherwise: str) -> str:
        """The value of the expression of that number."""
        branches = " ".join(f"when {i} then {to_sql(e)}" for i, e in enumerate(self.expressions))
        return f"case {number} {branches} else {otherwise} end" if branches else otherwise


@dataclass(frozen=True)
class Match:
    """One group with everything that its query needs.

    :param owners: the rules or measures that the group's rows are of, by number.
    :param table: the table of rows (:func:`make_rows`), in which the group's have this ``number``.
    :param shown: further expressions whose values are wanted, by alias.
    """

    vocabulary: Vocabulary
    owners: Owners
    group: Group
    table: str
    number: int
    shown: tuple[tuple[str, Expression], ...] = ()

    @property
    def of_records(self) -> bool:
        """Whether records are judged, and not subjects."""
        return self.group.dates.level is Level.RECORD and self.vocabulary.records is not None

    @cached_property
    def residuals(self) -> Choice:
        """What is asked beside signatures, keys and bounds."""
        return Choice.of(row.residual for row in self.group.rows if row.residual != TRUE)

    @cached_property
    def multipliers(self) -> Choice:
        """What points are multiplied by."""
        return Choice.of(_per(self.owners[row.owner]) for row in self.group.rows)

    @cached_property
    def equal(self) -> list[Name]:
        """The columns for which some row gives a value."""
        return self._named({n for row in self.group.rows for n in row.equal})

    @cached_property
    def bounded(self) -> list[Name]:
        """The columns that some row bounds."""
        return self._named({n for row in self.group.rows for n in row.bounds})

    def _named(self, wanted: set[str]) -> list[Name]:
        return [self._read[name] for name in sorted(wanted)]

    @cached_property
    def _read(self) -> dict[str, Name]:
        """What the conditions of the owners read."""
        owners = (self.owners[number] for number in {row.owner for row in self.group.rows})
        return {n.name: n for owner in owners for n in _names_of(owner)}

    @property
    def starts(self) -> bool:
        """Whether rows have a window, and so ``_starts_on``."""
        return self.group.dates.start is not None

    @property
    def begins(self) -> bool:
        """Whether rows have ``_begins_on``."""
        return self.starts or bool(self.group.dates.begins)

    def relation(self, signatures: Signatures, period: Period) -> pa.Table:
        """The rows as Arrow: for each row of the plan one for each signature that meets it."""
        residuals, multipliers, equal, bounded = self.residuals, self.multipliers, self.equal, self.bounded

        def cells(row: Row, signature: int | None) -> dict[str, Any]:
            window = self.owners[row.owner].window
            known: dict[str, Any] = {self._column("eq", n.name): row.equal.get(n.name) for n in equal}
            for name in bounded:
                bounds = row.bounds.get(name.name)
                known[self._column("lo", name.name)] = bounds and bounds.low
                known[self._column("hi", name.name)] = bounds and bounds.high
            return known | {
                "_group": self.number,
                "_owner": row.owner,
                "_wanted": signature,
                "_residual": None if row.residual == TRUE else residuals.number(row.residual),
                "_per": multipliers.number(_per(self.owners[row.owner])),
                "_earliest": _earliest_start(window, period.first),
                "_latest": _latest_start(window),
                "_months": window and window.months,
                "_days": window and window.days,
            }

        rows = [
            cells(row, signature)
            for row in self.group.rows
            for signature in (signatures.meeting(row.closed) if self.of_records else (None,))
        ]
        return pa.Table.from_pylist(rows, schema=self._schema())

    def _schema(self) -> pa.Schema:
        numbers = ("_group", "_owner", "_wanted", "_residual", "_per", "_months", "_days")
        fields = [(name, pa.int32()) for name in numbers]
        fields += [("_earliest", pa.date32()), ("_latest", pa.date32())]
        fields += [(self._column("eq", n.name), arrow_type(n.type)) for n in self.equal]
        ends = ((n, end) for n in self.bounded for end in ("lo", "hi"))
        return pa.schema([*fields, *((self._column(end, n.name), arrow_type(n.type)) for n, end in ends)])

    def _column(self, what: str, name: str) -> str:
        """The column of rows for a value of a column of facts; those of subjects and records stand apart."""
        return f"_{what}_{self.group.dates.level}_{name}"

    def query(self, period: Period, pieces: Callable[[Collection[str]], str]) -> str:
        """What meets a row in the period: ``_s``, ``_r`` (null for a subject), ``_owner``, ``_per``,
        ``_starts_on``, ``_begins_on`` and ``_ends_on`` (the days on which it counts; null for no bound),
        ``_first`` and ``_until`` (of the piece on which the measures that are read stay the same), the values
        that are shown, and as ``_times0`` and so on those that points are multiplied by.

        :param pieces: measures → the relation of them by pieces.
        """
        shown = [f"{to_sql(e)} as {alias}" for alias, e in self.shown]
        shown += [f"{to_sql(e)} as _times{n}" for n, e in enumerate(self.multipliers.expressions)]
        columns = ", ".join(["_s", "_r", "_owner", "_per", *self._dates(), *shown])
        source, filters = self._source(pieces), all_of(self._filters())
        rows = f"(from {self.table} where _group = {self.number})"
        inner = f"select * from ({source}) s join {rows} r on {self._on()} where {filters}"
        ends, in_time = self._ends(), all_of(self._in_time(period))
        return f"select {columns}, {ends} as _ends_on from ({inner}) where {in_time}"

    def _dates(self) -> list[str]:
        first = (
            ["_first", "_until"]
            if self.group.dates.measures
            else [f"{_NO_DATE} as _first", f"{_NO_DATE} as _until"]
        )
        starts = "_starts_on" if self.starts else f"{_NO_DATE} as _starts_on"
        return [starts, "_begins_on" if self.begins else f"{_NO_DATE} as _begins_on", *first]

    def _on(self) -> str:
        terms = [f"s.{quoted(k)} = r.{quoted(self._column('eq', k))}" for k in self.group.keys]
        return all_of([*(["s._sig = r._wanted"] if self.of_records else []), *terms])

    def _source(self, pieces: Callable[[Collection[str]], str]) -> str:
        """The rows to be judged, with the dates that decide whether they count."""
        dates, read = self.group.dates, sorted(self._names(), key=lambda n: n.name)
        places = [self._place(name) for name in read]
        columns = [f"{place} as {quoted(name.name)}" for place, name in zip(places, read, strict=True)]
        listed = "".join(f", {column}" for column in columns)
        head = "f._s, f._r, f._sig" if self.of_records else "f._s, cast(null as integer) as _r"
        joins = []
        if any(place.startswith("g.") for place in places):
            joins.append(f"join {SIGNATURES} g on g._sig = f._sig")
        if any(place.startswith("a.") for place in places) and self.of_records:
            joins.append(f"join {SUBJECTS} a on a._s = f._s")
        if dates.measures:
            joins.append(f"join {pieces(dates.measures)} p on p._s = f._s")
            head += ", p._begins as _first, p._ends as _until"
        source = RECORDS if self.of_records else SUBJECTS
        begins = [to_sql(e) for e in (*([dates.start] if dates.start else []), *dates.begins)]
        stops = [to_sql(e) for e in (*([dates.until] if dates.until else []), *dates.ends)]
        found = [f"{to_sql(dates.start)} as _starts_on"] if dates.start else []
        found += [f"{of('greatest', begins)} as _begins_on"] if begins else []
        found += [f"{of('least', stops)} as _stops_on"] if stops else []
        needed = [
            f"{to_sql(e)} is not null"
            for e in (*([dates.start] if dates.start else []), *dates.begins, *dates.ends)
        ]
        inner = f"select {head}{listed} from {source} f {' '.join(joins)}"
        return f"select *{''.join(f', {column}' for column in found)} from ({inner}) where {all_of(needed)}"

    def _names(self) -> frozenset[Name]:
        dates = self.group.dates
        expressions = [
            *self.residuals.expressions,
            *self.multipliers.expressions,
            *(e for _, e in self.shown),
        ]
        expressions += [e for e in (dates.start, dates.until, *dates.begins, *dates.ends) if e is not None]
        found = frozenset(n for e in expressions for n in names(e))
        return found | frozenset(self.equal) | frozenset(self.bounded)

    def _place(self, name: Name) -> str:
        """Where the source has a name's value."""
        vocabulary = self.vocabulary
        if name.level is Level.MEASURE:
            return f"p.{quoted(name.name)}"
        if name.level is Level.SUBJECT:
            return f"{'a' if self.of_records else 'f'}.{quoted(name.name)}"
        if name.name == vocabulary.record_subject:
            return f"a.{quoted(vocabulary.subject.key)}"
        return f"{'g' if name.name in closed_columns(vocabulary) else 'f'}.{quoted(name.name)}"

    def _filters(self) -> list[str]:
        filters = []
        for name in self.equal:
            if name.name not in self.group.keys:
                column = quoted(self._column("eq", name.name))
                filters.append(f"(r.{column} is null or s.{quoted(name.name)} = r.{column})")
        for name in self.bounded:
            own = f"s.{quoted(name.name)}"
            for end, op in (("lo", ">="), ("hi", "<=")):
                column = f"r.{quoted(self._column(end, name.name))}"
                given = [_end(row, name.name, end) is not None for row in self.group.rows]
                if all(given):
                    filters.append(f"{own} {op} {column}")
                elif any(given):
                    filters.append(f"({column} is null or {own} {op} {column})")
        if self.starts:
            filters += ["s._starts_on >= r._earliest", "s._starts_on <= r._latest"]
        if self.residuals.expressions:
            filters.append(self.residuals.sql("r._residual", "true"))
        return filters

    def _ends(self) -> str:
        ends = self._all_ends()
        return f"cast({of('least', ends)} as date)" if ends else _NO_DATE

    def _given_ends(self) -> list[str]:
        return ["_stops_on"] if self.group.dates.until or self.group.dates.ends else []

    def _all_ends(self) -> list[str]:
        """Those that the data give, and those of windows."""
        owners = [self.owners[row.owner] for row in self.group.rows]
        ends = self._given_ends()
        if any(o.window and o.window.months for o in owners):
            ends.append(moved("add_months", "_starts_on", "_months"))
        if any(o.window and o.window.days for o in owners):
            ends.append(moved("add_days", "_starts_on", "_days"))
        return ends

    def _in_time(self, period: Period) -> list[str]:
        """What of it is within the period. A window ends after the period's first day if it starts within
        the bounds of its row, so that its end need not be worked out here."""
        terms = [f"({end} is null or {end} > {period.first_sql})" for end in self._given_ends()]
        if self.begins:
            terms.append(f"_begins_on < {period.until_sql}")
            ends = self._all_ends() if self.group.dates.begins else self._given_ends()
            terms += [f"({end} is null or _begins_on < {end})" for end in ends]
        if multipliers := self.multipliers.expressions:
            known = " ".join(f"when {n} then _times{n} is not null" for n in range(len(multipliers)))
            terms.append(f"case _per {known} else true end")
        return terms


_NO_DATE = date(None)


def make_rows(
    duck: duckdb.DuckDBPyConnection, matches: Sequence[Match], signatures: Signatures, period: Period
) -> None:
    """Make the table of rows that matches share."""
    rows = [match.relation(signatures, period) for match in matches]
    from_arrow(duck, matches[0].table, pa.concat_tables(rows, promote_options="default"))


def from_arrow(duck: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    """Arrow rows as a table of the judge's own."""
    duck.register("xh_arrow", rows)
    duck.execute(f"create or replace temp table {name} as from xh_arrow")
    duck.unregister("xh_arrow")


def moved(how: str, start: str, count: str) -> str:
    """A date so many months or days on, kept within the calendar; null where there is no number of them."""
    return f"case when {count} is not null then least({how}({start}, {count}), date '9999-12-31') end"


def _per(owner: Rule | Measure) -> Expression | None:
    return owner.per if isinstance(owner, Rule) else None


def _names_of(owner: Rule | Measure) -> frozenset[Name]:
    return names(owner.when.written if isinstance(owner, Rule) else owner.where.written)


def _end(row: Row, column: str, end: str) -> object:
    bounds = row.bounds.get(column)
    return bounds and (bounds.low if end == "lo" else bounds.high)


def _earliest_start(window: Window | None, first: dt.date) -> dt.date:
    """The first start of a window that still counts on a day."""
    if window and window.months:
        return first_start_still_open(first, window.months)
    if window and window.days:
        return add_days(first, 1 - window.days)
    return dt.date.min


def _latest_start(window: Window | None) -> dt.date:
    """The last start of a window that lasts a day: none reaches past the end of the calendar."""
    return add_days(dt.date.max, -1) if window and (window.months or window.days) else dt.date.max


def arrow_type(kind: Type) -> pa.DataType:
    """The Arrow type of a column."""
    match kind.kind:
        case ValueKind.TEXT:
            return pa.string()
        case ValueKind.DATE:
            return pa.date32()
        case ValueKind.BOOLEAN:
            return pa.bool_()
        case ValueKind.NUMBER if sql_type(kind) == "bigint":
            return pa.int64()
        case ValueKind.NUMBER:
            return pa.decimal128(kind.whole + kind.scale, kind.scale)
