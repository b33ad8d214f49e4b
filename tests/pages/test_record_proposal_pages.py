"""The gravest class on the pages: who waits for a person's word, with the clause, and said by a button."""

from __future__ import annotations

import re
from collections.abc import Callable

from flask import Flask
from test_sign_in import signed_in
from test_ticket_pages import send
from town import AUTHORITY, BODIES, CODES, NAMES
from visitor import DESK, PHONE, Visitor

from rules.library.loader import load_vocabulary
from scoring.access.keys import Role
from scoring.facts.entries import FileInfo
from scoring.facts.records import get_record, submit_records
from scoring.facts.settling import OpenProposal, list_proposals
from scoring.store import Store

MakeToken = Callable[[Role], str]
WORDS = load_vocabulary("enterprise")
FIRM = CODES[11]


def closed(store: Store, number: str, authority: str = AUTHORITY) -> OpenProposal:
    """A penalty whose class waits for a person."""
    row = {"record_id": number, "subject_id": FIRM, "kind": "penalty", "level": "closed"}
    row |= {"status": "effective", "occurred_on": "2026-07-01", "authority": authority}
    submit_records(store, WORDS, [row], FileInfo(number, "list.csv"))
    return next(found for found in list_proposals(store, WORDS) if found.record_id == number)


def test_what_waits_for_a_person_is_listed_with_its_clause_and_confirmed_by_a_button(
    regulator: Visitor, town_store: Store
) -> None:
    found = closed(town_store, "DQ-1")
    regulator.open("/record-proposals")
    row = next(row.text for row in regulator.all("tbody tr") if "DQ-1" in row.text)
    assert NAMES[FIRM] in row
    assert "第36号" in row
    for size, dark in ((DESK, False), (PHONE, True)):
        regulator.look(size, dark)
        for path in ("/record-proposals", f"/record-proposals/{found.id}"):
            regulator.open(path)
            assert regulator.faults() == [], (size, dark)
            assert regulator.overflow() == 0
    regulator.one("#reason").send_keys("责令关闭")
    regulator.press("button[value=serious]")
    assert regulator.path.startswith("/record-proposals")
    assert "DQ-1" not in regulator.text()
    assert get_record(town_store, WORDS, "DQ-1")[0].data["severity"] == "serious"


def test_a_department_confirms_its_own_and_what_is_wrong_is_said(
    pages: Flask, town_store: Store, token: MakeToken
) -> None:
    own, others = closed(town_store, "DQ-2"), closed(town_store, "DQ-3", BODIES["BM1"])
    client = signed_in(pages, token(Role.DEPARTMENT))
    assert "DQ-3" not in client.get("/record-proposals").text
    assert client.get(f"/record-proposals/{others.id}").status_code == 404
    path = f"/record-proposals/{own.id}/classifications"
    theirs = f"/record-proposals/{others.id}/classifications"
    seen = own.version
    assert send(client, theirs, request="serious", reason="x", seen=others.version) == 404
    assert send(client, path, request="serious", seen=seen) == 422
    assert send(client, path, request="serious", reason="x") == 422, "which was seen is said"
    assert send(client, path, request="gravest", reason="x", seen=seen) == 409
    assert "确认前暂按" in client.get(f"/record-proposals/{own.id}").text
    assert send(client, path, request="minor", reason="x", seen=seen) == 303
    shown = client.get(f"/record-proposals/{own.id}").text
    assert ("已认定为" in shown, "确认前暂按" in shown, 'name="reason"' in shown) == (True, False, False)
    assert send(client, path, request="serious", reason="x", seen=seen) == 409
    assert get_record(town_store, WORDS, "DQ-2")[0].data["severity"] == "minor"


def test_who_confirms_what_a_correction_has_changed_meanwhile_looks_again(
    pages: Flask, town_store: Store, token: MakeToken
) -> None:
    found, client = closed(town_store, "DQ-14"), signed_in(pages, token(Role.DEPARTMENT))
    path = f"/record-proposals/{found.id}"
    (seen,) = re.findall(r'name="seen" value="(\d+)"', client.get(path).text)
    row = {"record_id": "DQ-14", "subject_id": FIRM, "amount": "5"}
    submit_records(town_store, WORDS, [row], FileInfo("corrected", "list.csv"))
    said = {"request": "serious", "reason": "x"}
    assert send(client, f"{path}/classifications", seen=seen, **said) == 409
    (seen,) = re.findall(r'name="seen" value="(\d+)"', client.get(path).text)
    assert send(client, f"{path}/classifications", seen=seen, **said) == 303


def test_several_are_confirmed_at_once_as_proposed_all_or_none(
    regulator: Visitor, pages: Flask, town_store: Store, token: MakeToken
) -> None:
    found = [closed(town_store, f"DQ-{number}") for number in range(4, 8)]
    regulator.open("/record-proposals")
    for one in found[:2]:
        regulator.one(f"[name=confirm-{one.id}]").click()
    regulator.one("#reason").send_keys("责令关闭")
    regulator.press("main form button")
    assert regulator.path.startswith("/record-proposals")
    assert [number in regulator.text() for number in ("DQ-4", "DQ-5", "DQ-6")] == [False, False, True]
    client, path = signed_in(pages, token(Role.DEPARTMENT)), "/record-proposals/classifications"
    late, waits = ({f"confirm-{one.id}": "yes"} for one in found[1:3])
    assert send(client, path, reason="x") == 422
    assert send(client, path, **waits) == 422
    assert send(client, path, **late, **waits, reason="x") == 409
    assert town_class(town_store, "DQ-6") == "general"
    assert send(client, path, **waits, reason="x") == 303
    assert [town_class(town_store, f"DQ-{number}") for number in range(4, 8)] == ["serious"] * 3 + ["general"]
    seen, row = {f"confirm-{found[3].id}": str(found[3].version)}, {"record_id": "DQ-7", "subject_id": FIRM}
    submit_records(town_store, WORDS, [row | {"amount": "5"}], FileInfo("DQ-7 again", "list.csv"))
    assert send(client, path, **seen, reason="x") == 409
    others = closed(town_store, "DQ-8", BODIES["BM1"])
    assert send(client, path, **{f"confirm-{others.id}": "yes"}, reason="x") == 404


def town_class(store: Store, number: str) -> object:
    return get_record(store, WORDS, number)[0].data["severity"]


def test_a_whole_page_is_ticked_at_once(regulator: Visitor, town_store: Store) -> None:
    closed(town_store, "DQ-9")
    regulator.open("/record-proposals")
    regulator.one("[data-tick-all] input").click()
    assert all(box.is_selected() for box in regulator.all("tbody [type=checkbox]"))


def test_what_was_said_of_a_class_and_fell_stands_on_its_page_with_who_said_it(
    pages: Flask, town_store: Store, token: MakeToken
) -> None:
    found, client = closed(town_store, "DQ-10"), signed_in(pages, token(Role.REGULATOR))
    path = f"/record-proposals/{found.id}"
    assert (
        send(client, f"{path}/classifications", request="serious", reason="责令关闭", seen=found.version)
        == 303
    )
    row = {"record_id": "DQ-10", "subject_id": FIRM, "severity": "general"}
    done = submit_records(town_store, WORDS, [row], FileInfo("DQ-10 again", "改报.csv"))
    assert "原由" in done.warnings[0].reason
    shown = client.get(path).text
    assert ["原确认失效" in shown, "改报.csv 第1行" in shown, "确认失信程度" in shown] == [True] * 3


def test_the_report_is_issued_by_a_button_and_verified_by_whoever_holds_it(
    pages: Flask, regulator: Visitor, token: MakeToken
) -> None:
    regulator.open(f"/subjects/enterprise-credit/{FIRM}")
    assert regulator.one(".actions form button").text.startswith("出具公共信用信息报告")
    client = signed_in(pages, token(Role.REGULATOR))
    client.get(f"/subjects/enterprise-credit/{FIRM}")
    with client.session_transaction() as session:
        form = {"form_token": session["form_token"]}
    issued = client.post(f"/subjects/enterprise-credit/{FIRM}/credit-report", data=form)
    file = client.get(issued.headers["Location"])
    assert (issued.status_code, file.mimetype, file.data[:5]) == (303, "application/pdf", b"%PDF-")
    assert re.search(r"credit-report-\d{8}-\w{8}\.pdf", file.headers["Content-Disposition"])
    regulator.open("/verify-report")
    regulator.one("#number").send_keys("20260101-AAAABBBB")
    regulator.one("#code").send_keys("AAAA")
    regulator.press("main form button")
    assert "没有该编号与验证码的报告" in regulator.text(".alert")
