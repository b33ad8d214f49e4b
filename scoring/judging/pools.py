"""Which hits of a subject are summed together before a cap or a dimension holds the sum, and which of its
vetoes come first."""

from __future__ import annotations

from dataclasses import dataclass

from rules.model import Pack, Rule


@dataclass(frozen=True, slots=True)
class Pool:
    """The hits of one capped rule or table, or all the hits of a dimension that no cap holds.

    :param owner: the rule or table whose cap it is; None where there is no cap.
    :param cap: the most, in hundredths, that the pool may give one subject.
    :param dimension: None for vetoes, which give no points.
    """

    owner: str | None
    cap: int | None
    dimension: str | None


def pool_of(rule: Rule) -> Pool:
    """A rule's pool; the rows of a table share the table's."""
    if rule.cap is None:
        return Pool(None, None, rule.dimension)
    owner = f"table {rule.table}" if rule.table else f"rule {rule.id}"
    return Pool(owner, rule.cap, rule.dimension)


def vetoes_in_order(pack: Pack) -> tuple[list[int], list[int]]:
    """The numbers of the rules that force a tier, the worst first, and of those that lower, the most first;
    then by id.

    Of either kind the first that holds decides, and of these two the worse.
    """
    rules = list(enumerate(pack.rules))
    forcing = [(-pack.tiers.index(rule.tier), rule.id, n) for n, rule in rules if rule.tier is not None]
    lowering = [(-rule.lowers, rule.id, n) for n, rule in rules if rule.lowers is not None]
    return [n for *_, n in sorted(forcing)], [n for *_, n in sorted(lowering)]
