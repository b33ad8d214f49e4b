"""What lint holds to be impossible, or implied, never happens: every condition is tried on values."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.conditions import Scope, parse_condition
from rules.evaluate import evaluate
from rules.expressions import BOOLEAN, DATE, INTEGER, TEXT, And, Expression, Level, Name, render
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

COMPARISONS = ["=", "<>", "<", "<=", ">", ">="]
OPERATORS = st.sampled_from(COMPARISONS)
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


ALONE = {
    "n": (INTEGER, [None, *range(-2, 7)], [f"n {op} {k}" for op in COMPARISONS for k in range(4)]),
    "c": (TEXT, [None, *"xyz"], ["c = 'x'", "'y' = c", "c <> 'x'", "c in ('x', 'y')", "c not in ('x', 'y')"]),
    "b": (BOOLEAN, [None, True, False], ["b", "not b", "b = true", "b = false"]),
    "d": (
        DATE,
        [None, *(dt.date(2026, 1, day) for day in range(1, 9))],
        [f"d {op} date '2026-01-0{day}'" for op in COMPARISONS for day in (4, 5)],
    ),
}
"""Of each type a name, enough of its values, and the tests of one name that lint knows."""


def alone(name: str) -> tuple[list[Expression], dict[Expression, set[int]]]:
    """Tests of one name, and of each the values that meet it, by number."""
    kind, values, texts = ALONE[name]
    scope = Scope({name: Name(name, Level.SUBJECT, kind)}, {"c": frozenset("xyz")})
    texts = [*texts, f"{name} is null", f"{name} is not null"]
    parsed = [parse_condition(text, scope) for text in texts]
    met = {
        test: {n for n, value in enumerate(values) if evaluate(test, {name: value}, DAY) is True}
        for test in parsed
    }
    return parsed, met


@pytest.mark.parametrize("name", ALONE)
def test_of_one_name_all_that_is_impossible_or_implied_is_seen(name: str) -> None:
    """And nothing else."""
    parsed, met = alone(name)
    for one, other in product(parsed, parsed):
        both = LIMITS.boxes(And((one, other)))
        assert (both == ()) == (not met[one] & met[other]), (render(one), render(other))
        first, second = LIMITS.boxes(one), LIMITS.boxes(other)
        assert first is not None
        assert second is not None
        assert implies(first, second) == (met[one] <= met[other]), (render(one), render(other))
        assert implies(first, (*second, *first)), (render(one), render(other))


@pytest.mark.parametrize(("number", "listed"), [(6, 64), (7, None)])
def test_up_to_64_alternatives_are_listed(number: int, listed: int | None) -> None:
    """Two to the sixth are, two to the seventh are not."""
    pair = parse_condition("n = m or n + m > 3", SCOPE)
    boxes = LIMITS.boxes(And((pair,) * number))
    assert (None if boxes is None else len(boxes)) == listed


def test_65_alternatives_are_too_many() -> None:
    for number in (64, 65):
        condition = parse_condition(" or ".join(f"n = {n}" for n in range(number)), SCOPE)
        boxes = LIMITS.boxes(condition)
        assert (boxes is None) == (number == 65)
