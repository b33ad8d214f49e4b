"""The generator's arithmetic: totals stay exact however they are split."""

from __future__ import annotations

import datetime as dt
import random

import pytest
from stdnum.cn import uscc

from fixtures.chance import in_proportion, shares
from fixtures.codes import credit_code, organisation_check
from fixtures.department.permits import workday


@pytest.mark.parametrize(("total", "parts", "least"), [(10, 3, 1), (3, 3, 1), (6788, 53, 10), (7, 1, 0)])
def test_shares_add_up(total: int, parts: int, least: int) -> None:
    split = shares(random.Random(1), total, parts, least=least)
    assert (sum(split), len(split), min(split) >= least) == (total, parts, True)


def test_too_small_a_total_is_refused() -> None:
    with pytest.raises(ValueError, match="2 can't be split into 3 parts of 1 or more"):
        shares(random.Random(1), 2, 3)


def test_parts_in_proportion_add_up() -> None:
    assert in_proportion(100, [1, 1, 1]) == [34, 33, 33]


def test_a_made_up_code_passes_both_checks() -> None:
    code = credit_code(random.Random(1), "91")
    assert uscc.is_valid(code)
    assert code[16] == organisation_check(code[8:16])


def test_the_organisation_check_is_that_of_the_standard() -> None:
    assert organisation_check("60003734") == "1"  # of 91110000600037341L, the example of python-stdnum


@pytest.mark.parametrize(
    ("start", "later", "day"),
    [
        (dt.date(2026, 7, 31), 0, dt.date(2026, 7, 31)),
        (dt.date(2026, 7, 31), 1, dt.date(2026, 8, 3)),
        (dt.date(2026, 8, 1), 1, dt.date(2026, 8, 3)),
        (dt.date(2026, 8, 3), 5, dt.date(2026, 8, 10)),
    ],
)
def test_working_days_pass_over_weekends(start: dt.date, later: int, day: dt.date) -> None:
    assert workday(start, later) == day
