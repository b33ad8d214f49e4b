"""Files that people open in a spreadsheet run nothing."""

from __future__ import annotations

import csv
import datetime as dt
import io
from pathlib import Path

import duckdb
import openpyxl
import pyarrow as pa
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.worksheet.worksheet import Worksheet

from api.http.export import encoded
from rules.model import Title
from scoring.characters.formulas import inert, inert_sql
from scoring.characters.listings import Field, Listing, write_workbook
from scoring.characters.spreadsheets import append_row, inert_column
from scoring.cli import main
from scoring.cli.output import print_rows
from scoring.facts.ingest.decoration import undecorated, unescaped

FORMULAS = [
    "=1+1",
    "+1+1",
    "-2+3",
    "@SUM(1)",
    " =1",
    "　=1",
    "\t1",
    "\r=1",
    "-1\n=2",
    "＝1+1",
    "－A1",
    "+cmd|'x'!A0",
]
TEXTS = ["", "甲", "-5", "+3.50", "-", "1=1", "a@b.cn", "'=1"]

PACK = """\
pack: t
version: "1"
title: {zh: 试, en: T}
subject:
  vocabulary: firm
  title: {zh: 企, en: Firm}
  subject:
    key: id
    columns:
      id: {type: text, title: {zh: 号, en: Id}}
      x: {type: decimal, title: {zh: x, en: X}}
in_force: {from: 2000-01-01}
score: {start: 0, min: -100, max: 100}
dimensions: [{id: a, title: {zh: 甲, en: A}}]
rules:
  - {id: r1, title: {zh: 一, en: one}, dimension: a, when: x > 10, points: 5, basis: own-choice}
grades: [{tier: A, title: {zh: 甲, en: A}, from: 0}, {tier: B, title: {zh: 乙, en: B}, from: -100}]
"""


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_gets_an_apostrophe(text: str) -> None:
    assert inert(text) == f"'{text}"


@pytest.mark.parametrize("text", TEXTS)
def test_any_other_text_stays(text: str) -> None:
    assert inert(text) == text


@given(st.text("=+-@'`\t 1A\"甲‘’", max_size=8))
def test_what_was_guarded_is_read_as_itself(text: str) -> None:
    kept = undecorated(text).strip()
    assert undecorated(inert(kept)).strip() == undecorated(kept).strip()


def test_arrow_and_sql_guard_as_python_does() -> None:
    texts = [*FORMULAS, *TEXTS, None]
    right = [text if text is None else inert(text) for text in texts]
    assert inert_column(pa.array(texts)).to_pylist() == right
    query = f"select {inert_sql('t')} from (select unnest(?) as t)"
    assert [row[0] for row in duckdb.execute(query, [texts]).fetchall()] == right


def test_an_export_as_csv_runs_nothing_and_keeps_its_numbers() -> None:
    batch = pa.RecordBatch.from_pylist([{"subject_id": "=1+1", "score": -500}])
    (row,) = csv.DictReader(io.StringIO(b"".join(encoded(iter([batch]), batch.schema, "csv")).decode()))
    assert row == {"subject_id": "'=1+1", "score": "-500"}


def test_a_listing_as_csv_runs_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([{"a": "=1+1", "b": -5, "c": ["@x", "y"]}], ["a", "b", "c"], "csv")
    assert capsys.readouterr().out == "a,b,c\n'=1+1,-5,'@x、y\n"


def test_a_row_of_a_workbook_holds_texts_not_formulas(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    assert isinstance(book.active, Worksheet)
    append_row(book.active, ["=1+1", -5])
    book.save(tmp_path / "a.xlsx")
    (cells,) = openpyxl.load_workbook(tmp_path / "a.xlsx").active.iter_rows()  # type: ignore[union-attr]
    assert [(cell.value, cell.data_type) for cell in cells] == [("=1+1", "s"), (-5, "n")]


def test_a_listing_opens_as_a_workbook_whatever_its_texts_hold() -> None:
    """A ticket's title comes from an enterprise: it may not keep the office from its whole list."""
    texts = ["=1+1", "#N/A", "0012", "  a ", "a\uffffb", "a\ufffeb", "a\ud800b", "a\0b", "_x003D_1"]
    days = [dt.date(1, 1, 1), dt.date(1899, 12, 31), dt.date(1900, 1, 1), dt.date(9999, 12, 31)]
    fields = {"text": Field(Title("名", "Name")), "day": Field(Title("日", "Day"), "date")}
    rows = [{"text": text} for text in [*texts, "😀" * 20_000, "甲" * 40_000]] + [
        {"day": day} for day in days
    ]
    file = io.BytesIO()
    write_workbook(Listing(Title("表", "List"), (), fields, rows), file)
    cells = [[cell.value for cell in row] for row in openpyxl.load_workbook(file).worksheets[0]][3:]
    *shown, smile, long = (unescaped(text) for text, _ in cells[: -len(days)])
    plain = [
        "=1+1",
        "#N/A",
        "0012",
        "  a ",
        "a⟨U+FFFF⟩b",
        "a⟨U+FFFE⟩b",
        "a⟨U+D800⟩b",
        "a⟨U+0000⟩b",
        "_x003D_1",
    ]
    assert shown == plain
    assert smile == "😀" * 16_383 + "…"
    assert long == "甲" * 32_766 + "…"
    first, last = dt.datetime(1900, 1, 1), dt.datetime(9999, 12, 31)  # noqa: DTZ001  # as a spreadsheet has it
    assert [day for _, day in cells[-len(days) :]] == ["0001-01-01", "1899-12-31", first, last]


def test_every_csv_of_a_run_from_file_to_file_runs_nothing(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(PACK, encoding="utf-8")
    (tmp_path / "s.csv").write_text("id,x\n'=A1,11\n2,'=1+1\n3,'@SUM(1)\n4,-2+3\n", encoding="utf-8")
    arguments = [
        "score",
        "--pack",
        "p.yaml",
        "--as-of",
        "2026-06-01",
        "--subjects",
        "s.csv",
        "--out",
        "o.csv",
    ]
    paths = [str(tmp_path / word) if "." in word else word for word in arguments]
    result = CliRunner().invoke(main, paths)
    assert result.exit_code == 0, result.output
    values = [
        value
        for path in tmp_path.glob("o*.csv")
        for row in csv.reader(path.read_text(encoding="utf-8").splitlines())
        for value in row
    ]
    assert {"'=1+1", "'@SUM(1)", "'-2+3", "'=A1"} <= set(values)
    assert [value for value in values if inert(value) != value] == []
