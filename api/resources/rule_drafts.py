"""Drafts of packs: examined, proposed as law by one person, approved or refused by another, withdrawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from flask import url_for

from api.around import journal
from api.around.auth import caller
from api.around.context import store
from api.around.idempotency import PARAMETER
from api.http.messages import in_language
from api.http.openapi import Blueprint
from api.http.paging import page
from api.http.problems import fail
from api.resources.simulations import (
    ONE_AT_A_TIME,
    PATIENCE,
    TEXT,
    faulty,
    rules_in,
    simulated,
    simulation_view,
)
from api.schemas.rulemaking import (
    ApprovalRequest,
    DecisionRequest,
    DraftPage,
    DraftProposalRequest,
    DraftSchema,
    DraftsQuery,
    ExaminationRequest,
    ExaminationSchema,
    ProposedDraftSchema,
)
from rules.calendar import today
from rules.fault import PackError
from rules.tools.diff import compare
from scoring.access.keys import owners_of
from scoring.answers.simulate import SimulationError, version_of
from scoring.rulemaking import desk
from scoring.rulemaking.desk import By, NotLawError, Proposed
from scoring.rulemaking.draft import Draft, examine, identity_of

blueprint = Blueprint(
    "rule_drafts", __name__, url_prefix="/v1/rule-drafts", description="How a draft of rules becomes law"
)


@blueprint.get("")
@blueprint.query(DraftsQuery)
@blueprint.answers(200, DraftPage)
def list_drafts(query: dict[str, Any]) -> dict[str, Any]:
    """Versions that are or were proposed, the newest first."""
    found = page(
        lambda limit: desk.list_proposed(store(), query.get("cursor"), limit), query, lambda row: row.id
    )
    return {**found, "items": [_said(row) for row in found["items"]]}


@blueprint.post("/examinations")
@blueprint.body(ExaminationRequest)
@blueprint.answers(200, ExaminationSchema)
@blueprint.describe(responses=ONE_AT_A_TIME)
def post_examination(body: dict[str, Any]) -> dict[str, Any]:
    """Say what is wrong with a draft, what it changes and who would move: nothing is kept."""
    return _examination(_examined(body))


@blueprint.post("")
@blueprint.body(DraftProposalRequest)
@blueprint.answers(201, DraftSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_draft(body: dict[str, Any]) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Propose a draft as law from a day on; somebody else approves it. 409 says all that forbids it."""
    draft = _examined(body)
    found = _done(lambda: desk.propose_pack(store(), draft, body["reason"], me(), today(), body.get("known")))
    place = url_for("rule_drafts.get_draft", digest=found["pack_hash"])
    return found, 201, {"Location": place}


@blueprint.get("/<digest>")
@blueprint.answers(200, ProposedDraftSchema)
@blueprint.describe(responses=ONE_AT_A_TIME)
def get_draft(digest: str) -> dict[str, Any]:
    """A version that was proposed, with what it changes and, until it is decided, who would move by it.

    It is asked for by its identity, or by the first eight letters of it or more.
    """
    found = desk.find_proposed(store(), digest)
    examined = _examination(desk.draft_of(store(), found, today()), found.state == "proposed")
    return {**_said(found), "examination": examined}


@blueprint.post("/<digest>/approval")
@blueprint.body(ApprovalRequest)
@blueprint.answers(200, DraftSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_approval(body: dict[str, Any], digest: str) -> dict[str, Any]:
    """Approve a version that somebody else proposed, having read its difference: it rules from its day on."""
    return _done(lambda: desk.approve_pack(store(), digest, by=me(), on=today(), **body))


@blueprint.post("/<digest>/refusal")
@blueprint.body(DecisionRequest)
@blueprint.answers(200, DraftSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_refusal(body: dict[str, Any], digest: str) -> dict[str, Any]:
    """Refuse to approve a version that somebody else proposed."""
    return _done(lambda: desk.refuse_pack(store(), digest, by=me(), **body))


@blueprint.post("/<digest>/withdrawal")
@blueprint.body(DecisionRequest)
@blueprint.answers(200, DraftSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_withdrawal(body: dict[str, Any], digest: str) -> dict[str, Any]:
    """Withdraw a version before its first day: it rules on none."""
    return _done(lambda: desk.withdraw_pack(store(), digest, by=me(), on=today(), **body))


def me() -> By:
    """Who takes a step, by the key that is asked with."""
    return By(caller().prefix, str(caller().role))


def _examined(body: dict[str, Any]) -> Draft:
    try:
        return examine(store(), rules_in(body), TEXT, body.get("begins"), today())
    except PackError as error:
        raise faulty(error) from None


def _done(act: Callable[[], Proposed]) -> dict[str, Any]:
    try:
        found = act()
    except NotLawError as error:
        fail("conflict", error.title)
    journal.detail(pack=found.pack_id, version=found.version)
    return _said(found)


def _said(found: Proposed) -> dict[str, Any]:
    by = {each for each in (found.proposed_by, found.decided_by, found.withdrawn_by) if each}
    return asdict(found) | {"persons": owners_of(store(), by)}


def _examination(draft: Draft, is_open: bool = True) -> dict[str, Any]:
    """As the page shows it. What is decided already is not tried again."""
    found: dict[str, Any] = {"simulation": None, "untried": None, "changes": []}
    if draft.before is not None:
        found["changes"] = compare(draft.before, draft.pack, in_language)
        try:
            if is_open:
                result = simulated(draft.before, draft.pack, draft.pack.in_force_from, PATIENCE)
                found["simulation"] = simulation_view(result)
        except SimulationError as error:
            found["untried"] = error.title
    return found | {
        "draft": version_of(draft.pack),
        "begins": draft.pack.in_force_from,
        "before": draft.before and version_of(draft.before),
        "reasons": draft.reasons,
        "findings": [
            {"severity": str(one.severity), "check": one.check, "subject": one.subject}
            | {"line": one.place.line, "column": one.place.column, "message": one.title}
            for one in draft.findings
        ],
        "examples": len(draft.examples),
        "failed": [
            {"owner": one.owner, "line": one.place.line, "column": one.place.column}
            | {"expected": one.expected.en, "got": one.got.en}
            for one in draft.failed
        ],
        "shown": identity_of(draft.before),
        "known": desk.last_proposed(store(), draft.pack.id),
    }
