"""Conditions as SQL text, in the part of SQL that DuckDB, Spark and PostgreSQL share.

Only declared names (quoted) and literal values (escaped) are written. The functions ``add_months`` and
``add_days`` are Spark's; other engines define them (:data:`DUCKDB_MACROS`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

from rules.language.expressions import (
    DATE,
    And,
    Arithmetic,
    AsOf,
    Call,
    Case,
    Compare,
    Expression,
    In,
    IsNull,
    IsTrue,
    Kind,
    Like,
    Literal,
    Name,
    Not,
    Or,
    Round,
    Shift,
    Type,
    literal,
)

DUCKDB_MACROS = (
    "create or replace macro add_months(d, n) as cast(d + to_months(n) as date)",
    "create or replace macro add_days(d, n) as d + cast(n as integer)",
    "create or replace macro in_calendar(d) as case when d > date '9999-12-31' then date '9999-12-31'"
    " when d < date '0001-01-01' then date '0001-01-01' else d end",
    "create or replace macro start_of_year(d) as cast(date_trunc('year', d) as date)",
    "create or replace macro start_of_month(d) as cast(date_trunc('month', d) as date)",
    "create or replace macro unscaled(x) as cast(replace(cast(x as varchar), '.', '') as hugeint)",
    "create or replace macro half_away(n, d) as sign(n) * sign(d) * (abs(n) // abs(d)"
    " + cast(abs(n) % abs(d) >= abs(d) - abs(n) % abs(d) as hugeint))",
)
"""``unscaled``: a decimal without its point. ``half_away``: an exact quotient of whole numbers, rounded."""


def sql_type(kind: Type) -> str:
    """The SQL type of a column."""
    match kind.kind:
        case Kind.TEXT:
            return "varchar"
        case Kind.DATE:
            return "date"
        case Kind.BOOLEAN:
            return "boolean"
        case Kind.NUMBER if kind.scale == 0 and kind.whole <= 18:
            return "bigint"
        case Kind.NUMBER:
            return f"decimal({kind.whole + kind.scale}, {kind.scale})"


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def date(day: dt.date | None) -> str:
    """A date as an SQL literal; None as the null of dates."""
    return "cast(null as date)" if day is None else f"date '{day.isoformat()}'"


def all_of(terms: Iterable[str]) -> str:
    """The terms joined by ``and``; ``true`` where there are none."""
    return " and ".join(terms) or "true"


def of(function: str, terms: Sequence[str]) -> str:
    """``least`` or ``greatest`` of the terms: of one term, the term itself."""
    return terms[0] if len(terms) == 1 else f"{function}({', '.join(terms)})"


def to_sql(node: Expression) -> str:
    """An expression as SQL over columns of the same names. ``as_of`` has been taken out before."""
    match node:
        case Name():
            return quoted(node.name)
        case Literal():
            return f"({literal(node.value)})" if str(node.value).startswith("-") else literal(node.value)
        case Arithmetic():
            return _arithmetic(node)
        case Round():
            return _round(node)
        case Shift():
            return _shift(node)
        case Call():
            return f"{node.function}({', '.join(to_sql(a) for a in node.arguments)})"
        case Case():
            return _case(node)
        case AsOf():
            raise AssertionError("as_of is taken out of a condition when the plan is made")
        case _:
            return f"({_test(node)})"


def _test(node: Expression) -> str:
    """A condition, to stand in parentheses."""
    match node:
        case Compare():
            return f"{to_sql(node.left)} {node.op} {to_sql(node.right)}"
        case In():
            return f"{to_sql(node.operand)} in ({', '.join(to_sql(v) for v in node.values)})"
        case Like():
            return f"{to_sql(node.operand)} like {literal(node.pattern)}"
        case IsNull():
            return f"{to_sql(node.operand)} is null"
        case IsTrue():
            return f"{to_sql(node.operand)} is true"
        case Not():
            return f"not {to_sql(node.operand)}"
        case And():
            return " and ".join(to_sql(part) for part in node.parts)
        case Or():
            return " or ".join(to_sql(part) for part in node.parts)
        case _:
            raise AssertionError(node)


def _case(node: Case) -> str:
    branches = " ".join(f"when {to_sql(c)} then {typed(v, node.type)}" for c, v in node.branches)
    last = "null" if node.otherwise is None else typed(node.otherwise, node.type)
    return f"(case {branches} else {last} end)"


def typed(node: Expression, kind: Type) -> str:
    """The value of an expression in a place of that type; numbers alone come in several sizes."""
    return cast(node, kind) if kind.kind is Kind.NUMBER else to_sql(node)


def _shift(node: Shift) -> str:
    """A moved date, kept within the calendar as :mod:`rules.calendar` keeps it."""
    moved = to_sql(node.operand)
    if node.months:
        moved = f"in_calendar(add_months({moved}, {node.months}))"
    return f"in_calendar(add_days({moved}, {node.days}))" if node.days else moved


def _arithmetic(node: Arithmetic) -> str:
    """Operands are widened first, so that no intermediate overflows."""
    if node.left.type == DATE:
        return f"({to_sql(node.left)} - {to_sql(node.right)})"
    left, right = node.left.type, node.right.type
    if node.op == "*":
        left = wide(left)
    else:
        left = right = node.type
    return f"({cast(node.left, left)} {node.op} {cast(node.right, right)})"


def _round(node: Round) -> str:
    """By whole numbers: decimals are divided as floating point."""
    moved = node.digits + node.divisor.type.scale - node.operand.type.scale
    part = f"unscaled({cast(node.operand, node.operand.type)}) * {10 ** max(moved, 0)}"
    whole = f"nullif(unscaled({cast(node.divisor, node.divisor.type)}) * {10 ** max(-moved, 0)}, 0)"
    size = node.type.whole + node.digits
    rounded = f"try_cast(half_away({part}, {whole}) as decimal({size}, 0))"
    point = f" * {Decimal(1).scaleb(-node.digits):f}" if node.digits else ""
    return f"cast({rounded}{point} as decimal({size}, {node.digits}))"


def wide(kind: Type) -> Type:
    """A number type of more than 18 digits: DuckDB multiplies narrower ones in 64 bits, which overflow."""
    return replace(kind, whole=max(kind.whole, 19 - kind.scale))


def cast(node: Expression, kind: Type) -> str:
    """The value of an expression as a decimal of that size."""
    return f"cast({to_sql(node)} as decimal({kind.whole + kind.scale}, {kind.scale}))"
