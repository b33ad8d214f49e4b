"""Why a subject has its grade, and why not another: a published run's hits, and what kept each rule out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.evaluate import Row, evaluate, window_on
from rules.expressions import TRUE, Expression, Level, conjuncts, names, reads_as_of, render
from rules.model import Dimension, Pack, Rule
from rules.plan import Plan, compile_plan
from rules.windows import take_time_out
from scoring.runs import RunSummary, get_run, latest_run
from scoring.store import Store
from scoring.store.documents import decode
from scoring.store.models import DimensionScore, Hit, RecordVersion, Score, SubjectVersion
from scoring.store.packs import PackText, stored_text
from scoring.store.versions import known_at
from scoring.subject_measures import group_measures, measures_among, of_subject, over_group


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
class Failed:
    """A term of a condition that was not true, and the values that it saw."""

    term: str
    found: Mapping[str, Any]
    unknown: bool


@dataclass(frozen=True, slots=True)
class Miss:
    """A rule that did not hit, judged by the record that came nearest.

    :param record_id: that record; None for a rule on the subject, or where there is no record at all.
        A rule of which no record meets the first term has none either, and that term alone has failed.
    :param failed: the terms that kept it out.
    :param window: where the condition holds: the days on which it counted or will count. Where the day of the
        run is one of them, what the points are multiplied by is unknown.
    """

    rule: Rule
    record_id: str | None
    failed: tuple[Failed, ...]
    window: tuple[dt.date, dt.date | None] | None


@dataclass(frozen=True, slots=True)
class DimensionPart:
    """A dimension's points (hundredths) before and after its floor and ceiling."""

    dimension: Dimension
    points_before: int
    points: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """A subject's result in a run, with everything that it rests on. Scores and points in hundredths."""

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
    dimensions: tuple[DimensionPart, ...]
    hits: tuple[ExplainedHit, ...]
    misses: tuple[Miss, ...]


def explain(store: Store, pack_id: str, subject_id: str, run_id: int | None = None) -> Explanation:
    """Why the subject has its grade.

    :param run_id: by default the latest run of the pack.
    :raises UnknownSubjectError: where there is no run, or the run has no result for the subject.
    """
    run = _run(store, pack_id, run_id)
    plan = _plan(stored_text(store, run.pack_hash), run.as_of)
    pack = plan.pack
    with store.reading() as session:
        score = session.get(Score, (run.id, subject_id))
        if score is None:
            raise UnknownSubjectError(f"run {run.id} of {pack_id} has no result for {subject_id}")
        attributes, records = _facts(session, pack, run, subject_id)
        hits = list(session.scalars(_of(Hit, run, subject_id).order_by(Hit.no)))
        dimensions = {d.dimension: d for d in session.scalars(_of(DimensionScore, run, subject_id))}
    values = _measures(store, plan, run, subject_id, attributes, records)
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
        dimensions=tuple(
            DimensionPart(d, found.points_before, found.points)
            for d in pack.dimensions
            if (found := dimensions.get(d.id))
        ),
        hits=tuple(_hit(pack, hit, records, values) for hit in hits),
        misses=tuple(_misses(plan, subject, list(records.values()), {hit.rule for hit in hits})),
    )


def _run(store: Store, pack_id: str, run_id: int | None) -> RunSummary:
    run = get_run(store, run_id) if run_id is not None else latest_run(store, pack_id)
    if run is None:
        raise UnknownSubjectError(f"there is no run of {pack_id} yet; start one with: xinheng score")
    if run.pack_id != pack_id:
        raise UnknownSubjectError(f"run {run.id} is one of {run.pack_id}, not of {pack_id}")
    return run


@lru_cache(maxsize=16)
def _plan(text: PackText, as_of: dt.date) -> Plan:
    return compile_plan(text.load(), as_of)


def _of(model: Any, run: RunSummary, subject_id: str) -> Any:
    return sa.select(model).where(model.run_id == run.id, model.subject_id == subject_id)


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


def _hit(
    pack: Pack, hit: Hit, records: Mapping[str, Mapping[str, Any]], values: Mapping[str, Any]
) -> ExplainedHit:
    rule = pack.rule(hit.rule)
    return ExplainedHit(
        rule=rule,
        record_id=hit.record_id,
        record=records.get(hit.record_id) if hit.record_id is not None else None,
        measures={n.name: values.get(n.name) for n in names(rule.when) if n.level is Level.MEASURE},
        points_before=hit.points_before,
        points=hit.points,
        counts_from=hit.counts_from,
        counts_until=hit.counts_until,
    )


# Measures of one subject


def _measures(
    store: Store,
    plan: Plan,
    run: RunSummary,
    subject_id: str,
    attributes: Mapping[str, Any],
    records: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """The measures' values as the run had them, by the batch's own query."""
    if over_group(plan):
        return of_subject(_group_measures(store, run), subject_id)
    return measures_among(plan, subject_id, [attributes], list(records.values()))


@lru_cache(maxsize=2)
def _group_measures(store: Store, run: RunSummary) -> pa.Table:
    """Everybody's measures in a run that can't change any more."""
    return group_measures(store, _plan(stored_text(store, run.pack_hash), run.as_of), run.known_at)


# Why not


def _misses(plan: Plan, subject: Row, records: Sequence[Row], hit: set[str]) -> Iterable[Miss]:
    """A miss for each rule, and for each table of which no row hit the row that came nearest."""
    tables = {rule.table for rule in plan.rules if rule.table and rule.id in hit}
    rows = [{**subject, **record} for record in records]
    nearest: dict[str, Miss] = {}
    for rule in plan.rules:
        if rule.id in hit or rule.table in tables:
            continue
        miss = _miss(plan, rule, subject, rows)
        owner = f"table {rule.table}" if rule.table else f"rule {rule.id}"
        if owner not in nearest or len(miss.failed) < len(nearest[owner].failed):
            nearest[owner] = miss
    return nearest.values()


def _miss(plan: Plan, rule: Rule, subject: Row, records: Sequence[Row]) -> Miss:
    if rule.level is not Level.RECORD:
        return _judged(plan, rule, subject, None)
    first = next((term for term in conjuncts(rule.when) if _reads_record(term)), TRUE)
    candidates = [row for row in records if evaluate(first, row, plan.as_of) is True]
    if not candidates:
        others = [term for term in _failing(rule, subject, plan.as_of) if not _reads_record(term)]
        missing = () if first == TRUE else (Failed(render(first), {}, False),)
        return Miss(rule, None, missing + tuple(_failed(term, subject, plan.as_of) for term in others), None)
    row = min(candidates, key=lambda candidate: _distance(rule, candidate, plan.as_of))
    assert plan.pack.vocabulary.records is not None
    return _judged(plan, rule, row, str(row[plan.pack.vocabulary.records.key]))


def _judged(plan: Plan, rule: Rule, row: Row, record_id: str | None) -> Miss:
    failing = _failing(rule, row, plan.as_of)
    window = None if failing else _days(rule, row, plan.as_of)
    return Miss(rule, record_id, tuple(_failed(term, row, plan.as_of) for term in failing), window)


def _distance(rule: Rule, row: Row, as_of: dt.date) -> tuple[int, int]:
    """How near a row is to being a hit: terms that fail, then days by which its window misses the day."""
    failing = _failing(rule, row, as_of)
    days = None if failing else _days(rule, row, as_of)
    if days is None:
        return len(failing), dt.date.max.toordinal()
    start, end = days
    return 0, max((start - as_of).days, (as_of - end).days if end else 0)


def _failing(rule: Rule, row: Row, as_of: dt.date) -> list[Expression]:
    """The terms that keep a row out. Where only the day does, the window says so."""
    failing = [term for term in conjuncts(rule.when) if evaluate(term, row, as_of) is not True]
    if all(reads_as_of(term) and evaluate(term, row, as_of) is False for term in failing):
        return []
    return failing


def _days(rule: Rule, row: Row, as_of: dt.date) -> tuple[dt.date, dt.date | None] | None:
    """The days on which a row counts, by the rule's window and the terms of its condition with ``as_of``."""
    timed = take_time_out(rule.when)
    window = window_on(rule.window, row, as_of) if rule.window else (dt.date.min, None)
    if window is None:
        return None
    begins = [evaluate(date, row, as_of) for date in timed.begins]
    ends = [evaluate(date, row, as_of) for date in timed.ends] + ([window[1]] if window[1] else [])
    return max([window[0], *begins]), min(ends, default=None)


def _reads_record(term: Expression) -> bool:
    return any(name.level is Level.RECORD for name in names(term))


def _failed(term: Expression, row: Row, as_of: dt.date) -> Failed:
    seen = {n.name: row.get(n.name) for n in sorted(names(term), key=lambda n: n.name)}
    return Failed(render(term), seen, evaluate(term, row, as_of) is None)
