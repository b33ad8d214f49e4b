"""What results lead to: rankings and consequences, inspection plans, and what another pack would do."""

from __future__ import annotations

import datetime as dt

import pytest
from client import Client, Sign
from packs.district import bodies, put_into, survey
from small_district import FINED, LISTED, MIXED, take

from rules.library.loader import find_pack
from scoring.access.keys import Role
from scoring.runs.batch import run
from scoring.store import Store
from scoring.store.inspections import RefusedVisit

YEAR_END = dt.date(2026, 12, 31)


@pytest.fixture(autouse=True)
def august(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plans are made before their months are over."""
    monkeypatch.setattr("scoring.inspections.office.today", lambda: dt.date(2026, 8, 1))


def _rank(store: Store) -> None:
    """Five bodies that are asked about, the last of them called 戊局."""
    pack = find_pack("department-credit", YEAR_END)
    scores = dict(zip("甲乙丙丁戊", (95, 90, 85, 80, 60), strict=True))
    put_into(store, pack, bodies(list(scores)), list(survey(2026, scores)))
    run(store, pack, YEAR_END)


def test_the_ranking_names_places_and_what_follows(store: Store, regulator: Client) -> None:
    _rank(store)
    found = regulator.get("/v1/rankings/departments").json
    assert [(s["subject_id"], s["places"]["place"]) for s in found["standings"]] == [
        ("甲", 1),
        ("乙", 2),
        ("丙", 3),
        ("丁", 4),
        ("戊", 5),
    ]
    followed = {consequence["subject_id"] for consequence in found["consequences"]}
    assert "戊" in followed
    assert "甲" not in followed
    assert all(consequence["rule"]["title"]["zh"] for consequence in found["consequences"])


def test_a_department_sees_its_own_place_alone(store: Store, sign_in: Sign) -> None:
    _rank(store)
    found = sign_in(Role.DEPARTMENT, "戊局").get("/v1/rankings/departments").json
    stranger = sign_in(Role.DEPARTMENT, "己局").get("/v1/rankings/departments").json
    assert [standing["subject_id"] for standing in found["standings"]] == ["戊"]
    assert {consequence["subject_id"] for consequence in found["consequences"]} == {"戊"}
    assert (stranger["standings"], stranger["consequences"]) == ([], [])


def test_without_a_run_there_is_no_ranking(regulator: Client) -> None:
    assert regulator.get("/v1/rankings/departments").status_code == 404
    assert regulator.get("/v1/rankings/departments?run=1").status_code == 404


def test_a_plan_is_the_same_for_the_same_seed_and_says_who_goes(store: Store, regulator: Client) -> None:
    inspector = {"authority": "甲局", "monthly_visits": 9, "state": "active"}
    pool = [{"inspector_id": f"I{number}", **inspector} for number in range(6)]
    take(store, "inspector", "subject", "inspector_id", pool)
    asked = {"record_id": "Q-1", "subject_id": LISTED, "kind": "check_request", "level": "complaint"}
    asked["status"] = "effective"
    regulator.post(
        "/v1/records", json={"records": [asked | {"occurred_on": "2026-08-03", "authority": "甲局"}]}
    )
    body = {"month": "2026-08", "seed": "公证处-417"}
    first = regulator.post("/v1/inspection-plans", json=body)
    for wrong in ({}, {"instead_of": first.json["id"] + 1}):
        unseen = regulator.post("/v1/inspection-plans", json=body | wrong)
        assert unseen.status_code == 409
        assert f"say plan {first.json['id']} is replaced" in unseen.json["detail"]
    assert [plan["id"] for plan in regulator.get("/v1/inspection-plans").json] == [first.json["id"]]
    again = regulator.post("/v1/inspection-plans", json=body | {"instead_of": first.json["id"]})
    plans = [first, again]
    visits = [regulator.get(f"{plan.headers['Location']}/visits").json["items"] for plan in plans]
    assert [plan.status_code for plan in plans] == [201, 201]
    assert visits[0] == visits[1]
    assert LISTED in {visit["subject_id"] for visit in visits[0]}
    assert all(len(set(visit["inspectors"])) >= 2 for visit in visits[0])
    assert {plan["id"] for plan in regulator.get("/v1/inspection-plans").json} >= {
        p.json["id"] for p in plans
    }
    place = f"{plans[0].headers['Location']}/refusals"
    number, last = plans[0].json["id"], plans[0].json["refusals"]
    with store.writing() as session:
        session.add_all(
            RefusedVisit(plan_id=number, no=last + no, subject_id=LISTED, authority=f"{no}局", reason="样例")
            for no in range(1, 151)
        )
    first = regulator.get(f"{place}?limit=100").json
    second = regulator.get(f"{place}?limit=100&cursor={first['next']}").json
    told = [row["authority"] for row in (*first["items"], *second["items"]) if row["reason"] == "样例"]
    assert (len(first["items"]), second["next"]) == (100, None)
    assert told == [f"{no}局" for no in range(1, 151)]


def test_a_body_s_inspectors_answer_its_requests_under_each_of_its_names(
    store: Store, regulator: Client
) -> None:
    body = {"subject_id": "DW301", "name": "云衡区税务局", "other_names": "国家税务总局云衡区税务局"}
    take(store, "department", "subject", "subject_id", [dict(body)])
    inspector = {"authority": "云衡区税务局", "monthly_visits": 9, "state": "active"}
    pool: list[dict[str, object]] = [{"inspector_id": f"I{number}", **inspector} for number in range(6)]
    take(store, "inspector", "subject", "inspector_id", pool)
    asked = {"record_id": "Q-1", "subject_id": LISTED, "kind": "check_request", "level": "complaint"}
    asked |= {"occurred_on": "2026-08-03", "authority": "国家税务总局云衡区税务局", "status": "effective"}
    regulator.post("/v1/records", json={"records": [asked]})
    plan = regulator.post("/v1/inspection-plans", json={"month": "2026-08", "seed": "s"})
    refused = regulator.get(f"{plan.headers['Location']}/refusals").json["items"]
    visits = regulator.get(f"{plan.headers['Location']}/visits").json["items"]
    assert LISTED not in [row["subject_id"] for row in refused]
    assert [v["authorities"] for v in visits if v["subject_id"] == LISTED] == [["云衡区税务局"]]


def test_without_inspectors_there_is_no_plan(regulator: Client) -> None:
    answer = regulator.post("/v1/inspection-plans", json={"month": "2026-08", "seed": "x"})
    assert (answer.status_code, "inspectors" in answer.json["detail"]) == (409, True)


def test_a_simulation_says_who_would_move_and_publishes_nothing(regulator: Client) -> None:
    text = regulator.get("/v1/packs/enterprise-credit/text").text
    draft = text.replace("score: {start: 78, min: 0, max: 100}", "score: {start: 40, min: 0, max: 100}")
    answer = regulator.post("/v1/simulations", json={"text": draft, "as_of": "2026-07-31"}).json
    assert draft != text
    assert answer["subjects"] == 12
    assert answer["moved"] == len(answer["movers"]) >= 10
    assert {FINED, MIXED} <= {mover["subject_id"] for mover in answer["movers"]}
    assert sum(pair["subjects"] for pair in answer["transitions"]) == 12
    assert len(regulator.get("/v1/runs").json["items"]) == 2


def test_a_pack_in_force_against_itself_moves_nobody(regulator: Client) -> None:
    body = {"pack": "enterprise-credit", "version": "2026.1", "as_of": "2026-07-31"}
    assert regulator.post("/v1/simulations", json=body).json["moved"] == 0


def test_a_pack_of_whose_subjects_nothing_is_known_is_refused_as_such(regulator: Client) -> None:
    body = {"pack": "department-credit", "version": "2026.1", "as_of": "2026-07-31"}
    answer = regulator.post("/v1/simulations", json=body)
    assert (answer.status_code, "of any subject of department" in answer.json["detail"]) == (422, True)


def test_a_faulty_draft_is_answered_with_its_faults_and_places(regulator: Client) -> None:
    text = regulator.get("/v1/packs/enterprise-credit/text").text.replace(
        "kind = 'penalty'", "kind = 'penality'"
    )
    answer = regulator.post("/v1/simulations", json={"text": text, "as_of": "2026-07-31"})
    assert answer.status_code == 422
    assert any("penality" in error["message"] for error in answer.json["errors"])
    assert all(error["field"].startswith("text:") for error in answer.json["errors"])


def test_no_visit_is_planned_for_a_month_that_is_over_and_the_month_of_today_is_not(
    regulator: Client, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = [
        {"inspector_id": f"I{n}", "authority": "甲局", "monthly_visits": 9, "state": "active"} for n in (1, 2)
    ]
    take(store, "inspector", "subject", "inspector_id", pool)
    for day, status in ((dt.date(2026, 8, 31), 201), (dt.date(2026, 9, 1), 409)):
        monkeypatch.setattr("scoring.inspections.office.today", lambda day=day: day)
        answer = regulator.post("/v1/inspection-plans", json={"month": "2026-08", "seed": "x"})
        assert answer.status_code == status
    assert "2026-08 is over" in answer.json["detail"]
    assert len(regulator.get("/v1/inspection-plans").json) == 1


def test_no_visit_is_planned_far_ahead(regulator: Client) -> None:
    answer = regulator.post("/v1/inspection-plans", json={"month": "2099-01", "seed": "x"})
    assert (answer.status_code, "too far ahead" in answer.json["detail"]) == (409, True)
