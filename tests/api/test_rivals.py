"""Two persons read the same, and do different things about it at one moment: one has done it, the other is
told what stands now, and the log says once what was done. The same thing done twice is in ``test_twins``.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from client import Client
from flask import Flask
from lending_desk import Clock, consented
from repairing import steps
from small_district import AUTHORITY, FINED, LISTED, take
from test_rule_drafts import NOW, path_of, proposed
from werkzeug.test import TestResponse

from api.resources import rule_drafts
from rules.calendar import today
from scoring.access.audit import entries
from scoring.store import Store

MARK = {
    "reason": "处罚对象有误",
    "evidence": [{"title": "缴款凭证", "reference": "JK-2026-1"}],
    "effective_on": today().isoformat(),
}
Act = tuple[Client, str, dict[str, Any]]


def at_once(*acts: Act) -> tuple[TestResponse, TestResponse]:
    """What each is answered who posts at the same moment; who has done it comes first."""
    together = threading.Barrier(len(acts))

    def post(act: Act) -> TestResponse:
        client, path, body = act
        own = Client(client._client.application.test_client(), client.token)
        together.wait()
        return own.post(path, json=body)

    with ThreadPoolExecutor(len(acts)) as pool:
        first, second = sorted(pool.map(post, acts), key=lambda answer: answer.status_code)
    assert (first.status_code // 100, second.status_code) == (2, 409), (first.json, second.json)
    return first, second


def done(store: Store, action: str) -> list[Any]:
    return [entry.details for entry in entries(store) if entry.action.startswith(action)]


def test_a_draft_is_approved_or_refused(
    regulator: Client, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rule_drafts, "today", lambda: NOW)
    made = proposed(regulator)
    shown = regulator.get(path_of(made)).json["examination"]["shown"]
    won, lost = at_once(
        (regulator.colleague, path_of(made, "/approval"), {"reason": "同意", "shown": shown}),
        (regulator.colleague, path_of(made, "/refusal"), {"reason": "不同意"}),
    )
    assert f"is {won.json['state']} already" in lost.json["detail"]
    assert regulator.get(path_of(made)).json["state"] == won.json["state"]
    assert len(done(store, "rules.")) == 2, "proposed, and decided"


def test_a_visit_is_reported_or_cancelled(regulator: Client, store: Store) -> None:
    day = today().isoformat()
    both = [{"inspector_id": name, "name": name, "authority": AUTHORITY} for name in ("甲0", "甲1")]
    take(store, "inspector", "subject", "inspector_id", [one | {"monthly_visits": 9} for one in both])
    asked = {"subject_id": FINED, "ground": "complaint", "why": "来信", "authorities": [AUTHORITY]}
    asked |= {"inspectors": ["甲0", "甲1"], "begins_on": day, "ends_on": day}
    path = f"/v1/visits/{regulator.post('/v1/visits', json=asked).json['code']}"
    result = {"done_on": day, "outcome": "rectify", "findings": "消防通道堵塞"}
    at_once(
        (regulator, f"{path}/results", result),
        (regulator.colleague, f"{path}/cancellations", {"reason": "改期"}),
    )


def test_an_application_for_repair_is_admitted_or_returned(regulator: Client) -> None:
    (first, body), (second, admitted), _ = steps(MARK)
    path = "/v1/records/P-1"
    assert regulator.post(f"{path}/{first}", json=body).status_code == 201
    at_once(
        (regulator, f"{path}/{second}", admitted),
        (regulator.colleague, f"{path}/{second}", admitted | {"outcome": "returned"}),
    )
    assert len(regulator.get(path).json["marks"]) == 2


def test_a_consent_is_judged_once_and_anew_by_who_names_what_is_replaced(
    app: Flask, regulator: Client, lender: Client, store: Store
) -> None:
    app.extensions["clock"] = Clock()
    made = consented(lender, LISTED)
    path = f"/v1/consents/{made['id']}/judgement"
    won, lost = at_once(
        (regulator, path, {"verdict": "found", "reason": "原件核对一致"}),
        (regulator.colleague, path, {"verdict": "missing", "reason": "未能出示"}),
    )
    stands = won.json["verdict"]
    assert f"was judged by {won.json['judged_by']} on 2026-" in lost.json["detail"]
    assert len(done(store, "consents.judge")) == 1
    anew = {"verdict": "found", "reason": "原件已补交"}
    other = "found" if stands == "missing" else "missing"
    assert regulator.post(path, json=anew | {"instead_of": other}).status_code == 409
    replaced = regulator.post(path, json=anew | {"instead_of": stands})
    assert (replaced.status_code, replaced.json["verdict"]) == (200, "found")
    assert regulator.post(path, json=anew | {"instead_of": "lost"}).status_code == 422


def test_a_verdict_that_nobody_has_given_is_not_replaced(
    regulator: Client, lender: Client, app: Flask
) -> None:
    app.extensions["clock"] = Clock()
    path = f"/v1/consents/{consented(lender, LISTED)['id']}/judgement"
    body = {"verdict": "found", "reason": "x", "instead_of": "missing"}
    assert "nobody has judged" in regulator.post(path, json=body).json["detail"]
