"""A total, or the foot of a page, is told once and for what it is: neither lost in silence nor a record."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from scoring.store import Store
from scoring.store.models import SubjectVersion

from .conftest import CODES, Ingest, current, quarantined, write_text

PLAIN = "序号,编号,企业名称,信用代码,类别,状态,日期,金额"
GOOD = f"1,R1,甲,{CODES[0]},行政许可,有效,2026-01-05,5"
FORM = (
    "序号,行政相对人名称,行政相对人代码_1(统一社会信用代码),行政处罚决定书文号,处罚类别,罚款金额（万元）"
    ",处罚决定日期,处罚机关"
)


@pytest.mark.parametrize(
    ("headers", "row", "header", "value"),
    [
        (FORM, "小计,,,,,1.5,,", "序号", "小计"),
        (FORM, "合计：3件,,,,,1.5,,", "序号", "合计"),
        (FORM, ",合　计,3户,,,1.5,,", "行政相对人名称", "合 计"),
        (FORM, "填表人：某某,,,,,,,2026-03-05", "序号", "填表人"),
        (FORM, "合计,1.5", "序号", "合计"),
        (FORM, f"小计,,{CODES[0]},,,1.5,,", "序号", "小计"),
        (PLAIN, "本页合计,,,,,,,5", "序号", "本页合计"),
        (PLAIN, "合计金额,,,,,,,5", "序号", "合计金额"),
        (PLAIN, ",合计,,,,,,5", "编号", "合计"),
        (PLAIN, "某局,,小计,,,,,5", "企业名称", "小计"),
    ],
)
def test_a_total_is_said_to_be_one_and_nothing_else_is_asked_of_it(
    take: Ingest, sqlite: Store, tmp_path: Path, headers: str, row: str, header: str, value: str
) -> None:
    report = take(write_text(tmp_path / "a.csv", [headers, row]), "enterprise")
    assert (report.new, report.rejected) == (0, 1)
    ((number, column, cell, reason),) = quarantined(sqlite)
    assert (number, column, cell) == (2, header, value)
    assert reason.startswith("合计行或页脚,不是一条数据（请删去该行）")
    assert report.mend is not None
    _, mend = openpyxl.load_workbook(report.mend).worksheets[0].iter_rows(values_only=True)
    assert str(mend[len(headers.split(","))]).endswith(f": {header}: {reason}")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (GOOD.replace("1,", "合计,", 1), []),
        (GOOD.replace("甲", "小计"), []),
        (f"总计划局,R1,甲,,{GOOD.partition(f'{CODES[0]},')[2]}", ["信用代码"]),
        (f"1,R1,合计甲公司,9,{GOOD.partition(f'{CODES[0]},')[2]}", ["信用代码"]),
    ],
)
def test_a_row_with_a_code_or_of_another_name_is_judged_as_a_row(
    take: Ingest, sqlite: Store, tmp_path: Path, row: str, said: list[str]
) -> None:
    take(write_text(tmp_path / "a.csv", [PLAIN, row]), "enterprise")
    assert [column for _, column, _, _ in quarantined(sqlite)] == said


def test_a_total_under_numbers_of_households_is_no_household(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    """Whatever stands there could be a number, but for the word before it."""
    lines = ["序号,主体编码,主体类型", "1,NH1,农户", "合计,1户,"]
    report = take(write_text(tmp_path / "a.csv", lines), "rural")
    assert (report.new, report.rejected) == (1, 1)
    assert [known["subject_id"] for known in current(sqlite, SubjectVersion)] == ["NH1"]


def test_a_total_across_merged_cells_is_one(take: Ingest, sqlite: Store, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for line in (PLAIN, GOOD, "合计,,,,,,,5"):
        sheet.append(line.split(","))
    sheet.merge_cells("A3:F3")
    book.save(tmp_path / "a.xlsx")
    assert take(tmp_path / "a.xlsx", "enterprise").new == 1
    assert [(row, column, value) for row, column, value, _ in quarantined(sqlite)] == [(3, "序号", "合计")]
