"""What runs keep, touching only what changed, is what full runs would have said of every day."""

from __future__ import annotations

import datetime as dt
import os
import random
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlalchemy as sa

from rules.calendar import SHANGHAI
from rules.identity import identity
from rules.library.loader import load_pack, ruling
from rules.model import Pack, Vocabulary
from scoring.answers.forecast import Step, forecast, steps_of
from scoring.answers.timelines import UnknownSubjectError, timeline_of
from scoring.facts.snapshot import take_snapshot
from scoring.facts.undo import undo_file
from scoring.judging.engine import grade_coded
from scoring.runs import batch as runs
from scoring.runs import results
from scoring.runs.batch import run
from scoring.runs.published import RunSummary
from scoring.runs.result_tables import RESULT_SCHEMAS, stream_results
from scoring.runs.results import (
    grade_line,
    grade_of,
    official_grade,
    official_run,
    tier_counts,
)
from scoring.runs.terms import pieces_of
from scoring.store import Store, open_store
from scoring.store.models import Run
from scoring.store.timelines import GradedSubject, Segment, Span, Tally, Term, Touch

from .conftest import TakeIn
from .market import MARKET

EXAMPLES = int(os.environ.get("XINHENG_EXAMPLES", "6"))
STEPS = 30
DAY0 = dt.date(2026, 3, 1)
SUBJECTS = ("a", "b", "c", "d")
RECORDS = tuple(f"r{number}" for number in range(8))

PRAISED = """
  - id: praised
    title: {zh: 表扬, en: Praised}
    dimension: conduct
    when: praises >= 1
    points: 4
    basis: own-choice
  - id: fading
    title: {zh: 渐弱, en: Fading}
    dimension: conduct
    when: kind = 'fine'
    points: -20
    cap: -25
    counts: {months: 4, from: occurred_on, decay: linear}
    basis: own-choice
"""
RANKED = """
  - id: foremost
    title: {zh: 第一, en: Foremost}
    dimension: conduct
    when: place <= 1
    points: 6
    basis: own-choice
"""
MEASURES = """measures:
  praises:
    title: {zh: 表扬数, en: Praises}
    count: records
    where: kind = 'praise'
    within: {months: 2, from: occurred_on}
"""
PLACE = """  place:
    title: {zh: 名次, en: Place}
    rank: praises
    where: stalls is not null
"""


def day(number: int) -> dt.date:
    return DAY0 + dt.timedelta(days=number)


@dataclass
class Packs:
    """Versions of a pack, as files."""

    folder: Path
    ranks: bool
    made: int = 0

    def version(self, begins: dt.date, ends: dt.date | None = None, points: int = -10) -> Pack:
        """A version of the market's pack: in force on these days, with so many points for a complaint."""
        self.made += 1
        until = f", until: {ends}" if ends else ""
        rules = PRAISED + (RANKED if self.ranks else "")
        text = MARKET.replace("in_force: {from: 2026-01-01}", f"in_force: {{from: {begins}{until}}}")
        text = text.replace("points: -10", f"points: {points}").replace(
            "vetoes:", f"{rules.lstrip(chr(10))}vetoes:"
        )
        text = text.replace("rules:\n", f"{MEASURES}{PLACE if self.ranks else ''}rules:\n")
        text = text.replace('version: "1"', f'version: "{self.made}"')
        path = self.folder / f"{self.made}.yaml"
        path.write_text(text, encoding="utf-8")
        return load_pack(path)


@dataclass
class Said:
    """A run, and what judges it anew: the versions that were known, and the moment."""

    run: RunSummary
    versions: list[Pack]
    shown: dict[dt.date, dict[str, Any]] = field(default_factory=dict)


class History:
    """A random history of a store: files, corrections, files undone, versions and runs."""

    def __init__(self, store: Store, take_in: TakeIn, packs: Packs, rng: random.Random) -> None:
        self.store, self._take_in, self._packs, self._rng = store, take_in, packs, rng
        self._files: list[int] = []
        self._facts: dict[dt.datetime, duckdb.DuckDBPyConnection] = {}
        self.versions = [packs.version(dt.date(2026, 1, 1))]
        self.said: list[Said] = []
        self._take("subject", [{"merchant_id": s, "stalls": rng.randint(1, 6)} for s in SUBJECTS[:2]])

    def step(self) -> None:
        """Something happens."""
        happens = self._rng.choices(
            (self._subject, self._record, self._undo, self._change_terms, self._run), (15, 35, 12, 6, 32)
        )[0]
        happens()

    def _take(self, table: str, rows: list[dict[str, Any]]) -> None:
        self._files.append(self._take_in(self.store, table, rows).file_id)

    def _subject(self) -> None:
        stalls = self._rng.choice([None, 1, 4, 5, 9])
        self._take("subject", [{"merchant_id": self._rng.choice(SUBJECTS), "stalls": stalls}])

    def _record(self) -> None:
        row = {
            "record_id": self._rng.choice(RECORDS),
            "merchant_id": self._rng.choice((*SUBJECTS, "unknown")),
            "kind": self._rng.choice(("complaint", "complaint", "praise", "fine", "fraud", "other")),
            "occurred_on": day(self._rng.randint(-200, 90)),
        }
        self._take("record", [row])

    def _undo(self) -> None:
        """Of a new subject or record it is the end."""
        if len(self._files) > 1:
            undone = undo_file(self.store, self._rng.choice(self._files[1:]))
            self._files += [undone.file_id] if undone.file_id else []

    def _change_terms(self) -> None:
        """A version is announced, moved or withdrawn."""
        kept = self.versions[:1]
        if self._rng.random() < 0.7:
            begins = day(self._rng.randint(5, 80))
            ends = self._rng.choice([None, begins + dt.timedelta(days=25)])
            points = self._rng.choice((-10, -15))
            old = self._packs.version(dt.date(2026, 1, 1), self._rng.choice([None, begins]))
            self.versions = [old, self._packs.version(begins, ends, points)]
        else:
            is_alone = kept[0].in_force_until is None
            self.versions = kept if is_alone else [self._packs.version(dt.date(2026, 1, 1))]

    def _run(self) -> None:
        as_of = day(self._rng.randint(0, 60))
        pack = ruling(self.versions, as_of)
        if pack is None:
            return
        known_at = None
        if self.said and self._rng.random() < 0.1:
            known_at = self._rng.choice(self.said).run.known_at
        full = self._rng.random() < 0.15
        done = run(
            self.store, pack, as_of, known_at, again=True, full=full, versions=self.versions, decided_by="me"
        )
        assert done.unexpected == 0
        self.said.append(Said(done.run, list(self.versions)))

    def truth(self, said: Said, on: dt.date) -> dict[str, Any]:
        """What a full run would have said of a day: grades, hits, dimensions."""
        if on not in said.shown:
            said.shown[on] = self._judged(said, on)
        return said.shown[on]

    def _judged(self, said: Said, on: dt.date) -> dict[str, Any]:
        pieces = pieces_of(said.versions[0], said.versions)
        pack = next((p.pack for p in pieces if p.begins <= on and (p.ends is None or on < p.ends)), None)
        if pack is None:
            return {}
        duck = self._known(said.run.known_at, pack.vocabulary)
        grade_coded(duck, pack, on)
        return as_rows({t: duck.sql(f"from {t}").to_arrow_table().to_pylist() for t in RESULT_SCHEMAS})

    def _known(self, at: dt.datetime, vocabulary: Vocabulary) -> duckdb.DuckDBPyConnection:
        """What was known at the moment; every day of it is judged there."""
        if at not in self._facts:
            self._facts[at] = duckdb.connect(config={"threads": 1})
            take_snapshot(self.store, vocabulary, self._facts[at], at)
        return self._facts[at]

    def close(self) -> None:
        for duck in self._facts.values():
            duck.close()

    def kept(self, said: Said, on: dt.date) -> dict[str, Any]:
        """What is kept of it."""
        pieces = pieces_of(said.versions[0], said.versions)
        pack = next((p.pack for p in pieces if p.begins <= on and (p.ends is None or on < p.ends)), None)
        digest = said.run.pack_hash if pack is None else identity(pack)
        there = replace(said.run, as_of=on, pack_hash=digest)
        tables = {
            table: [row for batch in stream_results(self.store, there, table) for row in batch.to_pylist()]
            for table in RESULT_SCHEMAS
        }
        counts: dict[str, int] = {}
        for row in tables["scores"]:
            counts[row["tier"]] = counts.get(row["tier"], 0) + 1
        assert tier_counts(self.store, there) == counts
        return as_rows(tables)


def as_rows(tables: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """By subject."""
    found: dict[str, Any] = {}
    for table, rows in tables.items():
        for row in rows:
            values = {
                name: value for name, value in row.items() if name not in ("run_id", "no", "subject_id")
            }
            found.setdefault(str(row["subject_id"]), {}).setdefault(table, []).append(sorted(values.items()))
    for parts in found.values():
        for rows in parts.values():
            rows.sort(key=repr)
    return found


@contextmanager
def history(store: Store, take_in: TakeIn, folder: Path, seed: int) -> Iterator[History]:
    folder.mkdir(parents=True, exist_ok=True)
    packs = Packs(folder, ranks=seed % 3 == 2)
    with closing(History(store, take_in, packs, random.Random(seed))) as told:
        yield told


@pytest.mark.parametrize("seed", range(EXAMPLES))
def test_what_is_kept_is_what_full_runs_would_have_said(
    sqlite_store_url: str, take_in: TakeIn, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "FEW", seed % 2)  # more are taken out of all facts, which must be the same
    store = open_store(sqlite_store_url)
    _hold(store, take_in, tmp_path / "packs", seed)
    store.close()


def test_it_is_in_postgresql_as_well(postgresql_store_url: str, take_in: TakeIn, tmp_path: Path) -> None:
    store = open_store(postgresql_store_url)
    _hold(store, take_in, tmp_path / "packs", 5)
    store.close()


def _hold(store: Store, take_in: TakeIn, folder: Path, seed: int) -> None:
    with history(store, take_in, folder, seed) as told:
        rng = random.Random(-seed - 1)
        for _ in range(STEPS):
            told.step()
            _check_days(told, rng, 2)
        _check_days(told, rng, 12)
        _check_forecasts(store)


def _check_days(told: History, rng: random.Random, number: int) -> None:
    """A day as a run left it: what the last run up to it says whose day is not after it."""
    for _ in range(number if told.said else 0):
        asked = rng.randrange(len(told.said))
        on = day(rng.choice([0, 10, 30, 60, 90, 400]) + rng.randint(0, 9))
        word = next((s for s in reversed(told.said[: asked + 1]) if s.run.as_of <= on), None)
        truth = {} if word is None else told.truth(word, on)
        as_left = Said(told.said[asked].run, word.versions if word else told.said[asked].versions)
        assert told.kept(as_left, on) == truth, (told.said[asked].run, on)


def _check_forecasts(store: Store) -> None:
    """What the latest run has published foretells what its facts give when they are judged."""
    for subject in SUBJECTS:
        try:
            told = forecast(store, "market", subject, 24)
        except UnknownSubjectError:
            with pytest.raises(UnknownSubjectError):
                timeline_of(store, "market", subject)
            continue
        parts = timeline_of(store, "market", subject).parts
        computed = [step for step in steps_of(parts, told.first) if step.begins < told.until]
        assert list(map(foretold, told.steps)) == list(map(foretold, computed)), (told.run, subject)


def foretold(step: Step) -> tuple[Any, ...]:
    """A step as a reader sees it."""
    grade = step.grade and (step.grade.score, step.grade.tier, step.grade.band, step.grade.veto)
    return step.begins, step.ends, step.pack and step.pack.version, grade, step.reasons


# What each is for


@pytest.fixture
def packs(tmp_path: Path) -> Packs:
    folder = tmp_path / "packs"
    folder.mkdir()
    return Packs(folder, ranks=False)


PEOPLE = [{"merchant_id": s, "stalls": number} for number, s in enumerate(SUBJECTS, start=1)]
FINE = {"record_id": "r1", "merchant_id": "a", "kind": "fine", "occurred_on": day(0)}


def numbers(store: Store) -> dict[str, int]:
    """How many rows each table of results has."""
    with store.reading() as session:
        return {
            table.__tablename__: session.scalar(sa.select(sa.func.count()).select_from(table)) or 0
            for table in (Run, Touch, Segment, Span, Tally)
        }


def score(store: Store, said: RunSummary, on: dt.date) -> int:
    found = grade_of(store, replace(said, as_of=on), "a")
    assert found is not None
    return found.score


def test_a_night_without_news_writes_one_row(store: Store, packs: Packs, take_in: TakeIn) -> None:
    pack = packs.version(dt.date(2026, 1, 1))
    take_in(store, "subject", PEOPLE)
    take_in(store, "record", [FINE])
    first = run(store, pack, day(0)).run
    before = numbers(store)
    second = run(store, pack, day(1)).run
    assert numbers(store) == before | {"runs": before["runs"] + 1}
    assert (first.kind, second.kind, second.touched) == ("full", "touch", 0)
    assert (second.subjects, second.snapshot_hash) == (first.subjects, first.snapshot_hash)
    there = grade_of(store, second, "a")
    assert there is not None
    assert (there.as_of, there.run_id) == (day(1), second.id)


def test_a_run_says_something_of_those_alone_for_whom_something_changed(
    store: Store, packs: Packs, take_in: TakeIn
) -> None:
    pack = packs.version(dt.date(2026, 1, 1))
    take_in(store, "subject", PEOPLE)
    run(store, pack, day(0))
    take_in(store, "record", [FINE, {**FINE, "record_id": "r2", "merchant_id": "unknown"}])
    second = run(store, pack, day(1)).run
    with store.reading() as session:
        touched = session.scalars(
            sa.select(GradedSubject.subject_id)
            .join(Touch, Touch.subject == GradedSubject.number)
            .where(Touch.run == second.id)
        ).all()
    assert (touched, second.touched) == (["a"], 1)
    assert (second.records, second.orphans) == (2, 1)
    anew = run(store, pack, day(1), full=True)
    assert (anew.unexpected, anew.run.touched, anew.run.kind) == (0, 0, "full")
    assert anew.run.snapshot_hash == second.snapshot_hash, "the sum of what changed is the sum of all"
    assert anew.run.orphans == second.orphans


def test_a_subject_that_left_has_no_grade_any_more(store: Store, packs: Packs, take_in: TakeIn) -> None:
    pack = packs.version(dt.date(2026, 1, 1))
    take_in(store, "subject", PEOPLE[:2])
    late = take_in(store, "subject", PEOPLE[2:3])
    first = run(store, pack, day(0)).run
    undo_file(store, late.file_id)
    second = run(store, pack, day(1)).run
    assert grade_of(store, first, "c") is not None
    assert grade_of(store, second, "c") is None
    assert (tier_counts(store, first), tier_counts(store, second)) == ({"good": 3}, {"good": 2})
    assert results.transitions(store, first, second) == [("good", None, 1), ("good", "good", 2)]


def test_what_full_judging_finds_otherwise_is_counted_and_published(
    store: Store, packs: Packs, take_in: TakeIn
) -> None:
    pack = packs.version(dt.date(2026, 1, 1))
    take_in(store, "subject", PEOPLE)
    run(store, pack, day(0))
    with store.writing() as session:
        session.execute(sa.update(Segment).where(Segment.subject == 1).values(score=1))
    done = run(store, pack, day(1), full=True)
    assert (done.unexpected, done.run.touched) == (1, 1)
    assert run(store, pack, day(1), full=True).unexpected == 0


def test_an_announced_version_holds_from_its_day_before_that_day_comes(
    store: Store, packs: Packs, take_in: TakeIn
) -> None:
    old, new = packs.version(dt.date(2026, 1, 1), day(30)), packs.version(day(30), None, -40)
    take_in(store, "subject", PEOPLE)
    take_in(store, "record", [{**FINE, "kind": "complaint"}])
    said = run(store, old, day(0), versions=[old, new], decided_by="Wang").run
    assert [score(store, said, day(n)) for n in (29, 30)] == [7000, 4000]
    before = grade_of(store, replace(said, as_of=day(29)), "a")
    assert before is not None
    assert before.next_change_on == day(30)
    columns = (Term.no, Term.begins, Term.ends, Term.pack_hash, Term.decided_by)
    with store.reading() as session:
        terms = [tuple(term) for term in session.execute(sa.select(*columns).order_by(*columns))]
    assert terms == [
        (1, dt.date(2026, 1, 1), day(30), identity(old), "Wang"),
        (1, day(30), None, identity(new), "Wang"),
    ]
    withdrawn = run(store, packs.version(dt.date(2026, 1, 1)), day(1), versions=()).run
    assert (score(store, withdrawn, day(30)), withdrawn.touched) == (7000, 4)


def test_what_a_run_after_midnight_says_of_the_day_before_is_not_official(
    store: Store, packs: Packs, take_in: TakeIn
) -> None:
    pack = packs.version(dt.date(2026, 1, 1))
    take_in(store, "subject", PEOPLE)
    first = run(store, pack, day(10)).run
    take_in(store, "record", [FINE])
    second = run(store, pack, day(10), again=True).run
    publish_at(store, first, day(10), "22:00")
    publish_at(store, second, day(11), "00:30")
    assert official_run(store, "market", day(9)) is None
    assert official(store, 10) == (first.id, day(10), 8000)
    assert official(store, 11) == (second.id, day(11), score(store, second, day(11)))
    assert official(store, 11)[2] < 8000
    publish_at(store, second, day(11), "00:00")
    assert official(store, 10)[0] == first.id
    publish_at(store, second, day(10), "23:59:59.999999")
    assert official(store, 10) == (second.id, day(10), score(store, second, day(10)))


def publish_at(store: Store, said: RunSummary, on: dt.date, time: str) -> None:
    """Have a run published at a time in Shanghai."""
    moment = dt.datetime.combine(on, dt.time.fromisoformat(time), SHANGHAI)
    with store.writing() as session:
        session.execute(sa.update(Run).where(Run.id == said.id).values(published_at=moment))


def official(store: Store, number: int) -> tuple[int, dt.date, int]:
    found = official_grade(store, "market", "a", day(number))
    assert found is not None
    return found.run_id, found.as_of, found.score


def test_a_score_line_is_exact_between_runs(store: Store, packs: Packs, take_in: TakeIn) -> None:
    pack = packs.version(dt.date(2026, 1, 1))
    take_in(store, "subject", PEOPLE)
    take_in(store, "record", [FINE])
    run(store, pack, day(0))
    take_in(store, "record", [{**FINE, "record_id": "r2", "occurred_on": day(70)}])
    last = run(store, pack, day(100)).run
    line = grade_line(store, last, "a")
    assert (line[0].begins, line[-1].ends, line[-1].run) == (day(0), day(101), last.id)
    assert [one.ends for one in line[:-1]] == [two.begins for two in line[1:]]
    assert dt.date(2026, 4, 1) in {piece.begins for piece in line}, "what fades has faded on its day"


def test_runs_of_one_pack_build_on_each_other_also_where_they_come_at_once(
    store: Store, packs: Packs, take_in: TakeIn
) -> None:
    pack = packs.version(dt.date(2026, 1, 1))
    take_in(store, "subject", PEOPLE)
    run(store, pack, day(0))
    take_in(store, "record", [FINE])
    met: list[RunSummary] = []

    def meanwhile(step: str, rows: int) -> None:
        if step == "grade" and not met:
            met.append(run(store, pack, day(5)).run)

    done = run(store, pack, day(3), progress=meanwhile).run
    assert done.id > met[0].id
    assert (met[0].touched, done.touched) == (1, 1)
    assert score(store, done, day(5)) == score(store, met[0], day(5)) < 8000
