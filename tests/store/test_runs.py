"""Runs: from store to store, all of the results or none of them."""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from warm import Warm

from rules.fault import UnknownPackError
from rules.identity import identity
from rules.library.loader import load_pack, load_text, vocabulary_text
from rules.model import Pack
from scoring.runs.batch import run
from scoring.runs.published import RunSummary, get_run, latest_run, list_runs
from scoring.runs.result_tables import stream_results
from scoring.runs.results import Filters, list_grades
from scoring.store import Store, StoreError, open_store
from scoring.store.models import Run
from scoring.store.packs import PackText, keep_pack, stored_pack
from scoring.store.timelines import Segment, Span, Tally, Touch
from scoring.store.workspace import workspace

from .conftest import TakeIn
from .market import MARKET

AS_OF = dt.date(2026, 11, 24)
RESULTS = (Run, Touch, Segment, Span, Tally)

MERCHANTS = [{"merchant_id": "l", "stalls": 6}, {"merchant_id": "w"}, {"merchant_id": "z", "stalls": 1}]
RECORDS = [
    {"record_id": "r1", "merchant_id": "l", "kind": "complaint", "occurred_on": dt.date(2026, 3, 31)},
    {"record_id": "r2", "merchant_id": "z", "kind": "fraud", "occurred_on": dt.date(2026, 6, 1)},
    {"record_id": "r3", "merchant_id": "gone", "kind": "fraud", "occurred_on": dt.date(2026, 6, 1)},
]


@pytest.fixture
def filled(store: Store, take_in: TakeIn) -> Store:
    """A store with three merchants and their records."""
    take_in(store, "subject", MERCHANTS)
    take_in(store, "record", RECORDS)
    return store


def counts(store: Store) -> list[int]:
    with store.reading() as session:
        return [session.scalar(sa.select(sa.func.count()).select_from(model)) or 0 for model in RESULTS]


def scores(store: Store, run_id: int) -> list[tuple[Any, ...]]:
    grades = list_grades(store, get_run(store, run_id), Filters(), limit=100_000)
    return [(g.subject_id, g.score, g.tier, g.band, g.veto, g.next_change_on) for g in grades]


def rows(store: Store, done: RunSummary, table: str) -> list[dict[str, Any]]:
    return [row for batch in stream_results(store, done, table) for row in batch.to_pylist()]


def test_a_run_publishes_scores_dimensions_and_hits(filled: Store, market: Pack) -> None:
    done = run(filled, market, AS_OF).run
    assert scores(filled, done.id) == [
        ("l", 7500, "good", "good", None, dt.date(2027, 3, 31)),
        ("w", 8000, "good", "good", None, None),
        ("z", 8000, "bad", "good", "fraud", None),
    ]
    shown = ("subject_id", "rule", "record_id", "points", "counts_from", "counts_until")
    assert [tuple(hit[name] for name in shown) for hit in rows(filled, done, "hits")] == [
        ("l", "complaint", "r1", -1000, dt.date(2026, 3, 31), dt.date(2027, 3, 31)),
        ("l", "large", None, 500, None, None),
        ("z", "fraud", "r2", 0, dt.date(2026, 6, 1), None),
    ]
    assert rows(filled, done, "dimension_scores") == [
        {"run_id": done.id, "subject_id": "l", "dimension": "conduct", "points_before": -500, "points": -500}
    ]


def test_a_run_says_what_it_graded(filled: Store, market: Pack) -> None:
    done = run(filled, market, AS_OF).run
    assert (done.pack_id, done.vocabulary, done.as_of) == ("market", "merchant", AS_OF)
    assert (done.subjects, done.records, done.orphans) == (3, 3, 1)
    assert done.pack_hash == identity(market)
    assert done.known_at < done.started_at < done.published_at
    assert done.engine.startswith("duckdb ")
    assert get_run(filled, done.id) == done


def test_the_steps_are_told(filled: Store, market: Pack) -> None:
    told: list[tuple[str, int]] = []
    run(filled, market, AS_OF, progress=lambda step, rows: told.append((step, rows)))
    assert [step for step, _ in told] == ["snapshot", "grade", "touches", "segments", "spans", "tallies"]
    assert told[-2] == ("spans", 3)


def test_the_last_run_answers_though_the_clock_was_ahead_when_one_before_was_published(
    filled: Store, market: Pack, take_in: TakeIn
) -> None:
    first = run(filled, market, AS_OF).run
    tomorrow = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    with filled.writing() as session:
        session.execute(sa.update(Run).values(published_at=tomorrow))
    take_in(filled, "record", [{**RECORDS[0], "kind": "praise"}])
    second = run(filled, market, AS_OF).run
    assert [found.id for found in [latest_run(filled, "market")] if found] == [second.id]
    again = run(filled, market, AS_OF)
    assert (again.is_new, again.run.id) == (False, second.id)
    assert scores(filled, first.id) != scores(filled, second.id)


def test_old_runs_stay_and_an_old_result_can_be_had_again(
    filled: Store, market: Pack, take_in: TakeIn
) -> None:
    first = run(filled, market, AS_OF).run
    take_in(filled, "record", [{**RECORDS[0], "kind": "praise"}])
    second = run(filled, market, AS_OF).run
    again = run(filled, market, AS_OF, known_at=first.known_at).run
    assert scores(filled, first.id) == scores(filled, again.id) != scores(filled, second.id)
    assert first.snapshot_hash == again.snapshot_hash != second.snapshot_hash
    assert [done.id for done in list_runs(filled)] == [again.id, second.id, first.id]


def test_the_latest_run_is_of_the_latest_date(filled: Store, market: Pack) -> None:
    assert latest_run(filled, "market") is None
    december = run(filled, market, dt.date(2026, 12, 1)).run
    november = run(filled, market, dt.date(2026, 11, 1)).run
    once_more = run(filled, market, dt.date(2026, 11, 1), again=True).run
    assert latest_run(filled, "market") == december
    assert latest_run(filled, "market", as_of=AS_OF) == once_more
    assert latest_run(filled, "market", as_of=dt.date(2026, 10, 31)) is None
    assert latest_run(filled, "other") is None
    assert list_runs(filled, "market", before=once_more.id, limit=1) == [november]


def test_an_unknown_run_is_an_error(store: Store) -> None:
    with pytest.raises(StoreError, match="has no run 42"):
        get_run(store, 42)


def test_a_pack_that_is_not_in_force_grades_nobody(filled: Store, market: Pack) -> None:
    with pytest.raises(
        UnknownPackError, match=r"market 1 is not in force on 2025-12-31, but from 2026-01-01"
    ):
        run(filled, market, dt.date(2025, 12, 31))
    assert counts(filled) == [0, 0, 0, 0, 0]


def test_the_pack_of_a_run_can_be_had_again(filled: Store, market: Pack, market_file: Path) -> None:
    done = run(filled, market, AS_OF).run
    market_file.unlink()
    assert stored_pack(filled, done.pack_hash) == market
    assert run(filled, market, AS_OF).run.pack_hash == done.pack_hash


def test_a_pack_of_a_shared_vocabulary_is_kept_with_it(store: Store) -> None:
    start, rest = MARKET.split("subject:\n")[0], MARKET[MARKET.index("in_force:") :]
    shared = f"{start}subject: enterprise\n{rest}".replace("complaint'", "penalty'").replace(
        "fraud'", "award'"
    )
    of_its_time = vocabulary_text("enterprise").replace(
        "    employees:", "    stalls: {type: integer, title: 摊位}\n    employees:"
    )
    text = PackText(shared, "shared.yaml", of_its_time)
    with store.writing() as session:
        digest = keep_pack(session, text.load(), text)
    assert stored_pack(store, digest) == text.load()


def test_a_pack_whose_file_has_changed_must_be_loaded_again(
    filled: Store, market: Pack, market_file: Path
) -> None:
    market_file.write_text(MARKET.replace("points: -10", "points: -11"), encoding="utf-8")
    with pytest.raises(StoreError, match=r"market\.yaml has changed since the pack market was loaded"):
        run(filled, market, AS_OF)
    assert counts(filled) == [0, 0, 0, 0, 0]
    run(filled, load_pack(market_file), AS_OF)


def test_a_pack_that_never_was_a_file_comes_with_its_text(filled: Store) -> None:
    text = PackText(MARKET, "posted.yaml")
    with pytest.raises(StoreError, match=r"posted\.yaml"):
        run(filled, text.load(), AS_OF)
    done = run(filled, text.load(), AS_OF, text=text).run
    assert stored_pack(filled, done.pack_hash) == load_text(MARKET, "posted.yaml")


@pytest.mark.parametrize("step", ["snapshot", "grade", "touches", "spans"])
def test_a_run_that_is_interrupted_leaves_nothing_and_can_be_run_again(
    filled: Store, market: Pack, step: str
) -> None:
    def interrupt(at: str, rows: int) -> None:
        if at == step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(filled, market, AS_OF, progress=interrupt)
    assert counts(filled) == [0, 0, 0, 0, 0]
    run(filled, market, AS_OF)
    assert counts(filled)[:2] == [1, 3]


HANGS_WHILE_PUBLISHING = """
import datetime as dt, sys, time
import sqlalchemy as sa
from rules.library.loader import load_pack
from scoring.runs.batch import run
from scoring.store import open_store

def hang(step, rows):
    if step == "spans":
        print(rows, flush=True)
        time.sleep(600)

store = open_store(sys.argv[1])
if store.is_sqlite:  # a small cache: the rows are in the file before they are committed
    store.engine.dispose()
    sa.event.listen(store.engine, "connect", lambda opened, _: opened.execute("PRAGMA cache_size = 1"))
run(store, load_pack(sys.argv[2]), dt.date(2026, 11, 24), progress=hang)
"""


def test_a_process_killed_while_publishing_leaves_nothing_and_a_rerun_completes(
    store: Store, market: Pack, market_file: Path, take_in: TakeIn
) -> None:
    take_in(store, "subject", [{"merchant_id": f"m{number}", "stalls": 9} for number in range(5000)])
    url = store.engine.url.render_as_string(hide_password=False)
    with Warm(HANGS_WHILE_PUBLISHING, url, str(market_file)) as child:
        try:
            said = child.stdout.readline() if child.stdout else ""
            seen_meanwhile, written = counts(store), _written(store)
        finally:
            child.kill()
    assert said == "5000\n"
    assert written
    assert seen_meanwhile == counts(store) == [0, 0, 0, 0, 0]
    done = run(store, market, AS_OF).run
    assert counts(store) == [1, 5000, 5000, 5000, 1]
    assert scores(store, done.id)[0] == ("m0", 8500, "good", "good", None, None)


def _written(store: Store) -> bool:
    """Whether rows of an unpublished run are in the database's files, or on their way there."""
    if store.is_sqlite:
        return Path(f"{store.engine.url.database}-wal").stat().st_size > 500_000
    with store.reading() as session:
        return bool(session.scalar(sa.text("SELECT pg_relation_size('spans') > 200000")))


def test_of_those_who_publish_the_same_at_once_one_publishes(filled: Store, market: Pack) -> None:
    together = threading.Barrier(4)  # all have graded before any looks whether it is published

    def wait(step: str, rows: int) -> None:
        if step == "grade":
            together.wait()

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: run(filled, market, AS_OF, progress=wait), range(4)))
    assert sorted(each.is_new for each in done) == [False, False, False, True]
    assert len({each.run for each in done}) == 1
    assert counts(filled)[0] == 1


def test_what_is_published_is_not_graded_again_unless_that_is_asked_for(
    filled: Store, market: Pack, take_in: TakeIn
) -> None:
    def graded(step: str, rows: int) -> None:
        assert step == "snapshot"

    first = run(filled, market, AS_OF).run
    assert run(filled, market, AS_OF, progress=graded).run == first
    another = run(filled, market, AS_OF, again=True).run
    assert another.id != first.id
    assert run(filled, market, AS_OF).run == another
    take_in(filled, "subject", [{"merchant_id": "new", "stalls": 1}])
    assert run(filled, market, AS_OF).is_new, "something is known that was not"
    assert run(filled, market, AS_OF, first.known_at).is_new, "the last run is of something else"


def test_two_who_publish_at_once_both_publish_whole_runs(filled: Store, market: Pack) -> None:
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: run(filled, market, AS_OF, again=True).run, range(4)))
    assert len({each.id for each in done}) == 4
    for each in done:
        assert scores(filled, each.id) == scores(filled, done[0].id)
    assert counts(filled)[:2] == [4, 3], "only the first has anything to say"


def test_a_full_disk_is_named_and_nothing_is_published(
    sqlite_store_url: str, market: Pack, take_in: TakeIn
) -> None:
    made = open_store(sqlite_store_url)
    take_in(made, "subject", [{"merchant_id": f"m{n}", "stalls": 9} for n in range(3000)])
    made.close()
    store = open_store(sqlite_store_url)
    sa.event.listen(store.engine, "connect", _no_more_pages)
    store.engine.dispose()
    with pytest.raises(
        StoreError, match=r"disk of the store sqlite:///.* is full: the change .* was not kept"
    ):
        run(store, market, AS_OF)
    assert counts(store) == [0, 0, 0, 0, 0]
    store.close()
    room = open_store(sqlite_store_url)
    assert run(room, market, AS_OF).run.subjects == 3000
    room.close()


def _no_more_pages(connection: Any, _record: Any) -> None:
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages + 5}")


def test_too_little_memory_is_named(filled: Store, market: Pack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XINHENG_MEMORY_LIMIT", "much")
    with pytest.raises(StoreError, match=r"XINHENG_MEMORY_LIMIT can't be read: much. Right: 512MB"):
        run(filled, market, AS_OF)
    monkeypatch.setenv("XINHENG_MEMORY_LIMIT", "1KB")
    with pytest.raises(StoreError, match=r"more room than 1KB of memory.*Raise XINHENG_MEMORY_LIMIT"):
        run(filled, market, AS_OF)


@pytest.mark.parametrize("threads", ["0", "-1", "all", "1.5", "1000"])
def test_a_number_of_processors_that_is_none_is_named(
    filled: Store, market: Pack, monkeypatch: pytest.MonkeyPatch, threads: str
) -> None:
    monkeypatch.setenv("XINHENG_THREADS", threads)
    with pytest.raises(StoreError, match=rf"XINHENG_THREADS can't be read: {threads}. Right: 4"):
        run(filled, market, AS_OF)


def test_a_batch_works_on_as_many_processors_as_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    for threads in (1, 3):
        monkeypatch.setenv("XINHENG_THREADS", str(threads))
        with workspace() as duck:
            assert duck.execute("select current_setting('threads')").fetchall() == [(threads,)]


def test_a_missing_temporary_directory_is_named(
    filled: Store, market: Pack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XINHENG_TEMP_DIRECTORY", str(tmp_path / "gone"))
    with pytest.raises(StoreError, match=r"XINHENG_TEMP_DIRECTORY does not exist: .*gone"):
        run(filled, market, AS_OF)


def test_what_another_process_commits_survives_a_run(
    sqlite_store_url: str, market: Pack, take_in: TakeIn, market_file: Path
) -> None:
    """A second SQLite library in the process would take the write-ahead log away under an open connection."""
    store = open_store(sqlite_store_url)
    take_in(store, "subject", MERCHANTS)
    with store.reading() as reader:
        reader.scalar(sa.select(Run.id))
        run(store, market, AS_OF)
    run(store, market, AS_OF, again=True)
    program = (
        "import sys; from scoring.runs.published import list_runs; from scoring.store import open_store\n"
    )
    program += "print(len(list_runs(open_store(sys.argv[1]))))"
    assert Warm(program, sqlite_store_url).communicate() == ("2\n", "")
    store.close()
