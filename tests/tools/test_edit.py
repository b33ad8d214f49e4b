"""A value changed in a pack's text leaves every other entry as it was, comments included."""

from __future__ import annotations

import datetime as dt
import difflib
import re
from decimal import Decimal
from typing import Any

import pytest

from rules.fault import PackError
from rules.library.loader import PACKS
from rules.text.source import read
from rules.tools.edit import lines_of, with_entry, with_value, without
from rules.tools.layout import layout

TOURISM = (PACKS / "tourism-credit.yaml").read_text(encoding="utf-8")
LIBRARY = {path.stem: path.read_text(encoding="utf-8") for path in sorted(PACKS.glob("*.yaml"))}
MESSY = """\
# what this is about
pack:   market
score: {max: 100,   start: 80, min: 0}   # ours
rules:
# about fines
- id: fine   # its name
  when: >-
      kind = 'fine'
      and amount > 0
  points: -1
  counts:
      months: 12  # a year
  basis: [a, b ,c]
# about awards
- id: award
  # why so much
  points:
    2026-01-01: 2
    # from then on
    2027-01-01: 3
grades:
  - tier: A
    from: 90
"""


def changed_lines(before: str, after: str) -> list[str]:
    found = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    return [line for line in found if re.match(r"[-+](?![-+])", line)]


def comments(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.lstrip().startswith("#")]


@pytest.mark.parametrize(
    ("path", "value", "lines"),
    [
        (("rules", 0, "points"), Decimal("2.5"), ["-    points: 2", "+    points: 2.5"]),
        (("version",), "2026.3", ['-version: "2026.1"', "+version: '2026.3'"]),
        (
            ("rules", 1, "counts", "months"),
            36,
            [
                "-    counts: {months: 24, from: occurred_on}",
                "+    counts: {months: 36, from: occurred_on}",
            ],
        ),
        (
            ("rules", 1, "counts", "decay"),
            "linear",
            [
                "-    counts: {months: 24, from: occurred_on}",
                "+    counts: {months: 24, from: occurred_on, decay: linear}",
            ],
        ),
        (("rules", 0, "cap"), 4, ["+    cap: 4"]),
        (("rules", 0, "counts", "months"), 12, ["+    counts: {months: 12}"]),
        (("rules", 0, "title", "zh"), "加入: 满半年", None),
        (("rules", 0, "when"), " and ".join(["state = 'operating'"] * 12), None),
        (("rules", 0, "examples", 3, "as_of"), dt.date(2026, 5, 1), ["+      - {as_of: 2026-05-01}"]),
        (("measures", "reviews", "within", "days"), 30, None),
        (("grades", 0, "from"), 91, None),
    ],
)
def test_a_value_is_changed_where_it_stands_and_nothing_else(path: Any, value: Any, lines: Any) -> None:
    text = with_value(TOURISM, "my.yaml", path, value)
    found: Any = read(text, "my.yaml").data
    for step in path:
        found = found[step]
    assert found == value
    assert layout(text, "my.yaml") == text, "a text in the one layout stays in it"
    assert comments(text) == comments(TOURISM)
    changed = changed_lines(TOURISM, text)
    assert lines in (None, changed)
    assert len(changed) <= 6


@pytest.mark.parametrize("text", LIBRARY.values(), ids=LIBRARY.keys())
def test_each_entry_is_taken_away_and_a_new_one_put_in(text: str) -> None:
    data = read(text, "my.yaml").data
    for part in ("rules", "tables", "vetoes", "consequences", "grades"):
        for place in range(0, len(data.get(part, ())), 7):
            less = without(text, "my.yaml", (part, place))
            assert layout(less, "my.yaml") == less
            added = [line for line in changed_lines(text, less) if line.startswith("+")]
            assert added == []
            more = with_entry(text, "my.yaml", (part, place), {"id": "x.new", "points": Decimal("-1.50")})
            assert read(more, "my.yaml").data[part][place + 1] == data[part][place]
            assert [line for line in changed_lines(text, more) if line.startswith("-")] == []
            assert layout(more, "my.yaml") == more
            assert comments(more) == comments(text)


def test_a_text_that_nobody_has_laid_out_is_laid_out_at_the_entry_alone() -> None:
    text = with_value(MESSY, "my.yaml", ("rules", 0, "points"), -2)
    begins, ends = lines_of(text, ("rules", 0))
    written = text.splitlines()
    assert written[begins - 1 : ends] == [
        "- id: fine  # its name",
        "  when: >-",
        "    kind = 'fine'",
        "    and amount > 0",
        "  points: -2",
        "  counts:",
        "    months: 12  # a year",
        "  basis: [a, b, c]",
    ]
    was = MESSY.splitlines()
    assert written[: begins - 1] == was[:5]
    assert written[ends:] == was[13:]


def test_what_has_a_comment_inside_of_it_is_not_overwritten() -> None:
    with pytest.raises(PackError) as refused:
        with_value(MESSY, "my.yaml", ("rules", 1, "points"), 4)
    assert "a comment stands inside of it" in str(refused.value)
    text = with_value(MESSY, "my.yaml", ("rules", 1, "points", "2027-01-01"), 4)
    assert "    2027-01-01: 4\n" in text
    assert comments(text) == comments(MESSY)


@pytest.mark.parametrize(
    "value", ["- 1", "a: b", "# x", "'", '"', "null", "2026-01-01", "1.5", "{", "“是”", "\\n"]
)
def test_a_text_stays_a_text_whatever_is_in_it(value: str) -> None:
    for path in (
        ("rules", 0, "title", "zh"),
        ("rules", 0, "when"),
        ("rules", 0, "examples", 0, "given", "state"),
    ):
        found: Any = read(with_value(TOURISM, "my.yaml", path, value), "my.yaml").data
        for step in path:
            found = found[step]
        assert found == value


def test_the_last_of_a_list_takes_its_key_along() -> None:
    text = without("a: 1\nb: {c: [1]}\nd:\n  - {e: 2}\n", "my.yaml", ("b", "c", 0))
    assert text == "a: 1\nd:\n  - {e: 2}\n"
    assert without(text, "my.yaml", ("d", 0)) == "a: 1\n"
