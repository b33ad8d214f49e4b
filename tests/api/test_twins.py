"""Two at once, or one who presses twice: there is one decision, one end, one result, and no 500."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from client import Client
from flask import Flask
from lending_desk import Clock, consented
from repairing import steps
from small_district import AUTHORITY, FINED, LISTED, take

from rules.calendar import today
from scoring.store import Store

MARK = {
    "reason": "处罚对象有误",
    "evidence": [{"title": "缴款凭证", "reference": "JK-2026-1"}],
    "effective_on": today().isoformat(),
}
ONE_OF_THREE = [201, 409, 409]


def at_once(clients: Sequence[Client], path: str, bodies: Sequence[dict[str, Any]]) -> list[int]:
    """What each is answered who posts at the same moment; the least first."""
    together = threading.Barrier(len(clients))

    def post(client: Client, body: dict[str, Any]) -> int:
        own = Client(client._client.application.test_client(), client.token)
        together.wait()
        return own.post(path, json=body).status_code

    with ThreadPoolExecutor(len(clients)) as pool:
        return sorted(pool.map(post, clients, bodies))


def kinds(client: Client) -> list[str]:
    return sorted(mark["kind"] for mark in client.get("/v1/records/P-1").json["marks"])


@pytest.mark.parametrize("outcomes", [["rejected"] * 3, ["upheld"] * 3, ["rejected", "upheld", "rejected"]])
def test_an_objection_is_made_once_and_decided_once(regulator: Client, outcomes: list[str]) -> None:
    path = "/v1/records/P-1"
    assert at_once([regulator] * 3, f"{path}/objections", [MARK] * 3) == ONE_OF_THREE
    decisions = [MARK | {"outcome": outcome} for outcome in outcomes]
    deciding = [regulator.colleague] * 3
    assert at_once(deciding, f"{path}/decisions", decisions) == ONE_OF_THREE
    assert len(kinds(regulator)) == 2


def test_each_step_of_a_repair_is_taken_once_and_never_decided_by_who_applied(regulator: Client) -> None:
    for taken, (step, body) in enumerate(steps(MARK)):
        path = f"/v1/records/P-1/{step}"
        if step == "repairs":
            assert at_once([regulator] * 2, path, [body] * 2)[0] >= 400, "who applied"
            assert len(kinds(regulator)) == taken
        who = [regulator.colleague if step == "repairs" else regulator] * 3
        assert at_once(who, path, [body] * 3) == ONE_OF_THREE, step
        assert len(kinds(regulator)) == taken + 1


def test_a_consent_is_withdrawn_once(app: Flask, lender: Client) -> None:
    app.extensions["clock"] = Clock()
    made = consented(lender, LISTED)
    path, body = f"/v1/consents/{made['id']}/withdrawal", {"reason": "贷款结清"}
    answers = at_once([lender] * 3, path, [body] * 3)
    assert max(answers) < 500
    assert sum(status < 300 for status in answers) == 1


@pytest.mark.parametrize("step", ["results", "cancellations"])
def test_a_visit_has_one_result_or_none(regulator: Client, store: Store, step: str) -> None:
    day = today().isoformat()
    both = [{"inspector_id": name, "name": name, "authority": AUTHORITY} for name in ("甲0", "甲1")]
    take(store, "inspector", "subject", "inspector_id", [one | {"monthly_visits": 9} for one in both])
    asked = {"subject_id": FINED, "ground": "complaint", "why": "来信", "authorities": [AUTHORITY]}
    asked |= {"inspectors": ["甲0", "甲1"], "begins_on": day, "ends_on": day}
    code = regulator.post("/v1/visits", json=asked).json["code"]
    bodies = {"results": {"done_on": day, "outcome": "rectify", "findings": "消防通道堵塞"}}
    body = bodies.get(step, {"reason": "改期"})
    assert at_once([regulator] * 3, f"/v1/visits/{code}/{step}", [body] * 3) == ONE_OF_THREE
    if step == "results":
        path = f"/v1/visits/{code}/ratings"
        assert at_once([regulator] * 3, path, [{"rating": 5}] * 3) == ONE_OF_THREE
