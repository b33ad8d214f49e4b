"""The reference page of the language: each pack on it is sound."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rules.library.loader import load_text
from rules.tools.lint import Severity, lint_text

PAGE = Path(__file__).parents[2] / "docs" / "rule-language.md"
PACKS = re.findall(r"^```yaml\n(pack:.*?)^```$", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)


def test_the_page_shows_packs() -> None:
    assert len(PACKS) >= 2


@pytest.mark.parametrize("text", PACKS)
def test_a_pack_on_the_page_loads(text: str) -> None:
    assert load_text(text, "rule-language.md").rules


def test_the_first_pack_of_the_page_keeps_to_the_law() -> None:
    found = lint_text(PACKS[0], "rule-language.md")
    assert {f.check for f in found if f.severity is not Severity.NOTICE} == {"no-example"}
