"""The groups of a plan as relations of rule rows, and the joins that find what they hit."""

from __future__ import annotations

import datetime as dt
from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from rules.expressions import TEXT, TRUE, Expression, Level, Name, Type, names, render
from rules.expressions import Kind as ValueKind
from rules.plan import Bounds, Group, Plan, Row
from scoring.pools import pool_numbers, pool_of
from scoring.sql import all_of, cast, date, of, quoted, sql_type, to_sql

LARGEST_HIT = 100_000_000
"""A hit is kept within ± 1,000,000 points: in hundredths."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """The distinct expressions of a group, numbered: ``case n when 0 then … end``."""

    expressions: tuple[Expression, ...]

    @classmethod
    def of(cls, expressions: Sequence[Expression | None]) -> Conditions:
        return cls(tuple({render(e): e for e in expressions if e is not None}.values()))

    def number(self, expression: Expression | None) -> int | None:
        return None if expression is None else self.expressions.index(expression)


def with_cut_offs(group: Group) -> Group:
    """The group; where windows start in a column, their cut-off dates are lower bounds of that column."""
    if not isinstance(group.start, Name):
        return group
    return replace(group, rows=tuple(_cut_off(row, group.start.name) for row in group.rows))


def _cut_off(row: Row, column: str) -> Row:
    old = row.bounds.get(column, Bounds())
    low = row.earliest_start if old.low is None else max(old.low, row.earliest_start)
    return replace(row, bounds={**row.bounds, column: Bounds(low, old.high)})


@dataclass(frozen=True, slots=True)
class Join:
    """One group with everything that its query needs.

    :param table: the name that the relation of rule rows is registered under.
    """

    plan: Plan
    group: Group
    table: str

    @property
    def residuals(self) -> Conditions:
        return Conditions.of([row.residual for row in self.group.rows if row.residual != TRUE])

    @property
    def multipliers(self) -> Conditions:
        return Conditions.of([row.per for row in self.group.rows])

    @property
    def equal(self) -> list[Name]:
        """The columns for which some row gives a value."""
        return [self.plan.names[n] for n in sorted({n for row in self.group.rows for n in row.equal})]

    @property
    def bounded(self) -> list[Name]:
        """The columns that some row bounds."""
        return [self.plan.names[n] for n in sorted({n for row in self.group.rows for n in row.bounds})]

    @property
    def read(self) -> frozenset[Name]:
        """Every name that the query reads."""
        expressions = [*self.residuals.expressions, *self.multipliers.expressions, *self._dates]
        found = frozenset(n for e in expressions for n in names(e))
        return found | frozenset(self.equal) | frozenset(self.bounded)

    @property
    def _dates(self) -> list[Expression]:
        group = self.group
        return [e for e in (group.start, group.until, *group.begins, *group.ends) if e is not None]

    def relation(self) -> pa.Table:
        """The rule rows as Arrow: one row a :class:`rules.plan.Row`."""
        pools = pool_numbers(self.plan)
        residuals, multipliers, equal, bounded = self.residuals, self.multipliers, self.equal, self.bounded

        def cells(row: Row) -> dict[str, Any]:
            known: dict[str, Any] = {f"_eq_{n.name}": row.equal.get(n.name) for n in equal}
            for name in bounded:
                bounds = row.bounds.get(name.name)
                known[f"_lo_{name.name}"] = bounds and bounds.low
                known[f"_hi_{name.name}"] = bounds and bounds.high
            return known | {
                "_rule": row.rule,
                "_pool": pools[pool_of(self.plan.rules[row.rule])],
                "_residual": None if row.residual == TRUE else residuals.number(row.residual),
                "_multiplier": multipliers.number(row.per),
                "_elapsed": row.elapsed,
                "_next_step": row.next_step,
                "_earliest_start": row.earliest_start,
                "_months": row.months,
                "_days": row.days,
                "_points": row.points,
            }

        return pa.Table.from_pylist([cells(row) for row in self.group.rows], schema=self._schema())

    def _schema(self) -> pa.Schema:
        fields = [(f"_eq_{n.name}", _arrow(n.type)) for n in self.equal]
        fields += [(f"_{end}_{n.name}", _arrow(n.type)) for n in self.bounded for end in ("lo", "hi")]
        fields += [(n, pa.int32()) for n in _NUMBERS]
        return pa.schema([*fields, ("_earliest_start", pa.date32()), ("_points", pa.int64())])

    def query(self, frame: str, records: str | None) -> str:
        """All hits and candidates of the group: subject_id, rule, pool, record_id, points, counts_from,
        counts_until, next_step_on.

        :param frame: the table of subjects with their measures.
        """
        day = date(self.plan.as_of)
        on = all_of(f"s.{quoted(k)} = r.{quoted('_eq_' + k)}" for k in self.group.keys)
        elapsed = " and s._elapsed = r._elapsed" if self.group.decays else ""
        begins = "s._begins_on" if self._timed else "cast(null as date)"
        return (
            "select s._subject_key as subject_id, r._rule as rule, r._pool as pool,"
            f" s._record_key as record_id, {self._points()} as points,"
            f" {begins} as counts_from, {self._ends()} as counts_until,"
            f" {self._steps()} as next_step_on"
            f" from ({self._source(frame, records)}) s join {self.table} r on {on}{elapsed}"
            f" where {all_of(self._filters(day))}"
        )

    @property
    def _timed(self) -> bool:
        return self.group.start is not None or bool(self.group.begins)

    def _source(self, frame: str, records: str | None) -> str:
        """The rows to be judged, with the dates that decide whether they count."""
        pack, group = self.plan.pack, self.group
        key, link = quoted(pack.vocabulary.subject.key), quoted(pack.vocabulary.record_subject)
        of_record = group.level is Level.RECORD and pack.vocabulary.records is not None
        own = {
            n.name: f"{link} as {key}" if of_record and quoted(n.name) == key else quoted(n.name)
            for n in self.read
        }
        columns = [own[name] for name in sorted(own)]
        begins = [to_sql(e) for e in ([group.start] if group.start else []) + list(group.begins)]
        if begins:
            columns.append(f"{of('greatest', begins)} as _begins_on")
        if group.start:
            columns.append(f"{to_sql(group.start)} as _starts_on")
        if group.until or group.ends:
            ends = [to_sql(e) for e in ([group.until] if group.until else []) + list(group.ends)]
            columns.append(f"{of('least', ends)} as _stops_on")
        if group.decays and group.start:
            columns.append(f"{_elapsed(to_sql(group.start), self.plan.as_of)} as _elapsed")
        needed = [f"{to_sql(e)} is not null" for e in (*group.begins, *group.ends)]
        listed = ", ".join(columns)
        if not of_record or pack.vocabulary.records is None:
            record_type = sql_type(
                pack.vocabulary.records.columns[pack.vocabulary.records.key].type
                if pack.vocabulary.records
                else TEXT
            )
            head = f"select {key} as _subject_key, cast(null as {record_type}) as _record_key"
            return f"{head}{', ' if listed else ''}{listed} from {frame} where {all_of(needed)}"
        record = quoted(pack.vocabulary.records.key)
        attributes = sorted(
            n.name for n in self.read if n.level is not Level.RECORD and quoted(n.name) != key
        )
        join = ""
        if attributes:
            wanted = ", ".join(quoted(name) for name in attributes)
            join = f" join (select {key} as _frame_key, {wanted} from {frame}) on _frame_key = {link}"
        head = f"select {link} as _subject_key, {record} as _record_key"
        return f"{head}{', ' if listed else ''}{listed} from {records}{join} where {all_of(needed)}"

    def _filters(self, day: str) -> list[str]:
        filters = []
        for name in self.equal:
            if name.name not in self.group.keys:
                column = quoted("_eq_" + name.name)
                filters.append(f"(r.{column} is null or s.{quoted(name.name)} = r.{column})")
        for name in self.bounded:
            own = f"s.{quoted(name.name)}"
            for end, op in (("lo", ">="), ("hi", "<=")):
                column = f"r.{quoted(f'_{end}_{name.name}')}"
                given = [_end(row, name.name, end) is not None for row in self.group.rows]
                if all(given):
                    filters.append(f"{own} {op} {column}")
                elif any(given):
                    filters.append(f"({column} is null or {own} {op} {column})")
        if self.group.start and not isinstance(self.group.start, Name):
            filters.append("s._starts_on >= r._earliest_start")
        if self.group.until or self.group.ends:
            filters.append(f"(s._stops_on is null or s._stops_on > {day})")
        if self.residuals.expressions:
            filters.append(_case("r._residual", self.residuals.expressions, otherwise="true"))
        if self.multipliers.expressions:
            filters.append(
                f"{_case('r._multiplier', self.multipliers.expressions, wrap=_known, otherwise='true')}"
            )
        return filters

    def _points(self) -> str:
        if not self.multipliers.expressions:
            return "r._points"
        product = _case("r._multiplier", self.multipliers.expressions, wrap=_product, otherwise="r._points")
        return f"cast(greatest(-{LARGEST_HIT}, least({LARGEST_HIT}, {product})) as bigint)"

    def _ends(self) -> str:
        rows = self.group.rows
        ends = ["s._stops_on"] if self.group.until or self.group.ends else []
        if any(row.months for row in rows):
            ends.append("add_months(s._starts_on, r._months)")
        if any(row.days for row in rows):
            ends.append("add_days(s._starts_on, r._days)")
        return f"cast({of('least', ends)} as date)" if ends else "cast(null as date)"

    def _steps(self) -> str:
        return "add_months(s._starts_on, r._next_step)" if self.group.decays else "cast(null as date)"


_NUMBERS = ("_rule", "_pool", "_residual", "_multiplier", "_elapsed", "_next_step", "_months", "_days")


def _end(row: Row, column: str, end: str) -> object:
    bounds = row.bounds.get(column)
    return bounds and (bounds.low if end == "lo" else bounds.high)


def _case(number: str, expressions: Sequence[Expression], otherwise: str, wrap: Any = to_sql) -> str:
    branches = " ".join(f"when {i} then {wrap(e)}" for i, e in enumerate(expressions))
    return f"case {number} {branches} else {otherwise} end"


def _known(expression: Expression) -> str:
    return f"{to_sql(expression)} is not null"


def _product(expression: Expression) -> str:
    """Hundredths × value, rounded half away from zero, as SQL's ``round`` of an exact decimal does."""
    product = f"cast(r._points as decimal(19, 0)) * {cast(expression, expression.type)}"
    return f"cast(round({product}, 0) as decimal(38, 0))"


def _elapsed(start: str, as_of: dt.date) -> str:
    """Whole months from ``start`` to the day: -1 where it lies ahead. See rules.calendar.months_elapsed."""
    months = f"{as_of.year * 12 + as_of.month} - (12 * year({start}) + month({start}))"
    last_day = as_of.day == monthrange(as_of.year, as_of.month)[1]
    short = "0" if last_day else f"case when day({start}) > {as_of.day} then 1 else 0 end"
    return f"cast(greatest(-1, {months} - {short}) as integer)"


def _arrow(kind: Type) -> pa.DataType:
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
