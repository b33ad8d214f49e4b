"""What the pages tell who is no regulator: in words and with buttons of its own, and nothing left out."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from itertools import pairwise

import pytest
from flask import Flask
from flask.testing import FlaskClient
from test_sign_in import signed_in
from town import AUTHORITY, FINED, LENDER, LISTED
from visitor import DESK, Visitor

from api.app import create_app
from api.settings import Settings
from rules.library.loader import load_vocabulary
from scoring.access.keys import Role, create_key
from scoring.facts.entries import FileInfo
from scoring.facts.records import submit_records
from scoring.store import Store
from scoring.tickets.chart import Actor
from scoring.tickets.desk import Move, Subject, open_ticket

MakeToken = Callable[[Role], str]


@pytest.fixture
def read(pages: Flask, town_store: Store) -> Callable[[Role, str, str], str]:
    """What stands on a page for somebody of a role, in Chinese."""
    return reading(pages, town_store)


def reading(pages: Flask, store: Store) -> Callable[[Role, str, str], str]:
    """The same of a town of one's own."""
    clients: dict[tuple[Role, str], FlaskClient] = {}

    def main(role: Role, organisation: str, path: str) -> str:
        if (role, organisation) not in clients:
            token = create_key(store, role, "样例", organisation or None).token
            clients[role, organisation] = signed_in(pages, token)
            clients[role, organisation].set_cookie("language", "zh")
        return clients[role, organisation].get(path).text.partition("<main")[2].partition("<footer")[0]

    return main


@pytest.mark.parametrize(
    ("role", "organisation"), [(Role.REGULATOR, ""), (Role.DEPARTMENT, AUTHORITY), (Role.SUBJECT, FINED)]
)
def test_an_application_for_repair_shows_the_record_that_it_is_about(
    read: Callable[[Role, str, str], str], role: Role, organisation: str
) -> None:
    shown = read(role, organisation, "/repairs/2")
    assert "2026-03-02" in shown.partition('id="record"')[2]


def test_the_steps_of_a_ticket_name_the_persons(
    read: Callable[[Role, str, str], str], town_store: Store
) -> None:
    key = create_key(town_store, Role.REGULATOR, "钱值班").key
    made = open_ticket(town_store, Subject("窗口排队久", "hotline"), Move("open", Actor.DESK, key.prefix))
    assert "钱值班" in read(Role.REGULATOR, "", f"/tickets/{made.id}")


def test_each_check_says_its_purpose(read: Callable[[Role, str, str], str]) -> None:
    for role, organisation in ((Role.LENDER, LENDER), (Role.REGULATOR, "")):
        assert "授信审批" in read(role, organisation, "/checks")


def test_a_department_reads_of_its_own_feeds_and_files_as_its_own(
    read: Callable[[Role, str, str], str],
) -> None:
    feeds = read(Role.DEPARTMENT, AUTHORITY, "/feeds")
    assert "本单位未中断报送" in feeds
    assert "请催报" not in feeds
    assert "尚未入库任何文件" not in read(Role.DEPARTMENT, "样例区林业局", "/files")


def test_an_empty_list_of_receivers_says_who_adds_them(own_town: Store) -> None:
    read = reading(create_app(Settings(log_level="error"), own_town), own_town)
    assert "由信用监管机构、部门或金融机构登记" in read(Role.OPERATOR, "", "/subscriptions")
    assert "请在下方登记" in read(Role.DEPARTMENT, "样例区林业局", "/subscriptions")


@pytest.mark.parametrize("role", [Role.REGULATOR, Role.SUBJECT])
def test_the_buttons_above_a_subject_stand_together(
    visitor: Visitor, pages: Flask, town_store: Store, role: Role
) -> None:
    visitor.look(DESK)
    organisation = LISTED if role is Role.SUBJECT else None
    visitor.come_in(pages, create_key(town_store, role, "样例", organisation).token)
    visitor.open(f"/subjects/enterprise-credit/{LISTED}")
    places = [button.rect for button in visitor.all(".head .button, .head button")]
    gaps = [
        after["x"] - before["x"] - before["width"]
        for before, after in pairwise(places)
        if after["y"] == before["y"]
    ]
    assert len(places) == 4
    assert max(gaps) < 20


def test_records_are_listed_the_newest_first_page_by_page_each_once(own_town: Store) -> None:
    site = create_app(Settings(log_level="error"), own_town)
    client = signed_in(site, create_key(own_town, Role.DEPARTMENT, "样例", AUTHORITY).token)
    days, rows, path = list[str](), list[dict[str, str]](), "/subjects/department-credit/BM0/records"
    more = {"kind": "satisfaction_answer", "status": "effective", "score": "80", "year": "2026"} | {
        "subject_id": "BM0"
    }
    rows += [more | {"record_id": f"ZZ-{n}", "occurred_on": f"2026-0{1 + n}-01"} for n in range(3)]
    rows += [more | {"record_id": f"AA-{n}", "occurred_on": f"2026-0{4 + n}-01"} for n in range(3)]
    rows += [more | {"record_id": f"MM-{n}", "occurred_on": "2026-03-15"} for n in range(12)]
    submit_records(own_town, load_vocabulary("department"), rows, FileInfo("newest", "list.csv"))
    seen = list[str]()
    while path:
        text = client.get(path).text.partition("<main")[2]
        seen += re.findall(r"<h2><code>([^<]+)</code></h2>", text)
        days += re.findall(r'</h2> <time datetime="([^"]+)"', text)
        found = re.search(r'class="button" href="([^"]+)"', text)
        path = html.unescape(found[1]) if found else ""
    assert days == sorted(days, reverse=True)
    assert len(seen) == len(set(seen)) == len(days) > 50
    assert [number for number in seen if number[:2] == "AA"] == ["AA-2", "AA-1", "AA-0"]


def test_what_changes_on_a_day_to_come_is_a_line_a_rule(read: Callable[[Role, str, str], str]) -> None:
    shown = read(Role.SUBJECT, FINED, f"/subjects/enterprise-credit/{FINED}")
    table = shown.partition('id="forecast"')[2].partition("</table>")[0]
    rows = [re.findall(r"<(div|p)>(.*?)</\1>", row, re.S) for row in table.split("<tr>")]
    days = [[text.strip() for _, text in row] for row in rows]
    version = next(lines for lines in days if any("换版" in line for line in lines))
    assert sum("换版" in line for line in version) == 1, "once, before what it does"
    rules = [re.split(r" <code| × | [+−]?\d", line)[0] for line in version]
    assert len(rules) == len(set(rules)) > 1
    assert any("× " in line for lines in days for line in lines), "records of one rule together"
