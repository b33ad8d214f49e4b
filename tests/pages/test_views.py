"""The overview, the rule browser, the ranking, the inspection plan and the simulation."""

from __future__ import annotations

from pathlib import Path

import pytest
from selenium.webdriver.support.select import Select
from town import AUTHORITY, BODIES, FINED, FINED_ONCE, LISTED, NAMES
from visitor import DESK, Visitor

from rules.library.loader import PACKS

PACK = PACKS / "enterprise-credit.yaml"


def test_the_overview_lists_open_alerts_and_who_moved(regulator: Visitor) -> None:
    regulator.open("/overview")
    alerts = regulator.text("section[aria-labelledby=alerts]")
    assert "屡禁不止" in alerts
    assert NAMES[FINED] in alerts
    moved = " ".join(item.text for item in regulator.all(".moves li"))
    assert NAMES[LISTED] in moved


def test_the_rule_browser_says_each_rule_in_words_with_its_law_and_its_hits(regulator: Visitor) -> None:
    regulator.open("/rules/enterprise-credit")
    rule = next(r for r in regulator.all(".rules > li") if "penalty.general" in r.get_property("textContent"))
    shown = " ".join(rule.get_property("textContent").split())
    assert "信息类别为“行政处罚”" in shown
    assert "kind = 'penalty'" in shown
    assert "6 次适用 hits" in shown
    assert "国办" in shown or "信用修复" in shown


def test_two_versions_of_a_pack_can_be_compared(regulator: Visitor) -> None:
    regulator.open("/rules/enterprise-credit/changes")
    shown = regulator.text()
    assert "2026.1 → 2026.2" in shown
    assert "国家发展改革委令第36号" in shown


def test_the_ranking_leads_from_the_last_place_to_its_consequence(regulator: Visitor) -> None:
    regulator.open("/ranking")
    rows = regulator.all("tbody tr")
    assert len(rows) == len(BODIES)
    last = rows[-1].find_element("css selector", "th a").text
    assert last == BODIES["BM0"]
    assert any(last in item.text and "约谈" in item.text for item in regulator.all(".follows li"))
    assert all(len(item.find_elements("css selector", "h3")) == 1 for item in regulator.all(".follows li"))
    bodies = [item.text for item in regulator.all(".follows h3")]
    assert len(bodies) == len(set(bodies)), "what follows for one body stands together"


def test_the_plan_lists_its_visits_with_departments_and_inspectors(regulator: Visitor) -> None:
    regulator.open("/inspections")
    regulator.press("tbody a")
    assert regulator.path == "/inspections/1"
    assert "417" in regulator.text(".note")
    visits = regulator.text("section[aria-labelledby=visits]")
    assert "投诉 complaint" in visits
    assert AUTHORITY in visits
    assert "ZF" in visits


def test_from_the_overview_to_how_everybody_will_stand(regulator: Visitor) -> None:
    regulator.open("/overview")
    regulator.press("a[href='/forecast?pack=enterprise-credit']")
    rows = [row.text.split() for row in regulator.all("section[aria-labelledby=months] tbody tr")]
    assert len(rows) == 37
    assert (rows[0][0], rows[1][0], rows[-1][0]) == ("2026-07-31", "2026-08-31", "2029-07-31")
    assert len({sum(map(int, row[1:5])) for row in rows}) == 1, "nobody comes and nobody goes"
    assert sum(int(row[5]) for row in rows[1:]), "fines count no longer"
    years = [row.text.split()[:2] for row in regulator.all("section[aria-labelledby=years] tbody tr")]
    assert years == [["2026", "5"], ["2027", "12"], ["2028", "12"], ["2029", "7"]]


def test_a_draft_shows_who_would_move_and_by_which_rule(regulator: Visitor, tmp_path: Path) -> None:
    text = PACK.read_text(encoding="utf-8")
    rule = text.index("id: penalty.general\n")
    at = text.index("points:", rule)
    line_end = text.index("\n", at)
    draft = tmp_path / "draft.yaml"
    draft.write_text(text[:at] + "points: -1" + text[line_end:], encoding="utf-8")
    simulate(regulator, draft)
    assert regulator.text("h1").startswith("模拟结果")
    effects = regulator.text("section[aria-labelledby=effects]")
    assert "penalty.general" in effects
    assert NAMES[FINED_ONCE] in regulator.text("section[aria-labelledby=movers]")
    cells = [int(cell.text) for cell in regulator.all(".matrix td")]
    assert sum(cells) == len(NAMES)
    moved = sum(int(cell.text) for cell in regulator.all(".matrix .moved"))
    bars = regulator.all(".chart path[fill^='var(--t']")
    assert 0 < len([bar for bar in bars if bar.size["width"]]) <= moved
    assert regulator.faults() == []
    assert regulator.complaints() == []
    assert "-1" in regulator.text("section[aria-labelledby=differences]")


def test_who_moves_by_no_rule_moves_by_the_bounds_of_tiers(regulator: Visitor, tmp_path: Path) -> None:
    draft = tmp_path / "draft.yaml"
    text = PACK.read_text(encoding="utf-8")
    assert text.count("from: 75}") == 1
    draft.write_text(text.replace("from: 75}", "from: 89}"), encoding="utf-8")
    simulate(regulator, draft)
    regulator.one("section[aria-labelledby=movers] details:not([open]) > summary").click()
    movers = regulator.all("section[aria-labelledby=movers] tbody tr")
    assert movers
    assert all("因分值或等级界限调整" in mover.text for mover in movers)


def test_a_draft_that_is_wrong_is_answered_with_every_place(regulator: Visitor, tmp_path: Path) -> None:
    draft = tmp_path / "draft.yaml"
    draft.write_text(
        PACK.read_text(encoding="utf-8").replace("kind = 'penalty'", "kinds = 'penalty'"), encoding="utf-8"
    )
    simulate(regulator, draft)
    faults = regulator.all("[role=alert] li")
    assert len(faults) > 1
    assert "draft.yaml:" in faults[0].text
    assert "kinds" in faults[0].text


def test_an_installed_pack_changes_nobody_against_itself(regulator: Visitor) -> None:
    regulator.open("/simulation")
    Select(regulator.one("#pack")).select_by_value("enterprise-credit@2026.1")
    regulator.press("main form button")
    assert "0 个等级会变化" in " ".join(regulator.text(".lead").split())
    assert regulator.all(".chart") == []


def test_a_long_result_of_a_simulation_is_folded_until_it_is_read(regulator: Visitor) -> None:
    regulator.open("/simulation")
    Select(regulator.one("#pack")).select_by_value("enterprise-credit@2026.2")
    regulator.press("main form button")
    parts = regulator.all("[aria-labelledby=differences] details")
    rows = {part: part.find_elements("css selector", "tbody tr") for part in parts}
    assert len(parts) > 3, "what differs stands by the parts of the rules"
    assert {part: found[0].is_displayed() for part, found in rows.items()} == {
        part: len(found) <= 12 for part, found in rows.items()
    }
    long = max(parts, key=lambda part: len(rows[part]))
    long.find_element("css selector", "summary").click()
    assert rows[long][0].is_displayed()


def simulate(visitor: Visitor, draft: Path) -> None:
    """Upload a draft, and wait for what comes of it."""
    visitor.open("/simulation")
    visitor.one("#file").send_keys(str(draft))
    visitor.press("main form button")


@pytest.mark.parametrize("width", [390, 320])
@pytest.mark.parametrize(
    "path", ["/consequences?state=all", "/files", "/feeds", "/visits", "/consents", "/checks"]
)
def test_a_table_on_a_phone_is_a_list_whose_values_have_their_names(
    regulator: Visitor, path: str, width: int
) -> None:
    """As columns, a sentence took a row of over a thousand pixels, and half of them were off the screen."""
    regulator.look((width, 800))
    regulator.open(path)
    wide = "return [...document.querySelectorAll('.scroll')].map(e => e.scrollWidth - e.clientWidth)"
    assert set(regulator.browser.execute_script(wide)) == {0}
    cells = regulator.all(".stacks tbody :is(th, td)")
    assert cells
    assert min(cell.size["width"] for cell in cells) >= 80
    assert max(cell.size["height"] for cell in cells) < 400
    heads = [
        head.get_property("textContent").strip() for head in regulator.all(".stacks:first-of-type thead th")
    ]
    row = regulator.one(".stacks tbody tr")
    named = [cell.get_attribute("data-head") for cell in row.find_elements("css selector", "th, td")]
    assert named == heads[: len(named)]
    assert {row.aria_role, cells[0].aria_role} == {
        "row",
        "rowheader" if cells[0].tag_name == "th" else "cell",
    }
    regulator.look(DESK)
    tops = [cell.location["y"] for cell in row.find_elements("css selector", "th, td")]
    assert len(set(tops)) == 1, "on a desk it has columns"


def test_the_head_of_a_page_is_short_on_a_phone(regulator: Visitor) -> None:
    """It took a third of the screen, with the button to leave broken in two lines."""
    for width, most in ((390, 180), (320, 215)):
        regulator.look((width, 800))
        regulator.open("/home")
        assert regulator.one(".top").size["height"] <= most
        assert regulator.one(".who button").size["height"] <= 40
        assert regulator.overflow() == 0


@pytest.mark.parametrize("path", ["/movers", "/subjects", "/visits", "/alerts", "/tickets", "/files"])
def test_on_paper_there_is_what_is_known_and_nothing_to_press(regulator: Visitor, path: str) -> None:
    regulator.open(path)
    regulator.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    pressed = regulator.all("main :is(input, select, button, .button, .tabs, [download])")
    assert pressed
    assert [one.get_attribute("outerHTML")[:80] for one in pressed if one.is_displayed()] == []
    assert any(one.is_displayed() for one in regulator.all("main :is(tbody tr, article)"))
    regulator.look()
