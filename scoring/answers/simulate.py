"""What a new pack would do: a population graded by two packs side by side, and nothing published."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from rules.identity import identity
from rules.model import Pack
from rules.titles import Title, TitledError
from scoring.judging.engine import grade_coded
from scoring.judging.sql import quoted

BAND = 1_000
"""The width of a band of scores, in hundredths."""


class SimulationError(TitledError):
    """Two packs that can't be compared, or a grouping that the population does not have."""


@dataclass(frozen=True, slots=True)
class Version:
    """A pack that took part."""

    pack: str
    version: str
    title: Title
    hash: str


@dataclass(frozen=True, slots=True)
class Transition:
    """How many subjects have the one tier by the old pack and the other by the new one."""

    before: str
    after: str
    subjects: int


@dataclass(frozen=True, slots=True)
class RuleEffect:
    """A rule whose hits differ.

    :param subjects: for how many subjects they do; ``movers`` of them change their tier.
    :param points_before, points_after: hundredths that the rule gives these subjects together.
    """

    rule: str
    title: Title
    subjects: int
    movers: int
    hits_before: int
    hits_after: int
    points_before: int
    points_after: int


@dataclass(frozen=True, slots=True)
class ScoreBand:
    """How many subjects have a score of ``lowest`` (hundredths) up to ten points more."""

    lowest: int
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class GroupShift:
    """How many subjects of one group have a tier, before and after.

    :param attribute: such as ``industry``; ``value`` is None for subjects of whom it is not known.
    """

    attribute: str
    value: str | None
    tier: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Simulation:
    """A population by two packs.

    :param differ: how many subjects have another score or tier.
    :param moved: how many subjects change their tier.
    :param movers: who they are, as Arrow: subject_id, tier_before, tier_after, score_before, score_after
        (hundredths), rules (ids of the rules whose hits differ, joined by spaces).
    """

    as_of: dt.date
    before: Version
    after: Version
    subjects: int
    differ: int
    moved: int
    transitions: tuple[Transition, ...]
    rules: tuple[RuleEffect, ...]
    scores: tuple[ScoreBand, ...]
    groups: tuple[GroupShift, ...]
    movers: pa.Table


def simulate(
    connection: duckdb.DuckDBPyConnection,
    before: Pack,
    after: Pack,
    as_of: dt.date,
    by: Sequence[str] | None = None,
) -> Simulation:
    """Grades a population by two packs; the cost is about two batches.

    :param connection: holds ``subjects`` and the coded tables of a population, as
        :func:`scoring.answers.trial_population.open_population` makes them; results in it are replaced.
    :param by: attributes by whose values to count tiers; None for every attribute with a list of codes.
    :raises SimulationError: where the packs speak of different columns, or ``by`` names no attribute.

    >>> import duckdb
    >>> from fixtures.small import AS_OF, small_store
    >>> from rules.library.loader import PACKS, load_text
    >>> from scoring.facts.snapshot import take_snapshot
    >>> text = (PACKS / "tourism-credit.yaml").read_text(encoding="utf-8")
    >>> before = load_text(text, "old.yaml")
    >>> after = load_text(text.replace("start: 75", "start: 85"), "new.yaml")
    >>> duck = duckdb.connect()
    >>> facts = take_snapshot(small_store(), before.vocabulary, duck)
    >>> found = simulate(duck, before, after, AS_OF)
    >>> found.subjects, found.moved
    (2, 1)
    >>> found.movers.select(["tier_before", "tier_after", "score_after"]).to_pylist()
    [{'tier_before': 'C', 'tier_after': 'B', 'score_after': 7700}]
    """
    _comparable(before, after)
    attributes = _attributes(after, by)
    for pack, name in ((before, "before"), (after, "after")):
        _graded(connection, pack, as_of, name)
    connection.execute(_MOVED)
    connection.execute(_CHANGED)
    return Simulation(
        as_of=as_of,
        before=version_of(before),
        after=version_of(after),
        subjects=_rows(connection, "select count(*) from scores_after")[0][0],
        differ=_rows(connection, _DIFFER)[0][0],
        moved=_rows(connection, "select count(*) from moved")[0][0],
        transitions=_transitions(connection, before, after),
        rules=_effects(connection, before, after),
        scores=tuple(ScoreBand(*row) for row in _rows(connection, _SCORES)),
        groups=tuple(shift for name in attributes for shift in _groups(connection, after, name)),
        movers=connection.sql(_MOVERS).to_arrow_table(),
    )


_MOVED = (
    "create or replace temp table moved as select subject_id, b.tier as tier_before, a.tier as tier_after,"
    " b.score as score_before, a.score as score_after"
    " from scores_before b join scores_after a using (subject_id) where b.tier <> a.tier"
)
_DIFFER = (
    "select count(*) from scores_before b join scores_after a using (subject_id)"
    " where (a.score, a.tier) <> (b.score, b.tier)"
)
_BY_RULE = "select subject_id, rule, count(*) as hits, sum(points) as points from {0} group by all"
_CHANGED = (
    "create or replace temp table changed as select subject_id, rule,"
    " coalesce(b.hits, 0) as hits_before, coalesce(a.hits, 0) as hits_after,"
    " coalesce(b.points, 0) as points_before, coalesce(a.points, 0) as points_after"
    f" from ({_BY_RULE.format('hits_before')}) b full join ({_BY_RULE.format('hits_after')}) a"
    " using (subject_id, rule) where b.hits is distinct from a.hits or b.points is distinct from a.points"
)
_EFFECTS = (
    "select rule, count(*), count(m.subject_id), cast(sum(hits_before) as bigint),"
    " cast(sum(hits_after) as bigint), cast(sum(points_before) as bigint), cast(sum(points_after) as bigint)"
    " from changed left join moved m using (subject_id) group by rule order by 3 desc, 2 desc, 1"
)
_SCORES = (
    "select lowest, count(*) filter (where old), count(*) filter (where not old) from ("
    f"select cast(floor(score / {BAND}) * {BAND} as bigint) as lowest, true as old from scores_before"
    f" union all select cast(floor(score / {BAND}) * {BAND} as bigint), false from scores_after)"
    " group by lowest order by lowest desc"
)
_MOVERS = (
    "select m.*, coalesce(c.rules, '') as rules from moved m left join"
    " (select subject_id, string_agg(rule, ' ' order by rule) as rules from changed group by subject_id) c"
    " using (subject_id) order by subject_id"
)


def _comparable(before: Pack, after: Pack) -> None:
    """Both packs must find their columns in one population."""
    if before.vocabulary != after.vocabulary:
        raise SimulationError(
            Title(
                f"{after.id} {after.version}与{before.id} {before.version}的词汇表不同"
                f"({after.vocabulary.id}、{before.vocabulary.id}),请选用同一词汇表的评价规则",
                f"{after.id} {after.version} grades by another vocabulary ({after.vocabulary.id}) than"
                f" {before.id} {before.version} ({before.vocabulary.id}): "
                f"choose a pack of the same vocabulary",
            )
        )


def _attributes(pack: Pack, by: Sequence[str] | None) -> Sequence[str]:
    columns = pack.vocabulary.subject.columns
    if by is None:
        return [name for name, column in columns.items() if column.values]
    for name in by:
        if name not in columns:
            known = ", ".join(columns)
            raise SimulationError(
                Title(
                    f"{pack.vocabulary.title.zh}没有属性{name};可用:{known}",
                    f"{name} is no attribute of {pack.vocabulary.id}; there are: {known}",
                )
            )
    return by


def _graded(connection: duckdb.DuckDBPyConnection, pack: Pack, as_of: dt.date, name: str) -> None:
    """Grades, and keeps scores and hits under names of their own."""
    grade_coded(connection, pack, as_of, ahead=False)
    for table in ("scores", "hits"):
        connection.execute(f"drop table if exists {table}_{name}")
        connection.execute(f"alter table {table} rename to {table}_{name}")


def _transitions(connection: duckdb.DuckDBPyConnection, before: Pack, after: Pack) -> tuple[Transition, ...]:
    """Every pair of tiers, also those that nobody moves between, best first."""
    counted = _rows(
        connection,
        "select b.tier, a.tier, count(*) from scores_before b join scores_after a using (subject_id)"
        " group by all",
    )
    found = {(old, new): number for old, new, number in counted}
    return tuple(
        Transition(old, new, found.get((old, new), 0)) for old in before.tiers for new in after.tiers
    )


def _effects(connection: duckdb.DuckDBPyConnection, before: Pack, after: Pack) -> tuple[RuleEffect, ...]:
    titles = {rule.id: rule.title for pack in (before, after) for rule in pack.rules}
    return tuple(RuleEffect(rule, titles[rule], *rest) for rule, *rest in _rows(connection, _EFFECTS))


def _groups(connection: duckdb.DuckDBPyConnection, pack: Pack, attribute: str) -> Iterable[GroupShift]:
    key, column = quoted(pack.vocabulary.subject.key), quoted(attribute)
    counted = _rows(
        connection,
        f"select cast({column} as varchar), tier, count(*) filter (where old),"
        " count(*) filter (where not old) from (select subject_id, tier, true as old from scores_before"
        " union all select subject_id, tier, false from scores_after) t"
        f" join subjects s on s.{key} = t.subject_id group by all order by 1 nulls last, 2",
    )
    return (GroupShift(attribute, *row) for row in counted)


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[Any]:
    return connection.execute(query).fetchall()


def version_of(pack: Pack) -> Version:
    """What is said of a pack that takes part."""
    return Version(pack.id, pack.version, pack.title, identity(pack))
