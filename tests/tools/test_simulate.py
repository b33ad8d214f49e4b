"""A simulation shows who would move and why, and agrees with two separate batches."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from scoring.answers.simulate import GroupShift, RuleEffect, SimulationError, Transition, simulate
from scoring.answers.trial_population import Source, open_population
from scoring.judging.engine import grade
from tests.tools.packs import applicants
from tests.tools.population import store_population, write_population

DAY = dt.date(2026, 2, 1)
OLD = applicants()
NEW = applicants(
    ('version: "1"', 'version: "2"'),
    ("    points: -10\n    counts", "    points: -25\n    counts"),
    ("    cap: -15\n", "    cap: -30\n"),
    ("    when: kind = 'listing'", "    when: kind = 'listing' and amount > 0"),
)


@pytest.fixture
def population(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    subjects, records = write_population(tmp_path)
    with open_population(Source(subjects=subjects, records=records), OLD.vocabulary) as connection:
        yield connection


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Source:
    return store_population(tmp_path, OLD.vocabulary, monkeypatch)


def test_who_moves_from_which_tier_to_which(population: duckdb.DuckDBPyConnection) -> None:
    result = simulate(population, OLD, NEW, DAY)
    assert (result.subjects, result.moved) == (5, 3)
    assert [t for t in result.transitions if t.subjects] == [
        Transition("A", "A", 2),
        Transition("B", "C", 2),
        Transition("C", "A", 1),
    ]
    assert len(result.transitions) == 9
    assert result.movers.to_pylist() == [
        mover("a2", "B", "C", 6900, 5400, "fine"),
        mover("a3", "B", "C", 7000, 5500, "fine"),
        mover("a4", "C", "A", 8100, 8100, "listed"),
    ]


def test_a_store_of_many_is_simulated_as_its_files_are(
    population: duckdb.DuckDBPyConnection, stored: Source
) -> None:
    expected = simulate(population, OLD, NEW, DAY)
    for _ in range(2):  # the second time its columns are there
        with open_population(stored, OLD.vocabulary) as connection:
            assert simulate(connection, OLD, NEW, DAY) == expected


def mover(subject: str, before: str, after: str, score_before: int, score_after: int, rules: str) -> object:
    return {
        "subject_id": subject,
        "tier_before": before,
        "tier_after": after,
        "score_before": score_before,
        "score_after": score_after,
        "rules": rules,
    }


def test_by_which_rules(population: duckdb.DuckDBPyConnection) -> None:
    result = simulate(population, OLD, NEW, DAY)
    assert result.rules == (
        RuleEffect("fine", OLD.rule("fine").title, 2, 2, 2, 2, -2000, -5000),
        RuleEffect("listed", OLD.rule("listed").title, 1, 1, 1, 0, 0, 0),
    )


def test_a_rule_that_is_new_or_gone_has_hits_on_one_side_alone(population: duckdb.DuckDBPyConnection) -> None:
    gone = applicants(("  - id: small\n", "  - id: little\n"))
    effects = {e.rule: (e.hits_before, e.hits_after) for e in simulate(population, OLD, gone, DAY).rules}
    assert effects == {"small": (2, 0), "little": (0, 2)}


def test_the_distribution_before_and_after(population: duckdb.DuckDBPyConnection) -> None:
    bands = {band.lowest: (band.before, band.after) for band in simulate(population, OLD, NEW, DAY).scores}
    assert bands == {8000: (3, 3), 7000: (1, 0), 6000: (1, 0), 5000: (0, 2)}


def test_groups_are_counted_by_every_attribute_with_codes(population: duckdb.DuckDBPyConnection) -> None:
    groups = simulate(population, OLD, NEW, DAY).groups
    assert groups == (
        GroupShift("size", "big", "A", 1, 1),
        GroupShift("size", "big", "B", 1, 0),
        GroupShift("size", "big", "C", 0, 1),
        GroupShift("size", "small", "A", 0, 1),
        GroupShift("size", "small", "B", 1, 0),
        GroupShift("size", "small", "C", 1, 1),
        GroupShift("size", None, "A", 1, 1),
    )


def test_groups_can_be_chosen(population: duckdb.DuckDBPyConnection) -> None:
    result = simulate(population, OLD, NEW, DAY, by=["town"])
    assert {(g.attribute, g.value) for g in result.groups} == {("town", "North"), ("town", "South")}
    with pytest.raises(SimulationError, match="colour is no attribute of applicant; there are: applicant_id"):
        simulate(population, OLD, NEW, DAY, by=["colour"])


def test_a_pack_against_itself_moves_nobody(population: duckdb.DuckDBPyConnection) -> None:
    result = simulate(population, OLD, OLD, DAY)
    assert (result.moved, result.rules, result.movers.num_rows) == (0, (), 0)


def test_both_sides_are_what_a_batch_of_its_own_gives(population: duckdb.DuckDBPyConnection) -> None:
    result = simulate(population, OLD, NEW, DAY)
    for pack, side in ((OLD, "before"), (NEW, "after")):
        grade(population, pack, DAY)
        counted = population.execute("select tier, count(*) from scores group by all").fetchall()
        summed: dict[str, int] = {}
        for transition in result.transitions:
            tier = getattr(transition, side)
            summed[tier] = summed.get(tier, 0) + transition.subjects
        assert {tier: n for tier, n in summed.items() if n} == dict(counted)


def test_packs_of_other_columns_are_not_compared(population: duckdb.DuckDBPyConnection) -> None:
    other = applicants(("vocabulary: applicant", "vocabulary: borrower"))
    with pytest.raises(SimulationError, match=r"another vocabulary \(borrower\)"):
        simulate(population, OLD, other, DAY)
