"""``xinheng credit-report`` and ``xinheng records proposals | confirm``, as they are typed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from rules.library.loader import load_vocabulary
from scoring.access.audit import entries
from scoring.answers.credit_report import verify_report
from scoring.facts.entries import FileInfo
from scoring.facts.ingest.files import Reading, ingest_file
from scoring.facts.records import get_record, submit_records
from scoring.store import open_store

FIRM = "91500232MA5U00001M"
WORDS = load_vocabulary("enterprise")


@pytest.fixture
def url(sqlite_store_url: str, tmp_path: Path) -> str:
    """A store with one enterprise, which was closed."""
    register = tmp_path / "register.csv"
    register.write_text(f"统一社会信用代码,企业名称\n{FIRM},样例企业\n", encoding="utf-8")
    store = open_store(sqlite_store_url)
    ingest_file(store, register, "enterprise", Reading(quarantine=tmp_path))
    row = {"record_id": "XZ-1", "subject_id": FIRM, "kind": "penalty", "level": "closed"}
    row |= {"status": "effective", "occurred_on": "2026-07-01", "authority": "区城管局"}
    submit_records(store, WORDS, [row], FileInfo("1", "list.csv"))
    store.close()
    return sqlite_store_url


def test_a_report_is_written_numbered_and_logged(
    url: str, tmp_path: Path, command: Callable[..., Result]
) -> None:
    out = tmp_path / "report.pdf"
    result = command("credit-report", f" {FIRM.lower()}", "--out", out, "--database", url)
    assert result.exit_code == 0, result.output
    number, code = (word.strip(",") for word in result.stdout.split() if word.count("-") in (1, 3))
    store = open_store(url)
    found = verify_report(store, number, code)
    (entry,) = entries(store, action="cli.credit-report")
    store.close()
    assert out.read_bytes().startswith(b"%PDF-")
    assert (found.name, found.issued_by) == ("样例企业", entry.actor)
    assert entry.subject_id == FIRM
    assert entry.details["rows"] == {"credit_reports": [found.number.replace("-", "")]}


def test_nobody_has_no_report(url: str, tmp_path: Path, command: Callable[..., Result]) -> None:
    out = tmp_path / "report.pdf"
    result = command("credit-report", "91110000600037341L", "--out", out, "--database", url)
    assert (result.exit_code, "there is no" in result.stderr, out.exists()) == (1, True, False)


def test_a_class_is_listed_and_confirmed(url: str, command: Callable[..., Result]) -> None:
    listed = command("records", "proposals", "--format", "json", "--database", url)
    (found,) = json.loads(listed.stdout)
    assert (found["record_id"], found["proposed"], found["authority"]) == ("XZ-1", "serious", "区城管局")
    words = ("records", "confirm", found["id"], "--as", "serious", "--reason", "责令关闭", "--database", url)
    assert command(*words).exit_code == 0
    assert "waits for nobody" in command(*words).stderr
    store = open_store(url)
    assert get_record(store, WORDS, "XZ-1")[0].data["severity"] == "serious"
    store.close()
