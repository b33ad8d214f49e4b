"""Fields that schemas share."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from flask import has_request_context
from flask.json.provider import DefaultJSONProvider
from marshmallow import ValidationError, fields, validate

from api.around.request import current
from api.http.messages import in_language
from rules.calendar import day_of
from rules.exact import EXACT
from rules.model import Title
from rules.titles import halves_of_old
from scoring.access.keys import Role
from scoring.characters.persons import has_surely
from scoring.characters.visible import FILLERS
from scoring.facts.ingest.keys import ENTERPRISES, LONGEST_KEY, doubt_of_key


class Points(fields.Field[int]):
    """Integer hundredths inside, points with two decimals outside.

    >>> Points().serialize("score", {"score": 7950}), Points().deserialize("79.5")
    (79.5, 7950)
    """

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> float | None:
        return None if value is None else value / 100

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        try:
            hundredths = EXACT.multiply(Decimal(str(value)), 100)
        except ArithmeticError:
            raise ValidationError("Not a valid number.") from None
        if not hundredths.is_finite() or abs(hundredths) > 10**12 or hundredths != int(hundredths):
            raise ValidationError("Not a number of points with at most two decimals.")
        return int(hundredths)


class WholeNumber(fields.Integer):
    """A number without a fraction: one with a fraction is refused, not cut off.

    >>> WholeNumber().deserialize(3.0)
    3
    >>> WholeNumber().deserialize(1.5)
    Traceback (most recent call last):
    ...
    marshmallow.exceptions.ValidationError: Not a valid integer.
    """

    def _validated(self, value: Any) -> int:
        if isinstance(value, float) and not value.is_integer():
            raise self.make_error("invalid", input=value)
        return super()._validated(value)


class Whole(validate.Regexp):
    """Every sign of a text is of a form, where ``$`` alone lets a line's end follow.

    :param error: what is said of another text, and what would be right.
    """

    def __init__(self, regex: str, error: str) -> None:
        super().__init__(regex, error=error)

    def __call__(self, value: Any) -> Any:
        if self.regex.fullmatch(value) is None:
            raise ValidationError(self._format_error(value))
        return value


MONTH = r"^20[0-9]{2}-(0[1-9]|1[0-2])$"


class Month(fields.String):
    """A month that comes in, as YYYY-MM.

    :param pattern: those that there can be.
    """

    def __init__(self, pattern: str = MONTH, **kwargs: Any) -> None:
        super().__init__(validate=Whole(pattern, "Not a month: YYYY-MM, such as 2026-08."), **kwargs)


class Day(fields.Date):
    """A date that comes in, as YYYY-MM-DD and in no other of ISO's forms."""

    default_error_messages = {"invalid": "Not a valid date: YYYY-MM-DD, such as 2026-07-31."}  # noqa: RUF012
    DESERIALIZATION_FUNCS = {"iso": day_of}  # noqa: RUF012


class Moment(fields.AwareDateTime):
    """A moment that comes in with its offset from UTC, its date as of :class:`Day`."""

    @staticmethod
    def _moment(text: str) -> dt.datetime:
        day_of(text[:10])
        return dt.datetime.fromisoformat(text)

    DESERIALIZATION_FUNCS = {"iso": _moment}  # noqa: RUF012


_NOT_SHOWN = (
    r"\u0000-\u001f\u007f-\u00a0\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u1680\u180e"
    r"\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ue000-\uf8ff\ufdd0-\ufdef\ufeff\ufff9-\ufffb\ufffe\uffff"
)
"""Controls, marks of direction, private characters, what is no character, and all spaces but one."""
_RARELY_NOT_SHOWN = (
    r"\U000110bd\U000110cd\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    rf"\U000e0001-\U000e007f\U000f0000-\U0010ffff{FILLERS}"
)
"""The same beyond the first plane, where a pattern that many programs are to read can't have ranges; and
fillers, which are letters that nobody sees."""

PRINTABLE = f"^[^{_NOT_SHOWN}]*[^{_NOT_SHOWN} ][^{_NOT_SHOWN}]*$"
"""What :class:`Text` takes, as the document says it: a text with something to see and nothing hidden."""
_HIDDEN = "Control characters are not allowed."
_PERSON = "A natural person's number is not kept here: leave it out."
_is_shown = Whole(f"^[^{_RARELY_NOT_SHOWN}]*$", _HIDDEN)


def _shown(text: str) -> str:
    """A validator of which the document does not speak."""
    return str(_is_shown(text))


def _of_nobody(text: str) -> str:
    """A validator of which the document does not speak: who sends a resident's number can leave it out."""
    if has_surely(text):
        raise ValidationError(_PERSON)
    return text


class Text(fields.String):
    """A text without control characters, not empty, and without the number of a natural person."""

    def __init__(self, longest: int = 200, **kwargs: Any) -> None:
        checks: list[Callable[[Any], Any]] = [
            validate.Length(1, longest),
            Whole(PRINTABLE, _HIDDEN),
            _shown,
            _of_nobody,
        ]
        super().__init__(validate=checks, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        return str(super()._deserialize(value, attr, data, **kwargs)).strip(" ")


class EnterpriseCode(Text):
    """The unified social credit code of an enterprise: what can be nobody's is refused with the reason."""

    def __init__(self, **kwargs: Any) -> None:
        metadata = {"description": "Unified social credit code (统一社会信用代码)"}
        super().__init__(longest=LONGEST_KEY, metadata=metadata, **kwargs)
        self.validators.append(_is_code)


def _is_code(text: str) -> None:
    doubt = doubt_of_key(ENTERPRISES, text)
    if doubt is not None:
        raise ValidationError([doubt])


class InLanguage(fields.String):
    """A :class:`Title` in the language that is asked for."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else in_language(value)


class Halves(InLanguage):
    """What the program has kept in both languages, in the one that is asked for.

    :param read: makes a title of it; of what may have been typed :func:`rules.titles.halves`.
    """

    def __init__(self, read: Callable[[str], Title] = halves_of_old, **kwargs: Any) -> None:
        self._read = read
        super().__init__(required=True, **kwargs)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return super()._serialize(value and self._read(value), attr, obj, **kwargs)


class By(fields.String):
    """Who did something: the prefix of a key, or a name. Those who are graded are not told who at an office
    or a lender it was, and read their own prefix alone."""

    def __init__(self, **kwargs: Any) -> None:
        said = {"description": "Prefix of a key, or a name; null for a subject's key where it is not its own"}
        super().__init__(required=True, allow_none=True, metadata=said, **kwargs)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        key = current().key if has_request_context() else None
        if key is not None and key.role is Role.SUBJECT and value != key.prefix:
            return None
        return super()._serialize(value, attr, obj, **kwargs)


class TitleField(fields.Field[Title]):
    """What people read, in Chinese and English."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> dict[str, str] | None:
        return None if value is None else {"zh": value.zh, "en": value.en}


class Values(fields.Field[Any]):
    """A vocabulary's columns and their values; decimals as texts, for they are exact."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> dict[str, Any] | None:
        return None if value is None else {name: plain(inner) for name, inner in value.items()}


class JSONProvider(DefaultJSONProvider):
    """Flask's JSON, with dates as ISO texts, Chinese as it is, and keys in their own order."""

    ensure_ascii = False
    sort_keys = False
    compact = True

    @staticmethod
    def default(value: Any) -> Any:
        """What JSON has no form for."""
        return plain(value) if isinstance(value, dt.date | Decimal) else DefaultJSONProvider.default(value)


def plain(value: Any) -> Any:
    """A value of the rule language as JSON has it.

    >>> from datetime import date
    >>> from decimal import Decimal
    >>> plain(Decimal("4.50")), plain(date(2026, 8, 31))
    ('4.50', '2026-08-31')
    """
    if isinstance(value, dt.date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def register(api: Any) -> None:
    """Say in the document what these fields look like."""
    api.register_field(Points, "number", None)
    api.register_field(TitleField, "object", None)
    api.register_field(Values, "object", None)
