"""Lists say to people what codes mean, and to programs the codes."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from contextlib import closing
from pathlib import Path

import pytest

from cli.conftest import Command
from cli.test_help import EVERY
from cli.test_plan import url
from rules.calendar import SHANGHAI
from scoring.access.keys import Role, create_key
from scoring.cli.output import ask_one_more
from scoring.store import open_store
from scoring.tickets.chart import Actor
from scoring.tickets.desk import Move, Subject, open_ticket

__all__ = ["url"]
Cells = dict[str, tuple[str, str]]


@pytest.mark.parametrize(
    ("before", "listed", "expected"),
    [
        (
            ("tickets", "open", "--title", "样例", "--source", "hotline"),
            ("tickets", "list"),
            {"source": ("hotline", "服务热线 Hotline"), "stage": ("collected", "问题收集 Collected")},
        ),
        (
            ("tickets", "open", "--title", "样例", "--source", "hotline"),
            ("tickets", "show", "1"),
            {"move": ("open", "问题收集 Collected"), "actor": ("desk", "服务窗口 Service desk")},
        ),
        (
            ("keys", "create", "--role", "regulator", "--owner", "样例"),
            ("keys", "list"),
            {"role": ("regulator", "监管人员 regulator"), "state": ("active", "有效 active")},
        ),
        (
            ("deliveries", "add", "样例平台", "--kind", "record_repaired"),
            ("deliveries", "list"),
            {
                "role": ("regulator", "全部变动 Everything"),
                "kinds": ("record_repaired", "信用修复 Record repaired"),
                "state": ("active", "正常 Active"),
            },
        ),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, tuple) else "",
)
def test_a_list_says_codes_by_their_titles_to_people_and_as_they_are_to_programs(
    command: Command, url: str, before: tuple[str, ...], listed: tuple[str, ...], expected: Cells
) -> None:
    here = ("--database", url)
    assert command(*before, *here).exit_code == 0
    table = csv.reader(io.StringIO(command(*listed, *here).stdout), delimiter="\t")
    shown = {heading.rpartition(" ")[2]: cell for heading, cell in zip(*table, strict=True)}
    (row,) = csv.DictReader(io.StringIO(command(*listed, "--format", "csv", *here).stdout))
    headings = {"role": "for"} if listed[0] == "deliveries" else {}
    for column, (code, title) in expected.items():
        assert (row[column], shown[headings.get(column, column)]) == (code, title)


def test_people_are_told_who_did_something_and_programs_by_which_key(command: Command, url: str) -> None:
    """The table named the first ten signs of a key, which nobody knows."""
    with closing(open_store(url)) as store:
        key = create_key(store, Role.REGULATOR, "钱某").key.prefix
        noon = dt.datetime(2026, 6, 1, 12, tzinfo=SHANGHAI)
        open_ticket(store, Subject("样例", "hotline"), Move("open", Actor.DESK, key, at=noon))
    line = ("tickets", "show", "1", "--database", url)
    assert f"\t钱某 {key}\t" in command(*line).stdout
    assert f",{key}," in command(*line, "--format", "csv").stdout


def test_the_records_that_a_measure_has_to_rest_on_are_told_by_their_titles(command: Command) -> None:
    assert "\t行政处罚、" in command("consequences", "measures").stdout
    assert ",penalty seriously" in command("consequences", "measures", "--format", "csv").stdout


@pytest.mark.parametrize("how", [(), ("--format", "json"), ("--format", "csv"), ("--xlsx", "cut.xlsx")])
@pytest.mark.parametrize(("limit", "is_cut"), [(2, True), (3, False), (4, False)])
def test_a_list_that_its_limit_cuts_says_that_there_are_more(
    command: Command, url: str, how: tuple[str, ...], limit: int, is_cut: bool,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    here = ("--database", url)
    for title in ("甲", "乙", "丙"):
        command("tickets", "open", "--title", title, "--source", "hotline", *here)
    listed = command("tickets", "list", "--limit", limit, *how, *here)
    said = f"仅列出前 {limit} 项,还有更多;用--limit调整 the first {limit}, and there are more: --limit\n"
    assert listed.stderr == (said if is_cut else "")
    if "json" in how:
        assert len(json.loads(listed.stdout)) == min(limit, 3)
    if "csv" in how:
        assert len(listed.stdout.splitlines()) == 1 + min(limit, 3)


def test_whatever_command_has_a_limit_says_so() -> None:
    options = [(path, option) for path, each in EVERY.items() for option in each.params]
    limits = {path: option.callback for path, option in options if option.name == "limit"}
    assert len(limits) > 10
    assert {path for path, callback in limits.items() if callback is not ask_one_more} == set()
