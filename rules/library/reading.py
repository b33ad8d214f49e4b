"""From a text to checked data, or to the complete list of its faults.

Two passes: the shape (marshmallow, :mod:`rules.text.shape`), then the meaning (:mod:`rules.meaning`): names,
types, conditions, references. Each pass reports everything that it finds.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from marshmallow import Schema, ValidationError

from rules.fault import Fault, PackError, UnknownPackError
from rules.meaning import build_pack, build_vocabulary
from rules.model import Pack, Vocabulary
from rules.nearest import one_of
from rules.text.shape import NO_SUCH_WORD, UNKNOWN_KEY, PackSchema, VocabularySchema
from rules.text.source import IN_QUOTES, Document, read, standing_at, unquoted
from rules.text.source import Path as FieldPath

MISSING_KEY = "this key is missing"
_SUCH_AS = {
    "pack": "pack: my-pack",
    "version": 'version: "1"',
    "title": "title: {zh: 评价, en: A grading}",
    "subject": "subject: enterprise",
    "in_force": "in_force: {from: 2027-01-01}",
    "from": "from: 2027-01-01",
    "score": "score: {start: 80, min: 0, max: 100}",
    "dimensions": "dimensions: [{id: compliance, title: {zh: 守法合规, en: Compliance}}]",
    "grades": "grades: [{tier: A, title: {zh: 优, en: Excellent}, from: 90}, {tier: B, …, from: 0}]",
    "id": "id: penalty.general",
    "when": "when: kind = 'penalty'",
    "points": "points: -4",
    "basis": "basis: own-choice",
    "tier": "tier: D",
    "as_of": "as_of: 2027-01-01",
}
"""A key that is missing → how it can be written."""

_PLAIN = {
    "Missing data for required field.": (MISSING_KEY, "add it"),
    "Field may not be null.": ("no value", "a value, or no key at all"),
    "Not a valid list.": ("not a list", "[…], or lines that begin with '-'"),
    "Not a valid mapping type.": ("not a mapping", "keys and values"),
    "Not a valid string.": ("not a text", "a text"),
    "Invalid input type.": ("not a mapping", "keys and values"),
    "Shorter than minimum length 1.": ("an empty list", "at least one entry"),
}
_NUMBERS = ("not a number", "not a number of points", "not a share", "not a whole number in range")
_WITHOUT_QUOTES: dict[str, tuple[type, ...]] = {
    "not a date": (dt.date,),
    "neither true nor false": (bool,),
    **dict.fromkeys(_NUMBERS, (int, Decimal)),
}
"""What a text in quotes may have been meant to be, by what is said of it."""


def pack_in(text: str, file: str, shared: Callable[[str], Vocabulary]) -> Pack:
    """The pack in a text.

    :param file: the name that faults are reported under.
    :param shared: gives the shared vocabulary of a name, or raises :class:`UnknownPackError`.
    :raises PackError: with every fault found.
    """
    document = read(text, file)
    data = shape(document, PackSchema())
    named = data["subject"]
    if isinstance(named, Mapping):
        return build_pack(document, data, build_vocabulary(document, named, ("subject",)))
    try:
        return build_pack(document, data, shared(named))
    except UnknownPackError as error:
        raise PackError(
            [document.fault(("subject",), named, str(error), "one of these, or one in place")]
        ) from None


def vocabulary_in(text: str, file: str) -> Vocabulary:
    """The vocabulary in a text.

    :raises PackError: with every fault found.
    """
    document = read(text, file)
    return build_vocabulary(document, shape(document, VocabularySchema()), ())


def shape(document: Document, schema: Schema) -> dict[str, Any]:
    """A document's data as the schema makes it.

    :raises PackError: with every fault found.
    """
    try:
        loaded: dict[str, Any] = schema.load(document.data)
        return loaded
    except ValidationError as error:
        raise PackError(list(_faults(document, error.messages, ()))) from None


def _faults(document: Document, errors: Any, path: FieldPath) -> Iterable[Fault]:
    """Marshmallow's tree of messages as faults with places."""
    if isinstance(errors, str):
        message, _, hint = errors.partition("\0")
        message, hint = _PLAIN.get(message, (message, hint))
        at = (*path, "?") if message == UNKNOWN_KEY else path
        value = _value(document.data, at)
        text = "" if value is None or isinstance(value, dict | list) else str(value)
        said = _slip(document, at, value, message) or (message, _right(path, text, message, hint))
        yield document.fault(at, text, *said)
    elif isinstance(errors, Mapping):
        for key, inner in errors.items():
            yield from _faults(document, inner, _step(document, path, key, inner))
    else:
        for inner in errors:
            yield from _faults(document, inner, path)


def _slip(document: Document, path: FieldPath, value: object, message: str) -> tuple[str, str] | None:
    """What went wrong before the shape did: a comma or quotes that YAML takes otherwise than people do."""
    around = path[:-2] if message == UNKNOWN_KEY else path
    if cut := document.cut_short(around):
        return cut
    if isinstance(value, str) and type(unquoted(value)) in _WITHOUT_QUOTES.get(message, ()):
        return IN_QUOTES, f"{value}, without quotes"
    return None


def _right(path: FieldPath, text: str, message: str, hint: str) -> str:
    if message == MISSING_KEY:
        example = _SUCH_AS.get(str(path[-1])) if path else None
        return f"add it, such as {example}" if example else hint
    return one_of(text, hint.split(", ")) if message in (UNKNOWN_KEY, NO_SUCH_WORD) else hint


def _step(document: Document, path: FieldPath, key: str | int, inner: Any) -> FieldPath:
    """Marshmallow puts in ``_schema``, and in a mapping ``key`` or ``value``: no steps of the document.

    What is faulty further in is not below a ``value`` that is itself a plain one, such as a measure's.
    """
    if key == "key" and (*path, "?") in document.spots:
        return (*path, "?")
    if key == "_schema" or (key in ("key", "value") and (*path, key) not in document.spots):
        return path
    if key == "value" and isinstance(inner, Mapping):
        return (*path, key) if isinstance(standing_at(document.data, (*path, key)), dict | list) else path
    return (*path, key)


def _value(data: Any, path: FieldPath) -> Any:
    """What stands at a path; of a key's path the key; None where nothing stands."""
    if path and path[-1] == "?":
        return path[-2]
    return standing_at(data, path)
