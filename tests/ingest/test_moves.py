"""A file by which another body than before has a record is taken, and says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rules.library.loader import load_vocabulary
from scoring.facts.entries import FileInfo
from scoring.facts.ingest.files import FileReport, Reading, ingest_file
from scoring.facts.noted import noted_rows
from scoring.facts.records import submit_records
from scoring.facts.versions import Moved
from scoring.store import Store

from .conftest import CODES, write_text

HEAD = "编号,信用代码,类别,状态,日期,认定机关"
ROW = f"{CODES[0]},行政许可,有效,2026-03-05"


def take(store: Store, folder: Path, *offices: str, **how: Any) -> FileReport:
    """Takes a file of a record of each office."""
    lines = [HEAD, *(f"R{number},{ROW},{office}" for number, office in enumerate(offices))]
    return ingest_file(
        store, write_text(folder / "a.csv", lines), "enterprise", Reading(quarantine=folder / "q", **how)
    )


@pytest.fixture
def known(store: Store, tmp_path: Path) -> Store:
    """A store with a body of two names, and three records: two of it, and one of nobody."""
    bodies = write_text(tmp_path / "b.csv", ["单位编码,单位名称,其他名称", "DW301,甲局,区甲局"])
    ingest_file(store, bodies, "department", Reading(dataset="subject"))
    assert take(store, tmp_path, "甲局", "区甲局", "").moved == ()
    return store


@pytest.mark.parametrize("is_check", [True, False])
def test_a_record_that_another_office_takes_over_is_told(
    known: Store, tmp_path: Path, is_check: bool
) -> None:
    report = take(known, tmp_path, "乙局", "乙局", "乙局", check=is_check)
    assert (report.changed, report.rejected, report.warned) == (3, 0, 2)
    assert set(report.moved) == {Moved("甲局", "乙局", 1), Moved("区甲局", "乙局", 1)}
    if is_check:
        told = report.noted
    else:
        with known.reading() as session:
            told = tuple(noted_rows(session, report.file_id or 0))
    assert [(note.row_no, note.column, note.value, note.level) for note in told] == [
        (2, "认定机关", "乙局", "warning"),
        (3, "认定机关", "乙局", "warning"),
    ]
    assert told[0].reason.startswith("记录原属甲局,改属乙局")
    assert told[0].reason.endswith("the record was 甲局's, and is 乙局's now")


@pytest.mark.parametrize("office", ["区甲局", "甲 局", "DW301", ""])
def test_another_name_of_the_same_body_is_no_news(known: Store, tmp_path: Path, office: str) -> None:
    report = take(known, tmp_path, office)
    assert (report.rejected, report.warned, report.moved) == (0, 0, ())


def test_a_record_that_becomes_nobodys_is_told(known: Store, tmp_path: Path) -> None:
    report = take(known, tmp_path, "", replace=True)
    assert (report.changed, report.warned, report.moved) == (1, 1, (Moved("甲局", None, 1),))


def test_a_record_that_is_posted_says_so_too(known: Store) -> None:
    info = FileInfo("0", "posted", "api")
    row = {"record_id": "R0", "subject_id": CODES[0], "authority": "乙局"}
    done = submit_records(known, load_vocabulary("enterprise"), [row], info)
    assert done.changed == 1
    assert [(note.column, note.value) for note in done.warnings] == [("authority", "乙局")]


def test_what_a_subject_s_row_says_of_an_office_is_no_record(store: Store, tmp_path: Path) -> None:
    """An inspector may go from one office to another."""
    reading = Reading(dataset="subject", quarantine=tmp_path / "q")
    for office in ("甲局", "乙局"):
        path = write_text(tmp_path / "a.csv", ["执法证号,姓名,所属部门", f"ZF1,张某,{office}"])
        report = ingest_file(store, path, "inspector", reading)
        assert (report.rejected, report.warned, report.moved) == (0, 0, ())
