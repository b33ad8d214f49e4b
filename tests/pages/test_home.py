"""What waits for an office today, and the way around from there."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from test_sign_in import signed_in
from test_ticket_pages import send
from test_visit_pages import asked
from town import AUTHORITY
from visitor import DESK, PHONE, Visitor

from rules.calendar import today
from scoring.access.keys import Role, create_key
from scoring.inspections.visits import State, Wanted, list_visits
from scoring.live.alerts import list_alerts
from scoring.store import Store

MakeToken = Callable[[Role], str]


def test_each_number_is_that_of_the_list_to_which_it_leads(regulator: Visitor, town_store: Store) -> None:
    regulator.open("/home")
    waits = {
        link.get_attribute("href").removeprefix(regulator.address): int(link.text.split()[0])
        for link in regulator.all(".waits a")
    }
    assert 0 not in waits.values()
    assert waits["/alerts"] == len(list_alerts(town_store, state="open"))
    regulator.press(".waits a[href='/alerts']")
    assert regulator.path == "/alerts"


def test_a_department_sees_what_waits_for_it_and_nothing_of_others(
    pages: Flask, token: MakeToken, town_store: Store
) -> None:
    regulator = signed_in(pages, token(Role.REGULATOR))
    assert send(regulator, "/visits", **asked()) == 303
    open_visits = list_visits(town_store, Wanted(office=AUTHORITY, state=State.ISSUED), today())
    shown = signed_in(pages, token(Role.DEPARTMENT)).get("/home").text
    assert f"<strong>{len(open_visits)}</strong>" in shown
    assert "/visits?state=issued" in shown
    assert "/alerts" not in shown
    other = create_key(town_store, Role.DEPARTMENT, "乙某", "样例区林业局").token
    assert "今天没有等您办理的事项" in signed_in(pages, other).get("/home").text
    unregistered = create_key(town_store, Role.DEPARTMENT, "丙某", "样例区未登记单位").token
    assert signed_in(pages, unregistered).get("/home").status_code == 200


@pytest.mark.parametrize("role", [Role.LENDER, Role.OPERATOR, Role.SUBJECT])
def test_who_has_no_office_begins_elsewhere(pages: Flask, token: MakeToken, role: Role) -> None:
    client = signed_in(pages, token(role))
    assert client.get("/").location != "/home"
    assert client.get("/home").status_code == 403


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
