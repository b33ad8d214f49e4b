"""Candidates that are graded beside the pack in force: started, read and ended."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import url_for

from api.around import journal
from api.around.context import store
from api.around.idempotency import PARAMETER
from api.http.openapi import Blueprint
from api.http.paging import page
from api.http.problems import fail
from api.resources.rule_drafts import me
from api.resources.runs import NUMBER
from api.resources.simulations import PATIENCE, TEXT, faulty, one_at_a_time, rules_in
from api.schemas.rulemaking import (
    DecisionRequest,
    NightPage,
    NightsQuery,
    TrialMovePage,
    TrialMovesQuery,
    TrialPage,
    TrialReportSchema,
    TrialRequest,
    TrialSchema,
    TrialsQuery,
    move_key,
)
from rules.calendar import today
from rules.fault import PackError
from scoring.access.keys import owners_of
from scoring.answers.search import names_of
from scoring.answers.simulate import SimulationError
from scoring.rulemaking import trials
from scoring.rulemaking.desk import NotLawError
from scoring.rulemaking.trials import Trial
from scoring.store.packs import stored_pack

blueprint = Blueprint(
    "rule_trials",
    __name__,
    url_prefix="/v1/rule-trials",
    description="Candidates that are graded beside the rules in force, and nobody's grade",
)


@blueprint.get("")
@blueprint.query(TrialsQuery)
@blueprint.answers(200, TrialPage)
def list_trials(query: dict[str, Any]) -> dict[str, Any]:
    """Trials, the newest first."""
    found = page(
        lambda limit: trials.list_trials(store(), query.get("cursor"), limit), query, lambda row: row.id
    )
    return {**found, "items": [_said(row) for row in found["items"]]}


@blueprint.post("")
@blueprint.body(TrialRequest)
@blueprint.answers(201, TrialSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_trial(body: dict[str, Any]) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Try a candidate beside each run of its pack from now on, and beside the last runs at once.

    It is tried as it stands, as if it had been in force on the day of each run: its first day may be to come.
    """
    try:
        found = started(rules_in(body), TEXT, body["reason"], body["back"])
    except PackError as error:
        raise faulty(error) from None
    except (NotLawError, SimulationError) as error:
        fail("conflict", error.title)
    journal.detail(trial=found.id)
    return _said(found), 201, {"Location": url_for("rule_trials.get_trial", trial_id=found.id)}


@blueprint.get(f"/{NUMBER}trial_id>")
@blueprint.answers(200, TrialReportSchema)
def get_trial(trial_id: int) -> dict[str, Any]:
    """What a candidate would change: how many have another tier by it now, and by which rules."""
    found, moves = trials.get_trial(store(), trial_id), trials.moves_of(store(), trial_id)
    titles = trials.rule_titles(store(), found)
    counted = trials.counts_by_rule(moves).items()
    return _said(found) | {
        "last": next(iter(trials.nights_of(store(), trial_id, 1)), None),
        "moved": len(moves),
        "rules": [{"rule": rule, "title": titles.get(rule), "subjects": many} for rule, many in counted],
    }


@blueprint.get(f"/{NUMBER}trial_id>/nights")
@blueprint.query(NightsQuery)
@blueprint.answers(200, NightPage)
def list_nights(query: dict[str, Any], trial_id: int) -> dict[str, Any]:
    """The runs beside which a candidate was graded, the last first: how many it grades otherwise."""
    trials.get_trial(store(), trial_id)
    return page(
        lambda limit: trials.nights_of(store(), trial_id, limit, query.get("cursor")),
        query,
        lambda night: night.run_id,
    )


@blueprint.get(f"/{NUMBER}trial_id>/moves")
@blueprint.query(TrialMovesQuery)
@blueprint.answers(200, TrialMovePage)
def list_trial_moves(query: dict[str, Any], trial_id: int) -> dict[str, Any]:
    """Who has another tier by a candidate, by which rules and since when."""
    words = stored_pack(store(), trials.get_trial(store(), trial_id).pack_hash).vocabulary
    found = page(
        lambda limit: trials.moves_of(store(), trial_id, query["ended"], query.get("cursor"), limit),
        query,
        move_key,
    )
    ids = sorted({move.subject_id for move in found["items"]})
    journal.detail(subjects=ids)
    names = names_of(store(), words.id, ids)
    items = [asdict(move) | {"name": names.get(move.subject_id)} for move in found["items"]]
    return {**found, "items": items}


@blueprint.post(f"/{NUMBER}trial_id>/end")
@blueprint.body(DecisionRequest)
@blueprint.answers(200, TrialSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_end(body: dict[str, Any], trial_id: int) -> dict[str, Any]:
    """End a trial; what it has found stays."""
    try:
        return _said(trials.end_trial(store(), trial_id, body["reason"], me()))
    except NotLawError as error:
        fail("conflict", error.title)


def started(text: str, file: str, reason: str, back: int) -> Trial:
    """Start a trial, and grade it beside the last runs at once, when no other batch is under way.

    :param file: the name that faults are reported under.
    :raises PackError, NotLawError: as :func:`scoring.rulemaking.trials.start_trial`.
    :raises SimulationError: as :func:`scoring.rulemaking.trials.grade_trials`.
    """
    with one_at_a_time(PATIENCE):
        found = trials.start_trial(store(), text, file, reason, me(), today(), back)
        list(trials.grade_trials(store(), today(), found.pack_id))
    return found


def _said(found: Trial) -> dict[str, Any]:
    by = {each for each in (found.started_by, found.ended_by) if each}
    return asdict(found) | {"persons": owners_of(store(), by)}
