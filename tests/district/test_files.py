"""The district's files: invented, the same for the same seed, dirty where we know it and nowhere else."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from stdnum.cn import uscc

from district import SMALL
from fixtures.damage import REASONS
from fixtures.district import dirty_rows, write_district
from fixtures.places import DIVISION
from rules.library.loader import load_vocabulary
from scoring.store import Store
from scoring.store.documents import decode
from scoring.store.models import IngestedFile, Quarantined, SubjectVersion


def contents(directory: Path) -> dict[str, bytes]:
    return {str(p.relative_to(directory)): p.read_bytes() for p in directory.rglob("*") if p.is_file()}


def current_subjects(store: Store, vocabulary: str) -> Iterator[dict[str, object]]:
    query = sa.select(SubjectVersion.data).filter_by(vocabulary=vocabulary, known_until=None)
    with store.reading() as session:
        for document in session.scalars(query):
            yield decode(document, load_vocabulary(vocabulary).subject)


def test_the_same_seed_gives_the_same_bytes(small_district: Path, tmp_path: Path) -> None:
    paths = write_district(tmp_path, **SMALL)
    assert contents(tmp_path) == contents(small_district)
    assert {path.suffix for path in paths} == {".csv", ".xlsx"}
    assert all(path.is_file() for path in paths)


def test_another_seed_gives_another_district(small_district: Path, tmp_path: Path) -> None:
    write_district(tmp_path, seed=1, **SMALL)
    register = "enterprise/01_企业登记信息.csv"
    assert contents(tmp_path)[register] != contents(small_district)[register]


def test_files_come_in_the_encodings_of_offices(district: Path) -> None:
    assert (district / "enterprise/01_企业登记信息.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert not (district / "enterprise/05_生态环境_评价与执法.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    tax = (district / "enterprise/04_税务_纳税信用.csv").read_bytes()
    assert "纳税缴费信用级别" in tax.decode("gb18030")
    with pytest.raises(UnicodeDecodeError):
        tax.decode("utf-8")


def test_headings_codes_dates_and_amounts_are_written_as_offices_write_them(district: Path) -> None:
    path = district / "enterprise/02_市场监管_处罚与名录.csv"
    text = path.read_text(encoding="utf-8-sig")
    heading = next(csv.reader(text.splitlines()))
    assert all(re.search("[\u4e00-\u9fff]", cell) for cell in heading)
    assert "行政处罚" in text
    assert "penalty" not in text
    assert re.search(r",\d+(\.\d+)?万,", text)
    assert re.search(r'"\d{1,3},\d{3}\.00"', text)
    assert re.search("[0-9]", text)
    assert re.search(r"\d{4}年\d{1,2}月\d{1,2}日", text)
    assert re.search(r"\d{4}-\d{2}-\d{2}", text)


def test_every_row_that_was_spoilt_is_refused_and_no_other(district: Path, district_store: Store) -> None:
    planted = {(Path(row.file).name, row.row) for row in dirty_rows(district)}
    query = (
        sa.select(IngestedFile.name, Quarantined.row_no)
        .join(IngestedFile, IngestedFile.id == Quarantined.file_id)
        .where(Quarantined.level == "error")
    )
    with district_store.reading() as session:
        refused = {(name, row) for name, row in session.execute(query)}
    assert refused == planted
    assert len(planted) >= 80


def test_a_spoilt_cell_is_refused_for_its_column_and_value(district: Path, district_store: Store) -> None:
    planted = [row for row in dirty_rows(district) if row.reason in ("check_digit", "date", "code", "number")]
    query = sa.select(IngestedFile.name, Quarantined.row_no, Quarantined.column, Quarantined.value).join(
        IngestedFile, IngestedFile.id == Quarantined.file_id
    )
    with district_store.reading() as session:
        refused = {tuple(row) for row in session.execute(query)}
    assert {(Path(row.file).name, row.row, row.column, row.value) for row in planted} <= refused


def test_there_are_dirty_rows_of_every_kind(district: Path) -> None:
    assert {row.reason for row in dirty_rows(district)} == set(REASONS)


@pytest.mark.parametrize("vocabulary", ["enterprise", "tourism"])
def test_credit_codes_are_valid_and_of_no_real_district(district_store: Store, vocabulary: str) -> None:
    codes = [str(subject["subject_id"]) for subject in current_subjects(district_store, vocabulary)]
    assert codes
    assert all(uscc.is_valid(code) and code[2:8] == DIVISION for code in codes)


def test_of_a_household_there_is_a_number_alone(district_store: Store) -> None:
    households = [s for s in current_subjects(district_store, "rural") if s["form"] == "household"]
    assert len(households) == 420
    assert {subject["name"] for subject in households} == {None}


def test_a_small_district_keeps_the_proportions(small_district: Path) -> None:
    with (small_district / "enterprise/01_企业登记信息.csv").open(encoding="utf-8-sig", newline="") as file:
        heading, *rows = csv.reader(file)
    joined = heading.index(next(cell for cell in heading if "注册日期" in cell))
    spoilt = {row.row for row in dirty_rows(small_district) if row.file.startswith("enterprise/01")}
    good = [row for number, row in enumerate(rows, start=2) if number not in spoilt]
    assert len(good) == 240
    assert sum(1 for row in good if row[joined]) == round(2917 * 240 / 6000)
