"""What resources work with."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from flask import current_app, url_for

from api.http.problems import fail
from api.settings import Settings
from rules.calendar import today
from rules.library.loader import load_vocabulary
from rules.model import Pack, Title, Vocabulary
from scoring.access.cache import TimedCache
from scoring.access.consents import Clock
from scoring.runs.published import RunSummary, latest_run
from scoring.runs.results import find_run
from scoring.runs.said import DAY_KIND
from scoring.store import Store
from scoring.store.rulebook import known_packs


def store() -> Store:
    """The store of the application."""
    found: Store = current_app.extensions["store"]
    return found


def settings() -> Settings:
    """The settings of the application."""
    found: Settings = current_app.extensions["settings"]
    return found


def public_address(endpoint: str, **values: Any) -> str | None:
    """The address at which the public reaches an endpoint, by the settings alone: a request may say that it
    came to any host. None where the settings do not say it.
    """
    stated = settings().address
    return None if stated is None else f"{stated}{url_for(endpoint, **values)}"


def clock() -> Clock:
    """What tells the application the time; a test may put another one there."""
    found: Clock = current_app.extensions["clock"]
    return found


def pack_id(query: dict[str, Any]) -> str:
    """The pack that a request names, or the one that is meant where it names none."""
    return str(query.get("pack") or settings().pack)


def vocabulary(name: str) -> Vocabulary:
    """The shared vocabulary of that name, for its records; 404 where there is none, or it has none."""
    found = load_vocabulary(name)
    return (
        found
        if found.records is not None
        else fail("not-found", Title(f"词汇表{name}没有记录", f"the vocabulary {name} has no records"))
    )


def run(run_id: int) -> RunSummary:
    """The run of that number, or 404."""
    return find_run(store(), run_id) or fail(
        "not-found", Title(f"没有第{run_id}次评价", f"there is no run {run_id}")
    )


def run_of(query: dict[str, Any]) -> RunSummary:
    """The run that a request names, or the latest of its pack, up to its date or today; 404 without one.

    Where a date is given it is with this date, for it says how things stand on all days that follow. A run of
    a day to come says how things will stand, and is nobody's grade before.
    """
    if query.get("run") is not None:
        return run(query["run"])
    name, as_of = pack_id(query), query.get("as_of")
    known: TimedCache[tuple[str, dt.date | None], RunSummary] = current_app.extensions["runs"]
    remembered = known.get((name, as_of))
    if remembered is not None:
        return remembered
    found = latest_run(store(), name, as_of or today())
    if found is None:
        zh, en = (f"截至{as_of}", f" up to {as_of}") if as_of else ("", "")
        fail("not-found", Title(f"{name}{zh}还没有评价结果", f"there is no run of {name}{en}"))
    if as_of is not None and found.kind != DAY_KIND:
        found = replace(found, as_of=as_of)
    return known.keep((name, as_of), found)


def packs_called(name: str) -> list[Pack]:
    """The versions of a pack that the store knows, or 404."""
    versions = [pack for pack in known_packs(store()) if pack.id == name]
    return versions or fail("not-found", Title(f"没有名为{name}的评价规则", f"no pack is called {name}"))
