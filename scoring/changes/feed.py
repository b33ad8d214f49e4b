"""The feed of changes, in the order in which they were committed, as each may see it.

A place in the feed is the id of the last item that somebody has. Single changes are items as they are kept; a
run's are read from what it and the run told before say of each subject, so that nothing is written for them.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.model import Title
from rules.titles import TitledError
from scoring.access.audit import Event
from scoring.access.consents import lets_watch, watched_by
from scoring.access.keys import Role, Who
from scoring.access.lending import ACTION
from scoring.facts.bodies import register
from scoring.runs.published import summary_of
from scoring.runs.results import moved
from scoring.store.changes import ChangeRow
from scoring.store.lending import ConsentRow
from scoring.store.models import Run
from scoring.store.timelines import GradedSubject

KINDS = {
    "tier_changed": Title("等级变化", "Tier changed"),
    "record_repaired": Title("信用修复", "Record repaired"),
    "objection_decided": Title("异议决定", "Objection decided"),
    "alert_opened": Title("预警", "Alert opened"),
}
"""What the feed tells of."""

TIER = "tier_changed"
OF_RECORDS = ("record_repaired", "objection_decided")
SEEN_BY: Mapping[Role, tuple[str, ...]] = {
    Role.REGULATOR: tuple(KINDS),
    Role.DEPARTMENT: OF_RECORDS,
    Role.LENDER: (TIER,),
    Role.SUBJECT: (TIER, *OF_RECORDS),
}
"""What each role may be told: a department of its own records, a subject of itself."""

_PLACE = re.compile(r"([0-9]{1,15})(?::(.{1,200}))?")
_ROWS = 500


class PlaceError(TitledError):
    """A text is no place in the feed, or one that the feed has not reached."""


@dataclass(frozen=True, slots=True)
class Place:
    """After which change somebody stands; within a run, after which subject: ``41`` or ``41:subject``.

    :param part: None: after all of the change.

    >>> Place.read("41:92500159MALQ20RD87"), str(Place(42))
    (Place(id=41, part='92500159MALQ20RD87'), '42')
    """

    id: int
    part: str | None = None

    def is_before(self, other: Place) -> bool:
        """Whether the feed comes here first.

        >>> Place(41, "A").is_before(Place(41, "B")), Place(41).is_before(Place(41, "B"))
        (True, False)
        """
        mine, theirs = ((one.id, one.part is None, one.part or "") for one in (self, other))
        return mine < theirs

    def __str__(self) -> str:
        return str(self.id) if self.part is None else f"{self.id}:{self.part}"

    @classmethod
    def read(cls, text: str) -> Place:
        """The place that a text names.

        :raises PlaceError: where it is none.
        """
        found = _PLACE.fullmatch(text)
        if found is None:
            raise PlaceError(
                Title(
                    f"{text}不是变动列表的位置",
                    f"{text} is no place in the feed: pass the id of an item, or next",
                )
            )
        return cls(int(found[1]), found[2])


BEGINNING = Place(0)


@dataclass(frozen=True, slots=True)
class Item:
    """A change, as others are told of it.

    :param id: stays the same, however often it is told.
    :param run: the number of the run that changed the tier; of others the last published by then.
    :param day: the day that the tier is of, or on which the repair or decision was made.
    """

    id: str
    kind: str
    at: dt.datetime
    run: int | None
    pack: str | None
    pack_hash: str | None
    subject_id: str | None = None
    day: dt.date | None = None
    tier_before: str | None = None
    tier: str | None = None
    vocabulary: str | None = None
    record_id: str | None = None
    authority: str | None = None
    outcome: str | None = None
    alert: str | None = None


FIELDS: Mapping[str, tuple[str, ...]] = {
    TIER: ("subject_id", "tier_before", "tier", "day"),
    "record_repaired": ("subject_id", "vocabulary", "record_id", "authority", "day"),
    "objection_decided": ("subject_id", "vocabulary", "record_id", "authority", "day", "outcome"),
    "alert_opened": ("subject_id", "record_id", "alert"),
}
"""What an item of each kind says besides its id, kind, moment, run and pack."""


def as_said(item: Item) -> dict[str, Any]:
    """An item as it is sent: what its kind says, and nothing else."""
    names = ("id", "kind", "at", "run", "pack", "pack_hash", *FIELDS[item.kind])
    return {name: getattr(item, name) for name in names}


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom items are for.

    :param organisation: which department or lender it is; of a subject its number.
    :param kinds: of which of those that the role may see.
    :param pack_id: of which pack tiers are; None: of every pack.
    """

    role: Role
    organisation: str | None
    kinds: tuple[str, ...]
    pack_id: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """Items of the feed, in order, and the place up to which nothing else is for who reads."""

    items: tuple[Item, ...]
    until: Place


def audience_of(who: Who, pack_id: str) -> Audience:
    """What the bearer of a key may see.

    :param pack_id: of which pack a lender is told the tiers.
    """
    organisation = who.lender or who.subject or who.organisation
    return Audience(who.role, organisation, SEEN_BY[who.role], pack_id if who.role is Role.LENDER else None)


def head(session: Session) -> int:
    """The last change; 0 before the first."""
    return session.scalar(sa.select(sa.func.max(ChangeRow.id))) or 0


def read(
    session: Session, audience: Audience, after: Place, limit: int, on: dt.date, until: Place | None = None
) -> Reading:
    """What somebody may be told, from a place on. A lender is so by the consents of ``on``; they are looked
    at again when it is told (:func:`consented`).

    :param until: go no further than this place.
    :raises PlaceError: where the feed has not come as far as ``after``.
    """
    last = head(session)
    if after.id > last:
        raise PlaceError(
            Title(
                f"变动列表只到{last},没有{after}",
                f"the feed has come to {last}: there is no place {after} yet",
            )
        )
    end = until or Place(last)
    found = list(islice(_items(session, audience, after, end, on, limit + 1), limit + 1))
    items = tuple(item for item, _ in found[:limit])
    return Reading(items, found[limit - 1][1] if len(found) > limit else end)


def consented(
    session: Session, audience: Audience, items: tuple[Item, ...], who: Who, at: dt.datetime, on: dt.date
) -> tuple[tuple[Item, ...], list[Event]]:
    """Of a lender's items those whose subject consents at this moment, with what the audit log has to say.

    :param session: of a transaction that writes; until it ends nobody withdraws.
    :raises LenderStoppedError: where the lender may be told nothing.
    """
    subjects = {item.subject_id for item in items if item.subject_id is not None}
    lender = audience.organisation or ""
    consents = watched_by(session, lender, subjects, on)
    left = tuple(item for item in items if item.subject_id in consents)
    events = []
    for item in left:
        consent = consents[item.subject_id or ""]
        said = {"consent": consent.reference, "consent_id": consent.id, "purpose": "monitoring"}
        said |= {"lender": lender, "outcome": "told", "tier": item.tier, "change": item.id}
        events.append(who.event(ACTION, item.subject_id, at, **said))
    return left, events


def _items(
    session: Session, audience: Audience, after: Place, end: Place, on: dt.date, most: int
) -> Iterator[tuple[Item, Place]]:
    """Items with the place after each, at most so many of a run; read as they are asked for."""
    for row in _rows(session, audience, after, end):
        if row.kind != TIER:
            yield _item(row), Place(row.id)
            continue
        since = after.part if row.id == after.id else None
        until = end.part if row.id == end.id else None
        for move in session.execute(_moves(session, audience, row, since, until, on).limit(most)):
            place = Place(row.id, move.subject_id)
            tiers = {name: getattr(move, name) for name in ("subject_id", "tier_before", "tier")}
            yield replace(_item(row), id=str(place), **tiers), place


def _rows(session: Session, audience: Audience, after: Place, end: Place) -> Iterator[ChangeRow]:
    first = after.id if after.part is not None else after.id + 1
    moves_nobody = sa.and_(ChangeRow.kind == TIER, ChangeRow.base.is_(None))
    query = sa.select(ChangeRow).where(ChangeRow.kind.in_(audience.kinds), ~moves_nobody)
    query = query.where(ChangeRow.id <= end.id)
    if audience.role is Role.DEPARTMENT:
        names = register(session).names(audience.organisation or "")
        query = query.where(ChangeRow.authority.in_(sorted(names)))
    if audience.role is Role.SUBJECT:
        is_own = ChangeRow.subject_id == audience.organisation
        query = query.where(sa.or_(ChangeRow.kind == TIER, is_own))
    if audience.pack_id is not None:
        query = query.where(ChangeRow.pack_id == audience.pack_id)
    while True:
        rows = session.scalars(query.where(ChangeRow.id >= first).order_by(ChangeRow.id).limit(_ROWS)).all()
        yield from rows
        if len(rows) < _ROWS:
            return
        first = rows[-1].id + 1


def _moves(
    session: Session, audience: Audience, row: ChangeRow, since: str | None, until: str | None, on: dt.date
) -> sa.Select[*tuple[Any, ...]]:
    """Subjects with the tiers before and after, in the order of the feed."""
    before, run = (summary_of(session.get_one(Run, number)) for number in (row.base, row.run_id))
    query = moved(before, run, since)
    if until is not None:
        query = query.where(GradedSubject.subject_id <= until)
    if audience.role is Role.SUBJECT:
        query = query.where(GradedSubject.subject_id == audience.organisation)
    if audience.role is Role.LENDER:
        theirs = sa.select(ConsentRow.subject_id).where(ConsentRow.lender == audience.organisation)
        query = query.where(GradedSubject.subject_id.in_(theirs.where(*lets_watch(on))))
    return query


def _item(row: ChangeRow) -> Item:
    said = {name: getattr(row, name) for name in FIELDS[row.kind] if hasattr(row, name)}
    return Item(str(row.id), row.kind, row.at, row.run_id, row.pack_id, row.pack_hash, **said)
