"""Days that stand for "no date" in what systems write: none is ever taken for a date."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook
from openpyxl.cell import Cell as SheetCell

from rules.library.loader import load_vocabulary
from scoring.facts.entries import FileInfo
from scoring.facts.ingest.checks import row_check
from scoring.facts.records import submit_records
from scoring.runs.files import open_files
from scoring.store import Store
from scoring.store.models import SubjectVersion
from scoring.store.workspace import workspace

from .conftest import CODES, Ingest, current, quarantined, write_text

HEAD = "record_id,subject_id,kind,severity,status,level,occurred_on,ends_on"
TODAY = dt.date(2026, 11, 26)
NO_DAYS = [
    "0000-00-00", "0000-00-00 00:00:00", "0000/0/0", "00000000", "0", "0001-01-01", "0001/1/1 0:00:00",
    "1753-01-01", "1899-12-30", "1899/12/31", "1900-01-00", "1900年1月0日", "1900-01-01", "19000101",
    "1904-01-01", "1970-01-01", "1970-01-01 08:00:00", "１９７０－０１－０１",
]  # fmt: skip
OUT_OF_BOUNDS = ["1949-12-31", "1926-03-05", "0026-03-05", "2100-01-01", "2921-03-05", "9998-12-31"]


def penalty(occurred_on: str = "2026-03-05", ends_on: str = "", number: str = "R1") -> str:
    return f"{number},{CODES[0]},penalty,general,effective,fine,{occurred_on},{ends_on}"


@pytest.mark.parametrize("written", NO_DAYS)
@pytest.mark.parametrize("column", ["occurred_on", "ends_on"])
def test_a_day_by_which_systems_say_no_date_is_refused_by_name(
    take: Ingest, sqlite: Store, tmp_path: Path, column: str, written: str
) -> None:
    report = take(write_text(tmp_path / "a.csv", [HEAD, penalty(**{column: written})]), "enterprise")
    assert (report.new, report.rejected, current(sqlite)) == (0, 1, [])
    ((row, where, value, reason),) = quarantined(sqlite)
    assert (row, where, value) == (2, column, written)
    assert "“没有日期”" in reason
    assert "for no date" in reason
    assert "留空" in reason or column == "occurred_on"


@pytest.mark.parametrize("written", OUT_OF_BOUNDS)
def test_a_day_that_nobody_believes_is_refused_with_what_would_be_right(
    take: Ingest, sqlite: Store, tmp_path: Path, written: str
) -> None:
    report = take(write_text(tmp_path / "a.csv", [HEAD, penalty(ends_on=written)]), "enterprise")
    assert (report.new, report.rejected) == (0, 1)
    ((row, where, value, reason), *_) = quarantined(sqlite)
    assert (row, where, value) == (2, "ends_on", written)
    assert "应在1950-01-01至2099-12-31之间,或为9999-12-31;没有日期请留空" in reason
    assert "leave the cell empty if there is no date" in reason


@pytest.mark.parametrize("written", ["1950-01-01", "1970-01-02", "1969-12-31"])
def test_a_day_beside_them_is_a_date(take: Ingest, sqlite: Store, tmp_path: Path, written: str) -> None:
    assert take(write_text(tmp_path / "a.csv", [HEAD, penalty(written)]), "enterprise").new == 1
    assert current(sqlite)[0]["occurred_on"] == written


@pytest.mark.parametrize("written", ["2099-12-31", "9999/12/31", "2099年12月31日", "长期"])
def test_an_end_that_is_open_is_taken_as_before(take: Ingest, tmp_path: Path, written: str) -> None:
    """2099-12-31 stands for it in the official forms, 9999-12-31 in others."""
    assert take(write_text(tmp_path / "a.csv", [HEAD, penalty(ends_on=written)]), "enterprise").new == 1


def test_what_an_old_firm_says_of_its_beginning_is_believed(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    days = ["1903-08-15", "1949-10-01", "1970-01-01"]
    lines = [f"{code},{day}" for code, day in zip(CODES, days, strict=True)]
    report = take(write_text(tmp_path / "a.csv", ["信用代码,成立日期", *lines]), "enterprise")
    assert (report.new, report.rejected) == (2, 1)
    assert [row["established_on"] for row in current(sqlite, SubjectVersion)] == days[:2]


def dated(cell: SheetCell, serial: float) -> None:
    cell.value, cell.number_format = serial, "yyyy/m/d"


@pytest.mark.parametrize("serial", [0, 1, 25_569, -1, 2, 2_958_465])
def test_a_workbooks_cell_of_such_a_day_is_refused(
    take: Ingest, sqlite: Store, tmp_path: Path, serial: int
) -> None:
    book = Workbook()
    sheet = book.create_sheet("一月", 0)
    sheet.append(HEAD.split(","))
    sheet.append(penalty().split(","))
    dated(sheet["G2"], serial)
    book.save(tmp_path / "a.xlsx")
    report = take(tmp_path / "a.xlsx", "enterprise")
    assert (report.new, report.rejected) == (0, 1)
    assert {row[:2] for row in quarantined(sqlite)} == {(2, "occurred_on")}


@pytest.mark.parametrize("value", ["1970-01-01", "0000-00-00", "1900-01-01", 0, 1, "1949-12-31"])
def test_the_api_holds_the_same_line(sqlite: Store, value: str | int) -> None:
    row = dict(zip(HEAD.split(","), penalty().split(","), strict=True))
    words = load_vocabulary("enterprise")
    done = submit_records(sqlite, words, [row | {"ends_on": value}], FileInfo("1" * 64, "api"))
    assert (done.new, done.rejected) == (0, 1)
    assert {problem.column for problem in done.faults} == {"ends_on"}


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_from_file_to_file_none_is_graded_either(tmp_path: Path, kind: str) -> None:
    days = [dt.date(1970, 1, 1), dt.date(1, 1, 1), dt.date(1900, 1, 1), dt.date(2026, 3, 5)]
    lines = [penalty(day.isoformat(), number=f"R{n}") for n, day in enumerate(days)]
    records = write_text(tmp_path / "r.csv", [HEAD, *lines])
    if kind == "parquet":
        columns = dict(
            zip(HEAD.split(","), zip(*(line.split(",") for line in lines), strict=True), strict=True)
        )
        texts = {name: pa.array(some) for name, some in columns.items()}
        records = tmp_path / "r.parquet"
        pq.write_table(pa.table(texts | {"occurred_on": pa.array(days), "ends_on": pa.nulls(4)}), records)
    write_text(tmp_path / "s.csv", ["subject_id", CODES[0]])
    with workspace() as duck:
        open_files(duck, load_vocabulary("enterprise"), tmp_path / "s.csv", records)
        assert duck.execute("select record_id from records").fetchall() == [("R3",)]
        said = duck.execute("select column_name, reason from rejected").fetchall()
    assert [column for column, _ in said] == ["occurred_on"] * 3
    assert all("for no date" in reason for _, reason in said)


def test_of_such_a_day_one_thing_is_said() -> None:
    """Neither that an end of 1900 is before its beginning, nor that 9999 has not come."""
    records = load_vocabulary("enterprise").records
    assert records is not None
    row = {"kind": "public_service", "status": "effective", "occurred_on": "2026-03-05"}
    check = row_check(records, TODAY)
    assert [f.column for f in check(row | {"ends_on": "1900-01-01"})] == ["ends_on"]
    assert [f.column for f in check(row | {"occurred_on": "9999-12-31", "ends_on": "2026-03-05"})] == [
        "occurred_on"
    ]


def test_a_record_that_is_known_with_such_a_day_takes_what_else_is_news(
    take: Ingest, sqlite: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from scoring.facts.ingest import checks

    monkeypatch.setattr(checks, "FILLERS", frozenset())  # as a store of an earlier version has it
    monkeypatch.setattr(checks, "EARLIEST", dt.date.min)
    take(write_text(tmp_path / "a.csv", [HEAD, penalty("1970-01-01")]), "enterprise")
    monkeypatch.undo()
    short = write_text(tmp_path / "b.csv", ["record_id,subject_id,status", f"R1,{CODES[0]},revoked"])
    assert take(short, "enterprise").changed == 1
    assert (current(sqlite)[0]["status"], current(sqlite)[0]["occurred_on"]) == ("revoked", "1970-01-01")


def test_a_vocabulary_says_which_days_can_be() -> None:
    records = load_vocabulary("enterprise").records
    assert records is not None
    column = records.columns["ends_on"]
    possible = replace(
        column.possible, earliest=dt.date(1800, 1, 1), latest=dt.date(1999, 1, 1), also=(dt.date(1970, 1, 1),)
    )
    table = replace(
        records, columns={**records.columns, "ends_on": replace(column, possible=possible)}, needs=()
    )
    check = row_check(table, TODAY)
    found = {
        day: not check({"ends_on": day})
        for day in ("1799-12-31", "1800-01-01", "1970-01-01", "1900-01-01", "1999-01-01", "1999-01-02")
    }
    assert [day for day, is_fine in found.items() if is_fine] == ["1800-01-01", "1970-01-01", "1999-01-01"]
