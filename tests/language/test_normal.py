"""The normal form says just what a condition says: every condition is tried on values.

And what is held to be impossible never happens, what is held to be implied always does.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import CODES, RECORD_COLUMNS, SUBJECT_COLUMNS, Names, row
from strategies import conditions as random_conditions

from rules.language.boxes import ALWAYS, NEVER, Boxes, Domain, Limits, boxes, implies, overlap, parts
from rules.language.evaluate import evaluate
from rules.language.expressions import (
    BOOLEAN,
    DATE,
    DECIMAL,
    INTEGER,
    TEXT,
    And,
    Expression,
    Level,
    Name,
    render,
)
from rules.language.parse import Scope, parse_condition
from rules.titles import Title

DAY = dt.date(2026, 1, 1)

# Few values, all of them tried

NAMES = {"n": Name("n", Level.SUBJECT, INTEGER), "m": Name("m", Level.SUBJECT, INTEGER)}
NAMES |= {"c": Name("c", Level.SUBJECT, TEXT), "b": Name("b", Level.SUBJECT, BOOLEAN)}
SCOPE = Scope(NAMES, {"c": {code: Title(code, code) for code in "xyz"}})
LIMITS: Limits = {NAMES["c"]: Domain(frozenset("xyz"), unknown=True)}
ROWS = [
    dict(zip("nmcb", values, strict=True))
    for values in product([None, 0, 1, 2, 3], [None, 1, 2], [None, *"xyz"], [None, False, True])
]

COMPARISONS = ["=", "<>", "<", "<=", ">", ">="]
OPERATORS = st.sampled_from(COMPARISONS)
tests = st.one_of(
    st.builds("{} {} {}".format, st.sampled_from("nm"), OPERATORS, st.sampled_from([0, 1, 2, 3, 1.5])),
    st.builds("{} {} {}".format, st.integers(0, 3), OPERATORS, st.sampled_from("nm")),
    st.builds("c {} '{}'".format, st.sampled_from(["=", "<>"]), st.sampled_from("xyz")),
    st.sampled_from(["c in ('x', 'y')", "c not in ('x', 'z')", "n in (0, 1.5, 2)", "c like 'x%'"]),
    st.sampled_from(["n is null", "n is not null", "(n < m) is null", "b", "b <> false"]),
    st.just("b in (true, false)"),
    st.builds("{} {} {}".format, st.sampled_from(["n", "n + m", "n - m"]), OPERATORS, st.just("m")),
    st.builds("n + m {} {}".format, OPERATORS, st.integers(0, 4)),
)  # fmt: skip
conditions = st.recursive(
    tests,
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("not ({})".format, inner),
        st.builds("coalesce({}, {})".format, inner, st.sampled_from(["true", "false"])),
    ),
    max_leaves=6,
).map(lambda text: parse_condition(text, SCOPE))
limits = st.sampled_from([1, 2, 64])


def true_rows(condition: Expression) -> list[int]:
    return [number for number, values in enumerate(ROWS) if evaluate(condition, values, DAY) is True]


def holds(alternatives: Boxes, values: Mapping[str, Any]) -> bool:
    """Whether a row is in one of the boxes."""
    return any(
        all(_has(domain, evaluate(operand, values, DAY)) for operand, domain in box.domains.items())
        for box in alternatives
    )


def _has(domain: Domain, value: Any) -> bool:
    return domain.unknown if value is None else domain.holds(value)


@given(conditions, limits, st.booleans())
def test_the_boxes_of_a_condition_hold_just_where_it_is_true(
    condition: Expression, most: int, opened: bool
) -> None:
    found = boxes(condition, most, open_is_true=opened)
    assert len(found) <= most
    assert [number for number, values in enumerate(ROWS) if holds(found, values)] == true_rows(condition)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("d in (99999999999999.9999, 100000000000000, 0.00001)", ["99999999999999.9999"]),
        ("d in (-99999999999999.9999, -100000000000000)", ["-99999999999999.9999"]),
        ("n in (999999999999999999, 1000000000000000000, 2.5)", ["999999999999999999"]),
    ],
)
def test_of_listed_numbers_those_count_that_a_column_can_hold(written: str, kept: list[str]) -> None:
    scope = Scope(NAMES | {"d": Name("d", Level.SUBJECT, DECIMAL)}, {})
    [box] = boxes(parse_condition(written, scope))
    [domain] = box.domains.values()
    assert sorted(map(str, domain.among or ())) == kept


@given(conditions, limits)
def test_a_box_written_out_again_says_the_same(condition: Expression, most: int) -> None:
    for box in boxes(condition, most):
        for operand, domain in box.domains.items():
            written = domain.condition(operand)
            for values in ROWS:
                value = evaluate(operand, values, DAY)
                assert (evaluate(written, values, DAY) is True) is _has(domain, value), (written, values)


@given(conditions, limits)
def test_a_condition_said_to_be_impossible_is_true_of_nothing(condition: Expression, most: int) -> None:
    if boxes(condition, most, LIMITS) == NEVER:
        assert true_rows(condition) == []


@given(conditions, conditions, limits)
def test_a_condition_said_to_imply_another_does(one: Expression, other: Expression, most: int) -> None:
    first, second = boxes(one, most, LIMITS), boxes(other, most, LIMITS)
    if implies(first, second):
        assert set(true_rows(one)) <= set(true_rows(other))


@given(conditions, conditions, limits)
def test_conditions_said_not_to_overlap_are_never_true_together(
    one: Expression, other: Expression, most: int
) -> None:
    if not overlap(boxes(one, most), boxes(other, most)):
        assert not set(true_rows(one)) & set(true_rows(other))


def alternatives(text: str) -> Boxes:
    return boxes(parse_condition(text, SCOPE), limits=LIMITS)


@pytest.mark.parametrize(
    "text",
    [
        "n > 1 and n < 2",
        "n = 1.5",
        "n > 1000000000000000000",
        "c not in ('x', 'y', 'z')",
        "c not in ('x', 'y') and c <> 'z'",
        "n is null and n > 0",
        "n < m and not (n < m)",
        "n < m and n >= m",
        "n + m > 3 and n + m < 2",
        "b and b <> true",
        "not (coalesce(n = 1, true) or n <> 1)",
    ],
)
def test_what_is_impossible_is_seen(text: str) -> None:
    assert alternatives(text) == NEVER


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        ("n = 2 and c = 'x'", "n >= 1 and c <> 'y'"),
        ("n >= 2 and n <= 2 and c = 'x'", "n in (2, 3)"),
        ("n > 1", "n >= 2 or m = 1"),
        ("b = false", "not b or n = 1"),
        ("c = 'x'", "c in ('x', 'y')"),
        ("c <> 'x'", "c in ('y', 'z')"),
        ("n > 3", "n <> 1"),
    ],
)
def test_what_is_implied_is_seen(narrow: str, wide: str) -> None:
    one, other = alternatives(narrow), alternatives(wide)
    assert implies(one, other)
    assert implies(other, one) is (true_rows_of(narrow) == true_rows_of(wide))


def true_rows_of(text: str) -> list[int]:
    return true_rows(parse_condition(text, SCOPE))


def test_a_fraction_is_between_whole_numbers() -> None:
    assert Domain(low=Decimal(2)).both(Domain(high=Decimal(1))).empty


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
    scope = Scope({name: Name(name, Level.SUBJECT, kind)}, {"c": {code: Title(code, code) for code in "xyz"}})
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
        both = boxes(And((one, other)), limits=LIMITS)
        assert (both == ()) == (not met[one] & met[other]), (render(one), render(other))
        first, second = boxes(one, limits=LIMITS), boxes(other, limits=LIMITS)
        assert implies(first, second) == (met[one] <= met[other]), (render(one), render(other))
        assert implies(first, (*second, *first)), (render(one), render(other))


@pytest.mark.parametrize(("pairs", "found"), [(6, 64), (7, 1)])
def test_up_to_64_alternatives_are_listed_and_more_stay_whole(pairs: int, found: int) -> None:
    """Two to the sixth are, of two to the seventh each pair is an operand."""
    text = " and ".join(f"(n + {k} > m or m + {k} > n)" for k in range(pairs))
    listed = alternatives(f"{text} and n > 2")
    assert len(listed) == found
    assert {len(box.domains) for box in listed} == {pairs + 1}
    assert all(box.domains[NAMES["n"]] == Domain(low=Decimal(3)) for box in listed)


@pytest.mark.parametrize(("number", "found"), [(64, 64), (65, 1)])
def test_an_or_of_more_than_64_alternatives_stays_whole(number: int, found: int) -> None:
    assert len(alternatives(" or ".join(f"n = {n}" for n in range(number)))) == found


def test_always_is_one_box_that_asks_nothing() -> None:
    assert alternatives("true") == ALWAYS
    assert alternatives("n = 1 or true") == ALWAYS


@given(st.lists(conditions, max_size=3), st.sampled_from("ncb"))
def test_the_parts_of_an_operand_are_disjoint_and_no_domain_tells_their_values_apart(
    asked: list[Expression], name: str
) -> None:
    domains = [box.domains[NAMES[name]] for one in asked for box in boxes(one) if NAMES[name] in box.domains]
    found = list(parts(NAMES[name].type, domains, "xyz" if name == "c" else ()))
    for value in {values[name] for values in ROWS}:
        [part] = [part for part in found if _has(part, value)]
        assert all(part.within(domain) is _has(domain, value) for domain in domains)


# The values that break arithmetic and calendars

TYPES = {"text": TEXT, "integer": INTEGER, "decimal": DECIMAL, "date": DATE, "boolean": BOOLEAN}
COLUMNS = {**SUBJECT_COLUMNS, **RECORD_COLUMNS}
HARD = Scope(
    {n: Name(n, Level.RECORD, TYPES[k]) for n, k in COLUMNS.items()},
    {"kind": {code: Title(code, code) for code in CODES}},
)


@given(random_conditions(Names(COLUMNS), timed=False), st.lists(row(COLUMNS), min_size=1, max_size=5), limits)
def test_the_boxes_hold_just_where_a_condition_on_hard_values_is_true(
    text: str, rows: list[dict[str, Any]], most: int
) -> None:
    condition = parse_condition(text, HARD)
    found = boxes(condition, most)
    for values in rows:
        assert holds(found, values) is (evaluate(condition, values, DAY) is True)


@pytest.mark.parametrize("day", [dt.date.min, dt.date.min + dt.timedelta(1), dt.date.max])
@pytest.mark.parametrize("op", ["=", "<>", "<", "<=", ">", ">="])
def test_the_ends_of_the_calendar_bound_a_date(op: str, day: dt.date) -> None:
    condition = parse_condition(f"starts_on {op} date '{day}'", HARD)
    for value in (dt.date.min, dt.date.min + dt.timedelta(1), DAY, dt.date.max, None):
        values = {"starts_on": value}
        assert holds(boxes(condition), values) is (evaluate(condition, values, DAY) is True)
