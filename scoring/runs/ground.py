"""The published grade on which a consequence may rest."""

from __future__ import annotations

from rules.titles import Title
from scoring.facts.consequences import ConsequenceRefusedError, Grade
from scoring.facts.ingest.keys import subject_key
from scoring.runs.published import current_run
from scoring.runs.results import grade_of
from scoring.store import Store
from scoring.store.packs import stored_pack


def published_grade(store: Store, pack_id: str, subject_id: str) -> Grade:
    """The grade that the latest run of a pack gave a subject. What is published never changes.

    :raises ConsequenceRefusedError: where there is none.
    """
    run = current_run(store, pack_id)
    if run is not None:
        vocabulary = stored_pack(store, run.pack_hash).vocabulary
        if (found := grade_of(store, run, subject_key(vocabulary, subject_id))) is not None:
            return Grade(run.id, found.tier)
    raise ConsequenceRefusedError(
        Title(f"{subject_id}没有{pack_id}的评价结果", f"{pack_id} has not graded {subject_id}")
    )
