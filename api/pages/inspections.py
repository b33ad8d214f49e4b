"""Inspection plans: which there are, whom they visit, and what they could not have."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from api.around import journal
from api.around.context import settings, store
from api.pages.blueprint import blueprint, page
from api.pages.forms import FormError, filled_in, number
from api.schemas.supervision import PlanRequest
from rules.calendar import add_months, today
from rules.model import Title
from scoring.answers.search import names_of
from scoring.inspections.office import (
    MONTHS_AHEAD,
    PlanError,
    PlanStandsError,
    get_plan,
    list_plans,
    make_plan,
    plan_refusals,
    plan_visits,
)
from scoring.runs.results import find_run
from scoring.store.packs import stored_pack

ROWS = 100


@blueprint.get("/inspections")
def plans() -> Response:
    """The plans of the server's pack, the newest first; and one is made here."""
    return _plans(200)


@blueprint.post("/inspections")
def make_inspections() -> Response:
    """Make and keep a month's plan."""
    try:
        wanted = filled_in(PlanRequest)
        month = dt.date.fromisoformat(f"{wanted['month']}-01")
        instead_of = wanted.get("instead_of")
        made = make_plan(store(), settings().pack, month, wanted["seed"], instead_of=instead_of)
    except FormError as error:
        return _plans(422, error.messages)
    except PlanStandsError as error:
        return _plans(409, [error.title], error.plan_id)
    except PlanError as error:
        return _plans(409, [error.title])
    return redirect(url_for("pages.plan", plan_id=made.id), 303)


def _plans(status: int, refused: Sequence[Title] = (), standing: int | None = None) -> Response:
    found = list_plans(store(), settings().pack)
    given = {"month": f"{add_months(today(), 1):%Y-%m}", **request.form.to_dict()}
    months = [f"{add_months(today(), ahead):%Y-%m}" for ahead in range(MONTHS_AHEAD + 1)]
    return page("plans", status, plans=found, given=given, months=months, refused=refused, standing=standing)


@blueprint.get("/inspections/<int(max=9007199254740992):plan_id>")
def plan(plan_id: int) -> Response:
    """A plan's visits and refusals."""
    return show_plan(plan_id)


def show_plan(plan_id: int, uncoded: Mapping[str, Title] | None = None) -> Response:
    """A plan's page.

    :param uncoded: enterprise → why its visit gets no code, where codes were asked for.
    """
    found = get_plan(store(), plan_id)
    run = find_run(store(), found.run_id)
    assert run is not None, "a plan's run is never removed"
    visits = plan_visits(store(), plan_id, request.args.get("after", ""), ROWS + 1)
    refusals = plan_refusals(store(), plan_id, number("refused_after"), ROWS + 1)
    shown = refusals[:ROWS]
    seen = {row["subject_id"] for row in (*visits[:ROWS], *shown)}
    journal.detail(subjects=sorted(seen))
    return page(
        "plan",
        plan=found,
        uncoded=uncoded or {},
        run=run,
        pack=stored_pack(store(), run.pack_hash),
        visits=visits[:ROWS],
        after=visits[ROWS - 1]["subject_id"] if len(visits) > ROWS else None,
        refusals=shown,
        refused_after=shown[-1]["no"] if len(refusals) > ROWS else None,
        names=names_of(store(), run.vocabulary, {row["subject_id"] for row in shown}),
    )
