"""Dates as offices write them."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.utils.datetime import MAC_EPOCH

from scoring.facts.ingest.dates import from_serial, parse_date
from scoring.facts.ingest.errors import CellError
from scoring.facts.ingest.folding import fold


@given(st.dates(dt.date(1, 1, 1)))
def test_every_date_is_read_in_every_form(day: dt.date) -> None:
    year, month, number = f"{day.year:04d}", day.month, day.day
    forms = [
        day.isoformat(),
        f"{year}/{month}/{number}",
        f"{year}.{month}.{number}",
        f"{year}年{month}月{number}日",
        f"{year} 年 {month} 月 {number} 号",
        day.strftime("%Y%m%d").rjust(8, "0"),
        f"{day.isoformat()} 00:00:00",
        f"{day.isoformat()}T00:00:00",
        f"{year}/{month}/{number} 0:00",
        "".join(chr(ord(c) + 0xFEE0) if c.isdigit() else c for c in f"{year}年{month}月{number}日"),
    ]
    for form in forms:
        assert parse_date(fold(form)) == day


@pytest.mark.parametrize(
    "written",
    ["2026-02-30", "2026-13-01", "2026-00-10", "2025年2月29日", "20260431", "2026-01-01 25:00", "0000-01-01"],
)
def test_a_day_that_the_calendar_lacks_is_refused(written: str) -> None:
    with pytest.raises(CellError, match="no such day in the calendar"):
        parse_date(written)


@pytest.mark.parametrize(
    "written",
    ["2026", "2026-03", "2026年3月", "26-3-1", "01/03/2026", "2026-3/1", "2026031", "4608", "99999", "明天",
     "2026-03-01x", "2026-03-01 10:00:00+08:00"],
)  # fmt: skip
def test_what_is_no_date_is_refused_with_the_forms_that_are(written: str) -> None:
    with pytest.raises(CellError, match=r"not a date \(such as 2026-03-01"):
        parse_date(written)


@pytest.mark.parametrize("written", ["46082", "46082.5", "18264"])
def test_a_day_number_in_a_text_file_is_told_for_what_it_is(written: str) -> None:
    """From which day it counts the text does not say: with a workbook of 1904 it would be four years off."""
    with pytest.raises(CellError, match=r"是表格软件的日期序号（.*请把该列设为日期格式后重新导出"):
        parse_date(written)


def test_a_time_of_day_is_left_out() -> None:
    assert parse_date("2026-03-01 16:45:10.5") == dt.date(2026, 3, 1)


@given(st.dates(dt.date(1950, 1, 1), dt.date(2099, 12, 31)))
def test_a_spreadsheets_day_number_is_its_date(day: dt.date) -> None:
    number = (day - dt.date(1899, 12, 30)).days
    assert from_serial(number) == day
    assert from_serial(number + 0.75) == day
    assert from_serial(int(day.strftime("%Y%m%d"))) == day


def test_a_workbook_that_counts_from_1904_is_read_so() -> None:
    day = dt.date(2026, 3, 1)
    assert from_serial((day - dt.date(1904, 1, 1)).days, MAC_EPOCH) == day


@pytest.mark.parametrize("number", [2026, -1, 2026.3, 10**9, 1e300, float("inf"), float("nan")])
def test_a_number_that_is_more_likely_a_year_or_an_amount_is_refused(number: float) -> None:
    with pytest.raises(CellError, match="a number that is no date"):
        from_serial(number)


def test_a_number_in_the_form_of_a_date_must_be_one() -> None:
    with pytest.raises(CellError, match="no such day"):
        from_serial(20260230)
