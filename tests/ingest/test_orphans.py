"""Records of codes that no subject has are said on the day they come, and until their subject is known."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from rules.library.loader import load_vocabulary
from scoring.cli import main
from scoring.facts.ingest.files import Reading, ingest_file
from scoring.facts.orphans import Orphans, list_orphans
from scoring.facts.undo import undo_file
from scoring.store import Store

from .conftest import CODES, write_text

WORDS = load_vocabulary("enterprise")
KNOWN, MISTYPED, OTHER = sorted(CODES[:3])


def records(path: Path, *rows: tuple[str, str]) -> Path:
    head = "记录编号,统一社会信用代码,类别,失信程度,状态,等级,决定日期,机关"
    said = "行政处罚,一般,有效,罚款,2026-03-05,某局"
    return write_text(path, [head, *(f"{number},{code},{said}" for number, code in rows)])


def subjects(path: Path, *codes: str) -> Path:
    return write_text(path, ["统一社会信用代码,企业名称", *(f"{code},某公司" for code in codes)])


def test_a_code_that_no_enterprise_has_is_named_until_one_has_it(store: Store, tmp_path: Path) -> None:
    reading = Reading(quarantine=tmp_path)

    def take(path: Path, how: Reading = reading) -> Orphans:
        return ingest_file(store, path, "enterprise", how).orphans

    take(subjects(tmp_path / "s.csv", KNOWN))
    file = records(tmp_path / "r.csv", ("R1", MISTYPED), ("R2", KNOWN), ("R3", MISTYPED), ("R4", OTHER))
    strangers = Orphans(3, 2, (MISTYPED, OTHER))
    assert take(file, Reading(quarantine=tmp_path, check=True)) == strangers
    assert take(file) == strangers
    assert take(file) == strangers, "as it says it the first time, so again"
    found = [(one.code, one.records, one.first) for one in list_orphans(store, WORDS)]
    assert found == [(MISTYPED, 2, (("R1", "某局"), ("R3", "某局"))), (OTHER, 1, (("R4", "某局"),))]
    assert [one.code for one in list_orphans(store, WORDS, MISTYPED, 1)] == [OTHER]
    assert [one.code for one in list_orphans(store, WORDS, limit=1)] == [MISTYPED]
    taken = ingest_file(store, subjects(tmp_path / "t.csv", MISTYPED, OTHER), "enterprise", reading)
    assert (list_orphans(store, WORDS), take(file)) == ([], Orphans())
    assert taken.file_id is not None
    undo_file(store, taken.file_id, "x")
    assert [one.code for one in list_orphans(store, WORDS)] == [MISTYPED, OTHER]


def test_a_file_that_comes_a_third_time_still_says_them(store: Store, tmp_path: Path) -> None:
    """Its records are those of its first sending, the last word on them that of its second."""
    file = records(tmp_path / "r.csv", ("R1", MISTYPED), ("R2", OTHER))
    other = records(tmp_path / "o.csv", ("R3", KNOWN))
    ingest_file(store, subjects(tmp_path / "s.csv", KNOWN), "enterprise")
    sendings = [ingest_file(store, path, "enterprise") for path in (file, other, file, file)]
    found = [sendings[n].orphans for n in (0, 2, 3)]
    assert found == [Orphans(2, 2, (MISTYPED, OTHER))] * 3
    assert sendings[3].file_id == sendings[2].file_id != sendings[0].file_id


@pytest.mark.parametrize("option", [(), ("--check",)])
def test_the_command_says_them_with_what_to_do(
    sqlite_store_url: str, tmp_path: Path, option: tuple[str, ...]
) -> None:
    file = records(tmp_path / "r.csv", ("R1", MISTYPED), ("R2", MISTYPED))
    command = ["ingest", str(file), "--database", sqlite_store_url, "--quarantine", str(tmp_path), *option]
    done = CliRunner().invoke(main, command)
    assert "2 条记录的 1 个代码查无此企业" in done.stderr
    assert MISTYPED in done.stderr
