"""Pages of a listing: each ends with a cursor, from which the next one goes on."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from marshmallow import Schema, ValidationError, fields, validate

LARGEST_PAGE = 500
Item = TypeVar("Item")


class Cursor(fields.String):
    """The key of the last item of the page before: a number as it is, a text made fit for an address."""

    PATTERN = "^[A-Za-z0-9_-]+$"

    def __init__(self, **kwargs: Any) -> None:
        metadata = {"pattern": self.PATTERN, **kwargs.pop("metadata", {})}
        super().__init__(metadata=metadata, **kwargs)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        if value is None or isinstance(value, int):
            return None if value is None else str(value)
        return base64.urlsafe_b64encode(str(value).encode()).decode().rstrip("=")

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        try:
            text = base64.b64decode(str(value) + "=" * (-len(str(value)) % 4), b"-_", validate=True).decode()
        except (binascii.Error, ValueError):
            raise ValidationError("not a cursor of this service: pass `next` of the page before") from None
        if not text.isprintable():
            raise ValidationError("not a cursor of this service: pass `next` of the page before")
        return text


class NumberCursor(Cursor):
    """A cursor that is a number."""

    PATTERN = "^[0-9]{1,15}$"

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not re.fullmatch(self.PATTERN, str(value)):
            raise ValidationError("not a cursor of this listing: pass `next` of the page before")
        return int(value)


class PageQuery(Schema):
    """Which page of a listing is wanted."""

    cursor = Cursor(metadata={"description": "`next` of the page before"})
    limit = fields.Integer(
        load_default=100,
        validate=validate.Range(1, LARGEST_PAGE),
        metadata={"description": "The most items of a page"},
    )


class NumberedPageQuery(PageQuery):
    """Which page of a listing by number is wanted."""

    cursor = NumberCursor(metadata={"description": "`next` of the page before"})


def page_of(item: type[Schema], name: str) -> type[Schema]:
    """The schema of a page of items.

    :param name: what the items are called in the document.
    """
    return Schema.from_dict(
        {
            "items": fields.List(fields.Nested(item), required=True),
            "next": Cursor(
                required=True, allow_none=True, metadata={"description": "null: this is the last page"}
            ),
        },
        name=f"{name}Page",
    )


def page(
    fetch: Callable[[int], Sequence[Item]], query: dict[str, Any], key: Callable[[Item], object]
) -> dict[str, Any]:
    """A page of items, and the cursor of the next one.

    :param fetch: gives up to that many items from the query's cursor on.
    :param key: what the listing is ordered by.

    >>> rows = [{"id": number} for number in (1, 2, 3)]
    >>> page(lambda most: rows[:most], {"limit": 2}, key=lambda row: row["id"])
    {'items': [{'id': 1}, {'id': 2}], 'next': 2}
    """
    limit = query["limit"]
    items = fetch(limit + 1)
    return {"items": items[:limit], "next": key(items[limit - 1]) if len(items) > limit else None}
