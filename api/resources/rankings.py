"""The ranking of departments, and what follows from it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from api.around import journal
from api.around.auth import own_data
from api.around.context import store
from api.http.openapi import Blueprint
from api.http.problems import fail
from api.schemas.supervision import RankingQuery, RankingSchema
from api.schemas.views import rule_view
from rules.model import Title
from scoring.answers.departments import Ranking, Standing, department_ranking
from scoring.facts.bodies import UnknownBodyError, body_called
from scoring.runs.results import find_run

blueprint = Blueprint("rankings", __name__, url_prefix="/v1/rankings", description="How departments serve")


@blueprint.get("/departments")
@blueprint.query(RankingQuery)
@blueprint.answers(200, RankingSchema)
def get_ranking(query: dict[str, Any]) -> dict[str, Any]:
    """The ranking with its consequences; a department sees its own part alone."""
    ranking = _ranking(query)
    own = own_data()
    chosen = None if own is None else _number_of(own)
    shown = [s for s in ranking.standings if chosen is None or s.subject_id == chosen]
    journal.detail(subjects=[standing.subject_id for standing in shown])
    return {
        "run": ranking.run,
        "standings": [_standing(standing) for standing in shown],
        "consequences": [
            {"subject_id": c.standing.subject_id, "rule": rule_view(ranking.pack, c.rule)}
            for c in ranking.consequences
            if c.standing in shown
        ],
    }


def _ranking(query: dict[str, Any]) -> Ranking:
    run_id = query.get("run")
    if run_id is not None and find_run(store(), run_id) is None:
        fail("not-found", Title(f"没有第{run_id}次评价", f"there is no run {run_id}"))
    return department_ranking(store(), run_id, query.get("as_of"))


def _number_of(name: str) -> str:
    """The body of that name; the ranking has no part of one that is not registered."""
    try:
        return body_called(store(), name).subject_id
    except UnknownBodyError:
        return ""


def _standing(standing: Standing) -> dict[str, Any]:
    return {
        "subject_id": standing.subject_id,
        "attributes": standing.attributes,
        "places": asdict(standing.places),
        "grade": standing.grade,
        "unranked": standing.unranked,
    }
