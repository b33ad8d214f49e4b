"""Which hits of a subject are summed together before a cap or a dimension holds the sum."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from rules.model import Rule
from rules.plan import Plan


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


def pool_numbers(plan: Plan) -> dict[Pool, int]:
    """The plan's pools, numbered."""
    return {pool: number for number, pool in enumerate(dict.fromkeys(map(pool_of, plan.rules)))}


def pool_table(plan: Plan) -> pa.Table:
    """The pools as Arrow: pool, dimension (its number, null for vetoes), bound (the cap, null for none)."""
    dimensions = {dimension.id: number for number, dimension in enumerate(plan.pack.dimensions)}
    rows = [
        {"pool": number, "dimension": dimensions.get(pool.dimension or ""), "bound": pool.cap}
        for pool, number in pool_numbers(plan).items()
    ]
    fields = {"pool": pa.int32(), "dimension": pa.int32(), "bound": pa.int64()}
    return pa.Table.from_pylist(rows, schema=pa.schema(fields))


def rule_table(plan: Plan) -> pa.Table:
    """The rules as Arrow: rule, id, of vetoes the tier's number and ``veto``: the least names the result."""
    tiers = plan.pack.tiers
    vetoes = [rule for rule in plan.rules if rule.tier is not None]
    order = {r.id: n for n, r in enumerate(sorted(vetoes, key=lambda r: (-tiers.index(r.tier or ""), r.id)))}
    rows = [
        {
            "rule": number,
            "id": rule.id,
            "tier": rule.tier and tiers.index(rule.tier),
            "veto": order.get(rule.id),
        }
        for number, rule in enumerate(plan.rules)
    ]
    fields = {"rule": pa.int32(), "id": pa.string(), "tier": pa.int32(), "veto": pa.int32()}
    return pa.Table.from_pylist(rows, schema=pa.schema(fields))
