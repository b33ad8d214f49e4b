"""Tickets by the API: a regulator moves them, a department its own alone."""

from __future__ import annotations

from hashlib import sha256

import pyarrow as pa
import pytest
from client import Client, Sign
from small_district import AUTHORITY

from scoring.access.keys import Role
from scoring.facts.entries import FileInfo
from scoring.facts.versions import ingest_rows
from scoring.store import Store
from scoring.store.documents import encode

BODY, OTHER = "DW120", "DW101"
TICKET = {"title": "用电增容受阻", "source": "hotline"}
ASSIGN = {"request": "assign", "actor": "office", "owner": BODY, "urgency": "critical"}


@pytest.fixture(autouse=True)
def bodies(store: Store) -> None:
    """Two public bodies; one has the name of the department's key."""
    rows = [{"subject_id": BODY, "name": AUTHORITY}, {"subject_id": OTHER, "name": "样例区发展和改革委员会"}]
    arrow = pa.table(
        {
            "key": [BODY, OTHER],
            "subject_id": [BODY, OTHER],
            "data": [encode(row) for row in rows],
            "row_no": [1, 2],
        }
    )
    ingest_rows(store, "department", "subject", arrow, FileInfo(sha256(b"bodies").hexdigest(), "bodies.csv"))


def opened(client: Client) -> str:
    """The path of a new ticket."""
    answer = client.post("/v1/tickets", json=TICKET)
    assert answer.status_code == 201
    return str(answer.headers["Location"])


def step(client: Client, path: str, **body: object) -> tuple[int, str]:
    answer = client.post(f"{path}/steps", json=body)
    return answer.status_code, answer.json["case"]["stage"] if answer.status_code == 201 else answer.json[
        "detail"
    ]


def test_a_ticket_is_followed_to_its_end(regulator: Client, department: Client) -> None:
    path = opened(regulator)
    assert step(regulator, path, **ASSIGN) == (201, "assigned")
    assert step(department, path, request="coordinate", note="已会商") == (201, "coordinated")
    assert step(regulator, path, request="supervise", actor="supervisor") == (201, "supervised")
    assert step(regulator, path, request="evaluate", actor="enterprise", satisfied=True) == (201, "evaluated")
    found = regulator.get(path).json
    assert [s["move"] for s in found["steps"]] == ["open", "assign", "coordinate", "supervise", "close"]
    assert [s["by"] for s in found["steps"]][1:3] == [regulator.prefix, department.prefix]
    record = regulator.get(f"/v1/records/{found['number']}?vocabulary=department").json["versions"][0]
    assert (record["subject_id"], record["data"]["status"]) == (BODY, "closed")


def test_what_the_stage_does_not_allow_is_a_conflict(regulator: Client) -> None:
    path = opened(regulator)
    status, detail = step(regulator, path, request="evaluate", actor="enterprise", satisfied=True)
    assert (status, "assign (office)" in detail) == (409, True)


def test_a_department_sees_and_moves_its_own_alone(
    regulator: Client, department: Client, sign_in: Sign
) -> None:
    path = opened(regulator)
    step(regulator, path, **ASSIGN)
    other = sign_in(Role.DEPARTMENT, "样例区发展和改革委员会")
    assert department.get(path).status_code == 200
    assert (other.get(path).status_code, step(other, path, request="coordinate")[0]) == (404, 404)
    assert [len(who.get("/v1/tickets").json["items"]) for who in (regulator, department, other)] == [1, 1, 0]
    assert step(department, path, request="supervise", actor="supervisor")[0] == 409
    assert department.post("/v1/tickets", json=TICKET).status_code == 403


def test_a_department_that_is_no_public_body_has_no_tickets(sign_in: Sign) -> None:
    assert sign_in(Role.DEPARTMENT, "无此单位").get("/v1/tickets").status_code == 404


def test_tickets_can_be_had_by_stage_and_when_overdue(regulator: Client) -> None:
    late, fresh = opened(regulator), opened(regulator)
    step(regulator, late, **ASSIGN)
    assert [p["case"]["stage"] for p in regulator.get("/v1/tickets?stage=assigned").json["items"]] == [
        "assigned"
    ]
    assert regulator.get("/v1/tickets?overdue=true").json["items"] == []
    assert [p["id"] for p in regulator.get("/v1/tickets?limit=1").json["items"]] == [
        int(fresh.split("/")[-1])
    ]


def test_a_ticket_that_was_moved_since_it_was_seen_is_not_moved(regulator: Client) -> None:
    path = opened(regulator)
    assert regulator.get(path).json["version"] == 1
    assert step(regulator, path, version=1, **ASSIGN) == (201, "assigned")
    status, told = step(regulator, path, version=1, request="correct", actor="office", corrects=2)
    assert (status, "look at it again" in told) == (409, True)
    assert step(regulator, path, version=None, **ASSIGN)[0] == 422
    assert step(regulator, path, request="correct", actor="office", corrects=2)[0] == 201
    assert regulator.get(path).json["version"] == 3
