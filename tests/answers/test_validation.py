"""Grades held against what was found later, and two runs beside one another."""

from __future__ import annotations

import datetime as dt
import json
import math
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from databases import Fill

from rules.calendar import SHANGHAI
from rules.library.loader import load_text
from scoring.answers.validation.backtest import BacktestError, RuleFound, Verdict, Wanted, backtest
from scoring.answers.validation.drift import Class, DriftError, Feed, Shift, Size, drift, runs_to_compare
from scoring.answers.validation.shares import Share, difference
from scoring.cli import main
from scoring.facts.ingest.files import ingest_paths
from scoring.runs.batch import run
from scoring.runs.published import RunSummary, get_run, latest_run
from scoring.store import Store, open_store
from scoring.store.inspections import InspectionPlan, PlannedVisit
from scoring.store.models import IngestedFile, RecordVersion, SubjectVersion
from scoring.store.visits import VisitRow

DAY = dt.date(2026, 1, 31)
LEARNT = dt.datetime(2026, 1, 10, tzinfo=SHANGHAI)
FINED, CLEAN, PRAISED = "91500159MAXXMDTC5B", "91500159MAM9YW964E", "91500159MA02N8NP7G"
PACK_TEXT = """\
pack: foresight
version: "1"
title: {zh: 预见, en: Foresight}
subject: enterprise
in_force: {from: 2025-01-01}
basis: [{id: law, title: 某某条例}]
score: {start: 80, min: 0, max: 100}
dimensions: [{id: conduct, title: {zh: 守法, en: Conduct}}]
measures:
  fines: {title: {zh: 罚没次数, en: Fines}, count: records, where: kind = 'penalty',
          within: {months: 24, from: occurred_on}}
rules:
  - {id: penalty, title: {zh: 处罚, en: Penalty}, dimension: conduct, points: -20, basis: law,
     when: kind = 'penalty' and status = 'effective', counts: {months: 24, from: occurred_on}}
  - {id: award, title: {zh: 表彰, en: Award}, dimension: conduct, points: 5, basis: own-choice,
     when: kind = 'award'}
  - {id: many, title: {zh: 多次, en: Many}, dimension: conduct, points: -5, basis: own-choice,
     when: fines >= 3}
grades:
  - {tier: A, title: {zh: 优, en: Good}, from: 70}
  - {tier: D, title: {zh: 差, en: Poor}, from: 0}
"""
PACK = load_text(PACK_TEXT, "foresight.yaml")
"""Penalties cost points, awards give some."""

SUBJECTS = "subject_id,name,state,established_on\n" + "".join(
    f"{code},企业{code[-4:]},operating,2010-01-02\n" for code in (FINED, CLEAN, PRAISED)
)
HEADER = "record_id,subject_id,kind,severity,status,level,occurred_on,authority\n"
BEFORE = f"""\
P1,{FINED},penalty,general,effective,fine,2025-06-01,市场监管局
W1,{PRAISED},award,,effective,district,2025-06-01,区政府
"""
LATER = f"""\
I0,{CLEAN},inspection,,effective,failed,2026-01-31,市场监管局
I1,{FINED},inspection,,effective,failed,2026-02-01,市场监管局
I2,{CLEAN},inspection,,effective,passed,2026-03-01,市场监管局
I3,{PRAISED},inspection,,effective,rectify,2026-07-31,市场监管局
I4,{CLEAN},inspection,,effective,failed,2026-08-01,市场监管局
I5,{CLEAN},inspection,,revoked,failed,2026-04-01,市场监管局
P1,{FINED},penalty,general,repaired,fine,2025-06-01,市场监管局
"""
HALF_A_YEAR = Wanted(DAY, 6)


def fill(url: str) -> None:
    """Three enterprises; what was learnt of them on 10 January, and what has been learnt since."""
    store = open_store(url)
    take(store, subjects=SUBJECTS, records=HEADER + BEFORE)
    with store.writing() as session:
        for version in (SubjectVersion, RecordVersion):
            session.execute(sa.update(version).values(known_from=LEARNT))
        session.execute(sa.update(IngestedFile).values(ingested_at=LEARNT))
    take(store, records=HEADER + LATER)
    store.close()


def take(store: Store, **files: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        paths = []
        for file, text in files.items():
            paths.append(Path(name) / f"{file}.csv")
            paths[-1].write_text(text, encoding="utf-8")
        ingest_paths(store, paths, "enterprise")


@pytest.fixture(autouse=True)
def pack_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where runs read the pack again that they keep."""
    (tmp_path / "foresight.yaml").write_text(PACK_TEXT, encoding="utf-8")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def store_url(copy_of: Callable[[Fill], str]) -> str:
    return copy_of(fill)


def by_tier(store: Store, wanted: Wanted) -> dict[str, tuple[int, int]]:
    found = backtest(store, PACK, wanted)
    return {tier.tier: (tier.share.found, tier.share.of) for tier in found.tiers}


def test_grades_of_a_day_are_those_that_were_known_that_day(store: Store) -> None:
    assert by_tier(store, HALF_A_YEAR) == {"A": (1, 2), "D": (1, 1)}
    now = replace(HALF_A_YEAR, as_known_now=True)
    assert by_tier(store, now) == {"A": (2, 3), "D": (0, 0)}, "the fine that was repaired since"


def test_what_counts_begins_after_the_day_and_ends_with_the_last_one(store: Store) -> None:
    """I0 is of the day itself and I4 of the day after the last; I5 was revoked."""
    clean = replace(
        HALF_A_YEAR, among=f"subject_id = '{CLEAN}'", found="kind = 'inspection' and level = 'failed'"
    )
    assert by_tier(store, replace(clean, found="record_id in ('I0', 'I4')")) == {"A": (0, 1), "D": (0, 0)}
    assert by_tier(store, replace(clean, months=7, found="record_id = 'I4'"))["A"] == (1, 1)
    praised = replace(HALF_A_YEAR, among=f"subject_id = '{PRAISED}'", found="record_id = 'I3'")
    assert by_tier(store, praised)["A"] == (1, 1), "31 July is within six months of 31 January"


def test_a_rule_that_gives_points_to_whom_more_is_found_of_is_called_out() -> None:
    """30 of 40 beside 10 of 100, of a rule that takes points, gives them, gives none, or forces a tier."""
    bad, good = Share(30, 40), Share(10, 100)
    penalty, award = PACK.rule("penalty"), PACK.rule("award")
    cases = {
        (penalty, -2000, bad, good): Verdict.FORESEES,
        (penalty, -2000, good, bad): Verdict.CONTRARY,
        (award, 500, bad, good): Verdict.CONTRARY,
        (award, 500, good, bad): Verdict.FORESEES,
        (award, 0, good, bad): Verdict.UNPOINTED,
        (replace(penalty, tier="D"), 0, bad, good): Verdict.FORESEES,
        (penalty, -2000, Share(1, 4), Share(25, 100)): Verdict.UNTOLD,
        (penalty, -2000, Share(0, 0), bad): Verdict.NOBODY,
    }
    for (rule, points, hit, others), verdict in cases.items():
        assert RuleFound(rule, points, hit, others, difference(hit, others)).verdict is verdict


def test_each_rule_stands_beside_those_whom_it_did_not_hit(store: Store) -> None:
    found = {one.rule.id: one for one in backtest(store, PACK, HALF_A_YEAR).rules}
    assert (found["penalty"].hit, found["penalty"].others) == (Share(1, 1), Share(1, 2))
    assert (found["award"].hit, found["award"].others) == (Share(1, 1), Share(1, 2))
    assert found["many"].verdict is Verdict.NOBODY


def test_the_lower_score_of_whom_something_was_found_is_concordant(store: Store) -> None:
    """60 and 85 were found against, 80 was not: of two pairs one is as it should be."""
    assert backtest(store, PACK, HALF_A_YEAR).concordance == 0.5
    alone = replace(HALF_A_YEAR, found="record_id = 'I1'")
    assert backtest(store, PACK, alone).concordance == 1.0
    repaired = replace(alone, as_known_now=True)
    assert backtest(store, PACK, repaired).concordance == 0.75, "80 beside 80 counts half, beside 85 whole"
    assert backtest(store, PACK, replace(alone, found="record_id = 'X'")).concordance is None


def test_only_visits_that_a_plan_drew_at_random_are_an_unbiased_sample(store: Store) -> None:
    run(store, PACK, DAY)
    draw(store, FINED, drawn=True, outcome="failed")
    draw(store, CLEAN, drawn=True, outcome="passed", done_on=dt.date(2026, 7, 31))
    draw(store, PRAISED, drawn=False, outcome="failed")
    drawn = replace(HALF_A_YEAR, drawn=True)
    assert by_tier(store, drawn) == {"A": (0, 1), "D": (1, 1)}
    assert by_tier(store, replace(drawn, months=5)) == {"A": (0, 0), "D": (1, 1)}
    draw(store, CLEAN, drawn=True, complaint=True, outcome="failed")
    assert by_tier(store, drawn) == {"A": (0, 1), "D": (1, 1)}, (
        "who was complained of was not drawn at random"
    )


def draw(
    store: Store,
    subject: str,
    drawn: bool,
    outcome: str,
    done_on: dt.date = dt.date(2026, 2, 10),
    complaint: bool = False,
) -> None:
    """A visit of a plan of its own, made."""
    with store.writing() as session:
        plan = InspectionPlan(
            pack_id=PACK.id,
            month=dt.date(2026, 2, 1),
            seed="x",
            run_id=1,
            made_at=LEARNT,
            visits=1,
            refusals=0,
        )
        session.add(plan)
        session.flush()
        session.add(
            PlannedVisit(
                plan_id=plan.id, subject_id=subject, tier="A", drawn=drawn, complaint=complaint,
                requests="[]", authorities="[]", inspectors="[]",
            )
        )  # fmt: skip
        session.add(
            VisitRow(
                code=f"{plan.id:012d}", pack_id=PACK.id, vocabulary="enterprise", subject_id=subject,
                plan_id=plan.id, ground="planned", tier="A", over_cap=False, authorities="[]",
                inspectors="[]", begins_on=done_on, ends_on=done_on, report_until=done_on,
                issued_by="x", issued_at=LEARNT, done_on=done_on, outcome=outcome,
            )
        )  # fmt: skip


REFUSED = {
    "no such name": (replace(HALF_A_YEAR, found="kinds = 'penalty'"), "nothing declares the name kinds"),
    "no such code": (replace(HALF_A_YEAR, found="kind = 'penalties'"), "penalties"),
    "not a condition": (replace(HALF_A_YEAR, found="amount + 1"), "not a condition"),
    "a subject's": (replace(HALF_A_YEAR, found="size = 'large'"), "nothing declares the name size"),
    "as_of": (replace(HALF_A_YEAR, found="occurred_on < as_of"), "as_of"),
    "SQL": (replace(HALF_A_YEAR, found="1=1; drop table records"), "1=1; drop table records"),
    "nothing known yet": (replace(HALF_A_YEAR, day=dt.date(2026, 1, 9)), "by what is known now"),
    "nobody looked at": (replace(HALF_A_YEAR, months=0), "nobody graded on 2026-01-31"),
    "no visit drawn": (replace(HALF_A_YEAR, drawn=True), "nobody graded on 2026-01-31"),
}


@pytest.mark.parametrize(("wanted", "why"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_tested_is_refused_with_the_reason(store: Store, wanted: Wanted, why: str) -> None:
    with pytest.raises(BacktestError) as refused:
        backtest(store, PACK, wanted)
    assert why in refused.value.title.en
    assert refused.value.title.zh != refused.value.title.en


def test_the_command_lists_tiers_and_rules(store_url: str) -> None:
    line = ["backtest", "--pack", "foresight.yaml", "--as-of", str(DAY), "--months", "6"]

    def said(*more: str) -> str:
        result = CliRunner().invoke(main, [*line, *more, "--database", store_url])
        assert result.exit_code == 0, result.output
        return result.stdout

    assert "D,1,1,1,100.0%,20.7%-100.0%,1.5" in said("--format", "csv")
    assert "penalty" in said("--by", "rule")
    document = json.loads(said("--format", "json"))
    assert document["sample"] | {"low": 0, "high": 0} == {
        "found": 2,
        "of": 3,
        "share": 0.6667,
        "low": 0,
        "high": 0,
    }
    assert {rule["rule"]: rule["verdict"] for rule in document["rules"]}["many"] == "nobody"


def test_shifts_are_counted_by_the_classes_of_the_earlier_run(store: Store) -> None:
    """On 31 January only what was known by then; the later run knows of the repair."""
    run(store, PACK, DAY)
    earlier = replace(get_run(store, 1), known_at=LEARNT)
    found = drift(store, earlier, run_of(store, dt.date(2026, 8, 31)))
    assert found.tier.classes == (
        Class(True, "A", None, None, 2, 3),
        Class(True, "D", None, None, 1, 0),
    )
    assert found.score.classes == (
        Class(True, None, None, 80.0, 1, 0),
        Class(True, None, 80.0, 85.0, 1, 2),
        Class(True, None, 85.0, None, 1, 1),
    )
    assert [shift.name for shift in found.inputs] == ["fines"]


def test_a_measure_says_which_office_sends_no_longer_what_it_counts(store: Store) -> None:
    """Six fines of last July and none since; the awards, of which no measure is made, came as ever."""
    fines = "".join(
        f"F{n},{CLEAN},penalty,minor,effective,warning,2025-07-{n + 10},环保局\n" for n in range(6)
    )
    awards = "".join(
        f"G{n},{CLEAN},award,,effective,district,{year}-07-{n + 10},区政府\n"
        for year in (2025,)
        for n in range(6)
    )
    long_ago = f"F9,{CLEAN},penalty,minor,effective,warning,2025-05-31,环保局\n"
    take(store, records=HEADER + fines + awards + long_ago)
    earlier, later = run_of(store, DAY), run_of(store, dt.date(2026, 8, 31))
    found = drift(store, earlier, later)
    silent = Feed("环保局", "penalty", 6, 0)
    assert silent in found.feeds
    assert silent.fell_silent
    (fines_shift,) = found.inputs
    assert fines_shift.silent == (silent,), "no award is counted by it"
    assert Feed("区政府", "award", 7, 0) in found.feeds, "with the one of 1 June"
    assert found.title_of(silent).zh == "行政处罚"


def test_so_few_records_are_no_silence() -> None:
    assert not Feed("环保局", "penalty", 4, 0).fell_silent
    assert Feed("环保局", "penalty", 5, 0).fell_silent
    assert not Feed("环保局", "penalty", 5, 1).fell_silent


def test_the_index_is_that_of_the_textbook() -> None:
    """Of 100 and 200: from halves to 60 : 40 and further, and a class that one run lacks."""

    def shift(*classes: tuple[int, int]) -> Shift:
        return Shift(
            "x", PACK.title, tuple(Class(True, str(n), None, None, *one) for n, one in enumerate(classes))
        )

    assert shift((50, 120), (50, 80)).index == pytest.approx(0.1 * math.log(1.2) - 0.1 * math.log(0.8))
    assert shift((50, 120), (50, 80)).size is Size.STABLE
    assert shift((50, 130), (50, 70)).size is Size.STABLE
    assert shift((50, 140), (50, 60)).size is Size.MODERATE
    assert shift((50, 160), (50, 40)).size is Size.MAJOR
    assert shift((50, 50), (50, 50), (0, 0)).index == 0
    before, after = (100 / 100.5, 0.5 / 100.5), (0.5, 0.5)
    lacking = sum((b - a) * math.log(b / a) for a, b in zip(before, after, strict=True))
    assert shift((100, 50), (0, 50)).index == pytest.approx(lacking)


def test_runs_that_cannot_be_compared_are_refused(store: Store) -> None:
    with pytest.raises(DriftError, match="no two runs"):
        runs_to_compare(store, PACK.id)
    first = run_of(store, DAY)
    with pytest.raises(DriftError, match="no two runs"):
        runs_to_compare(store, PACK.id)
    with pytest.raises(DriftError, match="two runs of one pack"):
        drift(store, first, first)
    run_of(store, dt.date(2026, 2, 27))
    with pytest.raises(DriftError, match="no two runs"):
        runs_to_compare(store, PACK.id)
    last = run_of(store, dt.date(2026, 2, 28))
    assert runs_to_compare(store, PACK.id) == (first, last)
    with pytest.raises(DriftError, match="two runs of one pack"):
        drift(store, last, first)


def run_of(store: Store, day: dt.date) -> RunSummary:
    run(store, PACK, day)
    found = latest_run(store, PACK.id)
    assert found is not None
    return found
