"""What will be of a grade, and what would have been said of it: as the reader is told."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cli.conftest import Command
from cli.market import AS_OF, HIT, MISSED
from rules.library.loader import find_pack
from scoring.answers.explain import explain, explain_day
from scoring.answers.forecast import Cause, Reason, changes, forecast
from scoring.cli.forecast import change_text
from scoring.runs.published import current_run
from scoring.store import Store, open_store


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory, market: Path, command: Command) -> str:
    """A store of its own: others let other versions of the pack rule in the common one."""
    url = f"sqlite:///{tmp_path_factory.mktemp('forecast') / 'market.db'}"
    for line in (
        ("db", "upgrade"),
        ("ingest", market / "subjects.csv", market / "records.csv", "--quarantine", market),
        ("score", "--pack", market / "market.yaml", "--as-of", AS_OF),
    ):
        assert command(*line, "--database", url).exit_code == 0
    return url


@pytest.fixture(scope="module")
def store(database: str) -> Iterator[Store]:
    with closing(open_store(database)) as opened:
        yield opened


def said(command: Command, database: str, *line: str) -> str:
    result = command(*line, "--pack", "market", "--database", database)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_fine_that_counts_no_longer_is_said_on_the_day_on_which_the_score_changes(store: Store) -> None:
    steps = forecast(store, "market", HIT).steps
    assert [(str(s.begins), s.grade and s.grade.score, s.grade and s.grade.tier) for s in steps] == [
        ("2026-07-31", 8500, "D"),
        ("2027-04-01", 8900, "D"),
    ]
    (reason,) = steps[1].reasons
    assert (reason.cause, reason.rule and reason.rule.id, reason.record_id) == (Cause.ENDS, "penalty", "P2")
    assert (reason.points_before, reason.points) == (-400, 0)


def test_the_command_says_what_begins_and_what_ends(command: Command, database: str) -> None:
    shown = said(command, database, "forecast", MISSED)
    assert "2027-05-01" in shown
    assert "久列名录 Long listed (L1) 开始计入 begins to count 0 → -3" in shown
    rows = json.loads(said(command, database, "forecast", MISSED, "--format", "json"))["steps"]
    assert [(row["begins"], row["ends"], len(row["reasons"])) for row in rows] == [
        ("2026-07-31", "2027-05-01", 0),
        ("2027-05-01", "2030-01-02", 1),
    ]


def test_a_day_that_a_run_has_said_is_explained_as_published(store: Store) -> None:
    run = current_run(store, "market")
    assert run is not None
    assert explain_day(store, "market", HIT, AS_OF) == explain(store, "market", HIT)
    assert explain_day(store, "market", HIT, AS_OF, dt.datetime.now(dt.UTC)).run == run


def test_any_other_day_is_computed_and_says_so(command: Command, database: str, store: Store) -> None:
    found = explain_day(store, "market", HIT, dt.date(2027, 3, 31))
    assert (found.run, found.score, found.next_change_on) == (None, 8500, dt.date(2027, 4, 1))
    later = explain_day(store, "market", HIT, dt.date(2027, 4, 1))
    assert (later.score, {h.record_id for h in later.hits} & {"P1", "P2"}) == (8900, set())
    shown = said(command, database, "explain", HIT, "--as-of", "2027-04-01")
    assert "推算，未曾发布 computed, not as published" in shown
    assert (
        json.loads(said(command, database, "explain", HIT, "--as-of", "2027-04-01", "--format", "json"))[
            "run"
        ]
        is None
    )


def test_the_computed_answer_is_what_a_run_would_publish(store: Store) -> None:
    """The same judgement, by another way than the run's."""
    published = explain(store, "market", HIT)
    day = AS_OF + dt.timedelta(1)
    computed = explain_day(store, "market", HIT, day)
    same = ("score", "tier", "band", "veto", "next_change_on", "dimensions", "measures", "unmatched")
    assert [getattr(computed, name) for name in same] == [getattr(published, name) for name in same]
    assert sorted(map(str, computed.hits)) == sorted(map(str, published.hits))


def test_what_can_not_be_asked_is_said(command: Command, database: str) -> None:
    for line, code, words in (
        (("explain", HIT, "--run", "1", "--as-of", "2026-07-31"), 2, "leave out --as-of"),
        (("explain", HIT, "--known-at", "2001-01-01"), 1, "nothing was known of"),
        (("explain", HIT, "--as-of", "2025-12-31"), 1, "no version of market is in force on 2025-12-31"),
        (("explain", HIT, "--known-at", "yesterday"), 2, "is not a moment"),
        (("forecast", "nobody"), 1, "has no result for nobody"),
        (("forecast", HIT, "--months", "0"), 2, "--months"),
    ):
        result = command(*line, "--pack", "market", "--database", database)
        assert (result.exit_code, result.stdout) == (code, ""), line
        assert words in result.stderr


def test_what_one_rule_does_about_several_records_is_one_line_and_the_version_is_said_once() -> None:
    rule = next(
        rule for rule in find_pack("enterprise-credit", dt.date(2026, 8, 1)).rules if not rule.is_veto
    )
    each = [Reason(Cause.VERSION, rule, f"P{n}", 50 * n, 0, "2026.2") for n in range(1, 4)]
    lines = [change_text(one) for one in changes([Reason(Cause.VERSION, version="2026.2"), *each])]
    assert lines == [
        "评价规则换版 another version of the pack is in force 2026.2",
        f"{rule.title} ×3 +3 → 0",
    ]
    [ended] = changes([Reason(Cause.ENDS, rule, "P1", -400, 0)])
    assert change_text(ended) == f"{rule.title} (P1) 计分期满 counts no longer -4 → 0"
