"""``xinheng problems`` and ``xinheng alerts``, as they are typed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from scoring.cli.alerts import alerts_group
from scoring.cli.problems import problems_group
from scoring.store import Store, create_store

from .conftest import add_bodies


@pytest.fixture
def url(sqlite_url: str) -> str:
    """A store that knows the bodies."""
    store: Store = create_store(sqlite_url)
    add_bodies(store)
    store.close()
    return sqlite_url


def run(group: Any, url: str, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(group, [*arguments, "--database", url])
    return result.exit_code, result.output


def test_a_problem_is_opened_moved_and_closed(url: str) -> None:
    on = ("--on", "2026-06-01")
    assert run(problems_group, url, "open", "--title", "用电增容受阻", "--source", "hotline", *on)[0] == 0
    code, said = run(problems_group, url, "move", "1", "assign", "--actor", "office", "--owner", "DW101", *on)
    assert (code, "应办结 due 2026-06-22" in said) == (0, True)
    code, said = run(problems_group, url, "evaluate", "1", "--satisfied", *on)
    assert (code, "supervise (supervisor)" in said) == (1, True)
    code, said = run(problems_group, url, "tick", "--on", "2026-06-23", "--format", "json")
    assert [row["move"] for row in json.loads(said)] == ["remind", "escalate"]
    run(problems_group, url, "move", "1", "supervise", "--actor", "supervisor", "--on", "2026-06-24")
    assert run(problems_group, url, "evaluate", "1", "--satisfied", "--on", "2026-06-25")[0] == 0
    steps = CliRunner().invoke(problems_group, ["show", "1", "--format", "json", "--database", url]).stdout
    assert [row["move"] for row in json.loads(steps)] == [
        "open", "assign", "remind", "escalate", "supervise", "close",
    ]  # fmt: skip
    listed = json.loads(run(problems_group, url, "list", "--format", "json")[1])
    assert [(row["number"], row["stage"], row["owner"]) for row in listed] == [
        ("WT-000001", "evaluated", "DW101")
    ]


def test_what_is_not_there_is_said(url: str) -> None:
    assert "there is no problem 7" in run(problems_group, url, "show", "7")[1]
    assert "there is no alert 7" in run(alerts_group, url, "acknowledge", "7")[1]
    assert run(alerts_group, url, "list", "--format", "json") == (0, "[]\n")


def test_a_scan_says_how_many_were_judged(url: str) -> None:
    code, said = run(alerts_group, url, "rescan", "--pack", "department-credit")
    assert (code, "2 个主体已复核" in said) == (0, True)
