"""The data of charts: ``static/charts.js`` draws them, each beside a table that says the same."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from api.pages.words import tier_step
from rules.model import Pack
from scoring.results import Piece


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
    return {
        "highest": pack.score.max / 100,
        "tiers": [
            {**_tier(grade.tier, pack), "lowest": max(grade.lowest, pack.score.min) / 100}
            for grade in pack.grades
        ],
        "points": [(str(piece.begins), piece.score / 100, piece.tier) for piece in line],
        "until": str(until),
    }


def _tier(tier: str, pack: Pack) -> dict[str, Any]:
    return {"name": tier, "step": tier_step(tier, pack.tiers)}
