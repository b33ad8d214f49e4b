"""Expressions about a subject as terms of the solver, in three-valued logic."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import count, product
from math import prod
from typing import Any

import z3

from rules.language.evaluate import compiled
from rules.language.expressions import (
    And,
    Arithmetic,
    Call,
    Compare,
    Expression,
    In,
    IsNull,
    IsTrue,
    Kind,
    Level,
    Literal,
    Name,
    Not,
    Or,
    Type,
    Value,
    names,
    render,
)
from rules.tools.prove.cells import Cell

MOST_CASES = 2_000
"""A test of columns of more combinations of cells is left open."""

_COMPARED: Mapping[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class OpenError(Exception):
    """An expression that has no term."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number that may be unknown: ``value`` in units of 10 to the minus ``scale``."""

    known: Any
    value: Any
    scale: int

    def at(self, scale: int) -> Any:
        """The value in finer units."""
        return self.value * 10 ** (scale - self.scale)


@dataclass(frozen=True, slots=True)
class Choice:
    """A value of which only the cell matters: ``which`` is the place of one of ``cells``."""

    which: Any
    cells: tuple[Cell, ...]

    def among(self, values: Iterable[Value | None]) -> Any:
        """Whether the value is one of these."""
        wanted = set(values)
        return z3.Or([self.which == n for n, cell in enumerate(self.cells) if cell.value in wanted])


@dataclass(frozen=True, slots=True)
class Truth:
    """A condition: whether it is true, and whether it is false; it is unknown where it is neither."""

    true: Any
    false: Any


Symbol = Number | Choice


@dataclass(slots=True)
class Terms:
    """Makes terms of expressions.

    :ivar sides: what every term made says of itself beside its value: bounds of what is new.
    :ivar left_open: the expressions that may have any value, as they are written.
    """

    sides: list[Any] = field(default_factory=list)
    left_open: list[str] = field(default_factory=list)
    _numbers: Any = field(default_factory=count)
    _open: dict[Any, Truth] = field(default_factory=dict)

    def whole(self, low: int | None = None, high: int | None = None) -> Any:
        """A new whole number within bounds."""
        new = z3.Int(f"n{next(self._numbers)}")
        self.sides += [new >= low] if low is not None else []
        self.sides += [new <= high] if high is not None else []
        return new

    def flag(self) -> Any:
        """A new truth."""
        return z3.Bool(f"b{next(self._numbers)}")

    def choice(self, cells: tuple[Cell, ...]) -> Choice:
        """A new choice of cells."""
        return Choice(self.whole(0, len(cells) - 1), cells)

    def truth(self, node: Expression, symbols: Mapping[Name, Symbol], side: object) -> Truth:
        """The term of a condition.

        :param side: whose measures ``symbols`` has: what is left open is the same on one side alone.
        """
        match node:
            case Literal():
                return Truth(z3.BoolVal(node.value is True), z3.BoolVal(node.value is False))
            case And():
                parts = [self.truth(part, symbols, side) for part in node.parts]
                return Truth(z3.And([p.true for p in parts]), z3.Or([p.false for p in parts]))
            case Or():
                parts = [self.truth(part, symbols, side) for part in node.parts]
                return Truth(z3.Or([p.true for p in parts]), z3.And([p.false for p in parts]))
            case Not():
                inner = self.truth(node.operand, symbols, side)
                return Truth(inner.false, inner.true)
            case IsTrue():
                inner = self.truth(node.operand, symbols, side)
                return Truth(inner.true, z3.Not(inner.true))
            case Call(function="coalesce", type=Type(kind=Kind.BOOLEAN)):
                return self._first([self.truth(part, symbols, side) for part in node.arguments])
        try:
            return self._tested(node, symbols)
        except OpenError:
            return self._left_open(node, side)

    def number(self, node: Expression, symbols: Mapping[Name, Symbol]) -> Number:
        """The term of a number.

        :raises OpenError: where it has none.
        """
        match node:
            case Literal() if node.value is not None:
                fraction = Fraction(node.value)  # type: ignore[arg-type]
                scale = next(s for s in count() if (fraction * 10**s).denominator == 1)
                return Number(z3.BoolVal(True), z3.IntVal(int(fraction * 10**scale)), scale)
            case Name() if isinstance(found := symbols.get(node), Number):
                return found
            case Arithmetic(op="*"):
                one, other = (self.number(part, symbols) for part in (node.left, node.right))
                if not (z3.is_int_value(one.value) or z3.is_int_value(other.value)):
                    raise OpenError
                known = z3.And(one.known, other.known)
                return Number(known, one.value * other.value, one.scale + other.scale)
            case Arithmetic():
                (one, other), scale = self._aligned([node.left, node.right], symbols)
                value = one.at(scale) + other.at(scale) if node.op == "+" else one.at(scale) - other.at(scale)
                return Number(z3.And(one.known, other.known), value, scale)
            case Call(function="abs"):
                inner = self.number(node.arguments[0], symbols)
                return Number(inner.known, z3.If(inner.value < 0, -inner.value, inner.value), inner.scale)
            case Call(function="coalesce" | "least" | "greatest"):
                return self._chosen(node, symbols)
            case _:
                raise OpenError

    def _chosen(self, node: Call, symbols: Mapping[Name, Symbol]) -> Number:
        parts, scale = self._aligned(node.arguments, symbols)
        known, value = parts[0].known, parts[0].at(scale)
        for part in parts[1:]:
            mine = part.at(scale)
            better = {"coalesce": z3.BoolVal(False), "least": mine < value, "greatest": mine > value}
            takes = z3.And(part.known, z3.Or(z3.Not(known), better[node.function]))
            known, value = z3.Or(known, part.known), z3.If(takes, mine, value)
        return Number(known, value, scale)

    def _aligned(
        self, parts: Iterable[Expression], symbols: Mapping[Name, Symbol]
    ) -> tuple[list[Number], int]:
        found = [self.number(part, symbols) for part in parts]
        return found, max(part.scale for part in found)

    def _tested(self, test: Expression, symbols: Mapping[Name, Symbol]) -> Truth:
        read = names(test)
        if read and all(isinstance(symbols.get(name), Choice) for name in read):
            return self._by_cells(test, sorted(read, key=lambda n: n.name), symbols)
        match test:
            case IsNull():
                known = self.number(test.operand, symbols).known
                return Truth(z3.Not(known), known)
            case Compare():
                (left, right), scale = self._aligned([test.left, test.right], symbols)
                known = z3.And(left.known, right.known)
                holds = _COMPARED[test.op](left.at(scale), right.at(scale))
            case In():
                (left, *listed), scale = self._aligned([test.operand, *test.values], symbols)
                known, holds = left.known, z3.Or([left.at(scale) == value.at(scale) for value in listed])
            case _:
                raise OpenError
        return Truth(z3.And(known, holds), z3.And(known, z3.Not(holds)))

    def _by_cells(self, test: Expression, read: list[Name], symbols: Mapping[Name, Symbol]) -> Truth:
        """A test that is decided by the cells of what it reads."""
        choices = [choice for name in read if isinstance(choice := symbols[name], Choice)]
        if prod(len(choice.cells) for choice in choices) > MOST_CASES:
            raise OpenError
        says = compiled(test)
        met: dict[bool, list[Any]] = {True: [], False: []}
        for places in product(*(range(len(choice.cells)) for choice in choices)):
            cells = zip(read, choices, places, strict=True)
            said = says({name.name: choice.cells[place].value for name, choice, place in cells})
            if said is not None:
                which = (choice.which == place for choice, place in zip(choices, places, strict=True))
                met[said].append(z3.And(*which))
        return Truth(z3.Or(met[True]), z3.Or(met[False]))

    def _first(self, parts: list[Truth]) -> Truth:
        found = parts[-1]
        for part in reversed(parts[:-1]):
            unknown = z3.Not(z3.Or(part.true, part.false))
            found = Truth(
                z3.Or(part.true, z3.And(unknown, found.true)), z3.Or(part.false, z3.And(unknown, found.false))
            )
        return found

    def _left_open(self, node: Expression, side: object) -> Truth:
        measured = any(name.level is Level.MEASURE for name in names(node))
        key = node, side if measured else None
        if key not in self._open:
            self.left_open.append(render(node))
            self._open[key] = Truth(self.flag(), self.flag())
            self.sides.append(z3.Not(z3.And(self._open[key].true, self._open[key].false)))
        return self._open[key]
