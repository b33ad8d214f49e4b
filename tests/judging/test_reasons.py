"""What cost a subject most: the same in files as in explanations, by baselines of rules and tables."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import duckdb
import pytest
import reference
from hypothesis import given
from strategies import Case, cases
from test_differential import briefer, give, load, read

from rules.fault import PackError
from rules.library.loader import load_text
from rules.model import Pack
from scoring.answers.made_up import explain_made_up
from scoring.judging.engine import grade
from scoring.judging.reasons import MOST_REASONS, reason_codes
from scoring.runs.files import make_rejected, result_queries, score_files

DAY = dt.date(2026, 6, 1)
CARD = """
pack: card
version: "1"
title: {zh: 评分卡, en: A card}
subject:
  vocabulary: shop
  title: {zh: 店, en: Shop}
  subject:
    key: shop_id
    columns:
      shop_id: {type: integer, title: {zh: 编号, en: Number}}
      seats: {type: integer, title: {zh: 座位, en: Seats}}
      grade: {type: text, title: {zh: 级别, en: Grade}, values: {A: A, B: B}}
      late: {type: integer, title: {zh: 逾期次数, en: Times late}}
in_force: {from: 2026-01-01}
score: {start: 50, min: 0, max: 100}
dimensions: [{id: all, title: {zh: 全部, en: All}}]
rules:
  - {id: late, title: {zh: 逾期, en: Late}, dimension: all,
     when: late > 0, points: -2, per: late, basis: own-choice}
  - id: roomy
    title: {zh: 座位多, en: Many seats}
    dimension: all
    when: seats >= 40
    points: {2026-01-01: 10, 2027-01-01: null}
    baseline: 10
    basis: own-choice
tables:
  - id: kitchen
    title: {zh: 厨房, en: Kitchen}
    dimension: all
    input: grade
    hit: unique
    rows: [[A, 8], {when: B, points: 5, title: {zh: 厨房为B, en: Kitchen B}}]
    baseline: 8
    basis: own-choice
grades: [{tier: pass, title: {zh: 过, en: Pass}, from: 0}]
"""


def lost(pack: Pack, day: dt.date = DAY, **subject: str) -> list[tuple[str, str, int]]:
    found = explain_made_up(pack, day, {"shop_id": "1", **subject}, [])
    return [(code.id, code.title.en, code.lost) for code in found.reasons]


@pytest.mark.parametrize(
    ("subject", "reasons"),
    [
        ({"seats": "40", "grade": "A", "late": "0"}, []),
        ({"seats": "40", "grade": "B", "late": "0"}, [("kitchen", "Kitchen B", 300)]),
        (
            {"seats": "39", "grade": "B", "late": "7"},
            [("late", "Late", 1400), ("roomy", "Many seats", 1000), ("kitchen", "Kitchen B", 300)],
        ),
        ({"late": "4"}, [("roomy", "Many seats", 1000), ("late", "Late", 800), ("kitchen", "Kitchen", 800)]),
    ],
)
def test_what_is_short_of_its_baseline_is_a_reason_the_dearest_first(
    subject: dict[str, str], reasons: list[tuple[str, str, int]]
) -> None:
    assert lost(load_text(CARD, "card.yaml"), **subject) == reasons


def test_a_rule_that_is_in_force_no_more_is_no_reason() -> None:
    pack = load_text(CARD, "card.yaml")
    assert [rule for rule, *_ in lost(pack, grade="A")] == ["roomy"]
    assert lost(pack, dt.date(2027, 1, 1), grade="A") == []


def test_the_file_of_scores_names_the_reasons(tmp_path: Path) -> None:
    shops, out = tmp_path / "shops.csv", tmp_path / "out.csv"
    shops.write_text("shop_id,seats,grade,late\n1,40,A,0\n2,39,B,7\n3,,,4\n", encoding="utf-8")
    score_files(load_text(CARD, "card.yaml"), DAY, shops, None, out)
    with out.open(encoding="utf-8-sig", newline="") as file:
        assert [row["reasons"] for row in csv.DictReader(file)] == [
            "",
            "late roomy kitchen",
            "roomy late kitchen",
        ]


@pytest.mark.parametrize("baseline", [0, -3])
def test_a_baseline_that_nobody_can_miss_is_refused(baseline: int) -> None:
    with pytest.raises(PackError) as refused:
        load_text(CARD.replace("baseline: 8", f"baseline: {baseline}"), "card.yaml")
    assert [fault.message for fault in refused.value.faults] == ["nobody can fall below the baseline"]


@briefer
@given(case=cases())
def test_files_and_explanations_name_the_same_reasons(case: Case) -> None:
    pack = load(case)
    with duckdb.connect(config={"threads": 1}) as connection:
        give(connection, pack, case)
        grade(connection, pack, case.as_of, measured=True)
        make_rejected(connection)
        query, _ = result_queries(connection, pack, case.as_of)["scores"]
        said = dict(connection.execute(f"select subject_id, reasons from ({query})").fetchall())
        scores, _ = read(connection, pack)
    right = reference.grade(pack, case.as_of, case.subjects, case.records)
    for subject, score in scores.items():
        codes = reason_codes(pack, case.as_of, score.hits)
        given = {code.id: code.baseline - code.points for code in codes}
        assert given == reference_losses(pack, case.as_of, right[subject])
        assert said[subject].split() == list(given)[:MOST_REASONS]
        assert list(given.values()) == sorted(given.values(), reverse=True)


def reference_losses(pack: Pack, day: dt.date, score: reference.Score) -> dict[str, int]:
    """How far each rule or table in force is below its baseline, where it is."""
    short = {
        rule.table or rule.id: rule.baseline or 0
        for rule in pack.rules
        if rule.points is not None and not rule.consequence and rule.points.on(day) is not None
    }
    for hit in score.hits:
        if (hit.rule.table or hit.rule.id) in short:
            short[hit.rule.table or hit.rule.id] -= hit.points
    return {owner: points for owner, points in short.items() if points > 0}
