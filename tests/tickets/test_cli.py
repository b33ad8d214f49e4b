"""``xinheng tickets`` and ``xinheng alerts``, as they are typed."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from click.testing import CliRunner

from scoring.cli.alerts import alerts_group
from scoring.cli.tickets import tickets_group
from scoring.store import Store, open_store
from scoring.tickets import desk

from .conftest import add_bodies, noon


@pytest.fixture
def url(sqlite_store_url: str) -> str:
    """A store that knows the bodies."""
    store: Store = open_store(sqlite_store_url)
    add_bodies(store)
    store.close()
    return sqlite_store_url


def run(group: Any, url: str, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(group, [*arguments, "--database", url])
    return result.exit_code, result.output


def test_a_ticket_is_opened_moved_corrected_and_closed(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def on(day: str) -> None:
        monkeypatch.setattr(desk, "now", lambda: noon(dt.date.fromisoformat(day)))

    on("2026-06-02")
    assert run(tickets_group, url, "open", "--title", "用电增容受阻", "--source", "hotline")[0] == 0
    assign = ("move", "1", "assign", "--actor", "office", "--owner", "DW101")
    code, said = run(tickets_group, url, *assign, "--on", "2026-06-03")
    assert (code, "2026-06-03 is still to come" in said) == (1, True)
    assert run(tickets_group, url, *assign, "--urgency", "critical")[0] == 0
    assert run(tickets_group, url, "correct", "1", "2", "--note", "件别有误")[0] == 0
    code, said = run(tickets_group, url, *assign)
    assert (code, "应办结 due 2026-06-24" in said) == (0, True)
    code, said = run(tickets_group, url, "evaluate", "1", "--satisfied")
    assert (code, "supervise (supervisor)" in said) == (1, True)
    on("2026-06-25")
    code, said = run(tickets_group, url, "tick", "--format", "json")
    assert [row["move"] for row in json.loads(said)] == ["remind", "escalate"]
    run(tickets_group, url, "move", "1", "supervise", "--actor", "supervisor")
    assert run(tickets_group, url, "evaluate", "1", "--satisfied")[0] == 0
    steps = CliRunner().invoke(tickets_group, ["show", "1", "--format", "json", "--database", url]).stdout
    assert [row["move"] for row in json.loads(steps)] == [
        "open", "assign", "correct", "assign", "remind", "escalate", "supervise", "close",
    ]  # fmt: skip
    listed = json.loads(run(tickets_group, url, "list", "--format", "json")[1])
    assert [(row["number"], row["stage"], row["owner"]) for row in listed] == [
        ("WT-000001", "evaluated", "DW101")
    ]


def test_what_is_not_there_is_said(url: str) -> None:
    assert "there is no ticket 7" in run(tickets_group, url, "show", "7")[1]
    assert "there is no alert 7" in run(alerts_group, url, "acknowledge", "7")[1]
    assert run(alerts_group, url, "list", "--format", "json") == (0, "[]\n")


def test_a_scan_says_how_many_were_judged(url: str) -> None:
    code, said = run(alerts_group, url, "rescan", "--pack", "department-credit")
    assert (code, "2 个主体已复核" in said) == (0, True)
