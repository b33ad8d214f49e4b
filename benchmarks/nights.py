"""A store of the district many times over, and its nights: ``python -m benchmarks.nights COPIES NIGHTS``.

COPIES is a multiple of ten: 10 is 60,000 enterprises with 2,064,800 records, 100 has 20,648,000 of 600,000.
All days are moved back, so that the nights to come are over. The enterprises are taken from files and graded
by the installed pack; then each night as many records as half a percent of the enterprises come, of the kinds
that the district's records have, of one of the twenty days before, and everybody is brought up to the day.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import duckdb
import sqlalchemy as sa

from benchmarks.country import COPIES as COPIES_OF_A_PART
from benchmarks.country import Cost, make
from benchmarks.district import AS_OF, ENTERPRISES
from rules.language.expressions import literal
from rules.library.loader import load_vocabulary
from scoring.cli.score import grade_store
from scoring.facts.ingest.files import Reading, ingest_file
from scoring.store import Store, create_store, open_store

PACK = "enterprise-credit"
NEWS = 0.005
"""Records of a night to an enterprise."""
RESULTS = ("terms", "graded_subjects", "graded_rules", "touches", "segments", "spans", "tallies", "runs")
FIRST = dt.date(2026, 1, 1)
"""The day of the first run; the installed pack is in force from then on."""
MOVED = (AS_OF - FIRST).days
DATES = {"subjects": ("established_on", "platform_joined_on"), "records": ("occurred_on", "ends_on")}


def cost_of(work: Callable[[], object]) -> Cost:
    """Do it, and say what it took."""
    before, begun = time.process_time(), time.perf_counter()
    work()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return Cost(time.process_time() - before, time.perf_counter() - begun, peak)


class District:
    """The files that offices send, made from what :mod:`benchmarks.country` makes.

    :param folder: for Parquet, which is kept, and CSV.
    """

    def __init__(self, folder: Path, copies: int) -> None:
        self._folder = folder
        self.enterprises = ENTERPRISES * copies
        self._parts = copies // COPIES_OF_A_PART
        self._subjects, self._records = make(folder, self._parts)

    def first_files(self) -> Iterator[Path]:
        """A file of enterprises and then one of records for each part, made when its turn comes."""
        for table, source in (("subjects", self._subjects), ("records", self._records)):
            for part in range(self._parts):
                moved = _moved(DATES[table], str(-MOVED))
                known = f"select * replace ({moved}) from '{source}/bucket={part:04}/part.parquet'"
                yield self._written(f"{table}-{part}", known)

    def night(self, number: int) -> Path:
        """The records that come on a night: some of those that are known, under other numbers and days.

        :param number: days after the first run.
        """
        days = f"date {literal(FIRST.isoformat())} + {number} - (hash(record_id) % 20)::int - occurred_on"
        chosen = (
            f"select * from '{self._records}/*/*.parquet'"
            f" order by hash(record_id || '{number}') limit {round(self.enterprises * NEWS)}"
        )
        moved = _moved(DATES["records"], f"({days})")
        more = f"record_id || 'N{number}' as record_id, {moved}"
        return self._written(f"night-{number}", f"select * replace ({more}) from ({chosen})")

    def _written(self, name: str, query: str) -> Path:
        path = self._folder / f"{name}.csv"
        with duckdb.connect(config={"memory_limit": "1GB"}) as duck:
            duck.execute(f"copy ({query}) to {literal(str(path))} (header)")
        return path


def _moved(names: tuple[str, ...], days: str) -> str:
    """Each date so many days later, as an expression; the end of time stays."""
    still = "9000-01-01"
    return ", ".join(
        f"case when {name} < '{still}' then ({name} + to_days(({days})::int))::date else {name} end as {name}"
        for name in names
    )


def sizes(store: Store) -> tuple[int, int]:
    """Bytes of the published results with their indexes, and of the whole database."""
    with store.engine.connect() as connection:
        if store.is_sqlite:
            of_tables = (
                "select coalesce(sum(pgsize), 0) from dbstat join sqlite_schema s using (name)"
                f" where s.tbl_name in ({', '.join(map(literal, RESULTS))})"
            )
            whole = "select page_count * page_size from pragma_page_count(), pragma_page_size()"
        else:
            of_tables = f"select sum(pg_total_relation_size(t::regclass)) from unnest(array{list(RESULTS)}) t"
            whole = "select pg_database_size(current_database())"
        return int(connection.scalar(sa.text(of_tables)) or 0), int(connection.scalar(sa.text(whole)) or 0)


def measure(url: str, folder: Path, copies: int, nights: int, told: int) -> None:
    """Fill a store, grade it and let the nights come; prints what it took.

    :param told: after so many nights a line each.
    """
    district = District(folder, copies)
    os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
    reading = Reading(quarantine=folder / "quarantine")
    vocabulary = load_vocabulary("enterprise")
    with closing(create_store(url)) as store:

        def take(path: Path) -> None:
            report = ingest_file(store, path, vocabulary, reading)
            assert not report.rejected, report
            path.unlink()

        taken = [cost_of(partial(take, path)) for path in district.first_files()]
        processor = sum(cost.processor for cost in taken)
        print(f"{'files':20} {processor:8.1f} s of processor, peak {taken[-1].peak:,} MB")
        first, next_day = FIRST, FIRST + dt.timedelta(days=1)
        for name, day, full in (
            ("first run", first, False),
            ("night without news", next_day, False),
            ("full run", next_day, True),
        ):
            cost = cost_of(partial(grade_store, store, PACK, day, again=full, full=full))
            print(f"{name:20} {cost}, {_shown(store)}", flush=True)
    costs: list[tuple[float, float]] = []
    for number in range(2, nights + 2):
        day = FIRST + dt.timedelta(days=number)
        with closing(open_store(url)) as store:
            path = district.night(number)
            come = cost_of(partial(ingest_file, store, path, vocabulary, reading))
            judged = cost_of(partial(grade_store, store, PACK, day))
            costs.append((come.processor, judged.processor))
            path.unlink()
            if (number - 1) % told == 0 or number == nights + 1:
                files, runs = zip(*costs[-told:], strict=True)
                print(
                    f"night {number - 1:4}, {day}: {statistics.median(files):.2f} s of processor"
                    f" to take its file, {statistics.median(runs):.2f} (at most {max(runs):.2f}) to grade,"
                    f" {_shown(store)}",
                    flush=True,
                )


def _shown(store: Store) -> str:
    results, whole = sizes(store)
    return f"results {results / 1e6:,.0f} MB, database {whole / 1e6:,.0f} MB"


def main() -> None:
    """From the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("copies", type=int)
    parser.add_argument("nights", type=int)
    parser.add_argument("--database", help="an empty one; by default SQLite in the folder")
    parser.add_argument("--folder", type=Path, help="kept; by default a temporary one")
    parser.add_argument("--told", type=int, default=30, help="after so many nights a line")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = (given.folder or Path(made)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        url = given.database or f"sqlite:///{folder / 'nights.db'}"
        measure(url, folder, given.copies, given.nights, given.told)


if __name__ == "__main__":
    main()
