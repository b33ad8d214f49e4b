"""Numbers as offices write them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.facts.ingest.errors import CellError
from scoring.facts.ingest.folding import as_text, fold
from scoring.facts.ingest.numbers import parse_decimal, parse_integer

amounts = st.decimals(-(10**14) + 1, 10**14 - 1, places=4, allow_nan=False, allow_infinity=False)


def full_width(text: str) -> str:
    """The text as an input method in full-width mode writes it."""
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("1234.5", "1234.5"),
        ("1,234,567.89", "1234567.89"),
        ("12.5万", "125000"),
        ("12.5 万元", "125000"),
        ("1.2亿", "120000000"),
        ("3百万元", "3000000"),
        ("0.00001万", "0.1"),
        ("¥300元", "300"),
        ("100万元人民币", "1000000"),
        ("100万人民币", "1000000"),
        ("50.5 元 RMB", "50.5"),
        ("￥３００．５０", "300.5"),
        ("人民币 80 元整", "80"),
        ("(1,000)", "-1000"),
        ("（1,000.25）", "-1000.25"),
        ("-5", "-5"),
        ("－5", "-5"),
        ("−5", "-5"),
        ("+7", "7"),
        (".5", "0.5"),
        ("5.", "5"),
        ("-0", "0"),
        ("1.50000000", "1.5"),
        ("99999999999999.9999", "99999999999999.9999"),
    ],
)
def test_an_amount_is_read_as_people_mean_it(written: str, meant: str) -> None:
    value = parse_decimal(fold(written))
    assert value == Decimal(meant)
    assert str(value) == f"{Decimal(meant):.4f}"


@pytest.mark.parametrize(
    "written",
    ["1,23", "1,2345", "12 34", "1.2.3", "1e5", "1.2E+17", "abc", "(5", "5)", "(-5)", "12.5%", "万", "--5",
     "٣", "NaN", "Infinity", "0x10", "1_000", "五万", "1亿2000万", "1" * 200],
)  # fmt: skip
def test_what_is_no_number_is_refused(written: str) -> None:
    with pytest.raises(CellError, match="not a number"):
        parse_decimal(fold(written))


@pytest.mark.parametrize("written", ["0.00001", "1.23456", "0.000000001万"])
def test_more_than_four_decimals_are_refused_not_rounded(written: str) -> None:
    with pytest.raises(CellError, match="more than 4 decimals"):
        parse_decimal(written)


@pytest.mark.parametrize("written", ["100000000000000", "-100000000000000", "1000000亿", "999999万亿"])
def test_more_than_fourteen_digits_are_refused(written: str) -> None:
    with pytest.raises(CellError, match="more than 14 digits"):
        parse_decimal(written)


def test_a_unit_in_the_header_counts_for_bare_numbers_alone() -> None:
    assert parse_decimal("12.5", per=10_000) == 125_000
    assert parse_decimal("12.5万", per=10_000) == 125_000
    assert parse_decimal("5元", per=10_000) == 5


@pytest.mark.parametrize(("written", "meant"), [("12", 12), ("1,200", 1200), ("12.0", 12), ("1.2万", 12_000)])
def test_whole_numbers(written: str, meant: int) -> None:
    assert parse_integer(written) == meant


@pytest.mark.parametrize(
    ("written", "reason"),
    [("1.5", "not a whole number"), ("1" * 19, "more than 18 digits"), ("x", "not a number")],
)
def test_what_is_no_whole_number_is_refused(written: str, reason: str) -> None:
    with pytest.raises(CellError, match=reason):
        parse_integer(written)


def test_a_number_is_read_up_to_sixty_characters() -> None:
    assert parse_decimal("7".rjust(60, "0")) == 7
    with pytest.raises(CellError, match="not a number"):
        parse_decimal("7".rjust(61, "0"))


@given(amounts)
def test_every_exact_amount_survives_however_it_is_written(amount: Decimal) -> None:
    plain, grouped = f"{amount:f}", f"{amount:,f}"
    in_brackets = f"({-amount:,f})" if amount < 0 else grouped
    ten_thousands = f"{amount.scaleb(-4):f}万"
    for written in (plain, grouped, in_brackets, ten_thousands, f"¥{plain}元", full_width(grouped)):
        assert parse_decimal(fold(written)) == amount


@given(st.integers(-(10**18) + 1, 10**18 - 1))
def test_every_integer_survives(number: int) -> None:
    assert parse_integer(f"{number}") == parse_integer(f"{number:,}") == number


@given(st.decimals(-(10**9), 10**9, places=4, allow_nan=False, allow_infinity=False))
def test_a_number_cell_means_the_number_that_the_spreadsheet_shows(amount: Decimal) -> None:
    assert parse_decimal(as_text(float(amount))) == amount


def test_a_number_cell_that_a_sum_made_inexact_is_read_as_shown() -> None:
    assert parse_decimal(as_text(0.1 + 0.2)) == Decimal("0.3")


@given(st.text(max_size=80))
def test_any_text_is_a_number_or_a_cell_error(text: str) -> None:
    parsers: tuple[Callable[[str], Decimal | int], ...] = (parse_decimal, parse_integer)
    for parse in parsers:
        with suppress(CellError):
            number: Decimal | int = parse(fold(text))
            assert -(10**18) < number < 10**18
