"""Workbooks for offices: bad rows to mend and send back, and empty ones to fill in."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import openpyxl
import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from openpyxl.utils.datetime import MAC_EPOCH

from rules.library.loader import load_vocabulary, vocabulary_names
from rules.model import Table
from scoring.cli import main
from scoring.facts.ingest import files, workbooks
from scoring.facts.ingest.cells import Reading, converter
from scoring.facts.ingest.files import table_named
from scoring.facts.ingest.headers import REASON_HEADER
from scoring.facts.ingest.quarantine import write_quarantine
from scoring.facts.ingest.rows import EXAMPLE
from scoring.facts.ingest.workbooks import write_template
from scoring.store import Store
from scoring.store.models import IngestedFile, Quarantined

from .conftest import CODES, Ingest, current, quarantined, write_text, write_workbook
from .test_forms import OFFICE, penalty, write_csv

HEADERS = ("序号", "编号", "信用代码", "类别", "状态", "决定日期（年/月/日）", "金额(万元)", "备注")


def row(number: str, *, day: Any = "2026-03-01", amount: Any = 1, note: str = "") -> tuple[Any, ...]:
    return (7, number, CODES[0], "欠税公告", "有效", day, amount, note)


def sheet_of(path: Path | None) -> Any:
    assert path is not None
    return openpyxl.load_workbook(path).worksheets[0]


def values(sheet: Any) -> list[list[Any]]:
    return [[cell.value for cell in line] for line in sheet.iter_rows()]


def test_bad_rows_come_back_as_they_stood_with_the_wrong_cells_marked(take: Ingest, tmp_path: Path) -> None:
    day = dt.datetime(2026, 3, 1)  # noqa: DTZ001  # as a spreadsheet holds it
    rows = [
        ("某局报送表",),
        HEADERS,
        row("R1"),
        row("R2", day=day, amount=-1, note="甲"),
        row("R3", day="去年底"),
    ]
    sheet = sheet_of(take(write_workbook(tmp_path / "a.xlsx", rows), "enterprise").mend)
    head, second, third = values(sheet)
    assert head == [*HEADERS, REASON_HEADER]
    assert second[:-1] == list(row("R2", day=day, amount=-1, note="甲"))
    assert third[:-1] == [value or None for value in row("R3", day="去年底")]
    assert "≥ 0" in second[-1]
    assert "not a date" in third[-1]
    marked = {cell.coordinate for line in sheet.iter_rows(min_row=2) for cell in line if cell.fill.fill_type}
    assert marked == {"G2", "F3"} == {c.coordinate for line in sheet.iter_rows() for c in line if c.comment}


def test_beyond_many_rows_wrong_cells_are_red_and_the_column_alone_says_why(
    take: Ingest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbooks, "COMMENTED_ROWS", 1)
    rows = [HEADERS, row("R1", day="去年底"), row("R2", amount=-1), row("R3", day="去年底", note="=1+1")]
    sheet = sheet_of(take(write_text(tmp_path / "a.csv", [",".join(map(str, r)) for r in rows]), None).mend)
    marked = {cell.coordinate for line in sheet.iter_rows(min_row=2) for cell in line if cell.fill.fill_type}
    assert marked == {"F2", "G3", "F4"}
    assert {cell.coordinate for line in sheet.iter_rows() for cell in line if cell.comment} == {"F2"}
    assert all("row " in line[-1] for line in values(sheet)[1:])
    quoted = {cell.coordinate for line in sheet.iter_rows() for cell in line if cell.quotePrefix}
    assert quoted == {"G3", "H4"}


def test_of_a_cell_longer_than_a_spreadsheet_takes_the_beginning_comes_back(
    take: Ingest, tmp_path: Path
) -> None:
    said = "甲" * 40_000
    lines = [",".join(HEADERS), ",".join(map(str, row("R1", day="去年底", note=said)))]
    sheet = sheet_of(take(write_text(tmp_path / "a.csv", lines), "enterprise").mend)
    assert said[:32_000] in values(sheet)[1]


def test_a_reason_says_of_which_file_the_rows_are_that_it_names(take: Ingest, tmp_path: Path) -> None:
    rows = [",".join(HEADERS), *(",".join(map(str, row("R1", amount=amount))) for amount in (1, 2))]
    report = take(write_text(tmp_path / "三月.csv", rows), "enterprise")
    (_, double) = values(sheet_of(report.mend))
    assert double[-1].startswith("三月.csv 第3行 row 3: 编号: 编号与第 2 行相同")


def test_what_a_workbook_has_no_form_for_keeps_no_row_from_coming_back(take: Ingest, tmp_path: Path) -> None:
    said = row("R1", day="去年底\uffff", note="甲\ufffe_x003D_1")
    lines = [",".join(HEADERS), ",".join(map(str, said))]
    sheet = sheet_of(take(write_text(tmp_path / "a.csv", lines), "enterprise").mend)
    assert {"去年底⟨U+FFFF⟩", "甲⟨U+FFFE⟩_x005F_x003D_1"} < set(values(sheet)[1])


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("sign", ["\x07", "\x1b", "\x7f", "\x9f", "\ufffe", "\uffff"])
def test_a_control_character_is_seen_where_it_stood_and_is_not_taken_until_it_is_out(
    take: Ingest, sqlite: Store, tmp_path: Path, kind: str, sign: str
) -> None:
    head = ("编号", "信用代码", "机关", "类别", "状态", "决定日期")
    bad = ("R1", CODES[0], f"云衡{sign}税务局", "欠税公告", "有效", "2026-03-01")
    if kind == "csv":
        path = write_text(tmp_path / "a.csv", [",".join(head), ",".join(bad)])
    else:
        coded = [cell.replace(sign, f"_x{ord(sign):04X}_") for cell in bad]
        path = write_workbook(tmp_path / "a.xlsx", [head, coded])
    report, mark = take(path, "enterprise"), f"云衡⟨U+{ord(sign):04X}⟩税务局"
    for _ in range(2):
        assert (report.new, report.rejected) == (0, 1)
        (_, cells) = values(sheet_of(report.mend))
        assert mark in cells
        report = take(cast(Path, report.mend), "enterprise")
    said = quarantined(sqlite)
    assert {(column, value) for _, column, value, _ in said} == {("机关", mark)}
    assert all(f"控制字符⟨U+{ord(sign):04X}⟩" in reason for *_, reason in said)
    workbook = openpyxl.load_workbook(cast(Path, report.mend))
    workbook.worksheets[0]["C2"].value = "云衡税务局"
    workbook.save(tmp_path / "改好.xlsx")
    assert take(tmp_path / "改好.xlsx", "enterprise").new == 1
    assert [record["authority"] for record in current(sqlite)] == ["云衡税务局"]


def test_mended_it_is_taken_with_no_mapping_and_the_reasons_are_passed_over(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    lines = [",".join(HEADERS), ",".join(map(str, row("R1", day="去年底"))), ",".join(map(str, row("R2")))]
    report = take(write_text(tmp_path / "a.csv", lines), "enterprise")
    workbook = openpyxl.load_workbook(cast(Path, report.mend))
    workbook.worksheets[0]["F2"].value = "2026-02-03"
    workbook.save(tmp_path / "改好.xlsx")
    again = take(tmp_path / "改好.xlsx", None)
    assert (again.new, again.rejected, again.ignored) == (1, 0, ("序号", "备注"))
    assert {record["record_id"]: record["occurred_on"] for record in current(sqlite)} == {
        "R1": "2026-02-03",
        "R2": "2026-03-01",
    }


def test_days_are_counted_in_it_as_in_the_workbook_sent(take: Ingest, sqlite: Store, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.epoch = MAC_EPOCH
    sheet = cast(Any, book.active)
    for line in (HEADERS, row("R1", day=44620, amount=-1), row("R2", day=dt.date(2026, 3, 2), amount=-1)):
        sheet.append(line)
    book.save(tmp_path / "a.xlsx")
    workbook = openpyxl.load_workbook(cast(Path, take(tmp_path / "a.xlsx", "enterprise").mend))
    for cell in ("G2", "G3"):
        workbook.worksheets[0][cell].value = 1
    workbook.save(tmp_path / "改好.xlsx")
    assert take(tmp_path / "改好.xlsx", "enterprise").new == 2
    assert [record["occurred_on"] for record in current(sqlite)] == ["2026-03-01", "2026-03-02"]


def test_unmended_it_is_quarantined_again_and_keeps_one_column_of_reasons(
    take: Ingest, tmp_path: Path
) -> None:
    report = take(write_workbook(tmp_path / "a.xlsx", [HEADERS, row("R1", day="")]), "enterprise")
    again = take(cast(Path, report.mend), "enterprise")
    assert again.rejected == 1
    assert values(sheet_of(again.mend))[0] == [*HEADERS, REASON_HEADER]


# Unmended


def reasons(store: Store) -> list[tuple[str, str | None, str]]:
    """The file, column and reason of everything in quarantine, in the order in which it came."""
    with store.reading() as session:
        query = sa.select(IngestedFile.name, Quarantined.column, Quarantined.reason)
        joined = query.join(Quarantined, Quarantined.file_id == IngestedFile.id).order_by(Quarantined.id)
        return [(name, column, reason) for name, column, reason in session.execute(joined)]


def form(number: str = "R1", **said: str) -> dict[str, str]:
    """A row of an official form that has the office's own number besides the document's."""
    return {"记录编号": number, **penalty(**said)}


DOUBLES = {
    "the office's number of another document": [form(), form(行政处罚决定书文号="某市监处罚〔2026〕8号")],
    "the office's number on another day": [form(), form(处罚决定日期="2026/05/13")],
    "the document, without a number": [form(""), form("", 处罚决定日期="2026/05/13")],
    "the document as the office's number": [
        form(f"{OFFICE} 某市监处罚〔2026〕7号"),
        form("", 处罚决定日期="2026/05/13"),
    ],
}


@pytest.mark.parametrize("rows", DOUBLES.values(), ids=DOUBLES)
def test_an_unmended_double_neither_corrects_what_was_taken_nor_is_taken_beside_it(
    take: Ingest, sqlite: Store, tmp_path: Path, rows: list[dict[str, str]]
) -> None:
    first = take(write_csv(tmp_path / "a.csv", *rows), None)
    assert (first.new, first.rejected) == (1, 1)
    known, report = current(sqlite), first
    for _ in range(3):
        report = take(cast(Path, report.mend), None)
        assert (report.new, report.changed, report.rejected) == (0, 0, 1)
    assert current(sqlite) == known
    (_, _, reason), *again = reasons(sqlite)
    zh, en = reason.split("\u2003")
    assert all(said.count("第3行 row 3") == 1 and zh in said and en in said for _, _, said in again)


def test_an_unmended_double_is_taken_when_a_person_clears_its_reason_or_gives_it_a_number(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    rows = [form(), form(处罚决定日期="2026/05/13"), form(行政处罚决定书文号="8号")]
    workbook = openpyxl.load_workbook(cast(Path, take(write_csv(tmp_path / "a.csv", *rows), None).mend))
    sheet = workbook.worksheets[0]
    sheet.cell(2, sheet.max_column).value = None
    sheet["A3"].value = "R2"
    workbook.save(tmp_path / "b.xlsx")
    report = take(tmp_path / "b.xlsx", None)
    assert (report.new, report.changed, report.rejected) == (1, 1, 0)
    assert sorted((r["record_id"], r["occurred_on"]) for r in current(sqlite)) == [
        ("R1", "2026-05-13"),
        ("R2", "2026-05-12"),
    ]


DAY = dt.datetime(2026, 3, 12)  # noqa: DTZ001  # as a spreadsheet holds it
UNREAD: dict[str, tuple[str, Any, str, str]] = {
    "a formula without a value as the number": ("记录编号", "=1+1", "General", "公式没有保存结果"),
    "a day without its year as the number": ("记录编号", DAY, "m-d", "已把它变成日期"),
    "a day without its year as the document": (
        "行政处罚决定书文号",
        DAY,
        "m-d",
        "已把它变成日期",
    ),
    "a formula without a value as an amount": (
        "没收违法所得、没收非法财物的金额（万元）",
        "=1+1",
        "General",
        "公式没有",
    ),
}


@pytest.mark.parametrize(("header", "value", "format_", "reason"), UNREAD.values(), ids=UNREAD)
@pytest.mark.parametrize("mended", [None, "处罚内容"])
def test_what_could_not_be_read_is_refused_again_and_goes_by_no_other_number(
    take: Ingest,
    sqlite: Store,
    tmp_path: Path,
    header: str,
    value: Any,
    format_: str,
    reason: str,
    mended: str | None,
) -> None:
    """Also where another cell of the row was mended."""
    path = write_workbook(tmp_path / "a.xlsx", [[*form()], [*form().values()]])
    workbook = openpyxl.load_workbook(path)
    cell = workbook.worksheets[0].cell(2, [*form()].index(header) + 1)
    cell.value, cell.number_format = value, format_
    workbook.save(path)
    back = openpyxl.load_workbook(cast(Path, take(path, None).mend))
    if mended:
        back.worksheets[0].cell(2, [*form()].index(mended) + 1).value = "改过"
    back.save(tmp_path / "b.xlsx")
    report = take(tmp_path / "b.xlsx", None)
    assert (report.new, report.changed, report.rejected) == (0, 0, 1)
    assert [(column, reason in said) for _, column, said in reasons(sqlite)] == [(header, True)] * 2


def test_cells_merged_over_several_columns_are_refused_again(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    path = write_workbook(tmp_path / "a.xlsx", [[*form()], [*form().values()]])
    workbook = openpyxl.load_workbook(path)
    first = [*form()].index("处罚有效期") + 1
    workbook.worksheets[0].merge_cells(start_row=2, end_row=2, start_column=first, end_column=first + 1)
    workbook.save(path)
    report = take(cast(Path, take(path, None).mend), None)
    assert (report.new, report.rejected) == (0, 1)
    assert ["合并单元格跨越多列" in said for _, _, said in reasons(sqlite)] == [True, True]


@pytest.mark.parametrize("ends", [8, 7, 3])
@pytest.mark.parametrize("mended", [False, True])
def test_a_row_of_too_few_cells_is_not_filled_up(
    take: Ingest, sqlite: Store, tmp_path: Path, ends: int, mended: bool
) -> None:
    """Nobody knows which cell it was that is missing."""
    cells = [*map(str, row("R1")), "甲"][: ends - 1]
    report = take(write_text(tmp_path / "a.csv", [",".join(HEADERS), ",".join(cells)]), "enterprise")
    workbook = openpyxl.load_workbook(cast(Path, report.mend))
    if mended:
        workbook.worksheets[0]["B2"].value = "R2"
    workbook.save(tmp_path / "b.xlsx")
    again = take(tmp_path / "b.xlsx", "enterprise")
    is_all_there = mended and ends == 8  # but for a remark that nobody reads
    assert (again.new, again.rejected) == ((1, 0) if is_all_there else (0, 1))


def test_a_row_whose_quotes_did_not_match_stays_in_quarantine(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    bad = '"' + ",".join(map(str, row("R1")))
    report = take(write_text(tmp_path / "a.csv", [",".join(HEADERS), bad]), "enterprise")
    assert take(cast(Path, report.mend), "enterprise").rejected == 1
    assert ["引号没有结束" in said for _, _, said in reasons(sqlite)] == [True, True]


def test_what_was_refused_for_what_was_not_known_yet_is_taken_as_it_stands(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    lines = [
        "编号,信用代码,企业名称,类别,状态,决定日期",
        "R1,00000000000000000X,某面馆,欠税公告,有效,2026-03-01",
    ]
    report = take(write_text(tmp_path / "a.csv", lines), "enterprise")
    assert report.rejected == 1
    take(write_text(tmp_path / "s.csv", ["统一社会信用代码,企业名称", f"{CODES[0]},某面馆"]), "enterprise")
    assert take(cast(Path, report.mend), "enterprise").new == 1


def test_empty_columns_beyond_the_headers_do_not_come_back(take: Ingest, tmp_path: Path) -> None:
    lines = [",".join((*HEADERS, " ", "")), ",".join((*map(str, row("R1", day="去年底", note="甲")), "", ""))]
    head, bad = values(sheet_of(take(write_text(tmp_path / "a.csv", lines), "enterprise").mend))
    assert head[:9] == [*HEADERS, REASON_HEADER]
    assert bad[:8] == [*map(str, row("R1", day="去年底", note="甲"))]
    assert "not a date" in bad[8]
    assert not any(head[9:] + bad[9:])


def test_as_csv_it_comes_back_too(take: Ingest, tmp_path: Path) -> None:
    lines = [",".join((*HEADERS, REASON_HEADER)), ",".join((*map(str, row("R1")), "决定日期: 不是日期"))]
    report = take(write_text(tmp_path / "a.csv", lines), "enterprise")
    assert (report.new, REASON_HEADER in report.ignored) == (1, False)


def test_double_keys_rows_of_another_width_and_broken_quotes_are_in_it(take: Ingest, tmp_path: Path) -> None:
    lines = [
        ",".join(HEADERS),
        ",".join(map(str, row("R1"))),
        ",".join(map(str, row("R1", amount=2))),
        "1,R2,x",
        ",".join(map(str, (*row("R4", amount="1", note="甲"), "乙"))),
        '1,"R3"x',
    ]
    sheet = sheet_of(take(write_text(tmp_path / "a.csv", lines), "enterprise").mend)
    head, double, short, long, broken = values(sheet)
    reason = head.index(REASON_HEADER)
    assert double[:reason] == [str(value) or None for value in row("R1", amount=2)]
    assert "the same key as in row 2" in double[reason]
    assert short[:3] == ["1", "R2", "x"]
    assert all("待改" in cell for cell in short[3:reason])
    assert "3 cells where the headers have 8" in short[reason]
    assert long[reason - 1 :: 2] == ["甲", "乙"]
    assert "quotes don't match" in broken[reason]


def test_nothing_in_it_is_run_as_a_formula(take: Ingest, tmp_path: Path) -> None:
    bad = row('=HYPERLINK("http://x")', day="=1+1", note="@x")
    report = take(
        write_text(
            tmp_path / "a.csv",
            [",".join(HEADERS), ",".join(f'"{str(v).replace(chr(34), chr(34) * 2)}"' for v in bad)],
        ),
        "enterprise",
    )
    cells = {cell.value: cell for cell in sheet_of(report.mend)[2]}
    for text in ('=HYPERLINK("http://x")', "=1+1", "@x"):
        assert (cells[text].data_type, cells[text].quotePrefix) == ("s", True)


def test_a_file_without_bad_rows_leaves_no_workbook(take: Ingest, tmp_path: Path) -> None:
    assert take(write_workbook(tmp_path / "a.xlsx", [HEADERS, row("R1")]), "enterprise").mend is None
    assert not (tmp_path / "quarantine").exists()


# Templates


def tables() -> list[tuple[str, str]]:
    words = [(name, load_vocabulary(name)) for name in vocabulary_names()]
    return [(name, "subject") for name, _ in words] + [(name, "record") for name, v in words if v.records]


def table(vocabulary: str, dataset: str) -> Table:
    words = load_vocabulary(vocabulary)
    found = words.subject if dataset == "subject" else words.records
    assert found is not None
    return found


def template(tmp_path: Path, vocabulary: str, dataset: str) -> Path:
    path = tmp_path / "模板.xlsx"
    with path.open("wb") as stream:
        write_template(*table_named(vocabulary, dataset), stream)
    return path


# what came of a visit is taken for a code that was issued: tests/inspections
@pytest.mark.parametrize(("vocabulary", "dataset"), [named for named in tables() if named[0] != "visit"])
def test_a_filled_template_is_taken_whole_and_its_example_is_not(
    take: Ingest, sqlite: Store, tmp_path: Path, vocabulary: str, dataset: str
) -> None:
    path = template(tmp_path, vocabulary, dataset)
    workbook = openpyxl.load_workbook(path)
    sheet = workbook["填报"]
    columns = list(table(vocabulary, dataset).columns.values())
    example = [cell.value for cell in sheet[2]]
    assert EXAMPLE in example
    filled = [CODES[0] if column.format else example[n] for n, column in enumerate(columns)]
    filled[list(table(vocabulary, dataset).columns).index(table(vocabulary, dataset).key)] = CODES[0]
    sheet.append(filled)
    workbook.save(path)
    report = take(path, None)
    assert (report.dataset, report.new, report.rejected, report.ignored, report.absent) == (
        dataset,
        1,
        0,
        (),
        (),
    ), quarantined(sqlite)
    assert EXAMPLE not in repr(quarantined(sqlite))


@pytest.mark.parametrize(("vocabulary", "dataset"), tables())
def test_every_closed_list_is_a_drop_down_of_titles_that_are_read(
    tmp_path: Path, vocabulary: str, dataset: str
) -> None:
    workbook = openpyxl.load_workbook(template(tmp_path, vocabulary, dataset))
    sheet, lists = workbook["填报"], workbook["代码"]
    assert lists.sheet_state == "hidden"
    found = {
        str(rule.sqref).split(":")[0].rstrip("0123456789"): rule
        for rule in sheet.data_validations.dataValidation
    }
    for column, cell in zip(table(vocabulary, dataset).columns.values(), sheet[1], strict=True):
        offered = [c.value for c in lists[cell.column_letter] if c.value is not None]
        read = [converter(Reading(column))(title) for title in offered]
        expected = list(column.values) or ([True, False] if column.declared == "boolean" else [])
        assert read == expected
        assert (cell.column_letter in found) == bool(expected)
        if expected:
            assert found[cell.column_letter].formula1.endswith(f"${len(expected)}")


def test_the_columns_of_a_template_are_as_wide_as_their_headers(tmp_path: Path) -> None:
    """Twice as wide as letters are the signs of Chinese."""
    sheet = openpyxl.load_workbook(template(tmp_path, "enterprise", "record"))["填报"]
    widths = {head.value: sheet.column_dimensions[head.column_letter].width for head in sheet[1]}
    assert all(width >= max(12, 2 * len(head)) for head, width in widths.items()), widths
    assert max(widths.values()) > 12


def test_a_template_says_units_and_what_is_required(tmp_path: Path) -> None:
    sheet = openpyxl.load_workbook(template(tmp_path, "enterprise", "record"))["填报"]
    heads = [cell.value for cell in sheet[1]]
    assert {"*记录编号", "*统一社会信用代码", "*认定日期（年-月-日）", "涉及金额（元）", "*信息类别"} <= set(
        heads
    )
    assert sheet.cell(2, heads.index("涉及金额（元）") + 1).value == "1000"


def test_the_command_writes_a_template_and_asks_for_files_without_one(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["ingest", "--template", "record", "--vocabulary", "tourism"])
    assert (result.exit_code, result.stdout_bytes[:2]) == (0, b"PK")
    assert (
        CliRunner().invoke(main, ["ingest", "--template", "record", "--vocabulary", "inspector"]).exit_code
        == 1
    )
    assert CliRunner().invoke(main, ["ingest"]).exit_code == 2


def test_the_accounts_of_a_file_can_be_written_by_two_at_once(sqlite: Store, tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.csv", ["编号,信用代码,类别,状态,日期", *("x,y" for _ in range(500))])
    report = files.ingest_file(sqlite, path, "enterprise", files.Reading(quarantine=tmp_path / "q"))
    number = report.file_id
    assert number is not None
    with ThreadPoolExecutor(8) as pool:
        written = set(pool.map(lambda _: write_quarantine(sqlite, number, tmp_path / "q"), range(40)))
    assert written == {report.quarantine}
    assert len(written.pop().read_text("utf-8-sig").splitlines()) == 501


def test_a_long_name_leaves_room_for_those_of_its_accounts(sqlite: Store, tmp_path: Path) -> None:
    path = write_text(tmp_path / f"{'罚' * 83}.csv", ["编号,信用代码,类别,状态,日期", "x,y"])
    report = files.ingest_file(sqlite, path, "enterprise", files.Reading(quarantine=tmp_path / "q"))
    assert report.quarantine is not None
    assert report.mend is not None
    assert report.quarantine.name.startswith("罚" * 66)
    assert {found.suffix for found in (tmp_path / "q").iterdir()} == {".csv", ".xlsx"}
