"""What waits for an office today, and the way around from there."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from test_sign_in import signed_in
from test_ticket_pages import send
from test_visit_pages import asked
from town import AUTHORITY, CODES
from visitor import DESK, PHONE, Visitor

from fixtures.small import small_files
from rules.calendar import add_days, today
from rules.library.loader import load_vocabulary
from scoring.access.consents import Registration, lift_stop, register, stop_lender
from scoring.access.keys import Role, Who, create_key, rotate_key
from scoring.access.lending import Check, answer_checks
from scoring.changes.addresses import Answer
from scoring.changes.feed import Place
from scoring.changes.sending import send_due
from scoring.changes.subscriptions import Wanted as Receiver
from scoring.changes.subscriptions import end_subscription, subscribe
from scoring.facts.desk import Wanted
from scoring.facts.ingest.files import Reading, ingest_file, ingest_paths
from scoring.facts.objection_desk import list_objections
from scoring.facts.objections import MarkRequest, mark_record
from scoring.facts.undo import undo_file
from scoring.inspections.visits import State, list_visits
from scoring.inspections.visits import Wanted as WantedVisits
from scoring.live.alerts import Wanted as WantedAlerts
from scoring.live.alerts import list_alerts
from scoring.store import Store
from scoring.store.access import RunJob
from scoring.tickets.chart import Actor
from scoring.tickets.desk import Move, Subject, move_ticket, open_ticket

MakeToken = Callable[[Role], str]


def test_each_number_is_that_of_the_list_to_which_it_leads(regulator: Visitor, town_store: Store) -> None:
    regulator.open("/home")
    waits = {
        link.get_attribute("href").removeprefix(regulator.address): int(link.text.split()[0])
        for link in regulator.all(".waits a")
    }
    assert 0 not in waits.values()
    assert waits["/alerts"] == len(list_alerts(town_store, WantedAlerts(state="open")))
    regulator.press(".waits a[href='/alerts']")
    assert regulator.path == "/alerts"


def test_a_department_sees_what_waits_for_it_and_nothing_of_others(
    pages: Flask, token: MakeToken, town_store: Store
) -> None:
    regulator = signed_in(pages, token(Role.REGULATOR))
    assert send(regulator, "/visits", **asked()) == 303
    open_visits = list_visits(town_store, WantedVisits(office=AUTHORITY, state=State.ISSUED), today())
    shown = signed_in(pages, token(Role.DEPARTMENT)).get("/home").text
    assert f"<strong>{len(open_visits)}</strong>" in shown
    assert "/visits?state=issued" in shown
    assert "/alerts" not in shown
    other = create_key(town_store, Role.DEPARTMENT, "乙某", "样例区林业局").token
    assert "今天没有等您办理的事项" in signed_in(pages, other).get("/home").text
    unregistered = create_key(town_store, Role.DEPARTMENT, "丙某", "样例区未登记单位").token
    assert signed_in(pages, unregistered).get("/home").status_code == 200


def test_a_ticket_waits_for_who_has_to_do_the_next_step(
    pages: Flask, token: MakeToken, town_store: Store
) -> None:
    def waits(role: Role) -> dict[str, int]:
        shown = signed_in(pages, token(role)).get("/home").text
        found = re.findall(r'href="(/tickets[^"]*)"[^>]*>\s*<strong>(\d+)', shown)
        return {where: int(number) for where, number in found}

    before = waits(Role.DEPARTMENT)
    ticket = open_ticket(town_store, Subject("路灯不亮", "complaint"), Move("open", Actor.DESK, "样例"))
    collected = waits(Role.REGULATOR)["/tickets?stage=collected"]
    assert waits(Role.DEPARTMENT) == before
    move_ticket(town_store, ticket.id, Move("assign", Actor.OFFICE, "样例", owner="BM0"))
    assigned = "/tickets?stage=assigned"
    assert waits(Role.DEPARTMENT)[assigned] == before.get(assigned, 0) + 1
    assert waits(Role.REGULATOR).get("/tickets?stage=collected", 0) == collected - 1


def test_an_objection_waits_whoever_is_graded(
    pages: Flask, token: MakeToken, town_store: Store, tmp_path: Path
) -> None:
    taken = ingest_paths(town_store, small_files(), "tourism", Reading(quarantine=tmp_path))
    assert taken.files
    filed = MarkRequest("objection", "disputed", dt.date(2026, 9, 24), "已向法院起诉", (), "李专员")
    mark_record(town_store, load_vocabulary("tourism"), "LY-2", filed)
    client = signed_in(pages, token(Role.REGULATOR))
    shown = client.get("/home").text
    assert "异议待办理（旅游商户）" in shown
    assert "LY-2" in client.get("/objections?vocabulary=tourism").text


def test_a_department_finds_the_objections_to_its_own_records(
    pages: Flask, token: MakeToken, town_store: Store
) -> None:
    def shown(owner: str) -> str:
        client = signed_in(pages, create_key(town_store, Role.DEPARTMENT, "丁某", owner).token)
        client.set_cookie("language", "en")
        return client.get("/home").text

    wanted = Wanted(authority=AUTHORITY, is_open=True)
    waiting = len(list_objections(town_store, "enterprise", wanted))
    assert waiting
    words = "objection to a record" if waiting == 1 else "objections to records"
    told = shown(AUTHORITY)
    assert f"{words} of yours that " in told, "one is not several"
    assert re.search(rf'href="/objections"[^>]*>\s*<strong>{waiting}<', told)
    assert "/objections" not in re.sub("(?s)<header.*?</header>", "", shown("样例区税务局"))


def test_who_is_graded_begins_elsewhere(pages: Flask, token: MakeToken) -> None:
    client = signed_in(pages, token(Role.SUBJECT))
    assert client.get("/").location != "/home"
    assert client.get("/home").status_code == 403


def test_a_lender_finds_its_checks_its_stop_and_the_consents_that_end_soon(
    pages: Flask, town_store: Store
) -> None:
    name, day, office = "样例村镇银行", today(), Who("样例", Role.REGULATOR)
    ends = dt.datetime.now(dt.UTC) + dt.timedelta(9)
    key = create_key(town_store, Role.LENDER, "样例", name, expires_at=ends)
    assert signed_in(pages, key.token).get("/").location == "/home"
    colleague = create_key(town_store, Role.LENDER, "样例二", name, expires_at=ends)
    client = signed_in(pages, colleague.token)
    for code, days in ((CODES[30], 9), (CODES[31], 90)):
        register(town_store, office, Registration(code, ["loan"], day, add_days(day, days), name))
    bank = Who(key.key.prefix, Role.LENDER, name)
    answer_checks(town_store, "enterprise-credit", bank, [Check(CODES[30], "SQ-1", "loan")] * 2)
    shown = client.get("/home").text
    for told in ("<strong>1</strong>", "/consents?ending=yes", "本机构本月已查询2次", "请及时更换"):
        assert told in shown
    assert "已停止" not in shown
    stop_lender(town_store, office, name, "样例原因")
    assert f"{name}的查询自{day}起已停止:样例原因" in client.get("/home").text
    lift_stop(town_store, office, name, "样例")


def test_an_operator_finds_the_job_that_failed_the_receiver_that_fails_and_the_keys_that_end(
    pages: Flask, town_store: Store, token: MakeToken
) -> None:
    client = signed_in(pages, token(Role.OPERATOR))
    assert client.get("/").location == "/home"
    made, _ = subscribe(
        town_store,
        Who("样例", Role.REGULATOR),
        Receiver("样例平台", Role.REGULATOR, address="https://hub.example/x", after=Place(0)),
        "enterprise-credit",
    )
    list(send_due(town_store, lambda *_: Answer(503), "样例"))
    now = dt.datetime.now(dt.UTC)
    create_key(town_store, Role.REGULATOR, "样例", expires_at=now + dt.timedelta(9))
    with town_store.writing() as session:
        job = RunJob(
            pack_id="enterprise-credit", as_of=today(), state="failed", requested_by="样例",
            requested_at=now, changed_at=now,
        )  # fmt: skip
        session.add(job)
    shown = client.get("/home").text
    assert f"评价任务{job.id}未能完成" in shown
    assert "最近一次评价结果发布于" in shown
    assert re.search(r'href="/subscriptions"><strong>[1-9]', shown)
    ending = re.findall("30日内到期的密钥：[1-9][0-9]*个", shown)
    assert ending
    followed = create_key(town_store, Role.REGULATOR, "样例").key.prefix
    rotate_key(town_store, followed, dt.timedelta(9))
    assert ending[0] in client.get("/home").text, "one that has a successor is no worry"
    with town_store.writing() as session:
        session.delete(session.merge(job))
    end_subscription(town_store, Who("样例", Role.REGULATOR), made.id)


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_a_regulators_way_around_is_a_few_groups_of_which_the_present_one_is_marked(
    regulator: Visitor, size: tuple[int, int]
) -> None:
    regulator.look(size)
    regulator.open("/visits")
    assert len(regulator.all(".top-in > nav > ul > li")) <= 6
    assert [group.text.split()[0] for group in regulator.all("summary[aria-current]")] == ["监管"]
    for group in regulator.all(".top summary"):
        group.click()
        assert regulator.overflow() == 0
        opened = regulator.all(".top details[open]")
        assert len(opened) == 1, "one at a time"
        assert all(link.is_displayed() for link in opened[0].find_elements("css selector", "a"))
        assert regulator.faults() == []
    regulator.press(".top a[href='/visits']") if regulator.one(
        ".top a[href='/visits']"
    ).is_displayed() else None
    assert regulator.one(".top a[aria-current=page]").get_attribute("href").endswith("/visits")


def test_records_of_a_code_that_no_enterprise_has_are_seen_on_the_day_they_come(
    pages: Flask, token: MakeToken, town_store: Store, tmp_path: Path
) -> None:
    stranger = "91500159MA00000010"
    file = tmp_path / "错码.csv"
    head = "记录编号,统一社会信用代码,类别,失信程度,状态,等级,决定日期,认定机关"
    file.write_text(f"{head}\nCM-1,{stranger},行政处罚,一般,有效,罚款,2026-03-05,{AUTHORITY}\n")
    regulator, department = (signed_in(pages, token(role)) for role in (Role.REGULATOR, Role.DEPARTMENT))
    assert 'href="/orphans"' not in regulator.get("/home").text
    taken = ingest_file(town_store, file, "enterprise", Reading(quarantine=tmp_path))
    assert re.search(r'href="/orphans">\s*<strong>1</strong>', regulator.get("/home").text)
    listed = regulator.get("/orphans").text
    assert all(said in listed for said in (stranger, "CM-1", AUTHORITY))
    assert "1条记录的1个代码查无此企业" in regulator.get(f"/files/{taken.file_id}").text
    assert department.get("/orphans").status_code == 403
    assert '"/orphans"' not in department.get("/home").text
    assert taken.file_id is not None
    undo_file(town_store, taken.file_id, "样例")
    assert 'href="/orphans"' not in regulator.get("/home").text


@pytest.mark.parametrize(
    ("role", "organisation", "means"),
    [
        (Role.REGULATOR, AUTHORITY, "不决定对该单位记录的异议"),
        (Role.REGULATOR, None, "监管人员"),
        (Role.DEPARTMENT, AUTHORITY, "只见、只办该单位的事项"),
        (Role.LENDER, "样例银行", "按给该机构的授权查询"),
        (Role.OPERATOR, None, "系统管理员"),
    ],
)
def test_each_page_says_as_whom_one_is_signed_in_and_what_that_means(
    pages: Flask, town_store: Store, role: Role, organisation: str | None, means: str
) -> None:
    made = create_key(town_store, role, "郑某", organisation, dt.datetime(2999, 1, 1, tzinfo=dt.UTC))
    client = signed_in(pages, made.token)
    client.set_cookie("language", "zh")
    foot = client.get("/home").text.partition("<footer")[2]
    told = ["郑某", "所办事项署此名", organisation or "", means, made.key.prefix, "2999-01-01"]
    assert [said for said in told if said not in foot] == []
    assert made.token not in foot
