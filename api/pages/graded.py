"""The packs by which somebody is graded, as pages name them."""

from __future__ import annotations

from api.around.context import store
from rules.model import Title
from scoring.runs.published import current_runs
from scoring.store.packs import stored_pack


def graded_titles() -> dict[str, Title]:
    """Pack id → the title of the version by which people are graded now."""
    return {run.pack_id: stored_pack(store(), run.pack_hash).title for run in current_runs(store())}
