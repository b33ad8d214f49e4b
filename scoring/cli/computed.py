"""What the pages show of the latest runs, computed when these are published and not when somebody asks."""

from __future__ import annotations

from collections.abc import Callable

from rules.titles import TitledError
from scoring.answers.departments import PACK, department_ranking
from scoring.answers.timelines import compare_group
from scoring.answers.validation.drift import drift, runs_to_compare
from scoring.inspections.foreseen import population_forecast
from scoring.runs.published import RunSummary, current_runs
from scoring.store import Store

Shown = Callable[[Store, RunSummary], object]


def compute_shown(store: Store) -> None:
    """Compute, of the latest run of each pack, what was not computed yet; what can't be is left out.

    >>> from fixtures.small import small_store
    >>> compute_shown(small_store())
    """
    for run in current_runs(store):
        for shown in _SHOWN:
            try:
                shown(store, run)
            except TitledError:  # there are no two runs, or nothing is foretold: the page will say so
                continue


def then_compute(work: Callable[[Store, int], None]) -> Callable[[Store, int], None]:
    """A job, with that after it."""

    def both(store: Store, number: int) -> None:
        work(store, number)
        compute_shown(store)

    return both


def _drift(store: Store, run: RunSummary) -> None:
    drift(store, *runs_to_compare(store, run.pack_id))


def _ranking(store: Store, run: RunSummary) -> None:
    if run.pack_id == PACK:
        department_ranking(store, run.id)


_SHOWN: tuple[Shown, ...] = (
    compare_group,
    _ranking,
    lambda store, run: population_forecast(store, run.pack_id),
    _drift,
)
