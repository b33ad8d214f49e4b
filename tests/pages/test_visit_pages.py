"""Visits on the pages: codes are issued, printed, verified by anybody, reported and rated."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from serving import ADDRESS
from test_sign_in import signed_in
from test_ticket_pages import send
from town import AUTHORITY, CODES, NAMES, VISIT, VISITED
from visitor import DESK, PHONE, Visitor

from rules.calendar import add_months, today
from scoring.access.keys import Role, create_key
from scoring.answers.credit_report.paper import qr_code
from scoring.inspections.visits import Wanted, find_visit, list_visits
from scoring.store import Store

MakeToken = Callable[[Role], str]
FIRM = CODES[11]


def asked(**more: str) -> dict[str, str]:
    day = today().isoformat()
    form = {"subject_id": FIRM, "ground": "complaint", "why": "12345热线", "authorities": AUTHORITY}
    return form | {"inspectors": "ZF2、ZF3", "begins_on": day, "ends_on": day} | more


def test_a_visit_is_issued_printed_reported_and_rated(regulator: Visitor, town_store: Store) -> None:
    regulator.look(DESK)
    regulator.open("/visits")
    for name, text in asked(inspectors="ZF2、ZF3").items():
        if name not in ("ground", "begins_on", "ends_on"):
            regulator.one(f"#outside ~ form [name={name}]").send_keys(text)
    regulator.press("#outside ~ form button")
    code = regulator.path.rpartition("/")[2]
    assert regulator.text(".code-large").replace(" ", "").strip() == code
    assert b"%PDF" in regulator.print()[:8]
    assert "有检查码的检查" in regulator.text("main dl"), "the caps, and what counts against them"
    assert scanned(regulator) == f"{ADDRESS}/verify?code={code}"
    drawn, shown = regulator.one(".qr path").size, regulator.one(".qr svg").size
    assert drawn["width"] + 1 >= shown["width"] > 100, "large enough, and nothing but the code"
    for size in (DESK, PHONE):
        regulator.look(size)
        assert regulator.faults() == []
        assert regulator.overflow() == 0
    regulator.look(DESK)
    regulator.one("#findings").send_keys("台账不全")
    regulator.one("#outcome option[value=rectify]").click()
    regulator.press("input[value=result] ~ button")
    assert "责令整改" in regulator.text("[aria-labelledby=result]")
    assert regulator.one("#rating").get_attribute("value") == "", "nothing is chosen by carelessness"
    regulator.one("#rating option[value='5']").click()
    regulator.press("input[value=rate] ~ button")
    assert "5/5" in regulator.text("[aria-labelledby=result]")
    assert regulator.all("[aria-labelledby=moves]") == []
    assert find_visit(town_store, code).rating == 5


def test_anybody_verifies_a_code_without_a_key(visitor: Visitor) -> None:
    visitor.look(PHONE)
    visitor.open("/verify")
    visitor.one("#code").send_keys("3141 5926 5358")
    visitor.press("main button")
    shown = visitor.text("main dl")
    for said in (AUTHORITY, "检查员0", "ZF1", "2026-07-31"):
        assert said in shown
    assert "消防" not in visitor.text()
    assert "12345热线" not in visitor.text()
    assert visitor.faults() == []
    visitor.open("/verify?code=314159265385")
    assert "有数字输错" in visitor.text(".alert")


def test_the_list_is_filtered_by_month_office_and_state(pages: Flask, token: MakeToken) -> None:
    client = signed_in(pages, token(Role.REGULATOR))
    shown = client.get("/visits?month=2026-07&state=made").text
    assert VISIT[:4] in shown
    assert "超频次" in client.get("/visits?month=2026-07").text
    for query in ("month=2026-06", "state=issued&month=2026-07", "office=样例区税务局"):
        assert f"/visits/{VISIT}" not in client.get(f"/visits?{query}").text, query
    for query in ("month=x", "state=x", "before=x"):
        assert client.get(f"/visits?{query}").status_code == 400


@pytest.mark.parametrize("asked", ["", "2026-07", "2024-02"])
def test_the_month_is_chosen_from_a_list_that_begins_with_the_last(
    pages: Flask, token: MakeToken, asked: str
) -> None:
    shown = signed_in(pages, token(Role.DEPARTMENT)).get(f"/visits?month={asked}").text
    choice = shown.partition('<select id="month" name="month">')[2].partition("</select>")[0]
    months = re.findall(r"<option(?: selected)?>(\d{4}-\d{2})<", choice)
    assert {"2026-07", asked} - {""} <= set(months)
    assert months == sorted(set(months), reverse=True)
    assert re.findall(r" selected>([^<]*)<", choice) == [asked] * bool(asked)


def test_a_plan_is_made_for_a_month_that_is_chosen_from_those_that_can_be_planned(
    pages: Flask, token: MakeToken
) -> None:
    shown = signed_in(pages, token(Role.REGULATOR)).get("/inspections").text
    choice = shown.partition('<select id="month" name="month">')[2].partition("</select>")[0]
    months = re.findall(r">(\d{4}-\d{2})<", choice)
    assert months == [f"{add_months(today(), ahead):%Y-%m}" for ahead in range(13)]


def test_what_is_refused_is_said_and_not_done(pages: Flask, town_store: Store) -> None:
    client = signed_in(pages, create_key(town_store, Role.REGULATOR, "甲某").token)
    before = len(list_visits(town_store, Wanted(), today()))
    assert send(client, "/visits", **asked(why="")) == 422
    assert send(client, "/visits", **asked(inspectors="ZF2")) == 409
    assert send(client, "/visits", **asked(ground="planned")) == 422
    assert len(list_visits(town_store, Wanted(), today())) == before
    steps = f"/visits/{VISIT}/steps"
    assert send(client, steps, request="cancel", reason="x") == 409
    assert send(client, steps, request="x") == 422
    assert send(client, "/visits/314159265358x/steps", request="cancel", reason="x") == 404


def test_codes_of_a_past_plan_are_refused_in_words(pages: Flask, token: MakeToken) -> None:
    client = signed_in(pages, token(Role.REGULATOR))
    assert "核发检查码" in client.get("/inspections/1").text
    assert send(client, "/inspections/1/codes") == 409


@pytest.mark.parametrize("role", [Role.DEPARTMENT, Role.LENDER, Role.OPERATOR])
def test_a_department_sees_its_own_visits_without_the_rating_and_others_none(
    pages: Flask, token: MakeToken, role: Role
) -> None:
    client = signed_in(pages, token(role))
    answer = client.get(f"/visits/{VISIT}")
    assert answer.status_code == (200 if role is Role.DEPARTMENT else 403)
    if role is Role.DEPARTMENT:
        assert "检查规范" not in answer.text
        assert NAMES[VISITED] in answer.text
        assert send(client, f"/visits/{VISIT}/steps", request="rate", rating="5") == 403


def scanned(visitor: Visitor) -> str:
    """What a telephone reads from the code on the page: the link whose drawing is the same."""
    drawn = visitor.one(".qr path").get_attribute("d")
    link = f"{ADDRESS}/verify?code={visitor.path.rpartition('/')[2]}"
    return link if f'd="{drawn}"' in qr_code(link) else "another link"
