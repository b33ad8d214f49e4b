"""Alerts on the pages: found, narrowed, read, given to somebody, and acknowledged, several at once."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from urllib.parse import quote

import openpyxl
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from test_sign_in import signed_in
from test_ticket_pages import send
from town import CODES, FINED, NAMES
from visitor import DESK, PHONE, Visitor

from rules.library.loader import load_vocabulary
from scoring.access.audit import entries
from scoring.access.keys import Role, create_key, revoke_key
from scoring.facts.entries import FileInfo
from scoring.facts.records import submit_records
from scoring.live.alerts import Alert, Wanted, get_alert, list_alerts
from scoring.live.events import records_arrived
from scoring.live.growing import HISTORY
from scoring.store import Store
from scoring.store.live import AlertRow

MakeToken = Callable[[Role], str]
WORDS = load_vocabulary("enterprise")
ACKNOWLEDGE, ASSIGN = "/alerts/acknowledgements", "/alerts/assignments"


def complained(store: Store, firm: str, days: str = "123", **more: object) -> Alert:
    """A firm's alert after three complaints, one on each of these days of July; later ones make it grow."""
    rows = [
        {"record_id": f"TS-{firm[-4:]}-{day}", "subject_id": firm, "kind": "complaint", "level": "upheld"}
        | {"status": "effective", "occurred_on": f"2026-07-0{day}", "authority": "样例区信访局"}
        | more
        for day in days
    ]
    submit_records(store, WORDS, rows, FileInfo(f"{firm} {days}", "list.csv"))
    records_arrived(store, WORDS.id, [str(row["record_id"]) for row in rows])
    return list_alerts(store, Wanted(subject_id=firm, alert="alert.three-complaints"))[0]


def ticks(*alerts: Alert) -> dict[str, str]:
    """The boxes of alerts, as a page has them."""
    return {f"alert-{alert.id}": str(alert.version) for alert in alerts}


def test_the_overview_leads_to_an_alert_with_its_rule_source_subject_and_records(regulator: Visitor) -> None:
    regulator.open("/overview")
    regulator.press("section[aria-labelledby=alerts] a[href='/alerts']")
    first = regulator.all("article")[-1]
    assert "2026-06-05" not in first.find_element("css selector", "dl").text
    assert "行政处罚" not in first.text, "a list is short: what an alert rests on is opened by who reads it"
    first.find_element("css selector", "summary").click()
    shown = " ".join(first.text.split())
    for said in (
        "屡禁不止",
        "依据",
        NAMES[FINED],
        "行政处罚",
        "样例区市场监督管理局",
        "2026-06-05",
    ):
        assert said in shown, said
    first.find_element("css selector", "dd a").click()
    regulator.wait_until(lambda: regulator.path == f"/subjects/enterprise-credit/{FINED}")


def test_the_overview_shows_the_newest_alerts_each_by_a_link_and_folds_the_rest(
    regulator: Visitor, town_store: Store
) -> None:
    """Twenty of them, with the numbers of all their records, left no room for what the page is about."""
    raised = [complained(town_store, firm) for firm in CODES[33:39]]
    regulator.open("/overview")
    rows = regulator.all("section[aria-labelledby=alerts] tbody tr")
    assert len(rows) >= len(raised)
    assert len([row for row in rows if row.is_displayed()]) == 5
    assert raised[0].records[0] not in regulator.text("section[aria-labelledby=alerts]")
    regulator.press(f"a[href='/alerts/{raised[-1].id}']")
    assert NAMES[CODES[38]] in regulator.text("article")


def test_a_card_has_of_each_record_its_date_fine_and_authority_and_a_link_to_it(
    regulator: Visitor, town_store: Store
) -> None:
    alert = complained(town_store, CODES[20], amount="1234567.5")
    regulator.open(f"/alerts/{alert.id}")
    rows = [row.text for row in regulator.all("tbody tr")]
    assert len(rows) == 3
    assert all(said in rows[0] for said in ("2026-07-01", "投诉举报", "1,234,567.5元", "样例区信访局"))
    last = alert.records[-1]
    regulator.press("tbody tr:last-child a")
    assert regulator.path == f"/subjects/enterprise-credit/{CODES[20]}/records"
    assert regulator.one("main li h2").text == last
    regulator.open(f"/alerts/{complained(town_store, CODES[20], '4').id}")
    assert [("新增" in row.text) for row in regulator.all("tbody tr")] == [False, False, False, True]


def test_all_that_are_listed_are_ticked_acknowledged_with_one_note_and_logged_by_subject(
    regulator: Visitor, town_store: Store
) -> None:
    firms = CODES[21:24]
    for firm in firms:
        complained(town_store, firm)
    for size, dark in ((DESK, False), (PHONE, True)):
        regulator.look(size, dark)
        regulator.open("/alerts?alert=alert.three-complaints&since=2026-07-01&assigned=none")
        assert regulator.faults() == [], (size, dark)
        assert regulator.overflow() == 0
    shown = len(regulator.all("article"))
    assert shown >= 3
    regulator.one("[data-tick-all] input").click()
    regulator.one("#note").send_keys("已约谈企业")
    regulator.press(".chosen button")
    assert str(shown) in regulator.one("[role=status]").text
    assert regulator.all("article") == []
    regulator.press(".tabs li:nth-child(2) a")
    assert regulator.text().count("已约谈企业") == shown
    assert all(entries(town_store, subject_id=firm, action="alert.acknowledged") for firm in firms)


def test_what_a_scan_set_aside_as_history_stands_apart_from_what_people_acknowledged(
    pages: Flask, town_store: Store, token: MakeToken
) -> None:
    seen, old = (complained(town_store, firm) for firm in CODES[31:33])
    client = signed_in(pages, token(Role.REGULATOR))
    assert send(client, ACKNOWLEDGE, **ticks(seen), note="x") == 303
    with town_store.writing() as session:  # as a scan does with what is older than half a year
        values = {"acknowledged_at": seen.raised_at, "acknowledged_by": HISTORY}
        session.execute(sa.update(AlertRow).where(AlertRow.id == old.id).values(values))
    acknowledged, history = (numbers(client, f"state={state}") for state in ("acknowledged", "history"))
    assert (seen.id in acknowledged, old.id in acknowledged) == (True, False)
    assert (seen.id in history, old.id in history) == (False, True)
    book = client.get("/alerts/export?state=history").data
    rows = list(openpyxl.load_workbook(io.BytesIO(book)).active.iter_rows(values_only=True))  # type: ignore[union-attr]
    assert old.id in {row[0] for row in rows}
    assert seen.id not in {row[0] for row in rows}


def test_an_alert_is_given_to_a_person_who_finds_it_among_what_waits(
    pages: Flask, town_store: Store, token: MakeToken
) -> None:
    alert = complained(town_store, CODES[24])
    office = signed_in(pages, token(Role.REGULATOR))
    mine = signed_in(pages, create_key(town_store, Role.REGULATOR, "王五").token)
    assert "/alerts?assigned=mine" not in mine.get("/home").text
    assert send(office, ASSIGN, **ticks(alert), to="赵六") == 409
    assert send(office, ASSIGN, **ticks(alert), to="王五") == 303
    given = get_alert(town_store, alert.id)
    assert (given.assigned_to, given.assigned_by is None, given.assigned_at is None) == ("王五", False, False)
    assert "/alerts?assigned=mine" in mine.get("/home").text
    assert numbers(mine, "assigned=mine") == [alert.id]
    assert numbers(office, "assigned=" + quote("王五")) == [alert.id]
    assert alert.id not in numbers(office, "assigned=none")
    assert send(office, ASSIGN, **ticks(given)) == 303
    assert get_alert(town_store, alert.id).assigned_to is None
    assert entries(town_store, subject_id=CODES[24], action="alert.assigned")


def test_the_alerts_of_a_person_who_has_left_can_be_found_and_given_to_another(
    pages: Flask, town_store: Store, token: MakeToken
) -> None:
    alert = complained(town_store, CODES[29])
    office, left = signed_in(pages, token(Role.REGULATOR)), create_key(town_store, Role.REGULATOR, "钱七")
    assert send(office, ASSIGN, **ticks(alert), to="钱七") == 303
    revoke_key(town_store, left.key.prefix)
    shown = office.get(f"/alerts/{alert.id}").text
    assert ("密钥已停用" in shown, '<option value="钱七"' in shown) == (True, False)
    assert '<option value="钱七"' in office.get("/alerts").text
    assert numbers(office, "assigned=" + quote("钱七")) == [alert.id]
    assert send(office, ASSIGN, **ticks(get_alert(town_store, alert.id)), to="钱七") == 409


def test_of_several_none_is_acknowledged_where_one_has_changed_and_which_is_said(
    pages: Flask, town_store: Store, token: MakeToken
) -> None:
    first, second = (complained(town_store, firm) for firm in CODES[25:27])
    client, other = (signed_in(pages, token(Role.REGULATOR)) for _ in range(2))
    assert send(client, ACKNOWLEDGE, note="x") == 422, "nothing is ticked"
    assert send(client, ACKNOWLEDGE, **ticks(first)) == 422, "nothing is said"
    assert send(client, ACKNOWLEDGE, **ticks(first), note="长" * 2001) == 422
    complained(town_store, CODES[25], "4")
    said = refused(client, **ticks(first, second), note="x")
    assert f"预警{first.id}有新的变动" in said
    assert "均未办理" in said
    assert get_alert(town_store, second.id).state == "open"
    assert send(other, ACKNOWLEDGE, **ticks(second), note="甲") == 303
    assert f"预警{second.id}已由regulator 甲确认" in refused(client, **ticks(second), note="乙")
    assert get_alert(town_store, second.id).note == "甲"


def refused(client: FlaskClient, **form: str) -> str:
    """What the page says to a form that it refuses."""
    with client.session_transaction() as session:
        token = session["form_token"]
    answer = client.post(ACKNOWLEDGE, data={"form_token": token, **form})
    assert answer.status_code == 409
    return answer.text


def numbers(client: FlaskClient, query: str) -> list[int]:
    """The alerts that a list shows."""
    return [
        int(found)
        for found in re.findall(r'<article [^>]*"alert-(\d+)"', client.get(f"/alerts?{query}").text)
    ]


def test_the_list_is_narrowed_by_rule_day_and_town_and_so_is_its_workbook(
    pages: Flask, town_store: Store, token: MakeToken
) -> None:
    alert = complained(town_store, CODES[27], "789")
    client = signed_in(pages, token(Role.REGULATOR))
    repeat = "alert=alert.repeat-offence"
    assert alert.id in numbers(client, "since=2026-07-09&until=2026-07-09")
    assert alert.id not in numbers(client, "since=2026-07-10") + numbers(client, "until=2026-07-08")
    assert alert.id not in numbers(client, repeat)
    assert numbers(client, "town=" + quote("没有的镇")) == []
    book = client.get("/alerts/export?since=2026-07-09&until=2026-07-09&alert=alert.three-complaints").data
    rows = list(openpyxl.load_workbook(io.BytesIO(book)).active.iter_rows(values_only=True))  # type: ignore[union-attr]
    assert [row[0] for row in rows if isinstance(row[0], int)] == [alert.id]


def test_nothing_is_done_without_the_form_or_by_others(
    pages: Flask, town_store: Store, token: MakeToken
) -> None:
    alert = complained(town_store, CODES[28])
    regulator = signed_in(pages, token(Role.REGULATOR))
    for path in (ACKNOWLEDGE, ASSIGN):
        assert regulator.post(path, data={}).status_code == 400
        assert send(regulator, path, **{"alert-999": "1"}, note="x") == 404
        for role in (Role.DEPARTMENT, Role.LENDER, Role.OPERATOR):
            assert send(signed_in(pages, token(role)), path, **ticks(alert), note="x") == 403
    assert get_alert(town_store, alert.id).version == alert.version
    assert regulator.get("/alerts/999").status_code == 404
    for query in ("state=lost", "before=x", f"before={10**30}", "since=x"):
        assert regulator.get(f"/alerts?{query}").status_code == 400
