"""What is said of a condition is true of the same rows, and "not" stands beside single tests alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.language.decision_tables import first_only, none_of
from rules.language.evaluate import evaluate
from rules.language.expressions import (
    And,
    Compare,
    Expression,
    IsTrue,
    Not,
    Or,
    conjunction,
    render,
    walk,
)
from rules.language.parse import parse_condition
from rules.language.spoken import spoken
from tests.language.test_normal import DAY, ROWS, SCOPE, conditions, true_rows

rows = st.lists(conditions, min_size=1, max_size=4)


def tied(condition: Expression) -> bool:
    """Whether a "not" is about more than one test, or a test is said to be true."""
    return any(
        isinstance(node, IsTrue)
        or (isinstance(node, Not) and isinstance(node.operand, And | Or | Not | Compare))
        for node in walk(condition)
    )


@given(conditions)
def test_what_is_said_is_true_of_the_same_rows(condition: Expression) -> None:
    said = spoken(condition)
    assert true_rows(said) == true_rows(condition), render(said)
    assert not tied(said), render(said)


@given(rows, st.sampled_from([None, "n", "c"]))
def test_rows_of_tables_say_what_they_are_met_by(asked: list[Expression], known: str | None) -> None:
    """Also where a measure is never unknown, and nothing is said of it that can't be."""
    for condition in [*first_only(asked), none_of(asked), conjunction(tuple(Not(IsTrue(c)) for c in asked))]:
        said = spoken(condition, frozenset({known} - {None}))  # type: ignore[arg-type]
        for row in (row for row in ROWS if known is None or row[known] is not None):
            holds = evaluate(condition, row, DAY) is True
            assert (evaluate(said, row, DAY) is True) is holds, (render(condition), render(said), row)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (["n < 1", "n < 3", "true"], ["n < 1", "n < 3 and n >= 1", "n >= 3 or n is null"]),
        (
            ["n >= 2 and c <> 'x'", "n >= 1", "n < 3"],
            ["n >= 2 and c <> 'x'", "n >= 1 and (n < 2 or c = 'x' or c is null)", "n < 1"],
        ),
    ],
)
def test_rows_below_others_are_said_in_short(table: list[str], said: list[str]) -> None:
    asked = [parse_condition(text, SCOPE) for text in table]
    assert [render(spoken(condition)) for condition in first_only(asked)] == said
