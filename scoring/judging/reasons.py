"""Which rules cost a subject most: the reason codes of a score."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from rules.model import Pack, Rule
from rules.plan import rules_in_force
from rules.titles import Title

MOST_REASONS = 5
"""How many are named to people, and in files (own choice)."""


class Given(Protocol):
    """A hit: what a rule gave because of one record."""

    @property
    def rule(self) -> Rule:
        """That hit."""

    @property
    def points(self) -> int:
        """Hundredths, after the cap."""


@dataclass(frozen=True, slots=True)
class ReasonCode:
    """A rule or table that gave a subject fewer points than its baseline. Points in hundredths.

    :param id: the rule's, or the table's.
    :param title: the rule's; of the row that hit, where one did alone; else of the table.
    :param points: what it gave, after its cap and before its dimension's floor and ceiling.
    :param baseline: what is expected of it.
    """

    id: str
    title: Title
    points: int
    baseline: int

    @property
    def lost(self) -> int:
        """How far the points are below the baseline."""
        return self.baseline - self.points


def owners_of(pack: Pack, day: dt.date) -> dict[str, tuple[Rule, ...]]:
    """The rules in force that give points, and the tables with their rows, in the order of the pack."""
    owners = defaultdict[str, tuple[Rule, ...]](tuple)
    for rule in rules_in_force(pack, day):
        if rule.dimension is not None:
            owners[rule.table or rule.id] += (rule,)
    return owners


def reason_codes(pack: Pack, day: dt.date, hits: Iterable[Given]) -> tuple[ReasonCode, ...]:
    """What gave fewer points than its baseline on a day, the most first, then by the order of the pack.

    Of a scorecard that is the list of adverse reasons (PMML 4.4, Scorecard, ``pointsBelow``); the baseline
    of a rule or table that states none is 0.

    :param hits: the subject's on that day.

    >>> from fixtures.small import RESTAURANT, small_store
    >>> from scoring.answers.explain import explain
    >>> found = explain(small_store(), "tourism-credit", RESTAURANT)
    >>> [(code.id, code.lost) for code in reason_codes(found.pack, found.as_of, found.hits)]
    [('penalty.general', 500), ('penalty.field', 300)]
    """
    given = defaultdict[str, list[Given]](list)
    for hit in hits:
        given[hit.rule.table or hit.rule.id].append(hit)
    found = _codes(pack, owners_of(pack, day), given)
    return tuple(sorted((code for code in found if code.lost > 0), key=lambda code: -code.lost))


def _codes(
    pack: Pack, owners: Mapping[str, tuple[Rule, ...]], given: Mapping[str, list[Given]]
) -> Iterator[ReasonCode]:
    for owner, rules in owners.items():
        hits = given.get(owner, [])
        hit = {one.rule.id: one.rule.title for one in hits}
        title = next(iter(hit.values())) if len(hit) == 1 else pack.tables.get(owner, rules[0].title)
        yield ReasonCode(owner, title, sum(one.points for one in hits), rules[0].baseline or 0)
