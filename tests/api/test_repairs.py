"""A repair is applied for in its time, with what it needs; somebody else decides; a breach undoes it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa
from client import Client, Sign, repaired
from repairing import steps
from small_district import AUTHORITY, FINED

from rules.calendar import SHANGHAI, add_days, add_months, today
from rules.library.loader import load_vocabulary
from rules.workdays import workdays_later
from scoring.access.keys import Role
from scoring.facts.desk import Wanted
from scoring.facts.repair_desk import DESK
from scoring.facts.undo import list_files, undo_file
from scoring.store import Store
from scoring.store.access import RecordMark

EVIDENCE = [{"title": "缴款凭证", "reference": "JK-2026-1"}]
ENTERPRISE = load_vocabulary("enterprise")
OTHER = "91110000600037341L"


def said(**more: object) -> dict[str, Any]:
    return {"reason": "已履行处罚决定", "evidence": EVIDENCE, "effective_on": today().isoformat()} | more


def do(client: Client, what: str, status: int = 201, number: str = "P-1", **more: object) -> dict[str, Any]:
    bodies = {path: dict(body) for path, body in steps(said(**more))}
    answer = client.post(f"/v1/records/{number}/{what}", json=bodies.get(what, said()) | more)
    assert answer.status_code == status, answer.json
    found: dict[str, Any] = answer.json
    return found


def shown(client: Client, query: str = "") -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = client.get(f"/v1/repairs{query}").json["items"]
    return items


def case(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = shown(client)[-1]["case"]
    return found


def status(client: Client, number: str = "P-1") -> str:
    found: str = client.get(f"/v1/records/{number}").json["versions"][0]["data"]["status"]
    return found


@pytest.fixture
def penalty(regulator: Client, request: pytest.FixtureRequest) -> str:
    """A penalty of 2026-04-10 of the class that is asked for."""
    row = {"record_id": "J-1", "subject_id": FINED, "kind": "penalty", "status": "effective"}
    row |= {"occurred_on": "2026-04-10", "severity": request.param, "level": "fine"}
    assert regulator.post("/v1/records", json={"records": [row]}).status_code == 200
    return "J-1"


def repair(client: Client, number: str, day: str) -> tuple[int, str]:
    answer = repaired(client, number, client.colleague, **said(effective_on=day))
    return answer.status_code, answer.json.get("detail", "")


# Its time, and what it needs


@pytest.mark.parametrize("penalty", ["general"], indirect=True)
def test_a_general_penalty_is_not_repaired_before_three_months(regulator: Client, penalty: str) -> None:
    code, detail = repair(regulator, penalty, "2026-07-09")
    assert (code, "not before 2026-07-10" in detail) == (409, True)
    assert status(regulator, penalty) == "effective"
    assert shown(regulator) == []
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


@pytest.mark.parametrize("penalty", ["general"], indirect=True)
def test_what_became_serious_since_it_was_applied_for_is_not_repaired_before_its_time(
    regulator: Client, penalty: str
) -> None:
    do(regulator, "repair-applications", number=penalty)
    do(regulator, "repair-admissions", number=penalty)
    row = {"record_id": penalty, "subject_id": FINED, "severity": "serious"}
    regulator.post("/v1/records", json={"records": [row]})
    assert "not before 2027-04-10" in do(regulator.colleague, "repairs", 409, penalty)["detail"]


def test_what_no_remedy_of_a_pack_is_for_is_repaired_at_any_time(regulator: Client) -> None:
    row = {"record_id": "J-2", "subject_id": FINED, "kind": "complaint", "status": "effective"}
    row |= {"occurred_on": "2026-07-01", "level": "upheld"}
    assert regulator.post("/v1/records", json={"records": [row]}).status_code == 200
    assert repair(regulator, "J-2", "2026-07-02")[0] == 201


def test_without_a_document_or_a_commitment_nobody_applies(regulator: Client) -> None:
    do(regulator, "repair-applications", 422, evidence=[])
    do(regulator, "repair-applications", 422, commitment=None)
    do(regulator, "repair-applications", 422, commitment={"text": " ", "made_on": "2026-08-01"})
    for day in ("2026-03-01", "2999-01-01"):  # before the penalty, and still to come
        dated = {"text": "x", "made_on": day}
        assert day in do(regulator, "repair-applications", 409, commitment=dated)["detail"]
    assert shown(regulator) == []


# From the application to the decision


def test_a_repair_goes_from_the_application_to_the_decision_with_a_due_date_at_each_step(
    regulator: Client,
) -> None:
    do(regulator, "repairs", 409)
    do(regulator, "repair-applications")
    assert (case(regulator)["stage"], case(regulator)["due_on"], status(regulator)) == (
        "applied",
        workdays_later(today(), 3).isoformat(),
        "effective",
    )
    assert "is being decided" in do(regulator, "repair-applications", 409)["detail"]
    do(regulator, "repairs", 409)
    do(regulator, "repair-admissions")
    assert (case(regulator)["stage"], case(regulator)["due_on"]) == (
        "admitted",
        workdays_later(today(), 10).isoformat(),
    )
    do(regulator.colleague, "repairs")
    assert (case(regulator)["stage"], case(regulator)["due_on"], status(regulator)) == (
        "repaired",
        None,
        "repaired",
    )
    (found,) = shown(regulator)
    assert [m["kind"] for m in found["marks"]] == ["application", "admission", "repair"]
    assert found["marks"][0]["committed_on"] == today().isoformat()


@pytest.mark.parametrize("end", ["returned", "refused"])
def test_what_was_returned_or_refused_may_be_applied_for_anew(regulator: Client, end: str) -> None:
    do(regulator, "repair-applications")
    if end == "returned":
        do(regulator, "repair-admissions", outcome="returned")
    else:
        do(regulator, "repair-admissions")
        do(regulator.colleague, "repairs", outcome="refused")
    assert (case(regulator)["stage"], status(regulator)) == (end, "effective")
    do(regulator, "repair-applications")
    assert [found["case"]["stage"] for found in shown(regulator)] == [end, "applied"]
    assert [found["case"]["stage"] for found in shown(regulator, "?open=true")] == ["applied"]


def test_an_objection_that_is_upheld_ends_an_application(regulator: Client) -> None:
    do(regulator, "repair-applications")
    assert regulator.post("/v1/records/P-1/objections", json=said()).status_code == 201
    assert len(shown(regulator, "?open=true")) == 1, "an objection that waits ends nothing"
    upheld = said(outcome="upheld")
    assert regulator.post("/v1/records/P-1/decisions", json=upheld).status_code == 201
    assert (case(regulator)["stage"], shown(regulator, "?open=true")) == ("ended", [])


@pytest.mark.parametrize("admitted", [False, True])
@pytest.mark.parametrize("said_now", ["repaired", "revoked", None])
def test_what_its_office_repairs_revokes_or_takes_back_itself_ends_an_application(
    regulator: Client, department: Client, store: Store, said_now: str | None, admitted: bool
) -> None:
    """Nothing could be done about it, so that it would be late, and its office's fault, for ever."""
    row = {"record_id": "N-1", "subject_id": FINED, "kind": "penalty", "severity": "minor"}
    row |= {"status": "effective", "occurred_on": add_days(today(), -30).isoformat(), "authority": AUTHORITY}
    assert department.post("/v1/records", json={"records": [row]}).json["rejected"] == 0
    do(regulator, "repair-applications", number="N-1")
    if admitted:
        do(regulator, "repair-admissions", number="N-1")
    brought = max(file.id for file in list_files(store, everything=True))
    if said_now is None:
        undo_file(store, brought)
    else:
        department.post("/v1/records", json={"records": [row | {"status": said_now}]})
    (found,) = shown(regulator)
    assert (found["case"]["stage"], found["case"]["due_on"], shown(regulator, "?open=true")) == (
        "ended",
        None,
        [],
    )
    assert DESK.tick(store, ENTERPRISE, add_days(today(), 90)) == []
    (figures,) = regulator.get("/v1/repair-figures").json["offices"]
    assert (figures["filed"], figures["open"], figures["overdue"]) == (1, 0, 0)


def test_the_live_grade_follows_a_repair_and_a_breach_at_once(regulator: Client) -> None:
    def score() -> float:
        return float(regulator.get(f"/v1/subjects/{FINED}/live-grade").json["score"])

    row = {"record_id": "J-3", "subject_id": FINED, "kind": "penalty", "status": "effective"}
    row |= {"occurred_on": add_months(today(), -6).isoformat(), "severity": "general", "level": "fine"}
    regulator.post("/v1/records", json={"records": [row]})
    before = score()
    assert repaired(regulator, "J-3", regulator.colleague, **said()).status_code == 201
    assert score() > before
    do(regulator.colleague, "breaches", number="J-3")
    assert score() == before


# Who


def test_who_brought_a_record_in_does_not_decide_on_its_repair_by_another_key_either(
    regulator: Client, sign_in: Sign
) -> None:
    row = {"record_id": "X-1", "subject_id": FINED, "kind": "penalty", "status": "effective"}
    row |= {"occurred_on": "2026-07-01", "severity": "minor"}
    regulator.post("/v1/records", json={"records": [row]})
    do(regulator, "repair-applications", number="X-1")
    do(regulator, "repair-admissions", number="X-1")
    for outcome in ("repaired", "refused"):
        for client in (regulator, sign_in(Role.REGULATOR, owner=" Tests ")):
            assert "somebody else" in do(client, "repairs", 409, "X-1", outcome=outcome)["detail"]
    do(regulator.colleague, "repairs", number="X-1")


def test_an_enterprise_applies_for_its_own_records_and_follows_them_alone(
    regulator: Client, sign_in: Sign
) -> None:
    own, other = sign_in(Role.SUBJECT, FINED), sign_in(Role.SUBJECT, OTHER)
    do(other, "repair-applications", 404)
    do(own, "repair-applications")
    for what in ("repair-admissions", "repairs", "breaches"):
        do(own, what, 403)
    number = shown(own)[0]["id"]
    assert own.get(f"/v1/repairs/{number}").status_code == 200
    assert (shown(other), other.get(f"/v1/repairs/{number}").status_code) == ([], 404)


def test_a_department_admits_and_decides_for_its_own_records_alone(
    regulator: Client, department: Client, sign_in: Sign
) -> None:
    other = sign_in(Role.DEPARTMENT, "区城管局")
    do(sign_in(Role.SUBJECT, FINED, "the firm"), "repair-applications")
    number = shown(department)[0]["id"]
    assert (shown(other), other.get(f"/v1/repairs/{number}").status_code) == ([], 404)
    for what in ("repair-admissions", "repairs", "breaches"):
        do(other, what, 404)
        do(department, what)
    assert department.get(f"/v1/repairs/{number}").json["case"]["stage"] == "undone"


@pytest.mark.parametrize("outcome", ["repaired", "refused"])
def test_no_office_repairs_a_record_by_one_person_alone(sign_in: Sign, outcome: str) -> None:
    one, again = (sign_in(Role.DEPARTMENT, AUTHORITY, owner) for owner in ("甲", " 甲 "))
    other = sign_in(Role.DEPARTMENT, AUTHORITY, "乙")
    do(one, "repair-applications")
    do(other, "repair-admissions")
    for client, said_why in ((one, "whoever applied"), (again, "whoever applied"), (other, "admitted")):
        assert said_why in do(client, "repairs", 409, outcome=outcome)["detail"]
    do(sign_in(Role.DEPARTMENT, AUTHORITY, "丙"), "repairs", outcome=outcome)


def test_who_admits_what_an_enterprise_applied_for_may_decide_it(department: Client, sign_in: Sign) -> None:
    do(sign_in(Role.SUBJECT, FINED, "the firm"), "repair-applications")
    do(department, "repair-admissions")
    do(department, "repairs")


@pytest.mark.parametrize("level", ["A", "D"])
def test_a_favourable_record_has_nothing_to_repair(regulator: Client, level: str) -> None:
    row = {"record_id": "F-1", "subject_id": FINED, "kind": "tax_rating", "level": level}
    row |= {"occurred_on": "2026-05-01", "status": "effective"}
    assert regulator.post("/v1/records", json={"records": [row]}).status_code == 200
    if level == "D":
        do(regulator, "repair-applications", number="F-1")
        return
    told = do(regulator, "repair-applications", 409, "F-1")["detail"]
    assert "nothing to repair" in told
    assert "objection" in told


# A breach


def test_a_breach_undoes_a_repair_for_good_with_its_reason(regulator: Client) -> None:
    do(regulator, "breaches", 409)
    assert repaired(regulator, "P-1", **said()).status_code == 201
    do(regulator, "breaches", 422, evidence=[])
    do(regulator, "breaches", reason="缴款凭证系伪造")
    (found,) = shown(regulator)
    assert (found["case"]["stage"], status(regulator)) == ("undone", "effective")
    assert found["marks"][-1]["reason"] == "缴款凭证系伪造"
    assert "for good" in do(regulator, "repair-applications", 409)["detail"]
    do(regulator, "breaches", 409)


def test_a_repair_of_an_older_store_can_be_undone_too(regulator: Client, store: Store) -> None:
    repaired(regulator, "P-1", **said())
    with store.writing() as session:
        session.execute(sa.delete(RecordMark).where(RecordMark.kind.in_(["application", "admission"])))
    do(regulator, "breaches")
    assert status(regulator) == "effective"


def test_what_an_offices_own_list_repaired_is_not_undone_here(regulator: Client, department: Client) -> None:
    row = {"record_id": "P-1", "subject_id": FINED, "status": "repaired"}
    department.post("/v1/records", json={"records": [row]})
    assert "nobody has applied" in do(regulator, "breaches", 409)["detail"]


# The clock, and what is published


def test_what_is_overdue_escalates_once_and_once_more_a_working_week_later(
    regulator: Client, store: Store
) -> None:
    do(regulator, "repair-applications", effective_on="2026-09-24")  # the holidays of October follow
    due = dt.date(2026, 9, 30)
    assert case(regulator)["due_on"] == due.isoformat()
    assert DESK.list(store, ENTERPRISE.id, Wanted(overdue_on=due)) == []
    assert len(DESK.list(store, ENTERPRISE.id, Wanted(overdue_on=add_days(due, 1)))) == 1
    assert DESK.tick(store, ENTERPRISE, due) == []
    assert [found.case.escalations for found in DESK.tick(store, ENTERPRISE, dt.date(2026, 10, 8))] == [1]
    assert DESK.tick(store, ENTERPRISE, dt.date(2026, 10, 13)) == []
    assert [found.case.escalations for found in DESK.tick(store, ENTERPRISE, dt.date(2026, 10, 14))] == [2]
    assert DESK.tick(store, ENTERPRISE, today()) == []
    assert [found["overdue"] for found in shown(regulator, "?overdue=true")] == [True]
    assert status(regulator) == "effective"
    do(regulator, "repair-admissions")
    assert (case(regulator)["escalations"], shown(regulator, "?overdue=true")) == (0, [])


@pytest.mark.parametrize("penalty", ["minor"], indirect=True)
def test_of_several_applications_those_are_listed_that_are_asked_for(regulator: Client, penalty: str) -> None:
    """What comes before them and is none of them ends no list."""
    do(regulator, "repair-applications")
    do(regulator, "repair-applications", number=penalty, effective_on="2026-09-24")

    def listed(query: str) -> list[str]:
        return [found["record_id"] for found in shown(regulator, query)]

    assert (listed("?open=true"), listed("?overdue=true")) == (["P-1", penalty], [penalty])
    assert regulator.post("/v1/records/P-1/objections", json=said()).status_code == 201
    assert regulator.post("/v1/records/P-1/decisions", json=said(outcome="upheld")).status_code == 201
    assert (listed("?open=true"), listed("?overdue=true"), listed("")) == (
        [penalty],
        [penalty],
        ["P-1", penalty],
    )


def test_by_office_it_is_published_how_repairs_end(regulator: Client, sign_in: Sign, store: Store) -> None:
    repaired(regulator, "P-1", **said(effective_on="2026-11-02"))
    noon = dt.datetime.combine(dt.date(2026, 11, 5), dt.time(12), SHANGHAI)
    with store.writing() as session:
        session.execute(sa.update(RecordMark).values(made_at=noon))
    do(regulator, "breaches")
    for role in Role:
        client = sign_in(role, FINED if role is Role.SUBJECT else None)
        (figures,) = client.get("/v1/repair-figures").json["offices"]
        assert figures == {
            "office": AUTHORITY, "filed": 1, "open": 0, "overdue": 0, "returned": 0,
            "repaired": 1, "refused": 0, "undone": 1, "median_days": 3.0,
        }  # fmt: skip
    assert regulator.get("/v1/repair-figures?since=2026-11-03").json["offices"] == []
