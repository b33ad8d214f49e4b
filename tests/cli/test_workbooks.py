"""``--xlsx``: what a command lists, for a spreadsheet."""

from __future__ import annotations

import csv
import io
import os
import re
import resource
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

import scoring.cli
from cli.conftest import KEEP_NO_BYTECODE, PROGRAM, Command, commands
from cli.market import HIT
from rules.library.loader import PACKS
from scoring.cli import main

LISTED = (("runs",), ("ingest", "list"), ("keys", "list"), ("feeds",), ("forecast", HIT, "--pack", "market"))
SEVERAL_OR_NONE = {
    *("explain", "paths", "replay", "report", "score", "simulate"),  # a text, or tables of other kinds
    *("objections show", "repairs show", "tickets show", "rules lint", "rules test", "rules diff"),
}


def sheet(path: Path) -> list[list[Any]]:
    """The headings and rows, without the two lines above them."""
    return [[cell.value for cell in row] for row in load_workbook(path).worksheets[0]][2:]


@pytest.mark.parametrize("words", LISTED, ids=" ".join)
def test_a_workbook_says_what_the_table_says(
    words: tuple[str, ...], command: Command, database: str, tmp_path: Path
) -> None:
    here = ("--database", database)
    written = command(*words, "--xlsx", tmp_path / "list.xlsx", *here)
    assert (written.exit_code, written.stdout) == (0, "")
    headings, *rows = sheet(tmp_path / "list.xlsx")
    table = list(csv.reader(io.StringIO(command(*words, *here).stdout), delimiter="\t"))
    assert [headings, len(rows)] == [table[0], len(table) - 1]
    for row, line in zip(rows, table[1:], strict=True):
        assert [shown(value) for value in row] == [text.removesuffix(" 00:00") for text in line]


@pytest.mark.parametrize(
    "words",
    [
        ("keys", "list", "--xlsx"),
        ("report", "--xlsx"),
        ("report", "--html"),
        ("rules", "docs", "enterprise-credit", "--out"),
    ],
    ids=" ".join,
)
def test_a_listing_takes_the_place_of_no_file_of_another_kind(
    words: tuple[str, ...], command: Command, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Path(database.removeprefix("sqlite:///"))
    kept = store.read_bytes()
    monkeypatch.setenv("XINHENG_DATABASE_URL", database)
    done = command(*words, store)
    assert (done.exit_code, "文件名应以." in done.stderr, store.read_bytes() == kept) == (2, True, True)


@pytest.mark.parametrize(
    "words",
    [("rules", "fmt", "{}"), ("rules", "docs", "enterprise-credit", "--out", "{}")],
    ids=lambda words: words[1],
)
def test_a_full_disk_keeps_the_file_of_before(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XINHENG_DATABASE_URL", raising=False)  # a store needs room as well
    text = (PACKS / "enterprise-credit.yaml").read_text("utf-8").replace("\nversion: ", "\nversion:   ", 1)
    file = tmp_path / ("my.yaml" if "fmt" in words else "rules.html")
    file.write_text(text, "utf-8")

    def at_most_a_little() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    line = [str(PROGRAM), *(word.format(file) for word in words)]
    done = subprocess.run(
        line,
        capture_output=True,
        text=True,
        preexec_fn=at_most_a_little,
        env=os.environ | KEEP_NO_BYTECODE,
        check=False,
    )
    assert (done.returncode, done.stderr.splitlines()) == (
        1,
        [f"Error: {file}: 文件超出大小限制 File too large"],
    )
    assert file.read_text("utf-8") == text
    assert list(tmp_path.iterdir()) == [file]


def test_whatever_a_command_writes_it_writes_whole() -> None:
    """A file of before is there until the new one is: by :func:`whole_file`, and by nothing else."""
    opened = re.compile(r"\.write_(?:text|bytes)\(|\.open\(\s*\"[wax]")
    found = {
        f"{file.name}: {line.strip()}"
        for file in Path(scoring.cli.__file__).parent.rglob("*.py")
        for line in file.read_text("utf-8").splitlines()
        if opened.search(line) and "unfinished." not in line and "super()" not in line
    }
    assert found == set()


def shown(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}".removesuffix(" 00:00")
    return "" if value is None else str(value)


def test_numbers_are_numbers_dates_dates_and_no_text_runs(
    command: Command, database: str, tmp_path: Path
) -> None:
    command("runs", "--xlsx", tmp_path / "runs.xlsx", "--database", database)
    run = dict(zip(*sheet(tmp_path / "runs.xlsx")[:2], strict=True))
    assert isinstance(run["主体 subjects"], int)
    assert isinstance(run["评价基准日 as of"], datetime)
    made = command("keys", "create", "--role", "operator", "--owner", "=1+1", "--database", database)
    assert made.exit_code == 0, made.stderr
    command("keys", "list", "--xlsx", tmp_path / "keys.xlsx", "--database", database)
    book = load_workbook(tmp_path / "keys.xlsx")
    texts = {cell.value: cell.data_type for row in book.worksheets[0] for cell in row}
    assert texts["=1+1"] == "s"


def test_a_folder_that_is_not_there_is_named(command: Command, database: str, tmp_path: Path) -> None:
    refused = command("runs", "--xlsx", tmp_path / "none" / "runs.xlsx", "--database", database)
    assert refused.exit_code == 1
    assert str(tmp_path / "none" / "runs.xlsx") in refused.stderr


def test_every_command_that_lists_one_thing_writes_it_to_a_workbook() -> None:
    assert {path for path, options in formatted() if "--xlsx" not in options} <= SEVERAL_OR_NONE
    assert sum("--xlsx" in options for _, options in formatted()) > 25


def formatted() -> Iterator[tuple[str, set[str]]]:
    """The commands that have ``--format``, each with all its options."""
    for path, command in commands(main):
        if "fmt" in {option.name for option in command.params}:
            yield " ".join(path), {name for option in command.params for name in option.opts}
