"""Candidates that are graded beside the pack in force: started, looked at and ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from flask import redirect, request, url_for
from marshmallow import fields, validate
from werkzeug.wrappers import Response

from api.around import journal
from api.around.context import store
from api.pages import downloads
from api.pages.blueprint import blueprint, page
from api.pages.downloads import asked, field, say
from api.pages.forms import FormError, filled_in, number
from api.pages.simulation import DRAFT, given_text
from api.resources.rule_drafts import me
from api.resources.rule_trials import started
from api.schemas.rulemaking import MOST_BACK_HERE, DecisionRequest
from rules.fault import PackError
from rules.model import Title
from scoring.access.keys import owners_of
from scoring.answers.search import names_of
from scoring.answers.simulate import SimulationError
from scoring.characters.listings import Listing
from scoring.rulemaking.desk import NotLawError
from scoring.rulemaking.draft import Draft
from scoring.rulemaking.trials import (
    counts_by_rule,
    end_trial,
    get_trial,
    list_trials,
    moves_of,
    nights_of,
    rule_titles,
)
from scoring.store.packs import stored_pack
from scoring.store.rulebook import known_packs

ROWS = 50
NIGHTS_SHOWN = 60


class TrialForm(DecisionRequest):
    """Why a candidate is tried, and beside how many of the last runs at once."""

    back = fields.Integer(load_default=1, validate=validate.Range(0, MOST_BACK_HERE))


@blueprint.get("/rules/trials")
def trials() -> Response:
    """The candidates that are or were tried, and a form for another one."""
    return _trials(200)


@blueprint.post("/rules/trials")
def start_pack_trial() -> Response:
    """Try a candidate from now on, beside the last runs at once."""
    try:
        body = filled_in(TrialForm)
        found = started(given_text(), DRAFT, body["reason"], body["back"])
    except FormError as error:
        return _trials(422, error.messages)
    except PackError as error:
        return _trials(422, [fault.title for fault in error.faults])
    except NotLawError as error:
        return _trials(409, error.titles)
    except SimulationError as error:
        return _trials(409, [error.title])
    return redirect(url_for("pages.trial", trial_id=found.id), 303)


@blueprint.get("/rules/trials/<int:trial_id>")
def trial(trial_id: int) -> Response:
    """What a candidate would change on real days: how many, by which rules, who, and since when."""
    return _trial(200, trial_id)


@blueprint.post("/rules/trials/<int:trial_id>/end")
def end_pack_trial(trial_id: int) -> Response:
    """End a trial; what it has found stays."""
    try:
        end_trial(store(), trial_id, filled_in(DecisionRequest)["reason"], me())
    except FormError as error:
        return _trial(422, trial_id, error.messages)
    except NotLawError as error:
        return _trial(409, trial_id, error.titles)
    return redirect(url_for("pages.trial", trial_id=trial_id), 303)


def show_trial_of(draft: Draft, known: int) -> Response:
    """The form for a trial, filled in with a draft that was written on the pages.

    :param known: not used: a trial is beside whatever was proposed meanwhile.
    """
    return _trials(200, text=draft.text.text)


def _trials(status: int, faults: Sequence[Title] = (), **given: str) -> Response:
    rows = list_trials(store())
    return page(
        "trials",
        status,
        rows=rows,
        last={row.id: next(iter(nights_of(store(), row.id, 1)), None) for row in rows},
        titles={pack.id: pack.title for pack in known_packs(store())},
        owners=owners_of(store(), {row.started_by for row in rows}),
        faults=faults,
        given={"back": "1", **request.form, **given},
        most_back=MOST_BACK_HERE,
    )


def _trial(status: int, trial_id: int, faults: Sequence[Title] = ()) -> Response:
    found = get_trial(store(), trial_id)
    pack = stored_pack(store(), found.pack_hash)
    moves = moves_of(store(), found.id)
    skipped = number("skipped") or 0
    shown = moves[skipped : skipped + ROWS]
    ids = [move.subject_id for move in shown]
    journal.detail(subjects=ids)
    by = {each for each in (found.started_by, found.ended_by) if each}
    values: dict[str, Any] = {
        "found": found,
        "pack": pack,
        "nights": nights_of(store(), found.id, NIGHTS_SHOWN),
        "moves": shown,
        "moved": len(moves),
        "next": skipped + ROWS if len(moves) > skipped + ROWS else None,
        "names": names_of(store(), pack.vocabulary.id, ids),
        "ways": Counter((move.tier_before, move.tier) for move in moves).most_common(),
        "rules": counts_by_rule(moves),
        "rule_titles": rule_titles(store(), found),
        "owners": owners_of(store(), by),
        "faults": faults,
        "given": request.form,
    }
    return page("trial", status, **values)


@blueprint.get("/rules/trials/<int:trial_id>/export")
def export_trial(trial_id: int) -> Response:
    """Who has another tier by a candidate, since when and by which rules, all of them."""
    found = get_trial(store(), trial_id)
    pack, moves = stored_pack(store(), found.pack_hash), moves_of(store(), trial_id)
    names, titles = (
        names_of(store(), pack.vocabulary.id, (m.subject_id for m in moves)),
        rule_titles(store(), found),
    )
    fields = {
        "name": downloads.NAME,
        "subject_id": downloads.NUMBER,
        "tier_before": field("现行等级", "Tier in force"),
        "tier": field("候选等级", "Tier by the candidate"),
        "since": field("自", "Since", "date"),
        "rules": field("涉及规则", "Rules"),
    }
    rows = (
        asdict(move)
        | {
            "name": names.get(move.subject_id),
            "rules": "; ".join(_called(titles, rule) for rule in move.rules),
        }
        for move in moves
    )
    said = asked((downloads.PACK, say(pack.title)), (Title("候选版本", "Candidate"), pack.version))
    journal.detail(trial=trial_id)
    title = Title("候选版本试运行", "Trial of a candidate")
    return downloads.workbook(Listing(title, said, fields, rows), "trial")


def _called(titles: Mapping[str, Title], rule: str) -> str:
    return say(titles[rule]) if rule in titles else rule
