"""Numbers of natural persons, which are neither kept nor shown, however they were typed.

Known by shape and date of birth (GB 11643-1999): the check digit may be mistyped, and which area codes there
were in which year is not ours to judge. A valid credit code is no such number. One of 15 digits is an old one
where the date fits and the last digit is not the check digit of a registration number,
ISO 7064 MOD 11,10 (our own choice, 自定).
"""

from __future__ import annotations

import datetime as dt
import re

from stdnum.cn import uscc
from stdnum.iso7064 import mod_11_10

from rules.calendar import today

NOT_KEPT = "［自然人证件号码，不予保存 a natural person's number, not kept］"
"""Stands where such a number stood."""

_BETWEEN = r"[\s\-\u00ad\u200b-\u200d\u2060\ufeff]*"
_WIDE = {code: code - 0xFEE0 for code in (*range(0xFF10, 0xFF1A), 0xFF38, 0xFF58, 0xFF0D)}
_SHAPE = re.compile(
    rf"(?<![0-9])[1-9](?:{_BETWEEN}[0-9]){{16}}{_BETWEEN}[0-9Xx](?![0-9])"
    rf"|(?<![0-9])[1-9](?:{_BETWEEN}[0-9]){{14}}(?![0-9])"
)
_SHORTEST = 15
_FIRST_YEAR = 1900


def is_person(text: str) -> bool:
    """Whether a text is the number of a resident, and nothing else."""
    found = _SHAPE.fullmatch(text.translate(_WIDE).strip())
    return found is not None and _is_number(found[0])


def without_persons(text: str) -> str:
    """The text with :data:`NOT_KEPT` in the place of each resident's number."""
    if len(text) < _SHORTEST:
        return text
    kept, end = "", 0
    for found in _SHAPE.finditer(text.translate(_WIDE)):
        if _is_number(found[0]):
            kept += text[end : found.start()] + NOT_KEPT
            end = found.end()
    return kept + text[end:]


def _is_number(typed: str) -> bool:
    number = "".join(sign for sign in typed.upper() if sign.isalnum())
    if len(number) == _SHORTEST:
        return _is_birth(f"19{number[6:12]}") and not mod_11_10.is_valid(number)
    return _is_birth(number[6:14]) and not uscc.is_valid(number)


def _is_birth(day: str) -> bool:
    try:
        born = dt.date(int(day[:4]), int(day[4:6]), int(day[6:]))
    except ValueError:
        return False
    return born.year >= _FIRST_YEAR and born <= today()
