"""How long a record is shown: to the end of the longest term that the law gives its class, then no more.

The terms are the vocabulary's ``limits`` (信用修复管理办法, 国家发展改革委令第36号: minor three months,
general one year, serious three, from the day of the determination). What is repaired or revoked is shown no
more at once. Lint holds the packs to the same limits, so what is no longer shown no longer counts either.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from rules.calendar import add_months
from rules.language.evaluate import compiled
from rules.model import Vocabulary
from scoring.store import Store
from scoring.store.documents import decode
from scoring.store.models import RecordVersion

NEVER = dt.date.min

INTERNAL = "check_request"
"""The kind of record that is between offices: one asks another for a visit, which is not announced, and may
have been told of something by others. Its subject does not see it."""


def shown_until(vocabulary: Vocabulary, record: Mapping[str, Any]) -> dt.date | None:
    """The first day on which a record is no longer shown; None where no term is set, ``NEVER`` at once.

    :param record: what is known of it: every column of the vocabulary.

    >>> from datetime import date
    >>> from rules.library.loader import load_vocabulary
    >>> enterprise = load_vocabulary("enterprise")
    >>> fine = dict.fromkeys(enterprise.records.columns) | {"kind": "penalty", "severity": "general"}
    >>> shown_until(enterprise, fine | {"occurred_on": date(2026, 4, 10), "status": "effective"})
    datetime.date(2027, 4, 10)
    """
    return min(_ends(vocabulary, record), default=None)


def is_shown(vocabulary: Vocabulary, record: Mapping[str, Any], on: dt.date) -> bool:
    """Whether a record is shown on a day."""
    until = shown_until(vocabulary, record)
    return until is None or on < until


def is_surely_shown(vocabulary: Vocabulary, record: Mapping[str, Any], on: dt.date) -> bool:
    """Whether a record is shown on a day, whatever is not known of it.

    Where it is not known whether a limit is a record's, it is; where the day from which its term runs is not
    known, the term is over.
    """
    return all(on < end for end in _ends(vocabulary, record, is_doubted=True))


def all_shown(store: Store, vocabulary: Vocabulary, record_ids: Collection[str], on: dt.date) -> bool:
    """Whether all of some records, as they are known now, are shown on a day."""
    if vocabulary.records is None or not record_ids:
        return True
    query = sa.select(RecordVersion.data).where(
        RecordVersion.vocabulary == vocabulary.id,
        RecordVersion.record_id.in_(sorted(record_ids)),
        RecordVersion.known_until.is_(None),
    )
    with store.reading() as session:
        known = [decode(data, vocabulary.records) for data in session.scalars(query)]
    return len(known) == len(record_ids) and all(is_shown(vocabulary, data, on) for data in known)


def _ends(
    vocabulary: Vocabulary, record: Mapping[str, Any], *, is_doubted: bool = False
) -> Iterator[dt.date]:
    since = record.get(vocabulary.record_date)
    for limit in vocabulary.limits:
        is_met = compiled(limit.when)(record)
        if is_met is False or (is_met is None and not is_doubted):
            continue
        if limit.months == 0 or (limit.months is not None and since is None and is_doubted):
            yield NEVER
        elif limit.months is not None and since is not None:
            yield add_months(since, limit.months)
        if limit.until is not None and (end := record.get(limit.until)) is not None:
            yield end
