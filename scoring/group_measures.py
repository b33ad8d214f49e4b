"""The measures of everybody on a day, by the judge of many: for those that depend on other subjects."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from rules.model import Pack
from rules.plan import compile_plan
from scoring.judging.judge import measures_on
from scoring.store import Store
from scoring.store.snapshot import take_snapshot
from scoring.store.workspace import workspace


def measures_of_group(
    store: Store, pack: Pack, day: dt.date, known_at: dt.datetime | None, shown: Collection[str] = ()
) -> pa.Table:
    """Everybody's attributes and measures on a day, as they were known at a moment (None: now).

    :param shown: measures that are wanted beside those that the pack's rules read.
    :raises StoreError: where nothing was known.
    """
    with workspace() as duck:
        take_snapshot(store, pack.vocabulary, duck, known_at)
        return measures_on(duck, compile_plan(pack, tuple(shown)), day)


def of_subject(measures: pa.Table, pack: Pack, subject_id: str) -> dict[str, Any]:
    """One subject's row among everybody's; empty where the subject is not among them."""
    key = measures[pack.vocabulary.subject.key].cast(pa.string())
    found = measures.filter(pc.equal(key, subject_id)).to_pylist()
    return found[0] if found else {}
