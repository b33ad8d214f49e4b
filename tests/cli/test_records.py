"""``xinheng records``: classes that wait for a person, confirmed as it is typed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from rules.library.loader import load_vocabulary
from scoring.facts.objections import list_marks
from scoring.store import open_store

FIRM = "91500232MA5U00001M"
HEAD = "编号,信用代码,类别,状态,等级,日期,机关"


def taken(command: Callable[..., Result], url: str, path: Path, *lines: str) -> Result:
    """Take a file in."""
    path.write_text("\n".join(lines), encoding="utf-8")
    return command("ingest", path, "--quarantine", path.parent, "--database", url)


def test_several_classes_are_confirmed_at_once_by_number_or_by_a_file_and_all_or_none(
    sqlite_store_url: str, command: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "li")
    rows = [f"C-{n},{FIRM},行政处罚,有效,责令关闭,2026-07-0{n},区城管局" for n in range(1, 6)]
    assert taken(command, sqlite_store_url, tmp_path / "处罚.csv", HEAD, *rows).exit_code == 0

    def waiting() -> list[int]:
        listed = command("records", "proposals", "--format", "json", "--database", sqlite_store_url)
        return [found["id"] for found in json.loads(listed.stdout)]

    def confirm(*numbers: int) -> Result:
        how = ("--as", "serious", "--reason", "责令关闭", "--database", sqlite_store_url)
        return command("records", "confirm", *numbers, *how)

    first, second, *others = waiting()
    refused = confirm(first, second, 99)
    assert (refused.exit_code, "there is no proposal 99" in refused.stderr) == (1, True)
    assert waiting() == [first, second, *others]
    assert confirm(first, second).stdout.splitlines() == ["C-1: serious", "C-2: serious"]
    lines = ["编号,信用代码,失信程度", *(f"C-{n},{FIRM},严重" for n in (3, 4))]
    assert taken(command, sqlite_store_url, tmp_path / "确认.csv", *lines).exit_code == 0
    assert waiting() == others[2:]
    store = open_store(sqlite_store_url)
    said = list_marks(store, load_vocabulary("enterprise").id, subject_id=FIRM)
    store.close()
    assert {(mark.record_id, mark.made_by) for mark in said} == {(f"C-{n}", "cli:li") for n in range(1, 5)}
