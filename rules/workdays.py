"""Working days: the State Council's holidays are off, the weekend days that make up for them are not.

Source: the General Office's yearly notice on public holidays (国务院办公厅关于部分节假日安排的通知), as the
package ``chinesecalendar`` carries it. The notice of a year comes at the end of the year before. In years
that are not known there Monday to Friday are taken; a due date in such a year moves once it is known.
"""

from __future__ import annotations

import datetime as dt

import chinese_calendar
from chinese_calendar.constants import holidays

KNOWN_FROM = dt.date(min(holidays).year, 1, 1)
KNOWN_UNTIL = dt.date(max(holidays).year + 1, 1, 1)
"""The first day of which it is not known whether it is a public holiday."""

_DAY = dt.timedelta(days=1)


def is_workday(day: dt.date) -> bool:
    """Whether offices work on a day.

    >>> from datetime import date
    >>> is_workday(date(2026, 10, 7)), is_workday(date(2026, 10, 10))  # 国庆节, and a Saturday for it
    (False, True)
    """
    if KNOWN_FROM <= day < KNOWN_UNTIL:
        return bool(chinese_calendar.is_workday(day))
    return day.weekday() < 5


def workdays_later(day: dt.date, count: int) -> dt.date:
    """The working day so many working days after a day; of 0 the day itself.

    >>> from datetime import date
    >>> workdays_later(date(2026, 9, 30), 1).isoformat()
    '2026-10-08'
    """
    while count:
        day += _DAY
        count -= is_workday(day)
    return day


def workdays_between(day: dt.date, later: dt.date) -> int:
    """How many working days there are after ``day`` up to ``later``; negative where that is earlier.

    >>> from datetime import date
    >>> before, after = date(2026, 9, 30), date(2026, 10, 8)
    >>> workdays_between(before, after), workdays_between(after, before)
    (1, -1)
    """
    if later < day:
        return -workdays_between(later, day)
    return sum(is_workday(day + n * _DAY) for n in range(1, (later - day).days + 1))
