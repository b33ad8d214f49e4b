"""``xinheng visits``, as it is typed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import Result

from cli.conftest import Command
from cli.test_plan import ASKED, COMPLAINED, url
from rules.calendar import today

__all__ = ["url"]


def listed(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


def test_codes_are_issued_reported_rated_cancelled_and_counted(command: Command, url: str) -> None:
    def visits(*words: str) -> Result:
        return command("visits", *words, "--database", url)

    party = ("--inspector", "I0", "--inspector", "I2", "--office", "甲局", "--pack", "market")
    outside = ("--subject", ASKED, "--ground", "emergency", "--why", "燃气泄漏", *party, "--format", "json")
    [visit] = listed(visits("issue", *outside))
    assert (visit["state"], visit["ground"], visit["begins_on"]) == (
        "issued",
        "emergency",
        today().isoformat(),
    )
    done = visits("result", visit["code"], "--outcome", "failed", "--findings", "管道老化")
    assert (done.exit_code, f"record {visit['code']}" in done.output) == (0, True)
    again = visits("result", visit["code"], "--outcome", "passed")
    assert (again.exit_code, "the code is used" in again.stderr) == (1, True)
    assert visits("rate", visit["code"], "3").exit_code == 0
    [other] = listed(visits("issue", "--subject", COMPLAINED, *outside[2:]))
    assert visits("cancel", other["code"], "--reason", "误报").exit_code == 0
    assert [one["state"] for one in listed(visits("list", "--format", "json"))] == ["cancelled", "made"]
    [office] = listed(visits("figures", "--format", "json"))
    assert (office["issued"], office["made"], office["mean_rating"]) == (2, 1, 3.0)
    assert listed(visits("idle", "--format", "json")) == []


def test_a_plan_gets_its_codes(command: Command, url: str) -> None:
    month = f"{today():%Y-%m}"
    line = ("plan", "inspections", "--pack", "market", "--month", month, "--seed", "417", "--format", "json")
    planned = listed(command(*line, "--database", url))
    issued = listed(command("visits", "issue", "--plan", "1", "--format", "json", "--database", url))
    assert {one["subject_id"] for one in issued} == {one["subject_id"] for one in planned} != set()


@pytest.mark.parametrize("words", [(), ("--plan", "1", "--ground", "complaint"), ("--ground", "complaint")])
def test_what_a_code_needs_is_named(command: Command, url: str, words: tuple[str, ...]) -> None:
    assert command("visits", "issue", *words, "--database", url).exit_code == 2
