"""Every pack that is installed does what its own examples say, and nobody has to be ashamed of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules.library.loader import PACKS, load_pack
from rules.tools.lint import Severity, lint_text
from scoring.answers.examples import run_examples

FILES = sorted(PACKS.rglob("*.yaml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_its_examples_hold(file: Path) -> None:
    results = run_examples(load_pack(file))
    assert results
    assert [f"{r.place}: {r.expected}, got {r.got}" for r in results if not r.passed] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_lint_finds_no_error(file: Path) -> None:
    found = lint_text(file.read_text(encoding="utf-8"), file.name)
    assert [str(finding) for finding in found if finding.severity is Severity.ERROR] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_rule_says_in_both_languages_what_it_is_and_cites_something(file: Path) -> None:
    for rule in load_pack(file).rules:
        assert rule.title.zh != rule.title.en, rule.id
        assert rule.citations, rule.id
