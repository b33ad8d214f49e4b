"""Proposals: who would fall by a run before it is published, their answers, and the notices of a fall."""

from __future__ import annotations

from typing import Any

from flask import url_for

from api.around import journal
from api.around.auth import caller, who
from api.around.context import run as find_run
from api.around.context import store
from api.around.idempotency import PARAMETER
from api.http.openapi import Blueprint
from api.http.paging import page
from api.http.problems import fail
from api.resources.runs import NUMBER
from api.schemas.proposals import (
    FallsQuery,
    NoticeSchema,
    ProposalAnswerRequest,
    ProposalPage,
    ProposalSchema,
    ProposalsQuery,
    ProposedFallPage,
    ProposedFallSchema,
    WithdrawalRequest,
    fall_view,
    notice_view,
)
from api.schemas.runs import JobSchema
from rules.model import Title
from scoring.access.consents import subject_key as credit_code
from scoring.answers.notices.compute import Notice, notice_of_proposal, notice_of_run
from scoring.facts.ingest.keys import subject_key
from scoring.runs import jobs
from scoring.runs.leases import Job, JobConflictError
from scoring.runs.proposals import answer_proposal, note_told, withdraw_proposal
from scoring.runs.proposed import (
    ProposalRefusedError,
    ProposalSummary,
    list_falls,
    list_proposals,
    show_proposal,
)

blueprint = Blueprint(
    "proposals", __name__, url_prefix="/v1", description="Runs that are proposed, and notices of a fall"
)


@blueprint.get("/proposals")
@blueprint.query(ProposalsQuery)
@blueprint.answers(200, ProposalPage)
def get_proposals(query: dict[str, Any]) -> dict[str, Any]:
    """Proposals, the newest first. A subject sees those by which it would fall itself."""
    return page(
        lambda limit: list_proposals(
            store(), subject_id=who().subject, before=query.get("cursor"), limit=limit
        ),
        query,
        lambda proposal: proposal.id,
    )


@blueprint.get(f"/proposals/{NUMBER}proposal_id>")
@blueprint.answers(200, ProposalSchema)
def get_proposal(proposal_id: int) -> ProposalSummary:
    """A proposal; for a subject only if it would fall by it itself."""
    return show_proposal(store(), proposal_id, who().subject)


@blueprint.get(f"/proposals/{NUMBER}proposal_id>/falls")
@blueprint.query(FallsQuery)
@blueprint.answers(200, ProposedFallPage)
def get_falls(query: dict[str, Any], proposal_id: int) -> dict[str, Any]:
    """Who would fall, with the reasons, whether it was told, and its answers."""
    show_proposal(store(), proposal_id)
    found = page(
        lambda limit: list_falls(store(), proposal_id, query.get("cursor"), limit),
        query,
        lambda fall: fall.subject_id,
    )
    journal.detail(subjects=[fall.subject_id for fall in found["items"]])
    falls = (
        fall_view(fall, notice_of_proposal(store(), proposal_id, fall.subject_id)) for fall in found["items"]
    )
    return {**found, "items": [*falls]}


@blueprint.get(f"/proposals/{NUMBER}proposal_id>/notices/<key:subject_id>")
@blueprint.answers(200, NoticeSchema)
def get_proposal_notice(proposal_id: int, subject_id: str) -> dict[str, Any]:
    """The notice of who would fall. A subject opens its own alone, and has been told by that."""
    return notice_view(proposal_notice(proposal_id, subject_id))


@blueprint.get(f"/runs/{NUMBER}run_id>/notices/<key:subject_id>")
@blueprint.answers(200, NoticeSchema)
def get_run_notice(run_id: int, subject_id: str) -> dict[str, Any]:
    """The notice of who fell since the run before; 404 where its tier did not. A subject opens its own."""
    return notice_view(run_notice(run_id, subject_id))


@blueprint.post(f"/proposals/{NUMBER}proposal_id>/answers")
@blueprint.body(ProposalAnswerRequest)
@blueprint.answers(201, ProposedFallSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_answer(body: dict[str, Any], proposal_id: int) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Answer to a proposal, within its term: a subject for itself, a regulator for it."""
    given = who().subject or body.get("subject_id")
    if given is None:
        fail("invalid", Title("subject_id:必填", "subject_id: Missing data for required field."))
    proposal = show_proposal(store(), proposal_id, who().subject)
    subject_id = own(proposal.vocabulary, body.get("subject_id") or given)
    try:
        fall = answer_proposal(store(), proposal_id, subject_id, body["text"], caller().prefix)
    except ProposalRefusedError as error:
        fail("conflict", error.title)
    place = url_for("proposals.get_proposal_notice", proposal_id=proposal_id, subject_id=subject_id)
    notice = notice_of_proposal(store(), proposal_id, subject_id)
    return fall_view(fall, notice), 201, {"Location": place}


@blueprint.post(f"/proposals/{NUMBER}proposal_id>/publication")
@blueprint.answers(202, JobSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_publication(proposal_id: int) -> tuple[Job, int, dict[str, str]]:
    """Have a proposal published, in the background: once its term is over, or where nobody would fall."""
    try:
        job = jobs.request_publication(store(), proposal_id, caller().prefix)
    except ProposalRefusedError as error:
        fail("conflict", error.title)
    except JobConflictError as error:
        fail("conflict", error.title)
    return job, 202, {"Location": url_for("runs.get_job", job_id=job.id)}


@blueprint.post(f"/proposals/{NUMBER}proposal_id>/withdrawal")
@blueprint.body(WithdrawalRequest)
@blueprint.answers(200, ProposalSchema)
@blueprint.describe(parameters=[PARAMETER])
def post_withdrawal(body: dict[str, Any], proposal_id: int) -> ProposalSummary:
    """Withdraw a proposal, with the reason; nothing of it is published."""
    try:
        return withdraw_proposal(store(), proposal_id, body["reason"], caller().prefix)
    except ProposalRefusedError as error:
        fail("conflict", error.title)


def proposal_notice(proposal_id: int, subject_id: str) -> Notice:
    """The notice of who would fall, for those who may see it; a subject has been told by that."""
    vocabulary = show_proposal(store(), proposal_id, who().subject).vocabulary
    found = notice_of_proposal(store(), proposal_id, own(vocabulary, subject_id))
    if who().subject is not None:
        note_told(store(), proposal_id, found.subject_id, caller().prefix)
    return found


def run_notice(run_id: int, subject_id: str) -> Notice:
    """The notice of who fell, for those who may see it."""
    return notice_of_run(store(), run_id, own(find_run(run_id).vocabulary, subject_id))


def own(vocabulary: str, given: str) -> str:
    """The subject's number as it is stored; 404 where another subject asks."""
    found = subject_key(vocabulary, given)
    journal.subject(found)
    if who().subject not in (None, credit_code(found)):
        fail("not-found", Title(f"没有主体{given}", f"there is no subject {given}"))
    return found
