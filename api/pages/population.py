"""How everybody will stand at the end of each month with nothing new known, and what is inspected then."""

from __future__ import annotations

from collections import Counter

from flask import request
from werkzeug.wrappers import Response

from api.around.context import settings, store
from api.pages.blueprint import blueprint, page
from api.pages.charts import bars
from api.pages.graded import graded_titles
from scoring.inspections.foreseen import PopulationForecast, population_forecast

DRAWN_EVERY = 3
"""Months from bar to bar; the table has every month."""


@blueprint.get("/forecast")
def population() -> Response:
    """Tiers at each month's end, who goes up and down, and inspections."""
    found = population_forecast(store(), request.args.get("pack") or settings().pack)
    drawn = found.months[DRAWN_EVERY - 1 :: DRAWN_EVERY]
    rows = {str(found.run.as_of): found.tiers, **{str(month.ends): month.tiers for month in drawn}}
    return page(
        "population",
        found=found,
        pack=found.pack,
        packs=graded_titles(),
        drawn=bars(rows, found.pack),
        years=_by_year(found),
    )


def _by_year(found: PopulationForecast) -> dict[int, tuple[int, Counter[str]]]:
    """By year: how many months are foretold, and how many of each tier are drawn in them."""
    years: dict[int, tuple[int, Counter[str]]] = {}
    for month in found.months:
        months, tiers = years.get(month.ends.year, (0, Counter()))
        years[month.ends.year] = months + 1, tiers + Counter(month.inspections)
    return years
