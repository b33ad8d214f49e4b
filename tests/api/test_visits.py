"""Visits through the API: who issues codes, who verifies them, and what each role sees of a visit."""

from __future__ import annotations

import datetime as dt

import pytest
from client import Client, Sign
from flask import Flask
from small_district import AUTHORITY, FINED, LISTED, OTHER_AUTHORITY, SUBJECTS, take
from werkzeug.test import TestResponse

from rules.calendar import today
from scoring.access.keys import Role
from scoring.store import Store

QUIET = SUBJECTS[5]


@pytest.fixture(autouse=True)
def inspectors(store: Store) -> None:
    """Two of each office."""
    rows: list[dict[str, object]] = [
        {"inspector_id": f"{letter}{number}", "name": f"{letter}某", "authority": office, "monthly_visits": 9}
        for letter, office in (("甲", AUTHORITY), ("乙", OTHER_AUTHORITY))
        for number in range(2)
    ]
    take(store, "inspector", "subject", "inspector_id", rows)


def asked(**more: object) -> dict[str, object]:
    day = today().isoformat()
    body: dict[str, object] = {"subject_id": FINED, "ground": "complaint", "why": "员工王某来信"}
    body |= {"authorities": [AUTHORITY], "inspectors": ["甲0", "甲1"], "begins_on": day, "ends_on": day}
    return body | more


def issued(client: Client, **more: object) -> str:
    answer = client.post("/v1/visits", json=asked(**more))
    assert answer.status_code == 201, answer.json
    code: str = answer.json["code"]
    return code


def result(client: Client, code: str, **more: object) -> TestResponse:
    body = {"done_on": today().isoformat(), "outcome": "rectify", "findings": "消防通道堵塞"}
    return client.post(f"/v1/visits/{code}/results", json=body | more)


def test_whoever_has_the_code_sees_who_may_come_and_nothing_else(app: Flask, regulator: Client) -> None:
    code = issued(regulator)
    result(regulator, code)
    anybody = app.test_client()
    answer = anybody.get(f"/v1/visits/{code[:4]} {code[4:]}")
    assert answer.status_code == 200
    assert answer.json["subject_id"] == FINED
    assert answer.json["state"] == "made"
    assert answer.json["authorities"] == [AUTHORITY]
    assert answer.json["inspectors"] == [
        {"inspector_id": "甲0", "name": "甲某"}, {"inspector_id": "甲1", "name": "甲某"},
    ]  # fmt: skip
    assert set(answer.json) == {
        "code", "state", "subject_id", "name", "authorities", "inspectors", "begins_on", "ends_on", "ground",
        "clause", "plan_id",
    }  # fmt: skip
    assert "王某" not in answer.text
    assert "消防" not in answer.text
    assert anybody.get("/v1/visits/314159265358").status_code == 404
    mistyped = anybody.get(f"/v1/visits/{code[:-1]}{(int(code[-1]) + 1) % 10}")
    assert (mistyped.status_code, "a digit is mistyped" in mistyped.json["detail"]) == (404, True)
    assert anybody.get(f"/v1/visits/{code}/details").status_code == 401


def test_the_visits_of_a_plan_get_codes_and_the_reasons_why_others_do_not(regulator: Client) -> None:
    month = today().replace(day=1)
    request = {"record_id": "Q-1", "subject_id": QUIET, "kind": "check_request", "level": "due"}
    request |= {"status": "effective", "occurred_on": month.isoformat(), "authority": AUTHORITY}
    regulator.post(
        "/v1/records", json={"records": [request, request | {"record_id": "Q-2", "subject_id": LISTED}]}
    )
    plan = regulator.post("/v1/inspection-plans", json={"month": f"{month:%Y-%m}", "seed": "417"}).json
    issued(regulator, subject_id=QUIET)
    done = regulator.post(f"/v1/inspection-plans/{plan['id']}/codes", json={}).json
    assert LISTED in {visit["subject_id"] for visit in done["issued"]}
    assert {visit["plan_id"] for visit in done["issued"]} == {plan["id"]}
    [refused] = [row for row in done["refused"] if row["subject_id"] == QUIET]
    assert "每月最多一次" in refused["reason"]["zh"]
    again = regulator.post(f"/v1/inspection-plans/{plan['id']}/codes", json={}).json
    assert again["issued"] == []
    past = (month - dt.timedelta(days=1)).isoformat()
    late = regulator.post(f"/v1/inspection-plans/{plan['id']}/codes", json={"begins_on": past})
    assert late.status_code == 409
    assert regulator.post("/v1/inspection-plans/99/codes", json={}).status_code == 404


def test_a_department_issues_and_reports_its_own_visits_alone(regulator: Client, sign_in: Sign) -> None:
    own, other = sign_in(Role.DEPARTMENT), sign_in(Role.DEPARTMENT, OTHER_AUTHORITY)
    body = asked()
    del body["authorities"]
    answer = own.post("/v1/visits", json=body)
    assert (answer.status_code, answer.json["authorities"]) == (201, [AUTHORITY])
    code = answer.json["code"]
    for authorities in ([OTHER_AUTHORITY], [AUTHORITY, OTHER_AUTHORITY]):
        refused = own.post("/v1/visits", json=asked(authorities=authorities))
        assert (refused.status_code, "for several offices" in refused.json["detail"]) == (409, True)
    assert other.get("/v1/visits").json["items"] == []
    assert other.get(f"/v1/visits/{code}/details").status_code == 404
    assert result(other, code).status_code == 404
    assert other.post(f"/v1/visits/{code}/cancellations", json={"reason": "x"}).status_code == 404
    assert result(own, code).status_code == 201
    assert result(own, code).status_code == 409
    assert [visit["code"] for visit in own.get("/v1/visits").json["items"]] == [code]
    assert regulator.get(f"/v1/records/{code}").json["versions"][0]["data"]["level"] == "rectify"


def test_an_enterprise_rates_its_own_visits_and_does_not_see_who_complained(
    regulator: Client, sign_in: Sign
) -> None:
    firm, other = sign_in(Role.SUBJECT, FINED), sign_in(Role.SUBJECT, LISTED)
    code = issued(regulator)
    assert firm.post(f"/v1/visits/{code}/ratings", json={"rating": 5}).status_code == 409
    result(regulator, code)
    assert other.post(f"/v1/visits/{code}/ratings", json={"rating": 1}).status_code == 404
    assert other.get("/v1/visits").json["items"] == []
    assert other.get(f"/v1/visits/{code}/details").status_code == 404
    rated = firm.post(f"/v1/visits/{code}/ratings", json={"rating": 2, "words": "等候太久"})
    assert (rated.status_code, rated.json["rating"], rated.json["why"]) == (201, 2, None)
    [seen] = firm.get("/v1/visits").json["items"]
    assert (seen["findings"], seen["why"]) == ("消防通道堵塞", None)
    assert "王某" not in firm.get(f"/v1/visits/{code}/details").text
    for body in ({"rating": 0}, {"rating": 6}, {"rating": "good"}, {}):
        assert firm.post(f"/v1/visits/{code}/ratings", json=body).status_code == 422


def test_an_office_does_not_see_what_an_enterprise_said_of_its_visit(
    regulator: Client, department: Client
) -> None:
    code = issued(regulator)
    result(regulator, code)
    regulator.post(f"/v1/visits/{code}/ratings", json={"rating": 1, "words": "索要香烟"})
    assert regulator.get(f"/v1/visits/{code}/details").json["rating_words"] == "索要香烟"
    seen = department.get(f"/v1/visits/{code}/details").json
    assert (seen["rating"], seen["rating_words"], seen["why"]) == (None, None, "员工王某来信")


def test_figures_by_office_and_who_finds_nothing(regulator: Client, sign_in: Sign) -> None:
    for subject in SUBJECTS[4:7]:
        result(regulator, issued(regulator, subject_id=subject), outcome="passed")
    issued(regulator, authorities=[OTHER_AUTHORITY], inspectors=["乙0", "乙1"])
    found = regulator.get(f"/v1/visit-figures?month={today():%Y-%m}").json
    assert [(office["office"], office["issued"], office["made"]) for office in found["offices"]] == [
        (AUTHORITY, 3, 3), (OTHER_AUTHORITY, 1, 0),
    ]  # fmt: skip
    assert [(one["inspector_id"], one["in_a_row"]) for one in found["idle_inspectors"]] == [
        ("甲0", 3),
        ("甲1", 3),
    ]
    own = sign_in(Role.DEPARTMENT, OTHER_AUTHORITY).get("/v1/visit-figures").json
    assert [office["office"] for office in own["offices"]] == [OTHER_AUTHORITY]
    assert own["idle_inspectors"] == []
    assert regulator.get("/v1/visit-figures?month=2026-13").status_code == 422
