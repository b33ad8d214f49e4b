"""The commands of the policy officer, as typed."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from functools import partial
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from rules.library.loader import load_pack
from scoring.cli.rules import rules_group
from scoring.cli.simulate import simulate_command
from tests.tools.packs import APPLICANTS, changed
from tests.tools.population import write_population

FAULTY = Path(__file__).parent / "faulty"


def call(command: click.Command, *arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    path = tmp_path / "pack.yaml"
    path.write_text(APPLICANTS, encoding="utf-8")
    return path


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    path = tmp_path / "draft.yaml"
    path.write_text(
        changed(('version: "1"', 'version: "2"'), ("    points: -10\n", "    points: -12\n")), "utf-8"
    )
    return path


def test_lint_names_file_line_and_fault_and_fails_on_errors() -> None:
    result = call(rules_group, "lint", FAULTY / "cap-sign.yaml")
    assert result.exit_code == 1
    said = "24:5: error: sign: a cap of 10 can't bind points of the other sign [cap-sign]"
    assert f"{FAULTY / 'cap-sign.yaml'}:{said}" in result.output


def test_lint_fails_on_warnings_where_asked() -> None:
    assert call(rules_group, "lint", FAULTY / "table-gap.yaml").exit_code == 0
    assert call(rules_group, "lint", FAULTY / "table-gap.yaml", "--strict").exit_code == 1


def test_one_thing_is_said_in_the_singular(pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "en")
    said = call(rules_group, "lint", FAULTY / "table-code.yaml").output
    assert "0 errors, 1 warning, " in said


def test_lint_shows_what_loading_refuses(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(changed(("when: kind = 'fine'", "when: kid = 'fine'")), encoding="utf-8")
    result = call(rules_group, "lint", path, "--format", "json")
    assert result.exit_code == 1
    [finding] = [f for f in json.loads(result.stdout) if f["check"] == "load"]
    assert "kid" in finding["message"]
    lines = call(rules_group, "lint", path).stdout.splitlines()
    assert lines[lines.index(next(line for line in lines if "[load]" in line)) + 1] == "    found: kid"


def test_lint_of_a_folder_looks_at_versions(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(APPLICANTS, encoding="utf-8")
    (tmp_path / "two.yaml").write_text(changed(('version: "1"', 'version: "2"')), encoding="utf-8")
    result = call(rules_group, "lint", tmp_path)
    assert result.exit_code == 1
    assert "version-overlap" in result.output


def test_the_examples_of_a_pack(pack: Path) -> None:
    result = call(rules_group, "test", pack)
    assert (result.exit_code, result.stdout) == (0, "")
    pack.write_text(changed(("score: 70, tier: B", "score: 71, tier: B")), encoding="utf-8")
    result = call(rules_group, "test", pack)
    assert result.exit_code == 1
    line = APPLICANTS[: APPLICANTS.index("score: 70")].count("\n") + 1
    assert result.stdout == f"{pack}:{line}:5: pack: expected score 71, tier B; got score 70, tier B\n"


def test_coverage_of_examples_and_of_a_file(pack: Path, tmp_path: Path) -> None:
    subjects, records = write_population(tmp_path)
    result = call(rules_group, "coverage", pack, "--missing", "--format", "csv")
    assert [row["rule"] for row in csv.DictReader(io.StringIO(result.stdout))] == ["fined.3"]
    result = call(
        rules_group, "coverage", pack, "--subjects", subjects, "--records", records,
        "--as-of", "2026-03-01", "--missing", "--format", "json",
    )  # fmt: skip
    assert {row["rule"]: row["missing"] for row in json.loads(result.stdout)} == {
        "fined.1": "population",
        "fined.3": "examples, population",
    }


def test_diff_in_every_format(pack: Path, draft: Path) -> None:
    [version, points] = json.loads(call(rules_group, "diff", pack, draft, "--format", "json").stdout)
    assert (version["field"], points["before"], points["after"]) == ("version", "-10", "-12")
    text = call(rules_group, "diff", pack, draft, "--format", "markdown").stdout
    assert "| rule | fine | 罚款 Fine | points | -10 | -12 |" in text
    assert call(rules_group, "diff", pack, draft, "--format", "csv").stdout.count("\n") == 3


def test_docs_in_both_forms(pack: Path, tmp_path: Path) -> None:
    assert call(rules_group, "docs", pack).stdout.startswith("# 贷款申请人 Loan applicants\n")
    assert call(rules_group, "docs", pack, "--out", tmp_path / "book.html").exit_code == 0
    assert (tmp_path / "book.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_fmt_checks_before_it_changes(pack: Path) -> None:
    untidy = APPLICANTS.replace(
        "score: {start: 80, min: 0, max: 100}", "score: {max: 100,  start: 80, min: 0}"
    )
    pack.write_text(untidy, encoding="utf-8")
    result = call(rules_group, "fmt", pack, "--check")
    assert (result.exit_code, result.stdout) == (1, f"would change: {pack}\n")
    assert pack.read_text(encoding="utf-8") == untidy
    assert call(rules_group, "fmt", pack).stdout == f"changed: {pack}\n"
    assert pack.read_text(encoding="utf-8") == APPLICANTS
    assert call(rules_group, "fmt", pack, "--check").exit_code == 0


def simulate(pack: Path, draft: Path, tmp_path: Path, *more: object) -> Result:
    subjects, records = write_population(tmp_path)
    return call(
        simulate_command, "--pack", draft, "--against", pack, "--subjects", subjects, "--records", records,
        "--as-of", "2026-03-01", *more,
    )  # fmt: skip


def test_simulate_shows_tiers_rules_and_movers(pack: Path, draft: Path, tmp_path: Path) -> None:
    draft.write_text(
        changed(("    points: -10\n", "    points: -30\n"), ("    cap: -15\n", "")), encoding="utf-8"
    )
    result = simulate(pack, draft, tmp_path, "--movers", tmp_path / "movers.csv")
    assert result.exit_code == 0
    assert "5 个主体 subjects，2 个等级变化" in result.output
    assert "B\t0\t0\t2" in result.output
    assert "fine\t罚款 Fine\t2\t2\t2\t2\t" in result.output
    with (tmp_path / "movers.csv").open(encoding="utf-8-sig") as file:
        assert [row["subject_id"] for row in csv.DictReader(file)] == ["a2", "a3"]


def test_simulate_says_where_no_rule_makes_the_difference(pack: Path, draft: Path, tmp_path: Path) -> None:
    higher = APPLICANTS.replace('version: "1"', 'version: "2"').replace("Good}, from: 80", "Good}, from: 81")
    draft.write_text(higher, encoding="utf-8")
    found = simulate(pack, draft, tmp_path).output
    assert "The same rules give the same points: tiers change by where they begin" in found
    assert "By which rules" not in found


def test_simulate_for_programs(pack: Path, draft: Path, tmp_path: Path) -> None:
    data = json.loads(simulate(pack, draft, tmp_path, "--format", "json").stdout)
    assert (data["subjects"], data["before"]["version"], data["after"]["version"]) == (5, "1", "2")
    [fine] = data["rules"]
    assert (fine["points_before"], fine["points_after"]) == (-18.34, -22)
    rows = list(csv.DictReader(io.StringIO(simulate(pack, draft, tmp_path, "--format", "csv").stdout)))
    assert {row["part"] for row in rows} == {"transition", "rule", "score", "size"}


def test_a_draft_of_a_day_to_come_is_tried_on_its_first_day(
    pack: Path, draft: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the day on which the version before it ends: on no day before it would anybody be graded by it."""
    first = load_pack(draft).in_force_from
    subjects, _ = write_population(tmp_path)
    line = ("--pack", draft, "--against", pack, "--subjects", subjects, "--format", "json")
    for today, day in ((first - dt.timedelta(days=9), first), (first + dt.timedelta(days=9), None)):
        monkeypatch.setattr("scoring.cli.simulate.today", partial(dt.date.fromordinal, today.toordinal()))
        assert json.loads(call(simulate_command, *line).stdout)["as_of"] == f"{day or today}"
        named = json.loads(call(simulate_command, *line, "--as-of", today).stdout)
        assert named["as_of"] == f"{today}"


def test_records_alone_are_no_population(pack: Path) -> None:
    result = call(simulate_command, "--pack", pack, "--against", pack, "--records", pack)
    assert result.exit_code == 2
    assert "--records go with --subjects" in result.output
