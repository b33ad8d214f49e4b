"""The data of charts: ``static/charts.js`` draws them, each beside a table that says the same."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from api.pages.words import tier_step
from rules.model import Pack
from scoring.answers.forecast import Forecast, Step
from scoring.runs.results import Piece


def bars(rows: Mapping[str, Mapping[str, int]], pack: Pack) -> dict[str, Any]:
    """Stacked bars, from top to bottom.

    :param rows: by what stands beside the bar: how many subjects have each of the pack's tiers.
    """
    counts = rows.values()
    tiers = [{**_tier(tier, pack), "values": [count.get(tier, 0) for count in counts]} for tier in pack.tiers]
    return {"rows": list(rows), "tiers": tiers}


def history(line: Sequence[Piece], until: dt.date, pack: Pack) -> dict[str, Any]:
    """A line of scores by date over the bands of the tiers, in points.

    :param line: in the order of days; it has a point where it changes.
    :param until: the last day that it tells of.
    """
    points = [(str(piece.begins), piece.score / 100, piece.tier) for piece in line]
    return {**_over_bands(pack), "points": points, "until": str(until)}


def forecast(found: Forecast, pack: Pack) -> dict[str, Any]:
    """The same, of days to come: each score stays until the next, where it ends without one there is a gap.

    :param pack: whose bands are drawn.
    """
    points = [(str(step.begins), *_score(step)) for step in found.steps]
    return {**_over_bands(pack), "points": points, "until": str(found.until)}


def _score(step: Step) -> tuple[float | None, str | None]:
    return (None, None) if step.grade is None else (step.grade.score / 100, step.grade.tier)


def _over_bands(pack: Pack) -> dict[str, Any]:
    return {
        "highest": pack.score.max / 100,
        "tiers": [
            {**_tier(grade.tier, pack), "lowest": max(grade.lowest, pack.score.min) / 100}
            for grade in pack.grades
            if grade.lowest is not None
        ],
    }


def _tier(tier: str, pack: Pack) -> dict[str, Any]:
    return {"name": tier, "step": tier_step(tier, pack.tiers)}
