"""An objection has its day: acknowledged, decided in time by somebody else, reviewed once, counted."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa
from client import Client, Sign, repaired
from small_district import AUTHORITY, FINED, take

from rules.calendar import SHANGHAI, add_days, today
from rules.library.loader import find_pack, load_vocabulary
from rules.workdays import workdays_later
from scoring.access.keys import Role, create_key
from scoring.facts.desk import Wanted
from scoring.facts.objection_desk import list_objections, tick
from scoring.runs.batch import run
from scoring.store import Store
from scoring.store.access import RecordMark

EVIDENCE = [{"title": "缴款凭证", "reference": "JK-2026-1"}]
ENTERPRISE = load_vocabulary("enterprise")


def mark(**more: object) -> dict[str, Any]:
    return {"reason": "处罚对象有误", "evidence": EVIDENCE, "effective_on": today().isoformat()} | more


REJECTED, UPHELD = {"outcome": "rejected"}, {"outcome": "upheld"}


def do(client: Client, what: str, status: int = 201, number: str = "P-1", **more: object) -> dict[str, Any]:
    answer = client.post(f"/v1/records/{number}/{what}", json=mark(**more))
    assert answer.status_code == status, answer.json
    found: dict[str, Any] = answer.json
    return found


def shown(client: Client, query: str = "") -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = client.get(f"/v1/objections{query}").json["items"]
    return items


def case(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = shown(client)[-1]["case"]
    return found


def backdate(store: Store, kind: str, day: dt.date) -> None:
    """Have marks of a kind come on an earlier day."""
    noon = dt.datetime.combine(day, dt.time(12), SHANGHAI)
    with store.writing() as session:
        session.execute(sa.update(RecordMark).where(RecordMark.kind == kind).values(made_at=noon))


def status(client: Client, number: str = "P-1") -> str:
    found: str = client.get(f"/v1/records/{number}").json["versions"][0]["data"]["status"]
    return found


# From filing to the last word


def test_an_objection_goes_from_filing_to_its_review_with_a_due_date_at_each_step(regulator: Client) -> None:
    do(regulator, "objections")
    assert (case(regulator)["stage"], case(regulator)["due_on"]) == (
        "filed",
        workdays_later(today(), 3).isoformat(),
    )
    do(regulator, "acknowledgements")
    assert (case(regulator)["stage"], case(regulator)["due_on"]) == (
        "acknowledged",
        workdays_later(today(), 15).isoformat(),
    )
    do(regulator, "decisions", **REJECTED)
    assert (case(regulator)["stage"], case(regulator)["outcome"]) == ("decided", "rejected")
    do(regulator, "appeals")
    assert (case(regulator)["stage"], status(regulator)) == ("appealed", "disputed")
    assert do(regulator.colleague, "decisions", **UPHELD)["kind"] == "review"
    assert (case(regulator)["stage"], case(regulator)["outcome"]) == ("final", "upheld")
    assert status(regulator) == "revoked"
    assert [m["kind"] for m in shown(regulator)[0]["marks"]] == [
        "objection",
        "acknowledgement",
        "decision",
        "appeal",
        "review",
    ]


def test_what_is_out_of_turn_is_refused_with_what_can_be_done(regulator: Client) -> None:
    do(regulator, "objections")
    do(regulator, "acknowledgements")
    told = do(regulator, "acknowledgements", 409)["detail"]
    assert told == "the objection is acknowledged; acknowledgement is not allowed, but decision"


def test_to_acknowledge_gives_the_record_no_other_version(regulator: Client) -> None:
    do(regulator, "objections")
    before = regulator.get("/v1/records/P-1").json["versions"]
    do(regulator, "acknowledgements")
    assert regulator.get("/v1/records/P-1").json["versions"] == before
    assert "is not allowed" in do(regulator, "acknowledgements", 409)["detail"]


def test_after_the_review_there_is_no_other_until_the_record_changes(
    regulator: Client, department: Client
) -> None:
    do(regulator, "objections")
    do(regulator, "decisions", **REJECTED)
    do(regulator, "appeals")
    do(regulator.colleague, "decisions", **REJECTED)
    assert "for good" in do(regulator, "objections", 409)["detail"]
    assert "is not allowed" in do(regulator, "appeals", 409)["detail"]
    row = {"record_id": "P-1", "subject_id": FINED, "amount": "77"}
    assert department.post("/v1/records", json={"records": [row]}).json["changed"] == 1
    do(regulator, "objections")
    assert [found["case"]["stage"] for found in shown(regulator)] == ["final", "filed"]


def test_a_review_is_asked_for_within_its_term(regulator: Client, store: Store) -> None:
    earlier = add_days(today(), -60)
    do(regulator, "objections", effective_on=earlier.isoformat())
    do(regulator, "decisions", effective_on=earlier.isoformat(), **REJECTED)
    backdate(store, "decision", earlier)
    last = workdays_later(earlier, 15).isoformat()
    assert last in do(regulator, "appeals", 409)["detail"]
    assert "for good" in do(regulator, "objections", 409)["detail"]
    backdate(store, "decision", today())
    do(regulator, "appeals")


def test_a_repair_ends_an_objection(regulator: Client) -> None:
    do(regulator, "objections")
    assert repaired(regulator, "P-1", **mark()).status_code == 201
    assert (case(regulator)["stage"], case(regulator)["due_on"]) == ("ended", None)
    assert shown(regulator, "?open=true") == []


def test_an_offices_list_contradicts_nothing_while_an_objection_is_worked_on(
    regulator: Client, department: Client
) -> None:
    row = regulator.get("/v1/records/P-1").json["versions"][0]["data"]
    for step in ("objections", "acknowledgements"):
        do(regulator, step)
        assert department.post("/v1/records", json={"records": [row]}).json["held"] == 1
        assert regulator.get("/v1/record-contradictions").json["items"] == []
    do(regulator, "decisions", **REJECTED)
    do(regulator, "appeals")
    department.post("/v1/records", json={"records": [row]})
    assert regulator.get("/v1/record-contradictions").json["items"] == []
    assert status(regulator) == "disputed"


def test_what_an_office_disputes_itself_is_decided_without_opening_the_last_objection_again(
    regulator: Client, department: Client
) -> None:
    do(regulator, "objections")
    do(regulator, "decisions", **UPHELD)
    row = {"record_id": "P-1", "subject_id": FINED, "status": "disputed"}
    department.post("/v1/records", json={"records": [row]})
    (open_,) = regulator.get("/v1/record-contradictions").json["items"]
    accepted = {"outcome": "accept", "reason": "x"}
    address = f"/v1/record-contradictions/{open_['id']}/resolutions"
    assert regulator.post(address, json=accepted).status_code == 201
    assert status(regulator) == "disputed"
    do(regulator, "decisions", **REJECTED)
    assert (status(regulator), case(regulator)["stage"]) == ("effective", "final")
    assert case(regulator)["outcome"] == "upheld"


# Who


def test_who_brought_a_record_in_does_not_decide_on_it_by_another_key_either(
    regulator: Client, sign_in: Sign
) -> None:
    row = {"record_id": "X-1", "subject_id": FINED, "kind": "penalty", "status": "effective"}
    row |= {"occurred_on": "2026-07-01", "severity": "minor"}
    regulator.post("/v1/records", json={"records": [row]})
    do(regulator, "objections", number="X-1")
    assert "somebody else" in do(regulator, "decisions", 409, "X-1", **UPHELD)["detail"]
    same = sign_in(Role.REGULATOR, owner=" Tests ")
    assert "somebody else" in do(same, "decisions", 409, "X-1", **UPHELD)["detail"]
    assert status(regulator, "X-1") == "disputed"
    do(regulator.colleague, "decisions", number="X-1", **UPHELD)


def test_an_office_does_not_decide_on_its_own_records(
    regulator: Client, department: Client, sign_in: Sign
) -> None:
    do(regulator, "objections")
    do(department, "decisions", 403, **REJECTED)
    own = sign_in(Role.REGULATOR, AUTHORITY, "of the same office")
    assert AUTHORITY in do(own, "decisions", 409, **REJECTED)["detail"]
    do(sign_in(Role.REGULATOR, "区发改局", "of another"), "decisions", **REJECTED)


@pytest.mark.parametrize("kind", ["objections", "appeals"])
def test_who_asked_for_an_enterprise_does_not_decide_by_a_key_of_an_office(
    regulator: Client, sign_in: Sign, kind: str
) -> None:
    asker = sign_in(Role.SUBJECT, FINED, "样例会计")
    own = sign_in(Role.REGULATOR, owner=" 样例会计")
    do(asker, "objections")
    if kind == "appeals":
        do(regulator, "decisions", **REJECTED)
        do(asker, "appeals")
    assert "objected" in do(own, "decisions", 409, **UPHELD)["detail"]
    assert status(regulator) == "disputed"
    do(regulator.colleague, "decisions", **UPHELD)


def test_who_decided_does_not_review_by_another_key_either(regulator: Client, sign_in: Sign) -> None:
    do(regulator, "objections")
    do(regulator, "decisions", **REJECTED)
    do(regulator, "appeals")
    others = [sign_in(Role.REGULATOR, owner=owner) for owner in ("tests", "Ｔests", " te sts\u200b")]
    for client in (regulator, *others):
        assert "does not review" in do(client, "decisions", 409, **REJECTED)["detail"]
    do(regulator.colleague, "decisions", **REJECTED)


def test_an_enterprise_objects_to_its_own_records_and_follows_them_alone(
    regulator: Client, sign_in: Sign
) -> None:
    own, other = sign_in(Role.SUBJECT, FINED), sign_in(Role.SUBJECT, "91110000600037341L")
    do(other, "objections", 404)
    do(own, "objections")
    do(own, "acknowledgements", 403)
    do(own, "decisions", 403, **UPHELD)
    number = shown(own)[0]["id"]
    assert own.get(f"/v1/objections/{number}").status_code == 200
    assert (shown(other), other.get(f"/v1/objections/{number}").status_code) == ([], 404)
    do(regulator, "decisions", **REJECTED)
    do(other, "appeals", 404)
    do(own, "appeals")


def test_a_department_lists_objections_to_its_own_records_alone(
    regulator: Client, department: Client, sign_in: Sign
) -> None:
    do(regulator, "objections")
    assert [found["record_id"] for found in shown(department)] == ["P-1"]
    path, other = f"/v1/objections/{shown(department)[0]['id']}", sign_in(Role.DEPARTMENT, "区城管局")
    found = department.get(path)
    assert (found.status_code, found.json["grades"]) == (200, []), "an enterprise's grade is not for it"
    assert (shown(other), other.get(path).status_code) == ([], 404)


# A department is graded as well


@pytest.fixture
def tax(store: Store, sign_in: Sign) -> Client:
    """A department of which the negative list has a finding, graded."""
    bodies = [{"subject_id": f"BM{n}", "name": name} for n, name in enumerate((TAX, "样例区林业局"))]
    take(store, "department", "subject", "subject_id", bodies)
    own = {"subject_id": "BM0", "status": "effective", "occurred_on": "2026-07-01"}
    finding = own | {"record_id": "FM-1", "kind": "negative_finding", "item_no": 3, "severity": "serious"}
    answer = own | {"record_id": "MY-1", "kind": "satisfaction_answer", "year": 2026, "score": "10.0000"}
    other = finding | {"record_id": "FM-2", "subject_id": "BM1"}
    take(store, "department", "record", "record_id", [finding, answer, other])
    run(store, find_pack("department-credit", SUMMER), SUMMER)
    return sign_in(Role.DEPARTMENT, f" {TAX} ")


SUMMER, TAX, OF_BODIES = dt.date(2026, 7, 31), "样例区税务局", {"vocabulary": "department"}


def test_a_department_objects_to_a_finding_about_it_and_somebody_else_decides(
    tax: Client, regulator: Client, sign_in: Sign
) -> None:
    """The negative list grades it: it is heard as an enterprise is."""
    finding = {"number": "FM-1", **OF_BODIES}
    other = sign_in(Role.DEPARTMENT, "样例区林业局")
    do(other, "objections", 404, **finding)
    do(tax, "objections", 404, number="FM-2", **OF_BODIES)
    do(tax, "objections", **finding)
    query = "?vocabulary=department"
    [found] = shown(tax, query)
    assert (found["record_id"], shown(other, query)) == ("FM-1", [])
    path = f"/v1/objections/{found['id']}"
    [way] = tax.get(path).json["grades"]
    assert (way["pack"], way["upheld"]["score"] > way["rejected"]["score"]) == ("department-credit", True)
    assert other.get(path).status_code == 404
    do(tax, "decisions", 403, **finding, **UPHELD)
    of_tax = sign_in(Role.REGULATOR, TAX, "of the department")
    assert "is about" in do(of_tax, "decisions", 409, **finding, **UPHELD)["detail"]
    of_another = sign_in(Role.REGULATOR, "样例区林业局", "of another department")
    do(of_another, "decisions", **finding, **REJECTED)
    do(tax, "appeals", **finding)
    do(regulator.colleague, "decisions", **finding, **UPHELD)
    assert tax.get(f"/v1/records/FM-1{query}").json["versions"][0]["data"]["status"] == "revoked"
    assert {item["record_id"] for item in tax.get(f"/v1/records{query}").json["items"]} == {"FM-1", "MY-1"}


def test_what_enterprises_say_of_a_department_it_does_not_contest_and_no_finding_is_repaired(
    tax: Client, regulator: Client
) -> None:
    """An application was taken, and nobody could ever decide it."""
    answer = {"number": "MY-1", **OF_BODIES}
    assert "findings may be objected to" in do(tax, "objections", 409, **answer)["detail"]
    commitment = {"text": "已整改", "made_on": today().isoformat()}
    for client in (tax, regulator):
        wanted = {"number": "FM-1", "commitment": commitment, **OF_BODIES}
        assert "are not repaired" in do(client, "repair-applications", 409, **wanted)["detail"]
    do(tax, "repair-admissions", 404, number="FM-1", outcome="admitted", **OF_BODIES)


# What the grade would be


def test_the_grade_either_way_is_what_it_then_becomes(regulator: Client) -> None:
    do(regulator, "objections")
    ways = regulator.get(f"/v1/objections/{shown(regulator)[0]['id']}").json["grades"]
    by_pack = {way["pack"]: way for way in ways}
    assert by_pack.keys() == {"enterprise-credit"}
    told = by_pack["enterprise-credit"]
    assert told["upheld"]["score"] > told["rejected"]["score"]
    for outcome, before in ((REJECTED, None), (UPHELD, "appeals")):
        if before:
            do(regulator, before)
        client = regulator.colleague if before else regulator
        do(client, "decisions", **outcome)
        live = regulator.get(f"/v1/subjects/{FINED}/live-grade").json
        assert (live["score"], live["tier"]) == tuple(told[outcome["outcome"]].values())


# The clock, and what is published


def test_what_is_overdue_escalates_once_and_once_more_a_working_week_later(
    regulator: Client, store: Store
) -> None:
    filed = dt.date(2026, 9, 24)  # the holidays of October follow
    do(regulator, "objections", effective_on=filed.isoformat())
    due = dt.date(2026, 9, 30)
    assert case(regulator)["due_on"] == due.isoformat()
    assert list_objections(store, ENTERPRISE.id, Wanted(overdue_on=due)) == []
    assert len(list_objections(store, ENTERPRISE.id, Wanted(overdue_on=add_days(due, 1)))) == 1
    assert tick(store, ENTERPRISE, due) == []
    assert tick(store, ENTERPRISE, dt.date(2026, 10, 7)) == []
    assert [found.case.escalations for found in tick(store, ENTERPRISE, dt.date(2026, 10, 8))] == [1]
    assert tick(store, ENTERPRISE, dt.date(2026, 10, 13)) == []
    assert [found.case.escalations for found in tick(store, ENTERPRISE, dt.date(2026, 10, 14))] == [2]
    assert tick(store, ENTERPRISE, today()) == []
    assert [found["overdue"] for found in shown(regulator, "?overdue=true")] == [True]
    assert [m["kind"] for m in shown(regulator)[0]["marks"]] == ["objection", "escalation", "escalation"]
    assert status(regulator) == "disputed"


def test_each_step_that_an_office_owes_escalates_from_the_beginning(regulator: Client, store: Store) -> None:
    do(regulator, "objections")
    do(regulator, "acknowledgements")
    due = dt.date.fromisoformat(case(regulator)["due_on"])
    for number, days in enumerate((1, 8), 1):
        (found,) = tick(store, ENTERPRISE, workdays_later(due, days))
        assert found.case.escalations == number


def test_nobody_is_in_time_by_an_earlier_date_on_a_decision(regulator: Client) -> None:
    filed = add_days(today(), -90).isoformat()
    do(regulator, "objections", effective_on=filed)
    do(regulator, "decisions", effective_on=filed, **UPHELD)
    assert case(regulator)["decided_on"] == today().isoformat()


def test_by_office_it_is_published_how_long_objections_take_and_how_many_are_upheld(
    regulator: Client, sign_in: Sign, store: Store
) -> None:
    monday = dt.date(2026, 11, 2)
    for number, days, outcome in (("F-1", 1, UPHELD), ("F-2", 3, REJECTED), ("F-3", 8, UPHELD)):
        row = {"record_id": number, "subject_id": FINED, "kind": "penalty", "status": "effective"}
        row |= {"occurred_on": "2026-07-01", "severity": "minor", "authority": AUTHORITY}
        regulator.post("/v1/records", json={"records": [row]})
        do(regulator, "objections", number=number, effective_on=monday.isoformat())
        do(regulator.colleague, "decisions", number=number, **outcome)
        noon = dt.datetime.combine(workdays_later(monday, days), dt.time(12), SHANGHAI)
        with store.writing() as session:
            own = sa.update(RecordMark).where(RecordMark.record_id == number)
            session.execute(own.where(RecordMark.kind == "decision").values(made_at=noon))
    do(regulator, "objections", effective_on="2026-09-01")
    for role in Role:
        client = sign_in(role, FINED if role is Role.SUBJECT else None)
        (figures,) = client.get("/v1/objection-figures").json["offices"]
        assert figures == {
            "office": AUTHORITY,
            "filed": 4,
            "open": 1,
            "overdue": 1,
            "decided": 3,
            "upheld": 2,
            "reviewed": 0,
            "median_days": 3.0,
        }
    (since,) = regulator.get("/v1/objection-figures?since=2026-11-01").json["offices"]
    assert since["filed"] == 3


@pytest.mark.parametrize("outcome", ["effective", "revoked"])
def test_objections_of_an_old_store_are_cases_as_well(regulator: Client, store: Store, outcome: str) -> None:
    """Marks as they were made before there was more than an objection and its decision."""
    at = dt.datetime(2026, 8, 3, 4, tzinfo=dt.UTC)
    common = {"vocabulary": "enterprise", "record_id": "P-1", "subject_id": FINED, "reason": "x"}
    common |= {"evidence": "[]", "made_by": "somebody", "made_at": at, "effective_on": at.date()}
    with store.writing() as session:
        for kind, before, after in (
            ("objection", "effective", "disputed"),
            ("decision", "disputed", outcome),
        ):
            session.add(RecordMark(kind=kind, status_before=before, status_after=after, **common))
    found = case(regulator)
    expected = ("decided", "rejected") if outcome == "effective" else ("final", "upheld")
    assert (found["stage"], found["outcome"]) == expected
    assert found["decided_on"] == "2026-08-03"


def test_a_regulators_key_may_name_its_office(store: Store) -> None:
    assert create_key(store, Role.REGULATOR, "李", "区信用中心").key.organisation == "区信用中心"
