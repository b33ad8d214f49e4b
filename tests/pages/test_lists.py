"""Lists of a district's work: who moved and why, subjects by attribute, and all of it in a spreadsheet."""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openpyxl import load_workbook
from test_sign_in import signed_in
from town import CODES, FINED, FINED_ONCE, LISTED, NAMES, SPRING, SUMMER

from api.pages import checks
from scoring.access.audit import AuditLog, Event
from scoring.access.keys import Role, create_key
from scoring.access.lending import ACTION
from scoring.answers.movers import Wanted, count_movers, list_movers, standing_on
from scoring.answers.search import list_subjects
from scoring.runs.published import RunSummary, current_run
from scoring.store import Store

PACK = "enterprise-credit"
TIERS = ("A", "B", "C", "D")


@pytest.fixture
def client(pages: Flask, token: Callable[[Role], str]) -> FlaskClient:
    """A regulator without a browser."""
    return signed_in(pages, token(Role.REGULATOR))


def sheet(client: FlaskClient, address: str) -> list[list[Any]]:
    """The rows of a workbook that is taken away."""
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Disposition"].endswith(".xlsx")
    return [[cell.value for cell in row] for row in load_workbook(io.BytesIO(answer.data)).active]


def text(client: FlaskClient, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    return " ".join(answer.text.split())


def runs(store: Store) -> tuple[RunSummary, RunSummary]:
    before, run = (standing_on(store, PACK, day) for day in (SPRING, SUMMER))
    assert before is not None
    assert run is not None
    return before, run


def test_all_moves_between_two_dates_say_by_which_rules(town_store: Store) -> None:
    before, run = runs(town_store)
    down = {move.subject_id: move for move in list_movers(town_store, before, run, Wanted(TIERS, "down"))}
    assert down[LISTED].tier == "D"
    assert any("list" in rule for rule in down[LISTED].begun)
    assert down[LISTED].facets["industry"] == "retail"
    back = list_movers(town_store, run, before, Wanted(TIERS, "up", tier_before="D"))
    assert LISTED in {move.subject_id for move in back}
    rule = down[LISTED].begun[0]
    by_rule = Wanted(TIERS, rule=rule)
    found = list_movers(town_store, before, run, by_rule)
    assert LISTED in {move.subject_id for move in found}
    assert all(rule in move.begun + move.ended for move in found)
    assert count_movers(town_store, before, run, by_rule) == len(found)
    assert count_movers(town_store, before, run, Wanted(TIERS, facets={"industry": "nothing"})) == 0


def test_every_mover_is_listed_once_page_by_page(town_store: Store) -> None:
    before, run = runs(town_store)
    everybody = list_movers(town_store, before, run, Wanted(TIERS), limit=1000)
    assert len(everybody) == count_movers(town_store, before, run, Wanted(TIERS)) > 1
    first, *_ = list_movers(town_store, before, run, Wanted(TIERS), limit=1)
    rest = list_movers(town_store, before, run, Wanted(TIERS), first.subject_id, 1000)
    assert [first, *rest] == everybody


def test_movers_are_one_click_from_the_overview(client: FlaskClient) -> None:
    overview = client.get("/overview").text
    address = next(part for part in overview.split('"') if part.startswith("/movers?"))
    assert NAMES[LISTED] in text(client, address.replace("&amp;", "&"))
    assert NAMES[LISTED] not in text(client, "/movers?direction=up")
    assert NAMES[LISTED] in text(client, "/movers?from=2026-05-01&to=2026-08-01&tier=D")
    assert client.get("/movers?direction=sideways").status_code == 400
    assert client.get("/movers?from=yesterday").status_code == 400
    assert client.get("/movers?from=1999-01-01").status_code == 404


def test_the_links_of_a_list_keep_what_was_asked_whatever_it_is_called(
    client: FlaskClient, town_store: Store
) -> None:
    listed = next(
        m for m in list_movers(town_store, *runs(town_store), Wanted(TIERS)) if m.subject_id == LISTED
    )
    asked = f"rule={listed.begun[0]}&tier=D&_external=1&endpoint=x"
    assert f"/movers/export?{asked.replace('&', '&amp;')}" in text(client, f"/movers?{asked}")
    assert len(sheet(client, f"/movers/export?{asked}")) > 3


def test_a_pasted_code_is_found_with_spaces_in_any_width_and_case(client: FlaskClient) -> None:
    code = CODES[3]
    wide = "".join(chr(ord(character) + 0xFEE0) for character in code.lower())
    for pasted in (
        f" {code[:8]} {code[8:]} ",
        f"{code[:8]} {code[8:17]}",
        f"{code[:4]}　{code[4:]}".lower(),
        wide,
    ):
        answer = client.get("/subjects", query_string={"search": pasted})
        assert NAMES[CODES[3]] in answer.text, pasted
        assert '<span id="total">1</span>' in answer.text


def test_a_search_box_stands_on_every_page_of_who_may_search(
    client: FlaskClient, pages: Flask, token: Callable[[Role], str]
) -> None:
    assert 'class="find"' in client.get("/rules").text
    for role in (Role.LENDER, Role.DEPARTMENT):
        assert 'class="find"' not in signed_in(pages, token(role)).get("/rules").text


def test_subjects_are_narrowed_and_put_in_order(client: FlaskClient, town_store: Store) -> None:
    shown = text(client, "/subjects?industry=retail&size=small&sort=high")
    assert '<span id="total">60</span>' in shown
    assert text(client, "/subjects?industry=nothing").count("无符合条件的主体") == 1
    assert client.get("/subjects?sort=sideways").status_code == 400
    run = current_run(town_store, PACK)
    assert run is not None
    for sort in ("low", "high", "next"):
        everybody = list_subjects(town_store, run, limit=1000, sort=sort)
        first = list_subjects(town_store, run, limit=7, sort=sort)
        place = (first[-1].place, first[-1].subject_id)
        assert first + list_subjects(town_store, run, after=place, limit=1000, sort=sort) == everybody
    days = [row.next_change_on or dt.date.max for row in list_subjects(town_store, run, sort="next")]
    assert days == sorted(days)


def test_subjects_and_movers_go_into_a_spreadsheet_with_names_points_and_dates(client: FlaskClient) -> None:
    title, asked, headings, *rows = sheet(client, "/subjects/export?tier=D")
    assert title[0].startswith("主体")
    assert "等级 Tier: D" in asked[0]
    listed = dict(zip(headings, next(row for row in rows if LISTED in row), strict=True))
    assert listed["名称 Name"] == NAMES[LISTED]
    assert 0 <= listed["得分 Score"] <= 200, "points, not hundredths"
    assert isinstance(listed["下次变化 Next change"], dt.datetime | None)
    _, asked, headings, *rows = sheet(client, "/movers/export?direction=down")
    assert str(SPRING) in asked[0]
    assert str(SUMMER) in asked[0]
    moved = dict(zip(headings, next(row for row in rows if LISTED in row), strict=True))
    assert moved["现等级 Tier now"] == "D"
    assert moved["新适用 began to count"]


def test_every_list_of_the_pages_goes_into_a_spreadsheet(client: FlaskClient) -> None:
    for address, holds in {
        "/alerts/export": NAMES[FINED],
        "/tickets/export": NAMES[FINED],
        "/inspections/1/export": NAMES[FINED],
        "/ranking/export": "样例区税务局",
        f"/rules/{PACK}/penalty.general/hits/export": NAMES[FINED_ONCE],
        "/subjects/export": NAMES[CODES[59]],
    }.items():
        rows = sheet(client, address)
        assert any(holds in map(str, row) for row in rows[3:]), address
    assert len(sheet(client, "/feeds/export?body=nobody")) == 3


def test_a_spreadsheet_of_a_rule_that_there_is_not_is_not_an_empty_one(client: FlaskClient) -> None:
    """Empty it would say that the rule hits nobody."""
    assert client.get(f"/rules/{PACK}/penalty.genral/hits/export").status_code == 404


def test_a_spreadsheet_keeps_no_persons_number_that_was_searched_for(client: FlaskClient) -> None:
    assert "11010519491231002X" not in str(sheet(client, "/subjects/export?search=11010519491231002X"))


def test_an_enterprise_takes_its_own_tickets_away_and_nothing_else(
    pages: Flask, town_store: Store, token: Callable[[Role], str]
) -> None:
    own = signed_in(pages, create_key(town_store, Role.SUBJECT, "x", LISTED).token)
    assert len(sheet(own, "/tickets/export")) == 3, "the town's tickets are another's"
    lender = signed_in(pages, token(Role.LENDER))
    for address in ("/subjects/export", "/movers/export", "/alerts/export", "/ranking/export"):
        assert own.get(address).status_code == lender.get(address).status_code == 403
    assert lender.get("/tickets/export").status_code == 403


def test_a_lenders_checks_go_on_behind_those_of_the_first_page(
    pages: Flask, town_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank = "分页银行"
    said = [{"lender": bank, "consent": f"FY-{n}", "outcome": "refused"} for n in range(3)]
    AuditLog(town_store).write([Event("x", "lender", ACTION, LISTED, details=one) for one in said])
    lender = signed_in(pages, create_key(town_store, Role.LENDER, bank, bank).token)
    monkeypatch.setattr(checks, "SHOWN", 2)
    shown, pages_seen, address = list[str](), 0, "/checks"
    while address:
        text = lender.get(address).text
        shown += re.findall(r"FY-\d", text)
        further = re.search(r'href="(/checks\?before=\d+)"', text)
        address, pages_seen = further[1] if further else "", pages_seen + 1
    assert (shown, pages_seen) == (["FY-2", "FY-1", "FY-0"], 2)
