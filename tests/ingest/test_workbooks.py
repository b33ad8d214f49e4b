"""What an office sees in a workbook is what is kept of it, or it is said what is not."""

from __future__ import annotations

import csv
import datetime as dt
import zipfile
from pathlib import Path

import openpyxl
import pytest
import xlwt
from click.testing import CliRunner
from openpyxl.utils.datetime import WINDOWS_EPOCH

from scoring.cli import main
from scoring.facts.ingest.errors import IngestError
from scoring.facts.ingest.files import Reading, SheetState, ingest_file
from scoring.facts.ingest.folding import Dayless, Yearless
from scoring.facts.ingest.formats import show
from scoring.facts.ingest.mapping import parse_mapping
from scoring.store import Store
from scoring.store.models import SubjectVersion

from .builders import MAIN, STRICT, Tab, Workbook, number, row, text
from .conftest import CODES, LENIENT, Ingest, current, quarantined, write_text

HEAD = row("编号", "信用代码", "机关", "金额", "日期")
ARREARS = ["vocabulary: enterprise", "defaults: {kind: tax_arrears, status: effective}"]
"""A mapping file that says what the sheets of these tests leave out."""
FORMULA = "a formula without a saved value"


def record(key: str, authority: str = "甲局", amount: str = "1", day: str = "2026-03-01") -> str:
    return row(key, CODES[0], authority, amount, day)


def states(sheets: tuple[object, ...]) -> dict[str, SheetState]:
    return {sheet.name: sheet.state for sheet in sheets}  # type: ignore[attr-defined]


# Sheets


def test_every_visible_sheet_is_read_and_the_others_are_named(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    tabs = [
        Tab("旧", [HEAD, record("OLD")], state="hidden"),
        Tab("密", [HEAD, record("VERY")], state="veryHidden"),
        Tab("封面", [row("行政处罚汇总")]),
        Tab("1月", [HEAD, record("R1")]),
        Tab("空", []),
        Tab("2月", [row("二月"), HEAD, record("R2"), record("R3")]),
    ]
    report = take(Workbook(tabs).write(tmp_path / "a.xlsx"))
    assert [found["record_id"] for found in current(sqlite)] == ["R1", "R2", "R3"]
    assert states(report.sheets) == {
        "旧": "hidden",
        "密": "hidden",
        "封面": "not a table",
        "1月": "read",
        "空": "empty",
        "2月": "read",
    }
    assert "needs the column" in next(sheet.why for sheet in report.sheets if sheet.name == "封面")


def test_the_command_says_what_became_of_each_sheet(sqlite_url: str, sqlite: Store, tmp_path: Path) -> None:
    tabs = [Tab("旧", [HEAD, record("OLD")], state="hidden"), Tab("新", [HEAD, record("R1")])]
    path = Workbook(tabs).write(tmp_path / "a.xlsx")
    mapping = write_text(tmp_path / "m.yaml", ARREARS)
    result = CliRunner().invoke(
        main, ["ingest", str(path), "--mapping", str(mapping), "--database", sqlite_url]
    )
    assert "a.xlsx: 工作表 sheets: 旧 隐藏,未读 hidden, not read; 新 已读 read" in result.stderr


def test_where_no_sheet_is_a_table_each_is_named_with_the_reason(take: Ingest, tmp_path: Path) -> None:
    tabs = [Tab("说明", [row("填表说明")]), Tab("空", []), Tab("旧", [HEAD, record("R")], state="hidden")]
    with pytest.raises(IngestError) as caught:
        take(Workbook(tabs).write(tmp_path / "a.xlsx"))
    said = str(caught.value)
    assert "no sheet is a table" in said
    assert "说明 不是数据表,未读 not a table, not read: " in said
    assert "填表说明→未识别" in said
    assert "空 空表 empty" in said
    assert "旧 隐藏,未读 hidden, not read" in said


def test_of_one_sheet_that_is_no_table_the_reason_alone_is_said(take: Ingest, tmp_path: Path) -> None:
    with pytest.raises(IngestError) as caught:
        take(Workbook([Tab("说明", [row("填表说明")])]).write(tmp_path / "a.xlsx"))
    assert "needs the column" in str(caught.value)
    assert "no sheet is a table" not in str(caught.value)


def test_places_name_the_sheet(store: Store, tmp_path: Path) -> None:
    tabs = [
        Tab("2月", [HEAD, record("R1"), record("R2", amount="x")]),
        Tab("1月", [HEAD, record("R1", amount="5"), record("R3", amount="y")]),
    ]
    path = Workbook(tabs).write(tmp_path / "a.xlsx")
    report = ingest_file(store, path, LENIENT, Reading(quarantine=tmp_path / "q"))
    assert (report.new, report.rejected) == (1, 3)
    assert report.quarantine is not None
    lines = report.quarantine.read_text(encoding="utf-8-sig").splitlines()
    places = {tuple(line.split(",")[1:3]) for line in lines[1:]}
    assert places == {("2月", "3"), ("1月", "2"), ("1月", "3")}
    assert any("the same key as in row 2月!2 with other content" in line for line in lines)


def test_one_row_twice_in_two_sheets_is_one_row(take: Ingest, tmp_path: Path) -> None:
    tabs = [Tab("1月", [HEAD, record("R1")]), Tab("2月", [HEAD, record("R1"), record("R2")])]
    report = take(Workbook(tabs).write(tmp_path / "a.xlsx"))
    assert (report.new, report.unchanged, report.rejected) == (2, 1, 0)


def test_subjects_and_records_in_one_workbook_are_taken_one_after_the_other(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    firms = Tab("企业", [row("信用代码", "企业名称"), row(CODES[0], "甲")])
    path = Workbook([firms, Tab("处罚", [HEAD, record("R1")])]).write(tmp_path / "a.xlsx")
    with pytest.raises(IngestError, match="as records: --table subject, --table record"):
        take(path)
    report = take(path, dataset="record")
    assert states(report.sheets) == {"企业": "not a table", "处罚": "read"}
    assert take(path, dataset="subject", mapping=parse_mapping("sheet: 企业", "m.yaml")).new == 1
    assert len(current(sqlite, SubjectVersion)) == len(current(sqlite)) == 1


def test_a_hidden_sheet_is_read_where_it_is_asked_for(take: Ingest, sqlite: Store, tmp_path: Path) -> None:
    tabs = [Tab("旧", [HEAD, record("OLD")], state="hidden"), Tab("新", [HEAD, record("NEW")])]
    path = Workbook(tabs).write(tmp_path / "a.xlsx")
    report = take(path, mapping=parse_mapping("sheet: 旧", "m.yaml"))
    assert [found["record_id"] for found in current(sqlite)] == ["OLD"]
    assert states(report.sheets) == {"旧": "read", "新": "not asked for"}


# Merged cells


def test_every_row_under_merged_cells_has_their_value(take: Ingest, sqlite: Store, tmp_path: Path) -> None:
    rows = [
        row("一季度行政处罚", "", "", "", ""),
        HEAD,
        record("R1", "甲局", "7"),
        row("R2", CODES[0], "<c/>", "<c/>", "2026-03-02"),
        row("R3", CODES[0], "看不见", "<c/>"),
        row("<c/>", "<c/>"),
        row("R5", CODES[0], "乙局", "9"),
    ]
    merges = ["A1:E1", "C3:C6", "D3:D4", "E3:E3"]
    report = take(Workbook([Tab("a", rows, merges=merges)]).write(tmp_path / "a.xlsx"))
    assert (report.new, report.rejected) == (4, 0)
    assert [(found["authority"], found.get("amount")) for found in current(sqlite)] == [
        ("甲局", "7.0000"),
        ("甲局", "7.0000"),
        ("甲局", None),
        ("乙局", "9.0000"),
    ]


def test_cells_merged_over_several_columns_are_not_guessed_at(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    rows = [HEAD, record("R1"), row("R2", CODES[0], "甲局", "7"), row("R3", CODES[0], "甲局")]
    report = take(Workbook([Tab("a", rows, merges=["D3:E4"])]).write(tmp_path / "a.xlsx"))
    assert (report.new, report.rejected) == (1, 2)
    assert {(found[0], found[1]) for found in quarantined(sqlite)} == {(3, "日期"), (4, "日期")}
    assert all("merged cells over several columns" in found[3] for found in quarantined(sqlite))


@pytest.mark.parametrize("second", [["<c/>"] * 5, ["<c/>", "<c/>", "<c/>", "金额", "日期"]])
def test_headers_over_two_rows_are_one_header(
    take: Ingest, sqlite: Store, tmp_path: Path, second: list[str]
) -> None:
    first = HEAD if second[3] == "<c/>" else row("编号", "信用代码", "机关", "处罚", "<c/>")
    merges = [f"{letter}1:{letter}2" for letter in "ABCDE"[: 5 if first == HEAD else 3]]
    rows = [first, row(*second), record("R1")]
    report = take(Workbook([Tab("a", rows, merges=merges)]).write(tmp_path / "a.xlsx"))
    assert (report.new, report.rejected) == (1, 0)
    assert current(sqlite)[0]["amount"] == "1.0000"


# Formulas and errors


@pytest.mark.parametrize("column", ["机关", "金额", "日期"])
@pytest.mark.parametrize("value", ["", "<v></v>", "<v/>"])
def test_a_formula_without_a_saved_value_is_refused(
    take: Ingest, sqlite: Store, tmp_path: Path, column: str, value: str
) -> None:
    cells = {"编号": "R1", "信用代码": CODES[0], "机关": "甲", "金额": "1", "日期": "2026-03-01"}
    cells[column] = f"<c><f>1+1</f>{value}</c>"
    report = take(Workbook([Tab("a", [HEAD, row(*cells.values())])]).write(tmp_path / "a.xlsx"))
    assert (report.new, report.rejected) == (0, 1)
    ((place, named, shown, reason),) = quarantined(sqlite)
    assert (place, named, shown) == (2, column, "=1+1")
    assert FORMULA in reason
    assert "open the file in a spreadsheet and save it" in reason


def test_a_formula_with_its_saved_value_is_that_value(take: Ingest, sqlite: Store, tmp_path: Path) -> None:
    cells = ("<c><f>1+1</f><v>2</v></c>", '<c t="str"><f>IF(1,"","")</f><v></v></c>')
    rows = [HEAD, row("R1", CODES[0], '<c t="str"><f>"甲"</f><v>甲</v></c>', *cells)]
    take(Workbook([Tab("a", rows)], properties='<calcPr fullCalcOnLoad="1"/>').write(tmp_path / "a.xlsx"))
    assert [(found["authority"], found["amount"]) for found in current(sqlite)] == [("甲", "2.0000")]
    assert "occurred_on" not in current(sqlite)[0]


def test_a_zero_that_a_program_wrote_for_a_formula_is_no_value(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    rows = [HEAD, row("R1", CODES[0], "甲", "<c><f>1+1</f><v>0</v></c>", "2026-03-01")]
    book = Workbook([Tab("a", rows)], properties='<calcPr fullCalcOnLoad="1"/>')
    assert take(book.write(tmp_path / "a.xlsx")).rejected == 1
    assert FORMULA in quarantined(sqlite)[0][3]
    assert take(Workbook([Tab("a", rows)]).write(tmp_path / "b.xlsx")).new == 1


@pytest.mark.parametrize("error", ["#N/A", "#REF!", "#DIV/0!", "#BLOCKED!"])
def test_an_error_value_is_refused_with_its_column(
    take: Ingest, sqlite: Store, tmp_path: Path, error: str
) -> None:
    rows = [HEAD, row("R1", CODES[0], f'<c t="e"><f>A1</f><v>{error}</v></c>', "1", "2026-03-01")]
    assert take(Workbook([Tab("a", rows)]).write(tmp_path / "a.xlsx")).rejected == 1
    assert quarantined(sqlite)[0][1:3] == ("机关", error)


# Numbers as keys


@pytest.mark.parametrize("key", ["202603010000000001", "2.0260301E17", "1000000000000000", "-1e15"])
def test_a_number_of_more_than_fifteen_digits_is_no_key(
    take: Ingest, sqlite: Store, tmp_path: Path, key: str
) -> None:
    rows = [HEAD, row(number(key), CODES[0], "甲局", "1", "2026-03-01")]
    assert take(Workbook([Tab("a", rows)]).write(tmp_path / "a.xlsx")).rejected == 1
    assert quarantined(sqlite)[0][1] == "编号"
    assert "more than 15 digits: its last digits are lost" in quarantined(sqlite)[0][3]
    assert "format the column as text" in quarantined(sqlite)[0][3]


@pytest.mark.parametrize("key", ["2.03E+17", "2.02603E+17", "9E+15", "'2.03E+17", '"=""2.03E+17"""'])
@pytest.mark.parametrize("column", ["编号", "机关"])
def test_an_exponent_in_a_csv_is_no_text(
    take: Ingest, sqlite: Store, tmp_path: Path, key: str, column: str
) -> None:
    cells = {"编号": "R1", "信用代码": CODES[0], "机关": "甲"} | {column: key}
    assert take(write_text(tmp_path / "a.csv", [",".join(cells), ",".join(cells.values())])).rejected == 1
    assert quarantined(sqlite)[0][1] == column
    assert "with an exponent: its last digits are lost" in quarantined(sqlite)[0][3]


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        (number("999999999999999"), "999999999999999"),
        (number("123456789012345.0"), "123456789012345"),
        (number(1, style=1), "0001"),
        (number("1.0", style=1), "0001"),
        (number(12345, style=1), "12345"),
        (number(12, style=2), "渝0012"),
        (number(1234, style=3), "1234"),
        (number(7, style=4), "00-07"),
        (text("1E5"), "1E5"),
        (text("'0001"), "0001"),
        (text('＝"0001"'), "0001"),
        (text("=“0001”"), "0001"),
        (text("0001_x000D_\n"), "0001"),
        (text("_x0030_1"), "01"),
        (text("_x005F_x000D_"), "_x000D_"),
        (text("文_件"), "文_件"),
    ],
)
def test_a_key_is_what_the_office_sees(
    take: Ingest, sqlite: Store, tmp_path: Path, cell: str, shown: str
) -> None:
    formats = ["0000", '"渝"0000_ ', "#,##0", "00-00"]
    rows = [HEAD, row(cell, CODES[0], "甲局", number(5, style=1), "2026-03-01")]
    take(Workbook([Tab("a", rows)], formats=formats).write(tmp_path / "a.xlsx"))
    assert [(found["record_id"], found["amount"]) for found in current(sqlite)] == [(shown, "5.0000")]


@pytest.mark.parametrize(
    ("code", "typed", "meant"),
    [
        ('0"万元"', 5, "50000.0000"),
        ('0.00"万元"', 5.25, "52500.0000"),
        ('#,##0"万"', 12, "120000.0000"),
        ('General"千元"', 5, "5000.0000"),
        ("0!亿", 2, "200000000.0000"),
        ('[红色]0.0"百万元"_ ;-0', 1.5, "1500000.0000"),
        ('0"元"', 5, "5.0000"),
        ('"¥"#,##0.00', 5.25, "5.2500"),
        ('0!.0,"万"', 12345, "12345.0000"),
        ('0!.0000"万元"', 12345, "12345.0000"),
        ('0.0,,"百万"', 1500000, "1500000.0000"),
    ],
)
def test_a_unit_that_a_format_shows_behind_an_amount_counts(
    take: Ingest, sqlite: Store, tmp_path: Path, code: str, typed: float, meant: str
) -> None:
    rows = [HEAD, row("R1", CODES[0], "甲局", number(typed, style=1), "2026-03-01")]
    take(Workbook([Tab("a", rows)], formats=[code]).write(tmp_path / "a.xlsx"))
    assert [found["amount"] for found in current(sqlite)] == [meant]


@pytest.mark.parametrize(
    "code",
    ['0"元"', '#,##0.00"元"', '0\\ "元"', "#,##0圆_ ", "0!.0,", "0\\.0000", '0!.0,"万"', "#,##0.00,"],
)
def test_a_unit_of_a_format_counts_and_not_that_of_the_header(
    take: Ingest, sqlite: Store, tmp_path: Path, code: str
) -> None:
    rows = [row("编号", "信用代码", "机关", "金额（万元）", "日期")]
    rows += [row("R1", CODES[0], "甲局", number(20_000, style=1), "2026-03-01")]
    take(Workbook([Tab("a", rows)], formats=[code]).write(tmp_path / "a.xlsx"))
    assert [found["amount"] for found in current(sqlite)] == ["20000.0000"]


def test_a_unit_of_a_format_is_there_when_the_row_is_sent_back(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    rows = [HEAD, row("R1", "1234", "甲局", number(5.5, style=1), "2026-03-01")]
    sent = take(Workbook([Tab("a", rows)], formats=['0.0"万元"']).write(tmp_path / "a.xlsx")).mend
    mended = openpyxl.load_workbook(sent)
    mended.active["B2"] = CODES[0]
    mended.save(tmp_path / "b.xlsx")
    assert take(tmp_path / "b.xlsx").new == 1
    assert current(sqlite)[0]["amount"] == "55000.0000"


@pytest.mark.parametrize(
    "code",
    [
        "m/d",
        16,
        58,
        28,
        'm"月"d"日"',
        "[$-804]mm-dd;@",
        "h:mm",
        "[h]:mm",
        14,
        22,
        31,
        "yyyy-mm-dd",
        "d-m-yyyy",
    ],
)
@pytest.mark.parametrize("typed", ["46093", "0.25"])
def test_a_number_of_which_the_spreadsheet_made_a_day_or_a_time_is_refused(
    take: Ingest, sqlite: Store, tmp_path: Path, code: str | int, typed: str
) -> None:
    rows = [HEAD, row(number(typed, style=1), CODES[0], "甲局", "5", "2026-03-01")]
    take(Workbook([Tab("a", rows)], formats=[code]).write(tmp_path / "a.xlsx"))
    assert current(sqlite) == []
    assert quarantined(sqlite)[0][1] == "编号"
    assert "made a day or a time of it" in quarantined(sqlite)[0][3]


@pytest.mark.parametrize("code", ["yyyy-mm", 'yyyy"年"m"月"', "mmm-yy", 17, 57, "[$-804]yyyy.m;@"])
def test_a_month_is_no_day_and_no_number(
    take: Ingest, sqlite: Store, tmp_path: Path, code: str | int
) -> None:
    """Which a spreadsheet makes of a month, as of 2026-3 that is typed for a number: its first day."""
    rows = [
        HEAD,
        row("R1", CODES[0], "甲局", "5", number("46082", style=1)),
        row(number("46082", style=1), CODES[0], "甲局", "5", "2026-03-01"),
        row("R3", CODES[0], "甲局", "5", number("46093", style=1)),
    ]
    sent = take(Workbook([Tab("a", rows)], formats=[code]).write(tmp_path / "a.xlsx")).mend
    assert [(found["record_id"], found["occurred_on"]) for found in current(sqlite)] == [("R3", "2026-03-12")]
    assert {(name, "a month without its day" in why) for _, name, _, why in quarantined(sqlite)} == {
        ("日期", True),
        ("编号", False),
    }
    mended = openpyxl.load_workbook(sent)
    mended.save(tmp_path / "b.xlsx")
    assert take(tmp_path / "b.xlsx").new == 0, "sent back as it was, it is refused again"


@pytest.mark.parametrize("code", ["m/d", 58])
def test_a_date_is_one_in_whatever_format(
    take: Ingest, sqlite: Store, tmp_path: Path, code: str | int
) -> None:
    rows = [HEAD, row("R1", CODES[0], "甲局", "5", number("46082", style=1))]
    take(Workbook([Tab("a", rows)], formats=[code]).write(tmp_path / "a.xlsx"))
    assert current(sqlite)[0]["occurred_on"] == "2026-03-01"


def test_a_number_of_a_format_that_chinese_spreadsheets_do_not_spell_out_is_a_day() -> None:
    """Which show no year: ECMA-376 part 1, 18.8.30, zh-cn."""
    spelled_out = range(45, 48)
    numbers = set(range(23, 64)).difference(spelled_out)
    shown = {number: show(None, number, WINDOWS_EPOCH)(46082) for number in numbers}
    days = {number for number, found in shown.items() if found == dt.datetime(2026, 3, 1)}  # noqa: DTZ001
    assert days == {*range(27, 37), *range(50, 59)}
    dayless = {number for number, found in shown.items() if isinstance(found, Dayless)}
    assert dayless == {27, 36, 50, 52, 57}
    yearless = {number for number, found in shown.items() if isinstance(found, Yearless)}
    assert yearless == {28, 29, 51, 53, 54, 58}


@pytest.mark.parametrize("written", ['"=""0001"""', '="0001"', "'0001", "`0001", "’0001", "0001"])
def test_what_keeps_a_spreadsheet_from_eating_zeros_is_no_part_of_a_key(
    take: Ingest, sqlite: Store, tmp_path: Path, written: str
) -> None:
    take(write_text(tmp_path / "a.csv", ["编号,信用代码", f"0001,{CODES[0]}"]))
    report = take(write_text(tmp_path / "b.csv", ["编号,信用代码", f"{written},{CODES[0]} "]))
    assert (report.new, report.changed, report.unchanged) == (0, 0, 1)


QUOTED = ["“%s”", "「%s」", "'%s'", '"%s"', "\u3164'%s"]


@pytest.mark.parametrize("quotes", QUOTED)
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_file_whose_every_cell_is_in_quotes_says_the_same(
    take: Ingest, sqlite: Store, tmp_path: Path, quotes: str, kind: str
) -> None:
    """Also its headers, and the registration number by which a subject without a code is found."""
    known = ["信用代码,工商注册号,企业名称", f"{CODES[0]},500232600123455,云衡面馆"]
    take(write_text(tmp_path / "s.csv", known))
    head = ["编号", "统一社会信用代码/注册号", "工商注册号", "类别", "状态", "日期", "金额"]
    said = [
        ["R1", CODES[0], "", "欠税公告", "有效", "2026-03-01", "1,234.5"],
        ["R2", "", "500232600123455", "欠税公告", "有效", "2026-03-01", "2"],
        ["R3", "500232600123455", "500232600123455", "欠税公告", "有效", "2026-03-01", "无"],
    ]
    rows = [[quotes % cell for cell in row] for row in (head, *said)]
    path = tmp_path / f"a.{kind}"
    if kind == "xlsx":
        book = openpyxl.Workbook()
        for row in rows:
            book.worksheets[0].append(row)
        book.save(path)
    else:
        with path.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows(rows)
    report = take(path)
    assert (report.new, report.rejected) == (3, 0)
    kept = [(r["record_id"], r["subject_id"], r.get("amount")) for r in current(sqlite)]
    assert kept == [("R1", CODES[0], "1234.5000"), ("R2", CODES[0], "2.0000"), ("R3", CODES[0], None)]


@pytest.mark.parametrize("name", ["'甲'公司", "`a`b", "it's"])
def test_quotation_marks_of_a_name_stay(take: Ingest, sqlite: Store, tmp_path: Path, name: str) -> None:
    take(write_text(tmp_path / "a.csv", ["信用代码,企业名称", f"{CODES[0]},{name}"]))
    assert current(sqlite, SubjectVersion)[0]["name"] == name


def test_true_and_one_are_different_cells(take: Ingest, sqlite: Store, tmp_path: Path) -> None:
    cells = ['<c t="b"><v>1</v></c>', number("1"), number("1.0"), text("1"), '<c t="b"><v>1</v></c>']
    rows = [HEAD, *(row(f"R{n}", CODES[0], cell) for n, cell in enumerate(cells))]
    take(Workbook([Tab("a", rows)]).write(tmp_path / "a.xlsx"))
    assert [found["authority"] for found in current(sqlite)] == ["1", "1", "1"]
    assert [(number, value) for number, _, value, _ in quarantined(sqlite)] == [(2, "TRUE"), (6, "TRUE")]


def test_text_beyond_the_headers_is_not_dropped(take: Ingest, sqlite: Store, tmp_path: Path) -> None:
    rows = [HEAD, row("R1", CODES[0], "甲", "1", "2026-03-01", " ", "<c/>"), record("R2")[:-6] + "<c/>"]
    rows[2] += text("备注") + "</row>"
    report = take(Workbook([Tab("a", rows)]).write(tmp_path / "a.xlsx"))
    assert (report.new, report.rejected) == (1, 1)
    assert quarantined(sqlite)[0][0] == 3
    assert "7 cells where the headers have 5" in quarantined(sqlite)[0][3]


# Forms of XML


def test_a_workbook_in_the_strict_form_with_prefixes_is_read(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    sheet = Tab("a", [HEAD, record("R1")]).xml.replace(MAIN, STRICT)
    prefixed = sheet.replace("<", "<x:").replace("<x:/", "</x:").replace("xmlns=", "xmlns:x=")
    take(Workbook([Tab("a", [])], parts={"sheet0.xml": prefixed}).write(tmp_path / "a.xlsx"))
    assert [found["record_id"] for found in current(sqlite)] == ["R1"]


def test_rich_text_is_whole_and_how_it_is_spoken_is_left_out(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    strings = "<si><r><t>云衡</t></r><r><t>税务</t></r><rPh sb='0' eb='1'><t>yún</t></rPh></si>"
    rows = [HEAD, row("R1", CODES[0], '<c t="s"><v>0</v></c>', "1", "2026-03-01")]
    take(Workbook([Tab("a", rows)], strings=strings).write(tmp_path / "a.xlsx"))
    assert current(sqlite)[0]["authority"] == "云衡税务"


def test_days_are_counted_from_the_workbook_s_own_epoch(take: Ingest, sqlite: Store, tmp_path: Path) -> None:
    rows = [HEAD, row("R1", CODES[0], "甲", "1", number(44620, style=1)), record("R2")[:-6] + "</row>"]
    book = Workbook([Tab("a", rows)], formats=["yyyy-mm-dd"], properties='<workbookPr date1904="1"/>')
    take(book.write(tmp_path / "a.xlsx"))
    assert current(sqlite)[0]["occurred_on"] == "2026-03-01"


# The old form, and others


def test_an_old_workbook_is_read_as_it_is_shown(take: Ingest, sqlite: Store, tmp_path: Path) -> None:
    book = xlwt.Workbook()
    book.dates_1904 = True
    hidden, sheet = book.add_sheet("旧"), book.add_sheet("数据")
    hidden.visibility = 1
    book.set_active_sheet(1)
    zeros, day = xlwt.easyxf(num_format_str="0000"), xlwt.easyxf(num_format_str="yyyy-mm-dd")
    for column, header in enumerate(["编号", "信用代码", "机关", "金额", "日期"]):
        sheet.write(0, column, header)
        hidden.write(0, column, header)
    for place, key in enumerate([1, 2, 3, 202603010000000001], start=1):
        sheet.write(place, 0, key, zeros)
        sheet.write(place, 1, CODES[0])
        sheet.write(place, 4, (dt.date(2026, 3, place) - dt.date(1904, 1, 1)).days, day)
    sheet.write_merge(1, 2, 2, 2, "甲局")
    sheet.write(3, 3, xlwt.Formula("1+1"))
    book.save(str(tmp_path / "a.xls"))
    report = take(tmp_path / "a.xls")
    assert states(report.sheets) == {"旧": "hidden", "数据": "read"}
    assert [(r["record_id"], r["authority"], r["occurred_on"]) for r in current(sqlite)] == [
        ("0001", "甲局", "2026-03-01"),
        ("0002", "甲局", "2026-03-02"),
    ]
    assert [(found[0], found[1]) for found in quarantined(sqlite)] == [(4, "金额"), (5, "编号")]
    assert FORMULA in quarantined(sqlite)[0][3]


@pytest.mark.parametrize(
    ("value", "on_load", "is_known"),
    [(bytes(8), 2, False), (bytes(8), 0, True), (b"\3\0\0\0\0\0\xff\xff", 2, False)],
    ids=["a zero for now", "a zero that was calculated", "nothing for now"],
)
def test_of_an_old_workbook_too_what_is_calculated_when_it_is_opened_is_no_value(
    take: Ingest, sqlite: Store, tmp_path: Path, value: bytes, on_load: int, is_known: bool
) -> None:
    book = xlwt.Workbook()
    sheet, day = book.add_sheet("a"), xlwt.easyxf(num_format_str="yyyy-mm-dd")
    for column, header in enumerate(["编号", "信用代码", "机关", "金额", "日期"]):
        sheet.write(0, column, header)
    for column, cell in enumerate(["R1", CODES[0], "甲", xlwt.Formula("1-1"), dt.date(2026, 3, 1)]):
        sheet.write(1, column, cell, *[day] * (column == 4))
    book.save(str(tmp_path / "a.xls"))
    made, cached = (tmp_path / "a.xls").read_bytes(), b"\3\0\0\0\0\0\xff\xff\0\0"
    assert made.count(cached) == 1
    (tmp_path / "a.xls").write_bytes(made.replace(cached, value + bytes([on_load, 0])))
    assert take(tmp_path / "a.xls").new == int(is_known)
    assert [FORMULA in found[3] for found in quarantined(sqlite)] == [True] * (not is_known)


@pytest.mark.parametrize(
    ("name", "part", "said"),
    [
        ("a.xlsb", "xl/workbook.bin", ".xlsb"),
        ("a.ods", "content.xml", ".ods"),
        ("a.numbers", "Index/Document.iwa", ".numbers"),
        ("a.xlsx", "ppt/presentation.xml", ".pptx"),
    ],
)
def test_a_workbook_of_another_form_is_named(
    take: Ingest, tmp_path: Path, name: str, part: str, said: str
) -> None:
    with zipfile.ZipFile(tmp_path / name, "w") as package:
        package.writestr(part, "")
    with pytest.raises(IngestError, match=f"a file of the kind {said}\n.*save it as .xlsx"):
        take(tmp_path / name)


@pytest.mark.parametrize("name", ["a.zip", "a.xlsx"])
def test_an_archive_of_files_is_told_to_be_unpacked(take: Ingest, tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / name, "w") as package:
        package.writestr("三月/处罚.csv", "编号")
    with pytest.raises(IngestError, match=r"a ZIP archive, not a table\n.*unpack it"):
        take(tmp_path / name)


def test_a_table_of_dbase_is_named(take: Ingest, tmp_path: Path) -> None:
    (tmp_path / "a.dbf").write_bytes(bytes([3, 126, 1, 1]) + bytes(60))
    with pytest.raises(IngestError, match=r"a file of the kind dBASE\n.*save it as .xlsx"):
        take(tmp_path / "a.dbf")


@pytest.mark.parametrize(
    "content", ["<html><table>", "<!DOCTYPE html>", '<?xml version="1.0"?>', "\ufeff <table>"]
)
def test_a_page_that_is_called_xls_is_named(take: Ingest, tmp_path: Path, content: str) -> None:
    (tmp_path / "a.xls").write_text(content, encoding="utf-8")
    with pytest.raises(IngestError, match="a file of the kind HTML/XML"):
        take(tmp_path / "a.xls")


def test_a_directory_with_an_unreadable_file_ends_as_a_failure(
    sqlite_url: str, sqlite: Store, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    Workbook([Tab("a", [HEAD, record("R1")])]).write(folder / "a.xlsx")
    (folder / "b.xls").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512))
    (folder / "c.ods").write_bytes(b"PK\x03\x04")
    (folder / "d.csv").symlink_to(tmp_path / "nowhere.csv")
    mapping = write_text(tmp_path / "m.yaml", ARREARS)
    result = CliRunner().invoke(
        main, ["ingest", str(folder), "--mapping", str(mapping), "--database", sqlite_url]
    )
    assert result.exit_code == 1
    assert "a.xlsx\t记录 records\t1\t1" in result.stdout
    for name in ("b.xls", "c.ods", "d.csv"):
        assert f"{name}: " in result.stderr
