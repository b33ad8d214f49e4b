"""A row whose name is not the name of its code is taken, and somebody is told of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rules.library.loader import load_vocabulary
from scoring.facts.ingest.files import FileReport, Reading, ingest_file
from scoring.facts.noted import noted_rows
from scoring.facts.records import list_records
from scoring.store import Store

from .conftest import CODES, current, quarantined, write_text

PLAIN = "编号,单位名称,信用代码,类别,状态,日期"
FORM = "行政相对人名称,行政相对人代码_1(统一社会信用代码),行政处罚决定书文号,处罚类别,处罚决定日期,处罚机关"
OTHER, PERSON = "云衡区另一家面馆", "欧阳某某"


def take(store: Store, tmp_path: Path, *lines: str) -> FileReport:
    """Takes a file where two enterprises are known, the first of which was called otherwise before."""
    for number, names in enumerate((("甲（集团）商贸公司", PERSON), ("乙商贸公司", PERSON))):
        known = ["信用代码,企业名称", *(f"{code},{name}" for code, name in zip(CODES, names, strict=False))]
        ingest_file(store, write_text(tmp_path / f"{number}.csv", known), "enterprise")
    reading = Reading(quarantine=tmp_path / "q")
    return ingest_file(store, write_text(tmp_path / "a.csv", lines), "enterprise", reading)


@pytest.mark.parametrize("header", [PLAIN, FORM])
def test_a_row_that_calls_its_enterprise_otherwise_is_taken_with_a_warning(
    store: Store, tmp_path: Path, header: str
) -> None:
    rest = ",行政许可,有效,2026-03-05" if header == PLAIN else ",某罚〔2026〕1号,警告,2026-03-05,某局"
    row = f"{OTHER},{CODES[0]}{rest}"
    report = take(store, tmp_path, header, f"R1,{row}" if header == PLAIN else row)
    assert (report.new, report.rejected, report.warned) == (1, 0, 1)
    assert report.warnings is not None
    assert current(store)[0]["subject_id"] == CODES[0]
    ((number, column, value, reason),) = quarantined(store)
    assert (number, value) == (2, OTHER)
    assert column in header.split(",")
    assert reason.startswith(f"名称不是代码{CODES[0]}登记的“乙商贸公司”（请核对代码和名称是否同一主体）")


@pytest.mark.parametrize("name", ["乙\u3164商贸公司", "“乙商贸公司”", "乙商贸公司\ufe0f"])
def test_a_name_that_looks_the_same_is_the_same_enterprise(store: Store, tmp_path: Path, name: str) -> None:
    row = f"R1,{name},00000000000000000X,欠税公告,有效,2026-03-01"
    report = take(store, tmp_path, PLAIN.replace("单位名称", "企业名称"), row)
    assert (report.new, report.rejected) == (1, 0)
    assert [record["subject_id"] for record in current(store)] == [CODES[0]]


def test_what_is_odd_about_a_row_that_is_set_aside_is_one_of_its_faults(store: Store, tmp_path: Path) -> None:
    """Not "taken, but odd": it was not taken."""
    report = take(store, tmp_path, PLAIN, f"R1,{OTHER},{CODES[0]},行政处罚,有效,2026-03-05")
    assert (report.new, report.rejected, report.warned) == (0, 1, 0)
    with store.reading() as session:
        listed = [(note.level, note.value == OTHER) for note in noted_rows(session, report.file_id or 0)]
    assert {level for level, _ in listed} == {"error"}
    assert any(is_name for _, is_name in listed)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("乙商贸公司", CODES[0]),
        ("甲(集团) 商贸公司", CODES[0]),
        ("甲集团商贸公司", CODES[0]),
        ("", CODES[0]),
        ("—", CODES[0]),
        (OTHER, CODES[2]),
    ],
    ids=["its own", "a former one", "without brackets", "none", "a filler", "of nobody known"],
)
def test_what_it_was_ever_called_is_its_name(store: Store, tmp_path: Path, name: str, code: str) -> None:
    report = take(store, tmp_path, PLAIN, f"R1,{name},{code},行政许可,有效,2026-03-05")
    assert (report.new, report.warned, quarantined(store)) == (1, 0, [])


KNOWN = {
    "重庆云衡食品有限公司": [
        "重庆云衡食品有限公司（原重庆云横食品厂）", "重庆新衡食品有限公司（原重庆云衡食品有限公司）",
        "重庆新衡食品有限公司（曾用名：重庆云衡食品有限公司）", "重庆云衡食品有限公司(已注销)",
        "重庆云衡食品有限公司江北分公司", "重庆云衡食品有限公司第二门市部", "重庆云衡食品有限责任公司",
        "重庆****有限公司", "重庆＊＊食品有限公司", "重庆某食品有限公司", "重庆XX有限公司",
    ],
    "张三丰": ["张**", "张某", "张某某", "张×丰"],
    "重庆云衡食品有限公司江北分公司": ["重庆云衡食品有限公司"],
    "云衡区张记面馆（个体工商户）": ["云衡区张记面馆", "云衡区张*面馆"],
    "赵**": ["赵四"],
}  # fmt: skip
ANOTHER = {
    "重庆云衡食品有限公司": [
        "重庆云横食品有限公司", "重庆**商贸有限公司", "重庆云衡商贸有限公司（原重庆云衡百货）",
        "重庆云横食品有限公司江北分公司", "重庆云衡食品有限公司工会", "四川云衡食品有限公司（已注销）",
    ],
    "张三丰": ["李**", "李某", "张三"],
    "重庆云衡食品有限公司江北分公司": ["重庆云衡食品有限公司渝北分公司"],
    "云衡区张记面馆（解放碑店）": ["云衡区张记面馆（江北店）"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("known", "said", "warned"),
    [(known, name, 0) for known, names in KNOWN.items() for name in names]
    + [(known, name, 1) for known, names in ANOTHER.items() for name in names],
)
def test_only_of_a_name_that_surely_is_anothers_somebody_is_told(
    sqlite: Store, tmp_path: Path, known: str, said: str, warned: int
) -> None:
    ingest_file(
        sqlite, write_text(tmp_path / "0.csv", ["信用代码,企业名称", f"{CODES[0]},{known}"]), "enterprise"
    )
    lines = [PLAIN, f"R1,{said},{CODES[0]},行政许可,有效,2026-03-05"]
    path = write_text(tmp_path / "a.csv", lines)
    report = ingest_file(sqlite, path, "enterprise", Reading(quarantine=tmp_path / "q"))
    assert (report.new, report.warned) == (1, warned)


def test_a_name_that_may_be_a_person_s_is_not_shown(store: Store, tmp_path: Path) -> None:
    rows = (f"R1,李四,{CODES[0]},行政许可,有效,2026-03-05", f"R2,{OTHER},{CODES[1]},行政许可,有效,2026-03-05")
    report = take(store, tmp_path, PLAIN, *rows)
    assert report.warned == 2
    assert [value for _, _, value, _ in quarantined(store)] == ["", OTHER]
    assert report.warnings is not None
    told = report.warnings.read_text(encoding="utf-8-sig")
    assert "李四" not in told
    assert PERSON not in told


def test_a_row_that_is_found_by_its_registration_number_may_be_called_otherwise(
    store: Store, tmp_path: Path
) -> None:
    known = ["信用代码,工商注册号,企业名称", f"{CODES[0]},500232600123455,乙商贸公司"]
    ingest_file(store, write_text(tmp_path / "0.csv", known), "enterprise")
    lines = (
        "编号,名称,注册号,信用代码,类别,状态,日期",
        f"R1,{OTHER},500232600123455,,行政许可,有效,2026-03-05",
    )
    ingest_file(
        store, write_text(tmp_path / "a.csv", lines), "enterprise", Reading(quarantine=tmp_path / "q")
    )
    assert [(column, value) for _, column, value, _ in quarantined(store)] == [
        ("名称", OTHER),
        ("信用代码", ""),
    ]


@pytest.mark.parametrize(
    ("registered", "said"),
    [
        ("重庆（云衡）商贸公司", "重庆云衡商贸公司"),
        ("重庆云衡商贸公司", "重庆（云衡）商贸公司"),
        ("重庆 云衡 商贸公司", "重庆云衡商贸公司"),
        ("重庆(云衡) 商贸公司", "重庆 云衡商贸　公司"),
    ],
)
def test_an_enterprise_without_code_is_found_whatever_spaces_and_brackets_its_name_has(
    store: Store, tmp_path: Path, registered: str, said: str
) -> None:
    """The one that has it; of several it is said which they are."""
    known = ["信用代码,企业名称", f"{CODES[0]},{registered}"]
    ingest_file(store, write_text(tmp_path / "s.csv", known), "enterprise")
    lines = [PLAIN, f"R1,{said},,行政许可,有效,2026-03-05"]
    reading = Reading(quarantine=tmp_path / "q")
    report = ingest_file(store, write_text(tmp_path / "a.csv", lines), "enterprise", reading)
    assert (report.new, report.rejected, report.warned) == (1, 0, 1)
    assert current(store)[0]["subject_id"] == CODES[0]
    twice = [known[0], *(f"{code},{registered}（）" for code in CODES[1:])]
    ingest_file(store, write_text(tmp_path / "t.csv", twice), "enterprise")
    lines[1] = f"R2,〔{said}〕,,行政许可,有效,2026-03-05"
    report = ingest_file(store, write_text(tmp_path / "b.csv", lines), "enterprise", reading)
    assert (report.new, report.rejected) == (0, 1)
    assert all(code in quarantined(store)[-1][-1] for code in CODES)


SPELLINGS = ["甲 局", "甲\u3000局", "甲\n局", "甲\r\n局", "甲_x000D_\n局", "甲\u2028局", "甲\t局 "]


@pytest.mark.parametrize("spelled", SPELLINGS)
def test_spaces_and_line_breaks_in_a_name_make_no_other_authority(
    store: Store, tmp_path: Path, spelled: str
) -> None:
    """Neither of a record that is found by its authority and document, nor of whose it is."""
    row = f"{CODES[0]},某罚〔2026〕1号,警告,2026-03-05"
    report = take(store, tmp_path, FORM, f'乙商贸公司,{row},"{spelled}"')
    again = take(store, tmp_path, FORM, f'"乙 商贸\n公司",{row},甲局')
    assert (report.new, again.unchanged, again.warned) == (1, 1, 0)
    assert [record["authority"] for record in current(store)] == ["甲局"]


@pytest.mark.parametrize("spelled", SPELLINGS)
@pytest.mark.parametrize("is_registered", [True, False])
def test_an_office_owns_its_records_however_its_name_is_broken(
    store: Store, tmp_path: Path, spelled: str, is_registered: bool
) -> None:
    if is_registered:
        ingest_file(
            store,
            write_text(tmp_path / "b.csv", ["单位编码,单位名称,其他名称", f'DW301,"{spelled}",甲 分\n局']),
            "department",
            Reading(dataset="subject"),
        )
    head = f"{PLAIN},认定机关"
    own = Reading(authority="甲局", quarantine=tmp_path / "q")
    rest = f"乙商贸公司,{CODES[0]},行政许可,有效"
    first = write_text(tmp_path / "1.csv", [head, f'R1,{rest},2026-03-05,"{spelled}"'])
    later = write_text(tmp_path / "2.csv", [head, f"R1,{rest},2026-03-06,"])
    others = write_text(tmp_path / "3.csv", [head, f"R1,{rest},2026-03-07,乙局"])
    assert ingest_file(store, first, "enterprise", own).new == 1
    assert ingest_file(store, later, "enterprise", replace(own, authority=spelled)).changed == 1
    assert ingest_file(store, others, "enterprise", replace(own, authority="乙 局")).rejected == 1
    found = list_records(store, load_vocabulary("enterprise"), authority=spelled)
    assert [record.record_id for record in found] == ["R1"]


def test_a_code_that_nobody_has_makes_no_enterprise_without_a_name_in_silence(
    store: Store, tmp_path: Path
) -> None:
    new, stranger = CODES[1], CODES[2]
    named = ["信用代码,企业名称,从业人数", f"{CODES[0]},乙商贸公司,5", f"{new},,7"]
    reading = Reading(dataset="subject", quarantine=tmp_path / "q")
    report = ingest_file(store, write_text(tmp_path / "a.csv", named), "enterprise", reading)
    assert (report.new, report.rejected, report.warned) == (2, 0, 1)
    less = ["信用代码,从业人数", f"{CODES[0]},6", f"{new},8", f"{stranger},9"]
    report = ingest_file(store, write_text(tmp_path / "b.csv", less), "enterprise", reading)
    assert (report.new, report.changed, report.rejected, report.warned) == (1, 2, 0, 1)
    told = [(row, column, value) for row, column, value, _ in quarantined(store)]
    assert told == [(3, "信用代码", new), (4, "信用代码", stranger)]
    assert quarantined(store)[0][3].startswith("库中没有该代码,且未写名称:新增的主体没有名称")
