"""Due dates in working days: Monday to Friday. Public holidays are announced yearly and not known here."""

from __future__ import annotations

import datetime as dt

DAYS = {"ordinary": 15, "urgent": 7, "critical": 3}
"""Working days by urgency: our own choice."""

_WEEK, _WORKING = 7, 5


def due_on(assigned_on: dt.date, urgency: str) -> dt.date:
    """The last day on which a ticket of that urgency is in time.

    >>> from datetime import date
    >>> due_on(date(2026, 8, 31), "urgent").isoformat()
    '2026-09-09'
    """
    day, left = assigned_on, DAYS[urgency]
    while left:
        day += dt.timedelta(days=1)
        left -= day.weekday() < _WORKING
    return day


def days_left(day: dt.date, due: dt.date) -> int:
    """Working days after ``day`` up to ``due``; negative where that has passed."""
    if due < day:
        return -days_left(due, day)
    weeks, rest = divmod((due - day).days, _WEEK)
    return weeks * _WORKING + sum(
        (day + dt.timedelta(days=n)).weekday() < _WORKING for n in range(1, rest + 1)
    )
