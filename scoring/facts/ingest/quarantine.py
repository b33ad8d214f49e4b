"""The quarantine file: everything that kept rows of a file out, for the office to mend; and beside it one of
what is odd about rows that were taken.
"""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import fields
from operator import attrgetter
from pathlib import Path

import sqlalchemy as sa

from scoring.characters.formulas import inert
from scoring.characters.visible import one_line
from scoring.facts.noted import Level, Rejected
from scoring.store import Store
from scoring.store.models import IngestedFile, Quarantined
from scoring.store.scratch import whole_file

HEADERS = ("文件 file", "工作表 sheet", "行 row", "列 column", "值 value", "原因 reason")
ENDINGS = (".quarantine.csv", ".warnings.csv")
MEND = ".mend.xlsx"
LONGEST_STEM = 200
"""Bytes of a file's name that the names of its accounts begin with; a file system takes 255 in all."""

_said = attrgetter(*(field.name for field in fields(Rejected)))


class Waiting:
    """Rejected rows kept on disk until the good ones are through, so that their number costs no memory."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115  # closed by close()

    def add(self, faults: Iterable[Rejected]) -> None:
        """Keep the faults of a row."""
        self._file.writelines(json.dumps(_said(fault)) + "\n" for fault in faults)

    def __iter__(self) -> Iterator[Rejected]:
        self._file.seek(0)
        return (Rejected(*json.loads(line)) for line in self._file)

    def close(self) -> None:
        """Give back the disk."""
        self._file.close()


def write_quarantine(store: Store, file_id: int, folder: Path, level: Level = "error") -> Path:
    """Write what the store's quarantine holds of a file as CSV that spreadsheets open rightly.

    UTF-8 with byte-order mark; no text of it runs as a formula.

    :param level: what kept rows out, or what is odd about rows that were taken.
    :return: the file, named after the file that was read and its digest.
    :raises OSError: where it can't be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with store.reading() as session:
        file = session.get_one(IngestedFile, file_id)
        ending = ENDINGS[level == "warning"]
        path = account(file, folder, ending)
        faults = (
            sa.select(Quarantined)
            .filter_by(file_id=file_id, level=level)
            .order_by(Quarantined.sheet, Quarantined.row_no, Quarantined.id)
        )
        with whole_file(path) as unfinished, unfinished.open("w", encoding="utf-8-sig", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(HEADERS)
            for fault in session.scalars(faults.execution_options(yield_per=1_000)):
                writer.writerow(_line(file.name, fault))
    return path


def account(file: IngestedFile, folder: Path, ending: str) -> Path:
    """Where an account of a file stands: it is named after the file and its digest."""
    stem = one_line(Path(file.name).stem).encode()[:LONGEST_STEM].decode(errors="ignore")
    return folder / f"{stem}.{file.sha256[:8]}{ending}"


def account_of(store: Store, file_id: int, folder: Path, ending: str) -> Path:
    """Where an account of the file of a number stands, if there is one."""
    with store.reading() as session:
        return account(session.get_one(IngestedFile, file_id), folder, ending)


def is_account(path: Path) -> bool:
    """Whether a file is an account that was written of another one, by its name."""
    return path.name.casefold().endswith((*ENDINGS, MEND))


def _line(file: str, fault: Quarantined) -> tuple[str | int, ...]:
    texts = (inert(text or "") for text in (fault.column, fault.value, fault.reason))
    return (inert(file), inert(fault.sheet or ""), fault.row_no, *texts)
