"""When a record may be repaired: not before the first day on which a remedy of a pack in force allows it.

So the shortest terms of 信用修复管理办法（国家发展改革委令第36号） hold, by the packs that cite it. Where no
pack in force has a remedy for a record, nothing is checked.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.language.evaluate import compiled
from rules.library.loader import ruling_packs
from rules.model import Remedy, Vocabulary
from rules.titles import Title, TitledError
from scoring.facts.merging import REPAIRED as REPAIRED
from scoring.facts.merging import STATUS
from scoring.facts.objection_case import EFFECTIVE
from scoring.facts.records import RecordError
from scoring.store.documents import decode
from scoring.store.models import RecordVersion, SubjectVersion


class RepairRefusedError(TitledError, RecordError):
    """It is too early to repair a record; the message says from when on and by which remedy."""


def check_repair(
    session: Session, vocabulary: Vocabulary, current: RecordVersion, data: Mapping[str, Any], on: dt.date
) -> None:
    """Refuse a repair before its time.

    :param data: what is known of the record.
    :param on: when the repair was completed.
    :raises RepairRefusedError: where packs in force on that day have remedies for it, and none allows it yet.
    """
    found = list(_remedies(vocabulary, {**data, **_attributes(session, vocabulary, current)}, on))
    if not found or any(day is not None and day <= on for _, day in found):
        return
    remedy, first = min(found, key=lambda item: item[1] or dt.date.max)
    raise RepairRefusedError(
        Title(
            f"{remedy.title.zh}:{f'最早可于{first}修复' if first else '起算日期未知,尚不能修复'}",
            f"{remedy.title.en}: "
            + (f"not before {first}" if first else "the day from which its term runs is unknown"),
        )
    )


def _remedies(
    vocabulary: Vocabulary, row: Mapping[str, Any], on: dt.date
) -> Iterator[tuple[Remedy, dt.date | None]]:
    """The remedies for a record, each with the first day on which it may be done."""
    row = {**row, STATUS: EFFECTIVE}
    for pack in ruling_packs(on):
        for remedy in pack.remedies if pack.vocabulary.id == vocabulary.id else ():
            if remedy.changes.get(STATUS) == REPAIRED and compiled(remedy.when)(row) is True:
                yield remedy, on if remedy.after is None else compiled(remedy.after)(row)


def _attributes(session: Session, vocabulary: Vocabulary, current: RecordVersion) -> Mapping[str, Any]:
    document = session.scalar(
        sa.select(SubjectVersion.data).where(
            SubjectVersion.vocabulary == vocabulary.id,
            SubjectVersion.subject_id == current.subject_id,
            SubjectVersion.known_until.is_(None),
        )
    )
    return decode(document or "{}", vocabulary.subject)
