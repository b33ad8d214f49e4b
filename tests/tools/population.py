"""A made-up population for the small pack."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from rules.model import Vocabulary
from scoring.answers.trial_population import Source, open_population
from scoring.facts import snapshot
from scoring.facts.ingest.files import ingest_paths
from scoring.facts.undo import undo_file
from scoring.store import create_store

SUBJECTS = """\
applicant_id,size,town
a1,big,North
a2,small,North
a3,big,South
a4,small,South
a5,,South
"""
RECORDS = """\
record_id,applicant_id,occurred_on,kind,amount
r1,a2,2026-02-01,fine,2000
r2,a3,2026-02-01,fine,
r3,a4,2026-02-01,listing,
r4,a5,2026-02-01,award,
"""


def write_population(folder: Path) -> tuple[Path, Path]:
    """The files of subjects and records."""
    subjects, records = folder / "subjects.csv", folder / "records.csv"
    subjects.write_text(SUBJECTS, encoding="utf-8")
    records.write_text(RECORDS, encoding="utf-8")
    return subjects, records


def store_population(folder: Path, vocabulary: Vocabulary, patch: pytest.MonkeyPatch) -> Source:
    """A store of it that is read from its columns, like one of many facts; some were taken back since
    those were made, so that numbers in them have gaps.
    """
    patch.setattr(snapshot, "FEW", 1)
    source = Source(f"sqlite:///{folder / 'population.db'}")
    subjects, records = write_population(folder)
    gone = folder / "gone.csv"
    gone.write_text(
        "applicant_id,size,town\n" + "".join(f"a{n}x,big,North\n" for n in range(5)), encoding="utf-8"
    )
    with closing(create_store(source.database)) as store:
        taken = {f.file: f for f in ingest_paths(store, [subjects, records, gone], vocabulary).files}
        assert {name: (f.rejected, f.new) for name, f in taken.items()} == {
            "subjects.csv": (0, 5),
            "records.csv": (0, 4),
            "gone.csv": (0, 5),
        }
        with open_population(source, vocabulary):
            undo_file(store, taken["gone.csv"].file_id or 0)
    return source
