"""One document whose number is typed in other brackets, or with spaces, is one document."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules.library.loader import load_vocabulary
from scoring.facts.entries import FileInfo
from scoring.facts.ingest.files import FileReport, Reading, ingest_file
from scoring.facts.records import submit_records
from scoring.store import Store

from .conftest import CODES, current, quarantined, write_text, write_workbook

FORM = "行政相对人代码_1(统一社会信用代码),行政处罚决定书文号,处罚类别,罚款金额（元）,处罚决定日期,处罚机关"
PLAIN = "编号,信用代码,文书号,类别,等级,金额,状态,失信程度,日期,机关"
SPELLINGS = ["某罚〔2026〕1号", "某罚[2026]1号", "某罚（2026）1号", "某罚【2026】 1号", "某罚 ［2026］1号"]


def row(headers: str, number: str, amount: str = "500") -> str:
    if headers == FORM:
        return f"{CODES[0]},{number},罚款,{amount},2026-03-05,某局"
    return f"R1,{CODES[0]},{number},行政处罚,罚款,{amount},有效,轻微,2026-03-05,某局"


def take(store: Store, path: Path, *lines: str) -> FileReport:
    if path.suffix == ".xlsx":
        write_workbook(path, [line.split(",") for line in lines])
    else:
        write_text(path, lines, "gb18030")
    return ingest_file(store, path, "enterprise", Reading(quarantine=path.parent / "q"))


@pytest.mark.parametrize("headers", [FORM, PLAIN], ids=["form", "plain"])
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_in_one_file_it_is_the_same_record_twice(
    store: Store, tmp_path: Path, headers: str, form: str
) -> None:
    rows = [row(headers, number) for number in SPELLINGS]
    report = take(store, tmp_path / f"a.{form}", headers, *rows)
    assert (report.new, report.unchanged, report.rejected, report.warned) == (1, 4, 0, 0)
    assert [record["document_no"] for record in current(store)] == [SPELLINGS[0]]


def test_only_a_row_that_says_something_else_is_refused(store: Store, tmp_path: Path) -> None:
    rows = [row(FORM, SPELLINGS[0]), row(FORM, SPELLINGS[1], "600"), row(FORM, SPELLINGS[2])]
    report = take(store, tmp_path / "a.csv", FORM, *rows)
    assert (report.new, report.unchanged, report.rejected) == (1, 1, 1)
    ((number, *_, reason),) = quarantined(store)
    assert number == 3
    assert reason.startswith("编号与第 2 行相同而内容不同（同一件只留正确的一行;另一件请另编号")
    assert "with other content (of one matter the right row alone" in reason


@pytest.mark.parametrize("headers", [FORM, PLAIN], ids=["form", "plain"])
def test_the_next_list_in_other_brackets_changes_nothing(store: Store, tmp_path: Path, headers: str) -> None:
    for number, spelling in enumerate(SPELLINGS):
        report = take(store, tmp_path / f"{number}.csv", headers, row(headers, spelling))
        assert (report.new, report.changed, report.unchanged) == ((1, 0, 0) if number == 0 else (0, 0, 1))
    changed = take(store, tmp_path / "z.csv", headers, row(headers, SPELLINGS[1], "700"))
    assert changed.changed == 1
    assert [name for name, changes in changed.columns.items() if changes.changed] == ["amount"]
    assert current(store)[0]["document_no"] == SPELLINGS[0]


def test_so_it_is_by_the_api(store: Store) -> None:
    said = {"record_id": "R1", "subject_id": CODES[0], "kind": "penalty", "severity": "minor"}
    said |= {"status": "effective", "occurred_on": "2026-03-05"}
    rows = [said | {"document_no": number} for number in SPELLINGS]
    done = submit_records(store, load_vocabulary("enterprise"), rows, FileInfo("1", "api", "api"))
    assert (done.new, done.unchanged, done.rejected) == (1, 4, 0)
