"""How everybody will stand with nothing new known."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify

from api.around.context import pack_id, store
from api.http.openapi import Blueprint
from api.schemas.supervision import PopulationForecastSchema, PopulationQuery
from scoring.inspections.foreseen import population_document, population_forecast

blueprint = Blueprint(
    "forecasts", __name__, url_prefix="/v1/forecasts", description="How everybody will stand"
)


@blueprint.get("/population")
@blueprint.query(PopulationQuery)
@blueprint.answers(200, PopulationForecastSchema)
def get_population(query: dict[str, Any]) -> Response:
    """How many subjects will have each tier at each month's end, and the inspections that follow."""
    found = population_forecast(store(), pack_id(query), query["months"])
    return jsonify(population_document(found))
