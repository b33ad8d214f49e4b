"""Quality of feeds: numbers by office, and the file of rows that an office has to put right."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pyarrow as pa
from flask import Response as FlaskResponse
from flask import request, stream_with_context
from werkzeug.wrappers import Response

from api.around import journal
from api.around.auth import own_data, while_it_works
from api.around.context import store
from api.http.export import MEDIA_TYPES, encoded
from api.http.problems import fail
from api.pages.blueprint import blueprint, page
from rules.calendar import day_of, today
from rules.model import Title
from scoring.facts.feeds import (
    FAULT_HEADINGS,
    FAULT_SCHEMA,
    KINDS,
    FeedFault,
    fault_batches,
    feed_faults,
    office_feeds,
    usual_since,
)

MARK = "\ufeff".encode()
"""By which spreadsheets see that a file is UTF-8."""


@blueprint.get("/feeds")
def feeds() -> Response:
    """What each office sent since a day; a department sees its own alone."""
    since = since_asked()
    found = office_feeds(store(), since, today(), own_data())
    return page("feeds", feeds=found, since=since, silent=[feed for feed in found if feed.is_silent])


@blueprint.get("/feeds/rows.csv")
def feed_rows() -> Response:
    """The rows of an office that are wrong, late or contradicted, for a spreadsheet."""
    own, since = own_data(), since_asked()
    body = own if own is not None else request.args.get("body", "")
    journal.detail(body=body)
    faults = feed_faults(store(), since, today(), body)
    return FlaskResponse(
        stream_with_context(while_it_works(_marked(encoded(_titled(faults), _HEADED, "csv")))),
        content_type=MEDIA_TYPES["csv"],
        headers={"Content-Disposition": "attachment; filename=feed-rows.csv"},
    )


_HEADED = pa.schema([pa.field(FAULT_HEADINGS[field.name], field.type) for field in FAULT_SCHEMA])


def _titled(faults: Iterator[FeedFault]) -> Iterator[pa.RecordBatch]:
    """The rows under headings that an official reads, and so the kinds."""
    for batch in fault_batches(faults):
        kinds = pa.array([str(KINDS[kind]) for kind in batch.column("kind").to_pylist()])
        columns = [kinds if name == "kind" else batch.column(name) for name in FAULT_SCHEMA.names]
        yield pa.RecordBatch.from_arrays(columns, schema=_HEADED)


def _marked(parts: Iterator[bytes]) -> Iterator[bytes]:
    yield MARK
    yield from parts


def since_asked() -> dt.date:
    """The day from which this request asks, or the usual one; 400 where it is none."""
    given = request.args.get("since")
    if not given:
        return usual_since(today())
    try:
        return day_of(given)
    except ValueError:
        fail("bad-request", Title("日期不对,应写作2026-07-31", "not a date such as 2026-07-31"))
