"""Days from one to before another."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from rules.calendar import add_days
from scoring.judging.lines import Days
from scoring.judging.sql import date

FOREVER = "date '10000-01-01'"
"""The day after the calendar's last, where what has no end ends in SQL."""

AFTER_ALL = dt.date.max.toordinal() + 1
"""The same day as a number."""


@dataclass(frozen=True, slots=True)
class Period:
    """The days from ``first`` to before ``until``; None for the end of time.

    >>> from datetime import date
    >>> Period.of(date(2026, 9, 1))
    Period(first=datetime.date(2026, 9, 1), until=datetime.date(2026, 9, 2))
    """

    first: dt.date
    until: dt.date | None = None

    @classmethod
    def of(cls, day: dt.date) -> Period:
        """A day alone."""
        return cls(day, None if day == dt.date.max else add_days(day, 1))

    @property
    def is_one_day(self) -> bool:
        """Whether nothing can change within it."""
        return self == Period.of(self.first)

    @property
    def days(self) -> Days:
        """As numbers."""
        return Days(self.first.toordinal(), AFTER_ALL if self.until is None else self.until.toordinal())

    @property
    def first_sql(self) -> str:
        """The first day as SQL."""
        return date(self.first)

    @property
    def until_sql(self) -> str:
        """The day after the last as SQL."""
        return FOREVER if self.until is None else date(self.until)


ALL_OF_TIME = Period(dt.date.min)
"""Costs no more than a day does: there is work only where something begins or ends."""


def day_of(ordinal: int) -> dt.date | None:
    """The day of a number; None for the end of time."""
    return None if ordinal >= AFTER_ALL else dt.date.fromordinal(ordinal)
