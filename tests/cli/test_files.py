"""From file to file: good values in, exact points out, and what is wrong named with its place."""

from __future__ import annotations

import csv
import datetime as dt
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from itertools import chain
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import Result

from cli.conftest import PROGRAM, Command
from cli.market import AS_OF, BLANK, HIT, MISSED, SUBJECTS
from scoring.store import open_store
from scoring.store.models import Score

ON = ("--as-of", AS_OF)
MIDNIGHT = dt.datetime.fromisoformat("2026-03-01")


@pytest.fixture
def score(market: Path, tmp_path: Path, command: Command) -> Callable[..., Result]:
    """Scores files by the market's pack into ``out.csv``."""

    def run(subjects: Path, records: Path | None = None, out: str = "out.csv") -> Result:
        more = ("--records", records) if records else ()
        pack = market / "market.yaml"
        return command("score", "--pack", pack, *ON, "--subjects", subjects, *more, "--out", tmp_path / out)

    return run


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def written(tmp_path: Path, name: str, content: str | bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def rejected(tmp_path: Path) -> list[tuple[str, str, str]]:
    rows = table(tmp_path / "out.rejected.csv")
    return [(row["row_no"], row["column_name"], row["reason"]) for row in rows]


def to_parquet(source: Path, target: Path, replaced: str = "") -> Path:
    columns = f"* replace ({replaced})" if replaced else "*"
    query = f"select {columns} from read_csv('{source}', all_varchar = true)"
    duckdb.connect().execute(f"copy ({query}) to '{target}' (format parquet)")
    return target


# Good files


def test_scores_hits_and_dimensions_are_those_of_the_store(
    market: Path, database: str, tmp_path: Path, score: Callable[..., Result]
) -> None:
    result = score(market / "subjects.csv", market / "records.csv")
    assert result.exit_code == 0
    store = open_store(database)
    with store.reading() as session:
        kept = {s: session.get(Score, (1, s)) for s in (HIT, MISSED, BLANK)}
    store.close()
    rows = table(tmp_path / "out.csv")
    assert {row["subject_id"]: (Decimal(row["score"]), row["tier"]) for row in rows} == {
        subject: (Decimal(found.score) / 100, found.tier) for subject, found in kept.items() if found
    }
    hits = {(row["rule"], row["record_id"], row["points"]) for row in table(tmp_path / "out.hits.csv")}
    assert {("penalty", "P1", "-4.00"), ("penalty", "P2", "-2.00"), ("tax.1", "T1", "8.00")} <= hits
    assert {r["dimension"]: r["points"] for r in table(tmp_path / "out.dimensions.csv")}["conduct"] == "-5.00"
    assert not (tmp_path / "out.rejected.csv").exists()


def test_csv_and_parquet_give_the_same_in_every_direction(
    market: Path, tmp_path: Path, score: Callable[..., Result]
) -> None:
    subjects = to_parquet(
        market / "subjects.csv", tmp_path / "s.parquet", "established_on::date as established_on"
    )
    records = to_parquet(
        market / "records.csv",
        tmp_path / "r.parquet",
        "occurred_on::date as occurred_on, amount::double as amount",
    )
    for name, given in (("a", (market / "subjects.csv", market / "records.csv")), ("b", (subjects, records))):
        for kind in ("csv", "parquet"):
            assert score(*given, out=f"{name}.{kind}").exit_code == 0
    for part in ("", ".hits", ".dimensions"):
        assert (tmp_path / f"a{part}.csv").read_bytes() == (tmp_path / f"b{part}.csv").read_bytes()
        parquet = pq.read_table(tmp_path / f"a{part}.parquet")
        assert parquet.equals(pq.read_table(tmp_path / f"b{part}.parquet"))
        assert parquet.num_rows == len(table(tmp_path / f"a{part}.csv"))
    assert pq.read_schema(tmp_path / "a.parquet").field("score").type == pa.decimal128(18, 2)


def test_a_byte_order_mark_quoted_newlines_and_windows_line_ends_are_read(
    tmp_path: Path, score: Callable[..., Result]
) -> None:
    text = f'\ufeffsubject_id,name,size\r\n{HIT},"甲\r\n公司, ""老店""",large\r\n'
    assert score(written(tmp_path, "s.csv", text)).exit_code == 0
    assert [row["score"] for row in table(tmp_path / "out.csv")] == ["81.00"]


def test_headers_alone_are_nobody(tmp_path: Path, market: Path, score: Callable[..., Result]) -> None:
    result = score(written(tmp_path, "s.csv", "subject_id,size\n"))
    assert result.exit_code == 0
    assert table(tmp_path / "out.csv") == []
    no_records = written(tmp_path, "r.csv", "record_id,subject_id,occurred_on\n")
    assert score(market / "subjects.csv", no_records).exit_code == 0
    assert len(table(tmp_path / "out.csv")) == 3


def test_spaces_around_codes_and_keys_do_not_count(tmp_path: Path, score: Callable[..., Result]) -> None:
    subjects = written(tmp_path, "s.csv", f"subject_id,size\n {HIT} , large \n")
    assert score(subjects).exit_code == 0
    assert [(r["subject_id"], r["score"]) for r in table(tmp_path / "out.csv")] == [(HIT, "81.00")]


# Rows set aside


def test_bad_values_are_set_aside_with_row_column_and_reason(
    market: Path, tmp_path: Path, score: Callable[..., Result]
) -> None:
    head = "record_id,subject_id,kind,status,severity,amount,occurred_on\n"
    good = f"P1,{HIT},penalty,effective,general,28600,2026-03-01\n"
    bad = (
        f"P1,{HIT},penalty,effective,general,1,2026-03-01",
        f"P2,{HIT},penalty,effective,general,1.00001,2026-03-01",
        f"P3,{HIT},penalty,effective,general,28k,2026-03-01",
        f"P4,{HIT},penalties,effective,general,1,2026-03-01",
        f"P5,{HIT},penalty,effective,general,1,2026-02-30",
        f"P6,{HIT},penalty,effective,general,1,infinity",
        f"P7,{HIT},penalty,effective,general,1,2026-03-01 10:00:00",
        f"P8,{HIT},penalty,effective,general,1,",
        ",,penalty,effective,general,1,2026-03-01",
        f"P9,{HIT},penalty,effective,general,NaN,2026-03-01",
    )
    records = written(tmp_path, "r.csv", head + good + "\n".join(bad) + "\n")
    result = score(market / "subjects.csv", records)
    assert result.exit_code == 0
    assert "11 values set aside, with the reasons: " in result.stderr
    number, day = "not a number of at most 14 digits and 4 decimals", "not a date such as 2026-01-31"
    assert rejected(tmp_path) == [
        ("3", "record_id", "the key stands in an earlier row"),
        ("4", "amount", number),
        ("5", "amount", number),
        ("6", "kind", "not a code of this column"),
        ("7", "occurred_on", day),
        ("8", "occurred_on", day),
        ("9", "occurred_on", day),
        ("10", "occurred_on", "no value"),
        ("11", "record_id", "no value"),
        ("11", "subject_id", "no value"),
        ("12", "amount", number),
    ]
    assert {row["record_id"] for row in table(tmp_path / "out.hits.csv")} == {"", "P1"}


def test_values_in_parquet_of_other_types_are_read_or_set_aside(
    market: Path, tmp_path: Path, score: Callable[..., Result]
) -> None:
    rows = pa.table(
        {
            "record_id": pa.array([1, 2, 3], pa.int32()),
            "subject_id": [HIT] * 3,
            "kind": pa.array(["penalty"] * 3).dictionary_encode(),
            "amount": pa.array([28600.0, 0.1, 1e-5]),
            "occurred_on": pa.array([MIDNIGHT, MIDNIGHT + dt.timedelta(hours=9), None], pa.timestamp("us")),
        }
    )
    pq.write_table(rows, tmp_path / "r.parquet")
    assert score(market / "subjects.csv", tmp_path / "r.parquet").exit_code == 0
    assert {(row, column) for row, column, _ in rejected(tmp_path)} == {
        ("2", "occurred_on"),
        ("3", "occurred_on"),
        ("3", "amount"),
    }
    days = pa.table(
        {"record_id": ["1"], "subject_id": [HIT], "occurred_on": pa.array([20260301], pa.int32())}
    )
    pq.write_table(days, tmp_path / "r.parquet")
    assert score(market / "subjects.csv", tmp_path / "r.parquet").exit_code == 0
    assert rejected(tmp_path) == [("1", "occurred_on", "not a date such as 2026-01-31")]


def test_numbers_that_are_one_key_are_one_key(tmp_path: Path, command: Command) -> None:
    pack = written(tmp_path, "bank.yaml", BANK)
    subjects = written(tmp_path, "s.csv", "applicant_id,income\n1,5\n01,6\n1.0,7\n2,8\n")
    line = ("--subjects", subjects, "--out", tmp_path / "out.csv")
    assert command("score", "--pack", pack, *ON, *line).exit_code == 0
    assert [row["subject_id"] for row in table(tmp_path / "out.csv")] == ["1", "2"]
    assert [row for row, _, _ in rejected(tmp_path)] == ["3", "4"]


BANK = """\
pack: bank
version: "1"
title: {zh: 贷款, en: Loans}
subject:
  vocabulary: applicant
  title: {zh: 申请人, en: Applicant}
  subject:
    key: applicant_id
    columns:
      applicant_id: {type: integer, title: {zh: 编号, en: Number}}
      income: {type: decimal, title: {zh: 收入, en: Income}}
in_force: {from: 2026-01-01}
score: {start: 50, min: 0, max: 100}
dimensions: [{id: means, title: {zh: 财力, en: Means}}]
rules:
  - {id: income, title: {zh: 收入, en: Income}, dimension: means, when: income > 6, points: 5,
     basis: own-choice}
grades: [{tier: pass, title: {zh: 通过, en: Pass}, from: 0}]
"""


def test_records_are_refused_where_the_vocabulary_has_none(
    market: Path, tmp_path: Path, command: Command
) -> None:
    pack, subjects = written(tmp_path, "bank.yaml", BANK), written(tmp_path, "s.csv", "applicant_id\n1\n")
    line = ("--subjects", subjects, "--records", market / "records.csv", "--out", tmp_path / "out.csv")
    result = command("score", "--pack", pack, *ON, *line)
    assert result.exit_code == 1
    assert "has no records; leave out --records" in result.stderr


def test_orphans_and_unknown_columns_are_told(
    market: Path, tmp_path: Path, score: Callable[..., Result]
) -> None:
    head = "record_id,subject_id,kind,occurred_on,amuont\n"
    records = written(tmp_path, "r.csv", f"{head}P1,nobody,penalty,2026-03-01,1\n")
    result = score(market / "subjects.csv", records)
    assert result.exit_code == 0
    assert "1 records of unknown subjects, counted for nobody" in result.stderr
    assert f"ignored: {records}: amuont" in result.stderr


def test_rows_are_numbered_as_they_stand_in_a_large_file(
    tmp_path: Path, market: Path, score: Callable[..., Result]
) -> None:
    rows = [f"S{n},micro" for n in range(300_000)]
    rows[234_567] = "S234567,minute"
    subjects = written(tmp_path, "s.csv", "subject_id,size\n" + "\n".join(rows) + "\n")
    assert score(subjects).exit_code == 0
    assert rejected(tmp_path) == [("234569", "size", "not a code of this column")]


# Files that can't be scored


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("s.csv", "", "the file is empty; at least a row of headers is needed"),
        ("s.csv", SUBJECTS.encode("gb18030"), "is not text in UTF-8; save it as UTF-8"),
        ("s.csv", f"信用代码,名称\n{HIT},甲\n".encode("gb18030"), "line 1 is not text in UTF-8"),
        (
            "s.csv",
            "name,size\n甲,large\n",
            "the column subject_id (统一社会信用代码 Unified social credit code)",
        ),
        ("s.csv", "name,size\n甲,large\n", "is missing; the file has name, size"),
        ("s.csv", "subject_id,size,size\nX,a,b\n", "the column size stands twice in the headers"),
        ("s.csv", "subject_id,size\nX,large,more\n", "line 2 has 3 values, and there are 2 headers"),
        ("s.csv", "subject_id,name\nX,y\nY\n", "line 3 has 1 values, and there are 2 headers"),
        ("s.csv", 'subject_id,name\n"X,y\n', "line 2 begins a quoted text that nothing ends"),
        ("s.parquet", "subject_id\nX\n", "this is no Parquet file, or a damaged one"),
        ("s.xlsx", "x", "CSV (.csv) or Parquet (.parquet) can"),
    ],
)
def test_a_file_that_can_not_be_read_is_named_with_what_is_right(
    tmp_path: Path, score: Callable[..., Result], name: str, content: str | bytes, words: str
) -> None:
    path = written(tmp_path, name, content)
    result = score(path)
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"Error: {path}: " in result.stderr
    assert words in result.stderr
    assert list(tmp_path.iterdir()) == [path]


def test_nested_values_are_refused(tmp_path: Path, score: Callable[..., Result]) -> None:
    pq.write_table(pa.table({"subject_id": ["X"], "name": [["a", "b"]]}), tmp_path / "s.parquet")
    result = score(tmp_path / "s.parquet")
    assert "the column name holds varchar[]; plain values are needed" in result.stderr


def test_missing_files_and_folders_are_told_apart(tmp_path: Path, score: Callable[..., Result]) -> None:
    assert "there is no such file" in score(tmp_path / "none.csv").stderr
    (tmp_path / "folder.csv").mkdir()
    assert "this is a folder; a file is needed" in score(tmp_path / "folder.csv").stderr


def test_results_never_overwrite_what_they_are_made_from(
    market: Path, tmp_path: Path, score: Callable[..., Result]
) -> None:
    subjects = written(tmp_path, "s.csv", SUBJECTS)
    records = written(tmp_path, "x.hits.csv", (market / "records.csv").read_bytes())
    for result in (score(subjects, out="s.csv"), score(subjects, records, out="x.csv")):
        assert result.exit_code == 1
        assert "would overwrite what they are made from; name another --out" in result.stderr
    assert subjects.read_text("utf-8") == SUBJECTS


@pytest.mark.parametrize(
    ("out", "words"),
    [
        ("out.xlsx", "results are written as .csv or .parquet"),
        ("none/out.csv", "there is no folder"),
        ("folder.csv", "this is a folder; results need a file"),
        ("/proc/out.csv", "can't be written"),
    ],
)
def test_an_output_that_can_not_be_is_refused(
    market: Path, tmp_path: Path, score: Callable[..., Result], out: str, words: str
) -> None:
    (tmp_path / "folder.csv").mkdir()
    result = score(market / "subjects.csv", out=out)
    assert (result.exit_code, result.stdout) == (1, "")
    assert words in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["folder.csv"]


# Cut short


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Files of many subjects and records: a run of some seconds."""
    folder = tmp_path_factory.mktemp("crowd")
    duck = duckdb.connect()
    duck.execute(
        f"copy (select 'S' || range as subject_id, 'large' as size from range(100000))"
        f" to '{folder / 's.parquet'}' (format parquet)"
    )
    duck.execute(
        f"copy (select 'R' || range as record_id, 'S' || range % 100000 as subject_id, 'penalty' as kind,"
        f" 'general' as severity, 'effective' as status, date '2026-03-01' as occurred_on from range(300000))"
        f" to '{folder / 'r.parquet'}' (format parquet)"
    )
    return folder / "s.parquet", folder / "r.parquet"


def line(market: Path, files: tuple[Path, ...], out: Path) -> list[str]:
    given = zip(("--subjects", "--records"), files, strict=False)
    words = ("score", "--pack", market / "market.yaml", *ON, *chain(*given), "--out", out)
    return [str(PROGRAM), *map(str, words)]


HELD = """
import signal, sys
import scoring.files
from scoring.cli import main

def grade(*given, **named):
    print("graded", file=sys.stderr, flush=True)
    signal.pause()

scoring.files.grade = grade
main(prog_name="xinheng")
"""
"""The command, held before it writes until a signal comes."""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_stopped_leaves_no_results(
    market: Path, crowd: tuple[Path, Path], tmp_path: Path, number: signal.Signals
) -> None:
    spill, out = tmp_path / "spill", tmp_path / "out"
    spill.mkdir()
    out.mkdir()
    running = subprocess.Popen(
        [sys.executable, "-c", HELD, *line(market, crowd, out / "scores.csv")[1:]],
        env=os.environ | {"XINHENG_TEMP_DIRECTORY": str(spill)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stderr is not None
    assert running.stderr.readline() == "graded\n"
    assert len(list(spill.iterdir())) == 1
    running.send_signal(number)
    stdout, stderr = running.communicate()
    assert running.returncode != 0
    assert "Traceback" not in stderr
    assert (stdout, list(out.iterdir())) == ("", [])
    if number == signal.SIGINT:
        assert "Aborted" in stderr
        assert list(spill.iterdir()) == []


def test_a_full_disk_keeps_the_results_of_before(
    market: Path, crowd: tuple[Path, Path], tmp_path: Path
) -> None:
    out = written(tmp_path, "scores.csv", "the results of before\n")

    def at_most_a_little() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    done = subprocess.run(
        line(market, crowd[:1], out), capture_output=True, text=True, preexec_fn=at_most_a_little, check=False
    )
    assert done.returncode == 1
    assert f"Error: {out}: can't be written: File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert out.read_text() == "the results of before\n"
    assert list(tmp_path.iterdir()) == [out]
