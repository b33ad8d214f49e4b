"""Numbers of natural persons, which are neither kept nor shown, however they were typed.

Known by shape and date of birth (GB 11643-1999): the check digit may be mistyped, and which area codes there
were in which year is not ours to judge. A valid credit code is no such number where it begins as one does,
with an authority, a kind of body and a province (GB 32100-2015, tables 1 and 2; GB/T 2260). Numbers of most
residents do not, though the check character is right in one of 31. One of 15 digits is an old number where
the date fits and the last digit is not the check digit of a registration number, ISO 7064 MOD 11,10 (our own
choice, 自定).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

from stdnum.cn import uscc
from stdnum.iso7064 import mod_11_2, mod_11_10

from rules.calendar import add_months, today

NOT_KEPT = "［自然人证件号码，不予保存 a natural person's number, not kept］"
"""Stands where such a number stood."""

_BETWEEN = r"(?:[^\w|]|[_\u115f\u1160\u3164\uffa0])*"  # not the sign between the cells of a row
_X = "Xx×✕ХхΧχⅩⅹＸｘ"
_RUN = re.compile(rf"\d(?:{_BETWEEN}\d){{14}}|\d\.\d{{13}}")
"""What each shape has, and few texts: so many digits with no letter among them."""
_BEGINS = re.compile(r"(?<!\d)\d")
_SHAPES = (
    re.compile(rf"\d(?:{_BETWEEN}\d){{16}}{_BETWEEN}[\d{_X}](?!\d)"),
    re.compile(rf"\d(?:{_BETWEEN}\d){{14}}(?!\d)"),
    re.compile(r"\d\.\d{13,17}[Ee]\+?17(?!\d)"),  # as a program writes it that took it for a number
)
_JOINED = re.compile(rf"(?:\d{{17}}[\d{_X}]){{2,}}(?!\d)")
"""Numbers of several persons with nothing between them."""

_CODE_BEGINS = re.compile(
    "(?:[1-9]1|[15679]2|[1359]3|3[45]|[1-8]9)(?:1[0-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3])"
)
_SHORTEST, _LENGTH = 15, 18
_FIRST_YEAR = 1900
_LEAST_YEARS = 14
"""Who is younger is not punished (行政处罚法 art. 30): a number that says so may be an office's own, of its
area, the day and a serial number (own choice, 自定)."""


def has_person(text: str) -> bool:
    """Whether a text holds the number of a resident."""
    return next(_found(text), None) is not None


def has_surely(text: str) -> bool:
    """Whether a text holds a number that can hardly be another's: of 18 signs, with a right check digit, of
    somebody of an age to be in records. What offices number in their own way is held to these alone."""
    return any(_is_sure(number) for number, _, _ in _found(text))


def without_persons(text: str, is_sure: bool = False) -> str:
    """The text with :data:`NOT_KEPT` in the place of each resident's number.

    :param is_sure: only of those of :func:`has_surely`.
    """
    kept, end = "", 0
    for number, begins, ends in _found(text):
        if not is_sure or _is_sure(number):
            kept += text[end:begins] + NOT_KEPT
            end = ends
    return kept + text[end:]


def _found(text: str) -> Iterator[tuple[str, int, int]]:
    """Each resident's number in its one spelling, and where it stands."""
    end = 0 if _RUN.search(text) else len(text)
    while len(text) - end >= _SHORTEST and (first := _BEGINS.search(text, end)) is not None:
        begins, end = first.span()
        joined = [*_joined(text, begins)]
        if joined:
            yield from joined
            end = joined[-1][2]
            continue
        for found in filter(None, (shape.match(text, begins) for shape in _SHAPES)):
            number = _spelled(found[0])
            if _is_number(number):
                end = found.end()
                yield number, begins, end
                break


def _joined(text: str, begins: int) -> Iterator[tuple[str, int, int]]:
    """The numbers that stand together from a place on; none where one of them is no resident's."""
    run = _JOINED.match(text, begins)
    places = range(begins, run.end(), _LENGTH) if run is not None else ()
    numbers = [(_spelled(text[place : place + _LENGTH]), place, place + _LENGTH) for place in places]
    return iter(numbers if all(_is_number(number) for number, _, _ in numbers) else ())


def _spelled(typed: str) -> str:
    """The digits of a number, and X for whatever was typed for it."""
    mantissa = re.split("[Ee]", typed)[0]
    number = "".join(str(int(sign)) if sign.isdecimal() else "X" if sign in _X else "" for sign in mantissa)
    return number if mantissa == typed else number.ljust(_LENGTH, "0")


def _is_number(number: str) -> bool:
    if number[0] == "0":
        return False
    if len(number) == _SHORTEST:
        return _is_birth(f"19{number[6:12]}") and not mod_11_10.is_valid(number)
    return _is_birth(number[6:14]) and not (_CODE_BEGINS.match(number) and uscc.is_valid(number))


def _is_sure(number: str) -> bool:
    is_grown = _is_birth(number[6:14], add_months(today(), -12 * _LEAST_YEARS))
    return len(number) == _LENGTH and is_grown and mod_11_2.is_valid(number)


def _is_birth(day: str, latest: dt.date | None = None) -> bool:
    try:
        born = dt.date(int(day[:4]), int(day[4:6]), int(day[6:]))
    except ValueError:
        return False
    return born.year >= _FIRST_YEAR and born <= (latest or today())
