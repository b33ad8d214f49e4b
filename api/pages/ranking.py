"""The ranking of public bodies, and what follows from it."""

from __future__ import annotations

from werkzeug.wrappers import Response

from api.around import journal
from api.around.context import store
from api.http.problems import fail
from api.pages.blueprint import blueprint, page
from rules.model import Title
from scoring.answers.departments import PACK, Consequence, Ranking, department_ranking
from scoring.runs.published import current_run


@blueprint.get("/ranking")
def ranking() -> Response:
    """Who stands where in the latest run, and what that leads to."""
    run = current_run(store(), PACK) or fail(
        "not-found", Title("部门评价还没有结果", f"there is no run of {PACK} yet")
    )
    found = department_ranking(store(), run.id)
    journal.detail(run=run.id, subjects=[standing.subject_id for standing in found.standings])
    return page("ranking", ranking=found, follows=follows(found))


def follows(ranking: Ranking) -> list[list[Consequence]]:
    """What a ranking leads to, by body, for those for whom anything follows."""
    by_body = ([one for one in ranking.consequences if one.standing is body] for body in ranking.standings)
    return [items for items in by_body if items]
