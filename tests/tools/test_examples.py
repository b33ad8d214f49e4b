"""An example beside a rule is run by the engine, and a wrong one is told apart from a right one."""

from __future__ import annotations

import pytest

from rules.model import Pack
from scoring.answers.examples import run_examples
from tests.tools.packs import APPLICANTS, applicants


def failures(pack: Pack) -> list[tuple[str | None, str, str, int]]:
    return [(r.owner, r.expected.en, r.got.en, r.place.line) for r in run_examples(pack) if not r.passed]


def line(text: str) -> int:
    """The line of the small pack in which a text first stands."""
    return APPLICANTS[: APPLICANTS.index(text)].count("\n") + 1


def test_right_examples_pass() -> None:
    results = run_examples(applicants())
    assert len(results) == 13
    assert failures(applicants()) == []


@pytest.mark.parametrize(
    ("right", "wrong", "owner", "expected", "got"),
    [
        ("as_of: 2026-09-01, points: -5", "as_of: 2026-09-01, points: -6", "fine", "points -6", "points -5"),
        ("points: -15\n", "points: -20\n", "fine", "points -20", "points -15"),
        ("{size: big}, as_of: 2026-07-01, hit: false", "{size: big}, as_of: 2026-07-01, hit: true", "small",
         "hit", "no hit"),
        ("as_of: 2026-03-01, tier: C", "as_of: 2026-03-01, tier: B", "listed", "tier B", "tier C"),
        ("points: -2}", "points: -3}", "fined", "points -3", "points -2"),
        ("score: 70, tier: B", "score: 71, tier: B", None, "score 71", "score 70"),
    ],
)  # fmt: skip
def test_a_wrong_example_says_what_came_instead_and_where(
    right: str, wrong: str, owner: str | None, expected: str, got: str
) -> None:
    [(who, said, came, where)] = failures(applicants((right, wrong)))
    assert who == owner
    assert expected in said
    assert got in came
    start = line(right) if not right.startswith("points: -15") else line("- records: [{record_id: b")
    assert where == start


def test_an_example_judges_its_own_rule_whatever_else_hits() -> None:
    fine = "{given: {kind: fine}, as_of: 2026-03-01, points: -10}"
    also_small = "{given: {kind: fine, size: small, amount: 60000}, as_of: 2026-03-01, points: -10}"
    assert failures(applicants((fine, also_small))) == []


def test_examples_may_give_the_same_key() -> None:
    pack = applicants(
        (
            "{given: {size: small}, as_of: 2026-07-01",
            "{given: {applicant_id: '1', size: small}, as_of: 2026-07-01",
        ),
        (
            "{given: {size: big}, as_of: 2026-07-01",
            "{given: {applicant_id: '1', size: big}, as_of: 2026-07-01",
        ),
    )
    assert failures(pack) == []


def test_a_rule_on_the_key_sees_the_key_that_the_example_gives() -> None:
    pack = applicants(
        ("when: size = 'small'", "when: applicant_id like '91%'"),
        ("{given: {size: small}, as_of: 2026-06-30", "{given: {applicant_id: '9101'}, as_of: 2026-06-30"),
        ("{given: {size: small}, as_of: 2026-07-01", "{given: {applicant_id: '9101'}, as_of: 2026-07-01"),
        ("{given: {size: big}, as_of: 2026-07-01", "{given: {applicant_id: '9201'}, as_of: 2026-07-01"),
    )
    assert failures(pack) == []


def test_a_rank_is_taken_among_the_example_alone() -> None:
    measures = (
        "rules:\n",
        "measures:\n"
        "  fines: {title: {zh: 罚款, en: Fines}, count: records, where: kind = 'fine'}\n"
        "  place: {title: {zh: 名次, en: Rank}, rank: fines, order: desc}\n"
        "rules:\n",
    )
    first = ("when: size = 'small'", "when: size = 'small' and place = 1")
    assert failures(applicants(measures, first)) == []
