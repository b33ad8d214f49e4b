"""Rows that say too little for a new record, and enough for one that is known."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from rules.library.loader import load_vocabulary
from scoring.facts.entries import FileInfo
from scoring.facts.ingest.errors import IngestError
from scoring.facts.ingest.files import FileReport, Reading, ingest_file
from scoring.facts.records import Submission, submit_records
from scoring.store import Store

from .conftest import CODES, current, quarantined, write_text

FULL = ("编号,信用代码,类别,失信程度,状态,等级,日期", f"R1,{CODES[0]},行政处罚,一般,有效,罚款,2026-03-05")
SHORT = "编号,信用代码,状态"


def take(store: Store, folder: Path, *lines: str, **how: bool) -> FileReport:
    path = write_text(folder / "a.csv", lines)
    return ingest_file(store, path, "enterprise", Reading(quarantine=folder / "q", **how))  # type: ignore[arg-type]


def submit(store: Store, *rows: dict[str, object]) -> Submission:
    return submit_records(store, load_vocabulary("enterprise"), rows, FileInfo("1" * 64, "api"))


def test_a_short_list_of_known_records_is_taken(store: Store, tmp_path: Path) -> None:
    take(store, tmp_path, *FULL)
    (known,) = current(store)
    report = take(store, tmp_path, SHORT, f"R1,{CODES[0]},已撤销")
    assert (report.changed, report.rejected) == (1, 0)
    assert current(store) == [known | {"status": "revoked"}]


def test_of_a_short_list_only_the_new_records_are_quarantined(store: Store, tmp_path: Path) -> None:
    take(store, tmp_path, *FULL)
    report = take(store, tmp_path, SHORT, f"R2,{CODES[0]},有效", f"R1,{CODES[0]},已撤销")
    assert (report.new, report.changed, report.unchanged, report.rejected, report.rows) == (0, 1, 0, 1, 2)
    assert {(row, column) for row, column, _, _ in quarantined(store)} == {(2, "信息类别"), (2, "认定日期")}
    assert report.mend is not None
    assert [cell.value for cell in openpyxl.load_workbook(report.mend).worksheets[0]["A"]] == ["编号", "R2"]


def test_a_new_record_that_lacks_its_date_leaves_its_number_to_a_whole_row(
    store: Store, tmp_path: Path
) -> None:
    head, whole = FULL
    report = take(store, tmp_path, head, whole.replace("2026-03-05", ""), whole)
    assert (report.new, report.rejected) == (1, 1)
    assert [row[0] for row in quarantined(store)] == [2]


def test_a_short_list_of_records_that_nobody_knows_is_refused_by_its_headers(
    store: Store, tmp_path: Path
) -> None:
    with pytest.raises(IngestError, match="needs the column kind, occurred_on"):
        take(store, tmp_path, SHORT, f"R1,{CODES[0]},有效")


def test_a_short_row_is_judged_with_what_is_known(store: Store, tmp_path: Path) -> None:
    take(store, tmp_path, *FULL)
    known = current(store)
    report = take(store, tmp_path, "编号,信用代码,等级,截止日期", f"R1,{CODES[0]},A,2026-03-04")
    assert (report.changed, report.rejected, current(store)) == (0, 1, known)
    assert [(row, column, value) for row, column, value, _ in quarantined(store)] == [
        (2, "等级", "A"),
        (2, "截止日期", "2026-03-04"),
    ]


WRONG = CODES[0][:-1] + "X"


def test_of_a_short_row_with_a_mistyped_code_the_code_alone_is_asked(store: Store, tmp_path: Path) -> None:
    take(store, tmp_path, *FULL)
    report = take(store, tmp_path, SHORT, f"R1,{WRONG},已撤销", f"R2,{WRONG},有效")
    assert (report.changed, report.rejected) == (0, 2)
    said = [(row, column) for row, column, _, _ in quarantined(store)]
    assert said == [(2, "信用代码"), (3, "信用代码"), (3, "信息类别"), (3, "认定日期")]
    row = {"subject_id": WRONG, "status": "revoked"}
    done = submit(store, row | {"record_id": "R1"}, row | {"record_id": "R2"})
    assert [(fault.row_no, fault.column) for fault in done.faults] == [
        (1, "subject_id"),
        (2, "subject_id"),
        (2, "kind"),
        (2, "occurred_on"),
    ]


def test_clearing_what_a_record_needs_is_refused(store: Store, tmp_path: Path) -> None:
    take(store, tmp_path, *FULL)
    known = current(store)
    head, whole = FULL
    report = take(store, tmp_path, head, whole.replace("2026-03-05", ""), replace=True)
    assert (report.rejected, current(store)) == (1, known)
    assert "缺少认定日期" in quarantined(store)[0][3]


def test_the_api_takes_short_rows_of_known_records_alone(store: Store, tmp_path: Path) -> None:
    take(store, tmp_path, *FULL)
    (known,) = current(store)
    short = {"subject_id": CODES[0], "status": "revoked"}
    done = submit(store, short | {"record_id": "R1"}, short | {"record_id": "R2"})
    assert (done.new, done.changed, done.rejected) == (0, 1, 1)
    assert {(row.row_no, row.column) for row in done.faults} == {
        (2, "kind"),
        (2, "occurred_on"),
    }
    assert current(store) == [known | {"status": "revoked"}]


def test_the_api_refuses_to_clear_what_a_record_needs(store: Store, tmp_path: Path) -> None:
    take(store, tmp_path, *FULL)
    known = current(store)
    done = submit(store, {"record_id": "R1", "subject_id": CODES[0], "occurred_on": None})
    assert [(fault.column, fault.level) for fault in done.faults] == [("occurred_on", "error")]
    assert current(store) == known
