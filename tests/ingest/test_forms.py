"""Files in the official forms of 双公示, as offices send them: no mapping, no option."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlwt
from click.testing import CliRunner

from rules.library.loader import find_pack, load_vocabulary
from scoring.cli import main
from scoring.facts.ingest.errors import IngestError
from scoring.facts.ingest.files import table_named
from scoring.facts.ingest.forms import SUBJECT, Form, forms_of
from scoring.facts.ingest.mapping import parse_mapping
from scoring.runs.files import score_files
from scoring.store import Store

from .conftest import CODES, Ingest, current, quarantined, write_text, write_workbook

FILLER = "00000000000000000X"
OFFICE = "某区市场监督管理局"
PENALTY = {
    "行政相对人名称": "甲公司",
    "行政相对人类别": "法人及非法人组织",
    "行政相对人代码_1(统一社会信用代码)": CODES[0],
    "行政相对人代码_2(工商注册号)": "",
    "法定代表人": "王某",
    "法定代表人证件号码": "",
    "证件号码": "",
    "行政处罚决定书文号": "某市监处罚〔2026〕7号",
    "违法行为类型": "标签不合规",
    "处罚类别": "罚款",
    "处罚内容": "罚款",
    "罚款金额（万元）": "1.5",
    "没收违法所得、没收非法财物的金额（万元）": "",
    "处罚决定日期": "2026/05/12",
    "处罚有效期": "2099/12/31",
    "公示截止期": "",
    "处罚机关": OFFICE,
    "数据来源单位": "某区信用中心",
}
CODED = dict(
    zip(
        PENALTY,
        (
            *("CF_XDR_MC", "CF_XDR_LB", "CF_XDR_SHXYM", "CF_XDR_GSZC", "CF_FRDB", "CF_FR_ZJHM"),
            *("CF_XDR_ZJHM", "CF_WSH", "CF_WFXW", "CF_CFLB", "CF_NR", "CF_NR_FK", "CF_NR_WFFF"),
            *("CF_JDRQ", "CF_YXQ", "CF_GSJZQ", "CF_CFJG", "CF_SJLY"),
        ),
        strict=True,
    )
)
PERMIT = {
    "行政相对人名称": "甲公司",
    "行政相对人类别": "法人及非法人组织",
    "行政相对人代码_1(统一社会信用代码)": CODES[0],
    "行政许可决定文书名称": "食品经营许可决定",
    "行政许可决定文书号": "某市监许〔2026〕5号",
    "许可类别": "普通",
    "许可编号": "JY1",
    "许可决定日期": "2026/03/02",
    "有效期自": "2026/03/02",
    "有效期至": "2031/03/01",
    "许可机关": OFFICE,
    "当前状态": "1",
    "数据来源单位统一社会信用代码": FILLER,
}
PERSON = {"行政相对人名称": "赵隐名", "行政相对人代码_1(统一社会信用代码)": ""}
IDENTITY = "11010519491231002X"
"""The example number of GB 11643-1999."""

Row = Mapping[str, str]


def filled(base: Row, **said: str) -> dict[str, str]:
    """A row of a form: the office's usual one, with some cells otherwise; a short name finds its header."""
    full = {next(h for h in base if h.startswith(name)): value for name, value in said.items()}
    return {**base, **full}


def penalty(**said: str) -> dict[str, str]:
    return filled(PENALTY, **said)


def write_csv(path: Path, *rows: Row, encoding: str = "utf-8-sig") -> Path:
    with path.open("w", encoding=encoding, newline="") as stream:
        writer = csv.DictWriter(stream, [*rows[0]])
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_xlsx(path: Path, *rows: Row) -> Path:
    return write_workbook(path, [["双公示信息报送表"], [*rows[0]], *([*row.values()] for row in rows)])


def write_xls(path: Path, *rows: Row) -> Path:
    book = xlwt.Workbook()
    sheet = book.add_sheet("双公示")
    for n, cells in enumerate([[*rows[0]], *([*row.values()] for row in rows)]):
        for m, cell in enumerate(cells):
            sheet.write(n, m, cell)
    book.save(str(path))
    return path


def in_codes(rows: tuple[Row, ...]) -> list[dict[str, str]]:
    return [{CODED[name]: value for name, value in row.items()} for row in rows]


WAYS: dict[str, Callable[..., Path]] = {
    "titles, UTF-8": lambda folder, *rows: write_csv(folder / "a.csv", *rows),
    "titles, GB18030": lambda folder, *rows: write_csv(folder / "a.csv", *rows, encoding="gb18030"),
    "codes, UTF-8": lambda folder, *rows: write_csv(folder / "a.csv", *in_codes(rows)),
    "titles, XLSX": lambda folder, *rows: write_xlsx(folder / "a.xlsx", *rows),
    "titles, XLS": lambda folder, *rows: write_xls(folder / "a.xls", *rows),
    "codes, XLSX": lambda folder, *rows: write_xlsx(folder / "a.xlsx", *in_codes(rows)),
}


@pytest.mark.parametrize("way", WAYS)
def test_penalties_are_taken_as_they_come(take: Ingest, sqlite: Store, tmp_path: Path, way: str) -> None:
    rows = [
        penalty(行政处罚决定书文号="某〔2026〕1号", 处罚类别="警告", 罚款金额="", 公示截止期="2026/08/12"),
        penalty(
            行政处罚决定书文号="某〔2026〕2号",
            处罚类别="罚款,没收违法所得、没收非法财物",
            没收违法所得="0.320000",
        ),
        penalty(行政处罚决定书文号="某〔2026〕3号", 处罚决定日期="2026年5月3日", 罚款金额="0.020000"),
    ]
    report = take(WAYS[way](tmp_path, *rows), None)
    assert (report.new, report.rejected, report.warned, report.ignored) == (3, 0, 0, ())
    common = {"authority": OFFICE, "kind": "penalty", "status": "effective", "subject_id": CODES[0]}
    warned, fined, small = current(sqlite)
    assert warned == common | {
        "record_id": f"{OFFICE} 某〔2026〕1号",
        "document_no": "某〔2026〕1号",
        "level": "warning",
        "severity": "minor",
        "occurred_on": "2026-05-12",
        "ends_on": "2026-08-12",
    }
    assert (fined["level"], fined["amount"], fined["severity"]) == ("confiscation", "18200.0000", "general")
    assert "ends_on" not in fined
    assert (small["amount"], small["severity"], small["occurred_on"]) == ("200.0000", "minor", "2026-05-03")


@pytest.mark.parametrize(
    ("said", "amount"),
    [
        ({"罚款金额（万元）": "1.5"}, "15000.0000"),
        ({"罚款金额": "1.5"}, "15000.0000"),
        ({"罚款金额（元）": "1500"}, "1500.0000"),
        ({"罚款金额（万元）": "200元"}, "200.0000"),
    ],
)
def test_amounts_are_in_ten_thousands_unless_the_file_says_another_unit(
    take: Ingest, sqlite: Store, tmp_path: Path, said: Row, amount: str
) -> None:
    row = {name: value for name, value in PENALTY.items() if not name.startswith("罚款金额")}
    take(write_csv(tmp_path / "a.csv", row | dict(said)), None)
    assert current(sqlite)[0]["amount"] == amount


@pytest.mark.parametrize(
    ("cell", "level"),
    [
        ("罚款；警告", "fine"),
        ("没收非法财物、吊销许可证件", "permit_revoked"),
        ("责令停产停业/罚款", "suspension"),
        ("通报批评", "criticism"),
        ("罚款,其他-责令改正", "fine"),
        ("罚款,其他-限制从业", "barred"),
        ("其他——吊销许可证件", "permit_revoked"),
        ("其他（责令停产停业）、警告", "suspension"),
        ("警告；其他：限制从业", "barred"),
        ("暂扣营业执照", "permit_withheld"),
        ("警告并处罚款", "fine"),
        ("罚款 没收违法所得和没收非法财物", "confiscation"),
        ("1.罚款2.没收违法所得", "confiscation"),
        ("1、警告；2、罚款", "fine"),
        ("（1）罚款（2）吊销营业执照", "permit_revoked"),
        ("①罚款②没收违法所得③责令停产停业", "suspension"),
        ("一、警告二、罚款", "fine"),
        ("1. 罚款\n2. 责令关闭", "closed"),
        ("1.警告", "warning"),
        ("1", "fine"),
        ("1,2", "confiscation"),
        ("警告并罚款。", "fine"),
        ("罚款以及没收违法所得", "confiscation"),
        ("罚 款", "fine"),
        ("罚　款；没 收 违法 所得", "confiscation"),
        ("警 告 罚 款", "fine"),
        ("其他 罚 款", "fine"),
        ("第一，警告；第二，罚款", "fine"),
        ("第一、罚款；第二、吊销许可证件", "permit_revoked"),
        ("一是警告；二是没收非法财物", "confiscation"),
        ("Ⅰ.罚款Ⅱ.没收违法所得", "confiscation"),
        ("Ⅰ．警告 Ⅱ．罚款 Ⅲ．责令停产停业 Ⅳ．通报批评", "suspension"),
        ("(i)警告(ii)罚款", "fine"),
        ("㈠警告㈡罚款", "fine"),
        ("⒈警告⒉罚款", "fine"),
        ("1 警告 2 通报批评", "criticism"),
        ("1 警告", "warning"),
        ("2 没收违法所得", "confiscation"),
        ("罚款（1.5万元）", "fine"),
        ("1.警告2.罚款15000元", "fine"),
        ("罚款（人民币15,000元整）、责令停产停业", "suspension"),
    ],
)
def test_of_several_kinds_in_one_cell_the_gravest_counts(
    take: Ingest, sqlite: Store, tmp_path: Path, cell: str, level: str
) -> None:
    take(write_csv(tmp_path / "a.csv", penalty(处罚类别=cell)), None)
    assert current(sqlite)[0]["level"] == level


@pytest.mark.parametrize(
    "cell",
    [
        "暂扣或者吊销许可证、暂扣或者吊销执照",
        "责令改正",
        "罚款,改正",
        "1.罚款3.没收违法所得",
        "1.罚款2.改正",
        "第二，罚款",
        "Ⅰ.罚款Ⅲ.没收违法所得",
        "罚 改 款",
        "罚款（食品）",
        "吊销许可证件（食经许〔2026〕123号）",
        "暂扣许可证件（30日）",
    ],
)
def test_a_kind_that_is_not_clear_is_not_guessed(
    take: Ingest, sqlite: Store, tmp_path: Path, cell: str
) -> None:
    assert take(write_csv(tmp_path / "a.csv", penalty(处罚类别=cell)), None).rejected == 1
    row, column, value, reason = quarantined(sqlite)[0]
    assert (row, column, value) == (2, "处罚类别", cell)
    assert "不在代码表中（行政拘留、限制从业、责令关闭、" in reason
    assert "、罚款、通报批评、警告）" in reason


WITHOUT_AMOUNT = {"罚款金额（万元）": ""}


@pytest.mark.parametrize(
    ("cell", "amount"),
    [
        ("罚款（1.5万元）", "15000.0000"),
        ("罚 款 (15,000元整）", "15000.0000"),
        ("1.罚款（人民币1.5万元）2.没收违法所得（0.32万元）", "18200.0000"),
        ("警告，罚款2000元", "2000.0000"),
        ("（1）罚款（2）没收违法所得3200元", "3200.0000"),
    ],
)
@pytest.mark.parametrize("said", ["an empty cell", "no column", "the same", "under the vocabulary's header"])
def test_an_amount_behind_a_kind_is_the_amount_where_no_cell_says_it(
    take: Ingest, sqlite: Store, tmp_path: Path, cell: str, amount: str, said: str
) -> None:
    row = penalty(处罚类别=cell, 罚款金额="")
    if said == "no column":
        row = {name: text for name, text in row.items() if "金额" not in name}
    if said == "under the vocabulary's header":
        row = {"等级" if name == "处罚类别" else name: text for name, text in row.items()}
    if said == "the same":
        row |= {"罚款金额（万元）": f"{float(amount)}元"}
    assert take(write_csv(tmp_path / "a.csv", row), None).rejected == 0
    assert current(sqlite)[0]["amount"] == amount


def test_a_file_without_amounts_clears_none(take: Ingest, sqlite: Store, tmp_path: Path) -> None:
    take(write_csv(tmp_path / "a.csv", penalty()), None)
    row = {name: text for name, text in penalty(处罚类别="警告").items() if "金额" not in name}
    take(write_csv(tmp_path / "b.csv", row), None, replace=True)
    assert (current(sqlite)[0]["level"], current(sqlite)[0]["amount"]) == ("warning", "15000.0000")


@pytest.mark.parametrize(
    ("cell", "column", "why"),
    [
        ("罚款（2万元）", "罚款金额（万元）", "类别后的金额20000.00元与金额列的15000.00元不同"),
        ("罚款2万元", "罚款金额（万元）", "类别后的金额20000.00元与金额列的15000.00元不同"),
        ("罚款（15000）", "处罚类别", "写在类别后的金额“15000”没有单位"),
        ("罚款（壹万伍仟元）", "处罚类别", "写在类别后的金额“壹万伍仟元”不是数字"),
        ("罚款1.5.2万元", "处罚类别", "写在类别后的金额“1.5.2万元”不是数字"),
        ("2 罚款", "处罚类别", "数字是序号还是代码不清楚"),
    ],
)
def test_an_amount_or_a_number_that_is_in_doubt_refuses_the_row_with_that_reason(
    take: Ingest, sqlite: Store, tmp_path: Path, cell: str, column: str, why: str
) -> None:
    assert take(write_csv(tmp_path / "a.csv", penalty(处罚类别=cell)), None).rejected == 1
    ((_, where, value, reason), *others) = quarantined(sqlite)
    assert (where, value, others) == (column, cell if column == "处罚类别" else "1.5", [])
    assert reason.startswith(why)


def test_a_kind_that_is_only_other_needs_a_person_to_say_the_class(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    row = penalty(处罚类别="其他-责令改正")
    assert take(write_csv(tmp_path / "a.csv", row), None).rejected == 1
    ((_, where, value, reason),) = quarantined(sqlite)
    assert (where, value) == ("处罚类别", "其他-责令改正"), "the form's own column, which can be put right"
    assert reason.startswith(
        "缺少失信程度,“处罚类别”又没有写明可据以认定的种类,记录无法计入（请在“处罚类别”写明警告、"
    )
    assert "在“失信程度”列写明轻微、一般、严重,没有该列的请增加" in reason
    assert take(write_csv(tmp_path / "b.csv", row | {"失信程度": "轻微"}), None).new == 1


@pytest.mark.parametrize("day", ["2099/12/31", "9999-12-31", "20991231", dt.datetime(2099, 12, 31)])  # noqa: DTZ001
def test_the_last_day_of_the_calendar_is_no_end(
    take: Ingest, sqlite: Store, tmp_path: Path, day: Any
) -> None:
    assert take(write_xlsx(tmp_path / "a.xlsx", penalty(公示截止期=day)), None).new == 1
    assert take(write_xlsx(tmp_path / "b.xlsx", filled(PERMIT, 有效期至=day)), None).new == 1
    assert all("ends_on" not in record for record in current(sqlite))


def test_the_end_of_the_publication_goes_before_that_of_the_penalty(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    one = penalty(行政处罚决定书文号="1号", 公示截止期="2027/05/12", 处罚有效期="2026/06/12")
    other = penalty(行政处罚决定书文号="2号", 处罚有效期="2026/06/12")
    take(write_csv(tmp_path / "a.csv", one, other), None)
    assert [record["ends_on"] for record in current(sqlite)] == ["2027-05-12", "2026-06-12"]


@pytest.mark.parametrize("kinds", ["处罚种类", "行政处罚种类", "处罚类别"])
@pytest.mark.parametrize("day", ["处罚日期", "作出处罚决定日期", "作出行政处罚决定日期"])
def test_a_penalty_is_known_by_what_offices_call_its_columns(
    take: Ingest, sqlite: Store, tmp_path: Path, kinds: str, day: str
) -> None:
    called = {"处罚类别": kinds, "处罚决定日期": day}
    row = {called.get(name, name): text for name, text in penalty().items()}
    assert take(write_csv(tmp_path / "a.csv", row), None).new == 1
    assert (current(sqlite)[0]["level"], current(sqlite)[0]["occurred_on"]) == ("fine", "2026-05-12")


# Who it is


def test_an_individual_business_without_a_code_is_found_by_its_registration_number(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    register = ["统一社会信用代码,工商注册号,企业名称", f"{CODES[1]},500232600123455,某小吃店"]
    take(write_text(tmp_path / "企业.csv", register), None)
    code = {"行政相对人代码_1(统一社会信用代码)": FILLER, "行政相对人类别": "个体工商户"}
    row = penalty(行政相对人代码_2="500232600123455", 行政相对人名称="另一个名字") | code
    report = take(write_csv(tmp_path / "a.csv", row), None)
    assert (report.new, report.warned) == (1, 1)
    assert current(sqlite)[0]["subject_id"] == CODES[1]
    named, found = (reason for *_, reason in quarantined(sqlite))
    assert "名称不是代码" in named
    assert "500232600123455" in found


def test_a_file_without_a_column_of_codes_is_read_by_names(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    take(write_text(tmp_path / "企业.csv", ["统一社会信用代码,企业名称", f"{CODES[0]},甲公司"]), None)
    row = {name: value for name, value in PENALTY.items() if "代码_" not in name}
    report = take(write_csv(tmp_path / "a.csv", row, row | {"行政相对人名称": "没有这户"}), None)
    assert (report.new, report.rejected) == (1, 1)


PERSONS = {
    "by the category": {"行政相对人类别": "自然人", "证件号码": IDENTITY},
    "by its code": {"行政相对人类别": "01"},
    "by a number of a card and no other": {"行政相对人类别": "", "证件号码": "X1234567"},
    "by a filler beside the number of a card": {
        "行政相对人类别": "",
        "证件号码": IDENTITY,
        "行政相对人代码_1(统一社会信用代码)": FILLER,
    },
    "by an identity number for a code": {
        "行政相对人类别": "",
        "行政相对人代码_1(统一社会信用代码)": IDENTITY,
    },
}


@pytest.mark.parametrize("how", PERSONS)
@pytest.mark.parametrize("way", WAYS)
def test_a_natural_person_is_refused_and_nothing_of_them_is_kept_or_shown(
    take: Ingest, sqlite: Store, sqlite_store_url: str, tmp_path: Path, way: str, how: str
) -> None:
    person = penalty(处罚决定日期="去年", 罚款金额="不详") | PERSON | PERSONS[how]
    (tmp_path / "sent").mkdir()
    report = take(WAYS[way](tmp_path / "sent", person, penalty(处罚决定日期="去年"), penalty()), None)
    assert (report.new, report.rejected) == (1, 2)
    reasons = [reason for *_, reason in quarantined(sqlite) if "自然人" in reason]
    assert len(reasons) == 1
    assert report.mend is not None
    shown = [cell.value for line in openpyxl.load_workbook(report.mend).worksheets[0] for cell in line]
    with sqlite.reading() as session:
        dump = "\n".join(session.connection().connection.dbapi_connection.iterdump())  # type: ignore[union-attr]
    accounts = [path.read_text(encoding="utf-8-sig") for path in (tmp_path / "quarantine").glob("*.csv")]
    kept = "\n".join([*map(str, shown), *accounts, dump])
    assert "甲公司" in kept
    for theirs in ("赵隐名", IDENTITY, "X1234567"):
        assert theirs not in kept


def test_a_file_of_persons_alone_is_refused_row_by_row(take: Ingest, sqlite: Store, tmp_path: Path) -> None:
    columns = ("行政相对人名称", "行政相对人类别", "证件号码", "行政处罚决定书文号", "处罚类别")
    row = {name: PENALTY[name] for name in (*columns, "处罚决定日期", "处罚机关")}
    report = take(write_csv(tmp_path / "a.csv", row | PERSONS["by the category"] | PERSON), None)
    assert (report.rejected, report.new, report.mend) == (1, 0, None)
    assert "自然人" in quarantined(sqlite)[0][3]


def test_an_operator_s_card_does_not_make_a_business_a_person(take: Ingest, tmp_path: Path) -> None:
    row = penalty(行政相对人类别="个体工商户", 证件号码=IDENTITY)
    assert take(write_csv(tmp_path / "a.csv", row), None).new == 1


def test_without_a_column_of_cards_nobody_is_a_person_for_want_of_a_code(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    columns = ("行政相对人名称", "行政相对人代码_1(统一社会信用代码)", "行政处罚决定书文号", "处罚类别")
    row = {name: PENALTY[name] for name in (*columns, "处罚决定日期", "处罚机关")}
    row["行政相对人代码_1(统一社会信用代码)"] = ""
    assert take(write_csv(tmp_path / "a.csv", row), None).rejected == 1
    assert "自然人" not in quarantined(sqlite)[0][3]


def test_private_cells_of_a_bad_row_are_not_shown(take: Ingest, sqlite: Store, tmp_path: Path) -> None:
    row = penalty(处罚决定日期="去年", 法定代表人证件号码=IDENTITY)
    path = write_csv(tmp_path / "a.csv", row)
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    path.write_text("\n".join([*lines, f"{lines[1]},多出一格"]), encoding="utf-8")
    report = take(path, None)
    assert report.mend is not None
    cells = [cell.value for line in openpyxl.load_workbook(report.mend).worksheets[0] for cell in line]
    assert "去年" in cells
    assert IDENTITY not in str(cells) + str(quarantined(sqlite))


# The record's number


def test_the_document_and_the_authority_are_the_number(take: Ingest, sqlite: Store, tmp_path: Path) -> None:
    rows = [
        penalty(行政处罚决定书文号="某市监处罚 [2026] 7号"),
        penalty(行政处罚决定书文号="某市监处罚〔2026〕7号", 处罚机关="另一机关"),
    ]
    take(write_csv(tmp_path / "a.csv", *rows), None)
    again = take(write_csv(tmp_path / "b.csv", penalty(罚款金额="2")), None)
    assert (again.new, again.changed) == (0, 1)
    assert {record["record_id"] for record in current(sqlite)} == {
        f"{OFFICE} 某市监处罚〔2026〕7号",
        "另一机关 某市监处罚〔2026〕7号",
    }


def test_another_decision_under_one_number_is_told_what_to_check_and_not_to_number_anew(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    take(write_csv(tmp_path / "a.csv", penalty()), None)
    other = {"行政相对人代码_1(统一社会信用代码)": CODES[1], "处罚决定日期": "2026/06/12"}
    assert take(write_csv(tmp_path / "b.csv", penalty(**other)), None).rejected == 1
    ((_, _, _, reason),) = quarantined(sqlite)
    assert "核对处罚机关、行政处罚决定书文号" in reason
    assert "check 处罚机关 and 行政处罚决定书文号" in reason
    assert "of its own" not in reason
    take(write_csv(tmp_path / "c.csv", penalty() | {"记录编号": "7"}), None)
    take(write_csv(tmp_path / "d.csv", penalty(**other) | {"记录编号": "7"}), None)
    assert "a number of its own" in quarantined(sqlite)[-1][-1]


def test_a_number_that_the_file_has_goes_before(take: Ingest, sqlite: Store, tmp_path: Path) -> None:
    rows = [{"记录编号": "R1", **PENALTY}, {"记录编号": "", **penalty(行政处罚决定书文号="8号")}]
    take(write_csv(tmp_path / "a.csv", *rows), None)
    assert [record["record_id"] for record in current(sqlite)] == ["R1", f"{OFFICE} 8号"]


def test_the_source_stands_for_an_authority_that_is_not_named(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    take(write_csv(tmp_path / "a.csv", penalty(处罚机关="")), None)
    assert current(sqlite)[0]["authority"] == "某区信用中心"


def test_without_a_document_or_an_authority_the_cell_that_lacks_is_named(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    rows = [penalty(行政处罚决定书文号="无"), penalty(处罚机关="", 数据来源单位="")]
    assert take(write_csv(tmp_path / "a.csv", *rows), None).rejected == 2
    assert [(row, column) for row, column, *_ in quarantined(sqlite)] == [
        (2, "行政处罚决定书文号"),
        (3, "处罚机关"),
    ]


@pytest.mark.parametrize("word", ["空", "暂无", "未知", "合计", "第1页", "备注：无"])
@pytest.mark.parametrize("column", ["行政处罚决定书文号", "处罚机关"])
def test_a_word_for_nothing_is_no_part_of_a_number_under_which_others_are_lost(
    take: Ingest, sqlite: Store, tmp_path: Path, column: str, word: str
) -> None:
    for month in ("03", "04"):
        row = penalty(**{column: word}, 处罚决定日期=f"2026/{month}/05")
        report = take(write_csv(tmp_path / f"{month}.csv", row), None)
        assert (report.new, report.changed, report.rejected) == (0, 0, 1)
    assert {(row, named) for row, named, *_ in quarantined(sqlite)} == {(2, column)}


@pytest.mark.parametrize("end", ["永久有效", "长期", "长期有效", "无固定期限", "2099/12/31"])
def test_a_permit_for_good_has_no_end(take: Ingest, sqlite: Store, tmp_path: Path, end: str) -> None:
    assert take(write_csv(tmp_path / "a.csv", filled(PERMIT, 有效期至=end)), None).new == 1
    assert "ends_on" not in current(sqlite)[0]


def test_a_permit_without_a_document_s_number_has_its_own(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    assert take(write_csv(tmp_path / "a.csv", filled(PERMIT, 行政许可决定文书号="")), None).new == 1
    assert current(sqlite)[0] == {
        "authority": OFFICE,
        "document_no": "JY1",
        "ends_on": "2031-03-01",
        "kind": "permit",
        "occurred_on": "2026-03-02",
        "record_id": f"{OFFICE} JY1",
        "status": "effective",
        "subject_id": CODES[0],
    }


# What the form does not say


def test_what_a_person_said_stands_when_the_list_comes_again(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    take(write_csv(tmp_path / "a.csv", penalty(处罚类别="吊销许可证件")), None)
    number = current(sqlite)[0]["record_id"]
    said = ["编号,信用代码,失信程度,状态", f"{number},{CODES[0]},严重,已撤销"]
    assert take(write_text(tmp_path / "确认.csv", said), None).changed == 1
    again = take(write_csv(tmp_path / "b.csv", penalty(处罚类别="吊销许可证件", 罚款金额="2")), None)
    assert again.changed == 1
    record = current(sqlite)[0]
    assert (record["severity"], record["status"], record["amount"]) == ("serious", "revoked", "20000.0000")


LEDGERS = [
    "记录编号,信用代码,失信程度,等级,罚款金额,决定日期,行政处罚决定书文号,处罚机关",
    "统一社会信用代码,企业名称,行政处罚决定书文号,处罚种类,罚款金额,处罚日期,处罚机关",
    "统一社会信用代码,企业名称,处罚决定书文号,处罚类别,罚款金额,处罚决定日期,处罚机关",
]
"""Headers of ordinary ledgers that show the signs of a form."""
IN_LEDGERS = {
    **dict.fromkeys(("信用代码", "统一社会信用代码"), CODES[0]),
    **dict.fromkeys(("等级", "处罚种类", "处罚类别"), "罚款"),
    **dict.fromkeys(("决定日期", "处罚日期", "处罚决定日期"), "2026-03-05"),
    **dict.fromkeys(("行政处罚决定书文号", "处罚决定书文号"), "某罚〔2026〕1号"),
    "记录编号": "R1",
    "失信程度": "一般",
    "企业名称": "某公司",
    "罚款金额": "15000",
    "处罚机关": OFFICE,
}


@pytest.mark.parametrize("headers", LEDGERS)
def test_yuan_of_a_ledger_are_not_taken_for_the_ten_thousands_of_a_form(
    take: Ingest, sqlite: Store, tmp_path: Path, headers: str
) -> None:
    row = {header: IN_LEDGERS[header] for header in headers.split(",")}
    with pytest.raises(IngestError, match="the header 罚款金额 has no unit"):
        take(write_csv(tmp_path / "a.csv", row), None)
    amended = {"罚款金额（元）" if header == "罚款金额" else header: cell for header, cell in row.items()}
    assert take(write_csv(tmp_path / "b.csv", amended), None).new == 1
    assert current(sqlite)[0]["amount"] == "15000.0000"


def test_our_english_header_of_yuan_is_not_taken_for_ten_thousands(take: Ingest, tmp_path: Path) -> None:
    row = {name: cell for name, cell in PENALTY.items() if "金额" not in name} | {"Amount": "15000"}
    with pytest.raises(IngestError, match="the header Amount has no unit"):
        take(write_csv(tmp_path / "a.csv", row), None)


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({}, None),
        ({"审批类别": "普通"}, "revoked"),
        ({"许可编号": "JY1", "有效期至": "2031-03-01"}, "effective"),
        ({"许可类别": "普通"}, "effective"),
    ],
)
def test_a_state_that_is_a_number_is_read_by_the_form_that_is_surely_meant(
    take: Ingest, sqlite: Store, tmp_path: Path, more: dict[str, str], status: str | None
) -> None:
    """1 is what was revoked before 2018, and what is valid since."""
    row = {
        "企业名称": "某公司",
        "统一社会信用代码": CODES[0],
        "行政许可决定书文号": "1号",
        "项目名称": "某项目",
    }
    row |= {"许可决定日期": "2026-03-02", "许可机关": OFFICE, "当前状态": "1"}
    report = take(write_csv(tmp_path / "a.csv", row | more), None)
    assert [known["status"] for known in current(sqlite)] == ([status] if status else [])
    assert report.rejected == (status is None)


@pytest.mark.parametrize("end", ["到期日期", "许可到期日期"])
@pytest.mark.parametrize(
    ("more", "status"),
    [({}, None), ({"行政相对人类别": "法人及非法人组织"}, "effective"), ({"项目名称": "某"}, None)],
)
def test_an_end_by_a_word_of_both_forms_of_permits_says_nothing_of_which_it_is(
    take: Ingest, sqlite: Store, tmp_path: Path, end: str, more: dict[str, str], status: str | None
) -> None:
    """It was taken for a sign of the form before 2018, whose 1 is what was revoked."""
    row = {"行政许可决定书文号": "1号", "行政相对人名称": "某公司", "行政相对人代码_1": CODES[0]}
    row |= {"许可决定日期": "2026-03-02", end: "2031-03-01", "许可机关": OFFICE, "当前状态": "1"}
    take(write_csv(tmp_path / "a.csv", row | more), None)
    assert [known["status"] for known in current(sqlite)] == ([status] if status else [])
    del row["当前状态"]
    assert take(write_csv(tmp_path / "b.csv", row | more), None).rejected == 0
    assert current(sqlite)[0]["ends_on"] == "2031-03-01"


BOTH_PERMITS = {
    "行政许可决定书文号": "1号",
    "审批类别": "普通",
    "行政相对人名称": "某公司",
    "行政相对人类别": "法人及非法人组织",
    "行政相对人代码_1": CODES[0],
    "许可类别": "普通",
    "许可决定日期": "2026-03-02",
    "许可截止期": "2031-03-01",
    "许可机关": OFFICE,
}
PENALTY_AND_PERMIT = PENALTY | {"行政许可决定文书号": "", "许可类别": "", "许可机关": ""}


@pytest.mark.parametrize(
    ("row", "own"),
    [
        (
            BOTH_PERMITS,
            "双公示行政许可（独有行政相对人类别、许可类别）、双公示行政许可（2018年以前）（独有审批类别、许可截止期）",
        ),
        (PENALTY_AND_PERMIT, "双公示行政许可（独有行政许可决定文书号、许可类别、许可机关）"),
    ],
    ids=["permits", "penalties and permits"],
)
def test_headers_of_two_forms_are_refused_with_those_that_are_of_one_alone(
    take: Ingest, tmp_path: Path, row: dict[str, str], own: str
) -> None:
    with pytest.raises(IngestError) as error:
        take(write_csv(tmp_path / "双公示行政许可.csv", row), None)
    assert own in error.value.reason.zh
    assert "请只用一种表的表头;不同种类的数据分成几个文件" in error.value.hint.zh


def test_headers_that_are_those_of_no_form_quite_are_told_what_they_lack(
    take: Ingest, tmp_path: Path
) -> None:
    row = {"行政相对人名称": "某公司", "行政相对人类别": "企业", "行政相对人代码_1": CODES[0]}
    row |= {"行政决定文书号": "1号", "决定日期": "2026-03-02", "决定机关": OFFICE}
    with pytest.raises(IngestError) as error:
        take(write_csv(tmp_path / "a.csv", row), None)
    assert "如为双公示行政处罚表,还缺行政处罚决定书文号、处罚类别;" in error.value.hint.zh
    assert "如为双公示行政许可表,还缺行政许可决定文书号、行政许可决定文书名称;" in error.value.hint.zh


@pytest.mark.parametrize("cells", [{"处罚类别": "吊销许可证件"}, {"罚款金额": "200"}])
def test_the_gravest_class_is_proposed_with_its_clause_and_waits_for_a_person(
    take: Ingest, sqlite: Store, tmp_path: Path, cells: Row
) -> None:
    report = take(write_csv(tmp_path / "a.csv", penalty(**cells)), None)
    assert (report.new, report.warned) == (1, 1)
    assert current(sqlite)[0]["severity"] == "general"
    _, column, _, reason = quarantined(sqlite)[0]
    assert column == "失信程度"
    assert "严重" in reason
    assert "第36号" in reason
    assert "一年至三年" in reason


# Old forms


def test_the_old_form_of_penalties_is_read_by_its_own_codes(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    head = "CF_WSH,CF_CFMC,CF_CFLB1,CF_CFLB2,CF_SY,CF_YJ,CF_XDR_MC,CF_XDR_SHXYM,CF_XDR_ZDM,CF_XDR_GSDJ,"
    head += "CF_XDR_SWDJ,CF_XDR_SFZ,CF_FR,CF_JG,CF_JDRQ,CF_XZJG,CF_ZT,DFBM,SJC,BZ"
    rows = [
        f"1号,某案,1,2,事由,依据,甲公司,{CODES[0]},,,,,王某,罚款,2017/05/12,{OFFICE},0,500159,2017/05/13,",
        f"2号,某案,罚款,,事由,依据,甲公司,{CODES[0]},,,,,王某,罚款,2017/05/12,{OFFICE},1,500159,2017/05/13,",
        f"3号,某案,0,,事由,依据,赵隐名,,,,,{IDENTITY},,警告,2017/05/12,{OFFICE},0,500159,2017/05/13,",
        f"4号,某案,0,,事由,依据,甲公司,{CODES[0]},,,,,王某,警告,2017/05/12,{OFFICE},3,500159,2017/05/13,",
    ]
    report = take(write_text(tmp_path / "a.csv", [head, *rows]), None)
    assert (report.new, report.rejected, report.ignored) == (2, 2, ())
    assert [(r["level"], r["status"]) for r in current(sqlite)] == [
        ("confiscation", "effective"),
        ("fine", "revoked"),
    ]
    assert [column for _, column, *_ in quarantined(sqlite)] == ["CF_XDR_SFZ", "CF_ZT"]


def test_of_an_old_permit_1_is_revoked_and_of_a_new_one_valid(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    head = "XK_WSH,XK_XMMC,XK_SPLB,XK_NR,XK_XDR,XK_XDR_SHXYM,XK_JDRQ,XK_JZQ,XK_XZJG,XK_ZT"
    row = f"1号,某项目,普通,内容,甲公司,{CODES[0]},2017/05/12,2099/12/31,{OFFICE},1"
    take(write_text(tmp_path / "a.csv", [head, row]), None)
    take(write_csv(tmp_path / "b.csv", PERMIT), None)
    assert [r["status"] for r in current(sqlite)] == ["revoked", "effective"]


# Lists


def abnormal(**said: str) -> dict[str, str]:
    row = {
        "统一社会信用代码": CODES[0],
        "企业名称": "甲公司",
        "列入原因": "通过登记的住所或者经营场所无法联系",
        "列入日期": "2026年3月5日",
        "作出决定机关（列入）": OFFICE,
        "移出原因": "",
        "移出日期": "",
        "作出决定机关（移出）": "",
    }
    return row | said


LISTED = {"authority": OFFICE, "occurred_on": "2026-03-05", "status": "effective", "subject_id": CODES[0]}


@pytest.mark.parametrize(
    ("name", "kind", "level"),
    [
        ("经营异常名录.csv", "abnormal_operation_listing", None),
        ("严重违法失信名单.csv", "seriously_dishonest_listing", "market"),
    ],
)
def test_a_list_whose_headers_fit_two_is_told_by_its_name(
    take: Ingest, sqlite: Store, tmp_path: Path, name: str, kind: str, level: str | None
) -> None:
    assert take(write_csv(tmp_path / name, abnormal()), None).new == 1
    title = {"abnormal_operation_listing": "经营异常名录", "seriously_dishonest_listing": "严重失信主体名单"}
    number = {"record_id": f"{title[kind]} {CODES[0]} 2026-03-05", "kind": kind}
    assert current(sqlite) == [LISTED | number | ({"level": level} if level else {})]


def test_a_list_is_told_by_the_title_above_its_headers(take: Ingest, sqlite: Store, tmp_path: Path) -> None:
    rows = [["某区严重违法失信名单（2026年3月）"], [*abnormal()], [*abnormal().values()]]
    assert take(write_workbook(tmp_path / "a.xlsx", rows), None).new == 1
    assert current(sqlite)[0]["kind"] == "seriously_dishonest_listing"


def test_a_list_that_does_not_say_which_it_is_is_refused(take: Ingest, tmp_path: Path) -> None:
    with pytest.raises(IngestError, match="表头分不出是哪一种:经营异常名录、严重违法失信名单") as error:
        take(write_csv(tmp_path / "名录.csv", abnormal()), None)
    assert "经营异常名录用“列入经营异常名录原因”" in error.value.hint.zh
    assert "或在文件名、工作表名或标题中写明名称" in error.value.hint.zh


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        ("UNISCID,ENTNAME,SPECAUSE_CN,ABNTIME,DECORG_CN", "abnormal_operation_listing"),
        ("UniSCID,EntName,serILLRea_CN,abntime,decOrg_CN", "seriously_dishonest_listing"),
        (
            "统一社会信用代码,企业名称,列入经营异常名录原因,列入日期,列入决定机关",
            "abnormal_operation_listing",
        ),
        (
            "统一社会信用代码,企业名称,列入严重违法失信企业名单（黑名单）原因,列入日期,作出决定机关",
            "seriously_dishonest_listing",
        ),
    ],
)
def test_a_list_is_told_by_its_titles_and_codes(
    take: Ingest, sqlite: Store, tmp_path: Path, head: str, kind: str
) -> None:
    row = f"{CODES[0]},甲公司,未依照《企业信息公示暂行条例》第八条规定的期限公示年度报告,2026-03-05,{OFFICE}"
    assert take(write_text(tmp_path / "a.csv", [head, row]), None).new == 1
    record = current(sqlite)[0]
    assert record["kind"] == kind
    assert record["level"] == ("market" if kind.startswith("serious") else "no_annual_report")


def test_who_leaves_the_list_ends_the_same_record(take: Ingest, sqlite: Store, tmp_path: Path) -> None:
    take(write_csv(tmp_path / "经营异常.csv", abnormal()), None)
    left = abnormal(列入日期="2026/3/5", 移出原因="补报年报", 移出日期="2026-06-01")
    report = take(write_csv(tmp_path / "经营异常名录2.csv", left), None)
    assert (report.new, report.changed, report.ignored) == (0, 1, ())
    assert current(sqlite)[0]["ends_on"] == "2026-06-01"


def test_a_list_of_those_who_left_ends_what_is_listed(take: Ingest, sqlite: Store, tmp_path: Path) -> None:
    take(write_csv(tmp_path / "经营异常.csv", abnormal()), None)
    left = abnormal(移出原因="补报年报", 移出日期="2026-06-01")
    for told_before in ("列入原因", "作出决定机关（列入）"):
        del left[told_before]
    report = take(write_csv(tmp_path / "移出经营异常名录.csv", left), None)
    assert (report.dataset, report.changed) == ("record", 1)
    assert [known["ends_on"] for known in current(sqlite)] == ["2026-06-01"]


@pytest.mark.parametrize(
    ("said", "row_no", "column"),
    [
        ({"移出原因": "补报年报"}, 2, "移出日期"),
        ({"移出原因": "补报年报", "移出日期": "-"}, 2, "移出日期"),
        ({"作出决定机关（移出）": OFFICE}, 2, "移出日期"),
        ({"移出原因": "-", "作出决定机关（移出）": "/"}, 0, ""),
    ],
)
@pytest.mark.parametrize("name", ["经营异常名录", "严重违法失信名单"])
def test_who_left_the_list_on_no_day_is_not_listed_still_in_silence(
    take: Ingest, sqlite: Store, tmp_path: Path, name: str, said: dict[str, str], row_no: int, column: str
) -> None:
    report = take(write_csv(tmp_path / f"{name}.csv", abnormal(**said)), None)
    assert (report.new, report.rejected) == ((0, 1) if row_no else (1, 0))
    found = [(row, header, "缺少移出日期" in reason) for row, header, _, reason in quarantined(sqlite)]
    assert found == ([(row_no, column, True)] if row_no else [])


def test_a_list_with_reasons_of_leaving_and_no_days_says_so_of_each_row(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    row = abnormal(移出原因="补报年报")
    del row["移出日期"]
    still = {**row, "统一社会信用代码": CODES[1], "移出原因": ""}
    report = take(write_xlsx(tmp_path / "经营异常名录.xlsx", row, still), None)
    assert (report.new, report.rejected) == (1, 1)
    assert [(row, header) for row, header, _, _ in quarantined(sqlite)] == [(3, "移出原因")]


def test_a_listing_of_who_is_known_by_name_is_numbered_by_the_name(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    take(write_text(tmp_path / "企业.csv", ["统一社会信用代码,企业名称", f"{CODES[0]},甲公司"]), None)
    row = abnormal(统一社会信用代码=FILLER)
    assert take(write_csv(tmp_path / "经营异常.csv", row), None).new == 1
    assert current(sqlite)[0]["record_id"] == "经营异常名录 甲公司 2026-03-05"


def test_a_date_that_is_none_is_the_one_thing_said_of_its_row(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    assert take(write_csv(tmp_path / "经营异常.csv", abnormal(列入日期="去年")), None).rejected == 1
    assert [column for _, column, *_ in quarantined(sqlite)] == ["列入日期"]


@pytest.mark.parametrize(
    ("cell", "level"), [("A", "A"), ("优", "A"), ("D级", "D"), ("差", "D"), ("良(B)", "B")]
)
@pytest.mark.parametrize("title", ["公共信用综合评价等级", "企业信用状况综合评价结果"])
def test_the_grades_of_the_national_evaluation_are_taken(
    take: Ingest, sqlite: Store, tmp_path: Path, title: str, cell: str, level: str
) -> None:
    rows = [f"统一社会信用代码,企业名称,{title},评价日期", f"{CODES[0]},甲公司,{cell},2026/10/31"]
    assert take(write_text(tmp_path / "a.csv", rows), None).new == 1
    record = current(sqlite)[0]
    assert (record["kind"], record["level"], record["status"]) == ("national_rating", level, "effective")


def test_a_row_of_a_form_finds_its_enterprise_by_a_header_that_the_form_does_not_have(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    take(write_text(tmp_path / "企业.csv", ["统一社会信用代码,企业名称", f"{CODES[0]},甲公司"]), None)
    rows = ["单位名称,综合评价等级,评价日期", "甲公司,A,2026/10/31"]
    assert take(write_text(tmp_path / "a.csv", rows), None).new == 1
    assert current(sqlite)[0]["subject_id"] == CODES[0]


def test_the_penalties_that_the_market_regulators_publish_are_taken(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    head = "统一社会信用代码,当事人名称,处罚决定书文号,违法行为类型,主要违法事实,处罚依据,处罚种类,处罚内容,"
    head += "罚款金额,没收金额,决定机关名称,处罚决定日期,处罚有效期,公示日期,公示截止期"
    row = f"{CODES[0]},甲公司,某市监处罚〔2026〕7号,类型,事实,依据,罚款；没收违法所得,内容,1,0.5,{OFFICE},"
    row += "2026-03-05,,2026-03-10,2029-03-10"
    report = take(write_text(tmp_path / "a.csv", [head, row]), None)
    assert (report.new, report.ignored) == (1, ())
    assert current(sqlite) == [
        LISTED
        | {
            "record_id": f"{OFFICE} 某市监处罚〔2026〕7号",
            "kind": "penalty",
            "severity": "general",
            "level": "confiscation",
            "amount": "15000.0000",
            "ends_on": "2029-03-10",
            "document_no": "某市监处罚〔2026〕7号",
        }
    ]
    take(write_csv(tmp_path / "b.csv", penalty()), None)
    assert len(current(sqlite)) == 1


def test_a_ledger_may_call_the_kinds_of_penalties_as_the_other_form_does(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    head = "统一社会信用代码,当事人名称,决定书文号,处罚类别,罚款金额（万元）,处罚机关名称,处罚决定日期"
    row = f"{CODES[0]},甲公司,某环罚〔2026〕7号,罚款,3,{OFFICE},2026-03-05"
    report = take(write_text(tmp_path / "a.csv", [head.replace("处罚机关名称", "决定机关名称"), row]), None)
    assert (report.new, report.rejected, report.ignored) == (1, 0, ())
    assert current(sqlite)[0]["level"] == "fine"


# The whole file


def test_files_are_scored_without_a_store_as_they_come(tmp_path: Path) -> None:
    register = write_text(tmp_path / "企业.csv", ["统一社会信用代码,企业名称", f"{CODES[0]},甲公司"])
    records = write_csv(tmp_path / "处罚.csv", PENALTY, penalty(行政相对人类别="自然人"))
    day = dt.date(2026, 8, 31)
    run = score_files(find_pack("enterprise-credit", day), day, register, records, tmp_path / "out.csv")
    assert (run.records, run.orphans, run.rejected) == (1, 0, 1)


def test_a_workbook_may_hold_two_forms(take: Ingest, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (PENALTY, PERMIT):
        sheet = book.create_sheet(f"表{len(row)}")
        sheet.append([*row])
        sheet.append([*row.values()])
    book.save(tmp_path / "a.xlsx")
    report = take(tmp_path / "a.xlsx", None)
    assert report.new == 2
    assert [form.zh for form in report.forms] == ["双公示行政处罚", "双公示行政许可"]


def test_a_mapping_goes_before_the_form(take: Ingest, sqlite: Store, tmp_path: Path) -> None:
    mapping = parse_mapping("columns: {备注: field, 处罚类别: }\ndefaults: {level: 警告}", "m.yaml")
    path = write_csv(tmp_path / "a.csv", {**PENALTY, "备注": "食品药品", "CF_CFLB": "罚款"})
    assert take(path, None, mapping=mapping).new == 1
    assert current(sqlite)[0]["field"] == "food_medicine"
    assert current(sqlite)[0]["level"] == "fine"


def test_one_command_without_options_takes_the_file(sqlite_store_url: str, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "行政处罚.csv", PENALTY, encoding="gb18030")
    done = CliRunner().invoke(
        main, ["ingest", str(path), "--database", sqlite_store_url, "--quarantine", str(tmp_path)]
    )
    assert done.exit_code == 0, done.output
    assert "双公示行政处罚" in done.output


def test_a_second_row_of_headers_in_codes_is_no_row_of_the_office(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    path = write_workbook(tmp_path / "a.xlsx", [[*PENALTY], [*CODED.values()], [*PENALTY.values()]])
    report = take(path, None)
    assert (report.new, report.rejected) == (1, 0)


def test_two_headers_of_one_field_are_not_guessed_at(take: Ingest, tmp_path: Path) -> None:
    with pytest.raises(IngestError, match="处罚类别 and CF_CFLB both mean"):
        take(write_csv(tmp_path / "a.csv", {**PENALTY, "CF_CFLB": "警告"}), None)


def test_a_form_that_lacks_what_makes_its_number_is_refused_by_that_name(
    take: Ingest, tmp_path: Path
) -> None:
    row = {name: value for name, value in PENALTY.items() if name not in ("处罚机关", "数据来源单位")}
    with pytest.raises(IngestError, match="认定机关"):
        take(write_csv(tmp_path / "a.csv", row), None)


def test_penalties_without_their_kind_are_no_register(take: Ingest, sqlite: Store, tmp_path: Path) -> None:
    row = {name: value for name, value in PENALTY.items() if name != "处罚类别"}
    report = take(write_csv(tmp_path / "a.csv", row), None)
    assert (report.dataset, report.rejected) == ("record", 1)
    ((_, where, _, reason),) = quarantined(sqlite)
    assert where == "处罚类别"
    assert reason.startswith("缺少失信程度,“处罚类别”又没有写明")


def test_the_same_file_again_changes_nothing(take: Ingest, tmp_path: Path) -> None:
    take(write_csv(tmp_path / "a.csv", PENALTY), None)
    take(write_csv(tmp_path / "b.csv", PERMIT), None)
    again = take(write_csv(tmp_path / "a.csv", PENALTY), None)
    assert (again.new, again.changed, again.unchanged) == (0, 0, 1)


@pytest.mark.parametrize("form", forms_of("enterprise"), ids=lambda form: form.id)
def test_the_template_of_a_form_is_read_by_it(take: Ingest, tmp_path: Path, form: Form) -> None:
    path = tmp_path / "模板.xlsx"
    done = CliRunner().invoke(main, ["ingest", "--template", form.id])
    assert done.exit_code == 0, done.output
    path.write_bytes(done.stdout_bytes)
    empty = take(path, None)
    assert (empty.rows, empty.forms, empty.ignored) == (0, (form.title,), ())
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    titles = [str(cell.value).strip("*").split("（")[0] for cell in sheet[1]]
    example = dict(zip(titles, (cell.value for cell in sheet[2]), strict=True))
    records = table_named(form.vocabulary, "record")[0].columns
    shown = {field for name, column in form.columns.items() if name in records for field in column.fields}
    assert all(example[title] for title in shown & example.keys()), example
    assert not any(example[title] for title in example.keys() & {*form.private})
    said = {"统一社会信用代码": CODES[0], "日期": "2026-03-05", "级": "A", "罚款金额": "1", "号": "1号"}
    said |= {"处罚类别": "罚款", "处罚种类": "罚款", "机关": OFFICE, "机构": OFFICE}
    for number, head in enumerate((cell.value for cell in sheet[1]), 1):
        title = str(head).strip("*").split("（")[0]
        found = next((value for word, value in said.items() if title.endswith(word) or word in title), None)
        is_code = "统一社会信用代码" in title and "机关" not in title and "单位" not in title
        if found and (found != CODES[0] or is_code) and "证件" not in title and "注册号" not in title:
            sheet.cell(3, number, found)
    book.save(path)
    report = take(path, None)
    assert (report.rows, report.new) == (1, 1), report.quarantine and report.quarantine.read_text()


@pytest.mark.parametrize("form", forms_of("enterprise"), ids=lambda form: form.id)
def test_each_form_speaks_of_columns_and_codes_that_its_vocabulary_has(form: Form) -> None:
    vocabulary = load_vocabulary(form.vocabulary)
    assert vocabulary.records is not None
    columns = vocabulary.records.columns
    finders = {name: vocabulary.subject.columns[name] for name in vocabulary.find_by}
    assert form.columns.keys() <= columns.keys() | finders.keys()
    assert set(form.number) <= {*form.columns, *form.fixed, SUBJECT}
    for name, code in form.fixed.items():
        assert code in columns[name].values
    for name, said in form.columns.items():
        codes = {code for code in said.words.values() if code is not None} | set(said.gravest)
        assert codes <= (columns | finders)[name].values.keys()
        if said.gravest:
            kind = vocabulary.records.kinds[form.fixed["kind"]]
            assert set(said.gravest) == set(kind.values[name])
    words = [word for words in form.fields.values() for word in words]
    assert sorted(words) == sorted(set(words))


@pytest.mark.parametrize(
    ("beside", "said"),
    [
        (["单位：元"], "元"),
        (["2026年行政处罚公示表（单位：元）"], "元"),
        (["单位：元 日期：2026年5月"], "元"),
        (["金额单位：千元"], "千元"),
        (["单位：人民币百万元"], "百万元"),
    ],
)
def test_a_unit_above_a_form_that_is_not_its_own_is_not_passed_over(
    take: Ingest, sqlite: Store, tmp_path: Path, beside: list[str], said: str
) -> None:
    row = {header.replace("（万元）", ""): cell for header, cell in penalty(罚款金额="15000").items()}
    book = write_workbook(tmp_path / "a.xlsx", [beside, [*row], [*row.values()]])
    with pytest.raises(IngestError, match=f"row 1 says that amounts are in {said}, and the header 罚款金额"):
        take(book, None)
    assert current(sqlite) == []


def test_a_unit_below_the_headers_of_a_form_that_is_not_its_own_is_not_passed_over(
    take: Ingest, tmp_path: Path
) -> None:
    row = {header.replace("（万元）", ""): cell for header, cell in penalty(罚款金额="15000").items()}
    units = ["（元）" if header == "罚款金额" else "" for header in row]
    with pytest.raises(IngestError, match="row 2 says that amounts are in 元"):
        take(write_workbook(tmp_path / "a.xlsx", [[*row], units, [*row.values()]]), None)


def under_own_header(header: str, amount: str = "1.5") -> dict[str, str]:
    """A row of the form whose amount stands under a header of the vocabulary's own."""
    row = {name: cell for name, cell in penalty().items() if not name.endswith("（万元）")}
    return {**row, header: amount}


@pytest.mark.parametrize("above", [[], ["单位：万元"]], ids=["no title", "title"])
@pytest.mark.parametrize(
    ("header", "amount"),
    [
        ("处罚金额", "15000.0000"),
        ("涉及金额", "15000.0000"),
        ("涉及金额（万元）", "15000.0000"),
        ("涉及金额（元）", "1.5000"),
        ("处罚金额/千元", "1500.0000"),
    ],
)
def test_an_amount_of_a_form_is_in_its_unit_under_any_header(
    take: Ingest, sqlite: Store, tmp_path: Path, above: list[str], header: str, amount: str
) -> None:
    row = under_own_header(header)
    take(write_workbook(tmp_path / "a.xlsx", [above, [*row], [*row.values()]]), None)
    assert current(sqlite)[0]["amount"] == amount


def test_a_unit_above_that_is_not_the_form_s_is_refused_for_any_header_of_an_amount(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    row = under_own_header("处罚金额", "15000")
    with pytest.raises(IngestError, match="row 1 says that amounts are in 元, and the header 处罚金额"):
        take(write_workbook(tmp_path / "a.xlsx", [["单位：元"], [*row], [*row.values()]]), None)
    assert current(sqlite) == []


def test_an_amount_beside_those_that_the_form_adds_up_is_not_added(take: Ingest, tmp_path: Path) -> None:
    row = {**penalty(), "涉及金额": "1.5"}
    with pytest.raises(IngestError, match="both mean 罚款金额"):
        take(write_workbook(tmp_path / "a.xlsx", [[*row], [*row.values()]]), None)


@pytest.mark.parametrize(
    ("above", "unit", "amount"),
    [
        ("单位：万元", "", "15000.0000"),
        ("填报单位：元坝区市场监管局", "", "15000.0000"),
        ("填报单位：某局", "", "15000.0000"),
        ("单位：元", "（万元）", "15000.0000"),
        ("单位：万元", "（元）", "1.5000"),
    ],
)
def test_a_unit_above_a_form_that_says_the_same_or_less_than_its_header_is_read_past(
    take: Ingest, sqlite: Store, tmp_path: Path, above: str, unit: str, amount: str
) -> None:
    row = {header.replace("（万元）", unit): cell for header, cell in penalty().items()}
    take(write_workbook(tmp_path / "a.xlsx", [[above], [*row], [*row.values()]]), None)
    assert current(sqlite)[0]["amount"] == amount
