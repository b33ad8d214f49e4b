"""The arrival of a record: the subject's grade afterwards, kept apart from any published run."""

from __future__ import annotations

import datetime as dt
import json

from scoring.live.events import Judge, live_grade, rescan
from scoring.live.supervisor import Engine
from scoring.runs import latest_run
from scoring.store import Store

from .events_pack import firms, record, take_in

DAY = dt.date(2026, 7, 1)


def test_the_grade_follows_the_record_and_is_no_run(store: Store, durable: Engine) -> None:
    judge = Judge(firms(), durable)
    take_in(store, "subject", [{"firm_id": "A"}])
    seen = []
    for number in range(1, 4):
        take_in(store, "record", [record(f"p{number}", "penalty", "2026-03-01")])
        outcome = judge.judge(store, "A", DAY, cause=f"p{number}")
        assert outcome is not None
        seen.append((outcome.grade.score, outcome.grade.tier))
    assert seen == [(7500, "good"), (7000, "bad"), (4500, "bad")]
    kept = live_grade(store, "firms", "A")
    assert kept is not None
    assert (kept.score, kept.tier, kept.cause, kept.as_of) == (4500, "bad", "p3", DAY)
    assert [(hit["rule"], hit["record_id"], hit["points"]) for hit in json.loads(kept.hits)] == [
        ("penalty", "p1", -500),
        ("penalty", "p2", -500),
        ("penalty", "p3", -500),
        ("many", None, -2000),
    ]
    assert latest_run(store, "firms") is None


def test_who_is_not_known_is_not_judged(store: Store, durable: Engine) -> None:
    take_in(store, "record", [record("p1", "penalty", "2026-03-01")])
    assert Judge(firms(), durable).judge(store, "A", DAY) is None


def test_a_scan_judges_those_who_changed_since_the_last_one(store: Store) -> None:
    pack = firms()
    take_in(store, "subject", [{"firm_id": name} for name in "ABC"])
    take_in(store, "record", [record("p1", "penalty", "2026-03-01")])
    assert rescan(store, pack) == 3
    assert rescan(store, pack) == 0
    take_in(store, "record", [record("p2", "penalty", "2026-03-02", firm_id="B")])
    assert rescan(store, pack) == 1
    assert rescan(store, pack, everybody=True) == 3
    grade = live_grade(store, "firms", "B")
    assert grade is not None
    assert grade.score == 7500
