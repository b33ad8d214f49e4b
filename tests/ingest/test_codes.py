"""Codes that break GB 32100-2015 and are in use, and rows whose subject has no usable code."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc

from fixtures.codes import credit_code
from scoring.facts.ingest.cells import is_right
from scoring.facts.ingest.files import FileReport, Reading, ingest_file
from scoring.store import Store
from scoring.store.models import SubjectVersion

from .conftest import CODES, Ingest, current, quarantined, write_text

PILOT = "91350211M0000XUF46"
FILLER = "00000000000000000X"
ZEROS = "0" * 18
"""Its check character is right."""
SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
HEADERS = "编号,行政相对人代码_1(统一社会信用代码),行政相对人代码_2(工商注册号),行政相对人名称,类别,状态,日期"


@given(st.text("0123456789ABCDEFGHJKLMNPQRTUWXYIOSVZ一 -", min_size=15, max_size=20))
def test_a_code_is_right_as_another_library_says(code: str) -> None:
    """python-stdnum is the second opinion, on random texts and with each check character."""
    for number in (code, *(code[:17] + sign for sign in SIGNS)):
        assert is_right(number) == (uscc.is_valid(number) and uscc.compact(number) == number)


@given(st.text("0123456789", min_size=8, max_size=8), st.text(SIGNS, min_size=9, max_size=9))
def test_of_all_check_characters_one_is_right(digits: str, rest: str) -> None:
    first = digits + rest
    assert [sign for sign in SIGNS if is_right(first + sign)] == [uscc.calc_check_digit(first)]


def listed(code: str, number: str = "", name: str = "") -> str:
    return f"R1,{code},{number},{name},失信被执行人,有效,2026-01-01"


@pytest.mark.parametrize("code", [PILOT, "91350203M0001FUE2P", "91350100m0001 TGQXM"])
def test_a_code_of_the_pilot_is_taken(take: Ingest, sqlite: Store, tmp_path: Path, code: str) -> None:
    assert take(write_text(tmp_path / "a.csv", ["信用代码", code]), "enterprise").new == 1
    assert current(sqlite, SubjectVersion)[0]["subject_id"] == code.upper().replace(" ", "")


@pytest.mark.parametrize(
    "code", ["91110211M0000XUF46", "91350211M0000XUI46", "91350211M0000XUF4", "91350211MA000XUF46"]
)
def test_the_exception_holds_for_its_pattern_alone(take: Ingest, tmp_path: Path, code: str) -> None:
    assert take(write_text(tmp_path / "a.csv", ["信用代码", code]), "enterprise").rejected == 1


@pytest.mark.parametrize("code", [FILLER, ZEROS])
def test_a_filler_is_no_subject(take: Ingest, sqlite: Store, tmp_path: Path, code: str) -> None:
    path = write_text(tmp_path / "a.csv", ["信用代码,企业名称", f"{code},甲"])
    assert take(path, "enterprise").rejected == 1
    assert "a filler, not a code" in quarantined(sqlite)[0][3]


def find(store: Store, tmp_path: Path, row: str) -> FileReport:
    """What becomes of a record when three enterprises are known, two of them of one name."""
    subjects = [
        "信用代码,工商注册号,企业名称",
        f"{CODES[0]},500232600123455,云衡区小卖店",
        f"{CODES[1]},,云衡区面馆",
        f"{CODES[2]},500232600999999,云衡区面馆",
    ]
    reading = Reading(quarantine=tmp_path)
    ingest_file(store, write_text(tmp_path / "企业.csv", subjects), "enterprise", reading)
    return ingest_file(store, write_text(tmp_path / "a.csv", [HEADERS, row]), "enterprise", reading)


@pytest.mark.parametrize(
    ("row", "subject"),
    [
        (listed(FILLER, "500232600123455"), CODES[0]),
        (listed(FILLER, "", "云衡区小卖店"), CODES[0]),
        (listed(ZEROS, "", "云衡区小卖店"), CODES[0]),
        (listed("", "", "云衡区小卖店"), CODES[0]),
        (listed(FILLER, "５００２３２６００９９９９９９", "云衡区面馆"), CODES[2]),
        (listed(FILLER, "1", "云衡区小卖店"), CODES[0]),
    ],
)
def test_a_subject_is_found_by_registration_number_or_name_and_that_is_said(
    store: Store, tmp_path: Path, row: str, subject: str
) -> None:
    report = find(store, tmp_path, row)
    assert (report.new, report.rejected, report.warned) == (1, 0, 1)
    (record,) = current(store)
    assert record["subject_id"] == subject
    assert set(record) == {"record_id", "subject_id", "kind", "status", "occurred_on"}
    assert subject in quarantined(store)[-1][3]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (listed(FILLER, "", "云衡区面馆"), f"{CODES[1]}、{CODES[2]}"),
        (listed(FILLER, "1", "没有这户"), "no subject fits"),
        (listed(FILLER), "a filler, not a code"),
        (listed("", "—", "无"), "empty, and required"),
    ],
)
def test_what_fits_none_or_several_is_listed_for_a_person(
    store: Store, tmp_path: Path, row: str, said: str
) -> None:
    report = find(store, tmp_path, row)
    assert (report.new, report.rejected) == (0, 1)
    assert said in quarantined(store)[-1][3]


@pytest.mark.parametrize("many", [2, 5, 6])
def test_of_many_of_one_name_five_are_shown_and_it_is_said_that_there_are_more(
    sqlite: Store, tmp_path: Path, many: int
) -> None:
    chance = random.Random(5)
    codes = sorted(credit_code(chance, "91") for _ in range(many))
    reading = Reading(quarantine=tmp_path)
    known = ["信用代码,企业名称", *(f"{code},云衡区面馆" for code in codes)]
    ingest_file(sqlite, write_text(tmp_path / "企业.csv", known), "enterprise", reading)
    row = listed(FILLER, "", "云衡区面馆")
    ingest_file(sqlite, write_text(tmp_path / "a.csv", [HEADERS, row]), "enterprise", reading)
    shown = "、".join(codes[:5]) + ("…" if many > 5 else "")
    assert f"相同的有{many}户:{shown} {many} fit by name" in quarantined(sqlite)[-1][3]


def test_a_row_with_its_code_is_not_looked_up_by_name(store: Store, tmp_path: Path) -> None:
    find(store, tmp_path, listed(CODES[1], "", "云衡区小卖店"))
    assert current(store)[0]["subject_id"] == CODES[1]


def test_many_rows_are_found_at_once(take: Ingest, sqlite: Store, tmp_path: Path) -> None:
    take(write_text(tmp_path / "b.csv", ["信用代码,企业名称", f"{CODES[0]},甲"]), "enterprise")
    rows = [f"R{n},{FILLER},,甲,失信被执行人,有效,2026-01-01" for n in range(1_201)]
    report = take(write_text(tmp_path / "a.csv", [HEADERS, *rows]), "enterprise")
    assert (report.new, report.warned) == (1_201, 1_201)


NUMBER = "500232600123455"
REGISTER = ["统一社会信用代码,工商注册号,企业名称", f"{CODES[0]},{NUMBER},某小卖店", f"{CODES[1]},,某面馆"]
EITHER = [
    "统一社会信用代码/注册号",
    "统一社会信用代码（注册号）",
    "2.注册号或统一社会信用代码*",
    "信用代码（或工商注册号）",
]


@pytest.mark.parametrize(
    ("registered", "said"),
    [
        ("某贸易（重庆）有限公司", "某贸易(重庆)有限公司"),
        ("某贸易(重庆)有限公司", "某贸易（重庆） 有限公司"),
        ("某贸易重庆有限公司", "某贸易（重庆）有限公司"),
        ("Some Trading(Chongqing)", "Some Trading（Chongqing）"),
    ],
)
def test_a_name_is_found_whatever_its_brackets_and_spaces(
    store: Store, tmp_path: Path, registered: str, said: str
) -> None:
    reading = Reading(quarantine=tmp_path)
    register = ["统一社会信用代码,企业名称", f"{CODES[0]},{registered}", f"{CODES[1]},某商贸有限公司"]
    ingest_file(store, write_text(tmp_path / "企业.csv", register), "enterprise", reading)
    head = "编号,信用代码,企业名称,类别,状态,日期"
    lines = [head, f"R1,,{said},行政许可,有效,2026-03-05", "R2,,某商 贸,行政许可,有效,2026-03-05"]
    report = ingest_file(store, write_text(tmp_path / "许可.csv", lines), "enterprise", reading)
    assert (report.new, report.warned, report.rejected) == (1, 1, 1)
    assert [known["subject_id"] for known in current(store)] == [CODES[0]]


def test_a_name_as_it_is_written_goes_before_one_with_other_brackets(store: Store, tmp_path: Path) -> None:
    reading = Reading(quarantine=tmp_path)
    register = ["统一社会信用代码,企业名称", f"{CODES[0]},某店（东）", f"{CODES[1]},某店(东)"]
    ingest_file(store, write_text(tmp_path / "企业.csv", register), "enterprise", reading)
    head = "编号,信用代码,企业名称,类别,状态,日期"
    said = ("某店(东)", "某店东")
    lines = [head, *(f"R{n},,{name},行政许可,有效,2026-03-05" for n, name in enumerate(said))]
    report = ingest_file(store, write_text(tmp_path / "许可.csv", lines), "enterprise", reading)
    assert (report.new, report.rejected) == (1, 1)
    assert [known["subject_id"] for known in current(store)] == [CODES[1]]


def _listed(header: str, *codes: str) -> dict[str, list[str]]:
    lines = [f"{code},通过登记的住所无法联系,2026-03-0{day},某局" for day, code in enumerate(codes, start=1)]
    plain = [f"R{day},{code},行政许可,有效,2026-03-05" for day, code in enumerate(codes, start=1)]
    return {
        "经营异常名录.csv": [f"{header},列入原因,列入日期,列入决定机关", *lines],
        "许可.csv": [f"编号,{header},类别,状态,日期", *plain],
    }


@pytest.mark.parametrize("header", EITHER)
@pytest.mark.parametrize("name", ["经营异常名录.csv", "许可.csv"])
def test_a_registration_number_is_one_where_the_header_says_that_it_may_be(
    take: Ingest, sqlite: Store, tmp_path: Path, header: str, name: str
) -> None:
    take(write_text(tmp_path / "企业.csv", REGISTER), "enterprise")
    lines = _listed(header, NUMBER, CODES[1], "500232600999999", "50023260012345")[name]
    report = take(write_text(tmp_path / name, lines), "enterprise")
    assert (report.new, report.rejected, report.warned) == (2, 2, 1)
    assert sorted(known["subject_id"] for known in current(sqlite)) == sorted(CODES[:2])
    said = {row: (column, value, reason) for row, column, value, reason in quarantined(sqlite)}
    assert said[2][2].startswith(f"按工商注册号“{NUMBER}”认定为{CODES[0]}")
    assert said[4][:2] == (header, "500232600999999")
    assert "是工商注册号,不是统一社会信用代码" in said[4][2]
    assert "应为18位,现为14位" in said[5][2]


def test_under_a_header_of_codes_alone_it_is_a_wrong_code(take: Ingest, tmp_path: Path) -> None:
    take(write_text(tmp_path / "企业.csv", REGISTER), "enterprise")
    assert (
        take(
            write_text(tmp_path / "许可.csv", _listed("信用代码", NUMBER)["许可.csv"]), "enterprise"
        ).rejected
        == 1
    )


def test_a_column_of_registration_numbers_goes_before(take: Ingest, sqlite: Store, tmp_path: Path) -> None:
    take(write_text(tmp_path / "企业.csv", REGISTER), "enterprise")
    lines = [
        "编号,注册号,统一社会信用代码/注册号,类别,状态,日期",
        f"R1,{NUMBER},,行政许可,有效,2026-03-05",
        f"R2,,{CODES[1]},行政许可,有效,2026-03-05",
    ]
    assert take(write_text(tmp_path / "许可.csv", lines), "enterprise").new == 2
