"""Why a subject has its grade, and why not another: the hits of a published run, and what kept each rule out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.evaluate import Row, evaluate, window_on
from rules.expressions import Expression, Level, conjuncts, names, render
from rules.model import OVER_GROUP, Dimension, Pack, Rule
from rules.plan import Plan, compile_plan
from scoring import measures as measure_sql
from scoring.runs import RunSummary, get_run, latest_run
from scoring.sql import DUCKDB_MACROS, quoted, sql_type
from scoring.store import Store
from scoring.store.documents import decode
from scoring.store.models import DimensionScore, Hit, RecordVersion, Score, SubjectVersion
from scoring.store.packs import stored_pack
from scoring.store.snapshot import take_snapshot
from scoring.store.versions import known_at


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
    :param failed: the terms that kept it out.
    :param window: where the condition holds: the days on which the record counted or will count.
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
    run = get_run(store, run_id) if run_id is not None else latest_run(store, pack_id)
    if run is None or run.pack_id != pack_id:
        raise UnknownSubjectError(f"there is no run of {pack_id} yet; start one with: xinheng score")
    pack = stored_pack(store, run.pack_hash)
    with store.reading() as session:
        score = session.get(Score, (run.id, subject_id))
        if score is None:
            raise UnknownSubjectError(f"run {run.id} of {pack_id} has no result for {subject_id}")
        attributes, records = _facts(session, pack, run, subject_id)
        hits = list(session.scalars(_of(Hit, run, subject_id).order_by(Hit.no)))
        dimensions = {d.dimension: d for d in session.scalars(_of(DimensionScore, run, subject_id))}
    plan = compile_plan(pack, run.as_of)
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
        version.vocabulary == run.vocabulary, version.subject_id == subject_id, known_at(version, run.known_at)
    )


def _hit(pack: Pack, hit: Hit, records: Mapping[str, Mapping[str, Any]], values: Mapping[str, Any]) -> ExplainedHit:
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
    """The measures' values, by the batch's own query over this subject; a rank needs its whole group."""
    if not plan.measures:
        return {}
    vocabulary = plan.pack.vocabulary
    with duckdb.connect(config={"threads": 1}) as duck:
        for macro in (*DUCKDB_MACROS, *measure_sql.MACROS):
            duck.execute(macro)
        if any(m.measure.aggregate in OVER_GROUP for m in plan.measures):
            take_snapshot(store, vocabulary, duck, run.known_at)
        else:
            _fill(duck, "subjects", vocabulary.subject.columns, [attributes])
            _fill(duck, "records", vocabulary.records.columns if vocabulary.records else {}, list(records.values()))
        listed = ", ".join(quoted(m.measure.id) for m in plan.measures)
        frame = measure_sql.frame_sql(plan, "subjects", "records")
        key = quoted(vocabulary.subject.key)
        duck.execute(f"select {listed} from ({frame}) where cast({key} as varchar) = ?", [subject_id])
        row = duck.fetchone() or ()
    return dict(zip((m.measure.id for m in plan.measures), row, strict=False))


def _fill(
    duck: duckdb.DuckDBPyConnection, table: str, columns: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]
) -> None:
    declared = ", ".join(f"{quoted(name)} {sql_type(column.type)}" for name, column in columns.items())
    duck.execute(f"create table {table} ({declared})")
    if rows:
        marks = ", ".join("?" for _ in columns)
        duck.executemany(f"insert into {table} values ({marks})", [[row.get(n) for n in columns] for row in rows])


# Why not


def _misses(plan: Plan, subject: Row, records: Sequence[Row], hit: set[str]) -> Iterable[Miss]:
    """A miss for each rule, and for each table of which no row hit the row that came nearest."""
    tables = {rule.table for rule in plan.rules if rule.table and rule.id in hit}
    nearest: dict[str, Miss] = {}
    for rule in plan.rules:
        if rule.id in hit or rule.table in tables:
            continue
        miss = _miss(plan, rule, subject, records)
        owner = f"table {rule.table}" if rule.table else f"rule {rule.id}"
        if owner not in nearest or len(miss.failed) < len(nearest[owner].failed):
            nearest[owner] = miss
    return nearest.values()


def _miss(plan: Plan, rule: Rule, subject: Row, records: Sequence[Row]) -> Miss:
    rows: Sequence[Row] = [subject]
    if rule.level is Level.RECORD:
        rows = [{**subject, **record} for record in records] or [subject]
    row = min(rows, key=lambda candidate: len(_failures(rule, candidate, plan.as_of)))
    failed = tuple(_failures(rule, row, plan.as_of))
    key = plan.pack.vocabulary.records.key if plan.pack.vocabulary.records else ""
    window = window_on(rule.window, row, plan.as_of) if rule.window and not failed else None
    record_id = row.get(key) if rule.level is Level.RECORD and records else None
    return Miss(rule, None if record_id is None else str(record_id), failed, window)


def _failures(rule: Rule, row: Row, as_of: dt.date) -> Iterable[Failed]:
    return [
        Failed(render(term), _seen(term, row), evaluate(term, row, as_of) is None)
        for term in conjuncts(rule.when)
        if evaluate(term, row, as_of) is not True
    ]


def _seen(term: Expression, row: Row) -> dict[str, Any]:
    return {n.name: row.get(n.name) for n in sorted(names(term), key=lambda n: n.name)}


