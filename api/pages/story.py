"""An explanation as a story: from the start score through dimensions and rules to the score."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rules.language.expressions import Expression, conjuncts, render
from rules.language.words import words
from rules.model import Column, Grade, Pack, Rule, Supervision, Title
from scoring.answers.explain import ExplainedHit, Explanation
from scoring.answers.why_not import Failed, Miss

START = Title("基准分", "Start")
CEILING = Title("超出满分部分不计", "Above the highest score")
FLOOR = Title("低于最低分部分不计", "Below the lowest score")
HELD = Title("维度限值", "Held by the dimension's bounds")
WIDTH = 1000
"""Of the drawing that bars lie in."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A horizontal bar from ``x`` on."""

    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the waterfall.

    :param level: 0: start, score or dimension; 1: a rule in it.
    :param points: hundredths that it adds.
    :param after: hundredths reached with it.
    :param kind: ``start``; ``up`` or ``down`` by its points; ``held`` where a bound takes points back.
    :param times: how many hits a rule has.
    """

    title: Title
    level: int
    points: int
    after: int
    bar: Bar
    kind: str
    times: int


@dataclass(frozen=True, slots=True)
class RuleHits:
    """A rule and its hits.

    :param points: hundredths of all of them.
    """

    rule: Rule
    hits: tuple[ExplainedHit, ...]
    points: int


@dataclass(frozen=True, slots=True)
class HitGroup:
    """The hits of one part: a dimension, the vetoes, the consequences."""

    title: Title
    hits: tuple[ExplainedHit, ...]

    @property
    def rules(self) -> list[RuleHits]:
        """The hits by rule, the heaviest rule first."""
        by_rule: dict[str, list[ExplainedHit]] = {}
        for hit in self.hits:
            by_rule.setdefault(hit.rule.id, []).append(hit)
        rules = [RuleHits(h[0].rule, tuple(h), sum(hit.points for hit in h)) for h in by_rule.values()]
        return sorted(rules, key=lambda found: -abs(found.points))


@dataclass(frozen=True, slots=True)
class Fact:
    """A known column of a record or subject."""

    column: Column
    value: Any


@dataclass(frozen=True, slots=True)
class Reason:
    """A term that kept a rule out, in words, and the values that it saw."""

    said: Title
    failed: Failed
    found: tuple[tuple[Title, Any, Column | None], ...]


def waterfall(explanation: Explanation) -> list[Step]:
    """The steps from the start score to the score."""
    return _drawn(list(_steps(explanation)))


def hit_groups(explanation: Explanation) -> list[HitGroup]:
    """The hits by dimension, then vetoes, limits of the tier and consequences; the heaviest first.

    A veto is what alone made the tier the lowest.
    """
    pack = explanation.pack
    parts = [(d.title, [h for h in explanation.hits if h.rule.dimension == d.id]) for d in pack.dimensions]
    lowest = pack.tiers[-1]
    bounds = [h for h in explanation.hits if h.rule.is_veto]
    vetoes = [h for h in bounds if h.rule.tier == lowest != explanation.band]
    consequences = [h for h in explanation.hits if h.rule.consequence]
    parts += [
        (Title("一票否决", "Vetoes"), vetoes),
        (Title("等级限制", "Limits of the tier"), [h for h in bounds if h not in vetoes]),
        (Title("结果运用", "Consequences"), consequences),
    ]
    return [
        HitGroup(title, tuple(sorted(hits, key=lambda h: -abs(h.points)))) for title, hits in parts if hits
    ]


def facts(
    values: Mapping[str, Any], columns: Mapping[str, Column], without: Sequence[str] = ()
) -> list[Fact]:
    """What is known, in the order of the vocabulary."""
    return [
        Fact(column, values[name])
        for name, column in columns.items()
        if values.get(name) is not None and name not in without
    ]


def record_facts(record: Mapping[str, Any] | None, pack: Pack) -> list[Fact]:
    """What is known of a record; nothing of none."""
    if record is None or pack.vocabulary.records is None:
        return []
    records = pack.vocabulary.records
    return facts(record, records.columns, (records.key, pack.vocabulary.record_subject))


def reasons(miss: Miss, pack: Pack) -> list[Reason]:
    """What kept a rule out."""
    terms = {render(term): term for term in conjuncts(miss.rule.when.written)}
    return [_reason(failed, terms, pack) for failed in miss.failed]


def grade_of(pack: Pack, tier: str) -> Grade:
    """A tier's title and lowest score."""
    return next(grade for grade in pack.grades if grade.tier == tier)


def supervision_of(pack: Pack, tier: str) -> Supervision | None:
    """What a tier leads to."""
    return next((terms for terms in pack.supervision if terms.tier == tier), None)


def _steps(explanation: Explanation) -> Iterator[tuple[Title, int, int, int, int]]:
    """Title, level, from, to and times of each step."""
    bounds = explanation.pack.score
    reached = bounds.start
    yield START, 0, 0, reached, 1
    for part in explanation.dimensions:
        yield part.dimension.title, 0, reached, reached + part.points, 1
        inner = reached
        for rule, given, times in _rules(explanation, part.dimension.id):
            yield rule.title, 1, inner, inner + given, times
            inner += given
        if inner != reached + part.points:
            yield HELD, 1, inner, reached + part.points, 1
        reached += part.points
    if reached != explanation.score:
        yield CEILING if reached > explanation.score else FLOOR, 0, reached, explanation.score, 1


def _rules(explanation: Explanation, dimension: str) -> Iterable[tuple[Rule, int, int]]:
    """The rules of a dimension that hit, their points and how many hits they have."""
    hits = [hit for hit in explanation.hits if hit.rule.dimension == dimension]
    for rule_id in dict.fromkeys(hit.rule.id for hit in hits):
        same = [hit for hit in hits if hit.rule.id == rule_id]
        yield same[0].rule, sum(hit.points for hit in same), len(same)


def _drawn(steps: list[tuple[Title, int, int, int, int]]) -> list[Step]:
    lowest = min(0, *(min(start, end) for _, _, start, end, _ in steps))
    highest = max(max(start, end) for _, _, start, end, _ in steps)
    scale = WIDTH / ((highest - lowest) or 1)
    return [
        Step(
            title, level, end - start, end, _bar(start, end, lowest, scale), _kind(title, end - start), times
        )
        for title, level, start, end, times in steps
    ]


def _kind(title: Title, points: int) -> str:
    if title is START:
        return "start"
    if title in (HELD, CEILING, FLOOR):
        return "held"
    return "up" if points > 0 else "down"


def _bar(start: int, end: int, lowest: int, scale: float) -> Bar:
    left = (min(start, end) - lowest) * scale
    return Bar(round(left, 1), round(max(abs(end - start) * scale, 2), 1))


def _reason(failed: Failed, terms: Mapping[str, Expression], pack: Pack) -> Reason:
    zh, en = words(pack, "zh"), words(pack, "en")
    found = tuple(
        (Title(zh.name(name), en.name(name)), seen, zh.columns.get(name))
        for name, seen in failed.found.items()
    )
    term = terms[failed.term]
    return Reason(Title(zh.condition(term), en.condition(term)), failed, found)
