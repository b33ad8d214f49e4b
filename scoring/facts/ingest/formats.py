"""What a number format makes of the number in a cell: a date, digits with zeros before them, or itself."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format
from openpyxl.utils.datetime import from_excel

from scoring.facts.ingest.folding import Cell, Dayless, Shown, Yearless, as_text

Number = int | float
Show = Callable[[Number], Cell]

_CHINESE_DATES = frozenset({*range(27, 37), *range(50, 59)})
"""Numbers of formats that a Chinese spreadsheet does not spell out (ECMA-376 part 1, 18.8.30)."""

_YEARLESS = frozenset({28, 29, 51, 53, 54, 58})
"""Those of them that show the month and the day alone."""

_DAYLESS = frozenset({27, 36, 50, 52, 57})
"""Those that show the year and the month alone."""

_UNSEEN = re.compile(r"\[(?![<>=])[^\]]*\]|_.|\*.")
_YEAR = re.compile("[yYeE年]")
_DAY = re.compile("[dD日hHsS时]")
_DIVIDED = re.compile(r'[0#?],+(?![0#?,])|[!\\]\.|"\."')
"""A format that shows fewer thousands, or a point within the digits: the number itself is as it is meant, for
what a header multiplies by is taken out of what is shown already."""

_ONES = "元"

_LAST_PLACE = re.compile(r".*(?:General|G/通用格式|[0#?])")
_UNIT = re.compile(r"\s*(?P<unit>(?:[十百千]?(?:万亿|万|亿)|[百千](?=元))元?|[元圆])")
_PIECE = re.compile(r'"(?P<quoted>[^"]*)"|\\(?P<one>.)|(?P<place>General|[0#?])|(?P<sign>[-/ ()+:$¥])')


def show(code: str | None, number: int, epoch: dt.datetime) -> Show:
    """A function from a number to what its cell shows, where that is more than the number.

    :param code: of the format, None for a built-in one.
    :param number: of the format.
    :param epoch: the day from which the workbook counts.
    """
    code = code or BUILTIN_FORMATS.get(number, "General")
    if number in _CHINESE_DATES or is_date_format(code):
        is_known, seen = number in _CHINESE_DATES, _UNSEEN.sub("", code)
        is_yearless = number in _YEARLESS if is_known else not _YEAR.search(seen)
        is_dayless = number in _DAYLESS if is_known else not _DAY.search(seen)
        return lambda value: _date(value, code, epoch, is_yearless, is_dayless)
    pieces = _pieces(code)
    shown: Show = (lambda value: _digits(value, pieces)) if pieces else _plain
    unit = _unit(code)
    return (lambda value: _with_unit(value, shown(value), unit)) if unit else shown


def _plain(value: Number) -> Cell:
    return value


def _date(value: Number, code: str, epoch: dt.datetime, is_yearless: bool, is_dayless: bool) -> Cell:
    try:
        found: Cell = from_excel(value, epoch, timedelta=is_timedelta_format(code))
    except (OverflowError, ValueError):
        return value
    if not isinstance(found, dt.datetime):
        return found
    is_first = is_dayless and found.day == 1 and found.time() == dt.time()
    kind = Yearless if is_yearless else Dayless if is_first else dt.datetime
    return kind.combine(found, found.time())


def _unit(code: str) -> str:
    """The unit behind the digits in which they count, whatever the header says: 万元 of 0.00"万元"."""
    section = _UNSEEN.sub("", code.split(";")[0])
    behind = re.sub(r'["!\\]', "", _LAST_PLACE.sub("", section, count=1))
    found = _UNIT.match(behind)
    return _ONES if _DIVIDED.search(section) else found["unit"] if found else ""


def _with_unit(value: Number, shown: Cell, unit: str) -> Cell:
    amount = f"{as_text(value)}{unit}"
    return Shown(value, shown.text if isinstance(shown, Shown) else amount, amount)


def _pieces(code: str) -> list[re.Match[str]]:
    """The words and places of digits of a format that has nothing else, and shows more than the digits."""
    section = _UNSEEN.sub("", code.split(";")[0])
    found = list(_PIECE.finditer(section))
    if "".join(piece[0] for piece in found) != section:
        return []
    places = [piece["place"] for piece in found if piece["place"]]
    return found if places and (places.count("0") > 1 or len(places) < len(found)) else []


def _digits(value: Number, pieces: list[re.Match[str]]) -> Cell:
    """A whole number with its digits in their places, the first of which takes all that are left."""
    if value < 0 or value != int(value):
        return value
    places = [piece["place"] for piece in pieces if piece["place"]]
    least = len(places) - places.index("0") if "0" in places else 1
    digits, left, shown = str(int(value)).zfill(least), len(places), ""
    for piece in reversed(pieces):
        if not piece["place"]:
            shown = (piece["quoted"] or piece["one"] or piece["sign"] or "") + shown
            continue
        left -= 1
        taken = digits[-1:] if left else digits
        digits, shown = digits[: len(digits) - len(taken)], taken + shown
    return Shown(value, shown.strip())
