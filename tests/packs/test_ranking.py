"""The ranking of a published run, as the command line prints it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from databases import Fill
from strategies import to_yaml

from rules.calendar import today
from rules.fault import UnknownPackError
from rules.library.loader import find_pack, vocabulary_text
from rules.model import Pack
from rules.plan import compile_plan, used_measures
from rules.titles import UnknownError
from scoring.answers.departments import _ranking, department_ranking
from scoring.cli.departments import departments_group
from scoring.runs.batch import run
from scoring.runs.published import list_runs
from scoring.runs.results import Filters, list_grades
from scoring.store import Store, open_store
from scoring.store.packs import PackText, stored_pack

from .district import ENOUGH, bodies, put_into, survey

PACK, AS_OF = "department-credit", dt.date(2026, 12, 31)
TWO_YEARS = ("two-years.talk", "two-years.no-awards", "two-years.head-moved")
MET = [
    ("last-of-year.talk", "c"),
    ("last-of-year.talk", "d"),
    ("last-three.self-examination", "b"),
    *((rule, body) for rule in TWO_YEARS for body in ("c", "d")),
]
"""The consequences of the first run, and whom each meets."""
GONE = {"state": "abolished", "abolished_on": dt.date(2026, 1, 1)}


@pytest.fixture(scope="module")
def department() -> Pack:
    """The version that rules when the year's results are published."""
    return find_pack(PACK, AS_OF)


def fill(store: Store, pack: Pack) -> None:
    """Four ranked bodies, two of them last together, one with too few answers, one abolished."""
    records = [
        *survey(2026, {"a": 95, "b": 90, "c": 60, "d": 60}),
        *survey(2026, {"few": 10}, ENOUGH - 1),
        *survey(2025, {"a": 95, "b": 90, "c": 80, "d": 85, "gone": 70}),
    ]
    put_into(store, pack, bodies(["a", "b", "c", "d", "few", "gone"], gone=GONE), records)


def ranked_once(url: str) -> None:
    """Fill an empty store, and publish a run."""
    store, pack = open_store(url), find_pack(PACK, AS_OF)
    fill(store, pack)
    run(store, pack, AS_OF)
    store.close()


@pytest.fixture
def ranked(copy_of: Callable[[Fill], str]) -> Iterator[Store]:
    """A store with a run, on SQLite and on PostgreSQL."""
    opened = open_store(copy_of(ranked_once))
    yield opened
    opened.close()


def ranked_twice(url: str) -> None:
    """To the run of before comes another, which knows of later answers: praise for one, blame for another."""
    ranked_once(url)
    store, pack = open_store(url), find_pack(PACK, AS_OF)
    later = [*survey(2026, {"few": 99}), *survey(2026, {"b": 1}, 900)]
    more = [{**row, "record_id": f"{row['record_id']}-late"} for row in later]
    put_into(store, pack, bodies(["few", "b"]), more)
    run(store, pack, AS_OF)
    store.close()


@pytest.fixture
def twice(copy_of: Callable[[Fill], str]) -> Iterator[Store]:
    """A store with two runs, on SQLite and on PostgreSQL."""
    opened = open_store(copy_of(ranked_twice))
    yield opened
    opened.close()


def test_the_ranking_lists_the_ranked_by_place_and_says_why_the_others_are_not(ranked: Store) -> None:
    found = department_ranking(ranked)
    listed = [(s.subject_id, s.places.place, s.places.place_from_end) for s in found.standings]
    assert listed == [
        ("a", 1, 4),
        ("b", 2, 3),
        ("c", 3, 1),
        ("d", 3, 1),
        ("few", None, None),
        ("gone", None, None),
    ]
    reasons = {s.subject_id: " ".join(map(str, s.unranked)) for s in found.standings if s.unranked}
    assert reasons.keys() == {"few", "gone"}
    assert "不少于30" in reasons["few"]
    assert "已撤并" in reasons["gone"]


def test_last_years_places_stand_beside_it(ranked: Store) -> None:
    found = department_ranking(ranked).standings
    last_year = {s.subject_id: s.places.place_from_end_last_year for s in found}
    assert last_year == {"a": 5, "b": 4, "c": 2, "d": 3, "few": None, "gone": 1}


def test_consequences_come_in_the_order_of_the_pack_with_those_whom_they_meet(ranked: Store) -> None:
    found = department_ranking(ranked).consequences
    assert [(c.rule.id, c.standing.subject_id) for c in found] == MET


def test_an_earlier_run_keeps_its_ranking_when_answers_come_later(twice: Store) -> None:
    [_, first] = list_runs(twice)
    assert places(twice, first.id) == {"a": 1, "b": 2, "c": 3, "d": 3, "few": None, "gone": None}
    assert places(twice) == {"a": 1, "c": 2, "d": 2, "few": 4, "b": 5, "gone": None}, "few: 29 answers of 10"


def test_the_consequences_of_a_run_are_those_of_its_own_hits(twice: Store) -> None:
    """Whom a later run meets, and whom it meets no more, changes nothing of the earlier one."""
    [second, first] = list_runs(twice)
    assert ("last-of-year.talk", "b") in met(twice, second.id)
    assert met(twice, first.id) == set(MET)
    assert ("last-of-year.talk", "b") not in MET


def met(store: Store, run_id: int) -> set[tuple[str, str]]:
    found = _ranking.__wrapped__(store, department_ranking(store, run_id).run)
    return {(c.rule.id, c.standing.subject_id) for c in found.consequences}


def test_a_measure_that_is_shown_needs_no_rule_that_reads_it(store: Store, department: Pack) -> None:
    """The ranking shows more than the pack's rules read; what is shown counts as no input."""
    data = yaml.safe_load(Path(department.place.file).read_text("utf-8"))
    few = {part: list[Any]() for part in ("consequences", "vetoes", "together", "examples")}
    text = PackText(
        to_yaml({**data, **few, "rules": data["rules"][:1]}), "few.yaml", vocabulary_text("department")
    )
    pack = text.load()
    assert "place" not in {measure.id for measure in used_measures(pack, pack.rules)}
    fill(store, department)
    done = run(store, pack, AS_OF, text=text).run
    assert places(store, done.id) == {"a": 1, "b": 2, "c": 3, "d": 3, "few": None, "gone": None}
    known = {grade.inputs_total for grade in list_grades(store, done, Filters())}
    assert known == {len(compile_plan(pack).inputs)}


def places(store: Store, run_id: int | None = None) -> dict[str, int | None]:
    return {s.subject_id: s.places.place for s in department_ranking(store, run_id).standings}


def test_a_run_of_a_day_to_come_is_no_ranking_before_that_day(ranked: Store) -> None:
    now = department_ranking(ranked).run
    pack = stored_pack(ranked, now.pack_hash)
    run(ranked, pack, today() + dt.timedelta(days=30))
    assert department_ranking(ranked).run == now


def test_without_a_run_it_says_how_to_start_one(store: Store) -> None:
    with pytest.raises(UnknownError, match="start one"):
        department_ranking(store)


def test_a_run_of_a_pack_that_ranks_nobody_is_refused(sqlite_store_url: str, enterprise: Pack) -> None:
    store = open_store(sqlite_store_url)
    put_into(store, enterprise, [{"subject_id": "91500159MALHQAY57U", "name": "虚构公司"}], [])
    done = run(store, enterprise, dt.date(2026, 7, 31)).run
    with pytest.raises(UnknownPackError, match="ranks nobody"):
        department_ranking(store, done.id)
    store.close()


@pytest.fixture
def ranked_url(sqlite_copy_of: Callable[[Fill], str]) -> str:
    """A store with a run."""
    return sqlite_copy_of(ranked_once)


def command(*arguments: str) -> Any:
    result = CliRunner().invoke(departments_group, [*arguments, "--format", "json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_the_command_prints_the_ranking(ranked_url: str) -> None:
    rows = command("ranking", "--database", ranked_url)
    assert [(row["place"], row["name"], row["satisfaction"], row["tier"]) for row in rows] == [
        (1, "a局", 95.0, "B"),
        (2, "b局", 90.0, "B"),
        (3, "c局", 60.0, "C"),  # satisfied the year before: not the lowest tier
        (3, "d局", 60.0, "C"),
        (None, "few局", None, "B"),
        (None, "gone局", None, "C"),
    ]


def test_the_command_prints_the_consequences_with_their_basis(ranked_url: str) -> None:
    rows = command("consequences", "--database", ranked_url, "--as-of", "2026-12-31")
    assert [row["name"] for row in rows if row["consequence"].startswith("区委、区政府分管领导约谈")] == [
        "c局",
        "d局",
    ]
    assert {row["basis"] for row in rows} == {"企业满意度评价机制"}


def test_a_day_of_which_there_is_no_run_is_answered_by_the_run_before_and_told_so(ranked_url: str) -> None:
    for day, told in (("2027-03-01", True), ("2026-12-31", False)):
        line = ["consequences", "--database", ranked_url, "--as-of", day]
        shown = CliRunner().invoke(departments_group, line).stderr
        assert (f"{day}尚无评价,以下按2026-12-31的评价" in shown) == told


def test_as_of_leaves_later_runs_out(ranked_url: str) -> None:
    with pytest.raises(UnknownError, match="no run of department-credit up to 2026-06-30"):
        command("ranking", "--database", ranked_url, "--as-of", "2026-06-30")
