"""Looking subjects up in a run: by name or number, the worst first; and how often each rule hit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from scoring.facts.ingest.folding import fold, fold_name
from scoring.facts.ingest.keys import subject_key
from scoring.runs.published import RunSummary, get_run
from scoring.runs.results import graded, next_change, soonest
from scoring.runs.said import said
from scoring.store import Store
from scoring.store.base import Moment
from scoring.store.batches import BATCH_ROWS
from scoring.store.inside import ValueIn
from scoring.store.models import Run, SubjectVersion
from scoring.store.timelines import GradedRule, GradedSubject, Segment, Span

NAME = "name"
"""The attribute that vocabularies call a subject by."""

NAME_NOW = ValueIn(SubjectVersion.data, NAME)

FACETS = ("town", "industry", "size")
"""Attributes by which lists of subjects are narrowed, where a vocabulary has them."""

SORTS: Mapping[str, sa.ColumnElement[int]] = {
    "low": sa.type_coerce(Segment.score, sa.Integer),
    "high": -sa.type_coerce(Segment.score, sa.Integer),
}
"""Orders of a list of subjects beside ``next``: the soonest change first."""

_NAMES_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Listed:
    """A subject in a list; the score in hundredths.

    :param name: what it is called now; None where that is not known.
    :param facets: its :data:`FACETS`, as they are known now.
    :param place: by which the list is in order.
    """

    subject_id: str
    name: str | None
    score: int
    tier: str
    veto: str | None
    next_change_on: dt.date | None
    facets: Mapping[str, str | None] = field(default_factory=dict)
    place: int = 0


@dataclass(frozen=True, slots=True)
class RuleHits:
    """How often a rule hit in a run."""

    hits: int
    subjects: int


def list_subjects(
    store: Store,
    run: RunSummary,
    search: str = "",
    tier: str | None = None,
    after: tuple[int, str] | None = None,
    limit: int = 50,
    *,
    facets: Mapping[str, str] | None = None,
    sort: str = "low",
) -> list[Listed]:
    """Subjects of a run, the lowest score first.

    :param search: a part of the name or of the number, in any width and case, with any spaces; empty for all.
    :param after: place and number of the last subject of the page before.
    :param facets: of :data:`FACETS`, the values that are wanted.
    :param sort: one of :data:`SORTS`, or ``next``.

    >>> from fixtures.small import small_store
    >>> from scoring.runs.published import latest_run
    >>> store = small_store()
    >>> found = list_subjects(store, latest_run(store, "tourism-credit"), search="餐馆")
    >>> [(subject.name, subject.score, subject.tier) for subject in found]
    [('临江餐馆', 6700, 'C')]
    """
    subject = GradedSubject.subject_id
    place = soonest(run) if sort == "next" else SORTS[sort]
    columns = (NAME_NOW.label("name"), *facet_columns(), place.label("place"))
    query = _found(run, search, tier, facets, columns).order_by(place, subject).limit(limit)
    if after is not None:
        query = query.where(sa.tuple_(place, subject) > sa.tuple_(*map(sa.literal, after)))
    with store.reading() as session:
        return [
            Listed(
                row.subject_id,
                row.name,
                row.score,
                row.tier,
                row.veto,
                next_change(row),
                facets_of(row),
                row.place,
            )
            for row in session.execute(query)
        ]


def count_subjects(
    store: Store,
    run: RunSummary,
    search: str = "",
    tier: str | None = None,
    facets: Mapping[str, str] | None = None,
) -> int:
    """How many :func:`list_subjects` lists in all."""
    query = _found(run, search, tier, facets, ()).with_only_columns(sa.func.count())
    with store.reading() as session:
        return session.scalar(query) or 0


def facet_values(store: Store, run: RunSummary) -> Mapping[str, list[str]]:
    """The values that each of :data:`FACETS` has among the subjects known now; remembered for a run."""
    return _facet_values(store, run.vocabulary, run.id)


@lru_cache(maxsize=100)
def _facet_values(store: Store, vocabulary: str, _run: int) -> Mapping[str, list[str]]:
    columns = facet_columns()
    query = sa.select(*columns).where(
        SubjectVersion.vocabulary == vocabulary, SubjectVersion.known_until.is_(None)
    )
    with store.reading() as session:
        rows = session.execute(query.distinct()).all()
    found = {name: sorted({value for row in rows if (value := row._mapping[name])}) for name in FACETS}
    return {name: values for name, values in found.items() if values}


def facet_columns() -> tuple[sa.ColumnElement[str], ...]:
    """The :data:`FACETS` of a current version, by their names."""
    return tuple(ValueIn(SubjectVersion.data, name).label(name) for name in FACETS)


def facets_of(row: Any) -> dict[str, str | None]:
    """What :func:`facet_columns` found."""
    return {name: row._mapping[name] for name in FACETS}


def with_facets(
    query: sa.Select[*tuple[Any, ...]], facets: Mapping[str, str] | None
) -> sa.Select[*tuple[Any, ...]]:
    """Those with these values alone."""
    wanted = facets or {}
    return query.where(
        *(ValueIn(SubjectVersion.data, name) == wanted[name] for name in FACETS if name in wanted)
    )


def matches(vocabulary: str, search: str) -> sa.ColumnElement[bool]:
    """Whether the name or the number of a subject is meant."""
    subject = GradedSubject.subject_id
    pasted = "".join(fold(search).split())
    return (
        NAME_NOW.icontains(fold_name(search), autoescape=True)
        | subject.icontains(pasted, autoescape=True)
        | (subject == subject_key(vocabulary, search))
    )


def _found(
    run: RunSummary,
    search: str,
    tier: str | None,
    facets: Mapping[str, str] | None,
    columns: tuple[Any, ...],
) -> sa.Select[*tuple[Any, ...]]:
    query = graded(run, *columns).outerjoin(
        SubjectVersion, current_version(run.vocabulary, GradedSubject.subject_id)
    )
    if search:
        query = query.where(matches(run.vocabulary, search))
    if tier is not None:
        query = query.where(Segment.tier == tier)
    return with_facets(query, facets)


def names_of(store: Store, vocabulary: str, subject_ids: Iterable[str]) -> dict[str, str]:
    """What subjects are called now; those without a name are left out."""
    name, wanted = ValueIn(SubjectVersion.data, NAME), list(subject_ids)
    names: dict[str, str] = {}
    with store.reading() as session:
        for start in range(0, len(wanted), _NAMES_AT_ONCE):
            query = sa.select(SubjectVersion.subject_id, name).where(
                SubjectVersion.vocabulary == vocabulary,
                SubjectVersion.known_until.is_(None),
                SubjectVersion.subject_id.in_(wanted[start : start + _NAMES_AT_ONCE]),
            )
            names |= {subject: called for subject, called in session.execute(query) if called}
    return names


def rule_hits(store: Store, run: RunSummary) -> Mapping[str, RuleHits]:
    """How often each rule hit in a run; rules that never did are left out."""
    number = sa.func.count()
    columns = (GradedRule.rule, number, sa.func.count(Span.subject.distinct()))
    query = (
        said(Span, run.pack_id, run.id, run.as_of, *columns)
        .join(GradedRule, GradedRule.number == Span.rule)
        .group_by(GradedRule.rule)
    )
    with store.reading() as session:
        return {rule: RuleHits(hits, subjects) for rule, hits, subjects in session.execute(query)}


def all_hits(store: Store, run: RunSummary, rule: str) -> Iterator[dict[str, Any]]:
    """Whom a rule hits in a run, by subject: number, name now, record, points before any cap, from and until.

    Read as they are asked for.
    """
    columns = (
        GradedSubject.subject_id,
        NAME_NOW.label("name"),
        Span.record_id,
        Span.points,
        Span.begins,
        Span.ends,
    )
    query = (
        said(Span, run.pack_id, run.id, run.as_of, *columns)
        .join(GradedRule, GradedRule.number == Span.rule)
        .outerjoin(SubjectVersion, current_version(run.vocabulary, GradedSubject.subject_id))
        .where(GradedRule.rule == rule)
        .order_by(GradedSubject.subject_id, Span.no)
    )
    with store.reading() as session:
        for row in session.execute(query, execution_options={"yield_per": BATCH_ROWS}):
            yield {**row._mapping, "name": row.name or row.subject_id}


def run_before(store: Store, run: RunSummary) -> RunSummary | None:
    """The run that said how things stood before this one: of an earlier date, or corrected by it."""
    order = sa.tuple_(Run.as_of, Run.published_at, Run.id)
    this = sa.tuple_(sa.literal(run.as_of), sa.literal(run.published_at, Moment()), sa.literal(run.id))
    query = sa.select(Run.id).where(Run.pack_id == run.pack_id, order < this)
    with store.reading() as session:
        found = session.scalar(
            query.order_by(Run.as_of.desc(), Run.published_at.desc(), Run.id.desc()).limit(1)
        )
    return None if found is None else get_run(store, found)


def current_version(vocabulary: str, subject_id: Any) -> sa.ColumnElement[bool]:
    """The version of a subject that is known now."""
    return sa.and_(
        SubjectVersion.vocabulary == vocabulary,
        SubjectVersion.subject_id == subject_id,
        SubjectVersion.known_until.is_(None),
    )
