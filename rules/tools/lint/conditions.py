"""Conditions that nothing meets, that always hold, or that say the same as another."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

from rules.language.boxes import Box, boxes, implies
from rules.language.expressions import (
    TRUE,
    Expression,
    Level,
    Like,
    Or,
    Shift,
    conjunction,
    conjuncts,
    render,
    walk,
)
from rules.model import Pack, Rule, Window
from rules.tools.lint.finding import Finding, Severity
from rules.tools.lint.review import Review

MAX_COMPARED = 500
"""Packs with more rules are not searched for rules that imply each other: the pairs grow with the square."""


def dead_rules(review: Review) -> Iterator[Finding]:
    """Rules and vetoes that no record and no subject can meet."""
    for rule in review.pack.rules:
        if review.boxes[rule.id] == ():
            yield review.finding(
                Severity.ERROR, "dead-rule", rule, rule.id,
                "can never hit: its terms exclude each other", render(rule.when.written),
            )  # fmt: skip
        elif (reason := _closed_window(rule)) is not None:
            yield review.finding(Severity.ERROR, "dead-window", rule, rule.id, f"can never hit: {reason}")


def _closed_window(rule: Rule) -> str | None:
    """Why no day is in the rule's window, where that is certain."""
    if rule.window is None:
        return None
    if rule.window.until == rule.window.start:
        return "its window ends where it starts"
    late = any(_after_end(begin, rule.window) for begin in rule.when.begins)
    return "its condition asks for a day after its window's end" if late else None


def _after_end(begin: Expression, window: Window) -> bool:
    if not isinstance(begin, Shift) or begin.operand != window.start:
        return False
    months = window.months is not None and begin.months >= window.months and begin.days >= 0
    days = window.days is not None and begin.months == 0 and begin.days >= window.days
    return months or days


def dead_branches(review: Review) -> Iterator[Finding]:
    """Parts of an ``or`` that can't hold beside the rest of the condition."""
    for rule in review.pack.rules:
        if rule.table or not review.boxes[rule.id]:
            continue
        terms = conjuncts(rule.when.written)
        for term in terms:
            rest = tuple(t for t in terms if t is not term)
            for part in term.parts if isinstance(term, Or) else ():
                if review.possible(conjunction((*rest, part))) == ():
                    yield review.finding(
                        Severity.WARNING,
                        "dead-branch",
                        rule,
                        rule.id,
                        f"this part of it can never hold: {render(part)}",
                    )


def always_true(review: Review) -> Iterator[Finding]:
    """Terms that hold whatever the records are."""
    everything = (Box(review.limits),)
    for rule in review.pack.rules:
        for term in conjuncts(rule.when.written):
            if term != TRUE and implies(everything, boxes(term, open_is_true=False)):
                yield review.finding(
                    Severity.WARNING, "always-true", rule, rule.id, f"this term always holds: {render(term)}"
                )


def plain_like(review: Review) -> Iterator[Finding]:
    """``like`` without a wildcard is ``=``."""
    for rule in review.pack.rules:
        for node in walk(rule.when.written):
            if isinstance(node, Like) and not set("%_") & set(node.pattern):
                yield review.finding(
                    Severity.WARNING, "like-without-wildcard", rule, rule.id,
                    f"like '{node.pattern}' has no wildcard: = says the same, % stands for any text",
                )  # fmt: skip


def dead_measures(review: Review) -> Iterator[Finding]:
    """Measures whose records can't exist."""
    for measure in review.pack.measures:
        if review.possible(measure.where.written) == ():
            yield review.finding(
                Severity.ERROR, "dead-measure", (*review.path_of(measure)[:2], "where"), measure.id,
                "no record can take part: the terms exclude each other", render(measure.where.written),
            )  # fmt: skip


def duplicate_conditions(review: Review) -> Iterator[Finding]:
    """Two rules, or two vetoes, that hit in just the same cases. One case may well have two consequences."""
    same: dict[object, list[Rule]] = {}
    for rule in (rule for rule in review.pack.rules if not rule.consequence):
        terms = frozenset(render(term) for term in conjuncts(rule.when.written))
        same.setdefault((rule.level, terms, rule.window, rule.tier, rule.lowers, rule.below), []).append(rule)
    for rules in same.values():
        for number, other in enumerate(rules):
            first = next((one for one in rules[:number] if _counts_twice(review, one, other)), None)
            if first is not None:
                yield review.finding(
                    Severity.WARNING, "duplicate-condition", other, other.id,
                    f"has the same condition and window as {first.id}", render(other.when.written),
                )  # fmt: skip


def _counts_twice(review: Review, one: Rule, other: Rule) -> bool:
    """Whether both of two rules that say the same may hit on one day."""
    return (one.table is None or one.table != other.table) and review.together(one, other)


def implications(review: Review) -> Iterator[Finding]:
    """Rules that never hit alone: another rule, or a veto, always hits with them."""
    live = [rule for rule in review.pack.rules if review.boxes[rule.id]]
    if len(live) > MAX_COMPARED:
        yield review.finding(
            Severity.NOTICE, "not-compared", (), "",
            f"more than {MAX_COMPARED:,} rules: not searched for rules that imply each other",
        )  # fmt: skip
        return
    for one, other in permutations(live, 2):
        if _implies(review, one, other) and not _implies(review, other, one):
            yield from _implied(review, one, other)


def _implied(review: Review, one: Rule, other: Rule) -> Iterator[Finding]:
    if one.consequence or other.consequence:
        return
    if not (other.is_veto or one.is_veto):
        yield review.finding(
            Severity.NOTICE,
            "adds-up",
            one,
            one.id,
            f"whenever it hits, {other.id} hits too: their points add up",
        )
    elif one.is_veto and (message := _shadowed(review.pack, one, other)) is not None:
        yield review.finding(Severity.WARNING, "shadowed-veto", one, one.id, message)
    elif other.tier == review.pack.tiers[-1] and not one.is_veto:
        yield _under_veto(review, one, other)


def _shadowed(pack: Pack, one: Rule, other: Rule) -> str | None:
    """That a veto decides nothing beside another; None where it may."""
    if other.lowers is not None:
        if one.lowers is None or other.lowers < one.lowers:
            return None
        return f"never decides: whenever it holds, the veto {other.id} lowers by {other.lowers}"
    most = pack.tiers[-1] if one.tier is None else one.tier
    if other.tier is None or pack.tiers.index(other.tier) < pack.tiers.index(most):
        return None
    return f"never decides: whenever it holds, the veto {other.id} forces tier {other.tier}"


def equal_to_veto(review: Review) -> Iterator[Finding]:
    """Rules that hit in just the cases in which a veto forces the worst tier."""
    vetoes = [rule for rule in review.pack.rules if rule.tier == review.pack.tiers[-1]]
    for veto in vetoes:
        for rule in review.pack.rules:
            if rule.dimension and _implies(review, rule, veto) and _implies(review, veto, rule):
                yield _under_veto(review, rule, veto)


def _under_veto(review: Review, rule: Rule, veto: Rule) -> Finding:
    return review.finding(
        Severity.NOTICE, "under-veto", rule, rule.id,
        f"its points can't change the tier: whenever it hits, the veto {veto.id} forces tier {veto.tier}",
    )  # fmt: skip


def _implies(review: Review, one: Rule, other: Rule) -> bool:
    """Whether, certainly, wherever and whenever ``one`` hits, ``other`` hits too."""
    if one.level is not other.level or (one.table is not None and one.table == other.table):
        return False
    low = dict(one.below)
    if any(low.get(name, bound + 1) > bound for name, bound in other.below):
        return False
    first, second = review.boxes[one.id], review.boxes[other.id]
    if not first or not second or not covers(other.window, one.window, one.level):
        return False
    return implies(first, second) and review.together(one, other)


def covers(wide: Window | None, narrow: Window | None, level: Level) -> bool:
    """Whether a record in the narrow window is, certainly, in the wide one."""
    if wide is None or narrow is None:
        return wide is None and level is Level.SUBJECT
    ends = wide.until is None or wide.until == narrow.until
    months = wide.months is None or (narrow.months is not None and narrow.months <= wide.months)
    days = wide.days is None or (narrow.days is not None and narrow.days <= wide.days)
    return wide.start == narrow.start and ends and months and days


def useless_vetoes(review: Review) -> Iterator[Finding]:
    """A veto can only lower: one that forces the best tier does nothing."""
    for rule in review.pack.rules:
        if rule.tier == review.pack.tiers[0]:
            yield review.finding(
                Severity.ERROR, "useless-veto", rule, rule.id,
                f"does nothing: a veto only lowers, and {rule.tier} is the best tier",
            )  # fmt: skip
