"""A candidate is graded beside the pack in force on real days, and is nobody's grade."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from fixtures.small import AS_OF, HOMESTAY, RESTAURANT, small_files
from rules.fault import PackError
from rules.library.loader import PACKS, find_pack
from scoring.access.audit import entries
from scoring.answers.search import names_of
from scoring.cli import main
from scoring.facts.ingest.files import ingest_paths
from scoring.rulemaking import trials
from scoring.rulemaking.desk import By, NotLawError
from scoring.rulemaking.trials import (
    Trial,
    UnknownTrialError,
    counts_by_rule,
    end_trial,
    grade_trials,
    list_trials,
    moves_of,
    nights_of,
    start_trial,
)
from scoring.runs.batch import run
from scoring.runs.published import current_run
from scoring.runs.results import grade_of
from scoring.store import Store

PACK = "tourism-credit"
LI = By("cli:li", "operator")
TEXT = (PACKS / "tourism-credit.yaml").read_text(encoding="utf-8")
STRICT = TEXT.replace("start: 75", "start: 55")
NEXT, LATER = dt.date(2026, 9, 1), dt.date(2026, 9, 2)


@pytest.fixture
def small(store: Store) -> Store:
    """A store with a run, on each database."""
    for path in small_files():
        ingest_paths(store, [path], find_pack(PACK, AS_OF).vocabulary)
    run(store, find_pack(PACK, AS_OF), AS_OF)
    return store


def started(store: Store, text: str = STRICT, back: int = 1, on: dt.date = AS_OF) -> Trial:
    return start_trial(store, text, "strict.yaml", "第3次专题会议", LI, on, back)


def graded_on(store: Store, day: dt.date) -> None:
    run(store, find_pack(PACK, day), day)


def report(store: Store, tmp_path: Path, lines: str) -> None:
    """A file of records comes in."""
    head = "记录编号,统一社会信用代码,信息类别,领域,失信程度,记录状态,等级,认定日期,终止日期,认定机关"
    file = tmp_path / "more.csv"
    file.write_text(f"{head}\n{lines}\n", encoding="utf-8")
    ingest_paths(store, [file], find_pack(PACK, AS_OF).vocabulary)


def told(store: Store, trial: Trial, ended: bool = True) -> list[tuple[str, str, str, str, str | None]]:
    return [
        (move.subject_id, move.tier_before, move.tier, str(move.since), move.until and str(move.until))
        for move in moves_of(store, trial.id, ended=ended)
    ]


def test_who_differs_is_told_with_the_day_since_when_and_until_when(small: Store, tmp_path: Path) -> None:
    trial = started(small)
    assert [
        (night.as_of, night.subjects, night.differ, night.moved) for night in grade_trials(small, AS_OF)
    ] == [(AS_OF, 2, 2, 2)]
    both = [(HOMESTAY, "B", "C", str(AS_OF), None), (RESTAURANT, "C", "D", str(AS_OF), None)]
    assert told(small, trial) == both

    graded_on(small, NEXT)
    assert [night.as_of for night in grade_trials(small, NEXT)] == [NEXT]
    assert told(small, trial) == both

    penalty = "食品安全,严重,有效,,2026-09-01,,云衡区市场监督管理局"
    report(small, tmp_path, "\n".join(f"LY-{n},{RESTAURANT},行政处罚,{penalty}" for n in range(7, 10)))
    graded_on(small, LATER)
    assert [night.moved for night in grade_trials(small, LATER)] == [1]
    assert told(small, trial) == [both[0], (*both[1][:4], str(LATER))]
    assert told(small, trial, ended=False) == [both[0]]


def test_it_is_nobodys_grade(small: Store) -> None:
    run_before = current_run(small, PACK)
    assert run_before is not None
    before = grades_of(small)
    started(small)
    list(grade_trials(small, AS_OF))
    assert current_run(small, PACK) == run_before
    assert grades_of(small) == before


def grades_of(store: Store) -> list[object]:
    found = current_run(store, PACK)
    assert found is not None
    return [grade_of(store, found, subject) for subject in (HOMESTAY, RESTAURANT)]


def test_each_day_is_tried_once_by_its_last_run_and_none_before_it(small: Store, tmp_path: Path) -> None:
    trial = started(small, back=0)
    assert list(grade_trials(small, NEXT)) == []
    graded_on(small, NEXT)
    report(
        small,
        tmp_path,
        f"LY-9,{RESTAURANT},表彰奖励,,,有效,区级,2026-03-01,2029-03-01,云衡区文旅委",
    )
    graded_on(small, NEXT)
    assert len(list(grade_trials(small, NEXT))) == 1
    assert list(grade_trials(small, NEXT)) == []
    run(small, find_pack(PACK, AS_OF), AS_OF, again=True)  # of a day before the one that was tried
    graded_on(small, LATER)  # of a day to come
    assert list(grade_trials(small, NEXT)) == []
    last = current_run(small, PACK)
    assert last is not None
    assert [night.as_of for night in nights_of(small, trial.id)] == [NEXT]


def test_of_two_at_once_one_keeps_the_night(small: Store) -> None:
    trial = started(small)
    found: list[list[trials.Night]] = []

    def grade() -> None:
        found.append(list(grade_trials(small, AS_OF)))

    threads = [threading.Thread(target=grade) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(len, found)) == [0, 0, 1]
    assert len(nights_of(small, trial.id)) == 1
    assert len(moves_of(small, trial.id)) == 2


def test_a_day_that_is_graded_again_says_what_is_so_on_it(small: Store, tmp_path: Path) -> None:
    trial = started(small)
    list(grade_trials(small, AS_OF))
    penalty = "食品安全,严重,有效,,2026-08-01,,云衡区市场监督管理局"
    report(small, tmp_path, "\n".join(f"LY-{n},{RESTAURANT},行政处罚,{penalty}" for n in range(7, 10)))
    graded_on(small, AS_OF)
    assert [night.moved for night in grade_trials(small, AS_OF)] == [1]
    assert told(small, trial) == [(HOMESTAY, "B", "C", str(AS_OF), None)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: TEXT, "is a version that there is"),
        (lambda text: text.replace("pack: tourism-credit", "pack: nobody"), "no pack is called nobody"),
        (
            lambda text: text.replace("until: 2026-12-01", "until: 2026-08-31", 1),
            "no day is left to try it",
        ),
    ],
    ids=["the same", "no pack", "a time that has ended"],
)
def test_what_can_not_be_tried_is_refused_with_the_reason(
    small: Store, change: Callable[[str], str], said: str
) -> None:
    with pytest.raises(NotLawError, match=said):
        started(small, change(STRICT))
    assert list_trials(small) == []


def test_a_draft_of_a_day_to_come_is_tried_as_it_stands(small: Store) -> None:
    started(small, STRICT.replace("{from: 2026-01-01, until: 2026-12-01}", "{from: 2027-02-01}", 1))
    assert [(night.as_of, night.moved) for night in grade_trials(small, AS_OF)] == [(AS_OF, 2)]


def test_a_text_that_is_no_pack_is_refused_with_its_faults(small: Store) -> None:
    with pytest.raises(PackError, match=r"strict\.yaml"):
        started(small, STRICT.replace("start: 55", "start: many"))


def test_a_candidate_is_on_trial_once_until_somebody_ends_it(small: Store) -> None:
    trial = started(small)
    with pytest.raises(NotLawError, match="is tried already"):
        started(small)
    ended = end_trial(small, trial.id, "已提交施行", LI)
    assert (ended.ending, ended.ended_by) == ("已提交施行", "cli:li")
    assert list(grade_trials(small, AS_OF)) == []
    with pytest.raises(NotLawError, match="has ended already"):
        end_trial(small, trial.id, "x", LI)
    with pytest.raises(UnknownTrialError):
        end_trial(small, 99, "x", LI)
    started(small)
    assert [entry.action for entry in entries(small, limit=9)][:3] == [
        "rules.try",
        "rules.try-no-more",
        "rules.try",
    ]


def test_the_command_line_grades_it_after_each_run(
    small: Store, store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scoring.cli.trials.today", lambda: LATER)
    draft = tmp_path / "strict.yaml"
    draft.write_text(STRICT, encoding="utf-8")

    def xinheng(*given: str) -> str:
        done = CliRunner().invoke(main, [*given, "--database", store_url], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    assert "2026-08-31, 2/2" in xinheng("trials", "start", str(draft), "--reason", "会议")
    assert "2026-09-01, 2/2" in xinheng("score", "--pack", PACK, "--as-of", "2026-09-01")
    assert "没有可对照的新批次" in xinheng("trials", "run")
    moves = json.loads(xinheng("trials", "show", "1", "--format", "json"))
    names = names_of(small, "tourism", [HOMESTAY, RESTAURANT])
    assert [(one["name"], one["tier"], one["since"]) for one in moves] == [
        (names[HOMESTAY], "C", "2026-08-31"),
        (names[RESTAURANT], "D", "2026-08-31"),
    ]
    nights = json.loads(xinheng("trials", "nights", "1", "--format", "json"))
    assert [(night["as_of"], night["moved"]) for night in nights] == [("2026-09-01", 2), ("2026-08-31", 2)]
    assert "LY-2" not in xinheng("trials", "rules", "1")
    [listed] = json.loads(xinheng("trials", "list", "--format", "json"))
    assert (listed["reason"], listed["moved"], len(listed["pack_hash"])) == ("会议", 2, 64)
    shown = xinheng("trials", "list")
    assert listed["pack_hash"][:12] in shown
    assert listed["pack_hash"] not in shown
    assert "信用旅游商户" in shown
    assert "已结束 ended" in xinheng("trials", "end", "1", "--reason", "完")


def test_rules_are_counted_by_how_many_they_move() -> None:
    moves = [
        trials.Move(name, AS_OF, None, "B", "C", rules)
        for name, rules in (("a", ("x", "y")), ("b", ("y",)), ("c", ("z", "y")))
    ]
    assert counts_by_rule(moves) == {"y": 3, "x": 1, "z": 1}
