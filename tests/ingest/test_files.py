"""Files as offices send them, into the store."""

from __future__ import annotations

import csv
import datetime as dt
import json
import os
import re
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.library.loader import load_vocabulary
from scoring.facts.ingest.files import Reading, ingest_file, ingest_paths
from scoring.facts.ingest.headers import HeaderMatcher
from scoring.facts.ingest.mapping import NO_MAPPING, parse_mapping
from scoring.facts.ingest.rows import RowReader
from scoring.facts.ingest.sheets import open_sheet
from scoring.store import Store, open_store
from scoring.store.documents import encode
from scoring.store.models import SubjectVersion

from .conftest import CODES, LENIENT, Ingest, current, quarantined, write_text, write_workbook

HEADERS = ("记录编号", "统一社会信用代码", "信息类别", "涉及金额", "认定日期", "认定机关")
ROW = ("R1", CODES[0], "行政处罚", "12.5万", "2026年3月1日", "区市场监管局")
PENALTY = {
    "amount": "125000.0000",
    "authority": "区市场监管局",
    "kind": "penalty",
    "occurred_on": "2026-03-01",
    "record_id": "R1",
    "subject_id": CODES[0],
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_csv_is_read_in_any_encoding_and_delimiter(
    take: Ingest, sqlite: Store, tmp_path: Path, encoding: str, delimiter: str, newline: str
) -> None:
    lines = [delimiter.join(HEADERS), delimiter.join(ROW)]
    report = take(write_text(tmp_path / "处罚.csv", lines, encoding, newline))
    assert (report.dataset, report.rows, report.new, report.rejected) == ("record", 1, 1, 0)
    assert current(sqlite) == [PENALTY]


def test_a_character_beyond_gbk_survives_gb18030(take: Ingest, sqlite: Store, tmp_path: Path) -> None:
    take(write_text(tmp_path / "a.csv", ["统一社会信用代码,企业名称", f"{CODES[0]},𠮷野㐂食品店"], "gb18030"))
    assert current(sqlite, SubjectVersion) == [{"name": "𠮷野㐂食品店", "subject_id": CODES[0]}]


def test_a_workbook_gives_the_same_as_a_csv(take: Ingest, sqlite: Store, tmp_path: Path) -> None:
    row = ("R1", CODES[0], "行政处罚", 125_000, dt.date(2026, 3, 1), "区市场监管局")
    take(write_workbook(tmp_path / "处罚.xlsx", [HEADERS, row]))
    assert current(sqlite) == [PENALTY]


def test_a_date_without_a_date_format_is_read_from_its_day_number(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    take(
        write_workbook(
            tmp_path / "处罚.xlsx", [HEADERS, ("R1", CODES[0], "行政处罚", 125_000.0, 46082, "区市场监管局")]
        )
    )
    assert current(sqlite) == [PENALTY]


def test_a_sheet_is_chosen_by_name_and_titles_may_stand_above_the_headers(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    rows = [("武隆区行政处罚信息表",), (), HEADERS, ROW, ("",), (*ROW[:1], "x", *ROW[2:])]
    path = write_workbook(tmp_path / "a.xlsx", rows, "处罚")
    report = take(path, mapping=parse_mapping("sheet: 处罚", "m.yaml"))
    assert (report.new, report.rejected) == (1, 1)
    assert quarantined(sqlite)[0][0] == 6


def test_row_numbers_are_the_lines_of_an_editor(take: Ingest, sqlite: Store, tmp_path: Path) -> None:
    lines = [
        ",".join(HEADERS),
        f'R1,{CODES[0]},行政处罚,1,2026-01-01,"两\n行"',
        "",
        ",,,,,",
        f"R2,{CODES[0]},行政处罚,x,,",
    ]
    report = take(write_text(tmp_path / "a.csv", lines))
    assert report.rows == 2
    assert [row[:3] for row in quarantined(sqlite)] == [(6, "涉及金额", "x")]


@pytest.mark.parametrize(
    "headers",
    [
        ("record_id", "subject_id", "kind", "amount"),
        ("Record number", "Unified social credit code", "KIND", "Amount (yuan)"),
        (" 编号 ", "信用代码*", "类别：", "金额（元）"),
        ("Ｒecord_ID", "统一社会\n信用代码", "记录 类别", "金额"),
    ],
)
def test_headers_are_read_by_name_title_and_alias(
    take: Ingest, sqlite: Store, tmp_path: Path, headers: tuple[str, ...]
) -> None:
    path = tmp_path / "a.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([headers, ("R1", CODES[0], "Award", "1")])
    assert take(path).ignored == ()
    assert current(sqlite) == [
        {"amount": "1.0000", "kind": "award", "record_id": "R1", "subject_id": CODES[0]}
    ]


def test_a_header_in_ten_thousands_is_counted_so(take: Ingest, sqlite: Store, tmp_path: Path) -> None:
    lines = ["编号,信用代码,涉及金额（万元）", f"R1,{CODES[0]},12.5", f"R2,{CODES[0]},300元"]
    take(write_text(tmp_path / "a.csv", lines))
    assert [row["amount"] for row in current(sqlite)] == ["125000.0000", "300.0000"]


def test_columns_that_are_not_known_are_named_and_so_are_those_that_lack(
    take: Ingest, tmp_path: Path
) -> None:
    report = take(write_text(tmp_path / "a.csv", ["信用代码,企业名称,备注,序号", f"{CODES[0]},甲,,1"]))
    assert report.dataset == "subject"
    assert report.ignored == ("备注", "序号")
    assert "town" in report.absent
    assert "name" not in report.absent


def test_every_problem_of_a_row_is_told_and_good_rows_are_kept(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    lines = [
        ",".join(HEADERS),
        ",".join(ROW),
        "R2,911100006000373418,行政处分,一百,2026-02-30,x",
        f"R3,{CODES[0]},行政处罚,1,2026-01-01",
        f",{CODES[0]},行政处罚,1,2026-01-01,x",
        f"R4,{CODES[1]},表彰奖励,,2026-01-01,x",
    ]
    report = take(write_text(tmp_path / "处罚.csv", lines))
    assert (report.new, report.rejected) == (2, 3)
    assert [row["record_id"] for row in current(sqlite)] == ["R1", "R4"]
    found = quarantined(sqlite)
    assert sorted((row, column or "", value) for row, column, value, _ in found) == sorted(
        [
            (3, "统一社会信用代码", "911100006000373418"),
            (3, "信息类别", "行政处分"),
            (3, "涉及金额", "一百"),
            (3, "认定日期", "2026-02-30"),
            (4, "", f"R3 | {CODES[0]} | 行政处罚 | 1 | 2026-01-01"),
            (5, "记录编号", ""),
        ]
    )
    reasons = " ".join(reason for *_, reason in found)
    for said in (
        "L expected",
        "perhaps penalty",
        "not a number",
        "no such day",
        "5 cells where the headers have 6",
        "empty",
    ):
        assert said in reasons


def test_the_quarantine_file_opens_in_a_spreadsheet_and_runs_nothing(take: Ingest, tmp_path: Path) -> None:
    lines = ["编号,信用代码,金额", f'R1,{CODES[0]},"=HYPERLINK(""http://x"")"']
    report = take(write_text(tmp_path / "a.csv", lines))
    assert report.quarantine is not None
    assert report.quarantine.parent == tmp_path / "quarantine"
    assert report.quarantine.read_bytes().startswith(b"\xef\xbb\xbf")
    with report.quarantine.open(encoding="utf-8-sig", newline="") as stream:
        head, row = csv.reader(stream)
    assert head == ["文件 file", "工作表 sheet", "行 row", "列 column", "值 value", "原因 reason"]
    assert row[:5] == ["a.csv", "", "2", "金额", '\'=HYPERLINK("http://x")']


def test_the_same_file_twice_changes_nothing(take: Ingest, sqlite: Store, tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.csv", [",".join(HEADERS), ",".join(ROW), "bad,row"])
    first, second = take(path), take(path)
    assert (first.new, first.rejected) == (1, 1)
    assert (second.new, second.changed, second.unchanged, second.rejected) == (0, 0, 1, 1)
    assert second.quarantine == first.quarantine
    assert len(quarantined(sqlite)) == 1


FILLER = "00000000000000000X"


def test_records_come_again_once_their_subject_is_known(take: Ingest, sqlite: Store, tmp_path: Path) -> None:
    lines = ["编号,信用代码,企业名称,状态", f"R1,{FILLER},某面馆,有效", f"R2,{CODES[0]},某面馆,有效"]
    records = write_text(tmp_path / "a.csv", lines)
    before = take(records)
    assert (before.new, before.rejected) == (1, 1)
    take(write_text(tmp_path / "b.csv", ["信用代码,企业名称", f"{CODES[1]},某面馆"]))
    after = take(records)
    assert (after.new, after.unchanged, after.rejected) == (1, 1, 0)
    assert take(records).file_id == after.file_id


def test_a_date_that_lay_too_far_ahead_is_looked_at_again_another_day(
    take: Ingest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = write_text(tmp_path / "a.csv", ["编号,信用代码,决定日期", f"R1,{CODES[0]},2026-07-10"])
    days = iter([dt.date(2026, 6, 1), dt.date(2026, 6, 20)])
    for taken in ((0, 1), (1, 0)):
        day = next(days)
        for module in ("ingest.files", "ingest.rows", "versions"):
            monkeypatch.setattr(
                f"scoring.facts.{module}.today", partial(dt.date.fromordinal, day.toordinal())
            )
        report = take(path)
        assert (report.new, report.rejected) == taken


def test_of_several_files_those_of_subjects_are_taken_first(sqlite: Store, tmp_path: Path) -> None:
    write_text(tmp_path / "1.csv", ["编号,信用代码,企业名称,状态", f"R1,{FILLER},某面馆,有效"])
    write_text(tmp_path / "2.csv", ["不是,表头"])
    write_text(tmp_path / "3.csv", ["信用代码,企业名称", f"{CODES[1]},某面馆"])
    report = ingest_paths(sqlite, [tmp_path], LENIENT, Reading(quarantine=tmp_path / "quarantine"))
    assert [(file.file, file.new, file.rejected) for file in report.files] == [
        ("3.csv", 1, 0),
        ("1.csv", 1, 0),
    ]
    assert [failure.file for failure in report.failures] == ["2.csv"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "gb18030"])
def test_a_text_with_tabs_that_is_called_xls_is_a_text(take: Ingest, tmp_path: Path, encoding: str) -> None:
    lines = ["编号\t信用代码", f"R1\t{CODES[0]}"]
    assert take(write_text(tmp_path / "a.xls", lines, encoding=encoding)).new == 1


def test_one_number_of_two_authorities_is_not_one_record(take: Ingest, sqlite: Store, tmp_path: Path) -> None:
    def listed(name: str, *cells: str) -> Path:
        return write_text(tmp_path / name, ["编号,信用代码,机关", ",".join(cells)])

    take(listed("a.csv", "1", CODES[0], "甲局"))
    other = take(listed("b.csv", "1", CODES[1], "乙局"))
    assert (other.changed, other.rejected) == (0, 1)
    assert "the number of another authority's record, of another subject" in quarantined(sqlite)[0][3]
    assert current(sqlite)[0]["subject_id"] == CODES[0]
    assert take(listed("c.csv", "1", CODES[1], "甲局")).changed == 1  # its own authority corrects it
    assert take(listed("d.csv", "1", CODES[1], "乙局")).changed == 1  # handed over


def test_a_corrected_record_supersedes_the_old_one(take: Ingest, sqlite: Store, tmp_path: Path) -> None:
    take(write_text(tmp_path / "a.csv", [",".join(HEADERS), ",".join(ROW)]))
    report = take(write_text(tmp_path / "b.csv", [",".join(HEADERS), ",".join((*ROW[:3], "2", *ROW[4:]))]))
    assert (report.new, report.changed) == (0, 1)
    assert [row["amount"] for row in current(sqlite)] == ["2.0000"]


def test_a_file_is_the_same_in_every_process(tmp_path: Path) -> None:
    """As after another command, or a server that was started anew: sets have another order in each."""
    path = tmp_path / "a.csv"
    path.write_text("x", encoding="utf-8")
    said = """
import sys
from pathlib import Path
from rules.library.loader import load_vocabulary, vocabulary_names
from scoring.facts.ingest.files import _digest
from scoring.facts.ingest.headers import HeaderMatcher
from scoring.facts.ingest.mapping import NO_MAPPING
for name in vocabulary_names():
    matcher = HeaderMatcher(load_vocabulary(name), NO_MAPPING, None)
    print(name, _digest(Path(sys.argv[1]), matcher, False))
"""
    told = {
        subprocess.run(
            [sys.executable, "-c", said, path],
            env=os.environ | {"PYTHONHASHSEED": str(seed)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in range(1, 5)
    }
    assert len(told) == 1
    assert len(told.pop().splitlines()) > 1


def test_a_file_is_read_again_where_another_mapping_reads_it_otherwise(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    path = write_text(tmp_path / "a.csv", ["编号,信用代码,说明", f"R1,{CODES[0]},罚款"])
    take(path)
    mapping = parse_mapping("columns: {说明: kind}\nvalues: {kind: {罚款: penalty}}", "m.yaml")
    assert take(path, mapping=mapping).changed == 1
    assert current(sqlite)[0]["kind"] == "penalty"


def test_a_key_twice_with_other_content_is_a_bad_row(take: Ingest, tmp_path: Path) -> None:
    lines = [",".join(HEADERS), ",".join(ROW), ",".join(ROW), ",".join((*ROW[:3], "2", *ROW[4:]))]
    report = take(write_text(tmp_path / "a.csv", lines))
    assert (report.new, report.rejected) == (1, 1)
    assert report.quarantine is not None
    assert "R1" in report.quarantine.read_text(encoding="utf-8-sig")


def test_a_mapping_says_how_a_file_differs(take: Ingest, sqlite: Store, tmp_path: Path) -> None:
    mapping = parse_mapping(
        """
        dataset: record
        columns: {处罚对象: subject_id, 文号: record_id, 处罚结果: level, 编号: }
        values: {level: {罚: fine}}
        defaults: {kind: 行政处罚, status: effective}
        encoding: gb18030
        skip_rows: 2
        """,
        "m.yaml",
    )
    lines = [
        "表一,,,",
        "编号,文号,处罚对象,处罚结果",
        "编号,文号,处罚对象,处罚结果",
        f"1,渝〔2026〕1号,{CODES[0]},罚",
    ]
    report = take(write_text(tmp_path / "a.csv", lines, "gb18030"), mapping=mapping)
    assert (report.dataset, report.new, report.ignored) == ("record", 1, ("编号",))
    assert current(sqlite) == [
        {
            "kind": "penalty",
            "level": "fine",
            "record_id": "渝〔2026〕1号",
            "severity": "general",
            "status": "effective",
            "subject_id": CODES[0],
        }
    ]


def test_the_table_can_be_said(take: Ingest, sqlite: Store, tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.csv", ["编号,信用代码,企业名称", f"R1,{CODES[0]},甲"])
    assert take(path, dataset="subject").dataset == "subject"
    assert current(sqlite, SubjectVersion) == [{"name": "甲", "subject_id": CODES[0]}]


def test_broken_quotes_cost_their_rows_and_no_others(take: Ingest, sqlite: Store, tmp_path: Path) -> None:
    lines = [
        "编号,信用代码,机关",
        f'R1,{CODES[0]},"甲"乙',
        f"R2,{CODES[0]},丙",
        f'R3,{CODES[0]},"丁',
        f"R4,{CODES[0]},戊",
    ]
    report = take(write_text(tmp_path / "a.csv", lines))
    assert (report.new, report.rejected) == (2, 2)
    assert [row["record_id"] for row in current(sqlite)] == ["R2", "R4"]
    assert [row for row, *_ in quarantined(sqlite)] == [2, 4]
    assert "the quote opened in line 4 is never closed" in quarantined(sqlite)[1][3]


def test_headers_alone_are_no_rows(take: Ingest, tmp_path: Path) -> None:
    report = take(write_text(tmp_path / "a.csv", [",".join(HEADERS)]))
    assert report.rows == 0


def test_both_databases_keep_what_no_database_likes(store: Store, tmp_path: Path) -> None:
    lines = ["编号,信用代码,文书号,金额", f"R1,{CODES[0]},a\0b,1", f'R2,{CODES[0]},"引""号\\, \n行",2']
    report = ingest_file(
        store, write_text(tmp_path / "a.csv", lines), LENIENT, Reading(quarantine=tmp_path / "q")
    )
    assert (report.new, report.rejected) == (1, 1)
    assert [row["document_no"] for row in current(store)] == ['引"号\\, \n行']
    assert quarantined(store)[0][:3] == (2, "文书号", "a⟨U+0000⟩b")


def test_a_directory_is_taken_file_by_file(sqlite: Store, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    write_text(folder / "b.csv", [",".join(HEADERS), ",".join(ROW)])
    write_text(folder / "a.csv", ["no,such,headers"])
    write_workbook(folder / "sub" / "c.xlsx", [("信用代码", "企业名称"), (CODES[0], "甲")])
    (folder / "读我.md").write_text("x", encoding="utf-8")
    (folder / "~$c.xlsx").write_bytes(b"x")
    seen: list[tuple[str, int, int]] = []
    report = ingest_paths(
        sqlite,
        [folder],
        LENIENT,
        Reading(quarantine=tmp_path / "q"),
        lambda path: lambda done, whole: seen.append((path.name, done, whole)),
    )
    assert [file.file for file in report.files] == ["c.xlsx", "b.csv"]  # subjects before records
    assert [failure.file for failure in report.failures] == ["a.csv"]
    assert [path.name for path in report.skipped] == ["~$c.xlsx", "读我.md"]
    assert [name for name, *_ in seen] == ["c.xlsx", "b.csv"]
    assert all(done == whole > 0 for _, done, whole in seen)


def test_a_file_longer_than_a_batch_is_taken_whole(take: Ingest, sqlite: Store, tmp_path: Path) -> None:
    rows = 45_000
    lines = ["编号,信用代码,金额", *(f"R{n},{CODES[n % 3]},{n}" for n in range(rows))]
    assert take(write_text(tmp_path / "a.csv", lines)).new == rows
    assert [row["record_id"] for row in current(sqlite)][:: rows - 1] == ["R0", f"R{rows - 1}"]


texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(texts, texts, st.integers(0, 10**9)), min_size=1, max_size=8))
def test_documents_are_those_of_the_store(tmp_path: Path, rows: list[tuple[Any, ...]]) -> None:
    """The reader writes documents itself, for speed; they are what ``encode`` makes of the values."""
    path = tmp_path / "a.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("信用代码", "企业名称", "所在乡镇街道", "从业人数"))
        writer.writerows((CODES[0], *row) for row in rows)
    matcher = HeaderMatcher(load_vocabulary("enterprise"), NO_MAPPING)
    with open_sheet(path, matcher.score) as sheet:
        first = next(sheet.rows)
        good = list(RowReader(matcher.layout([first], path.name), matcher, sheet.epoch).rows(sheet))
    assert len(good) == len(rows)
    for row in good:
        assert isinstance(row, tuple)
        assert row[3] == encode(json.loads(row[3]))
        assert row[1] == row[2] == CODES[0]


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx"])
def test_it_is_told_how_much_of_a_file_is_read(sqlite: Store, tmp_path: Path, name: str) -> None:
    lines = [("编号", "信用代码", "金额"), *((f"R{n}", CODES[0], str(n)) for n in range(600))]
    if name == "a.csv":
        path = write_text(tmp_path / name, [",".join(line) for line in lines])
    else:
        path = write_workbook(tmp_path / name, lines)
    told: list[tuple[int, int]] = []
    reading = Reading(quarantine=tmp_path / "quarantine")
    ingest_file(sqlite, path, LENIENT, reading, lambda done, whole: told.append((done, whole)))
    assert told == sorted(told)
    assert 0 < told[0][0] <= told[-1][0] == told[-1][1]


def test_postgresql_knows_at_once_how_much_of_the_records_a_large_file_has_changed(
    postgresql_store_url: str, tmp_path: Path
) -> None:
    """Or a second file of 30,000 rows, which came soon after, took longer than minutes."""
    store = open_store(postgresql_store_url)
    lookup = "EXPLAIN SELECT id FROM record_versions WHERE vocabulary = 'enterprise' AND known_until IS NULL"
    for file, status in enumerate(("有效", "异议中"), start=1):
        rows = [f"R{n},{CODES[0]},tax_arrears,{status},2026-03-01" for n in range(2_000)]
        path = write_text(tmp_path / f"{file}.csv", ["编号,信用代码,类别,状态,日期", *rows])
        ingest_file(store, path, "enterprise", Reading(quarantine=tmp_path))
        with store.reading() as session:
            plan = str(session.scalars(sa.text(f"{lookup} AND record_id = 'R1'")).all())
            latest = session.scalars(
                sa.text(f"EXPLAIN SELECT id FROM record_versions WHERE file_id = {file}")
            )
            expected = re.search(r"rows=(\d+)", str(latest.all()))
        assert "ix_record_versions_authority" not in plan
        assert expected is not None
        assert int(expected[1]) > 1_000
    store.close()
