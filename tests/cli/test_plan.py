"""A month's inspections as the office plans them: by seed, within every tier's cap, with what was refused."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from pathlib import Path

import pytest
from stdnum.cn import uscc

from cli.conftest import Command
from cli.market import AS_OF, PACK

SUPERVISION = """\
supervision:
  A: {sample_share: 1, visits_per_year: 1, unprompted_visits: false, lending: fast, valid_months: 12}
  D: {sample_share: 1, visits_per_year: 2, lending: none, valid_months: 1}
"""


def code(number: int) -> str:
    start = f"91500159MA{number:07}"
    return start + uscc.calc_check_digit(start)


BAD, GOOD = [code(n) for n in range(24)], [code(n) for n in range(24, 30)]
ASKED, QUIET, COMPLAINED = BAD[0], GOOD[0], GOOD[1]


@pytest.fixture(autouse=True)
def june(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plans are made before their months are over."""
    monkeypatch.setattr("scoring.inspections.office.today", lambda: dt.date(2026, 6, 15))


@pytest.fixture
def url(tmp_path: Path, command: Command) -> str:
    """A store of 24 enterprises of tier D and 6 of tier A, inspectors, and what departments ask for."""
    listed = "".join(
        f"V{n},{subject},seriously_dishonest_listing,,effective,2026-01-05,\n"
        for n, subject in enumerate(BAD)
    )
    asked = "".join(f"Q{m},{ASKED},check_request,due,effective,2026-{m:02}-03,甲局\n" for m in (7, 8, 9))
    more = f"Q1,{QUIET},check_request,due,effective,2026-08-03,甲局\n"
    more += f"Q2,{COMPLAINED},check_request,complaint,effective,2026-08-03,乙局\n"
    files = {
        "market.yaml": PACK + SUPERVISION,
        "subjects.csv": "subject_id,name\n" + "".join(f"{s},企业{s[-4:]}\n" for s in BAD + GOOD),
        "records.csv": "record_id,subject_id,kind,level,status,occurred_on,authority\n"
        + listed
        + asked
        + more,
        "inspectors.csv": "inspector_id,name,authority,monthly_visits,state\n"
        + "".join(f"I{n},某{n},{'甲乙'[n % 2]}局,9,active\n" for n in range(8)),
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    url = f"sqlite:///{tmp_path / 'office.db'}"
    for line in (
        ("db", "upgrade"),
        ("ingest", tmp_path / "subjects.csv", "--vocabulary", "enterprise", "--quarantine", tmp_path),
        ("ingest", tmp_path / "records.csv", tmp_path / "inspectors.csv", "--quarantine", tmp_path),
        ("score", "--pack", tmp_path / "market.yaml", "--as-of", AS_OF),
    ):
        result = command(*line, "--database", url)
        assert result.exit_code == 0, result.output
    return url


def plan(command: Command, url: str, month: str, seed: str = "417", *more: str) -> tuple[str, str]:
    line = ("plan", "inspections", "--pack", "market", "--month", month, "--seed", seed, "--database", url)
    result = command(*line, *more)
    assert result.exit_code == 0, result.output
    return result.stdout, result.stderr


def test_the_same_seed_gives_the_same_visits(command: Command, url: str) -> None:
    first = plan(command, url, "2026-08")[0]
    assert plan(command, url, "2026-08", "417", "--instead-of", "1")[0] == first
    assert plan(command, url, "2026-08", "another", "--instead-of", "2")[0] != first


def test_nobody_draws_anew_unseen_until_the_lot_suits(command: Command, url: str) -> None:
    plan(command, url, "2026-08")
    line = ("plan", "inspections", "--pack", "market", "--month", "2026-08", "--seed", "418")
    for more in ((), ("--instead-of", "7")):
        refused = command(*line, *more, "--database", url)
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert "2026-08 has a plan, 1: to draw anew, say plan 1 is replaced" in refused.stderr


def test_visits_over_the_months_keep_within_the_yearly_cap(command: Command, url: str) -> None:
    visited: list[str] = []
    for month in ("2026-07", "2026-08", "2026-09"):
        visits = json.loads(plan(command, url, month, "417", "--format", "json")[0])
        subjects = [visit["subject_id"] for visit in visits]
        assert len(subjects) == len(set(subjects))
        visited += subjects
    assert visited.count(ASKED) == 2
    assert {s for s in visited if s in GOOD} == {COMPLAINED}
    assert sum(s in BAD for s in visited) >= 6


def test_what_can_not_be_planned_is_told_with_its_reason(command: Command, url: str) -> None:
    _, told = plan(command, url, "2026-08")
    assert (
        f"未安排 refused: {QUIET} 甲局 Q1: 无事不扰：等级A的企业无投诉举报的不检查\u2003tier A is visited"
        in told
    )
    for month in ("2026-07", "2026-09"):
        _, told = plan(command, url, month)
    assert (
        f"{ASKED} 甲局 Q9: 已达年度上限：等级D每年至多检查2次，均已安排\u2003tier D allows 2 visits a year"
        in told
    )


def test_a_visit_names_enterprise_departments_and_inspectors(command: Command, url: str) -> None:
    listed = list(csv.DictReader(io.StringIO(plan(command, url, "2026-08", "417", "--format", "csv")[0])))
    visit = next(row for row in listed if row["subject_id"] == COMPLAINED)
    assert visit["name"] == f"企业{COMPLAINED[-4:]}"
    assert (visit["tier"], visit["complaint"], visit["drawn"]) == ("A", "是 yes", "")
    assert visit["authorities"] == "乙局"
    assert len(visit["inspectors"].split("、")) == 2


def test_what_a_plan_needs_is_named(command: Command, url: str, database: str) -> None:
    line = ("plan", "inspections", "--month", "2026-08", "--seed", "1")
    for more, words in (
        (("--pack", "nothing", "--database", url), "there is no run of nothing to take tiers from"),
        (("--pack", "market", "--database", database), "does not say how its tiers are supervised"),
    ):
        result = command(*line, *more)
        assert (result.exit_code, result.stdout) == (1, "")
        assert words in result.stderr
    early = command(
        "plan", "inspections", "--pack", "market", "--month", "2026-06", "--seed", "1", "--database", url
    )
    assert "there is no run of market to take tiers from" in early.stderr
    over = command(
        "plan", "inspections", "--pack", "market", "--month", "2026-05", "--seed", "1", "--database", url
    )
    assert "the month 2026-05 is over, and no visit of it is still made; plan 2026-06 or later" in over.stderr
    wrong = command("plan", "inspections", "--month", "August", "--seed", "1")
    assert (wrong.exit_code, "'August' is not a month such as 2026-07" in wrong.stderr) == (2, True)
