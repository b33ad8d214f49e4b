"""What was said of a day: the questions that timelines are kept to answer, as SQL.

As a run left it, a day's grade is that of the last run up to it that touched the subject for that day or
earlier. Both are found by key.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa

from scoring.store.models import Run
from scoring.store.timelines import Day, GradedSubject, Span, Touch

DAY_KIND = "day"
"""The kind of run that says nothing of other days: one of before timelines were kept."""


def last_touch(subject: Any, run: Any, day: Any) -> sa.ScalarSelect[int]:
    """The number of the run that has the last word on a subject's day, as a run left it.

    :param subject, run, day: values, or columns of the query around.
    """
    touch = sa.orm.aliased(Touch)
    query = sa.select(touch.run).where(touch.subject == subject, touch.run <= run, touch.from_day <= day)
    return query.order_by(touch.run.desc()).limit(1).scalar_subquery()


def holds(part: Any, day: Any) -> sa.ColumnElement[bool]:
    """Whether a segment or a span is open on a day."""
    return sa.and_(part.begins <= day, sa.or_(part.ends.is_(None), part.ends > day))


def said(part: Any, pack_id: Any, run: Any, day: Any, *columns: Any) -> sa.Select[*tuple[Any, ...]]:
    """Everybody's segments, or spans, of a day as a run left it, beside :class:`GradedSubject`.

    :param part: ``Segment`` or ``Span``, or an alias.
    :param pack_id, run, day: values, or bound ones.
    """
    on = _bound(day)
    same = sa.and_(
        part.subject == GradedSubject.number,
        part.run == last_touch(GradedSubject.number, run, on),
        holds(part, on),
    )
    return (
        sa.select(*columns)
        .select_from(GradedSubject)
        .join(part, same)
        .where(GradedSubject.pack_id == pack_id)
    )


def next_boundary(segment: Any, day: Any) -> sa.ScalarSelect[dt.date]:
    """The first later day on which a span begins or ends that belongs with a segment."""
    ahead = sa.case((Span.begins > day, Span.begins), else_=Span.ends)
    query = sa.select(sa.func.min(ahead, type_=Day())).where(
        Span.subject == segment.subject,
        Span.run == segment.run,
        sa.or_(Span.ends.is_(None), Span.ends > day),
    )
    return query.scalar_subquery()


def visible(
    part: Any, subjects: sa.ColumnElement[bool], run: int, day: dt.date
) -> sa.Select[*tuple[Any, ...]]:
    """What is said of all days from a day on, as a run left it: segments, or spans, of timelines.

    Each row has the columns of the part, ``from_day`` and ``hidden_from``: it holds within these days, for a
    later run may have touched the subject from a later day on.

    :param subjects: which touches are meant.
    """
    touches = (
        sa.select(
            Touch.subject,
            Touch.run,
            Touch.from_day,
            sa.func.min(Touch.from_day, type_=Day())
            .over(partition_by=Touch.subject, order_by=Touch.run, rows=(1, None))
            .label("hidden_from"),
        )
        .join(Run, Run.id == Touch.run)
        .where(subjects, Touch.run <= run, Run.kind != DAY_KIND)
        .subquery()
    )
    on, hidden = _bound(day), touches.c.hidden_from
    return (
        sa.select(*part.__table__.c, touches.c.from_day, hidden)
        .join_from(
            touches, part.__table__, sa.and_(part.subject == touches.c.subject, part.run == touches.c.run)
        )
        .where(
            sa.or_(hidden.is_(None), sa.and_(hidden > on, hidden > touches.c.from_day)),
            sa.or_(part.ends.is_(None), part.ends > on),
        )
    )


def with_numbers(query: sa.Select[*tuple[Any, ...]]) -> sa.Select[*tuple[Any, ...]]:
    """The same with days as they are stored: numbers of days since 1970."""
    rows = query.subquery()
    return sa.select(*(sa.type_coerce(c, sa.Integer) if isinstance(c.type, Day) else c for c in rows.c))


def _bound(day: Any) -> Any:
    return sa.literal(day, Day()) if isinstance(day, dt.date) else day
