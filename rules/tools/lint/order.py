"""Housekeeping: examples, titles, legal bases, and parts that nothing uses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rules.language.expressions import Level, names
from rules.language.words import kind
from rules.model import OWN_CHOICE, Example, Rule
from rules.plan import rule_names
from rules.tools.lint.finding import Finding, Severity
from rules.tools.lint.review import Review, in_force


def examples(review: Review) -> Iterator[Finding]:
    """Rules that no example speaks of, or that are never shown not to hit."""
    for rule, about in _owners(review):
        if not rule.examples:
            yield review.finding(Severity.WARNING, "no-example", about, _name(rule), "has no example")
        elif rule.table is None and all(example.hit for example in rule.examples):
            message = "every example of it hits: one that does not hit shows where it ends"
            yield review.finding(Severity.NOTICE, "no-counter-example", about, _name(rule), message)


def decided_examples(review: Review) -> Iterator[Finding]:
    """Tables that give a value, of which no example speaks."""
    for measure in review.pack.measures:
        if measure.decision is not None and not measure.decision.examples:
            about = review.path_of(measure)
            yield review.finding(Severity.WARNING, "no-example", about, measure.id, "has no example")


def _owners(review: Review) -> Iterator[tuple[Rule, tuple[str | int, ...]]]:
    """Each rule, veto and table (by its first row, which holds its examples) and where it stands."""
    seen: set[str] = set()
    for rule in review.pack.rules:
        if _name(rule) not in seen:
            seen.add(_name(rule))
            yield rule, review.path(rule)[:2]


def _name(rule: Rule) -> str:
    return rule.table or rule.id


def examples_out_of_force(review: Review) -> Iterator[Finding]:
    """Examples of a day on which the pack or the rule is not in force, and that expect a hit."""
    first, until = review.span
    for rule in (None, *review.pack.rules):
        decided = (e for m in review.pack.measures if m.decision for e in m.decision.examples)
        for example in rule.examples if rule else (*review.pack.examples, *decided):
            if not first <= example.as_of < until:
                # a version that another has ended keeps the examples that it was published with
                severity = Severity.WARNING if example.as_of < first else Severity.NOTICE
                message = f"an example speaks of {example.as_of}, when the pack is not in force"
                yield _at(example, severity, "example-not-in-force", rule, message)
            elif rule and rule.table is None and example.hit and not in_force(rule, example.as_of):
                message = f"an example expects a hit on {example.as_of}, when the rule is not in force"
                yield _at(example, Severity.ERROR, "example-not-in-force", rule, message)


def _at(example: Example, severity: Severity, check: str, rule: Rule | None, message: str) -> Finding:
    return Finding(example.place, severity, check, _name(rule) if rule else "", message)


def titles(review: Review) -> Iterator[Finding]:
    """Titles that two rules (vetoes, consequences) share, and titles without English."""
    owners = list(_owners(review))
    counts = Counter((_title(review, rule), _leads_to(rule)) for rule, _ in owners)
    for rule, about in owners:
        title = _title(review, rule)
        if counts[title, _leads_to(rule)] > 1:
            others = [
                _name(r)
                for r, _ in owners
                if _title(review, r) == title and r is not rule and _leads_to(r) == _leads_to(rule)
            ]
            message = f"has the same title as {', '.join(others)}: {title}"
            yield review.finding(Severity.WARNING, "duplicate-title", about, _name(rule), message)
        if rule.title.zh == rule.title.en and not title.isascii():
            message = f"has no English title: {title}"
            yield review.finding(Severity.NOTICE, "no-english", about, _name(rule), message)


def _leads_to(rule: Rule) -> str:
    """Points, a tier or a consequence: a veto may well be called as the rule that takes points."""
    return kind(rule).replace("table", "rule")


def _title(review: Review, rule: Rule) -> str:
    if rule.table is None:
        return rule.title.zh
    written = review.entries("tables")[int(review.path(rule)[1])]["title"]
    return str(written["zh"] if isinstance(written, dict) else written)


def bases(review: Review) -> Iterator[Finding]:
    """Documents that nothing cites, citations without article, and how much is our own choice."""
    pack = review.pack
    citations = [entry.citations for entry in pack.rules]
    citations += [m.decision.citations for m in pack.measures if m.decision]
    citations += [entry.citations for entry in pack.alerts] + [entry.citations for entry in pack.remedies]
    cited = {citation.basis for given in citations for citation in given}
    for index, basis in enumerate(pack.bases):
        told = basis.id == OWN_CHOICE or basis.repealed_on is not None  # one that is gone is there to say so
        if basis.id not in cited and not told:
            yield review.finding(
                Severity.WARNING, "unused-basis", ("basis", index), basis.id, "no rule cites it"
            )
    owners = [rule for rule, _ in _owners(review)]
    bare = {c.basis for rule in owners for c in rule.citations if not c.article and c.basis != OWN_CHOICE}
    if bare:
        message = f"cited without an article: {', '.join(sorted(bare))}"
        yield review.finding(Severity.NOTICE, "no-article", ("basis",), "", message, f"{min(bare)} §9")
    own = [rule for rule in owners if all(c.basis == OWN_CHOICE for c in rule.citations)]
    if own:
        message = f"{len(own)} of {len(owners)} rules rest on {OWN_CHOICE} alone"
        yield review.finding(Severity.NOTICE, "own-choice", (), "", message)


def unused(review: Review) -> Iterator[Finding]:
    """Measures and dimensions that no rule uses."""
    pack = review.pack
    used = {n.name for rule in pack.rules for n in rule_names(rule) if n.level is Level.MEASURE}
    for measure in reversed(pack.measures):
        if measure.id in used:
            used.update(measure.parts)
            used.update(n.name for n in names(measure.where.written))
    for measure in pack.measures:
        if measure.id not in used:
            about = review.path_of(measure)
            yield review.finding(Severity.WARNING, "unused-measure", about, measure.id, "no rule reads it")
    filled = {rule.dimension for rule in pack.rules}
    for index, dimension in enumerate(pack.dimensions):
        if dimension.id not in filled:
            where, message = ("dimensions", index), "no rule gives it points"
            yield review.finding(Severity.WARNING, "unused-dimension", where, dimension.id, message)
