"""One meaning of a row: from a CSV and from Parquet, read in blocks or by itself, it is the same."""

from __future__ import annotations

import csv
import datetime as dt
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc

from rules.library.loader import load_vocabulary
from rules.model import Table
from scoring.facts.ingest import rows as reading
from scoring.facts.ingest.cells import Reading, converter
from scoring.facts.ingest.checks import row_check
from scoring.facts.ingest.errors import Fault
from scoring.facts.ingest.proposing import Proposer
from scoring.runs.files import open_files
from scoring.store.workspace import workspace

VOCABULARY = load_vocabulary("enterprise")
assert VOCABULARY.records is not None
RECORDS: Table = VOCABULARY.records
CODE = "91500159MA0" + "00001"
CODES = [f"{body}{uscc.calc_check_digit(body)}" for body in (f"{CODE}{n}" for n in range(3))]
DAY = dt.date(2026, 8, 31)
SOON, FAR = (str(DAY + dt.timedelta(days)) for days in (31, 32))

CELLS: Mapping[str, list[str]] = {
    "record_id": ["R00001", "R00002", "R00003", "Ｒ00003 ", "", "无", "2.02E-17", "5E-100",
                  "处罚〔2026〕7号", "a/.", "record_id"],
    "subject_id": [*CODES, CODES[0].lower(), f"{CODE}0X", "", "00000000000000000X", "subject_id"],
    "kind": ["penalty", "行政处罚", "tax_rating", "judgment_default", "public_service", "", "penalties"],
    "severity": ["general", "一般", "", "-", "dreadful"],
    "status": ["effective", "有效", ""],
    "level": ["fine", "A", "M 级", "", "passed"],
    "amount": ["", "0", "12.5万", "-1", "1.00001", "(3)", "１２"],
    "occurred_on": ["2026-03-05", "2026/3/5", "2026-02-30", "", SOON, FAR, "20260305"],
    "ends_on": ["", "2026-03-04", "2026-03-05", "长期", "9999-12-31"],
    "authority": ["", "云衡税务局", "=1+1", "'云衡税务局", "#REF!", " 云 "],
}  # fmt: skip
GOOD = {"record_id": "R00001", "subject_id": CODES[0], "kind": "penalty", "severity": "general",
        "status": "effective", "level": "fine", "occurred_on": "2026-03-05"}  # fmt: skip


@st.composite
def rows(draw: st.DrawFn) -> list[dict[str, str]]:
    """Rows that are good but for a few cells; now and then one that is drawn whole."""
    whole = st.fixed_dictionaries({name: st.sampled_from(cells) for name, cells in CELLS.items()})
    few = st.dictionaries(st.sampled_from(list(CELLS)), st.integers(0, 9), max_size=3)
    keys = st.sampled_from(CELLS["record_id"][:4])
    mended = st.builds(
        lambda key, cells: (
            GOOD | {"record_id": key} | {n: CELLS[n][i % len(CELLS[n])] for n, i in cells.items()}
        ),
        keys,
        few,
    )
    return draw(st.lists(st.one_of(mended, mended, mended, whole), max_size=12))


@pytest.fixture(scope="module")
def place() -> Iterator[duckdb.DuckDBPyConnection]:
    """Where files are read, each by a connection of its own: their tables are temporary."""
    with workspace() as duck:
        yield duck


def read(
    place: duckdb.DuckDBPyConnection,
    path: Path,
    name: str,
    given: list[dict[str, str]],
    columns: list[str],
) -> Any:
    """The rows that are kept, and what is said of the others, of a file of records."""
    file = path / f"r.{name}"
    if name == "csv":
        with file.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerows([columns, *([row.get(column, "") for column in columns] for row in given)])
    else:
        texts = {column: pa.array([row.get(column) for row in given], pa.string()) for column in columns}
        pq.write_table(pa.table(texts), file)
    (path / "s.csv").write_text("subject_id\n", "utf-8")
    with place.cursor() as duck:
        open_files(duck, VOCABULARY, path / "s.csv", file, DAY)
        return _kept(duck), _rejected(duck, 1 if name == "csv" else 0)


def _kept(duck: duckdb.DuckDBPyConnection) -> list[Any]:
    return duck.execute("from records order by record_id").fetchall()


def _rejected(duck: duckdb.DuckDBPyConnection, headers: int) -> list[Any]:
    query = "select row_no, column_name, coalesce(value, ''), reason from rejected order by all"
    found = duck.execute(query).fetchall()
    return [(row - headers, *more, _less(reason, headers)) for row, *more, reason in found]


def _less(reason: str, headers: int) -> str:
    """A reason in which the rows that it names are counted from the first below the headers."""
    return re.sub(r"(?:(?<=第 )|(?<=row ))[0-9]+", lambda number: str(int(number[0]) - headers), reason)


@given(
    given=rows(),
    without=st.sets(st.sampled_from(["severity", "level", "amount", "ends_on", "authority"]), max_size=2),
)
def test_a_row_is_the_same_from_csv_and_from_parquet(
    place: duckdb.DuckDBPyConnection, given: list[dict[str, str]], without: set[str]
) -> None:
    columns = [name for name in CELLS if name not in without]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        from_parquet, from_csv = (read(place, path, name, given, columns) for name in ("parquet", "csv"))
    assert from_parquet == from_csv


@given(given=rows(), at_once=st.sampled_from([1, 3, 250]))
def test_a_row_is_what_its_cells_are_whatever_stands_around_it(
    place: duckdb.DuckDBPyConnection, given: list[dict[str, str]], at_once: int
) -> None:
    """Beside each cell by itself and the check of the whole row: no block, and nothing kept."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "BLOCK_ROWS", at_once)
        patch.setattr(reading, "CACHED_CELLS", at_once)
        kept, rejected = read(place, Path(folder), "csv", given, list(CELLS))
    refused = {number for number, *_ in rejected}
    expected: dict[str, dict[str, str]] = {}
    for number, row in enumerate(given, start=1):
        values = alone(row)
        if values is None:
            assert number in refused or is_no_row(row)
        else:
            assert (number in refused) == (values[RECORDS.key] in expected)
            expected.setdefault(values[RECORDS.key], values)
    found = [
        {name: shown(value) for name, value in zip(RECORDS.columns, row, strict=True) if value is not None}
        for row in kept
    ]
    assert found == sorted(expected.values(), key=lambda values: values[RECORDS.key])


def alone(row: Mapping[str, str]) -> dict[str, str] | None:
    """What a row says, read cell by cell; None where it can't be taken."""
    if is_no_row(row):
        return None
    required = (RECORDS.key, VOCABULARY.record_subject)
    values = {n: converter(Reading(RECORDS.columns[n], n in required))(row.get(n, "")) for n in CELLS}
    known = {name: value for name, value in values.items() if not isinstance(value, Fault)}
    filled = Proposer(VOCABULARY)(known).values
    known |= {name: value for name, value in filled.items() if name in known}
    found = row_check(RECORDS, DAY)(known)
    if len(known) < len(values) or any(not finding.odd for finding in found):
        return None
    return {name: str(value) for name, value in known.items() if value is not None}


def is_no_row(row: Mapping[str, str]) -> bool:
    return all(row.get(name, "").strip() == name for name in CELLS) or not any(map(str.strip, row.values()))


def shown(value: Any) -> str:
    return value.isoformat() if isinstance(value, dt.date) else str(value)


@given(
    st.text("09AE-.一龥〔〕/ _'=#n无", max_size=9)
    | st.text("5E-0", min_size=5, max_size=7)
    | st.text("-a", min_size=198)
)
def test_a_text_that_is_read_as_it_stands_is_what_the_long_way_gives(text: str) -> None:
    column = RECORDS.columns[RECORDS.key]
    mapped = {"no such word": None}  # with a mapping every text goes the long way
    for required in (True, False):
        short, long = (converter(Reading(column, required, replacements=r))(text) for r in ({}, mapped))
        assert short == long
