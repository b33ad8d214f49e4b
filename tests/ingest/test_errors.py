"""Files that can't be taken in: each says what is wrong, and nothing of it reaches the store."""

from __future__ import annotations

import datetime as dt
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rules.library.loader import find_pack
from scoring.facts.ingest.errors import IngestError
from scoring.facts.ingest.files import Reading, ingest_file, ingest_paths
from scoring.facts.ingest.mapping import load_mapping, parse_mapping
from scoring.runs.files import FileError, score_files
from scoring.store import Store

from .conftest import CODES, LENIENT, Ingest, current, quarantined, write_text, write_workbook

AS_OF = dt.date(2026, 7, 31)
GOOD = ["编号,信用代码,机关", f"R1,{CODES[0]},区市场监管局"]


def refused(take: Ingest, path: Path, **how: object) -> str:
    with pytest.raises(IngestError) as caught:
        take(path, **how)
    return str(caught.value)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without the rights of root, where the tests have them."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_no_such_file(take: Ingest, tmp_path: Path) -> None:
    assert "no such file" in refused(take, tmp_path / "没有.csv")


def test_a_directory_is_no_file(take: Ingest, tmp_path: Path) -> None:
    assert "a directory, not a file" in refused(take, tmp_path)


def test_a_pipe_is_no_file(take: Ingest, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    assert "not a regular file" in refused(take, tmp_path / "pipe.csv")


def test_a_file_that_this_user_may_not_read(take: Ingest, tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.csv", GOOD)
    path.chmod(0)
    with as_nobody():
        assert "no permission to read it" in refused(take, path)


def test_an_empty_file(take: Ingest, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"")
    assert "the file is empty" in refused(take, tmp_path / "a.csv")


def test_headers_below_many_blank_rows_are_not_looked_for(take: Ingest, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("\n" * 20 + "编号,信用代码\n")
    assert "no row of headers: the first 10 are blank" in refused(take, tmp_path / "a.csv")


def test_bytes_of_no_encoding_are_named_by_offset_and_row(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    content = "\n".join([*GOOD, f"R2,{CODES[0]},"]).encode()
    (tmp_path / "a.csv").write_bytes(content + b"\xff\xff\n")
    assert f"not UTF-8 at byte {len(content)} (0xFF), row 3" in refused(take, tmp_path / "a.csv")
    assert current(sqlite) == []


def test_bytes_of_no_encoding_are_found_far_into_a_file(take: Ingest, tmp_path: Path) -> None:
    lines = [GOOD[0], *[GOOD[1]] * 60_000]
    content = ("\r\n".join(lines) + "\r\n").encode("gb18030")
    (tmp_path / "a.csv").write_bytes(content + b"R2,\x80\xff")
    assert f"not GB18030 at byte {len(content) + 3} (0x80), row 60002" in refused(take, tmp_path / "a.csv")


def test_the_encoding_that_a_mapping_names_is_held_to(take: Ingest, tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.csv", GOOD, "gb18030")
    assert "not UTF-8 at byte 0" in refused(take, path, mapping=parse_mapping("encoding: utf-8", "m.yaml"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("name", ["a.xlsx", "a.xlsm", "a.xls", "a.et", "a.ods"])
def test_a_csv_is_read_whatever_it_is_called(take: Ingest, tmp_path: Path, name: str, encoding: str) -> None:
    assert take(write_text(tmp_path / name, GOOD, encoding)).new == 1


@pytest.mark.parametrize("name", ["a.csv", "a.xls", "a.txt"])
def test_a_workbook_is_read_whatever_it_is_called(take: Ingest, tmp_path: Path, name: str) -> None:
    rows = [line.split(",") for line in GOOD]
    write_workbook(tmp_path / "a.xlsx", rows).rename(tmp_path / name)
    assert take(tmp_path / name).new == 1


@pytest.mark.parametrize("name", ["a.xlsx", "a.xls", "a.csv"])
@pytest.mark.parametrize(
    ("start", "kind"),
    [
        ("<Html xmlns:x='urn:schemas-microsoft-com:office:excel'><Table>".encode("gb18030"), "HTML/XML"),
        (b"<meta charset=gb2312><table>", "HTML/XML"),
        (b"\r\n<style>td{}</style><table>", "HTML/XML"),
        ("<html><table>".encode("utf-16"), "HTML/XML"),
        (b"MIME-Version: 1.0\r\nContent-Type: multipart/related", "MHTML"),
        (b"%PDF-1.4", "PDF"),
        (b"Rar!\x1a\x07\x00", "RAR"),
        (b"PAR1\x15\x04", "Parquet"),
        (b"\x09\x08\x08\x00\x00\x05", "Excel 2–5"),
    ],
)
def test_what_is_no_table_is_named_whatever_it_is_called(
    take: Ingest, tmp_path: Path, start: bytes, kind: str, name: str
) -> None:
    (tmp_path / name).write_bytes(start)
    assert f"a file of the kind {kind}\n" in refused(take, tmp_path / name)


def test_what_is_called_xlsx_and_is_nothing_known_is_no_workbook(take: Ingest, tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(b"\0\1\2" * 100)
    assert "not an XLSX workbook" in refused(take, tmp_path / "a.xlsx")


@pytest.mark.parametrize(
    ("part", "said"), [("word/document.xml", "kind .docx"), ("名单.csv", "a ZIP archive, not a table")]
)
def test_another_zip_file_is_no_workbook(take: Ingest, tmp_path: Path, part: str, said: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.writestr(part, "<x/>")
    assert said in refused(take, tmp_path / "a.xlsx")


def test_an_old_workbook_is_told_to_be_saved_anew(take: Ingest, tmp_path: Path) -> None:
    (tmp_path / "a.xls").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512)
    assert "save it as .xlsx" in refused(take, tmp_path / "a.xls")


def test_a_workbook_damaged_in_its_middle_leaves_nothing_behind(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    rows = [("编号", "信用代码", "机关"), *((f"R{n}", CODES[0], "区市场监管局") for n in range(30_000))]
    whole, damaged = write_workbook(tmp_path / "whole.xlsx", rows), tmp_path / "damaged.xlsx"
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(damaged, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, content[:-2_000] if name.endswith("sheet1.xml") else content)
    assert "not an XLSX workbook, or a damaged one" in refused(take, damaged)
    assert current(sqlite) == []
    assert quarantined(sqlite) == []


def test_an_unknown_sheet_names_those_there_are(take: Ingest, tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "a.xlsx", [("编号",)], "处罚")
    assert "there are: 处罚" in refused(take, path, mapping=parse_mapping("sheet: 奖励", "m.yaml"))


def test_a_missing_key_names_the_headers_known_and_found(take: Ingest, tmp_path: Path) -> None:
    path = write_text(tmp_path / "处罚.csv", ["序号,信用代码,信息类别,认定日期", "1,x,行政处罚,2026-01-01"])
    said = refused(take, path)
    for part in ("处罚.csv", "record_id", "记录编号", "信息编号", "序号→未识别、信用代码→统一社会信用代码"):
        assert part in said
    assert "needs the column record_id; taken for" in said


def test_a_file_of_records_without_their_numbers_is_not_taken_for_subjects(
    take: Ingest, tmp_path: Path
) -> None:
    path = write_text(
        tmp_path / "a.csv", ["信用代码,信息类别,认定日期,涉及金额", f"{CODES[0]},行政处罚,2026-01-01,1"]
    )
    assert "the table of records needs the column record_id" in refused(take, path)


def test_headers_that_fit_both_tables_are_not_guessed_at(take: Ingest, tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.csv", ["编号,信用代码,企业名称", f"1,{CODES[0]},甲"])
    assert "fit subjects as well as records" in refused(take, path)
    assert take(path, dataset="subject").new == 1


def test_two_headers_of_one_meaning_are_not_guessed_at(take: Ingest, tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.csv", ["编号,信用代码,金额,涉及金额", f"R1,{CODES[0]},1,2"])
    assert "金额 and 涉及金额 both mean amount" in refused(take, path)
    assert take(path, mapping=parse_mapping("columns: {金额: }", "m.yaml")).new == 1


def test_an_unknown_vocabulary_names_those_there_are(take: Ingest, tmp_path: Path) -> None:
    said = refused(take, write_text(tmp_path / "a.csv", GOOD), vocabulary="planets")
    assert "no vocabulary is called planets; there are" in said
    assert "enterprise" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tabel: record", "m.yaml:1:"),
        ("dataset: records", "record? or another of subject"),
        ("encoding: klingon", "utf-8 or gb18030"),
        ("skip_rows: -1", "a whole number from 0 to 1000"),
        ("columns: [a, b]", "not a mapping"),
        ("values: {kind: {罚款: [penalty]}}", "not a text"),
        ("columns: {a: &x kind, b: *x}", "anchors are not allowed"),
        ("columns: {a: !!python/object:os.system kind}", "tags are not allowed"),
        ("columns: {", "not YAML"),
    ],
)
def test_a_mapping_with_errors_says_where(text: str, said: str) -> None:
    with pytest.raises(IngestError) as caught:
        parse_mapping(text, "m.yaml")
    assert said in str(caught.value)


def test_all_errors_of_a_mapping_are_told_at_once() -> None:
    with pytest.raises(IngestError) as caught:
        parse_mapping("tabel: record\nencoding: klingon", "m.yaml")
    assert "m.yaml:1:" in str(caught.value)
    assert "m.yaml:2:" in str(caught.value)


def test_a_mapping_of_columns_that_are_not_there_names_those_that_are(take: Ingest, tmp_path: Path) -> None:
    said = refused(
        take,
        write_text(tmp_path / "a.csv", GOOD),
        mapping=parse_mapping("columns: {机关: autority}", "m.yaml"),
    )
    assert "autority" in said
    assert "authority" in said


def test_a_mapping_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(IngestError, match="No such file"):
        load_mapping(tmp_path / "m.yaml")
    (tmp_path / "m.yaml").write_bytes("表: 处罚".encode("gb18030"))
    with pytest.raises(IngestError, match="not UTF-8 at byte 0"):
        load_mapping(tmp_path / "m.yaml")


def test_a_quarantine_that_can_not_be_written_is_said_and_mended_by_another_try(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    (tmp_path / "quarantine").write_text("a file stands in the way", encoding="utf-8")
    path = write_text(tmp_path / "a.csv", [*GOOD, "bad,row"])
    assert "the quarantine file can't be written" in refused(take, path)
    assert len(current(sqlite)) == 1
    (tmp_path / "quarantine").unlink()
    report = take(path)
    assert (report.unchanged, report.rejected) == (1, 1)
    assert report.quarantine is not None
    assert "bad | row" in report.quarantine.read_text(encoding="utf-8-sig")


def test_a_file_that_is_changed_while_it_is_read_is_not_taken(sqlite: Store, tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.csv", GOOD)

    def copied_on(done: int, whole: int) -> None:
        write_text(path, [*GOOD, f"R2,{CODES[0]},区市场监管局"])

    with pytest.raises(IngestError, match="changed while it was read"):
        ingest_file(sqlite, path, LENIENT, Reading(quarantine=tmp_path), copied_on)
    assert current(sqlite) == []


def test_a_link_to_a_directory_is_named_as_not_read(sqlite: Store, tmp_path: Path) -> None:
    (tmp_path / "month").mkdir()
    (tmp_path / "other").mkdir()
    write_text(tmp_path / "other" / "a.csv", GOOD)
    (tmp_path / "month" / "more").symlink_to(tmp_path / "other")
    report = ingest_paths(sqlite, [tmp_path / "month"], LENIENT, Reading(quarantine=tmp_path))
    assert (report.files, report.skipped) == ((), (tmp_path / "month" / "more",))


def test_a_line_break_in_a_files_name_stands_as_a_mark(take: Ingest, tmp_path: Path) -> None:
    named = write_text(tmp_path / "名单\n已全部导入.csv", [""])
    assert refused(take, named).splitlines()[0].startswith("名单⟨U+000A⟩已全部导入.csv: ")


def test_a_line_break_in_the_name_of_a_file_to_be_graded_stands_as_a_mark(tmp_path: Path) -> None:
    named = tmp_path / "名单\n完成.csv"
    with pytest.raises(FileError) as caught:
        score_files(find_pack("enterprise-credit", AS_OF), AS_OF, named, None, tmp_path / "out.csv")
    assert "名单⟨U+000A⟩完成.csv" in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 2
