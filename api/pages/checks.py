"""The checks that lenders made: a lender sees its own, a regulator those of all."""

from __future__ import annotations

from werkzeug.wrappers import Response

from api.around.auth import who
from api.around.context import store
from api.pages.blueprint import blueprint, page
from scoring.access.lending import OUTCOMES, checks_by

SHOWN = 200


@blueprint.get("/checks")
def checks() -> Response:
    """The latest checks, the newest first."""
    return page("checks", checks=checks_by(store(), who(), limit=SHOWN), outcomes=OUTCOMES)
