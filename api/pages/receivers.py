"""Who was told that a record does not count any more: a proof for the enterprise, for A4 paper."""

from __future__ import annotations

import datetime as dt

from flask import request
from werkzeug.wrappers import Response

from api.around.context import store, vocabulary
from api.pages.blueprint import blueprint, page
from api.resources.changes import concerned
from rules.model import Title
from scoring.answers.search import names_of
from scoring.changes.feed import KINDS
from scoring.changes.receivers import proofs_of
from scoring.facts.ingest.keys import ENTERPRISES

WAYS = {"webhook": Title("推送", "sent"), "feed": Title("读取", "read")}


@blueprint.get("/records/<key:record_id>/receivers")
def receivers(record_id: str) -> Response:
    """Which receivers were told of a record's repair, or of its objection that was upheld."""
    words = vocabulary(request.args.get("vocabulary", ENTERPRISES))
    record = concerned(words, record_id)
    return page(
        "receivers",
        record=record,
        name=names_of(store(), words.id, [record.subject_id]).get(record.subject_id, record.subject_id),
        proofs=proofs_of(store(), words.id, record.record_id),
        kinds=KINDS,
        ways=WAYS,
        made_at=dt.datetime.now(dt.UTC),
    )
