"""Proposals over the API: nobody is given a proposed grade, and who would fall is told and heard first."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa
from client import Client, Sign
from flask import Flask
from small_district import FINED, MIXED, PACK, SUBJECTS

from rules.calendar import add_days, today
from rules.library.loader import find_pack
from scoring.access.keys import Role
from scoring.runs import jobs, leases
from scoring.runs.batch import run
from scoring.runs.proposals import propose, publish_proposal
from scoring.runs.proposed import ProposalSummary
from scoring.runs.published import list_runs
from scoring.store import Store
from scoring.store.access import RunJob
from scoring.store.proposals import Proposal

CLEAN = SUBJECTS[3]
DAY = dt.date(2026, 8, 31)
FINES = [
    {"record_id": f"N-{n}", "subject_id": CLEAN, "kind": "penalty", "severity": "serious", "level": "fine"}
    | {"field": "general", "status": "effective", "occurred_on": "2026-08-01", "amount": "90000"}
    for n in range(4)
]


@pytest.fixture
def proposed(store: Store, regulator: Client) -> ProposalSummary:
    """A run by which one enterprise that was clean would fall."""
    assert regulator.post("/v1/records", json={"records": FINES}).status_code == 200
    found = propose(store, find_pack(PACK, DAY), DAY, 10, "tests")
    assert found.falls == 1
    return found


def over(store: Store) -> None:
    """Have the terms of proposals end yesterday."""
    with store.writing() as session:
        session.execute(sa.update(Proposal).values(until=add_days(today(), -1)))


def ok(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.json
    return answer.json


def work_off(store: Store, number: int) -> dict[str, Any]:
    """Do a job here that waits for its process."""
    jobs.work(store, number)
    return {"state": jobs.get_job(store, number).state}


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs are done when a test says so; how a process is started has its own tests."""
    monkeypatch.setattr(leases, "start", lambda store, kind, number: None)


def test_no_reader_is_given_a_proposed_grade(
    store: Store, regulator: Client, lender: Client, sign_in: Sign, app: Flask
) -> None:
    def read() -> list[Any]:
        own = sign_in(Role.SUBJECT, CLEAN)
        places = [
            (regulator, "/v1/runs"),
            (regulator, "/v1/subjects?limit=500"),
            *(
                (regulator, f"/v1/subjects/{CLEAN}{what}")
                for what in ("", "/grade", "/grades", "/explanation", "/forecast", "/paths", "/history")
            ),
            (regulator, f"/v1/subjects/{CLEAN}/grade?as_of=2026-12-31"),
            (regulator, "/v1/runs/2/moves?against=1"),
            (own, f"/v1/subjects/{CLEAN}/forecast"),
        ]
        return [ok(client.get(path)) for client, path in places]

    regulator.post("/v1/records", json={"records": FINES})
    before = read()
    found = propose(store, find_pack(PACK, DAY), DAY, 10, "tests")
    assert found.falls == 1
    assert read() == before
    assert regulator.get(f"/v1/runs/{len(list_runs(store)) + 1}").status_code == 404
    assert lender.get("/v1/proposals").status_code == 403


def test_a_run_is_proposed_by_a_job_answered_and_published_after_its_term(
    store: Store, regulator: Client, sign_in: Sign
) -> None:
    regulator.post("/v1/records", json={"records": FINES})
    job = ok(regulator.post("/v1/runs", json={"as_of": DAY.isoformat(), "propose_days": 10}), 202)
    assert work_off(store, job["id"])["state"] == "proposed"
    number = ok(regulator.get(f"/v1/run-jobs/{job['id']}"))["proposal_id"]
    address = f"/v1/proposals/{number}"
    assert ok(regulator.get(address))["until"] == add_days(today(), 10).isoformat()
    (fall,) = ok(regulator.get(f"{address}/falls"))["items"]
    assert (fall["subject_id"], fall["told_at"], fall["answers"]) == (CLEAN, None, [])
    worst = fall["reasons"][0]
    assert worst["points"] < 0 or worst["tier"]
    assert {one["record_id"] for one in worst["records"]} <= {row["record_id"] for row in FINES} | {None}
    assert worst["law"]
    dated = [one for reason in fall["reasons"] for one in reason["records"] if one["record_id"]]
    assert {one["date"] for one in dated} == {"2026-08-01"}
    assert "until" in ok(regulator.post(f"{address}/publication"), 409)["detail"]
    own = sign_in(Role.SUBJECT, CLEAN)
    assert [one["id"] for one in ok(own.get("/v1/proposals"))["items"]] == [number]
    told = ok(own.get(f"{address}/notices/{CLEAN}"))
    assert (told["before"]["tier"], told["now"]["tier"]) == (fall["tier_before"], fall["tier"])
    assert told["answer_until"] == add_days(today(), 10).isoformat()
    assert ok(own.post(f"{address}/answers", json={"text": "处罚已撤销"}), 201)["answers"][0]["made_by"] == (
        own.prefix
    )
    ok(regulator.post(f"{address}/answers", json={"text": "来电", "subject_id": CLEAN}), 201)
    (fall,) = ok(regulator.get(f"{address}/falls"))["items"]
    assert [answer["text"] for answer in fall["answers"]] == ["处罚已撤销", "来电"]
    assert fall["told_by"] == own.prefix
    over(store)
    assert own.post(f"{address}/answers", json={"text": "x"}).status_code == 409
    job = ok(regulator.post(f"{address}/publication"), 202)
    assert work_off(store, job["id"])["state"] == "published"
    run_id = ok(regulator.get(address))["run_id"]
    assert ok(regulator.get(f"/v1/subjects/{CLEAN}/grade?as_of=2026-08-31"))["tier"] == fall["tier"]
    after = ok(own.get(f"/v1/runs/{run_id}/notices/{CLEAN}"))
    assert (after["now"]["tier"], after["answer_until"], after["run"]) == (fall["tier"], None, run_id)


def test_while_a_proposal_is_open_a_run_asked_for_is_refused_at_once(
    store: Store, regulator: Client, proposed: ProposalSummary
) -> None:
    for body in ({}, {"propose_days": 3}):
        said = ok(regulator.post("/v1/runs", json=body), 409)
        assert f"proposal {proposed.id}" in said["detail"]
    with store.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(RunJob)) == 0
    gone = ok(regulator.post(f"/v1/proposals/{proposed.id}/withdrawal", json={"reason": "有误"}))
    assert (gone["state"], gone["reason"]) == ("withdrawn", "有误")
    assert regulator.post(f"/v1/proposals/{proposed.id}/publication").status_code == 409
    assert regulator.post(f"/v1/proposals/{proposed.id}/withdrawal", json={"reason": "x"}).status_code == 409
    ok(regulator.post("/v1/runs", json={}), 202)


def test_an_enterprise_sees_and_answers_what_concerns_itself_alone(
    store: Store, proposed: ProposalSummary, sign_in: Sign, regulator: Client
) -> None:
    own, other = sign_in(Role.SUBJECT, CLEAN), sign_in(Role.SUBJECT, FINED)
    address = f"/v1/proposals/{proposed.id}"
    assert ok(other.get("/v1/proposals"))["items"] == []
    assert other.get(address).status_code == 404
    for client in (own, other):
        assert client.get(f"{address}/falls").status_code == 403
        assert client.post(f"{address}/publication").status_code == 403
        assert client.post(f"{address}/withdrawal", json={"reason": "x"}).status_code == 403
    assert other.get(f"{address}/notices/{CLEAN}").status_code == 404
    assert other.get(f"{address}/notices/{FINED}").status_code == 404
    assert own.get(f"{address}/notices/{FINED}").status_code == 404
    for body in ({"text": "x"}, {"text": "x", "subject_id": CLEAN}):
        answer = other.post(f"{address}/answers", json=body)
        none = other.post("/v1/proposals/999/answers", json=body)
        assert (answer.status_code, none.status_code) == (404, 404)
        assert answer.json["detail"].replace(str(proposed.id), "999") == none.json["detail"]
    assert own.post(f"{address}/answers", json={"text": "x", "subject_id": FINED}).status_code == 404
    assert regulator.post(f"{address}/answers", json={"text": "x"}).status_code == 422
    assert other.get(f"/v1/runs/2/notices/{MIXED}").status_code == 404
    assert ok(regulator.get(address))["told"] == 0


def test_the_notice_of_a_published_fall_compares_it_to_the_run_before(
    store: Store, regulator: Client, sign_in: Sign
) -> None:
    found = ok(sign_in(Role.SUBJECT, MIXED).get(f"/v1/runs/2/notices/{MIXED}"))
    assert (found["before"]["as_of"], found["now"]["as_of"]) == ("2026-04-30", "2026-07-31")
    assert found["before"]["tier"] < found["now"]["tier"]
    points = [reason["points"] for reason in found["reasons"]]
    assert points == sorted(points)
    records = {one["record_id"] for reason in found["reasons"] for one in reason["records"]}
    assert records - {None} <= {f"P-{n}" for n in range(2, 6)}
    assert all(reason["law"] for reason in found["reasons"])
    said = ok(regulator.get(f"/v1/runs/2/notices/{FINED}"), 404)
    assert "did not fall" in said["detail"]
    assert regulator.get(f"/v1/runs/1/notices/{MIXED}").status_code == 404


def test_a_fall_that_nobody_proposed_comes_with_its_notice_after_an_ordinary_run(
    store: Store, regulator: Client
) -> None:
    regulator.post("/v1/records", json={"records": FINES})
    made = run(store, find_pack(PACK, DAY), DAY).run
    assert ok(regulator.get(f"/v1/runs/{made.id}/notices/{CLEAN}"))["run"] == made.id


def test_who_published_is_kept(store: Store, proposed: ProposalSummary, regulator: Client) -> None:
    over(store)
    publish_proposal(store, proposed.id, "王")
    found = ok(regulator.get(f"/v1/proposals/{proposed.id}"))
    assert (found["state"], found["ended_by"]) == ("published", "王")
