"""Files in which others bring rules: DMN and PMML models, scorecards in workbooks and CSV files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rules.model import Title, Vocabulary
from rules.tools.exchange.draft import Draft
from rules.tools.exchange.models import read_model
from rules.tools.exchange.scorecard import Line, read_scorecard
from rules.tools.exchange.xml import is_xml
from scoring.facts.ingest.errors import Fault, IngestError
from scoring.facts.ingest.folding import as_text
from scoring.facts.ingest.sheets import Sheet, open_sheets, visible


def read_rules(path: Path, file: str, vocabulary: Vocabulary | None = None) -> Draft:
    """What a file says, whatever it is by its content.

    :param file: the name that faults are reported under.
    :param vocabulary: the shared one whose attributes it asks of; None: the pack brings its own.
    :raises PackError: where it holds no rules that can be read.
    :raises IngestError: where it is no file of rows.
    """
    with path.open("rb") as stream:
        is_model = is_xml(stream.read(512))
    if is_model:
        return read_model(path.read_bytes(), file, vocabulary)
    return read_scorecard(sheets_in(path), file, vocabulary)


def sheets_in(path: Path) -> dict[str, list[Line]]:
    """What people see in a workbook, or in a CSV: what the cells of each row show, by sheet.

    :raises IngestError: where it is neither, or a row can't be read.
    """
    with open_sheets(path, lambda head: (max(map(len, head), default=0), 0)) as sheets:
        return {sheet.name or path.stem: list(_lines(path, sheet)) for sheet in visible(sheets)}


def _lines(path: Path, sheet: Sheet) -> Iterator[Line]:
    for number, cells in sheet.rows:
        if isinstance(cells, Fault):
            reason = Title(f"第{number}行: {cells.reason.zh}", f"row {number}: {cells.reason.en}")
            raise IngestError(path, reason, cells.hint)
        yield number, [as_text(cell) for cell in cells]
