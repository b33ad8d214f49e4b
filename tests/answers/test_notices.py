"""A notice says in plain words what changed, why, what helps, until when, and whom to ask."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
from cli.market import HIT

from fixtures.small import AS_OF, HOMESTAY, RESTAURANT, small_store
from rules.library.loader import PACKS, find_pack, load_pack, load_vocabulary
from scoring.answers.explain import explain
from scoring.answers.forecast import Cause, forecast
from scoring.answers.notices.compute import (
    UnknownNoticeError,
    notice_of_proposal,
    notice_of_run,
)
from scoring.answers.notices.files import CONTACT, CONTACT_VARIABLE, notice_html
from scoring.cli.explain import explanation_lines
from scoring.facts.entries import FileInfo
from scoring.facts.records import submit_records
from scoring.runs.batch import run
from scoring.runs.proposals import propose, publish_proposal
from scoring.store import Store

LATER = dt.date(2026, 9, 10)
TOURISM = load_vocabulary("tourism")


def penalties(about: str, *severities: str) -> list[dict[str, object]]:
    return [
        {"record_id": f"XZ-{number}", "subject_id": about, "kind": "penalty", "field": "food_safety"}
        | {"severity": severity, "status": "effective", "occurred_on": f"2026-09-0{number + 1}"}
        | {"authority": "云衡区市场监督管理局"}
        for number, severity in enumerate(severities)
    ]


@pytest.fixture
def store() -> Store:
    return small_store()


def fall(store: Store, *severities: str) -> int:
    """Have the homestay penalised, and graded; the run's number."""
    rows = penalties(HOMESTAY, *severities)
    assert submit_records(store, TOURISM, rows, FileInfo("list", "list.csv")).new == len(rows)
    return run(store, find_pack("tourism-credit", LATER), LATER).run.id


def test_a_published_fall_names_what_costs_most_first_with_record_authority_date_and_law(
    store: Store,
) -> None:
    found = notice_of_run(store, fall(store, "general", "serious"), HOMESTAY)
    assert (found.before.as_of, found.now.as_of) == (AS_OF, LATER)
    assert found.now.pack.tiers.index(found.now.tier) > found.now.pack.tiers.index(found.before.tier)
    costs = [(reason.rule.tier is None, reason.points) for reason in found.reasons]
    assert costs == sorted(costs)
    assert all(reason.rule.citations for reason in found.reasons)
    first = found.reasons[0].counted[0]
    assert first.record is not None
    assert (first.record["authority"], first.record["occurred_on"]) == (
        "云衡区市场监督管理局",
        dt.date(2026, 9, 2),
    )


def test_what_alone_would_bar_the_former_tier_is_named_also_where_points_give_the_tier(store: Store) -> None:
    rows = [row | {"field": "forced_shopping"} for row in penalties(HOMESTAY, "general")]
    submit_records(store, TOURISM, rows, FileInfo("list", "list.csv"))
    found = notice_of_run(store, run(store, find_pack("tourism-credit", LATER), LATER).run.id, HOMESTAY)
    assert (found.before.tier, found.now.tier) == ("B", "C")
    assert found.reasons[0].rule.id == "veto.forced-shopping"
    assert "最高C级：一年内因强迫购物受罚" in notice_html(found)


def test_what_lowers_the_tier_is_named_with_by_how_much(store: Store, tmp_path: Path) -> None:
    """Kept by the store, told by notice, explanation and what lies ahead."""
    text = (PACKS / "tourism-credit.yaml").read_text("utf-8")
    forced = text.index("id: veto.forced-shopping")
    changed = text[forced:].replace("tier: C\n", "lowers: 1\n", 1).replace(", tier: C}", ", hit: true}", 1)
    (tmp_path / "lowering.yaml").write_text(text[:forced] + changed, "utf-8")
    pack = load_pack(tmp_path / "lowering.yaml")
    rows = [
        row | {"field": "forced_shopping", "ends_on": "2026-10-15"} for row in penalties(HOMESTAY, "general")
    ]
    submit_records(store, TOURISM, rows, FileInfo("list", "list.csv"))
    made = run(store, pack, LATER).run
    found = explain(store, "tourism-credit", HOMESTAY)
    assert (found.band, found.tier, found.veto and found.veto.id) == ("C", "D", "veto.forced-shopping")
    assert "降1级" in "\n".join(explanation_lines(found))
    told = notice_html(notice_of_run(store, made.id, HOMESTAY))
    assert "等级较得分所得降1级" in told
    ahead = forecast(store, "tourism-credit", HOMESTAY).steps
    ended = next(step for step in ahead if step.grade and step.grade.veto is None)
    assert ended.reasons[0].rule is not None
    assert (ended.reasons[0].rule.id, ended.reasons[0].cause) == ("veto.forced-shopping", Cause.ENDS)


def test_a_veto_that_asks_for_points_holds_until_they_are_had(store: Store, tmp_path: Path) -> None:
    text = (PACKS / "tourism-credit.yaml").read_text("utf-8")
    listed = "vetoes:\n  - {id: low, title: 低, below: {score: 70}, tier: D, basis: own-choice}\n"
    (tmp_path / "low.yaml").write_text(text.replace("vetoes:\n", listed, 1), "utf-8")
    run(store, load_pack(tmp_path / "low.yaml"), LATER)
    found = explain(store, "tourism-credit", RESTAURANT)
    assert (found.score, found.veto and found.veto.id, found.tier) == (6750, "low", "D")
    for step in forecast(store, "tourism-credit", RESTAURANT).steps:
        assert step.grade is None or (step.grade.veto == "low") is (step.grade.score < 7000)
    met = explain(store, "tourism-credit", HOMESTAY)
    assert met.veto is None
    assert "要求 needs 得分低于70分" in "\n".join(explanation_lines(met, why_not=True))


def test_what_is_new_stands_before_what_cost_as_much_before(store: Store) -> None:
    rows = penalties(RESTAURANT, "serious")
    submit_records(store, TOURISM, rows, FileInfo("list", "list.csv"))
    made = run(store, find_pack("tourism-credit", LATER), LATER).run
    found = notice_of_run(store, made.id, RESTAURANT)
    counted = [one for reason in found.reasons for one in reason.counted]
    records = [one.record_id for one in counted]
    assert records.index("XZ-0") < records.index("LY-2")
    assert {one.points_before for one in counted if one.record_id == "XZ-0"} == {0}


def test_who_did_not_fall_has_no_notice(store: Store) -> None:
    made = fall(store, "serious")
    for run_id, subject in ((made, RESTAURANT), (1, HOMESTAY)):
        with pytest.raises(UnknownNoticeError):
            notice_of_run(store, run_id, subject)


def test_a_proposed_fall_says_until_when_to_answer_and_the_same_reasons_as_once_it_is_published(
    store: Store,
) -> None:
    rows = penalties(HOMESTAY, "serious", "general")
    submit_records(store, TOURISM, rows, FileInfo("list", "list.csv"))
    pack = find_pack("tourism-credit", LATER)
    proposed = propose(store, pack, LATER, 10, "李", on=LATER)
    before = notice_of_proposal(store, proposed.id, HOMESTAY)
    assert "截至 2026-09-20" in notice_html(before)
    made = publish_proposal(store, proposed.id, "王", on=dt.date(2026, 9, 21)).run
    after = notice_of_run(store, made.id, HOMESTAY)
    assert (after.reasons, after.way, after.now) == (before.reasons, before.way, before.now)


def test_a_good_record_whose_time_is_over_is_told_with_the_day(store: Store) -> None:
    paid = {"record_id": "PF-1", "subject_id": HOMESTAY, "kind": "compensation", "level": "paid"}
    paid |= {"status": "effective", "occurred_on": "2025-09-05", "authority": "云衡区消费者权益保护委员会"}
    submit_records(store, TOURISM, [paid], FileInfo("paid", "paid.csv"))
    run(store, find_pack("tourism-credit", AS_OF), AS_OF)
    found = notice_of_run(store, fall(store, "serious"), HOMESTAY)
    [lapsed] = [one for reason in found.reasons for one in reason.counted if one.record_id == "PF-1"]
    assert (lapsed.points, lapsed.until) == (0, dt.date(2026, 9, 5))
    assert "有效计分期已满，2026-09-05 起不再计分" in re.sub(r"<[^>]+>", "", notice_html(found))


@pytest.mark.parametrize("given", ["", "区信用中心 023-00000000 <窗口>"])
def test_the_page_is_chinese_with_english_beside_it_and_has_no_hundredths(
    store: Store, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv(CONTACT_VARIABLE, given)
    found = notice_of_run(store, fall(store, "general", "serious"), HOMESTAY)
    page = notice_html(found)
    text = re.sub(r"<[^>]+>", "", page)
    assert (given or CONTACT).replace("<", "&lt;").replace(">", "&gt;").replace("'", "&#39;") in text
    for part in ("什么变了", "What changes", "主要原因", "可以怎么办", "Whom to ask", "2026-09-02"):
        assert part in text
    for hundredths in (
        found.before.score,
        found.now.score,
        *(abs(reason.points) for reason in found.reasons),
    ):
        assert not re.search(rf"\b{hundredths}\b", text) or hundredths < 100
    assert "None" not in text
    assert HIT not in text
