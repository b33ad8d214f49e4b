"""Looking subjects up in a run: by name or number, the worst first; and how often each rule hit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from scoring.facts.ingest.folding import fold, fold_text
from scoring.facts.ingest.keys import subject_key
from scoring.runs.published import RunSummary, get_run
from scoring.runs.results import graded, next_change
from scoring.runs.said import said
from scoring.store import Store
from scoring.store.base import Moment
from scoring.store.inside import ValueIn
from scoring.store.models import Run, SubjectVersion
from scoring.store.timelines import GradedRule, GradedSubject, Segment, Span

NAME = "name"
"""The attribute that vocabularies call a subject by."""

_NAMES_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Listed:
    """A subject in a list; the score in hundredths.

    :param name: what it is called now; None where that is not known.
    """

    subject_id: str
    name: str | None
    score: int
    tier: str
    veto: str | None
    next_change_on: dt.date | None


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
) -> list[Listed]:
    """Subjects of a run, the lowest score first.

    :param search: a part of the name or of the number, in any width; empty for all.
    :param after: score and number of the last subject of the page before.

    >>> from fixtures.small import small_store
    >>> from scoring.runs.published import latest_run
    >>> store = small_store()
    >>> found = list_subjects(store, latest_run(store, "tourism-credit"), search="餐馆")
    >>> [(subject.name, subject.score, subject.tier) for subject in found]
    [('临江餐馆', 6700, 'C')]
    """
    name = ValueIn(SubjectVersion.data, NAME)
    subject = GradedSubject.subject_id
    query = (
        graded(run, name.label("name"))
        .outerjoin(SubjectVersion, _current(run.vocabulary, subject))
        .order_by(Segment.score, subject)
        .limit(limit)
    )
    if search:
        query = query.where(
            name.icontains(fold_text(search), autoescape=True)
            | subject.icontains(fold(search), autoescape=True)
            | (subject == subject_key(run.vocabulary, search))
        )
    if tier is not None:
        query = query.where(Segment.tier == tier)
    if after is not None:
        query = query.where(sa.tuple_(Segment.score, subject) > sa.tuple_(*map(sa.literal, after)))
    with store.reading() as session:
        return [
            Listed(row.subject_id, row.name, row.score, row.tier, row.veto, next_change(row))
            for row in session.execute(query)
        ]


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


def _current(vocabulary: str, subject_id: Any) -> sa.ColumnElement[bool]:
    return sa.and_(
        SubjectVersion.vocabulary == vocabulary,
        SubjectVersion.subject_id == subject_id,
        SubjectVersion.known_until.is_(None),
    )
