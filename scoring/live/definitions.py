"""A typed condition as durable_rules matches it: alternatives, each a conjunction of checks of one number.

Negation is pushed inward with the outcome that is wanted (true or false, and whether unknown will do as
well), which is De Morgan's law in SQL's three-valued logic. What is left has no negation, no ``or`` and no
nesting: an alternative is one flat ``$and``, the shape of definition that durable_rules matches exactly and
fast.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

from rules.expressions import (
    And,
    Call,
    Compare,
    Expression,
    In,
    IsNull,
    IsTrue,
    Like,
    Literal,
    Name,
    Not,
    Or,
)
from scoring.live.encoding import REACH, Encoding

MOST_ALTERNATIVES = 64
"""A condition of more alternatives is no longer cheaper to match than to evaluate."""

_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "<>": "<>"}
_OPPOSITE = {"=": "<>", "<>": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_DURABLE = {"<>": "$neq", "<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte"}
ALWAYS = "always"
"""A field that every fact has, for conditions that ask for nothing."""


class Check(NamedTuple):
    """``column op number``; of ``known`` and ``unknown`` the number means nothing."""

    column: str
    op: str
    number: int = 0


Alternative = frozenset[Check]
Alternatives = frozenset[Alternative]

YES: Alternatives = frozenset({frozenset()})
NO: Alternatives = frozenset()


class NotExactError(Exception):
    """durable_rules can't say a condition exactly; the message is why."""


def alternatives(condition: Expression, encoding: Encoding) -> Alternatives:
    """The alternatives of which one must hold for the condition to be true.

    :raises NotExactError: where the condition can't be said so.
    """
    return _Sayer(encoding).says(condition, True, False)


class _Sayer:
    def __init__(self, encoding: Encoding) -> None:
        self.encoding = encoding

    def says(self, node: Expression, wanted: bool, or_unknown: bool) -> Alternatives:
        """When the node is ``wanted``, or unknown where that will do."""
        match node:
            case And():
                return self._each(node.parts, wanted, or_unknown, together=wanted)
            case Or():
                return self._each(node.parts, wanted, or_unknown, together=not wanted)
            case Not():
                return self.says(node.operand, not wanted, or_unknown)
            case IsTrue():
                return self.says(node.operand, wanted, not wanted)
            case Call(function="coalesce", arguments=(inner, Literal(value=bool() as otherwise))):
                return self.says(inner, wanted, otherwise is wanted)
            case Literal(value=bool() as value):
                return YES if value is wanted else NO
            case IsNull(operand=Name() as name):
                return _one(Check(name.name, "unknown" if wanted else "known"))
            case _:
                return self._test(node, wanted) | self._unknown(node, or_unknown)

    def _each(
        self, parts: Sequence[Expression], wanted: bool, or_unknown: bool, *, together: bool
    ) -> Alternatives:
        said = [self.says(part, wanted, or_unknown) for part in parts]
        return _all(said) if together else _any(said)

    def _test(self, node: Expression, wanted: bool) -> Alternatives:
        match node:
            case Name():
                return _one(Check(node.name, "=", int(wanted)))
            case Compare(left=Name() as name, right=Literal() as literal):
                return self._compare(name, node.op if wanted else _OPPOSITE[node.op], literal)
            case Compare(left=Literal() as literal, right=Name() as name):
                op = _MIRRORED[node.op]
                return self._compare(name, op if wanted else _OPPOSITE[op], literal)
            case In(operand=Name() as name):
                said = [self._compare(name, "=" if wanted else "<>", value) for value in node.values]
                return _any(said) if wanted else _all(said)
        raise NotExactError(_why(node))

    def _unknown(self, node: Expression, or_unknown: bool) -> Alternatives:
        if not or_unknown:
            return NO
        name = next(n for n in (node, *_sides(node)) if isinstance(n, Name))
        return _one(Check(name.name, "unknown"))

    def _compare(self, name: Name, op: str, literal: Literal) -> Alternatives:
        value = self.encoding.exact(name, literal.value)
        if abs(value) >= REACH:
            raise NotExactError(f"{literal.value} is out of reach")
        if value.denominator == 1:
            return _one(Check(name.name, op, int(value)))
        return _between(name, op, value)


def _between(name: Name, op: str, value: Fraction) -> Alternatives:
    """A comparison with a number that lies between two that the column can have."""
    match op:
        case "=":
            return NO
        case "<>":
            return _one(Check(name.name, "known"))
        case "<" | "<=":
            return _one(Check(name.name, "<=", math.floor(value)))
        case _:
            return _one(Check(name.name, ">=", math.ceil(value)))


def _sides(node: Expression) -> tuple[Expression, ...]:
    match node:
        case Compare():
            return node.left, node.right
        case In():
            return (node.operand,)
        case _:
            return ()


def _why(node: Expression) -> str:
    match node:
        case Like():
            return "like"
        case Compare(left=Name(), right=Name()):
            return "two columns compared"
        case Compare() | In():
            return "arithmetic, or a function"
        case _:
            return type(node).__name__.lower()


# Sets of alternatives


def _one(check: Check) -> Alternatives:
    return frozenset({frozenset({check})})


def _any(said: Iterable[Alternatives]) -> Alternatives:
    return _checked(alternative for part in said for alternative in part)


def _all(said: Iterable[Alternatives]) -> Alternatives:
    whole = YES
    for part in said:
        whole = _checked(one | other for one in whole for other in part if _possible(one | other))
    return whole


def _checked(found: Iterable[Alternative]) -> Alternatives:
    """Without those that another one covers."""
    distinct = sorted(set(found), key=len)
    kept: list[Alternative] = []
    for alternative in distinct:
        if not any(other <= alternative for other in kept):
            kept.append(alternative)
        if len(kept) > MOST_ALTERNATIVES:
            raise NotExactError(f"more than {MOST_ALTERNATIVES} alternatives")
    return frozenset(kept)


def _possible(alternative: Alternative) -> bool:
    unknown = {check.column for check in alternative if check.op == "unknown"}
    equal = Counter(check.column for check in alternative if check.op == "=")
    known = {check.column for check in alternative if check.op != "unknown"}
    return not unknown & known and all(number == 1 for number in equal.values())


# What is sent


def pattern(alternative: Alternative, order: Sequence[str]) -> list[dict[str, object]]:
    """An alternative as the parts of a ``$and``.

    :param order: columns in the order in which they are checked, so that conditions which begin alike share a
        path.
    """
    checks = sorted(alternative, key=lambda check: (order.index(check.column), check.op != "=", check))
    return [_part(check) for check in checks] or [{ALWAYS: 1}]


def _part(check: Check) -> dict[str, object]:
    if check.op in ("known", "unknown"):
        return {known_field(check.column): int(check.op == "known")}
    field = value_field(check.column)
    return {field: check.number} if check.op == "=" else {_DURABLE[check.op]: {field: check.number}}


def value_field(column: str) -> str:
    """The field of a fact that holds a column's number; a fact of an unknown value has none."""
    return f"v_{column}"


def known_field(column: str) -> str:
    """The field of a fact that says whether a column is known."""
    return f"k_{column}"
