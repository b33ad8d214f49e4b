"""What is foretold of everybody is what judging everybody on each of the days gives."""

from __future__ import annotations

import datetime as dt
from calendar import monthrange
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
import sqlalchemy as sa

from rules.library.loader import load_pack
from rules.model import Pack
from scoring.answers.timelines import UnknownSubjectError
from scoring.facts.snapshot import take_snapshot
from scoring.facts.undo import undo_file
from scoring.inspections.foreseen import PopulationForecast, population_document, population_forecast
from scoring.inspections.plan import monthly_quota
from scoring.judging.engine import grade_coded
from scoring.runs.batch import run
from scoring.runs.published import current_run
from scoring.store import Store
from scoring.store.models import Run

from .conftest import TakeIn
from .test_keeping import DAY0, FINE, Packs, day, history

SUPERVISION = """
supervision:
  good: {sample_share: 0.5, visits_per_year: 1, valid_months: 6, measures: [{zh: 常规, en: Usual}]}
  bad: {sample_share: 1, visits_per_year: 9, valid_months: 6, measures: [{zh: 重点, en: Key}]}
"""
Tiers = dict[str, str]


@pytest.fixture
def packs(tmp_path: Path) -> Packs:
    folder = tmp_path / "packs"
    folder.mkdir()
    return Packs(folder, ranks=False)


@pytest.fixture
def supervised(packs: Packs) -> Callable[..., Pack]:
    """A version of the market's pack that says how its tiers are supervised."""

    def version(begins: dt.date, ends: dt.date | None = None, points: int = -10) -> Pack:
        path = Path(packs.version(begins, ends, points).place.file)
        path.write_text(path.read_text("utf-8") + SUPERVISION, "utf-8")
        return load_pack(path)

    return version


def months(first: dt.date, number: int) -> list[tuple[dt.date, dt.date]]:
    """First and last days, by another way than the product's."""
    found, year, month = [], first.year, first.month
    while len(found) < number:
        last = dt.date(year, month, monthrange(year, month)[1])
        if last > first:
            found.append((max(first, last.replace(day=1)), last))
        year, month = year + month // 12, month % 12 + 1
    return found


def judged(known: duckdb.DuckDBPyConnection, versions: list[Pack], on: dt.date) -> Tiers:
    """Everybody's tier on a day, by the version that began last of those in force."""
    ruling = [
        v for v in versions if v.in_force_from <= on and (not v.in_force_until or on < v.in_force_until)
    ]
    if not ruling:
        return {}
    pack = max(ruling, key=lambda version: version.in_force_from)
    grade_coded(known, pack, on, ahead=False)
    return dict(known.sql("select cast(subject_id as varchar), tier from scores").fetchall())


def check(store: Store, versions: list[Pack], number: int, gone: tuple[str, ...] = ()) -> PopulationForecast:
    """Hold a forecast to what judging gives."""
    found = population_forecast(store, "market", number)
    with duckdb.connect(config={"threads": 1}) as known:
        take_snapshot(store, versions[0].vocabulary, known, found.run.known_at)
        hold(found, known, versions, gone)
    assert len(found.months) == number
    return found


def hold(
    found: PopulationForecast, known: duckdb.DuckDBPyConnection, versions: list[Pack], gone: tuple[str, ...]
) -> None:
    told = found.run
    before = judged(known, versions, told.as_of)
    assert dict(found.tiers) == Counter(before.values())
    assert [(m.begins, m.ends) for m in found.months] == months(told.as_of, len(found.months))
    for month in found.months:
        now = judged(known, versions, month.ends)
        moved = Counter((before.get(s), now.get(s)) for s in {*before, *now} if before.get(s) != now.get(s))
        assert dict(month.tiers) == Counter(now.values()), month.ends
        assert {(old, tier): n for old, tier, n in month.transitions} == moved, month.ends
        assert (month.up, month.down) == (moved["bad", "good"], moved["good", "bad"]), month.ends
        first = judged(known, versions, month.begins)
        sizes = Counter(tier for subject, tier in first.items() if subject not in gone)
        drawn = {r.tier: monthly_quota(r, sizes[r.tier], month.begins) for r in versions[0].supervision}
        assert +Counter(month.inspections) == +Counter(drawn), month.begins
        before = now


def crowd(number: int) -> list[dict[str, object]]:
    return [{"merchant_id": f"m{n}", "stalls": n % 7} for n in range(number)]


def trouble(number: int) -> list[dict[str, object]]:
    kinds = ("complaint", "fine", "fraud", "praise", "complaint")
    return [
        {**FINE, "record_id": f"r{n}", "merchant_id": f"m{n % 40}", "kind": kinds[n % 5]}
        | {"occurred_on": day(-n * 7 % 400 - 200)}
        for n in range(number)
    ]


def test_every_months_end_is_as_judging_everybody_then(
    store: Store, supervised: Callable[..., Pack], take_in: TakeIn
) -> None:
    pack = supervised(dt.date(2026, 1, 1))
    take_in(store, "subject", [*crowd(45), {"merchant_id": "x", "stalls": 1, "state": "cancelled"}])
    take_in(store, "record", trouble(120))
    run(store, pack, day(14))
    found = check(store, [pack], 18, gone=("x",))
    assert sum(month.up for month in found.months) > 5
    assert sum(month.down for month in found.months) > 0
    assert sum(sum(month.inspections.values()) for month in found.months) > 18


def test_a_later_version_rules_from_its_day_and_none_after_its_end(
    store: Store, supervised: Callable[..., Pack], take_in: TakeIn
) -> None:
    old, new = supervised(dt.date(2026, 1, 1)), supervised(day(70), day(150), -30)
    ending = supervised(dt.date(2026, 1, 1), day(70))
    take_in(store, "subject", crowd(45))
    take_in(store, "record", trouble(120))
    run(store, old, day(0), versions=[old, new])
    check(store, [old, new], 8)
    run(store, ending, day(1), versions=[ending, new])
    found = check(store, [ending, new], 8)
    last = found.months[-1]
    assert (last.pack, dict(last.tiers), dict(last.inspections)) == (None, {}, {})
    assert population_document(found)["months"][-1]["version"] is None


def test_who_has_left_is_not_counted_and_a_run_for_an_earlier_day_is_not_mixed_in(
    store: Store, supervised: Callable[..., Pack], take_in: TakeIn
) -> None:
    pack = supervised(dt.date(2026, 1, 1))
    take_in(store, "subject", crowd(30))
    late = take_in(store, "subject", [{"merchant_id": "z", "stalls": 1}])
    take_in(store, "record", trouble(60))
    run(store, pack, day(0))
    undo_file(store, late.file_id)
    take_in(store, "record", [{**FINE, "record_id": "late", "merchant_id": "m3", "kind": "fraud"}])
    run(store, pack, day(20))
    assert sum(check(store, [pack], 6).tiers.values()) == 30
    take_in(store, "subject", [{"merchant_id": "z", "stalls": 1}])
    run(store, pack, day(10))
    assert sum(check(store, [pack], 6).tiers.values()) == 30


@pytest.mark.parametrize("seed", [1, 2])
def test_after_any_history(store: Store, take_in: TakeIn, tmp_path: Path, seed: int) -> None:
    with history(store, take_in, tmp_path / "packs", seed) as told:
        for _ in range(25):
            told.step()
        latest = current_run(store, "market")
        assert latest is not None
        said = next(said for said in told.said if said.run == latest)
        check(store, said.versions, 6)


def test_a_run_on_the_last_day_of_a_month_begins_with_the_next_and_the_calendar_ends(
    store: Store, supervised: Callable[..., Pack], take_in: TakeIn
) -> None:
    pack = supervised(dt.date(2026, 1, 1))
    take_in(store, "subject", crowd(3))
    run(store, pack, dt.date(2026, 2, 28))
    found = check(store, [pack], 2)
    assert found.months[0].begins == dt.date(2026, 3, 1)
    with store.writing() as session:
        session.execute(sa.update(Run).values(as_of=dt.date(9999, 11, 30)))
    (last,) = population_forecast(store, "market", 36).months
    assert (last.begins, last.ends) == (dt.date(9999, 12, 1), dt.date.max)


def test_without_a_run_that_speaks_of_days_to_come_there_is_none(
    store: Store, supervised: Callable[..., Pack], take_in: TakeIn
) -> None:
    with pytest.raises(UnknownSubjectError, match="there is no run of market yet"):
        population_forecast(store, "market")
    take_in(store, "subject", crowd(3))
    told = run(store, supervised(dt.date(2026, 1, 1)), DAY0).run
    with store.writing() as session:
        session.execute(sa.update(Run).where(Run.id == told.id).values(kind="day"))
    with pytest.raises(UnknownSubjectError, match="says nothing of days to come"):
        population_forecast(store, "market")
