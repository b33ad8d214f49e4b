"""Records whose code no subject has: they count for nobody, until the code or the register is put right."""

from __future__ import annotations

from flask import request
from werkzeug.wrappers import Response

from api.around import journal
from api.around.context import store, vocabulary
from api.pages.blueprint import blueprint, page
from scoring.facts.ingest.keys import ENTERPRISES, subject_key
from scoring.facts.orphans import list_orphans

ROWS = 50


@blueprint.get("/orphans")
def orphans() -> Response:
    """The codes, each with the numbers of its records and whose these are."""
    words = vocabulary(request.args.get("vocabulary", ENTERPRISES))
    after = subject_key(words, request.args.get("after", ""))
    found = list_orphans(store(), words, after, ROWS + 1)
    shown = found[:ROWS]
    journal.detail(subjects=[one.code for one in shown])
    return page(
        "orphans",
        words=words,
        orphans=shown,
        after=shown[-1].code if len(found) > ROWS else None,
    )
