"""The best query by hand: what one who knows these rules, and no others, would write for DuckDB.

It knows that every rule has a window in months, that no points are positive, that there are three dimensions
with one floor, no veto, no decay, no measure and no record without a subject. The engine knows none of that.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pyarrow as pa

from benchmarks.rulesets import AS_OF, BenchRule

DAY = f"date '{AS_OF}'"
DIMENSIONS = ("conduct", "finance", "duty")

_MET = """
    from records s join hand_rules r
      on s.kind = r.kind and s.severity = r.severity and s.status = 'effective'
     and s.occurred_on >= r.earliest and s.amount >= r.low and s.amount < r.high
"""
_UNTIL = "cast(occurred_on + to_months(months) as date)"
_BY_DIMENSION = """
        select subject_id, dimension, min(changes_on) as changes_on,
               cast(sum(greatest(points, bound)) filter (where points is not null) as bigint) as points_before
        from {pools} join hand_pools using (pool) group by subject_id, dimension
"""
_SCORES = """
    by_subject as (
        select subject_id, min(changes_on) as changes_on,
               cast(sum(greatest(points_before, -4000)) filter (where points_before is not null) as bigint)
               as points
        from by_dimension group by subject_id)
    select s.subject_id, greatest(0, 10000 + coalesce(points, 0)) as score, changes_on as next_change_on,
           case when score >= 9000 then 'A' when score >= 7500 then 'B' when score >= 6000 then 'C'
           else 'D' end as tier,
           tier as band, cast(null as varchar) as veto, 0 as inputs_known, 0 as inputs_total
    from subjects s left join by_subject b on b.subject_id = s.subject_id
"""
_BY_POOL = f"""
    select subject_id, pool, sum(points) filter (where occurred_on <= {DAY}) as points,
           min(case when occurred_on > {DAY} then occurred_on else until end) as changes_on
"""

_COUNTED = f"(select * from hand_met join hand_ids using (rule) where occurred_on <= {DAY})"


def scores_only(connection: duckdb.DuckDBPyConnection, rules: Sequence[BenchRule]) -> None:
    """``hand_scores`` in one query that keeps nothing else: no hits, no dimensions."""
    _load(connection, rules)
    connection.execute(
        "create or replace temp table hand_scores as with"
        f" met as (select subject_id, pool, points, occurred_on, {_UNTIL} as until {_MET}),"
        f" by_pool as ({_BY_POOL} from met group by subject_id, pool),"
        f" by_dimension as ({_BY_DIMENSION.format(pools='by_pool')}), {_SCORES}"
    )


def everything(connection: duckdb.DuckDBPyConnection, rules: Sequence[BenchRule]) -> None:
    """``hand_scores``, ``hand_dimension_scores`` and ``hand_hits``: what the engine gives."""
    _load(connection, rules)
    for name, query in _EVERYTHING.items():
        connection.execute(f"create or replace temp table {name} as {query}")


_EVERYTHING = {
    "hand_met": f"select subject_id, record_id, rule, pool, points, occurred_on, {_UNTIL} as until {_MET}",
    "hand_by_pool": f"{_BY_POOL} from hand_met group by subject_id, pool",
    "hand_by_dimension": _BY_DIMENSION.format(pools="hand_by_pool"),
    "hand_dimension_scores": f"""
        select subject_id, {list(DIMENSIONS)}[1 + dimension] as dimension, points_before,
               greatest(points_before, -4000) as points
        from hand_by_dimension where points_before is not null""",
    "hand_scores": f"with by_dimension as (from hand_by_dimension), {_SCORES}",
    "hand_over": """
        select subject_id, pool, bound from hand_by_pool join hand_pools using (pool) where points < bound""",
    "hand_hits": f"""
        select subject_id, id as rule, record_id, points as points_before, points, occurred_on as counts_from,
               until as counts_until
        from {_COUNTED} anti join hand_over using (subject_id, pool)
        union all
        select subject_id, id, record_id, points,
               greatest(running, bound) - greatest(running - points, bound), occurred_on, until
        from (select *, sum(points) over (partition by subject_id, pool order by occurred_on, record_id)
                        as running
              from {_COUNTED} join hand_over using (subject_id, pool))""",
}


def _load(connection: duckdb.DuckDBPyConnection, rules: Sequence[BenchRule]) -> None:
    """Rules with a cap have a pool each; those without share their dimension's, numbered from 0."""
    connection.register("hand_rows", pa.Table.from_pylist([_row(n, rule) for n, rule in enumerate(rules)]))
    for name, query in {
        "hand_rules": "select kind, severity, earliest, cast(low as decimal(18, 4)) as low, cast(high as"
        " decimal(18, 4)) as high, cast(rule as smallint) as rule, cast(pool as smallint) as pool,"
        " cast(months as integer) as months, cast(points as integer) as points from hand_rows",
        "hand_pools": "select distinct cast(pool as smallint) as pool, dimension, bound from hand_rows",
        "hand_ids": "select cast(rule as smallint) as rule, id from hand_rows",
    }.items():
        connection.execute(f"create or replace temp table {name} as {query}")
    connection.unregister("hand_rows")


def _row(number: int, rule: BenchRule) -> dict[str, object]:
    dimension = DIMENSIONS.index(rule.dimension)
    return {
        "rule": number,
        "id": rule.id,
        "kind": rule.kind,
        "severity": rule.severity,
        "low": rule.low,
        "high": rule.high,
        "earliest": rule.earliest,
        "months": rule.months,
        "points": rule.points * 100,
        "dimension": dimension,
        "pool": dimension if rule.cap is None else len(DIMENSIONS) + number,
        "bound": None if rule.cap is None else rule.cap * 100,
    }
