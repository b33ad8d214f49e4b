"""Conditions in disjunctive normal form: alternatives, each a *box* in which every test is about one operand.

An operand is what is tested: a column or a measure, an expression, or a test that can't be taken apart
(``like``, two columns compared), whose values are true and false. A box gives operands the values that they
must have, on their grain; the condition is true exactly where some box holds. SQL's third truth value is one
value more that an operand may have: unknown. What would take too many boxes stays whole, as an operand.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

from rules.calendar import add_days
from rules.exact import EXACT
from rules.language.expressions import (
    BOOLEAN,
    And,
    Call,
    Compare,
    Expression,
    In,
    IsNull,
    IsTrue,
    Kind,
    Literal,
    Not,
    Or,
    Type,
    Value,
    conjunction,
)

MOST_BOXES = 64
"""A condition of more alternatives is no longer cheaper to take apart than to evaluate."""

_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "<>": "<>"}
OPPOSITE = {"=": "<>", "<>": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


@dataclass(frozen=True, slots=True)
class Domain:
    """The values that an operand may have.

    :param among: these alone; None for all within the bounds.
    :param without: not these.
    :param low, high: the ends of a closed interval; None leaves an end open.
    :param unknown: whether it may be unknown as well.
    """

    among: frozenset[Value] | None = None
    without: frozenset[Value] = frozenset()
    low: Decimal | dt.date | None = None
    high: Decimal | dt.date | None = None
    unknown: bool = False

    @property
    def empty(self) -> bool:
        """Whether nothing is left, certainly."""
        return not self.unknown and self.among is not None and not self.among

    @property
    def listed(self) -> frozenset[Value]:
        """The values that are named."""
        return self.without if self.among is None else self.among | self.without

    def holds(self, value: Value) -> bool:
        """Whether a known value is left."""
        if self.among is not None:
            return value in self.among
        above = self.low is None or value >= self.low  # type: ignore[operator]
        return above and (self.high is None or value <= self.high) and value not in self.without  # type: ignore[operator]

    def both(self, other: Domain) -> Domain:
        """What both leave."""
        unknown = self.unknown and other.unknown
        if self.among is not None or other.among is not None:
            listed = self.among if self.among is not None else other.among or ()
            return Domain(frozenset(v for v in listed if self.holds(v) and other.holds(v)), unknown=unknown)
        low, high = _tighter(max, self.low, other.low), _tighter(min, self.high, other.high)
        without = self.without | other.without
        if low is None or high is None or low < high:
            return Domain(None, without, low, high, unknown)
        return Domain(frozenset([low] if low == high and low not in without else []), unknown=unknown)

    def meets(self, other: Domain) -> bool:
        """Whether both may leave something."""
        if self.unknown and other.unknown:
            return True
        if self.among is not None:
            return any(map(other.holds, self.among))
        if other.among is not None:
            return any(map(self.holds, other.among))
        above = self.low is not None and other.high is not None and self.low > other.high  # type: ignore[operator]
        below = self.high is not None and other.low is not None and self.high < other.low  # type: ignore[operator]
        return not (above or below)

    def within(self, other: Domain) -> bool:
        """Whether all that is left here is left there too, certainly."""
        if self.unknown and not other.unknown:
            return False
        if self.among is not None:
            return all(map(other.holds, self.among))
        if other.among is not None:
            return False
        lower = other.low is None or (self.low is not None and self.low >= other.low)  # type: ignore[operator]
        upper = other.high is None or (self.high is not None and self.high <= other.high)  # type: ignore[operator]
        return lower and upper and not any(self.holds(value) for value in other.without)

    def starts(self, kind: Type) -> Iterator[int]:
        """The places on the grain of a type from which on values are in it, or no longer."""
        begins, ends = (self.low, *self.listed), (self.high, *self.listed)
        yield from (math.ceil(place_of(value, kind)) for value in begins if value is not None)
        yield from (math.floor(place_of(value, kind)) + 1 for value in ends if value is not None)

    def condition(self, operand: Expression) -> Expression:
        """True exactly where the operand has a value of these."""
        unknown = IsNull(operand)
        if self.among == frozenset():
            return unknown
        tests = tuple(self._tests(operand))
        known = conjunction(tests) if tests else Not(unknown)
        return Or((known, unknown)) if self.unknown else known

    def _tests(self, operand: Expression) -> Iterator[Expression]:
        kind = operand.type
        if kind == BOOLEAN and self.among is not None:
            yield from (operand if value else Not(operand) for value in self.among if len(self.among) == 1)
        elif self.among:
            yield In(operand, _literals(self.among, kind))
        if self.low is not None:
            yield Compare(">=", operand, Literal(self.low, kind))
        if self.high is not None:
            yield Compare("<=", operand, Literal(self.high, kind))
        if self.without:
            yield Not(In(operand, _literals(self.without, kind)))


@dataclass(frozen=True, slots=True)
class Box:
    """One alternative of a condition: every operand has a value of its domain."""

    domains: Mapping[Expression, Domain] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Whether nothing can meet it, certainly."""
        return any(domain.empty for domain in self.domains.values())

    def both(self, other: Box) -> Box:
        """What meets both."""
        domains = dict(self.domains)
        for operand, domain in other.domains.items():
            mine = domains.get(operand)
            domains[operand] = domain if mine is None else mine.both(domain)
        return Box(domains)

    def meets(self, other: Box) -> bool:
        """Whether something may meet both."""
        for operand, domain in self.domains.items():
            theirs = other.domains.get(operand)
            if theirs is not None and not domain.meets(theirs):
                return False
        return True

    def within(self, other: Box) -> bool:
        """Whether whatever meets this meets the other too, certainly."""
        return all(self.domains.get(o, ANYTHING).within(domain) for o, domain in other.domains.items())


Boxes = tuple[Box, ...]
Limits = Mapping[Expression, Domain]
"""What is known of operands before any condition: the codes of a column, a count that is never negative."""

ANYTHING = Domain(unknown=True)
UNKNOWN = Domain(frozenset(), unknown=True)
NO_LIMITS: Limits = {}
ALWAYS: Boxes = (Box(),)
NEVER: Boxes = ()


def boxes(
    condition: Expression, most: int = MOST_BOXES, limits: Limits = NO_LIMITS, *, open_is_true: bool = True
) -> Boxes:
    """The alternatives of a condition; none where nothing can meet it, certainly.

    :param most: how many at most; with 1 an ``or`` stays whole, unless just one part of it is possible.
    :param open_is_true: whether ``is true``, by which a table's rows exclude earlier ones, is taken apart.

    >>> from rules.language.expressions import INTEGER, Level, Name
    >>> from rules.language.parse import Scope, parse_condition
    >>> scope = Scope({"beds": Name("beds", Level.SUBJECT, INTEGER)}, {})
    >>> low, high = boxes(parse_condition("beds = 1 or beds > 10 and beds < 20", scope))
    >>> [domain.among for domain in low.domains.values()]
    [frozenset({1})]
    >>> [(domain.low, domain.high) for domain in high.domains.values()]
    [(Decimal('11'), Decimal('19'))]
    """
    return _Former(most, limits, open_is_true).boxes(condition, True, False)


def overlap(one: Boxes, other: Boxes) -> bool:
    """Whether something may meet both conditions."""
    return any(a.meets(b) for a in one for b in other)


def implies(one: Boxes, other: Boxes) -> bool:
    """Whether what meets the first condition meets the second too, certainly.

    >>> from rules.language.expressions import INTEGER, Level, Name
    >>> from rules.language.parse import Scope, parse_condition
    >>> scope = Scope({"beds": Name("beds", Level.SUBJECT, INTEGER)}, {})
    >>> many, some = (boxes(parse_condition(text, scope)) for text in ("beds > 20", "beds > 10"))
    >>> implies(many, some), implies(some, many)
    (True, False)
    """
    return bool(one) and all(any(box.within(wider) for wider in other) for box in one)


def parts(kind: Type, domains: Iterable[Domain], codes: Iterable[str] = ()) -> Iterator[Domain]:
    """All values of a type in the fewest parts that lie within a domain or outside; unknown is the last.

    :param codes: the values that a text has at all; none where it is free.
    :return: of numbers and dates each with its ends, a single value too.

    >>> from decimal import Decimal
    >>> from rules.language.expressions import INTEGER
    >>> found = parts(INTEGER, [Domain(low=Decimal(10)), Domain(frozenset([Decimal(20)]))])
    >>> [(part.low, part.high, part.among) for part in found][:2]
    [(None, 9, None), (10, 19, None)]
    """
    found = tuple(domains)
    if kind.kind in (Kind.NUMBER, Kind.DATE):
        yield from _intervals(kind, {start for domain in found for start in domain.starts(kind)})
    else:
        named = frozenset(value for domain in found for value in domain.listed)
        listed = (True, False) if kind == BOOLEAN else tuple(codes) or sorted(map(str, named))
        yield from (Domain(frozenset([value])) for value in listed)
        if kind.kind is Kind.TEXT and not codes:
            yield Domain(without=named)
    yield UNKNOWN


def _intervals(kind: Type, starts: Iterable[int]) -> Iterator[Domain]:
    first, last = (1, dt.date.max.toordinal()) if kind.kind is Kind.DATE else (-math.inf, math.inf)
    inner = sorted(start for start in starts if first < start <= last)
    for begin, after in pairwise([None, *inner, None]):
        low = None if begin is None else value_at(begin, kind)
        high = None if after is None else value_at(after - 1, kind)
        one = frozenset([low]) if low == high and low is not None else None
        yield Domain(one, low=low, high=high)


def place_of(value: Any, kind: Type) -> Fraction:
    """How many grains of the type a number or a date is from 0."""
    number: Fraction = Fraction(value.toordinal() if kind.kind is Kind.DATE else value)
    return number * Fraction(10) ** kind.scale


def value_at(place: int, kind: Type) -> Any:
    """The number or the date that is so many grains of its type from 0."""
    if kind.kind is Kind.DATE:
        return dt.date.fromordinal(place)
    return Decimal(place).scaleb(-kind.scale, EXACT) if kind.scale else place


@dataclass(frozen=True, slots=True)
class _Former:
    """Pushes negation inward with the outcome that is wanted, and whether unknown will do as well: De
    Morgan's law in three-valued logic."""

    most: int
    limits: Limits
    open_is_true: bool

    def boxes(self, node: Expression, wanted: bool, or_unknown: bool) -> Boxes:
        """When the node is ``wanted``, or unknown where that will do."""
        match node:
            case And() | Or():
                return self._parts(node, wanted, or_unknown)
            case Not():
                return self.boxes(node.operand, not wanted, or_unknown)
            case IsTrue() if self.open_is_true:
                return self.boxes(node.operand, wanted, not wanted)
            case Call(function="coalesce", arguments=(inner, Literal(value=bool() as otherwise))):
                return self.boxes(inner, wanted, otherwise is wanted)
            case Literal():
                return ALWAYS if node.value is wanted else NEVER
            case IsNull():
                return self._one(node.operand, UNKNOWN if wanted else Domain())
            case _:
                operand, values = tested(node, wanted)
                return self._one(operand, replace(values, unknown=True) if or_unknown else values)

    def _one(self, operand: Expression, domain: Domain) -> Boxes:
        limit = self.limits.get(operand)
        box = Box({operand: domain if limit is None else domain.both(limit)})
        return NEVER if box.empty else (box,)

    def _parts(self, node: And | Or, wanted: bool, or_unknown: bool) -> Boxes:
        found = [self.boxes(part, wanted, or_unknown) for part in node.parts]
        if isinstance(node, Or) is wanted:
            united = self._distinct(box for alternatives in found for box in alternatives)
            return _whole(node, wanted, or_unknown) if united is None else united
        crossed = self._crossed(found)
        if crossed is None:
            crossed = self._crossed(
                alternatives if len(alternatives) < 2 else _whole(part, wanted, or_unknown)
                for part, alternatives in zip(node.parts, found, strict=True)
            )
        return crossed or NEVER

    def _crossed(self, parts: Iterable[Boxes]) -> Boxes | None:
        """What meets all the parts; None where that takes too many boxes."""
        crossed = ALWAYS
        for part in parts:
            met = self._distinct(one.both(other) for one in crossed for other in part)
            if met is None:
                return None
            crossed = met
        return crossed

    def _distinct(self, found: Iterable[Box]) -> Boxes | None:
        """Without those that nothing meets or that lie within another; None where they are too many."""
        kept: list[Box] = []
        for box in found:
            if box.empty or any(box.within(wider) for wider in kept):
                continue
            kept = [*(other for other in kept if not other.within(box)), box]
            if len(kept) > self.most:
                return None
        return tuple(kept)


def _whole(node: Expression, wanted: bool, or_unknown: bool) -> Boxes:
    """A condition as an operand of its own."""
    while isinstance(node, Not):
        node, wanted = node.operand, not wanted
    return (Box({node: Domain(frozenset([wanted]), unknown=or_unknown)}),)


def tested(test: Expression, wanted: bool) -> tuple[Expression, Domain]:
    """What a test is about, and the known values of which it is ``wanted``."""
    match test:
        case Compare(left=Literal() as value, right=operand) if not isinstance(operand, Literal):
            return tested(Compare(_MIRRORED[test.op], operand, value), wanted)
        case Compare(left=operand, right=Literal() as literal):
            return operand, _compared(operand.type, test.op if wanted else OPPOSITE[test.op], literal.value)
        case In():
            return test.operand, _listed(test.operand.type, [v.value for v in test.values], wanted)
        case Compare(op="<>" | ">=" | "<="):
            return replace(test, op=OPPOSITE[test.op]), Domain(frozenset([not wanted]))
        case _:
            return test, Domain(frozenset([wanted]))


def _compared(kind: Type, op: str, value: Value) -> Domain:
    if op in ("=", "<>"):
        return _listed(kind, [value], op == "=")
    return _ordered(kind, op, value)


def _listed(kind: Type, values: Iterable[Value], wanted: bool) -> Domain:
    """The values, or all others: a whole number never is 2.5."""
    held = frozenset(value for value in values if kind.holds(value))
    if wanted:
        return Domain(held)
    return Domain(frozenset([True, False]) - held) if kind == BOOLEAN else Domain(without=held)


def _ordered(kind: Type, op: str, value: Value) -> Domain:
    """A comparison as the closed interval that the type's grain makes it: > 5 of an integer is ≥ 6."""
    above, strict = op.startswith(">"), not op.endswith("=")
    end: Any
    if isinstance(value, dt.date):
        if strict and value == (dt.date.max if above else dt.date.min):
            return Domain(frozenset())
        end = add_days(value, strict * (1 if above else -1))
    else:
        grain = Decimal(1).scaleb(-kind.scale)
        rounding = "ROUND_FLOOR" if above is strict else "ROUND_CEILING"
        end = Decimal(value).quantize(grain, rounding, EXACT)
        end = EXACT.add(end, strict * (grain if above else -grain))
        if abs(end) >= Decimal(10) ** kind.whole:
            return Domain(frozenset()) if (end > 0) is above else Domain()
    return Domain(low=end) if above else Domain(high=end)


def _literals(values: Iterable[Value], kind: Type) -> tuple[Literal, ...]:
    return tuple(Literal(value, kind) for value in sorted(values, key=str))


def _tighter(choose: Any, one: Any, other: Any) -> Any:
    if one is None or other is None:
        return other if one is None else one
    return choose(one, other)
