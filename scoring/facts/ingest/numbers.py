"""Numbers as offices write them: 1,234.50, 12.5万, ¥300元, 100万元人民币, (1,000)."""

from __future__ import annotations

import re
from decimal import Context, Decimal, Inexact, InvalidOperation
from math import prod

from rules.model import Title
from scoring.facts.ingest.errors import CellError

WHOLE_DIGITS = 14
SCALE = 4
INTEGER_DIGITS = 18
LONGEST = 60

_NUMBER = re.compile(
    r"""(?P<open>\()?\s*
        (?P<sign>[-+]?)\s*
        (?:¥|RMB|CNY|人民币)?\s*
        (?P<inner>[-+]?)\s*
        (?P<digits>(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]*)?|\.[0-9]+)\s*
        (?P<unit>(?:[十百千]?(?:万亿|万|亿)|[百千])?\s*(?:元整|圆整|元|圆)?)\s*(?:人民币|RMB|CNY)?\s*
        (?P<close>\))?""",
    re.VERBOSE | re.IGNORECASE,
)
_DASHES = str.maketrans({"\u2212": "-", "\u2013": "-"})
_POWERS = {"十": 10, "百": 100, "千": 1_000, "万": 10_000, "亿": 100_000_000}
_EXACT = Context(prec=4 * LONGEST, traps=[Inexact, InvalidOperation])
_QUANTUM = Decimal(1).scaleb(-SCALE)
PLAIN = r"-?[0-9]{1,14}(?:\.[0-9]{1,4})?"
PLAIN_WHOLE = r"-?[0-9]{1,18}"
"""Numbers that are what they look like, to everybody."""

_PLAIN = re.compile(PLAIN)
_PLAIN_WHOLE = re.compile(PLAIN_WHOLE)

_NO_NUMBER = Title("不是数字", "not a number")
_NUMBER_HINT = Title("如 1234.5、1,234.5 或 12.5万", "such as 1234.5, 1,234.5 or 12.5万")


def multiplier(unit: str) -> int:
    """What a unit multiplies by: 万元 → 10000, 百万 → 1000000; 1 for a word that multiplies nothing."""
    return prod(_POWERS.get(character, 1) for character in unit)


def parse_decimal(text: str, per: int = 1) -> Decimal:
    """The exact number in a folded text; parentheses make it negative, as in accounts.

    :param per: what the column's header multiplies by, such as 10000 for 金额(万元); a number that carries a
        unit of its own is not multiplied again.
    :raises CellError: where it is no number, or has over 4 decimals or over 14 digits before the point.
    """
    if per == 1 and _PLAIN.fullmatch(text):  # most cells; the general way gives the same, slower
        return Decimal(text).quantize(_QUANTUM) + 0
    value = _number(text, per)
    try:
        exact = _EXACT.quantize(value, _QUANTUM)
    except Inexact:
        raise CellError(
            Title("小数超过4位", "more than 4 decimals"),
            Title("请四舍五入到4位小数", "round it to 4 decimals in the file"),
        ) from None
    _check_digits(exact, WHOLE_DIGITS)
    return exact


def parse_integer(text: str, per: int = 1) -> int:
    """The whole number in a folded text; ``12.0`` and ``1.2万`` are whole.

    :param per: as in :func:`parse_decimal`.
    :raises CellError: where it is no whole number or has over 18 digits.
    """
    if per == 1 and _PLAIN_WHOLE.fullmatch(text):  # as above
        return int(text)
    value = _number(text, per)
    if value != value.to_integral_value(context=_EXACT_OR_NOT):
        raise CellError(
            Title("不是整数", "not a whole number"), Title("请填写整数", "a number without decimals")
        )
    _check_digits(value, INTEGER_DIGITS)
    return int(value)


_EXACT_OR_NOT = Context(prec=4 * LONGEST)


def _number(text: str, per: int) -> Decimal:
    found = _NUMBER.fullmatch(text.translate(_DASHES)) if len(text) <= LONGEST else None
    if found is None or bool(found["open"]) != bool(found["close"]):
        raise CellError(_NO_NUMBER, _NUMBER_HINT)
    signs = (found["open"] or "") + found["sign"] + found["inner"]
    if len(signs) > 1:
        raise CellError(_NO_NUMBER, _NUMBER_HINT)
    negative = signs in ("(", "-")
    times = multiplier(found["unit"]) if found["unit"].strip() else per
    value = _EXACT.multiply(Decimal(found["digits"].replace(",", "")), Decimal(-times if negative else times))
    return value or Decimal(0)


def _check_digits(value: Decimal, digits: int) -> None:
    if abs(value) >= Decimal(10) ** digits:
        raise CellError(
            Title(f"整数部分超过{digits}位", f"more than {digits} digits before the point"),
            Title("请核对数字和单位", "check the number and its unit"),
        )
