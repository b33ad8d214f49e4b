"""The one layout of a pack keeps every value and every comment, and laying out twice changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules.fault import PackError
from rules.identity import identity
from rules.library.loader import PACKS, load_text
from rules.tools.layout import layout
from tests.tools.packs import APPLICANTS

MESSY = """\
# what this is about
version:   "1"      # the first
pack: applicants


score: {max: 100,   start: 80, min: 0}
rules:
# about fines
- when: >-
      kind = 'fine'
      and amount > 0
  id: fine   # its name
  title: {en: Fine, zh: 罚款}
  points: -1
- id: award
  # why so much
  points: 2
"""
NEAT = """\
# what this is about
pack: applicants
version: "1"  # the first

score: {start: 80, min: 0, max: 100}
rules:
  # about fines
  - id: fine  # its name
    title: {zh: 罚款, en: Fine}
    when: >-
      kind = 'fine'
      and amount > 0
    points: -1

  - id: award
    # why so much
    points: 2
"""


def test_keys_indentation_and_spacing_are_put_right_and_comments_stay() -> None:
    assert layout(MESSY, "m.yaml") == NEAT


def test_of_a_measure_the_groups_come_after_what_is_compared() -> None:
    messy = "measures:\n  place: {fewest: 5, bands: [1, 3], by: months, percentile: fines, title: 名次}\n"
    neat = "measures:\n  place: {title: 名次, percentile: fines, by: months, bands: [1, 3], fewest: 5}\n"
    assert layout(messy, "m.yaml") == neat


def test_a_neat_pack_stays_as_it_is() -> None:
    assert layout(NEAT, "n.yaml") == NEAT
    assert layout(APPLICANTS, "a.yaml") == layout(layout(APPLICANTS, "a.yaml"), "a.yaml")


@pytest.mark.parametrize("path", sorted(PACKS.rglob("*.yaml")), ids=lambda path: path.stem)
def test_a_shipped_pack_means_the_same_in_its_layout(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    laid_out = layout(text, path.name)
    assert identity(load_text(laid_out, path.name)) == identity(load_text(text, path.name))
    assert layout(laid_out, path.name) == laid_out
    assert sorted(comments(laid_out)) == sorted(comments(text))


def comments(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip().startswith("#")]


@pytest.mark.parametrize(
    "value", ["'1'", '"a # b"', "{a: 'x: y', b: [1, 2]}", "[]", "|\n  two\n  lines", "2026-01-01", "~"]
)
def test_a_value_is_copied_as_it_is_written(value: str) -> None:
    text = f"pack: {value}\nversion: {value}\n"
    assert layout(text, "v.yaml") == text


@pytest.mark.parametrize(
    "text",
    [
        "measures:\n  worst: {title: 差, max: amount}\n  count: {title: 数, count: records}\n",
        "measures: {worst: {title: 差, max: amount}, count: {title: 数, count: records}}\n",
        "columns:\n  basis: {type: text, title: 依据}\n  rules: {type: text, title: 规则}\n",
    ],
)
def test_what_a_pack_calls_by_a_word_of_the_language_stays_where_it_is(text: str) -> None:
    assert layout(text, "m.yaml") == text


def test_a_long_list_is_broken_between_entries() -> None:
    codes = ", ".join(f"code{n:03}" for n in range(60))
    laid_out = layout(f"pack: [{codes}]\n", "l.yaml")
    assert all(len(line) <= 160 for line in laid_out.splitlines())
    assert "[code000, code001" in laid_out
    assert layout(laid_out, "l.yaml") == laid_out


def test_comments_inside_brackets_stay_where_they_are() -> None:
    text = "pack: [a,  # the first\n  b]\nversion: 1\n"
    assert layout(text, "c.yaml") == text


@pytest.mark.parametrize("text", ["- a\n- b\n", "{pack: a}\n", "a: &x 1\n", "a: [\n"])
def test_what_is_no_pack_is_refused(text: str) -> None:
    with pytest.raises(PackError):
        layout(text, "bad.yaml")


def test_a_comment_above_the_key_that_comes_first_goes_above_its_item() -> None:
    """Also where the key stood further down, and with the empty lines between comments."""
    messy = "rules:\n- points: -1\n  # why\n\n  # what\n  id: fine\n-   # how\n  id: award\n"
    laid_out = layout(messy, "c.yaml")
    assert laid_out.startswith("rules:\n  # why\n\n  # what\n  - id: fine\n    points: -1\n")
    assert layout(laid_out, "c.yaml") == laid_out


def test_a_text_that_a_comma_cuts_in_two_is_refused_by_its_cause() -> None:
    with pytest.raises(
        PackError, match=r'm.yaml:2:10: measures.share: a comma ends a text.*\n.*"round\(a / b,2\)", in'
    ):
        layout("measures:\n  share: {title: 份额, value: round(a / b, 2)}\n", "m.yaml")
