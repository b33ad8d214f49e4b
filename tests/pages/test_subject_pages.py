"""Finding a subject and reading why it has its grade."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from test_sign_in import signed_in
from town import CODES, CONSENT, FINED, LENDER, LISTED, NAMES
from visitor import Visitor

from api.pages import grades
from api.pages.story import hit_groups
from rules.library import kept
from rules.library.loader import load_vocabulary
from rules.model import Pack
from scoring.access.audit import entries
from scoring.access.keys import Role
from scoring.answers import explain, group_measures, timelines
from scoring.answers.explain import explain_now, unknown_inputs
from scoring.answers.validation.drift import drift
from scoring.facts.entries import FileInfo
from scoring.facts.records import submit_records
from scoring.inspections.foreseen import _pairs
from scoring.judging.period import Period
from scoring.judging.timeline import Timeline
from scoring.store import Store
from scoring.store.packs import stored_pack


def test_a_subject_is_found_by_a_part_of_its_name_while_typing(regulator: Visitor) -> None:
    regulator.open("/subjects")
    assert len(regulator.all("#rows tr")) == 50
    regulator.one("#search").send_keys("例17号")
    regulator.wait_until(lambda: len(regulator.all("#rows tr")) == 1)
    assert regulator.text("#rows th a") == NAMES[CODES[17]]
    assert "search=" in regulator.browser.current_url
    assert regulator.one("#search").get_property("value") == "例17号"


def test_a_subject_is_found_by_its_number_and_signs_of_patterns_mean_themselves(regulator: Visitor) -> None:
    regulator.open(f"/subjects?search={CODES[3].lower()}")
    assert [row.text.splitlines()[0] for row in regulator.all("#rows th")] == [NAMES[CODES[3]]]
    regulator.open("/subjects?search=%25")
    assert regulator.all("#rows tr") == []
    assert "无符合条件的主体" in regulator.text("#found")


def test_a_mistyped_code_leads_to_the_one_that_is_meant(regulator: Visitor) -> None:
    typed = CODES[3][:11] + ("1" if CODES[3][11] != "1" else "2") + CODES[3][12:]
    regulator.open(f"/subjects?search={typed}")
    assert "无符合条件的主体" in regulator.text("#found")
    regulator.one("#found a").click()
    regulator.wait_until(lambda: regulator.browser.current_url.endswith(CODES[3]))
    regulator.open(f"/subjects/enterprise-credit/{typed}")
    assert "校验码错误" in regulator.text("main")
    assert f"是否为:{CODES[3]}" in regulator.text("main")


def test_pages_follow_one_another_and_show_everybody_once_worst_first(regulator: Visitor) -> None:
    regulator.open("/subjects")
    first = shown(regulator)
    regulator.one("#further a").click()
    regulator.wait_until(lambda: shown(regulator)[:1] != first[:1])
    names = first + shown(regulator)
    assert sorted(names) == sorted(NAMES.values())
    regulator.open("/subjects")
    scores = [float(cell.text) for cell in regulator.all("#rows td.number")]
    assert scores == sorted(scores)


def test_a_tier_is_chosen_from_a_list(regulator: Visitor) -> None:
    regulator.open("/subjects?tier=D")
    assert NAMES[LISTED] in shown(regulator)
    assert {cell.text[-1] for cell in regulator.all("#rows .tier")} == {"D"}


def test_the_explanation_names_points_record_law_and_end_of_each_hit(regulator: Visitor) -> None:
    regulator.open(f"/subjects/enterprise-credit/{FINED}")
    texts = [hit.get_property("textContent") for hit in regulator.all(".hit")]
    shown_text = next(text for text in texts if "P-2" in text and "penalty.general" in text)
    assert re.search(r"−\d", shown_text)
    assert "2026-06-02" in shown_text
    assert "国办发" in shown_text or "信用修复" in shown_text
    assert re.search(r"至 until\s+20\d\d-\d\d-\d\d", " ".join(shown_text.split()))


def test_each_rule_that_hit_is_one_line_and_unfolds_to_its_id_and_records(regulator: Visitor) -> None:
    regulator.open(f"/subjects/enterprise-credit/{FINED}")
    ids = [code.get_property("textContent") for code in regulator.all(".hit details > .note > code")]
    assert len(ids) == len(set(ids)) == len(regulator.all(".hit"))
    line = regulator.all(".hit")[ids.index("penalty.general")]
    assert "penalty.general" not in line.text
    assert "P-2" not in line.text
    line.find_element("css selector", "summary").click()
    assert "penalty.general" in line.text
    assert "P-2" in line.text


def test_a_listed_enterprise_is_held_down_by_the_veto_and_says_so(regulator: Visitor) -> None:
    regulator.open(f"/subjects/enterprise-credit/{LISTED}")
    assert regulator.text(".big-tier") == "D"
    assert regulator.text(".veto").count("一票否决") == 1
    assert "仅按得分应为" in regulator.text(".veto")


def test_a_veto_is_named_where_points_alone_give_its_tier(
    pages: Flask, town_store: Store, token: Callable[[Role], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = explain_now(town_store, "enterprise-credit", LISTED)
    monkeypatch.setattr(grades, "explain_now", lambda *_: replace(found, band=found.tier))
    shown = signed_in(pages, token(Role.REGULATOR)).get(f"/subjects/enterprise-credit/{LISTED}").text
    (said,) = re.findall(r'<p class="veto">(.*)</p>', shown)
    assert ("一票否决" in said, "仅按得分应为" in said) == (True, False)


def test_a_veto_is_called_so_where_it_lowered_the_tier_and_else_a_limit(town_store: Store) -> None:
    found = explain_now(town_store, "enterprise-credit", LISTED)

    def groups(band: str) -> dict[str, list[str]]:
        held = hit_groups(replace(found, band=band))
        return {group.title.zh: [one.rule.id for one in group.rules] for group in held}

    vetoes = groups("B")["一票否决"]
    assert vetoes
    assert "等级限制" not in groups("B")
    assert (groups("D")["等级限制"], "一票否决" in groups("D")) == (vetoes, False)


def test_the_page_says_which_inputs_are_unknown(regulator: Visitor, town_store: Store) -> None:
    regulator.open(f"/subjects/enterprise-credit/{LISTED}")
    unknown = unknown_inputs(explain_now(town_store, "enterprise-credit", LISTED))
    assert unknown
    assert all(title.zh in regulator.text(".verdict") for title in unknown)


@pytest.mark.parametrize("code", [FINED, LISTED, CODES[20]])
def test_the_waterfall_adds_up_to_the_score(regulator: Visitor, code: str) -> None:
    regulator.open(f"/subjects/enterprise-credit/{code}")
    steps = [number(row.text) for row in regulator.all(".waterfall .level-0 td:nth-of-type(2)")]
    score = number(regulator.text(".waterfall tfoot .number"))
    assert round(sum(steps), 2) == score
    assert number(regulator.text(".score").split("/")[0]) == score


def test_why_not_unfolds_and_says_what_kept_rules_out(regulator: Visitor) -> None:
    regulator.open(f"/subjects/enterprise-credit/{CODES[20]}")
    assert not regulator.one(".misses").is_displayed()
    regulator.one("section[aria-labelledby=why-not] summary").click()
    assert regulator.one(".misses").is_displayed()
    assert "不成立 Not so" in regulator.text(".misses")


def test_looking_at_a_subject_is_in_the_audit_log(regulator: Visitor, town_store: Store) -> None:
    def seen() -> int:
        return len(entries(town_store, subject_id=CODES[30], action="pages.subject"))

    before = seen()
    regulator.open(f"/subjects/enterprise-credit/{CODES[30]}")
    assert seen() == before + 1


def test_the_report_prints_on_a4(regulator: Visitor) -> None:
    regulator.open(f"/subjects/enterprise-credit/{LISTED}/report")
    paper = regulator.print()
    boxes = {tuple(map(float, box.split())) for box in re.findall(rb"/MediaBox \[([^\]]+)\]", paper)}
    assert len(boxes) == 1
    assert [round(side) for side in boxes.pop()] == [0, 0, 595, 842]


def test_on_paper_there_is_no_navigation(regulator: Visitor) -> None:
    regulator.open(f"/subjects/enterprise-credit/{LISTED}/report")
    regulator.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert not regulator.one("header.top").is_displayed()
    assert not regulator.one("[data-print]").is_displayed()
    assert regulator.one(".paper").is_displayed()
    regulator.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def shown(visitor: Visitor) -> list[str]:
    """The names in the list."""
    return [link.text for link in visitor.all("#rows th a")]


def number(text: str) -> float:
    """Points as they are written."""
    return float(text.strip().replace("−", "-").replace("+", ""))


def test_a_subject_page_shows_its_consents_and_each_check_made_under_them(regulator: Visitor) -> None:
    regulator.open(f"/subjects/enterprise-credit/{LISTED}")
    under, without = (
        " ".join(regulator.text(f"section[aria-labelledby=consents] {part}").split())
        for part in ("> ul", "h3 + ul")
    )
    assert LENDER in under
    assert CONSENT in under
    assert "授信审批" in under
    assert under.count("2026-08-03") == 1
    assert "已答复" in under or "已过期" in under
    assert "SQ-2026-99" in without
    assert "拒绝" in without
    regulator.open(f"/subjects/enterprise-credit/{FINED}")
    assert regulator.all("section[aria-labelledby=consents]") == []


@pytest.mark.parametrize(
    ("path", "remembered"), [("/drift", drift), ("/forecast", _pairs)], ids=["drift", "forecast"]
)
def test_what_two_runs_say_for_good_is_worked_out_for_the_first_who_asks(
    pages: Flask, token: Callable[[Role], str], path: str, remembered: Any
) -> None:
    """Shifts took more than a second and forecasts a third of one, for each who looked."""
    office = signed_in(pages, token(Role.REGULATOR))
    assert office.get(path).status_code == 200
    worked_out = remembered.cache_info().misses
    assert office.get(path).status_code == 200
    assert remembered.cache_info().misses == worked_out


def test_a_newer_grade_is_judged_for_its_day_alone(
    pages: Flask, token: Callable[[Role], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page of a body compared all bodies on every day of two years, to tell of today."""
    asked: list[Period] = []

    def noted(store: Store, pack: Pack, facts: Any, days: Period) -> Timeline:
        asked.append(days)
        return timelines.judged(store, pack, facts, days)

    monkeypatch.setattr(explain, "judged", noted)
    office = signed_in(pages, token(Role.REGULATOR))
    assert office.get("/subjects/department-credit/BM1").status_code == 200
    assert [days.is_one_day for days in asked] == [True]


def test_whoever_is_ranked_is_compared_once_for_all_bodies_and_pages(
    pages: Flask, town_store: Store, token: Callable[[Role], str]
) -> None:
    """Each page of each body took seconds, as it asked everybody's records for the places of all anew."""
    office = signed_in(pages, token(Role.REGULATOR))

    def read(body: str) -> int:
        for part in ("", "/paths", "/report", ""):
            assert office.get(f"/subjects/department-credit/{body}{part}").status_code == 200
        return timelines._of_everybody.cache_info().misses

    compared = read("BM1")
    row = {"record_id": "NB-1", "subject_id": CODES[40], "kind": "complaint", "level": "upheld"}
    row |= {"status": "effective", "occurred_on": "2026-07-01", "authority": "样例区信访局"}
    submit_records(town_store, load_vocabulary("enterprise"), [row], FileInfo("of others", "list.csv"))
    assert (read("BM2"), read("BM1")) == (compared, compared)


def test_a_body_stands_on_a_day_as_it_does_where_all_days_are_made(
    town_store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(kept.VARIABLE, str(tmp_path))
    run = timelines.run_of(town_store, "department-credit", None)
    pack = stored_pack(town_store, run.pack_hash)
    days = [dt.date(2026, month, 15) for month in range(2, 12)]

    def places() -> list[Any]:
        timelines._of_everybody.cache_clear()
        with town_store.reading() as session:
            bodies = [
                timelines.facts_of(session, pack.vocabulary, body, run.known_at) for body in ("BM0", "BM3")
            ]
        return [
            timelines.of_group(town_store, pack, facts, Period.of(day)) for facts in bodies for day in days
        ]

    apart = places()
    asked: list[Period] = []
    timelines.compare_group(town_store, run)
    monkeypatch.setattr(group_measures, "computed_table", noted(group_measures.computed_table, asked))
    assert places() == apart
    assert len(asked) == 1, "all days are read back, once"


def noted(do: Any, asked: list[Any]) -> Any:
    """A function that notes by what it is called."""

    def noting(store: Store, source: Any, make: Any) -> Any:
        asked.append(source)
        return do(store, source, make)

    return noting
