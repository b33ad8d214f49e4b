"""Headers that are nearly those of the vocabulary, and files whose headers say too little."""

from __future__ import annotations

from pathlib import Path

import pytest

from scoring.facts.ingest.errors import IngestError
from scoring.store import Store
from scoring.store.models import SubjectVersion

from .conftest import CODES, Ingest, current, write_text, write_workbook


@pytest.mark.parametrize(
    ("column", "header"),
    [
        ("occurred_on", "决定日期（年/月/日）"),
        ("occurred_on", "✱决定日期（必填，格式：YYYY-MM-DD）"),
        ("occurred_on", "决定日期[必填]【年-月-日】"),
        ("occurred_on", "决定日期（如：2026-03-01）"),
        ("occurred_on", "9.决定日期"),
        ("occurred_on", "⑨ 决定日期"),
        ("occurred_on", "九、决定日期："),
        ("occurred_on", "(9)决定\n日期"),
        ("kind", "*类 别（下拉选择）"),
        ("subject_id", "统一社会\n信用代码（18位）"),
        ("amount", "金额 （元，选填）"),
    ],
)
def test_a_header_with_remarks_is_known(
    take: Ingest, sqlite: Store, tmp_path: Path, column: str, header: str
) -> None:
    values = {
        "record_id": "R1",
        "subject_id": CODES[0],
        "kind": "表彰奖励",
        "occurred_on": "2026-03-01",
        "amount": "5",
    }
    headers = [header if name == column else name for name in values]
    report = take(write_workbook(tmp_path / "a.xlsx", [headers, list(values.values())]))
    assert (report.ignored, report.new) == ((), 1)
    assert current(sqlite)[0][column] == {"amount": "5.0000", "kind": "award"}.get(column, values[column])


@pytest.mark.parametrize(
    "header",
    [
        *("金额（万元，必填）", "金额（单位：万元）", "3. *金额(必填)(万元)", "金额(万)", "金额[万]"),
        *("金额 万元", "金额万元", "金额_万元", "金额/万元", "处罚金额/万元", "金额-万元", "罚款：万元"),
        *(
            "金额，单位：万元",
            "金额（人民币万元）",
            "金额（万元人民币）",
            "金额（RMB 万元）",
            "金额（万元整）",
        ),
        *("罚款金额（以万元计）", "涉及金额单位：万元", "金额（金额单位：万元）", "3.罚没金额 万元"),
    ],
)
def test_a_unit_in_any_usual_spelling_counts(
    take: Ingest, sqlite: Store, tmp_path: Path, header: str
) -> None:
    path = write_workbook(tmp_path / "a.xlsx", [("编号", "信用代码", header), ("R1", CODES[0], 1.5)])
    take(path)
    assert current(sqlite)[0]["amount"] == "15000.0000"


@pytest.mark.parametrize("header", ["罚款(元)", "处罚金额/元", "金额 元", "金额（¥）", "金额（￥）", "罚款"])
def test_yuan_in_a_header_are_yuan(take: Ingest, sqlite: Store, tmp_path: Path, header: str) -> None:
    take(write_workbook(tmp_path / "a.xlsx", [("编号", "信用代码", header), ("R1", CODES[0], 1.5)]))
    assert current(sqlite)[0]["amount"] == "1.5000"


def test_a_number_of_people_behind_a_stroke_is_known(take: Ingest, sqlite: Store, tmp_path: Path) -> None:
    take(write_text(tmp_path / "a.csv", ["信用代码,从业人数/人", f"{CODES[0]},20"]), "enterprise")
    assert current(sqlite, SubjectVersion)[0]["employees"] == 20


@pytest.mark.parametrize(
    "header",
    [
        "金额（美元）",
        "金额（万元）（万元）",
        "金额（万元）万元",
        "金额美元",
        "金额（万美元）",
        "金额（元/万元）",
        "认定机关（统一社会信用代码）",
        "决定日期（变更后）",
        "金额（预计）",
    ],
)
def test_a_remark_that_changes_the_meaning_keeps_a_header_unknown(
    take: Ingest, tmp_path: Path, header: str
) -> None:
    report = take(write_text(tmp_path / "a.csv", [f"编号,信用代码,{header}", f"R1,{CODES[0]},"]))
    assert report.ignored == (header,)


@pytest.mark.parametrize(
    "above",
    [
        "单位：万元",
        "（单位：万元）",
        "金额单位：人民币万元",
        "单位:,千元",
        "行政处罚汇总表（万元）",
        "单位：万元 日期：2026年3月",
        "单位：万元、人",
        "单位 : 亿",
    ],
)
def test_a_unit_above_the_headers_is_not_passed_over(take: Ingest, tmp_path: Path, above: str) -> None:
    lines = ["处罚清单", above, "编号,信用代码,金额", f"R1,{CODES[0]},5"]
    with pytest.raises(IngestError, match=r"row 2 says that amounts are in .*the header 金额 has no unit"):
        take(write_text(tmp_path / "a.csv", lines))


@pytest.mark.parametrize(
    ("above", "header", "meant"),
    [
        ("单位：万元", "金额（元）", "5.0000"),
        ("单位：万元", "金额（单位：万元）", "50000.0000"),
        ("单位：元", "金额", "5.0000"),
        ("填报单位：万州区市场监管局", "金额", "5.0000"),
        ("填报单位：某局", "金额", "5.0000"),
    ],
)
def test_a_unit_in_the_header_is_the_one_that_counts(
    take: Ingest, sqlite: Store, tmp_path: Path, above: str, header: str, meant: str
) -> None:
    take(write_text(tmp_path / "a.csv", [above, f"编号,信用代码,{header}", f"R1,{CODES[0]},5"]))
    assert current(sqlite)[0]["amount"] == meant


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ("Amount,没收金额（万元）", "Amount"),
        ("金额,涉案数额/万元", "金额"),
        ("金额,没收金额（元）", ""),
        ("金额（元）,没收金额（万元）", ""),
        ("金额,注册资本（万元）", ""),
        ("金额,欠薪人数（万人）", ""),
    ],
)
def test_an_amount_without_a_unit_beside_another_in_ten_thousands_is_not_guessed(
    take: Ingest, tmp_path: Path, headers: str, refused: str
) -> None:
    head = f"编号,信用代码,类别,状态,日期,{headers}"
    path = write_text(tmp_path / "a.csv", [head, f"R1,{CODES[0]},欠税公告,有效,2026-01-01,5,1"])
    if not refused:
        assert take(path, "enterprise").new == 1
        return
    with pytest.raises(IngestError, match=f"says that amounts are in 万元, and the header {refused} has no"):
        take(path, "enterprise")


def test_a_unit_above_a_table_without_amounts_says_nothing_of_it(take: Ingest, tmp_path: Path) -> None:
    assert take(write_text(tmp_path / "a.csv", ["单位：万元", "编号,信用代码", f"R1,{CODES[0]}"])).new == 1


@pytest.mark.parametrize("header", ["发生日期", "*发生日期（年/月/日）", "3. 发生日期"])
def test_a_header_that_may_mean_something_else_is_read_and_doubted(
    take: Ingest, sqlite: Store, tmp_path: Path, header: str
) -> None:
    rows = [f"编号,信用代码,{header}", f"R1,{CODES[0]},2026-03-01"]
    report = take(write_text(tmp_path / "a.csv", rows))
    assert [f"“{header}”按“认定日期”读取" in doubt for doubt in report.doubted] == [True]
    assert (report.new, report.ignored) == (1, ())
    assert current(sqlite)[0]["occurred_on"] == "2026-03-01"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_header_that_is_sure_goes_before_the_one_that_is_doubted(
    take: Ingest, sqlite: Store, tmp_path: Path, order: tuple[int, int]
) -> None:
    columns = [("认定日期", "2026-03-01"), ("发生日期", "2025-01-01")]
    headers, dates = zip(*(columns[n] for n in order), strict=True)
    rows = [f"编号,信用代码,{','.join(headers)}", f"R1,{CODES[0]},{','.join(dates)}"]
    report = take(write_text(tmp_path / "a.csv", rows))
    assert (report.doubted, report.ignored) == ((), ("发生日期",))
    assert current(sqlite)[0]["occurred_on"] == "2026-03-01"


def test_two_headers_of_one_column_are_still_refused(take: Ingest, tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.csv", ["编号,信用代码,决定日期（年/月/日）,2.日期", f"R1,{CODES[0]},,"])
    with pytest.raises(IngestError, match="both mean occurred_on"):
        take(path)


@pytest.mark.parametrize(
    ("headers", "missing", "taken_for"),
    [
        ("编号,信用代码,类别,状态,处罚时点", "认定日期", "处罚时点→未识别"),
        ("编号,信用代码,状态,决定日期,种类", "信息类别", "决定日期→认定日期"),
        ("编号,信用代码,类别,决定日期", "记录状态", "类别→信息类别"),
    ],
)
def test_a_records_file_without_date_kind_or_status_is_refused_with_what_was_understood(
    take: Ingest, tmp_path: Path, headers: str, missing: str, taken_for: str
) -> None:
    with pytest.raises(IngestError) as refused:
        take(
            write_text(tmp_path / "a.csv", [headers, ",".join("1" for _ in headers.split(","))]), "enterprise"
        )
    said = str(refused.value)
    for part in (missing, taken_for, "编号→记录编号", "defaults: {"):
        assert part in said


def test_of_a_form_it_is_told_by_its_own_titles(take: Ingest, tmp_path: Path) -> None:
    """What the form knows is not said to be unknown, and what it lacks goes by the form's title."""
    headers = "行政相对人名称,统一社会信用代码,行政处罚决定书文号,处罚种类,何时,处罚机关,备忘"
    with pytest.raises(IngestError) as refused:
        take(write_text(tmp_path / "a.csv", [headers, ",".join("1" for _ in headers.split(","))]), None)
    said = refused.value.reason.zh
    assert "缺少必需的列:认定日期" in said
    known = ("行政相对人名称→行政相对人名称", "处罚种类→处罚类别", "何时→未识别", "备忘→未识别")
    assert [part for part in known if part not in said] == []
    assert "headers known: 处罚决定日期、" in refused.value.hint.en


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx"])
def test_of_two_rows_that_serve_as_headers_alike_the_upper_one_does(
    take: Ingest, sqlite: Store, tmp_path: Path, name: str
) -> None:
    """Headers that were repeated are a row that can't be read, and nothing above them is left out."""
    path, row = tmp_path / name, ("R1", CODES[0], "5")
    lines = [("编号", "信用代码", "金额"), row, ("编号", "信用代码", "金额"), ("R2", CODES[0], "6")]
    if name == "a.csv":
        write_text(path, [",".join(line) for line in lines])
    else:
        write_workbook(path, lines)
    take(path)
    assert [known["record_id"] for known in current(sqlite)] == ["R1", "R2"]
