"""A repair has its shortest term: it is refused before the day on which a remedy of the pack allows it."""

from __future__ import annotations

import pytest
from client import Client
from small_district import FINED

EVIDENCE = [{"title": "信用承诺书", "reference": "CN-2026-1"}]


@pytest.fixture
def penalty(regulator: Client, request: pytest.FixtureRequest) -> str:
    """A penalty of 2026-04-10 of the class that is asked for."""
    row = {"record_id": "J-1", "subject_id": FINED, "kind": "penalty", "status": "effective"}
    row |= {"occurred_on": "2026-04-10", "severity": request.param, "level": "fine"}
    assert regulator.post("/v1/records", json={"records": [row]}).status_code == 200
    return "J-1"


def repair(client: Client, number: str, day: str) -> tuple[int, str]:
    body = {"reason": "已履行处罚决定", "evidence": EVIDENCE, "effective_on": day}
    answer = client.post(f"/v1/records/{number}/repairs", json=body)
    return answer.status_code, answer.json.get("detail", "")


@pytest.mark.parametrize("penalty", ["general"], indirect=True)
def test_a_general_penalty_is_not_repaired_before_three_months(regulator: Client, penalty: str) -> None:
    code, detail = repair(regulator, penalty, "2026-07-09")
    assert (code, "not before 2026-07-10" in detail) == (409, True)
    assert regulator.get(f"/v1/records/{penalty}").json["versions"][0]["data"]["status"] == "effective"
    assert repair(regulator, penalty, "2026-07-10")[0] == 201


@pytest.mark.parametrize("penalty", ["serious"], indirect=True)
def test_a_serious_penalty_is_not_repaired_before_a_year_disputed_or_not(
    regulator: Client, penalty: str
) -> None:
    assert "not before 2027-04-10" in repair(regulator, penalty, "2026-11-01")[1]
    body = {"reason": "x", "evidence": EVIDENCE, "effective_on": "2026-10-01"}
    assert regulator.post(f"/v1/records/{penalty}/objections", json=body).status_code == 201
    assert repair(regulator, penalty, "2026-11-01")[0] == 409


@pytest.mark.parametrize("penalty", ["minor"], indirect=True)
def test_a_minor_penalty_is_repaired_at_any_time(regulator: Client, penalty: str) -> None:
    assert repair(regulator, penalty, "2026-04-10")[0] == 201


def test_what_no_remedy_of_a_pack_is_for_is_repaired_as_before(regulator: Client) -> None:
    row = {"record_id": "J-2", "subject_id": FINED, "kind": "complaint", "status": "effective"}
    row |= {"occurred_on": "2026-07-01", "level": "upheld"}
    assert regulator.post("/v1/records", json={"records": [row]}).status_code == 200
    assert repair(regulator, "J-2", "2026-07-02")[0] == 201
