"""Public methods said as packs: each folder of docs/gallery/ gives what was worked out by hand."""

from __future__ import annotations

import csv
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner

from rules.library.loader import load_pack
from rules.tools.layout import layout
from rules.tools.lint import Severity, lint_text
from scoring.answers.examples import run_examples
from scoring.cli import main

ROOT = Path(__file__).parents[2]
GALLERY = ROOT / "docs" / "gallery"
FOLDERS = sorted(path.parent for path in GALLERY.glob("*/README.md"))
OUT, IMPORTED = "scores.csv", "pack.yaml"
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
each_entry = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


def table(path: Path) -> dict[str, dict[str, str]]:
    """The rows of a file by their first column, which is left out of them."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file)
    return {first: dict(zip(header[1:], rest, strict=True)) for first, *rest in rows}


def values(row: Mapping[str, str], columns: Iterable[str]) -> dict[str, str | Decimal]:
    """Cells of a row, numbers as such: 5 and 5.00 are one."""
    return {name: Decimal(row[name]) if _NUMBER.fullmatch(row[name]) else row[name] for name in columns}


def commands(folder: Path) -> list[list[str]]:
    """What an entry's page says to type, word by word, without the program's name."""
    block = (folder / "README.md").read_text("utf-8").split("```sh\n")[1].split("```")[0]
    return [shlex.split(line)[1:] for line in block.splitlines()]


def typed(words: Sequence[str], into: Path) -> None:
    """Runs a command; what it writes goes into a folder of its own."""
    line = [str(into / word) if word in (OUT, IMPORTED) else word for word in words]
    result = CliRunner().invoke(main, line)
    assert result.exit_code == 0, result.output


def stripped(text: str) -> str:
    return "\n".join(line.strip() for line in text.strip().splitlines())


def test_no_folder_is_without_its_page_and_the_gallery_leads_to_each() -> None:
    assert sorted(path for path in GALLERY.iterdir() if path.is_dir()) == FOLDERS
    page = (ROOT / "docs" / "gallery.md").read_text("utf-8")
    assert set(re.findall(r"\(gallery/([^/]+)/README\.md\)", page)) == {folder.name for folder in FOLDERS}


def test_the_gallery_quotes_the_packs_as_they_are() -> None:
    page = (ROOT / "docs" / "gallery.md").read_text("utf-8")
    packs = [stripped((folder / "pack.yaml").read_text("utf-8")) for folder in FOLDERS]
    blocks = re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert len(blocks) == len(FOLDERS)
    for block in blocks:
        quotes = [stripped(quote) for quote in block.split("# …\n")]
        assert any(all(quote in pack for quote in quotes) for pack in packs), block


@each_entry
def test_lint_has_nothing_to_say_against_it_and_its_layout_is_the_one(folder: Path) -> None:
    text = (folder / "pack.yaml").read_text("utf-8")
    findings = lint_text(text, folder.name)
    assert [str(finding) for finding in findings if finding.severity is not Severity.NOTICE] == []
    assert text == layout(text, folder.name)


@each_entry
def test_its_examples_hold(folder: Path) -> None:
    results = run_examples(load_pack(folder / "pack.yaml"))
    assert results
    assert [f"{r.place}: {r.expected}, got {r.got}" for r in results if not r.passed] == []


@each_entry
def test_what_its_page_says_to_type_gives_what_was_worked_out_by_hand(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    for words in commands(folder):
        typed(words, tmp_path)
    assert not (tmp_path / "scores.rejected.csv").exists()
    measures = table(tmp_path / "scores.measures.csv")
    found = {key: row | measures.get(key, {}) for key, row in table(tmp_path / OUT).items()}
    expected = table(folder / "expected.csv")
    assert found.keys() == expected.keys()
    for subject, row in expected.items():
        assert values(found[subject], row) == values(row, row), subject


def test_the_import_of_the_scorecard_gives_the_pack_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    folder = GALLERY / "bank-scorecard"
    typed(commands(folder)[0], tmp_path)
    assert (tmp_path / IMPORTED).read_text("utf-8") == (folder / IMPORTED).read_text("utf-8")
