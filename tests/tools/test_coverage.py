"""Coverage tells which rules and rows the examples, and a population, never reach."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from scoring.answers.coverage import Covered, coverage
from scoring.answers.trial_population import Source, open_population
from tests.tools.packs import applicants
from tests.tools.population import store_population, write_population


def test_rows_that_no_example_reaches() -> None:
    missed = {covered.rule for covered in coverage(applicants()) if covered.missing}
    assert missed == {"fined.3"}


def test_examples_that_hit_and_that_do_not_are_counted_apart() -> None:
    [fine] = [covered for covered in coverage(applicants()) if covered.rule == "fine"]
    assert (fine.hit_by, fine.passed_by) == (4, 2)
    assert (fine.subjects, fine.hits) == (None, None)


def test_an_example_of_another_rule_proves_nothing() -> None:
    pack = applicants(("      - {given: {kind: fine}, as_of: 2026-03-01, points: -10}\n", ""))
    listing = "{given: {kind: fine}, as_of: 2026-03-01, hit: false}"
    assert listing in Path(__file__).with_name("packs.py").read_text(encoding="utf-8")
    [fine] = [covered for covered in coverage(pack) if covered.rule == "fine"]
    assert fine.hit_by == 3


def test_what_a_population_reaches(tmp_path: Path) -> None:
    subjects, records = write_population(tmp_path)
    found = covered_by(Source(subjects=subjects, records=records))
    assert {rule: (c.subjects, c.hits) for rule, c in found.items()} == {
        "fine": (2, 2),
        "small": (2, 2),
        "listed": (1, 1),
        "fined.1": (0, 0),
        "fined.2": (1, 1),
        "fined.3": (0, 0),
    }
    assert found["fined.3"].missing == ("examples", "population")
    assert found["fined.1"].missing == ("population",)


def test_a_store_of_many_reaches_what_its_files_reach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subjects, records = write_population(tmp_path)
    stored = store_population(tmp_path, applicants().vocabulary, monkeypatch)
    assert covered_by(stored) == covered_by(Source(subjects=subjects, records=records))


def covered_by(population: Source) -> dict[str, Covered]:
    pack = applicants()
    with open_population(population, pack.vocabulary) as connection:
        return {c.rule: c for c in coverage(pack, connection, dt.date(2026, 3, 1))}


VALUE_TABLES = """\
tables:
  - id: risk
    title: {zh: 风险, en: Risk}
    input: size
    hit: priority
    gives: {high: {zh: 高, en: High}, low: {zh: 低, en: Low}}
    rows:
      - [big, low]
      - ["-", low]
      - [small, high]
    basis: own-choice
    examples:
      - {given: {size: small}, as_of: 2026-03-01, value: high}
  - id: most
    title: {zh: 最高, en: Most}
    where: town <> 'West'
    inputs: [risk, town]
    hit: collect
    take: max
    gives: number
    rows:
      - [low, "-", 1]
      - ["-", North, 2]
    default: 0
    basis: own-choice
"""


def test_rows_of_tables_that_give_a_value(tmp_path: Path) -> None:
    """A row is reached where it makes the value: not where another row comes before it."""
    pack = applicants(
        ("tables:\n", VALUE_TABLES),
        ("when: size = 'small'", "when: size = 'small' and coalesce(most, 0) < 9"),
    )
    found = {c.rule: c for c in coverage(pack) if c.rule.startswith(("risk", "most"))}
    assert {rule: (c.hit_by, c.passed_by) for rule, c in found.items()} == {
        "risk.1": (3, 3),
        "risk.2": (0, 6),
        "risk.3": (3, 3),
        "most.1": (0, 5),
        "most.2": (0, 5),
        "most.default": (0, 5),
    }
    assert [str(found[row].title) for row in ("risk.2", "risk.3")] == [
        "风险：其他 Risk: other",
        "风险：小 Risk: Small",
    ]
    subjects, records = write_population(tmp_path)
    source = Source(subjects=subjects, records=records)
    with open_population(source, pack.vocabulary) as connection:
        population = {c.rule: c.subjects for c in coverage(pack, connection, dt.date(2026, 3, 1))}
    assert {rule: population[rule] for rule in found} == {
        "risk.1": 2,
        "risk.2": 1,
        "risk.3": 2,
        "most.1": 2,
        "most.2": 2,
        "most.default": 1,
    }
