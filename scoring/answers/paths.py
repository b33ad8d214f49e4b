"""Which lawful steps would bring a subject to a better tier, and on which day: exact, by changed facts.

A step is a remedy of the pack, done for one record on the first day on which it may be. A set of steps
reaches a tier on the first day on which all of them are done and the judge gives that tier or a better one,
with nothing else new. The empty set is waiting.

Nothing is taken for granted of a pack, not even that a step does no harm: every set is judged, the smallest
first, but those of which a part has the tier before they could. Where these are too many to judge, sets that
are larger come from leaving steps out of all of them, and the answer says that it is not complete.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from rules.language.evaluate import compiled
from rules.language.expressions import Level, names
from rules.model import DERIVED, OVER_GROUP, Measure, Pack, Remedy, Rule
from rules.plan import used_measures
from rules.titles import Title, UnknownError
from scoring.answers.timelines import (
    Facts,
    Ruled,
    TimelineAnswer,
    UnknownSubjectError,
    judge_of,
    of_group,
    timeline_of,
)
from scoring.facts.publicity import is_shown
from scoring.judging.one import Varied
from scoring.judging.period import Period
from scoring.judging.timeline import Segment
from scoring.runs.terms import Piece
from scoring.store import Store

MOST_WORK = 80_000
"""What is judged for one question: of each set its records, and as many again as :data:`SET_WORK`. Within
a second."""

SET_WORK = 60

MOST_SETS = 20_000
"""That are looked at for one question, judged or not."""

SMALLEST_FIRST = 0.6
"""The part of the work that goes into sets from the smallest on, before steps are left out of all of them."""


class UnknownTierError(UnknownError):
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
class Nearest:
    """The best grade of all sets that were judged, where none reaches the tier.

    :param on: the first day of that grade.
    :param veto: what forces the tier; None where it is the score.
    :param lowest: the score from which the tier asked for is given by the version in force; None where it
        has no such tier.
    """

    steps: tuple[Step, ...]
    on: dt.date
    score: int
    tier: str
    veto: Rule | None
    lowest: int | None


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to.

    :param paths: those that reach the tier earliest first; of those, the fewest steps first.
    :param tried: how many sets were judged.
    :param tried_to: every set of at most so many steps was judged, or need not be.
    :param complete: whether that is so of every set.
    """

    paths: tuple[Path, ...] = ()
    nearest: Nearest | None = None
    tried: int = 0
    tried_to: int = 0
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Paths:
    """What leads to a tier.

    :param target: the tier that is to be reached; None where the subject has the best one.
    :param steps: all that are open to the subject.
    :param held: measures among others' that are held as they stand, although a step may move them.
    """

    timeline: TimelineAnswer
    pack: Pack
    first: dt.date
    tier: str
    target: str | None
    steps: tuple[Step, ...]
    found: Found
    held: tuple[Measure, ...]


Graded = Sequence[tuple[Pack, Sequence[Segment]]]
"""A subject's grades by each version of the pack on the days on which it rules."""

Variant = Callable[[Collection[Step]], Graded]
"""Gives the subject's grades once steps are done."""


def paths_of(
    store: Store, pack_id: str, subject_id: str, tier: str | None = None, on: dt.date | None = None
) -> Paths:
    """What would bring a subject to a tier, by the facts of the latest run.

    Ranks and numbers of peers are held as they stand.

    :param tier: by default the one above the subject's own.
    :param on: the day of the question, before which nothing can be done any more; by default, and at the
        earliest, that of the run.
    :raises UnknownSubjectError: where there is no run, it has nothing of the subject, or no version of the
        pack is in force on the day.
    :raises UnknownTierError: where the pack has no such tier.

    >>> from fixtures.small import RESTAURANT, small_store
    >>> found = paths_of(small_store(), "tourism-credit", RESTAURANT)
    >>> found.tier, found.target
    ('C', 'B')
    >>> [(path.steps, path.reached_on.isoformat(), path.score) for path in found.found.paths]
    [((), '2027-06-01', 7800)]
    """
    answer = timeline_of(store, pack_id, subject_id)
    first = max(answer.run.as_of, on or answer.run.as_of)
    now = answer.on(first)
    grade = None if now is None else now.timeline.on(first)
    if now is None or grade is None:
        raise UnknownSubjectError(
            Title(
                f"{pack_id}在{first}没有生效的版本",
                f"no version of {pack_id} is in force on {first}",
            )
        )
    target = tier or _above(now.pack, grade.tier)
    if target is not None and target not in now.pack.tiers:
        known = ", ".join(now.pack.tiers)
        raise UnknownTierError(
            Title(
                f"{now.pack.id}没有等级{target};可用:{known}",
                f"{now.pack.id} has no tier {target}, but {known}",
            )
        )
    terms = answer.terms
    steps = tuple(steps_for(terms, answer.facts, first))
    found = Found()
    if target is not None:
        found = reaching(store, terms, answer.facts, steps, now, first, target)
    return Paths(answer, now.pack, first, grade.tier, target, steps, found, held(terms, steps))


def reaching(
    store: Store,
    terms: Sequence[Piece],
    facts: Facts,
    steps: Sequence[Step],
    now: Ruled,
    first: dt.date,
    target: str,
) -> Found:
    """What would bring the subject of some facts to a tier, from a day on.

    :param steps: of :func:`steps_for`.
    :param now: its timeline by the version that rules on the day.
    """
    variant = varied(tuple(_judges(store, terms, facts, Period(first))), facts, steps)
    most = MOST_WORK // (SET_WORK + len(facts.records))
    return search(variant, _weightiest_first(steps, now, first), first, target, most)


# Steps


def steps_for(terms: Sequence[Piece], facts: Facts, first: dt.date) -> Iterator[Step]:
    """Every remedy for every record that it is for, from the day on which a version in force allows it.

    What is past its longest term needs none.
    """
    remedies = [
        (remedy, days, compiled(remedy.when), remedy.after and compiled(remedy.after))
        for term in terms
        if (days := term.within(Period(first))) is not None
        for remedy in term.pack.remedies
    ]
    for record_id, record in facts.records.items():
        if not is_shown(terms[0].pack.vocabulary, record, first):
            continue
        row = {**record, **facts.attributes}
        allowed: dict[str, Step] = {}
        for remedy, days, is_for, after in remedies:
            if remedy.id in allowed or is_for(row) is not True:
                continue
            day = after(row) if after else days.first
            if day is None or (days.until is not None and day >= days.until):
                continue
            if any(record.get(name) != value for name, value in remedy.changes.items()):
                allowed[remedy.id] = Step(remedy, record_id, max(days.first, day))
        yield from allowed.values()


def changed(record: Mapping[str, object], step: Step) -> dict[str, object]:
    """A record once a step is done."""
    return {**record, **step.remedy.changes}


def varied(judges: Sequence[tuple[Pack, Varied]], facts: Facts, steps: Sequence[Step]) -> Variant:
    """The judges of the subject, each of its version of the pack, on the facts with steps done."""
    better = {_key(step): changed(facts.records[step.record_id], step) for step in steps}

    def variant(done: Collection[Step]) -> Graded:
        records = [*({**facts.records, **{step.record_id: better[_key(step)] for step in done}}.values())]
        return [(pack, judge.segments(records)) for pack, judge in judges]

    return variant


def _judges(
    store: Store, terms: Sequence[Piece], facts: Facts, period: Period
) -> Iterator[tuple[Pack, Varied]]:
    for term in terms:
        days = term.within(period)
        if days is not None:
            group = of_group(store, term.pack, facts, days)
            yield term.pack, Varied(judge_of(term.pack), facts.attributes, days, group)


def held(terms: Sequence[Piece], steps: Sequence[Step]) -> tuple[Measure, ...]:
    """The measures that depend on others and read what a step changes."""
    columns = {name for step in steps for name in step.remedy.changes}
    found: dict[str, Measure] = {}
    for term in terms:
        moved = set(columns)
        for measure in used_measures(term.pack, term.pack.rules):
            if moved & _read_by(measure):
                moved.add(measure.id)
                if measure.aggregate in OVER_GROUP:
                    found[measure.id] = measure
    return tuple(found.values())


def _read_by(measure: Measure) -> set[str]:
    """The columns of records and the measures that a measure is made of."""
    window = None if measure.aggregate in DERIVED else measure.window
    parts = [measure.where.written, measure.operand, measure.by]
    parts += [] if window is None else [window.start, window.until]
    read = {name for part in parts if part is not None for name in names(part)}
    return {name.name for name in read if name.level is not Level.SUBJECT} | {*measure.parts}


def _weightiest_first(steps: Sequence[Step], now: Ruled, day: dt.date) -> list[Step]:
    """What costs most today is tried first."""
    cost: Counter[str | None] = Counter()
    for hit in now.timeline.hits(day):
        cost[hit.record_id] += hit.points - (1_000_000 if hit.rule.is_veto else 0)
    return sorted(steps, key=lambda step: cost[step.record_id])


# The search


def search(variant: Variant, steps: Sequence[Step], first: dt.date, target: str, most: int) -> Found:
    """The paths.

    :param steps: the weightiest first.
    :param most: how many sets may be judged.
    """
    return _Search(variant, tuple(steps), first, target, most).found()


class _Search:
    """Sets of steps, each by the places of its steps in their list."""

    def __init__(
        self, variant: Variant, steps: tuple[Step, ...], first: dt.date, target: str, most: int
    ) -> None:
        self._variant, self._steps, self._first, self._target = variant, steps, first, target
        self._most = most
        self._paths: dict[frozenset[int], Path] = {}
        self._judged: dict[frozenset[int], Path | None] = {}
        self._nearest: tuple[tuple[bool, int, int, dt.date, int], Nearest] | None = None

    def found(self) -> Found:
        tried_to, complete = self._smallest_first(int(self._most * SMALLEST_FIRST))
        if not complete:
            self._out_of_all()
        paths = sorted(self._paths.values(), key=lambda path: (path.reached_on, len(path.steps)))
        nearest = self._nearest[1] if self._nearest and not paths else None
        return Found(tuple(paths), nearest, len(self._judged), tried_to, complete)

    def _smallest_first(self, most: int) -> tuple[int, bool]:
        """Judge sets from the smallest on; up to which size all of them, and whether these are all there are.

        A set is of use only where it reaches the tier before every part of itself does; it can't before the
        last of its steps may be done. Where it is of no use, no set that it is a part of is either.
        """
        sets = [frozenset[int]()]
        looked_at = size = 0
        while sets:
            larger: list[frozenset[int]] = []
            for chosen in sets:
                looked_at += 1
                ready, part = self._ready(chosen), self._earliest_part(chosen)
                if part is not None and part <= ready:
                    continue
                if len(self._judged) >= most or looked_at > MOST_SETS:
                    return size - 1, False
                path = self._judge(chosen)
                if path is not None and (part is None or path.reached_on < part):
                    self._paths[chosen] = path
                if path is None or ready < path.reached_on:
                    larger += self._larger(chosen)
            sets, size = larger, size + 1
        return len(self._steps), True

    def _out_of_all(self) -> None:
        """A set that reaches the tier as early as all steps do that may be done by some day."""
        days = sorted({self._first, *(step.on for step in self._steps)})
        low, high = 0, len(days) - 1
        best = self._judge(self._by(days[high]))
        while low < high and len(self._judged) < self._most:
            middle = (low + high) // 2
            path = self._judge(self._by(days[middle]))
            if path is not None and (best is None or path.reached_on <= best.reached_on):
                best, high = path, middle
            else:
                low = middle + 1
        if best is None:
            return
        least = self._without(self._places(best), self._places(best), best.reached_on)
        path = self._judge(least)
        part = self._earliest_part(least)
        if path is not None and (part is None or path.reached_on < part):
            self._paths[least] = path

    def _without(self, kept: frozenset[int], asked: frozenset[int], day: dt.date) -> frozenset[int]:
        """What is left of a set that has the tier on a day, once steps are left out that it can do without.

        :param asked: the steps that may be left out, all at once or else by halves; the lightest first.
        """
        if not asked or len(self._judged) >= self._most:
            return kept
        path = self._judge(kept - asked)
        if path is not None and path.reached_on <= day:
            return kept - asked
        if len(asked) == 1:
            return kept
        places = sorted(asked)
        middle = len(places) // 2
        kept = self._without(kept, frozenset(places[middle:]), day)
        return self._without(kept, frozenset(places[:middle]), day)

    def _by(self, day: dt.date) -> frozenset[int]:
        """All steps that may be done by a day; of a record's the first."""
        places: dict[str, int] = {}
        for place, step in enumerate(self._steps):
            if step.on <= day:
                places.setdefault(step.record_id, place)
        return frozenset(places.values())

    def _larger(self, chosen: frozenset[int]) -> Iterator[frozenset[int]]:
        """The sets with one step more, each given once. A record has one step in a set."""
        records = {self._steps[place].record_id for place in chosen}
        for place in range(max(chosen, default=-1) + 1, len(self._steps)):
            if self._steps[place].record_id not in records:
                yield chosen | {place}

    def _places(self, path: Path) -> frozenset[int]:
        done = set(map(_key, path.steps))
        return frozenset(place for place, step in enumerate(self._steps) if _key(step) in done)

    def _ready(self, chosen: frozenset[int]) -> dt.date:
        return max((self._steps[place].on for place in chosen), default=self._first)

    def _earliest_part(self, chosen: frozenset[int]) -> dt.date | None:
        return min((path.reached_on for part, path in self._paths.items() if part < chosen), default=None)

    def _judge(self, chosen: frozenset[int]) -> Path | None:
        """When a set has the tier first."""
        if chosen not in self._judged:
            done = tuple(self._steps[place] for place in sorted(chosen))
            graded, ready = self._variant(done), self._ready(chosen)
            self._judged[chosen] = path = _reached(graded, done, ready, self._target)
            if path is None and not self._paths:
                self._compare(graded, done, ready)
        return self._judged[chosen]

    def _compare(self, graded: Graded, done: tuple[Step, ...], ready: dt.date) -> None:
        """Keep the best grade that there was."""
        for pack, segment in _from(graded, ready):
            on = max(segment.begins, ready)
            is_known = self._target in pack.tiers
            place = pack.tiers.index(segment.tier)
            order = (not is_known, place, -segment.score, on, len(done))
            if self._nearest is None or order < self._nearest[0]:
                lowest = pack.grades[pack.tiers.index(self._target)].lowest if is_known else None
                forced = segment.veto is not None and segment.tier != segment.band
                veto = pack.rule(segment.veto) if forced and segment.veto else None
                self._nearest = order, Nearest(done, on, segment.score, segment.tier, veto, lowest)


def _reached(graded: Graded, done: tuple[Step, ...], ready: dt.date, target: str) -> Path | None:
    """When a tier is had first, from the day on which all steps are done."""
    path: Path | None = None
    for pack, segment in _from(graded, ready):
        tiers = pack.tiers
        is_good = target in tiers and tiers.index(segment.tier) <= tiers.index(target)
        if path is None and is_good:
            path = Path(done, max(segment.begins, ready), segment.ends, segment.score, segment.tier)
        elif path is not None and path.until == segment.begins and is_good:
            path = replace(path, until=segment.ends)
        elif path is not None:
            return path
    return path


def _from(graded: Graded, day: dt.date) -> Iterator[tuple[Pack, Segment]]:
    """What is graded from a day on."""
    for pack, segments in graded:
        for segment in segments:
            if segment.ends is None or day < segment.ends:
                yield pack, segment


def _key(step: Step) -> tuple[str, str]:
    return step.record_id, step.remedy.id


def _above(pack: Pack, tier: str) -> str | None:
    """The next better tier that scores reach."""
    place = pack.tiers.index(tier)
    return max(((n, pack.tiers[n]) for n, _ in pack.bands if n < place), default=(0, None))[1]
