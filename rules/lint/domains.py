"""The values that a condition leaves to each name: what decides whether it can be met, and what it implies.

A condition becomes alternatives (an ``or`` of ``and``); each alternative is a box: a domain for every name
that it compares with constants, and the terms that no domain covers, as text. Every answer errs on the quiet
side: "empty" and "within" are certain, their opposites are not.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import product
from typing import Any

from rules.expressions import (
    TRUE,
    And,
    Compare,
    Expression,
    In,
    IsNull,
    Literal,
    Name,
    Not,
    Or,
    Type,
    Value,
    render,
)
from rules.plan import closed

MAX_ALTERNATIVES = 64
_OPPOSITE = {"=": "<>", "<>": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "<>": "<>"}


@dataclass(frozen=True, slots=True)
class Domain:
    """The values that are left to a name.

    :param among: the values it may have, None for any.
    :param without: values that it may not have.
    :param low, high: the closed interval in which it must lie.
    :param known: True: it must be known; False: it must be unknown; None: either.
    """

    among: frozenset[Value] | None = None
    without: frozenset[Value] = frozenset()
    low: Decimal | dt.date | None = None
    high: Decimal | dt.date | None = None
    known: bool | None = None

    def both(self, other: Domain) -> Domain:
        """The values that both leave."""
        among = self.among if other.among is None else other.among
        if self.among is not None and other.among is not None:
            among = self.among & other.among
        contradiction = self.known is not None and other.known is not None and self.known != other.known
        return Domain(
            frozenset() if contradiction else among,
            self.without | other.without,
            _tighter(max, self.low, other.low),
            _tighter(min, self.high, other.high),
            True if contradiction else self.known if other.known is None else other.known,
        )

    @property
    def empty(self) -> bool:
        """Whether no value is left, certainly."""
        if self.among is not None:
            return not any(self.holds(value) for value in self.among) and self.known is not False
        return self.low is not None and self.high is not None and self.low > self.high  # type: ignore[operator]

    def holds(self, value: Value) -> bool:
        """Whether a known value is left."""
        if value in self.without or (self.among is not None and value not in self.among):
            return False
        above = self.low is None or value >= self.low  # type: ignore[operator]
        return above and (self.high is None or value <= self.high)  # type: ignore[operator]

    def within(self, other: Domain) -> bool:
        """Whether every value left here is left there too, certainly."""
        if other.known is not None and self.known is not other.known:
            return False
        if self.among is not None:
            return all(other.holds(value) for value in self.among if self.holds(value))
        if other.among is not None:
            return False
        lower = other.low is None or (self.low is not None and self.low >= other.low)  # type: ignore[operator]
        upper = other.high is None or (self.high is not None and self.high <= other.high)  # type: ignore[operator]
        return lower and upper and all(v in self.without or not self.holds(v) for v in other.without)


@dataclass(frozen=True, slots=True)
class Box:
    """One alternative of a condition: all of its terms hold.

    :param others: the terms that no domain covers; ``denied`` are their opposites.
    """

    domains: Mapping[str, Domain] = field(default_factory=dict)
    others: frozenset[str] = frozenset()
    denied: frozenset[str] = frozenset()

    @property
    def empty(self) -> bool:
        """Whether nothing can meet it, certainly."""
        return bool(self.others & self.denied) or any(domain.empty for domain in self.domains.values())

    def within(self, other: Box) -> bool:
        """Whether whatever meets this meets the other too, certainly."""
        covered = all(self.domains.get(name, Domain()).within(d) for name, d in other.domains.items())
        return covered and other.others <= self.others


@dataclass(frozen=True, slots=True)
class Limits:
    """What is known of names before any condition: codes of columns, counts that are never negative."""

    domains: Mapping[str, Domain]

    def boxes(self, condition: Expression) -> tuple[Box, ...] | None:
        """The alternatives that something can meet; None where there are too many to list."""
        drafts = list(_alternatives(condition))
        if len(drafts) > MAX_ALTERNATIVES:
            return None
        boxes = (self._box(terms) for terms in drafts)
        return tuple(box for box in boxes if not box.empty)

    def _box(self, terms: tuple[Expression, ...]) -> Box:
        domains: dict[str, Domain] = {}
        others: list[Expression] = []
        for term in terms:
            found = term_domain(term)
            if found is None:
                others.append(term)
                continue
            name, domain = found
            start = domains.get(name) or self.domains.get(name, Domain())
            domains[name] = start.both(domain)
        return Box(
            domains, frozenset(map(render, others)), frozenset(render(_pushed(Not(term))) for term in others)
        )


def implies(one: tuple[Box, ...], other: tuple[Box, ...]) -> bool:
    """Whether what meets the first condition meets the second too, certainly."""
    return bool(one) and all(any(box.within(wider) for wider in other) for box in one)


def _alternatives(node: Expression) -> Iterator[tuple[Expression, ...]]:
    """The ``and`` lists of which the condition is the ``or``; stops soon after MAX_ALTERNATIVES."""
    node = _pushed(node)
    match node:
        case Or():
            for part in node.parts:
                yield from _alternatives(part)
        case And():
            parts = [_few(part) for part in node.parts]
            for count, choice in enumerate(product(*parts)):
                if count > MAX_ALTERNATIVES:
                    return
                yield tuple(term for terms in choice for term in terms)
        case _:
            yield () if node == TRUE else (node,)


def _few(node: Expression) -> list[tuple[Expression, ...]]:
    return [terms for terms, _ in zip(_alternatives(node), range(MAX_ALTERNATIVES + 1), strict=False)]


def _pushed(node: Expression) -> Expression:
    """A ``not`` moved down to the tests; true in the same cases, by SQL's three-valued logic."""
    if not isinstance(node, Not):
        return node
    match node.operand:
        case Not() as inner:
            return _pushed(inner.operand)
        case And() as inner:
            return Or(tuple(Not(part) for part in inner.parts))
        case Or() as inner:
            return And(tuple(Not(part) for part in inner.parts))
        case Compare() as inner:
            return replace(inner, op=_OPPOSITE[inner.op])
        case _:
            return node


def term_domain(term: Expression) -> tuple[str, Domain] | None:
    """The name that a test is about and the values that make it true; None for tests of another form."""
    match term:
        case Name():
            return term.name, Domain(frozenset([True]), known=True)
        case Not(operand=Name() as name):
            return name.name, Domain(frozenset([False]), known=True)
        case Compare(left=Name() as name, right=Literal() as right):
            return name.name, _compared(name.type, term.op, right.value)
        case Compare(left=Literal() as left, right=Name() as name):
            return name.name, _compared(name.type, _FLIPPED[term.op], left.value)
        case In(operand=Name() as name):
            return name.name, Domain(frozenset(v.value for v in term.values), known=True)
        case Not(operand=In(operand=Name() as name) as listed):
            return name.name, Domain(without=frozenset(v.value for v in listed.values), known=True)
        case IsNull(operand=Name() as name):
            return name.name, Domain(known=False)
        case Not(operand=IsNull(operand=Name() as name)):
            return name.name, Domain(known=True)
        case _:
            return None


def _compared(kind: Type, op: str, value: Value) -> Domain:
    if op == "=":
        return Domain(frozenset([value]), known=True)
    if op == "<>":
        return Domain(without=frozenset([value]), known=True)
    low, high = closed(kind, op, value)
    return Domain(low=low, high=high, known=True)


def _tighter(choose: Any, one: Any, other: Any) -> Any:
    if one is None or other is None:
        return other if one is None else one
    return choose(one, other)
