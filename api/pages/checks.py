"""The checks that lenders made: a lender sees its own, a regulator those of all."""

from __future__ import annotations

from werkzeug.wrappers import Response

from api.around.auth import who
from api.around.context import store
from api.pages.blueprint import blueprint, page
from api.pages.forms import number
from scoring.access.lending import OUTCOMES, checks_by

SHOWN = 200


@blueprint.get("/checks")
def checks() -> Response:
    """The checks, the newest first."""
    found = checks_by(store(), who(), number("before"), SHOWN + 1)
    shown = found[:SHOWN]
    before = shown[-1].seq if len(found) > SHOWN else None
    return page("checks", checks=shown, before=before, outcomes=OUTCOMES)
