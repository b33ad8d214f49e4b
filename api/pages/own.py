"""What an enterprise finds behind its own door beside its grade: what waits for it, notices, its visits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from flask import url_for
from werkzeug.wrappers import Response

from api.around import journal
from api.around.auth import who
from api.around.context import settings, store
from api.pages.blueprint import blueprint, page
from api.pages.forms import number
from api.pages.graded import kinds_of_records, runs_of
from api.pages.visits import about
from rules.calendar import today
from rules.model import Title
from scoring.answers.notices.compute import Fell, falls_of
from scoring.facts.desk import Wanted as WantedCases
from scoring.facts.objection_desk import list_objections
from scoring.inspections.office import visits_to
from scoring.inspections.visits import State, Wanted, list_visits
from scoring.runs.proposed import ProposalSummary, list_proposals
from scoring.tickets.chart import SUPERVISED
from scoring.tickets.desk import list_tickets

ROWS = 50
RUNS_LOOKED_AT = 31
"""Of which falls are shown: a month of nightly runs (own choice)."""


@dataclass(frozen=True, slots=True)
class Task:
    """Something that waits for the enterprise.

    :param number: how many; None for one that has a page of its own.
    :param until: the last day for it.
    """

    title: Title
    href: str
    number: int | None = None
    until: dt.date | None = None


@dataclass(frozen=True, slots=True)
class AtDoor:
    """What concerns an enterprise beside its grade; nothing of what concerns it not.

    :param proposals: those by which it would fall, or would have.
    """

    tasks: tuple[Task, ...]
    proposals: tuple[ProposalSummary, ...]
    falls: tuple[Fell, ...]


def at_door(subject_id: str) -> AtDoor:
    """What waits for an enterprise, and the notices that there are for it."""
    proposals = tuple(list_proposals(store(), subject_id=subject_id, limit=ROWS))
    falls = [
        fell for run in runs_of(subject_id) for fell in falls_of(store(), run, subject_id, RUNS_LOOKED_AT)
    ]
    return AtDoor(tuple(_tasks(subject_id, proposals)), proposals, tuple(falls))


@blueprint.get("/own/visits")
def own_visits() -> Response:
    """The visits to an enterprise: those with a code and what came of them, and those of before codes."""
    own, day, before = str(who().subject), today(), number("before")
    found = list_visits(store(), Wanted(subject_id=own, before=before), day, ROWS + 1)
    shown = found[:ROWS]
    journal.subject(own)
    return page(
        "own_visits",
        200,
        visits=shown,
        before=shown[-1].id if len(found) > ROWS else None,
        planned=[] if before else visits_to(store(), settings().pack, own, day),
        **about(shown),
    )


def _tasks(subject_id: str, proposals: tuple[ProposalSummary, ...]) -> Iterator[Task]:
    day = today()
    for proposal in proposals:
        if proposal.may_answer(day) and not proposal.answered:
            en = "A proposed run would lower the tier: answer to it"
            href = url_for("pages.show_notice", proposal_id=proposal.id, subject_id=subject_id)
            yield Task(Title("拟发布的评价将使等级下降，可陈述意见", en), href, None, proposal.until)
    made = list_visits(store(), Wanted(subject_id=subject_id, state=State.MADE), day)
    if unrated := [visit for visit in made if visit.rating is None]:
        yield Task(Title("待评价的检查", "Visits to rate"), url_for("pages.own_visits"), len(unrated))
    if tickets := list_tickets(store(), counterpart=subject_id, stage=SUPERVISED):
        href = url_for("pages.tickets", stage=SUPERVISED)
        yield Task(Title("待评价的问题", "Tickets to judge"), href, len(tickets))
    for kind in kinds_of_records(day, subject_id):
        for found in list_objections(store(), kind, WantedCases(subject_id)):
            if found.case.may_be_reviewed(day):
                href = url_for("pages.objection", objection_id=found.id)
                title = Title("被驳回的异议，可申请复核", "A rejected objection: its review may be asked for")
                yield Task(title, href, None, found.case.due_on)
