"""The two lists of the district: the negative list of 23 items and the relations list of 29."""

from __future__ import annotations

import datetime as dt

import pytest

from rules.model import Pack, Rule

from .district import bodies, graded

AS_OF = dt.date(2026, 7, 31)


def items(pack: Pack, *tables: str) -> list[Rule]:
    return [rule for rule in pack.rules if rule.table in tables]


def points(rule: Rule) -> int:
    assert rule.points is not None
    return rule.points.on(AS_OF) or 0


def test_the_negative_list_has_23_items_each_with_law_evidence_and_points(department: Pack) -> None:
    found = items(department, "negative-list")
    assert len(found) == 23
    for rule in found:
        assert any(citation.basis != "own-choice" for citation in rule.citations), rule.id
        assert rule.note is not None, rule.id
        assert "认定证据：" in rule.note.zh, rule.id
        assert "Evidence: " in rule.note.en, rule.id
        assert points(rule) < 0, rule.id


def test_an_items_class_says_its_points(department: Pack) -> None:
    of_class = {"严重条目": -800, "一般条目": -500, "轻微条目": -300}
    for rule in items(department, "negative-list", "relations-forbidden"):
        assert rule.note is not None
        assert points(rule) == of_class[rule.note.zh.split("。")[0]], rule.id


def test_the_relations_list_has_15_encouraged_items_without_points_and_14_forbidden_with(
    department: Pack,
) -> None:
    encouraged, forbidden = (
        items(department, "relations-encouraged"),
        items(department, "relations-forbidden"),
    )
    assert (len(encouraged), len(forbidden)) == (15, 14)
    assert {points(rule) for rule in encouraged} == {0}
    assert all(points(rule) < 0 and rule.note for rule in forbidden)


@pytest.mark.parametrize(("kind", "last"), [("negative_finding", 23), ("relations_finding", 29)])
def test_a_finding_meets_exactly_one_item_whatever_its_number(department: Pack, kind: str, last: int) -> None:
    numbers = range(1, last + 2)
    subjects = bodies([f"b{n:02}" for n in numbers])
    records = [
        {
            "record_id": f"f{n:02}",
            "subject_id": f"b{n:02}",
            "kind": kind,
            "item_no": n,
            "status": "effective",
            "occurred_on": dt.date(2026, 5, 1),
        }
        for n in numbers
    ]
    found = graded(department, subjects, records, AS_OF)
    lists = ("negative-list", "relations-encouraged", "relations-forbidden")
    met = [sum(department.rule(r).table in lists for r in found.hits[f"b{n:02}"]) for n in numbers]
    assert met == [1] * last + [0]
