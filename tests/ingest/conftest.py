"""What the tests of ingest share: a store, credit codes, and files as offices write them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa

from rules.library.loader import load_vocabulary
from scoring.facts.ingest.files import FileReport, Reading, ingest_file
from scoring.store import Store, open_store
from scoring.store.models import Quarantined, RecordVersion, SubjectVersion

Ingest = Callable[..., FileReport]
_ENTERPRISE = load_vocabulary("enterprise")
LENIENT = replace(
    _ENTERPRISE, records=_ENTERPRISE.records and replace(_ENTERPRISE.records, needs=(), kinds={})
)
"""The vocabulary of enterprises, for tests of how files are read: which rows can count is not asked."""

CODES = ("91110000600037341L", "91500156MA5U000019", "91500156MA5U00002C")


@pytest.fixture
def sqlite(sqlite_store_url: str) -> Iterator[Store]:
    """An empty SQLite store."""
    opened = open_store(sqlite_store_url)
    yield opened
    opened.close()


@pytest.fixture
def take(sqlite: Store, tmp_path: Path) -> Ingest:
    """Takes a file into the SQLite store; its quarantine goes to ``quarantine/`` in the test's directory."""

    def take(path: Path, vocabulary: Any = LENIENT, **how: Any) -> FileReport:
        return ingest_file(sqlite, path, vocabulary, Reading(quarantine=tmp_path / "quarantine", **how))

    return take


def current(
    store: Store, version: type[SubjectVersion] | type[RecordVersion] = RecordVersion
) -> list[dict[str, Any]]:
    """What the store knows now, in the order in which it came."""
    with store.reading() as session:
        known = session.scalars(sa.select(version.data).filter_by(known_until=None).order_by(version.id))
        return [json.loads(data) for data in known]


def quarantined(store: Store) -> list[tuple[int, str | None, str | None, str]]:
    """Row, column, value and reason of everything in quarantine."""
    with store.reading() as session:
        rows = session.scalars(sa.select(Quarantined).order_by(Quarantined.row_no, Quarantined.id))
        return [(row.row_no, row.column, row.value, row.reason) for row in rows]


def write_text(path: Path, lines: Sequence[str], encoding: str = "utf-8", newline: str = "\r\n") -> Path:
    """A text file of these lines."""
    path.write_bytes((newline.join(lines) + newline).encode(encoding))
    return path


def write_workbook(path: Path, rows: Sequence[Sequence[Any]], title: str = "Sheet1") -> Path:
    """A workbook of one sheet."""
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.title = title
    for row in rows:
        sheet.append(list(row))
    workbook.save(path)
    return path
