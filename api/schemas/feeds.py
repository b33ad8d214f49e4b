"""Quality of feeds, by office."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from api.http.export import MEDIA_TYPES
from api.http.fields import Day
from api.http.paging import PageQuery, page_of

_BODY = "An office by any of its names; of a department's key always its own"


class FeedsQuery(PageQuery):
    """Of which offices, and from which day to which."""

    body = fields.String(validate=validate.Length(max=200), metadata={"description": _BODY})
    since = Day(metadata={"description": "The first day; by default a year before the last"})
    on = Day(metadata={"description": "The last day; by default today"})


class FeedRowsQuery(Schema):
    """Of which office, from which day to which, and how."""

    body = fields.String(
        validate=validate.Length(max=200),
        metadata={"description": f"{_BODY}; empty (the default): rows that say nobody's"},
    )
    since = Day(metadata={"description": "The first day; by default a year before the last"})
    on = Day(metadata={"description": "The last day; by default today"})
    format = fields.String(load_default="ndjson", validate=validate.OneOf(tuple(MEDIA_TYPES)))


class FeedSchema(Schema):
    """What an office sent, in rows, and whether it has fallen silent."""

    body = fields.String(
        required=True, allow_none=True, metadata={"description": "Its number; null: in no register"}
    )
    name = fields.String(required=True, metadata={"description": "Empty for rows that say nobody's"})
    files = fields.Integer(
        required=True, metadata={"description": "Files and requests with such rows of its"}
    )
    sent = fields.Integer(
        required=True, metadata={"description": "Rows; what is sent again, and says nothing new, is none"}
    )
    right = fields.Integer(
        required=True,
        metadata={"description": "sent less refused, late (but not backlog), corrected and contradicted"},
    )
    share = fields.Float(
        required=True,
        allow_none=True,
        metadata={"description": "right of sent in per cent, rounded down; null where none was sent"},
    )
    refused = fields.Integer(required=True, metadata={"description": "In the quarantine for an error"})
    late = fields.Integer(
        required=True, metadata={"description": "Came more than 7 working days after the decision"}
    )
    backlog = fields.Integer(
        required=True, metadata={"description": "Of the late ones: decided before its first file came"}
    )
    corrected = fields.Integer(
        required=True, metadata={"description": "Rows that say another value than an earlier row"}
    )
    contradicted = fields.Integer(
        required=True, metadata={"description": "Rows against a decision, an objection or a repair made here"}
    )
    last_on = fields.Date(required=True, allow_none=True, metadata={"description": "When rows came last"})
    usual_days = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "The median of the days between two comings; null: too few to say"},
    )
    expected_by = fields.Date(required=True, allow_none=True)
    is_silent = fields.Boolean(required=True, metadata={"description": "It has been silent beyond that day"})


FeedPage = page_of(FeedSchema, "Feed")
