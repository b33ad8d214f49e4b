"""A number that is used again: a correction of its record, or another matter that a person must look at."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules.library.loader import load_vocabulary
from scoring.facts.entries import FileInfo
from scoring.facts.records import submit_records
from scoring.store import Store

from .conftest import CODES, Ingest, current, quarantined, write_text

FIRST = {
    "record_id": "7",
    "subject_id": CODES[0],
    "kind": "表彰奖励",
    "level": "区级",
    "status": "有效",
    "occurred_on": "2026-03-05",
    "authority": "甲局",
    "document_no": "甲〔2026〕7号",
}
CORRECTIONS: dict[str, dict[str, str]] = {
    "another day": {"occurred_on": "2026-03-15"},
    "another subject": {"subject_id": CODES[1]},
    "another kind": {"kind": "资质认定", "level": "高新技术企业"},
    "another document": {"document_no": "甲〔2026〕8号"},
    "another level, and day": {"level": "市级", "occurred_on": "2026-03-15"},
    "the day, and the document in other signs": {"occurred_on": "2026-03-15", "document_no": "甲 (2026) 7号"},
    "the day, and no document": {"occurred_on": "2026-03-15", "document_no": ""},
}
OTHERS: dict[str, dict[str, str]] = {
    "another subject, on another day": {"subject_id": CODES[1], "occurred_on": "2026-04-05"},
    "another subject and document": {"subject_id": CODES[1], "document_no": "甲〔2026〕8号"},
    "another kind, on another day": {"kind": "监督检查", "level": "合格", "occurred_on": "2026-04-05"},
    "another document, of another day": {"document_no": "甲〔2026〕8号", "occurred_on": "2026-04-05"},
    "everything": {"subject_id": CODES[1], "kind": "监督检查", "level": "合格", "occurred_on": "2026-04-05"},
}


def _file(path: Path, **changed: str) -> Path:
    row = FIRST | changed
    return write_text(path, [",".join(row), ",".join(row.values())])


@pytest.mark.parametrize("changed", CORRECTIONS.values(), ids=CORRECTIONS)
def test_a_correction_of_one_thing_supersedes_what_was_known(
    take: Ingest, tmp_path: Path, changed: dict[str, str]
) -> None:
    take(_file(tmp_path / "a.csv"), "enterprise")
    report = take(_file(tmp_path / "b.csv", **changed), "enterprise")
    assert (report.changed, report.rejected) == (1, 0)


@pytest.mark.parametrize("changed", OTHERS.values(), ids=OTHERS)
def test_a_number_that_its_authority_uses_again_overwrites_nothing(
    take: Ingest, sqlite: Store, tmp_path: Path, changed: dict[str, str]
) -> None:
    take(_file(tmp_path / "a.csv"), "enterprise")
    known = current(sqlite)
    report = take(_file(tmp_path / "b.csv", **changed), "enterprise")
    assert (report.changed, report.rejected, current(sqlite)) == (0, 1, known)
    ((row, column, value, reason),) = quarantined(sqlite)
    assert (row, column, value) == (2, "record_id", "7")
    assert "the number of another matter" in reason


@pytest.mark.parametrize("changed", OTHERS.values(), ids=OTHERS)
def test_nor_does_it_by_the_api(sqlite: Store, changed: dict[str, str]) -> None:
    words = load_vocabulary("enterprise")
    assert submit_records(sqlite, words, [FIRST], FileInfo("1" * 64, "request 1", "api")).new == 1
    row = {name: value or None for name, value in (FIRST | changed).items()}
    done = submit_records(sqlite, words, [row], FileInfo("2" * 64, "request 2", "api"))
    assert (done.changed, done.rejected, [fault.column for fault in done.faults]) == (0, 1, ["record_id"])


@pytest.mark.parametrize("by_api", [False, True], ids=["file", "request"])
@pytest.mark.parametrize(
    ("sender", "changed"),
    [("甲局", 1), ("云衡区甲局", 1), ("老甲局", 1), ("DW301", 1), ("乙局", 0), ("无此局", 0)],
)
def test_an_authority_corrects_the_subject_under_each_of_its_names_and_no_other_does(
    take: Ingest, sqlite: Store, tmp_path: Path, sender: str, changed: int, by_api: bool
) -> None:
    bodies = ["单位编码,单位名称,其他名称,曾用名", "DW301,甲局,云衡区甲局,老甲局", "DW302,乙局,,"]
    take(write_text(tmp_path / "bodies.csv", bodies), "department", dataset="subject")
    take(_file(tmp_path / "a.csv"), "enterprise")
    other = {"subject_id": CODES[1], "authority": sender}
    if by_api:
        words = load_vocabulary("enterprise")
        done = submit_records(sqlite, words, [FIRST | other], FileInfo("2" * 64, "request", "api"))
        assert (done.changed, done.rejected) == (changed, 1 - changed)
    else:
        report = take(_file(tmp_path / "b.csv", **other), "enterprise")
        assert (report.changed, report.rejected) == (changed, 1 - changed)


def test_two_matters_under_one_number_in_one_file_are_told_apart(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    rows = [FIRST, FIRST | OTHERS["everything"]]
    lines = [",".join(FIRST), *(",".join(row.values()) for row in rows)]
    report = take(write_text(tmp_path / "a.csv", lines), "enterprise")
    assert (report.new, report.rejected) == (1, 1)


def test_what_was_revoked_goes_on_under_another_number(take: Ingest, sqlite: Store, tmp_path: Path) -> None:
    take(_file(tmp_path / "a.csv"), "enterprise")
    take(_file(tmp_path / "b.csv", status="已撤销"), "enterprise")
    take(_file(tmp_path / "c.csv", **OTHERS["everything"], record_id="7-2"), "enterprise")
    assert [(row["record_id"], row["status"]) for row in current(sqlite)] == [
        ("7", "revoked"),
        ("7-2", "effective"),
    ]
