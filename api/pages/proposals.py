"""Proposals: who would fall by a run before it is published, what they answer, and the notices on paper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import redirect, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response

from api.around import journal
from api.around.auth import caller, is_regulator, who
from api.around.context import store
from api.pages import language
from api.pages.blueprint import blueprint, page
from api.pages.forms import FormError, filled_in, number
from api.resources.proposals import own, proposal_notice, run_notice
from api.resources.runs import NUMBER
from api.schemas.proposals import ProposalAnswerRequest, WithdrawalRequest
from rules.calendar import today
from rules.model import Title
from scoring.answers.notices.compute import notice_of_proposal
from scoring.answers.notices.files import notice_body, rule_changes
from scoring.answers.search import names_of
from scoring.runs import jobs
from scoring.runs.leases import JobConflictError
from scoring.runs.proposals import answer_proposal, withdraw_proposal
from scoring.runs.proposed import (
    STATES,
    ProposalRefusedError,
    fall_of,
    list_falls,
    list_proposals,
    show_proposal,
)
from scoring.store.packs import stored_pack

ROWS = 25
UNDER_WAY = Title("正在发布，请稍后刷新", "Being published; reload in a while")


@blueprint.get("/proposals")
def proposals() -> Response:
    """Runs that are proposed or were, the newest first."""
    found = list_proposals(store(), before=number("before"), limit=ROWS + 1)
    return page(
        "proposals",
        proposals=found[:ROWS],
        before=found[ROWS - 1].id if len(found) > ROWS else None,
        states=STATES,
    )


@blueprint.get(f"/proposals/{NUMBER}proposal_id>")
def proposal(proposal_id: int) -> Response:
    """A proposal: who would fall, why, and what they answer; it is published or withdrawn here."""
    return _proposal(proposal_id, 200)


@blueprint.post(f"/proposals/{NUMBER}proposal_id>/publication")
def publish(proposal_id: int) -> Response:
    """Have a proposal published."""
    try:
        job = jobs.request_publication(store(), proposal_id, caller().prefix)
    except ProposalRefusedError as error:
        return _proposal(proposal_id, 409, [error.title])
    except JobConflictError as error:
        return _proposal(proposal_id, 409, [error.title])
    return redirect(url_for("pages.proposal", proposal_id=proposal_id, job=job.id), 303)


@blueprint.post(f"/proposals/{NUMBER}proposal_id>/withdrawal")
def withdraw(proposal_id: int) -> Response:
    """Withdraw a proposal."""
    try:
        reason = filled_in(WithdrawalRequest)["reason"]
        withdraw_proposal(store(), proposal_id, reason, caller().prefix)
    except FormError as error:
        return _proposal(proposal_id, 422, error.messages)
    except ProposalRefusedError as error:
        return _proposal(proposal_id, 409, [error.title])
    return redirect(url_for("pages.proposal", proposal_id=proposal_id), 303)


@blueprint.get(f"/proposals/{NUMBER}proposal_id>/notices/<key:subject_id>")
def show_notice(proposal_id: int, subject_id: str) -> Response:
    """The notice of who would fall, to print and to answer to."""
    return _proposal_notice(proposal_id, subject_id, 200)


@blueprint.post(f"/proposals/{NUMBER}proposal_id>/notices/<key:subject_id>")
def answer(proposal_id: int, subject_id: str) -> Response:
    """Answer to a proposal: the subject itself, or a regulator for it."""
    vocabulary = show_proposal(store(), proposal_id, who().subject).vocabulary
    subject_id = own(vocabulary, subject_id)
    try:
        text = filled_in(ProposalAnswerRequest)["text"]
        answer_proposal(store(), proposal_id, subject_id, text, caller().prefix)
    except FormError as error:
        return _proposal_notice(proposal_id, subject_id, 422, error.messages)
    except ProposalRefusedError as error:
        return _proposal_notice(proposal_id, subject_id, 409, [error.title])
    place = url_for("pages.show_notice", proposal_id=proposal_id, subject_id=subject_id)
    return redirect(place, 303)


@blueprint.get(f"/runs/{NUMBER}run_id>/notices/<key:subject_id>")
def show_run_notice(run_id: int, subject_id: str) -> Response:
    """The notice of who fell since the run before, to print."""
    found = run_notice(run_id, subject_id)
    return page(
        "notice",
        notice=found,
        body=Markup(notice_body(found, language.text, language.cite)),
        fall=None,
        refused=(),
    )


def _proposal(proposal_id: int, status: int, refused: Sequence[Title] = ()) -> Response:
    found = show_proposal(store(), proposal_id)
    falls = list_falls(store(), proposal_id, request.args.get("after"), ROWS + 1)
    shown = falls[:ROWS]
    ids = [fall.subject_id for fall in shown]
    journal.detail(subjects=ids)
    return page(
        "proposal",
        status,
        found=found,
        pack=stored_pack(store(), found.pack_hash),
        falls=[(fall, notice_of_proposal(store(), proposal_id, fall.subject_id)) for fall in shown],
        names=names_of(store(), found.vocabulary, ids),
        after=ids[-1] if len(falls) > ROWS else None,
        states=STATES,
        changes=rule_changes,
        may_publish=found.may_publish(today()),
        given=request.form,
        refused=refused,
        job=_job(),
    )


def _job() -> Title | None:
    """How the publication goes that was asked for here."""
    asked = number("job")
    if asked is None:
        return None
    found = jobs.get_job(store(), asked)
    if found.problem:
        return Title(f"未能发布:{found.problem}", f"Not published: {found.problem}")
    return STATES.get(found.state, UNDER_WAY)


def _proposal_notice(
    proposal_id: int, subject_id: str, status: int, refused: Sequence[Title] = ()
) -> Response:
    found = proposal_notice(proposal_id, subject_id)
    assert found.proposal is not None, "a notice of a proposal"
    values: dict[str, Any] = {
        "fall": fall_of(store(), proposal_id, found.subject_id),
        "may_answer": found.proposal.may_answer(today()),
        "is_regulator": is_regulator(),
    }
    body = Markup(notice_body(found, language.text, language.cite))
    return page("notice", status, notice=found, body=body, given=request.form, refused=refused, **values)
