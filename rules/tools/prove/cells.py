"""The values of a column in *cells*: within one, no condition can tell a value from another.

So one value of each cell stands for all of it, and what a condition says of it is asked of the same function
that judges. A test that cells can't decide (two columns compared, ``like`` of free text) is a column of its
own whose value may be anything: true, false or unknown.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import ceil, floor

from rules.language.boxes import ANYTHING, Domain, Limits, parts, place_of, tested, value_at
from rules.language.evaluate import compiled
from rules.language.expressions import (
    BOOLEAN,
    DATE,
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
    possible: Limits
    most: int | None = None
    thinned: bool = False
    open_tests: dict[tuple[Expression, str], Name] = field(default_factory=dict)
    _asked: dict[Name, list[Domain]] = field(default_factory=lambda: defaultdict(list))

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
        possible = self.possible.get(name, ANYTHING)
        found = parts(name.type, [*self._asked[name], possible], self.codes.get(name, ()))
        *known, unknown = [self._cell(name, part) for part in found if part.within(possible)]
        return (*self._some(name, known), unknown)

    def _cell(self, name: Name, part: Domain) -> Cell:
        if part.unknown:
            return Cell(None)
        if name.type.kind in (Kind.BOOLEAN, Kind.TEXT):
            return Cell(*(part.among or [_other(part.without)]))
        first, last = self.bounds(name)
        low = first if part.low is None else int(place_of(part.low, name.type))
        high = last if part.high is None else int(place_of(part.high, name.type))
        return Cell(value_at(max(low, min(high, self._near(name))), name.type), low, high)

    def bounds(self, name: Name) -> tuple[int, int]:
        """The least and the greatest value of a column, on its grain."""
        if name.type.kind is Kind.DATE:
            return 1, _DAYS[-1]
        possible, grain = self.possible.get(name, ANYTHING), 10**name.type.scale
        most = 10 ** (name.type.whole + name.type.scale) - 1
        low = -most if possible.low is None else max(-most, ceil(possible.low * grain))
        return low, most if possible.high is None else min(most, floor(possible.high * grain))

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

    def _decided(self, test: Expression) -> bool:
        """Whether cells decide a test; notes where they have to begin for that."""
        read = names(test)
        if not _of_record(test) and all(name.type.kind is Kind.NUMBER for name in read):
            return True
        if all(self.listed(name) for name in read):
            return True
        return isinstance(test, IsNull) or self._cut(*tested(test, True))

    def listed(self, name: Name) -> bool:
        """Whether each value of a column is a cell."""
        return name.type.kind is Kind.BOOLEAN or name in self.codes

    def _cut(self, operand: Expression, domain: Domain) -> bool:
        leaves = list(_leaves(operand))
        if not all(map(_is_leaf, leaves)):
            return False
        for leaf in leaves:
            for name in names(leaf):
                self._asked[name] += [domain] if leaf == name else _before(leaf, name, domain)
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


def _before(leaf: Expression, name: Name, domain: Domain) -> Iterator[Domain]:
    """Where a date has to be cut for what it is moved to: that grows with it."""
    given = compiled(leaf)

    def moved(day: int) -> int:
        return int(given({name.name: dt.date.fromordinal(max(1, day))}).toordinal())

    for start in domain.starts(DATE):
        begin = bisect_left(_DAYS, start, lo=1, key=moved)
        if begin in _DAYS:
            yield Domain(low=dt.date.fromordinal(begin))


def _other(texts: Iterable[Value]) -> str:
    text = "x"
    while text in texts:
        text += "x"
    return text
