"""A typed condition as durable_rules matches it: alternatives, each a conjunction of checks of one number.

What :mod:`rules.language.boxes` makes of a condition has no negation, no ``or`` and no nesting: an
alternative is one flat ``$and``, the shape of definition that durable_rules matches exactly and fast.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

from rules.language.boxes import MOST_BOXES, Domain, boxes
from rules.language.expressions import And, Compare, Expression, Like, Name, Or, Value
from scoring.live.encoding import REACH, Encoding

_TOO_MANY = f"more than {MOST_BOXES} alternatives"
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


class NotExactError(Exception):
    """durable_rules can't say a condition exactly; the message is why."""


def alternatives(condition: Expression, encoding: Encoding) -> Alternatives:
    """The alternatives of which one must hold for the condition to be true.

    :raises NotExactError: where the condition can't be said so.
    """
    found: set[Alternative] = set()
    for box in boxes(condition):
        for ways in product(*(_ways(operand, domain, encoding) for operand, domain in box.domains.items())):
            found.add(frozenset().union(*ways))
            if len(found) > MOST_BOXES:
                raise NotExactError(_TOO_MANY)
    return frozenset(found)


def _ways(operand: Expression, domain: Domain, encoding: Encoding) -> Iterator[Alternative]:
    """The checks for each way in which an operand has a value of its domain."""
    if not isinstance(operand, Name):
        raise NotExactError(_why(operand))

    def check(op: str, value: Value) -> Check:
        number = encoding.number(operand, value)
        if number is None or abs(number) >= REACH:
            raise NotExactError(f"{value} is out of reach")
        return Check(operand.name, op, number)

    if domain.unknown:
        yield frozenset({Check(operand.name, "unknown")})
    if domain.among is not None:
        yield from (frozenset({check("=", value)}) for value in domain.among)
        return
    ends = ((">=", domain.low), ("<=", domain.high))
    within = {check(op, end) for op, end in ends if end is not None} | {
        check("<>", v) for v in domain.without
    }
    yield frozenset(within or {Check(operand.name, "known")})


def _why(operand: Expression) -> str:
    match operand:
        case Like():
            return "like"
        case Compare(left=Name(), right=Name()):
            return "two columns compared"
        case And() | Or():
            return _TOO_MANY
        case _:
            return "arithmetic, or a function"


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
