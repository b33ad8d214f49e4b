"""Calendar arithmetic: dates are days in Asia/Shanghai, months are calendar months clamped to their end."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


def today() -> dt.date:
    """The calendar date in Asia/Shanghai."""
    return dt.datetime.now(SHANGHAI).date()


_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def day_of(text: str) -> dt.date:
    """The date in a text of the form YYYY-MM-DD; ISO's weeks, and days without hyphens, are not of it.

    :raises ValueError: where it is none.

    >>> day_of("2026-11-28")
    datetime.date(2026, 11, 28)
    >>> day_of("2026-W48-6")
    Traceback (most recent call last):
    ...
    ValueError: not of the form YYYY-MM-DD: 2026-W48-6
    """
    if not _DAY.fullmatch(text):
        raise ValueError(f"not of the form YYYY-MM-DD: {text}")
    return dt.date.fromisoformat(text)


def moment_of(text: str) -> dt.datetime:
    """The moment in an ISO text, in Shanghai where it names no time zone; a date alone is the end of the day.

    :raises ValueError, OverflowError: where it is none.

    >>> moment_of("2026-03-03T09:30").isoformat()
    '2026-03-03T01:30:00+00:00'
    """
    day_of(text[:10])
    found = dt.datetime.fromisoformat(text)
    if len(text) == len("2026-03-03"):
        found = dt.datetime.combine(found.date(), dt.time.max)
    return (found if found.tzinfo else found.replace(tzinfo=SHANGHAI)).astimezone(dt.UTC)


def add_months(day: dt.date, months: int) -> dt.date:
    """``day`` moved by whole months; 31 January + 1 month is the last day of February.

    Past the calendar's ends (years 1 and 9999) the answer is the calendar's end.

    >>> from datetime import date
    >>> [add_months(date(2026, 1, 31), months).isoformat() for months in (1, -2, 25)]
    ['2026-02-28', '2025-11-30', '2028-02-29']
    """
    index = day.year * 12 + day.month - 1 + months
    if index < 12:
        return dt.date.min
    if index >= 120_000:
        return dt.date.max
    year, month = divmod(index, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def add_days(day: dt.date, days: int) -> dt.date:
    """``day`` moved by days, kept within the calendar.

    >>> from datetime import date
    >>> add_days(date(2026, 2, 28), 1), add_days(date.max, 1)
    (datetime.date(2026, 3, 1), datetime.date(9999, 12, 31))
    """
    ordinal = day.toordinal() + days
    return dt.date.fromordinal(max(1, min(ordinal, dt.date.max.toordinal())))


def first_start_still_open(day: dt.date, months: int) -> dt.date:
    """The earliest ``start`` with ``day < add_months(start, months)``: the cut-off of a window on ``day``.

    ``add_months`` never decreases as its date grows, so the dates that still count are exactly those from
    the answer on.

    >>> from datetime import date
    >>> first_start_still_open(date(2026, 2, 28), 1).isoformat()
    '2026-02-01'
    """
    guess = add_months(day, -months)
    while guess > dt.date.min and add_months(guess, months) > day:
        guess -= dt.timedelta(days=1)
    while add_months(guess, months) <= day and guess < dt.date.max:
        guess += dt.timedelta(days=1)
    return guess
