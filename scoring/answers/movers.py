"""Movers: whose tier differs between two dates or runs, how, and by which rules."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import sqlalchemy as sa

from scoring.answers.search import (
    NAME_NOW,
    current_version,
    facet_columns,
    facets_of,
    with_facets,
)
from scoring.runs.published import RunSummary, latest_run
from scoring.runs.results import moved
from scoring.runs.said import DAY_KIND, said
from scoring.store import Store
from scoring.store.batches import parts
from scoring.store.models import SubjectVersion
from scoring.store.timelines import GradedRule, GradedSubject, Span

Direction = Literal["up", "down"]
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which movers are wanted; None leaves a thing open.

    :param tiers: of the pack, the best first, by which up and down are told.
    :param rule: those whom it began to hit, or hits no more.
    """

    tiers: tuple[str, ...]
    direction: Direction | None = None
    tier_before: str | None = None
    tier: str | None = None
    rule: str | None = None
    facets: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mover:
    """Somebody whose tier differs; scores in hundredths.

    :param begun: rules that hit because of what did not count before.
    :param ended: rules by which something counts no more.
    :param changed: rules that count the same for other points.
    """

    subject_id: str
    name: str | None
    tier_before: str
    tier: str
    score_before: int
    score: int
    facets: Mapping[str, str | None]
    begun: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


def standing_on(store: Store, pack_id: str, day: dt.date) -> RunSummary | None:
    """The latest run of a date up to a day, as it speaks of that day; None where there is none."""
    found = latest_run(store, pack_id, day)
    return found if found is None or found.kind == DAY_KIND else replace(found, as_of=day)


def list_movers(
    store: Store,
    before: RunSummary,
    run: RunSummary,
    wanted: Wanted,
    after: str | None = None,
    limit: int = 50,
) -> list[Mover]:
    """Movers by subject.

    :param after: only subjects with a greater id: the last of the page before.

    >>> from fixtures.small import small_store
    >>> from scoring.runs.published import latest_run
    >>> store = small_store()
    >>> run = latest_run(store, "tourism-credit")
    >>> list_movers(store, run, run, Wanted(("A", "B", "C", "D")))
    []
    """
    query = _narrowed(before, run, wanted, moved(before, run, after, limit))
    with store.reading() as session:
        if (by_rule := _by_rule(session, before, run, wanted)) is not None:
            ahead = [one for one in by_rule if after is None or one > after][:limit]
            query = query.where(GradedSubject.subject_id.in_(ahead))
        rows = session.execute(query.add_columns(NAME_NOW.label("name"), *facet_columns())).all()
        ids = [row.subject_id for row in rows]
        old, new = (_open(session, one, ids) for one in (before, run))
    return [
        Mover(
            row.subject_id,
            row.name,
            row.tier_before,
            row.tier,
            row.score_before,
            row.score,
            facets_of(row),
            *_causes(old.get(row.subject_id, {}), new.get(row.subject_id, {})),
        )
        for row in rows
    ]


def count_movers(store: Store, before: RunSummary, run: RunSummary, wanted: Wanted) -> int:
    """How many :func:`list_movers` lists in all."""
    query = _narrowed(before, run, wanted, moved(before, run)).order_by(None)
    with store.reading() as session:
        if (by_rule := _by_rule(session, before, run, wanted)) is not None:
            return len(by_rule)
        counted = query.with_only_columns(sa.func.count())
        return session.scalar(counted) or 0


def all_movers(store: Store, before: RunSummary, run: RunSummary, wanted: Wanted) -> Iterator[Mover]:
    """Every mover, read as they are asked for."""
    after: str | None = None
    while some := list_movers(store, before, run, wanted, after, _AT_ONCE):
        yield from some
        after = some[-1].subject_id


def _narrowed(
    before: RunSummary, run: RunSummary, wanted: Wanted, query: sa.Select[*tuple[Any, ...]]
) -> sa.Select[*tuple[Any, ...]]:
    old, new = query.selected_columns.tier_before, query.selected_columns.tier
    query = query.outerjoin(SubjectVersion, current_version(run.vocabulary, GradedSubject.subject_id))
    if wanted.tier_before is not None:
        query = query.where(old == wanted.tier_before)
    if wanted.tier is not None:
        query = query.where(new == wanted.tier)
    if wanted.direction is not None:
        places = {tier: place for place, tier in enumerate(wanted.tiers)}
        was, now = (sa.case(places, value=tier, else_=len(places)) for tier in (old, new))
        query = query.where(now < was if wanted.direction == "up" else now > was)
    return with_facets(query, wanted.facets)


def _by_rule(
    session: sa.orm.Session, before: RunSummary, run: RunSummary, wanted: Wanted
) -> list[str] | None:
    """The movers whom a rule began to hit, or hits no more, in their order; None where no rule is asked for.

    Movers are few among everybody: they are found first, and what the rule says of them after.
    """
    if wanted.rule is None:
        return None
    ids = [row.subject_id for row in session.execute(_narrowed(before, run, wanted, moved(before, run)))]
    found: list[str] = []
    for some in parts(ids):
        old, new = (_open(session, one, some, wanted.rule) for one in (before, run))
        found += [one for one in some if old.get(one, {}).keys() != new.get(one, {}).keys()]
    return found


def _open(
    session: sa.orm.Session, run: RunSummary, ids: Sequence[str], rule: str | None = None
) -> dict[str, dict[tuple[str, str | None], int]]:
    """By subject: rule and record of what hits in a run, and its points.

    :param rule: of this one alone.
    """
    columns = (GradedSubject.subject_id, GradedRule.rule, Span.record_id, Span.points)
    query = (
        said(Span, run.pack_id, run.id, run.as_of, *columns)
        .join(GradedRule, GradedRule.number == Span.rule)
        .where(GradedSubject.subject_id.in_(ids))
    )
    if rule is not None:
        query = query.where(GradedRule.rule == rule)
    found: dict[str, dict[tuple[str, str | None], int]] = {}
    for row in session.execute(query) if ids else ():
        found.setdefault(row.subject_id, {})[row.rule, row.record_id] = row.points
    return found


def _causes(
    old: Mapping[tuple[str, str | None], int], new: Mapping[tuple[str, str | None], int]
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Rules that began to hit, that ended, and those whose points differ."""
    begun = {rule for rule, _ in new.keys() - old.keys()}
    ended = {rule for rule, _ in old.keys() - new.keys()}
    same = {key[0] for key in new.keys() & old.keys() if new[key] != old[key]}
    return tuple(sorted(begun)), tuple(sorted(ended)), tuple(sorted(same - begun - ended))
