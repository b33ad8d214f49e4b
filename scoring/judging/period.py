"""Days from one to before another."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from rules.calendar import add_days
from scoring.sql import date

FOREVER = "date '10000-01-01'"
"""The day after the calendar's last, where what has no end ends in SQL."""


@dataclass(frozen=True, slots=True)
class Period:
    """The days from ``first`` to before ``until``; None for the end of time.

    >>> Period(dt.date(2026, 9, 1), dt.date(2026, 9, 2)).first_sql
    "date '2026-09-01'"
    """

    first: dt.date
    until: dt.date | None = None

    @property
    def first_sql(self) -> str:
        """The first day as SQL."""
        return date(self.first)

    @property
    def until_sql(self) -> str:
        """The day after the last as SQL."""
        return FOREVER if self.until is None else date(self.until)

    @property
    def is_one_day(self) -> bool:
        """Whether nothing can change within it."""
        return self.until is not None and self.until == add_days(self.first, 1)
