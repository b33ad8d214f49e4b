"""The checks that lenders made: a lender sees its own, a regulator those of all."""

from __future__ import annotations

from werkzeug.wrappers import Response

from api.around import journal
from api.around.auth import is_regulator, who
from api.around.context import settings, store
from api.pages.blueprint import blueprint, page
from api.pages.forms import number
from scoring.access.consents import PURPOSES
from scoring.access.lending import OUTCOMES, checks_by
from scoring.answers.search import names_of
from scoring.facts.ingest.keys import ENTERPRISES

SHOWN = 200


@blueprint.get("/checks")
def checks() -> Response:
    """The checks, the newest first."""
    found = checks_by(store(), who(), number("before"), SHOWN + 1)
    shown = found[:SHOWN]
    before = shown[-1].seq if len(found) > SHOWN else None
    ids = sorted({check.subject_id for check in shown if check.subject_id})
    journal.detail(subjects=ids)
    return page(
        "checks",
        checks=shown,
        before=before,
        outcomes=OUTCOMES,
        purposes=PURPOSES,
        names=names_of(store(), ENTERPRISES, ids) if is_regulator() else {},
        pack_id=settings().pack,
    )
