"""Rows that are all wrong in the same way cost what right ones do: each thing that they say is read once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from scoring.facts.ingest import rows
from scoring.facts.ingest.cells import Convert, Reading, converter
from scoring.facts.ingest.folding import Cell
from scoring.store import Store

from .conftest import CODES, Ingest, quarantined, write_text


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Counter[tuple[str, Cell]]:
    """How often each cell of each column is read; the real reader reads it."""
    counted: Counter[tuple[str, Cell]] = Counter()

    def counting(reading: Reading) -> Convert:
        convert: Callable[[Cell], object] = converter(reading)

        def one(cell: Cell) -> object:
            counted[reading.column.name, cell] += 1
            return convert(cell)

        return one  # type: ignore[return-value]  # what the real one gives

    monkeypatch.setattr(rows, "converter", counting)
    return counted


def test_what_bad_rows_say_alike_is_read_once_and_every_row_keeps_its_reason(
    take: Ingest, sqlite: Store, tmp_path: Path, read: Counter[tuple[str, Cell]]
) -> None:
    head = "记录编号,统一社会信用代码,类别,失信程度,状态,等级,决定日期,机关"
    wrong = f"{CODES[0]},行政处罚,一般,无此状态,罚款,2026-13-45,某局"
    path = write_text(tmp_path / "r.csv", [head, *(f"R{n},{wrong}" for n in range(600))])
    report = take(path)
    assert (report.new, report.rejected) == (0, 600)
    assert set(read.values()) == {1}
    found = quarantined(sqlite)
    assert len(found) == 1_200
    assert {(row, value) for row, _, value, _ in found} == {
        (row, value) for row in range(2, 602) for value in ("无此状态", "2026-13-45")
    }
    assert report.quarantine is not None
    assert len(report.quarantine.read_text("utf-8-sig").splitlines()) == 1_201
