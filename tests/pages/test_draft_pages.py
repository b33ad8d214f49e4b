"""A draft becomes law on the pages: one regulator proposes, another approves with the movers before them."""

from __future__ import annotations

import re
from pathlib import Path

from flask import Flask
from test_sign_in import signed_in
from test_ticket_pages import send
from visitor import DESK, PHONE, Visitor

from api.resources.simulations import NO_TIME, one_at_a_time
from rules.calendar import add_days, today
from rules.library.loader import PACKS
from scoring.access.audit import entries
from scoring.access.keys import Role, create_key
from scoring.rulemaking.desk import By, propose_pack
from scoring.rulemaking.draft import _tried, examine
from scoring.store import Store
from scoring.store.rulebook import known_packs

DAY = add_days(today(), 40)


def written() -> str:
    """The version of 2026, stricter, from a day to come; no example is of the whole."""
    text = (PACKS / "enterprise-credit.yaml").read_text(encoding="utf-8")
    text = re.sub(r"(?m)^version: .*$", 'version: "2099.9"', text)
    text = re.sub(r"(?m)^in_force: .*$", f"in_force: {{from: {DAY}}}", text)
    text = re.sub(r"(?m)(, |^ {8})tier: [A-D](\}|$)", r"\1hit: true\2", text)
    return text.replace("start: 78", "start: 60").partition("\nexamples:\n")[0] + "\n"


def come_in(visitor: Visitor, pages: Flask, store: Store, owner: str) -> None:
    visitor.come_in(pages, create_key(store, Role.REGULATOR, owner).token)


def to_approve(visitor: Visitor) -> int:
    """How many versions wait for the visitor's approval."""
    visitor.open("/home")
    found = re.search(r"(\d+)\s+评价规则新版本待批准", visitor.text("main"))
    return int(found[1]) if found else 0


def test_one_regulator_proposes_and_another_approves_what_they_see(
    visitor: Visitor, pages: Flask, town_store: Store, tmp_path: Path
) -> None:
    file = tmp_path / "draft.yaml"
    file.write_text(written(), encoding="utf-8")
    come_in(visitor, pages, town_store, "起草甲")
    others = to_approve(visitor)
    visitor.open("/rules/drafts")
    assert (visitor.faults(), visitor.overflow()) == ([], 0)
    visitor.browser.execute_script("document.getElementById('begins').value = arguments[0]", str(DAY))
    visitor.one("#file").send_keys(str(file))
    visitor.press("main form button")
    assert "2026.2" in visitor.text("dl.facts")
    assert "60" in visitor.text("[aria-labelledby=differences]")
    assert visitor.all("[aria-labelledby=movers] tbody tr")
    visitor.one("#reason").send_keys("专题会议通过")
    visitor.press("form[action$=proposal] button")
    place = visitor.path
    for size, dark in ((DESK, False), (PHONE, True)):
        visitor.look(size, dark)
        visitor.open(place)
        assert (visitor.faults(), visitor.overflow()) == ([], 0), (size, dark)
    visitor.look(DESK)
    visitor.one("#approve_draft").send_keys("同意")
    visitor.press("form[action$=approval] button")
    assert "须由他人批准" in visitor.text("[role=alert]")
    assert len(visitor.complaints()) == 1  # of the 409
    assert to_approve(visitor) == others, "it waits for somebody else"
    come_in(visitor, pages, town_store, "审批乙")
    assert to_approve(visitor) == others + 1
    visitor.open(place)
    assert "专题会议通过" in visitor.text("dl.facts")
    visitor.one("#approve_draft").send_keys("已核对变动名单")
    visitor.press("form[action$=approval] button")
    assert "已批准" in visitor.text("dl.facts")
    assert "审批乙" in visitor.text("dl.facts")
    visitor.open("/rules")
    row = next(each.text for each in visitor.all("tbody tr") if "2099.9" in each.text)
    assert "待施行" in row
    visitor.open("/rules/enterprise-credit?version=2099.9")
    assert "2099.9" in visitor.text()
    visitor.open(place)
    visitor.one("#withdraw_draft").send_keys("推迟")
    visitor.press("form[action$=withdrawal] button")
    assert "已撤回" in visitor.text("dl.facts")
    assert "2099.9" not in {pack.version for pack in known_packs(town_store)}
    assert visitor.complaints() == []
    steps = [entry.action for entry in entries(town_store) if entry.action.startswith("rules.")]
    assert steps[:3] == ["rules.withdraw", "rules.approve", "rules.propose"]


def test_a_long_draft_is_written_into_the_form_as_well_as_sent_as_a_file(
    pages: Flask, town_store: Store
) -> None:
    """Of a field beside a file the framework takes half a megabyte by itself."""
    client = signed_in(pages, create_key(town_store, Role.REGULATOR, "起草丙").token)
    client.get("/rules/drafts")
    with client.session_transaction() as session:
        form = {"form_token": session["form_token"], "begins": str(DAY)}
    text = "# 说明\n" * 60_000
    answer = client.post("/rules/drafts", data={**form, "text": text}, content_type="multipart/form-data")
    assert (answer.status_code, "pack, version, title" in answer.text) == (422, True)


def test_a_draft_is_shown_with_who_would_move_while_somebody_else_simulates(
    pages: Flask, town_store: Store
) -> None:
    """Its own simulation is kept for its text, its day and what is known, and waited for where it is not;
    what lint and its examples say took seconds for each who looked.
    """
    draft = examine(town_store, written().replace("start: 60", "start: 59"), "draft.yaml", DAY, today())
    digest = propose_pack(town_store, draft, "专题会议通过", By("cli:li", "operator"), today()).pack_hash
    client = signed_in(pages, create_key(town_store, Role.REGULATOR, "审批丁").token)
    tried = _tried.cache_info().misses
    first = client.get(f"/rules/drafts/{digest}")
    with one_at_a_time(NO_TIME):
        again = client.get(f"/rules/drafts/{digest}")
    assert (first.status_code, 'aria-labelledby="movers"' in first.text) == (200, True)
    assert (again.status_code, 'aria-labelledby="movers"' in again.text) == (200, True)
    assert _tried.cache_info().misses == tried
    with one_at_a_time(NO_TIME):
        form = {"text": written().replace("start: 60", "start: 58"), "as_of": str(DAY)}
        assert send(client, "/simulation", **form) == 409, "of another text nothing is kept"
