"""What lint holds to be impossible, or implied, never happens: every condition is tried on values."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from rules.conditions import Scope, parse_condition
from rules.evaluate import evaluate
from rules.expressions import INTEGER, TEXT, Expression, Level, Name
from rules.lint.domains import Domain, Limits, implies

NAMES = {"n": Name("n", Level.SUBJECT, INTEGER), "m": Name("m", Level.SUBJECT, INTEGER)}
NAMES |= {"c": Name("c", Level.SUBJECT, TEXT)}
SCOPE = Scope(NAMES, {"c": frozenset("xyz")})
LIMITS = Limits({"c": Domain(frozenset("xyz"))})
DAY = dt.date(2026, 1, 1)
ROWS = [
    dict(zip("nmc", values, strict=True))
    for values in product([None, 0, 1, 2, 3], [None, 1, 2], [None, *"xyz"])
]

OPERATORS = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])
tests = st.one_of(
    st.builds("{} {} {}".format, st.sampled_from("nm"), OPERATORS, st.integers(0, 3)),
    st.builds("c {} '{}'".format, st.sampled_from(["=", "<>"]), st.sampled_from("xyz")),
    st.sampled_from(["c in ('x', 'y')", "c not in ('x', 'z')", "n is null", "n is not null"]),
    st.sampled_from(["n < m", "n >= m", "n + m > 3"]),
)  # fmt: skip
conditions = st.recursive(
    tests,
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("not ({})".format, inner),
    ),
    max_leaves=6,
).map(lambda text: parse_condition(text, SCOPE))


def true_rows(condition: Expression) -> list[int]:
    return [number for number, row in enumerate(ROWS) if evaluate(condition, row, DAY) is True]


@given(conditions)
def test_a_condition_said_to_be_impossible_is_true_of_nothing(condition: Expression) -> None:
    if LIMITS.boxes(condition) == ():
        assert true_rows(condition) == []


@given(conditions, conditions)
def test_a_condition_said_to_imply_another_does(one: Expression, other: Expression) -> None:
    first, second = LIMITS.boxes(one), LIMITS.boxes(other)
    if first and second and implies(first, second):
        assert set(true_rows(one)) <= set(true_rows(other))


def test_what_is_impossible_is_seen() -> None:
    for text in (
        "n > 1 and n < 2",
        "c not in ('x', 'y', 'z')",
        "n is null and n > 0",
        "n < m and not (n < m)",
    ):
        assert LIMITS.boxes(parse_condition(text, SCOPE)) == (), text


def test_what_is_implied_is_seen() -> None:
    narrow, wide = (
        LIMITS.boxes(parse_condition(t, SCOPE)) for t in ("n = 2 and c = 'x'", "n >= 1 and c <> 'y'")
    )
    assert narrow
    assert wide
    assert implies(narrow, wide)
    assert not implies(wide, narrow)


def test_a_fraction_is_between_whole_numbers() -> None:
    assert Domain(low=Decimal(2), high=Decimal(1)).empty
