"""``xinheng ingest`` as people call it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from scoring.cli import main
from scoring.cli.output import print_rows

from .conftest import CODES, write_text

GOOD = [
    "编号,信用代码,机关,类别,等级,状态,日期,文书号",
    f"R1,{CODES[0]},区市场监管局,表彰奖励,国家级,有效,2026-03-01,1号",
]


@pytest.fixture(autouse=True)
def database(sqlite_store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty store, named by the environment; what is written goes to the test's directory."""
    monkeypatch.setenv("XINHENG_DATABASE_URL", sqlite_store_url)
    monkeypatch.chdir(tmp_path)
    return sqlite_store_url


def xinheng(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["ingest", *map(str, arguments)])


def test_a_good_file_is_told_in_numbers(tmp_path: Path) -> None:
    xinheng(write_text(tmp_path / "s.csv", ["统一社会信用代码,企业名称", f"{CODES[0]},某公司"]))
    result = xinheng(write_text(tmp_path / "a.csv", GOOD))
    assert (result.exit_code, result.stderr) == (0, "")
    head, row = result.stdout.splitlines()
    assert dict(zip(head.split("\t"), row.split("\t"), strict=True)) == {
        "文件 file": "a.csv",
        "表 table": "记录 records",
        "行 rows": "1",
        "新增 new": "1",
        "更正 changed": "0",
        "未变 unchanged": "0",
        "隔离 quarantined": "0",
        "提示 warnings": "0",
        "维持 held": "0",
        "文件号 file no.": "2",
        "词汇表 vocabulary": "enterprise",
    }


def test_quarantined_rows_are_done_work_and_said_where(tmp_path: Path) -> None:
    result = xinheng(write_text(tmp_path / "a.csv", [*GOOD, "x,y"]))
    assert result.exit_code == 0
    (written,) = (tmp_path / "work" / "quarantine").glob("a.*.quarantine.csv")
    assert f"a.csv: 1 行已隔离 rows quarantined: {written.relative_to(tmp_path)}" in result.stderr


def test_json_holds_what_programs_need(tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.csv", [GOOD[0] + ",备注", GOOD[1] + ",x", "x,y"])
    result = xinheng(path, "--format", "json", "--quarantine", tmp_path / "q")
    (row,) = json.loads(result.stdout)
    assert (row["file"], row["new"], row["rejected"], row["ignored"]) == ("a.csv", 1, 1, ["备注"])
    assert Path(row["quarantine"]).is_file()
    assert "severity" in row["absent"]


def test_csv_is_csv(tmp_path: Path) -> None:
    path = write_text(tmp_path / "a,b.csv", [GOOD[0] + ",备注,序号", GOOD[1] + ",,"])
    (row,) = csv.DictReader(xinheng(path, "--format", "csv").stdout.splitlines())
    assert (row["file"], row["rows"], row["quarantine"], row["ignored"]) == ("a,b.csv", "1", "", "备注、序号")


def test_a_file_that_fails_is_an_error_and_the_others_are_taken(tmp_path: Path) -> None:
    result = xinheng(tmp_path / "no.csv", write_text(tmp_path / "a.csv", GOOD))
    assert result.exit_code == 1
    assert "no.csv: 文件不存在 no such file" in result.stderr
    assert "a.csv\t记录 records\t1\t1" in result.stdout


def test_headers_alone_and_ignored_columns_are_said(tmp_path: Path) -> None:
    result = xinheng(write_text(tmp_path / "a.csv", [GOOD[0] + ",备注"]))
    assert result.exit_code == 0
    assert "headers only, no rows" in result.stderr
    assert "columns ignored: 备注" in result.stderr


def test_a_mapping_and_a_table_can_be_given(tmp_path: Path) -> None:
    mapping = write_text(tmp_path / "m.yaml", ["columns: {代码: subject_id}"])
    path = write_text(tmp_path / "a.csv", ["代码,企业名称", f"{CODES[0]},甲"])
    result = xinheng(path, "--mapping", mapping, "--table", "subject")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "a.csv\t主体 subjects\t1\t1" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("a.csv", "--vocabulary", "planets"), "no vocabulary is called planets"),
        (("a.csv", "--mapping", "no.yaml"), "no.yaml"),
        (("a.csv", "--database", "sqlite:///no.db"), "xinheng db upgrade"),
    ],
)
def test_what_fails_is_said_without_a_traceback(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    write_text(tmp_path / "a.csv", GOOD)
    result = xinheng(*arguments)
    assert result.exit_code == 1
    assert said in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize("arguments", [(), ("a.csv", "--table", "records"), ("a.csv", "--format", "xml")])
def test_bad_usage(arguments: tuple[str, ...]) -> None:
    assert xinheng(*arguments).exit_code == 2


def test_a_listing_shows_nothing_that_steers_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([{"a": "x\x1b[2Jy\tz", "b": None}], {"a": "甲", "b": "乙"}, "table")
    assert capsys.readouterr().out == "甲\t乙\nx⟨U+001B⟩[2Jy z\t\n"


@pytest.mark.parametrize("lines", [["x,y", "1,2"], [*GOOD, "x,y"]], ids=["refused", "quarantined"])
def test_what_is_said_of_a_file_shows_nothing_that_steers_a_terminal(
    tmp_path: Path, lines: list[str]
) -> None:
    result = xinheng(write_text(tmp_path / "a\x1b]0;\u202e.csv", lines))
    assert "\x1b" not in result.stderr
    assert "\u202e" not in result.stderr
    assert "a⟨U+001B⟩]0;⟨U+202E⟩" in result.stderr


def test_a_terminal_sees_a_drawn_table_with_the_texts_as_they_are(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    print_rows([{"a": "[red]甲[/red] [/]"}], {"a": "名称 [name]"}, "table")
    shown = capsys.readouterr().out
    assert "[red]甲[/red] [/]" in shown
    assert "┃" in shown


def test_a_listing_of_nothing_is_still_a_listing(capsys: pytest.CaptureFixture[str]) -> None:
    for fmt, shown in (("table", "a\tb\n"), ("json", "[]\n"), ("csv", "a,b\n")):
        print_rows([], ["a", "b"], fmt)  # type: ignore[arg-type]
        assert capsys.readouterr().out == shown


@pytest.mark.parametrize("holds", [(), ("读我.md", ".a.csv", "~$a.xlsx", "a.1.quarantine.csv")])
@pytest.mark.parametrize("how", [(), ("--check",)])
def test_of_a_directory_without_a_table_it_is_said_what_was_looked_for(
    tmp_path: Path, holds: tuple[str, ...], how: tuple[str, ...]
) -> None:
    folder = tmp_path / "七月"
    folder.mkdir()
    for name in holds:
        write_text(folder / name, GOOD)
    result = xinheng(folder, *how)
    assert result.exit_code == 1
    assert "七月: 目录中没有表格文件 no table in the directory" in result.stderr
    assert ".csv, .dbf, .et, .numbers, .ods, .tsv, .txt, .xls, .xlsb, .xlsm, .xlsx" in result.stderr


def test_beside_a_directory_without_a_table_the_other_files_are_taken(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = xinheng("empty", write_text(tmp_path / "a.csv", GOOD))
    assert result.exit_code == 1
    assert "a.csv\t记录 records\t1\t1" in result.stdout


def test_what_xinheng_wrote_for_an_office_is_taken_from_a_directory_only_by_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "七月"
    folder.mkdir()
    bad = GOOD[1].replace("R1", "R2").replace("2026-03-01", "2026-13-01")
    write_text(folder / "a.csv", [*GOOD, bad])
    (first,) = json.loads(xinheng(folder, "--quarantine", folder, "--format", "json").stdout)
    again = xinheng(folder, "--quarantine", folder, "--format", "json")
    assert [row["file"] for row in json.loads(again.stdout)] == ["a.csv"]
    assert f"{first['mend']}: 信衡写出的文件" in again.stderr
    assert "name it to take it" in again.stderr
    named = xinheng(first["mend"], "--quarantine", folder, "--format", "json")
    assert [row["rejected"] for row in json.loads(named.stdout)] == [1]


def test_what_is_hidden_in_a_directory_stays_hidden(tmp_path: Path) -> None:
    for name in (".trash", "七月"):
        (tmp_path / "in" / name).mkdir(parents=True)
    write_text(tmp_path / "in" / ".trash" / "old.csv", GOOD)
    write_text(tmp_path / "in" / "七月" / "a.csv", GOOD)
    result = xinheng("in", "--format", "json")
    assert [row["file"] for row in json.loads(result.stdout)] == ["a.csv"]
    assert f"{Path('in', '.trash')}: " in result.stderr


@pytest.mark.parametrize("how", [(), ("--check",)])
def test_whose_records_another_office_takes_over_is_said(tmp_path: Path, how: tuple[str, ...]) -> None:
    xinheng(write_text(tmp_path / "a.csv", GOOD))
    other = [line.replace("区市场监管局", "区税务局") for line in GOOD]
    result = xinheng(write_text(tmp_path / "b.csv", other), *how)
    assert "1 条区市场监管局的记录改属区税务局" in result.stderr
    assert "records of 区市场监管局 are 区税务局's by this file" in result.stderr
    told = xinheng(write_text(tmp_path / "a.csv", GOOD), "--check", "--format", "json")
    moved = [{"before": "区税务局", "after": "区市场监管局", "records": 1}]
    assert json.loads(told.stdout)[0]["moved"] == ([] if how else moved)
