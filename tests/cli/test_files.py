"""From file to file: good values in, exact points out, and what is wrong named with its place."""

from __future__ import annotations

import csv
import datetime as dt
import os
import re
import resource
import signal
import subprocess
from collections.abc import Callable
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import Result
from stdnum.cn import uscc
from warm import Warm

from cli.conftest import KEEP_NO_BYTECODE, PROGRAM, Command
from cli.market import AS_OF, BLANK, HIT, MISSED, SUBJECTS
from rules.library.loader import find_pack, load_pack, load_vocabulary
from rules.titles import halves_of_old
from scoring.answers.explain import explain
from scoring.runs import files
from scoring.runs.files import score_files
from scoring.runs.published import get_run
from scoring.runs.results import grades_of
from scoring.store import open_store

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


def code(number: int) -> str:
    """A valid credit code, another for each number."""
    first = f"91500159MA{number:07}"
    return first + uscc.calc_check_digit(first)


def rejected(tmp_path: Path) -> list[tuple[str, str, str]]:
    rows = table(tmp_path / "out.rejected.csv")
    return [(row["row_no"], row["column_name"], english(row["reason"])) for row in rows]


def english(reason: str) -> str:
    """A reason without its Chinese half and the hint."""
    return re.sub(r" \([^()]*\)$", "", halves_of_old(reason).en)


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
    kept = grades_of(store, get_run(store, 1), (HIT, MISSED, BLANK))
    told = {subject: explain(store, "market", subject).measures for subject in kept}
    store.close()
    rows = table(tmp_path / "out.csv")
    assert {row["subject_id"]: (Decimal(row["score"]), row["tier"]) for row in rows} == {
        subject: (Decimal(found.score) / 100, found.tier) for subject, found in kept.items() if found
    }
    hits = {(row["rule"], row["record_id"], row["points"]) for row in table(tmp_path / "out.hits.csv")}
    assert {("penalty", "P1", "-4.00"), ("penalty", "P2", "-2.00"), ("tax.1", "T1", "8.00")} <= hits
    assert {r["dimension"]: r["points"] for r in table(tmp_path / "out.dimensions.csv")}["conduct"] == "-5.00"
    measures = {row.pop("subject_id"): row for row in table(tmp_path / "out.measures.csv")}
    assert measures[HIT] == {"fines": "28600.0000"}
    assert {subject: {"fines": Decimal(row["fines"])} for subject, row in measures.items()} == told
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
    for part in ("", ".hits", ".dimensions", ".measures"):
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
    no_records = written(tmp_path, "r.csv", "record_id,subject_id,kind,status,occurred_on\n")
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
        f"P9,{HIT},penalty,effective,general,Infinity,2026-03-01",
        "P10,91500159MAXXMDTC5C,penalty,effective,general,1,2026-03-01",
        f"P11,{HIT},penalty",
    )
    records = written(tmp_path, "r.csv", head + good + "\n".join(bad) + "\n")
    result = score(market / "subjects.csv", records)
    assert result.exit_code == 0
    assert "12 values set aside, with the reasons: " in result.stderr
    assert rejected(tmp_path) == [
        ("3", "record_id", "the same key as in row 2"),
        ("4", "amount", "more than 4 decimals"),
        ("5", "amount", "not a number"),
        ("6", "kind", "not among the listed values"),
        ("7", "occurred_on", "no such day in the calendar"),
        ("8", "occurred_on", "not a date"),
        ("10", "occurred_on", "without its occurred_on the row could never count"),
        ("11", "record_id", "empty, and required"),
        ("11", "subject_id", "empty, and required"),
        ("12", "amount", "not a number"),
        ("13", "subject_id", "wrong check character, B expected"),
        ("14", "", "3 cells where the headers have 7"),
    ]
    assert {row["record_id"] for row in table(tmp_path / "out.hits.csv")} == {"", "P1", "P7"}


def test_values_in_parquet_of_other_types_are_read_or_set_aside(
    market: Path, tmp_path: Path, score: Callable[..., Result]
) -> None:
    rows = pa.table(
        {
            "record_id": pa.array([1, 2, 3], pa.int32()),
            "subject_id": [HIT] * 3,
            "kind": pa.array(["penalty"] * 3).dictionary_encode(),
            "status": ["effective"] * 3,
            "severity": ["general"] * 3,
            "amount": pa.array([28600.0, 0.1, 1e-5]),
            "occurred_on": pa.array([MIDNIGHT, MIDNIGHT + dt.timedelta(hours=9), None], pa.timestamp("us")),
        }
    )
    pq.write_table(rows, tmp_path / "r.parquet")
    assert score(market / "subjects.csv", tmp_path / "r.parquet").exit_code == 0
    assert rejected(tmp_path) == [
        ("3", "amount", "a number with an exponent: its last digits are lost"),
        ("3", "occurred_on", "without its occurred_on the row could never count"),
    ]
    days = pa.table(
        {
            "record_id": ["1", "2"],
            "subject_id": [HIT] * 2,
            "kind": ["tax_arrears"] * 2,
            "status": ["effective"] * 2,
            "occurred_on": pa.array([20260301, 20260230], pa.int32()),
        }
    )
    pq.write_table(days, tmp_path / "r.parquet")
    assert score(market / "subjects.csv", tmp_path / "r.parquet").exit_code == 0
    assert rejected(tmp_path) == [("2", "occurred_on", "no such day in the calendar")]


def test_records_that_could_never_count_are_set_aside_from_csv_and_from_parquet(
    market: Path, tmp_path: Path, score: Callable[..., Result]
) -> None:
    rows = (
        "record_id,subject_id,kind,status,severity,occurred_on",
        f"P1,{HIT},penalty,effective,general,2026-03-01",
        f"P2,{HIT},penalty,effective,general,",
        f"P3,{HIT},penalty,,general,2026-03-01",
        f"P4,{HIT},penalty,effective,,2026-03-01",
        f"P5,{HIT},tax_arrears,effective,,2026-03-01",
    )
    records = written(tmp_path, "r.csv", "\n".join(rows) + "\n")
    for given, first in ((records, 1), (to_parquet(records, tmp_path / "r.parquet"), 0)):
        assert score(market / "subjects.csv", given).exit_code == 0
        because = ", and 等级或结果 names nothing to tell it by"
        assert rejected(tmp_path) == [
            (str(row + first), column, f"without its {column} the row could never count{more}")
            for row, column, more in ((2, "occurred_on", ""), (3, "status", ""), (4, "severity", because))
        ]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_file_without_a_column_that_every_record_needs_is_refused(
    market: Path, tmp_path: Path, score: Callable[..., Result], kind: str
) -> None:
    records = written(tmp_path, "r.csv", f"record_id,subject_id,kind,status\nP1,{HIT},penalty,effective\n")
    given = records if kind == "csv" else to_parquet(records, tmp_path / "r.parquet")
    result = score(market / "subjects.csv", given)
    assert result.exit_code == 1
    assert "needs the column occurred_on; taken for: record_id → record_id" in result.stderr


def test_rows_of_several_sheets_are_read_and_named_by_their_sheets(
    market: Path, tmp_path: Path, score: Callable[..., Result]
) -> None:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for month, (number, amount) in enumerate((("P1", 1), ("P2", "x"), ("P1", 2)), start=1):
        sheet = book.create_sheet(f"{month}月")
        sheet.append(["record_id", "subject_id", "kind", "status", "severity", "amount", "occurred_on"])
        sheet.append([number, HIT, "penalty", "effective", "general", amount, f"2026-0{month}-01"])
    book.save(tmp_path / "r.xlsx")
    result = score(market / "subjects.csv", tmp_path / "r.xlsx")
    assert result.exit_code == 0, result.stderr
    rows = table(tmp_path / "out.rejected.csv")
    assert [(row["sheet"], row["row_no"], row["column_name"]) for row in rows] == [
        ("2月", "2", "amount"),
        ("3月", "2", "record_id"),
    ]
    assert "P1" in {row["record_id"] for row in table(tmp_path / "out.hits.csv")}


def test_what_parquet_holds_is_checked_as_what_a_csv_holds(
    tmp_path: Path, score: Callable[..., Result], command: Command
) -> None:
    """Credit codes, codes by their titles, dates past the calendar, whole numbers of 19 digits."""
    duck = duckdb.connect()
    duck.execute(
        f"copy (select * from (values ('{HIT}', '大型', date '2010-01-02'), ('{HIT[:-1]}X', 'large', null),"
        f" ('{MISSED.lower()}', 'huge', date '2010-01-02'), ('{BLANK}', null, date '20000-01-01'))"
        f" t(信用代码, size, established_on)) to '{tmp_path / 's.parquet'}' (format parquet)"
    )
    assert score(tmp_path / "s.parquet").exit_code == 0
    assert rejected(tmp_path) == [
        ("2", "信用代码", "wrong check character, B expected"),
        ("3", "size", "not among the listed values"),
        ("4", "established_on", "not a date"),
    ]
    assert [(row["subject_id"], row["score"]) for row in table(tmp_path / "out.csv")] == [(HIT, "82.00")]
    pack = written(tmp_path, "bank.yaml", BANK)
    pq.write_table(pa.table({"applicant_id": [10**18 - 1, 10**18]}), tmp_path / "n.parquet")
    line = ("--subjects", tmp_path / "n.parquet", "--out", tmp_path / "out.csv")
    assert command("score", "--pack", pack, *ON, *line).exit_code == 0
    assert [row for row, _, _ in rejected(tmp_path)] == ["2"]


ODD_NAMES = [
    "list[1]", "2026[12]/s", "all*", "wh?t", "{a,b}", "~", "~/s", "it's \"quoted\"", "a b", "**",
    "http:/x.org/s", "year=2026/size=micro/s", "x.csv.gz", "'; drop table subjects; --", "名单（一）",
    "\\x", "%s", "$HOME",
]  # fmt: skip


@pytest.mark.parametrize("kind", ["csv", "parquet", "CSV"])
@pytest.mark.parametrize("name", ODD_NAMES)
def test_the_file_named_is_the_file_read_whatever_its_name(
    market: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, kind: str
) -> None:
    pack = load_pack(market / "market.yaml")
    monkeypatch.chdir(tmp_path)
    path = Path(f"{name}.{kind}")
    for other in ("list1", "20261/s", "all1", "what", "a", "wh"):
        _put(Path(f"{other}.{kind}"), MISSED)
    _put(path, HIT)
    score_files(pack, AS_OF, path, None, Path("out.csv"))
    assert [row["subject_id"] for row in table(Path("out.csv"))] == [HIT]


def _put(path: Path, subject: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        with path.open("wb") as file:
            pq.write_table(pa.table({"subject_id": [subject], "size": ["large"]}), file)
    else:
        path.write_text(f"subject_id,size\n{subject},large\n", "utf-8")


def test_results_go_to_the_file_named_whatever_its_name(
    market: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("~").mkdir()
    for out in (Path("~/out[1].csv"), Path("*.csv")):
        score_files(
            load_pack(market / "market.yaml"), dt.date(2026, 7, 31), market / "subjects.csv", None, out
        )
        assert len(table(out)) == 3


def test_line_ends_and_encodings_are_those_of_ingest(tmp_path: Path, score: Callable[..., Result]) -> None:
    for name, content in {
        "twice.csv": f"subject_id,size\r\r\n{HIT},large\r\r\n".encode(),
        "mixed.csv": f"subject_id,size\n{HIT},large\r\n{MISSED},micro\r{BLANK},micro\n".encode(),
        "office.csv": f"信用代码,企业规模\n{HIT},大型\n".encode("gb18030"),
    }.items():
        result = score(written(tmp_path, name, content))
        assert result.exit_code == 0, result.stderr
        assert HIT in {row["subject_id"] for row in table(tmp_path / "out.csv")}


def test_tables_of_which_no_row_matched_are_named(
    market: Path, tmp_path: Path, score: Callable[..., Result]
) -> None:
    assert score(market / "subjects.csv", market / "records.csv").exit_code == 0
    named = {row["subject_id"]: row["unmatched"] for row in table(tmp_path / "out.csv")}
    assert named == {HIT: "", MISSED: "tax", BLANK: "tax"}  # MISSED is rated M, and no row says so


def test_numbers_that_are_one_key_are_one_key(tmp_path: Path, command: Command) -> None:
    pack = written(tmp_path, "bank.yaml", BANK)
    subjects = written(tmp_path, "s.csv", "applicant_id,income\n1,5\n01,6\n1.0,7\n2,8\n")
    line = ("--subjects", subjects, "--out", tmp_path / "out.csv")
    assert command("score", "--pack", pack, *ON, *line).exit_code == 0
    assert [row["subject_id"] for row in table(tmp_path / "out.csv")] == ["1", "2"]
    assert [row for row, _, _ in rejected(tmp_path)] == ["3", "4"]


def test_a_key_that_comes_again_is_said_under_its_header_with_the_row_of_the_first(
    market: Path, tmp_path: Path, score: Callable[..., Result]
) -> None:
    headers = "编号（必填）,信用代码,kind,status,severity,amount,occurred_on"
    lines = [f"P{number},{HIT},penalty,effective,general,1,2026-01-01" for number in (1, 2, 1, 1)]
    records = written(tmp_path, "r.csv", "\n".join([headers, *lines]))
    assert score(market / "subjects.csv", records).exit_code == 0
    rows = [tuple(row[name] for name in TWICE) for row in table(tmp_path / "out.rejected.csv")]
    said = "编号与第 2 行相同（每个编号一行） the same key as in row 2 (one row a key)"
    assert rows == [("4", "编号（必填）", "P1", said), ("5", "编号（必填）", "P1", said)]
    codes = pa.table({"统一社会信用代码": [HIT, MISSED, HIT]})
    pq.write_table(codes, tmp_path / "s.parquet")
    assert score(tmp_path / "s.parquet").exit_code == 0
    rows = [tuple(row[name] for name in TWICE) for row in table(tmp_path / "out.rejected.csv")]
    said = "编号与第 1 行相同（每个编号一行） the same key as in row 1 (one row a key)"
    assert rows == [("3", "统一社会信用代码", HIT, said)]


TWICE = ("row_no", "column_name", "value", "reason")


def test_a_key_that_comes_again_on_another_sheet_or_in_another_file_is_said_with_its_place(
    tmp_path: Path,
) -> None:
    book = openpyxl.Workbook()
    for name, header in (("1月", "信用代码"), ("2月", "社会信用代码")):
        sheet = book.create_sheet(name)
        for value in (header, HIT):
            sheet.append([value])
    book.save(tmp_path / "a.xlsx")
    other = written(tmp_path, "b.csv", f"统一社会信用代码\n{HIT}\n")
    with (
        duckdb.connect() as connection,
        files.opened_files(connection, load_vocabulary("enterprise"), [tmp_path / "a.xlsx", other], []),
    ):
        query = "select sheet, row_no, column_name, reason from rejected order by file, sheet"
        rows = connection.execute(query).fetchall()
    assert [row[:3] for row in rows] == [("2月", 2, "社会信用代码"), (None, 2, "统一社会信用代码")]
    assert ["编号与第 1月!2 行相同" in row[3] for row in rows] == [True, False]
    assert "编号与第 a.xlsx 1月!2 行相同" in rows[1][3]


@pytest.mark.parametrize("name", ["s.csv", "s.xlsx", "s.parquet"])
def test_a_file_of_other_subjects_is_not_graded_as_what_the_pack_grades(tmp_path: Path, name: str) -> None:
    hotels = {"统一社会信用代码": [HIT], "商户名称": ["某酒店"], "商户类型": ["酒店"], "床位数": ["120"]}
    path = tmp_path / name
    if path.suffix == ".parquet":
        pq.write_table(pa.table(hotels), path)
    elif path.suffix == ".xlsx":
        book = openpyxl.Workbook()
        for row in (list(hotels), [cells[0] for cells in hotels.values()]):
            book.active.append(row)
        book.save(path)
    else:
        written(
            tmp_path, name, "\n".join(",".join(row) for row in (hotels, *zip(*hotels.values(), strict=True)))
        )
    day = dt.date(2026, 7, 31)
    with pytest.raises(files.FileError, match=f"{name}: .*does not read like enterprise, but like tourism"):
        score_files(find_pack("enterprise-credit", day), day, path, None, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()
    assert score_files(find_pack("tourism-credit", day), day, path, None, tmp_path / "out.csv").subjects == 1


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
    assert "has no records\n    right: 请去掉记录文件 leave out the records: --records" in result.stderr


def test_orphans_and_unknown_columns_are_told(
    market: Path, tmp_path: Path, score: Callable[..., Result]
) -> None:
    head = "record_id,subject_id,kind,status,occurred_on,amuont\n"
    records = written(tmp_path, "r.csv", f"{head}P1,{code(1)},tax_arrears,effective,2026-03-01,1\n")
    result = score(market / "subjects.csv", records)
    assert result.exit_code == 0
    assert "1 record of unknown subjects, counted for nobody" in result.stderr
    assert f"in doubt: {records}: amuont" in result.stderr


def test_rows_are_numbered_as_they_stand_in_a_large_file(
    tmp_path: Path, market: Path, score: Callable[..., Result]
) -> None:
    rows = [f"{code(n)},micro" for n in range(60_000)]
    rows[34_567] = f"{code(34_567)},minute"
    subjects = written(tmp_path, "s.csv", "subject_id,size\n" + "\n".join(rows) + "\n")
    assert score(subjects).exit_code == 0
    assert rejected(tmp_path) == [("34569", "size", "not among the listed values")]
    parquet = to_parquet(subjects, tmp_path / "s.parquet")
    assert score(parquet).exit_code == 0
    assert rejected(tmp_path) == [("34568", "size", "not among the listed values")]


# Files that can't be scored


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("s.csv", "", "the file is empty"),
        ("s.csv", "name,size\n甲,large\n", "needs the column subject_id"),
        ("s.csv", "name,size\n甲,large\n", "name→企业名称、size→"),
        ("s.csv", "subject_id,size,size\nX,a,b\n", "size and size both mean size"),
        ("s.parquet", "subject_id\nX\n", "this is no Parquet file, or a damaged one"),
        ("s.csv", b"PAR1 and no more", "this is no Parquet file, or a damaged one"),
        ("s.xlsx", b"PK\x03\x04 and no more", "not an XLSX workbook"),
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
    assert "the column name holds varchar[]\n    right: 每格一个值 plain values are needed" in result.stderr


def test_missing_files_and_folders_are_told_apart(tmp_path: Path, score: Callable[..., Result]) -> None:
    assert "no such file" in score(tmp_path / "none.csv").stderr
    (tmp_path / "folder.csv").mkdir()
    assert "a directory, not a file" in score(tmp_path / "folder.csv").stderr


def test_results_never_overwrite_what_they_are_made_from(
    market: Path, tmp_path: Path, score: Callable[..., Result]
) -> None:
    subjects = written(tmp_path, "s.csv", SUBJECTS)
    records = written(tmp_path, "x.hits.csv", (market / "records.csv").read_bytes())
    for result in (score(subjects, out="s.csv"), score(subjects, records, out="x.csv")):
        assert result.exit_code == 1
        assert (
            "would overwrite what they are made from\n    right: 请另行指定结果的位置 name another place"
            in result.stderr
        )
    assert subjects.read_text("utf-8") == SUBJECTS


@pytest.mark.parametrize(
    ("out", "words"),
    [
        ("out.xlsx", "a name that ends with .csv or .parquet"),
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
    numbers = pa.table({"n": range(100_000), "code": [code(n) for n in range(100_000)]})
    duck.register("numbers", numbers)
    duck.execute(
        f"copy (select code as subject_id, 'large' as size from numbers)"
        f" to '{folder / 's.parquet'}' (format parquet)"
    )
    duck.execute(
        f"copy (select 'R' || range as record_id, code as subject_id, 'penalty' as kind,"
        f" 'general' as severity, 'effective' as status, date '2026-03-01' as occurred_on"
        f" from range(300000) join numbers on n = range % 100000)"
        f" to '{folder / 'r.parquet'}' (format parquet)"
    )
    return folder / "s.parquet", folder / "r.parquet"


def line(market: Path, files: tuple[Path, ...], out: Path) -> list[str]:
    given = zip(("--subjects", "--records"), files, strict=False)
    words = ("score", "--pack", market / "market.yaml", *ON, *chain(*given), "--out", out)
    return [str(PROGRAM), *map(str, words)]


HELD = """
import signal, sys, time
import scoring.runs.files
from scoring.cli import main

def grade(*given, **named):
    print("graded", file=sys.stderr, flush=True)
    for _ in range(60_000):
        time.sleep(0.01)

signal.signal(signal.SIGINT, signal.default_int_handler)
scoring.runs.files.grade = grade
main(prog_name="xinheng")
"""
"""The command, held before it writes until a signal comes.

A signal that came just before ``signal.pause()`` would be waited for without end, and what a shell starts
in the background ignores SIGINT.
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_stopped_leaves_no_results(
    market: Path, crowd: tuple[Path, Path], tmp_path: Path, number: signal.Signals
) -> None:
    spill, out = tmp_path / "spill", tmp_path / "out"
    spill.mkdir()
    out.mkdir()
    env = os.environ | {"XINHENG_TEMP_DIRECTORY": str(spill)}
    running = Warm(HELD, *line(market, crowd, out / "scores.csv")[1:], env=env)
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


def test_of_two_runs_into_one_file_at_once_neither_spoils_the_other(
    market: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second runs as a whole after the first wrote all of its files, and before it puts them in place."""
    out, given = tmp_path / "scores.parquet", (market / "subjects.csv", market / "records.csv")
    pack, real, others = load_pack(market / "market.yaml"), files.copy_to, []

    def copy_to(*words: Any) -> None:
        real(*words)
        if "measures" in words[2].name:
            done = subprocess.run(line(market, given[:1], out), capture_output=True, check=False)
            others.append((done.returncode, pq.read_table(out).num_rows))

    monkeypatch.setattr(files, "copy_to", copy_to)
    found = score_files(pack, AS_OF, *given, out)
    assert others == [(0, found.subjects)]
    beside = ("hits", "dimensions", "measures")
    assert found.written == (out, *(tmp_path / f"scores.{name}.parquet" for name in beside))
    assert sorted(tmp_path.iterdir()) == sorted(found.written)
    assert pq.read_table(found.written[1]).num_rows == found.hits


KILLED = """
import os, signal, sys
import scoring.runs.files as files
from scoring.cli import main

left, places = int(sys.argv.pop(1)), files._put_in_place

def put_in_place(*given):
    def or_die(act):
        def done(*words, **named):
            global left
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)
            return act(*words, **named)
        return done

    os.unlink, os.replace = or_die(os.unlink), or_die(os.replace)
    places(*given)

files._put_in_place = put_in_place
main(prog_name="xinheng")
"""
"""The command, killed just before it changes the folder for the nth time."""


def test_a_run_that_is_killed_as_it_puts_files_in_place_never_mixes_them_with_those_of_before(
    market: Path, tmp_path: Path
) -> None:
    out, given = tmp_path / "out" / "scores.csv", (market / "subjects.csv", market / "records.csv")
    out.parent.mkdir()

    def kept() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in out.parent.iterdir() if path.is_file()}

    def ran(words: list[str]) -> dict[str, bytes]:
        subprocess.run(words, capture_output=True, check=True)
        return kept()

    old, nth, code = ran(line(market, given[:1], out)), 0, -signal.SIGKILL
    new = ran(line(market, given, out))
    while code == -signal.SIGKILL:
        assert ran(line(market, given[:1], out)) == old
        nth += 1
        running = Warm(KILLED, str(nth), *line(market, given, out)[1:])
        running.communicate()
        code, found = running.returncode, kept()
        assert found.items() <= old.items() or found.items() <= new.items(), (nth, sorted(found))
        assert "scores.csv" not in found or found in (old, new), (nth, sorted(found))
    assert (code, nth > len(new), kept()) == (0, True, new)


def test_a_full_disk_keeps_the_results_of_before(
    market: Path, crowd: tuple[Path, Path], tmp_path: Path
) -> None:
    out = written(tmp_path, "scores.csv", "the results of before\n")

    def at_most_a_little() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    done = subprocess.run(
        line(market, crowd[:1], out),
        capture_output=True,
        text=True,
        preexec_fn=at_most_a_little,
        env=os.environ | KEEP_NO_BYTECODE,
        check=False,
    )
    assert done.returncode == 1
    assert f"Error: {out}: 无法写入:文件超出大小限制 can't be written: File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert out.read_text() == "the results of before\n"
    assert list(tmp_path.iterdir()) == [out]


def test_sheets_that_are_not_read_are_named(score: Callable[..., Result], tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for number, line in enumerate(SUBJECTS.splitlines()):
        book.worksheets[0].append(line.split(","))
        if number == 0:
            old = book.create_sheet("旧")
            old.append(line.split(","))
            old.sheet_state = "hidden"
    book.create_sheet("说明").append(["填表说明"])
    book.save(tmp_path / "s.xlsx")
    answer = score(tmp_path / "s.xlsx")
    assert answer.exit_code == 0
    assert "sheets and columns that are ignored or in doubt: " in answer.output
    assert "s.xlsx: 旧 隐藏,未读 hidden, not read" in answer.output
    assert "s.xlsx: 说明 不是数据表,未读 not a table, not read" in answer.output


def test_a_workbook_without_a_table_is_refused_in_whole_lines(
    score: Callable[..., Result], tmp_path: Path
) -> None:
    book = openpyxl.Workbook()
    book.worksheets[0].append(["填表说明"])
    book.create_sheet("空")
    book.save(tmp_path / "s.xlsx")
    answer = score(tmp_path / "s.xlsx")
    assert answer.exit_code == 1
    assert "no sheet is a table: " in answer.output
    assert "U+000A" not in answer.output
