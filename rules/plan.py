"""A pack as rows, without a day: what a judge needs, and nothing that it would have to interpret.

Rules are rows (one join a group of them), not branches of a query. What a condition asks of closed-list
columns is decided once a *signature*, a combination of their values; equality of other columns becomes a key
of the join, comparisons with a constant become two bounds a column, and only what none of these covers (the
*residual*) stays an expression, evaluated over the few candidates that the join leaves: the alpha network of
Rete (Forgy 1982) as a relational join. Time stands beside the condition as dates, decay and dated points as
steps, so that one plan serves every day.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise, product
from typing import Any

from rules.language.boxes import Box, Domain, boxes
from rules.language.expressions import (
    Expression,
    Kind,
    Level,
    Name,
    Value,
    conjunction,
    conjuncts,
    names,
    render,
)
from rules.model import DERIVED, Measure, Pack, Rule, Vocabulary, When, Window

LARGEST_HIT = 100_000_000
"""A hit is kept within ± 1,000,000 points: in hundredths."""

CROWDED = 24
"""The most rows that one key of a join may have before the join gets a further key column."""

MAX_ALTERNATIVES = 64
"""The most rows that the lists (``in``) of one rule are multiplied out to."""


@dataclass(frozen=True, slots=True)
class Row:
    """One way in which the condition of a rule or measure can be met.

    :param owner: the number of the rule or measure in the plan.
    :param closed: what it asks of closed-list columns of the record.
    :param equal: another column → the value that it must have.
    :param bounds: column → the interval in which it must lie.
    :param residual: what else must be true.
    """

    owner: int
    closed: Expression
    equal: Mapping[str, Value]
    bounds: Mapping[str, Domain]
    residual: Expression


@dataclass(frozen=True, slots=True)
class Dates:
    """From when until when rows of one join count, but for the months and days of each owner's window.

    :param start: the start of the window, None for what always counts.
    :param until: the end that the data give, None for none.
    :param begins, ends: further bounds that conditions set with ``as_of``.
    :param measures: the measures that conditions, points or these dates read.
    """

    level: Level
    start: Expression | None
    until: Expression | None
    begins: tuple[Expression, ...]
    ends: tuple[Expression, ...]
    measures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that one join serves.

    :param keys: the columns beside the signature that every row gives a value for, on which the join hashes.
    """

    dates: Dates
    keys: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """The points of a rule while a dated value and a step of its decay hold.

    :param first, until: the days on which the value is in force; ``until`` None for no end.
    :param since, till: whole months after the start of the window; ``till`` None for no end.
    :param full: hundredths, what ``per`` multiplies; ``points`` is what the decay keeps of it.
    """

    rule: int
    first: dt.date
    until: dt.date | None
    since: int
    till: int | None
    full: int
    points: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A pack as rows.

    :param rules: the pack's rules, by whose position rows name them.
    :param measures: the measures that rules read or that are shown, and those that they are made of, by whose
        position rows name them; each comes after those that it is made of.
    :param measured: the groups of rows of measures made of records.
    :param inputs: attribute or measure → the days on which a rule that reads it is in force.
    """

    pack: Pack
    rules: tuple[Rule, ...]
    groups: tuple[Group, ...]
    steps: tuple[Step, ...]
    measures: tuple[Measure, ...]
    measured: tuple[Group, ...]
    inputs: Mapping[Name, tuple[tuple[dt.date, dt.date | None], ...]]

    def measure(self, name: str) -> Measure:
        """The measure of that id."""
        return next(measure for measure in self.measures if measure.id == name)


def compile_plan(pack: Pack, shown: tuple[str, ...] = ()) -> Plan:
    """The plan of a pack.

    :param shown: measures that are wanted beside those that the rules read; no result depends on them.

    >>> from datetime import date
    >>> from rules.library.loader import find_pack
    >>> plan = compile_plan(find_pack("tourism-credit", date(2026, 8, 31)))
    >>> for step in plan.steps[:4]:
    ...     print(plan.rules[step.rule].id, step.since, step.till, step.points)  # months, hundredths
    scheme.joined 0 None 200
    commitment.made 0 None 50
    commitment.broken 0 1 -500
    commitment.broken 1 2 -458
    """
    closed = frozenset(closed_columns(pack.vocabulary))
    measures = used_measures(pack, pack.rules, shown)
    return Plan(
        pack=pack,
        rules=pack.rules,
        groups=tuple(_grouped(_rule_rows(pack.rules, closed))),
        steps=tuple(step for number, rule in enumerate(pack.rules) for step in steps_of(number, rule)),
        measures=measures,
        measured=tuple(_grouped(_measure_rows(measures, closed))),
        inputs=inputs_of(pack),
    )


def closed_columns(vocabulary: Vocabulary) -> tuple[str, ...]:
    """The columns of records that make their signature: those with a closed list of codes, and booleans."""
    if vocabulary.records is None:
        return ()
    keys = {vocabulary.records.key, vocabulary.record_subject}
    return tuple(
        name
        for name, column in vocabulary.records.columns.items()
        if name not in keys and (column.values or column.type.kind is Kind.BOOLEAN)
    )


def used_measures(pack: Pack, rules: Sequence[Rule], shown: Iterable[str] = ()) -> tuple[Measure, ...]:
    """The measures that the rules read or that are shown, and those that they are made of, in the order of
    the pack.

    >>> from datetime import date
    >>> from rules.library.loader import find_pack
    >>> pack = find_pack("tourism-credit", date(2026, 8, 31))
    >>> [measure.id for measure in used_measures(pack, (), shown=["commitment_kept_share"])]
    ['commitments_due', 'commitments_kept', 'commitment_kept_share']
    """
    used = {*shown} | {name for rule in rules for name in _measures_in(rule_names(rule))}
    for measure in reversed(pack.measures):
        if measure.id in used:
            used.update(measure.parts, _measures_in(names(measure.where.written)))
    return tuple(m for m in pack.measures if m.id in used)


def rows_in_force(pack: Pack, day: dt.date) -> dict[str, str]:
    """The rows of tables that have a value on the day: by the id of the row's rule, the table's."""
    rows = (rule for rule in pack.rules if rule.table and rule.points)
    return {r.id: str(r.table) for r in rows if r.points and r.points.on(day) is not None}


def rules_in_force(pack: Pack, day: dt.date) -> tuple[Rule, ...]:
    """The rules that have a value on a day; a veto always has.

    >>> from datetime import date
    >>> from rules.library.loader import find_pack
    >>> pack = find_pack("tourism-credit", date(2026, 8, 31))
    >>> [rule.id for rule in rules_in_force(pack, date(2026, 8, 31))][:3]
    ['scheme.joined', 'commitment.made', 'commitment.broken']
    """
    return tuple(r for r in pack.rules if r.is_veto or (r.points and r.points.on(day) is not None))


def rule_names(rule: Rule) -> frozenset[Name]:
    """Every name that a rule reads, dates included.

    >>> from datetime import date
    >>> from rules.library.loader import find_pack
    >>> pack = find_pack("tourism-credit", date(2026, 8, 31))
    >>> sorted((name.name, str(name.level)) for name in rule_names(pack.rules[0]))
    [('joined_on', 'subject'), ('state', 'subject')]
    """
    read = names(rule.when.written) | (names(rule.per) if rule.per else frozenset())
    if rule.window:
        read |= names(rule.window.start) | (names(rule.window.until) if rule.window.until else frozenset())
    return read


def in_force(rule: Rule) -> tuple[tuple[dt.date, dt.date | None, int], ...]:
    """(first day, until, hundredths) of a rule's dated points, save those that are null. A veto gives 0."""
    if rule.points is None:
        return ((dt.date.min, None, 0),)
    ends = [*(start for start, _ in rule.points.steps[1:]), None]
    spans = zip(rule.points.steps, ends, strict=True)
    return tuple((start, end, points) for (start, points), end in spans if points is not None)


def steps_of(number: int, rule: Rule) -> Iterator[Step]:
    """The points of a rule by dated value and step of decay, equal steps of decay taken together."""
    decay = rule.window.decay if rule.window else ()
    for first, until, full in in_force(rule):
        kept = [(0, full), *((step.months, round_half_away(full * step.keep)) for step in decay)]
        starts = [kept[0], *(later for earlier, later in pairwise(kept) if later[1] != earlier[1])]
        for (since, points), till in zip(starts, [*(months for months, _ in starts[1:]), None], strict=True):
            yield Step(number, first, until, since, till, full, points)


def round_half_away(value: Fraction) -> int:
    """The nearest integer; a half goes away from zero.

    >>> from fractions import Fraction
    >>> [round_half_away(Fraction(halves, 2)) for halves in (1, 3, -1, -3)]
    [1, 2, -1, -2]
    """
    size = (2 * abs(value.numerator) + value.denominator) // (2 * value.denominator)
    return size if value >= 0 else -size


def inputs_of(pack: Pack) -> dict[Name, tuple[tuple[dt.date, dt.date | None], ...]]:
    """Each attribute or measure that rules read → the days (first, until) on which one of them is in force.

    >>> from datetime import date
    >>> from rules.library.loader import find_pack
    >>> asked = inputs_of(find_pack("tourism-credit", date(2026, 8, 31)))
    >>> sorted(name.name for name in asked)[:2]
    ['bad_records', 'check_pass_share']
    """
    asked: dict[Name, list[tuple[dt.date, dt.date | None]]] = {}
    for rule in pack.rules:
        for name in rule_names(rule):
            if name.level is not Level.RECORD:
                asked.setdefault(name, []).extend((first, until) for first, until, _ in in_force(rule))
    return {name: _united(spans) for name, spans in asked.items() if spans}


def _united(spans: Iterable[tuple[dt.date, dt.date | None]]) -> tuple[tuple[dt.date, dt.date | None], ...]:
    """Intervals that together hold the days of the given ones, none touching another."""
    found: list[tuple[dt.date, dt.date | None]] = []
    for first, until in sorted(spans, key=lambda span: span[0]):
        last = found[-1] if found else None
        if last is None or (last[1] is not None and last[1] < first):
            found.append((first, until))
        elif last[1] is not None and (until is None or until > last[1]):
            found[-1] = (last[0], until)
    return tuple(found)


# Rows


def _rule_rows(rules: Sequence[Rule], closed: frozenset[str]) -> Iterator[tuple[Dates, Row]]:
    for number, rule in enumerate(rules):
        read = tuple(sorted(_measures_in(rule_names(rule))))
        dates = _dates(rule.level, rule.window, rule.when, read)
        for row in _rows(number, rule.when.condition, rule.level, closed):
            yield dates, row


def _measure_rows(measures: Sequence[Measure], closed: frozenset[str]) -> Iterator[tuple[Any, Row]]:
    for number, measure in enumerate(measures):
        if measure.aggregate not in DERIVED:
            dates = _dates(Level.RECORD, measure.window, measure.where, ())
            for row in _rows(number, measure.where.condition, Level.RECORD, closed):
                yield dates, row


def _dates(level: Level, window: Window | None, when: When, measures: tuple[str, ...]) -> Dates:
    start, until = (window.start, window.until) if window else (None, None)
    return Dates(level, start, until, when.begins, when.ends, measures)


def _measures_in(read: Iterable[Name]) -> set[str]:
    return {name.name for name in read if name.level is Level.MEASURE}


def _rows(owner: int, condition: Expression, level: Level, closed: frozenset[str]) -> Iterator[Row]:
    asked: list[Expression] = []
    others: list[Expression] = []
    for term in conjuncts(condition):
        read = names(term)
        of_signature = bool(read) and all(n.level is Level.RECORD and n.name in closed for n in read)
        (asked if of_signature else others).append(term)
    for box in boxes(conjunction(tuple(others)), most=1):
        yield from _multiplied(owner, conjunction(tuple(asked)), box, level)


def _multiplied(owner: int, closed: Expression, box: Box, level: Level) -> Iterator[Row]:
    """A row for each combination of the values that the box lists for columns of the level."""
    lists: dict[str, list[Value]] = {}
    bounds: dict[str, Domain] = {}
    residual: list[Expression] = []
    size = 1
    for operand, domain in box.domains.items():
        column = operand.name if isinstance(operand, Name) and operand.level is level else None
        if column is None or domain.unknown or (domain.among is None and domain.low is domain.high is None):
            residual.append(domain.condition(operand))
        elif domain.among is None:
            bounds[column] = domain
            if domain.without:
                residual.append(Domain(without=domain.without).condition(operand))
        elif size * len(domain.among) <= MAX_ALTERNATIVES:
            size *= len(domain.among)
            lists[column] = sorted(domain.among, key=str)
        else:
            residual.append(domain.condition(operand))
    for values in product(*lists.values()):
        equal = dict(zip(lists, values, strict=True))
        yield Row(owner, closed, equal, bounds, conjunction(tuple(residual)))


def _grouped(drafts: Iterable[tuple[Dates, Row]]) -> Iterator[Group]:
    gathered: dict[Dates, list[Row]] = {}
    for dates, row in drafts:
        gathered.setdefault(dates, []).append(row)
    for dates, together in gathered.items():
        for keys, rows in split(together):
            yield Group(dates, keys, tuple(rows))


# Which rows share a join


def split(rows: Sequence[Row]) -> Iterable[tuple[tuple[str, ...], Sequence[Row]]]:
    """Rows as joins: few joins, and for every key few rows.

    All rows together are joined on the columns that each of them gives a value for. Where some key is then
    crowded, the rows that give a value for one more column are taken apart from those that don't.
    """
    shared = frozenset.intersection(*(frozenset(row.equal) for row in rows))
    extra = Counter(name for row in rows for name in row.equal if name not in shared)
    crowd = Counter((render(row.closed), *(row.equal[k] for k in sorted(shared))) for row in rows)
    if not extra or max(crowd.values()) <= CROWDED:
        yield tuple(sorted(shared)), rows
        return
    column = max(extra, key=lambda name: (extra[name], name))
    yield from split([row for row in rows if column in row.equal])
    yield from split([row for row in rows if column not in row.equal])
