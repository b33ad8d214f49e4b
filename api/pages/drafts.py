"""Drafts of packs: examined, proposed by one person, approved by another and announced."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from api.around.context import store
from api.pages import language
from api.pages.blueprint import blueprint, page
from api.pages.forms import FormError, filled_in, number, posted_number
from api.pages.simulation import DRAFT, given_text, shown
from api.resources.rule_drafts import me
from api.resources.simulations import PATIENCE, simulated
from api.schemas.rulemaking import ApprovalRequest, DecisionRequest, DraftRequest
from rules.calendar import day_of, today
from rules.fault import PackError
from rules.identity import identity
from rules.model import Title
from rules.tools.diff import compare
from scoring.access.keys import owners_of
from scoring.answers.simulate import SimulationError
from scoring.rulemaking import desk
from scoring.rulemaking.desk import NotLawError, Proposed
from scoring.rulemaking.draft import Draft, examine, identity_of
from scoring.store.rulebook import known_packs

ROWS = 25


@blueprint.get("/rules/drafts")
def drafts() -> Response:
    """Versions that are or were proposed, and a form for another one."""
    return _drafts(200)


@blueprint.post("/rules/drafts")
def examine_draft() -> Response:
    """Say what is wrong with a draft, what it changes and who would move: nothing is kept."""
    text = given_text()
    try:
        begins = day_of(request.form.get("begins", ""))
        draft = examine(store(), text, DRAFT, begins, today())
    except ValueError:
        return _drafts(422, [Title("日期不对,应写作2027-01-01", "not a date such as 2027-01-01")])
    except PackError as error:
        return _drafts(422, [fault.title for fault in error.faults])
    return _draft(200, draft, begins=begins)


@blueprint.post("/rules/drafts/proposal")
def propose_draft() -> Response:
    """Propose a draft as law, once its difference and its movers were shown."""
    text = given_text()
    try:
        body = filled_in(DraftRequest)
        draft = examine(store(), text, DRAFT, body["begins"], today())
        known = posted_number("known") if "known" in request.form else None
        found = desk.propose_pack(store(), draft, body["reason"], me(), today(), known)
    except FormError as error:
        return _drafts(422, error.messages)
    except PackError as error:
        return _drafts(422, [fault.title for fault in error.faults])
    except NotLawError as error:
        unseen = [] if known is None else desk.proposed_since(store(), draft.pack.id, known)
        known = known if known is None else desk.last_proposed(store(), draft.pack.id)
        refused = {"refused": error.titles, "known": known, "unseen": unseen}
        return _draft(409, draft, begins=body["begins"], **refused)
    return redirect(url_for("pages.draft", digest=found.pack_hash), 303)


@blueprint.get("/rules/drafts/<digest>")
def draft(digest: str) -> Response:
    """A version that was proposed: what it changes, who would move, and who decided what."""
    return _found(200, desk.find_proposed(store(), digest))


@blueprint.post("/rules/drafts/<digest>/approval")
def approve_draft(digest: str) -> Response:
    """Approve a version that somebody else proposed."""
    return _done(
        digest,
        lambda asked: desk.approve_pack(store(), digest, by=me(), on=today(), **asked),
        ApprovalRequest,
    )


@blueprint.post("/rules/drafts/<digest>/refusal")
def refuse_draft(digest: str) -> Response:
    """Refuse to approve a version that somebody else proposed."""
    return _done(digest, lambda asked: desk.refuse_pack(store(), digest, by=me(), **asked))


@blueprint.post("/rules/drafts/<digest>/withdrawal")
def withdraw_draft(digest: str) -> Response:
    """Withdraw a version before its first day."""
    return _done(digest, lambda asked: desk.withdraw_pack(store(), digest, by=me(), on=today(), **asked))


def show_draft(draft: Draft, known: int) -> Response:
    """A draft that was written on the pages, to be proposed.

    :param known: the last proposal of its pack when it was begun.
    """
    return _draft(200, draft, begins=draft.pack.in_force_from, known=known)


def _done(
    digest: str, act: Callable[[dict[str, Any]], Proposed], schema: type[DecisionRequest] = DecisionRequest
) -> Response:
    try:
        act(filled_in(schema))
    except FormError as error:
        return _found(422, desk.find_proposed(store(), digest), error.messages)
    except NotLawError as error:
        return _found(409, desk.find_proposed(store(), digest), error.titles)
    return redirect(url_for("pages.draft", digest=digest), 303)


def _drafts(status: int, faults: Sequence[Title] = ()) -> Response:
    found = desk.list_proposed(store(), number("before"), ROWS + 1)
    rows = found[:ROWS]
    return page(
        "drafts",
        status,
        rows=rows,
        titles={pack.id: pack.title for pack in known_packs(store())},
        before=rows[-1].id if len(found) > ROWS else None,
        states=desk.STATES,
        owners=owners_of(store(), {row.proposed_by for row in rows}),
        faults=faults,
        given=request.form,
    )


def _found(status: int, found: Proposed, refused: Sequence[Title] = ()) -> Response:
    by = {each for each in (found.proposed_by, found.decided_by, found.withdrawn_by) if each}
    return _draft(
        status,
        desk.draft_of(store(), found, today()),
        found=found,
        begins=found.begins,
        states=desk.STATES,
        owners=owners_of(store(), by),
        may_withdraw=found.state == "proposed" or (found.state == "approved" and found.begins > today()),
        refused=refused,
    )


def _draft(status: int, draft: Draft, **values: Any) -> Response:
    """All that a person has to see before it is law. What is decided already, is not tried again."""
    found: Proposed | None = values.get("found")
    is_open = found is None or found.state == "proposed"
    result: dict[str, Any] = {"result": None, "untried": None}
    if draft.before is not None:
        result["changes"] = compare(draft.before, draft.pack, language.title)
    if draft.before is not None and is_open:
        try:
            result |= shown(
                simulated(draft.before, draft.pack, draft.pack.in_force_from, PATIENCE),
                draft.before,
                draft.pack,
            )
        except SimulationError as error:
            result["untried"] = error.title
    defaults = {
        "found": None,
        "refused": (),
        "known": None,
        "unseen": (),
        "given": request.form,
        "hash": identity(draft.pack),
    }
    defaults["shown"] = identity_of(draft.before)
    return page("draft", status, **{**defaults, **result, "draft": draft, "is_open": is_open, **values})
