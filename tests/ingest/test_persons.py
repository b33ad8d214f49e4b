"""Numbers of natural persons are neither kept nor shown, however they were typed and wherever they stand."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from scoring.characters.persons import NOT_KEPT, has_person, has_surely, without_persons
from scoring.facts.ingest.errors import IngestError
from scoring.store import Store

from .conftest import CODES, Ingest, write_text, write_workbook
from .test_forms import penalty, write_csv

NUMBERS = {
    "right": "11010519491231002X",
    "an area code of another year": "500102199001011236",
    "a wrong check digit": "500102199001011237",
    "a small x": "11010519491231002x",
    "wide": "５００１０２１９９００１０１１２３６",
    "in groups": "500102 19900101 1236",
    "old, of 15 digits": "500102900101123",
    "in other groups": "500102–19900101.1236",
    "in groups behind another number": "3 500102 19900101 1236",
    "with directions, as a telephone copies it": "\u202d500102\u202c19900101\u202d1236",
    "a sign like an X": "11010519491231002×",
    "digits of another script": "٥٠٠١٠٢١٩٩٠٠١٠١١٢٣٦",
    "as a program writes what it took for a number": "5.001021990010112e+17",
    "whose last digit would be right in a credit code as well": "500102199001019705",
}
CODE = "行政相对人代码_1(统一社会信用代码)"


def everything(store: Store, folder: Path) -> str:
    """All that is in the store and in the accounts of what was refused."""
    with store.reading() as session:
        told = list(session.connection().connection.dbapi_connection.iterdump())  # type: ignore[union-attr]
    told += [path.read_text(encoding="utf-8-sig") for path in folder.glob("*.csv")]
    for path in folder.glob("*.xlsx"):
        told += [
            f"{cell.value} {cell.comment and cell.comment.text}"
            for sheet in openpyxl.load_workbook(path)
            for line in sheet
            for cell in line
        ]
    return "\n".join(told)


@pytest.mark.parametrize("number", NUMBERS.values(), ids=NUMBERS)
def test_a_form_keeps_nothing_of_a_person_whose_number_stands_for_a_code(
    take: Ingest, sqlite: Store, tmp_path: Path, number: str
) -> None:
    row = penalty(行政相对人名称="赵隐名", 处罚决定日期="去年") | {CODE: number}
    report = take(write_csv(tmp_path / "a.csv", row, penalty()), None)
    assert (report.new, report.rejected) == (1, 1)
    kept = everything(sqlite, tmp_path / "quarantine")
    assert "自然人" in kept
    assert number not in kept
    assert "赵隐名" not in kept


@pytest.mark.parametrize("number", NUMBERS.values(), ids=NUMBERS)
def test_a_plain_file_keeps_no_number_of_a_person(
    take: Ingest, sqlite: Store, tmp_path: Path, number: str
) -> None:
    lines = [
        "记录编号,统一社会信用代码,发生日期,金额",
        f"R-1,{number},2026-01-02,",
        f"R-2,{CODES[0]},{number},",  # in the place of a day, and of an amount
        f"R-3,{CODES[0]},2026-01-02,罚款{number}元",
        f"R-4,{CODES[0]},2026-01-02,1,{number}",
        f"R-5,{CODES[0]},去年,1",
    ]
    report = take(write_text(tmp_path / "处罚.csv", lines))
    assert (report.new, report.rejected) == (0, 5)
    kept = everything(sqlite, tmp_path / "quarantine")
    assert NOT_KEPT in kept
    assert number not in kept
    assert "R-5" in kept
    assert "R-1" not in kept


def test_a_row_that_is_right_otherwise_is_not_taken_with_a_person_s_number(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    lines = [
        "记录编号,统一社会信用代码,信息类别,记录状态,发生日期,文书号",
        f"R-1,{CODES[0]},行政许可,有效,2026-01-02,赵某500102199001011236",
        f"500102-19900101-1236,{CODES[0]},行政许可,有效,2026-01-02,",
        f"500156202601020001,{CODES[0]},行政许可,有效,2026-01-02,500156202601020012",  # an office's own
    ]
    report = take(write_text(tmp_path / "赵某500102199001011236.csv", lines), "enterprise")
    assert (report.new, report.rejected) == (1, 2)
    assert report.quarantine is not None
    kept = everything(sqlite, tmp_path / "quarantine") + report.quarantine.name
    assert "自然人的证件号码,不予保存" in kept
    assert "500156202601020012" in kept
    assert "19900101" not in kept


def test_a_sheet_that_is_called_by_a_person_s_number_goes_by_its_place(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    headers = ["记录编号", "统一社会信用代码", "信息类别", "记录状态", "发生日期"]
    rows = [[f"R-{day}", CODES[0], "行政许可", "有效", f"2026-01-{day}"] for day in ("02", "40")]
    report = take(write_workbook(tmp_path / "a.xlsx", [headers, *rows], "500102199001011236"), "enterprise")
    assert (report.new, report.rejected) == (1, 1)
    kept = everything(sqlite, tmp_path / "quarantine") + str(report.sheets)
    assert "［名称不予保存］1" in kept
    assert report.mend is not None
    assert openpyxl.load_workbook(report.mend).sheetnames == ["［名称不予保存］1"]
    assert "500102199001011236" not in kept


def test_a_file_without_headers_is_refused_without_the_numbers_that_stand_for_them(
    take: Ingest, tmp_path: Path
) -> None:
    with pytest.raises(IngestError) as refused:
        take(write_text(tmp_path / "a.csv", [f"R-1,{CODES[0]},500102199001011236"]), "enterprise")
    assert "500102199001011236" not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        *CODES,
        "911101199001010005",  # a credit code of digits alone, with its check character, that holds a date
        "000000000000000000",
        "500102202613011236",  # no such month
        "500102209001011236",  # not yet born
        "500232600123455",  # a registration number with its check digit
        "51110219900101005X",  # one of an association in Beijing, with its check character
        "某市监处罚〔2026〕7号",
        "1 | 2026-01-02 | 500102 | 2026-01-02",
    ],
)
def test_what_is_no_person_s_number_stays(text: str) -> None:
    assert without_persons(text) == text
    assert not has_person(text)


@pytest.mark.parametrize(
    ("number", "is_sure"),
    [
        ("500102199001011236", True),
        ("11010519491231002x", True),
        ("500102199001011237", False),  # a wrong check digit
        ("500102900101123", False),
        ("500102202001010019", False),  # a child, or an office's number of this day
    ],
)
def test_only_a_number_that_can_hardly_be_another_is_taken_out_of_what_offices_number(
    number: str, is_sure: bool
) -> None:
    assert has_person(number)
    assert has_surely(number) is is_sure


RIGHT, OTHER, WIDE = NUMBERS["right"], NUMBERS["an area code of another year"], NUMBERS["wide"]


@pytest.mark.parametrize(
    "text",
    [OTHER + OTHER, RIGHT + OTHER, OTHER + RIGHT, OTHER + WIDE, OTHER * 3, f"甲{OTHER}{RIGHT}、{OTHER}"],
    ids=["two", "behind an X", "before an X", "wide", "three", "in a text"],
)
def test_the_numbers_of_several_persons_are_found_with_nothing_between_them(text: str) -> None:
    assert has_person(text)
    assert has_surely(text)
    kept = without_persons(text)
    assert not any(character.isdecimal() for character in kept)


def test_a_long_number_of_another_kind_is_not_taken_for_those_of_several_persons() -> None:
    for text in (OTHER + "1" * 18, "9" * 36, OTHER + "123456"):
        assert without_persons(text) == text
