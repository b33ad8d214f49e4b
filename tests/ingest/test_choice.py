"""Which vocabulary a file speaks, by itself and against what the caller said."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from rules.library.loader import load_vocabulary
from scoring.facts.ingest import choice, files
from scoring.facts.ingest.errors import IngestError
from scoring.facts.ingest.files import Reading, ingest_file, ingest_paths
from scoring.facts.ingest.mapping import parse_mapping
from scoring.facts.ingest.sheets import open_sheets
from scoring.store import Store
from scoring.store.models import RecordVersion, SubjectVersion

from .builders import Tab, Workbook, row
from .conftest import CODES, Ingest, current, write_text

HOTELS = ["统一社会信用代码,商户名称,商户类型,经营状态,床位数", f"{CODES[0]},某酒店,酒店,营业,120"]
LISTING = "编号,信用代码,类别,状态,日期"
LONG = "编号,信用代码,机关,类别,失信程度,状态,等级,决定日期"


@pytest.mark.parametrize(
    ("vocabulary", "lines"),
    [
        ("tourism", HOTELS),
        ("enterprise", ["统一社会信用代码,企业名称,登记状态", f"{CODES[0]},甲,存续"]),
        ("inspector", ["执法证号,姓名,所属部门", "1,张三,某局"]),
        ("rural", ["农户编码,主营产业", "N1,粮油"]),
        ("department", ["记录编号,责任单位,信息类别,状态,日期", "1,D1,重点项目,有效,2026-01-01"]),
        ("enterprise", [LISTING, f"R1,{CODES[0]},经营异常名录,有效,2026-01-01"]),
        ("tourism", [LISTING, f"R1,{CODES[0]},轻微失信主体,有效,2026-01-01"]),
    ],
)
def test_the_headers_and_codes_say_the_vocabulary(
    take: Ingest, tmp_path: Path, vocabulary: str, lines: list[str]
) -> None:
    path = write_text(tmp_path / "a.csv", lines)
    assert take(path, None).vocabulary == vocabulary


@pytest.mark.parametrize(
    ("vocabulary", "lines", "code"),
    [
        ("tourism", ["统一社会信用代码,商户名称,经营状态", f"{CODES[0]},甲,停业"], "suspended"),
        ("tourism", ["统一社会信用代码,商户名称,经营状态", f"{CODES[0]},甲,歇业"], "suspended"),
        ("tourism", ["统一社会信用代码,商户名称,商户类型", f"{CODES[0]},甲,农家乐"], "farm_stay"),
        (
            "rural",
            ["编号,农户编码,类别,状态,等级,日期", "R1,N1,涉农贷款,有效,核销,2026-01-01"],
            "written_off",
        ),
        (
            "department",
            ["记录编号,责任单位,类别,状态,日期", "1,D1,企业诉求,序时推进,2026-01-01"],
            "under_way",
        ),
    ],
)
def test_a_word_that_offices_used_before_says_the_same_code(
    take: Ingest, sqlite: Store, tmp_path: Path, vocabulary: str, lines: list[str], code: str
) -> None:
    told = take(write_text(tmp_path / "a.csv", lines), vocabulary)
    assert (told.new, told.rejected) == (1, 0)
    rows = current(sqlite, SubjectVersion if vocabulary == "tourism" else RecordVersion)
    assert code in rows[0].values()


def test_what_is_not_clear_is_refused_with_the_comparison(take: Ingest, tmp_path: Path) -> None:
    lines = [LISTING, f"R1,{CODES[0]},失信被执行人,有效,2026-01-01"]
    with pytest.raises(IngestError, match="enterprise 5/5, tourism 5/5"):
        take(write_text(tmp_path / "a.csv", lines), None)


def test_of_two_that_read_a_file_equally_well_the_one_that_knows_its_subjects_is_taken(
    take: Ingest, tmp_path: Path
) -> None:
    take(write_text(tmp_path / "商户.csv", HOTELS), "tourism")
    records = write_text(tmp_path / "a.csv", [LISTING, f"R1,{CODES[0]},失信被执行人,有效,2026-01-01"])
    assert take(records, None).new == 1
    assert take(records, "tourism").unchanged == 1


def test_headers_that_nobody_knows_are_said_so(take: Ingest, tmp_path: Path) -> None:
    with pytest.raises(IngestError, match="no vocabulary knows a header"):
        take(write_text(tmp_path / "a.csv", ["甲,乙,丙", "1,2,3"]), None)


def test_where_the_headers_stand_in_a_hidden_sheet_that_is_said(take: Ingest, tmp_path: Path) -> None:
    tabs = [Tab("旧", [row("编号", "信用代码", "类别")], state="hidden"), Tab("说明", [row("填表说明")])]
    with pytest.raises(IngestError, match=r"sheets: 说明 read; 旧 hidden, not read") as refused:
        take(Workbook(tabs).write(tmp_path / "a.xlsx"), None)
    assert "工作表：说明 已读；旧 隐藏,未读" in refused.value.reason.zh


def test_hotels_are_not_taken_as_enterprises_even_if_that_is_said(take: Ingest, tmp_path: Path) -> None:
    with pytest.raises(IngestError, match="--vocabulary tourism"):
        take(write_text(tmp_path / "a.csv", HOTELS), "enterprise")


def test_a_mapping_or_a_vocabulary_of_ones_own_is_taken_at_its_word(take: Ingest, tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.csv", HOTELS)
    assert take(path, load_vocabulary("enterprise")).new == 1
    assert take(path, None, mapping=parse_mapping("vocabulary: enterprise", "m.yaml")).unchanged == 1


@pytest.mark.parametrize(
    "odd", [f"R2,{CODES[0]},甲局,处罚,重,在,罚,2026-03-05", LONG], ids=["bad", "headers"]
)
def test_a_bad_row_among_the_first_leaves_clear_what_the_others_say(
    sqlite: Store, tmp_path: Path, odd: str
) -> None:
    good = f"R1,{CODES[0]},甲局,行政处罚,一般,有效,罚款,2026-03-05"
    path = write_text(tmp_path / "a.csv", [LONG, good, odd])
    report = ingest_file(sqlite, path, None, Reading(quarantine=tmp_path))
    assert (report.vocabulary, report.new) == ("enterprise", 1)


def test_a_sheet_of_another_vocabulary_is_not_read_as_one_of_the_first(sqlite: Store, tmp_path: Path) -> None:
    firms = [
        row("信用代码", "企业名称", "主体类型", "登记状态", "行业"),
        row(CODES[0], "甲", "公司", "存续", "其他"),
    ]
    inns = [row("统一社会信用代码", "商户名称", "商户类型", "床位数"), row(CODES[1], "某酒店", "酒店", "120")]
    path = Workbook([Tab("企业", firms), Tab("商户", inns)]).write(tmp_path / "a.xlsx")
    for named in (None, "enterprise"):
        with pytest.raises(IngestError, match="商户 does not read like enterprise, but like tourism"):
            ingest_file(sqlite, path, named, Reading(quarantine=tmp_path / "q"))
    for sheet, vocabulary in (("企业", "enterprise"), ("商户", "tourism")):
        said = parse_mapping(f"sheet: {sheet}\nvocabulary: {vocabulary}\n", "m.yaml")
        report = ingest_file(sqlite, path, None, Reading(said, quarantine=tmp_path / "q"))
        assert (report.vocabulary, report.new) == (vocabulary, 1)


def test_of_several_files_each_is_looked_at_once(
    sqlite: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opened for its head, whatever that is asked for, and opened to be read."""
    opened: list[str] = []

    def counted(path: Path, *rest: Any) -> Any:
        opened.append(path.name)
        return open_sheets(path, *rest)

    for module in (choice, files):
        monkeypatch.setattr(module, "open_sheets", counted)
    records = write_text(tmp_path / "a.csv", [LISTING, f"R1,{CODES[0]},轻微失信主体,有效,2026-01-01"])
    hotels = write_text(tmp_path / "b.csv", HOTELS)
    for named in (None, "tourism"):
        report = ingest_paths(sqlite, [records, hotels], named, Reading(quarantine=tmp_path / "q"))
        assert [(file.file, file.vocabulary) for file in report.files] == [
            ("b.csv", "tourism"),
            ("a.csv", "tourism"),
        ]
        assert sorted(opened) == ["a.csv", "a.csv", "b.csv", "b.csv"]
        opened.clear()
    ingest_paths(sqlite, [records, hotels], load_vocabulary("tourism"), Reading(quarantine=tmp_path / "q"))
    assert sorted(opened) == ["a.csv", "a.csv", "b.csv", "b.csv"]


@pytest.mark.parametrize("sign", "|，；、")
def test_a_sign_that_parts_no_columns_is_named(take: Ingest, tmp_path: Path, sign: str) -> None:
    lines = [sign.join(("编号", "信用代码", "类别", "状态", "日期")), sign.join(("R1", CODES[0], "行政许可"))]
    with pytest.raises(IngestError, match=f"各列以“{re.escape(sign)}”分隔"):
        take(write_text(tmp_path / "a.csv", lines), None)
