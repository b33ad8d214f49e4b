"""A candidate is tried on the pages: started with a file, looked at run by run, and ended."""

from __future__ import annotations

import re
from pathlib import Path

from flask import Flask
from test_draft_pages import written
from test_lists import sheet
from test_sign_in import signed_in
from visitor import DESK, PHONE, Visitor

from scoring.access.keys import Role, create_key
from scoring.store import Store


def candidate(begins: str) -> str:
    return re.sub(r"(?m)^in_force: .*$", f"in_force: {{from: {begins}}}", written()).replace(
        "2099.9", "2099.8"
    )


def test_a_candidate_is_tried_looked_at_and_ended(
    visitor: Visitor, pages: Flask, town_store: Store, tmp_path: Path
) -> None:
    file = tmp_path / "draft.yaml"
    visitor.come_in(pages, create_key(town_store, Role.REGULATOR, "起草戊").token)
    visitor.open("/rules")
    visitor.press("a[href='/rules/trials']")
    file.write_text(candidate("2026-01-01, until: 2026-02-01"), encoding="utf-8")
    visitor.one("#file").send_keys(str(file))
    visitor.one("#reason").send_keys("专题会议")
    visitor.press("main form button")
    assert "施行期已于2026-02-01届满" in visitor.text("[role=alert]")
    assert len(visitor.complaints()) == 1  # of the 409

    file.write_text(candidate("2099-01-01"), encoding="utf-8")  # a day to come: it is tried as it stands
    visitor.one("#file").send_keys(str(file))
    assert visitor.one("#reason").get_attribute("value") == "专题会议"
    visitor.press("main form button")
    place = visitor.path
    for size, dark in ((DESK, False), (PHONE, True)):
        visitor.look(size, dark)
        visitor.open(place)
        assert (visitor.faults(), visitor.overflow()) == ([], 0), (size, dark)
    visitor.look(DESK)
    assert "2026-07-31" in visitor.text("[aria-labelledby=nights] tbody")
    assert "起草戊" in visitor.text("dl.facts")
    assert "2026.1" in visitor.text("[aria-labelledby=nights] tbody")
    assert visitor.all("[aria-labelledby=moves] tbody tr")
    moved = sum(int(way.text) for way in visitor.all("[aria-labelledby=ways] tbody td.number"))
    client = signed_in(pages, create_key(town_store, Role.REGULATOR, "起草戊").token)
    rows = sheet(client, f"{place}/export")
    heads = next(row for row in rows if "现行等级 Tier in force" in row)
    assert len(rows) - rows.index(heads) - 1 == moved
    visitor.one("#reason").send_keys("已提交施行")
    visitor.press("form[action$=end] button")
    assert "已提交施行" in visitor.text("dl.facts")
    assert not visitor.all("form[action$=end]")
    visitor.open("/rules/trials")
    assert "2099.8" in visitor.text("[aria-labelledby=all-trials] tbody")
    assert visitor.complaints() == []
