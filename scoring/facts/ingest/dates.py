"""Dates as offices write them, and as spreadsheets count them."""

from __future__ import annotations

import datetime as dt
import re

from rules.model import Title
from scoring.facts.ingest.errors import CellError

WINDOWS_EPOCH = dt.datetime(1899, 12, 30)  # noqa: DTZ001  openpyxl has days without a time zone as well
"""The day from which most workbooks count, after the one of February 1900 that there was not."""

SERIALS = range(18_264, 73_051)
"""Day numbers of 1950-01-01 to 2099-12-31 (own choice): a smaller number is more likely a year."""

FILLERS = frozenset(
    {"0001-01-01", "1753-01-01", "1899-12-30", "1899-12-31", "1900-01-01", "1904-01-01", "1970-01-01"}
    | {"9999-12-31"}
)
"""The first and last days of systems, which these write where they know no date; so they do zeros."""

_ZEROS = re.compile(r"[-/.: T年月日号0]*0[-/.: T年月日号0]*")
_DAY_ZERO = (1900, 1, 0)
"""What a spreadsheet shows for the number 0."""

_TIME = r"(?:[T ]\s*(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.[0-9]+)?)?)?"
_DATE = re.compile(
    r"(?:(?P<y>[0-9]{4})(?P<mark>[-/.])(?P<m>[0-9]{1,2})(?P=mark)(?P<d>[0-9]{1,2})"
    r"|(?P<zy>[0-9]{4})\s*年\s*(?P<zm>[0-9]{1,2})\s*月\s*(?P<zd>[0-9]{1,2})\s*[日号]"
    r"|(?P<cy>[0-9]{4})(?P<cm>[0-9]{2})(?P<cd>[0-9]{2}))" + _TIME
)
_FORMS = Title("如 2026-03-01、2026/3/1 或 2026年3月1日", "such as 2026-03-01, 2026/3/1 or 2026年3月1日")


_DATE_OR_NOTHING = Title(
    "请填写真实日期;没有日期且该列可以不填时请留空", "the real date, or an empty cell where there may be none"
)


_SERIAL = re.compile(r"[0-9]{5}(?:\.[0-9]+)?")
_AS_DATE = Title(
    "从哪一天数起各表不同;请把该列设为日期格式后重新导出",
    "from which day it counts, books differ: format the column as dates, and export it again",
)


class DateError(CellError):
    """A cell that holds no date; where the column is an end, words for no end would do as well."""


def parse_date(text: str) -> dt.date:
    """The calendar date in a folded text, year first: 2026-03-01, 2026/3/1, 2026.3.1, 2026年3月1日, 20260301.

    A time of day behind it is checked and left out, for the column holds dates (in Asia/Shanghai).

    :raises DateError: where it is no date, or none that the calendar has.
    """
    if _ZEROS.fullmatch(text):
        raise DateError(no_date(text), _DATE_OR_NOTHING)
    found = _DATE.fullmatch(text)
    if _SERIAL.fullmatch(text) and int(text[:5]) in SERIALS:
        raise DateError(Title("是表格软件的日期序号", "the day number of a spreadsheet"), _AS_DATE)
    if found is None:
        raise DateError(Title("不是日期", "not a date"), _FORMS)
    year, month, day = (
        int(part) for part in found.group("y", "m", "d", "zy", "zm", "zd", "cy", "cm", "cd") if part
    )
    if (year, month, day) == _DAY_ZERO:
        raise DateError(no_date(text), _DATE_OR_NOTHING)
    hour, minute, second = (int(part or 0) for part in found.group("hour", "minute", "second"))
    try:
        dt.time(hour, minute, second)
        return dt.date(year, month, day)
    except ValueError:
        raise DateError(Title("日历上没有这一天", "no such day in the calendar"), _FORMS) from None


def no_date(written: str) -> Title:
    """That a day stands for no date."""
    return Title(
        f"{written}是系统常用来表示“没有日期”的占位值", f"{written} is what systems write for no date"
    )


def from_serial(number: float, epoch: dt.datetime = WINDOWS_EPOCH) -> dt.date:
    """The date of a number cell: a spreadsheet's day number (1950 to 2099), or 20260301 written as a number.

    :param epoch: the day from which the workbook counts.
    :raises DateError: where it is neither.
    """
    if not abs(number) < 100_000_000:  # also what is no number, and whole ones too large for a float
        raise DateError(Title("数字不是日期", "a number that is no date"), _FORMS)
    if number == 0 or (number == int(number) and number >= 10_000_000):
        return parse_date(str(int(number)))
    if int(number) not in SERIALS:
        raise DateError(Title("数字不是日期", "a number that is no date"), _FORMS)
    return (epoch + dt.timedelta(int(number))).date()
