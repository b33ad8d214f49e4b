"""A difference is said in words and points; what means the same is none."""

from __future__ import annotations

import pytest

from rules.tools.diff import FIELDS, PARTS, Change, compare
from tests.tools.packs import APPLICANTS, applicants


def changes(*replacements: tuple[str, str]) -> list[Change]:
    return compare(applicants(), applicants(*replacements))


def test_the_same_pack_has_no_difference() -> None:
    assert changes() == []


def test_comments_and_order_are_no_difference() -> None:
    fine = APPLICANTS[APPLICANTS.index("  - id: fine\n") : APPLICANTS.index("  - id: small\n")]
    assert changes((fine, ""), ("vetoes:\n", f"{fine}# a comment\nvetoes:\n")) == []


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        ("    points: -10\n", "    points: -12\n", ("rule", "fine", "points", "-10", "-12")),
        ("    cap: -15\n", "", ("rule", "fine", "cap", "-15", "")),
        ("title: {zh: 小规模, en: Small}", "title: {zh: 小型, en: Small}",
         ("rule", "small", "title", "小规模 Small", "小型 Small")),
        ("basis: law §9", "basis: law §11", ("rule", "fine", "basis", "law §9", "law §11")),
        ("    tier: C\n", "    tier: B\n", ("veto", "listed", "tier", "C", "B")),
        ("    tier: C\n", "    tier: C\n    below: {conduct: -1.5}\n",
         ("veto", "listed", "condition", "kind = 'listing'", "kind = 'listing', below conduct: -1.5")),
        ("    when: kind = 'listing'\n    tier: C\n    counts: {months: 36, from: occurred_on}\n",
         "    tier: C\n    below: {score: 60, conduct: -1.5}\n",
         ("veto", "listed", "condition, in words", "类别为“黑名单”",
          "守法低于-1.5分，且得分低于60分 Conduct below -1.5 and the score below 60")),
        ("    tier: C\n", "    lowers: 2\n", ("veto", "listed", "lowers", "", "2")),
        ("1000..50000\", -2]", "1000..50000\", -3]", ("table", "fined.2", "points", "-2", "-3")),
        ("from: 60}", "from: 55}", ("grade", "B", "from", "60", "55")),
        ("floor: -60", "floor: -40", ("dimension", "conduct", "floor", "-60", "-40")),
        ("sample_share: 0.5", "sample_share: 0.6", ("supervision", "C", "sample share", "0.5", "0.6")),
        ("{zh: 罚款, en: Fine}, award", "{zh: 罚金, en: Fine}, award",
         ("column", "kind", "codes", "fine 罚款 Fine", "fine 罚金 Fine")),
        ("2026-07-01: 2}", "2026-08-01: 2}",
         ("rule", "small", "points", "2026-01-01 起 +1；2026-07-01 起 +2",
          "2026-01-01 起 +1；2026-08-01 起 +2")),
        ("title: 某条例（2026年）", "title: 某条例（2027年）",
         ("basis", "law", "title", "某条例（2026年）", "某条例（2027年）")),
        ("title: 某条例（2026年）", "title: 某条例（2026年）, repealed_on: 2027-01-01",
         ("basis", "law", "repealed on", "", "2027-01-01")),
        ("in_force: {", "authority: district\nin_force: {",
         ("pack", "", "authority", "", "区级评价，用于本区监管 the district's own grade")),
        ("in_force: {from: 2026-01-01}", "in_force: {from: 2026-01-01, until: 2027-01-01}",
         ("pack", "", "in force until", "", "2027-01-01")),
        ("vetoes:\n", "together: [{rules: [fined, fine], why: {zh: 大额另计, en: Large more}}]\nvetoes:\n",
         ("together", "fine, fined", "added", "", "理由 why: 大额另计 Large more")),
    ],
)  # fmt: skip
def test_a_change_says_what_it_was_and_what_it_is(old: str, new: str, change: tuple[str, ...]) -> None:
    found = [c for c in changes((old, new)) if (c.part, c.id, c.field) == change[:3]]
    assert len(found) == 1
    assert found[0].before.startswith(change[3])
    assert found[0].after.startswith(change[4])


def test_a_condition_is_said_as_written_and_in_words() -> None:
    found = {
        c.field: (c.before, c.after) for c in changes(("when: kind = 'listing'", "when: kind = 'award'"))
    }
    assert found["condition"] == ("kind = 'listing'", "kind = 'award'")
    assert found["condition, in words"] == (
        "类别为“黑名单” Kind is “Listing”",
        "类别为“表彰” Kind is “Award”",
    )


def test_a_window_is_said_in_words() -> None:
    [change] = changes(("counts: {months: 36, from: occurred_on}", "counts: {months: 24, from: occurred_on}"))
    assert (change.field, change.before) == ("window", "自日期起 36 个月内 for 36 months from Date")


def test_of_groups_each_word_is_said() -> None:
    written = "percentile: fines, by: months, bands: [1, 3], fewest: 5"
    measures = f"""measures:
  fines: {{title: 罚款次数, count: records}}
  months: {{title: 罚款月数, count: records, by: occurred_on, take: count}}
  place: {{title: 名次, {written}}}
vetoes:
"""
    other = measures.replace(written, "percentile: fines, by: fines, bands: [1, 4], fewest: 6")
    other = other.replace("by: occurred_on, take: count", "by: start_of_month(occurred_on), take: run")
    found = compare(applicants(("vetoes:\n", measures)), applicants(("vetoes:\n", other)))
    assert [(c.id, c.field, c.before, c.after) for c in found] == [
        ("months", "by", "occurred_on", "start_of_month(occurred_on)"),
        ("months", "take", "count", "run"),
        ("place", "by", "months", "fines"),
        ("place", "bands", "1, 3", "1, 4"),
        ("place", "fewest", "5", "6"),
    ]


def test_a_rule_that_is_added_or_removed() -> None:
    renamed = changes(("  - id: small\n", "  - id: little\n"))
    assert [(c.id, c.field) for c in renamed] == [("little", "added"), ("small", "removed")]
    assert "condition: size = 'small'" in renamed[0].after
    assert renamed[1].before == renamed[0].after


def test_what_differs_is_said_in_the_language_of_who_reads() -> None:
    before, after = (
        applicants(),
        applicants(("  - id: small\n", "  - id: little\n"), ("points: -10", "points: -9")),
    )
    for tell, foreign in ((lambda title: title.zh, "Small"), (lambda title: title.en, "小规模")):
        found = compare(before, after, tell)
        assert len(found) == 3
        assert not [change for change in found if foreign in change.title + change.before + change.after]
    assert set(FIELDS) >= {change.field for change in found}
    assert set(PARTS) >= {change.part for change in found}
