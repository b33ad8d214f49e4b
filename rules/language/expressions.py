"""Conditions: a restricted, typed SQL boolean expression as frozen data.

The text is parsed by sqlglot and copied, node by node, into the closed set of nodes below; whatever has no
node here is refused. Nothing of the text survives but names that were declared and literal values.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

MAX_DIGITS = 38


class Kind(StrEnum):
    """The kinds of value a column can hold."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    BOOLEAN = "boolean"


@dataclass(frozen=True, slots=True)
class Type:
    """A value's type. Numbers are exact decimals of ``whole`` digits before and ``scale`` after the point."""

    kind: Kind
    whole: int = 0
    scale: int = 0

    def __str__(self) -> str:
        return str(self.kind)

    def holds(self, value: Value) -> bool:
        """Whether a column of the type can have that value at all: a whole number is never 2.5."""
        if self.kind is not Kind.NUMBER:
            return True
        number: Fraction = Fraction(value)  # type: ignore[arg-type]
        whole = number * Fraction(10) ** self.scale
        return whole.denominator == 1 and abs(number) < Fraction(10) ** self.whole


TEXT = Type(Kind.TEXT)
DATE = Type(Kind.DATE)
BOOLEAN = Type(Kind.BOOLEAN)
INTEGER = Type(Kind.NUMBER, 18, 0)
DECIMAL = Type(Kind.NUMBER, 14, 4)
TOTAL = Type(Kind.NUMBER, 24, 4)
COUNT = Type(Kind.NUMBER, 12, 0)
DAYS = Type(Kind.NUMBER, 7, 0)
"""Between any two dates of the calendar."""


class Level(StrEnum):
    """Whose value a name is: one record's, the subject's own attribute, or a measure of the subject."""

    RECORD = "record"
    SUBJECT = "subject"
    MEASURE = "measure"


Value = str | int | Decimal | dt.date | bool


@dataclass(frozen=True, slots=True)
class Name:
    """A column or a measure."""

    name: str
    level: Level
    type: Type

    def __hash__(self) -> int:
        return hash(self.name)


@dataclass(frozen=True, slots=True)
class AsOf:
    """The date that the result speaks about."""

    type: Type = DATE


@dataclass(frozen=True, slots=True)
class Literal:
    value: Value
    type: Type


@dataclass(frozen=True, slots=True)
class Compare:
    """``left op right`` with op one of ``= <> < <= > >=``."""

    op: str
    left: Expression
    right: Expression
    type: Type = BOOLEAN


@dataclass(frozen=True, slots=True)
class In:
    operand: Expression
    values: tuple[Literal, ...]
    type: Type = BOOLEAN


@dataclass(frozen=True, slots=True)
class Like:
    """Text against a pattern in which ``%`` stands for any text and ``_`` for one character."""

    operand: Expression
    pattern: str
    type: Type = BOOLEAN


@dataclass(frozen=True, slots=True)
class IsNull:
    operand: Expression
    type: Type = BOOLEAN


@dataclass(frozen=True, slots=True)
class IsTrue:
    """True where the operand is true, false where it is false *or unknown*: for rows after a first hit."""

    operand: Expression
    type: Type = BOOLEAN


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple[Expression, ...]
    type: Type = BOOLEAN


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple[Expression, ...]
    type: Type = BOOLEAN


@dataclass(frozen=True, slots=True)
class Not:
    operand: Expression
    type: Type = BOOLEAN


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """``left op right`` on numbers with op one of ``+ - *``; ``-`` of two dates is the days between them."""

    op: str
    left: Expression
    right: Expression
    type: Type


@dataclass(frozen=True, slots=True)
class Round:
    """``operand / divisor`` to so many digits after the point, half away from zero; unknown where the divisor
    is 0 or the type does not hold it."""

    operand: Expression
    divisor: Expression
    digits: int
    type: Type


@dataclass(frozen=True, slots=True)
class Shift:
    """A date moved by calendar months, then by days."""

    operand: Expression
    months: int
    days: int
    type: Type = DATE


@dataclass(frozen=True, slots=True)
class Call:
    """``coalesce``, ``least``, ``greatest`` (which pass over unknown values), ``abs``, or the first day of a
    date's year or month: ``start_of_year``, ``start_of_month``."""

    function: str
    arguments: tuple[Expression, ...]
    type: Type


@dataclass(frozen=True, slots=True)
class Case:
    """The value of the first branch whose condition is true, else ``otherwise``, else unknown: what a table
    gives.

    :param branches: conditions, each with its value.
    """

    branches: tuple[tuple[Expression, Expression], ...]
    otherwise: Expression | None
    type: Type


TRUE = Literal(True, BOOLEAN)
ONE = Literal(1, Type(Kind.NUMBER, 1, 0))

Expression = (
    Name
    | AsOf
    | Literal
    | Compare
    | In
    | Like
    | IsNull
    | IsTrue
    | And
    | Or
    | Not
    | Arithmetic
    | Round
    | Shift
    | Call
    | Case
)


def children(node: Expression) -> tuple[Expression, ...]:
    """The direct parts of a node."""
    match node:
        case Compare() | Arithmetic():
            return (node.left, node.right)
        case Round():
            return (node.operand, node.divisor)
        case In():
            return (node.operand, *node.values)
        case And() | Or():
            return node.parts
        case IsNull() | IsTrue() | Not() | Shift() | Like():
            return (node.operand,)
        case Call():
            return node.arguments
        case Case():
            last = () if node.otherwise is None else (node.otherwise,)
            return (*(part for branch in node.branches for part in branch), *last)
        case _:
            return ()


def walk(node: Expression) -> Iterator[Expression]:
    """The node and everything below it."""
    yield node
    for child in children(node):
        yield from walk(child)


def names(node: Expression) -> frozenset[Name]:
    """Every column and measure that the expression reads.

    >>> from datetime import date
    >>> from rules.library.loader import find_pack
    >>> rule = find_pack("tourism-credit", date(2026, 8, 31)).rules[0]
    >>> sorted(name.name for name in names(rule.when.written))
    ['joined_on', 'state']
    """
    return frozenset(n for n in walk(node) if isinstance(n, Name))


def reads_as_of(node: Expression) -> bool:
    """Whether the expression's value moves with the as-of date."""
    return any(isinstance(n, AsOf) for n in walk(node))


def conjuncts(node: Expression) -> tuple[Expression, ...]:
    """The terms of a top-level ``and``.

    >>> from datetime import date
    >>> from rules.library.loader import find_pack
    >>> rule = find_pack("tourism-credit", date(2026, 8, 31)).rules[0]
    >>> [render(term) for term in conjuncts(rule.when.written)]
    ["state = 'operating'", 'joined_on + interval 6 month <= as_of']
    """
    return node.parts if isinstance(node, And) else (node,)


def conjunction(parts: tuple[Expression, ...]) -> Expression:
    """All parts together: the ``and`` of them, the part itself where there is one, or ``true``."""
    flat = tuple(term for part in parts for term in conjuncts(part) if term != TRUE)
    if not flat:
        return TRUE
    return flat[0] if len(flat) == 1 else And(flat)


_BINDING = {"or": 1, "and": 2, "not": 3, "test": 4, "sum": 5, "product": 6, "atom": 7}


def render(node: Expression) -> str:
    """The expression in the language's canonical text, the form that identity and explanations use.

    >>> from rules.language.parse import Scope, parse_condition
    >>> scope = Scope({"beds": Name("beds", Level.SUBJECT, INTEGER)}, {})
    >>> render(parse_condition("NOT beds<10", scope))
    'not beds < 10'
    """
    return _render(node)[0]


def _render(node: Expression) -> tuple[str, int]:
    """The text of a node and how tightly its outermost operator binds."""
    match node:
        case Name():
            return node.name, _BINDING["atom"]
        case AsOf():
            return "as_of", _BINDING["atom"]
        case Literal():
            return literal(node.value), _BINDING["atom"]
        case Call():
            return f"{node.function}({', '.join(render(a) for a in node.arguments)})", _BINDING["atom"]
        case Case():
            branches = "".join(f" when {render(c)} then {render(v)}" for c, v in node.branches)
            last = "" if node.otherwise is None else f" else {render(node.otherwise)}"
            return f"case{branches}{last} end", _BINDING["atom"]
        case Arithmetic(op="*"):
            return f"{_within(node.left, 'product')} * {_within(node.right, 'atom')}", _BINDING["product"]
        case Arithmetic():
            return f"{_within(node.left, 'sum')} {node.op} {_within(node.right, 'product')}", _BINDING["sum"]
        case Round():
            return f"round({_quotient(node)}, {node.digits})", _BINDING["atom"]
        case Shift():
            moved = _interval(node.months, "month") + _interval(node.days, "day")
            return _within(node.operand, "sum") + moved, _BINDING["sum"]
        case _:
            return _render_condition(node)


def _quotient(node: Round) -> str:
    if node.divisor == ONE:
        return render(node.operand)
    return f"{_within(node.operand, 'product')} / {_within(node.divisor, 'atom')}"


def _render_condition(node: Expression) -> tuple[str, int]:
    match node:
        case Not(operand=IsNull() as inner):
            return f"{_within(inner.operand, 'sum')} is not null", _BINDING["test"]
        case Not():
            return f"not {_within(node.operand, 'not')}", _BINDING["not"]
        case And():
            return " and ".join(_within(p, "not") for p in node.parts), _BINDING["and"]
        case Or():
            return " or ".join(_within(p, "and") for p in node.parts), _BINDING["or"]
        case _:
            return _render_test(node), _BINDING["test"]


def _render_test(node: Expression) -> str:
    match node:
        case Compare():
            return f"{_within(node.left, 'sum')} {node.op} {_within(node.right, 'sum')}"
        case In():
            values = ", ".join(literal(v.value) for v in node.values)
            return f"{_within(node.operand, 'sum')} in ({values})"
        case Like():
            return f"{_within(node.operand, 'sum')} like {literal(node.pattern)}"
        case IsNull():
            return f"{_within(node.operand, 'sum')} is null"
        case IsTrue():
            return f"({render(node.operand)}) is true"
        case _:
            raise AssertionError(node)


def _within(node: Expression, needed: str) -> str:
    text, binding = _render(node)
    return text if binding >= _BINDING[needed] else f"({text})"


def literal(value: Value) -> str:
    """A value as the language writes it.

    >>> [literal(value) for value in ("O'Neill", 12, True)]
    ["'O''Neill'", '12', 'true']
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.date):
        return f"date '{value.isoformat()}'"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _interval(count: int, unit: str) -> str:
    if not count:
        return ""
    sign = "+" if count > 0 else "-"
    return f" {sign} interval {abs(count)} {unit}"
