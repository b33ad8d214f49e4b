"""Which lawful steps would bring a subject to a better tier, and on which day: exact, by changed facts.

A step is a remedy of the pack, done for one record on the first day on which it may be. A set of steps
reaches a tier on the first day on which all of them are done and the judge gives that tier or a better one,
with nothing else new. The empty set is waiting.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from rules.evaluate import compiled
from rules.model import Pack, Remedy
from scoring.answers.timelines import Facts, Ruled, TimelineAnswer, ruled_by, timeline_of
from scoring.judging.period import Period
from scoring.store import Store
from scoring.terms import terms_of

MOST_STEPS = 4
"""In one set."""

MOST_TRIED = 400
"""Sets that are judged for one question."""

MOST_COUNTED = 10_000
"""Sets left out that are counted: of more it is said that they are as many at least."""


class UnknownTierError(LookupError):
    """The pack has no such tier."""


@dataclass(frozen=True, slots=True)
class Step:
    """A remedy for a record.

    :param on: the first day on which it may be done, the day of the question or later.
    """

    remedy: Remedy
    record_id: str
    on: dt.date


@dataclass(frozen=True, slots=True)
class Path:
    """A set of steps that reaches the tier, none of which can be left out without reaching it later.

    :param reached_on: the first day on which the tier is had.
    :param until: the day on which it is lost again with nothing new; None for never.
    :param score: hundredths, on the first day.
    """

    steps: tuple[Step, ...]
    reached_on: dt.date
    until: dt.date | None
    score: int
    tier: str


@dataclass(frozen=True, slots=True)
class Paths:
    """What leads to a tier.

    :param target: the tier that is to be reached; None where the subject has the best one.
    :param steps: all that are open to the subject.
    :param paths: those that reach it earliest first; of those, the fewest steps first.
    :param tried: how many sets were judged.
    :param untried: how many sets of at most :data:`MOST_STEPS` steps were left out, for there are too many.
    """

    timeline: TimelineAnswer
    pack: Pack
    first: dt.date
    tier: str
    target: str | None
    steps: tuple[Step, ...]
    paths: tuple[Path, ...]
    tried: int
    untried: int


Variant = Callable[[Collection[Step]], Sequence[Ruled]]
"""Gives the subject's timeline once steps are done."""


def paths_of(store: Store, pack_id: str, subject_id: str, tier: str | None = None) -> Paths:
    """What would bring a subject to a tier, by the facts and the day of the latest run.

    Ranks and numbers of peers are held as they stand.

    :param tier: by default the one above the subject's own.
    :raises UnknownSubjectError: where there is no run, or it has nothing of the subject.
    :raises UnknownTierError: where the pack has no such tier.
    """
    answer = timeline_of(store, pack_id, subject_id)
    first = answer.run.as_of
    now = answer.on(first)
    assert now is not None, "a run's pack is in force on its day"
    pack, grade = now.pack, now.timeline.on(first)
    assert grade is not None
    target = tier or _above(pack, grade.tier)
    if target is not None and target not in pack.tiers:
        raise UnknownTierError(f"{pack.id} has no tier {target}, but {', '.join(pack.tiers)}")
    steps = tuple(steps_for(pack, answer.facts, first))
    found: tuple[Path, ...] = ()
    tried = untried = 0
    if target is not None:
        terms = terms_of(store, pack_id, answer.run.id)

        def variant(done: Collection[Step]) -> Sequence[Ruled]:
            return ruled_by(store, terms, changed(answer.facts, done), Period(first))

        found, tried, untried = search(variant, _weightiest_first(steps, now, first), first, target)
    return Paths(answer, pack, first, grade.tier, target, steps, found, tried, untried)


def steps_for(pack: Pack, facts: Facts, first: dt.date) -> Iterator[Step]:
    """Every remedy of the pack for every record that it is for."""
    remedies = [(remedy, compiled(remedy.when), remedy.after) for remedy in pack.remedies]
    for record_id, record in facts.records.items():
        row = {**record, **facts.attributes}
        for remedy, is_for, after in remedies:
            if is_for(row) is not True:
                continue
            day = first if after is None else compiled(after)(row)
            if day is not None and any(record.get(name) != value for name, value in remedy.changes.items()):
                yield Step(remedy, record_id, max(first, day))


def changed(facts: Facts, done: Collection[Step]) -> Facts:
    """The facts once steps are done."""
    records = dict(facts.records)
    for step in done:
        records[step.record_id] = {**records[step.record_id], **step.remedy.changes}
    return replace(facts, records=records)


def search(
    variant: Variant, steps: Sequence[Step], first: dt.date, target: str, most: int = MOST_TRIED
) -> tuple[tuple[Path, ...], int, int]:
    """The paths, how many sets were tried, and how many were not for there being too many.

    A set is of use only where it reaches the tier before every part of itself does; it can't before the last
    of its steps may be done, so most sets need not be judged.
    """
    found: list[Path] = []
    tried = untried = 0
    for done in _sets(steps):
        keys = _keys(done)
        parts = [path.reached_on for path in found if _keys(path.steps) <= keys]
        ready = max((step.on for step in done), default=first)
        if parts and min(parts) <= ready:
            continue
        if tried == most:
            untried += 1
            if untried == MOST_COUNTED:
                break
            continue
        tried += 1
        path = _reached(variant(done), done, ready, target)
        if path is not None and all(path.reached_on < day for day in parts):
            found.append(path)
    found.sort(key=lambda path: (path.reached_on, len(path.steps)))
    return tuple(found), tried, untried


def _sets(steps: Sequence[Step]) -> Iterator[tuple[Step, ...]]:
    """The smallest first. A record has one remedy in a set."""
    for size in range(min(MOST_STEPS, len(steps)) + 1):
        for done in combinations(steps, size):
            if len({step.record_id for step in done}) == size:
                yield done


def _keys(done: Sequence[Step]) -> set[tuple[str, str]]:
    return {(step.record_id, step.remedy.id) for step in done}


def _above(pack: Pack, tier: str) -> str | None:
    place = pack.tiers.index(tier)
    return pack.tiers[place - 1] if place else None


def _weightiest_first(steps: Sequence[Step], now: Ruled, day: dt.date) -> list[Step]:
    """What costs most today is tried first."""
    cost = {hit.record_id: 0 for hit in now.timeline.hits(day)}
    for hit in now.timeline.hits(day):
        cost[hit.record_id] += hit.points - (1_000_000 if hit.rule.tier is not None else 0)
    return sorted(steps, key=lambda step: cost.get(step.record_id, 0))


def _reached(parts: Sequence[Ruled], done: Sequence[Step], ready: dt.date, target: str) -> Path | None:
    """When a timeline first has the tier, from the day on which all steps are done."""
    path: Path | None = None
    for part in parts:
        tiers = part.pack.tiers
        for segment in part.timeline.segments:
            if segment.ends is not None and segment.ends <= ready:
                continue
            is_good = target in tiers and tiers.index(segment.tier) <= tiers.index(target)
            if path is None and is_good:
                day = max(segment.begins, ready)
                path = Path(tuple(done), day, segment.ends, segment.score, segment.tier)
            elif path is not None and path.until == segment.begins and is_good:
                path = replace(path, until=segment.ends)
            elif path is not None:
                return path
    return path
