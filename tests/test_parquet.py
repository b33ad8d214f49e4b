"""Parquet is read column by column as it would be row by row: the same rows kept, the same said of others."""

from __future__ import annotations

import datetime as dt
import os
import tempfile
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.cn import uscc

from rules.library.loader import load_vocabulary
from rules.model import Column, Table
from scoring.facts.ingest.rows import EXAMPLE
from scoring.runs import parquet
from scoring.runs.file_error import FileError
from scoring.runs.files import open_files, opened_files
from scoring.store.workspace import workspace

VOCABULARY = load_vocabulary("enterprise")
assert VOCABULARY.records is not None
BODIES = [f"91500159MA00000{n:02}" for n in range(12)]
CODES = [body + uscc.calc_check_digit(body) for body in BODIES]
TODAY = dt.date(2026, 8, 31)

CODED = [
    *CODES,
    CODES[0].lower(),
    f" {CODES[1]}",
    BODIES[0] + "0",
    "0" * 18,
    "0" * 17 + "X",
    "9350123M0000000000",
]
NUMBERS = [
    *("0", "12", "-0", "-1", "-12.5", "007", "1.5", "1.00001", "12.5万", "1,000", "1e3", "+5", "1."),
    *(".5", "(3)", "99999999999999.9999", "123456789012345", "-99999999999999.9999", "9" * 18, "9" * 19),
]  # fmt: skip
WRITTEN_DAYS = [
    *("2026-03-05", "2026-03-04", "2026/3/5", "20260305", "2026-02-30", "1900-01-01", "9999-12-31"),
    *("1949-12-31", str(TODAY), str(TODAY + dt.timedelta(20)), "长期"),
]  # fmt: skip
PROSE = [
    *(None, "", " ", "无", "-", "示例 example", "云衡税务局", "云衡税务局 ", "Ａ１２３４５６", "=1+1"),
    *("'00012", "#REF!", "a/..", "a\x00b", "x" * 201, "重庆（集团）公司", "5E-10", "5E-100", "R-00001"),
    *("café", "cafe\u0301", "无无无无无", "-----", "a-b-c-d", "-a-b-c-d", "E-10000", "〔2026〕7号"),
]  # fmt: skip
WORDS = [
    *("penalty", "行政处罚", "tax_rating", "annual_report", "effective", "general", "fine", "A", "M"),
    *("false", "serious", "Penalty", "company", "公司", "true", "TRUE", "是", "1"),
]  # fmt: skip
TEXTS = [*PROSE, *CODED, *NUMBERS, *WRITTEN_DAYS, *WORDS]
DAYS = [
    None,
    *map(dt.date.fromisoformat, ("2026-03-05", "2026-03-04", "1900-01-01", "0001-01-01", "2099-12-31")),
]
DAYS += [TODAY, TODAY + dt.timedelta(20), TODAY + dt.timedelta(60)]
WHOLE = [None, 0, 1, -1, 12, 20260305, 46000, 10**14 - 1, 10**14, 10**18 - 1, 10**18]
EXACT = [None, *map(Decimal, ("0", "-0.01", "12.5", "99.99", "1234567.89"))]
FLOATS = [None, 0.0, -0.0, 0.1, 0.1 + 0.2, 1.5, 12345678901234.123, 1e20, float("nan"), float("inf"), 1e-7]
MOMENTS = [None, *map(dt.datetime.fromisoformat, ("2026-03-05", "2026-03-05T10:30", "2026-03-05T10:30:00.5"))]

CELLS: Mapping[pa.DataType, list[Any]] = {
    pa.string(): TEXTS,
    pa.date32(): DAYS,
    pa.int64(): WHOLE,
    pa.int16(): WHOLE[:5],
    pa.decimal128(18, 4): EXACT,
    pa.decimal128(11, 2): EXACT,
    pa.decimal128(38, 6): [*EXACT, Decimal("1.000001"), Decimal(10) ** 20],
    pa.decimal128(38, 4): [*EXACT, Decimal(10) ** 14, -(Decimal(10) ** 14), Decimal("-99999999999999.9999")],
    pa.decimal128(20, 0): [None, *map(Decimal, (0, -1, 12, 10**14, 10**18 - 1, 10**18, -(10**18)))],
    pa.uint64(): [None, 0, 12, 10**18 - 1, 10**18, 2**64 - 1],
    pa.float64(): FLOATS,
    pa.timestamp("us"): MOMENTS,
    pa.bool_(): [None, True, False],
}  # fmt: skip
FITTING = {"date": pa.date32(), "decimal": pa.decimal128(18, 4), "integer": pa.int64(), "boolean": pa.bool_()}
GOOD = {"subject_id": CODES[0], "kind": "penalty", "severity": "general", "status": "effective",
        "level": "fine", "occurred_on": dt.date(2026, 3, 5)}  # fmt: skip


@st.composite
def files(draw: st.DrawFn, table: Table) -> pa.Table:
    """Good rows but for the cells of a few columns, of any type; columns under any of their names."""
    count = draw(st.integers(1, 12))
    wild = draw(st.sets(st.sampled_from(list(table.columns)), min_size=1, max_size=3))
    columns, names = [], []
    for column in table.columns.values():
        if column.name in wild:
            columns.append(draw(_wild(column, count)))
        elif column.name == table.key:
            keys = CODES if column.format else [f"R-{n:05}" for n in range(count)]
            columns.append(pa.array(keys[:count]))
        elif column.name in GOOD:
            columns.append(pa.array([GOOD[column.name]] * count))
        else:
            continue
        units = [f"{column.title.zh}(万元)"] if column.declared == "decimal" else []
        names.append(draw(st.sampled_from([column.name, column.title.zh, *column.aliases[:1], *units])))
    if draw(st.booleans()):
        columns.append(pa.array(draw(st.lists(st.sampled_from(TEXTS), min_size=count, max_size=count))))
        names.append(draw(st.sampled_from(["file_row_number", "备注", "c0", "row"])))
    return pa.table(columns, names)


@st.composite
def _wild(draw: st.DrawFn, column: Column, count: int) -> pa.Array:
    fitting = FITTING.get(column.declared, pa.string())
    kind = draw(st.sampled_from([fitting, fitting, pa.string(), pa.string(), *CELLS]))
    cells = st.sampled_from(CELLS[kind])
    if kind == pa.string():
        headers = [EXAMPLE, column.name, column.title.zh]
        cells = st.one_of(st.sampled_from([*_fitting_texts(column), *headers]), cells)
    return pa.array(draw(st.lists(cells, min_size=count, max_size=count)), kind)


def _fitting_texts(column: Column) -> list[Any]:
    if column.format == "uscc":
        return CODED
    if column.values:
        return WORDS
    return {"decimal": NUMBERS, "integer": NUMBERS, "date": WRITTEN_DAYS}.get(column.declared, PROSE)


@pytest.fixture(scope="module")
def place() -> Iterator[duckdb.DuckDBPyConnection]:
    """Where files are read, each by a connection of its own: their tables are temporary."""
    with workspace() as duck:
        yield duck


def _read(place: duckdb.DuckDBPyConnection, path: Path, table: str) -> Any:
    with place.cursor() as duck:
        subjects, records = (path, None) if table == "subjects" else (_nobody(path), path)
        ignored = open_files(duck, VOCABULARY, subjects, records, TODAY)
        kept = duck.execute(f"from {table} order by all").fetchall()
        rejected = duck.execute("from rejected order by all").fetchall()
        return kept, rejected, ignored


def _nobody(path: Path) -> Path:
    path = path.with_name("nobody.csv")
    path.write_text("subject_id\n", "utf-8")
    return path


some = settings(max_examples=int(os.environ.get("XINHENG_EXAMPLES", "25")))
"""Each example reads a file twice."""


def _all_doubted(reading: Any, name: str) -> None:
    reading._doubt("true")


def _holds(place: duckdb.DuckDBPyConnection, rows: pa.Table, table: str) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        path = Path(folder, "rows.parquet")
        pq.write_table(rows, path, row_group_size=5)
        by_columns = _read(place, path, table)
        patch.setattr(parquet._Reading, "_read", _all_doubted)
        assert by_columns == _read(place, path, table)


@some
@given(rows=files(VOCABULARY.records))
def test_records_read_by_columns_are_those_read_by_rows(
    place: duckdb.DuckDBPyConnection, rows: pa.Table
) -> None:
    _holds(place, rows, "records")


@some
@given(rows=files(VOCABULARY.subject))
def test_subjects_read_by_columns_are_those_read_by_rows(
    place: duckdb.DuckDBPyConnection, rows: pa.Table
) -> None:
    _holds(place, rows, "subjects")


@pytest.mark.parametrize("amounts", [["2.5", "3"], [2.5, 3.0]], ids=["texts", "numbers"])
def test_amounts_in_ten_thousands_are_multiplied_as_in_every_other_file(
    place: duckdb.DuckDBPyConnection, tmp_path: Path, amounts: list[Any]
) -> None:
    cells = {"record_id": ["R-1", "R-2"]} | {name: [value] * 2 for name, value in GOOD.items()}
    pq.write_table(pa.table(cells | {"涉及金额(万元)": amounts}), tmp_path / "r.parquet")
    with place.cursor() as duck:
        open_files(duck, VOCABULARY, _nobody(tmp_path / "r.parquet"), tmp_path / "r.parquet", TODAY)
        kept = duck.execute("select amount from records order by record_id").fetchall()
    assert kept == [(25_000,), (30_000,)]


def test_a_file_that_is_changed_while_it_is_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "s.parquet"
    pq.write_table(pa.table({"subject_id": CODES}), path)

    def read() -> None:
        with workspace() as duck, opened_files(duck, VOCABULARY, [path], []):
            pq.write_table(pa.table({"subject_id": CODES * 1000}), path)
            duck.execute("from subjects").fetchall()

    with pytest.raises(FileError, match=r"s\.parquet: .* the file was changed while it was read"):
        read()


def test_a_header_that_comes_twice_is_refused_as_in_every_other_file(tmp_path: Path) -> None:
    path = tmp_path / "s.parquet"
    nested = pa.array([{"subject_id": 1}], pa.struct({"subject_id": pa.int64()}))
    columns = [pa.array([CODES[0]]), nested, pa.array([CODES[1]])]
    pq.write_table(pa.table(columns, ["subject_id", "remark", "subject_id"]), path)
    words = r"s\.parquet: .* subject_id and subject_id both mean subject_id"
    with (
        workspace() as duck,
        pytest.raises(FileError, match=words),
        opened_files(duck, VOCABULARY, [path], []),
    ):
        pass
