"""`xinheng ingest` before and after: what a file would do, what it left alone, and back again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from scoring.access.audit import entries
from scoring.cli import main
from scoring.store import Store, open_store
from scoring.store.models import Quarantined

from .conftest import CODES, current, write_text

HEAD = "记录编号,统一社会信用代码,类别,领域,失信程度,状态,金额,决定日期,机关,文书号"
FULL = f"HH1,{CODES[0]},行政处罚,食品药品,严重,有效,1000,2026-03-05,云衡区城管局,云衡城管〔2026〕6号"


@pytest.fixture
def opened(sqlite_store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """An empty store, which commands use, in a directory of its own."""
    monkeypatch.setenv("XINHENG_DATABASE_URL", sqlite_store_url)
    monkeypatch.chdir(tmp_path)
    store = open_store(sqlite_store_url)
    yield store
    store.close()


def xinheng(*arguments: object) -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)))


def ingest(*arguments: object) -> dict[str, Any]:
    """The report of one file."""
    result = xinheng("ingest", *arguments, "--format", "json")
    assert result.exit_code == 0, result.output
    (report,) = json.loads(result.stdout)
    return dict(report)


def file(name: str, *rows: str, head: str = HEAD) -> Path:
    return write_text(Path(name), [head, *rows])


def test_a_file_with_two_columns_erases_none_of_the_others(opened: Store) -> None:
    ingest(file("full.csv", FULL))
    known = current(opened)
    less = ingest(file("less.csv", f"HH1,{CODES[0]},2000", head="记录编号,统一社会信用代码,金额"))
    assert current(opened) == [known[0] | {"amount": "2000.0000"}]
    assert less["columns"]["amount"] == {"set": 0, "changed": 1, "kept": 0, "cleared": 0}
    assert less["columns"]["status"] == {"set": 0, "changed": 0, "kept": 1, "cleared": 0}


def test_an_empty_cell_keeps_what_is_known_unless_it_is_said_to_replace_it(opened: Store) -> None:
    ingest(file("full.csv", FULL))
    (known,) = current(opened)
    empty = file(
        "empty.csv", f"HH1,{CODES[0]},行政处罚,,N/A", head="记录编号,统一社会信用代码,类别,金额,领域"
    )
    assert ingest(empty)["unchanged"] == 1
    assert current(opened) == [known]
    replaced = ingest(empty, "--replace")
    assert replaced["changed"] == 1
    assert replaced["columns"]["amount"] == {"set": 0, "changed": 0, "kept": 0, "cleared": 1}
    assert current(opened) == [{k: v for k, v in known.items() if k not in ("amount", "field")}]


def test_the_same_bytes_after_another_file_take_effect_again(opened: Store) -> None:
    disputed = FULL.replace("有效", "异议中")
    for name, row in (("1.csv", FULL), ("2.csv", disputed), ("3.csv", FULL)):
        report = ingest(file(name, row))
    assert report["changed"] == 1
    assert [row["status"] for row in current(opened)] == ["effective"]
    assert ingest("3.csv")["unchanged"] == 1


def test_one_decision_under_two_numbers_is_said_and_listed(opened: Store) -> None:
    report = ingest(file("t.csv", FULL, FULL.replace("HH1", "HH2")))
    assert (report["new"], report["warned"]) == (2, 2)
    said = Path(report["warnings"]).read_text("utf-8-sig")
    assert "可能与HH2是同一决定\u2003may be the same decision as HH2" in said
    (pair,) = json.loads(xinheng("records", "twins", "--format", "json").stdout)
    assert {pair["first"], pair["second"]} == {"HH1", "HH2"}
    settled = xinheng("records", "settle", pair["id"], "--keep", "HH2", "--reason", "重复报送")
    assert settled.exit_code == 0
    assert {row["record_id"]: row["status"] for row in current(opened)} == {
        "HH1": "revoked",
        "HH2": "effective",
    }
    assert json.loads(xinheng("records", "twins", "--search", "--format", "json").stdout) == []


def test_one_decision_on_two_sheets_is_said_of_a_row_of_each(opened: Store) -> None:
    """Both are the second row: of their own sheets."""
    book = openpyxl.Workbook()
    for number, name in enumerate(("三月", "四月"), 1):
        sheet = book.create_sheet(name)
        sheet.append(HEAD.split(","))
        sheet.append(FULL.replace("HH1", f"HH{number}").split(","))
    book.remove(book.worksheets[0])
    book.save("t.xlsx")
    assert ingest("t.xlsx")["warned"] == 2
    with opened.reading() as session:
        noted = session.execute(sa.select(Quarantined.sheet, Quarantined.row_no, Quarantined.value)).all()
    assert sorted(noted) == [("三月", 2, "HH1"), ("四月", 2, "HH2")]


def test_twins_are_listed_for_people_by_titles_and_shanghai_times(opened: Store) -> None:
    ingest(file("t.csv", FULL, FULL.replace("HH1", "HH2").replace(",1000,", ",,")))
    (line,) = xinheng("records", "twins", "--search").stdout.splitlines()[1:]
    assert "记录编号: HH1 / HH2" in line
    assert "涉及金额: " in line
    assert "None" not in line
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", line.split("\t")[-1])


def test_a_check_says_all_that_ingest_would_say_and_changes_nothing(opened: Store) -> None:
    ingest(file("full.csv", FULL))
    known, listed = current(opened), xinheng("ingest", "list", "--all").stdout
    bad = FULL.replace("HH1", "HH3").replace("2026-03-05", "2026-13-05")
    path = file("next.csv", FULL.replace(",1000,", ",3000,"), FULL.replace("HH1", "HH2"), bad)
    checked = ingest(path, "--check")
    assert (checked["file_id"], checked["quarantine"], checked["warnings"]) == (None, None, None)
    assert (current(opened), xinheng("ingest", "list", "--all").stdout) == (known, listed)
    assert not Path("work").exists()
    shown = xinheng("ingest", path, "--check")
    assert "第 4 行 row, 决定日期: 2026-13-05" in shown.stderr
    assert "checked only, nothing was changed" in shown.stderr
    taken = ingest(path)
    same = ("new", "changed", "unchanged", "rejected", "warned", "held", "columns")
    assert {name: checked[name] for name in same} == {name: taken[name] for name in same}
    assert (taken["new"], taken["changed"], taken["rejected"], taken["warned"]) == (1, 1, 1, 2)


WHY = ("--reason", "误报")


def test_why_a_file_is_taken_back_is_asked_and_in_the_log(opened: Store) -> None:
    """As on the page: nobody finds out afterwards why hundreds of records went."""
    wrong = ingest(file("wrong.csv", FULL))
    unsaid = xinheng("ingest", "undo", wrong["file_id"])
    assert (unsaid.exit_code, "--reason" in unsaid.stderr, len(current(opened))) == (2, True, 1)
    assert xinheng("ingest", "undo", wrong["file_id"], *WHY).exit_code == 0
    given = [e.details["given"] for e in entries(opened) if e.action == "cli.ingest.undo"]
    assert given == [{"number": wrong["file_id"], "reason": "误报"}]


def test_a_file_is_taken_back_by_its_number(opened: Store) -> None:
    ingest(file("full.csv", FULL))
    known = current(opened)
    wrong = ingest(file("wrong.csv", FULL.replace(",1000,", ",9999,"), FULL.replace("HH1", "HH2")))
    done = xinheng("ingest", "undo", wrong["file_id"], *WHY)
    assert (done.exit_code, current(opened)) == (0, known)
    assert "1 项恢复 restored, 1 项终止 ended" in done.stdout
    again = xinheng("ingest", "undo", wrong["file_id"], *WHY)
    assert (again.exit_code, current(opened)) == (0, known)
    assert "nothing to take back" in again.stdout
    listed = json.loads(xinheng("ingest", "list", "--format", "json").stdout)
    assert [(row["name"], row["source"]) for row in listed] == [
        ("undo: wrong.csv", "undo"),
        ("wrong.csv", "file"),
        ("full.csv", "file"),
    ]
    assert xinheng("ingest", "undo", listed[0]["id"], *WHY).exit_code == 0
    assert len(current(opened)) == 2


def test_there_is_no_file_of_that_number(opened: Store) -> None:
    done = xinheng("ingest", "undo", 99, *WHY)
    assert (done.exit_code, "xinheng ingest list" in done.stderr) == (1, True)


@pytest.mark.parametrize("word", ["list", "undo"])
def test_the_commands_of_ingest_have_help_with_an_example(word: str) -> None:
    shown = xinheng("ingest", word, "--help")
    assert shown.exit_code == 0
    assert f"Usage: main ingest {word}" in shown.stdout
    assert f"xinheng ingest {word}" in shown.stdout.partition("Example")[2]


def test_a_file_called_as_a_command_is_named_with_its_folder(opened: Store) -> None:
    Path("list").write_bytes(file("full.csv", FULL).read_bytes())
    assert ingest("./list", "--table", "record")["new"] == 1
