"""About whom and which records the demo's cases are: the same ones each time."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass

import sqlalchemy as sa

from rules.library.loader import load_vocabulary
from scoring.cli.demo.people import OFFICE
from scoring.facts.records import records_table
from scoring.runs.published import latest_run
from scoring.runs.results import grades_of
from scoring.store import Store
from scoring.store.documents import decode
from scoring.store.models import RecordVersion

VOCABULARY = "enterprise"
_FIRST, _LAST = dt.date(2025, 8, 1), dt.date(2026, 4, 30)
_LIKE = ('%"kind":"penalty"%', '%"severity":"general"%', '%"status":"effective"%', f'%"{OFFICE}"%')


@dataclass(frozen=True, slots=True)
class Penalty:
    """A penalty of the office that the files of the district brought."""

    record_id: str
    subject_id: str


def penalties(store: Store) -> list[Penalty]:
    """General ones that may be repaired by now, whatever became of them since, by their records."""
    version, table = RecordVersion, records_table(load_vocabulary(VOCABULARY))
    query = sa.select(version.record_id, version.subject_id, version.data).where(
        version.vocabulary == VOCABULARY, *(version.data.like(pattern) for pattern in _LIKE)
    )
    with store.reading() as session:
        found = {
            Penalty(record_id, subject_id)
            for record_id, subject_id, data in session.execute(query)
            if _FIRST <= decode(data, table)["occurred_on"] <= _LAST
        }
    return sorted(found, key=lambda penalty: penalty.record_id)


def best_of_several(store: Store, pack_id: str, as_of: dt.date, found: list[Penalty]) -> str:
    """The enterprise of the best grade of a day among those with two penalties; with one where nobody has."""
    count, run = Counter(penalty.subject_id for penalty in found), latest_run(store, pack_id, as_of)
    several = [subject for subject in count if count[subject] >= min(2, max(count.values()))]
    grades = grades_of(store, run, several) if run else {}
    return min(several, key=lambda subject: (-grades[subject].score, subject))
