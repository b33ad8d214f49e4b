"""Enterprises and records by the million, made and graded: ``python -m benchmarks.country FOLDER PARTS``.

A part is the sample district's enterprises ten times over, 60,000 of them with 2,064,800 records, under other
codes: the same for every number of the part, so that parts may be made one by one. It is a bucket as well.

``python -m benchmarks.country FOLDER synthetic PARTS`` grades parts of a million subjects with 20 million
records by the synthetic pack's 40 rules (:mod:`benchmarks.rulesets`).

``python -m benchmarks.country FOLDER skewed`` grades one part as it is, and once more where one of its
enterprises has a tenth of all records.

``python -m benchmarks.country FOLDER spark`` grades ten parts without Spark, and with one and with two
executors of one core each.
"""

from __future__ import annotations

import datetime as dt
import importlib
import random
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from benchmarks import rulesets
from benchmarks.data import RECORDS_EACH, SUBJECTS, make_part, write_parquet
from benchmarks.district import AS_OF, ENTERPRISES, RECORDS, district_in
from rules.language.expressions import literal
from rules.library.loader import find_pack
from rules.model import Pack
from scoring.facts.ingest.cells import CODE_SIGNS, CODE_WEIGHTS
from scoring.runs.country.run import MANIFEST

COPIES = 10
SAMPLE = 1_000


@dataclass(frozen=True, slots=True)
class Job:
    """What is graded by what, on which day.

    :param named: the pack as the command takes it.
    """

    named: str
    pack: Pack
    as_of: dt.date
    subjects: int
    records: int


REAL = Job(
    "enterprise-credit",
    find_pack("enterprise-credit", AS_OF),
    AS_OF,
    ENTERPRISES * COPIES,
    RECORDS * COPIES,
)


@dataclass(frozen=True, slots=True)
class Cost:
    """What something took: seconds, and MB at most."""

    processor: float
    clock: float
    peak: int

    def __str__(self) -> str:
        return f"{self.processor:.1f} s of processor, {self.clock:.1f} s by the clock, peak {self.peak:,} MB"


def make(folder: Path, parts: int) -> tuple[Path, Path]:
    """The folders of subjects and records, ``bucket=NUMBER`` in each; parts that are there are kept."""
    base = district_in(folder / "base", 1)
    subjects, records = folder / "subjects", folder / "records"
    with duckdb.connect(config={"memory_limit": "2GB"}) as duck:
        enterprises, known = (f"read_parquet({literal(str(path))})" for path in (base.subjects, base.records))
        duck.execute(
            "create temp table numbered as select *, row_number() over (order by subject_id) - 1 as n"
            f" from {enterprises}"
        )
        duck.execute(
            "create temp table known as select k.* exclude (subject_id), n"
            f" from {known} k join numbered using (subject_id)"
        )
        for part in range(parts):
            place = f"bucket={part:04}/part.parquet"
            if (records / place).exists():
                continue
            duck.execute(f"create or replace temp table codes as {_codes(part)}")
            named = (
                "select code as subject_id, e.* exclude (subject_id, n) from numbered e join codes using (n)"
            )
            write_parquet(duck, named, subjects / place)
            told = (
                "select record_id || printf('%05d', copy) as record_id, code as subject_id,"
                " k.* exclude (record_id, n) from known k join codes using (n)"
                " order by occurred_on, record_id"
            )
            write_parquet(duck, told, records / place)
    return subjects, records


def make_synthetic(folder: Path, parts: int) -> tuple[Job, tuple[Path, Path]]:
    """As :func:`make`, and the synthetic pack in the folder, a million subjects a part."""
    subjects, records = folder / "subjects", folder / "records"
    for part in range(parts):
        place = f"bucket={part:04}/part.parquet"
        make_part(subjects / place, records / place, part)
    named = folder / "benchmark.yaml"
    rules = rulesets.rule_set(40)
    named.write_text(rulesets.text_of(rules), encoding="utf-8")
    pack = rulesets.pack_of(rules)
    return Job(str(named), pack, rulesets.AS_OF, SUBJECTS, SUBJECTS * RECORDS_EACH), (subjects, records)


def _codes(part: int) -> str:
    """A credit code for each enterprise of each copy: its number, written with the 31 signs of codes."""
    number = f"({part * COPIES} + copy) * {ENTERPRISES} + n"
    signs = literal(CODE_SIGNS)
    digits = " || ".join(f"{signs}[1 + (number // {31**place}) % 31]" for place in range(6, -1, -1))
    worth = " + ".join(
        f"(strpos({signs}, body[{place}]) - 1) * {weight}"
        for place, weight in enumerate(CODE_WEIGHTS[:-1], start=1)
    )
    numbers = (
        f"select n, {part * COPIES} + copy as copy, {number} as number from numbered, range({COPIES}) c(copy)"
    )
    bodies = f"select n, copy, '91500159MA' || {digits} as body from ({numbers})"
    return f"select n, copy, body || {signs}[1 + (31 - ({worth}) % 31) % 31] as code from ({bodies})"


def skew(folder: Path) -> str:
    """One part in another folder, of which one enterprise has a tenth of all records; its code."""
    skewed, place = folder / "skewed", "bucket=0000/part.parquet"
    make(folder, 1)
    with duckdb.connect(config={"memory_limit": "2GB"}) as duck:
        [(code,)] = duck.execute(f"select min(subject_id) from '{folder}/subjects/{place}'").fetchall()
        write_parquet(duck, f"from '{folder}/subjects/{place}'", skewed / "subjects" / place)
        owner = f"case when hash(record_id) % 10 = 0 then {literal(code)} else subject_id end"
        told = f"select * replace ({owner} as subject_id) from '{folder}/records/{place}'"
        write_parquet(duck, told, skewed / "records" / place)
    return str(code)


def measure_skew(folder: Path, memory: str = "4GB") -> None:
    """Makes and grades a part, with and without a subject of a tenth of all records; prints what it took."""
    code = skew(folder)
    for given in (folder, folder / "skewed"):
        out = given / "out-1"
        shutil.rmtree(out, ignore_errors=True)
        cost = grade(given, out, memory)
        print(f"{given}: {cost}")
    of_code = f"where subject_id = {literal(code)}"
    with duckdb.connect() as duck:
        [(records,)] = duck.execute(
            f"select count(*) from '{given}/records/*/*.parquet' {of_code}"
        ).fetchall()
        [(hits,)] = duck.execute(f"select count(*) from '{out}/hits/*/*.parquet' {of_code}").fetchall()
        [grade_of] = duck.execute(f"select score, tier from '{out}/scores/*/*.parquet' {of_code}").fetchall()
    print(f"{code}: {records:,} records, {hits:,} hits, {grade_of}")


def grade(folder: Path, out: Path, memory: str, *more: str, job: Job = REAL) -> Cost:
    """Grades the folders by the command, in a process of its own.

    :param more: words of the command.
    """
    program = Path(sys.executable).with_name("xinheng")
    given = ["--subjects", folder / "subjects", "--records", folder / "records", "--out", out]
    words = ["score", "--pack", job.named, "--as-of", job.as_of, "--memory", memory, *given]
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([str(program), *map(str, words), *more], check=True)
    after, clock = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - begun
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(processor, clock, after.ru_maxrss // 1024)


def measure_spark(folder: Path, memory: str = "2GB") -> None:
    """Makes ten parts and grades them without Spark and by one and two executors; prints the times."""
    make(folder, 10)
    ways: dict[str, list[str]] = {"without Spark": []} | {
        f"{number} executors": ["--engine", "spark", "--master", f"local-cluster[{number},1,1024]"]
        for number in (1, 2)
    }
    for name, words in ways.items():
        out = folder / "out-spark"
        shutil.rmtree(out, ignore_errors=True)
        print(f"{name}: {grade(folder, out, memory, *words).clock:.1f} s by the clock")


def check(folder: Path, out: Path, parts: int, job: Job) -> None:
    """Holds the scores, tiers and hits of some subjects to the reference.

    :raises AssertionError: on a difference.
    """
    sys.path.append(str(Path(__file__).parents[1] / "tests"))
    reference = importlib.import_module("reference")

    chosen = random.Random(1).sample(range(parts), min(parts, 10))
    with duckdb.connect() as duck:
        for part in chosen:
            place = f"bucket={part:04}/part.parquet"
            subjects = rows(duck, f"from '{folder}/subjects/{place}' order by hash(subject_id)"
                                  f" limit {SAMPLE // len(chosen)}")  # fmt: skip
            duck.execute(f"create or replace temp table chosen as select subject_id"
                         f" from '{folder}/subjects/{place}' limit 0")  # fmt: skip
            duck.executemany("insert into chosen values (?)", [[row["subject_id"]] for row in subjects])
            of_chosen = "semi join chosen using (subject_id)"
            records = rows(duck, f"from '{folder}/records/{place}' {of_chosen}")
            right = reference.grade(job.pack, job.as_of, subjects, records)
            found = rows(duck, f"select subject_id, score, tier from '{out}/scores/{place}' {of_chosen}")
            assert {row["subject_id"]: (row["score"] * 100, row["tier"]) for row in found} == {
                key: (score.score, score.tier) for key, score in right.items()
            }
            hits = rows(duck, f"select subject_id, rule, record_id from '{out}/hits/{place}' {of_chosen}")
            assert {tuple(row.values()) for row in hits} == {
                (key, hit.rule.id, hit.record) for key, score in right.items() for hit in score.hits
            }


def rows(duck: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    """What a query finds, by column name."""
    found = duck.execute(query)
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _size(paths: Iterable[Path]) -> float:
    return sum(path.stat().st_size for path in paths) / 1e9


def measure(folder: Path, parts: int, memory: str = "4GB", *, synthetic: bool = False) -> None:
    """Makes, grades and checks, and prints what it took."""
    begun = time.process_time()
    job, (subjects, records) = make_synthetic(folder, parts) if synthetic else (REAL, make(folder, parts))
    print(f"made in {time.process_time() - begun:.1f} s of processor")
    out = folder / f"out-{parts}"
    shutil.rmtree(out, ignore_errors=True)
    cost = grade(folder, out, memory, job=job)
    check(folder, out, parts, job)
    given = _size([*subjects.rglob("*.parquet"), *records.rglob("*.parquet")])
    count = job.records * parts
    results = _size(out.rglob("*.parquet"))
    print(
        f"{job.subjects * parts:,} subjects, {count:,} records, {given:.2f} GB:"
        f" {cost.processor:.1f} s of processor ({cost.processor / count * 1e6:.2f} s a million),"
        f" {cost.clock:.1f} s by the clock, peak {cost.peak:,} MB, results {results:.2f} GB;"
        f" {SAMPLE:,} subjects are as the reference grades them ({out / MANIFEST})"
    )


if __name__ == "__main__":
    from scoring.cli.errors import plainly

    with plainly("benchmarks.country FOLDER PARTS"):
        if sys.argv[2] == "synthetic":
            measure(Path(sys.argv[1]), int(sys.argv[3]), *sys.argv[4:5], synthetic=True)
        elif sys.argv[2] == "skewed":
            measure_skew(Path(sys.argv[1]), *sys.argv[3:4])
        elif sys.argv[2] == "spark":
            measure_spark(Path(sys.argv[1]), *sys.argv[3:4])
        else:
            measure(Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:4])
