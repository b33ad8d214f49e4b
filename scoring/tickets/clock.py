"""Due dates of tickets, in working days (:mod:`rules.workdays`)."""

from __future__ import annotations

import datetime as dt

from rules.workdays import KNOWN_UNTIL, workdays_later

DAYS = {"ordinary": 15, "urgent": 7, "critical": 3}
"""Working days by urgency: our own choice."""


def due_on(assigned_on: dt.date, urgency: str) -> dt.date:
    """The last day on which a ticket of that urgency is in time.

    >>> from datetime import date
    >>> due_on(date(2026, 9, 24), "urgent").isoformat()
    '2026-10-12'
    """
    return workdays_later(assigned_on, DAYS[urgency])


def is_past_known_holidays(assigned_on: dt.date) -> bool:
    """Whether a due date that begins to run on a day may move, once more public holidays are known."""
    return max(due_on(assigned_on, urgency) for urgency in DAYS) >= KNOWN_UNTIL
