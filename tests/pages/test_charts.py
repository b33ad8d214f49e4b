"""The charts: drawn from what the page says, in both schemes, at every width, on paper and after a swap."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from town import BODIES, CODES, FINED, LISTED, SPRING, SUMMER
from visitor import DESK, PHONE, Visitor

from api.pages.blueprint import blueprint

SUBJECT = f"/subjects/enterprise-credit/{LISTED}"
HISTORY = "[aria-labelledby=history] .chart"
TIERS = "[aria-labelledby=pack-{}] .chart"


@pytest.fixture
def on_paper(regulator: Visitor) -> Iterator[Visitor]:
    """A regulator who looks at pages as they are printed."""
    yield regulator
    regulator.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


@pytest.fixture
def without_scripts(regulator: Visitor) -> Iterator[Visitor]:
    """A regulator whose browser runs no scripts."""
    regulator.browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    yield regulator
    regulator.browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_bars_are_as_long_as_the_table_says_for_every_run(regulator: Visitor) -> None:
    regulator.open("/overview")
    for number, people in ((1, len(BODIES)), (2, len(CODES))):
        chart = TIERS.format(number)
        cells = regulator.all(f"[aria-labelledby=pack-{number}] .as-table td")
        counts = [int(cell.get_property("textContent")) for cell in cells]
        said = counts[:4], counts[4:]
        assert [sum(row) for row in said] == [people, people]
        by_tier = [count for tier in zip(*said, strict=True) for count in tier if count]
        lengths = [bar["width"] for step in range(1, 5) for bar in shapes(regulator, chart, f"--t{step}")]
        scale = max(lengths) / max(by_tier)
        assert [length for length in lengths if length] == pytest.approx(
            [count * scale for count in by_tier], abs=3
        )
        words = regulator.text(f"{chart} svg")
        assert str(SPRING) in words
        assert str(SUMMER) in words


def test_the_history_has_a_point_for_each_change_over_the_band_of_its_score(regulator: Visitor) -> None:
    regulator.open(f"/subjects/enterprise-credit/{FINED}")
    points = [shape for shape in shapes(regulator, HISTORY, "--ink") if shape["width"] < 20]
    bands = {name: shapes(regulator, HISTORY, f"--t{step}")[0] for step, name in enumerate("ABCD", 1)}
    rows = regulator.all("[aria-labelledby=history] tbody tr")
    said = [row.get_property("textContent").split()[-1] for row in reversed(rows)]
    assert len(points) == len(said) > 2, "between the two runs it changes by itself as well"
    assert said[0] != said[-1]
    for point, tier in zip(points, said, strict=True):
        middle = point["top"] + point["height"] / 2
        assert bands[tier]["top"] <= middle <= bands[tier]["top"] + bands[tier]["height"]


def test_under_the_pointer_a_chart_tells_date_score_and_tier(regulator: Visitor) -> None:
    regulator.open(f"/subjects/enterprise-credit/{FINED}")
    score = regulator.text("[aria-labelledby=history] tbody .number")
    regulator.wait_until(lambda: regulator.all(f"{HISTORY} svg[viewBox]"))
    chart = regulator.one(HISTORY)
    regulator.browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", chart)
    at_the_end = int(chart.size["width"] * 0.37)
    ActionChains(regulator.browser).move_to_element_with_offset(chart, at_the_end, 0).perform()
    regulator.wait_until(lambda: f"{score}  " in regulator.text(f"{HISTORY} svg"))
    assert regulator.complaints() == []


def test_a_chart_follows_the_scheme_and_the_width_of_the_screen(regulator: Visitor) -> None:
    regulator.open("/overview")
    chart = TIERS.format(2)
    for size, dark in ((DESK, False), (PHONE, True)):
        regulator.look(size, dark)
        tier = regulator.one("[aria-labelledby=pack-2] .tier-1").value_of_css_property("background-color")
        bar = regulator.one(f'{chart} path[fill="var(--t1)"]')
        assert channels(bar.value_of_css_property("fill")) == channels(tier)
        room = regulator.one(chart).size["width"]
        regulator.wait_until(lambda room=room: regulator.one(f"{chart} svg").size["width"] == room)
        assert regulator.overflow() == 0


def test_a_chart_is_an_image_with_a_name_in_the_language_of_the_page(regulator: Visitor) -> None:
    for language, name in (("zh", "历次得分"), ("en", "Scores over time")):
        regulator.open(f"/language/{language}?next={SUBJECT}")
        chart = regulator.one(HISTORY)
        assert chart.aria_role == "image"
        assert chart.accessible_name == name
        assert chart.find_elements("css selector", "a, button, [tabindex]") == []


def test_charts_that_are_swapped_in_are_drawn_and_the_old_ones_given_up(regulator: Visitor) -> None:
    regulator.open("/overview")
    regulator.browser.execute_script(
        "window.old = [...document.querySelectorAll('.chart')];"
        "htmx.ajax('GET', arguments[0], {target: '#content', select: '#content', swap: 'outerHTML'})",
        SUBJECT,
    )
    regulator.wait_until(lambda: regulator.all(f"{HISTORY} svg"))
    assert len(shapes(regulator, HISTORY, "--t1")) == 1
    assert regulator.browser.execute_script("return old.filter(c => echarts.getInstanceByDom(c)).length") == 0
    assert regulator.complaints() == []


def test_without_scripts_the_tables_say_it_all(without_scripts: Visitor) -> None:
    without_scripts.open("/overview")
    assert not without_scripts.one(".chart").is_displayed()
    assert without_scripts.one("[aria-labelledby=pack-2] table").is_displayed()
    without_scripts.open(f"{SUBJECT}/report")
    assert not without_scripts.one(".chart").is_displayed()
    assert str(SPRING) in without_scripts.one("[aria-labelledby=r-history] table").text


def test_on_paper_the_chart_is_as_wide_as_the_report_and_its_table_follows(on_paper: Visitor) -> None:
    on_paper.look(dark=True)
    on_paper.open(f"{SUBJECT}/report")
    on_paper.wait_until(lambda: on_paper.all(".chart svg[viewBox]"))
    on_paper.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    drawing, chart = on_paper.one(".chart svg").rect, on_paper.one(".chart").rect
    assert drawing["width"] == chart["width"]
    assert chart["y"] <= drawing["y"] < drawing["y"] + drawing["height"] <= chart["y"] + chart["height"] + 1
    assert max(channels(on_paper.one(".chart text").value_of_css_property("fill"))) < 120
    assert on_paper.one("[aria-labelledby=r-history] table").is_displayed()


def test_on_paper_the_tables_of_charts_are_unfolded(on_paper: Visitor) -> None:
    on_paper.open(SUBJECT)
    is_seen = "return document.querySelector('[aria-labelledby=history] table').checkVisibility()"
    assert not on_paper.browser.execute_script(is_seen)
    on_paper.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert on_paper.browser.execute_script(is_seen)


def test_the_library_is_the_one_that_its_note_tells_of() -> None:
    folder = Path(str(blueprint.static_folder))
    library = folder / "echarts-6.1.0.common.min.js"
    assert sha256(library.read_bytes()).hexdigest() in (folder / "echarts-README.txt").read_text("utf-8")


def shapes(visitor: Visitor, chart: str, variable: str) -> list[dict[str, float]]:
    """Where a chart has shapes of a colour, in the order in which they are drawn."""
    return visitor.browser.execute_script(
        "return [...document.querySelectorAll(`${arguments[0]} path[fill='var(${arguments[1]})']`)]"
        ".map(shape => shape.getBoundingClientRect().toJSON())",
        chart,
        variable,
    )


def channels(colour: str) -> list[float]:
    """Red, green and blue of rgb(…) or rgba(…)."""
    return [float(part) for part in colour.split("(")[1].rstrip(")").split(",")[:3]]


def test_each_chart_of_a_page_has_a_name_of_its_own(regulator: Visitor) -> None:
    """By ear, all of the overview were called the same."""
    for path in ("/overview", f"/subjects/enterprise-credit/{FINED}"):
        regulator.open(path)
        names = [chart.accessible_name for chart in regulator.all(".chart")]
        assert len(names) > 1
        assert len(set(names)) == len(names)
        assert {chart.aria_role for chart in regulator.all(".chart")} == {"image"}
