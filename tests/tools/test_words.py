"""Conditions, windows and points in words: each form of the language, in both languages."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction

import pytest

from rules.language.expressions import BOOLEAN, DATE, DECIMAL, TEXT, Level, Name
from rules.language.parse import Scope, parse_condition, parse_expression
from rules.language.words import Words, dated, number, plain, signed, window
from rules.model import Column, Dated, Decay, Title, Window

COLUMNS = {
    "kind": Column("kind", TEXT, "text", Title("类别", "Kind"), values={"fine": Title("罚款", "Fine")}),
    "fine": Column("fine", DECIMAL, "decimal", Title("金额", "Amount")),
    "paid": Column("paid", DECIMAL, "decimal", Title("已缴", "Paid")),
    "found_on": Column("found_on", DATE, "date", Title("认定日", "Found")),
    "settled": Column("settled", BOOLEAN, "boolean", Title("结清", "Settled")),
}
SCOPE = Scope(
    {name: Name(name, Level.RECORD, column.type) for name, column in COLUMNS.items()},
    {"kind": frozenset({"fine"})},
)
TITLES = {name: column.title for name, column in COLUMNS.items()}
ZH, EN = Words("zh", COLUMNS, TITLES), Words("en", COLUMNS, TITLES)
FOUND = SCOPE.names["found_on"]


@pytest.mark.parametrize(
    ("written", "zh", "en"),
    [
        ("fine * 0.00001", "按金额每10万计", "for each 100,000 of Amount"),
        ("fine * 0.001", "按金额每1,000计", "for each 1,000 of Amount"),
        ("fine * 0.3", "乘以金额 × 0.3", "times Amount × 0.3"),
        ("fine * 2", "乘以金额 × 2", "times Amount × 2"),
        ("fine + paid", "乘以金额 + 已缴", "times Amount + Paid"),
        ("fine", "乘以金额", "times Amount"),
        (
            "round((fine + paid) * 100 / fine, 2)",
            "乘以((金额 + 已缴) × 100) ÷ 金额（四舍五入至2位小数）",
            "times ((Amount + Paid) × 100) ÷ Amount (rounded to 2 decimals)",
        ),
        (
            "round(fine * paid, 0)",
            "乘以金额 × 已缴（四舍五入至整数）",
            "times Amount × Paid (rounded to a whole number)",
        ),
        (
            "date '2026-03-01' - found_on",
            "乘以认定日至2026-03-01的天数",
            "times the days from Found to 2026-03-01",
        ),
    ],
)
def test_what_points_are_multiplied_by(written: str, zh: str, en: str) -> None:
    found = parse_expression(written, SCOPE)
    assert (ZH.per(found), EN.per(found)) == (zh, en)


@pytest.mark.parametrize(
    ("written", "zh", "en"),
    [
        ("kind = 'fine'", "罚款", "Fine"),
        ("fine in (1, 2.50)", "1、2.5", "1, 2.5"),
        ("fine >= 1000 and fine < 50000", "≥1,000、<50,000", "≥1,000, <50,000"),
        ("fine >= 0.95 and paid >= 3", "≥0.95，已缴≥3", "≥0.95; Paid ≥3"),
        ("paid <= 3 and kind = 'fine'", "已缴≤3，罚款", "Paid ≤3; Fine"),
        ("settled and fine = 2.50", "结清为是，2.5", "Settled is true; 2.5"),
        ("settled", "结清为是", "Settled is true"),
        ("found_on > date '2026-03-01'", ">2026-03-01", ">2026-03-01"),
    ],
)
def test_what_a_row_of_a_table_asks_for_in_short(written: str, zh: str, en: str) -> None:
    found = parse_condition(written, SCOPE)
    assert (ZH.row(found, "金额"), EN.row(found, "Amount")) == (zh, en)


@pytest.mark.parametrize(
    ("written", "zh", "en"),
    [
        ("true", "始终", "always"),
        ("settled", "结清为是", "Settled is true"),
        ("not settled", "结清为否", "Settled is false"),
        ("coalesce(settled, false)", "结清、否中首个已知值为是",
         "the first known of Settled, false is true"),
        ("not coalesce(settled, false)", "结清、否中首个已知值为否",
         "the first known of Settled, false is false"),
        ("(fine > 1) is null", "金额大于1未知", "Amount is over 1 is unknown"),
        ("kind = 'fine'", "类别为“罚款”", "Kind is “Fine”"),
        ("kind <> 'fine'", "类别不为“罚款”", "Kind is not “Fine”"),
        ("kind in ('fine')", "类别为“罚款”之一", "Kind is one of “Fine”"),
        ("not kind in ('fine')", "类别不在“罚款”之列", "Kind is none of “Fine”"),
        ("not kind like 'f%'", "类别不符合“f%”", "Kind does not match “f%”"),
        ("not (not settled)", "结清为是", "Settled is true"),
        ("not (fine < 10 or kind = 'fine')", "金额不少于10且类别不为“罚款”",
         "Amount is at least 10 and Kind is not “Fine”"),
        ("not (fine < 10 and (settled or found_on < as_of))",
         "金额不少于10或（结清为否且认定日不早于评价基准日）",
         "Amount is at least 10 or (Settled is false and Found is no earlier than the day of grading)"),
        ("kind like 'f%'", "类别符合“f%”", "Kind matches “f%”"),
        ("fine is null", "金额未知", "Amount is unknown"),
        ("fine is not null", "金额已知", "Amount is known"),
        ("fine in (1, 2.50)", "金额为1、2.5之一", "Amount is one of 1, 2.5"),
        ("fine < 1000.10", "金额小于1000.1", "Amount is under 1000.1"),
        ("fine <= 0", "金额不超过0", "Amount is at most 0"),
        ("fine > paid", "金额大于已缴", "Amount is over Paid"),
        ("fine >= paid", "金额不少于已缴", "Amount is at least Paid"),
        ("found_on < as_of", "认定日早于评价基准日", "Found is before the day of grading"),
        ("found_on <= date '2026-03-01'", "认定日不晚于2026-03-01", "Found is no later than 2026-03-01"),
        ("found_on > as_of", "认定日晚于评价基准日", "Found is after the day of grading"),
        ("found_on >= as_of", "认定日不早于评价基准日", "Found is no earlier than the day of grading"),
        ("found_on + interval 1 month < as_of", "认定日之后1个月早于评价基准日",
         "1 months after Found is before the day of grading"),
        ("found_on - interval 1 day < as_of", "认定日之前1天早于评价基准日",
         "1 days before Found is before the day of grading"),
        ("found_on + interval 2 year + interval 3 day < as_of", "认定日之后24个月之后3天早于评价基准日",
         "3 days after 24 months after Found is before the day of grading"),
        ("fine + paid * 2 > 3", "金额 + (已缴 × 2)大于3", "Amount + (Paid × 2) is over 3"),
        ("(fine - paid) * 2 > 3", "(金额 - 已缴) × 2大于3", "(Amount - Paid) × 2 is over 3"),
        ("coalesce(fine, paid) > 3", "金额、已缴中首个已知值大于3",
         "the first known of Amount, Paid is over 3"),
        ("abs(fine) > 3", "金额的绝对值大于3", "the size of Amount is over 3"),
        ("least(fine, paid) > 3", "金额、已缴中最小者大于3", "the least of Amount, Paid is over 3"),
        ("greatest(fine, paid) > 3", "金额、已缴中最大者大于3", "the greatest of Amount, Paid is over 3"),
        ("settled and fine > 1 and paid > 2", "结清为是且金额大于1且已缴大于2",
         "Settled is true and Amount is over 1 and Paid is over 2"),
        ("settled and (fine > 1 or paid > 2)", "结清为是且（金额大于1或已缴大于2）",
         "Settled is true and (Amount is over 1 or Paid is over 2)"),
        ("settled or fine > 1 and paid > 2", "结清为是或（金额大于1且已缴大于2）",
         "Settled is true or (Amount is over 1 and Paid is over 2)"),
    ],
)  # fmt: skip
def test_a_condition_reads_as_it_is_meant(written: str, zh: str, en: str) -> None:
    condition = parse_condition(written, SCOPE)
    assert (ZH.condition(condition), EN.condition(condition)) == (zh, en)


def test_what_has_no_title_is_called_by_its_name() -> None:
    bare = Words("zh", {}, {})
    assert bare.condition(parse_condition("kind = 'fine'", SCOPE)) == "kind为“fine”"


HALF = (Decay(6, Fraction(1, 2)),)
STEPS = (Decay(6, Fraction(1, 2)), Decay(9, Fraction(1, 8)))


@pytest.mark.parametrize(
    ("counts", "zh", "en"),
    [
        (None, "满足条件期间", "while the condition holds"),
        ({}, "自认定日起长期有效", "for good from Found"),
        ({"months": 12}, "自认定日起 12 个月内", "for 12 months from Found"),
        ({"days": 1}, "自认定日起 1 天内", "for 1 days from Found"),
        ({"until": FOUND}, "自认定日起，至认定日为止", "from Found, until Found"),
        ({"months": 1, "until": FOUND}, "自认定日起 1 个月内，至认定日为止",
         "for 1 months from Found, until Found"),
        ({"months": 12, "decay": HALF}, "自认定日起 12 个月内，满 6 个月后计 50%",
         "for 12 months from Found, 50 % after 6 months"),
        ({"months": 12, "decay": STEPS}, "自认定日起 12 个月内，满 6 个月后计 50%，满 9 个月后计 12.5%",
         "for 12 months from Found, 50 % after 6 months, 12.5 % after 9 months"),
        ({"months": 3, "decay": (Decay(1, Fraction(2, 3)), Decay(2, Fraction(1, 3)))},
         "自认定日起 3 个月内，按月递减", "for 3 months from Found, less every month"),
    ],
)  # fmt: skip
def test_a_window_reads_as_it_counts(counts: dict[str, object] | None, zh: str, en: str) -> None:
    given = None if counts is None else Window(start=FOUND, **counts)  # type: ignore[arg-type]
    assert (window(given, ZH), window(given, EN)) == (zh, en)


@pytest.mark.parametrize(
    ("hundredths", "said", "with_sign"),
    [(None, "", None), (0, "0", "0"), (1, "0.01", "+0.01"), (-250, "-2.5", "-2.5"), (400, "4", "+4")],
)
def test_points_are_written_as_short_as_may_be(
    hundredths: int | None, said: str, with_sign: str | None
) -> None:
    assert number(hundredths) == said
    assert with_sign is None or signed(hundredths or 0) == with_sign


def test_points_say_from_when_they_hold() -> None:
    first, second = dt.date(2026, 1, 1), dt.date(2026, 7, 1)
    assert dated(Dated(((dt.date.min, -400),)), "zh") == "-4"
    assert dated(Dated(((first, 100),)), "en") == "+1 from 2026-01-01"
    steps = Dated(((first, 100), (second, None)))
    assert dated(steps, "zh") == "2026-01-01 起 +1；2026-07-01 起 停用"
    assert dated(steps, "en") == "+1 from 2026-01-01; ended from 2026-07-01"


def test_yes_and_no_are_written_as_packs_write_them() -> None:
    assert (plain(True), plain(False), plain(3)) == ("true", "false", "3")
