"""The pages of who is graded: its grade and its reasons, what is under way, and nothing of anybody else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from expected_access import opens
from flask import Flask
from flask.testing import FlaskClient
from test_proposal_pages import proposed
from test_sign_in import signed_in
from test_ticket_pages import send
from town import AUTHORITY, CODES, CONSENT, FINED, FINED_ONCE, LENDER, LISTED, NAMES, SUMMER, VISIT
from visitor import DESK, PHONE, Visitor

from api.pages.newer import newer_grade
from rules.calendar import SHANGHAI, today
from rules.library.loader import load_vocabulary
from scoring.access.consents import Registration, get_consent, register
from scoring.access.keys import Role, Who, create_key, revoke_key, rotate_key
from scoring.answers.explain import explain
from scoring.answers.forecast import forecast
from scoring.facts.entries import FileInfo
from scoring.facts.objection_desk import Wanted, list_objections
from scoring.facts.objections import MarkRequest, mark_record
from scoring.facts.records import get_record, submit_records
from scoring.runs.proposals import withdraw_proposal
from scoring.runs.proposed import ProposalSummary
from scoring.runs.published import NIGHTLY, next_run
from scoring.store import Store
from scoring.tickets.chart import Actor
from scoring.tickets.desk import Move, list_tickets, move_ticket, show_ticket

__all__ = ["proposed"]
WORDS = load_vocabulary("enterprise")
PACK = "enterprise-credit"
FIRM = CODES[12]
_numbers: Iterator[str] = (f"MZ-{number}" for number in range(100))


@pytest.fixture
def key(town_store: Store) -> Callable[[str], str]:
    """Makes a key of an enterprise."""
    return lambda code: create_key(town_store, Role.SUBJECT, "经办人", code).token


@pytest.fixture
def record(town_store: Store) -> str:
    """A penalty of the firm that no run has seen."""
    number = next(_numbers)
    row = {"record_id": number, "subject_id": FIRM, "kind": "penalty", "severity": "serious"}
    row |= {"level": "fine", "field": "wages", "status": "effective", "occurred_on": "2026-07-01"}
    submit_records(town_store, WORDS, [row | {"authority": AUTHORITY}], FileInfo(number, "list.csv"))
    return number


def test_an_enterprise_signs_in_and_lands_on_its_grade_with_reasons_and_what_is_under_way(
    visitor: Visitor, key: Callable[[str], str]
) -> None:
    visitor.sign_in(key(LISTED.lower()))
    assert visitor.path == f"/subjects/{PACK}/{LISTED}"
    shown = visitor.text()
    for said in (NAMES[LISTED], "一票否决", "未适用的规则及原因", "今后得分", "现场检查", "反映的问题"):
        assert said in shown, said
    assert LENDER in visitor.text("[aria-labelledby=consents]")
    assert CONSENT in visitor.text("[aria-labelledby=consents]")
    assert "SQ-2026-99" not in shown, "it may be another's"
    titles = [link.text.split()[0] for link in visitor.all(".top-in > nav a")]
    own = ["本单位", "规则", "对本单位的检查", "异议", "异议办理情况", "信用修复", "惩戒措施", "问题闭环"]
    assert titles == own
    for path in ("", "/paths", "/report", "/records"):
        visitor.open(f"/subjects/{PACK}/{LISTED}{path}")
        assert NAMES[LISTED] in visitor.text(), path
        assert "SQ-2026-99" not in visitor.text(), path


PAGES = {
    "home": f"/subjects/{PACK}/{FINED}",
    "records": f"/subjects/{PACK}/{FINED}/records",
    "form of an objection": "/objections/new?vocabulary=enterprise&record=P-2",
    "objections": "/objections",
    "tickets": "/tickets",
    "ticket": "/tickets/3",
    "visits": "/own/visits",
    "rules": "/rules/enterprise-credit",
    "nothing": f"/subjects/{PACK}/{LISTED}",
}


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES.keys())
def test_its_pages_can_be_used_by_eye_by_ear_and_on_a_phone_in_the_dark(
    visitor: Visitor, key: Callable[[str], str], path: str
) -> None:
    visitor.sign_in(key(FINED))
    for size, dark in ((DESK, False), (PHONE, True)):
        visitor.look(size, dark)
        visitor.open(path)
        visitor.browser.execute_script("document.querySelectorAll('details').forEach(d => { d.open = true })")
        assert visitor.faults() == [], (size, dark)
        assert visitor.overflow() == 0


def test_from_a_line_of_the_grade_to_the_review_of_its_objection(
    visitor: Visitor, key: Callable[[str], str], town_store: Store, record: str
) -> None:
    visitor.sign_in(key(FIRM))
    visitor.open(f"/subjects/{PACK}/{FIRM}/records")
    line = next(line for line in visitor.all("main li summary") if record in line.text)
    assert line.text.count("2026-") == 1, "folded up it says when, and what"
    assert "行政处罚" in line.text
    assert not visitor.one(f"a[href$='record={record}']").is_displayed()
    line.click()
    visitor.press(f"a[href$='record={record}']")
    visitor.one("#reason").send_keys("处罚对象有误")
    visitor.one("#evidence").send_keys("判决书 (2026)渝01民终1号")
    visitor.press("main form button")
    (found,) = list_objections(town_store, "enterprise", Wanted(FIRM))
    assert visitor.path == f"/objections/{found.id}"
    assert visitor.all("main form") == [], "the office has to do something first"
    decided = MarkRequest("decision", "effective", today(), "证据不足", (), "李专员")
    mark_record(town_store, WORDS, record, decided)
    visitor.open(f"/objections/{found.id}")
    assert "李专员" not in visitor.text()
    assert [button.get_attribute("value") for button in visitor.all("main form button")] == ["appeal"]
    visitor.one("#reason").send_keys("有新证据")
    visitor.press("button[value=appeal]")
    assert "复核中" in visitor.text("dl.facts")
    visitor.open(f"/subjects/{PACK}/{FIRM}")
    assert "复核中" in visitor.text("[aria-labelledby=marks]")


def test_it_opens_a_ticket_and_judges_it(
    visitor: Visitor, key: Callable[[str], str], town_store: Store
) -> None:
    visitor.sign_in(key(FIRM))
    visitor.open("/tickets")
    assert visitor.all("#source, #counterpart") == []
    visitor.one("#title").send_keys("排水接入迟缓")
    visitor.press("main form button")
    (ticket,) = list_tickets(town_store, counterpart=FIRM)
    assert (visitor.path, ticket.source) == (f"/tickets/{ticket.id}", "online")
    assert visitor.all("main form") == []
    move_ticket(town_store, ticket.id, Move("assign", Actor.OFFICE, "李专员", owner="BM2", note="勿外传"))
    move_ticket(town_store, ticket.id, Move("supervise", Actor.SUPERVISOR, "李专员"))
    visitor.open(f"/tickets/{ticket.id}")
    assert "勿外传" not in visitor.text()
    assert "李专员" not in visitor.text()
    visitor.press("button[name=satisfied][value=true]")
    case = show_ticket(town_store, ticket.id).case
    assert (case.stage, case.satisfied) == ("evaluated", True)


def test_it_withdraws_a_consent_where_it_sees_who_looked(
    visitor: Visitor, key: Callable[[str], str], town_store: Store
) -> None:
    terms = Registration(
        FINED_ONCE, ["loan"], today(), today() + dt.timedelta(days=90), LENDER, next(_numbers)
    )
    made = register(town_store, Who("样例", Role.REGULATOR), terms)
    visitor.sign_in(key(FINED_ONCE))
    visitor.one("[aria-labelledby=consents] summary").click()
    visitor.one(f"#withdraw-{made.id}").send_keys("贷款已结清")
    visitor.press("[aria-labelledby=consents] form button")
    assert visitor.path == f"/subjects/{PACK}/{FINED_ONCE}"
    assert "已撤回" in visitor.text("[aria-labelledby=consents]")
    who = Who("样例", Role.REGULATOR)
    assert get_consent(town_store, who, made.id).withdrawn_why == "贷款已结清"


def test_on_every_page_what_is_anothers_is_as_what_is_not_there(
    pages: Flask, town_store: Store, key: Callable[[str], str], record: str
) -> None:
    wanted = MarkRequest("objection", "disputed", today(), "x", (), "样例")
    objection = mark_record(town_store, WORDS, record, wanted).id
    consent = get_consent(town_store, Who("样例", Role.REGULATOR), 1).id
    places = {"pack_id": PACK, "subject_id": LISTED, "objection_id": objection, "ticket_id": 1, "code": VISIT}
    theirs, nobodys = places | {"consent_id": consent}, places | {"subject_id": "91500000MA00000000"}
    nobodys |= {"code": "999999999999"}
    nobodys |= dict.fromkeys(("objection_id", "ticket_id", "consent_id"), 999_999)
    client, tried = signed_in(pages, key(CODES[20])), set()
    adapter = pages.url_map.bind("localhost")
    for rule in pages.url_map.iter_rules():
        is_page = rule.endpoint.startswith("pages.") and opens(rule.endpoint, Role.SUBJECT)
        if not is_page or not rule.arguments or not rule.arguments <= places.keys() | {"consent_id"}:
            continue
        if rule.arguments == {"pack_id"}:
            continue  # the rules are everybody's
        for place in (theirs, nobodys):
            path = adapter.build(rule.endpoint, {name: place[name] for name in rule.arguments})
            status = client.get(path).status_code if "GET" in rule.methods else _sent(client, path)
            assert status == 404, (rule.endpoint, path)
        tried.add(rule.endpoint)
    assert len(tried) == 12, tried
    for number in (record, "P-9999"):
        assert client.get(f"/objections/new?record={number}").status_code == 404
        form = {"vocabulary": "enterprise", "record": number, "reason": "x", "evidence": "x"}
        assert send(client, "/objections", **form) == 404
    for code in (LISTED, FIRM):
        for path in ("/objections?state=all", "/tickets"):
            assert code not in client.get(path).text


def _sent(client: FlaskClient, path: str) -> int:
    return send(client, path, request="appeal", reason="x", satisfied="true")


def test_a_key_that_was_replaced_or_ended_ends_its_sign_in(
    pages: Flask, town_store: Store, key: Callable[[str], str]
) -> None:
    tokens = [key(FIRM), key(FIRM)]
    clients = [signed_in(pages, token) for token in tokens]
    assert [client.get(f"/subjects/{PACK}/{FIRM}").status_code for client in clients] == [200, 200]
    new = rotate_key(town_store, tokens[0].split("_")[1])
    revoke_key(town_store, tokens[1].split("_")[1])
    assert [client.get(f"/subjects/{PACK}/{FIRM}").status_code for client in clients] == [303, 303]
    assert signed_in(pages, new.token).get("/own").location == f"/subjects/{PACK}/{FIRM}"


def test_who_is_not_graded_yet_is_told_so(pages: Flask, key: Callable[[str], str]) -> None:
    client = signed_in(pages, key("91500159MAXXMDTC5B"))
    answer = client.get("/own")
    assert (answer.status_code, "尚无评价结果" in answer.text) == (404, True)
    assert 'href="/tickets"' in answer.text


# The regulator's pages


def test_a_regulator_files_an_objection_for_an_enterprise(
    pages: Flask, town_store: Store, token: Callable[[Role], str], record: str
) -> None:
    client = signed_in(pages, token(Role.REGULATOR))
    assert f"record={record}" in client.get(f"/subjects/{PACK}/{FIRM}/records").text
    form = {"vocabulary": "enterprise", "record": record, "reason": "处罚对象有误"}
    assert send(client, "/objections", **form) == 422
    assert get_record(town_store, WORDS, record)[0].data["status"] == "effective"
    assert send(client, "/objections", **form, evidence="JK-1") == 303
    assert get_record(town_store, WORDS, record)[0].data["status"] == "disputed"
    assert send(client, "/objections", **form, evidence="JK-1") == 409


def test_a_banner_says_where_newer_records_make_the_grade_another_one(
    regulator: Visitor, town_store: Store, record: str
) -> None:
    published = explain(town_store, PACK, FIRM)
    regulator.open(f"/subjects/{PACK}/{FIRM}")
    shown = " ".join(regulator.text("section[aria-labelledby=newer]").split())
    assert record in shown
    assert f"{published.score / 100:g}" in shown
    assert f"{next_run(dt.datetime.now(dt.UTC)).astimezone(SHANGHAI):%Y-%m-%d} 00:20" in shown
    assert regulator.text(".score").split("/")[0].strip() == f"{published.score / 100:g}", "what counts stays"


def test_a_banner_says_by_which_rule_the_other_tier_is_held(pages: Flask, town_store: Store) -> None:
    """Two tiers beside a score that does not explain them were shown without a word."""
    row = {"record_id": "MD-1", "subject_id": CODES[45], "kind": "seriously_dishonest_listing"}
    row |= {"status": "effective", "occurred_on": today().isoformat(), "authority": AUTHORITY}
    submit_records(town_store, WORDS, [row], FileInfo("a list", "list.csv"))
    client = signed_in(pages, create_key(town_store, Role.REGULATOR, "甲某").token)
    client.set_cookie("language", "zh")
    shown = client.get(f"/subjects/{PACK}/{CODES[45]}").text.partition('id="newer"')[2].partition("</p>")[0]
    before, after = shown.split("→")
    assert "一票否决" not in before
    assert "一票否决：列入严重失信主体名单" in after


def test_while_a_proposal_is_open_the_banner_promises_no_run_before_its_end(
    pages: Flask, town_store: Store, record: str, proposed: ProposalSummary
) -> None:
    client = signed_in(pages, create_key(town_store, Role.REGULATOR, "甲某").token)
    place = f"/subjects/{PACK}/{FIRM}"
    shown = client.get(place).text.partition('id="newer"')[2].partition("</section>")[0]
    assert record in shown
    assert "发布或撤回之前不发布其他评价" in shown
    assert f"{proposed.until}" in shown
    assert "下一次定时评价" not in shown
    withdraw_proposal(town_store, proposed.id, "测试", "样例")
    assert "下一次定时评价" in client.get(place).text


def test_what_differs_is_said_by_rule_and_record_and_where_nothing_does_nothing_is(
    town_store: Store, record: str
) -> None:
    now = dt.datetime.now(dt.UTC)
    assert newer_grade(town_store, explain(town_store, PACK, CODES[30]), SUMMER, now) is None
    newer = newer_grade(town_store, explain(town_store, PACK, FIRM), SUMMER, now)
    assert newer is not None
    changes = {change.record_id: change for change in newer.changes}
    assert changes[record].before is None
    assert newer.publishes == next_run(now)


def test_a_banner_says_where_the_run_itself_says_another_grade_of_the_day(town_store: Store) -> None:
    """As where no run has come for a while: lenders are told the grade of the day."""
    found = explain(town_store, PACK, LISTED)
    last = forecast(town_store, PACK, LISTED, 120).steps[-1]
    assert last.grade is not None
    newer = newer_grade(town_store, found, last.begins, found.known_at)
    assert newer is not None
    assert newer.official is not None
    assert newer.official.score == last.grade.score != found.score
    assert not newer.is_by_news


def test_the_next_run_is_the_one_of_the_timer() -> None:
    timer = (Path(__file__).parents[2] / "deploy" / "xinheng-score.timer").read_text("utf-8")
    assert f"OnCalendar=*-*-* {NIGHTLY:%H:%M:%S} Asia/Shanghai" in timer
    at = dt.datetime(2026, 12, 31, 0, 19, tzinfo=SHANGHAI)
    assert next_run(at) == at + dt.timedelta(minutes=1)
    assert next_run(at + dt.timedelta(minutes=1)) == dt.datetime(2027, 1, 1, 0, 20, tzinfo=SHANGHAI)
