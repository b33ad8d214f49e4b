"""The audit log."""

from __future__ import annotations

from typing import Any

from api.around.context import settings, store
from api.around.naming import vocabulary_of
from api.http.messages import in_language
from api.http.openapi import Blueprint
from api.http.paging import page
from api.schemas.keys import EntriesQuery, EntryPage, VerificationSchema
from scoring.access import audit
from scoring.facts.ingest.keys import subject_key

blueprint = Blueprint("audit", __name__, url_prefix="/v1/audit", description="Who read or changed what")


@blueprint.get("")
@blueprint.query(EntriesQuery)
@blueprint.answers(200, EntryPage)
def list_entries(query: dict[str, Any]) -> dict[str, Any]:
    """Entries, the newest first."""
    wanted = {name: query.get(name) for name in ("subject_id", "actor", "action")}
    if wanted["subject_id"]:
        wanted["subject_id"] = subject_key(vocabulary_of(settings().pack), wanted["subject_id"])
    return page(
        lambda limit: audit.entries(store(), **wanted, before=query.get("cursor"), limit=limit),
        query,
        lambda entry: entry.seq,
    )


@blueprint.get("/verification")
@blueprint.answers(200, VerificationSchema)
def verify_log() -> dict[str, Any]:
    """Check the chain of all entries; long where there are many."""
    found = audit.verify(store())
    faults = [{"seq": fault.seq, "message": in_language(fault.message)} for fault in found.faults]
    return {"intact": not faults, "entries": found.entries, "head": found.head, "faults": faults}
