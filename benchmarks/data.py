"""Invented subjects and records as Parquet: ``python -m benchmarks.data FOLDER``.

They look like chance and are none: a hash makes them, the same on every machine with the locked DuckDB.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb

from benchmarks.rulesets import AMOUNTS, KINDS, SEVERITIES

SUBJECTS = 1_000_000
RECORDS_EACH = 20


@dataclass(frozen=True, slots=True)
class Data:
    """Where the files are, and how much is in them."""

    subjects: Path
    records: Path
    subject_count: int
    record_count: int


def data_in(folder: Path, scale: float) -> Data:
    """The data set of that scale; made where it is not there yet.

    :param scale: 1 is a million subjects with 20 million records.
    """
    count = int(SUBJECTS * scale)
    subjects, records = (folder / f"{name}-{count}.parquet" for name in ("subjects", "records"))
    make_part(subjects, records, 0, count)
    return Data(subjects, records, count, count * RECORDS_EACH)


def make_part(subjects: Path, records: Path, part: int, count: int = SUBJECTS) -> None:
    """The files of the subjects from ``part * count`` on, ``count`` of them, and of their records; what is
    there is kept."""
    for path, query in ((subjects, _subjects(part, count)), (records, _records(part, count))):
        if not path.exists():
            with duckdb.connect() as duck:
                write_parquet(duck, query, path)


def write_parquet(duck: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    """The rows of a query as a file that is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    duck.execute(f"copy ({query}) to '{unfinished}' (format parquet)")
    unfinished.rename(path)


def _subjects(part: int, count: int) -> str:
    numbers = f"range({part * count}, {(part + 1) * count})"
    return f"select i as subject_id, 'region-' || {_random(10, 0)} as region from {numbers} t(i)"


def _records(part: int, count: int) -> str:
    """Low kinds are frequent; 7 of 10 are effective; dates reach from five years ago to a month ahead."""
    kind = f"cast(floor({KINDS} * power({_random(10_000, 2)} / 10000, 2)) as integer)"
    severities = ", ".join(f"'{name}'" for name in SEVERITIES)
    return (
        f"select i as record_id, {part * count} + {_random(count, 1)} as subject_id,"
        f" format('k{{:02d}}', {kind}) as kind,"
        f" [{severities}][1 + {_random(4, 3)}] as severity,"
        f" case when {_random(10, 4)} < 7 then 'effective'"
        f" else ['repaired', 'disputed', 'revoked'][1 + {_random(3, 5)}] end as status,"
        f" cast({_random(AMOUNTS * 100, 6)} / 100 as decimal(18, 4)) as amount,"
        f" date '2021-06-01' + cast({_random(1855, 7)} as integer) as occurred_on"
        f" from range({part * count * RECORDS_EACH}, {(part + 1) * count * RECORDS_EACH}) t(i)"
    )


def _random(below: int, column: int) -> str:
    """A number from 0 that looks like chance and is none."""
    return f"cast(hash(i * 8 + {column}) % {below} as bigint)"


def attach(connection: duckdb.DuckDBPyConnection, data: Data) -> None:
    """The data as the views ``subjects`` and ``records``."""
    for name, path in (("subjects", data.subjects), ("records", data.records)):
        connection.read_parquet(str(path)).create_view(name)


if __name__ == "__main__":
    from scoring.cli.errors import plainly

    with plainly("benchmarks.data DIRECTORY"):
        print(data_in(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 1))
