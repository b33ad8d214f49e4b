"""The enterprise's own door: by its key it has all that is its own, and nothing of anybody else."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from client import Client, Sign
from expected_access import opens
from flask import Flask
from lending_desk import Clock, check, consented
from small_district import AUTHORITY, FINED, LISTED, MIXED, OTHER_AUTHORITY, PACK, take

from rules.calendar import SHANGHAI, today
from rules.library.loader import load_vocabulary
from rules.workdays import workdays_later
from scoring.access.keys import Role, revoke_key, rotate_key
from scoring.answers.explain import explain
from scoring.facts.records import INTERNAL
from scoring.inspections.codes import issue_plan
from scoring.inspections.office import make_plan, visits_to
from scoring.inspections.visits import Wanted, list_visits
from scoring.store import Store
from scoring.tickets.chart import Actor
from scoring.tickets.desk import ANSWER_WITHIN, Move, MoveRefusedError, Subject, move_ticket, open_ticket

WIDE = "".join(chr(ord(letter) + 0xFEE0) for letter in FINED)
EVIDENCE = [{"title": "缴款凭证", "reference": "JK-2026-1"}]
MARK = {"reason": "处罚对象有误", "evidence": EVIDENCE, "effective_on": today().isoformat()}
TICKET = {"title": "用电增容受阻", "note": "三次申请未复"}
OWN = (
    "",
    "/grade",
    "/grades",
    "/explanation",
    "/history",
    "/forecast",
    "/paths",
    "/consents",
    "/lender-checks",
)


@pytest.fixture(autouse=True)
def clock(app: Flask) -> Clock:
    """What the application takes for the time of consents."""
    app.extensions["clock"] = Clock()
    clock: Clock = app.extensions["clock"]
    return clock


@pytest.fixture
def fined(sign_in: Sign) -> Client:
    """The enterprise that was fined."""
    return sign_in(Role.SUBJECT, FINED)


@pytest.fixture(autouse=True)
def bodies(store: Store) -> None:
    """The public body whose name the department's key has."""
    take(store, "department", "subject", "subject_id", [{"subject_id": "DW120", "name": AUTHORITY}])


def row(number: str, subject: str = FINED, **more: object) -> dict[str, object]:
    fixed = {"record_id": number, "subject_id": subject, "kind": "penalty", "severity": "minor"}
    return fixed | {"status": "effective", "occurred_on": "2026-07-01", "level": "fine"} | more


def post(client: Client, path: str, status: int = 201, **body: object) -> dict[str, Any]:
    answer = client.post(path, json=body)
    assert answer.status_code == status, answer.json
    found: dict[str, Any] = answer.json
    return found


# Its own


@pytest.mark.parametrize("key_says", [FINED, FINED.lower(), WIDE])
@pytest.mark.parametrize("asked", [FINED, FINED.lower(), WIDE])
def test_an_enterprise_has_everything_of_itself_in_any_spelling_of_its_code(
    sign_in: Sign, regulator: Client, key_says: str, asked: str
) -> None:
    own = sign_in(Role.SUBJECT, key_says)
    regulator.post("/v1/records", json={"records": [row("N-1", severity="general")]})
    for what in (*OWN, "/live-grade"):
        assert own.get(f"/v1/subjects/{asked}{what}").status_code == 200, what
    for query in ("", f"?subject_id={asked}"):
        found = own.get(f"/v1/records{query}").json["items"]
        assert {record["subject_id"] for record in found} == {FINED}
        assert {"P-1", "N-1"} <= {record["record_id"] for record in found}
    assert own.get("/v1/records/P-1").status_code == 200


def test_its_explanation_is_the_one_that_the_regulator_reads(fined: Client, regulator: Client) -> None:
    for path in (f"/v1/subjects/{FINED}/explanation", f"/v1/subjects/{FINED}/explanation?as_of=2026-06-01"):
        assert fined.get(path).json == regulator.get(path).json


def test_several_persons_have_several_keys_and_a_key_that_ends_opens_nothing(
    store: Store, sign_in: Sign
) -> None:
    one, other = (sign_in(Role.SUBJECT, FINED, owner=name) for name in ("甲", "乙"))
    path = f"/v1/subjects/{FINED}/grade"
    new = Client(one._client, rotate_key(store, one.prefix).token)
    assert [client.get(path).status_code for client in (one, other, new)] == [401, 200, 200]
    assert new.get(f"/v1/subjects/{LISTED}/grade").status_code == 404
    revoke_key(store, other.prefix)
    assert other.get(path).status_code == 401


# Nothing of others


def test_what_is_anothers_is_answered_as_what_is_not_there_at_every_address(
    app: Flask, store: Store, sign_in: Sign, fined: Client, regulator: Client, lender: Client
) -> None:
    listed = sign_in(Role.SUBJECT, LISTED)
    theirs = {
        "subject_id": LISTED,
        "record_id": "L-1",
        "objection_id": post(listed, "/v1/records/L-1/objections", **MARK)["id"],
        "ticket_id": post(listed, "/v1/tickets", **TICKET)["id"],
        "consent_id": consented(lender, LISTED)["id"],
    }
    nobodys = {"subject_id": "91500000MA00000000", "record_id": "L-9"} | dict.fromkeys(
        ("objection_id", "ticket_id", "consent_id"), 999_999
    )
    bodies: dict[str, dict[str, object]] = {
        "tickets.post_step": {"request": "evaluate", "satisfied": True, "version": 1},
        "records.post_appeal": MARK | {"version": "-"},
        "consents.post_withdrawal": {"reason": "x"},
        "records.post_application": MARK | {"commitment": {"text": "x", "made_on": "2026-08-01"}},
    }
    tried = set()
    for rule in app.url_map.iter_rules():
        if not opens(rule.endpoint, Role.SUBJECT) or rule.endpoint.startswith("pages."):
            continue
        if not rule.arguments or not rule.arguments <= theirs.keys():
            continue
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            body = bodies.get(rule.endpoint, MARK) if method == "POST" else None
            said = []
            for place in (theirs, nobodys):
                values = {name: place[name] for name in rule.arguments}
                path = app.url_map.bind("localhost").build(rule.endpoint, values)
                answer = fined.send(method, path, json=body)
                assert answer.status_code == 404, (rule.endpoint, answer.json)
                (named,) = values.values()
                said.append((answer.json["type"], answer.json["detail"].replace(str(named), "…")))
            assert said[0] == said[1], rule.endpoint
            tried.add(rule.endpoint)
    assert len(tried) >= 18, tried
    assert fined.get(f"/v1/records?subject_id={LISTED}").status_code == 404
    assert post(fined, "/v1/tickets", 404, **TICKET, counterpart=LISTED)
    for listing in ("records", "objections", "tickets"):
        items = fined.get(f"/v1/{listing}").json["items"]
        assert LISTED not in json.dumps(items), listing
    assert listed.get(f"/v1/objections/{theirs['objection_id']}").status_code == 200
    assert listed.get(f"/v1/tickets/{theirs['ticket_id']}").status_code == 200
    for path in ("/v1/subjects", "/v1/alerts", "/v1/audit", "/v1/consents", "/v1/inspection-plans"):
        assert fined.get(path).status_code == 403


def test_a_record_that_turns_out_to_be_anothers_takes_what_was_said_of_the_other_along(
    regulator: Client, sign_in: Sign, fined: Client
) -> None:
    regulator.post("/v1/records", json={"records": [row("N-1", amount="77")]})
    post(fined, "/v1/records/N-1/objections", **MARK)
    regulator.post("/v1/records", json={"records": [row("N-1", LISTED, amount="88")]})
    assert fined.get("/v1/records/N-1").status_code == 404
    assert post(fined, "/v1/records/N-1/appeals", 404, **MARK)
    found = sign_in(Role.SUBJECT, LISTED).get("/v1/records/N-1").json
    assert {version["subject_id"] for version in found["versions"]} == {LISTED}
    assert [mark for mark in found["marks"] if mark["subject_id"] != LISTED] == []
    assert len(regulator.get("/v1/records/N-1").json["versions"]) > 1


def test_it_learns_who_looked_but_not_which_clerk_nor_anothers_reference(
    sign_in: Sign, fined: Client, regulator: Client, lender: Client
) -> None:
    made, others = consented(lender, FINED), consented(lender, LISTED)
    lender.post("/v1/lender-checks", json=check(made))
    lender.post("/v1/lender-checks", json=check(others["reference"], FINED))
    assert others["reference"] in regulator.get(f"/v1/subjects/{FINED}/lender-checks").text
    for what in ("lender-checks", "history", "consents"):
        told = fined.get(f"/v1/subjects/{FINED}/{what}").text
        assert others["reference"] not in told, what
        assert lender.prefix not in told, what
        assert AUTHORITY in told, what
    notes = fined.get(f"/v1/subjects/{FINED}/lender-checks").json["items"]
    assert [note["consent"] for note in notes] == [None, made["reference"]]


def test_it_is_told_what_an_office_decided_and_not_which_person_did(fined: Client, regulator: Client) -> None:
    number = post(fined, "/v1/records/P-1/objections", **MARK)["id"]
    post(regulator, "/v1/records/P-1/decisions", **MARK, outcome="rejected")
    for path in (
        f"/v1/objections/{number}",
        "/v1/objections",
        "/v1/records/P-1",
        f"/v1/subjects/{FINED}/history",
    ):
        told = fined.get(path).text
        assert regulator.prefix not in told, path
        assert fined.prefix in told, path
        assert regulator.prefix in regulator.get(path).text, path


def test_an_offices_request_to_visit_it_is_told_to_it_nowhere(regulator: Client, fined: Client) -> None:
    request = row("Q-1", kind=INTERNAL, level="complaint", severity=None, authority=AUTHORITY)
    answer = regulator.post("/v1/records", json={"records": [request]})
    assert answer.json["new"] == 1, answer.json
    assert "Q-1" not in fined.get("/v1/records").text
    assert fined.get("/v1/records/Q-1").status_code == 404
    assert post(fined, "/v1/records/Q-1/objections", 404, **MARK)
    assert "Q-1" not in fined.get(f"/v1/subjects/{FINED}/explanation?as_of={today()}").text
    assert regulator.get("/v1/records/Q-1").json["marks"] == []


def test_of_the_visits_it_is_told_those_of_months_that_are_over_without_the_inspectors(store: Store) -> None:
    take(store, "inspector", "subject", "inspector_id", [_inspector(number) for number in range(6)])
    request = row("Q-1", kind=INTERNAL, level="complaint", severity=None, authority=AUTHORITY)
    take(store, "enterprise", "record", "record_id", [request | {"occurred_on": "2026-08-05"}])
    first = make_plan(store, PACK, dt.date(2026, 8, 1), "1", dt.date(2026, 8, 1))
    make_plan(store, PACK, dt.date(2026, 8, 1), "2", dt.date(2026, 8, 31), first.id)
    until = [dt.date(2026, 7, 31), dt.date(2026, 8, 31), dt.date(2026, 9, 1), None]
    shown = [[visit.month.isoformat() for visit in visits_to(store, PACK, FINED, day)] for day in until]
    assert shown == [[], [], ["2026-08-01"], ["2026-08-01"]]
    (visit,) = visits_to(store, PACK, FINED)
    assert AUTHORITY in visit.authorities
    assert "ZF" not in repr(visit)


def test_a_planned_visit_is_told_once_by_its_code_where_it_has_one(store: Store) -> None:
    take(store, "inspector", "subject", "inspector_id", [_inspector(number) for number in range(6)])
    request = row("Q-1", kind=INTERNAL, level="complaint", severity=None, authority=AUTHORITY)
    take(store, "enterprise", "record", "record_id", [request | {"occurred_on": "2026-08-05"}])
    day, over = dt.date(2026, 8, 3), dt.date(2026, 9, 1)
    plan = make_plan(store, PACK, day, "1", day)
    assert [visit.month for visit in visits_to(store, PACK, FINED, over)] == [day.replace(day=1)]
    issue_plan(store, plan.id, "样例", day)
    assert [visit.plan_id for visit in list_visits(store, Wanted(subject_id=FINED), over)] == [plan.id]
    assert [visits_to(store, PACK, FINED, until) for until in (over, None)] == [[], []]


def _inspector(number: int) -> dict[str, object]:
    fixed = {
        "inspector_id": f"ZF{number}",
        "name": f"检查员{number}",
        "monthly_visits": 20,
        "state": "active",
    }
    return fixed | {"authority": (AUTHORITY, OTHER_AUTHORITY)[number % 2]}


# Its tickets


def test_an_enterprise_opens_a_ticket_and_judges_itself_whether_it_is_solved(
    fined: Client, regulator: Client, department: Client
) -> None:
    ticket = post(fined, "/v1/tickets", **TICKET)
    path = f"/v1/tickets/{ticket['id']}"
    assert (ticket["source"], ticket["counterpart"]) == ("online", FINED)
    assign = {"request": "assign", "actor": "office", "owner": "DW120", "note": "内部：勿外传"}
    post(regulator, f"{path}/steps", **assign)
    post(department, f"{path}/steps", request="coordinate", note="内部：经办意见")
    for early in (
        {"request": "supervise"},
        {"request": "assign", "owner": "DW120"},
        {"request": "correct", "corrects": 2},
    ):
        post(fined, f"{path}/steps", 409, **early, actor="office")
    post(regulator, f"{path}/steps", request="supervise", actor="supervisor")
    refused = post(regulator, f"{path}/steps", 409, request="evaluate", actor="enterprise", satisfied=True)
    assert "judges it itself" in refused["detail"]
    again = post(fined, f"{path}/steps", request="evaluate", satisfied=False, note="仍未解决")
    assert (again["case"]["stage"], again["case"]["reopened"]) == ("assigned", 1)
    told = fined.get(path).text
    assert "内部" not in told
    assert "仍未解决" in told
    assert TICKET["note"] in told
    assert regulator.prefix not in told
    assert department.prefix not in told
    assert "内部：经办意见" in regulator.get(path).text
    post(department, f"{path}/steps", request="coordinate")
    post(regulator, f"{path}/steps", request="supervise", actor="supervisor")
    done = post(fined, f"{path}/steps", request="evaluate", satisfied=True)
    assert (done["case"]["stage"], done["case"]["satisfied"]) == ("evaluated", True)
    record = regulator.get(f"/v1/records/{ticket['number']}?vocabulary=department").json["versions"][0]
    assert (record["data"]["source"], record["data"]["satisfied"]) == ("online", True)


def test_a_step_of_an_enterprise_is_dated_when_it_comes(fined: Client, regulator: Client) -> None:
    path = f"/v1/tickets/{post(fined, '/v1/tickets', **TICKET)['id']}/steps"
    post(regulator, path, request="assign", actor="office", owner="DW120")
    post(regulator, path, request="supervise", actor="supervisor")
    yesterday = (today() - dt.timedelta(days=1)).isoformat()
    post(fined, path, 409, request="evaluate", satisfied=True, on=yesterday)


def test_what_the_desk_collected_for_an_enterprise_is_its_own_as_well(
    fined: Client, regulator: Client
) -> None:
    asked = {"title": "招牌审批反复", "source": "hotline", "counterpart": FINED.lower()}
    number = post(regulator, "/v1/tickets", **asked)["id"]
    post(regulator, "/v1/tickets", **asked | {"counterpart": MIXED})
    assert [ticket["id"] for ticket in fined.get("/v1/tickets").json["items"]] == [number]
    assert [ticket["id"] for ticket in fined.get("/v1/tickets?owner=DW120").json["items"]] == []
    assert fined.get(f"/v1/tickets/{number}").status_code == 200


@pytest.mark.parametrize(("days", "is_late"), [(ANSWER_WITHIN, False), (ANSWER_WITHIN + 1, True)])
def test_for_an_enterprise_that_stays_silent_the_office_answers_after_its_term(
    store: Store, days: int, is_late: bool
) -> None:
    noon = dt.datetime(2026, 8, 3, 12, tzinfo=SHANGHAI)
    opened = Move("open", Actor.ENTERPRISE, "its key", at=noon)
    ticket = open_ticket(store, Subject("用电增容受阻", "online", FINED), opened)
    move_ticket(store, ticket.id, Move("assign", Actor.OFFICE, "x", owner="DW120", at=noon))
    move_ticket(store, ticket.id, Move("supervise", Actor.SUPERVISOR, "x", at=noon))
    later = dt.datetime.combine(workdays_later(noon.date(), days), dt.time(12), SHANGHAI)
    answer = Move("evaluate", Actor.ENTERPRISE, "x", satisfied=True, at=later)
    if is_late:
        assert move_ticket(store, ticket.id, answer).case.stage == "evaluated"
    else:
        with pytest.raises(MoveRefusedError, match="judges it itself"):
            move_ticket(store, ticket.id, answer)
        assert move_ticket(store, ticket.id, answer, enterprise=FINED).case.stage == "evaluated"


def test_no_rule_is_explained_by_a_request_for_a_visit(store: Store) -> None:
    request = row("Q-1", MIXED, kind=INTERNAL, level="due", severity=None)
    take(store, "enterprise", "record", "record_id", [request])
    assert load_vocabulary("enterprise").records is not None
    assert "Q-1" not in {miss.record_id for miss in explain(store, PACK, MIXED).misses}
