"""A made-up population for the small pack."""

from __future__ import annotations

from pathlib import Path

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
