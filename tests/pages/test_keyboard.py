"""Each job of the day is done by keyboard alone, and where the keyboard is can be seen at each step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.keys import Keys
from serving import served
from test_draft_pages import DAY, written
from test_everybody import focused, press
from test_file_pages import csv, row
from test_visit_pages import asked
from town import CODES, LENDER, NAMES
from visitor import Visitor

from api.app import create_app
from api.settings import Settings
from rules.calendar import add_days, today
from scoring.access.keys import Role, create_key
from scoring.rulemaking.desk import By, propose_pack
from scoring.rulemaking.draft import examine
from scoring.store import Store

_IS_SEEN = """
const box = arguments[0].getBoundingClientRect();
return box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
"""


@pytest.fixture
def town(idle_town: Store) -> Store:
    """A town of the test's own."""
    return idle_town


@pytest.fixture
def clerk(visitor: Visitor, town: Store) -> Iterator[Visitor]:
    """A regulator, signed in."""
    site = create_app(Settings(log_level="error"), town)
    with served(site) as address:
        clerk = replace(visitor, address=address)
        clerk.come_in(site, create_key(town, Role.REGULATOR, "键盘甲").token)
        yield clerk


def _is_reached(clerk: Visitor, selector: str) -> bool:
    """Whether one is there; wherever one is, it is seen."""
    place = focused(clerk)
    if place.tag_name != "body":
        assert clerk.browser.execute_script(_IS_SEEN, place), place.get_attribute("outerHTML")
        outline = place.value_of_css_property("outline-style")
        is_part = place.get_attribute("type") == "date"  # of its parts the one that is reached is marked
        assert is_part or outline in ("solid", "auto"), place.get_attribute("outerHTML")
    return bool(clerk.browser.execute_script("return arguments[0].matches(arguments[1])", place, selector))


def go(clerk: Visitor, selector: str, *keys: str) -> None:
    """Tab to something, seeing where one is all the way, and type. What a script puts in another's place
    meanwhile is passed by again."""
    for _ in range(150):
        press(clerk, Keys.TAB)
        is_reached = False
        with suppress(StaleElementReferenceException):
            is_reached = _is_reached(clerk, selector)
        if is_reached:
            press(clerk, *keys)
            return
    raise AssertionError(f"the keyboard never gets to {selector}")


def send(clerk: Visitor, selector: str, key: str = Keys.ENTER) -> None:
    """Tab to a button, press it, and wait for the page that follows."""
    page = clerk.one("html")
    go(clerk, selector, key)
    clerk.wait_until(lambda: clerk._is_gone(page))


def fill(clerk: Visitor, selector: str, value: str) -> None:
    """Give what no keyboard here can: a day in the order of the machine's language, a file of its window."""
    go(clerk, selector)
    if clerk.one(selector).get_attribute("type") == "file":
        clerk.one(selector).send_keys(value)
    else:
        clerk.browser.execute_script("arguments[0].value = arguments[1]", clerk.one(selector), value)


def test_a_subject_is_searched_and_the_next_page_is_read_on_from(clerk: Visitor) -> None:
    clerk.open("/home")
    go(clerk, ".find input", "例17号")
    page = clerk.one("html")
    press(clerk, Keys.ENTER)
    clerk.wait_until(lambda: clerk._is_gone(page))
    send(clerk, "#rows th a")
    assert NAMES[CODES[17]] in clerk.text("h1")
    clerk.open("/subjects")
    first = clerk.text("#rows th a")
    go(clerk, "#further a", Keys.ENTER)
    clerk.wait_until(lambda: clerk.text("#rows th a") != first)
    assert focused(clerk).get_attribute("id") == "found", "not thrown back to the top of the page"
    go(clerk, "#found a[download]")


def test_a_menu_that_is_left_does_not_lie_over_the_page(clerk: Visitor) -> None:
    clerk.open("/home")
    go(clerk, ".top nav summary", Keys.SPACE)
    assert len(clerk.all(".top details[open]")) == 1
    go(clerk, "main a")
    assert clerk.all(".top details[open]") == []


def test_a_reason_is_ended_by_enter_and_decides_nothing_yet(clerk: Visitor) -> None:
    """Enter pressed the first of several buttons: the one that upholds an objection that was taken up."""
    clerk.open("/objections/1")
    go(clerk, "#reason", "材料齐全", Keys.ENTER)
    assert focused(clerk).get_attribute("value") == "acknowledge"
    press(clerk, Keys.ENTER)
    clerk.wait_until(lambda: "已受理" in clerk.text("dl.facts"))
    go(clerk, "#reason", "核对中", Keys.ENTER)
    assert focused(clerk).get_attribute("value") == "uphold"
    assert "异议成立" not in clerk.text("dl.facts")
    send(clerk, "button[value=reject]", Keys.SPACE)
    assert "已驳回" in clerk.text("dl.facts")


def test_an_alert_is_acknowledged_a_run_asked_for_and_a_consent_registered(clerk: Visitor) -> None:
    clerk.open("/alerts/1")
    go(clerk, "#note", "已核实")
    send(clerk, "main form button")
    clerk.open("/alerts/1")
    assert "已核实" in clerk.text("dl.facts")
    clerk.open("/runs")
    fill(clerk, "#as_of", "2026-09-30")
    send(clerk, "main form button")
    assert "等待开始" in clerk.text("[aria-current=step]")
    clerk.open("/consents")
    for field, text in {"#subject_id": CODES[20], "#lender": LENDER}.items():
        go(clerk, field, text)
    go(clerk, "[name=purpose-loan]", Keys.SPACE)
    fill(clerk, "#valid_until", str(add_days(today(), 60)))
    go(clerk, "#reference", "SQ-KEY-1")
    send(clerk, "main form[action='/consents'] button")
    assert "SQ-KEY-1" in clerk.text("main")


def test_a_visit_is_issued_and_its_result_noted(clerk: Visitor) -> None:
    clerk.open("/visits")
    for name, text in asked(inspectors="ZF4、ZF5", subject_id=CODES[21]).items():
        if name not in ("ground", "begins_on", "ends_on"):
            go(clerk, f"#outside ~ form [name={name}]", text)
    send(clerk, "#outside ~ form button")
    go(clerk, "#outcome", Keys.ARROW_DOWN)
    go(clerk, "#findings", "台账不全")
    send(clerk, "input[value=result] ~ button")
    assert "台账不全" in clerk.text("[aria-labelledby=result]")


def test_a_file_is_looked_at_and_taken(clerk: Visitor, tmp_path: Path) -> None:
    file = tmp_path / "一月处罚.csv"
    file.write_bytes(csv(row("JP-1")))
    clerk.open("/files")
    fill(clerk, "#file", str(file))
    send(clerk, "form[enctype] button")
    send(clerk, "main form button")
    assert "一月处罚.csv" in clerk.text("main")
    assert clerk.path.removeprefix("/files/").isdecimal()


def test_a_draft_is_read_and_approved(clerk: Visitor, town: Store) -> None:
    draft = examine(town, written(), "draft.yaml", DAY, today())
    found = propose_pack(town, draft, "专题会议通过", By("cli:drafts", "operator"), today())
    clerk.open(f"/rules/drafts/{found.pack_hash}")
    go(clerk, "#approve_draft", "同意")
    send(clerk, "form[action$=approval] button")
    assert "已批准" in clerk.text("dl.facts")
