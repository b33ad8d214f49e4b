"""Headers that stand in the middle of a file again: the same ones, or others in another order."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules.library.loader import load_vocabulary
from scoring.facts.ingest.errors import IngestError
from scoring.facts.ingest.files import blocks_of
from scoring.facts.ingest.headers import HeaderMatcher
from scoring.facts.ingest.mapping import NO_MAPPING, parse_mapping
from scoring.store import Store
from scoring.store.models import SubjectVersion

from .builders import Tab, Workbook, row
from .conftest import CODES, Ingest, current, quarantined, write_text, write_workbook

HEADERS = ("编号", "信用代码", "类别", "决定日期", "认定机关", "文书号")
FIRST = ("R1", CODES[0], "表彰奖励", "2026-03-01", "甲局", "文1")
SECOND = ("R2", CODES[0], "表彰奖励", "2026-03-02", "甲局", "文2")


def _moved(cells: tuple[str, ...], *order: int) -> tuple[str, ...]:
    return tuple(cells[place] for place in order)


SWAPPED = (0, 1, 2, 3, 5, 4)


@pytest.mark.parametrize(
    ("headers", "order"),
    [
        (HEADERS, SWAPPED),
        (HEADERS, (1, 0, 2, 3, 4, 5)),
        (HEADERS, (5, 4, 3, 2, 1, 0)),
        (("记录编号", "社会信用代码", "信息类别", "认定日期", "处罚机关", "决定文书号"), SWAPPED),
        (("编号", "信用代码", "类别", "决定日期", "认定机关", "备注"), (0, 1, 2, 3, 4, 5)),
        (("编号（必填）", "信用代码", "类别", "决定日期", "认定机关（必填）", "文书号（必填）"), SWAPPED),
    ],
)
def test_headers_that_come_again_in_another_order_refuse_the_file(
    take: Ingest, sqlite: Store, tmp_path: Path, headers: tuple[str, ...], order: tuple[int, ...]
) -> None:
    rows = [HEADERS, FIRST, _moved(headers, *order), _moved(SECOND, *order)]
    with pytest.raises(IngestError, match=r"row 3 .*other headers"):
        take(write_text(tmp_path / "a.csv", [",".join(cells) for cells in rows]))
    with pytest.raises(IngestError, match=r"row 3 .*other headers"):
        take(write_workbook(tmp_path / "a.xlsx", rows))
    assert current(sqlite) == []


def test_the_sheet_with_the_other_order_is_named(take: Ingest, tmp_path: Path) -> None:
    good = [row(*HEADERS), row(*FIRST)]
    bad = [row(*HEADERS), row(*SECOND), row(*_moved(HEADERS, *SWAPPED)), row(*_moved(SECOND, *SWAPPED))]
    path = Workbook([Tab("一月", good), Tab("二月", bad)]).write(tmp_path / "a.xlsx")
    with pytest.raises(IngestError, match=r"a\.xlsx 二月.*row 3"):
        take(path)


def test_sheets_may_have_their_columns_in_orders_of_their_own(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    tabs = [
        Tab("一月", [row(*HEADERS), row(*FIRST)]),
        Tab("二月", [row(*_moved(HEADERS, *SWAPPED)), row(*_moved(SECOND, *SWAPPED))]),
    ]
    take(Workbook(tabs).write(tmp_path / "a.xlsx"))
    assert [known["authority"] for known in current(sqlite)] == ["甲局", "甲局"]


@pytest.mark.parametrize(
    "again",
    [
        HEADERS,
        ("记录编号", "社会信用代码", "信息类别", "认定日期", "处罚机关", "决定文书号"),
        ("record_id", "subject_id", "kind", "occurred_on", "authority", "document_no"),
        ("编号", "信用代码", "类别", "决定日期", "", ""),
    ],
)
def test_headers_that_say_the_same_again_are_passed_over(
    take: Ingest, sqlite: Store, tmp_path: Path, again: tuple[str, ...]
) -> None:
    lines = [",".join(cells) for cells in (HEADERS, FIRST, again, SECOND)]
    report = take(write_text(tmp_path / "a.csv", lines))
    assert (report.new, report.rejected) == (2, 0)


def test_amounts_under_headers_with_another_unit_refuse_the_file(take: Ingest, tmp_path: Path) -> None:
    lines = ["编号,信用代码,金额（元）", f"R1,{CODES[0]},5", "编号,信用代码,金额（万元）", f"R2,{CODES[0]},5"]
    with pytest.raises(IngestError, match="row 3"):
        take(write_text(tmp_path / "a.csv", lines))


@pytest.mark.parametrize("below", [",,万元", "编号,信用代码,（万元）", "编号,信用代码,金额（万元）"])
def test_a_unit_below_the_headers_is_not_passed_over(take: Ingest, tmp_path: Path, below: str) -> None:
    lines = ["编号,信用代码,金额", below, f"R1,{CODES[0]},5"]
    with pytest.raises(IngestError, match="row 2"):
        take(write_text(tmp_path / "a.csv", lines))


@pytest.mark.parametrize(
    ("header", "below", "meant"), [("金额", "（元）", "5.0000"), ("金额（万元）", "万元", "50000.0000")]
)
def test_a_unit_below_the_headers_that_says_what_they_say_is_fine(
    take: Ingest, sqlite: Store, tmp_path: Path, header: str, below: str, meant: str
) -> None:
    lines = [f"编号,信用代码,{header}", f"编号,信用代码,{below}", f"R1,{CODES[0]},5"]
    report = take(write_text(tmp_path / "a.csv", lines))
    assert (report.new, report.rejected, current(sqlite)[0]["amount"]) == (1, 0, meant)


def test_rows_above_fuller_headers_are_not_lost(take: Ingest, tmp_path: Path) -> None:
    lines = [",".join(cells) for cells in (HEADERS, FIRST, (*HEADERS, "终止日期"), (*SECOND, "2027-01-01"))]
    with pytest.raises(IngestError, match=r"row 3 .*other headers"):
        take(write_text(tmp_path / "a.csv", lines))


def test_headers_in_two_rows_one_below_the_other_are_read(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    lines = ["编号,信用代码,处罚,,", "编号,信用代码,类别,决定日期,认定机关", ",".join(FIRST[:5])]
    take(write_text(tmp_path / "a.csv", lines))
    assert current(sqlite)[0]["authority"] == "甲局"


def test_bodies_whose_numbers_are_texts_are_not_read_from_swapped_columns(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    lines = ["单位编码,单位名称", "DW1,甲局", "单位名称,单位编码", "乙局,DW2"]
    with pytest.raises(IngestError, match="row 3"):
        take(write_text(tmp_path / "a.csv", lines), "department")
    assert current(sqlite, SubjectVersion) == []


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx"])
def test_a_row_that_numbers_the_columns_is_no_body(
    take: Ingest, sqlite: Store, tmp_path: Path, name: str
) -> None:
    rows = [("单位编码", "单位名称"), ("1", "2"), ("DW1", "甲局"), ("1", "乙局")]
    if name == "a.csv":
        report = take(write_text(tmp_path / name, [",".join(cells) for cells in rows]), "department")
    else:
        report = take(write_workbook(tmp_path / name, rows), "department")
    assert (report.new, report.rejected) == (2, 0)
    assert [known["name"] for known in current(sqlite, SubjectVersion)] == ["甲局", "乙局"]
    assert ["row 2 numbers the columns" in doubt for doubt in report.doubted] == [True]


NUMBERED = ["单位编码,单位名称", "1,2", "DW1,甲局"]


@pytest.mark.parametrize(
    ("lines", "keys"),
    [
        (["单位编码,单位名称", "DW1,甲局", "1,2"], ["DW1", "1"]),
        (["单位编码,单位名称", ",", "1,2", "DW1,甲局", "单位编码,单位名称", "1,2"], ["DW1"]),
        (['单位编码,"单位\n名称"', "1,2", "DW1,甲局", '单位编码,"单位\n名称"', "1,2"], ["DW1"]),
        (["单位编码,单位名称", "（1）,（2）", "DW1,甲局"], ["DW1"]),
        (["单位编码,单位名称", "①,②", "DW1,甲局"], ["DW1"]),
        ([*NUMBERED, "1,2"], ["DW1", "1"]),
    ],
    ids=["below others", "each page", "in two lines", "in brackets", "ringed", "below others again"],
)
def test_a_row_that_numbers_the_columns_stands_below_headers(
    take: Ingest, sqlite: Store, tmp_path: Path, lines: list[str], keys: list[str]
) -> None:
    take(write_text(tmp_path / "a.csv", lines), "department")
    assert [known["subject_id"] for known in current(sqlite, SubjectVersion)] == keys


def test_scoring_from_file_to_file_says_which_row_it_takes_for_numbers(tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.csv", NUMBERED)
    with blocks_of(path, HeaderMatcher(load_vocabulary("department"), NO_MAPPING, "subject")) as found:
        _, notes, blocks = found
        assert [block.columns["subject_id"] for _, block in blocks] == [["DW1"]]
    assert "第2行是列号,未作数据读取" in "".join(notes)


def test_a_row_of_numbers_below_skipped_rows_is_none_of_the_data(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    path = write_text(tmp_path / "a.csv", ["表1", *NUMBERED])
    report = take(path, "department", mapping=parse_mapping("skip_rows: 1", "m.yaml"))
    assert (report.new, len(report.doubted)) == (1, 1)


PENALTY = ("行政相对人名称", "行政相对人代码_1(统一社会信用代码)", "行政处罚决定书文号", "处罚类别")
PENALTY += ("处罚决定日期", "处罚机关", "公示截止期", "罚款金额", "行政相对人类别", "违法事实", "处罚内容")


def test_the_headers_of_a_form_in_another_order_refuse_the_file(take: Ingest, tmp_path: Path) -> None:
    first = ("甲公司", CODES[0], "文1", "罚款", "2026/03/01", "甲局", "2027/03/01", "1", "法人及非法人组织")
    first += ("占道", "罚款")
    order = (0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 9)
    rows = [PENALTY, first, _moved(PENALTY, *order), _moved((*first[:2], "文2", *first[3:]), *order)]
    again = [PENALTY, first, PENALTY, (*first[:2], "文2", *first[3:])]
    report = take(write_workbook(tmp_path / "again.xlsx", again), "enterprise")
    assert (report.new, report.rejected, [form.en for form in report.forms]) == (
        2,
        0,
        ["Administrative penalties as published"],
    )
    with pytest.raises(IngestError, match="row 3"):
        take(write_workbook(tmp_path / "a.xlsx", rows), "enterprise")


def test_scoring_from_file_to_file_refuses_them_too(tmp_path: Path) -> None:
    matcher = HeaderMatcher(load_vocabulary("enterprise"), NO_MAPPING, "record")
    lines = [",".join(c) for c in (HEADERS, FIRST, _moved(HEADERS, *SWAPPED), _moved(SECOND, *SWAPPED))]
    path = write_text(tmp_path / "a.csv", lines)
    with pytest.raises(IngestError), blocks_of(path, matcher) as (_, _, blocks):
        list(blocks)


@pytest.mark.parametrize(
    "foot",
    [
        "合计,2",
        "小 计：,2",
        "总计(户),",
        "第1页 共2页,",
        "第1页共2页,",
        "填表人：张三,",
        "制表日期2026年3月,",
    ],
)
def test_a_total_or_a_foot_of_a_page_is_no_body(
    take: Ingest, sqlite: Store, tmp_path: Path, foot: str
) -> None:
    take(write_text(tmp_path / "a.csv", ["单位编码,单位名称", "DW1,甲局", foot]), "department")
    assert [known["subject_id"] for known in current(sqlite, SubjectVersion)] == ["DW1"]
    assert [(row, reason.split(" ")[0][:3]) for row, _, _, reason in quarantined(sqlite)] == [(3, "合计行")]
