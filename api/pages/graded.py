"""The packs by which somebody is graded, as pages name them."""

from __future__ import annotations

from api.around.context import store
from rules.model import Title
from scoring.answers.search import graded_packs
from scoring.runs.published import current_run
from scoring.store.packs import stored_pack


def graded_titles() -> dict[str, Title]:
    """Pack id → the title of the version by which people are graded now."""
    runs = ((pack_id, current_run(store(), pack_id)) for pack_id in graded_packs(store()))
    return {pack_id: stored_pack(store(), run.pack_hash).title for pack_id, run in runs if run is not None}
