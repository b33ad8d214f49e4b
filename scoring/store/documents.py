"""A row of a vocabulary as canonical JSON, and back as typed columns.

The document of a row is one JSON object: the known columns alone, by name in alphabetical order, without
spaces. Texts and dates (``2026-01-31``) are strings, integers numbers, decimals strings with four decimals
(``"12.5000"``), booleans ``true`` or ``false``. Key columns are in it as well. Two rows are the same if
their documents are.

The document of a row that arrives may also hold ``null``: what is known of the column is to be cleared. A
column that is not in it stays as it is. Under :data:`PROPOSED` it may name columns that the row does not say
itself: what is known of them stays.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from rules.exact import EXACT
from rules.model import Column, Table

PROPOSED = "?"
"""In the document of an arriving row: the columns, with spaces between, that hold where nothing is known."""

_PLACES = Decimal("0.0001")


def encode(values: Mapping[str, Any], cleared: Iterable[str] = ()) -> str:
    """The document of a row.

    :param values: column → str, int, Decimal, date, bool or None (unknown).
    :param cleared: the columns that an arriving row clears.
    :raises ValueError: on a decimal with more than four decimals.

    >>> from decimal import Decimal
    >>> encode({"name": "临江餐馆", "seats": 40, "score": Decimal("4.5"), "town": None})
    '{"name":"临江餐馆","score":"4.5000","seats":40}'
    """
    known = {name: _plain(name, value) for name, value in values.items() if value is not None}
    return canonical(dict.fromkeys(cleared) | known)


def canonical(known: Mapping[str, Any]) -> str:
    """The document of values that are plain already, as :func:`json.loads` gives them."""
    return _canonical(known)


_canonical = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


def split(document: str) -> tuple[str, list[str], list[str]]:
    """The document of an arriving row alone, the columns that it clears, and those that it proposes."""
    if ":null" not in document and _PROPOSED not in document:
        return document, [], []
    said = json.loads(document)
    proposed = said.pop(PROPOSED, None) or ""
    known = {name: value for name, value in said.items() if value is not None}
    return canonical(known), sorted(said.keys() - known.keys()), proposed.split()


_PROPOSED = f'"{PROPOSED}":'  # no text of a document holds it: its quotation marks are escaped


def decode(document: str, table: Table) -> dict[str, Any]:
    """The values of a document by column: None where unknown, in the vocabulary's order and types.

    >>> from rules.library.loader import load_vocabulary
    >>> found = decode('{"seats":40,"established_on":"2021-03-15"}', load_vocabulary("tourism").subject)
    >>> found["seats"], found["established_on"], found["town"]
    (40, datetime.date(2021, 3, 15), None)
    """
    known: dict[str, Any] = json.loads(document)
    return {name: _typed(known.get(name), column) for name, column in table.columns.items()}


def content_hash(document: str) -> str:
    """SHA-256 (hex) of a document."""
    return hashlib.sha256(document.encode()).hexdigest()


def _plain(name: str, value: Any) -> str | int | bool:
    if isinstance(value, Decimal):
        fixed = EXACT.quantize(value, _PLACES)
        if fixed != value:
            raise ValueError(f"{name}: {value} has more than four decimals")
        return str(fixed)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, str | int):
        return value
    raise TypeError(f"{name}: {type(value).__name__} is not a type of the rule language")


def _typed(value: Any, column: Column) -> Any:
    if value is None:
        return None
    match column.declared:
        case "decimal":
            return Decimal(value)
        case "date":
            return dt.date.fromisoformat(value)
        case _:
            return value
