"""What reading and taking in files costs, in processor time: ``python -m benchmarks.reading``.

The enterprise records of the whole sample district, as offices write them, in one file of all columns.
"""

from __future__ import annotations

import csv
import random
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from functools import partial
from pathlib import Path

import duckdb

from fixtures.district import SEED
from fixtures.enterprise.build import enterprise_sheets
from fixtures.sheets import Pen, Sheet
from fixtures.totals import enterprise_totals
from rules.library.loader import load_vocabulary
from scoring.facts.ingest.files import Reading, ingest_file
from scoring.runs.files import open_files
from scoring.store.connection import create_store
from scoring.store.workspace import workspace

VOCABULARY = load_vocabulary("enterprise")


def measure(folder: Path) -> None:
    """Writes the files and prints what each way of reading them costs."""
    register, *records = enterprise_sheets(SEED, enterprise_totals(6_000, 206_480))
    _written(folder / "subjects.csv", [register])
    count = _written(folder / "records.csv", records)
    duckdb.sql(
        f"copy (from read_csv('{folder}/records.csv', all_varchar = true)) to '{folder}/records.parquet'"
    )
    for name in ("records.csv", "records.parquet"):
        _say(f"{name}, file to file", count, partial(_opened, folder, name))
    taken = Reading(quarantine=folder)
    with closing(create_store(f"sqlite:///{folder}/x.db")) as store:
        ingest_file(store, folder / "subjects.csv", VOCABULARY, taken)
        run = partial(ingest_file, store, folder / "records.csv", VOCABULARY, taken)
        _say("records.csv, ingest into SQLite", count, run)


def _written(path: Path, sheets: Iterable[Sheet]) -> int:
    """One file of the rows of several, with every column; how many rows it has."""
    count, rng = 0, random.Random(SEED)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        for sheet in sheets:
            columns = list(sheet.table.columns.values())
            if not count:
                writer.writerow([column.title.zh for column in columns])
            pen = Pen(rng, sheet)
            writer.writerows(pen.row(row, columns) for row in sheet.rows)
            count += len(sheet.rows)
    return count


def _opened(folder: Path, name: str) -> None:
    with workspace() as connection:
        open_files(connection, VOCABULARY, folder / "subjects.csv", folder / name)


def _say(what: str, rows: int, run: Callable[[], object]) -> None:
    before = time.process_time()
    run()
    spent = time.process_time() - before
    print(f"{what}: {rows:,} rows, {spent:.2f} s of processor, {spent / rows * 1e6:.1f} s a million")


if __name__ == "__main__":
    from scoring.cli.errors import plainly

    with plainly("benchmarks.reading"), tempfile.TemporaryDirectory() as made:
        measure(Path(made))
