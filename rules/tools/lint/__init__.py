"""Lint: what is allowed in a pack but can hardly be meant. What is not allowed, loading refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice

from rules.library.loader import load_text
from rules.model import Pack
from rules.text.source import read
from rules.tools.lint import conditions, facts, grades, law, order, points, tables
from rules.tools.lint.finding import Finding, Severity
from rules.tools.lint.review import Review
from rules.tools.lint.versions import lint_versions

__all__ = ["CHECKS", "Finding", "Severity", "lint_pack", "lint_text", "lint_versions"]

Check = Callable[[Review], Iterator[Finding]]

MOST_FINDINGS = 5_000
"""Of one check so many are looked for, as nobody reads more and what is compared grows with the square."""

CHECKS: tuple[Check, ...] = (
    conditions.dead_rules,
    conditions.dead_branches,
    conditions.dead_measures,
    conditions.always_true,
    conditions.plain_like,
    conditions.duplicate_conditions,
    conditions.implications,
    conditions.equal_to_veto,
    conditions.useless_vetoes,
    tables.tables,
    grades.grades,
    grades.supervision,
    points.zero_points,
    points.caps,
    points.idle_caps,
    points.beyond_dimension,
    points.dated_values,
    points.counts_forever,
    points.no_way_out,
    points.idle_decay,
    points.endless_measures,
    points.groups_of_nothing,
    order.examples,
    order.decided_examples,
    order.examples_out_of_force,
    order.titles,
    order.bases,
    order.unused,
    law.authority,
    law.called_as_the_nation_does,
    law.bases_in_force,
    law.limits,
    facts.facts_met_twice,
)


def lint_text(text: str, file: str, vocabulary_text: str | None = None) -> list[Finding]:
    r"""Every finding about a pack, by place.

    :param text: the pack's YAML.
    :param file: the name that findings are reported under.
    :param vocabulary_text: as for :func:`rules.library.loader.load_text`.
    :raises PackError: where the pack can't be loaded.

    >>> from rules.library.loader import PACKS
    >>> text = (PACKS / "tourism-credit.yaml").read_text(encoding="utf-8")
    >>> found = lint_text(text.replace("points: 2\n", "points: 0\n", 1), "my.yaml")
    >>> [(str(one.place), one.check, one.subject) for one in found if one.severity == "warning"]
    [('my.yaml:112:5', 'zero-points', 'scheme.joined')]
    """
    return lint_pack(load_text(text, file, vocabulary_text), text)


def lint_pack(pack: Pack, text: str) -> list[Finding]:
    """Every finding about a pack that is loaded, by place.

    :param text: what it was loaded from.
    """
    review = Review(pack, read(text, pack.place.file))
    found = [finding for check in CHECKS for finding in _first(review, check)]
    return sorted(found, key=lambda finding: (finding.place, finding.check, finding.subject))


def _first(review: Review, check: Check) -> list[Finding]:
    """What a check finds. Where that is too much it is an error, as errors may be among the others."""
    found = list(islice(check(review), MOST_FINDINGS + 1))
    if len(found) > MOST_FINDINGS:
        message = f"more than {MOST_FINDINGS:,} are like this one: the others are not looked for"
        found.append(
            replace(found.pop(), severity=Severity.ERROR, check="too-many-findings", message=message)
        )
    return found
