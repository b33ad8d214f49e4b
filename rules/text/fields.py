"""The values of a pack, as marshmallow fields: text that is not one is refused with what would be right."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from marshmallow import ValidationError, fields

from rules.calendar import day_of
from rules.language.parse import is_plain_name
from rules.model import OWN_CHOICE, Citation, Dated, Title

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,79}")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_CODE_PATTERN = re.compile(r"[0-9A-Z?]{18}")
RESERVED = frozenset({"as_of", "date", "interval", "rowid"})
FOREVER_AGO = dt.date.min
_MOST_POINTS = 1_000_000


def complaint(message: str, hint: str) -> ValidationError:
    """An error in two parts; the loader puts the place before it."""
    return ValidationError(f"{message}\0{hint}")


class Identifier(fields.String):
    """The id of a part of the pack."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        if not isinstance(text, str) or not _IDENTIFIER.fullmatch(text):
            raise complaint("not an id", "letters, digits, '.', '-', '_', a letter first, at most 80")
        return text


class ColumnName(fields.String):
    """A name that conditions can use."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str) or not _NAME.fullmatch(value):
            raise complaint("not a name for conditions", "small letters, digits, '_', a letter first")
        if value in RESERVED or not is_plain_name(value):
            raise complaint("a word of SQL's own", f"another name, such as its_{value}")
        return value


class Text(fields.String):
    """A text; a number or a date written without quotes is no text."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str) or not value.strip():
            raise complaint("a text is needed here", "a text, in quotes if it looks like a number or a date")
        return value


class Date(fields.Field[dt.date]):
    """A calendar date, 2026-01-31."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dt.date:
        if not isinstance(value, dt.date):
            raise complaint("not a date", "a date such as 2026-01-31")
        return value


class Flag(fields.Field[bool]):
    """``true`` or ``false``."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise complaint("neither true nor false", "true or false")
        return value


class Count(fields.Field[int]):
    """A whole number from ``least`` to ``most``."""

    def __init__(self, least: int = 1, most: int = 12_000, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.least, self.most = least, most

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not self.least <= value <= self.most:
            raise complaint("not a whole number in range", f"a whole number from {self.least} to {self.most}")
        return value


class Number(fields.Field[Decimal]):
    """A number."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Decimal:
        if not is_number(value):
            raise complaint("not a number", "a number such as 0 or 12.5")
        return Decimal(value)


class CodePattern(fields.Field[str]):
    """The form of a credit code: 18 characters, ``?`` for any."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str) or not _CODE_PATTERN.fullmatch(value):
            raise complaint("not the form of a code", "18 digits, capital letters and ?: 9135????M000??????")
        return value


class Share(fields.Field[Decimal]):
    """A share from 0 to 1."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Decimal:
        if not is_number(value) or not 0 <= value <= 1:
            raise complaint("not a share", "a number from 0 to 1, such as 0.05")
        return Decimal(value)


class Fractional(fields.Field[Fraction]):
    """A share from 0 to 1, as an exact fraction."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Fraction:
        if not is_number(value) or not 0 <= value <= 1:
            raise complaint("not a share", "a number from 0 to 1, such as 0.5")
        return Fraction(value)


class Points(fields.Field[int]):
    """Points with at most two decimals, as integer hundredths."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        return hundredths(value)


class DatedPoints(fields.Field[Dated]):
    """Points, or a mapping from the date on which each value comes into force to the value."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Dated:
        return dated_points(value)


class TitleField(fields.Field[Title]):
    """``{zh, en}``, or one text for both."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Title:
        if isinstance(value, str) and value.strip():
            return Title(value, value)
        if isinstance(value, Mapping) and value.get("zh") and set(value) <= {"zh", "en"}:
            zh, en = value["zh"], value.get("en", value["zh"])
            if isinstance(zh, str) and isinstance(en, str):
                return Title(zh, en)
        raise complaint("not a title", "{zh: 中文, en: English}, or one text")


class CitationField(fields.Field[tuple[Citation, ...]]):
    """``own-choice``, a basis of the pack with an article (``gbf-2019-35 §9``), or a list of such."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> tuple[Citation, ...]:
        items = value if isinstance(value, list) else [value]
        if not items or not all(isinstance(item, str) and item.strip() for item in items):
            raise complaint(
                "not a basis", f"{OWN_CHOICE}, or the id of a basis and an article: gbf-2019-35 §9"
            )
        return tuple(Citation(*_split(item)) for item in items)


def _split(text: str) -> tuple[str, str]:
    head, _, rest = text.strip().partition(" ")
    return head, rest.strip()


def is_number(value: Any) -> bool:
    """Whether a YAML value is an exact number."""
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def hundredths(value: Any) -> int:
    """A number of points as integer hundredths.

    :raises ValidationError: on what is not a number, has more than two decimals or is out of range.
    """
    if not is_number(value):
        raise complaint("not a number of points", "a number such as -4 or 2.5")
    scaled = Fraction(value) * 100
    if scaled.denominator != 1:
        raise complaint("more than two decimals", "points in hundredths at the finest")
    if abs(scaled) > _MOST_POINTS * 100:
        raise complaint("out of range", f"at most {_MOST_POINTS:,} points")
    return int(scaled)


def dated_points(value: Any) -> Dated:
    """A number of points, or values by date, as :class:`Dated`.

    :raises ValidationError: on anything else.
    """
    if not isinstance(value, Mapping):
        return Dated(((FOREVER_AGO, hundredths(value)),))
    steps = []
    for key, points in value.items():
        try:
            day = day_of(key)
        except ValueError:
            raise complaint(f"'{key}' is not a date", "values by date: {2026-01-01: -4}") from None
        steps.append((day, None if points is None else hundredths(points)))
    if not steps:
        raise complaint("no value at all", "values by date: {2026-01-01: -4}")
    return Dated(tuple(sorted(steps, key=lambda step: step[0])))
