"""The values of a column in *cells*: within one, no condition can tell a value from another.

So one value of each cell stands for all of it, and what a condition says of it is asked of the same function
that judges. A test that cells can't decide (two columns compared, ``like`` of free text) is a column of its
own whose value may be anything: true, false or unknown.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor
from typing import Any

from rules.language.evaluate import compiled
from rules.language.expressions import (
    BOOLEAN,
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
    Like,
    Literal,
    Name,
    Not,
    Or,
    Round,
    Shift,
    Type,
    Value,
    children,
    names,
)
from rules.model import ANYTHING, Possible

FALSE = Literal(False, BOOLEAN)
_CHOICES = ("coalesce", "least", "greatest")
_DAYS = range(dt.date.max.toordinal() + 1)


@dataclass(frozen=True, slots=True)
class Cell:
    """Values that no condition tells apart.

    :param value: the one that stands for them; None for unknown.
    :param low, high: of numbers, the least and the greatest, on the grain of the column's type.
    """

    value: Value | None
    low: int = 0
    high: int = 0


@dataclass(slots=True)
class Cells:
    """What conditions ask of columns.

    :param day: dates that stand for others are near it.
    :param codes: the codes of columns and measures that have a list.
    :param possible: the bounds of columns.
    :param most: how many intervals of a column are looked at; None for all. Of fewer nothing is proved.
    :param open_tests: the tests that cells can't decide (and whose, where they read measures) → the column
        that stands for each.
    :ivar thinned: whether intervals were left out.
    """

    day: dt.date
    codes: Mapping[Name, tuple[str, ...]]
    possible: Mapping[Name, Possible]
    most: int | None = None
    thinned: bool = False
    open_tests: dict[tuple[Expression, str], Name] = field(default_factory=dict)
    _starts: dict[Name, set[int]] = field(default_factory=lambda: defaultdict(set))
    _texts: dict[Name, set[str]] = field(default_factory=lambda: defaultdict(set))

    def read(self, node: Expression, side: str = "") -> Expression:
        """Notes what a condition asks; the condition, its open tests being columns.

        :param side: whose measures it reads.
        """
        match node:
            case And() | Or() | Not() | IsTrue() | Call(function="coalesce", type=Type(kind=Kind.BOOLEAN)):
                return rebuilt(node, [self.read(part, side) for part in children(node)])
            case Literal() | Name():
                return node
            case Compare(op="=" | "<>", left=IsNull() as test, right=Literal(value=bool() as wanted)):
                return self.read(test if wanted is (node.op == "=") else Not(test), side)
            case _ if self._decided(node):
                return node
        measured = any(name.level is Level.MEASURE for name in names(node))
        level = Level.RECORD if _of_record(node) else Level.SUBJECT
        name = Name(f"?{len(self.open_tests)}", level, BOOLEAN)
        return self.open_tests.setdefault((node, side if measured else ""), name)

    def of(self, name: Name) -> tuple[Cell, ...]:
        """The cells of a column, the last for unknown."""
        match name.type.kind:
            case Kind.BOOLEAN:
                known: Iterable[Value] = (True, False)
            case Kind.TEXT if name in self.codes:
                known = self.codes[name]
            case Kind.TEXT:
                known = (*sorted(self._texts[name]), _other(self._texts[name]))
            case _:
                return (*self._some(name, [*self._intervals(name)]), Cell(None))
        return (*map(Cell, known), Cell(None))

    def bounds(self, name: Name) -> tuple[int, int]:
        """The least and the greatest value of a column, on its grain."""
        if name.type.kind is Kind.DATE:
            return 1, _DAYS[-1]
        possible, grain = self.possible.get(name, ANYTHING), 10**name.type.scale
        most = 10 ** (name.type.whole + name.type.scale) - 1
        low = -most if possible.least is None else max(-most, ceil(possible.least * grain))
        return low, most if possible.most is None else min(most, floor(possible.most * grain))

    def _some(self, name: Name, found: list[Cell]) -> list[Cell]:
        """As many intervals of a record's column as are looked at, evenly; that of the day or of 0 too."""
        if self.most is None or len(found) <= self.most or name.level is not Level.RECORD:
            return found
        self.thinned = True
        step = len(found) / self.most
        near = self._near(name)
        kept = {int(place * step) for place in range(self.most)}
        kept.add(next((n for n, cell in enumerate(found) if cell.low <= near <= cell.high), 0))
        return [found[place] for place in sorted(kept)]

    def _near(self, name: Name) -> int:
        return self.day.toordinal() if name.type.kind is Kind.DATE else 0

    def _intervals(self, name: Name) -> Iterator[Cell]:
        low, high = self.bounds(name)
        inner = sorted(start for start in self._starts[name] if low < start <= high)
        near = self._near(name)
        for begin, after in pairwise([low, *inner, high + 1]):
            value = max(begin, min(after - 1, near))
            yield Cell(value_at(value, name.type), begin, after - 1)

    def _decided(self, test: Expression) -> bool:
        """Whether cells decide a test; notes where they have to begin for that."""
        read = names(test)
        if not _of_record(test) and all(name.type.kind is Kind.NUMBER for name in read):
            return True
        if all(self.listed(name) for name in read):
            return True
        match test:
            case IsNull():
                return True
            case (
                Compare(left=Literal() as value, right=operand)
                | Compare(left=operand, right=Literal() as value)
            ):
                return self._cut(operand, [value.value])
            case In():
                return self._cut(test.operand, [value.value for value in test.values])
            case _:
                return False

    def listed(self, name: Name) -> bool:
        """Whether each value of a column is a cell."""
        return name.type.kind is Kind.BOOLEAN or name in self.codes

    def _cut(self, operand: Expression, values: list[Value]) -> bool:
        leaves = list(_leaves(operand))
        if not all(map(_is_leaf, leaves)):
            return False
        for leaf in leaves:
            for name in names(leaf):
                if name.type.kind is Kind.TEXT:
                    self._texts[name].update(map(str, values))
                else:
                    self._starts[name].update(s for value in values for s in _turns(leaf, name, value))
        return True


def rebuilt(node: Expression, parts: list[Expression]) -> Expression:
    """A node with other parts."""
    match node:
        case Compare() | Arithmetic():
            return replace(node, left=parts[0], right=parts[1])
        case Round():
            return replace(node, operand=parts[0], divisor=parts[1])
        case And() | Or():
            return replace(node, parts=tuple(parts))
        case Call():
            return replace(node, arguments=tuple(parts))
        case In() | IsNull() | IsTrue() | Not() | Shift() | Like():
            return replace(node, operand=parts[0])
        case _:
            return node


def fold(node: Expression, row: Mapping[Name, Value | None]) -> Expression:
    """An expression in which some names have values; None for unknown."""
    if isinstance(node, Name):
        return Literal(row[node], node.type) if node in row else node  # type: ignore[arg-type]
    if isinstance(node, (And, Or)):
        return _decided_by(node, row)
    parts = [fold(part, row) for part in children(node)]
    if not parts or parts == list(children(node)):
        return node
    if isinstance(node, (Compare, Arithmetic)) and any(map(_unknown, parts)):
        return Literal(None, node.type)  # type: ignore[arg-type]
    if isinstance(node, Call) and node.function in _CHOICES:
        parts = [part for part in parts if not _unknown(part)] or parts[:1]
    whole = rebuilt(node, parts)
    if all(isinstance(part, Literal) for part in parts):
        return Literal(compiled(whole)({}), node.type)
    return whole


def held(node: Expression) -> Expression:
    """A condition of which it only matters whether it is true."""
    if _unknown(node) or (isinstance(node, And) and any(map(_unknown, node.parts))):
        return FALSE
    return node


def value_at(value: int, kind: Type) -> Value:
    """The value that stands at a place of the grain of its type."""
    if kind.kind is Kind.DATE:
        return dt.date.fromordinal(value)
    return Decimal(value).scaleb(-kind.scale) if kind.scale else value


def _decided_by(node: And | Or, row: Mapping[Name, Value | None]) -> Expression:
    """One part that is false decides an ``and``, one that is true an ``or``."""
    decisive = isinstance(node, Or)
    left: list[Expression] = []
    for part in node.parts:
        folded = fold(part, row)
        if not isinstance(folded, Literal) or folded.value is None:
            left.append(folded)
        elif folded.value is decisive:
            return folded
    if not left:
        return Literal(not decisive, BOOLEAN)
    return left[0] if len(left) == 1 else replace(node, parts=tuple(left))


def _unknown(node: Expression) -> bool:
    return isinstance(node, Literal) and node.value is None


def _of_record(node: Expression) -> bool:
    return any(name.level is Level.RECORD for name in names(node))


def _leaves(node: Expression) -> Iterator[Expression]:
    """The parts that a value is chosen from; what moves a choice of dates moves each of them."""
    inner = children(node)
    if isinstance(node, Call) and node.function in _CHOICES:
        for argument in inner:
            yield from _leaves(argument)
    elif _moves(node):
        yield from (rebuilt(node, [leaf]) for leaf in _leaves(inner[0]))
    else:
        yield node


def _is_leaf(node: Expression) -> bool:
    """Whether a leaf is constant, a column, or a date that is moved: it grows with what it is moved from."""
    return isinstance(node, (Literal, Name)) or (_moves(node) and _is_leaf(children(node)[0]))


def _moves(node: Expression) -> bool:
    return isinstance(node, Shift) or (isinstance(node, Call) and node.function.startswith("start_of_"))


def _turns(leaf: Expression, name: Name, value: Any) -> tuple[int, int]:
    """From where on a leaf is at least the value, and from where on it is more."""
    if name.type.kind is not Kind.DATE:
        place = Fraction(value) * 10**name.type.scale
        return ceil(place), floor(place) + 1
    given = compiled(leaf)

    def key(day: int) -> Any:
        return given({name.name: dt.date.fromordinal(max(1, day))})

    return bisect_left(_DAYS, value, lo=1, key=key), bisect_right(_DAYS, value, lo=1, key=key)


def _other(texts: set[str]) -> str:
    text = "x"
    while text in texts:
        text += "x"
    return text
