"""What the packs need of the district: bad and good, repeat offenders, ties, bodies that changed."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from fixtures.department.satisfaction import TIED_AT_TOP, TIED_SECOND_LAST, TOO_FEW_ANSWERS, TWICE_LAST_THREE
from rules.library.loader import load_vocabulary
from scoring.facts.snapshot import take_snapshot
from scoring.store import Store


@pytest.fixture(scope="module")
def enterprises(district_store: Store) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as duck:
        assert take_snapshot(district_store, load_vocabulary("enterprise"), duck).orphans == 0
        yield duck


@pytest.fixture(scope="module")
def bodies(district_store: Store) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as duck:
        assert take_snapshot(district_store, load_vocabulary("department"), duck).orphans == 0
        yield duck


def one(duck: duckdb.DuckDBPyConnection, query: str) -> object:
    row = duck.execute(query).fetchone()
    assert row is not None
    return row[0]


def means(duck: duckdb.DuckDBPyConnection, year: int, least: int = 30) -> list[tuple[str, float]]:
    """Body and mean of its answers, worst first, of bodies with at least so many answers."""
    query = """
        select name, avg(score) from records join subjects using (subject_id)
        where kind = 'satisfaction_answer' and year = $year
        group by name having count(score) >= $least order by avg(score), name"""
    return duck.execute(query, {"year": year, "least": least}).fetchall()


def test_records_lie_between_2022_and_july_2026(enterprises: duckdb.DuckDBPyConnection) -> None:
    first, last = enterprises.execute("select min(occurred_on), max(occurred_on) from records").fetchall()[0]
    assert (str(first), str(last)) == ("2022-01-01", "2026-07-31")


def test_some_ends_lie_ahead(enterprises: duckdb.DuckDBPyConnection) -> None:
    ahead = "select count(distinct kind) from records where ends_on > date '2026-07-31'"
    assert int(str(one(enterprises, ahead))) >= 6


def test_nothing_is_recorded_before_an_enterprise_was_established(
    enterprises: duckdb.DuckDBPyConnection,
) -> None:
    early = "select count(*) from records join subjects using (subject_id) where occurred_on < established_on"
    assert one(enterprises, early) == 0


def test_every_key_field_has_repeat_offenders(enterprises: duckdb.DuckDBPyConnection) -> None:
    query = """
        select field, count(*) from (
          select field from records
          where kind = 'penalty' and status = 'effective' and severity <> 'minor' and field <> 'general'
            and occurred_on >= date '2024-08-01'
          group by subject_id, field having count(*) >= 3)
        group by field"""
    offenders = dict(enterprises.execute(query).fetchall())
    fields = load_vocabulary("enterprise").records.columns["field"].values  # type: ignore[union-attr]
    assert set(offenders) == set(fields) - {"general"}
    assert min(offenders.values()) >= 5


def test_most_enterprises_have_nothing_against_them(enterprises: duckdb.DuckDBPyConnection) -> None:
    query = "select count(distinct subject_id) from records where kind = 'penalty'"
    assert 0.05 < int(str(one(enterprises, query))) / 6000 < 0.35


def test_the_ranking_has_ties_at_both_ends(bodies: duckdb.DuckDBPyConnection) -> None:
    worst, *middle, second_best, best = means(bodies, 2026)
    assert worst[0] == TWICE_LAST_THREE
    assert {name for name, _ in middle[:2]} == set(TIED_SECOND_LAST)
    assert middle[0][1] == middle[1][1] < middle[2][1]
    assert {second_best[0], best[0]} == set(TIED_AT_TOP)
    assert second_best[1] == best[1] > middle[-1][1]


def test_one_body_is_among_the_last_three_two_years_running(bodies: duckdb.DuckDBPyConnection) -> None:
    assert TWICE_LAST_THREE in {name for name, _ in means(bodies, 2025)[:3]}


def test_one_body_would_be_last_if_few_answers_were_enough(bodies: duckdb.DuckDBPyConnection) -> None:
    assert means(bodies, 2026, least=1)[0][0] == TOO_FEW_ANSWERS
    assert TOO_FEW_ANSWERS not in dict(means(bodies, 2026))


def test_bodies_are_new_merged_and_renamed(bodies: duckdb.DuckDBPyConnection) -> None:
    assert (
        one(bodies, "select count(*) from subjects where state = 'abolished' and successor is not null") == 1
    )
    assert one(bodies, "select count(*) from subjects where former_name is not null") == 1
    assert one(bodies, "select count(*) from subjects where established_on >= date '2026-01-01'") == 1


def test_list_items_stay_within_the_lists(bodies: duckdb.DuckDBPyConnection) -> None:
    spans = bodies.execute(
        "select kind, min(item_no) >= 1, max(item_no) from records where item_no is not null group by kind"
    ).fetchall()
    assert {kind: first for kind, first, _ in spans} == {"negative_finding": True, "relations_finding": True}
    assert all(last <= {"negative_finding": 23, "relations_finding": 29}[kind] for kind, _, last in spans)
