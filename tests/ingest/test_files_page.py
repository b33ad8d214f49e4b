"""The examples of docs/files.md are what happens."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from scoring.facts.ingest.errors import IngestError
from scoring.facts.ingest.files import FileReport, Reading, ingest_file
from scoring.facts.ingest.mapping import NO_MAPPING, parse_mapping
from scoring.store import Store

PAGE = (Path(__file__).parents[2] / "docs" / "files.md").read_text(encoding="utf-8")
EXAMPLE = re.compile(r"```csv (\S+)\n(.*?)```\n(?:```yaml\n(.*?)```\n)?```text\n(.*?)```", re.DOTALL)


def noted(report: FileReport) -> Iterator[str]:
    """What the files of bad rows and warnings say, as the page writes it."""
    for path in (report.quarantine, report.warnings):
        if path is not None:
            with path.open(encoding="utf-8-sig", newline="") as stream:
                for line in csv.DictReader(stream):
                    yield f"row {line['行 row']}, {line['列 column']}: {line['原因 reason']}"


def test_every_csv_of_the_page_is_an_example_with_its_outcome() -> None:
    assert PAGE.count("```csv") == len(EXAMPLE.findall(PAGE)) >= 8


def test_the_page_says_what_happens(sqlite: Store, tmp_path: Path) -> None:
    for name, text, mapping, outcome in EXAMPLE.findall(PAGE):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        said = parse_mapping(mapping, "m.yaml") if mapping else NO_MAPPING
        first, *rest = outcome.splitlines()
        if first.startswith("refused: "):
            with pytest.raises(IngestError) as refused:
                ingest_file(sqlite, path, None, Reading(said, quarantine=tmp_path / "q"))
            assert first.removeprefix("refused: ") in str(refused.value)
            continue
        report = ingest_file(sqlite, path, None, Reading(said, quarantine=tmp_path / "q"))
        taken = f"{report.rows - report.rejected} taken, {report.rejected} quarantined"
        counted = f"{taken}, {report.warned} with warnings"
        assert first == f"{report.dataset} of {report.vocabulary}: {counted}", name
        found = sorted(noted(report))
        assert len(found) == len(rest), (name, found)
        for line, reason in zip(sorted(rest), found, strict=True):
            assert reason.startswith(line)
