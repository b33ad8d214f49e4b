"""Whether grades foresaw what was found later, and what has shifted between two runs."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify

from api.around.context import pack_id, run, store
from api.http.openapi import Blueprint
from api.http.problems import fail
from api.resources.simulations import ONE_AT_A_TIME, one_at_a_time
from api.schemas.validation import BacktestQuery, BacktestSchema, DriftQuery, DriftSchema
from scoring.answers.validation.backtest import Backtest, BacktestError, Wanted, backtest
from scoring.answers.validation.documents import backtest_document, drift_document
from scoring.answers.validation.drift import Drift, DriftError, drift, runs_to_compare
from scoring.store.rulebook import known_pack

blueprint = Blueprint(
    "validation", __name__, url_prefix="/v1", description="Testing grades by what came later"
)


@blueprint.get("/backtests")
@blueprint.query(BacktestQuery)
@blueprint.answers(200, BacktestSchema)
@blueprint.describe(responses=ONE_AT_A_TIME)
def get_backtest(query: dict[str, Any]) -> Response:
    """Grade everybody as on a day, and count by tier and by rule what was found in the months after it."""
    asked = {name: query[name] for name in ("months", "drawn", "among", "found") if name in query}
    wanted = Wanted(query["as_of"], **asked, as_known_now=query["known"] == "now")
    try:
        return jsonify(backtest_document(backtested(pack_id(query), wanted)))
    except BacktestError as error:
        fail("invalid", error.title)


@blueprint.get("/drift")
@blueprint.query(DriftQuery)
@blueprint.answers(200, DriftSchema)
@blueprint.describe(responses=ONE_AT_A_TIME)
def get_drift(query: dict[str, Any]) -> Response:
    """How far scores, tiers and what the rules read have shifted between two runs, and who fell silent."""
    try:
        return jsonify(drift_document(drifted(pack_id(query), query.get("before"), query.get("after"))))
    except DriftError as error:
        fail("invalid", error.title)


def backtested(name: str, wanted: Wanted) -> Backtest:
    """By the version of a pack that is in force on the day; one test at a time in a worker, 409 for a second.

    :raises BacktestError: as :func:`scoring.answers.validation.backtest.backtest`.
    """
    with one_at_a_time():
        return backtest(store(), known_pack(store(), name, wanted.day), wanted)


def drifted(name: str, before: int | None, after: int | None) -> Drift:
    """Two runs of a pack beside one another, likewise; 404 for a number of none.

    :raises DriftError: where they can't be compared.
    """
    chosen = (None if number is None else run(number) for number in (before, after))
    compared = runs_to_compare(store(), name, *chosen)
    with one_at_a_time():
        return drift(store(), *compared)
