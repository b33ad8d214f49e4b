"""Whoever takes a step on a case says which state of it they saw; what has changed since is not decided."""

from __future__ import annotations

from typing import Any

import pytest
from client import Client
from small_district import FINED

from rules.library.loader import load_vocabulary
from scoring.facts import records
from scoring.facts.entries import FileInfo
from scoring.facts.records import Record, get_record, submit_records
from scoring.facts.undo import list_files, undo_file
from scoring.store import Store

MARK = {
    "reason": "x",
    "evidence": [{"title": "决定书", "reference": "JD-1"}],
    "effective_on": "2026-11-02",
}
STEPS: dict[str, dict[str, Any]] = {
    "acknowledgements": {},
    "decisions": {"outcome": "upheld"},
    "appeals": {},
    "repair-admissions": {"outcome": "admitted"},
    "repairs": {},
    "breaches": {},
}


def version(client: Client) -> str:
    found: str = client.get("/v1/records/P-1").json["version"]
    return found


def step(client: Client, what: str, **more: Any) -> Any:
    return client.post(f"/v1/records/P-1/{what}", json=MARK | STEPS.get(what, {}) | more)


@pytest.fixture
def rejected(regulator: Client) -> str:
    """An objection that was rejected; its version as it was shown before that."""
    assert step(regulator, "objections").status_code == 201
    shown = version(regulator)
    assert step(regulator, "decisions", outcome="rejected").status_code == 201
    return shown


def test_a_decision_that_was_meant_for_the_objection_is_no_review_of_it(
    regulator: Client, rejected: str
) -> None:
    assert step(regulator, "appeals").status_code == 201
    late = step(regulator.colleague, "decisions", version=rejected)
    assert (late.status_code, "look at it again" in late.json["detail"]) == (409, True)
    [case] = regulator.get("/v1/objections").json["items"]
    assert (case["case"]["stage"], case["version"]) == ("appealed", version(regulator))
    assert step(regulator.colleague, "decisions", version=case["version"]).status_code == 201


def test_a_record_that_was_changed_since_it_was_seen_is_not_decided(regulator: Client) -> None:
    step(regulator, "objections")
    shown = version(regulator)
    row = {"record_id": "P-1", "subject_id": FINED, "amount": "1"}
    assert regulator.post("/v1/records", json={"records": [row]}).json["changed"] == 1
    late = step(regulator.colleague, "decisions", version=shown)
    assert (late.status_code, "look at it again" in late.json["detail"]) == (409, True)
    assert step(regulator.colleague, "decisions", version=version(regulator)).status_code == 201


def test_what_changes_while_a_record_is_read_is_not_decided_by_who_read_it_before(
    regulator: Client, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    step(regulator, "objections")
    row = {"record_id": "P-1", "subject_id": FINED, "amount": "1"}

    def then_changed(*asked: Any, **more: Any) -> list[Record]:
        read = get_record(*asked, **more)
        submit_records(store, load_vocabulary("enterprise"), [row], FileInfo("x", "1.csv"))
        return read

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(records, "get_record", then_changed)
        shown = version(regulator)
    assert step(regulator.colleague, "decisions", version=shown).status_code == 409


@pytest.mark.parametrize("what", list(STEPS))
def test_no_step_is_taken_by_who_saw_another_state_or_says_none(regulator: Client, what: str) -> None:
    step(regulator, "objections")
    for seen in ("", "000000000000-0", version(regulator) + "0", version(regulator).upper() + " x"):
        assert step(regulator, what, version=seen).status_code in (409, 422)
    assert step(regulator, what, version=None).status_code == 422
    assert regulator.get("/v1/records/P-1").json["marks"][0]["kind"] == "objection"


def test_a_repair_that_was_applied_for_anew_is_not_decided_by_who_saw_the_first(
    regulator: Client,
) -> None:
    promise = {"text": "x", "made_on": "2026-11-02"}
    assert step(regulator, "repair-applications", commitment=promise).status_code == 201
    shown = version(regulator)
    assert step(regulator, "repair-admissions", outcome="returned").status_code == 201
    assert step(regulator, "repair-applications", commitment=promise).status_code == 201
    late = step(regulator.colleague, "repair-admissions", version=shown)
    assert (late.status_code, "look at it again" in late.json["detail"]) == (409, True)
    assert [one["case"]["stage"] for one in regulator.get("/v1/repairs").json["items"]] == [
        "returned",
        "applied",
    ]


def test_a_record_that_was_taken_back_is_still_shown_with_what_was_done_about_it(
    regulator: Client, store: Store
) -> None:
    row = {"record_id": "N-1", "subject_id": FINED, "kind": "penalty", "status": "effective"}
    row |= {"occurred_on": "2026-07-01", "severity": "general", "level": "fine"}
    assert regulator.post("/v1/records", json={"records": [row]}).status_code == 200
    shown = regulator.get("/v1/records/N-1").json["version"]
    undo_file(store, list_files(store, everything=True)[0].id)
    assert shown != regulator.get("/v1/records/N-1").json["version"]
