"""A note says what the title can't: on rules, on tables and their rows, on consequences."""

from __future__ import annotations

import pytest

from rules.fault import PackError
from rules.identity import identity
from rules.library.loader import load_text
from rules.model import Citation, Title

PACK = """
pack: noted
version: "1"
title: {zh: 示例, en: Example}
subject: department
in_force: {from: 2026-01-01}
basis: [{id: business-722, title: 优化营商环境条例}]
score: {start: 80, min: 0, max: 100}
dimensions: [{id: conduct, title: {zh: 行为, en: Conduct}}]
rules:
  - id: one
    title: {zh: 规则, en: Rule}
    note: {zh: 说明, en: Note}
    dimension: conduct
    when: kind = 'promise'
    points: -1
    basis: own-choice
tables:
  - id: list
    title: {zh: 清单, en: List}
    note: {zh: 整表说明, en: Of the table}
    dimension: conduct
    where: kind = 'negative_finding'
    input: item_no
    hit: unique
    rows:
      - [1, -1]
      - {when: [2], points: -2, note: {zh: 证据, en: Evidence}, basis: business-722 §69}
    basis: own-choice
grades: [{tier: A, from: 0}]
"""


def test_a_row_has_the_note_and_basis_of_its_table_unless_it_has_its_own() -> None:
    pack = load_text(PACK, "noted.yaml")
    notes = {rule.id: (rule.note, rule.citations) for rule in pack.rules}
    assert notes == {
        "one": (Title("说明", "Note"), (Citation("own-choice", ""),)),
        "list.1": (Title("整表说明", "Of the table"), (Citation("own-choice", ""),)),
        "list.2": (Title("证据", "Evidence"), (Citation("business-722", "§69"),)),
    }


def test_a_changed_note_makes_another_pack() -> None:
    assert identity(load_text(PACK.replace("说明, en: Note", "说明, en: Other"), "noted.yaml")) != identity(
        load_text(PACK, "noted.yaml")
    )


@pytest.mark.parametrize(
    ("written", "wrong", "line", "message"),
    [
        ("basis: business-722 §69}", "basis: business-723 §69}", 28, "the pack has no such basis"),
        ("note: {zh: 证据, en: Evidence}", "note: {en: Evidence}", 28, "not a title"),
        ("note: {zh: 证据, en: Evidence}", "remark: {zh: 证据}", 28, "no such key"),
    ],
)
def test_what_is_wrong_in_a_row_is_said_with_its_line(
    written: str, wrong: str, line: int, message: str
) -> None:
    with pytest.raises(PackError) as caught:
        load_text(PACK.replace(written, wrong), "noted.yaml")
    assert [(p.place.line, p.message) for p in caught.value.faults] == [(line, message)]
