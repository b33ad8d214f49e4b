"""Pages that everybody can use: by keyboard, by ear, on a phone, in the dark, and without any other host."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from urllib.parse import urlsplit

import pytest
from flask import Flask
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from town import AUTHORITY, LENDER, LISTED
from visitor import DESK, PHONE, Visitor

from scoring.access.keys import Role, create_key
from scoring.store import Store

PAGES = {
    "home": "/home",
    "alert": "/alerts/1",
    "overview": "/overview",
    "movers": "/movers",
    "subjects": "/subjects",
    "subject": f"/subjects/enterprise-credit/{LISTED}",
    "report": f"/subjects/enterprise-credit/{LISTED}/report",
    "paths": f"/subjects/enterprise-credit/{LISTED}/paths",
    "ranking": "/ranking",
    "runs": "/runs",
    "feeds": "/feeds",
    "files": "/files",
    "file": "/files/1",
    "packs": "/rules",
    "pack": "/rules/rural-credit",
    "changes": "/rules/enterprise-credit/changes",
    "plans": "/inspections",
    "population": "/forecast",
    "plan": "/inspections/1",
    "visits": "/visits",
    "visit": "/visits/314159265358",
    "verified visit": "/verify?code=314159265358",
    "editor": "/rules/rural-credit/edit",
    "drafts": "/rules/drafts",
    "trials": "/rules/trials",
    "trial": "/rules/trials/1",
    "simulation": "/simulation",
    "backtest": "/backtest?as_of=2026-01-31&months=6&sample=penalty&known=now",
    "drift": "/drift",
    "checks": "/checks",
    "consents": "/consents",
    "quick start": "/quick-start",
    "alerts": "/alerts",
    "scans for alerts": "/alerts/scans",
    "orphans": "/orphans",
    "record proposals": "/record-proposals",
    "verify report": "/verify-report",
    "objections": "/objections?state=all",
    "objection": "/objections/1",
    "objection figures": "/objections/figures",
    "repairs": "/repairs?state=all",
    "repair": "/repairs/2",
    "application for repair": "/repairs/new?record=P-2",
    "repair figures": "/repairs/figures",
    "consequences": "/consequences",
    "subscriptions": "/subscriptions",
    "tickets": "/tickets",
    "ticket": "/tickets/1",
    "ticket to assign": "/tickets/2",
    "error": "/inspections/99",
}


_DOOR = f"/subjects/enterprise-credit/{LISTED}"
PAGES_OF = {
    (Role.DEPARTMENT, AUTHORITY): (
        "/home",
        "/subjects/department-credit/BM0",
        "/subjects/department-credit/BM0/records",
        "/visits",
        "/files",
        "/feeds",
        "/subscriptions",
        "/objections?state=all",
        "/repairs/2",
        "/consequences?state=all",
        "/tickets",
        "/tickets/1",
        "/alerts",  # which is not for it
    ),
    (Role.SUBJECT, LISTED): (
        _DOOR,
        f"{_DOOR}/records",
        f"{_DOOR}/paths",
        "/own/visits",
        "/objections",
        "/objections/new?record=L-1",
        "/repairs",
        "/repairs/new?record=L-1",
        "/consequences?state=all",
        "/tickets",
    ),
    (Role.OPERATOR, None): ("/home", "/overview", "/runs", "/subscriptions"),
    (Role.LENDER, LENDER): ("/home", "/checks", "/consents", "/consents?ending=yes", "/subscriptions"),
}
"""Pages that show something else to others than to a regulator."""


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES.keys())
def test_a_page_can_be_used_by_eye_by_ear_and_on_a_phone_in_the_dark(regulator: Visitor, path: str) -> None:
    assert_usable(regulator, path)


@pytest.mark.parametrize("whose", PAGES_OF, ids=lambda whose: str(whose[0]))
def test_so_can_those_of_every_other_role(
    visitor: Visitor, pages: Flask, town_store: Store, whose: tuple[Role, str | None]
) -> None:
    visitor.come_in(pages, create_key(town_store, whose[0], "样例", whose[1]).token)
    for path in PAGES_OF[whose]:
        assert_usable(visitor, path)


def assert_usable(visitor: Visitor, path: str) -> None:
    """By eye and by ear, at a desk and on a phone in the dark."""
    for size, dark in ((DESK, False), (PHONE, True)):
        visitor.look(size, dark)
        visitor.open(path)
        unfold(visitor)
        assert visitor.faults() == [], (path, size, dark)
        assert visitor.overflow() == 0, (path, size)
    assert visitor.one("html").get_attribute("lang") == "zh-CN"
    levels = [int(heading.tag_name[1]) for heading in visitor.all("h1, h2, h3, h4")]
    assert levels[0] == 1, path
    assert levels.count(1) == 1, path
    assert all(below - above <= 1 for above, below in pairwise(levels)), path
    assert visitor.browser.title.endswith("信衡 Xinheng")
    assert len(visitor.all("table > caption")) == len(visitor.all("table")), path


@pytest.mark.parametrize(
    ("role", "organisation", "link", "reached"),
    [
        (Role.DEPARTMENT, AUTHORITY, "/tickets?overdue=yes", "/tickets"),
        (Role.SUBJECT, LISTED, f"{_DOOR}/records", f"{_DOOR}/records"),
        (Role.OPERATOR, None, "/runs", "/runs"),
        (Role.LENDER, LENDER, "/consents", "/consents"),
    ],
)
def test_each_role_gets_from_the_door_to_its_work_by_keyboard_alone(
    visitor: Visitor, town_store: Store, role: Role, organisation: str | None, link: str, reached: str
) -> None:
    visitor.open("/sign-in")
    press(visitor, create_key(town_store, role, "样例", organisation).token, Keys.ENTER)
    visitor.wait_until(lambda: visitor.path in ("/home", _DOOR))
    tab_to(visitor, lambda: (focused(visitor).get_attribute("href") or "").endswith(link))
    assert focused(visitor).value_of_css_property("outline-style") == "solid"
    press(visitor, Keys.ENTER)
    visitor.wait_until(lambda: visitor.path == reached)


@pytest.mark.parametrize("page", ["population", "report", "drift"])
def test_on_a_phone_no_table_is_pushed_sideways(regulator: Visitor, page: str) -> None:
    regulator.look(PHONE)
    regulator.open(PAGES[page])
    wider = (
        "return [...document.querySelectorAll('.scroll')].some((box) => box.scrollWidth > box.clientWidth)"
    )
    assert not regulator.browser.execute_script(wider)


@pytest.mark.parametrize("page", ["ranking", "subjects"])
def test_on_a_phone_a_screen_holds_five_of_a_list(regulator: Visitor, page: str) -> None:
    """Each value under its heading made three of them a screen, and lists of 13,000 pixels."""
    regulator.look(PHONE)
    regulator.open(PAGES[page])
    rows = [row.size["height"] for row in regulator.all("tbody tr:not(.later)")]
    assert sorted(rows)[len(rows) // 2] * 5 <= PHONE[1]


@pytest.mark.parametrize(("size", "shown"), [(PHONE, [15, 30]), (DESK, [50])])
def test_a_phone_shows_a_long_list_by_and_by(
    regulator: Visitor, size: tuple[int, int], shown: list[int]
) -> None:
    """Of fifty subjects the last was nine screens down, with what leads to the next page under it."""
    regulator.look(size)
    regulator.open("/subjects")

    def rows() -> list[WebElement]:
        return [row for row in regulator.all("#rows tr") if row.is_displayed()]

    for place, number in enumerate(shown):
        if place:
            regulator.one(".more").click()
            assert focused(regulator).get_attribute("href") == rows()[15].find_element(
                "css selector", "a"
            ).get_attribute("href")
        assert len(rows()) == number
    assert regulator.one(".more").is_displayed() is (size == PHONE)
    assert regulator.overflow() == 0


def test_the_sign_in_page_is_for_everybody_too(visitor: Visitor) -> None:
    for size, dark in ((DESK, False), (DESK, True), (PHONE, False)):
        visitor.look(size, dark)
        visitor.open("/sign-in")
        assert visitor.faults() == []
        assert visitor.overflow() == 0


def test_no_page_asks_another_host_or_complains_in_the_console(regulator: Visitor) -> None:
    for path in PAGES.values():
        regulator.open(path)
    here = urlsplit(regulator.address).netloc
    assert regulator.hosts() - {""} == {here}
    meant = f"{regulator.address}/inspections/99 "
    assert [said for said in regulator.complaints() if not said.startswith(meant)] == []


def test_scripts_and_styles_come_from_files_of_this_server_alone(pages: Flask) -> None:
    policy = pages.test_client().get("/sign-in").headers["Content-Security-Policy"]
    rules = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == "'self'"
    assert rules["frame-ancestors"] == "'none'"


def test_from_the_door_to_an_explanation_by_keyboard_alone(
    visitor: Visitor, token: Callable[[Role], str]
) -> None:
    visitor.open("/sign-in")
    assert focused(visitor).get_attribute("id") == "key"
    press(visitor, token(Role.REGULATOR), Keys.ENTER)
    visitor.wait_until(lambda: visitor.path == "/home")
    tab_to(visitor, lambda: focused(visitor).tag_name == "summary" and "评价" in focused(visitor).text)
    press(visitor, Keys.ENTER)
    tab_to(visitor, lambda: (focused(visitor).get_attribute("href") or "").endswith("/overview"))
    press(visitor, Keys.ENTER)
    visitor.wait_until(lambda: visitor.path == "/overview")
    press(visitor, Keys.TAB)
    assert focused(visitor).get_attribute("class") == "skip"
    press(visitor, Keys.ENTER)
    assert focused(visitor).get_attribute("id") == "content"
    tab_to(visitor, lambda: "enterprise-credit&tier=D" in (focused(visitor).get_attribute("href") or ""))
    press(visitor, Keys.ENTER)
    visitor.wait_until(lambda: visitor.path == "/subjects")
    tab_to(visitor, lambda: LISTED in (focused(visitor).get_attribute("href") or ""))
    press(visitor, Keys.ENTER)
    visitor.wait_until(lambda: visitor.path.endswith(LISTED))
    tab_to(visitor, lambda: focused(visitor).tag_name == "summary" and "未适用" in focused(visitor).text)
    press(visitor, Keys.ENTER)
    assert visitor.one(".misses").is_displayed()


def test_focus_can_be_seen(regulator: Visitor) -> None:
    regulator.open("/overview")
    press(regulator, Keys.TAB, Keys.TAB)
    assert focused(regulator).value_of_css_property("outline-style") == "solid"


def test_in_the_dark_the_page_is_dark(regulator: Visitor) -> None:
    regulator.open("/overview")
    day = regulator.one("body").value_of_css_property("background-color")
    regulator.look(dark=True)
    night = regulator.one("body").value_of_css_property("background-color")
    assert brightness(day) > 200 > 60 > brightness(night)


def test_the_language_can_be_chosen(regulator: Visitor) -> None:
    regulator.open("/overview")
    regulator.press(".languages a[lang=en]")
    assert regulator.path == "/overview"
    assert regulator.one("html").get_attribute("lang") == "en"
    assert regulator.text("h1") == "Overview"
    regulator.press(".languages li:nth-child(2) a")
    assert regulator.text("h1") == "总览"


def is_pushed(box: WebElement) -> bool:
    """Whether something is wider than its box."""
    return int(box.get_property("scrollWidth")) > int(box.get_property("clientWidth"))  # type: ignore[arg-type]


def unfold(visitor: Visitor) -> None:
    """Open everything that is folded up."""
    visitor.browser.execute_script("document.querySelectorAll('details').forEach(d => { d.open = true })")


def focused(visitor: Visitor) -> WebElement:
    """Where the keyboard is."""
    return visitor.browser.switch_to.active_element


def press(visitor: Visitor, *keys: str) -> None:
    """Type."""
    ActionChains(visitor.browser).send_keys(*keys).perform()


def tab_to(visitor: Visitor, is_there: Callable[[], bool], most: int = 120) -> None:
    """Press the tabulator until somewhere."""
    for _ in range(most):
        press(visitor, Keys.TAB)
        if is_there():
            return
    raise AssertionError("the keyboard never gets there")


def brightness(colour: str) -> float:
    """The mean of red, green and blue in rgb(…)."""
    parts = [float(part) for part in colour.split("(")[1].rstrip(")").split(",")[:3]]
    return sum(parts) / 3
