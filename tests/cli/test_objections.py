"""``xinheng objections``, as it is typed."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

from rules.library.loader import load_vocabulary
from scoring.facts.entries import FileInfo
from scoring.facts.records import submit_records
from scoring.store import open_store

FIRM = "91500232MA5U00001M"
Objections = Callable[..., Result]


@pytest.fixture
def objections(sqlite_store_url: str, command: Callable[..., Result]) -> Objections:
    """The command on a store with one penalty."""
    store = open_store(sqlite_store_url)
    row = {"record_id": "XZ-1", "subject_id": FIRM, "kind": "penalty", "severity": "minor"}
    row |= {"status": "effective", "occurred_on": "2026-07-01", "authority": "区城管局"}
    done = submit_records(store, load_vocabulary("enterprise"), [row], FileInfo("1", "list.csv"))
    store.close()
    assert not done.faults, done.faults
    return lambda *arguments: command("objections", *arguments, "--database", sqlite_store_url)


def listed(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


def test_an_objection_is_filed_escalated_acknowledged_and_decided(objections: Objections) -> None:
    early = ("--reason", "处罚对象有误", "--evidence", "JK-1", "--on", "2026-07-02")
    assert objections("file", "XZ-1", *early).exit_code == 0
    (late,) = listed(objections("list", "--overdue", "--format", "json"))
    assert (late["record_id"], late["stage"], late["due_on"]) == ("XZ-1", "filed", "2026-07-07")
    assert [found["escalations"] for found in listed(objections("tick", "--format", "json"))] == [2]
    assert listed(objections("tick", "--format", "json")) == []
    assert objections("acknowledge", "XZ-1", "--reason", "材料齐全").exit_code == 0
    refused = objections("decide", "XZ-1", "--upheld", "--reason", "x", "--office", "区城管局")
    assert (refused.exit_code, "does not decide" in refused.stderr) == (1, True)
    decided = objections("decide", "XZ-1", "--rejected", "--reason", "证据不足", "--office", "区发改局")
    assert decided.exit_code == 0
    assert objections("appeal", "XZ-1", "--reason", "有新证据").exit_code == 0
    again = objections("decide", "XZ-1", "--upheld", "--reason", "改判")
    assert (again.exit_code, "somebody else has to" in again.stderr) == (1, True)
    shown = objections("show", late["id"])
    assert (shown.exit_code, "复核中 Under review" in shown.output) == (0, True)
    (office,) = listed(objections("figures", "--format", "json"))
    assert (office["office"], office["filed"], office["open"], office["decided"]) == ("区城管局", 1, 1, 1)
    assert listed(objections("figures", "--since", dt.date.max.isoformat(), "--format", "json")) == []


def test_what_is_not_there_is_said(objections: Objections) -> None:
    for arguments in (("show", "9"), ("acknowledge", "XZ-9", "--reason", "x")):
        result = objections(*arguments)
        assert (result.exit_code, "there is no" in result.stderr) == (1, True)


@pytest.mark.parametrize("typed", ["罚[2026]4号", "罚（2026）4号", "罚【２０２６】4号"])
def test_a_number_is_found_whichever_brackets_stand_around_its_year(
    objections: Objections, sqlite_store_url: str, typed: str
) -> None:
    store = open_store(sqlite_store_url)
    row = {"record_id": "区城管局 罚〔2026〕4号", "subject_id": FIRM, "kind": "penalty", "severity": "minor"}
    row |= {"status": "effective", "occurred_on": "2026-07-01", "authority": "区城管局"}
    other = row | {"record_id": "区城管局 罚[2025]4号"}  # an office's own number stays as it wrote it
    assert not submit_records(
        store, load_vocabulary("enterprise"), [row, other], FileInfo("2", "x.csv")
    ).faults
    store.close()
    assert objections("file", f"区城管局 {typed}", "--reason", "金额有误").exit_code == 0
    assert objections("file", "区城管局 罚[2025]4号", "--reason", "金额有误").exit_code == 0
    named = {found["record_id"] for found in listed(objections("list", "--format", "json"))}
    assert named == {row["record_id"], other["record_id"]}
