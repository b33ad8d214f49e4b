"""What a pack makes of a subject, as terms of the solver: measures, points, dimensions, the score, the tier.

A subject's records are the number of those of each kind (:mod:`rules.tools.prove.kinds`). What has no exact
term is a number of its own within its bounds: more is held possible than is, and what is proved holds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import z3

from rules.language.evaluate import compiled
from rules.language.expressions import (
    TRUE,
    Arithmetic,
    Expression,
    Kind,
    Level,
    Literal,
    Name,
    Value,
    names,
    walk,
)
from rules.model import DERIVED, NEVER_UNKNOWN, SCORE, Aggregate, Decision, Measure
from rules.plan import LARGEST_HIT
from rules.tools.prove.cells import Cells
from rules.tools.prove.day import Hit, Sheet
from rules.tools.prove.kinds import RecordKind, Use
from rules.tools.prove.values import Choice, Number, OpenError, Symbol, Terms

YES = z3.BoolVal(True)


@dataclass(slots=True)
class Facts:
    """A subject's records.

    :param counts: by kind, how many.
    :param before: the same subject with fewer records.
    :ivar shared: what measures come to, by what they are: equal ones of two packs are one.
    :ivar met_by: use → the kinds that it can meet, with what it asks of the subject.
    :ivar latest: the latest values, each with the values that kinds of records have.
    """

    kinds: Sequence[RecordKind]
    counts: Sequence[Any]
    before: Facts | None = None
    totals: dict[tuple[int, Name], Any] = field(default_factory=dict)
    shared: dict[Any, Any] = field(default_factory=dict)
    met_by: dict[int, list[tuple[int, Expression]]] = field(default_factory=lambda: defaultdict(list))
    latest: list[tuple[Choice, Mapping[int, Value | None]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for number, kind in enumerate(self.kinds):
            for use, condition in kind.conditions.items():
                self.met_by[use].append((number, condition))

    def total(self, kind: int, column: Name, terms: Terms) -> Any:
        """The sum of a number column over the records of a kind, on the column's grain."""
        cell = self.kinds[kind].row[column]
        if cell.value is None:
            return z3.IntVal(0)
        key = kind, column
        if key not in self.totals:
            new, many = terms.whole(), self.counts[kind]
            self.totals[key] = new
            if self.before is not None:
                many -= self.before.counts[kind]
                self.totals[key] = new + self.before.total(kind, column, terms)
            terms.sides += [new >= many * cell.low, new <= many * cell.high]
        return self.totals[key]

    def multiplied(self, kind: int, column: Name, points: Fraction, terms: Terms) -> Any:
        """The points for the records of a kind, each its points times the column, rounded: together they are
        off by half a hundredth of each record at most."""
        key = kind, column, points
        if key not in self.shared:
            new, many, total = terms.whole(), self.counts[kind], self.total(kind, column, terms)
            self.shared[key] = new
            if self.before is not None:
                many -= self.before.counts[kind]
                total -= self.before.total(kind, column, terms)
                self.shared[key] = new + self.before.multiplied(kind, column, points, terms)
            grain = 10**column.type.scale * points.denominator
            apart = 2 * (new * grain - total * points.numerator)
            terms.sides += [apart <= many * grain, -apart <= many * grain]
        return self.shared[key]

    def once(self, key: object, kinds: Iterable[int], terms: Terms, make: Callable[[], Symbol]) -> Symbol:
        """What equal keys come to, made once; with no record more of these kinds it is what it was before.

        :param key: all that it depends on, besides the records of these kinds.
        """
        if key not in self.shared:
            made = self.shared[key] = make()
            before = self.before
            if before is not None and key in before.shared:
                as_before = z3.And([self.counts[kind] == before.counts[kind] for kind in kinds])
                terms.sides.append(z3.Implies(as_before, _same(made, before.shared[key])))
        found: Symbol = self.shared[key]
        return found


@dataclass(frozen=True, slots=True)
class Result:
    """What a pack gives.

    :param score: hundredths.
    :param rank: the tier's place, 0 the worst.
    :param hits: rule → whether it hits.
    """

    score: Any
    rank: Any
    hits: Mapping[str, Any]


def uses_of(sheet: Sheet, cells: Cells) -> list[Use]:
    """What a pack makes of records: its measures, then its rules."""
    measures = [
        Use(condition, _watched(measure, cells))
        for measure, condition in sheet.measures
        if measure.aggregate not in DERIVED
    ]
    rules = [hit for hit in sheet.hits if hit.rule.level is Level.RECORD]
    return measures + [Use(hit.condition, _of_records(hit.rule.per)) for hit in rules]


def _watched(measure: Measure, cells: Cells) -> frozenset[Name]:
    """The columns that a measure goes on with, where it has a term."""
    by, read = measure.by, _of_records(measure.operand)
    if _adds_up(measure):
        listed = isinstance(by, Name) and cells.listed(by)
        return read if by is None else read | names(by) if listed else frozenset()
    if measure.window is not None and _is_latest(measure, cells):
        return read | _of_records(measure.window.start)
    return frozenset()


def _adds_up(measure: Measure) -> bool:
    return measure.aggregate is Aggregate.COUNT or (
        measure.aggregate is Aggregate.SUM and isinstance(measure.operand, Name)
    )


def _is_latest(measure: Measure, cells: Cells) -> bool:
    operand = measure.operand
    listed = isinstance(operand, Name) and cells.listed(operand)
    return measure.aggregate is Aggregate.LATEST and measure.by is None and listed


def _of_records(node: Expression | None) -> frozenset[Name]:
    return frozenset(name for name in names(node) if name.level is Level.RECORD) if node else frozenset()


class Summing:
    """One pack and one subject."""

    def __init__(
        self,
        sheet: Sheet,
        facts: Facts,
        first_use: int,
        attributes: Mapping[Name, Symbol],
        terms: Terms,
        cells: Cells,
    ) -> None:
        self._sheet, self._facts, self._terms, self._cells = sheet, facts, terms, cells
        self._side = object()
        self._use = first_use
        self._symbols: dict[Name, Symbol] = dict(attributes)
        for measure, condition in sheet.measures:
            self._symbols[Name(measure.id, Level.MEASURE, measure.type)] = self._measure(measure, condition)

    def result(self) -> Result:
        """Score, tier and hits."""
        pack = self._sheet.pack
        pools: dict[Any, list[Any]] = defaultdict(list)
        hits: dict[str, list[Any]] = defaultdict(list)
        for hit in self._sheet.hits:
            given, met = self._of_record(hit) if hit.rule.level is Level.RECORD else self._of_subject(hit)
            hits[hit.rule.id].append(met)
            if hit.rule.dimension is not None:
                rule = hit.rule
                pools[rule.dimension, rule.cap, (rule.table or rule.id) if rule.cap else None] += given
        sums: dict[str, list[Any]] = defaultdict(list)
        for (dimension, cap, _), points in pools.items():
            low, high = (cap, None) if cap and cap < 0 else (None, cap)
            sums[dimension].append(_within(z3.Sum(points), low, high))
        given_by = {
            d.id: _within(z3.Sum(sums[d.id]), d.floor, d.ceiling) for d in pack.dimensions if d.id in sums
        }
        score = _within(
            z3.Sum([z3.IntVal(pack.score.start), *given_by.values()]), pack.score.min, pack.score.max
        )
        asked = {**given_by, SCORE: score}
        holds = {
            rule.id: [asked.get(name, z3.IntVal(0)) < bound for name, bound in rule.below]
            for rule in pack.rules
        }
        met = {rule: z3.And(z3.Or(of), *holds[rule]) for rule, of in hits.items()}
        return Result(score, self._rank(score, met), met)

    def _rank(self, score: Any, met: Mapping[str, Any]) -> Any:
        pack, worst = self._sheet.pack, len(self._sheet.pack.grades) - 1
        rank = self._band(score, 0)
        for rule in pack.rules:
            if rule.is_veto and rule.id in met:
                forced = None if rule.tier is None else z3.IntVal(worst - pack.tiers.index(rule.tier))
                bound = self._band(score, rule.lowers or 0) if forced is None else forced
                rank = z3.If(z3.And(met[rule.id], rank > bound), bound, rank)
        return rank

    def _band(self, score: Any, lowered: int) -> Any:
        """The rank of the tier that the score gives, so many tiers lower."""
        pack, worst = self._sheet.pack, len(self._sheet.pack.grades) - 1
        *better, (last, _) = pack.bands
        rank = z3.IntVal(worst - last)
        for place, lowest in reversed(better):
            rank = z3.If(score >= lowest, worst - pack.lowered(place, lowered), rank)
        return rank

    # Rules

    def _of_subject(self, hit: Hit) -> tuple[list[Any], Any]:
        met = self._true(hit.condition)
        if hit.rule.per is None:
            return [z3.If(met, hit.points, 0)], met
        try:
            per = self._terms.number(hit.rule.per, self._symbols)
        except OpenError:
            per = self._any_points(hit)
            met = z3.And(met, per.known)
            return [z3.If(met, per.value, 0)], met
        met = z3.And(met, per.known)
        points = _within(_rounded(per.value * hit.points, per.scale), -LARGEST_HIT, LARGEST_HIT)
        return [z3.If(met, points, 0)], met

    def _of_record(self, hit: Hit) -> tuple[list[Any], Any]:
        given: list[Any] = []
        met: list[Any] = []
        by_condition: dict[Expression, list[int]] = defaultdict(list)
        for kind, condition in self._alive():
            by_condition[condition].append(kind)
        for condition, kinds in by_condition.items():
            holds = self._true(condition)
            points = [self._points(hit, kind) for kind in kinds]
            there = z3.Or([here for _, here in points])
            given.append(z3.If(holds, z3.Sum([p for p, _ in points]), 0))
            met.append(z3.And(holds, there))
        return given, z3.Or(met)

    def _points(self, hit: Hit, kind: int) -> tuple[Any, Any]:
        """The points for the records of a kind, and whether there is any that hits."""
        many, per, terms = self._facts.counts[kind], hit.rule.per, self._terms
        if per is None:
            return many * hit.points, many > 0
        if (found := _column_times(per)) is not None and found[0] in self._facts.kinds[kind].row:
            column, points = found[0], found[1] * hit.points
            cell = self._facts.kinds[kind].row[column]
            if cell.value is None:
                return z3.IntVal(0), z3.BoolVal(False)
            if _is_small(points, cell.low, cell.high, column):
                return self._facts.multiplied(kind, column, points, terms), many > 0
        given = self._any_points(hit, kind)
        met = z3.And(many > 0, given.known)
        return z3.If(met, given.value, 0), met

    def _any_points(self, hit: Hit, *kinds: int) -> Number:
        """Any points, or none: rules that multiply by the same give the same of the same records."""
        terms, per = self._terms, hit.rule.per
        assert per is not None
        terms.left_open.append(hit.rule.id)
        key = "points", kinds, per, hit.points, self._read(per)
        found = self._facts.once(key, kinds, terms, lambda: Number(terms.flag(), terms.whole(), 2))
        assert isinstance(found, Number)
        return found

    # Measures

    def _measure(self, measure: Measure, condition: Expression) -> Symbol:
        members = [] if measure.aggregate in DERIVED else [kind for kind, _ in self._alive()]
        parts = tuple(self._part(name) for name in measure.parts)
        key = (
            measure.aggregate, measure.operand, condition, measure.by, measure.take, measure.each,
            measure.descending, measure.bands, measure.fewest,
            measure.window and measure.window.start, tuple(map(_told, parts)), self._read(condition),
        )  # fmt: skip
        if measure.aggregate in DERIVED:
            return self._facts.once(key, (), self._terms, lambda: self._derived(measure, condition, parts))
        return self._facts.once(key, members, self._terms, lambda: self._aggregated(measure, members))

    def _read(self, node: Expression) -> tuple[object, ...]:
        """What the names in an expression stand for."""
        return tuple(_told(self._symbols.get(n)) for n in sorted(names(node), key=lambda n: n.name))

    def _part(self, name: str) -> Symbol:
        return next(s for n, s in self._symbols.items() if n.level is Level.MEASURE and n.name == name)

    def _aggregated(self, measure: Measure, members: list[int]) -> Symbol:
        group = measure.by
        if _adds_up(measure) and group is None:
            return self._added(measure, members)
        if _adds_up(measure) and isinstance(group, Name) and self._cells.listed(group):
            return self._grouped(measure, members, group)
        if _is_latest(measure, self._cells):
            return self._latest(measure, members)
        return self._unmodelled(measure, members)

    def _added(self, measure: Measure, members: Iterable[int]) -> Number:
        operand, facts = measure.operand, self._facts
        if not isinstance(operand, Name):
            return Number(YES, z3.Sum([z3.IntVal(0), *(facts.counts[kind] for kind in members)]), 0)
        totals = (facts.total(kind, operand, self._terms) for kind in members)
        return Number(YES, z3.Sum([z3.IntVal(0), *totals]), operand.type.scale)

    def _grouped(self, measure: Measure, members: Iterable[int], group: Name) -> Number:
        groups: dict[Any, list[int]] = defaultdict(list)
        for kind in members:
            code = self._facts.kinds[kind].row[group].value
            if code is not None:
                groups[code].append(kind)
        values = [
            (
                z3.Or([self._facts.counts[kind] > 0 for kind in kinds]),
                _held(measure, self._added(measure, kinds)),
            )
            for kinds in groups.values()
        ]
        scale = values[0][1].scale if values else 0
        if measure.take is Aggregate.COUNT:
            return Number(YES, z3.Sum([z3.IntVal(0), *(z3.If(there, 1, 0) for there, _ in values)]), 0)
        if measure.take is Aggregate.SUM:
            return Number(YES, z3.Sum([z3.IntVal(0), *(v.value for _, v in values)]), scale)
        found, best = z3.BoolVal(False), z3.IntVal(0)
        for there, value in values:
            better = value.value > best if measure.take is Aggregate.MAX else value.value < best
            best = z3.If(z3.And(there, z3.Or(z3.Not(found), better)), value.value, best)
            found = z3.Or(found, there)
        return Number(YES, best, scale)

    def _latest(self, measure: Measure, members: Sequence[int]) -> Symbol:
        """One of the values in a record behind which none comes that has one."""
        operand, kinds, counts = measure.operand, self._facts.kinds, self._facts.counts
        assert isinstance(operand, Name)
        assert measure.window is not None
        start = compiled(measure.window.start)
        known = [kind for kind in members if kinds[kind].row[operand].value is not None]
        begins = {kind: start({n.name: c.value for n, c in kinds[kind].row.items()}) for kind in known}
        there = z3.Or([counts[kind] > 0 for kind in known])
        symbol = self._terms.choice(self._cells.of(operand))
        self._terms.sides.append(symbol.among([None]) == z3.Not(there))
        values = {kind: kinds[kind].row[operand].value for kind in known}
        self._facts.latest.append((symbol, values))
        later = z3.BoolVal(False)
        last: dict[Value | None, list[Any]] = defaultdict(list)
        for day in sorted(set(begins.values()), reverse=True):
            of_day = [kind for kind in known if begins[kind] == day]
            for value in dict.fromkeys(values[kind] for kind in of_day):
                there = z3.Or([counts[kind] > 0 for kind in of_day if values[kind] == value])
                last[value].append(z3.And(there, z3.Not(later)))
            later = z3.Or([later, *(counts[kind] > 0 for kind in of_day)])
        self._terms.sides.append(symbol.among([None, *last]))
        for value, ways in last.items():
            self._terms.sides.append(z3.Implies(symbol.among([value]), z3.Or(ways)))
        return symbol

    def _unmodelled(self, measure: Measure, members: Iterable[int]) -> Symbol:
        """Any value where there are records; without any, what the language says."""
        self._terms.left_open.append(measure.id)
        there = z3.Or([self._facts.counts[kind] > 0 for kind in members])
        name = Name(measure.id, Level.MEASURE, measure.type)
        if measure.type.kind is not Kind.NUMBER:
            symbol = self._terms.choice(self._cells.of(name))
            self._terms.sides.append(z3.Implies(z3.Not(there), symbol.among([None])))
            return symbol
        value = self._terms.whole()
        zero = NEVER_UNKNOWN & {measure.aggregate, measure.take}
        known = self._terms.flag()
        self._terms.sides.append(
            z3.Implies(z3.Not(there), z3.And(known, value == 0) if zero else z3.Not(known))
        )
        return Number(known, value, measure.type.scale)

    def _derived(self, measure: Measure, condition: Expression, parts: Sequence[Symbol]) -> Symbol:
        holds = self._true(condition)
        if measure.decision is not None:
            return self._decided(measure, measure.decision, holds)
        if measure.aggregate is Aggregate.VALUE and measure.operand is not None:
            try:
                number = self._terms.number(measure.operand, self._symbols)
            except OpenError:
                self._terms.left_open.append(measure.id)
                number = Number(self._terms.flag(), self._terms.whole(), measure.type.scale)
            return Number(z3.And(holds, number.known), number.value, number.scale)
        if measure.aggregate is Aggregate.RATIO:
            return self._ratio(measure, holds, parts)
        self._terms.left_open.append(measure.id)
        return Number(z3.And(holds, self._terms.flag()), self._terms.whole(low=0), measure.type.scale)

    def _decided(self, measure: Measure, table: Decision, holds: Any) -> Symbol:
        """What a table gives, by its rows in the order in which they count."""
        met = [(self._true(condition), given.value) for condition, given in table.rows]
        if table.hit == "priority":
            order = [code for code, _ in table.codes]
            met.sort(key=lambda row: order.index(str(row[1])))
        elif table.take in ("min", "max"):
            met.sort(key=lambda row: Fraction(row[1]), reverse=table.take == "max")  # type: ignore[arg-type]
        default = None if table.default is None else table.default.value
        if measure.type.kind is Kind.NUMBER:
            return self._number_of(measure, table, met, default, holds)
        symbol, matched = self._terms.choice(self._cells.of(_name(measure))), z3.BoolVal(False)
        for there, given in met:
            self._terms.sides.append(z3.Implies(z3.And(holds, there, z3.Not(matched)), symbol.among([given])))
            matched = z3.Or(matched, there)
        self._terms.sides.append(z3.Implies(z3.Not(holds), symbol.among([None])))
        self._terms.sides.append(z3.Implies(z3.And(holds, z3.Not(matched)), symbol.among([default])))
        return symbol

    def _number_of(
        self,
        measure: Measure,
        table: Decision,
        met: Sequence[tuple[Any, Value]],
        default: Value | None,
        holds: Any,
    ) -> Number:
        scale = measure.type.scale
        units = [(there, int(Fraction(given) * 10**scale)) for there, given in met]  # type: ignore[arg-type]
        if table.take == "count":
            return Number(holds, z3.Sum([z3.If(there, 1, 0) for there, _ in units]), 0)
        matched = z3.Or([there for there, _ in units])
        value = z3.IntVal(0 if default is None else int(Fraction(default) * 10**scale))  # type: ignore[arg-type]
        if table.take == "sum":
            value = z3.If(matched, z3.Sum([z3.If(there, given, 0) for there, given in units]), value)
        else:
            for there, given in reversed(units):
                value = z3.If(there, given, value)
        return Number(z3.And(holds, matched) if default is None else holds, value, scale)

    def _ratio(self, measure: Measure, holds: Any, parts: Sequence[Symbol]) -> Number:
        """A quotient of which it is exact on which side of the numbers that conditions name it lies."""
        part, whole = parts
        assert isinstance(part, Number)
        assert isinstance(whole, Number)
        scale = max(part.scale, whole.scale)
        value, above, below = self._terms.whole(), part.at(scale) * 10**4, whole.at(scale)
        for turn in self._turns(Name(measure.id, Level.MEASURE, measure.type)):
            edge = (2 * turn - 1) * below
            reached = 2 * above >= edge if turn > 0 else 2 * above > edge
            self._terms.sides.append(z3.Implies(below > 0, (value >= turn) == reached))
        return Number(z3.And(holds, part.known, whole.known, whole.value != 0), value, 4)

    def _turns(self, measure: Name) -> list[int]:
        """The ten-thousandths at which a condition may turn."""
        conditions = [c for _, c in self._sheet.measures] + [hit.condition for hit in self._sheet.hits]
        literals = {
            node.value
            for condition in conditions
            if measure in names(condition)
            for node in walk(condition)
            if isinstance(node, Literal) and node.type.kind is Kind.NUMBER
        }
        found = {int(literal * 10**4 // 1) for literal in literals}  # type: ignore[operator]
        return sorted(found | {turn + 1 for turn in found})

    # What both read

    def _alive(self) -> Iterator[tuple[int, Expression]]:
        """The kinds of records that the next use can meet, with what it asks of the subject."""
        use, self._use = self._use, self._use + 1
        return iter(self._facts.met_by.get(use, ()))

    def _true(self, condition: Expression) -> Any:
        if condition == TRUE:
            return YES
        return self._terms.truth(condition, self._symbols, self._side).true


def _column_times(per: Expression) -> tuple[Name, Fraction] | None:
    """The column of a record that multiplies points, and what it is itself multiplied by."""
    match per:
        case Name():
            return per, Fraction(1)
        case Arithmetic(op="*", left=Name() as column, right=Literal(value=value)):
            return column, Fraction(value)  # type: ignore[arg-type]
        case Arithmetic(op="*", left=Literal(value=value), right=Name() as column):
            return column, Fraction(value)  # type: ignore[arg-type]
    return None


def _is_small(points: Fraction, low: int, high: int, column: Name) -> bool:
    """Whether no hit reaches the most that a hit can give."""
    most: int = LARGEST_HIT * 10**column.type.scale
    return abs(points) * max(abs(low), abs(high)) < most


def _same(one: Symbol, other: Symbol) -> Any:
    if isinstance(one, Choice) and isinstance(other, Choice):
        return one.which == other.which
    assert isinstance(one, Number)
    assert isinstance(other, Number)
    return z3.And(one.known == other.known, one.value == other.value)


def _name(measure: Measure) -> Name:
    return Name(measure.id, Level.MEASURE, measure.type)


def _told(symbol: Symbol | None) -> object:
    """What tells a symbol from every other: the numbers of its terms. (As text, long ones are cut short.)"""
    if isinstance(symbol, Number):
        return symbol.known.get_id(), symbol.value.get_id(), symbol.scale
    return symbol and (symbol.which.get_id(), symbol.cells)


def _held(measure: Measure, group: Number) -> Number:
    """A group's value, held at what the measure says of each."""
    if measure.each is None:
        return group
    bound = int(measure.each * 10**group.scale)
    low, high = (None, bound) if bound > 0 else (bound, None)
    return replace(group, value=_within(group.value, low, high))


def _within(value: Any, low: int | None, high: int | None) -> Any:
    if low is not None:
        value = z3.If(value < low, low, value)
    return value if high is None else z3.If(value > high, high, value)


def _rounded(value: Any, scale: int) -> Any:
    """A number of units of 10 to the minus ``scale`` as the nearest whole one, a half away from zero."""
    if not scale:
        return value
    whole = 10**scale
    return z3.If(value >= 0, (2 * value + whole) / (2 * whole), -((whole - 2 * value) / (2 * whole)))
