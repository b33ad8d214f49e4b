"""Which rows of a file are not kept: short ones, refused ones, and later ones of a key that came before.

Each goes from the table of arriving rows to the quarantine, with its reason.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.model import Title
from scoring.facts.merging import Objection, Refusal
from scoring.facts.noted import QUARANTINE, Rejected, note, whose
from scoring.facts.staging import Staged, Target
from scoring.store.batches import BATCH_ROWS, parts
from scoring.store.models import Quarantined

Place: TypeAlias = tuple[int, str | None]
"""Where a row stands: its number, and the sheet in which that counts."""

Check = Callable[[Session, Sequence[Staged]], Iterable[Rejected]]
"""Looks at the rows of a file in the transaction that keeps them, and says which ones may not be kept."""


def drop_short(connection: sa.Connection, arriving: sa.Table, target: Target) -> int:
    """Take out the rows of new keys that lack what such a row needs; how many went to quarantine."""
    a = arriving.c
    known = sa.select(1).where(target.is_current, target.key == a.key).correlate(arriving)
    is_short = sa.and_(a.lacks.is_not(None), ~known.exists())
    short = connection.execute(
        sa.select(a.row_no, a.sheet, a.lacks, whose(a.data).label("authority"))
        .where(is_short)
        .order_by(a.order_no),
        execution_options={"yield_per": BATCH_ROWS},
    )
    faults = (
        Rejected(row.row_no, column, value, reason, sheet=row.sheet, authority=row.authority)
        for row in short
        for column, value, reason in json.loads(row.lacks)
    )
    note(connection, target.file.id, faults)
    return connection.execute(sa.delete(arriving).where(is_short)).rowcount


def refused_by(
    session: Session, arriving: sa.Table, target: Target, checks: Sequence[Check]
) -> Sequence[Refusal]:
    """The rows that a check does not allow."""
    if not checks:
        return ()
    a, version = arriving.c, target.version
    known = target.knows(arriving)
    query = sa.select(a.order_no, a.sheet, a.row_no, a.key, a.data, a.cleared, version.data.label("current"))
    rows = session.execute(query.join_from(arriving, version, known, isouter=True).order_by(a.order_no)).all()
    staged = [Staged(row.row_no, row.key, _laid_over(row), row.current, row.sheet) for row in rows]
    objections: dict[tuple[str | None, int], list[Objection]] = {}
    for fault in (fault for check in checks for fault in check(session, staged)):
        said = (fault.column or "", fault.value or "", fault.reason)
        objections.setdefault((fault.sheet, fault.row_no), []).append(said)
    return [
        Refusal(row.order_no, row.row_no, row.sheet, objections[row.sheet, row.row_no])
        for row in rows
        if (row.sheet, row.row_no) in objections
    ]


def _laid_over(row: sa.Row[Any]) -> str:
    """The document that a row makes of what is known of its key."""
    values = {**json.loads(row.current or "{}"), **json.loads(row.data)}
    for name in json.loads(row.cleared or "[]"):
        values.pop(name, None)
    return json.dumps(values, ensure_ascii=False)


def drop_refused(
    connection: sa.Connection,
    arriving: sa.Table,
    target: Target,
    refused: Sequence[Refusal],
    same: Mapping[int, Sequence[Place]],
) -> int:
    """Take out the rows that may not be kept; how many went to quarantine.

    :param same: the rows that say the same again, which are refused with the first.
    """
    places = [((row.row_no, row.sheet), *same.get(row.order_no, ())) for row in refused]
    authorities: dict[int, str | None] = {}
    for some in parts([row.order_no for row in refused]):
        query = sa.select(arriving.c.order_no, whose(arriving.c.data))
        authorities |= dict(connection.execute(query.where(arriving.c.order_no.in_(some))).all())
    faults = (
        Rejected(row_no, column, value, reason, sheet=sheet, authority=authorities[row.order_no])
        for row, stands in zip(refused, places, strict=True)
        for row_no, sheet in stands
        for column, value, reason in row.objections
    )
    note(connection, target.file.id, faults)
    for some in parts([row.order_no for row in refused]):
        connection.execute(sa.delete(arriving).where(arriving.c.order_no.in_(some)))
    return sum(map(len, places))


def drop_repeats(
    connection: sa.Connection, arriving: sa.Table, file_id: int, key_column: str | None
) -> tuple[int, Mapping[int, Sequence[Place]]]:
    """Leave the first row of each key.

    :returns: how many others had other content and went to quarantine; and where those that say the same
        stand, by the order of the first.
    """
    keys = sa.select(sa.func.count() - sa.func.count(arriving.c.key.distinct())).select_from(arriving)
    if connection.scalar(keys) == 0:
        return 0, {}
    repeats = _repeats(arriving)
    is_other = sa.or_(
        repeats.c.content_hash != repeats.c.first_hash, repeats.c.cleared != repeats.c.first_cleared
    )
    other = connection.scalar(sa.select(sa.func.count()).where(is_other)) or 0
    doubles = sa.select(
        sa.literal(file_id),
        repeats.c.row_no,
        sa.literal(key_column, sa.String),
        repeats.c.key,
        _double(repeats),
        sa.literal("error"),
        repeats.c.sheet,
        repeats.c.authority,
    ).where(is_other)
    connection.execute(sa.insert(Quarantined).from_select(QUARANTINE.names, doubles))
    again = sa.select(repeats.c.first_order_no, repeats.c.row_no, repeats.c.sheet).where(~is_other)
    same: dict[int, list[Place]] = {}
    for first, row_no, sheet in connection.execute(again.order_by(repeats.c.order_no)):
        same.setdefault(first, []).append((row_no, sheet))
    connection.execute(sa.delete(arriving).where(arriving.c.order_no.in_(sa.select(repeats.c.order_no))))
    return other, same


def _repeats(arriving: sa.Table) -> sa.Subquery:
    """The rows whose key stands in an earlier row, with that row's place and content."""
    a = arriving.c

    place = sa.func.coalesce(a.sheet + "!", "") + sa.cast(a.row_no, sa.String)  # 5, or 1月!5
    cleared, alike = sa.func.coalesce(a.cleared, ""), sa.func.coalesce(a.alike, a.content_hash)

    def first(column: sa.ColumnElement[Any], name: str) -> sa.Label[Any]:
        return sa.func.first_value(column).over(partition_by=a.key, order_by=a.order_no).label(name)

    ranked = sa.select(
        a.order_no,
        a.sheet,
        a.row_no,
        a.key,
        alike.label("content_hash"),
        cleared.label("cleared"),
        whose(a.data).label("authority"),
        first(a.order_no, "first_order_no"),
        first(place, "first_place"),
        first(alike, "first_hash"),
        first(cleared, "first_cleared"),
    ).subquery()
    return sa.select(ranked).where(ranked.c.order_no > ranked.c.first_order_no).subquery()


def _double(repeats: sa.Subquery) -> sa.ColumnElement[str]:
    row = repeats.c.first_place
    zh = sa.literal(_DOUBLE) + row + sa.literal(f" 行相同而内容不同（{_DOUBLE_HINT.zh}）")
    en = sa.literal(f" with other content ({_DOUBLE_HINT.en})")
    return zh + sa.literal("\u2003the same key as in row ") + row + en


def is_double(reason: str) -> bool:
    """Whether a row was refused because its key stands in an earlier row."""
    return reason.startswith(_DOUBLE)


_DOUBLE = "编号与第 "
_DOUBLE_HINT = Title(
    "同一件只留正确的一行;另一件请另编号,无编号列的请加“记录编号”列",
    "of one matter the right row alone; another one has a number of its own, in a column 记录编号",
)
