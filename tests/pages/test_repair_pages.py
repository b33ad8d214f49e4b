"""Repairs and consequences on the pages: applied for, decided, and what rested on the record is lifted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from test_sign_in import signed_in
from test_ticket_pages import send
from town import AUTHORITY, CODES, NAMES
from visitor import PHONE, Visitor

from rules.calendar import add_days, add_months, today
from rules.library.loader import load_vocabulary
from scoring.access.audit import entries
from scoring.access.keys import Role, create_key
from scoring.facts.consequences import list_consequences
from scoring.facts.desk import Wanted
from scoring.facts.entries import FileInfo
from scoring.facts.records import submit_records
from scoring.facts.repair_desk import DESK
from scoring.store import Store

WORDS = load_vocabulary("enterprise")
FIRM = CODES[11]
DAY = add_months(today(), -5)
_numbers: Iterator[str] = (f"XF-{number}" for number in range(100))


@pytest.fixture
def penalty(town_store: Store) -> str:
    """A penalty that an office's file brought."""
    number = next(_numbers)
    row = {"record_id": number, "subject_id": FIRM, "kind": "penalty", "severity": "general"}
    row |= {"level": "fine", "status": "effective", "occurred_on": DAY.isoformat()}
    row |= {"authority": AUTHORITY}
    submit_records(town_store, WORDS, [row], FileInfo(number, "list.csv"))
    return number


def case_of(store: Store, record: str) -> Any:
    """The one repair of a record."""
    [found] = [one for one in DESK.list(store, "enterprise", Wanted()) if one.record_id == record]
    return found


def test_regulators_enter_a_measure_apply_for_the_repair_decide_it_and_undo_it(
    regulator: Visitor, pages: Flask, town_store: Store, penalty: str
) -> None:
    regulator.open("/consequences")
    for field, text in {"subject_id": FIRM, "office": AUTHORITY, "record_id": penalty, "reason": "x"}.items():
        regulator.one(f"#{field}").send_keys(text)
    regulator.one("#clause option[value=procurement]").click()
    regulator.press("[aria-labelledby=enter] button")
    assert penalty in regulator.text("table")
    regulator.open(f"/repairs/new?record={penalty}")
    assert "真实、合法、有效" in regulator.one("#commitment").get_attribute("value")
    regulator.one("#reason").send_keys("罚款已缴清")
    regulator.one("#evidence").send_keys("JK-1")
    regulator.press("form.card button")
    assert "待受理" in regulator.text("dl.facts")
    assert NAMES[FIRM] in regulator.text("dl.facts")
    for request, place, said in (
        ("admit", "dl.facts", "已受理"),
        ("repair", "[role=alert]", "须由他人决定"),
        ("repair", "dl.facts", "已修复"),
    ):
        regulator.one("#reason").send_keys("材料属实")
        assert ("申请人不得决定" in regulator.text()) is (request == "repair"), "said before it is refused"
        regulator.press(f"button[value={request}]")
        assert said in regulator.text(place)
        if place == "[role=alert]":
            regulator.come_in(pages, create_key(town_store, Role.REGULATOR, "决定的人").token)
            regulator.open(f"/repairs/{case_of(town_store, penalty).id}")
    regulator.open("/consequences?state=all")
    row = next(row.text for row in regulator.all("tbody tr") if penalty in row.text)
    assert "信用修复" in row
    assert [
        c for c in list_consequences(town_store, "enterprise", standing=True) if c.record_id == penalty
    ] == []
    regulator.look(PHONE)
    regulator.open(f"/repairs/{case_of(town_store, penalty).id}")
    assert regulator.overflow() == 0
    regulator.one("#reason").send_keys("凭证系伪造")
    regulator.press("button[value=undo]")
    assert "缺少未履行承诺的证据" in regulator.text("[role=alert]")
    regulator.one("#evidence").send_keys("DC-1")
    regulator.press("button[value=undo]")
    assert "修复已撤销" in regulator.text("dl.facts")


def test_what_can_not_be_applied_for_is_told_with_the_first_day(
    pages: Flask, town_store: Store, penalty: str
) -> None:
    client = signed_in(pages, create_key(town_store, Role.REGULATOR, "修复的人").token)
    form = {"record": penalty, "vocabulary": "enterprise", "reason": "x", "evidence": "x", "commitment": "x"}
    assert send(client, "/repairs", **form) == 422
    assert send(client, "/repairs", **form, committed_on=str(add_days(DAY, -1))) == 409
    assert send(client, "/repairs", **form | {"record": "none"}, committed_on=str(today())) == 409
    row = {"record_id": penalty, "subject_id": FIRM, "severity": "serious"}
    submit_records(town_store, WORDS, [row], FileInfo(f"{penalty} again", "list.csv"))
    client.set_cookie("language", "zh")
    with client.session_transaction() as session:
        form |= {"form_token": session["form_token"], "committed_on": today().isoformat()}
    assert f"最早可于{add_months(DAY, 12)}修复" in client.post("/repairs", data=form).text


@pytest.mark.parametrize(("severity", "months"), [("general", 3), ("serious", 12)])
def test_the_form_shows_the_record_and_from_which_day_on_it_may_be_repaired(
    pages: Flask, town_store: Store, penalty: str, severity: str, months: int
) -> None:
    row = {"record_id": penalty, "subject_id": FIRM, "severity": severity}
    submit_records(town_store, WORDS, [row], FileInfo(f"{penalty} {severity}", "list.csv"))
    own, other = (
        signed_in(pages, create_key(town_store, Role.SUBJECT, "企业", code).token)
        for code in (FIRM, CODES[12])
    )
    for client in (own, other):
        client.set_cookie("language", "zh")
    form = f"/repairs/new?vocabulary=enterprise&record={penalty}"
    shown = own.get(form).text
    assert all(said in shown for said in (NAMES[FIRM], AUTHORITY, "行政处罚", DAY.isoformat()))
    assert "最早可于" in shown
    assert f"{add_months(DAY, months)}" in shown
    assert ("已可申请" in shown) == (months < 5)
    assert AUTHORITY not in other.get(form).text, "another's record is not shown"
    assert entries(town_store, subject_id=FIRM, action="pages.new_repair")


def test_an_enterprise_applies_and_follows_on_the_pages_and_moves_nothing(
    pages: Flask, town_store: Store, penalty: str
) -> None:
    own = signed_in(pages, create_key(town_store, Role.SUBJECT, "本企业", FIRM).token)
    other = signed_in(pages, create_key(town_store, Role.SUBJECT, "他企业", CODES[12]).token)
    form = {"record": penalty, "vocabulary": "enterprise", "reason": "已缴", "evidence": "JK-1"}
    form |= {"commitment": "材料属实", "committed_on": today().isoformat()}
    assert send(other, "/repairs", **form) == 409
    assert send(own, "/repairs", **form) == 303
    [found] = [one for one in DESK.list(town_store, "enterprise", Wanted()) if one.record_id == penalty]
    shown = own.get(f"/repairs/{found.id}")
    assert (shown.status_code, "<form" in shown.text.split("<main")[1]) == (200, False)
    assert send(own, f"/repairs/{found.id}/steps", request="admit", reason="x") == 403
    assert other.get(f"/repairs/{found.id}").status_code == 404
    assert penalty not in other.get("/repairs?state=all").text
    assert own.get("/consequences").status_code == 200


def test_a_record_of_bad_faith_leads_to_the_application_for_its_repair(
    pages: Flask, town_store: Store, penalty: str
) -> None:
    passed = {"record_id": f"{penalty}-J", "subject_id": FIRM, "kind": "inspection", "level": "passed"}
    passed |= {"status": "effective", "occurred_on": DAY.isoformat(), "authority": AUTHORITY}
    submit_records(town_store, WORDS, [passed], FileInfo(f"{penalty}-J", "visits.csv"))
    own = signed_in(pages, create_key(town_store, Role.SUBJECT, "本企业", FIRM).token)
    records = own.get(f"/subjects/enterprise-credit/{FIRM}/records").text
    form = f"/repairs/new?vocabulary=enterprise&amp;record={penalty}"
    assert f'href="{form}"' in records
    assert f'href="{form}-J"' not in records
    assert f"/objections/new?vocabulary=enterprise&amp;record={penalty}-J" in records
    assert f'value="{penalty}"' in own.get(form.replace("&amp;", "&")).text


@pytest.mark.parametrize("role", Role)
def test_the_figures_by_office_are_for_everybody_and_name_no_subject(
    pages: Flask, token: Callable[[Role], str], role: Role
) -> None:
    shown = signed_in(pages, token(role)).get("/repairs/figures").text
    figures = shown.partition("<footer")[0]  # the foot says as whom one is signed in
    assert AUTHORITY in figures
    assert not any(code in figures for code in CODES)


def test_who_has_applied_is_told_so_until_when_and_offered_no_second_form(
    pages: Flask, town_store: Store, penalty: str
) -> None:
    """The form was there once more, and was refused when it had been filled in."""
    firm = signed_in(pages, create_key(town_store, Role.SUBJECT, "样例", FIRM).token)
    asked = f"/repairs/new?vocabulary=enterprise&record={penalty}"
    form = {"vocabulary": "enterprise", "record": penalty, "reason": "罚款已缴清", "evidence": "缴款凭证"}
    form |= {"commitment": "如违背承诺，愿意承担相应责任", "committed_on": today().isoformat()}
    assert "提交申请" in firm.get(asked).text
    assert send(firm, "/repairs", **form) == 303
    told, case = firm.get(asked).text, case_of(town_store, penalty)
    assert "提交申请" not in told
    assert f"/repairs/{case.id}" in told
    assert str(case.case.due_on) in told


def test_a_list_of_its_own_says_what_an_enterprise_may_do_and_how_soon_it_is_answered(
    pages: Flask, town_store: Store
) -> None:
    firm = signed_in(pages, create_key(town_store, Role.SUBJECT, "样例", FIRM).token)
    firm.set_cookie("language", "zh")
    for path, words in (("/objections", "15个工作日内申请复核"), ("/repairs", "受理后10个工作日内决定")):
        told = firm.get(path).text
        assert words in told
        assert "主体类别" not in told, "there is one kind, and nothing to choose"
    assert "登录身份：" in told
    assert "其他主体类别" not in firm.get("/consequences").text
