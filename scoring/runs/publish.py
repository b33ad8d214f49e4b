"""A run's timelines go from the DuckDB into the store: all of them, or none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import duckdb
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.calendar import SHANGHAI
from scoring.store import bulk
from scoring.store.base import table_of
from scoring.store.batches import BATCH_ROWS, parts
from scoring.store.changes import ChangeRow, note_change
from scoring.store.models import Run
from scoring.store.timelines import GradedRule, GradedSubject, Segment, Span, Tally, Touch, day_number

Written = Callable[[str, int], None]

_QUERIES = (
    (Touch, "select subject, {run} as run, {day} as from_day from kept_touches order by subject"),
    (
        Segment,
        "select {run} as run, * from kept_segments semi join kept_touches using (subject)"
        " order by subject, begins",
    ),
    (
        Span,
        "select {run} as run, *, row_number() over (partition by subject"
        " order by rule, record_id nulls first, begins, points) as no"
        " from kept_spans semi join kept_touches using (subject) order by subject, no",
    ),
    (Tally, "select {run} as run, begins, tier, delta from kept_tallies order by begins, tier"),
)
"""In the order of the tables' keys, so that the rows of a first run are added at the end of each table."""

_SUBJECTS = pa.schema([("number", pa.int32()), ("subject_id", pa.string())])


def wait_to_publish(session: Session, pack_id: str) -> None:
    """Runs of one pack are published one by one, each after what the one before has published.

    In SQLite a writer is alone anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        key = sa.func.hashtextextended(f"runs of {pack_id}", 0)
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))


def number_rules(session: Session, pack_id: str, rules: Iterable[str]) -> dict[str, int]:
    """The number of each rule; those that have none are given one."""
    query = sa.select(GradedRule.rule, GradedRule.number).where(GradedRule.pack_id == pack_id)
    known = dict(session.execute(query).all())
    for rule in sorted({*rules} - known.keys()):
        session.add(GradedRule(pack_id=pack_id, rule=rule))
    session.flush()
    return dict(session.execute(query).all())


def numbers_of(session: Session, pack_id: str, subject_ids: Sequence[str] | None = None) -> pa.Table:
    """Number and subject_id of a pack's subjects: of all that have a number, or of some."""
    query = sa.select(GradedSubject.number, GradedSubject.subject_id).where(GradedSubject.pack_id == pack_id)
    wanted = [None] if subject_ids is None else parts(subject_ids)
    batches = [
        batch
        for some in wanted
        for batch in bulk.stream(
            session.connection(),
            query if some is None else query.where(GradedSubject.subject_id.in_(some)),
            _SUBJECTS,
        )
    ]
    return pa.Table.from_batches(batches, _SUBJECTS)


def number_subjects(session: Session, pack_id: str, batches: Iterable[pa.RecordBatch]) -> None:
    """Give subjects that have none a number.

    :param batches: pack_id and subject_id.
    """
    bulk.append(session.connection(), table_of(GradedSubject), batches)


def publish(
    session: Session,
    run: Run,
    duck: duckdb.DuckDBPyConnection | None,
    written: Written = lambda table, rows: None,
) -> None:
    """Add a run with the timelines that are in a DuckDB (:mod:`scoring.runs.keeping`).

    Nothing of it is seen by others before the session's transaction ends well.

    :param duck: None for a run that touches nobody.
    :param written: told, after each batch, the table and how many of its rows are written.
    """
    session.add(run)
    session.flush()
    if duck is None:
        return
    for model, query in _QUERIES:
        table = table_of(model)
        rows = duck.sql(query.format(run=run.id, day=day_number(run.as_of))).to_arrow_reader(BATCH_ROWS)
        bulk.append(session.connection(), table, rows, partial(written, table.name))


def note_moves(session: Session, run: Run) -> None:
    """Note, at the end of its transaction, that a run changed tiers, if it says how things stand from now on.

    One of a day to come, or of an earlier day than the one told before, does not: what differs by it is told
    with the next that does.
    """
    if run.as_of > run.published_at.astimezone(SHANGHAI).date():
        return
    others = sa.select(Run).where(Run.pack_id == run.pack_id, Run.id != run.id)
    told = others.join(ChangeRow, ChangeRow.run_id == Run.id).where(ChangeRow.kind == "tier_changed")
    base = session.scalar(told.order_by(ChangeRow.id.desc()).limit(1)) or session.scalar(
        others.where(Run.as_of <= run.as_of).order_by(Run.as_of.desc(), Run.id.desc()).limit(1)
    )
    if base is not None and base.as_of > run.as_of:
        return
    about = {"pack_id": run.pack_id, "pack_hash": run.pack_hash, "vocabulary": run.vocabulary}
    number = None if base is None else base.id
    note_change(session, "tier_changed", run.published_at, run_id=run.id, base=number, day=run.as_of, **about)


def visible_schema(part: Any) -> pa.Schema:
    """Names and types of the columns of :func:`scoring.runs.said.visible`, days as numbers."""
    names = [*(column.name for column in part.__table__.c), "from_day", "hidden_from"]
    wide = {"run": pa.int64(), "score": pa.int64(), "points": pa.int64()}
    texts = dict.fromkeys(("tier", "band", "veto", "record_id"), pa.string())
    return pa.schema([(name, (wide | texts).get(name, pa.int32())) for name in names])
