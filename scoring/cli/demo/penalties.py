"""About whom and which records the demo's cases are: the same ones each time."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass

import sqlalchemy as sa

from rules.library.loader import load_vocabulary
from scoring.cli.demo.people import OFFICE
from scoring.facts.records import records_table
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
    """General ones that may be repaired by now: first those of the enterprise that has most.

    What became of them since does not matter: whoever was chosen is chosen again.
    """
    version, table = RecordVersion, records_table(load_vocabulary(VOCABULARY))
    query = sa.select(version.record_id, version.subject_id, version.data).where(
        version.vocabulary == VOCABULARY, *(version.data.like(pattern) for pattern in _LIKE)
    )
    found = defaultdict[str, set[Penalty]](set)
    with store.reading() as session:
        for record_id, subject_id, data in session.execute(query):
            if _FIRST <= decode(data, table)["occurred_on"] <= _LAST:
                found[subject_id].add(Penalty(record_id, subject_id))
    ordered = sorted(found.values(), key=lambda some: (-len(some), min(one.record_id for one in some)))
    return [one for some in ordered for one in sorted(some, key=lambda penalty: penalty.record_id)]
