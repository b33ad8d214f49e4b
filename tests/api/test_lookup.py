"""Looking subjects up in a run: each by its name or number, the worst first, and nobody twice."""

from __future__ import annotations

import pytest
from small_district import FINED, LISTED, MIXED, PACK, SUBJECTS

from scoring.answers.search import list_subjects, names_of, rule_hits, run_before
from scoring.runs.published import RunSummary, current_runs, get_run
from scoring.store import Store


@pytest.fixture
def spring(store: Store) -> RunSummary:
    """The run of spring."""
    return get_run(store, 1)


@pytest.fixture
def summer(store: Store) -> RunSummary:
    """The run of summer."""
    return get_run(store, 2)


def test_all_are_listed_by_name_the_worst_first(store: Store, summer: RunSummary) -> None:
    listed = list_subjects(store, summer)
    assert sorted(one.subject_id for one in listed) == SUBJECTS
    assert [(one.score, one.subject_id) for one in listed] == sorted((o.score, o.subject_id) for o in listed)
    assert {one.name for one in listed} == {f"样例企业{n}有限公司" for n in range(12)}
    assert [one.subject_id for one in listed if one.veto] == [LISTED]
    assert next(one for one in listed if one.subject_id == LISTED).tier == "D"


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("样例企业1有限公司", [SUBJECTS[1]]),
        ("企业１有限", [SUBJECTS[1]]),
        ("企业", SUBJECTS),
        (FINED[:-1].lower(), [FINED]),
        (f"'{FINED}", [FINED]),
        (f" {FINED[:6]} {FINED[6:]} ", [FINED]),
        ("%", []),
        ("没有这户", []),
    ],
)
def test_a_subject_is_found_by_a_part_of_its_name_or_number(
    store: Store, summer: RunSummary, search: str, found: list[str]
) -> None:
    assert sorted(one.subject_id for one in list_subjects(store, summer, search)) == found


def test_a_tier_is_listed_alone(store: Store, spring: RunSummary, summer: RunSummary) -> None:
    assert [one.subject_id for one in list_subjects(store, summer, tier="D")] == [LISTED]
    assert list_subjects(store, spring, tier="D") == []
    assert list_subjects(store, summer, "样例企业0", tier="D") == []


def test_the_next_page_goes_on_where_the_last_ended(store: Store, summer: RunSummary) -> None:
    whole = list_subjects(store, summer)
    first = list_subjects(store, summer, limit=5)
    rest = list_subjects(store, summer, after=(first[-1].score, first[-1].subject_id))
    assert first + rest == whole
    assert len(first) == 5


def test_names_are_those_of_the_subjects_asked_for(store: Store) -> None:
    assert names_of(store, "enterprise", [FINED, MIXED, "nobody"]) == {
        FINED: "样例企业0有限公司",
        MIXED: "样例企业2有限公司",
    }
    assert names_of(store, "enterprise", []) == names_of(store, "department", [FINED]) == {}


def test_names_of_more_than_one_question_holds_are_all_found(store: Store) -> None:
    asked = [f"nobody{n}" for n in range(499)] + [LISTED] + [f"none{n}" for n in range(499)] + [FINED, MIXED]
    assert names_of(store, "enterprise", asked).keys() == {FINED, LISTED, MIXED}


def test_hits_are_counted_by_rule_and_by_subject(
    store: Store, spring: RunSummary, summer: RunSummary
) -> None:
    before, after = (rule_hits(store, run) for run in (spring, summer))
    fines = {(hits.hits, hits.subjects) for hits in after.values()}
    assert (5, 2) in fines, "four fines of one enterprise, one of another"
    assert (5, 2) not in {(hits.hits, hits.subjects) for hits in before.values()}


def test_the_run_before_is_the_last_of_the_same_pack(
    store: Store, spring: RunSummary, summer: RunSummary
) -> None:
    assert run_before(store, summer) == spring
    assert run_before(store, spring) is None
    assert [run.pack_id for run in current_runs(store)] == [PACK]
