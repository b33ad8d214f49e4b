"""The packs by which somebody is graded, as pages name them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from flask import request

from api.around.context import settings, store
from rules.model import Title
from scoring.facts.ingest.keys import ENTERPRISES
from scoring.runs.proposed import ProposalSummary
from scoring.runs.published import RunSummary, current_runs
from scoring.runs.results import grade_of
from scoring.store.packs import stored_pack
from scoring.store.rulebook import known_ruling


def graded_titles() -> dict[str, Title]:
    """Pack id → the title of the version by which people are graded now."""
    return {run.pack_id: stored_pack(store(), run.pack_hash).title for run in current_runs(store())}


def pack_title(graded: RunSummary | ProposalSummary) -> Title:
    """What the pack is called by which somebody is, or would be, graded."""
    return stored_pack(store(), graded.pack_hash).title


def runs_of(subject_id: str) -> list[RunSummary]:
    """The current runs that graded a subject, that of the server's pack first."""
    found = [run for run in current_runs(store()) if grade_of(store(), run, subject_id) is not None]
    return sorted(found, key=lambda run: run.pack_id != settings().pack)


def kinds_of_records(day: dt.date, own: str | None = None) -> dict[str, Title]:
    """Vocabularies with records, by the pack that rules on them.

    :param own: who is graded: those of its grades alone; of who has none yet, those of enterprises.
    """
    graded = None if own is None else {run.vocabulary for run in runs_of(own)} or {ENTERPRISES}
    return {
        pack.vocabulary.id: pack.title
        for pack in known_ruling(store(), day)
        if pack.vocabulary.records and (graded is None or pack.vocabulary.id in graded)
    }


def kind_asked(kinds: Mapping[str, Title]) -> str:
    """The kind of records that a request names; without one that of enterprises, or else the first that is
    offered.
    """
    first = ENTERPRISES if ENTERPRISES in kinds else next(iter(kinds), ENTERPRISES)
    return request.values.get("vocabulary", first)
