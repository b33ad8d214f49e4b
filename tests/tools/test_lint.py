"""Lint finds each fault of the faulty packs, in the words at the head of its file, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rules.lint import CHECKS, Finding, Severity, lint_text, lint_versions
from rules.loader import PACKS, load_text
from tests.tools.packs import APPLICANTS, applicants

FAULTY = sorted((Path(__file__).parent / "faulty").glob("*.yaml"))
EXPECTED = re.compile(r"# expect line (\d+): (.*)\n")


def lint(path: Path) -> list[Finding]:
    return lint_text(path.read_text(encoding="utf-8"), path.name)


def test_there_are_faulty_packs_for_every_check() -> None:
    assert len(FAULTY) >= 50
    assert len({EXPECTED.match(p.read_text(encoding="utf-8"))[2].rpartition("[")[2] for p in FAULTY}) > len(
        CHECKS
    )  # type: ignore[index]


@pytest.mark.parametrize("path", FAULTY, ids=lambda path: path.stem)
def test_a_fault_is_found_where_it_is(path: Path) -> None:
    head = EXPECTED.match(path.read_text(encoding="utf-8"))
    assert head is not None
    line, text = int(head[1]), head[2]
    said = [str(f).splitlines()[0].partition(": ")[2] for f in lint(path) if f.place.line == line]
    assert text in said


@pytest.mark.parametrize("path", FAULTY, ids=lambda path: path.stem)
def test_nothing_else_is_said_to_be_wrong(path: Path) -> None:
    check = EXPECTED.match(path.read_text(encoding="utf-8"))[2].rpartition("[")[2][:-1]  # type: ignore[index]
    assert {f.check for f in lint(path) if f.severity is not Severity.NOTICE} <= {check}


def test_a_sound_pack_gets_notices_alone() -> None:
    assert {f.check for f in lint_text(APPLICANTS, "a.yaml")} == {"own-choice", "adds-up"}


@pytest.mark.parametrize("path", sorted(PACKS.rglob("*.yaml")), ids=lambda path: path.stem)
def test_the_packs_that_are_shipped_have_neither_errors_nor_warnings(path: Path) -> None:
    assert [str(f) for f in lint(path) if f.severity is not Severity.NOTICE] == []


def test_a_finding_names_a_case() -> None:
    [gap] = [
        f for f in lint(Path(__file__).parent / "faulty" / "table-gap-in-two.yaml") if f.check == "table-gap"
    ]
    assert gap.example == "employees = 20, size = small"


@pytest.mark.parametrize(
    ("second", "check", "message"),
    [
        ("{from: 2026-06-01}", "version-overlap", "is in force from 2026-06-01, but 1 is until 2026-07-01"),
        ("{from: 2026-08-01}", "version-gap", "no version is in force from 2026-07-01 until 2026-08-01"),
        ("{from: 2026-07-01}", None, ""),
    ],
)
def test_versions_follow_one_another(second: str, check: str | None, message: str) -> None:
    first = applicants(("in_force: {from: 2026-01-01}", "in_force: {from: 2026-01-01, until: 2026-07-01}"))
    then = applicants(
        ("in_force: {from: 2026-01-01}", f"in_force: {second}"), ('version: "1"', 'version: "2"')
    )
    found = [(f.check, f.message) for f in lint_versions([then, first])]
    assert found == ([(check, message)] if check else [])


def test_a_version_twice_is_an_error() -> None:
    pack = load_text(APPLICANTS, "a.yaml")
    checks = [f.check for f in lint_versions([pack, pack])]
    assert checks.count("version-twice") == 2


def test_different_packs_do_not_touch() -> None:
    assert lint_versions([applicants(), applicants(("pack: applicants", "pack: others"))]) == []
