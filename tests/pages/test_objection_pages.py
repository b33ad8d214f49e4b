"""Objections on the pages: who waits how long, both outcomes before the decision, figures by office."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from repairing import repair
from test_sign_in import signed_in
from test_ticket_pages import send
from town import AUTHORITY, CODES, NAMES
from visitor import DESK, PHONE, Visitor

from rules.calendar import today
from rules.library.loader import load_vocabulary
from scoring.access.keys import Role, create_key
from scoring.facts.entries import FileInfo
from scoring.facts.objection_desk import Objection, show_objection
from scoring.facts.objections import MarkRequest, mark_record
from scoring.facts.records import submit_records
from scoring.facts.settling import Ruling, list_proposals, settle_proposal
from scoring.store import Store

MakeToken = Callable[[Role], str]
WORDS = load_vocabulary("enterprise")
FIRM = CODES[7]
_numbers: Iterator[str] = (f"YY-{number}" for number in range(100))


@pytest.fixture
def filed(town_store: Store) -> Objection:
    """An objection that was filed long ago and waits."""
    number = next(_numbers)
    row = {"record_id": number, "subject_id": FIRM, "kind": "penalty", "severity": "serious"}
    row |= {"level": "fine", "field": "wages", "status": "effective", "occurred_on": "2026-07-01"}
    submit_records(town_store, WORDS, [row | {"authority": AUTHORITY}], FileInfo(number, "list.csv"))
    wanted = MarkRequest("objection", "disputed", today().replace(day=1), "处罚对象有误", (), "样例")
    return show_objection(town_store, mark_record(town_store, WORDS, number, wanted).id)


def test_a_regulator_sees_who_waits_and_decides_with_both_grades_before_the_eyes(
    regulator: Visitor, town_store: Store, filed: Objection
) -> None:
    regulator.open("/objections")
    row = next(row.text for row in regulator.all("tbody tr") if filed.record_id in row.text)
    assert NAMES[FIRM] in row
    assert AUTHORITY in row
    assert str(filed.case.due_on) in row
    for size, dark in ((DESK, False), (PHONE, True)):
        regulator.look(size, dark)
        regulator.open(f"/objections/{filed.id}")
        assert regulator.faults() == [], (size, dark)
        assert regulator.overflow() == 0
    regulator.look(DESK, False)
    regulator.open(f"/objections/{filed.id}")
    [way] = regulator.all("[aria-labelledby=ways] tbody tr")
    _, upheld, rejected = (cell.text.split()[-1] for cell in way.find_elements("css selector", "td"))
    assert float(upheld) > float(rejected)
    regulator.one("#reason").send_keys("材料齐全")
    regulator.press("button[value=acknowledge]")
    assert "已受理" in regulator.text("dl.facts")
    by = [
        row.find_elements("css selector", "td")[4].text
        for row in regulator.all("[aria-labelledby=steps] tbody tr")
    ]
    assert by[0] == "样例"
    assert re.fullmatch(r"regulator 甲 [a-z0-9]{10}", by[1])
    regulator.one("#reason").send_keys("处罚决定已撤销")
    regulator.press("button[value=uphold]")
    assert "异议成立" in regulator.text("dl.facts")
    assert regulator.all("main form") == []
    assert show_objection(town_store, filed.id).case.outcome == "upheld"


def two_regulators(pages: Flask, store: Store, *names: str) -> Iterator[FlaskClient]:
    """Persons of those names, signed in."""
    return (signed_in(pages, create_key(store, Role.REGULATOR, name).token) for name in names)


def test_what_the_case_does_not_allow_is_said_and_not_done(
    pages: Flask, town_store: Store, filed: Objection
) -> None:
    path = f"/objections/{filed.id}/steps"
    one, other = two_regulators(pages, town_store, "甲某", "乙某")
    for form in ({}, {"request": "reject"}, {"request": "x", "reason": "x"}):
        assert send(one, path, **form) == 422
    assert send(one, path, request="appeal", reason="x") == 409
    assert send(one, path, request="reject", reason="证据不足") == 303
    assert send(one, path, request="appeal", reason="有新证据") == 303
    assert send(one, path, request="uphold", reason="改判") == 409
    assert show_objection(town_store, filed.id).case.stage == "appealed"
    assert "两种结果下的等级" in other.get(f"/objections/{filed.id}").text
    assert send(other, path, request="uphold", reason="改判") == 303
    assert show_objection(town_store, filed.id).case.stage == "final"
    assert "两种结果下的等级" not in other.get(f"/objections/{filed.id}").text
    assert send(other, "/objections/999999/steps", request="uphold", reason="x") == 404


def test_a_page_of_before_the_appeal_does_not_review_it(
    pages: Flask, town_store: Store, filed: Objection
) -> None:
    path = f"/objections/{filed.id}/steps"
    one, other = two_regulators(pages, town_store, "戊某", "己某")
    assert send(one, path, request="reject", reason="证据不足") == 303
    assert send(one, path, request="appeal", reason="有新证据") == 303
    assert send(other, path, request="uphold", reason="属实", version=filed.version) == 409
    assert show_objection(town_store, filed.id).case.stage == "appealed"
    assert send(other, path, request="uphold", reason="属实") == 303


def test_a_refusal_is_told_in_chinese(pages: Flask, town_store: Store, filed: Objection) -> None:
    client = signed_in(pages, create_key(town_store, Role.REGULATOR, "丙某").token)
    client.set_cookie("language", "zh")
    send(client, f"/objections/{filed.id}/steps", request="acknowledge", reason="x")
    with client.session_transaction() as session:
        form = {"form_token": session["form_token"], "request": "acknowledge", "reason": "x"}
        form["version"] = show_objection(town_store, filed.id).version
    told = client.post(f"/objections/{filed.id}/steps", data=form).text
    assert "异议已受理,不能办理“受理”。可办理:作出决定" in told
    assert "is not allowed" not in told


@pytest.mark.parametrize("role", [Role.REGULATOR, Role.DEPARTMENT, Role.LENDER, Role.OPERATOR])
def test_the_figures_by_office_are_for_everybody_and_name_no_subject(
    pages: Flask, token: MakeToken, filed: Objection, role: Role
) -> None:
    client = signed_in(pages, token(role))
    shown = client.get("/objections/figures").text
    assert AUTHORITY in shown
    assert FIRM not in shown
    assert client.get(f"/objections/{filed.id}").status_code == (
        200 if role in (Role.REGULATOR, Role.DEPARTMENT) else 403
    )


def test_what_is_repaired_is_not_on_the_paper_that_is_shared(
    pages: Flask, town_store: Store, token: MakeToken, filed: Objection
) -> None:
    client = signed_in(pages, token(Role.REGULATOR))
    subject = f"/subjects/enterprise-credit/{FIRM}"
    assert filed.record_id in client.get(f"{subject}/report").text
    decided = MarkRequest("decision", "effective", today(), "证据不足", (), "样例")
    mark_record(town_store, WORDS, filed.record_id, decided)
    minor = {"record_id": filed.record_id, "subject_id": FIRM, "severity": "minor"}
    submit_records(town_store, WORDS, [minor], FileInfo(f"{filed.record_id} again", "list.csv"))
    repair(town_store, WORDS, filed.record_id, today())
    assert filed.record_id not in client.get(f"{subject}/report").text
    assert filed.record_id in client.get(subject).text


def test_a_department_objects_to_a_finding_on_its_own_page_and_is_offered_no_repair(
    pages: Flask, town_store: Store
) -> None:
    """The form for a repair led nowhere: the negative list knows none."""
    row = {"record_id": "FM-1", "subject_id": "BM3", "kind": "negative_finding", "item_no": "3"}
    row |= {"severity": "general", "status": "effective", "occurred_on": "2026-07-01"}
    submit_records(town_store, load_vocabulary("department"), [row], FileInfo("FM-1", "list.csv"))
    key = create_key(town_store, Role.DEPARTMENT, "丁某", "样例街道").token
    client, other = signed_in(pages, key), signed_in(pages, _key_of(town_store, "样例镇"))
    shown = client.get("/subjects/department-credit/BM3/records").text
    linked = set(re.findall(r'href="(/(?:objections|repairs)/new[^"]*)"', shown))
    form = "/objections/new?vocabulary=department&amp;record=FM-1"
    assert linked == {form}, "an enterprise's answer is not contested, and nothing is repaired"
    assert 'value="department"' not in client.get("/repairs/new").text
    asked = {"vocabulary": "department", "record": "FM-1", "reason": "认定的单位有误", "evidence": "三定方案"}
    assert client.get(form.replace("&amp;", "&")).status_code == 200
    assert other.get(form.replace("&amp;", "&")).status_code == 404
    assert send(other, "/objections", **asked) == 404
    assert send(client, "/objections", **asked) == 303
    [found] = re.findall(r'href="(/objections/\d+)"', client.get("/objections?vocabulary=department").text)
    assert "两种结果下的等级" in client.get(found).text
    assert 'name="request"' not in client.get(found).text, "somebody else decides"
    assert send(client, f"{found}/steps", request="uphold", reason="有误", version="-") == 403
    assert found not in other.get("/objections?vocabulary=department&state=all").text
    assert other.get(found).status_code == 404
    regulator = signed_in(pages, create_key(town_store, Role.REGULATOR, "戊某").token)
    waits = "异议被驳回，可申请复核"
    assert waits not in client.get("/home").text
    assert send(regulator, f"{found}/steps", request="reject", reason="证据充分") == 303
    assert waits in client.get("/home").text
    assert waits not in other.get("/home").text
    assert send(client, f"{found}/steps", request="appeal", reason="请复核") == 303
    assert waits not in client.get("/home").text


def test_who_decides_sees_who_said_the_class_of_the_record(pages: Flask, town_store: Store) -> None:
    row = {"record_id": "FC-1", "subject_id": FIRM, "kind": "penalty", "level": "closed"}
    row |= {"status": "effective", "occurred_on": "2026-07-01", "authority": AUTHORITY}
    submit_records(town_store, WORDS, [row], FileInfo("FC-1", "list.csv"))
    waiting = next(one for one in list_proposals(town_store, WORDS) if one.record_id == "FC-1")
    clerk = create_key(town_store, Role.REGULATOR, "认定人庚")
    ruling = Ruling("责令关闭，影响恶劣", clerk.key.prefix, today())
    settle_proposal(town_store, WORDS, waiting.id, "serious", ruling)
    wanted = MarkRequest("objection", "disputed", today(), "情节认定有误", (), "样例")
    path = f"/objections/{mark_record(town_store, WORDS, 'FC-1', wanted).id}"
    steps = signed_in(pages, create_key(town_store, Role.REGULATOR, "辛某").token).get(path).text
    said, filed = steps.index("责令关闭，影响恶劣"), steps.index("情节认定有误")
    assert said < filed
    assert "认定人庚" in steps
    own = signed_in(pages, create_key(town_store, Role.SUBJECT, "样例", FIRM).token).get(path).text
    assert "责令关闭，影响恶劣" in own
    assert "认定人庚" not in own, "it is not told who it was"


def _key_of(store: Store, office: str) -> str:
    return create_key(store, Role.DEPARTMENT, "己某", office).token
