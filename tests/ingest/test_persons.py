"""Numbers of natural persons are neither kept nor shown, however they were typed and wherever they stand."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from scoring.characters.persons import NOT_KEPT, is_person, without_persons
from scoring.store import Store

from .conftest import CODES, Ingest, write_text
from .test_forms import penalty, write_csv

NUMBERS = {
    "right": "11010519491231002X",
    "an area code of another year": "500102199001011236",
    "a wrong check digit": "500102199001011237",
    "a small x": "11010519491231002x",
    "wide": "５００１０２１９９００１０１１２３６",
    "in groups": "500102 19900101 1236",
    "old, of 15 digits": "500102900101123",
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


@pytest.mark.parametrize(
    "text",
    [
        *CODES,
        "911101199001010005",  # a credit code of digits alone, with its check character, that holds a date
        "000000000000000000",
        "500102202613011236",  # no such month
        "500102209001011236",  # not yet born
        "500232600123455",  # a registration number with its check digit
        "某市监处罚〔2026〕7号",
    ],
)
def test_what_is_no_person_s_number_stays(text: str) -> None:
    assert without_persons(text) == text
    assert not is_person(text)
