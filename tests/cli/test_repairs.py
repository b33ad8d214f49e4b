"""``xinheng repairs`` and ``xinheng consequences``, as they are typed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

from rules.calendar import add_days, add_months, today
from rules.library.loader import load_vocabulary
from scoring.facts.entries import FileInfo
from scoring.facts.records import submit_records
from scoring.store import open_store

FIRM = "91500232MA5U00001M"
DAY = add_months(today(), -5)
FIRST = add_months(DAY, 3)
Command = Callable[..., Result]


@pytest.fixture
def typed(sqlite_store_url: str, command: Command) -> Command:
    """Commands on a store with one penalty."""
    store = open_store(sqlite_store_url)
    row = {"record_id": "XZ-1", "subject_id": FIRM, "kind": "penalty", "severity": "general"}
    row |= {"status": "effective", "occurred_on": DAY.isoformat(), "authority": "区城管局"}
    done = submit_records(store, load_vocabulary("enterprise"), [row], FileInfo("1", "list.csv"))
    store.close()
    assert not done.faults, done.faults
    return lambda *words: command(*words, "--database", sqlite_store_url)


def listed(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


def test_a_repair_is_applied_for_admitted_decided_and_undone(
    typed: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ("repairs", "apply", "XZ-1", "--reason", "罚款已缴", "--commitment", "材料属实")
    bare = typed(*asked)
    assert (bare.exit_code, "a document is missing" in bare.stderr) == (1, True)
    asked = (*asked, "--evidence", "JK-1", "--committed-on", str(DAY))
    early = typed(*asked, "--on", str(add_days(FIRST, -1)))
    assert (early.exit_code, f"not before {FIRST}" in early.stderr) == (1, True)
    assert typed(*asked, "--on", str(FIRST)).exit_code == 0
    (late,) = listed(typed("repairs", "list", "--overdue", "--format", "json"))
    assert (late["record_id"], late["stage"]) == ("XZ-1", "applied")
    assert [one["escalations"] for one in listed(typed("repairs", "tick", "--format", "json"))] == [2]
    assert typed("repairs", "admit", "XZ-1", "--reason", "材料齐全").exit_code == 0
    applied = ("--office", "区财政局", "--clause", "procurement", "--record", "XZ-1", "--reason", "x")
    assert typed("consequences", "enter", FIRM, *applied).exit_code == 0
    decision = ("repairs", "decide", "XZ-1", "--repaired", "--reason", "义务已履行")
    alone = typed(*decision)
    assert (alone.exit_code, "whoever applied" in alone.stderr) == (1, True)
    monkeypatch.setenv("LOGNAME", "wang")
    assert typed(*decision).exit_code == 0
    assert listed(typed("consequences", "list", "--standing", "--format", "json")) == []
    (lifted,) = listed(typed("consequences", "list", "--format", "json"))
    assert "义务已履行" in lifted["lifted_because"]
    undone = typed("repairs", "undo", "XZ-1", "--reason", "凭证系伪造", "--evidence", "DC-1")
    assert undone.exit_code == 0
    assert "材料属实" in typed("repairs", "show", late["id"]).output
    (office,) = listed(typed("repairs", "figures", "--format", "json"))
    assert (office["repaired"], office["undone"]) == (1, 1)


def test_a_measure_without_a_clause_of_the_national_list_is_refused(typed: Command, command: Command) -> None:
    clauses = listed(command("consequences", "measures", "--format", "json"))
    asked = ("consequences", "enter", FIRM, "--office", "区财政局", "--reason", "x")
    for more, said in (
        (("--clause", "shame", "--record", "XZ-1"), "no clause shame"),
        (("--clause", clauses[0]["id"]), "give --record or --pack"),
        (("--clause", clauses[0]["id"], "--record", "XZ-9"), "there is no record"),
        (("--clause", clauses[0]["id"], "--pack", "enterprise-credit"), "has not graded"),
    ):
        refused = typed(*asked, *more)
        assert (refused.exit_code, said in refused.stderr) == (1, True), refused.output
    assert listed(typed("consequences", "list", "--format", "json")) == []
