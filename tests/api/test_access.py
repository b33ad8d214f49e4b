"""Who may what: every role at every endpoint."""

from __future__ import annotations

import pytest
from client import Client, Sign
from expected_access import EXPECTED, opens
from flask import Flask
from small_district import SUBJECTS

from api.around.access import ACCESS
from scoring.access.keys import Role

PATHS = {
    "subject_id": SUBJECTS[0],
    "record_id": "P-1",
    "run_id": 1,
    "job_id": 1,
    "alert_id": 1,
    "contradiction_id": 1,
    "twins_id": 1,
    "proposal_id": 1,
    "digest": "0" * 64,
    "trial_id": 1,
    "number": "20261127-AAAABBBB",
    "ticket_id": 1,
    "objection_id": 1,
    "application_id": 1,
    "consequence_id": 1,
    "plan_id": 1,
    "code": "314159265358",
    "consent_id": 1,
    "subscription_id": 1,
    "pack_id": "enterprise-credit",
    "prefix": "nokey",
    "name": "enterprise-credit",
    "filename": "docs.js",
}
ROLES = [None, *Role]


@pytest.fixture
def district_url(sqlite_district_url: str) -> str:
    """The table is the same on every database."""
    return sqlite_district_url


def _requests(app: Flask) -> list[tuple[str, str, str]]:
    """Endpoint, method and path of everything that can be asked."""
    found = []
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("pages."):
            continue  # their visitors sign in: tests/pages tries every role there
        values = {name: PATHS[name] for name in rule.arguments}
        path = adapter.build(rule.endpoint, values)
        found += [(rule.endpoint, method, path) for method in rule.methods - {"HEAD", "OPTIONS"}]
    return found


def test_every_endpoint_is_in_the_table_and_nothing_else(app: Flask) -> None:
    assert {rule.endpoint for rule in app.url_map.iter_rules()} == set(ACCESS) == set(EXPECTED)


def test_what_is_logged_of_each_endpoint_is_what_was_decided() -> None:
    assert {name: access.logged for name, access in ACCESS.items()} == {
        name: logged for name, (_, logged) in EXPECTED.items()
    }


def test_no_answer_with_a_secret_is_kept() -> None:
    assert not any(ACCESS[name].kept for name in ACCESS if name.startswith("keys."))


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role or "nobody")
def test_a_role_opens_what_the_table_says_and_nothing_else(
    app: Flask, sign_in: Sign, role: Role | None
) -> None:
    client = sign_in(role) if role else Client(app.test_client(), "")
    for endpoint, method, path in _requests(app):
        answer = client.send(method, path, json=[] if method == "POST" else None)
        kind = (answer.json or {}).get("type", "") if answer.mimetype == "application/problem+json" else ""
        if opens(endpoint, role):
            assert answer.status_code not in (401, 403), (endpoint, answer.json)
            assert answer.status_code < 500, (endpoint, answer.json)
        else:
            expected = "/problems/forbidden" if role else "/problems/unauthenticated"
            assert kind == expected, (endpoint, answer.status_code)
            assert role is None or f"key of the role {role} does not open" in answer.json["detail"]
        answer.close()


def test_a_department_reads_its_own_records_alone(sign_in: Sign) -> None:
    own = sign_in(Role.DEPARTMENT)
    other = sign_in(Role.DEPARTMENT, "样例区应急管理局")
    assert {r["data"]["authority"] for r in own.get("/v1/records").json["items"]} == {"样例区市场监督管理局"}
    assert other.get("/v1/records").json["items"] == []
    assert own.get("/v1/records/P-1").status_code == 200
    assert other.get("/v1/records/P-1").status_code == 404


def test_a_department_cannot_write_for_another_or_over_its_records(sign_in: Sign) -> None:
    other = sign_in(Role.DEPARTMENT, "样例区应急管理局")
    row = {
        "record_id": "E-1",
        "subject_id": SUBJECTS[0],
        "kind": "safety_accident",
        "level": "ordinary",
        "status": "effective",
        "occurred_on": "2026-07-01",
    }
    foreign = other.post("/v1/records", json={"records": [row | {"authority": "样例区税务局"}]})
    over = other.post("/v1/records", json={"records": [row | {"record_id": "P-1"}]})
    fine = other.post("/v1/records", json={"records": [row]})
    assert [foreign.status_code, over.status_code, fine.status_code] == [422, 422, 200]
    assert other.get("/v1/records/E-1").json["versions"][0]["data"]["authority"] == "样例区应急管理局"


def test_a_department_cannot_mark_the_record_of_another(sign_in: Sign) -> None:
    other = sign_in(Role.DEPARTMENT, "样例区应急管理局")
    body = {"reason": "x", "evidence": [{"title": "x", "reference": "1"}], "effective_on": "2026-07-01"}
    assert other.post("/v1/records/P-1/repairs", json=body).status_code == 404
