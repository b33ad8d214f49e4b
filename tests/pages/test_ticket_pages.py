"""The closed loop on the pages: from collecting a ticket to its end, by those who may."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from selenium.webdriver.support.select import Select
from test_sign_in import signed_in
from town import AUTHORITY, BODIES, FINED, NAMES
from visitor import Visitor

from rules.library.loader import load_vocabulary
from scoring.access.keys import Role
from scoring.facts.records import get_record
from scoring.store import Store
from scoring.tickets.chart import Actor
from scoring.tickets.desk import Move, Subject, Ticket, move_ticket, open_ticket, show_ticket

MakeToken = Callable[[Role], str]


@pytest.fixture
def assigned(town_store: Store) -> Ticket:
    """A ticket that the authority has to solve."""
    about = Subject("证照办理超期", "complaint")
    ticket = open_ticket(town_store, about, Move("open", Actor.DESK, "样例"))
    return move_ticket(town_store, ticket.id, Move("assign", Actor.OFFICE, "样例", owner="BM0"))


def test_tickets_are_listed_by_stage_and_the_overdue_are_marked(regulator: Visitor) -> None:
    regulator.open("/tickets?stage=assigned")
    row = next(row for row in regulator.all("tbody tr") if "用电增容受阻" in row.text)
    shown = " ".join(row.text.split())
    assert AUTHORITY in shown
    assert "特急件" in shown
    assert "2026-08-05" in shown
    assert "逾期" in shown
    assert "招牌审批反复" not in regulator.text("tbody")
    regulator.press(".tabs li:last-child a")
    assert "用电增容受阻" in regulator.text("tbody")
    assert regulator.one(".tabs [aria-current]").text.startswith("逾期")


def test_a_ticket_goes_all_the_way_on_the_pages(regulator: Visitor, town_store: Store) -> None:
    regulator.open("/tickets")
    regulator.one("#title").send_keys("排水接入迟缓")
    regulator.one("#counterpart").send_keys(FINED)
    regulator.press("main form button")
    assert stage(regulator) == "问题收集"
    assert NAMES[FINED] in regulator.text("dl.facts")
    regulator.one("#owner").send_keys(BODIES["BM2"])
    Select(regulator.one("#urgency")).select_by_value("urgent")
    regulator.press("[aria-labelledby=move-assign] button")
    assert stage(regulator) == "分类交办"
    assert BODIES["BM2"] in regulator.text("dl.facts")
    assert [form.text for form in regulator.all("main form h3")] == [
        "协调会商 Coordinate",
        "跟踪督办 Supervise",
        "更正 Correct",
    ]
    regulator.one("#note-coordinate").send_keys("已会商")
    regulator.press("[aria-labelledby=move-coordinate] button")
    assert stage(regulator) == "协调会商"
    regulator.press("[aria-labelledby=move-supervise] button")
    assert stage(regulator) == "跟踪督办"
    regulator.press("button[name=satisfied][value=false]")
    assert stage(regulator) == "分类交办"
    regulator.press("[aria-labelledby=move-supervise] button")
    assert regulator.text(".track li:nth-child(3)").endswith("—")  # left out, the second time
    regulator.press("button[name=satisfied][value=true]")
    assert stage(regulator) == "评估销号"
    assert [button.get_attribute("value") for button in regulator.all("[name=satisfied]")] == ["false"]
    assert len(regulator.all("tbody tr")) == 7
    assert "已会商" in regulator.text("tbody")
    ticket = show_ticket(town_store, int(regulator.path.rsplit("/", 1)[1]))
    assert (ticket.case.reopened, ticket.case.satisfied) == (1, True)


def test_what_somebody_else_moved_since_is_refused_with_a_message(
    regulator: Visitor, town_store: Store, assigned: Ticket
) -> None:
    regulator.open(f"/tickets/{assigned.id}")
    move_ticket(town_store, assigned.id, Move("supervise", Actor.SUPERVISOR, "别人"))
    regulator.press("[aria-labelledby=move-coordinate] button")
    assert "somebody else has moved it" in regulator.one("[role=alert]").text
    assert stage(regulator) == "跟踪督办"


def test_an_assignment_to_nobody_is_refused_and_what_was_written_stays(regulator: Visitor) -> None:
    regulator.open("/tickets/2")
    regulator.one("#owner").send_keys("无此单位")
    regulator.press("[aria-labelledby=move-assign] button")
    assert "无此单位 is none" in regulator.one("[role=alert]").text
    assert regulator.one("#owner").get_attribute("value") == "无此单位"


def test_a_department_sees_its_own_and_returns_it(
    visitor: Visitor, token: MakeToken, town_store: Store, assigned: Ticket
) -> None:
    visitor.sign_in(token(Role.DEPARTMENT))
    visitor.open("/tickets")
    assert "道路施工扰企" not in visitor.text()
    assert visitor.all("#collect") == []
    visitor.open(f"/tickets/{assigned.id}")
    assert [form.text for form in visitor.all("main form h3")] == ["退回 Return", "协调会商 Coordinate"]
    visitor.press("[aria-labelledby=move-return] button")
    assert visitor.path == "/tickets"
    assert assigned.number not in visitor.text()
    returned = show_ticket(town_store, assigned.id)
    assert (returned.case.stage, returned.steps[-1].actor) == ("collected", Actor.OWNER)
    visitor.open("/tickets/3")
    assert "没有找到" in visitor.text("h1")


def test_a_department_reads_that_what_came_by_file_counts_and_stands_elsewhere(
    pages: Flask, token: MakeToken
) -> None:
    said = "随文件报送的问题诉求不在此列"
    assert said in signed_in(pages, token(Role.DEPARTMENT)).get("/tickets").text
    assert said not in signed_in(pages, token(Role.REGULATOR)).get("/tickets").text


def test_the_owner_moves_as_the_owner_and_no_further(
    pages: Flask, token: MakeToken, town_store: Store, assigned: Ticket
) -> None:
    department = signed_in(pages, token(Role.DEPARTMENT))
    assert send(department, f"/tickets/{assigned.id}/steps", request="supervise", actor="supervisor") == 409
    assert send(department, "/tickets/3/steps", request="coordinate") == 404
    assert send(department, "/tickets", title="自报", source="hotline") == 403
    assert send(department, f"/tickets/{assigned.id}/steps", request="coordinate") == 303
    assert show_ticket(town_store, assigned.id).steps[-1].actor is Actor.OWNER
    record = get_record(town_store, load_vocabulary("department"), assigned.number)[0]
    assert record.data["stage"] == "coordinated"


def test_forms_that_say_nothing_useful_change_nothing(
    pages: Flask, token: MakeToken, town_store: Store, assigned: Ticket
) -> None:
    regulator = signed_in(pages, token(Role.REGULATOR))
    path = f"/tickets/{assigned.id}/steps"
    for form in ({}, {"request": "tick"}, {"request": "open"}, {"request": "evaluate"}, {"request": "x"}):
        assert send(regulator, path, **form) == 422
    assert regulator.post(path, data={"request": "coordinate"}).status_code == 400
    assert send(regulator, "/tickets", title="", source="hotline") == 422
    assert send(regulator, "/tickets", title="无来源", source="rumour") == 422
    for query in ("stage=lost", "before=x", f"before={10**30}"):
        assert regulator.get(f"/tickets?{query}").status_code == 400
    assert show_ticket(town_store, assigned.id) == assigned


def test_a_lender_sees_no_ticket(pages: Flask, token: MakeToken) -> None:
    lender = signed_in(pages, token(Role.LENDER))
    assert lender.get("/tickets").status_code == lender.get("/tickets/1").status_code == 403


def stage(visitor: Visitor) -> str:
    """The stage that the track marks."""
    return visitor.one(".track [aria-current] .station").text.split()[0]


def send(client: FlaskClient, path: str, **form: str) -> int:
    """Send a form of a page, a step on a case as who has it before them; the status of the answer."""
    client.get("/rules")  # any page gives the session its form token
    with client.session_transaction() as session:
        token = session["form_token"]
    return client.post(path, data={"form_token": token, **seen(client, path), **form}).status_code


def seen(client: FlaskClient, path: str) -> dict[str, str]:
    """What the form of a step says of the state of its case; nothing where there is none."""
    shown = client.get(path.removesuffix("/steps")).text if path.endswith("/steps") else ""
    return dict(re.findall(r'name="(version)" value="([^"]+)"', shown)[:1])
