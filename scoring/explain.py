"""Why a subject has its grade: a published run's hits, and what kept other rules out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.expressions import Level
from rules.model import Dimension, Pack, Rule
from rules.plan import rows_in_force, rule_names
from scoring.ingest.keys import subject_key
from scoring.judging import one
from scoring.judging.timeline import Hit, dimensions_of
from scoring.misses import Miss, Misses
from scoring.published import RunSummary, current_run, get_run
from scoring.results import grade_of, hits_in
from scoring.store import Store
from scoring.store.documents import decode
from scoring.store.models import RecordVersion, SubjectVersion, known_at
from scoring.store.packs import PackText, stored_text


class UnknownSubjectError(LookupError):
    """The run has no result for that subject, or there is no run."""


@dataclass(frozen=True, slots=True)
class ExplainedHit:
    """A rule that hit.

    :param record: the record's columns as known to the run; None for a rule on the subject itself.
    :param measures: the measures that the rule reads, with their values.
    :param points_before, points: hundredths before and after the cap.
    """

    rule: Rule
    record_id: str | None
    record: Mapping[str, Any] | None
    measures: Mapping[str, Any]
    points_before: int
    points: int
    counts_from: dt.date | None
    counts_until: dt.date | None


@dataclass(frozen=True, slots=True)
class DimensionPart:
    """A dimension's points (hundredths) before and after its floor and ceiling."""

    dimension: Dimension
    points_before: int
    points: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """A subject's result in a run, with everything that it rests on. Scores and points in hundredths.

    :param unmatched: the tables in force of which no row matched the subject.
    """

    run: RunSummary
    pack: Pack
    subject_id: str
    attributes: Mapping[str, Any]
    measures: Mapping[str, Any]
    score: int
    tier: str
    band: str
    veto: Rule | None
    next_change_on: dt.date | None
    inputs_known: int
    inputs_total: int
    unmatched: tuple[str, ...]
    dimensions: tuple[DimensionPart, ...]
    hits: tuple[ExplainedHit, ...]
    misses: tuple[Miss, ...]


def explain(store: Store, pack_id: str, subject_id: str, run_id: int | None = None) -> Explanation:
    """Why the subject has its grade.

    :param run_id: by default the latest run of the pack.
    :raises UnknownSubjectError: where there is no run, or the run has no result for the subject.
    """
    run = _run(store, pack_id, run_id)
    prepared = _prepared(stored_text(store, run.pack_hash), run.as_of)
    pack = prepared.judge.pack
    subject_id = subject_key(pack.vocabulary, subject_id)
    score = grade_of(store, run, subject_id)
    if score is None:
        raise UnknownSubjectError(f"run {run.id} of {pack_id} has no result for {subject_id}")
    hits = hits_in(store, run, pack, subject_id)
    dimensions = dimensions_of(pack.dimensions, hits)
    with store.reading() as session:
        attributes, records = _facts(session, pack, run, subject_id)
    values = _measures(store, prepared, run, subject_id, attributes, records)
    subject = {**attributes, **values}
    return Explanation(
        run=run,
        pack=pack,
        subject_id=subject_id,
        attributes=attributes,
        measures=values,
        score=score.score,
        tier=score.tier,
        band=score.band,
        veto=pack.rule(score.veto) if score.veto else None,
        next_change_on=score.next_change_on,
        inputs_known=score.inputs_known,
        inputs_total=score.inputs_total,
        unmatched=_unmatched(pack, run.as_of, {hit.rule.id for hit in hits}),
        dimensions=tuple(DimensionPart(d, *dimensions[d.id]) for d in pack.dimensions if d.id in dimensions),
        hits=tuple(_hit(hit, records, values) for hit in hits),
        misses=tuple(prepared.misses.of(subject, list(records.values()), {hit.rule.id for hit in hits})),
    )


def _unmatched(pack: Pack, day: dt.date, hit: set[str]) -> tuple[str, ...]:
    rows = rows_in_force(pack, day)
    return tuple(sorted({*rows.values()} - {rows[rule] for rule in hit if rule in rows}))


def _run(store: Store, pack_id: str, run_id: int | None) -> RunSummary:
    run = get_run(store, run_id) if run_id is not None else current_run(store, pack_id)
    if run is None:
        raise UnknownSubjectError(f"there is no run of {pack_id} yet; start one with: xinheng score")
    if run.pack_id != pack_id:
        raise UnknownSubjectError(f"run {run.id} is one of {run.pack_id}, not of {pack_id}")
    return run


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What explaining a pack's grades of one day needs."""

    judge: one.Judge
    misses: Misses


@lru_cache(maxsize=16)
def _prepared(text: PackText, as_of: dt.date) -> _Prepared:
    pack = text.load()
    return _Prepared(one.Judge(pack), Misses(pack, as_of))


def _facts(
    session: Session, pack: Pack, run: RunSummary, subject_id: str
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """The subject's attributes and its records by id, as the run knew them."""
    vocabulary = pack.vocabulary
    subject = session.scalar(_known(SubjectVersion, run, subject_id))
    attributes = decode(subject.data, vocabulary.subject) if subject else {}
    if vocabulary.records is None:
        return attributes, {}
    versions = session.scalars(_known(RecordVersion, run, subject_id).order_by(RecordVersion.record_id))
    return attributes, {v.record_id: decode(v.data, vocabulary.records) for v in versions}


def _known(version: Any, run: RunSummary, subject_id: str) -> Any:
    return sa.select(version).where(
        version.vocabulary == run.vocabulary,
        version.subject_id == subject_id,
        known_at(version, run.known_at),
    )


def _hit(hit: Hit, records: Mapping[str, Mapping[str, Any]], values: Mapping[str, Any]) -> ExplainedHit:
    return ExplainedHit(
        rule=hit.rule,
        record_id=hit.record_id,
        record=records.get(hit.record_id) if hit.record_id is not None else None,
        measures={name: values.get(name) for name in _measures_read(hit.rule)},
        points_before=hit.points_before,
        points=hit.points,
        counts_from=hit.counts_from,
        counts_until=hit.counts_until,
    )


def _measures_read(rule: Rule) -> list[str]:
    return sorted(name.name for name in rule_names(rule) if name.level is Level.MEASURE)


# Measures of one subject


def _measures(
    store: Store,
    prepared: _Prepared,
    run: RunSummary,
    subject_id: str,
    attributes: Mapping[str, Any],
    records: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """The measures' values as the run had them."""
    judge = prepared.judge
    of_group = _of_group(store, run, judge.pack, subject_id) if judge.over_group else {}
    return judge.values(attributes, list(records.values()), run.as_of, of_group)


def _of_group(store: Store, run: RunSummary, pack: Pack, subject_id: str) -> dict[str, Any]:
    """What depends on other subjects, which alone needs DuckDB: it is loaded when it is asked for."""
    from scoring.group_measures import of_subject

    return of_subject(_group_measures(store, run), pack, subject_id)


@lru_cache(maxsize=2)
def _group_measures(store: Store, run: RunSummary) -> Any:
    """Everybody's measures in a run that can't change any more, as Arrow."""
    from scoring.group_measures import measures_of_group

    return measures_of_group(store, stored_text(store, run.pack_hash).load(), run.as_of, run.known_at)
