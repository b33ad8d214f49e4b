"""The four operations of which a timeline is made, as SQL.

A *span* is an interval ``begins`` to ``ends`` with something that holds in it. A *line* is a step function of
the days, kept as its changes: from ``day`` on the value is ``v``, until the next change; before the first
change it is what a measure of nothing is.

- :func:`summed` and :func:`running`: spans with numbers, or changes of numbers, to a line of their sums;
- :func:`best`: spans with values to a line of the best of those that are open;
- pieces (:meth:`scoring.judging.measures.Lines.pieces`): lines to the pieces on which all stay the same;
- :func:`merged`: neighbouring spans that say the same, to one.

Of these :func:`longest_runs` is made.

On a day alone nothing changes: what is open is grouped, and no days are put in order.
"""

from __future__ import annotations

from collections.abc import Sequence

from scoring.judging.period import Period


def summed(spans: str, keys: Sequence[str], numbers: Sequence[str], period: Period) -> str:
    """The sums of the open spans, as :func:`running` gives them.

    :param spans: a relation of ``keys``, ``begins``, ``ends`` (null for no end) and ``numbers``.
    """
    return running(f"({changes_of(spans, keys, numbers, period)})", keys, numbers, period)


def changes_of(spans: str, keys: Sequence[str], numbers: Sequence[str], period: Period) -> str:
    """What spans, as :func:`summed` takes them, add where they begin and take away where they end."""
    by = ", ".join(keys)
    changes = f"select {by}, begins as day, {', '.join(numbers)} from {spans}"
    if period.is_one_day:
        return changes
    lost = ", ".join(f"-{number} as {number}" for number in numbers)
    return f"{changes} union all select {by}, ends, {lost} from {spans} where ends < {period.until_sql}"


def running(changes: str, keys: Sequence[str], numbers: Sequence[str], period: Period) -> str:
    """Running sums: ``keys``, ``day``, each of ``numbers``, and as ``NUMBER_step`` by how much it changes on
    the day.

    :param changes: a relation of ``keys``, ``day`` and ``numbers``: by how much each changes.
    """
    by = ", ".join(keys)
    if period.is_one_day:
        totals = ", ".join(f"sum({number}) as {number}, sum({number}) as {number}_step" for number in numbers)
        return f"select {by}, {period.first_sql} as day, {totals} from {changes} group by {by}"
    totals = ", ".join(
        f"sum(sum({number})) over changes as {number}, sum({number}) as {number}_step" for number in numbers
    )
    return (
        f"select {by}, day, {totals} from {changes} group by {by}, day"
        f" window changes as (partition by {by} order by day)"
    )


def best(spans: str, keys: Sequence[str], aggregate: str, period: Period) -> str:
    """The best of the open spans: ``keys``, ``day`` and ``v``, null where none is open.

    :param spans: a relation of ``keys``, ``begins``, ``ends`` (null for no end) and ``v``.
    :param aggregate: ``min`` or ``max``: a value that is given twice changes nothing.

    Each span is laid over the nodes of a binary tree above its key's days of change, and each day looks at
    the nodes above it: n log n, where joining days with open spans would grow with the square. On level k the
    span of the days lo to before hi (counted) covers the nodes ceil(lo / 2^k) to before floor(hi / 2^k);
    those at the odd ends have no parent within it and are kept, parents cover the others.
    """
    by = ", ".join(keys)
    if period.is_one_day:
        return f"select {by}, {period.first_sql} as day, {aggregate}(v) as v from {spans} group by {by}"
    until = period.until_sql
    same = " and ".join(f"{{0}}.{key} is not distinct from {{1}}.{key}" for key in keys)
    return f"""
    with given as (select *, coalesce(least(ends, {until}), {until}) as stops from {spans}),
    days as (select {by}, day, row_number() over (partition by {by} order by day) - 1 as place,
        count(*) over (partition by {by}) as days
      from (select {by}, begins as day from given union select {by}, stops from given where stops < {until})),
    placed as (select given.*, b.place as lo, coalesce(e.place, b.days) as hi, b.days from given
      join days b on {same.format("given", "b")} and b.day = given.begins
      left join days e on {same.format("given", "e")} and e.day = given.stops),
    covered as (select *, (lo + (1 << level) - 1) >> level as low, hi >> level as high
      from (select *, unnest(range(0, 1 + cast(floor(log2(days)) as bigint))) as level from placed)),
    nodes as (select {by}, level, node, {aggregate}(v) as v from (
        select *, low as node from covered where low < high and low % 2 = 1
        union all select *, high - 1 from covered where low < high and high % 2 = 1)
      group by {by}, level, node),
    seen as (select *, place >> level as node
      from (select *, unnest(range(0, 1 + cast(floor(log2(days)) as bigint))) as level from days))
    select {", ".join(f"seen.{key}" for key in keys)}, seen.day, {aggregate}(nodes.v) as v from seen
    left join nodes on {same.format("seen", "nodes")} and nodes.level = seen.level and nodes.node = seen.node
    group by {", ".join(f"seen.{key}" for key in keys)}, seen.day"""


def merged(spans: str, keys: Sequence[str]) -> str:
    """Spans with the same ``keys``, of which one ends where the next begins, as one.

    :param spans: a relation of ``keys``, ``begins`` and ``ends``; those of the same keys do not overlap.

    While spans of the same keys follow one another, how far each begins past the days that those before it
    hold together stays the same, and it grows where a day lies between: that tells the islands apart.
    """
    by = ", ".join(keys)
    held = f"sum(ends - begins) over (partition by {by} order by begins rows unbounded preceding)"
    return (
        f"select {by}, min(begins) as begins, max(ends) as ends from ("
        f"select {by}, begins, ends, ends - cast({held} as integer) as island from {spans})"
        f" group by {by}, island"
    )


def longest_runs(spans: str, keys: Sequence[str], step: int, period: Period) -> str:
    """The most numbers in unbroken sequence of which a span is open: ``keys``, ``day`` and ``v``.

    :param spans: a relation of ``keys``, ``number``, ``begins`` and ``ends`` (null for no end); those of the
        same number do not overlap.
    :param step: from one number to the next of a sequence.

    Numbers that follow one another, less ``step`` for each before them, are the same: that tells the islands
    apart. Each day of change looks at the open spans of its key: they are as many as there are months.
    """
    by = ", ".join(keys)
    opened = f"select {by}, {period.first_sql} as day, number from {spans}"
    if not period.is_one_day:
        until = period.until_sql
        bounded = (
            f"(select {by}, number, begins, coalesce(least(ends, {until}), {until}) as ends from {spans})"
        )
        same = " and ".join(f"given.{key} = days.{key}" for key in keys)
        opened = (
            f"with given as ({merged(bounded, [*keys, 'number'])}), days as (select {by}, begins as day"
            f" from given union select {by}, ends from given where ends < {until})"
            f" select days.*, number from days left join given on {same} and begins <= day and day < ends"
        )
    before = f"{step} * row_number() over (partition by {by}, day order by number)"
    islands = f"select *, number - {before} as island from ({opened})"
    counted = f"select {by}, day, count(number) as v from ({islands}) group by {by}, day, island"
    return f"select {by}, day, max(v) as v from ({counted}) group by {by}, day"
