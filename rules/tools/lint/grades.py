"""Grades that no score reaches, and supervision that is milder for a worse tier."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from rules.language.expressions import Level
from rules.language.words import number
from rules.model import Dimension, Rule, Supervision
from rules.tools.lint.finding import Finding, Severity
from rules.tools.lint.review import Review

LANES = ("fast", "normal", "careful", "none")


def grades(review: Review) -> Iterator[Finding]:
    """Grades that no subject can have."""
    pack = review.pack
    highest = min(pack.score.max, pack.score.start + _reach(review, most=True))
    lowest = max(pack.score.min, pack.score.start + _reach(review, most=False))
    vetoed = {rule.tier for rule in pack.rules if rule.tier}
    if any(rule.lowers for rule in pack.rules):
        vetoed |= {grade.tier for grade in pack.grades if grade.lowest is not None}
    above = None
    for index, grade in enumerate(pack.grades):
        better, above = above, above if grade.lowest is None else grade.lowest
        if grade.lowest is None:
            if grade.tier in vetoed:
                continue
            message = "no score reaches it, and no veto gives it"
        elif grade.lowest > highest:
            message = f"no score reaches {number(grade.lowest)}: the highest possible is {number(highest)}"
        elif better is not None and better <= lowest and grade.tier not in vetoed:
            message = f"no score is below {number(better)}: the lowest possible is {number(lowest)}"
        else:
            continue
        yield review.finding(Severity.WARNING, "grade-out-of-reach", ("grades", index), grade.tier, message)


def _reach(review: Review, most: bool) -> int:
    """The most (or least) points that all dimensions together can give."""
    return sum(_dimension_reach(review, dimension, most) for dimension in review.pack.dimensions)


_FAR = 10**12


def _dimension_reach(review: Review, dimension: Dimension, most: bool) -> int:
    sign = 1 if most else -1
    bound = dimension.ceiling if most else dimension.floor
    rules = [r for r in review.pack.rules if r.dimension == dimension.id and review.boxes[r.id] != ()]
    tables = {rule.table for rule in rules if rule.table}
    groups = [[r for r in rules if r.table == table] for table in tables]
    groups += [[rule] for rule in rules if rule.table is None]
    total = sum(_group_reach(group, sign) for group in groups)
    if bound is not None:
        total = min(total, sign * bound)
    other = dimension.floor if most else dimension.ceiling
    return sign * (total if other is None else max(total, sign * other))


def _group_reach(rules: Sequence[Rule], sign: int) -> int:
    """The most that a rule, or the rows of a table, can add in the direction of ``sign``."""
    values = [sign * value for rule in rules if rule.points for _, value in rule.points.steps if value]
    gains = [value for value in values if value > 0]
    if not gains and not any(rule.per for rule in rules):
        return 0
    cap = sign * (rules[0].cap or 0)
    if cap > 0:
        return cap
    once = rules[0].level is Level.SUBJECT and not any(rule.per for rule in rules)
    return sum(gains) if once else _FAR


def supervision(review: Review) -> Iterator[Finding]:
    """Tiers without consequence, or worse tiers that are treated more kindly."""
    given = review.pack.supervision
    if not given:
        message = "no tier has a consequence: the pack has no supervision"
        yield review.finding(Severity.NOTICE, "no-supervision", (), "", message)
    for better, worse in pairwise(given):
        for what in _milder(better, worse):
            message = f"{what} is milder than for the better tier {better.tier}"
            yield review.finding(
                Severity.WARNING, "supervision-order", ("supervision", worse.tier), worse.tier, message
            )


def _milder(better: Supervision, worse: Supervision) -> Iterator[str]:
    if worse.sample_share < better.sample_share:
        yield "the share of random inspection"
    if _visits(worse) < _visits(better):
        yield "the limit of visits"
    if _lane(worse) < _lane(better):
        yield "the lane of lending"
    if better.unprompted_visits and not worse.unprompted_visits:
        yield "the visits without a complaint"
    if worse.valid_months > better.valid_months:
        yield "the validity of the grade"


def _lane(supervision: Supervision) -> int:
    return LANES.index(supervision.lending) if supervision.lending else 0


def _visits(supervision: Supervision) -> float:
    """The most visits a year; no limit is more than any."""
    return float("inf") if supervision.visits_per_year is None else supervision.visits_per_year
