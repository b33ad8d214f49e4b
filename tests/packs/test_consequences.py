"""What follows from the yearly satisfaction survey: invented districts of a few bodies, the real engine."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import pytest

from rules.model import Pack

from .district import ENOUGH, Outcome, bodies, graded, survey

END_OF_YEAR = dt.date(2026, 12, 31)
TALK, EXAMINATION = "last-of-year.talk", "last-three.self-examination"
TWO_YEARS = {"two-years.talk", "two-years.no-awards", "two-years.head-moved"}


def judged(
    pack: Pack,
    this_year: Mapping[str, Any],
    last_year: Mapping[str, Any] | None = None,
    as_of: dt.date = END_OF_YEAR,
    **attributes: Mapping[str, Any],
) -> Outcome:
    """The outcome of two surveys: body → the score that all its answers give."""
    names = sorted({*this_year, *(last_year or {}), *attributes})
    records = [*survey(2026, this_year), *survey(2025, last_year or {})]
    return graded(pack, bodies(names, **attributes), records, as_of)


def test_the_last_is_talked_to_and_the_second_and_third_from_last_examine_themselves(
    department: Pack,
) -> None:
    found = judged(department, {"a": 95, "b": 90, "c": 80, "d": 70, "e": 60})
    assert found.consequences == {"e": {TALK}, "d": {EXAMINATION}, "c": {EXAMINATION}}


@pytest.mark.parametrize(
    ("means", "talked_to", "examining"),
    [
        ({"a": 95, "b": 90, "c": 80, "d": 60, "e": 60}, {"d", "e"}, {"c"}),
        ({"a": 95, "b": 90, "c": 60, "d": 60, "e": 60}, {"c", "d", "e"}, set()),
        ({"a": 95, "b": 90, "c": 70, "d": 70, "e": 60}, {"e"}, {"c", "d"}),
        ({"a": 95, "b": 70, "c": 70, "d": 70, "e": 60}, {"e"}, {"b", "c", "d"}),
        ({"a": 95, "b": 80, "c": 80, "d": 70, "e": 60}, {"e"}, {"b", "c", "d"}),
    ],
    ids=["two last", "three last", "two second", "three second", "two third"],
)
def test_equal_means_share_a_place_and_the_next_places_are_left_out(
    department: Pack, means: dict[str, int], talked_to: set[str], examining: set[str]
) -> None:
    found = judged(department, means)
    assert found.meet(TALK) == talked_to
    assert found.meet(EXAMINATION) == examining


def test_means_that_differ_after_the_fourth_decimal_are_equal(department: Pack) -> None:
    means = {"a": 95, "b": 90, "c": 80, "d": 60, "e": 60}
    records = [*survey(2026, means)]
    records[-1] = {**records[-1], "score": "60.0001"}  # e: 60.0000033…
    found = graded(department, bodies(sorted(means)), records, END_OF_YEAR)
    assert found.meet(TALK) == {"d", "e"}


def test_where_all_are_equal_nobody_is_last(department: Pack) -> None:
    assert judged(department, dict.fromkeys("abcde", 60)).consequences == {}


def test_fewer_than_four_ranked_bodies_have_no_consequences(department: Pack) -> None:
    assert judged(department, {"a": 95, "b": 80, "c": 40}).consequences == {}
    assert judged(department, {"a": 95, "b": 80, "c": 50, "d": 40}).meet(TALK) == {"d"}


def test_two_years_running_among_the_last_three_meets_all_three_consequences(department: Pack) -> None:
    found = judged(
        department,
        this_year={"a": 95, "b": 90, "c": 80, "d": 70, "e": 60},
        last_year={"a": 60, "b": 95, "c": 70, "d": 90, "e": 80},
    )
    assert found.consequences == {"c": {EXAMINATION, *TWO_YEARS}, "d": {EXAMINATION}, "e": {TALK, *TWO_YEARS}}


@pytest.mark.parametrize("department", ["2026.1"], indirect=True)
def test_the_last_is_at_best_c_and_two_years_running_is_d(department: Pack) -> None:
    found = judged(
        department,
        this_year={"a": 97, "b": 96, "c": 95, "d": 94, "e": 93},
        last_year={"a": 80, "b": 82, "c": 85, "d": 95, "e": 96},
    )
    assert found.tiers == {"a": "B", "b": "B", "c": "D", "d": "B", "e": "C"}


@pytest.mark.parametrize("department", ["2026.2"], indirect=True)
@pytest.mark.parametrize(
    ("this_year", "last_year", "capped", "lowest"),
    [(93, 60, set(), set()), (80, 60, set(), set()), ("79.99", 80, {"e"}, set()), (79, 79, {"e"}, {"e"})],
)
def test_the_last_is_capped_only_where_enterprises_are_not_satisfied(
    department: Pack, this_year: Any, last_year: Any, capped: set[str], lowest: set[str]
) -> None:
    """Somebody is always last: the talk is the scheme's, the tier needs a satisfaction below 80 as well."""
    well = {"a": 97, "b": 96, "c": 95, "d": 94}
    found = judged(department, {**well, "e": this_year}, {**well, "e": last_year})
    assert found.meet(TALK) == {"e"}
    assert found.meet("two-years.talk") >= {"e"}
    assert found.meet("veto.last-of-year") == capped
    assert found.meet("veto.two-years-last-three") == lowest


@pytest.mark.parametrize("department", ["2026.2"], indirect=True)
def test_moving_a_head_is_proposed_to_the_party_committee(department: Pack) -> None:
    assert department.rule("two-years.head-moved").title.zh == "建议区委对主要负责人进行调整"


def test_a_new_body_meets_only_what_follows_from_its_one_year(department: Pack) -> None:
    found = judged(
        department,
        this_year={"a": 95, "b": 90, "c": 80, "d": 70, "new": 60},
        last_year={"a": 60, "b": 70, "c": 80, "d": 90},
        new={"established_on": dt.date(2026, 3, 1)},
    )
    assert found.consequences["new"] == {TALK}


def test_last_year_had_to_rank_four_bodies_too(department: Pack) -> None:
    found = judged(
        department,
        this_year={"a": 95, "b": 90, "c": 80, "d": 70},
        last_year={"a": 95, "c": 80, "d": 70},
    )
    assert found.consequences == {"b": {EXAMINATION}, "c": {EXAMINATION}, "d": {TALK}}


def test_an_abolished_body_is_not_ranked_this_year_but_kept_its_place_of_last_year(department: Pack) -> None:
    """Were the abolished body taken out of last year's ranking, b would slip into its last three."""
    found = judged(
        department,
        this_year={"a": 95, "b": 60, "c": 80, "d": 70, "gone": 10},
        last_year={"a": 95, "b": 90, "c": 70, "d": 80, "gone": 60},
        gone={"state": "abolished", "abolished_on": dt.date(2026, 10, 1), "successor": "a"},
    )
    assert found.consequences["b"] == {TALK}
    assert "gone" not in found.consequences


def test_a_body_abolished_within_the_year_before_was_not_ranked_then(department: Pack) -> None:
    found = judged(
        department,
        this_year={"a": 95, "b": 90, "c": 80, "d": 70, "e": 60},
        last_year={"a": 95, "b": 90, "c": 70, "d": 80, "e": 85, "gone": 60},
        gone={"state": "abolished", "abolished_on": dt.date(2025, 12, 31)},
    )
    assert found.meet("two-years.talk") == {"c", "d", "e"}


def test_the_successor_of_a_merged_body_starts_a_record_of_its_own(department: Pack) -> None:
    found = judged(
        department,
        this_year={"a": 95, "b": 90, "c": 80, "heir": 60},
        last_year={"a": 95, "b": 90, "c": 80, "gone": 60},
        gone={"state": "abolished", "abolished_on": dt.date(2026, 1, 1), "successor": "heir"},
        heir={"established_on": dt.date(2026, 1, 1)},
    )
    assert found.consequences["heir"] == {TALK}


def test_a_renamed_body_keeps_its_number_and_its_record(department: Pack) -> None:
    found = judged(
        department,
        this_year={"a": 95, "b": 90, "c": 80, "d": 60},
        last_year={"a": 95, "b": 90, "c": 80, "d": 60},
        d={"renamed_on": dt.date(2026, 2, 1), "former_name": "旧名局"},
    )
    assert found.consequences["d"] == {TALK, *TWO_YEARS}


def test_a_body_whose_state_is_not_known_is_ranked(department: Pack) -> None:
    found = judged(department, {"a": 95, "b": 90, "c": 80, "d": 60}, d={"state": None})
    assert found.meet(TALK) == {"d"}


def test_too_few_answers_are_no_result_and_the_place_goes_to_the_next(department: Pack) -> None:
    records = [*survey(2026, {"a": 95, "b": 90, "c": 80, "d": 70}), *survey(2026, {"e": 10}, ENOUGH - 1)]
    found = graded(department, bodies("abcde"), records, END_OF_YEAR)
    assert found.consequences == {"d": {TALK}, "c": {EXAMINATION}, "b": {EXAMINATION}}


@pytest.mark.parametrize("lost", [{"score": None}, {"status": "revoked"}, {"status": "disputed"}])
def test_what_was_not_returned_or_does_not_stand_is_no_answer(department: Pack, lost: dict[str, Any]) -> None:
    records = [*survey(2026, {"a": 95, "b": 90, "c": 80, "d": 70, "e": 10})]
    records[-1] = {**records[-1], **lost}
    found = graded(department, bodies("abcde"), records, END_OF_YEAR)
    assert found.meet(TALK) == {"d"}


def test_the_year_is_that_of_the_day_of_the_result(department: Pack) -> None:
    means = {"a": 95, "b": 90, "c": 80, "d": 60}
    days = [dt.date(2026, 6, 14), dt.date(2026, 6, 15), END_OF_YEAR, dt.date(2027, 1, 1)]
    assert [judged(department, means, as_of=day).meet(TALK) for day in days] == [set(), {"d"}, {"d"}, set()]


def test_last_year_is_seen_as_its_own_run_saw_it(department: Pack) -> None:
    """Who was among the last three on 31 December is who counts as such a year later."""
    surveys = {2025: {"a": 60, "b": 60, "c": 70, "d": 80, "e": 90, "gone": 65}}
    gone = {"state": "abolished", "abolished_on": dt.date(2026, 1, 1)}
    then = graded(
        department,
        bodies(["a", "b", "c", "d", "e", "gone"]),
        [*survey(2025, surveys[2025])],
        dt.date(2025, 12, 31),
    )
    last_three = then.meet(TALK) | then.meet(EXAMINATION)
    assert last_three == {"a", "b", "gone"}
    for body in "abcde":  # each of them last of 2026 in turn
        means = {other: 90 + number for number, other in enumerate("abcde")} | {body: 10}
        found = judged(department, means, surveys[2025], gone=gone)
        assert ("two-years.talk" in found.hits[body]) == (body in last_three)


def test_satisfaction_gives_points_by_its_level(department: Pack) -> None:
    means = {"a": 95, "b": 90, "c": 85, "d": 80, "e": 70, "f": 60, "g": "59.9999"}
    found = judged(department, means)
    levels = {
        body: {r for r in hits if r.startswith("satisfaction.level")} for body, hits in found.hits.items()
    }
    assert levels == {body: {f"satisfaction.level.{n}"} for n, body in enumerate(means, start=1)}


def test_until_this_years_result_there_is_that_of_the_year_before(department: Pack) -> None:
    found = judged(department, {}, {"a": 95}, as_of=dt.date(2026, 3, 1))
    assert "satisfaction.level.1" in found.hits["a"]
    later = judged(department, {}, {"a": 95}, as_of=dt.date(2027, 1, 1))
    assert not later.hits["a"]


def test_the_first_of_a_group_of_four_gains_where_half_of_the_questionnaires_came_back(
    department: Pack,
) -> None:
    towns = {name: {"peers": "towns"} for name in "efgh"}
    means = {"a": 99, "b": 98, "c": 97, "e": 90, "f": 90, "g": 80, "h": 70}
    names = sorted(means)
    found = graded(department, bodies(names, **towns), [*survey(2026, means)], END_OF_YEAR)
    assert found.meet("satisfaction.first-of-group") == {"e", "f"}
    unreturned = [
        {**row, "record_id": f"{row['record_id']}x", "score": None} for row in survey(2026, {"e": 0}, 31)
    ]
    sparse = graded(department, bodies(names, **towns), [*survey(2026, means), *unreturned], END_OF_YEAR)
    assert sparse.meet("satisfaction.first-of-group") == {"f"}


def test_a_rise_and_a_fall_of_five_points_count(department: Pack) -> None:
    found = judged(
        department, {"a": 85, "b": 85, "c": "84.99", "d": 80}, {"a": 80, "b": 90, "c": 80, "d": 80}
    )
    assert (found.meet("satisfaction.risen"), found.meet("satisfaction.fallen")) == ({"a"}, {"b"})
