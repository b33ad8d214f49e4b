"""Simulations: what a pack would do to everybody, with nothing published."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from api.around import journal
from api.around.context import packs_called, store
from api.http.openapi import Blueprint
from api.http.problems import Problem, fail
from api.schemas.supervision import SimulationRequest, SimulationSchema
from rules.fault import PackError, UnknownPackError
from rules.identity import identity
from rules.library.loader import load_text
from rules.model import Pack, Title
from scoring.answers.simulate import Simulation, SimulationError, simulate
from scoring.facts.snapshot import NothingKnownError, moment_known, take_snapshot
from scoring.store.computed import computed, table_in, text_of
from scoring.store.rulebook import known_pack
from scoring.store.workspace import workspace

MOST_MOVERS = 1000

blueprint = Blueprint("simulations", __name__, url_prefix="/v1/simulations", description="Trying a pack")
NO_TIME = dt.timedelta()
PATIENCE = dt.timedelta(seconds=20)
"""How long a draft waits for another simulation (own choice): nobody decides before theirs is shown."""
TEXT = "text"
"""The name that faults of a text in a body are reported under."""
ONE_AT_A_TIME = {"409": "CONFLICT"}
"""What the document says of an operation that waits for no other batch, or not for ever."""
MOST_KEPT = 8
"""So many simulations are kept in a worker (own choice)."""

_TURN = threading.Lock()
_Key = tuple[str, str, str, dt.date, dt.datetime]
_KEPT: dict[_Key, Simulation] = {}


@blueprint.post("")
@blueprint.body(SimulationRequest)
@blueprint.answers(200, SimulationSchema)
@blueprint.describe(responses=ONE_AT_A_TIME)
def post_simulation(body: dict[str, Any]) -> dict[str, Any]:
    """Grade everybody by a draft or an installed version, and by the version in force: who would move?"""
    after = _wanted(body)
    try:
        result = simulated(known_pack(store(), after.id, body["as_of"]), after, body["as_of"])
    except (UnknownPackError, SimulationError) as error:
        fail("invalid", error.title)
    return simulation_view(result)


def simulation_view(result: Simulation) -> dict[str, Any]:
    """What is answered of a simulation; whom it names is noted."""
    movers = result.movers.slice(0, MOST_MOVERS).to_pylist()
    journal.detail(subjects=[mover["subject_id"] for mover in movers])
    return {
        **{
            name: getattr(result, name) for name in ("as_of", "before", "after", "subjects", "moved", "rules")
        },
        "transitions": [
            {"tier_before": t.before, "tier": t.after, "subjects": t.subjects} for t in result.transitions
        ],
        "movers": [
            {
                "subject_id": mover["subject_id"],
                "tier_before": mover["tier_before"],
                "tier": mover["tier_after"],
                "score_before": mover["score_before"],
                "score": mover["score_after"],
                "rules": mover["rules"].split(),
            }
            for mover in movers
        ],
    }


def simulated(before: Pack, after: Pack, as_of: dt.date, patience: dt.timedelta = NO_TIME) -> Simulation:
    """What is known now, by two packs; one simulation at a time in a worker.

    The last of them are kept: the same packs on the same day, by the same facts, come to the same.

    :param patience: how long to wait for another simulation to end, before it is 409.
    :raises SimulationError: where the packs can't be compared, or nobody is known whom they grade.
    """
    try:
        with store().reading() as session:
            known_at = moment_known(store(), session, after.vocabulary, None)
        key = (store().address, identity(before), identity(after), as_of, known_at)
        if (found := _KEPT.get(key)) is not None:
            return found
        with one_at_a_time(patience), workspace() as connection:
            if (found := _KEPT.get(key)) is None:

                def asked() -> Simulation:
                    take_snapshot(store(), after.vocabulary, connection, known_at)
                    made = simulate(connection, before, after, as_of)
                    return replace(made, movers=text_of(made.movers))

                kept = computed(store(), ("simulation", *map(str, key[1:])), Simulation, asked)
                found = replace(kept, movers=table_in(kept.movers))
                _keep(key, found)
            return found
    except NothingKnownError:
        words = after.vocabulary
        en = f"nothing is known of any subject of {words.id}"
        raise SimulationError(Title(f"尚无{words.title.zh}的信息", en)) from None


def _keep(key: _Key, found: Simulation) -> None:
    """By whoever has the turn."""
    while len(_KEPT) >= MOST_KEPT:
        del _KEPT[next(iter(_KEPT))]
    _KEPT[key] = found


def _wanted(body: dict[str, Any]) -> Pack:
    if "text" in body:
        try:
            return load_text(rules_in(body), TEXT)
        except PackError as error:
            raise faulty(error) from None
    if "pack" not in body or "version" not in body:
        en = "give the text of a pack, or pack and version"
        fail("invalid", Title("请给出规则全文,或规则名与版本", en))
    found = (pack for pack in packs_called(body["pack"]) if pack.version == body["version"])
    named, version = body["pack"], body["version"]
    none = Title(f"{named}没有版本{version}", f"{named} has no version {version}")
    return next(found, None) or fail("not-found", none)


def rules_in(body: dict[str, Any]) -> str:
    """The text of a pack in a body, as a file of the same would be read."""
    text: str = body["text"]
    return text.removeprefix("\ufeff").replace("\r\n", "\n")


def faulty(error: PackError) -> Problem:
    """That a text in a body is no pack, with every fault and its place; the first one in its detail."""
    errors = [
        {"location": "json", "field": f"{TEXT}:{p.place.line}:{p.place.column}", "message": p.title}
        for p in error.faults
    ]
    first, many = error.faults[0].title, len(error.faults)
    zh, en = f"规则有{many}处错误,首处:{first.zh}", f"the pack has {many} faults, the first: {first.en}"
    return Problem("invalid", Title(zh, en if many > 1 else f"the pack has a fault: {first.en}"), errors)


@contextmanager
def one_at_a_time(patience: dt.timedelta = NO_TIME) -> Iterator[None]:
    """Two batches at a time would leave too little for those who look grades up."""
    if not _TURN.acquire(timeout=patience.total_seconds()):
        en = "another simulation or test is under way; try again when it is done"
        fail("conflict", Title("另一次模拟或检验正在进行,请在它结束后再试", en))
    try:
        yield
    finally:
        _TURN.release()
