"""What waits for an enterprise at its own door: proposals, notices, visits to rate, consents to give."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from test_proposal_pages import proposed
from test_sign_in import signed_in
from test_ticket_pages import send
from town import AUTHORITY, CODES, FINED, LENDER, LISTED, SUMMER
from visitor import DESK, PHONE, Visitor

from api.pages.newer import newer_grade
from rules.calendar import add_days, add_months, today
from scoring.access.consents import list_consents
from scoring.access.keys import Role, create_key
from scoring.answers import explain as explaining
from scoring.facts.visit_results import Result, enter_result
from scoring.inspections.codes import Days, OutsideVisit, issue_outside
from scoring.inspections.visits import CodedVisit, find_visit
from scoring.runs.proposals import answer_proposal
from scoring.runs.proposed import ProposalSummary, list_falls
from scoring.store import Store

__all__ = ["proposed"]
PACK = "enterprise-credit"
QUIET, VISITED_FIRM = CODES[40], CODES[41]
SignIn = Callable[[str], FlaskClient]


@pytest.fixture
def own(pages: Flask, town_store: Store) -> SignIn:
    """Signs an enterprise in."""
    return lambda code: signed_in(pages, create_key(town_store, Role.SUBJECT, "经办人", code).token)


@pytest.fixture
def made(town_store: Store) -> Iterator[CodedVisit]:
    """A visit that was made, of which nobody has said anything."""
    day = today()
    wanted = OutsideVisit(VISITED_FIRM, "complaint", "员工来信", (AUTHORITY,), ("ZF0", "ZF1"), Days(day, day))
    visit = issue_outside(town_store, PACK, wanted, "样例", day)
    enter_result(town_store, visit.code, Result(day, "rectify", "台账不全", "限期改正"), "样例", day)
    return visit


def home(client: FlaskClient, code: str) -> str:
    return client.get(f"/subjects/{PACK}/{code}").text


def test_a_proposal_by_which_it_would_fall_waits_at_its_door_until_it_answers(
    own: SignIn, town_store: Store, proposed: ProposalSummary
) -> None:
    falling = {fall.subject_id for fall in list_falls(town_store, proposed.id)}
    code = max(falling)
    client, notice = own(code), f"/proposals/{proposed.id}/notices/{code}"
    shown = home(client, code)
    assert 'aria-labelledby="waits"' in shown
    assert notice in shown
    assert str(proposed.until) in shown
    assert "等级拟下降告知书" in client.get(notice).text
    answer_proposal(town_store, proposed.id, code, "我们已整改", "样例")
    assert 'aria-labelledby="waits"' not in home(client, code)
    assert "已陈述意见" in home(client, code)
    (other, *_) = sorted(set(CODES[30:]) - falling) or [None]
    if other is not None:
        assert "proposals" not in home(own(other), other)


def test_who_has_no_notice_finds_no_word_of_any(own: SignIn, proposed: ProposalSummary) -> None:
    told = home(own(LISTED), LISTED)
    assert "等级下降告知书" in told, "it fell by the last run"
    assert "/notices/" in told
    client = own(QUIET)
    shown = home(client, QUIET)
    if f"/proposals/{proposed.id}" not in shown:
        assert "告知书" not in shown
    assert client.get("/proposals").status_code == 403


def test_an_enterprise_rates_a_visit_once_and_to_say_it_again_changes_nothing(
    own: SignIn, town_store: Store, made: CodedVisit
) -> None:
    client, page = own(VISITED_FIRM), f"/visits/{made.code}"
    assert "待评价的检查" in home(client, VISITED_FIRM)
    assert made.code in client.get("/own/visits").text
    shown = client.get(page).text
    assert "您的评分" in shown
    assert "责令整改" in shown
    assert "员工来信" not in shown
    assert '<option value="">' in shown
    assert send(client, f"{page}/steps", request="rate", rating="") == 422
    refused = _send(client, f"{page}/steps", request="rate", rating="9")
    assert refused.status_code == 422
    assert 'id="rating-fault"' in refused.text
    assert 'aria-describedby="rating-fault"' in refused.text
    assert find_visit(town_store, made.code).rating is None
    for _ in range(2):
        assert send(client, f"{page}/steps", request="rate", rating="4", words="规范") == 303
    assert send(client, f"{page}/steps", request="rate", rating="1", words="规范") == 409
    rated = find_visit(town_store, made.code)
    assert (rated.rating, rated.rating_words) == (4, "规范")
    assert "待评价的检查" not in home(client, VISITED_FIRM)
    for step in ({"request": "cancel", "reason": "x"}, {"request": "result", "done_on": str(today())}):
        assert send(client, f"{page}/steps", **step) == 403
    assert own(QUIET).get(page).status_code == 404
    assert send(own(QUIET), f"{page}/steps", request="rate", rating="1") == 404


def test_it_gives_a_consent_to_a_lender_within_the_longest_term(own: SignIn, town_store: Store) -> None:
    client = own(QUIET)
    form = {"pack": PACK, "lender": LENDER, "purpose-loan": "yes", "valid_from": str(today())}
    assert 'action="/consents"' in home(client, QUIET)
    wrong = {
        "valid_until": {"valid_until": str(add_months(today(), 37))},
        "lender": {"lender": "无此银行", "valid_until": str(add_months(today(), 6))},
        "purposes": {"purpose-loan": "", "valid_until": str(add_months(today(), 6))},
        "valid_from": {"valid_from": "x", "valid_until": str(add_months(today(), 6))},
    }
    for field, said in wrong.items():
        given = {name: text for name, text in (form | said).items() if text}
        refused = _send(client, "/consents", **given)
        assert (refused.status_code, f'id="{field}-fault"' in refused.text) == (422, True), field
        top = refused.text.partition('id="grade"')[0]
        assert '<a href="#consents">' in top.partition('role="alert"')[2], "said where the page opens"
    assert list_consents(town_store, subject_id=QUIET) == []
    assert send(client, "/consents", **form, valid_until=str(add_months(today(), 6))) == 303
    (made,) = list_consents(town_store, subject_id=QUIET)
    assert (made.lender, made.purposes, made.registered_role) == (LENDER, ("loan",), "subject")
    assert f"/consents/{made.id}/withdrawal" in home(client, QUIET)


def test_a_regulator_registers_a_consent_on_a_page_and_its_lender_sees_those_that_end_soon(
    pages: Flask, town_store: Store, token: Callable[[Role], str]
) -> None:
    firm, clerk = CODES[43], signed_in(pages, token(Role.REGULATOR))
    bank = signed_in(pages, create_key(town_store, Role.LENDER, "样例", LENDER).token)
    form = {"subject_id": firm, "lender": LENDER, "purpose-monitoring": "yes", "reference": "SQ-26-9"}
    form |= {"valid_from": str(today()), "valid_until": str(add_days(today(), 9))}
    for field, wrong in {
        "subject_id": "91500000MA00000000",
        "lender": "无此银行",
        "reference": "无数字",
        "valid_until": "2001-01-01",
    }.items():
        refused = _send(clerk, "/consents", **form | {field: wrong})
        assert (refused.status_code, f'id="{field}-fault"' in refused.text) == (422, True), field
    assert list_consents(town_store, subject_id=firm) == []
    answer = _send(clerk, "/consents", **form)
    assert answer.status_code == 303
    assert "SQ-26-9" in clerk.get(answer.location).text
    assert _send(clerk, "/consents", **form).status_code == 409
    later = form | {"reference": "SQ-26-10", "valid_until": str(add_months(today(), 6))}
    assert send(clerk, "/consents", **later) == 303
    made_by = [one.registered_role for one in list_consents(town_store, subject_id=firm)]
    assert made_by == ["regulator", "regulator"]
    ending, every = bank.get("/consents?ending=yes").text, bank.get("/consents").text
    assert ("SQ-26-9<" in ending, "SQ-26-10<" in ending) == (True, False)
    assert ("SQ-26-9<" in every, "SQ-26-10<" in every) == (True, True)
    other = signed_in(pages, create_key(town_store, Role.LENDER, "样例", "另一银行").token)
    assert "SQ-26-" not in other.get("/consents").text


def test_the_form_of_a_consent_tells_everything_that_is_wrong_with_it_at_once(
    pages: Flask, town_store: Store
) -> None:
    bank = signed_in(pages, create_key(town_store, Role.LENDER, "样例", LENDER).token)
    form = {"subject_id": "X", "reference": "无数字", "valid_from": "9999-12-31", "valid_until": "9999-12-31"}
    refused = _send(bank, "/consents", **form)
    assert refused.status_code == 422
    fields = ["subject_id", "purposes", "valid_from", "reference", "document_sha256"]
    assert re.findall('id="([a-z_0-9]+)-fault"', refused.text) == fields
    assert f"最晚为{add_months(today(), 3)}" in refused.text


def test_a_lender_registers_a_consent_by_the_signed_document_and_withdraws_it(
    pages: Flask, town_store: Store
) -> None:
    firm, bank = CODES[44], signed_in(pages, create_key(town_store, Role.LENDER, "样例", LENDER).token)
    form = {"subject_id": firm, "purpose-loan": "yes", "reference": "SQ-27-1"}
    form |= {"valid_from": str(today()), "valid_until": str(add_months(today(), 6))}
    refused = _send(bank, "/consents", **form)
    assert (refused.status_code, 'id="document_sha256-fault"' in refused.text) == (422, True)
    answer = _send(bank, "/consents", **form, document=_signed("授权书"))
    assert answer.status_code == 303
    assert "SQ-27-1" in bank.get(answer.location).text
    (made,) = list_consents(town_store, subject_id=firm)
    assert (made.lender, made.registered_role) == (LENDER, "lender")
    assert made.document_sha256 == hashlib.sha256("授权书".encode()).hexdigest()
    other = signed_in(pages, create_key(town_store, Role.LENDER, "样例", "另一银行").token)
    assert send(other, f"/consents/{made.id}/withdrawal", reason="x") == 404
    assert send(bank, f"/consents/{made.id}/withdrawal", reason="贷款结清") == 303
    (ended,) = list_consents(town_store, subject_id=firm)
    assert ended.withdrawn_why == "贷款结清"
    assert "贷款结清" in bank.get("/consents").text


def _signed(text: str) -> tuple[io.BytesIO, str]:
    return io.BytesIO(text.encode()), "授权书.pdf"


@pytest.mark.parametrize("path", ["/repairs", "/objections"])
def test_it_finds_all_its_cases_at_first_also_those_that_are_settled(own: SignIn, path: str) -> None:
    shown = own(FINED).get(path).text
    assert re.search(r'state=all"\s+aria-current="page"', shown)


def test_it_is_told_no_more_than_is_so(own: SignIn, pages: Flask, town_store: Store) -> None:
    shown = home(own(CODES[42]), CODES[42])
    assert "暂无有检查码的检查" in shown, "it may have inspections that offices reported"
    assert "可由企业本身、金融机构或信用中心登记" in shown, "its form is below"
    client = own(LISTED)
    client.set_cookie("language", "en")
    told = re.sub(r"<[^>]+>|\s+", " ", home(client, LISTED))
    assert re.search(r"Counts *: *from +20", told), "no day before its preposition"
    clerk = signed_in(pages, create_key(town_store, Role.REGULATOR, "甲某").token)
    assert "公共信用信息报告" not in clerk.get("/checks").text.partition("<main")[2]


def test_it_is_offered_no_kind_of_records_that_cannot_be_its_own(own: SignIn) -> None:
    client = own(FINED)
    for path in ("/repairs", "/repairs/new", "/consequences", "/objections"):
        shown = client.get(path).text
        for kind in ("tourism", "rural", "department"):
            assert f"vocabulary={kind}" not in shown, (path, kind)
            assert f'<option value="{kind}"' not in shown, (path, kind)


def test_nobody_looks_for_misses_to_compare_grades_or_to_name_somebody(
    own: SignIn, town_store: Store
) -> None:
    published, now = explaining.explain(town_store, PACK, FINED), dt.datetime.now(dt.UTC)
    client, looked = own(FINED), explaining._misses_of.cache_info
    before = looked()
    newer_grade(town_store, published, SUMMER, now)
    newer_grade(town_store, published, today(), now)
    for path in ("records", "paths"):
        assert client.get(f"/subjects/{PACK}/{FINED}/{path}").status_code == 200
    assert (looked().hits, looked().misses) == (before.hits, before.misses)


def test_its_door_can_be_used_by_eye_by_ear_and_on_a_phone(
    visitor: Visitor, pages: Flask, town_store: Store, made: CodedVisit, proposed: ProposalSummary
) -> None:
    visitor.come_in(pages, create_key(town_store, Role.SUBJECT, "经办人", VISITED_FIRM).token)
    for path in (f"/subjects/{PACK}/{VISITED_FIRM}", f"/visits/{made.code}", "/own/visits"):
        for size, dark in ((DESK, False), (PHONE, True)):
            visitor.look(size, dark)
            visitor.open(path)
            visitor.browser.execute_script(
                "document.querySelectorAll('details').forEach(d => { d.open = true })"
            )
            assert visitor.faults() == [], (path, size)
            assert visitor.overflow() == 0, (path, size)


def _send(client: FlaskClient, path: str, **form: object):  # type: ignore[no-untyped-def]
    client.get("/rules")
    with client.session_transaction() as session:
        return client.post(path, data=form | {"form_token": session["form_token"]})
