"""Quality of feeds: what offices sent, and what they have to put right. A department sees its own alone."""

from __future__ import annotations

from typing import Any

from flask import Response, stream_with_context

from api.around import journal
from api.around.auth import own_data, while_it_works
from api.around.context import store
from api.http.export import MEDIA_TYPES, encoded
from api.http.openapi import Blueprint
from api.http.paging import page
from api.schemas.feeds import FeedPage, FeedRowsQuery, FeedsQuery
from rules.calendar import today
from scoring.facts.feeds import FAULT_SCHEMA, fault_batches, feed_faults, office_feeds, usual_since

blueprint = Blueprint("feeds", __name__, url_prefix="/v1/feeds", description="How good offices' files are")


@blueprint.get("")
@blueprint.query(FeedsQuery)
@blueprint.answers(200, FeedPage)
def list_feeds(query: dict[str, Any]) -> dict[str, Any]:
    """What each office sent, by its name: rows right, refused, late, corrected and contradicted.

    An office that has been silent for longer than twice its usual gap, and at least a week beyond it, is so
    marked.
    """
    on = query.get("on") or today()
    own = own_data()
    found = office_feeds(
        store(), query.get("since") or usual_since(on), on, query.get("body") if own is None else own
    )
    after = query.get("cursor")
    rest = [feed for feed in found if after is None or feed.key > after]
    return page(lambda limit: rest[:limit], query, lambda feed: feed.key)


@blueprint.get("/rows")
@blueprint.query(FeedRowsQuery)
@blueprint.answers(200, {"type": "string"}, content_type=MEDIA_TYPES["ndjson"])
@blueprint.answers(200, {"type": "string"}, content_type=MEDIA_TYPES["csv"])
@blueprint.answers(200, {"type": "string", "format": "binary"}, content_type=MEDIA_TYPES["parquet"])
def export_rows(query: dict[str, Any]) -> Response:
    """Each row of an office that is refused, late, corrected later or contradicted, with its place and what
    would be right, as a stream.
    """
    on, form, own = query.get("on") or today(), query["format"], own_data()
    body = own if own is not None else query.get("body", "")
    journal.detail(body=body)
    faults = feed_faults(store(), query.get("since") or usual_since(on), on, body)
    return Response(
        stream_with_context(while_it_works(encoded(fault_batches(faults), FAULT_SCHEMA, form))),
        content_type=MEDIA_TYPES[form],
        headers={"Content-Disposition": f"attachment; filename=feed-rows.{form}"},
    )
