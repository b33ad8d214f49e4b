"""The arrival of a record: the subject's grade afterwards, kept apart from any published run."""

from __future__ import annotations

import datetime as dt
import json

import pytest
import sqlalchemy as sa

from rules.calendar import today
from rules.library.loader import load_text
from rules.model import Pack
from rules.titles import halves
from scoring.live import events, scanning
from scoring.live.events import Judge, live_grade, records_arrived
from scoring.live.scanning import Scan, rescan
from scoring.live.supervisor import Engine
from scoring.runs.published import latest_run
from scoring.store import Store, StoreError
from scoring.store.models import SubjectVersion

from .events_pack import PACK, firms, record, take_in

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
    kept = live_grade(store, firms(), "A", DAY)
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
    assert rescan(store, pack).subjects == 3
    assert rescan(store, pack).subjects == 0
    take_in(store, "record", [record("p2", "penalty", "2026-03-02", firm_id="B")])
    assert rescan(store, pack).subjects == 1
    told: list[tuple[int, int]] = []
    assert rescan(store, pack, everybody=True, progress=lambda *done: told.append(done)).subjects == 3
    assert told == [(3, 3)]
    grade = live_grade(store, pack, "B", today())
    assert grade is not None
    assert grade.score == 7500


def test_a_scan_that_was_killed_goes_on_where_it_ended_and_misses_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What changed behind it meanwhile is judged as well."""
    monkeypatch.setattr(scanning, "_AT_ONCE", 2)
    pack, names = firms(), "ABCDE"
    take_in(store, "subject", [{"firm_id": name} for name in names])

    def killed(done: int, whole: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rescan(store, pack, progress=killed)
    take_in(store, "record", [record("p1", "penalty", "2026-03-01", firm_id="A")])
    told: list[tuple[int, int]] = []
    assert rescan(store, pack, progress=lambda *done: told.append(done)) == Scan(3 + 1, before=2)
    assert told == [(4, 5), (5, 5), (1, 1)]
    assert rescan(store, pack).subjects == 0


def test_a_subject_that_cannot_be_judged_is_named_and_keeps_nobody_else_out(store: Store) -> None:
    take_in(store, "subject", [{"firm_id": name} for name in "ABC"])
    with store.writing() as session:
        damaged = sa.update(SubjectVersion).where(SubjectVersion.subject_id == "B")
        session.execute(damaged.values(data="[]"))
    found = rescan(store, firms())
    assert (found.subjects, len(found.failed)) == (2, 1)
    why = halves(found.failed[0])
    assert why.zh.startswith("B:系统出错,请联系管理员")
    assert why.en.startswith("B (")
    assert live_grade(store, firms(), "C", today()) is not None
    assert rescan(store, firms()).subjects == 0


def test_a_scan_of_another_pack_or_of_everybody_begins_anew(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanning, "_AT_ONCE", 1)
    take_in(store, "subject", [{"firm_id": name} for name in "ABC"])
    rescan(store, firms())
    take_in(store, "record", [record(f"p{name}", "penalty", "2026-03-01", firm_id=name) for name in "AB"])

    def killed(done: int, whole: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rescan(store, firms(), progress=killed)
    assert rescan(store, load_text(PACK.replace("points: -5", "points: -6"), "firms.yaml")).before == 0
    with pytest.raises(KeyboardInterrupt):
        rescan(store, firms(), progress=killed)
    assert rescan(store, firms(), everybody=True) == Scan(2, before=1)


def aging() -> Pack:
    """Penalties count for twelve months, and less every month."""
    counts = "points: -5, counts: {months: 12, from: happened_on, decay: linear}"
    return load_text(
        PACK.replace("when: kind = 'penalty', points: -5", f"when: kind = 'penalty', {counts}"), "aging.yaml"
    )


def test_a_live_grade_is_that_of_the_day_on_which_it_is_looked_up(store: Store, durable: Engine) -> None:
    pack = aging()
    take_in(store, "subject", [{"firm_id": "A"}])
    take_in(store, "record", [record("p1", "penalty", "2025-07-02")])
    Judge(pack, durable).judge(store, "A", DAY, cause="p1")
    looked = {
        day: live_grade(store, pack, "A", dt.date.fromisoformat(day)) for day in ("2026-07-01", "2026-07-02")
    }
    assert {day: row and (row.score, str(row.as_of), row.cause) for day, row in looked.items()} == {
        "2026-07-01": (7958, "2026-07-01", "p1"),
        "2026-07-02": (8000, "2026-07-02", "p1"),
    }
    assert live_grade(store, pack, "B", DAY) is None


def test_a_live_grade_of_an_earlier_pack_is_judged_by_the_one_in_force(store: Store, durable: Engine) -> None:
    take_in(store, "subject", [{"firm_id": "A"}])
    take_in(store, "record", [record("p1", "penalty", "2026-03-01")])
    Judge(firms(), durable).judge(store, "A", DAY)
    dearer = load_text(PACK.replace("points: -5", "points: -7"), "firms.yaml")
    seen = live_grade(store, dearer, "A", DAY)
    assert seen is not None
    assert seen.score == 7300


def test_a_pack_that_fails_does_not_stop_the_others(
    store: Store, durable: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first of two packs meets a record that its rules can't judge."""
    broken, sound = firms(), load_text(PACK.replace("pack: firms", "pack: others"), "others.yaml")
    monkeypatch.setattr(events, "known_ruling", lambda store, day: (broken, sound))
    events.judge_of(broken).grader = None  # type: ignore[assignment]
    take_in(store, "subject", [{"firm_id": "A"}])
    take_in(store, "record", [record("p1", "penalty", "2026-03-01")])
    records_arrived(store, "firm", ["p1"])
    assert live_grade(store, sound, "A", today()) is not None
    with store.reading() as session:
        assert session.get(events.LiveGradeRow, ("firms", "A")) is None


def test_a_store_that_can_not_say_which_packs_rule_is_not_the_senders_business(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the sender sent is in the store by then."""
    told: list[str] = []

    def fails(store: Store, day: dt.date) -> None:
        raise StoreError("the store was kept locked by another process")

    monkeypatch.setattr(events, "known_ruling", fails)
    monkeypatch.setattr(events._LOG, "error", lambda said, **more: told.append(said))
    take_in(store, "subject", [{"firm_id": "A"}])
    take_in(store, "record", [record("p1", "penalty", "2026-03-01")])
    records_arrived(store, "firm", ["p1"])
    assert told == ["subjects could not be judged"]
