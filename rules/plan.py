"""A pack on one day as rows: what an engine needs, and nothing that it would have to interpret.

Rules are rows (one join a group of them), not branches of a query: equality terms become the columns that a
hash join matches, comparisons with a constant become two bounds a column, windows become a cut-off date,
decay becomes a row for every elapsed month, and only what none of these covers (the *residual*) stays an
expression, evaluated over the few candidates that the join leaves. It is the alpha network of Rete (Forgy
1982) as a relational join.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from itertools import product
from typing import Any

from rules.calendar import add_days, first_start_still_open
from rules.exact import EXACT
from rules.expressions import (
    TRUE,
    Compare,
    Expression,
    In,
    Kind,
    Level,
    Literal,
    Name,
    Type,
    Value,
    conjunction,
    conjuncts,
    names,
)
from rules.model import Measure, Pack, Rule, When, Window

CROWDED = 24
"""The most rows that one key of a join may have before the join gets a further key column."""

MAX_ALTERNATIVES = 64
"""The most rows that the lists (``in``) of one rule are multiplied out to."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """A closed interval of a number or date column; None leaves an end open."""

    low: Decimal | dt.date | None = None
    high: Decimal | dt.date | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One way in which one rule can be met.

    :param rule: the rule's number in the plan.
    :param equal: column → the value that it must have.
    :param bounds: column → the interval in which it must lie.
    :param residual: what else must be true.
    :param elapsed: for a decaying rule, the whole months since the window's start (-1: not begun).
    :param next_step: for a decaying rule, after how many months the points change next.
    :param earliest_start: the first start of the window that still counts on the day of the plan.
    :param points: hundredths; with ``per``, hundredths for each unit.
    """

    rule: int
    equal: Mapping[str, Value]
    bounds: Mapping[str, Bounds]
    residual: Expression
    per: Expression | None
    elapsed: int | None
    next_step: int | None
    earliest_start: dt.date
    months: int | None
    days: int | None
    points: int


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that one join serves: the same level and the same dates.

    :param keys: the columns that every row gives a value for, on which the join hashes.
    :param start: the start of the window, None for rules that always count.
    :param until: the end that the data give, None for none.
    :param begins, ends: further bounds that conditions set with ``as_of``.
    """

    level: Level
    start: Expression | None
    until: Expression | None
    begins: tuple[Expression, ...]
    ends: tuple[Expression, ...]
    decays: bool
    keys: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class TimedMeasure:
    """A measure over records, its condition freed of ``as_of``."""

    measure: Measure
    timed: When


@dataclass(frozen=True, slots=True)
class Plan:
    """A pack on one day.

    :param rules: the pack's rules in force that day, numbered by their position.
    :param names: name → column, attribute or measure, for all that the groups' rows name.
    :param next_version_on: the first later day on which a dated value or the pack itself changes.
    """

    pack: Pack
    as_of: dt.date
    rules: tuple[Rule, ...]
    groups: tuple[Group, ...]
    measures: tuple[TimedMeasure, ...]
    names: Mapping[str, Name]
    next_version_on: dt.date | None

    @property
    def inputs(self) -> tuple[Name, ...]:
        """The attributes and measures that the rules read, for the completeness of a result."""
        read = (name for name in self.names.values() if name.level is not Level.RECORD)
        return tuple(sorted(read, key=lambda n: n.name))


def compile_plan(pack: Pack, as_of: dt.date, shown: Iterable[str] = ()) -> Plan:
    """The plan of a pack on a day. Rules without a value on that day are left out.

    :param shown: measures that are wanted beside those that the rules read; no result depends on them.
    """
    rules = tuple(
        r for r in pack.rules if r.tier is not None or (r.points and r.points.on(as_of) is not None)
    )
    drafts = [draft for number, rule in enumerate(rules) for draft in _drafts(number, rule, as_of)]
    gathered: dict[_Dates, list[Row]] = {}
    for dates, row in drafts:
        gathered.setdefault(dates, []).append(row)
    groups = tuple(
        Group(
            dates.level, dates.start, dates.until, dates.begins, dates.ends, dates.decays, keys, tuple(rows)
        )
        for dates, all_rows in gathered.items()
        for keys, rows in split(all_rows)
    )
    return Plan(
        pack=pack,
        as_of=as_of,
        rules=rules,
        groups=groups,
        measures=tuple(TimedMeasure(m, m.where) for m in used_measures(pack, rules, shown)),
        names={n.name: n for rule in rules for n in rule_names(rule)},
        next_version_on=_next_version(pack, as_of),
    )


def used_measures(pack: Pack, rules: Sequence[Rule], shown: Iterable[str] = ()) -> tuple[Measure, ...]:
    """The measures that the rules read or that are shown, and those that they are made of, in the order of
    the pack."""
    used = {*shown} | {n.name for rule in rules for n in rule_names(rule) if n.level is Level.MEASURE}
    for measure in reversed(pack.measures):
        if measure.id in used:
            used.update(
                measure.parts, (n.name for n in names(measure.where.written) if n.level is Level.MEASURE)
            )
    return tuple(m for m in pack.measures if m.id in used)


def rows_in_force(pack: Pack, day: dt.date) -> dict[str, str]:
    """The rows of tables that have a value on the day: by the id of the row's rule, the table's."""
    rows = (rule for rule in pack.rules if rule.table and rule.points)
    return {r.id: str(r.table) for r in rows if r.points and r.points.on(day) is not None}


def rule_names(rule: Rule) -> frozenset[Name]:
    """Every name that a rule reads, dates included."""
    read = names(rule.when.written) | (names(rule.per) if rule.per else frozenset())
    if rule.window:
        read |= names(rule.window.start) | (names(rule.window.until) if rule.window.until else frozenset())
    return read


@dataclass(frozen=True, slots=True)
class _Dates:
    """What the rows of one join share."""

    level: Level
    start: Expression | None
    until: Expression | None
    begins: tuple[Expression, ...]
    ends: tuple[Expression, ...]
    decays: bool


def _drafts(number: int, rule: Rule, as_of: dt.date) -> Iterable[tuple[_Dates, Row]]:
    timed = rule.when
    window = rule.window
    if window and window.is_over(as_of):
        return
    dates = _Dates(
        rule.level,
        window.start if window else None,
        window.until if window else None,
        timed.begins,
        timed.ends,
        bool(window and window.decay),
    )
    full = (rule.points.on(as_of) if rule.points else 0) or 0
    for terms in _alternatives(timed.condition, rule.level):
        for elapsed, next_step, points in _steps(window, full):
            yield (
                dates,
                Row(
                    rule=number,
                    equal=terms.equal,
                    bounds=terms.bounds,
                    residual=conjunction(tuple(terms.residual)),
                    per=rule.per,
                    elapsed=elapsed,
                    next_step=next_step,
                    earliest_start=_earliest_start(window, as_of),
                    months=window.months if window else None,
                    days=window.days if window else None,
                    points=points,
                ),
            )


def _steps(window: Window | None, points: int) -> Iterable[tuple[int | None, int | None, int]]:
    """For a decaying window, every elapsed month with the next step and the points that remain."""
    if window is None or not window.decay:
        yield None, None, points
        return
    yield -1, None, 0
    for elapsed in range(window.months or 0):
        kept = [step.keep for step in window.decay if step.months <= elapsed]
        ahead = [step.months for step in window.decay if step.months > elapsed]
        keep = kept[-1] if kept else Fraction(1)
        yield elapsed, min(ahead, default=None), round_half_away(points * keep)


def round_half_away(value: Fraction) -> int:
    """The nearest integer; a half goes away from zero."""
    size = (2 * abs(value.numerator) + value.denominator) // (2 * value.denominator)
    return size if value >= 0 else -size


def _earliest_start(window: Window | None, as_of: dt.date) -> dt.date:
    if window and window.months:
        return first_start_still_open(as_of, window.months)
    if window and window.days:
        return add_days(as_of, 1 - window.days)
    return dt.date.min


# A condition taken apart


@dataclass(slots=True)
class _Terms:
    equal: dict[str, Value] = field(default_factory=dict)
    bounds: dict[str, Bounds] = field(default_factory=dict)
    residual: list[Expression] = field(default_factory=list)


def _alternatives(condition: Expression, level: Level) -> Iterable[_Terms]:
    """The condition as equalities, bounds and a residual; lists multiply out to several."""
    common = _Terms()
    lists: list[tuple[str, tuple[Value, ...]]] = []
    size = 1
    for term in conjuncts(condition):
        match term:
            case Compare(op="=", left=Name() as name, right=Literal() as value) if name.level is level:
                if (
                    not _holds(name, value.value)
                    or common.equal.setdefault(name.name, value.value) != value.value
                ):
                    return
            case Name() if term.level is level:
                if common.equal.setdefault(term.name, True) is not True:
                    return
            case In(operand=Name() as name) if (
                name.level is level and size * len(term.values) <= MAX_ALTERNATIVES
            ):
                size *= len(term.values)
                lists.append((name.name, tuple(v.value for v in term.values if _holds(name, v.value))))
            case Compare(left=Name() as name, right=Literal()) if name.level is level and _bounded(name):
                if not _narrow(common, name, term):
                    return
            case _ if term != TRUE:
                common.residual.append(term)
    for values in product(*(choices for _, choices in lists)):
        equal = dict(common.equal)
        if all(
            equal.setdefault(name, value) == value for (name, _), value in zip(lists, values, strict=True)
        ):
            yield _Terms(equal, common.bounds, common.residual)


def _bounded(name: Name) -> bool:
    return name.type.kind in (Kind.NUMBER, Kind.DATE) and name.type.whole <= 18


def _holds(name: Name, value: Value) -> bool:
    """Whether the column can have that value at all: a whole number never equals 2.5."""
    if name.type.kind is not Kind.NUMBER:
        return True
    number: Fraction = Fraction(value)  # type: ignore[arg-type]
    whole = number * Fraction(10) ** name.type.scale
    return whole.denominator == 1 and abs(number) < Fraction(10) ** name.type.whole


def _narrow(terms: _Terms, name: Name, term: Compare) -> bool:
    """Takes a comparison into the bounds of its column; False where nothing can meet them any more."""
    value = term.right.value if isinstance(term.right, Literal) else None
    if term.op == "<>" or not _in_range(name, value):
        terms.residual.append(term)
        return True
    low, high = closed(name.type, term.op, value)
    old = terms.bounds.get(name.name, Bounds())
    new = Bounds(_tighter(max, old.low, low), _tighter(min, old.high, high))
    terms.bounds[name.name] = new
    return new.low is None or new.high is None or bool(new.low <= new.high)  # type: ignore[operator]


def _in_range(name: Name, value: object) -> bool:
    """Whether a bound, and its neighbour by the column's grain, are values that the column can hold."""
    if isinstance(value, dt.date):
        return dt.date.min < value < dt.date.max
    return EXACT.abs(Decimal(str(value))) < Decimal(10) ** name.type.whole - 1


def closed(kind: Type, op: str, value: object) -> tuple[Decimal | dt.date | None, Decimal | dt.date | None]:
    """A comparison as the closed interval that the column's grain makes it: > 5 of an integer is ≥ 6."""
    if isinstance(value, dt.date):
        if op in (">", ">="):
            return (add_days(value, 1) if op == ">" else value), None
        return None, (add_days(value, -1) if op == "<" else value)
    grain = Decimal(1).scaleb(-kind.scale)
    exact = Decimal(str(value))
    below = exact.quantize(grain, "ROUND_FLOOR", EXACT)
    above = exact.quantize(grain, "ROUND_CEILING", EXACT)
    if op in (">", ">="):
        return (EXACT.add(below, grain) if op == ">" else above), None
    return None, (EXACT.subtract(above, grain) if op == "<" else below)


def _tighter(choose: Callable[[Any, Any], Any], old: Any, new: Any) -> Any:
    if old is None or new is None:
        return new if old is None else old
    return choose(old, new)


# Which rows share a join


def split(rows: Sequence[Row]) -> Iterable[tuple[tuple[str, ...], Sequence[Row]]]:
    """Rows as joins: few joins, and for every key few rows.

    All rows together are joined on the columns that each of them gives a value for. Where some key is then
    crowded, the rows that give a value for one more column are taken apart from those that don't.
    """
    shared = frozenset.intersection(*(frozenset(row.equal) for row in rows))
    extra = Counter(name for row in rows for name in row.equal if name not in shared)
    crowd = Counter((*(row.equal[k] for k in sorted(shared)), row.elapsed) for row in rows)
    if not extra or max(crowd.values()) <= CROWDED:
        yield tuple(sorted(shared)), rows
        return
    column = max(extra, key=lambda name: (extra[name], name))
    yield from split([row for row in rows if column in row.equal])
    yield from split([row for row in rows if column not in row.equal])


def _next_version(pack: Pack, as_of: dt.date) -> dt.date | None:
    dated = [r.points.next_change(as_of) for r in pack.rules if r.points]
    ahead = [day for day in (*dated, pack.in_force_until) if day is not None and day > as_of]
    return min(ahead, default=None)
