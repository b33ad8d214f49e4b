"""The feed of changes, as each may see it, and who was told that a record does not count any more."""

from __future__ import annotations

from typing import Any

from api.around import journal
from api.around.auth import who
from api.around.context import clock, settings, store, vocabulary
from api.http.openapi import Blueprint
from api.http.problems import fail
from api.schemas.changes import ChangesQuery, ChangesSchema, ReceiversQuery, ReceiversSchema
from rules.model import Vocabulary
from scoring.access.audit import append
from scoring.access.consents import LenderStoppedError, day_of
from scoring.access.keys import Role
from scoring.changes.feed import PlaceError, Reading, as_said, audience_of, consented, read
from scoring.changes.receivers import proofs_of
from scoring.facts.records import Record, get_record, unknown_record

blueprint = Blueprint("changes", __name__, url_prefix="/v1", description="What changed, and who was told")


@blueprint.get("/changes")
@blueprint.query(ChangesQuery)
@blueprint.answers(200, ChangesSchema)
def list_changes(query: dict[str, Any]) -> dict[str, Any]:
    """What changed after a place, in the order of the commits: nothing is left out, and nothing told twice.

    A department is told of its own records, a subject of itself, a lender of the tiers of subjects whose
    consent for monitoring holds now: each such item is logged as a check of its subject.
    """
    audience, at = audience_of(who(), settings().pack), clock()()
    try:
        with store().reading() as session:
            found = read(session, audience, query["after"], query["limit"], day_of(at))
    except PlaceError as error:
        fail("bad-request", error.title)
    if audience.role is Role.LENDER:
        found = _consented(found)
    else:
        journal.detail(subjects=sorted({str(item.subject_id) for item in found.items}))
    return {"items": [as_said(item) for item in found.items], "next": str(found.until)}


@blueprint.get("/records/<key:record_id>/receivers")
@blueprint.query(ReceiversQuery)
@blueprint.answers(200, ReceiversSchema)
def list_receivers(query: dict[str, Any], record_id: str) -> dict[str, Any]:
    """Of each repair and each upheld objection of a record: which receivers were told, when, and which
    acknowledged. A department asks for its own records, a subject for those about it.
    """
    words = vocabulary(query["vocabulary"])
    record = concerned(words, record_id)
    proofs = proofs_of(store(), words.id, record.record_id)
    return {"record_id": record.record_id, "subject_id": record.subject_id, "proofs": proofs}


def concerned(words: Vocabulary, record_id: str) -> Record:
    """A record, for a regulator, the department whose it is and the subject that it is about; else 404."""
    asks = who()
    own = asks.organisation if asks.role is Role.DEPARTMENT else None
    record = get_record(store(), words, record_id, own)[0]
    if asks.subject not in (None, record.subject_id):
        raise unknown_record(words, record.record_id)
    journal.subject(record.subject_id)
    return record


def _consented(found: Reading) -> Reading:
    """A lender's items at the moment at which they are logged: nobody withdraws in between."""
    audience = audience_of(who(), settings().pack)
    try:
        with store().writing() as session:
            at = clock()()
            items, events = consented(session, audience, found.items, who(), at, day_of(at))
            append(session, events)
    except LenderStoppedError as error:
        fail("lender-stopped", error.title)
    return Reading(items, found.until)
