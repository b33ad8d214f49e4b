"""What published runs say: grades as they stand, as they stood, and how they moved."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from rules.calendar import SHANGHAI, add_days
from rules.language.expressions import INTEGER
from rules.model import Pack
from scoring.judging.timeline import Hit, hits_of
from scoring.judging.timeline import Span as OpenSpan
from scoring.runs.published import RunSummary, list_runs
from scoring.runs.said import DAY_KIND, holds, last_touch, next_boundary, said, visible
from scoring.store import Store
from scoring.store.batches import BATCH_ROWS, parts
from scoring.store.models import Run
from scoring.store.timelines import Day, GradedRule, GradedSubject, Segment, Span, Tally, Touch

_NEVER = 9_999_999


@dataclass(frozen=True, slots=True)
class GradeRow:
    """A subject's result in a run; the score in hundredths."""

    subject_id: str
    run_id: int
    pack_id: str
    as_of: dt.date
    published_at: dt.datetime
    score: int
    tier: str
    band: str
    veto: str | None
    next_change_on: dt.date | None
    inputs_known: int
    inputs_total: int


@dataclass(frozen=True, slots=True)
class Filters:
    """Which results of a run are wanted; None leaves a thing open. Scores in hundredths.

    :param changes_by: those that change by themselves up to this date.
    """

    tier: str | None = None
    veto: str | None = None
    score_from: int | None = None
    score_to: int | None = None
    changes_by: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """A subject whose tier differs between two runs."""

    subject_id: str
    tier_before: str
    tier: str
    score_before: int
    score: int


@dataclass(frozen=True, slots=True)
class Piece:
    """Days on which the same is said of a subject, from ``begins`` to before ``ends``; score in hundredths.

    :param run: the number of the run that says so, of the first of these days.
    """

    begins: dt.date
    ends: dt.date
    run: int
    score: int
    tier: str


def find_run(store: Store, run_id: int) -> RunSummary | None:
    """The run of that id."""
    found = list_runs(store, before=run_id + 1, limit=1)
    return found[0] if found and found[0].id == run_id else None


def grade_of(store: Store, run: RunSummary, subject_id: str) -> GradeRow | None:
    """A subject's result in a run.

    >>> from fixtures.small import RESTAURANT, small_store
    >>> from scoring.runs.published import latest_run
    >>> store = small_store()
    >>> grade = grade_of(store, latest_run(store, "tourism-credit"), RESTAURANT)
    >>> grade.score, grade.tier, grade.next_change_on.isoformat()
    (6700, 'C', '2026-09-01')
    """
    asked = {"pack": run.pack_id, "run": run.id, "day": run.as_of, "subject": subject_id}
    with store.reading() as session:
        row = session.execute(_ONE, asked).one_or_none()
    return None if row is None else _grade(run, row)


def grades_of(store: Store, run: RunSummary, subject_ids: Sequence[str]) -> dict[str, GradeRow]:
    """Several subjects' results in a run; those that it has none of are left out."""
    found: dict[str, GradeRow] = {}
    with store.reading() as session:
        for some in parts(subject_ids):
            rows = session.execute(graded(run).where(GradedSubject.subject_id.in_(some)))
            found |= {row.subject_id: _grade(run, row) for row in rows}
    return found


def graded(run: RunSummary, *more: Any) -> sa.Select[*tuple[Any, ...]]:
    """Everybody's result in a run, beside :class:`scoring.store.timelines.GradedSubject`.

    :param more: further columns.
    """
    return said(Segment, run.pack_id, run.id, run.as_of, *_columns(sa.literal(run.as_of, Day())), *more)


def official_run(store: Store, pack_id: str, day: dt.date) -> RunSummary | None:
    """The run whose word on a day is official; None where there is none.

    It is the last published by the day's end, in Shanghai, of those that speak of the day.

    A run that is published after midnight is not official for the day before, whatever day it was made for.
    """
    midnight = dt.datetime.combine(add_days(day, 1), dt.time(), SHANGHAI)
    query = (
        sa.select(Run.id)
        .where(Run.pack_id == pack_id, Run.as_of <= day, Run.published_at < midnight)
        .where(sa.or_(Run.kind != DAY_KIND, Run.as_of == day))
        .order_by(Run.id.desc())
    )
    with store.reading() as session:
        found = session.scalar(query.limit(1))
    return None if found is None else find_run(store, found)


def official_grade(store: Store, pack_id: str, subject_id: str, day: dt.date) -> GradeRow | None:
    """What is officially said of a subject's day; None where nothing is. It stands when the day is over."""
    run = official_run(store, pack_id, day)
    return None if run is None else grade_of(store, replace(run, as_of=day), subject_id)


def grade_history(
    store: Store, pack_id: str, subject_id: str, before: int | None = None, limit: int | None = None
) -> list[GradeRow]:
    """A subject's results in the runs of a pack, the newest run first.

    :param before: only runs with a smaller id: the last of the page before.
    """
    as_of = sa.type_coerce(_day_number(store, Run.as_of), Day())
    same = sa.and_(
        Segment.subject == GradedSubject.number,
        Segment.run == last_touch(GradedSubject.number, Run.id, as_of),
        holds(Segment, as_of),
    )
    query = (
        sa.select(Run.id.label("run_id"), Run.pack_id, Run.as_of, Run.published_at, *_columns(as_of))
        .select_from(Run)
        .join(GradedSubject, GradedSubject.pack_id == Run.pack_id)
        .join(Segment, same)
        .where(Run.pack_id == pack_id, GradedSubject.subject_id == subject_id)
        .order_by(Run.id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(Run.id < before)
    with store.reading() as session:
        return [_row(row) for row in session.execute(query)]


def grade_line(store: Store, run: RunSummary, subject_id: str) -> list[Piece]:
    """What is said of each day of a subject up to a run's, by the run and those before: in the order of days.

    Each day is told by the last of the runs that speak of it, so that the line is exact between runs too:
    what changes by itself changes on its day, and what a run changed, on the run's. A run of before timelines
    were kept tells of its own day.
    """
    with store.reading() as session:
        number = session.scalar(
            sa.select(GradedSubject.number).where(
                GradedSubject.pack_id == run.pack_id, GradedSubject.subject_id == subject_id
            )
        )
        if number is None:
            return []
        rows = session.execute(visible(Segment, Touch.subject == number, run.id, dt.date.min)).all()
        days = session.scalars(_days_before(number, run.id)).all()
    end = add_days(run.as_of, 1)
    pieces = [
        Piece(row.begins, min(row.ends or end, row.hidden_from or end, end), row.run, row.score, row.tier)
        for row in rows
    ]
    first = min((piece.begins for piece in pieces), default=end)
    pieces += [
        Piece(day.begins, add_days(day.begins, 1), day.run, day.score, day.tier)
        for day in {day.begins: day for day in days if day.begins < first}.values()
    ]
    shown = sorted((piece for piece in pieces if piece.begins < piece.ends), key=lambda piece: piece.begins)
    return list(_joined(shown))


def _days_before(number: int, run: int) -> sa.Select[Segment]:
    """What runs of before timelines were kept said of a subject, by run."""
    query = sa.select(Segment).join(Run, Run.id == Segment.run).where(Segment.subject == number)
    return query.where(Segment.run <= run, Run.kind == DAY_KIND).order_by(Segment.run)


def _joined(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Neighbours of which the same is said are one."""
    last: Piece | None = None
    for piece in pieces:
        if last is not None and (last.ends, last.score, last.tier) == (piece.begins, piece.score, piece.tier):
            last = replace(last, ends=piece.ends)
            continue
        if last is not None:
            yield last
        last = piece
    if last is not None:
        yield last


def hits_in(store: Store, run: RunSummary, pack: Pack, subject_id: str) -> tuple[Hit, ...]:
    """What hits a subject in a run, by rule, the day from which it counts, and record.

    :param pack: the run's.
    """
    with store.reading() as session:
        rows = session.execute(_open_spans(run).where(GradedSubject.subject_id == subject_id)).all()
    return _hits(pack, rows)


def list_grades(
    store: Store, run: RunSummary, filters: Filters, after: str | None = None, limit: int | None = None
) -> list[GradeRow]:
    """Results of a run by subject.

    :param after: only subjects with a greater id: the last of the page before.
    """
    query = graded(run).where(*_conditions(run, filters))
    if after is not None:
        query = query.where(GradedSubject.subject_id > after)
    with store.reading() as session:
        rows = session.execute(query.order_by(GradedSubject.subject_id).limit(limit))
        return [_grade(run, row) for row in rows]


def tier_counts(store: Store, run: RunSummary) -> dict[str, int]:
    """How many subjects have each tier in a run.

    >>> from fixtures.small import small_store
    >>> from scoring.runs.published import latest_run
    >>> store = small_store()
    >>> tier_counts(store, latest_run(store, "tourism-credit"))
    {'B': 1, 'C': 1}
    """
    number: sa.ColumnElement[int]
    if run.kind == DAY_KIND:
        number = sa.func.count()
        query = said(Segment, run.pack_id, run.id, run.as_of, Segment.tier, number)
        query = query.group_by(Segment.tier)
    else:
        number = sa.func.sum(Tally.delta)
        query = (
            sa.select(Tally.tier, number)
            .join(Run, Run.id == Tally.run)
            .where(Run.pack_id == run.pack_id, Tally.run <= run.id, Tally.begins <= run.as_of)
            .group_by(Tally.tier)
            .having(number > 0)
        )
    with store.reading() as session:
        return {tier: int(subjects) for tier, subjects in session.execute(query)}


def transitions(
    store: Store, before: RunSummary, run: RunSummary
) -> list[tuple[str | None, str | None, int]]:
    """From which tier to which, and how many subjects; None for those that are in one of the runs alone."""
    old, new = sa.orm.aliased(Segment), sa.orm.aliased(Segment)
    query = (
        sa.select(old.tier, new.tier, sa.func.count())
        .select_from(GradedSubject)
        .outerjoin(old, _said_in(before, old))
        .outerjoin(new, _said_in(run, new))
        .where(GradedSubject.pack_id == run.pack_id, sa.or_(old.tier.is_not(None), new.tier.is_not(None)))
        .group_by(old.tier, new.tier)
    )
    with store.reading() as session:
        rows = session.execute(query).all()
    return sorted(
        ((old_tier, tier, number) for old_tier, tier, number in rows),
        key=lambda row: (row[0] or "", row[1] or ""),
    )


def moves(
    store: Store, before: RunSummary, run: RunSummary, after: str | None = None, limit: int | None = None
) -> list[Move]:
    """The subjects whose tier differs between two runs, by subject.

    :param after: only subjects with a greater id: the last of the page before.
    """
    with store.reading() as session:
        return [Move(**row._mapping) for row in session.execute(moved(before, run, after, limit))]


def moved(
    before: RunSummary, run: RunSummary, after: str | None = None, limit: int | None = None
) -> sa.Select[*tuple[Any, ...]]:
    """What makes a :class:`Move`, beside :class:`scoring.store.timelines.GradedSubject`; as :func:`moves`."""
    old, new = sa.orm.aliased(Segment), sa.orm.aliased(Segment)
    query = (
        sa.select(
            GradedSubject.subject_id,
            old.tier.label("tier_before"),
            new.tier,
            old.score.label("score_before"),
            new.score,
        )
        .select_from(GradedSubject)
        .join(new, _said_in(run, new))
        .join(old, _said_in(before, old))
        .where(GradedSubject.pack_id == run.pack_id, new.tier != old.tier)
        .order_by(GradedSubject.subject_id)
        .limit(limit)
    )
    return query if after is None else query.where(GradedSubject.subject_id > after)


def _said_in(run: RunSummary, part: Any) -> sa.ColumnElement[bool]:
    day = sa.literal(run.as_of, Day())
    return sa.and_(
        part.subject == GradedSubject.number,
        part.run == last_touch(GradedSubject.number, run.id, day),
        holds(part, day),
    )


def everybodys_grades(store: Store, run: RunSummary) -> Iterator[GradeRow]:
    """Every result of a run, by subject; read as they are asked for."""
    query = graded(run).order_by(GradedSubject.subject_id)
    with store.reading() as session:
        for row in session.execute(query, execution_options={"yield_per": BATCH_ROWS}):
            yield _grade(run, row)


def everybodys_hits(store: Store, run: RunSummary, pack: Pack) -> Iterator[tuple[str, tuple[Hit, ...]]]:
    """Subjects with what hits them in a run, in their order; those whom nothing hits are left out.

    :param pack: the run's.
    """
    query = _open_spans(run).order_by(GradedSubject.subject_id)
    with store.reading() as session:
        rows = session.execute(query, execution_options={"yield_per": BATCH_ROWS})
        for subject_id, spans in groupby(rows, key=lambda row: row.subject_id):
            yield subject_id, _hits(pack, spans)


def _open_spans(run: RunSummary) -> sa.Select[*tuple[Any, ...]]:
    """What hits on a run's day, before caps."""
    columns = [Span.record_id, Span.begins, Span.ends, Span.points, Span.counts_from, Span.counts_until]
    query = said(Span, run.pack_id, run.id, run.as_of, GradedSubject.subject_id, GradedRule.rule, *columns)
    return query.join(GradedRule, GradedRule.number == Span.rule)


def _hits(pack: Pack, rows: Iterable[Any]) -> tuple[Hit, ...]:
    """Open spans as hits. Records are in the order of their keys, as their vocabulary has them."""
    records = pack.vocabulary.records
    typed = int if records is not None and records.columns[records.key].type == INTEGER else str
    spans = (
        OpenSpan(
            pack.rule(row.rule),
            None if row.record_id is None else typed(row.record_id),
            row.begins,
            row.ends,
            row.points,
            row.counts_from,
            row.counts_until,
        )
        for row in rows
    )
    hits = (replace(hit, record_id=_text(hit.record_id)) for hit in hits_of(spans))
    return tuple(sorted(hits, key=_shown_order))


def _text(record_id: Any) -> str | None:
    return None if record_id is None else str(record_id)


def _shown_order(hit: Hit) -> tuple[Any, ...]:
    day, record = hit.counts_from, hit.record_id
    return hit.rule.id, day is None, day or dt.date.min, record is None, record or ""


def _conditions(run: RunSummary, filters: Filters) -> list[sa.ColumnElement[bool]]:
    def changes(by: dt.date) -> sa.ColumnElement[bool]:
        boundary = next_boundary(Segment, sa.literal(run.as_of, Day()))
        return sa.or_(Segment.ends <= by, boundary <= sa.literal(by, Day()))

    wanted: tuple[tuple[Any, Callable[[Any], sa.ColumnElement[bool]]], ...] = (
        (filters.tier, Segment.tier.__eq__),
        (filters.veto, Segment.veto.__eq__),
        (filters.score_from, Segment.score.__ge__),
        (filters.score_to, Segment.score.__le__),
        (filters.changes_by, changes),
    )
    return [compare(value) for value, compare in wanted if value is not None]


def _columns(day: Any) -> tuple[Any, ...]:
    """What makes a :class:`GradeRow`, and of the next change the two days of which it is the earlier."""
    return (
        GradedSubject.subject_id,
        Segment.score,
        Segment.tier,
        Segment.band,
        Segment.veto,
        Segment.known.label("inputs_known"),
        Segment.total.label("inputs_total"),
        Segment.ends.label("grade_changes_on"),
        next_boundary(Segment, day).label("hits_change_on"),
    )


def next_change(row: Any) -> dt.date | None:
    """The first later day on which anything shown differs: the grade, or a hit."""
    return min((day for day in (row.grade_changes_on, row.hits_change_on) if day is not None), default=None)


def soonest(run: RunSummary) -> sa.ColumnElement[int]:
    """:func:`next_change` as a number of a day, to order by; those that never change come last."""
    grade, hits = (
        sa.func.coalesce(sa.type_coerce(day, sa.Integer), _NEVER)
        for day in (Segment.ends, next_boundary(Segment, sa.literal(run.as_of, Day())))
    )
    return sa.case((grade < hits, grade), else_=hits)


def _grade(run: RunSummary, row: Any) -> GradeRow:
    return _row(row, run_id=run.id, pack_id=run.pack_id, as_of=run.as_of, published_at=run.published_at)


def _row(row: Any, **run_columns: Any) -> GradeRow:
    columns = {**row._mapping, **run_columns, "next_change_on": next_change(row)}
    return GradeRow(**{name: columns[name] for name in GradeRow.__slots__})


def _day_number(store: Store, date: Any) -> Any:
    """A date of the database as the number that timelines have."""
    if store.is_sqlite:
        return sa.cast(sa.func.julianday(date) - 2440587.5, sa.Integer)
    return date - sa.cast("1970-01-01", sa.Date)


def _one() -> sa.Select[*tuple[Any, ...]]:
    """One subject's result, made ready: it is asked for most often."""
    day = sa.bindparam("day", type_=Day())
    everybody = said(Segment, sa.bindparam("pack"), sa.bindparam("run"), day, *_columns(day))
    return everybody.where(GradedSubject.subject_id == sa.bindparam("subject"))


_ONE = _one()
