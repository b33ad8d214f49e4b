"""Which records may be shown to others on a day: none that is repaired, revoked, or past its longest term.

The vocabulary's ``limits`` say it, with the law: what no longer counts is no longer published or shared
either (信用修复管理办法（国家发展改革委令第36号）第三条).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from rules.calendar import add_months
from rules.language.evaluate import compiled
from rules.model import Limit, Vocabulary


def shown_on(vocabulary: Vocabulary, day: dt.date) -> Callable[[Mapping[str, Any]], bool]:
    """A function from a record's columns to whether it may be shown on a day.

    Where it is not known whether a limit is a record's, it is; where the day from which its term runs is not
    known, the term is over.

    >>> import datetime as dt
    >>> from rules.library.loader import load_vocabulary
    >>> fine = {"kind": "penalty", "severity": "general", "status": "effective", "ends_on": None}
    >>> fine["occurred_on"] = dt.date(2026, 3, 1)
    >>> days = dt.date(2027, 2, 28), dt.date(2027, 3, 1)
    >>> [shown_on(load_vocabulary("enterprise"), day)(fine) for day in days]
    [True, False]
    >>> shown_on(load_vocabulary("enterprise"), days[0])(fine | {"status": "repaired"})
    False
    """
    limits = [(compiled(limit.when), limit) for limit in vocabulary.limits]
    since = vocabulary.record_date

    def shown(data: Mapping[str, Any]) -> bool:
        return all(is_met(data) is False or _lasts(limit, data, since, day) for is_met, limit in limits)

    return shown


def _lasts(limit: Limit, data: Mapping[str, Any], since: str, day: dt.date) -> bool:
    """Whether a limit leaves a record shown on a day."""
    ends = data.get(limit.until) if limit.until else None
    if ends is not None and ends <= day:
        return False
    begins = data.get(since)
    return limit.months is None or (begins is not None and day < add_months(begins, limit.months))
