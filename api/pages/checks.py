"""The checks that lenders made: a lender sees its own, a regulator those of all."""

from __future__ import annotations

from werkzeug.wrappers import Response

from api.around.auth import caller, is_regulator
from api.around.context import store
from api.pages.blueprint import blueprint, page
from scoring.access.audit import entries
from scoring.access.lending import ACTION, OUTCOMES

SHOWN = 200


@blueprint.get("/checks")
def checks() -> Response:
    """The latest checks, the newest first."""
    actor = None if is_regulator() else caller().prefix
    found = entries(store(), actor=actor, action=ACTION, limit=SHOWN)
    return page("checks", checks=found, outcomes=OUTCOMES)
