"""The front page and the overview: how every pack's population stands, and what moved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flask import redirect, url_for
from werkzeug.wrappers import Response

from api.around import journal
from api.around.auth import caller, is_regulator
from api.around.context import store
from api.pages.blueprint import blueprint, page
from api.pages.charts import bars
from rules.identity import identity
from rules.model import Pack, Title
from scoring.access.keys import Role
from scoring.answers.search import names_of, run_before
from scoring.live.alerts import Alert, Wanted, list_alerts
from scoring.runs import results
from scoring.runs.published import RunSummary, current_runs, list_runs
from scoring.runs.results import Move
from scoring.store import Store
from scoring.store.packs import stored_pack
from scoring.store.rulebook import known_packs

MOVES_SHOWN = 12
RUNS_SHOWN = 12
ALERTS_SHOWN = 20
COUNTS_REMEMBERED = 1000


@dataclass(frozen=True, slots=True)
class Standing:
    """How a pack's population stands.

    :param counts: how many subjects have each tier.
    :param development: the chart of that, over the latest runs.
    :param before: the run before, None for a first run.
    :param moved: how many subjects have another tier than then.
    :param moves: the first of them; none where the visitor may not see single subjects.
    """

    run: RunSummary
    pack: Pack
    counts: Mapping[str, int]
    development: dict[str, Any]
    before: RunSummary | None
    moved: int
    moves: list[Move]
    names: dict[str, str]


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """An alert that nobody has acknowledged, with what its pack calls it and what its subject is called."""

    alert: Alert
    title: Title
    name: str


@blueprint.get("/")
def front() -> Response:
    """Send everybody to where their work begins."""
    return redirect(url_for("pages.own" if caller().role is Role.SUBJECT else "pages.home"), 303)


@blueprint.get("/overview")
def overview() -> Response:
    """Tier distributions, runs, movers."""
    standings = [_standing(run) for run in current_runs(store())]
    alerts = _open_alerts() if is_regulator() else []
    moved = [move.subject_id for standing in standings for move in standing.moves]
    journal.detail(subjects=[*moved, *(item.alert.subject_id for item in alerts)])
    return page("overview", standings=standings, alerts=alerts, runs=list_runs(store(), limit=RUNS_SHOWN))


def _open_alerts() -> list[OpenAlert]:
    """The newest alerts, by the titles that the known packs give them."""
    alerts = list_alerts(store(), Wanted(state="open"), limit=ALERTS_SHOWN)
    ids = {alert.pack_id for alert in alerts}
    packs = {identity(pack): pack for pack in known_packs(store()) if pack.id in ids}
    return [_named(alert, packs) for alert in alerts]


def _named(alert: Alert, packs: Mapping[str, Pack]) -> OpenAlert:
    """An alert with its title and its subject's name; with their ids where these are not known any more."""
    title, name = Title(alert.alert, alert.alert), alert.subject_id
    pack = packs.get(alert.pack_hash)
    if pack is not None:
        title = next((known.title for known in pack.alerts if known.id == alert.alert), title)
        name = names_of(store(), pack.vocabulary.id, [alert.subject_id]).get(alert.subject_id, name)
    return OpenAlert(alert, title, name)


def _standing(run: RunSummary) -> Standing:
    pack = stored_pack(store(), run.pack_hash)
    before = run_before(store(), run)
    pairs = _transitions(store(), before, run) if before else []
    moved = sum(number for old, new, number in pairs if old is not None and new is not None and old != new)
    moves = results.moves(store(), before, run, limit=MOVES_SHOWN) if before and is_regulator() else []
    return Standing(
        run=run,
        pack=pack,
        counts=_counts(store(), run),
        development=bars(_over_time(run), pack),
        before=before,
        moved=moved,
        moves=moves,
        names=names_of(store(), run.vocabulary, [move.subject_id for move in moves]),
    )


def _over_time(latest: RunSummary) -> dict[str, Mapping[str, int]]:
    """How many subjects had each tier, by date, the latest first; of runs of one date the last."""
    runs: dict[str, RunSummary] = {}
    for run in (latest, *list_runs(store(), latest.pack_id, limit=RUNS_SHOWN)):
        runs.setdefault(str(run.as_of), run)
    return {day: _counts(store(), runs[day]) for day in sorted(runs, reverse=True)}


@lru_cache(maxsize=COUNTS_REMEMBERED)
def _counts(found: Store, run: RunSummary) -> Mapping[str, int]:
    """How many subjects have each tier; remembered, for a published run never changes."""
    return results.tier_counts(found, run)


@lru_cache(maxsize=COUNTS_REMEMBERED)
def _transitions(
    found: Store, before: RunSummary, run: RunSummary
) -> list[tuple[str | None, str | None, int]]:
    """From which tier to which; remembered likewise."""
    return results.transitions(found, before, run)
