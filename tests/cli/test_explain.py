"""Why a grade, and why not another: as the reader is told."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from cli.conftest import Command
from cli.market import AS_OF, BLANK, HIT, MISSED, PACK
from rules.library.loader import load_text
from rules.titles import Title
from scoring.answers.explain import Explanation, explain
from scoring.answers.explanation_json import explanation_document
from scoring.answers.made_up import explain_made_up
from scoring.answers.timelines import UnknownSubjectError
from scoring.answers.why_not import Miss
from scoring.cli.explain import explanation_lines
from scoring.judging.reasons import MOST_REASONS, ReasonCode
from scoring.runs.result_tables import stream_results
from scoring.store import Store, open_store


@pytest.fixture(scope="module")
def store(database: str) -> Iterator[Store]:
    with closing(open_store(database)) as opened:
        yield opened


def miss(found: Explanation, owner: str) -> Miss:
    return next(m for m in found.misses if owner in (m.rule.id, m.rule.table))


def text(command: Command, database: str, subject: str, *more: str) -> str:
    result = command("explain", subject, "--pack", "market", "--database", database, *more)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize("subject", [HIT, MISSED, BLANK])
def test_the_hits_are_those_of_the_store(store: Store, subject: str) -> None:
    found = explain(store, "market", subject)
    kept = {
        (hit["rule"], hit["record_id"], hit["points_before"], hit["points"])
        for batch in stream_results(store, found.run, "hits")
        for hit in batch.to_pylist()
        if hit["subject_id"] == subject
    }
    assert {(h.rule.id, h.record_id, h.points_before, h.points) for h in found.hits} == kept
    dimensions = sum(part.points for part in found.dimensions)
    assert found.score == min(10000, max(0, found.pack.score.start + dimensions))


@pytest.mark.parametrize("subject", [HIT, MISSED, BLANK])
def test_every_rule_is_either_met_or_missed(store: Store, subject: str) -> None:
    found = explain(store, "market", subject)
    met = {h.rule.table or h.rule.id for h in found.hits}
    missed = [m.rule.table or m.rule.id for m in found.misses]
    assert sorted([*met, *missed]) == sorted({r.table or r.id for r in found.pack.rules})


def test_a_hit_shows_record_law_points_and_period(command: Command, database: str) -> None:
    shown = text(command, database, HIT)
    assert "甲公司  " + HIT in shown
    assert "等级 Tier   D 差 Poor" in shown
    assert "一般处罚 Penalty ×2  [某某条例第一条]  penalty" in shown
    assert "-4  记录 record P1  信息类别 行政处罚，失信程度 一般" in shown
    assert "涉及金额 28,600" in shown
    assert "-2（限值调整前得分 uncapped -4）  记录 record P2" in shown
    assert "计入 counts from 2026-03-01 至 until 2027-03-01" in shown
    assert "罚没合计 28,600" in shown
    assert "守法 Conduct  -5（限值前 unbounded -7）" in shown
    assert "未适用" not in shown


def test_a_grade_that_has_changed_by_itself_since_says_how_to_read_that_of_today(
    command: Command, database: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = explain(store, "market", HIT).next_change_on
    assert changes is not None
    line = ("explain", HIT, "--pack", "market", "--database", database)
    for today, is_told in ((changes - dt.timedelta(days=1), False), (changes, True)):
        monkeypatch.setattr("scoring.cli.explain.today", partial(dt.date.fromordinal, today.toordinal()))
        assert (f"{HIT} --pack market --as-of {today}" in command(*line).stderr) is is_told
        assert "--as-of" not in command(*line, "--as-of", changes).stderr


def test_vetoes_stand_under_their_own_heading(command: Command, database: str) -> None:
    lines = text(command, database, HIT).splitlines()
    at = lines.index("  一票否决与等级限制 Vetoes and limits of the tier")
    assert "D  失信 Dishonest" in lines[at + 1]


def test_what_points_alone_would_give_is_said_where_it_is_another_tier(store: Store) -> None:
    found = explain(store, "market", HIT)
    assert found.veto is not None
    for band, said in ((found.tier, False), ("A", True)):
        lines = "\n".join(explanation_lines(replace(found, band=band), brief=True))
        assert found.veto.title.zh in lines
        assert ("按得分应为" in lines) == said


def test_reasons_beyond_the_first_are_counted_in_whole_phrases(store: Store) -> None:
    found = explain(store, "market", HIT)
    code = ReasonCode("roomy", Title("宽敞", "Roomy"), 300, 100)
    said = list(explanation_lines(replace(found, reasons=(code,) * (MOST_REASONS + 2))))
    assert [line.strip() for line in said if "另有" in line] == ["另有2项 And 2 more"]


def test_what_is_past_its_longest_term_is_not_named_as_what_came_nearest(store: Store) -> None:
    found = miss(explain(store, "market", MISSED), "penalty")
    assert (found.record_id, found.window) == (None, None)


def test_missed_by_a_window_that_has_not_begun(store: Store) -> None:
    found = miss(explain(store, "market", MISSED), "listing")
    assert (found.record_id, found.failed) == ("L1", ())
    assert found.window is not None
    assert (str(found.window[0]), found.window[1]) == ("2027-05-01", None)


def test_missed_by_the_day_alone_says_from_when_on(command: Command, database: str, store: Store) -> None:
    found = miss(explain(store, "market", MISSED), "old")
    assert found.window is not None
    assert str(found.window[0]) == "2030-01-02"
    assert "自 2030-01-02 起计入 counts from 2030-01-02 on" in text(command, database, MISSED, "--why-not")


def test_missed_by_one_term(store: Store, command: Command, database: str) -> None:
    found = miss(explain(store, "market", MISSED), "award")
    assert found.record_id == "W1"
    assert [(f.term, f.found, f.unknown) for f in found.failed] == [
        ("level = 'national'", {"level": "municipal"}, False)
    ]
    assert "要求 needs 等级或结果为“国家级”：不符 not so（等级或结果 市级（重庆市））" in text(
        command, database, MISSED, "--why-not"
    )


def test_missed_by_an_unknown_value(store: Store) -> None:
    found = explain(store, "market", BLANK)
    assert [(f.found, f.unknown) for f in miss(found, "large").failed] == [({"size": None}, True)]
    assert [f.unknown for f in miss(found, "old").failed] == [True]


def test_missed_by_an_unknown_factor_of_the_points(command: Command, database: str) -> None:
    shown = text(command, database, MISSED, "--why-not").splitlines()
    at = next(n for n, line in enumerate(shown) if "欠税 Arrears" in line)
    assert "倍数未知 unknown: 涉及金额" in shown[at + 1]


def test_missed_for_want_of_any_record(store: Store, command: Command, database: str) -> None:
    found = miss(explain(store, "market", BLANK), "penalty")
    assert found.record_id is None
    assert [(f.term, f.found) for f in found.failed] == [("kind = 'penalty'", {})]
    lines = text(command, database, BLANK, "--why-not").splitlines()
    below = lines[lines.index("  没有相应记录 No such record") :]
    assert any("一般处罚 Penalty" in line for line in below)


def test_missed_by_a_measure(store: Store, command: Command, database: str) -> None:
    found = explain(store, "market", MISSED)
    assert miss(found, "heavy").record_id is None, "the measure is of all records"
    assert str(miss(found, "heavy").failed[0].found["fines"]) == "200.0000"
    assert "罚没合计不少于20000：不符 not so（罚没合计 200）" in text(command, database, MISSED, "--why-not")


def test_a_table_is_missed_once_by_its_nearest_row(store: Store) -> None:
    found = explain(store, "market", MISSED)
    missed = [m for m in found.misses if m.rule.table == "tax"]
    assert [(m.record_id, [f.found for f in m.failed]) for m in missed] == [("T2", [{"level": "M"}])]
    assert missed[0].rule.id == "tax.1", "of two as near, the first"


def test_json_is_for_programs(command: Command, database: str) -> None:
    data = json.loads(text(command, database, HIT, "--format", "json"))
    assert (data["subject_id"], data["tier"], data["veto"]["id"]) == (HIT, "D", "dishonest")
    assert {hit["record_id"] for hit in data["hits"]} >= {"P1", "P2", "V1", "T1", None}
    assert data["hits"][0]["rule"]["title"]["zh"]
    assert (data["score"], data["unmatched"]) == (85.0, [])
    assert {hit["points"] for hit in data["hits"] if hit["record_id"] == "P1"} == {-4.0}


def test_an_earlier_run_is_explained_by_its_own_rules(market: Path, command: Command, database: str) -> None:
    changed = market / "changed.yaml"
    pack = (market / "market.yaml").read_text("utf-8").replace('version: "1"', 'version: "2"')
    changed.write_text(pack.replace("points: -4, cap: -6", "points: -1"), "utf-8")
    scored = command("score", "--pack", changed, "--as-of", AS_OF, "--database", database, "--format", "json")
    run = json.loads(scored.stdout)[0]["run"]
    assert "Market 2，" in text(command, database, HIT)
    assert "Market 1，" in text(command, database, HIT, "--run", str(run - 1))


@pytest.mark.parametrize(
    "line", [("explain",), ("explain", "--as-of", "2026-03-02"), ("forecast",), ("paths",)]
)
def test_a_mistyped_code_is_told_with_the_codes_near_it(
    command: Command, database: str, line: tuple[str, ...]
) -> None:
    typed = HIT[:9] + "Z" + HIT[10:]
    result = command(line[0], typed, *line[1:], "--pack", "market", "--database", database)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "not the form of a credit code" in result.stderr
    assert f"perhaps {HIT}" in result.stderr


def test_what_can_not_be_explained_is_said(command: Command, database: str, store: Store) -> None:
    for line, words in (
        (("nobody", "--pack", "market"), "has no result for nobody"),
        ((HIT, "--pack", "nothing"), "there is no run of nothing yet; start one: xinheng score"),
        ((HIT, "--pack", "market", "--run", 99), "has no run 99"),
        ((HIT, "--pack", "nothing", "--run", 1), "run 1 is one of market, not of nothing"),
    ):
        result = command("explain", *line, "--database", database)
        assert (result.exit_code, result.stdout) == (1, "")
        assert words in result.stderr
    with pytest.raises(UnknownSubjectError):
        explain(store, "market", "nobody")


def test_of_months_in_a_row_it_is_said_which_they_are() -> None:
    counted = "count: records, where: kind = 'tax_arrears', take: run"
    measures = f"""measures:
  run: {{title: 连续欠税月数, {counted}, by: start_of_month(occurred_on)}}
  years: {{title: 连续欠税年数, {counted}, by: start_of_year(occurred_on)}}
"""
    asked = "when: run >= 2 and years >= 1 and fines >= 0"
    text = PACK.replace("measures:\n", measures).replace("when: fines >= 20000", asked)
    pack = load_text(text, "market.yaml")
    days = ["2025-11-15", "2025-12-15", "2025-12-31", "2026-01-15", "2026-03-01", "2026-04-01"]
    records = [{"kind": "tax_arrears", "status": "effective", "occurred_on": on} for on in days]
    found = explain_made_up(pack, AS_OF, {}, records)
    [hit] = [hit for hit in found.hits if hit.rule.id == "heavy"]
    assert {name: run.said.zh for name, run in hit.runs.items()} == {
        "run": "2025-11至2026-01",
        "years": "2025至2026",
    }
    shown = "\n".join(explanation_lines(found, False))
    assert "连续欠税月数 3（2025-11至2026-01），连续欠税年数 2（2025至2026）" in shown
    [told] = [hit for hit in explanation_document(found)["hits"] if hit["rule"]["id"] == "heavy"]
    assert told["runs"] == {
        "run": {"first": "2025-11-01", "last": "2026-01-01"},
        "years": {"first": "2025-01-01", "last": "2026-01-01"},
    }
